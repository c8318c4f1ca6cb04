"""Whatever is sent to whatever address: an answer, and never a fault of ours.

schemathesis reads the OpenAPI document and sends what it describes and what it does not; the pages,
which are in no OpenAPI document, get made-up parts of addresses, questions and forms the same way.
Seconds in every run, ten minutes in `make soak` (PANEL_SOAK).
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from litestar import Litestar
from litestar.testing import AsyncTestClient
from schemathesis import Case

from panel.platform.sessions import forgery_token
from panel.platform.tenancy import Tenant
from tests.hostile.canary_year import SOAK
from tests.hostile.conftest import As, Browse, Client, is_plain
from tests.hostile.test_every_route import PART, Ids, a_child, get_paths, ids_of, post_paths
from tests.hostile.test_sessions import COOKIE

pytestmark = [pytest.mark.database, pytest.mark.crawl]

SECONDS = 600 if SOAK else 24
"""For all visitors together."""
VISITORS = ("coordinator", "lead-health", "governance", "parent-1", "")
TEXTS = st.one_of(
    st.text(max_size=60),
    st.sampled_from(["", "0", "-1", "9" * 30, "1e999", "NaN", "null", "[]", "{}", "\x00", "\ud7ff",
                     "' OR 1=1 --", "../../etc/passwd", "2026-02-30", "%s%n", "a" * 5_000]),
    st.integers().map(str),
    st.dates().map(str),
    st.uuids().map(str),
)  # fmt: skip
NAMES = st.sampled_from([
    "q", "page", "show", "order", "agency", "change", "worker", "reference", "purpose", "refused", "to",
    "name", "text", "version", "on-day", "on-month", "on-year", "category", "reason", "person", "title",
    "_form_id", "_kept", "happened_on", "kind", "agencies", "categories", "from_on", "worker_id",
]) | st.text(min_size=1, max_size=12)  # fmt: skip
FORMS = st.lists(st.tuples(NAMES, TEXTS), max_size=12)
HEADERS = st.dictionaries(
    st.sampled_from(["accept", "content-type", "cookie", "range", "if-none-match", "origin", "accept-language",
                     "last-event-id", "x-panel-by-itself", "user-agent", "x-forwarded-for"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40), max_size=3,
)  # fmt: skip
KINDS = st.sampled_from(["", "application/json", "multipart/form-data; boundary=b", "text/xml"])


@contextmanager
def until(seconds: float) -> Iterator[list[int]]:
    """Counts in its list how many were sent; the loop asks `time.monotonic` itself."""
    sent = [0]
    yield sent
    assert sent[0] > 20, f"only {sent[0]} were sent in {seconds} seconds"


def test_the_openapi_document_is_read_and_nothing_in_it_faults(app: Litestar) -> None:
    document = app.openapi_schema.to_schema()
    schema = schemathesis.openapi.from_dict(document)
    paths = set(document.get("paths") or {})
    # Pages are for people and stand in no document: those are tried below, all of them.
    operations = [one.ok() for one in schema.get_all_operations()]
    assert {one.path for one in operations} == paths


async def _send_what_is_described(app: Litestar, browser: Client, seconds: float) -> int:
    schema = schemathesis.openapi.from_dict(app.openapi_schema.to_schema())
    sent = 0
    ends = time.monotonic() + seconds
    for found in schema.get_all_operations():
        cases: list[Case] = []

        @given(case=found.ok().as_strategy())
        @settings(max_examples=400 if SOAK else 20, deadline=None, database=None,
                  phases=[Phase.generate], suppress_health_check=list(HealthCheck))  # fmt: skip
        def gather(case: Case, cases: list[Case] = cases) -> None:
            cases.append(case)

        gather()
        for case in cases:
            if time.monotonic() > ends:
                return sent
            asked = case.as_transport_kwargs(base_url="http://testshire.localhost")
            answer = await browser.request(
                asked["method"], asked["url"], params=asked.get("params"),
                headers=asked.get("headers"), json=asked.get("json"), data=asked.get("data"),
            )  # fmt: skip
            assert answer.status_code < 500, f"{asked['method']} {asked['url']}"
            sent += 1
    return sent


@pytest.mark.parametrize("persona", VISITORS)
async def test_made_up_addresses_questions_and_forms_never_fault(
    app: Litestar,
    client: AsyncTestClient[Litestar],
    tenant: Tenant,
    signed_in_as: As,
    browse: Browse,
    persona: str,
) -> None:
    """As several personas, and as nobody; half of the ids in addresses are ones that are there."""
    assert client
    child = await a_child(tenant, "lead-health", reached=True)
    ids = await ids_of(tenant, child)
    gets = [one for one in get_paths(app) if not one.startswith("/demo/sign-in")]
    posts = post_paths(app)
    paths = [*(("GET", one) for one in gets), *(("POST", one) for one in posts)]
    gathered: list[tuple[int, list[str], list[tuple[str, str]], dict[str, str], str]] = []

    @given(st.lists(TEXTS, min_size=6, max_size=6), FORMS, HEADERS, KINDS)
    @settings(max_examples=5_000 if SOAK else 400, deadline=None, database=None,
              phases=[Phase.generate], suppress_health_check=list(HealthCheck))  # fmt: skip
    def gather(
        parts: list[str], form: list[tuple[str, str]], headers: dict[str, str], kind: str
    ) -> None:
        gathered.append((len(gathered), parts, form, headers, kind))

    gather()
    opened = signed_in_as(persona) if persona else browse()
    async with opened as browser:
        token = forgery_token(browser.cookies[COOKIE]) if persona else ""
        with until(SECONDS / len(VISITORS)) as sent:
            await _send_what_is_described(app, browser, 2)
            ends = time.monotonic() + SECONDS / len(VISITORS)
            while time.monotonic() < ends and sent[0] < (50_000 if SOAK else 600):
                turn, parts, form, headers, kind = gathered[sent[0] % len(gathered)]
                method, path = paths[(sent[0] * 7 + turn) % len(paths)]
                url = _address(path, ids, parts, made_up=sent[0] % 2 == 0)
                fields = [*form, ("_csrf_token", token)] if sent[0] % 3 else form
                data = dict(fields) if method == "POST" else None
                more = headers | ({"content-type": kind} if kind and method == "POST" else {})
                answer = await browser.request(
                    method, url, params=dict(form) if method == "GET" else None, data=data,
                    headers={k: v for k, v in more.items() if k != "cookie"}, follow_redirects=False,
                )  # fmt: skip
                where = f"{method} {url} {fields} {more} as {persona or 'nobody'}"
                assert answer.status_code < 500 or path == "/health/ready", where
                assert is_plain(answer) or path == "/openapi.json", where
                sent[0] += 1


def _address(path: str, ids: Ids, parts: list[str], *, made_up: bool) -> str:
    if not made_up:
        return ids.fill(path)
    given_ = iter(parts)
    filled = PART.sub(lambda _: _quoted(next(given_)), path)
    return filled if filled.startswith("/") else f"/{filled}"


def _quoted(part: str) -> str:
    return "".join(
        sign
        if sign.isalnum() and sign.isascii()
        else "".join(f"%{byte:02X}" for byte in sign.encode())
        for sign in part[:80]
    ) or str(UUID(int=0))
