"""Requests as a panel's papers and the meeting's screen have them beside a case: wired in `app`."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from panel.allocation.decision_service import count_to_ratify
from panel.allocation.outside_pages import facts_rows
from panel.allocation.outside_rules import Footing, PlacementKind
from panel.allocation.outside_service import lacking_today
from panel.allocation.packages_beside import Lines, beside_request
from panel.allocation.request_pages import level_words
from panel.allocation.rules import (
    AGREES,
    BASIS_WORDS,
    KIND_WORDS,
    NEED_WORDS,
    TEXT_WORDS,
    URGENCY_WORDS,
    Kind,
    LegalBasis,
    NeedCode,
    Urgency,
    units_words,
)
from panel.platform.read_models import UnevenReadModel
from panel.records.beside import Beside, Reader
from panel.web import words


class _Fact(msgspec.Struct):
    id: UUID
    reference: str
    legal_basis: LegalBasis
    category: Category
    need_code: NeedCode
    asked_units: str
    service: str | None
    unit: str
    urgency: Urgency
    level_of_need: str | None
    agency_id: UUID
    written_by: UUID
    need: str | None
    outcome: str | None
    tried: str | None
    asked_for: str | None
    urgency_why: str | None
    family_wishes: str | None
    decided: Kind | None
    decided_on: date | None
    is_before: bool
    placement: UUID | None
    placed: PlacementKind | None
    footing: Footing | None
    area: str | None
    provider: str | None
    from_on: date | None
    until_on: date | None


# Before the panel is what nobody decided or what was deferred, what the chair decided and a meeting
# is to ratify, and what the family asks about again. What this meeting decided or ratified stays
# among its papers, as those who were there had them.
_ASKED = UnevenReadModel(
    """
SELECT json_build_object('id', q.id, 'reference', q.reference, 'legal_basis', q.legal_basis,
  'category', q.category, 'need_code', q.need_code, 'asked_units', q.asked_units::text,
  'service', (SELECT s.name || ', ' || p.name FROM service s
     JOIN provider p ON p.id = s.provider_id WHERE s.id = q.service_id),
  'unit', q.unit, 'urgency', q.urgency, 'level_of_need', q.level_of_need,
  'agency_id', q.agency_id, 'written_by', q.created_by, 'need', encode(q.need, 'hex'),
  'outcome', encode(q.outcome, 'hex'), 'tried', encode(q.tried, 'hex'),
  'asked_for', encode(q.asked_for, 'hex'), 'urgency_why', encode(q.urgency_why, 'hex'),
  'family_wishes', encode(q.family_wishes, 'hex'),
  'decided', s.kind, 'decided_on', s.decided_on, 'is_before', q.state = 'sent'
     OR COALESCE(s.kind = 'deferred' OR s.chairs_action AND s.ratified_at IS NULL
                 OR t.id IN (s.meeting_id, s.ratified_meeting_id), false)
     OR EXISTS (SELECT FROM appeal a WHERE a.request_id = q.id AND a.outcome IS NULL),
  'placement', o.id, 'placed', o.kind, 'footing', o.footing, 'area', encode(o.area, 'hex'),
  'provider', encode(o.provider, 'hex'), 'from_on', o.from_on, 'until_on', o.until_on)::text
