"""What may have changed on one child's record since a moment: one query, texts still sealed.

Nothing here is opened or decided. A row comes along when it was made or changed since, or when a
day that it speaks of has come since; `change_rules` says what that means.
"""

import re
from datetime import date, datetime
from uuid import UUID

import msgspec

from consent import Category
from panel.platform.read_models import ReadModel


class Was(msgspec.Struct):
    """What a watched column was before it changed, oldest first."""

    what: str
    row_id: UUID
    at: datetime
    from_code: str | None


class Made(msgspec.Struct, kw_only=True):
    """Any row: when it was written, and whether by an import or a job."""

    id: UUID
    at: datetime
    by_job: bool = False


class AssessmentFact(Made):
    """An assessment that is signed off now."""

    form: str
    number: int
    agency_id: UUID
    agency: str
    signed_off_on: date


class PlanFact(Made):
    """A plan and where it stands now."""

    number: int
    state: str
    agency_id: UUID
    started_on: date
    agreed_on: date | None
    replaced_on: date | None


class ScoreFact(Made):
    """Where an outcome stood on a day."""

    on: date
    value: int


class OutcomeFact(Made):
    """A desired outcome, with every score it had."""

    plan_state: str
    with_plan: bool
    """Written in the same moment as its plan, so part of it from the start."""
    agency_id: UUID
    text: str | None
    state: str
    baseline: int | None
    target: int | None
    scores: tuple[ScoreFact, ...] | None


class ActionFact(Made):
    """An action; one that a panel asked for has no plan."""

    plan_state: str | None
    with_plan: bool
    agency_id: UUID | None
    met_on: date | None
    """The day of the meeting that asked for it."""
    text: str | None
    owner_agency: str | None
    owner_words: str | None
    due_on: date | None
    state: str
    done_on: date | None


class InvolvementFact(Made):
    """An agency's part."""

    agency_id: UUID
    agency: str
    part: str
    from_on: date | None
    expected_from_on: date | None
    until_on: date | None


class LeadFact(Made):
    """Somebody to whom the plan was offered, or who holds or held it."""

    worker_id: UUID
    agency_id: UUID
    agency: str
    worker: str | None
    state: str
    offered_on: date
    answered_on: date | None
    from_on: date | None
    until_on: date | None


class EventFact(Made):
    """Something that happened."""

    happened_on: date
    kind: str
    category: Category
    agency_id: UUID
    text: str | None


class LevelFact(Made):
    """A judgement of the level of need."""

    level: str
    judged_on: date
    agency_id: UUID | None


class DocumentFact(Made):
    """A file."""

    category: Category
    agency_id: UUID
    title: str | None


class WordsFact(Made):
    """What somebody of the family said."""

    said_on: date
    person_id: UUID | None
    agency_id: UUID | None
    relationship: str | None
    text: str | None


class AgreementFact(Made):
    """An agreement to share, or a refusal."""

    given: bool
    by_words: str
    agencies: tuple[str, ...] | None
    level: str | None
    named: tuple[Category, ...]
    from_on: date
    until_on: date | None
    withdrawn_at: datetime | None


class RestrictionFact(Made):
    """Something withheld by choice, openly. Protections and silent ones are not read at all."""

    by_words: str
    categories: tuple[Category, ...]
    against: tuple[str, ...] | None
    is_person: bool
    """Against somebody who is no agency, too."""
    from_on: date
    until_on: date | None


class TransitionFact(Made):
    """A change that is coming, as a panel noted it."""

    what: str | None
    on: date | None
    referred_on: date


class Changed(msgspec.Struct):
    """All of it."""

    school: str | None
    was: tuple[Was, ...] | None
    assessments: tuple[AssessmentFact, ...] | None
    plans: tuple[PlanFact, ...] | None
    outcomes: tuple[OutcomeFact, ...] | None
    actions: tuple[ActionFact, ...] | None
    involvements: tuple[InvolvementFact, ...] | None
    leads: tuple[LeadFact, ...] | None
    events: tuple[EventFact, ...] | None
    levels: tuple[LevelFact, ...] | None
    """Every judgement: the one that held before is told with the new one."""
    documents: tuple[DocumentFact, ...] | None
    words: tuple[WordsFact, ...] | None
    agreements: tuple[AgreementFact, ...] | None
    restrictions: tuple[RestrictionFact, ...] | None
    transitions: tuple[TransitionFact, ...] | None


