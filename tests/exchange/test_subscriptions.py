"""A system keeps its own subscriptions over HTTP, and those of no other."""

from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from fhir.resources.R4B.parameters import Parameters
from litestar import Litestar
from litestar.testing import AsyncTestClient

from interop.capability import statement
from interop.outcome import Refused
from interop.subscriptions import TYPE, read
from panel.exchange.entering import Client
from panel.exchange.subscription_routes import HERE
from panel.exchange.subscriptions import SUBSCRIBABLE
from panel.exchange.telling_models import Subscription
from panel.platform.clock import FixedClock
from panel.platform.tenancy import Tenant
from tests.exchange.conftest import SITE_URL
from tests.exchange.signing import Pair, Signer, ec_pair
from tests.exchange.telling import SECRET, system_of, written
from tests.exchange.test_coming_in import token_of
from tests.sharing.family import Family

Browser = AsyncTestClient[Litestar]
TOKENS = f"{SITE_URL}/fhir/R4/auth/token"
LOOPBACK = "http://127.0.0.1:9/told"


class System:
    """A system that comes in with a token of its own."""

    def __init__(self, browser: Browser, client: Client, pair: Pair, now: float) -> None:
        self.browser, self.client = browser, client
        self.signer = Signer(client.key, pair, TOKENS, now)
        self.head: dict[str, str] = {}

    def comes_in_again(self, clock: FixedClock) -> None:
        """With another token, since time went on."""
        self.signer.now, self.head = clock.now().timestamp(), {}

    async def ask(self, method: str, path: str, body: object = None, **head: str) -> httpx.Response:
        if not self.head:
            token = await token_of(self.browser, self.signer, "system/*.cruds")
            self.head = {"Authorization": f"Bearer {token}"}
        content = None if body is None else msgspec.json.encode(body)
        kind = {} if body is None else {"Content-Type": "application/fhir+json"}
        named = {name.replace("_", "-"): value for name, value in head.items()}
        return await self.browser.request(
            method, path, content=content, headers=self.head | kind | named
        )


async def comes_in(
    browser: Browser, tenant: Tenant, agency: Any, key: str, scopes: str = "system/*.cruds"
) -> System:
    pair = ec_pair(f"{key}-1")
    client = await system_of(tenant, agency, key, pair, scopes)
    return System(browser, client, pair, tenant.clock.now().timestamp())


@pytest.fixture
async def gp(client: Browser, tenant: Tenant, family: Family) -> System:
    return await comes_in(client, tenant, family.health, "gp")


async def test_it_makes_reads_changes_and_takes_away_its_own(
    gp: System, client: Browser, tenant: Tenant, family: Family
) -> None:
    made = await gp.ask("POST", HERE, written(LOOPBACK, f"CarePlan?patient={family.child}"))
    assert made.status_code == 201, made.text
    told = made.json()
    assert told["status"] == "requested"
    assert told["criteria"] == f"CarePlan?patient={family.child}"
    assert SECRET not in made.text
    here = f"{HERE}/{told['id']}"
    assert made.headers["location"].endswith(here)
    assert (await gp.ask("GET", here)).json() == told
    listed = (await gp.ask("GET", f"{HERE}?status=requested,active")).json()
    assert [one["resource"]["id"] for one in listed["entry"]] == [told["id"]]
    assert (await gp.ask("GET", f"{HERE}?status=off")).json()["total"] == 0
    changed = told | {"status": "off", "reason": "Not now"}
    refused = await gp.ask("PUT", here, changed, If_Match='W/"0"')
    assert refused.status_code == 412
    off = await gp.ask("PUT", here, changed, If_Match=made.headers["etag"])
    assert off.status_code == 200, off.text
    assert (off.json()["status"], off.json()["reason"]) == ("off", "Not now")
    other = await comes_in(client, tenant, family.school, "school")
    for method, body in (("GET", None), ("PUT", changed), ("DELETE", None)):
        assert (await other.ask(method, here, body)).status_code == 404
    assert (await other.ask("GET", HERE)).json()["total"] == 0
    assert (await gp.ask("DELETE", here)).status_code == 204
    assert (await gp.ask("GET", here)).status_code == 404


