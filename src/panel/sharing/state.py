"""The facts of a child's sharing, read in one query and handed to the gate."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from consent import (
    Agreement,
    Category,
    CourtOrder,
    Duty,
    Enquiry,
    Level,
    Objection,
    Override,
    Purpose,
    Relationship,
    Restriction,
    RestrictionKind,
    Role,
    Span,
    State,
    Tie,
    Viewer,
    ViewerKind,
)
from panel.platform.tables import NOW
from panel.records.gate import Known, read_known
from panel.sharing.agencies_agreeing import ARRANGEMENTS, ArrangementFact
from panel.sharing.models import SharingAgreement


class TieFact(msgspec.Struct, rename={"from_on": "from", "until_on": "until"}):
    """As `child_access.ties` holds it."""

    tie: Tie
    who: UUID
    from_on: date | None
    until_on: date | None
    categories: frozenset[Category] | None


class AgreementFact(msgspec.Struct):
    """As `sharing_agreement` holds it."""

    id: UUID
    given: bool
    by_person_id: UUID
    by_words: str
    agencies: frozenset[UUID]
    not_agencies: frozenset[UUID]
    level: Level | None
    named: frozenset[Category]
    purposes: frozenset[Purpose]
    from_on: date
    until_on: date | None
    withdrawn_at: datetime | None


class ObjectionFact(msgspec.Struct):
    """As `sharing_objection` holds it."""

    by_words: str
    agencies: frozenset[UUID]
    categories: frozenset[Category]
    raised_on: date
    decided_on: date | None
    upheld: bool
    purposes: frozenset[Purpose]


class RestrictionFact(msgspec.Struct):
    """As `sharing_restriction` holds it."""

    kind: RestrictionKind
    categories: frozenset[Category]
    against: frozenset[UUID]
    from_on: date
    until_on: date | None
    silent: bool
    by_words: str


class OrderFact(msgspec.Struct):
    """As `sharing_order` holds it."""

    permits: bool
    categories: frozenset[Category]
    to: frozenset[UUID]
    from_on: date
    until_on: date | None
    silent: bool
    reference: str


class OverrideFact(msgspec.Struct):
    """As `sharing_override` holds it, without its reason, which is sealed."""

    to_id: UUID
    categories: frozenset[Category]
    starts_at: datetime
    ends_at: datetime


class EnquiryFact(msgspec.Struct):
    """As `sharing_enquiry` holds it."""

    agencies: frozenset[UUID]
    from_on: date
    until_on: date | None


class DutyFact(msgspec.Struct):
    """As `gateway` holds it."""

    code: str
    words: str
    source: str
    categories: frozenset[Category]
    purposes: frozenset[Purpose]
    agency_kinds: frozenset[str]
    roles: frozenset[Role]
    ties: frozenset[Tie]
    commenced_on: date | None
    ended_on: date | None


class OfAuthority(msgspec.Struct):
    """What holds for every child of an authority."""

    duties: tuple[DutyFact, ...]
    arrangements: tuple[ArrangementFact, ...]


class Facts(msgspec.Struct):
    """One child's sharing facts but for the ties, which depend on who looks."""

    agreements: tuple[AgreementFact, ...] | None
    objections: tuple[ObjectionFact, ...] | None
    restrictions: tuple[RestrictionFact, ...] | None
    orders: tuple[OrderFact, ...] | None
    overrides: tuple[OverrideFact, ...] | None
    enquiries: tuple[EnquiryFact, ...] | None
    use_restricted_on: date | None


_DUTIES = """(SELECT COALESCE(json_agg(json_build_object('code', code,
  'words', words, 'source', source, 'categories', categories, 'purposes', purposes,
  'agency_kinds', agency_kinds, 'roles', roles, 'ties', ties, 'commenced_on', commenced_on,
  'ended_on', ended_on)), '[]') FROM gateway)"""
_OF_AUTHORITY = f"json_build_object('duties', {_DUTIES}, 'arrangements', {ARRANGEMENTS})::text"
"""The authority's duties and what its agencies agreed, the same for every child."""

_NOW = "NULLIF(current_setting('panel.now', true), '')::timestamptz"
# In a query of its own it is worked out once, not for every row.
_TODAY = f"(SELECT ({_NOW} AT TIME ZONE 'Europe/London')::date)"
_TERMS = """json_build_object('id', g.id, 'given', g.given,
      'by_person_id', g.by_person_id, 'by_words', g.by_words, 'agencies', g.agencies,
      'not_agencies', g.not_agencies, 'level', g.level, 'named', g.named, 'purposes', g.purposes,
      'from_on', g.from_on, 'until_on', g.until_on, 'withdrawn_at', g.withdrawn_at) AS terms"""

