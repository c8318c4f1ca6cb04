"""You said, we did: commissioners write it, families read it.

An entry is written as a draft, published, and taken back; what was published is not written over.
It is about no child, and anybody who signs in may read what is published.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.models import Agency
from panel.accounts.service import worker_names
from panel.directory.models import Provider, Service
from panel.insight.core.catalogue import CATALOGUE
from panel.insight.reading import heads, held
from panel.insight.voice.models import SaidAndDone
from panel.insight.voice.recognising import recognisable
from panel.platform.clock import day_of
from panel.platform.problems import Clash, Conflict, FieldError, Invalid, NotFound, Problem
from panel.platform.tables import NOW, VIEWER
from panel.records.newest_first import newest_first
from panel.register.models import Area
from panel.web.paging import Asked, Page, page_of

ON_A_PAGE = 20
WHOLE = "The whole area"
STATE_WORDS = {"draft": "Draft", "published": "Published", "withdrawn": "Taken back"}
NOT_HERE = "There is no such entry."


@dataclass(frozen=True, slots=True)
class SaidWords:
    """What an entry says. `area_code` is "" for the whole area, `table_key` where it names none."""

    said: str
    done: str
    area_code: str = ""
    table_key: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it is read."""

    id: UUID
    words: SaidWords
    area: str
    table: str
    """The table's title; "" where it speaks of none."""
    state: str
    created_at: datetime
    published_at: datetime | None
    published_by: str
    """A worker's name; "" where it is not published, and for families."""
    withdrawn_on: date | None
    withdrawn_by: str
    version: int

    @property
    def published_on(self) -> date | None:
        """The Europe/London date."""
        return None if self.published_at is None else day_of(self.published_at)


# Reading ------------------------------------------------------------------------------------------


async def for_families(session: AsyncSession, asked: Asked) -> Page[Entry]:
    """What is published, newest first, without the names of who wrote it."""
    query = select(SaidAndDone).where(SaidAndDone.state == "published")
    key = (SaidAndDone.published_at, SaidAndDone.id)
    rows = await newest_first(session, query, key, asked, ON_A_PAGE)
    found = await _entries(session, rows, {})
    return page_of(
        found, asked, ON_A_PAGE, lambda one: (one.published_at or one.created_at, one.id)
    )


async def for_commissioners(session: AsyncSession, asked: Asked) -> Page[Entry]:
    """Every entry, newest first, with who published it."""
    key = (SaidAndDone.created_at, SaidAndDone.id)
    rows = await newest_first(session, select(SaidAndDone), key, asked, ON_A_PAGE)
    found = await _entries(session, rows, await _names(session, rows))
    return page_of(found, asked, ON_A_PAGE, lambda one: (one.created_at, one.id))


async def entry(session: AsyncSession, entry_id: UUID) -> Entry:
    """One entry. Raises NotFound."""
    row = await _row(session, entry_id)
    [found] = await _entries(session, [row], await _names(session, [row]))
    return found


async def areas(session: AsyncSession) -> Sequence[tuple[str, str]]:
    """The areas that an entry may be about: code and name, by name."""
    rows = await session.execute(select(Area.id, Area.name).order_by(Area.name, Area.id))
    return [(code, name) for code, name in rows]


async def published_tables(session: AsyncSession) -> Sequence[tuple[str, str]]:
    """The tables of the newest release: key and title, in the order of the catalogue."""
    published = await heads(session)
    if not published:
        return ()
    there = await held(session, published[0])
    return [(key, table.title) for key, table in CATALOGUE.items() if key in there]


# Writing ------------------------------------------------------------------------------------------


async def write(session: AsyncSession, words: SaidWords) -> UUID:
    """A new draft; its id. Raises Invalid where somebody could be recognised in it."""
    await _check(session, words)
    row = SaidAndDone(state="draft")
    _put(row, words)
    session.add(row)
    await session.flush()
    return row.id


async def change(session: AsyncSession, entry_id: UUID, version: int, words: SaidWords) -> None:
    """A draft in other words. Raises Conflict with both texts, Invalid, NotFound, Problem."""
    row = await _draft(session, entry_id, version, words)
    await _check(session, words)
    _put(row, words)
    await session.flush()


