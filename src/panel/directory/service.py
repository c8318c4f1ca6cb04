"""The directory's use cases: providers and services, what they say, and who fits whom."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from panel.directory import matching
from panel.directory.candidates import cut
from panel.directory.facts import AreaFacts, PlaceFacts, ProviderFacts, ServiceFacts
from panel.directory.matching import Matches, Wanted
from panel.directory.models import (
    Provider,
    ProviderLink,
    Service,
    ServiceArea,
    ServiceChange,
    ServicePlace,
)
from panel.directory.open_referral import term_ids_of
from panel.directory.rules import closing_mistakes, is_open, mistakes, places_mistakes
from panel.directory.vocabulary import EVERYWHERE, TAXONOMIES, Route, Status
from panel.platform.audit import Actor, ActorKind, Kind, record
from panel.platform.ids import new_id
from panel.platform.problems import Conflict, FieldError, Invalid, NotAllowed, NotFound
from panel.platform.tables import NOW, VIEWER, today_of
from panel.register.models import Area

NO_SERVICE = "There is no such service in the directory."
NO_PROVIDER = "There is no such provider in the directory."
PLAIN = tuple(
    one.name
    for one in fields(ServiceFacts)
    if one.name not in ("places", "areas", "status", "referral_route")
)
"""What a service and its facts call alike."""
_LISTS = ("needs_met", "accessibility", "languages", "breaks")


@dataclass(frozen=True, slots=True)
class Named:
    """A service by its name, for who only names it."""

    id: UUID
    name: str
    provider: str
    status: Status
    ages: tuple[int | None, int | None] = (None, None)
    """From and up to which age (whole years) it takes people."""

    @property
    def words(self) -> str:
        """Name and provider."""
        return f"{self.name}, {self.provider}"


@dataclass(frozen=True, slots=True)
class Whole:
    """A service with all that belongs to it."""

    service: Service
    provider: Provider
    places: Sequence[ServicePlace]
    areas: Sequence[ServiceArea]

    @property
    def facts(self) -> ServiceFacts:
        """What is said of it."""
        return facts_of_row(self.service, self.places, self.areas)


# What others ask ----------------------------------------------------------------------------


async def find(session: AsyncSession, service_id: UUID) -> Service:
    """A service. Raises NotFound."""
    service = await session.get(Service, service_id)
    if service is None:
        raise NotFound(NO_SERVICE, "Search the directory.")
    return service


async def named(session: AsyncSession, ids: Iterable[UUID]) -> Mapping[UUID, Named]:
    """Services by their names, as far as they are there."""
    found = await session.execute(
        select(
            Service.id,
            Service.name,
            Provider.name,
            Service.status,
            Service.min_age,
            Service.max_age,
        )
        .join(Provider, Provider.id == Service.provider_id)
        .where(Service.id.in_(list(ids)))
    )
    return {
        service_id: Named(service_id, name, provider, Status(status), (youngest, oldest))
        for service_id, name, provider, status, youngest, oldest in found
    }


async def match(session: AsyncSession, wanted: Wanted, limit: int = 20) -> Matches:
    """The best services for what is wanted, ranked, and how many would fit but for one thing."""
    today = today_of(session)
    found = await cut(session, wanted, today, limit)
    ranked = matching.match(wanted, found.candidates, today, limit)
    return Matches(ranked.found, found.fitting, found.but_for)


# Reading ------------------------------------------------------------------------------------


async def whole(session: AsyncSession, service_id: UUID) -> Whole:
    """A service with all that belongs to it. Raises NotFound."""
    service = await find(session, service_id)
    return (await wholes(session, [service]))[0]


async def wholes(session: AsyncSession, services: Sequence[Service]) -> list[Whole]:
    """Services with what belongs to them, in three queries for all of them."""
    ids = [one.id for one in services]
    providers = {
        one.id: one
        for one in await session.scalars(
            select(Provider).where(Provider.id.in_({one.provider_id for one in services}))
        )
    }
    places, areas = await places_of(session, ids), await areas_of(session, ids)
    return [
        Whole(one, providers[one.provider_id], places.get(one.id, []), areas.get(one.id, []))
        for one in services
    ]


async def places_of(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, list[ServicePlace]]:
    """Where services are, in the order that they say."""
    found: dict[UUID, list[ServicePlace]] = {}
    for place in await session.scalars(
        select(ServicePlace).where(ServicePlace.service_id.in_(ids)).order_by(ServicePlace.position)
    ):
        found.setdefault(place.service_id, []).append(place)
    return found


async def areas_of(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, list[ServiceArea]]:
    """Which areas services serve, in the order that they say."""
    found: dict[UUID, list[ServiceArea]] = {}
    for area in await session.scalars(
        select(ServiceArea).where(ServiceArea.service_id.in_(ids)).order_by(ServiceArea.position)
    ):
        found.setdefault(area.service_id, []).append(area)
    return found


def facts_of_row(
    service: Service, places: Sequence[ServicePlace], areas: Sequence[ServiceArea]
) -> ServiceFacts:
    """What is said of a service as it is kept."""
    said: dict[str, Any] = {name: getattr(service, name) for name in PLAIN}
    said |= {name: tuple(said[name]) for name in _LISTS}
    return ServiceFacts(
        **said,
        status=Status(service.status),
        referral_route=Route(service.referral_route),
        places=tuple(place_facts(one) for one in places),
        areas=tuple(AreaFacts(one.name, one.code) for one in areas),
    )


def place_facts(place: ServicePlace) -> PlaceFacts:
    """Where a place is, as it is kept."""
    return PlaceFacts(place.name, place.address, place.postcode, place.latitude, place.longitude)


def provider_facts(provider: Provider) -> ProviderFacts:
    """Who a provider is, as they are kept."""
    return ProviderFacts(
        provider.name,
        provider.description,
        provider.kind,
        provider.email,
        provider.phone,
        provider.website,
    )


# Providers ----------------------------------------------------------------------------------


async def find_provider(session: AsyncSession, provider_id: UUID) -> Provider:
    """A provider. Raises NotFound."""
    provider = await session.get(Provider, provider_id)
    if provider is None:
        raise NotFound(NO_PROVIDER, "Search the directory.")
    return provider


async def add_provider(session: AsyncSession, facts: ProviderFacts) -> Provider:
    """A new provider. Raises Invalid for a name that is taken."""
    await _check_name(session, facts.name)
    provider = Provider(organization_id=new_id(), original={})
    _write_provider(provider, facts)
    session.add(provider)
    await session.flush()
    return provider


async def change_provider(
    session: AsyncSession, provider_id: UUID, version: int, facts: ProviderFacts
) -> None:
    """Say otherwise who somebody is. Raises Conflict, Invalid, NotFound."""
    provider = await find_provider(session, provider_id)
    if provider.version != version:
        raise Conflict(())
    await _check_name(session, facts.name, besides=provider_id)
    if provider.email != facts.email:
        # Whoever reads the former address says nothing for the provider any more.
        await end_links(session, provider_id)
    _write_provider(provider, facts)
    await session.flush()


async def end_links(session: AsyncSession, provider_id: UUID) -> None:
    """The links of a provider that are still good are so no more."""
    now: datetime = session.info[NOW]
    await session.execute(
        update(ProviderLink)
        .where(ProviderLink.provider_id == provider_id, ProviderLink.ends_at > now)
        .values(ends_at=now)
    )


def _write_provider(provider: Provider, facts: ProviderFacts) -> None:
    for one in fields(facts):
        setattr(provider, one.name, getattr(facts, one.name))


async def _check_name(session: AsyncSession, name: str, besides: UUID | None = None) -> None:
    same = select(Provider.id).where(func.lower(Provider.name) == name.lower())
    if besides is not None:
        same = same.where(Provider.id != besides)
    if await session.scalar(same.limit(1)) is not None:
        raise Invalid.because("name", "There is a provider of this name already")


# Services -----------------------------------------------------------------------------------


async def add_service(session: AsyncSession, provider_id: UUID, facts: ServiceFacts) -> Service:
    """A new service. Raises Invalid, NotFound."""
    provider = await find_provider(session, provider_id)
    said = await _checked(session, facts)
    service = Service(provider_id=provider.id, external_id=new_id(), original={})
    write_facts(service, said)
    session.add(service)
    await session.flush()
    await write_areas(session, service, said.areas)
    for position, place in enumerate(said.places):
        session.add(new_place(service.id, position, place))
    note(session, service.id, "added", {}, {"name": said.name})
    await session.flush()
    return service


async def change_service(
    session: AsyncSession, service_id: UUID, version: int, facts: ServiceFacts
) -> None:
    """Say otherwise what a service is. Raises Conflict, Invalid, NotFound."""
    read = await whole(session, service_id)
    _check_version(read.service, version)
    before = read.facts
    said = await _checked(session, facts, before)
    write_facts(read.service, said)
    if said.areas != before.areas:
        await write_areas(session, read.service, said.areas)
    await _write_places(session, read, said.places)
    note_difference(session, read.service.id, "changed", before, said)
    await session.flush()


async def close_for_now(
    session: AsyncSession, service_id: UUID, version: int, until: date | None
) -> None:
    """It takes nobody for now. Raises Conflict, Invalid, NotAllowed, NotFound."""
    service = await _to_change(session, service_id, version)
    if service.status == Status.ENDED:
        raise NotAllowed("This service has ended, so that it is not closed for now.")
    _refuse_if(closing_mistakes(until, today_of(session)))
    before = facts_of_row(service, (), ())
    service.status, service.closed_until = Status.CLOSED_FOR_NOW.value, until
    note_difference(session, service.id, "closed", before, facts_of_row(service, (), ()))
    await session.flush()


async def open_again(session: AsyncSession, service_id: UUID, version: int) -> None:
    """It takes people again, or again after it had ended. Raises Conflict, NotFound."""
    await _stand(session, service_id, version, Status.ACTIVE, "opened")


async def end_service(session: AsyncSession, service_id: UUID, version: int) -> None:
    """It is no more; what names it stays. Raises Conflict, NotFound."""
    await _stand(session, service_id, version, Status.ENDED, "ended")


async def _stand(
    session: AsyncSession, service_id: UUID, version: int, status: Status, what: str
) -> None:
    service = await _to_change(session, service_id, version)
    before = facts_of_row(service, (), ())
    service.status, service.closed_until = status.value, None
    note_difference(session, service.id, what, before, facts_of_row(service, (), ()))
    await session.flush()


@dataclass(frozen=True, slots=True)
class SaidPlaces:
    """What a provider says: how many places are free, and until when it is closed, if it is."""

    places_free: int | None
    closed_for_now: bool
    closed_until: date | None


def check_said(service: Service, said: SaidPlaces, today: date) -> None:
    """Raises Invalid for what cannot be so, NotAllowed for a service that has ended."""
    if service.status == Status.ENDED:
        raise NotAllowed(
            "This service has ended in the directory.",
            "Ask the council to open it again before you say how many places are free.",
        )
    wrong = list(places_mistakes(service.capacity, said.places_free))
    wrong += closing_mistakes(said.closed_until, today)
    if said.closed_until is not None and not said.closed_for_now:
        wrong.append(FieldError("closed", "Tick that it is closed for now, or leave the day empty"))
    _refuse_if(wrong)


async def say_places(
    session: AsyncSession, service_id: UUID, version: int, said: SaidPlaces, provider_id: UUID
) -> None:
    """What a provider says of its own service; said twice at once it is said once.

    Raises Conflict, Invalid, NotAllowed, NotFound.
    """
    service = await _held(session, service_id)
    if service.provider_id != provider_id:
        raise NotFound(NO_SERVICE)
    today = today_of(session)
    if service.version == version + 1 and _is_said(service, said, today):
        return
    _check_version(service, version)
    check_said(service, said, today)
    before = facts_of_row(service, (), ())
    service.places_free, service.places_as_of = said.places_free, today
    service.status = (Status.CLOSED_FOR_NOW if said.closed_for_now else Status.ACTIVE).value
    service.closed_until = said.closed_until
    after = facts_of_row(service, (), ())
    note_difference(session, service.id, "said_places", before, after, provider=provider_id)
    await session.flush()


def is_open_on(service: Service, day: date) -> bool:
    """Whether it takes anybody on a day."""
    return is_open(Status(service.status), service.closed_until, day)


def _is_said(service: Service, said: SaidPlaces, today: date) -> bool:
    """Whether a service is as its provider says it already, and since today."""
    kept = SaidPlaces(
        service.places_free, service.status == Status.CLOSED_FOR_NOW, service.closed_until
    )
    return kept == said and service.status != Status.ENDED and service.places_as_of == today


async def _to_change(session: AsyncSession, service_id: UUID, version: int) -> Service:
    service = await _held(session, service_id)
    _check_version(service, version)
    return service


async def _held(session: AsyncSession, service_id: UUID) -> Service:
    """A service, held until the transaction ends. Raises NotFound."""
    service = await session.get(Service, service_id, populate_existing=True, with_for_update=True)
    if service is None:
        raise NotFound(NO_SERVICE, "Search the directory.")
    return service


def _check_version(service: Service, version: int) -> None:
    if service.version != version:
        raise Conflict(())


def _refuse_if(wrong: Iterable[FieldError]) -> None:
    if found := tuple(wrong):
        raise Invalid(found)


async def _checked(
    session: AsyncSession, facts: ServiceFacts, before: ServiceFacts | None = None
) -> ServiceFacts:
    """The facts with the day on which the places were said. Raises Invalid."""
    today = today_of(session)
    wrong = list(mistakes(facts))
    if facts.status is Status.CLOSED_FOR_NOW and (
        before is None or before.closed_until != facts.closed_until
    ):
        wrong += closing_mistakes(facts.closed_until, today)
    _refuse_if(wrong)
    unsaid = facts.places_free is None
    same = before is not None and before.places_free == facts.places_free
    as_of = None if unsaid else before.places_as_of if same and before is not None else today
    return replace(facts, places_as_of=as_of)


# Rows ---------------------------------------------------------------------------------------


def write_facts(service: Service, facts: ServiceFacts) -> None:
    """Put the facts into the columns; areas and places are rows of their own."""
    for name in PLAIN:
        value = getattr(facts, name)
        setattr(service, name, list(value) if name in _LISTS else value)
    service.status = facts.status.value
    service.referral_route = facts.referral_route.value
    write_terms(service)


def write_terms(service: Service) -> None:
    """Say under which terms it stands, to be searched."""
    codes = {
        "need": service.needs_met,
        "kind": [service.kind],
        "break": service.breaks,
        "access": service.accessibility,
    }
    own = {one.term_id(code) for one in TAXONOMIES for code in codes[one.key]}
    service.term_ids = sorted(own | term_ids_of(service.original))


async def write_areas(session: AsyncSession, service: Service, areas: Sequence[AreaFacts]) -> None:
    """Its areas, instead of those that it had."""
    await session.execute(delete(ServiceArea).where(ServiceArea.service_id == service.id))
    known = {name.casefold(): code for code, name in await wards(session)}
    session.add_all(area_rows(service.id, areas))
    service.area_codes = area_codes(areas, known)


def area_rows(service_id: UUID, areas: Sequence[AreaFacts]) -> list[ServiceArea]:
    """The areas that a service serves, as they are kept."""
    return [
        ServiceArea(service_id=service_id, position=position, name=area.name, code=area.code)
        for position, area in enumerate(areas)
    ]


def area_codes(areas: Sequence[AreaFacts], known: Mapping[str, str]) -> list[str]:
    """The wards that are served; "*" where none is named, or one is named that is no ward here.

    Who names an area that is not known is not left out of a ward's matches for it.
    """
    codes = [area.code or known.get(area.name.casefold(), "") for area in areas]
    return list(dict.fromkeys(codes)) if codes and all(codes) else [EVERYWHERE]


async def wards(session: AsyncSession) -> Sequence[tuple[str, str]]:
    """The areas of the authority: code and name, by name."""
    found = await session.execute(select(Area.id, Area.name).order_by(Area.name, Area.id))
    return [(code, name) for code, name in found]


def new_place(
    service_id: UUID,
    position: int,
    facts: PlaceFacts,
    external_id: UUID | None = None,
    original: dict[str, Any] | None = None,
) -> ServicePlace:
    """A place of a service."""
    place = ServicePlace(
        service_id=service_id,
        position=position,
        external_id=external_id or new_id(),
        original=original or {},
    )
    write_place(place, facts)
    return place


def write_place(place: ServicePlace, facts: PlaceFacts) -> None:
    """Say otherwise where a place is."""
    for one in fields(facts):
        setattr(place, one.name, getattr(facts, one.name))


async def _write_places(session: AsyncSession, read: Whole, places: Sequence[PlaceFacts]) -> None:
    for position, (place, facts) in enumerate(zip(read.places, places, strict=False)):
        place.position = position
        if place_facts(place) != facts:
            write_place(place, facts)
            # The version of the service counts for its places too.
            read.service.changed_at = cast("datetime", session.info[NOW])
    for place in read.places[len(places) :]:
        await session.delete(place)
    for position in range(len(read.places), len(places)):
        session.add(new_place(read.service.id, position, places[position]))


# History ------------------------------------------------------------------------------------


def note_difference(
    session: AsyncSession,
    service_id: UUID,
    what: str,
    before: ServiceFacts,
    after: ServiceFacts,
    *,
    provider: UUID | None = None,
) -> None:
    """Keep what was and what is, field by field; nothing where nothing changed."""
    names = [
        one.name
        for one in fields(ServiceFacts)
        if getattr(before, one.name) != getattr(after, one.name)
    ]
    if not names and what == "changed":
        return
    note(
        session,
        service_id,
        what,
        {name: _json(getattr(before, name)) for name in names},
        {name: _json(getattr(after, name)) for name in names},
        provider=provider,
    )


def note(
    session: AsyncSession,
    service_id: UUID,
    what: str,
    before: dict[str, Any],
    after: dict[str, Any],
    *,
    provider: UUID | None = None,
) -> None:
    """Keep a change in the service's own history, and among what the authority can prove."""
    session.add(
        ServiceChange(
            id=new_id(),
            service_id=service_id,
            at=session.info[NOW],
            by_id=provider or session.info[VIEWER],
            by_kind="provider" if provider else "worker",
            what=what,
            before=before,
            after=after,
        )
    )
    actor = None if provider is None else Actor(provider, ActorKind.GUEST)
    record(
        session,
        Kind.SERVICE_CHANGED,
        actor,
        subject=service_id,
        details={"what": what, "fields": ", ".join(sorted(after))},
    )


def _json(value: object) -> object:
    if isinstance(value, tuple):
        return [_json(one) for one in value]
    if isinstance(value, PlaceFacts | AreaFacts):
        return {one.name: getattr(value, one.name) for one in fields(value)}
    if isinstance(value, Decimal | date):
        return str(value)
    return value


async def history(
    session: AsyncSession, service_id: UUID, most: int = 50
) -> Sequence[ServiceChange]:
    """The newest changes of a service, newest first."""
    found = await session.scalars(
        select(ServiceChange)
        .where(ServiceChange.service_id == service_id)
        .order_by(ServiceChange.at.desc(), ServiceChange.id.desc())
        .limit(most)
    )
    return found.all()
