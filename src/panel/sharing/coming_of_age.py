"""When a young person is to decide for themselves: pure rules about 16 and 18.

At 16 what was agreed for them goes on until they decide, or until it ends by itself; parents can
agree to nothing new and renew nothing. At 18 nobody has parental responsibility, so what rests on
it ends on the day before. Source: DOMAIN.md, "Agreement and the law"; adr/0013.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from consent.standing import AGE_OF_MAJORITY, AGE_OF_OWN_AGREEMENT, birthday

OLDEST = 26
"""Panel is for children and young people up to 25."""
OWN_WORDS = frozenset({"own", "own_competent", "best_interests", "deputy", "attorney"})
"""Capacities in which the young person, or somebody who may decide for an adult, has spoken."""


@dataclass(frozen=True, slots=True)
class Word:
    """An agreement or refusal, as far as it matters here."""

    capacity: str
    from_on: date
    in_force: bool


@dataclass(frozen=True, slots=True)
class ToDecide:
    """A young person who is to decide for themselves, from when."""

    sixteen_on: date
    is_16: bool
    eighteen_on: date | None
    """Where that is near or past."""
    is_18: bool


def to_decide(
    born: date | None, words: Iterable[Word], today: date, remind_days: int
) -> ToDecide | None:
    """Whether a young person is, or will soon be, to decide and has not; None where not."""
    if born is None:
        return None
    ahead = timedelta(days=remind_days)
    sixteen, eighteen = birthday(born, AGE_OF_OWN_AGREEMENT), birthday(born, AGE_OF_MAJORITY)
    if today < sixteen - ahead or today >= birthday(born, OLDEST):
        return None
    if any(
        word.capacity in OWN_WORDS and (word.in_force or word.from_on >= sixteen) for word in words
    ):
        return None
    return ToDecide(
        sixteen_on=sixteen,
        is_16=sixteen <= today,
        eighteen_on=eighteen if eighteen - ahead <= today else None,
        is_18=eighteen <= today,
    )