async def publish(session: AsyncSession, entry_id: UUID, version: int) -> None:
    """Families read it from now on. Raises Conflict, Invalid, NotFound, Problem."""
    row = await _draft(session, entry_id, version, None)
    # Checked again: since it was written somebody may have taken an area away.
    await _check(session, _words(row))
    row.state = "published"
    row.published_at, row.published_by = session.info[NOW], session.info[VIEWER]
    await session.flush()


async def take_back(session: AsyncSession, entry_id: UUID, version: int) -> None:
    """Families read it no more, or never; the commissioners' page has it still.

    Raises Conflict, NotFound, and Problem where it was taken back before.
    """
    row = await _row(session, entry_id)
    _unless_changed(row, version, None)
    if row.state == "withdrawn":
        raise Problem(409, "This was taken back", "Families do not read it any more.", "Read it.")
    row.state = "withdrawn"
    row.withdrawn_at, row.withdrawn_by = session.info[NOW], session.info[VIEWER]
    await session.flush()


async def _check(session: AsyncSession, words: SaidWords) -> None:
    """Raise Invalid for every field that is wrong."""
    known = await _known(session)
    wrong = [
        FieldError(field, sentence)
        for field, text in (("said", words.said), ("done", words.done))
        if (sentence := recognisable(text, known))
    ]
    if words.area_code and await session.get(Area, words.area_code) is None:
        wrong.append(FieldError("area_code", "Choose an area from the list"))
    if words.table_key and words.table_key not in CATALOGUE:
        wrong.append(FieldError("table_key", "Choose a table from the list"))
    if wrong:
        raise Invalid(tuple(wrong))


async def _known(session: AsyncSession) -> list[str]:
    """Names of what is no person: areas, agencies, services and who provides them."""
    found: list[str] = []
    for column in (Area.name, Agency.name, Service.name, Provider.name):
        found += [one for one in await session.scalars(select(column)) if one]
    return found


async def _row(session: AsyncSession, entry_id: UUID) -> SaidAndDone:
    row = await session.get(SaidAndDone, entry_id)
    if row is None:
        raise NotFound(NOT_HERE)
    return row


async def _draft(
    session: AsyncSession, entry_id: UUID, version: int, words: SaidWords | None
) -> SaidAndDone:
    row = await _row(session, entry_id)
    _unless_changed(row, version, words)
    if row.state != "draft":
        raise Problem(
            409,
            "This is not a draft any more",
            "What was published is not written over.",
            "Take it back, and write a new entry.",
        )
    return row


def _unless_changed(row: SaidAndDone, version: int, words: SaidWords | None) -> None:
    if row.version == version:
        return
    state = STATE_WORDS[row.state]
    clashes = [Clash("Where it stands", "What you read", state)]
    if words is not None:
        clashes += [
            Clash("What families said", words.said, row.said),
            Clash("What was done", words.done, row.done),
        ]
    raise Conflict(tuple(clashes))


def _put(row: SaidAndDone, words: SaidWords) -> None:
    row.said, row.done = words.said, words.done
    row.area_code, row.table_key = words.area_code or None, words.table_key or None


def _words(row: SaidAndDone) -> SaidWords:
    return SaidWords(row.said, row.done, row.area_code or "", row.table_key or "")


async def _names(session: AsyncSession, rows: Sequence[SaidAndDone]) -> Mapping[UUID, str]:
    named = {one for row in rows for one in (row.published_by, row.withdrawn_by) if one is not None}
    return await worker_names(session, list(named)) if named else {}


async def _entries(
    session: AsyncSession, rows: Sequence[SaidAndDone], names: Mapping[UUID, str]
) -> list[Entry]:
    codes = {row.area_code for row in rows if row.area_code}
    of_area: dict[str, str] = {}
    if codes:
        found = await session.execute(select(Area.id, Area.name).where(Area.id.in_(codes)))
        of_area = dict(found.all())
    return [
        Entry(
            id=row.id,
            words=_words(row),
            area=of_area.get(row.area_code or "", WHOLE),
            table=_title(row.table_key),
            state=row.state,
            created_at=row.created_at,
            published_at=row.published_at,
            published_by="" if row.published_by is None else names.get(row.published_by, ""),
            withdrawn_on=None if row.withdrawn_at is None else day_of(row.withdrawn_at),
            withdrawn_by="" if row.withdrawn_by is None else names.get(row.withdrawn_by, ""),
            version=row.version,
        )
        for row in rows
    ]


def _title(table_key: str | None) -> str:
    table = CATALOGUE.get(table_key or "")
    return "" if table is None else table.title