# What lapsed is only remembered as the last word of its kind, so of those that are told in the same
# words (`lapses_as`) the latest is read, each by one probe of the index that finds the next kind: a
# child of whom five hundred were renewed opens like a child of whom five were. A refusal that ended
# says nothing at all.
_SPOKEN = """
  SELECT TERMS FROM sharing_agreement g
   WHERE g.child_id = a.child_id AND g.lapses_on >= TODAY
   UNION ALL
  SELECT TERMS FROM sharing_agreement g
   WHERE g.child_id = a.child_id AND g.lapses_on < g.from_on AND g.from_on > TODAY
     AND g.lapses_on < TODAY
   UNION ALL
  (WITH RECURSIVE lapsed AS (
    SELECT NULL::json AS terms, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid AS told
     UNION ALL
    SELECT latest.terms, latest.lapses_as FROM lapsed CROSS JOIN LATERAL (
      SELECT TERMS, g.lapses_as FROM sharing_agreement g
       WHERE g.child_id = a.child_id AND g.lapses_as < lapsed.told
         AND g.lapses_on < TODAY AND g.from_on <= TODAY
       ORDER BY g.lapses_as DESC, g.lapses_on DESC, g.id DESC LIMIT 1) latest)
   SELECT terms FROM lapsed WHERE terms IS NOT NULL)""".replace("TERMS", _TERMS).replace(
    "TODAY", _TODAY
)
"""The agreements and refusals of the child of a row `a` that a decision can still rest on or name.

Those in force or to come, those withdrawn before a beginning that is still to come, and the latest
of each kind that lapsed. Time only goes on, so what lapsed when it was read has lapsed whenever it
is judged.
"""

# Of the rest, what is over is never named again.
_FACTS = (
    """json_build_object(
  'agreements', (SELECT json_agg(terms) FROM (SPOKEN) spoken),
  'objections', (SELECT json_agg(json_build_object('by_words', by_words, 'agencies', agencies,
      'categories', categories, 'raised_on', raised_on, 'decided_on', decided_on,
      'upheld', upheld, 'purposes', purposes)) FROM sharing_objection WHERE child_id = a.child_id
    AND (upheld OR decided_on IS NULL OR decided_on > TODAY)),
  'restrictions', (SELECT json_agg(json_build_object('kind', kind, 'categories', categories,
      'against', against, 'from_on', from_on, 'until_on', until_on, 'silent', silent,
      'by_words', by_words)) FROM sharing_restriction WHERE child_id = a.child_id
    AND (until_on IS NULL OR until_on >= TODAY)),
  'orders', (SELECT json_agg(json_build_object('permits', permits, 'categories', categories,
      'to', "to", 'from_on', from_on, 'until_on', until_on, 'silent', silent,
      'reference', reference)) FROM sharing_order WHERE child_id = a.child_id
    AND (until_on IS NULL OR until_on >= TODAY)),
  'overrides', (SELECT json_agg(json_build_object('to_id', to_id, 'categories', categories,
      'starts_at', starts_at, 'ends_at', ends_at)) FROM sharing_override
    WHERE child_id = a.child_id AND ends_at > (SELECT NOW)),
  'enquiries', (SELECT json_agg(json_build_object('agencies', agencies, 'from_on', from_on,
      'until_on', until_on)) FROM sharing_enquiry WHERE child_id = a.child_id
    AND (until_on IS NULL OR until_on >= TODAY)),
  'use_restricted_on', (SELECT from_on FROM processing_restriction
    WHERE child_id = a.child_id AND ended_on IS NULL)
)::text""".replace("SPOKEN", _SPOKEN)
    .replace("TODAY", _TODAY)
    .replace("NOW", _NOW)
)
"""The facts of the child of a row `a` of `child_access` that are not over."""

_KEY = "(SELECT k.wrapped FROM data_key k WHERE k.holder_id = a.child_id)"
_EACH = (
    " FROM child_access a WHERE a.viewer_id = :viewer AND a.child_id = ANY(:children)"
    " AND a.valid_from <= :now AND a.valid_until >= :now"
)
EACH_OR_ANOTHER = _EACH.replace(
    "ANY(:children)",
    """ANY(CASE WHEN EXISTS (SELECT FROM child_access x WHERE x.viewer_id = :viewer
      AND x.child_id = ANY(:children) AND x.valid_from <= :now AND x.valid_until >= :now)
    THEN CAST(:children AS uuid[]) ELSE ARRAY(SELECT x.child_id FROM child_access x
      WHERE x.viewer_id = :viewer AND x.valid_from <= :now AND x.valid_until >= :now LIMIT 1) END)
    """,
)
"""Where none of the children is reached, another's facts are read and nothing is made of them: else
a system could tell by the time whether a child is there of whom it is told nothing."""

