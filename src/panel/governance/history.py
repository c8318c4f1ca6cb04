"""Searching the history of looks across the authority: who, which agency, which child, when, why.

It goes through the database's own function, which answers the information governance lead and
nobody else, and writes down each search that it answers. Nothing of what a record holds is read.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Purpose, Role, Viewer
from panel.accounts.models import Worker
from panel.accounts.service import agencies, worker_by_email, worker_names
from panel.governance.models import HistorySearch
from panel.platform.clock import LONDON, day_of
from panel.platform.ids import new_id
from panel.platform.problems import FieldError, Invalid, NotAllowed
from panel.platform.tables import NOW
from panel.platform.tenancy import load_keys
from panel.records.gate import Access, Gate
from panel.register.service import folded_words, listed
from panel.web.paging import Asked, Page, page_of

LOOKS_A_PAGE = 50
SEARCHES_A_PAGE = 50
MOST_NAMESAKES = 20
NO_REFERENCE = "Enter the reference as it stands on the record, for example C-1042"
_REFERENCE = re.compile(r"C-\d{1,9}")
ONLY_THE_LEAD = "Only the information governance lead searches the history of looks."


@dataclass(frozen=True, slots=True)
class HistoryQuestion:
    """What is looked for; None is anything."""

    worker: UUID | None = None
    agency: UUID | None = None
    reference: str | None = None
    since: date | None = None
    until: date | None = None
    """The last day, included."""
    purpose: Purpose | None = None
    refused_only: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a record, without anything of what the record holds."""

    id: UUID
    at: datetime
    who: str
    agency: str
    kind: str
    reference: str
    """Empty where there is no such record: somebody tried an address of nobody's."""
    child_name: str
    """Empty unless the gate shows it to whoever searches."""
    purpose: Purpose
    doing: str
    refused: bool


@dataclass(frozen=True, slots=True)
class Namesake:
    """One worker whose name was asked for."""

    id: UUID
    name: str
    agency: str


@dataclass(frozen=True, slots=True)
class SearchLine:
    """One search that somebody made."""

    id: UUID
    at: datetime
    who: str
    asked: dict[str, str]
    shown: int


_SEARCH = text("""
SELECT * FROM search_access_history(:search, :look, CAST(:asked AS jsonb), :worker, :agency,
  :reference, :since, :before, :purpose, :refused, :at, :last, :back, :some)
""")


async def search_history(
    gate: Gate, viewer: Viewer, question: HistoryQuestion, asked: Asked
) -> Page[Look]:
    """Looks that answer the question, newest first, by key (at, id). The search is written down.

    Raises NotAllowed for anybody but the information governance lead, Invalid as `check`.
    """
    if Role.GOVERNANCE_LEAD not in viewer.roles:
        raise NotAllowed(ONLY_THE_LEAD)
    check(question)
    at, last = asked.key if asked.key is not None else (None, None)
    back = asked.direction == "before" and asked.key is not None
    async with gate.tenant.transaction(viewer.id) as session:
        found = await session.execute(
            _SEARCH,
            {
                "search": new_id(),
                "look": new_id(),
                "asked": msgspec.json.encode(_written_down(question)).decode(),
                "worker": question.worker,
                "agency": question.agency,
                "reference": question.reference,
                "since": _start_of(question.since),
                "before": _start_of(question.until and question.until + timedelta(days=1)),
                "purpose": question.purpose,
                "refused": question.refused_only,
                "at": at,
                "last": last,
                "back": back,
                "some": LOOKS_A_PAGE + 1,
            },
        )
        rows = found.all()
        known = {agency.id: agency.name for agency in await agencies(session)}
        workers = [row.viewer_id for row in rows if row.viewer_kind == "worker"]
        names = await worker_names(session, workers)
        children = await _names_the_gate_shows(
            gate, session, viewer, sorted({row.child_id for row in rows if row.reached})
        )
        looks = [
            Look(
                id=row.id,
                at=row.at,
                who=names.get(row.viewer_id, ""),
                agency=known.get(row.agency_id, ""),
                kind=row.viewer_kind,
                reference=row.reference or "",
                child_name=children.get(row.child_id, ""),
                purpose=Purpose(row.purpose),
                doing=row.doing,
                refused=row.refused,
            )
            for row in rows
        ]
    return page_of(looks, asked, LOOKS_A_PAGE, lambda look: (look.at, look.id))


