"""Requests about one's own data: taken in, timed, answered. For the information governance lead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar
from uuid import UUID

from sqlalchemy import func, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer
from sqlalchemy.sql.base import ExecutableOption

from consent import IN_THEIR_OWN_RIGHT, Purpose, Role, Viewer, ViewerKind
from panel.governance.rights_models import (
    AccessFile,
    Correction,
    Outcome,
    RightKind,
    RightRequest,
)
from panel.governance.rights_rules import Clock, clock_of
from panel.platform.problems import Conflict, FieldError, Gone, Invalid, NotAllowed, NotFound
from panel.platform.tables import VIEWER, today_of
from panel.platform.tenancy import Tenant, load_keys
from panel.records.child_scoped import ChildScoped
from panel.records.gate import Access, Gate, rewrite_access
from panel.records.restricted_use import ProcessingRestriction, restricted_since
from panel.register.models import Child, FamilyLink, FamilyMember
from panel.sharing.foresight import would_be_tied
from panel.web import words

SUBJECT_ACCESS = Purpose.SUBJECT_ACCESS
NO_SUCH_RECORD = "There is no record with this reference. Check it with whoever asks"
SIGNED_IN = "They were signed in on their own page."
LOCK_CHILD = text("SELECT pg_advisory_xact_lock(hashtextextended(:child, 0))")
"""Who disposes of a record waits for who asks about it or holds it, and the other way round."""
_FIND = text("SELECT child_for_governance(:reference)")

OfChild = TypeVar("OfChild", bound=ChildScoped)


@dataclass(frozen=True, slots=True)
class RequestLine:
    """One request in a list: nothing of anybody."""

    id: UUID
    reference: str
    kind: RightKind
    clock: Clock
    answered_on: date | None
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may be the one who asks."""

    id: UUID
    name: str
    part: str


@dataclass(frozen=True, slots=True)
class RequestReading:
    """One request as the lead works on it."""

    line: RequestLine
    version: int
    who: str
    about: str
    asker: Person | None
    proof: str
    people: tuple[Person, ...]
    extended_why: str
    files: tuple[AccessFile, ...]
    corrections: tuple[Correction, ...]
    restricted_since: date | None


@dataclass(frozen=True, slots=True)
class Taken:
    """A request as it comes in."""

    reference: str
    kind: RightKind
    received_on: date
    who: str
    about: str


def line_of(row: RightRequest) -> RequestLine:
    """A request as a list has it."""
    return RequestLine(
        row.id,
        row.reference,
        RightKind(row.kind),
        clock_of(row.received_on, row.stops, extended=row.extended_on is not None),
        row.answered_on,
        None if row.outcome is None else Outcome(row.outcome),
    )


async def requests(session: AsyncSession) -> list[RequestLine]:
    """Every request: what is due first comes first, then what was answered, the latest first."""
    rows = await session.scalars(
        select(RightRequest).order_by(
            RightRequest.answered_on.desc().nulls_first(), RightRequest.received_on, RightRequest.id
        )
    )
    return [line_of(row) for row in rows]


async def find_record(session: AsyncSession, reference: str) -> UUID:
    """The record of a reference, for the information governance lead. Raises Invalid."""
    found: UUID | None = await session.scalar(_FIND, {"reference": reference.strip().upper()})
    if found is None:
        raise Invalid.because("reference", NO_SUCH_RECORD)
    return found


async def take_in(session: AsyncSession, gate: Gate, viewer: Viewer, taken: Taken) -> RightRequest:
    """Write a request down. The clock waits for proof of who asks.

    Raises Invalid for a reference that is none and for a day that is not here yet.
    """
    require_lead(viewer)
    if taken.received_on > today_of(session):
        raise Invalid.because("received_on", "The day on which it came cannot be in the future")
    child_id = await find_record(session, taken.reference)
    row = RightRequest(
        child_id=child_id,
        reference=taken.reference.strip().upper(),
        kind=taken.kind.value,
        received_on=taken.received_on,
        who=taken.who,
        about=taken.about,
        stops=[[taken.received_on.isoformat(), None]],
    )
    await _add(session, row)
    await gate.open_here(
        session, [child_id], viewer, SUBJECT_ACCESS, "took in a request about their own data"
    )
    return row