FROM meeting t JOIN service_request q ON q.panel_id = t.panel_id
LEFT JOIN request_decision s ON s.request_id = q.id AND s.stands
LEFT JOIN outside_placement o ON o.request_id = q.id AND o.is_asked
WHERE t.id = :meeting AND q.child_id = :child AND q.state IN ('sent', 'decided')
ORDER BY q.sent_on, q.id
""",
    _Fact,
)

_FIGURES = text(
    "SELECT (SELECT count(*) FROM service_request WHERE panel_id = :panel AND state = 'sent'),"
    " (SELECT count(*) FROM request_decision WHERE panel_id = :panel AND chairs_action AND stands"
    " AND ratified_at IS NULL),"
    " (SELECT count(*) FROM unmet_need u JOIN service_request q ON q.id = u.request_id"
    " WHERE q.panel_id = :panel AND u.until_on IS NULL),"
    " (SELECT count(DISTINCT w.child_id) FROM waiting w JOIN service_request q"
    " ON q.id = w.request_id WHERE q.panel_id = :panel AND w.state IN ('waiting', 'offered'))"
)


class RequestsBeside:
    """The requests that are before a panel."""

    async def papers(
        self, session: AsyncSession, child_id: UUID, meeting_id: UUID, reader: Reader
    ) -> Sequence[Beside]:
        """As `BesideCase`."""
        asked = await _ASKED.lines(session, child=child_id, meeting=meeting_id)
        is_any = any(one.is_before for one in asked)
        has: Lines = ()
        if is_any or any(one.decided in AGREES for one in asked):
            has = await beside_request(session, child_id, reader)
        # Where nothing is asked for now the child comes again for what was agreed: its packages.
        return [
            _paper(one, reader, has, "; ".join(await _lacks(session, one)))
            if one.is_before
            else _earlier(one, reader, has if one.decided in AGREES and not is_any else ())
            for one in asked
        ]

    async def to_ratify(self, session: AsyncSession, panel_id: UUID) -> int:
        """As `BesideCase`."""
        return await count_to_ratify(session, panel_id)

    async def before(
        self, session: AsyncSession, panel_id: UUID, address: str
    ) -> Sequence[tuple[int, str, str]]:
        """As `BesideCase`."""
        counted = await session.execute(_FIGURES, {"panel": panel_id})
        asked, to_ratify, unmet, waiting = counted.one()
        found = (
            (asked, "request to decide", "requests to decide", address),
            (to_ratify, "decision of the chair to ratify", "decisions of the chair to ratify",
             address),
            (unmet, "need unmet", "needs unmet", f"{address}/unmet-need"),
            (waiting, "child on a waiting list", "children on waiting lists", f"{address}/waiting"),
        )  # fmt: skip
        return [(many, one if many == 1 else more, link) for many, one, more, link in found]


async def _lacks(session: AsyncSession, one: _Fact) -> Sequence[str]:
    """Which conditions keep the panel from agreeing to a placement outside the area."""
    if one.placement is None or (one.decided is not None and one.decided in AGREES):
        return ()
    return await lacking_today(session, one.placement, one.footing)


def _earlier(one: _Fact, reader: Reader, has: Lines) -> Beside:
    """A decision of before, in one line: what was asked and why stand on the request's page."""
    if one.decided_on is None or not _may(one, reader):
        return _withheld(one)
    said = ("Earlier decision", words.day(one.decided_on))
    return Beside(one.id, _title(one), (said, *has))


def _title(one: _Fact) -> str:
    named = f"Request {one.reference}"
    return named if one.decided is None else f"{named}: {KIND_WORDS[one.decided].lower()}"


def _may(one: _Fact, reader: Reader) -> bool:
    return reader.may(one.category, one.agency_id, one.written_by)


def _withheld(one: _Fact) -> Beside:
    return Beside(one.id, _title(one), (), "Not everybody who reads this may see the request.")


def _paper(one: _Fact, reader: Reader, has: Lines, lacks: str) -> Beside:
    if not _may(one, reader):
        return _withheld(one)

    def said_in(name: str, category: Category) -> tuple[str, str]:
        sealed: str | None = getattr(one, name)
        field = f"service_request.{name}"
        told = reader.open_text(sealed, field, one.id, category, one.agency_id, one.written_by)
        return TEXT_WORDS[name], told or ""

    amount = units_words(Decimal(one.asked_units), one.unit)
    lines = (
        ("Level of need", level_words(one.level_of_need)),
        ("Legal basis", BASIS_WORDS[one.legal_basis]),
        ("Main type of need", NEED_WORDS[one.need_code]),
        said_in("need", one.category),
        said_in("outcome", one.category),
        said_in("tried", one.category),
        said_in("asked_for", one.category),
        ("Service", one.service or ""),
        ("How much", amount),
        *_placed(one, reader),
        ("Conditions not met yet", lacks),
        ("How soon", URGENCY_WORDS[one.urgency]),
        said_in("urgency_why", one.category),
        said_in("family_wishes", Category.VIEWS),
        *has,
    )
    return Beside(one.id, _title(one), tuple(line for line in lines if line[1]))


def _placed(one: _Fact, reader: Reader) -> Lines:
    """The placement outside the area, of a request that the reader may see."""
    placement = one.placement
    if placement is None:
        return ()

    def said_in(name: str, sealed: str | None) -> str:
        field = f"outside_placement.{name}"
        told = reader.open_text(
            sealed, field, placement, one.category, one.agency_id, one.written_by
        )
        return told or ""

    first, *rest = facts_rows(one.placed, one.footing, one.from_on, one.until_on)
    return (
        first,
        ("Where", said_in("area", one.area)),
        ("Who provides it", said_in("provider", one.provider)),
        *rest,
    )
