"""How a search's answer is to be: how many, counted or not, sorted, what comes with it.

Parameters that choose nothing: `_count`, `_summary`, `_total`, `_sort`, `_include`, `_revinclude`,
`_cursor`, and `_format` and `_pretty`, which are accepted where they ask for JSON.
"""

import re
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from interop.search_values import LONGEST_VALUE, Unreadable, clean
from interop.served import MEDIA_TYPE, SERVED, Param, Served, includes

A_PAGE = 50
MOST_A_PAGE = 100
MOST_INCLUDES = 20

_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_JSON = frozenset({"json", "application/json", MEDIA_TYPE, "text/json"})


class Include(Struct, frozen=True):
    """A reference to follow: of what is found, or (in reverse) to it."""

    type: str
    """Whose reference it is."""
    param: Param
    target: str | None = None
    """Only where it refers to this type."""


class Settings(Struct, frozen=True, kw_only=True):
    """How the answer is to be."""

    count: int = A_PAGE
    count_only: bool = False
    total: bool | None = None
    newest_first: bool = False
    cursor: str | None = None
    includes: tuple[Include, ...] = ()
    revincludes: tuple[Include, ...] = ()


def setting(settings: Settings, row: Served, name: str, value: str, *, again: bool) -> Settings:
    """The settings with one more of them read.

    Args: `name` is one of SETTINGS; `again` says that it was given before.
    Raises: Unreadable.
    """
    if again and name not in _MANY:
        raise Unreadable("This can be given only once.", "invalid")
    if not value or len(value) > LONGEST_VALUE * 2 or not clean(value):
        raise Unreadable("There is no value that can be read.")
    return SETTINGS[name](settings, row, value)


def _count(settings: Settings, _row: Served, value: str) -> Settings:
    if _NUMBER.fullmatch(value) is None:
        raise Unreadable("This is a number, 0 or more.")
    number = int(value)
    if number == 0:
        return replace(settings, count_only=True)
    return replace(settings, count=min(number, MOST_A_PAGE))


def _summary(settings: Settings, _row: Served, value: str) -> Settings:
    if value == "count":
        return replace(settings, count_only=True)
    if value != "false":
        raise Unreadable("This can only be count or false.", "not-supported")
    return settings


def _total(settings: Settings, _row: Served, value: str) -> Settings:
    if value not in ("accurate", "none"):
        raise Unreadable("This can only be accurate or none.", "not-supported")
    return replace(settings, total=value == "accurate")


def _sort(settings: Settings, _row: Served, value: str) -> Settings:
    if value not in ("_lastUpdated", "-_lastUpdated"):
        raise Unreadable("This can only be _lastUpdated or -_lastUpdated.", "not-supported")
    return replace(settings, newest_first=value[0] == "-")


def _cursor(settings: Settings, _row: Served, value: str) -> Settings:
    return replace(settings, cursor=value)


def _format(settings: Settings, _row: Served, value: str) -> Settings:
    # A + that was not escaped has become a space.
    media_type = value.partition(";")[0].strip().lower().replace(" ", "+")
    if media_type not in _JSON:
        raise Unreadable("The answer is always JSON.", "not-supported")
    return settings


def _pretty(settings: Settings, _row: Served, value: str) -> Settings:
    if value not in ("true", "false"):
        raise Unreadable("This is true or false.")
    return settings


def _include(settings: Settings, row: Served, value: str) -> Settings:
    found = _pair(value)
    if found is None or found.type != row.type:
        raise Unreadable(
            f"Name a reference of the type that is searched, as in {_example(row)}.",
            "not-supported",
        )
    _few(settings.includes)
    return replace(settings, includes=_with(settings.includes, found))


def _revinclude(settings: Settings, row: Served, value: str) -> Settings:
    found = _pair(value)
    wrong = found is None or row.type not in found.param.targets
    if found is None or wrong or found.target not in (None, row.type):
        raise Unreadable(
            "Name a type and a reference of it to the type that is searched, as in "
            "Provenance:target.",
            "not-supported",
        )
    _few(settings.revincludes)
    return replace(settings, revincludes=_with(settings.revincludes, found))


def _pair(value: str) -> Include | None:
    """`Type:param` or `Type:param:Target`, where there is such a reference."""
    type_, _, rest = value.partition(":")
    name, colon, target = rest.partition(":")
    if type_ not in SERVED:
        return None
    for param in includes(type_):
        if param.name == name and (not colon or target in param.targets):
            return Include(type_, param, target if colon else None)
    return None


def _with(there: tuple[Include, ...], one: Include) -> tuple[Include, ...]:
    return there if one in there else (*there, one)


def _few(there: tuple[Include, ...]) -> None:
    if len(there) >= MOST_INCLUDES:
        raise Unreadable(f"Follow at most {MOST_INCLUDES} references.", "too-costly")


def _example(row: Served) -> str:
    return next((f"{row.type}:{param.name}" for param in includes(row.type)), "Task:patient")


SETTINGS: dict[str, Callable[[Settings, Served, str], Settings]] = {
    "_count": _count,
    "_summary": _summary,
    "_total": _total,
    "_sort": _sort,
    "_cursor": _cursor,
    "_format": _format,
    "_pretty": _pretty,
    "_include": _include,
    "_revinclude": _revinclude,
}
"""How each is read."""
_MANY = ("_include", "_revinclude")
