"""Overdue actions chase their owner, then the manager: once each for each date, by e-mail.

The e-mail says that something is overdue and where to look: no child, no words, no name. What was
chased is kept beside the action, so that a job that dies and is done again tells nobody twice, and
so that the owner and the manager see on their first page that they were reminded. Where a new date
is set, it is chased by that date.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.figures import Figure, figures
from panel.plans.models import ActionChase
from panel.records.dates import working_days_after
from panel.sharing.noticing import Notice, put_notices
from panel.web.words import short_day

KIND = "action_overdue"
MOST_A_RUN = 2_000
"""Actions that one run looks at; what is left waits for the next."""
OWNER, MANAGER = "owner", "manager"


@dataclass(frozen=True, slots=True)
class ChaseAfter:
    """Working days after the day on which an action was due; settings named `plans.` and these."""

    owner_chase_working_days: int = 1
    manager_chase_working_days: int = 5


CHASE_FIGURES: Mapping[str, Figure] = {
    one.name: Figure(f"plans.{one.name}", getattr(ChaseAfter(), one.name), 1, 60)
    for one in fields(ChaseAfter)
}
"""By the name of the figure."""


async def chase_after(session: AsyncSession) -> ChaseAfter:
    """How long the authority waits now."""
    said = await figures(session, CHASE_FIGURES.values())
    return ChaseAfter(**{name: said[one.key] for name, one in CHASE_FIGURES.items()})


@dataclass(frozen=True, slots=True)
class Overdue:
    """An open action after its date, and who was chased about it by that date."""

    action_id: UUID
    child_id: UUID
    due_on: date
    owner_id: UUID
    manager_id: UUID | None
    """The manager of the owner's agency; None where there is none, or it is the owner."""
    chased: frozenset[str]


@dataclass(frozen=True, slots=True)
class Chase:
    """Somebody to remind of an action."""

    overdue: Overdue
    step: str
    to: UUID

    @property
    def once(self) -> str:
        """What names this reminder, so that it goes in once."""
        return f"{KIND} {self.overdue.action_id} {self.overdue.due_on} {self.step}"


def to_chase(overdue: Iterable[Overdue], after: ChaseAfter, today: date) -> list[Chase]:
    """Whom to remind today: each step once, on the working day on which it falls or later."""
    found: list[Chase] = []
    for one in overdue:
        steps = (
            (OWNER, after.owner_chase_working_days, one.owner_id),
            (MANAGER, after.manager_chase_working_days, one.manager_id),
        )
        found.extend(
            Chase(one, step, to)
            for step, days, to in steps
            if to is not None
            and step not in one.chased
            and working_days_after(one.due_on, days) <= today
        )
    return found


# Whoever does not work here any more is reminded of nothing: their actions are handed on.
_OVERDUE = """
SELECT t.id AS action_id, t.child_id, t.due_on, w.id AS owner_id,
  (SELECT m.id FROM worker m JOIN worker_role r ON r.worker_id = m.id AND r.role = 'manager'
    WHERE m.agency_id = w.agency_id AND m.id <> w.id
      AND (m.from_on IS NULL OR m.from_on <= :today)
      AND (m.until_on IS NULL OR m.until_on >= :today)
      AND (r.from_on IS NULL OR r.from_on <= :today)
      AND (r.until_on IS NULL OR r.until_on >= :today)
    ORDER BY r.from_on NULLS FIRST, r.id LIMIT 1) AS manager_id,
  ARRAY(SELECT x.step FROM action_chase x
    WHERE x.action_id = t.id AND x.due_on = t.due_on) AS chased
FROM action t JOIN worker w ON w.id = t.owner_worker_id LEFT JOIN plan p ON p.id = t.plan_id
WHERE t.state IN ('to_do', 'doing') AND t.due_on < :latest AND t.due_on >= :earliest
  AND (p.id IS NULL OR p.state = 'agreed')
  AND (w.until_on IS NULL OR w.until_on >= :today)
  AND (SELECT count(*) FROM action_chase x WHERE x.action_id = t.id AND x.due_on = t.due_on) < 2
ORDER BY t.due_on DESC, t.id LIMIT :most
"""
TOLD_FOR = timedelta(days=90)
"""How long after its date an action is chased at all, where jobs stood still or it came from a list
brought in: after that it is a matter for the watch, not for a reminder."""


async def chase_overdue(session: AsyncSession, today: date, site_url: str) -> int:
    """Remind whoever is to be reminded today. For a job; returns how many reminders were kept."""
    found = await session.execute(
        text(_OVERDUE),
        {
            "today": today,
            "latest": today,
            "earliest": today - TOLD_FOR,
            "most": MOST_A_RUN,
        },
    )
    overdue = [
        Overdue(
            row.action_id,
            row.child_id,
            row.due_on,
            row.owner_id,
            row.manager_id,
            frozenset(row.chased),
        )
        for row in found
    ]
    chases = to_chase(overdue, await chase_after(session), today)
    await put_notices(session, [_notice(one) for one in chases], site_url)
    session.add_all(_row(one, today) for one in chases)
    await session.flush()
    return len(chases)


def _notice(one: Chase) -> Notice:
    due = short_day(one.overdue.due_on)
    if one.step == OWNER:
        subject = "Something you are asked to do is overdue"
        says = f"Something you are asked to do was due on {due}. Please do it, or set a new date."
    else:
        subject = "Something a colleague is asked to do is overdue"
        says = (
            f"Something that somebody in your agency is asked to do was due on {due}, and they were"
            " reminded. Please see with them what stands in the way."
        )
    return Notice(
        kind=KIND,
        once=one.once,
        to=one.to,
        subject=subject,
        says=f"{says} It is in the list of what you are asked to do, where you may see it.",
        child_id=one.overdue.child_id,
        path="/#my-actions",
    )


def _row(one: Chase, today: date) -> ActionChase:
    return ActionChase(
        child_id=one.overdue.child_id,
        action_id=one.overdue.action_id,
        due_on=one.overdue.due_on,
        step=one.step,
        worker_id=one.to,
        on=today,
    )


def chased_words(chased: Sequence[tuple[str, date]]) -> str:
    """What a list says of the reminders about one action: (step, day), in their order."""
    said = {OWNER: "reminded", MANAGER: "passed on to the manager"}
    words = [f"{said[step]} {short_day(on)}" for step, on in chased]
    return ", ".join(words)
