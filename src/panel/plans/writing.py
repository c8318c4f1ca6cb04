"""Making and changing a plan, its desired outcomes and its actions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar
from uuid import UUID

from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from panel.accounts.service import worker_names
from panel.plans import rules
from panel.plans.measure_rules import too_late
from panel.plans.models import Action, DesiredOutcome, FamilyClearance, OutcomeProgress, Plan
from panel.platform.problems import Clash, Conflict, Invalid, NotAllowed, NotFound
from panel.records.child_scoped import ChildScoped
from panel.records.gate import Access
from panel.register.models import Child
from panel.web.words import short_day

Row = TypeVar("Row", bound=ChildScoped)

STATE_WORDS = {
    "working_towards": "Working towards it",
    "reached": "Reached",
    "stopped": "Stopped",
    "to_do": "To do",
    "doing": "Doing",
    "done": "Done",
    "dropped": "Dropped",
}
NO_PLAN = "There is no plan yet."
WRONG_CHILD = "Taken back: on the wrong child."
"""What stands in the place of an action that was moved to the child whom it is about."""


@dataclass(frozen=True, slots=True)
class OutcomeWords:
    """What a desired outcome says. `baseline` and `target` are on the scale of 0 to 5, or None."""

    text: str
    measure: str = ""
    baseline: int | None = None
    target: int | None = None


@dataclass(frozen=True, slots=True)
class ActionWords:
    """What an action says: its owner is one worker, or somebody in words."""

    text: str
    outcome_id: UUID | None = None
    owner_worker_id: UUID | None = None
    owner_words: str = ""
    due_on: date | None = None
    service_id: UUID | None = None
    """The service of the directory by which it is done."""


async def lock_child(session: AsyncSession, child_id: UUID) -> None:
    """Let one transaction at a time change who holds the plan, or which plan counts.

    It is the lock that the rewriting of access takes at the end, so the two cannot wait for each
    other.
    """
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:child, 0))"),
        {"child": str(child_id)},
    )


# The plan -----------------------------------------------------------------------------------------


async def start_plan(access: Access, summary: str) -> Plan:
    """A new plan of the viewer's agency; the former one is replaced today and stays readable."""
    access.require_write()
    agency = access.viewer.agency
    if agency is None:
        raise NotAllowed("A plan is started by a worker of an agency.")
    await lock_child(access.session, access.child_id)
    return await put_in_place(
        access.session, access.child_id, agency, summary, access.today, replaced_on=access.today
    )


async def put_in_place(
    session: AsyncSession,
    child_id: UUID,
    author_agency_id: UUID,
    summary: str,
    started_on: date,
    *,
    replaced_on: date,
) -> Plan:
    """The child's next plan; a plan that counted until now is replaced on the day given."""
    for former in await session.scalars(
        select(Plan)
        .where(Plan.child_id == child_id, Plan.state.in_(rules.CURRENT))
        .with_for_update()
    ):
        former.state, former.replaced_on = "replaced", replaced_on
    highest = await session.scalar(select(func.max(Plan.number)).where(Plan.child_id == child_id))
    plan = Plan(
        child_id=child_id,
        number=(highest or 0) + 1,
        state="draft",
        author_agency_id=author_agency_id,
        summary=summary,
        started_on=started_on,
    )
    session.add(plan)
    await session.flush()
    return plan


async def carry_lines_over(access: Access, plan: Plan) -> dict[UUID, UUID]:
    """Copy what is still open in the plan before this one: outcomes worked towards, open actions.

    The former plan keeps its own, so that it reads as it was. An outcome starts from the last
    score it had. Returns the outcomes' ids, former to new.
    Raises NotAllowed where the former plan is not the viewer's to see.
    """
    session = access.session
    former = await session.scalar(
        select(Plan).where(Plan.child_id == access.child_id, Plan.number == plan.number - 1)
    )
    if former is None:
        return {}
    require_sight(access, former)
    copies = await _outcomes_over(session, former, plan)
    await _actions_over(session, former, plan, copies)
    return copies


