"""Real input: people, register, caseload and areas, taken line by line and repeatable.

Each row has a savepoint of its own: a bad one is reported with its line and nothing else is lost.
Importing a file again adds nothing twice. Imports work as the viewer JOB, which is shown nothing.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Role
from panel.accounts.models import Agency, Worker, WorkerRole
from panel.accounts.service import (
    add_agency,
    add_worker,
    agency_by_key,
    give_role,
    worker_by_email,
)
from panel.platform.clock import today
from panel.platform.problems import Invalid
from panel.platform.tables import KEYS, HolderErased, today_of
from panel.platform.tenancy import Tenant, load_keys
from panel.records.child_scoped import JOB
from panel.records.csv_rows import RowProblem
from panel.register.areas import AreaRow, read_areas, write_area
from panel.register.children import (
    LABELS,
    NewChild,
    add_child,
    child_like,
    child_with_nhs_number,
    index_child,
)
from panel.register.csv_rows import (
    CaseloadRow,
    PersonRow,
    RegisterRow,
    read_caseload,
    read_people,
    read_register,
)
from panel.register.family import (
    NewFamilyLink,
    NewFamilyMember,
    new_family_member,
    tie_family_member,
)
from panel.register.history import judge_level
from panel.register.involvements import add_involvement, agency_is_involved
from panel.register.models import Child, FamilyLink, FamilyMember, LevelOfNeed
from panel.register.names import folded_words

ROWS_IN_A_TRANSACTION = 200

Progress = Callable[[int], None]
"""Told how many lines were dealt with so far."""


def no_progress(_lines: int) -> None:
    """For those who do not want to be told."""


class Taken(Enum):
    """What became of a row."""

    ADDED = "added"
    CHANGED = "changed"
    """It was here, and the row said more."""
    KNOWN = "known"


@dataclass(slots=True)
class ImportReport:
    """What an import did: counts, and what is wrong, line by line."""

    added: int = 0
    changed: int = 0
    known: int = 0
    problems: list[RowProblem] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows that were taken."""
        return self.added + self.changed + self.known

    def count(self, taken: Taken) -> None:
        """Count one row."""
        match taken:
            case Taken.ADDED:
                self.added += 1
            case Taken.CHANGED:
                self.changed += 1
            case Taken.KNOWN:
                self.known += 1


class _HasLine(Protocol):
    @property
    def line(self) -> int: ...


Row = TypeVar("Row", bound=_HasLine)
Say = Callable[[str | None, str], None]
"""Report something about a row that is taken all the same: (column, sentence)."""
Work = Callable[[AsyncSession, Row, Say], Awaitable[Taken]]


async def _take(
    tenant: Tenant,
    rows: Iterator[Row | RowProblem],
    work: Work[Row],
    progress: Progress,
) -> ImportReport:
    report = ImportReport()
    done = 0
    while batch := list(islice(rows, ROWS_IN_A_TRANSACTION)):
        async with tenant.transaction(JOB) as session:
            for row in batch:
                if isinstance(row, RowProblem):
                    report.problems.append(row)
                else:
                    await _take_row(tenant, session, row, work, report)
        done += len(batch)
        progress(done)
    return report


async def _take_row(
    tenant: Tenant, session: AsyncSession, row: Row, work: Work[Row], report: ImportReport
) -> None:
    said: list[RowProblem] = []

    def say(column: str | None, sentence: str) -> None:
        said.append(RowProblem(row.line, column, sentence))

    try:
        async with session.begin_nested():
            taken = await work(session, row, say)
    except Invalid as wrong:
        report.problems += [
            RowProblem(row.line, one.field or None, one.sentence.rstrip(".") + ".")
            for one in wrong.errors
        ]
    except HolderErased as erased:
        report.problems.append(RowProblem(row.line, None, str(erased)))
    except DBAPIError as refused:
        # The database's own text may hold what stands in the row: only its kind is told.
        kind = type(refused.orig).__name__
        report.problems.append(
            RowProblem(row.line, None, f"The database refused this row ({kind}). Check its cells.")
        )
    else:
        report.count(taken)
        report.problems += said
        return
    # A data key that was made for this row was rolled back with it; it must not seal the next.
    session.info[KEYS] = tenant.keys()


# --- People -----------------------------------------------------------------------------------

_OF_A_PANEL = frozenset({Role.COORDINATOR, Role.CHAIR, Role.PANEL_MEMBER})

JoinPanel = Callable[[AsyncSession, UUID, UUID], Awaitable[None]]
"""Make an agency a member of a panel (panel, agency), where it is not one yet."""


