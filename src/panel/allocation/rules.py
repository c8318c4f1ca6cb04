"""The rules of requests, decisions, appeals, unmet need and waiting.

Pure. Source: DOMAIN.md, "Allocation panel (Leeds)".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from panel.allocation.outside_rules import OutsideWords, placement_missing
from panel.records.dates import age_in_years
from panel.web import words


class RequestState(StrEnum):
    """How far a request is."""

    DRAFT = "draft"
    SENT = "sent"
    DECIDED = "decided"
    WITHDRAWN = "withdrawn"


class LegalBasis(StrEnum):
    """On which law a request rests."""

    S17 = "s17"
    CSDPA2 = "csdpa2"
    S20 = "s20"
    EHCP = "ehcp"
    CONTINUING_CARE = "continuing_care"
    LOCAL_OFFER = "local_offer"


class NeedCode(StrEnum):
    """The primary types of need that schools and the census use."""

    SPLD = "spld"
    MLD = "mld"
    SLD = "sld"
    PMLD = "pmld"
    SEMH = "semh"
    SLCN = "slcn"
    HI = "hi"
    VI = "vi"
    MSI = "msi"
    PD = "pd"
    ASD = "asd"
    DS = "ds"
    OTH = "oth"


class Unit(StrEnum):
    """What a service is counted in."""

    HOUR = "hour"
    SESSION = "session"
    NIGHT = "night"
    WEEK = "week"


class Urgency(StrEnum):
    """How soon a request must be met; the order is that of a waiting list."""

    URGENT = "urgent"
    SOON = "soon"
    ROUTINE = "routine"


class Kind(StrEnum):
    """What a panel decides."""

    AGREED = "agreed"
    IN_PART = "agreed_in_part"
    DEFERRED = "deferred"
    DECLINED = "declined"


AGREES = frozenset({Kind.AGREED.value, Kind.IN_PART.value})
"""Decisions by which something is given."""


class Grounds(StrEnum):
    """Why less is given than is needed (DOMAIN.md, unmet need reasons)."""

    NO_SUCH_SERVICE = "no_such_service"
    NO_CAPACITY = "no_capacity"
    NOT_ELIGIBLE = "not_eligible"
    NO_MONEY = "no_money"
    TOO_FAR = "too_far"
    WRONG_TIME = "wrong_time"
    NOT_SUITABLE = "not_suitable"
    FAMILY_DECLINED = "family_declined"
    OTHER = "other"


class AppealOutcome(StrEnum):
    """What became of an appeal."""

    UPHELD = "upheld"
    NOT_UPHELD = "not_upheld"
    WITHDRAWN = "withdrawn"


class WaitingState(StrEnum):
    """How far a child who waits is."""

    WAITING = "waiting"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    LEFT = "left"


class OfferAnswer(StrEnum):
    """What a family says to a place."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NO_ANSWER = "no_answer"
    TAKEN_BACK = "taken_back"
    """Nobody answered, and the child left the list."""


class LeftWhy(StrEnum):
    """Why a child left a waiting list."""

    WITHDRAWN = "withdrawn"
    DECLINED = "declined"
    MET = "met"
    FAMILY = "family"
    MOVED = "moved"
    AGE = "age"
    DIED = "died"


