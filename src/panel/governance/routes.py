"""The first page of who answers for how records are used, and what leads on from it."""

from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from consent import GUARDIANS, Role
from panel.accounts.desk import PRIVATE, Desk
from panel.accounts.figures import kept_figures, set_figures
from panel.accounts.service import agencies
from panel.accounts.taking import Transaction, take_here
from panel.governance.document_facts import read_facts
from panel.governance.documents import SLUGS
from panel.governance.figures import SET_HERE
from panel.governance.forms import (
    ApproveForm,
    CloseForm,
    MakeForm,
    SearchForm,
    SpansForm,
    ThresholdsForm,
)
from panel.governance.history import (
    Namesake,
    check,
    search_history,
    searches_made,
    workers_called,
)
from panel.governance.own_data_routes import HANDLERS as OWN_DATA
from panel.governance.pages import (
    look_row,
    pattern_facts,
    pattern_row,
    search_address,
    search_words,
    span_change_row,
    span_groups,
    threshold_rows,
    version_row,
)
from panel.governance.patterns import (
    close_pattern,
    closed_patterns,
    one_pattern,
    open_patterns,
)
from panel.governance.retention_routes import HANDLERS as RETENTION
from panel.governance.rights_routes import HANDLERS as RIGHTS
from panel.governance.thresholds import set_thresholds, thresholds
from panel.governance.versions import (
    approve,
    keep_up_to_date,
    newest_versions,
    one_version,
    versions_of,
)
from panel.platform.problems import Invalid
from panel.sharing.pages import PURPOSE_CHOICES
from panel.web.forms import FieldErrors, Filled, read_form
from panel.web.paging import read_cursor

HOME = "/governance"
ANSWERING = (Role.GOVERNANCE_LEAD, *sorted(GUARDIANS))
NOBODY_CALLED_SO = "Nobody of this name works here. Check the spelling, or use the e-mail address"
LOOK_KEY = (datetime, UUID)


# --- Home and unusual patterns ----------------------------------------------------------------


@get(HOME, include_in_schema=False)
async def governance_home(desk: NamedDependency[Desk], page: FromQuery[str] = "") -> Response[str]:
    """What is unusual and not closed yet, and the way to everything else."""
    desk.require(*ANSWERING)
    asked = read_cursor(page, (date, UUID))
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await open_patterns(session, desk.viewer, asked)
    return desk.page(
        "governance/home.html",
        rows=[pattern_row(one) for one in found.rows],
        note=found.note,
        previous=found.previous and f"{HOME}?page={found.previous}",
        next=found.next and f"{HOME}?page={found.next}",
        is_lead=Role.GOVERNANCE_LEAD in desk.viewer.roles,
        is_guardian=bool(desk.viewer.roles & GUARDIANS),
    )


@get(f"{HOME}/patterns/closed", include_in_schema=False)
async def closed(desk: NamedDependency[Desk], page: FromQuery[str] = "") -> Response[str]:
    """What was unusual, and why it was closed."""
    desk.require(*ANSWERING)
    address = f"{HOME}/patterns/closed"
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await closed_patterns(session, desk.viewer, read_cursor(page, LOOK_KEY))
    return desk.page(
        "governance/closed.html",
        rows=[pattern_row(one) for one in found.rows],
        note=found.note,
        previous=found.previous and f"{address}?page={found.previous}",
        next=found.next and f"{address}?page={found.next}",
        back_href=HOME,
    )


@get(f"{HOME}/patterns/{{pattern_id:uuid}}", include_in_schema=False)
async def pattern(desk: NamedDependency[Desk], pattern_id: FromPath[UUID]) -> Response[str]:
    """One unusual pattern, with the looks that it counts and the note that closes it."""
    desk.require(*ANSWERING)
    return await _pattern(desk, pattern_id)


