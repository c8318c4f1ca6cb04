"""Home, panels, agendas and the calendar."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Role
from panel.accounts.desk import Desk, Posted, go
from panel.accounts.taking import take
from panel.panels import (
    child_routes,
    forms,
    intake_routes,
    meeting_routes,
    move_routes,
    pages,
    referring_routes,
    settings_routes,
)
from panel.panels.board import ShownAgenda, read_agenda, read_board
from panel.panels.calendar import (
    change_meeting,
    import_terms,
    meeting_days,
    meeting_on,
    next_meeting_day,
    panel_by_key,
    panel_rhythm,
    rehearse_change,
    review_load,
)
from panel.panels.models import Panel
from panel.panels.note_pages import owed_figures
from panel.panels.notes import notes_owed
from panel.panels.reading import (
    WAITING,
    WAITING_KEY,
    Waiting,
    all_panels,
    child_name,
    frozen_view,
    next_panels,
    panels_in,
    prepared_view,
    seats_of,
    waiting_list,
)
from panel.panels.resting import how_many_rest
from panel.panels.rules import Part, calendar_end_words
from panel.panels.run import Run, panel_run_by, running
from panel.panels.settle import (
    add_late,
    arrange,
    ask_for_missing,
    could_join,
    freeze,
    set_minutes,
    take_off,
)
from panel.panels.setup import SetupTask, setup_facts, setup_tasks
from panel.plans.pages import (
    HandOverRow,
    MyActionsPart,
    hand_over_rows,
    lead_home,
    my_actions_part,
)
from panel.plans.service import HOME_KEY, MINE_KEY, home_of_lead, my_actions, to_hand_over
from panel.platform.problems import Invalid, NotFound
from panel.records.dates import months_after
from panel.sharing.agencies_agreeing import may_keep
from panel.sharing.override_pages import ReviewRow, review_row
from panel.sharing.overriding import may_review, overrides_to_review
from panel.sharing.waiting import waiting_about_sharing
from panel.sharing.waiting_pages import HomePart, home_part
from panel.web.forms import FieldErrors, Filled
from panel.web.paging import read_cursor

SCHEDULERS = (Role.COORDINATOR, Role.CHAIR, Role.ADMINISTRATOR)
LARGEST_CALENDAR = 5_000_000


# --- Home -------------------------------------------------------------------------------------


@get("/", include_in_schema=False)
async def home(
    desk: NamedDependency[Desk], page: FromQuery[str] = "", actions: FromQuery[str] = ""
) -> Response[Any]:
    """What each person opens first: what waits for them, and the next step."""
    who = desk.signed_in
    if who.may_coordinate:
        async with desk.tenant.transaction(desk.viewer.id) as session:
            found = await next_panels(session, sorted(who.may_coordinate), desk.viewer)
            homes = [pages.panel_home(one, desk.today) for one in found]
            owed = await notes_owed(session, who.may_coordinate)
        return desk.page(
            "panels/home.html",
            homes=homes,
            actions=await _my_actions(desk, actions),
            sharing=await _sharing(desk),
            notes=owed_figures(owed, desk.today),
            reviews=await _reviews(desk),
            to_hand_over=await _to_hand_over(desk),
        )
    if desk.viewer.roles & {Role.PRACTITIONER, Role.MANAGER}:
        asked = read_cursor(page, HOME_KEY)
        mine = await home_of_lead(desk.gate, desk.viewer, desk.purposes, asked)
        meetings = await _next_meetings(desk)
        async with desk.tenant.transaction(desk.viewer.id) as session:
            owed = await notes_owed(session, ())
        return desk.page(
            "panels/worker_home.html",
            notes=owed_figures(owed, desk.today),
            page=lead_home(mine),
            meetings=meetings,
            actions=await _my_actions(desk, actions),
            sharing=await _sharing(desk),
            has_pack=Role.PANEL_MEMBER in desk.viewer.roles,
            has_watch=Role.MANAGER in desk.viewer.roles,
            reviews=await _reviews(desk),
            to_hand_over=await _to_hand_over(desk),
            caseload_href="/caseload" if Role.MANAGER in desk.viewer.roles else "",
        )
    if Role.GOVERNANCE_LEAD in desk.viewer.roles and not who.panels:
        return go("/governance")
    if desk.viewer.roles == {Role.COMMISSIONER}:
        return go("/commissioning")
    return desk.page(
        "panels/member_home.html",
        meetings=await _next_meetings(desk),
        before=await _before_panels(desk),
        actions=await _my_actions(desk, actions),
        has_pack=Role.PANEL_MEMBER in desk.viewer.roles,
        setup=await _setup(desk),
        keeps_agreements=may_keep(desk.viewer),
        name=desk.signed_in.name,
        reviews=await _reviews(desk),
    )


async def _before_panels(desk: Desk) -> list[tuple[str, Sequence[tuple[int, str, str]]]]:
    """What is before the panels that decide, in figures: of those on which this person sits."""
    found = []
    async with desk.tenant.transaction(desk.viewer.id) as session:
        for panel in await panels_in(session, sorted(desk.signed_in.panels)):
            if panel.kind == "allocation":
                address = f"/panels/{panel.key}"
                figures = await desk.site.beside.before(session, panel.id, address)
                found.append((panel.name, figures))
    return found


async def _reviews(desk: Desk) -> list[ReviewRow]:
    """What was opened for safety and waits for this person's review."""
    if not may_review(desk.viewer):
        return []
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await overrides_to_review(session, desk.viewer)
    return [review_row(one, desk.today) for one in found]


