"""Tables of facts, what they are folded from, and what waits to be looked at.

Nothing of it names a child: `insight_touched` alone has a record's id, until the next run of the
job (ADR 38).
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, get_type_hints
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, Numeric, Table, Text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Boolean, Integer, LargeBinary, TypeEngine

from panel.insight.core.facts import FACTS, Fact, Who
from panel.insight.core.fold import TABLES, key_columns
from panel.platform.tables import Base, Identified, Row

_TYPES: Mapping[type, TypeEngine[Any]] = {
    bytes: LargeBinary(),
    bool: Boolean(),
    int: Integer(),
    Decimal: Numeric(12, 3),
}
_IN_PENCE = frozenset({"pence", "payer_health", "payer_education", "payer_social_care"})


def _columns(table: type[Fact]) -> list[Column[Any]]:
    """The columns of a fact's table, in the order of its fields."""
    hints = get_type_hints(table)
    keys = {"person", "period", *key_columns(table)}
    made: list[Column[Any]] = []
    for one in fields(table):
        if hints[one.name] is Who:
            made.append(Column("person", LargeBinary, primary_key=True))
            made.append(Column("record_key", BigInteger, nullable=False))
            continue
        kind = BigInteger() if one.name in _IN_PENCE else _TYPES.get(hints[one.name], Text())
        is_key = one.name in keys
        made.append(Column(one.name, kind, primary_key=is_key, nullable=False))
    return made


def _table(table: type[Fact]) -> Table:
    name = TABLES[table]
    made = Table(name, Base.metadata, *_columns(table))
    if "person" in made.c:
        Index(f"ix_{name}_period", made.c.period)
    return made


FACT_TABLES: Mapping[type[Fact], Table] = MappingProxyType({one: _table(one) for one in FACTS})
"""Of each kind of fact its table; checks of codes stand in the migration."""


class AreaPopulation(Row):
    """How many children live in a ward, as somebody published it for a year."""

    __tablename__ = "area_population"
    __table_args__ = (
        CheckConstraint("children >= 0", name="children"),
        Index("uq_area_population", "ward_code", "year", unique=True),
    )

    ward_code: Mapped[str] = mapped_column(Text)
    year: Mapped[int]
    children: Mapped[int]
    source: Mapped[str] = mapped_column(Text)
    """Who published it, as the file says."""


class FactPeriod(Base):
    """A term of which there are facts: it is over."""

    __tablename__ = "fact_period"

    period: Mapped[str] = mapped_column(Text, primary_key=True)
    first_day: Mapped[date]
    last_day: Mapped[date]


class InsightTouched(Identified):
    """A statement changed what the rooms say of a child: to be looked at."""

    __tablename__ = "insight_touched"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    child_id: Mapped[UUID]


class InventedChild(Identified):
    """What is said of a child who was invented for figures alone, in a demonstration.

    The owner of the database puts it there; the application can only read it.
    """

    __tablename__ = "invented_child"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    line: Mapped[str] = mapped_column(Text)
    """As the rooms would say it: the JSON of a `sources.ChildLine`."""


class InsightEvent(Base):
    """One line of the history of facts. Added to; an erasure takes a record's lines away."""

    __tablename__ = "insight_event"
    __table_args__ = (
        CheckConstraint(
            "(kind = 'said' AND record IS NOT NULL AND said IS NOT NULL)"
            " OR (kind IN ('linked', 'parted') AND record IS NOT NULL AND other IS NOT NULL)"
            " OR (kind = 'erased' AND record IS NULL)",
            name="kind",
        ),
        Index("ix_insight_event_record", "record", "number"),
        Index("ix_insight_event_other", "other", postgresql_where="other IS NOT NULL"),
    )

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    record: Mapped[bytes | None]
    kind: Mapped[str] = mapped_column(Text)
    said: Mapped[bytes | None]
    """Canonical JSON (`core.fold.said_bytes`)."""
    other: Mapped[bytes | None]
    digest: Mapped[bytes | None]
    """SHA-256 of `said`."""


class InsightState(Base):
    """How far the rooms' changes were taken in; one row."""

    __tablename__ = "insight_state"
    __table_args__ = (CheckConstraint("id = 1", name="id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    events: Mapped[int] = mapped_column(BigInteger)
    """The number of the newest event."""
    fed_at: Mapped[datetime]
