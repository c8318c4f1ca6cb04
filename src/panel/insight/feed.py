"""What changed in the rooms becomes events and facts: scheduled work, every minute.

Triggers note whose record was touched; a run takes exactly the notes that it read away, so what
commits meanwhile is found by the next one. Done again it changes nothing: what is said the same
makes no event, and a person's facts are replaced whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from panel.insight.core.facts import Capacity, ChildSaid, Fact, FactEvent, Term
from panel.insight.core.fold import Links, State, digest, digests, fold, said_bytes
from panel.insight.core.words import SERVICES, Period
from panel.insight.keys import FactKeys
from panel.insight.linking.saying import EVERYBODY
from panel.insight.sources import (
    CAPACITY,
    ChildLine,
    read_children,
    read_links,
    read_terms,
    said_of,
)
from panel.insight.storing import (
    LastSaid,
    add_links,
    add_said,
    events,
    forget,
    keep_terms,
    kept_terms,
    last_said,
    links_of,
    replace_all,
    replace_people,
    stored,
)
from panel.platform.read_models import rows_of
from panel.platform.tables import KEYS, NOW, today_of

BATCH = 500
"""Children whose records are read by one query."""
MOST_BATCHES = 20
"""Batches of one run of the job: what is left is the next run's."""


@dataclass(slots=True)
class Fed:
    """What a run took in."""

    children: int = 0
    said: int = 0
    linked: int = 0
    parted: int = 0
    erased: int = 0
    terms: bool = False
    """Whether a term ended, or the calendar changed: then all facts were made anew."""


def keys_of(session: AsyncSession) -> FactKeys:
    """The keys of facts in a transaction of an authority."""
    return FactKeys(session.info[KEYS].ring)


async def keep_facts(session: AsyncSession, _slot: datetime) -> None:
    """The job."""
    await feed(session)


async def feed(session: AsyncSession, most_batches: int | None = MOST_BATCHES) -> Fed:
    """Take in what was touched, as scheduled work; all of it where no number of batches is given.

    One run at a time: another waits until this transaction is over.
    """
    await rows_of(
        session,
        "SELECT pg_advisory_xact_lock(hashtextextended('facts of ' || current_schema(), 0))",
        {},
    )
    fed = Fed()
    terms = await read_terms(session)
    if terms != await kept_terms(session):
        await keep_terms(session, terms)
        fed.terms = True
    batches = 0
    while most_batches is None or batches < most_batches:
        touched = await rows_of(
            session,
            "SELECT child_id, array_agg(id) FROM insight_touched GROUP BY child_id"
            " ORDER BY child_id LIMIT %(most)s",
            {"most": BATCH},
        )
        if not touched:
            break
        await _take_in(session, terms, [child for child, _ in touched], fed)
        await rows_of(
            session,
            "DELETE FROM insight_touched WHERE id = ANY(%(ids)s) RETURNING 1",
            {"ids": [one for _, ids in touched for one in ids]},
        )
        batches += 1
    if fed.terms:
        await rebuild(session)
    # Places of services change without any child: whoever takes all in wants them as they are.
    if fed.terms or batches or most_batches is None:
        await _keep_state(session)
    return fed


async def touched(session: AsyncSession) -> int:
    """How many children's records wait to be looked at."""
    [[number]] = await rows_of(session, "SELECT count(DISTINCT child_id) FROM insight_touched", {})
    return int(number)


async def _take_in(
    session: AsyncSession, terms: Sequence[Term], children: Sequence[UUID], fed: Fed
) -> None:
    """Events and facts of some children."""
    keys = keys_of(session)
    lines = await read_children(session, children)
    erased = {keys.record(one.child) for one in lines if one.erased}
    there = [one for one in lines if not one.erased]
    before = await last_said(session, {keys.record(one.child) for one in there})
    said = _what_is_new(there, before, keys, session)
    links = await links_of(session)
    records = {keys.record(one.child) for one in lines}
    about = {other for one in records for other in links.of(one)}
    linked, parted = await _links_now(session, there, links, keys)
    fed.children += len(lines)
    fed.said += len(said)
    fed.linked += len(linked)
    fed.parted += len(parted)
    if said:
        await add_said(session, said)
    for kind, pairs in (("linked", linked), ("parted", parted)):
        if pairs:
            await add_links(session, kind, pairs)
    if erased:
        fed.erased += await forget(session, erased)
    links = await links_of(session)
    about |= {other for one in about | records for other in links.of(one)}
    facts = await _facts_of(session, terms, about, links)
    await replace_people(session, about, facts)


def _what_is_new(
    lines: Sequence[ChildLine],
    before: dict[bytes, LastSaid],
    keys: FactKeys,
    session: AsyncSession,
) -> dict[bytes, ChildSaid]:
    """What is said of each record that is not what was said last."""
    found: dict[bytes, ChildSaid] = {}
    for line in lines:
        record = keys.record(line.child)
        known = before.get(record)
        said = said_of(line, None if known is None else known.said, keys, today_of(session))
        if known is None or sha256(said_bytes(said)).digest() != known.digest:
            found[record] = said
    return found


