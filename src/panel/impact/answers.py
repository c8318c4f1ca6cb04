"""What the family makes of the minutes: they read, comment and sign them, and keep a copy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from consent import OF_THE_FAMILY, Category, ViewerKind
from panel.impact.models import ImpactMeeting, ImpactMinutes, MinutesAnswer, MinutesCopy
from panel.panels.note_answers import who_words
from panel.panels.note_sending import why_not_for
from panel.platform.problems import FieldError, Invalid, NotAllowed, NotFound, Problem
from panel.records.gate import Access

NOT_YOURS = "There are no minutes here for you."
BACK = "Go back to your own page."
AGREES_WORDS = {
    "agree": "I agree with these minutes.",
    "disagree": "I do not agree with these minutes.",
    "could_not_say": "I could not say what I wanted to say.",
}


@dataclass(frozen=True, slots=True)
class OwnMinutes:
    """The minutes as one of the family reads them."""

    id: UUID
    child_id: UUID
    meeting_id: UUID
    held_on: date
    number: int
    text: str
    is_new: bool
    answers: tuple["AnswerLine", ...] = ()
    """Theirs alone, oldest first."""

    @property
    def signed(self) -> "AnswerLine | None":
        """Their signature."""
        return next((one for one in self.answers if one.signed_at is not None), None)


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """What one of the family said of the minutes; a text is None where it is withheld."""

    who: str
    agrees: str | None
    words: str | None
    signed_name: str | None
    said_at: datetime
    signed_at: datetime | None


async def own_minutes(access: Access) -> Sequence[OwnMinutes]:
    """The minutes that this person was sent, newest first: of each meeting the newest version."""
    rows = await access.session.execute(
        select(ImpactMinutes, MinutesCopy, ImpactMeeting.held_on)
        .join(MinutesCopy, MinutesCopy.minutes_id == ImpactMinutes.id)
        .join(ImpactMeeting, ImpactMeeting.id == ImpactMinutes.meeting_id)
        .where(
            ImpactMinutes.child_id == access.child_id,
            ImpactMinutes.state == "sent",
            MinutesCopy.person_id == access.viewer.id,
            MinutesCopy.state == "open",
        )
        .order_by(ImpactMeeting.held_on.desc(), ImpactMinutes.number.desc())
        .limit(100)
    )
    found: dict[UUID, OwnMinutes] = {}
    for row, copy, held_on in rows.all():
        if row.meeting_id not in found and not why_not_for(access, row.categories):
            found[row.meeting_id] = OwnMinutes(
                row.id, row.child_id, row.meeting_id, held_on, row.number, row.text,
                copy.opened_at is None,
            )  # fmt: skip
    return list(found.values())


async def open_own(access: Access, minutes_id: UUID) -> OwnMinutes:
    """Minutes for their reader, who has opened them now. Raises NotFound for others'."""
    found = next((one for one in await own_minutes(access) if one.id == minutes_id), None)
    if found is None:
        raise NotFound(NOT_YOURS, BACK)
    copy = await access.session.scalar(
        select(MinutesCopy).where(
            MinutesCopy.minutes_id == minutes_id, MinutesCopy.person_id == access.viewer.id
        )
    )
    if copy is not None and copy.opened_at is None:
        copy.opened_at = access.at
        await access.session.flush()
    rows = await access.session.scalars(
        select(MinutesAnswer)
        .where(MinutesAnswer.minutes_id == minutes_id, MinutesAnswer.person_id == access.viewer.id)
        .order_by(MinutesAnswer.said_at, MinutesAnswer.id)
    )
    lines = tuple(
        AnswerLine("You", one.agrees, one.words, one.signed_name, one.said_at, one.signed_at)
        for one in rows
    )
    return OwnMinutes(
        found.id, found.child_id, found.meeting_id, found.held_on, found.number, found.text,
        found.is_new, lines,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Signature:
    """How somebody signs: whether they agree, in their words, with their name and a tick."""

    agrees: str | None
    words: str
    name: str
    is_ticked: bool


async def comment(access: Access, minutes_id: UUID, words: str) -> None:
    """One of the family says something of the minutes, without signing. Raises Invalid."""
    await _for_answer(access, minutes_id)
    if not words.strip():
        raise Invalid.because("comment", "Write what you want to say")
    _add(access, minutes_id, None, words)
    await access.session.flush()


async def sign(access: Access, minutes_id: UUID, given: Signature) -> None:
    """One of the family signs: their name as they typed it, a tick, and when; agreeing or not.

    Raises Invalid for what is missing, Problem where they signed already, NotFound, NotAllowed.
    """
    own = await _for_answer(access, minutes_id)
    if own.signed is not None:
        raise Problem(
            409, "You signed these minutes", "You have signed these minutes already.",
            "You can still write what you think of them.",
        )  # fmt: skip
    errors = []
    if given.agrees is None:
        errors.append(FieldError("agrees", "Choose one"))
    if not given.name.strip():
        errors.append(FieldError("name", "Type your name"))
    if not given.is_ticked:
        errors.append(FieldError("is_ticked", "Tick the box to sign"))
    if given.agrees == "disagree" and not given.words.strip():
        errors.append(FieldError("words", "Write what you do not agree with"))
    if errors:
        raise Invalid(tuple(errors))
    row = _add(access, minutes_id, given.agrees, given.words)
    row.signed_name, row.signed_at = given.name.strip(), access.at
    await access.session.flush()


async def _for_answer(access: Access, minutes_id: UUID) -> OwnMinutes:
    if access.viewer.kind is not ViewerKind.FAMILY or not access.ties & OF_THE_FAMILY:
        raise NotAllowed("Only this child’s family can answer here.")
    # One answer at a time: a signature is given once.
    await access.session.scalar(
        select(MinutesCopy.id)
        .where(MinutesCopy.minutes_id == minutes_id, MinutesCopy.person_id == access.viewer.id)
        .with_for_update()
    )
    return await open_own(access, minutes_id)


def _add(access: Access, minutes_id: UUID, agrees: str | None, words: str) -> MinutesAnswer:
    row = MinutesAnswer(
        child_id=access.child_id,
        minutes_id=minutes_id,
        person_id=access.viewer.id,
        agrees=agrees,
        said_at=access.at,
    )
    row.words = words.strip()
    access.session.add(row)
    return row


# What the team reads of it ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CopyLine:
    """One person's copy, for the team."""

    who: str
    person: UUID
    state: str
    number: int
    held_back_test: str | None
    held_back_why: str | None
    opened_at: datetime | None


async def copies_of(
    access: Access, meeting: ImpactMeeting, names: Mapping[UUID, str]
) -> Sequence[CopyLine]:
    """For whom the minutes of a meeting are open or held back, the newest version first."""
    rows = await access.session.execute(
        select(MinutesCopy, ImpactMinutes)
        .join(ImpactMinutes, ImpactMinutes.id == MinutesCopy.minutes_id)
        .where(ImpactMinutes.meeting_id == meeting.id)
        .order_by(ImpactMinutes.number.desc(), MinutesCopy.id)
    )
    return [
        CopyLine(
            who_words(copy.person_id, dict(names)), copy.person_id, copy.state, row.number,
            copy.held_back_test,
            copy.held_back_why if access.may(Category.PANEL, row.author_agency_id) else None,
            copy.opened_at,
        )
        for copy, row in rows.all()
    ]  # fmt: skip


async def answers_of(
    access: Access, meeting: ImpactMeeting, names: Mapping[UUID, str]
) -> Sequence[AnswerLine]:
    """What the family said of the minutes of a meeting, newest first, as the viewer may see it."""
    rows = await access.session.scalars(
        select(MinutesAnswer)
        .join(ImpactMinutes, ImpactMinutes.id == MinutesAnswer.minutes_id)
        .where(ImpactMinutes.meeting_id == meeting.id)
        .order_by(MinutesAnswer.said_at.desc(), MinutesAnswer.id.desc())
    )
    lines = []
    for one in rows:
        sees = access.may(Category.VIEWS, None, one.person_id)
        lines.append(
            AnswerLine(
                who_words(one.person_id, dict(names)), one.agrees, one.words if sees else None,
                one.signed_name if sees else None, one.said_at, one.signed_at,
            )
        )  # fmt: skip
    return lines
