"""Codes for the second step: those that an app makes every half minute (RFC 6238), and on paper."""

import base64
import re
import secrets
from datetime import datetime
from hmac import compare_digest
from io import BytesIO
from uuid import UUID

import pyotp
import segno

from panel.platform.crypto import Keyring

STEP = 30
"""Seconds."""
AROUND = (0, -1, 1)
"""Steps that are taken as well: clocks differ, and people type slowly."""
HOW_MANY = 10
_BYTES = 15
"""120 random bits: a plain hash is enough for so many (ASVS 5.0, 6.5.2)."""
_GROUP = 4


def new_secret() -> str:
    """A new secret to make codes from: 160 random bits in base32."""
    return pyotp.random_base32(32)


def step_of(secret: str, typed: str, now: datetime) -> int | None:
    """The step of time that a typed code is of; None where it is none of these minutes'."""
    digits = re.sub(r"\s", "", typed)
    if not re.fullmatch(r"[0-9]{6}", digits):
        return None
    here, made = int(now.timestamp()) // STEP, pyotp.TOTP(secret)
    matching = [here + by for by in AROUND if compare_digest(made.generate_otp(here + by), digits)]
    return matching[0] if matching else None


def as_shown(secret: str) -> str:
    """A secret to type into an app, in groups of four."""
    return " ".join(secret[at : at + _GROUP] for at in range(0, len(secret), _GROUP))


def picture(secret: str, email: str, authority: str) -> str:
    """The picture that an app reads: SVG without a style of its own."""
    address = pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=f"Panel {authority}")
    drawn = BytesIO()
    segno.make(address, error="m", micro=False).save(
        drawn, kind="svg", scale=4, border=4, light="#ffffff", xmldecl=False, svgclass=None,
        lineclass=None, nl=False,
    )  # fmt: skip
    return drawn.getvalue().decode()


def new_recovery_codes() -> list[str]:
    """Ten codes to keep on paper: "abcd-efgh-…", six groups."""
    return [_grouped(base64.b32encode(secrets.token_bytes(_BYTES))) for _ in range(HOW_MANY)]


def recovery_hash(ring: Keyring, worker_id: UUID, typed: str) -> bytes:
    """What is kept of a recovery code: whoever has the database alone cannot tell it."""
    letters = re.sub(r"[^a-z2-7]", "", typed.casefold())
    return ring.index("recovery_code", f"{worker_id} {letters}")


def _grouped(code: bytes) -> str:
    letters = code.decode().lower()
    return "-".join(letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))
