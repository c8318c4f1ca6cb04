"""Exports: asked for, made by scheduled work, and told line by line as they are fetched.

What is kept for an hour are lines as their sources read them, not what anybody may be told: each is
opened through the gate when it is fetched and told as it says by then, so that a line, or a part of
one, that may not be told any more is left out. They are sealed as in their own tables, and erased
with them. To make an export is one transaction as the client itself: it is there whole, or not at
all.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Purpose
from interop.messages import Message
from panel.exchange.entering import Client
from panel.exchange.finding import messages_of, told
from panel.exchange.permitted import PERMITTED, Permitted, permitted
from panel.exchange.resources import told as as_sent
from panel.exchange.source import AnySource, ChildLine, ChildSource, OpenSource
from panel.exchange.sources import SOURCES
from panel.exchange.standing import client_by_id
from panel.exchange.telling_models import ExportJob, ExportLine, ExportPart
from panel.platform.audit import Actor, ActorKind, Kind, record
from panel.platform.read_models import for_driver, rows_of, sql
from panel.platform.tables import NOW
from panel.records.child_scoped import JOB
from panel.records.gate import Gate

LASTS = timedelta(hours=1)
"""How long what is ready can be fetched."""
KEPT = timedelta(days=7)
"""How long it is known that it was asked for."""
LINES = 5_000
"""Lines of one file at most."""
A_TIME = 200
"""Lines that are read, opened and sent together."""
MOST_WAITING = 5
"""Exports of one client at a time."""
TRIES = 3
LEFT_BEHIND = timedelta(minutes=2)
"""After which one that was taken and is not being made was left behind by whoever took it."""

Key = tuple[UUID, UUID]
"""A child and a row: where the next file goes on."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What an export is to hold: types, in which order, and since when."""

    asked: str
    types: tuple[str, ...]
    since: datetime | None


async def ask(session: AsyncSession, client: Client, asking: Asking) -> UUID | None:
    """Put an export in line; None where the client has too many already."""
    rows = await session.scalars(
        select(ExportJob.id)
        .where(ExportJob.client_id == client.viewer.id, ExportJob.state.in_(("waiting", "ready")))
        .limit(MOST_WAITING)
    )
    if len(list(rows)) >= MOST_WAITING:
        return None
    row = ExportJob(
        client_id=client.viewer.id,
        asked=asking.asked,
        types=list(asking.types),
        since=asking.since,
        state="waiting",
        tries=0,
        next_at=session.info[NOW],
    )
    session.add(row)
    _note(session, Kind.EXPORT_ASKED, row, client)
    await session.flush()
    return row.id


def _note(session: AsyncSession, what: Kind, row: ExportJob, client: Client) -> None:
    by = Actor(client.viewer.id, ActorKind.CLIENT, client.agency_id)
    record(session, what, by, subject=row.id, details={"types": row.types})


async def one(session: AsyncSession, client: Client, job_id: UUID) -> ExportJob | None:
    """An export of the client's own that was not cancelled and is not over."""
    row = await session.get(ExportJob, job_id)
    if row is None or row.client_id != client.viewer.id or row.state == "cancelled":
        return None
    if row.ends_at is not None and row.ends_at <= session.info[NOW]:
        return None
    return row


async def cancel(session: AsyncSession, client: Client, row: ExportJob) -> None:
    """It is not made, or not fetched any more; what was kept goes with the next round."""
    row.state = "cancelled"
    _note(session, Kind.EXPORT_CANCELLED, row, client)
    await session.flush()


async def parts_of(session: AsyncSession, row: ExportJob) -> Sequence[ExportPart]:
    """Its files, in order."""
    found = await session.scalars(
        select(ExportPart).where(ExportPart.job_id == row.id).order_by(ExportPart.id)
    )
    return list(found)


# --- Making ---------------------------------------------------------------------------------------


async def make_waiting(gate: Gate) -> None:
    """Make what waits, one after the other; whoever dies in between leaves it waiting."""
    while (taken := await _taken(gate)) is not None:
        job_id, client = taken
        await _make(gate, client, job_id)


