"""Sealing text at rest, and finding it again without reading it.

Envelope: one data key per *holder* (a person, or an agency for its workers' names), wrapped by the
authority's key, wrapped by the master key of `panel.platform.masterkey`. AES-256-GCM; what is
authenticated beside the text is the field's stable name and the row, so that ciphertext moved to
another row or field does not open. Destroying a holder's data key is erasure.

Keys have generations (ADR 18). What is sealed or wrapped begins with its form: of the first
generation, or of a later one with its number. A holder's data keys of every generation are wrapped
together, so there is one thing to read and one to destroy.
"""

import hmac
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from panel.platform.off_the_loop import OffTheLoop

_FIRST = b"\x01"
_LATER = b"\x02"
_NUMBER = 4
_NONCE = 12
_KEY = 32
FIRST_GENERATION = 1

ERASED = "(erased)"
"""What a field reads as once its holder's key was destroyed."""


class NotSealedHere(Exception):
    """Ciphertext that this key, field and row do not open: changed, or moved."""


def generation_of(sealed: bytes) -> int:
    """Of which generation the key is that opens this. Raises NotSealedHere."""
    if sealed[:1] == _FIRST:
        return FIRST_GENERATION
    if sealed[:1] == _LATER and len(sealed) > 1 + _NUMBER:
        return int.from_bytes(sealed[1 : 1 + _NUMBER])
    raise NotSealedHere("This is not sealed in a form that is known here.")


def _header(generation: int) -> bytes:
    if generation == FIRST_GENERATION:
        return _FIRST
    return _LATER + generation.to_bytes(_NUMBER)


def _bound(header: bytes, bound_to: bytes) -> bytes:
    """The first form is what was written before keys had generations: it has no number."""
    return bound_to if header == _FIRST else bound_to + b"\0" + header


def _seal(key: AESGCM, text: bytes, bound_to: bytes, generation: int = FIRST_GENERATION) -> bytes:
    nonce = os.urandom(_NONCE)
    header = _header(generation)
    return header + nonce + key.encrypt(nonce, text, _bound(header, bound_to))


def _open(key: AESGCM, sealed: bytes, bound_to: bytes) -> bytes:
    header = _header(generation_of(sealed))
    start = len(header)
    try:
        nonce, rest = sealed[start : start + _NONCE], sealed[start + _NONCE :]
        return key.decrypt(nonce, rest, _bound(header, bound_to))
    except (InvalidTag, ValueError) as error:
        raise NotSealedHere("Sealed text was changed or moved to another place.") from error


def new_key() -> bytes:
    """256 random bits."""
    return AESGCM.generate_key(256)


class Wrapping:
    """A key that wraps other keys (a local master key, an authority's key of one generation)."""

    def __init__(self, key: bytes, generation: int = FIRST_GENERATION) -> None:
        self._key = AESGCM(key)
        self._generation = generation
        self.key_id = f"local:{sha256(b'panel key id' + key).hexdigest()[:16]}"
        """Which key it is, without telling it."""

    def wrap(self, key: bytes, name: str) -> bytes:
        """The key, sealed and bound to its name."""
        return _seal(self._key, key, name.encode(), self._generation)

    def unwrap(self, wrapped: bytes, name: str) -> bytes:
        """The key again. Raises NotSealedHere for another name or another wrapping key."""
        return _open(self._key, wrapped, name.encode())


@dataclass(frozen=True, slots=True)
class DataKey:
    """A holder's data keys: what is written is sealed with the last, the rest opens the old."""

    generations: Mapping[int, AESGCM]
    current: int

    @classmethod
    def read(cls, unwrapped: bytes) -> "DataKey":
        """From what was wrapped: one key, or keys that each follow their number."""
        found = {number: AESGCM(key) for number, key in _parts(unwrapped).items()}
        return cls(found, max(found))


def _parts(unwrapped: bytes) -> dict[int, bytes]:
    if len(unwrapped) == _KEY:
        return {FIRST_GENERATION: unwrapped}
    each = _NUMBER + _KEY
    if not unwrapped or len(unwrapped) % each:
        raise NotSealedHere("A data key is not of a length that is known here.")
    numbered = [unwrapped[place : place + each] for place in range(0, len(unwrapped), each)]
    return {int.from_bytes(one[:_NUMBER]): one[_NUMBER:] for one in numbered}


class Stored(Protocol):
    """Where keys are kept, asked again when something names a generation that is not at hand.

    Both are asked from within pure work, so they block; once for each rotation and process, or
    where a rotation comes between the reading of a key and of what it seals.
    """

    def later_keys(self) -> Iterable[tuple[int, bytes]]:
        """The authority's keys after the first: their generations, and each as it is wrapped."""

    def data_key(self, holder: UUID) -> bytes | None:
        """A holder's data key as it is wrapped now; None once it was destroyed."""


