"""One parent objects to what another agreed: written down, waited with, decided with reasons.

Neither a veto nor ignored: until it is decided, new sharing that rests on agreement waits and what
was shared before goes on. Source: DOMAIN.md, "Agreement and the law".
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import or_, select

from consent import (
    IN_THEIR_OWN_RIGHT,
    Capacity,
    Category,
    Giver,
    Objection,
    Purpose,
    State,
    Tie,
    may_agree_to_share,
)
from panel.accounts.service import agencies
from panel.platform.clock import day_of
from panel.platform.problems import Gone, Invalid, NotAllowed, NotFound
from panel.records.dates import working_days_after
from panel.records.gate import Access, rewrite_access
from panel.records.rehearsal import Turn
from panel.sharing.judging import judgements_of
from panel.sharing.left_to_governance import is_left_to_governance
from panel.sharing.models import SharingAgreement, SharingObjection
from panel.sharing.named import agencies_of_workers
from panel.sharing.reading import Loss, known_state, would_change
from panel.sharing.spans import spans
from panel.sharing.standing import child_standing, family_facts, giver_words
from panel.sharing.systems import is_of_system

TOLD_FOR = timedelta(days=31)
"""How long the family's page tells of a decision."""
FROM_16_ALONE = "From 16 the young person decides alone."


WHO_MAY_DECIDE = "The coordinator of the child's panel decides about an objection."
ABOUT_YOUR_AGENCY = (
    "This objection is about sharing with your own agency, so you cannot decide that sharing goes"
    " on. A coordinator of another agency or the information governance lead decides that."
)


class ObjectionOutcome(StrEnum):
    """How an objection was decided."""

    UPHELD = "upheld"
    """It is not shared."""
    DISMISSED = "dismissed"
    """Sharing goes on, and what waited begins."""


@dataclass(frozen=True, slots=True)
class OtherSide:
    """What somebody else agreed to that an objection is about; None where it may not be seen."""

    by_words: str
    agencies: tuple[str, ...]
    agreed_on: date
    how_explained: str | None
    evidence: str | None


@dataclass(frozen=True, slots=True)
class ObjectionView:
    """An objection with the reasons of both, and what its decision would change."""

    id: UUID
    by_words: str
    agencies: tuple[str, ...]
    categories: tuple[Category, ...]
    purposes: tuple[Purpose, ...]
    """None is for everything."""
    raised_on: date
    due_on: date
    reason: str | None
    """None where the viewer may not see it."""
    others: tuple[OtherSide, ...]
    decided_on: date | None
    upheld: bool
    decision_reason: str | None
    may_decide: bool
    may_dismiss: bool
    """False where it is about the viewer's own agency: they do not say that sharing goes on."""
    if_upheld: "WouldBe"
    if_dismissed: "WouldBe"


@dataclass(frozen=True, slots=True)
class WouldBe:
    """What one decision of an objection would close and open."""

    closes: tuple[Loss, ...] = ()
    opens: tuple[Loss, ...] = ()
    turn: Turn | None = None
    """None where it is decided already."""


async def record_objection(
    access: Access,
    by_person: UUID,
    agencies: frozenset[UUID] = frozenset(),
    categories: frozenset[Category] = frozenset(),
    reason: str = "",
    purposes: frozenset[Purpose] = frozenset(),
) -> UUID:
    """Somebody with parental responsibility objects to what another agreed.

    No agencies, categories or purposes means all. New sharing pauses until it is decided, what was
    shared before goes on. Raises Invalid for somebody without parental responsibility.
    """
    access.require_write()
    facts = await family_facts(access)
    words = giver_words(access.child_id, by_person, facts, access.today)
    if words is None:
        raise Invalid.because("by_person", "This person is not on the child's record.")
    standing = may_agree_to_share(
        Giver(by_person, words, Capacity.PARENTAL_RESPONSIBILITY),
        child_standing(access.child_id, facts, await judgements_of(access)),
        access.today,
    )
    if not standing.allowed:
        raise Invalid.because("by_person", standing.why)
    about = Objection(words, agencies, categories, access.today, purposes=purposes)
    return await raise_objection(access, by_person, about, reason, since=access.today)


