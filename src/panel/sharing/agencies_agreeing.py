"""What agencies agreed with each other about sharing (information sharing agreements), in versions.

Such an agreement is about no child. It opens nothing by itself: whatever it names still needs a
tie and something that permits. Source: DOMAIN.md, "Words" (joint controllers).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Arrangement, Category, Purpose, Role, Span, Viewer
from panel.accounts.service import agencies
from panel.platform.ids import new_id
from panel.platform.problems import Conflict, FieldError, Invalid, NotFound
from panel.sharing.models import AgenciesAgreement

KEEPERS = (Role.GOVERNANCE_LEAD, Role.ADMINISTRATOR)
"""Who keeps them: neither sees case data by it, since there is none in them."""


@dataclass(frozen=True, slots=True)
class NewVersion:
    """An agreement, or the next version of one, as the form says it."""

    title: str
    reference: str
    parties: Collection[str]
    """Ids of agencies, as texts."""
    categories: Collection[str]
    purposes: Collection[str]
    from_on: date
    until_on: date | None
    review_on: date
    why: str


@dataclass(frozen=True, slots=True)
class Version:
    """One version, its parties by name."""

    agreement_id: UUID
    number: int
    title: str
    reference: str
    parties: tuple[UUID, ...]
    party_names: tuple[str, ...]
    categories: tuple[Category, ...]
    purposes: tuple[Purpose, ...]
    from_on: date
    until_on: date | None
    review_on: date
    why: str

    def holds(self, day: date) -> bool:
        """Whether it is in force on the day."""
        return self.from_on <= day and (self.until_on is None or day <= self.until_on)


class ArrangementFact(msgspec.Struct):
    """One version as `agencies_agreement` holds it."""

    reference: str
    parties: frozenset[UUID]
    categories: frozenset[Category]
    purposes: frozenset[Purpose]
    from_on: date
    until_on: date | None

    def arrangement(self) -> Arrangement:
        """As a decision is told of it: it is named beside what permits, and opens nothing."""
        span = Span(self.from_on, self.until_on)
        return Arrangement(self.reference, self.parties, self.categories, self.purposes, span)


ARRANGEMENTS = """(SELECT COALESCE(json_agg(json_build_object('reference', reference,
  'parties', parties, 'categories', categories, 'purposes', purposes, 'from_on', from_on,
  'until_on', until_on) ORDER BY reference, number), '[]') FROM agencies_agreement)"""
"""SQL (JSON): every version with its dates, the same for every child; one of each holds a day."""


async def newest_versions(session: AsyncSession) -> list[Version]:
    """The newest version of every agreement, the next review first."""
    newest: dict[UUID, Version] = {}
    for version in await _versions(session, None):
        newest[version.agreement_id] = version
    return sorted(newest.values(), key=lambda one: (one.review_on, one.reference))


async def versions_of(session: AsyncSession, agreement_id: UUID) -> list[Version]:
    """Every version of one agreement, the newest first. Raises NotFound."""
    found = await _versions(session, agreement_id)
    if not found:
        raise NotFound("There is no such agreement.")
    return found[::-1]


async def record_agreement_of_agencies(session: AsyncSession, new: NewVersion) -> UUID:
    """Keep a new agreement; its first version. Raises Invalid with every mistake."""
    parties = await _checked(session, new)
    made = _row(new_id(), 1, new, parties)
    session.add(made)
    await session.flush()
    return made.agreement_id


async def change_agreement_of_agencies(
    session: AsyncSession, agreement_id: UUID, read: int, new: NewVersion
) -> None:
    """Keep the next version; the one before ends on the day before it begins.

    `read` is the number that was read. Raises NotFound, Invalid, Conflict where somebody else
    wrote a version meanwhile.
    """
    rows = list(
        await session.scalars(
            select(AgenciesAgreement)
            .where(AgenciesAgreement.agreement_id == agreement_id)
            .order_by(AgenciesAgreement.number)
            .with_for_update()
        )
    )
    if not rows:
        raise NotFound("There is no such agreement.")
    last = rows[-1]
    if last.number != read:
        raise Conflict(())
    parties = await _checked(session, new, but=agreement_id)
    if new.from_on <= last.from_on:
        sentence = "The new version begins after the one before it. Give a later day"
        raise Invalid.because("from_on", sentence)
    day_before = new.from_on - timedelta(days=1)
    last.until_on = day_before if last.until_on is None else min(last.until_on, day_before)
    session.add(_row(agreement_id, read + 1, new, parties))
    try:
        await session.flush()
    except IntegrityError as error:
        raise Conflict(()) from error


def may_keep(viewer: Viewer) -> bool:
    """Whether agreements of agencies are the viewer's to keep."""
    return bool(viewer.roles & set(KEEPERS))


