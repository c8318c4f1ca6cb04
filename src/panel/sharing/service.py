"""Recording what families decide about sharing, and what is withheld from whom.

Everything here is written through the record gate, never deleted, and works on the next look.
Source: DOMAIN.md, "Agreement and the law".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select, text

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
    Objection,
    Purpose,
    RestrictionKind,
    Standing,
    ViewerKind,
    may_agree_to_share,
)
from consent.facts import refused
from consent.standing import AGE_OF_OWN_AGREEMENT, SHARING_MATTER, has_reached
from panel.accounts.service import agencies
from panel.platform.problems import FieldError, Invalid, NotAllowed, NotFound
from panel.records.gate import Access
from panel.sharing.agreeing_rules import last_day_of_responsibility
from panel.sharing.answering import (
    ask_for_agency,
    lapse_requests,
    request_access,
    settle_requests,
)
from panel.sharing.ending import is_live
from panel.sharing.judging import judgements_of
from panel.sharing.models import SharingAgreement, SharingRestriction
from panel.sharing.objecting import (
    ObjectionOutcome,
    close_objections,
    decide_objection,
    open_objections,
    raise_objection,
    record_objection,
)
from panel.sharing.reading import would_open_to
from panel.sharing.standing import (
    FamilyFacts,
    PossibleGiver,
    child_standing,
    family_facts,
    giver_words,
    possible_givers,
    whose,
)
from panel.sharing.state import agreement_of
from panel.sharing.systems import (
    agencies_of_systems,
    is_of_system,
    objected_purposes,
    still_refused,
)
from panel.web.words import short_day

__all__ = [
    "ObjectionOutcome",
    "PossibleGiver",
    "Recorded",
    "RecordedAs",
    "Restriction",
    "SharingAgreement",
    "SharingDecision",
    "agreement_of_assessment",
    "ask_for_agency",
    "decide_objection",
    "lapse_requests",
    "may_decide",
    "possible_givers",
    "record_agreement",
    "record_objection",
    "record_restriction",
    "replace_agreement",
    "request_access",
    "withdraw_agreement",
]

_CAPACITY_COLUMN = {
    Capacity.PARENTAL_RESPONSIBILITY: "parental_responsibility",
    Capacity.SELF: "own",
    Capacity.BEST_INTERESTS: "best_interests",
    Capacity.DEPUTY: "deputy",
    Capacity.ATTORNEY: "attorney",
}
_OWN_COMPETENT = "own_competent"
"""Under 16 and judged to understand what it means."""
KEEPS_FROM_YOURS = (
    "This keeps something from your own agency, so you cannot end it.",
    "When they agree, write the new conversation down in an assessment; somebody else may end it.",
)
_SAID_THEMSELVES = frozenset({Capacity.PARENTAL_RESPONSIBILITY, Capacity.SELF})
"""In these capacities one of the family may say so on their own page."""
_SAID_FOR_A_CHILD = frozenset({"parental_responsibility"})
"""What is said in this capacity ends with the first word that counts from 16 on."""


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
    renews: UUID | None = None
    """The agreement whose terms this one carries on."""


class RecordedAs(StrEnum):
    """What a decision became."""

    AGREEMENT = "agreement"
    REFUSAL = "refusal"
    OBJECTION = "objection"
    """Another person agreed before: neither a veto nor ignored, it opens a decision."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The row that a decision became."""

    id: UUID
    kind: RecordedAs
    objection: UUID | None = None
    """Of an agreement that says no to an agency that another parent had agreed to."""


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
    judged = (*await judgements_of(access), *_judgements(access, decision))
    standing = child_standing(access.child_id, facts, judged)
    return may_agree_to_share(_giver(decision, words, standing), standing, access.today)


async def record_agreement(access: Access, decision: SharingDecision) -> Recorded:
    """Write down an agreement or a refusal, by somebody who may give it.

    A refusal by one person with parental responsibility of what another agreed to becomes an
    objection, and so does naming such an agency as one not to share with. The same person's
    earlier word gives way where the two cannot both hold; from 16 the young person's own word ends
    what others said for them, and a decision in their best interests what parents said. Requests
    for access that the decision covers are answered by it. Nothing is deleted.

    Raises NotAllowed for a viewer who only reads, and Invalid where the person may not decide
    (the reason in one sentence, field `capacity`) or the decision contradicts itself. One of the
    family records their own word alone, and judges nothing about themselves.
    """
    _require_recorder(access, decision)
    await one_at_a_time(access)
    facts = await family_facts(access)
    words = giver_words(access.child_id, decision.by_person, facts, access.today)
    standing = await may_decide(access, decision)
    if words is None or not standing.allowed:
        raise Invalid.because("capacity", standing.why)
    _check(decision, access.today, facts.born)
    if decision.capacity is Capacity.BEST_INTERESTS:
        words = f"those who decide in {whose(facts.sex)} best interests"
    live = await live_agreements(access)
    await _make_room(access, decision, live, facts)
    if _is_objection(decision, live):
        what = _categories_of(decision)
        raised = await _object(access, decision, words, decision.agencies, what)
        return Recorded(raised, RecordedAs.OBJECTION)
    objected = _objected(decision, live)
    made = SharingAgreement(
        child_id=access.child_id,
        given=decision.given,
        by_person_id=decision.by_person,
        capacity=_capacity_column(decision, facts, access.today),
        by_words=words,
        agencies=sorted(decision.agencies),
        not_agencies=sorted(decision.not_agencies - objected),
        level=decision.level,
        named=sorted(decision.named),
        purposes=sorted(decision.purposes),
        from_on=await _start(access, decision),
        until_on=decision.until_on,
        how_explained=decision.how_explained,
        evidence=decision.evidence,
        interpreter=decision.interpreter,
        assessment_id=decision.assessment_id,
        renews_id=decision.renews,
        basis=_basis(decision, facts, access.today),
        objected=sorted(objected) or None,
    )
    access.session.add(made)
    await access.session.flush()
    objection = None
    if objected:
        objection = await _object(access, decision, words, objected, frozenset())
    await settle_requests(access, made)
    kind = RecordedAs.AGREEMENT if decision.given else RecordedAs.REFUSAL
    return Recorded(made.id, kind, objection)


