"""After the invented panel's meetings: notes are written, sent, read and answered."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from email.message import EmailMessage
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select

from panel.accounts.service import SignedIn
from panel.demo import places
from panel.demo.crew import Crew
from panel.panels.models import AgendaItem, Meeting
from panel.panels.note_answers import (
    MOST_NOTES,
    READABLE,
    answer_note,
    delivery_of,
    open_own_note,
    own_notes,
    recall,
    reply_to,
    take_step,
)
from panel.panels.note_context import gather
from panel.panels.note_marks import Mark
from panel.panels.note_models import FamilyNote, NoteAnswer, NoteDelivery
from panel.panels.note_rules import Answer, HeldBack, IncidentKind, Step, Way
from panel.panels.note_sending import (
    NO_ADDRESS,
    another_way,
    post_letters,
    send_notes,
    settle_deliveries,
    stop_recalled,
)
from panel.panels.notes import (
    NoteOf,
    NotePage,
    Sending,
    keep_mark,
    note_of,
    read_note,
    save_note,
    sign_off,
    stored_note,
)
from panel.panels.referrals import open_referral
from panel.panels.still_may_go import still_may_go
from panel.plans.service import current_leads
from panel.platform.outbox import Bounced, NotSent, send_due
from panel.records.dates import working_days_after
from panel.register.models import Child

KEY = places.PANEL_KEY
WRITING = "wrote the notes to the family"


class Post:
    """The invented way out: some addresses do not exist, and now and then the server is away."""

    def __init__(self, crew: Crew) -> None:
        """Args: whose luck decides."""
        self._crew = crew

    async def send(self, message: EmailMessage) -> None:
        """Take a message. Raises Bounced, NotSent."""
        address = str(message["To"])
        if address.endswith("@families.example"):
            if self._crew.happens(0.05, "no such address", address):
                raise Bounced("The mail server says that there is no such address.")
            if self._crew.happens(0.05, "away", address, self._crew.today):
                raise NotSent("The mail server did not take it (TimeoutError).")


async def post_goes_out(crew: Crew) -> None:
    """What the scheduler does: notes into the outbox, messages and letters out, what came of it."""
    async with crew.as_job() as (session, _):
        await stop_recalled(session)
    while await send_notes(crew.gate, crew.site_url):
        crew.later(1)
    async with crew.as_job() as (session, _):
        may_go = still_may_go(crew.tenant, crew.site_url)
        while await send_due(session, Post(crew), crew.clock.now(), may_go=may_go):
            pass
        await post_letters(session)
        await settle_deliveries(session)


# Writing them -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Owed:
    """A child whose notes are not signed off."""

    child: UUID
    reference: str


async def notes_not_signed(crew: Crew, day: date) -> list[Owed]:
    """The children who were talked about on a day and whose notes are not signed off."""
    async with crew.as_job() as (session, panel):
        signed = select(FamilyNote.child_id).where(
            FamilyNote.meeting_id == Meeting.id, FamilyNote.state != "draft"
        )
        rows = await session.execute(
            select(Child.id, Child.reference)
            .join(AgendaItem, AgendaItem.child_id == Child.id)
            .join(Meeting, Meeting.id == AgendaItem.meeting_id)
            .where(
                Meeting.panel_id == panel.id,
                Meeting.held_on == day,
                AgendaItem.state == "discussed",
                Child.id.not_in(signed),
            )
            .order_by(Child.reference)
        )
        return [Owed(row.id, row.reference) for row in rows]


async def write_notes(crew: Crew, day: date) -> int:
    """Those whose turn it is today are written, checked and signed off; how many were."""
    signed = 0
    for owed in await notes_not_signed(crew, day):
        luck = crew.luck("note", owed.reference, day)
        turn = 7 if luck.random() < 0.03 else luck.randint(1, 5)
        if crew.today < working_days_after(day, turn):
            continue
        who = await _writer(crew, owed, likely_lead=luck.random() < 0.6)
        await write_note(crew, day, owed, who)
        signed += 1
    return signed


async def _writer(crew: Crew, owed: Owed, *, likely_lead: bool) -> SignedIn:
    """The lead professional; or the coordinator, while the child is before the panel."""
    async with crew.as_job() as (session, panel):
        leads = await current_leads(session, [owed.child])
        is_open = await open_referral(session, owed.child, panel.id) is not None
    lead = crew.worker(leads[owed.child].worker_id) if owed.child in leads else None
    if lead is None or (is_open and not likely_lead):
        return crew.coordinator
    return lead


async def write_note(crew: Crew, day: date, owed: Owed, who: SignedIn) -> None:
    """One note: saved as drafted, what is marked taken out or kept with a reason, signed off."""
    async with _note(crew, owed.child, day, who, WRITING) as of:
        await _save_without_marks(of, await read_note(of))
    crew.later(5)
    async with _note(crew, owed.child, day, who, "signed the notes off") as of:
        page = await read_note(of)
        await sign_off(of, _sendings(crew, page, owed, day), page.note.version)


@asynccontextmanager
async def _note(
    crew: Crew, child: UUID, day: date, who: SignedIn, doing: str
) -> AsyncIterator[NoteOf]:
    """The note of a child and meeting, for somebody who may write it."""
    gathered = await gather(crew.tenant, child, KEY, day)
    async with crew.opened(child, who, doing) as access:
        yield await note_of(access, gathered, KEY, day, who.may_coordinate)


async def _save_without_marks(of: NoteOf, page: NotePage) -> None:
    """What may not stay is taken out; what may is kept, with the reason."""
    words = _without(page.note.text, [one for one in page.open_marks if not one.may_be_kept])
    version = (await save_note(of, words, page.note.version)).version
    for one in {mark.key: mark for mark in page.open_marks if mark.may_be_kept}.values():
        await keep_mark(of, *one.key, "The family knows this, and said it themselves.", version)
        row = await stored_note(of)
        version = version if row is None else row.version


def _without(text: str, found: list[Mark]) -> str:
    for one in sorted(found, key=lambda mark: -mark.start):
        text = text[: one.start] + "somebody" + text[one.end :]
    return text


def _sendings(crew: Crew, page: NotePage, owed: Owed, day: date) -> list[Sending]:
    """How each is reached; now and then it is held back, by one of the two tests."""
    sendings = []
    for gets in page.who_gets:
        luck = crew.luck("sending", owed.reference, day, gets.who.relationship)
        if luck.random() < 0.04:
            test = luck.choice(list(HeldBack))
            why = "The paediatrician fears for somebody if this is read now."
            sendings.append(Sending(gets.who.person, None, test, why))
        else:
            usual = Way.EMAIL if luck.random() < 0.7 else Way.LETTER
            sendings.append(Sending(gets.who.person, gets.way or usual))
    return sendings


# What came back ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Copy:
    """One person's copy of a note."""

    delivery: UUID
    note: UUID
    meeting: UUID
    held_on: date
    child: UUID
    reference: str
    person: UUID
    state: str
    failure: str


