"""Notes to parents: the list of a meeting, writing, signing off, the log, and what came back."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy import select

from consent import Category
from panel.accounts.desk import FOR_ANYBODY, PRIVATE, Desk, Posted, go, unless_invalid
from panel.accounts.service import worker_names
from panel.accounts.taking import take
from panel.panels import note_forms as forms
from panel.panels.calendar import panel_by_key
from panel.panels.drafted import told_text
from panel.panels.models import Meeting
from panel.panels.note_answers import (
    delivery_of,
    note_log,
    recall,
    reply_to,
    take_step,
)
from panel.panels.note_context import gather
from panel.panels.note_document import FILE_NAME
from panel.panels.note_models import FamilyNote
from panel.panels.note_pages import (
    HELD_BACK_WORDS,
    INCIDENT_WORDS,
    WritePage,
    address_of,
    list_lead,
    list_row,
    log_page,
    preview_page,
    recipient_words,
    write_page,
)
from panel.panels.note_printing import printed
from panel.panels.note_rules import LONGEST_NOTE, Way
from panel.panels.note_sending import (
    Sent,
    another_way,
    letter_of,
    letter_to_print,
    mailbox,
    post_letters,
    send_notes,
    settle_deliveries,
    stop_recalled,
)
from panel.panels.notes import (
    NoteLine,
    NoteOf,
    NotePage,
    another_version,
    called,
    checked_again,
    due_on,
    keep_mark,
    note_of,
    notes_of_meeting,
    read_note,
    save_note,
    sign_off,
    stored_note,
    who_gets,
)
from panel.panels.reading import ABOUT
from panel.panels.still_may_go import still_may_go, stop_letter
from panel.platform.outbox import send_due
from panel.platform.problems import (
    Conflict,
    Invalid,
    NotAllowed,
    NotFound,
    Problem,
)
from panel.records.child_scoped import JOB
from panel.records.gate import Access
from panel.register.service import child_header, name_of_child
from panel.web import words
from panel.web.forms import FieldErrors, Filled, Nothing

NOTE = "/panels/{key:str}/{held_on:date}/notes/{child_id:uuid}"
READ, WROTE = "read the notes to the family", "wrote the notes to the family"


# The list of a meeting --------------------------------------------------------------------------


@get("/panels/{key:str}/{held_on:date}/notes", include_in_schema=False)
async def notes_list(
    desk: NamedDependency[Desk], key: FromPath[str], held_on: FromPath[date]
) -> Response[str]:
    """Every discussed child of a held meeting, with how far the note is and how late."""
    who = desk.signed_in
    async with desk.tenant.transaction(desk.viewer.id) as session:
        panel = await panel_by_key(session, key)
        meeting = await session.scalar(
            select(Meeting).where(
                Meeting.panel_id == panel.id, Meeting.held_on == held_on, Meeting.state == "held"
            )
        )
        runs_it = panel.id in who.may_coordinate
        lines = [] if meeting is None else await notes_of_meeting(session, meeting, every=runs_it)
        if meeting is None or (not lines and not runs_it):
            raise NotFound(
                "There are no notes of this day for you.",
                "Notes are written once the meeting is over.",
            )
        opened = await desk.gate.open_here(
            session,
            [one.child_id for one in lines],
            desk.viewer,
            desk.purposes,
            f"looked at the notes of {words.day(held_on)}",
            ABOUT,
        )
        due = await due_on(session, panel, meeting)
        address = address_of(key, held_on)
        rows = [
            list_row(
                one,
                opened.get(one.child_id),
                _name(opened.get(one.child_id), one) or one.reference,
                due,
                desk.today,
                address,
            )
            for one in lines
        ]
    return desk.page(
        "panels/notes.html",
        panel_name=panel.name,
        panel_address=f"/panels/{key}",
        day=held_on,
        lead=list_lead(due, desk.today),
        rows=rows,
        sits_here=panel.id in who.panels,
    )


def _name(access: Access | None, line: NoteLine) -> str:
    return "" if access is None else name_of_child(access, line.given_name, line.family_name)


# One note ---------------------------------------------------------------------------------------


@asynccontextmanager
async def _opened(
    desk: Desk, key: str, held_on: date, child_id: UUID, doing: str
) -> AsyncIterator[NoteOf]:
    """The child's record and the held meeting, for somebody who may write the note."""
    gathered = await gather(desk.tenant, child_id, key, held_on)
    async with desk.gate.open(child_id, desk.viewer, desk.purposes, doing) as access:
        yield await note_of(access, gathered, key, held_on, desk.signed_in.may_coordinate)


