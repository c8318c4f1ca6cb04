"""Rows of a long list, the newest first, for a page of it by key."""

from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from panel.platform.tables import Base
from panel.web.paging import Asked

Written = TypeVar("Written", bound=Base)
Moment = InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None]


async def newest_first(
    session: AsyncSession,
    query: Select[Written],
    key: tuple[Moment, InstrumentedAttribute[UUID]],
    asked: Asked,
    at_most: int,
) -> list[Written]:
    """`at_most` rows and one more, as `web.paging.page_of` takes them: in reverse for `before`.

    `key`: the moment by which they are sorted, and their id.
    """
    going_back = asked.key is not None and asked.direction == "before"
    if asked.key is not None:
        edge = tuple_(*key)
        query = query.where(edge > asked.key if going_back else edge < asked.key)
    query = query.order_by(*(one.asc() if going_back else one.desc() for one in key))
    return list(await session.scalars(query.limit(at_most + 1)))