async def _my_actions(desk: Desk, cursor: str) -> MyActionsPart:
    """What this person is asked to do, whoever holds the plan."""
    asked = read_cursor(cursor, MINE_KEY)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await my_actions(desk.gate, session, desk.viewer, desk.purposes, asked)
        return my_actions_part(found, desk.today)


async def _to_hand_over(desk: Desk) -> Sequence[HandOverRow]:
    """The plans that came to this person because somebody left, or will."""
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await to_hand_over(desk.gate, session, desk.viewer, desk.purposes)
    return hand_over_rows(found, desk.today)


async def _setup(desk: Desk) -> Sequence[SetupTask]:
    """What an administrator sets up, each with its check; nothing for anybody else."""
    if Role.ADMINISTRATOR not in desk.viewer.roles:
        return ()
    async with desk.tenant.transaction(desk.viewer.id) as session:
        facts = await setup_facts(session)
    sends = desk.request.app.state.settings.smtp_url is not None
    return setup_tasks(facts, desk.viewer, desk.tenant.record.label, desk.today, sends=sends)


async def _sharing(desk: Desk) -> HomePart:
    """What waits about the sharing of the children whom this person answers for."""
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await waiting_about_sharing(desk.gate, session, desk.viewer, desk.purposes)
        return home_part(found, desk.today)


async def _next_meetings(desk: Desk) -> list[tuple[str, str, pages.MeetingRow | None]]:
    """The panels that this person sits on, with the next meeting of each."""
    meetings = []
    async with desk.tenant.transaction(desk.viewer.id) as session:
        for panel in await panels_in(session, sorted(desk.signed_in.panels)):
            day = await next_meeting_day(session, panel, desk.today)
            row = None if day is None else pages.meeting_row(panel, day, desk.today)
            meetings.append((panel.name, f"/panels/{panel.key}", row))
    return meetings


# --- Panels and their meetings ----------------------------------------------------------------


async def _my_panels(desk: Desk, session: AsyncSession) -> list[Panel]:
    if Role.ADMINISTRATOR in desk.viewer.roles:
        return await all_panels(session)
    return await panels_in(session, sorted(desk.signed_in.panels))


async def _panel(desk: Desk, session: AsyncSession, key: str) -> Panel:
    """A panel on which this person sits, or whose calendar they keep. Raises NotFound."""
    panel = await panel_by_key(session, key)
    if panel.id in desk.signed_in.panels or Role.ADMINISTRATOR in desk.viewer.roles:
        return panel
    raise NotFound


@get("/panels", include_in_schema=False)
async def panels_page(desk: NamedDependency[Desk]) -> Response[str]:
    """The panels on which this person sits."""
    rows = []
    async with desk.tenant.transaction(desk.viewer.id) as session:
        for panel in await _my_panels(desk, session):
            day = await next_meeting_day(session, panel, desk.today)
            rows.append((panel, None if day is None else pages.meeting_row(panel, day, desk.today)))
    return desk.page("panels/panels.html", rows=rows)