class Keyring:
    """An authority's keys: wraps data keys, and makes blind indexes with a key of their own."""

    def __init__(
        self, authority_key: bytes, index_key: bytes, later: Mapping[int, bytes] | None = None
    ) -> None:
        """Args: the first key, the key of blind indexes, and later generations of the first."""
        self._wrappings = {FIRST_GENERATION: Wrapping(authority_key)}
        self._index_key = index_key
        self.stored: Stored | None = None
        self.later_from: Callable[[Iterable[tuple[int, bytes]]], Mapping[int, bytes]] | None = None
        """Unwraps later generations, with the master key."""
        self._take(later or {})
        self._learning = OffTheLoop(self._learn)

    def _take(self, later: Mapping[int, bytes]) -> None:
        for generation, key in later.items():
            if generation not in self._wrappings:
                self._wrappings[generation] = Wrapping(key, generation)
        self.current = max(self._wrappings)

    def learn(self) -> None:
        """Take the generations that came since this process started.

        A loop that serves others waits for it a moment and no longer. Raises NotLearntYet.
        """
        self._learning.wait()

    async def ready(self) -> None:
        """The same, while others are served. Raises NotLearntYet."""
        await self._learning.ready()

    def knows(self, wrapped: bytes) -> bool:
        """Whether what wrapped this is at hand. Raises NotSealedHere for what nothing wrapped."""
        return generation_of(wrapped) in self._wrappings

    def _learn(self) -> None:
        if self.stored is None or self.later_from is None:
            return
        unknown = [one for one in self.stored.later_keys() if one[0] not in self._wrappings]
        self._take(self.later_from(unknown))

    def new_data_key(self, holder: UUID) -> bytes:
        """A new data key for a holder, wrapped."""
        return self._wrap(holder, new_key())

    def data_key(self, holder: UUID, wrapped: bytes) -> DataKey:
        """The holder's data keys."""
        return DataKey.read(self._unwrap(holder, wrapped))

    def wrapped_anew(self, holder: UUID, wrapped: bytes) -> bytes:
        """The same data keys, wrapped by the authority's newest key."""
        return self._wrap(holder, self._unwrap(holder, wrapped))

    def with_another_key(self, holder: UUID, wrapped: bytes) -> bytes:
        """The holder's data keys and a new one, with which is sealed from now on."""
        parts = _parts(self._unwrap(holder, wrapped))
        parts[max(parts) + 1] = new_key()
        return self._wrap(
            holder, b"".join(number.to_bytes(_NUMBER) + key for number, key in parts.items())
        )

    def _wrap(self, holder: UUID, keys: bytes) -> bytes:
        return self.wrap(keys, f"holder {holder}")

    def _unwrap(self, holder: UUID, wrapped: bytes) -> bytes:
        return self.unwrap(wrapped, f"holder {holder}")

    def wrap(self, key: bytes, name: str) -> bytes:
        """A key, wrapped by the authority's newest and bound to its name."""
        return self._wrappings[self.current].wrap(key, name)

    def unwrap(self, wrapped: bytes, name: str) -> bytes:
        """Such a key again, whichever generation wrapped it. Raises NotSealedHere."""
        generation = generation_of(wrapped)
        if generation not in self._wrappings:
            self.learn()
        wrapping = self._wrappings.get(generation)
        if wrapping is None:
            raise NotSealedHere("The authority's key that wraps this is not known here.")
        return wrapping.unwrap(wrapped, name)

    def read_again(self, holder: UUID) -> DataKey | None:
        """The holder's data keys as they are stored now; None once they were destroyed."""
        if self.stored is None:
            raise NotSealedHere("The data key that sealed this is not known here.")
        wrapped = self.stored.data_key(holder)
        return None if wrapped is None else self.data_key(holder, wrapped)

    def index(self, field: str, text: str) -> bytes:
        """The blind index of a text in a field: HMAC-SHA256, 32 bytes, the same for the same."""
        return hmac.digest(self._index_key, f"{field}\0{text}".encode(), sha256)


class Keys:
    """The data keys at hand in one transaction. Sealing and opening are in memory and quick."""

    def __init__(self, ring: Keyring, directory: dict[UUID, DataKey] | None = None) -> None:
        """Args: the authority's keys; data keys that every transaction has at hand."""
        self.ring = ring
        self._directory = directory if directory is not None else {}
        self._known: dict[UUID, DataKey] = dict(self._directory)
        self._wrapped: dict[UUID, bytes] = {}
        """Unwrapped when first used: a page opens few of the records that it decides on."""

    def known(self, holders: Iterable[UUID]) -> dict[UUID, DataKey]:
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
        return _seal(key.generations[key.current], content, f"{field} {row}".encode(), key.current)

    def open_bytes(self, holder: UUID, field: str, row: UUID, sealed: bytes) -> bytes:
        """Content again; `ERASED` when the holder's key was destroyed."""
        key = self._key(holder)
        if key is None:
            return ERASED.encode()
        generation = generation_of(sealed)
        if generation not in key.generations:
            # Sealed anew since the key was read: what is stored now opens it.
            again = self.ring.read_again(holder)
            if again is None:
                return ERASED.encode()
            key = self._known[holder] = again
            if holder in self._directory:
                self._directory[holder] = again
        if generation not in key.generations:
            raise NotSealedHere("The data key that sealed this is not known here.")
        return _open(key.generations[generation], sealed, f"{field} {row}".encode())

    def _key(self, holder: UUID) -> DataKey | None:
        key = self._known.get(holder)
        if key is None and (wrapped := self._wrapped.get(holder)) is not None:
            key = self._known[holder] = self.ring.data_key(holder, wrapped)
        return key