def _base(key: str, held_on: date, child_id: UUID) -> str:
    return f"{address_of(key, held_on)}/{child_id}"


async def _write_page(desk: Desk, of: NoteOf, key: str) -> tuple[NotePage, WritePage]:
    found = await read_note(of)
    header = await child_header(of.access)
    signers = await worker_names(
        of.session, [] if found.note.signed_off_by is None else [found.note.signed_off_by]
    )
    page = write_page(
        found,
        _base(key, of.meeting.held_on, of.access.child_id),
        header.name or "this child",
        next(iter(signers.values()), ""),
        desk.today,
    )
    return found, page


async def _note(
    desk: Desk,
    of: NoteOf,
    key: str,
    *,
    errors: FieldErrors | None = None,
    conflict: tuple[Conflict, str] | None = None,
    replying_to: UUID | None = None,
) -> Response[str]:
    """The page of a note; after a conflict with what was typed and what is there now."""
    found, page = await _write_page(desk, of, key)
    names = {one.who.person: recipient_words(one) for one in found.who_gets}
    log = await note_log(of.access, of.meeting.id, names)
    writers = await worker_names(of.session, [one.held_back_by for one in log.deliveries])
    typed = page.text
    if conflict is not None:
        typed = conflict[1]
    elif errors is not None and "text" in errors.typed:
        typed = next(iter(errors.typed["text"]), "")
    return desk.page(
        "panels/note.html",
        status=409 if conflict is not None else 422 if errors is not None else 200,
        page=page,
        log=log_page(log, writers, desk.now),
        panel_name=of.panel.name,
        address=address_of(key, of.meeting.held_on),
        typed=typed,
        at_most=LONGEST_NOTE,
        clash=None if conflict is None else (conflict[0].theirs_by, page.text),
        filled=Filled({}, errors),
        replying_to=replying_to,
    )


@dataclass(frozen=True, slots=True)
class _At:
    """Which note, of whom, for the person at the desk: what the routes of one note share."""

    desk: Desk
    key: str
    held_on: date
    child_id: UUID

    @property
    def base(self) -> str:
        return _base(self.key, self.held_on, self.child_id)

    def opens(self, doing: str) -> AbstractAsyncContextManager[NoteOf]:
        return _opened(self.desk, self.key, self.held_on, self.child_id, doing)

    def writes(self) -> AbstractAsyncContextManager[NoteOf]:
        return self.opens(WROTE)

    async def again(self, errors: FieldErrors, replying_to: UUID | None = None) -> Response[Any]:
        """The page of the note with mistakes, in the note or in a reply to an answer."""
        led = FieldErrors(errors.sentences, errors.typed, {"reply": f"reply-{replying_to}"})
        async with self.writes() as of:
            return await _note(self.desk, of, self.key, errors=led, replying_to=replying_to)


@get(NOTE, include_in_schema=False)
async def note_page(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
) -> Response[str]:
    """The discussion on the left, the family's version on the right; afterwards the log."""
    async with _opened(desk, key, held_on, child_id, READ) as of:
        return await _note(desk, of, key)


@post(NOTE, include_in_schema=False)
async def post_note(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
) -> Response[Any]:
    """Save the note by its button."""
    posted = await desk.posted()
    form = posted.read(forms.NoteForm)
    location = _base(key, held_on, child_id)
    try:
        async with _opened(desk, key, held_on, child_id, WROTE) as of:
            if isinstance(form, FieldErrors):
                return await _note(desk, of, key, errors=form)
            if await desk.first_time(of.session, posted, location):
                await save_note(of, form.text, form.version)
        return go(location)
    except Conflict as conflict:
        refused = conflict
    async with _opened(desk, key, held_on, child_id, WROTE) as of:
        return await _note(desk, of, key, conflict=(refused, posted.text("text")))


