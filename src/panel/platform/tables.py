"""The base of every table: ids, who and when, the version read, and sealed text columns."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar, Self, cast, overload
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    LargeBinary,
    MetaData,
    Table,
    event,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedColumn,
    Session,
    class_mapper,
    declared_attr,
    mapped_column,
    object_session,
)
from sqlalchemy.orm.unitofwork import UOWTransaction
from sqlalchemy.types import UserDefinedType

from panel.platform.clock import day_of
from panel.platform.crypto import Keys
from panel.platform.ids import new_id

_PLAIN = "_plain_texts"

KEYS = "keys"
NOW = "now"
VIEWER = "viewer"
"""Names in `session.info`: the transaction's keys, moment and viewer."""


def today_of(session: AsyncSession) -> date:
    """The Europe/London date of a transaction."""
    return day_of(session.info[NOW])


class Sealed:
    """A text column that is sealed at rest and reads as text.

    The data key is that of the holder whose id stands in the attribute named `holder`. What is
    written is sealed when the session flushes, with a key made for a holder who has none.
    """

    def __init__(self, *, holder: str = "child_id") -> None:
        self.holder = holder
        self.name = ""
        self.field = ""

    def bind(self, owner: type["Base"], name: str) -> None:
        """Learn the attribute's name and add the column that holds the ciphertext."""
        self.name = name
        self.field = f"{owner.__tablename__}.{name}"
        setattr(owner, f"{name}_sealed", mapped_column(name, LargeBinary, nullable=True))

    @overload
    def __get__(self, row: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, row: "Identified", owner: type[Any]) -> str: ...
    def __get__(self, row: "Identified | None", owner: type[Any]) -> "Self | str":
        """The text ("" where there is none), opened with the session's keys."""
        if row is None:
            return self
        plain: dict[str, str] = row.__dict__.get(_PLAIN, {})
        if self.name in plain:
            return plain[self.name]
        sealed: bytes | None = getattr(row, f"{self.name}_sealed")
        if sealed is None:
            return ""
        session = object_session(row)
        if session is None:
            raise RuntimeError(f"{self.field} can be read only within its transaction.")
        return cast("Keys", session.info[KEYS]).open(
            getattr(row, self.holder), self.field, row.id, sealed
        )

    def __set__(self, row: "Identified", text: str) -> None:
        """Keep the text until the flush seals it; "" is nothing."""
        row.__dict__.setdefault(_PLAIN, {})[self.name] = text
        # A changed marker makes the row dirty; the flush replaces it before anything is sent.
        setattr(row, f"{self.name}_sealed", b"pending" if text else None)

    def seal_pending(self, row: "Identified", keys: Keys) -> None:
        """Seal what was set since the last flush."""
        text = row.__dict__[_PLAIN].get(self.name)
        if text:
            sealed = keys.seal(getattr(row, self.holder), self.field, row.id, text)
            setattr(row, f"{self.name}_sealed", sealed)


NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Every table. No schema is named: the transaction's search path says whose it is."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: DateTime(timezone=True)}
    __sealed__: ClassVar[tuple[Sealed, ...]] = ()
    __sealed_content__: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Columns with sealed bytes of a child (a file), each with the field it is bound to."""
    __content_holder__: ClassVar[str] = "child_id"
    """The column that says whose key sealed them."""

    def __init_subclass__(cls, **kw: Any) -> None:
        """Bind the class's sealed columns before SQLAlchemy maps it."""
        sealed = {name: value for name, value in vars(cls).items() if isinstance(value, Sealed)}
        for name, value in sealed.items():
            value.bind(cls, name)
        cls.__sealed__ = (*cls.__sealed__, *sealed.values())
        super().__init_subclass__(**kw)


class Identified(Base):
    """A table whose rows have a UUID, which sealed text is bound to."""

    __abstract__ = True

    id: Mapped[UUID]


class Row(Identified):
    """A table whose rows have an id, say who made and changed them, and carry a version."""

    __abstract__ = True

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    created_at: Mapped[datetime]
    created_by: Mapped[UUID]
    changed_at: Mapped[datetime]
    changed_by: Mapped[UUID]
    version: Mapped[int]

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        """Optimistic locking: an update of a row changed since it was read fails."""
        return {"version_id_col": cls.version}

    def __init__(self, **kw: Any) -> None:
        """Give the row its id at once, since sealed text is bound to it."""
        self.id = kw.pop("id", None) or new_id()
        for name, value in kw.items():
            if not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} has no column {name}")
            setattr(self, name, value)

    @classmethod
    def unwatched(cls, **given: Any) -> Self:
        """A new row that is set past what watches its attributes, for `insert_many`.

        Thirty rows of twenty columns, watched, take longer than it takes to write them.
        """
        row: Self = class_mapper(cls).class_manager.new_instance()
        texts = {one.name: given.pop(one.name) for one in cls.__sealed__ if one.name in given}
        held = row.__dict__
        held.update({"id": new_id()} | given)
        held.update(
            {f"{name}_sealed": b"pending" if said else None for name, said in texts.items()}
        )
        held[_PLAIN] = texts
        return row


