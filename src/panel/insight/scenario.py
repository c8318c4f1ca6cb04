"""Invest to save: what it would cost to bring children home from residential places. Pure.

Places that are no longer bought pay for services at home, and what is left for children who lack
one. Everything is reckoned from published figures and from assumptions that whoever asks can see
and change; every result is a range, since neither is exact. Nothing asked is kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from panel.insight.core.cells import Cell
from panel.insight.core.words import EVERY, SERVICES, lower_first
from panel.insight.reading import Seen
from panel.web.words import number, plural

KEYS = (
    "residential_or_not", "cost_residential_or_not", "cost_by_kind",
    "packages_by_kind_authority", "unmet_by_kind", "places_by_kind",
)  # fmt: skip
"""The published tables that it reads."""
NOISE = Fraction(5, 100)
"""By how much a published sum of money may be off."""
FURTHEST = 5
"""By how many a published count may be off."""
WEEKS = Fraction(52, 3)
"""Of a term with the holiday before it."""
PUBLIC_A_WEEK = (3_000, 4_640)
"""Pounds for a week in a children's home: about 3,000 by the Department for Education's answer to
written question 49075 (November 2016); 4,639.43 on average by Lincolnshire's answer to a request
for information on residential care placements."""
PUBLIC = (
    "No cost of residential places is published here, so it begins with public figures: about"
    " £3,000 a week (Department for Education, written question 49075, 2016) to £4,640 a week"
    " (Lincolnshire County Council, answer on residential care placements)."
)
MOST_SERVICES = 20
MOST_POUNDS = 1_000_000
STEP = 50
FIELDS = ("places", "kind", "each", "home_low", "home_high", "kind_low", "kind_high")


@dataclass(frozen=True, slots=True)
class Money:
    """Pounds for each child and term, from a low to a high estimate, and where they are from."""

    low: int
    high: int
    source: str


@dataclass(frozen=True, slots=True)
class Known:
    """What is published that a scenario needs. None: it is not published."""

    placed: int | None
    """Children in residential places."""
    home: Money
    """What such a place costs."""
    service: Money | None
    """What the kind of service costs."""
    lacking: int | None
    """Children who lack it."""
    there: int | None
    """Places that it has."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be reckoned, checked: all numbers are of one term."""

    places: int
    kind: str
    each: int
    home: tuple[int, int]
    service: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes of it, each from low to high; pounds and children of one term."""

    saved: tuple[int, int]
    spent: tuple[int, int]
    left: tuple[int, int]
    """Below nought: it costs more than it saves."""
    more: tuple[int, int]
    """Children who lack the service and could have one for what is left."""
    needed: int
    """Places that the children who come home take up."""


def known_of(seen: Seen, kind: str) -> Known:
    """What a release says."""
    placed = _value(seen, "residential_or_not", (EVERY, "true"))
    whole = _value(seen, "cost_residential_or_not", ("true",))
    home = _money(whole, placed)
    if home is None:
        low, high = (_rounded(one * WEEKS) for one in PUBLIC_A_WEEK)
        home = Money(low, high, PUBLIC)
    service = _money(
        _value(seen, "cost_by_kind", (kind,)), _value(seen, "packages_by_kind_authority", (kind,))
    )
    return Known(
        placed=None if placed is None else int(placed),
        home=home,
        service=service,
        lacking=_whole(_value(seen, "unmet_by_kind", (EVERY, kind))),
        there=_whole(_value(seen, "places_by_kind", (kind,))) or None,
    )


def _value(seen: Seen, key: str, cell: tuple[str, ...]) -> Decimal | None:
    found: Cell | None = next((one for one in seen.of(key) if one.cell == cell), None)
    return None if found is None else found.value


def _whole(value: Decimal | None) -> int | None:
    return None if value is None else int(value)


def _money(total: Decimal | None, children: Decimal | None) -> Money | None:
    """For each child, as far apart as the changed figures leave open."""
    if total is None or children is None or children <= 2 * FURTHEST:
        return None
    low = Fraction(total) * (1 - NOISE) / (Fraction(children) + FURTHEST)
    high = Fraction(total) * (1 + NOISE) / (Fraction(children) - FURTHEST)
    return Money(
        _rounded(low),
        _rounded(high),
        f"Published: £{number(int(total))} for {number(int(children))} children. The range is what"
        " the changes of both figures leave open.",
    )


def _rounded(exact: Fraction) -> int:
    """To two figures and steps of £50: more would look better known than it is."""
    step: int = max(STEP, 10 ** max(0, len(str(abs(int(exact)))) - 2))
    return int(exact / step + Fraction(1, 2)) * step


# What was asked -----------------------------------------------------------------------------------


def read(typed: Mapping[str, str], known: Known) -> tuple[Asked | None, dict[str, str]]:
    """What was typed, checked, or a sentence for each field that cannot be."""
    wrong: dict[str, str] = {}
    kind = typed["kind"]
    places = _int(typed["places"], "places", "Places", 1, wrong)
    if places is not None and known.placed is None:
        wrong["places"] = (
            "This release does not say how many children are in residential places: they are too"
            " few to be shown, so nothing can be worked out"
        )
    elif places is not None and known.placed is not None and places > known.placed:
        wrong["places"] = (
            f"There are only about {number(known.placed)} residential places: write"
            f" {number(known.placed)} or fewer"
        )
    each = _int(typed["each"], "each", "Services for each child", 1, wrong)
    if each is not None and each > MOST_SERVICES:
        wrong["each"] = f"Services for each child must be {MOST_SERVICES} or fewer"
    home = _range(typed, "home", "residential place", wrong)
    if known.service is None and not (typed["kind_low"].strip() or typed["kind_high"].strip()):
        wrong["kind_low"] = (
            f"No cost of the kind “{lower_first(SERVICES[kind])}” is published in this release:"
            " write what one costs for each child"
        )
        service = None
    else:
        service = _range(typed, "kind", "service", wrong)
    if wrong or places is None or each is None or home is None or service is None:
        return None, wrong
    return Asked(places, kind, each, home, service), {}


def _range(
    typed: Mapping[str, str], name: str, what: str, wrong: dict[str, str]
) -> tuple[int, int] | None:
    low = _int(typed[f"{name}_low"], f"{name}_low", f"The low cost of a {what}", 1, wrong)
    high = _int(typed[f"{name}_high"], f"{name}_high", f"The high cost of a {what}", 1, wrong)
    if low is None or high is None:
        return None
    if max(low, high) > MOST_POUNDS:
        wrong[f"{name}_high"] = f"A {what} must cost £{number(MOST_POUNDS)} or less"
    elif low > high:
        wrong[f"{name}_low"] = f"The low cost of a {what} must not be above the high one"
    return low, high


def _int(text: str, name: str, what: str, least: int, wrong: dict[str, str]) -> int | None:
    said = text.strip().removeprefix("£").replace(",", "")
    if not said:
        wrong[name] = f"{what}: write a whole number"
    elif said.removeprefix("-").isdecimal() and said.isascii() and len(said) < 10:
        if (found := int(said)) >= least:
            return found
        wrong[name] = f"{what} must be {least} or more"
    else:
        wrong[name] = f"{what} must be a whole number, such as 5"
    return None


# What comes of it ---------------------------------------------------------------------------------


def answer(asked: Asked, known: Known) -> Answer:
    """Reckon it. The low saving goes with the high spending: the worst case, and the best."""
    saved = tuple(asked.places * one for one in asked.home)
    needed = asked.places * asked.each
    spent = tuple(needed * one for one in asked.service)
    left = saved[0] - spent[1], saved[1] - spent[0]
    more = max(0, left[0]) // asked.service[1], max(0, left[1]) // asked.service[0]
    if known.lacking is not None:
        more = min(more[0], known.lacking), min(more[1], known.lacking)
    return Answer((saved[0], saved[1]), (spent[0], spent[1]), left, more, needed)


def pounds(value: int) -> str:
    """An amount with its sign: "−£3,000"."""
    said = _rounded(Fraction(abs(value)))
    return f"−£{number(said)}" if value < 0 and said else f"£{number(said)}"


def span(low: int, high: int) -> str:
    """Two amounts in a row: "£30,000 to £45,000"."""
    return pounds(low) if pounds(low) == pounds(high) else f"{pounds(low)} to {pounds(high)}"


def sentences(asked: Asked, known: Known, found: Answer) -> tuple[str, ...]:
    """The answer in words."""
    kind = lower_first(SERVICES[asked.kind])
    places = plural(asked.places, "residential place")
    if found.left[0] >= 0:
        first = (
            f"If {places} were no longer bought, {span(*found.left)} would be left each term after"
            f" {plural(asked.each, 'service')} of the kind “{kind}” for each child who comes home."
        )
    elif found.left[1] <= 0:
        first = (
            f"This saves nothing: services of the kind “{kind}” for the children who come home"
            f" cost more than {places}, by {span(-found.left[1], -found.left[0])} each term."
        )
    else:
        first = (
            f"It is not sure that this saves anything: from {pounds(found.left[0])} to"
            f" {pounds(found.left[1])} would be left each term."
        )
    said = [first]
    if known.lacking:
        low, high = found.more
        children = plural(high, "child", "children")
        said.append(
            f"That would pay for one such service for {f'{low} to ' if low != high else ''}"
            f"{children} of about {number(known.lacking)} who lack one."
        )
    needs = f"The children who come home need {plural(found.needed, 'place')} in such services"
    if known.there is None:
        said.append(f"{needs}. How many there are is not known in this release.")
    else:
        said.append(f"{needs}; there are {number(known.there)} in all.")
    return tuple(said)
