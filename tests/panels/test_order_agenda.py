"""Putting an agenda in order: who is on it, when, who waits and who is not ready."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.panels.rules import (
    Agenda,
    Candidate,
    Debt,
    PanelSettings,
    Part,
    Reason,
    Urgent,
    Why,
    add_late_item,
    agenda_as_frozen,
    in_chosen_order,
    order_agenda,
    rearrange,
    why_as_frozen,
)

MEETING = date(2026, 12, 3)
CLOSE = date(2026, 11, 26)
FROZEN_AT = datetime(2026, 11, 27, 15, tzinfo=UTC)
SETTINGS = PanelSettings()
GROUP = UUID(int=900)


def child(number: int, reason: Reason = Reason.NEW, since: int = 1, **more: Any) -> Candidate:
    day = date(2026, 10, since)
    candidate = Candidate(
        UUID(int=number), f"C-{number:04}", day, (Why(reason, day, f"Because {reason}."),)
    )
    return replace(candidate, **more)


def refs(agenda: Agenda) -> list[int]:
    return [item.candidate.child_id.int for item in agenda.items]


def rolled(agenda: Agenda) -> list[int]:
    return [one.candidate.child_id.int for one in agenda.rolled_over]


def test_reasons_come_in_the_order_of_the_settings() -> None:
    children = [child(number, reason) for number, reason in enumerate(reversed(Reason), start=1)]
    assert refs(order_agenda(children, MEETING, SETTINGS)) == [5, 4, 3, 2, 1]
    turned = PanelSettings(agenda_order=tuple(reversed(Reason)))
    assert refs(order_agenda(children, MEETING, turned)) == [1, 2, 3, 4, 5]


def test_within_a_reason_the_longest_waiting_comes_first_then_the_reference() -> None:
    children = [child(1, since=9), child(3, since=2), child(2, since=2)]
    assert refs(order_agenda(children, MEETING, SETTINGS)) == [2, 3, 1]


def test_items_stand_in_time_slots() -> None:
    agenda = order_agenda(
        [child(1), child(2, minutes=25), child(3)], MEETING, SETTINGS, time(9, 30)
    )
    assert [item.starts_at for item in agenda.items] == [time(9, 30), time(9, 40), time(10, 5)]
    assert agenda.minutes_used == 45


def test_what_does_not_fit_rolls_over_longest_waiting_first_and_says_so() -> None:
    small = PanelSettings(capacity_minutes=20)
    children = [
        child(1, Reason.ESCALATION, 20),
        child(2, Reason.NEW, 20),
        child(3, Reason.REVIEW_DUE, 9),
        child(4, Reason.DEFERRED, 2),
    ]
    agenda = order_agenda(children, MEETING, small)
    assert (refs(agenda), rolled(agenda)) == ([1, 2], [4, 3])
    assert agenda.rolled_over[0].sentence == (
        "No time left at this meeting; goes to the next. Waiting since 2 October 2026."
    )


def test_a_shorter_item_behind_one_that_does_not_fit_may_still_fit() -> None:
    agenda = order_agenda(
        [child(1, minutes=100), child(2, minutes=30), child(3)], MEETING, SETTINGS
    )
    assert (refs(agenda), rolled(agenda)) == ([1, 3], [2])


def test_an_item_longer_than_any_meeting_says_what_to_do() -> None:
    agenda = order_agenda([child(1, minutes=121), child(2)], MEETING, SETTINGS)
    assert refs(agenda) == [2]
    assert "Give it fewer minutes or the meeting more." in agenda.rolled_over[0].sentence


DEBT = Debt(Part.PLAN, "Cy Example", date(2026, 11, 2))


def test_a_child_who_is_not_ready_is_on_the_other_list() -> None:
    agenda = order_agenda([child(1, debts=(DEBT,)), child(2)], MEETING, SETTINGS)
    assert refs(agenda) == [2]
    assert [one.missing for one in agenda.not_ready] == [(DEBT,)]


def test_an_urgent_child_comes_first_with_the_debt_even_beyond_capacity() -> None:
    urgent = child(
        1,
        debts=(DEBT,),
        urgent=Urgent(date(2026, 12, 1), "home from hospital tomorrow"),
        minutes=30,
    )
    full = PanelSettings(capacity_minutes=20)
    agenda = order_agenda([child(2, Reason.ESCALATION), urgent], MEETING, full)
    assert refs(agenda) == [1]
    assert agenda.items[0].candidate.debts == (DEBT,)
    assert agenda.items[0].sentence == (
        "Taken as urgent: home from hospital tomorrow. Because new."
    )
    assert agenda.not_ready == ()
    assert agenda.minutes_used > agenda.capacity_minutes


def test_the_chair_gives_a_reason() -> None:
    with pytest.raises(ValueError, match="Say why the child is urgent"):
        Urgent(date(2026, 12, 1), "  ")


def test_siblings_share_a_slot_and_never_an_item() -> None:
    children = [
        child(1, Reason.ESCALATION, sibling_group=GROUP),
        child(2, Reason.NEW),
        child(3, Reason.REVIEW_DUE, sibling_group=GROUP),
    ]
    agenda = order_agenda(children, MEETING, SETTINGS)
    assert refs(agenda) == [1, 3, 2]
    assert [item.starts_at for item in agenda.items] == [time(9, 30), time(9, 30), time(9, 50)]


def test_a_sibling_without_room_does_not_keep_the_other_off() -> None:
    small = PanelSettings(capacity_minutes=10)
    children = [child(1, sibling_group=GROUP), child(2, sibling_group=GROUP)]
    agenda = order_agenda(children, MEETING, small)
    assert (refs(agenda), rolled(agenda)) == ([1], [2])


def test_a_child_referred_twice_is_there_once_with_both_reasons() -> None:
    agenda = order_agenda(
        [child(1, Reason.REVIEW_DUE, 9), child(1, Reason.TRANSITION, 2)], MEETING, SETTINGS
    )
    assert refs(agenda) == [1]
    assert agenda.items[0].sentence == "Because transition. Because review_due."
    assert agenda.items[0].candidate.waiting_since == date(2026, 10, 2)


def test_a_child_without_a_reason_is_not_there() -> None:
    agenda = order_agenda([child(1, whys=()), child(2, whys=(), debts=(DEBT,))], MEETING, SETTINGS)
    assert (agenda.items, agenda.not_ready, agenda.rolled_over) == ((), (), ())


def test_a_late_item_is_flagged() -> None:
    in_time, late = child(1, ready_on=CLOSE), child(2, ready_on=date(2026, 11, 27))
    agenda = order_agenda([in_time, late], MEETING, SETTINGS, papers_close=CLOSE)
    assert [item.late for item in agenda.items] == [False, True]
    assert agenda.items[1].sentence.endswith("Late: papers had closed.")


def frozen_with(numbers: tuple[int, ...], others: list[Candidate]) -> Agenda:
    """An agenda frozen with some children, and what is known of the others today."""
    stored = order_agenda([child(number) for number in numbers], MEETING, SETTINGS)
    rest = order_agenda(others, MEETING, SETTINGS)
    return agenda_as_frozen(stored.items, rest, FROZEN_AT, FROZEN_AT.date())


def test_a_frozen_agenda_does_not_change_by_itself() -> None:
    escalated = Why(Reason.ESCALATION, FROZEN_AT.date() + timedelta(days=1), "Escalated.")
    frozen = frozen_with((1, 2), [child(3), child(4, whys=(escalated,))])
    assert refs(frozen) == [1, 2]
    assert [item.starts_at for item in frozen.items] == [time(9, 30), time(9, 40)]
    assert [one.child_id.int for one in frozen.came_late] == [4]
    assert [one.candidate.child_id.int for one in frozen.rolled_over] == [3]


def test_a_chosen_order_stays_and_newcomers_follow_the_rules() -> None:
    agenda = order_agenda([child(1), child(2), child(3)], MEETING, SETTINGS)
    first, second, third = (item.candidate.child_id for item in agenda.items)
    assert refs(in_chosen_order(agenda, {third: 0, first: 1, second: 2})) == [3, 1, 2]
    assert refs(in_chosen_order(agenda, {third: 0, first: 1})) == [3, 1, 2]


def test_a_stored_reason_speaks_after_the_case_moved_on() -> None:
    since = date(2026, 11, 6)
    assert why_as_frozen(Reason.NEW, since, ()).sentence == "New: referred on 6 November 2026."
    fuller = Why(Reason.NEW, since, "New: referred on 6 November 2026 and not yet discussed.")
    assert why_as_frozen(Reason.NEW, since, (fuller,)) == fuller


def test_a_person_adds_a_late_item_with_a_reason() -> None:
    added = add_late_item(
        frozen_with((1, 2), [child(3)]), child(3), "moves school on Monday", SETTINGS
    )
    assert refs(added) == [1, 2, 3]
    last = added.items[-1]
    assert (last.late, last.added, last.starts_at) == (True, "moves school on Monday", time(9, 50))
    assert added.came_late == ()


@pytest.mark.parametrize(
    ("candidate", "reason", "sentence"),
    [
        (child(1), "why", "on the agenda already"),
        (child(3, debts=(DEBT,)), "why", "Only the chair"),
        (child(3), " ", "Say why"),
    ],
)
def test_what_cannot_be_added_late(candidate: Candidate, reason: str, sentence: str) -> None:
    frozen = frozen_with((1,), [])
    with pytest.raises(ValueError, match=sentence):
        add_late_item(frozen, candidate, reason, SETTINGS)


def test_a_person_rearranges_and_times_follow() -> None:
    agenda = order_agenda([child(1, minutes=20), child(2), child(3)], MEETING, SETTINGS)
    moved = rearrange(agenda, [UUID(int=3), UUID(int=1), UUID(int=2)])
    assert [(i.candidate.child_id.int, i.starts_at) for i in moved.items] == [
        (3, time(9, 30)),
        (1, time(9, 40)),
        (2, time(10, 0)),
    ]
    for wrong in ([UUID(int=1)], [UUID(int=1)] * 3, [UUID(int=1), UUID(int=2), UUID(int=9)]):
        with pytest.raises(ValueError, match="each child of the agenda once"):
            rearrange(agenda, wrong)


def test_settings_that_no_panel_could_work_with_are_refused() -> None:
    with pytest.raises(ValueError, match="minutes_per_child must be 1 or more"):
        PanelSettings(minutes_per_child=0)
    with pytest.raises(ValueError, match="cut_off_working_days must be 0 or more"):
        PanelSettings(cut_off_working_days=-1)
    with pytest.raises(ValueError, match="agenda_order must name each"):
        PanelSettings(agenda_order=(Reason.NEW,))


whys = st.builds(
    Why, st.sampled_from(Reason), st.dates(date(2026, 1, 1), date(2026, 12, 1)), st.just("A.")
)
candidates = st.lists(
    st.builds(
        Candidate,
        child_id=st.integers(1, 12).map(lambda number: UUID(int=number)),
        reference=st.sampled_from(["C-1", "C-2", "C-3"]),
        waiting_since=st.dates(date(2026, 1, 1), date(2026, 1, 4)),
        whys=st.lists(whys, max_size=2).map(tuple),
        minutes=st.one_of(st.none(), st.integers(-5, 130)),
        debts=st.sampled_from([(), (DEBT,)]),
        urgent=st.one_of(st.none(), st.just(Urgent(MEETING, "urgent"))),
        sibling_group=st.sampled_from([None, GROUP, UUID(int=901)]),
        ready_on=st.one_of(st.none(), st.just(MEETING)),
    ),
    max_size=14,
)


@given(candidates, st.randoms(use_true_random=False))
def test_any_order_of_candidates_gives_the_same_agenda(
    found: list[Candidate], shuffle: Random
) -> None:
    again = list(found)
    shuffle.shuffle(again)
    assert order_agenda(found, MEETING, SETTINGS) == order_agenda(again, MEETING, SETTINGS)


@given(candidates)
def test_every_child_with_a_reason_is_in_exactly_one_place(found: list[Candidate]) -> None:
    agenda = order_agenda(found, MEETING, SETTINGS, papers_close=CLOSE)
    places = [
        *(item.candidate.child_id for item in agenda.items),
        *(one.candidate.child_id for one in agenda.not_ready),
        *(one.candidate.child_id for one in agenda.rolled_over),
    ]
    expected = {one.child_id for one in found if one.whys or one.urgent}
    assert sorted(places) == sorted(expected)
    assert all(item.sentence for item in agenda.items)


@given(candidates)
def test_only_urgent_children_go_beyond_the_capacity(found: list[Candidate]) -> None:
    agenda = order_agenda(found, MEETING, SETTINGS)
    ordinary = sum(item.minutes for item in agenda.items if not item.candidate.urgent)
    assert ordinary <= agenda.capacity_minutes
    for item in agenda.items:
        assert not item.candidate.debts or item.candidate.urgent


@given(candidates)
def test_siblings_on_one_agenda_stand_together_at_one_time(found: list[Candidate]) -> None:
    agenda = order_agenda(found, MEETING, SETTINGS)
    for group in (GROUP, UUID(int=901)):
        at = [n for n, i in enumerate(agenda.items) if i.candidate.sibling_group == group]
        assert at == list(range(at[0], at[0] + len(at))) if at else True
        assert len({agenda.items[n].starts_at for n in at}) <= 1
