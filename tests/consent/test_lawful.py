"""Every disclosure carries its Article 6 basis, its Article 9 condition and what lifts confidence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from consent import (
    DEFAULT_DUTIES,
    DEFAULT_LAW,
    NAMED,
    SPECIAL,
    Arrangement,
    Article6,
    Article9,
    Basis,
    Category,
    Confidence,
    CourtOrder,
    Decision,
    Enquiry,
    Override,
    Purpose,
    Role,
    Span,
    State,
    Tie,
    Viewer,
    ViewerKind,
    decide_all,
    lawful,
    lawful_words,
    read_recorded,
    recorded,
)

DAY = date(2026, 11, 20)


def law_of(
    world: Any, viewer: Viewer, state: State, category: Category, purpose: Purpose
) -> tuple[Any, ...] | None:
    decision = world.ask(viewer, state, category, purpose)
    assert decision.permitted, decision
    law = lawful(decision, category, viewer, purpose, DAY)
    assert law is not None
    return law.article6, law.article9, law.confidence, law.gateway


def test_what_is_agreed_is_a_public_task_and_the_agreement_lifts_confidence(world: Any) -> None:
    state = world.state(
        relationships=(world.tie(Tie.TEAM),),
        agreements=(world.agreement(named=frozenset({Category.HEALTH})),),
    )
    law = law_of(world, world.worker(), state, Category.HEALTH, Purpose.SUPPORT)
    assert law == (Article6.PUBLIC_TASK, Article9.CARE, Confidence.AGREEMENT, "")
    contact = law_of(world, world.worker(), state, Category.CONTACT, Purpose.SUPPORT)
    assert contact == (Article6.PUBLIC_TASK, None, Confidence.AGREEMENT, "")


def test_a_school_uses_it_for_statutory_purposes(world: Any) -> None:
    school = world.worker(agency=world.school, agency_kind="education")
    state = world.state(
        relationships=(world.tie(Tie.TEAM),),
        agreements=(world.agreement(agencies=frozenset({world.school})),),
    )
    law = law_of(world, school, state, Category.PLAN, Purpose.SUPPORT)
    assert law == (
        Article6.PUBLIC_TASK, Article9.SUBSTANTIAL_PUBLIC_INTEREST, Confidence.AGREEMENT, "",
    )  # fmt: skip


def test_a_court_a_duty_an_enquiry_and_an_override_each_have_their_own(world: Any) -> None:
    worker = world.worker()
    tied = (world.tie(Tie.TEAM), world.tie(Tie.GOVERNANCE))
    order = CourtOrder(permits=True, categories=frozenset(), to=frozenset({worker.id}))
    court = law_of(world, worker, world.state(orders=(order,)), Category.HEALTH, Purpose.SUPPORT)
    assert court == (Article6.LEGAL_OBLIGATION, Article9.COURTS, Confidence.COURT, "")

    enquiry = world.state(relationships=tied, enquiries=(Enquiry(frozenset({world.health})),))
    assert law_of(world, worker, enquiry, Category.HEALTH, Purpose.SUPPORT) == (
        Article6.PUBLIC_TASK, Article9.SUBSTANTIAL_PUBLIC_INTEREST, Confidence.STATUTE,
        "children-act-1989-s47",
    )  # fmt: skip

    now = datetime(2026, 11, 20, tzinfo=UTC)
    override = world.state(
        overrides=(Override(worker.id, frozenset(), now, now + timedelta(days=1)),)
    )
    assert law_of(world, worker, override, Category.HEALTH, Purpose.SUPPORT) == (
        Article6.PUBLIC_TASK, Article9.SUBSTANTIAL_PUBLIC_INTEREST, Confidence.PUBLIC_INTEREST, "",
    )  # fmt: skip

    lead = world.worker(Role.GOVERNANCE_LEAD)
    answer = world.state(relationships=tied, duties=DEFAULT_DUTIES)
    assert law_of(world, lead, answer, Category.HEALTH, Purpose.SUBJECT_ACCESS) == (
        Article6.LEGAL_OBLIGATION, Article9.SUBSTANTIAL_PUBLIC_INTEREST, Confidence.STATUTE,
        "uk-gdpr-article-15",
    )  # fmt: skip


def test_a_family_breaks_nobodys_confidence_with_its_own_record(world: Any) -> None:
    state = world.state(relationships=(world.tie(Tie.PARENT, world.mother),))
    law = law_of(world, world.family(world.mother), state, Category.PLAN, Purpose.SUPPORT)
    assert law is not None
    assert law[2] is Confidence.OWN


@pytest.mark.parametrize("kind", ViewerKind)
@pytest.mark.parametrize(
    "basis",
    [
        Basis.COURT_ORDER, Basis.OWN_RECORD, Basis.SAFEGUARDING, Basis.DUTY, Basis.AGREEMENT,
    ],
)  # fmt: skip
@pytest.mark.parametrize("agency_kind", [None, "health", "education", "voluntary", "council"])
def test_no_permission_is_without_its_law(
    basis: Basis, kind: ViewerKind, agency_kind: str | None
) -> None:
    permitted = Decision(permitted=True, basis=basis, reasons=("It is so.",), gateway="invented")
    viewer = Viewer(UUID(int=1), kind, UUID(int=2), agency_kind)
    for category in Category:
        for purpose in Purpose:
            law = lawful(permitted, category, viewer, purpose, DAY)
            assert law is not None
            assert (law.article9 is not None) is (category in SPECIAL)
            assert lawful_words(law).endswith(".")


def test_what_is_withheld_has_no_law(world: Any) -> None:
    withheld = world.ask(world.worker(), world.state())
    assert lawful(withheld, Category.HEALTH, world.worker(), Purpose.SUPPORT, DAY) is None


def test_a_rule_counts_from_its_day_on() -> None:
    permitted = Decision(permitted=True, basis=Basis.AGREEMENT, reasons=("It is so.",))
    viewer = Viewer(UUID(int=1), ViewerKind.WORKER, UUID(int=2), "health")
    asked = (Category.HEALTH, viewer, Purpose.SUPPORT)
    assert lawful(permitted, *asked, date(2018, 5, 24)) is None
    later = tuple(replace(rule, span=Span(date(2027, 1, 1))) for rule in DEFAULT_LAW)
    assert lawful(permitted, *asked, DAY, later) is None
    assert lawful(permitted, *asked, date(2027, 1, 1), later) is not None


def test_every_rule_has_a_source_and_is_a_setting() -> None:
    for rule in DEFAULT_LAW:
        assert "UK GDPR" in rule.source
        assert rule.source.endswith("A setting for the authority's lawyers.")
    for duty in NAMED:
        assert duty.source.endswith("A setting for the authority's lawyers.")
        assert duty.commenced is not None
        assert "Act" in duty.source


def test_a_section_that_is_only_named_opens_nothing(world: Any) -> None:
    every_tie = tuple(world.tie(tie) for tie in Tie)
    state = world.state(relationships=every_tie)
    with_named = replace(state, duties=NAMED)
    for role in Role:
        for purpose in Purpose:
            worker = world.worker(role)
            asked = (worker, purpose, world.now)
            assert decide_all(*asked, state) == decide_all(*asked, with_named)


def test_the_identifier_is_present_and_off(world: Any) -> None:
    (identifier,) = [one for one in DEFAULT_DUTIES if one.code == "children-act-2004-s16lc"]
    assert identifier.commenced is None
    state = world.state(relationships=(world.tie(Tie.MANAGER),), duties=(identifier,))
    manager = world.worker(Role.MANAGER)
    assert not world.ask(manager, state, Category.IDENTITY).permitted
    on = replace(state, duties=(replace(identifier, commenced=DAY),))
    assert world.ask(manager, on, Category.IDENTITY).gateway == "children-act-2004-s16lc"
    assert not world.ask(manager, on, Category.HEALTH).permitted


# What the access history keeps.


def look(
    world: Any, state: State, viewer: Viewer, purpose: Purpose
) -> tuple[dict[Category, Decision], dict[str, str]]:
    decisions = decide_all(viewer, purpose, world.now, state)
    return decisions, recorded(decisions, viewer, purpose, DAY, state.arrangements)


def test_what_is_recorded_reads_back_the_same(world: Any) -> None:
    council = world.coordinator()
    state = world.state(
        relationships=(world.tie(Tie.PANEL),),
        agreements=(world.agreement(agencies=frozenset({world.council})),),
        duties=DEFAULT_DUTIES,
    )
    decisions, law = look(world, state, council, Purpose.PANEL)
    assert law == {
        "duty": "6(1)(e) 9(2)(g) statute children-act-2004-s10",
        "agreement": "6(1)(e) 9(2)(h) agreement",
    }
    for category, decision in decisions.items():
        read = read_recorded(law, decision.basis.value, category)
        made = lawful(decision, category, council, Purpose.PANEL, DAY)
        assert (read is None) is (made is None)
        if read is not None and made is not None:
            assert replace(read, condition=made.condition) == made


def test_nothing_is_recorded_where_nothing_is_permitted(world: Any) -> None:
    state = world.state(relationships=(world.tie(Tie.MANAGER),))
    assert look(world, state, world.worker(Role.MANAGER), Purpose.SUPPORT)[1] == {}
    assert read_recorded({}, "agreement", Category.PLAN) is None


def test_an_agreement_between_agencies_is_named_and_opens_nothing(world: Any) -> None:
    named = Arrangement(
        "ISA 2026/4",
        frozenset({world.health, world.council}),
        frozenset({Category.PLAN, Category.HEALTH}),
        frozenset({Purpose.SUPPORT}),
        Span(date(2026, 1, 1), date(2026, 12, 31)),
    )
    tied = world.state(relationships=(world.tie(Tie.TEAM),), arrangements=(named,))
    without = replace(tied, arrangements=())
    asked = (world.worker(), Purpose.SUPPORT, world.now)
    assert decide_all(*asked, tied) == decide_all(*asked, without)

    agreed = replace(tied, agreements=(world.agreement(),))
    decisions, law = look(world, agreed, world.worker(), Purpose.SUPPORT)
    plan = read_recorded(law, decisions[Category.PLAN].basis.value, Category.PLAN)
    contact = read_recorded(law, decisions[Category.CONTACT].basis.value, Category.CONTACT)
    assert plan is not None
    assert plan.under == ("ISA 2026/4",)
    assert contact is not None
    assert contact.under == ()
    school = world.worker(agency=world.school, agency_kind="education")
    theirs = replace(agreed, agreements=(world.agreement(agencies=frozenset({world.school})),))
    assert "ISA" not in str(look(world, theirs, school, Purpose.SUPPORT)[1])


@pytest.mark.parametrize(("reference", "parties"), [("ISA 1", 1), ("", 2), ("ISA 1; ISA 2", 2)])
def test_what_is_no_agreement_between_agencies_is_refused(reference: str, parties: int) -> None:
    agencies = frozenset(UUID(int=number) for number in range(parties))
    with pytest.raises(ValueError, match="An agreement between agencies needs"):
        Arrangement(reference, agencies, frozenset(), frozenset())


def test_it_says_so_in_words(world: Any) -> None:
    state = world.state(
        relationships=(world.tie(Tie.TEAM),),
        agreements=(world.agreement(named=frozenset({Category.HEALTH})),),
    )
    decision = world.ask(world.worker(), state, Category.HEALTH)
    law = lawful(
        decision, Category.HEALTH, world.worker(), Purpose.SUPPORT, DAY, under=("ISA 2026/4",)
    )
    assert law is not None
    assert lawful_words(law) == (
        "Public task (UK GDPR Article 6(1)(e)); special data for health or social care (Article "
        "9(2)(h)); confidence lifted by the family’s agreement; under the agencies’ agreement "
        "ISA 2026/4."
    )
