"""The composition root: the only place where rooms meet."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from traceback import extract_tb
from typing import Any
from uuid import uuid4

import psycopg
import structlog
from litestar import Litestar, MediaType, Request, Response, Router, get
from litestar.datastructures import CacheControlHeader, State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.static_files import create_static_files_router
from litestar.types import Message, Scope
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm.exc import StaleDataError

from panel.accounts.desk import FAMILY_HOME, PRIVATE, Desk, HomeIsElsewhere, Site, check_side, go
from panel.accounts.help import HELP
from panel.accounts.live_routes import MayListen, live_routes
from panel.accounts.passwords import HASHING, Hashing, Passwords
from panel.accounts.people_routes import HANDLERS as PEOPLE
from panel.accounts.routes import DEMO
from panel.accounts.routes import HANDLERS as ACCOUNTS
from panel.accounts.service import signed_in
from panel.accounts.sign_in_routes import entering_instead
from panel.accounts.switching_routes import HANDLERS as SWITCHING
from panel.allocation.beside import RequestsBeside
from panel.allocation.held_budget import BudgetOfPackages
from panel.allocation.routes import HANDLERS as ALLOCATION
from panel.assessments.routes import HANDLERS as ASSESSMENTS
from panel.casework.bulk_routes import HANDLERS as BULK
from panel.casework.notice_routes import HANDLERS as NOTICES
from panel.casework.quality_routes import HANDLERS as QUALITY
from panel.casework.routes import HANDLERS as CASEWORK
from panel.casework.settings_offered import SETTINGS as CASEWORK_SETTINGS
from panel.casework.settings_pages import HANDLERS as SETTINGS
from panel.directory.public_routes import HANDLERS as PUBLIC_DIRECTORY
from panel.directory.public_routes import OPEN, OPEN_REFERRAL
from panel.directory.routes import HANDLERS as DIRECTORY
from panel.documents.routes import HANDLERS as DOCUMENTS
from panel.exchange.entering import SystemsThatRead
from panel.exchange.fhir_routes import BASE as FHIR
from panel.exchange.fhir_routes import outcome_of
from panel.exchange.routes import HANDLERS as EXCHANGE
from panel.families.routes import HANDLERS as FAMILIES
from panel.families.sign_in_routes import entering_instead as family_entering_instead
from panel.governance.routes import HANDLERS as GOVERNANCE
from panel.governance.settings_offered import SETTINGS as GOVERNANCE_SETTINGS
from panel.impact.routes import HANDLERS as IMPACT
from panel.insight.linking.routes import HANDLERS as LISTS
from panel.insight.report_routes import HANDLERS as REPORT
from panel.insight.routes import HANDLERS as INSIGHT
from panel.insight.scenario_routes import HANDLERS as SCENARIO
from panel.insight.voice.asks import Surveys
from panel.insight.voice.routes import HANDLERS as SURVEYS
from panel.insight.voice.said_routes import HANDLERS as SAID
from panel.insight.wish_routes import HANDLERS as WISHES
from panel.panels.case_routes import HANDLERS as CASE
from panel.panels.consequences import ComingMeetings
from panel.panels.family_marks import FamilyMarks
from panel.panels.leavers import CasesOfLeavers
from panel.panels.meeting_routes import LIVE, may_listen
from panel.panels.note_routes import DEMO as MAILBOX
from panel.panels.note_routes import HANDLERS as NOTES
from panel.panels.pack_routes import HANDLERS as PACKS
from panel.panels.queued import QueuedMessages
from panel.panels.routes import HANDLERS as PANELS
from panel.plans.agreement_routes import HANDLERS as AGREEMENTS
from panel.plans.lead_routes import HANDLERS as LEADS
from panel.plans.measure_routes import HANDLERS as MEASURES
from panel.plans.routes import HANDLERS as PLANS
from panel.platform.clock import Clock
from panel.platform.database import Database
from panel.platform.erasure import DestroyedKeys, apply_list
from panel.platform.live import Live
from panel.platform.problems import (
    Conflict,
    Gone,
    NotFound,
    NotLetIn,
    NotSentYet,
    NotSignedIn,
    NotWorking,
    Problem,
    ShowAgain,
    TooLarge,
)
from panel.platform.sessions import LONGEST, SEEN_EVERY
from panel.platform.tables import HolderErased
from panel.platform.tenancy import AuthorityRecord, Tenant, authorities, keyring
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.records.rehearsal import Rehearsal
from panel.register.routes import HANDLERS as REGISTER
from panel.safe_to_serve import is_https
from panel.settings import Settings
from panel.sharing.agencies_routes import HANDLERS as AGENCIES
from panel.sharing.consequences import WhatWaits
from panel.sharing.order_routes import HANDLERS as ORDERS
from panel.sharing.override_routes import HANDLERS as OVERRIDES
from panel.sharing.restrict_routes import HANDLERS as RESTRICTIONS
from panel.sharing.routes import HANDLERS as SHARING
from panel.sharing.state import SharingFacts
from panel.web.manifest import read_manifest
from panel.web.render import Frame, Link, Renderer

log = structlog.get_logger()

LARGEST_BODY = 12 * 1024 * 1024
"""Bytes: a document of 10 MB and the form around it."""

ROOMS = (
    "accounts",
    "register",
    "assessments",
    "plans",
    "panels",
    "allocation",
    "impact",
    "casework",
    "sharing",
    "directory",
    "documents",
    "families",
    "governance",
    "exchange",
    "insight",
)

BY_ITSELF = "x-panel-by-itself"
"""A header of requests that a script makes because others changed something (live.js)."""

LISTENING: Mapping[str, MayListen] = {LIVE: may_listen}
"""Kinds of page that are told when something on them changes, and who may listen to one."""

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
        " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none';"
        " manifest-src 'self'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}

ONLY_HTTPS = {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}
"""Sent where people reach the site over https: for two years browsers try nothing else."""
SECURITY_TXT = "/.well-known/security.txt"
TOLD_FOR = timedelta(days=180)
"""How long security.txt may be relied on; each look renews it (RFC 9116 wants less than a year)."""


def make_site(
    record: AuthorityRecord,
    settings: Settings,
    database: Database,
    clock: Clock,
    renderer: Renderer,
    passwords: Passwords,
) -> Site:
    """One authority, ready to serve."""
    master = settings.key_service()
    ring = keyring(record, master)
    apply_list(database.url, record, ring, DestroyedKeys(settings.destroyed_keys), JOB)
    tenant = Tenant(record, database, ring, clock)
    rehearsal = Rehearsal((ComingMeetings(tenant), QueuedMessages(tenant), WhatWaits()))
    gate = Gate(tenant, SharingFacts())
    return Site(
        tenant,
        gate,
        renderer,
        settings.site_url,
        FamilyMarks(tenant),
        rehearsal=rehearsal,
        passwords=passwords,
        casework=CasesOfLeavers(),
        beside=RequestsBeside(),
        held_budget=BudgetOfPackages(),
        family_asks=Surveys(),
        systems=SystemsThatRead(),
        dated_settings=(*CASEWORK_SETTINGS, *GOVERNANCE_SETTINGS),
    )


def session_cookie(settings: Settings) -> str:
    """The cookie's name: bound to this host and to https, but in the demonstration."""
    return "__Host-panel" if settings.secure_cookies else "panel_session"


