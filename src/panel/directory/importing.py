"""panel import services: a file of Open Referral UK, taken service by service and repeatable.

A service that is wrong is reported with its place in the file, and nothing else is lost. What was
changed here since stays, unless the file itself says something new: the file is compared with what
it said last time, not with what stands here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import Enum
from itertools import islice
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from panel.directory.facts import AreaFacts
from panel.directory.models import Provider, Service, ServiceArea, ServiceChange, ServicePlace
from panel.directory.open_referral import (
    SENT,
    CannotBeTaken,
    Incoming,
    IncomingPlace,
    IncomingProvider,
    ServiceProblem,
    facts_of,
    place_of,
    provider_of,
    read_services,
)
from panel.directory.rules import places_mistakes
from panel.directory.service import (
    area_codes,
    area_rows,
    areas_of,
    new_place,
    places_of,
    wards,
    write_place,
    write_terms,
)
from panel.directory.vocabulary import Route, Status
from panel.platform.audit import Kind, record
from panel.platform.ids import new_id
from panel.platform.tables import NOW
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB

AT_ONCE = 500
"""Services a transaction."""
Progress = Callable[[int], None]


class Taken(Enum):
    """What became of a service."""

    ADDED = "added"
    CHANGED = "changed"
    KNOWN = "known"


@dataclass(slots=True)
class ServicesReport:
    """What an import did: counts, and what is wrong or to be known, service by service."""

    added: int = 0
    changed: int = 0
    known: int = 0
    problems: list[ServiceProblem] = field(default_factory=list)

    @property
    def services(self) -> int:
        """Services that were taken."""
        return self.added + self.changed + self.known

    def count(self, taken: Taken) -> None:
        """Count one service."""
        setattr(self, taken.value, getattr(self, taken.value) + 1)

    def also(self, other: "ServicesReport") -> None:
        """Count what another part of the same import did."""
        self.added += other.added
        self.changed += other.changed
        self.known += other.known
        self.problems += other.problems


@dataclass(slots=True)
class _Known:
    """What is here already of what a batch brings."""

    wards: Mapping[str, str]
    providers: dict[UUID, Provider]
    services: dict[UUID, Service]
    places: dict[UUID, list[ServicePlace]]
    areas: dict[UUID, list[ServiceArea]]


def _silent(_services: int) -> None:
    """For those who do not want to be told."""


async def import_services(
    tenant: Tenant, content: bytes, source: str, progress: Progress = _silent
) -> ServicesReport:
    """Take a file in. `source` is its name. Raises UnreadableServices for one that is none."""
    report = ServicesReport()
    rows = read_services(content)
    described: set[UUID] = set()
    done = 0
    while batch := list(islice(rows, AT_ONCE)):
        incoming = [one for one in batch if isinstance(one, Incoming)]
        report.problems += [one for one in batch if isinstance(one, ServiceProblem)]
        await _batch(tenant, incoming, source, described, report)
        done += len(batch)
        progress(done)
    async with tenant.transaction(JOB) as session:
        details = {"added": report.added, "changed": report.changed, "known": report.known}
        record(session, Kind.SERVICES_IMPORTED, details=details)
        await session.flush()
    return report


async def _batch(
    tenant: Tenant,
    batch: Sequence[Incoming],
    source: str,
    described: set[UUID],
    report: ServicesReport,
) -> None:
    """All at once; where the database refuses one of them, one by one."""
    try:
        async with tenant.transaction(JOB) as session:
            # What is counted counts only once all of it is kept.
            counted = ServicesReport()
            news = set(described)
            known = await _known(session, batch)
            for one in batch:
                await _one(session, known, one, source, news, counted)
            await session.flush()
    except DBAPIError:
        for one in batch:
            await _alone(tenant, one, source, described, report)
        return
    described |= news
    report.also(counted)


async def _alone(
    tenant: Tenant, one: Incoming, source: str, described: set[UUID], report: ServicesReport
) -> None:
    try:
        async with tenant.transaction(JOB) as session:
            known = await _known(session, [one])
            counted = ServicesReport()
            await _one(session, known, one, source, described, counted)
            await session.flush()
    except DBAPIError as refused:
        kind = type(refused.orig).__name__
        report.problems.append(
            ServiceProblem(one.position, "", f"The database refused this service ({kind}).")
        )
        return
    report.also(counted)


async def _one(
    session: AsyncSession,
    known: _Known,
    one: Incoming,
    source: str,
    described: set[UUID],
    report: ServicesReport,
) -> None:
    try:
        report.count(await _take(session, known, one, source, described))
    except CannotBeTaken as wrong:
        report.problems.append(ServiceProblem(one.position, wrong.what, wrong.sentence))


async def _known(session: AsyncSession, batch: Sequence[Incoming]) -> _Known:
    providers = await session.scalars(
        select(Provider).where(Provider.organization_id.in_({one.provider_id for one in batch}))
    )
    services = {
        one.external_id: one
        for one in await session.scalars(
            select(Service).where(Service.external_id.in_([one.id for one in batch]))
        )
    }
    ids = [one.id for one in services.values()]
    return _Known(
        {name.casefold(): code for code, name in await wards(session)},
        {one.organization_id: one for one in providers},
        services,
        await places_of(session, ids),
        await areas_of(session, ids),
    )


async def _take(
    session: AsyncSession, known: _Known, one: Incoming, source: str, described: set[UUID]
) -> Taken:
    provider = _provider(session, known, one, described)
    service = known.services.get(one.id)
    is_new = service is None
    if service is None:
        service = Service(
            id=new_id(), external_id=one.id, source=source, original={}, provider_id=provider.id
        )
    merged = service.original | one.original
    before, after = facts_of(service.original), facts_of(merged)
    changed = {
        name: getattr(after, name)
        for name in SENT
        if name != "areas" and (is_new or getattr(before, name) != getattr(after, name))
    }
    _check_against_what_stands(service, changed)
    has_moved = await _places(session, service, known.places.get(service.id, []), one.places)
    serves_others = is_new or before.areas != after.areas
    is_another_provider = service.provider_id != provider.id
    if not (has_moved or serves_others or is_another_provider or merged != service.original):
        return Taken.KNOWN
    for name, value in changed.items():
        setattr(service, name, _as_kept(value))
    service.provider_id = provider.id
    service.original = merged
    service.source = service.source or source
    service.imported_at = session.info[NOW]
    if serves_others:
        await _serve(session, service, known, after.areas)
    write_terms(service)
    session.add(service)
    session.add(_noted(session, service, source, [] if is_new else sorted(changed)))
    return Taken.ADDED if is_new else Taken.CHANGED


async def _serve(
    session: AsyncSession, service: Service, known: _Known, areas: Sequence[AreaFacts]
) -> None:
    """Say which areas it serves, instead of those that stood here."""
    service.area_codes = area_codes(areas, known.wards)
    for former in known.areas.get(service.id, []):
        await session.delete(former)
    session.add_all(area_rows(service.id, areas))


def _noted(
    session: AsyncSession, service: Service, source: str, changed: Sequence[str]
) -> ServiceChange:
    """The line of a service's history that tells of the file."""
    return ServiceChange(
        id=new_id(),
        service_id=service.id,
        at=session.info[NOW],
        by_id=JOB,
        by_kind="file",
        what="imported",
        before={},
        after={"file": source, "fields": list(changed)},
    )


