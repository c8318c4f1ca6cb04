"""The list of children, a page at a time: one query for the page, one gate for its names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Literal, cast
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Viewer
from panel.platform.changes import Readings
from panel.platform.read_models import ReadModel, sql
from panel.platform.tables import NOW
from panel.platform.tenancy import load_agency_keys
from panel.records.gate import Access, Found, Gate, Purposes
from panel.records.who_leads import HOLDS_TODAY
from panel.register.header import age_or_expected, name_of_child
from panel.web.paging import Asked, Page, page_of
from panel.web.words import initials, short_day

ON_A_PAGE = 25
MOST_LISTS = 256
"""Pages of lists kept at once in a process, while nothing changes (`platform.changes`)."""

ABOUT = frozenset({Category.IDENTITY})
"""What a line of a list shows of the record. To decide and log thirteen categories for each of 50
lines cost half of the page (5 of 10 ms)."""

Show = Literal["all", "lead", "team", "agency"]
Order = Literal["added", "age"]

SHOW_WORDS: Mapping[Show, str] = {
    "all": "Everyone I can see",
    "lead": "I am lead professional",
    "team": "I am in the team",
    "agency": "My agency is involved",
}
ORDER_WORDS: Mapping[Order, str] = {"added": "Newest first", "age": "Youngest first"}

KEY_KINDS = (UUID,)
"""What a page's cursor holds: a child's id and no birth date, which may be withheld."""


@dataclass(frozen=True, slots=True)
class ListedChild:
    """One line of a list of children."""

    child_id: UUID
    reference: str
    name: str
    """The name, or the reference where the name is withheld."""
    age_words: str
    born: date | None
    lead_words: str

    @property
    def initials(self) -> str:
        """What privacy mode shows for the name."""
        return initials(self.name)

    @property
    def born_words(self) -> str:
        """The day of birth, where it may be known."""
        return "" if self.born is None else short_day(self.born)


class _Lead(msgspec.Struct):
    id: UUID
    agency_id: UUID
    agency: str
    name: str | None


class _Line(msgspec.Struct):
    id: UUID
    reference: str
    birth_date: date | None
    expected: date | None
    given_name: str | None
    family_name: str | None
    lead: _Lead | None
    reach_ends: datetime | None = None
    """When the viewer reaches it no more: an override ends at a moment, and nobody writes."""


_LINE = """json_build_object('id', c.id, 'reference', c.reference, 'birth_date', c.birth_date,
  'expected', c.expected_delivery_on, 'given_name', encode(c.given_name, 'hex'),
  'family_name', encode(c.family_name, 'hex'),
  'lead', CASE WHEN w.id IS NULL THEN NULL ELSE json_build_object('id', w.id,
     'agency_id', g.id, 'agency', g.name, 'name', encode(w.name, 'hex')) END)::text"""
_LISTED = _LINE.replace(
    "json_build_object(",
    "json_build_object('reach_ends', NULLIF(a.valid_until, 'infinity'), ",
    1,
)
_LEAD = sql(
    """
LEFT JOIN LATERAL (SELECT l.worker_id FROM lead_professional l WHERE l.child_id = c.id
  AND {holds_today} ORDER BY l.from_on DESC LIMIT 1) l ON true
