"""A safeguarding override: somebody looks in spite of a choice, with a reason, for a while.

It never opens what is protected or what a court forbids: `consent` decides that. A Caldicott
guardian or safeguarding lead reviews each. Source: DOMAIN.md, "Agreement and the law".
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import GUARDIANS, Category, Override, Role, State, Viewer, ViewerKind, may_reach
from consent.decide import decide_all
from consent.model import Basis, Purpose
from panel.accounts.service import worker_names
from panel.platform.audit import Kind, by_viewer, record
from panel.platform.clock import day_of
from panel.platform.problems import Conflict, FieldError, Invalid, NotAllowed, NotFound
from panel.records.child_scoped import JOB
from panel.records.dates import working_days_after
from panel.records.gate import Access, rewrite_access
from panel.sharing.left_to_governance import is_left_to_governance
from panel.sharing.models import OverrideAttempt, SharingOverride
from panel.sharing.reading import state_of_child
from panel.sharing.restricting import EVERYTHING
from panel.sharing.spans import Spans, spans
from panel.sharing.state import SharingFacts

_ANY_SPAN = timedelta(hours=1)
"""For the question what an override would open: it is asked for the moment in which it begins."""

MAY_OVERRIDE = frozenset(
    {
        Role.PRACTITIONER,
        Role.MANAGER,
        Role.COORDINATOR,
        Role.CHAIR,
        Role.CALDICOTT_GUARDIAN,
        Role.SAFEGUARDING_LEAD,
    }
)
"""Who works with children or answers for their safety, of those whom `consent` lets see content."""

WHO_MAY_OVERRIDE = (
    "A record is opened for safety by somebody who works with children or answers for their safety."
)
WHO_MAY_REVIEW = (
    "A Caldicott guardian or safeguarding lead who did not open it themselves reviews it. Where the"
    " record is sealed from all of them, the information governance lead does."
)


class Step(StrEnum):
    """What follows where an override was not justified."""

    STOPPED = "stopped"
    TOLD_MANAGER = "told_manager"
    TOLD_GOVERNANCE = "told_governance"
    TOLD_FAMILY = "told_family"
    DECIDED_ICO = "decided_ico"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody opens a record, and whether its family is told."""

    words: str
    kept_from_family: bool = False
    family_risk: str = ""
    """Whom it would put at risk to tell the family, and how."""


@dataclass(frozen=True, slots=True)
class Running:
    """One of the viewer's own overrides that runs now."""

    child_id: UUID
    reference: str
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """One override for those who review them. Texts are "" where there is none."""

    id: UUID
    version: int
    author: str
    starts_at: datetime
    ends_at: datetime
    categories: tuple[Category, ...]
    reason: str
    kept_from_family: bool
    family_risk: str
    review_by: date
    reviewed_at: datetime | None
    reviewed_by: str
    justified: bool | None
    review_note: str
    steps: Mapping[str, str]
    closed_on: date | None


@dataclass(frozen=True, slots=True)
class ToReview:
    """A line of the list of overrides that wait: no content."""

    id: UUID
    child_id: UUID
    reference: str
    author: str
    starts_at: datetime
    review_by: date
    follows: bool
    """Whether it was reviewed and found not justified, and steps are still open."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many overrides wait, over the whole authority."""

    to_review: int
    overdue: int
    to_follow_up: int


def may_override(viewer: Viewer) -> bool:
    """Whether the viewer may open what is withheld, for safety."""
    return viewer.kind is ViewerKind.WORKER and bool(viewer.roles & MAY_OVERRIDE)


def may_review(viewer: Viewer) -> bool:
    """Whether the viewer reviews overrides."""
    return bool(viewer.roles & GUARDIANS)


# --- Opening ------------------------------------------------------------------------------------


async def openable(access: Access) -> tuple[Category, ...]:
    """What an override would open to the viewer, and is said to be withheld now."""
    if not may_override(access.viewer):
        return ()
    opened = _opened(access.viewer, access.purpose, access.at, await state_of_child(access))
    return tuple(
        category
        for category in opened
        if not access.may(category) and not access.decision(category).silent
    )


