"""Packs: what each member agency may see of the children on a settled agenda.

One reading serves the screen and the PDF. It is made anew each time, through the gate, as the
agency itself: a withdrawal works on the next look. Every text is decided on by its category and
its author; what is withheld is said, unless it is withheld in silence.
"""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Basis, Category, Purpose, Viewer
from panel.accounts.service import SignedIn, worker_names
from panel.assessments.service import AssessmentReading, SectionReading, assessment_for_reading
from panel.panels.calendar import load_calendar, panel_by_key, settings_of
from panel.panels.case import CATEGORY_TITLES
from panel.panels.models import Meeting, PackOpened, Panel
from panel.panels.pack_document import (
    PackAction,
    PackDocument,
    PackEntry,
    PackFact,
    PackInvolved,
    PackInvolvement,
    PackItem,
    PackOutcome,
    PackPlan,
    PackSection,
    PackWithheld,
    PackWords,
    pack_pdf,
)
from panel.panels.pack_facts import (
    CaseFacts,
    EntryFact,
    InvolvedFact,
    ReferralFact,
    agencies_named,
    case_facts,
    in_the_pack,
    slots,
)
from panel.panels.panel_settings import pack_days_at
from panel.panels.rules import Reason, pack_closes, why_as_frozen
from panel.plans.service import ActionReading, OutcomeReading, PlanReading, plan_for_reading
from panel.platform.clock import day_of
from panel.platform.ids import new_id
from panel.platform.pdf import PdfNotMade
from panel.platform.problems import NotAllowed, NotFound, Problem
from panel.platform.tables import NOW, today_of
from panel.platform.tenancy import load_keys
from panel.records.beside import BesideCase
from panel.records.gate import Access, Gate, Withheld
from panel.records.restricted_use import held_back_words
from panel.register.service import EVENT_KINDS, header_from
from panel.sharing.shareable import PanelAgency, kept_from_reader, pack_viewer
from panel.web.words import day, short_day, upper_first

ASK = "Ask the coordinator if you need it for this meeting."
WHY_WORDS = {
    "escalation": "Escalation",
    "new": "New",
    "transition": "Transition",
    "review_due": "Review due",
    "deferred": "Deferred",
}
SECTIONS = (
    Category.VIEWS,
    Category.HEALTH,
    Category.DEVELOPMENT,
    Category.EDUCATION,
    Category.SOCIAL_CARE,
    Category.FAMILY,
    Category.FINANCE,
    Category.PANEL,
    Category.SAFEGUARDING,
    Category.IDENTITY,
    Category.CONTACT,
    Category.NETWORK,
    Category.PLAN,
)
"""In which order a pack speaks of the categories."""
_ACTION_WORDS = {"to_do": "Not started", "doing": "Under way", "done": "Done", "dropped": "Dropped"}
_OUTCOME_WORDS = {"reached": "Reached", "stopped": "Stopped"}


@dataclass(frozen=True, slots=True)
class PackAgency:
    """A member agency: who its pack is for."""

    id: UUID
    key: str
    name: str
    kind: str

    @property
    def viewer(self) -> Viewer:
        """The agency as it looks at its pack."""
        return pack_viewer(PanelAgency(self.id, self.kind))


@dataclass(frozen=True, slots=True)
class PackMeeting:
    """A meeting as its packs need it: process facts."""

    id: UUID
    panel_id: UUID
    panel_key: str
    panel: str
    place: str
    day: date
    starts: time
    ends: time
    closes_on: date
    """The last day on which packs may be read."""
    agencies: tuple[PackAgency, ...]
    decides: bool = False
    """Whether the panel decides about services, so that requests are among its papers."""

    def agency(self, key: str) -> PackAgency:
        """The member agency of a key. Raises NotFound, naming those that there are."""
        found = next((one for one in self.agencies if one.key == key), None)
        if found is None:
            keys = ", ".join(one.key for one in self.agencies)
            raise NotFound(
                f"{key} is not a member agency of the {self.panel} on {day(self.day)}.",
                f"There are: {keys}." if keys else "Add the panel's member agencies first.",
            )
        return found


