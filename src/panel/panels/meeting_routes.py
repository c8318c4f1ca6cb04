"""Holding a meeting: who is here, one child on one screen, the end, the minutes."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from panel.accounts.desk import Desk, go, sent_fields
from panel.accounts.taking import Reads, take
from panel.panels import meeting_forms as forms
from panel.panels import meeting_pages as pages
from panel.panels.asking import NeedsToKnow, add_action_of_meeting, involve
from panel.panels.attendance import add_substitute, leave, mark, take_chair
from panel.panels.calendar import panel_by_key
from panel.panels.holding import (
    AtItem,
    at_item,
    begin,
    confirm_minutes,
    contribute,
    declare_interest,
    done,
    end,
    not_done,
    place_review,
    take_back,
    take_interest_back,
)
from panel.panels.meeting_reading import MeetingView, child_screen, meeting_view, shared_view_of
from panel.panels.meeting_rules import Presence, next_to_come
from panel.panels.minutes import minutes_to_confirm, read_minutes
from panel.panels.models import Panel
from panel.panels.run import Run, panel_run_by, running
from panel.platform.live import tell
from panel.platform.problems import Invalid, NotAllowed, NotFound, Problem
from panel.records.beside import Beside
from panel.web import words
from panel.web.forms import FieldErrors, Filled, Nothing

Form = TypeVar("Form", bound=msgspec.Struct)


async def _panel(desk: Desk, session: AsyncSession, key: str) -> Panel:
    """A panel on which this person sits. Raises NotFound."""
    panel = await panel_by_key(session, key)
    if panel.id not in desk.signed_in.panels:
        raise NotFound
    return panel


def _runs(desk: Desk, panel: Panel) -> bool:
    return panel.id in desk.signed_in.may_coordinate


async def _view(desk: Desk, session: AsyncSession, key: str, day: date) -> MeetingView:
    """The meeting, for somebody with a seat at its table. Raises NotAllowed, Problem."""
    panel = await _panel(desk, session, key)
    view = await meeting_view(desk.gate, session, panel, day, desk.viewer)
    if view.table.person(desk.viewer.id) is None:
        raise NotAllowed(
            f"The meeting of the {panel.name} is for the people who sit on it.",
            "Ask the coordinator of the panel if you should be one of them.",
        )
    if view.meeting.frozen_at is None:
        raise Problem(
            409,
            "The agenda is not settled yet",
            f"The meeting of {words.day(day)} opens when its agenda is frozen.",
            "Come back when the coordinator has frozen the agenda.",
        )
    return view


# Several at once ----------------------------------------------------------------------------------

LIVE = "meeting"
"""The kind of page that is told when somebody writes at a meeting (`accounts.live_routes`)."""

_HAS_A_SEAT = """
SELECT EXISTS (SELECT 1 FROM meeting m JOIN worker_role r ON r.panel_id = m.panel_id
  WHERE m.id = :meeting AND r.worker_id = :viewer
    AND r.role IN ('panel_member', 'coordinator', 'chair')
    AND (r.from_on IS NULL OR r.from_on <= :today)
    AND (r.until_on IS NULL OR r.until_on >= :today))
"""


def topic_of(meeting_id: UUID) -> str:
    """Under which name the open pages of a meeting listen."""
    return f"{LIVE}-{meeting_id}"


async def may_listen(desk: Desk, meeting_id: UUID) -> bool:
    """Whether the person at the desk has a seat at the table of this meeting now."""
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await session.scalar(
            text(_HAS_A_SEAT),
            {"meeting": meeting_id, "viewer": desk.viewer.id, "today": desk.today},
        )
    return bool(found)


# The table ----------------------------------------------------------------------------------------


async def _table_page(
    desk: Desk, key: str, day: date, errors: FieldErrors | None = None, form: str = ""
) -> Response[str]:
    """The meeting's page; `form` says which of its forms has the mistakes."""
    async with desk.tenant.transaction(desk.viewer.id) as session:
        view = await _view(desk, session, key, day)
        waiting = await minutes_to_confirm(session, view.panel, view.meeting)
        shown = pages.table_page(view, desk.today, runs=_runs(desk, view.panel), to_confirm=waiting)
        return desk.page(
            "panels/meeting.html",
            status=200 if errors is None else 422,
            shown=shown,
            filled=Filled({}, errors),
            wrong=form,
            nothing=Filled(),
            live=f"/live/{topic_of(view.meeting.id)}",
        )


