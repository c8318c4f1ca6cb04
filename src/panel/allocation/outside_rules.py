"""The rules of placements outside the authority's area.

Pure. Source: Care Planning, Placement and Case Review (England) Regulations 2010 (regulations 11,
12, 13 and 28) for looked-after children; Children Act 1989, sections 85, 86 and 86A, for those whom
health or education accommodates for three months or more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from panel.records.dates import months_after
from panel.web import words


class PlacementKind(StrEnum):
    """What kind of place it is."""

    RESIDENTIAL_SCHOOL = "residential_school"
    CARER = "carer"
    CHILDRENS_HOME = "childrens_home"
    OTHER = "other"


class Footing(StrEnum):
    """On what footing a child lives there: it says which conditions hold."""

    LOOKED_AFTER = "looked_after"
    ACCOMMODATED = "accommodated"
    SHORTER = "shorter"


class Applies(StrEnum):
    """For whom a condition holds."""

    EVERYBODY = "everybody"
    LOOKED_AFTER = "looked_after"
    ACCOMMODATED = "accommodated"


PLACEMENT_WORDS = {
    PlacementKind.RESIDENTIAL_SCHOOL: "Residential school",
    PlacementKind.CARER: "Foster carer or short-break carer",
    PlacementKind.CHILDRENS_HOME: "Children’s home",
    PlacementKind.OTHER: "Another place",
}
FOOTING_WORDS = {
    Footing.LOOKED_AFTER: "The child is looked after",
    Footing.ACCOMMODATED: "Health or education accommodates the child for three months or more",
    Footing.SHORTER: "Neither: shorter stays",
}
APPLIES_WORDS = {
    Applies.EVERYBODY: "Every child",
    Applies.LOOKED_AFTER: "Looked-after children",
    Applies.ACCOMMODATED: "Accommodated by health or education",
}
FIRST_VISIT = timedelta(days=7)
"""A looked-after child is visited within a week of moving in (regulation 28(2)(a))."""


@dataclass(frozen=True, slots=True)
class OutsideWords:
    """What a draft says of a placement outside the area. Anything may be empty until it is sent."""

    kind: str | None = None
    footing: str | None = None
    area: str = ""
    provider: str = ""
    from_on: date | None = None
    until_on: date | None = None


def placement_missing(said: OutsideWords | None) -> tuple[tuple[str, str], ...]:
    """What a request lacks that asks for such a placement: (field, sentence)."""
    if said is None:
        return ()
    found = (
        ("placement_kind", not said.kind, "Select what kind of placement it is"),
        ("placement_footing", not said.footing, "Select how the child would live there"),
        ("placement_area", not said.area, "Say in which authority’s area the placement is"),
        ("placement_provider", not said.provider, "Say who provides the placement"),
        ("placement_from", not said.from_on, "Enter from when the placement is asked for"),
    )
    return tuple((name, sentence) for name, lacks, sentence in found if lacks)


def stretch_mistake(from_on: date | None, until_on: date | None) -> str:
    """Why a placement cannot last from one day to another, or empty."""
    if from_on and until_on and until_on < from_on:
        return "A placement cannot end before it begins"
    return ""


def holds_for(applies: str, footing: str | None) -> bool:
    """Whether a condition holds for a child who lives somewhere on this footing."""
    return applies in (Applies.EVERYBODY.value, footing)


def is_late(visit_by: date | None, today: date) -> bool:
    """Whether a visit is overdue."""
    return visit_by is not None and visit_by < today


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often the authority reviews and visits."""

    review_months: int
    visit_weeks: int
    other_visit_weeks: int

    def review_by(self, decided_on: date) -> date:
        """By when a placement that is agreed today is reviewed."""
        return months_after(decided_on, self.review_months)

    def visit_by(self, footing: str | None, began_on: date, visited_on: date | None) -> date:
        """By when somebody visits, counted from the last visit, or from the day of moving in."""
        looked_after = footing == Footing.LOOKED_AFTER
        every = timedelta(weeks=self.visit_weeks if looked_after else self.other_visit_weeks)
        if visited_on is not None:
            return visited_on + every
        return began_on + (min(FIRST_VISIT, every) if looked_after else every)


@dataclass(frozen=True, slots=True)
class Agreeing:
    """A placement that somebody is about to agree to."""

    lacking: Sequence[str]
    """Titles of conditions that are not met."""
    review_on: date
    today: date


def agreeing_mistakes(about: Agreeing, rhythm: Rhythm | None) -> tuple[tuple[str, str], ...]:
    """Why a placement cannot be agreed to: (field, sentence)."""
    if rhythm is None:
        said = (
            "No conditions for placements out of the area hold today."
            " Whoever runs the panel adds them first"
        )
        return (("kind", said),)
    found = []
    if about.lacking:
        titles = "; ".join(about.lacking)
        said = "A placement out of the area is agreed once each condition is met"
        found.append(("kind", f"{said}. Not yet: {titles}"))
    latest = rhythm.review_by(about.today)
    if about.review_on > latest:
        months = words.plural(rhythm.review_months, "month")
        said = (
            f"A placement out of the area is reviewed within {months}:"
            f" by {words.day(latest)} at the latest"
        )
        found.append(("review_on", said))
    return tuple(found)


# The authority's own version ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConditionWords:
    """One condition as it is written down."""

    key: str
    title: str
    text: str
    law: str
    applies: Applies


def read_conditions(typed: str, applies: Applies) -> list[ConditionWords]:
    """Conditions as they are typed, one a line: number, title, text and law parted by "|"."""
    found = []
    for line in typed.splitlines():
        if line.strip():
            parts = (*(part.strip() for part in line.split("|", 3)), "", "", "")
            key, title, said, law = parts[:4]
            found.append(ConditionWords(key, title, said, law, applies))
    return found


def conditions_mistakes(conditions: Sequence[ConditionWords]) -> tuple[tuple[str, str], ...]:
    """Why conditions cannot be a version: (field, sentence)."""
    keys = [one.key for one in conditions]
    lacks = any(not (one.key and one.title and one.text and one.law) for one in conditions)
    found = (
        (not conditions, "Write at least one condition"),
        (lacks, "Give each condition a number, a title, what it says and its law"),
        (len(set(keys)) < len(keys), "Two conditions have the same number"),
    )
    return tuple(("conditions", sentence) for wrong, sentence in found if wrong)


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition, and whether it is met."""

    id: UUID
    key: str
    title: str
    text: str
    law: str
    met_on: date | None
    note: str
    version: int
    """Of what is written down about it; nought where nothing is."""
