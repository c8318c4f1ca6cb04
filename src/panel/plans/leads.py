"""Who holds the plan: offering, accepting, declining, handing over. Dated, never deleted.

Whoever has a part in this is a process fact; why somebody declined is of the category network.
Source: DOMAIN.md, "Words" (lead professional) and the role table.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from uuid import UUID

import msgspec
from sqlalchemy import or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Viewer
from panel.accounts.models import Worker
from panel.accounts.service import worker_names
from panel.plans import rules
from panel.plans.lead_days import A_DAY, HELD, LeadOn, end_covers, end_joint, lead_on
from panel.plans.models import LeadProfessional
from panel.plans.writing import lock_child
from panel.platform.problems import Invalid, NotAllowed, NotFound
from panel.platform.tables import VIEWER, today_of
from panel.platform.tenancy import load_keys
from panel.records.gate import Access, Gate, Purposes, rewrite_access
from panel.register.models import Involvement
from panel.register.service import identity_text, is_refused_the_name

PART = "lead professional"
NO_OFFER = "This offer was withdrawn or answered, or it is not yours."
MOST_CANDIDATES = 500


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who could hold the plan: a worker of an agency involved now."""

    worker_id: UUID
    agency_id: UUID
    name: str
    job_title: str
    agency: str
    in_team: bool
    leaves_on: date | None


@dataclass(frozen=True, slots=True)
class LeadLine:
    """One line of the history of who held the plan, or was offered to. Reason None: not shown."""

    id: UUID
    worker_id: UUID
    agency_id: UUID
    name: str
    agency: str
    state: str
    offered_on: date
    offered_by: str
    answered_on: date | None
    from_on: date | None
    until_on: date | None
    reason: str | None
    role: str = "main"
    """main, or joint: beside whoever holds the plan."""
    note: str | None = None
    """What the next one should know; None: not shown."""
    family: str | None = None
    family_words: str | None = None
    joint_until: date | None = None
    over_limit: str | None = None
    """Why it was offered beyond the limit; None: not shown."""

    def holds_on(self, day: date) -> bool:
        """Whether this is the lead professional of a day."""
        return self.role == "main" and self.leads_on(day)

    def leads_on(self, day: date) -> bool:
        """Whether they lead on a day, holding the plan or beside whoever does."""
        return (
            self.state in HELD
            and self.from_on is not None
            and self.from_on <= day
            and (self.until_on is None or day <= self.until_on)
        )


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer as the person sees to whom it was made."""

    id: UUID
    child_id: UUID
    reference: str
    given_name: str
    """Empty where the person may not know who the child is."""
    birth_date: date | None
    offered_on: date
    offered_by: str
    offered_by_agency: str
    lead_now: str
    """Who holds the plan now, or empty."""
    joint_until: date | None = None
    """Until when they would stay beside."""


class FamilySays(StrEnum):
    """What is known of the family's word on who leads."""

    SAID = "said"
    ASKED = "asked"
    COULD_NOT_ASK = "could_not_ask"


@dataclass(frozen=True, slots=True)
class Terms:
    """How a plan is handed over: what goes with an offer."""

    note: str = ""
    """What the next one should know."""
    joint_until: date | None = None
    """Until when whoever holds the plan now stays beside; None: not at all."""
    family: FamilySays | None = None
    family_words: str = ""
    """Their words; or why they could not be asked."""
    over_limit: str = ""
    """Why it is right beyond the limit."""
    plans_held: int = 0
    """How many plans the person holds already, of every child."""
    limit: int | None = None
    """The limit that holds for them; None: not asked about here."""


NO_TERMS = Terms()


# Reading ------------------------------------------------------------------------------------------


class _Line(msgspec.Struct):
    id: UUID
    worker_id: UUID
    agency_id: UUID
    name: str | None
    agency: str
    state: str
    offered_on: date
    offered_by: UUID
    answered_on: date | None
    from_on: date | None
    until_on: date | None
    reason: str | None
    role: str
    note: str | None
    family: str | None
    family_words: str | None
    joint_until: date | None
    over_limit: str | None