async def import_people(
    tenant: Tenant,
    source: BinaryIO,
    *,
    join_panel: JoinPanel | None = None,
    progress: Progress = no_progress,
) -> ImportReport:
    """Agencies and workers with their roles. Raises UnreadableCsv for a file that is no CSV."""

    async def work(session: AsyncSession, row: PersonRow, _say: Say) -> Taken:
        return await _person(session, row, join_panel)

    return await _take(tenant, read_people(source, today(tenant.clock)), work, progress)


async def _person(session: AsyncSession, row: PersonRow, join_panel: JoinPanel | None) -> Taken:
    panel_id = await _panel_of(session, row)
    agency = await agency_by_key(session, row.agency_key)
    taken = Taken.KNOWN
    if agency is None:
        taken = Taken.ADDED
        agency = await add_agency(
            session,
            key=row.agency_key,
            name=row.agency_name,
            kind=row.agency_kind,
            ods_code=row.ods_code,
        )
    elif agency.kind != row.agency_kind:
        raise Invalid.because(
            "agency_kind", f"This agency is here already as {agency.kind}. Use the same kind"
        )
    if panel_id is not None and join_panel is not None:
        await join_panel(session, panel_id, agency.id)
    if row.worker_name is None or row.worker_email is None:
        return taken
    return await _worker(session, row, agency, panel_id, taken)


async def _worker(
    session: AsyncSession, row: PersonRow, agency: Agency, panel_id: UUID | None, taken: Taken
) -> Taken:
    worker = await worker_by_email(session, row.worker_email or "")
    if worker is None:
        taken = Taken.ADDED
        worker = await add_worker(
            session, agency, name=row.worker_name or "", email=row.worker_email or ""
        )
    elif worker.agency_id != agency.id:
        raise Invalid.because(
            "worker_email", "Somebody at another agency has this address. Check which is right"
        )
    elif worker.until_on is not None:
        raise Invalid.because(
            "worker_email", "They left or are leaving. Whoever comes back is invited on a page"
        )
    for name in row.roles:
        role = Role(name)
        of_panel = panel_id if role in _OF_A_PANEL else None
        if not await _has_role(session, worker, role, of_panel):
            await give_role(session, worker, role, of_panel)
            taken = Taken.CHANGED if taken is Taken.KNOWN else taken
    return taken


async def _has_role(
    session: AsyncSession, worker: Worker, role: Role, panel_id: UUID | None
) -> bool:
    found = await session.scalar(
        select(WorkerRole.id)
        .where(
            WorkerRole.worker_id == worker.id,
            WorkerRole.role == role.value,
            WorkerRole.panel_id.is_(None) if panel_id is None else WorkerRole.panel_id == panel_id,
            WorkerRole.until_on.is_(None),
        )
        .limit(1)
    )
    return found is not None


async def _panel_of(session: AsyncSession, row: PersonRow) -> UUID | None:
    if row.panel is None:
        if of_a_panel := sorted(_OF_A_PANEL & {Role(name) for name in row.roles}):
            raise Invalid.because(
                "panel", f"Say of which panel they are {of_a_panel[0].replace('_', ' ')}"
            )
        return None
    found = await session.execute(text("SELECT id FROM panel WHERE key = :key"), {"key": row.panel})
    panel_id: UUID | None = found.scalar_one_or_none()
    if panel_id is None:
        raise Invalid.because("panel", "There is no such panel. Add it with: panel panels add")
    return panel_id


# --- Register ---------------------------------------------------------------------------------


async def import_register(
    tenant: Tenant, source: BinaryIO, *, progress: Progress = no_progress
) -> ImportReport:
    """Children with an agency and a contact. Raises UnreadableCsv for a file that is no CSV.

    A child is known again by NHS number, else by name, birth date and agency. What is recorded
    already is kept; empty cells change nothing.
    """
    return await _take(tenant, read_register(source, today(tenant.clock)), _registered, progress)


async def _registered(session: AsyncSession, row: RegisterRow, say: Say) -> Taken:
    agency = None
    if row.agency is not None:
        agency = await agency_by_key(session, row.agency)
        if agency is None:
            raise Invalid.because("agency", "There is no such agency. Import the people first")
    child = await _known_child(session, row, None if agency is None else agency.id)
    taken = Taken.KNOWN
    if child is None:
        taken = Taken.ADDED
        child = await add_child(
            session,
            _new_child(row),
            agency_id=None if agency is None else agency.id,
            from_on=today_of(session),
        )
    else:
        if await _fill_in(session, child, row, say):
            taken = Taken.CHANGED
        if agency is not None and not await agency_is_involved(session, child.id, agency.id):
            await add_involvement(session, child.id, agency_id=agency.id, from_on=today_of(session))
            taken = Taken.CHANGED
    if row.contact_name is not None and await _add_contact(session, child, row, say):
        taken = Taken.CHANGED if taken is Taken.KNOWN else taken
    return taken


