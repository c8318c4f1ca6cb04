"""Which changes in a child's life are watched, and when each is due: rules alone.

School years begin on 1 September and are of those born from 1 September to 31 August (School
Admissions Code 2021). Places named in an education, health and care plan are due by 15 February
in the year of a transfer, from secondary school to post-16 by 31 March, between post-16 places
five months before (SEND Regulations 2014, regulation 18). Free early education begins in the term
after the third birthday. Personal independence payment takes the place of disability living
allowance at 16.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from consent import Category
from panel.records.dates import birthday, months_after

STATES = ("watched", "planned", "handed", "done", "not_needed")
OPEN = ("watched", "planned", "handed")
"""The states in which it is still to happen."""
STATE_WORDS: Mapping[str, str] = {
    "watched": "Not planned yet",
    "planned": "Planned",
    "handed": "Handed over",
    "done": "Done",
    "not_needed": "Not needed",
}
LEAVING_CONTACTS_AT = 8
"""Years of age, where an authority sets no other (Sutton's CONTACTS)."""


class TransitionKind(StrEnum):
    """A change that somebody prepares."""

    HOSPITAL_TO_HOME = "hospital_to_home"
    NURSERY = "nursery"
    RECEPTION = "reception"
    LEAVING_CONTACTS = "leaving_contacts"
    SECONDARY = "secondary"
    YEAR_9 = "year_9"
    OWN_AGREEMENT = "own_agreement"
    EARLY_YEARS_PLACE = "early_years_place"
    PHASE_PLACE = "phase_place"
    POST_16_PLACE = "post_16_place"
    BETWEEN_POST_16 = "between_post_16"
    DLA_TO_PIP = "dla_to_pip"
    TURNING_18 = "turning_18"
    TURNING_25 = "turning_25"
    NEW_ADDRESS = "new_address"
    NEW_SCHOOL = "new_school"
    NEW_GP = "new_gp"
    NEW_AUTHORITY = "new_authority"


KIND_WORDS: Mapping[TransitionKind, str] = {
    TransitionKind.HOSPITAL_TO_HOME: "From hospital to home",
    TransitionKind.NURSERY: "Starting nursery",
    TransitionKind.RECEPTION: "Starting Reception",
    TransitionKind.LEAVING_CONTACTS: "Leaving CONTACTS",
    TransitionKind.SECONDARY: "From primary to secondary school",
    TransitionKind.YEAR_9: "Year 9: preparing for adulthood",
    TransitionKind.OWN_AGREEMENT: "Turning 16: their own agreement",
    TransitionKind.EARLY_YEARS_PLACE: "Place for Reception named in an EHC plan",
    TransitionKind.PHASE_PLACE: "Place for secondary school named in an EHC plan",
    TransitionKind.POST_16_PLACE: "Place after 16 named in an EHC plan",
    TransitionKind.BETWEEN_POST_16: "Next place after 16 named in an EHC plan, five months before",
    TransitionKind.DLA_TO_PIP: "From DLA to PIP",
    TransitionKind.TURNING_18: "Turning 18",
    TransitionKind.TURNING_25: "Turning 25",
    TransitionKind.NEW_ADDRESS: "A new home",
    TransitionKind.NEW_SCHOOL: "A new school",
    TransitionKind.NEW_GP: "A new GP",
    TransitionKind.NEW_AUTHORITY: "A new authority",
}
FAMILY_WORDS: Mapping[TransitionKind, str] = {
    TransitionKind.HOSPITAL_TO_HOME: "Coming home from hospital",
    TransitionKind.NURSERY: "Starting nursery",
    TransitionKind.RECEPTION: "Starting school",
    TransitionKind.LEAVING_CONTACTS: "The panel for younger children comes to an end",
    TransitionKind.SECONDARY: "Moving to secondary school",
    TransitionKind.YEAR_9: "Year 9: first plans for being an adult",
    TransitionKind.OWN_AGREEMENT: "Turning 16: deciding for oneself",
    TransitionKind.EARLY_YEARS_PLACE: "The school to start at is written into the EHC plan",
    TransitionKind.PHASE_PLACE: "The secondary school is written into the EHC plan",
    TransitionKind.POST_16_PLACE: "The place after 16 is written into the EHC plan",
    TransitionKind.BETWEEN_POST_16: "The next place after 16 is written into the EHC plan",
    TransitionKind.DLA_TO_PIP: "Changing from DLA to PIP",
    TransitionKind.TURNING_18: "Turning 18",
    TransitionKind.TURNING_25: "Turning 25",
    TransitionKind.NEW_ADDRESS: "A new home",
    TransitionKind.NEW_SCHOOL: "A new school",
    TransitionKind.NEW_GP: "A new GP",
    TransitionKind.NEW_AUTHORITY: "Moving to another council’s area",
}
CATEGORY_OF: Mapping[TransitionKind, Category] = {
    TransitionKind.HOSPITAL_TO_HOME: Category.HEALTH,
    TransitionKind.NEW_GP: Category.HEALTH,
    TransitionKind.BETWEEN_POST_16: Category.EDUCATION,
    TransitionKind.NEW_SCHOOL: Category.EDUCATION,
    TransitionKind.NEW_ADDRESS: Category.CONTACT,
    TransitionKind.NEW_AUTHORITY: Category.CONTACT,
}
"""What a change tells of a child; the others tell of the birth date, which is identity."""
NOBODY_RECEIVES = frozenset({TransitionKind.OWN_AGREEMENT, TransitionKind.DLA_TO_PIP})
"""Changes after which no other agency works with the child because of them."""
NAMED_IN_PLAN = (
    TransitionKind.EARLY_YEARS_PLACE,
    TransitionKind.PHASE_PLACE,
    TransitionKind.POST_16_PLACE,
)
"""Places that an EHC plan names: found where Panel knows of one, else written down."""
WRITTEN_DOWN = (
    TransitionKind.HOSPITAL_TO_HOME,
    *NAMED_IN_PLAN,
    TransitionKind.BETWEEN_POST_16,
    TransitionKind.NEW_ADDRESS,
    TransitionKind.NEW_SCHOOL,
    TransitionKind.NEW_GP,
    TransitionKind.NEW_AUTHORITY,
)
"""What Panel cannot know for certain: a worker writes it down before it happens."""
FROM_BIRTH = frozenset(
    {
        TransitionKind.NURSERY,
        TransitionKind.RECEPTION,
        TransitionKind.LEAVING_CONTACTS,
        TransitionKind.SECONDARY,
        TransitionKind.YEAR_9,
        TransitionKind.OWN_AGREEMENT,
        *NAMED_IN_PLAN,
        TransitionKind.DLA_TO_PIP,
        TransitionKind.TURNING_18,
        TransitionKind.TURNING_25,
    }
)
"""Those whose day a birth date tells."""
MONTHS_BEFORE: Mapping[TransitionKind, int] = {
    TransitionKind.NURSERY: 4,
    TransitionKind.RECEPTION: 11,
    TransitionKind.LEAVING_CONTACTS: 6,
    TransitionKind.SECONDARY: 12,
    TransitionKind.YEAR_9: 6,
    TransitionKind.OWN_AGREEMENT: 6,
    TransitionKind.EARLY_YEARS_PLACE: 5,
    TransitionKind.PHASE_PLACE: 5,
    TransitionKind.POST_16_PLACE: 6,
    TransitionKind.BETWEEN_POST_16: 5,
    TransitionKind.DLA_TO_PIP: 4,
    TransitionKind.TURNING_18: 12,
    TransitionKind.TURNING_25: 12,
}
"""How long before its day somebody should prepare it; the others from when they are known.

The day of a place is the one by which the plan names it: between places after 16 that is five
months before the move itself.
"""


@dataclass(frozen=True, slots=True)
class Due:
    """One change: from when it is prepared, and its day."""

    kind: TransitionKind
    watch_from: date
    on: date


def watch_from(kind: TransitionKind, on: date) -> date:
    """From when a change on a day is prepared."""
    return months_after(on, -MONTHS_BEFORE.get(kind, 0))


def school_year_of_birth(born: date) -> int:
    """In which year the school year began (1 September) in which a child was born."""
    return born.year if born.month >= 9 else born.year - 1


def first_nursery_term(born: date) -> date:
    """The first 1 January, 1 April or 1 September after the third birthday."""
    third = birthday(born, 3)
    starts = (date(third.year, 1, 1), date(third.year, 4, 1), date(third.year, 9, 1))
    return next((one for one in starts if one > third), date(third.year + 1, 1, 1))


def days_of_a_life(born: date, leaving_at: int = LEAVING_CONTACTS_AT) -> Sequence[Due]:
    """Every change that a birth date tells of, in the order of their days.

    `leaving_at`: the age in years at which an authority's CONTACTS ends.
    """
    year = school_year_of_birth(born)
    days = {
        TransitionKind.NURSERY: first_nursery_term(born),
        TransitionKind.EARLY_YEARS_PLACE: date(year + 5, 2, 15),
        TransitionKind.RECEPTION: date(year + 5, 9, 1),
        TransitionKind.LEAVING_CONTACTS: birthday(born, leaving_at),
        TransitionKind.PHASE_PLACE: date(year + 12, 2, 15),
        TransitionKind.SECONDARY: date(year + 12, 9, 1),
        TransitionKind.YEAR_9: date(year + 14, 9, 1),
        TransitionKind.OWN_AGREEMENT: birthday(born, 16),
        TransitionKind.DLA_TO_PIP: birthday(born, 16),
        TransitionKind.POST_16_PLACE: date(year + 17, 3, 31),
        TransitionKind.TURNING_18: birthday(born, 18),
        TransitionKind.TURNING_25: birthday(born, 25),
    }
    found = [Due(kind, watch_from(kind, on), on) for kind, on in days.items()]
    return sorted(found, key=lambda one: (one.on, one.kind))


def due_now(
    born: date,
    since: date,
    today: date,
    leaving_at: int = LEAVING_CONTACTS_AT,
    *,
    has_plan: bool,
) -> Sequence[Due]:
    """What is to be prepared today for a child whose case is open since a day.

    What was over before the case began is nobody's to prepare. `has_plan`: whether it is known that
    the child has an EHC plan, or is assessed for one.
    """
    return [
        one
        for one in days_of_a_life(born, leaving_at)
        if one.watch_from <= today
        and one.on >= since
        and (has_plan or one.kind not in NAMED_IN_PLAN)
    ]


def is_a_day_of(
    kind: TransitionKind, on: date, born: date, leaving_at: int = LEAVING_CONTACTS_AT
) -> bool:
    """Whether a birth date still tells of this change on this day: it may have been put right."""
    return any(one.kind is kind and one.on == on for one in days_of_a_life(born, leaving_at))


def category_of(kind: TransitionKind) -> Category:
    """By which category it is decided who may know of a change."""
    return CATEGORY_OF.get(kind, Category.IDENTITY)
