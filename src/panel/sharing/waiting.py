"""What waits about a child's sharing: for its page, and for the homes of those who answer for it.

What ends or ended, what is disputed, who asks for access, who is soon to decide for themselves,
which agency is expected. Source: DOMAIN.md, "Agreement and the law"; PAGES.md, "Coordinator".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Agreement, Category, Level, Purpose, Span, Tie, Viewer
from consent.standing import AGE_OF_OWN_AGREEMENT
from panel.accounts.service import agencies, worker_names
from panel.platform.clock import day_of
from panel.platform.read_models import for_driver, rows_of
from panel.records.dates import months_after, working_days_after, working_days_before
from panel.records.gate import Access, Gate, Purposes
from panel.records.who_leads import HOLDS_TODAY
from panel.sharing.agreeing_rules import ends_soon, has_ended, is_carried_on
from panel.sharing.answering import WaitingRequest, waiting_requests
from panel.sharing.coming_of_age import OLDEST, ToDecide, Word, to_decide
from panel.sharing.ending import LIVE, is_live
from panel.sharing.judging import JudgementLine, judgement_lines
from panel.sharing.models import SharingAgreement
from panel.sharing.objecting import open_objections
from panel.sharing.spans import Spans, spans
from panel.sharing.standing import family_facts
from panel.sharing.state import agreement_of

LOOKING = "looked at what waits about sharing"
MOST = 50
"""Lines on a home; the rest is counted."""
A_DAY = timedelta(days=1)
ANSWERS_SHOWN = 5
"""Working days for which an answer stands on the home of whoever asked."""


@dataclass(frozen=True, slots=True)
class Ending:
    """An agreement that ends soon or has ended, and that nothing carries on."""

    id: UUID
    by_words: str
    agencies: tuple[str, ...]
    until_on: date


@dataclass(frozen=True, slots=True)
class OpenObjection:
    """An objection that waits for its decision."""

    id: UUID
    by_words: str
    raised_on: date
    due_on: date


@dataclass(frozen=True, slots=True)
class Expected:
    """An agency that is expected from a day, and whether the family was asked."""

    agency: str
    on: date
    offered_on: date | None


@dataclass(frozen=True, slots=True)
class SharingWaits:
    """What the sharing page says beyond who sees what."""

    ending: tuple[Ending, ...]
    ended: tuple[Ending, ...]
    objections: tuple[OpenObjection, ...]
    requests: tuple[WaitingRequest, ...]
    young_person: ToDecide | None
    """None where nothing is to be done, or the viewer may not know when they were born."""
    expected: tuple[Expected, ...]
    judgements: tuple[JudgementLine, ...]
    may_change: bool
    may_decide: bool
    """Whether the viewer decides objections."""


async def sharing_waits(access: Access) -> SharingWaits:
    """What waits about one child, as far as the viewer may know it."""
    known = {one.id: one.name for one in await agencies(access.session)}
    within = await spans(access.session)
    rows = (
        await access.session.scalars(
            select(SharingAgreement)
            .where(SharingAgreement.child_id == access.child_id)
            .order_by(SharingAgreement.until_on, SharingAgreement.id)
        )
    ).all()
    renewed = {row.renews_id for row in rows}
    terms = [agreement_of(row) for row in rows]

    def left(one: Agreement) -> bool:
        return one.id not in renewed and not is_carried_on(one, terms)

    today = access.today
    born = (await family_facts(access)).born if access.may(Category.IDENTITY) else None
    words = [Word(row.capacity, row.from_on, is_live(row, today)) for row in rows]
    return SharingWaits(
        ending=tuple(
            _ending(one, known)
            for one in terms
            if ends_soon(one, today, within.remind_days) and left(one)
        ),
        ended=tuple(_ending(one, known) for one in terms if has_ended(one, today) and left(one)),
        objections=tuple(
            OpenObjection(
                one.id,
                one.by_words,
                one.raised_on,
                working_days_after(one.raised_on, within.objection_working_days),
            )
            for one in await open_objections(access)
        ),
        requests=await waiting_requests(access),
        young_person=to_decide(born, words, today, within.remind_days),
        expected=await _expected(access, known) if access.may(Category.NETWORK) else (),
        judgements=await judgement_lines(access),
        may_change=access.may_write,
        may_decide=Tie.PANEL in access.ties,
    )


def _ending(one: Agreement, known: Mapping[UUID, str]) -> Ending:
    return Ending(
        one.id,
        one.by_words,
        tuple(sorted(known[agency] for agency in one.agencies if agency in known)),
        one.span.end or date.max,
    )


_EXPECTED = """
SELECT agency_id, expected_from_on, offered_access_on FROM involvement
WHERE child_id = :child AND from_on IS NULL AND expected_from_on IS NOT NULL
  AND (until_on IS NULL OR until_on >= :today)
