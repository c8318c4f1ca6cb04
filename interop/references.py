"""References inside a resource: finding them, and putting others in their place.

Only `reference` elements count. An address in a `url`, a canonical or a narrative is what its
sender wrote, and stays.
"""

from collections.abc import Iterator, Mapping

DEEPEST = 60
"""Levels of objects and lists in a resource; real ones have about ten."""


def too_deep(value: object) -> bool:
    """Whether a value has more levels than `DEEPEST`: then nothing else may walk it."""
    level: list[object] = [value]
    for _ in range(DEEPEST):
        below: list[object] = []
        for one in level:
            if isinstance(one, dict):
                below += one.values()
            elif isinstance(one, list):
                below += one
        if not below:
            return False
        level = below
    return True


def texts(value: object) -> set[str]:
    """The texts of all references below a value: what `references` says, without where."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            said = one.get("reference")
            if isinstance(said, str):
                found.add(said)
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
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

    def copied(value: object) -> object:
        if isinstance(value, dict):
            return {
                key: led(inner) if key == "reference" and isinstance(inner, str) else copied(inner)
                for key, inner in value.items()
            }
        return [copied(inner) for inner in value] if isinstance(value, list) else value

    def led(text: str) -> str:
        return known.get(text) or known.get(beside + text) or text

    return {
        key: led(value) if key == "reference" and isinstance(value, str) else copied(value)
        for key, value in resource.items()
    }
