"""One search box: name with its misspellings, date of birth, NHS number, reference.

Only children whom the viewer may reach are looked through, and a child whose name is withheld
from the viewer is found by reference only: a hit by name would give the name away.
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Viewer
from panel.platform.crypto import Keyring
from panel.platform.tables import NOW
from panel.records.gate import Gate, Purposes
from panel.records.nhs_number import WrongNhsNumber, nhs_number
from panel.register.children import child_token, ring_of
from panel.register.children_list import ListedChild, listed
from panel.register.names import NameQuery, name_query
from panel.web.words import MONTHS

MOST_FOUND = 50

_REFERENCE = re.compile(r"c\s?-?\s?(\d{1,9})", re.IGNORECASE)
_NAMED_MONTH = "|".join(f"{name[:3]}(?:{name[3:]})?|{name[:4]}" for name in MONTHS)
_BETWEEN = r"(?:\s*+[./-]\s*+|\s++)"
_DATE = re.compile(
    r"\b(?:(?P<iso_year>\d{4})-(?P<iso_month>\d{1,2})-(?P<iso_day>\d{1,2})"
    rf"|(?P<day>\d{{1,2}}){_BETWEEN}(?P<month>\d{{1,2}}){_BETWEEN}(?P<year>\d{{4}}|\d{{2}})"
    r"|(?P<day_first>\d{1,2})(?:st|nd|rd|th)?\s*+(?:of\s++)?(?P<month_name>"
    + _NAMED_MONTH
    + r")\.?,?"
    r"\s*(?P<year_last>\d{4}|\d{2})"
    r"|(?P<solid>\d{8}))\b",
    re.IGNORECASE,
)


class Why(IntEnum):
    """Why a child was found, best first."""

    NUMBER = 0
    EXACT = 1
    BEGINNING = 2
    SOUND = 3


WHY_WORDS = {
    "reference": "Reference",
    "nhs_number": "NHS number",
    "birth_date": "Date of birth",
}


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What a person typed, understood."""

    reference: str = ""
    nhs_number: str = ""
    born: date | None = None
    names: NameQuery | None = None
    note: str = ""
    """A sentence about what could not be used, or empty."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to look for."""
        return not (self.reference or self.nhs_number or self.born or self.names)


@dataclass(frozen=True, slots=True)
class Found:
    """One child who was found."""

    child: ListedChild
    why: str
    """"Same spelling", "Begins the same", "Sounds alike", "Date of birth" …"""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """At most 50 children, best first."""

    found: tuple[Found, ...]
    is_cut: bool
    """There were more: the search should be narrowed."""
    note: str


def understood(typed: str, today: date) -> SearchQuery:
    """What a person typed into the box: a reference, an NHS number, a birth date, a name.

    A date and a name may stand together. Years of two digits are of this century.
    """
    words = " ".join(typed.split())[:200]
    if found := _REFERENCE.fullmatch(words):
        return SearchQuery(reference=f"C-{found[1]}")
    digits = re.sub(r"[\s‐-―−-]", "", words)
    if re.fullmatch(r"\d{9,11}", digits):
        try:
            return SearchQuery(nhs_number=nhs_number(words))
        except WrongNhsNumber as wrong:
            return SearchQuery(note=str(wrong))
    born, rest, note = _date_in(words, today)
    names = name_query(rest)
    if not names.words:
        if re.search(r"\d", rest) and not note:
            note = "This is no whole date, NHS number or reference. Try 9 March 2021 or C-1042."
        return SearchQuery(born=born, note=note)
    return SearchQuery(born=born, names=names, note=note)


def _date_in(words: str, today: date) -> tuple[date | None, str, str]:
    """The date in the words, the words without it, and a note where it is no date."""
    found = _DATE.search(words)
    if found is None:
        return None, words, ""
    part = found.groupdict()
    rest = f"{words[: found.start()]} {words[found.end() :]}"
    if part["solid"]:
        day, month, year = part["solid"][:2], part["solid"][2:4], part["solid"][4:]
    else:
        day = part["iso_day"] or part["day"] or part["day_first"]
        month = part["iso_month"] or part["month"] or _month_number(part["month_name"])
        year = part["iso_year"] or part["year"] or part["year_last"]
    try:
        return date(_century(int(year), today), int(month), int(day)), rest, ""
    except ValueError:
        return None, rest, "There is no such day. Dates are read with the day first: 9/3/2021."


def _month_number(name: str) -> str:
    start = name[:3].lower()
    return str(next(n for n, month in enumerate(MONTHS, start=1) if month.lower()[:3] == start))


def _century(year: int, today: date) -> int:
    return year + today.year // 100 * 100 if year < 100 else year


