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
from panel.sharing.systems import SYSTEM

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
    SYSTEM = "system"
    """Not what is shared, but that the agency's own computer system gets it, too."""


COVERS: Mapping[Kind, frozenset[Category]] = {
    Kind.EVERYTHING: frozenset(Category),
    Kind.BASIC: BASIC,
    Kind.MORE: ADDITIONAL,
    Kind.MONEY: frozenset({Category.FINANCE}),
    Kind.SAFETY: frozenset({Category.SAFEGUARDING}),
    Kind.SYSTEM: frozenset(Category),
}
OF_PEOPLE = tuple(one for one in Kind if one not in {Kind.EVERYTHING, Kind.SYSTEM})
"""The kinds of information that an agency's people see or do not."""


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
    system: bool = False
    """It is about the agency's own computer system alone, and `what` is what that gets."""

    def parts(self, purposes: frozenset[Purpose]) -> tuple[frozenset[Purpose], frozenset[Purpose]]:
        """Purposes of a word as (those that the wish is about, those that it leaves as they are).

        Who shares more with people has not said a word about the system, nor the other way round;
        what ends for people ends for the system, and another last day is for both.
        """
        if self.system:
            about = purposes & SYSTEM
        elif self.act is Act.SHARE:
            about = purposes - SYSTEM
        else:
            about = purposes
        return about, purposes - about


@dataclass(frozen=True, slots=True)
class Kept:
    """A word of one's own that goes on from the same day, for fewer agencies or about less."""

    of: UUID
    agencies: frozenset[UUID]
    covers: frozenset[Category]
    purposes: frozenset[Purpose] | None = None
    """None: all of the word's own."""


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
        for_what = SYSTEM if wish.system else frozenset()
        says = [_no(frozenset({wish.agency}), _named(wish), for_what)]
        if alone:
            says += [word for one in others for word in _taken_over(one, wish, others)]
    return Change(
        ends=frozenset(one.id for one in touched),
        keeps=tuple(part for one in touched for part in _kept(one, wish)),
        says=tuple(says),
    )


def _shared(wish: Wish, mine: tuple[Agreement, ...], taken_over: tuple[Agreement, ...]) -> Change:
    own = [one for one in mine if _is_touched(one, wish)]
    before = (*own, *(one for one in taken_over if _is_touched(one, wish)))
    alike = own[0] if len(before) == 1 and own and own[0].agencies == {wish.agency} else None
    gone = replace(wish, what=frozenset(Category))
    words = _anew(wish, before, None if alike is None else alike.id)
    return Change(
        ends=frozenset(one.id for one in own),
        keeps=tuple(part for one in own for part in _kept(one, gone)),
        says=(*words, *(said for one in taken_over for said in _taken_over(one, gone, taken_over))),
    )


def _anew(wish: Wish, before: tuple[Agreement, ...], renews: UUID | None) -> Iterator[Word]:
    """What is said in the place of these: to the people, to the system, or to each of them."""
    people = [] if wish.system else [one for one in before if one.purposes - SYSTEM]
    system = [one for one in before if wish.parts(one.purposes)[0] & SYSTEM]
    word = Word(
        given=True,
        agencies=frozenset({wish.agency}),
        covers=wish.what.union(*map(covered, people)),
        purposes=wish.purposes.union(*(one.purposes for one in people)) - SYSTEM,
        until=wish.until,
        renews=renews,
    )
    for_system = replace(
        word, covers=wish.what.union(*map(covered, system)), purposes=SYSTEM, renews=None
    )
    if wish.system or not (people or wish.act is Act.SHARE):
        yield replace(for_system, renews=renews)
    elif system and word.covers == for_system.covers:
        yield replace(word, purposes=word.purposes | SYSTEM)
    else:
        yield word
        if system:
            yield for_system


def _is_touched(terms: Agreement, wish: Wish) -> bool:
    """Whether a word is a yes to the wish's agency for something that the wish is about."""
    return terms.given and wish.agency in terms.agencies and bool(wish.parts(terms.purposes)[0])


def _opens(terms: Agreement, wish: Wish) -> bool:
    """Whether a word opens something of what the wish is about to its agency."""
    return _is_touched(terms, wish) and bool(covered(terms) & wish.what)


def _kept(terms: Agreement, wish: Wish) -> Iterator[Kept]:
    """What is left of a word when it ends for the wish's agency, about this and for these."""
    rest, left = terms.agencies - {wish.agency}, covered(terms) - wish.what
    about, apart = wish.parts(terms.purposes)
    if rest or terms.not_agencies:
        yield Kept(terms.id, rest, covered(terms))
    if left:
        yield Kept(terms.id, frozenset({wish.agency}), left, about if apart else None)
    if apart:
        yield Kept(terms.id, frozenset({wish.agency}), covered(terms), apart)


def _taken_over(terms: Agreement, wish: Wish, others: Iterable[Agreement]) -> Iterator[Word]:
    """What others said for a young person, as their own word, without what the wish is about."""
    if not terms.given:
        yield from _refused_too(terms, wish, others)
        return
    purposes = terms.purposes or USUAL_PURPOSES
    about, apart = wish.parts(purposes)
    here = terms.agencies & {wish.agency}
    parts = (
        (terms.agencies - {wish.agency}, covered(terms), purposes),
        (here, covered(terms) - wish.what, about),
        (here, covered(terms), apart),
    )
    for agencies, covers, for_what in parts:
        if agencies and covers and for_what:
            yield Word(
                given=True,
                agencies=agencies,
                covers=covers,
                purposes=for_what,
                until=terms.span.end,
                not_agencies=terms.not_agencies - agencies,
            )


def _refused_too(no: Agreement, wish: Wish, others: Iterable[Agreement]) -> Iterator[Word]:
    """A no of others as the young person's own, without what the wish is about."""
    agencies = no.agencies - {wish.agency}
    # A no to everybody stays one, unless the wish opens a door in it: then it is said anew.
    if agencies or (not no.agencies and wish.act in {Act.STOP, Act.REFUSE}):
        yield replace(_no(agencies, covered(no), no.purposes), until=no.span.end)
        if not agencies:
            return
    apart = wish.parts(no.purposes or frozenset(Purpose))[1]
    if not no.purposes and apart == SYSTEM:
        # Said only where it withholds something: somebody agreed that the system gets it.
        agreed = [one for one in others if one.given and wish.agency in one.agencies]
        apart = SYSTEM if any(one.purposes & SYSTEM for one in agreed) else frozenset()
    if apart and (not no.agencies or wish.agency in no.agencies):
        here = frozenset({wish.agency})
        yield replace(_no(here, covered(no), apart), until=no.span.end)


def _no(
    agencies: frozenset[UUID], covers: frozenset[Category], purposes: frozenset[Purpose]
) -> Word:
    return Word(given=False, agencies=agencies, covers=covers, purposes=purposes)


def _named(wish: Wish) -> frozenset[Category]:
    return frozenset() if wish.what == frozenset(Category) else wish.what