def make_app(
    settings: Settings,
    app_url: str,
    clock: Clock,
    *,
    compiled: Path | None = None,
    listening: Mapping[str, MayListen] = LISTENING,
    hashing: Hashing = HASHING,
) -> Litestar:
    """The site for every authority in the list. `app_url` is the serving role's database."""
    database = Database(app_url)
    renderer = Renderer(read_manifest(), rooms=ROOMS, compiled=compiled, help=HELP)
    passwords = Passwords(hashing)
    sites = {
        record.host: make_site(record, settings, database, clock, renderer, passwords)
        for record in authorities(app_url)
    }
    cookie = session_cookie(settings)
    live = Live(app_url, [site.tenant.record.schema_name for site in sites.values()])

    async def provide_desk(request: Request[Any, Any, Any]) -> Desk:
        site = _site_for(request, sites)
        token = request.cookies.get(cookie)
        who = None
        if token:
            # What a page asks for by itself is no sign that anybody sits before it.
            noted = LONGEST if BY_ITSELF in request.headers else SEEN_EVERY
            who = await signed_in(site.tenant, token, site.tenant.clock.now(), noted)
        check_side(request, who)
        if who is None:
            return Desk(site, request, None, None, ended=token)
        return Desk(site, request, token, who)

    async def close() -> None:
        passwords.close()
        await live.close()
        await database.close()

    return Litestar(
        route_handlers=[
            *_handlers(sites),
            *live_routes(live, listening),
            _alive,
            _ready(database),
            _security_txt(settings, clock),
            _static(),
        ],
        dependencies={"desk": Provide(provide_desk)},
        exception_handlers={
            Problem: _problem(renderer),
            NotSignedIn: _not_signed_in(renderer, sites, cookie),
            ShowAgain: _show_again(renderer),
            HomeIsElsewhere: _elsewhere,
            HTTPException: _http_problem(renderer),
            StaleDataError: _stale(renderer),
            HolderErased: _erased(renderer),
            Exception: _fault(renderer),
        },
        on_shutdown=[close],
        openapi_config=OpenAPIConfig(
            title="Panel",
            version="0.1",
            path="/api/schema",
            # As data only: the pages that come with it would load scripts from elsewhere.
            render_plugins=[JsonRenderPlugin(path="/")],
        ),
        request_max_body_size=LARGEST_BODY,
        before_send=[_secured(SECURITY_HEADERS | (ONLY_HTTPS if is_https(settings) else {}))],
        state=State({"sites": sites, "settings": settings, "cookie": cookie}),
        debug=False,
        logging_config=None,  # panel.platform.logs says how; Litestar's own would log URLs
    )


