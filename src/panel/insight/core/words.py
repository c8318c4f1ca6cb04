"""The words of published figures: periods, levels of area, and the closed lists that tables use.

What a room writes in its own words is put into these when a fact is made. A code that is in no
list here does not reach a fact.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NewType

Period = NewType("Period", str)
"""A school term as "2026-autumn"."""

NOT_SAID = ""
"""The code of what nobody wrote down. It is counted like any other."""
EVERY = "*"
"""In a cell's codes: all of this dimension together."""


class Level(StrEnum):
    """How big the areas of a table are."""

    WARD = "ward"
    CLUSTER = "cluster"
    """Three to six wards that touch."""
    AUTHORITY = "authority"


class Span(StrEnum):
    """Over what time children are counted, each once."""

    TERM = "term"
    ROLLING = "three_terms"
    """A term and the two before it."""


_TERMS = ("spring", "summer", "autumn")


def ordinal(period: Period) -> int:
    """Where a term stands in time: the next term has the next number. ValueError: no term."""
    year, _, term = period.partition("-")
    if term not in _TERMS or len(year) != 4 or not (year.isascii() and year.isdigit()):
        raise ValueError(f"Write a term as 2026-autumn, not {period!r}")
    return int(year) * len(_TERMS) + _TERMS.index(term)


def period_at(number: int) -> Period:
    """The term of an `ordinal`."""
    year, term = divmod(number, len(_TERMS))
    return Period(f"{year:04}-{_TERMS[term]}")


def window(period: Period) -> tuple[Period, Period, Period]:
    """The three terms that a rolling table of this term counts, oldest first."""
    last = ordinal(period)
    return period_at(last - 2), period_at(last - 1), period


def period_words(period: Period) -> str:
    """As people read it: "autumn term 2026"."""
    year, _, term = period.partition("-")
    return f"{term} term {year}"


# Closed lists: code → what people read ------------------------------------------------------------

AGE_BANDS = ("0–2", "3–4", "5–7", "8–11", "12–15", "16–18", "19–25")

AGES: Mapping[str, str] = {band: band for band in AGE_BANDS}
SEXES: Mapping[str, str] = {
    "female": "Girls",
    "male": "Boys",
    "indeterminate": "Indeterminate",
}
ETHNICITIES: Mapping[str, str] = {
    "asian": "Asian or Asian British",
    "black": "Black, Black British, Caribbean or African",
    "mixed": "Mixed or multiple ethnic groups",
    "white": "White",
    "other": "Other ethnic group",
}
"""The five groups of the 2021 census."""
NEEDS: Mapping[str, str] = {
    "asd": "Autism",
    "ds": "Down syndrome",
    "gdd": "Global developmental delay",
    "hi": "Hearing impairment",
    "medical": "Complex medical needs",
    "mld": "Moderate learning difficulty",
    "msi": "Multi-sensory impairment",
    "oth": "Another difficulty or disability",
    "pd": "Physical disability",
    "pmld": "Profound and multiple learning difficulty",
    "semh": "Social, emotional and mental health",
    "slcn": "Speech, language and communication",
    "sld": "Severe learning difficulty",
    "spld": "Specific learning difficulty",
    "vi": "Visual impairment",
}
LEVELS: Mapping[str, str] = {
    "universal": "Universal",
    "early_help": "Early help",
    "targeted": "Targeted",
    "specialist": "Specialist",
}
SERVICES: Mapping[str, str] = {
    "short_break": "Short break",
    "childcare": "Childcare",
    "play_and_leisure": "Play and leisure",
    "therapy": "Therapy",
    "health": "Health",
    "education": "Education",
    "family_support": "Family support",
    "information": "Information and advice",
    "equipment": "Equipment",
    "transport": "Transport",
    "other": "Another kind",
}
BASES: Mapping[str, str] = {
    "s17": "Children Act 1989, section 17",
    "csdpa2": "Chronically Sick and Disabled Persons Act 1970, section 2",
    "s20": "Children Act 1989, section 20",
    "ehcp": "Education, health and care plan",
    "continuing_care": "Continuing care",
    "local_offer": "Local offer",
}
DECISIONS: Mapping[str, str] = {
    "agreed": "Agreed",
    "agreed_in_part": "Agreed in part",
    "deferred": "Put off",
    "declined": "Declined",
}
AGREES = frozenset({"agreed", "agreed_in_part"})
"""Decisions by which something is given."""
REASONS: Mapping[str, str] = {
    "no_such_service": "There is no such service",
    "no_capacity": "There is no place",
    "not_eligible": "The child is not eligible",
    "no_money": "There is no money",
    "too_far": "It is too far away",
    "wrong_time": "It is at the wrong time",
    "not_suitable": "It does not suit the child",
    "family_declined": "The family declined",
    "other": "Another reason",
}
WAYS: Mapping[str, str] = {
    "in_kind": "A service",
    "direct_payment": "A direct payment",
    "personal_budget": "A personal budget",
}
PAYERS: Mapping[str, str] = {
    "health": "Health",
    "education": "Education",
    "social_care": "Social care",
}
CLOCKS: Mapping[str, str] = {
    "identified_referral": "From when a need was seen to the referral",
    "referral_panel": "From the referral to the panel",
    "panel_service": "From the panel to the service",
    "request_decision": "From the request to the decision",
    "place": "On a waiting list for a place",
}
WAIT_WEEKS = (6, 12, 18, 26, 52)
"""Where one band of waiting ends and the next begins, in weeks."""
WAIT_BANDS = ("under 6", "6–12", "12–18", "18–26", "26–52", "over 52")
QUESTIONS: Mapping[str, str] = {
    "information": "Information",
    "assessment": "Assessment",
    "transparency": "Transparency",
    "participation": "Participation",
    "feedback": "Feedback",
}
TRANSITIONS: Mapping[str, str] = {
    "school_start": "Starting school",
    "secondary": "Primary to secondary school",
    "preparing_adulthood": "Preparing for adulthood, from year 9",
    "adult_services": "To adult services",
    "hospital_home": "From hospital to home",
    "area": "To or from another area",
}
LISTS: Mapping[str, str] = {
    "sen": "SEN register",
    "health": "Health list",
    "dla": "Disability Living Allowance",
}
COURSES: Mapping[str, str] = {"better": "Better", "same": "The same", "worse": "Worse"}
"""Of an outcome: its latest score beside its baseline."""
YES_NO: Mapping[str, str] = {"true": "Yes", "false": "No"}
EXPECTED_BANDS: Mapping[str, str] = {
    "complex": "The most complex needs: 1 in 100 children",
    "dla": "Disabled as the Disability Living Allowance sees it: 7.7 in 100 children",
}
"""What share of children one would expect, by two definitions: never one truth (DOMAIN.md)."""
TERMS_AHEAD: Mapping[str, str] = {"1": "Next term", "2": "In two terms", "3": "In three terms"}
EDGES: Mapping[str, str] = {"low": "At least", "high": "At most"}


def lower_first(text: str) -> str:
    """With a small first letter, to go on within a sentence."""
    return text[:1].lower() + text[1:]
