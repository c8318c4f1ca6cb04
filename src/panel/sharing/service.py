"""Recording what families decide about sharing, and what is withheld from whom.

Everything here is written through the record gate, never deleted, and works on the next look.
Source: DOMAIN.md, "Agreement and the law".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import (
    ADDITIONAL,
    BASIC,
    Capacity,
    Category,
    ChildStanding,
    Finding,
    Giver,
    Judgement,
    Level,
    Purpose,
    RestrictionKind,
    Standing,
    Tie,
    may_agree_to_share,
)
from consent.standing import AGE_OF_OWN_AGREEMENT, SHARING_MATTER, has_reached
from panel.platform.problems import FieldError, Gone, Invalid, NotAllowed, NotFound
from panel.records.dates import working_days_before
from panel.records.gate import Access
from panel.sharing.models import (
    AccessRequest,
    SharingAgreement,
    SharingObjection,
    SharingRestriction,
)
from panel.sharing.reading import would_open_to
from panel.sharing.standing import (
    FamilyFacts,
    PossibleGiver,
    child_standing,
    family_facts,
    giver_words,
    possible_givers,
)

__all__ = [
    "ObjectionOutcome",
    "PossibleGiver",
    "Recorded",
    "RecordedAs",
    "Restriction",
    "SharingAgreement",
    "SharingDecision",
    "agreement_of_assessment",
    "decide_objection",
    "may_decide",
    "possible_givers",
    "record_agreement",
    "record_objection",
    "record_restriction",
    "replace_agreement",
    "request_access",
    "withdraw_agreement",
]

ANSWER_WITHIN = 10
"""Working days after which a request for access that nobody answered lapses to refused."""

_CAPACITY_COLUMN = {
    Capacity.PARENTAL_RESPONSIBILITY: "parental_responsibility",
    Capacity.SELF: "own",
    Capacity.BEST_INTERESTS: "best_interests",
    Capacity.DEPUTY: "deputy",
    Capacity.ATTORNEY: "attorney",
}
_OWN_COMPETENT = "own_competent"
"""Under 16 and judged to understand what it means."""


@dataclass(frozen=True, slots=True)
class SharingDecision:
    """What somebody said about sharing a child's information."""

    by_person: UUID
    """A family member's id, or the child's own."""
    capacity: Capacity
    given: bool
    """True: agreed. False: refused."""
    agreed_on: date
    """The day of the conversation."""
    agencies: frozenset[UUID] = frozenset()
    """With whom; for a refusal, from whom (none: from every agency)."""
    not_agencies: frozenset[UUID] = frozenset()
    level: Level | None = None
    """For a refusal None with nothing named is everything."""
    named: frozenset[Category] = frozenset()
    purposes: frozenset[Purpose] = frozenset()
    from_on: date | None = None
    """None: from the day of the conversation."""
    until_on: date | None = None
    how_explained: str = ""
    evidence: str = ""
    """How competence, or best interests, was judged; or why it is refused."""
    interpreter: str | None = None
    """Which language or signs; never a name, which belongs into `how_explained`."""
    judged: frozenset[Finding] = frozenset()
    """What whoever records this judged in the conversation; `evidence` says how."""
    assessment_id: UUID | None = None


class RecordedAs(StrEnum):
    """What a decision became."""

    AGREEMENT = "agreement"
    REFUSAL = "refusal"
    OBJECTION = "objection"
    """Another person agreed before: neither a veto nor ignored, it opens a decision."""


class ObjectionOutcome(StrEnum):
    """How an objection was decided."""

    UPHELD = "upheld"
    """It is not shared."""
    DISMISSED = "dismissed"
    """Sharing goes on, and what waited begins."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The row that a decision became."""

    id: UUID
    kind: RecordedAs


@dataclass(frozen=True, slots=True)
class Restriction:
    """Something to be withheld from somebody."""

    kind: RestrictionKind
    reason: str
    categories: frozenset[Category] = frozenset()
    """None: everything."""
    against: frozenset[UUID] = frozenset()
    """Viewers or agencies; none: everyone."""
    from_on: date | None = None
    until_on: date | None = None
    silent: bool = False
    by_words: str = ""


