"""The client against a server that does whatever a test needs: tokens, trying again, pages, files."""

import json
import logging
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from interop.client import Again, Credentials, FhirClient, SigningKey
from interop.client_answers import (
    Changed,
    FhirError,
    NotAllowed,
    NotLetIn,
    NotReached,
    NotTaken,
    NotThere,
    NotUnderstood,
    ServerFailed,
    TooMuch,
    Waits,
)

BASE = "https://other.example/fhir/R4"
TOKEN = "https://other.example/token"
NHS_NUMBER = "9990548609"
NOW = 1_795_426_200.0


def key(kid: str) -> SigningKey:
    return SigningKey.from_jwk(ECKey.generate_key("P-384").as_dict(private=True) | {"kid": kid})


OLD, NEW = key("old"), key("new")


@dataclass
class Server:
    """Answers in turn what it is told to; gives tokens to the keys that it knows."""

    answers: list[Callable[[httpx.Request], httpx.Response]] = field(default_factory=list)
    knows: tuple[SigningKey, ...] = (OLD,)
    lasts: int = 300
    now: float = NOW
    asked: list[httpx.Request] = field(default_factory=list)
    assertions: list[dict[str, Any]] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url == TOKEN:
            return self._token(request)
        if request.url.path.endswith("smart-configuration"):
            return httpx.Response(200, json={"token_endpoint": TOKEN})
        self.asked.append(request)
        return self.answers.pop(0)(request)

    def _token(self, request: httpx.Request) -> httpx.Response:
        assertion = dict(parse_qsl(request.content.decode()))["client_assertion"]
        kid = json.loads(decoded(assertion.partition(".")[0]))["kid"]
        known = {one.kid: one for one in self.knows}
        if kid not in known:
            return httpx.Response(401, json={"error": "invalid_client"})
        claims = jwt.decode(assertion, known[kid].key, ["ES384"]).claims
        self.assertions.append({**claims, "kid": kid})
        told = {"access_token": f"t{len(self.assertions)}", "expires_in": self.lasts}
        return httpx.Response(200, json=told)

    def say(self, status: int, body: object = None, **headers: str) -> None:
        """What the next answer is."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers.append(lambda _request: httpx.Response(status, content=content, headers=named))

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)

    def client(self, *keys: SigningKey, again: Again | None = None) -> FhirClient:
        credentials = Credentials("gp-records", keys or (OLD,), ("system/Patient.rs",))
        http = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return FhirClient(
            BASE, credentials, http=http, again=again, now=lambda: self.now, sleep=self.sleep
        )


def decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def patient(id_: str = "1", **more: object) -> dict[str, object]:
    return {"resourceType": "Patient", "id": id_, "meta": {"versionId": "v1"}, **more}


def outcome(code: str, text: str = "It is wrong.", severity: str = "error") -> dict[str, object]:
    issue = {"severity": severity, "code": code, "details": {"text": text}, "expression": ["id"]}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def bundle(*entries: object, **more: object) -> dict[str, object]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": list(entries), **more}


def match(id_: str) -> dict[str, object]:
    return {"resource": patient(id_), "search": {"mode": "match"}}


@pytest.fixture
def server() -> Server:
    return Server()


# --- Tokens ---------------------------------------------------------------------------------------


async def test_a_token_is_kept_until_shortly_before_its_end(server: Server) -> None:
    client = server.client()
    for moment in (0, 200, 269, 271, 500):
        server.now = NOW + moment
        server.say(200, patient())
        await client.read("Patient", "1")
    shown = [one.headers["authorization"] for one in server.asked]
    assert shown == ["Bearer t1"] * 3 + ["Bearer t2"] * 2
    first, second = server.assertions
    assert (first["iss"], first["sub"], first["aud"]) == ("gp-records", "gp-records", TOKEN)
    assert first["exp"] - NOW == 240
    assert first["jti"] != second["jti"]


async def test_keys_are_changed_without_a_gap(server: Server) -> None:
    client = server.client(NEW, OLD)
    server.say(200, patient())
    await client.read("Patient", "1")
    server.now, server.knows = NOW + 300, (OLD, NEW)
    server.say(200, patient())
    await client.read("Patient", "1")
    server.now, server.knows = NOW + 600, (NEW,)
    client.use_keys([NEW])
    server.say(200, patient())
    await client.read("Patient", "1")
    assert [one["kid"] for one in server.assertions] == ["old", "new", "new"]


async def test_a_token_that_is_not_taken_is_replaced_once(server: Server) -> None:
    client = server.client()
    server.say(401, outcome("login"))
    server.say(201, patient())
    assert (await client.create(patient())).status == 201
    assert [one.headers["authorization"] for one in server.asked] == ["Bearer t1", "Bearer t2"]
    server.say(401, outcome("login"))
    server.say(401, outcome("login"))
    with pytest.raises(NotLetIn):
        await client.create(patient())
    server.knows, server.now = (), NOW + 300
    with pytest.raises(NotLetIn) as refused:
        await client.read("Patient", "1")
    assert refused.value.problems[0].code == "invalid_client"


def test_only_private_keys_of_the_two_algorithms_sign() -> None:
    made = ECKey.generate_key("P-384")
    for wrong in (
        made.as_dict(private=False) | {"kid": "a"},
        made.as_dict(private=True) | {"kid": ""},
        ECKey.generate_key("P-256").as_dict(private=True) | {"kid": "a"},
        {"kty": "oct", "k": "AAAA", "kid": "a"},
        {"kty": "RSA", "kid": "a"},
    ):
        with pytest.raises(ValueError, match="key"):
            SigningKey.from_jwk(wrong)
    rsa = SigningKey.from_jwk(RSAKey.generate_key(2048).as_dict(private=True) | {"kid": "r"})
    assert rsa.public().keys() == {"kty", "n", "e", "kid", "alg", "use"}
    assert "d" not in OLD.public()


# --- Trying again ---------------------------------------------------------------------------------


async def test_what_changes_nothing_is_sent_again_when_the_server_says(server: Server) -> None:
    client = server.client()
    server.say(429, outcome("throttled"), Retry_After="7")
    server.say(
        503,
        outcome("transient"),
        Retry_After="Mon, 23 Nov 2026 09:30:09 GMT",
        Date="Mon, 23 Nov 2026 09:30:00 GMT",
    )
    server.answers.append(cut_off)
    server.say(200, bundle(match("1")))
    assert [one.id async for one in client.search("Patient", {"identifier": NHS_NUMBER})] == ["1"]
    assert server.waited[:2] == [7.0, 9.0]
    assert 0.5 * 2 <= server.waited[2] <= 2.0


def cut_off(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError(f"while reading {request.url}", request=request)


async def test_a_write_is_never_sent_again(server: Server) -> None:
    client = server.client()
    server.answers.append(cut_off)
    with pytest.raises(NotReached, match=r"^ReadError$"):
        await client.create(patient())
    server.say(503, outcome("transient"), Retry_After="1")
    with pytest.raises(TooMuch) as refused:
        await client.transaction({"resourceType": "Bundle", "type": "transaction"})
    assert refused.value.wait == 1.0
    assert server.waited == []


async def test_it_does_not_try_for_ever(server: Server) -> None:
    client = server.client(again=Again(times=2))
    for _ in range(3):
        server.say(503, outcome("transient"))
    with pytest.raises(TooMuch):
        await client.read("Patient", "1")
    assert len(server.waited) == 2
    server.say(429, outcome("throttled"), Retry_After="3600")
    with pytest.raises(TooMuch) as refused:
        await client.read("Patient", "1")
    assert refused.value.wait == 3600.0
    server.say(500, outcome("exception"))
    with pytest.raises(ServerFailed):
        await client.read("Patient", "1")


# --- What goes wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, NotTaken),
        (403, NotAllowed),
        (404, NotThere),
        (410, NotThere),
        (409, Changed),
        (412, Changed),
        (422, NotTaken),
        (502, ServerFailed),
        (418, FhirError),
        (307, FhirError),
    ],
)
async def test_every_status_is_an_error_of_a_kind(
    server: Server, status: int, kind: type[FhirError]
) -> None:
    server.say(status, outcome("invalid", f"{NHS_NUMBER} is wrong."), Location="https://a.example")
    with pytest.raises(kind) as refused:
        await server.client().update(patient(), "v1")
    said = refused.value
    assert type(said) is kind
    (problem,) = said.problems
    assert (problem.code, problem.expression, problem.is_error) == ("invalid", ("id",), True)
    assert NHS_NUMBER in problem.text
    assert NHS_NUMBER not in f"{said} {said!r} {said.problems!r}"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"id": 1}', b"\xff", b"[" * 5000])
async def test_what_is_no_fhir_is_not_understood(server: Server, body: bytes) -> None:
    client = server.client()
    server.say(200, body)
    with pytest.raises(NotUnderstood):
        await client.read("Patient", "1")
    server.say(200, body)
    with pytest.raises(NotUnderstood):
        _ = [one async for one in client.search("Patient")]
    server.say(500, body)
    with pytest.raises(ServerFailed):
        await client.read("Patient", "1")


async def test_nothing_of_it_is_logged(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = server.client()
    server.say(200, bundle(match("1"), link=[{"relation": "next", "url": f"{BASE}?page=2"}]))
    server.say(200, bundle(match("2")))
    found = [one async for one in client.search("Patient", {"identifier": NHS_NUMBER})]
    assert len(found) == 2
    assert caplog.records == []
    assert NHS_NUMBER not in f"{server.asked[0].url}{found!r}"


# --- Reading and writing --------------------------------------------------------------------------


async def test_a_resource_keeps_its_bytes(server: Server) -> None:
    body = b'{"resourceType":"Observation","id":"1","valueQuantity":{"value":1.10}}'
    server.say(200, body)
    found = await server.client().read("Observation", "1")
    assert found.body == body
    assert found.content["valueQuantity"]["value"] == Decimal("1.10")
    assert str(found.content["valueQuantity"]["value"]) == "1.10"
    server.say(200, body)
    await server.client().update(found, "v7")
    sent = server.asked[-1]
    assert (sent.method, sent.url.path) == ("PUT", "/fhir/R4/Observation/1")
    assert (sent.content, sent.headers["if-match"]) == (body, 'W/"v7"')


async def test_pages_are_followed_within_the_server_alone(server: Server) -> None:
    client = server.client()
    following = [{"relation": "next", "url": f"{BASE}/Patient?name=a&_cursor=c"}]
    server.say(200, bundle(match("1"), link=following, total=2))
    included = {"resource": {"resourceType": "Task", "id": "t"}, "search": {"mode": "include"}}
    said = {"resource": outcome("informational", severity="warning"), "search": {"mode": "outcome"}}
    server.say(200, bundle(match("2"), included, said))
    pages = [one async for one in client.pages("Patient", {"name": ["a", "b"]})]
    assert [one.id for page in pages for one in page.matches] == ["1", "2"]
    assert (pages[0].total, pages[1].included[0].reference) == (2, "Task/t")
    assert not pages[1].problems[0].is_error
    first, second = server.asked
    assert (first.method, first.content) == ("POST", b"name=a&name=b")
    assert (second.url.path, second.content) == ("/fhir/R4/Patient/_search", b"name=a&_cursor=c")
    for elsewhere in (
        "https://evil.example/fhir/R4/Patient?a=b",
        "https://other.example/fhir/R4evil",
        "//evil.example/",
        "http://other.example:port/\x00",
        "https://other.example@evil.example/fhir/R4/",
        f"{BASE}/../../other",
        f"{BASE}/%2e%2e/%2E%2E/other",
    ):
        server.asked.clear()
        server.say(200, bundle(match("1"), link=[{"relation": "next", "url": elsewhere}]))
        with pytest.raises(NotUnderstood):
            _ = [one async for one in client.search("Patient")]
        assert len(server.asked) == 1


async def test_a_version_that_is_known_is_not_sent_again(server: Server) -> None:
    client = server.client()
    server.say(304, b"")
    assert await client.read_unless("Patient", "1", "v1") is None
    assert server.asked[0].headers["if-none-match"] == 'W/"v1"'
    server.say(200, patient())
    found = await client.read_unless("Patient", "1", "v0")
    assert found is not None
    assert found.version == "v1"


async def test_a_history_tells_what_was_deleted(server: Server) -> None:
    gone = {"request": {"method": "DELETE", "url": "Patient/1"}, "response": {"status": "204"}}
    made = {
        "resource": patient(),
        "request": {"method": "POST", "url": "Patient"},
        "response": {"status": "201", "lastModified": "2026-11-23T09:30:00Z"},
    }
    server.say(200, bundle(gone, made))
    versions = [one async for one in server.client().history("Patient", "1")]
    assert [(one.method, one.resource is None) for one in versions] == [
        ("DELETE", True),
        ("POST", False),
    ]


async def test_what_was_written_is_told(server: Server) -> None:
    client = server.client()
    server.say(201, b"", Location=f"{BASE}/Patient/7/_history/v1", ETag='W/"v1"')
    made = await client.create(patient(), unless={"identifier": NHS_NUMBER})
    assert (made.status, made.type, made.id, made.version) == (201, "Patient", "7", "v1")
    assert server.asked[0].headers["if-none-exist"] == f"identifier={NHS_NUMBER}"
    done = {"response": {"status": "201 Created", "location": "Task/8/_history/2", "etag": 'W/"2"'}}
    wrong = {"response": {"status": "422", "outcome": outcome("value")}}
    server.say(200, {"resourceType": "Bundle", "type": "batch-response", "entry": [done, wrong]})
    first, second = await client.transaction({"resourceType": "Bundle", "type": "batch"})
    assert (first.is_done, first.type, first.id, first.version) == (True, "Task", "8", "2")
    assert (second.is_done, second.status, second.problems[0].code) == (False, 422, "value")
    assert server.asked[1].url == BASE
    server.say(202, outcome("informational"), Location=f"{BASE}/Bundle/9")
    with pytest.raises(Waits):
        await client.transaction({"resourceType": "Bundle", "type": "transaction"})
    server.say(202, outcome("informational"), Location=f"{BASE}/Bundle/9")
    handed_in = await client.hand_in({"resourceType": "Bundle", "type": "document"})
    assert (handed_in.status, handed_in.type, handed_in.id) == (202, "Bundle", "9")


async def test_what_is_validated_is_told_and_nothing_raised(server: Server) -> None:
    client = server.client()
    server.say(200, outcome("informational", severity="information"))
    server.say(422, outcome("value"))
    assert not any(one.is_error for one in await client.validate(patient()))
    (wrong,) = await client.validate(patient(), "https://fhir.hl7.org.uk/UKCore-Patient")
    assert wrong.is_error
    assert server.asked[1].url.params["profile"] == "https://fhir.hl7.org.uk/UKCore-Patient"


# --- Many at once ---------------------------------------------------------------------------------


def lines() -> Iterator[bytes]:
    """Resources, one with a sign at which other readers end a line."""
    yield json.dumps(patient("1", note="a\u2028b\x85c"), ensure_ascii=False).encode()
    yield b""
    yield json.dumps(patient("2")).encode()


async def test_an_export_is_waited_for_and_read_line_by_line(server: Server) -> None:
    client = server.client()
    server.say(202, b"", Content_Location=f"{BASE}/export/1")
    export = await client.export(types=["Patient", "Task"], since="2026-11-01T00:00:00Z")
    asked = server.asked[0]
    assert (asked.headers["prefer"], asked.url.params["_type"]) == ("respond-async", "Patient,Task")
    server.say(202, b"", Retry_After="3")
    server.say(202, b"")
    files = [{"type": "Patient", "url": f"{BASE}/export/1/a"}]
    files.append({"type": "Task", "url": "https://files.example/b"})
    server.say(200, {"output": files})
    server.say(200, b"\n".join(lines()))
    server.say(200, b"")
    found = [one async for one in export.resources()]
    assert [one.id for one in found] == ["1", "2"]
    assert found[0].content["note"] == "a\u2028b\x85c"
    assert server.waited == [3.0, 5.0]
    assert server.asked[-2].headers["authorization"] == "Bearer t1"
    assert "authorization" not in server.asked[-1].headers
    server.say(202, b"")
    await export.give_up()
    assert server.asked[-1].method == "DELETE"


async def test_an_export_that_takes_too_long_or_is_none(server: Server) -> None:
    client = server.client()
    server.say(202, b"", Content_Location=f"{BASE}/export/1")
    export = await client.export(group="g")
    server.say(202, b"", Retry_After="100")
    with pytest.raises(TimeoutError):
        await export.files(at_most=50)
    server.say(202, b"", Content_Location="https://evil.example/export/1")
    with pytest.raises(NotUnderstood):
        await client.export()
    server.say(200, b"")
    with pytest.raises(NotUnderstood):
        await client.export()
