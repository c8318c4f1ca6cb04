"""Reading a resource element by element, remembering what was read: the rest is kept."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

from interop.incoming.bindings import same_system
from interop.incoming.days import day_of, moment_of
from interop.incoming.references import literal

One = TypeVar("One")
_NO_KINDS: Final[Mapping[str, str]] = {}
_AROUND: Final = frozenset({"resourceType", "id", "meta", "text", "implicitRules", "language"})
"""Of a resource: who reads the piece has them elsewhere, or they say nothing of their own."""

_HOLDING: Final = (dict, list)
_Mark = tuple[int, str | None]
"""An object of the resource, by its `id`, and what of it was read: an element, or (None) all."""
_Place = tuple["_Place | None", str]
"""Where a value stands: the place above and the step to it; written out only where it is told."""


class Lacking(ValueError):
    """The resource leaves out what its message needs, or says what cannot be understood."""

    def __init__(self, reason: str, at: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.at = at


class NotPanels(ValueError):
    """A valid resource of which Panel keeps no such thing; its text says why."""


class Spoken:
    """One element (or the resource itself) and what has been read of it.

    `kinds` says of what type the entry of each full URL is, where a reference does not say so.
    """

    __slots__ = ("kinds", "read", "value")

    def __init__(self, value: Mapping[str, Any], kinds: Mapping[str, str] = _NO_KINDS) -> None:
        self.value = value
        self.kinds = kinds
        # By object rather than by path: a path for each element costs more than to read it.
        self.read: set[_Mark] = set()

    def _within(self, value: Mapping[str, Any]) -> "Spoken":
        """An element of this resource, whose marks are the resource's."""
        one = Spoken.__new__(Spoken)
        one.value, one.kinds, one.read = value, self.kinds, self.read
        return one

    def __bool__(self) -> bool:
        return bool(self.value)

    def has(self, name: str) -> bool:
        """Whether the element stands here with something in it."""
        return bool(self.value.get(name))

    def _mark(self, name: str) -> None:
        self.read.add((id(self.value), name))

    def note(self, *names: str) -> None:
        """Counts elements as read that follow from what is read anyway."""
        for name in names:
            if name in self.value:
                self._mark(name)

    def note_all(self) -> None:
        """Counts all of this element as read."""
        self.read.add((id(self.value), None))

    def text(self, name: str) -> str | None:
        """A text, code or id."""
        found = self.value.get(name)
        if not isinstance(found, str):
            return None
        self._mark(name)
        return found

    def flag(self, name: str) -> bool | None:
        """A boolean."""
        found = self.value.get(name)
        if not isinstance(found, bool):
            return None
        self._mark(name)
        return found

    def whole(self, name: str) -> int | None:
        """A whole number."""
        found = self.decimal(name)
        return None if found is None or found != found.to_integral_value() else int(found)

    def decimal(self, name: str) -> Decimal | None:
        """A number, exactly as written."""
        found = self.value.get(name)
        if isinstance(found, bool) or not isinstance(found, int | Decimal):
            return None
        self._mark(name)
        return Decimal(found)

    def day(self, name: str) -> date | None:
        """The London day of a date or time; a month or year names none, and is kept."""
        found = day_of(self.value.get(name))
        if found is not None:
            self._mark(name)
        return found

    def moment(self, name: str) -> datetime | None:
        """An aware moment (UTC)."""
        found = moment_of(self.value.get(name))
        if found is not None:
            self._mark(name)
        return found

    def one(self, name: str) -> "Spoken":
        """The object that stands here; an empty one where none does."""
        found = self.value.get(name)
        return self._within(found if isinstance(found, dict) else {})

    def _objects(self, name: str) -> list[dict[str, Any]]:
        found = self.value.get(name)
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    def many(self, name: str) -> list["Spoken"]:
        """The objects that stand here."""
        return [self._within(one) for one in self._objects(name)]

    def texts(self, name: str) -> tuple[str, ...]:
        """The texts that stand here."""
        found = self.value.get(name)
        texts = (
            tuple(each for each in found if isinstance(each, str))
            if isinstance(found, list)
            else ()
        )
        if texts:
            self._mark(name)
        return texts

    def extension(self, url: str) -> "Spoken":
        """The first extension of this address; an empty one where there is none."""
        return next(self.extensions(url), self._within({}))

    def extensions(self, url: str) -> Iterator["Spoken"]:
        """The extensions of this address; their address counts as read."""
        for each in self._objects("extension"):
            if each.get("url") == url:
                one = self._within(each)
                one.note("url")
                yield one

    def code(self, system: str) -> str | None:
        """The code of this concept in a system; all that the coding says counts as read."""
        for each in self._objects("coding"):
            if same_system(each.get("system")) == system:
                coding = self._within(each)
                coding.note("system", "display", "userSelected")
                return coding.text("code")
        return None

    def words(self) -> str | None:
        """A concept in words: its text, else how its first coding shows."""
        said = self.text("text")
        if said is not None:
            return said
        shown = (each.text("display") for each in self.many("coding"))
        return next((each for each in shown if each is not None), None)

    def refers_to(self, *kinds: str) -> str | None:
        """The id of what a reference points to, where that is of one of these types.

        None for a reference by identifier alone, in words, or to what is contained.
        """
        said = self.value.get("reference")
        if not isinstance(said, str) or said.startswith("#"):
            return None
        kind, name = literal(said) or (self.value.get("type"), said.rpartition(":")[2])
        kind = self.kinds.get(said, kind)
        if (kinds and kind is not None and kind not in kinds) or not name or "/" in name:
            return None
        self.note("reference", "type")
        return name

    def unread(self) -> Iterator["_Place"]:
        """Where what was not read of a resource stands, each as high up as nothing of it was."""
        for name, value in self.value.items():
            if name not in _AROUND and (id(self.value), name) not in self.read:
                found: list[_Place] = []
                _look_through(value, (None, name), self.read, found)
                yield from found


def first(ones: Iterable[One | None]) -> One | None:
    """The first that there is."""
    return next((one for one in ones if one is not None), None)


def kept(resource: Spoken) -> tuple[str, ...]:
    """The paths of what was not read of a resource, each as high up as nothing of it was."""
    return tuple(_written(place) for place in resource.unread())


def _written(place: _Place) -> str:
    above, step = place
    return step if above is None else f"{_written(above)}{step}"


def _look_through(value: object, place: _Place, read: set[_Mark], found: list[_Place]) -> bool:
    """Whether anything below a value was read; what was not is found."""
    rest: list[_Place] = []
    is_read = False
    if isinstance(value, dict):
        mine = id(value)
        if (mine, None) in read:
            return True
        for name, each in value.items():
            if (mine, name) in read:
                is_read = True
            elif isinstance(each, _HOLDING):
                is_read = _look_through(each, (place, f".{name}"), read, rest) or is_read
            else:
                rest.append((place, f".{name}"))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            is_read = _look_through(each, (place, f"[{number}]"), read, rest) or is_read
    if is_read:
        found += rest
    else:
        found.append(place)
    return is_read