def _new_child(row: RegisterRow) -> NewChild:
    return NewChild(
        given_name=row.given_name,
        family_name=row.family_name,
        birth_date=row.birth_date,
        sex=row.sex or "not_known",
        nhs_number=row.nhs_number or "",
        upn=row.upn or "",
        postcode=row.postcode or "",
        ward_code=row.ward_code,
        ethnicity=row.ethnicity,
        primary_need=row.primary_need,
    )


async def _known_child(
    session: AsyncSession, row: RegisterRow | CaseloadRow, agency_id: UUID | None
) -> Child | None:
    """The child of a row, known again. Raises Invalid where identifiers contradict each other."""
    if row.nhs_number is not None:
        found = await child_with_nhs_number(session, row.nhs_number)
        if found is not None:
            child = await _opened(session, found)
            if not _could_be(child, row):
                raise Invalid.because(
                    "nhs_number",
                    "This NHS number is recorded for a child with another name and date of birth."
                    " Check it",
                )
            return child
    found = await child_like(session, row.given_name, row.family_name, row.birth_date, agency_id)
    if found is None:
        return None
    child = await _opened(session, found)
    # Two NHS numbers are two children, whatever their names.
    if row.nhs_number and child.nhs_number and row.nhs_number != child.nhs_number:
        return None
    return child


async def _opened(session: AsyncSession, child_id: UUID) -> Child:
    child = await session.get_one(Child, child_id)
    await load_keys(session, {child_id})
    return child


def _could_be(child: Child, row: RegisterRow | CaseloadRow) -> bool:
    return child.birth_date == row.birth_date or bool(
        set(folded_words(child.given_name)) & set(folded_words(row.given_name))
    )


_FILLED = (
    "nhs_number", "upn", "sex", "postcode", "ward_code", "ethnicity", "primary_need",
)  # fmt: skip


async def _fill_in(session: AsyncSession, child: Child, row: RegisterRow, say: Say) -> bool:
    changed = False
    for name in _FILLED:
        brought, stored = getattr(row, name), getattr(child, name)
        if not brought or brought == stored:
            continue
        if not stored or stored == "not_known":
            setattr(child, name, brought)
            changed = True
        else:
            say(name, f"{LABELS[name]} is recorded differently; what is recorded was kept.")
    if changed:
        await session.flush()
        await index_child(session, child)
    return changed


async def _add_contact(session: AsyncSession, child: Child, row: RegisterRow, say: Say) -> bool:
    known = await session.scalars(
        select(FamilyMember)
        .join(FamilyLink, FamilyLink.family_member_id == FamilyMember.id)
        .where(FamilyLink.child_id == child.id)
    )
    members = known.all()
    await load_keys(session, {member.id for member in members})
    name = row.contact_name or ""
    if any(folded_words(member.name) == folded_words(name) for member in members):
        return False
    member_id = await new_family_member(session, NewFamilyMember(name))
    responsible = bool(row.contact_parental_responsibility)
    await tie_family_member(
        session,
        child.id,
        member_id,
        NewFamilyLink(row.contact_relationship or "contact", parental_responsibility=responsible),
    )
    if responsible:
        say(
            "contact_parental_responsibility",
            "Taken, but it does not count until its basis is recorded on the child’s page.",
        )
    return True


# --- Caseload ---------------------------------------------------------------------------------


class CaseloadWriter(Protocol):
    """What higher rooms write of a case that began before Panel (wired by the command line).

    Each says whether it wrote anything: a case that is there already is left as it is. Each may
    raise Invalid with the column that is wrong.
    """

    async def refer(
        self,
        session: AsyncSession,
        child_id: UUID,
        *,
        panel: str,
        referred_on: date,
        agency_id: UUID | None,
        reason: str,
    ) -> bool:
        """The child was put forward to the panel of this key."""
        ...

    async def assess(
        self,
        session: AsyncSession,
        child_id: UUID,
        *,
        signed_on: date,
        worker: Worker,
        document: tuple[str, bytes] | None,
    ) -> bool:
        """An assessment was signed off elsewhere; `document` is its file's name and bytes."""
        ...

    async def plan(
        self,
        session: AsyncSession,
        child_id: UUID,
        *,
        agreed_on: date,
        summary: str,
        outcomes: tuple[str, ...],
        worker: Worker | None,
    ) -> bool:
        """A plan was agreed, with these desired outcomes."""
        ...

    async def lead(
        self, session: AsyncSession, child_id: UUID, *, worker: Worker, since: date
    ) -> bool:
        """Somebody is lead professional."""
        ...

    async def discuss(
        self,
        session: AsyncSession,
        child_id: UUID,
        *,
        panel: str,
        last_discussed_on: date,
        next_review_by: date | None,
    ) -> bool:
        """The panel talked about the child."""
        ...


