"""What changed since the panel last talked about a child, as one viewer may see it.

Read through the gate: each line is decided by its own category and author, and what may not be
seen is not among them. Source: PAGES.md, "The meeting".
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from panel.panels.change_facts import READ_CHANGED
from panel.panels.change_rules import Change, Kind, SealedText, changes
from panel.platform.clock import day_of
from panel.platform.crypto import ERASED
from panel.platform.problems import NotFound
from panel.platform.tenancy import load_agency_keys
from panel.records.child_scoped import JOB
from panel.records.gate import NOT_HERE, Access

MaySee = Callable[[Category, UUID | None, UUID | None], bool]
"""As `Access.may`: whether somebody may see an entry of a category by an agency or a person."""

NOTHING_WRITTEN = "nothing written"


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One change in words, and what somebody else must be allowed to see to read it too."""

    sentence: str
    kind: Kind
    on: date
    category: Category
    author_agency: UUID | None
    author_person: UUID | None


async def changes_since(access: Access, since: datetime | None) -> Sequence[ChangeLine]:
    """What changed since a moment, as far as this viewer may see it; empty: nothing did.

    Without a moment the panel has not talked about the child, and there is nothing to compare.
    One query.
    """
    if since is None:
        return ()
    facts = await READ_CHANGED.line(
        access.session,
        child=access.child_id,
        since=since,
        since_on=day_of(since),
        today=access.today,
        job=JOB,
    )
    if facts is None:
        raise NotFound(NOT_HERE)
    seen = [
        one
        for one in changes(facts, access.child_id, since, access.today)
        if access.may(one.category, one.author_agency, one.author_person)
    ]
    holders = {one.who.holder for one in seen if one.who is not None}
    await load_agency_keys(access.session, {one for one in holders if one is not None})
    return [line for one in seen if (line := _line(access, one)) is not None]


_LAST_TALKED = """
SELECT f.child_id, GREATEST(
  (SELECT max(COALESCE(i.discussed_at, (m.held_on + p.starts_at) AT TIME ZONE 'Europe/London'))
   FROM agenda_item i JOIN meeting m ON m.id = i.meeting_id
   WHERE i.child_id = f.child_id AND m.panel_id = f.panel_id AND i.state = 'discussed'
     AND m.held_on < :day),
  max(CASE WHEN f.last_discussed_on < :day
    THEN (f.last_discussed_on + p.starts_at) AT TIME ZONE 'Europe/London' END)) AS at
FROM referral f JOIN panel p ON p.id = f.panel_id
WHERE f.panel_id = :panel AND f.child_id = ANY(:children)
GROUP BY f.child_id, f.panel_id, p.starts_at
"""


async def last_talked_about(
    session: AsyncSession, panel_id: UUID, children: Iterable[UUID], day: date
) -> dict[UUID, datetime]:
    """When a panel last talked about each child before a meeting's day; absent: it never did.

    Where only the day is known, when meetings of the panel begin.
    """
    rows = await session.execute(
        text(_LAST_TALKED), {"panel": panel_id, "children": list(children), "day": day}
    )
    return {row.child_id: row.at for row in rows if row.at is not None}


def visible_to_all(
    lines: Iterable[ChangeLine], everybody: Iterable[MaySee]
) -> Sequence[ChangeLine]:
    """The lines that each of these may see: what a screen shows that they look at together.

    Give `access.may` of each agency present: `visible_to_all(lines, [one.may for one in opened])`.
    """
    asked = list(everybody)
    return [
        one
        for one in lines
        if all(may(one.category, one.author_agency, one.author_person) for may in asked)
    ]


def _line(access: Access, change: Change) -> ChangeLine | None:
    """The line with its texts opened; None where somebody's words were erased."""
    said, who = _opened(access, change.text), _opened(access, change.who)
    if ERASED in (said, who):
        return None
    if change.kind is not Kind.WORDS:
        said = said.rstrip(".")
    return ChangeLine(
        change.words.format(text=said or NOTHING_WRITTEN, who=who),
        change.kind,
        change.on,
        change.category,
        change.author_agency,
        change.author_person,
    )


def _opened(access: Access, one: SealedText | None) -> str:
    """A sealed text that was decided on already; "" where there is none."""
    if one is None:
        return ""
    holder = one.holder or access.child_id
    return access.keys.open(holder, one.field, one.row, bytes.fromhex(one.sealed)).strip()
