"""Marks beside the record: written with it, and read to compare children without opening one."""

from collections.abc import Mapping, Sequence
from typing import cast
from uuid import UUID

import msgspec
from sqlalchemy import Table, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from panel.platform.crypto import Keyring
from panel.platform.read_models import rows_of, sql
from panel.platform.tables import KEYS, today_of
from panel.platform.tenancy import Tenant, load_keys
from panel.records.child_scoped import JOB
from panel.register.marks import Marks, marks_of
from panel.register.models import Child, ChildMark

AT_ONCE = 500

# Article 18 lets a restricted record be stored, and nothing else be done with it; what is erased
# has no marks, since they went with its key.
_MAY_BE_COMPARED = """
 EXISTS (SELECT FROM data_key k WHERE k.holder_id = c.id AND k.wrapped IS NOT NULL)
 AND NOT EXISTS (SELECT FROM processing_restriction x WHERE x.child_id = c.id
   AND x.ended_on IS NULL AND x.from_on <= %(today)s)
"""
_MARKS = sql(
    "SELECT m.child_id, m.marks FROM child_mark m JOIN child c ON c.id = m.child_id"
    " WHERE {may_be} ORDER BY m.child_id",
    may_be=_MAY_BE_COMPARED,
)
_WITHOUT = sql(
    "SELECT c.id FROM child c WHERE NOT EXISTS (SELECT FROM child_mark m WHERE m.child_id = c.id)"
    " AND {may_be} ORDER BY c.id LIMIT %(most)s",
    may_be=_MAY_BE_COMPARED,
)


async def write_marks(session: AsyncSession, ring: Keyring, children: Sequence[Child]) -> None:
    """Write the marks of children beside their records; in the transaction that wrote those."""
    made = insert(cast("Table", ChildMark.__table__))
    await session.execute(
        made.on_conflict_do_update(
            index_elements=["child_id"], set_={"marks": made.excluded.marks}
        ),
        [{"child_id": one.id, "marks": msgspec.json.encode(_of(ring, one))} for one in children],
    )


def _of(ring: Keyring, child: Child) -> Marks:
    return marks_of(
        ring,
        given_name=child.given_name,
        family_name=child.family_name,
        birth_date=child.birth_date,
        sex=child.sex,
        postcode=child.postcode,
        address=child.address,
        nhs_number=child.nhs_number,
    )


async def marks_of_children(session: AsyncSession) -> Mapping[UUID, Marks]:
    """The marks of every child who may be compared, by id: not erased, not of restricted use."""
    rows = await rows_of(session, _MARKS, {"today": today_of(session)})
    decode = msgspec.json.Decoder(Marks).decode
    return {child: decode(bytes(marks)) for child, marks in rows}


async def mark_those_without(tenant: Tenant) -> int:
    """Write the marks of records that were made before there were any; returns how many.

    It is done once for each, a batch in a transaction, as their blind indexes were made when they
    were written: what is read of a record is put under the key at once and goes nowhere else.
    """
    done = 0
    while True:
        async with tenant.transaction(JOB) as session:
            given = {"today": today_of(session), "most": AT_ONCE}
            found = [child for (child,) in await rows_of(session, _WITHOUT, given)]
            if not found:
                return done
            children = list(await session.scalars(select(Child).where(Child.id.in_(found))))
            await load_keys(session, set(found))
            await write_marks(session, session.info[KEYS].ring, children)
        done += len(found)
