"""The family's letter about a decision: drafted, compared, approved, sent, read.

It is compared with names and addresses as notes are, and sent as notes are: to each person with
parental responsibility by their own safe contact, as the record allows at that moment.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Decision, Purpose, Tie, Viewer, ViewerKind
from panel.allocation.appeal_service import clock_from
from panel.allocation.before_panel import keep_tied
from panel.allocation.decision_service import standing_decision
from panel.allocation.letter_rules import LetterFacts, fixed_words, letter_text
from panel.allocation.models import (
    DecisionLetter,
    LetterCopy,
    RequestDecision,
    ServiceRequest,
)
from panel.allocation.request_service import request_of, require_reader
from panel.allocation.rules import Kind, LegalBasis, units_words
from panel.panels.calendar import settings_of
from panel.panels.models import Panel
from panel.panels.note_context import Gathered
from panel.panels.note_marks import Mark, MarkKind, marks, without_addresses
from panel.panels.note_rules import RING_WHOM_YOU_KNOW, Recipient, Way, why_not_sent
from panel.panels.note_sending import (
    LETTER_READY,
    NO_ADDRESS,
    Letter,
    on_the_envelope,
    reached_now,
    why_not_for,
)
from panel.panels.notes import note_recipients
from panel.panels.reading_age import TOO_HARD, hardest, reading_age
from panel.platform import outbox
from panel.platform.problems import FieldError, Invalid, NotAllowed, NotFound, Problem
from panel.platform.tables import NOW
from panel.platform.tenancy import load_keys
from panel.platform.work_tables import OutboxMessage
from panel.records.child_scoped import JOB
from panel.records.gate import NOT_HERE, Access, Gate
from panel.records.restricted_use import is_use_restricted
from panel.register.header import child_header
from panel.sharing.standing import possible_givers

TITLE = "A letter from the panel"
SUBJECT = "There is a letter for you"
DOING = "was sent the letter about a decision"
REPLACED = "The panel decided again before it went: the family gets the letter about that."
MOST = 50
"""Copies in one go; the rest a minute later."""
MOST_READ = 50
"""Of the letters to one person about a child, the newest."""
_READABLE = ("waiting", "sent", "opened")


@dataclass(frozen=True, slots=True)
class Gets:
    """Somebody who gets the letter, how, and why not where the record keeps it from them."""

    who: Recipient
    name: str
    way: Way | None
    """None where words are kept on how to reach them safely: a person chooses."""
    refused: str


@dataclass(frozen=True, slots=True)
class LetterDraft:
    """A letter before it is approved."""

    request: ServiceRequest
    decision: RequestDecision
    body: str
    marks: tuple[Mark, ...]
    """What may be about somebody else, or tell where somebody is."""
    reading_age: int
    """Of the fixed text, in years."""
    whole_age: int
    """Of all of it as it goes, with what people wrote in it."""
    hardest: tuple[str, ...]
    """Its sentences that are hardest to read, where the whole is too hard."""
    gets: tuple[Gets, ...]

    @property
    def as_read(self) -> str:
        """The same for the same letter to the same people in the same order."""
        said = "\n".join((self.body, *(str(one.who.person) for one in self.gets)))
        return sha256(said.encode()).hexdigest()


async def request_to_write_about(access: Access, request_id: UUID) -> ServiceRequest:
    """A request, for who writes the letter about it. Raises NotFound, NotAllowed."""
    request = await request_of(access, request_id)
    if Tie.PANEL not in access.ties:
        raise NotAllowed("Only the coordinator or the chair of the panel writes this letter.")
    require_reader(access, request)
    return request


async def draft_letter(access: Access, gathered: Gathered, request_id: UUID) -> LetterDraft:
    """The letter about the decision that stands, for who runs the panel. Raises Problem, else."""
    request = await request_to_write_about(access, request_id)
    decision = await standing_decision(access.session, request.id)
    if decision is None or request.panel_id is None:
        raise Problem(409, "Not decided yet", "There is no decision to write about.")
    panel = await access.session.get_one(Panel, decision.panel_id)
    facts = await _facts(access, panel, request, decision)
    body = letter_text(facts)
    whole_age = reading_age(body)
    recipients = await note_recipients(access, access.today)
    names = {one.person: one.name for one in await possible_givers(access)}
    shown = gathered.to([one.person for one in recipients])
    return LetterDraft(
        request,
        decision,
        body,
        _marks(access, gathered, recipients, facts),
        reading_age(fixed_words(facts)),
        whole_age,
        hardest(body) if whole_age > TOO_HARD else (),
        tuple(_gets(one, names, gathered, shown) for one in recipients),
    )


def _gets(
    who: Recipient,
    names: Mapping[UUID, str],
    gathered: Gathered,
    shown: Mapping[UUID, Mapping[Category, Decision]],
) -> Gets:
    return Gets(
        who,
        names.get(who.person, ""),
        gathered.way_to(who.person),
        why_not_sent(shown.get(who.person, {}), ()),
    )


async def _facts(
    access: Access, panel: Panel, request: ServiceRequest, decision: RequestDecision
) -> LetterFacts:
    header = await child_header(access)
    named = access.may(Category.IDENTITY)
    kind = Kind(decision.kind)
    return LetterFacts(
        child=(header.known_as or header.name.split()[0]) if named else "your child",
        asked_for=request.asked_for,
        kind=kind,
        basis=LegalBasis(request.legal_basis or LegalBasis.LOCAL_OFFER),
        decided_on=decision.decided_on,
        how_much=units_words(decision.agreed_units, request.unit)
        if kind in (Kind.AGREED, Kind.IN_PART)
        else "",
        reasons=decision.reasons_for_family,
        conditions=decision.conditions,
        review_on=decision.review_on,
        written_on=access.today,
        ask_again_by=await clock_from(access, panel, access.today),
        advice=settings_of(panel).advice,
    )


def _marks(
    access: Access, gathered: Gathered, recipients: Sequence[Recipient], facts: LetterFacts
) -> tuple[Mark, ...]:
    """What is marked in what people wrote; the fixed words name nobody."""
    context = gathered.context([one.person for one in recipients])
    written = f"{facts.asked_for}\n{facts.reasons}\n{facts.conditions}"
    found = marks(written, context)
    if not access.may(Category.CONTACT):
        found = tuple(map(without_addresses, found))
    return tuple(one for one in found if one.kind is not MarkKind.JARGON)


async def approve_letter(
    access: Access,
    draft: LetterDraft,
    *,
    decision_id: UUID,
    ways: Mapping[UUID, Way],
    kept_why: str,
) -> DecisionLetter:
    """Approve the letter: a copy waits for each person who may be told.

    Raises Problem where the panel decided again since it was read or it was approved already,
    Invalid where a protected word is in it, where names are kept without a reason, and where
    nobody said how to reach somebody safely.
    """
    if draft.decision.id != decision_id:
        raise _decided_again()
    mistakes = _approval_mistakes(draft, ways, kept_why)
    if mistakes:
        raise Invalid(tuple(mistakes))
    # Two people at once: the second waits, and finds it approved, or decided again.
    await access.session.refresh(draft.request, with_for_update=True)
    await access.session.refresh(draft.decision)
    if not draft.decision.stands:
        raise _decided_again()
    if await letter_about(access.session, decision_id) is not None:
        raise Problem(409, "This letter was approved", "It goes out once.", "Read its copies.")
    letter = DecisionLetter(
        child_id=access.child_id,
        decision_id=decision_id,
        approved_on=access.today,
        approved_by=access.viewer.id,
    )
    letter.body, letter.kept_why = draft.body, kept_why.strip()
    access.session.add(letter)
    await access.session.flush()
    for one in draft.gets:
        copy = LetterCopy(
            child_id=access.child_id,
            letter_id=letter.id,
            person_id=one.who.person,
            way=(ways.get(one.who.person) or one.way or Way.LETTER).value,
        )
        copy.failure = one.refused or None
        access.session.add(copy)
    await keep_tied(access.session, draft.request.id)
    return letter


def _decided_again() -> Problem:
    return Problem(
        409,
        "The panel decided again",
        "This letter is about a decision that does not stand any more.",
        "Read the new letter.",
    )


def _approval_mistakes(
    draft: LetterDraft, ways: Mapping[UUID, Way], kept_why: str
) -> list[FieldError]:
    found = []
    never = [one for one in draft.marks if not one.may_be_kept]
    if never:
        found.append(
            FieldError("kept_why", f"{_listed(never)} must not be in this letter. Decide again")
        )
    elif draft.marks and not kept_why.strip():
        found.append(FieldError("kept_why", f"Say why the family may read: {_listed(draft.marks)}"))
    found += [
        FieldError(
            f"way-{place}", "Choose how to reach them: read the words on how to do it safely"
        )
        for place, one in enumerate(draft.gets)
        if one.way is None and one.who.person not in ways and not one.refused
    ]
    return found


def _listed(found: Collection[Mark]) -> str:
    return ", ".join(dict.fromkeys(f"“{one.words}”" for one in found))


async def letter_about(session: AsyncSession, decision_id: UUID) -> DecisionLetter | None:
    """The letter about a decision; None before it was approved."""
    found: DecisionLetter | None = await session.scalar(
        select(DecisionLetter).where(DecisionLetter.decision_id == decision_id)
    )
    return found


async def copies_of(session: AsyncSession, letter_id: UUID) -> Sequence[LetterCopy]:
    """Each person's copy."""
    rows = await session.scalars(
        select(LetterCopy).where(LetterCopy.letter_id == letter_id).order_by(LetterCopy.id)
    )
    return list(rows)


