"""References inside a resource: finding them, and putting others in their place.

Only `reference` elements count. An address in a `url`, a canonical or a narrative is what its
sender wrote, and stays.
"""

from collections.abc import Iterator, Mapping

DEEPEST = 60
"""Levels of objects and lists in a resource; real ones have about ten."""


def too_deep(value: object) -> bool:
    """Whether a value has more levels than `DEEPEST`: then nothing else may walk it."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEEPEST):
        if not level:
            return False
        level = [inner for one in level for inner in _inner(one)]
    return True


def _inner(value: dict[str, object] | list[object]) -> list[dict[str, object] | list[object]]:
    """The objects and lists that stand in one."""
    values = value.values() if isinstance(value, dict) else value
    return [inner for inner in values if isinstance(inner, dict | list)]


def texts(value: object) -> set[str]:
    """The texts of all references below a value: what `references` says, without where."""
    found: set[str] = set()
    waiting = [value] if isinstance(value, dict | list) else []
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            said = one.get("reference")
            if isinstance(said, str):
                found.add(said)
        waiting += _inner(one)
    return found


def references(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Every reference below a value that is not `too_deep`, as (path of its text, text)."""
    if isinstance(value, dict):
        for key, inner in value.items():
            here = f"{path}.{key}"
            if key == "reference" and isinstance(inner, str):
                yield here, inner
            else:
                yield from references(inner, here)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from references(inner, f"{path}[{number}]")


def resolved(
    resource: Mapping[str, object], known: Mapping[str, str], beside: str = ""
) -> dict[str, object]:
    """A copy in which every reference that `known` has is what it says; the rest is as it was.

    Args: a reference that is not known itself may be so with `beside` before it.
    """

    def copied(value: Mapping[str, object]) -> dict[str, object]:
        return {
            key: copied(inner)
            if isinstance(inner, dict)
            else listed(inner)
            if isinstance(inner, list)
            else led(inner)
            if key == "reference" and isinstance(inner, str)
            else inner
            for key, inner in value.items()
        }

    def listed(value: list[object]) -> list[object]:
        return [
            copied(inner)
            if isinstance(inner, dict)
            else listed(inner)
            if isinstance(inner, list)
            else inner
            for inner in value
        ]

    def led(text: str) -> str:
        return known.get(text) or known.get(beside + text) or text

    return copied(resource)