async def find_children(
    gate: Gate, viewer: Viewer, purposes: Purposes, typed: str, today: date
) -> SearchResult:
    """The children whom the viewer may know of and who are meant by what was typed.

    Those shown are opened through the gate, so each look is in the access history.
    """
    query = understood(typed, today)
    if query.is_empty:
        return SearchResult((), is_cut=False, note=query.note)
    async with gate.tenant.transaction(viewer.id) as session:
        hits = await _hits(session, viewer, query)
        why = dict(hits)
        opened = await gate.open_here(
            session, list(why)[:MOST_FOUND], viewer, purposes, "found in a search"
        )
        shown = [
            child_id
            for child_id, access in opened.items()
            if query.reference or access.may(Category.IDENTITY)
        ]
        children = await listed(session, shown, opened, today)
    return SearchResult(
        tuple(Found(children[child_id], why[child_id]) for child_id in shown),
        is_cut=len(hits) > MOST_FOUND,
        note=query.note,
    )


_BY_REFERENCE = """
SELECT c.id, 0 FROM child c JOIN child_access a ON a.child_id = c.id
   AND a.viewer_id = :viewer AND a.valid_from <= :now AND a.valid_until >= :now
 WHERE c.reference = :reference"""
_BY_NUMBER = """
SELECT i.child_id, 0 FROM child_index i JOIN child_access a ON a.child_id = i.child_id
   AND a.viewer_id = :viewer AND a.valid_from <= :now AND a.valid_until >= :now
 WHERE i.token = :token LIMIT 51"""
_BY_BIRTH = """
SELECT c.id, 0 FROM child c JOIN child_access a ON a.child_id = c.id
   AND a.viewer_id = :viewer AND a.valid_from <= :now AND a.valid_until >= :now
 WHERE c.birth_date = :born ORDER BY c.id LIMIT 51"""
# Every word must hit; a child is as good a hit as its worst word.
_BY_NAME = """
WITH asked AS (
  SELECT * FROM unnest(CAST(:words AS int[]), CAST(:tokens AS bytea[]), CAST(:ranks AS int[]))
    AS q(word, token, rank)),
hit AS (
  SELECT i.child_id, q.word, min(q.rank) AS rank
    FROM asked q JOIN child_index i ON i.token = q.token
    JOIN child_access a ON a.child_id = i.child_id
     AND a.viewer_id = :viewer AND a.valid_from <= :now AND a.valid_until >= :now
   GROUP BY i.child_id, q.word),
found AS (
  SELECT child_id, max(rank) AS rank, sum(rank) AS total FROM hit
   GROUP BY child_id HAVING count(*) = :needed)
SELECT f.child_id, f.rank
  FROM found f JOIN child c ON c.id = f.child_id
 WHERE CAST(:born AS date) IS NULL OR c.birth_date = :born
 ORDER BY f.rank, f.total, f.child_id LIMIT 51
"""
_RANKS = {"full": Why.EXACT, "prefix": Why.BEGINNING, "phonetic": Why.SOUND}
_NAME_WORDS = {
    Why.EXACT: "Same spelling",
    Why.BEGINNING: "Begins the same",
    Why.SOUND: "Sounds alike",
}


async def _hits(
    session: AsyncSession, viewer: Viewer, query: SearchQuery
) -> list[tuple[UUID, str]]:
    """Up to 51 children with why, best first."""
    shared: dict[str, Any] = {"viewer": viewer.id, "now": session.info[NOW]}
    # Viewers differ a hundredfold in whom they reach: a plan for all of them suits nobody.
    await session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
    if query.reference:
        rows = await session.execute(text(_BY_REFERENCE), shared | {"reference": query.reference})
        return [(row[0], WHY_WORDS["reference"]) for row in rows]
    if query.nhs_number:
        token = child_token(ring_of(session), "nhs_number", query.nhs_number)
        rows = await session.execute(text(_BY_NUMBER), shared | {"token": token})
        return [(row[0], WHY_WORDS["nhs_number"]) for row in rows]
    if query.names is None:
        rows = await session.execute(text(_BY_BIRTH), shared | {"born": query.born})
        return [(row[0], WHY_WORDS["birth_date"]) for row in rows]
    words, tokens, ranks = _asked(ring_of(session), query.names)
    rows = await session.execute(
        text(_BY_NAME),
        shared
        | {
            "words": words,
            "tokens": tokens,
            "ranks": ranks,
            "needed": len(query.names.words),
            "born": query.born,
        },
    )
    also = "" if query.born is None else ", date of birth"
    return [(row[0], _NAME_WORDS[Why(row[1])] + also) for row in rows]


def _asked(ring: Keyring, names: NameQuery) -> tuple[list[int], list[bytes], list[int]]:
    asked = [
        (number, child_token(ring, kind, word), int(_RANKS[kind]))
        for number, tokens in enumerate(names.words)
        for kind, word in sorted(tokens)
    ]
    return [a[0] for a in asked], [a[1] for a in asked], [a[2] for a in asked]
