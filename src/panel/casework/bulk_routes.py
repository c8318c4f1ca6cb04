"""Pages of work in bulk: choose, see what it would do, order it, see how far it is, undo it."""

from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy import select, tuple_

from panel.accounts.desk import IN_BULK as BASE
from panel.accounts.desk import Desk, go
from panel.accounts.service import worker_names
from panel.accounts.taking import Transaction, take_here
from panel.casework.bulk import Planned, claim, counts, finish, order, own_work, undo
from panel.casework.bulk_forms import (
    CloseForm,
    DayForm,
    GiveForm,
    UndoForm,
    case_lines,
    give_lines,
)
from panel.casework.bulk_models import BulkKind, BulkState, BulkStep, BulkWork
from panel.casework.bulk_pages import (
    KIND_WORDS,
    STATE_WORDS,
    WEEKDAYS,
    case_mark,
    count_words,
    day_row,
    days_mark,
    step_row,
    undo_words,
    work_row,
)
from panel.casework.bulk_rehearse import (
    leaders,
    rehearse_close,
    rehearse_days,
    rehearse_reassign,
    require_bulk,
    takers,
)
from panel.casework.names import named
from panel.panels.calendar import panel_by_key
from panel.panels.models import Panel
from panel.platform.problems import Invalid
from panel.register.service import CLOSURE_WORDS
from panel.web import words
from panel.web.forms import FieldErrors, Filled
from panel.web.paging import Asked, page_of, read_cursor

A_PAGE = 25
CASES_A_PAGE = 50
LIST_KEY = (date, UUID)
CHANGED = "Something changed since you looked. Look again at what it would do"


async def _do_now(desk: Desk, bulk_id: UUID) -> None:
    """What is small is done while its page loads; the job goes on with what is left."""
    await claim(desk.gate, bulk_id, desk.viewer.id)
    await finish(desk.gate, bulk_id)


# --- The list -----------------------------------------------------------------------------------


@get(BASE, include_in_schema=False)
async def bulk_list(desk: NamedDependency[Desk], page: FromQuery[str] = "") -> Response[str]:
    """What I did to many at once, the newest first, and what I can do."""
    who = require_bulk(desk)
    asked = read_cursor(page, (UUID,))
    async with desk.tenant.transaction(desk.viewer.id) as session:
        backwards = asked.direction == "before" and asked.key is not None
        query = select(BulkWork).where(BulkWork.worker_id == desk.viewer.id)
        if asked.key is not None:
            place = tuple_(BulkWork.id)
            query = query.where(place > asked.key if backwards else place < asked.key)
        ordered = BulkWork.id.asc() if backwards else BulkWork.id.desc()
        rows = list(await session.scalars(query.order_by(ordered).limit(A_PAGE + 1)))
        found = page_of(rows, asked, A_PAGE, lambda one: (one.id,))
        counted = await counts(session, [one.id for one in found.rows])
    return desk.page(
        "casework/bulk.html",
        rows=[work_row(one, counted[one.id]) for one in found.rows],
        runs_panels=bool(who.may_coordinate),
        base=BASE,
        note=found.note,
        previous=found.previous and f"{BASE}?page={found.previous}",
        next=found.next and f"{BASE}?page={found.next}",
    )