def _handlers(sites: dict[str, Site]) -> Sequence[Any]:
    demo = any(site.tenant.record.demo for site in sites.values())
    return [
        *ACCOUNTS,
        *PEOPLE,
        *SWITCHING,
        *REGISTER,
        *SHARING,
        *RESTRICTIONS,
        *ORDERS,
        *OVERRIDES,
        *AGENCIES,
        *DIRECTORY,
        *PUBLIC_DIRECTORY,
        *DOCUMENTS,
        *ASSESSMENTS,
        *LEADS,
        *PLANS,
        *MEASURES,
        *AGREEMENTS,
        *CASE,
        *PANELS,
        *PACKS,
        *NOTES,
        *ALLOCATION,
        *IMPACT,
        *QUALITY,
        *BULK,
        *NOTICES,
        *SETTINGS,
        *CASEWORK,
        *FAMILIES,
        *GOVERNANCE,
        *EXCHANGE,
        *INSIGHT,
        *REPORT,
        *SCENARIO,
        *WISHES,
        *LISTS,
        *SURVEYS,
        *SAID,
        *([*DEMO, *MAILBOX] if demo else []),
    ]


def _site_for(request: Request[Any, Any, Any], sites: dict[str, Site]) -> Site:
    if "\0" in request.scope["path"]:
        # PostgreSQL takes no text with it, so nothing has such a name.
        raise NotFound("There is no page at this address.")
    host = request.url.hostname or ""
    if host in sites:
        return sites[host]
    demo = [site for site in sites.values() if site.tenant.record.demo]
    if len(sites) == 1 and demo:
        return demo[0]
    raise NotFound("No authority is served at this address.")


@get("/health/live", include_in_schema=False, media_type=MediaType.TEXT)
async def _alive() -> str:
    return "alive"


def _ready(database: Database) -> HTTPRouteHandler:
    @get("/health/ready", include_in_schema=False, media_type=MediaType.TEXT)
    async def ready() -> Response[str]:
        try:
            async with database.connection(None) as connection:
                await connection.execute(text("SELECT 1"))
        except (SQLAlchemyError, psycopg.Error):
            return Response("The database does not answer.", status_code=503)
        return Response("ready")

    return ready


def _security_txt(settings: Settings, clock: Clock) -> HTTPRouteHandler:
    """Whom somebody tells who found a hole (RFC 9116)."""

    @get(SECURITY_TXT, include_in_schema=False, media_type=MediaType.TEXT)
    async def security_txt() -> str:
        if settings.security_contact is None:
            raise NotFound
        expires = (clock.now() + TOLD_FOR).replace(microsecond=0)
        return (
            f"Contact: {settings.security_contact}\n"
            f"Expires: {expires.strftime('%Y-%m-%dT%H:%M:%SZ')}\n"
            "Preferred-Languages: en\n"
            f"Canonical: {settings.site_url}{SECURITY_TXT}\n"
        )

    return security_txt


def _static() -> Router:
    built = Path(__file__).parent / "web" / "static" / "built"
    built.mkdir(parents=True, exist_ok=True)
    # The names carry the content's hash, so browsers may keep them for ever.
    return create_static_files_router(
        path="/static",
        directories=[built],
        include_in_schema=False,
        cache_control=CacheControlHeader(max_age=31_536_000, public=True, immutable=True),
        before_request=_could_be_a_file,
    )


LONGEST_FILE = 200


async def _could_be_a_file(request: Request[Any, Any, Any]) -> None:
    """Refuse names at which the operating system raises instead of finding nothing."""
    path = str(request.scope["path"])
    if len(path) > LONGEST_FILE or not path.isprintable():
        raise NotFound


def _secured(headers: Mapping[str, str]) -> Callable[[Message, Scope], Awaitable[None]]:
    """Every answer has the headers: pages, files, redirects, refusals and faults alike."""
    security = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def secured(message: Message, _scope: Scope) -> None:
        if message["type"] == "http.response.start":
            present = {name for name, _ in message["headers"]}
            message["headers"] = [
                *message["headers"],
                *(header for header in security if header[0] not in present),
            ]

    return secured


Handler = Callable[[Request[Any, Any, Any], Any], Response[Any]]


