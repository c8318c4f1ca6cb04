"""The agenda of a meeting: who is on it and why, who is not ready, who waits for the next.

Preparing reads process facts only (dates, states, references): no child's content, so the same
work can be done by a job. It changes nothing and gives the same answer each time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.service import worker_names
from panel.panels.calendar import all_meeting_dates, load_calendar, settings_of
from panel.panels.models import AgendaItem as ItemRow
from panel.panels.models import Meeting, Panel
from panel.panels.rules import (
    Agenda,
    Candidate,
    CaseDates,
    CaseProgress,
    PanelSettings,
    Urgent,
    missing_for_panel,
    order_agenda,
    papers_close_on,
    review_horizon,
    why_today,
)
from panel.platform.clock import LONDON
from panel.sharing.shareable import PanelAgency, Shareable, shareable


class CaseFact(msgspec.Struct):
    """The process facts of one child before one panel."""

    referral_id: UUID
    child_id: UUID
    reference: str
    sibling_group: UUID | None
    referred_on: date
    referred_by: str
    last_discussed_on: date | None
    next_review_by: date | None
    transition: str | None
    transition_on: date | None
    escalated_on: date | None
    deferred_on: date | None
    urgent_on: date | None
    has_urgent_reason: bool
    assessment_signed_on: date | None
    assessor_id: UUID | None
    plan_agreed_on: date | None
    lead_id: UUID | None
    lead_ended_on: date | None
    offered_to_id: UUID | None
    offered_on: date | None


_CASES = """
SELECT json_build_object(
  'referral_id', f.id, 'child_id', f.child_id, 'reference', c.reference,
  'sibling_group', c.sibling_group, 'referred_on', f.referred_on, 'referred_by', g.name,
  'last_discussed_on', f.last_discussed_on, 'next_review_by', f.next_review_by,
  'transition', f.transition, 'transition_on', f.transition_on,
  'escalated_on', f.escalated_on, 'deferred_on', f.deferred_on,
  'urgent_on', f.urgent_on, 'has_urgent_reason', f.urgent_reason IS NOT NULL,
  'assessment_signed_on', s.signed_off_on, 'assessor_id', COALESCE(s.author_id, d.author_id,
     f.worker_id),
  'plan_agreed_on', p.agreed_on, 'lead_id', l.worker_id, 'lead_ended_on', e.until_on,
  'offered_to_id', o.worker_id, 'offered_on', o.offered_on)::text
FROM child_access a
JOIN referral f ON f.child_id = a.child_id
JOIN child c ON c.id = f.child_id
JOIN agency g ON g.id = f.agency_id
LEFT JOIN LATERAL (SELECT signed_off_on, author_id FROM assessment
   WHERE child_id = f.child_id AND state = 'signed_off' AND signed_off_on <= :today
   ORDER BY signed_off_on DESC, id DESC LIMIT 1) s ON true
LEFT JOIN LATERAL (SELECT author_id FROM assessment
   WHERE child_id = f.child_id AND state = 'draft' ORDER BY started_on DESC, id DESC LIMIT 1) d
   ON true
LEFT JOIN LATERAL (SELECT agreed_on FROM plan
   WHERE child_id = f.child_id AND state = 'agreed' AND agreed_on <= :today
   ORDER BY agreed_on DESC, id DESC LIMIT 1) p ON true
LEFT JOIN LATERAL (SELECT worker_id FROM lead_professional
   WHERE child_id = f.child_id AND state = 'accepted' AND from_on <= :today
     AND (until_on IS NULL OR until_on >= :today) ORDER BY from_on DESC LIMIT 1) l ON true
LEFT JOIN LATERAL (SELECT max(until_on) AS until_on FROM lead_professional
   WHERE child_id = f.child_id AND state = 'ended') e ON true
LEFT JOIN LATERAL (SELECT worker_id, offered_on FROM lead_professional
   WHERE child_id = f.child_id AND state = 'offered' ORDER BY offered_on DESC, id DESC LIMIT 1) o
   ON true
WHERE a.viewer_id = :viewer AND f.panel_id = :panel AND f.state <> 'closed'
  AND a.valid_from <= :now AND a.valid_until >= :now
  AND (f.last_discussed_on IS NULL OR f.next_review_by <= :horizon
       OR f.transition_on <= :ahead OR f.escalated_on IS NOT NULL OR f.deferred_on IS NOT NULL
       OR f.urgent_on IS NOT NULL)