@get(f"{BASE}/of/{{bulk_id:uuid}}", include_in_schema=False)
async def bulk_one(desk: NamedDependency[Desk], bulk_id: FromPath[UUID]) -> Response[str]:
    """One piece of work in bulk: what became of each step."""
    require_bulk(desk)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        work = await own_work(session, desk.viewer.id, bulk_id)
        kind = BulkKind(work.kind)
        found = await session.scalars(
            select(BulkStep).where(BulkStep.bulk_id == bulk_id).order_by(BulkStep.position)
        )
        steps = list(found)
        children = [one.child_id for one in steps if one.child_id is not None]
        known = await named(
            desk.gate, session, desk.viewer, desk.purposes, children, "looked what was done to many"
        )
        workers = {UUID(one.facts["to"]) for one in steps if kind is BulkKind.REASSIGN}
        workers |= {UUID(one.before["worker"]) for one in steps if kind is BulkKind.REASSIGN}
        people = await worker_names(session, sorted(workers))
        counted = (await counts(session, [bulk_id]))[bulk_id]
        await session.refresh(work)
        why = work.why

    def about(step: BulkStep) -> str:
        if step.child_id is None:
            return words.day(date.fromisoformat(step.before["on"]))
        child = known.get(step.child_id)
        return "A child whom you no longer reach" if child is None else child.words

    state, colour = STATE_WORDS[BulkState(work.state)]
    return desk.page(
        "casework/bulk_one.html",
        heading=KIND_WORDS[kind],
        state=state,
        colour=colour,
        why=why,
        counts=count_words(counted),
        undo=undo_words(work, desk.now),
        version=work.version,
        action=f"{BASE}/of/{bulk_id}/undo",
        column="Meeting" if kind is BulkKind.MOVE_DAY else "Child",
        rows=[step_row(one, about(one), people, kind) for one in steps],
        base=BASE,
    )


@post(f"{BASE}/of/{{bulk_id:uuid}}/undo", include_in_schema=False)
async def take_back(desk: NamedDependency[Desk], bulk_id: FromPath[UUID]) -> Response[Any]:
    """Take it back, as far as nothing else changed since."""
    require_bulk(desk)

    async def work(here: Transaction, form: UndoForm) -> None:
        await undo(here.session, desk.viewer.id, bulk_id, form.version)

    answer = await take_here(desk, UndoForm, work, f"{BASE}/of/{bulk_id}")
    await _do_now(desk, bulk_id)
    return answer


# --- Plans to colleagues ------------------------------------------------------------------------


@get(f"{BASE}/plans", include_in_schema=False)
async def plans_page(desk: NamedDependency[Desk]) -> Response[Any]:
    """Choose whose plans go to whom."""
    return await _plans(desk)


async def _plans(desk: Desk, errors: FieldErrors | None = None) -> Response[Any]:
    who = require_bulk(desk)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        people = await leaders(session, who)
        able = await takers(session, people)
    return desk.page(
        "casework/bulk_plans.html",
        status=200 if errors is None else 422,
        filled=Filled({}, errors),
        people=[(str(one.worker_id), one.name, words.plural(one.plans, "plan")) for one in people],
        takers=[(str(one.worker_id), one.name, words.plural(one.plans, "plan")) for one in able],
        action=f"{BASE}/plans",
        base=BASE,
    )


@post(f"{BASE}/plans", include_in_schema=False)
async def give_plans(desk: NamedDependency[Desk]) -> Response[Any]:
    """See what it would do, or order it."""
    require_bulk(desk)
    posted = await desk.posted()
    read = posted.read(GiveForm)
    if isinstance(read, FieldErrors):
        return await _plans(desk, read)
    if read.step == "look":
        return await _rehearsed_plans(desk, read)
    made: list[UUID] = []

    async def work(here: Transaction, form: GiveForm) -> None:
        if not form.why:
            raise Invalid.because("why", "Say why, for whoever reads this next year")
        who, lines = require_bulk(desk), give_lines(form.give)
        found = await rehearse_reassign(desk.gate, here.session, who, form.from_ids, form.to_ids)
        seen = {one.seen for one in found.lines}
        if any(one.seen not in seen for one in lines):
            raise Invalid.because("give", CHANGED)
        steps = [
            Planned(
                one.child_id,
                None,
                {"to": str(one.to_id)},
                {"lead": str(one.lead_id), "version": one.version, "worker": str(one.worker_id)},
            )
            for one in lines
        ]
        facts = {"from": [str(one) for one in form.from_ids]}
        made.append((await order(here.session, who, BulkKind.REASSIGN, steps, facts, form.why)).id)

    again = partial(_rehearsed_plans, desk, read)
    return await _ordered(desk, await take_here(desk, GiveForm, work, BASE, again=again), made)


async def _ordered(desk: Desk, answer: Response[Any], made: list[UUID]) -> Response[Any]:
    """Do what was just ordered and show it; a form that comes twice leads to the list."""
    if not made:
        return answer
    await _do_now(desk, made[0])
    return go(f"{BASE}/of/{made[0]}")