@dataclass(frozen=True, slots=True)
class PackOpening:
    """Who opened their agency's pack, and when first."""

    agency_id: UUID
    worker_id: UUID
    worker: str
    first_at: datetime


# Which pack, and for whom.

_MEMBERS = text(
    "SELECT g.id, g.key, g.name, g.kind FROM panel_agency m JOIN agency g ON g.id = m.agency_id"
    " WHERE m.panel_id = :panel AND (m.from_on IS NULL OR m.from_on <= :day)"
    " AND (m.until_on IS NULL OR m.until_on >= :day) ORDER BY g.name, g.id"
)
_MAY_OPEN = text(
    "SELECT 1 FROM worker_role WHERE worker_id = :worker AND panel_id = :panel"
    " AND role IN ('panel_member', 'coordinator', 'chair')"
    " AND (from_on IS NULL OR from_on <= :today) AND (until_on IS NULL OR until_on >= :today)"
)


async def pack_meeting(session: AsyncSession, panel_key: str, held_on: date) -> PackMeeting:
    """The meeting whose packs are out now.

    Raises NotFound for an unknown panel, Problem while the agenda is not settled and once the
    packs are closed.
    """
    panel = await panel_by_key(session, panel_key)
    meeting = await session.scalar(
        select(Meeting).where(
            Meeting.panel_id == panel.id, Meeting.held_on == held_on, Meeting.state != "cancelled"
        )
    )
    if meeting is None or meeting.frozen_at is None:
        raise Problem(
            409,
            "The agenda is not settled yet",
            f"Packs for the {panel.name} on {day(held_on)} are made when its agenda is frozen.",
            "Come back when the coordinator has frozen the agenda.",
        )
    found = await with_agencies(session, panel, meeting)
    now: datetime = session.info[NOW]
    if found.closes_on < day_of(now):
        raise Problem(
            410,
            "This pack is closed",
            f"Packs for the {panel.name} on {day(held_on)} could be read until"
            f" {day(found.closes_on)}.",
            "Ask the coordinator if you still need something from it.",
        )
    return found


async def with_agencies(session: AsyncSession, panel: Panel, meeting: Meeting) -> PackMeeting:
    """A meeting, settled or not, with the agencies that have a pack."""
    settings = settings_of(panel)
    made_at = meeting.frozen_at or session.info[NOW]
    open_for = await pack_days_at(session, panel, made_at)
    calendar = await load_calendar(session)
    agencies = await session.execute(_MEMBERS, {"panel": panel.id, "day": meeting.held_on})
    return PackMeeting(
        id=meeting.id,
        panel_id=panel.id,
        panel_key=panel.key,
        panel=panel.name,
        place=panel.place,
        day=meeting.held_on,
        starts=panel.starts_at,
        ends=_later(panel.starts_at, settings.capacity_minutes),
        closes_on=pack_closes(meeting.held_on, open_for, calendar),
        agencies=tuple(PackAgency(one.id, one.key, one.name, one.kind) for one in agencies),
        decides=panel.kind == "allocation",
    )


async def open_own_pack(
    gate: Gate, who: SignedIn, panel_key: str, held_on: date
) -> tuple[PackMeeting, PackAgency]:
    """A worker opens their agency's pack: whether they may, and the note that they did.

    Each child's access history gets the worker's look; reading the pack itself is the agency's.
    Raises NotAllowed for who does not sit on the panel for a member agency.
    """
    async with gate.tenant.transaction(who.viewer.id) as session:
        today = today_of(session)
        panel = await panel_by_key(session, panel_key)
        sits = await session.scalar(
            _MAY_OPEN, {"worker": who.viewer.id, "panel": panel.id, "today": today}
        )
        if sits is None:
            raise NotAllowed(
                f"Packs of the {panel.name} are for the people who sit on it.",
                "Ask the coordinator of the panel if you should be one of them.",
            )
        meeting = await pack_meeting(session, panel_key, held_on)
        agency = next((one for one in meeting.agencies if one.id == who.viewer.agency), None)
        if agency is None:
            raise NotAllowed(
                f"{who.agency_name} is not a member agency of the {panel.name}, so it has no pack.",
                "Ask the coordinator of the panel to make it one.",
            )
        items = await in_the_pack(session, meeting.id)
        await gate.open_here(
            session,
            [one.child_id for one in items],
            who.viewer,
            Purpose.PANEL,
            f"opened the pack of {agency.name}",
        )
        await session.execute(
            insert(PackOpened)
            .values(
                id=new_id(),
                meeting_id=meeting.id,
                agency_id=agency.id,
                worker_id=who.viewer.id,
                first_at=session.info[NOW],
                created_at=session.info[NOW],
                created_by=who.viewer.id,
                changed_at=session.info[NOW],
                changed_by=who.viewer.id,
                version=1,
            )
            .on_conflict_do_nothing()
        )
    return meeting, agency