ORDER BY expected_from_on, id
"""


async def _expected(access: Access, known: Mapping[UUID, str]) -> tuple[Expected, ...]:
    found = await access.session.execute(
        text(_EXPECTED), {"child": access.child_id, "today": access.today}
    )
    return tuple(Expected(known.get(agency, ""), on, offered) for agency, on, offered in found)


# For the homes of those who answer for it ---------------------------------------------------------

Kind = Literal["objection", "request", "ending", "young_person", "answered"]


@dataclass(frozen=True, slots=True)
class WaitingLine:
    """One thing that waits about a child's sharing, for the person whose home it is."""

    kind: Kind
    child_id: UUID
    about_id: UUID
    reference: str
    name: str
    """Empty where it is withheld."""
    on: date
    """By when: the decision, the answer, the end, the birthday; of an answer, when it came."""
    agency: str = ""
    who: str = ""
    purpose: Purpose | None = None
    state: str = ""


@dataclass(frozen=True, slots=True)
class WaitingList:
    """What waits, soonest first; `more` is how many lines were left out."""

    lines: tuple[WaitingLine, ...]
    more: int


class _Terms(msgspec.Struct):
    id: UUID
    by: UUID
    agencies: frozenset[UUID]
    level: Level | None
    named: frozenset[Category]
    purposes: frozenset[Purpose]
    from_on: date
    until_on: date | None
    renews_id: UUID | None

    def agreement(self) -> Agreement:
        return Agreement(
            id=self.id,
            given=True,
            by=self.by,
            by_words="",
            agencies=self.agencies,
            level=self.level,
            named=self.named,
            purposes=self.purposes,
            span=Span(self.from_on, self.until_on),
        )


class _Objection(msgspec.Struct):
    id: UUID
    raised_on: date


class _Request(msgspec.Struct):
    id: UUID
    worker_id: UUID
    agency_id: UUID
    purpose: Purpose | None
    asked_on: date


class _Answered(msgspec.Struct):
    id: UUID
    answered_on: date
    state: str


class _Child(msgspec.Struct):
    child_id: UUID
    reference: str
    given_name: str | None
    family_name: str | None
    born: date | None
    leads: bool
    runs: bool
    agreements: tuple[_Terms, ...] | None
    words: tuple[Word, ...] | None
    objections: tuple[_Objection, ...] | None
    requests: tuple[_Request, ...] | None
    answered: tuple[_Answered, ...] | None


# Starts from child_access, as every list does; a child is looked at closer only where something
# may wait; the bounds of birthdays are wide by a day for 29 February, and the rule looks again.
_WAITING = for_driver(
    """
WITH reached AS MATERIALIZED (
  SELECT a.child_id,
    EXISTS (SELECT 1 FROM lead_professional l WHERE l.child_id = a.child_id
      AND l.worker_id = :viewer AND {holds_today}) AS leads,
    EXISTS (SELECT 1 FROM referral f JOIN worker_role r ON r.panel_id = f.panel_id
      WHERE f.child_id = a.child_id AND f.state <> 'closed' AND r.worker_id = :viewer
        AND r.role IN ('coordinator', 'chair')
        AND (r.from_on IS NULL OR r.from_on <= :today)
        AND (r.until_on IS NULL OR r.until_on >= :today)) AS runs
  FROM child_access a
  WHERE a.viewer_id = :viewer AND a.valid_from <= :now AND a.valid_until >= :now
), waits AS (
  SELECT x.*, c.reference, c.given_name, c.family_name, c.birth_date
  FROM reached x JOIN child c ON c.id = x.child_id
  WHERE (x.leads OR x.runs) AND (
      EXISTS (SELECT 1 FROM sharing_agreement s WHERE s.child_id = x.child_id AND s.given
        AND s.withdrawn_at IS NULL AND s.until_on BETWEEN :today AND :soon)
      OR EXISTS (SELECT 1 FROM sharing_objection o WHERE o.child_id = x.child_id
        AND o.decided_on IS NULL)
      OR EXISTS (SELECT 1 FROM access_request q WHERE q.child_id = x.child_id
        AND q.state = 'asked')
      OR (x.leads AND c.birth_date BETWEEN :oldest AND :youngest))
    OR EXISTS (SELECT 1 FROM access_request q WHERE q.child_id = x.child_id
      AND q.worker_id = :viewer AND q.answered_on >= :since)
)
SELECT json_build_object('child_id', x.child_id, 'reference', x.reference,
  'given_name', encode(x.given_name, 'hex'), 'family_name', encode(x.family_name, 'hex'),
  'born', x.birth_date, 'leads', x.leads, 'runs', x.runs,
  'agreements', (SELECT json_agg(json_build_object('id', s.id, 'by', s.by_person_id,
      'agencies', s.agencies, 'level', s.level, 'named', s.named, 'purposes', s.purposes,
      'from_on', s.from_on, 'until_on', s.until_on, 'renews_id', s.renews_id) ORDER BY s.id)
    FROM sharing_agreement s WHERE s.child_id = x.child_id AND s.given AND LIVE),
  'words', (SELECT json_agg(json_build_object('capacity', s.capacity, 'from_on', s.from_on,
      'in_force', LIVE))
    FROM sharing_agreement s WHERE s.child_id = x.child_id AND x.leads
      AND s.capacity <> 'parental_responsibility'),
  'objections', (SELECT json_agg(json_build_object('id', o.id, 'raised_on', o.raised_on)
      ORDER BY o.id)
    FROM sharing_objection o WHERE o.child_id = x.child_id AND o.decided_on IS NULL),
  'requests', (SELECT json_agg(json_build_object('id', q.id, 'worker_id', q.worker_id,
      'agency_id', q.agency_id, 'purpose', q.purpose, 'asked_on', q.asked_on) ORDER BY q.id)
    FROM access_request q WHERE q.child_id = x.child_id AND q.state = 'asked'),
  'answered', (SELECT json_agg(json_build_object('id', q.id, 'answered_on', q.answered_on,
      'state', q.state) ORDER BY q.id)
    FROM access_request q WHERE q.child_id = x.child_id AND q.worker_id = :viewer
      AND q.answered_on >= :since))::text
FROM waits x
""".replace("LIVE", LIVE).replace("{holds_today}", HOLDS_TODAY)
)
_READ = msgspec.json.Decoder(_Child)