async def may_decide(access: Access, decision: SharingDecision) -> Standing:
    """Whether this person may decide about sharing today, in this capacity, and why (not)."""
    facts = await family_facts(access)
    words = giver_words(access.child_id, decision.by_person, facts, access.today)
    if words is None:
        return Standing(allowed=False, why="This person is not on the child's record.")
    standing = child_standing(access.child_id, facts, _judgements(access, decision))
    return may_agree_to_share(_giver(decision, words, standing), standing, access.today)


async def record_agreement(access: Access, decision: SharingDecision) -> Recorded:
    """Write down an agreement or a refusal, by somebody who may give it.

    A refusal by one person with parental responsibility of what another agreed to becomes an
    objection. The same person's earlier word gives way where the two cannot both hold, and from
    16 the young person's own word ends what others said for them; nothing is deleted.

    Raises NotAllowed for a viewer who only reads, and Invalid where the person may not decide
    (the reason in one sentence, field `capacity`) or the decision contradicts itself.
    """
    access.require_write()
    facts = await family_facts(access)
    words = giver_words(access.child_id, decision.by_person, facts, access.today)
    standing = await may_decide(access, decision)
    if words is None or not standing.allowed:
        raise Invalid.because("capacity", standing.why)
    _check(decision, access.today)
    live = await _live(access)
    await _make_room(access, decision, live, facts)
    if _is_objection(decision, live):
        objected = await _object(
            access,
            decision.by_person,
            words,
            decision.agencies,
            _categories_of(decision),
            decision.evidence,
            since=decision.agreed_on,
        )
        return Recorded(objected, RecordedAs.OBJECTION)
    made = SharingAgreement(
        child_id=access.child_id,
        given=decision.given,
        by_person_id=decision.by_person,
        capacity=_capacity_column(decision, facts, access.today),
        by_words=words,
        agencies=sorted(decision.agencies),
        not_agencies=sorted(decision.not_agencies),
        level=decision.level,
        named=sorted(decision.named),
        purposes=sorted(decision.purposes),
        from_on=await _start(access, decision),
        until_on=decision.until_on,
        how_explained=decision.how_explained,
        evidence=decision.evidence,
        interpreter=decision.interpreter,
        assessment_id=decision.assessment_id,
    )
    access.session.add(made)
    await access.session.flush()
    kind = RecordedAs.AGREEMENT if decision.given else RecordedAs.REFUSAL
    return Recorded(made.id, kind)


async def withdraw_agreement(access: Access, agreement_id: UUID) -> None:
    """An agreement or refusal ends now: the next page, pack and message goes without it.

    Withdrawing twice changes nothing. Raises NotFound, and NotAllowed where the end would open
    something to the viewer's own agency: that takes a new conversation, or somebody else.
    """
    agreement = await _agreement(access, agreement_id)
    agency = access.viewer.agency
    if agency is not None and await would_open_to(access, agreement_id, agency):
        raise NotAllowed(
            "This keeps something from your own agency, so you cannot end it.",
            "When they agree, write the new conversation down in an assessment; or somebody of"
            " another agency ends this.",
        )
    await _end(access, agreement)


async def replace_agreement(access: Access, agreement_id: UUID) -> None:
    """An agreement or refusal gives way to what the same person says now. Raises NotFound."""
    await _end(access, await _agreement(access, agreement_id))


async def _agreement(access: Access, agreement_id: UUID) -> SharingAgreement:
    access.require_write()
    agreement = await access.session.get(SharingAgreement, agreement_id)
    if agreement is None or agreement.child_id != access.child_id:
        raise NotFound("There is no such agreement.")
    return agreement


async def _end(access: Access, agreement: SharingAgreement) -> None:
    if agreement.withdrawn_at is None:
        agreement.withdrawn_at = access.at
        await access.session.flush()


async def record_objection(
    access: Access,
    by_person: UUID,
    agencies: frozenset[UUID] = frozenset(),
    categories: frozenset[Category] = frozenset(),
    reason: str = "",
) -> UUID:
    """Somebody with parental responsibility objects to what another agreed.

    No agencies or categories means all. New sharing pauses until it is decided, what was shared
    before goes on. Raises Invalid for somebody without parental responsibility.
    """
    access.require_write()
    facts = await family_facts(access)
    words = giver_words(access.child_id, by_person, facts, access.today)
    if words is None:
        raise Invalid.because("by_person", "This person is not on the child's record.")
    standing = may_agree_to_share(
        Giver(by_person, words, Capacity.PARENTAL_RESPONSIBILITY),
        child_standing(access.child_id, facts),
        access.today,
    )
    if not standing.allowed:
        raise Invalid.because("by_person", standing.why)
    return await _object(access, by_person, words, agencies, categories, reason, since=access.today)


