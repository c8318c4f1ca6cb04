"""What the server says that it can do is the table of what is served, and nothing beside it."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from fhir.resources.R4B.capabilitystatement import CapabilityStatement

from interop.capability import scopes, smart_configuration, statement
from interop.served import OPERATIONS, SERVED, includes, revincludes
from interop.subscriptions import SUBSCRIPTION

_BASE = "https://panel.example/fhir/R4"
_TOKEN = "https://panel.example/oauth/token"


def _statement() -> dict[str, Any]:
    body = msgspec.json.encode(
        statement(_BASE, token_url=_TOKEN, at=datetime(2026, 11, 23, tzinfo=UTC), version="0.1.0")
    )
    CapabilityStatement.model_validate_json(body)
    told: dict[str, Any] = msgspec.json.decode(body)
    return told


def test_it_is_an_instance_of_r4_in_json() -> None:
    told = _statement()
    assert (told["fhirVersion"], told["kind"], told["implementation"]["url"]) == (
        "4.0.1",
        "instance",
        _BASE,
    )
    assert told["format"] == ["json", "application/fhir+json"]
    (rest,) = told["rest"]
    assert [one["code"] for one in rest["interaction"]] == ["transaction", "batch"]
    (uris,) = rest["security"]["extension"]
    assert uris["extension"] == [{"url": "token", "valueUri": _TOKEN}]


def test_every_type_is_told_as_it_is_served() -> None:
    told = {one["type"]: one for one in _statement()["rest"][0]["resource"]}
    assert told.keys() == {*SERVED, SUBSCRIPTION.type}
    for type_, row in SERVED.items():
        one = told[type_]
        assert [each["code"] for each in one["interaction"]] == list(row.interactions)
        assert [
            (each["name"], each["type"], each["definition"]) for each in one["searchParam"]
        ] == [(param.name, param.kind, param.url) for param in row.params]
        assert one.get("searchInclude", []) == [
            f"{type_}:{param.name}" for param in includes(type_)
        ]
        assert one.get("searchRevInclude", []) == [
            f"{other}:{param.name}" for other, param in revincludes(type_)
        ]
        assert one["conditionalCreate"] == row.writable
        assert not one["updateCreate"]
        assert one.get("supportedProfile") == ([row.profile] if row.profile else None)


def test_every_operation_is_told_where_it_is() -> None:
    (rest,) = _statement()["rest"]
    told = {("server", None, one["name"], one["definition"]) for one in rest["operation"]}
    for resource in rest["resource"]:
        told |= {
            ("type", resource["type"], one["name"], one["definition"])
            for one in resource.get("operation", ())
        }
    expected = set()
    for one in OPERATIONS:
        types = [None] if one.on == "server" else [one.type] if one.type else list(SERVED)
        level = "server" if one.on == "server" else "type"
        expected |= {(level, type_, one.name, one.definition) for type_ in types}
    assert told == expected


def test_a_backend_service_learns_where_its_token_is() -> None:
    told = smart_configuration(token_url=_TOKEN)
    assert told["token_endpoint"] == _TOKEN
    assert told["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert told["token_endpoint_auth_signing_alg_values_supported"] == ["RS384", "ES384"]
    assert told["scopes_supported"] == list(scopes())
    assert "authorization_endpoint" not in told


def test_only_what_is_writable_has_a_scope_to_write() -> None:
    every = scopes()
    assert "system/CarePlan.rs" in every
    assert "system/CarePlan.crus" in every
    assert "system/Organization.crus" not in every
    assert len(every) == len(set(every))
