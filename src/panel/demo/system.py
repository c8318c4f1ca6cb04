"""The demonstration's own system that comes in: its key lies in the data folder, to try it with."""

import os
from pathlib import Path

import msgspec
from joserfc.jwk import ECKey
from sqlalchemy import select

from interop.client_tokens import SigningKey, public_set
from panel.accounts.service import agency_by_key
from panel.exchange.clients import KeysGiven, NewClient, change_keys, register_client
from panel.exchange.models import ExchangeClient
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB

KEY = "demo"
NAME = "The paediatricians’ system"
AGENCY = "paediatrics"
SCOPES = "system/*.rs system/Subscription.cruds"
FILE = "demo-client.jwk"


async def ensure_system(tenant: Tenant, folder: Path) -> Path | None:
    """Register the system `demo` unless it is there, its private key in a file of the folder.

    None where there is no agency whose system it could be. A key that was lost is made anew.
    """
    file = folder / FILE
    key, made = _key(file)
    keys = KeysGiven(msgspec.json.encode(public_set([key])).decode(), "")
    async with tenant.transaction(JOB) as session:
        agency = await agency_by_key(session, AGENCY)
        if agency is None:
            return None
        known = await session.scalar(select(ExchangeClient).where(ExchangeClient.key == KEY))
        if known is None:
            await register_client(session, NewClient(KEY, NAME, agency.id, SCOPES, keys))
        elif made and known.ended_on is None:
            await change_keys(session, known.id, known.version, keys)
    return file


def _key(file: Path) -> tuple[SigningKey, bool]:
    """The key of the file, and whether it was made now."""
    if file.exists():
        return SigningKey.from_jwk(msgspec.json.decode(file.read_bytes())), False
    jwk = ECKey.generate_key("P-384", {"kid": "demo-1"}, private=True).as_dict(private=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(msgspec.json.encode(jwk))
    return SigningKey.from_jwk(jwk), True
