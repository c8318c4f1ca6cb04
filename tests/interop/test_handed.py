"""A child's document is its sender's word for word, and a Task says how it stands."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from interop.bundle import Shown
from interop.handed import Handing, TaskTold, read_document, read_task, signed_document, task
from interop.signed import NotBelieved

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = KEY.public_key().public_bytes_raw().hex()
ONE = UUID(int=1)
HANDING = Handing(
    ONE,
    datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
    "Northfield",
    "Southfield",
    "p1",
    "Ring mum before 9 & <after> 4",
    ("finance", "safeguarding"),
    date(2026, 12, 1),
)
CHILD = Shown("Patient", "p1", {"resourceType": "Patient", "id": "p1", "birthDate": "2021-03-27"})
BASE = "https://panel.example/fhir/R4"
BODY = signed_document(HANDING, [CHILD], BASE, KEY)


def test_what_was_signed_is_read() -> None:
    found = read_document(BODY, PUBLIC)
    assert found.handing == HANDING
    record = msgspec.json.decode(found.record)
    assert [one["resource"]["resourceType"] for one in record["entry"]] == ["Patient"]


@pytest.mark.parametrize(
    ("was", "became"),
    [
        (b"2021-03-27", b"2021-03-28"),
        (b"Southfield", b"Elsewhere!"),
        (b'"finance safeguarding"', b'"finance"'),
    ],
)
def test_anything_changed_since_is_refused(was: bytes, became: bytes) -> None:
    assert was in BODY
    with pytest.raises(NotBelieved) as refused:
        read_document(BODY.replace(was, became), PUBLIC)
    assert refused.value.why == "signature"


def test_an_entry_left_out_is_refused() -> None:
    bundle = msgspec.json.decode(BODY)
    bundle["entry"].pop()
    with pytest.raises(NotBelieved, match="signature"):
        read_document(msgspec.json.encode(bundle), PUBLIC)


def test_one_of_another_key_is_refused() -> None:
    other = Ed25519PrivateKey.from_private_bytes(b"o" * 32).public_key().public_bytes_raw().hex()
    with pytest.raises(NotBelieved, match="signature"):
        read_document(BODY, other)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"resourceType":"Patient"}', b"\xff\xfe"])
def test_what_is_no_document_is_refused(body: bytes) -> None:
    with pytest.raises(NotBelieved, match="document"):
        read_document(body, PUBLIC)


@pytest.mark.parametrize("year", [1, 9999])
def test_a_day_that_nobody_could_have_written_it_on_is_no_document(year: int) -> None:
    wrong = replace(HANDING, written_at=datetime(year, 12, 31, 23, tzinfo=UTC))
    with pytest.raises(NotBelieved, match="document"):
        read_document(signed_document(wrong, [CHILD], BASE, KEY), PUBLIC)


def test_layout_is_no_change() -> None:
    again = msgspec.json.format(BODY, indent=2)
    assert read_document(again, PUBLIC).handing == HANDING


@pytest.mark.parametrize(
    "told",
    [
        TaskTold("requested"),
        TaskTold("accepted", on=date(2026, 11, 30), lead="Made-up Person"),
        TaskTold("rejected", "The family lives in another county", date(2026, 11, 30)),
        TaskTold("cancelled"),
    ],
)
def test_a_task_says_how_it_stands(told: TaskTold) -> None:
    assert read_task(msgspec.json.encode(task(ONE, told)), ONE) == told


def test_an_answer_about_another_is_not_believed() -> None:
    made = msgspec.json.encode(task(UUID(int=2), TaskTold("accepted")))
    with pytest.raises(NotBelieved, match="task"):
        read_task(made, ONE)
    other = msgspec.json.encode(task(ONE, replace(TaskTold("accepted"), state="requested")))
    with pytest.raises(NotBelieved, match="task"):
        read_task(other.replace(b"requested", b"in-progress"), ONE)
