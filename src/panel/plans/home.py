"""What a lead professional opens first: their children, offers to them, drafts of assessments."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy import text

from consent import Category, Viewer
from panel.platform.tables import NOW, today_of
from panel.platform.tenancy import load_keys
from panel.records.gate import Access, Gate, Purposes
from panel.register.service import name_of_child
from panel.web.paging import Asked, Page, page_of

CHILDREN_A_PAGE = 20
MOST_OTHERS = 20
LOOKING = "looked at the list of their children"
NO_DATE = date(9999, 12, 31)
HOME_KEY = (date, UUID)
"""The kinds in a cursor of the home's list: the next date, the child."""


@dataclass(frozen=True, slots=True)
class NextAction:
    """The action of a child's that is due first. Text None: it is not shown."""

    id: UUID
    text: str | None
    owner: str
    due_on: date | None
    is_mine: bool


@dataclass(frozen=True, slots=True)
class Said:
    """What the family said last."""

    text: str
    on: date


@dataclass(frozen=True, slots=True)
class MyChild:
    """One child of a lead professional's, and what is next."""

    child_id: UUID
    reference: str
    name: str
    """Empty where the name is withheld."""
    holds_since: date
    next_on: date | None
    meeting_on: date | None
    review_by: date | None
    plan_state: str | None
    action: NextAction | None
    overdue_actions: int
    said: Said | None
    offered_to: str
    offered_on: date | None


@dataclass(frozen=True, slots=True)
class OfferToMe:
    """An offer that waits for an answer."""

    id: UUID
    reference: str
    name: str
    offered_by: str
    offered_on: date
    covers: bool = False
    """Whether it is asked to cover for some days, not to hold the plan."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An assessment of mine that is not signed off."""

    child_id: UUID
    assessment_id: UUID
    reference: str
    name: str
    form: str
    started_on: date


@dataclass(frozen=True, slots=True)
class LeadHome:
    """The lead professional's first page. `children` is one page of the list, soonest first."""

    today: date
    children: Page[MyChild]
    number_of_children: int
    overdue_actions: int
    overdue_reviews: int
    offers: tuple[OfferToMe, ...]
    drafts: tuple[Draft, ...]


class _Worker(msgspec.Struct):
    id: UUID
    agency_id: UUID
    name: str | None


class _Action(msgspec.Struct):
    id: UUID
    text: str | None
    author_agency_id: UUID | None
    owner: _Worker | None
    owner_words: str | None
    due_on: date | None


class _Words(msgspec.Struct):
    id: UUID
    text: str | None
    said_on: date
    family_member_id: UUID | None
    author_agency_id: UUID | None


class _Handing(msgspec.Struct):
    offered_on: date
    to: _Worker


class _Child(msgspec.Struct):
    child_id: UUID
    reference: str
    given_name: str | None
    family_name: str | None
    holds_since: date
    next_on: date
    meeting_on: date | None
    review_by: date | None
    plan_state: str | None
    overdue: int
    action: _Action | None
    said: _Words | None
    handing: _Handing | None


class _Offer(msgspec.Struct):
    id: UUID
    child_id: UUID
    reference: str
    given_name: str | None
    family_name: str | None
    covers: bool
    offered_on: date
    by: _Worker | None


class _Draft(msgspec.Struct):
    id: UUID
    child_id: UUID
    reference: str
    given_name: str | None
    family_name: str | None
    form: str
    started_on: date


class _Home(msgspec.Struct):
    children: tuple[_Child, ...] | None
    offers: tuple[_Offer, ...] | None
    drafts: tuple[_Draft, ...] | None
    number_of_children: int
    overdue_actions: int
    overdue_reviews: int


