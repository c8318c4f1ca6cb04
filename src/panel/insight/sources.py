"""What the rooms say of children: one query for many, over coded and dated columns alone.

No name, no sealed column and no text that somebody typed is read, but ethnicity and the primary
need, which are put into codes before anything is kept (`coding`). It does not go through the gate,
opens nothing and tells nobody of a child: ADR 38.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from panel.allocation.rules import LegalBasis, is_duty
from panel.insight import coding
from panel.insight.core.facts import ChildSaid, Said, Term
from panel.insight.core.terms import ended_terms
from panel.insight.core.words import NOT_SAID, QUESTIONS, SERVICES, SEXES
from panel.insight.keys import FactKeys
from panel.insight.linking.saying import INVENTED, LISTED, OF_NOBODY
from panel.platform.read_models import ReadModel, rows_of, sql
from panel.platform.tables import today_of

KEYS = frozenset({"package"})
"""Codes that name another row of the record."""

_LINE = """
SELECT {child} AS child_id, json_strip_nulls(json_build_object('what', '{what}', 'key', {key},
  'since', ({since})::text, 'until', ({until})::text,
  'codes', json_build_object({codes}), 'numbers', json_build_object({numbers}))) AS line
  FROM {rows} WHERE {child} = ANY(:children)
"""


def _said(
    what: str,
    rows: str,
    *,
    key: str = "NULL::uuid",
    since: str = "NULL",
    until: str = "NULL",
    codes: str = "",
    numbers: str = "",
) -> str:
    """SQL for one kind of thing that is said: from `r`, whose child it is."""
    return sql(
        _LINE, what=what, rows=rows, child="r.child_id", key=key, since=since, until=until,
        codes=codes, numbers=numbers,
    )  # fmt: skip


_SERVICE = "LEFT JOIN service s ON s.id = r.service_id"
_DECIDED = "(SELECT min(f.decided_on) FROM request_decision f WHERE f.request_id = r.id)::text"
_KIND = "'kind', s.kind, 'short_break', (s.kind = 'short_break')::text"

_ASKED = ", ".join(f"('{one}', r.{one})" for one in QUESTIONS)
"""Each question of the survey with its answer: 0 where nothing was judged."""


def listed(*parts: str) -> str:
    """Arguments of json_build_object, one after the other."""
    return ", ".join(parts)


SAID = (
    _said(
        "episode", "episode r", key="r.id", since="r.opened_on", until="r.closed_on",
        codes="'identified', r.identified_on::text",
    ),
    _said("level", "level_of_need r", since="r.judged_on", codes="'level', r.level"),
    _said(
        "plan", "plan r JOIN (SELECT true) agreed ON r.agreed_on IS NOT NULL",
        key="r.id", since="r.agreed_on", until="r.replaced_on",
    ),
    _said(
        "referral", "referral r", key="r.id", since="r.referred_on",
        codes="'first_panel', r.first_panel_on::text",
    ),
    _said(
        "discussed", "agenda_item r JOIN (SELECT true) held ON r.discussed_at IS NOT NULL",
        since="(r.discussed_at AT TIME ZONE 'Europe/London')::date",
    ),
    _said(
        "request",
        f"service_request r {_SERVICE} LEFT JOIN request_decision d"
        " ON d.request_id = r.id AND d.stands"
        " JOIN (SELECT true) asked ON r.state IN ('sent', 'decided')",
        key="r.id", since="r.sent_on",
        codes=listed(
            _KIND, "'basis', r.legal_basis, 'need', r.need_code, 'decision', d.kind", "'decided'",
            _DECIDED,
        ),
    ),
    _said(
        "unmet", f"unmet_need r {_SERVICE}", key="r.id", since="r.from_on", until="r.until_on",
        codes=f"{_KIND}, 'need', r.need_code, 'reason', r.reason, 'unit', r.unit",
        numbers="'missing', GREATEST(0, 1000 * (r.units_needed - r.units_agreed))::bigint",
    ),
    _said(
        "waiting", f"waiting r {_SERVICE}", key="r.id", since="r.since_on", codes="'kind', s.kind",
        until="COALESCE((SELECT min(o.answered_on) FROM place_offer o"
        " WHERE o.waiting_id = r.id AND o.answer = 'accepted'), r.left_on)",
    ),
    _said(
        "line",
        f"service_line r JOIN package p ON p.id = r.package_id {_SERVICE}"
        " LEFT JOIN outside_placement x ON x.request_id = p.request_id AND x.is_asked",
        key="r.id", since="GREATEST(r.from_on, p.from_on)",
        until="LEAST(r.until_on, p.until_on)",
        codes=f"{_KIND}, 'package', r.package_id, 'how', p.kind, 'unit', r.unit,"
        " 'every', r.every, 'approved', p.approved_on::text,"
        " 'residential', (r.law = 's20' OR x.kind IN ('residential_school', 'childrens_home'))"
        "::text",
        numbers="'units', (1000 * r.units)::bigint",
    ),
    _said(
        "price", "unit_price r", key="r.service_line_id", since="r.from_on", until="r.until_on",
        numbers="'pence', (100 * r.amount)::bigint",
    ),
    _said(
        "share",
        "funding_share r JOIN package p ON p.id = r.package_id JOIN agency a ON a.id = r.agency_id",
        key="r.package_id", since="r.from_on", until="r.until_on",
        codes="'payer', CASE WHEN a.kind IN ('health', 'gp', 'icb') THEN 'health'"
        " WHEN a.kind IN ('education', 'school') THEN 'education'"
        " WHEN a.kind IN ('social_care', 'council') THEN 'social_care' END",
        numbers="'parts', r.parts, 'whole', p.shared_by",
    ),
    _said(
        "outcome", "desired_outcome r", key="r.id",
        numbers="'baseline', r.baseline, 'target', r.target",
    ),
    _said(
        "progress", "outcome_progress r JOIN (SELECT true) scored ON r.value IS NOT NULL",
        key="r.outcome_id", since='r."on"',
        codes="'family', (EXISTS (SELECT FROM family_member m WHERE m.id = r.created_by)"
        " OR r.created_by = r.child_id)::text",
        numbers="'value', r.value",
    ),
    _said(
        "reached",
        "record_change r JOIN (SELECT true) reached"
        " ON r.what = 'desired_outcome.state' AND r.to_code = 'reached'"
        " AND EXISTS (SELECT FROM desired_outcome o WHERE o.id = r.row_id AND o.state = 'reached')",
        key="r.row_id", since="(r.created_at AT TIME ZONE 'Europe/London')::date",
    ),
    _said(
        "perception",
        f"survey r CROSS JOIN LATERAL (VALUES {_ASKED}) q (question, answer)",
        key="r.id", since="r.offered_on", codes="'question', q.question",
        numbers="'answer', COALESCE(q.answer, 0)",
    ),
    _said(
        "transition",
        "episode r JOIN (SELECT true) moved ON r.closure_reason = 'moved_away'"
        " AND r.closed_on IS NOT NULL",
        key="r.id", since="r.closed_on", codes="'kind', 'area'",
    ),
    _said(
        "listed", LISTED, since="r.since_on", until="r.until_on",
        codes="'list', r.kind, 'listed', r.listed::text",
    ),
)  # fmt: skip
"""Each kind of thing that is said, as `core.derive` lists them."""

CHILDREN = sql(
    """
