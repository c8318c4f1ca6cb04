"""Where a search goes on: a text that only this server can make, and only for the same search.

    key = bytes of the authority's own, at least 32
    text = encode(key, Position(type="Task", search=search.digest, after=(moment, id)), holder)
    decode(key, text, type_="Task", search=search.digest, holder=holder)   -> Position or None

`holder` is whoever was given it (the client's id): another's cursor is none. It is signed with
HMAC-SHA256 and not secret: `after` must be the key of the last resource that was shown, never that
of one withheld. Changed, cut, foreign, from another search or type: None, and nothing says which.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64

import msgspec

LONGEST = 1_024
"""Characters; what is longer was not made here."""
_SHORTEST_KEY = 32
_SIGNED = hashlib.sha256().digest_size
_PURPOSE = b"panel exchange cursor 1\0"


class Position(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """After which resource of which search."""

    type: str
    search: str
    """The search's digest."""
    after: tuple[str | int, ...]
    """The sort key of the last one shown, for example (microseconds, id)."""


_decoder = msgspec.json.Decoder(Position)


def encode(key: bytes, position: Position, holder: str) -> str:
    """The cursor's text, of letters that need no escape in an address.

    Raises: ValueError where the key is too short or the text would be too long.
    """
    body = msgspec.json.encode(position)
    text = urlsafe_b64encode(_sign(key, body, holder) + body).decode().rstrip("=")
    if len(text) > LONGEST:
        raise ValueError("the position of a cursor is too long")
    return text


def decode(key: bytes, text: str, *, type_: str, search: str, holder: str) -> Position | None:
    """The position in a cursor; None where it is not one of this search for this holder."""
    if len(text) > LONGEST or not text.isascii():
        return None
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (NotBase64, ValueError):
        return None
    signature, body = raw[:_SIGNED], raw[_SIGNED:]
    if not hmac.compare_digest(signature, _sign(key, body, holder)):
        return None
    if urlsafe_b64encode(raw).decode().rstrip("=") != text:
        return None
    try:
        position = _decoder.decode(body)
    except msgspec.MsgspecError:
        return None
    return position if (position.type, position.search) == (type_, search) else None


def _sign(key: bytes, body: bytes, holder: str) -> bytes:
    if len(key) < _SHORTEST_KEY:
        raise ValueError("a cursor's key has at least 32 bytes")
    whose = holder.encode()
    return hmac.digest(key, _PURPOSE + len(whose).to_bytes(4, "big") + whose + body, "sha256")