_HISTORY = """
SELECT COALESCE(json_agg(json_build_object('id', l.id, 'worker_id', l.worker_id,
  'agency_id', w.agency_id, 'name', encode(w.name, 'hex'), 'agency', a.name, 'state', l.state,
  'offered_on', l.offered_on, 'offered_by', l.offered_by, 'answered_on', l.answered_on,
  'from_on', l.from_on, 'until_on', l.until_on, 'reason', encode(l.reason, 'hex'), 'role', l.role,
  'note', encode(l.note, 'hex'), 'family', l.family,
  'family_words', encode(l.family_words, 'hex'), 'joint_until', l.joint_until,
  'over_limit', encode(l.over_limit, 'hex'))
  ORDER BY COALESCE(l.from_on, l.offered_on) DESC, l.id DESC), '[]')::text
FROM lead_professional l JOIN worker w ON w.id = l.worker_id JOIN agency a ON a.id = w.agency_id
WHERE l.child_id = :child
"""
_READ_HISTORY = msgspec.json.Decoder(tuple[_Line, ...])


async def lead_history(access: Access) -> Sequence[LeadLine]:
    """Who held the plan and to whom it was offered, newest first."""
    found = await access.session.execute(text(_HISTORY), {"child": access.child_id})
    lines = _READ_HISTORY.decode(found.scalar_one())
    await load_keys(access.session, {one.agency_id for one in lines})
    offerers = await worker_names(access.session, [one.offered_by for one in lines])
    return [
        LeadLine(
            id=one.id,
            worker_id=one.worker_id,
            agency_id=one.agency_id,
            name=_name(access, one.agency_id, one.worker_id, one.name),
            agency=one.agency,
            state=one.state,
            offered_on=one.offered_on,
            offered_by=offerers.get(one.offered_by, ""),
            answered_on=one.answered_on,
            from_on=one.from_on,
            until_on=one.until_on,
            reason=_said(access, one, "reason", one.reason),
            role=one.role,
            note=_said(access, one, "note", one.note),
            family=one.family,
            family_words=_said(access, one, "family_words", one.family_words),
            joint_until=one.joint_until,
            over_limit=_said(access, one, "over_limit", one.over_limit),
        )
        for one in lines
    ]


def _said(access: Access, one: _Line, column: str, sealed: str | None) -> str | None:
    field = f"lead_professional.{column}"
    return access.open_text(sealed, field, one.id, Category.NETWORK, one.agency_id)


def _name(access: Access, agency_id: UUID, worker_id: UUID, sealed_hex: str | None) -> str:
    if sealed_hex is None:
        return ""
    return access.keys.open(agency_id, "worker.name", worker_id, bytes.fromhex(sealed_hex))


class _Candidate(msgspec.Struct):
    id: UUID
    agency_id: UUID
    name: str | None
    job_title: str
    agency: str
    in_team: bool
    until_on: date | None


_CANDIDATES = """
SELECT COALESCE(json_agg(c), '[]')::text FROM (
  SELECT w.id, w.agency_id, encode(w.name, 'hex') AS name, w.job_title, a.name AS agency,
    w.until_on, EXISTS (SELECT 1 FROM involvement t WHERE t.child_id = :child
      AND t.worker_id = w.id AND t.from_on <= :today
      AND (t.until_on IS NULL OR t.until_on >= :today)) AS in_team
  FROM worker w JOIN agency a ON a.id = w.agency_id
  WHERE w.agency_id IN (SELECT i.agency_id FROM involvement i WHERE i.child_id = :child
      AND i.from_on <= :today AND (i.until_on IS NULL OR i.until_on >= :today))
    AND (w.from_on IS NULL OR w.from_on <= :today)
    AND (w.until_on IS NULL OR w.until_on >= :today)
    AND EXISTS (SELECT 1 FROM worker_role r WHERE r.worker_id = w.id
      AND r.role IN ('practitioner', 'manager') AND (r.from_on IS NULL OR r.from_on <= :today)
      AND (r.until_on IS NULL OR r.until_on >= :today))
  ORDER BY in_team DESC, a.name, w.id LIMIT :most) c
"""
_READ_CANDIDATES = msgspec.json.Decoder(tuple[_Candidate, ...])


