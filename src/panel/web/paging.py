"""Pages of a long list by key: "after this row", never "skip 4,000 rows".

A cursor carries the sort key of the row at the page's edge. It is opaque to people but not
secret and not signed: a key only says where to start, never what may be seen.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import msgspec

KeyPart = str | int | dt.date | dt.datetime | uuid.UUID
Key = tuple[KeyPart, ...]
Direction = Literal["after", "before"]
Row = TypeVar("Row")

STALE_LINK = "That page link no longer works, so this is the start of the list."
LONGEST_CURSOR = 1_000


@dataclass(frozen=True)
class Asked:
    """Which page is asked for: the rows after or before `key`, or the first without a key.

    `note` is a sentence to show when the cursor could not be read, or empty.
    """

    key: Key | None = None
    direction: Direction = "after"
    note: str = ""


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of rows in the list's order, and the cursors of its neighbours (None at an end)."""

    rows: list[Row]
    previous: str | None
    next: str | None
    note: str = ""


def write_cursor(key: Key, direction: Direction) -> str:
    """Write the place of a row as text that is safe in an address."""
    packed = msgspec.json.encode([direction, *key])
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def read_cursor(text: str | None, kinds: tuple[type[KeyPart], ...]) -> Asked:
    """Read a cursor whose key has these kinds, in order.

    None or an empty text asks for the first page; what cannot be read asks for the first page
    with a note that says so.
    """
    if not text:
        return Asked()
    if len(text) > LONGEST_CURSOR:
        return Asked(note=STALE_LINK)
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        direction, *parts = msgspec.json.decode(packed, type=list[str | int])
        if direction not in ("after", "before") or len(parts) != len(kinds):
            return Asked(note=STALE_LINK)
        key = tuple(msgspec.convert(part, kind) for part, kind in zip(parts, kinds, strict=True))
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        return Asked(note=STALE_LINK)
    return Asked(key=key, direction="before" if direction == "before" else "after")


def page_of(
    found: Sequence[Row], asked: Asked, at_most: int, key_of: Callable[[Row], Key]
) -> Page[Row]:
    """Make a page of what the query found.

    The query fetches one row more than `at_most`; for `before` it reads in reverse order, and the
    rows are turned round here.
    """
    has_more = len(found) > at_most
    rows = list(found[:at_most])
    going_back = asked.direction == "before" and asked.key is not None
    if going_back:
        rows.reverse()
    if not rows:
        return Page([], None, None, asked.note)
    has_previous = has_more if going_back else asked.key is not None
    has_next = True if going_back else has_more
    return Page(
        rows,
        write_cursor(key_of(rows[0]), "before") if has_previous else None,
        write_cursor(key_of(rows[-1]), "after") if has_next else None,
        asked.note,
    )
