"""An agency's own computer system gets what was agreed for it, and nothing by another word."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from consent import Agreement, Capacity, Category, Level, Purpose, Span
from consent.facts import covered
from panel.platform.problems import NotAllowed
from panel.records.gate import Gate
from panel.sharing.answering import is_settled
from panel.sharing.choices import Voice
from panel.sharing.choosing_rules import COVERS, OF_PEOPLE, Act, Change, Kind, Wish, change_of
from panel.sharing.pages import loss_words, sharing_page
from panel.sharing.reading import rehearse_withdrawal, sharing_picture
from panel.sharing.service import RecordedAs, withdraw_agreement
from panel.sharing.systems import SYSTEM, agencies_spoken_of, still_refused
from tests.sharing.family import TODAY, Family, agreed, record, refused, sees

SCHOOL, HEALTH = UUID(int=1), UUID(int=2)
ME, FATHER = UUID(int=11), UUID(int=12)
PEOPLE = frozenset({Purpose.SUPPORT, Purpose.PANEL})
ALL = frozenset(Purpose)
Opened = set[tuple[UUID, Category, bool]]
"""(agency, category, whether it is its system that gets it)."""


def word(number: int, **said: Any) -> Agreement:
    usual: dict[str, Any] = {
        "id": UUID(int=100 + number), "given": True, "by": ME, "by_words": "her mother",
        "agencies": frozenset({SCHOOL}), "level": Level.BASIC, "purposes": PEOPLE,
        "span": Span(date(2026, 1, 1), date(2027, 12, 1)),
    }  # fmt: skip
    return Agreement(**(usual | said))


def opened(said: Iterable[Any]) -> Opened:
    """What words open, by what they say; a no is left out."""
    return {
        (agency, category, system)
        for one in said
        if one.given
        for agency in one.agencies
        for category in (covered(one) if isinstance(one, Agreement) else one.covers)
        for system in (True, False)
        if (one.purposes & SYSTEM if system else one.purposes - SYSTEM)
    }


def after(said: list[Agreement], change: Change, *, alone: bool) -> Opened:
    by_id = {one.id: one for one in said}
    stays = [one for one in said if one.id not in change.ends]
    if alone and change.says:
        stays = [one for one in stays if one.by == ME]
    found = opened([*stays, *change.says])
    for kept in change.keeps:
        purposes = by_id[kept.of].purposes if kept.purposes is None else kept.purposes
        for system in (True, False):
            if purposes & SYSTEM if system else purposes - SYSTEM:
                found |= {(a, c, system) for a in kept.agencies for c in kept.covers}
    return found


WORDS = st.lists(
    st.builds(
        word,
        number=st.integers(1, 99),
        by=st.sampled_from([ME, FATHER]),
        agencies=st.frozensets(st.sampled_from([SCHOOL, HEALTH]), min_size=1),
        level=st.sampled_from(list(Level)),
        named=st.frozensets(st.sampled_from([Category.FINANCE, Category.SAFEGUARDING])),
        purposes=st.sampled_from([PEOPLE, SYSTEM, PEOPLE | SYSTEM]),
    ),
    max_size=4,
    unique_by=lambda one: one.id,
)


VOICES = st.sampled_from(
    [Voice(Capacity.PARENTAL_RESPONSIBILITY), Voice(Capacity.SELF, alone=True)]
)


@given(WORDS, st.sampled_from([*OF_PEOPLE, Kind.EVERYTHING]), VOICES)
def test_sharing_more_with_people_leaves_the_system_as_it_is(
    said: list[Agreement], kind: Kind, voice: Voice
) -> None:
    wish = Wish(Act.SHARE, SCHOOL, COVERS[kind])
    now = after(said, change_of(wish, said, ME, alone=voice.alone, says_no=True), alone=voice.alone)
    assert {one for one in now if one[2]} == {one for one in opened(said) if one[2]}
    assert {(SCHOOL, one, False) for one in COVERS[kind]} <= now


@given(WORDS, st.sampled_from(OF_PEOPLE), VOICES)
def test_a_yes_to_the_system_is_no_word_about_people(
    said: list[Agreement], kind: Kind, voice: Voice
) -> None:
    wish = Wish(Act.SHARE, SCHOOL, COVERS[kind], system=True)
    now = after(said, change_of(wish, said, ME, alone=voice.alone, says_no=True), alone=voice.alone)
    assert now == opened(said) | {(SCHOOL, one, True) for one in COVERS[kind]}


@given(WORDS, VOICES)
def test_a_stop_of_the_system_leaves_the_people(said: list[Agreement], voice: Voice) -> None:
    wish = Wish(Act.STOP, SCHOOL, frozenset(Category), system=True)
    change = change_of(wish, said, ME, alone=voice.alone, says_no=True)
    now, was = after(said, change, alone=voice.alone), opened(said)
    theirs = opened(one for one in said if one.by != ME)
    left = set() if voice.alone else {one for one in theirs if one[0] == SCHOOL and one[2]}
    assert now == {one for one in was if one[0] != SCHOOL or not one[2]} | left
    if not voice.alone:
        said_now = [(one.given, one.agencies, one.purposes) for one in change.says]
        no_to_system = (False, frozenset({SCHOOL}), SYSTEM)
        assert said_now == ([no_to_system] if left else []), "to what the other parent agreed alone"
        kept_from = change_of(wish, said, ME, alone=False, says_no=False)
        assert not kept_from.says, "else it would tell what the other parent agreed"


@given(WORDS, st.sampled_from(OF_PEOPLE))
def test_what_ends_for_people_ends_for_the_system(said: list[Agreement], kind: Kind) -> None:
    wish = Wish(Act.STOP, SCHOOL, COVERS[kind])
    now = after(said, change_of(wish, said, ME, alone=True, says_no=True), alone=True)
    assert now == {o for o in opened(said) if o[0] != SCHOOL or o[1] not in COVERS[kind]}


@given(WORDS, VOICES)
def test_another_last_day_is_for_people_and_system_alike(
    said: list[Agreement], voice: Voice
) -> None:
    assume(any(one.by == ME and SCHOOL in one.agencies for one in said))
    until = date(2028, 1, 1)
    wish = Wish(Act.KEEP, SCHOOL, frozenset(), until)
    change = change_of(wish, said, ME, alone=voice.alone, says_no=True)
    assert after(said, change, alone=voice.alone) == opened(said)
    mine = opened(one for one in said if one.by == ME)
    longer = opened(one for one in change.says if one.until == until)
    assert {one for one in mine if one[0] == SCHOOL} <= longer


def test_a_refusal_of_the_system_taken_over_stays_one_of_the_system() -> None:
    no = word(1, by=FATHER, given=False, level=None, purposes=SYSTEM)
    yes = word(2, by=FATHER)
    wish = Wish(Act.SHARE, SCHOOL, COVERS[Kind.MORE])
    change = change_of(wish, [no, yes], ME, alone=True, says_no=True)
    assert [one.purposes for one in change.says if not one.given] == [SYSTEM]


@pytest.mark.parametrize(("no", "yes", "left"), [
    (frozenset(), PEOPLE, frozenset()),
    (SYSTEM, PEOPLE, None),
    (PEOPLE, SYSTEM, None),
    (frozenset(), SYSTEM, ALL - SYSTEM),
    (PEOPLE | SYSTEM, SYSTEM, PEOPLE),
    (frozenset(), PEOPLE | SYSTEM, frozenset()),
])  # fmt: skip
def test_a_yes_ends_a_no_for_what_it_speaks_of(
    no: frozenset[Purpose], yes: frozenset[Purpose], left: frozenset[Purpose] | None
) -> None:
    assert still_refused(no, yes, system_agreed=False) == left


def test_a_no_to_everything_goes_on_for_a_system_that_somebody_else_agreed_to() -> None:
    assert still_refused(frozenset(), PEOPLE, system_agreed=True) == SYSTEM
    assert still_refused(PEOPLE, PEOPLE, system_agreed=True) == frozenset()


def test_a_system_is_told_of_where_somebody_spoke_of_it() -> None:
    said = [word(1), word(2, agencies=frozenset({HEALTH}), purposes=SYSTEM)]
    assert agencies_spoken_of(said) == {HEALTH}
    assert agencies_spoken_of([word(3, given=False, purposes=frozenset())]) == frozenset()


def test_a_no_to_the_system_answers_nobody_who_asked_to_see() -> None:
    no = word(1, given=False, level=None, purposes=SYSTEM)
    assert not is_settled(no, SCHOOL, Category.HEALTH, Purpose.SUPPORT)
    everything = word(2, given=False, level=None, purposes=frozenset())
    assert is_settled(everything, SCHOOL, Category.HEALTH, Purpose.SUPPORT)


async def test_the_sharing_page_and_the_rehearsal_tell_of_the_system(
    gate: Gate, family: Family
) -> None:
    # Whoever may know who is involved reads of every agency.
    both = frozenset({family.health, family.school})
    await record(gate, family, agreed(family, agencies=both, purposes=PEOPLE))
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "read") as access:
        rows = sharing_page(await sharing_picture(access), base="", today=TODAY).rows
    assert "For the agency’s own computer system" not in {one.purpose for one in rows}
    said = await record(gate, family, agreed(family, level=Level.BASIC, purposes=SYSTEM))
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "read") as access:
        rows = sharing_page(await sharing_picture(access), base="", today=TODAY).rows
        (row,) = (one for one in rows if one.purpose == "For the agency’s own computer system")
        assert row.agency == "Made-up School"
        assert any("plan" in one.categories.lower() for one in row.sees)
        assert any("health" in one.categories.lower() for one in row.does_not_see)
        found = await rehearse_withdrawal(access, said.id)
    told = [loss_words(one, "no longer sees") for one in found.closes]
    assert len(told) == 1, told
    assert told[0].endswith("for the agency’s own computer system.")
    assert await sees(gate, family, family.tom)


async def test_a_parents_no_to_a_system_is_one_about_people_to_nobody(
    gate: Gate, family: Family
) -> None:
    await record(gate, family, agreed(family, purposes=PEOPLE))
    no = refused(
        family, by_person=family.father, agencies=frozenset({family.school}), purposes=SYSTEM
    )
    assert (await record(gate, family, no)).kind is RecordedAs.REFUSAL
    assert await sees(gate, family, family.tom)


async def test_a_no_to_every_system_ends_no_yes_to_people(gate: Gate, family: Family) -> None:
    await record(gate, family, agreed(family, purposes=PEOPLE))
    await record(gate, family, refused(family, purposes=SYSTEM))
    assert await sees(gate, family, family.tom)


async def test_a_no_to_the_system_of_my_own_agency_is_not_mine_to_end(
    gate: Gate, family: Family
) -> None:
    ours = frozenset({family.health})
    await record(gate, family, agreed(family, agencies=ours, purposes=SYSTEM))
    no = await record(gate, family, refused(family, agencies=ours, purposes=SYSTEM))
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "ended it") as access:
        with pytest.raises(NotAllowed):
            await withdraw_agreement(access, no.id)
