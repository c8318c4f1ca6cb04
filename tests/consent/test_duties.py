"""A commenced duty opens what it covers to whom it is laid on; one that is not opens nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from consent import (
    DEFAULT_DUTIES,
    Basis,
    Category,
    Duty,
    Purpose,
    Role,
    Span,
    Tie,
    Viewer,
    ViewerKind,
)

DUTY = Duty(
    code="invented",
    words="an invented duty",
    source="A test.",
    categories=frozenset({Category.HEALTH}),
    purposes=frozenset({Purpose.SUPPORT}),
    agency_kinds=frozenset({"health"}),
    roles=frozenset({Role.PRACTITIONER}),
    ties=frozenset({Tie.TEAM}),
    commenced=date(2026, 1, 1),
)


@pytest.mark.parametrize(
    ("facts", "permitted"),
    [
        ({}, True),
        ({"agency_kinds": frozenset(), "roles": frozenset(), "ties": frozenset()}, True),
        ({"commenced": None}, False),
        ({"commenced": date(2026, 11, 21)}, False),
        ({"commenced": date(2026, 11, 20)}, True),
        ({"ended": date(2026, 11, 19)}, False),
        ({"ended": date(2026, 11, 20)}, True),
        ({"categories": frozenset({Category.FINANCE})}, False),
        ({"purposes": frozenset({Purpose.PANEL})}, False),
        ({"agency_kinds": frozenset({"education"})}, False),
        ({"roles": frozenset({Role.CHAIR})}, False),
        ({"ties": frozenset({Tie.LEAD})}, False),
    ],
)
def test_a_duty_opens_what_it_covers(world: Any, facts: Any, permitted: Any) -> None:
    state = world.state(
        relationships=(world.tie(Tie.TEAM),),
        agreements=(world.refusal(level=None),),
        duties=(replace(DUTY, **facts),),
    )
    decision = world.ask(world.worker(), state)
    assert decision.basis is (Basis.DUTY if permitted else Basis.REFUSAL)
    assert decision.permitted is permitted


def test_it_says_under_what_and_until_when(world: Any) -> None:
    state = world.state(
        relationships=(world.tie(Tie.TEAM, span=Span(end=date(2027, 1, 1))),),
        duties=(replace(DUTY, ended=date(2026, 12, 31)),),
    )
    decision = world.ask(world.worker(), state)
    assert decision.reasons[0] == "Your agency may see this under an invented duty."
    assert decision.until == date(2026, 12, 31)


def test_a_duty_needs_a_tie(world: Any) -> None:
    assert world.ask(world.worker(), world.state(duties=(DUTY,))).basis is Basis.NO_TIE


def test_a_duty_is_not_laid_on_families(world: Any) -> None:
    wide = replace(
        DUTY,
        agency_kinds=frozenset(),
        roles=frozenset(),
        ties=frozenset(),
        categories=frozenset(Category),
    )
    state = world.state(relationships=(world.tie(Tie.PARENT, world.mother),), duties=(wide,))
    mother = world.family(world.mother)
    assert not world.ask(mother, state, Category.SAFEGUARDING).permitted


@pytest.mark.parametrize("category", Category)
@pytest.mark.parametrize("purpose", [Purpose.PANEL, Purpose.REVIEW])
def test_who_runs_a_panel_knows_whom_it_waits_for(
    world: Any, category: Category, purpose: Purpose
) -> None:
    state = world.state(
        relationships=(world.tie(Tie.PANEL),),
        agreements=(world.refusal(level=None, agencies=frozenset()),),
        duties=DEFAULT_DUTIES,
    )
    decision = world.ask(world.coordinator(), state, category, purpose)
    assert decision.permitted is (category in {Category.IDENTITY, Category.NETWORK})


@pytest.mark.parametrize("category", Category)
def test_a_pack_is_opened_by_no_default_duty(world: Any, category: Category) -> None:
    state = world.state(relationships=(world.tie(Tie.AGENDA, world.health),), duties=DEFAULT_DUTIES)
    member = world.worker(Role.PANEL_MEMBER)
    assert not world.ask(world.pack(), state, category, Purpose.PANEL).permitted
    assert not world.ask(member, state, category, Purpose.PANEL).permitted


@pytest.mark.parametrize("category", Category)
def test_refusals_do_not_filter_subject_access(world: Any, category: Category) -> None:
    state = world.state(
        relationships=(world.tie(Tie.GOVERNANCE),),
        agreements=(world.refusal(level=None, agencies=frozenset()),),
        duties=DEFAULT_DUTIES,
    )
    lead = world.worker(Role.GOVERNANCE_LEAD)
    assert world.ask(lead, state, category, Purpose.SUBJECT_ACCESS).basis is Basis.DUTY
    assert not world.ask(lead, state, category, Purpose.GOVERNANCE).permitted


def test_the_act_of_2026_is_present_and_off(world: Any) -> None:
    (welfare,) = [duty for duty in DEFAULT_DUTIES if duty.code == "children-act-2004-s16la"]
    assert welfare.commenced is None
    assert welfare.categories == frozenset(Category)
    state = world.state(relationships=(world.tie(Tie.TEAM),), duties=(welfare,))
    assert not world.ask(world.worker(), state).permitted
    switched_on = replace(state, duties=(replace(welfare, commenced=date(2026, 11, 1)),))
    assert world.ask(world.worker(), switched_on).basis is Basis.DUTY


def test_every_default_has_a_source_and_is_a_setting() -> None:
    assert len({duty.code for duty in DEFAULT_DUTIES}) == len(DEFAULT_DUTIES)
    for duty in DEFAULT_DUTIES:
        assert "Act" in duty.source
        assert "A setting for the authority's lawyers" in duty.source
        assert duty.categories
        assert duty.purposes


def test_a_voluntary_coordinator_is_under_no_duty(world: Any) -> None:
    state = world.state(relationships=(world.tie(Tie.PANEL),), duties=DEFAULT_DUTIES)
    viewer = world.coordinator(agency_kind="voluntary")
    assert not world.ask(viewer, state, Category.IDENTITY, Purpose.PANEL).permitted


def test_a_guest_is_under_no_default_duty(world: Any) -> None:
    guest = Viewer(world.anna, ViewerKind.GUEST, world.health, "health")
    state = world.state(relationships=(world.tie(Tie.GUEST),), duties=DEFAULT_DUTIES)
    assert not world.ask(guest, state, Category.IDENTITY, Purpose.PANEL).permitted
