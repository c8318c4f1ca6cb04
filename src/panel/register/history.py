"""What happened in a child's life and process: events, levels of need, episodes."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from panel.platform.problems import Invalid
from panel.platform.tables import today_of
from panel.records.gate import Access, Withheld
from panel.register.models import CLOSURES, LEVELS, Episode, LevelOfNeed, SignificantEvent

EVENT_KINDS = {
    "diagnosis": "Diagnosis",
    "hospital": "Hospital",
    "health": "Health",
    "move": "Move of home",
    "school": "School or nursery",
    "family": "Family",
    "service": "Service started or ended",
    "equipment": "Equipment",
    "contact": "Conversation with the family",
    "other": "Something else",
}
"""What kind of event, as it is kept and as people read it."""

LEVEL_WORDS = {
    "universal": "Universal",
    "early_help": "Early help",
    "targeted": "Targeted",
    "specialist": "Specialist",
}

CLOSURE_WORDS = {
    "needs_met": "Needs met",
    "moved_to_social_care": "Moved to social care",
    "moved_away": "Moved away",
    "withdrawn": "Withdrawn",
    "not_engaging": "Not engaging",
    "reached_age": "Reached the age limit",
    "died": "Died",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One significant event that this viewer may see."""

    id: UUID
    happened_on: date
    kind: str
    category: Category
    agency_name: str
    text: str


class _EventFact(msgspec.Struct):
    id: UUID
    happened_on: date
    kind: str
    category: Category
    agency_id: UUID
    agency: str
    text: str | None


_EVENTS = """
SELECT COALESCE(json_agg(e), '[]')::text FROM (
  SELECT s.id, s.happened_on, s.kind, s.category, s.author_agency_id AS agency_id,
         a.name AS agency, encode(s.text, 'hex') AS text
    FROM significant_event s JOIN agency a ON a.id = s.author_agency_id
   WHERE s.child_id = :child AND (CAST(:since AS date) IS NULL OR s.happened_on > :since)
   ORDER BY s.happened_on DESC, s.id DESC) e
"""
_READ_EVENTS = msgspec.json.Decoder(list[_EventFact])


@dataclass(frozen=True, slots=True)
class Chronology:
    """The events that may be seen, newest first, and why others may not, by category.

    What is withheld in silence is in neither.
    """

    events: tuple[Event, ...]
    withheld: tuple[Withheld, ...]


async def chronology(access: Access, since: date | None = None) -> Chronology:
    """A child's significant events, each by its own category and author; after a day if given."""
    found = await access.session.execute(text(_EVENTS), {"child": access.child_id, "since": since})
    events: list[Event] = []
    withheld: set[Category] = set()
    for fact in _READ_EVENTS.decode(found.scalar_one()):
        said = access.open_text(
            fact.text, "significant_event.text", fact.id, fact.category, fact.agency_id
        )
        if said is None:
            if not access.decision(fact.category, fact.agency_id).silent:
                withheld.add(fact.category)
        else:
            events.append(
                Event(fact.id, fact.happened_on, fact.kind, fact.category, fact.agency, said)
            )
    return Chronology(tuple(events), access.withheld_of(withheld))


async def note_event(
    session: AsyncSession,
    child_id: UUID,
    *,
    happened_on: date,
    kind: str,
    category: Category,
    author_agency_id: UUID,
    text: str,
) -> SignificantEvent:
    """Write down something that happened. Raises Invalid for a day to come or an unknown kind."""
    if happened_on > today_of(session):
        raise Invalid.because("happened_on", "The day it happened must be today or in the past")
    if kind not in EVENT_KINDS:
        raise Invalid.because("kind", "Select what kind of event it was")
    event = SignificantEvent(
        child_id=child_id,
        happened_on=happened_on,
        kind=kind,
        category=category.value,
        author_agency_id=author_agency_id,
        text=text,
    )
    session.add(event)
    await session.flush()
    return event


async def judge_level(
    session: AsyncSession, child_id: UUID, *, level: str, judged_on: date, judged_by: UUID
) -> LevelOfNeed:
    """A worker judges a child's level of need, on a day. Earlier judgements stay."""
    if level not in LEVELS:
        raise Invalid.because("level", "Select a level of need")
    if judged_on > today_of(session):
        raise Invalid.because("judged_on", "The day of the judgement must be today or in the past")
    judged = LevelOfNeed(child_id=child_id, level=level, judged_on=judged_on, judged_by=judged_by)
    session.add(judged)
    await session.flush()
    return judged


async def level_of_need(session: AsyncSession, child_id: UUID) -> LevelOfNeed | None:
    """The judgement that holds now: the latest."""
    return await session.scalar(
        select(LevelOfNeed)
        .where(LevelOfNeed.child_id == child_id)
        .order_by(LevelOfNeed.judged_on.desc(), LevelOfNeed.id.desc())
        .limit(1)
    )


async def open_episode(
    session: AsyncSession, child_id: UUID, opened_on: date, identified_on: date | None = None
) -> Episode:
    """A stay in the process begins; the one that is open already, where there is one."""
    already = await open_episode_of(session, child_id)
    if already is not None:
        return already
    level = await level_of_need(session, child_id)
    episode = Episode(
        child_id=child_id,
        opened_on=opened_on,
        identified_on=identified_on,
        level_at_start=None if level is None else level.level,
    )
    session.add(episode)
    await session.flush()
    return episode


async def open_episode_of(session: AsyncSession, child_id: UUID) -> Episode | None:
    """The stay in the process that goes on."""
    return await session.scalar(
        select(Episode)
        .where(Episode.child_id == child_id, Episode.closed_on.is_(None))
        .order_by(Episode.opened_on.desc())
        .limit(1)
    )


async def close_episode(
    session: AsyncSession, child_id: UUID, closed_on: date, reason: str
) -> Episode:
    """The stay ends, with one of the closure reasons. Raises Invalid where none is open."""
    if reason not in CLOSURES:
        raise Invalid.because("closure_reason", "Select why the episode is closed")
    episode = await open_episode_of(session, child_id)
    if episode is None:
        raise Invalid.because("closed_on", "There is no open episode to close")
    if closed_on < episode.opened_on:
        raise Invalid.because("closed_on", "The end is before the beginning. Check the date")
    level = await level_of_need(session, child_id)
    episode.closed_on = closed_on
    episode.closure_reason = reason
    episode.level_at_closure = None if level is None else level.level
    await session.flush()
    return episode


async def reopen_episode(session: AsyncSession, episode: Episode) -> None:
    """A stay that was closed goes on. Raises Invalid where another is open."""
    if await open_episode_of(session, episode.child_id) is not None:
        raise Invalid.because("episode", "An episode of this child is open already")
    episode.closed_on = episode.closure_reason = episode.level_at_closure = None
    await session.flush()