async def _checked(
    session: AsyncSession, new: NewVersion, but: UUID | None = None
) -> tuple[UUID, ...]:
    known = {str(one.id): one.id for one in await agencies(session)}
    errors = [*_wrong_words(new), *_wrong_days(new)]
    if len(set(new.parties)) < 2 or not known.keys() >= set(new.parties):
        errors.append(FieldError("parties", "Select the agencies, two or more"))
    if not new.categories or not {one.value for one in Category} >= set(new.categories):
        errors.append(FieldError("categories", "Select what may be shared"))
    if not new.purposes or not {one.value for one in Purpose} >= set(new.purposes):
        errors.append(FieldError("purposes", "Select what it may be used for"))
    taken = await session.scalar(
        select(AgenciesAgreement.agreement_id)
        .where(
            AgenciesAgreement.reference == new.reference.strip(),
            AgenciesAgreement.agreement_id != (but or new_id()),
        )
        .limit(1)
    )
    if taken is not None:
        errors.append(FieldError("reference", "Another agreement has this reference"))
    if errors:
        raise Invalid(tuple(errors))
    return tuple(sorted(known[one] for one in set(new.parties)))


def _wrong_words(new: NewVersion) -> list[FieldError]:
    errors = []
    if not new.title.strip():
        errors.append(FieldError("title", "Enter what the agreement is called"))
    if not new.reference.strip() or ";" in new.reference:
        errors.append(FieldError("reference", "Enter a reference without a semicolon"))
    if not new.why.strip():
        errors.append(FieldError("why", "Say what this version is for"))
    return errors


def _wrong_days(new: NewVersion) -> list[FieldError]:
    errors = []
    if new.until_on is not None and new.until_on < new.from_on:
        errors.append(FieldError("until_on", "The end is before the beginning. Check both dates"))
    if new.review_on < new.from_on:
        errors.append(FieldError("review_on", "The review is before the beginning. Check it"))
    return errors


def _row(
    agreement_id: UUID, number: int, new: NewVersion, parties: tuple[UUID, ...]
) -> AgenciesAgreement:
    return AgenciesAgreement(
        agreement_id=agreement_id,
        number=number,
        title=new.title.strip(),
        reference=new.reference.strip(),
        parties=list(parties),
        categories=[one.value for one in Category if one.value in new.categories],
        purposes=[one.value for one in Purpose if one.value in new.purposes],
        from_on=new.from_on,
        until_on=new.until_on,
        review_on=new.review_on,
        why=new.why,
    )


async def _versions(session: AsyncSession, agreement_id: UUID | None) -> list[Version]:
    query = select(AgenciesAgreement).order_by(
        AgenciesAgreement.agreement_id, AgenciesAgreement.number
    )
    if agreement_id is not None:
        query = query.where(AgenciesAgreement.agreement_id == agreement_id)
    rows = list(await session.scalars(query))
    names = {one.id: one.name for one in await agencies(session)}
    return [_version(row, names) for row in rows]


def _version(row: AgenciesAgreement, names: Mapping[UUID, str]) -> Version:
    return Version(
        agreement_id=row.agreement_id,
        number=row.number,
        title=row.title,
        reference=row.reference,
        parties=tuple(row.parties),
        party_names=tuple(sorted(names.get(one, "an agency that left") for one in row.parties)),
        categories=tuple(Category(one) for one in row.categories),
        purposes=tuple(Purpose(one) for one in row.purposes),
        from_on=row.from_on,
        until_on=row.until_on,
        review_on=row.review_on,
        why=row.why,
    )