LEFT JOIN worker w ON w.id = l.worker_id
LEFT JOIN agency g ON g.id = w.agency_id""",
    holds_today=HOLDS_TODAY,
)
_ONE_LEAD = f"LEFT JOIN lead_professional l ON l.child_id = a.child_id AND {HOLDS_TODAY}"
_THESE = ReadModel(f"SELECT {_LINE} FROM child c {_LEAD} WHERE c.id = ANY(:ids)", _Line)  # noqa: S608 - fixed parts

_READ_LINE = msgspec.json.Decoder(_Line)

_REACH = "a.viewer_id = :viewer AND a.valid_from <= :now AND a.valid_until >= :now"
_SHOW: Mapping[Show, str] = {
    "all": "",
    "lead": " AND l.worker_id = :viewer",
    "team": " AND EXISTS (SELECT 1 FROM involvement i WHERE i.child_id = a.child_id"
    " AND i.worker_id = :viewer AND i.from_on <= :today"
    " AND (i.until_on IS NULL OR i.until_on >= :today))",
    "agency": " AND EXISTS (SELECT 1 FROM involvement i WHERE i.child_id = a.child_id"
    " AND i.agency_id = :agency AND i.from_on <= :today"
    " AND (i.until_on IS NULL OR i.until_on >= :today))",
}
# By key: the list starts from child_access, whose index on (viewer, child) is in its order.
_AFTER: Mapping[Order, Mapping[str, str]] = {
    "added": {
        "": " ORDER BY a.child_id DESC",
        "after": " AND a.child_id < :id ORDER BY a.child_id DESC",
        "before": " AND a.child_id > :id ORDER BY a.child_id",
    },
    "age": {
        "": " AND c.birth_date IS NOT NULL ORDER BY c.birth_date DESC, c.id DESC",
        "after": " AND (c.birth_date, c.id) < (:born, :id) ORDER BY c.birth_date DESC, c.id DESC",
        "before": " AND (c.birth_date, c.id) > (:born, :id) ORDER BY c.birth_date, c.id",
    },
}


_CUT = "SELECT a.child_id, a.ties, a.valid_until FROM child_access a {lead} {these} OFFSET 0"


@cache
def _page_query(show: Show, order: Order, direction: str) -> str:
    these = f"WHERE {_REACH}{_SHOW[show]}{_AFTER[order][direction]} LIMIT {ON_A_PAGE + 1}"
    if order == "age":
        return f" FROM child_access a JOIN child c ON c.id = a.child_id {_LEAD} {these}"
    # The page is cut from child_access before anything is joined, in the order of its index: one
    # plan serves whoever reaches 35 children and whoever reaches 50,000, and the server keeps it.
    # OFFSET 0 keeps the planner from joining first and sorting all (TRAPS.md, skewed viewers).
    lead = _ONE_LEAD if show == "lead" else ""
    cut = _CUT.format(lead=lead, these=these)
    return (
        f" FROM ({cut}) a JOIN child c ON c.id = a.child_id {_LEAD}"
        f" ORDER BY a.child_id {'' if direction == 'before' else 'DESC'}"
    )


async def list_children(
    gate: Gate,
    viewer: Viewer,
    purposes: Purposes,
    *,
    show: Show,
    order: Order,
    asked: Asked,
    today: date,
) -> Page[ListedChild]:
    """One page of the children whom the viewer may reach; names only where they may be seen."""
    async with gate.tenant.transaction(viewer.id) as session:
        what = (viewer.agency, show, order, asked, today)
        snapshot, kept = await _LISTS.get(session, what)
        if kept is None:
            found = await _found(gate, session, viewer, show, order, asked, today)
            ends = (_READ_LINE.decode(one.line).reach_ends for one in found)
            until = min((one for one in ends if one is not None), default=None)
            kept = _LISTS.keep(session, what, snapshot, _List(found), until)
        opened = gate.open_found(
            session,
            kept.found[:ON_A_PAGE],
            viewer,
            purposes,
            "looked at the list of children",
            ABOUT,
        )
        decided = [one.decided for one in opened.values()]
        if kept.page is None or kept.decided != decided:
            lines = [_READ_LINE.decode(one.line) for one in kept.found]
            children = await _named(session, lines, opened, today)
            kept.decided = decided
            kept.page = page_of(children, asked, ON_A_PAGE, lambda child: (child.child_id,))
        return kept.page


@dataclass(slots=True)
class _List:
    """A page of the list as it was read, and as it was shown for what was decided of it."""

    found: list[Found]
    decided: list[bytes] | None = None
    page: Page[ListedChild] | None = None


_LISTS: Readings[_List] = Readings(MOST_LISTS)


async def _found(
    gate: Gate,
    session: AsyncSession,
    viewer: Viewer,
    show: Show,
    order: Order,
    asked: Asked,
    today: date,
) -> list[Found]:
    start = None if asked.key is None else asked.key[0]
    born = await _born(session, start) if order == "age" and start is not None else None
    is_first = start is None or (order == "age" and born is None)
    return await gate.read_here(
        session,
        _LISTED,
        _page_query(show, order, "" if is_first else asked.direction),
        # Kept as one plan for all, the list by age suits nobody.
        prepared=False if order == "age" else None,
        viewer=viewer.id,
        agency=viewer.agency,
        today=today,
        now=session.info[NOW],
        id=start,
        born=born,
    )


async def _born(session: AsyncSession, child_id: object) -> date | None:
    """Where in the order of ages a page starts; a comparison with a sub-query uses no index."""
    found = await session.execute(
        text("SELECT birth_date FROM child WHERE id = :child"), {"child": child_id}
    )
    return cast("date | None", found.scalar_one_or_none())


async def listed(
    session: AsyncSession, ids: Sequence[UUID], opened: Mapping[UUID, Access], today: date
) -> dict[UUID, ListedChild]:
    """These children as lines of a list, by id."""
    lines = await _THESE.lines(session, ids=list(ids), today=today)
    return {child.child_id: child for child in await _named(session, lines, opened, today)}


async def _named(
    session: AsyncSession, lines: Sequence[_Line], opened: Mapping[UUID, Access], today: date
) -> list[ListedChild]:
    await load_agency_keys(
        session, {line.lead.agency_id for line in lines if line.lead is not None}
    )
    return [_listed(line, opened.get(line.id), today) for line in lines]


def _listed(line: _Line, access: Access | None, today: date) -> ListedChild:
    may_know = access is not None and access.may(Category.IDENTITY)
    name = ""
    lead_words = ""
    if access is not None:
        name = name_of_child(access, line.given_name, line.family_name)
        lead_words = _lead_words(access, line.lead)
    return ListedChild(
        child_id=line.id,
        reference=line.reference,
        name=name or line.reference,
        age_words=age_or_expected(line.birth_date, line.expected, today) if may_know else "",
        born=line.birth_date if may_know else None,
        lead_words=lead_words,
    )


def _lead_words(access: Access, lead: _Lead | None) -> str:
    if lead is None or lead.name is None:
        return "Nobody yet"
    name = access.keys.open(lead.agency_id, "worker.name", lead.id, bytes.fromhex(lead.name))
    return f"{name}, {lead.agency}"