@post(f"{NOTE}/typed", include_in_schema=False)
async def note_typed(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
) -> Response[dict[str, Any]]:
    """Save what was typed, for the page's script: answered as JSON."""
    try:
        posted = await desk.posted()
        form = posted.read(forms.NoteForm)
        if isinstance(form, FieldErrors):
            return _json({"errors": dict(form.sentences)}, 422)
        async with _opened(desk, key, held_on, child_id, WROTE) as of:
            row = await save_note(of, form.text, form.version)
            return _json({"version": row.version, "saved": words.time(desk.now)})
    except Conflict:
        return _json(
            {
                "message": "Somebody else changed this while you were typing. Your words are still"
                " here; use the button to see both."
            },
            409,
        )
    except Problem as problem:
        return _json({"message": f"{problem.sentence} {problem.what_to_do}"}, problem.status)


def _json(said: dict[str, Any], status: int = 200) -> Response[dict[str, Any]]:
    return Response(said, status_code=status, headers=PRIVATE)


@post(f"{NOTE}/keep", include_in_schema=False)
async def keep(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
) -> Response[Any]:
    """Something marked stays in the note, with a reason."""

    async def work(of: NoteOf, form: forms.KeepForm) -> None:
        await keep_mark(of, form.kind, form.words, form.why, form.version)

    at = _At(desk, key, held_on, child_id)
    return await take(desk, forms.KeepForm, at.writes, work, f"{at.base}#marks", again=at.again)


@post(f"{NOTE}/checked", include_in_schema=False)
async def checked(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
) -> Response[Any]:
    """Somebody has read a note once more after something was moved to another child."""

    async def work(of: NoteOf, form: forms.CheckedForm) -> None:
        await checked_again(of, form.version)

    at = _At(desk, key, held_on, child_id)
    return await take(desk, forms.CheckedForm, at.writes, work, at.base)


@post(f"{NOTE}/again", include_in_schema=False)
async def again(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
) -> Response[Any]:
    """Begin a new version of a note that was signed off."""

    async def work(of: NoteOf, _form: Nothing) -> None:
        await another_version(of)

    at = _At(desk, key, held_on, child_id)
    return await take(desk, Nothing, at.writes, work, at.base)


@get(f"{NOTE}/preview", include_in_schema=False)
async def preview(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
) -> Response[str]:
    """The note as the parent will see it on a phone."""
    async with _opened(desk, key, held_on, child_id, READ) as of:
        found = await read_note(of)
        return desk.page(
            "panels/note_preview.html",
            page=preview_page(found.note.text, held_on, await called(of)),
            back=_base(key, held_on, child_id),
        )


# Signing off ------------------------------------------------------------------------------------


async def _sign_off_page(
    desk: Desk, of: NoteOf, key: str, errors: FieldErrors | None = None
) -> Response[str]:
    _, page = await _write_page(desk, of, key)
    if not page.is_draft or not page.version:
        raise NotFound("There is no draft to sign off.", "Save the note first.")
    stored = {f"way-{one.place}": one.way for one in page.recipients}
    stored |= {f"hold-{one.place}": forms.NOT_HELD_BACK for one in page.recipients}
    return desk.page(
        "panels/note_sign_off.html",
        status=200 if errors is None else 422,
        page=page,
        panel_name=of.panel.name,
        address=address_of(key, of.meeting.held_on),
        holds=[(forms.NOT_HELD_BACK, "No, send it"), *HELD_BACK_WORDS.items()],
        filled=Filled(stored, errors),
    )


@get(f"{NOTE}/sign-off", include_in_schema=False)
async def sign_off_page(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
) -> Response[str]:
    """What is still marked, and who gets the note and how."""
    async with _opened(desk, key, held_on, child_id, READ) as of:
        return await _sign_off_page(desk, of, key)


@post(f"{NOTE}/sign-off", include_in_schema=False)
async def signed_off(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
) -> Response[Any]:
    """Sign the note off; it goes out at once, or with the next round of the scheduler."""
    posted = await desk.posted()
    location = f"{_base(key, held_on, child_id)}#log"
    try:
        async with _opened(desk, key, held_on, child_id, "signed the notes off") as of:
            if await desk.first_time(of.session, posted, location):
                await _sign(of, posted)
    except Invalid as wrong:
        async with _opened(desk, key, held_on, child_id, READ) as of:
            return await _sign_off_page(desk, of, key, posted.refused(wrong.errors))
    await _send(desk)
    return go(location)


async def _sign(of: NoteOf, posted: Posted) -> None:
    row = await stored_note(of)
    gets = await who_gets(of, () if row is None else row.categories)
    version = posted.text("version")
    await sign_off(
        of,
        forms.read_sendings(posted.fields, gets),
        int(version) if version.isdecimal() and len(version) < 10 else 0,
    )


