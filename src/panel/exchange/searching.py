"""A search, run: what matches and may be told, how many there are, and what comes with it.

What is permitted is decided first and joined into each query, so neither a total nor an include
nor a page tells of anything else. What is on the page is then opened through the gate, which
decides again and logs: a family reads in their own history what a system was sent.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from string import ascii_lowercase
from typing import cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Purpose
from interop import search as asked_for
from interop.cursor import Position, decode, encode
from interop.outcome import Issue
from interop.search_settings import Include
from interop.search_values import Reference, as_uuid
from panel.exchange.columns import Refers
from panel.exchange.conditions import (
    Index,
    condition_of,
    fits,
    one_of_ids,
    refers_to,
    sealed_words,
)
from panel.exchange.entering import Client
from panel.exchange.finding import Condition, Hit, Order, count, find, messages_of
from panel.exchange.permitted import Permitted, permitted
from panel.exchange.resources import Name, Told, referred, told
from panel.exchange.source import AnySource, ChildSource
from panel.exchange.sources import SOURCES
from panel.platform.crypto import Keys
from panel.platform.read_models import sql
from panel.platform.tables import KEYS
from panel.records.gate import Access, Gate
from panel.register.service import SHORTEST_PREFIX, child_token, folded_words

MOST_OPENED = 500
"""Rows whose sealed texts are opened to find a name."""
MOST_INCLUDED = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT = timedelta(microseconds=1)


class NotSearched(Exception):
    """A search that is not run, and why."""

    def __init__(self, issue: Issue) -> None:
        super().__init__(issue.text)
        self.issue = issue


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a search."""

    matches: Sequence[Told]
    included: Sequence[Told]
    total: int | None
    cursor: str | None
    """Where the next page begins; None at the end."""


@dataclass(slots=True)
class Searching:
    """One search of one client, in one transaction."""

    gate: Gate
    session: AsyncSession
    client: Client
    search: asked_for.Search
    allowed: Permitted

    @property
    def source(self) -> AnySource:
        """Where the type's rows are."""
        return SOURCES[self.search.type]

    def index(self, kind: str, value: str) -> bytes:
        """The blind index of something by which a child is found."""
        return child_token(cast("Keys", self.session.info[KEYS]).ring, kind, value)


async def run(gate: Gate, session: AsyncSession, client: Client, search: asked_for.Search) -> Found:
    """The page of what matches. Raises NotSearched."""
    children = _children_asked(search)
    allowed = await permitted(gate, session, client.viewer, children)
    one = Searching(gate, session, client, search, allowed)
    conditions = [
        condition_of(one.source, criterion, number, one.index)
        for number, criterion in enumerate(search.criteria)
    ]
    conditions += await _by_opening(one, conditions)
    total = await count(session, one.source, allowed, conditions) if search.total is True else None
    hits: list[Hit] = []
    if not search.count_only:
        hits = await find(session, one.source, allowed, conditions, _order(one), search.count + 1)
    page, goes_on = hits[: search.count], len(hits) > search.count
    if search.total is None and search.cursor is None and not goes_on:
        total = len(page)
    sent = await told_of(one, page, children or ())
    matches = [found for hit in page if (found := sent.get((hit.type, str(hit.id))))]
    return Found(
        matches=matches,
        included=await _with_it(one, matches),
        total=total,
        cursor=_cursor(one, page[-1]) if goes_on else None,
    )


def _children_asked(search: asked_for.Search) -> frozenset[UUID] | None:
    """Whom a search can only be about; None where it may be about anybody."""
    asked: frozenset[UUID] | None = None
    for one in search.criteria:
        named: frozenset[UUID] | None = None
        if isinstance(one, asked_for.References) and one.param.targets == ("Patient",):
            named = frozenset(
                ref.uuid
                for ref in one.any_of
                if isinstance(ref, Reference) and ref.uuid is not None
            )
        elif isinstance(one, asked_for.Ids) and search.type == "Patient":
            named = frozenset(found for each in one.any_of if (found := as_uuid(each)))
        if named is not None:
            asked = named if asked is None else asked & named
    return asked


async def _by_opening(one: Searching, conditions: Sequence[Condition]) -> list[Condition]:
    """Criteria of sealed texts, answered by opening the few rows that are left.

    Raises NotSearched where they are not few.
    """
    asked = sealed_words(one.source, one.search.criteria)
    if not asked:
        return []
    first = len(one.search.criteria)
    by_name = [
        _by_name(criterion, first + number, one.index)
        for number, (criterion, column) in enumerate(asked)
        if column.indexed
    ]
    rows = await find(
        one.session, one.source, one.allowed, [*conditions, *by_name], Order(), MOST_OPENED + 1
    )
    if len(rows) > MOST_OPENED:
        raise NotSearched(
            Issue(
                "too-costly",
                "There are too many to look through for this name. Ask for more of the name, or for"
                " one patient.",
                tuple(criterion.param.name for criterion, _ in asked),
            )
        )
    opened = await _open(one, {row.child_id for row in rows}, {one.search.type})
    found = await messages_of(one.session, one.search.type, [row.id for row in rows], opened)
    right = [
        row_id
        for row_id, message in found.items()
        if all(fits(column.of(message), criterion) for criterion, column in asked)
    ]
    return [one_of_ids(one.source, right, first + len(asked))]


