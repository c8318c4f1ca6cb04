"""The directory's pages for the people who work here: thin, since the other modules say it."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from consent import Role
from panel.accounts.desk import Desk
from panel.accounts.service import worker_names
from panel.accounts.taking import Transaction, take_here
from panel.directory import pages
from panel.directory.forms import (
    CloseForm,
    ProviderForm,
    ServiceForm,
    StandForm,
    StatementForm,
)
from panel.directory.links import newest_link, send_link
from panel.directory.matching import Wanted
from panel.directory.models import Service
from panel.directory.pages import DIRECTORY, PROVIDERS, provider_href, service_href
from panel.directory.rules import LINK_DAYS
from panel.directory.searching import (
    Sought,
    list_providers,
    place_in_list,
    search_services,
    services_of,
)
from panel.directory.service import (
    add_provider,
    add_service,
    change_provider,
    change_service,
    close_for_now,
    end_service,
    find_provider,
    history,
    is_open_on,
    match,
    open_again,
    wards,
    whole,
)
from panel.directory.statement import newest, publish
from panel.directory.vocabulary import ACCESS, LANGUAGES, NEEDS
from panel.platform.problems import Conflict
from panel.web.forms import FieldErrors, Filled

SERVICE = f"{DIRECTORY}/services/{{service_id:uuid}}"
PROVIDER = f"{PROVIDERS}/{{provider_id:uuid}}"
STATEMENT = f"{DIRECTORY}/short-breaks"
KEEPERS = (Role.COORDINATOR, Role.ADMINISTRATOR)
OLDEST_ASKED = 120
LONGEST_CODE = 20


def _require_keeper(desk: Desk) -> None:
    desk.require(*KEEPERS)


def _keeps(desk: Desk) -> bool:
    return bool(desk.viewer.roles & set(KEEPERS))


def _age(said: str) -> tuple[int | None, str]:
    """The age that was asked for, and a sentence where it is none."""
    if not said.strip():
        return None, ""
    if said.strip().isascii() and said.strip().isdigit() and int(said.strip()[:4]) <= OLDEST_ASKED:
        return int(said.strip()[:4]), ""
    return None, "Age must be a whole number of years, like 7"


def _ward(said: str) -> str:
    """The code that was asked for, where it can be one."""
    return said if len(said) <= LONGEST_CODE and said.isalnum() else ""


def _said(age: str, sentence: str) -> Filled:
    errors = FieldErrors({"age": sentence}, {"age": [age]}) if sentence else None
    return Filled({"age": age}, errors)


# Searching ----------------------------------------------------------------------------------


@get(DIRECTORY, include_in_schema=False)
async def directory(
    desk: NamedDependency[Desk],
    words: FromQuery[str] = "",
    need: FromQuery[str] = "",
    age: FromQuery[str] = "",
    ward: FromQuery[str] = "",
    free: FromQuery[str] = "",
    ended: FromQuery[str] = "",
    page: FromQuery[str] = "",
) -> Response[str]:
    """The services, to be searched."""
    years, wrong = _age(age[:20])
    sought = Sought(
        words.replace("\0", "").strip()[:200],
        need,
        years,
        _ward(ward),
        free == "yes",
        ended == "yes",
    )
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await search_services(session, sought, place_in_list(page))
        rows = [pages.service_row(*one, desk.today) for one in found.rows]
        areas = await wards(session)
    return desk.page(
        "directory/services.html",
        status=422 if wrong else 200,
        rows=rows,
        note=found.note,
        sought=sought,
        filled=_said(age[:20], wrong),
        needs=list(NEEDS.items()),
        wards=areas,
        previous=pages.list_href(sought, found.previous),
        next=pages.list_href(sought, found.next),
        keeps=_keeps(desk),
    )


@get(f"{DIRECTORY}/match", include_in_schema=False)
async def match_page(
    desk: NamedDependency[Desk],
    age: FromQuery[str] = "",
    need: FromQuery[list[str] | None] = None,
    ward: FromQuery[str] = "",
    language: FromQuery[str] = "",
    access: FromQuery[list[str] | None] = None,
) -> Response[str]:
    """What fits a child of this age, these needs and this ward. It asks for no name."""
    years, wrong = _age(age[:20])
    wanted = Wanted(
        age=years,
        needs=tuple(one for one in NEEDS if one in (need or ())),
        ward=_ward(ward) or None,
        languages=(language,) if language in LANGUAGES else (),
        access=tuple(one for one in ACCESS if one in (access or ())),
    )
    asked = wanted != Wanted() and not wrong
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = pages.match_page(await match(session, wanted)) if asked else None
        areas = await wards(session)
    return desk.page(
        "directory/match.html",
        status=422 if wrong else 200,
        found=found,
        said=pages.wanted_facts(wanted, dict(areas)),
        wanted=wanted,
        language=language if language in LANGUAGES else "",
        filled=_said(age[:20], wrong),
        needs=list(NEEDS.items()),
        wards=areas,
        languages=list(LANGUAGES.items()),
        accesses=list(ACCESS.items()),
        back_href=DIRECTORY,
    )


# A service ----------------------------------------------------------------------------------


@get(SERVICE, include_in_schema=False)
async def service_page(desk: NamedDependency[Desk], service_id: FromPath[UUID]) -> Response[str]:
    """One service: what is said of it, its history, and the steps."""
    async with desk.tenant.transaction(desk.viewer.id) as session:
        read = await whole(session, service_id)
        changes = await history(session, service_id) if _keeps(desk) else ()
        names = await worker_names(session, [one.by_id for one in changes])
        row = pages.service_row(read.service, read.provider, desk.today)
        return desk.page(
            "directory/service.html",
            row=row,
            facts=pages.service_facts(read, desk.today),
            provider_href=provider_href(read.provider.id),
            history=[pages.history_row(one, names, read.provider.name) for one in changes],
            status=200,
            standing=read.service.status,
            version=read.service.version,
            keeps=_keeps(desk),
            href=service_href(service_id),
            back_href=DIRECTORY,
        )


@get(f"{PROVIDER}/services/new", include_in_schema=False)
async def new_service_page(
    desk: NamedDependency[Desk], provider_id: FromPath[UUID]
) -> Response[str]:
    """A new service of a provider."""
    _require_keeper(desk)
    return await _new_service(desk, provider_id)


@post(f"{PROVIDER}/services/new", include_in_schema=False)
async def add_service_here(
    desk: NamedDependency[Desk], provider_id: FromPath[UUID]
) -> Response[Any]:
    """Add it."""
    _require_keeper(desk)

    async def work(here: Transaction, form: ServiceForm) -> None:
        known = dict(await wards(here.session))
        await add_service(here.session, provider_id, form.facts(known))

    return await take_here(
        desk, ServiceForm, work, provider_href(provider_id),
        again=lambda errors: _new_service(desk, provider_id, errors),
    )  # fmt: skip


async def _new_service(
    desk: Desk, provider_id: UUID, errors: FieldErrors | None = None
) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        provider = await find_provider(session, provider_id)
        choices = pages.form_choices(await wards(session))
        return desk.page(
            "directory/service_form.html",
            status=200 if errors is None else 422,
            heading=f"Add a service of {provider.name}",
            button_words="Add the service",
            filled=Filled({"published": "yes", "referral_route": "self"}, errors),
            version=0,
            action=f"{provider_href(provider_id)}/services/new",
            back_href=provider_href(provider_id),
            **choices,
        )


@get(f"{SERVICE}/change", include_in_schema=False)
async def change_service_page(
    desk: NamedDependency[Desk], service_id: FromPath[UUID]
) -> Response[str]:
    """Change a service."""
    _require_keeper(desk)
    return await _change_service(desk, service_id)


@post(f"{SERVICE}/change", include_in_schema=False)
async def change_service_here(
    desk: NamedDependency[Desk], service_id: FromPath[UUID]
) -> Response[Any]:
    """Change it."""
    _require_keeper(desk)

    async def work(here: Transaction, form: ServiceForm) -> None:
        known = dict(await wards(here.session))
        read = await whole(here.session, service_id)
        if read.service.version != form.version:
            raise Conflict(())
        facts = form.facts(known, read.facts)
        await change_service(here.session, service_id, form.version, facts)

    return await take_here(
        desk, ServiceForm, work, service_href(service_id),
        again=lambda errors: _change_service(desk, service_id, errors),
    )  # fmt: skip


async def _change_service(
    desk: Desk, service_id: UUID, errors: FieldErrors | None = None
) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        read = await whole(session, service_id)
        choices = pages.form_choices(await wards(session))
        return desk.page(
            "directory/service_form.html",
            status=200 if errors is None else 422,
            heading=f"Change {read.service.name}",
            button_words="Save",
            filled=Filled(pages.stored_service(read), errors),
            version=read.service.version,
            action=f"{service_href(service_id)}/change",
            back_href=service_href(service_id),
            **choices,
        )


@get(f"{SERVICE}/close", include_in_schema=False)
async def close_page(desk: NamedDependency[Desk], service_id: FromPath[UUID]) -> Response[str]:
    """Close a service for now, or end it."""
    _require_keeper(desk)
    return await _close(desk, service_id)


@post(f"{SERVICE}/close", include_in_schema=False)
async def close_here(desk: NamedDependency[Desk], service_id: FromPath[UUID]) -> Response[Any]:
    """Close it."""
    _require_keeper(desk)

    async def work(here: Transaction, form: CloseForm) -> None:
        await close_for_now(here.session, service_id, form.version, form.closed_until)

    return await take_here(
        desk, CloseForm, work, service_href(service_id),
        again=lambda errors: _close(desk, service_id, errors),
    )  # fmt: skip


async def _close(desk: Desk, service_id: UUID, errors: FieldErrors | None = None) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        read = await whole(session, service_id)
        return desk.page(
            "directory/close.html",
            status=200 if errors is None else 422,
            name=read.service.name,
            version=read.service.version,
            filled=Filled({"closed_until": _still_closed_until(read.service, desk)}, errors),
            href=service_href(service_id),
            back_href=service_href(service_id),
        )


def _still_closed_until(service: Service, desk: Desk) -> date | None:
    """The last day it is closed, where that is not over."""
    return None if is_open_on(service, desk.today) else service.closed_until


@post(f"{SERVICE}/open", include_in_schema=False)
async def open_here(desk: NamedDependency[Desk], service_id: FromPath[UUID]) -> Response[Any]:
    """Open it again."""
    return await _stand(desk, service_id, open_again)


@post(f"{SERVICE}/end", include_in_schema=False)
async def end_here(desk: NamedDependency[Desk], service_id: FromPath[UUID]) -> Response[Any]:
    """End it."""
    return await _stand(desk, service_id, end_service)


async def _stand(
    desk: Desk, service_id: UUID, step: Callable[..., Awaitable[None]]
) -> Response[Any]:
    _require_keeper(desk)

    async def work(here: Transaction, form: StandForm) -> None:
        await step(here.session, service_id, form.version)

    return await take_here(desk, StandForm, work, service_href(service_id))


# Providers ----------------------------------------------------------------------------------


@get(PROVIDERS, include_in_schema=False)
async def providers(desk: NamedDependency[Desk], page: FromQuery[str] = "") -> Response[str]:
    """Who provides."""
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await list_providers(session, place_in_list(page))
        rows = [
            (provider_href(one.id), one.name, pages.PROVIDER_KIND_WORDS[one.kind], number)
            for one, number in found.rows
        ]
    return desk.page(
        "directory/providers.html",
        rows=rows,
        keeps=_keeps(desk),
        back_href=DIRECTORY,
        **pages.neighbours(found, PROVIDERS),
    )


@get(f"{PROVIDERS}/new", include_in_schema=False)
async def new_provider_page(desk: NamedDependency[Desk]) -> Response[str]:
    """A new provider."""
    _require_keeper(desk)
    return await _new_provider(desk)


@post(f"{PROVIDERS}/new", include_in_schema=False)
async def add_provider_here(desk: NamedDependency[Desk]) -> Response[Any]:
    """Add it."""
    _require_keeper(desk)

    async def work(here: Transaction, form: ProviderForm) -> None:
        await add_provider(here.session, form.facts())

    return await take_here(
        desk, ProviderForm, work, PROVIDERS,
        again=lambda errors: _new_provider(desk, errors),
    )  # fmt: skip


async def _new_provider(desk: Desk, errors: FieldErrors | None = None) -> Response[Any]:
    return desk.page(
        "directory/provider_form.html",
        status=200 if errors is None else 422,
        heading="Add a provider",
        button_words="Add the provider",
        filled=Filled({}, errors),
        kinds=list(pages.PROVIDER_KIND_WORDS.items()),
        version=0,
        action=f"{PROVIDERS}/new",
        back_href=PROVIDERS,
    )


@get(PROVIDER, include_in_schema=False)
async def provider_page(
    desk: NamedDependency[Desk], provider_id: FromPath[UUID], page: FromQuery[str] = ""
) -> Response[str]:
    """One provider, its services, and its link."""
    async with desk.tenant.transaction(desk.viewer.id) as session:
        provider = await find_provider(session, provider_id)
        found = await services_of(session, provider_id, place_in_list(page))
        rows = [pages.service_row(one, provider, desk.today) for one in found.rows]
        link = await newest_link(session, provider_id) if _keeps(desk) else None
        return desk.page(
            "directory/provider.html",
            provider=provider,
            kind=pages.PROVIDER_KIND_WORDS[provider.kind],
            rows=rows,
            link_words=pages.link_words(link, desk.today),
            keeps=_keeps(desk),
            good_for=LINK_DAYS,
            href=provider_href(provider_id),
            back_href=PROVIDERS,
            **pages.neighbours(found, provider_href(provider_id)),
        )


@get(f"{PROVIDER}/change", include_in_schema=False)
async def change_provider_page(
    desk: NamedDependency[Desk], provider_id: FromPath[UUID]
) -> Response[str]:
    """Change a provider."""
    _require_keeper(desk)
    return await _change_provider(desk, provider_id)


@post(f"{PROVIDER}/change", include_in_schema=False)
async def change_provider_here(
    desk: NamedDependency[Desk], provider_id: FromPath[UUID]
) -> Response[Any]:
    """Change it."""
    _require_keeper(desk)

    async def work(here: Transaction, form: ProviderForm) -> None:
        await change_provider(here.session, provider_id, form.version, form.facts())

    return await take_here(
        desk, ProviderForm, work, provider_href(provider_id),
        again=lambda errors: _change_provider(desk, provider_id, errors),
    )  # fmt: skip


async def _change_provider(
    desk: Desk, provider_id: UUID, errors: FieldErrors | None = None
) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        provider = await find_provider(session, provider_id)
        return desk.page(
            "directory/provider_form.html",
            status=200 if errors is None else 422,
            heading=f"Change {provider.name}",
            button_words="Save",
            filled=Filled(pages.stored_provider(provider), errors),
            kinds=list(pages.PROVIDER_KIND_WORDS.items()),
            version=provider.version,
            action=f"{provider_href(provider_id)}/change",
            back_href=provider_href(provider_id),
        )


@post(f"{PROVIDER}/link", include_in_schema=False)
async def send_link_here(desk: NamedDependency[Desk], provider_id: FromPath[UUID]) -> Response[Any]:
    """Send the provider a link."""
    _require_keeper(desk)

    async def work(here: Transaction, form: StandForm) -> None:
        await send_link(here.session, provider_id, form.version, desk.site.url)

    return await take_here(desk, StandForm, work, provider_href(provider_id))


# The short-breaks statement -----------------------------------------------------------------


@get(STATEMENT, include_in_schema=False)
async def statement_page(desk: NamedDependency[Desk]) -> Response[str]:
    """What the authority says about its short breaks."""
    _require_keeper(desk)
    return await _statement(desk)


@post(STATEMENT, include_in_schema=False)
async def publish_here(desk: NamedDependency[Desk]) -> Response[Any]:
    """Publish it."""
    _require_keeper(desk)

    async def work(here: Transaction, form: StatementForm) -> None:
        await publish(here.session, form.new(), form.version)

    return await take_here(
        desk, StatementForm, work, STATEMENT,
        again=lambda errors: _statement(desk, errors),
    )  # fmt: skip


async def _statement(desk: Desk, errors: FieldErrors | None = None) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await newest(session)
        names = ("eligibility", "how_it_meets_needs", "carers_views", "reviewed_on", "review_by")
        stored = {} if found is None else {name: getattr(found, name) for name in names}
        return desk.page(
            "directory/statement_form.html",
            status=200 if errors is None else 422,
            filled=Filled(stored, errors),
            version=0 if found is None else found.version,
            action=STATEMENT,
            back_href=DIRECTORY,
        )


HANDLERS = [
    directory,
    match_page,
    service_page,
    new_service_page,
    add_service_here,
    change_service_page,
    change_service_here,
    close_page,
    close_here,
    open_here,
    end_here,
    providers,
    new_provider_page,
    add_provider_here,
    provider_page,
    change_provider_page,
    change_provider_here,
    send_link_here,
    statement_page,
    publish_here,
]