async def copies(crew: Crew, *where: ColumnElement[bool]) -> list[Copy]:
    """Copies of notes that fit, by reference; of one child in the order they were made."""
    async with crew.as_job() as (session, panel):
        rows = await session.execute(
            select(NoteDelivery, FamilyNote.meeting_id, Meeting.held_on, Child.reference)
            .join(FamilyNote, FamilyNote.id == NoteDelivery.note_id)
            .join(Meeting, Meeting.id == FamilyNote.meeting_id)
            .join(Child, Child.id == NoteDelivery.child_id)
            .where(Meeting.panel_id == panel.id, *where)
            .order_by(Meeting.held_on, Child.reference, NoteDelivery.id)
        )
        return [
            Copy(
                one.id, one.note_id, meeting, held_on, one.child_id, reference, one.person_id,
                one.state, one.failure or "",
            )
            for one, meeting, held_on, reference in rows
        ]  # fmt: skip


async def send_what_came_back(crew: Crew) -> int:
    """Copies that bounced, or for which no address is kept, go by letter; how many."""
    never_out = and_(NoteDelivery.state == "waiting", NoteDelivery.failure == NO_ADDRESS)
    back = await copies(crew, or_(NoteDelivery.state == "bounced", never_out))
    sent = 0
    for one in back:
        who = await _writer(crew, Owed(one.child, one.reference), likely_lead=False)
        async with _note(crew, one.child, one.held_on, who, "sent the notes once more") as of:
            delivery = await delivery_of(of.access, one.meeting, one.delivery)
            await another_way(of.session, delivery, Way.LETTER)
        sent += 1
    return sent


