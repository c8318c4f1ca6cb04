"""What a pack is made of, in one query: ciphertext and process facts of the children on an agenda.

Nothing here is opened or decided; `packs` does that, entry by entry, through the gate.
"""

from collections.abc import Sequence
from datetime import date, time
from itertools import groupby
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from panel.platform.tables import NOW, VIEWER
from panel.records.who_leads import HOLDS_TODAY
from panel.register.service import WhoFacts


class EntryFact(msgspec.Struct):
    """One text of a child's record: whose it is, in which category, still sealed."""

    id: UUID
    category: Category
    agency_id: UUID
    agency: str
    on: date
    text: str | None
    kind: str = ""


class ReferralFact(msgspec.Struct):
    """How the child came to this panel."""

    id: UUID
    category: Category
    agency_id: UUID
    agency: str
    referred_on: date
    reason: str | None
    last_discussed_on: date | None
    next_review_by: date | None
    transition: str | None
    escalation: str | None
    urgent_reason: str | None


class WordsFact(msgspec.Struct):
    """What somebody of the family said."""

    id: UUID
    for_this_meeting: bool
    said_on: date
    person_id: UUID | None
    agency_id: UUID | None
    relationship: str | None
    text: str | None


class InvolvedFact(msgspec.Struct):
    """An agency's part in the child's life, now or expected."""

    agency_id: UUID
    agency: str
    part: str
    worker_id: UUID | None
    worker_agency_id: UUID | None
    worker: str | None
    from_on: date | None
    expected_from_on: date | None


class AnswerFact(msgspec.Struct):
    """What a guest was asked about this item, and answered."""

    id: UUID
    agency_id: UUID
    agency: str
    on: date
    name: str | None
    question: str | None
    answer: str | None


class AnsweredSection(msgspec.Struct):
    """That a section of the latest assessment was answered: no content."""

    category: Category
    agency_id: UUID


class CaseFacts(WhoFacts, kw_only=True):
    """One child on the agenda."""

    child_id: UUID
    item_id: UUID
    """The meeting's own id where the agenda is not stored yet."""
    minutes: int
    why: str
    since_on: date | None
    late: bool
    urgent: bool
    item_reason: str | None
    sibling_group: UUID | None
    address: str | None
    postcode: str | None
    phone: str | None
    disability: str | None
    first_language: str | None
    interpreter: str | None
    school: str | None
    referral: ReferralFact | None
    words: tuple[WordsFact, ...] | None
    events: tuple[EntryFact, ...] | None
    discussions: tuple[EntryFact, ...] | None
    documents: tuple[EntryFact, ...] | None
    involved: tuple[InvolvedFact, ...] | None
    answers: tuple[AnswerFact, ...] | None
    sections: tuple[AnsweredSection, ...] | None
    plan_agency_id: UUID | None


_IN_THE_PACK = """
SELECT i.child_id, i.minutes, i.why, c.sibling_group
FROM child_access a JOIN agenda_item i ON i.child_id = a.child_id JOIN child c ON c.id = i.child_id
WHERE a.viewer_id = :viewer AND a.valid_from <= :now AND a.valid_until >= :now
  AND i.meeting_id = :meeting AND i.state <> 'removed' AND i.opens_at <= :now
  AND i.pack_until >= (CAST(:now AS timestamptz) AT TIME ZONE 'Europe/London')::date
ORDER BY i.position, i.id
"""

