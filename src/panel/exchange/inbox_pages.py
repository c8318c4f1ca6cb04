"""The pages of the inbox: what other systems sent, and what somebody has to decide about it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Role
from interop.messages import Child as ChildMessage
from panel.accounts.desk import Desk, go
from panel.accounts.models import Agency
from panel.accounts.taking import Form, Transaction, take, take_here
from panel.exchange import inbox_forms as forms
from panel.exchange.inbox_deciding import (
    new_child,
    not_ours,
    received_row,
    this_child,
    try_again,
)
from panel.exchange.inbox_models import ReceivedPiece
from panel.exchange.inbox_notifications import the_one_panel
from panel.exchange.inbox_opening import opened_again
from panel.exchange.inbox_reading import (
    KIND_WORDS,
    ON_A_PAGE,
    SHOWN,
    STATE_WORDS,
    TO_DO,
    counts,
    lines_of,
    pieces_of,
)
from panel.exchange.inbox_room import Filled as InboxFilled
from panel.exchange.inbox_room import filled
from panel.exchange.inbox_subjects import Meant
from panel.panels.models import Panel
from panel.panels.referrals import takes_referrals
from panel.platform.problems import Clash, Conflict, FieldError, NotAllowed, NotFound
from panel.records.child_scoped import JOB
from panel.records.gate import Access
from panel.records.nhs_number import nhs_number_words
from panel.register.service import Found, NewChild, duplicates_in_reach, find_children
from panel.web import words
from panel.web.forms import FieldErrors, Filled
from panel.web.words import short_day

HOME = "/exchange/inbox"


@dataclass(frozen=True, slots=True)
class Waiting:
    """One whom something is about, and nobody knows yet who of ours that is."""

    about: int
    facts: Sequence[tuple[str, str]]
    """What is said of who it is."""
    sought: str
    found: Sequence[Found]
    filled: Filled


def _require_matcher(desk: Desk) -> None:
    desk.require(Role.COORDINATOR)


@get(HOME, include_in_schema=False)
async def inbox(
    desk: NamedDependency[Desk], shown: FromQuery[str] = "to_match", before: FromQuery[str] = ""
) -> Response[str]:
    """What came and what waits; to the information governance lead, how much of it."""
    who = desk.require(Role.COORDINATOR, Role.GOVERNANCE_LEAD)
    if Role.COORDINATOR not in who.viewer.roles:
        async with desk.tenant.transaction(JOB) as session:
            return _list(desk, await counts(session), "", [], await filled(session))
    chosen = shown if shown in SHOWN else TO_DO[0]
    async with desk.tenant.transaction(desk.viewer.id) as session:
        lines = await lines_of(session, chosen, _uuid(before))
        return _list(desk, await counts(session), chosen, lines, await filled(session))


def _list(
    desk: Desk,
    counted: dict[str, int],
    chosen: str,
    lines: Sequence[Any],
    full: Sequence[InboxFilled],
) -> Response[str]:
    last = lines[ON_A_PAGE - 1].id if len(lines) > ON_A_PAGE else None
    return desk.page(
        "exchange/inbox.html",
        states=[
            (STATE_WORDS[one], f"{HOME}?shown={one}" if chosen else "", counted.get(one, 0))
            for one in SHOWN
        ],
        chosen=STATE_WORDS.get(chosen, ""),
        lines=lines[:ON_A_PAGE],
        full=[
            f"{one.agency}: {words.plural(one.waiting, 'thing')} of {one.megabytes:,} megabytes"
            for one in full
        ],
        older="" if last is None else f"{HOME}?shown={chosen}&before={last}",
        base=HOME,
    )


def _uuid(given: str) -> UUID | None:
    try:
        return UUID(given)
    except ValueError:
        return None


@get(f"{HOME}/{{received_id:uuid}}", include_in_schema=False)
async def received(
    desk: NamedDependency[Desk], received_id: FromPath[UUID], q: FromQuery[str] = ""
) -> Response[str]:
    """What came in one piece, whom it is about, and what was made of it."""
    return await _received(desk, received_id, sought=q)


async def _received(
    desk: Desk,
    received_id: UUID,
    errors: FieldErrors | None = None,
    *,
    sought: str = "",
    asks_twice: bool = False,
) -> Response[str]:
    _require_matcher(desk)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        row = await received_row(session, received_id)
        agency = await session.scalar(select(Agency.name).where(Agency.id == row.agency_id))
        pieces = await pieces_of(session, received_id)
        waits = await _who_waits(session, received_id) if row.state == "to_match" else []
        panels = await _panels(desk, session)
    waiting = [await _waiting(desk, about, meant, sought, errors) for about, meant in waits]
    return desk.page(
        "exchange/received.html",
        status=200 if errors is None else 422,
        row=row,
        kind=KIND_WORDS.get(row.kind, row.kind),
        state=STATE_WORDS[row.state],
        agency=agency,
        pieces=pieces,
        children=sorted({one.child_id for one in pieces if one.child_id is not None}),
        waiting=waiting,
        panels=[(str(one.id), one.name) for one in panels],
        asks_twice=asks_twice,
        summary=[] if errors is None else errors.summary,
        base=f"{HOME}/{received_id}",
        home=HOME,
        may_try=row.state in ("quarantined", "new"),
    )


async def _panels(desk: Desk, session: AsyncSession) -> list[Panel]:
    """The panels to which this person may take a referral in."""
    found = await session.scalars(
        select(Panel).where(Panel.id.in_(desk.signed_in.may_coordinate)).order_by(Panel.name)
    )
    return [one for one in found if takes_referrals(one)]


async def _who_waits(session: AsyncSession, received_id: UUID) -> list[tuple[int, Meant]]:
    row = await received_row(session, received_id)
    opened_ = await opened_again(session, row)
    waiting = await pieces_waiting(session, received_id)
    return [
        (about, meant) for about, meant in enumerate(opened_.subjects.meant) if about in waiting
    ]


async def pieces_waiting(session: AsyncSession, received_id: UUID) -> frozenset[int]:
    """The numbers of those about whom pieces wait."""
    rows = await session.scalars(
        select(ReceivedPiece.about).where(
            ReceivedPiece.received_id == received_id, ReceivedPiece.state == "to_match"
        )
    )
    return frozenset(one for one in rows if one is not None)


async def _waiting(
    desk: Desk, about: int, meant: Meant, sought: str, errors: FieldErrors | None
) -> Waiting:
    child = meant.child
    typed = sought or _usual_search(child)
    found = await find_children(desk.gate, desk.viewer, desk.purposes, typed, desk.today)
    stored = {
        "given_name": "" if child is None else child.given_name,
        "family_name": "" if child is None else child.family_name,
        "birth_date": None if child is None else child.birth_date,
    }
    own = errors if errors is not None and errors.typed.get("about") == [str(about)] else None
    return Waiting(about, _facts(meant), typed, found.found, Filled(stored, own))


def _usual_search(child: ChildMessage | None) -> str:
    if child is None:
        return ""
    born = "" if child.birth_date is None else child.birth_date.isoformat()
    return " ".join(one for one in (child.given_name, child.family_name, born) if one)


def _facts(meant: Meant) -> list[tuple[str, str]]:
    child = meant.child
    number = ""
    if meant.nhs_number:
        said = "verified by its sender" if meant.verified else "not verified"
        number = f"{nhs_number_words(meant.nhs_number)}, {said}"
    facts = [("NHS number", number)]
    if child is not None:
        born = "" if child.birth_date is None else short_day(child.birth_date)
        facts = [
            ("Name", f"{child.given_name} {child.family_name}".strip()),
            ("Date of birth", born),
            *facts,
            ("Address", _address(child)),
        ]
    return [(name, words) for name, words in facts if words]


def _address(child: ChildMessage) -> str:
    """Where a child lives, for whoever finds out who it is; not of one who is protected."""
    if child.restricted:
        return "Its sender says that it is protected"
    return ", ".join(one for one in (child.address, child.postcode) if one)


@post(f"{HOME}/{{received_id:uuid}}/children/{{child_id:uuid}}", include_in_schema=False)
async def match_child(
    desk: NamedDependency[Desk], received_id: FromPath[UUID], child_id: FromPath[UUID]
) -> Response[Any]:
    """It is about this child."""
    _require_matcher(desk)

    async def work(access: Access, form: forms.AboutForm) -> None:
        panel = await the_one_panel(access.session)
        if panel is None:
            panel = next(iter(await _panels(desk, access.session)), None)
        await this_child(access, received_id, form.about, form.version, panel)

    opens = partial(desk.open, child_id, "said that something from another system is about them")
    return await take(
        desk,
        forms.AboutForm,
        opens,
        work,
        f"{HOME}/{received_id}",
        again=partial(_received, desk, received_id),
    )


async def _taken(
    desk: Desk,
    received_id: UUID,
    form: type[Form],
    work: Callable[[Transaction, Form], Awaitable[None]],
) -> Response[Any]:
    """Do once what a form about what came asks, and go back to it."""
    shown_again = partial(_received, desk, received_id)
    return await take_here(desk, form, work, f"{HOME}/{received_id}", again=shown_again)


@post(f"{HOME}/{{received_id:uuid}}/not-ours", include_in_schema=False)
async def match_nobody(desk: NamedDependency[Desk], received_id: FromPath[UUID]) -> Response[Any]:
    """It is about none of the authority's children."""
    _require_matcher(desk)

    async def work(here: Transaction, form: forms.AboutForm) -> None:
        await not_ours(here.session, received_id, form.about, form.version)

    return await _taken(desk, received_id, forms.AboutForm, work)