async def candidates(access: Access) -> Sequence[Candidate]:
    """Who could hold the plan: the team first, then others of the agencies involved now.

    Only agencies whose part in the child's life the viewer may know of. At most 500.
    """
    found = await access.session.execute(
        text(_CANDIDATES),
        {"child": access.child_id, "today": access.today, "most": MOST_CANDIDATES},
    )
    rows = _READ_CANDIDATES.decode(found.scalar_one())
    known = [one for one in rows if access.may(Category.NETWORK, one.agency_id)]
    await load_keys(access.session, {one.agency_id for one in known})
    people = [
        Candidate(
            worker_id=one.id,
            agency_id=one.agency_id,
            name=_name(access, one.agency_id, one.id, one.name),
            job_title=one.job_title,
            agency=one.agency,
            in_team=one.in_team,
            leaves_on=one.until_on,
        )
        for one in known
    ]
    return sorted(people, key=lambda one: (not one.in_team, one.agency, one.name))


# Offering and answering ---------------------------------------------------------------------------


async def offer_lead(access: Access, worker_id: UUID, terms: Terms = NO_TERMS) -> LeadProfessional:
    """Offer the part of lead professional to a worker of an agency involved now, on these terms.

    Raises Invalid with a sentence about what is wrong. The worker can reach the offer from now on.
    """
    access.require_write()
    session = access.session
    await lock_child(session, access.child_id)
    chosen = await chosen_for(access, worker_id)
    mistake = rules.offer_mistake(
        is_lead_now=await _is_lead(session, access.child_id, worker_id),
        offered_to=await _offered_to(session, access.child_id),
        leaves_on=chosen.leaves_on,
    )
    if mistake:
        raise Invalid.because("worker_id", mistake)
    _check_terms(terms, access.today)
    offer = LeadProfessional(
        child_id=access.child_id,
        worker_id=worker_id,
        agency_id=chosen.agency_id,
        state="offered",
        offered_on=access.today,
        offered_by=access.viewer.id,
        joint_until=terms.joint_until,
        family=terms.family,
    )
    offer.note, offer.family_words = terms.note, terms.family_words
    offer.over_limit = terms.over_limit
    session.add(offer)
    await rewrite_access(session, access.child_id)
    return offer


def _check_terms(terms: Terms, today: date) -> None:
    for field, mistake in (
        ("joint_until", rules.joint_mistake(terms.joint_until, today)),
        ("family_words", rules.family_mistake(terms.family or "", terms.family_words)),
        ("over_limit", rules.limit_mistake(terms.plans_held, terms.limit, terms.over_limit)),
    ):
        if mistake:
            raise Invalid.because(field, mistake)


async def chosen_for(access: Access, worker_id: UUID) -> Candidate:
    """The worker who is chosen to lead or to cover. Raises Invalid about `worker_id`."""
    session = access.session
    chosen = next((one for one in await candidates(access) if one.worker_id == worker_id), None)
    if chosen is None:
        raise Invalid.because(
            "worker_id", "Choose a worker of an agency that is involved with the child now"
        )
    is_theirs = chosen.in_team or chosen.agency_id == access.viewer.agency
    if not is_theirs and await is_refused_the_name(
        session, access.child_id, chosen.agency_id, access.today
    ):
        raise Invalid.because(
            "worker_id", "The family has not agreed that this agency knows who the child is"
        )
    return chosen


async def _is_lead(session: AsyncSession, child_id: UUID, worker_id: UUID) -> bool:
    """Whether somebody holds the plan from now on without an end."""
    lead = await session.scalar(
        select(LeadProfessional.worker_id).where(
            LeadProfessional.child_id == child_id, LeadProfessional.state == "accepted"
        )
    )
    return lead == worker_id