# Sent ---------------------------------------------------------------------------------------------


_WAITS = (
    LetterCopy.state == "waiting",
    LetterCopy.outbox_id.is_(None),
    # What could not go waits for a person, who sees why: it is not tried every minute.
    LetterCopy.failure.is_(None),
    # What is held back goes once the restriction has ended, and keeps nobody else's waiting.
    ~is_use_restricted(LetterCopy.child_id),
)


async def send_letters(gate: Gate, site_url: str) -> int:
    """Put what waits into the outbox, each in a transaction of its own; how many went in."""
    async with gate.tenant.transaction(JOB) as session:
        waiting = list(
            await session.scalars(
                select(LetterCopy).where(*_WAITS).order_by(LetterCopy.id).limit(MOST)
            )
        )
    put = 0
    for copy in waiting:
        why = await _why_not(gate, copy)
        async with gate.tenant.transaction(JOB) as session:
            put += await _sent_once(session, copy.id, why, site_url)
    return put


async def _sent_once(session: AsyncSession, copy_id: UUID, why: str, site_url: str) -> bool:
    """Put one copy into the outbox unless somebody else has, or write down `why` it does not go."""
    copy = await session.scalar(
        select(LetterCopy)
        .where(LetterCopy.id == copy_id, *_WAITS)
        .with_for_update(skip_locked=True)
    )
    if copy is None:
        return False
    if why:
        copy.failure = why
        went = False
    else:
        went = await _put(session, copy, site_url)
    if copy.failure is not None:
        await _keep_tied(session, {copy.letter_id})
    return went