async def ask_as_family(access: Access, kind: RightKind, about: str) -> RightRequest:
    """Somebody of the family asks on their own page: who they are is known, the clock runs.

    Raises Invalid where they asked the same and nobody has answered yet; NotAllowed for a relative
    without parental responsibility, whose request a person looks at.
    """
    require_standing(access)
    session, person = access.session, access.viewer.id
    waiting = await session.scalar(
        select(RightRequest.id).where(
            RightRequest.child_id == access.child_id,
            RightRequest.asker_id == person,
            RightRequest.kind == kind.value,
            RightRequest.answered_on.is_(None),
        )
    )
    if waiting is not None:
        raise Invalid.because("kind", "You asked for this already. We are working on it")
    reference = await session.scalar(select(Child.reference).where(Child.id == access.child_id))
    row = RightRequest(
        child_id=access.child_id,
        reference=reference or "",
        kind=kind.value,
        received_on=today_of(session),
        who="",
        about=about,
        asker_id=person,
        proof=SIGNED_IN,
        stops=[],
    )
    await _add(session, row)
    return row


async def _add(session: AsyncSession, row: RightRequest) -> None:
    await session.execute(LOCK_CHILD, {"child": str(row.child_id)})
    session.add(row)
    await session.flush()
    await rewrite_access(session, row.child_id)


async def own_requests(access: Access) -> list[tuple[RightRequest, AccessFile | None]]:
    """What somebody of the family asked, newest first, each with a copy that waits for them."""
    session = access.session
    rows = await session.scalars(
        select(RightRequest)
        .where(RightRequest.child_id == access.child_id, RightRequest.asker_id == access.viewer.id)
        .order_by(RightRequest.created_at.desc(), RightRequest.id)
    )
    files = await session.scalars(
        select(AccessFile)
        .where(AccessFile.child_id == access.child_id, AccessFile.asker_id == access.viewer.id)
        .order_by(AccessFile.number)
        .options(_without_contents())
    )
    latest = {one.request_id: one for one in files}
    return [(row, latest.get(row.id)) for row in rows]


def _without_contents() -> ExecutableOption:
    """A list of copies does without the files that they are: each may have many megabytes."""
    return defer(inspect(AccessFile).attrs["made_sealed"].class_attribute)


async def child_of(session: AsyncSession, right_id: UUID) -> tuple[UUID, RequestLine]:
    """Whose record a request is about. Raises NotFound."""
    row = await session.scalar(select(RightRequest).where(RightRequest.id == right_id))
    if row is None:
        raise NotFound
    return row.child_id, line_of(row)


async def of_record(access: Access, model: type[OfChild], row_id: UUID) -> OfChild:
    """A row of this child's record. Raises NotFound for none, and for another child's."""
    row = await access.session.scalar(
        select(model).where(model.id == row_id, model.child_id == access.child_id)
    )
    if row is None:
        raise NotFound
    return row


async def request_of(
    access: Access, right_id: UUID, version: int | None = None, *, is_open: bool = True
) -> RightRequest:
    """A request of this record, for a change. Raises NotFound, Conflict, Gone."""
    row = await of_record(access, RightRequest, right_id)
    if is_open:
        require_open(row.answered_on)
    if version is not None and row.version != version:
        raise Conflict(())
    return row


def require_open(answered_on: date | None) -> None:
    """Raise Gone for a request that somebody has answered."""
    if answered_on is not None:
        raise Gone(
            f"This request was answered on {words.day(answered_on)}, so nothing was changed now.",
            "Read the answer on its page. Take in a new request if they ask again.",
        )


async def read_request(access: Access, right_id: UUID) -> RequestReading:
    """One request with all that it needs."""
    session = access.session
    row = await request_of(access, right_id, is_open=False)
    people = await people_around(access)
    asker = next((one for one in people if one.id == row.asker_id), None)
    files = await session.scalars(
        select(AccessFile)
        .where(AccessFile.request_id == row.id)
        .order_by(AccessFile.number.desc())
        .options(_without_contents())
    )
    corrections = await session.scalars(
        select(Correction).where(Correction.request_id == row.id).order_by(Correction.created_at)
    )
    return RequestReading(
        line=line_of(row),
        version=row.version,
        who=row.who,
        about=row.about,
        asker=asker,
        proof=row.proof,
        people=people,
        extended_why=row.extended_why,
        files=tuple(files),
        corrections=tuple(corrections),
        restricted_since=await restricted_since(session, access.child_id),
    )


