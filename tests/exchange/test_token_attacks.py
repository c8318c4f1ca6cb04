"""Attacks on the way in for systems: every one that RFC 8725 names, and what was tried on others.

Against the real address on a real database. After each attack the client itself is let in, so that
it was the attack that was refused and nothing else; the client's own right assertion is the only
thing that is ever given a token.
"""

import asyncio
import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from interop.smart import LONGEST_ASSERTION
from panel.exchange.tokens import TOKENS
from panel.platform.clock import FixedClock
from tests.conftest import MORNING
from tests.exchange.asking import Browser, ask, request
from tests.exchange.conftest import Systems
from tests.exchange.signing import WIDTH, b64, by_secret, ec_pair, rsa_pair, token

Attacks = Callable[[Systems], Iterator[tuple[str, str]]]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def headers(systems: Systems) -> Iterator[tuple[str, str]]:
    """What is wrong with the header, or with how it fits the key."""
    gp, by_ec, own = systems.gp, systems.gp_by_ec, ec_pair("mine")
    for none in ("none", "None", "NONE", "nOnE", ""):
        yield f"unsigned, alg {none!r}", token(gp.head(alg=none), gp.claims())
        yield f"alg {none!r} with a signature", token(gp.head(alg=none), gp.claims(), gp.pair)
    yield "unsigned, alg as registered", token(gp.head(), gp.claims())
    public = gp.pair.private.public_key()
    for encoding in (Encoding.PEM, Encoding.DER):
        secret = public.public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
        yield (
            f"the public key as a secret, {encoding}",
            by_secret(gp.head(alg="HS256"), gp.claims(), secret),
        )
        yield f"the same and RS384, {encoding}", by_secret(gp.head(), gp.claims(), secret)
    yield (
        "the key's JSON as a secret",
        by_secret(gp.head(alg="HS256"), gp.claims(), json.dumps(gp.pair.public()).encode()),
    )
    yield "an empty secret", by_secret(gp.head(alg="HS256"), gp.claims(), b"")
    for other in ("RS256", "PS384", "ES256", "ES384", "EdDSA", "RS384 ", "rs384"):
        yield f"RSA's key and {other}", token(gp.head(alg=other), gp.claims(), gp.pair, other)
    yield "signed by RSA's key, named EC's", gp.assertion({"kid": by_ec.pair.kid})
    yield "signed by EC's key, named RSA's", by_ec.assertion({"kid": gp.pair.kid})
    yield "RS384 over EC's key", by_ec.assertion({"alg": "RS384"})
    yield "a key of nobody's of the same name", replace(gp, pair=rsa_pair("rsa-1")).assertion()
    for kid in ("", "rsa-2", "RSA-1", "../rsa-1", "rsa-1\0", 1, ["rsa-1"], None, True, {}):
        yield f"kid {kid!r}", gp.assertion({"kid": kid})
    mine = replace(gp, pair=own)
    yield "brings its key", mine.assertion({"jwk": own.public()})
    yield "brings its key, named as ours", mine.assertion({"jwk": own.public(), "kid": "ec-1"})
    yield "brings a key beside a good signature", gp.assertion({"jwk": gp.pair.public()})
    for name in ("jku", "x5u"):
        yield f"{name} of its own", mine.assertion({name: "https://keys.invalid/jwks"})
        yield f"{name} beside a good signature", gp.assertion({name: "https://keys.invalid/"})
    yield "jku that is no text", gp.assertion({"jku": ["https://keys.invalid/"]})
    yield "brings certificates", gp.assertion({"x5c": ["MIIB"]})
    yield "crit", gp.assertion({"crit": ["exp"], "exp": 1})
    yield "crit of nothing", gp.assertion({"crit": []})
    yield "b64 false", gp.assertion({"b64": False, "crit": ["b64"]})
    yield "packed", gp.assertion({"zip": "DEF"})
    for kind in ("at+jwt", "logout+jwt", "dpop+jwt", "JWE", 1, ["JWT"]):
        yield f"typ {kind!r}", gp.assertion({"typ": kind})


