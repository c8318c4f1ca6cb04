"""What one of the family answers, changes and takes back; and what they show to workers.

Each has their own: what a mother answered, the father does not read, nor does any worker, but where
she showed it. Facts take the five answers and nothing else (`insight.sources`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Select, select

from consent import OF_THE_FAMILY, Category, Tie, ViewerKind
from panel.insight.core.words import QUESTIONS
from panel.insight.voice.models import Survey
from panel.insight.voice.rules import (
    ANSWERS,
    ASKED,
    OPEN_FOR,
    Occasion,
    SurveyState,
    is_open,
)
from panel.panels.models import Meeting
from panel.platform.problems import Clash, Conflict, Invalid, NotAllowed, NotFound
from panel.records.gate import Access
from panel.register.models import Child
from panel.register.service import people_of
from panel.web.words import upper_first

MOST = 20
"""Surveys of one person and child that a page lists, newest first."""
CHILD = "your child"
NOT_HERE = "There are no questions here for you."
BACK = "Go back to your own page."


@dataclass(frozen=True, slots=True)
class Answers:
    """What somebody says: an answer to each question, or none; their words; whether to show it."""

    given: Mapping[str, int | None]
    own_words: str = ""
    is_shown: bool = False


@dataclass(frozen=True, slots=True)
class OwnSurvey:
    """The questions after one meeting, for the person who was asked."""

    id: UUID
    child_id: UUID
    occasion: Occasion
    held_on: date
    offered_on: date
    state: SurveyState
    answers: Answers
    is_open: bool
    version: int


@dataclass(frozen=True, slots=True)
class ShownSurvey:
    """What one of the family answered and let those who work with the child read."""

    who: str
    occasion: Occasion
    held_on: date
    answered_at: datetime
    answers: Answers


async def own_surveys(access: Access) -> list[OwnSurvey]:
    """Theirs, newest first: what they may answer, and what they answered."""
    rows = await access.session.execute(
        _of_theirs(access).order_by(Meeting.held_on.desc(), Survey.id).limit(MOST)
    )
    return [_own(access, row, held_on) for row, held_on in rows]


def _of_theirs(access: Access) -> Select[Survey, date]:
    return (
        select(Survey, Meeting.held_on)
        .join(Meeting, Meeting.id == Survey.meeting_id)
        .where(Survey.child_id == access.child_id, Survey.person_id == access.viewer.id)
    )


async def open_own(access: Access, survey_id: UUID) -> OwnSurvey:
    """One of theirs, however old. Raises NotFound for any that is not."""
    rows = await access.session.execute(_of_theirs(access).where(Survey.id == survey_id))
    for row, held_on in rows:
        return _own(access, row, held_on)
    raise NotFound(NOT_HERE, BACK)


async def answer(access: Access, survey_id: UUID, version: int, answers: Answers) -> None:
    """Keep what they say, or what they say instead.

    Raises Invalid where nothing is answered, or where words are to be read by nobody; Conflict
    where they changed it elsewhere meanwhile; NotAllowed after six weeks, and for anybody else;
    NotFound.
    """
    row = await _own_row(access, survey_id)
    if all(one is None for one in answers.given.values()):
        raise Invalid.because(next(iter(QUESTIONS)), "Answer at least one question")
    if answers.own_words and not answers.is_shown:
        raise Invalid.because(
            "own_words",
            "Nobody would read these words. Choose that the people who help may read them, or"
            " leave this empty",
        )
    _unless_changed(row, version, answers)
    if not is_open(SurveyState(row.state), row.offered_on, access.today):
        raise NotAllowed(
            f"These questions are closed. They could be answered for {OPEN_FOR.days} days.",
            "You can always tell the panel something on your own page.",
        )
    for question in QUESTIONS:
        setattr(row, question, answers.given.get(question))
    row.own_words, row.is_shown = answers.own_words, answers.is_shown
    row.state, row.answered_at = SurveyState.ANSWERED.value, access.at
    await access.session.flush()


async def dismiss(access: Access, survey_id: UUID, version: int) -> None:
    """They do not want to answer: it is not offered again."""
    row = await _own_row(access, survey_id)
    _unless_changed(row, version)
    if row.state == SurveyState.OFFERED:
        row.state = SurveyState.DISMISSED.value
        await access.session.flush()


async def withdraw(access: Access, survey_id: UUID, version: int) -> None:
    """Take back all that was answered: nothing of it is kept, and no later figure counts it."""
    row = await _own_row(access, survey_id)
    _unless_changed(row, version)
    for question in QUESTIONS:
        setattr(row, question, None)
    row.own_words, row.is_shown, row.answered_at = "", False, None
    row.state = SurveyState.WITHDRAWN.value
    await access.session.flush()


async def shown_to_workers(access: Access) -> list[ShownSurvey]:
    """What the family let those who work with the child read, newest first, as far as this one may.

    Whether somebody answered without showing it is told nobody.
    """
    rows = await access.session.execute(
        select(Survey, Meeting.held_on)
        .join(Meeting, Meeting.id == Survey.meeting_id)
        .where(
            Survey.child_id == access.child_id,
            Survey.is_shown,
            Survey.state == SurveyState.ANSWERED.value,
        )
        .order_by(Survey.answered_at.desc(), Survey.id)
        .limit(MOST)
    )
    found = [
        (row, held_on) for row, held_on in rows if access.may(Category.VIEWS, None, row.person_id)
    ]
    names = await _names(access) if found else {}
    return [
        ShownSurvey(
            names.get(row.person_id) or "One of the family",
            Occasion(row.occasion),
            held_on,
            row.answered_at or access.at,
            _answers(row),
        )
        for row, held_on in found
    ]


async def _names(access: Access) -> dict[UUID, str]:
    """Of the family, as this viewer may know them."""
    family = (await people_of(access)).family
    return {one.member_id: upper_first(one.name or one.relationship) for one in family}


def _own(access: Access, row: Survey, held_on: date) -> OwnSurvey:
    state = SurveyState(row.state)
    return OwnSurvey(
        row.id,
        row.child_id,
        Occasion(row.occasion),
        held_on,
        row.offered_on,
        state,
        _answers(row),
        is_open(state, row.offered_on, access.today),
        row.version,
    )


def _answers(row: Survey) -> Answers:
    given = {question: getattr(row, question) for question in QUESTIONS}
    return Answers(given, row.own_words, row.is_shown)


async def _own_row(access: Access, survey_id: UUID) -> Survey:
    """The row of who was asked. Raises NotAllowed for who is not of the family, NotFound."""
    if access.viewer.kind is not ViewerKind.FAMILY or not access.ties & OF_THE_FAMILY:
        raise NotAllowed("Only this child’s family can answer here.")
    row = await access.session.get(Survey, survey_id)
    if row is None or row.child_id != access.child_id or row.person_id != access.viewer.id:
        raise NotFound(NOT_HERE, BACK)
    return row


def _unless_changed(row: Survey, version: int, sent: Answers | None = None) -> None:
    """Raise Conflict, with both, where they answered elsewhere since they opened the page."""
    if row.version == version:
        return
    now = _answers(row)
    clashes = [Clash("Your answers", _in_words(sent), _in_words(now))]
    if sent is not None and sent.own_words != now.own_words:
        clashes.append(Clash("In your own words", sent.own_words, now.own_words))
    raise Conflict(tuple(clashes), "You, on another page,")


def _in_words(answers: Answers | None) -> str:
    given = {} if answers is None else answers.given
    said = [
        f"{ASKED[question]} {ANSWERS[value]}"
        for question, value in given.items()
        if value is not None
    ]
    return " ".join(said) or "Nothing is answered"


async def own_name(access: Access) -> str:
    """What the child is called, for one of the family; "" for the young person themselves."""
    if Tie.SELF in access.ties:
        return ""
    if not access.may(Category.IDENTITY):
        return CHILD
    child = await access.session.get_one(Child, access.child_id)
    return child.known_as or child.given_name or CHILD
