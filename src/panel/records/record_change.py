"""That something on a child's record became something else: kept with the change, for ever after.

A table says what is so, not since when: a school, the state of an action, the day it is due. A
model names such columns with `@watched`, and the flush that changes one adds a line here, in the
same transaction, whichever service made the change.
"""

from collections.abc import Callable
from datetime import date
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Text, event, inspect
from sqlalchemy.orm import InstanceState, Mapped, Session, mapped_column
from sqlalchemy.orm.unitofwork import UOWTransaction

from panel.platform.tables import NOW, Row
from panel.records.child_scoped import ChildScoped


class RecordChange(ChildScoped):
    """One change of one watched column; `created_at` is when. Only ever added to."""

    __tablename__ = "record_change"

    what: Mapped[str] = mapped_column(Text)
    """The table and column: "action.state"."""
    row_id: Mapped[UUID]
    from_code: Mapped[str | None] = mapped_column(Text)
    to_code: Mapped[str | None] = mapped_column(Text)
    """Codes, dates (2026-12-03) and numbers; None where there was nothing, and for any text."""


_WATCHED: dict[type[Row], tuple[str, tuple[str, ...], tuple[str, ...]]] = {}

Table = TypeVar("Table", bound=type[Row])


def watched(
    *codes: str, texts: tuple[str, ...] = (), child: str = "child_id"
) -> Callable[[Table], Table]:
    """Keep when these columns of a child's table change: codes with their values, texts without.

    `child` names the column that says whose row it is. A sealed text is named as it is stored.
    """

    def marked(table: Table) -> Table:
        _WATCHED[table] = (child, codes, texts)
        return table

    return marked


@event.listens_for(Session, "before_flush", insert=True)
def _note_changes(session: Session, _context: UOWTransaction, _instances: object) -> None:
    """Add a line for every watched column that is about to change.

    Before the flush completes new rows, so that these lines are completed too. What the same
    transaction made is new as a whole, and no change.
    """
    for row in session.dirty:
        if isinstance(row, Row) and (columns := _WATCHED.get(type(row))) is not None:
            if row.created_at == session.info[NOW]:
                continue
            child, codes, texts = columns
            state: InstanceState[Row] = inspect(row)
            for column in (*codes, *texts):
                history = state.attrs[column].history
                if history.has_changes():
                    session.add(
                        RecordChange(
                            child_id=getattr(row, child),
                            what=f"{row.__tablename__}.{column.removesuffix('_sealed')}",
                            row_id=row.id,
                            from_code=_code(history.deleted) if column in codes else None,
                            to_code=_code(history.added) if column in codes else None,
                        )
                    )


def _code(values: list[object] | tuple[object, ...]) -> str | None:
    """A value as it is kept: the only one of a history's, or None."""
    value = next(iter(values), None)
    if value is None:
        return None
    return value.isoformat() if isinstance(value, date) else str(value)