async def _offered_to(session: AsyncSession, child_id: UUID) -> str:
    worker_id = await session.scalar(
        select(LeadProfessional.worker_id).where(
            LeadProfessional.child_id == child_id, LeadProfessional.state == "offered"
        )
    )
    if worker_id is None:
        return ""
    return (await worker_names(session, [worker_id])).get(worker_id, "somebody")


async def withdraw_offer(access: Access, offer_id: UUID) -> None:
    """Take an offer back before it is answered. Raises NotFound for one that is not open."""
    access.require_write()
    offer = await _open_offer(access, offer_id)
    offer.state, offer.answered_on = "withdrawn", access.today
    await rewrite_access(access.session, access.child_id)


async def _open_offer(access: Access, offer_id: UUID) -> LeadProfessional:
    await lock_child(access.session, access.child_id)
    offer = await access.session.get(LeadProfessional, offer_id, populate_existing=True)
    if offer is None or offer.child_id != access.child_id or offer.state != "offered":
        raise NotFound(NO_OFFER, "See who holds the plan on the child's page.")
    return offer


async def open_for_offer(
    session: AsyncSession,
    gate: Gate,
    viewer: Viewer,
    purposes: Purposes,
    offer_id: UUID,
    doing: str,
) -> Access:
    """The record of the child that an offer to this viewer is about. Raises NotFound.

    For a transaction under way as this viewer. An offer lets the worker reach the offer itself;
    what they see of the child is as before.
    """
    child_id = await session.scalar(
        select(LeadProfessional.child_id).where(
            LeadProfessional.id == offer_id, LeadProfessional.worker_id == viewer.id
        )
    )
    children = [] if child_id is None else [child_id]
    opened = await gate.open_here(session, children, viewer, purposes, doing)
    if child_id is None or child_id not in opened:
        raise NotFound(NO_OFFER, "Your offers are on your first page.")
    return opened[child_id]


@asynccontextmanager
async def opened_for_offer(
    gate: Gate, viewer: Viewer, purposes: Purposes, offer_id: UUID, doing: str
) -> AsyncIterator[Access]:
    """As `open_for_offer`, in a transaction of its own."""
    async with gate.tenant.transaction(viewer.id) as session:
        yield await open_for_offer(session, gate, viewer, purposes, offer_id, doing)


_OFFER = """
SELECT c.reference, c.birth_date, encode(c.given_name, 'hex') AS given_name, a.name AS agency
FROM child c LEFT JOIN worker w ON w.id = :by LEFT JOIN agency a ON a.id = w.agency_id
WHERE c.id = :child
"""


async def offer_for_answer(access: Access, offer_id: UUID) -> Offer:
    """What the offer says to whom it was made. Raises NotFound for one that is not open."""
    session = access.session
    offer = await session.get(LeadProfessional, offer_id)
    if offer is None or offer.worker_id != access.viewer.id or offer.state != "offered":
        raise NotFound(NO_OFFER, "Your offers are on your first page.")
    read = await offer_words(access, offer.id, offer.offered_by, offer.offered_on)
    return replace(read, joint_until=offer.joint_until)


async def offer_words(access: Access, asked_id: UUID, by: UUID, on: date) -> Offer:
    """Who asks, on what day, and of whom: as far as the one who is asked may know."""
    session = access.session
    found = await session.execute(text(_OFFER), {"child": access.child_id, "by": by})
    child = found.one()
    now = await lead_on(session, access.child_id, access.today)
    lead = None if now is None else now.holder_id
    names = await worker_names(session, [by, *([lead] if lead else [])])
    return Offer(
        id=asked_id,
        child_id=access.child_id,
        reference=child.reference,
        given_name=identity_text(access, "given_name", child.given_name),
        birth_date=child.birth_date if access.may(Category.IDENTITY) else None,
        offered_on=on,
        offered_by=names.get(by, ""),
        offered_by_agency=child.agency or "",
        lead_now=names.get(lead, "") if lead else "",
    )


