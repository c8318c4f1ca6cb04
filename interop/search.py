"""A search as it was asked, read by the table of what is served: a `Search`, or all that is wrong.

    found = parse("Task", [("patient", "123"), ("status", "requested,accepted")], base)
    match found:
        case Refused(issues): outcome(issues), status_of(issues)
        case Search(): ...

`base` is this server's address ("https://panel.example/fhir/R4"). The criteria of a `Search` must
all hold; of a criterion's values one is enough. Each criterion has a class of its own:

    Ids         any_of: ids
    Tokens      any_of: Token(system, code); negated for `:not`
    References  any_of: Reference(type, id) or Canonical(url, version)
    Dates       any_of: DateValue, whose bounds say it of days or of moments (search_dates)
    Strings     any_of: Text(raw, folded); match: starts, exact (of raw) or contains (of folded)
    Uris        any_of: addresses, equal or not
    Missing     whether there is nothing there
    OfPatient   the child has one of these identifiers: patient.identifier, subject.identifier

Nothing that is not understood is ignored: an unknown parameter, a modifier, a value, a chain is an
`Issue` under the parameter's name. Source: hl7.org/fhir/R4/search.html; TRAPS.md, FHIR.
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import Literal, TypeVar
from urllib.parse import parse_qsl, urlencode

from msgspec import Struct, json

from interop.outcome import Issue, Refused, tellable
from interop.search_dates import DateValue
from interop.search_settings import SETTINGS, Include, Settings, setting
from interop.search_values import (
    Canonical,
    Reference,
    Text,
    Token,
    Unreadable,
    clean,
    moment,
    reference,
    resource_id,
    separated,
    string,
    token,
    unescaped,
    yes_or_no,
)
from interop.served import ID, SERVED, Param, Served

MOST_PAIRS = 60
"""Parameters in one search."""
MOST_CHAINS = 4
"""Of these, such as ask for a patient's identifier: each looks for the patient anew."""

Pairs = tuple[tuple[str, str], ...]
Match = Literal["starts", "exact", "contains"]


class Criterion(Struct, frozen=True, kw_only=True):
    """Something that must hold of what is found."""

    param: Param


class Ids(Criterion, frozen=True, kw_only=True):
    """The id is one of these."""

    any_of: tuple[str, ...]


class Tokens(Criterion, frozen=True, kw_only=True):
    """One of these codes is there; or, negated, none is."""

    any_of: tuple[Token, ...]
    negated: bool = False


class References(Criterion, frozen=True, kw_only=True):
    """It refers to one of these."""

    any_of: tuple[Reference | Canonical, ...]


class Dates(Criterion, frozen=True, kw_only=True):
    """One of these dates is right."""

    any_of: tuple[DateValue, ...]


class Strings(Criterion, frozen=True, kw_only=True):
    """One of these texts fits."""

    any_of: tuple[Text, ...]
    match: Match = "starts"


class Uris(Criterion, frozen=True, kw_only=True):
    """It is one of these addresses."""

    any_of: tuple[str, ...]


class Missing(Criterion, frozen=True, kw_only=True):
    """Nothing is there; or, where `missing` is false, something is."""

    missing: bool


class OfPatient(Criterion, frozen=True, kw_only=True):
    """`param` refers to a Patient that has one of these identifiers."""

    any_of: tuple[Token, ...]


AnyCriterion = Ids | Tokens | References | Dates | Strings | Uris | Missing | OfPatient


class Search(Struct, frozen=True, kw_only=True):
    """A search that can be run."""

    type: str
    criteria: tuple[AnyCriterion, ...]
    settings: Settings
    pairs: Pairs
    """What was asked, but for `_cursor` and how the answer is written."""

    @property
    def count(self) -> int:
        """Resources on a page, 1 to 100."""
        return self.settings.count

    @property
    def count_only(self) -> bool:
        """Whether only the number is asked for."""
        return self.settings.count_only

    @property
    def total(self) -> bool | None:
        """Whether the number is asked for; None where nothing was said of it."""
        return True if self.count_only else self.settings.total

    @property
    def newest_first(self) -> bool:
        """By when it last changed: the newest first, or (unless asked) the oldest."""
        return self.settings.newest_first

    @property
    def cursor(self) -> str | None:
        """Where to go on, as text."""
        return self.settings.cursor

    @property
    def includes(self) -> tuple[Include, ...]:
        """References of what is found to follow."""
        return self.settings.includes

    @property
    def revincludes(self) -> tuple[Include, ...]:
        """References to what is found to follow back."""
        return self.settings.revincludes

    @property
    def digest(self) -> str:
        """32 hexadecimal digits, the same for the same search on every page of any length."""
        kept = sorted(pair for pair in self.pairs if pair[0] not in ("_count", "_total"))
        return hashlib.sha256(json.encode([self.type, kept])).hexdigest()[:32]

    def link(self, base: str, cursor: str | None = None) -> str:
        """The address of this page of the search, or of the one after a cursor."""
        on = (("_cursor", cursor),) if cursor is not None else ()
        query = urlencode([*self.pairs, *on])
        return f"{base}/{self.type}{'?' if query else ''}{query}"


