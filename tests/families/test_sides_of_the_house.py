"""Families stay on their side of the house and workers on theirs: every route is tried."""

import re
from collections.abc import Awaitable, Callable, Iterator
from typing import cast
from uuid import UUID, uuid4

import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute
from sqlalchemy import Table

from panel.directory import models
from panel.platform.clock import FixedClock
from panel.platform.sessions import forgery_token, start
from panel.platform.tables import Base
from panel.platform.tenancy import Tenant
from tests.families.household import Client, Family, words

SignInAs = Callable[[UUID, str], Awaitable[str]]

NOT_PAGES = ("/static", "/health", "/api/schema", "/metrics", "/.well-known")
NO_CASE_DATA = frozenset({
    "/", "/panels", "/calendar", "/directory", "/directory/match", "/directory/providers",
    "/sign-in/again", "POST /sign-in/again/passkey/challenge",
    "/me/sign-in", "/me/sign-in/set-up",
    "/me/sign-in/password", "/me/sign-in/password/change", "/me/sign-in/recovery-codes",
    "/me/sign-in/passkeys/new", "POST /me/sign-in/passkeys/challenge",
    "/commissioning", "/commissioning/gap", "/commissioning/methods", "/commissioning/outcome-cost",
    "/commissioning/releases", "/commissioning/said", "/commissioning/said/new", "/commissioning/scenario",
    "/commissioning/tables", "/commissioning/unmet-need",
    "/commissioning/waits", "/commissioning/wishes", "/commissioning/wishes/new",
    "POST /commissioning/wishes/new", "/api/v1/releases",
    "/my-tasks", "/my-notices", "/settings", "/elsewhere", "/elsewhere/confirm",
    "POST /my-notices/calendar", "POST /my-notices/calendar/revoke",
    "POST /me/sign-in/sessions/end-others", "POST /me/sign-in/sessions/{session_id}/end",
})  # fmt: skip
"""What a worker without case data may open: which panels they sit on, when those meet, which services
the directory knows (it knows no child: `test_the_directory_knows_no_child`), what is published of all
children together, and how they sign in themselves."""
MEND = (
    "A handler is for workers unless it says otherwise: give it opt=FOR_FAMILIES or FOR_ANYBODY"
    " (panel.accounts.desk) only if its page is for them. A handler for workers asks who they are"
    " (desk.viewer, desk.require, desk.gate.open) before it reads or changes anything."
)


def routes(app: Litestar) -> Iterator[tuple[str, str, str]]:
    """Every (method, path, side) of the site, but for what is no page."""
    for route in app.routes:
        if not isinstance(route, HTTPRoute) or route.path.startswith(NOT_PAGES):
            continue
        for handler in route.route_handlers:
            for method in sorted(set(handler.http_methods) & {"GET", "POST", "PUT", "DELETE"}):
                yield method, route.path_format, handler.opt.get("panel_side", "worker")


def address(path: str, family: Family) -> str:
    """A path with this child, this panel and its next meeting in the places of parameters."""
    known = {
        "child_id": str(family.child), "key": "contacts", "held_on": "2026-12-03", "number": "1",
    }  # fmt: skip

    def filled(found: re.Match[str]) -> str:
        name = found[1]
        return known.get(name) or (str(uuid4()) if name.endswith("_id") else "contacts")

    return re.sub(r"\{(\w+)(?::\w+)?\}", filled, path)


async def walk(client: Client, app: Litestar, family: Family, token: str) -> dict[str, int]:
    """What every worker's route answers: "GET /children" → status."""
    answers = {}
    forgery = {"_csrf_token": forgery_token(token)} if token else {}
    for method, path, side in routes(app):
        if side == "worker":
            answer = await client.request(
                method,
                address(path, family),
                data=forgery if method == "POST" else None,
                follow_redirects=False,
            )
            assert "Freya" not in answer.text, f"{method} {path} names the child. {MEND}"
            answers[f"{method} {path}"] = answer.status_code
    return answers


@pytest.fixture
async def signed_in_as(client: Client, tenant: Tenant, clock: FixedClock) -> SignInAs:
    """Sign somebody in and return the cookie's value."""

    async def signed_in(viewer: UUID, kind: str) -> str:
        async with tenant.transaction() as session:
            token = await start(session, viewer, kind, clock.now())
        client.cookies.set("panel_session", token)
        return token

    return signed_in


async def test_a_parent_is_refused_on_every_page_of_workers(
    client: Client, app: Litestar, family: Family, signed_in_as: SignInAs
) -> None:
    token = await signed_in_as(family.mother, "family")
    answers = await walk(client, app, family, token)
    assert len(answers) > 30
    assert answers.pop("GET /") == 303
    assert (await client.get("/", follow_redirects=False)).headers["location"] == "/family"
    opened = {route: status for route, status in answers.items() if status != 403}
    assert not opened, f"A parent was not refused: {opened}. {MEND}"
    refused = await client.get(f"/children/{family.child}")
    assert "This page is for the people who work with families." in words(refused.text)
    assert "Freya" not in refused.text


async def test_a_commissioner_is_refused_whatever_holds_case_data(
    client: Client, app: Litestar, family: Family, signed_in_as: SignInAs
) -> None:
    token = await signed_in_as(family.commissioner, "worker")
    answers = await walk(client, app, family, token)
    opened = {
        route: status
        for route, status in answers.items()
        # 422: an empty form, refused before anybody was asked about.
        if status not in (401, 403, 404, 422) and route.removeprefix("GET ") not in NO_CASE_DATA
    }
    assert not opened, f"A commissioner was not refused: {opened}. {MEND}"


def test_the_directory_knows_no_child() -> None:
    """None of its tables has a column for a child or a family, or leads to a table that does.

    So its pages are open to workers without case data.
    """
    tables = [
        cast("Table", mapper.local_table)
        for mapper in Base.registry.mappers
        if mapper.class_.__module__ == models.__name__
    ]
    own = {table.name for table in tables}
    assert own >= {"provider", "service"}
    for table in tables:
        named = {key.column.table.name for key in table.foreign_keys}
        assert named <= own, f"{table.name} leads to {named - own}."
        about = {column.name for column in table.columns} & {"child_id", "family_member_id"}
        assert not about, f"{table.name} has {about}."


async def test_a_visitor_who_is_not_signed_in_is_refused(
    client: Client, app: Litestar, family: Family
) -> None:
    answers = await walk(client, app, family, "")
    opened = {
        route: status
        for route, status in answers.items()
        if status not in (303, 401, 403, 404, 410)
    }
    assert not opened, f"Somebody who is not signed in was not refused: {opened}. {MEND}"
    for path in ("/family", f"/family/{family.child}/tell"):
        assert (await client.get(path)).status_code == 401


async def test_a_worker_is_refused_on_every_page_of_families(
    client: Client, app: Litestar, family: Family, signed_in_as: SignInAs
) -> None:
    await signed_in_as(family.rosa, "worker")
    for method, path, side in routes(app):
        if side == "family":
            answer = await client.request(method, address(path, family), follow_redirects=False)
            assert answer.status_code == 403, f"{method} {path} answered a worker. {MEND}"
            assert "for parents, carers and young people" in words(answer.text)


async def test_a_parent_signs_out(client: Client, family: Family, signed_in_as: SignInAs) -> None:
    token = await signed_in_as(family.mother, "family")
    answer = await client.post(
        "/sign-out", data={"_csrf_token": forgery_token(token)}, follow_redirects=False
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/signed-out")
    assert (await client.get("/family")).status_code == 401
