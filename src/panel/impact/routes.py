"""Where a child is in the process, and meetings around the family: planned, called, answered."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from panel.accounts.desk import Desk
from panel.impact import family_routes, forms, minutes_routes, pages, talk_routes
from panel.impact.invitations import (
    answer_as_worker,
    invitation_row,
    invitations_of,
    invite,
    invite_guest,
    note_answer,
    send_invitations,
    take_back,
    who_can_be_invited,
)
from panel.impact.meetings import (
    ask_family,
    call_meeting,
    change_when,
    meeting_row,
    meeting_to_change,
    meetings_of,
    plan_meeting,
    read_meeting,
)
from panel.impact.opening import Form, Show, framed, saved, sender_of, shown
from panel.impact.rules import Kind, why_not_called
from panel.impact.steps import NO_EPISODE, Read, in_impact, move_step, step_now, steps_of
from panel.impact.team import key_worker_label, team_of
from panel.impact.views import decided_at
from panel.platform.problems import NotAllowed, NotFound
from panel.records.gate import Access
from panel.web.forms import FieldErrors, Filled

ALL = "/children/{child_id:uuid}/meetings"
ONE = "/children/{child_id:uuid}/meetings/{meeting_id:uuid}"
READING = "read the meetings around the family"
CHANGING = "organised a meeting around the family"
STEPPING = "changed where the child is in the process"


# Where the child is -------------------------------------------------------------------------------


@get(ALL, include_in_schema=False)
async def overview(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Where the child is and was, the meetings, and the team around the child."""

    async def show(access: Access, _errors: FieldErrors | None) -> Response[Any]:
        page = pages.overview_page(
            child_id,
            await steps_of(access),
            await meetings_of(access),
            await team_of(access),
            await key_worker_label(access),
            access.today,
            may_write=access.may_write,
        )
        return await framed(desk, access, "overview", page=page)

    return await shown(desk, child_id, READING, show)


def _stepping(desk: Desk, to: str) -> Show:
    async def show(access: Access, errors: FieldErrors | None) -> Response[Any]:
        access.require_write()
        now = await step_now(access)
        if now is None:
            raise NotFound(NO_EPISODE, "Open an episode first.")
        asked = to if errors is None else Filled({}, errors).text("kind")
        if asked not in set(Kind) or asked == now.kind:
            raise NotFound("There is no such step from here.", "Go back to the meetings.")
        page = pages.step_page(Kind(now.kind), Kind(asked), now.id, now.version)
        filled = Filled({"from_on": access.today, "version": now.version}, errors)
        return await framed(
            desk, access, "step", errors, page=page, filled=filled, back=pages.base(access.child_id)
        )

    return show


@get("/children/{child_id:uuid}/step", include_in_schema=False)
async def step_form(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], to: FromQuery[str] = "impact"
) -> Response[Any]:
    """The form of a step up or down, with what it does."""
    return await shown(desk, child_id, READING, _stepping(desk, to))