async def packs_opened(session: AsyncSession, meeting_id: UUID) -> list[PackOpening]:
    """Who has opened their agency's pack for a meeting, the first first."""
    rows = list(
        await session.scalars(
            select(PackOpened)
            .where(PackOpened.meeting_id == meeting_id)
            .order_by(PackOpened.first_at, PackOpened.id)
        )
    )
    names = await worker_names(session, [row.worker_id for row in rows])
    return [
        PackOpening(row.agency_id, row.worker_id, names.get(row.worker_id, ""), row.first_at)
        for row in rows
    ]


# Reading.


async def read_pack(
    gate: Gate,
    meeting: PackMeeting,
    agency: PackAgency,
    reader: Viewer | None = None,
    beside: BesideCase | None = None,
) -> PackDocument:
    """The agency's pack as it stands now: decided, logged once a child, and read in one go.

    For a `reader`, without the children of whom something is kept from that worker by name.
    """
    async with gate.tenant.transaction(agency.id) as session:
        items = await in_the_pack(session, meeting.id)
        kept: frozenset[UUID] = frozenset()
        if reader is not None:
            kept = await kept_from_reader(
                session,
                [one.child_id for one in items],
                PanelAgency(agency.id, agency.kind),
                reader,
            )
        opened = await gate.open_here(
            session,
            [one.child_id for one in items if one.child_id not in kept],
            agency.viewer,
            Purpose.PANEL,
            f"made the pack of {agency.name}",
        )
        today = today_of(session)
        cases = await case_facts(session, meeting.id, list(opened), today)
        await load_keys(session, agencies_named(cases))
        begins = slots(items, meeting.starts)
        told = [
            item
            for case in cases
            if (access := opened.get(case.child_id)) is not None
            and (
                item := await read_item(
                    access,
                    case,
                    begins[case.child_id],
                    _sibling_note(case, cases, opened, begins),
                    await _papers(session, access, meeting, beside),
                )
            )
            is not None
        ]
    return PackDocument(
        authority=gate.tenant.record.label,
        panel=meeting.panel,
        agency=agency.name,
        day=meeting.day,
        starts=meeting.starts,
        ends=meeting.ends,
        place=meeting.place,
        items=tuple(told),
    )


async def _papers(
    session: AsyncSession, access: Access, meeting: PackMeeting, beside: BesideCase | None
) -> tuple[PackSection, ...]:
    """What a panel that decides has beside the case: the requests."""
    if beside is None or not meeting.decides:
        return ()
    found = await beside.papers(session, access.child_id, meeting.id, access)
    return tuple(
        PackSection(
            one.title,
            (PackEntry(one.withheld),)
            if one.withheld
            else tuple(PackEntry(said, heading=label) for label, said in one.lines),
        )
        for one in found
    )


async def pack_pdf_of(
    gate: Gate,
    meeting: PackMeeting,
    agency: PackAgency,
    reader: Viewer | None = None,
    beside: BesideCase | None = None,
) -> bytes:
    """The agency's pack as PDF/UA. Raises Problem with a sentence where it cannot be made."""
    document = await read_pack(gate, meeting, agency, reader, beside)
    try:
        return await asyncio.to_thread(pack_pdf, document, gate.tenant.clock.now())
    except PdfNotMade as error:
        raise Problem(
            503, "The PDF was not made", error.sentence, "Read the pack on screen, or try again."
        ) from error


