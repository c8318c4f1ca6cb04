"""The survey after a panel or a review: its questions, its answers, and how long it is open.

Pure. The five questions are those of the core offer to families of disabled children, by which
councils were once measured (national indicator 54; DOMAIN.md, "Commissioning").
"""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum

from panel.insight.core.words import QUESTIONS

OPEN_FOR = timedelta(days=42)
"""How long somebody may answer: six weeks, so that most answers come in the term of the meeting."""
CANNOT_SAY = 0


class Occasion(StrEnum):
    """What a family is asked after."""

    PANEL = "panel"
    REVIEW = "review"


class SurveyState(StrEnum):
    """What became of an offer."""

    OFFERED = "offered"
    ANSWERED = "answered"
    DISMISSED = "dismissed"
    WITHDRAWN = "withdrawn"


ASKED: Mapping[str, str] = {
    "information": "Did you get the information you needed?",
    "assessment": "Did people understand what help is needed?",
    "transparency": "Do you know what was decided, and why?",
    "participation": "Did you have a say in what happens?",
    "feedback": "When you said what you think, did people listen?",
}
"""The questions in the words of a family's page (reading age about 9), by the codes of facts."""
ANSWERS: Mapping[int, str] = {
    5: "Yes, fully",
    4: "Mostly",
    3: "Partly",
    2: "Not much",
    1: "Not at all",
    CANNOT_SAY: "I cannot say",
}
OCCASIONS: Mapping[Occasion, str] = {
    Occasion.PANEL: "the panel’s meeting",
    Occasion.REVIEW: "the review",
}

if ASKED.keys() != QUESTIONS.keys():
    raise ImportError("The questions of the survey are not those of the facts.")


def occasion_of(why: str) -> Occasion:
    """What a discussion was, by why the child was on the agenda that day."""
    return Occasion.REVIEW if why == "review_due" else Occasion.PANEL


def is_open(state: SurveyState, offered_on: date, today: date) -> bool:
    """Whether it may be answered now, or what was answered changed."""
    may = state in (SurveyState.OFFERED, SurveyState.ANSWERED)
    return may and offered_on <= today <= offered_on + OPEN_FOR


def closes_on(offered_on: date) -> date:
    """The last day on which it may be answered."""
    return offered_on + OPEN_FOR