def pairs_of(query: str) -> Pairs | None:
    """The (name, value) pairs of a query or of a form; None where it is not one."""
    try:
        return tuple(
            parse_qsl(
                query,
                keep_blank_values=True,
                strict_parsing=bool(query),
                errors="strict",
                max_num_fields=MOST_PAIRS,
            )
        )
    except ValueError:
        return None


def parse(type_: str, pairs: Iterable[tuple[str, str]], base: str) -> Search | Refused:
    """The search that the pairs ask for, or everything that is wrong with them. Never raises."""
    row = SERVED.get(type_)
    if row is None:
        return Refused((Issue("not-supported", "There are no resources of this type here."),))
    asked = tuple(pairs)
    if len(asked) > MOST_PAIRS:
        few = f"A search has at most {MOST_PAIRS} parameters."
        return Refused((Issue("too-costly", few),))
    criteria: list[AnyCriterion] = []
    settings = Settings()
    kept: list[tuple[str, str]] = []
    issues: list[Issue] = []
    seen: set[str] = set()
    for name, value in asked:
        try:
            if name in SETTINGS:
                settings = setting(settings, row, name, value, again=name in seen)
                seen.add(name)
            else:
                criteria.append(_criterion(row, name, value, base.rstrip("/")))
        except Unreadable as wrong:
            issues.append(Issue(wrong.code, wrong.text, tellable(name)))
        if name not in ("_cursor", "_format", "_pretty"):
            kept.append((name, value))
    chains = [one for one in criteria if isinstance(one, OfPatient)]
    if len(chains) > MOST_CHAINS:
        few = f"Ask for a patient's identifier at most {MOST_CHAINS} times."
        issues.append(Issue("too-costly", few, ("patient.identifier",)))
    if issues:
        return Refused(tuple(issues))
    return Search(type=type_, criteria=tuple(criteria), settings=settings, pairs=tuple(kept))


def _criterion(row: Served, name: str, value: str, base: str) -> AnyCriterion:
    if not clean(name):
        raise Unreadable("There is a character in the name that cannot be printed.", "invalid")
    start, dot, chained = name.partition(".")
    bare, colon, modifier = start.partition(":")
    param = row.param(bare)
    if param is None:
        raise Unreadable("This is no search parameter of the type.", "not-supported")
    if dot:
        return _chain(param, modifier if colon else "Patient", chained, value)
    if not colon:
        return _plain(param, value, base)
    if modifier == "missing" and param.name[0] != "_":
        return Missing(param=param, missing=yes_or_no(value))
    return _modified(param, modifier, value, base)


def _chain(param: Param, target: str, chained: str, value: str) -> OfPatient:
    of_child = param.name in ("patient", "subject")
    if not of_child or target != "Patient" or chained != "identifier":
        raise Unreadable(
            "The only thing to ask of what is referred to is the identifier of a patient or "
            "subject: patient.identifier.",
            "not-supported",
        )
    identifier = SERVED["Patient"].param("identifier")
    return OfPatient(param=param, any_of=_each(value, lambda text: token(text, identifier or ID)))


def _plain(param: Param, value: str, base: str) -> AnyCriterion:
    match param.kind:
        case "token" if param is ID:
            return Ids(param=param, any_of=_each(value, resource_id))
        case "token":
            return Tokens(param=param, any_of=_each(value, lambda text: token(text, param)))
        case "reference":
            return References(
                param=param, any_of=_each(value, lambda text: reference(text, param, base))
            )
        case "date":
            return Dates(param=param, any_of=_each(value, lambda text: moment(text, param)))
        case "string":
            return Strings(param=param, any_of=_each(value, string))
        case "uri":
            return Uris(param=param, any_of=_each(value, unescaped))


def _modified(param: Param, modifier: str, value: str, base: str) -> AnyCriterion:
    match param.kind, modifier:
        case "token", "not" if param is not ID:
            tokens = _each(value, lambda text: token(text, param))
            return Tokens(param=param, any_of=tokens, negated=True)
        case "string", "exact":
            return Strings(param=param, any_of=_each(value, string), match="exact")
        case "string", "contains":
            return Strings(param=param, any_of=_each(value, string), match="contains")
        case "reference", only if only in param.targets:
            return References(
                param=param, any_of=_each(value, lambda text: reference(text, param, base, only))
            )
        case _:
            raise Unreadable("This parameter does not have that modifier.", "not-supported")


Read = TypeVar("Read")


def _each(value: str, read: Callable[[str], Read]) -> tuple[Read, ...]:
    return tuple(read(text) for text in separated(value))
