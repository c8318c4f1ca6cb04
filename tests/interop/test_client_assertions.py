"""What of a client's keys and assertions is believed, by the functions alone."""

import json
from datetime import UTC, datetime

import pytest

from interop.signed import NotBelieved
from interop.smart import Refused, checked, claimed, key_of, wrong_keys
from tests.exchange.signing import Pair, Signer, ec_pair, number, rsa_pair

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
HERE = "https://panel.example/fhir/R4/auth/token"
EC = ec_pair("ec-1")
RSA = rsa_pair("rsa-1")


def signer(pair: Pair) -> Signer:
    return Signer("gp", pair, HERE, NOW.timestamp())


@pytest.mark.parametrize("pair", [EC, RSA])
def test_a_good_one_is_believed(pair: Pair) -> None:
    for typ in ("JWT", "jwt", None):
        token = signer(pair).assertion(
            {"typ": typ, "x5t": "ignored"}, aud=[HERE], iat=NOW.timestamp()
        )
        claim = claimed(token)
        key = key_of(claim, [RSA.public(), EC.public()], None)
        assert key is not None
        said = checked(token, claim, key, HERE, NOW)
        assert (claim.client, said.sub, said.jti[:3]) == ("gp", "gp", "gp-")
        assert said.remembered_until > said.exp


def test_where_its_keys_are_is_compared_and_never_followed() -> None:
    keys, ours = [EC.public()], "https://gp.example/jwks"
    claim = claimed(signer(EC).assertion({"jku": ours}))
    assert key_of(claim, keys, ours) is not None
    for registered in (None, "https://gp.example/jwks?x", "https://gp.example/"):
        with pytest.raises(NotBelieved, match="jku"):
            key_of(claim, keys, registered)


def test_of_several_keys_that_could_be_meant_none_is() -> None:
    claim = claimed(signer(EC).assertion())
    assert key_of(claim, [EC.public(), ec_pair("ec-1").public()], None) is None
    assert key_of(claim, [EC.public(use="enc")], None) is None
    assert key_of(claim, [EC.public(alg="ES256")], None) is None
    assert key_of(claim, [EC.public(crv="P-256")], None) is None
    assert key_of(claim, [{"kid": "ec-1"}, {}], None) is None


@pytest.mark.parametrize(
    "spoilt",
    [
        EC.public(x=number(1, 48)),  # off the curve
        EC.public(x=number(0, 48), y=number(0, 48)),
        EC.public(x="!"),
        EC.public(x=1),
        {name: value for name, value in EC.public().items() if name != "y"},
    ],
)
def test_a_point_off_its_curve_is_no_key(spoilt: dict[str, object]) -> None:
    claim = claimed(signer(EC).assertion())
    with pytest.raises(NotBelieved, match="keys"):
        key_of(claim, [spoilt], None)
    assert wrong_keys(json.dumps({"keys": [spoilt]}).encode())


def test_weak_keys_are_no_keys() -> None:
    weak = rsa_pair("rsa-1", 1024)
    for spoilt in (
        weak.public(),
        RSA.public(e=number(1)),
        RSA.public(e=number(2)),
        RSA.public(n="AQ"),
    ):
        claim = claimed(signer(RSA).assertion())
        with pytest.raises(NotBelieved, match="keys"):
            key_of(claim, [spoilt], None)
        [said] = wrong_keys(json.dumps({"keys": [spoilt]}).encode())
        assert "broken or too weak" in said


def told(*keys: object) -> str:
    return " ".join(wrong_keys(json.dumps({"keys": list(keys)}).encode()))


def test_what_is_wrong_with_keys_is_told_in_a_sentence() -> None:
    assert told(EC.public(), RSA.public()) == ""
    assert told(EC.public(alg="ES384"), RSA.public(use="sig", alg="RS384")) == ""
    assert "holds a secret part" in told(EC.public(d="AQ"))
    assert "holds a secret part" in told({"kty": "oct", "k": "AQ", "kid": "a"})
    assert "is none for RS384 or ES384" in told({"kty": "OKP", "crv": "Ed25519", "kid": "a"})
    assert "is none for RS384 or ES384" in told(EC.public(alg="ES256"))
    assert "is none for RS384 or ES384" in told(EC.public(use="enc"))
    assert "is none for RS384 or ES384" in told(EC.public(crv="P-256"))
    assert "has no name" in told(EC.public(kid=""))
    assert "same name" in told(EC.public(), EC.public())
    assert "has 0 keys" in told()
    assert "has 11 keys" in told(*(EC.public(kid=str(n)) for n in range(11)))
    for document in (b"", b"[]", b"{}", b'{"keys": 1}', b'{"keys": [1]}', b"[" * 9000, b"\xff"):
        assert "no set of keys" in wrong_keys(document)[0]
    assert "larger than" in wrong_keys(b" " * 65_537)[0]


def test_what_is_told_is_told_to_its_owner_alone() -> None:
    """Until the signature is found to be theirs, nothing says what is wrong."""
    claim = claimed(token := signer(EC).assertion(exp=0))
    other = key_of(claim, [ec_pair("ec-1").public()], None)
    own = key_of(claim, [EC.public()], None)
    assert other is not None
    assert own is not None
    with pytest.raises(NotBelieved) as stranger:
        checked(token, claim, other, HERE, NOW)
    assert not isinstance(stranger.value, Refused)
    with pytest.raises(Refused) as owner:
        checked(token, claim, own, HERE, NOW)
    assert "exp is over" in owner.value.sentence
