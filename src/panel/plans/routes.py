"""The pages of a child's plan, of who holds it, and of offers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.desk import Desk, go, unless_invalid
from panel.accounts.taking import take
from panel.plans import forms, pages
from panel.plans.measure_pages import NOTHING_MORE
from panel.plans.measure_routes import more_of
from panel.plans.plan_desk import (
    CHANGING,
    READING,
    Show,
    action_of,
    current_plan,
    framed,
    outcome_of,
    plan_at,
    record_page,
    saved,
    shown,
)
from panel.plans.service import (
    ActionWords,
    LineForFamily,
    OutcomeWords,
    PlanReading,
    accept_offer,
    add_action,
    add_outcome,
    add_progress,
    agree_plan,
    candidates,
    carry_over,
    change_action,
    change_outcome,
    change_summary,
    clearances,
    decline_offer,
    former_plan_for_reading,
    former_plans,
    let_family_read,
    line_for_family,
    lines_for_family,
    mark_done,
    may_clear,
    offer_for_answer,
    open_for_offer,
    opened_for_offer,
    plan_for_reading,
    start_plan,
    step_action,
    withdraw_offer,
)
from panel.records.gate import Access
from panel.register.service import child_header
from panel.web.forms import FieldErrors, Filled, Nothing

HANDING = "changed who holds the plan"


def _lead(child_id: UUID) -> str:
    return f"/children/{child_id}/lead-professional"


# The plan -----------------------------------------------------------------------------------------


@get("/children/{child_id:uuid}/plan", include_in_schema=False)
async def plan(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """The child's plan: outcomes with their small trend, actions, former plans."""
    async with desk.open(child_id, READING) as access:
        now = await plan_for_reading(access)
        former = await former_plans(access)
        header = await child_header(access)
        cleared = await clearances(access) if may_clear(access) else {}
        more = await more_of(access, now) if isinstance(now, PlanReading) else NOTHING_MORE
    told = {}
    if isinstance(now, PlanReading) and may_clear(access):
        comparing = await desk.site.family_words.around(child_id, desk.viewer.id)
        told = lines_for_family(access, now, cleared, comparing)
    page = pages.plan_page(
        child_id, now, former, access.today, may_write=access.may_write, for_family=told, more=more
    )
    return framed(desk, header, "plan", page=page)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line that is held back from the family, in the record opened to see to it."""

    access: Access
    told: LineForFamily

    @property
    def session(self) -> AsyncSession:
        return self.access.session


@asynccontextmanager
async def _line(desk: Desk, child_id: UUID, line_id: UUID, doing: str) -> AsyncIterator[_Line]:
    # Before the record is opened: what is compared with is read in transactions of its own.
    comparing = await desk.site.family_words.around(child_id, desk.viewer.id)
    async with desk.open(child_id, doing) as access:
        now = await current_plan(access)
        yield _Line(access, await line_for_family(access, now, line_id, comparing))


async def _line_page(desk: Desk, line: _Line, errors: FieldErrors | None = None) -> Response[Any]:
    page = pages.line_page(line.access.child_id, line.told)
    filled = Filled({"version": page.version}, errors)
    return await record_page(desk, line.access, "line", errors, page=page, filled=filled)


@get("/children/{child_id:uuid}/plan/lines/{line_id:uuid}", include_in_schema=False)
async def held_line(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], line_id: FromPath[UUID]
) -> Response[Any]:
    """What is held back from the family in one line of the plan, and why."""
    async with _line(desk, child_id, line_id, READING) as line:
        return await _line_page(desk, line)


@post("/children/{child_id:uuid}/plan/lines/{line_id:uuid}", include_in_schema=False)
async def clear_line(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], line_id: FromPath[UUID]
) -> Response[Any]:
    """The lead professional says that the family may read the line."""

    async def work(line: _Line, form: forms.FamilyMayRead) -> None:
        await let_family_read(line.access, line.told, form.version, form.why)

    async def again(errors: FieldErrors) -> Response[Any]:
        async with _line(desk, child_id, line_id, READING) as line:
            return await _line_page(desk, line, errors)

    opens = partial(_line, desk, child_id, line_id, "let the family read a line of the plan")
    to = f"{plan_at(child_id)}#outcomes"
    return await take(desk, forms.FamilyMayRead, opens, work, to, again=again)


@get("/children/{child_id:uuid}/plan/former/{plan_id:uuid}", include_in_schema=False)
async def former_plan(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], plan_id: FromPath[UUID]
) -> Response[Any]:
    """A plan that was replaced, as it was."""

    async def show(access: Access, _errors: FieldErrors | None) -> Response[Any]:
        read = await former_plan_for_reading(access, plan_id)
        more = await more_of(access, read) if isinstance(read, PlanReading) else NOTHING_MORE
        page = pages.plan_page(child_id, read, (), access.today, may_write=False, more=more)
        return await record_page(desk, access, "plan", page=page)

    return await shown(desk, child_id, "read a former plan", show)


def _starting(desk: Desk) -> Show:
    async def show(access: Access, errors: FieldErrors | None) -> Response[Any]:
        access.require_write()
        now = await plan_for_reading(access)
        return await record_page(
            desk,
            access,
            "start",
            errors,
            filled=Filled({"carry_over": "yes"}, errors),
            replaces=now is not None,
            may_carry=isinstance(now, PlanReading),
        )

    return show


@get("/children/{child_id:uuid}/plan/new", include_in_schema=False)
async def new_plan(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """The form that starts a plan, and says what becomes of the one before."""
    return await shown(desk, child_id, READING, _starting(desk))


@post("/children/{child_id:uuid}/plan/new", include_in_schema=False)
async def start(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Start a plan."""

    async def work(access: Access, form: forms.NewPlan) -> None:
        started = await start_plan(access, form.summary)
        if form.carry_over:
            await carry_over(access, started)

    return await saved(
        desk, child_id, forms.NewPlan, work, _starting(desk), location=plan_at(child_id)
    )


