"""The overview of one child's record: one read model, one query, decided entry by entry.

What stands on the page: what happens next, the plan in short, what the family said last, what is
new, who is involved, and what is not shown and why.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import msgspec

from consent import Category
from panel.panels.resting import rests_words
from panel.platform.crypto import ERASED
from panel.platform.problems import NotFound
from panel.platform.read_models import ReadModel
from panel.platform.tenancy import load_agency_keys
from panel.records.gate import NOT_HERE, Access, Withheld
from panel.records.who_leads import HOLDS_TODAY
from panel.register.service import ChildHeader, WhoFacts, header_from
from panel.web import words

CATEGORY_TITLES = {
    Category.IDENTITY: "Who the child is",
    Category.CONTACT: "Address and telephone",
    Category.NETWORK: "Who is involved",
    Category.HEALTH: "Health",
    Category.DEVELOPMENT: "Development",
    Category.EDUCATION: "Education",
    Category.SOCIAL_CARE: "Social care",
    Category.FAMILY: "Family",
    Category.FINANCE: "Money",
    Category.VIEWS: "The child's and the family's own words",
    Category.PLAN: "Plan",
    Category.PANEL: "Panel discussions",
    Category.SAFEGUARDING: "Safeguarding",
}


class _Outcome(msgspec.Struct):
    id: UUID
    text: str | None
    state: str
    baseline: int | None
    target: int | None
    latest: int | None


class _Action(msgspec.Struct):
    id: UUID
    text: str | None
    owner_words: str | None
    owner_id: UUID | None
    owner_agency_id: UUID | None
    owner_name: str | None
    due_on: date | None
    state: str


class _Plan(msgspec.Struct):
    agency_id: UUID
    state: str
    agreed_on: date | None
    outcomes: tuple[_Outcome, ...] | None
    actions: tuple[_Action, ...] | None


class _Involved(msgspec.Struct):
    agency_id: UUID
    agency: str
    part: str
    worker_id: UUID | None
    worker_agency_id: UUID | None
    worker: str | None
    from_on: date | None
    expected_from_on: date | None


class _Entry(msgspec.Struct):
    id: UUID
    on: date
    kind: str
    category: Category
    agency_id: UUID
    agency: str
    text: str | None


class _FamilyWords(msgspec.Struct):
    id: UUID
    said_on: date
    person_id: UUID | None
    agency_id: UUID | None
    relationship: str | None
    text: str | None


class _Panel(msgspec.Struct):
    key: str
    name: str
    referred_on: date
    last_discussed_on: date | None
    next_review_by: date | None
    rests_from: date | None
    meeting_on: date | None
    agenda_on: date | None
    transition: str | None
    transition_on: date | None


class _Case(WhoFacts, kw_only=True):
    id: UUID
    address: str | None
    postcode: str | None
    phone: str | None
    plan: _Plan | None
    involved: tuple[_Involved, ...] | None
    entries: tuple[_Entry, ...] | None
    words: tuple[_FamilyWords, ...] | None
    panels: tuple[_Panel, ...] | None
    assessed_on: date | None
    drafted_on: date | None


CASE_QUERY = """
SELECT json_build_object('restricted_on', (SELECT r.from_on FROM processing_restriction r
   WHERE r.child_id = c.id AND r.ended_on IS NULL),
 'id', c.id, 'reference', c.reference, 'birth_date', c.birth_date,
 'expected', c.expected_delivery_on, 'given_name', encode(c.given_name, 'hex'),
 'family_name', encode(c.family_name, 'hex'), 'known_as', encode(c.known_as, 'hex'),
 'nhs_number', encode(c.nhs_number, 'hex'), 'upn', encode(c.upn, 'hex'),
 'address', encode(c.address, 'hex'), 'postcode', encode(c.postcode, 'hex'),
 'phone', encode(c.phone, 'hex'),
 'lead', (SELECT json_build_object('id', w.id, 'agency_id', g.id, 'agency', g.name,
     'name', encode(w.name, 'hex'))
   FROM lead_professional l JOIN worker w ON w.id = l.worker_id JOIN agency g ON g.id = w.agency_id
   WHERE l.child_id = c.id AND {holds_today} LIMIT 1),
 'plan', (SELECT json_build_object('agency_id', p.author_agency_id, 'state', p.state,
     'agreed_on', p.agreed_on,
     'outcomes', (SELECT json_agg(json_build_object('id', o.id, 'text', encode(o.text, 'hex'),
         'state', o.state, 'baseline', o.baseline, 'target', o.target,
         'latest', (SELECT r.value FROM outcome_progress r WHERE r.outcome_id = o.id
            AND r.value IS NOT NULL ORDER BY r."on" DESC, r.id DESC LIMIT 1))
         ORDER BY o.position, o.id) FROM desired_outcome o WHERE o.plan_id = p.id),
     'actions', (SELECT json_agg(json_build_object('id', x.id, 'text', encode(x.text, 'hex'),
         'owner_words', encode(x.owner_words, 'hex'), 'owner_id', w.id,
         'owner_agency_id', w.agency_id, 'owner_name', encode(w.name, 'hex'),
         'due_on', x.due_on, 'state', x.state) ORDER BY x.due_on NULLS LAST, x.id)
       FROM action x LEFT JOIN worker w ON w.id = x.owner_worker_id
       WHERE x.plan_id = p.id AND x.state IN ('to_do', 'doing')))
   FROM plan p WHERE p.child_id = c.id AND p.state IN ('draft', 'agreed')
   ORDER BY p.number DESC LIMIT 1),
 'involved', (SELECT json_agg(json_build_object('agency_id', g.id, 'agency', g.name,
     'part', i.part, 'worker_id', w.id, 'worker_agency_id', w.agency_id,
     'worker', encode(w.name, 'hex'), 'from_on', i.from_on,
     'expected_from_on', i.expected_from_on) ORDER BY i.from_on NULLS LAST, g.name, i.id)
   FROM involvement i JOIN agency g ON g.id = i.agency_id LEFT JOIN worker w ON w.id = i.worker_id
   WHERE i.child_id = c.id AND (i.until_on IS NULL OR i.until_on >= :today)),
 'entries', (SELECT json_agg(e) FROM (
     SELECT v.id, v.happened_on AS on, v.kind, v.category, v.author_agency_id AS agency_id,
       g.name AS agency, encode(v.text, 'hex') AS text
     FROM significant_event v JOIN agency g ON g.id = v.author_agency_id WHERE v.child_id = c.id
     UNION ALL
     SELECT d.id, m.held_on, 'panel', d.category, d.author_agency_id, g.name,
       encode(d.text, 'hex')
     FROM discussion d JOIN meeting m ON m.id = d.meeting_id
     JOIN agency g ON g.id = d.author_agency_id
     WHERE d.child_id = c.id AND d.taken_back_at IS NULL
     ORDER BY 2 DESC, 1 DESC LIMIT 12) e),
 'words', (SELECT json_agg(f) FROM (
     SELECT y.id, y.said_on, y.family_member_id AS person_id, y.author_agency_id AS agency_id,
       k.relationship, encode(y.text, 'hex') AS text
     FROM family_words y LEFT JOIN family_link k
       ON k.child_id = y.child_id AND k.family_member_id = y.family_member_id
     WHERE y.child_id = c.id AND y.said_on IS NOT NULL ORDER BY y.said_on DESC, y.id DESC
     LIMIT 2) f),
 'panels', (SELECT json_agg(json_build_object('key', n.key, 'name', n.name,
     'referred_on', f.referred_on, 'last_discussed_on', f.last_discussed_on,
     'next_review_by', f.next_review_by, 'rests_from', f.rests_from,
     'meeting_on', t.held_on,
     'agenda_on', (SELECT min(u.held_on) FROM agenda_item a JOIN meeting u ON u.id = a.meeting_id
        WHERE a.child_id = c.id AND a.state = 'listed' AND u.panel_id = n.id
          AND u.state = 'frozen' AND u.held_on >= :today),
     'transition', f.transition, 'transition_on', f.transition_on) ORDER BY n.key)
   FROM referral f JOIN panel n ON n.id = f.panel_id
   LEFT JOIN meeting t ON t.id = f.review_meeting_id AND t.state <> 'cancelled'
   WHERE f.child_id = c.id AND f.state <> 'closed'),
 'assessed_on', (SELECT max(s.signed_off_on) FROM assessment s
    WHERE s.child_id = c.id AND s.form_key = 'caf' AND s.state = 'signed_off'),
 'drafted_on', (SELECT max(s.started_on) FROM assessment s
    WHERE s.child_id = c.id AND s.form_key = 'caf' AND s.state = 'draft')
)::text FROM child c WHERE c.id = :child
""".replace("{holds_today}", HOLDS_TODAY)
_READ = ReadModel(CASE_QUERY, _Case)


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of what is new: when, what kind, in which category, by whom, and the text."""

    on: str
    category: str
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class OutcomeLine:
    """One desired outcome: the words, how far it is."""

    text: str
    progress: str