async def _taken(gate: Gate) -> tuple[UUID, Client] | None:
    """One that waits, counted as tried; one that was tried too often has failed."""
    async with gate.tenant.transaction(JOB) as session:
        rows = await session.scalars(
            select(ExportJob)
            .where(ExportJob.state == "waiting", ExportJob.next_at <= session.info[NOW])
            .order_by(ExportJob.id)
            .with_for_update(skip_locked=True)
        )
        for row in rows:
            client = await client_by_id(session, row.client_id)
            if client is None or row.tries >= TRIES:
                row.state, row.ends_at = "failed", session.info[NOW] + LASTS
                continue
            row.tries += 1
            row.next_at = session.info[NOW] + LEFT_BEHIND
            return row.id, client
    return None


async def _make(gate: Gate, client: Client, job_id: UUID) -> None:
    async with gate.tenant.transaction(client.viewer.id) as session:
        row = await session.scalar(
            select(ExportJob)
            .where(ExportJob.id == job_id, ExportJob.state == "waiting")
            .with_for_update(skip_locked=True)
        )
        if row is None:
            return
        allowed = await permitted(gate, session, client.viewer)
        for resource in row.types:
            if client.scopes.permits(resource, "r"):
                await _make_type(session, row, SOURCES[resource], allowed)
        now: datetime = session.info[NOW]
        row.state, row.as_of, row.ends_at = "ready", now, now + LASTS


async def _make_type(
    session: AsyncSession, row: ExportJob, source: AnySource, allowed: Permitted
) -> None:
    """The files of one type, in order of child, so that each is opened once or twice."""
    if isinstance(source, OpenSource):
        await _open_part(session, row, source)
        return
    after: Key | None = None
    for number in count():
        part = _part(row, source, number)
        session.add(part)
        await session.flush()
        after = await _fill(session, row, source, allowed, part, after)
        if after is None:
            return


def _part(row: ExportJob, source: AnySource, number: int) -> ExportPart:
    return ExportPart(
        client_id=row.client_id, job_id=row.id, resource=source.resource, number=number
    )


async def _fill(
    session: AsyncSession,
    row: ExportJob,
    source: ChildSource[ChildLine],
    allowed: Permitted,
    part: ExportPart,
    after: Key | None,
) -> Key | None:
    """Copy lines into a file, within the database; the last one's key where there are more."""
    now: datetime = session.info[NOW]
    child, last = after or (None, None)
    copied = await rows_of(
        session,
        for_driver(
            sql(
                "WITH {permitted}, chosen AS (SELECT {child} AS child_id, {id} AS row_id,"
                " {line} AS line FROM {rows} WHERE ({where}) AND ({told})"
                " AND {changed} <= :now AND (CAST(:since AS timestamptz) IS NULL"
                " OR {changed} > :since) AND (CAST(:last AS uuid) IS NULL"
                " OR ({child}, {id}) > (CAST(:child AS uuid), CAST(:last AS uuid)))"
                " ORDER BY {child}, {id} LIMIT :most),"
                " kept AS (INSERT INTO export_line (id, child_id, part_id, place, line, created_at,"
                " created_by, changed_at, changed_by, version)"
                " SELECT gen_random_uuid(), child_id, :part, row_number() OVER"
                " (ORDER BY child_id, row_id), line, :now, :viewer, :now, :viewer, 1 FROM chosen)"
                " SELECT child_id, row_id, count(*) OVER () FROM chosen"
                " ORDER BY child_id DESC, row_id DESC LIMIT 1",
                permitted=PERMITTED,
                child=source.child,
                id=source.id,
                line=source.selected(),
                rows=source.rows,
                where=source.where,
                told=source.told,
                changed=source.changed,
            )
        ),
        {
            **allowed.values(),
            "now": now,
            "since": row.since,
            "child": child,
            "last": last,
            "most": LINES,
            "part": part.id,
            "viewer": row.client_id,
        },
        prepared=False,
    )
    if not copied:
        await session.delete(part)
        return None
    child_id, row_id, lines = copied[0]
    return (child_id, row_id) if lines == LINES else None