@post(f"{HOME}/patterns/{{pattern_id:uuid}}", include_in_schema=False)
async def close(desk: NamedDependency[Desk], pattern_id: FromPath[UUID]) -> Response[Any]:
    """Close it with a note."""
    desk.require(*ANSWERING)

    async def work(here: Transaction, form: CloseForm) -> None:
        await close_pattern(here.session, desk.viewer, pattern_id, form.version, form.note)

    again = partial(_pattern, desk, pattern_id)
    return await take_here(desk, CloseForm, work, HOME, again=again)


async def _pattern(
    desk: Desk, pattern_id: UUID, errors: FieldErrors | None = None
) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await one_pattern(session, desk.viewer, pattern_id)
    looks = SearchForm(worker_id=found.viewer_id, since=found.day, until=found.day)
    is_lead = Role.GOVERNANCE_LEAD in desk.viewer.roles
    return desk.page(
        "governance/pattern.html",
        status=200 if errors is None else 422,
        row=pattern_row(found),
        facts=pattern_facts(found),
        version=found.version,
        may_close=found.may_close,
        filled=Filled({}, errors),
        looks_href=search_address(looks) if is_lead else "",
        action=f"{HOME}/patterns/{pattern_id}",
        back_href=HOME if found.closed_at is None else f"{HOME}/patterns/closed",
    )


@get(f"{HOME}/thresholds", include_in_schema=False)
async def threshold_page(desk: NamedDependency[Desk]) -> Response[str]:
    """What counts as unusual here."""
    desk.require(Role.GOVERNANCE_LEAD)
    return await _thresholds(desk)


@post(f"{HOME}/thresholds", include_in_schema=False)
async def save_thresholds(desk: NamedDependency[Desk]) -> Response[Any]:
    """Change what counts as unusual from now on."""
    desk.require(Role.GOVERNANCE_LEAD)

    async def work(here: Transaction, form: ThresholdsForm) -> None:
        await set_thresholds(here.session, form.wanted(), form.source)

    again = partial(_thresholds, desk)
    return await take_here(desk, ThresholdsForm, work, f"{HOME}/thresholds", again=again)


async def _thresholds(desk: Desk, errors: FieldErrors | None = None) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        stored = await thresholds(session)
    return desk.page(
        "governance/thresholds.html",
        status=200 if errors is None else 422,
        rows=threshold_rows(stored),
        filled=Filled({one.value: figure for one, figure in stored.items()}, errors),
        action=f"{HOME}/thresholds",
        back_href=HOME,
    )


# --- How long sharing may wait, and ways in last -------------------------------------------------


@get(f"{HOME}/spans", include_in_schema=False)
async def span_page(desk: NamedDependency[Desk]) -> Response[str]:
    """How long what concerns sharing may wait and ways in last here, and what was changed."""
    desk.require(Role.GOVERNANCE_LEAD)
    return await _spans(desk)


@post(f"{HOME}/spans", include_in_schema=False)
async def save_spans(desk: NamedDependency[Desk]) -> Response[Any]:
    """Change how long, from now on."""
    desk.require(Role.GOVERNANCE_LEAD)

    async def work(here: Transaction, form: SpansForm) -> None:
        await set_figures(here.session, SET_HERE.values(), form.wanted(), form.version, form.source)

    again = partial(_spans, desk)
    return await take_here(desk, SpansForm, work, f"{HOME}/spans", again=again)


async def _spans(desk: Desk, errors: FieldErrors | None = None) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        kept = await kept_figures(session, SET_HERE.values())
    return desk.page(
        "governance/spans.html",
        status=200 if errors is None else 422,
        groups=span_groups(),
        changes=[span_change_row(one) for one in kept.changes],
        version=kept.version,
        filled=Filled({name: kept.now[one.key] for name, one in SET_HERE.items()}, errors),
        action=f"{HOME}/spans",
        back_href=HOME,
    )


# --- The history of looks ---------------------------------------------------------------------


