"""What one of the family tells the panel themselves, before papers close."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import OF_THE_FAMILY, Category, ViewerKind
from panel.panels.calendar import MeetingDay, Rhythm, meeting_on, panel_rhythm, settings_of
from panel.panels.models import FamilyWords, Panel
from panel.panels.referrals import OWN_PAGE
from panel.panels.rules import papers_close_on, review_place
from panel.platform.problems import Invalid, NotAllowed, NotFound
from panel.records.dates import months_after
from panel.records.gate import Access

AHEAD_MONTHS = 12
"""A review is at most half a year away; the meeting after it is found within a year."""


@dataclass(frozen=True, slots=True)
class BeforePanel:
    """A child before a panel, as dates alone: no content."""

    panel_id: UUID
    panel: str
    first_time: bool
    """Whether the panel has not talked about the child yet."""
    certain: bool
    """Whether a place is kept, on a settled agenda or for a review; else the child waits."""
    on: date | None
    """When the panel is to talk about the child; None where no such meeting is known."""
    words_for: date | None
    """The first meeting whose papers are open still: where new words go."""
    papers_close: date | None
    """The last day on which words reach that meeting."""

    @property
    def too_late(self) -> bool:
        """Whether papers for the child's own meeting have closed."""
        return self.words_for != self.on


@dataclass(frozen=True, slots=True)
class OwnWords:
    """What the viewer told the panel, or had written down, on a day."""

    said_on: date
    meeting_on: date | None
    written_by: str
    """The agency that wrote it down; empty where they wrote it themselves."""
    text: str


class _Before(msgspec.Struct):
    panel_id: UUID
    last_discussed_on: date | None
    next_review_by: date | None
    waits: bool
    review_on: date | None
    item_on: date | None
    frozen: tuple[date, ...] | None


# A frozen agenda takes no more papers, whatever the day of the cut-off.
_BEFORE = """
SELECT json_build_object('panel_id', f.panel_id, 'last_discussed_on', f.last_discussed_on,
  'next_review_by', f.next_review_by,
  'waits', f.last_discussed_on IS NULL OR f.deferred_on IS NOT NULL
    OR COALESCE(f.escalated_on > f.last_discussed_on, false)
    OR COALESCE(f.urgent_on >= :today, false),
  'review_on', (SELECT m.held_on FROM meeting m WHERE m.id = f.review_meeting_id
    AND m.state <> 'cancelled' AND m.held_on >= :today),
  'item_on', (SELECT min(m.held_on) FROM agenda_item i JOIN meeting m ON m.id = i.meeting_id
    WHERE i.child_id = f.child_id AND m.panel_id = f.panel_id AND i.state = 'listed'
      AND i.opens_at IS NOT NULL AND m.state = 'frozen' AND m.held_on >= :today),
  'frozen', (SELECT json_agg(m.held_on) FROM meeting m WHERE m.panel_id = f.panel_id
    AND m.held_on >= :today AND m.state IN ('frozen', 'held')))::text
FROM referral f WHERE f.child_id = :child AND f.state <> 'closed' AND f.rests_from IS NULL
ORDER BY f.referred_on, f.id
"""
_READ_BEFORE = msgspec.json.Decoder(_Before)


async def before_panel(access: Access) -> BeforePanel | None:
    """The child's next panel meeting and where new words would go; None where it is before none.

    Of several panels it is the one that meets first.
    """
    rows = await access.session.execute(
        text(_BEFORE), {"child": access.child_id, "today": access.today}
    )
    found = [await _before(access, _READ_BEFORE.decode(line)) for (line,) in rows]
    return min(found, key=lambda one: one.on or date.max, default=None)


async def _before(access: Access, fact: _Before) -> BeforePanel:
    panel = await access.session.get_one(Panel, fact.panel_id)
    rhythm = await panel_rhythm(access.session, panel)
    coming = [
        one
        for one in rhythm.days(access.today, months_after(access.today, AHEAD_MONTHS))
        if one.state != "held"
    ]
    on, certain = _meeting_of(fact, coming)
    open_for = _open_for_words(rhythm, coming, set(fact.frozen or ()), on, access.today)
    return BeforePanel(
        panel.id,
        panel.name,
        fact.last_discussed_on is None,
        certain,
        on,
        open_for,
        None if open_for is None else _close(rhythm, open_for),
    )


def _meeting_of(fact: _Before, coming: Sequence[MeetingDay]) -> tuple[date | None, bool]:
    """When the panel is to talk about the child, and whether a place is kept."""
    if fact.item_on is not None:
        return fact.item_on, True
    days = [one.held_on for one in coming if one.state != "frozen"]
    following = days[0] if days else None
    review = fact.review_on or _review_day(fact, days)
    if following is not None and (fact.waits or _is_overdue(fact, following)):
        return following, review == following and not fact.waits
    return review, True


