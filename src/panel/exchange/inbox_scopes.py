"""What a client's scopes let it land: within a document, a message or what was fetched as well.

A transaction or batch asks for each of its entries itself, and each was asked about as it came
(`inbox_bundles`). The other kinds ask for nothing: there, each type is created, and needs its own
create scope. Where a sender waits for the answer, the whole is refused, with every scope that it
lacks: a document is one thing that somebody signed, and its sender can ask for more or send less.
Where nobody waits, what is let through is taken in, and the rest is quarantined.
"""

from collections.abc import Collection, Iterable

from msgspec.structs import replace

from interop.incoming.received import Piece, Problem, Received
from interop.scopes import Scopes, read_scopes
from panel.exchange.entering import Client
from panel.exchange.inbox_models import Received as Row
from panel.exchange.landing import FETCHED

ENVELOPE = "MessageHeader"
"""It says what a message is for, and nothing of anybody: `Bundle.c` is the scope for it."""
NOT_ASKED_FOR = frozenset({"document", "message", "collection"})
"""Kinds of Bundle whose entries ask for nothing."""


def lacking(scopes: Scopes, pieces: Iterable[Piece]) -> list[str]:
    """The types of the pieces that may not be created, in order of the alphabet."""
    types = {one.type for one in pieces if one.type not in ("", ENVELOPE) and not one.problems}
    return sorted(one for one in types if not scopes.permits(one, "c"))


def require_each(client: Client, pieces: Iterable[Piece]) -> None:
    """Go on only if the client may create each piece. Raises NotLetIn (403) with what it lacks."""
    client.require_all(lacking(client.scopes, pieces), "c")


def shut_out(row: Row, parsed: Received) -> frozenset[str]:
    """The types that what came may not land, by the scopes with which it came.

    What came before scopes were kept with it was let through by those of its Bundle.
    """
    was_fetched = row.asked == FETCHED
    if row.scopes is None or not (was_fetched or parsed.kind in NOT_ASKED_FOR):
        return frozenset()
    return frozenset(lacking(read_scopes(row.scopes), parsed.pieces))


def without(parsed: Received, types: Collection[str]) -> Received:
    """The same, with the pieces of these types quarantined and nothing taken from them."""
    return replace(
        parsed, pieces=tuple(_shut(one) if one.type in types else one for one in parsed.pieces)
    )


def _shut(piece: Piece) -> Piece:
    if piece.problems:
        return piece
    reason = f"Its sender may not send this: it needs the scope system/{piece.type}.c."
    return replace(piece, message=None, problems=(Problem(piece.path, reason),))