async def decide_objection(
    access: Access, objection_id: UUID, outcome: ObjectionOutcome, reason: str
) -> None:
    """The coordinator decides an objection, with the reasons of both sides written down.

    Raises NotAllowed for anybody else, Invalid without a reason, NotFound for one that is not
    here, Gone for one that is decided.
    """
    if Tie.PANEL not in access.ties:
        raise NotAllowed("The coordinator of the child's panel decides about an objection.")
    if not reason.strip():
        raise Invalid.because("reason", "Give the reasons of both, and why you decide so")
    objection = await access.session.get(SharingObjection, objection_id, with_for_update=True)
    if objection is None or objection.child_id != access.child_id:
        raise NotFound("There is no such objection.")
    if objection.decided_on is not None:
        raise Gone("This objection was decided already.", "Read the decision on the sharing page.")
    objection.decided_on = access.today
    objection.upheld = outcome is ObjectionOutcome.UPHELD
    objection.decision_reason = reason
    await access.session.flush()


async def record_restriction(access: Access, restriction: Restriction) -> UUID:
    """Withhold something from somebody, from now or from a day. Raises Invalid without a reason."""
    access.require_write()
    if not restriction.reason.strip():
        raise Invalid.because("reason", "Say why it is withheld: whoever reviews it needs to know")
    starts = restriction.from_on or access.today
    if restriction.until_on is not None and restriction.until_on < starts:
        raise Invalid.because("until_on", "The end is before the beginning. Check both dates")
    made = SharingRestriction(
        child_id=access.child_id,
        kind=restriction.kind.value,
        categories=sorted(restriction.categories),
        against=sorted(restriction.against),
        from_on=starts,
        until_on=restriction.until_on,
        silent=restriction.silent,
        by_words=restriction.by_words,
        reason=restriction.reason,
    )
    access.session.add(made)
    await access.session.flush()
    return made.id


async def request_access(
    access: Access, categories: Sequence[Category], reason: str
) -> tuple[UUID, ...]:
    """Ask to see what is withheld; asked twice for the same, it stays one request.

    Raises Invalid without a reason or a category, NotAllowed for somebody who is no worker. What
    is withheld in silence, and what the viewer sees already, is not asked for.
    """
    if access.viewer.agency is None:
        raise NotAllowed("Only a worker can ask to see what is withheld.")
    errors = []
    if not categories:
        errors.append(FieldError("categories", "Select what you ask to see"))
    if not reason.strip():
        errors.append(FieldError("reason", "Say why you need it: whoever decides reads this"))
    if errors:
        raise Invalid(tuple(errors))
    asked: list[UUID] = []
    for category in dict.fromkeys(categories):
        decision = access.decision(category)
        if decision.permitted or decision.silent:
            continue
        open_one = await access.session.scalar(
            select(AccessRequest.id).where(
                AccessRequest.child_id == access.child_id,
                AccessRequest.worker_id == access.viewer.id,
                AccessRequest.category == category,
                AccessRequest.state == "asked",
            )
        )
        if open_one is not None:
            asked.append(open_one)
            continue
        made = AccessRequest(
            child_id=access.child_id,
            worker_id=access.viewer.id,
            agency_id=access.viewer.agency,
            category=category.value,
            reason=reason,
            asked_on=access.today,
        )
        access.session.add(made)
        await access.session.flush()
        asked.append(made.id)
    return tuple(asked)


async def ask_for_agency(
    access: Access, agency_id: UUID, categories: Sequence[Category], reason: str
) -> None:
    """Ask, for an agency that needs to know, that it may see what is withheld from it.

    Whoever asks is not the one who may see; asked twice for the same, it stays one request.
    """
    open_ones = set(
        await access.session.scalars(
            select(AccessRequest.category).where(
                AccessRequest.child_id == access.child_id,
                AccessRequest.agency_id == agency_id,
                AccessRequest.state == "asked",
            )
        )
    )
    access.session.add_all(
        AccessRequest(
            child_id=access.child_id,
            worker_id=access.viewer.id,
            agency_id=agency_id,
            category=category.value,
            reason=reason,
            asked_on=access.today,
        )
        for category in categories
        if category.value not in open_ones
    )
    await access.session.flush()


