"""Read what a person posted into a typed form, and gather every mistake in one go.

A form is a msgspec struct with `forbid_unknown_fields=True`; each field is annotated with what
people call it:

    class NewPerson(msgspec.Struct, forbid_unknown_fields=True):
        given_name: Annotated[str, line("Given name", at_most=70)]
        about: Annotated[str, paragraphs("About them", at_most=5_000)] = ""
        born: Annotated[date, on_day("Date of birth")]
        ways: Annotated[list[Literal["post", "telephone"]], chosen("Ways to reach them")] = []

Kinds of fields: str, int, Decimal, bool (a tick), date, time, UUID, Literal, lists of these, an
uploaded file (any class with a `filename`), and each of them `| None`. A field without a default
must be filled in. Names that begin with "_" belong to the envelope (the token against forgery)
and are left to whoever checks them.
"""

from __future__ import annotations

import datetime as dt
import decimal
import functools
import re
import unicodedata
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
from msgspec import Meta, inspect

from panel.web import words

Form = TypeVar("Form", bound=msgspec.Struct)
Posted = Iterable[tuple[str, object]]

WHOLE_FORM = ""
LONGEST_LINE = 200
LONGEST_TEXT = 20_000

# Marks that turn the direction of what follows: a name could be made to look like another.
_DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
MONTHS = {name.lower(): number for number, name in enumerate(words.MONTHS, start=1)}
MONTHS |= {name[:3].lower(): number for number, name in enumerate(words.MONTHS, start=1)}
MONTHS["sept"] = 9
"""The number of a month by its name, whole or as it is shortened."""
_DATE_PARTS = ("day", "month", "year")
_TIME = re.compile(r"([01]?\d|2[0-3])[:.]?([0-5]\d)")
_TICKED = {"yes": True, "on": True, "true": True, "1": True, "no": False, "false": False, "": False}


# What people call a field -----------------------------------------------------------------------


def line(label: str, *, at_most: int = LONGEST_LINE, missing: str = "") -> Meta:
    """Describe one line of text of at most so many characters; `missing` replaces "Enter …"."""
    return Meta(title=label, max_length=at_most, extra={"missing": missing})


def paragraphs(label: str, *, at_most: int = LONGEST_TEXT, missing: str = "") -> Meta:
    """Describe text of several lines, of at most so many characters."""
    return Meta(title=label, max_length=at_most, extra={"missing": missing, "lines": True})


def on_day(label: str, *, missing: str = "") -> Meta:
    """Describe a date, posted as `name-day`, `name-month`, `name-year` or as one ISO date."""
    return Meta(title=label, extra={"missing": missing})


def at_time(label: str, *, missing: str = "") -> Meta:
    """Describe a time of day on the 24-hour clock."""
    return Meta(title=label, extra={"missing": missing})


def amount(
    label: str, *, at_least: int | None = None, at_most: int | None = None, missing: str = ""
) -> Meta:
    """Describe a whole or decimal number between two whole numbers, both included."""
    return Meta(title=label, extra={"missing": missing, "at_least": at_least, "at_most": at_most})


def chosen(label: str, *, missing: str = "") -> Meta:
    """Describe a choice, a tick or a list of choices."""
    return Meta(title=label, extra={"missing": missing or f"Select {words.lower_first(label)}"})


def upload(label: str, *, missing: str = "") -> Meta:
    """Describe an uploaded file."""
    return Meta(title=label, extra={"missing": missing or f"Select {words.lower_first(label)}"})


# What was wrong -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class FieldErrors:
    """Every mistake in a form: field name to sentence, in the form's order, with what was typed.

    The field name WHOLE_FORM holds a sentence about the form as a whole. `typed` is what to show
    in the fields again; files are not among it, since a browser does not take them back.
    """

    sentences: Mapping[str, str]
    typed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    anchors: Mapping[str, str] = field(default_factory=dict)

    def sentence(self, name: str) -> str:
        """Give the sentence about one field, or an empty text."""
        return self.sentences.get(name, "")

    @property
    def summary(self) -> list[tuple[str, str]]:
        """List (id of the field to go to, sentence) for the error summary."""
        return [(self.anchors.get(name, name), said) for name, said in self.sentences.items()]

    def also(self, name: str, sentence: str) -> FieldErrors:
        """Return these errors with one more, found by a rule; the first about a field stays."""
        return FieldErrors(
            {**self.sentences, name: self.sentences.get(name) or sentence}, self.typed, self.anchors
        )


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """A form with a button only."""


@dataclass(frozen=True)
class DateParts:
    """A date as three fields show it."""

    day: str = ""
    month: str = ""
    year: str = ""