def _summarising(desk: Desk) -> Show:
    async def show(access: Access, errors: FieldErrors | None) -> Response[Any]:
        now = await current_plan(access)
        filled = Filled({"summary": now.summary, "version": now.version}, errors)
        return await record_page(desk, access, "summary", errors, filled=filled)

    return show


@get("/children/{child_id:uuid}/plan/summary", include_in_schema=False)
async def summary_form(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """The form for what the plan is about."""
    return await shown(desk, child_id, READING, _summarising(desk))


@post("/children/{child_id:uuid}/plan/summary", include_in_schema=False)
async def summarise(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Save what the plan is about."""

    async def work(access: Access, form: forms.Summary) -> None:
        await change_summary(access, form.version, form.summary)

    return await saved(
        desk, child_id, forms.Summary, work, _summarising(desk), location=plan_at(child_id)
    )


def _agreeing(desk: Desk) -> Show:
    async def show(access: Access, errors: FieldErrors | None) -> Response[Any]:
        now = await current_plan(access)
        filled = Filled({"agreed_on": access.today, "version": now.version}, errors)
        return await record_page(
            desk,
            access,
            "agree",
            errors,
            filled=filled,
            outcomes=[one.text for one in now.outcomes],
        )

    return show


@get("/children/{child_id:uuid}/plan/agree", include_in_schema=False)
async def agree_form(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """The form that says on which day the plan was agreed."""
    return await shown(desk, child_id, READING, _agreeing(desk))


@post("/children/{child_id:uuid}/plan/agree", include_in_schema=False)
async def agree(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """The plan is agreed."""

    async def work(access: Access, form: forms.Agreed) -> None:
        await agree_plan(access, form.version, form.agreed_on)

    return await saved(
        desk, child_id, forms.Agreed, work, _agreeing(desk), location=plan_at(child_id)
    )


# Desired outcomes ---------------------------------------------------------------------------------


def _outcome_words(form: forms.Outcome) -> OutcomeWords:
    return OutcomeWords(form.text, form.measure, form.baseline, form.target)


def _writing_outcome(desk: Desk, outcome_id: UUID | None) -> Show:
    async def show(access: Access, errors: FieldErrors | None) -> Response[Any]:
        stored: dict[str, object] = {}
        if outcome_id is None:
            await current_plan(access)
        else:
            one = await outcome_of(access, outcome_id)
            stored = {
                "text": one.text,
                "measure": one.measure,
                "baseline": one.baseline,
                "target": one.target,
                "state": one.state,
                "version": one.version,
            }
        return await record_page(
            desk,
            access,
            "outcome",
            errors,
            filled=Filled(stored, errors),
            changes=outcome_id is not None,
            scale=pages.SCALE,
            scale_hint=pages.SCALE_HINT,
            states=pages.OUTCOME_STATES,
        )

    return show


@get("/children/{child_id:uuid}/plan/outcomes/new", include_in_schema=False)
async def new_outcome(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """The form for a desired outcome."""
    return await shown(desk, child_id, READING, _writing_outcome(desk, None))


@post("/children/{child_id:uuid}/plan/outcomes/new", include_in_schema=False)
async def put_outcome(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Add a desired outcome."""

    async def work(access: Access, form: forms.Outcome) -> None:
        await add_outcome(access, _outcome_words(form))

    show = _writing_outcome(desk, None)
    return await saved(desk, child_id, forms.Outcome, work, show, location=plan_at(child_id))


@get("/children/{child_id:uuid}/plan/outcomes/{outcome_id:uuid}", include_in_schema=False)
async def outcome(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], outcome_id: FromPath[UUID]
) -> Response[Any]:
    """The form that changes a desired outcome."""
    return await shown(desk, child_id, READING, _writing_outcome(desk, outcome_id))


@post("/children/{child_id:uuid}/plan/outcomes/{outcome_id:uuid}", include_in_schema=False)
async def save_outcome(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], outcome_id: FromPath[UUID]
) -> Response[Any]:
    """Change a desired outcome."""

    async def work(access: Access, form: forms.ChangedOutcome) -> None:
        await change_outcome(access, outcome_id, form.version, _outcome_words(form), form.state)

    show = _writing_outcome(desk, outcome_id)
    return await saved(desk, child_id, forms.ChangedOutcome, work, show, location=plan_at(child_id))


