"""What anybody may read of the directory: Open Referral UK 3.0, page by page.

Statutory services and those that somebody keeps back are in no answer, no count and no search.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import Boolean, ColumnElement, Select, and_, cast, func, literal, select
from sqlalchemy.dialects.postgresql import JSONPATH
from sqlalchemy.ext.asyncio import AsyncSession

from panel.directory.models import Provider, Service, ServicePlace
from panel.directory.open_referral import (
    Json,
    OutPlace,
    OutProvider,
    OutService,
    at_location,
    full_service,
    listed_service,
    organization,
    service_within,
    term_json,
)
from panel.directory.service import Whole, place_facts, provider_facts, wholes
from panel.directory.vocabulary import TAXONOMIES, TERMS, Taxonomy
from panel.platform.problems import NotFound, Problem

A_PAGE = 50
LARGEST_PAGE = 100
"""Items: who asks for more gets so many, and reads in the answer how many pages there are."""
LAST_PAGE = 1_000_000
NOTHING_THERE = "There is nothing published under this address."
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")

PUBLIC: ColumnElement[bool] = and_(Service.published, ~Service.statutory)


class WrongQuestion(Problem):
    """A parameter that is not one of these, or cannot be read."""

    def __init__(self, sentence: str) -> None:
        super().__init__(400, "The question cannot be read", sentence)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a list."""

    page: int = 1
    per_page: int = A_PAGE
    full: bool = False
    conditions: tuple[ColumnElement[bool], ...] = field(default_factory=tuple)


PAGES = ("page", "per_page")
FILTERS = (
    "search", "taxonomy_term_id", "taxonomy_id", "minimum_age", "maximum_age", "start_time",
    "end_time", "day", "modified_after", "organization_id", "full",
)  # fmt: skip


def read_question(
    sent: Iterable[tuple[str, str]], known: Sequence[str] = (*PAGES, *FILTERS)
) -> Question:
    """The question in an address. Raises WrongQuestion: nothing that is asked is passed over."""
    given: dict[str, str] = {}
    for name, value in sent:
        if name not in known:
            raise WrongQuestion(f"“{name[:40]}” is not a parameter of this list.")
        if name in given:
            raise WrongQuestion(f"“{name}” was given twice.")
        given[name] = value.replace("\0", "").strip()
    given = {name: value for name, value in given.items() if value}
    per_page = _whole("per_page", given.get("per_page", str(A_PAGE)), LAST_PAGE)
    return Question(
        page=_whole("page", given.get("page", "1"), LAST_PAGE),
        per_page=min(per_page, LARGEST_PAGE),
        full=_yes(given.get("full", "false")),
        conditions=tuple(_conditions(given)),
    )


def _conditions(given: Mapping[str, str]) -> Iterable[ColumnElement[bool]]:
    for name, make in _FILTERS.items():
        if name in given:
            yield make(given[name])
    if any(name in given for name in ("start_time", "end_time", "day")):
        yield _on_a_schedule(given)


def _whole(name: str, value: str, most: int) -> int:
    if not re.fullmatch(r"[0-9]{1,7}", value) or not 1 <= int(value) <= most:
        raise WrongQuestion(f"“{name}” must be a whole number from 1 on.")
    return int(value)


def _yes(value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise WrongQuestion("“full” must be true or false.")
    return value.lower() == "true"


def _id(name: str, value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise WrongQuestion(f"“{name}” must be a UUID.") from None


def _age(name: str, value: str) -> float:
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3})?", value):
        raise WrongQuestion(f"“{name}” must be an age in years.")
    return float(value)


def _search(value: str) -> ColumnElement[bool]:
    return Service.words.bool_op("@@")(func.websearch_to_tsquery("english", value[:200]))


def _term(value: str) -> ColumnElement[bool]:
    under: ColumnElement[bool] = Service.term_ids.contains([_id("taxonomy_term_id", value)])
    return under


def _taxonomy(value: str) -> ColumnElement[bool]:
    wanted = _id("taxonomy_id", value)
    ours = [one for one, (taxonomy, _) in TERMS.items() if taxonomy.id == wanted]
    if ours:
        under: ColumnElement[bool] = Service.term_ids.overlap(ours)
        return under
    return _has_path("$.attributes[*].taxonomy_term ? (@.taxonomy_id == $t)", {"t": str(wanted)})