async def _why_not(gate: Gate, copy: LetterCopy) -> str:
    """Decided as its reader, and logged as their look."""
    viewer = Viewer(copy.person_id, ViewerKind.FAMILY)
    try:
        async with gate.open(copy.child_id, viewer, Purpose.SUPPORT, DOING) as access:
            return why_not_for(access, ())
    except NotFound:
        return why_not_sent({}, ())


async def _stands(session: AsyncSession, copy: LetterCopy) -> bool:
    """Whether the decision that a copy is about stands."""
    found = await session.scalar(
        select(RequestDecision.stands)
        .join(DecisionLetter, DecisionLetter.decision_id == RequestDecision.id)
        .where(DecisionLetter.id == copy.letter_id)
    )
    return found is True


async def _put(session: AsyncSession, copy: LetterCopy, site_url: str) -> bool:
    reached = await reached_now(session, copy.person_id)
    await load_keys(session, {copy.child_id})
    if not await _stands(session, copy):
        copy.failure = REPLACED
        return False
    letter = await session.get_one(DecisionLetter, copy.letter_id)
    by_post = copy.way == Way.LETTER
    if not by_post and not reached.email:
        copy.failure = NO_ADDRESS
        return False
    # Stopped and put in anew it is another message; the row is held until this one is in.
    once = f"decision letter {copy.letter_id} {copy.person_id} {copy.version}"
    await outbox.put(
        session,
        kind=outbox.BY_POST if by_post else LETTER_READY,
        holder_id=copy.child_id,
        to_viewer_id=copy.person_id,
        address=on_the_envelope(reached) if by_post else reached.email,
        subject=TITLE if by_post else SUBJECT,
        body=f"{letter.body}\n\n{RING_WHOM_YOU_KNOW}" if by_post else _email_words(site_url),
        once=once,
        facts={"letter": str(copy.id), "safely": reached.mark(session)},
    )
    copy.outbox_id = await session.scalar(
        select(OutboxMessage.id).where(OutboxMessage.once == once)
    )
    return True


