"""What an agency's pack would hold, told to who runs the panel without showing any of it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Decision, Purpose, Standpoint, Viewer, decide_from
from panel.panels.agenda import prepare, reason_of
from panel.panels.calendar import meeting_on, panel_by_key
from panel.panels.case import CATEGORY_TITLES
from panel.panels.models import Meeting, Panel
from panel.panels.pack_facts import CaseFacts, case_facts, in_the_pack, slots
from panel.panels.packs import SECTIONS, WHY_WORDS, PackAgency, PackMeeting, with_agencies
from panel.platform.tables import today_of
from panel.records.gate import Gate
from panel.register.service import header_from
from panel.sharing.shareable import PanelAgency, pack_standpoints


@dataclass(frozen=True, slots=True)
class PreviewPart:
    """One category of one child: how many entries the pack holds, or why it is withheld."""

    title: str
    goes: int
    withheld: str = ""


@dataclass(frozen=True, slots=True)
class PreviewItem:
    """One child, named as who looks may name them."""

    name: str
    starts: time
    why: str
    parts: tuple[PreviewPart, ...]

    @property
    def goes(self) -> int:
        """How many entries the pack holds of this child."""
        return sum(part.goes for part in self.parts)


@dataclass(frozen=True, slots=True)
class Preview:
    """What an agency's pack holds, or would hold if the agenda were frozen now."""

    meeting: PackMeeting
    agency: PackAgency
    is_frozen: bool
    items: tuple[PreviewItem, ...]


async def preview_pack(
    gate: Gate, panel_key: str, held_on: date, agency_key: str, viewer: Viewer
) -> Preview:
    """What goes into an agency's pack and what is withheld from it, in counts and reasons.

    No text of any child is shown, so that a coordinator learns through another agency's pack
    nothing that the gate does not show them; a child's name stands here only where they may see
    it. What is withheld in silence is not mentioned, as in the pack. The look is the
    coordinator's own, and is logged as such.
    """
    async with gate.tenant.transaction(viewer.id) as session:
        panel = await panel_by_key(session, panel_key)
        stored = await meeting_on(session, panel, held_on)
        meeting = await with_agencies(session, panel, stored)
        agency = meeting.agency(agency_key)
        places = await _places(session, panel, stored, meeting, viewer)
        opened = await gate.open_here(
            session, list(places), viewer, Purpose.PANEL, f"previewed the pack of {agency.name}"
        )
        today = today_of(session)
        cases = await case_facts(session, meeting.id, list(opened), today)
        points = await pack_standpoints(
            session, list(opened), PanelAgency(agency.id, agency.kind), viewer.id
        )
        known = {case.child_id: case for case in cases}
        items = [
            PreviewItem(
                _name(case, header_from(opened[child], case).name),
                starts,
                why,
                preview_parts(case, points[child], agency.name),
            )
            for child, (starts, why) in places.items()
            if (case := known.get(child)) is not None
        ]
    return Preview(meeting, agency, stored.frozen_at is not None, tuple(items))


async def _places(
    session: AsyncSession, panel: Panel, stored: Meeting, meeting: PackMeeting, viewer: Viewer
) -> dict[UUID, tuple[time, str]]:
    """Each child's time and why, in the order of the agenda: as frozen, else as prepared now."""
    if stored.frozen_at is None:
        prepared = await prepare(session, panel, stored, viewer.id)
        return {
            item.candidate.child_id: (item.starts_at, WHY_WORDS[reason_of(item.why).value])
            for item in prepared.agenda.items
        }
    items = await in_the_pack(session, meeting.id)
    begins = slots(items, meeting.starts)
    return {one.child_id: (begins[one.child_id], WHY_WORDS[one.why]) for one in items}


def _name(case: CaseFacts, name: str) -> str:
    return name if name == case.reference else f"{name} ({case.reference})"


def preview_parts(case: CaseFacts, standpoint: Standpoint, agency: str) -> tuple[PreviewPart, ...]:
    """Category by category: what an agency's pack holds of a child, and what it does not."""
    counted = Counter(
        category
        for category, author_agency, author_person in _entries(case)
        if decide_from(standpoint, category, author_agency, author_person).permitted
    )
    parts: list[PreviewPart] = []
    for category in SECTIONS:
        decision = decide_from(standpoint, category)
        withheld = _reason(decision, agency)
        if counted[category] or withheld:
            parts.append(PreviewPart(CATEGORY_TITLES[category], counted[category], withheld))
    return tuple(parts)


def _reason(decision: Decision, agency: str) -> str:
    if decision.permitted or decision.silent:
        return ""
    return decision.reasons[0].replace("your agency", agency)


def _entries(case: CaseFacts) -> Iterator[tuple[Category, UUID | None, UUID | None]]:
    """Every entry that a pack could hold: its category and authors."""
    yield Category.IDENTITY, None, None
    if case.address or case.postcode or case.phone:
        yield Category.CONTACT, None, None
    if case.referral is not None and case.referral.reason is not None:
        yield case.referral.category, case.referral.agency_id, None
    for said in case.words or ():
        yield Category.VIEWS, said.agency_id, said.person_id
    for group in (case.events, case.discussions, case.documents):
        for entry in group or ():
            yield entry.category, entry.agency_id, None
    for answer in case.answers or ():
        yield Category.PANEL, answer.agency_id, None
    for section in case.sections or ():
        yield section.category, section.agency_id, None
    for involved in case.involved or ():
        yield Category.NETWORK, involved.agency_id, None
    if case.plan_agency_id is not None:
        yield Category.PLAN, case.plan_agency_id, None