async def raise_objection(
    access: Access,
    by_person: UUID,
    about: Objection,
    reason: str,
    *,
    since: date,
) -> UUID:
    """The objection; the same one that is open, or was raised since that day, stays one."""
    known = await access.session.scalars(
        select(SharingObjection).where(
            SharingObjection.child_id == access.child_id,
            SharingObjection.by_person_id == by_person,
            or_(SharingObjection.decided_on.is_(None), SharingObjection.raised_on >= since),
        )
    )
    for row in known:
        if _as_raised(row) == replace(about, by_words=row.by_words, raised=row.raised_on):
            return row.id
    made = SharingObjection(
        child_id=access.child_id,
        by_person_id=by_person,
        by_words=about.by_words,
        agencies=sorted(about.agencies),
        categories=sorted(about.categories),
        purposes=sorted(about.purposes),
        raised_on=about.raised,
        reason=reason,
    )
    access.session.add(made)
    await rewrite_access(access.session, access.child_id)
    return made.id


async def decide_objection(
    access: Access, objection_id: UUID, outcome: ObjectionOutcome, reason: str
) -> None:
    """The coordinator decides an objection, with the reasons of both sides written down.

    Nobody dismisses one about sharing with their own agency: that is for the coordinator of another
    agency or the information governance lead. Raises NotAllowed for anybody else, Invalid without
    a reason, NotFound for one that is not here, Gone for one that is decided.
    """
    is_left = await is_left_to_governance(access, objection_id)
    if Tie.PANEL not in access.ties and not is_left:
        raise NotAllowed(WHO_MAY_DECIDE)
    if not reason.strip():
        raise Invalid.because("reason", "Give the reasons of both, and why you decide so")
    objection = await access.session.get(SharingObjection, objection_id, with_for_update=True)
    if objection is None or objection.child_id != access.child_id:
        raise NotFound("There is no such objection.")
    if objection.decided_on is not None:
        raise Gone("This objection was decided already.", "Read the decision on the sharing page.")
    if outcome is ObjectionOutcome.DISMISSED and not is_left and _is_mine(access, objection):
        raise NotAllowed(ABOUT_YOUR_AGENCY)
    objection.decided_on = access.today
    objection.decided_by = access.viewer.id
    objection.upheld = outcome is ObjectionOutcome.UPHELD
    objection.decision_reason = reason
    await rewrite_access(access.session, access.child_id)


def _is_mine(access: Access, objection: SharingObjection) -> bool:
    """Whether it is about sharing with the viewer's own agency, by name.

    One about sharing with everybody names nobody: it concerns each agency alike.
    """
    return access.viewer.agency in objection.agencies


async def close_objections(access: Access) -> None:
    """From 16 the young person's word, or what was decided for them, ends the parents' dispute."""
    for row in await open_objections(access):
        row.decided_on = access.today
        row.decision_reason = FROM_16_ALONE


async def open_objections(access: Access) -> Sequence[SharingObjection]:
    """The objections that are not decided."""
    rows = await access.session.scalars(
        select(SharingObjection)
        .where(
            SharingObjection.child_id == access.child_id,
            SharingObjection.decided_on.is_(None),
        )
        .order_by(SharingObjection.raised_on, SharingObjection.id)
    )
    return rows.all()


@dataclass(frozen=True, slots=True)
class ObjectionForFamily:
    """An objection as those who may decide for a child are told of it: never anybody's reasons."""

    is_mine: bool
    agencies: tuple[str, ...]
    """Empty for all of them, and where they may not be named."""
    of_system: bool
    """It is about the agencies' own computer systems alone."""
    due_on: date
    decided_on: date | None
    upheld: bool


async def objections_for_family(access: Access) -> tuple[ObjectionForFamily, ...]:
    """What is being decided, and what was within a month: for a parent or the young person."""
    if not access.ties & IN_THEIR_OWN_RIGHT:
        return ()
    rows = await access.session.scalars(
        select(SharingObjection)
        .where(
            SharingObjection.child_id == access.child_id,
            or_(
                SharingObjection.decided_on.is_(None),
                # What the young person's own word closed was not decided between the parents.
                SharingObjection.decided_by.is_not(None)
                & (SharingObjection.decided_on >= access.today - TOLD_FOR),
            ),
        )
        .order_by(SharingObjection.raised_on, SharingObjection.id)
    )
    found = rows.all()
    known: dict[UUID, str] = {}
    if found and access.may(Category.NETWORK):
        known = {agency.id: agency.name for agency in await agencies(access.session)}
    within = (await spans(access.session)).objection_working_days if found else 0
    return tuple(
        ObjectionForFamily(
            is_mine=row.by_person_id == access.viewer.id,
            agencies=_named(row.agencies, known),
            of_system=is_of_system(purposes_of(row)),
            due_on=working_days_after(row.raised_on, within),
            decided_on=row.decided_on,
            upheld=row.upheld,
        )
        for row in found
    )