def _email_words(site_url: str) -> str:
    """An e-mail that holds nothing of a child, whoever reads it over somebody's shoulder."""
    return (
        "There is a letter for you to read.\n\n"
        f"To read it, sign in here: {site_url}/family\n\n{RING_WHOM_YOU_KNOW}\n\n"
        "If this is not for you, tell us and delete it.\n"
    )


async def settle_letters(session: AsyncSession) -> None:
    """Write down what became of what was sent; within a transaction of scheduled work."""
    rows = await session.execute(
        select(LetterCopy, OutboxMessage, is_use_restricted(LetterCopy.child_id))
        .join(OutboxMessage, OutboxMessage.id == LetterCopy.outbox_id)
        .where(
            LetterCopy.sent_at.is_(None),
            # What has failed is settled; only somebody who posts it all the same changes that.
            LetterCopy.failure.is_(None) | OutboxMessage.sent_at.is_not(None),
        )
        .order_by(LetterCopy.id)
    )
    settled = set()
    for copy, message, is_held_back in rows.all():
        if message.sent_at is not None:
            copy.sent_at, copy.failure = message.sent_at, None
            copy.state = "sent" if copy.state == "waiting" else copy.state
            settled.add(copy.letter_id)
        elif message.attempts >= outbox.TRIES and is_held_back:
            # It goes as another message, once the restriction has ended.
            copy.outbox_id = None
        elif message.attempts >= outbox.TRIES:
            copy.failure = message.failure
            settled.add(copy.letter_id)
    await _keep_tied(session, settled)


async def _keep_tied(session: AsyncSession, letters: Collection[UUID]) -> None:
    """Whoever sits on the panel reads on while a letter waits, and so long after it went."""
    if not letters:
        return
    found = await session.scalars(
        select(RequestDecision.request_id)
        .join(DecisionLetter, DecisionLetter.decision_id == RequestDecision.id)
        .where(DecisionLetter.id.in_(letters))
    )
    # In one order, so that of two at once none waits for the other.
    for request_id in sorted(set(found)):
        await keep_tied(session, request_id)


async def copy_of(access: Access, request_id: UUID, copy_id: UUID) -> LetterCopy:
    """A copy of a letter about a request. Raises NotFound."""
    # Its words are the request's: whoever may not read that does not read them here.
    require_reader(access, await request_of(access, request_id))
    row = await access.session.get(LetterCopy, copy_id)
    if row is None or row.child_id != access.child_id:
        raise NotFound(NOT_HERE)
    letter = await access.session.get_one(DecisionLetter, row.letter_id)
    decision = await access.session.get_one(RequestDecision, letter.decision_id)
    if decision.request_id != request_id:
        raise NotFound(NOT_HERE)
    return row


