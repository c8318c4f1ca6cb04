"""An agreement opens what it covers, to whom it names, for its purposes, while it lasts."""

from __future__ import annotations

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
    Level,
    Objection,
    Obligation,
    Purpose,
    Role,
    Span,
    Tie,
    Viewer,
    ViewerKind,
)


def team(world: Any, *agreements: Any, **facts: Any) -> Any:
    return world.state(relationships=(world.tie(Tie.TEAM),), agreements=agreements, **facts)


@pytest.mark.parametrize(
    ("level", "named", "covers"),
    [
        (Level.BASIC, frozenset(), BASIC),
        (Level.BASIC, frozenset({Category.HEALTH}), BASIC | {Category.HEALTH}),
        (Level.ADDITIONAL, frozenset(), BASIC | ADDITIONAL),
        (Level.ADDITIONAL, ALWAYS_NAMED, frozenset(Category)),
        (None, frozenset({Category.FINANCE}), frozenset({Category.FINANCE})),
        (None, frozenset(), frozenset()),
    ],
)
@pytest.mark.parametrize("category", Category)
def test_it_covers_its_level_and_what_it_names(
    world: Any, level: Any, named: Any, covers: Any, category: Category
) -> None:
    state = world.state(
        relationships=(world.tie(Tie.PANEL),),
        agreements=(
            world.agreement(agencies=frozenset({world.council}), level=level, named=named),
        ),
    )
    decision = world.ask(world.coordinator(), state, category, Purpose.PANEL)
    assert decision.permitted is (category in covers)
    assert decision.basis is (Basis.AGREEMENT if category in covers else Basis.NOTHING)


def test_it_says_who_agreed_with_whom_until_when(world: Any) -> None:
    state = team(world, world.agreement(span=Span(end=date(2027, 5, 3))))
    decision = world.ask(world.worker(), state, Category.PLAN)
    assert decision.reasons == (
        "Her mother agreed to share this with your agency until 3 May 2027.",
        "You are in this child's team.",
    )
    assert decision.until == date(2027, 5, 3)
    assert decision.obligations == frozenset()


def test_a_new_agency_needs_a_new_agreement(world: Any) -> None:
    state = team(world, world.agreement(agencies=frozenset({world.council, world.school})))
    decision = world.ask(world.worker(), state, Category.PLAN)
    assert decision.basis is Basis.NOTHING
    assert decision.reasons == ("Nobody who may agree has agreed to share it with your agency.",)


@pytest.mark.parametrize("purpose", [Purpose.SUPPORT, Purpose.REVIEW])
def test_it_serves_its_purposes_only(world: Any, purpose: Purpose) -> None:
    state = team(world, world.agreement(purposes=frozenset({Purpose.REVIEW})))
    decision = world.ask(world.worker(), state, Category.PLAN, purpose)
    assert decision.permitted is (purpose is Purpose.REVIEW)


def test_an_agreement_without_purposes_permits_nothing(world: Any) -> None:
    state = team(world, world.agreement(purposes=frozenset()))
    assert not world.ask(world.worker(), state, Category.PLAN).permitted


@pytest.mark.parametrize(
    ("span", "permitted"),
    [
        (Span(date(2026, 11, 20), date(2026, 11, 20)), True),
        (Span(end=date(2026, 11, 19)), False),
        (Span(start=date(2026, 11, 21)), False),
    ],
)
def test_it_lasts_for_its_span(world: Any, span: Span, permitted: Any) -> None:
    decision = world.ask(world.worker(), team(world, world.agreement(span=span)), Category.PLAN)
    assert decision.permitted is permitted


def test_withdrawal_works_from_its_moment_on(world: Any) -> None:
    state = team(world, world.agreement(withdrawn=datetime(2026, 11, 20, 9, 30, tzinfo=UTC)))
    before = world.ask(
        world.worker(), state, Category.PLAN, at=world.now.replace(hour=9, minute=29)
    )
    assert before.permitted
    assert before.until == date(2026, 11, 20)
    after = world.ask(world.worker(), state, Category.PLAN)
    assert not after.permitted
    assert after.basis is Basis.NOTHING
    assert after.reasons == ("Her mother withdrew the agreement on 20 November 2026.",)
    assert after.since == date(2026, 11, 20)


def test_a_withdrawal_at_midnight_ends_the_day_before(world: Any) -> None:
    # 23:00 UTC on 29 June is midnight in London.
    state = team(world, world.agreement(withdrawn=datetime(2027, 6, 29, 23, 0, tzinfo=UTC)))
    assert world.ask(world.worker(), state, Category.PLAN).until == date(2027, 6, 29)


def test_an_agreement_that_ended_is_named(world: Any) -> None:
    state = team(
        world,
        world.agreement(span=Span(end=date(2026, 1, 5))),
        world.agreement(by_words="her father", span=Span(end=date(2026, 10, 5))),
    )
    decision = world.ask(world.worker(), state, Category.PLAN)
    assert decision.reasons == ("The agreement of her father ended on 5 October 2026.",)


def test_until_is_the_earlier_of_tie_and_agreement(world: Any) -> None:
    state = world.state(
        relationships=(world.tie(Tie.TEAM, span=Span(end=date(2026, 12, 24))),),
        agreements=(world.agreement(span=Span(end=date(2027, 5, 3))),),
    )
    assert world.ask(world.worker(), state, Category.PLAN).until == date(2026, 12, 24)