_QUERY = """
WITH changed AS MATERIALIZED (
  SELECT id, what, row_id, created_at, from_code FROM record_change
  WHERE child_id = :child AND created_at > :since)
SELECT json_build_object('school', c.school,
 'was', (SELECT json_agg(json_build_object('what', w.what, 'row_id', w.row_id,
     'at', w.created_at, 'from_code', w.from_code) ORDER BY w.created_at, w.id) FROM changed w),
 'assessments', (SELECT json_agg(json_build_object(@made(x), 'form', f.title,
     'number', x.number, 'agency_id', g.id, 'agency', g.name, 'signed_off_on', x.signed_off_on))
   FROM assessment x JOIN form f ON f.id = x.form_id JOIN agency g ON g.id = x.author_agency_id
   WHERE @touched(x)) AND x.state = 'signed_off' AND x.signed_off_on IS NOT NULL),
 'plans', (SELECT json_agg(json_build_object(@made(x), 'number', x.number, 'state', x.state,
     'agency_id', x.author_agency_id, 'started_on', x.started_on, 'agreed_on', x.agreed_on,
     'replaced_on', x.replaced_on))
   FROM plan x WHERE @touched(x))),
 'outcomes', (SELECT json_agg(json_build_object(@made(x), 'plan_state', p.state,
     'with_plan', x.created_at = p.created_at, 'agency_id', p.author_agency_id,
     'text', encode(x.text, 'hex'), 'state', x.state, 'baseline', x.baseline,
     'target', x.target,
     'scores', (SELECT json_agg(json_build_object(@made(s), 'on', s."on", 'value', s.value)
        ORDER BY s."on", s.id) FROM outcome_progress s
      WHERE s.outcome_id = x.id AND s.value IS NOT NULL)))
   FROM desired_outcome x JOIN plan p ON p.id = x.plan_id
   WHERE @touched(x) OR x.id IN (SELECT s.outcome_id FROM outcome_progress s
      WHERE s.child_id = :child AND s.created_at > :since AND s.value IS NOT NULL))),
 'actions', (SELECT json_agg(json_build_object(@made(x), 'plan_state', p.state,
     'with_plan', COALESCE(x.created_at = p.created_at, false),
     'agency_id', p.author_agency_id, 'met_on', m.held_on, 'text', encode(x.text, 'hex'),
     'owner_agency', g.name, 'owner_words', encode(x.owner_words, 'hex'), 'due_on', x.due_on,
     'state', x.state, 'done_on', x.done_on))
   FROM action x LEFT JOIN plan p ON p.id = x.plan_id LEFT JOIN meeting m ON m.id = x.meeting_id
   LEFT JOIN worker w ON w.id = x.owner_worker_id LEFT JOIN agency g ON g.id = w.agency_id
   WHERE @touched(x) OR (x.state IN ('to_do', 'doing') AND x.due_on >= :since_on
      AND x.due_on < :today))),
 'involvements', (SELECT json_agg(json_build_object(@made(x), 'agency_id', g.id,
     'agency', g.name, 'part', x.part, 'from_on', x.from_on,
     'expected_from_on', x.expected_from_on, 'until_on', x.until_on))
   FROM involvement x JOIN agency g ON g.id = x.agency_id
   WHERE @touched(x) OR (x.from_on > :since_on AND x.from_on <= :today)
      OR (x.until_on >= :since_on AND x.until_on < :today))),
 'leads', (SELECT json_agg(json_build_object(@made(x), 'worker_id', w.id, 'agency_id', g.id,
     'agency', g.name, 'worker', encode(w.name, 'hex'), 'state', x.state,
     'offered_on', x.offered_on, 'answered_on', x.answered_on, 'from_on', x.from_on,
     'until_on', x.until_on))
   FROM lead_professional x JOIN worker w ON w.id = x.worker_id
   JOIN agency g ON g.id = w.agency_id WHERE @touched(x) AND x.role = 'main')),
 'events', (SELECT json_agg(json_build_object(@made(x), 'happened_on', x.happened_on,
     'kind', x.kind, 'category', x.category, 'agency_id', x.author_agency_id,
     'text', encode(x.text, 'hex')))
   FROM significant_event x WHERE x.child_id = :child AND x.created_at > :since),
 'levels', (SELECT json_agg(json_build_object(@made(x), 'level', x.level,
     'judged_on', x.judged_on, 'agency_id', w.agency_id) ORDER BY x.judged_on, x.id)
   FROM level_of_need x LEFT JOIN worker w ON w.id = x.judged_by WHERE x.child_id = :child),
 'documents', (SELECT json_agg(json_build_object(@made(x), 'category', x.category,
     'agency_id', x.author_agency_id, 'title', encode(x.title, 'hex')))
   FROM document x WHERE x.child_id = :child AND x.created_at > :since),
 'words', (SELECT json_agg(json_build_object(@made(x), 'said_on', x.said_on,
     'person_id', x.family_member_id, 'agency_id', x.author_agency_id,
     'relationship', CASE WHEN x.family_member_id = :child THEN 'the child' ELSE
       (SELECT k.relationship FROM family_link k WHERE k.child_id = x.child_id
        AND k.family_member_id = x.family_member_id ORDER BY k.until_on DESC NULLS FIRST LIMIT 1)
       END, 'text', encode(x.text, 'hex')))
   FROM family_words x WHERE @touched(x)) AND x.said_on IS NOT NULL AND x.text IS NOT NULL),
 'agreements', (SELECT json_agg(json_build_object(@made(x), 'given', x.given,
     'by_words', x.by_words, 'level', x.level, 'named', x.named, 'from_on', x.from_on,
     'until_on', x.until_on, 'withdrawn_at', x.withdrawn_at,
     'agencies', (SELECT json_agg(g.name ORDER BY g.name) FROM agency g
        WHERE g.id = ANY (x.agencies))))
   FROM sharing_agreement x WHERE @touched(x) OR x.withdrawn_at > :since
      OR (x.from_on > :since_on AND x.from_on <= :today)
      OR (x.until_on >= :since_on AND x.until_on < :today))),
 'restrictions', (SELECT json_agg(json_build_object(@made(x), 'by_words', x.by_words,
     'categories', x.categories, 'from_on', x.from_on, 'until_on', x.until_on,
     'against', (SELECT json_agg(g.name ORDER BY g.name) FROM agency g
        WHERE g.id = ANY (x.against)),
     'is_person', (SELECT count(*) FROM agency g WHERE g.id = ANY (x.against))
        < cardinality(x.against)))
   FROM sharing_restriction x WHERE (@touched(x)
      OR (x.from_on > :since_on AND x.from_on <= :today)
      OR (x.until_on >= :since_on AND x.until_on < :today)))
     AND x.kind = 'choice' AND NOT x.silent),
 'transitions', (SELECT json_agg(json_build_object(@made(x), 'what', x.transition,
     'on', x.transition_on, 'referred_on', x.referred_on))
   FROM referral x WHERE x.child_id = :child AND x.state <> 'closed'
     AND x.transition_on IS NOT NULL)
)::text FROM child c WHERE c.id = :child
"""
_MADE = r"'id', \1.id, 'at', \1.created_at, 'by_job', \1.created_by = :job"
_TOUCHED = (
    r"\1.child_id = :child AND (\1.created_at > :since"
    r" OR \1.id IN (SELECT row_id FROM changed)"
)
"""A row that was made or changed since. Whoever names it may add to the choice, and closes it."""

CHANGES_QUERY = re.sub(r"@touched\((\w)\)", _TOUCHED, re.sub(r"@made\((\w)\)", _MADE, _QUERY))
READ_CHANGED = ReadModel(CHANGES_QUERY, Changed)
