"""What of the directory fits a child, and asking for it."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from panel.accounts.desk import Desk
from panel.accounts.taking import take
from panel.allocation import request_forms as forms
from panel.allocation.looking import Said, looked_for
from panel.allocation.packages import money_purposes, package_for_reading
from panel.allocation.request_pages import address_of
from panel.allocation.request_service import (
    WRITERS,
    choose_service,
    may_read,
    request_of,
)
from panel.allocation.rules import RequestState
from panel.directory.pages import found_row, match_page
from panel.directory.searching import Sought, place_in_list, search_services
from panel.directory.service import match
from panel.directory.vocabulary import ACCESS, LANGUAGES, NEEDS
from panel.platform.problems import NotFound
from panel.records.gate import Access, Withheld
from panel.register.header import child_header
from panel.web.forms import FieldErrors, Filled

SERVICES = "/children/{child_id:uuid}/services"
AS_ON_RECORD = Said()
LOOKING = "looked for services that fit"


def services_address(child_id: UUID) -> str:
    """Where it is shown what fits a child."""
    return f"/children/{child_id}/services"


async def _page(
    desk: Desk,
    child_id: UUID,
    request_id: UUID | None,
    said: Said = AS_ON_RECORD,
    words: str = "",
    page: str = "",
    errors: FieldErrors | None = None,
    package_id: UUID | None = None,
) -> Response[str]:
    purposes = money_purposes(desk.viewer, desk.purposes) if package_id else None
    async with desk.open(child_id, LOOKING, purposes) as access:
        looked = await looked_for(access, said)
        line = "" if package_id is None else await _line_of(access, package_id)
        asks = bool(access.ties & WRITERS) and not line
        draft = None
        if request_id is not None:
            request = await request_of(access, request_id)
            is_open = request.state == RequestState.DRAFT and may_read(access, request)
            draft = request if is_open and asks else None
        here = services_address(child_id)
        whole = {"asking": request_id, "package": package_id}
        kept = [(name, str(one)) for name, one in whole.items() if one is not None]
        shown: dict[str, Any] = {"found": None, "rows": (), "previous": None, "next": None}
        if words:
            listed = await search_services(access.session, Sought(words), place_in_list(page))
            shown = {
                "found": None,
                "rows": [found_row(looked.wanted, *one, access.today) for one in listed.rows],
                "note": listed.note,
                "previous": _other(here, kept, said, words, listed.previous),
                "next": _other(here, kept, said, words, listed.next),
            }
        else:
            shown["found"] = match_page(await match(access.session, looked.wanted))
        return desk.page(
            "allocation/services.html",
            status=200 if errors is None else 422,
            header=await child_header(access),
            here="requests",
            looked=looked,
            words=words,
            address=here,
            all_href=f"{here}?{urlencode(kept)}" if kept else here,
            draft=draft,
            draft_href="" if draft is None else address_of(child_id, draft.id),
            asks=asks,
            line=line,
            kept=kept,
            filled=Filled({}, errors),
            needs=list(NEEDS.items()),
            languages=list(LANGUAGES.items()),
            accesses=list(ACCESS.items()),
            **shown,
        )


async def _line_of(access: Access, package_id: UUID) -> str:
    """Where a package takes a line. Raises NotFound."""
    one = await package_for_reading(access, package_id)
    if isinstance(one, Withheld):
        raise NotFound
    return f"/children/{access.child_id}/packages/{one.id}/steps/line"


def _other(
    here: str, kept: Sequence[tuple[str, str]], said: Said, words: str, page: str | None
) -> str | None:
    """The address of another page of what was found."""
    if not page:
        return None
    asked = [("words", words), *kept]
    if said != AS_ON_RECORD:
        asked += [("said", "yes"), ("language", said.language or "")]
        asked += [("need", one) for one in said.needs or ()]
        asked += [("access", one) for one in said.access or ()]
    return f"{here}?{urlencode([*asked, ('page', page)])}"


async def services_again(
    desk: Desk, child_id: UUID, request_id: UUID | None, errors: FieldErrors
) -> Response[Any]:
    """What fits, with why a service cannot be asked for."""
    return await _page(desk, child_id, request_id, errors=replace(errors, typed={}))


@get(SERVICES, include_in_schema=False)
async def services_page(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    asking: FromQuery[UUID | None] = None,
    package: FromQuery[UUID | None] = None,
    words: FromQuery[str] = "",
    said: FromQuery[str] = "",
    need: FromQuery[list[str] | None] = None,
    language: FromQuery[str] = "",
    access: FromQuery[list[str] | None] = None,
    page: FromQuery[str] = "",
) -> Response[str]:
    """The services that fit the child, and why others do not; or those of some words.

    For a request that is `asking`, or for a line of a `package`.
    """
    instead = AS_ON_RECORD
    if said == "yes":
        instead = Said(
            tuple(one for one in NEEDS if one in (need or ())),
            language if language in LANGUAGES else "",
            tuple(one for one in ACCESS if one in (access or ())),
        )
    sought = words.replace("\0", "").strip()[:200]
    return await _page(desk, child_id, asking, instead, sought, page, package_id=package)


@post("/children/{child_id:uuid}/requests/{need_id:uuid}/service", include_in_schema=False)
async def choose(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], need_id: FromPath[UUID]
) -> Response[Any]:
    """Ask for this service in a draft."""

    async def work(access: Access, form: forms.ServiceForm) -> None:
        await choose_service(access, need_id, form.service_id, form.version)

    return await take(
        desk,
        forms.ServiceForm,
        partial(desk.open, child_id, "wrote a request for service"),
        work,
        f"{address_of(child_id, need_id)}#service_id",
        again=partial(services_again, desk, child_id, need_id),
    )


HANDLERS = [services_page, choose]