def _review_day(fact: _Before, days: Sequence[date]) -> date | None:
    if fact.last_discussed_on is None or fact.next_review_by is None:
        return None
    return review_place(fact.last_discussed_on, fact.next_review_by, days).meeting


def _is_overdue(fact: _Before, following: date) -> bool:
    """Whether no meeting is left before the review was due: the next one there is must do."""
    return (
        fact.review_on is None
        and fact.next_review_by is not None
        and fact.next_review_by < following
    )


def _open_for_words(
    rhythm: Rhythm, coming: Sequence[MeetingDay], frozen: set[date], on: date | None, today: date
) -> date | None:
    return next(
        (
            one.held_on
            for one in coming
            if on is not None
            and one.held_on >= on
            and one.held_on not in frozen
            and today <= _close(rhythm, one.held_on)
        ),
        None,
    )


def _close(rhythm: Rhythm, day: date) -> date:
    return papers_close_on(day, settings_of(rhythm.panel).cut_off_working_days, rhythm.calendar)


class _Own(msgspec.Struct):
    id: UUID
    said_on: date
    meeting_on: date | None
    agency_id: UUID | None
    agency: str | None
    text: str | None


_OWN = """
SELECT json_build_object('id', w.id, 'said_on', w.said_on, 'meeting_on', m.held_on,
  'agency_id', w.author_agency_id, 'agency', g.name, 'text', encode(w.text, 'hex'))::text
FROM family_words w LEFT JOIN meeting m ON m.id = w.meeting_id AND m.state <> 'cancelled'
LEFT JOIN agency g ON g.id = w.author_agency_id
WHERE w.child_id = :child AND w.family_member_id = :viewer AND w.said_on IS NOT NULL
ORDER BY w.said_on DESC, w.id DESC LIMIT :most
"""
_READ_OWN = msgspec.json.Decoder(_Own)


async def own_words(access: Access, most: int = 5) -> list[OwnWords]:
    """What this viewer told the panel about the child, newest first; nobody else's words."""
    rows = await access.session.execute(
        text(_OWN), {"child": access.child_id, "viewer": access.viewer.id, "most": most}
    )
    words = []
    for (line,) in rows:
        one = _READ_OWN.decode(line)
        told = access.open_text(
            one.text,
            "family_words.text",
            one.id,
            Category.VIEWS,
            one.agency_id,
            access.viewer.id,
        )
        if told:
            words.append(OwnWords(one.said_on, one.meeting_on, one.agency or "", told))
    return words


async def asked_since(access: Access) -> date | None:
    """Since when the viewer was asked for their words and has not answered."""
    row = await _asking(access)
    return None if row is None else row.asked_on


async def tell_the_panel(access: Access, said: str) -> FamilyWords:
    """Keep what one of the family says themselves, for the first meeting that takes papers still.

    It is their own record, so it needs no say over the child's. It answers an asking of them that
    has no answer yet. Raises NotAllowed for anybody else, Invalid for nothing, NotFound where the
    child is before no panel.
    """
    if access.viewer.kind is not ViewerKind.FAMILY or not access.ties & OF_THE_FAMILY:
        raise NotAllowed("Only this child’s family can tell the panel something here.")
    if not said.strip():
        raise Invalid.because("said", "Write what the panel should know, or what you want to ask")
    before = await before_panel(access)
    if before is None:
        raise NotFound("No panel is to talk about this child, so nobody would read it here.")
    meeting_id = await _meeting_for(access.session, before)
    row = await _asking(access)
    if row is None:
        row = FamilyWords(
            child_id=access.child_id,
            family_member_id=access.viewer.id,
            asked_on=access.today,
            asked_how=OWN_PAGE,
        )
        access.session.add(row)
    row.meeting_id, row.said_on, row.text = meeting_id, access.today, said.strip()
    await access.session.flush()
    return row


async def _meeting_for(session: AsyncSession, before: BeforePanel) -> UUID | None:
    if before.words_for is None:
        return None
    panel = await session.get_one(Panel, before.panel_id)
    return (await meeting_on(session, panel, before.words_for)).id


async def _asking(access: Access) -> FamilyWords | None:
    found: FamilyWords | None = await access.session.scalar(
        select(FamilyWords)
        .where(
            FamilyWords.child_id == access.child_id,
            FamilyWords.family_member_id == access.viewer.id,
            FamilyWords.said_on.is_(None),
        )
        .order_by(FamilyWords.asked_on.desc(), FamilyWords.id.desc())
        .limit(1)
    )
    return found