def claims(systems: Systems) -> Iterator[tuple[str, str]]:
    """What is wrong with what it says, under a good signature of its own."""
    gp = systems.gp
    now = int(gp.now)
    for name, exp in (
        ("expired", now - 31),
        ("too long", now + 331),
        ("for ever", 1e15),
        ("a day in milliseconds", now * 1000),
        ("negative", -1),
        ("text", str(now + 200)),
        ("true", True),
        ("a list", [now + 200]),
        ("missing", None),
    ):
        yield f"exp {name}", gp.assertion(exp=exp)
    yield "nbf to come", gp.assertion(nbf=now + 31)
    yield "iat to come", gp.assertion(iat=now + 31)
    yield "iat long ago", gp.assertion(iat=now - 601)
    yield "iat text", gp.assertion(iat="now")
    for aud in (
        None,
        "",
        [],
        "https://other.example/token",
        gp.audience + "/",
        gp.audience.upper(),
        gp.audience.replace("http", "https"),
        [gp.audience, "https://other.example/token"],
        [gp.audience, gp.audience],
        {"url": gp.audience},
    ):
        yield f"aud {aud!r}", gp.assertion(aud=aud)
    yield "sub of another", gp.assertion(sub="school")
    yield "iss of another", gp.assertion(iss="school")
    yield "another client's name", gp.assertion(iss="school", sub="school")
    yield (
        "another's name, own kid as theirs",
        systems.gp_by_ec.assertion(iss="school", sub="school"),
    )
    for who in ("nobody", "", "gp-records ", "GP-RECORDS", "gp-records\0", "*", 1, ["gp-records"]):
        yield f"of {who!r}", gp.assertion(iss=who, sub=who)
    for who in (None, ["gp-records"], {"is": "gp-records"}, 1, True):
        yield f"sub {who!r}", gp.assertion(sub=who)
    for jti in (None, "", "x" * 256, 1, ["a"], True):
        yield f"jti {jti if not isinstance(jti, str) else len(jti)!r}", gp.assertion(jti=jti)


def forms(systems: Systems) -> Iterator[tuple[str, str]]:
    """What is no token of this kind at all, or was changed on the way."""
    gp, by_ec = systems.gp, systems.gp_by_ec
    head, good = json.dumps(gp.head()), gp.assertion()
    first, second, third = good.split(".")
    for name, spoilt in (
        ("truncated", good[:-9]),
        ("two parts", f"{first}.{second}"),
        ("no signature", f"{first}.{second}."),
        ("four parts", good + "." + third),
        ("five parts, as if encrypted", f"{first}.{second}.{third}.{second}.{third}"),
        ("encrypted", ".".join([b64(b'{"alg":"RSA-OAEP","enc":"A256GCM"}'), *[b64(b"x")] * 4])),
        ("empty parts", ".."),
        ("a line's end", good + "\n"),
        ("padded", good + "=="),
        ("a space in it", first + " ." + second + "." + third),
        ("not ASCII", "é" + good),
        ("NUL", good[:40] + "\0" + good[40:]),
        ("no base64", good.replace(first, "!" * 30)),
        ("huge", f"{first}.{second}{'A' * LONGEST_ASSERTION}.{third}"),
        ("JSON instead", json.dumps({"protected": first, "payload": second, "signature": third})),
    ):
        yield name, spoilt
    other = gp.claims(exp=int(gp.now) + 299)
    yield "other claims under the signature", f"{first}.{b64(json.dumps(other).encode())}.{third}"
    flipped = "A" if third[10] != "A" else "B"
    yield "another bit in the signature", f"{first}.{second}.{third[:10]}{flipped}{third[11:]}"
    yield "exp twice", token(head, json.dumps(gp.claims())[:-1] + ', "exp": 1}', gp.pair)
    yield "sub twice", token(head, '{"sub": "school", ' + json.dumps(gp.claims())[1:], gp.pair)
    yield "alg twice", token('{"alg": "none", ' + head[1:], gp.claims(), gp.pair)
    yield "kid twice", token('{"kid": "ec-1", ' + head[1:], gp.claims(), gp.pair)
    yield (
        "twice further in",
        token(head, json.dumps(gp.claims())[:-1] + ',"a":{"b":1,"b":2}}', gp.pair),
    )
    for number in ("1e999", "NaN", "Infinity", "9" * 4000, "9" * 5000, "-1e999"):
        told = json.dumps(gp.claims(exp=0)).replace('"exp": 0', f'"exp": {number}')
        yield f"exp {number[:9]}", token(head, told, gp.pair)
    for name, payload in (
        ("another token inside", gp.assertion()),
        ("a list", json.dumps([gp.claims()])),
        ("a text", '"claims"'),
        ("null", "null"),
        ("no JSON", "iss=gp-records"),
        ("nothing", ""),
        ("no UTF-8", b"\xff\xfe"),
        ("half a character", json.dumps(gp.claims())[:-1] + ', "jti2": "\\ud800"}x'),
        ("deep", "[" * 4000 + "]" * 4000),
    ):
        yield f"claims: {name}", token(head, payload, gp.pair)
    yield "another token inside, and says so", token(gp.head(cty="JWT"), gp.assertion(), gp.pair)
    for name, header in (("a list", "[]"), ("a text", '"RS384"'), ("deep", "[" * 3000)):
        yield f"header: {name}", token(header, gp.claims(), gp.pair)
    yield "by EC in another form", in_der(by_ec.assertion())
    zeros = by_ec.assertion().rsplit(".", 1)[0]
    yield "by EC, of zeros", f"{zeros}.{b64(bytes(2 * WIDTH))}"
    yield "by EC, empty", f"{zeros}."