def _check_against_what_stands(service: Service, changed: Mapping[str, object]) -> None:
    """Raises CannotBeTaken where what the file says does not go with what stands here."""
    capacity = changed.get("capacity", service.capacity)
    places_free = changed.get("places_free", service.places_free)
    whole = [one if isinstance(one, int) else None for one in (capacity, places_free)]
    for mistake in places_mistakes(*whole):
        raise CannotBeTaken(mistake.field, f"{mistake.sentence}.")
    ages = [changed.get(name, getattr(service, name)) for name in ("min_age", "max_age")]
    youngest, oldest = (one if isinstance(one, int) else None for one in ages)
    if youngest is not None and oldest is not None and youngest > oldest:
        raise CannotBeTaken("minimum_age", "The youngest age is above the oldest that stands here.")


def _provider(
    session: AsyncSession, known: _Known, one: Incoming, described: set[UUID]
) -> Provider:
    provider = known.providers.get(one.provider_id)
    said = one.provider
    if provider is None:
        if said is None:
            raise CannotBeTaken("organization_id", "This organisation is not known here.")
        provider = Provider(organization_id=said.id, kind="other", original={})
        _describe(provider, said)
        session.add(provider)
        known.providers[said.id] = provider
        described.add(said.id)
    elif said is not None and said.id not in described:
        described.add(said.id)
        if provider.original | said.original != provider.original:
            _describe(provider, said)
    return provider


def _describe(provider: Provider, said: IncomingProvider) -> None:
    merged = provider.original | said.original
    before, after = provider_of(provider.original), provider_of(merged)
    for one in fields(after):
        if getattr(before, one.name) != getattr(after, one.name):
            setattr(provider, one.name, getattr(after, one.name))
    provider.original = merged


async def _places(
    session: AsyncSession,
    service: Service,
    here: Sequence[ServicePlace],
    said: Sequence[IncomingPlace] | None,
) -> bool:
    """Where it is, as the file says; what was added here stays. Whether anything changed."""
    if said is None:
        return False
    by_id = {one.external_id: one for one in here}
    moved = False
    for position, incoming in enumerate(said):
        place = by_id.pop(incoming.id, None)
        if place is None:
            session.add(
                new_place(service.id, position, incoming.facts, incoming.id, incoming.original)
            )
            moved = True
        elif place.original != incoming.original:
            if place_of(place.original) != incoming.facts:
                write_place(place, incoming.facts)
            place.original, place.position = incoming.original, position
            moved = True
    for gone in by_id.values():
        if gone.original:
            await session.delete(gone)
            moved = True
    return moved


def _as_kept(value: object) -> object:
    if isinstance(value, Status | Route):
        return value.value
    return list(value) if isinstance(value, tuple) else value
