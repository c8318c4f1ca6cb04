"""What the pages of a request say: rows of words, made from the record as the viewer may see it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from consent import Category
from panel.allocation.models import (
    Appeal,
    Criterion,
    LetterCopy,
    RequestDecision,
    ServiceRequest,
    UnmetNeed,
    Waiting,
)
from panel.allocation.request_service import category_of, may_read
from panel.allocation.rules import (
    BASIS_WORDS,
    GROUNDS_WORDS,
    KIND_WORDS,
    LEFT_WORDS,
    NEED_WORDS,
    OUTCOME_WORDS,
    STATE_WORDS,
    TEXT_WORDS,
    URGENCY_WORDS,
    AppealOutcome,
    Grounds,
    Kind,
    LeftWhy,
    LegalBasis,
    NeedCode,
    RequestState,
    Urgency,
    units_words,
)
from panel.directory.service import Named
from panel.panels.note_pages import safely_words
from panel.records.gate import Access
from panel.register.people import FamilyPerson
from panel.web import words

LEVEL_WORDS = {
    "universal": "Universal",
    "early_help": "Early help",
    "targeted": "Targeted",
    "specialist": "Specialist",
}
STATE_COLOURS = {
    RequestState.DRAFT: "grey",
    RequestState.SENT: "teal",
    RequestState.DECIDED: "green",
    RequestState.WITHDRAWN: "grey",
}
Rows = Sequence[tuple[str, str]]
UNSEEN = (
    "You cannot see whether words are kept on how to reach them safely. Ask the lead professional,"
    " then choose."
)
NOT_LISTED = "A service that is not in the directory any more"


def address_of(child_id: UUID, request_id: UUID) -> str:
    """Where a request is read."""
    return f"/children/{child_id}/requests/{request_id}"


def holds_words(from_on: date, until_on: date | None) -> str:
    """From when until when a version holds."""
    until = "" if until_on is None else f" to {words.day(until_on)}"
    return f"From {words.day(from_on)}{until}"


def level_words(level: str | None) -> str:
    """A level of need, or that nobody has judged it."""
    return "Not judged yet" if level is None else LEVEL_WORDS.get(level, level.capitalize())


def state_tag(request: ServiceRequest) -> tuple[str, str]:
    """How far a request is: (words, colour)."""
    state = RequestState(request.state)
    return STATE_WORDS[state], STATE_COLOURS[state]


def amount_words(request: ServiceRequest) -> str:
    """How much is asked for."""
    return units_words(request.asked_units, request.unit)


def service_words(request: ServiceRequest, service: Named | None) -> str:
    """Which service of the directory is asked for; empty where none in particular is."""
    if request.service_id is None:
        return ""
    return NOT_LISTED if service is None else service.words


def request_rows(
    request: ServiceRequest, access: Access, service: Named | None, outside: Rows = ()
) -> Rows:
    """What is asked, next to the child's level of need; the family's wishes where they may be.

    `outside` is the placement outside the area that it asks for, in rows.
    """
    basis = request.legal_basis
    rows = [
        ("Level of need", level_words(request.level_of_need)),
        ("Legal basis", BASIS_WORDS[LegalBasis(basis)] if basis else ""),
        ("Main type of need", NEED_WORDS[NeedCode(request.need_code)] if request.need_code else ""),
        (TEXT_WORDS["need"], request.need),
        (TEXT_WORDS["outcome"], request.outcome),
        (TEXT_WORDS["tried"], request.tried),
        (TEXT_WORDS["asked_for"], request.asked_for),
        ("Service", service_words(request, service)),
        ("How much", amount_words(request)),
        *outside,
        ("How soon", URGENCY_WORDS[Urgency(request.urgency)]),
        (TEXT_WORDS["urgency_why"], request.urgency_why),
        ("Why it was withdrawn", request.withdrawn_why),
    ]
    if access.may(Category.VIEWS, request.agency_id, request.created_by):
        rows.append((TEXT_WORDS["family_wishes"], request.family_wishes))
    if request.sent_on is not None:
        rows.append(("Sent", words.day(request.sent_on)))
    return [(what, said) for what, said in rows if said]


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A decision as a page tells it."""

    id: UUID
    title: str
    stands: bool
    rows: Rows