# Every part starts from child_access: a list that does not takes a hundred times as long.
_HOME = """
WITH led AS (
  SELECT l.child_id, l.from_on AS holds_since
  FROM child_access x JOIN lead_professional l ON l.child_id = x.child_id
  WHERE x.viewer_id = :viewer AND x.valid_from <= :now AND x.valid_until >= :now
    AND l.worker_id = :viewer AND l.state IN ('accepted', 'ended') AND l.from_on <= :today
    AND (l.until_on IS NULL OR l.until_on >= :today)
  UNION ALL
  SELECT v.child_id, v.from_on
  FROM child_access x JOIN lead_cover v ON v.child_id = x.child_id
  WHERE x.viewer_id = :viewer AND x.valid_from <= :now AND x.valid_until >= :now
    AND v.worker_id = :viewer AND v.state = 'accepted' AND v.from_on <= :today
    AND v.until_on >= :today
), mine AS MATERIALIZED (
  SELECT child_id, min(holds_since) AS holds_since FROM led GROUP BY child_id
), dated AS MATERIALIZED (
  SELECT m.child_id, m.holds_since, d.meeting_on, v.review_by,
    COALESCE(LEAST(d.meeting_on, v.review_by), :no_date) AS next_on,
    (SELECT count(*) FROM action t LEFT JOIN plan p ON p.id = t.plan_id
     WHERE t.child_id = m.child_id AND t.state IN ('to_do', 'doing') AND t.due_on < :today
       AND (p.id IS NULL OR p.state IN ('draft', 'agreed'))) AS overdue
  FROM mine m
  LEFT JOIN LATERAL (SELECT min(t.held_on) AS meeting_on
    FROM agenda_item i JOIN meeting t ON t.id = i.meeting_id
    WHERE i.child_id = m.child_id AND i.state = 'listed'
      AND t.state IN ('planned', 'frozen') AND t.held_on >= :today) d ON true
  LEFT JOIN LATERAL (SELECT min(COALESCE(t.held_on, f.next_review_by)) AS review_by
    FROM referral f LEFT JOIN meeting t ON t.id = f.review_meeting_id AND t.state <> 'cancelled'
    WHERE f.child_id = m.child_id AND f.state <> 'closed' AND f.rests_from IS NULL) v ON true
), placed AS (
  SELECT *, row_number() OVER (ORDER BY next_on, child_id) AS place FROM dated
), shown AS (
  SELECT * FROM placed
  WHERE CAST(:key_on AS date) IS NULL
     OR (:step = 1 AND (next_on, child_id) > (CAST(:key_on AS date), CAST(:key_child AS uuid)))
     OR (:step = -1 AND (next_on, child_id) < (CAST(:key_on AS date), CAST(:key_child AS uuid)))
  ORDER BY place * :step LIMIT :rows
)
SELECT json_build_object(
  'number_of_children', (SELECT count(*) FROM dated),
  'overdue_actions', (SELECT COALESCE(sum(overdue), 0)::int FROM dated),
  'overdue_reviews', (SELECT count(*) FROM dated WHERE review_by < :today),
  'children', (SELECT json_agg(json_build_object('child_id', s.child_id,
      'reference', c.reference, 'given_name', encode(c.given_name, 'hex'),
      'family_name', encode(c.family_name, 'hex'),
      'holds_since', s.holds_since, 'next_on', s.next_on, 'meeting_on', s.meeting_on,
      'review_by', s.review_by, 'overdue', s.overdue,
      'plan_state', (SELECT p.state FROM plan p WHERE p.child_id = s.child_id
         AND p.state IN ('draft', 'agreed') ORDER BY p.number DESC LIMIT 1),
      'action', (SELECT json_build_object('id', t.id, 'text', encode(t.text, 'hex'),
           'author_agency_id', p.author_agency_id,
           'owner', CASE WHEN w.id IS NOT NULL THEN json_build_object('id', w.id,
           'agency_id', w.agency_id, 'name', encode(w.name, 'hex')) END,
           'owner_words', encode(t.owner_words, 'hex'), 'due_on', t.due_on)
         FROM action t LEFT JOIN plan p ON p.id = t.plan_id
         LEFT JOIN worker w ON w.id = t.owner_worker_id
         WHERE t.child_id = s.child_id AND t.state IN ('to_do', 'doing')
           AND (p.id IS NULL OR p.state IN ('draft', 'agreed'))
         ORDER BY t.due_on NULLS LAST, t.id LIMIT 1),
      'said', (SELECT json_build_object('id', y.id, 'text', encode(y.text, 'hex'),
           'said_on', y.said_on, 'family_member_id', y.family_member_id,
           'author_agency_id', y.author_agency_id)
         FROM family_words y WHERE y.child_id = s.child_id AND y.said_on IS NOT NULL
         ORDER BY y.said_on DESC, y.id DESC LIMIT 1),
      'handing', (SELECT json_build_object('offered_on', h.offered_on,
           'to', json_build_object('id', w.id,
           'agency_id', w.agency_id, 'name', encode(w.name, 'hex')))
         FROM lead_professional h JOIN worker w ON w.id = h.worker_id
         WHERE h.child_id = s.child_id AND h.state = 'offered' ORDER BY h.offered_on LIMIT 1))
      ORDER BY s.place * :step)
    FROM shown s JOIN child c ON c.id = s.child_id),
  'offers', (SELECT json_agg(o) FROM (SELECT l.id, l.child_id, c.reference,
      encode(c.given_name, 'hex') AS given_name, encode(c.family_name, 'hex') AS family_name,
      l.covers, l.offered_on, CASE WHEN w.id IS NOT NULL THEN json_build_object('id', w.id,
           'agency_id', w.agency_id, 'name', encode(w.name, 'hex')) END AS by
    FROM child_access x JOIN (
      SELECT id, child_id, offered_on, offered_by, false AS covers FROM lead_professional
       WHERE worker_id = :viewer AND state = 'offered'
      UNION ALL
      SELECT id, child_id, offered_on, offered_by, true FROM lead_cover
       WHERE worker_id = :viewer AND state = 'offered' AND until_on >= :today
    ) l ON l.child_id = x.child_id
    JOIN child c ON c.id = l.child_id LEFT JOIN worker w ON w.id = l.offered_by
    WHERE x.viewer_id = :viewer AND x.valid_from <= :now AND x.valid_until >= :now
    ORDER BY l.offered_on, l.id LIMIT :others) o),
  'drafts', (SELECT json_agg(o) FROM (SELECT s.id, s.child_id, c.reference,
      encode(c.given_name, 'hex') AS given_name, encode(c.family_name, 'hex') AS family_name,
      f.title AS form, s.started_on
    FROM child_access x JOIN assessment s ON s.child_id = x.child_id
    JOIN child c ON c.id = s.child_id JOIN form f ON f.id = s.form_id
    WHERE x.viewer_id = :viewer AND x.valid_from <= :now AND x.valid_until >= :now
      AND s.author_id = :viewer AND s.state = 'draft'
    ORDER BY s.started_on, s.id LIMIT :others) o)
)::text
"""
_READ_HOME = msgspec.json.Decoder(_Home)


