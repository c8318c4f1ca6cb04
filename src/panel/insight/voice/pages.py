"""What the pages of families' voice say; those of families in words that are used at home."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from panel.insight.voice.answering import Answers, OwnSurvey, ShownSurvey
from panel.insight.voice.rules import (
    ANSWERS,
    ASKED,
    OCCASIONS,
    OPEN_FOR,
    SurveyState,
    closes_on,
)
from panel.web import words

READERS = (
    ("nobody", "Nobody who helps us", "Your answers are only counted."),
    ("helpers", "The people who help us", "They see your answers and your name."),
)
CHOICES = tuple((str(value), said) for value, said in ANSWERS.items())


@dataclass(frozen=True, slots=True)
class SurveyPage:
    """The questions for one of the family, or what they answered."""

    title: str
    lead: str
    thanks: str
    who_sees: Sequence[str]
    questions: Sequence[tuple[str, str]]
    """Each question's code, and the question."""
    answered: Sequence[tuple[str, str]]
    """What was answered, where it cannot be changed any more."""
    may_answer: bool
    may_take_back: bool
    action: str
    version: int


def survey_path(child_id: UUID, survey_id: UUID) -> str:
    """Where somebody answers."""
    return f"/family/{child_id}/surveys/{survey_id}"


def survey_page(one: OwnSurvey, name: str) -> SurveyPage:
    """The page. `name`: what the child is called; "" where who reads is the young person."""
    occasion, day = OCCASIONS[one.occasion], words.day(one.held_on)
    is_answered = one.state is SurveyState.ANSWERED
    return SurveyPage(
        title="What was it like for you?",
        lead=f"Five short questions about {occasion} on {day}. You do not have to answer."
        " Your help does not change, whatever you say.",
        thanks=_what_became(one),
        who_sees=who_sees(name),
        questions=tuple(ASKED.items()),
        answered=() if one.is_open or not is_answered else answer_lines(one.answers),
        may_answer=one.is_open,
        may_take_back=is_answered,
        action=survey_path(one.child_id, one.id),
        version=one.version,
    )


def _what_became(one: OwnSurvey) -> str:
    if one.state is SurveyState.ANSWERED:
        until = f" You can change it until {words.day(closes_on(one.offered_on))}."
        return f"Thank you. Your answers are kept.{until if one.is_open else ''}"
    if one.state is SurveyState.WITHDRAWN:
        return "You took your answers back. Nothing of them is kept."
    if one.state is SurveyState.DISMISSED:
        return "You did not want to answer. That is all right."
    if not one.is_open:
        return f"These questions are closed. You could answer them for {OPEN_FOR.days} days."
    return ""


def who_sees(name: str) -> Sequence[str]:
    """Who reads what somebody answers: what the product does, and no more than that."""
    whom, whose = (name, f"{name}’s") if name else ("you", "your")
    return (
        (
            "We count your five answers with those of other families. People who plan services get"
            " the figures. We change each figure a little, so that nobody can find you in it."
        ),
        (
            f"The people who help {whom} do not see what you say, or if you answered. They see it"
            " only if you choose that below."
        ),
        "Other people in your family do not see it here.",
        (
            "People who plan services never read your own words. The words are in no figure. They"
            f" are locked with {whose} own key."
        ),
        (
            "If somebody asks for a copy of all that is kept, one person at the council makes it:"
            " the information governance lead. They can read your answers then. They see that they"
            " are yours, and may leave them out of a copy for somebody else."
        ),
        "You can take your answers back at any time. Figures that are out by then stay.",
    )


def answer_lines(answers: Answers) -> Sequence[tuple[str, str]]:
    """Each question with its answer, and the words, where there are any."""
    said = [
        (ASKED[question], ANSWERS[value])
        for question, value in answers.given.items()
        if value is not None
    ]
    return [*said, ("In your own words", answers.own_words)] if answers.own_words else said


def filled_with(answers: Answers) -> dict[str, object]:
    """What stands in the form at first."""
    given = {
        question: "" if value is None else str(value) for question, value in answers.given.items()
    }
    readers = "helpers" if answers.is_shown else "nobody"
    return {**given, "own_words": answers.own_words, "readers": readers}


@dataclass(frozen=True, slots=True)
class ShownLines:
    """What one of the family let workers read."""

    heading: str
    lines: Sequence[tuple[str, str]]
    words: str


def shown_lines(one: ShownSurvey) -> ShownLines:
    """As the page of a record says it."""
    held_on = words.short_day(one.held_on)
    said = Answers(one.answers.given)
    return ShownLines(
        f"{one.who}, about {OCCASIONS[one.occasion]} on {held_on}",
        answer_lines(said),
        one.answers.own_words,
    )
