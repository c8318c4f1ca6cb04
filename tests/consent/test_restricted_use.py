"""While the use of a record is restricted, what is excepted by law opens it and nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from consent import (
    Basis,
    Category,
    CourtOrder,
    Enquiry,
    Override,
    Purpose,
    Restriction,
    RestrictionKind,
    Role,
    Tie,
    explain,
)
from tests.consent.conftest import World

SINCE = date(2026, 11, 19)


@pytest.mark.parametrize("category", list(Category))
def test_what_was_agreed_is_not_used(world: World, category: Category) -> None:
    state = world.state(
        relationships=(world.tie(Tie.TEAM),),
        agreements=(world.agreement(named=frozenset(Category)),),
        use_restricted_on=SINCE,
    )
    decision = world.ask(world.worker(), state, category)
    if category is Category.IDENTITY:
        assert (decision.permitted, decision.basis) == (True, Basis.OWN_RECORD)
        return
    assert (decision.permitted, decision.basis) == (False, Basis.USE_RESTRICTED)
    assert decision.since == SINCE
    assert not decision.silent
    assert "restricted (since 19 November 2026)" in explain(decision, category, "Amina")


def test_an_agency_reads_what_it_wrote_in_its_own_work_and_in_no_pack(world: World) -> None:
    ties = (world.tie(Tie.TEAM), world.tie(Tie.AGENDA, world.health))
    state = world.state(relationships=ties, use_restricted_on=SINCE)
    own = world.ask(world.worker(), state, author_agency=world.health)
    assert (own.permitted, own.basis) == (True, Basis.OWN_RECORD)
    for category in (Category.HEALTH, Category.IDENTITY):
        packed = world.ask(world.pack(), state, category, Purpose.PANEL, author_agency=world.health)
        assert packed.basis is Basis.USE_RESTRICTED
    others = world.ask(world.worker(), state, author_agency=world.school)
    assert others.basis is Basis.USE_RESTRICTED


def test_an_override_an_enquiry_and_a_court_open_it(world: World) -> None:
    hour = timedelta(hours=1)
    override = Override(world.anna, frozenset(), world.now - hour, world.now + hour)
    order = CourtOrder(permits=True, categories=frozenset(), to=frozenset({world.anna}))
    ties = (world.tie(Tie.TEAM),)
    for facts, basis in (
        ({"overrides": (override,)}, Basis.SAFEGUARDING),
        ({"enquiries": (Enquiry(frozenset({world.health})),)}, Basis.SAFEGUARDING),
        ({"orders": (order,)}, Basis.COURT_ORDER),
    ):
        state = world.state(relationships=ties, use_restricted_on=SINCE, **facts)
        decision = world.ask(world.worker(), state)
        assert (decision.permitted, decision.basis) == (True, basis)


def test_what_an_override_opens_is_promised_no_longer_than_it_lasts(world: World) -> None:
    hour = timedelta(hours=1)
    override = Override(world.health, frozenset(), world.now - hour, world.now + hour)
    state = world.state(
        relationships=(world.tie(Tie.AGENDA, world.health),),
        overrides=(override,),
        use_restricted_on=SINCE,
    )
    own = world.ask(world.pack(), state, purpose=Purpose.PANEL, author_agency=world.health)
    assert (own.permitted, own.basis) == (True, Basis.OWN_RECORD)
    assert own.until == override.end.date()


def test_protection_comes_first_and_keeps_its_silence(world: World) -> None:
    hidden = Restriction(RestrictionKind.PROTECTION, frozenset(), frozenset(), silent=True)
    ties = (world.tie(Tie.TEAM),)
    state = world.state(relationships=ties, restrictions=(hidden,), use_restricted_on=SINCE)
    decision = world.ask(world.worker(), state)
    assert (decision.basis, decision.silent) == (Basis.PROTECTION, True)


def test_the_family_reads_its_own(world: World) -> None:
    ties = (world.tie(Tie.PARENT, world.mother),)
    state = world.state(relationships=ties, use_restricted_on=SINCE)
    assert world.ask(world.family(world.mother), state).permitted


def test_what_is_asked_about_the_record_is_answered(world: World) -> None:
    lead = world.worker(Role.GOVERNANCE_LEAD)
    ties = (world.tie(Tie.GOVERNANCE),)
    for purpose in (Purpose.SUBJECT_ACCESS, Purpose.GOVERNANCE, Purpose.SAFEGUARDING):
        state = world.state(relationships=ties, use_restricted_on=SINCE)
        assert world.ask(lead, state, purpose=purpose).basis is not Basis.USE_RESTRICTED


def test_somebody_without_a_tie_is_not_told_of_it(world: World) -> None:
    state = world.state(use_restricted_on=SINCE)
    assert world.ask(world.worker(), state).basis is Basis.NO_TIE


def test_it_begins_on_its_day(world: World) -> None:
    ties = (world.tie(Tie.TEAM),)
    agreements = (world.agreement(level=None, named=frozenset(Category)),)
    state = world.state(relationships=ties, agreements=agreements, use_restricted_on=SINCE)
    before = datetime(2026, 11, 18, 12, tzinfo=UTC)
    assert world.ask(world.worker(), state, at=before).permitted
