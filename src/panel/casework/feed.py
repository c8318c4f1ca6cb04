"""A worker's calendar for their own calendar program: when, and of what kind, and nothing else.

Whoever has its address reads it without signing in, so that it says "Panel meeting", "Review",
"Meeting" or "Visit", without a name or a place, and its ids tell nothing. Source: RFC 5545.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from uuid import UUID

import icalendar
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.service import SignedIn, worker_at_desk
from panel.casework.notice_models import CalendarFeed
from panel.panels.calendar import panel_rhythm, settings_of
from panel.panels.models import Panel
from panel.platform.audit import Kind, record
from panel.platform.clock import LONDON
from panel.platform.problems import NotFound
from panel.platform.sessions import token_hash
from panel.platform.tables import NOW, VIEWER, today_of
from panel.platform.tenancy import Tenant
from panel.records.who_leads import HOLDS_TODAY

PANEL_MEETING, REVIEW, MEETING, VISIT = "Panel meeting", "Review", "Meeting", "Visit"
BEFORE, AHEAD = timedelta(days=31), timedelta(days=183)
NO_SUCH = "There is no calendar at this address."


@dataclass(frozen=True, slots=True)
class Event:
    """One entry: of what kind, and when. A day alone is all day."""

    source: str
    """What it is made of; hashed, it is the entry's id."""
    summary: str
    begins: datetime | date
    lasts: timedelta


async def own_feed(session: AsyncSession, worker_id: UUID) -> CalendarFeed | None:
    """A worker's calendar that is in force; None where they made none."""
    return await session.scalar(
        select(CalendarFeed).where(
            CalendarFeed.worker_id == worker_id, CalendarFeed.revoked_at.is_(None)
        )
    )


async def make_feed(session: AsyncSession, worker_id: UUID) -> str:
    """A new address for a worker's calendar; the one before opens nothing any more.

    Returns the secret in it, which is shown once: only its hash is kept.
    """
    await revoke_feed(session, worker_id)
    token = secrets.token_urlsafe(32)
    feed = CalendarFeed(
        worker_id=worker_id, token_hash=token_hash(token), made_at=session.info[NOW]
    )
    session.add(feed)
    record(session, Kind.CALENDAR_MADE, subject=feed.id)
    await session.flush()
    return token


async def revoke_feed(session: AsyncSession, worker_id: UUID) -> None:
    """The address opens nothing any more; once is enough."""
    feed = await own_feed(session, worker_id)
    if feed is not None:
        feed.revoked_at = session.info[NOW]
        record(session, Kind.CALENDAR_REVOKED, subject=feed.id)
        await session.flush()


async def calendar_of(tenant: Tenant, token: str) -> bytes:
    """The calendar that a secret opens. Raises NotFound for an unknown or a revoked one.

    It is that of a worker who works here today, with what they reach now.
    """
    async with tenant.transaction() as session:
        feed = await session.scalar(
            select(CalendarFeed)
            .where(CalendarFeed.token_hash == token_hash(token), CalendarFeed.revoked_at.is_(None))
            .with_for_update()
        )
        if feed is None:
            raise NotFound(NO_SUCH)
        worker_id = feed.worker_id
        if feed.read_on != today_of(session):
            feed.read_on = today_of(session)
    async with tenant.reading(worker_id) as connection:
        who = await worker_at_desk(connection, tenant.ring, worker_id, tenant.clock.now())
    if who is None:
        raise NotFound(NO_SUCH)
    async with tenant.transaction(worker_id) as session:
        events = [
            *await _panel_meetings(session, who),
            *await _reviews(session),
            *await _family_meetings(session),
        ]
    return as_calendar(tenant, worker_id, events)


async def _panel_meetings(session: AsyncSession, who: SignedIn) -> Sequence[Event]:
    today = today_of(session)
    found = await session.scalars(select(Panel).where(Panel.id.in_(who.panels)).order_by(Panel.id))
    events = []
    for panel in list(found):
        lasts = timedelta(minutes=settings_of(panel).capacity_minutes)
        rhythm = await panel_rhythm(session, panel)
        for one in rhythm.days(today - BEFORE, today + AHEAD):
            begins = datetime.combine(one.held_on, panel.starts_at, LONDON)
            events.append(Event(f"meeting {panel.id} {one.slot_on}", PANEL_MEETING, begins, lasts))
    return events