_READ_OF_AUTHORITY = msgspec.json.Decoder(OfAuthority)
_READ_TIES = msgspec.json.Decoder(tuple[TieFact, ...])
_READ_FACTS = msgspec.json.Decoder(Facts)


def duty(fact: DutyFact) -> Duty:
    """A gateway's row as the decision knows it."""
    return Duty(
        code=fact.code,
        words=fact.words,
        source=fact.source,
        categories=fact.categories,
        purposes=fact.purposes,
        agency_kinds=fact.agency_kinds,
        roles=fact.roles,
        ties=fact.ties,
        commenced=fact.commenced_on,
        ended=fact.ended_on,
    )


class AsRead(NamedTuple):
    """One child's facts for one viewer as the database gave them (JSON): equal texts, equal state.

    Decoded only where somebody has not judged by them before.
    """

    child: UUID
    ties: str
    facts: str
    duties: str

    def state(self) -> State:
        """The facts as the decision knows them."""
        ties = _READ_TIES.decode(self.ties)
        of_authority = _READ_OF_AUTHORITY.decode(self.duties)
        return state_of(self.child, ties, _READ_FACTS.decode(self.facts), of_authority)


def state_of(
    child: UUID, ties: tuple[TieFact, ...], facts: Facts, of_authority: OfAuthority
) -> State:
    """The rows of one child as the decision knows them."""
    return State(
        child=child,
        relationships=tuple(
            Relationship(one.tie, one.who, Span(one.from_on, one.until_on), one.categories)
            for one in ties
        ),
        agreements=tuple(
            Agreement(
                id=one.id,
                given=one.given,
                by=one.by_person_id,
                by_words=one.by_words,
                agencies=one.agencies,
                not_agencies=one.not_agencies,
                level=one.level,
                named=one.named,
                purposes=one.purposes,
                span=Span(one.from_on, one.until_on),
                withdrawn=one.withdrawn_at,
            )
            for one in facts.agreements or ()
        ),
        objections=tuple(
            Objection(
                one.by_words,
                one.agencies,
                one.categories,
                one.raised_on,
                one.decided_on,
                one.upheld,
                one.purposes,
            )
            for one in facts.objections or ()
        ),
        restrictions=tuple(
            Restriction(
                one.kind,
                one.categories,
                one.against,
                Span(one.from_on, one.until_on),
                one.silent,
                one.by_words,
            )
            for one in facts.restrictions or ()
        ),
        orders=tuple(
            CourtOrder(
                one.permits,
                one.categories,
                one.to,
                Span(one.from_on, one.until_on),
                one.reference,
                one.silent,
            )
            for one in facts.orders or ()
        ),
        overrides=tuple(
            Override(one.to_id, one.categories, one.starts_at, one.ends_at)
            for one in facts.overrides or ()
        ),
        enquiries=tuple(
            Enquiry(one.agencies, Span(one.from_on, one.until_on)) for one in facts.enquiries or ()
        ),
        duties=tuple(duty(fact) for fact in of_authority.duties),
        arrangements=tuple(fact.arrangement() for fact in of_authority.arrangements),
        use_restricted_on=facts.use_restricted_on,
    )


def agreement_of(row: SharingAgreement) -> Agreement:
    """A row as the decision knows it."""
    return Agreement(
        id=row.id,
        given=row.given,
        by=row.by_person_id,
        by_words=row.by_words,
        agencies=frozenset(row.agencies),
        not_agencies=frozenset(row.not_agencies),
        level=None if row.level is None else Level(row.level),
        named=frozenset(Category(one) for one in row.named),
        purposes=frozenset(Purpose(one) for one in row.purposes),
        span=Span(row.from_on, row.until_on),
        withdrawn=row.withdrawn_at,
    )


class SharingFacts:
    """The gate's sharing port over the database (wired in `app`)."""

    columns = f"{_KEY}, a.ties::text, {_FACTS}"
    duties = _OF_AUTHORITY

    async def known(
        self, session: AsyncSession, children: Sequence[UUID], viewer: Viewer
    ) -> dict[UUID, Known]:
        """The facts for those of the children that the viewer may reach now."""
        found = await read_known(
            session,
            self,
            "NULL",
            EACH_OR_ANOTHER if viewer.kind is ViewerKind.CLIENT else _EACH,
            {"viewer": viewer.id, "children": list(children), "now": session.info[NOW]},
        )
        asked = frozenset(children)
        return {one.child_id: one.known for one in found if one.child_id in asked}

    def from_row(self, child: UUID, key: bytes | None, ties: str, facts: str, duties: str) -> Known:
        """What was read of one child, as the gate takes it."""
        read = AsRead(child, ties, facts, duties)
        return Known(read, read.state, key)
