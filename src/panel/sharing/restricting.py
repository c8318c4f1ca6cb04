"""Withholding something from somebody: to protect, or because the family chose so; and ending it.

A protection yields to nothing but a court, a choice to a court, to safeguarding and to a duty.
Nothing is deleted. Source: DOMAIN.md, "Agreement and the law".
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from sqlalchemy import select, text

from consent import (
    GUARDIANS,
    Capacity,
    Category,
    Finding,
    Giver,
    Judgement,
    RestrictionKind,
    Span,
    Viewer,
    may_agree_to_share,
)
from consent import Restriction as Fact
from consent.reach import is_named
from consent.standing import SHARING_MATTER
from panel.accounts.service import worker_names
from panel.platform.clock import day_of
from panel.platform.problems import FieldError, Gone, Invalid, NotAllowed, NotFound
from panel.records.gate import Access, rewrite_access
from panel.records.rehearsal import Turn
from panel.sharing.ending import end_now, is_over
from panel.sharing.models import SharingRestriction
from panel.sharing.named import EVERYONE, Kind, Named, who_can_be_named, words_of
from panel.sharing.reading import known_state
from panel.sharing.restrict_rules import (
    WHO_MAY_CHOOSE,
    WHO_MAY_PROTECT,
    Change,
    changes,
    may_choose,
    may_protect,
    wrong_dates,
)
from panel.sharing.service import Restriction, record_restriction
from panel.sharing.standing import child_standing, family_facts, giver_words

EVERYTHING = "everything"
"""What a form says for the whole record, in the place of a category."""


REVIEW_FIRST = (
    "You opened this record for safety, and they may review that. Ask somebody else to record this,"
    " or wait for the review"
)
_KEEPS_OUT = text(
    "SELECT EXISTS (SELECT FROM sharing_override o WHERE o.child_id = :child AND o.to_id = :viewer"
    " AND o.review_by IS NOT NULL AND o.reviewed_at IS NULL)"
    " AND EXISTS (SELECT FROM worker_role r JOIN worker w ON w.id = r.worker_id"
    " WHERE r.role = ANY(:roles) AND r.worker_id <> :viewer"
    " AND (:everyone OR w.id = ANY(:against) OR w.agency_id = ANY(:against)))"
)


@dataclass(frozen=True, slots=True)
class NewRestriction:
    """What somebody wants to withhold, as the form says it."""

    kind: RestrictionKind
    what: Collection[str]
    """Categories, or EVERYTHING."""
    against: Collection[str]
    """Ids as texts, or EVERYONE."""
    reason: str
    worker: UUID | None = None
    """A worker who works elsewhere, found by e-mail address."""
    from_on: date | None = None
    until_on: date | None = None
    silent: bool = False
    by_person: str = ""
    """Whose choice it is: an id as text."""
    judged_competent: bool = False
    """The child under 16 was judged to understand what it means; `reason` says how."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What would be recorded, and what it would change for whom."""

    restriction: Restriction
    by_person: UUID | None
    whom: tuple[str, ...]
    changes: tuple[Change, ...]
    turn: Turn


@dataclass(frozen=True, slots=True)
class Kept:
    """One restriction as those who record restrictions read it."""

    id: UUID
    version: int
    kind: RestrictionKind
    categories: tuple[Category, ...]
    whom: tuple[str, ...]
    from_on: date
    until_on: date | None
    silent: bool
    by_words: str
    reason: str
    recorded_by: str
    is_over: bool
    ended_on: date | None
    ended_by: str
    ended_why: str
    may_end: bool


def may_restrict(access: Access) -> bool:
    """Whether the pages of what is withheld are for this viewer."""
    return may_protect(access.viewer, access.ties) or may_choose(access.viewer, access.ties)


async def plan_restriction(access: Access, new: NewRestriction) -> Planned:
    """What would be recorded and who would see less. Nothing is written.

    Raises NotAllowed for somebody whose part it is not, Invalid with every mistake.
    """
    _require(access, new.kind)
    also = () if new.worker is None else (new.worker,)
    named = await who_can_be_named(access, also)
    errors: list[FieldError] = []
    categories = _categories(new, errors)
    against = _against(new, named, errors)
    errors += wrong_dates(new.from_on, new.until_on, access.today)
    if not categories and EVERYTHING in new.what:
        errors += _wrong_seal(access, new, against)
        if await keeps_out_reviewers(access, against):
            errors.append(FieldError("against", REVIEW_FIRST))
    by_person, by_words = await _chooser(access, new, errors)
    if not new.reason.strip():
        errors.append(
            FieldError("reason", "Say why it is withheld: whoever reviews it needs to know")
        )
    if errors:
        raise Invalid(tuple(errors))
    restriction = Restriction(
        kind=new.kind,
        reason=new.reason,
        categories=categories,
        against=against,
        from_on=new.from_on,
        until_on=new.until_on,
        silent=new.silent,
        by_words=by_words,
    )
    if await _is_there(access, restriction):
        raise Invalid.because("against", "This is withheld from them already")
    state = await known_state(access)
    # From its first day on; whether that is today or later, this is what changes.
    fact = Fact(new.kind, categories, against, silent=new.silent, by_words=by_words)
    after = replace(state, restrictions=(*state.restrictions, fact))
    by_id = {one.id: one for one in named}
    return Planned(
        restriction,
        by_person,
        words_of(sorted(against), by_id) or ("everyone",),
        changes(state, after, access.at, _asked(named, against)),
        Turn(state, after),
    )


