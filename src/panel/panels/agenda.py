"""The agenda of a meeting: who is on it and why, who is not ready, who waits for the next.

Preparing reads process facts only (dates, states, references): no child's content, so the same
work can be done by a job. It changes nothing and gives the same answer each time. What a person
arranged, took off or froze (settle.py) is part of the answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import cast
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from panel.panels.calendar import Rhythm, panel_rhythm, settings_of
from panel.panels.models import Meeting, Panel
from panel.panels.rules import (
    Agenda,
    AgendaItem,
    Candidate,
    CaseDates,
    CaseProgress,
    PanelSettings,
    Part,
    Reason,
    RolledOver,
    Urgent,
    Why,
    agenda_as_frozen,
    in_chosen_order,
    missing_for_decision,
    missing_for_panel,
    order_agenda,
    papers_close_on,
    review_horizon,
    why_as_frozen,
    why_today,
)
from panel.platform.clock import day_of
from panel.platform.crypto import Keys
from panel.platform.tables import KEYS, NOW, VIEWER
from panel.platform.tenancy import load_agency_keys
from panel.records.gate import Found
from panel.records.who_leads import HOLDS_TODAY
from panel.sharing.shareable import PanelAgency, Shareable, read_shared, shareable


class WorkerFact(msgspec.Struct, array_like=True):
    """A worker whom a case names; the name is sealed with the agency's key."""

    id: UUID
    name: str | None
    agency_id: UUID
    agency: str


class ItemFact(msgspec.Struct, array_like=True):
    """What is stored of a child's item on this meeting's agenda."""

    id: UUID
    position: int
    minutes: int
    why: Reason
    since_on: date | None
    late: bool
    urgent: bool
    state: str
    opens_at: datetime | None
    reason: str | None


class AskedFact(msgspec.Struct, array_like=True):
    """Somebody was asked for what is missing, last on this day."""

    what: str
    on: date


class CaseFact(msgspec.Struct, array_like=True):
    """The process facts of one child before one panel; what is sealed stays sealed (hex)."""

    referral_id: UUID
    child_id: UUID
    state: str
    reference: str
    given_name: str | None
    family_name: str | None
    birth_date: date | None
    expected_on: date | None
    sibling_group: UUID | None
    referred_on: date
    referred_by: str
    referred_by_id: UUID
    last_discussed_on: date | None
    next_review_by: date | None
    transition: str | None
    transition_on: date | None
    escalated_on: date | None
    escalation: str | None
    deferred_on: date | None
    urgent_on: date | None
    urgent_reason: str | None
    papers_on: date | None
    assessment_signed_on: date | None
    assessor: WorkerFact | None
    plan_agreed_on: date | None
    lead: WorkerFact | None
    lead_ended_on: date | None
    offered_to: WorkerFact | None
    offered_on: date | None
    item: ItemFact | None
    family_asked_on: date | None
    family_said_on: date | None
    asked: tuple[AskedFact, ...] | None

    @property
    def assessor_id(self) -> UUID | None:
        """Who assessed the child, else who is at it, else who referred."""
        return None if self.assessor is None else self.assessor.id

    @property
    def lead_id(self) -> UUID | None:
        """Who holds the plan today."""
        return None if self.lead is None else self.lead.id

    @property
    def offered_to_id(self) -> UUID | None:
        """Who was offered to hold the plan and has not answered."""
        return None if self.offered_to is None else self.offered_to.id

    def owing(self, part: Part) -> WorkerFact | None:
        """The worker who owes a part; None where it is the coordinator or nobody is named."""
        if part in (Part.ASSESSMENT, Part.REQUEST):
            return self.assessor
        if part is Part.PLAN:
            return self.lead or self.assessor
        return self.offered_to if part is Part.LEAD_PROFESSIONAL else None


def _worker(on: str) -> str:
    return (
        "(SELECT json_build_array(w.id, encode(w.name, 'hex'), w.agency_id, x.name)"  # noqa: S608 - fixed parts
        f" FROM worker w JOIN agency x ON x.id = w.agency_id WHERE w.id = {on})"
    )


