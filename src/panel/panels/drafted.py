"""What a family is told, as it is stored: its words, and the marks that stay in them.

Notes of a panel and minutes of a meeting around a family are drafted from what was said and
written elsewhere, and are read by nobody from whom part of that is withheld.
"""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

import msgspec

from consent import Category
from panel.panels.note_rules import Kept
from panel.records.gate import Access


class Drafted(Protocol):
    """A stored version of what a family is told."""

    @property
    def text(self) -> str:
        """The words."""

    @property
    def kept(self) -> str:
        """JSON, a list of `Kept`; "" where nothing is marked."""

    @property
    def categories(self) -> Sequence[str]:
        """What it was drafted from."""

    @property
    def author_agency_id(self) -> UUID:
        """Whose worker wrote it."""


def told_text(access: Access, row: Drafted) -> str | None:
    """The stored text; None where something that it was drafted from is withheld."""
    needed = {Category.PANEL, *(Category(one) for one in row.categories)}
    may_read = all(access.may(one, row.author_agency_id) for one in needed)
    return row.text if may_read else None


def kept_marks(row: Drafted) -> tuple[Kept, ...]:
    """What was marked in it and stays, with the reasons."""
    return tuple(msgspec.json.decode(row.kept, type=list[Kept])) if row.kept else ()