@get("/panels/{key:str}/{held_on:date}/meeting", include_in_schema=False)
async def meeting_page(
    desk: NamedDependency[Desk], key: FromPath[str], held_on: FromPath[date]
) -> Response[str]:
    """Who is here, whether it is a quorum, and the children."""
    return await _table_page(desk, key, held_on)


async def _run(
    desk: Desk,
    key: str,
    day: date,
    kind: type[Form],
    work: Callable[[Run, Form], Awaitable[object]],
    *,
    name: str = "",
    to: str = "",
) -> Response[Any]:
    """Do something with the whole meeting, and tell its open pages.

    A mistake is shown on the meeting's page, in the form of this `name`; a form without a name
    has nothing that could be mistaken.
    """

    async def again(errors: FieldErrors) -> Response[Any]:
        async with desk.tenant.transaction(desk.viewer.id) as session:
            await panel_run_by(desk, session, key)
        return await _table_page(desk, key, day, errors, name)

    async def work_and_tell(run: Run, form: Form) -> None:
        await work(run, form)
        await tell(run.session, topic_of(run.meeting.id))

    opens = partial(running, desk, key, day)
    location = to or f"/panels/{key}/{day}/meeting"
    return await take(desk, kind, opens, work_and_tell, location, again=again if name else None)


@post("/panels/{key:str}/{held_on:date}/meeting/begin", include_in_schema=False)
async def begin_meeting(
    desk: NamedDependency[Desk], key: FromPath[str], held_on: FromPath[date]
) -> Response[Any]:
    """The meeting begins, with whoever is ticked by then."""

    async def work(run: Run, form: forms.AttendanceForm) -> None:
        if mistakes := forms.attendance_mistakes(form):
            raise Invalid(tuple(mistakes))
        await begin(run.session, run.panel, run.meeting, desk.viewer)
        await mark(run.session, run.panel, run.meeting, _marks(form))

    return await _run(desk, key, held_on, forms.AttendanceForm, work, name="attendance")


@post("/panels/{key:str}/{held_on:date}/meeting/attendance", include_in_schema=False)
async def mark_attendance(
    desk: NamedDependency[Desk], key: FromPath[str], held_on: FromPath[date]
) -> Response[Any]:
    """Who is here and who sent apologies."""

    async def work(run: Run, form: forms.AttendanceForm) -> None:
        if mistakes := forms.attendance_mistakes(form):
            raise Invalid(tuple(mistakes))
        await mark(run.session, run.panel, run.meeting, _marks(form))

    return await _run(desk, key, held_on, forms.AttendanceForm, work, name="attendance")


def _marks(form: forms.AttendanceForm) -> dict[UUID, Presence]:
    """Where people are, for whom the page was changed."""
    marks: dict[UUID, Presence] = {}
    for worker in {*form.here, *form.apologies, *form.was_here, *form.was_apologies}:
        now = (worker in form.here, worker in form.apologies)
        if now != (worker in form.was_here, worker in form.was_apologies):
            marks[worker] = (
                Presence.HERE if now[0] else Presence.APOLOGIES if now[1] else Presence.ABSENT
            )
    return marks


@post("/panels/{key:str}/{held_on:date}/meeting/substitutes", include_in_schema=False)
async def substitute(
    desk: NamedDependency[Desk], key: FromPath[str], held_on: FromPath[date]
) -> Response[Any]:
    """Somebody without a seat is here."""

    async def work(run: Run, form: forms.SubstituteForm) -> None:
        await add_substitute(
            run.session,
            run.panel,
            run.meeting,
            name=form.name,
            agency_id=form.agency,
            stands_in_for=form.stands_in_for,
        )

    return await _run(desk, key, held_on, forms.SubstituteForm, work, name="substitute")


