"""Open Referral UK 3.0 goes in and out again without loss, and what goes out is good."""

import json
import os
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from panel.directory.importing import import_services
from panel.platform.tenancy import Tenant
from tests.directory.invented import as_page, invented_services

SHARED = Path(__file__).parents[3] / "shared" / "data" / "open-referral-uk"
Json = dict[str, Any]


def validator(name: str) -> jsonschema_rs.Validator:
    """A compiled schema of the profile, with formats looked at."""
    schema = json.loads((SHARED / "schema" / "compiled" / name).read_text("utf-8"))
    return jsonschema_rs.validator_for(schema, validate_formats=True)


needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"The examples and schemas of Open Referral UK are not at {SHARED}"
)
HOW_MANY = 5_000 if os.environ.get("PANEL_SOAK") else 400
"""The whole of it with PANEL_SOAK=1: half a minute."""

Browser = AsyncTestClient[Litestar]


async def walked(client: Browser, path: str, per_page: int = 100) -> list[Json]:
    """Every item of a list, page by page, as a reader of it does."""
    found: list[Json] = []
    number = 1
    while True:
        joint = "&" if "?" in path else "?"
        answer = await client.get(f"{path}{joint}page={number}&per_page={per_page}")
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert page["page_number"] == number
        assert page["size"] == len(page["contents"])
        assert page["first_page"] is (number == 1)
        assert page["empty"] is (not page["contents"])
        found += page["contents"]
        if page["last_page"]:
            assert page["total_items"] == len(found)
            assert number == max(page["total_pages"], 1)
            return found
        assert page["size"] == per_page
        number += 1


@needs_shared
async def test_the_examples_of_the_standard_come_back_as_they_were(
    client: Browser, tenant: Tenant
) -> None:
    examples = SHARED / "examples"
    for name in ("service_full.json", "service_list.json", "organization_full.json"):
        report = await import_services(tenant, (examples / name).read_bytes(), name)
        assert report.services == 1, report.problems
    full = json.loads((examples / "service_full.json").read_text("utf-8"))
    organization = json.loads((examples / "organization_full.json").read_text("utf-8"))
    listed = json.loads((examples / "service_list.json").read_text("utf-8"))
    service = (await client.get(f"/open-referral/services/{full['id']}")).json()
    assert service == full
    said = (await client.get(f"/open-referral/organizations/{organization['id']}")).json()
    assert said == organization
    page = (await client.get("/open-referral/services")).json()
    assert page["contents"] == listed["contents"]
    validator("service.json").validate(service)
    validator("organization.json").validate(said)
    at = (await client.get("/open-referral/service_at_locations")).json()["contents"][0]
    place = (await client.get(f"/open-referral/service_at_locations/{at['id']}")).json()
    validator("service_at_location.json").validate(place)
    # The example stands at 100 degrees north: kept, and no distance is told from it.
    report = await import_services(tenant, (examples / "service_full.json").read_bytes(), "again")
    assert (report.added, report.changed, report.known) == (0, 0, 1)
    assert [one.what for one in report.problems] == ["latitude"]


async def test_a_whole_directory_comes_back_and_goes_on_to_another(
    client: Browser, tenant: Tenant
) -> None:
    sent = invented_services(seed=7, number=HOW_MANY)
    content = json.dumps(as_page(sent)).encode()
    report = await import_services(tenant, content, "ours.json")
    assert (report.added, len(report.problems)) == (HOW_MANY, 0), report.problems[:3]
    listed = await walked(client, "/open-referral/services")
    assert len({one["id"] for one in listed}) == HOW_MANY == len(listed)
    back = await walked(client, "/open-referral/services?full=true")
    assert {one["id"]: one for one in back} == {one["id"]: one for one in sent}
    again = await import_services(tenant, json.dumps(back).encode(), "back.json")
    assert (again.added, again.changed, again.known) == (0, 0, HOW_MANY)
    if SHARED.is_dir():
        for check, items in (
            (validator("service.json"), back),
            (validator("service_list.json"), listed),
        ):
            for one in items:
                check.validate(one)
