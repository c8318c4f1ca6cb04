"""Packs of a meeting, and guests who read and answer one item."""

import hmac
from contextlib import suppress
from datetime import date
from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from consent import Purpose
from panel.accounts.desk import FOR_ANYBODY, PRIVATE, Desk, go, sent_fields
from panel.panels import guests, pack_pages
from panel.panels.calendar import panel_by_key
from panel.panels.pack_preview import preview_pack
from panel.panels.packs import open_own_pack, pack_meeting, pack_pdf_of, read_pack
from panel.platform.problems import Invalid, NotAllowed
from panel.platform.sessions import forgery_token
from panel.records.gate import Access
from panel.register.service import child_header
from panel.web import words
from panel.web.forms import FieldErrors, Filled, read_form
from panel.web.render import FORGERY_FIELD

GUEST_COOKIE = "panel_guest"


async def _require_runner(desk: Desk, key: str) -> None:
    """Raise NotAllowed for somebody who neither coordinates nor chairs this panel."""
    async with desk.tenant.transaction(desk.viewer.id) as session:
        panel = await panel_by_key(session, key)
    if panel.id not in desk.signed_in.may_coordinate:
        raise NotAllowed(f"This page is for who coordinates or chairs the {panel.name}.")


# Packs.


@get("/panels/{key:str}/{held_on:date}/pack", include_in_schema=False)
async def pack(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    agency: FromQuery[str] = "",
) -> Response[str]:
    """The reader's own agency's pack; with `agency`, what that agency's pack holds."""
    who = desk.signed_in
    if agency:
        return await _preview(desk, key, held_on, agency)
    async with desk.tenant.transaction(who.viewer.id) as session:
        panel = await panel_by_key(session, key)
        if panel.id in who.may_coordinate:
            meeting = await pack_meeting(session, key, held_on)
            if all(one.id != who.viewer.agency for one in meeting.agencies):
                return desk.page(
                    "panels/packs.html",
                    lead=(
                        f"{meeting.panel}, {words.short_day(held_on)}."
                        " Your own agency has no pack here."
                    ),
                    agencies=pack_pages.pack_choices(meeting),
                    back_href=f"/panels/{key}/{held_on}",
                )
    meeting, own = await open_own_pack(desk.gate, who, key, held_on)
    document = await read_pack(desk.gate, meeting, own, desk.viewer, desk.site.beside)
    return desk.page("panels/pack.html", pack=pack_pages.pack_page(document, meeting, desk.today))


async def _preview(desk: Desk, key: str, held_on: date, agency: str) -> Response[str]:
    await _require_runner(desk, key)
    found = await preview_pack(desk.gate, key, held_on, agency, desk.viewer)
    return desk.page("panels/pack_preview.html", preview=pack_pages.preview_page(found))


@get("/panels/{key:str}/{held_on:date}/pack.pdf", include_in_schema=False)
async def pack_as_pdf(
    desk: NamedDependency[Desk], key: FromPath[str], held_on: FromPath[date]
) -> Response[bytes]:
    """The reader's own agency's pack as PDF/UA."""
    meeting, own = await open_own_pack(desk.gate, desk.signed_in, key, held_on)
    await desk.require_proof()
    content = await pack_pdf_of(desk.gate, meeting, own, desk.viewer, desk.site.beside)
    name = f"pack-{key}-{held_on}-{own.key}.pdf"
    return Response(
        content,
        media_type="application/pdf",
        headers=PRIVATE | {"Content-Disposition": f'inline; filename="{name}"'},
    )


# Asking a guest.


async def _ask_page(
    desk: Desk, access: Access, item: guests.ItemToAsk, base: str, filled: Filled
) -> Response[str]:
    header = await child_header(access)
    lines = await guests.guest_lines(access, item.id)
    known = await guests.agencies_to_ask(access.session, item.panel_id, item.held_on)
    return desk.page(
        "panels/guest_ask.html",
        status=422 if filled.errors else 200,
        child=header.name,
        agencies=[(str(one.id), one.name) for one in known],
        rows=pack_pages.guest_rows(lines, desk.today),
        filled=filled,
        back_href=base,
    )


@get("/panels/{key:str}/{held_on:date}/items/{child_id:uuid}/guest", include_in_schema=False)
async def ask_guest_page(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
) -> Response[str]:
    """The form that asks a guest, and whom this item was put to already."""
    await _require_runner(desk, key)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        item = await guests.item_to_ask(session, key, held_on, child_id)
    filled = Filled({"until": max(held_on, desk.today)})
    async with desk.gate.open(
        item.child_id, desk.viewer, Purpose.PANEL, "looked at whom the panel asked"
    ) as access:
        return await _ask_page(desk, access, item, f"/panels/{key}/{held_on}", filled)


@post("/panels/{key:str}/{held_on:date}/items/{child_id:uuid}/guest", include_in_schema=False)
async def ask_guest(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
) -> Response[Any]:
    """Make the link and the code, and show them this once."""
    await _require_runner(desk, key)
    posted = await desk.posted()
    asked = posted.read(guests.NewGuest)
    base = f"/panels/{key}/{held_on}"
    here = f"{base}/items/{child_id}/guest"
    async with desk.tenant.transaction(desk.viewer.id) as session:
        item = await guests.item_to_ask(session, key, held_on, child_id)
    async with desk.gate.open(
        item.child_id, desk.viewer, Purpose.PANEL, "asked a guest about this child"
    ) as access:
        if isinstance(asked, FieldErrors):
            return await _ask_page(desk, access, item, base, Filled({}, asked))
        if not await desk.first_time(access.session, posted, here):
            return go(here)
        known = await guests.agencies_to_ask(access.session, item.panel_id, item.held_on)
        try:
            made = await guests.make_guest_link(access, item, asked)
        except Invalid as problem:
            errors = posted.refused(problem.errors)
            return await _ask_page(desk, access, item, base, Filled({}, errors))
        agency = next(one.name for one in known if one.id == asked.agency_id)
    return desk.page(
        "panels/guest_made.html",
        made=pack_pages.link_page(made, desk.site.url, agency),
        back_href=here,
    )