@post("/panels/{key:str}/{held_on:date}/meeting/leave", include_in_schema=False)
async def leave_meeting(
    desk: NamedDependency[Desk], key: FromPath[str], held_on: FromPath[date]
) -> Response[Any]:
    """Somebody leaves before the end."""

    async def work(run: Run, form: forms.LeaveForm) -> None:
        await leave(run.session, run.panel, run.meeting, form.who, form.new_chair)

    return await _run(desk, key, held_on, forms.LeaveForm, work, name="leave")


@post("/panels/{key:str}/{held_on:date}/meeting/chair", include_in_schema=False)
async def chair_meeting(
    desk: NamedDependency[Desk], key: FromPath[str], held_on: FromPath[date]
) -> Response[Any]:
    """Who chairs from now on."""

    async def work(run: Run, form: forms.ChairForm) -> None:
        await take_chair(run.session, run.panel, run.meeting, form.chair)

    return await _run(desk, key, held_on, forms.ChairForm, work, name="chair")


@post("/panels/{key:str}/{held_on:date}/meeting/end", include_in_schema=False)
async def end_meeting(
    desk: NamedDependency[Desk], key: FromPath[str], held_on: FromPath[date]
) -> Response[Any]:
    """The meeting ends; its minutes are shown."""

    async def work(run: Run, _form: Nothing) -> None:
        await end(run.session, run.panel, run.meeting)

    to = f"/panels/{key}/{held_on}/minutes"
    return await _run(desk, key, held_on, Nothing, work, to=to)


# One child on one screen --------------------------------------------------------------------------


async def _child_page(
    desk: Desk,
    key: str,
    day: date,
    child_id: UUID,
    errors: FieldErrors | None = None,
    form: str = "",
) -> Response[Any]:
    """A child's screen; `form` says which of its forms has the mistakes."""
    async with desk.tenant.transaction(desk.viewer.id) as session:
        view = await _view(desk, session, key, day)
        view.child(child_id)
        runs = _runs(desk, view.panel)
        if not runs:
            _require_in_the_room(desk, view)
        screen = await child_screen(desk.gate, session, view, child_id, desk.viewer)
        shown = pages.screen_page(screen, desk.today, runs=runs)
        papers: Sequence[Beside] = ()
        if view.panel.kind == "allocation" and screen.may_look:
            papers = await desk.site.beside.papers(session, child_id, view.meeting.id, screen.view)
        return desk.page(
            "panels/meeting_child.html",
            status=200 if errors is None else 422,
            shown=shown,
            filled=Filled({}, errors),
            wrong=form,
            nothing=Filled(),
            papers=papers,
            live=f"/live/{topic_of(view.meeting.id)}",
            drafts_key=desk.drafts_key,
        )


def _require_in_the_room(desk: Desk, view: MeetingView) -> None:
    """Raise for a member while the meeting is not under way, or who is not here."""
    if view.meeting.began_at is None or view.meeting.state == "held":
        raise Problem(
            409,
            "This meeting is not under way",
            "A child’s screen is open to members while the panel meets.",
            "Before it, read your pack; after it, the minutes.",
        )
    person = view.table.person(desk.viewer.id)
    if person is None or not person.is_here:
        raise NotAllowed(
            "You are not written down as here.",
            "Ask the coordinator to tick your name on the meeting’s page.",
        )


@get("/panels/{key:str}/{held_on:date}/meeting/{child_id:uuid}", include_in_schema=False)
async def meeting_child(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
) -> Response[Any]:
    """One child on one screen."""
    return await _child_page(desk, key, held_on, child_id)


async def _work(
    desk: Desk,
    where: tuple[str, date, UUID],
    reads: Reads[Form],
    work: Callable[[AtItem, Form], Awaitable[object]],
    name: str,
    *,
    run_only: bool = True,
    anchors: Mapping[str, str] | None = None,
) -> Response[Any]:
    """Do something with one child's item, and tell the open pages of the meeting.

    A mistake is shown on the child's screen, in the form of this `name`; `anchors` say where its
    fields stand on that page, where another form has fields of the same names.
    """
    key, day, child_id = where

    async def again(errors: FieldErrors) -> Response[Any]:
        led = FieldErrors(errors.sentences, errors.typed, {**errors.anchors, **(anchors or {})})
        return await _child_page(desk, key, day, child_id, led, name)

    async def work_and_tell(at: AtItem, form: Form) -> None:
        await work(at, form)
        await tell(at.session, topic_of(at.meeting.id))

    opens = partial(opened_item, desk, where, run_only=run_only)
    to = f"/panels/{key}/{day}/meeting/{child_id}#{name}"
    return await take(desk, reads, opens, work_and_tell, to, again=again)


