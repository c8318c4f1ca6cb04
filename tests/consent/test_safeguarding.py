"""An override opens for its time and says so; an enquiry opens to those who make it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from consent import (
    Basis,
    Category,
    Enquiry,
    Obligation,
    Override,
    Purpose,
    Role,
    Span,
    Tie,
    Viewer,
    ViewerKind,
    may_reach,
)

ANNA = UUID(int=11)
HEALTH_TRUST = UUID(int=21)
SCHOOL = UUID(int=23)


def override(**facts: Any) -> Any:
    chosen: dict[str, Any] = {
        "to": ANNA,
        "categories": frozenset(),
        "start": datetime(2026, 11, 20, 9, 0, tzinfo=UTC),
        "end": datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
        "reason_words": "a bruise that nobody could explain",
    }
    return Override(**(chosen | facts))


def test_an_override_opens_in_spite_of_a_refusal(world: Any) -> None:
    state = world.state(
        relationships=(world.tie(Tie.TEAM),),
        agreements=(world.refusal(level=None),),
        overrides=(override(),),
    )
    decision = world.ask(world.worker(), state)
    assert decision.basis is Basis.SAFEGUARDING
    assert decision.obligations == {Obligation.NOTIFY, Obligation.READ_ONLY}
    assert decision.until == date(2026, 11, 23)
    assert decision.reasons == (
        (
            "A safeguarding override opens this until 23 November 2026: "
            "a bruise that nobody could explain."
        ),
    )


@pytest.mark.parametrize(
    ("facts", "permitted"),
    [
        ({}, True),
        ({"start": datetime(2026, 11, 20, 9, 30, tzinfo=UTC)}, True),
        ({"start": datetime(2026, 11, 20, 9, 31, tzinfo=UTC)}, False),
        ({"end": datetime(2026, 11, 20, 9, 30, tzinfo=UTC)}, False),
        ({"categories": frozenset({Category.HEALTH})}, True),
        ({"categories": frozenset({Category.FINANCE})}, False),
        ({"to": SCHOOL}, False),
        ({"to": HEALTH_TRUST}, False),
    ],
)
def test_an_override_is_for_one_for_a_while(world: Any, facts: Any, permitted: Any) -> None:
    state = world.state(overrides=(override(**facts),))
    assert world.ask(world.worker(), state).permitted is permitted
    assert may_reach(world.worker(), state, world.now) >= permitted


def test_an_override_of_an_agency_is_for_its_workers_who_are_tied(world: Any) -> None:
    state = world.state(
        relationships=(world.tie(Tie.TEAM, span=Span(end=date(2026, 11, 21))),),
        overrides=(override(to=world.health),),
    )
    assert world.ask(world.worker(), state).until == date(2026, 11, 21)


@pytest.mark.parametrize("kind", [ViewerKind.FAMILY, ViewerKind.CLIENT, ViewerKind.GUEST])
def test_an_override_is_for_workers_and_agencies(world: Any, kind: ViewerKind) -> None:
    viewer = Viewer(ANNA, kind, world.health, "health")
    assert not world.ask(viewer, world.state(overrides=(override(),))).permitted


@pytest.mark.parametrize(
    ("tie", "role", "purpose", "permitted"),
    [
        (Tie.TEAM, Role.PRACTITIONER, Purpose.SUPPORT, True),
        (Tie.MANAGER, Role.MANAGER, Purpose.SUPPORT, True),
        (Tie.SAFEGUARDING, Role.SAFEGUARDING_LEAD, Purpose.SAFEGUARDING, True),
        (Tie.AGENDA, Role.PANEL_MEMBER, Purpose.PANEL, False),
        (Tie.PANEL, Role.CHAIR, Purpose.PANEL, False),
    ],
)
def test_an_enquiry_opens_to_those_who_make_it(
    world: Any, tie: Tie, role: Role, purpose: Purpose, permitted: Any
) -> None:
    state = world.state(
        relationships=(world.tie(tie),),
        agreements=(world.refusal(level=None),),
        enquiries=(Enquiry(frozenset({world.health}), Span(end=date(2026, 12, 4))),),
    )
    decision = world.ask(world.worker(role), state, Category.SAFEGUARDING, purpose)
    assert decision.permitted is permitted
    if permitted:
        assert decision.basis is Basis.SAFEGUARDING
        assert decision.until == date(2026, 12, 4)
        assert decision.obligations == frozenset()


@pytest.mark.parametrize(
    "enquiry",
    [
        Enquiry(frozenset({SCHOOL})),
        Enquiry(frozenset({HEALTH_TRUST}), Span(end=date(2026, 11, 19))),
    ],
)
def test_anothers_or_a_past_enquiry_opens_nothing(world: Any, enquiry: Any) -> None:
    state = world.state(relationships=(world.tie(Tie.TEAM),), enquiries=(enquiry,))
    assert not world.ask(world.worker(), state).permitted


def test_an_enquiry_alone_is_no_tie(world: Any) -> None:
    state = world.state(enquiries=(Enquiry(frozenset({world.health})),))
    assert world.ask(world.worker(), state).basis is Basis.NO_TIE
