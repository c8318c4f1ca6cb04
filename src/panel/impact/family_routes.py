"""What one of the family does: wishes, answers and views before a meeting, minutes after it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from panel.accounts.desk import FAMILY_HOME, FOR_FAMILIES, Desk
from panel.accounts.taking import take
from panel.impact import forms
from panel.impact.answers import Signature, comment, open_own, sign
from panel.impact.family_pages import JOINING, meeting_path, own_meeting_page
from panel.impact.invitations import answer_as_family
from panel.impact.meetings import own_meeting, read_meeting, say_wishes
from panel.impact.minutes_pages import (
    AGREEING,
    family_minutes,
    family_path,
    letter_of,
    signed_words,
)
from panel.impact.views import say_view, views_of
from panel.panels.note_printing import printed
from panel.records.gate import Access
from panel.web.forms import FieldErrors, Filled

MEETING = "/family/{child_id:uuid}/meetings/{meeting_id:uuid}"
MINUTES = "/family/{child_id:uuid}/minutes/{minutes_id:uuid}"
Form = TypeVar("Form", bound=msgspec.Struct)
Work = Callable[[Access, Form], Awaitable[object]]
FILE_NAME = "minutes-of-a-meeting.pdf"


@dataclass(frozen=True, slots=True)
class _Page:
    """A page with forms of a family: how it is shown, and where it is."""

    show: Callable[[Desk, Access, UUID, FieldErrors | None], Awaitable[Response[Any]]]
    path: Callable[[UUID, UUID], str]


async def _meeting(
    desk: Desk, access: Access, meeting_id: UUID, errors: FieldErrors | None = None
) -> Response[Any]:
    row, invitation = await own_meeting(access, meeting_id)
    views = [one for one in await views_of(access, row) if one.person == access.viewer.id]
    one = read_meeting(access, row)
    page = own_meeting_page(access, one, invitation, views)
    stored = page.filled
    return desk.page(
        "impact/family_meeting.html",
        status=200 if errors is None else 422,
        page=page,
        joining=JOINING,
        filled=Filled(stored, errors) if errors is None else _typed_or_stored(stored, errors),
        errors=[] if errors is None else errors.summary,
        home=FAMILY_HOME,
    )


def _typed_or_stored(stored: dict[str, object], errors: FieldErrors) -> Filled:
    """Three small forms stand on the page: only one was sent, the others show what is stored."""
    kept = {name: [str(value)] for name, value in stored.items() if value is not None}
    typed = kept | {name: list(said) for name, said in errors.typed.items()}
    return Filled(stored, FieldErrors(errors.sentences, typed, errors.anchors))


_OF_MEETING = _Page(_meeting, meeting_path)


async def _taken(
    desk: Desk,
    on: _Page,
    child_id: UUID,
    row_id: UUID,
    kind: type[Form],
    work: Work[Form],
    doing: str,
) -> Response[Any]:
    """Do what a form of one of the family asks; or show its page again with every mistake."""
    opens = partial(desk.open, child_id, doing)

    async def again(errors: FieldErrors) -> Response[Any]:
        async with opens() as access:
            return await on.show(desk, access, row_id, errors)

    return await take(desk, kind, opens, work, on.path(child_id, row_id), again=again)


@get(MEETING, include_in_schema=False, opt=FOR_FAMILIES)
async def family_meeting(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """A meeting that one of the family is invited to, and how they want it."""
    async with desk.open(child_id, "read about a meeting") as access:
        return await _meeting(desk, access, meeting_id)


@post(f"{MEETING}/answer", include_in_schema=False, opt=FOR_FAMILIES)
async def family_answer(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """They say whether they come."""

    async def work(access: Access, form: forms.AnswerForm) -> None:
        await answer_as_family(access, meeting_id, form.answer, form.said)

    doing = "answered an invitation to a meeting"
    return await _taken(desk, _OF_MEETING, child_id, meeting_id, forms.AnswerForm, work, doing)


@post(f"{MEETING}/wishes", include_in_schema=False, opt=FOR_FAMILIES)
async def family_wishes(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """They say how they want the meeting."""

    async def work(access: Access, form: forms.OwnWishesForm) -> None:
        await say_wishes(access, meeting_id, form.version, form.said)

    doing = "said how they want a meeting"
    return await _taken(desk, _OF_MEETING, child_id, meeting_id, forms.OwnWishesForm, work, doing)


@post(f"{MEETING}/views", include_in_schema=False, opt=FOR_FAMILIES)
async def family_view(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """They say what they think; it stands beside what others think."""

    async def work(access: Access, form: forms.OwnViewForm) -> None:
        await say_view(access, meeting_id, form.words)

    doing = "said what they think at a meeting"
    return await _taken(desk, _OF_MEETING, child_id, meeting_id, forms.OwnViewForm, work, doing)


# Minutes ------------------------------------------------------------------------------------------


async def _minutes(
    desk: Desk, access: Access, minutes_id: UUID, errors: FieldErrors | None = None
) -> Response[Any]:
    own = await open_own(access, minutes_id)
    return desk.page(
        "impact/family_minutes.html",
        status=200 if errors is None else 422,
        page=family_minutes(own),
        choices=AGREEING,
        filled=Filled({}, errors),
        errors=[] if errors is None else errors.summary,
        home=FAMILY_HOME,
    )


_OF_MINUTES = _Page(_minutes, family_path)


@get(MINUTES, include_in_schema=False, opt=FOR_FAMILIES)
async def read_own_minutes(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], minutes_id: FromPath[UUID]
) -> Response[Any]:
    """The minutes, with what one can say about them, and where to sign."""
    async with desk.open(child_id, "read the minutes of a meeting") as access:
        return await _minutes(desk, access, minutes_id)


@post(f"{MINUTES}/comment", include_in_schema=False, opt=FOR_FAMILIES)
async def comment_minutes(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], minutes_id: FromPath[UUID]
) -> Response[Any]:
    """They say something of the minutes."""

    async def work(access: Access, form: forms.CommentForm) -> None:
        await comment(access, minutes_id, form.comment)

    doing = "commented on the minutes of a meeting"
    return await _taken(desk, _OF_MINUTES, child_id, minutes_id, forms.CommentForm, work, doing)


@post(f"{MINUTES}/sign", include_in_schema=False, opt=FOR_FAMILIES)
async def sign_minutes(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], minutes_id: FromPath[UUID]
) -> Response[Any]:
    """They sign the minutes, agreeing or not."""

    async def work(access: Access, form: forms.SignForm) -> None:
        given = Signature(form.agrees, form.words, form.name, form.is_ticked)
        await sign(access, minutes_id, given)

    doing = "signed the minutes of a meeting"
    return await _taken(desk, _OF_MINUTES, child_id, minutes_id, forms.SignForm, work, doing)


@get(f"{MINUTES}/print", include_in_schema=False, opt=FOR_FAMILIES)
async def keep_minutes(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], minutes_id: FromPath[UUID]
) -> Response[Any]:
    """Their own copy, to keep or print, with their signature."""
    async with desk.open(child_id, "kept a copy of the minutes") as access:
        own = await open_own(access, minutes_id)
        letter = letter_of(own.text, own.held_on, access.at, signed=signed_words(own))
    return await printed(desk, letter, FILE_NAME)


HANDLERS = [
    family_meeting,
    family_answer,
    family_wishes,
    family_view,
    read_own_minutes,
    comment_minutes,
    sign_minutes,
    keep_minutes,
]
