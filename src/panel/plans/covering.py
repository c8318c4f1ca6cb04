"""Cover while a lead professional is away: asked for, agreed by who covers, over by itself.

Whoever holds the plan holds it all the while; on the days of a cover whoever covers is the one to
ring and reaches the child as the lead professional does. Why somebody declines is of the category
network.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Tie
from panel.accounts.models import Worker
from panel.accounts.service import worker_names
from panel.plans import rules
from panel.plans.lead_days import HELD, cut_cover, lead_on
from panel.plans.leads import Offer, chosen_for, offer_words
from panel.plans.models import LeadCover, LeadProfessional
from panel.plans.writing import lock_child
from panel.platform.problems import Clash, Conflict, Invalid, NotAllowed, NotFound
from panel.platform.tenancy import load_keys
from panel.records.gate import Access, Gate, rewrite_access

MAY_ASK_THEMSELVES = frozenset({Tie.PANEL, Tie.MANAGER})
NOT_ONESELF = "The lead professional, a manager or the coordinator asks you to cover"
NO_COVER = "This cover was answered or is over, or it is not yours."


@dataclass(frozen=True, slots=True)
class CoverLine:
    """One cover: who, which days, what became of it. Reason None: not shown."""

    id: UUID
    version: int
    worker_id: UUID
    name: str
    agency: str
    state: str
    from_on: date
    until_on: date
    reason: str | None

    def goes_on(self, day: date) -> bool:
        """Whether it is asked for or agreed, and not over."""
        return self.state in ("offered", "accepted") and self.until_on >= day

    def covers_on(self, day: date) -> bool:
        """Whether they cover on a day."""
        return self.state in HELD and self.from_on <= day <= self.until_on


class _Line(msgspec.Struct):
    id: UUID
    version: int
    worker_id: UUID
    agency_id: UUID
    works_at: UUID
    name: str | None
    agency: str
    state: str
    from_on: date
    until_on: date
    reason: str | None


_COVERS = """
SELECT COALESCE(json_agg(json_build_object('id', v.id, 'version', v.version,
  'worker_id', v.worker_id, 'agency_id', v.agency_id, 'works_at', w.agency_id,
  'name', encode(w.name, 'hex'), 'agency', a.name, 'state', v.state, 'from_on', v.from_on,
  'until_on', v.until_on, 'reason', encode(v.reason, 'hex'))
  ORDER BY v.from_on DESC, v.id DESC), '[]')::text