def _progressing(desk: Desk, outcome_id: UUID) -> Show:
    async def show(access: Access, errors: FieldErrors | None) -> Response[Any]:
        one = await outcome_of(access, outcome_id)
        return await record_page(
            desk,
            access,
            "progress",
            errors,
            filled=Filled({"on": access.today}, errors),
            outcome=one,
            scale=pages.SCALE,
            scale_hint=pages.SCALE_HINT,
        )

    return show


@get("/children/{child_id:uuid}/plan/outcomes/{outcome_id:uuid}/progress", include_in_schema=False)
async def progress_form(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], outcome_id: FromPath[UUID]
) -> Response[Any]:
    """The form for where things stand."""
    return await shown(desk, child_id, READING, _progressing(desk, outcome_id))


@post("/children/{child_id:uuid}/plan/outcomes/{outcome_id:uuid}/progress", include_in_schema=False)
async def save_progress(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], outcome_id: FromPath[UUID]
) -> Response[Any]:
    """Write down where things stand."""

    async def work(access: Access, form: forms.Progress) -> None:
        await add_progress(access, outcome_id, on=form.on, value=form.value, note=form.note)

    show = _progressing(desk, outcome_id)
    return await saved(desk, child_id, forms.Progress, work, show, location=plan_at(child_id))


# Actions ------------------------------------------------------------------------------------------


def _action_words(form: forms.Action) -> ActionWords:
    return ActionWords(
        form.text, form.outcome_id, form.owner_worker_id, form.owner_words, form.due_on
    )


def _with_stored(errors: FieldErrors, stored: dict[str, object]) -> FieldErrors:
    """What was typed; and what is stored where the list's small form had no field for it."""
    if "text" in errors.typed or not stored:
        return errors
    due = stored["due_on"]
    parts = {"day": due.day, "month": due.month, "year": due.year} if isinstance(due, date) else {}
    kept = {name: [str(value)] for name, value in stored.items() if value is not None}
    kept |= {f"due_on-{part}": [str(value)] for part, value in parts.items()}
    return FieldErrors(errors.sentences, kept | dict(errors.typed), errors.anchors)


def _writing_action(desk: Desk, action_id: UUID | None) -> Show:
    async def show(access: Access, errors: FieldErrors | None) -> Response[Any]:
        now = await current_plan(access)
        one = None if action_id is None else action_of(now, action_id)
        stored: dict[str, object] = {}
        if one is not None:
            stored = {
                "text": one.text,
                "outcome_id": one.outcome_id,
                "owner_worker_id": one.owner_worker_id,
                "owner_words": one.owner_words,
                "due_on": one.due_on,
                "state": one.state,
                "note": one.note,
                "version": one.version,
            }
        return await record_page(
            desk,
            access,
            "action",
            errors,
            filled=Filled(stored, None if errors is None else _with_stored(errors, stored)),
            action_href=f"{plan_at(access.child_id)}/actions/{action_id or 'new'}",
            changes=one is not None,
            owners=pages.owner_choices(await candidates(access), one),
            outcomes=pages.outcome_choices(now),
            states=pages.ACTION_STATES,
        )

    return show