class XID8(UserDefinedType[int]):
    """The number of a transaction, as the server counts it: never the same twice in a server."""

    cache_ok = True

    def get_col_spec(self, **_given: object) -> str:
        """The type's name in SQL."""
        return "xid8"


def numbered() -> MappedColumn[int | None]:
    """The column in which an event keeps the number of the transaction that added it."""
    return mapped_column(XID8, server_default=text("pg_current_xact_id()"))


ischema_names["xid8"] = XID8  # so that a table that has one can be compared with its model


def one_of(column: str, values: Iterable[str] | type[StrEnum]) -> CheckConstraint:
    """A CHECK that the text is one of these (no ENUM types: TRAPS.md)."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class DataKey(Identified):
    """A holder's data key, wrapped. Destroying it erases all that it sealed."""

    __tablename__ = "data_key"

    id: Mapped[UUID] = mapped_column("holder_id", primary_key=True)
    wrapped: Mapped[bytes | None]
    destroyed_at: Mapped[datetime | None]


@event.listens_for(Session, "before_flush")
def _complete(session: Session, _context: UOWTransaction, _instances: object) -> None:
    """Say who and when on every new or changed row, and seal what was written."""
    rows = [row for row in (*session.new, *session.dirty) if isinstance(row, Base)]
    for row in rows:
        if isinstance(row, Row):
            say_who(session.info, row, is_new=row in session.new)
    seal_texts(session, rows)


def say_who(info: Mapping[Any, Any], row: "Row", *, is_new: bool) -> None:
    """Say who wrote a row and when, as the transaction knows it."""
    row.changed_at, row.changed_by = info[NOW], info[VIEWER]
    if is_new:
        row.created_at, row.created_by = info[NOW], info[VIEWER]


def made_now(info: Mapping[Any, Any]) -> dict[str, object]:
    """The columns in which a new row says who wrote it and when."""
    who, moment = info[VIEWER], info[NOW]
    return {"created_at": moment, "created_by": who, "changed_at": moment, "changed_by": who}


def seal_texts(session: Session, rows: Iterable[Base]) -> None:
    """Seal what was set in rows since they were last written."""
    identified = [row for row in rows if isinstance(row, Identified)]
    to_seal = [row for row in identified if row.__sealed__ and row.__dict__.get(_PLAIN)]
    if not to_seal:
        return
    keys = cast("Keys", session.info[KEYS])
    holders = {getattr(row, one.holder) for row in to_seal for one in row.__sealed__}
    load_or_make(session, keys, holders)
    for row in to_seal:
        for one in row.__sealed__:
            one.seal_pending(row, keys)
        row.__dict__[_PLAIN] = {}


def seal_unwatched(keys: Keys, rows: Iterable[Row]) -> None:
    """As `seal_texts`, for rows that no session watches yet; their holders' keys are at hand."""
    for row in rows:
        held = row.__dict__
        texts: dict[str, str] = held.get(_PLAIN, {})
        for one in row.__sealed__ if texts else ():
            if said := texts.get(one.name):
                sealed = keys.seal(held[one.holder], one.field, held["id"], said)
                held[f"{one.name}_sealed"] = sealed
        held[_PLAIN] = {}


class HolderErased(Exception):
    """Something was to be written for a person whose data key was destroyed."""


def load_or_make(session: Session, keys: Keys, holders: Iterable[UUID]) -> None:
    """Have every holder's key at hand, making and storing those that never were."""
    missing = sorted(keys.missing(holders))
    if not missing:
        return
    connection = session.connection()
    table = cast("Table", DataKey.__table__)
    stored = select(table.c.holder_id, table.c.wrapped).where(table.c.holder_id.in_(missing))
    found = {row.holder_id: row.wrapped for row in connection.execute(stored)}
    for holder in missing:
        if holder not in found:
            offered = (
                insert(table)
                .values(holder_id=holder, wrapped=keys.ring.new_data_key(holder))
                .on_conflict_do_nothing()
            )
            connection.execute(offered)
            # Whoever stored first won: read back what is kept, which may be another's.
            found[holder] = connection.execute(
                select(table.c.wrapped).where(table.c.holder_id == holder)
            ).scalar_one()
        if (wrapped := found[holder]) is None:
            raise HolderErased("This person's record was erased; nothing can be added to it.")
        keys.add(holder, wrapped)