@get("/panels/{key:str}", include_in_schema=False)
async def panel_page(desk: NamedDependency[Desk], key: FromPath[str]) -> Response[str]:
    """A panel's meetings: those to come for a year, and the last ones."""
    async with desk.tenant.transaction(desk.viewer.id) as session:
        panel = await _panel(desk, session, key)
        coming = await meeting_days(session, panel, desk.today, months_after(desk.today, 12))
        past = await meeting_days(session, panel, months_after(desk.today, -6), desk.today)
        days_before = [one for one in past.meetings if one.held_on < desk.today]
        coordinates = panel.id in desk.signed_in.may_coordinate
        return desk.page(
            "panels/panel.html",
            panel=panel,
            coming=[pages.meeting_row(panel, one, desk.today) for one in coming.meetings],
            past=[pages.meeting_row(panel, one, desk.today) for one in reversed(days_before)],
            note=coming.note,
            coordinates=coordinates,
            sets=coordinates or Role.ADMINISTRATOR in desk.viewer.roles,
        )


@get("/panels/{key:str}/children", include_in_schema=False)
async def panel_children(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    show: FromQuery[str] = "all",
    page: FromQuery[str] = "",
) -> Response[str]:
    """The children before a panel, or those for whom something waits."""
    which: Waiting = next((one for one in WAITING if one == show), "all")
    async with desk.tenant.transaction(desk.viewer.id) as session:
        panel = await panel_run_by(desk, session, key)
        asked = read_cursor(page, WAITING_KEY)
        found, opened = await waiting_list(desk.gate, session, panel, desk.viewer, which, asked)
        rows = [pages.waiting_row(one, opened.get(one.child_id), desk.today) for one in found.rows]
    address = f"/panels/{key}/children?show={which}"
    return desk.page(
        "panels/children.html",
        panel_name=panel.name,
        panel_address=f"/panels/{key}",
        rows=rows,
        heading=pages.WAITING_WORDS[which],
        links=[
            (words, f"/panels/{key}/children?show={one}", one == which)
            for one, words in pages.WAITING_WORDS.items()
        ],
        note=found.note,
        previous=found.previous and f"{address}&page={found.previous}",
        next=found.next and f"{address}&page={found.next}",
    )


# --- The agenda -------------------------------------------------------------------------------


@get("/panels/{key:str}/{held_on:date}", include_in_schema=False)
async def agenda(
    desk: NamedDependency[Desk], key: FromPath[str], held_on: FromPath[date]
) -> Response[str]:
    """The agenda of a meeting: to settle it, or to read it once it is frozen."""
    async with desk.tenant.transaction(desk.viewer.id) as session:
        read = await read_board(session, key, held_on)
        if read is None or read.board.panel.id not in desk.signed_in.may_coordinate:
            panel = await _panel(desk, session, key)
            if panel.id not in desk.signed_in.may_coordinate:
                return await _member_agenda(desk, session, panel, held_on)
            # The first look at a meeting stores it.
            await meeting_on(session, panel, held_on)
            read = await read_board(session, key, held_on)
        if read is None:
            raise NotFound
        shown = await read_agenda(desk.gate, session, read, desk.viewer)
        return desk.page(
            "panels/agenda.html",
            title=pages.agenda_title(shown.view.prepared),
            panel_name=read.board.panel.name,
            panel_address=f"/panels/{key}",
            agenda=desk.filled(shown.part(lambda: _agenda_part(desk, shown))),
            to_ratify=await desk.site.beside.to_ratify(session, read.board.panel.id)
            if read.board.panel.kind == "allocation"
            else None,
            decisions_address=f"/panels/{key}/{held_on}/decisions",
            resting=await how_many_rest(session, read.board.panel.id),
            resting_address=f"/panels/{key}/children?show=resting",
        )


def _agenda_part(desk: Desk, shown: ShownAgenda) -> Markup:
    page = pages.agenda_page(shown.view, shown.seats, desk.today)
    return desk.kept_part("panels/agenda_body.html", agenda=page)