WITH said AS ({said})
SELECT t.line FROM (
SELECT c.id, json_build_object('child', c.id, 'sex', c.sex,
  'birth', to_char(c.birth_date, 'YYYY-MM'),
  'ethnicity', c.ethnicity, 'need', c.primary_need, 'ward', c.ward_code,
  'moved_on', (SELECT max((m.created_at AT TIME ZONE 'Europe/London')::date) FROM record_change m
    WHERE m.child_id = c.id AND m.what = 'child.ward_code'),
  'school_on', c.starts_school_on,
  'restricted', EXISTS (SELECT FROM processing_restriction x WHERE x.child_id = c.id
    AND x.ended_on IS NULL AND x.from_on <= :today),
  'erased', EXISTS (SELECT FROM data_key k WHERE k.holder_id = c.id AND k.wrapped IS NULL),
  'said', COALESCE((SELECT json_agg(s.line) FROM said s WHERE s.child_id = c.id), '[]'))::text
  FROM child c WHERE c.id = ANY(:children)
UNION ALL {of_nobody} UNION ALL {invented}) t (id, line) ORDER BY t.id
""",
    said=" UNION ALL ".join(SAID),
    of_nobody=OF_NOBODY,
    invented=INVENTED,
)


class ChildLine(msgspec.Struct):
    """What the rooms say of one child, with its id."""

    child: UUID
    birth: str | None
    sex: str
    ethnicity: str | None
    need: str | None
    ward: str | None
    moved_on: str | None
    school_on: str | None
    restricted: bool
    erased: bool
    said: list[Said]


_READ = ReadModel(CHILDREN, ChildLine)


async def read_children(session: AsyncSession, children: Sequence[UUID]) -> list[ChildLine]:
    """What is said of these children now, by id; of one who is not there, nothing."""
    return await _READ.lines(session, children=list(children), today=today_of(session))


def said_of(line: ChildLine, before: ChildSaid | None, keys: FactKeys, today: date) -> ChildSaid:
    """The same without identity, in codes.

    Where a child lived before is known from what was said before: the register keeps that a ward
    changed, and not from which.
    """
    if line.restricted:
        return ChildSaid(said=(Said("withheld"), *_wards(line, before, today)))
    said = [_without_ids(one, keys) for one in line.said]
    if line.school_on is not None:
        said.append(
            Said(
                "transition",
                key=keys.row(line.child).hex(),
                since=line.school_on,
                codes={"kind": "school_start"},
            )
        )
    said += _wards(line, before, today)
    return ChildSaid(
        birth=line.birth or "",
        sex=line.sex if line.sex in SEXES else NOT_SAID,
        ethnicity=coding.ethnicity(line.ethnicity),
        need=coding.need(line.need),
        said=tuple(sorted(said, key=lambda one: msgspec.json.encode(one, order="sorted"))),
    )


def _without_ids(one: Said, keys: FactKeys) -> Said:
    """Keys in the place of ids; kinds of service that are in no list are another kind."""
    codes = {
        name: keys.row(UUID(code)).hex() if name in KEYS else code
        for name, code in one.codes.items()
    }
    if (kind := codes.get("kind")) is not None and one.what != "transition":
        codes["kind"] = kind if kind in SERVICES else "other"
    if (basis := codes.get("basis")) is not None:
        codes["duty"] = "true" if is_duty(LegalBasis(basis)) else "false"
    key = keys.row(UUID(one.key)).hex() if one.key else ""
    return msgspec.structs.replace(one, key=key, codes=codes)


def _wards(line: ChildLine, before: ChildSaid | None, today: date) -> list[Said]:
    """Where the child lived, from when: what was said before, and where it lives now."""
    known = [] if before is None else [one for one in before.said if one.what == "ward"]
    now = coding.ward(line.ward)
    if not known:
        return [Said("ward", codes={"ward": now})]
    last = max(known, key=lambda one: one.since)
    if last.codes["ward"] == now:
        return known
    since = line.moved_on or today.isoformat()
    moved = Said("ward", since=since, codes={"ward": now})
    return [*(one for one in known if one.since != since), moved]


# Beside children ----------------------------------------------------------------------------------


async def read_terms(session: AsyncSession) -> tuple[Term, ...]:
    """The terms of the authority's calendar that are over."""
    rows = await rows_of(session, "SELECT first_day, last_day FROM term ORDER BY first_day", {})
    return ended_terms(((first, last) for first, last in rows), today_of(session))


