"""What a meeting asks of people: actions in one line, and who needs to know, now or later."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text

from consent import Category, decide_from
from panel.accounts.models import Agency
from panel.accounts.service import agencies
from panel.panels.attendance import Table
from panel.panels.holding import AtItem, contribute
from panel.panels.meeting_rules import (
    Heading,
    Suggested,
    action_due_mistake,
    owner_named,
)
from panel.panels.shared_view import SharedView
from panel.plans.service import ActionWords, ask_for_action
from panel.platform.ids import new_id
from panel.platform.problems import Invalid
from panel.records.gate import Access
from panel.register.service import (
    add_involvement,
    end_involvement,
    has_a_part,
    is_refused_the_name,
    people_of,
)
from panel.sharing.service import ask_for_agency
from panel.sharing.shareable import PanelAgency, pack_standpoints
from panel.web.words import short_day

ACTION_PART = "action from the panel"
NEEDED = "The panel said that this agency needs to know."
TO_SEE = (Category.IDENTITY, Category.NETWORK, Category.PLAN)
"""What an agency that has a part is offered first: basic information without the address."""


async def suggestions(table: Table, view: SharedView) -> list[Suggested]:
    """Who can be asked: people of this panel, and workers involved whom all here may know of."""
    found = {
        one.id: Suggested(one.id, one.name, one.agency)
        for one in table.people
        if not one.is_substitute
    }
    if view.may(Category.NETWORK):
        people = await people_of(view.access)
        for part in people.agencies:
            if part.worker_id is not None and part.worker_name:
                found.setdefault(
                    part.worker_id, Suggested(part.worker_id, part.worker_name, part.agency_name)
                )
    return sorted(found.values(), key=lambda one: one.label)


async def add_action_of_meeting(at: AtItem, *, who: str, what: str, due_on: date) -> None:
    """Ask somebody to do something by a day: a worker, or anybody in words ("Mum").

    A worker who has no part in the child's life yet gets one with it, or could not find the
    action again. Raises Invalid, with a sentence about the field.
    """
    if mistake := action_due_mistake(due_on, at.meeting.held_on):
        raise Invalid.because("due_on", mistake)
    try:
        owner = owner_named(who, await suggestions(at.table, at.view))
    except ValueError as error:
        raise Invalid.because("who", str(error)) from error
    words = ActionWords(what, owner_words=who.strip(), due_on=due_on)
    if owner is not None:
        await bring_in(at.access, at.table, owner.worker_id, "who")
        words = ActionWords(what, owner_worker_id=owner.worker_id, due_on=due_on)
    await ask_for_action(at.access, at.meeting.id, words)


async def bring_in(access: Access, table: Table, worker_id: UUID, field: str) -> None:
    """A worker of the table who has no part in the child's life yet gets one with an action.

    Raises Invalid about `field` where the family said no to their agency.
    """
    person = table.person(worker_id)
    if person is None or person.runs:
        return
    session, child, today = access.session, access.child_id, access.today
    if await has_a_part(session, child, person.agency_id, today, worker_id):
        return
    if await is_refused_the_name(session, child, person.agency_id, today):
        raise Invalid.because(
            field,
            f"The family said no to sharing with {person.agency}, so nobody there can be asked."
            " Choose somebody else",
        )
    await add_involvement(
        session,
        child,
        agency_id=person.agency_id,
        worker_id=worker_id,
        part=ACTION_PART,
        from_on=today,
    )


_LEFT_TO_DO = """
SELECT EXISTS (SELECT 1 FROM action x WHERE x.child_id = :child AND x.owner_worker_id = :worker
  AND x.state IN ('to_do', 'doing'))
"""
_PARTS = """
SELECT i.id, i.version FROM involvement i WHERE i.child_id = :child AND i.worker_id = :worker
  AND i.part = :part AND i.until_on IS NULL ORDER BY i.id
"""


async def end_part_of_action(access: Access, worker_id: UUID) -> None:
    """Whoever was brought in for an action alone, and has none left here, has no part from today.

    The day is included: whoever has the record open is not cut off in the middle.
    """
    session, given = access.session, {"child": access.child_id, "worker": worker_id}
    if (await session.execute(text(_LEFT_TO_DO), given)).scalar_one():
        return
    for part in (await session.execute(text(_PARTS), given | {"part": ACTION_PART})).all():
        await end_involvement(session, access.child_id, part.id, access.today, part.version)


@dataclass(frozen=True, slots=True)
class NeedsToKnow:
    """An agency that needs to know: which, what for, and from when (None: from now)."""

    agency_id: UUID
    part: str
    from_on: date | None


async def involve(at: AtItem, needs: NeedsToKnow) -> None:
    """An agency has a part in the child's life from now or is expected from a day.

    Where it may not see the basics of the record yet, that is asked for: the family decides.
    Raises Invalid.
    """
    agency = next((one for one in await agencies(at.session) if one.id == needs.agency_id), None)
    if agency is None:
        raise Invalid.because("agency", "Choose an agency from the list")
    child, today = at.access.child_id, at.access.today
    if await has_a_part(at.session, child, agency.id, today):
        raise Invalid.because("agency", f"{agency.name} is involved or expected already")
    later = needs.from_on if needs.from_on is not None and needs.from_on > today else None
    if needs.from_on is not None and needs.from_on < at.meeting.held_on:
        said = f"From which day must be {short_day(at.meeting.held_on)} or later"
        raise Invalid.because("from_on", said)
    await add_involvement(
        at.session,
        child,
        agency_id=agency.id,
        part=needs.part,
        from_on=None if later else today,
        expected_from_on=later,
    )
    asked = await _ask_to_share(at, agency)
    when = f"from {short_day(later)}" if later else "from now"
    part = f" ({needs.part})" if needs.part else ""
    then = " The family is to be asked whether it may see the record." if asked else ""
    await contribute(
        at,
        text=f"{agency.name}{part}: {when}.{then}",
        heading=Heading.NEEDS_TO_KNOW,
        category=Category.NETWORK,
        for_family=True,
        client_id=new_id(),
    )


async def _ask_to_share(at: AtItem, agency: Agency) -> bool:
    child = at.access.child_id
    points = await pack_standpoints(
        at.session, [child], PanelAgency(agency.id, agency.kind), at.access.viewer.id
    )
    point = points.get(child)
    if point is None:
        return False
    decisions = [(one, decide_from(point, one)) for one in TO_SEE]
    asked = [one for one, found in decisions if not found.permitted and not found.silent]
    await ask_for_agency(at.access, agency.id, asked, NEEDED)
    return bool(asked)