async def open_withheld(access: Access, what: Collection[str], reason: Reason) -> UUID:
    """Open what is withheld from the viewer; asked again while it runs, it is one.

    For as long as the authority set (`Spans.override_hours`).

    Raises NotAllowed for somebody who may not, Invalid with every mistake.
    """
    if not may_override(access.viewer):
        raise NotAllowed(WHO_MAY_OVERRIDE)
    may_be = {category.value for category in await openable(access)}
    is_whole = EVERYTHING in what
    errors = _wrong_reason(reason)
    if not may_be:
        sentence = "There is nothing here that can be opened this way. A protection stays closed"
        errors.insert(0, FieldError("what", sentence))
    elif not is_whole and (not what or not may_be.issuperset(what)):
        errors.insert(0, FieldError("what", "Select what you need to see"))
    if errors:
        raise Invalid(tuple(errors))
    categories = frozenset[Category]() if is_whole else frozenset(Category(one) for one in what)
    made = await _running(access.session, access.child_id, access.viewer.id, categories)
    if made is None:
        within = await spans(access.session)
        made = _override(access.child_id, access.viewer.id, categories, access.at, reason, within)
        access.session.add(made)
        _write_down(access.session, access.viewer, made)
        await rewrite_access(access.session, access.child_id)
    return made.id


async def open_by_reference(
    session: AsyncSession, viewer: Viewer, reference: str, born: date, reason: Reason
) -> None:
    """Open a record that is not among the viewer's own, by what is known of the child.

    In a transaction of scheduled work (`JOB`), since the viewer does not reach the child yet. It
    gives no answer: whether anything was opened is the same to say for a child who is not here,
    whose birth date is another, and whose record is sealed from the viewer. One that runs is not
    opened a second time, nor for longer.

    Raises NotAllowed for somebody who may not, or who tried too often today; Invalid.
    """
    if not may_override(viewer):
        raise NotAllowed(WHO_MAY_OVERRIDE)
    if errors := _wrong_reason(reason):
        raise Invalid(tuple(errors))
    now: datetime = session.info["now"]
    today = day_of(now)
    # Many at once would each count what the others have not written yet.
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))"),
        {"what": f"openings by {viewer.id}"},
    )
    missed = await session.scalar(
        select(func.count())
        .select_from(OverrideAttempt)
        .where(OverrideAttempt.worker_id == viewer.id, OverrideAttempt.on == today)
    )
    within = await spans(session)
    if (missed or 0) >= within.override_misses:
        raise NotAllowed(
            "You tried too often today, so nothing more is opened this way.",
            "Ring the safeguarding lead, or 999 if somebody is in danger now.",
        )
    child_id = await _known_child(session, viewer, reference, born)
    if child_id is None:
        session.add(OverrideAttempt(worker_id=viewer.id, on=today))
        await session.flush()
        return
    # Asked again while it runs, it is that one: another row would be another day of looking.
    if await _running(session, child_id, viewer.id, frozenset()) is None:
        made = _override(child_id, viewer.id, frozenset(), now, reason, within)
        session.add(made)
        _write_down(session, viewer, made)
        await rewrite_access(session, child_id)


_MINE = text(
    "SELECT DISTINCT ON (o.child_id) o.child_id, c.reference, o.ends_at FROM child_access x"
    " JOIN sharing_override o ON o.child_id = x.child_id JOIN child c ON c.id = x.child_id"
    " WHERE x.viewer_id = :viewer AND x.valid_from <= :now AND x.valid_until >= :now"
    " AND o.to_id = :viewer AND o.starts_at <= :now AND o.ends_at > :now"
    " ORDER BY o.child_id, o.ends_at DESC"
)


async def my_overrides(session: AsyncSession, viewer: Viewer) -> tuple[Running, ...]:
    """The viewer's own overrides that run now; no content."""
    rows = await session.execute(_MINE, {"viewer": viewer.id, "now": session.info["now"]})
    return tuple(Running(row.child_id, row.reference, row.ends_at) for row in rows)


def _opened(viewer: Viewer, purpose: Purpose, at: datetime, state: State) -> tuple[Category, ...]:
    """What consent would open to the viewer by an override of everything."""
    given = Override(viewer.id, frozenset(), at, at + _ANY_SPAN)
    overridden = replace(state, overrides=(*state.overrides, given))
    decided = decide_all(viewer, purpose, at, overridden)
    return tuple(
        category
        for category, decision in decided.items()
        if decision.permitted and decision.basis is Basis.SAFEGUARDING
    )


