"""A neighbouring county hands a child over to the demonstration's authority, and waits."""

from base64 import urlsafe_b64encode
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from interop.bundle import Shown
from interop.client_tokens import SigningKey, public_set
from interop.handed import Handing, signed_document
from panel.accounts.service import add_agency
from panel.demo.crew import crew_of_the_past
from panel.exchange.clients import KeysGiven, NewClient, register_client
from panel.exchange.entering import Client
from panel.exchange.handing_over import SCOPES, NewAuthority, add_authority
from panel.exchange.handing_over_in import receive_handover
from panel.exchange.standing import client_by_key
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import rewrite_viewer

NAME, KEY = "Fernshire", "fernshire"
CHILD = "b7a1f0de-5a0e-4d0e-9d2b-1f5c5b9b7d10"
NUMBER = UUID("5f0f7f3a-0f4b-4c55-8a5a-2f9a1c3d7e21")
A_WEEK = timedelta(days=7)
BASE = "https://fernshire.example/fhir/R4"
NOTE = "They move in with Grandma. A text message before anybody rings works best for Mum."
PATIENT = {
    "resourceType": "Patient",
    "id": CHILD,
    "name": [{"use": "official", "family": "Merganser", "given": ["Elowen"]}],
    "gender": "female",
    "birthDate": "2022-05-14",
}


async def hand_one_over(tenant: Tenant, *, seed: int) -> None:
    """Keep the neighbour, and what it sent yesterday."""
    crew = await crew_of_the_past(tenant, seed)
    crew.at(crew.today - timedelta(days=1), 11)
    key = Ed25519PrivateKey.from_private_bytes(sha256(f"{KEY} {seed}".encode()).digest())
    signing = _signing_key(seed)
    keys = KeysGiven(msgspec.json.encode(public_set([signing])).decode(), "")
    async with crew.tenant.transaction(JOB) as session:
        agency = await add_agency(session, key=KEY, name=f"{NAME} County Council", kind="council")
        new = NewClient(KEY, f"{NAME}’s Panel", agency.id, " ".join((*SCOPES, "system/*.rs")), keys)
        await rewrite_viewer(session, (await register_client(session, new)).id)
        public = key.public_key().public_bytes_raw().hex()
        await add_authority(session, NewAuthority(NAME, KEY, public_key=public), is_demo=True)
        client: Client | None = await client_by_key(session, KEY)
    handing = Handing(
        NUMBER,
        crew.clock.now(),
        NAME,
        tenant.record.label,
        CHILD,
        NOTE,
        ("finance", "safeguarding"),
        crew.today + A_WEEK,
    )
    body = signed_document(handing, [Shown("Patient", CHILD, PATIENT)], BASE, key)
    if client is not None:
        await receive_handover(crew.tenant, client, body)


def _signing_key(seed: int) -> SigningKey:
    """The neighbour's key to sign in with: the same for the same seed."""
    secret = int.from_bytes(sha256(f"{KEY} signs in {seed}".encode()).digest())
    made = ec.derive_private_key(secret, ec.SECP384R1())
    point = made.public_key().public_numbers()
    parts = {"d": secret, "x": point.x, "y": point.y}
    coordinates = {
        name: urlsafe_b64encode(value.to_bytes(48)).rstrip(b"=").decode()
        for name, value in parts.items()
    }
    return SigningKey.from_jwk({"kty": "EC", "crv": "P-384", "kid": f"{KEY}-1", **coordinates})
