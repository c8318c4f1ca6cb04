"""Family members, and how each is tied to a child."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from consent import Category, ParentalBasis, ParentalResponsibility, Span, responsibility_problem
from panel.accounts.models import Worker
from panel.platform.ids import new_id
from panel.platform.problems import Clash, Conflict, FieldError, Invalid, NotAllowed, NotFound
from panel.platform.tables import today_of
from panel.platform.tenancy import load_keys
from panel.records.gate import NOT_HERE, Access, rewrite_access
from panel.register.children import author_agency, clashes_between
from panel.register.family_access import Contact, contact_changed
from panel.register.models import Child, FamilyLink, FamilyMember

BASIS_WORDS: dict[ParentalBasis, str] = {
    ParentalBasis.BIRTH_MOTHER: "Birth mother",
    ParentalBasis.FATHER_BY_MARRIAGE: "Father, married to the mother",
    ParentalBasis.FATHER_BY_REGISTRATION: (
        "Father, registered on the birth certificate from 1 December 2003"
    ),
    ParentalBasis.SECOND_FEMALE_PARENT: "Second female parent",
    ParentalBasis.AGREEMENT: "Parental responsibility agreement",
    ParentalBasis.COURT_ORDER: "Parental responsibility order",
    ParentalBasis.STEP_PARENT: "Step-parent, by agreement or order",
    ParentalBasis.ADOPTION: "Adoption",
    ParentalBasis.PARENTAL_ORDER: "Parental order (surrogacy)",
    ParentalBasis.CHILD_ARRANGEMENTS_ORDER: "Child arrangements order",
    ParentalBasis.SPECIAL_GUARDIAN: "Special guardian",
    ParentalBasis.APPOINTED_GUARDIAN: "Guardian by appointment",
    ParentalBasis.CARE_ORDER: "The local authority, under a care order",
}


@dataclass(frozen=True, slots=True)
class NewFamilyMember:
    """A person of a child's family. Texts are "" where nothing is known."""

    name: str
    email: str = ""
    phone: str = ""
    address: str = ""
    safe_contact: str = ""
    """How this person may be reached without harm."""
    first_language: str | None = None
    interpreter: str | None = None


@dataclass(frozen=True, slots=True)
class NewFamilyLink:
    """A person's tie to one child. Parental responsibility is recorded, never inferred."""

    relationship: str
    parental_responsibility: bool = False
    basis: ParentalBasis | None = None
    lives_with: bool = False
    from_on: date | None = None
    until_on: date | None = None


def check_link(link: NewFamilyLink, today: date) -> None:
    """Raise Invalid for a tie that cannot be, or parental responsibility that would not count."""
    errors: list[FieldError] = []
    if link.from_on and link.until_on and link.until_on < link.from_on:
        errors.append(FieldError("until_on", "The end is before the beginning. Check both dates"))
    if link.basis is not None and not link.parental_responsibility:
        errors.append(
            FieldError(
                "parental_responsibility",
                "A basis is chosen: say that they have parental responsibility, or leave it out",
            )
        )
    if link.parental_responsibility and not errors:
        errors += _responsibility_errors(link, today)
    if errors:
        raise Invalid(tuple(errors))


def _responsibility_errors(link: NewFamilyLink, today: date) -> list[FieldError]:
    # Whether it could count on a day of its own span; one that has ended is kept as history.
    day = min(max(today, link.from_on or today), link.until_on or date.max)
    held = ParentalResponsibility(new_id(), link.basis, Span(link.from_on, link.until_on))
    problem = responsibility_problem(held, day)
    if not problem:
        return []
    return [FieldError("basis" if link.basis is None else "from_on", problem.rstrip("."))]


async def add_family_member(
    session: AsyncSession, child_id: UUID, member: NewFamilyMember, link: NewFamilyLink
) -> FamilyLink:
    """A new person, tied to a child. Raises Invalid as `check_link` does."""
    check_link(link, today_of(session))
    member_id = await new_family_member(session, member)
    return await tie_family_member(session, child_id, member_id, link)


async def tie_family_member(
    session: AsyncSession, child_id: UUID, member_id: UUID, link: NewFamilyLink
) -> FamilyLink:
    """Write the tie as it stands, for imports that know no basis; it does not count until one is.

    Children who share somebody become one sibling group.
    """
    made = new_link(child_id, member_id, link)
    session.add(made)
    await rewrite_access(session, child_id)
    await _group_siblings(session, child_id, member_id)
    return made


