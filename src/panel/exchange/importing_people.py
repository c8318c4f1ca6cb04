"""The child, the family and the team, and what the family agreed to."""

from datetime import date
from typing import cast
from uuid import UUID

from sqlalchemy import or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Purpose, RestrictionKind
from interop.messages import Agreement, Alert, Carer, Need, Team, TeamMember
from interop.nhs_number import is_possible
from panel.exchange.importing_child import NOT_HERE, Bringing
from panel.exchange.importing_file import ChildFound, Found
from panel.exchange.importing_report import Tally
from panel.plans.lead_days import HELD
from panel.plans.models import LeadProfessional
from panel.platform.tables import VIEWER, today_of
from panel.platform.tenancy import load_keys
from panel.register import models
from panel.register.children import (
    SAME_NHS_NUMBER,
    NewChild,
    add_child,
    duplicates_in_reach,
)
from panel.register.family import (
    NewFamilyLink,
    NewFamilyMember,
    new_family_member,
    tie_family_member,
)
from panel.register.models import Involvement
from panel.sharing.models import SharingAgreement, SharingRestriction

_NO_BASIS = (
    "Parental responsibility comes without its basis: it does not count until that is recorded."
)
_PROTECTED = (
    "The record came labelled as protected, without saying from whom: contact details are withheld"
    " from everybody until somebody records that here."
)


# The child ----------------------------------------------------------------------------------------


def new_child(found: ChildFound) -> NewChild:
    """The child's own row as far as it is told: also the main need and the disability."""
    told = found.patient.message
    need = _need(found)
    number = told.nhs_number or ""
    return NewChild(
        given_name=told.given_name,
        family_name=told.family_name,
        birth_date=told.birth_date,
        known_as=told.known_as or "",
        sex=told.sex,
        nhs_number=number if is_possible(number) else "",
        upn=told.upn or "",
        address=told.address or "",
        postcode=told.postcode or "",
        phone=told.phone or "",
        ethnicity=told.ethnicity,
        primary_need=None if need is None else need.message.code,
        first_language=told.first_language,
        interpreter=told.interpreter,
        disability="" if need is None else need.message.text or "",
    )


def _need(found: ChildFound) -> Found[Need] | None:
    """The one need that a child's row holds: the first in Panel's own words."""
    return next(
        (one for one in found.of("Condition", Need) if one.message.code or one.message.text), None
    )


async def here_already(session: AsyncSession, new: NewChild) -> models.Child | None:
    """The child who is here: of this NHS number, or of this name and birth date.

    Two different NHS numbers are two children, whatever their names.
    """
    for one in await duplicates_in_reach(session, new):
        child = await session.get_one(models.Child, one.child_id)
        await load_keys(session, {child.id})
        if (
            one.reason == SAME_NHS_NUMBER
            or not (new.nhs_number and child.nhs_number)
            or new.nhs_number == child.nhs_number
        ):
            return child
    return None


async def open_child(session: AsyncSession, found: ChildFound, tally: Tally) -> models.Child:
    """A new record, with what the Patient, the Condition and the Flag say of the child's own row.

    One that is labelled as protected opens with nobody seeing where the child lives.
    """
    new, told = new_child(found), found.patient.message
    child = await add_child(session, new, agency_id=None)
    child.nhs_number_verified = told.nhs_number_verified and bool(new.nhs_number)
    if told.restricted:
        session.add(
            SharingRestriction(
                child_id=child.id,
                kind=RestrictionKind.PROTECTION.value,
                categories=[Category.CONTACT.value],
                against=[],
                from_on=today_of(session),
                by_words="whoever the record came from",
                reason=_PROTECTED,
            )
        )
    await session.flush()
    tally.brought["Patient"] += 1
    return child


def own_row(bringing: Bringing) -> None:
    """Say what became of what went into the child's own row."""
    found, told = bringing.found, bringing.found.patient
    if told.message.nhs_number and not is_possible(told.message.nhs_number):
        bringing.said(told, "It was taken without the NHS number, which cannot be one.")
    if told.message.restricted:
        bringing.said(told, _PROTECTED)
    taken = _need(found)
    for need in found.of("Condition", Need):
        if taken is None or need.id != taken.id:
            bringing.left_out("Condition", need, "A child's record here holds one main need.")
            continue
        bringing.came("Condition", need, bringing.child_id)
        bringing.tally.unmapped.update(
            f"Condition.{name}"
            for name in ("snomed", "is_diagnosis", "recorded_on")
            if getattr(need.message, name)
        )
    for flag in found.of("Flag", Alert):
        if flag.message.code == "interpreter" and told.message.interpreter:
            bringing.came("Flag", flag, bringing.child_id)
        else:
            bringing.tally.left["Flag"] += 1


# The family ---------------------------------------------------------------------------------------


