"""Closing a case: with a reason, what happens next, and nothing open left without an owner.

`close_case` is for a person with the record open; `end_case` is what it and scheduled work have
in common. Both leave the record as it is: whoever may reads it as before, and one step reopens it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Tie
from panel.accounts.models import Worker
from panel.allocation.models import ServiceRequest
from panel.allocation.rules import RequestState
from panel.casework.closing_models import CaseClosure
from panel.casework.models import Transition
from panel.panels.leavers import whoever_runs_it
from panel.panels.models import Panel, Referral
from panel.panels.referrals import takes_referrals
from panel.plans.leads import begin
from panel.plans.models import Action, LeadProfessional
from panel.plans.service import begin_again, end_with_case
from panel.plans.writing import lock_child
from panel.platform.problems import Clash, Conflict, FieldError, Invalid, NotAllowed, NotFound
from panel.platform.tables import VIEWER, today_of
from panel.platform.tenancy import load_keys
from panel.records.gate import Access, rewrite_access
from panel.register.models import Episode
from panel.register.service import (
    CLOSURE_WORDS,
    close_episode,
    judge_level,
    open_episode_of,
    reopen_episode,
)

MAY_CLOSE = frozenset({Tie.PANEL, Tie.LEAD, Tie.MANAGER})
NOT_YOURS = "Only the lead professional, their manager or the coordinator closes a case."
ASK_THEM = "Ask one of them."


@dataclass(frozen=True, slots=True)
class OpenThing:
    """Something that a closed case would leave behind, without its words."""

    kind: str
    """"action", "request" or "transition"."""
    id: UUID
    due_on: date | None
    owner_id: UUID | None
    """The worker who sees to it."""
    has_owner: bool
    """Also where it is one of the family, by their words."""


async def open_things(session: AsyncSession, child_id: UUID) -> Sequence[OpenThing]:
    """What is open about a child: process facts alone, nothing is opened. Earliest day first."""
    found = [
        *await _open_actions(session, child_id),
        *await _open_requests(session, child_id),
        *await _open_changes(session, child_id),
    ]
    return sorted(found, key=lambda one: (one.due_on or date.max, one.id))


async def _open_actions(session: AsyncSession, child_id: UUID) -> list[OpenThing]:
    is_of_the_family = Action.__table__.c.owner_words.is_not(None)
    rows = await session.execute(
        select(Action.id, Action.due_on, Action.owner_worker_id, is_of_the_family).where(
            Action.child_id == child_id,
            Action.state.in_(("to_do", "doing")),
            Action.moved_away_at.is_(None),
        )
    )
    return [
        OpenThing("action", action_id, due_on, owner_id, owner_id is not None or has_words)
        for action_id, due_on, owner_id, has_words in rows
    ]


async def _open_requests(session: AsyncSession, child_id: UUID) -> list[OpenThing]:
    rows = await session.scalars(
        select(ServiceRequest).where(
            ServiceRequest.child_id == child_id,
            ServiceRequest.state.in_((RequestState.DRAFT.value, RequestState.SENT.value)),
        )
    )
    return [OpenThing("request", one.id, None, one.created_by, has_owner=True) for one in rows]


async def _open_changes(session: AsyncSession, child_id: UUID) -> list[OpenThing]:
    rows = await session.scalars(
        select(Transition).where(
            Transition.child_id == child_id, Transition.state.in_(("watched", "planned"))
        )
    )
    return [
        OpenThing(
            "transition",
            one.id,
            one.due_on,
            one.owner_worker_id,
            has_owner=one.owner_worker_id is not None,
        )
        for one in rows
        # What the dates alone brought, and nobody took on, ends with the case.
        if one.owner_worker_id is not None or one.state == "planned"
    ]


async def close_case(
    access: Access,
    *,
    reason: str,
    what_next: str,
    left_with: str = "",
    level: str = "",
    told_family_on: date | None = None,
) -> CaseClosure:
    """Close the case today, by who may.

    Args: `level` is judged with it where it is given; `left_with` says who sees to what is open.
    Raises NotAllowed, Invalid where something open has no owner or nobody is named for it.
    """
    if not access.ties & MAY_CLOSE:
        raise NotAllowed(NOT_YOURS, ASK_THEM)
    access.require_write()
    mistakes = []
    if reason not in CLOSURE_WORDS:
        mistakes.append(FieldError("reason", "Select why the case is closed"))
    if not what_next.strip():
        mistakes.append(FieldError("what_next", "Say what happens next: the family reads it"))
    if told_family_on is not None and told_family_on > access.today:
        mistakes.append(FieldError("told_family_on", "The day must be today or in the past"))
    mistakes += _left_behind(await open_things(access.session, access.child_id), left_with)
    if mistakes:
        raise Invalid(tuple(mistakes))
    if level:
        await judge_level(
            access.session,
            access.child_id,
            level=level,
            judged_on=access.today,
            judged_by=access.viewer.id,
        )
    return await end_case(
        access.session,
        access.child_id,
        access.today,
        reason=reason,
        what_next=what_next,
        left_with=left_with,
        told_family_on=told_family_on,
    )


def _left_behind(things: Sequence[OpenThing], left_with: str) -> list[FieldError]:
    ownerless = [one for one in things if not one.has_owner]
    if ownerless:
        number = len(ownerless)
        said = "One thing that is open has" if number == 1 else f"{number} open things have"
        return [FieldError("left_with", f"{said} no owner. Name one first, or end it")]
    if things and not left_with.strip():
        return [FieldError("left_with", "Say who sees to what is still open")]
    return []


async def end_case(
    session: AsyncSession,
    child_id: UUID,
    on: date,
    *,
    reason: str,
    what_next: str,
    left_with: str = "",
    told_family_on: date | None = None,
) -> CaseClosure:
    """The episode, the panels' referrals and the lead professional end on a day, in one step.

    Nobody is asked whether they may: the caller has seen to that. Raises Invalid where no episode
    is open.
    """
    await lock_child(session, child_id)
    await load_keys(session, {child_id})
    episode = await close_episode(session, child_id, on, reason)
    await _put_aside(session, episode.id, on)
    closure = CaseClosure(
        child_id=child_id,
        episode_id=episode.id,
        reason=reason,
        closed_on=on,
        level_then=episode.level_at_start,
        level_now=episode.level_at_closure,
        told_family_on=told_family_on,
    )
    closure.what_next, closure.left_with = what_next.strip(), left_with.strip()
    session.add(closure)
    await _off_the_panels(session, child_id)
    await end_with_case(session, child_id, on)
    await session.flush()
    await rewrite_access(session, child_id)
    return closure


async def _put_aside(session: AsyncSession, episode_id: UUID, on: date) -> None:
    """A closing that a new referral overtook says that the case had gone on."""
    earlier = await session.scalars(
        select(CaseClosure).where(
            CaseClosure.episode_id == episode_id, CaseClosure.reopened_on.is_(None)
        )
    )
    for one in earlier:
        one.reopened_on = on
    await session.flush()


async def _off_the_panels(session: AsyncSession, child_id: UUID) -> None:
    rows = await session.execute(
        select(Referral, Panel)
        .join(Panel, Panel.id == Referral.panel_id)
        .where(Referral.child_id == child_id, Referral.state != "closed")
    )
    for referral, panel in rows:
        # A panel that decides keeps what was asked of it until it is decided or taken back.
        if takes_referrals(panel):
            referral.state = "closed"
    await session.flush()


# Again --------------------------------------------------------------------------------------------


async def last_closure(session: AsyncSession, child_id: UUID) -> CaseClosure | None:
    """How the case was closed last, as long as it is closed."""
    return await session.scalar(
        select(CaseClosure)
        .join(Episode, Episode.id == CaseClosure.episode_id)
        .where(
            CaseClosure.child_id == child_id,
            CaseClosure.reopened_on.is_(None),
            Episode.closed_on.is_not(None),
        )
        .order_by(CaseClosure.closed_on.desc(), CaseClosure.id.desc())
        .limit(1)
    )


async def reopen_case(access: Access, closure_id: UUID, version: int, because: str) -> CaseClosure:
    """The case goes on as if it had not been closed, but for the days between.

    Who held the plan holds it again from today where they still work here; else whoever reopens it.
    Raises NotAllowed, NotFound, Conflict, Invalid.
    """
    if not access.ties & (MAY_CLOSE | {Tie.TEAM}):
        raise NotAllowed(NOT_YOURS, ASK_THEM)
    access.require_write()
    row = await access.session.get(CaseClosure, closure_id, with_for_update=True)
    if row is None or row.child_id != access.child_id:
        raise NotFound("There is no such closing.", "Load the page again.")
    if row.version != version or row.reopened_on is not None:
        raise Conflict((Clash("The case", "Reopen it", "Somebody reopened it already"),))
    if row.reason == "died":
        raise Invalid.because("because", "A case is not reopened for a child who died")
    if not because.strip():
        raise Invalid.because("because", "Say why the case is reopened")
    return await reopen(access.session, row, because)


async def reopen(session: AsyncSession, row: CaseClosure, because: str) -> CaseClosure:
    """As `reopen_case`, where the caller has seen to who may."""
    await lock_child(session, row.child_id)
    episode = await session.get_one(Episode, row.episode_id)
    await reopen_episode(session, episode)
    today = today_of(session)
    row.reopened_on, row.reopened_because = today, because.strip()
    await _lead_again(session, row.child_id, today)
    await session.flush()
    await rewrite_access(session, row.child_id)
    return row


async def _lead_again(session: AsyncSession, child_id: UUID, today: date) -> None:
    """Who held the plan holds it again; else their manager, whoever reopens, who runs the panel."""

    async def whoever_reopens(here: AsyncSession, child: UUID, day: date) -> UUID | None:
        worker = await _reopener(here)
        return await whoever_runs_it(here, child, day) if worker is None else worker.id

    holder = await begin_again(session, child_id, today, whoever_reopens)
    worker = await _reopener(session)
    if holder is None and worker is not None:
        await name_lead(session, child_id, worker, today)


async def _reopener(session: AsyncSession) -> Worker | None:
    """The worker who reopens, where they stay."""
    worker = await session.get(Worker, session.info[VIEWER])
    return worker if worker is not None and worker.until_on is None else None


async def name_lead(session: AsyncSession, child_id: UUID, worker: Worker, on: date) -> None:
    """A worker holds the plan from a day on, without an offer; whoever did ends the day before."""
    lead = LeadProfessional(
        child_id=child_id,
        worker_id=worker.id,
        agency_id=worker.agency_id,
        offered_on=on,
        offered_by=session.info[VIEWER],
    )
    await begin(session, lead, on)


async def is_open(session: AsyncSession, child_id: UUID) -> bool:
    """Whether the child's case is open."""
    return await open_episode_of(session, child_id) is not None
