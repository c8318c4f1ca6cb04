"""Whatever is decided, an episode is in one place on each day, and nothing of it is taken away."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from panel.impact.rules import Kind, Step, is_up, moved, step_words, why_not_moved

OPENED = date(2026, 9, 1)
MOVES = st.lists(st.tuples(st.sampled_from(Kind), st.integers(-3, 400)), max_size=12)


def walked(moves: list[tuple[Kind, int]]) -> tuple[Step, ...]:
    """The steps of an episode after the moves that the rules let through, as days go by."""
    steps: tuple[Step, ...] = (Step(Kind.CONTACTS, OPENED),)
    today = OPENED
    for to, after in moves:
        on = OPENED + timedelta(days=after)
        today = max(today, on)
        if not why_not_moved(steps[-1], to, on, today)[0]:
            steps = moved(steps, to, on)
    return steps


def holds(step: Step, day: date) -> bool:
    """Whether the episode was there on a day."""
    return step.from_on <= day and (step.until_on is None or day <= step.until_on)


@given(MOVES)
def test_no_day_has_two_steps_and_none_between_has_none(moves: list[tuple[Kind, int]]) -> None:
    steps = walked(moves)
    for day in (OPENED + timedelta(days=number) for number in range(430)):
        assert sum(holds(one, day) for one in steps) == 1
    assert not any(holds(one, OPENED - timedelta(days=1)) for one in steps)


@given(MOVES)
def test_exactly_one_step_goes_on(moves: list[tuple[Kind, int]]) -> None:
    steps = walked(moves)
    assert [one.until_on for one in steps].count(None) == 1
    assert steps[-1].until_on is None


@given(MOVES, st.sampled_from(Kind), st.integers(0, 30))
def test_a_move_takes_nothing_away(moves: list[tuple[Kind, int]], to: Kind, later: int) -> None:
    before = walked(moves)
    now = before[-1]
    after = moved(before, to, now.from_on + timedelta(days=later))
    assert after[: len(before) - 1] == before[:-1]
    assert (after[-2].kind, after[-2].from_on) == (now.kind, now.from_on)
    assert after[-2].is_no_day is (later == 0)


def test_why_a_step_is_refused_is_said() -> None:
    now = Step(Kind.IMPACT, date(2026, 11, 2))
    today = date(2026, 11, 26)
    cases = {
        (Kind.IMPACT, today): ("kind", "The child is in IMPACT already. Load the page again"),
        (Kind.CONTACTS, date(2026, 11, 27)): (
            "from_on",
            "A step cannot begin in the future. Enter today or an earlier day",
        ),
        (Kind.CONTACTS, date(2026, 11, 1)): (
            "from_on",
            "The child came to IMPACT on 2 November 2026. Enter that day or a later one",
        ),
        (Kind.CONTACTS, date(2026, 11, 2)): ("", ""),
        (Kind.SOCIAL_CARE, today): ("", ""),
    }
    assert {case: why_not_moved(now, *case, today) for case in cases} == cases


def test_up_and_down_are_told_apart() -> None:
    assert is_up(Kind.CONTACTS, Kind.IMPACT)
    assert is_up(Kind.IMPACT, Kind.SOCIAL_CARE)
    assert not is_up(Kind.SOCIAL_CARE, Kind.CONTACTS)
    assert step_words(Kind.CONTACTS, Kind.SOCIAL_CARE) == "Step up to social care"
    assert step_words(Kind.IMPACT, Kind.CONTACTS) == "Step down to CONTACTS"
