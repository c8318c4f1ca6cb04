"""What holds for drawing a sample and for telling what was found. Pure.

Nobody picks what is audited: a seed is made by chance and kept, and each assessment has a place in
the order that seed and id give. Whoever has the seed and the same assessments draws the same ones.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from uuid import UUID

from panel.web.words import plural, short_day

MOST_DRAWN = 50
LONGEST_PERIOD = timedelta(days=366)
FEWEST = 10
"""Of fewer assessments no figures are told: they would tell of one worker, or of one child."""
NEAR_AN_END = 5
"""A number this near none or all is said in a word."""
ROUNDED_TO = 5


@dataclass(frozen=True, slots=True)
class Candidate:
    """One signed-off assessment that may be drawn: process facts alone."""

    id: UUID
    child_id: UUID
    form_key: str
    author_id: UUID


def wrong_period(first: date, last: date, today: date) -> str:
    """What is wrong with the days of sign-off that are drawn from, as a sentence, or nothing."""
    if last < first:
        return "The last day must be on or after the first day"
    if last > today:
        return "The last day must be today or earlier: what is not signed off yet cannot be drawn"
    if last - first >= LONGEST_PERIOD:
        return "Choose a year at most"
    return ""


def overlap_words(first: date, last: date) -> str:
    """Why no second sample is drawn of days that were drawn from: whoever draws again picks."""
    return (
        f"A sample of {short_day(first)} to {short_day(last)} was drawn already, and nobody draws"
        " again until a draw suits them. Choose days outside it"
    )


def place_in_draw(seed: str, assessment: UUID) -> bytes:
    """Where an assessment stands in the order of a draw: 32 bytes, as good as random."""
    return sha256(f"{seed}:{assessment}".encode()).digest()


def draw(frame: Sequence[Candidate], most: int, seed: str) -> list[Candidate]:
    """`most` assessments, or all where there are fewer, each form in proportion.

    Where `most` suffices, a form that was used at all is drawn from. The order of `frame` does not
    matter.
    """
    by_form: dict[str, list[Candidate]] = defaultdict(list)
    for one in frame:
        by_form[one.form_key].append(one)
    shares = shares_of({form: len(those) for form, those in by_form.items()}, most)
    drawn: list[Candidate] = []
    for form in sorted(by_form):
        placed = sorted(by_form[form], key=lambda one: place_in_draw(seed, one.id))
        drawn.extend(placed[: shares[form]])
    return drawn


def shares_of(sizes: Mapping[str, int], most: int) -> dict[str, int]:
    """How many are drawn of each form: whole numbers that add up to `most`, or to all there are.

    Webster's method, after one of each, the most used forms before the others, as far as it goes.
    """
    if sum(sizes.values()) <= most:
        return dict(sizes)
    order = sorted(sizes, key=lambda form: (-sizes[form], form))
    shares = {form: 1 if place < most else 0 for place, form in enumerate(order)}
    for _ in range(most - sum(shares.values())):
        free = [form for form in order if shares[form] < sizes[form]]
        shares[max(free, key=lambda form: sizes[form] / (2 * shares[form] + 1))] += 1
    return shares


# What is told of agencies -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Complete:
    """How complete one agency's signed-off assessments of a period are: counts, no child."""

    agency_id: UUID
    signed_off: int
    whole: int
    """In how many every section was filled in."""
    own_words: int
    """In how many the section with the child's own words was filled in."""
    with_own_words_asked: int
    """How many were of forms that ask for the child's own words."""
    days: int
    """The median of days from start to sign-off."""


def share_words(some: int, of: int) -> str:
    """How many of them, so that none of them can be told apart: about a share, or a word."""
    if of < FEWEST:
        return "Too few to say"
    if some < NEAR_AN_END:
        return "Few or none"
    if of - some < NEAR_AN_END:
        return "Nearly all or all"
    return f"About {round(20 * some / of) * 5}%"


def number_words(number: int) -> str:
    """About how many, rounded to five; of few, that they are few."""
    if number < FEWEST:
        return f"Fewer than {FEWEST}"
    return f"About {ROUNDED_TO * round(number / ROUNDED_TO)}"


def days_words(found: Complete) -> str:
    """The usual time to sign-off, in whole days."""
    if found.signed_off < FEWEST:
        return "Too few to say"
    return "The same day" if found.days == 0 else plural(found.days, "day")


def judged_words(ratings: Iterable[Mapping[str, str]], key: str) -> str:
    """Of how many audited assessments a question holds; whoever could not tell is left out."""
    counted = Counter(one.get(key, "") for one in ratings)
    told = sum(counted[value] for value in ("yes", "partly", "no"))
    return share_words(counted["yes"], told)