async def people_around(access: Access) -> tuple[Person, ...]:
    """The child and the family, as the lead names who asks."""
    session = access.session
    child = await session.get_one(Child, access.child_id)
    rows = (
        await session.execute(
            select(FamilyMember, FamilyLink.relationship)
            .join(FamilyLink, FamilyLink.family_member_id == FamilyMember.id)
            .where(FamilyLink.child_id == access.child_id)
            .order_by(FamilyMember.id)
        )
    ).all()
    await load_keys(session, {child.id, *(member.id for member, _ in rows)})
    name = f"{child.given_name} {child.family_name}".strip() or child.reference
    return (
        Person(child.id, name, "the child or young person"),
        *(Person(member.id, member.name, relationship) for member, relationship in rows),
    )


async def has_standing(tenant: Tenant, child_id: UUID, person: UUID) -> bool:
    """Whether it is the young person, or somebody who has parental responsibility now."""
    asker = Viewer(person, ViewerKind.FAMILY)
    ties = await would_be_tied(tenant, child_id, asker, SUBJECT_ACCESS)
    return bool(ties & IN_THEIR_OWN_RIGHT)


async def identify(
    access: Access, right_id: UUID, version: int, person: UUID, proof: str, proved_on: date
) -> None:
    """Say who asks and how it is known; the clock runs from that day on.

    Whoever calls has asked `has_standing`. Raises Invalid, NotFound, Conflict, Gone.
    """
    row = await request_of(access, right_id, version)
    wrong = []
    if all(one.id != person for one in await people_around(access)):
        wrong.append(FieldError("asker", "Select somebody of this family"))
    if not proof.strip():
        wrong.append(FieldError("proof", "Write how you know who they are"))
    if not row.received_on <= proved_on <= access.today:
        wrong.append(
            FieldError("proved_on", "The day of proof is between the day it came and today")
        )
    if wrong:
        raise Invalid(tuple(wrong))
    row.asker_id, row.proof = person, proof
    row.stops = _started(row.stops, proved_on)
    await access.session.flush()


async def stop_clock(access: Access, right_id: UUID, version: int, on: date) -> None:
    """Proof is asked for, or what they mean: the days do not count until it is here."""
    row = await request_of(access, right_id, version)
    clock = line_of(row).clock
    last = max((until for _, until in clock.stops if until is not None), default=row.received_on)
    if clock.stands:
        raise Invalid.because("on", "The clock stands already")
    if not last <= on <= access.today:
        raise Invalid.because("on", "The day is between the last change of the clock and today")
    row.stops = [*row.stops, [on.isoformat(), None]]
    await access.session.flush()


async def start_clock(access: Access, right_id: UUID, version: int, on: date) -> None:
    """What was awaited is here. Raises Invalid where the clock runs, or nobody knows who asks."""
    row = await request_of(access, right_id, version)
    open_from = next((start for start, until in line_of(row).clock.stops if until is None), None)
    if open_from is None:
        raise Invalid.because("on", "The clock runs already")
    if row.asker_id is None:
        raise Invalid.because("on", "First say who asks and how you know who they are")
    if not open_from <= on <= access.today:
        raise Invalid.because("on", "The day is between the day it stopped and today")
    row.stops = _started(row.stops, on)
    await access.session.flush()


async def extend_clock(access: Access, right_id: UUID, version: int, why: str) -> None:
    """Two months more, told to whoever asks within the first month (UK GDPR Article 12(3))."""
    row = await request_of(access, right_id, version)
    if row.extended_on is not None:
        raise Invalid.because("why", "It was extended already, and that is possible once")
    if not why.strip():
        raise Invalid.because("why", "Write why it takes longer; whoever asks is told")
    if line_of(row).clock.days_left(access.today) < 0:
        raise Invalid.because("why", "The month is over: it can no longer be extended")
    row.extended_on, row.extended_why = access.today, why
    await access.session.flush()