async def _send(desk: Desk) -> None:
    """Put what waits into the outbox; the demonstration's mailbox takes it at once.

    The scheduler does the same every minute, so that whatever stops here goes out all the same.
    """
    await send_notes(desk.gate, desk.site.url)
    if desk.tenant.record.demo:
        async with desk.tenant.transaction(JOB) as session:
            may_go = still_may_go(desk.tenant, desk.site.url)
            await send_due(session, Mailbox(), desk.now, may_go=may_go)
            await post_letters(session)
            await settle_deliveries(session)


class Mailbox:
    """The demonstration's way out: it takes everything, and its page shows it."""

    async def send(self, _message: object) -> None:
        """Take a message: it is in the outbox, where the page reads it."""


# The log ----------------------------------------------------------------------------------------


@post(f"{NOTE}/deliveries/{{delivery_id:uuid}}/send", include_in_schema=False)
async def send_again(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
    delivery_id: FromPath[UUID],
) -> Response[Any]:
    """Send a copy that came back once more."""

    async def work(of: NoteOf, form: forms.WayForm) -> None:
        delivery = await delivery_of(of.access, of.meeting.id, delivery_id)
        await another_way(of.session, delivery, form.way)

    at = _At(desk, key, held_on, child_id)
    opens = partial(at.opens, "sent the notes once more")
    answer = await take(desk, forms.WayForm, opens, work, f"{at.base}#log")
    await _send(desk)
    return answer


@post(f"{NOTE}/deliveries/{{delivery_id:uuid}}/posted", include_in_schema=False)
async def letter_posted(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
    delivery_id: FromPath[UUID],
) -> Response[Any]:
    """A letter was posted, or handed over."""
    posted = await desk.posted()
    unless_invalid(posted.read(Nothing))
    location = f"{_base(key, held_on, child_id)}#log"
    async with _opened(desk, key, held_on, child_id, "posted the notes") as of:
        delivery = await delivery_of(of.access, of.meeting.id, delivery_id)
        first = await desk.first_time(of.session, posted, location)
        waits = delivery.way == Way.LETTER and delivery.sent_at is None
    if first and waits:
        async with desk.tenant.transaction(JOB) as session:
            await post_letters(session, delivery_id)
            await settle_deliveries(session)
    return go(location)


@get(f"{NOTE}/deliveries/{{delivery_id:uuid}}/letter", include_in_schema=False)
async def letter(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
    delivery_id: FromPath[UUID],
) -> Response[bytes]:
    """The letter to print, for somebody who may see the note and the address."""
    async with _opened(desk, key, held_on, child_id, "printed the notes as a letter") as of:
        delivery = await delivery_of(of.access, of.meeting.id, delivery_id)
        if delivery.state == "recalled":
            raise Problem(
                409,
                "This was recalled",
                "A letter that was recalled is kept, and not printed again.",
                "Read the log of the note.",
            )
        row = await of.session.get_one(FamilyNote, delivery.note_id)
        may_read = told_text(of.access, row) is not None
        if not may_read or not of.access.may(Category.CONTACT):
            raise NotAllowed(
                "You cannot see the address on this letter.",
                "Somebody who may see the family's contact details prints it.",
            )
    async with desk.tenant.transaction(JOB) as session:
        why = await stop_letter(session, delivery_id, still_may_go(desk.tenant, desk.site.url))
    if why:
        raise Problem(409, "This may not go any more", why, "Read the log of the note.")
    async with desk.tenant.transaction(JOB) as session:
        found = await letter_to_print(session, delivery_id)
    return await printed(desk, found, FILE_NAME)


async def _recall_page(
    desk: Desk, of: NoteOf, key: str, delivery_id: UUID, errors: FieldErrors | None = None
) -> Response[str]:
    delivery = await delivery_of(of.access, of.meeting.id, delivery_id)
    names = {one.who.person: recipient_words(one) for one in await who_gets(of, ())}
    base = _base(key, of.meeting.held_on, of.access.child_id)
    return desk.page(
        "panels/note_recall.html",
        status=200 if errors is None else 422,
        who=names.get(delivery.person_id, "One of the family"),
        action=f"{base}/deliveries/{delivery_id}/recall",
        back=base,
        kinds=list(INCIDENT_WORDS.items()),
        filled=Filled({}, errors),
    )


