"""The page of one person's sign-in, on a child's record: inviting, ending, a changed address."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from panel.accounts.desk import Desk
from panel.accounts.taking import take
from panel.families.invitation_forms import InviteForm, PressForm
from panel.families.inviting import (
    Envelope,
    Invitee,
    confirm_contact,
    envelope_of,
    foresee,
    invite,
    invitee_of,
    letter_in,
    letter_went,
    withdraw,
)
from panel.families.sending import send_at_once
from panel.panels.note_printing import printed
from panel.records.child_scoped import JOB
from panel.records.gate import Access
from panel.register.service import access_of, child_header, state_words
from panel.web.forms import FieldErrors, Filled, Nothing

SIGN_IN_OF = "/children/{child_id:uuid}/people/{link_id:uuid}/sign-in"
WAYS = (("letter", "A letter, to post or hand over"), ("email", "An e-mail to their address"))
FACTS = (
    ("birth_date", "The date of birth: the child’s, or a young person’s own"),
    ("agreed_word", "A word that you agree with them now"),
)
FILE_NAME = "your-own-page.pdf"


def _at(child_id: UUID, link_id: UUID) -> str:
    return f"/children/{child_id}/people/{link_id}/sign-in"


async def _page(
    desk: Desk, child_id: UUID, link_id: UUID, errors: FieldErrors | None = None
) -> Response[str]:
    async with desk.open(child_id, "read how one of the family signs in") as access:
        who = await invitee_of(access, link_id)
        kept = await access_of(access.session, who.person_id)
        is_on = kept is not None and kept.withdrawn_at is None
        return desk.page(
            "families/invitation.html",
            status=200 if errors is None else 422,
            header=await child_header(access),
            here="people",
            who=who,
            foreseen=await foresee(desk.tenant, access, who),
            state="" if kept is None else state_words(kept, access.at),
            is_on=is_on,
            has_letter=is_on
            and kept is not None
            and kept.way == "letter"
            and kept.invitation_mark is not None,
            is_waiting=is_on and kept is not None and kept.contact_from > access.at,
            version=0 if kept is None else kept.version,
            action=_at(child_id, link_id),
            ways=WAYS,
            facts=FACTS,
            filled=Filled({"email": who.email if who.is_self else ""}, errors),
        )


@get(SIGN_IN_OF, include_in_schema=False)
async def invitation_page(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], link_id: FromPath[UUID]
) -> Response[str]:
    """How it stands with one person's sign-in, and what they would see."""
    await desk.require_proof()
    return await _page(desk, child_id, link_id)


@asynccontextmanager
async def _proved(desk: Desk, child_id: UUID, doing: str) -> AsyncIterator[Access]:
    """The record, for who just showed who they are: whoever is let in here reads it for good."""
    async with desk.open(child_id, doing) as access:
        # Asked here: whoever does not reach the child is answered as for none.
        await desk.require_proof()
        yield access


@post(f"{SIGN_IN_OF}/invite", include_in_schema=False)
async def invited(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], link_id: FromPath[UUID]
) -> Response[Any]:
    """Invite them, or invite them anew."""

    waits: list[UUID] = []

    async def work(access: Access, form: InviteForm) -> None:
        who = await invitee_of(access, link_id)
        await invite(access, who, await foresee(desk.tenant, access, who), form, desk.site.url)
        waits.append(who.person_id)

    opens = partial(_proved, desk, child_id, "invited one of the family to sign in")
    again = partial(_page, desk, child_id, link_id)
    answer = await take(desk, InviteForm, opens, work, _at(child_id, link_id), again=again)
    if waits:
        await send_at_once(desk)
    return answer


async def _pressed(
    desk: Desk,
    child_id: UUID,
    link_id: UUID,
    doing: str,
    does: Callable[[Access, Invitee, int], Awaitable[None]],
) -> Response[Any]:
    async def work(access: Access, form: PressForm) -> None:
        await does(access, await invitee_of(access, link_id), form.version)

    return await take(
        desk, PressForm, partial(_proved, desk, child_id, doing), work, _at(child_id, link_id)
    )


@post(f"{SIGN_IN_OF}/end", include_in_schema=False)
async def ended(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], link_id: FromPath[UUID]
) -> Response[Any]:
    """End their sign-in, or take the invitation back."""
    return await _pressed(desk, child_id, link_id, "ended how one of the family signs in", withdraw)


@post(f"{SIGN_IN_OF}/confirm", include_in_schema=False)
async def confirmed(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], link_id: FromPath[UUID]
) -> Response[Any]:
    """The changed address is theirs: codes go there from now on."""
    doing = "confirmed how one of the family is reached"
    return await _pressed(desk, child_id, link_id, doing, confirm_contact)


# The letter -------------------------------------------------------------------------------------


async def _envelope(desk: Desk, child_id: UUID, link_id: UUID, doing: str) -> Envelope:
    async with _proved(desk, child_id, doing) as access:
        return await envelope_of(access, await invitee_of(access, link_id))


@get(f"{SIGN_IN_OF}/letter", include_in_schema=False)
async def letter(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], link_id: FromPath[UUID]
) -> Response[bytes]:
    """The letter, to print, as long as its code is not used."""
    envelope = await _envelope(desk, child_id, link_id, "printed an invitation to sign in")
    async with desk.tenant.transaction(JOB) as session:
        found = await letter_in(session, envelope)
    return await printed(desk, found, FILE_NAME)


@post(f"{SIGN_IN_OF}/posted", include_in_schema=False)
async def posted(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], link_id: FromPath[UUID]
) -> Response[Any]:
    """The letter was posted or handed over."""
    went: list[Envelope] = []

    async def work(access: Access, _form: Nothing) -> None:
        went.append(await envelope_of(access, await invitee_of(access, link_id)))

    opens = partial(desk.open, child_id, "posted an invitation to sign in")
    answer = await take(desk, Nothing, opens, work, _at(child_id, link_id))
    for envelope in went:
        async with desk.tenant.transaction(JOB) as session:
            await letter_went(session, envelope)
    return answer


HANDLERS = [invitation_page, invited, ended, confirmed, letter, posted]
