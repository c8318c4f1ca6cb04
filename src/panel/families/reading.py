"""A child as one of the family may read about them: each part as the gate decides."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import IN_THEIR_OWN_RIGHT, OF_THE_FAMILY, Category, Purpose, Tie, Viewer
from panel.allocation.letter_service import OwnLetter, own_letters
from panel.assessments.for_family import FormForFamily, forms_for_family
from panel.casework.transitions import ComingForFamily, coming_for_family
from panel.families.happening import happening, is_elsewhere, panels_to_ask
from panel.impact.family_lines import meetings_for_family, where_words
from panel.panels.note_answers import OwnNote, own_notes
from panel.panels.telling import (
    BeforePanel,
    OwnWords,
    asked_since,
    before_panel,
    own_words,
)
from panel.plans.agreeing import OwnStanding, own_standing
from panel.plans.contingency import has_contingency
from panel.plans.service import PlanReading, plan_for_family, plan_for_reading
from panel.platform.read_models import sql
from panel.platform.tables import NOW
from panel.platform.tenancy import Tenant, load_keys
from panel.records.family_asks import FamilyAsk, FamilyAsks
from panel.records.family_words import Comparing, FamilyWords
from panel.records.gate import Access, Gate, Withheld
from panel.register.service import identity_text
from panel.sharing.asking_family import AskedOfFamily
from panel.sharing.objecting import ObjectionForFamily, objections_for_family

MOST_CHILDREN = 20


@dataclass(frozen=True, slots=True)
class ToRing:
    """The lead professional. `phone` is empty where none is written down."""

    name: str
    job_title: str
    agency: str
    phone: str
    since: date | None = None
    """Since when they are lead professional."""
    stands_in_for: str = ""
    """Whoever holds the plan, where this is who covers for them."""
    until: date | None = None
    """The last day on which they stand in."""
    beside: tuple[tuple[str, date], ...] = ()
    """Who leads beside them for a while after a handover, and until when."""


@dataclass(frozen=True, slots=True)
class ChildForFamily:
    """What a family member or young person reads about one child."""

    child_id: UUID
    name: str
    """As the child is called; empty where it is withheld."""
    is_self: bool
    to_ring: ToRing | None
    """None where nobody leads yet, or it is withheld."""
    may_know_panel: bool
    before: BeforePanel | None
    plan: PlanReading | Withheld | None
    """As a family reads it: nothing is left of the words of the lines that are held back."""
    may_know_workers: bool
    asked_on: date | None
    words: Sequence[OwnWords]
    notes: Sequence[OwnNote] = ()
    """The notes that they were sent, newest first."""
    letters: Sequence[OwnLetter] = ()
    """The letters about decisions that they were sent, newest first."""
    objections: Sequence[ObjectionForFamily] = ()
    has_standing: bool = False
    """A parent with parental responsibility, or the young person themselves."""
    held: frozenset[UUID] = frozenset()
    """The lines of the plan whose words they do not read yet."""
    changes: Sequence[ComingForFamily] = ()
    """What changes soon in the child's life, and who prepares it."""
    forms: Sequence[FormForFamily] = ()
    """The forms that are being made about the child, and those finished of late."""
    agreed: OwnStanding | None = None
    """The plan as it was agreed last, and what they said of it."""
    has_contingency: bool = False
    where: str = ""
    """Where the child is in the process, where that is not CONTACTS."""
    meetings: Sequence[FamilyAsk] = ()
    """The meetings around them, and the minutes that they can read and sign."""
    asks: Sequence[FamilyAsk] = ()
    """What other rooms ask them on their first page."""
    happening: Sequence[str] = ()
    is_elsewhere: bool = False
    """Whether another authority took the child over."""
    """What happens to the case: referral, closing, another authority."""
    may_ask_for_help: bool = False


class _Lead(msgspec.Struct):
    id: UUID
    agency_id: UUID
    agency: str
    job_title: str
    from_on: date
    until_on: date | None
    name: str | None
    phone: str | None


class _Who(msgspec.Struct):
    given_name: str | None
    known_as: str | None
    lead: _Lead | None
    cover: _Lead | None
    beside: tuple[_Lead, ...] | None


_CHILDREN = """
SELECT a.child_id FROM child_access a
WHERE a.viewer_id = :viewer AND a.valid_from <= :now AND a.valid_until >= :now
ORDER BY a.child_id LIMIT :most
"""
_WORKER = """json_build_object('id', w.id, 'agency_id', g.id, 'agency', g.name,
  'job_title', w.job_title, 'from_on', l.from_on, 'until_on', l.until_on,
  'name', encode(w.name, 'hex'), 'phone', encode(w.phone, 'hex'))"""
_ON_THE_DAY = """JOIN worker w ON w.id = l.worker_id JOIN agency g ON g.id = w.agency_id
  WHERE l.child_id = c.id AND l.state IN ('accepted', 'ended') AND l.from_on <= :today
    AND (l.until_on IS NULL OR l.until_on >= :today)"""