async def _object(
    access: Access,
    decision: SharingDecision,
    words: str,
    agencies: frozenset[UUID],
    categories: frozenset[Category],
) -> UUID:
    """The objection that a no to these agencies is; to their systems alone where it names these."""
    purposes = objected_purposes(decision.purposes)
    about = Objection(words, agencies, categories, access.today, purposes=purposes)
    return await raise_objection(
        access, decision.by_person, about, decision.evidence, since=decision.agreed_on
    )


def _require_recorder(access: Access, decision: SharingDecision) -> None:
    if access.viewer.kind is not ViewerKind.FAMILY:
        access.require_write()
        return
    own_word = decision.by_person == access.viewer.id and decision.capacity in _SAID_THEMSELVES
    if not own_word or decision.judged:
        raise NotAllowed(
            "You can choose for yourself, and not for somebody else.",
            "Ask the person who helps you.",
        )


async def one_at_a_time(access: Access) -> None:
    """Two who write down what one family decides at once wait for each other."""
    await access.session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))"),
        {"what": f"sharing of {access.child_id}"},
    )


async def withdraw_agreement(access: Access, agreement_id: UUID) -> None:
    """An agreement or refusal ends now: the next page, pack and message goes without it.

    Withdrawing twice changes nothing. Raises NotFound, and NotAllowed where the end would open
    something to the viewer's own agency: that takes a new conversation, or somebody else.
    """
    agreement = await _agreement(access, agreement_id)
    agency = access.viewer.agency
    if agency is not None and await would_open_to(access, agreement_id, agency):
        raise NotAllowed(*KEEPS_FROM_YOURS)
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


def _basis(decision: SharingDecision, facts: FamilyFacts, today: date) -> str | None:
    if decision.capacity is not Capacity.PARENTAL_RESPONSIBILITY:
        return None
    held = [
        link.basis
        for link in facts.links or ()
        if link.person == decision.by_person
        and link.parental_responsibility
        and link.basis
        and link.holds(today)
    ]
    return next(iter(held), None)


def _check(decision: SharingDecision, today: date, born: date | None) -> None:
    errors: list[FieldError] = []
    if decision.agreed_on > today:
        errors.append(FieldError("agreed_on", "The day of the conversation is in the future"))
    if decision.from_on is not None and decision.from_on < decision.agreed_on:
        sentence = "Sharing cannot start before the conversation. Check both dates"
        errors.append(FieldError("from", sentence))
    starts = decision.from_on or decision.agreed_on
    if decision.until_on is not None and decision.until_on < starts:
        errors.append(FieldError("until", "The end is before the beginning. Check both dates"))
    elif too_long := _outlasts_responsibility(decision, born):
        errors.append(FieldError("until", too_long))
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


def _outlasts_responsibility(decision: SharingDecision, born: date | None) -> str:
    """What is wrong with the end of a parent's agreement; empty where it may stand."""
    if born is None or decision.until_on is None or not decision.given:
        return ""
    last = last_day_of_responsibility(born)
    if decision.capacity is Capacity.PARENTAL_RESPONSIBILITY and decision.until_on > last:
        return (
            f"From 18 nobody has parental responsibility: the end can be {short_day(last)} at most"
        )
    return ""


async def live_agreements(access: Access) -> list[SharingAgreement]:
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
    return [row for row in rows if is_live(row, access.today)]


def _is_objection(decision: SharingDecision, live: Sequence[SharingAgreement]) -> bool:
    """Whether this is one parent's no to what another one agreed."""
    if decision.given or decision.capacity is not Capacity.PARENTAL_RESPONSIBILITY:
        return False
    agreed = _agreed_by_other_parents(decision, live)
    return bool(agreed & decision.agencies if decision.agencies else agreed)


