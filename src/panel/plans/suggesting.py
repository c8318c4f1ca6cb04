"""Who could lead for a child, with what speaks for each: never a score, and a person decides.

The family's word comes first, then who is below the limit, then who works with the child the
longest and did most. Each reason is said in words beside the name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from panel.accounts.service import worker_names
from panel.plans.caseload import Load
from panel.plans.leads import Candidate, candidates
from panel.plans.models import LeadWish
from panel.platform.problems import Invalid
from panel.records.gate import Access
from panel.web.words import plural, short_day

MOST_SUGGESTED = 3


@dataclass(frozen=True, slots=True)
class Known:
    """How well a worker knows the family, as the record tells: dates and counts."""

    since: date | None = None
    """Since when they are in the child's team without a break."""
    assessments: int = 0
    actions_done: int = 0
    meetings: int = 0
    """At how many meetings they spoke about the child."""
    led_before: int = 0
    """For how many stretches they led before."""


NOT_KNOWN = Known()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Somebody who could lead, and what speaks for and against it."""

    candidate: Candidate
    reasons: tuple[str, ...]
    is_wished: bool
    load: Load | None
    known: Known = field(default=NOT_KNOWN)

    @property
    def is_full(self) -> bool:
        """Whether they hold as many plans as the limit says, or more."""
        return self.load is not None and self.load.is_full


@dataclass(frozen=True, slots=True)
class Wish:
    """Whom the family would like, as they said it. Words None: not shown."""

    worker_id: UUID | None
    worker: str
    said_on: date
    said_by: str
    words: str | None


_KNOWN = """
SELECT w.id,
  (SELECT min(i.from_on) FROM involvement i WHERE i.child_id = :child AND i.worker_id = w.id
     AND i.from_on <= :today AND (i.until_on IS NULL OR i.until_on >= :today)) AS since,
  (SELECT count(*) FROM assessment s WHERE s.child_id = :child AND s.author_id = w.id
     AND s.state = 'signed_off') AS assessments,
  (SELECT count(*) FROM action t WHERE t.child_id = :child AND t.owner_worker_id = w.id
     AND t.state = 'done') AS actions_done,
  (SELECT count(DISTINCT d.meeting_id) FROM discussion d WHERE d.child_id = :child
     AND d.worker_id = w.id AND d.taken_back_at IS NULL) AS meetings,
  (SELECT count(*) FROM lead_professional l WHERE l.child_id = :child AND l.worker_id = w.id
     AND l.state = 'ended' AND l.until_on < :today) AS led_before
FROM worker w WHERE w.id = ANY(:workers)
"""


async def known_by(
    session: AsyncSession, child_id: UUID, workers: Sequence[UUID], today: date
) -> dict[UUID, Known]:
    """How well each of these workers knows a child's family."""
    rows = await session.execute(
        text(_KNOWN), {"child": child_id, "workers": list(workers), "today": today}
    )
    return {
        row.id: Known(row.since, row.assessments, row.actions_done, row.meetings, row.led_before)
        for row in rows
    }


async def suggestions(
    access: Access, held: Mapping[UUID, Load], wish: Wish | None
) -> Sequence[Suggestion]:
    """Everybody who could lead and stays, whom most speaks for first.

    `held` says what each holds already, of every child; somebody of whom it is not known is
    suggested without it.
    """
    people = [one for one in await candidates(access) if one.leaves_on is None]
    known = await known_by(
        access.session, access.child_id, [one.worker_id for one in people], access.today
    )
    found = [
        suggestion(
            one,
            known.get(one.worker_id, NOT_KNOWN),
            held.get(one.worker_id),
            wish if wish is not None and wish.worker_id == one.worker_id else None,
            access.today,
        )
        for one in people
    ]
    return sorted(found, key=_order)


def _order(one: Suggestion) -> tuple[bool, bool, date, int, int, str]:
    """Whom the family wishes, who has room, who knows them longest, who did most, who has most."""
    known, room = one.known, 0 if one.load is None else one.load.plans
    done = known.led_before + known.assessments + known.actions_done + known.meetings
    return (
        not one.is_wished,
        one.is_full,
        known.since or date.max,
        -done,
        room,
        one.candidate.name,
    )


def suggestion(
    one: Candidate, known: Known, load: Load | None, wish: Wish | None, today: date
) -> Suggestion:
    """What speaks for somebody, in words."""
    reasons = []
    if wish is not None:
        reasons.append(
            f"The family would like them: “{wish.words}”" if wish.words else "The family’s wish"
        )
    if known.since is not None:
        reasons.append(
            f"Works with the child since {short_day(known.since)} ({_length(known.since, today)})"
        )
    if known.led_before:
        reasons.append("Led for the child before")
    if known.assessments:
        reasons.append(f"Wrote {plural(known.assessments, 'assessment')}")
    if known.actions_done:
        reasons.append(f"Did {plural(known.actions_done, 'action')} of the plan")
    if known.meetings:
        reasons.append(f"Spoke about the child at {plural(known.meetings, 'meeting')}")
    if load is not None:
        reasons.append(load_words(load))
    return Suggestion(one, tuple(reasons), wish is not None, load, known)


def load_words(load: Load) -> str:
    """What somebody holds, against the limit."""
    held = f"Holds {plural(load.plans, 'plan')}; the limit is {load.limit}"
    covers = f", and covers for {load.covers} more" if load.covers else ""
    return f"{held}{covers}{'. One more needs a reason' if load.is_full else ''}"


def _length(since: date, today: date) -> str:
    months = (today.year - since.year) * 12 + today.month - since.month
    months -= today.day < since.day
    if months < 1:
        return "less than a month"
    years, rest = divmod(months, 12)
    parts = [plural(years, "year")] if years else []
    parts += [plural(rest, "month")] if rest else []
    return " ".join(parts)


# The family's wish --------------------------------------------------------------------------------


async def wish_of_family(access: Access) -> Wish | None:
    """Whom the family would like now: what they said last. None where nothing is written down."""
    found = await access.session.execute(
        text(
            "SELECT id, worker_id, said_on, encode(said_by, 'hex') AS said_by,"
            " encode(words, 'hex') AS words FROM lead_wish WHERE child_id = :child"
            " ORDER BY said_on DESC, id DESC LIMIT 1"
        ),
        {"child": access.child_id},
    )
    row = found.one_or_none()
    if row is None:
        return None
    named = [] if row.worker_id is None else [row.worker_id]
    names = await worker_names(access.session, named)
    opened = access.open_text(row.words, "lead_wish.words", row.id, Category.VIEWS)
    by = access.open_text(row.said_by, "lead_wish.said_by", row.id, Category.VIEWS)
    return Wish(row.worker_id, names.get(row.worker_id, ""), row.said_on, by or "", opened)


async def note_wish(
    access: Access, *, worker_id: UUID | None, said_on: date, said_by: str, words: str
) -> None:
    """Write down whom the family would like. What they said before stays readable in its place.

    Raises Invalid for somebody who could not lead, and a day still to come.
    """
    access.require_write()
    if said_on > access.today:
        raise Invalid.because("said_on", "The date must be today or in the past")
    if worker_id is not None and worker_id not in {
        one.worker_id for one in await candidates(access)
    }:
        raise Invalid.because("wished_id", "Choose somebody from the list, or leave it empty")
    wish = LeadWish(child_id=access.child_id, worker_id=worker_id, said_on=said_on)
    wish.said_by, wish.words = said_by, words
    access.session.add(wish)
    await access.session.flush()
