"""One child of a file, while they are brought in: where things go, and what is said about them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from interop.incoming import Problem
from interop.messages import Message
from panel.exchange.importing_file import ChildFound, Found
from panel.exchange.importing_places import Places
from panel.exchange.importing_report import Tally
from panel.records.child_scoped import ChildScoped

NOT_HERE = "It refers to {what}, which is not in this file, or is of no use here. It was left out."
WITHOUT = "It was taken without {what}, which is not in this file, or is of no use here."


@dataclass(slots=True)
class Bringing:
    """The transaction in which one child is brought in."""

    session: AsyncSession
    found: ChildFound
    child_id: UUID
    places: Places
    tally: Tally
    members: dict[str, UUID] = field(default_factory=dict)
    """A RelatedPerson's id in the file → the family member here."""
    rows: dict[tuple[str, str], UUID] = field(default_factory=dict)
    """A resource's type and id in the file → its row here."""

    def came(self, kind: str, one: Found[Message], row: UUID) -> None:
        """A resource has its row."""
        self.rows[kind, one.id] = row
        self.tally.brought[kind] += 1

    async def keep(self, kind: str, one: Found[Message], row: ChildScoped) -> None:
        """Write the row that a resource is here."""
        self.session.add(row)
        await self.session.flush()
        self.came(kind, one, row.id)

    def left_out(self, kind: str, one: Found[Message], reason: str) -> None:
        """A resource cannot be taken."""
        self.tally.left[kind] += 1
        self.tally.problems.append(Problem(one.path, reason))

    def said(self, one: Found[Message], reason: str) -> None:
        """Something about a resource that is taken all the same."""
        self.tally.problems.append(Problem(one.path, reason))

    def row(self, kind: str, told_id: str | None) -> UUID | None:
        """The row here of a resource of the same child."""
        return None if told_id is None else self.rows.get((kind, told_id))

    def person(self, told_id: str | None) -> UUID | None:
        """One of the family, or the child; None stands for the child too, as messages have it."""
        if told_id is None or told_id == self.found.patient.id:
            return self.child_id
        return self.members.get(told_id)

    def wanted(
        self, one: Found[Message], told_id: str | None, here: UUID | None, what: str
    ) -> UUID | None:
        """What an optional reference is here; it is said where the file refers to nothing."""
        if told_id and here is None:
            self.said(one, WITHOUT.format(what=what))
        return here

    def categories(self, one: Found[Message], told: Iterable[str]) -> list[str]:
        """Those that there are; the others are said."""
        known = [each for each in told if each in set(Category)]
        if len(known) < len(tuple(told)):
            self.said(one, "It names a category of information that there is not here.")
        return known


def agencies_named(found: ChildFound, places: Places) -> list[str]:
    """The agencies that anything about a child names, by their ids in the file, in order."""
    messages: list[Message] = [one.message for each in found.about.values() for one in each]
    texts = set(_texts(msgspec.to_builtins([found.patient.message, *messages])))
    file = places.file
    workers = {file.workers[one].agency for one in texts & file.workers.keys()}
    return sorted((texts | workers) & file.agencies.keys())


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
