"""Requests, copies, holds and a disposal line of every crawled child: all of them over."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.models import Worker
from panel.governance.retention_models import DisposalLine, DisposalList, LegalHold
from panel.governance.rights_models import AccessFile, Correction, Redaction, RightRequest
from panel.records.restricted_use import ProcessingRestriction
from panel.register.models import Child


class HasWorkers(Protocol):
    """The workers of the crawl, by the name in their address."""

    workers: dict[str, Worker]


async def own_data(session: AsyncSession, world: HasWorkers, child: UUID, mother: UUID) -> None:
    """A row of each table. The request was answered, so it ties nobody to the child."""
    now: datetime = session.info["now"]
    today = now.date()
    lead = next(iter(world.workers.values())).id
    before = today - timedelta(days=40)
    reference = await session.scalar(select(Child.reference).where(Child.id == child)) or ""
    about: Mapping[str, Any] = {"child_id": child}
    request = RightRequest(
        **about, reference=reference, kind="access", received_on=before, who="A letter",
        about="All", asker_id=mother, proof="Seen", stops=[], extended_on=before,
        extended_why="Much of it", answered_on=before, outcome="done_in_part", outcome_why="Others",
    )  # fmt: skip
    session.add(request)
    await session.flush()
    copy = AccessFile(
        **about, request_id=request.id, asker_id=mother, number=1, state="handed_out",
        for_lead=lead, gathered_at=now, pieces="[]", made="-", handed_out_at=now,
        handed_out_by=mother,
    )  # fmt: skip
    session.add(copy)
    await session.flush()
    listed = await session.scalar(select(DisposalList).where(DisposalList.number == 1))
    if listed is None:
        listed = DisposalList(number=1, proposed_on=before, state="done", done_at=now)
        session.add(listed)
        await session.flush()
    session.add_all([
        Redaction(
            **about, file_id=copy.id, piece="action:x:text", words="Somebody", because="safety",
            takes_out=True, exemption="serious_harm", reason="Harm", decided_by=lead,
            decided_at=now, second_agrees=True, second_by=mother, second_at=now, second_note="Yes",
        ),
        Correction(
            **about, request_id=request.id, asked="It is wrong", state="refused",
            field="action.text", row_id=child, before="So", after="Thus", reason="It is right",
            statement="It is not", answered_by=lead, answered_on=before,
        ),
        ProcessingRestriction(
            **about, request_id=request.id, from_on=before, why="Disputed", ended_on=before,
            ended_by=lead, ended_why="Settled",
        ),
        LegalHold(
            **about, reference=reference, from_on=before, why="A claim", released_on=before,
            released_by=lead, released_why="Settled",
        ),
        DisposalLine(
            **about, list_id=listed.id, reference=reference, closed_on=before, due_on=before,
            decision="keep", keep_why="Of history", decided_by=lead,
        ),
    ])  # fmt: skip