@dataclass(frozen=True)
class Filled:
    """What the fields of a page show: what was typed if it was refused, else what is stored."""

    stored: Mapping[str, object] = field(default_factory=dict)
    errors: FieldErrors | None = None

    def text(self, name: str) -> str:
        """Give the text of a field."""
        if self.errors is not None:
            return next(iter(self.errors.typed.get(name, ())), "")
        value = self.stored.get(name)
        return "" if value is None else str(value)

    def all(self, name: str) -> list[str]:
        """Give every chosen value of a field with several."""
        if self.errors is not None:
            return list(self.errors.typed.get(name, ()))
        value = self.stored.get(name)
        return [str(each) for each in value] if isinstance(value, (list, tuple)) else []

    def date(self, name: str) -> DateParts:
        """Give the three parts of a date field."""
        if self.errors is not None:
            return DateParts(*(self.text(f"{name}-{part}") for part in _DATE_PARTS))
        value = self.stored.get(name)
        if not isinstance(value, dt.date):
            return DateParts()
        return DateParts(str(value.day), str(value.month), str(value.year))

    def error(self, name: str) -> str:
        """Give the sentence about a field, or an empty text."""
        return "" if self.errors is None else self.errors.sentence(name)

    @property
    def summary(self) -> list[tuple[str, str]]:
        """List the errors for the error summary: (id, sentence)."""
        return [] if self.errors is None else self.errors.summary


