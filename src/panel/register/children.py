"""A child's own row: added, changed, and found again by blind index."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, delete, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from panel.accounts.models import Worker
from panel.platform.crypto import Keyring, Keys
from panel.platform.problems import Clash, Conflict, NotAllowed, NotFound
from panel.platform.tables import KEYS
from panel.records.gate import NOT_HERE, Access, rewrite_access
from panel.records.nhs_number import nhs_number_words
from panel.register.header import EDUCATION
from panel.register.marking import write_marks
from panel.register.models import Child, ChildIndex, FamilyMember, Involvement
from panel.register.names import folded_words, name_tokens
from panel.web.words import short_day

CATEGORY_OF: Mapping[str, Category] = {
    "given_name": Category.IDENTITY,
    "family_name": Category.IDENTITY,
    "known_as": Category.IDENTITY,
    "birth_date": Category.IDENTITY,
    "expected_delivery_on": Category.IDENTITY,
    "sex": Category.IDENTITY,
    "nhs_number": Category.IDENTITY,
    "upn": Category.IDENTITY,
    "address": Category.CONTACT,
    "postcode": Category.CONTACT,
    "phone": Category.CONTACT,
    "ward_code": Category.CONTACT,
    "ethnicity": Category.FAMILY,
    "first_language": Category.FAMILY,
    "interpreter": Category.FAMILY,
    "disability": Category.HEALTH,
    "primary_need": Category.HEALTH,
    "school": Category.EDUCATION,
    "starts_school_on": Category.EDUCATION,
}
"""What each part of a child's own row is about."""

LABELS: Mapping[str, str] = {
    "given_name": "Given name",
    "family_name": "Family name",
    "known_as": "Known as",
    "birth_date": "Date of birth",
    "expected_delivery_on": "Expected date of birth",
    "sex": "Sex",
    "nhs_number": "NHS number",
    "upn": "UPN",
    "address": "Address",
    "postcode": "Postcode",
    "phone": "Telephone",
    "ward_code": "Ward code",
    "ethnicity": "Ethnicity",
    "first_language": "First language",
    "interpreter": "Interpreter or signer",
    "disability": "Disability",
    "primary_need": "Primary need",
    "school": "School or nursery",
    "starts_school_on": "Starts school on",
}

SAME_NHS_NUMBER = "the same NHS number"
SAME_NAME_AND_BIRTH = "the same name and date of birth"
_REASONS = {"nhs_number": SAME_NHS_NUMBER, "name_and_birth": SAME_NAME_AND_BIRTH}


@dataclass(frozen=True, slots=True)
class NewChild:
    """What is known of a child. Texts are "" and the rest None where it is not."""

    given_name: str
    family_name: str
    birth_date: date | None = None
    expected_delivery_on: date | None = None
    known_as: str = ""
    sex: str = "not_known"
    nhs_number: str = ""
    """Ten digits, checked by `records.nhs_number`."""
    upn: str = ""
    address: str = ""
    postcode: str = ""
    phone: str = ""
    ward_code: str | None = None
    ethnicity: str | None = None
    primary_need: str | None = None
    first_language: str | None = None
    interpreter: str | None = None
    disability: str = ""
    school: str | None = None
    starts_school_on: date | None = None


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A child who is here already and may be the same one."""

    child_id: UUID
    reason: str
    """`SAME_NHS_NUMBER` or `SAME_NAME_AND_BIRTH`."""


def ring_of(session: AsyncSession) -> Keyring:
    """The keys that make blind indexes."""
    return cast("Keys", session.info[KEYS]).ring


def child_token(ring: Keyring, kind: str, token: str) -> bytes:
    """The blind index of one thing by which a child is found."""
    return ring.index(f"child.{kind}", token)


def name_index(session: AsyncSession, word: str) -> bytes:
    """The blind index of a whole word of a child's name, folded (`folded_words`)."""
    return child_token(ring_of(session), "full", word)


def same_child_tokens(
    ring: Keyring, given_name: str, family_name: str, birth_date: date | None, nhs_number: str
) -> dict[str, bytes]:
    """The indexes that only one child should have: by NHS number, by full name and birth date."""
    tokens: dict[str, bytes] = {}
    if nhs_number:
        tokens["nhs_number"] = child_token(ring, "nhs_number", nhs_number)
    if birth_date is not None:
        words = (*folded_words(given_name), "/", *folded_words(family_name), birth_date.isoformat())
        tokens["name_and_birth"] = child_token(ring, "name_and_birth", " ".join(words))
    return tokens