async def agreement_of_assessment(access: Access, assessment_id: UUID) -> SharingAgreement | None:
    """The last agreement or refusal that an assessment's conversation led to."""
    found: SharingAgreement | None = await access.session.scalar(
        select(SharingAgreement)
        .where(
            SharingAgreement.child_id == access.child_id,
            SharingAgreement.assessment_id == assessment_id,
        )
        .order_by(SharingAgreement.id.desc())
        .limit(1)
    )
    return found


def _judgements(access: Access, decision: SharingDecision) -> tuple[Judgement, ...]:
    """What whoever records the decision judged; without saying how, nothing was judged."""
    if not decision.evidence.strip():
        return ()
    return tuple(
        Judgement(finding, SHARING_MATTER, access.viewer.id, decision.agreed_on)
        for finding in sorted(decision.judged)
    )


def _giver(decision: SharingDecision, words: str, standing: ChildStanding) -> Giver:
    """Who decides; a deputy and an attorney are told apart by what is recorded of them."""
    capacity = decision.capacity
    if capacity in {Capacity.DEPUTY, Capacity.ATTORNEY}:
        held = (a.capacity for a in standing.appointments if a.person == decision.by_person)
        capacity = next(held, capacity)
    return Giver(decision.by_person, words, capacity)


def _capacity_column(decision: SharingDecision, facts: FamilyFacts, today: date) -> str:
    under_16 = not has_reached(facts.born, AGE_OF_OWN_AGREEMENT, today)
    if decision.capacity is Capacity.SELF and under_16:
        return _OWN_COMPETENT
    return _CAPACITY_COLUMN[decision.capacity]


def _check(decision: SharingDecision, today: date) -> None:
    errors: list[FieldError] = []
    if decision.agreed_on > today:
        errors.append(FieldError("agreed_on", "The day of the conversation is in the future"))
    if decision.from_on is not None and decision.from_on < decision.agreed_on:
        sentence = "Sharing cannot start before the conversation. Check both dates"
        errors.append(FieldError("from", sentence))
    starts = decision.from_on or decision.agreed_on
    if decision.until_on is not None and decision.until_on < starts:
        errors.append(FieldError("until", "The end is before the beginning. Check both dates"))
    if decision.agencies & decision.not_agencies:
        sentence = "An agency is named both to share with and not to share with. Choose one"
        errors.append(FieldError("not_share_with", sentence))
    if decision.given and not decision.agencies:
        errors.append(FieldError("share_with", "Choose at least one agency to share with"))
    if decision.given and not decision.purposes:
        errors.append(FieldError("purposes", "Choose what it may be used for"))
    if decision.given and decision.level is None and not decision.named:
        errors.append(FieldError("level", "Choose how much may be shared"))
    if errors:
        raise Invalid(tuple(errors))


async def _live(access: Access) -> list[SharingAgreement]:
    """Agreements and refusals that are not withdrawn and not over."""
    rows = await access.session.scalars(
        select(SharingAgreement)
        .where(
            SharingAgreement.child_id == access.child_id,
            SharingAgreement.withdrawn_at.is_(None),
        )
        .order_by(SharingAgreement.id)
        .with_for_update()
    )
    return [row for row in rows if row.until_on is None or row.until_on >= access.today]


def _is_objection(decision: SharingDecision, live: Sequence[SharingAgreement]) -> bool:
    """Whether this is one parent's no to what another one agreed."""
    if decision.given or decision.capacity is not Capacity.PARENTAL_RESPONSIBILITY:
        return False
    return any(
        row.given
        and row.by_person_id != decision.by_person
        and row.capacity == _CAPACITY_COLUMN[Capacity.PARENTAL_RESPONSIBILITY]
        and (not decision.agencies or decision.agencies & set(row.agencies))
        for row in live
    )


def _categories_of(decision: SharingDecision) -> frozenset[Category]:
    """The categories that a refusal is about; none is every category."""
    match decision.level:
        case Level.BASIC:
            return BASIC | decision.named
        case Level.ADDITIONAL:
            return BASIC | ADDITIONAL | decision.named
        case None:
            return decision.named


