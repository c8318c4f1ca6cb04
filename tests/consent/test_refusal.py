"""A refusal, a restriction by choice and an upheld objection close what an agreement opens."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from consent import (
    ADDITIONAL,
    ALWAYS_NAMED,
    BASIC,
    Basis,
    Category,
    Enquiry,
    Level,
    Objection,
    Purpose,
    Restriction,
    RestrictionKind,
    Span,
    Tie,
)

HEALTH_TRUST = UUID(int=21)
SCHOOL = UUID(int=23)
ANNA = UUID(int=11)


def team(world: Any, *agreements: Any, **facts: Any) -> Any:
    everything = world.agreement(level=Level.ADDITIONAL, named=ALWAYS_NAMED)
    return world.state(
        relationships=(world.tie(Tie.MANAGER), world.tie(Tie.TEAM)),
        agreements=(everything, *agreements),
        **facts,
    )


@pytest.mark.parametrize("category", [each for each in Category if each is not Category.IDENTITY])
@pytest.mark.parametrize(
    ("facts", "covers"),
    [
        ({"level": None}, frozenset(Category)),
        ({"level": Level.BASIC}, BASIC),
        ({"level": Level.ADDITIONAL}, BASIC | ADDITIONAL),
        ({"level": None, "named": frozenset({Category.HEALTH})}, {Category.HEALTH}),
        ({"level": None, "agencies": frozenset()}, frozenset(Category)),
        ({"level": None, "agencies": frozenset({SCHOOL})}, frozenset()),
        ({"level": None, "purposes": frozenset()}, frozenset(Category)),
        ({"level": None, "purposes": frozenset({Purpose.PANEL})}, frozenset()),
        ({"level": None, "span": Span(end=date(2026, 11, 19))}, frozenset()),
        ({"level": None, "withdrawn": datetime(2026, 11, 20, tzinfo=UTC)}, frozenset()),
    ],
)
def test_a_refusal_closes_what_it_covers(
    world: Any, facts: Any, covers: Any, category: Category
) -> None:
    decision = world.ask(world.worker(), team(world, world.refusal(**facts)), category)
    assert decision.permitted is (category not in covers)
    assert decision.basis is (Basis.REFUSAL if category in covers else Basis.AGREEMENT)


def test_it_says_who_did_not_agree_and_since_when(world: Any) -> None:
    state = team(world, world.refusal(level=None, span=Span(start=date(2026, 5, 3))))
    decision = world.ask(world.worker(), state)
    assert decision.reasons == (
        "Her mother has not agreed to share it with your agency (since 3 May 2026).",
    )
    assert decision.since == date(2026, 5, 3)
    assert not decision.silent


def test_naming_an_agency_as_not_to_share_with_refuses_it(world: Any) -> None:
    state = team(
        world,
        world.agreement(agencies=frozenset({world.school}), not_agencies=frozenset({world.health})),
    )
    assert world.ask(world.worker(), state, Category.PLAN).basis is Basis.REFUSAL
    # Beyond what that agreement covers nothing is said, so the other agreement stands.
    assert world.ask(world.worker(), state, Category.HEALTH).basis is Basis.AGREEMENT


def choice(**facts: Any) -> Any:
    chosen: dict[str, Any] = {
        "kind": RestrictionKind.CHOICE,
        "categories": frozenset({Category.HEALTH}),
        "against": frozenset({HEALTH_TRUST}),
        "by_words": "her mother",
    }
    return Restriction(**(chosen | facts))


@pytest.mark.parametrize(
    ("facts", "withheld"),
    [
        ({}, True),
        ({"against": frozenset()}, True),
        ({"against": frozenset({ANNA})}, True),
        ({"against": frozenset({SCHOOL})}, False),
        ({"categories": frozenset()}, True),
        ({"categories": frozenset({Category.FINANCE})}, False),
        ({"span": Span(end=date(2026, 11, 19))}, False),
    ],
)
def test_a_choice_withholds_a_category_from_an_agency(
    world: Any, facts: Any, withheld: Any
) -> None:
    decision = world.ask(world.worker(), team(world, restrictions=(choice(**facts),)))
    assert decision.basis is (Basis.REFUSAL if withheld else Basis.AGREEMENT)


def test_a_silent_choice_is_silent_whatever_else_was_refused(world: Any) -> None:
    state = team(world, world.refusal(level=None), restrictions=(choice(silent=True),))
    assert world.ask(world.worker(), state).silent
    assert not world.ask(world.worker(), state, Category.PLAN).silent


def test_reasons_stand_oldest_first(world: Any) -> None:
    state = team(
        world,
        world.refusal(level=None, span=Span(start=date(2026, 5, 3))),
        restrictions=(choice(span=Span(start=date(2026, 4, 1))),),
    )
    assert world.ask(world.worker(), state).reasons == (
        "Her mother chose not to share it with your agency (since 1 April 2026).",
        "Her mother has not agreed to share it with your agency (since 3 May 2026).",
    )


def test_a_choice_yields_to_a_safeguarding_enquiry(world: Any) -> None:
    state = team(
        world,
        restrictions=(choice(),),
        enquiries=(Enquiry(frozenset({world.health})),),
    )
    assert world.ask(world.worker(), state).basis is Basis.SAFEGUARDING


def test_a_choice_does_not_close_an_agencys_own_record(world: Any) -> None:
    state = team(world, restrictions=(choice(),))
    decision = world.ask(world.worker(), state, author_agency=world.health)
    assert decision.basis is Basis.OWN_RECORD


def test_an_upheld_objection_is_a_refusal(world: Any) -> None:
    objection = Objection(
        "her father",
        frozenset(),
        frozenset({Category.HEALTH}),
        raised=date(2026, 5, 1),
        decided=date(2026, 5, 6),
        upheld=True,
    )
    state = team(world, objections=(objection,))
    decision = world.ask(world.worker(), state)
    assert decision.basis is Basis.REFUSAL
    assert decision.reasons == (
        (
            "Her father objected, and it was decided not to share it with your agency "
            "(since 6 May 2026)."
        ),
    )
    assert world.ask(world.worker(), state, Category.PLAN).permitted
    for_this = team(world, objections=(replace(objection, purposes=frozenset({Purpose.SUPPORT})),))
    assert world.ask(world.worker(), for_this).reasons == (
        (
            "Her father objected, and it was decided not to share it with your agency "
            "for this purpose (since 6 May 2026)."
        ),
    )
    to_system = team(
        world, objections=(replace(objection, purposes=frozenset({Purpose.EXCHANGE})),)
    )
    assert world.ask(world.worker(), to_system).permitted
