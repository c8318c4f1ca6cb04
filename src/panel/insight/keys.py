"""Keys by which facts are about somebody whom nobody can name.

They come from the key of blind indexes, which outlives rotations of the others, and are in no
database. Who has the facts and not the key cannot tell whose they are; no table says it.
"""

import hmac
from hashlib import sha256
from uuid import UUID

from panel.insight.core.keys import RecordKeys
from panel.platform.crypto import Keyring

LONG = 16
"""Bytes of a record, a person and a row."""


class FactKeys:
    """Makes what stands in facts for children, their records' rows and their parts in cells."""

    def __init__(self, ring: Keyring) -> None:
        self._pseudonym = ring.index("insight", "pseudonym")
        self._record_keys = RecordKeys(ring.index("insight", "record key"))

    def record(self, child_id: UUID) -> bytes:
        """A child's record, the same for ever."""
        return self._made(b"record", child_id)

    def row(self, row_id: UUID) -> bytes:
        """A row of a record: tells two requests of one child apart."""
        return self._made(b"row", row_id)

    def record_key(self, person: bytes) -> int:
        """What a person adds to the key of a cell: signed 64 bits."""
        return self._record_keys.record_key(person)

    def _made(self, kind: bytes, one: UUID) -> bytes:
        return hmac.digest(self._pseudonym, kind + one.bytes, sha256)[:LONG]
