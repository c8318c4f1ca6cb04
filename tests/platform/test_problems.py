"""What can go wrong is told in a sentence, with what to do, and never with somebody's name."""

import pytest

from panel.platform.problems import (
    Clash,
    Conflict,
    FieldError,
    Gone,
    Invalid,
    NotAllowed,
    NotFound,
    NotSignedIn,
    NotWorking,
    Problem,
    TooLarge,
    TooMany,
)

EVERY = (
    NotFound(),
    NotAllowed("Only the lead professional can change this plan."),
    NotSignedIn(),
    Conflict((Clash("Progress", "Better", "Worse"),)),
    Invalid((FieldError("born", "The date of birth is in the future."),)),
    TooLarge(10 * 1024 * 1024),
    Gone("This link has been used."),
    TooMany(90),
    NotWorking("7KQ2"),
)


@pytest.mark.parametrize("problem", EVERY, ids=lambda problem: type(problem).__name__)
def test_every_problem_is_a_sentence_and_a_next_step(problem: Problem) -> None:
    assert 400 <= problem.status < 600
    assert problem.title
    assert not problem.title.endswith(".")
    assert problem.sentence.endswith(".")
    assert problem.what_to_do.endswith(".")
    assert str(problem) == problem.sentence


def test_each_has_its_own_status() -> None:
    assert [problem.status for problem in EVERY] == [404, 403, 401, 409, 422, 413, 410, 429, 500]


def test_a_conflict_carries_both_texts() -> None:
    conflict = Conflict((Clash("Progress", "Better", "Worse"),), "Rosa Whitlow")
    assert (conflict.clashes[0].yours, conflict.clashes[0].theirs) == ("Better", "Worse")
    assert conflict.sentence.startswith("Rosa Whitlow saved")
    assert Conflict(()).sentence.startswith("Somebody else saved")


def test_wrong_answers_are_counted() -> None:
    invalid = Invalid(
        (
            FieldError("born", "The date of birth is in the future."),
            FieldError("name", "Enter a name."),
        )
    )
    assert invalid.sentence.startswith("2 answers need")
    assert Invalid.because("name", "Enter a name.").sentence.startswith("One answer needs")


@pytest.mark.parametrize(
    ("wait", "words"),
    [(1, "1 second."), (45, "45 seconds."), (60, "1 minute."), (61, "2 minutes.")],
)
def test_how_long_to_wait(wait: int, words: str) -> None:
    assert TooMany(wait).what_to_do.endswith(words)


@pytest.mark.parametrize(
    ("limit", "words"), [(10 * 1024 * 1024, "10 MB"), (1_500, "1 KB"), (512 * 1024, "512 KB")]
)
def test_how_large(limit: int, words: str) -> None:
    assert words in TooLarge(limit).sentence