def _started(stops: Sequence[Sequence[str | None]], on: date) -> list[list[str | None]]:
    return [[start, on.isoformat() if until is None else until] for start, until in stops]


async def answer(access: Access, right_id: UUID, version: int, outcome: Outcome, why: str) -> None:
    """End a request. The same answer a second time changes nothing.

    Raises Invalid without a reason where less was done than was asked, and NotFound, Conflict, Gone
    where somebody answered it otherwise.
    """
    row = await request_of(access, right_id, is_open=False)
    if (row.outcome, row.outcome_why) == (outcome.value, why):
        return
    row = await request_of(access, right_id, version)
    if outcome is not Outcome.DONE and not why.strip():
        raise Invalid.because("why", "Write why; whoever asks is told, and that they can complain")
    await _end(access.session, row, outcome, why)


async def _end(session: AsyncSession, row: RightRequest, outcome: Outcome, why: str) -> None:
    row.answered_on, row.outcome, row.outcome_why = today_of(session), outcome.value, why
    await session.flush()
    await rewrite_access(session, row.child_id)


async def ask_for_copy(access: Access, right_id: UUID, version: int) -> AccessFile:
    """Have everything gathered; the job does it next. Raises Invalid before who asks is known."""
    session = access.session
    row = await request_of(access, right_id, version)
    if row.asker_id is None or row.kind != RightKind.ACCESS:
        raise Invalid.because("asker", "First say who asks and how you know who they are")
    number = await session.scalar(
        select(func.count()).select_from(AccessFile).where(AccessFile.request_id == row.id)
    )
    made = AccessFile(
        child_id=access.child_id,
        request_id=row.id,
        asker_id=row.asker_id,
        number=(number or 0) + 1,
        for_lead=session.info[VIEWER],
    )
    session.add(made)
    await session.flush()
    return made


# --- Restriction of processing ------------------------------------------------------------------


async def restrict_use(access: Access, right_id: UUID, version: int, why: str) -> None:
    """From today on the record is only kept. Raises Invalid where it is restricted already."""
    row = await request_of(access, right_id, version)
    if not why.strip():
        raise Invalid.because("why", "Write why: accuracy disputed, an objection, a claim")
    if await restricted_since(access.session, access.child_id) is not None:
        raise Invalid.because("why", "The use of this record is restricted already")
    access.session.add(
        ProcessingRestriction(
            child_id=access.child_id, request_id=row.id, from_on=access.today, why=why
        )
    )
    await access.session.flush()


async def end_restriction(access: Access, right_id: UUID, why: str) -> None:
    """The record is worked on again. The same end a second time changes nothing.

    Raises Invalid without a reason, Gone where somebody else ended it or the request was answered.
    """
    await request_of(access, right_id)
    if not why.strip():
        raise Invalid.because("why", "Write why it ends; whoever asked is told before")
    row = await access.session.scalar(
        select(ProcessingRestriction)
        .where(ProcessingRestriction.child_id == access.child_id)
        .order_by(
            ProcessingRestriction.ended_on.desc().nulls_first(), ProcessingRestriction.id.desc()
        )
        .limit(1)
        .with_for_update()
    )
    if row is None:
        raise Gone("The use of this record is not restricted.", "Go back and reload the page.")
    if row.ended_on is not None:
        if (row.ended_on, row.ended_by, row.ended_why) == (access.today, access.viewer.id, why):
            return
        raise Gone(
            f"The restriction was ended on {words.day(row.ended_on)}, so nothing was changed now.",
            "Go back to the request and read it.",
        )
    row.ended_on, row.ended_by, row.ended_why = access.today, access.viewer.id, why
    await access.session.flush()


def require_standing(access: Access) -> None:
    """Raise NotAllowed for somebody of the family who may not ask for all that is kept."""
    if not access.ties & IN_THEIR_OWN_RIGHT:
        raise NotAllowed(
            "What is kept is told to the child’s parents and to the young person.",
            "Ask the person who helps you.",
        )


def require_lead(viewer: Viewer) -> None:
    """Raise NotAllowed for anybody but the information governance lead."""
    if Role.GOVERNANCE_LEAD not in viewer.roles:
        raise NotAllowed("Requests about a person’s own data are for the governance lead.")
