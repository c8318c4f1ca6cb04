"""What one step of work in bulk does, and how it is taken back. Each compares versions first.

A step runs within a savepoint: where it raises `Left`, nothing of it stays.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.casework.bulk_models import BulkStep, BulkWork
from panel.casework.closing import MAY_CLOSE, close_case, open_things, reopen
from panel.casework.closing_models import CaseClosure
from panel.panels.calendar import change_meeting
from panel.panels.models import Meeting, Panel, Referral
from panel.plans.models import LeadProfessional
from panel.plans.service import Given, NotGiven, give_plan, take_plan_back
from panel.platform.problems import Invalid, Problem
from panel.platform.tables import today_of
from panel.platform.tenancy import load_keys
from panel.records.gate import Access, rewrite_access
from panel.register.models import Episode
from panel.register.service import open_episode_of


class Left(Exception):
    """A step is left as it was; `code` is one of `bulk_rules.LEFT_WORDS`."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


# A plan to a colleague ----------------------------------------------------------------------------


async def give(access: Access, step: BulkStep) -> dict[str, Any]:
    """Give the plan on as it was rehearsed; the rows afterwards. Raises Left."""
    if not access.may_write:
        raise Left("read_only")
    before = step.before
    try:
        given = await give_plan(
            access, UUID(before["lead"]), before["version"], UUID(step.facts["to"])
        )
    except NotGiven as refused:
        raise Left(refused.code) from refused
    return {
        "lead": str(given.lead_id),
        "version": given.version,
        "actions": dict(given.actions),
        "joined": None if given.joined is None else str(given.joined),
    }


async def take_back(access: Access, step: BulkStep) -> None:
    """Whoever held the plan holds it again. Raises Left where something changed since."""
    if not access.may_write:
        raise Left("read_only")
    after = step.after
    joined = None if after["joined"] is None else UUID(after["joined"])
    given = Given(UUID(after["lead"]), after["version"], after["actions"], joined)
    try:
        await take_plan_back(access, given, UUID(step.before["worker"]))
    except NotGiven as refused:
        raise Left(refused.code) from refused


# A case is closed ---------------------------------------------------------------------------------

_ON_AGENDA = text(
    "SELECT 1 FROM agenda_item i JOIN meeting m ON m.id = i.meeting_id WHERE i.child_id = :child"
    " AND i.state = 'listed' AND m.state = 'frozen' AND m.held_on >= :today LIMIT 1"
)
TAKEN_BACK = "It was closed with others, and taken back"


async def close(access: Access, work: BulkWork, step: BulkStep) -> dict[str, Any]:
    """Close the case as it was rehearsed; the rows afterwards. Raises Left."""
    why, referrals = await why_not_closed(access, step.before)
    if why:
        raise Left(why)
    try:
        closure = await close_case(
            access,
            reason=work.facts["reason"],
            what_next=work.what_next,
            left_with=work.left_with,
        )
    except Invalid as refused:
        # All else was looked at: something open, and nobody is named who sees to it.
        raise Left("left_behind") from refused
    episode = await access.session.get_one(Episode, closure.episode_id)
    return {
        "closure": str(closure.id),
        "closure_version": closure.version,
        "episode": str(episode.id),
        "version": episode.version,
        "referrals": {str(row.id): row.version for row in referrals if row.state == "closed"},
    }


async def why_not_closed(access: Access, seen: Mapping[str, Any]) -> tuple[str, list[Referral]]:
    """Why a case cannot be closed in bulk (a code, "" where it can), and what is open of it."""
    session = access.session
    found = await session.scalars(
        select(Referral)
        .where(Referral.child_id == access.child_id, Referral.state != "closed")
        .order_by(Referral.id)
        .execution_options(populate_existing=True)
    )
    referrals = list(found)
    episode = await session.get(Episode, UUID(seen["episode"]), populate_existing=True)
    if episode is None or episode.child_id != access.child_id:
        return "not_open", referrals
    versions = {str(row.id): row.version for row in referrals}
    things = await open_things(session, access.child_id)
    given = {"child": access.child_id, "today": access.today}
    reasons = {
        "read_only": not access.may_write or not access.ties & MAY_CLOSE,
        "not_open": episode.closed_on is not None,
        "changed": episode.version != seen["version"] or versions != seen["referrals"],
        "on_agenda": await session.scalar(_ON_AGENDA, given) is not None,
        "no_owner": any(not one.has_owner for one in things),
    }
    return next((code for code, is_so in reasons.items() if is_so), ""), referrals


async def is_left_open(access: Access) -> int:
    """How much of a case is still open, which somebody is to see to: a count."""
    return len(await open_things(access.session, access.child_id))


async def reopen_closed(session: AsyncSession, step: BulkStep) -> None:
    """The case goes on, before the panels it was before. For scheduled work. Raises Left.

    Whoever closed it may not reach the child any more, and nothing of the record is read for it.
    """
    after = step.after
    closure = await session.get(CaseClosure, UUID(after["closure"]), populate_existing=True)
    episode = await session.get(Episode, UUID(after["episode"]), populate_existing=True)
    if closure is None or closure.version != after["closure_version"]:
        raise Left("changed")
    if episode is None or episode.version != after["version"]:
        raise Left("changed")
    found = await session.scalars(
        select(Referral)
        .where(Referral.child_id == episode.child_id)
        .execution_options(populate_existing=True)
    )
    rows = {str(row.id): row for row in found}
    again = any(row.state != "closed" and key in after["referrals"] for key, row in rows.items())
    if again or await open_episode_of(session, episode.child_id) is not None:
        raise Left("reopened")
    if any(rows[one].version != version for one, version in after["referrals"].items()):
        raise Left("changed")
    await load_keys(session, {episode.child_id})
    await reopen(session, closure, TAKEN_BACK)
    was: Mapping[str, Any] = step.before["states"]
    for one in after["referrals"]:
        rows[one].state = was[one]
    if step.before["has_lead"] and not await lead_from_today(session, episode.child_id):
        raise Left("no_lead")
    await rewrite_access(session, episode.child_id)


async def lead_from_today(session: AsyncSession, child_id: UUID) -> bool:
    """Whether somebody holds the plan today and on, without an end."""
    found = await session.scalar(
        select(LeadProfessional.id).where(
            LeadProfessional.child_id == child_id,
            LeadProfessional.state == "accepted",
            LeadProfessional.from_on <= today_of(session),
        )
    )
    return found is not None


# A meeting goes to another day --------------------------------------------------------------------


async def move(session: AsyncSession, work: BulkWork, step: BulkStep) -> dict[str, Any]:
    """Move a meeting as it was rehearsed; the row afterwards. Raises Left."""
    return await _moved(session, work, step, step.before["version"], step.facts["to"])


async def move_back(session: AsyncSession, work: BulkWork, step: BulkStep) -> None:
    """The meeting goes to the day on which it was. Raises Left where it changed since."""
    await _moved(session, work, step, step.after["version"], step.before["on"])


async def _moved(
    session: AsyncSession, work: BulkWork, step: BulkStep, version: int, to: str
) -> dict[str, Any]:
    panel = await session.get_one(Panel, UUID(work.facts["panel"]))
    meeting = await session.get_one(Meeting, step.meeting_id, populate_existing=True)
    if meeting.version != version:
        raise Left("changed")
    try:
        await change_meeting(
            session, panel, meeting, date.fromisoformat(to), work.why, meeting.version
        )
    except Invalid as refused:
        raise Left("day") from refused
    except Problem as refused:
        raise Left("held") from refused
    return {"version": meeting.version, "on": meeting.held_on.isoformat()}
