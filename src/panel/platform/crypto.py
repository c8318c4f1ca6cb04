"""Sealing text at rest, and finding it again without reading it.

Envelope: one data key per *holder* (a person, or an agency for its workers' names), wrapped by the
authority's key, wrapped by the master key of `panel.platform.masterkey`. AES-256-GCM; what is
authenticated beside the text is the field's stable name and the row, so that ciphertext moved to
another row or field does not open. Destroying a holder's data key is erasure.
"""

import hmac
import os
from collections.abc import Iterable, Mapping
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_FORM = b"\x01"
_NONCE = 12

ERASED = "(erased)"
"""What a field reads as once its holder's key was destroyed."""


class NotSealedHere(Exception):
    """Ciphertext that this key, field and row do not open: changed, or moved."""


def _seal(key: AESGCM, text: bytes, bound_to: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return _FORM + nonce + key.encrypt(nonce, text, bound_to)


def _open(key: AESGCM, sealed: bytes, bound_to: bytes) -> bytes:
    if sealed[:1] != _FORM:
        raise NotSealedHere("This is not sealed in a form that is known here.")
    try:
        return key.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], bound_to)
    except InvalidTag as error:
        raise NotSealedHere("Sealed text was changed or moved to another place.") from error


def new_key() -> bytes:
    """256 random bits."""
    return AESGCM.generate_key(256)


class Wrapping:
    """A key that wraps other keys (the master key, an authority's key)."""

    def __init__(self, key: bytes) -> None:
        self._key = AESGCM(key)

    def wrap(self, key: bytes, name: str) -> bytes:
        """The key, sealed and bound to its name."""
        return _seal(self._key, key, name.encode())

    def unwrap(self, wrapped: bytes, name: str) -> bytes:
        """The key again. Raises NotSealedHere for another name or another wrapping key."""
        return _open(self._key, wrapped, name.encode())


class Keyring:
    """An authority's keys: wraps data keys, and makes blind indexes with a key of their own."""

    def __init__(self, authority_key: bytes, index_key: bytes) -> None:
        self._wrapping = Wrapping(authority_key)
        self._index_key = index_key

    def new_data_key(self, holder: UUID) -> bytes:
        """A new data key for a holder, wrapped."""
        return self._wrapping.wrap(new_key(), f"holder {holder}")

    def data_key(self, holder: UUID, wrapped: bytes) -> bytes:
        """The holder's data key."""
        return self._wrapping.unwrap(wrapped, f"holder {holder}")

    def wrap(self, key: bytes, name: str) -> bytes:
        """A key of the authority's own (none of a holder's), wrapped and bound to its name."""
        return self._wrapping.wrap(key, name)

    def unwrap(self, wrapped: bytes, name: str) -> bytes:
        """Such a key again. Raises NotSealedHere."""
        return self._wrapping.unwrap(wrapped, name)

    def index(self, field: str, text: str) -> bytes:
        """The blind index of a text in a field: HMAC-SHA256, 32 bytes, the same for the same."""
        return hmac.digest(self._index_key, f"{field}\0{text}".encode(), sha256)


class Keys:
    """The data keys at hand in one transaction. Sealing and opening are in memory and quick."""

    def __init__(self, ring: Keyring, known: Mapping[UUID, AESGCM] | None = None) -> None:
        self.ring = ring
        self._known: dict[UUID, AESGCM] = dict(known or {})
        self._wrapped: dict[UUID, bytes] = {}
        """Unwrapped when first used: a page opens few of the records that it decides on."""

    def known(self, holders: Iterable[UUID]) -> dict[UUID, AESGCM]:
        """The keys at hand of these holders."""
        return {one: key for one in holders if (key := self._key(one)) is not None}

    def missing(self, holders: Iterable[UUID]) -> list[UUID]:
        """Those whose key is not at hand."""
        return [one for one in holders if one not in self._known and one not in self._wrapped]

    def add(self, holder: UUID, wrapped: bytes) -> None:
        """Take a stored data key."""
        self._wrapped.setdefault(holder, wrapped)

    def seal(self, holder: UUID, field: str, row: UUID, text: str) -> bytes:
        """The text sealed for a holder, bound to the field and the row. KeyError: no key."""
        return self.seal_bytes(holder, field, row, text.encode())

    def open(self, holder: UUID, field: str, row: UUID, sealed: bytes) -> str:
        """The text again; `ERASED` when the holder's key was destroyed."""
        return self.open_bytes(holder, field, row, sealed).decode()

    def seal_bytes(self, holder: UUID, field: str, row: UUID, content: bytes) -> bytes:
        """Content (a file) sealed as a text is."""
        key = self._key(holder)
        if key is None:
            raise KeyError(holder)
        return _seal(key, content, f"{field} {row}".encode())

    def open_bytes(self, holder: UUID, field: str, row: UUID, sealed: bytes) -> bytes:
        """Content again; `ERASED` when the holder's key was destroyed."""
        key = self._key(holder)
        if key is None:
            return ERASED.encode()
        return _open(key, sealed, f"{field} {row}".encode())

    def _key(self, holder: UUID) -> AESGCM | None:
        key = self._known.get(holder)
        if key is None and (wrapped := self._wrapped.get(holder)) is not None:
            key = self._known[holder] = AESGCM(self.ring.data_key(holder, wrapped))
        return key
