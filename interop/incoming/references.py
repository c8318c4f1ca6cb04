"""What a literal reference says of itself: a type and an id (R4, references.html)."""

import re
from typing import Final

_LITERAL: Final = re.compile(
    r"(?:https?://(?:[A-Za-z0-9\-.:%$~_]+/)+)?(?P<kind>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9\-.]{1,64})"
    r"(?:/_history/[A-Za-z0-9\-.]{1,64})?"
)


def literal(said: str) -> tuple[str, str] | None:
    """The type and id that an address ends in; None for a `urn:`, a fragment or a broken one."""
    found = _LITERAL.fullmatch(said)
    return None if found is None else (found["kind"], found["id"])
