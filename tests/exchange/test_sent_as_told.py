"""What goes out of what other systems sent is valid, as it came and as others are told it.

The 215 examples of UK Core are what real systems send: each that is kept goes through the second
validator whole, and as who did not send it is told, with every reference gone.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from interop.origin import dated, is_sent
from interop.outgoing import Json, stamped
from panel.exchange.inbox_categories import category_of
from panel.exchange.inbox_versions import as_sent
from panel.exchange.sender_sources import NOT_TOLD, SENT, SenderRow, for_others
from panel.exchange.showing import leading_only_to
from tests.interop import validator
from tests.interop.test_ukcore_examples import Row, rows

__all__ = ["rows"]
NOW = datetime(2026, 11, 23, tzinfo=UTC)
ROW, CHILD, SENDER = UUID(int=5), UUID(int=6), UUID(int=7)


def told(row: Row) -> Iterator[Json]:
    """As it came, and as others are told it; nothing of what is no version of its sender's."""
    if len(row.received.pieces) != 1:
        return
    [piece] = row.received.pieces
    if piece.problems or piece.type not in SENT:
        return
    body = row.body.decode()
    yield as_sent(ROW, NOW, body)
    line = SenderRow(
        id=ROW, child_id=CHILD, changed_at=NOW, type=piece.type, author_agency_id=SENDER,
        category=category_of(piece.type, piece.message), body=None,
    )  # fmt: skip
    yield dated(leading_only_to(for_others(line, body), {("Patient", str(CHILD))}), NOW)


def test_every_example_is_told_as_others_find_it_right(rows: list[Row], tmp_path: Path) -> None:
    sent = [one for row in rows for one in told(row)]
    assert len(sent) == 76
    assert all(is_sent(one) for one in sent)
    for one in sent[1::2]:
        assert not one.keys() & set(NOT_TOLD) - {"text", "note", "extension"}, one
        for to in ("subject", "for", "patient"):
            assert one.get(to, {"reference": f"Patient/{CHILD}"})["reference"].endswith(str(CHILD))
    bodies = [stamped(one).body for one in sent]
    laid_out = validator.lay_out(tmp_path / "validator")
    assert validator.problems(laid_out, bodies) == {"R4": (), "UK Core": ()}