_WHO = sql(
    """
SELECT json_build_object('given_name', encode(c.given_name, 'hex'),
  'known_as', encode(c.known_as, 'hex'),
  'lead', (SELECT {worker} FROM lead_professional l {on_the_day} AND l.role = 'main'
     ORDER BY l.from_on DESC LIMIT 1),
  'cover', (SELECT {worker} FROM lead_cover l {on_the_day}
     AND (w.until_on IS NULL OR w.until_on >= :today) ORDER BY l.from_on DESC LIMIT 1),
  'beside', (SELECT json_agg({worker} ORDER BY l.until_on, l.id) FROM lead_professional l
     {on_the_day} AND l.role = 'joint'))::text
FROM child c WHERE c.id = :child
""",
    worker=_WORKER,
    on_the_day=_ON_THE_DAY,
)
_READ_WHO = msgspec.json.Decoder(_Who)


async def children_of(
    tenant: Tenant,
    gate: Gate,
    viewer: Viewer,
    family_words: FamilyWords,
    asks: FamilyAsks,
    doing: str,
) -> list[ChildForFamily]:
    """The viewer's own children, or the young person themselves; in transactions of its own."""
    async with tenant.transaction(viewer.id) as session:
        reached = await _children(session, viewer)
    # What the plans are compared with, before the transaction in which they are read.
    comparing = {child: await family_words.around(child, viewer.id) for child in reached}
    async with tenant.transaction(viewer.id) as session:
        opened = await gate.open_here(
            session, await _children(session, viewer), viewer, Purpose.SUPPORT, doing
        )
        # Named by a court order or an override is not yet family.
        tied = [access for access in opened.values() if access.ties & OF_THE_FAMILY]
        return [
            replace(
                await child_for_family(one, comparing.get(one.child_id)), asks=await asks.of(one)
            )
            for one in tied
        ]


async def _children(session: AsyncSession, viewer: Viewer) -> list[UUID]:
    rows = await session.execute(
        text(_CHILDREN),
        {"viewer": viewer.id, "now": session.info[NOW], "most": MOST_CHILDREN},
    )
    return list(rows.scalars())


async def child_for_family(access: Access, comparing: Comparing | None = None) -> ChildForFamily:
    """One child, for one of the family.

    Without what its words are compared with, every line of the plan is held back.
    """
    found = await access.session.execute(
        text(_WHO), {"child": access.child_id, "today": access.today}
    )
    who = _READ_WHO.decode(found.scalar_one())
    # Who works with a child can tell where the child lives.
    may_know_workers = access.may(Category.NETWORK)
    may_know_panel = access.may(Category.PANEL)
    elsewhere = await is_elsewhere(access)
    plan, held = await plan_for_reading(access), frozenset[UUID]()
    if isinstance(plan, PlanReading):
        plan, held = await plan_for_family(access, plan, comparing)
    return ChildForFamily(
        child_id=access.child_id,
        name=identity_text(access, "known_as", who.known_as)
        or identity_text(access, "given_name", who.given_name),
        is_self=Tie.SELF in access.ties,
        to_ring=(await _to_ring(access, who) if may_know_workers and not elsewhere else None),
        may_know_panel=may_know_panel,
        before=await before_panel(access),
        plan=plan,
        may_know_workers=may_know_workers,
        asked_on=await asked_since(access),
        words=await own_words(access),
        notes=await own_notes(access),
        letters=await own_letters(access),
        objections=await objections_for_family(access),
        has_standing=bool(access.ties & IN_THEIR_OWN_RIGHT),
        changes=await coming_for_family(access),
        held=held,
        forms=await forms_for_family(access),
        agreed=await own_standing(access) if isinstance(plan, PlanReading) else None,
        has_contingency=await has_contingency(access),
        where=await where_words(access),
        meetings=await meetings_for_family(access),
        happening=await happening(access),
        is_elsewhere=elsewhere,
        may_ask_for_help=bool(await panels_to_ask(access)),
    )


def reason_for_family(access: Access, asked: AskedOfFamily, comparing: Comparing) -> AskedOfFamily:
    """A request with its reason as one of the family reads it: none where it may be about others.

    Who asks wrote it, and nobody says that it may be read: the family can be rung about it.
    """
    is_held = access.must_redact(asked.category) and comparing.kept_from(
        asked.reason, access.viewer.id
    )
    return replace(asked, reason="") if is_held else asked


async def _to_ring(access: Access, who: _Who) -> ToRing | None:
    """Who is to be rung today: who stands in, else the lead professional; None where nobody is."""
    lead, beside = who.lead, who.beside or ()
    if lead is None:
        return None
    today = who.cover or lead
    await load_keys(access.session, {one.agency_id for one in (lead, today, *beside)})

    def opened(one: _Lead, column: str, sealed: str | None) -> str:
        if sealed is None:
            return ""
        return access.keys.open(one.agency_id, f"worker.{column}", one.id, bytes.fromhex(sealed))

    return ToRing(
        opened(today, "name", today.name),
        today.job_title,
        today.agency,
        opened(today, "phone", today.phone),
        lead.from_on,
        opened(lead, "name", lead.name) if who.cover else "",
        who.cover.until_on if who.cover else None,
        tuple((opened(one, "name", one.name), one.until_on) for one in beside if one.until_on),
    )