def _answer(renderer: Renderer, request: Request[Any, Any, Any], problem: Problem) -> Response[Any]:
    if f"{request.url.path}/".startswith(f"{FHIR}/"):
        answer = outcome_of(problem)
        answer.headers.update(_challenge(problem))
        return answer
    if request.url.path.startswith(("/api/", OPEN_REFERRAL)):
        is_open = request.url.path.startswith(OPEN_REFERRAL)
        return Response(
            {"title": problem.title, "detail": problem.sentence, "status": problem.status},
            status_code=problem.status,
            media_type="application/problem+json",
            headers=(OPEN if is_open else {}) | PRIVATE | _challenge(problem),
        )
    if isinstance(problem, NotSentYet):
        return _not_sent_yet(renderer, problem)
    page = renderer.page(
        "conflict.html" if isinstance(problem, Conflict) else "error.html",
        Frame(),
        sentence=problem.title,
        advice=[words for words in (problem.sentence, problem.what_to_do) if words],
        links=[Link("Go to the first page", "/")],
        reference=problem.reference if isinstance(problem, NotWorking) else "",
        clashes=problem.clashes if isinstance(problem, Conflict) else (),
    )
    return Response(
        page,
        status_code=problem.status,
        media_type=MediaType.HTML,
        headers=PRIVATE,
    )


def _not_sent_yet(renderer: Renderer, problem: NotSentYet) -> Response[Any]:
    page = renderer.page(
        "not_sent_yet.html",
        Frame(csrf_token=problem.csrf_token),
        problem=problem,
        # What a person typed, not what a page gave its form or a list its choices.
        texts=[said for name, said in problem.fields if name[:1] != "_" and " " in said.strip()],
    )
    return Response(page, status_code=problem.status, media_type=MediaType.HTML, headers=PRIVATE)


def _challenge(problem: Problem) -> dict[str, str]:
    if isinstance(problem, NotLetIn):
        return {"WWW-Authenticate": problem.challenge}
    return {}


def _problem(renderer: Renderer) -> Handler:
    def handle(request: Request[Any, Any, Any], problem: Problem) -> Response[Any]:
        return _answer(renderer, request, problem)

    return handle


def _not_signed_in(renderer: Renderer, sites: dict[str, Site], cookie: str) -> Handler:
    """Who opens a page is shown where to sign in, and goes on to it; others are only refused."""

    def handle(request: Request[Any, Any, Any], problem: NotSignedIn) -> Response[Any]:
        if isinstance(problem, NotSentYet) or not _is_for_reading(request):
            return _answer(renderer, request, problem)
        brought = request.cookies.get(cookie)
        desk = Desk(_site_for(request, sites), request, None, None, ended=brought)
        if f"{request.url.path}/".startswith(f"{FAMILY_HOME}/"):
            return family_entering_instead(desk, problem)
        return entering_instead(desk, problem)

    return handle


def _show_again(renderer: Renderer) -> Handler:
    def handle(request: Request[Any, Any, Any], problem: ShowAgain) -> Response[Any]:
        if not _is_for_reading(request):
            return _answer(renderer, request, problem)
        return go(problem.path)

    return handle


def _is_for_reading(request: Request[Any, Any, Any]) -> bool:
    """Whether a person opens a page, as far as the browser says: no script, channel or program."""
    return (
        request.method == "GET"
        and not request.url.path.startswith(("/api/", "/fhir/", "/live/"))
        and BY_ITSELF not in request.headers
        and request.headers.get("sec-fetch-dest", "document") == "document"
    )


def _elsewhere(_request: Request[Any, Any, Any], found: HomeIsElsewhere) -> Response[Any]:
    return go(found.path)


def _http_problem(renderer: Renderer) -> Handler:
    def handle(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
        problems: dict[int, Problem] = {
            404: NotFound(),
            401: NotSignedIn(),
            413: TooLarge(LARGEST_BODY),
        }
        problem = problems.get(error.status_code) or Problem(
            error.status_code,
            "This did not work",
            "The address or the form is not one that this service understands.",
            "Go back, reload the page and try again.",
        )
        return _answer(renderer, request, problem)

    return handle


def _stale(renderer: Renderer) -> Handler:
    def handle(request: Request[Any, Any, Any], _error: StaleDataError) -> Response[Any]:
        return _answer(renderer, request, Conflict(()))

    return handle


def _erased(renderer: Renderer) -> Handler:
    def handle(request: Request[Any, Any, Any], error: HolderErased) -> Response[Any]:
        return _answer(renderer, request, Gone(str(error)))

    return handle


def _fault(renderer: Renderer) -> Handler:
    def handle(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        reference = uuid4().hex[:8]
        # The text of an error can hold what somebody typed: only its kind and place are logged.
        log.error(
            "request failed",
            reference=reference,
            kind=type(error).__name__,
            at=[f"{f.filename}:{f.lineno} {f.name}" for f in extract_tb(error.__traceback__)],
        )
        return _answer(renderer, request, NotWorking(reference))

    return handle
