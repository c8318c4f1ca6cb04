"""A protection yields to nothing but a court; a court's no beats a court's yes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from consent import (
    ALWAYS_NAMED,
    DEFAULT_DUTIES,
    Basis,
    Category,
    CourtOrder,
    Enquiry,
    Level,
    Obligation,
    Override,
    Purpose,
    Restriction,
    RestrictionKind,
    Role,
    Span,
    Tie,
    may_reach,
)

HEALTH_TRUST = UUID(int=21)
SCHOOL = UUID(int=23)
ANNA = UUID(int=11)
CONTACT = frozenset({Category.CONTACT})


def protection(**facts: Any) -> Any:
    chosen: dict[str, Any] = {
        "kind": RestrictionKind.PROTECTION,
        "categories": CONTACT,
        "against": frozenset(),
    }
    return Restriction(**(chosen | facts))


def order(**facts: Any) -> Any:
    chosen: dict[str, Any] = {"permits": True, "categories": CONTACT, "to": frozenset({ANNA})}
    return CourtOrder(**(chosen | facts))


def open_to_all(world: Any, **facts: Any) -> Any:
    return world.state(
        relationships=(world.tie(Tie.TEAM), world.tie(Tie.PARENT, world.father)),
        agreements=(world.agreement(level=Level.ADDITIONAL, named=ALWAYS_NAMED),),
        overrides=(Override(world.anna, frozenset(), world.now, datetime(2027, 1, 1, tzinfo=UTC)),),
        enquiries=(Enquiry(frozenset({world.health})),),
        duties=DEFAULT_DUTIES,
        **facts,
    )


def test_it_beats_agreement_override_enquiry_duty_and_own_record(world: Any) -> None:
    state = open_to_all(world, restrictions=(protection(span=Span(start=date(2026, 1, 1))),))
    decision = world.ask(world.worker(), state, Category.CONTACT, author_agency=world.health)
    assert not decision.permitted
    assert decision.basis is Basis.PROTECTION
    assert decision.since is None
    assert decision.reasons == ("It is protected, and only a court can open it.",)


def test_it_holds_against_whom_it_names(world: Any) -> None:
    state = open_to_all(world, restrictions=(protection(against=frozenset({world.father})),))
    father = world.ask(world.family(world.father), state, Category.CONTACT)
    assert father.basis is Basis.PROTECTION
    assert world.ask(world.worker(), state, Category.CONTACT).permitted
    assert world.ask(world.family(world.father), state, Category.PLAN).permitted


def test_it_can_be_silent(world: Any) -> None:
    state = open_to_all(world, restrictions=(protection(silent=True),))
    assert world.ask(world.worker(), state, Category.CONTACT).silent


def test_it_ends_with_its_span(world: Any) -> None:
    state = open_to_all(world, restrictions=(protection(span=Span(end=date(2026, 11, 19))),))
    assert world.ask(world.worker(), state, Category.CONTACT).permitted


def test_a_sealed_record_cannot_even_be_reached(world: Any) -> None:
    sealed = protection(categories=frozenset(), against=frozenset({ANNA}))
    state = open_to_all(world, restrictions=(sealed,))
    assert all(not world.ask(world.worker(), state, each).permitted for each in Category)
    assert not may_reach(world.worker(), state, world.now)
    opened = open_to_all(world, restrictions=(sealed,), orders=(order(),))
    assert may_reach(world.worker(), opened, world.now)


@pytest.mark.parametrize(
    ("facts", "permitted"),
    [
        ({}, True),
        ({"categories": frozenset()}, True),
        ({"categories": frozenset({Category.HEALTH})}, False),
        ({"to": frozenset({HEALTH_TRUST})}, True),
        ({"to": frozenset({SCHOOL})}, False),
        ({"to": frozenset()}, False),
        ({"span": Span(end=date(2026, 11, 19))}, False),
    ],
)
def test_a_court_opens_what_is_protected(world: Any, facts: Any, permitted: Any) -> None:
    state = open_to_all(world, restrictions=(protection(),), orders=(order(**facts),))
    decision = world.ask(world.worker(), state, Category.CONTACT)
    assert decision.basis is (Basis.COURT_ORDER if permitted else Basis.PROTECTION)
    assert decision.permitted is permitted


def test_an_order_that_names_somebody_needs_no_tie(world: Any) -> None:
    end = date(2027, 1, 8)
    state = world.state(orders=(order(reference="ZZ26P00001", span=Span(end=end)),))
    decision = world.ask(world.worker(), state, Category.CONTACT)
    assert decision.reasons == (
        "A court ordered that you may see this (ZZ26P00001) until 8 January 2027.",
    )
    assert decision.until == end
    assert decision.obligations == {Obligation.READ_ONLY}
    assert may_reach(world.worker(), state, world.now)


def test_an_order_to_an_agency_reaches_its_pack_and_its_tied_workers_only(world: Any) -> None:
    to_agency = order(to=frozenset({world.health}))
    untied = world.state(orders=(to_agency,))
    assert not world.ask(world.worker(), untied, Category.CONTACT).permitted
    assert not may_reach(world.worker(), untied, world.now)
    assert world.ask(world.pack(), untied, Category.CONTACT, Purpose.PANEL).permitted
    tied = world.state(
        relationships=(world.tie(Tie.TEAM, span=Span(end=date(2026, 12, 1))),),
        orders=(to_agency,),
    )
    decision = world.ask(world.worker(), tied, Category.CONTACT)
    assert decision.until == date(2026, 12, 1)


def test_a_courts_no_beats_its_yes_and_everything_else(world: Any) -> None:
    forbids = order(permits=False, to=frozenset({HEALTH_TRUST}), span=Span(date(2026, 2, 1)))
    state = open_to_all(world, orders=(order(), forbids))
    decision = world.ask(world.worker(), state, Category.CONTACT, author_agency=world.health)
    assert decision.basis is Basis.COURT_ORDER
    assert not decision.permitted
    assert decision.since == date(2026, 2, 1)


@pytest.mark.parametrize(
    ("facts", "withheld"),
    [
        ({"to": frozenset()}, True),
        ({"to": frozenset({SCHOOL})}, False),
        ({"categories": frozenset()}, True),
        ({"categories": frozenset({Category.HEALTH})}, False),
        ({"silent": True}, True),
    ],
)
def test_an_order_that_forbids(world: Any, facts: Any, withheld: Any) -> None:
    state = open_to_all(world, orders=(order(permits=False, **facts),))
    decision = world.ask(world.worker(), state, Category.CONTACT)
    assert decision.permitted is not withheld
    assert decision.silent is facts.get("silent", False)


def test_a_forbidden_record_cannot_be_reached(world: Any) -> None:
    everything = order(permits=False, categories=frozenset(), to=frozenset())
    state = open_to_all(world, orders=(everything, order()))
    assert not may_reach(world.worker(Role.PRACTITIONER), state, world.now)


def test_a_court_opens_for_family_without_third_parties(world: Any) -> None:
    state = open_to_all(
        world, restrictions=(protection(),), orders=(order(to=frozenset({world.father})),)
    )
    decision = world.ask(world.family(world.father), state, Category.CONTACT)
    assert decision.obligations == {Obligation.REDACT_THIRD_PARTIES}
