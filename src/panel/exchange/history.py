"""What a resource was before: kept by scheduled work, read under the consent of today.

A version is the row as it stood, not what somebody was sent: who asks for it is told what they may
be told now. So a client that lost a child reads nothing of its past either, and a change of
something that is withheld from a client is no version to it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from hashlib import sha256
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from interop.messages import Message
from panel.exchange.finding import told
from panel.exchange.sender_sources import AsSent
from panel.exchange.source import AnySource, ChildLine, ChildSource
from panel.exchange.sources import IN_A_RECORD, sources_of
from panel.exchange.version_models import ResourceVersion
from panel.platform.read_models import for_driver, rows_of, sql
from panel.platform.tables import NOW
from panel.records.gate import Access

MOST_KEPT = 2_000
"""Rows of one type that one run of the job keeps: what is left is the next run's."""
MOST_TOLD = 200
"""Earlier states of one row that are read back."""
TOLD_APART = 2**31
"""Transactions whose numbers can be told apart: a row knows 32 bits of who wrote it."""

_CLIENTS = "SELECT EXISTS (SELECT FROM exchange_client WHERE ended_on IS NULL)"
_BEGUN = """
INSERT INTO version_pass (name, until, written_by, queries, at)
VALUES ('versions', 0, 0, '', :now) ON CONFLICT DO NOTHING
"""
_MARK = """
SELECT until, queries, written_by % 4294967296 = xmin::text::bigint
  FROM version_pass WHERE name = 'versions' FOR UPDATE
"""
_TRANSACTIONS = """
SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint
  FROM version_pass, pg_current_snapshot() s WHERE name = 'versions'
"""
_FINISHED = """
UPDATE version_pass SET until = :until, queries = :queries, at = :now,
 written_by = pg_current_xact_id()::text::bigint WHERE name = 'versions'
"""
_WRITTEN = "SELECT w FROM children_written(:since) w"
_UNKEPT = """
WITH these AS MATERIALIZED (
  SELECT {id} AS id, {changed} AS changed_at FROM {rows} WHERE ({where}) AND {whose})
SELECT id FROM these WHERE changed_at > COALESCE(
  (SELECT max(v.told_at) FROM resource_version v
    WHERE v.resource = '{resource}' AND v.resource_id = these.id), '-infinity')
 ORDER BY changed_at, id LIMIT :most
"""
_AS_THEY_STAND = """
SELECT {child}, {id}, {changed}, {line} FROM {rows} WHERE ({where}) AND {id} = ANY (:ids)
"""


async def keep_versions(session: AsyncSession, _slot: datetime) -> None:
    """Keep how every row stands that changed since it was last kept; only where a client is in.

    It is scheduled work: it reads rows and opens nothing that is sealed. It looks at the children
    of whom something was written since a run of it came to its end, or by what was still open
    then. Claimed, it can be done again: a state that is kept already is not kept twice.
    """
    await _take_away(session)
    if not (await session.execute(text(_CLIENTS))).scalar_one():
        return
    since = await _begin(session)
    # Asked before any row is: what is over by then is seen by all that follows.
    [(oldest_open, next_one)] = await rows_of(session, for_driver(_TRANSACTIONS), {})
    if since == 0 or not 0 <= next_one - since < TOLD_APART:
        await _keep_all(session, oldest_open)
        return
    children = [
        child for (child,) in await rows_of(session, for_driver(_WRITTEN), {"since": since})
    ]
    if not children or await _keep_of(session, children):
        await _finish(session, oldest_open)


async def keep_every_version(session: AsyncSession) -> bool:
    """The same for all rows, whatever was looked at before; True once nothing is left to keep.

    Until then, in further transactions: each keeps so many of each type (`MOST_KEPT`).
    """
    await _begin(session)
    [(oldest_open, _)] = await rows_of(session, for_driver(_TRANSACTIONS), {})
    return await _keep_all(session, oldest_open)


async def _begin(session: AsyncSession) -> int:
    """Since which transaction to look; 0 where everything is. A second run waits here."""
    await session.execute(text(_BEGUN), {"now": session.info[NOW]})
    [(until, queries, is_of_here)] = await rows_of(session, for_driver(_MARK), {})
    return until if is_of_here and queries == _asked_as() else 0