class _Mistake(Exception):
    """One field's sentence, and where in the field the mistake is."""

    def __init__(self, sentence: str, part: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.part = part


# Reading ------------------------------------------------------------------------------------------


def read_form(kind: type[Form], posted: Posted) -> Form | FieldErrors:
    """Read a whole form: the struct, or every mistake in it."""
    gathered = _gather(posted)
    values, errors = _read(kind, gathered)
    if errors is not None:
        return errors
    return kind(**values)


def clean_line(text: str) -> str:
    """Make one line fit to store: composed (NFC), no control characters, single spaces."""
    return " ".join(_clean(text.replace("\n", " ").replace("\r", " ").replace("\t", " ")).split())


def clean_paragraphs(text: str) -> str:
    """Make text of several lines fit to store: composed, one kind of line end, no loose space."""
    # A word processor ends a line within a paragraph with a vertical tab, a page with a form feed.
    unified = re.sub("\r\n|[\r\v\f]", "\n", text)
    return "\n".join(each.rstrip() for each in _clean(unified).strip().split("\n"))


def future_date_mistake(label: str, value: dt.date, today: dt.date) -> str:
    """Say that a date may not lie in the future, or give an empty text when it does not."""
    return f"{label} must be today or in the past" if value > today else ""


def _clean(text: str) -> str:
    kept = "".join(
        character
        for character in text
        if character in "\n\t"
        or (
            unicodedata.category(character) not in ("Cc", "Cs")
            and character not in _DIRECTION_MARKS
        )
    )
    return unicodedata.normalize("NFC", kept)


def _gather(posted: Posted) -> dict[str, list[object]]:
    gathered: dict[str, list[object]] = {}
    for name, value in posted:
        if not name.startswith("_"):
            gathered.setdefault(name, []).append(value)
    return gathered


def _read(
    kind: type[msgspec.Struct], gathered: dict[str, list[object]]
) -> tuple[dict[str, object], FieldErrors | None]:
    values: dict[str, object] = {}
    sentences: dict[str, str] = {}
    anchors: dict[str, str] = {}
    fields = _fields(kind)
    unknown = gathered.keys() - {name for each in fields for name in each.posted_names}
    if unknown:
        sentences[WHOLE_FORM] = _unknown_fields(unknown)
        anchors[WHOLE_FORM] = "main-content"
    for each in fields:
        try:
            value = each.read(gathered)
        except _Mistake as mistake:
            sentences[each.name] = mistake.sentence
            anchors[each.name] = each.anchor(mistake.part)
            continue
        values[each.attribute] = each.empty() if value is msgspec.UNSET else value
    if not sentences:
        return values, None
    typed = {
        name: [value for value in several if isinstance(value, str)]
        for name, several in gathered.items()
    }
    return values, FieldErrors(sentences, typed, anchors)


def _unknown_fields(names: Iterable[str]) -> str:
    shown = sorted(clean_line(name)[:40] for name in names)
    listed = words.in_a_row([f"“{name}”" for name in shown[:3]])
    return (
        f"Nothing was saved: this form sent something that the page does not have ({listed}). "
        "Reload the page and try again"
    )


@dataclass(frozen=True)
class _Field:
    """One field of a form: how its posted values become its value."""

    name: str
    """As it is posted."""
    attribute: str
    """As the struct calls it: a form may rename what Python keeps for itself ("from")."""
    label: str
    missing: str
    required: bool
    several: bool
    default: Callable[[], object]
    convert: Callable[[object], object]
    is_date: bool = False
    is_tick: bool = False

    @property
    def posted_names(self) -> tuple[str, ...]:
        if not self.is_date:
            return (self.name,)
        return (self.name, *(f"{self.name}-{part}" for part in _DATE_PARTS))

    def anchor(self, part: str) -> str:
        return f"{self.name}-{part or 'day'}" if self.is_date else self.name

    def empty(self) -> object:
        return self.default()

    def read(self, gathered: Mapping[str, list[object]]) -> object:
        """Give the value, UNSET for nothing in a field that may be empty; raises _Mistake."""
        if self.is_date and self.name not in gathered:
            return self._required_unless_found(self._date_from_parts(gathered))
        given = [value for value in gathered.get(self.name, ()) if not _is_nothing(value)]
        if self.several:
            # One value twice is a double tick, not a second choice.
            found = list(dict.fromkeys(self.convert(value) for value in given))
            return self._required_unless_found(found or msgspec.UNSET)
        if self.is_tick and not given:
            return msgspec.UNSET if not self.required else False
        if len(given) > 1 and not self.is_tick:
            raise _Mistake(f"{self.label} was sent more than once. Reload the page and try again")
        value = self.convert(given[-1]) if given else msgspec.UNSET
        return self._required_unless_found(msgspec.UNSET if value == "" else value)

    def _required_unless_found(self, value: object) -> object:
        if value is msgspec.UNSET and self.required:
            raise _Mistake(self.missing)
        return value

    def _date_from_parts(self, gathered: Mapping[str, list[object]]) -> object:
        day, month, year = (
            clean_line(str(next(iter(gathered.get(f"{self.name}-{part}", ())), "")))
            for part in _DATE_PARTS
        )
        parts = {"day": day, "month": month, "year": year}
        absent = [part for part, text in parts.items() if not text]
        if len(absent) == len(parts):
            return msgspec.UNSET
        if absent:
            listed = words.in_a_row(absent)
            raise _Mistake(f"{self.label} must include a {listed}", part=absent[0])
        if not re.fullmatch(r"[0-9]{4}", year):
            raise _Mistake("Year must include 4 numbers", part="year")
        month_number = MONTHS.get(month.lower()) or _small_number(month)
        day_number = _small_number(day)
        try:
            return dt.date(int(year), month_number, day_number)
        except ValueError:
            raise _Mistake(f"{self.label} must be a real date") from None


def _small_number(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,2}", text) else 0


def _is_nothing(value: object) -> bool:
    if isinstance(value, str):
        return not value.strip()
    # A file field left alone posts a file without a name.
    return value is None or getattr(value, "filename", "named") in ("", None)


@functools.cache
def _fields(kind: type[msgspec.Struct]) -> tuple[_Field, ...]:
    info = inspect.type_info(kind)
    if not isinstance(info, inspect.StructType):
        raise TypeError(f"{kind.__name__} is not a msgspec struct.")
    if not info.forbid_unknown_fields:
        raise TypeError(f"{kind.__name__} must say forbid_unknown_fields=True.")
    return tuple(_field(each) for each in info.fields)


def _field(described: inspect.Field) -> _Field:
    of_type, notes = _unwrap(described.type)
    label = str(notes.get("title") or described.name.replace("_", " ").capitalize())
    optional = False
    if isinstance(of_type, inspect.UnionType):
        others = [each for each in of_type.types if not isinstance(each, inspect.NoneType)]
        optional = len(others) < len(of_type.types)
        if len(others) != 1:
            raise TypeError(f"{described.name}: a form field has one kind, or one kind and None.")
        of_type, inner = _unwrap(others[0])
        notes = inner | notes
    several = isinstance(of_type, inspect.ListType)
    if isinstance(of_type, inspect.ListType):
        of_type, inner = _unwrap(of_type.item_type)
        notes = inner | notes

    def default() -> object:
        if described.default_factory is not msgspec.NODEFAULT:
            return described.default_factory()
        return None if described.default is msgspec.NODEFAULT else described.default

    return _Field(
        name=described.encode_name,
        attribute=described.name,
        label=label,
        missing=str(notes.get("missing") or f"Enter {words.lower_first(label)}"),
        required=described.required and not optional,
        several=several,
        default=default,
        convert=_converter(of_type, label, notes),
        is_date=isinstance(of_type, inspect.DateType) and not several,
        is_tick=isinstance(of_type, inspect.BoolType),
    )


def _unwrap(of_type: inspect.Type) -> tuple[inspect.Type, dict[str, Any]]:
    notes: dict[str, Any] = {}
    while isinstance(of_type, inspect.Metadata):
        notes |= of_type.extra or {}
        notes |= of_type.extra_json_schema or {}
        of_type = of_type.type
    return of_type, notes


def _converter(
    of_type: inspect.Type, label: str, notes: Mapping[str, Any]
) -> Callable[[object], Any]:
    if isinstance(of_type, inspect.StrType):
        return _text(label, of_type.max_length, has_lines=bool(notes.get("lines")))
    if isinstance(of_type, inspect.LiteralType | inspect.EnumType):
        choices = of_type.cls if isinstance(of_type, inspect.EnumType) else of_type.values
        return _one_of(choices, str(notes.get("missing") or f"Select {words.lower_first(label)}"))
    if isinstance(of_type, inspect.CustomType):
        return _a_file(of_type.cls, label)
    if isinstance(of_type, inspect.IntType | inspect.DecimalType):
        whole = isinstance(of_type, inspect.IntType)
        return _number(label, notes, _whole_number if whole else _decimal_number)
    simple = _SIMPLE.get(type(of_type))
    if simple is None:
        raise TypeError(f"{label}: a form cannot hold {type(of_type).__name__}.")
    return functools.partial(_converted, simple, label)


def _converted(convert: Callable[[str, str], object], label: str, value: object) -> object:
    return convert(clean_line(_as_text(value, label)), label)


def _as_text(value: object, label: str) -> str:
    if not isinstance(value, str):
        raise _Mistake(f"{label} must be text, not a file")
    return value


def _text(label: str, at_most: int | None, *, has_lines: bool) -> Callable[[object], str]:
    limit = at_most if at_most is not None else (LONGEST_TEXT if has_lines else LONGEST_LINE)
    clean = clean_paragraphs if has_lines else clean_line
    too_long = f"{label} must be {words.number(limit)} characters or fewer"

    def convert(value: object) -> str:
        text = _as_text(value, label)
        # Composing megabytes only to refuse them would cost time for nothing.
        if len(text) > 4 * limit + 1_000:
            raise _Mistake(too_long)
        text = clean(text)
        if len(text) > limit:
            raise _Mistake(too_long)
        return text

    return convert


def _one_of(choices: Iterable[object], missing: str) -> Callable[[object], object]:
    known = {str(choice): choice for choice in choices}

    def convert(value: object) -> object:
        if not isinstance(value, str) or value not in known:
            raise _Mistake(missing)
        return known[value]

    return convert


def _a_file(kind: type, label: str) -> Callable[[object], object]:
    def convert(value: object) -> object:
        if not isinstance(value, kind):
            raise _Mistake(f"{label} must be a file")
        return value

    return convert


def _iso_date(text: str, label: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise _Mistake(f"{label} must be a real date") from None


def _time(text: str, label: str) -> dt.time:
    found = _TIME.fullmatch(text)
    if found is None:
        raise _Mistake(f"{label} must be a time, like 9:30")
    return dt.time(int(found[1]), int(found[2]))


def _tick(text: str, label: str) -> bool:
    try:
        return _TICKED[text.lower()]
    except KeyError:
        raise _Mistake(f"{label} must be ticked or not ticked") from None


def _number(
    label: str,
    notes: Mapping[str, Any],
    read: Callable[[str, str], int | decimal.Decimal],
) -> Callable[[object], object]:
    at_least: int | None = notes.get("at_least")
    at_most: int | None = notes.get("at_most")

    def convert(value: object) -> object:
        found = read(clean_line(_as_text(value, label)), label)
        if at_least is not None and at_most is not None and not at_least <= found <= at_most:
            limits = f"{words.number(at_least)} and {words.number(at_most)}"
            raise _Mistake(f"{label} must be between {limits}")
        if at_least is not None and found < at_least:
            raise _Mistake(f"{label} must be {words.number(at_least)} or more")
        if at_most is not None and found > at_most:
            raise _Mistake(f"{label} must be {words.number(at_most)} or less")
        return found

    return convert


def _whole_number(text: str, label: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", text.replace(",", "")):
        raise _Mistake(f"{label} must be a whole number, like 12")
    return int(text.replace(",", ""))


def _decimal_number(text: str, label: str) -> decimal.Decimal:
    plain = text.replace(",", "").removeprefix("£").strip()
    if not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,6})?", plain):
        raise _Mistake(f"{label} must be a number, like 12 or 12.50")
    return decimal.Decimal(plain)


def _uuid(text: str, label: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise _Mistake(f"Choose {words.lower_first(label)} from the list") from None


_SIMPLE: Mapping[type[inspect.Type], Callable[[str, str], object]] = {
    inspect.DateType: _iso_date,
    inspect.TimeType: _time,
    inspect.BoolType: _tick,
    inspect.UUIDType: _uuid,
}
