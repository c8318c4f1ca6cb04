"""What is said to be wrong: whoever holds the plan corrects it, with the earlier words kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Tie
from panel.governance.rights_models import Correction, RightKind, RightRequest
from panel.governance.rights_service import of_record
from panel.plans.models import (
    Action,
    DesiredOutcome,
    MeasureReading,
    OutcomeMeasure,
    OutcomeProgress,
    Plan,
)
from panel.platform.problems import Conflict, FieldError, Gone, Invalid, NotAllowed
from panel.records.child_scoped import ChildScoped
from panel.records.gate import Access
from panel.register.models import SignificantEvent
from panel.web import words

CORRECTABLE: Mapping[str, tuple[type[ChildScoped], str]] = {
    "plan.summary": (Plan, "Plan"),
    "desired_outcome.text": (DesiredOutcome, "Desired outcome"),
    "desired_outcome.measure": (DesiredOutcome, "How we will know"),
    "outcome_progress.note": (OutcomeProgress, "Where things stood"),
    "outcome_measure.baseline_words": (OutcomeMeasure, "Where things stood at the start"),
    "outcome_measure.target_words": (OutcomeMeasure, "What we aim for"),
    "outcome_reading.note": (MeasureReading, "What was seen with a number"),
    "action.text": (Action, "Action"),
    "action.note": (Action, "Note on an action"),
    "significant_event.text": (SignificantEvent, "Event"),
}
"""Texts that are written over here. What was signed off stays: a statement stands beside it."""


@dataclass(frozen=True, slots=True)
class TextPlace:
    """A text that may be corrected."""

    where: str
    """Table, column and row."""
    label: str


@dataclass(frozen=True, slots=True)
class CorrectionReading:
    """One correction as the lead professional reads it."""

    id: UUID
    version: int
    asked: str
    state: str
    place: str
    before: str
    after: str
    reason: str
    statement: str
    answered_on: str


async def ask_correction(session: AsyncSession, row: RightRequest) -> None:
    """What a request to put something right asks of the lead professional."""
    if row.kind == RightKind.RECTIFICATION:
        session.add(Correction(child_id=row.child_id, request_id=row.id, asked=row.about))
        await session.flush()


async def corrections(access: Access) -> tuple[CorrectionReading, ...]:
    """All that was asked of this record, what waits first; for who holds the plan.

    Raises NotAllowed for everybody else: what is asked may be about anything.
    """
    _require_lead(access)
    rows = await access.session.scalars(
        select(Correction)
        .where(Correction.child_id == access.child_id)
        .order_by(Correction.answered_on.desc().nulls_first(), Correction.created_at)
    )
    return tuple([await _reading(access, row) for row in rows])


async def own_answers(access: Access) -> dict[UUID, list[tuple[str, str]]]:
    """What became of what the viewer asked to be put right, by request: state and why.

    Why is written for them. The texts stay out: they read those in a copy, gone through before.
    """
    rows = await access.session.scalars(
        select(Correction)
        .join(RightRequest, RightRequest.id == Correction.request_id)
        .where(
            Correction.child_id == access.child_id,
            RightRequest.asker_id == access.viewer.id,
            Correction.state != "asked",
        )
        .order_by(Correction.answered_on, Correction.id)
    )
    told: dict[UUID, list[tuple[str, str]]] = {}
    for row in rows:
        told.setdefault(row.request_id, []).append((row.state, row.reason))
    return told


async def _reading(access: Access, row: Correction) -> CorrectionReading:
    """One of them: what is asked is asked of this viewer; the text's words as the text is."""
    text = None
    if row.field is not None and row.field in CORRECTABLE:
        text = await access.session.get(CORRECTABLE[row.field][0], row.row_id)
    category = Category.PLAN if text is None else _category(text)
    is_told = access.may(category, getattr(text, "author_agency_id", None))
    return CorrectionReading(
        row.id,
        row.version,
        row.asked,
        row.state,
        _label_of(row.field),
        row.before if is_told else "",
        row.after if is_told else "",
        row.reason,
        row.statement,
        "" if row.answered_on is None else words.short_day(row.answered_on),
    )


async def places(access: Access) -> tuple[TextPlace, ...]:
    """Every text of the record that may be corrected and that the viewer may see."""
    found = []
    for field, (model, label) in CORRECTABLE.items():
        column = field.partition(".")[2]
        rows = await access.session.scalars(
            select(model).where(model.child_id == access.child_id).order_by(model.created_at)
        )
        found += [
            TextPlace(f"{field}:{row.id}", f"{label}: {said[:90]}")
            for row in rows
            if access.may(_category(row), getattr(row, "author_agency_id", None))
            and (said := getattr(row, column))
        ]
    return tuple(found)


async def answer_correction(
    access: Access, correction_id: UUID, version: int, answer: str, said: "Said"
) -> None:
    """Correct a text, or leave it with the person's statement beside it.

    Raises NotAllowed, NotFound, Conflict, Gone, Invalid.
    """
    _require_lead(access)
    row = await of_record(access, Correction, correction_id)
    if row.state != "asked":
        raise Gone("This was answered.", "Go back to the list.")
    if row.version != version:
        raise Conflict(())
    known = {one.where for one in await places(access)}
    wrong = []
    if said.where not in known:
        wrong.append(FieldError("where", "Select which text it is about"))
    if not said.reason.strip():
        wrong.append(FieldError("reason", "Write why"))
    if answer == "corrected" and not said.after.strip():
        wrong.append(FieldError("after", "Write the text as it should be"))
    if answer == "refused" and not said.statement.strip():
        wrong.append(FieldError("statement", "Write what they say, to stand beside the text"))
    if wrong:
        raise Invalid(tuple(wrong))
    field, _, row_id = said.where.rpartition(":")
    model, _ = CORRECTABLE[field]
    column = field.partition(".")[2]
    text = await access.session.get_one(model, UUID(row_id))
    row.field, row.row_id, row.state = field, text.id, answer
    row.before, row.reason = getattr(text, column), said.reason
    row.answered_by, row.answered_on = access.viewer.id, access.today
    if answer == "corrected":
        row.after = said.after
        setattr(text, column, said.after)
    else:
        row.statement = said.statement
    await access.session.flush()


@dataclass(frozen=True, slots=True)
class Said:
    """What the lead professional answers."""

    where: str
    reason: str
    after: str
    statement: str


def _label_of(field: str | None) -> str:
    return CORRECTABLE[field][1] if field is not None and field in CORRECTABLE else ""


def _category(row: ChildScoped) -> Category:
    return Category(row.category) if isinstance(row, SignificantEvent) else Category.PLAN


def _require_lead(access: Access) -> None:
    if Tie.LEAD not in access.ties:
        raise NotAllowed("Whoever holds the plan puts things right.", "Ask the lead professional.")