def _by_name(criterion: asked_for.Strings, number: int, index: Index) -> Condition:
    """Those of whom a name begins so, by the blind index; all, where it is too short for one."""
    tokens: list[bytes] = []
    for asked in criterion.any_of:
        word = next(iter(folded_words(asked.raw)), "")
        if criterion.match == "contains" or len(word) < SHORTEST_PREFIX:
            return Condition("true")
        tokens.append(index("prefix", word))
    name = f"named_{ascii_lowercase[number]}"
    return Condition(
        sql(
            "EXISTS (SELECT FROM child_index x WHERE x.child_id = r.id AND x.kind = 'prefix'"
            " AND x.token = ANY(CAST(:{name} AS bytea[])))",
            name=name,
        ),
        {name: tokens},
    )


def _about(resources: Iterable[str]) -> frozenset[Category]:
    """What is decided and logged of a child for resources of these types."""
    found: frozenset[Category] = frozenset()
    for resource in resources:
        source = SOURCES[resource]
        if isinstance(source, ChildSource):
            found |= source.about
    return found


async def _open(
    one: Searching, children: Iterable[UUID | None], resources: Collection[str]
) -> dict[UUID, Access]:
    named = {child for child in children if child is not None}
    if not named:
        return {}
    doing = f"sent {', '.join(sorted(resources))} to {one.client.name}"
    return await one.gate.open_here(
        one.session, sorted(named), one.client.viewer, Purpose.EXCHANGE, doing, _about(resources)
    )


async def told_of(
    one: Searching, hits: Sequence[Hit], besides: Iterable[UUID] = ()
) -> dict[Name, Told]:
    """What was found as it is sent, opened and logged: of `besides` that nothing was found."""
    by_type: dict[str, list[UUID]] = {}
    for hit in hits:
        by_type.setdefault(hit.type, []).append(hit.id)
    opened = await _open(
        one, {*(hit.child_id for hit in hits), *besides}, by_type.keys() or {one.search.type}
    )
    found: dict[Name, Told] = {}
    for resource, ids in by_type.items():
        for message in (await messages_of(one.session, resource, ids, opened)).values():
            sent = told(resource, message)
            found[sent.name] = sent
    return found


async def _with_it(one: Searching, matches: Sequence[Told]) -> Sequence[Told]:
    """What `_include` and `_revinclude` ask for; nothing twice, and no match again."""
    wanted: dict[str, set[UUID]] = {}
    for include in one.search.includes:
        for match in matches:
            for kind, to in referred(match.content, include.param, include.target):
                if (found := as_uuid(to)) is not None:
                    wanted.setdefault(kind, set()).add(found)
    hits = await _of_ids(one, wanted)
    for include in one.search.revincludes:
        hits += await _referring(one, include, matches)
    there = {match.name for match in matches}
    told_here = await told_of(one, hits)
    return [sent for name, sent in told_here.items() if name not in there]


async def _of_ids(one: Searching, wanted: Mapping[str, set[UUID]]) -> list[Hit]:
    found: list[Hit] = []
    for kind, ids in wanted.items():
        if kind in SOURCES and one.client.scopes.permits(kind, "r"):
            source = SOURCES[kind]
            found += await find(
                one.session,
                source,
                one.allowed,
                [one_of_ids(source, sorted(ids), 0)],
                Order(),
                MOST_INCLUDED,
            )
    return found


async def _referring(one: Searching, include: Include, matches: Sequence[Told]) -> list[Hit]:
    source = SOURCES[include.type]
    column = source.columns.get(include.param.column)
    ids = [found for match in matches if (found := as_uuid(match.id)) is not None]
    if not isinstance(column, Refers) or not one.client.scopes.permits(include.type, "s"):
        return []
    return await find(
        one.session,
        source,
        one.allowed,
        [refers_to(column, ids, 0)],
        Order(),
        MOST_INCLUDED,
    )


def _key(one: Searching) -> bytes:
    return one.index("cursor", one.client.key)


def _order(one: Searching) -> Order:
    """By when each last changed, from where the page before ended. Raises NotSearched."""
    search = one.search
    if search.cursor is None:
        return Order(by_change=True, newest_first=search.newest_first)
    position = decode(
        _key(one),
        search.cursor,
        type_=search.type,
        search=search.digest,
        holder=str(one.client.viewer.id),
    )
    match position.after if position is not None else ():
        case (int(at), str(last)):
            after = (_EPOCH + at * _INSTANT, UUID(last))
            return Order(by_change=True, newest_first=search.newest_first, after=after)
    raise NotSearched(
        Issue("value", "This is not where a page of this search begins.", ("_cursor",))
    )


def _cursor(one: Searching, last: Hit) -> str:
    return encode(
        _key(one),
        Position(
            type=one.search.type,
            search=one.search.digest,
            after=((last.changed_at - _EPOCH) // _INSTANT, str(last.id)),
        ),
        str(one.client.viewer.id),
    )
