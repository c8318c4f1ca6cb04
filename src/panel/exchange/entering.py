"""Who comes in with a token: a client of an agency, as the gate takes it.

Asked of the database at each request, so that whoever is ended, or whose agency closed, is out at
once, whatever its token says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn
from uuid import UUID

import msgspec

from consent import Viewer, ViewerKind
from interop.scopes import RELEASES, Scopes, read_scopes
from panel.accounts.desk import Desk
from panel.exchange.tokens import GOES_ON
from panel.platform.clock import today
from panel.platform.database import NOBODY
from panel.platform.problems import NotLetIn
from panel.platform.sessions import token_hash
from panel.platform.tenancy import Tenant

REALM = 'Bearer realm="fhir"'
REALM_OF_RELEASES = 'Bearer realm="releases"'
LONGEST_TOKEN = 200
"""Characters; ours have 43."""


@dataclass(frozen=True, slots=True)
class Client:
    """A system that came in: who it is for the gate, and what its scopes let through.

    A scope only caps: what of a child's record it is shown the gate decides.
    """

    viewer: Viewer
    scopes: Scopes
    key: str
    name: str
    realm: str = REALM
    """For what it came in, as an answer says that refuses it."""

    @property
    def agency_id(self) -> UUID:
        """The agency whose system it is."""
        return self.viewer.agency or self.viewer.id

    def require(self, kind: str, letter: str) -> None:
        """Go on only if its scopes let it do this (one of `cruds`) with this type of resource.

        Raises NotLetIn (403), in the same words whatever there is.
        """
        self.require_all([] if self.scopes.permits(kind, letter) else [kind], letter)

    def require_all(self, lacking: Sequence[str], letter: str) -> None:
        """Go on only if nothing is lacking of what somebody asked for.

        Args: the types that the scopes do not let through. Raises NotLetIn (403).
        """
        if lacking:
            needs = " ".join(f"system/{kind}.{letter}" for kind in lacking)
            scopes = "the scope" if len(lacking) == 1 else "the scopes"
            raise NotLetIn(
                403,
                f"This token does not let it through: it needs {scopes} {needs}.",
                f'{self.realm}, error="insufficient_scope", scope="{needs}"',
            )


async def client_of(desk: Desk) -> Client:
    """The client that the request's Bearer token is of. Raises NotLetIn (401)."""
    return await client_with(desk.tenant, desk.request.headers.getall("authorization", []))


async def client_with(tenant: Tenant, given: Sequence[str], realm: str = REALM) -> Client:
    """The client whose token stands in a header Authorization. Raises NotLetIn (401)."""
    if not given:
        raise NotLetIn(401, "Bring an access token in the header Authorization.", realm)
    scheme, _, token = given[0].partition(" ")
    if len(given) > 1 or scheme.lower() != "bearer" or not 0 < len(token) <= LONGEST_TOKEN:
        _not_good(realm)
    rows = await tenant.look_up_as(
        NOBODY,
        _LET_IN,
        token=token_hash(token),
        now=tenant.clock.now(),
        day=today(tenant.clock),
    )
    if not rows:
        _not_good(realm)
    found = _READ.decode(rows[0][0])
    return Client(
        viewer=Viewer(found.id, ViewerKind.CLIENT, found.agency_id, found.kind),
        # What was taken from it since the token was made is taken from the token too.
        scopes=read_scopes(found.scopes).within(read_scopes(found.registered)),
        key=found.key,
        name=found.name,
        realm=realm,
    )


class SystemsThatRead:
    """Systems that read published figures with a token of their own scope."""

    async def reader(self, tenant: Tenant, authorization: Sequence[str]) -> UUID:
        """The system. Raises NotLetIn."""
        client = await client_with(tenant, authorization, REALM_OF_RELEASES)
        client.require(RELEASES, "r")
        return client.viewer.id


class _LetIn(msgspec.Struct):
    id: UUID
    key: str
    name: str
    registered: list[str]
    scopes: list[str]
    agency_id: UUID
    kind: str


_READ = msgspec.json.Decoder(_LetIn)
_LET_IN = (
    "SELECT json_build_object('id', exchange_client.id, 'key', exchange_client.key,"
    " 'name', exchange_client.name, 'registered', exchange_client.scopes, 'scopes', t.scopes,"
    " 'agency_id', agency.id, 'kind', agency.kind)::text FROM exchange_token t"
    " JOIN exchange_client ON exchange_client.id = t.client_id"
    " JOIN agency ON agency.id = exchange_client.agency_id"
    " WHERE t.token_hash = :token AND t.ends_at > :now AND t.revoked_at IS NULL"
    " AND {goes_on}".replace("{goes_on}", GOES_ON)
)


def _not_good(realm: str) -> NoReturn:
    raise NotLetIn(
        401,
        "This access token is not good, or it is over.",
        f'{realm}, error="invalid_token", error_description="Ask for a new one."',
    )