async def _keep_all(session: AsyncSession, oldest_open: int) -> bool:
    if ended := await _keep_of(session, None):
        await _finish(session, oldest_open)
    return ended


async def _finish(session: AsyncSession, oldest_open: int) -> None:
    await session.execute(
        text(_FINISHED),
        {"until": oldest_open, "queries": _asked_as(), "now": session.info[NOW]},
    )


def _sources() -> Iterator[ChildSource[ChildLine]]:
    for resource in IN_A_RECORD:
        for source in sources_of(resource):
            if isinstance(source, ChildSource):
                yield source


async def _take_away(session: AsyncSession) -> None:
    """Delete what was kept of rows that stood on the wrong child: there nothing of them stays."""
    for source in _sources():
        if source.taken_away:
            says = sql(source.taken_away, id="v.resource_id", child="v.child_id")
            await session.execute(
                text(
                    sql(
                        "DELETE FROM resource_version v WHERE v.resource = '{resource}' AND {says}",
                        resource=source.resource,
                        says=says,
                    )
                )
            )


def _unkept(source: ChildSource[ChildLine], whose: str) -> str:
    return sql(
        _UNKEPT,
        id=source.id,
        changed=source.changed,
        rows=source.rows,
        where=source.where,
        whose=whose,
        resource=source.resource,
    )


@cache
def _asked_as() -> str:
    asked = "".join(_unkept(source, source.child) for source in _sources())
    return sha256(asked.encode()).hexdigest()


async def _keep_of(session: AsyncSession, children: Sequence[UUID] | None) -> bool:
    """Keep what is to be kept of some children, or of all; returns whether that is all."""
    ended = True
    for source in _sources():
        whose = "true" if children is None else f"{source.child} = ANY (:children)"
        unkept = await rows_of(
            session,
            for_driver(_unkept(source, whose)),
            {"children": children, "most": MOST_KEPT},
        )
        if unkept:
            await _keep_these(session, source, [row_id for (row_id,) in unkept])
        ended = ended and len(unkept) < MOST_KEPT
    return ended


async def _keep_these(
    session: AsyncSession, source: ChildSource[ChildLine], ids: Sequence[UUID]
) -> None:
    rows = await rows_of(
        session,
        for_driver(
            sql(
                _AS_THEY_STAND,
                child=source.child,
                id=source.id,
                changed=source.changed,
                line=source.selected(),
                rows=source.rows,
                where=source.where,
            )
        ),
        {"ids": ids},
    )
    session.add_all(
        ResourceVersion(
            child_id=child,
            resource=source.resource,
            resource_id=row_id,
            told_at=changed,
            line=line,
        )
        for child, row_id, changed, line in rows
    )
    await session.flush()


_KEPT = """
SELECT line FROM resource_version WHERE resource = :resource AND resource_id = :row
 AND (CAST(:past_from AS timestamptz) IS NULL OR told_at >= :past_from)
 ORDER BY told_at DESC LIMIT :most
"""


async def states_of(
    session: AsyncSession, source: AnySource, row_id: UUID, opened: Mapping[UUID, Access]
) -> Sequence[Message]:
    """What a row says and said, newest first, as far as it may be told now; the current one first.

    Nothing where the row itself is not there any more, or may not be told as it stands now.
    """
    past_from = source.past_from if isinstance(source, ChildSource) else "NULL"
    current = await rows_of(
        session, for_driver(source.selected_one(f", {past_from}")), {"row": row_id}
    )
    if not current:
        return ()
    newest, past_from = current[0]
    kept = await rows_of(
        session,
        for_driver(_KEPT),
        {
            "resource": source.resource,
            "row": row_id,
            "past_from": past_from,
            "most": MOST_TOLD,
        },
    )
    found: list[Message] = []
    for line in (newest, *(row[0] for row in kept)):
        said = await told(session, source, [source.decoder.decode(line)], opened)
        message = next(iter(said.values()), None)
        if message is None:
            if not found:
                return ()
            continue
        if found and _said(message) == _said(found[-1]):
            # It says so since then already: what changed is not for this reader.
            found[-1] = message
        else:
            found.append(message)
        if isinstance(message, AsSent) and not message.has_a_past:
            break
    return found


def _said(message: Message) -> Message:
    """A message without when it became so: the same words are no new version."""
    return msgspec.structs.replace(message, changed_at=None)
