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

    def __init__(
        self,
        value: Mapping[str, Any],
        kinds: Mapping[str, str] = _NO_KINDS,
        *,
        path: str = "",
        above: "Spoken | None" = None,
    ) -> None:
        self.value = value
        self.path = path
        self.above = above
        self.used: set[str] = set() if above is None else above.used
        self.touched: set[str] = set() if above is None else above.touched
        """The paths of everything that something was read of."""
        self.kinds: Mapping[str, str] = kinds if above is None else above.kinds

    def __bool__(self) -> bool:
        return bool(self.value)

    def _at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def has(self, name: str) -> bool:
        """Whether the element stands here with something in it."""
        return bool(self.value.get(name))

    def _mark(self, path: str) -> None:
        self.used.add(path)
        above: Spoken | None = self
        while above is not None and above.path not in self.touched:
            self.touched.add(above.path)
            self.touched.add(above.path.rpartition("[")[0])
            above = above.above

    def note(self, *names: str) -> None:
        """Counts elements as read that follow from what is read anyway."""
        for name in names:
            if name in self.value:
                self._mark(self._at(name))

    def note_all(self) -> None:
        """Counts all of this element as read."""
        self._mark(self.path)

    def text(self, name: str) -> str | None:
        """A text, code or id."""
        found = self.value.get(name)
        if not isinstance(found, str):
            return None
        self._mark(self._at(name))
        return found

    def flag(self, name: str) -> bool | None:
        """A boolean."""
        found = self.value.get(name)
        if not isinstance(found, bool):
            return None
        self._mark(self._at(name))
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
        self._mark(self._at(name))
        return Decimal(found)

    def day(self, name: str) -> date | None:
        """The London day of a date or time; a month or year names none, and is kept."""
        found = day_of(self.value.get(name))
        if found is not None:
            self._mark(self._at(name))
        return found

    def moment(self, name: str) -> datetime | None:
        """An aware moment (UTC)."""
        found = moment_of(self.value.get(name))
        if found is not None:
            self._mark(self._at(name))
        return found

    def one(self, name: str) -> "Spoken":
        """The object that stands here; an empty one where none does."""
        found = self.value.get(name)
        return Spoken(found if isinstance(found, dict) else {}, path=self._at(name), above=self)

    def many(self, name: str) -> list["Spoken"]:
        """The objects that stand here."""
        found = self.value.get(name)
        return [
            Spoken(each, path=f"{self._at(name)}[{number}]", above=self)
            for number, each in enumerate(found if isinstance(found, list) else [])
            if isinstance(each, dict)
        ]

    def texts(self, name: str) -> tuple[str, ...]:
        """The texts that stand here."""
        found = self.value.get(name)
        texts = (
            tuple(each for each in found if isinstance(each, str))
            if isinstance(found, list)
            else ()
        )
        if texts:
            self._mark(self._at(name))
        return texts

    def extension(self, url: str) -> "Spoken":
        """The first extension of this address; an empty one where there is none."""
        return next(self.extensions(url), Spoken({}, path=self._at("extension"), above=self))

    def extensions(self, url: str) -> Iterator["Spoken"]:
        """The extensions of this address; their address counts as read."""
        for each in self.many("extension"):
            if each.value.get("url") == url:
                each.note("url")
                yield each

    def code(self, system: str) -> str | None:
        """The code of this concept in a system; all that the coding says counts as read."""
        for each in self.many("coding"):
            if same_system(each.value.get("system")) == system:
                each.note("system", "display", "userSelected")
                return each.text("code")
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


def first(ones: Iterable[One | None]) -> One | None:
    """The first that there is."""
    return next((one for one in ones if one is not None), None)


def kept(resource: Spoken) -> tuple[str, ...]:
    """The paths of what was not read of a resource, each as high up as nothing of it was."""
    found: list[str] = []
    for name, value in resource.value.items():
        if name not in _AROUND:
            _unread(value, name, resource, found)
    return tuple(found)


def _unread(value: object, path: str, resource: Spoken, found: list[str]) -> None:
    if path in resource.used:
        return
    if path not in resource.touched:
        found.append(path)
    elif isinstance(value, dict):
        for name, each in value.items():
            _unread(each, f"{path}.{name}", resource, found)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            _unread(each, f"{path}[{number}]", resource, found)
