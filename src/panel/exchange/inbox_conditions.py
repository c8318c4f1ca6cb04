"""Whether what a client wants to create is here already (`If-None-Exist`), as it may be told."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from interop.outcome import Issue, Refused
from interop.search import Search, Tokens, pairs_of, parse
from panel.exchange import searching
from panel.exchange.entering import Client
from panel.exchange.fhir_routes import NotDone
from panel.exchange.inbox_models import SenderVersion
from panel.exchange.inbox_receiving import keys_of, mark
from panel.exchange.searching_sent import NotSearched
from panel.records.gate import Gate

BY_IDENTIFIER = "A conditional create is by identifier: identifier=system|value."


async def existing(
    gate: Gate, session: AsyncSession, client: Client, type_: str, query: str, base: str
) -> SenderVersion | UUID | None:
    """The one that is so identified: the client's own version, or the id of a row that it may see.

    Raises NotDone for any other condition, and where several are (412).
    """
    asked = _asked(type_, query, base)
    own = await _own(session, client, type_, asked)
    ids = {one.id for one in own} | await _ours(gate, session, client, asked)
    if len(ids) > 1:
        raise NotDone(Issue("multiple-matches", "Several resources are so identified."))
    if own:
        return own[0]
    return ids.pop() if ids else None


async def _ours(gate: Gate, session: AsyncSession, client: Client, asked: Search) -> set[UUID]:
    """Of rows that it did not send, those that it may look for: none without that scope."""
    if not client.scopes.permits(asked.type, "s"):
        return set()
    try:
        found = await searching.run(gate, session, client, asked)
    except NotSearched as refused:
        raise NotDone(refused.issue) from refused
    return {UUID(one.id) for one in found.matches}


def _asked(type_: str, query: str, base: str) -> Search:
    pairs = pairs_of(query)
    asked = None if pairs is None else parse(type_, pairs, base)
    if isinstance(asked, Refused):
        raise NotDone(*asked.issues)
    if asked is None or [one.param.name for one in asked.criteria] != ["identifier"]:
        raise NotDone(Issue("not-supported", BY_IDENTIFIER))
    return asked


async def _own(
    session: AsyncSession, client: Client, type_: str, asked: Search
) -> list[SenderVersion]:
    [criterion] = asked.criteria
    if not isinstance(criterion, Tokens) or criterion.negated:
        raise NotDone(Issue("not-supported", BY_IDENTIFIER))
    ring = (await keys_of(session)).ring
    marks = [
        mark(ring, "identifier", client.viewer.id, one.system, one.code)
        for one in criterion.any_of
        if one.system and one.code
    ]
    if len(marks) != len(criterion.any_of):
        raise NotDone(Issue("not-supported", BY_IDENTIFIER))
    rows = await session.scalars(
        select(SenderVersion).where(
            SenderVersion.client_id == client.viewer.id,
            SenderVersion.type == type_,
            SenderVersion.about_id.is_(None),
            SenderVersion.identifier_marks.overlap(marks),
        )
    )
    return list(rows)
