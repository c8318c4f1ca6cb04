"""The survey's rules, and what may stand in words that every family reads: without a database."""

from datetime import date, timedelta

import pytest

from panel.insight.core.derive import derive
from panel.insight.core.facts import ChildSaid, OutcomeChange, Perception, Said, Term, Who
from panel.insight.core.words import QUESTIONS, Period
from panel.insight.voice.pages import who_sees
from panel.insight.voice.recognising import recognisable
from panel.insight.voice.rules import (
    ASKED,
    OPEN_FOR,
    Occasion,
    SurveyState,
    closes_on,
    is_open,
    occasion_of,
)
from panel.panels.reading_age import reading_age

OFFERED = date(2026, 11, 20)
AUTUMN = Term("2026-09-02", "2026-12-18", Period("2026-autumn"))
WHO = Who(b"p" * 16, 7)
KEY = "aa" * 16


def test_it_is_open_for_six_weeks() -> None:
    last = OFFERED + OPEN_FOR
    assert closes_on(OFFERED) == last == date(2027, 1, 1)
    for state in (SurveyState.OFFERED, SurveyState.ANSWERED):
        assert is_open(state, OFFERED, OFFERED)
        assert is_open(state, OFFERED, last)
        assert not is_open(state, OFFERED, last + timedelta(days=1))
        assert not is_open(state, OFFERED, OFFERED - timedelta(days=1))
    assert not is_open(SurveyState.DISMISSED, OFFERED, OFFERED)
    assert not is_open(SurveyState.WITHDRAWN, OFFERED, OFFERED)


def test_a_review_is_what_was_due_for_one() -> None:
    assert occasion_of("review_due") is Occasion.REVIEW
    assert {occasion_of(why) for why in ("new", "transition", "deferred", "escalation")} == {
        Occasion.PANEL
    }


def test_questions_are_those_of_the_facts_and_easy_to_read() -> None:
    assert ASKED.keys() == QUESTIONS.keys()
    assert max(reading_age(one) for one in ASKED.values()) <= 11


@pytest.mark.parametrize("name", ["Freya", ""])
def test_the_page_says_who_sees_what(name: str) -> None:
    said = " ".join(who_sees(name))
    assert reading_age(said) <= 11
    assert "information governance lead" in said
    assert "never read your own words" in said


# What becomes a fact ------------------------------------------------------------------------------


def facts(*said: Said) -> list[object]:
    return list(derive(WHO, ChildSaid(said=said), [AUTUMN]))


def asked(question: str, answer: int, since: str = "2026-11-20") -> Said:
    return Said(
        "perception", key=KEY, since=since, codes={"question": question},
        numbers={"answer": answer},
    )  # fmt: skip


def test_an_answer_is_a_fact_of_the_term_in_which_it_was_asked() -> None:
    found = [
        one
        for one in facts(
            asked("information", 4), asked("feedback", 0), asked("assessment", 5, "2027-01-20")
        )
        if isinstance(one, Perception)
    ]
    assert [(one.question, one.answer) for one in found] == [("information", 4), ("feedback", 0)]


def outcome(*scores: tuple[str, int, bool]) -> OutcomeChange:
    said = [Said("outcome", key=KEY, numbers={"baseline": 2, "target": 5})]
    said += [
        Said(
            "progress", key=KEY, since=since, codes={"family": str(family).lower()},
            numbers={"value": value},
        )
        for since, value, family in scores
    ]  # fmt: skip
    [found] = [one for one in facts(*said) if isinstance(one, OutcomeChange)]
    return found


def test_what_a_family_judged_is_not_covered_by_a_worker_who_scores_later() -> None:
    found = outcome(("2026-10-01", 1, True), ("2026-11-01", 5, False))
    assert (found.by_family, found.latest, found.reached) == (True, 1, True)


def test_what_a_family_judged_in_an_earlier_term_is_not_of_this_one() -> None:
    found = outcome(("2026-06-01", 1, True), ("2026-11-01", 3, False))
    assert (found.by_family, found.latest) == (False, 3)


def test_the_last_of_several_judgements_counts() -> None:
    found = outcome(("2026-10-01", 1, True), ("2026-11-01", 4, True))
    assert (found.by_family, found.latest, found.reached) == (True, 4, False)


# Words that are about nobody ----------------------------------------------------------------------


KNOWN = ("Harrow Mill", "Little Oaks", "Testshire Council", "Grace House", "Theo’s Hall")


@pytest.mark.parametrize(
    "text",
    [
        "Parents told us that they wait too long for short breaks.",
        "Grandparents said that letters are hard to read. Since May they are shorter.",
        "From September 2026 Little Oaks opens on Saturdays in Harrow Mill.",
        "We opened 12 more places. In 2026 there will be 30.",
        "Grace House opens on Sundays. Theo’s Hall follows, and the Mill.",
    ],
)
def test_general_words_may_stand(text: str) -> None:
    assert recognisable(text, KNOWN) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Theo waited a year.", "Theo"),
        ("We heard from Grace at home.", "Grace"),
        ("A mother, Mrs Kestrel, told us.", "Kestrel"),
        ("The boy with 999 054 8609 waited.", "NHS number"),
        ("Write to marta@families.example about it.", "e-mail"),
        ("Ring 01632 960 001 about it.", "telephone"),
        ("The family of 14 Tern Street waited.", "address"),
    ],
)
def test_words_by_which_somebody_could_be_found_are_refused(text: str, said: str) -> None:
    assert said in recognisable(text, KNOWN)
