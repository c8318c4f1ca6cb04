"""What a seal says, what of an event is hashed, and where both are kept.

A leaf is an event's row as the database sends it in binary: which table, how many columns, then
each column's length and bytes. So nothing is ambiguous, and sealed text is hashed as ciphertext:
a data key that is destroyed, or a wrapping key that is changed, leaves the proof whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from struct import Struct
from typing import NamedTuple
from uuid import UUID

from panel.platform.merkle import leaf_hash

FORM = 1
"""Of the leaves and of what is signed; another column in an event's table makes it 2."""
NO_SEAL = bytes(32)
"""What the first seal names as the one before."""
LATE = timedelta(minutes=15)
"""How long before its own writing an event may be dated: the longest that a request or import
reads before it writes."""


@dataclass(frozen=True, slots=True)
class Source:
    """A table of events, and the columns that a leaf is made of; the first three are the same."""

    number: int
    table: str
    columns: tuple[str, ...]


_FIRST = ("id", "at", "transaction")
SOURCES = (
    Source(
        1,
        "access_event",
        (*_FIRST, "child_id", "viewer_id", "viewer_kind", "agency_id", "purpose", "doing",
         "decisions"),
    ),
    Source(
        2,
        "audit_event",
        (*_FIRST, "actor_id", "actor_kind", "agency_id", "kind", "subject_id", "details",
         "holder_id", "words"),
    ),
    Source(3, "history_search", (*_FIRST, "viewer_id", "asked", "shown")),
)  # fmt: skip
GUARDED = (*(one.table for one in SOURCES), "audit_leaf", "audit_seal")
"""Tables that refuse every change."""

_BINARY = b"PGCOPY\n\xff\r\n\x00"
_HEADER = len(_BINARY) + 8
_LENGTH = Struct(">i")
_NUMBER = Struct(">q")
_TABLE = Struct(">HH")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Event(NamedTuple):
    """A row of an event as it was read: what orders it, and the hash of its leaf."""

    transaction: int
    """-1 for what was there before transactions were kept."""
    at: int
    """Microseconds since 2000, as the database keeps it."""
    id: bytes
    source: int
    hash: bytes


def without_header(line: bytes) -> bytes:
    """A line of a binary COPY; b"" where it is the end."""
    if line[: len(_BINARY)] == _BINARY:
        line = line[_HEADER:]
    return b"" if line[:2] == b"\xff\xff" else line


def fields(line: bytes, count: int, start: int = 2) -> tuple[list[bytes | None], int]:
    """The next fields of a line, and where the following one starts."""
    found: list[bytes | None] = []
    for _ in range(count):
        (length,) = _LENGTH.unpack_from(line, start)
        start += 4
        if length < 0:
            found.append(None)
        else:
            found.append(line[start : start + length])
            start += length
    return found, start


def number(field: bytes | None) -> int:
    """A bigint, an xid8 or a moment; -1 where there is none."""
    return -1 if field is None else int(_NUMBER.unpack(field)[0])


def event_from(line: bytes, start: int, source: Source) -> Event | None:
    """The event whose columns begin at `start`; None where there is no such row."""
    (key, at, transaction), _ = fields(line, 3, start)
    if key is None:
        return None
    content = _TABLE.pack(source.number, len(source.columns)) + line[start:]
    return Event(number(transaction), number(at), key, source.number, leaf_hash(content))


def moment_of(at: int) -> datetime:
    """The moment that the database keeps as this number."""
    return _EPOCH + at * _MICROSECOND


def kept_as(moment: datetime) -> int:
    """The number as which the database keeps a moment."""
    return (moment - _EPOCH) // _MICROSECOND


@dataclass(frozen=True, slots=True)
class Seal:
    """A batch of events, and the root of the authority's whole tree with it."""

    authority: str
    number: int
    form: int
    first: int
    """The position of its first event, from 0."""
    size: int
    root: bytes
    previous: bytes
    """The hash of the seal before: what it says and its signature."""
    made_at: datetime
    server: int
    """Which server counted the transactions: another after a dump was restored elsewhere."""
    all_below: int | None
    """Every event of a transaction below this number is sealed; None while older ones are left."""
    none_from: int
    """No transaction of this number or above had begun when it began to seal."""
    key_id: UUID
    signature: bytes = b""

    @property
    def end(self) -> int:
        """How many events are sealed with it."""
        return self.first + self.size

    @property
    def told_at(self) -> str:
        """When it was made, always written alike."""
        return self.made_at.astimezone(UTC).isoformat(timespec="microseconds")

    @property
    def statement(self) -> bytes:
        """What is signed: a line for each, always in this order."""
        lines = {
            "authority": self.authority,
            "number": self.number,
            "form": self.form,
            "first": self.first,
            "size": self.size,
            "root": self.root.hex(),
            "previous": self.previous.hex(),
            "made at": self.told_at,
            "server": self.server,
            "all below": "" if self.all_below is None else self.all_below,
            "none from": self.none_from,
            "key": self.key_id,
        }
        told = "".join(f"{name}: {value}\n" for name, value in lines.items())
        return b"panel audit seal\n" + told.encode()

    @property
    def hash(self) -> bytes:
        """What the next seal names."""
        return sha256(self.statement + self.signature).digest()


SEAL_COLUMNS: Sequence[str] = (
    "number", "form", "first", "size", "root", "previous", "made_at", "server", "all_below",
    "none_from", "key_id", "signature",
)  # fmt: skip
"""Columns of `audit_seal` in the order of `Seal`, without the authority's name."""
