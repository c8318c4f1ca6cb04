"""Systems of agencies that look at everything that is exchanged, by the same rule as people.

Families agree for them to all sorts of things; what is withheld from an agency by a restriction or
a court is withheld from its system too.
"""

from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import select

from consent import Relationship, Span, Tie, Viewer, ViewerKind
from interop.served import SERVED
from panel.exchange.clients import KeysGiven, NewClient, register_client
from panel.exchange.history import keep_versions
from panel.exchange.sources import IN_A_RECORD
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.register.models import Involvement
from panel.sharing.models import SharingAgreement
from tests.exchange.signing import ec_pair
from tests.exchange.web import give_token
from tests.hostile.canary_crawl import SITE, Crawl, Visitor
from tests.hostile.canary_rule import read_rule
from tests.hostile.canary_world import World
from tests.in_memory import way_to

FHIR = "/fhir/R4"
OF_AGENCIES = ("health-visiting", "larkfield", "together")
"""A trust's, a school's, a charity's."""
TO = ((None, ()), ("basic", ()), ("additional", ()), (None, ("identity", "family", "plan")))
"""To what a family agrees, by turns: nothing, a level, or what it names."""


async def systems(crawl: Crawl, tenant: Tenant, world: World) -> list[Visitor]:
    """A system of each of three agencies, with what families agreed to for it."""
    found = []
    async with tenant.transaction(JOB) as session:
        for turn, key in enumerate(OF_AGENCIES):
            agency = world.agencies[key]
            keys = KeysGiven(_jwks(f"of-{key}"), "")
            client = await register_client(
                session, NewClient(f"of-{key}", f"Of {key}", agency.id, "system/*.rs", keys)
            )
            for place, child in enumerate(world.children.values()):
                level, named = TO[(place + turn) % len(TO)]
                if level or named:
                    session.add(_agreement(world, child, agency.id, level, named))
            found.append(Viewer(client.id, ViewerKind.CLIENT, agency.id, agency.kind))
        await session.flush()
        await keep_versions(session, tenant.clock.now())
        parts = list(await session.scalars(select(Involvement)))
    crawl.rule = await read_rule(tenant, crawl.owner_url)
    crawl.rule.viewers |= {one.id: one for one in found}
    for part in parts:
        # A system is tied to whom its agency works with, as long as it does.
        state = crawl.rule.states[part.child_id]
        tied = tuple(
            Relationship(Tie.CLIENT, one.id, Span(part.from_on, part.until_on))
            for one in found
            if one.agency == part.agency_id and part.from_on is not None
        )
        crawl.rule.states[part.child_id] = replace(
            state, relationships=(*state.relationships, *tied)
        )
    return [
        Visitor(f"the system {key}", one, "client")
        for key, one in zip(OF_AGENCIES, found, strict=True)
    ]


def _jwks(kid: str) -> str:
    return str({"keys": [ec_pair(kid).public()]}).replace("'", '"')


def _agreement(
    world: World, child: UUID, agency: UUID, level: str | None, named: tuple[str, ...]
) -> SharingAgreement:
    return SharingAgreement(
        child_id=child, given=True, by_person_id=world.parents[child]["mother"],
        capacity="parental_responsibility", by_words="Her mother", agencies=[agency], level=level,
        named=list(named), purposes=["exchange"], from_on=world.held - timedelta(days=30),
    )  # fmt: skip


@asynccontextmanager
async def _at_the_door(crawl: Crawl, visitor: Visitor) -> AsyncIterator[httpx.AsyncClient]:
    token = await give_token(crawl.tenant, visitor.viewer.id, f"of-{visitor.viewer.id}")
    async with httpx.AsyncClient(
        transport=way_to(crawl.app), base_url=SITE, headers={"Authorization": f"Bearer {token}"}
    ) as system:
        yield system


async def look_round(crawl: Crawl, visitor: Visitor) -> None:
    """Every child's whole record, every type, and the past of whatever was found."""
    crawl.told.visitors += 1
    async with _at_the_door(crawl, visitor) as system:

        async def ask(route: str, url: str) -> Mapping[str, Any]:
            answer = await system.get(f"{FHIR}{url}")
            crawl.judge(visitor, f"{FHIR}{route}", "GET", _opened(answer))
            said: Mapping[str, Any] = answer.json()
            return said

        crawl.looks()
        names: set[str] = set()
        for child in crawl.known:
            whole = await ask(
                "/{resource:str}/{row:str}/$everything", f"/Patient/{child}/$everything"
            )
            names |= {
                f"{one['resource']['resourceType']}/{one['resource']['id']}"
                for one in whole.get("entry", ())
            }
        for kind, row in SERVED.items():
            back = "".join(
                f"&_include={kind}:{param.name}"
                for param in row.params
                if param.kind == "reference" and not param.canonical
            )
            await ask("/{resource:str}", f"/{kind}?_count=100{back}")
        for name in sorted(names):
            if name.partition("/")[0] in IN_A_RECORD:
                await ask("/{resource:str}/{row:str}/_history", f"/{name}/_history")
        for child in crawl.known:
            for kind in ("Patient", "Flag", "Condition", "CareTeam"):
                await ask("/{resource:str}/{row:str}", f"/{kind}/{child}")


def _opened(answer: httpx.Response) -> httpx.Response:
    """The answer with what is inside in Base64 beside it, to be read as well."""
    inside = [
        b64decode(attachment["attachment"]["data"]).decode()
        for one in answer.json().get("entry", ())
        for attachment in one["resource"].get("content", ())
        if "data" in attachment.get("attachment", {})
    ]
    return httpx.Response(
        answer.status_code, request=answer.request, text="\n".join([answer.text, *inside])
    )
