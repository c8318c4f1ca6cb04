"""Who is in a child's life, as one viewer may see it: family, and agencies now and expected."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy import text

from consent import Category
from panel.platform.tenancy import load_keys
from panel.records.gate import Access, Withheld


@dataclass(frozen=True, slots=True)
class FamilyPerson:
    """One person of the family. Contact details are None where they are withheld."""

    link_id: UUID
    member_id: UUID
    name: str
    relationship: str
    parental_responsibility: bool
    basis: str | None
    lives_with: bool | None
    from_on: date | None
    until_on: date | None
    first_language: str | None
    interpreter: str | None
    phone: str | None
    email: str | None
    address: str | None
    safe_contact: str | None


@dataclass(frozen=True, slots=True)
class AgencyPart:
    """One agency's part."""

    involvement_id: UUID
    version: int
    agency_id: UUID
    agency_name: str
    worker_id: UUID | None
    worker_name: str
    part: str
    from_on: date | None
    expected_from_on: date | None
    until_on: date | None


@dataclass(frozen=True, slots=True)
class People:
    """The people of one child as far as this viewer may see them, and what was withheld."""

    family: tuple[FamilyPerson, ...]
    agencies: tuple[AgencyPart, ...]
    address: str | None
    """The child's own; None where it is withheld."""
    postcode: str | None
    phone: str | None
    withheld: tuple[Withheld, ...]
    """What is not shown and may be said, by category; silent ones are left out."""


class _FamilyFact(msgspec.Struct):
    link_id: UUID
    member_id: UUID
    relationship: str
    parental_responsibility: bool
    basis: str | None
    lives_with: bool
    from_on: date | None
    until_on: date | None
    first_language: str | None
    interpreter: str | None
    name: str | None
    phone: str | None
    email: str | None
    address: str | None
    safe_contact: str | None
    link_author: UUID | None
    member_author: UUID | None


class _AgencyFact(msgspec.Struct):
    id: UUID
    version: int
    agency_id: UUID
    agency: str
    worker_id: UUID | None
    worker: str | None
    part: str
    from_on: date | None
    expected_from_on: date | None
    until_on: date | None
    author: UUID | None


class _PeopleFact(msgspec.Struct):
    author: UUID | None
    address: str | None
    postcode: str | None
    phone: str | None
    family: tuple[_FamilyFact, ...] | None
    agencies: tuple[_AgencyFact, ...] | None


_PEOPLE = """
SELECT json_build_object(
  'author', (SELECT w.agency_id FROM worker w WHERE w.id = c.created_by),
  'address', encode(c.address, 'hex'), 'postcode', encode(c.postcode, 'hex'),
  'phone', encode(c.phone, 'hex'),
  'family', (SELECT json_agg(json_build_object('link_id', l.id, 'member_id', m.id,
      'relationship', l.relationship, 'parental_responsibility', l.parental_responsibility,
      'basis', l.basis, 'lives_with', l.lives_with, 'from_on', l.from_on, 'until_on', l.until_on,
      'first_language', m.first_language, 'interpreter', m.interpreter,
      'name', encode(m.name, 'hex'), 'phone', encode(m.phone, 'hex'),
      'email', encode(m.email, 'hex'), 'address', encode(m.address, 'hex'),
      'safe_contact', encode(m.safe_contact, 'hex'),
      'link_author', (SELECT w.agency_id FROM worker w WHERE w.id = l.created_by),
      'member_author', (SELECT w.agency_id FROM worker w WHERE w.id = m.created_by))
      ORDER BY l.until_on DESC NULLS FIRST, l.id)
    FROM family_link l JOIN family_member m ON m.id = l.family_member_id
   WHERE l.child_id = c.id),
  'agencies', (SELECT json_agg(json_build_object('id', i.id, 'version', i.version,
      'agency_id', a.id, 'agency', a.name, 'worker_id', w.id, 'worker', encode(w.name, 'hex'),
      'part', i.part, 'from_on', i.from_on, 'expected_from_on', i.expected_from_on,
      'until_on', i.until_on,
      'author', (SELECT b.agency_id FROM worker b WHERE b.id = i.created_by))
      ORDER BY i.until_on DESC NULLS FIRST, COALESCE(i.from_on, i.expected_from_on), i.id)
    FROM involvement i JOIN agency a ON a.id = i.agency_id
    LEFT JOIN worker w ON w.id = i.worker_id WHERE i.child_id = c.id))::text
FROM child c WHERE c.id = :child
"""
_READ_PEOPLE = msgspec.json.Decoder(_PeopleFact)