async def duplicates_in_reach(session: AsyncSession, new: NewChild) -> list[Duplicate]:
    """Children who may be the same one, among those that the viewer may reach.

    A child out of the viewer's reach gives the same answer as no child; whoever may see both
    finds the pair among the possible duplicates later.
    """
    tokens = same_child_tokens(
        ring_of(session), new.given_name, new.family_name, new.birth_date, new.nhs_number
    )
    kinds = {token: kind for kind, token in tokens.items()}
    if not kinds:
        return []
    rows = await session.execute(
        text("SELECT child_id, token FROM child_index WHERE token = ANY(:tokens)"),
        {"tokens": list(kinds)},
    )
    found: dict[UUID, str] = {}
    for child_id, token in rows:
        kind = kinds[bytes(token)]
        if kind == "nhs_number" or child_id not in found:
            found[child_id] = _REASONS[kind]
    return [Duplicate(child_id, reason) for child_id, reason in found.items()]


async def next_reference(session: AsyncSession) -> str:
    """The next reference: "C-1042"."""
    number = (await session.execute(text("SELECT nextval('child_reference')"))).scalar_one()
    return f"C-{number}"


async def open_record(session: AsyncSession, new: NewChild) -> Child:
    """A new child whom nobody is tied to yet, findable at once.

    Until what ties somebody is written and access rewritten, only the transaction that opened the
    record reaches it.
    """
    child = Child(
        reference=await next_reference(session),
        **{field.name: getattr(new, field.name) for field in fields(new)},
    )
    await session.execute(text("SELECT open_child(:child)"), {"child": child.id})
    session.add(child)
    await session.flush()
    await index_child(session, child)
    return child


async def add_child(
    session: AsyncSession,
    new: NewChild,
    *,
    agency_id: UUID | None,
    worker_id: UUID | None = None,
    part: str = "",
    from_on: date | None = None,
) -> Child:
    """A new child with the first agency involved; findable at once, and reachable by its team.

    Possible duplicates are noted, seen or not, and said to nobody here. `agency_id` None: no
    agency is involved yet (an import that names none).
    """
    child = await open_record(session, new)
    if agency_id is not None:
        session.add(
            Involvement(
                child_id=child.id,
                agency_id=agency_id,
                worker_id=worker_id,
                part=part,
                from_on=from_on,
            )
        )
    await rewrite_access(session, child.id)
    return child


async def index_child(session: AsyncSession, child: Child) -> None:
    """Write anew by what a child is found and compared, and note who may be the same child."""
    ring = ring_of(session)
    same = same_child_tokens(
        ring, child.given_name, child.family_name, child.birth_date, child.nhs_number
    )
    tokens: set[tuple[str, bytes]] = set(same.items())
    if child.upn:
        tokens.add(("upn", child_token(ring, "upn", child.upn)))
    for name_kind, word in name_tokens((child.given_name, child.family_name, child.known_as)):
        tokens.add((name_kind, child_token(ring, name_kind, word)))
    table = cast("Table", ChildIndex.__table__)
    await session.execute(delete(table).where(table.c.child_id == child.id))
    await session.execute(
        insert(table),
        [{"child_id": child.id, "kind": kind, "token": token} for kind, token in sorted(tokens)],
    )
    await write_marks(session, ring, [child])
    for kind, token in same.items():
        await session.execute(
            text("SELECT note_possible_duplicate(:child, :token, :reason)"),
            {"child": child.id, "token": token, "reason": _REASONS[kind]},
        )


async def child_with_nhs_number(session: AsyncSession, nhs_number: str) -> UUID | None:
    """The child of an NHS number, of those within reach."""
    return await _only_one(
        session, [child_token(ring_of(session), "nhs_number", nhs_number)], agency_id=None
    )


async def child_like(
    session: AsyncSession,
    given_name: str,
    family_name: str,
    birth_date: date,
    agency_id: UUID | None,
) -> UUID | None:
    """The one child of a name and birth date, of those within reach; None where there are more.

    With an agency, a child in whose life that agency has a part; else whoever it is.
    """
    tokens = same_child_tokens(ring_of(session), given_name, family_name, birth_date, "")
    return await _only_one(session, list(tokens.values()), agency_id=agency_id)