async def accept_offer(access: Access, offer_id: UUID) -> None:
    """Hold the plan from today; the former lead professional's last day was the day before.

    Somebody who began today keeps today, and the new one begins tomorrow. Raises NotFound for an
    offer that is not open and theirs, NotAllowed for somebody who leaves.
    """
    offer = await _own_offer(access, offer_id)
    worker = await access.session.get(Worker, offer.worker_id, populate_existing=True)
    if worker is None or worker.agency_id != offer.agency_id or worker.until_on is not None:
        raise NotAllowed(
            "You are leaving the agency, so you cannot take this on.",
            "Decline the offer, so that it can be made to somebody else.",
        )
    former = await lead_on(access.session, access.child_id, access.today)
    await begin(access.session, offer, access.today)
    if former is not None and offer.joint_until is not None:
        await _stay_beside(access.session, offer, former, offer.joint_until)
    await rewrite_access(access.session, access.child_id)


async def _stay_beside(
    session: AsyncSession, lead: LeadProfessional, former: LeadOn, until_on: date
) -> None:
    """Whoever held the plan leads beside the new one for the days that were agreed."""
    leaves_on = await session.scalar(select(Worker.until_on).where(Worker.id == former.holder_id))
    last_day = until_on if leaves_on is None else min(until_on, leaves_on)
    if lead.from_on is None or last_day < lead.from_on or former.holder_id == lead.worker_id:
        return
    held = await session.get_one(LeadProfessional, former.lead_id)
    session.add(
        LeadProfessional(
            child_id=lead.child_id,
            worker_id=former.holder_id,
            agency_id=held.agency_id,
            state="ended",
            role="joint",
            offered_on=lead.offered_on,
            offered_by=lead.offered_by,
            answered_on=lead.answered_on,
            from_on=lead.from_on,
            until_on=last_day,
        )
    )


async def _own_offer(access: Access, offer_id: UUID) -> LeadProfessional:
    offer = await _open_offer(access, offer_id)
    if offer.worker_id != access.viewer.id:
        raise NotFound(NO_OFFER, "Your offers are on your first page.")
    return offer


async def decline_offer(access: Access, offer_id: UUID, reason: str) -> None:
    """Say no, with a reason; the worker can no longer reach the child through the offer."""
    offer = await _own_offer(access, offer_id)
    offer.state, offer.answered_on, offer.reason = "declined", access.today, reason
    await rewrite_access(access.session, access.child_id)


async def begin(session: AsyncSession, lead: LeadProfessional, begins: date) -> None:
    """Let somebody hold the plan from a day on; whoever does so now ends the day before.

    Covers of the former end with their stretch. For who holds the child's lock.
    """
    formers = list(
        await session.scalars(
            select(LeadProfessional)
            .where(
                LeadProfessional.child_id == lead.child_id,
                LeadProfessional.role == "main",
                LeadProfessional.state.in_(HELD),
                or_(LeadProfessional.until_on.is_(None), LeadProfessional.until_on >= begins),
            )
            .with_for_update()
        )
    )
    change = rules.handover(
        [rules.Stretch(one.from_on or begins, one.until_on) for one in formers], begins
    )
    for former, last_day in zip(formers, change.ends, strict=True):
        former.state = "withdrawn" if last_day is None else "ended"
        former.until_on = last_day
        await end_covers(session, former.id, change.from_on - A_DAY)
    await end_joint(session, lead.child_id, lead.worker_id, change.from_on - A_DAY)
    # The index allows one at a time: the former must end before the new one begins.
    await session.flush()
    lead.state, lead.answered_on, lead.from_on = "accepted", begins, change.from_on
    session.add(lead)
    await join_team(session, lead.child_id, lead.agency_id, lead.worker_id, begins)


