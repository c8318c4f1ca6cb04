"""A child, an authority's agencies and the people around them, for questions about sharing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from consent import (
    Agreement,
    Category,
    Decision,
    Purpose,
    Question,
    Relationship,
    Role,
    Span,
    State,
    Tie,
    Viewer,
    ViewerKind,
    decide,
)


class World:
    """Invented ids, and the shortest way to ask a question about them."""

    child = UUID(int=1)
    mother = UUID(int=2)
    father = UUID(int=3)
    grandmother = UUID(int=4)
    anna = UUID(int=11)
    """A worker, of the health trust unless said otherwise."""
    health = UUID(int=21)
    council = UUID(int=22)
    school = UUID(int=23)
    charity = UUID(int=24)
    now = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)

    def worker(
        self, *roles: Role, agency: UUID | None = None, agency_kind: str | None = "health"
    ) -> Viewer:
        return Viewer(
            self.anna,
            ViewerKind.WORKER,
            agency or self.health,
            agency_kind,
            frozenset(roles or (Role.PRACTITIONER,)),
        )

    def coordinator(self, agency_kind: str = "council") -> Viewer:
        return self.worker(Role.COORDINATOR, agency=self.council, agency_kind=agency_kind)

    def pack(self, agency: UUID | None = None) -> Viewer:
        agency = agency or self.health
        return Viewer(agency, ViewerKind.AGENCY, agency, "health")

    def family(self, person: UUID) -> Viewer:
        return Viewer(person, ViewerKind.FAMILY)

    def tie(
        self,
        tie: Tie,
        who: UUID | None = None,
        span: Span | None = None,
        categories: Iterable[Category] | None = None,
    ) -> Relationship:
        return Relationship(
            tie,
            who or self.anna,
            span or Span(),
            None if categories is None else frozenset(categories),
        )

    def agreement(self, **facts: Any) -> Agreement:
        chosen: dict[str, Any] = {
            "id": UUID(int=31),
            "given": True,
            "by": self.mother,
            "by_words": "her mother",
            "agencies": frozenset({self.health}),
        }
        return Agreement(**(chosen | facts))

    def refusal(self, **facts: Any) -> Agreement:
        return self.agreement(id=UUID(int=32), given=False, **facts)

    def state(self, **facts: Any) -> State:
        return State(self.child, **facts)

    def ask(
        self,
        viewer: Viewer,
        state: State,
        category: Category = Category.HEALTH,
        purpose: Purpose = Purpose.SUPPORT,
        at: datetime | None = None,
        author_agency: UUID | None = None,
        author_person: UUID | None = None,
    ) -> Decision:
        question = Question(viewer, category, purpose, at or self.now, author_agency, author_person)
        return decide(question, state)


@pytest.fixture
def world() -> World:
    return World()