def new_link(child_id: UUID, member_id: UUID, link: NewFamilyLink) -> FamilyLink:
    """The tie as a row, for whoever rewrites access after many and groups no siblings."""
    return FamilyLink(
        child_id=child_id,
        family_member_id=member_id,
        relationship=link.relationship,
        parental_responsibility=link.parental_responsibility,
        basis=None if link.basis is None else link.basis.value,
        lives_with=link.lives_with,
        from_on=link.from_on,
        until_on=link.until_on,
    )


async def new_family_member(session: AsyncSession, member: NewFamilyMember) -> UUID:
    """A new person, not yet tied to any child; the id by which `tie_family_member` ties them."""
    made = FamilyMember(
        name=member.name,
        email=member.email,
        phone=member.phone,
        address=member.address,
        safe_contact=member.safe_contact,
        first_language=member.first_language,
        interpreter=member.interpreter,
    )
    session.add(made)
    await session.flush()
    return made.id


async def link_family_member(
    session: AsyncSession, child_id: UUID, family_member_id: UUID, link: NewFamilyLink
) -> FamilyLink:
    """Tie a person who is here already (a brother's mother) to another child.

    Raises NotFound for a person whom the viewer does not know of, Invalid for one who is tied to
    this child already or as `check_link` does.
    """
    check_link(link, today_of(session))
    known = await session.scalar(select(FamilyMember.id).where(FamilyMember.id == family_member_id))
    if known is None:
        raise NotFound("There is no such person that you can see.")
    tied = await session.scalar(
        select(FamilyLink.id).where(
            FamilyLink.child_id == child_id,
            FamilyLink.family_member_id == family_member_id,
            FamilyLink.until_on.is_(None),
        )
    )
    if tied is not None:
        raise Invalid.because("family_member", "They are on this child's list already")
    return await tie_family_member(session, child_id, family_member_id, link)


async def share_family(here: Access, there: Access) -> int:
    """Tie the people of one child, whom the viewer may see, to a brother or sister.

    Only those whose contact details the viewer may see as well: on the other record, which has
    restrictions of its own, they would be open. Returns how many were added. Parental
    responsibility is not copied: each child's is recorded with its own basis.
    """
    here.require_write()
    mine = select(FamilyLink.family_member_id).where(FamilyLink.child_id == here.child_id)
    who_wrote = aliased(Worker)
    theirs = await here.session.execute(
        select(FamilyLink, Worker.agency_id, who_wrote.agency_id)
        .outerjoin(Worker, Worker.id == FamilyLink.created_by)
        .join(FamilyMember, FamilyMember.id == FamilyLink.family_member_id)
        .outerjoin(who_wrote, who_wrote.id == FamilyMember.created_by)
        .where(
            FamilyLink.child_id == there.child_id,
            FamilyLink.until_on.is_(None),
            FamilyLink.family_member_id.not_in(mine),
        )
        .order_by(FamilyLink.id)
    )
    seen = [
        link
        for link, author, of_person in theirs.all()
        if there.may(Category.FAMILY, author) and there.may(Category.CONTACT, of_person)
    ]
    for link in seen:
        await tie_family_member(
            here.session,
            here.child_id,
            link.family_member_id,
            NewFamilyLink(link.relationship),
        )
    return len(seen)


async def _group_siblings(session: AsyncSession, child_id: UUID, member_id: UUID) -> None:
    child = await session.get(Child, child_id)
    others = await session.scalars(
        select(Child)
        .join(FamilyLink, FamilyLink.child_id == Child.id)
        .where(FamilyLink.family_member_id == member_id, Child.id != child_id)
    )
    siblings = list(others.unique())
    if child is None or not siblings:
        return
    group = next((one.sibling_group for one in siblings if one.sibling_group), None)
    group = group or child.sibling_group or new_id()
    old = {one.sibling_group for one in (child, *siblings)} - {None, group}
    joined: Iterable[Child] = (child, *siblings)
    if old:
        joined = (
            *joined,
            *await session.scalars(select(Child).where(Child.sibling_group.in_(old))),
        )
    for one in joined:
        one.sibling_group = group
    await session.flush()


@dataclass(frozen=True, slots=True)
class FamilyMemberDetails:
    """One person and their tie to this child, to be edited; "" where it may not be seen."""

    link_id: UUID
    link_version: int
    member_version: int
    may_see_contact: bool
    member: NewFamilyMember
    link: NewFamilyLink


