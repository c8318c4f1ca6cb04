"""Where resources of one type come from: their rows, who may be told of them, how one is read.

A source is SQL in pieces, put together once, and a function from a row to a message. What is
searched for and what is shown are the same rows, so nothing can be found that is not shown.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec

from consent import Category
from interop.messages import Message
from panel.exchange.columns import Column
from panel.platform.crypto import Keys
from panel.platform.read_models import sql
from panel.records.gate import EVERYTHING, Access


class Line(msgspec.Struct, kw_only=True):
    """What every row has."""

    id: UUID
    changed_at: datetime


class ChildLine(Line, kw_only=True):
    """A row about one child."""

    child_id: UUID


RowOf = TypeVar("RowOf", bound=Line)
ChildRow = TypeVar("ChildRow", bound=ChildLine)


@dataclass(frozen=True, kw_only=True)
class Source(Generic[RowOf]):
    """Rows that become resources of one type."""

    resource: str
    """The FHIR type."""
    line: type[RowOf]
    fields: str
    """What a line reads beside id and times: the arguments of json_build_object."""
    rows: str
    """What follows FROM; the row that gives the id is `r`."""
    where: str = "true"
    """Which of the rows there are at all."""
    id: str = "r.id"
    changed: str = "r.changed_at"
    changed_as_told: str = ""
    """Where that would tell of a change of something else: SQL for when it changed as far as the
    viewer may know, with `permitted` in it; empty where `changed` tells of nothing else."""
    columns: Mapping[str, Column] = field(default_factory=dict)
    """The name of a searched column (`interop.served`) → where it is."""
    holders: Callable[[RowOf], Iterable[UUID]] = lambda _line: ()
    """Whose data keys opening a line needs, beside the child's."""
    forms: Callable[[RowOf], Iterable[UUID]] = lambda _line: ()
    """Which versions of forms a line is read by."""

    @cached_property
    def decoder(self) -> msgspec.json.Decoder[RowOf]:
        """From a line's text."""
        return msgspec.json.Decoder(self.line)

    @property
    def child(self) -> str:
        """SQL for the child that a row is about."""
        return "NULL::uuid"

    @property
    def told(self) -> str:
        """SQL: whether the viewer may be told that the row is there."""
        return "true"

    @property
    def last_told(self) -> str:
        """SQL for when a row changed, as a search sorts and is asked by it."""
        return self.changed_as_told or self.changed

    def selected(self) -> str:
        """SQL for a line's text."""
        return (
            f"json_build_object('id', {self.id}, 'changed_at', {self.changed}"
            f"{self._of_child()}{', ' + self.fields if self.fields else ''})::text"
        )

    def selected_one(self, besides: str = "") -> str:
        """SQL for the text of the line whose id is `:row`; and for what follows it in a list."""
        return sql(
            "SELECT {line}{besides} FROM {rows} WHERE ({where}) AND {id} = :row",
            line=self.selected(),
            besides=besides,
            rows=self.rows,
            where=self.where,
            id=self.id,
        )

    def _of_child(self) -> str:
        return ""


@dataclass(frozen=True, kw_only=True)
class OpenSource(Source[RowOf]):
    """Rows about no child: agencies, services, forms, and who works where."""

    message: Callable[[RowOf, Keys], Message]


@dataclass(frozen=True, kw_only=True)
class ChildSource(Source[ChildRow]):
    """Rows about children, each told of only where `may_be_told` says so."""

    message: Callable[[ChildRow, Access], Message | None]
    """The message as the access lets it be told; None where it may not be at all."""
    may_be_told: str
    """SQL made by `permitted.may`: the same as `message` decides, before anything is counted."""
    child_id: str = "r.child_id"
    about: frozenset[Category] = EVERYTHING
    """What is decided and logged when one is opened."""
    past_from: str = "NULL::timestamptz"
    """SQL for the moment before which it has no past that anybody is told; NULL for none."""

    @property
    def child(self) -> str:
        """SQL for the child that a row is about."""
        return self.child_id

    @property
    def told(self) -> str:
        """SQL: whether the viewer may be told that the row is there."""
        return self.may_be_told

    def _of_child(self) -> str:
        return f", 'child_id', {self.child_id}"


AnySource = OpenSource[Any] | ChildSource[Any]


def hex_of(*columns: str, of: str = "r") -> str:
    """Arguments of json_build_object for sealed columns, as hexadecimal under their names."""
    return ", ".join(f"'{column}', encode({of}.{column}, 'hex')" for column in columns)


def listed(*parts: str) -> str:
    """Arguments of json_build_object, one list after the other."""
    return ", ".join(parts)


def plain(*columns: str, of: str = "r") -> str:
    """Arguments of json_build_object for columns as they are, under their names."""
    return ", ".join(f"'{column}', {of}.{column}" for column in columns)


def author(column: str) -> str:
    """SQL: the agency of the worker who is named in a column; NULL for an import."""
    return sql("(SELECT aw.agency_id FROM worker aw WHERE aw.id = {column})", column=column)


def texts(ids: Sequence[UUID] | None) -> tuple[str, ...]:
    """Ids as messages carry them."""
    return tuple(str(one) for one in ids or ())


def text_of(one: UUID | None) -> str | None:
    """An id as messages carry it."""
    return None if one is None else str(one)