async def _outcomes_over(session: AsyncSession, former: Plan, plan: Plan) -> dict[UUID, UUID]:
    copies: dict[UUID, UUID] = {}
    outcomes = await session.scalars(
        select(DesiredOutcome)
        .where(DesiredOutcome.plan_id == former.id, DesiredOutcome.state == "working_towards")
        .order_by(DesiredOutcome.position, DesiredOutcome.id)
    )
    for position, outcome in enumerate(outcomes, start=1):
        newest = rules.latest(await _scores(session, outcome.id))
        copy = DesiredOutcome(
            child_id=plan.child_id,
            plan_id=plan.id,
            position=position,
            text=outcome.text,
            measure=outcome.measure,
            baseline=outcome.baseline if newest is None else newest.value,
            target=outcome.target,
        )
        session.add(copy)
        copies[outcome.id] = copy.id
    await session.flush()
    return copies


async def _actions_over(
    session: AsyncSession, former: Plan, plan: Plan, copies: Mapping[UUID, UUID]
) -> None:
    actions = await session.scalars(
        select(Action)
        .where(Action.plan_id == former.id, Action.state.in_(("to_do", "doing")))
        .order_by(Action.due_on, Action.id)
    )
    for action in actions:
        session.add(
            Action(
                child_id=plan.child_id,
                plan_id=plan.id,
                outcome_id=None if action.outcome_id is None else copies.get(action.outcome_id),
                text=action.text,
                owner_worker_id=action.owner_worker_id,
                owner_words=action.owner_words,
                due_on=action.due_on,
                service_id=action.service_id,
                state=action.state,
                note=action.note,
            )
        )
    await session.flush()


async def _scores(session: AsyncSession, outcome_id: UUID) -> list[rules.Score]:
    rows = await session.execute(
        select(OutcomeProgress.on, OutcomeProgress.value)
        .where(OutcomeProgress.outcome_id == outcome_id, OutcomeProgress.value.is_not(None))
        .order_by(OutcomeProgress.on, OutcomeProgress.id)
    )
    return [rules.Score(on, value) for on, value in rows if value is not None]


async def change_summary(access: Access, version: int, summary: str) -> None:
    """What the plan is about, in other words. Raises Conflict with both texts."""
    plan = await plan_for_change(access)
    await unless_changed(
        access, plan, version, [Clash("What this plan is about", summary, plan.summary)]
    )
    plan.summary = summary
    await access.session.flush()


async def plan_for_change(access: Access) -> Plan:
    """The current plan, held for this transaction, where the viewer may see and change it."""
    plan = await _plan_if_any(access)
    if plan is None:
        raise NotFound(NO_PLAN, "Start one on the child's plan page.")
    return plan


async def _plan_if_any(access: Access) -> Plan | None:
    """The same; None where there is no plan yet."""
    access.require_write()
    plan = await access.session.scalar(
        select(Plan)
        .where(Plan.child_id == access.child_id, Plan.state.in_(rules.CURRENT))
        .with_for_update()
    )
    if plan is not None:
        require_sight(access, plan)
    return plan


def require_sight(access: Access, plan: Plan) -> None:
    if not access.may(Category.PLAN, plan.author_agency_id):
        raise NotAllowed(
            "You cannot see this plan, so you cannot change it.",
            "Ask the lead professional to make the change.",
        )


# Desired outcomes ---------------------------------------------------------------------------------


async def add_outcome(access: Access, words: OutcomeWords) -> DesiredOutcome:
    """One more desired outcome of the current plan."""
    plan = await plan_for_change(access)
    return await put_outcome(access.session, plan, words)


async def put_outcome(session: AsyncSession, plan: Plan, words: OutcomeWords) -> DesiredOutcome:
    """A desired outcome at the end of a plan's list."""
    last = await session.scalar(
        select(func.max(DesiredOutcome.position)).where(DesiredOutcome.plan_id == plan.id)
    )
    outcome = DesiredOutcome(
        child_id=plan.child_id,
        plan_id=plan.id,
        position=(last or 0) + 1,
        text=words.text,
        measure=words.measure,
        baseline=words.baseline,
        target=words.target,
    )
    session.add(outcome)
    await session.flush()
    return outcome


