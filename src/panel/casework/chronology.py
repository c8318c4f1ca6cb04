"""A child's chronology: significant events and what follows from the process, through the gate.

Each entry is decided by its category and its author before anything is counted or cut into pages,
so that neither a page's edge nor a number tells of what is withheld. A child has some hundreds of
entries at most; texts are opened for the page alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

import msgspec

from consent import Category, ViewerKind
from panel.casework.chronology_rules import (
    ABOUT_ONE_OF_THEM,
    NOT_FOR_FAMILIES,
    Entry,
    Order,
    beyond,
    group_of,
    put_in_order,
)
from panel.casework.transition_rules import CATEGORY_OF
from panel.platform.read_models import ReadModel
from panel.records.gate import Access, Withheld
from panel.web.paging import Asked, Page, page_of

A_PAGE = 30
ALL_OF_IT = 100_000
"""On one page, to print."""


class _Fact(msgspec.Struct):
    on: date
    kind: str
    id: UUID
    category: Category
    agency_id: UUID | None
    agency: str | None
    detail: str | None
    text: str | None


# Dates, states and ids; no text but an event's, which stays sealed. London's day of a moment.
_HAPPENED = """
SELECT json_build_object('on', h.day, 'kind', h.kind, 'id', h.id, 'category', h.category,
  'agency_id', h.agency_id, 'agency', a.name, 'detail', h.detail,
  'text', encode(h.text, 'hex'))::text