async def _member_agenda(
    desk: Desk, session: AsyncSession, panel: Panel, day: date
) -> Response[str]:
    view = await frozen_view(desk.gate, session, panel, day, desk.viewer)
    items = view.prepared.agenda.items if view.prepared.frozen else ()
    return desk.page(
        "panels/member_agenda.html",
        panel_name=panel.name,
        address=f"/panels/{panel.key}",
        day=view.prepared.meeting.held_on,
        lead=pages.meeting_words(view.prepared, desk.today),
        frozen=view.prepared.frozen,
        items=[pages.item_row(view, item, desk.today, "") for item in items],
        has_pack=Role.PANEL_MEMBER in desk.viewer.roles,
        meeting=pages.way_for_member(view.prepared, desk.today),
    )


@get("/panels/{key:str}/{held_on:date}/print", include_in_schema=False)
async def print_agenda(
    desk: NamedDependency[Desk], key: FromPath[str], held_on: FromPath[date]
) -> Response[str]:
    """The agenda as it goes on paper: no buttons, space to write."""
    async with desk.tenant.transaction(desk.viewer.id) as session:
        panel = await panel_run_by(desk, session, key)
        view = await prepared_view(desk.gate, session, panel, held_on, desk.viewer)
        seats = await seats_of(session, view.prepared.meeting.id)
        shown = pages.agenda_page(view, seats, desk.today)
        return desk.page("panels/print.html", agenda=shown)


@post("/panels/{key:str}/{held_on:date}/items/{child_id:uuid}/move", include_in_schema=False)
async def move_item(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
) -> Response[Any]:
    """Move a child's item."""

    async def work(at: Run, form: forms.MoveForm) -> None:
        to = form.direction or form.position
        if to is None:
            raise Invalid.because("direction", "Say where the child goes: up, down or a position.")
        await arrange(at.session, at.panel, at.meeting, child_id, to, form.version)

    opens = partial(running, desk, key, held_on)
    return await take(desk, forms.MoveForm, opens, work, f"/panels/{key}/{held_on}#agenda")


async def _item_page(
    desk: Desk,
    key: str,
    day: date,
    child_id: UUID,
    errors: FieldErrors | None = None,
) -> Response[str]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        panel = await panel_run_by(desk, session, key)
        view = await prepared_view(desk.gate, session, panel, day, desk.viewer)
        items = view.prepared.agenda.items
        item = next((one for one in items if one.candidate.child_id == child_id), None)
        if item is None:
            raise NotFound("This child is not on the agenda.", "Load the agenda again.")
        row = pages.item_row(view, item, desk.today, "")
        return desk.page(
            "panels/item.html",
            status=200 if errors is None else 422,
            row=row,
            address=f"/panels/{key}/{day}",
            panel_name=panel.name,
            day=view.prepared.meeting.held_on,
            frozen=view.prepared.frozen,
            version=view.prepared.meeting.version,
            filled=Filled({"minutes": row.minutes}, errors),
        )


@get("/panels/{key:str}/{held_on:date}/items/{child_id:uuid}", include_in_schema=False)
async def item_page(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
) -> Response[str]:
    """One item: its minutes, and taking it off."""
    return await _item_page(desk, key, held_on, child_id)


@post("/panels/{key:str}/{held_on:date}/items/{child_id:uuid}/minutes", include_in_schema=False)
async def item_minutes(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
) -> Response[Any]:
    """Give an item more or fewer minutes."""

    async def work(at: Run, form: forms.MinutesForm) -> None:
        await set_minutes(at.session, at.panel, at.meeting, child_id, form.minutes, form.version)

    opens = partial(running, desk, key, held_on)
    again = partial(_item_page, desk, key, held_on, child_id)
    to = f"/panels/{key}/{held_on}"
    return await take(desk, forms.MinutesForm, opens, work, to, again=again)


@post("/panels/{key:str}/{held_on:date}/items/{child_id:uuid}/take-off", include_in_schema=False)
async def item_off(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
) -> Response[Any]:
    """Take a child off an agenda, with a reason."""

    async def work(at: Run, form: forms.ReasonForm) -> None:
        await take_off(at.session, at.panel, at.meeting, child_id, form.reason)

    opens = partial(running, desk, key, held_on)
    again = partial(_item_page, desk, key, held_on, child_id)
    to = f"/panels/{key}/{held_on}"
    return await take(desk, forms.ReasonForm, opens, work, to, again=again)