async def join_team(
    session: AsyncSession, child_id: UUID, agency_id: UUID, worker_id: UUID, from_on: date
) -> None:
    """Whoever holds the plan is in the team: add them to it from a day on, if they are not."""
    already = await session.scalar(
        select(Involvement.id)
        .where(
            Involvement.child_id == child_id,
            Involvement.worker_id == worker_id,
            Involvement.from_on <= from_on,
            Involvement.until_on.is_(None),
        )
        .limit(1)
    )
    if already is None:
        session.add(
            Involvement(
                child_id=child_id,
                agency_id=agency_id,
                worker_id=worker_id,
                part=PART,
                from_on=from_on,
            )
        )
    await session.flush()


# Process facts for others -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LeadFacts:
    """Who holds the plan, since when."""

    worker_id: UUID
    agency_id: UUID
    from_on: date


@dataclass(frozen=True, slots=True)
class OfferFacts:
    """To whom the plan is offered, since when."""

    worker_id: UUID
    agency_id: UUID
    offered_on: date


async def current_leads(
    session: AsyncSession, child_ids: Iterable[UUID], day: date | None = None
) -> dict[UUID, LeadFacts]:
    """Who holds the plan of each child on a day (today); a child whom nobody leads is absent."""
    rows = await session.execute(
        text(
            "SELECT child_id, worker_id, agency_id, from_on FROM lead_professional"
            " WHERE child_id = ANY(:children) AND state IN ('accepted', 'ended')"
            " AND role = 'main'"
            " AND from_on <= :day AND (until_on IS NULL OR until_on >= :day)"
        ),
        {"children": list(child_ids), "day": day or today_of(session)},
    )
    return {row.child_id: LeadFacts(row.worker_id, row.agency_id, row.from_on) for row in rows}


async def open_offers(session: AsyncSession, child_ids: Iterable[UUID]) -> dict[UUID, OfferFacts]:
    """To whom each child's plan is offered and not answered."""
    rows = await session.execute(
        text(
            "SELECT child_id, worker_id, agency_id, offered_on FROM lead_professional"
            " WHERE child_id = ANY(:children) AND state = 'offered' ORDER BY offered_on"
        ),
        {"children": list(child_ids)},
    )
    return {row.child_id: OfferFacts(row.worker_id, row.agency_id, row.offered_on) for row in rows}


async def lead_gap_since(
    session: AsyncSession, child_ids: Iterable[UUID], day: date | None = None
) -> dict[UUID, date]:
    """Since when nobody holds the plan, as of a day (today); of those who once had somebody."""
    rows = await session.execute(
        text(
            "SELECT child_id, max(until_on) + 1 AS since FROM lead_professional"
            " WHERE child_id = ANY(:children) AND state IN ('accepted', 'ended')"
            " AND role = 'main' AND from_on <= :day GROUP BY child_id"
            " HAVING bool_and(until_on IS NOT NULL AND until_on < :day)"
        ),
        {"children": list(child_ids), "day": day or today_of(session)},
    )
    return {row.child_id: row.since for row in rows}


# Imports ------------------------------------------------------------------------------------------


async def import_lead(session: AsyncSession, child_id: UUID, worker: Worker, since: date) -> bool:
    """Whoever holds the plan according to an earlier list; returns whether anything changed.

    The same line twice changes nothing, and a later lead professional known here stays. Raises
    NotAllowed for a worker who leaves.
    """
    await lock_child(session, child_id)
    rows = list(
        await session.scalars(
            select(LeadProfessional).where(
                LeadProfessional.child_id == child_id,
                LeadProfessional.role == "main",
                LeadProfessional.from_on.is_not(None),
            )
        )
    )
    if any(
        one.worker_id == worker.id and (one.state == "accepted" or one.from_on == since)
        for one in rows
    ) or any(one.from_on is not None and one.from_on >= since for one in rows):
        return False
    if worker.until_on is not None:
        raise NotAllowed(
            "They left or are leaving, so they cannot be lead professional.",
            "Name somebody who stays.",
        )
    lead = LeadProfessional(
        child_id=child_id,
        worker_id=worker.id,
        agency_id=worker.agency_id,
        offered_on=since,
        offered_by=session.info[VIEWER],
    )
    await begin(session, lead, since)
    await rewrite_access(session, child_id)
    return True