FROM (
  SELECT happened_on AS day, 'event' AS kind, id, category, author_agency_id AS agency_id,
    kind AS detail, text FROM significant_event WHERE child_id = :child
  UNION ALL SELECT r.referred_on, 'referred', r.id, 'panel', r.agency_id, p.name, NULL
    FROM referral r JOIN panel p ON p.id = r.panel_id WHERE r.child_id = :child
  UNION ALL SELECT r.first_panel_on, 'acknowledged', r.id, 'panel', r.agency_id, p.name, NULL
    FROM referral r JOIN panel p ON p.id = r.panel_id WHERE r.child_id = :child
  UNION ALL SELECT opened_on, 'episode_opened', id, 'panel', NULL, NULL, NULL
    FROM episode WHERE child_id = :child
  UNION ALL SELECT closed_on, 'episode_closed', id, 'panel', NULL, closure_reason, NULL
    FROM episode WHERE child_id = :child
  UNION ALL SELECT l.judged_on, 'level', l.id, 'plan', w.agency_id, l.level, NULL
    FROM level_of_need l JOIN worker w ON w.id = l.judged_by WHERE l.child_id = :child
  UNION ALL SELECT m.held_on, 'discussed', i.id, 'panel', NULL, p.name, NULL
    FROM agenda_item i JOIN meeting m ON m.id = i.meeting_id JOIN panel p ON p.id = m.panel_id
    WHERE i.child_id = :child AND i.state = 'discussed'
  UNION ALL SELECT s.signed_off_on, CASE s.form_key WHEN 'carers_assessment' THEN 'carer_assessed'
      ELSE 'assessment_signed' END, s.id, 'plan', s.author_agency_id, f.title, NULL
    FROM assessment s JOIN form f ON f.id = s.form_id WHERE s.child_id = :child
  UNION ALL SELECT started_on, 'plan_started', id, 'plan', author_agency_id, number::text, NULL
    FROM plan WHERE child_id = :child
  UNION ALL SELECT agreed_on, 'plan_agreed', id, 'plan', author_agency_id, number::text, NULL
    FROM plan WHERE child_id = :child
  UNION ALL SELECT replaced_on, 'plan_replaced', id, 'plan', author_agency_id, number::text, NULL
    FROM plan WHERE child_id = :child
  UNION ALL SELECT from_on, 'lead_began', id, 'network', agency_id, NULL, NULL
    FROM lead_professional WHERE child_id = :child AND state IN ('accepted', 'ended')
     AND role = 'main'
  UNION ALL SELECT until_on, 'lead_ended', id, 'network', agency_id, NULL, NULL
    FROM lead_professional WHERE child_id = :child AND state = 'ended' AND role = 'main'
  UNION ALL SELECT from_on, 'agency_began', id, 'network', agency_id, NULL, NULL
    FROM involvement WHERE child_id = :child
  UNION ALL SELECT until_on, 'agency_ended', id, 'network', agency_id, NULL, NULL
    FROM involvement WHERE child_id = :child AND from_on IS NOT NULL
  UNION ALL SELECT from_on, 'step', id, CASE kind WHEN 'social_care' THEN 'social_care'
      ELSE 'panel' END, author_agency_id, kind, NULL
    FROM episode_step WHERE child_id = :child AND worker_id IS NOT NULL
  UNION ALL SELECT held_on, 'impact_met', id, 'panel', author_agency_id, NULL, NULL
    FROM impact_meeting WHERE child_id = :child AND state = 'held'
  UNION ALL SELECT t.ended_on, 'change_done', t.id, {change}, t.author_agency_id, t.kind, NULL
    FROM transition t WHERE t.child_id = :child AND t.state = 'done'
  UNION ALL SELECT t.handed_on, 'change_handed', t.id, {change}, t.receiving_agency_id, t.kind, NULL
    FROM transition t WHERE t.child_id = :child AND t.receiving_agency_id IS NOT NULL
  UNION ALL SELECT sent_on, 'handover_sent', id, 'contact', NULL, authority_name, NULL
    FROM authority_handover WHERE child_id = :child AND direction = 'out'
  UNION ALL SELECT answered_on, 'handover_' || state, id, 'contact', NULL, authority_name, NULL
    FROM authority_handover WHERE child_id = :child AND direction = 'out'
     AND state IN ('accepted', 'refused')
  UNION ALL SELECT answered_on, 'taken_over', id, 'contact', NULL, authority_name, NULL
    FROM authority_handover WHERE child_id = :child AND direction = 'in' AND state = 'accepted'
  UNION ALL SELECT DISTINCT ON (day, what) day, kind, id, category, NULL::uuid, NULL, NULL::bytea
    FROM (SELECT (created_at AT TIME ZONE 'Europe/London')::date AS day, what, id,
        CASE what WHEN 'child.school' THEN 'moved_school' ELSE 'moved_home' END AS kind,
        CASE what WHEN 'child.school' THEN 'education' ELSE 'contact' END AS category
      FROM record_change WHERE child_id = :child AND what IN ('child.school', 'child.address')
      ORDER BY day, what, created_at, id) moved
) h LEFT JOIN agency a ON a.id = h.agency_id
WHERE h.day <= :today
"""
_CHANGE = " ".join(
    ("CASE t.kind", *(f"WHEN '{kind}' THEN '{of}'" for kind, of in CATEGORY_OF.items()))
)
_READ = ReadModel(_HAPPENED.replace("{change}", f"{_CHANGE} ELSE '{Category.IDENTITY}' END"), _Fact)


@dataclass(frozen=True, slots=True)
class Told:
    """An entry on the page; `text` is empty where there is none, or the reader is not shown it."""

    entry: Entry
    text: str


@dataclass(frozen=True, slots=True)
class WholeChronology:
    """A page of what happened, and why more is not shown, by category (silence is kept)."""

    page: Page[Told]
    number: int
    """Of all entries that are shown, on this page or another."""
    withheld: tuple[Withheld, ...]


async def whole_chronology(
    access: Access, asked: Asked, *, order: Order, group: str = "", whole: bool = False
) -> WholeChronology:
    """What happened, as far as the viewer may see it; one `group` of it where one is named.

    `whole`: all of it as one page, to print.
    """
    shown, withheld = _decided(access, await _entries(access, group))
    found = beyond(put_in_order(shown, order), Asked() if whole else asked)
    page = page_of(found, asked, ALL_OF_IT if whole else A_PAGE, lambda one: one.key)
    told = [Told(one, _text(access, one)) for one in page.rows]
    return WholeChronology(
        Page(told, page.previous, page.next, page.note), len(shown), access.withheld_of(withheld)
    )


async def chronology_for_family(access: Access, asked: Asked, *, order: Order) -> WholeChronology:
    """The same for one of the family: what happened and when, without what workers wrote.

    What others wrote reaches a family by the notes and the plan, which somebody read for them.
    """
    entries = [
        one
        for one in await _entries(access, "")
        if one.category not in NOT_FOR_FAMILIES and one.kind not in ABOUT_ONE_OF_THEM
    ]
    shown, withheld = _decided(access, entries)
    page = page_of(beyond(put_in_order(shown, order), asked), asked, A_PAGE, lambda one: one.key)
    told = [Told(one, "") for one in page.rows]
    return WholeChronology(
        Page(told, page.previous, page.next, page.note), len(shown), access.withheld_of(withheld)
    )


async def _entries(access: Access, group: str) -> list[Entry]:
    facts = await _READ.lines(access.session, child=access.child_id, today=access.today)
    return [
        Entry(
            one.on,
            one.kind,
            one.id,
            one.category,
            one.agency_id,
            one.agency or "",
            one.detail or "",
            one.text,
        )
        for one in facts
        if not group or group_of(one.kind) == group
    ]


def _decided(access: Access, entries: Sequence[Entry]) -> tuple[list[Entry], set[Category]]:
    """Those that may be seen, and the categories of those that may not and are not kept silent.

    Which agency it was is not told to one of the family who may not know who works with the child:
    a nursery, for one, can tell where the child lives. Who took over is not told to anybody then.
    """
    hides = not access.may(Category.NETWORK)
    is_family = access.viewer.kind is ViewerKind.FAMILY
    shown: list[Entry] = []
    withheld: set[Category] = set()
    for one in entries:
        decision = access.decision(one.category, one.agency_id)
        if decision.permitted:
            is_hidden = hides and (is_family or one.kind == "change_handed")
            shown.append(replace(one, agency="") if is_hidden else one)
        elif not decision.silent:
            withheld.add(one.category)
    return shown, withheld


def _text(access: Access, one: Entry) -> str:
    opened = access.open_text(
        one.sealed, "significant_event.text", one.id, one.category, one.agency_id
    )
    return opened or ""