async def read_links(session: AsyncSession, children: Sequence[UUID]) -> list[tuple[UUID, UUID]]:
    """Pairs of records, one of them of these children, that a person judged to be of one child.

    What is erased is not of anybody any more.
    """
    rows = await rows_of(
        session,
        "SELECT DISTINCT LEAST(child_id, other_child_id), GREATEST(child_id, other_child_id)"
        " FROM possible_duplicate p WHERE settled = 'linked'"
        " AND (child_id = ANY(%(children)s) OR other_child_id = ANY(%(children)s))"
        " AND NOT EXISTS (SELECT FROM data_key k WHERE k.wrapped IS NULL"
        " AND k.holder_id IN (p.child_id, p.other_child_id)) ORDER BY 1, 2",
        {"children": list(children)},
    )
    return [(one, other) for one, other in rows]


CAPACITY = """
SELECT s.id, p.period, s.kind,
  COALESCE((later.before->>'capacity')::integer, s.capacity),
  LEAST(COALESCE((freed.before->>'places_free')::integer, s.places_free, 0),
        COALESCE((later.before->>'capacity')::integer, s.capacity))
  FROM service s CROSS JOIN fact_period p
  LEFT JOIN LATERAL (SELECT h.before FROM service_change h WHERE h.service_id = s.id
    AND (h.at AT TIME ZONE 'Europe/London')::date > p.last_day AND h.before ? 'capacity'
    ORDER BY h.at, h.id LIMIT 1) later ON true
  LEFT JOIN LATERAL (SELECT h.before FROM service_change h WHERE h.service_id = s.id
    AND (h.at AT TIME ZONE 'Europe/London')::date > p.last_day AND h.before ? 'places_free'
    ORDER BY h.at, h.id LIMIT 1) freed ON true
 WHERE (s.created_at AT TIME ZONE 'Europe/London')::date <= p.last_day
   AND COALESCE((later.before->>'capacity')::integer, s.capacity) IS NOT NULL
   AND NOT EXISTS (SELECT FROM service_change e WHERE e.service_id = s.id AND e.what = 'ended'
    AND (e.at AT TIME ZONE 'Europe/London')::date <= p.last_day)
 ORDER BY 2, 1
"""
"""Places of each service at each term's end, out of its own history of changes."""
