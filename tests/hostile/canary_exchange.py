"""What a health body's system sent of each crawled child: its own record, and an offer."""

from collections.abc import Iterable, Mapping
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from panel.accounts.models import Agency
from panel.exchange.inbox_models import (
    CONTENT_FIELD,
    RAW_FIELD,
    Proposal,
    Received,
    ReceivedPiece,
    SenderVersion,
)
from panel.exchange.inbox_receiving import keys_of
from panel.exchange.models import ExchangeClient
from panel.register.models import Child

ABOUT = (Category.HEALTH, Category.PLAN, Category.SAFEGUARDING, Category.FAMILY)


async def sent_by_systems(
    session: AsyncSession, agencies: Mapping[str, Agency], children: Iterable[UUID]
) -> None:
    """One thing sent about each child, of one category after the other, and one field offered."""
    agency = next(one for one in agencies.values() if one.kind == "health")
    client = ExchangeClient(
        key="canary", name="A hospital", agency_id=agency.id, scopes=["system/*.cruds"],
        purposes=["exchange"], jwks={"keys": []}, from_on=date(2026, 9, 1),
    )  # fmt: skip
    session.add(client)
    await session.flush()
    for place, child in enumerate(children):
        await _sent(session, client, child, ABOUT[place % len(ABOUT)])


async def _sent(
    session: AsyncSession, client: ExchangeClient, child_id: UUID, category: Category
) -> None:
    keys = await keys_of(session, child_id)
    whose = {"client_id": client.id, "agency_id": client.agency_id, "holder_id": child_id}
    received = Received(
        **whose, asked="POST Condition", kind="resource", content_index=child_id.bytes,
        bytes_long=2, state="offered",
    )  # fmt: skip
    received.content = keys.seal_bytes(child_id, CONTENT_FIELD, received.id, b"{}")
    session.add(received)
    await session.flush()
    piece = ReceivedPiece(
        **whose, received_id=received.id, child_id=child_id, type="Condition", path="Condition",
        category=category.value, state="matched",
    )  # fmt: skip
    piece.raw = keys.seal_bytes(child_id, RAW_FIELD, piece.id, b"{}")
    session.add(piece)
    await session.flush()
    child = await session.get_one(Child, child_id)
    session.add_all(
        [
            SenderVersion(
                child_id=child_id, type="Condition", author_agency_id=client.agency_id,
                client_id=client.id, piece_id=piece.id, category=category.value,
                body='{"resourceType": "Condition"}',
            ),
            Proposal(
                child_id=child_id, received_id=received.id, piece_id=piece.id,
                target="child.phone", row_id=child_id, row_version=child.version,
                category=Category.CONTACT.value, before="01632 960001", after="01632 960002",
            ),
        ]
    )  # fmt: skip