async def _links_now(
    session: AsyncSession, lines: Sequence[ChildLine], links: Links, keys: FactKeys
) -> tuple[list[tuple[bytes, bytes]], list[tuple[bytes, bytes]]]:
    """Which pairs of records were linked since, and which parted."""
    now = {
        (keys.record(one), keys.record(other))
        for one, other in await read_links(session, [one.child for one in lines])
    }
    either_way = {frozenset(pair) for pair in now}
    linked = sorted(pair for pair in now if pair[1] not in links.beside(pair[0]))
    stood = {
        frozenset({record, other})
        for line in lines
        for record in [keys.record(line.child)]
        for other in links.beside(record)
    }
    parted = [(pair[0], pair[1]) for pair in sorted(map(sorted, stood - either_way))]
    return linked, parted


async def _facts_of(
    session: AsyncSession, terms: Sequence[Term], records: set[bytes], links: Links
) -> list[Fact]:
    """The facts of everybody of whom one of these records is."""
    state = State(terms, keys_of(session))
    state.links = links
    for record, known in (await last_said(session, records)).items():
        state.note(FactEvent(known.first, record, "said", known.said))
    state.make(records)
    return [fact for facts in state.facts.values() for fact in facts]


async def _keep_state(session: AsyncSession) -> None:
    """Capacity anew out of the directory's history, and how far all was taken in."""
    rows = await rows_of(session, CAPACITY, {})
    keys = keys_of(session)
    capacity = [
        Capacity(
            keys.row(service),
            Period(period),
            kind if kind in SERVICES else "other",
            kind == "short_break",
            places,
            free,
        )
        for service, period, kind, places, free in rows
    ]
    await replace_all(session, capacity, (Capacity,))
    await rows_of(
        session,
        "INSERT INTO insight_state (id, events, fed_at)"
        " SELECT 1, COALESCE(max(number), 0), %(now)s FROM insight_event"
        " ON CONFLICT (id) DO UPDATE SET events = EXCLUDED.events, fed_at = EXCLUDED.fed_at"
        " RETURNING id",
        {"now": session.info[NOW]},
    )


# Rebuilding and proving ---------------------------------------------------------------------------


async def rebuild(session: AsyncSession) -> str:
    """Make all facts of children anew out of the whole history; returns their digest."""
    state = fold(await events(session), await kept_terms(session), keys_of(session))
    await replace_all(session, [fact for facts in state.facts.values() for fact in facts])
    return state.digest()


async def facts_digest(session: AsyncSession) -> str:
    """The SHA-256 of all facts of children as the tables hold them."""
    return digest([one async for one in stored(session)])


@dataclass(frozen=True, slots=True)
class Checked:
    """Which tables are not what the history comes to, and which not what the rooms say."""

    history: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()

    def in_words(self) -> str:
        """What differs, with the first table of each; "" where nothing does."""
        if self.history:
            return (
                f"{self.history[0]} is not what its history comes to."
                " Run: panel insight facts --rebuild"
            )
        if self.rooms:
            return f"{self.rooms[0]} is not what the records say: something changed them unseen."
        return ""


async def check(session: AsyncSession) -> Checked:
    """Fold the whole history, read every room again, and compare both with the tables."""
    terms, keys = await kept_terms(session), keys_of(session)
    kept = digests([one async for one in stored(session)])
    history = await events(session)
    folded = fold(history, terms, keys)
    said = await _from_rooms(session)
    rooms = State(terms, keys)
    for event in history:
        if event.kind != "said":
            rooms.note(event)
        elif (now := said.get(event.record)) is not None:
            rooms.note(FactEvent(event.number, event.record, "said", now))
    rooms.make()
    return Checked(_differ(kept, folded.digests()), _differ(kept, rooms.digests()))


def _differ(kept: dict[str, str], others: dict[str, str]) -> tuple[str, ...]:
    return tuple(name for name, one in kept.items() if others[name] != one)


async def _from_rooms(session: AsyncSession) -> dict[bytes, ChildSaid]:
    """What the rooms say now of every child who is not erased."""
    keys = keys_of(session)
    found: dict[bytes, ChildSaid] = {}
    children = [child for (child,) in await rows_of(session, EVERYBODY, {})]
    for start in range(0, len(children), BATCH):
        lines = await read_children(session, children[start : start + BATCH])
        there = [one for one in lines if not one.erased]
        before = await last_said(session, {keys.record(one.child) for one in there})
        for line in there:
            record = keys.record(line.child)
            known = before.get(record)
            found[record] = said_of(
                line, None if known is None else known.said, keys, today_of(session)
            )
    return found
