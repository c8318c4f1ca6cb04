"""Whether two of whom there are marks are one child: said by rules, or left to a person.

Pure, and over marks alone: no name is read to say it (ADR 46). A weight (bits of evidence, Fellegi
and Sunter) is not enough by itself: twins share surname, birth date, postcode and address, and
would be linked by it. So a link needs the given name or a valid NHS number to be the same, nothing
against it, and nobody else whom it could be. A given name that is only alike is not the same: Marie
and Maria may be sisters (ADR 41).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from panel.register.marks import Marks

ENOUGH = 8.0
"""Bits of evidence from which a pair may be linked without a person."""
WORTH_A_LOOK = 0.0
"""Bits from which a person is asked: more speaks for it than against it."""
CLEAR = 4.0
"""By how many bits a pair must be ahead of every other of either side."""
KEPT_AS = f"linked from {ENOUGH:g} bits, {CLEAR:g} ahead; shown from {WORTH_A_LOOK:g}"
"""The thresholds in words, kept with each decision."""


Home = tuple[str, str, str]
"""What twins share: the marks of surname, birth date and postcode."""


class Verdict(StrEnum):
    """What the rules say of a pair."""

    LINK = "linked"
    PERSON = "proposed"
    NONE = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """A pair, as far as it matters to the rules."""

    weight: float
    next_weight: float | None = None
    """The best weight of either side with anybody else; None where there is nobody else."""
    same_given_name: bool = True
    same_number: bool = False
    other_number: bool = False
    """Both have an NHS number, and they differ."""
    other_sex: bool = False
    other_birth: bool = False
    """Both have a date of birth, and they differ."""
    same_birth_and_surname: bool = True
    has_sibling: bool = False
    """Somebody else, on either side, has the surname, birth date and postcode of one of them."""


def verdict(pair: Compared) -> Verdict:
    """LINK where it is plain, PERSON where it is not, NONE where nothing speaks for it."""
    # A sister or brother of another age shares all that a home gives: nobody need be asked.
    is_sibling = pair.other_birth and not pair.same_given_name
    if (pair.weight < WORTH_A_LOOK or is_sibling) and not pair.same_number:
        return Verdict.NONE
    return Verdict.PERSON if against(pair) else Verdict.LINK


def against(pair: Compared) -> tuple[str, ...]:
    """Why a pair is not linked without a person, in words; empty where nothing speaks against."""
    reasons = (
        (pair.weight < ENOUGH, "Too little agrees."),
        (pair.other_number, "The NHS numbers differ."),
        (
            pair.other_sex and pair.same_birth_and_surname,
            "The sex differs, with the same surname and date of birth: they may be twins.",
        ),
        (
            pair.has_sibling,
            "Another child has the same surname, date of birth and postcode: they may be twins.",
        ),
        (
            not pair.same_given_name and not pair.same_number,
            "The given names differ, and no NHS number agrees.",
        ),
        (
            pair.next_weight is not None and pair.weight - pair.next_weight < CLEAR,
            "Another child fits nearly as well.",
        ),
    )
    return tuple(words for speaks_against, words in reasons if speaks_against)


# Comparing ----------------------------------------------------------------------------------------

Pair = tuple[int, int]
"""A place on the list and a place in the register."""


def home(one: Marks) -> Home:
    """Surname, birth date and postcode of a child."""
    return one.family, one.born, one.postcode


def judged(
    listed: Sequence[Marks], known: Sequence[Marks], weights: Mapping[Pair, float]
) -> dict[Pair, Compared]:
    """Every pair that is to be linked or looked at, compared."""
    homes = tuple(Counter(map(home, side)) for side in (listed, known))
    others = next_best(weights)
    made = {
        pair: compared(
            listed[pair[0]],
            known[pair[1]],
            weight,
            others[pair],
            has_sibling=_has_sibling(listed[pair[0]], known[pair[1]], homes),
        )
        for pair, weight in weights.items()
    }
    return {pair: one for pair, one in made.items() if verdict(one) is not Verdict.NONE}


def compared(
    listed: Marks, known: Marks, weight: float, next_weight: float | None, *, has_sibling: bool
) -> Compared:
    """A pair with what the rules ask of it."""
    both = bool(listed.number and known.number)
    return Compared(
        weight=weight,
        next_weight=next_weight,
        same_given_name=_have_the_same_given_name(listed, known),
        same_number=both and listed.number == known.number,
        other_number=both and listed.number != known.number,
        other_sex={listed.sex, known.sex} == {"female", "male"},
        other_birth=bool(listed.born and known.born) and listed.born != known.born,
        same_birth_and_surname=home(listed)[:2] == home(known)[:2],
        has_sibling=has_sibling,
    )


def _have_the_same_given_name(one: Marks, other: Marks) -> bool:
    """Whether they do, also where a list has the names in each other's place."""
    if not one.given or not other.given:
        return False
    swapped = one.given == other.family and one.family == other.given
    return one.given == other.given or swapped


def _has_sibling(listed: Marks, known: Marks, homes: Sequence[Mapping[Home, int]]) -> bool:
    """Whether anybody else, on either side, shares the home of one of the two."""
    for mine, entry, other in ((0, listed, known), (1, known, listed)):
        its = home(entry)
        if all(its):
            beside = homes[mine].get(its, 0) - 1
            across = homes[1 - mine].get(its, 0) - (home(other) == its)
            if beside or across:
                return True
    return False


def next_best(weights: Mapping[Pair, float]) -> dict[Pair, float | None]:
    """For each pair the best weight that either of the two has with anybody else."""
    of_one: dict[tuple[int, int], list[tuple[float, Pair]]] = defaultdict(list)
    for pair, weight in weights.items():
        for side in (0, 1):
            of_one[side, pair[side]].append((weight, pair))
    top = {one: sorted(found, reverse=True)[:2] for one, found in of_one.items()}
    return {pair: max(_others(pair, top), default=None) for pair in weights}


def _others(pair: Pair, top: Mapping[tuple[int, int], list[tuple[float, Pair]]]) -> Iterable[float]:
    return (weight for side in (0, 1) for weight, other in top[side, pair[side]] if other != pair)