@post("/panels/{key:str}/{held_on:date}/freeze", include_in_schema=False)
async def freeze_agenda(
    desk: NamedDependency[Desk], key: FromPath[str], held_on: FromPath[date]
) -> Response[Any]:
    """Freeze the agenda and open the packs."""

    async def work(at: Run, form: forms.VersionForm) -> None:
        await freeze(at.session, at.panel, at.meeting, form.version)

    opens = partial(running, desk, key, held_on)
    return await take(desk, forms.VersionForm, opens, work, f"/panels/{key}/{held_on}")


@post("/panels/{key:str}/{held_on:date}/ask", include_in_schema=False)
async def ask(
    desk: NamedDependency[Desk], key: FromPath[str], held_on: FromPath[date]
) -> Response[Any]:
    """Ask who owes what is missing."""

    async def work(at: Run, form: forms.AskForm) -> None:
        view = await prepared_view(desk.gate, at.session, at.panel, held_on, desk.viewer)
        await ask_for_missing(at.session, view.prepared, form.child, Part(form.what), desk.site.url)

    opens = partial(running, desk, key, held_on)
    return await take(desk, forms.AskForm, opens, work, f"/panels/{key}/{held_on}#not-ready")


async def _late_page(
    desk: Desk, key: str, day: date, errors: FieldErrors | None = None
) -> Response[str]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        panel = await panel_run_by(desk, session, key)
        view = await prepared_view(desk.gate, session, panel, day, desk.viewer)
        choices = []
        for one in could_join(view.prepared):
            fact = view.prepared.facts[one.child_id]
            name = child_name(view.opened.get(one.child_id), fact)
            why = " ".join(why.sentence for why in one.whys)
            choices.append((str(one.child_id), f"{name} ({fact.reference})", why))
        return desk.page(
            "panels/late.html",
            status=200 if errors is None else 422,
            address=f"/panels/{key}/{day}",
            panel_name=panel.name,
            day=view.prepared.meeting.held_on,
            frozen=view.prepared.frozen,
            choices=choices,
            filled=Filled({}, errors),
        )


@get("/panels/{key:str}/{held_on:date}/late", include_in_schema=False)
async def late_page(
    desk: NamedDependency[Desk], key: FromPath[str], held_on: FromPath[date]
) -> Response[str]:
    """Put a child on after the freeze, or back on."""
    return await _late_page(desk, key, held_on)


@post("/panels/{key:str}/{held_on:date}/late", include_in_schema=False)
async def late(
    desk: NamedDependency[Desk], key: FromPath[str], held_on: FromPath[date]
) -> Response[Any]:
    """Put a child on after the freeze, or back on, with a reason."""

    async def work(at: Run, form: forms.LateForm) -> None:
        await add_late(at.session, at.panel, at.meeting, form.child, form.reason)

    opens = partial(running, desk, key, held_on)
    again = partial(_late_page, desk, key, held_on)
    to = f"/panels/{key}/{held_on}"
    return await take(desk, forms.LateForm, opens, work, to, again=again)


# --- A meeting changes ------------------------------------------------------------------------


async def _change_page(
    desk: Desk, key: str, day: date, errors: FieldErrors | None = None
) -> Response[str]:
    async with running(desk, key, day) as at:
        return desk.page(
            "panels/change.html",
            status=200 if errors is None else 422,
            address=f"/panels/{key}/{day}",
            panel_name=at.panel.name,
            day=at.meeting.held_on,
            version=at.meeting.version,
            filled=Filled({}, errors),
        )


@get("/panels/{key:str}/{held_on:date}/change", include_in_schema=False)
async def change_page(
    desk: NamedDependency[Desk], key: FromPath[str], held_on: FromPath[date]
) -> Response[str]:
    """Cancel or move a meeting."""
    return await _change_page(desk, key, held_on)


