"""Disposal: the job proposes what is due, one person reviews, another approves, the job destroys.

Nothing goes that is under a hold, has an open request, was opened again or is not due any more; it
is looked at once more in the transaction that destroys. Each record is a transaction of its own, so
what a stop cuts off is done the next time, with the same certificate where it was on the list of
destroyed keys already.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.governance.retention_models import DisposalLine, DisposalList, ListState
from panel.governance.retention_rules import Closed, Rule, due_on, may_approve
from panel.governance.retention_service import rules
from panel.governance.rights_service import LOCK_CHILD
from panel.platform.audit import Kind, record
from panel.platform.erasure import DestroyedKeys, Order, destroy, finish
from panel.platform.problems import Conflict, Gone, Invalid, NotAllowed, NotFound
from panel.platform.tables import NOW, VIEWER, today_of
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB

HELD, ASKED, OPEN, NOT_DUE, GONE = "held", "asked", "open", "not_due", "gone"
REFUSED_WORDS: Mapping[str, str] = {
    HELD: "There is a legal hold on it.",
    ASKED: "Somebody has asked about their own data, and it is not answered.",
    OPEN: "It was opened again.",
    NOT_DUE: "Its time is not over by the rules of the day.",
    GONE: "It was erased before.",
}

# A record is closed once it has a stay that is over and none that is not.
_CLOSED = """
SELECT c.id, c.reference, c.birth_date AS born, max(e.closed_on) AS closed_on,
       (array_agg(e.closure_reason ORDER BY e.closed_on DESC, e.id DESC))[1] AS reason,
       bool_or(e.closed_on IS NULL) AS is_open,
       EXISTS (SELECT FROM legal_hold h WHERE h.child_id = c.id AND h.released_on IS NULL) AS held,
       EXISTS (SELECT FROM right_request q WHERE q.child_id = c.id AND q.answered_on IS NULL)
         AS asked,
       EXISTS (SELECT FROM data_key k WHERE k.holder_id = c.id AND k.wrapped IS NULL) AS gone,
       EXISTS (SELECT FROM disposal_line l JOIN disposal_list d ON d.id = l.list_id
                WHERE l.child_id = c.id AND d.state <> 'done') AS listed
  FROM child c JOIN episode e ON e.child_id = c.id
 WHERE {which}
 GROUP BY c.id, c.reference, c.birth_date
HAVING {having}
 ORDER BY c.reference
