"""What an agency's workers wrote is for those involved; what a person said is that person's."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from consent import Basis, Category, Obligation, Purpose, Role, Span, Tie, Viewer, ViewerKind


@pytest.mark.parametrize(
    ("tie", "role", "purpose", "own"),
    [
        (Tie.TEAM, Role.PRACTITIONER, Purpose.SUPPORT, True),
        (Tie.LEAD, Role.PRACTITIONER, Purpose.REVIEW, True),
        (Tie.MANAGER, Role.MANAGER, Purpose.SUPPORT, True),
        (Tie.AGENDA, Role.PANEL_MEMBER, Purpose.PANEL, True),
        (Tie.SAFEGUARDING, Role.CALDICOTT_GUARDIAN, Purpose.SAFEGUARDING, True),
        (Tie.PANEL, Role.COORDINATOR, Purpose.PANEL, False),
        (Tie.REQUEST, Role.BUDGET_HOLDER, Purpose.ALLOCATION, False),
        (Tie.GOVERNANCE, Role.GOVERNANCE_LEAD, Purpose.GOVERNANCE, False),
    ],
)
def test_an_agencys_own_record_is_for_its_people_who_are_involved(
    world: Any, tie: Tie, role: Role, purpose: Purpose, own: Any
) -> None:
    state = world.state(relationships=(world.tie(tie, span=Span(end=date(2027, 1, 1))),))
    viewer = world.worker(role)
    mine = world.ask(viewer, state, purpose=purpose, author_agency=world.health)
    assert mine.permitted is own
    if own:
        assert mine.basis is Basis.OWN_RECORD
        assert mine.reasons[0] == "Your agency wrote this."
        assert mine.until == date(2027, 1, 1)
    assert not world.ask(viewer, state, purpose=purpose, author_agency=world.school).permitted
    assert not world.ask(viewer, state, purpose=purpose).permitted


def test_an_agencys_pack_holds_what_the_agency_wrote(world: Any) -> None:
    state = world.state(relationships=(world.tie(Tie.AGENDA, world.health),))
    decision = world.ask(world.pack(), state, purpose=Purpose.PANEL, author_agency=world.health)
    assert decision.basis is Basis.OWN_RECORD
    assert decision.obligations == {Obligation.READ_ONLY}
    assert not world.ask(
        world.pack(), state, purpose=Purpose.PANEL, author_agency=world.council
    ).permitted


def test_an_agencys_system_reads_what_the_agency_wrote_and_not_who_the_child_is(world: Any) -> None:
    state = world.state(relationships=(world.tie(Tie.CLIENT, world.health),))
    system = Viewer(world.anna, ViewerKind.CLIENT, world.health, "health")

    def asked(author: Any, category: Category = Category.HEALTH) -> Any:
        return world.ask(system, state, category, Purpose.EXCHANGE, author_agency=author)

    assert asked(world.health).basis is Basis.OWN_RECORD
    for author, category in (
        (world.school, Category.HEALTH), (None, Category.HEALTH), (None, Category.IDENTITY),
    ):  # fmt: skip
        assert not asked(author, category).permitted
    unknown = world.state(relationships=())
    assert not world.ask(
        system, unknown, Category.HEALTH, Purpose.EXCHANGE, author_agency=world.health
    ).permitted


def test_who_runs_the_panel_sees_the_panels_own_notes(world: Any) -> None:
    state = world.state(relationships=(world.tie(Tie.PANEL),))
    notes = world.ask(
        world.coordinator(), state, Category.PANEL, Purpose.PANEL, author_agency=world.council
    )
    assert notes.basis is Basis.OWN_RECORD
    assert not world.ask(
        world.coordinator(), state, Category.HEALTH, Purpose.PANEL, author_agency=world.council
    ).permitted


@pytest.mark.parametrize(
    ("tie", "role", "known"),
    [
        (Tie.TEAM, Role.PRACTITIONER, True),
        (Tie.LEAD, Role.PRACTITIONER, True),
        (Tie.MANAGER, Role.MANAGER, False),
    ],
)
def test_whoever_works_with_a_child_knows_who_the_child_is(
    world: Any, tie: Tie, role: Role, known: Any
) -> None:
    state = world.state(relationships=(world.tie(tie),), agreements=(world.refusal(level=None),))
    decision = world.ask(world.worker(role), state, Category.IDENTITY)
    assert decision.permitted is known


@pytest.mark.parametrize("category", Category)
@pytest.mark.parametrize(
    ("tie", "who", "sees"),
    [
        (Tie.PARENT, "mother", frozenset(Category) - {Category.SAFEGUARDING}),
        (Tie.SELF, "child", frozenset(Category) - {Category.SAFEGUARDING}),
        (Tie.RELATIVE, "grandmother", frozenset()),
    ],
)
@pytest.mark.parametrize("purpose", [Purpose.SUPPORT, Purpose.SUBJECT_ACCESS])
def test_a_family_sees_what_its_standing_allows(
    world: Any, category: Category, tie: Tie, who: Any, sees: Any, purpose: Purpose
) -> None:
    person = getattr(world, who)
    state = world.state(
        relationships=(world.tie(tie, person),), agreements=(world.refusal(level=None),)
    )
    decision = world.ask(world.family(person), state, category, purpose)
    assert decision.permitted is (category in sees)
    if decision.permitted:
        assert decision.basis is Basis.OWN_RECORD
        assert decision.obligations == {Obligation.REDACT_THIRD_PARTIES}


@pytest.mark.parametrize("category", Category)
@pytest.mark.parametrize(
    ("tie", "who"), [(Tie.PARENT, "mother"), (Tie.SELF, "child"), (Tie.RELATIVE, "grandmother")]
)
def test_what_a_person_said_is_theirs(world: Any, category: Category, tie: Tie, who: Any) -> None:
    person = getattr(world, who)
    state = world.state(relationships=(world.tie(tie, person),))
    decision = world.ask(world.family(person), state, category, author_person=person)
    assert decision.permitted
    assert decision.reasons[0] == "You said this yourself."


@pytest.mark.parametrize(
    ("tie", "who", "author"),
    [
        (Tie.PARENT, "mother", "father"),
        (Tie.PARENT, "mother", "child"),
        (Tie.SELF, "child", "mother"),
        (Tie.RELATIVE, "grandmother", "mother"),
    ],
)
def test_what_another_said_is_not(world: Any, tie: Tie, who: Any, author: Any) -> None:
    person = getattr(world, who)
    agreed = world.agreement(agencies=frozenset({person}), named=frozenset({Category.VIEWS}))
    state = world.state(relationships=(world.tie(tie, person),), agreements=(agreed,))
    decision = world.ask(
        world.family(person), state, Category.VIEWS, author_person=getattr(world, author)
    )
    assert not decision.permitted
    assert decision.reasons == ("These are somebody else's own words.",)


def test_without_a_tie_now_even_own_words_stay_closed(world: Any) -> None:
    ended = world.tie(Tie.PARENT, world.mother, Span(end=date(2026, 1, 1)))
    state = world.state(relationships=(ended,))
    decision = world.ask(
        world.family(world.mother), state, Category.VIEWS, author_person=world.mother
    )
    assert decision.basis is Basis.NO_TIE
