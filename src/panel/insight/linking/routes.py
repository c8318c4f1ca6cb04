"""The pages of lists: which there are, their pairs, and one pair for a person to judge."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Role
from panel.accounts.desk import Desk
from panel.accounts.taking import take
from panel.insight.linking.pairs import (
    KIND_WORDS,
    STATE_WORDS,
    PairLine,
    candidates,
    child_of,
    decide,
    list_line,
    listed_names,
    listed_of,
    lists,
    pair,
    pairs_of,
    ward_counts,
)
from panel.records.child_scoped import JOB
from panel.records.gate import Access
from panel.register.service import child_header
from panel.web.forms import FieldErrors, chosen
from panel.web.paging import Page, read_cursor
from panel.web.words import short_day

HOME = "/lists"
ABOUT = frozenset({Category.IDENTITY})


class PairForm(msgspec.Struct, forbid_unknown_fields=True):
    """A person says what the two are."""

    version: int
    answer: Annotated[
        Literal["linked", "parted", "proposed"],
        chosen("Answer", missing="Choose whether they are one child or two"),
    ]


@get(HOME, include_in_schema=False)
async def lists_page(desk: NamedDependency[Desk]) -> Response[str]:
    """The lists, by what right they are used, and how many children of each are known."""
    desk.require(Role.COORDINATOR, Role.GOVERNANCE_LEAD)
    async with desk.tenant.transaction(JOB) as session:
        found = await lists(session)
    return desk.page("insight/lists.html", lists=found, kinds=KIND_WORDS, home=HOME)


@get(f"{HOME}/{{register_list_id:uuid}}", include_in_schema=False)
async def list_page(
    desk: NamedDependency[Desk],
    register_list_id: FromPath[UUID],
    shown: FromQuery[str] = "proposed",
    page: FromQuery[str] = "",
) -> Response[str]:
    """One list: its counts, and for a coordinator its pairs with children whom they reach."""
    who = desk.require(Role.COORDINATOR, Role.GOVERNANCE_LEAD)
    state = shown if shown in STATE_WORDS else "proposed"
    async with desk.tenant.transaction(JOB) as session:
        line = await list_line(session, register_list_id)
        wards = await ward_counts(session, register_list_id) if line.kind == "dla" else []
    pairs: Page[PairLine] | None = None
    shown_pairs: list[dict[str, object]] = []
    if Role.COORDINATOR in who.viewer.roles and line.kind != "dla":
        asked = read_cursor(page, (UUID,))
        async with desk.tenant.transaction(desk.viewer.id) as session:
            pairs = await pairs_of(session, register_list_id, state, asked)
            records = await desk.gate.open_here(
                session,
                [one.child_id for one in pairs.rows],
                desk.viewer,
                desk.purposes,
                "looked through the pairs of a list",
                ABOUT,
            )
            named = await _named(desk, session, [one.listed_child_id for one in pairs.rows])
            names = await listed_names(session, named)
            shown_pairs = [
                await _line(records[one.child_id], one, names)
                for one in pairs.rows
                if one.child_id in records
            ]
    here = f"{HOME}/{register_list_id}"
    return desk.page(
        "insight/list.html",
        line=line,
        kind=KIND_WORDS[line.kind],
        wards=wards,
        pairs=shown_pairs,
        previous="" if pairs is None or pairs.previous is None
        else f"{here}?shown={state}&page={pairs.previous}",
        next="" if pairs is None or pairs.next is None
        else f"{here}?shown={state}&page={pairs.next}",
        note="" if pairs is None else pairs.note,
        states=[] if pairs is None else [
            (words, f"{here}?shown={code}", code == state) for code, words in STATE_WORDS.items()
        ],
        state=STATE_WORDS[state],
        home=HOME,
    )  # fmt: skip


async def _named(desk: Desk, session: AsyncSession, listed: Sequence[UUID]) -> list[UUID]:
    """The listed children who may be named: no child whom they may be has a name that is withheld.

    Twins are each proposed for the other: a name would stand beside the one who is not protected.
    """
    found = await candidates(session, listed)
    children = {child for several in found.values() for child in several}
    records = await desk.gate.open_here(
        session, children, desk.viewer, desk.purposes, "looked who on a list may be named", ABOUT
    )
    seen = {child for child, access in records.items() if access.may(Category.IDENTITY)}
    return [one for one, several in found.items() if several <= seen]


async def _line(
    access: Access, one: PairLine, names: dict[UUID, tuple[str, Any]]
) -> dict[str, object]:
    header = await child_header(access)
    name, born = names.get(one.listed_child_id, ("", None))
    may_know = access.may(Category.IDENTITY)
    return {
        "href": f"{HOME}/pairs/{one.id}",
        "listed": name if may_know and name else "Somebody on the list",
        "born": short_day(born) if may_know and born is not None else "",
        "child": header.name,
        "reference": header.reference,
        "why": one.why,
    }


@get(f"{HOME}/pairs/{{pair_id:uuid}}", include_in_schema=False)
async def pair_page(desk: NamedDependency[Desk], pair_id: FromPath[UUID]) -> Response[str]:
    """Somebody on a list beside a child here."""
    return await _pair(desk, pair_id)


async def _pair(desk: Desk, pair_id: UUID, errors: FieldErrors | None = None) -> Response[str]:
    desk.require(Role.COORDINATOR)
    child_id = await _child(desk, pair_id)
    async with desk.open(child_id, "compared the record with a list") as access:
        header = await child_header(access)
        named = await _named(desk, access.session, [await listed_of(access, pair_id)])
        read = await pair(access, pair_id, named)
        may_decide = access.may_write
    return desk.page(
        "insight/pair.html",
        status=200 if errors is None else 422,
        header=header,
        pair=read,
        state=STATE_WORDS[read.state],
        may_decide=may_decide,
        summary=[] if errors is None else errors.summary,
        here=f"{HOME}/pairs/{pair_id}",
        back=f"{HOME}/{read.list_id}",
        home=HOME,
    )


async def _child(desk: Desk, pair_id: UUID) -> UUID:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        return await child_of(session, pair_id)


@post(f"{HOME}/pairs/{{pair_id:uuid}}", include_in_schema=False)
async def decide_pair(desk: NamedDependency[Desk], pair_id: FromPath[UUID]) -> Response[Any]:
    """Link the two, part them, or take back what was said."""
    desk.require(Role.COORDINATOR)
    child_id = await _child(desk, pair_id)

    async def work(access: Access, form: PairForm) -> None:
        await decide(access, pair_id, form.version, form.answer)

    opens = partial(desk.open, child_id, "decided whether somebody on a list is this child")
    to = f"{HOME}/pairs/{pair_id}"
    return await take(desk, PairForm, opens, work, to, again=partial(_pair, desk, pair_id))


HANDLERS = [lists_page, list_page, pair_page, decide_pair]
