"""References inside a resource: finding them, and putting others in their place.

Only `reference` elements count. An address in a `url`, a canonical or a narrative is what its
sender wrote, and stays.
"""

from collections.abc import Iterator, Mapping

DEEPEST = 60
"""Levels of objects and lists in a resource; real ones have about ten."""


def texts(value: object) -> frozenset[str] | None:
    """The texts of all references below a value: what `references` says, without where.

    None where it has more levels than `DEEPEST`: then nothing else may walk it.
    """
    found: set[str] = set()
    level: list[object] = [value]
    for _ in range(DEEPEST):
        below: list[object] = []
        for one in level:
            if isinstance(one, dict):
                said = one.get("reference")
                if isinstance(said, str):
                    found.add(said)
                below += one.values()
            elif isinstance(one, list):
                below += one
        if not below:
            return frozenset(found)
        level = below
    return None


def references(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Every reference below a value that has `texts`, as (path of its text, text)."""
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
    """The same, where every reference that `known` has is what it says; the rest is as it was.

    Only what leads to a changed reference is copied. Args: a reference that is not known itself may
    be so with `beside` before it.
    """
    return dict(_Leading(known, beside).of_object(resource))


class _Leading:
    """Copies of what leads to a reference that is to be another."""

    def __init__(self, known: Mapping[str, str], beside: str) -> None:
        self._known = known
        self._beside = beside

    def of_object(self, value: Mapping[str, object]) -> Mapping[str, object]:
        """The object itself, where nothing in it changes."""
        changed: dict[str, object] | None = None
        for key, inner in value.items():
            now = inner
            if isinstance(inner, dict):
                now = self.of_object(inner)
            elif isinstance(inner, list):
                now = self._of_list(inner)
            elif key == "reference" and isinstance(inner, str):
                now = self._led(inner)
            if now is not inner:
                changed = dict(value) if changed is None else changed
                changed[key] = now
        return value if changed is None else changed

    def _of_list(self, value: list[object]) -> list[object]:
        changed: list[object] | None = None
        for number, inner in enumerate(value):
            now = inner
            if isinstance(inner, dict):
                now = self.of_object(inner)
            elif isinstance(inner, list):
                now = self._of_list(inner)
            if now is not inner:
                changed = list(value) if changed is None else changed
                changed[number] = now
        return value if changed is None else changed

    def _led(self, text: str) -> str:
        return self._known.get(text) or self._known.get(self._beside + text) or text