def is_about(
    objection: SharingObjection | Objection,
    asked: Collection[UUID],
    purposes: Collection[str],
    categories: Collection[Category] = (),
) -> bool:
    """Whether an objection is about sharing with one of these agencies, for one of these purposes
    (and any such category)."""
    whom: set[UUID] = set(objection.agencies)
    for_what: set[str] = set(objection.purposes)
    what: set[str] = set(objection.categories)
    with_whom = not whom or not whom.isdisjoint(asked)
    is_for_it = not for_what or not for_what.isdisjoint(purposes)
    return (
        with_whom and is_for_it and (not what or not categories or not what.isdisjoint(categories))
    )


def purposes_of(row: SharingObjection) -> frozenset[Purpose]:
    """For what somebody objects; none is for everything."""
    return frozenset(Purpose(one) for one in row.purposes)


async def objection_view(access: Access, objection_id: UUID) -> ObjectionView:
    """One objection for its page. Raises NotFound.

    What the parents said belongs to the family's part of the record: it is read by who may see
    that, and by the agency whose worker wrote it down.
    """
    row = await access.session.get(SharingObjection, objection_id)
    if row is None or row.child_id != access.child_id:
        raise NotFound("There is no such objection.")
    known = {agency.id: agency.name for agency in await agencies(access.session)}
    others = [
        one
        for one in await access.session.scalars(
            select(SharingAgreement)
            .where(
                SharingAgreement.child_id == access.child_id,
                SharingAgreement.given.is_(True),
                SharingAgreement.by_person_id != row.by_person_id,
            )
            .order_by(SharingAgreement.from_on, SharingAgreement.id)
        )
        if is_about(row, one.agencies, one.purposes)
        and (one.withdrawn_at is None or day_of(one.withdrawn_at) >= row.raised_on)
        and (one.until_on is None or one.until_on >= row.raised_on)
    ]
    writers = [row.created_by, *(one.created_by for one in others)]
    if row.decided_by is not None:
        writers.append(row.decided_by)
    of_agency = await agencies_of_workers(access, writers)

    def sees(writer: UUID | None) -> bool:
        mine = None if writer is None else of_agency.get(writer)
        return access.may(Category.FAMILY, mine)

    is_left = await is_left_to_governance(access, row.id)
    return ObjectionView(
        id=row.id,
        by_words=row.by_words,
        agencies=_named(row.agencies, known),
        categories=tuple(Category(one) for one in row.categories),
        purposes=tuple(sorted(purposes_of(row))),
        raised_on=row.raised_on,
        due_on=working_days_after(
            row.raised_on, (await spans(access.session)).objection_working_days
        ),
        reason=row.reason if sees(row.created_by) else None,
        others=tuple(
            OtherSide(
                by_words=one.by_words,
                agencies=_named(one.agencies, known),
                agreed_on=one.from_on,
                how_explained=one.how_explained if sees(one.created_by) else None,
                evidence=one.evidence if sees(one.created_by) else None,
            )
            for one in others
        ),
        decided_on=row.decided_on,
        upheld=row.upheld,
        decision_reason=row.decision_reason if sees(row.decided_by) else None,
        may_decide=row.decided_on is None and (is_left or Tie.PANEL in access.ties),
        may_dismiss=is_left or not _is_mine(access, row),
        if_upheld=await _would_change(access, row, upheld=True),
        if_dismissed=await _would_change(access, row, upheld=False),
    )


async def _would_change(access: Access, row: SharingObjection, *, upheld: bool) -> WouldBe:
    if row.decided_on is not None:
        return WouldBe()
    mine = _as_raised(row)

    def decided(state: State) -> State:
        return replace(
            state,
            objections=tuple(
                replace(one, decided=access.today, upheld=upheld) if one == mine else one
                for one in state.objections
            ),
        )

    closes, opens = await would_change(access, decided, row.agencies)
    state = await known_state(access)
    return WouldBe(closes, opens, Turn(state, decided(state)))


def _as_raised(row: SharingObjection) -> Objection:
    """An objection as it was before anybody decided it."""
    return Objection(
        row.by_words,
        frozenset(row.agencies),
        frozenset(Category(one) for one in row.categories),
        row.raised_on,
        purposes=purposes_of(row),
    )


def _named(ids: Sequence[UUID], known: dict[UUID, str]) -> tuple[str, ...]:
    return tuple(sorted(known[one] for one in ids if one in known))