async def write_pack_pdf(
    gate: Gate,
    panel_key: str,
    held_on: date,
    agency_key: str,
    beside: BesideCase | None = None,
) -> bytes:
    """The pack of an agency, by key, for the command line. Raises Problem with a sentence."""
    async with gate.tenant.transaction() as session:
        meeting = await pack_meeting(session, panel_key, held_on)
    return await pack_pdf_of(gate, meeting, meeting.agency(agency_key), beside=beside)


async def read_item(
    access: Access,
    case: CaseFacts,
    starts: time,
    sibling_note: str = "",
    papers: tuple[PackSection, ...] = (),
) -> PackItem | None:
    """One child as this viewer may see them; None where not even that may be said.

    Of a record whose use is restricted there is a sentence and the reference. The keys of the
    agencies whose workers are named must be at hand (`agencies_named`).
    """
    identity = access.decision(Category.IDENTITY)
    if identity.basis is Basis.USE_RESTRICTED and identity.since is not None:
        return _held_back(case, starts, held_back_words(identity.since))
    header = header_from(access, case)
    named = access.may(Category.IDENTITY)
    child = header.known_as or header.name.split()[0] if named else "this child"
    entries = _gathered(access, case, await assessment_for_reading(access))
    plan = _plan(access, await plan_for_reading(access), case.referral, child)
    involved = _involved(access, case, child)
    family = _family(access, case, child)
    elsewhere = {Category.VIEWS, Category.PLAN}
    if not isinstance(involved, PackInvolved):
        elsewhere.add(Category.NETWORK)
    sections = _sections(access, entries, child, elsewhere)
    if not (named or family or sections or plan or involved):
        return None
    return PackItem(
        name=header.name,
        age=header.age_words,
        starts=starts,
        minutes=case.minutes,
        why=WHY_WORDS[case.why],
        why_detail=_why_detail(access, case) if named else "",
        sibling_note=sibling_note,
        facts=_facts(access, case),
        family=family,
        sections=(*papers, *sections),
        plan=plan,
        involved=involved,
    )


def _held_back(case: CaseFacts, starts: time, why: str) -> PackItem:
    ask = "Ask the information governance lead when it may be talked about."
    return PackItem(
        name=case.reference,
        age="",
        starts=starts,
        minutes=case.minutes,
        why=WHY_WORDS[case.why],
        family=(PackWithheld("The whole record", why, ask),),
    )