_COLUMNS = {
    "referral_id": "f.id",
    "child_id": "f.child_id",
    "state": "f.state",
    "reference": "c.reference",
    "given_name": "encode(c.given_name, 'hex')",
    "family_name": "encode(c.family_name, 'hex')",
    "birth_date": "c.birth_date",
    "expected_on": "c.expected_delivery_on",
    "sibling_group": "c.sibling_group",
    "referred_on": "f.referred_on",
    "referred_by": "g.name",
    "referred_by_id": "g.id",
    "last_discussed_on": "f.last_discussed_on",
    "next_review_by": "f.next_review_by",
    "transition": "f.transition",
    "transition_on": "f.transition_on",
    "escalated_on": "f.escalated_on",
    "escalation": "encode(f.escalation, 'hex')",
    "deferred_on": "f.deferred_on",
    "urgent_on": "f.urgent_on",
    "urgent_reason": "encode(f.urgent_reason, 'hex')",
    "papers_on": "f.papers_on",
    "assessment_signed_on": "s.signed_off_on",
    "assessor": _worker("COALESCE(s.author_id, d.author_id, f.worker_id)"),
    "plan_agreed_on": "p.agreed_on",
    "lead": _worker("l.worker_id"),
    "lead_ended_on": "e.until_on",
    "offered_to": _worker("o.worker_id"),
    "offered_on": "o.offered_on",
    "item": "CASE WHEN i.id IS NULL THEN NULL ELSE json_build_array(i.id, i.position, i.minutes,"
    " i.why, i.since_on, i.late, i.urgent, i.state, i.opens_at, encode(i.reason, 'hex')) END",
    "family_asked_on": "v.asked_on",
    "family_said_on": "v.said_on",
    "asked": "(SELECT json_agg(json_build_array(what, asked_on)) FROM (SELECT what,"
    " max(asked_on) AS asked_on FROM asked WHERE child_id = f.child_id GROUP BY what) q)",
}
# As an array in the order of the fields: without names it is a third quicker to make and to read.
_CASE = (
    f"json_build_array({', '.join(_COLUMNS[name] for name in CaseFact.__struct_fields__)})::text"
)
# Who may have a place is found first, before anything else of them is read: one plan serves every
# panel, and the server keeps it (OFFSET 0 keeps the planner from joining before). Those whom the
# viewer does not reach have no ties, and drop out.
_BEFORE_THE_PANEL = """
FROM (SELECT f.*, (SELECT ties FROM child_access WHERE child_id = f.child_id
      AND viewer_id = :viewer AND valid_from <= :now AND valid_until >= :now) AS ties
  FROM referral f
  LEFT JOIN agenda_item i ON i.meeting_id = :meeting AND i.child_id = f.child_id
  WHERE f.panel_id = :panel
    AND (i.opens_at IS NOT NULL OR f.state <> 'closed' AND f.rests_from IS NULL
       AND (f.last_discussed_on IS NULL OR f.next_review_by <= :horizon
         OR f.transition_on <= :ahead OR f.escalated_on IS NOT NULL OR f.deferred_on IS NOT NULL
         OR f.urgent_on IS NOT NULL)
       -- A child whom an earlier, frozen agenda will hear is not on a later one as well.
       AND NOT EXISTS (SELECT 1 FROM agenda_item b JOIN meeting m ON m.id = b.meeting_id
         WHERE b.child_id = f.child_id AND b.state = 'listed' AND b.opens_at IS NOT NULL
           AND m.panel_id = :panel AND m.state = 'frozen'
           AND m.held_on < :day AND m.held_on >= :today))
  OFFSET 0) f
JOIN LATERAL (SELECT f.child_id, f.ties) a ON f.ties IS NOT NULL
JOIN child c ON c.id = f.child_id
JOIN agency g ON g.id = f.agency_id
LEFT JOIN agenda_item i ON i.meeting_id = :meeting AND i.child_id = f.child_id
LEFT JOIN LATERAL (SELECT signed_off_on, author_id FROM assessment
   WHERE child_id = f.child_id AND form_key = 'caf' AND state = 'signed_off'
     AND signed_off_on <= :today ORDER BY signed_off_on DESC, id DESC LIMIT 1) s ON true
LEFT JOIN LATERAL (SELECT author_id FROM assessment
   WHERE child_id = f.child_id AND form_key = 'caf' AND state = 'draft'
   ORDER BY started_on DESC, id DESC LIMIT 1) d ON true
-- Whatever was agreed last counts until the next plan is agreed: a draft in its place is no gap.
LEFT JOIN LATERAL (SELECT agreed_on FROM plan
   WHERE child_id = f.child_id AND state IN ('agreed', 'replaced') AND agreed_on <= :today
   ORDER BY agreed_on DESC, id DESC LIMIT 1) p ON true
LEFT JOIN LATERAL (SELECT l.worker_id FROM lead_professional l
   WHERE l.child_id = f.child_id AND {holds_today} ORDER BY l.from_on DESC LIMIT 1) l ON true
LEFT JOIN LATERAL (SELECT max(until_on) AS until_on FROM lead_professional
   WHERE child_id = f.child_id AND state = 'ended' AND role = 'main') e ON true
LEFT JOIN LATERAL (SELECT worker_id, offered_on FROM lead_professional
   WHERE child_id = f.child_id AND state = 'offered' ORDER BY offered_on DESC, id DESC LIMIT 1) o
   ON true
LEFT JOIN LATERAL (SELECT max(asked_on) AS asked_on, max(said_on) AS said_on FROM family_words
   WHERE child_id = f.child_id AND (meeting_id = :meeting OR (meeting_id IS NULL
     AND asked_on > COALESCE(f.last_discussed_on, '-infinity')))) v ON true
""".replace("{holds_today}", HOLDS_TODAY)
_READ_CASE = msgspec.json.Decoder(CaseFact)
_AHEAD = timedelta(days=93)
"""A transition is watched from three calendar months before: at most 92 days."""
_SOON = timedelta(days=366)
"""The next meeting is found within a year, or the calendar has ended."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """An agenda as rules and people put it together, with what it was judged by."""

    panel: Panel
    meeting: Meeting
    settings: PanelSettings
    papers_close: date
    next_on: date | None
    """The panel's next meeting, where what rolls over goes; None past the end of the calendar."""
    agenda: Agenda
    facts: dict[UUID, CaseFact]
    names: dict[UUID, str]
    """Of the workers that the facts name."""
    agencies: tuple[PanelAgency, ...]

    @property
    def frozen(self) -> bool:
        """Whether the agenda is settled and packs are open."""
        return self.agenda.frozen_at is not None

    def missing(self, child_id: UUID) -> tuple[Part, ...]:
        """What a child on this agenda or on the not-ready list still needs."""
        candidates = (
            *(item.candidate for item in self.agenda.items),
            *(one.candidate for one in self.agenda.not_ready),
        )
        return tuple(
            debt.what for one in candidates if one.child_id == child_id for debt in one.debts
        )