async def waiting_about_sharing(
    gate: Gate, session: AsyncSession, viewer: Viewer, purposes: Purposes
) -> WaitingList:
    """What waits for a lead professional or coordinator, soonest first; and answers to the viewer.

    Within the viewer's transaction. Each child on the list is opened through the gate, and logged.
    """
    today = day_of(session.info["now"])
    within = await spans(session)
    ahead = timedelta(days=within.remind_days)
    rows = await rows_of(
        session,
        _WAITING,
        {
            "viewer": viewer.id,
            "now": session.info["now"],
            "today": today,
            "soon": today + ahead,
            "since": working_days_before(today, ANSWERS_SHOWN),
            "oldest": months_after(today, -12 * OLDEST),
            "youngest": months_after(today + ahead, -12 * AGE_OF_OWN_AGREEMENT) + A_DAY,
        },
    )
    children = [_READ.decode(line) for (line,) in rows]
    found = [(child, line) for child in children for line in _lines(child, viewer, today, within)]
    found.sort(key=lambda one: (one[1].on, one[1].about_id))
    shown = found[:MOST]
    opened = await gate.open_here(
        session, dict.fromkeys(child.child_id for child, _ in shown), viewer, purposes, LOOKING
    )
    asked = {one.id: one for child, _ in shown for one in child.requests or ()}
    known = {one.id: one.name for one in await agencies(session)} if asked else {}
    names = await worker_names(session, [one.worker_id for one in asked.values()])
    lines = []
    for child, line in shown:
        access = opened.get(child.child_id)
        if access is None or (line.kind == "young_person" and not access.may(Category.IDENTITY)):
            continue
        told = replace(line, name=_name(access, child))
        if (request := asked.get(line.about_id)) is not None:
            told = replace(
                told,
                agency=known.get(request.agency_id, ""),
                who=names.get(request.worker_id, ""),
                purpose=request.purpose or Purpose.SUPPORT,
            )
        lines.append(told)
    return WaitingList(tuple(lines), len(found) - len(shown))


def _lines(child: _Child, viewer: Viewer, today: date, within: Spans) -> Iterator[WaitingLine]:
    def line(kind: Kind, about: UUID, on: date, state: str = "") -> WaitingLine:
        return WaitingLine(kind, child.child_id, about, child.reference, "", on, state=state)

    if child.leads or child.runs:
        terms = [one.agreement() for one in child.agreements or ()]
        for one in terms:
            if ends_soon(one, today, within.remind_days) and not is_carried_on(one, terms):
                yield line("ending", one.id, one.span.end or date.max)
        for objection in child.objections or ():
            due = working_days_after(objection.raised_on, within.objection_working_days)
            yield line("objection", objection.id, due)
        # What somebody asked in one go is one line.
        asked = {
            (one.worker_id, one.agency_id, one.asked_on): one
            for one in reversed(child.requests or ())
            if (one.worker_id, one.agency_id) != (viewer.id, viewer.agency)
        }
        for request in asked.values():
            due = working_days_after(request.asked_on, within.answer_working_days)
            yield line("request", request.id, due)
    if child.leads:
        step = to_decide(child.born, child.words or (), today, within.remind_days)
        if step is not None:
            on = step.eighteen_on if step.is_16 and step.eighteen_on else step.sixteen_on
            yield line("young_person", child.child_id, on, "16" if on == step.sixteen_on else "18")
    for answered in child.answered or ():
        yield line("answered", answered.id, answered.answered_on, answered.state)


def _name(access: Access, child: _Child) -> str:
    def opened(column: str, sealed: str | None) -> str:
        blob = None if sealed is None else bytes.fromhex(sealed)
        field = f"child.{column}"
        return access.open_text(blob, field, child.child_id, Category.IDENTITY) or ""

    parts = (opened("given_name", child.given_name), opened("family_name", child.family_name))
    return " ".join(part for part in parts if part)