"""
_READ = msgspec.json.Decoder(CaseFact)
_AHEAD = timedelta(days=93)
"""A transition is watched from three calendar months before: at most 92 days."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """An agenda as rules put it together, with what it was judged by."""

    panel: Panel
    meeting: Meeting
    settings: PanelSettings
    papers_close: date
    agenda: Agenda
    facts: dict[UUID, CaseFact]
    names: dict[UUID, str]
    """Of the workers that the facts name."""


async def panel_agencies(session: AsyncSession, panel_id: UUID, day: date) -> list[PanelAgency]:
    """The panel's member agencies on a day."""
    rows = await session.execute(
        text(
            "SELECT g.id, g.kind FROM panel_agency m JOIN agency g ON g.id = m.agency_id"
            " WHERE m.panel_id = :panel AND (m.from_on IS NULL OR m.from_on <= :day)"
            " AND (m.until_on IS NULL OR m.until_on >= :day) ORDER BY g.key"
        ),
        {"panel": panel_id, "day": day},
    )
    return [PanelAgency(row.id, row.kind) for row in rows]


async def _facts(
    session: AsyncSession, panel: Panel, looking: UUID, today: date, horizon: date, day: date
) -> list[CaseFact]:
    await session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
    rows = await session.execute(
        text(_CASES),
        {
            "viewer": looking,
            "panel": panel.id,
            "today": today,
            "now": session.info["now"],
            "horizon": max(horizon, day),
            "ahead": day + _AHEAD,
        },
    )
    return [_READ.decode(line) for (line,) in rows]


async def prepare(session: AsyncSession, panel: Panel, meeting: Meeting, looking: UUID) -> Prepared:
    """Put the agenda of a meeting together from the facts, as rules say; changes nothing.

    `looking` is the viewer of the transaction: a coordinator of this panel, or JOB.
    """
    now: datetime = session.info["now"]
    today = now.astimezone(LONDON).date()
    day = meeting.held_on
    settings = settings_of(panel)
    calendar = await load_calendar(session)
    dates = await all_meeting_dates(session, panel, day)
    horizon = review_horizon(day, dates, calendar)
    facts = await _facts(session, panel, looking, today, horizon, day)
    names = await worker_names(
        session,
        [
            worker
            for fact in facts
            for worker in (fact.assessor_id, fact.lead_id, fact.offered_to_id)
            if worker is not None
        ],
    )
    may_share = await shareable(
        session,
        [fact.child_id for fact in facts],
        await panel_agencies(session, panel.id, day),
        looking,
        now,
    )
    papers_close = papers_close_on(day, settings.cut_off_working_days, calendar)
    candidates = [
        _candidate(fact, day, horizon, names, may_share.get(fact.child_id), panel.name)
        for fact in facts
    ]
    agenda = order_agenda(candidates, day, settings, panel.starts_at, papers_close)
    return Prepared(
        panel,
        meeting,
        settings,
        papers_close,
        agenda,
        {fact.child_id: fact for fact in facts},
        names,
    )


def _candidate(
    fact: CaseFact,
    day: date,
    horizon: date,
    names: dict[UUID, str],
    may_share: Shareable | None,
    panel_name: str,
) -> Candidate:
    progress = CaseProgress(
        referred_on=fact.referred_on,
        referred_by=fact.referred_by,
        coordinator=f"Coordinator of the {panel_name}",
        assessor=_name(names, fact.assessor_id),
        assessment_signed_on=fact.assessment_signed_on,
        plan_agreed_on=fact.plan_agreed_on,
        lead_professional=_name(names, fact.lead_id),
        lead_ended_on=fact.lead_ended_on,
        lead_offered_to=_name(names, fact.offered_to_id),
        lead_offered_on=fact.offered_on,
        may_be_shared=may_share is not None and may_share.anything,
        nothing_shared_since=None if may_share is None else may_share.nothing_since,
    )
    whys = why_today(
        CaseDates(
            referred_on=fact.referred_on,
            last_discussed_on=fact.last_discussed_on,
            review_due_by=fact.next_review_by,
            transition=fact.transition or "",
            transition_on=fact.transition_on,
            escalated_on=fact.escalated_on,
            deferred_on=fact.deferred_on,
        ),
        day,
        horizon,
    )
    waiting = min((why.due for why in whys), default=fact.referred_on)
    ready = [one for one in (fact.assessment_signed_on, fact.plan_agreed_on) if one is not None]
    return Candidate(
        child_id=fact.child_id,
        reference=fact.reference,
        waiting_since=waiting,
        whys=whys,
        debts=missing_for_panel(progress),
        urgent=Urgent(day, "the chair's decision")
        if fact.urgent_on == day and fact.has_urgent_reason
        else None,
        sibling_group=fact.sibling_group,
        ready_on=max(ready, default=None) if fact.last_discussed_on is None else None,
    )


def _name(names: dict[UUID, str], worker: UUID | None) -> str | None:
    return None if worker is None else names.get(worker)


async def stored_items(session: AsyncSession, meeting_id: UUID) -> list[ItemRow]:
    """The items that a person arranged or froze, in their order."""
    rows = await session.scalars(
        select(ItemRow)
        .where(ItemRow.meeting_id == meeting_id, ItemRow.state != "removed")
        .order_by(ItemRow.position, ItemRow.id)
    )
    return list(rows)


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
