"""Who lacks a next step: one set query for each kind, over process facts and no content.

Each gives child_id, about_id (the row it is about), since_on, worker_id and agency_id (who might
mend it; None where nobody is named). They are asked within scheduled work, for open episodes alone
and for no record that may only be kept. `:today` and the days in `Limits` are bound by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from panel.platform.read_models import sql


class GapKind(StrEnum):
    """What a child lacks."""

    NO_LEAD = "no_lead"
    LEAD_LEFT = "lead_left"
    LEAD_NOT_COVERED = "lead_not_covered"
    OFFER_UNANSWERED = "offer_unanswered"
    NO_ASSESSMENT = "no_assessment"
    NO_PLAN = "no_plan"
    PLAN_NOT_AGREED = "plan_not_agreed"
    ACTION_OVERDUE = "action_overdue"
    REFERRAL_UNANSWERED = "referral_unanswered"
    NO_NEXT_REVIEW = "no_next_review"
    REVIEW_OVERDUE = "review_overdue"
    NOTES_NOT_SENT = "notes_not_sent"
    QUESTION_UNANSWERED = "question_unanswered"
    IMPACT_NO_MEETING = "impact_no_meeting"
    MINUTES_NOT_SENT = "minutes_not_sent"
    TRANSITION_NO_OWNER = "transition_no_owner"
    TRANSITION_NO_AGENCY = "transition_no_agency"
    TRANSITION_OVERDUE = "transition_overdue"
    MOVE_NOT_HANDED_OVER = "move_not_handed_over"
    HANDOVER_UNANSWERED = "handover_unanswered"
    HANDOVER_REFUSED = "handover_refused"
    EXPECTED_NOT_BEGUN = "expected_not_begun"
    NOBODY_INVOLVED = "nobody_involved"
    SHARING_ENDED = "sharing_ended"
    ACCESS_UNANSWERED = "access_unanswered"


KIND_WORDS: Mapping[GapKind, str] = {
    GapKind.NO_LEAD: "No lead professional",
    GapKind.LEAD_LEFT: "The lead professional has left",
    GapKind.LEAD_NOT_COVERED: "The lead professional is away and nobody covers",
    GapKind.OFFER_UNANSWERED: "Asked to lead, and no answer",
    GapKind.NO_ASSESSMENT: "No assessment",
    GapKind.NO_PLAN: "No plan",
    GapKind.PLAN_NOT_AGREED: "The plan is not agreed",
    GapKind.ACTION_OVERDUE: "An action is overdue",
    GapKind.REFERRAL_UNANSWERED: "The referral is not answered",
    GapKind.NO_NEXT_REVIEW: "No next review",
    GapKind.REVIEW_OVERDUE: "The review is overdue",
    GapKind.NOTES_NOT_SENT: "The family has no notes",
    GapKind.QUESTION_UNANSWERED: "The family’s question is not answered",
    GapKind.IMPACT_NO_MEETING: "In IMPACT, with no next meeting",
    GapKind.MINUTES_NOT_SENT: "The family has no minutes",
    GapKind.TRANSITION_NO_OWNER: "Nobody prepares a change",
    GapKind.TRANSITION_NO_AGENCY: "A change with no receiving agency",
    GapKind.TRANSITION_OVERDUE: "A change is overdue",
    GapKind.MOVE_NOT_HANDED_OVER: "A move that is not handed over",
    GapKind.HANDOVER_UNANSWERED: "Another authority has not answered",
    GapKind.HANDOVER_REFUSED: "Another authority refused the handover",
    GapKind.EXPECTED_NOT_BEGUN: "An agency was expected and has not begun",
    GapKind.NOBODY_INVOLVED: "No agency is involved",
    GapKind.SHARING_ENDED: "The agreement to share has ended",
    GapKind.ACCESS_UNANSWERED: "A request to see more is not answered",
}
ORDER = tuple(GapKind)
TELLS_OF_A_MOVE = frozenset(
    {GapKind.MOVE_NOT_HANDED_OVER, GapKind.HANDOVER_UNANSWERED, GapKind.HANDOVER_REFUSED}
)
"""What tells where the child will live: listed for who may know where the child lives."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The days from which something has waited too long, as an authority counts them."""

    today: date
    answered_by: date
    """Referrals, offers and questions of this day or before should have an answer."""
    agreed_by: date
    """Plans begun on this day or before should be agreed."""
    done_by: date
    """Actions due on this day or before are overdue, although their owner was asked."""
    access_by: date
    """Requests for access of this day or before."""