BASIS_WORDS = {
    LegalBasis.S17: "Children Act 1989, section 17 (child in need)",
    LegalBasis.CSDPA2: "Chronically Sick and Disabled Persons Act 1970, section 2",
    LegalBasis.S20: "Children Act 1989, section 20 (accommodation, short breaks overnight)",
    LegalBasis.EHCP: "Education, health and care plan",
    LegalBasis.CONTINUING_CARE: "Children and young people’s continuing care",
    LegalBasis.LOCAL_OFFER: "Local offer (no duty to this child)",
}
NEED_WORDS = {
    NeedCode.SPLD: "Specific learning difficulty",
    NeedCode.MLD: "Moderate learning difficulty",
    NeedCode.SLD: "Severe learning difficulty",
    NeedCode.PMLD: "Profound and multiple learning difficulty",
    NeedCode.SEMH: "Social, emotional and mental health",
    NeedCode.SLCN: "Speech, language and communication",
    NeedCode.HI: "Hearing impairment",
    NeedCode.VI: "Vision impairment",
    NeedCode.MSI: "Multi-sensory impairment",
    NeedCode.PD: "Physical disability",
    NeedCode.ASD: "Autistic spectrum disorder",
    NeedCode.DS: "Down syndrome",
    NeedCode.OTH: "Other difficulty or disability",
}
TEXT_WORDS = {
    "need": "What the child needs",
    "outcome": "What should be different",
    "tried": "What was tried",
    "asked_for": "What is asked for",
    "urgency_why": "Why it cannot wait",
    "family_wishes": "What the family wishes",
}
"""The texts of a request, as its form, its page and the panel's papers call them."""
URGENCY_WORDS = {
    Urgency.ROUTINE: "In its turn",
    Urgency.SOON: "Soon",
    Urgency.URGENT: "Urgent",
}
KIND_WORDS = {
    Kind.AGREED: "Agreed",
    Kind.IN_PART: "Agreed in part",
    Kind.DEFERRED: "Deferred",
    Kind.DECLINED: "Declined",
}
GROUNDS_WORDS = {
    Grounds.NO_SUCH_SERVICE: "No such service",
    Grounds.NO_CAPACITY: "No capacity",
    Grounds.NOT_ELIGIBLE: "Not eligible",
    Grounds.NO_MONEY: "No money",
    Grounds.TOO_FAR: "Too far",
    Grounds.WRONG_TIME: "Wrong time",
    Grounds.NOT_SUITABLE: "Offered but not suitable",
    Grounds.FAMILY_DECLINED: "The family declined",
    Grounds.OTHER: "Other",
}
OUTCOME_WORDS = {
    AppealOutcome.UPHELD: "The panel decides again",
    AppealOutcome.NOT_UPHELD: "The decision stays",
    AppealOutcome.WITHDRAWN: "The family took it back",
}
ANSWER_WORDS = {
    OfferAnswer.ACCEPTED: "Accepted",
    OfferAnswer.REFUSED: "Refused",
    OfferAnswer.NO_ANSWER: "No answer in time",
    OfferAnswer.TAKEN_BACK: "Taken back",
}
ANSWERS = (OfferAnswer.ACCEPTED, OfferAnswer.REFUSED, OfferAnswer.NO_ANSWER)
"""What somebody writes down; an offer is taken back by leaving the list."""
LEFT_WORDS = {
    LeftWhy.WITHDRAWN: "The request was withdrawn",
    LeftWhy.DECLINED: "The panel declined the request",
    LeftWhy.MET: "The need is met in another way",
    LeftWhy.FAMILY: "The family does not want it any more",
    LeftWhy.MOVED: "They left the area",
    LeftWhy.AGE: "They turned 26",
    LeftWhy.DIED: "The child died",
}
BY_HAND = (LeftWhy.FAMILY, LeftWhy.MET)
"""Why somebody takes a child off a list; the rest follows from what else happens."""
OLDEST = 25
"""Years: from the next birthday on nobody waits (SEND: 0 to 25)."""
STATE_WORDS = {
    RequestState.DRAFT: "Draft",
    RequestState.SENT: "Sent to the panel",
    RequestState.DECIDED: "Decided",
    RequestState.WITHDRAWN: "Withdrawn",
}


# A duty is not a wish -----------------------------------------------------------------------------

NO_GROUNDS_AGAINST_A_DUTY = frozenset({Grounds.NO_MONEY, Grounds.NO_CAPACITY})
"""Reasons for unmet need that cannot be reasons to decline what there is a duty to give."""
ANOTHER_WAY = (
    "There is a duty to meet this need, so no money and no capacity cannot be reasons to decline."
    " Agree another way to meet it, agree a part and record the rest as unmet need, or defer it"
    " until a way is found"
)


def is_duty(basis: LegalBasis) -> bool:
    """Whether there is a duty to meet an assessed need on this basis."""
    return basis is not LegalBasis.LOCAL_OFFER


