"""Who a child was before an adoption: kept under a protection of its own.

A former name is in no index and no list: nobody finds a child by it. It is read on one page, by
those whom the protection leaves, or where a court orders it. To everybody else nothing is said.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from consent import Basis, Category
from consent.reach import is_named
from panel.platform.problems import FieldError, Invalid, NotAllowed, NotFound
from panel.records.gate import Access
from panel.records.nhs_number import WrongNhsNumber, nhs_number, nhs_number_words
from panel.register.service import change_child, child_details
from panel.sharing.ending import end_now
from panel.sharing.models import FormerIdentity
from panel.sharing.named import Kind, Named, who_can_be_named, words_of
from panel.sharing.restrict_rules import WHO_MAY_PROTECT, may_protect
from panel.web import words


@dataclass(frozen=True, slots=True)
class NewFormerName:
    """What is to be kept, and the name that takes its place where the record still has the old."""

    given_name: str
    family_name: str
    open_to: Collection[str]
    """Ids of agencies and workers, as texts."""
    reason: str
    nhs_number: str = ""
    new_given_name: str = ""
    new_family_name: str = ""


@dataclass(frozen=True, slots=True)
class FormerName:
    """A former name for somebody who may know it."""

    id: UUID
    version: int
    lines: tuple[tuple[str, str], ...]
    may_end: bool


def may_keep_former_names(access: Access) -> bool:
    """Whether the viewer may record one: whoever protects, and sees who the child is."""
    return may_protect(access.viewer, access.ties) and access.may(Category.IDENTITY)


async def who_may_know(access: Access) -> tuple[Named, ...]:
    """Agencies and workers to whom a former name can be left. Raises NotAllowed."""
    if not may_keep_former_names(access):
        raise NotAllowed(WHO_MAY_PROTECT)
    return tuple(one for one in await who_can_be_named(access) if one.kind is not Kind.FAMILY)


async def record_former_name(access: Access, new: NewFormerName) -> UUID:
    """Keep a former name; with a new one, the record changes to it in the same step.

    Raises NotAllowed, Invalid with every mistake.
    """
    offered = {str(one.id): one.id for one in await who_may_know(access)}
    errors = []
    if not new.open_to or not offered.keys() >= set(new.open_to):
        errors.append(FieldError("open_to", "Select who may know it"))
    if bool(new.new_given_name) != bool(new.new_family_name):
        sentence = "Enter the new given name and the new family name, or neither"
        field = "new_family_name" if new.new_given_name else "new_given_name"
        errors.append(FieldError(field, sentence))
    former_number = ""
    if new.nhs_number:
        try:
            former_number = nhs_number(new.nhs_number)
        except WrongNhsNumber as wrong:
            errors.append(FieldError("nhs_number", str(wrong)))
    details = await child_details(access)
    if not new.new_given_name and _same(details.values, new):
        sentence = "The record still has this name. Enter the new one, which takes its place"
        errors.append(FieldError("new_given_name", sentence))
    if errors:
        raise Invalid(tuple(errors))
    made = FormerIdentity(
        child_id=access.child_id,
        given_name=new.given_name,
        family_name=new.family_name,
        nhs_number=former_number,
        open_to=sorted({offered[one] for one in new.open_to}),
        reason=new.reason,
    )
    access.session.add(made)
    await access.session.flush()
    if new.new_given_name:
        await _rename(access, new, former_number)
    return made.id


async def former_names(access: Access) -> tuple[FormerName, ...]:
    """The former names that the viewer may know; for anybody else there are none."""
    rows = [
        row
        for row in await access.session.scalars(
            select(FormerIdentity)
            .where(FormerIdentity.child_id == access.child_id, FormerIdentity.ended_at.is_(None))
            .order_by(FormerIdentity.id)
        )
        if _is_open(access, row)
    ]
    if not rows:
        return ()
    named = {one.id: one for one in await who_can_be_named(access)}
    return tuple(_line(access, row, named) for row in rows)


async def former_name_of(access: Access, former_id: UUID) -> FormerName:
    """One of them, for whoever may end it.

    Raises NotFound, also where it may not be known, and NotAllowed for who ends none.
    """
    row = await _row(access, former_id)
    return _line(access, row, {one.id: one for one in await who_can_be_named(access)})


async def end_former_name(access: Access, former_id: UUID, version: int, why: str) -> None:
    """It is on no page any more. Raises as `former_name_of`, Invalid, Conflict."""
    end_now(access, await _row(access, former_id), version, why)
    await access.session.flush()


async def _row(access: Access, former_id: UUID) -> FormerIdentity:
    row = await access.session.get(FormerIdentity, former_id)
    if (
        row is None
        or row.child_id != access.child_id
        or row.ended_at is not None
        or not _is_open(access, row)
    ):
        raise NotFound("There is no such former name.")
    if not may_protect(access.viewer, access.ties):
        raise NotAllowed(WHO_MAY_PROTECT)
    return row


def _is_open(access: Access, row: FormerIdentity) -> bool:
    """Whom its protection leaves may read it while they may know who the child is; or a court."""
    identity = access.decision(Category.IDENTITY)
    if identity.permitted and identity.basis is Basis.COURT_ORDER:
        return True
    return is_named(access.viewer, frozenset(row.open_to)) and identity.permitted


def _line(access: Access, row: FormerIdentity, named: dict[UUID, Named]) -> FormerName:
    number = nhs_number_words(row.nhs_number) if row.nhs_number else ""
    lines = (
        ("Former name", f"{row.given_name} {row.family_name}"),
        ("Former NHS number", number),
        ("Known to", words.in_a_row(words_of(row.open_to, named))),
        ("Why it is kept", row.reason),
    )
    return FormerName(
        row.id,
        row.version,
        tuple((what, said) for what, said in lines if said),
        may_protect(access.viewer, access.ties),
    )


def _same(values: object, new: NewFormerName) -> bool:
    known = dict(values) if isinstance(values, dict) else {}
    now = (str(known.get("given_name", "")), str(known.get("family_name", "")))
    return tuple(one.casefold() for one in now) == (
        new.given_name.casefold(),
        new.family_name.casefold(),
    )


async def _rename(access: Access, new: NewFormerName, former_number: str) -> None:
    """The record takes the new name, and is found by that alone."""
    details = await child_details(access)
    changes = {"given_name": new.new_given_name, "family_name": new.new_family_name}
    if details.values.get("known_as"):
        changes["known_as"] = ""
    if former_number and details.values.get("nhs_number") == former_number:
        changes["nhs_number"] = ""
    await change_child(access, changes, details.version)
