"""What may be linked without a person: planted twins never, whatever the weight."""

from datetime import date
from itertools import product

import msgspec
import pytest

from panel.insight.linking import matching
from panel.insight.linking.list_rows import Entry
from panel.insight.linking.rules import (
    CLEAR,
    ENOUGH,
    Compared,
    Verdict,
    against,
    judged,
    next_best,
    verdict,
)
from panel.platform.crypto import Keyring, new_key
from panel.register.marks import Marks

RING = Keyring(new_key(), new_key())
BORN = date(2019, 3, 9)
HOME = "12 Tessel Row, Wexcombe"
TWINS = (
    ("Marie", "Maria"), ("Zara", "Sara"), ("Christian", "Christina"), ("Jon", "John"),
    ("Mary-Ann", "Mary-Jane"), ("Muhammad", "Muhammad Yusuf"), ("Ella", "Ellie"),
    ("Amina", "Amira"), ("Hannah", "Hanna"), ("Freya", "Otto"), ("Zoë", "Zoey"),
)  # fmt: skip


def child(
    given: str = "Freya",
    family: str = "Kestrel",
    *,
    born: date = BORN,
    sex: str = "female",
    postcode: str = "WX1 2AB",
    address: str = HOME,
    nhs_number: str = "",
) -> Marks:
    return Entry(given, family, born, sex, postcode, address, nhs_number).marks(RING)


def strangers(count: int) -> list[Marks]:
    return [
        child(f"Ada{'b' * place}", f"Quill{'c' * place}", born=date(2015, 1, place + 1),
              postcode=f"WX9 {place % 10}ZZ", address=f"{place} Elm Way")
        for place in range(count)
    ]  # fmt: skip


@pytest.mark.parametrize("names", TWINS)
def test_of_twins_on_different_lists_none_is_linked(names: tuple[str, str]) -> None:
    """One of two on the list, the other here, neither anywhere else: nothing but the name differs."""
    for one, other in (names, names[::-1]):
        [found] = judged([child(one)], [child(other)], {(0, 0): 40.0}).values()
        assert verdict(found) is Verdict.PERSON
        assert "The given names differ, and no NHS number agrees." in against(found)


@pytest.mark.parametrize("names", TWINS)
def test_of_twins_on_the_same_lists_none_is_linked_with_the_other(names: tuple[str, str]) -> None:
    """Both on both: even the right pairs wait for a person, and nobody is linked with a sister."""
    listed, known = [child(one) for one in names], [child(one) for one in names[::-1]]
    found = judged(listed, known, dict.fromkeys(product((0, 1), (0, 1)), 40.0))
    assert {verdict(one) for one in found.values()} == {Verdict.PERSON}
    assert all("they may be twins" in " ".join(against(one)) for one in found.values())


def test_a_twin_only_here_or_only_on_the_list_holds_a_link_up() -> None:
    twin, other = child("Freya"), child("Otto", sex="male")
    for listed, known in (([twin, other], [twin]), ([twin], [twin, other])):
        found = judged(listed, known, {(0, 0): 40.0})
        assert verdict(found[0, 0]) is Verdict.PERSON


@pytest.mark.parametrize(
    ("listed", "known", "expected"),
    [
        (child(), child(), Verdict.LINK),
        (child("Mary-Ann"), child("Mary Ann"), Verdict.LINK),
        (child("Kestrel", "Freya"), child("Freya", "Kestrel"), Verdict.LINK),
        (child("Zoë"), child("Zoe"), Verdict.LINK),
        (child("Fred", nhs_number="9990548609"), child(nhs_number="9990548609"), Verdict.LINK),
        (child(nhs_number="9990548609"), child(nhs_number="9990549370"), Verdict.PERSON),
        (child(sex="male"), child(sex="female"), Verdict.PERSON),
        (child("Fred"), child("Frederick"), Verdict.PERSON),
        (child(""), child(""), Verdict.PERSON),
        (child(born=date(2019, 9, 3)), child(), Verdict.LINK),
    ],
)
def test_a_pair(listed: Marks, known: Marks, expected: Verdict) -> None:
    [found] = judged([listed], [known], {(0, 0): 20.0}).values()
    assert verdict(found) is expected