def may_decline(basis: LegalBasis, because: Grounds) -> bool:
    """Whether a request may be declined for a reason: a duty not for want of money or capacity."""
    return not (is_duty(basis) and because in NO_GROUNDS_AGAINST_A_DUTY)


# Completeness -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What is filled in of a request, and what stands on the child's record."""

    legal_basis: str | None
    need: str
    need_code: str | None
    outcome: str
    tried: str
    asked_for: str
    asked_units: Decimal | None
    unit: str | None
    urgency: str
    urgency_why: str
    family_wishes: str
    has_assessment: bool
    level_of_need: str | None
    outside: OutsideWords | None = None
    """The placement outside the area that it asks for, if it does."""


def missing_of(request: RequestFacts) -> tuple[tuple[str, str], ...]:
    """What a request lacks before a panel can decide it: (field, sentence), in the form's order."""
    found = (
        ("legal_basis", not request.legal_basis, "Select the legal basis"),
        ("need_code", not request.need_code, "Select the main type of need"),
        ("need", not request.need, "Say what the child needs"),
        ("outcome", not request.outcome, "Say what should be different for the child"),
        ("tried", not request.tried, "Say what was tried, and what came of it"),
        ("asked_for", not request.asked_for, "Say what is asked for"),
        ("asked_units", not request.asked_units, "Say how much is asked for"),
        ("unit", not request.unit, "Select what it is counted in"),
        (
            "urgency_why",
            request.urgency != Urgency.ROUTINE and not request.urgency_why,
            "Say why it cannot wait for its turn",
        ),
        (
            "family_wishes",
            not request.family_wishes,
            "Write down what the family wishes, in their own words",
        ),
        (
            "assessment",
            not request.has_assessment,
            "The child has no assessment that is signed off. Sign one off first",
        ),
        (
            "level_of_need",
            not request.level_of_need,
            "Nobody has judged the child’s level of need. Judge it first",
        ),
    )
    lacking = tuple((name, sentence) for name, lacks, sentence in found if lacks)
    return lacking + placement_missing(request.outside)


def age_mistake(born: date | None, today: date, ages: tuple[int | None, int | None]) -> str:
    """Why a child of an age cannot use a service for certain ages (whole years), or empty."""
    least, most = ages
    if born is None:
        return ""
    age = age_in_years(born, today)
    if least is not None and age < least:
        return f"This service is for children from {least} on, and the child is {age}"
    if most is not None and age > most:
        return f"This service is for children up to {most}, and the child is {age}"
    return ""


# Decisions ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unmet:
    """What stays unmet by a decision, and why."""

    reason: Grounds
    words: str = ""


@dataclass(frozen=True, slots=True)
class NoneBecause:
    """Why a decision for less than was asked leaves no need unmet."""

    why: str


@dataclass(frozen=True, slots=True)
class Proposed:
    """A decision as somebody is about to record it."""

    kind: Kind
    criterion_id: UUID
    reasons: str
    reasons_for_family: str
    review_on: date
    conditions: str = ""
    agreed_units: Decimal | None = None
    """Of a part alone: the whole is what was asked for, and nothing is nothing."""
    because: Grounds | None = None
    unmet: Unmet | NoneBecause | None = None


def agreed_of(decision: Proposed, asked: Decimal) -> Decimal:
    """How much is agreed."""
    if decision.kind is Kind.AGREED:
        return asked
    if decision.kind is Kind.IN_PART and decision.agreed_units is not None:
        return decision.agreed_units
    return Decimal(0)