@dataclass(frozen=True, slots=True)
class ActionLine:
    """One action that is open: what, who, by when, and whether that day is past."""

    text: str
    who: str
    due: str
    is_overdue: bool


@dataclass(frozen=True, slots=True)
class InvolvedLine:
    """One agency's part: who, what, since when or expected from."""

    agency: str
    who: str
    when: str


@dataclass(frozen=True, slots=True)
class Step:
    """What should happen, with a link to where it is done."""

    sentence: str
    link: str
    href: str


@dataclass(frozen=True, slots=True)
class CasePage:
    """What the overview says."""

    header: ChildHeader
    steps: Sequence[Step]
    outcomes: Sequence[OutcomeLine]
    actions: Sequence[ActionLine]
    plan_words: str
    family_words: Sequence[Line]
    news: Sequence[Line]
    involved: Sequence[InvolvedLine]
    contact: Sequence[tuple[str, str]]
    not_shown: Sequence[tuple[str, Withheld]]
    """(title of the category, what to say), for what is withheld and may be said to be."""
    child_words: str
    may_write: bool


async def read_case(access: Access) -> CasePage:
    """The overview of the record that `access` opened."""
    case = await _READ.line(access.session, child=access.child_id, today=access.today)
    if case is None:
        raise NotFound(NOT_HERE)
    await load_agency_keys(access.session, _agencies_named(case))
    return present(access, case)