def _later(at: time, minutes: int) -> time:
    whole = at.hour * 60 + at.minute + minutes
    return time(whole // 60 % 24, whole % 60)


def _why_detail(access: Access, case: CaseFacts) -> str:
    said: list[str] = []
    if case.since_on is not None:
        said.append(_beside_the_tag(Reason(case.why), case.since_on))
    coming = "" if case.referral is None else (case.referral.transition or "")
    if coming and case.why == "transition" and access.may(Category.PANEL):
        coming = coming.strip().rstrip(".")
        said.append(f"{upper_first(coming)}.")
    if case.urgent:
        said.append("Taken as urgent by the chair.")
    if case.late:
        said.append("Added after papers had closed.")
    return " ".join(said)


def _beside_the_tag(reason: Reason, since: date) -> str:
    """Why, as it stands beside a tag that has said the first word of it."""
    on = short_day(since)
    beside = {
        Reason.NEW: f"Referred on {on}.",
        Reason.TRANSITION: f"On {on}.",
        Reason.REVIEW_DUE: f"Promised by {on}.",
        Reason.ESCALATION: f"Since {on}.",
    }
    return beside.get(reason) or why_as_frozen(reason, since, ()).sentence


def _sibling_note(
    case: CaseFacts,
    cases: Sequence[CaseFacts],
    opened: dict[UUID, Access],
    begins: dict[UUID, time],
) -> str:
    """That a brother or sister has an item of their own, for who may know both families."""
    if case.sibling_group is None or not opened[case.child_id].may(Category.FAMILY):
        return ""
    others = [
        f"{begins[one.child_id]:%-H:%M}"
        for one in cases
        if one.sibling_group == case.sibling_group
        and one.child_id != case.child_id
        and opened[one.child_id].may(Category.FAMILY)
    ]
    if not others:
        return ""
    return f"A brother or sister has an item of their own, at {' and '.join(others)}."


def _opened(access: Access, sealed: str | None, field: str, row: UUID) -> str:
    """A text that was decided on already."""
    if sealed is None:
        return ""
    return access.keys.open(access.child_id, field, row, bytes.fromhex(sealed))


def _worker(access: Access, sealed: str | None, worker: UUID | None, agency: UUID | None) -> str:
    if sealed is None or worker is None or agency is None:
        return ""
    return access.keys.open(agency, "worker.name", worker, bytes.fromhex(sealed))


def _withheld(access: Access, category: Category, child: str) -> PackWithheld | None:
    """What to say where a category is withheld; None where it may be seen, or in silence."""
    withheld = access.withheld(category, child)
    if withheld is None or withheld.silent:
        return None
    return PackWithheld(CATEGORY_TITLES[category], withheld.sentence, ASK)


# Who the child is.


def _facts(access: Access, case: CaseFacts) -> tuple[PackFact, ...]:
    header = header_from(access, case)
    lead = case.lead
    lead_words = ""
    if lead is not None and access.may(Category.NETWORK, lead.agency_id):
        lead_words = f"{_worker(access, lead.name, lead.id, lead.agency_id)}, {lead.agency}"
    last = None if case.referral is None else case.referral.last_discussed_on
    told = [
        (Category.IDENTITY, "Reference", case.reference),
        (Category.IDENTITY, "Known as", header.known_as),
        (Category.IDENTITY, "Born", "" if header.born is None else short_day(header.born)),
        (Category.IDENTITY, "NHS number", header.nhs_number_words or ""),
        (Category.IDENTITY, "UPN", header.upn or ""),
        (Category.FAMILY, "First language", case.first_language or ""),
        (Category.FAMILY, "Interpreter", case.interpreter or ""),
        (Category.EDUCATION, "Nursery or school", case.school or ""),
    ]
    facts = [(label, value) for category, label, value in told if access.may(category)]
    if access.may(Category.HEALTH):
        facts.append(
            ("Disability", _opened(access, case.disability, "child.disability", case.child_id))
        )
    if access.may(Category.CONTACT):
        facts += [
            (label, _opened(access, sealed, f"child.{column}", case.child_id))
            for label, column, sealed in (
                ("Address", "address", case.address),
                ("Postcode", "postcode", case.postcode),
                ("Telephone", "phone", case.phone),
            )
        ]
    facts += [
        ("Lead professional", lead_words),
        ("Last discussed", "Not yet" if last is None else short_day(last)),
    ]
    return tuple(PackFact(label, value) for label, value in facts if value)


# The family's words.


def _family(access: Access, case: CaseFacts, child: str) -> tuple[PackWords | PackWithheld, ...]:
    said = case.words or ()
    latest = max((one.said_on for one in said), default=None)
    now = [one for one in said if one.for_this_meeting] or [
        one for one in said if one.said_on == latest
    ]
    words: list[PackWords | PackWithheld] = []
    for one in now:
        told = access.open_text(
            one.text, "family_words.text", one.id, Category.VIEWS, one.agency_id, one.person_id
        )
        if told:
            by = (one.relationship or "the family").strip()
            words.append(PackWords(told, upper_first(by), one.said_on))
    withheld = _withheld(access, Category.VIEWS, child)
    return tuple(words if withheld is None else (*words, withheld))


# The sections.


@dataclass(frozen=True, slots=True)
class _Found:
    category: Category
    entry: PackEntry


def _gathered(
    access: Access, case: CaseFacts, assessment: AssessmentReading | None
) -> dict[Category, list[PackEntry]]:
    found: dict[Category, list[PackEntry]] = {}
    for one in (
        *_referral_entries(access, case),
        *_event_entries(access, case),
        *_assessment_entries(assessment),
        *_discussion_entries(access, case),
        *_guest_entries(access, case),
        *_document_entries(access, case),
    ):
        found.setdefault(one.category, []).append(one.entry)
    return found


def _told(access: Access, one: EntryFact, field: str) -> str:
    return access.open_text(one.text, field, one.id, one.category, one.agency_id) or ""


def _referral_entries(access: Access, case: CaseFacts) -> Iterator[_Found]:
    referral = case.referral
    if referral is not None and access.may(referral.category, referral.agency_id):
        told = _opened(access, referral.reason, "referral.reason", referral.id)
        if told:
            yield _Found(
                referral.category,
                PackEntry(told, "Why referred", referral.agency, referral.referred_on),
            )
    if not access.may(Category.PANEL):
        return
    panel_words = [
        ("Why it is on this agenda", case.item_reason, "agenda_item.reason", case.item_id)
    ]
    if referral is not None:
        panel_words += [
            ("Why it cannot wait", referral.escalation, "referral.escalation", referral.id),
            ("Why it is urgent", referral.urgent_reason, "referral.urgent_reason", referral.id),
        ]
    for heading, sealed, field, row in panel_words:
        if told := _opened(access, sealed, field, row):
            yield _Found(Category.PANEL, PackEntry(told, heading))


def _event_entries(access: Access, case: CaseFacts) -> Iterator[_Found]:
    for one in case.events or ():
        if told := _told(access, one, "significant_event.text"):
            heading = f"{short_day(one.on)}: {EVENT_KINDS.get(one.kind, 'Event').lower()}"
            yield _Found(one.category, PackEntry(told, heading, one.agency))


def _discussion_entries(access: Access, case: CaseFacts) -> Iterator[_Found]:
    for one in case.discussions or ():
        if told := _told(access, one, "discussion.text"):
            heading = f"The panel on {short_day(one.on)}"
            yield _Found(one.category, PackEntry(told, heading, one.agency))


def _document_entries(access: Access, case: CaseFacts) -> Iterator[_Found]:
    for one in case.documents or ():
        if told := _told(access, one, "document.title"):
            source = "Ask them for it: a document is not printed in the pack."
            yield _Found(one.category, PackEntry(told, "Document", one.agency, one.on, source))


def _guest_entries(access: Access, case: CaseFacts) -> Iterator[_Found]:
    for one in case.answers or ():
        if not access.may(Category.PANEL, one.agency_id):
            continue
        asked = _opened(access, one.question, "guest_link.question", one.id)
        answer = _opened(access, one.answer, "guest_link.answer", one.id)
        name = _opened(access, one.name, "guest_link.name", one.id)
        by = ", ".join(part for part in (name, one.agency) if part)
        heading = f"Asked: {asked}" if asked else "Asked for this meeting"
        yield _Found(Category.PANEL, PackEntry(answer, heading, by, one.on))


def _assessment_entries(assessment: AssessmentReading | None) -> Iterator[_Found]:
    if assessment is None:
        return
    source = f"{assessment.title}, version {assessment.number}"
    for section in assessment.sections:
        if isinstance(section, Withheld):
            continue
        yield from _section_entries(section, assessment, source)


def _labelled(label: str, text: str) -> str:
    """A part of an answer after its label: "Name: Ada", "Do they agree? Yes"."""
    return f"{label} {text}" if label.endswith("?") else f"{label}: {text}"


def _section_entries(
    section: SectionReading, assessment: AssessmentReading, source: str
) -> Iterator[_Found]:
    last = len(section.entries) - 1
    for number, entry in enumerate(section.entries):
        rows = ["\n".join(_labelled(part.label, part.text) for part in row) for row in entry.rows]
        parts = [_labelled(part.label, part.text) for part in entry.parts]
        told = "\n\n".join(text for text in (entry.text, "\n".join(parts), *rows) if text)
        whose = f"\n{upper_first(entry.whose)}" if entry.whose else ""
        # Whose record it is stands once, under the last answer of the section.
        by = section.author_agency or assessment.author_agency
        signed = (by, section.said_on, source) if number == last else ("", None, "")
        yield _Found(section.category, PackEntry(f"{told}{whose}".strip(), entry.label, *signed))


def _sections(
    access: Access,
    entries: dict[Category, list[PackEntry]],
    child: str,
    elsewhere: Collection[Category],
) -> tuple[PackSection | PackWithheld, ...]:
    """What is known by category, and after it what is withheld, by category as well.

    What is withheld of the categories `elsewhere` is said in a place of their own.
    """
    shown: list[PackSection | PackWithheld] = []
    missing: list[PackWithheld] = []
    for category in SECTIONS:
        title = CATEGORY_TITLES[category]
        if found := entries.get(category):
            own = "" if access.may(category) else ": what your agency wrote"
            shown.append(PackSection(f"{title}{own}", tuple(found)))
        withheld = None if category in elsewhere else _withheld(access, category, child)
        if withheld is not None:
            missing.append(withheld)
    return (*shown, *missing)


# Who is involved, and the plan.


def _involved(access: Access, case: CaseFacts, child: str) -> PackInvolved | PackWithheld | None:
    rows = tuple(
        _involvement(access, one)
        for one in case.involved or ()
        if access.may(Category.NETWORK, one.agency_id)
    )
    return PackInvolved(rows) if rows else _withheld(access, Category.NETWORK, child)


def _involvement(access: Access, one: InvolvedFact) -> PackInvolvement:
    now = one.from_on is not None and one.from_on <= access.today
    return PackInvolvement(
        agency=f"{one.agency}: {one.part}" if one.part else one.agency,
        person=_worker(access, one.worker, one.worker_id, one.worker_agency_id),
        since=one.from_on if now else None,
        expected=None if now else one.from_on or one.expected_from_on,
    )


def _plan(
    access: Access,
    plan: PlanReading | Withheld | None,
    referral: ReferralFact | None,
    child: str,
) -> PackPlan | PackWithheld | None:
    if not isinstance(plan, PlanReading):
        return _withheld(access, Category.PLAN, child)
    outcomes = [
        _outcome(one, [act for act in plan.actions if act.outcome_id == one.id], access.today)
        for one in plan.outcomes
    ]
    known = {one.id for one in plan.outcomes}
    loose = [act for act in plan.actions if act.outcome_id not in known]
    if loose:
        actions = tuple(_action(act, access.today) for act in loose)
        outcomes.append(PackOutcome("Other actions", actions=actions))
    return PackPlan(
        outcomes=tuple(outcomes),
        summary=plan.summary,
        made_by=plan.author_agency,
        made_on=plan.agreed_on,
        review_on=None if referral is None else referral.next_review_by,
    )


def _outcome(one: OutcomeReading, actions: Sequence[ActionReading], today: date) -> PackOutcome:
    said: list[str] = []
    if one.state in _OUTCOME_WORDS:
        said.append(_OUTCOME_WORDS[one.state])
    if one.scores and one.target is not None:
        start = "" if one.baseline is None else f"from {one.baseline} "
        said.append(f"{start}to {one.scores[-1].value} of {one.target}".capitalize())
    notes = [each for each in one.progress if each.note]
    if notes:
        said.append(f"{short_day(notes[-1].on)}: {notes[-1].note}")
    return PackOutcome(
        outcome=one.text,
        how_we_know=one.measure,
        progress=". ".join(said),
        actions=tuple(_action(act, today) for act in actions),
    )


def _action(one: ActionReading, today: date) -> PackAction:
    late = one.state in ("to_do", "doing") and one.due_on is not None and one.due_on < today
    progress = "Late" if late else _ACTION_WORDS.get(one.state, "")
    note = f". {one.note}" if one.note else ""
    return PackAction(one.text, one.owner or "Nobody yet", one.due_on, f"{progress}{note}")