@asynccontextmanager
async def opened_item(
    desk: Desk, where: tuple[str, date, UUID], *, run_only: bool
) -> AsyncIterator[AtItem]:
    """A child's item, in one transaction. Raises NotAllowed, NotFound, Problem."""
    key, day, child_id = where
    async with desk.tenant.transaction(desk.viewer.id) as session:
        view = await _view(desk, session, key, day)
        view.child(child_id)
        if run_only and not _runs(desk, view.panel):
            raise NotAllowed("Only the coordinator or the chair of this panel can do this.")
        shared = await shared_view_of(
            desk.gate, session, view, child_id, desk.viewer, "wrote at the meeting"
        )
        yield await at_item(view.panel, view.meeting, view.table, shared)


@post("/panels/{key:str}/{held_on:date}/meeting/{child_id:uuid}/say", include_in_schema=False)
async def say(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
) -> Response[Any]:
    """Add to what is said about a child, under the heading whose button was pressed."""
    where = (key, held_on, child_id)
    heading = forms.heading_of(await sent_fields(desk.request))
    reads = partial(forms.said_in, asked=heading)
    return await _work(desk, where, reads, _say_all, heading, run_only=False)


async def _say_all(at: AtItem, form: forms.Said) -> None:
    for one in form.said:
        await contribute(
            at,
            text=one.text,
            heading=one.heading,
            category=Category(one.category),
            for_family=one.for_family,
            client_id=one.client_id,
        )


@post(
    "/panels/{key:str}/{held_on:date}/meeting/{child_id:uuid}/said/{said_id:uuid}/take-back",
    include_in_schema=False,
)
async def take_back_said(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
    said_id: FromPath[UUID],
) -> Response[Any]:
    """Somebody takes back what they wrote, with a reason."""

    async def work(at: AtItem, form: forms.WhyForm) -> None:
        await take_back(at, said_id, form.why)

    where = (key, held_on, child_id)
    name, anchors = f"said-{said_id}", {"why": f"why-{said_id}"}
    return await _work(desk, where, forms.WhyForm, work, name, run_only=False, anchors=anchors)


@post("/panels/{key:str}/{held_on:date}/meeting/{child_id:uuid}/actions", include_in_schema=False)
async def ask_action(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
) -> Response[Any]:
    """Ask somebody to do something by a day."""

    async def work(at: AtItem, form: forms.ActionForm) -> None:
        await add_action_of_meeting(at, who=form.who, what=form.what, due_on=form.due_on)

    where = (key, held_on, child_id)
    return await _work(desk, where, forms.ActionForm, work, "actions", run_only=False)


@post(
    "/panels/{key:str}/{held_on:date}/meeting/{child_id:uuid}/needs-to-know",
    include_in_schema=False,
)
async def needs_to_know(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
) -> Response[Any]:
    """An agency needs to know, now or from a day."""

    async def work(at: AtItem, form: forms.NeedsForm) -> None:
        await involve(at, NeedsToKnow(form.agency, form.part, form.from_on))

    where = (key, held_on, child_id)
    return await _work(desk, where, forms.NeedsForm, work, "agencies")


@post("/panels/{key:str}/{held_on:date}/meeting/{child_id:uuid}/review", include_in_schema=False)
async def change_review(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
) -> Response[Any]:
    """The panel wants the child back by another day."""

    async def work(at: AtItem, form: forms.ReviewForm) -> None:
        await place_review(at, review_by=form.review_by, why=form.review_why, version=form.version)

    where = (key, held_on, child_id)
    return await _work(desk, where, forms.ReviewForm, work, "review")


