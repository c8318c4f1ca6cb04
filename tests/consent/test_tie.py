"""Nobody sees anything without a tie to the child that carries the purpose and fits their role."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from consent import (
    BASIC,
    Basis,
    Category,
    CourtOrder,
    Level,
    Override,
    Purpose,
    Relationship,
    Role,
    Span,
    Tie,
    Viewer,
    ViewerKind,
    may_reach,
    ties,
)

CARRIED = {
    Tie.TEAM: (Role.PRACTITIONER, {Purpose.SUPPORT, Purpose.REVIEW}),
    Tie.LEAD: (Role.PRACTITIONER, {Purpose.SUPPORT, Purpose.REVIEW}),
    Tie.MANAGER: (Role.MANAGER, {Purpose.SUPPORT}),
    Tie.PANEL: (Role.COORDINATOR, {Purpose.PANEL, Purpose.REVIEW}),
    Tie.AGENDA: (Role.PANEL_MEMBER, {Purpose.PANEL}),
    Tie.REQUEST: (Role.ALLOCATION_MEMBER, {Purpose.ALLOCATION}),
    Tie.SAFEGUARDING: (Role.CALDICOTT_GUARDIAN, {Purpose.SAFEGUARDING, Purpose.GOVERNANCE}),
    Tie.GOVERNANCE: (Role.GOVERNANCE_LEAD, {Purpose.GOVERNANCE, Purpose.SUBJECT_ACCESS}),
    Tie.PARENT: (None, {Purpose.SUPPORT, Purpose.SUBJECT_ACCESS}),
    Tie.SELF: (None, {Purpose.SUPPORT, Purpose.SUBJECT_ACCESS}),
    Tie.RELATIVE: (None, {Purpose.SUPPORT, Purpose.SUBJECT_ACCESS}),
    Tie.GUEST: (None, {Purpose.PANEL}),
    Tie.CLIENT: (None, {Purpose.EXCHANGE}),
}
KINDS = {
    Tie.PARENT: ViewerKind.FAMILY,
    Tie.SELF: ViewerKind.FAMILY,
    Tie.RELATIVE: ViewerKind.FAMILY,
    Tie.GUEST: ViewerKind.GUEST,
    Tie.CLIENT: ViewerKind.CLIENT,
}
WORKER_TIES = [tie for tie in Tie if tie not in KINDS]


def everything_agreed(world: Any) -> Any:
    return world.agreement(
        agencies=frozenset({world.health}),
        level=Level.ADDITIONAL,
        named=frozenset({Category.FINANCE, Category.SAFEGUARDING}),
        purposes=frozenset(Purpose),
    )


def viewer_for(world: Any, tie: Tie) -> Any:
    role, _ = CARRIED[tie]
    kind = KINDS.get(tie, ViewerKind.WORKER)
    return Viewer(world.anna, kind, world.health, "health", frozenset({role} if role else ()))


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("tie", Tie)
def test_each_tie_carries_its_own_purposes(world: Any, tie: Tie, purpose: Purpose) -> None:
    state = world.state(relationships=(world.tie(tie),), agreements=(everything_agreed(world),))
    decision = world.ask(viewer_for(world, tie), state, Category.PLAN, purpose)
    assert decision.permitted is (purpose in CARRIED[tie][1])
    if not decision.permitted:
        assert decision.basis is Basis.NO_TIE


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("tie", WORKER_TIES)
def test_the_role_must_fit_the_tie(world: Any, tie: Tie, role: Role) -> None:
    fitting = {
        Tie.TEAM: {Role.PRACTITIONER, Role.MANAGER},
        Tie.LEAD: {Role.PRACTITIONER, Role.MANAGER},
        Tie.MANAGER: {Role.MANAGER},
        Tie.PANEL: {Role.COORDINATOR, Role.CHAIR},
        Tie.AGENDA: {Role.PANEL_MEMBER, Role.COORDINATOR, Role.CHAIR},
        Tie.REQUEST: {Role.BUDGET_HOLDER, Role.ALLOCATION_MEMBER},
        Tie.SAFEGUARDING: {Role.CALDICOTT_GUARDIAN, Role.SAFEGUARDING_LEAD},
        Tie.GOVERNANCE: {Role.GOVERNANCE_LEAD},
    }
    state = world.state(relationships=(world.tie(tie),), agreements=(everything_agreed(world),))
    purpose = min(CARRIED[tie][1])
    assert world.ask(world.worker(role), state, purpose=purpose).permitted is (role in fitting[tie])


@pytest.mark.parametrize("tie", Tie)
@pytest.mark.parametrize("kind", ViewerKind)
def test_the_kind_of_viewer_must_fit_the_tie(world: Any, tie: Tie, kind: ViewerKind) -> None:
    state = world.state(relationships=(world.tie(tie),), agreements=(everything_agreed(world),))
    viewer = replace(viewer_for(world, tie), kind=kind)
    kinds = {KINDS.get(tie, ViewerKind.WORKER)}
    if tie is Tie.AGENDA:
        kinds.add(ViewerKind.AGENCY)
    purpose = min(CARRIED[tie][1])
    assert world.ask(viewer, state, purpose=purpose).permitted is (kind in kinds)


@pytest.mark.parametrize("tie", WORKER_TIES)
def test_only_some_ties_may_be_an_agencys(world: Any, tie: Tie) -> None:
    by_agency = {Tie.AGENDA, Tie.REQUEST}
    state = world.state(
        relationships=(world.tie(tie, world.health),), agreements=(everything_agreed(world),)
    )
    purpose = min(CARRIED[tie][1])
    decision = world.ask(viewer_for(world, tie), state, purpose=purpose)
    assert decision.permitted is (tie in by_agency)


@pytest.mark.parametrize(
    ("span", "holds"),
    [
        (Span(), True),
        (Span(date(2026, 11, 20), date(2026, 11, 20)), True),
        (Span(end=date(2026, 11, 19)), False),
        (Span(start=date(2026, 11, 21)), False),
    ],
)
def test_a_tie_holds_on_the_days_of_its_span_both_included(
    world: Any, span: Span, holds: Any
) -> None:
    state = world.state(
        relationships=(world.tie(Tie.TEAM, span=span),), agreements=(everything_agreed(world),)
    )
    assert world.ask(world.worker(), state).permitted is holds
    assert may_reach(world.worker(), state, world.now) is holds


def test_a_tie_carries_no_more_than_its_categories(world: Any) -> None:
    guest = Viewer(world.anna, ViewerKind.GUEST, world.health, "health")
    state = world.state(
        relationships=(world.tie(Tie.GUEST, categories=BASIC),),
        agreements=(everything_agreed(world),),
    )
    assert world.ask(guest, state, Category.PLAN, Purpose.PANEL).permitted
    withheld = world.ask(guest, state, Category.HEALTH, Purpose.PANEL)
    assert withheld.basis is Basis.NOTHING
    assert withheld.reasons == ("It is not part of what was opened to you.",)


@pytest.mark.parametrize(
    "role", [Role.COMMISSIONER, Role.ADMINISTRATOR, Role.PARENTS_REPRESENTATIVE]
)
def test_some_roles_open_no_record_at_all(world: Any, role: Role) -> None:
    viewer = world.worker(role)
    state = world.state(
        relationships=tuple(world.tie(tie) for tie in Tie),
        agreements=(everything_agreed(world),),
        orders=(
            CourtOrder(
                permits=True, categories=frozenset(), to=frozenset({viewer.id, world.health})
            ),
        ),
        overrides=(
            Override(viewer.id, frozenset(), world.now, world.now.replace(year=2027), "worry"),
        ),
    )
    for purpose in Purpose:
        assert not world.ask(viewer, state, purpose=purpose).permitted
    assert not may_reach(viewer, state, world.now)
    assert ties(viewer, state) == frozenset()


def test_such_a_role_beside_another_takes_nothing_away(world: Any) -> None:
    state = world.state(
        relationships=(world.tie(Tie.TEAM),), agreements=(everything_agreed(world),)
    )
    assert world.ask(world.worker(Role.ADMINISTRATOR, Role.PRACTITIONER), state).permitted


@pytest.mark.parametrize("purpose", Purpose)
def test_a_job_sees_no_content(world: Any, purpose: Purpose) -> None:
    job = Viewer(world.anna, ViewerKind.JOB, world.health, "health", frozenset(Role))
    state = world.state(
        relationships=tuple(world.tie(tie) for tie in Tie),
        agreements=(everything_agreed(world),),
        orders=(CourtOrder(permits=True, categories=frozenset(), to=frozenset({job.id})),),
    )
    decision = world.ask(job, state, purpose=purpose)
    assert not decision.permitted
    assert decision.basis is Basis.NOTHING


def test_ties_lists_the_viewers_own_of_any_day(world: Any) -> None:
    mine = Relationship(Tie.TEAM, world.anna, Span(end=date(2020, 1, 1)))
    others = Relationship(Tie.TEAM, UUID(int=99))
    state = world.state(relationships=(mine, others))
    assert ties(world.worker(), state) == {mine}
    assert not may_reach(world.worker(), state, world.now)


def test_the_moment_needs_a_time_zone(world: Any) -> None:
    with pytest.raises(ValueError, match="time zone"):
        world.ask(world.worker(), world.state(), at=world.now.replace(tzinfo=None))


def test_the_day_is_the_london_day(world: Any) -> None:
    late = world.now.replace(month=6, day=30, hour=23, minute=30)
    state = world.state(
        relationships=(world.tie(Tie.TEAM, span=Span(start=date(2026, 7, 1))),),
        agreements=(everything_agreed(world),),
    )
    assert world.ask(world.worker(), state, at=late).permitted


def test_a_narrow_tie_does_not_lengthen_a_wide_one(world: Any) -> None:
    state = world.state(
        relationships=(
            world.tie(Tie.TEAM, span=Span(end=date(2026, 12, 1))),
            world.tie(Tie.LEAD, categories=BASIC),
        ),
        agreements=(everything_agreed(world),),
    )
    assert world.ask(world.worker(), state, Category.HEALTH).until == date(2026, 12, 1)
    assert world.ask(world.worker(), state, Category.PLAN).until is None