@get(f"{HOME}/history", include_in_schema=False)
async def history(desk: NamedDependency[Desk]) -> Response[str]:
    """Search who looked at what; each search is written down."""
    desk.require(Role.GOVERNANCE_LEAD)
    given = list(desk.request.query_params.multi_items())
    if not given:
        return await _history(desk, SearchForm())
    read = read_form(SearchForm, given)
    if isinstance(read, FieldErrors):
        return await _history(desk, SearchForm(), errors=read)
    errors, namesakes, worker = None, [], read.worker_id
    if worker is None and read.worker:
        async with desk.tenant.transaction(desk.viewer.id) as session:
            namesakes = await workers_called(session, read.worker)
        if len(namesakes) == 1:
            worker = namesakes[0].id
        elif not namesakes:
            errors = _typed(read, "worker", NOBODY_CALLED_SO)
    question = read.question(worker)
    try:
        check(question)
    except Invalid as wrong:
        errors = errors or _typed(read, wrong.errors[0].field, wrong.errors[0].sentence)
    if errors is not None or len(namesakes) > 1:
        return await _history(desk, read, errors=errors, namesakes=namesakes)
    asked = read_cursor(read.page, LOOK_KEY)
    looks = await search_history(desk.gate, desk.viewer, question, asked)
    return await _history(
        desk,
        read,
        rows=[look_row(one) for one in looks.rows],
        note=looks.note,
        previous=looks.previous and search_address(read, page=looks.previous),
        next=looks.next and search_address(read, page=looks.next),
    )


@get(f"{HOME}/searches", include_in_schema=False)
async def searches(desk: NamedDependency[Desk], page: FromQuery[str] = "") -> Response[str]:
    """Who searched the history for what."""
    desk.require(*ANSWERING)
    address = f"{HOME}/searches"
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await searches_made(session, read_cursor(page, LOOK_KEY))
    return desk.page(
        "governance/searches.html",
        rows=[search_words(one) for one in found.rows],
        note=found.note,
        previous=found.previous and f"{address}?page={found.previous}",
        next=found.next and f"{address}?page={found.next}",
        back_href=HOME,
    )


async def _history(
    desk: Desk,
    form: SearchForm,
    *,
    errors: FieldErrors | None = None,
    namesakes: list[Namesake] | None = None,
    **shown: object,
) -> Response[str]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        known = [(str(agency.id), agency.name) for agency in await agencies(session)]
    stored = {
        "worker": form.worker,
        "reference": form.reference,
        "since": form.since,
        "until": form.until,
        "agency": form.agency,
        "purpose": form.purpose,
        "refused": ["yes"] if form.refused else [],
    }
    several = [
        (f"{one.name}, {one.agency}", search_address(form, worker_id=str(one.id), worker=one.name))
        for one in (namesakes if namesakes and len(namesakes) > 1 else ())
    ]
    page: dict[str, object] = {"rows": None, "note": "", "previous": None, "next": None}
    return desk.page(
        "governance/history.html",
        status=200 if errors is None else 422,
        filled=Filled(stored, errors),
        agencies=known,
        purposes=PURPOSE_CHOICES,
        namesakes=several,
        worker_id="" if form.worker_id is None else str(form.worker_id),
        action=f"{HOME}/history",
        back_href=HOME,
        **(page | shown),
    )


def _typed(form: SearchForm, field: str, sentence: str) -> FieldErrors:
    """A mistake that a rule found, with what was typed."""
    typed: dict[str, list[str]] = {
        "worker": [form.worker],
        "reference": [form.reference],
        "agency": [str(form.agency or "")],
        "purpose": [form.purpose],
        "refused": ["yes"] if form.refused else [],
    }
    for name, day in (("since", form.since), ("until", form.until)):
        if day is not None:
            typed |= {
                f"{name}-day": [str(day.day)],
                f"{name}-month": [str(day.month)],
                f"{name}-year": [str(day.year)],
            }
    anchor = {"until": "until-day"} if field == "until" else {}
    return FieldErrors({field: sentence}, typed, anchor)