def decision_row(
    decision: RequestDecision,
    request: ServiceRequest,
    criteria: Mapping[UUID, Criterion],
    access: Access,
) -> DecisionRow:
    """A decision, with the panel's own reasons where this viewer may read them."""
    kind = Kind(decision.kind)
    criterion = criteria.get(decision.criterion_id)
    rows = [
        ("Criterion", "" if criterion is None else f"{criterion.key} {criterion.title}"),
        ("How much is agreed", units_words(decision.agreed_units, request.unit)),
        ("Why less", GROUNDS_WORDS[Grounds(decision.because)] if decision.because else ""),
        ("Review by", words.day(decision.review_on)),
    ]
    if access.may(Category.PANEL):
        rows += [
            ("Reasons for the panel", decision.reasons),
            ("Reasons for the family", decision.reasons_for_family),
            ("Conditions", decision.conditions),
            ("Why no need is unmet", decision.nothing_unmet),
        ]
    if decision.chairs_action:
        ratified = decision.ratified_at
        said = "Waits for the next meeting" if ratified is None else words.day(ratified)
        rows.append(("Ratified", said))
    how = " by the chair, between meetings" if decision.chairs_action else ""
    return DecisionRow(
        decision.id,
        f"{KIND_WORDS[kind]} on {words.day(decision.decided_on)}{how}",
        decision.stands,
        [(what, said) for what, said in rows if said],
    )


@dataclass(frozen=True, slots=True)
class UnmetRow:
    """A need that is or was unmet."""

    id: UUID
    version: int
    words: str
    said: str
    is_open: bool


def unmet_row(row: UnmetNeed, access: Access) -> UnmetRow:
    """An unmet need in a sentence, with the family's words where they may be seen."""
    left = units_words(row.units_needed - row.units_agreed, row.unit)
    since = words.short_day(row.from_on)
    reason = GROUNDS_WORDS[Grounds(row.reason)]
    said = f"{left} unmet since {since}: {words.lower_first(reason)}."
    if row.until_on is not None:
        why = row.closed_why if access.may(Category.PANEL) else ""
        said = f"{said} Closed on {words.short_day(row.until_on)}: {why}".rstrip(": ")
    family = row.words if access.may(Category.VIEWS) else ""
    return UnmetRow(row.id, row.version, said, family, row.until_on is None)


def left_words(row: Waiting, access: Access) -> list[str]:
    """When a child left a waiting list and why, with the family's words where they may be seen."""
    if row.left_on is None or row.left_why is None:
        return []
    why = LEFT_WORDS[LeftWhy(row.left_why)]
    said = f"Off the list since {words.short_day(row.left_on)}: {words.lower_first(why)}."
    theirs = row.left_words if access.may(Category.VIEWS) else ""
    return [f"{said} {theirs}".rstrip()]


def copy_row(
    copy: LetterCopy, person: FamilyPerson | None, access: Access
) -> tuple[LetterCopy, str, str]:
    """A copy of a letter, whose it is, and how to reach them safely where it did not go."""
    if copy.person_id == access.child_id:
        return copy, "The young person", ""
    name = "" if person is None else person.name or ""
    if copy.failure is None or copy.sent_at is not None:
        return copy, name or "One of the family", ""
    known = None if person is None else person.safe_contact
    safely = UNSEEN if known is None else safely_words(known)
    return copy, name or "One of the family", safely


def lacking_words(
    row: UnmetNeed, request: ServiceRequest, access: Access, names: Mapping[UUID, Named]
) -> tuple[str, str]:
    """Which service is lacking and what it is counted in, for who may read its request."""
    if not may_read(access, request):
        return (str(access.withheld(category_of(request)) or "") or "You cannot see this.", "")
    unit = f"{row.unit}s"
    if row.service_id is None:
        return ("None in particular", unit)
    found = names.get(row.service_id)
    return (NOT_LISTED if found is None else found.words, unit)


@dataclass(frozen=True, slots=True)
class AppealRow:
    """An appeal and its clock."""

    id: UUID
    version: int
    words: str
    grounds: str
    is_open: bool


def appeal_row(row: Appeal, access: Access, today: date) -> AppealRow:
    """When the family asked, and by when they are answered, or what became of it."""
    said = f"The family asked on {words.day(row.asked_on)}."
    if row.outcome is None:
        by = words.day(row.answer_by)
        said = f"{said} Answer by {by} ({words.relative_day(row.answer_by, today)})."
    else:
        outcome = OUTCOME_WORDS[AppealOutcome(row.outcome)]
        on = "" if row.decided_on is None else f" on {words.day(row.decided_on)}"
        why = row.outcome_why if access.may(Category.PANEL) else ""
        said = f"{said} {outcome}{on}: {why}".rstrip(": ")
    grounds = row.grounds if access.may(Category.VIEWS) else ""
    return AppealRow(row.id, row.version, said, grounds, row.outcome is None)
