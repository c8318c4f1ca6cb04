"""What a sender said before, and somebody takes in only now, takes the place of nothing newer.

An update names the version that it was made from, and that is asked as it comes; but one that
waits until somebody knows whom it is about may be matched after its sender has said more.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select

from consent import ViewerKind
from panel.exchange.inbox_models import Received, ReceivedPiece, SenderVersion
from panel.platform.tables import NOW
from panel.records.gate import Access

AS_IT_COMES = timedelta(minutes=5)
"""How long it may take at most to take something in as it comes."""
SAID_SINCE = "Its sender has sent a newer version since, which stays."


async def said_since(
    access: Access, received: Received, versions: Mapping[str, SenderVersion | None]
) -> frozenset[str]:
    """The paths whose version says by now what came after this.

    Args: by path, the sender's version that is there already, if any. Nothing where its sender
    says it just now: of what is sent at once, what is written last stands.
    """
    said = {path: one.piece_id for path, one in versions.items() if one is not None}
    if not said or _is_said_now(access, received):
        return frozenset()
    # Ids are in the order in which things came.
    newer = set(
        await access.session.scalars(
            select(ReceivedPiece.id).where(
                ReceivedPiece.id.in_(set(said.values())),
                ReceivedPiece.received_id > received.id,
            )
        )
    )
    return frozenset(path for path, piece in said.items() if piece in newer)


def _is_said_now(access: Access, received: Received) -> bool:
    """Whether its sender waits for the answer; what was refused is sent again by then."""
    if access.viewer.kind is not ViewerKind.CLIENT:
        return False
    now: datetime = access.session.info[NOW]
    return received.state == "refused" or now - received.created_at < AS_IT_COMES