def test_what_weighs_little_or_has_a_rival_waits_and_what_speaks_against_itself_is_nothing() -> (
    None
):
    assert verdict(Compared(ENOUGH)) is Verdict.LINK
    assert verdict(Compared(ENOUGH - 0.01)) is Verdict.PERSON
    assert verdict(Compared(20.0, next_weight=20.0 - CLEAR + 0.01)) is Verdict.PERSON
    assert verdict(Compared(20.0, next_weight=20.0 - CLEAR)) is Verdict.LINK
    assert verdict(Compared(-0.1)) is Verdict.NONE
    assert verdict(Compared(-3.0, same_number=True)) is Verdict.PERSON


def test_nobody_is_asked_about_brothers_and_sisters_of_another_age() -> None:
    assert judged([child()], [child("Otto", born=date(2016, 1, 4))], {(0, 0): 12.0}) == {}


def test_the_next_best_is_looked_for_on_either_side() -> None:
    weights = {(0, 0): 20.0, (0, 1): 11.0, (1, 0): 15.0, (2, 2): 9.0}
    assert next_best(weights) == {(0, 0): 15.0, (0, 1): 20.0, (1, 0): 20.0, (2, 2): None}


def test_an_entry_and_its_marks_say_nothing() -> None:
    for one in (Entry("Freya", "Kestrel", BORN, postcode="WX1 2AB"), child()):
        assert "Freya" not in repr(one)
        assert "WX1" not in repr(one)
    assert repr(child()) == "Marks()"
    assert b"freya" not in msgspec.json.encode(child()).lower()


def test_marks_are_under_the_key_and_the_same_for_the_same() -> None:
    other = Keyring(new_key(), new_key())
    mine, theirs = (Entry("Freya", "Kestrel", BORN).marks(one) for one in (RING, other))
    assert mine == Entry("FREYA", "Kestrel", BORN).marks(RING)
    assert {mine.given, mine.family, mine.born}.isdisjoint(
        {theirs.given, theirs.family, theirs.born}
    )


@pytest.mark.parametrize(
    ("one", "other", "is_near"),
    [
        ("Freya", "Frea", True), ("Freya", "Freyya", True), ("Freya", "Fryea", True),
        ("Freya", "Freyo", True), ("Freya", "Otto", False), ("Freya", "Frieda", False),
    ],
)  # fmt: skip
def test_a_slip_of_one_letter_shares_a_mark(one: str, other: str, *, is_near: bool) -> None:
    both = [set(child(name).given_slips) for name in (one, other)]
    assert bool(both[0] & both[1]) == is_near


async def test_twins_through_the_weights_of_short_lists() -> None:
    """All planted pairs at once, among strangers: splink finds them alike, and none is linked."""
    families = [f"Twinname{'x' * place}" for place in range(len(TWINS))]
    listed, known = strangers(12), strangers(12)
    for (one, other), family in zip(TWINS, families, strict=True):
        for side, name in ((listed, one), (known, other)):
            close, code = f"1 {family} Close", f"WX3 {len(family) % 10}AA"
            side.append(child(name, family, address=close, postcode=code))
    weights = await matching.weights(listed, known)
    found = judged(listed, known, weights)
    linked = {pair for pair, one in found.items() if verdict(one) is Verdict.LINK}
    assert linked == {(place, place) for place in range(12)}
    planted = {(place, place) for place in range(12, 12 + len(TWINS))}
    assert planted <= found.keys(), "a person is asked about each"
    assert min(weights[pair] for pair in planted) > ENOUGH, "by weight alone they would be linked"