async def _rehearsed_plans(
    desk: Desk, form: GiveForm, errors: FieldErrors | None = None
) -> Response[Any]:
    who = require_bulk(desk)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await rehearse_reassign(desk.gate, session, who, form.from_ids, form.to_ids)
    return desk.page(
        "casework/bulk_plans_check.html",
        status=200 if errors is None else 422,
        filled=Filled({"why": form.why}, errors),
        lines=found.lines,
        notes=found.notes,
        takers=found.takers,
        from_ids=form.from_ids,
        to_ids=form.to_ids,
        action=f"{BASE}/plans",
        back_href=f"{BASE}/plans",
    )


# --- Cases to close -----------------------------------------------------------------------------


@get(f"{BASE}/cases", include_in_schema=False)
async def cases_page(desk: NamedDependency[Desk], page: FromQuery[str] = "") -> Response[Any]:
    """Open cases, the oldest first, to choose which are closed."""
    return await _cases(desk, read_cursor(page, LIST_KEY))


async def _cases(desk: Desk, asked: Asked, errors: FieldErrors | None = None) -> Response[Any]:
    who = require_bulk(desk)
    # One way through the list: what was closed is gone from it.
    after = asked.key if asked.direction == "after" else None
    place = None if after is None else (_a_day(after[0]), _an_id(after[1]))
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await rehearse_close(desk.gate, session, who, after=place, most=CASES_A_PAGE + 1)
    shown = page_of(found, Asked(after and place), CASES_A_PAGE, lambda one: one[1])
    return desk.page(
        "casework/bulk_cases.html",
        status=200 if errors is None else 422,
        filled=Filled({}, errors),
        cases=[
            (f"{line.child_id} {case_mark(before)}", line.words, line.now, line.why_not)
            for line, _, before in shown.rows
        ],
        reasons=list(CLOSURE_WORDS.items()),
        note=asked.note,
        next=shown.next and f"{BASE}/cases?page={shown.next}",
        action=f"{BASE}/cases",
        base=BASE,
    )


def _a_day(part: object) -> date:
    return part if isinstance(part, date) else date.min


def _an_id(part: object) -> UUID:
    return part if isinstance(part, UUID) else UUID(int=0)


@post(f"{BASE}/cases", include_in_schema=False)
async def close_cases(desk: NamedDependency[Desk]) -> Response[Any]:
    """See what it would do, or order it."""
    require_bulk(desk)
    posted = await desk.posted()
    read = posted.read(CloseForm)
    if isinstance(read, FieldErrors):
        return await _cases(desk, Asked(), read)
    if read.step == "look":
        return await _rehearsed_cases(desk, read)
    made: list[UUID] = []

    async def work(here: Transaction, form: CloseForm) -> None:
        wanted, who = case_lines(form.cases), require_bulk(desk)
        found = await rehearse_close(desk.gate, here.session, who, only=list(wanted))
        now = {line.child_id: case_mark(before) for line, _, before in found}
        if any(now.get(child) != mark for child, mark in wanted.items()):
            raise Invalid.because("cases", CHANGED)
        steps = [
            Planned(line.child_id, None, {}, before)
            for line, _, before in found
            if not line.why_not
        ]
        if not steps:
            raise Invalid.because("cases", "None of these cases can be closed in this way")
        facts = {"reason": form.reason}
        told = (form.what_next, form.left_with)
        work = await order(here.session, who, BulkKind.CLOSE, steps, facts, form.why, told)
        made.append(work.id)

    again = partial(_rehearsed_cases, desk, read)
    return await _ordered(desk, await take_here(desk, CloseForm, work, BASE, again=again), made)