async def people_of(access: Access) -> People:
    """Family and agencies of a child, each entry as its category and author allow."""
    found = await access.session.execute(text(_PEOPLE), {"child": access.child_id})
    fact = _READ_PEOPLE.decode(found.scalar_one())
    family = [one for one in fact.family or () if access.may(Category.FAMILY, one.link_author)]
    agencies = [
        one
        for one in fact.agencies or ()
        if access.may(Category.NETWORK, one.author) or access.may(Category.NETWORK, one.agency_id)
    ]
    await load_keys(
        access.session,
        {one.member_id for one in family} | {one.agency_id for one in agencies if one.worker},
    )
    sees_home = access.may(Category.CONTACT, fact.author)
    return People(
        family=tuple(_person(access, one) for one in family),
        agencies=tuple(_agency(access, one) for one in agencies),
        address=_own(access, "address", fact.address, fact.author),
        postcode=_own(access, "postcode", fact.postcode, fact.author),
        phone=_own(access, "phone", fact.phone, fact.author),
        withheld=tuple(
            said
            for category, is_whole in (
                (Category.CONTACT, sees_home and not _hides_contact(access, family)),
                (Category.FAMILY, len(family) == len(fact.family or ())),
                (Category.NETWORK, len(agencies) == len(fact.agencies or ())),
            )
            if not is_whole and (said := access.withheld(category)) is not None and not said.silent
        ),
    )


def _hides_contact(access: Access, family: list[_FamilyFact]) -> bool:
    return any(not access.may(Category.CONTACT, one.member_author) for one in family)


def _own(access: Access, column: str, sealed: str | None, author: UUID | None) -> str | None:
    return access.open_text(sealed, f"child.{column}", access.child_id, Category.CONTACT, author)


def _person(access: Access, fact: _FamilyFact) -> FamilyPerson:
    sees_contact = access.may(Category.CONTACT, fact.member_author)

    def opened(column: str, sealed: str | None) -> str:
        if sealed is None:
            return ""
        return access.keys.open(
            fact.member_id, f"family_member.{column}", fact.member_id, bytes.fromhex(sealed)
        )

    def contact(column: str, sealed: str | None) -> str | None:
        return opened(column, sealed) if sees_contact else None

    return FamilyPerson(
        link_id=fact.link_id,
        member_id=fact.member_id,
        name=opened("name", fact.name),
        relationship=fact.relationship,
        parental_responsibility=fact.parental_responsibility,
        basis=fact.basis,
        # Who lives where is contact (DOMAIN.md, categories).
        lives_with=fact.lives_with if sees_contact else None,
        # Most ties begin on the day of birth, which is identity.
        from_on=fact.from_on if access.may(Category.IDENTITY) else None,
        until_on=fact.until_on,
        first_language=fact.first_language,
        interpreter=fact.interpreter,
        phone=contact("phone", fact.phone),
        email=contact("email", fact.email),
        address=contact("address", fact.address),
        safe_contact=contact("safe_contact", fact.safe_contact),
    )


def _agency(access: Access, fact: _AgencyFact) -> AgencyPart:
    worker_name = ""
    if fact.worker is not None and fact.worker_id is not None:
        worker_name = access.keys.open(
            fact.agency_id, "worker.name", fact.worker_id, bytes.fromhex(fact.worker)
        )
    return AgencyPart(
        involvement_id=fact.id,
        version=fact.version,
        agency_id=fact.agency_id,
        agency_name=fact.agency,
        worker_id=fact.worker_id,
        worker_name=worker_name,
        part=fact.part,
        from_on=fact.from_on,
        expected_from_on=fact.expected_from_on,
        until_on=fact.until_on,
    )
