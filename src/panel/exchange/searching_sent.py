"""What other systems sent, as a search finds it: by what stands beside it, else by opening it.

What such a resource says is sealed. Its id, its child, when it changed and by which identifiers it
goes are asked in the query, under what is permitted. Whatever else is asked is looked up in the
resources that are left, opened through the gate and as this client is shown them, so that nothing
is found by what is not shown. Where too many are left the search is refused, never answered in
part: a total, a page and a link say the truth or are not given. Source: docs/adr/0032.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Purpose
from interop import search as asked_for
from interop.matching import is_kept_apart, matches
from interop.outcome import Issue
from interop.search_settings import Include
from panel.exchange.conditions import Index, condition_of, marked, of_children, one_of_ids
from panel.exchange.entering import Client
from panel.exchange.finding import Condition, Hit, Order, Part, find_in, messages_of
from panel.exchange.inbox_receiving import keys_of, mark
from panel.exchange.permitted import Permitted
from panel.exchange.resources import Told, referred
from panel.exchange.sender_sources import SENT
from panel.exchange.showing import show
from panel.exchange.source import AnySource, ChildSource
from panel.exchange.sources import SOURCES
from panel.platform.read_models import for_driver, rows_of, sql
from panel.records.gate import Access, Gate

MOST_OPENED: Final = 500
"""Rows whose sealed texts are opened to answer one search."""
_APART: Final = 200
"""From here on conditions are numbered, so that no name is one of our own rows'."""
TOO_MANY: Final = (
    "Other systems sent too many of these to look through. Ask for one patient, for some ids, or"
    " since when they changed."
)


class NotSearched(Exception):
    """A search that is not run, and why."""

    def __init__(self, issue: Issue) -> None:
        super().__init__(issue.text)
        self.issue = issue


@dataclass(frozen=True, slots=True)
class Looking:
    """What it takes to open what a search is about."""

    gate: Gate
    session: AsyncSession
    client: Client
    allowed: Permitted
    index: Index

    async def open(
        self, children: Iterable[UUID | None], about: frozenset[Category], doing: str
    ) -> dict[UUID, Access]:
        """The records of these children, logged."""
        named = {child for child in children if child is not None}
        if not named:
            return {}
        return await self.gate.open_here(
            self.session, sorted(named), self.client.viewer, Purpose.EXCHANGE, doing, about
        )


def about_of(resources: Iterable[str], hits: Iterable[Hit]) -> frozenset[Category]:
    """What is decided and logged of a child where these are told."""
    found: frozenset[Category] = frozenset(one.category for one in hits if one.category is not None)
    for resource in resources:
        source = SOURCES[resource]
        if isinstance(source, ChildSource):
            found |= source.about
    return found


async def matching(looking: Looking, search: asked_for.Search) -> Part | None:
    """What other systems sent that a search finds; None where it can be nothing.

    Raises NotSearched.
    """
    source = SENT.get(search.type)
    if source is None:
        return None
    conditions = [
        condition_of(source, criterion, _APART + number, looking.index)
        for number, criterion in enumerate(search.criteria)
        if is_kept_apart(criterion)
    ]
    asked = [one for one in search.criteria if not is_kept_apart(one)]
    if not asked:
        return Part(source, conditions)
    conditions += [
        await _so_called(looking, source, criterion, _APART + len(search.criteria) + number)
        for number, criterion in enumerate(asked)
        if _names_one(criterion)
    ]
    told = await _opened(looking, Part(source, conditions), {one.param.name for one in asked})
    right = [one for one in told if all(matches(one.content, each) for each in asked)]
    return _these(source, right)


async def referring(
    looking: Looking, include: Include, found: Sequence[Told], page: Sequence[Hit]
) -> Part | None:
    """What other systems sent that refers to what was found, but for what is kept beside it.

    Raises NotSearched.
    """
    source = SENT.get(include.type)
    if source is None or include.param.column in source.columns:
        return None
    children = {hit.child_id for hit in page if hit.child_id is not None}
    # What an agency or a worker is referred to by may be about anybody.
    whose = [of_children(source, sorted(children), _APART)] if children else []
    told = await _opened(looking, Part(source, whose), {"_revinclude"})
    names = {one.name for one in found}
    return _these(
        source,
        [one for one in told if referred(one.content, include.param, include.target) & names],
    )


def _these(source: AnySource, told: Sequence[Told]) -> Part | None:
    ids = [UUID(one.id) for one in told]
    return Part(source, [one_of_ids(source, ids, _APART)]) if ids else None


async def _opened(looking: Looking, part: Part, asked: Collection[str]) -> list[Told]:
    """What a client is shown of these rows. Raises NotSearched where they are too many."""
    session, type_ = looking.session, part.source.resource
    hits = await find_in(session, [part], looking.allowed, Order(), MOST_OPENED + 1)
    if len(hits) > MOST_OPENED:
        raise NotSearched(Issue("too-costly", TOO_MANY, tuple(sorted(asked))))
    doing = f"looked through {type_} for {looking.client.name}"
    opened = await looking.open({hit.child_id for hit in hits}, about_of({type_}, hits), doing)
    said = await messages_of(session, type_, [hit.id for hit in hits], opened)
    return await show(
        looking.gate, session, looking.client, [(type_, one) for one in said.values()]
    )


# By identifier ------------------------------------------------------------------------------------


def _names_one(criterion: asked_for.AnyCriterion) -> bool:
    """Whether it asks for identifiers that have a mark: those with a system and a value."""
    return (
        isinstance(criterion, asked_for.Tokens)
        and criterion.param.name == "identifier"
        and not criterion.negated
        and all(one.system and one.code for one in criterion.any_of)
    )


async def _so_called(
    looking: Looking, source: AnySource, criterion: asked_for.AnyCriterion, number: int
) -> Condition:
    """That a row has been called so by its sender, of whom each has marks of its own."""
    tokens = criterion.any_of if isinstance(criterion, asked_for.Tokens) else ()
    ring = (await keys_of(looking.session)).ring
    statement = sql(
        "SELECT DISTINCT r.client_id FROM {rows} WHERE {where}",
        rows=source.rows,
        where=source.where,
    )
    senders = await rows_of(looking.session, for_driver(statement), {})
    marks = [
        mark(ring, "identifier", client, one.system, one.code)
        for (client,) in senders
        for one in tokens
        if one.system and one.code
    ]
    return marked(marks, number)
