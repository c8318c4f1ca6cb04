"""What each person thinks, side by side; and what was decided under a desired outcome.

Views are never blended: each keeps whose it is and its words. What one of the family or the child
thinks is of the category views; a worker names the category of theirs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from consent import Category
from panel.accounts.service import worker_names
from panel.impact.invitations import who_can_be_invited
from panel.impact.meetings import own_meeting, require_held_or_open
from panel.impact.models import ImpactDecision, ImpactMeeting, ImpactView
from panel.plans.models import Action
from panel.plans.service import (
    ActionWords,
    OutcomeReading,
    PlanReading,
    add_action,
    plan_for_reading,
)
from panel.platform.problems import FieldError, Invalid, NotAllowed, NotFound
from panel.records.gate import NOT_HERE, Access

NO_PLAN = (
    "Decisions go under a desired outcome for the child. Write down a desired outcome in the plan"
    " first"
)
ABOUT_ALL = "About everything"


@dataclass(frozen=True, slots=True)
class ViewLine:
    """One person's view as a reader may see it; `words` None where it is withheld."""

    id: UUID
    outcome_id: UUID | None
    speaker: str
    person: UUID | None
    who: str
    words: str | None
    category: Category
    said_at: datetime
    is_own: bool
    """Whether the reader wrote it down."""


@dataclass(frozen=True, slots=True)
class ActionLine:
    """An action that came of a meeting."""

    id: UUID
    text: str
    who: str
    due_on: date | None
    state: str


@dataclass(frozen=True, slots=True)
class Decided:
    """One desired outcome with what was thought and decided about it at a meeting.

    Without an outcome: what is about everything.
    """

    outcome: OutcomeReading | None
    views: tuple[ViewLine, ...]
    decisions: tuple["DecisionLine", ...] = ()
    actions: tuple[ActionLine, ...] = ()

    @property
    def title(self) -> str:
        """What it is about."""
        return ABOUT_ALL if self.outcome is None else self.outcome.text


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """One decision as a reader may see it."""

    id: UUID
    outcome_id: UUID
    words: str | None


async def decided_at(access: Access, meeting: ImpactMeeting) -> Sequence[Decided]:
    """What was thought and decided, by desired outcome; what has nothing of either is left out.

    Empty outcomes of the current plan follow those with something, so that a form can offer them.
    """
    views = await views_of(access, meeting)
    decisions = await _decisions(access, meeting)
    plan = await plan_for_reading(access)
    outcomes = plan.outcomes if isinstance(plan, PlanReading) else ()
    actions = await _actions(access, meeting, plan if isinstance(plan, PlanReading) else None)
    about_all = tuple(one for one in views if one.outcome_id is None)
    known = {one.id for one in outcomes}
    lost = tuple(one for one in views if one.outcome_id and one.outcome_id not in known)
    found = [
        Decided(
            one,
            tuple(view for view in views if view.outcome_id == one.id),
            tuple(decision for decision in decisions if decision.outcome_id == one.id),
            actions.get(one.id, ()),
        )
        for one in outcomes
    ]
    return [*found, *([Decided(None, about_all + lost)] if about_all or lost else [])]


async def views_of(access: Access, meeting: ImpactMeeting) -> Sequence[ViewLine]:
    """What each person thinks, in the order in which it was said."""
    rows = list(
        await access.session.scalars(
            select(ImpactView)
            .where(ImpactView.meeting_id == meeting.id, ImpactView.taken_back_at.is_(None))
            .order_by(ImpactView.said_at, ImpactView.id)
        )
    )
    known = {one.person: one.name for one in await who_can_be_invited(access)}
    workers = [one.person_id for one in rows if one.speaker == "worker" and one.person_id]
    names = known | await worker_names(access.session, workers)
    return [_view(access, row, names) for row in rows]


def _view(access: Access, row: ImpactView, names: Mapping[UUID, str]) -> ViewLine:
    category = Category(row.category)
    author = row.person_id if row.speaker != "worker" else None
    may = access.may(category, row.author_agency_id, author)
    who = names.get(row.person_id, "") if row.person_id else ""
    usual = {"child": "The child", "family": "One of the family", "worker": "A worker"}
    return ViewLine(
        row.id, row.outcome_id, row.speaker, row.person_id, who or usual[row.speaker],
        row.words if may else None, category, row.said_at, row.created_by == access.viewer.id,
    )  # fmt: skip


async def _decisions(access: Access, meeting: ImpactMeeting) -> Sequence[DecisionLine]:
    rows = await access.session.scalars(
        select(ImpactDecision)
        .where(ImpactDecision.meeting_id == meeting.id, ImpactDecision.taken_back_at.is_(None))
        .order_by(ImpactDecision.created_at, ImpactDecision.id)
    )
    return [
        DecisionLine(
            row.id,
            row.outcome_id,
            row.words if access.may(Category.PLAN, row.author_agency_id) else None,
        )
        for row in rows
    ]


