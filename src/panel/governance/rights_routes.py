"""Requests about one's own data: what the information governance lead opens."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy import select

from consent import GUARDIANS, Purpose, Role
from panel.accounts.desk import PRIVATE, Desk
from panel.accounts.service import worker_names
from panel.accounts.step_pages import Field, Shown, Step, step_page
from panel.accounts.taking import Transaction, take, take_here
from panel.documents.routes import as_download
from panel.governance import rights_copies as copies
from panel.governance import rights_service as service
from panel.governance.rights_corrections import ask_correction
from panel.governance.rights_file import MEDIA_TYPE
from panel.governance.rights_forms import (
    AnswerForm,
    ByHandForm,
    DayForm,
    DecideForm,
    SecondLookForm,
    TakeInForm,
    VersionForm,
    WhoForm,
    WhyForm,
)
from panel.governance.rights_models import Exemption, FileState, Outcome, Redaction, RightKind
from panel.governance.rights_pages import (
    BY_HAND,
    DECIDE,
    SECOND,
    STATE_WORDS,
    STEPS,
    TAKE_IN,
    copy_words,
    line_facts,
    mark_facts,
    mark_words,
    next_steps,
    request_facts,
    request_row,
)
from panel.platform.problems import Gone, Invalid, NotFound
from panel.records.gate import Access
from panel.web.forms import FieldErrors

REQUESTS = "/governance/requests"
REQUEST = REQUESTS + "/{right_id:uuid}"
COPY = REQUEST + "/copies/{file_id:uuid}"
MARK = REQUEST + "/marks/{mark_id:uuid}"
SECOND_LOOKS = "/governance/second-looks"
LEAD = Role.GOVERNANCE_LEAD
DOING = "worked on a request about their own data"
MARKS_SHOWN, ENTRIES_SHOWN = 100, 100


def _opens(
    desk: Desk, right_id: UUID, doing: str = DOING
) -> Callable[[], AbstractAsyncContextManager[Access]]:
    """Opens the record that a request is about, for answering it."""

    @asynccontextmanager
    async def opens() -> AsyncIterator[Access]:
        async with desk.tenant.transaction(desk.viewer.id) as session:
            child_id, _ = await service.child_of(session, right_id)
        async with desk.open(child_id, doing, (service.SUBJECT_ACCESS,)) as access:
            yield access

    return opens


async def _gone_if_answered(desk: Desk, right_id: UUID) -> None:
    """Say that it was answered to who comes when the answer has closed the record to them."""
    async with desk.tenant.transaction(desk.viewer.id) as session:
        _, line = await service.child_of(session, right_id)
    service.require_open(line.answered_on)


@get(REQUESTS, include_in_schema=False)
async def requests_page(desk: NamedDependency[Desk]) -> Response[str]:
    """Every request with its clock."""
    desk.require(LEAD)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await service.requests(session)
    return desk.page(
        "governance/requests.html",
        rows=[request_row(one, desk.today) for one in found],
        back_href="/governance",
    )


@get(f"{REQUESTS}/new", include_in_schema=False)
async def new_request(desk: NamedDependency[Desk]) -> Response[str]:
    """The page on which a request is taken in."""
    desk.require(LEAD)
    return _new(desk)


@post(f"{REQUESTS}/new", include_in_schema=False)
async def take_request_in(desk: NamedDependency[Desk]) -> Response[Any]:
    """Take a request in."""
    desk.require(LEAD)

    async def work(here: Transaction, form: TakeInForm) -> None:
        taken = service.Taken(
            form.reference, RightKind(form.kind), form.received_on, form.who, form.about
        )
        row = await service.take_in(here.session, desk.gate, desk.viewer, taken)
        await ask_correction(here.session, row)

    async def again(errors: FieldErrors) -> Response[Any]:
        return _new(desk, errors)

    return await take_here(desk, TakeInForm, work, REQUESTS, again=again)


def _new(desk: Desk, errors: FieldErrors | None = None) -> Response[str]:
    return step_page(desk, TAKE_IN, Shown(f"{REQUESTS}/new", REQUESTS), errors)


@get(REQUEST, include_in_schema=False)
async def request_page(desk: NamedDependency[Desk], right_id: FromPath[UUID]) -> Response[str]:
    """One request; once it is answered, nothing of the record any more."""
    desk.require(LEAD)
    here = f"{REQUESTS}/{right_id}"
    try:
        async with _opens(desk, right_id)() as access:
            read = await service.read_request(access, right_id)
            facts, steps = request_facts(read, desk.today), next_steps(read)
            files = [
                (f"{here}/copies/{one.id}", f"Copy {one.number}", STATE_WORDS[FileState(one.state)])
                for one in read.files
            ]
            corrections = [
                (one.asked, one.state, one.reason, one.before, one.after)
                for one in read.corrections
            ]
    except NotFound:
        async with desk.tenant.transaction(desk.viewer.id) as session:
            _, line = await service.child_of(session, right_id)
        facts, steps, files, corrections = line_facts(line, desk.today), [], [], []
    return desk.page(
        "governance/request.html",
        facts=facts,
        steps=[(f"{here}/steps/{slug}", said) for slug, said in steps],
        files=files,
        corrections=corrections,
        back_href=REQUESTS,
    )


# --- Steps --------------------------------------------------------------------------------------

Work = Callable[[Access, UUID, Any], Awaitable[object]]


async def _who(access: Access, right_id: UUID, form: WhoForm) -> None:
    await service.identify(access, right_id, form.version, form.asker, form.proof, form.proved_on)


async def _stop(access: Access, right_id: UUID, form: DayForm) -> None:
    await service.stop_clock(access, right_id, form.version, form.on)


async def _start(access: Access, right_id: UUID, form: DayForm) -> None:
    await service.start_clock(access, right_id, form.version, form.on)


async def _extend(access: Access, right_id: UUID, form: WhyForm) -> None:
    await service.extend_clock(access, right_id, form.version, form.why)


async def _copy(access: Access, right_id: UUID, form: VersionForm) -> None:
    await service.ask_for_copy(access, right_id, form.version)


async def _restrict(access: Access, right_id: UUID, form: WhyForm) -> None:
    await service.restrict_use(access, right_id, form.version, form.why)


async def _unrestrict(access: Access, right_id: UUID, form: WhyForm) -> None:
    await service.end_restriction(access, right_id, form.why)


async def _answer(access: Access, right_id: UUID, form: AnswerForm) -> None:
    await service.answer(access, right_id, form.version, Outcome(form.outcome), form.why)


DONE_BY: dict[str, tuple[type[msgspec.Struct], Work]] = {
    "who": (WhoForm, _who),
    "stop": (DayForm, _stop),
    "start": (DayForm, _start),
    "extend": (WhyForm, _extend),
    "copy": (VersionForm, _copy),
    "restrict": (WhyForm, _restrict),
    "unrestrict": (WhyForm, _unrestrict),
    "answer": (AnswerForm, _answer),
}


@get(f"{REQUEST}/steps/{{slug:str}}", include_in_schema=False)
async def step(
    desk: NamedDependency[Desk], right_id: FromPath[UUID], slug: FromPath[str]
) -> Response[str]:
    """The page of one step."""
    desk.require(LEAD)
    return await _step(desk, right_id, slug)


@post(f"{REQUEST}/steps/{{slug:str}}", include_in_schema=False)
async def take_step(
    desk: NamedDependency[Desk], right_id: FromPath[UUID], slug: FromPath[str]
) -> Response[Any]:
    """Take one step."""
    desk.require(LEAD)
    if slug not in DONE_BY:
        raise NotFound
    reads, done = DONE_BY[slug]

    async def work(access: Access, form: msgspec.Struct) -> None:
        if isinstance(form, WhoForm) and not await service.has_standing(
            desk.tenant, access.child_id, form.asker
        ):
            raise Invalid.because("asker", "They may not ask for what is kept about this child")
        await done(access, right_id, form)

    again = partial(_step, desk, right_id, slug)
    opens = _opens(desk, right_id)
    try:
        return await take(desk, reads, opens, work, f"{REQUESTS}/{right_id}", again=again)
    except NotFound:
        await _gone_if_answered(desk, right_id)
        raise


async def _step(
    desk: Desk, right_id: UUID, slug: str, errors: FieldErrors | None = None
) -> Response[Any]:
    if slug not in STEPS:
        raise NotFound
    asked = STEPS[slug]
    async with _opens(desk, right_id)() as access:
        read = await service.read_request(access, right_id)
    service.require_open(read.line.answered_on)
    if slug == "who":
        people = tuple((str(one.id), f"{one.name}, {one.part}") for one in read.people)
        first, *others = asked.fields
        named = Field(first.kind, first.name, first.label, choices=people)
        asked = Step(asked.title, asked.lead, asked.button, (named, *others))
    here = f"{REQUESTS}/{right_id}"
    shown = Shown(f"{here}/steps/{slug}", here, read.version)
    return step_page(desk, asked, shown, errors)


# --- Going through a copy -----------------------------------------------------------------------


@get(COPY, include_in_schema=False)
async def copy_page(
    desk: NamedDependency[Desk],
    right_id: FromPath[UUID],
    file_id: FromPath[UUID],
    start: FromQuery[int] = 0,
) -> Response[Any]:
    """A copy with what was marked in it."""
    desk.require(LEAD)
    return await _copy_page(desk, right_id, file_id, max(start, 0))


async def _copy_page(
    desk: Desk, right_id: UUID, file_id: UUID, start: int = 0, errors: FieldErrors | None = None
) -> Response[Any]:
    here = f"{REQUESTS}/{right_id}"
    async with _opens(desk, right_id, "went through a copy of the record")() as access:
        read = await copies.read_copy(access, file_id)
        labels = {one.id: f"{one.section}, {one.label}" for one in read.pieces}
        marks = [
            (f"{here}/marks/{one.id}", one.words[:80], labels.get(one.piece, ""), mark_words(one))
            for one in read.redactions[:MARKS_SHOWN]
        ]
    entries = [
        (f"{here}/copies/{file_id}/entries/{number}", one.label, one.section, one.text[:400])
        for number, one in enumerate(read.pieces)
    ]
    copy = f"{here}/copies/{file_id}"
    more = start + ENTRIES_SHOWN
    return desk.page(
        "governance/copy.html",
        status=200 if errors is None else 422,
        said=copy_words(read),
        errors=errors.summary if errors else [],
        marks=marks,
        more_marks=max(len(read.redactions) - MARKS_SHOWN, 0),
        entries=entries[start:more],
        next=f"{copy}?start={more}" if more < len(entries) else "",
        previous=f"{copy}?start={start - ENTRIES_SHOWN}" if start else "",
        version=read.file.version,
        may_make=read.file.state == FileState.GATHERED
        and not (read.undecided or read.waits_for_second),
        is_ready=read.file.state == FileState.READY,
        action=copy,
        back_href=here,
    )


@post(f"{COPY}/make", include_in_schema=False)
async def make_copy(
    desk: NamedDependency[Desk], right_id: FromPath[UUID], file_id: FromPath[UUID]
) -> Response[Any]:
    """Make the file, once all that was marked is decided."""
    desk.require(LEAD)

    async def work(access: Access, _form: VersionForm) -> None:
        await copies.make(access, file_id)

    async def again(errors: FieldErrors) -> Response[Any]:
        return await _copy_page(desk, right_id, file_id, errors=errors)

    to = f"{REQUESTS}/{right_id}/copies/{file_id}"
    return await take(desk, VersionForm, _opens(desk, right_id), work, to, again=again)


@post(f"{COPY}/hand-out", include_in_schema=False)
async def hand_copy_out(
    desk: NamedDependency[Desk], right_id: FromPath[UUID], file_id: FromPath[UUID]
) -> Response[Any]:
    """The file, once, for the lead who gives it to whoever asked."""
    desk.require(LEAD)
    await desk.require_proof()
    opens = _opens(desk, right_id, "handed out a copy of what is kept")
    return await handed_out(desk, opens, file_id, f"{REQUESTS}/{right_id}")


async def handed_out(
    desk: Desk,
    opens: Callable[[], AbstractAsyncContextManager[Access]],
    file_id: UUID,
    to: str,
) -> Response[Any]:
    """The file as a download; a second time there is none."""
    posted = await desk.posted()
    async with opens() as access:
        if not await desk.first_time(access.session, posted, to):
            raise Gone("This copy was handed out. It is handed out once.", "Ask for another one.")
        made = await copies.hand_out(access, file_id)
    return Response(
        made.encode(),
        status_code=200,
        media_type=MEDIA_TYPE,
        headers=PRIVATE | {"Content-Disposition": 'attachment; filename="what-is-kept.html"'},
    )


@get(f"{COPY}/entries/{{number:int}}", include_in_schema=False)
async def entry(
    desk: NamedDependency[Desk],
    right_id: FromPath[UUID],
    file_id: FromPath[UUID],
    number: FromPath[int],
) -> Response[Any]:
    """One entry of a copy, to take something out of it by hand."""
    desk.require(LEAD)
    return await _entry(desk, right_id, file_id, number)


@post(f"{COPY}/entries/{{number:int}}", include_in_schema=False)
async def mark_entry(
    desk: NamedDependency[Desk],
    right_id: FromPath[UUID],
    file_id: FromPath[UUID],
    number: FromPath[int],
) -> Response[Any]:
    """Take something out that no rule marked."""
    desk.require(LEAD)

    async def work(access: Access, form: ByHandForm) -> None:
        await copies.mark_by_hand(
            access, file_id, form.piece, form.words, Exemption(form.exemption), form.reason
        )

    again = partial(_entry, desk, right_id, file_id, number)
    to = f"{REQUESTS}/{right_id}/copies/{file_id}"
    return await take(desk, ByHandForm, _opens(desk, right_id), work, to, again=again)


async def _entry(
    desk: Desk, right_id: UUID, file_id: UUID, number: int, errors: FieldErrors | None = None
) -> Response[Any]:
    async with _opens(desk, right_id, "went through a copy of the record")() as access:
        pieces = (await copies.read_copy(access, file_id)).pieces
    if not 0 <= number < len(pieces):
        raise NotFound
    piece = pieces[number]
    copy = f"{REQUESTS}/{right_id}/copies/{file_id}"
    shown = Shown(
        f"{copy}/entries/{number}",
        copy,
        facts=[("Where", f"{piece.section}, {piece.label}, {piece.day}")],
        quoted=piece.text,
        stored={"piece": piece.id},
    )
    return step_page(desk, BY_HAND, shown, errors)


@get(MARK, include_in_schema=False)
async def mark(
    desk: NamedDependency[Desk],
    right_id: FromPath[UUID],
    mark_id: FromPath[UUID],
    part: FromQuery[str] = "",
) -> Response[Any]:
    """One marked place, to decide about; or the attached file that it stands for."""
    desk.require(LEAD)
    if part == "file":
        doing = "looked through a file for a copy of the record"
        async with _opens(desk, right_id, doing)() as access:
            return as_download(await copies.file_of_mark(access, mark_id))
    return await _mark(desk, right_id, mark_id)


@post(MARK, include_in_schema=False)
async def decide_mark(
    desk: NamedDependency[Desk], right_id: FromPath[UUID], mark_id: FromPath[UUID]
) -> Response[Any]:
    """Decide about a marked place."""
    desk.require(LEAD)
    async with _opens(desk, right_id)() as access:
        row, _ = await copies.read_mark(access, mark_id)
        to = f"{REQUESTS}/{right_id}/copies/{row.file_id}"

    async def work(access: Access, form: DecideForm) -> None:
        await copies.decide(access, mark_id, form.version, form.exemption, form.reason)

    again = partial(_mark, desk, right_id, mark_id)
    return await take(desk, DecideForm, _opens(desk, right_id), work, to, again=again)


async def _mark(
    desk: Desk, right_id: UUID, mark_id: UUID, errors: FieldErrors | None = None
) -> Response[Any]:
    async with _opens(desk, right_id, "went through a copy of the record")() as access:
        row, piece = await copies.read_mark(access, mark_id)
        names = await worker_names(access.session, [row.decided_by] if row.decided_by else [])
        facts = mark_facts(row, piece, next(iter(names.values()), ""))
    here = f"{REQUESTS}/{right_id}"
    shown = Shown(
        "" if row.must_go else f"{here}/marks/{mark_id}",
        f"{here}/copies/{row.file_id}",
        row.version,
        facts,
        "" if piece is None else piece.text,
        ("Open the file", f"{here}/marks/{mark_id}?part=file")
        if piece is not None and piece.document_id is not None
        else None,
    )
    return step_page(desk, DECIDE, shown, errors)


# --- The second look ----------------------------------------------------------------------------


@get(SECOND_LOOKS, include_in_schema=False)
async def second_looks(desk: NamedDependency[Desk]) -> Response[str]:
    """What is to be left out for serious harm, for a second person to look at."""
    desk.require(*GUARDIANS)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        waiting = await copies.waiting_for_second(session)
    return desk.page(
        "governance/second_looks.html",
        rows=[
            (f"{SECOND_LOOKS}/{one.id}", one.decided_at)
            for one in waiting
            if one.decided_by != desk.viewer.id
        ],
        back_href="/governance",
    )


def _opens_mark(desk: Desk, mark_id: UUID) -> Callable[[], AbstractAsyncContextManager[Access]]:
    @asynccontextmanager
    async def opens() -> AsyncIterator[Access]:
        async with desk.tenant.transaction(desk.viewer.id) as session:
            child_id = await session.scalar(
                select(Redaction.child_id).where(Redaction.id == mark_id)
            )
        if child_id is None:
            raise NotFound
        doing = "gave a second look at what is left out of a copy"
        async with desk.open(child_id, doing, (Purpose.GOVERNANCE,)) as access:
            yield access

    return opens


@get(f"{SECOND_LOOKS}/{{mark_id:uuid}}", include_in_schema=False)
async def second_look(desk: NamedDependency[Desk], mark_id: FromPath[UUID]) -> Response[Any]:
    """One of them: the words, and why they are to be left out."""
    desk.require(*GUARDIANS)
    return await _second(desk, mark_id)


@post(f"{SECOND_LOOKS}/{{mark_id:uuid}}", include_in_schema=False)
async def look_again(desk: NamedDependency[Desk], mark_id: FromPath[UUID]) -> Response[Any]:
    """Agree, or not."""
    desk.require(*GUARDIANS)

    async def work(access: Access, form: SecondLookForm) -> None:
        await copies.give_second_look(access, mark_id, form.version, form.note, form.answer)

    again = partial(_second, desk, mark_id)
    opens = _opens_mark(desk, mark_id)
    return await take(desk, SecondLookForm, opens, work, SECOND_LOOKS, again=again)


async def _second(desk: Desk, mark_id: UUID, errors: FieldErrors | None = None) -> Response[Any]:
    async with _opens_mark(desk, mark_id)() as access:
        row, _ = await copies.read_mark(access, mark_id)
        if not copies.needs_second_look(row):
            raise Gone("Somebody has looked at this.", "Go back to the list.")
        facts = mark_facts(row, None)
    shown = Shown(f"{SECOND_LOOKS}/{mark_id}", SECOND_LOOKS, row.version, facts)
    return step_page(desk, SECOND, shown, errors)


HANDLERS = [
    requests_page,
    new_request,
    take_request_in,
    request_page,
    step,
    take_step,
    copy_page,
    make_copy,
    hand_copy_out,
    entry,
    mark_entry,
    mark,
    decide_mark,
    second_looks,
    second_look,
    look_again,
]