async def home_of_lead(gate: Gate, viewer: Viewer, purposes: Purposes, asked: Asked) -> LeadHome:
    """My children with what is next, what is overdue and what the family said; offers; drafts.

    One query; what it holds of a child is opened through the gate, which logs the look.
    """
    async with gate.tenant.transaction(viewer.id) as session:
        day = today_of(session)
        key_on, key_child = asked.key or (None, None)
        found = await session.execute(
            text(_HOME),
            {
                "viewer": viewer.id,
                "now": session.info[NOW],
                "today": day,
                "no_date": NO_DATE,
                "key_on": key_on,
                "key_child": key_child,
                "step": -1 if key_on is not None and asked.direction == "before" else 1,
                "rows": CHILDREN_A_PAGE + 1,
                "others": MOST_OTHERS,
            },
        )
        home = _READ_HOME.decode(found.scalar_one())
        listed = home.children or ()
        offers, drafts = home.offers or (), home.drafts or ()
        reached = [one.child_id for one in listed[:CHILDREN_A_PAGE]]
        reached += [one.child_id for one in offers] + [one.child_id for one in drafts]
        opened = await gate.open_here(session, dict.fromkeys(reached), viewer, purposes, LOOKING)
        workers = [
            *(one.action.owner for one in listed if one.action and one.action.owner),
            *(one.handing.to for one in listed if one.handing),
            *(one.by for one in offers if one.by),
        ]
        await load_keys(session, {worker.agency_id for worker in workers})
        page = page_of(listed, asked, CHILDREN_A_PAGE, lambda one: (one.next_on, one.child_id))
        return LeadHome(
            today=day,
            children=Page(
                [_child(opened[one.child_id], one) for one in page.rows if one.child_id in opened],
                page.previous,
                page.next,
                page.note,
            ),
            number_of_children=home.number_of_children,
            overdue_actions=home.overdue_actions,
            overdue_reviews=home.overdue_reviews,
            offers=tuple(
                OfferToMe(
                    id=one.id,
                    reference=one.reference,
                    name=_child_name(opened.get(one.child_id), one),
                    offered_by=_worker(opened.get(one.child_id), one.by),
                    offered_on=one.offered_on,
                    covers=one.covers,
                )
                for one in offers
            ),
            drafts=tuple(
                Draft(
                    child_id=one.child_id,
                    assessment_id=one.id,
                    reference=one.reference,
                    name=_child_name(opened.get(one.child_id), one),
                    form=one.form,
                    started_on=one.started_on,
                )
                for one in drafts
            ),
        )


def _child(access: Access, one: _Child) -> MyChild:
    return MyChild(
        child_id=one.child_id,
        reference=one.reference,
        name=_child_name(access, one),
        holds_since=one.holds_since,
        next_on=None if one.next_on == NO_DATE else one.next_on,
        meeting_on=one.meeting_on,
        review_by=one.review_by,
        plan_state=one.plan_state,
        action=None if one.action is None else _action(access, one.action),
        overdue_actions=one.overdue,
        said=None if one.said is None else _said(access, one.said),
        offered_to="" if one.handing is None else _worker(access, one.handing.to),
        offered_on=None if one.handing is None else one.handing.offered_on,
    )


def _action(access: Access, one: _Action) -> NextAction:
    author = one.author_agency_id
    words = access.open_text(one.owner_words, "action.owner_words", one.id, Category.PLAN, author)
    return NextAction(
        id=one.id,
        text=access.open_text(one.text, "action.text", one.id, Category.PLAN, author),
        owner=_worker(access, one.owner) or words or "",
        due_on=one.due_on,
        is_mine=one.owner is not None and one.owner.id == access.viewer.id,
    )


def _said(access: Access, one: _Words) -> Said | None:
    words = access.open_text(
        one.text,
        "family_words.text",
        one.id,
        Category.VIEWS,
        one.author_agency_id,
        one.family_member_id,
    )
    return Said(words, one.said_on) if words else None


def _child_name(access: Access | None, one: _Child | _Offer | _Draft) -> str:
    if access is None:
        return ""
    return name_of_child(access, one.given_name, one.family_name)


def _worker(access: Access | None, worker: _Worker | None) -> str:
    if access is None or worker is None or worker.name is None:
        return ""
    sealed = bytes.fromhex(worker.name)
    return access.keys.open(worker.agency_id, "worker.name", worker.id, sealed)