async def _actions(
    access: Access, meeting: ImpactMeeting, plan: PlanReading | None
) -> dict[UUID, tuple[ActionLine, ...]]:
    """The actions of the plan that came of this meeting, by outcome."""
    rows = await access.session.scalars(
        select(Action.id).where(Action.child_id == access.child_id, Action.meeting_id == meeting.id)
    )
    ids = set(rows)
    found: dict[UUID, tuple[ActionLine, ...]] = {}
    for one in plan.actions if plan is not None else ():
        if one.id in ids and one.outcome_id is not None:
            line = ActionLine(one.id, one.text, one.owner, one.due_on, one.state)
            found[one.outcome_id] = (*found.get(one.outcome_id, ()), line)
    return found


# Writing ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody thinks: `person` is a worker, one of the family, or the child."""

    person: UUID
    words: str
    outcome_id: UUID | None
    category: Category = Category.PLAN
    """Of a worker's view; what the family or the child thinks is always of views."""


async def write_view(access: Access, meeting: ImpactMeeting, said: Said) -> ImpactView:
    """A worker writes down their own view, or what one of the family or the child said.

    Raises Invalid for somebody else's, without words, or about an outcome that is not the plan's.
    """
    access.require_write()
    require_held_or_open(meeting)
    known = {one.person: one.kind for one in await who_can_be_invited(access)}
    kind = "worker" if said.person == access.viewer.id else known.get(said.person)
    errors = []
    if kind is None:
        errors.append(FieldError("person", "Choose whose view this is"))
    if not said.words.strip():
        errors.append(FieldError("words", "Write down what they think, in their words"))
    if said.outcome_id is not None and said.outcome_id not in await _outcome_ids(access):
        errors.append(FieldError("outcome_id", "Choose an outcome of the plan as it is now"))
    if errors:
        raise Invalid(tuple(errors))
    speaker = "child" if said.person == access.child_id else kind or "worker"
    row = ImpactView(
        child_id=access.child_id,
        meeting_id=meeting.id,
        outcome_id=said.outcome_id,
        speaker=speaker,
        person_id=said.person,
        author_agency_id=access.viewer.agency,
        category=(said.category if speaker == "worker" else Category.VIEWS).value,
        said_at=access.at,
    )
    row.words = said.words.strip()
    access.session.add(row)
    await access.session.flush()
    return row


async def say_view(access: Access, meeting_id: UUID, words: str) -> ImpactView:
    """One of the family who is invited says what they think. Raises Invalid, NotFound."""
    meeting, _ = await own_meeting(access, meeting_id)
    require_held_or_open(meeting)
    if not words.strip():
        raise Invalid.because("words", "Write what you think")
    row = ImpactView(
        child_id=access.child_id,
        meeting_id=meeting.id,
        speaker="child" if access.viewer.id == access.child_id else "family",
        person_id=access.viewer.id,
        category=Category.VIEWS.value,
        said_at=access.at,
    )
    row.words = words.strip()
    access.session.add(row)
    await access.session.flush()
    return row


async def take_view_back(access: Access, meeting: ImpactMeeting, view_id: UUID) -> None:
    """Whoever wrote a view down takes it back: it was wrong. Raises NotAllowed, NotFound."""
    row = await access.session.get(ImpactView, view_id, with_for_update=True)
    if row is None or row.meeting_id != meeting.id:
        raise NotFound(NOT_HERE)
    if row.created_by != access.viewer.id:
        raise NotAllowed("Only whoever wrote this down can take it back.")
    row.taken_back_at = row.taken_back_at or access.at
    await access.session.flush()


async def _outcome_ids(access: Access) -> set[UUID]:
    plan = await plan_for_reading(access)
    return {one.id for one in plan.outcomes} if isinstance(plan, PlanReading) else set()


async def decide(
    access: Access,
    meeting: ImpactMeeting,
    outcome_id: UUID | None,
    words: str,
    action: ActionWords | None,
) -> ImpactDecision:
    """A decision under a desired outcome of the plan, with who does what by when.

    Raises Invalid without an outcome or words, or for an action without a clear owner.
    """
    access.require_write()
    require_held_or_open(meeting)
    agency = access.viewer.agency
    if agency is None:
        raise NotAllowed("A worker of an agency writes decisions down.")
    outcomes = await _outcome_ids(access)
    errors = []
    if not outcomes:
        errors.append(FieldError("outcome_id", NO_PLAN))
    elif outcome_id not in outcomes:
        errors.append(FieldError("outcome_id", "Choose the desired outcome that this is for"))
    if not words.strip():
        errors.append(FieldError("decision", "Write down what was decided"))
    if errors or outcome_id is None:
        raise Invalid(tuple(errors))
    row = ImpactDecision(
        child_id=access.child_id,
        meeting_id=meeting.id,
        outcome_id=outcome_id,
        author_agency_id=agency,
    )
    row.words = words.strip()
    access.session.add(row)
    await access.session.flush()
    if action is not None:
        made = await add_action(access, action)
        made.meeting_id = meeting.id
        await access.session.flush()
    return row


async def take_decision_back(access: Access, meeting: ImpactMeeting, decision_id: UUID) -> None:
    """A decision was written down wrongly; its actions stay in the plan. Raises NotFound."""
    access.require_write()
    row = await access.session.get(ImpactDecision, decision_id, with_for_update=True)
    if row is None or row.meeting_id != meeting.id:
        raise NotFound(NOT_HERE)
    row.taken_back_at = row.taken_back_at or access.at
    await access.session.flush()
