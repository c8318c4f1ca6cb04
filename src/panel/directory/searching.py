"""Searching the directory, by key: words, need, age, area, and whether a place is free now."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

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
        conditions.append(func.coalesce(Service.max_age, 200) >= sought.age)
    if sought.ward:
        conditions.append(Service.area_codes.overlap([sought.ward, EVERYWHERE]))
    if sought.free_now:
        reopened = and_(
            Service.status == Status.CLOSED_FOR_NOW.value,
            Service.closed_until < today_of(session),
        )
        conditions.append(Service.places_free > 0)
        conditions.append(or_(Service.status == Status.ACTIVE.value, reopened))
    backwards = asked.direction == "before" and asked.key is not None
    place = tuple_(Service.name, Service.id)
    if asked.key is not None:
        key = tuple_(*asked.key)
        conditions.append(place < key if backwards else place > key)
    order = (Service.name.desc(), Service.id.desc()) if backwards else (Service.name, Service.id)
    found = await session.execute(
        select(Service, Provider)
        .join(Provider, Provider.id == Service.provider_id)
        .where(*conditions)
        .order_by(*order)
        .limit(ON_A_PAGE + 1)
    )
    rows = [(service, provider) for service, provider in found]
    return page_of(rows, asked, ON_A_PAGE, lambda row: (row[0].name, row[0].id))


def _provided_by(words: str) -> Select[UUID]:
    called = func.lower(Provider.name).contains(words.lower(), autoescape=True)
    return select(Provider.id).where(called)


async def list_providers(session: AsyncSession, asked: Asked) -> Page[tuple[Provider, int]]:
    """A page of providers by name, and how many services each has."""
    backwards = asked.direction == "before" and asked.key is not None
    place = tuple_(Provider.name, Provider.id)
    conditions = []
    if asked.key is not None:
        key = tuple_(*asked.key)
        conditions.append(place < key if backwards else place > key)
    order = (
        (Provider.name.desc(), Provider.id.desc()) if backwards else (Provider.name, Provider.id)
    )
    counted = (
        select(func.count())
        .select_from(Service)
        .where(Service.provider_id == Provider.id, Service.status != Status.ENDED.value)
        .scalar_subquery()
    )
    found = await session.execute(
        select(Provider, counted).where(*conditions).order_by(*order).limit(ON_A_PAGE + 1)
    )
    rows = [(provider, number) for provider, number in found]
    return page_of(rows, asked, ON_A_PAGE, lambda row: (row[0].name, row[0].id))


async def services_of(session: AsyncSession, provider_id: UUID) -> Sequence[Service]:
    """A provider's services by name, those that ended last."""
    found = await session.scalars(
        select(Service)
        .where(Service.provider_id == provider_id)
        .order_by(Service.status == Status.ENDED.value, Service.name, Service.id)
        .limit(200)
    )
    return found.all()