async def send_again(
    access: Access, request_id: UUID, copy_id: UUID, way: Way | None = None
) -> None:
    """Let a copy that could not go try once more, with the family's address and agreement of now.

    In another `way` where whoever runs the panel chooses one, knowing how to reach them safely.
    Raises NotAllowed for anybody else, NotFound, Invalid where there is nothing to try again.
    """
    if Tie.PANEL not in access.ties:
        raise NotAllowed("Only the coordinator or the chair of the panel sends this letter again.")
    row = await copy_of(access, request_id, copy_id)
    # Two people at once: the second waits, and finds that it goes.
    await access.session.refresh(row, with_for_update=True)
    if row.failure is None or row.sent_at is not None or not await _stands(access.session, row):
        raise Invalid.because(
            "", "This copy waits, or it went, or the panel decided again: nothing was sent now"
        )
    row.failure, row.outbox_id = None, None
    row.way = row.way if way is None else way.value
    await keep_tied(access.session, request_id)


async def letter_on_paper(session: AsyncSession, copy_id: UUID, may_go: outbox.MayGo) -> Letter:
    """A copy to print, with the address of now; within a transaction of scheduled work.

    Raises NotFound where it does not go on paper, Problem where it may not go any more.
    """
    copy = await session.get_one(LetterCopy, copy_id)
    message = None if copy.outbox_id is None else await session.get(OutboxMessage, copy.outbox_id)
    if message is None or message.kind != outbox.BY_POST:
        raise NotFound("There is no letter here.")
    await load_keys(session, {message.holder_id})
    if message.sent_at is None and not await _stands(session, copy):
        raise Problem(409, "This may not go any more", REPLACED, "Read the new letter.")
    if message.sent_at is None and (why := await may_go(session, message)):
        raise Problem(409, "This may not go any more", why, "Read the sharing page.")
    address = on_the_envelope(await reached_now(session, copy.person_id))
    return Letter(message.subject, address, message.body, message.created_at)


async def was_posted(session: AsyncSession, copy_id: UUID) -> None:
    """A letter on paper was posted, or handed over; within a transaction of scheduled work."""
    copy = await session.get_one(LetterCopy, copy_id)
    message = None if copy.outbox_id is None else await session.get(OutboxMessage, copy.outbox_id)
    if message is not None and message.kind == outbox.BY_POST and message.sent_at is None:
        message.sent_at = session.info[NOW]
        message.attempts += 1
        await session.flush()
        await settle_letters(session)


# Read by the family -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OwnLetter:
    """A letter as its reader finds it."""

    id: UUID
    child_id: UUID
    written_on: date
    is_new: bool
    body: str


async def own_letters(access: Access) -> list[OwnLetter]:
    """The letters that this person was sent, newest first, as the record lets them read."""
    if not access.may(Category.PANEL):
        return []
    rows = await access.session.execute(
        select(LetterCopy, DecisionLetter)
        .join(DecisionLetter, DecisionLetter.id == LetterCopy.letter_id)
        .join(RequestDecision, RequestDecision.id == DecisionLetter.decision_id)
        .where(
            LetterCopy.child_id == access.child_id,
            LetterCopy.person_id == access.viewer.id,
            LetterCopy.state.in_(_READABLE),
            # What was replaced before it went is not told as if it held.
            RequestDecision.stands | (LetterCopy.state != "waiting"),
        )
        .order_by(DecisionLetter.id.desc())
        .limit(MOST_READ)
    )
    return [
        OwnLetter(
            letter.id, access.child_id, letter.approved_on, copy.opened_at is None, letter.body
        )
        for copy, letter in rows.all()
    ]


async def open_own_letter(access: Access, letter_id: UUID) -> OwnLetter:
    """A letter for its reader, who has opened it now. Raises NotFound for any of others."""
    letter = next((one for one in await own_letters(access) if one.id == letter_id), None)
    if letter is None:
        raise NotFound("There is no letter here for you.", "Go back to your own page.")
    copy = await access.session.scalar(
        select(LetterCopy).where(
            LetterCopy.letter_id == letter_id, LetterCopy.person_id == access.viewer.id
        )
    )
    if copy is not None and copy.opened_at is None:
        copy.opened_at, copy.state = access.at, "opened"
        await access.session.flush()
    return letter
