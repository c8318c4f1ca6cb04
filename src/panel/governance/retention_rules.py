"""When a closed record's time is over. Pure: dates and settings come in.

A setting per kind of record: so many years after the record was closed, and not before a birthday;
the later of the two counts. What stands under a child's own key goes together, so the record goes
when the last of its kinds may. Nothing is due before every one of them was set by the authority.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from panel.records.dates import birthday
from panel.web import words

LONGEST_YEARS = 100
OLDEST_BIRTHDAY = 100

WITH_THE_CHILD = ("child_record", "documents", "notes_to_families", "agreements")
"""Kinds that are sealed with the child's own key: they go together."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How long a kind of record is kept."""

    years: int
    """After it was closed."""
    birthday: int = 0
    """Not before this birthday of the child; 0 where no birthday counts."""

    def ends_on(self, closed_on: date, born: date | None, *, died: bool) -> date:
        """The first day on which it need not be kept any more."""
        after = birthday(closed_on, self.years)
        if not self.birthday or born is None or died:
            return after
        return max(after, birthday(born, self.birthday))

    @property
    def words(self) -> str:
        """As people read it."""
        after = f"{words.plural(self.years, 'year')} after the record is closed"
        if not self.birthday:
            return words.upper_first(after)
        birthday = f"{self.birthday}{_ordinal(self.birthday)} birthday"
        return f"Until the {birthday}, or {after}, whichever is later"


@dataclass(frozen=True, slots=True)
class Closed:
    """A record that is closed, as far as its time depends on it."""

    closed_on: date
    reason: str
    born: date | None


def due_on(closed: Closed, rules: Mapping[str, Rule]) -> date | None:
    """When the whole record may go; None while a kind has no rule."""
    if any(kind not in rules for kind in WITH_THE_CHILD):
        return None
    died = closed.reason == "died"
    if closed.born is None and not died and any(rules[one].birthday for one in WITH_THE_CHILD):
        # Without a birth date nobody can say that the birthday is over.
        return None
    return max(
        rules[kind].ends_on(closed.closed_on, closed.born, died=died) for kind in WITH_THE_CHILD
    )


def rule_of(value: object) -> Rule | None:
    """A setting's value as a rule; None for an authority's own words and for what cannot be."""
    if not isinstance(value, dict):
        return None
    years = _between(value.get("years"), LONGEST_YEARS)
    birthday = _between(value.get("birthday", 0), OLDEST_BIRTHDAY)
    return None if years is None or birthday is None else Rule(years, birthday)


def value_of(rule: Rule) -> dict[str, int]:
    """A rule as a setting's value."""
    return {"years": rule.years, "birthday": rule.birthday}


def kept_words(value: object) -> str:
    """A setting's value in words; a text stays as it is."""
    rule = rule_of(value)
    return str(value) if rule is None else rule.words


def may_approve(reviewed_by: object, deciders: Iterable[object], who: object) -> bool:
    """Whether somebody may approve a list: nobody who decided any of it."""
    return who != reviewed_by and who not in set(deciders)


def _between(value: object, most: int) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
        return value
    return None


def _ordinal(number: int) -> str:
    if 10 <= number % 100 <= 20:
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