@post("/panels/{key:str}/{held_on:date}/meeting/{child_id:uuid}/interest", include_in_schema=False)
async def interest(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
) -> Response[Any]:
    """Somebody declares an interest, for themselves or through who runs the panel."""

    async def work(at: AtItem, form: forms.InterestForm) -> None:
        if form.worker != desk.viewer.id and not _runs(desk, at.panel):
            raise Invalid.because("worker", "Declare an interest for yourself only")
        await declare_interest(at, form.worker, form.reason)

    where = (key, held_on, child_id)
    return await _work(desk, where, forms.InterestForm, work, "interest", run_only=False)


@post(
    "/panels/{key:str}/{held_on:date}/meeting/{child_id:uuid}/interest/take-back",
    include_in_schema=False,
)
async def interest_back(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
) -> Response[Any]:
    """An interest was declared by mistake."""

    async def work(at: AtItem, form: forms.InterestBackForm) -> None:
        await take_interest_back(at, form.worker)

    where = (key, held_on, child_id)
    return await _work(desk, where, forms.InterestBackForm, work, "interest")


@post("/panels/{key:str}/{held_on:date}/meeting/{child_id:uuid}/done", include_in_schema=False)
async def child_done(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
) -> Response[Any]:
    """The child is done, with what stood under the headings; the next one comes, or the table."""
    posted = await desk.posted()
    form = forms.said_in(posted.fields)
    if isinstance(form, FieldErrors):
        return await _child_page(desk, key, held_on, child_id, form, "discussion")
    table = f"/panels/{key}/{held_on}/meeting"
    try:
        async with opened_item(desk, (key, held_on, child_id), run_only=True) as at:
            if await desk.first_time(at.session, posted, table):
                await _say_all(at, form)
                await done(at)
                await tell(at.session, topic_of(at.meeting.id))
            view = await _view(desk, at.session, key, held_on)
            row = [(one.fact.child_id, one.fact.state) for one in view.children]
    except Invalid as refused:
        errors = posted.refused(refused.errors)
        return await _child_page(desk, key, held_on, child_id, errors, "discussion")
    following = next_to_come(row, child_id)
    return go(table if following is None else f"{table}/{following}")


@post("/panels/{key:str}/{held_on:date}/meeting/{child_id:uuid}/not-done", include_in_schema=False)
async def child_not_done(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
) -> Response[Any]:
    """The wrong child was marked as done."""

    async def work(at: AtItem, _form: Nothing) -> None:
        await not_done(at)

    where = (key, held_on, child_id)
    return await _work(desk, where, Nothing, work, "discussion")


# The minutes --------------------------------------------------------------------------------------


@get("/panels/{key:str}/{held_on:date}/minutes", include_in_schema=False)
async def minutes_page(
    desk: NamedDependency[Desk], key: FromPath[str], held_on: FromPath[date]
) -> Response[str]:
    """The minutes of a meeting that has ended."""
    async with desk.tenant.transaction(desk.viewer.id) as session:
        panel = await _panel(desk, session, key)
        shown = await read_minutes(
            desk.gate, session, panel, held_on, desk.viewer, runs=_runs(desk, panel)
        )
        return desk.page("panels/minutes.html", shown=shown)


@post("/panels/{key:str}/{held_on:date}/minutes/confirm", include_in_schema=False)
async def confirm(
    desk: NamedDependency[Desk], key: FromPath[str], held_on: FromPath[date]
) -> Response[Any]:
    """The next meeting confirms the minutes."""

    async def work(run: Run, _form: Nothing) -> None:
        await confirm_minutes(run.session, run.panel, run.meeting)

    to = f"/panels/{key}/{held_on}/minutes"
    return await _run(desk, key, held_on, Nothing, work, to=to)


HANDLERS = [
    meeting_page,
    begin_meeting,
    mark_attendance,
    substitute,
    leave_meeting,
    chair_meeting,
    end_meeting,
    meeting_child,
    say,
    take_back_said,
    ask_action,
    needs_to_know,
    change_review,
    interest,
    interest_back,
    child_done,
    child_not_done,
    minutes_page,
    confirm,
]