async def restrict(access: Access, new: NewRestriction) -> UUID:
    """Withhold it, at once or from its day on. Raises as `plan_restriction`."""
    planned = await plan_restriction(access, new)
    made = await record_restriction(access, planned.restriction)
    row = await access.session.get_one(SharingRestriction, made)
    row.by_person_id = planned.by_person
    await rewrite_access(access.session, access.child_id)
    return made


async def restrictions_of(access: Access) -> tuple[Kept, ...]:
    """Every restriction that is for the viewer to know of, in force and over, newest first.

    What is withheld from the viewer in silence is not said to them, whatever they may record.
    Raises NotAllowed.
    """
    if not may_restrict(access):
        raise NotAllowed(f"{WHO_MAY_PROTECT} {WHO_MAY_CHOOSE}")
    rows = [
        row
        for row in await access.session.scalars(
            select(SharingRestriction)
            .where(SharingRestriction.child_id == access.child_id)
            .order_by(SharingRestriction.from_on.desc(), SharingRestriction.id.desc())
        )
        if not _is_hidden_from(access.viewer, row)
    ]
    everybody = {one.id: one for one in await who_can_be_named(access)}
    people = [one for row in rows for one in (row.created_by, row.ended_by) if one is not None]
    names = await worker_names(access.session, people)
    return tuple(_kept(access, row, everybody, names) for row in rows)


async def restriction_of(
    access: Access, restriction_id: UUID
) -> tuple[Kept, tuple[Change, ...], Turn]:
    """One restriction in force, and what would change if it ended now.

    Raises NotFound, Gone for one that is over, NotAllowed where it is not the viewer's to end.
    """
    row = await _row(access, restriction_id)
    named = await who_can_be_named(access)
    state = await known_state(access)
    fact = _fact(row)
    # Two may be equal: one of them ends.
    rest = list(state.restrictions)
    rest.remove(fact)
    after = replace(state, restrictions=tuple(rest))
    names = await worker_names(access.session, [row.created_by])
    kept = _kept(access, row, {one.id: one for one in named}, names)
    changed = changes(state, after, access.at, _asked(named, frozenset(row.against)))
    return kept, changed, Turn(state, after)


async def end_restriction(access: Access, restriction_id: UUID, version: int, why: str) -> None:
    """It ends now, with a reason. Raises as `restriction_of`, Invalid, Conflict."""
    row = await _row(access, restriction_id)
    end_now(access, row, version, why)
    await rewrite_access(access.session, access.child_id)


async def keeps_out_reviewers(access: Access, against: frozenset[UUID]) -> bool:
    """Whether sealing the record from these leaves the viewer's own override without a review."""
    found = await access.session.scalar(
        _KEEPS_OUT,
        {
            "child": access.child_id,
            "viewer": access.viewer.id,
            "against": list(against),
            "everyone": not against,
            "roles": [role.value for role in GUARDIANS],
        },
    )
    return bool(found)


def _require(access: Access, kind: RestrictionKind) -> None:
    if kind is RestrictionKind.PROTECTION:
        if not may_protect(access.viewer, access.ties):
            raise NotAllowed(WHO_MAY_PROTECT)
    elif not may_choose(access.viewer, access.ties):
        raise NotAllowed(WHO_MAY_CHOOSE)


def _categories(new: NewRestriction, errors: list[FieldError]) -> frozenset[Category]:
    """The categories; none is the whole record."""
    known = {category.value for category in Category}
    if EVERYTHING in new.what:
        if new.kind is RestrictionKind.CHOICE:
            sentence = "Select what is not shared. To share nothing at all, record a refusal"
            errors.append(FieldError("what", sentence))
        return frozenset()
    if not new.what or not known.issuperset(new.what):
        errors.append(FieldError("what", "Select what is withheld"))
        return frozenset()
    return frozenset(Category(one) for one in new.what)


def _against(
    new: NewRestriction, named: Sequence[Named], errors: list[FieldError]
) -> frozenset[UUID]:
    """Whom it is against; none is everyone."""
    chosen = set(new.against)
    is_choice = new.kind is RestrictionKind.CHOICE
    offered = {str(one.id): one for one in named if not is_choice or one.kind is Kind.AGENCY}
    if EVERYONE in chosen and not is_choice:
        if len(chosen) > 1 or new.worker is not None:
            sentence = "Select everyone, or those from whom it is withheld, not both"
            errors.append(FieldError("against", sentence))
        return frozenset()
    found = {offered[one].id for one in chosen if one in offered}
    if new.worker is not None:
        found.add(new.worker)
    if not found or chosen - offered.keys():
        whom = "Select the agencies" if is_choice else "Select from whom it is withheld"
        errors.append(FieldError("against", whom))
    return frozenset(found)