FROM lead_cover v JOIN worker w ON w.id = v.worker_id JOIN agency a ON a.id = v.agency_id
WHERE v.child_id = :child
"""
_READ_COVERS = msgspec.json.Decoder(tuple[_Line, ...])


async def covers(access: Access) -> Sequence[CoverLine]:
    """Who covered, covers and is asked to, newest first."""
    found = await access.session.execute(text(_COVERS), {"child": access.child_id})
    lines = _READ_COVERS.decode(found.scalar_one())
    await load_keys(access.session, {one.works_at for one in lines})
    return [
        CoverLine(
            id=one.id,
            version=one.version,
            worker_id=one.worker_id,
            name=_name(access, one),
            agency=one.agency,
            state=one.state,
            from_on=one.from_on,
            until_on=one.until_on,
            reason=access.open_text(
                one.reason, "lead_cover.reason", one.id, Category.NETWORK, one.agency_id
            ),
        )
        for one in lines
    ]


def _name(access: Access, one: _Line) -> str:
    if one.name is None:
        return ""
    sealed = bytes.fromhex(one.name)
    return access.keys.open(one.works_at, "worker.name", one.worker_id, sealed)


async def ask_for_cover(
    access: Access, worker_id: UUID, from_on: date, until_on: date
) -> LeadCover:
    """Ask a worker of an agency involved now to cover on these days, both included.

    Raises Invalid with a sentence about `worker_id` or a day, NotAllowed where nobody holds the
    plan. The worker can reach the question from now on, and the child on the days once agreed.
    Whoever covers may what the lead professional may, so nobody of the team asks themselves.
    """
    access.require_write()
    if worker_id == access.viewer.id and not access.ties & MAY_ASK_THEMSELVES:
        raise Invalid.because("worker_id", NOT_ONESELF)
    session = access.session
    await lock_child(session, access.child_id)
    held = await lead_on(session, access.child_id, max(from_on, access.today))
    if held is None:
        raise NotAllowed(
            "Nobody holds this plan then, so nobody can be covered.", "Offer the plan to somebody."
        )
    chosen = await chosen_for(access, worker_id)
    held_until = (await session.get_one(LeadProfessional, held.lead_id)).until_on
    field, mistake = rules.cover_days_mistake(from_on, until_on, access.today, held_until)
    if mistake:
        raise Invalid.because(field, mistake)
    mistake = rules.cover_worker_mistake(
        until_on, is_lead=held.holder_id == worker_id, leaves_on=chosen.leaves_on
    )
    if mistake:
        raise Invalid.because("worker_id", mistake)
    await _refuse_two(session, access.child_id, from_on, until_on, ("offered", "accepted"))
    cover = LeadCover(
        child_id=access.child_id,
        lead_id=held.lead_id,
        worker_id=worker_id,
        agency_id=chosen.agency_id,
        from_on=from_on,
        until_on=until_on,
        offered_on=access.today,
        offered_by=access.viewer.id,
    )
    session.add(cover)
    await rewrite_access(session, access.child_id)
    return cover


async def _refuse_two(
    session: AsyncSession,
    child_id: UUID,
    from_on: date,
    until_on: date,
    states: tuple[str, ...],
) -> None:
    other = await session.scalar(
        select(LeadCover.worker_id)
        .where(
            LeadCover.child_id == child_id,
            LeadCover.state.in_(states),
            LeadCover.from_on <= until_on,
            LeadCover.until_on >= from_on,
        )
        .limit(1)
    )
    if other is not None:
        name = (await worker_names(session, [other])).get(other, "Somebody")
        raise Invalid.because(
            "from_on", f"{name} covers or is asked to on some of these days. Choose other days"
        )


async def cover_for_answer(access: Access, cover_id: UUID) -> tuple[LeadCover, Offer]:
    """What is asked of the viewer, and of whom it is. Raises NotFound."""
    cover = await access.session.get(LeadCover, cover_id)
    if cover is None or cover.worker_id != access.viewer.id or cover.state != "offered":
        raise NotFound(NO_COVER, "What you are asked is on your first page.")
    return cover, await offer_words(access, cover.id, cover.offered_by, cover.offered_on)


async def child_of_cover(gate: Gate, viewer_id: UUID, cover_id: UUID) -> UUID | None:
    """The child that a question to this viewer is about; None where there is no such question."""
    async with gate.tenant.transaction(viewer_id) as session:
        return await session.scalar(
            select(LeadCover.child_id).where(
                LeadCover.id == cover_id, LeadCover.worker_id == viewer_id
            )
        )


async def accept_cover(access: Access, cover_id: UUID) -> None:
    """Agree to cover. Days that are over already are not covered.

    Raises NotFound for a question that is not open and theirs, NotAllowed for who leaves before
    the last day, and for days that are all over.
    """
    cover = await _asked_of_me(access, cover_id)
    worker = await access.session.get_one(Worker, cover.worker_id, populate_existing=True)
    if worker.until_on is not None and worker.until_on < cover.until_on:
        raise NotAllowed(
            "You leave before the last of these days, so you cannot cover.",
            "Decline, so that somebody else can be asked.",
        )
    if cover.until_on < access.today:
        raise NotAllowed("These days are over, so there is nothing left to cover.")
    cover.from_on = max(cover.from_on, access.today)
    cover.state, cover.answered_on = "accepted", access.today
    await rewrite_access(access.session, access.child_id)


async def decline_cover(access: Access, cover_id: UUID, reason: str) -> None:
    """Say no, with a reason; the child is no longer reached through the question."""
    cover = await _asked_of_me(access, cover_id)
    cover.state, cover.answered_on, cover.reason = "declined", access.today, reason
    await rewrite_access(access.session, access.child_id)


async def _asked_of_me(access: Access, cover_id: UUID) -> LeadCover:
    cover = await _cover(access, cover_id)
    if cover.state != "offered" or cover.worker_id != access.viewer.id:
        raise NotFound(NO_COVER, "What you are asked is on your first page.")
    return cover


async def _cover(access: Access, cover_id: UUID) -> LeadCover:
    await lock_child(access.session, access.child_id)
    cover = await access.session.get(LeadCover, cover_id, populate_existing=True)
    if cover is None or cover.child_id != access.child_id:
        raise NotFound(NO_COVER, "See who leads on the child's page.")
    return cover


async def end_cover(access: Access, cover_id: UUID, version: int, reason: str = "") -> None:
    """The cover ends today, or is taken back before it begins: whoever holds the plan is back.

    For whoever may write on the child's record: whoever holds the plan is back early, or whoever
    covers cannot go on. Raises NotFound, Conflict where it was changed meanwhile.
    """
    access.require_write()
    cover = await _cover(access, cover_id)
    if cover.version != version:
        until = cover.until_on.isoformat()
        raise Conflict((Clash("Last day", access.today.isoformat(), until),))
    if cover.state not in ("offered", "accepted") or cover.until_on < access.today:
        raise NotFound(NO_COVER, "See who leads on the child's page.")
    if cover.until_on > access.today or cover.state == "offered":
        cut_cover(cover, access.today)
    cover.reason = reason
    await rewrite_access(access.session, access.child_id)
