"""Minutes as the team writes them: the draft, what is marked, sending, what comes back, a print."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from panel.accounts.desk import Desk
from panel.accounts.taking import take
from panel.impact import forms, pages
from panel.impact.answers import answers_of, copies_of
from panel.impact.meetings import meeting_row
from panel.impact.minutes import (
    Copy,
    MinutesOf,
    MinutesPage,
    another_version,
    keep_mark,
    minutes_of,
    read_minutes,
    save_minutes,
    send_minutes,
    stored_minutes,
)
from panel.impact.minutes_pages import letter_of, minutes_page
from panel.impact.opening import framed, sender_of, working
from panel.impact.telling import tell_of_minutes
from panel.panels.drafted import told_text
from panel.panels.note_context import gather_for_plan
from panel.panels.note_printing import printed
from panel.platform.problems import Invalid, NotAllowed, NotFound
from panel.web.forms import FieldErrors, Filled, Nothing

MINUTES = "/children/{child_id:uuid}/meetings/{meeting_id:uuid}/minutes"
READING = "read the minutes of a meeting around the family"
WRITING = "wrote the minutes of a meeting around the family"
Form = TypeVar("Form", bound=msgspec.Struct)
FILE_NAME = "minutes-of-a-meeting.pdf"


@asynccontextmanager
async def _opened(
    desk: Desk, child_id: UUID, meeting_id: UUID, doing: str
) -> AsyncIterator[MinutesOf]:
    # What words are compared with is read in transactions of its own, before the record is opened.
    gathered = await gather_for_plan(desk.tenant, child_id)
    async with working(desk, child_id, doing) as access:
        yield await minutes_of(access, await meeting_row(access, meeting_id), gathered)


def _base(child_id: UUID, meeting_id: UUID) -> str:
    return f"{pages.base(child_id)}/{meeting_id}/minutes"


async def _shown(
    desk: Desk, of: MinutesOf, template: str, errors: FieldErrors | None = None
) -> Response[Any]:
    found = await read_minutes(of)
    names = _names(found)
    page = minutes_page(
        found,
        _base(of.access.child_id, of.meeting.id),
        await copies_of(of.access, of.meeting, names),
        await answers_of(of.access, of.meeting, names),
    )
    filled = Filled({"text": page.text, "version": page.version}, errors)
    return await framed(
        desk, of.access, template, errors, page=page, filled=filled, holds=pages.HOLD_WORDS
    )


def _names(found: MinutesPage) -> dict[UUID, str]:
    named = {one.who.person: one.name or one.who.relationship for one in found.for_whom}
    return pages.names_for(named, found.of.access.child_id)


async def _saved(
    desk: Desk,
    child_id: UUID,
    meeting_id: UUID,
    kind: type[Form],
    work: Callable[[MinutesOf, Form], Awaitable[object]],
    *,
    template: str = "minutes",
    doing: str = WRITING,
) -> Response[Any]:
    async def again(errors: FieldErrors) -> Response[Any]:
        async with _opened(desk, child_id, meeting_id, READING) as of:
            return await _shown(desk, of, template, errors)

    opens = partial(_opened, desk, child_id, meeting_id, doing)
    return await take(desk, kind, opens, work, _base(child_id, meeting_id), again=again)


@get(MINUTES, include_in_schema=False)
async def minutes(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """The minutes: as they are drafted, or as they were sent, with what the family says."""
    async with _opened(desk, child_id, meeting_id, READING) as of:
        return await _shown(desk, of, "minutes")


@post(MINUTES, include_in_schema=False)
async def save(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """Keep what was typed."""

    async def work(of: MinutesOf, form: forms.MinutesForm) -> None:
        await save_minutes(of, form.text, form.version)

    return await _saved(desk, child_id, meeting_id, forms.MinutesForm, work)


@post(f"{MINUTES}/keep", include_in_schema=False)
async def keep(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """Something that is marked stays, with a reason."""

    async def work(of: MinutesOf, form: forms.KeepForm) -> None:
        await keep_mark(of, form.kind, form.words, form.why, form.version)

    return await _saved(desk, child_id, meeting_id, forms.KeepForm, work)


@get(f"{MINUTES}/send", include_in_schema=False)
async def send_form(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """The minutes once more as the family reads them, and who gets them."""
    async with _opened(desk, child_id, meeting_id, READING) as of:
        return await _shown(desk, of, "minutes_send")


@post(f"{MINUTES}/send", include_in_schema=False)
async def send(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """The minutes go to the family."""

    async def work(of: MinutesOf, form: forms.SendForm) -> None:
        if form.hold and form.test is None:
            raise Invalid.because("test", "Choose the reason in law")
        copies = [
            Copy(one, form.test if one in form.hold else None, form.why if one in form.hold else "")
            for one in form.people
        ]
        await send_minutes(of, copies, form.version)
        await tell_of_minutes(of.access, copies, of.meeting, sender_of(desk))

    return await _saved(
        desk, child_id, meeting_id, forms.SendForm, work, template="minutes_send",
        doing="sent the minutes of a meeting to the family",
    )  # fmt: skip


@post(f"{MINUTES}/again", include_in_schema=False)
async def again(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """Begin a new version; the minutes that were sent stay."""

    async def work(of: MinutesOf, _form: Nothing) -> None:
        await another_version(of)

    return await _saved(desk, child_id, meeting_id, Nothing, work)


@get(f"{MINUTES}/print", include_in_schema=False)
async def print_minutes(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """The minutes that were sent, to print and hand over."""
    async with _opened(desk, child_id, meeting_id, "printed minutes for the family") as of:
        row = await stored_minutes(of.session, meeting_id)
        if row is None or row.sent_at is None:
            raise NotFound("There are no minutes to print yet.", "Send them first.")
        told = told_text(of.access, row)
        if told is None:
            raise NotAllowed("Something in these minutes is withheld from you.")
        letter = letter_of(told, of.meeting.held_on, row.sent_at)
    return await printed(desk, letter, FILE_NAME)


HANDLERS = [minutes, save, keep, send_form, send, again, print_minutes]
