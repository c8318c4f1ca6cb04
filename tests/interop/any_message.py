"""Hypothesis: any message of a type, made from what its fields are."""

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from interop.messages import Message
from tests.interop.examples import COLUMNS

IDS = frozenset(
    {
        "id", "child", "practice", "agency", "provider", "form", "author", "author_agency",
        "outcomes", "actions", "plan", "worker", "carers", "owner", "service", "sent_by",
        "agencies", "not_agencies", "sitting", "signed_off_by", "note", "to", "by", "target",
        "viewer", "key", "form_key", "children",
    }
)  # fmt: skip
"""Fields that hold an id, or a key of a form; `outcome` and `note` also name texts (TEXTS)."""
TEXTS = frozenset({("Request", "outcome"), ("Action", "note"), ("Progress", "note")})
IDS_TOO = frozenset({("Action", "outcome")})
KNOWN: dict[str, st.SearchStrategy[Any]] = {
    "target_type": st.sampled_from(["Task", "Goal", "Patient"]),
    "nhs_number": st.sampled_from(["9434765919", "9000000009", None]),
    "number": st.integers(0, 10_000),
    "form_number": st.integers(0, 10_000),
    "ethnicity": st.sampled_from(["white_british", "mixed", "White - Irish", "any", None]),
    "relationship": st.sampled_from(["Mother", "stepfather", "neighbour"]),
    "interpreter": st.sampled_from(["Polish", "Klingon", " ", None]),
    "viewer_kind": st.sampled_from(["worker", "agency", "family", "client", "job", "guest"]),
    "kind": st.sampled_from(
        ["short_text", "long_text", "date", "yes_no", "choice", "choices", "rows", "element"]
    ),
}
A_DAY = st.dates(date(1900, 1, 1), date(2100, 1, 1))
AN_ID = st.uuids(version=4).map(str)
A_TEXT = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "<script>alert('x')</script>",
            "\x00\x01\x0b\x1b[0m",
            "a\x0bb\x85c\u2028d",
            "  both ends \n",
            "\ufeff",
            "\u200b",
            "]]><b>&amp;</b><!--",
            "é\U0001f9d2\u0301 عربي",
            "x" * 4000,
            "2026-11-23",
            "yes",
        ]
    ),
)
A_ZONE = st.integers(-11, 13).map(lambda hours: timezone(timedelta(hours=hours, seconds=17)))
"""Some hours from UTC and some seconds, as old local times were."""
KNOWN["rows"] = st.lists(
    st.lists(
        st.tuples(st.sampled_from(["on", "words"]), A_TEXT | st.lists(A_TEXT).map(tuple)),
        max_size=2,
        unique_by=lambda cell: cell[0],
    ).map(tuple),
    max_size=2,
).map(tuple)
"""Fields with values of their own."""

A_MOMENT = st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1), timezones=A_ZONE)


def any_of(kind: type[Message]) -> st.SearchStrategy[Message]:
    """Any message of this type."""
    return _struct(kind)


def _struct(kind: type) -> st.SearchStrategy[Any]:
    fields = {
        each.name: _field(kind.__name__, each.name, inspect.type_info(each.type))
        for each in msgspec.structs.fields(kind)
    }
    return st.fixed_dictionaries(fields).map(lambda values: kind(**values))


def _field(owner: str, name: str, kind: inspect.Type) -> st.SearchStrategy[Any]:
    if name in KNOWN:
        return KNOWN[name]
    if name == "columns" and owner == "FormQuestion":
        return st.just(()) | st.just(COLUMNS)
    holds_ids = (name in IDS and (owner, name) not in TEXTS) or (owner, name) in IDS_TOO
    return _value(kind, AN_ID if holds_ids else A_TEXT)


def _value(kind: inspect.Type, text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    simple: dict[type, st.SearchStrategy[Any]] = {
        inspect.StrType: text,
        inspect.BoolType: st.booleans(),
        inspect.IntType: st.integers(0, 120),
        inspect.NoneType: st.none(),
        inspect.DateType: A_DAY,
        inspect.DateTimeType: A_MOMENT,
        inspect.DecimalType: st.decimals(0, 10_000, places=2).map(Decimal),
    }
    if type(kind) in simple:
        return simple[type(kind)]
    if isinstance(kind, inspect.LiteralType):
        return st.sampled_from(kind.values)
    if isinstance(kind, inspect.UnionType):
        return st.one_of([_value(each, text) for each in kind.types])
    if isinstance(kind, inspect.VarTupleType):
        return st.lists(_value(kind.item_type, text), max_size=2).map(tuple)
    if isinstance(kind, inspect.TupleType):
        return st.tuples(*[_value(each, text) for each in kind.item_types])
    if isinstance(kind, inspect.StructType):
        return _struct(kind.cls)
    raise AssertionError(f"A message has a field of a kind that no strategy is for: {kind}")
