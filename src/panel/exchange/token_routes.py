"""The way in for systems: tokens, their end, and what is announced of both (SMART, OAuth 2).

Answers are those of OAuth 2.0 (RFC 6749, 5.2): JSON, kept by nobody. No session and no form of ours
has a part in it: a client shows who it is by what it signs each time.
"""

from collections.abc import Awaitable, Mapping
from urllib.parse import parse_qsl

import msgspec
import structlog
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.enums import MediaType

from interop.scopes import LONGEST, RELEASES, asked_for
from interop.signed import NotBelieved
from interop.smart import ALGORITHMS, LONGEST_ASSERTION, TYPE, Refused
from panel.accounts.desk import FOR_ANYBODY, Desk
from panel.accounts.providers import base_of
from panel.exchange.tokens import (
    LASTS,
    REVOKED,
    TOKENS,
    Shown,
    give,
    revoke_own,
    show,
    token_address,
)
from panel.platform.problems import TooMany

log = structlog.get_logger()

ANNOUNCED = "/fhir/R4/.well-known/smart-configuration"
GRANT = "client_credentials"
FORM = "application/x-www-form-urlencoded"
LARGEST = 4 * (LONGEST_ASSERTION + LONGEST)
"""Bytes of a request."""
MOST_FIELDS = 20
NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}
NOT_BELIEVED = "The client is not known, or what it signed was not signed with a key of its own."

Fields = Mapping[str, str]


class OAuthError(Exception):
    """What is answered instead of what was asked for (RFC 6749, 5.2)."""

    def __init__(self, error: str, words: str, status: int = 400, wait: int = 0) -> None:
        self.error, self.words, self.status, self.wait = error, words, status, wait
        super().__init__(error)

    def answer(self) -> Response[bytes]:
        """As JSON."""
        again = {"Retry-After": str(self.wait)} if self.wait else {}
        said = {"error": self.error, "error_description": _plain(self.words)}
        return _json(said, self.status, NOT_KEPT | again)


def _plain(words: str) -> str:
    """As far as a description may hold it (RFC 6749, 5.2)."""
    return "".join(one for one in words if one.isascii() and one.isprintable() and one not in '"\\')


def _json(said: object, status: int, headers: Mapping[str, str]) -> Response[bytes]:
    return Response(
        msgspec.json.encode(said),
        status_code=status,
        media_type=MediaType.JSON,
        headers=dict(headers),
    )


@post(TOKENS, include_in_schema=False, opt=FOR_ANYBODY)
async def give_token(desk: NamedDependency[Desk]) -> Response[bytes]:
    """Give a client that shows who it is a token for what it asks for and is registered for."""
    return await _answered(_token(desk))


async def _token(desk: Desk) -> Response[bytes]:
    fields = await _fields(desk)
    shown = await _shown(desk, fields)
    if fields.get("grant_type") != GRANT:
        raise OAuthError("unsupported_grant_type", f"grant_type is not {GRANT}")
    given = await give(desk, shown, asked_for(fields.get("scope", "")))
    if not given.scopes:
        raise OAuthError("invalid_scope", "None of the scopes asked for is registered")
    said = {
        "access_token": given.token,
        "token_type": "bearer",
        "expires_in": int(LASTS.total_seconds()),
        "scope": " ".join(given.scopes.listed()),
    }
    return _json(said, 200, NOT_KEPT)


@post(REVOKED, include_in_schema=False, opt=FOR_ANYBODY)
async def revoke_token(desk: NamedDependency[Desk]) -> Response[bytes]:
    """End a token of the client's own before its time (RFC 7009)."""
    return await _answered(_revoked(desk))


async def _revoked(desk: Desk) -> Response[bytes]:
    fields = await _fields(desk)
    shown = await _shown(desk, fields)
    if not fields.get("token"):
        raise OAuthError("invalid_request", "token is missing")
    await revoke_own(desk, shown, fields["token"])
    return _json({}, 200, NOT_KEPT)


@get(ANNOUNCED, include_in_schema=False, opt=FOR_ANYBODY)
async def announce(desk: NamedDependency[Desk]) -> Response[bytes]:
    """What a system has to know to come in (SMART App Launch, Conformance)."""
    base = base_of(desk.tenant.record, desk.site.url)
    ways = {"methods": ["private_key_jwt"], "signed": list(ALGORITHMS)}
    said = {
        "token_endpoint": token_address(desk),
        "token_endpoint_auth_methods_supported": ways["methods"],
        "token_endpoint_auth_signing_alg_values_supported": ways["signed"],
        "revocation_endpoint": base + REVOKED,
        "revocation_endpoint_auth_methods_supported": ways["methods"],
        "revocation_endpoint_auth_signing_alg_values_supported": ways["signed"],
        "grant_types_supported": [GRANT],
        "scopes_supported": ["system/*.cruds", f"system/{RELEASES}.r"],
        "capabilities": ["client-confidential-asymmetric", "permission-v1", "permission-v2"],
    }
    return _json(said, 200, {})


async def _fields(desk: Desk) -> Fields:
    """What was posted, each name once."""
    kind = desk.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise OAuthError("invalid_request", f"Send it as {FORM}")
    body = await desk.request.body()
    if len(body) > LARGEST:
        raise OAuthError("invalid_request", "This is larger than any request for a token", 413)
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            max_num_fields=MOST_FIELDS,
            errors="strict",
        )
    except ValueError as error:
        raise OAuthError("invalid_request", "This is no form that can be read") from error
    if len(dict(pairs)) != len(pairs):
        raise OAuthError("invalid_request", "A parameter stands twice")
    return dict(pairs)


async def _shown(desk: Desk, fields: Fields) -> Shown:
    """The client that shows who it is."""
    if fields.get("client_assertion_type") != TYPE or not fields.get("client_assertion"):
        raise OAuthError("invalid_client", "Show who you are by a signed client_assertion", 401)
    return await show(desk, fields["client_assertion"])


async def _answered(work: Awaitable[Response[bytes]]) -> Response[bytes]:
    """What comes of it, or what OAuth calls it when it is refused."""
    try:
        return await work
    except OAuthError as error:
        return error.answer()
    except TooMany as error:
        return OAuthError("temporarily_unavailable", error.sentence, 429, error.wait).answer()
    except Refused as error:
        return OAuthError("invalid_client", error.sentence, 401).answer()
    except NotBelieved as error:
        log.info("client not believed", why=error.why)
        return OAuthError("invalid_client", NOT_BELIEVED, 401).answer()


HANDLERS = [give_token, revoke_token, announce]