async def change_outcome(
    access: Access, outcome_id: UUID, version: int, words: OutcomeWords, state: str
) -> None:
    """A desired outcome in other words, or in another state. Raises Conflict with both texts."""
    outcome = await part_of_plan(access, await plan_for_change(access), DesiredOutcome, outcome_id)
    await unless_changed(
        access,
        outcome,
        version,
        [
            Clash("Desired outcome", words.text, outcome.text),
            Clash("How we will know", words.measure, outcome.measure),
            Clash("Where things stood", _score(words.baseline), _score(outcome.baseline)),
            Clash("What we aim for", _score(words.target), _score(outcome.target)),
            Clash("Where this stands", STATE_WORDS[state], STATE_WORDS[outcome.state]),
        ],
    )
    outcome.text, outcome.measure = words.text, words.measure
    outcome.baseline, outcome.target = words.baseline, words.target
    outcome.state = state
    await access.session.flush()


async def add_progress(
    access: Access, outcome_id: UUID, *, on: date, value: int | None, note: str
) -> OutcomeProgress:
    """Where things stood on a day. Raises Invalid for a day to come, or when nothing is said."""
    outcome = await part_of_plan(access, await plan_for_change(access), DesiredOutcome, outcome_id)
    if on > access.today:
        raise Invalid.because("on", "Date must be today or in the past")
    if value is None and not note:
        raise Invalid.because("value", "Choose where things stand, or write what you see")
    progress = OutcomeProgress(
        child_id=access.child_id, outcome_id=outcome.id, on=on, value=value, note=note
    )
    access.session.add(progress)
    await access.session.flush()
    return progress


# Actions ------------------------------------------------------------------------------------------


async def add_action(access: Access, words: ActionWords) -> Action:
    """One more action of the current plan. Raises Invalid where its owner is not clear."""
    plan = await plan_for_change(access)
    await _check_action(access, plan, words)
    action = Action(child_id=access.child_id, plan_id=plan.id)
    _write_action(action, words)
    access.session.add(action)
    await access.session.flush()
    return action


async def ask_for_action(access: Access, meeting_id: UUID, words: ActionWords) -> Action:
    """What a panel asks somebody to do: it is in no plan. Who may ask is for the panel to say.

    Raises Invalid where its owner is not clear.
    """
    await _check_owner(access, words)
    action = Action(child_id=access.child_id, meeting_id=meeting_id)
    _write_action(action, words)
    access.session.add(action)
    await access.session.flush()
    return action


async def action_of_meeting(access: Access, meeting_id: UUID, action_id: UUID) -> Action | None:
    """An action that a panel asked for of this child, where the viewer may see it.

    Raises NotAllowed for one that is there and withheld.
    """
    action = await access.session.get(Action, action_id)
    if action is None or action.child_id != access.child_id or action.meeting_id != meeting_id:
        return None
    if not access.may(Category.PLAN):
        raise NotAllowed("You cannot see this action, so you cannot move it.")
    return action


async def move_action(action: Action, access: Access, why: str) -> Action:
    """An action that was asked of the wrong child is asked of this one; there nothing of it stays.

    `access` is to the right child. The row is locked by who moves it.
    """
    session = access.session
    moved = Action(
        child_id=access.child_id,
        meeting_id=action.meeting_id,
        owner_worker_id=action.owner_worker_id,
        due_on=action.due_on,
        service_id=action.service_id,
        state=action.state,
        done_on=action.done_on,
        moved_from=action.id,
        moved_why=why,
    )
    moved.text, moved.owner_words, moved.note = action.text, action.owner_words, action.note
    session.add(moved)
    # What was said of its words holds those words.
    await session.execute(delete(FamilyClearance).where(FamilyClearance.action_id == action.id))
    action.text = WRONG_CHILD
    action.owner_words = action.note = action.moved_why = ""
    action.owner_worker_id = action.due_on = action.done_on = action.service_id = None
    action.state, action.moved_away_at = "dropped", access.at
    await session.flush()
    return moved


async def change_action(
    access: Access, action_id: UUID, version: int, words: ActionWords, *, state: str, note: str
) -> None:
    """An action in other words or another state. Raises Conflict with both texts, or Invalid."""
    plan = await plan_for_change(access)
    action = await part_of_plan(access, plan, Action, action_id)
    await _check_action(access, plan, words)
    names = await worker_names(
        access.session, [one for one in (words.owner_worker_id, action.owner_worker_id) if one]
    )
    await unless_changed(
        access,
        action,
        version,
        [
            Clash("Action", words.text, action.text),
            Clash(
                "Who does this",
                _owner(words.owner_worker_id, words.owner_words, names),
                _owner(action.owner_worker_id, action.owner_words, names),
            ),
            Clash("By when", _day(words.due_on), _day(action.due_on)),
            Clash("How far it is", STATE_WORDS[state], STATE_WORDS[action.state]),
            Clash("Note", note, action.note),
        ],
    )
    _write_action(action, words)
    _move(action, state, access.today)
    action.note = note
    await access.session.flush()


