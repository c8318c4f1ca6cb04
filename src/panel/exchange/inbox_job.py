"""What was kept and never taken in, since whoever was to do it died: taken in by scheduled work."""

from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from consent import Viewer, ViewerKind
from interop.incoming.taking_apart import OUR_FAULT
from panel.accounts.models import Agency
from panel.exchange.inbox_models import Received
from panel.exchange.inbox_opening import opened_again
from panel.exchange.inbox_superseded import AS_IT_COMES
from panel.exchange.inbox_taking import take_in
from panel.exchange.landing import FETCHED
from panel.exchange.models import ExchangeClient
from panel.platform.problems import Problem
from panel.platform.tables import NOW
from panel.records.child_scoped import JOB
from panel.records.gate import Gate

log = structlog.get_logger()

LEFT = AS_IT_COMES
MOST = 100
TRIES = 3
ANSWERED = ("transaction", "batch", "resource")
"""Kinds whose sender waits for an answer and, without one, sends them again."""
SENT_AGAIN = "Its sender had no answer, and sends it again."


async def take_in_what_is_left(gate: Gate) -> int:
    """Take in documents and messages that were only kept; how many.

    Each in a transaction of its own, as its client: what a client does not reach is not matched.
    What its sender waits for the answer of is left to be sent again: to do it twice is worse.
    """
    async with gate.tenant.transaction(JOB) as session:
        before = session.info[NOW] - LEFT
        rows = await session.execute(
            select(Received.id, Received.client_id, Received.agency_id, Agency.kind)
            .join(ExchangeClient, ExchangeClient.id == Received.client_id)
            .join(Agency, Agency.id == Received.agency_id)
            .where(Received.state == "new", Received.created_at < before)
            .order_by(Received.created_at, Received.id)
            .limit(MOST)
        )
        left = [
            (row.id, Viewer(row.client_id, ViewerKind.CLIENT, row.agency_id, row.kind))
            for row in rows
        ]
    for received_id, viewer in left:
        try:
            await _take_in(gate, received_id, viewer)
        except (SQLAlchemyError, Problem, ValueError, LookupError, TypeError) as error:
            # What cannot be taken in holds up nothing that came after it.
            log.warning("could not take in", received=str(received_id), kind=type(error).__name__)
            await _failed(gate, received_id)
    return len(left)


async def _failed(gate: Gate, received_id: UUID) -> None:
    """Try it again later; after some tries, a person looks at it."""
    async with gate.tenant.transaction(JOB) as session:
        row = await session.get_one(Received, received_id, with_for_update=True)
        row.tries += 1
        if row.tries >= TRIES:
            row.state, row.reason = "quarantined", OUR_FAULT


async def _take_in(gate: Gate, received_id: UUID, viewer: Viewer) -> None:
    async with gate.tenant.transaction(viewer.id) as session:
        row = await session.scalar(
            select(Received)
            .where(Received.id == received_id, Received.state == "new")
            .with_for_update(skip_locked=True)
        )
        if row is None:
            return
        opened_ = await opened_again(session, row)
        if opened_.parsed.kind in ANSWERED and row.asked != FETCHED:
            row.kind, row.state, row.reason = opened_.parsed.kind, "refused", SENT_AGAIN
            return
        await take_in(gate, session, viewer, row, opened_)