def _objected(decision: SharingDecision, live: Sequence[SharingAgreement]) -> frozenset[UUID]:
    """Agencies not to share with that another parent agreed to: no veto, but an objection."""
    if not decision.given or decision.capacity is not Capacity.PARENTAL_RESPONSIBILITY:
        return frozenset()
    return decision.not_agencies & _agreed_by_other_parents(decision, live)


def _agreed_by_other_parents(
    decision: SharingDecision, live: Sequence[SharingAgreement]
) -> frozenset[UUID]:
    return frozenset(
        agency
        for row in live
        if row.given
        and row.withdrawn_at is None
        and row.by_person_id != decision.by_person
        # A no to an agency's system is no word about its people.
        and not (is_of_system(decision.purposes) and decision.purposes.isdisjoint(row.purposes))
        and row.capacity == _CAPACITY_COLUMN[Capacity.PARENTAL_RESPONSIBILITY]
        for agency in row.agencies
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


async def _start(access: Access, decision: SharingDecision) -> date:
    """From when it counts: a day before an open objection would slip past the pause."""
    starts = decision.from_on or decision.agreed_on
    if not decision.given or not await open_objections(access):
        return starts
    return max(starts, access.today)


async def _make_room(
    access: Access,
    decision: SharingDecision,
    live: Sequence[SharingAgreement],
    facts: FamilyFacts,
) -> None:
    """End what this decision replaces: refusals always beat agreements, so an old no must go."""
    from_16 = has_reached(facts.born, AGE_OF_OWN_AGREEMENT, access.today)
    decides_alone = decision.capacity is Capacity.SELF and from_16
    everybody = frozenset(one.id for one in await agencies(access.session))
    for row in live:
        if _is_same_voice(decision, row):
            _give_way(access, decision, row, everybody, _systems_agreed(decision, live))
        elif decides_alone or (from_16 and row.capacity in _SAID_FOR_A_CHILD):
            row.withdrawn_at = access.at
    if from_16:
        await close_objections(access)


def _is_same_voice(decision: SharingDecision, row: SharingAgreement) -> bool:
    """Whether a row is the same person's word: one's own is not what others decide for one."""
    for_them = decision.capacity is Capacity.BEST_INTERESTS
    return row.by_person_id == decision.by_person and for_them is (
        row.capacity == _CAPACITY_COLUMN[Capacity.BEST_INTERESTS]
    )


def _give_way(
    access: Access,
    decision: SharingDecision,
    row: SharingAgreement,
    everybody: frozenset[UUID],
    systems: frozenset[UUID],
) -> None:
    agreed_now = decision.agencies if decision.given else frozenset()
    if decision.given and not row.given:
        _open_a_door(access, decision, row, everybody, systems)
    elif decision.given and agreed_now & set(row.not_agencies):
        row.withdrawn_at = access.at
        rest = sorted(set(row.not_agencies) - agreed_now)
        access.session.add(copy_of(row, agencies=list(row.agencies), not_agencies=rest))
    elif row.given and _refuses_everything(decision):
        # The earlier yes must not come back when the no ends.
        row.withdrawn_at = access.at


def _open_a_door(
    access: Access,
    decision: SharingDecision,
    no: SharingAgreement,
    everybody: frozenset[UUID],
    systems: frozenset[UUID],
) -> None:
    """A yes ends a no for the agencies and about what it says; the no goes on for the rest.

    Else what somebody else agreed would open behind the back of who said no. A yes to an agency's
    people ends no no to its system, and the other way round.
    """
    said, yes = refused(agreement_of(no)), _categories_of(decision)
    names_it = no.level is not None or bool(no.named)
    touched = decision.agencies & (frozenset(no.agencies) or decision.agencies)
    if not touched or (names_it and not said & yes):
        return
    still = still_refused(
        agreement_of(no).purposes, decision.purposes, system_agreed=bool(systems & touched)
    )
    if still is None:
        return
    no.withdrawn_at = access.at
    if others := sorted((frozenset(no.agencies) or everybody) - touched):
        access.session.add(copy_of(no, agencies=others, not_agencies=[]))
    if names_it and (left := said - yes):
        rest = copy_of(no, agencies=sorted(touched), not_agencies=[])
        rest.level, rest.named = None, sorted(left)
        access.session.add(rest)
    if still:
        rest = copy_of(no, agencies=sorted(touched), not_agencies=[])
        rest.purposes = sorted(still)
        if names_it:
            rest.level, rest.named = None, sorted(said & yes)
        access.session.add(rest)


def _systems_agreed(decision: SharingDecision, live: Sequence[SharingAgreement]) -> frozenset[UUID]:
    """The agencies whose system somebody else agreed to."""
    return agencies_of_systems(one for one in live if one.by_person_id != decision.by_person)


def _refuses_everything(decision: SharingDecision) -> bool:
    about = decision.agencies or decision.level or decision.named
    return not (decision.given or about or is_of_system(decision.purposes))


def copy_of(
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
        basis=row.basis,
    )