_OPEN = """
WITH open AS MATERIALIZED (
  SELECT e.child_id, e.id AS episode_id, e.opened_on FROM episode e
   WHERE e.closed_on IS NULL AND NOT EXISTS (
     SELECT FROM processing_restriction r WHERE r.child_id = e.child_id AND r.ended_on IS NULL)),
lead AS MATERIALIZED (
  SELECT DISTINCT ON (l.child_id) l.child_id, l.id, l.worker_id, w.agency_id,
         w.until_on AS left_on
    FROM lead_professional l JOIN worker w ON w.id = l.worker_id
   WHERE l.state = 'accepted' AND l.role = 'main' ORDER BY l.child_id, l.from_on, l.id)
"""
_LED = "FROM open o LEFT JOIN lead l ON l.child_id = o.child_id"
_BY_LEAD = "l.worker_id, l.agency_id"

_QUERIES: Mapping[GapKind, str] = {
    GapKind.NO_LEAD: """
SELECT o.child_id, o.episode_id AS about_id, COALESCE(
    (SELECT max(p.until_on) + 1 FROM lead_professional p WHERE p.child_id = o.child_id
        AND p.role = 'main'
        AND p.until_on >= o.opened_on), o.opened_on) AS since_on,
    NULL::uuid AS worker_id, NULL::uuid AS agency_id
  {led} WHERE l.id IS NULL""",
    GapKind.LEAD_LEFT: """
SELECT o.child_id, l.id AS about_id, l.left_on + 1 AS since_on, l.worker_id, l.agency_id
  {led} WHERE l.left_on < :today""",
    GapKind.LEAD_NOT_COVERED: """
SELECT o.child_id, c.id AS about_id, c.from_on AS since_on, {by_lead}
  {led} JOIN lead_cover c ON c.lead_id = l.id
 WHERE c.state = 'offered' AND c.from_on <= :today AND c.until_on >= :today
   AND NOT EXISTS (SELECT FROM lead_cover a WHERE a.lead_id = l.id AND a.state = 'accepted'
     AND a.from_on <= :today AND a.until_on >= :today)""",
    GapKind.OFFER_UNANSWERED: """
SELECT o.child_id, f.id AS about_id, f.offered_on AS since_on, f.worker_id, f.agency_id
  FROM open o JOIN lead_professional f ON f.child_id = o.child_id
 WHERE f.state = 'offered' AND f.offered_on <= :answered_by""",
    GapKind.NO_ASSESSMENT: """
SELECT o.child_id, o.episode_id AS about_id, o.opened_on AS since_on, {by_lead}
  {led} WHERE NOT EXISTS (SELECT FROM assessment a WHERE a.child_id = o.child_id)""",
    GapKind.NO_PLAN: """
SELECT o.child_id, o.episode_id AS about_id, o.opened_on AS since_on, {by_lead}
  {led} WHERE NOT EXISTS (SELECT FROM plan p WHERE p.child_id = o.child_id
     AND p.state IN ('draft', 'agreed'))""",
    GapKind.PLAN_NOT_AGREED: """
SELECT o.child_id, p.id AS about_id, p.started_on AS since_on, {by_lead}
  {led} JOIN plan p ON p.child_id = o.child_id AND p.state = 'draft'
 WHERE p.started_on <= :agreed_by AND NOT EXISTS (SELECT FROM plan g
     WHERE g.child_id = o.child_id AND g.state = 'agreed')""",
    GapKind.ACTION_OVERDUE: """
SELECT o.child_id, t.id AS about_id, t.due_on AS since_on,
    COALESCE(t.owner_worker_id, l.worker_id) AS worker_id, COALESCE(w.agency_id, l.agency_id)
      AS agency_id
  {led} JOIN action t ON t.child_id = o.child_id
  LEFT JOIN worker w ON w.id = t.owner_worker_id
  LEFT JOIN plan p ON p.id = t.plan_id
 WHERE t.state IN ('to_do', 'doing') AND t.due_on <= :done_by AND t.moved_away_at IS NULL
   AND (p.id IS NULL OR p.state IN ('draft', 'agreed'))""",
    GapKind.REFERRAL_UNANSWERED: """
SELECT f.child_id, f.id AS about_id, f.referred_on AS since_on, NULL::uuid AS worker_id,
    NULL::uuid AS agency_id
  FROM referral f WHERE f.state = 'received' AND f.referred_on <= :answered_by
   AND NOT EXISTS (SELECT FROM processing_restriction r
     WHERE r.child_id = f.child_id AND r.ended_on IS NULL)""",
    GapKind.NO_NEXT_REVIEW: """
SELECT o.child_id, f.id AS about_id, f.last_discussed_on AS since_on, {by_lead}
  {led} JOIN referral f ON f.child_id = o.child_id
  JOIN panel p ON p.id = f.panel_id AND p.kind = 'contacts'
 WHERE f.state <> 'closed' AND f.last_discussed_on IS NOT NULL
   AND f.next_review_by IS NULL AND f.deferred_on IS NULL AND f.rests_from IS NULL""",
    GapKind.REVIEW_OVERDUE: """
SELECT o.child_id, f.id AS about_id, f.next_review_by AS since_on, {by_lead}
  {led} JOIN referral f ON f.child_id = o.child_id
 WHERE f.state <> 'closed' AND f.next_review_by < :today AND f.rests_from IS NULL""",
    GapKind.NOTES_NOT_SENT: """
SELECT o.child_id, i.id AS about_id, m.held_on AS since_on, {by_lead}
  {led} JOIN agenda_item i ON i.child_id = o.child_id AND i.state = 'discussed'
  JOIN meeting m ON m.id = i.meeting_id AND m.ended_at IS NOT NULL
  JOIN panel p ON p.id = m.panel_id AND p.kind = 'contacts'
 WHERE m.held_on <= :answered_by AND NOT EXISTS (SELECT FROM family_note n
     WHERE n.meeting_id = m.id AND n.child_id = o.child_id AND n.state = 'signed_off')""",
    GapKind.QUESTION_UNANSWERED: """
SELECT o.child_id, q.id AS about_id, q.said_on AS since_on, {by_lead}
  {led} JOIN (SELECT id, child_id, answer, replied_at,
      (said_at AT TIME ZONE 'Europe/London')::date AS said_on FROM note_answer) q
    ON q.child_id = o.child_id
 WHERE q.answer = 'question' AND q.replied_at IS NULL AND q.said_on <= :answered_by""",
    GapKind.IMPACT_NO_MEETING: """
SELECT o.child_id, s.id AS about_id, GREATEST(s.from_on,
    (SELECT max(h.held_on) FROM impact_meeting h WHERE h.episode_id = o.episode_id
        AND h.state = 'held')) AS since_on, {by_lead}
  {led} JOIN episode_step s ON s.episode_id = o.episode_id AND s.kind = 'impact'
    AND s.until_on IS NULL AND s.from_on <= :today
 WHERE NOT EXISTS (SELECT FROM impact_meeting m WHERE m.episode_id = o.episode_id
     AND m.state IN ('planned', 'called') AND m.held_on >= :today)""",
    GapKind.MINUTES_NOT_SENT: """
SELECT o.child_id, m.id AS about_id, m.held_on AS since_on, {by_lead}
  {led} JOIN impact_meeting m ON m.episode_id = o.episode_id AND m.state = 'held'
 WHERE m.held_on <= :answered_by AND NOT EXISTS (SELECT FROM impact_minutes t
     WHERE t.meeting_id = m.id AND t.state = 'sent')""",
    GapKind.TRANSITION_NO_OWNER: """
SELECT o.child_id, t.id AS about_id, t.watch_from AS since_on, {by_lead}
  {led} JOIN transition t ON t.child_id = o.child_id
 WHERE t.state IN ('watched', 'planned') AND t.owner_worker_id IS NULL
   AND t.watch_from <= :today AND t.due_on >= :today""",
    GapKind.TRANSITION_NO_AGENCY: """
SELECT o.child_id, t.id AS about_id, t.watch_from AS since_on,
    COALESCE(t.owner_worker_id, l.worker_id) AS worker_id,
    COALESCE(w.agency_id, l.agency_id) AS agency_id
  {led} JOIN transition t ON t.child_id = o.child_id
  LEFT JOIN worker w ON w.id = t.owner_worker_id
 WHERE t.state IN ('watched', 'planned') AND t.receiving_agency_id IS NULL
   AND t.kind NOT IN ('own_agreement', 'dla_to_pip', 'new_authority')
   AND t.watch_from <= :today AND t.due_on >= :today""",
    GapKind.TRANSITION_OVERDUE: """
SELECT o.child_id, t.id AS about_id, t.due_on AS since_on,
    COALESCE(t.owner_worker_id, l.worker_id) AS worker_id,
    COALESCE(w.agency_id, l.agency_id) AS agency_id
  {led} JOIN transition t ON t.child_id = o.child_id
  LEFT JOIN worker w ON w.id = t.owner_worker_id
 WHERE t.state IN ('watched', 'planned') AND t.due_on < :today
   AND t.kind <> 'new_authority'""",
    GapKind.MOVE_NOT_HANDED_OVER: """
SELECT o.child_id, t.id AS about_id, t.due_on AS since_on,
    COALESCE(t.owner_worker_id, l.worker_id) AS worker_id,
    COALESCE(w.agency_id, l.agency_id) AS agency_id
  {led} JOIN transition t ON t.child_id = o.child_id
  LEFT JOIN worker w ON w.id = t.owner_worker_id
 WHERE t.kind = 'new_authority' AND t.state IN ('watched', 'planned')
   AND t.watch_from <= :today AND NOT EXISTS (SELECT FROM authority_handover h
     WHERE h.child_id = o.child_id AND h.direction = 'out'
       -- One that was accepted before this move was known of was an earlier move's.
       AND (h.state IN ('sent', 'refused') OR h.state = 'accepted'
         AND h.answered_on >= (t.created_at AT TIME ZONE 'Europe/London')::date))""",
    GapKind.HANDOVER_UNANSWERED: """
SELECT o.child_id, h.id AS about_id, h.sent_on AS since_on, {by_lead}
  {led} JOIN authority_handover h ON h.child_id = o.child_id
 WHERE h.direction = 'out' AND h.state = 'sent' AND h.sent_on <= :answered_by""",
    GapKind.HANDOVER_REFUSED: """
SELECT o.child_id, h.id AS about_id, h.answered_on AS since_on, {by_lead}
  {led} JOIN authority_handover h ON h.child_id = o.child_id
 WHERE h.direction = 'out' AND h.state = 'refused' AND h.answered_on >= o.opened_on
   AND NOT EXISTS (SELECT FROM authority_handover n WHERE n.child_id = h.child_id
     AND n.direction = 'out' AND n.created_at > h.created_at)""",
    GapKind.EXPECTED_NOT_BEGUN: """
SELECT o.child_id, i.id AS about_id, i.expected_from_on AS since_on, {by_lead}
  {led} JOIN involvement i ON i.child_id = o.child_id
 WHERE i.from_on IS NULL AND i.until_on IS NULL AND i.expected_from_on < :today""",
    GapKind.NOBODY_INVOLVED: """
SELECT o.child_id, o.episode_id AS about_id, o.opened_on AS since_on, {by_lead}
  {led} WHERE NOT EXISTS (SELECT FROM involvement i WHERE i.child_id = o.child_id
     AND i.from_on <= :today AND (i.until_on IS NULL OR i.until_on >= :today))""",
    GapKind.SHARING_ENDED: """
SELECT o.child_id, o.episode_id AS about_id, s.ended_on AS since_on, {by_lead}
  {led} JOIN (SELECT a.child_id, max(LEAST(a.until_on, a.lapses_on)) AS ended_on
      FROM sharing_agreement a WHERE a.given AND a.withdrawn_at IS NULL GROUP BY a.child_id) s
    ON s.child_id = o.child_id
 WHERE s.ended_on < :today""",
    GapKind.ACCESS_UNANSWERED: """
SELECT o.child_id, q.id AS about_id, q.asked_on AS since_on, {by_lead}
  {led} JOIN access_request q ON q.child_id = o.child_id
 WHERE q.state = 'asked' AND q.asked_on <= :access_by""",
}