def _agencies_named(case: _Case) -> set[UUID]:
    """Whose workers are named: their names are sealed with their agencies' keys."""
    named = {one.worker_agency_id for one in case.involved or ()}
    if case.plan is not None:
        named |= {one.owner_agency_id for one in case.plan.actions or ()}
    if case.lead is not None:
        named.add(case.lead.agency_id)
    return {agency for agency in named if agency is not None}


def present(access: Access, case: _Case) -> CasePage:
    """The read model as this viewer may see it, in words."""
    header = header_from(access, case)
    child = header.name if header.name != header.reference else "this child"
    not_shown = [
        (CATEGORY_TITLES[category], withheld)
        for category in Category
        if (withheld := access.withheld(category, child)) is not None and not withheld.silent
    ]
    may_plan = case.plan is not None and access.may(Category.PLAN, case.plan.agency_id)
    plan = case.plan if may_plan else None
    return CasePage(
        header=header,
        steps=_steps(access, case),
        outcomes=[_outcome(access, one) for one in (plan.outcomes if plan else None) or ()],
        actions=[_action(access, one) for one in (plan.actions if plan else None) or ()],
        plan_words=_plan_words(case),
        family_words=_family_words(access, case),
        news=[line for one in case.entries or () if (line := _news(access, one)) is not None],
        involved=[
            _involved(access, one)
            for one in case.involved or ()
            if access.may(Category.NETWORK, one.agency_id)
        ],
        contact=_contact(access, case),
        not_shown=not_shown,
        child_words=child,
        may_write=access.may_write,
    )


def _opened(access: Access, sealed: str | None, holder: UUID, field: str, row: UUID) -> str:
    """A sealed text that was decided on already."""
    if sealed is None:
        return ""
    return access.keys.open(holder, field, row, bytes.fromhex(sealed))


def _steps(access: Access, case: _Case) -> list[Step]:
    """What should happen, the panel first, then what is missing."""
    base = f"/children/{case.id}"
    steps = [
        Step(said, *_where_next(panel, said, base))
        for panel in case.panels or ()
        for said in _panel_words(access, panel)
    ]
    if case.assessed_on is None:
        steps.append(Step(_draft_words(case, access.today), "Assessment", f"{base}/assessments"))
    if case.plan is None or case.plan.state != "agreed":
        said = "No plan yet." if case.plan is None else "The plan is a draft: not agreed yet."
        steps.append(Step(said, "Plan", f"{base}/plan"))
    if case.lead is None:
        steps.append(Step("No lead professional.", "Offer it", f"{base}/lead-professional"))
    if not case.panels:
        steps.append(Step("Not before any panel.", "Refer", f"{base}/panels"))
    return steps


def _draft_words(case: _Case, today: date) -> str:
    if case.drafted_on is None:
        return "No assessment yet."
    return f"An assessment was begun, {words.day_and_distance(case.drafted_on, today)}."


def _where_next(panel: _Panel, said: str, base: str) -> tuple[str, str]:
    """Where a step is done: reviews that rest go on from the meetings around the family."""
    if panel.rests_from is not None and said == _resting(panel.rests_from):
        return "Meetings (IMPACT)", f"{base}/meetings"
    return "Panels", f"{base}/panels"


