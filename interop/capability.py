"""What this server can do, told from the table of what is served: nothing is claimed beside it.

    statement(base, token_url=…, at=…, version="0.1.0")   -> CapabilityStatement, for /metadata
    smart_configuration(token_url=…)                -> for /.well-known/smart-configuration

Sources: hl7.org/fhir/R4/capabilitystatement.html; SMART App Launch 2, backend services.
"""

from datetime import datetime

from interop.bundle import Json, instant
from interop.served import (
    FHIR_VERSION,
    MEDIA_TYPE,
    OPERATIONS,
    SERVED,
    Interaction,
    Operation,
    Param,
    Served,
    includes,
    revincludes,
)
from interop.subscriptions import SUBSCRIPTION
from interop.systems import ORIGIN

ALGORITHMS = ("RS384", "ES384")
"""How a client may sign its assertion (SMART: these two at least)."""
_OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_SECURITY_SERVICES = "http://terminology.hl7.org/CodeSystem/restful-security-service"


def statement(base: str, *, token_url: str, at: datetime, version: str) -> Json:
    """The CapabilityStatement of this instance.

    Args: `base` is this server's address; `at` when what it can do last changed (aware);
    `version` Panel's.
    """
    return {
        "resourceType": "CapabilityStatement",
        "url": f"{base}/metadata",
        "name": "Panel",
        "title": "Panel, shared records of disabled children",
        "status": "active",
        "date": instant(at),
        "kind": "instance",
        "software": {"name": "Panel", "version": version},
        "implementation": {"description": "Panel", "url": base},
        "fhirVersion": FHIR_VERSION,
        "format": ["json", MEDIA_TYPE],
        "rest": [
            {
                "mode": "server",
                "documentation": "A client is told what the agreements and duties of each child "
                "let its agency know, and of the rest not even that it is there. What another "
                f"system sent has the tag {ORIGIN}. A search by what such resources say looks "
                "through 500 at most, and is refused where there are more.",
                "security": _security(token_url),
                "resource": [*(_resource(row) for row in SERVED.values()), _subscription()],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
                "operation": [_operation(one) for one in OPERATIONS if one.on == "server"],
            }
        ],
    }


def smart_configuration(*, token_url: str) -> Json:
    """Where a backend service gets its token, how, and for which scopes."""
    return {
        "token_endpoint": token_url,
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "scopes_supported": list(scopes()),
        # SMART requires the list of every server, though here nobody signs in.
        "code_challenge_methods_supported": ["S256"],
        "capabilities": ["client-confidential-asymmetric", "permission-v2"],
    }


def scopes() -> tuple[str, ...]:
    """Every scope that a client can be given: to read and search a type, and to write it too."""
    reading = tuple(f"system/{type_}.rs" for type_ in SERVED)
    writing = tuple(f"system/{row.type}.crus" for row in SERVED.values() if row.writable)
    return (*reading, *writing, f"system/{SUBSCRIPTION.type}.cruds")


def _security(token_url: str) -> Json:
    return {
        "extension": [{"url": _OAUTH_URIS, "extension": [{"url": "token", "valueUri": token_url}]}],
        "cors": False,
        "service": [{"coding": [{"system": _SECURITY_SERVICES, "code": "SMART-on-FHIR"}]}],
        "description": "SMART backend services: private_key_jwt and a short token.",
    }


def _resource(row: Served) -> Json:
    told: Json = {"type": row.type}
    if row.profile is not None:
        told["supportedProfile"] = [row.profile]
    told |= {
        "interaction": [{"code": interaction.value} for interaction in row.interactions],
        "versioning": "versioned-update" if row.writable else "versioned",
        "readHistory": row.allows(Interaction.HISTORY),
        "updateCreate": False,
        "conditionalCreate": row.writable,
        "conditionalUpdate": False,
        "conditionalDelete": "not-supported",
        "referencePolicy": ["literal", "local"],
    }
    if followed := [f"{row.type}:{param.name}" for param in includes(row.type)]:
        told["searchInclude"] = followed
    if back := [f"{type_}:{param.name}" for type_, param in revincludes(row.type)]:
        told["searchRevInclude"] = back
    told["searchParam"] = [_param(param) for param in row.params]
    told["operation"] = [
        _operation(one) for one in OPERATIONS if one.on != "server" and one.type in (None, row.type)
    ]
    return told


def _subscription() -> Json:
    """Subscriptions: a client's own, each with the one version that it has."""
    row = SUBSCRIPTION
    interactions = [*(one.value for one in row.interactions), "delete"]
    return {
        "type": row.type,
        "documentation": "rest-hook, or message by MESH; id-only; criteria are Type? or "
        "Type?patient=id. A client has its own alone, searched by GET and by POST _search.",
        "interaction": [{"code": code} for code in interactions],
        "versioning": "versioned",
        "readHistory": False,
        "updateCreate": False,
        "conditionalCreate": False,
        "conditionalUpdate": False,
        "conditionalDelete": "not-supported",
        "searchParam": [_param(param) for param in row.params],
        "operation": [_operation(one) for one in OPERATIONS if one.type == row.type],
    }


def _param(param: Param) -> Json:
    return {"name": param.name, "definition": param.url, "type": param.kind}


def _operation(one: Operation) -> Json:
    return {"name": one.name, "definition": one.definition}
