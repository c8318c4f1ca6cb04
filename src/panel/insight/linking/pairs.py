"""Pairs of a listed child and a child here: read beside each other, linked, parted, and undone.

What a list says of somebody is shown as far as the same may be seen of every child here whom it
may be. Where somebody lives is never shown out of a list, only whether it is the same as here: a
list would give away an address that is protected.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from consent import Category
from panel.accounts.models import Agency, Worker
from panel.insight.linking.models import ListedChild, ListLink, RegisterList
from panel.platform.problems import Clash, Conflict, Invalid, NotFound
from panel.platform.tenancy import load_keys
from panel.records.child_scoped import JOB
from panel.records.gate import Access
from panel.records.nhs_number import nhs_number_words
from panel.register.service import child_details
from panel.web.paging import Asked, Page, page_of
from panel.web.words import short_day

ON_A_PAGE = 25
MOST_LISTS = 200
"""Lists that a page shows, the newest first: a hundred years of two each."""
KIND_WORDS = {"sen": "SEN register", "health": "Health list", "dla": "DLA counts by ward"}
BASIS_WORDS = {
    "s251": "NHS Act 2006, section 251 approval",
    "consent": "Consent of the families",
    "cfa2014": "Children and Families Act 2014, sections 22 to 24",
    "ca2004": "Children Act 2004, section 10",
    "published": "Published statistics",
}
STATE_WORDS = {"proposed": "To look at", "linked": "Linked", "parted": "Two children"}
BY_A_PERSON = {
    "linked": "A person said that they are one child.",
    "parted": "A person said that they are two children.",
    "proposed": "A person took back what was said.",
}
NOT_HERE = "There is no such list or pair, or it is not yours to see."
_FIELDS = (
    ("Given name", "given_name", Category.IDENTITY),
    ("Family name", "family_name", Category.IDENTITY),
    ("Date of birth", "birth_date", Category.IDENTITY),
    ("Sex", "sex", Category.IDENTITY),
    ("NHS number", "nhs_number", Category.IDENTITY),
    ("Address", "address", Category.CONTACT),
    ("Postcode", "postcode", Category.CONTACT),
)
_SEX_WORDS = {"not_known": "", "female": "Female", "male": "Male", "indeterminate": "Indeterminate"}
WITHHELD = "You may not see this"


# Lists --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ListLine:
    """One list, and how far it is."""

    id: UUID
    kind: str
    agency: str
    as_of: date
    basis: str
    opt_out_checked_on: date | None
    lines: int
    linked: int
    to_look_at: int

    @property
    def nobody_here(self) -> int:
        """Children of the list who are linked with nobody, and of whom nobody is asked."""
        return max(0, self.lines - self.linked - self.to_look_at)


_COUNTS = text(
    "SELECT l.register_list_id, count(*) FILTER (WHERE s.linked),"
    " count(*) FILTER (WHERE s.proposed AND NOT s.linked)"
    " FROM listed_child l JOIN LATERAL (SELECT bool_or(k.state = 'linked') AS linked,"
    " bool_or(k.state = 'proposed') AS proposed FROM list_link k"
    " WHERE k.listed_child_id = l.id AND NOT EXISTS (SELECT FROM list_link n"
    " WHERE n.listed_child_id = k.listed_child_id AND n.child_id = k.child_id"
    " AND n.number > k.number)) s ON true WHERE l.register_list_id = ANY(:lists) GROUP BY 1"
)


async def lists(session: AsyncSession, only: UUID | None = None) -> list[ListLine]:
    """The lists, as scheduled work counts them: no name is read. The newest first."""
    query = (
        select(RegisterList, Agency.name)
        .join(Agency, Agency.id == RegisterList.agency_id)
        .order_by(RegisterList.as_of.desc(), RegisterList.id.desc())
        .limit(MOST_LISTS)
    )
    if only is not None:
        query = query.where(RegisterList.id == only)
    rows = list(await session.execute(query))
    counted = await session.execute(_COUNTS, {"lists": [row.id for row, _ in rows]})
    counts = {list_id: (linked, to_look_at) for list_id, linked, to_look_at in counted}
    return [
        ListLine(
            row.id,
            row.kind,
            agency,
            row.as_of,
            BASIS_WORDS[row.legal_basis],
            row.opt_out_checked_on,
            row.lines,
            *counts.get(row.id, (0, 0)),
        )
        for row, agency in rows
    ]


async def list_line(session: AsyncSession, list_id: UUID) -> ListLine:
    """One list. Raises NotFound."""
    found = await lists(session, list_id)
    if not found:
        raise NotFound(NOT_HERE, "Go back to the lists.")
    return found[0]


async def ward_counts(session: AsyncSession, list_id: UUID) -> list[tuple[str, int]]:
    """(name or code of the ward, children), as a list of counts says."""
    rows = await session.execute(
        text(
            "SELECT COALESCE(a.name, c.ward_code), c.children FROM list_count c"
            " LEFT JOIN area a ON a.code = c.ward_code WHERE c.register_list_id = :list ORDER BY 1"
        ),
        {"list": list_id},
    )
    return [(name, children) for name, children in rows]


# Pairs --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PairLine:
    """One pair: its first row names it, its last one says how it stands."""

    id: UUID
    listed_child_id: UUID
    child_id: UUID
    state: str
    why: str


async def pairs_of(
    session: AsyncSession, list_id: UUID, state: str, asked: Asked
) -> Page[PairLine]:
    """A page of the pairs of a list in a state, of children whom the viewer reaches."""
    first, later = aliased(ListLink), aliased(ListLink)
    last = (
        select(func.max(later.number))
        .where(later.listed_child_id == first.listed_child_id, later.child_id == first.child_id)
        .scalar_subquery()
    )
    query = (
        select(first.id, first.listed_child_id, first.child_id, ListLink.state, ListLink.why)
        .join(ListedChild, ListedChild.id == first.listed_child_id)
        .join(
            ListLink,
            (ListLink.listed_child_id == first.listed_child_id)
            & (ListLink.child_id == first.child_id)
            & (ListLink.number == last),
        )
        .where(first.number == 1, ListedChild.register_list_id == list_id, ListLink.state == state)
        .limit(ON_A_PAGE + 1)
    )
    if asked.key is not None:
        edge = asked.key[0]
        query = query.where(first.id > edge if asked.direction == "after" else first.id < edge)
    backwards = asked.direction == "before"
    query = query.order_by(first.id.desc() if backwards else first.id)
    rows = [PairLine(*row) for row in await session.execute(query)]
    return page_of(rows, asked, ON_A_PAGE, lambda one: (one.id,))


async def listed_names(
    session: AsyncSession, listed: Sequence[UUID]
) -> dict[UUID, tuple[str, date]]:
    """Name and birth date of listed children; of one whose key was destroyed, nothing."""
    rows = list(await session.scalars(select(ListedChild).where(ListedChild.id.in_(listed))))
    await load_keys(session, {row.id for row in rows})
    return {row.id: (f"{row.given_name} {row.family_name}".strip(), row.birth_date) for row in rows}


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that was said of a pair."""

    at: datetime
    by: str
    state: str
    why: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Both sides as far as they may be seen, and all that was said of them."""

    id: UUID
    list_id: UUID
    state: str
    number: int
    weight: Decimal
    why: str
    rules: str
    rows: Sequence[tuple[str, str, str]]
    """(what, on the list, on the record)."""
    said: Sequence[Said]


async def child_of(session: AsyncSession, pair_id: UUID) -> UUID:
    """The child of a pair, of those whom the viewer reaches. Raises NotFound."""
    return (await _first(session, pair_id)).child_id


async def _first(session: AsyncSession, pair_id: UUID) -> ListLink:
    row = await session.get(ListLink, pair_id)
    if row is None or row.number != 1:
        raise NotFound(NOT_HERE, "Go back to the lists.")
    return row


async def candidates(session: AsyncSession, listed: Sequence[UUID]) -> dict[UUID, set[UUID]]:
    """The children, of those whom the viewer reaches, whom each listed child was said to be."""
    found: dict[UUID, set[UUID]] = {one: set() for one in listed}
    rows = await session.execute(
        select(ListLink.listed_child_id, ListLink.child_id).where(
            ListLink.listed_child_id.in_(listed)
        )
    )
    for one, child in rows:
        found[one].add(child)
    return found


async def listed_of(access: Access, pair_id: UUID) -> UUID:
    """The listed child of a pair. Raises NotFound."""
    return (await _all_of(access, pair_id))[0].listed_child_id


async def pair(access: Access, pair_id: UUID, named: Container[UUID]) -> Pair:
    """A pair beside each other; `named` are the listed children whose name may be shown.

    Raises NotFound.
    """
    first, said = await _all_of(access, pair_id)
    listed = await access.session.get_one(ListedChild, first.listed_child_id)
    await load_keys(access.session, {listed.id})
    details = await child_details(access)
    rows = []
    for label, name, category in _FIELDS:
        on_list, here = getattr(listed, name), details.values.get(name)
        may_see = name in details.values and access.may(category)
        if category is Category.CONTACT:
            listed_words = _beside(on_list, here) if may_see else WITHHELD
        else:
            may_name = may_see and listed.id in named
            listed_words = _words(name, on_list) if may_name else WITHHELD
        rows.append((label, listed_words, _words(name, here) if may_see else WITHHELD))
    workers = await _names(access.session, {one.created_by for one in said})
    last = said[-1]
    return Pair(
        id=first.id,
        list_id=listed.register_list_id,
        state=last.state,
        number=last.number,
        weight=last.weight,
        why=last.why,
        rules=first.rules,
        rows=rows,
        said=[
            Said(one.created_at, workers.get(one.created_by, ""), STATE_WORDS[one.state], one.why)
            for one in said
        ],
    )


def _beside(on_list: str, here: object) -> str:
    """Whether two homes are the same, without saying where."""
    mine, theirs = ("".join(str(one or "").split()).casefold() for one in (on_list, here))
    if not mine:
        return ""
    return "The same" if mine == theirs else "Another"


def _words(name: str, value: object) -> str:
    if isinstance(value, date):
        return short_day(value)
    said = "" if value is None else str(value)
    if name == "sex":
        return _SEX_WORDS.get(said, said)
    return nhs_number_words(said) if name == "nhs_number" and said else said


async def _names(session: AsyncSession, who: set[UUID]) -> dict[UUID, str]:
    """Who said something: workers by name, and the rules."""
    rows = list(await session.scalars(select(Worker).where(Worker.id.in_(who))))
    await load_keys(session, {row.agency_id for row in rows})
    return {JOB: "The rules"} | {row.id: row.name for row in rows}


async def _all_of(access: Access, pair_id: UUID) -> tuple[ListLink, list[ListLink]]:
    first = await _first(access.session, pair_id)
    if first.child_id != access.child_id:
        raise NotFound(NOT_HERE, "Go back to the lists.")
    rows = await access.session.scalars(
        select(ListLink)
        .where(
            ListLink.listed_child_id == first.listed_child_id, ListLink.child_id == first.child_id
        )
        .order_by(ListLink.number)
    )
    return first, list(rows)


async def decide(access: Access, pair_id: UUID, number: int, state: str) -> None:
    """Say of a pair that it is linked, parted, or to be looked at again.

    `number` is of what stood last when it was read. Raises Conflict where somebody said something
    since, Invalid where it stands so already or the listed child is linked with another record,
    NotAllowed for who may only read the record, NotFound.
    """
    access.require_write()
    first, said = await _all_of(access, pair_id)
    last = said[-1]
    if last.number != number:
        raise Conflict((Clash("What they are", STATE_WORDS[state], STATE_WORDS[last.state]),))
    if last.state == state:
        raise Invalid.because("answer", f"That is how it stands: {STATE_WORDS[state].lower()}")
    if state == "linked":
        await _require_free(access, first)
    access.session.add(
        ListLink(
            child_id=first.child_id,
            listed_child_id=first.listed_child_id,
            number=number + 1,
            state=state,
            weight=first.weight,
            why=BY_A_PERSON[state],
            rules=first.rules,
        )
    )
    try:
        await access.session.flush()
    except IntegrityError as at_once:
        raise Conflict((Clash("What they are", STATE_WORDS[state], "Decided meanwhile"),)) from (
            at_once
        )


async def _require_free(access: Access, first: ListLink) -> None:
    """Raise Invalid where the listed child is linked with another record that may be seen."""
    rows = await access.session.execute(
        select(ListLink.child_id, ListLink.state)
        .where(
            ListLink.listed_child_id == first.listed_child_id,
            ListLink.child_id != first.child_id,
        )
        .order_by(ListLink.number)
    )
    last: dict[UUID, str] = dict(list(rows))
    if "linked" in last.values():
        raise Invalid.because(
            "answer", "This child of the list is linked with another record. Take that back first"
        )
