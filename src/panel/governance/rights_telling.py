"""Notices about corrections: that one is asked, and how one ended. For a job, each put in once.

A notice says that something waits and where, never whose record it is or what is said to be wrong.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.sharing.noticing import LEADS, TOLD_FOR, Notice, put_notices, workers_of

ASKED, DECIDED = "correction_asked", "correction_decided"
_CORRECTIONS = text(
    "SELECT id, child_id, request_id, state, answered_by FROM correction"
    " WHERE state = 'asked' OR answered_on >= :since ORDER BY id"
)
_ANSWERING = text(
    "SELECT DISTINCT worker_id FROM worker_role WHERE role = 'governance_lead'"
    " AND (from_on IS NULL OR from_on <= :today) AND (until_on IS NULL OR until_on >= :today)"
)


class _Asked(NamedTuple):
    id: UUID
    child_id: UUID
    request_id: UUID
    state: str
    answered_by: UUID | None


async def tell_of_corrections(session: AsyncSession, today: date, site_url: str) -> int:
    """Tell the lead professional what is asked to be put right, and what became of it.

    The information governance lead is told what became of it as well, who answers whoever asked;
    who decided it themselves is not. Returns how many notices went in.
    """
    found = await session.execute(_CORRECTIONS, {"since": today - TOLD_FOR})
    rows = [_Asked(*row) for row in found]
    if not rows:
        return 0
    leads = await workers_of(session, LEADS, {one.child_id for one in rows}, today)
    answering = list(await session.scalars(_ANSWERING, {"today": today}))
    return await put_notices(session, _notices(rows, leads, answering), site_url)


def _notices(
    rows: Iterable[_Asked], leads: dict[UUID, list[UUID]], answering: Collection[UUID]
) -> Iterator[Notice]:
    for one in rows:
        page = f"/children/{one.child_id}/corrections"
        if one.state == "asked":
            for worker in leads.get(one.child_id, ()):
                yield Notice(
                    kind=ASKED,
                    once=f"{ASKED} {one.id} {worker}",
                    to=worker,
                    subject="Something is said to be wrong in a record",
                    says="Somebody asked for something in a record to be put right. Please read"
                    " what they say, and correct it or say why not.",
                    child_id=one.child_id,
                    path=page,
                )
            continue
        told = dict.fromkeys(leads.get(one.child_id, ()), page)
        told |= dict.fromkeys(answering, f"/governance/requests/{one.request_id}")
        for worker, path in told.items():
            if worker != one.answered_by:
                yield Notice(
                    kind=DECIDED,
                    once=f"{DECIDED} {one.id} {worker}",
                    to=worker,
                    subject="What was said to be wrong is decided",
                    says="It is decided what somebody asked to be put right in a record. Read what"
                    " was done, and why.",
                    child_id=one.child_id,
                    path=path,
                )