async def read_cases(
    session: AsyncSession, panel_id: UUID, meeting_id: UUID, day: date, horizon: date
) -> list[Found]:
    """The process facts of all who may have a place at a meeting, with their sharing facts.

    For the viewer of the transaction; nothing is opened by it.
    """
    now: datetime = session.info[NOW]
    return await read_shared(
        session,
        _CASE,
        _BEFORE_THE_PANEL,
        viewer=session.info[VIEWER],
        panel=panel_id,
        meeting=meeting_id,
        day=day,
        today=day_of(now),
        now=now,
        horizon=max(horizon, day),
        ahead=day + _AHEAD,
    )


def _facts(found: Sequence[Found]) -> dict[UUID, CaseFact]:
    facts: dict[UUID, CaseFact] = {}
    for one in found:
        fact = _READ_CASE.decode(one.line)
        known = facts.get(fact.child_id)
        # Referred again after a closure: the open referral speaks.
        if known is None or known.state == "closed":
            facts[fact.child_id] = fact
    return facts


async def _names(session: AsyncSession, facts: Sequence[CaseFact]) -> dict[UUID, str]:
    named = {
        worker.id: worker
        for fact in facts
        for worker in (fact.assessor, fact.lead, fact.offered_to)
        if worker is not None and worker.name is not None
    }
    await load_agency_keys(session, {worker.agency_id for worker in named.values()})
    keys = cast("Keys", session.info[KEYS])
    return {
        worker.id: keys.open(
            worker.agency_id, "worker.name", worker.id, bytes.fromhex(worker.name or "")
        )
        for worker in named.values()
    }


async def prepare(session: AsyncSession, panel: Panel, meeting: Meeting, looking: UUID) -> Prepared:
    """Put the agenda of a meeting together from the facts, as rules say; changes nothing.

    `looking` is the viewer of the transaction: a coordinator of this panel, or JOB.
    """
    if looking != session.info[VIEWER]:
        raise ValueError("An agenda is prepared for the viewer of its transaction.")
    setting = setting_of(panel, meeting, await panel_rhythm(session, panel))
    found = await read_cases(session, panel.id, meeting.id, meeting.held_on, setting.horizon)
    return await put_together(session, setting, found)