async def families_read(crew: Crew) -> tuple[int, int]:
    """Some of those who have a note open it and answer; how many read, and how many disagreed."""
    unread = await copies(
        crew, NoteDelivery.state.in_(READABLE), NoteDelivery.opened_at.is_(None),
        NoteDelivery.sent_at.is_not(None),
    )  # fmt: skip
    read = disagreed = 0
    for place, one in enumerate(unread):
        who = (one.reference, one.held_on, _which(unread, place))
        if not crew.happens(0.85, "ever reads", *who) or not crew.happens(
            0.3, "reads", *who, crew.today
        ):
            continue
        async with crew.at_home(one.child, one.person, "read the notes") as access:
            own = {note.id for note in await own_notes(access, MOST_NOTES)}
            if one.note not in own:
                continue
            await open_own_note(access, one.note)
        read += 1
        answer = _answer(crew.luck("answers", *who).random())
        if answer is None:
            continue
        async with crew.at_home(one.child, one.person, "answered the notes") as access:
            await answer_note(access, one.note, answer, _said(answer))
        disagreed += answer is Answer.DISAGREE
    return read, disagreed


def _which(found: list[Copy], place: int) -> int:
    """How many copies of the same note were made before this one."""
    return sum(one.note == found[place].note for one in found[:place])


def _answer(fate: float) -> Answer | None:
    for upto, answer in (
        (0.4, Answer.AGREE),
        (0.5, Answer.DISAGREE),
        (0.55, Answer.COULD_NOT_SAY),
        (0.65, Answer.QUESTION),
    ):
        if fate < upto:
            return answer
    return None


def _said(answer: Answer) -> str:
    return {
        Answer.AGREE: "",
        Answer.DISAGREE: "The mornings are not easier. Please write that down.",
        Answer.COULD_NOT_SAY: "I wanted to talk about the school.",
        Answer.QUESTION: "When is the appointment?",
    }[answer]


async def reply_to_questions(crew: Crew) -> int:
    """Whoever holds the plan, or the coordinator, replies; how many questions."""
    async with crew.as_job() as (session, _):
        rows = await session.execute(
            select(NoteAnswer.id, NoteAnswer.child_id, FamilyNote.meeting_id, Child.reference)
            .join(FamilyNote, FamilyNote.id == NoteAnswer.note_id)
            .join(Child, Child.id == NoteAnswer.child_id)
            .where(NoteAnswer.answer == Answer.QUESTION.value, NoteAnswer.replied_at.is_(None))
            .order_by(Child.reference, NoteAnswer.id)
        )
        waiting = rows.all()
    for row in waiting:
        who = await _writer(crew, Owed(row.child_id, row.reference), likely_lead=True)
        async with crew.opened(row.child_id, who, "replied to a question") as access:
            await reply_to(access, row.meeting_id, row.id, "On Monday at ten, at the centre.")
    return len(waiting)


async def something_went_wrong(crew: Crew, day: date) -> int:
    """Now and then a copy went to an old address: it is recalled, and the steps are taken."""
    sent = await copies(crew, Meeting.held_on == day, NoteDelivery.state == "sent")
    if not sent or not crew.happens(0.2, "wrong address", day):
        return 0
    one = crew.luck("which copy", day).choice(sent)
    who = await _writer(crew, Owed(one.child, one.reference), likely_lead=False)
    async with crew.opened(one.child, who, "recalled the notes") as access:
        why = "The family had moved."
        incident = await recall(access, one.meeting, one.delivery, IncidentKind.WRONG_ADDRESS, why)
        for step in Step:
            await take_step(access, one.meeting, incident.id, step)
    return 1