def _panel_words(access: Access, panel: _Panel) -> list[str]:
    """Where the child stands before one panel, and the transition that is coming.

    That something is coming is a process fact; what it is are the panel's words.
    """
    today = access.today
    said = [_next_panel_words(panel, today)]
    if panel.transition and panel.transition_on and panel.transition_on >= today:
        when = words.day_and_distance(panel.transition_on, today)
        what = panel.transition if access.may(Category.PANEL) else "a change"
        said.append(f"Coming: {what}, {when}.")
    return said


def _resting(since: date) -> str:
    return f"{rests_words(since)}."


def _next_panel_words(panel: _Panel, today: date) -> str:
    due, placed = panel.next_review_by, panel.meeting_on
    if panel.rests_from is not None and panel.agenda_on is None:
        return _resting(panel.rests_from)
    if panel.agenda_on is not None:
        when = words.day_and_distance(panel.agenda_on, today)
        return f"On the agenda of the {panel.name}, {when}."
    if due is not None and due < today:
        return f"Review overdue: due {words.day_and_distance(due, today)}."
    if placed is not None:
        return f"Review at the {panel.name}, {words.day_and_distance(placed, today)}."
    if due is not None:
        return f"Review due by {words.day_and_distance(due, today)}."
    referred = words.day_and_distance(panel.referred_on, today)
    return f"Referred to the {panel.name}, {referred}; not discussed yet."


def _plan_words(case: _Case) -> str:
    if case.plan is None:
        return "There is no plan yet."
    if case.plan.agreed_on is None:
        return "A draft: not agreed yet."
    return f"Agreed on {words.short_day(case.plan.agreed_on)}."


def _outcome(access: Access, one: _Outcome) -> OutcomeLine:
    progress = {"reached": "Reached", "stopped": "Stopped"}.get(one.state, "Working towards")
    if one.latest is not None and one.target is not None:
        start = "" if one.baseline is None else f"from {one.baseline} "
        progress = f"{progress}: {start}to {one.latest} of {one.target}"
    told = _opened(access, one.text, access.child_id, "desired_outcome.text", one.id)
    return OutcomeLine(told, progress)


def _action(access: Access, one: _Action) -> ActionLine:
    told = _opened(access, one.text, access.child_id, "action.text", one.id)
    who = _opened(access, one.owner_words, access.child_id, "action.owner_words", one.id)
    if one.owner_id is not None and one.owner_agency_id is not None:
        who = _opened(access, one.owner_name, one.owner_agency_id, "worker.name", one.owner_id)
    return ActionLine(
        told,
        who or "Nobody yet",
        "" if one.due_on is None else words.day_and_distance(one.due_on, access.today),
        one.due_on is not None and one.due_on < access.today,
    )


def _family_words(access: Access, case: _Case) -> list[Line]:
    lines: list[Line] = []
    for one in case.words or ():
        told = access.open_text(
            one.text, "family_words.text", one.id, Category.VIEWS, one.agency_id, one.person_id
        )
        if told and told != ERASED:
            by = (one.relationship or "the family").capitalize()
            lines.append(Line(words.short_day(one.said_on), "views", by, told))
    return lines


def _news(access: Access, one: _Entry) -> Line | None:
    field = "discussion.text" if one.kind == "panel" else "significant_event.text"
    told = access.open_text(one.text, field, one.id, one.category, one.agency_id)
    if not told:
        return None
    return Line(words.short_day(one.on), CATEGORY_TITLES[one.category], one.agency, told)


def _involved(access: Access, one: _Involved) -> InvolvedLine:
    who = ""
    if one.worker_id is not None and one.worker_agency_id is not None:
        who = _opened(access, one.worker, one.worker_agency_id, "worker.name", one.worker_id)
    if one.from_on is not None and one.from_on <= access.today:
        when = f"since {words.short_day(one.from_on)}"
    elif (coming := one.from_on or one.expected_from_on) is not None:
        when = f"expected from {words.short_day(coming)}"
    else:
        when = "expected"
    part = f"{one.agency}: {one.part}" if one.part else one.agency
    return InvolvedLine(part, who, when)


def _contact(access: Access, case: _Case) -> list[tuple[str, str]]:
    if not access.may(Category.CONTACT):
        return []
    rows: list[tuple[str, str]] = []
    for label, field, sealed in (
        ("Address", "address", case.address),
        ("Postcode", "postcode", case.postcode),
        ("Telephone", "phone", case.phone),
    ):
        told = _opened(access, sealed, case.id, f"child.{field}", case.id)
        if told:
            rows.append((label, told))
    return rows
