"""What a resource was before: kept by scheduled work, read under the consent of today.

A version is the row as it stood, not what somebody was sent: who asks for it is told what they may
be told now. So a client that lost a child reads nothing of its past either, and a change of
something that is withheld from a client is no version to it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from interop.messages import Message
from panel.exchange.finding import told
from panel.exchange.source import AnySource, ChildLine, ChildSource
from panel.exchange.sources import IN_A_RECORD, SOURCES
from panel.exchange.version_models import ResourceVersion
from panel.platform.read_models import for_driver, rows_of, sql
from panel.records.gate import Access

MOST_KEPT = 2_000
"""Rows of one type that one run of the job looks at: what is left is the next run's."""
MOST_TOLD = 200
"""Earlier states of one row that are read back."""

_CLIENTS = "SELECT EXISTS (SELECT FROM exchange_client WHERE ended_on IS NULL)"


async def keep_versions(session: AsyncSession, _slot: datetime) -> None:
    """Keep how every row stands that changed since it was last kept; only where a client is in.

    It is scheduled work: it reads rows and opens nothing that is sealed. Claimed, it can be done
    again: a state that is kept already is not kept twice.
    """
    if not (await session.execute(text(_CLIENTS))).scalar_one():
        return
    for resource in IN_A_RECORD:
        source = SOURCES[resource]
        if isinstance(source, ChildSource):
            await _keep(session, source)


async def _keep(session: AsyncSession, source: ChildSource[ChildLine]) -> None:
    rows = await rows_of(
        session,
        for_driver(
            sql(
                "SELECT {child}, {id}, {changed}, {line} FROM {rows} WHERE ({where})"
                " AND NOT EXISTS (SELECT FROM resource_version v"
                " WHERE v.resource = '{resource}' AND v.resource_id = {id}"
                " AND v.told_at >= {changed}) ORDER BY {changed}, {id} LIMIT :most",
                child=source.child,
                id=source.id,
                changed=source.changed,
                line=source.selected(),
                resource=source.resource,
                rows=source.rows,
                where=source.where,
            )
        ),
        {"most": MOST_KEPT},
    )
    for child, row_id, changed, line in rows:
        session.add(
            ResourceVersion(
                child_id=child,
                resource=source.resource,
                resource_id=row_id,
                told_at=changed,
                line=line,
            )
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
    return found


def _said(message: Message) -> Message:
    """A message without when it became so: the same words are no new version."""
    return msgspec.structs.replace(message, changed_at=None)