_BY_REFERENCE = text(
    "SELECT id FROM child WHERE reference = :reference"
    " AND (birth_date = :born OR (birth_date IS NULL AND expected_delivery_on = :born))"
)


async def _known_child(
    session: AsyncSession, viewer: Viewer, reference: str, born: date
) -> UUID | None:
    """The child who is meant, if an override could open anything of the record to the viewer."""
    typed = "".join(reference.split()).upper()
    asked = {"reference": typed if typed.startswith("C-") else f"C-{typed.lstrip('C')}"}
    child_id: UUID | None = await session.scalar(_BY_REFERENCE, asked | {"born": born})
    if child_id is None:
        return None
    known = await SharingFacts().known(session, [child_id], Viewer(JOB, ViewerKind.JOB))
    state = replace(known[child_id].state, relationships=())
    at: datetime = session.info["now"]
    given = Override(viewer.id, frozenset(), at, at + _ANY_SPAN)
    reached = may_reach(viewer, replace(state, overrides=(*state.overrides, given)), at)
    return child_id if reached and _opened(viewer, Purpose.SAFEGUARDING, at, state) else None


def _wrong_reason(reason: Reason) -> list[FieldError]:
    errors = []
    if not reason.words.strip():
        sentence = "Say who is at risk, of what, and why it cannot wait: this is reviewed"
        errors.append(FieldError("reason", sentence))
    if reason.kept_from_family and not reason.family_risk.strip():
        errors.append(FieldError("family_risk", "Say whom it would put at risk to tell the family"))
    return errors


async def _running(
    session: AsyncSession, child_id: UUID, viewer: UUID, categories: frozenset[Category]
) -> SharingOverride | None:
    """The viewer's own override of the same, where one runs now."""
    now: datetime = session.info["now"]
    rows = await session.scalars(
        select(SharingOverride).where(
            SharingOverride.child_id == child_id,
            SharingOverride.to_id == viewer,
            SharingOverride.starts_at <= now,
            SharingOverride.ends_at > now,
        )
    )
    return next((row for row in rows if set(row.categories) == set(categories)), None)


def _override(
    child_id: UUID,
    viewer: UUID,
    categories: frozenset[Category],
    at: datetime,
    reason: Reason,
    within: Spans,
) -> SharingOverride:
    return SharingOverride(
        child_id=child_id,
        to_id=viewer,
        author_id=viewer,
        categories=sorted(categories),
        starts_at=at,
        ends_at=at + timedelta(hours=within.override_hours),
        reason=reason.words,
        kept_from_family=reason.kept_from_family,
        family_risk=reason.family_risk if reason.kept_from_family else "",
        review_by=working_days_after(day_of(at), within.review_working_days),
    )


def _write_down(session: AsyncSession, viewer: Viewer, made: SharingOverride) -> None:
    told = {
        "override": str(made.id),
        "categories": made.categories,
        "until": made.ends_at.isoformat(),
    }
    record(session, Kind.OVERRIDE_MADE, by_viewer(viewer), subject=made.child_id, details=told)


# --- Reviewing ----------------------------------------------------------------------------------

_TO_REVIEW = text(
    "SELECT o.id, o.child_id, c.reference, o.to_id, o.starts_at, o.review_by,"
    " o.reviewed_at IS NOT NULL AS follows"
    " FROM child_access x JOIN sharing_override o ON o.child_id = x.child_id"
    " JOIN child c ON c.id = x.child_id"
    " WHERE x.viewer_id = :viewer AND x.valid_from <= :now AND x.valid_until >= :now"
    " AND o.review_by IS NOT NULL AND o.to_id <> :viewer"
    " AND (o.reviewed_at IS NULL OR (NOT o.justified AND o.closed_on IS NULL))"
    " ORDER BY o.review_by, o.id LIMIT 100"
)
_WAITING = text(
    "SELECT count(*) FILTER (WHERE reviewed_at IS NULL) AS to_review,"
    " count(*) FILTER (WHERE reviewed_at IS NULL AND review_by < :today) AS overdue,"
    " count(*) FILTER (WHERE NOT justified AND closed_on IS NULL) AS to_follow_up"
    " FROM sharing_override WHERE review_by IS NOT NULL"
)