async def workers_called(session: AsyncSession, words: str) -> list[Namesake]:
    """The workers whose name has all these words, or who have this e-mail address; at most 20."""
    known = {agency.id: agency.name for agency in await agencies(session)}
    if "@" in words:
        found = await worker_by_email(session, words)
        return [] if found is None else [Namesake(found.id, found.name, known[found.agency_id])]
    wanted = set(folded_words(words))
    if not wanted:
        return []
    # Names are sealed, so they are read to be compared: an authority has some thousand workers.
    every = list(await session.scalars(select(Worker)))
    await load_keys(session, {one.agency_id for one in every})
    meant = [one for one in every if wanted <= set(folded_words(one.name))]
    meant.sort(key=lambda one: (one.name, known[one.agency_id], one.id))
    return [Namesake(one.id, one.name, known[one.agency_id]) for one in meant[:MOST_NAMESAKES]]


async def searches_made(session: AsyncSession, asked: Asked) -> Page[SearchLine]:
    """Who searched the history for what, newest first, by key (at, id)."""
    order = (HistorySearch.at, HistorySearch.id)
    wanted = select(HistorySearch).limit(SEARCHES_A_PAGE + 1)
    back = asked.direction == "before" and asked.key is not None
    if asked.key is not None:
        at, last = asked.key
        here = text(
            "(history_search.at, history_search.id) " + (">" if back else "<") + " (:at, :last)"
        )
        wanted = wanted.where(here.bindparams(at=at, last=last))
    wanted = wanted.order_by(*(order if back else [one.desc() for one in order]))
    rows = list(await session.scalars(wanted))
    names = await worker_names(
        session,
        [row.viewer_id for row in rows]
        + [UUID(row.asked["worker"]) for row in rows if "worker" in row.asked],
    )
    known = {str(agency.id): agency.name for agency in await agencies(session)}
    lines = [
        SearchLine(
            row.id,
            row.at,
            names.get(row.viewer_id, ""),
            {what: _named(what, said, names, known) for what, said in row.asked.items()},
            row.shown,
        )
        for row in rows
    ]
    return page_of(lines, asked, SEARCHES_A_PAGE, lambda line: (line.at, line.id))


def check(question: HistoryQuestion) -> None:
    """Raise Invalid where the days are in reverse, or the reference could be a name.

    What is asked is written down in the clear: nothing but a reference may come in as one.
    """
    if question.reference is not None and not _REFERENCE.fullmatch(question.reference):
        raise Invalid((FieldError("reference", NO_REFERENCE),))
    if question.since and question.until and question.until < question.since:
        raise Invalid(
            (FieldError("until", "The last day is before the first one. Check both dates"),)
        )


async def _names_the_gate_shows(
    gate: Gate, session: AsyncSession, viewer: Viewer, children: list[UUID]
) -> dict[UUID, str]:
    """Names of those children whose record the lead may open for this; each look is logged."""
    if not children:
        return {}
    opened: dict[UUID, Access] = await gate.open_here(
        session,
        children,
        viewer,
        (Purpose.GOVERNANCE, Purpose.SUBJECT_ACCESS),
        "searched the history of looks at this record",
        frozenset({Category.IDENTITY, Category.NETWORK}),
    )
    named = [child for child, access in opened.items() if access.may(Category.IDENTITY)]
    found = await listed(session, named, opened, day_of(session.info[NOW]))
    return {child: one.name for child, one in found.items()}


def _start_of(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), LONDON)


def _written_down(question: HistoryQuestion) -> dict[str, str]:
    said = {
        "worker": question.worker,
        "agency": question.agency,
        "reference": question.reference,
        "since": question.since,
        "until": question.until,
        "purpose": question.purpose,
        "refused": "yes" if question.refused_only else None,
    }
    return {what: str(value) for what, value in said.items() if value is not None}


def _named(what: str, said: str, names: dict[UUID, str], known: dict[str, str]) -> str:
    if what == "worker":
        return names.get(UUID(said), "Somebody")
    return known.get(said, said) if what == "agency" else said