def test_until_is_the_latest_of_agreements_that_each_suffice(world: Any) -> None:
    state = team(
        world,
        world.agreement(span=Span(end=date(2026, 12, 1))),
        world.agreement(span=Span(end=date(2027, 5, 3))),
    )
    assert world.ask(world.worker(), state, Category.PLAN).until == date(2027, 5, 3)


def test_a_pack_and_a_guest_only_read(world: Any) -> None:
    pack_state = world.state(
        relationships=(world.tie(Tie.AGENDA, world.health),), agreements=(world.agreement(),)
    )
    pack = world.ask(world.pack(), pack_state, Category.PLAN, Purpose.PANEL)
    assert pack.obligations == {Obligation.READ_ONLY}
    guest = Viewer(world.anna, ViewerKind.GUEST, world.health, "health")
    guest_state = world.state(
        relationships=(world.tie(Tie.GUEST),), agreements=(world.agreement(),)
    )
    decision = world.ask(guest, guest_state, Category.PLAN, Purpose.PANEL)
    assert decision.obligations == {Obligation.READ_ONLY}


def test_a_coordinator_with_a_pack_may_still_write(world: Any) -> None:
    state = world.state(
        relationships=(
            world.tie(Tie.AGENDA, world.council),
            world.tie(Tie.PANEL, span=Span(end=date(2026, 12, 1))),
        ),
        agreements=(world.agreement(agencies=frozenset({world.council})),),
    )
    decision = world.ask(world.coordinator(), state, Category.PLAN, Purpose.PANEL)
    assert decision.obligations == frozenset()
    assert decision.until == date(2026, 12, 1)


def test_a_system_client_needs_an_agreement_for_exchange(world: Any) -> None:
    client = Viewer(world.anna, ViewerKind.CLIENT, world.health, "health")
    ties = (world.tie(Tie.CLIENT, world.health),)
    usual = world.state(relationships=ties, agreements=(world.agreement(),))
    assert not world.ask(client, usual, Category.PLAN, Purpose.EXCHANGE).permitted
    wide = world.state(
        relationships=ties,
        agreements=(world.agreement(purposes=frozenset({Purpose.EXCHANGE})),),
    )
    assert world.ask(client, wide, Category.PLAN, Purpose.EXCHANGE).permitted


def test_an_allocation_panel_needs_an_agreement_for_allocation(world: Any) -> None:
    member = world.worker(Role.ALLOCATION_MEMBER)
    ties = (world.tie(Tie.REQUEST),)
    agreed = world.agreement(purposes=frozenset({Purpose.ALLOCATION}))
    state = world.state(relationships=ties, agreements=(agreed,))
    assert world.ask(member, state, Category.PLAN, Purpose.ALLOCATION).permitted


RAISED = date(2026, 11, 10)


@pytest.mark.parametrize(
    ("began", "objection", "basis"),
    [
        (date(2026, 11, 9), {}, Basis.AGREEMENT),
        (None, {}, Basis.AGREEMENT),
        (date(2026, 11, 10), {}, Basis.REFUSAL),
        (date(2026, 11, 15), {}, Basis.REFUSAL),
        (date(2026, 11, 15), {"categories": frozenset({Category.HEALTH})}, Basis.AGREEMENT),
        (date(2026, 11, 15), {"agencies": frozenset({UUID(int=23)})}, Basis.AGREEMENT),
        (date(2026, 11, 15), {"decided": date(2026, 11, 17)}, Basis.AGREEMENT),
        (date(2026, 11, 15), {"decided": date(2026, 11, 21)}, Basis.REFUSAL),
        (date(2026, 1, 1), {"decided": date(2026, 11, 17), "upheld": True}, Basis.REFUSAL),
        (date(2026, 1, 1), {"decided": date(2026, 11, 21), "upheld": True}, Basis.AGREEMENT),
        (date(2026, 11, 15), {"raised": date(2026, 11, 21)}, Basis.AGREEMENT),
        (date(2026, 11, 15), {"purposes": frozenset({Purpose.EXCHANGE})}, Basis.AGREEMENT),
        (date(2026, 11, 15), {"purposes": frozenset({Purpose.SUPPORT})}, Basis.REFUSAL),
    ],
)
def test_an_objection_pauses_what_is_new_until_it_is_decided(
    world: Any, began: Any, objection: Any, basis: Any
) -> None:
    facts: dict[str, Any] = {
        "by_words": "her father",
        "agencies": frozenset(),
        "categories": frozenset(),
        "raised": RAISED,
    }
    state = team(
        world,
        world.agreement(span=Span(start=began)),
        objections=(Objection(**(facts | objection)),),
    )
    assert world.ask(world.worker(), state, Category.PLAN).basis is basis


def test_a_paused_agreement_says_who_objected(world: Any) -> None:
    state = team(
        world,
        world.agreement(span=Span(start=date(2026, 11, 15))),
        objections=(Objection("her father", frozenset(), frozenset(), RAISED),),
    )
    decision = world.ask(world.worker(), state, Category.PLAN)
    assert decision.reasons == (
        "Her father objected on 10 November 2026, and this is not decided yet.",
    )
    assert decision.since == RAISED