async def step_action(
    access: Access, action_id: UUID, version: int, *, state: str, note: str
) -> None:
    """How far an action is, with a note. Raises Conflict with both texts."""
    action = await part_of_plan(access, await plan_for_change(access), Action, action_id)
    await unless_changed(
        access,
        action,
        version,
        [
            Clash("How far it is", STATE_WORDS[state], STATE_WORDS[action.state]),
            Clash("Note", note, action.note),
        ],
    )
    _move(action, state, access.today)
    action.note = note
    await access.session.flush()


async def mark_done(access: Access, action_id: UUID) -> None:
    """An action is done, today; one that is done already stays as it is.

    What a panel asked for is in no plan, and can be done before there is one.
    """
    action = await part_of_plan(access, await _plan_if_any(access), Action, action_id)
    _move(action, rules.ActionState.DONE, access.today)
    await access.session.flush()


def _move(action: Action, state: str, today: date) -> None:
    action.done_on = rules.done_on(state, action.done_on, today)
    action.state = state


def _write_action(action: Action, words: ActionWords) -> None:
    action.text, action.due_on = words.text, words.due_on
    action.outcome_id, action.service_id = words.outcome_id, words.service_id
    action.owner_worker_id, action.owner_words = words.owner_worker_id, words.owner_words


async def _check_action(access: Access, plan: Plan, words: ActionWords) -> None:
    await _check_owner(access, words)
    if words.outcome_id is not None:
        await part_of_plan(access, plan, DesiredOutcome, words.outcome_id)


async def born_on(access: Access) -> date | None:
    """The child's date of birth, to judge a day by; it is not shown."""
    born: date | None = await access.session.scalar(
        select(Child.birth_date).where(Child.id == access.child_id)
    )
    return born


async def _check_owner(access: Access, words: ActionWords) -> None:
    if too_late(words.due_on, await born_on(access)):
        raise Invalid.because(
            "due_on", "The day is after the 25th birthday, when this support ends. Choose an"
            " earlier one",
        )  # fmt: skip
    has_worker = words.owner_worker_id is not None
    mistake = rules.owner_mistake(words.owner_words, has_worker=has_worker)
    if mistake:
        raise Invalid.because("owner_worker_id", mistake)
    if words.owner_worker_id is not None and not await worker_names(
        access.session, [words.owner_worker_id]
    ):
        raise Invalid.because("owner_worker_id", "Choose who does this from the list")


# Two people at once -------------------------------------------------------------------------------


async def part_of_plan(access: Access, plan: Plan | None, kind: type[Row], row_id: UUID) -> Row:
    """A row of the current plan, held for this transaction. Raises NotFound."""
    row = await access.session.get(kind, row_id, with_for_update=True)
    belongs_to = None if row is None else getattr(row, "plan_id", None)
    # What a panel asked for is in no plan; whoever sees the plan as its author does not see that.
    is_of_plan = plan is not None and belongs_to == plan.id
    is_seen = is_of_plan or (belongs_to is None and access.may(Category.PLAN))
    if row is None or row.child_id != access.child_id or not is_seen:
        raise NotFound("This is not part of the plan as it is now.", "Go back to the plan.")
    return row


async def unless_changed(
    access: Access, row: ChildScoped, version: int, clashes: Sequence[Clash]
) -> None:
    """Raise Conflict where somebody saved other words since `version` was read."""
    if row.version == version:
        return
    differing = tuple(clash for clash in clashes if clash.yours != clash.theirs)
    if differing:
        raise Conflict(differing, await changed_by(access, row))


async def changed_by(access: Access, row: ChildScoped) -> str:
    names = await worker_names(access.session, [row.changed_by])
    return names.get(row.changed_by, "")


def _owner(worker_id: UUID | None, words: str, names: dict[UUID, str]) -> str:
    return words if worker_id is None else names.get(worker_id, "")


def _day(day: date | None) -> str:
    return "" if day is None else short_day(day)


def _score(value: int | None) -> str:
    return "" if value is None else str(value)