# The guest's own pages. Nobody is signed in here: a pass, bound to the link, says that the code was
# given.


def _guest_path(link_id: UUID, token: str) -> str:
    return f"/guest/{link_id}/{token}"


def _pass_of(desk: Desk, request: Request[Any, Any, Any], link_id: UUID) -> str | None:
    given = request.cookies.get(GUEST_COOKIE, "")
    return given if guests.holds_pass(desk.tenant.ring, link_id, given, desk.now) else None


@get("/guest/{link_id:uuid}/{token:str}", include_in_schema=False, opt=FOR_ANYBODY)
async def guest_door(
    desk: NamedDependency[Desk], link_id: FromPath[UUID], token: FromPath[str]
) -> Response[str]:
    """Where a guest link leads: the code is asked for."""
    await guests.look_at_link(desk.gate, link_id, token)
    return desk.page("panels/guest_code.html", filled=Filled())


@post("/guest/{link_id:uuid}/{token:str}", include_in_schema=False, opt=FOR_ANYBODY)
async def guest_enters(
    desk: NamedDependency[Desk],
    request: Request[Any, Any, Any],
    link_id: FromPath[UUID],
    token: FromPath[str],
) -> Response[Any]:
    """The code: the right one opens the item, the fifth wrong one closes the link."""
    read = read_form(guests.GivenCode, await sent_fields(request))
    if isinstance(read, FieldErrors):
        return desk.page("panels/guest_code.html", status=422, filled=Filled({}, read))
    given = await guests.enter_code(desk.gate, link_id, token, read.code)
    if given is None:
        wrong = FieldErrors({"code": "This is not the code. Check it and enter it again"})
        return desk.page("panels/guest_code.html", status=422, filled=Filled({}, wrong))
    answer = go(f"{_guest_path(link_id, token)}/item")
    answer.set_cookie(
        key=GUEST_COOKIE,
        value=given,
        path=f"/guest/{link_id}",
        max_age=int(guests.PASS_LASTS.total_seconds()),
        httponly=True,
        secure=request.app.state.settings.secure_cookies,
        samesite="strict",
    )
    return answer


@get("/guest/{link_id:uuid}/{token:str}/item", include_in_schema=False, opt=FOR_ANYBODY)
async def guest_reads(
    desk: NamedDependency[Desk],
    request: Request[Any, Any, Any],
    link_id: FromPath[UUID],
    token: FromPath[str],
) -> Response[Any]:
    """The one item, as the guest's agency may see it, with the question."""
    given = _pass_of(desk, request, link_id)
    if given is None:
        return go(_guest_path(link_id, token))
    return await _item_page(desk, link_id, token, given, Filled())


async def _item_page(
    desk: Desk, link_id: UUID, token: str, given: str, filled: Filled
) -> Response[str]:
    found = await guests.guest_item(desk.gate, link_id, token)
    return desk.page(
        "panels/guest_item.html",
        status=422 if filled.errors else 200,
        guest=pack_pages.guest_page(found),
        forgery=forgery_token(given),
        filled=filled,
    )


@post("/guest/{link_id:uuid}/{token:str}/item", include_in_schema=False, opt=FOR_ANYBODY)
async def guest_answers(
    desk: NamedDependency[Desk],
    request: Request[Any, Any, Any],
    link_id: FromPath[UUID],
    token: FromPath[str],
) -> Response[Any]:
    """The guest's one answer."""
    given = _pass_of(desk, request, link_id)
    if given is None:
        return go(_guest_path(link_id, token))
    sent = await sent_fields(request)
    mark = str(next((value for name, value in sent if name == FORGERY_FIELD), ""))
    if not hmac.compare_digest(mark.encode(), forgery_token(given).encode()):
        raise NotAllowed(
            "This form is from an earlier visit, so it was not sent.", "Open the link."
        )
    read = read_form(guests.GuestAnswer, sent)
    if isinstance(read, FieldErrors):
        return await _item_page(desk, link_id, token, given, Filled({}, read))
    done = f"{_guest_path(link_id, token)}/thank-you"
    # A form that was sent twice: the first answer stands, and the guest is thanked either way.
    with suppress(guests.AlreadyAnswered):
        await guests.answer_as_guest(desk.gate, link_id, token, read.answer)
    return go(done)


@get("/guest/{link_id:uuid}/{token:str}/thank-you", include_in_schema=False, opt=FOR_ANYBODY)
async def guest_thanked(desk: NamedDependency[Desk]) -> Response[str]:
    """After the answer."""
    return desk.page("panels/guest_done.html")


HANDLERS = [
    pack,
    pack_as_pdf,
    ask_guest_page,
    ask_guest,
    guest_door,
    guest_enters,
    guest_reads,
    guest_answers,
    guest_thanked,
]
