"""Pure rules of a family's own choice: which words end, which go on for fewer, what is said anew.

A family chooses one kind of information for one agency. What was said about others stays as it is:
a word that gives way for one agency goes on for the rest from the same day. From 16 a young
person's own word ends what was said for them, so whatever they leave as it is becomes their word.
Source: DOMAIN.md, "Agreement and the law".
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from uuid import UUID

from consent import ADDITIONAL, BASIC, Agreement, Category, Level, Purpose
from consent.facts import covered
from panel.records.dates import months_after
from panel.sharing.agreeing_rules import last_day_of_responsibility

USUAL_PURPOSES = frozenset({Purpose.SUPPORT, Purpose.PANEL, Purpose.REVIEW})
MONTHS_AT_FIRST = 12
"""For how long a family shares something unless it chooses another end."""


class Kind(StrEnum):
    """What a family can switch."""

    EVERYTHING = "everything"
    BASIC = "basic"
    MORE = "more"
    MONEY = "money"
    SAFETY = "safety"


COVERS: Mapping[Kind, frozenset[Category]] = {
    Kind.EVERYTHING: frozenset(Category),
    Kind.BASIC: BASIC,
    Kind.MORE: ADDITIONAL,
    Kind.MONEY: frozenset({Category.FINANCE}),
    Kind.SAFETY: frozenset({Category.SAFEGUARDING}),
}


class Act(StrEnum):
    """What a family does with a kind of information."""

    STOP = "stop"
    SHARE = "share"
    REFUSE = "refuse"
    """A no that is said to who asked, whether anybody agreed or not."""
    KEEP = "keep"
    """It goes on as it is, until another day."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One choice: an act, what it is about, and for which agency."""

    act: Act
    agency: UUID
    what: frozenset[Category]
    until: date | None = None
    """The last day of what is shared; a stop has none."""
    purposes: frozenset[Purpose] = USUAL_PURPOSES
    """What for, at the least."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A word of one's own that goes on from the same day, for fewer agencies or about less."""

    of: UUID
    agencies: frozenset[UUID]
    covers: frozenset[Category]


@dataclass(frozen=True, slots=True)
class Word:
    """Something said anew."""

    given: bool
    agencies: frozenset[UUID]
    covers: frozenset[Category]
    """For a no, none is everything."""
    purposes: frozenset[Purpose] = USUAL_PURPOSES
    until: date | None = None
    not_agencies: frozenset[UUID] = frozenset()
    renews: UUID | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What a wish makes of the words that stand."""

    ends: frozenset[UUID]
    keeps: tuple[Kept, ...]
    says: tuple[Word, ...]
    """In this order: a no comes before what goes on beside it."""


def change_of(
    wish: Wish, said: Iterable[Agreement], me: UUID, *, alone: bool, says_no: bool
) -> Change:
    """What becomes of every word that stands now, `said`.

    `alone` is the young person from 16, whose word ends what others said. `says_no` is whether a no
    is said to what others agreed; without it only one's own word ends.
    """
    standing = tuple(said)
    mine = tuple(one for one in standing if one.by == me)
    others = tuple(one for one in standing if one.by != me)
    if wish.act in {Act.STOP, Act.REFUSE}:
        return _stopped(wish, mine, others, alone=alone, says_no=says_no)
    return _shared(wish, mine, others if alone else ())


def measured(covers: frozenset[Category]) -> tuple[Level | None, frozenset[Category]]:
    """Categories as an agreement says them: a level, and what is named beside it."""
    if covers >= BASIC | ADDITIONAL:
        return Level.ADDITIONAL, covers - BASIC - ADDITIONAL
    if covers >= BASIC:
        return Level.BASIC, covers - BASIC
    return None, covers


def usual_end(today: date, born: date | None, *, parental: bool) -> date:
    """Until when something is shared at first: a year, or as long as a parent may decide."""
    year = months_after(today, MONTHS_AT_FIRST)
    if not parental or born is None:
        return year
    return max(today, min(year, last_day_of_responsibility(born)))


def _stopped(
    wish: Wish,
    mine: tuple[Agreement, ...],
    others: tuple[Agreement, ...],
    *,
    alone: bool,
    says_no: bool,
) -> Change:
    touched = [one for one in mine if _opens(one, wish)]
    theirs = [one for one in others if _opens(one, wish)]
    says: list[Word] = []
    if wish.act is Act.REFUSE or (theirs and (alone or says_no)):
        says = [_no(frozenset({wish.agency}), _named(wish))]
        if alone:
            says += [word for one in others for word in _taken_over(one, wish)]
    return Change(
        ends=frozenset(one.id for one in touched),
        keeps=tuple(part for one in touched for part in _parts(one, wish.agency, wish.what)),
        says=tuple(says),
    )


def _shared(wish: Wish, mine: tuple[Agreement, ...], taken_over: tuple[Agreement, ...]) -> Change:
    own = [one for one in mine if one.given and wish.agency in one.agencies]
    theirs = [one for one in taken_over if one.given and wish.agency in one.agencies]
    before = (*own, *theirs)
    alike = own[0] if len(before) == 1 and own and own[0].agencies == {wish.agency} else None
    everything = frozenset[Category]().union(*map(covered, before))
    word = Word(
        given=True,
        agencies=frozenset({wish.agency}),
        covers=everything | wish.what,
        purposes=wish.purposes.union(*(one.purposes for one in before)),
        until=wish.until,
        renews=None if alike is None else alike.id,
    )
    rest = Wish(wish.act, wish.agency, frozenset(Category))
    return Change(
        ends=frozenset(one.id for one in own),
        keeps=tuple(part for one in own for part in _parts(one, wish.agency, frozenset(Category))),
        says=(word, *(said for one in taken_over for said in _taken_over(one, rest))),
    )


def _opens(terms: Agreement, wish: Wish) -> bool:
    """Whether a word opens something of what the wish is about to its agency."""
    return terms.given and wish.agency in terms.agencies and bool(covered(terms) & wish.what)


def _parts(terms: Agreement, agency: UUID, what: frozenset[Category]) -> Iterator[Kept]:
    """What is left of a word when it ends for one agency and these categories."""
    rest, left = terms.agencies - {agency}, covered(terms) - what
    if rest or terms.not_agencies:
        yield Kept(terms.id, rest, covered(terms))
    if left:
        yield Kept(terms.id, frozenset({agency}), left)


def _taken_over(terms: Agreement, wish: Wish) -> Iterator[Word]:
    """What others said for a young person, as their own word, without what the wish is about."""
    if not terms.given:
        agencies = terms.agencies - {wish.agency}
        # A no to everybody stays one, unless the wish opens a door in it: then it is said anew.
        if agencies or (not terms.agencies and wish.act in {Act.STOP, Act.REFUSE}):
            yield replace(_no(agencies, covered(terms)), until=terms.span.end)
        return
    parts = (
        (terms.agencies - {wish.agency}, covered(terms)),
        (terms.agencies & {wish.agency}, covered(terms) - wish.what),
    )
    for agencies, covers in parts:
        if agencies and covers:
            yield Word(
                given=True,
                agencies=agencies,
                covers=covers,
                purposes=terms.purposes or USUAL_PURPOSES,
                until=terms.span.end,
                not_agencies=terms.not_agencies - agencies,
            )


def _no(agencies: frozenset[UUID], covers: frozenset[Category]) -> Word:
    return Word(given=False, agencies=agencies, covers=covers, purposes=frozenset())


def _named(wish: Wish) -> frozenset[Category]:
    return frozenset() if wish.what == frozenset(Category) else wish.what
