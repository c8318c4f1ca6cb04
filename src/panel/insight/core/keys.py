"""Keys: of a person for the record key, of a cell for its number. HMAC-SHA-256, and no other use.

The secrets are 32 random bytes each; whoever has them can undo the protection.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from hmac import digest

_BITS = 53
"""A float holds a whole number of so many bits."""


def _made(secret: bytes, kind: str, said: bytes) -> bytes:
    # The kind ends in a zero byte, which no kind has, so that no two inputs are the same bytes.
    return digest(secret, kind.encode() + b"\x00" + said, sha256)


@dataclass(frozen=True, slots=True)
class CellKeys:
    """Makes the number that decides what a cell is published as."""

    secret: bytes = field(repr=False)

    def cell_key(self, xor: int, kind: str) -> float:
        """A number in [0, 1) of 53 bits. `xor`: signed 64 bits, of the cell's record keys."""
        made = _made(self.secret, kind, xor.to_bytes(8, "big", signed=True))
        return (int.from_bytes(made[:8], "big") >> (64 - _BITS)) / (1 << _BITS)


@dataclass(frozen=True, slots=True)
class RecordKeys:
    """Makes a person of facts out of a record: the same for ever, and no way back."""

    secret: bytes = field(repr=False)

    def person(self, record: bytes) -> bytes:
        """16 bytes."""
        return _made(self.secret, "person", record)[:16]

    def record_key(self, person: bytes) -> int:
        """Signed 64 bits; XOR over the children of a cell makes the cell's key."""
        return int.from_bytes(_made(self.secret, "record key", person)[:8], "big", signed=True)
