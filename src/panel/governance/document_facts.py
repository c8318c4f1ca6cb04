"""What an authority's documents rest on: read from its own configuration, naming no person."""

from dataclasses import asdict, dataclass
from datetime import date

from sqlalchemy import or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.service import agencies
from panel.governance.pattern_rules import Threshold
from panel.governance.retention_rules import kept_words
from panel.governance.thresholds import thresholds
from panel.platform.tables import NOW
from panel.platform.work_tables import Setting
from panel.sharing.models import Gateway
from panel.sharing.spans import spans

DOES_BY_ITSELF: dict[str, str] = {
    "seal what happened": "seals the history of looks and what else was done, so that nobody can"
    " change it unseen",
    "forget what is over": "ends sessions and sign-in links that are over, and deletes counted"
    " tries to sign in, known network addresses and tokens of systems whose time is over",
    "look after agreements to share": "refuses requests for access that nobody answered in time,"
    " asks for agencies whose day came, reminds of agreements that end and of own decisions at 16,"
    " and ends at 18 what rests on parental responsibility",
    "tell who asked to see more, and of what families chose": "tells whoever asked for access what"
    " was answered, and lead professionals what families chose on their own page",
    "find unusual patterns": "looks for unusual patterns in who opened which records",
    "keep the documents up to date": "makes a new version of these documents when they changed",
    "let leavers go": "ends what signs a worker in once their last day is over, and puts their open"
    " actions on their manager’s list",
    "do what was ordered for many": "does for many children, or meetings, what somebody saw"
    " rehearsed and ordered, or takes it back, each as far as they may at that moment",
    "tell workers what is due": "writes down what waits for each worker, without content, and"
    " tells those who want it by e-mail how much is due, outside their quiet hours",
    "gather copies that were asked for": "gathers what is kept about a person who asked for a"
    " copy of it, in the name of the information governance lead",
    "tell of what is to be put right": "tells lead professionals what is said to be wrong in a"
    " record, and them and the information governance lead what became of it",
    "propose what is due": "each month lists the records whose time is over, for two people to"
    " decide",
    "dispose of what was approved": "destroys the keys of the records that two people agreed to"
    " dispose of, with a certificate for each",
    "put notes to families out": "puts notes that were signed off, and letters, into the outbox",
    "send what waits": "sends waiting messages by e-mail",
    "take off waiting lists who left": "takes off waiting lists who turned 26, left the area or"
    " died",
    "promise packages out of new pots": "promises what running packages cost in a year as soon as"
    " the year has a pot",
    "find what other systems are to be told": "finds which resources changed that other systems"
    " asked to be told of, as far as the gate lets them be told",
    "tell other systems": "sends other systems word of which resource changed, and nothing of it,"
    " once the gate was asked again",
    "hand children over to other authorities": "sends what was signed of a child who moves to the"
    " authority that takes over, and asks what it answered",
    "ask other systems what changed": "fetches what changed in the systems of other agencies that"
    " are asked by schedule",
    "empty the MESH mailbox": "fetches what was sent to the authority’s mailbox of MESH, the NHS’s"
    " message exchange",
    "make exports": "makes the files that other systems asked for",
    "keep what entries were": "keeps what entries of a record said before they changed, as"
    " sealed as they are, for systems that may be told of them",
    "forget exports and what was told": "deletes exports after an hour, and after 30 days what"
    " other systems were told",
    "delete what came about nobody": "deletes what other systems sent that is about no child here"
    " once its time is over",
    "take in what systems sent": "takes in what another agency’s system sent where that was"
    " cut off",
    "remind of overdue actions": "reminds whoever has not done an action by its date, then their"
    " manager, once each and without a word of what it is",
    "watch over every case": "finds every night which changes in a child’s life are to be prepared,"
    " and who lacks a next step, out of dates and states alone",
    "ask families what it was like": "offers five questions to those of a family who got the notes"
    " of a meeting, once for each meeting",
    "keep the facts": "turns what changed on records into coded facts without names, out of which"
    " published figures are counted",
    "publish the figures of a term": "counts the figures of a term that is over, changes them so"
    " that no child can be found, attacks them and publishes them, or holds them back and tells"
    " who answers for it",
    "see what was sent": "writes down what became of each message",
}
"""Every job of `panel jobs`, by name, and what it does."""

