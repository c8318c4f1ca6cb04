"""What a person decides about what was received: whom it is about, and whether to try it again."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Viewer
from panel.exchange.inbox_models import Received, ReceivedPiece
from panel.exchange.inbox_notifications import refer_notified
from panel.exchange.inbox_opening import Opened, opened_again
from panel.exchange.inbox_taking import Taken, piece_rows, settle, take_for, take_in
from panel.panels.models import Panel
from panel.panels.referring import refer_from_outside
from panel.platform.problems import Clash, Conflict, Invalid, NotFound
from panel.platform.tables import today_of
from panel.records.gate import Access, Gate
from panel.register.service import NewChild, add_involvement, open_record

REFERRED = "Sent by another system."
NOT_HERE = "There is nothing here that was received, or it is not yours to see."


async def received_row(session: AsyncSession, received_id: UUID) -> Received:
    """What was received, held for this transaction. Raises NotFound."""
    row = await session.get(Received, received_id, with_for_update=True)
    if row is None:
        raise NotFound(NOT_HERE, "Go back to the inbox.")
    return row


async def _to_match(
    session: AsyncSession, received_id: UUID, about: int, version: int
) -> tuple[Received, Opened, Mapping[str, ReceivedPiece]]:
    row = await received_row(session, received_id)
    if row.version != version:
        raise Conflict((Clash("Whom it is about", "Your answer", "Somebody answered already"),))
    if row.state != "to_match":
        raise Invalid.because("child", "It was decided already whom this is about")
    opened_ = await opened_again(session, row)
    if not 0 <= about < len(opened_.subjects.meant):
        raise NotFound(NOT_HERE, "Go back to the inbox.")
    return row, opened_, await piece_rows(session, row, opened_)


def _of(opened_: Opened, about: int) -> Iterable[str]:
    return (path for path, number in opened_.subjects.about.items() if number == about)


async def this_child(
    access: Access, received_id: UUID, about: int, version: int, panel: Panel | None = None
) -> Taken:
    """Somebody who reaches the child says that it is about this child.

    A notification under section 23 is referred to `panel`. Raises Conflict where somebody decided
    meanwhile, NotAllowed for who may only read the record.
    """
    access.require_write()
    row, opened_, rows = await _to_match(access.session, received_id, about, version)
    paths = set(_of(opened_, about))
    mine = [one for one in opened_.pieces if one.path in paths]
    taken = await take_for(access, row, opened_, rows, mine, panel)
    await settle(access.session, row, opened_, rows.values(), taken.offers)
    return taken


async def not_ours(session: AsyncSession, received_id: UUID, about: int, version: int) -> None:
    """Whoever it is about is none of the authority's children: nothing is made of it."""
    row, opened_, rows = await _to_match(session, received_id, about, version)
    for path in _of(opened_, about):
        rows[path].state = "not_ours"
        rows[path].reason = rows[path].reason_path = None
    await settle(session, row, opened_, rows.values())


async def new_child(
    session: AsyncSession, received_id: UUID, about: int, version: int, panel: Panel, new: NewChild
) -> UUID:
    """Register the child whom it is about, put before the panel, its sender's agency involved.

    The caller has looked for a child who is here already, and then opens the new record to say
    that it is about this child (`this_child`).
    """
    row, opened_, _rows = await _to_match(session, received_id, about, version)
    today = today_of(session)
    notifications = [
        found
        for path in _of(opened_, about)
        if (found := opened_.notifications.get(path)) is not None
    ]
    child = await open_record(session, new)
    # The referral first: it is what ties the panel to the record, and lets it write the rest.
    await refer_from_outside(
        session,
        child.id,
        panel,
        way="system",
        referred_on=today,
        agency_id=row.agency_id,
        reason=next((one.opinion for one in notifications if one.opinion), REFERRED),
        category=Category.HEALTH,
    )
    for one in notifications:
        await refer_notified(session, child.id, panel, row.agency_id, one)
    await add_involvement(session, child.id, agency_id=row.agency_id, from_on=today)
    return child.id


async def try_again(gate: Gate, session: AsyncSession, viewer: Viewer, received_id: UUID) -> Taken:
    """Take in anew what was quarantined, by the rules of today. Raises Invalid where nothing is."""
    row = await received_row(session, received_id)
    if row.state not in ("quarantined", "new", "to_match"):
        raise Invalid.because("received", "Nothing of this waits to be tried again")
    return await take_in(gate, session, viewer, row, await opened_again(session, row))


async def waiting(session: AsyncSession) -> list[tuple[UUID, UUID]]:
    """(what was received, its client) that was kept and never taken in, oldest first."""
    rows = await session.execute(
        select(Received.id, Received.client_id)
        .where(Received.state == "new")
        .order_by(Received.created_at, Received.id)
        .limit(100)
    )
    return [(row.id, row.client_id) for row in rows]