async def _open_part(session: AsyncSession, row: ExportJob, source: AnySource) -> None:
    """Of a type that is about no child: which rows; they are read when they are fetched."""
    rows = await rows_of(
        session,
        for_driver(
            sql(
                "SELECT {id} FROM {rows} WHERE ({where}) AND (CAST(:since AS timestamptz) IS NULL"
                " OR {changed} > :since) ORDER BY {id}",
                id=source.id,
                rows=source.rows,
                where=source.where,
                changed=source.changed,
            )
        ),
        {"since": row.since},
    )
    if rows:
        part = _part(row, source, 0)
        part.row_ids = [found[0] for found in rows]
        session.add(part)


async def forget_exports(session: AsyncSession, now: datetime) -> None:
    """Drop the lines of what is over or was cancelled, and what was asked for long ago."""
    over = select(ExportJob.id).where((ExportJob.state == "cancelled") | (ExportJob.ends_at <= now))
    parts = select(ExportPart.id).where(ExportPart.job_id.in_(over))
    await session.execute(delete(ExportLine).where(ExportLine.part_id.in_(parts)))
    await session.execute(delete(ExportPart).where(ExportPart.job_id.in_(over)))
    await session.execute(
        delete(ExportJob).where(ExportJob.id.in_(over), ExportJob.created_at < now - KEPT)
    )


# --- Fetching -------------------------------------------------------------------------------------


async def lines_of(gate: Gate, client: Client, job_id: UUID, part_id: UUID) -> AsyncIterator[bytes]:
    """The lines of a file as they may be told now, some at a time; each time is asked again."""
    after = 0
    while True:
        async with gate.tenant.transaction(client.viewer.id) as session:
            row = await one(session, client, job_id)
            part = await session.get(ExportPart, part_id)
            if row is None or row.state != "ready" or part is None or part.job_id != row.id:
                return
            read, sent = await _some(gate, session, client, part, after)
        if sent:
            yield b"".join(sent)
        after += A_TIME
        if read < A_TIME:
            return


async def _some(
    gate: Gate, session: AsyncSession, client: Client, part: ExportPart, after: int
) -> tuple[int, list[bytes]]:
    """How many lines there were, and those that may be told."""
    source = SOURCES[part.resource]
    if part.row_ids is not None:
        ids = part.row_ids[after : after + A_TIME]
        found = await messages_of(session, part.resource, ids, {})
        return len(ids), _written(part.resource, found.values())
    lines = list(
        await session.execute(
            select(ExportLine.child_id, ExportLine.line)
            .where(
                ExportLine.part_id == part.id,
                ExportLine.place > after,
                ExportLine.place <= after + A_TIME,
            )
            .order_by(ExportLine.place)
        )
    )
    opened = await gate.open_here(
        session,
        list(dict.fromkeys(child for child, _ in lines)),
        client.viewer,
        Purpose.EXCHANGE,
        f"sent {part.resource} to {client.name}",
        source.about if isinstance(source, ChildSource) else frozenset(),
    )
    read = [source.decoder.decode(line) for _, line in lines]
    said = await told(session, source, read, opened)
    # What was recalled, taken away or found to be of another category since is not told any more.
    now = await messages_of(session, part.resource, list(said), opened)
    still = [now[row] for row in said if row in now]
    return await _places(session, part, after), _written(part.resource, still)


async def _places(session: AsyncSession, part: ExportPart, after: int) -> int:
    """How many lines there are from here, at most so many as are read: also what is out of reach.

    The fence hides lines of children who are not reached any more; the file goes on behind them.
    """
    last = await session.scalar(
        select(ExportLine.place)
        .where(ExportLine.part_id == part.id, ExportLine.place > after + A_TIME)
        .limit(1)
    )
    return A_TIME if last is not None else 0


def _written(resource: str, messages: Iterable[Message]) -> list[bytes]:
    return [as_sent(resource, message).stamped.body + b"\n" for message in messages]