def _has_path(path: str, values: Mapping[str, str]) -> ColumnElement[bool]:
    """Whether a path is there in what came in; it is written here, the values are given."""
    pairs = [part for pair in values.items() for part in pair]
    return func.jsonb_path_exists(
        Service.original,
        cast(literal(path), JSONPATH),
        func.jsonb_build_object(*pairs),
        type_=Boolean,
    )


def _modified_after(value: str) -> ColumnElement[bool]:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise WrongQuestion("“modified_after” must be a date with a time and its zone.")
    return Service.changed_at >= moment


def _provided_by(value: str) -> ColumnElement[bool]:
    whose = select(Provider.id).where(Provider.organization_id == _id("organization_id", value))
    return Service.provider_id.in_(whose)


_FILTERS: Mapping[str, Callable[[str], ColumnElement[bool]]] = {
    "search": _search,
    "taxonomy_term_id": _term,
    "taxonomy_id": _taxonomy,
    "minimum_age": lambda value: Service.min_age >= _age("minimum_age", value),
    "maximum_age": lambda value: Service.max_age <= _age("maximum_age", value),
    "modified_after": _modified_after,
    "organization_id": _provided_by,
}


def _on_a_schedule(given: Mapping[str, str]) -> ColumnElement[bool]:
    """Whether one and the same schedule has the day and the times."""
    asked, values = [], {}
    # Times are compared as text: what closes at 18:00:00 closes at 18:00.
    for name, rule, second in (
        ("start_time", "@.opens_at >= $start_time", ""),
        ("end_time", "@.closes_at <= $end_time", ":59"),
    ):
        if name in given:
            if not _TIME.fullmatch(given[name][:5]) or len(given[name]) > len("09:30:00"):
                raise WrongQuestion(f"“{name}” must be a time, like 09:30.")
            values[name] = given[name][:5] + second
            asked.append(rule)
    if "day" in given:
        day = given["day"][:2].upper()
        if day not in _DAYS:
            raise WrongQuestion("“day” must be a day of the week, like MO or Monday.")
        asked.append(f'@.byday like_regex "(^|,)[+-]?[0-9]*{day}(,|$)"')
    path = f"$.schedules[*] ? ({' && '.join(asked)})"
    return _has_path(path, values)


# Answers ------------------------------------------------------------------------------------


