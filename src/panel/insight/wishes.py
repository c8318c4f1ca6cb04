"""Asking for a table that the catalogue does not have, and answering it.

Nobody puts a query together: each further way to count the same children tells more of them. So an
analyst says what is asked and why, the lead for information governance answers, and what is agreed
joins the catalogue for everybody, under the same protection.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.insight.core.dimensions import AREA, TITLES
from panel.insight.core.facts import FACTS, ChildTerm, Fact
from panel.insight.core.nesting import columns
from panel.insight.core.words import Level, lower_first
from panel.insight.wish_models import TableWish
from panel.platform.problems import Clash, Conflict, FieldError, Invalid, NotFound
from panel.platform.tables import NOW
from panel.records.newest_first import newest_first
from panel.web.paging import Asked, Page, page_of
from panel.web.words import in_a_row

ON_A_PAGE = 25
MOST_DIMS = 3
"""A table of more is so fine that nearly all of it reads as 0 to 4."""
ABOUT: Mapping[str, str] = {
    "ChildTerm": "Children known",
    "Request": "Requests for service",
    "Unmet": "Needs that are not met",
    "Wait": "Waits",
    "Package": "Packages, and what they cost",
    "OutcomeChange": "Outcomes",
    "Perception": "What families say",
    "Transition": "Moves to another school or service",
    "Coverage": "Children on lists of other registers",
    "Capacity": "Places of services",
}
"""What is counted: each kind of fact that is kept, in words."""
_OF_ITSELF = frozenset({AREA, "ahead", "edge", "band"})
BY: Mapping[str, str] = {dim: said for dim, said in TITLES.items() if dim not in _OF_ITSELF} | {
    "basis": "By what law it is given",
    "decision": "What was decided",
    "clock": "Which wait it is",
    "question": "What families were asked about",
    "list": "Which list it is",
    "course": "How an outcome went",
}
"""By what children are told apart, besides the area that they live in."""
_MADE: Mapping[str, frozenset[str]] = {
    "Package": frozenset({"payer"}),
    "OutcomeChange": frozenset({"course", "kind"}),
}
"""Dimensions that are made of several columns of a fact."""
STATE_WORDS: Mapping[str, str] = {
    "asked": "Not answered yet",
    "joins": "Joins the catalogue",
    "declined": "Not made",
}
NOT_HERE = "Nobody asked for this table."


@dataclass(frozen=True, slots=True)
class NewWish:
    """What an analyst asks for."""

    question: str
    about: str
    dims: tuple[str, ...]
    level: Level
    decision: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to a wish."""

    state: str
    joins_in: str
    reason: str


def wrong_wish(new: NewWish) -> list[FieldError]:
    """What is wrong with a wish: each a sentence. Pure."""
    found = []
    if new.about not in ABOUT:
        found.append(FieldError("about", "Select what is counted"))
    if strange := [one for one in new.dims if one not in BY]:
        found.append(FieldError("dims", f"{len(strange)} of these are not known. Select again"))
    elif new.about in ABOUT:
        known = _told_apart(new.about)
        if unknown := [BY[one] for one in new.dims if one not in known]:
            sentence = (
                f"{in_a_row(unknown)}: not known of {lower_first(ABOUT[new.about])}. Take it out,"
                " or select something else that is counted"
            )
            found.append(FieldError("dims", sentence))
    if len(new.dims) > MOST_DIMS:
        sentence = f"Select at most {MOST_DIMS}: a finer table would say 0 to 4 nearly everywhere"
        found.append(FieldError("dims", sentence))
    if new.about == "Capacity" and new.level is not Level.AUTHORITY:
        sentence = "Places of services are known for the whole area alone. Select that"
        found.append(FieldError("level", sentence))
    return found


def _told_apart(about: str) -> frozenset[str]:
    """By what facts of a kind can be told apart: by themselves, or by the child whose they are."""
    fact = _FACTS[about]
    of_child = columns(ChildTerm) if hasattr(fact, "who") else frozenset[str]()
    return columns(fact) | of_child | _MADE.get(about, frozenset())


_FACTS: Mapping[str, type[Fact]] = {one.__name__: one for one in FACTS}


async def ask(session: AsyncSession, new: NewWish) -> TableWish:
    """Write a wish down. Raises Invalid."""
    if mistakes := wrong_wish(new):
        raise Invalid(tuple(mistakes))
    made = TableWish(
        question=new.question,
        about=new.about,
        dims=[dim for dim in BY if dim in new.dims],
        level=new.level.value,
        decision=new.decision,
        state="asked",
    )
    session.add(made)
    await session.flush()
    return made


async def answer(
    session: AsyncSession, wish_id: UUID, version: int, said: Answer, by: UUID
) -> None:
    """Answer a wish, or change the answer.

    Raises Invalid, NotFound, and Conflict with both answers where somebody answered meanwhile.
    """
    mistakes = []
    if said.state == "joins" and not said.joins_in:
        sentence = "Enter the version of the catalogue in which it joins, for example 2027.1"
        mistakes.append(FieldError("joins_in", sentence))
    if said.state == "declined" and not said.reason:
        mistakes.append(FieldError("reason", "Say why it is not made, for all to read"))
    if said.state == "declined" and said.joins_in:
        sentence = "Leave this empty: a table that is not made joins no version"
        mistakes.append(FieldError("joins_in", sentence))
    if mistakes:
        raise Invalid(tuple(mistakes))
    row = await session.get(TableWish, wish_id, populate_existing=True, with_for_update=True)
    if row is None:
        raise NotFound(NOT_HERE)
    if row.version != version:
        raise Conflict(_clashes(said, row))
    now: datetime = session.info[NOW]
    row.state, row.joins_in, row.reason = said.state, said.joins_in or None, said.reason or None
    row.answered_by, row.answered_at = by, now
    await session.flush()


def _clashes(said: Answer, row: TableWish) -> tuple[Clash, ...]:
    both = (
        ("Answer", STATE_WORDS[said.state], STATE_WORDS[row.state]),
        ("In version", said.joins_in, row.joins_in or ""),
        ("Why", said.reason, row.reason or ""),
    )
    return tuple(Clash(label, yours, theirs) for label, yours, theirs in both if yours != theirs)


async def one_wish(session: AsyncSession, wish_id: UUID) -> TableWish:
    """One wish. Raises NotFound."""
    row = await session.get(TableWish, wish_id)
    if row is None:
        raise NotFound(NOT_HERE)
    return row


async def wishes(session: AsyncSession, asked: Asked) -> Page[TableWish]:
    """A page of all wishes, the newest first."""
    key = (TableWish.created_at, TableWish.id)
    rows = await newest_first(session, select(TableWish), key, asked, ON_A_PAGE)
    return page_of(rows, asked, ON_A_PAGE, lambda one: (one.created_at, one.id))
