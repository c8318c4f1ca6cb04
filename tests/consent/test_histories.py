"""Thousands of random histories: the decision is what a slow judge says who reads only the rules.

The judge (oracle.py) walks through all that happened for every question; `consent` is given the same
history as facts. PANEL_SOAK=1 asks a good many more of them (`make soak`).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent import Basis, Decision, Question, decide, may_reach
from tests.consent.histories import history_of, question_of, state_of
from tests.consent.oracle import History, Verdict, judge, midnight

SOAK = bool(os.environ.get("PANEL_SOAK"))
HISTORIES = 60_000 if SOAK else 10_000
FURTHEST = timedelta(days=90)
"""No history has a fact that begins or ends later than this after any question."""

numbers = st.binary(min_size=8, max_size=8).map(lambda drawn: int.from_bytes(drawn, "little"))
seen: Counter[tuple[bool, Basis]] = Counter()


@settings(
    max_examples=HISTORIES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    numbers, st.lists(numbers, min_size=4, max_size=24), st.lists(numbers, min_size=2, max_size=4)
)
def test_the_decision_is_what_the_rules_say(
    beginning: int, events: Sequence[int], questions: Sequence[int]
) -> None:
    history, cast = history_of(beginning, events)
    state = state_of(history)
    for number in questions:
        question = question_of(number, history, cast)
        decision = decide(question, state)
        verdict = judge(question, history)
        assert (decision.permitted, decision.basis, decision.silent, decision.since) == (
            verdict.permitted,
            verdict.basis,
            verdict.silent,
            verdict.since,
        )
        seen[decision.permitted, decision.basis] += 1
        if decision.permitted:
            assert may_reach(question.viewer, state, question.at)
            assert_it_holds_until(decision, verdict, question, history)


def assert_it_holds_until(
    decision: Decision, verdict: Verdict, question: Question, history: History
) -> None:
    """Every day up to the last one is permitted, and the day after something has changed."""
    last = decision.until or question.day + FURTHEST
    assert last >= question.day
    day = question.day
    while day < last and day < question.day + FURTHEST:
        day += timedelta(days=1)
        assert judge(replace(question, at=midnight(day)), history).permitted, day
    if decision.until not in verdict.ends:
        assert decision.until is not None
        after = judge(replace(question, at=midnight(last + timedelta(days=1))), history)
        assert (after.permitted, after.basis) != (True, decision.basis)


def test_every_basis_came_up() -> None:
    """A history that never permits or withholds on some basis would prove nothing about it."""
    if not seen:
        return
    permitting = {basis for permitted, basis in seen if permitted}
    withholding = {basis for permitted, basis in seen if not permitted}
    assert permitting == {
        Basis.COURT_ORDER,
        Basis.OWN_RECORD,
        Basis.SAFEGUARDING,
        Basis.DUTY,
        Basis.AGREEMENT,
    }
    assert withholding == {
        Basis.COURT_ORDER,
        Basis.PROTECTION,
        Basis.USE_RESTRICTED,
        Basis.REFUSAL,
        Basis.NOTHING,
        Basis.NO_TIE,
    }
