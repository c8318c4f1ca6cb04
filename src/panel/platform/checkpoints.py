"""Seals that are kept elsewhere: what they said once, whoever may rewrite the database since.

A file of lines of JSON, one a seal, added to and never written anew. It holds nothing of any event.
"""

import os
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from panel.platform.seals import Seal


class UnreadableCheckpoint(Exception):
    """A file or a key that is not what `panel audit` wrote, in a sentence."""


class Kept(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One line of the file."""

    authority: str
    number: int
    events: int
    """How many events were sealed with it, from the first on."""
    root: str
    made_at: str
    key: str
    """The public key, in base64."""
    key_id: UUID
    statement: str
    """What was signed; the rest is said beside it to be read."""
    signature: str

    def hash(self) -> bytes:
        """The hash of the seal, as the next one names it."""
        return sha256(self.statement.encode() + from_base64(self.signature)).digest()

    def is_whole(self) -> bool:
        """Whether its signature is that of its key, and what stands beside is what it says."""
        said = dict(line.split(": ", 1) for line in self.statement.splitlines()[1:] if ": " in line)
        beside = {
            "authority": self.authority,
            "number": str(self.number),
            "root": self.root,
            "made at": self.made_at,
            "key": str(self.key_id),
        }
        ends = int(said.get("first", "0")) + int(said.get("size", "0"))
        return (
            all(said.get(name) == value for name, value in beside.items())
            and ends == self.events
            and is_signed(from_base64(self.key), self.statement.encode(), self.signature)
        )


def is_signed(public: bytes, statement: bytes, signature: bytes | str) -> bool:
    """Whether a signature is that of a public key."""
    given = from_base64(signature) if isinstance(signature, str) else signature
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(given, statement)
    except (InvalidSignature, ValueError):
        return False
    return True


def from_base64(text: str) -> bytes:
    """The bytes. Raises UnreadableCheckpoint."""
    try:
        return b64decode(text.strip(), validate=True)
    except NotBase64 as error:
        raise UnreadableCheckpoint(f"“{text[:20]}…” is not base64.") from error


def to_base64(content: bytes) -> str:
    """As a public key is printed."""
    return b64encode(content).decode()


def kept(seal: Seal, public: bytes) -> Kept:
    """The line for a seal."""
    return Kept(
        authority=seal.authority,
        number=seal.number,
        events=seal.end,
        root=seal.root.hex(),
        made_at=seal.told_at,
        key=to_base64(public),
        key_id=seal.key_id,
        statement=seal.statement.decode(),
        signature=to_base64(seal.signature),
    )


def read_kept(file: Path) -> list[Kept]:
    """Every line of a file, by number. Raises UnreadableCheckpoint."""
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise UnreadableCheckpoint(f"{file} cannot be read: {error.strerror}.") from error
    found: list[Kept] = []
    for place, line in enumerate(lines, start=1):
        try:
            found.append(msgspec.json.decode(line, type=Kept))
            whole = found[-1].is_whole()
        except (msgspec.DecodeError, ValueError) as error:
            raise UnreadableCheckpoint(f"Line {place} of {file} is no checkpoint.") from error
        if not whole:
            raise UnreadableCheckpoint(
                f"Line {place} of {file} was changed: its signature is not that of its key."
            )
    return sorted(found, key=lambda one: one.number)


def keep(file: Path, one: Kept) -> bool:
    """Add a checkpoint to a file, once; whether it was new. Raises UnreadableCheckpoint."""
    if file.exists() and one in read_kept(file):
        return False
    try:
        with file.open("ab") as out:
            out.write(msgspec.json.encode(one) + b"\n")
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        raise UnreadableCheckpoint(f"{file} cannot be written: {error.strerror}.") from error
    return True