_FACTS = """
SELECT json_build_object('restricted_on', (SELECT r.from_on FROM processing_restriction r
   WHERE r.child_id = c.id AND r.ended_on IS NULL),
 'child_id', c.id, 'item_id', COALESCE(i.id, t.id),
 'minutes', COALESCE(i.minutes, 0), 'why', COALESCE(i.why, 'new'), 'since_on', i.since_on,
 'late', COALESCE(i.late, false), 'urgent', COALESCE(i.urgent, false),
 'item_reason', encode(i.reason, 'hex'), 'reference', c.reference, 'birth_date', c.birth_date,
 'expected', c.expected_delivery_on, 'given_name', encode(c.given_name, 'hex'),
 'family_name', encode(c.family_name, 'hex'), 'known_as', encode(c.known_as, 'hex'),
 'nhs_number', encode(c.nhs_number, 'hex'), 'upn', encode(c.upn, 'hex'),
 'sibling_group', c.sibling_group, 'address', encode(c.address, 'hex'),
 'postcode', encode(c.postcode, 'hex'), 'phone', encode(c.phone, 'hex'),
 'disability', encode(c.disability, 'hex'), 'first_language', c.first_language,
 'interpreter', c.interpreter, 'school', c.school,
 'lead', (SELECT json_build_object('id', w.id, 'agency_id', g.id, 'agency', g.name,
     'name', encode(w.name, 'hex'))
   FROM lead_professional l JOIN worker w ON w.id = l.worker_id JOIN agency g ON g.id = w.agency_id
   WHERE l.child_id = c.id AND {holds_today} LIMIT 1),
 'referral', (SELECT json_build_object('id', f.id, 'category', f.category,
     'agency_id', f.agency_id, 'agency', g.name, 'referred_on', f.referred_on,
     'reason', encode(f.reason, 'hex'), 'last_discussed_on', f.last_discussed_on,
     'next_review_by', f.next_review_by, 'transition', f.transition,
     'escalation', encode(f.escalation, 'hex'),
     'urgent_reason', CASE WHEN f.urgent_on = t.held_on THEN encode(f.urgent_reason, 'hex') END)
   FROM referral f JOIN agency g ON g.id = f.agency_id
   WHERE f.child_id = c.id AND f.panel_id = t.panel_id
   ORDER BY f.state = 'closed', f.referred_on DESC, f.id DESC LIMIT 1),
 'words', (SELECT json_agg(json_build_object('id', s.id,
     'for_this_meeting', s.meeting_id IS NOT DISTINCT FROM t.id, 'said_on', s.said_on,
     'person_id', s.family_member_id, 'agency_id', s.author_agency_id,
     'relationship', (SELECT k.relationship FROM family_link k WHERE k.child_id = c.id
        AND k.family_member_id = s.family_member_id ORDER BY k.until_on DESC NULLS FIRST LIMIT 1),
     'text', encode(s.text, 'hex')) ORDER BY s.said_on, s.id)
   FROM family_words s WHERE s.child_id = c.id AND s.said_on IS NOT NULL AND s.text IS NOT NULL),
 'events', (SELECT json_agg(json_build_object('id', e.id, 'category', e.category,
     'agency_id', e.author_agency_id, 'agency', g.name, 'on', e.happened_on, 'kind', e.kind,
     'text', encode(e.text, 'hex')) ORDER BY e.happened_on, e.id)
   FROM significant_event e JOIN agency g ON g.id = e.author_agency_id
   WHERE e.child_id = c.id AND e.happened_on > COALESCE((SELECT max(f.last_discussed_on)
     FROM referral f WHERE f.child_id = c.id AND f.panel_id = t.panel_id
       AND f.last_discussed_on < t.held_on), '-infinity')),
 'discussions', (SELECT json_agg(json_build_object('id', d.id, 'category', d.category,
     'agency_id', d.author_agency_id, 'agency', g.name, 'on', m.held_on, 'kind', d.heading,
     'text', encode(d.text, 'hex')) ORDER BY m.held_on DESC, d.id)
   FROM discussion d JOIN agency g ON g.id = d.author_agency_id
   JOIN meeting m ON m.id = d.meeting_id
   WHERE d.child_id = c.id AND m.held_on < t.held_on AND d.taken_back_at IS NULL),
 'documents', (SELECT json_agg(json_build_object('id', d.id, 'category', d.category,
     'agency_id', d.author_agency_id, 'agency', g.name, 'on', d.created_at::date,
     'text', encode(d.title, 'hex')) ORDER BY d.id)
   FROM document d JOIN agency g ON g.id = d.author_agency_id WHERE d.child_id = c.id),
 'involved', (SELECT json_agg(json_build_object('agency_id', v.agency_id, 'agency', g.name,
     'part', v.part, 'worker_id', w.id, 'worker_agency_id', w.agency_id,
     'worker', encode(w.name, 'hex'), 'from_on', v.from_on,
     'expected_from_on', v.expected_from_on)
     ORDER BY v.from_on IS NULL, v.from_on, v.expected_from_on, v.id)
   FROM involvement v JOIN agency g ON g.id = v.agency_id LEFT JOIN worker w ON w.id = v.worker_id
   WHERE v.child_id = c.id AND (v.until_on IS NULL OR v.until_on >= :today)),
 'answers', (SELECT json_agg(json_build_object('id', u.id, 'agency_id', u.agency_id,
     'agency', g.name, 'on', (u.answered_at AT TIME ZONE 'Europe/London')::date,
     'name', encode(u.name, 'hex'), 'question', encode(u.question, 'hex'),
     'answer', encode(u.answer, 'hex')) ORDER BY u.answered_at, u.id)
   FROM guest_link u JOIN agency g ON g.id = u.agency_id
   WHERE u.agenda_item_id = i.id AND u.answered_at IS NOT NULL),
 'sections', (SELECT json_agg(json_build_object('category', s.category,
     'agency_id', COALESCE(s.author_agency_id, x.author_agency_id)))
   FROM (SELECT id, author_agency_id FROM assessment
     WHERE child_id = c.id AND form_key = 'caf' AND state = 'signed_off'
     ORDER BY signed_off_on DESC, number DESC, id DESC LIMIT 1) x
   JOIN section_answer s ON s.assessment_id = x.id AND s.answers IS NOT NULL),
 'plan_agency_id', (SELECT p.author_agency_id FROM plan p
   WHERE p.child_id = c.id AND p.state IN ('draft', 'agreed') ORDER BY p.number DESC LIMIT 1)
)::text
FROM child_access a JOIN child c ON c.id = a.child_id JOIN meeting t ON t.id = :meeting
LEFT JOIN agenda_item i ON i.child_id = c.id AND i.meeting_id = t.id
WHERE a.viewer_id = :viewer AND a.child_id = ANY(:children)
  AND i.state IS DISTINCT FROM 'removed'
ORDER BY i.position, c.id
"""
_READ = msgspec.json.Decoder(CaseFacts)