@dataclass(frozen=True, slots=True)
class Setting:
    """What an agenda is judged by, beside its cases: the panel, its meeting and the calendar."""

    panel: Panel
    meeting: Meeting
    settings: PanelSettings
    papers_close: date
    next_on: date | None
    horizon: date
    """Until when reviews due are for this meeting."""
    agencies: tuple[PanelAgency, ...]


def setting_of(panel: Panel, meeting: Meeting, rhythm: Rhythm) -> Setting:
    """The setting of a meeting's agenda."""
    day = meeting.held_on
    settings = settings_of(panel)
    dates = rhythm.dates(day, day + _SOON)
    return Setting(
        panel,
        meeting,
        settings,
        papers_close_on(day, settings.cut_off_working_days, rhythm.calendar),
        min((one for one in dates if one > day), default=None),
        review_horizon(day, dates, rhythm.calendar),
        rhythm.agencies_on(day),
    )


def sharing_of(found: Sequence[Found], setting: Setting, now: datetime) -> tuple[Shareable, ...]:
    """Whether anything may be shared with the panel's agencies, line by line."""
    return tuple([shareable(one.known, setting.agencies, now) for one in found])


async def put_together(session: AsyncSession, setting: Setting, found: Sequence[Found]) -> Prepared:
    """The agenda of the setting from cases that were read."""
    facts = _facts(found)
    names = await _names(session, list(facts.values()))
    sharing = sharing_of(found, setting, session.info[NOW])
    may_share = {one.child_id: judged for one, judged in zip(found, sharing, strict=True)}
    panel, meeting = setting.panel, setting.meeting
    candidates = [
        _candidate(fact, meeting.held_on, setting.horizon, names, may_share[fact.child_id], panel)
        for fact in facts.values()
    ]
    return Prepared(
        panel,
        meeting,
        setting.settings,
        setting.papers_close,
        setting.next_on,
        _settled(
            candidates, facts, meeting, setting.settings, panel.starts_at, setting.papers_close
        ),
        facts,
        names,
        setting.agencies,
    )


def _settled(
    candidates: list[Candidate],
    facts: dict[UUID, CaseFact],
    meeting: Meeting,
    settings: PanelSettings,
    starts_at: time,
    papers_close: date,
) -> Agenda:
    """The agenda as rules make it, with what people arranged, took off or froze."""
    items = {child: fact.item for child, fact in facts.items() if fact.item is not None}
    off = {child for child, item in items.items() if item.state == "removed"}
    taken_off = [one for one in candidates if one.child_id in off and one.whys]
    stay = [one for one in candidates if one.child_id not in off]
    if meeting.frozen_at is None:
        agenda = order_agenda(stay, meeting.held_on, settings, starts_at, papers_close)
        if items:
            positions = {child: item.position for child, item in items.items()}
            agenda = in_chosen_order(agenda, positions)
    else:
        on = {
            child: item
            for child, item in items.items()
            if item.opens_at is not None and child not in off
        }
        others = [one for one in stay if one.child_id not in on]
        rest = order_agenda(others, meeting.held_on, settings, starts_at, papers_close)
        frozen_on = day_of(meeting.frozen_at)
        listed = sorted(
            (one for one in stay if one.child_id in on), key=lambda one: on[one.child_id].position
        )
        agenda = agenda_as_frozen(
            [_stored_item(one, on[one.child_id]) for one in listed],
            rest,
            meeting.frozen_at,
            frozen_on,
        )
    waiting = [
        RolledOver(one, one.minutes or settings.minutes_per_child, "Taken off this agenda.")
        for one in taken_off
    ]
    return replace(agenda, rolled_over=(*agenda.rolled_over, *waiting))


def _stored_item(candidate: Candidate, item: ItemFact) -> AgendaItem:
    since = item.since_on or candidate.waiting_since
    why = why_as_frozen(item.why, since, candidate.whys)
    return AgendaItem(candidate, time(0), item.minutes, why, late=item.late)