# --- Documents --------------------------------------------------------------------------------


@get(f"{HOME}/documents", include_in_schema=False)
async def documents(desk: NamedDependency[Desk]) -> Response[str]:
    """The newest version of each document."""
    desk.require(*ANSWERING)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await newest_versions(session)
    return desk.page(
        "governance/documents.html",
        rows=[version_row(one) for one in found],
        is_lead=Role.GOVERNANCE_LEAD in desk.viewer.roles,
        action=f"{HOME}/documents",
        back_href=HOME,
    )


@post(f"{HOME}/documents", include_in_schema=False)
async def make_documents(desk: NamedDependency[Desk]) -> Response[Any]:
    """Make a new version of each document whose text is another one now."""
    desk.require(Role.GOVERNANCE_LEAD)

    async def work(here: Transaction, _form: MakeForm) -> None:
        facts = await read_facts(here.session, desk.tenant.record.label)
        await keep_up_to_date(here.session, facts)

    return await take_here(desk, MakeForm, work, f"{HOME}/documents")


@get(f"{HOME}/documents/{{version_id:uuid}}", include_in_schema=False)
async def document(desk: NamedDependency[Desk], version_id: FromPath[UUID]) -> Response[str]:
    """One version to read, and the form that approves it."""
    desk.require(*ANSWERING)
    return await _document(desk, version_id)


@get(f"{HOME}/documents/{{version_id:uuid}}/markdown", include_in_schema=False)
async def document_as_markdown(
    desk: NamedDependency[Desk], version_id: FromPath[UUID]
) -> Response[str]:
    """One version as Markdown, for whoever fills in the marked parts."""
    desk.require(*ANSWERING)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await one_version(session, version_id)
    name = f"{SLUGS[found.kind]}-{found.number}.md"
    return Response(
        found.markdown(),
        media_type="text/markdown; charset=utf-8",
        headers={**PRIVATE, "Content-Disposition": f'attachment; filename="{name}"'},
    )


@post(f"{HOME}/documents/{{version_id:uuid}}", include_in_schema=False)
async def approve_document(
    desk: NamedDependency[Desk], version_id: FromPath[UUID]
) -> Response[Any]:
    """Approve a version, with the day."""
    desk.require(Role.GOVERNANCE_LEAD)

    async def work(here: Transaction, form: ApproveForm) -> None:
        await approve(here.session, desk.viewer, version_id, form.version, form.approved_on)

    again = partial(_document, desk, version_id)
    return await take_here(desk, ApproveForm, work, f"{HOME}/documents/{version_id}", again=again)


async def _document(
    desk: Desk, version_id: UUID, errors: FieldErrors | None = None
) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await one_version(session, version_id)
        every = await versions_of(session, found.kind)
    is_last = every[0].id == found.id
    return desk.page(
        "governance/document.html",
        status=200 if errors is None else 422,
        title=found.title,
        state=found.state,
        parts=[(type(part).__name__, part) for part in found.parts],
        others=[version_row(one) for one in every if one.id != found.id],
        may_approve=is_last
        and found.approved_on is None
        and Role.GOVERNANCE_LEAD in desk.viewer.roles,
        version=found.version,
        filled=Filled({"approved_on": desk.today}, errors),
        action=f"{HOME}/documents/{version_id}",
        markdown_href=f"{HOME}/documents/{version_id}/markdown",
        back_href=f"{HOME}/documents",
    )


HANDLERS = [
    governance_home,
    closed,
    pattern,
    close,
    threshold_page,
    save_thresholds,
    span_page,
    save_spans,
    history,
    searches,
    documents,
    make_documents,
    document,
    document_as_markdown,
    approve_document,
    *RIGHTS,
    *OWN_DATA,
    *RETENTION,
]