async def _object(
    access: Access,
    by_person: UUID,
    words: str,
    agencies: frozenset[UUID],
    categories: frozenset[Category],
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
        if set(row.agencies) == agencies and set(row.categories) == categories:
            return row.id
    made = SharingObjection(
        child_id=access.child_id,
        by_person_id=by_person,
        by_words=words,
        agencies=sorted(agencies),
        categories=sorted(categories),
        raised_on=access.today,
        reason=reason,
    )
    access.session.add(made)
    await access.session.flush()
    return made.id


async def _start(access: Access, decision: SharingDecision) -> date:
    """From when it counts: a day before an open objection would slip past the pause."""
    starts = decision.from_on or decision.agreed_on
    if not decision.given:
        return starts
    open_one = await access.session.scalar(
        select(SharingObjection.id)
        .where(
            SharingObjection.child_id == access.child_id,
            SharingObjection.decided_on.is_(None),
        )
        .limit(1)
    )
    return starts if open_one is None else max(starts, access.today)


async def _make_room(
    access: Access,
    decision: SharingDecision,
    live: Sequence[SharingAgreement],
    facts: FamilyFacts,
) -> None:
    """End what this decision replaces: refusals always beat agreements, so an old no must go."""
    decides_alone = decision.capacity is Capacity.SELF and has_reached(
        facts.born, AGE_OF_OWN_AGREEMENT, access.today
    )
    for row in live:
        if decides_alone and row.by_person_id != decision.by_person:
            row.withdrawn_at = access.at
        elif row.by_person_id == decision.by_person:
            _give_way(access, decision, row)
    if decides_alone:
        await _close_objections(access)


def _give_way(access: Access, decision: SharingDecision, row: SharingAgreement) -> None:
    agreed_now = decision.agencies if decision.given else frozenset()
    if decision.given and not row.given:
        if not row.agencies or agreed_now & set(row.agencies):
            row.withdrawn_at = access.at
            rest = sorted(set(row.agencies) - agreed_now)
            if rest:
                access.session.add(_copy(row, agencies=rest, not_agencies=[]))
    elif decision.given and agreed_now & set(row.not_agencies):
        row.withdrawn_at = access.at
        rest = sorted(set(row.not_agencies) - agreed_now)
        access.session.add(_copy(row, agencies=list(row.agencies), not_agencies=rest))
    elif row.given and _refuses_everything(decision):
        # The earlier yes must not come back when the no ends.
        row.withdrawn_at = access.at


def _refuses_everything(decision: SharingDecision) -> bool:
    return not (decision.given or decision.agencies or decision.level or decision.named)


def _copy(
    row: SharingAgreement, *, agencies: list[UUID], not_agencies: list[UUID]
) -> SharingAgreement:
    """The same word from the same day, about fewer agencies."""
    return SharingAgreement(
        child_id=row.child_id,
        given=row.given,
        by_person_id=row.by_person_id,
        capacity=row.capacity,
        by_words=row.by_words,
        agencies=agencies,
        not_agencies=not_agencies,
        level=row.level,
        named=list(row.named),
        purposes=list(row.purposes),
        from_on=row.from_on,
        until_on=row.until_on,
        how_explained=row.how_explained,
        evidence=row.evidence,
        interpreter=row.interpreter,
    )


async def _close_objections(access: Access) -> None:
    rows = await access.session.scalars(
        select(SharingObjection).where(
            SharingObjection.child_id == access.child_id,
            SharingObjection.decided_on.is_(None),
        )
    )
    for row in rows:
        row.decided_on = access.today
        row.decision_reason = "From 16 the young person decides alone."


async def lapse_requests(session: AsyncSession, today: date) -> int:
    """Requests for access that nobody answered within ten working days lapse: refused.

    For a job, over every child. Returns how many lapsed. Source: DOMAIN.md, "defaults".
    """
    last = working_days_before(today, ANSWER_WITHIN)
    waiting = await session.scalars(
        select(AccessRequest).where(AccessRequest.state == "asked", AccessRequest.asked_on < last)
    )
    lapsed = 0
    for request in waiting:
        request.state = "lapsed"
        lapsed += 1
    return lapsed
