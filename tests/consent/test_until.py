"""How long a permission holds: no longer than until something known already begins to withhold.

Found by the random histories (test_histories.py): "until" named the end of what permits, past the
day from which a protection, a court or a refusal was already written down to come.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from consent import (
    Basis,
    Category,
    CourtOrder,
    Objection,
    Restriction,
    RestrictionKind,
    Span,
    Tie,
)

EVERYTHING: frozenset[Any] = frozenset()
LAST = date(2026, 11, 30)
FROM = Span(date(2026, 12, 1))


@pytest.fixture
def agreed(world: Any) -> dict[str, Any]:
    """A worker in the team, and an agreement with her agency until May."""
    return {
        "relationships": (world.tie(Tie.TEAM),),
        "agreements": (world.agreement(span=Span(date(2026, 5, 4), date(2027, 5, 3))),),
    }


@pytest.mark.parametrize(
    "coming",
    [
        {"restrictions": (Restriction(RestrictionKind.CHOICE, EVERYTHING, EVERYTHING, FROM),)},
        {"restrictions": (Restriction(RestrictionKind.PROTECTION, EVERYTHING, EVERYTHING, FROM),)},
        {"orders": (CourtOrder(permits=False, categories=EVERYTHING, to=EVERYTHING, span=FROM),)},
        {
            "objections": (
                Objection(
                    "her father",
                    EVERYTHING,
                    EVERYTHING,
                    date(2026, 11, 18),
                    FROM.start,
                    upheld=True,
                ),
            )
        },
    ],
)
def test_an_agreement_holds_until_what_comes_before_it(
    world: Any, agreed: dict[str, Any], coming: dict[str, Any]
) -> None:
    decision = world.ask(world.worker(), world.state(**agreed, **coming), Category.PLAN)
    assert (decision.permitted, decision.basis) == (True, Basis.AGREEMENT)
    assert decision.until == LAST


def test_an_agreement_holds_until_a_refusal_begins(world: Any, agreed: dict[str, Any]) -> None:
    refusal = world.refusal(span=FROM)
    agreed["agreements"] += (refusal,)
    assert world.ask(world.worker(), world.state(**agreed), Category.PLAN).until == LAST


def test_what_is_taken_back_before_it_begins_changes_nothing(
    world: Any, agreed: dict[str, Any]
) -> None:
    agreed["agreements"] += (
        world.refusal(span=FROM, withdrawn=datetime(2026, 11, 25, tzinfo=UTC)),
    )
    decision = world.ask(world.worker(), world.state(**agreed), Category.PLAN)
    assert decision.until == date(2027, 5, 3)


def test_an_own_record_yields_to_no_refusal_and_to_a_protection(world: Any) -> None:
    worker = world.worker()
    facts = {"relationships": (world.tie(Tie.TEAM),)}
    refused = world.state(**facts, agreements=(world.refusal(span=FROM, level=None),))
    assert world.ask(worker, refused, author_agency=world.health).until is None
    sealed = Restriction(RestrictionKind.PROTECTION, EVERYTHING, EVERYTHING, FROM)
    protected = world.state(**facts, restrictions=(sealed,))
    assert world.ask(worker, protected, author_agency=world.health).until == LAST


def test_a_courts_word_yields_to_another_courts_only(world: Any) -> None:
    worker = world.worker()
    order = CourtOrder(permits=True, categories=EVERYTHING, to=frozenset({worker.id}))
    sealed = Restriction(RestrictionKind.PROTECTION, EVERYTHING, EVERYTHING, FROM)
    assert world.ask(worker, world.state(orders=(order,), restrictions=(sealed,))).until is None
    forbids = CourtOrder(permits=False, categories=EVERYTHING, to=EVERYTHING, span=FROM)
    assert world.ask(worker, world.state(orders=(order, forbids))).until == LAST


def test_what_comes_for_others_changes_nothing(world: Any, agreed: dict[str, Any]) -> None:
    others = Restriction(RestrictionKind.CHOICE, EVERYTHING, frozenset({world.school}), FROM)
    health = Restriction(RestrictionKind.CHOICE, frozenset({Category.HEALTH}), EVERYTHING, FROM)
    state = world.state(**agreed, restrictions=(others, health))
    assert world.ask(world.worker(), state, Category.PLAN).until == date(2027, 5, 3)
