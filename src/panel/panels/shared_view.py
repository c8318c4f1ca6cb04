"""What the meeting's screen shows: only what everybody at the table may see.

The rest stays in each agency's pack. Source: DOMAIN.md, "Categories, purposes, defaults".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from consent import Category, Standpoint, decide_from
from panel.panels.case import CATEGORY_TITLES
from panel.panels.not_shown import grouped
from panel.platform.crypto import ERASED
from panel.records.gate import Access, Withheld
from panel.web.words import in_a_row, lower_first, upper_first

NOT_FOR_ALL = (
    "Not everybody at this meeting may see this. Whoever may has it in their own agency’s pack."
)


@dataclass(frozen=True, slots=True)
class SharedView:
    """One child as everybody at the table may see them, and the viewer among them."""

    access: Access
    table: tuple[Standpoint, ...]

    def may(
        self,
        category: Category,
        author_agency: UUID | None = None,
        author_person: UUID | None = None,
    ) -> bool:
        """Whether a category, or one entry in it, may be seen by all."""
        return self.access.may(category, author_agency, author_person) and all(
            decide_from(one, category, author_agency, author_person).permitted for one in self.table
        )

    def open_text(
        self,
        sealed: str | None,
        field: str,
        row: UUID,
        category: Category,
        author_agency: UUID | None = None,
        author_person: UUID | None = None,
    ) -> str | None:
        """A sealed text (hex) where all may see it, "" where there is none, else None."""
        if not self.may(category, author_agency, author_person):
            return None
        found = self.access.open_text(sealed, field, row, category, author_agency, author_person)
        return "" if found == ERASED else found

    def not_shown(self, child_words: str) -> Sequence[str]:
        """A sentence for each reason why something is not on the screen; silence is kept."""
        own: list[tuple[str, Withheld]] = []
        for_others: list[str] = []
        for category in Category:
            title = CATEGORY_TITLES[category]
            withheld = self.access.withheld(category, child_words)
            if withheld is None and self._is_barred(category):
                for_others.append(lower_first(title))
            elif withheld is not None and not withheld.silent:
                own.append((title, withheld))
        said = [one.sentence for one in grouped(own)]
        if for_others:
            said.append(f"{upper_first(in_a_row(for_others))}. {NOT_FOR_ALL}")
        return said

    def _is_barred(self, category: Category) -> bool:
        decisions = [decide_from(one, category) for one in self.table]
        barred = [one for one in decisions if not one.permitted]
        return bool(barred) and not any(one.silent for one in barred)