async def _rehearsed_cases(
    desk: Desk, form: CloseForm, errors: FieldErrors | None = None
) -> Response[Any]:
    who, wanted = require_bulk(desk), case_lines(form.cases)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await rehearse_close(desk.gate, session, who, only=list(wanted))
    return desk.page(
        "casework/bulk_cases_check.html",
        status=200 if errors is None else 422,
        filled=Filled({"why": form.why}, errors),
        rows=[
            (line.words, line.now, line.then if not line.why_not else "", line.why_not)
            for line, _, _ in found
        ],
        marks=[f"{line.child_id} {case_mark(before)}" for line, _, before in found],
        some=any(not line.why_not for line, _, _ in found),
        reason=form.reason,
        reason_words=CLOSURE_WORDS[form.reason],
        what_next=form.what_next,
        left_with=form.left_with,
        action=f"{BASE}/cases",
        back_href=f"{BASE}/cases",
    )


# --- A panel's day ------------------------------------------------------------------------------


@get(f"{BASE}/days", include_in_schema=False)
async def days_page(desk: NamedDependency[Desk]) -> Response[Any]:
    """Choose the panel and its new day."""
    return await _days(desk)


async def _days(desk: Desk, errors: FieldErrors | None = None) -> Response[Any]:
    who = require_bulk(desk)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await session.scalars(
            select(Panel).where(Panel.id.in_(who.may_coordinate)).order_by(Panel.name, Panel.id)
        )
        panels = [(one.key, one.name) for one in found]
    return desk.page(
        "casework/bulk_days.html",
        status=200 if errors is None else 422,
        filled=Filled({"start": desk.today}, errors),
        panels=panels,
        weekdays=[(str(at), name) for at, name in enumerate(WEEKDAYS)],
        action=f"{BASE}/days",
        base=BASE,
    )


@post(f"{BASE}/days", include_in_schema=False)
async def move_days(desk: NamedDependency[Desk]) -> Response[Any]:
    """See what it would do, or order it."""
    require_bulk(desk)
    posted = await desk.posted()
    read = posted.read(DayForm)
    if isinstance(read, FieldErrors):
        return await _days(desk, read)
    if read.end < read.start:
        return await _days(
            desk, posted.refused(Invalid.because("end", "The last day is before the first").errors)
        )
    if read.step == "look":
        return await _rehearsed_days(desk, read)
    made: list[UUID] = []

    async def work(here: Transaction, form: DayForm) -> None:
        who = require_bulk(desk)
        panel = await panel_by_key(here.session, form.panel)
        lines = await rehearse_days(
            here.session, who, panel, int(form.weekday), form.start, form.end
        )
        if days_mark(lines) != form.seen:
            raise Invalid.because("why", CHANGED)
        steps = [
            Planned(
                None,
                one.meeting_id,
                {"to": one.to.isoformat()},
                {"version": one.version, "on": one.was_on.isoformat()},
            )
            for one in lines
            if not one.why_not
        ]
        if not steps:
            raise Invalid.because("why", "None of these meetings can be moved in this way")
        facts = {"panel": str(panel.id)}
        made.append((await order(here.session, who, BulkKind.MOVE_DAY, steps, facts, form.why)).id)

    again = partial(_rehearsed_days, desk, read)
    return await _ordered(desk, await take_here(desk, DayForm, work, BASE, again=again), made)


async def _rehearsed_days(
    desk: Desk, form: DayForm, errors: FieldErrors | None = None
) -> Response[Any]:
    who = require_bulk(desk)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        panel = await panel_by_key(session, form.panel)
        lines = await rehearse_days(session, who, panel, int(form.weekday), form.start, form.end)
        name = panel.name
    return desk.page(
        "casework/bulk_days_check.html",
        status=200 if errors is None else 422,
        filled=Filled({"why": form.why}, errors),
        panel_name=name,
        rows=[day_row(one) for one in lines],
        some=any(not one.why_not for one in lines),
        kept=[
            ("panel", form.panel),
            ("weekday", form.weekday),
            ("start", form.start.isoformat()),
            ("end", form.end.isoformat()),
            ("seen", days_mark(lines)),
        ],
        action=f"{BASE}/days",
        back_href=f"{BASE}/days",
    )


HANDLERS = [
    bulk_list,
    bulk_one,
    take_back,
    plans_page,
    give_plans,
    cases_page,
    close_cases,
    days_page,
    move_days,
]
