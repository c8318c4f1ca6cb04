"""FHIR over HTTP: another authority hands a child over, asks how it stands, takes it back.

POST /fhir/R4/$hand-over                      the signed document → its Task
GET  /fhir/R4/$hand-over/{identifier}         → its Task
POST /fhir/R4/$hand-over/{identifier}/$withdraw → its Task
"""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from interop.handed import TaskTold, task
from interop.outcome import Issue, not_found
from interop.search_values import as_uuid
from panel.accounts.desk import Desk
from panel.exchange import handing_over_in as service
from panel.exchange.entering import client_of
from panel.exchange.fhir_routes import BASE, AnyRequest, NotDone, require_json, said
from panel.exchange.handing_over import OPERATION
from panel.exchange.inbox_routes import ROUTE, body_of

HERE = f"{BASE}/{OPERATION}"


def _identifier(given: str) -> UUID:
    found = as_uuid(given)
    if found is None:
        raise NotDone(not_found())
    return found


def _answer(identifier: UUID, told: TaskTold) -> Response[Any]:
    return said(task(identifier, told))


@post(HERE, status_code=200, **ROUTE)
async def hand_over(desk: NamedDependency[Desk], request: AnyRequest) -> Response[Any]:
    """Take a document in; the same again is answered as it stands by now."""
    client = await client_of(desk)
    client.require("Bundle", "c")
    body = await body_of(request)
    try:
        identifier, told = await service.receive_handover(desk.tenant, client, body)
    except service.Refused as refused:
        raise NotDone(Issue("invalid", refused.sentence), status=refused.status) from refused
    return _answer(identifier, told)


@get(f"{HERE}/{{identifier:str}}", **ROUTE)
async def how_it_stands(
    desk: NamedDependency[Desk], request: AnyRequest, identifier: FromPath[str]
) -> Response[Any]:
    """How a document of the sender's own stands."""
    require_json(request)
    client = await client_of(desk)
    client.require("Task", "r")
    known = _identifier(identifier)
    told = await service.received_state(desk.tenant, client, known)
    if told is None:
        raise NotDone(not_found())
    return _answer(known, told)


@post(f"{HERE}/{{identifier:str}}/$withdraw", status_code=200, **ROUTE)
async def take_back(
    desk: NamedDependency[Desk], request: AnyRequest, identifier: FromPath[str]
) -> Response[Any]:
    """Take a document back that nobody answered; an answer that was given stands."""
    require_json(request)
    client = await client_of(desk)
    client.require("Bundle", "c")
    known = _identifier(identifier)
    return _answer(known, await service.withdrawn_there(desk.tenant, client, known))


HANDLERS = [hand_over, how_it_stands, take_back]