def _wrong_seal(access: Access, new: NewRestriction, against: frozenset[UUID]) -> list[FieldError]:
    errors = []
    if new.until_on is not None:
        sentence = "A sealed record stays sealed until somebody ends it. Leave the end empty"
        errors.append(FieldError("until_on", sentence))
    if is_named(access.viewer, against):
        sentence = (
            "You could not open the record yourself any more, nor end this. Ask somebody of"
            " another agency to record it"
        )
        errors.append(FieldError("against", sentence))
    return errors


async def _chooser(
    access: Access, new: NewRestriction, errors: list[FieldError]
) -> tuple[UUID | None, str]:
    """Whose choice it is, and in which words; nobody's for a protection."""
    if new.kind is RestrictionKind.PROTECTION:
        return None, ""
    facts = await family_facts(access)
    people = {access.child_id, *(link.person for link in facts.links or ())}
    person = next((one for one in people if str(one) == new.by_person), None)
    words = None
    if person is not None:
        words = giver_words(access.child_id, person, facts, access.today)
    if person is None or words is None:
        errors.append(FieldError("by_person", "Select whose choice it is"))
        return None, ""
    is_self = person == access.child_id
    judged = (
        (Judgement(Finding.COMPETENT, SHARING_MATTER, access.viewer.id, access.today),)
        if new.judged_competent and is_self
        else ()
    )
    capacity = Capacity.SELF if is_self else Capacity.PARENTAL_RESPONSIBILITY
    standing = may_agree_to_share(
        Giver(person, words, capacity),
        child_standing(access.child_id, facts, judged),
        access.today,
    )
    if not standing.allowed:
        errors.append(FieldError("by_person", standing.why))
    return person, words


async def _is_there(access: Access, new: Restriction) -> bool:
    rows = await access.session.scalars(
        select(SharingRestriction).where(
            SharingRestriction.child_id == access.child_id,
            SharingRestriction.kind == new.kind.value,
        )
    )
    return any(
        (row.until_on is None or row.until_on >= (new.until_on or date.max))
        and row.from_on <= (new.from_on or access.today)
        and frozenset(row.categories) == new.categories
        and frozenset(row.against) == new.against
        and not _is_hidden_from(access.viewer, row)
        for row in rows
    )


def _asked(named: Sequence[Named], against: frozenset[UUID]) -> tuple[Named, ...]:
    """Whom the rehearsal asks: those who are named, or everybody."""
    return tuple(one for one in named if not against or one.id in against)


def _is_hidden_from(viewer: Viewer, row: SharingRestriction) -> bool:
    return row.silent and is_named(viewer, frozenset(row.against))


async def _row(access: Access, restriction_id: UUID) -> SharingRestriction:
    row = await access.session.get(SharingRestriction, restriction_id)
    if row is None or row.child_id != access.child_id or _is_hidden_from(access.viewer, row):
        raise NotFound("There is no such restriction.")
    _require(access, RestrictionKind(row.kind))
    if is_named(access.viewer, frozenset(row.against)):
        raise NotAllowed(
            "This keeps something from you or your agency, so you cannot end it.",
            "Ask somebody of another agency who may end it.",
        )
    if is_over(row, access.today):
        raise Gone("This restriction is over already.", "Read the list of what is withheld.")
    return row


def _fact(row: SharingRestriction) -> Fact:
    return Fact(
        RestrictionKind(row.kind),
        frozenset(Category(one) for one in row.categories),
        frozenset(row.against),
        Span(row.from_on, row.until_on),
        row.silent,
        row.by_words,
    )


def _kept(
    access: Access, row: SharingRestriction, named: Mapping[UUID, Named], names: Mapping[UUID, str]
) -> Kept:
    kind = RestrictionKind(row.kind)
    may_record = may_protect if kind is RestrictionKind.PROTECTION else may_choose
    is_mine = is_named(access.viewer, frozenset(row.against))
    over = is_over(row, access.today)
    tells = may_record(access.viewer, access.ties) and not is_mine
    return Kept(
        id=row.id,
        version=row.version,
        kind=kind,
        categories=tuple(category for category in Category if category in row.categories),
        whom=words_of(row.against, named) or ("everyone",),
        from_on=row.from_on,
        until_on=row.until_on,
        silent=row.silent,
        by_words=row.by_words,
        reason=row.reason if tells else "",
        recorded_by=names.get(row.created_by, ""),
        is_over=over,
        ended_on=None if row.ended_at is None else day_of(row.ended_at),
        ended_by="" if row.ended_by is None else names.get(row.ended_by, ""),
        ended_why=row.ended_why if tells else "",
        may_end=tells and not over,
    )