_WATCH = """
{open}, found AS MATERIALIZED ({query}),
closed AS (
  UPDATE gap g SET closed_on = :today, changed_at = :now, changed_by = :viewer,
    version = g.version + 1
   WHERE g.kind = :kind AND g.closed_on IS NULL
     AND NOT EXISTS (SELECT FROM found f WHERE f.about_id = g.about_id
       AND f.child_id = g.child_id)
  RETURNING 1),
kept AS (
  UPDATE gap g SET worker_id = f.worker_id, agency_id = f.agency_id, since_on = f.since_on,
    changed_at = :now, changed_by = :viewer, version = g.version + 1
   FROM found f WHERE g.kind = :kind AND g.closed_on IS NULL AND g.about_id = f.about_id
     AND g.child_id = f.child_id
     AND (g.worker_id, g.agency_id, g.since_on) IS DISTINCT FROM
         (f.worker_id, f.agency_id, f.since_on)
  RETURNING 1)
INSERT INTO gap (id, child_id, kind, about_id, since_on, found_on, worker_id, agency_id,
  created_at, created_by, changed_at, changed_by, version)
SELECT gen_random_uuid(), f.child_id, :kind, f.about_id, f.since_on, :today, f.worker_id,
  f.agency_id, :now, :viewer, :now, :viewer, 1 FROM found f
ON CONFLICT (kind, about_id) WHERE closed_on IS NULL DO NOTHING
"""
WATCH: Mapping[GapKind, str] = {
    kind: sql(_WATCH, open=_OPEN, query=sql(query, led=_LED, by_lead=_BY_LEAD))
    for kind, query in _QUERIES.items()
}
"""For each kind, the statement that opens and closes its gaps; again, it changes nothing."""
