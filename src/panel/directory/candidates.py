"""The candidates of a match, cut by the database: those that fit, and those that nearly do.

Every service has words of its need, age band, standing and ward together (`found_by`, made by a
trigger, migration 0027), in one index with its languages and what access it has. Each question
here is a few of those words, so that it costs what it finds and not what there is. How many would
fit but for one thing is counted up to MOST_COUNTED and then said to be more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from panel.directory.matching import KM_A_DEGREE, OLDEST, Candidate, Count, Reason, Wanted
from panel.directory.vocabulary import EVERYWHERE, Status
from panel.platform.read_models import for_driver, rows_of

BANDS = ((0, 2), (3, 4), (5, 7), (8, 11), (12, 15), (16, 18), (19, 25))
"""The age bands of commissioning (DOMAIN.md), as migration 0027 has them."""
MOST_COUNTED = 50
MOST_RANKED = 500
"""Of those that fit, so many are ranked at most: a question that wide is no question."""


class _Line(msgspec.Struct):
    reason: str
    n: int
    id: UUID
    name: str
    provider: str
    needs: tuple[str, ...]
    min_age: int | None
    max_age: int | None
    status: Status
    closed_until: date | None
    areas: tuple[str, ...]
    languages: tuple[str, ...]
    access: tuple[str, ...]
    places_free: int | None
    places_as_of: date | None
    points: tuple[tuple[float, float], ...] | None


_READ = msgspec.json.Decoder(list[_Line])


@dataclass(frozen=True, slots=True)
class Cut:
    """What the database found."""

    candidates: tuple[Candidate, ...]
    fitting: Count
    but_for: Mapping[Reason, Count]


async def cut(session: AsyncSession, wanted: Wanted, today: date, limit: int) -> Cut:
    """The best of those that fit and of those that would but for one thing, `limit` of each."""
    found = await rows_of(session, _query(wanted), _given(wanted, today, limit))
    lines = _READ.decode(found[0][0])
    totals = {line.reason: line.n for line in lines}
    return Cut(
        tuple(_candidate(line) for line in lines),
        _count(totals.get("", 0), MOST_RANKED),
        {
            reason: _count(totals[reason], MOST_COUNTED)
            for reason in Reason
            if reason.value in totals
        },
    )


def _count(number: int, most: int) -> Count:
    return Count(most, more=True) if number > most else Count(number)


def _candidate(line: _Line) -> Candidate:
    return Candidate(
        id=line.id,
        name=line.name,
        provider=line.provider,
        needs=line.needs,
        min_age=line.min_age,
        max_age=line.max_age,
        status=line.status,
        closed_until=line.closed_until,
        areas=line.areas,
        languages=line.languages,
        access=line.access,
        places_free=line.places_free,
        places_as_of=line.places_as_of,
        points=line.points or (),
    )


def _given(wanted: Wanted, today: date, limit: int) -> dict[str, object]:
    band = _band(wanted.age)
    latitude, longitude = wanted.near or (None, None)
    needs = [*wanted.needs, "*"] if wanted.needs else ["~"]
    wheres = [""] if wanted.ward is None else [f"@{wanted.ward}", f"@{EVERYWHERE}", "@+"]
    return {
        "today": today,
        "some": limit,
        "age": wanted.age,
        "needs": list(wanted.needs),
        "latitude": latitude,
        "longitude": longitude,
        "km": wanted.within_km,
        "takes": _words(needs, band, "takes", wheres),
        "anywhere": _words(needs, band, "takes", [""]),
        "full": _words(needs, band, "full", wheres),
        "closed": _words(needs, band, "closed", wheres),
        "any_age": _words(needs, None, "takes", wheres),
        "any_need": _words(["~"], band, "takes", wheres),
        "areas": [wanted.ward, EVERYWHERE],
        "languages": list(wanted.languages),
        "access": list(wanted.access),
        "speaks": [f"speaks:{one}" for one in wanted.languages],
        "has": [f"has:{one}" for one in wanted.access],
    }


def _band(age: int | None) -> int | None:
    if age is None:
        return None
    return next((place for place, (low, high) in enumerate(BANDS) if low <= age <= high), None)


def _words(
    needs: Sequence[str], band: int | None, standing: str, wheres: Sequence[str]
) -> list[str]:
    ages = "" if band is None else f"{band}:"
    return [f"{need}:{ages}{standing}{where}" for need in needs for where in wheres]


# Each holds or not of a service; the question leaves out what is not wanted.
_HOLDS = {
    Reason.CAPACITY: "(s.places_free IS NULL OR s.places_free > 0)",
    Reason.CLOSED: "(s.status = 'active' OR (s.status = 'closed_for_now'"
    " AND COALESCE(s.closed_until < :today, false)))",
    Reason.DISTANCE: "COALESCE(k.km <= :km, false)",
    # The words have it: read where it is short, by no index of its own.
    Reason.AREA: "(s.area_codes && :areas::text[]) IS TRUE",
    Reason.LANGUAGE: "(s.found_by @> :speaks::text[])",
    Reason.ACCESS: "(s.found_by @> :has::text[])",
    Reason.AGE: f"(:age::int BETWEEN COALESCE(s.min_age, 0) AND COALESCE(s.max_age, {OLDEST}))",
    Reason.NEED: "(s.needs_met && :needs::text[] OR cardinality(s.needs_met) = 0)",
}
_FAILS = {
    Reason.AREA: "NOT s.area_codes && :areas::text[]",
    Reason.LANGUAGE: "NOT s.languages @> :languages::text[]",
    Reason.ACCESS: "NOT s.accessibility @> :access::text[]",
}
"""What is not so is looked up by no index, and read where it is short."""
_FOUND = {
    Reason.CAPACITY: "full",
    Reason.CLOSED: "closed",
    Reason.AREA: "anywhere",
    Reason.AGE: "any_age",
    Reason.NEED: "any_need",
}
_KM = f"""
 LEFT JOIN LATERAL (SELECT min({KM_A_DEGREE} * sqrt((p.latitude - :latitude::float8) ^ 2
   + ((p.longitude - :longitude::float8) * cos(radians(:latitude::float8))) ^ 2)) AS km
   FROM service_place p WHERE p.service_id = s.id) k ON true"""  # noqa: S608 - fixed parts
_POINTS = """(SELECT json_agg(json_build_array(a.latitude, a.longitude)) FROM service_place a
    WHERE a.service_id = y.id AND a.latitude IS NOT NULL AND a.longitude IS NOT NULL)"""
_NO_KM = " CROSS JOIN (SELECT NULL::float8 AS km) k"
_MET = "(SELECT count(*) FROM unnest(s.needs_met) n WHERE n = ANY(:needs::text[]))"
_MET_ONE = "(s.needs_met && :needs::text[])::int"
"""How many of the needs are met; of one at most, without counting."""


def _asked(wanted: Wanted) -> list[Reason]:
    """The conditions that this question has; whether it is open and has room is always asked."""
    asked = {
        Reason.CAPACITY: True,
        Reason.CLOSED: True,
        Reason.DISTANCE: wanted.near is not None and wanted.within_km is not None,
        Reason.AREA: wanted.ward is not None,
        Reason.LANGUAGE: bool(wanted.languages),
        Reason.ACCESS: bool(wanted.access),
        Reason.AGE: wanted.age is not None,
        Reason.NEED: bool(wanted.needs),
    }
    return [reason for reason, is_asked in asked.items() if is_asked]


def _query(wanted: Wanted) -> str:
    asked = _asked(wanted)
    parts = [_part(wanted, asked, None), *(_part(wanted, asked, one) for one in asked)]
    every = " UNION ALL ".join(f"({part})" for part in parts)
    return for_driver(f"SELECT COALESCE(json_agg(t), '[]')::text FROM ({every}) t")  # noqa: S608 - fixed parts


def _part(wanted: Wanted, asked: Sequence[Reason], fails: Reason | None) -> str:
    """Those for which everything holds, but for the one thing that fails."""
    holds = " AND ".join(
        _FAILS.get(one, f"NOT {_HOLDS[one]}") if one is fails else _HOLDS[one] for one in asked
    )
    found = "takes" if fails is None else _FOUND.get(fails, "takes")
    most = MOST_RANKED if fails is None else MOST_COUNTED
    met = _MET if len(wanted.needs) > 1 else _MET_ONE
    km, points = (_NO_KM, "NULL") if wanted.near is None else (_KM, _POINTS)
    order = 'x.met DESC, x.has_place DESC, x.km NULLS LAST, x.name COLLATE "C", x.id'
    return f"""
SELECT '{fails or ""}' AS reason, y.*, p.name AS provider,
  {points} AS points
FROM (SELECT x.*, count(*) OVER () AS n FROM (
    SELECT s.id, s.provider_id, s.name, s.needs_met AS needs, s.min_age, s.max_age, s.status,
        s.closed_until, s.area_codes AS areas, s.languages, s.accessibility AS access,
        s.places_free, s.places_as_of, k.km, {met} AS met,
        COALESCE(s.places_free > 0, false) AS has_place
      FROM service s{km} WHERE s.found_by && :{found}::text[] AND {holds} LIMIT {most + 1}) x
  ORDER BY {order} LIMIT :some) y
JOIN provider p ON p.id = y.provider_id
"""  # noqa: S608 - fixed parts