async def bring_family(bringing: Bringing) -> None:
    """Each of the family with their tie, in the order in which the team names them."""
    named = {
        carer: place
        for team in bringing.found.of("CareTeam", Team)
        for place, carer in enumerate(team.message.carers)
    }
    carers = bringing.found.of("RelatedPerson", Carer)
    for one in sorted(carers, key=lambda each: named.get(each.id, len(named))):
        told = one.message
        member = await new_family_member(
            bringing.session,
            NewFamilyMember(
                name=told.name,
                email=told.email or "",
                phone=told.phone or "",
                address=told.address or "",
                first_language=told.first_language,
                interpreter=told.interpreter,
            ),
        )
        link = await tie_family_member(
            bringing.session,
            bringing.child_id,
            member,
            NewFamilyLink(
                told.relationship,
                parental_responsibility=told.parental_responsibility,
                lives_with=told.lives_with,
                from_on=told.from_on,
                until_on=told.until_on,
            ),
        )
        bringing.members[one.id] = member
        bringing.came("RelatedPerson", one, link.id)
        if told.parental_responsibility:
            bringing.said(one, _NO_BASIS)


# The team -----------------------------------------------------------------------------------------


async def bring_team(bringing: Bringing) -> None:
    """Who is or was involved, and who held the plan."""
    for team in bringing.found.of("CareTeam", Team):
        for part in team.message.members:
            await _part(bringing, team, part)
        bringing.came("CareTeam", team, bringing.child_id)


async def _part(bringing: Bringing, team: Found[Team], part: TeamMember) -> None:
    agency = await bringing.places.agency(part.agency)
    worker = await bringing.places.worker(part.worker)
    if agency is None or part.from_on is None:
        bringing.said(team, "A part in the team without an agency or a first day was left out.")
        return
    if part.is_lead and worker is None:
        bringing.said(team, "A lead professional whom the file does not hold was left out.")
    elif part.is_lead and worker is not None:
        await _lead(bringing, team, part, agency, worker)
    else:
        bringing.wanted(team, part.worker, worker, "somebody in the team")
        bringing.session.add(
            Involvement(
                child_id=bringing.child_id,
                agency_id=agency,
                worker_id=worker,
                part=part.part,
                from_on=part.from_on,
                until_on=part.until_on,
            )
        )
        await bringing.session.flush()


async def _lead(
    bringing: Bringing, team: Found[Team], part: TeamMember, agency: UUID, worker: UUID
) -> None:
    session = bringing.session
    from_on = cast("date", part.from_on)
    holds = await session.scalar(
        select(LeadProfessional.id)
        .where(
            LeadProfessional.child_id == bringing.child_id,
            LeadProfessional.role == "main",
            LeadProfessional.state.in_(HELD),
            or_(LeadProfessional.until_on.is_(None), LeadProfessional.until_on > from_on),
            true() if part.until_on is None else LeadProfessional.from_on < part.until_on,
        )
        .limit(1)
    )
    if holds is not None:
        bringing.said(team, "A second lead professional at the same time was left out.")
        return
    session.add(
        LeadProfessional(
            child_id=bringing.child_id,
            worker_id=worker,
            agency_id=agency,
            state="accepted" if part.until_on is None else "ended",
            offered_on=from_on,
            offered_by=session.info[VIEWER],
            from_on=from_on,
            until_on=part.until_on,
        )
    )
    await session.flush()


# What was agreed ----------------------------------------------------------------------------------


async def bring_agreements(bringing: Bringing) -> None:
    """Agreements and refusals, with all that they cover by name and nothing more."""
    for one in bringing.found.of("Consent", Agreement):
        told = one.message
        agencies = [await bringing.places.agency(each) for each in told.agencies]
        others = [await bringing.places.agency(each) for each in told.not_agencies]
        by = bringing.person(told.by)
        here = [each for each in agencies if each is not None]
        if by is None or None in others or (None in agencies if not told.given else not here):
            bringing.left_out("Consent", one, NOT_HERE.format(what="somebody or an agency"))
            continue
        if len(here) < len(agencies):
            bringing.said(one, "It was taken without an agency that is not in this file.")
        purposes = [each for each in told.purposes if each in set(Purpose)]
        if len(purposes) < len(told.purposes):
            bringing.said(one, "It names a purpose that there is not here.")
        row = SharingAgreement(
            child_id=bringing.child_id,
            given=told.given,
            by_person_id=by,
            capacity="own" if told.by is None else "parental_responsibility",
            by_words=told.by_words,
            agencies=sorted(here),
            not_agencies=sorted(each for each in others if each is not None),
            named=bringing.categories(one, told.categories),
            purposes=purposes,
            from_on=told.from_on,
            until_on=told.until_on,
            withdrawn_at=told.withdrawn_at,
        )
        await bringing.keep("Consent", one, row)