"""
_EVERY_CLOSED = text(_CLOSED.format(which="true", having="bool_and(e.closed_on IS NOT NULL)"))
_ONE = text(_CLOSED.format(which="c.id = :child", having="true"))
# Of the family those go with a child who are tied to nobody whose record stays.
_ALONE = text(
    "SELECT l.family_member_id FROM family_link l WHERE l.child_id = :child AND NOT EXISTS ("
    "SELECT FROM family_link o JOIN data_key k ON k.holder_id = o.child_id"
    " WHERE o.family_member_id = l.family_member_id AND o.child_id <> :child"
    " AND k.wrapped IS NOT NULL) AND EXISTS (SELECT FROM data_key k"
    " WHERE k.holder_id = l.family_member_id AND k.wrapped IS NOT NULL)"
)
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('disposal lists', 0))")


@dataclass(frozen=True, slots=True)
class ListReading:
    """A disposal list with its lines."""

    row: DisposalList
    lines: tuple[DisposalLine, ...]

    @property
    def undecided(self) -> int:
        """Lines of which nobody has said whether they go."""
        return sum(one.decision is None for one in self.lines)

    def may_be_approved_by(self, who: UUID) -> bool:
        """Whether this person decided none of it."""
        return may_approve(self.row.reviewed_by, (one.decided_by for one in self.lines), who)


# --- Proposing ----------------------------------------------------------------------------------


async def propose(session: AsyncSession) -> DisposalList | None:
    """List what is due and on no other list; None where nothing is. For the job."""
    await session.execute(_LOCK)
    known, today = await rules(session), today_of(session)
    due = [
        (row, on)
        for row in (await session.execute(_EVERY_CLOSED)).all()
        if not (row.held or row.asked or row.gone or row.listed)
        and (on := _due(row, known)) is not None
        and on <= today
    ]
    if not due:
        return None
    number = await session.scalar(select(func.max(DisposalList.number)))
    made = DisposalList(number=(number or 0) + 1, proposed_on=today)
    session.add(made)
    await session.flush()
    session.add_all(
        DisposalLine(
            child_id=row.id,
            list_id=made.id,
            reference=row.reference,
            closed_on=row.closed_on,
            closure_reason=row.reason or "",
            due_on=on,
        )
        for row, on in due
    )
    await session.flush()
    return made


def _due(row: Row[Any], known: Mapping[str, Rule]) -> date | None:
    return due_on(Closed(row.closed_on, row.reason or "", row.born), known)


# --- Reading, reviewing, approving --------------------------------------------------------------


async def lists(session: AsyncSession) -> list[DisposalList]:
    """Every list, the newest first."""
    return list(await session.scalars(select(DisposalList).order_by(DisposalList.number.desc())))


async def read_list(session: AsyncSession, list_id: UUID) -> ListReading:
    """One list. Raises NotFound."""
    row = await session.scalar(select(DisposalList).where(DisposalList.id == list_id))
    if row is None:
        raise NotFound
    lines = await session.scalars(
        select(DisposalLine)
        .where(DisposalLine.list_id == list_id)
        .order_by(DisposalLine.reference, DisposalLine.id)
    )
    return ListReading(row, tuple(lines))


async def decide_line(
    session: AsyncSession, list_id: UUID, line_id: UUID, version: int, decision: str, why: str
) -> None:
    """Say that a record goes, or that it is kept and why. Raises as others do, and Invalid."""
    # Who sends the list for approval waits for this, and what was sent is not decided any more.
    await session.execute(
        select(DisposalList.id).where(DisposalList.id == list_id).with_for_update()
    )
    read = await read_list(session, list_id)
    line = next((one for one in read.lines if one.id == line_id), None)
    if line is None:
        raise NotFound
    if read.row.state != ListState.PROPOSED:
        raise Gone("This list was reviewed.", "Go back to the list.")
    if line.version != version:
        raise Conflict(())
    if decision == "keep" and not why.strip():
        raise Invalid.because("why", "Write why it is kept, without a name")
    line.decision, line.keep_why = decision, why if decision == "keep" else ""
    line.decided_by = session.info[VIEWER]
    await session.flush()


async def send_for_approval(session: AsyncSession, list_id: UUID, version: int) -> None:
    """The review is done. Raises Invalid while a line is not decided, Conflict, Gone."""
    read = await read_list(session, list_id)
    _require(read.row, version, ListState.PROPOSED)
    if read.undecided:
        raise Invalid.because("version", "Decide every line first")
    read.row.state = ListState.REVIEWED.value
    read.row.reviewed_by, read.row.reviewed_at = session.info[VIEWER], session.info[NOW]
    await session.flush()


async def approve_list(session: AsyncSession, list_id: UUID, version: int) -> None:
    """A second person agrees. Raises NotAllowed for who decided any of it, Conflict, Gone."""
    read = await read_list(session, list_id)
    if not read.may_be_approved_by(session.info[VIEWER]):
        raise NotAllowed(
            "You decided a part of this list, so somebody else approves it.",
            "Ask another information governance lead, or the Caldicott guardian.",
        )
    _require(read.row, version, ListState.REVIEWED)
    read.row.state = ListState.APPROVED.value
    read.row.approved_by, read.row.approved_at = session.info[VIEWER], session.info[NOW]
    told = {"list": read.row.number}
    record(session, Kind.DISPOSAL_APPROVED, subject=read.row.id, details=told)
    await session.flush()


async def send_back(session: AsyncSession, list_id: UUID, version: int) -> None:
    """The second person does not agree: it is reviewed anew. Raises Conflict, Gone."""
    read = await read_list(session, list_id)
    _require(read.row, version, ListState.REVIEWED)
    read.row.state = ListState.PROPOSED.value
    read.row.reviewed_by = read.row.reviewed_at = None
    await session.flush()


def _require(row: DisposalList, version: int, state: ListState) -> None:
    if row.state != state:
        raise Gone("Somebody went on with this list.", "Go back to the lists.")
    if row.version != version:
        raise Conflict(())


# --- Destroying ---------------------------------------------------------------------------------


async def dispose_of_approved(tenant: Tenant, destroyed: DestroyedKeys) -> int:
    """Destroy what two people agreed to. For the job; done again it does what is left.

    Returns how many records were destroyed.
    """
    async with tenant.transaction(JOB) as session:
        waiting = (
            await session.scalars(
                select(DisposalLine.id)
                .join(DisposalList, DisposalList.id == DisposalLine.list_id)
                .where(
                    DisposalList.state == ListState.APPROVED,
                    DisposalLine.decision == "dispose",
                    DisposalLine.outcome.is_(None),
                )
                .order_by(DisposalList.number, DisposalLine.reference)
            )
        ).all()
    done = 0
    for line_id in waiting:
        async with tenant.transaction(JOB) as session:
            done += await _dispose(session, tenant, destroyed, line_id)
    async with tenant.transaction(JOB) as session:
        await _close_lists(session)
    return done


async def _dispose(
    session: AsyncSession, tenant: Tenant, destroyed: DestroyedKeys, line_id: UUID
) -> bool:
    """One record; whether it was destroyed. What is destroyed is destroyed last."""
    line = await session.get_one(DisposalLine, line_id, with_for_update=True)
    if line.outcome is not None:
        return False
    listed = await session.get_one(DisposalList, line.list_id)
    now: datetime = session.info[NOW]
    line.done_at = now
    # A stop between the list of destroyed keys and the commit: it is destroyed, and this says so.
    await session.execute(LOCK_CHILD, {"child": str(line.child_id)})
    alone = list(await session.scalars(_ALONE, {"child": line.child_id}))
    begun = {
        one.holder for one in await finish(session, tenant, destroyed, [line.child_id, *alone])
    }
    refused = await _refusal(session, line.child_id)
    if refused and line.child_id not in begun:
        line.outcome, line.refused_why = "refused", refused
        await session.flush()
        return False
    holders = begun if refused not in ("", GONE) else {line.child_id, *alone}
    line.outcome, line.holders = "destroyed", sorted(holders | begun)
    told = {"list": listed.number, "holders": len(line.holders)}
    record(session, Kind.RECORD_DISPOSED, subject=line.child_id, details=told)
    await session.flush()
    order = Order(
        ordered_by=f"Disposal list {listed.number}, reviewed by {listed.reviewed_by},"
        f" approved by {listed.approved_by}",
        carried_out_by="panel jobs",
    )
    # A stop within the list left the child on it, and not the family that goes with the child.
    if left := sorted(holders - begun):
        await destroy(session, tenant, destroyed, left, order)
    return True


async def _refusal(session: AsyncSession, child_id: UUID) -> str:
    """Why a record may not go now, as a code; "" where it may."""
    row = (await session.execute(_ONE, {"child": child_id})).one_or_none()
    if row is None or row.is_open:
        return OPEN
    if row.held:
        return HELD
    if row.asked:
        return ASKED
    if row.gone:
        return GONE
    on = _due(row, await rules(session))
    return "" if on is not None and on <= today_of(session) else NOT_DUE


async def _close_lists(session: AsyncSession) -> None:
    approved = await session.scalars(
        select(DisposalList).where(DisposalList.state == ListState.APPROVED)
    )
    for one in approved:
        left = await session.scalar(
            select(func.count())
            .select_from(DisposalLine)
            .where(
                DisposalLine.list_id == one.id,
                DisposalLine.decision == "dispose",
                DisposalLine.outcome.is_(None),
            )
        )
        if not left:
            one.state, one.done_at = ListState.DONE.value, session.info[NOW]
    await session.flush()
