"""All 215 UK Core examples are taken in as the table says that was made by reading them.

The table (data/ukcore_examples.csv) says of each what should become of it and why: `mapped` names
the message, `kept` why Panel has no message for it, `quarantined` what is wrong. The 73 named after
an extension are resources like any other, made to show one element: most of the patients among them
say nothing else, not even who it is, and nobody can tell whose record that belongs to.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import pytest

from interop.incoming import Piece, Received, read
from interop.outgoing import WRITERS, stamped
from tests.interop.fhir_xml import as_json

HERE = Path(__file__).parent
SHARED = Path(__file__).resolve().parents[3] / "shared/data/ukcore/examples"


@dataclass(frozen=True)
class Row:
    """One row of the table, and what came of its example."""

    name: str
    type: str
    expected: str
    reason: str
    body: bytes
    received: Received


def _table() -> list[dict[str, str]]:
    with (HERE / "data/ukcore_examples.csv").open(newline="") as table:
        return list(csv.DictReader(table))


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """Every example, converted and read."""
    if not SHARED.is_dir():
        pytest.skip("../shared/data/ukcore is not here: the UK Core examples are read from it.")
    found = []
    for row in _table():
        body = as_json((SHARED / f"{row['name']}.xml").read_bytes())
        found.append(Row(**row, body=body, received=read(body)))
    return found


def _became(piece: Piece) -> tuple[str, str]:
    if piece.is_quarantined:
        return "quarantined", piece.problems[0].reason
    if piece.message is not None:
        return "mapped", type(piece.message).__name__
    return "kept", piece.set_aside or ""


def test_the_table_has_every_example_once(rows: list[Row]) -> None:
    names = [row.name for row in rows]
    assert len(names) == 215
    assert sorted(names) == sorted(path.stem for path in SHARED.glob("*.xml"))


def test_each_becomes_what_the_table_says(rows: list[Row]) -> None:
    for row in rows:
        became = {_became(piece) for piece in row.received.pieces} or {
            ("kept", "Nothing stands in it.")
        }
        assert became == {(row.expected, row.reason)}, row.name
        if row.type != "Bundle":
            assert [piece.type for piece in row.received.pieces] == [row.type], row.name


def test_none_is_lost(rows: list[Row]) -> None:
    for row in rows:
        assert row.received.broken is None, row.name
        if row.type != "Bundle":
            (piece,) = row.received.pieces
            assert bytes(piece.raw) == row.body
        else:
            assert all(bytes(piece.raw) in row.body for piece in row.received.pieces)
            assert len(row.received.pieces) == row.body.count(b'"request":') or (
                len(row.received.pieces) == row.body.count(b'"resource":')
            )


def test_those_that_map_come_out_again_equal(rows: list[Row]) -> None:
    for row in rows:
        for piece in row.received.pieces:
            if piece.message is None:
                continue
            again = read(stamped(WRITERS[piece.type].write(piece.message)).body).pieces[0]
            assert again.problems == (), row.name
            assert again.message is not None
            for field in piece.present:
                assert getattr(again.message, field) == getattr(piece.message, field), row.name


def test_what_a_message_does_not_hold_is_named(rows: list[Row]) -> None:
    by_name = {row.name: row.received.pieces[0] for row in rows if row.received.pieces}
    assert by_name["UKCore-Patient-RichardSmith-Example"].kept == (
        "extension[1]",
        "extension[2]",
        "extension[3]",
        "contact",
        "communication[0].language.coding[1]",
    )
    assert by_name["UKCore-Flag-FoodAllergy-Example"].kept == (
        "identifier",
        "category",
        "code.coding",
        "encounter",
        "author",
    )


def test_xml_becomes_json_with_every_digit_and_extension() -> None:
    told = as_json(
        b"""<Observation xmlns="http://hl7.org/fhir"><!-- not said -->
          <text><status value="generated"/>
            <div xmlns="http://www.w3.org/1999/xhtml">A <b class="x">level</b></div></text>
          <contained><Patient><id value="p"/><name><given value="Ana"/><given>
            <extension url="urn:e"><valueString value="second"/></extension></given></name>
          </Patient></contained>
          <status value="final"/><code><text value="Level"/></code>
          <subject><reference value="#p"/></subject>
          <valueQuantity><value value="1.10"/></valueQuantity></Observation>"""
    )
    assert told == (
        b'{"resourceType":"Observation","text":{"status":"generated","div":'
        b'"<div xmlns=\\"http://www.w3.org/1999/xhtml\\">A <b class=\\"x\\">level</b></div>"},'
        b'"contained":[{"resourceType":"Patient","id":"p","name":[{"given":["Ana",null],'
        b'"_given":[null,{"extension":[{"url":"urn:e","valueString":"second"}]}]}]}],'
        b'"status":"final","code":{"text":"Level"},"subject":{"reference":"#p"},'
        b'"valueQuantity":{"value":1.10}}'
    )
    (piece,) = read(told).pieces
    assert piece.problems == ()
    assert piece.subject is not None
    assert piece.subject.reference == "#p"