class InThePack(msgspec.Struct, frozen=True):
    """One item's place on the agenda."""

    child_id: UUID
    minutes: int
    why: str
    sibling_group: UUID | None


async def in_the_pack(session: AsyncSession, meeting_id: UUID) -> list[InThePack]:
    """The items that the transaction's viewer may read now, in the order of the agenda."""
    rows = await session.execute(
        text(_IN_THE_PACK),
        {"viewer": session.info[VIEWER], "now": session.info[NOW], "meeting": meeting_id},
    )
    return [InThePack(row.child_id, row.minutes, row.why, row.sibling_group) for row in rows]


async def case_facts(
    session: AsyncSession, meeting_id: UUID, children: Sequence[UUID], today: date
) -> list[CaseFacts]:
    """What there is of these children for the meeting, in its order, still sealed.

    The agenda may be stored or still only prepared.
    """
    # A plan made for one viewer's children is far off for another's.
    await session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
    rows = await session.execute(
        text(_FACTS.replace("{holds_today}", HOLDS_TODAY)),
        {
            "viewer": session.info[VIEWER],
            "children": list(children),
            "meeting": meeting_id,
            "today": today,
        },
    )
    return [_READ.decode(line) for (line,) in rows]


def slots(items: Sequence[InThePack], starts: time) -> dict[UUID, time]:
    """When each child's item begins; neighbours of one sibling group share a time."""
    at = starts.hour * 60 + starts.minute
    placed: dict[UUID, time] = {}
    for _, slot in groupby(items, key=lambda one: one.sibling_group or one.child_id):
        together = list(slot)
        for one in together:
            placed[one.child_id] = time(at // 60 % 24, at % 60)
        at += sum(one.minutes for one in together)
    return placed


def agencies_named(cases: Sequence[CaseFacts]) -> set[UUID]:
    """Whose workers are named: their names are sealed with their agencies' keys."""
    named = {one.worker_agency_id for case in cases for one in case.involved or ()}
    named |= {case.lead.agency_id for case in cases if case.lead is not None}
    return {agency for agency in named if agency is not None}