async def import_caseload(
    tenant: Tenant,
    source: BinaryIO,
    folder: Path,
    writer: CaseloadWriter,
    *,
    progress: Progress = no_progress,
) -> ImportReport:
    """Cases that began before Panel. `folder` is where the file is: documents lie below it.

    Raises UnreadableCsv for a file that is no CSV.
    """

    async def work(session: AsyncSession, row: CaseloadRow, _say: Say) -> Taken:
        return await _case(session, row, folder, writer)

    return await _take(tenant, read_caseload(source, today(tenant.clock)), work, progress)


async def _case(
    session: AsyncSession, row: CaseloadRow, folder: Path, writer: CaseloadWriter
) -> Taken:
    child = await _known_child(session, row, None)
    if child is None:
        raise Invalid.because(
            "nhs_number",
            "No child, or more than one, has this name and date of birth. Import the register"
            " first, or give the NHS number",
        )
    agency_id = await _referring_agency(session, row)
    assessor = await _worker_named(session, row.assessment_by_email, "assessment_by_email")
    lead = await _worker_named(session, row.lead_professional_email, "lead_professional_email")
    document = None if row.assessment_document is None else _document(folder, row)
    wrote = await writer.refer(
        session,
        child.id,
        panel=row.panel,
        referred_on=row.referred_on,
        agency_id=agency_id or (None if lead is None else lead.agency_id),
        reason=row.referral_reason or "",
    )
    if row.assessment_signed_on is not None and assessor is not None:
        wrote |= await writer.assess(
            session,
            child.id,
            signed_on=row.assessment_signed_on,
            worker=assessor,
            document=document,
        )
    if lead is not None:
        since = row.lead_since or row.plan_agreed_on or row.referred_on
        wrote |= await writer.lead(session, child.id, worker=lead, since=since)
    if row.plan_agreed_on is not None:
        wrote |= await writer.plan(
            session,
            child.id,
            agreed_on=row.plan_agreed_on,
            summary=row.plan_summary or "",
            outcomes=row.plan_outcomes,
            worker=lead or assessor,
        )
    if row.last_discussed_on is not None:
        wrote |= await writer.discuss(
            session,
            child.id,
            panel=row.panel,
            last_discussed_on=row.last_discussed_on,
            next_review_by=row.next_review_by,
        )
    wrote |= await _level(session, child.id, row, assessor or lead)
    return Taken.ADDED if wrote else Taken.KNOWN


async def _referring_agency(session: AsyncSession, row: CaseloadRow) -> UUID | None:
    if row.referred_by_agency is None:
        return None
    agency = await agency_by_key(session, row.referred_by_agency)
    if agency is None:
        raise Invalid.because("referred_by_agency", "There is no such agency")
    return agency.id


async def _worker_named(session: AsyncSession, address: str | None, column: str) -> Worker | None:
    if address is None:
        return None
    worker = await worker_by_email(session, address)
    if worker is None:
        raise Invalid.because(column, "Nobody has this e-mail address. Import the people first")
    return worker


def _document(folder: Path, row: CaseloadRow) -> tuple[str, bytes]:
    relative = PurePosixPath(row.assessment_document or "")
    path = (folder / relative).resolve()
    # A link in the folder must not lead out of it.
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise Invalid.because(
            "assessment_document", "There is no such file beside this CSV file. Check its name"
        )
    return relative.name, path.read_bytes()


async def _level(
    session: AsyncSession, child_id: UUID, row: CaseloadRow, worker: Worker | None
) -> bool:
    if row.level_of_need is None:
        return False
    if worker is None:
        raise Invalid.because(
            "level_of_need", "A level of need has an author: name the assessor or the lead"
        )
    judged_on = row.assessment_signed_on or row.last_discussed_on or row.referred_on
    known = await session.scalar(
        select(LevelOfNeed.id).where(
            LevelOfNeed.child_id == child_id,
            LevelOfNeed.level == row.level_of_need,
            LevelOfNeed.judged_on == judged_on,
        )
    )
    if known is not None:
        return False
    await judge_level(
        session, child_id, level=row.level_of_need, judged_on=judged_on, judged_by=worker.id
    )
    return True


# --- Areas ------------------------------------------------------------------------------------


async def import_areas(
    tenant: Tenant, source: BinaryIO, *, progress: Progress = no_progress
) -> ImportReport:
    """Wards or other areas with their boundaries. Raises UnreadableAreas for no GeoJSON.

    A line is the number of the feature in the file.
    """

    async def work(session: AsyncSession, row: AreaRow, _say: Say) -> Taken:
        return Taken(await write_area(session, row))

    return await _take(tenant, iter(read_areas(source)), work, progress)
