"""Searching the directory, by key: words, need, age, area, and whether a place is free now."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from panel.directory.matching import OLDEST
from panel.directory.models import Provider, Service
from panel.directory.vocabulary import EVERYWHERE, NEEDS, Status
from panel.platform.tables import today_of
from panel.web.paging import STALE_LINK, Asked, Page, page_of, read_cursor

ON_A_PAGE = 25


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for; what is not said is anything."""

    words: str = ""
    need: str = ""
    age: int | None = None
    ward: str = ""
    free_now: bool = False
    ended: bool = False
    """Those that have ended, instead of those that have not."""


def place_in_list(page: str) -> Asked:
    """Which page of a list by name is asked for; no name holds what no database keeps."""
    asked = read_cursor(page, (str, UUID))
    if asked.key is not None and "\0" in str(asked.key[0]):
        return Asked(note=STALE_LINK)
    return asked


async def search_services(
    session: AsyncSession, sought: Sought, asked: Asked
) -> Page[tuple[Service, Provider]]:
    """A page of services by name, with their providers."""
    conditions = [
        Service.status == Status.ENDED.value
        if sought.ended
        else Service.status != Status.ENDED.value
    ]
    if sought.words:
        query = func.websearch_to_tsquery("english", sought.words)
        conditions.append(
            or_(
                Service.words.bool_op("@@")(query),
                Service.provider_id.in_(_provided_by(sought.words)),
            )
        )
    if sought.need in NEEDS:
        conditions.append(or_(Service.needs_met.contains([sought.need]), Service.needs_met == []))
    if sought.age is not None:
        conditions.append(func.coalesce(Service.min_age, 0) <= sought.age)
        conditions.append(func.coalesce(Service.max_age, OLDEST) >= sought.age)
    if sought.ward:
        conditions.append(Service.area_codes.overlap([sought.ward, EVERYWHERE]))
    if sought.free_now:
        reopened = and_(
            Service.status == Status.CLOSED_FOR_NOW.value,
            Service.closed_until < today_of(session),
        )
        conditions.append(Service.places_free > 0)
        conditions.append(or_(Service.status == Status.ACTIVE.value, reopened))
    chosen = select(Service, Provider).join(Provider, Provider.id == Service.provider_id)
    found = await session.execute(_by_name(chosen.where(*conditions), Service, asked))
    rows = [(service, provider) for service, provider in found]
    return page_of(rows, asked, ON_A_PAGE, lambda row: (row[0].name, row[0].id))


Chosen = TypeVar("Chosen", bound=Select[*tuple[Any, ...]])


def _by_name(chosen: Chosen, kind: type[Service | Provider], asked: Asked) -> Chosen:
    """What is chosen as one page of it, by name and by id where names are the same."""
    place = tuple_(kind.name, kind.id)
    order: Sequence[ColumnElement[Any]] = (kind.name.asc(), kind.id.asc())
    if asked.key is not None:
        key = tuple_(*asked.key)
        if asked.direction == "before":
            chosen = chosen.where(place < key)
            order = (kind.name.desc(), kind.id.desc())
        else:
            chosen = chosen.where(place > key)
    return chosen.order_by(*order).limit(ON_A_PAGE + 1)


def _provided_by(words: str) -> Select[UUID]:
    called = func.lower(Provider.name).contains(words.lower(), autoescape=True)
    return select(Provider.id).where(called)


async def list_providers(session: AsyncSession, asked: Asked) -> Page[tuple[Provider, int]]:
    """A page of providers by name, and how many services each has."""
    counted = (
        select(func.count())
        .select_from(Service)
        .where(Service.provider_id == Provider.id, Service.status != Status.ENDED.value)
        .scalar_subquery()
    )
    found = await session.execute(_by_name(select(Provider, counted), Provider, asked))
    rows = [(provider, number) for provider, number in found]
    return page_of(rows, asked, ON_A_PAGE, lambda row: (row[0].name, row[0].id))


async def services_of(session: AsyncSession, provider_id: UUID, asked: Asked) -> Page[Service]:
    """A page of a provider's services by name, those among them that have ended."""
    return await _provided(session, asked, Service.provider_id == provider_id)


async def running_services_of(
    session: AsyncSession, provider_id: UUID, asked: Asked
) -> Page[Service]:
    """A page of a provider's services that have not ended, by name."""
    return await _provided(
        session, asked, Service.provider_id == provider_id, Service.status != Status.ENDED.value
    )


async def _provided(
    session: AsyncSession, asked: Asked, *conditions: ColumnElement[bool]
) -> Page[Service]:
    found = await session.scalars(_by_name(select(Service).where(*conditions), Service, asked))
    return page_of(found.all(), asked, ON_A_PAGE, lambda row: (row.name, row.id))