async def overrides_to_review(session: AsyncSession, viewer: Viewer) -> tuple[ToReview, ...]:
    """What waits for the viewer's review, the longest overdue first; no content."""
    if not may_review(viewer):
        return ()
    found = await session.execute(_TO_REVIEW, {"viewer": viewer.id, "now": session.info["now"]})
    rows = found.all()
    names = await worker_names(session, [row.to_id for row in rows])
    return tuple(
        ToReview(
            row.id,
            row.child_id,
            row.reference,
            names.get(row.to_id, "A worker"),
            row.starts_at,
            row.review_by,
            row.follows,
        )
        for row in rows
    )


async def overrides_waiting(session: AsyncSession, today: date) -> Waiting:
    """How many wait over the whole authority, in a transaction of scheduled work; figures only."""
    row = (await session.execute(_WAITING, {"today": today})).one()
    return Waiting(row.to_review, row.overdue, row.to_follow_up)


async def override_to_review(access: Access, override_id: UUID) -> ReviewLine:
    """One override with its reason. Raises NotFound; NotAllowed for whoever does not review it."""
    row = await _reviewed_row(access, override_id)
    people = [one for one in (row.to_id, row.reviewed_by) if one is not None]
    names = await worker_names(access.session, people)
    return ReviewLine(
        id=row.id,
        version=row.version,
        author=names.get(row.to_id, "A worker"),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        categories=tuple(category for category in Category if category in row.categories),
        reason=row.reason,
        kept_from_family=bool(row.kept_from_family),
        family_risk=row.family_risk,
        review_by=row.review_by or access.today,
        reviewed_at=row.reviewed_at,
        reviewed_by="" if row.reviewed_by is None else names.get(row.reviewed_by, ""),
        justified=row.justified,
        review_note=row.review_note,
        steps=row.steps or {},
        closed_on=row.closed_on,
    )


async def review_override(
    access: Access,
    override_id: UUID,
    version: int,
    *,
    justified: bool,
    note: str,
    telling: Reason,
) -> None:
    """Write down whether it was justified; one that was not ends at once, and steps follow.

    `telling` says whether the family is told, which the reviewer decides anew (its words are not
    read). Raises NotFound, NotAllowed, Invalid, Conflict.
    """
    row = await _reviewed_row(access, override_id)
    errors = []
    if not note.strip():
        errors.append(FieldError("note", "Say why it was, or was not, justified"))
    if telling.kept_from_family and not telling.family_risk.strip():
        errors.append(FieldError("family_risk", "Say whom it would put at risk to tell the family"))
    if errors:
        raise Invalid(tuple(errors))
    if row.version != version or row.reviewed_at is not None:
        raise Conflict(())
    row.reviewed_at, row.reviewed_by = access.at, access.viewer.id
    row.justified, row.review_note = justified, note
    row.kept_from_family = telling.kept_from_family
    row.family_risk = telling.family_risk if telling.kept_from_family else ""
    if not justified:
        row.ends_at = min(row.ends_at, access.at)
        row.steps = {Step.STOPPED.value: access.today.isoformat()}
    told = {"override": str(row.id), "justified": justified}
    by = by_viewer(access.viewer)
    record(access.session, Kind.OVERRIDE_REVIEWED, by, subject=access.child_id, details=told)
    await rewrite_access(access.session, access.child_id)


async def take_override_step(access: Access, override_id: UUID, step: Step) -> None:
    """A step after one that was not justified is done today; with the last one it is closed."""
    row = await _reviewed_row(access, override_id)
    if row.justified is not False:
        raise NotFound("There is nothing to follow up here.")
    row.steps = {step.value: access.today.isoformat(), **(row.steps or {})}
    if all(one.value in row.steps for one in Step) and row.closed_on is None:
        row.closed_on = access.today
    await access.session.flush()


async def _reviewed_row(access: Access, override_id: UUID) -> SharingOverride:
    row = await access.session.get(SharingOverride, override_id)
    if row is None or row.child_id != access.child_id or row.review_by is None:
        raise NotFound("There is no such override.")
    reviews = may_review(access.viewer) or await is_left_to_governance(access, override_id)
    if not reviews or row.to_id == access.viewer.id:
        raise NotAllowed(WHO_MAY_REVIEW)
    return row