def decision_mistakes(
    decision: Proposed,
    *,
    basis: LegalBasis,
    asked: Decimal,
    criterion_is_duty: bool,
    today: date,
) -> tuple[tuple[str, str], ...]:
    """Why a decision cannot be recorded: (field, sentence), in the form's order."""
    less = decision.kind is not Kind.AGREED
    part = decision.agreed_units
    declined = decision.kind is Kind.DECLINED
    grounds = [decision.because] if decision.because else []
    if isinstance(decision.unmet, Unmet):
        grounds.append(decision.unmet.reason)
    found = (
        (
            "agreed_units",
            decision.kind is Kind.IN_PART and (part is None or not 0 < part < asked),
            f"Say how much is agreed: more than nothing, less than the {number(asked)} asked for",
        ),
        ("agreed_units", decision.kind is Kind.IN_PART and is_too_fine(part), TOO_FINE),
        (
            "criterion",
            declined and is_duty(basis) and not criterion_is_duty,
            "There is a duty to meet this need. Choose a criterion that is about duties",
        ),
        ("because", less and decision.because is None, "Select why less is agreed than was asked"),
        (
            "because",
            declined and any(not may_decline(basis, one) for one in grounds),
            ANOTHER_WAY,
        ),
        ("reasons", not decision.reasons.strip(), "Write the panel’s reasons"),
        (
            "reasons_for_family",
            not decision.reasons_for_family.strip(),
            "Write the reasons for the family, in plain words",
        ),
        ("review_on", decision.review_on <= today, "The review must be on a day to come"),
        (
            "unmet",
            less and decision.unmet is None,
            "Say what stays unmet, or why nothing does",
        ),
        (
            "nothing_unmet",
            less and isinstance(decision.unmet, NoneBecause) and not decision.unmet.why.strip(),
            "Say why no need stays unmet",
        ),
        (
            "unmet_words",
            less
            and isinstance(decision.unmet, Unmet)
            and decision.unmet.reason is Grounds.NOT_SUITABLE
            and not decision.unmet.words.strip(),
            "Write in the family’s words why it was not suitable",
        ),
    )
    return tuple((name, sentence) for name, wrong, sentence in found if wrong)


FINEST = Decimal("0.001")
TOO_FINE = "Write it with at most three decimals"


def is_too_fine(amount: Decimal | None) -> bool:
    """Whether a number of units would be kept as another number than was written."""
    return amount is not None and amount != amount.quantize(FINEST)


def number(amount: Decimal) -> str:
    """A number of units without needless zeros: "2", "2.5"."""
    return f"{amount.normalize():f}"


def units_words(amount: Decimal | None, unit: str | None) -> str:
    """How much of a service: "12 nights", "1 hour"."""
    if amount is None or not unit:
        return ""
    return f"{number(amount)} {unit if amount == 1 else f'{unit}s'}"


# Waiting ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InLine:
    """A child who waits for one service."""

    id: UUID
    priority: Urgency
    since_on: date


def in_order(waiting: Sequence[InLine]) -> list[InLine]:
    """A waiting list in its order: by urgency, then the longest wait, then who came first."""
    order = list(Urgency)
    return sorted(waiting, key=lambda one: (order.index(one.priority), one.since_on, one.id.int))


def position_words(row: Sequence[InLine], who: UUID, today: date) -> str:
    """Where somebody stands in a row (`in_order`), and why there; empty for who is not in it."""
    place = next((at for at, one in enumerate(row) if one.id == who), None)
    if place is None:
        return ""
    mine = row[place]
    ahead = sum(1 for one in row[:place] if one.priority is not mine.priority)
    said = [f"Number {place + 1} of {len(row)} on the list."]
    if ahead:
        said.append(f"{words.plural(ahead, 'child', 'children')} with a more urgent need first.")
    longer = place - ahead
    if longer:
        said.append(f"{words.plural(longer, 'child', 'children')} waiting longer.")
    waited = words.plural((today - mine.since_on).days, "day")
    return f"{' '.join(said)} Waiting since {words.short_day(mine.since_on)} ({waited})."


def answer_mistake(answer: OfferAnswer, why: str) -> str:
    """Why an answer to an offer cannot be kept: a refusal has the family's words."""
    if answer is OfferAnswer.REFUSED and not why.strip():
        return "Write in the family’s words why they refused"
    return ""


def left_mistake(why: LeftWhy, words: str) -> str:
    """Why a child cannot leave a list so: what the family wants is kept in their words."""
    if why is LeftWhy.FAMILY and not words.strip():
        return "Write in the family’s words why they do not want it any more"
    return ""
