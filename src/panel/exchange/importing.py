"""A record that another Panel exported, brought in as this authority's own.

Each child in one transaction: all that can be of them, or nothing. Who is here already is left as
they are, so the same file brings nothing twice. Nobody's agreement is widened, and what the file
does not say of who may see it is told to the fewest.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from interop.incoming import Problem
from panel.exchange import importing_meetings as meetings
from panel.exchange import importing_people as people
from panel.exchange import importing_work as work
from panel.exchange.importing_child import Bringing, agencies_named
from panel.exchange.importing_file import ChildFound, RecordsFile, read_file
from panel.exchange.importing_places import PanelTold, Places, panels_of
from panel.exchange.importing_report import ChildTold, ImportedRecords, Tally
from panel.platform.problems import Invalid
from panel.platform.problems import Problem as Refused
from panel.platform.tables import NOW, HolderErased
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import rewrite_access
from panel.register.children import NewChild, child_of_reference

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('bring records in', 0))")
_UNKNOWABLE = "Neither an NHS number nor a date of birth is told: nobody would know them again."
_STEPS: tuple[Callable[[Bringing], Awaitable[None]], ...] = (
    people.bring_family,
    people.bring_team,
    people.bring_agreements,
    work.bring_episodes,
    work.bring_answers,
    work.bring_plans,
    work.bring_requests,
    meetings.bring_sittings,
    meetings.bring_notes,
)
"""In this order: later ones refer to what earlier ones brought."""


async def bring_in(tenant: Tenant, body: bytes) -> ImportedRecords:
    """Bring in the children of a file. Raises `UnreadableRecords` where nothing can be read."""
    file = read_file(body)
    whole = Tally(left=file.left, unmapped=file.unmapped, problems=file.problems)
    panels = panels_of(file, tenant.clock.now())
    children: list[ChildTold] = []
    for found in file.children:
        tally = Tally()
        told = await _one(tenant, file, panels, found, tally)
        children.append(told)
        if told.outcome == "brought":
            whole.add(tally)
    if not file.children:
        whole.problems.append(Problem("", "This file holds no Patient."))
    return whole.report(children)


async def _one(
    tenant: Tenant,
    file: RecordsFile,
    panels: dict[str, PanelTold],
    found: ChildFound,
    tally: Tally,
) -> ChildTold:
    """One child in one transaction; what it is refused for undoes all of it."""
    path = found.patient.path
    if found.why_not:
        return ChildTold(path=path, outcome="not_brought", why=found.why_not)
    try:
        async with tenant.transaction(JOB) as session:
            return await _opened(found, Places(session, file, panels, tally))
    except Invalid as wrong:
        why = " ".join(one.sentence.rstrip(".") + "." for one in wrong.errors)
    except Refused as wrong:
        why = wrong.sentence
    except HolderErased as erased:
        why = str(erased)
    except DBAPIError as refused:
        # The database's own text may hold what the file says: only its kind is told.
        why = f"The database refused this record ({type(refused.orig).__name__})."
    return ChildTold(path=path, outcome="not_brought", why=why)


def _why_not(new: NewChild) -> str:
    if not new.given_name and not new.family_name:
        return "This child has no name."
    # The same file again would bring them again.
    return "" if new.nhs_number or new.birth_date is not None else _UNKNOWABLE


async def bring_one(session: AsyncSession, file: RecordsFile) -> UUID:
    """Bring in the one child of a file within a transaction of scheduled work; the child's id.

    One who is here already stays as they are, and is told of. Raises Invalid where the child cannot
    be brought in; then the caller undoes all of it.
    """
    [found] = file.children
    if found.why_not:
        raise Invalid.because("answer", found.why_not)
    panels = panels_of(file, session.info[NOW])
    told = await _opened(found, Places(session, file, panels, Tally()))
    child_id = await child_of_reference(session, told.reference) if told.reference else None
    if child_id is None:
        raise Invalid.because("answer", told.why)
    return child_id


async def _opened(found: ChildFound, places: Places) -> ChildTold:
    session, path, new = places.session, found.patient.path, people.new_child(found)
    await session.execute(_ONE_AT_A_TIME)
    known = await people.here_already(session, new)
    if known is not None:
        return ChildTold(path=path, outcome="here_already", reference=known.reference)
    why_not = _why_not(new)
    if why_not:
        return ChildTold(path=path, outcome="not_brought", why=why_not)
    child = await people.open_child(session, found, places.tally)
    bringing = Bringing(session, found, child.id, places, places.tally)
    # In the order of their ids, which is that in which they were first written down.
    for agency in agencies_named(found, places):
        await places.agency(agency)
    people.own_row(bringing)
    for step in _STEPS:
        await step(bringing)
    await rewrite_access(session, child.id)
    return ChildTold(path=path, outcome="brought", reference=child.reference)