@get(f"{NOTE}/deliveries/{{delivery_id:uuid}}/recall", include_in_schema=False)
async def recall_page(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
    delivery_id: FromPath[UUID],
) -> Response[str]:
    """What a recall does, and what went wrong."""
    async with _opened(desk, key, held_on, child_id, READ) as of:
        return await _recall_page(desk, of, key, delivery_id)


@post(f"{NOTE}/deliveries/{{delivery_id:uuid}}/recall", include_in_schema=False)
async def recalled(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
    delivery_id: FromPath[UUID],
) -> Response[Any]:
    """Close a copy at once and record an incident."""

    async def work(of: NoteOf, form: forms.RecallForm) -> None:
        await recall(of.access, of.meeting.id, delivery_id, form.kind, form.what)

    async def again(errors: FieldErrors) -> Response[Any]:
        async with at.opens(READ) as of:
            return await _recall_page(desk, of, key, delivery_id, errors)

    at = _At(desk, key, held_on, child_id)
    opens = partial(at.opens, "recalled notes that went wrong")
    answer = await take(desk, forms.RecallForm, opens, work, f"{at.base}#incidents", again=again)
    async with desk.tenant.transaction(JOB) as session:
        await stop_recalled(session)
    return answer


@post(f"{NOTE}/incidents/{{incident_id:uuid}}/step", include_in_schema=False)
async def incident_step(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
    incident_id: FromPath[UUID],
) -> Response[Any]:
    """A step of an incident is done today."""

    async def work(of: NoteOf, form: forms.StepForm) -> None:
        await take_step(of.access, of.meeting.id, incident_id, form.step)

    at = _At(desk, key, held_on, child_id)
    opens = partial(at.opens, "saw to notes that went wrong")
    return await take(desk, forms.StepForm, opens, work, f"{at.base}#incidents")


@post(f"{NOTE}/answers/{{answer_id:uuid}}/reply", include_in_schema=False)
async def reply(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
    answer_id: FromPath[UUID],
) -> Response[Any]:
    """Reply to what one of the family said, in words that a note could have."""

    async def work(of: NoteOf, form: forms.ReplyForm) -> None:
        if (leak := _marked(of, form.reply)) is not None:
            raise Invalid.because("reply", leak)
        await reply_to(of.access, of.meeting.id, answer_id, form.reply)

    at = _At(desk, key, held_on, child_id)
    opens = partial(at.opens, "replied to the family")
    again = partial(at.again, replying_to=answer_id)
    return await take(desk, forms.ReplyForm, opens, work, f"{at.base}#answers", again=again)


def _marked(of: NoteOf, said: str) -> str | None:
    """What must come out of a reply, as of a note; None where nothing must."""
    first = next(iter(of.marks(said)), None)
    return None if first is None else f"“{first.words}” cannot stay. {first.reason}"


# The demonstration's mailbox --------------------------------------------------------------------


@get("/demo/mailbox", include_in_schema=False, opt=FOR_ANYBODY)
async def demo_mailbox(desk: NamedDependency[Desk], to: FromQuery[str] = "") -> Response[str]:
    """What was sent to families; the route exists in the demonstration only."""
    if not desk.tenant.record.demo:
        raise NotFound
    async with desk.tenant.transaction(JOB) as session:
        sent: list[Sent] = await mailbox(session)
    shown = [one for one in sent if to.casefold() in one.to.casefold()]
    return desk.page("panels/note_mailbox.html", messages=shown)


@get("/demo/mailbox/{delivery_id:uuid}", include_in_schema=False, opt=FOR_ANYBODY)
async def demo_letter(desk: NamedDependency[Desk], delivery_id: FromPath[UUID]) -> Response[bytes]:
    """A letter as it came through the door; in the demonstration only."""
    if not desk.tenant.record.demo:
        raise NotFound
    async with desk.tenant.transaction(JOB) as session:
        found = await letter_of(session, delivery_id)
    return await printed(desk, found, FILE_NAME)


HANDLERS = [
    notes_list,
    note_page,
    post_note,
    note_typed,
    keep,
    checked,
    again,
    preview,
    sign_off_page,
    signed_off,
    send_again,
    letter_posted,
    letter,
    recall_page,
    recalled,
    incident_step,
    reply,
]
DEMO = [demo_mailbox, demo_letter]