@get("/children/{child_id:uuid}/plan/actions/new", include_in_schema=False)
async def new_action(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """The form for an action."""
    return await shown(desk, child_id, READING, _writing_action(desk, None))


@post("/children/{child_id:uuid}/plan/actions/new", include_in_schema=False)
async def put_action(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Add an action."""

    async def work(access: Access, form: forms.Action) -> None:
        await add_action(access, _action_words(form))

    show = _writing_action(desk, None)
    return await saved(
        desk, child_id, forms.Action, work, show, location=f"{plan_at(child_id)}#actions"
    )


@get("/children/{child_id:uuid}/plan/actions/{action_id:uuid}", include_in_schema=False)
async def action(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], action_id: FromPath[UUID]
) -> Response[Any]:
    """The form that changes an action."""
    return await shown(desk, child_id, READING, _writing_action(desk, action_id))


@post("/children/{child_id:uuid}/plan/actions/{action_id:uuid}", include_in_schema=False)
async def save_action(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], action_id: FromPath[UUID]
) -> Response[Any]:
    """Change an action."""

    async def work(access: Access, form: forms.ChangedAction) -> None:
        await change_action(
            access,
            action_id,
            form.version,
            _action_words(form),
            state=form.state,
            note=form.note,
        )

    show = _writing_action(desk, action_id)
    return await saved(
        desk, child_id, forms.ChangedAction, work, show, location=f"{plan_at(child_id)}#actions"
    )


@post("/children/{child_id:uuid}/plan/actions/{action_id:uuid}/step", include_in_schema=False)
async def step(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], action_id: FromPath[UUID]
) -> Response[Any]:
    """How far an action is, from the list; a mistake opens the action's own page."""

    async def work(access: Access, form: forms.ActionStep) -> None:
        await step_action(access, action_id, form.version, state=form.state, note=form.note)

    show = _writing_action(desk, action_id)
    return await saved(
        desk, child_id, forms.ActionStep, work, show, location=f"{plan_at(child_id)}#actions"
    )


@post("/children/{child_id:uuid}/plan/actions/{action_id:uuid}/done", include_in_schema=False)
async def done(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], action_id: FromPath[UUID]
) -> Response[Any]:
    """An action is done: one click from a list, back to the same list."""

    async def work(access: Access, _form: forms.Done) -> None:
        await mark_done(access, action_id)

    def back(form: forms.Done) -> str:
        return "/" if form.back == "home" else f"{plan_at(child_id)}#actions"

    opens = partial(desk.open, child_id, CHANGING)
    return await take(desk, forms.Done, opens, work, back)


# The lead professional ----------------------------------------------------------------------------


@post(
    "/children/{child_id:uuid}/lead-professional/offers/{offer_id:uuid}/withdraw",
    include_in_schema=False,
)
async def withdraw(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], offer_id: FromPath[UUID]
) -> Response[Any]:
    """Take an offer back."""

    async def work(access: Access, _form: Nothing) -> None:
        await withdraw_offer(access, offer_id)

    return await take(desk, Nothing, partial(desk.open, child_id, HANDING), work, _lead(child_id))


async def _offer_shown(desk: Desk, offer_id: UUID, errors: FieldErrors | None) -> Response[Any]:
    async with opened_for_offer(
        desk.gate, desk.viewer, desk.purposes, offer_id, "read an offer to be lead professional"
    ) as access:
        page = pages.offer_page(await offer_for_answer(access, offer_id), access.today)
    return desk.page(
        "plans/offer.html",
        status=200 if errors is None else 422,
        page=page,
        filled=Filled({}, errors),
        errors=[] if errors is None else errors.summary,
    )


@get("/lead-professional/offers/{offer_id:uuid}", include_in_schema=False)
async def my_offer(desk: NamedDependency[Desk], offer_id: FromPath[UUID]) -> Response[Any]:
    """An offer to me: who offers, whom it is about, what it means."""
    return await _offer_shown(desk, offer_id, None)


@post("/lead-professional/offers/{offer_id:uuid}/accept", include_in_schema=False)
async def accept(desk: NamedDependency[Desk], offer_id: FromPath[UUID]) -> Response[Any]:
    """I hold the plan from today."""
    posted = await desk.posted()
    unless_invalid(posted.read(Nothing))
    async with opened_for_offer(
        desk.gate, desk.viewer, desk.purposes, offer_id, "became lead professional"
    ) as access:
        location = plan_at(access.child_id)
        if await desk.first_time(access.session, posted, location):
            await accept_offer(access, offer_id)
    return go(location)


@post("/lead-professional/offers/{offer_id:uuid}/decline", include_in_schema=False)
async def decline(desk: NamedDependency[Desk], offer_id: FromPath[UUID]) -> Response[Any]:
    """I cannot take it on, with the reason."""
    posted = await desk.posted()
    read = posted.read(forms.Declined)
    if isinstance(read, FieldErrors):
        return await _offer_shown(desk, offer_id, read)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        # After declining, the child is out of reach: a second post must not look for it.
        if await desk.first_time(session, posted, "/"):
            access = await open_for_offer(
                session, desk.gate, desk.viewer, desk.purposes, offer_id, "declined an offer"
            )
            await decline_offer(access, offer_id, read.reason)
    return go("/")


HANDLERS = [
    plan,
    former_plan,
    new_plan,
    start,
    summary_form,
    summarise,
    agree_form,
    agree,
    held_line,
    clear_line,
    new_outcome,
    put_outcome,
    outcome,
    save_outcome,
    progress_form,
    save_progress,
    new_action,
    put_action,
    action,
    save_action,
    step,
    done,
    withdraw,
    my_offer,
    accept,
    decline,
]
