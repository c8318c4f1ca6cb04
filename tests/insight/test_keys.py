"""Keys hang on all that goes into them, and say nothing of what they are made from."""

from functools import reduce
from operator import xor

from hypothesis import given
from hypothesis import strategies as st

from panel.insight.core.facts import Who
from panel.insight.core.keys import CellKeys, RecordKeys

SIGNED = st.integers(-(2**63), 2**63 - 1)
CELLS = CellKeys(b"c" * 32)
RECORDS = RecordKeys(b"r" * 32)


@given(key=SIGNED)
def test_a_cell_key_is_53_bits_of_less_than_one(key: int) -> None:
    number = CELLS.cell_key(key, "count")
    assert 0 <= number < 1
    assert (number * 2**53).is_integer()
    assert number == CELLS.cell_key(key, "count")


def test_each_kind_each_key_and_each_secret_has_its_own_number() -> None:
    numbers = {
        CELLS.cell_key(1, "count"),
        CELLS.cell_key(-1, "count"),
        CELLS.cell_key(1, "wait"),
        CellKeys(b"d" * 32).cell_key(1, "count"),
    }
    assert len(numbers) == 4


def test_numbers_are_spread_evenly() -> None:
    tenths = [0] * 10
    for key in range(10_000):
        tenths[int(CELLS.cell_key(key, "count") * 10)] += 1
    assert all(900 < one < 1100 for one in tenths)


@given(record=st.binary(min_size=16, max_size=16))
def test_a_person_has_16_bytes_and_a_signed_key_for_ever(record: bytes) -> None:
    person = RECORDS.person(record)
    assert len(person) == 16
    assert person != record
    assert -(2**63) <= RECORDS.record_key(person) < 2**63
    assert RECORDS.record_key(person) == RecordKeys(b"r" * 32).record_key(RECORDS.person(record))


@given(st.lists(SIGNED, max_size=20))
def test_the_order_of_contributors_does_not_matter(keys: list[int]) -> None:
    again = sorted(keys, key=lambda one: (one & 0xFF, one))
    first, second = reduce(xor, keys, 0), reduce(xor, again, 0)
    assert first == second
    assert -(2**63) <= first < 2**63


def test_nothing_says_a_secret_or_a_person() -> None:
    assert repr(CELLS) == "CellKeys()"
    assert repr(RECORDS) == "RecordKeys()"
    assert repr(Who(b"p" * 16, 99)) == "Who()"