_ONLY_ONE = text(
    "SELECT DISTINCT i.child_id FROM child_index i WHERE i.token = ANY(:tokens)"
    " AND (CAST(:agency AS uuid) IS NULL OR EXISTS (SELECT 1 FROM involvement v"
    " WHERE v.child_id = i.child_id AND v.agency_id = :agency)) LIMIT 2"
).bindparams(bindparam("agency"))


async def _only_one(
    session: AsyncSession, tokens: list[bytes], agency_id: UUID | None
) -> UUID | None:
    rows = await session.execute(_ONLY_ONE, {"tokens": tokens, "agency": agency_id})
    found = list(rows.scalars())
    return cast("UUID", found[0]) if len(found) == 1 else None


async def child_of_reference(session: AsyncSession, reference: str) -> UUID | None:
    """The child of a reference ("C-1042", capitals forgiven), of those within reach."""
    found = await session.execute(
        text("SELECT id FROM child WHERE reference = :reference"),
        {"reference": reference.strip().upper()},
    )
    return cast("UUID | None", found.scalar_one_or_none())


# --- Changing ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChildDetails:
    """What this viewer may see of a child's own row, and the version read."""

    version: int
    values: Mapping[str, Any]
    """By field; those that are withheld are absent."""
    may_change: frozenset[str]


async def child_details(access: Access) -> ChildDetails:
    """The child's own row as far as it may be seen."""
    child = await _child(access)
    seen = await _fields_seen(access)
    return ChildDetails(
        child.version,
        {name: getattr(child, name) for name in CATEGORY_OF if name in seen},
        seen if access.may_write else frozenset(),
    )


async def change_child(access: Access, changes: Mapping[str, Any], version: int) -> Child:
    """Change a child's details; only what the viewer may see can be changed.

    `changes` has fields of `CATEGORY_OF`. Raises Conflict with both texts where somebody saved
    since `version` was read, NotAllowed for a field that is withheld.
    """
    access.require_write()
    seen = await _fields_seen(access)
    if hidden := changes.keys() - seen:
        raise NotAllowed(
            "You cannot change what you may not see: "
            + ", ".join(sorted(LABELS.get(name, name).lower() for name in hidden))
            + "."
        )
    child = await _child(access)
    if child.version != version:
        raise Conflict(_clashes(child, changes))
    for name, value in changes.items():
        if value != getattr(child, name):
            setattr(child, name, value)
            if name == "nhs_number":
                child.nhs_number_verified = False
    await access.session.flush()
    await index_child(access.session, child)
    # Until when a parent may look follows from the day of birth.
    await rewrite_access(access.session, child.id)
    return child


async def _child(access: Access) -> Child:
    child = await access.session.get(Child, access.child_id)
    if child is None:
        raise NotFound(NOT_HERE)
    return child


async def _fields_seen(access: Access) -> frozenset[str]:
    author = await author_agency(access.session, Child, access.child_id)
    return frozenset(
        name
        for name, category in CATEGORY_OF.items()
        if access.may(category, author)
        and (name != "upn" or access.viewer.agency_kind in EDUCATION)
    )


async def author_agency(
    session: AsyncSession, model: type[Child | FamilyMember], row_id: UUID
) -> UUID | None:
    """The agency of the worker who wrote a row; None for an import."""
    found = await session.execute(
        select(Worker.agency_id)
        .join(model, model.created_by == Worker.id)
        .where(model.id == row_id)
    )
    return found.scalar_one_or_none()


def _clashes(child: Child, changes: Mapping[str, Any]) -> tuple[Clash, ...]:
    return clashes_between(
        (LABELS[name], value_words(name, value), value_words(name, getattr(child, name)))
        for name, value in changes.items()
    )


def clashes_between(fields_read: Iterable[tuple[str, str, str]]) -> tuple[Clash, ...]:
    """Those of (label, yours, theirs) that differ."""
    return tuple(
        Clash(label, yours or "(nothing)", theirs or "(nothing)")
        for label, yours, theirs in fields_read
        if yours != theirs
    )


def value_words(name: str, value: object) -> str:
    """A value of a child's row as people read it."""
    if value is None or value == "":
        return ""
    if isinstance(value, date):
        return short_day(value)
    if name == "nhs_number":
        return nhs_number_words(str(value))
    if name == "sex":
        return SEX_WORDS[str(value)]
    return str(value)


SEX_WORDS = {
    "female": "Female",
    "male": "Male",
    "indeterminate": "Indeterminate",
    "not_known": "Not known",
}