def in_der(assertion: str) -> str:
    content, _, signature = assertion.rpartition(".")
    raw = urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    r, s = (int.from_bytes(part, "big") for part in (raw[:WIDTH], raw[WIDTH:]))
    return f"{content}.{b64(encode_dss_signature(r, s))}"


@pytest.mark.parametrize("attacks", [headers, claims, forms])
async def test_no_attack_is_given_a_token(
    client: Browser, systems: Systems, clock: FixedClock, attacks: Attacks
) -> None:
    tried = 0
    for name, assertion in attacks(systems):
        answer = await ask(client, assertion)
        assert answer.status_code == 401, f"{name}: {answer.status_code} {answer.text}"
        told = answer.json()
        assert told.keys() == {"error", "error_description"}, name
        assert told["error"] == "invalid_client", name
        assert answer.headers["cache-control"] == "no-store"
        tried += 1
        if tried % 8 == 0:
            good = await ask(client, systems.gp.assertion())
            assert good.status_code == 200, f"after {name}: {good.text}"
            assert (await ask(client, systems.school.assertion())).status_code == 200
    assert tried > 40


async def test_one_assertion_is_taken_once(
    client: Browser, systems: Systems, clock: FixedClock
) -> None:
    gp, school = systems.gp, systems.school
    once = gp.assertion(jti="the same")
    at_once = await asyncio.gather(*(ask(client, once) for _ in range(4)))
    assert sorted(one.status_code for one in at_once) == [200, 401, 401, 401]
    again = await ask(client, gp.assertion(jti="the same"))
    assert again.status_code == 401
    assert "jti was used before" in again.json()["error_description"]
    assert (await ask(client, school.assertion(jti="the same"))).status_code == 200
    late = gp.assertion(jti="late", exp=int(gp.now) + 300)
    assert (await ask(client, late)).status_code == 200
    clock.set(MORNING + timedelta(seconds=325))
    assert (await ask(client, late)).json()["error_description"].startswith("jti was used")
    clock.set(MORNING + timedelta(seconds=331))
    assert (await ask(client, late)).json()["error_description"].startswith("exp is over")


async def test_what_is_no_request_is_told_so(client: Browser, systems: Systems) -> None:
    gp = systems.gp

    async def posted(content: str | bytes, kind: str = FORM["Content-Type"]) -> tuple[int, str]:
        answer = await client.post(TOKENS, content=content, headers={"Content-Type": kind})
        assert answer.headers["cache-control"] == "no-store"
        return answer.status_code, answer.json()["error"]

    good = urlencode(request(gp.assertion()))
    assert await posted(good, "application/json") == (400, "invalid_request")
    assert await posted(good, "multipart/form-data; boundary=x") == (400, "invalid_request")
    assert await posted(good + "&scope=system/*.cruds") == (400, "invalid_request")
    assert await posted(good + "&x=%ff") == (400, "invalid_request")
    assert await posted(good.encode() + "é".encode()) == (400, "invalid_request")
    assert await posted("&".join(f"a{n}=1" for n in range(99))) == (400, "invalid_request")
    assert await posted("x" * 60_000) == (413, "invalid_request")
    assert await posted("") == (401, "invalid_client")
    for more in ({"client_assertion": None}, {"client_assertion_type": "password"}):
        answer = await ask(client, gp.assertion(), **more)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    answer = await ask(client, gp.assertion(), grant_type="password")
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")
    answer = await client.post(TOKENS, data={"client_id": "gp-records", "client_secret": "x"})
    assert answer.status_code == 401
    assert (await client.get(TOKENS)).status_code == 405
    # None of it used the client's tries or the assertions up.
    assert (await ask(client, gp.assertion())).status_code == 200


async def test_whoever_guesses_is_slowed_down_and_not_the_client(
    client: Browser, systems: Systems, clock: FixedClock
) -> None:
    forged = replace(systems.gp, pair=ec_pair("ec-1"))
    answers = [await ask(client, forged.assertion()) for _ in range(11)]
    assert [one.status_code for one in answers] == [401] * 10 + [429]
    assert int(answers[-1].headers["retry-after"]) <= 900
    assert (await ask(client, systems.school.assertion())).status_code == 200