def page_object(question: Question, total: int, contents: Sequence[Json]) -> Json:
    """A page as Open Referral UK has it: pages are counted from 1."""
    pages = -(-total // question.per_page)
    return {
        "total_items": total,
        "total_pages": pages,
        "page_number": question.page,
        "size": len(contents),
        "first_page": question.page == 1,
        "last_page": question.page >= pages,
        "empty": not contents,
        "contents": list(contents),
    }


Chosen = TypeVar("Chosen", bound=Select[*tuple[Any, ...]])


def _cut(question: Question, chosen: Chosen) -> Chosen:
    return chosen.offset((question.page - 1) * question.per_page).limit(question.per_page)


async def services_page(session: AsyncSession, question: Question) -> Json:
    """A page of the published services."""
    where = and_(PUBLIC, *question.conditions)
    total = await session.scalar(select(func.count()).select_from(Service).where(where)) or 0
    found = await session.scalars(
        _cut(question, select(Service).where(where).order_by(Service.external_id))
    )
    write = full_service if question.full else listed_service
    services = await wholes(session, found.all())
    return page_object(question, total, [write(out_service(one)) for one in services])


async def one_service(session: AsyncSession, public_id: UUID) -> Json:
    """All of a published service. Raises NotFound."""
    return full_service(out_service(await _published(session, public_id)))


async def _published(session: AsyncSession, public_id: UUID) -> Whole:
    service = await session.scalar(select(Service).where(PUBLIC, Service.external_id == public_id))
    if service is None:
        raise NotFound(NOTHING_THERE, "")
    return (await wholes(session, [service]))[0]


async def organizations_page(session: AsyncSession, question: Question) -> Json:
    """A page of the organisations that provide a published service."""
    where = select(Service.id).where(PUBLIC, Service.provider_id == Provider.id).exists()
    total = await session.scalar(select(func.count()).select_from(Provider).where(where)) or 0
    found = await session.scalars(
        _cut(question, select(Provider).where(where).order_by(Provider.organization_id))
    )
    return page_object(question, total, [organization(out_provider(one)) for one in found])


async def one_organization(session: AsyncSession, public_id: UUID) -> Json:
    """An organisation with its published services, a page of them at most. Raises NotFound.

    The list of services has all of them, asked by `organization_id`.
    """
    provider = await session.scalar(select(Provider).where(Provider.organization_id == public_id))
    services: Sequence[Service] = ()
    if provider is not None:
        found = await session.scalars(
            select(Service)
            .where(PUBLIC, Service.provider_id == provider.id)
            .order_by(Service.external_id)
            .limit(LARGEST_PAGE)
        )
        services = found.all()
    if provider is None or not services:
        raise NotFound(NOTHING_THERE, "")
    out = organization(out_provider(provider))
    out["services"] = [service_within(out_service(one)) for one in await wholes(session, services)]
    return out


async def places_page(session: AsyncSession, question: Question) -> Json:
    """A page of the published services at their locations."""
    where = and_(PUBLIC, *question.conditions)
    chosen = select(ServicePlace, Service.external_id).join(
        Service, Service.id == ServicePlace.service_id
    )
    counted = (
        select(func.count())
        .select_from(ServicePlace)
        .join(Service, Service.id == ServicePlace.service_id)
    )
    total = await session.scalar(counted.where(where)) or 0
    found = await session.execute(
        _cut(question, chosen.where(where).order_by(ServicePlace.external_id))
    )
    contents = [at_location(_out_place(place)) | {"service_id": str(of)} for place, of in found]
    return page_object(question, total, contents)


async def one_place(session: AsyncSession, public_id: UUID) -> Json:
    """A published service at a location. Raises NotFound."""
    place = await session.scalar(select(ServicePlace).where(ServicePlace.external_id == public_id))
    service = None if place is None else await session.get(Service, place.service_id)
    if place is None or service is None or not service.published or service.statutory:
        raise NotFound(NOTHING_THERE, "")
    (read,) = await wholes(session, [service])
    return at_location(_out_place(place)) | {"service": listed_service(out_service(read))}


def taxonomies_page(question: Question) -> Json:
    """A page of the taxonomies of this directory."""
    return _in_memory(question, [_taxonomy_json(one) for one in TAXONOMIES])


def one_taxonomy(public_id: UUID) -> Json:
    """A taxonomy with its terms. Raises NotFound."""
    for one in TAXONOMIES:
        if one.id == public_id:
            return _taxonomy_json(one) | {
                "taxonomy_terms": [term_json(one, code) for code in one.words]
            }
    raise NotFound(NOTHING_THERE, "")


def terms_page(question: Question) -> Json:
    """A page of the terms of this directory."""
    return _in_memory(question, [term_json(*one) for one in TERMS.values()])


def one_term(public_id: UUID) -> Json:
    """A term. Raises NotFound."""
    if public_id not in TERMS:
        raise NotFound(NOTHING_THERE, "")
    return term_json(*TERMS[public_id])


def _in_memory(question: Question, everything: Sequence[Json]) -> Json:
    start = (question.page - 1) * question.per_page
    return page_object(question, len(everything), everything[start : start + question.per_page])


def _taxonomy_json(one: Taxonomy) -> Json:
    return {"id": str(one.id), "name": one.name, "description": one.description, "version": "1"}


# Rows ---------------------------------------------------------------------------------------


def out_provider(provider: Provider) -> OutProvider:
    """A provider, to be written."""
    return OutProvider(provider.organization_id, provider_facts(provider), provider.original)


def _out_place(place: ServicePlace) -> OutPlace:
    return OutPlace(place.external_id, place_facts(place), place.original)


def out_service(read: Whole) -> OutService:
    """A service, to be written."""
    service = read.service
    return OutService(
        service.external_id,
        read.facts,
        service.original,
        service.changed_at,
        service.imported_at is not None and service.imported_at == service.changed_at,
        out_provider(read.provider),
        tuple(_out_place(one) for one in read.places),
    )


def encoded(answer: Json) -> bytes:
    """As it is sent."""
    return msgspec.json.encode(answer)
