"""What a search asks, as SQL about a source's rows.

Values are bound by name and the names are made here; what is looked at is a source's own columns.
A criterion about a patient's identifier holds only where the client may know who the child is:
otherwise a search would tell it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from string import ascii_lowercase
from typing import assert_never
from uuid import UUID

from interop import search, systems
from interop.search_dates import Bound, DateValue
from interop.search_values import Canonical, Reference, Text, Token, as_uuid, folded
from interop.served import LAST_UPDATED
from panel.exchange.columns import (
    Code,
    Column,
    Identifier,
    Nothing,
    Refers,
    SealedWords,
    Times,
    Words,
    at,
)
from panel.exchange.finding import Condition
from panel.exchange.permitted import may
from panel.exchange.source import AnySource, author
from panel.platform.read_models import sql

Index = Callable[[str, str], bytes]
"""The blind index of (a kind, a text)."""

_LETTERS = tuple("".join(pair) for pair in product(ascii_lowercase, repeat=2))
_INDEXED = (
    "EXISTS (SELECT FROM child_index x WHERE x.child_id = {child} AND x.kind = '{kind}'"
    " AND x.token = ANY({values}))"
)


@dataclass(slots=True)
class _Values:
    """The values of one condition, each under a name that no other has."""

    number: int
    given: dict[str, object] = field(default_factory=dict)

    def add(self, value: object, cast: str) -> str:
        """Take a value; returns SQL for it."""
        name = f"asked_{_LETTERS[self.number]}_{_LETTERS[len(self.given)]}"
        self.given[name] = value
        return f"CAST(:{name} AS {cast})"


def condition_of(
    source: AnySource, criterion: search.AnyCriterion, number: int, index: Index
) -> Condition:
    """One criterion as SQL. Args: its number within the search; how identifiers are indexed."""
    values = _Values(number)
    column = source.columns.get(criterion.param.column)
    return Condition(_sql(source, criterion, column, values, index), values.given)


def sealed_words(
    source: AnySource, criteria: Iterable[search.AnyCriterion]
) -> list[tuple[search.Strings, SealedWords]]:
    """The criteria that only opening can answer."""
    found = []
    for one in criteria:
        column = source.columns.get(one.param.column)
        if isinstance(one, search.Strings) and isinstance(column, SealedWords):
            found.append((one, column))
    return found


def fits(texts: Iterable[str], criterion: search.Strings) -> bool:
    """Whether one of the texts is what is asked for."""
    return any(_fits(said, asked, criterion.match) for said in texts for asked in criterion.any_of)


def _fits(said: str, asked: Text, match: search.Match) -> bool:
    if match == "exact":
        return said == asked.raw
    heard = folded(said)
    if match == "contains":
        return asked.folded in heard
    return heard.startswith(asked.folded) or any(
        word.startswith(asked.folded) for word in heard.split()
    )


def one_of_ids(source: AnySource, ids: Sequence[UUID], number: int) -> Condition:
    """That a row is one of these."""
    values = _Values(number)
    return Condition(f"{source.id} = ANY({values.add(list(ids), 'uuid[]')})", values.given)


def refers_to(column: Refers, ids: Sequence[UUID], number: int) -> Condition:
    """That a row refers to one of these."""
    values = _Values(number)
    return Condition(column.to_one_of.format(ids=values.add(list(ids), "uuid[]")), values.given)


def _sql(
    source: AnySource,
    criterion: search.AnyCriterion,
    column: Column | None,
    values: _Values,
    index: Index,
) -> str:
    match criterion:
        case search.Ids(any_of=ids):
            said = f"{source.id} = ANY({values.add(_uuids(ids), 'uuid[]')})"
        case search.Missing(missing=missing):
            said = _missing(column) if missing else f"NOT ({_missing(column)})"
        case search.OfPatient(any_of=tokens):
            said = _of_patient(source.child, tokens, values, index)
        case search.Tokens(any_of=tokens, negated=negated):
            said = _tokens(source, column, tokens, values, index)
            if negated:
                said = f"({said}) IS NOT TRUE"
        case search.References(any_of=asked):
            said = _references(column, asked, values)
        case search.Dates(any_of=dates):
            last_changed = criterion.param.column == LAST_UPDATED.column
            said = _dates(at(source.last_told) if last_changed else column, dates, values)
        case search.Strings(any_of=texts, match=match):
            said = _words(column, texts, match, values)
        case search.Uris(any_of=addresses):
            said = _addresses(column, addresses, values)
        case _:
            assert_never(criterion)
    return said


def _addresses(column: Column | None, addresses: Sequence[str], values: _Values) -> str:
    if not isinstance(column, Words):
        return "false"
    return f"{column.sql} = ANY({values.add(list(addresses), 'text[]')})"


def _uuids(ids: Iterable[str]) -> list[UUID]:
    return [found for one in ids if (found := as_uuid(one)) is not None]


def _missing(column: Column | None) -> str:
    match column:
        case Code(sql=code):
            return f"{code} IS NULL"
        case Words(sql=words):
            return f"COALESCE({words}, '') = ''"
        case Times(first=first):
            return f"{first} IS NULL"
        case Identifier(missing=missing) | Refers(missing=missing) | SealedWords(missing=missing):
            return missing
        case Nothing() | None:
            return "true"
        case _:
            assert_never(column)


def _tokens(
    source: AnySource,
    column: Column | None,
    tokens: Sequence[Token],
    values: _Values,
    index: Index,
) -> str:
    match column:
        case Code():
            return _code(column, tokens, values)
        case Identifier():
            return _identifier(source.child, column, tokens, values, index)
        case _:
            return "false"


def _code(column: Code, tokens: Sequence[Token], values: _Values) -> str:
    asked = [one for one in tokens if _may_be_of(one, column.system)]
    found = []
    if any(one.code is None for one in asked):
        found.append(f"{column.sql} IS NOT NULL")
    if codes := sorted({one.code for one in asked if one.code is not None}):
        given = values.add(codes, "text[]")
        found.append(
            f"{column.sql} && {given}" if column.any_of else f"{column.sql} = ANY({given})"
        )
    return _any(found)


def _may_be_of(token: Token, system: str | None) -> bool:
    """Whether a code of this system, or of none, may be meant."""
    return token.system is None or token.system == (system or "")


def _identifier(
    child: str, column: Identifier, tokens: Sequence[Token], values: _Values, index: Index
) -> str:
    """All that is asked of one system is looked for at once, however much it is."""
    found = []
    for system, is_one in column.of:
        codes = [one.code for one in tokens if one.system in (None, system)]
        if None in codes:
            found.append(f"NOT ({column.missing})")
        if asked := sorted({one for one in codes if one is not None}):
            found.append(is_one.format(values=values.add(asked, "text[]")))
    for system, kind in column.indexed:
        wanted = {
            one.code for one in tokens if one.system in (None, system) and one.code is not None
        }
        if wanted:
            given = values.add([index(kind, one) for one in sorted(wanted)], "bytea[]")
            found.append(sql(_INDEXED, child=child, kind=kind, values=given))
    return _any(found)


def _of_patient(child: str, tokens: Sequence[Token], values: _Values, index: Index) -> str:
    named = [one for one in tokens if one.code is not None]
    return sql(
        "EXISTS (SELECT FROM child c WHERE c.id = {child} AND {known} AND {asked})",
        child=child,
        known=may("c.id", "'identity'", author("c.created_by")),
        asked=_identifier("c.id", _OF_A_CHILD, named, values, index),
    )


_OF_A_CHILD = Identifier(
    of=((systems.CHILD_REFERENCE, "c.reference = ANY({values})"),),
    indexed=((systems.NHS_NUMBER, "nhs_number"),),
)


def _references(
    column: Column | None, asked: Sequence[Reference | Canonical], values: _Values
) -> str:
    if not isinstance(column, Refers):
        return "false"
    ids = [one.uuid for one in asked if isinstance(one, Reference) and one.uuid is not None]
    found = []
    if ids:
        found.append(column.to_one_of.format(ids=values.add(ids, "uuid[]")))
    if column.canonical is not None:
        address, version = column.canonical
        for one in asked:
            if isinstance(one, Canonical):
                is_one = f"{address} = {values.add(one.url, 'text')}"
                if one.version is not None:
                    is_one += f" AND {version} = {values.add(one.version, 'text')}"
                found.append(f"({is_one})")
    return _any(found)


def _dates(column: Column | None, dates: Sequence[DateValue], values: _Values) -> str:
    if not isinstance(column, Times):
        return "false"
    return _any(
        "({})".format(
            (" OR " if one.either else " AND ").join(
                _bound(column, bound, values) for bound in one.bounds
            )
        )
        for one in dates
    )


def _bound(column: Times, bound: Bound, values: _Values) -> str:
    kind = "timestamptz" if hasattr(bound.at, "tzinfo") else "date"
    given = values.add(bound.at, kind)
    if column.first == column.last:
        return f"{column.first} {bound.of_point} {given}"
    if bound.side == "low":
        return f"{column.first} {bound.comparison} {given}"
    after = f"({column.last} + 1)"
    if column.open_ended:
        after = f"COALESCE({after}, 'infinity')"
    return f"{after} {bound.comparison} {given}"


_LIKE: Mapping[search.Match, str] = {"starts": "{}%", "contains": "%{}%"}


def _words(
    column: Column | None, texts: Sequence[Text], match: search.Match, values: _Values
) -> str:
    if not isinstance(column, Words):
        return "true" if isinstance(column, SealedWords) else "false"
    if match == "exact":
        return f"{column.sql} = ANY({values.add([one.raw for one in texts], 'text[]')})"
    asked = {form for one in texts for form in (one.folded, one.raw.casefold())}
    like = [_LIKE[match].format(_escaped(form)) for form in sorted(asked)]
    return f"lower({column.sql}) LIKE ANY({values.add(like, 'text[]')})"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _any(conditions: Iterable[str]) -> str:
    return f"({' OR '.join(conditions) or 'false'})"