@post(f"{HOME}/{{received_id:uuid}}/again", include_in_schema=False)
async def again(desk: NamedDependency[Desk], received_id: FromPath[UUID]) -> Response[Any]:
    """Take in anew what was broken, by the rules of today."""
    _require_matcher(desk)

    async def work(here: Transaction, form: forms.AgainForm) -> None:
        row = await received_row(here.session, received_id)
        if row.version != form.version:
            raise Conflict((Clash("What was received", "Try again", STATE_WORDS[row.state]),))
        await try_again(desk.gate, here.session, desk.viewer, received_id)

    return await _taken(desk, received_id, forms.AgainForm, work)


@post(f"{HOME}/{{received_id:uuid}}/new-child", include_in_schema=False)
async def register_child(desk: NamedDependency[Desk], received_id: FromPath[UUID]) -> Response[Any]:
    """Register the child whom it is about; one who looks like a child here is asked about first."""
    _require_matcher(desk)
    posted = await desk.posted()
    form = posted.read(forms.NewChildForm)
    if isinstance(form, FieldErrors):
        return await _received(desk, received_id, form)
    location = f"{HOME}/{received_id}"
    new = NewChild(form.given_name, form.family_name, birth_date=form.birth_date)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        panel = next((one for one in await _panels(desk, session) if one.id == form.panel), None)
        if panel is None:
            raise NotAllowed("Only the coordinator or the chair of this panel takes referrals in.")
        found = [] if form.another_child else await duplicates_in_reach(session, new)
        if not found:
            if await desk.first_time(session, posted, location):
                await _register(desk, session, received_id, form, panel, new)
            return go(location)
    said = FieldError(
        "another_child", "A child of this name and birth date is here. Say whether it is another"
    )
    return await _received(desk, received_id, posted.refused([said]), asks_twice=True)


async def _register(
    desk: Desk,
    session: AsyncSession,
    received_id: UUID,
    form: forms.NewChildForm,
    panel: Panel,
    new: NewChild,
) -> None:
    child = await new_child(session, received_id, form.about, form.version, panel, new)
    records = await desk.gate.open_here(
        session, [child], desk.viewer, desk.purposes, "registered the child from another system"
    )
    if child not in records:
        raise NotFound
    await this_child(records[child], received_id, form.about, form.version, panel)


HANDLERS = [inbox, received, match_child, match_nobody, again, register_child]