_REVIEWS = text(
    "SELECT f.id, f.next_review_by FROM child_access x JOIN referral f ON f.child_id = x.child_id"
    " JOIN lead_professional l ON l.child_id = f.child_id AND {holds_today}"
    " WHERE x.viewer_id = :viewer AND x.valid_from <= :now AND x.valid_until >= :now"
    " AND l.worker_id = :viewer AND f.state <> 'closed' AND f.rests_from IS NULL"
    " AND f.next_review_by BETWEEN :first AND :last ORDER BY f.next_review_by, f.id".replace(
        "{holds_today}", HOLDS_TODAY
    )
)


async def _reviews(session: AsyncSession) -> Sequence[Event]:
    """By which day each child's review is due whom the worker leads: a day and no more."""
    found = await session.execute(_REVIEWS, _within(session) | {"today": today_of(session)})
    whole_day = timedelta(days=1)
    return [Event(f"review {row.id}", REVIEW, row.next_review_by, whole_day) for row in found]


_MEETINGS = text(
    "SELECT m.id, m.held_on, m.starts_at, m.minutes, m.format FROM child_access x"
    " JOIN impact_invitation i ON i.child_id = x.child_id"
    " JOIN impact_meeting m ON m.id = i.meeting_id"
    " WHERE x.viewer_id = :viewer AND x.valid_from <= :now AND x.valid_until >= :now"
    " AND i.kind = 'worker' AND i.person_id = :viewer AND i.answer <> 'no'"
    " AND i.taken_back_at IS NULL AND m.state IN ('planned', 'called', 'held')"
    " AND m.held_on BETWEEN :first AND :last ORDER BY m.held_on, m.id"
)
AT_HOME = "home"
"""The format of a meeting for which workers come to the family."""


async def _family_meetings(session: AsyncSession) -> Sequence[Event]:
    """Meetings around a family to which the worker is invited and has not said no."""
    found = await session.execute(_MEETINGS, _within(session))
    return [
        Event(
            f"impact {row.id}",
            VISIT if row.format == AT_HOME else MEETING,
            datetime.combine(row.held_on, row.starts_at, LONDON),
            timedelta(minutes=row.minutes),
        )
        for row in found
    ]


def _within(session: AsyncSession) -> dict[str, object]:
    """Whose calendar it is, and its first and last day, as statements name them."""
    today = today_of(session)
    return {
        "viewer": session.info[VIEWER],
        "now": session.info[NOW],
        "first": today - BEFORE,
        "last": today + AHEAD,
    }


def as_calendar(tenant: Tenant, worker_id: UUID, events: Sequence[Event]) -> bytes:
    """The events as a file: the same events, the same bytes."""
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//Panel//Panel//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", "Panel")
    for one in sorted(events, key=lambda event: (str(event.begins), event.source)):
        entry = icalendar.Event()
        uid = tenant.ring.index("calendar.uid", f"{worker_id} {one.source}").hex()[:32]
        entry.add("uid", f"{uid}@panel.invalid")
        entry.add("summary", one.summary)
        begins: datetime | date = one.begins
        if isinstance(begins, datetime):
            begins = begins.astimezone(UTC)
        entry.add("dtstart", begins)
        entry.add("dtend", begins + one.lasts)
        # The day of the entry itself: a stamp of now would be another file each time.
        day = begins.date() if isinstance(begins, datetime) else begins
        entry.add("dtstamp", datetime(day.year, day.month, day.day, tzinfo=UTC))
        calendar.add_component(entry)
    return bytes(calendar.to_ical())


def etag_of(content: bytes) -> str:
    """The mark of a calendar, by which a program sees that nothing changed."""
    return f'"{sha256(content).hexdigest()[:32]}"'