async def test_it_searches_by_form_and_asks_how_its_own_stand(
    gp: System, client: Browser, tenant: Tenant, family: Family
) -> None:
    made = (await gp.ask("POST", HERE, written(LOOPBACK))).json()
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    async def searched(system: System, said: str, head: dict[str, str]) -> httpx.Response:
        head = system.head | head
        return await client.post(f"{HERE}/_search", content=said, headers=head)

    listed = (await searched(gp, f"_id={made['id']}&status=requested", form)).json()
    assert [one["resource"] for one in listed["entry"]] == [made]
    assert listed["link"][0]["url"].endswith(f"/{TYPE}?_id={made['id']}&status=requested")
    assert (await searched(gp, "status=off", form)).json()["total"] == 0
    assert (await searched(gp, "criteria=Task", form)).status_code == 400
    assert (await searched(gp, "status=off", {"Content-Type": "text/plain"})).status_code == 415
    asked = f"{HERE}/{made['id']}/$status"
    async with tenant.transaction(gp.client.viewer.id) as session:
        row = await session.get_one(Subscription, UUID(made["id"]))
        row.state, row.number, row.failure = "error", 7, "It answered with 503."
    [entry] = (await gp.ask("GET", asked)).json()["entry"]
    told = {one["name"]: one for one in entry["resource"]["parameter"]}
    assert told["subscription"]["valueReference"]["reference"].endswith(f"{HERE}/{made['id']}")
    assert told["status"]["valueCode"] == "error"
    assert told["type"]["valueCode"] == "query-status"
    assert told["eventsSinceSubscriptionStart"]["valueString"] == "7"
    assert told["error"]["valueCodeableConcept"] == {"text": "It answered with 503."}
    Parameters.model_validate(entry["resource"])
    other = await comes_in(client, tenant, family.school, "school")
    assert (await other.ask("GET", asked)).status_code == 404
    assert (await searched(other, f"_id={made['id']}", form)).json()["total"] == 0


async def test_where_it_is_not_told_of_is_refused(gp: System, family: Family) -> None:
    for endpoint in ("http://example.org/told", "https://10.0.0.8/told", "https://postgres/"):
        refused = await gp.ask("POST", HERE, written(endpoint))
        assert refused.status_code == 400
        (issue,) = refused.json()["issue"]
        assert issue["expression"] == ["Subscription.channel.endpoint"]
    assert (await gp.ask("GET", f"{HERE}?criteria=Task")).status_code == 400
    assert (await gp.ask("GET", HERE, Accept="application/fhir+xml")).status_code == 406


async def test_a_scope_caps_it(client: Browser, tenant: Tenant, family: Family) -> None:
    scopes = "system/Subscription.crs system/CarePlan.rs"
    some = await comes_in(client, tenant, family.health, "some", scopes)
    assert (await some.ask("POST", HERE, written(LOOPBACK, "Task?"))).status_code == 403
    made = await some.ask("POST", HERE, written(LOOPBACK, "CarePlan?"))
    assert made.status_code == 201
    assert (await some.ask("DELETE", f"{HERE}/{made.json()['id']}")).status_code == 403


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"resourceType": "Task"}, "resourceType"),
        ({"status": "error"}, "Subscription.status"),
        ({"reason": " "}, "Subscription.reason"),
        ({"criteria": "Task?status=requested"}, "Subscription.criteria"),
        ({"criteria": "Task?patient=1&status=x"}, "Subscription.criteria"),
        ({"criteria": "AuditEvent?"}, "Subscription.criteria"),
        ({"criteria": "Organization?"}, "Subscription.criteria"),
        ({"end": "tomorrow"}, "Subscription.end"),
        ({"end": "2027-01-01T00:00:00"}, "Subscription.end"),
        ({"channel": {"type": "email", "endpoint": "x"}}, "Subscription.channel.type"),
        ({"channel": {"type": "rest-hook", "endpoint": ""}}, "Subscription.channel.endpoint"),
        ({"channel": {"type": "message", "endpoint": "x"}}, "Subscription.channel.endpoint"),
        (
            {"channel": {"type": "rest-hook", "endpoint": "mesh:X26ABC1"}},
            "Subscription.channel.endpoint",
        ),
        (
            {"channel": {"type": "message", "endpoint": "mesh:X26ABC1"}},
            "Subscription.channel.payload",
        ),
        (
            {"channel": {"type": "rest-hook", "endpoint": "x", "payload": "application/fhir+xml"}},
            "Subscription.channel.payload",
        ),
        *(
            (
                {"channel": {"type": "rest-hook", "endpoint": "x", "header": [line]}},
                "Subscription.channel.header",
            )
            for line in ("no colon", "Host: a", "X: a\r\nY: b", "content-length: 3", ": x", "X: é")
        ),
    ],
)
def test_what_is_wrong_is_said_where(change: dict[str, object], where: str) -> None:
    found = read(msgspec.json.encode(written(LOOPBACK) | change), SUBSCRIBABLE)
    assert isinstance(found, Refused)
    assert where in {path for issue in found.issues for path in issue.expression}


def test_what_is_no_json_is_refused() -> None:
    for body in (b"", b"[]", b'{"resourceType": 3}', b"[" * 5000, b'{"channel":' * 3000):
        assert isinstance(read(body, SUBSCRIBABLE), Refused)


def test_the_statement_says_it(clock: FixedClock) -> None:
    told = statement("https://p.example/fhir/R4", token_url="x", at=clock.now(), version="1")
    rest: Any = told["rest"]
    (row,) = (one for one in rest[0]["resource"] if one["type"] == TYPE)
    codes = {one["code"] for one in row["interaction"]}
    assert codes == {"read", "search-type", "create", "update", "delete"}
