"""What the pages say, without their markup."""

from datetime import date, timedelta

import pytest

from panel.plans import pages
from panel.plans.leads import LeadLine
from panel.plans.reading import ActionReading, OutcomeReading, PlanReading, ProgressReading
from panel.platform.ids import new_id

TODAY = date(2026, 11, 23)
CHILD = new_id()


def outcome(baseline: int | None, target: int | None, values: list[int | None]) -> OutcomeReading:
    progress = tuple(
        ProgressReading(TODAY + timedelta(days=each), value, "")
        for each, value in enumerate(values)
    )
    return OutcomeReading(new_id(), "Sleeps", "", "working_towards", baseline, target, progress, 1)


def plan(*actions: ActionReading, state: str = "agreed") -> PlanReading:
    return PlanReading(
        new_id(),
        2,
        state,
        new_id(),
        "Health visiting",
        date(2026, 5, 3),
        date(2026, 5, 4),
        None,
        "",
        (outcome(1, 4, []),),
        actions,
        1,
    )


def action(due_on: date | None, state: str = "to_do") -> ActionReading:
    return ActionReading(
        new_id(), None, "Visit the nursery", "Mum", None, "Mum", due_on, state, None, "", 1
    )


@pytest.mark.parametrize(
    ("baseline", "target", "values", "words"),
    [
        (None, None, [], ""),
        (1, None, [], "At the start 1. Nothing has been written down since."),
        (1, 4, [None], "At the start 1, aiming for 4. Nothing has been written down since."),
        (1, 4, [2], "From 1 to 2, aiming for 4. It is closer than at the start."),
        (None, 4, [2], "Now 2, aiming for 4. It is too early to say which way this goes."),
        (3, 1, [1], "From 3 to 1, aiming for 1. What we aim for is reached."),
    ],
)
def test_the_small_trend_in_words(
    baseline: int | None, target: int | None, values: list[int | None], words: str
) -> None:
    assert pages.trend_words(outcome(baseline, target, values)) == words


def test_the_page_says_what_to_do_next() -> None:
    def step(*actions: ActionReading, state: str = "agreed") -> str:
        read = plan(*actions, state=state)
        return pages.plan_page(CHILD, read, (), TODAY, may_write=True).next_step

    assert step() == "No action is open."
    assert step(action(TODAY - timedelta(days=1))).startswith("1 action is overdue.")
    assert step(action(date(2026, 12, 3))) == (
        "Next: Visit the nursery. Mum, by Thursday 3 December 2026 (in 10 days)."
    )
    assert step(state="draft").startswith("Agree the plan with the family.")


def test_overdue_is_said_in_words() -> None:
    assert pages.overdue_words("to_do", TODAY - timedelta(days=21), TODAY) == "Overdue by 21 days"
    assert pages.overdue_words("to_do", TODAY - timedelta(days=1), TODAY) == "Overdue by 1 day"
    assert pages.overdue_words("done", TODAY - timedelta(days=1), TODAY) == ""


def test_long_words_end_at_a_word() -> None:
    assert pages.shortened("Sleeps well", 20) == "Sleeps well"
    assert pages.shortened("Sleeps well, eats well, plays", 20) == "Sleeps well, eats…"


def test_the_history_of_who_held_the_plan() -> None:
    def line(state: str, from_on: date | None, until_on: date | None, reason: str = "") -> LeadLine:
        return LeadLine(
            new_id(), new_id(), new_id(), "Rosa Whitlow", "Health", state, date(2026, 6, 1),
            "Ines Marlow", date(2026, 6, 2), from_on, until_on, reason,
        )  # fmt: skip

    now = line("accepted", date(2026, 10, 1), None)
    page = pages.lead_page(
        CHILD,
        [
            now,
            line("ended", date(2026, 6, 2), date(2026, 9, 30), "Left the agency"),
            line("declined", None, None, "No time"),
        ],
        (),
        new_id(),
        TODAY,
        may_write=True,
    )
    assert (page.now, page.since) == (
        "Rosa Whitlow, Health",
        "Since Thursday 1 October 2026",
    )
    assert page.history == [
        ("Rosa Whitlow, Health", "Since 1 October 2026", ""),
        ("Rosa Whitlow, Health", "2 June 2026 to 30 September 2026", "Left the agency"),
        ("Declined: Rosa Whitlow, Health", "Offered 1 June 2026, declined 2 June 2026", "No time"),
    ]