@post("/panels/{key:str}/{held_on:date}/change", include_in_schema=False)
async def change(
    desk: NamedDependency[Desk], key: FromPath[str], held_on: FromPath[date]
) -> Response[Any]:
    """Rehearse the change of a meeting, then make it."""
    posted = await desk.posted()
    form = posted.read(forms.ChangeForm)
    if not isinstance(form, FieldErrors) and form.change == "move" and form.to is None:
        form = posted.refused(Invalid.because("to", "Enter the new day").errors)
    if isinstance(form, FieldErrors):
        return await _change_page(desk, key, held_on, form)
    try:
        return await _changed(desk, key, held_on, form, posted)
    except Invalid as wrong:
        return await _change_page(desk, key, held_on, posted.refused(wrong.errors))


async def _changed(
    desk: Desk, key: str, day: date, form: forms.ChangeForm, posted: Posted
) -> Response[Any]:
    to = form.to if form.change == "move" else None
    async with running(desk, key, day) as at:
        session, panel, meeting = at.session, at.panel, at.meeting
        was_on = meeting.held_on
        if form.confirm:
            if await desk.first_time(session, posted, "/calendar"):
                await change_meeting(session, panel, meeting, to, form.reason, form.version)
            return go("/calendar")
        rehearsed = await rehearse_change(session, panel, meeting, to)
        return desk.page(
            "panels/rehearsal.html",
            shown=pages.rehearsal_page(was_on, rehearsed),
            form=form,
            to="" if to is None else to.isoformat(),
            address=f"/panels/{key}/{day}",
        )


# --- The calendar -----------------------------------------------------------------------------


async def _calendar_page(
    desk: Desk, errors: FieldErrors | None = None, report: pages.ImportReport | None = None
) -> Response[str]:
    boards = []
    note = ""
    async with desk.tenant.transaction(desk.viewer.id) as session:
        for panel in await _my_panels(desk, session):
            rhythm = await panel_rhythm(session, panel)
            end = rhythm.calendar.ends_on or desk.today
            loads = await review_load(session, panel, desk.today, end)
            most = max((one.placed for one in loads), default=0)
            rows = pages.term_rows(panel, rhythm, loads, desk.today)
            boards.append((panel, rows, most))
            note = calendar_end_words(rhythm.calendar)
    return desk.page(
        "panels/calendar.html",
        status=200 if errors is None else 422,
        boards=boards,
        note=note,
        report=report,
        may_import=bool(desk.viewer.roles & {Role.COORDINATOR, Role.ADMINISTRATOR}),
        coordinated=desk.signed_in.may_coordinate,
        filled=Filled({}, errors),
    )


@get("/calendar", include_in_schema=False)
async def calendar_page(desk: NamedDependency[Desk]) -> Response[str]:
    """Terms, holidays and meetings, with the reviews that wait for each."""
    if not desk.signed_in.panels:
        desk.require(*SCHEDULERS)
    return await _calendar_page(desk)


@post("/calendar/terms", include_in_schema=False)
async def upload_terms(desk: NamedDependency[Desk]) -> Response[Any]:
    """Take in a term calendar, with a report line by line."""
    desk.require(Role.COORDINATOR, Role.ADMINISTRATOR)
    posted = await desk.posted()
    form = posted.read(forms.TermsForm)
    if isinstance(form, FieldErrors):
        return await _calendar_page(desk, form)
    content = await form.file.read(LARGEST_CALENDAR + 1)
    try:
        async with desk.tenant.transaction(desk.viewer.id) as session:
            imported = await import_terms(session, content)
    except Invalid as wrong:
        return await _calendar_page(desk, posted.refused(wrong.errors))
    return await _calendar_page(desk, report=pages.import_report(imported))


HANDLERS = [
    home,
    panels_page,
    panel_page,
    panel_children,
    agenda,
    print_agenda,
    move_item,
    item_page,
    item_minutes,
    item_off,
    freeze_agenda,
    ask,
    late_page,
    late,
    change_page,
    change,
    calendar_page,
    upload_terms,
    *child_routes.HANDLERS,
    *intake_routes.HANDLERS,
    *meeting_routes.HANDLERS,
    *move_routes.HANDLERS,
    *referring_routes.HANDLERS,
    *settings_routes.HANDLERS,
]
