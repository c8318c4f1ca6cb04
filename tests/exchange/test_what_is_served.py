"""The CapabilityStatement is true: what it says can be done, and nothing besides.

Every interaction of every type is tried over HTTP, those that are told of and those that are not;
so is every search parameter. Whatever is refused is an OperationOutcome.
"""

from collections.abc import Iterable
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from interop.served import SERVED
from panel.platform.ids import new_id
from panel.platform.tenancy import Tenant
from tests.exchange.conftest import Systems
from tests.exchange.web import Web, give_token

pytestmark = pytest.mark.database
NOBODY = str(new_id())
R4_TYPES = ("Observation", "Patient2", "patient", "List", "Medication", "Binary")


@pytest.fixture
async def web(client: AsyncTestClient[Litestar], tenant: Tenant, systems: Systems) -> Web:
    """The school's system, with a token for reading everything."""
    return Web(client, await give_token(tenant, systems.school_id, "a-token"))


def codes(listed: Iterable[dict[str, Any]]) -> set[str]:
    return {one["code"] for one in listed}


async def test_what_is_told_is_what_is_done(web: Web) -> None:
    _, statement = await web.ask("GET", "/metadata")
    rest = statement["rest"][0]
    told = {one["type"]: one for one in rest["resource"]}
    assert set(told) >= set(SERVED)
    for kind, row in told.items():
        interactions = codes(row["interaction"])
        for interaction, path in (
            ("search-type", f"/{kind}"),
            ("read", f"/{kind}/{NOBODY}"),
            ("vread", f"/{kind}/{NOBODY}/_history/1"),
            ("history-instance", f"/{kind}/{NOBODY}/_history"),
        ):
            status, said = await web.ask("GET", path)
            if interaction in interactions:
                # What is not there is answered so; that there is no such thing to do, otherwise.
                assert status == 200 or said["issue"][0]["code"] == "not-found", (kind, said)
            elif kind in SERVED:
                assert said["issue"][0]["code"] == "not-supported", (kind, interaction)
            else:
                assert status == 404, (kind, interaction)
        for interaction, method, path in (
            ("create", "POST", f"/{kind}"),
            ("update", "PUT", f"/{kind}/{NOBODY}"),
            ("delete", "DELETE", f"/{kind}/{NOBODY}"),
            ("patch", "PATCH", f"/{kind}/{NOBODY}"),
        ):
            status, said = await web.ask(method, path, json={"resourceType": kind})
            if interaction in interactions:
                # The token is for reading only.
                assert said["issue"][0]["code"] == "forbidden", (kind, interaction, said)
            else:
                assert status in (404, 405), (kind, interaction, status)
    for kind in R4_TYPES:
        status, said = await web.ask("GET", f"/{kind}")
        assert (status, said["issue"][0]["code"]) == (404, "not-supported")


async def test_every_parameter_that_is_told_of_is_searched_by(web: Web) -> None:
    _, statement = await web.ask("GET", "/metadata")
    values = {"token": "x", "reference": NOBODY, "date": "ge2020", "string": "Nobodyname"}
    for row in statement["rest"][0]["resource"]:
        kind = row["type"]
        if "search-type" not in codes(row["interaction"]):
            continue
        for param in row["searchParam"]:
            known = SERVED[kind].param(param["name"]) if kind in SERVED else None
            value = known.codes[0] if known and known.codes else values.get(param["type"], "u:x")
            status, said = await web.ask("GET", f"/{kind}", params={param["name"]: value})
            assert status == 200, (kind, param["name"], said)
        for what in ("searchInclude", "searchRevInclude"):
            for include in row.get(what, ()):
                name = "_include" if what == "searchInclude" else "_revinclude"
                status, said = await web.ask("GET", f"/{kind}", params={name: include})
                assert status == 200, (kind, include, said)
        status, said = await web.ask("GET", f"/{kind}", params={"no-such-parameter": "1"})
        assert status == 400
        assert said["issue"][0]["expression"] == ["no-such-parameter"]


async def test_only_json_and_only_with_a_token(web: Web) -> None:
    for path in ("/Patient", "/Patient?_format=xml", f"/Patient/{NOBODY}", "/metadata"):
        headers = {} if "_format" in path else {"Accept": "application/fhir+xml"}
        status, _ = await web.ask("GET", path, headers=headers)
        assert status == 406, path
    everywhere = await web.client.get("/fhir/R4/metadata")
    assert everywhere.status_code == 200
    without = await web.client.get("/fhir/R4/Patient")
    assert without.status_code == 401
    assert without.headers["www-authenticate"].startswith("Bearer")
