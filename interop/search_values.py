"""The values of a search: what stands behind the = of a parameter, read by the parameter's kind.

A comma parts values and a | a system from its code; a backslash takes their meaning from `,`, `|`,
`$` and itself. What cannot be read is `Unreadable`, with a sentence that does not repeat it.
"""

import re
import unicodedata
from uuid import UUID

from msgspec import Struct

from interop.outcome import Code
from interop.search_dates import DateValue, date_value
from interop.served import Param

MOST_VALUES = 200
LONGEST_VALUE = 1_000
"""Characters."""

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}", re.ASCII)
_ESCAPED = re.compile(r"\\(.?)", re.DOTALL)
_PIECE = re.compile(r"(?:[^\\,]|\\.)*", re.DOTALL)
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "ı": "i"})
"""Letters that are read as others and that Unicode does not take apart."""


class Unreadable(Exception):
    """A value, or a parameter, that says nothing that can be searched for."""

    def __init__(self, text: str, code: Code = "value") -> None:
        super().__init__(text)
        self.text = text
        self.code: Code = code


class Token(Struct, frozen=True):
    """A code: `system|code`, `code` (any system), `|code` (no system), `system|` (any code)."""

    system: str | None
    """None: any; empty: none."""
    code: str | None
    """None: any."""


class Reference(Struct, frozen=True):
    """One of this server's resources, by id; the type is None where it was not said."""

    type: str | None
    id: str

    @property
    def uuid(self) -> UUID | None:
        """The id as Panel makes them, or None: then there is no such resource."""
        return as_uuid(self.id)


class Canonical(Struct, frozen=True):
    """A canonical address, with a version or for all of them."""

    url: str
    version: str | None


class Text(Struct, frozen=True):
    """A text, as it was asked for and `folded`."""

    raw: str
    folded: str


def as_uuid(text: str) -> UUID | None:
    """The id that this text is in its one written form; None for every other text."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text.lower() else None


def folded(text: str) -> str:
    """A text without case, accents and double spaces: how strings are compared (but `:exact`)."""
    # Once is not enough: a bold A is an A only when taken apart, and some letters the other way.
    whole = unicodedata.normalize("NFKD", text.casefold()).casefold()
    apart = unicodedata.normalize("NFKD", whole)
    plain = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return " ".join(plain.translate(_LETTERS).split())


def clean(text: str) -> bool:
    """Whether a text has no control characters and can be written as UTF-8."""
    return not any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text)


def separated(text: str) -> list[str]:
    """The values between commas, escapes still in them.

    Raises: Unreadable.
    """
    if len(text) > LONGEST_VALUE * MOST_VALUES:
        raise Unreadable("This is too long.", "too-long")
    values: list[str] = []
    at = 0
    while True:
        found = _PIECE.match(text, at)
        end = at if found is None else found.end()
        values.append(text[at:end])
        if end >= len(text):
            break
        if text[end] != ",":
            raise Unreadable("A backslash has nothing behind it.")
        at = end + 1
    if len(values) > MOST_VALUES:
        raise Unreadable(f"Ask for at most {MOST_VALUES} values at a time.", "too-costly")
    for value in values:
        _check(value)
    return values


def unescaped(text: str) -> str:
    r"""The text that `\,`, `\|`, `\$` and `\\` stand for.

    Raises: Unreadable.
    """

    def letter(found: re.Match[str]) -> str:
        if not found[1] or found[1] not in ",|$\\":
            raise Unreadable("A backslash stands only before a comma, |, $ or a backslash.")
        return found[1]

    return _ESCAPED.sub(letter, text)


def token(text: str, param: Param) -> Token:
    """A token. Raises: Unreadable."""
    before, bar, after = _at_bar(text)
    if not bar:
        found = Token(None, before)
    elif not before and not after:
        raise Unreadable("Give a code, or a system and a code with | between them.")
    else:
        found = Token(before, after or None)
    if param.codes and found.code is not None and found.code not in param.codes:
        raise Unreadable(f"This can only be {' or '.join(param.codes)}.", "code-invalid")
    return found


def resource_id(text: str) -> str:
    """An id. Raises: Unreadable."""
    if _ID.fullmatch(text) is None:
        raise Unreadable("An id has up to 64 letters, digits, hyphens and full stops.")
    return text


def reference(text: str, param: Param, base: str, only: str | None = None) -> Reference | Canonical:
    """A reference: `id`, `Type/id`, this server's address of one; or a canonical address.

    Args: `base` is this server's, without a slash at its end; `only` the type that a modifier
    names. Raises: Unreadable.
    """
    plain = unescaped(text)
    if param.canonical and (":" in plain):
        return _canonical(text)
    own = f"{base}/"
    if plain.startswith(own):
        plain = plain[len(own) :]
    elif ":" in plain:
        raise Unreadable("Nothing here refers to another server: give an id, or a type and an id.")
    type_, slash, id_ = plain.rpartition("/")
    if slash and _TYPE.fullmatch(type_) is None:
        raise Unreadable('A reference is an id, or a type and an id: "Patient/123".')
    if slash and (type_ not in param.targets or only not in (None, type_)):
        raise Unreadable(f"This refers only to {only or ' or '.join(param.targets)}.")
    return Reference(type_ or only or _the_only(param.targets), resource_id(id_))


def moment(text: str, param: Param) -> DateValue:
    """A date. Raises: Unreadable."""
    found = date_value(unescaped(text), param.times)
    if found is None:
        raise Unreadable(
            "A date is written like 2026, 2026-11, 2026-11-23 or 2026-11-23T09:30:00Z, with eq, "
            "ne, gt, lt, ge, le, sa, eb or ap before it if you like."
        )
    return found


def string(text: str) -> Text:
    """A text. Raises: Unreadable."""
    raw = unescaped(text)
    if not raw.strip():
        raise Unreadable("There is nothing to search for.")
    return Text(raw, folded(raw))


def yes_or_no(text: str) -> bool:
    """true or false. Raises: Unreadable."""
    if text not in ("true", "false"):
        raise Unreadable("This is true or false.")
    return text == "true"


def _check(value: str) -> None:
    if not value:
        raise Unreadable("There is no value.")
    if len(value) > LONGEST_VALUE:
        raise Unreadable(f"A value has at most {LONGEST_VALUE} characters.", "too-long")
    if not clean(value):
        raise Unreadable("There is a character in it that cannot be printed.")


def _at_bar(text: str) -> tuple[str, str, str]:
    """What is before the first | that is not escaped, the |, and what is after, unescaped."""
    at = 0
    while at < len(text) and text[at] != "|":
        at += 2 if text[at] == "\\" else 1
    return unescaped(text[:at]), text[at : at + 1], unescaped(text[at + 1 :])


def _canonical(text: str) -> Canonical:
    url, bar, version = _at_bar(text)
    if not url or (bar and not version):
        raise Unreadable("A canonical address is an address, with | and a version if you like.")
    return Canonical(url, version or None)


def _the_only(targets: tuple[str, ...]) -> str | None:
    return targets[0] if len(targets) == 1 else None
