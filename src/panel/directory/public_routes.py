"""What anybody reads without signing in, and what a provider does by its link.

Open Referral UK 3.0 asks for answers that need no key and that any page of any site may read
(profile compliance: openness, security), so these answers say so; they set no cookie and hold
nothing that is not published.
"""

from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.desk import FOR_ANYBODY, Desk, go, refused_by_rule, sent_fields
from panel.directory import links, pages, publishing
from panel.directory.forms import SayForm
from panel.directory.matching import ages_words
from panel.directory.models import Service
from panel.directory.open_referral import PROFILE, VERSION, Json
from panel.directory.publishing import FILTERS, PAGES, Question, read_question
from panel.directory.searching import place_in_list, running_services_of
from panel.directory.service import is_open_on
from panel.directory.statement import in_range, newest
from panel.directory.vocabulary import ROUTE_WORDS, Route
from panel.platform.problems import Invalid, NotAllowed
from panel.web.forms import FieldErrors, Filled, read_form
from panel.web.words import short_day

OPEN_REFERRAL = "/open-referral"
OPEN = {
    "Access-Control-Allow-Origin": "*",
    "Cache-Control": "public, max-age=300",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
OPENAPI = "https://raw.githubusercontent.com/OpenReferralUK/uk-profile/main/schema/openapi.json"
PLACE_FILTERS = tuple(one for one in FILTERS if one != "full")

AnyRequest = Request[Any, Any, Any]


def _answer(request: AnyRequest, said: Json) -> Response[bytes]:
    """JSON with its tag; nothing but the tag to whoever has it already."""
    body = publishing.encoded(said)
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = OPEN | {"ETag": tag}
    brought = {
        one.strip().removeprefix("W/")
        for one in request.headers.get("if-none-match", "").split(",")
    }
    if tag in brought:
        return Response(b"", status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


async def _read(
    desk: Desk, request: AnyRequest, read: Callable[[AsyncSession], Awaitable[Json]]
) -> Response[bytes]:
    async with desk.tenant.transaction() as session:
        said = await read(session)
    return _answer(request, said)


def _question(request: AnyRequest, known: Sequence[str] = PAGES) -> Question:
    return read_question(request.query_params.multi_items(), known)


@get(OPEN_REFERRAL, include_in_schema=False, opt=FOR_ANYBODY)
async def api_details(request: AnyRequest) -> Response[bytes]:
    """What this is, and by which standard."""
    return _answer(request, {"version": VERSION, "profile": PROFILE, "openapi_url": OPENAPI})


@get(f"{OPEN_REFERRAL}/services", include_in_schema=False, opt=FOR_ANYBODY)
async def list_services(desk: NamedDependency[Desk], request: AnyRequest) -> Response[bytes]:
    """A page of services."""
    question = _question(request, (*PAGES, *FILTERS))
    return await _read(desk, request, lambda session: publishing.services_page(session, question))


@get(f"{OPEN_REFERRAL}/services/{{public_id:uuid}}", include_in_schema=False, opt=FOR_ANYBODY)
async def full_service(
    desk: NamedDependency[Desk], request: AnyRequest, public_id: FromPath[UUID]
) -> Response[bytes]:
    """All of a service."""
    return await _read(desk, request, lambda session: publishing.one_service(session, public_id))


@get(f"{OPEN_REFERRAL}/organizations", include_in_schema=False, opt=FOR_ANYBODY)
async def list_organizations(desk: NamedDependency[Desk], request: AnyRequest) -> Response[bytes]:
    """A page of organisations."""
    question = _question(request)
    return await _read(
        desk, request, lambda session: publishing.organizations_page(session, question)
    )


@get(f"{OPEN_REFERRAL}/organizations/{{public_id:uuid}}", include_in_schema=False, opt=FOR_ANYBODY)
async def full_organization(
    desk: NamedDependency[Desk], request: AnyRequest, public_id: FromPath[UUID]
) -> Response[bytes]:
    """An organisation with its services."""
    return await _read(
        desk, request, lambda session: publishing.one_organization(session, public_id)
    )


@get(f"{OPEN_REFERRAL}/service_at_locations", include_in_schema=False, opt=FOR_ANYBODY)
async def list_places(desk: NamedDependency[Desk], request: AnyRequest) -> Response[bytes]:
    """A page of services at their locations."""
    question = _question(request, (*PAGES, *PLACE_FILTERS))
    return await _read(desk, request, lambda session: publishing.places_page(session, question))


@get(
    f"{OPEN_REFERRAL}/service_at_locations/{{public_id:uuid}}",
    include_in_schema=False,
    opt=FOR_ANYBODY,
)
async def full_place(
    desk: NamedDependency[Desk], request: AnyRequest, public_id: FromPath[UUID]
) -> Response[bytes]:
    """A service at a location."""
    return await _read(desk, request, lambda session: publishing.one_place(session, public_id))


@get(f"{OPEN_REFERRAL}/taxonomies", include_in_schema=False, opt=FOR_ANYBODY)
async def list_taxonomies(request: AnyRequest) -> Response[bytes]:
    """The taxonomies."""
    return _answer(request, publishing.taxonomies_page(_question(request)))


@get(f"{OPEN_REFERRAL}/taxonomies/{{public_id:uuid}}", include_in_schema=False, opt=FOR_ANYBODY)
async def full_taxonomy(request: AnyRequest, public_id: FromPath[UUID]) -> Response[bytes]:
    """A taxonomy with its terms."""
    return _answer(request, publishing.one_taxonomy(public_id))


@get(f"{OPEN_REFERRAL}/taxonomy_terms", include_in_schema=False, opt=FOR_ANYBODY)
async def list_terms(request: AnyRequest) -> Response[bytes]:
    """The terms."""
    return _answer(request, publishing.terms_page(_question(request)))


@get(f"{OPEN_REFERRAL}/taxonomy_terms/{{public_id:uuid}}", include_in_schema=False, opt=FOR_ANYBODY)
async def full_term(request: AnyRequest, public_id: FromPath[UUID]) -> Response[bytes]:
    """A term."""
    return _answer(request, publishing.one_term(public_id))


# The short-breaks statement -----------------------------------------------------------------


@get("/short-breaks", include_in_schema=False, opt=FOR_ANYBODY)
async def short_breaks(desk: NamedDependency[Desk]) -> Response[str]:
    """The authority's short breaks, who can have them, and how they meet carers' needs."""
    async with desk.tenant.transaction() as session:
        statement = await newest(session)
        found = await in_range(session)
        parts = [
            (part.name, [_break_line(service, by.name) for service, by in part.services])
            for part in found.parts
        ]
        return desk.page(
            "directory/short_breaks.html",
            statement=statement,
            overdue=statement is not None and statement.review_by < desk.today,
            parts=parts,
            there_are_more=found.there_are_more,
            authority=desk.tenant.record.label,
        )


def _break_line(service: Service, provider: str) -> dict[str, str]:
    ways = (service.phone, service.email)
    return {
        "name": service.name,
        "provider": provider,
        "what": service.description,
        "ages": ages_words(service.min_age, service.max_age).capitalize(),
        "route": ROUTE_WORDS[Route(service.referral_route)],
        "cost": "Free" if service.free else service.cost or "Ask what it costs",
        "ask": " or ".join(one for one in ways if one),
        "url": service.url if service.url.startswith(("https://", "http://")) else "",
    }


# A provider's link --------------------------------------------------------------------------

LINK = "/providers/{token:str}"
OWN = f"{LINK}/services/{{service_id:uuid}}"


@get(LINK, include_in_schema=False, opt=FOR_ANYBODY)
async def provider_door(
    desk: NamedDependency[Desk], token: FromPath[str], page: FromQuery[str] = ""
) -> Response[str]:
    """A provider's own services."""
    async with desk.tenant.transaction() as session:
        link, provider = await links.open_link(session, token)
        services = await running_services_of(session, provider.id, place_in_list(page))
        rows = [
            (f"/providers/{token}/services/{one.id}", pages.service_row(one, provider, desk.today))
            for one in services.rows
        ]
        return desk.page(
            "directory/provider_door.html",
            name=provider.name,
            rows=rows,
            ends_at=link.ends_at,
            **pages.neighbours(services, f"/providers/{token}"),
        )


@get(OWN, include_in_schema=False, opt=FOR_ANYBODY)
async def provider_service(
    desk: NamedDependency[Desk], token: FromPath[str], service_id: FromPath[UUID]
) -> Response[str]:
    """How many places are free in one of them."""
    return await _own(desk, token, service_id)


@post(OWN, include_in_schema=False, opt=FOR_ANYBODY)
async def provider_says(
    desk: NamedDependency[Desk],
    request: AnyRequest,
    token: FromPath[str],
    service_id: FromPath[UUID],
) -> Response[Any]:
    """What the provider says: shown to be confirmed, then kept."""
    async with desk.tenant.transaction() as session:
        await links.own_service(session, token, service_id)
    if desk.is_from_elsewhere:
        raise NotAllowed("This did not come from a page of ours.", "Open your link.")
    fields = await sent_fields(request)
    read = read_form(SayForm, fields)
    if isinstance(read, FieldErrors):
        return await _own(desk, token, service_id, read)
    try:
        async with desk.tenant.transaction() as session:
            if read.confirmed is None:
                service = await links.check(session, token, service_id, read.version, read.said())
                return _check(desk, token, service, read)
            await links.say(session, token, service_id, read.version, read.said())
    except Invalid as refused:
        errors = refused_by_rule(fields, refused.errors)
        return await _own(desk, token, service_id, errors)
    return go(f"/providers/{token}")


def _check(desk: Desk, token: str, service: Service, form: SayForm) -> Response[str]:
    until = "" if form.closed_until is None else short_day(form.closed_until)
    closed = f"Yes, until {until}" if until else "Yes" if form.closed else "No"
    free = "Not said" if form.places_free is None else f"{form.places_free:,}"
    return desk.page(
        "directory/provider_check.html",
        name=service.name,
        rows=[("Places free", free), ("Closed for now", closed)],
        form=form,
        action=f"/providers/{token}/services/{service.id}",
    )


async def _own(
    desk: Desk, token: str, service_id: UUID, errors: FieldErrors | None = None
) -> Response[str]:
    async with desk.tenant.transaction() as session:
        service = await links.own_service(session, token, service_id)
        # One that was closed until a day in the past is open again.
        is_closed = not is_open_on(service, desk.today)
        stored = {
            "places_free": service.places_free,
            "closed": "yes" if is_closed else "",
            "closed_until": service.closed_until if is_closed else None,
        }
        return desk.page(
            "directory/provider_service.html",
            status=200 if errors is None else 422,
            name=service.name,
            capacity=service.capacity,
            version=service.version,
            filled=Filled(stored, errors),
            action=f"/providers/{token}/services/{service_id}",
            back_href=f"/providers/{token}",
        )


HANDLERS = [
    api_details,
    list_services,
    full_service,
    list_organizations,
    full_organization,
    list_places,
    full_place,
    list_taxonomies,
    full_taxonomy,
    list_terms,
    full_term,
    short_breaks,
    provider_door,
    provider_service,
    provider_says,
]