@post("/children/{child_id:uuid}/step", include_in_schema=False)
async def step(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Step up or down, with reasons; nothing is closed."""

    async def work(access: Access, form: forms.StepForm) -> None:
        await move_step(
            access, form.kind, form.from_on, form.reasons, Read(form.step, form.version)
        )

    return await saved(
        desk,
        child_id,
        forms.StepForm,
        work,
        _stepping(desk, ""),
        location=pages.base(child_id),
        doing=STEPPING,
    )


# When and where -----------------------------------------------------------------------------------


def _planning(desk: Desk, meeting_id: UUID | None) -> Show:
    async def show(access: Access, errors: FieldErrors | None) -> Response[Any]:
        access.require_write()
        stored: dict[str, object] = {"minutes": 60, "format": "in_person", "starts_at": "10:00"}
        back = pages.base(access.child_id)
        if meeting_id is None:
            await in_impact(access)
        else:
            one = read_meeting(access, await meeting_row(access, meeting_id))
            when = one.when
            back = f"{back}/{meeting_id}"
            stored = {
                "held_on": when.held_on,
                "starts_at": f"{when.starts_at:%H:%M}",
                "minutes": when.minutes,
                "format": when.format,
                "place": when.place,
                "version": one.version,
            }
        return await framed(
            desk,
            access,
            "when",
            errors,
            filled=Filled(stored, errors),
            formats=pages.FORMATS,
            is_new=meeting_id is None,
            action=f"{pages.base(access.child_id)}/new" if meeting_id is None else f"{back}/when",
            back=back,
        )

    return show


@get(f"{ALL}/new", include_in_schema=False)
async def new_meeting(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """The form that plans a meeting."""
    return await shown(desk, child_id, READING, _planning(desk, None))


@post(f"{ALL}/new", include_in_schema=False)
async def put_meeting(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Plan a meeting."""

    async def work(access: Access, form: forms.WhenForm) -> None:
        await plan_meeting(access, form.when)

    return await saved(
        desk,
        child_id,
        forms.WhenForm,
        work,
        _planning(desk, None),
        location=pages.base(child_id),
        doing=CHANGING,
    )


@get(f"{ONE}/when", include_in_schema=False)
async def when_form(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """The form for when and where."""
    return await shown(desk, child_id, READING, _planning(desk, meeting_id))


@post(f"{ONE}/when", include_in_schema=False)
async def save_when(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """A meeting is at another time or place; whoever was invited is told."""

    async def work(access: Access, form: forms.WhenForm) -> None:
        row = await meeting_to_change(access, meeting_id)
        if await change_when(access, row, form.version, form.when):
            await send_invitations(access, row, sender_of(desk))

    return await saved(
        desk,
        child_id,
        forms.WhenForm,
        work,
        _planning(desk, meeting_id),
        location=f"{pages.base(child_id)}/{meeting_id}",
        doing=CHANGING,
    )


# As the family wants it ---------------------------------------------------------------------------


def _asking(desk: Desk, meeting_id: UUID) -> Show:
    async def show(access: Access, errors: FieldErrors | None) -> Response[Any]:
        access.require_write()
        one = read_meeting(access, await meeting_row(access, meeting_id))
        if one.wishes is None:
            raise NotAllowed("You cannot see what the family wants, so you cannot change it.")
        stored = {
            "who_comes": one.wishes.who_comes,
            "interpreter": one.wishes.interpreter,
            "child_joins": one.wishes.child_joins,
            "wishes": one.wishes.wishes,
            "asked_on": one.asked_on,
            "not_asked_why": one.not_asked_why,
            "version": one.version,
        }
        return await framed(
            desk,
            access,
            "wishes",
            errors,
            filled=Filled(stored, errors),
            joining=pages.JOINING,
            back=f"{pages.base(access.child_id)}/{meeting_id}",
        )

    return show


@get(f"{ONE}/wishes", include_in_schema=False)
async def wishes_form(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """The form for how the family wants the meeting."""
    return await shown(desk, child_id, READING, _asking(desk, meeting_id))


@post(f"{ONE}/wishes", include_in_schema=False)
async def save_wishes(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """Write down how the family wants the meeting, and when they were asked."""

    async def work(access: Access, form: forms.WishesForm) -> None:
        row = await meeting_to_change(access, meeting_id)
        await ask_family(access, row, form.version, form.said, form.asked_on, form.not_asked_why)

    return await saved(
        desk,
        child_id,
        forms.WishesForm,
        work,
        _asking(desk, meeting_id),
        location=f"{pages.base(child_id)}/{meeting_id}",
        doing=CHANGING,
    )


# One meeting, and who is invited ------------------------------------------------------------------


def _meeting(desk: Desk, meeting_id: UUID) -> Show:
    async def show(access: Access, errors: FieldErrors | None) -> Response[Any]:
        row = await meeting_row(access, meeting_id)
        invited = await invitations_of(access, row)
        page = pages.meeting_page(
            access.child_id,
            read_meeting(access, row),
            invited,
            await who_can_be_invited(access),
            await decided_at(access, row),
            access.viewer.id,
            access.today,
            missing=why_not_called(
                was_asked=row.asked_on is not None,
                not_asked_why=row.not_asked_why,
                place=row.place,
                invited=len(invited),
            ),
            may_write=access.may_write,
        )
        return await framed(desk, access, "meeting", errors, page=page, filled=Filled({}, errors))

    return show


async def _saved_here(
    desk: Desk,
    child_id: UUID,
    meeting_id: UUID,
    kind: type[Form],
    work: Callable[[Access, Form], Awaitable[object]],
    doing: str = CHANGING,
) -> Response[Any]:
    """Do what a form on a meeting's page asks, and show there who is invited."""
    return await saved(
        desk,
        child_id,
        kind,
        work,
        _meeting(desk, meeting_id),
        location=f"{pages.base(child_id)}/{meeting_id}#invited",
        doing=doing,
    )


@get(ONE, include_in_schema=False)
async def meeting(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """One meeting: how the family wants it, who comes, what was thought and decided."""
    return await shown(desk, child_id, READING, _meeting(desk, meeting_id))


@post(f"{ONE}/people", include_in_schema=False)
async def add_people(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """Add people of the family and the team to who is invited."""

    async def work(access: Access, form: forms.PeopleForm) -> None:
        row = await meeting_to_change(access, meeting_id)
        await invite(access, row, form.people)
        if row.state == "called":
            await send_invitations(access, row, sender_of(desk))

    return await _saved_here(desk, child_id, meeting_id, forms.PeopleForm, work)


@post(f"{ONE}/guests", include_in_schema=False)
async def add_guest(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """Add somebody without an account to who is invited."""

    async def work(access: Access, form: forms.GuestForm) -> None:
        row = await meeting_to_change(access, meeting_id)
        await invite_guest(access, row, form.name, form.address, is_safe=form.is_safe)
        if row.state == "called":
            await send_invitations(access, row, sender_of(desk))

    return await _saved_here(desk, child_id, meeting_id, forms.GuestForm, work)


@post(f"{ONE}/send", include_in_schema=False)
async def send(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """Invite everybody who was not told yet."""

    async def work(access: Access, form: forms.VersionForm) -> None:
        row = await meeting_to_change(access, meeting_id)
        await call_meeting(access, row, form.version, len(await invitations_of(access, row)))
        await send_invitations(access, row, sender_of(desk))

    return await _saved_here(
        desk,
        child_id,
        meeting_id,
        forms.VersionForm,
        work,
        doing="invited people to a meeting around the family",
    )


@post(f"{ONE}/invitations/{{invitation_id:uuid}}", include_in_schema=False)
async def write_answer(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    meeting_id: FromPath[UUID],
    invitation_id: FromPath[UUID],
) -> Response[Any]:
    """Write down what somebody answered otherwise."""

    async def work(access: Access, form: forms.NotedAnswerForm) -> None:
        row = await meeting_to_change(access, meeting_id)
        one = await invitation_row(access, row, invitation_id)
        await note_answer(access, row, one, form.version, form.answer, "")

    return await _saved_here(desk, child_id, meeting_id, forms.NotedAnswerForm, work)


@post(f"{ONE}/invitations/{{invitation_id:uuid}}/take-back", include_in_schema=False)
async def take_invitation_back(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    meeting_id: FromPath[UUID],
    invitation_id: FromPath[UUID],
) -> Response[Any]:
    """Somebody is not invited any more."""

    async def work(access: Access, form: forms.VersionForm) -> None:
        row = await meeting_to_change(access, meeting_id)
        one = await invitation_row(access, row, invitation_id)
        await take_back(access, row, one, form.version, sender_of(desk))

    return await _saved_here(desk, child_id, meeting_id, forms.VersionForm, work)


@post(f"{ONE}/answer", include_in_schema=False)
async def answer(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], meeting_id: FromPath[UUID]
) -> Response[Any]:
    """I say whether I come."""

    async def work(access: Access, form: forms.AnswerForm) -> None:
        row = await meeting_row(access, meeting_id)
        await answer_as_worker(access, row, form.answer, form.said)

    return await _saved_here(
        desk,
        child_id,
        meeting_id,
        forms.AnswerForm,
        work,
        doing="answered an invitation to a meeting",
    )


HANDLERS = [
    overview,
    step_form,
    step,
    new_meeting,
    put_meeting,
    when_form,
    save_when,
    wishes_form,
    save_wishes,
    meeting,
    add_people,
    add_guest,
    send,
    write_answer,
    take_invitation_back,
    answer,
    *talk_routes.HANDLERS,
    *minutes_routes.HANDLERS,
    *family_routes.HANDLERS,
]