RETENTION: dict[str, str] = {
    "child_record": "A child’s record: details, family, assessments, plans, discussions",
    "documents": "Files attached to a record",
    "notes_to_families": "Notes to families, and what they answered",
    "agreements": "Agreements to share, refusals, restrictions and their reasons",
    "access_history": "The history of looks",
    "unusual_patterns": "Unusual patterns and the notes that closed them",
    "accounts": "Workers’ accounts and roles",
}
"""Kinds of record whose time is a setting, `retention.KIND`."""

_PANELS = text("SELECT name FROM panel ORDER BY name, id")
_MEMBERS = text("SELECT DISTINCT agency_id FROM panel_agency")
_ELSEWHERE = text("SELECT agency_id FROM other_authority")
"""Other authorities, which keep records of their own and are no party to this one."""
_FORMS = text("SELECT DISTINCT title FROM form WHERE state <> 'draft' ORDER BY title")


@dataclass(frozen=True, slots=True)
class AgencyFact:
    """One party."""

    name: str
    kind: str
    on_panel: bool


@dataclass(frozen=True, slots=True)
class DutyFact:
    """One statutory duty or gateway as it is set."""

    words: str
    source: str
    from_on: date | None
    until_on: date | None


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """Everything that the documents are filled from: equal facts, equal documents."""

    authority: str
    agencies: tuple[AgencyFact, ...]
    duties: tuple[DutyFact, ...]
    panels: tuple[str, ...]
    forms: tuple[str, ...]
    retention: tuple[tuple[str, str], ...]
    """Kind of record in words, and how long, or "" where it is not set."""
    contact: str
    """How to reach whoever answers for data protection, or ""."""
    thresholds: tuple[tuple[str, int], ...]
    spans: tuple[tuple[str, int], ...]
    """How long what concerns sharing may wait or last: name of the span and its figure."""
    jobs: tuple[str, ...]


async def read_facts(session: AsyncSession, authority: str) -> DocumentFacts:
    """The facts as they are now; `authority` is what pages call it."""
    members = set(await session.scalars(_MEMBERS))
    elsewhere = set(await session.scalars(_ELSEWHERE))
    duties = await session.scalars(select(Gateway).order_by(Gateway.code))
    panels = await session.execute(_PANELS)
    told = await _settings(session)
    limits = await thresholds(session)
    return DocumentFacts(
        authority=authority,
        agencies=tuple(
            AgencyFact(one.name, one.kind, one.id in members)
            for one in await agencies(session)
            if one.id not in elsewhere
        ),
        duties=tuple(
            DutyFact(one.words, one.source, one.commenced_on, one.ended_on) for one in duties
        ),
        panels=tuple(row.name for row in panels),
        forms=tuple(await session.scalars(_FORMS)),
        retention=tuple(
            (said, told.get(f"retention.{kind}", "")) for kind, said in RETENTION.items()
        ),
        contact=told.get("governance.contact", ""),
        thresholds=tuple((one.value, limits[one]) for one in Threshold),
        spans=tuple(asdict(await spans(session)).items()),
        jobs=tuple(DOES_BY_ITSELF.values()),
    )


async def contact_and_retention(
    session: AsyncSession,
) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Whom people turn to, and how long each kind of record is kept, in words."""
    told = await _settings(session)
    kept = tuple(
        (said, told.get(f"retention.{kind}") or "Not decided yet")
        for kind, said in RETENTION.items()
    )
    return told.get("governance.contact", ""), kept


async def _settings(session: AsyncSession) -> dict[str, str]:
    rows = await session.scalars(
        select(Setting)
        .where(
            or_(Setting.key.startswith("retention."), Setting.key.startswith("governance.")),
            or_(Setting.from_on.is_(None), Setting.from_on <= session.info[NOW]),
        )
        .order_by(Setting.from_on.nulls_first(), Setting.id)
    )
    return {row.key: kept_words(row.value) for row in rows}
