"""Who agreed to a version of a plan, who did not, and who could not answer: each in their words.

Answers stand side by side and are never made into one. One of the family answers on their own page,
or a worker writes down what they said; what somebody said themselves nobody writes over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select

from consent import Category, ViewerKind
from panel.accounts.service import agencies, worker_names
from panel.plans.judging import require_family
from panel.plans.models import Plan, PlanAnswer, PlanVersion
from panel.platform.problems import Invalid, NotAllowed, NotFound
from panel.records.gate import Access
from panel.sharing.service import possible_givers

THE_CHILD = "The child"


class Agrees(StrEnum):
    """What somebody says of a version."""

    YES = "yes"
    NO = "no"
    CANNOT_ANSWER = "cannot_answer"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one person said of a version."""

    version_id: UUID
    person_id: UUID | None
    worker_id: UUID | None
    who: str
    """A name, or the relationship; for the child `THE_CHILD`."""
    agrees: Agrees
    words: str
    on: date
    written_by: str
    """The agency that wrote it down; empty where they said it themselves."""
    version: int


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody of the family whose answer a worker can write down."""

    person_id: UUID
    who: str


def answer_mistake(agrees: Agrees, words: str, *, is_own: bool) -> str:
    """Why an answer says too little, or an empty text.

    Whoever does not agree says what is wrong; that somebody could not answer is explained by who
    writes it down.
    """
    if words.strip():
        return ""
    if agrees is Agrees.NO:
        return "Write what you do not agree with" if is_own else "Write what they do not agree with"
    if agrees is Agrees.CANNOT_ANSWER and not is_own:
        return "Write why they could not answer, and how you found out what they wish"
    return ""


async def people_asked(access: Access) -> list[Asked]:
    """The child and those of the family, as far as they may be named."""
    return [
        Asked(one.person, _called(access, one.person, one.name, one.relationship))
        for one in await possible_givers(access)
    ]


def _called(access: Access, person: UUID, name: str, relationship: str) -> str:
    if person == access.child_id:
        return THE_CHILD
    return f"{name}, {relationship.lower()}" if name and relationship else name or relationship


async def answers_to(access: Access, version_ids: Sequence[UUID]) -> list[Answer]:
    """What each one said of these versions of a plan that the gate showed, oldest first.

    The family comes first. Who may not be named here is "One of the family".
    """
    rows = list(
        await access.session.scalars(
            select(PlanAnswer)
            .where(
                PlanAnswer.child_id == access.child_id, PlanAnswer.version_id.in_(list(version_ids))
            )
            .order_by(PlanAnswer.worker_id.is_not(None), PlanAnswer.on, PlanAnswer.id)
        )
    )
    people = {one.person_id: one.who for one in await people_asked(access)} if rows else {}
    workers = await _worker_names(access, rows)
    known = {one.id: one.name for one in await agencies(access.session)} if rows else {}
    if _may_not_know_workers(access):
        known = dict.fromkeys(known, "a worker")
    return [
        Answer(
            row.version_id,
            row.person_id,
            row.worker_id,
            _who(row, people, workers),
            Agrees(row.agrees),
            row.words,
            row.on,
            known.get(row.written_by_agency_id, "") if row.written_by_agency_id else "",
            row.version,
        )
        for row in rows
    ]


def _may_not_know_workers(access: Access) -> bool:
    # As in the plan: who works with a child can tell one of the family where the child lives.
    return access.viewer.kind is ViewerKind.FAMILY and not access.may(Category.NETWORK)


async def _worker_names(access: Access, rows: Sequence[PlanAnswer]) -> dict[UUID, str]:
    if _may_not_know_workers(access):
        return {}
    ids = [row.worker_id for row in rows if row.worker_id is not None]
    return dict(await worker_names(access.session, ids))


def _who(row: PlanAnswer, people: dict[UUID, str], workers: dict[UUID, str]) -> str:
    if row.person_id is not None:
        return people.get(row.person_id) or "One of the family"
    name = "" if row.worker_id is None else workers.get(row.worker_id, "")
    return name or "A worker"


@dataclass(frozen=True, slots=True)
class OwnStanding:
    """The newest version of the agreed plan, and what the viewer said of it; None: nothing yet."""

    version_id: UUID
    number: int
    agreed_on: date
    agrees: Agrees | None


async def own_standing(access: Access) -> OwnStanding | None:
    """Where one of the family stands with the plan as it was agreed last; None without one."""
    row = (
        await access.session.execute(
            select(PlanVersion.id, PlanVersion.number, PlanVersion.agreed_on, PlanAnswer.agrees)
            .join(Plan, Plan.id == PlanVersion.plan_id)
            .outerjoin(
                PlanAnswer,
                (PlanAnswer.version_id == PlanVersion.id)
                & (PlanAnswer.person_id == access.viewer.id),
            )
            .where(Plan.child_id == access.child_id, Plan.state == "agreed")
            .order_by(PlanVersion.number.desc())
            .limit(1)
        )
    ).first()
    if row is None:
        return None
    return OwnStanding(*row[:3], None if row.agrees is None else Agrees(row.agrees))


async def _newest_to_answer(access: Access, version_id: UUID) -> PlanVersion:
    """The version, where it is the newest of the current plan. Held for this transaction."""
    plan = await access.session.scalar(
        select(Plan)
        .where(Plan.child_id == access.child_id, Plan.state == "agreed")
        .with_for_update()
    )
    newest = None
    if plan is not None:
        newest = await access.session.scalar(
            select(PlanVersion)
            .where(PlanVersion.plan_id == plan.id)
            .order_by(PlanVersion.number.desc())
            .limit(1)
        )
    if plan is None or newest is None or newest.id != version_id:
        raise NotFound(
            "This is not the plan as it was agreed last.", "Go back to the plan, and answer that."
        )
    if not access.may(Category.PLAN, plan.author_agency_id):
        raise NotAllowed("You cannot see this plan, so you cannot answer it.")
    return newest


async def answer_own(access: Access, version_id: UUID, agrees: Agrees, words: str) -> PlanAnswer:
    """One of the family says themselves what they think of the newest version.

    Said again, the last word counts; what a worker wrote down for them gives way to it. Raises
    Invalid, NotAllowed for anybody else, NotFound for another version.
    """
    require_family(access)
    version = await _newest_to_answer(access, version_id)
    if mistake := answer_mistake(agrees, words, is_own=True):
        raise Invalid.because("words", mistake)
    row = await _row(access, version.id, person_id=access.viewer.id)
    if row is None:
        row = PlanAnswer(
            child_id=access.child_id, version_id=version.id, person_id=access.viewer.id
        )
        access.session.add(row)
    row.written_by_agency_id = None
    return await _kept(access, row, agrees, words)


async def answer_as_worker(
    access: Access, version_id: UUID, agrees: Agrees, words: str
) -> PlanAnswer:
    """A worker who writes in the record says what they think of the newest version themselves."""
    access.require_write()
    version = await _newest_to_answer(access, version_id)
    if mistake := answer_mistake(agrees, words, is_own=True):
        raise Invalid.because("words", mistake)
    row = await _row(access, version.id, worker_id=access.viewer.id)
    if row is None:
        row = PlanAnswer(
            child_id=access.child_id, version_id=version.id, worker_id=access.viewer.id
        )
        access.session.add(row)
    return await _kept(access, row, agrees, words)


async def write_down_answer(
    access: Access, version_id: UUID, person_id: UUID, agrees: Agrees, words: str
) -> PlanAnswer:
    """A worker writes down what one of the family said of the newest version.

    Raises Invalid for somebody who is not of the family, who answered themselves, or for whom
    another agency wrote down something else.
    """
    access.require_write()
    agency = access.viewer.agency
    if agency is None:
        raise NotAllowed("An answer is written down by a worker of an agency.")
    version = await _newest_to_answer(access, version_id)
    if person_id not in {one.person_id for one in await people_asked(access)}:
        raise Invalid.because("who", "Choose who said it")
    if mistake := answer_mistake(agrees, words, is_own=False):
        raise Invalid.because("words", mistake)
    row = await _row(access, version.id, person_id=person_id)
    if row is None:
        row = PlanAnswer(child_id=access.child_id, version_id=version.id, person_id=person_id)
        access.session.add(row)
    elif row.written_by_agency_id is None:
        raise Invalid.because("who", "They answered themselves, and nobody writes over that")
    elif row.written_by_agency_id != agency:
        raise Invalid.because("who", "Another agency wrote down what they said. Ask there")
    row.written_by_agency_id = agency
    return await _kept(access, row, agrees, words)


async def _row(
    access: Access,
    version_id: UUID,
    *,
    person_id: UUID | None = None,
    worker_id: UUID | None = None,
) -> PlanAnswer | None:
    row: PlanAnswer | None = await access.session.scalar(
        select(PlanAnswer)
        .where(
            PlanAnswer.version_id == version_id,
            PlanAnswer.person_id == person_id
            if worker_id is None
            else PlanAnswer.worker_id == worker_id,
        )
        .with_for_update()
    )
    return row


async def _kept(access: Access, row: PlanAnswer, agrees: Agrees, words: str) -> PlanAnswer:
    row.agrees, row.words, row.on = agrees.value, words.strip(), access.today
    await access.session.flush()
    return row