def _candidate(
    fact: CaseFact,
    day: date,
    horizon: date,
    names: dict[UUID, str],
    may_share: Shareable,
    panel: Panel,
) -> Candidate:
    progress = CaseProgress(
        referred_on=fact.referred_on,
        referred_by=fact.referred_by,
        coordinator=f"Coordinator of the {panel.name}",
        assessor=_name(names, fact.assessor_id),
        assessment_signed_on=fact.assessment_signed_on,
        plan_agreed_on=fact.plan_agreed_on,
        lead_professional=_name(names, fact.lead_id),
        lead_ended_on=fact.lead_ended_on,
        lead_offered_to=_name(names, fact.offered_to_id),
        lead_offered_on=fact.offered_on,
        may_be_shared=may_share.anything,
        nothing_shared_since=may_share.nothing_since,
    )
    whys = why_today(case_dates(fact), day, horizon)
    waiting = min((why.due for why in whys), default=fact.referred_on)
    decides = panel.kind == "allocation"
    papers = (fact.papers_on,) if decides else (fact.assessment_signed_on, fact.plan_agreed_on)
    ready = [one for one in papers if one is not None]
    return Candidate(
        child_id=fact.child_id,
        reference=fact.reference,
        waiting_since=waiting,
        whys=whys,
        minutes=None if fact.item is None else fact.item.minutes,
        debts=missing_for_decision(progress, fact.papers_on)
        if decides
        else missing_for_panel(progress),
        urgent=Urgent(day, "the chair's decision")
        if fact.urgent_on == day and fact.urgent_reason is not None
        else None,
        sibling_group=fact.sibling_group,
        ready_on=max(ready, default=None) if fact.last_discussed_on is None else None,
    )


def case_dates(fact: CaseFact) -> CaseDates:
    """The dates that may bring a child to a panel."""
    return CaseDates(
        referred_on=fact.referred_on,
        last_discussed_on=fact.last_discussed_on,
        review_due_by=fact.next_review_by,
        # What is coming is the panel's own words, told where they may be seen; a reason is a fact.
        transition="",
        transition_on=fact.transition_on,
        escalated_on=fact.escalated_on,
        deferred_on=fact.deferred_on,
    )


def _name(names: dict[UUID, str], worker: UUID | None) -> str | None:
    return None if worker is None else names.get(worker)


def reason_of(why: Why | None) -> Reason:
    """Under which reason an item is stored; a child taken as urgent alone is an escalation."""
    return Reason.ESCALATION if why is None else why.reason


# What the command line and other programs are told (ARCHITECTURE.md, the contract).


class ItemTold(msgspec.Struct):
    """One child on the agenda: by reference, with why, since or until when, and the minutes."""

    child: str
    reason: str
    due: date | None
    minutes: int
    starts: time
    why: str


class MissingTold(msgspec.Struct):
    """What is missing, who owes it, since when."""

    what: str
    owed_by: str
    since: date


class NotReadyTold(msgspec.Struct):
    """One child who is not ready."""

    child: str
    missing: Sequence[MissingTold]


class RolledOverTold(msgspec.Struct):
    """One child for whom there was no time."""

    child: str
    waiting_since: date
    why: str


class AgendaTold(msgspec.Struct, kw_only=True):
    """`panel agenda prepare --json`."""

    panel: str
    held_on: date = msgspec.field(name="date")
    state: str
    papers_close: date
    minutes_used: int
    minutes: int
    items: Sequence[ItemTold]
    not_ready: Sequence[NotReadyTold]
    rolled_over: Sequence[RolledOverTold]


def told(prepared: Prepared) -> AgendaTold:
    """The agenda as data."""
    agenda = prepared.agenda
    return AgendaTold(
        panel=prepared.panel.key,
        held_on=prepared.meeting.held_on,
        state=prepared.meeting.state,
        papers_close=prepared.papers_close,
        minutes_used=agenda.minutes_used,
        minutes=agenda.capacity_minutes,
        items=[
            ItemTold(
                child=item.candidate.reference,
                reason="urgent" if item.why is None else str(item.why.reason.value),
                due=None if item.why is None else item.why.due,
                minutes=item.minutes,
                starts=item.starts_at,
                why=item.sentence,
            )
            for item in agenda.items
        ],
        not_ready=[
            NotReadyTold(
                one.candidate.reference,
                [MissingTold(debt.what.value, debt.owed_by, debt.since) for debt in one.missing],
            )
            for one in agenda.not_ready
        ],
        rolled_over=[
            RolledOverTold(one.candidate.reference, one.candidate.waiting_since, one.sentence)
            for one in agenda.rolled_over
        ],
    )