async def family_member_details(access: Access, link_id: UUID) -> FamilyMemberDetails:
    """One person of this child's family. Raises NotFound, or NotAllowed where it is withheld."""
    link, member = await _tied(access, link_id)
    author = await author_agency(access.session, FamilyMember, member.id)
    if not access.may(Category.FAMILY, author):
        raise NotAllowed(str(access.withheld(Category.FAMILY) or "You cannot see the family."))
    sees_contact = access.may(Category.CONTACT, author)
    return FamilyMemberDetails(
        link.id,
        link.version,
        member.version,
        sees_contact,
        NewFamilyMember(
            name=member.name,
            email=member.email if sees_contact else "",
            phone=member.phone if sees_contact else "",
            address=member.address if sees_contact else "",
            safe_contact=member.safe_contact if sees_contact else "",
            first_language=member.first_language,
            interpreter=member.interpreter,
        ),
        NewFamilyLink(
            relationship=link.relationship,
            parental_responsibility=link.parental_responsibility,
            basis=None if link.basis is None else ParentalBasis(link.basis),
            lives_with=link.lives_with,
            from_on=link.from_on,
            until_on=link.until_on,
        ),
    )


async def change_family_member(
    access: Access,
    link_id: UUID,
    member: NewFamilyMember,
    link: NewFamilyLink,
    version: int,
) -> None:
    """Change a person and their tie to this child. `version` is that of tie and person together.

    Contact details that are withheld stay as they are. Raises Conflict with both texts, Invalid
    as `check_link` does.
    """
    access.require_write()
    read = await family_member_details(access, link_id)
    check_link(link, access.today)
    if version != read.link_version + read.member_version:
        raise Conflict(_clashes(read, member, link))
    stored, person = await _tied(access, link_id)
    stored.relationship = link.relationship
    stored.parental_responsibility = link.parental_responsibility
    stored.basis = None if link.basis is None else link.basis.value
    stored.from_on = link.from_on
    stored.until_on = link.until_on
    person.name = member.name
    person.first_language = member.first_language
    person.interpreter = member.interpreter
    if read.may_see_contact:
        await contact_changed(
            access.session,
            person.id,
            Contact(read.member.email, read.member.phone),
            Contact(member.email, member.phone),
        )
        stored.lives_with = link.lives_with
        if read.member.email not in ("", member.email):
            # Also where they are not invited yet: an invitation asks how old the address is.
            person.email_changed_at = access.at
        person.email = member.email
        person.phone = member.phone
        person.address = member.address
        person.safe_contact = member.safe_contact
    await rewrite_access(access.session, access.child_id)


def _clashes(
    read: FamilyMemberDetails, member: NewFamilyMember, link: NewFamilyLink
) -> tuple[Clash, ...]:
    def basis(of: NewFamilyLink) -> str:
        return "" if of.basis is None else BASIS_WORDS[of.basis]

    return clashes_between(
        (
            ("Name", member.name, read.member.name),
            ("Telephone", member.phone, read.member.phone),
            ("E-mail address", member.email, read.member.email),
            ("Address", member.address, read.member.address),
            ("How to reach them safely", member.safe_contact, read.member.safe_contact),
            ("Relationship to the child", link.relationship, read.link.relationship),
            ("Basis of parental responsibility", basis(link), basis(read.link)),
        )
    )


async def _tied(access: Access, link_id: UUID) -> tuple[FamilyLink, FamilyMember]:
    found = await access.session.execute(
        select(FamilyLink, FamilyMember)
        .join(FamilyMember, FamilyMember.id == FamilyLink.family_member_id)
        .where(FamilyLink.id == link_id, FamilyLink.child_id == access.child_id)
    )
    row = found.first()
    if row is None:
        raise NotFound(NOT_HERE)
    link, member = row
    await load_keys(access.session, {member.id})
    return link, member


@dataclass(frozen=True, slots=True)
class Sibling:
    """A child who shares a person of the family; who wrote that down, on either record."""

    child_id: UUID
    author_here: UUID | None
    author_there: UUID | None


async def siblings(session: AsyncSession, child_id: UUID) -> list[Sibling]:
    """The children who share somebody with this child, of those within reach.

    That they do is family information of both: show one only where both may be seen.
    """
    found = await session.execute(
        text(
            "SELECT DISTINCT s.child_id, h.agency_id, t.agency_id FROM family_link m"
            " JOIN family_link s ON s.family_member_id = m.family_member_id"
            " AND s.child_id <> m.child_id"
            " LEFT JOIN worker h ON h.id = m.created_by LEFT JOIN worker t ON t.id = s.created_by"
            " WHERE m.child_id = :child ORDER BY s.child_id"
        ),
        {"child": child_id},
    )
    return [Sibling(*row) for row in found]
