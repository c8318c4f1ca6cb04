"""The pages of wishes: the list, a new one, one with its answer, and the answer.

A commissioner asks; the lead for information governance answers; both and the representative of
parents read all of them.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from consent import Role
from panel.accounts.desk import READING_FIGURES, Desk
from panel.accounts.service import worker_names
from panel.accounts.step_pages import Field, Shown, Step, step_page
from panel.accounts.taking import Transaction, take_here
from panel.insight.core.words import Level
from panel.insight.saying import LEVELS
from panel.insight.wish_models import TableWish
from panel.insight.wishes import (
    ABOUT,
    BY,
    STATE_WORDS,
    Answer,
    NewWish,
    answer,
    ask,
    one_wish,
    wishes,
)
from panel.web.forms import FieldErrors, Filled, chosen, line, paragraphs
from panel.web.paging import read_cursor
from panel.web.words import in_a_row, short_day

HOME = "/commissioning/wishes"
BACK = "/commissioning"
ASKS = Role.COMMISSIONER
LEAD = Role.GOVERNANCE_LEAD
LONGEST = 1_000
ANSWER = Step(
    "Answer who asked for a table",
    "Everybody who reads published figures reads the answer.",
    "Save the answer",
    (
        Field("radios", "state", "What becomes of it?", choices=(
            ("joins", "It joins the catalogue, for everybody"),
            ("declined", "It is not made"),
        )),
        Field("line", "joins_in", "In which version of the catalogue?",
              "Only if it joins, for example 2027.1"),
        Field("text", "reason", "Why?", "Needed if it is not made. Name nobody."),
    ),
)  # fmt: skip


class WishForm(msgspec.Struct, forbid_unknown_fields=True):
    """A table that somebody asks for."""

    question: Annotated[
        str,
        paragraphs(
            "Question", at_most=LONGEST, missing="Enter the question that the table would answer"
        ),
    ]
    about: Annotated[str, chosen("What is counted", missing="Select what is counted")]
    level: Annotated[Level, chosen("Areas", missing="Select how big the areas are")]
    decision: Annotated[
        str,
        paragraphs(
            "Decision", at_most=LONGEST, missing="Say what decision would be made with the table"
        ),
    ]
    dims: Annotated[list[str], chosen("By what it is told apart")] = []

    def new(self) -> NewWish:
        """The wish."""
        return NewWish(self.question, self.about, tuple(self.dims), self.level, self.decision)


class AnswerForm(msgspec.Struct, forbid_unknown_fields=True):
    """What becomes of a wish."""

    version: int
    state: Annotated[
        Literal["joins", "declined"], chosen("Answer", missing="Select what becomes of it")
    ]
    joins_in: Annotated[str, line("Version", at_most=40)] = ""
    reason: Annotated[str, paragraphs("Reason", at_most=LONGEST)] = ""

    def said(self) -> Answer:
        """The answer."""
        return Answer(self.state, self.joins_in, self.reason)


@get(HOME, include_in_schema=False)
async def wishes_page(desk: NamedDependency[Desk], page: FromQuery[str] = "") -> Response[str]:
    """Every table that was asked for, and what was answered, the newest first."""
    who = desk.require(*READING_FIGURES)
    asked = read_cursor(page, (datetime, UUID))
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await wishes(session, asked)
    return desk.page(
        "insight/wishes.html",
        rows=[_row(one) for one in found.rows],
        note=found.note,
        previous="" if found.previous is None else f"{HOME}?page={found.previous}",
        next="" if found.next is None else f"{HOME}?page={found.next}",
        new_href=f"{HOME}/new" if ASKS in who.viewer.roles else "",
        back_href=BACK,
    )


def _row(one: TableWish) -> tuple[str, str, str, str]:
    said = STATE_WORDS[one.state] + (f", version {one.joins_in}" if one.joins_in else "")
    return f"{HOME}/{one.id}", one.question, short_day(one.created_at), said


@get(f"{HOME}/new", include_in_schema=False)
async def new_wish_page(desk: NamedDependency[Desk]) -> Response[Any]:
    """The form that asks for a table."""
    desk.require(ASKS)
    return await _new(desk)


async def _new(desk: Desk, errors: FieldErrors | None = None) -> Response[Any]:
    return desk.page(
        "insight/new_wish.html",
        status=200 if errors is None else 422,
        filled=Filled({}, errors),
        about=list(ABOUT.items()),
        by=list(BY.items()),
        levels=[(level.value, said) for level, said in LEVELS.items()],
        at_most=LONGEST,
        here=f"{HOME}/new",
        back_href=HOME,
    )


@post(f"{HOME}/new", include_in_schema=False)
async def new_wish(desk: NamedDependency[Desk]) -> Response[Any]:
    """Ask for a table."""
    desk.require(ASKS)

    async def work(here: Transaction, form: WishForm) -> None:
        await ask(here.session, form.new())

    return await take_here(desk, WishForm, work, HOME, again=partial(_new, desk))


@get(f"{HOME}/{{wish_id:uuid}}", include_in_schema=False)
async def wish_page(desk: NamedDependency[Desk], wish_id: FromPath[UUID]) -> Response[str]:
    """One wish, and its answer."""
    who = desk.require(*READING_FIGURES)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        row = await one_wish(session, wish_id)
        known = [one for one in (row.created_by, row.answered_by) if one is not None]
        names = await worker_names(session, known)
    return desk.page(
        "insight/wish.html",
        question=row.question,
        facts=_facts(row, names.get(row.created_by, "")),
        answer=_answered(row, names),
        answer_href=f"{HOME}/{wish_id}/answer" if LEAD in who.viewer.roles else "",
        is_answered=row.answered_at is not None,
        back_href=HOME,
    )


def _facts(row: TableWish, by: str) -> Sequence[tuple[str, str]]:
    told = [BY.get(one, one) for one in row.dims]
    asked = short_day(row.created_at)
    return [
        ("What is counted", ABOUT.get(row.about, row.about)),
        ("Told apart by", in_a_row(told) if told else "Nothing but the area"),
        ("Areas", LEVELS[Level(row.level)]),
        ("For what decision", row.decision),
        ("Asked", f"{asked}, by {by}" if by else asked),
    ]


def _answered(row: TableWish, names: dict[UUID, str]) -> Sequence[tuple[str, str]]:
    if row.answered_at is None or row.answered_by is None:
        return []
    by, on = names.get(row.answered_by, ""), short_day(row.answered_at)
    return [
        ("Answer", STATE_WORDS[row.state]),
        *([("In version", row.joins_in)] if row.joins_in else []),
        *([("Why", row.reason)] if row.reason else []),
        ("Answered", f"{on}, by {by}" if by else on),
    ]


@get(f"{HOME}/{{wish_id:uuid}}/answer", include_in_schema=False)
async def answer_page(desk: NamedDependency[Desk], wish_id: FromPath[UUID]) -> Response[Any]:
    """The form that answers a wish."""
    desk.require(LEAD)
    return await _answer(desk, wish_id)


async def _answer(desk: Desk, wish_id: UUID, errors: FieldErrors | None = None) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        row = await one_wish(session, wish_id)
    here = f"{HOME}/{wish_id}"
    shown = Shown(
        f"{here}/answer",
        here,
        row.version,
        facts=[("Question", row.question), *_facts(row, "")],
        stored={
            "state": "" if row.state == "asked" else row.state,
            "joins_in": row.joins_in or "",
            "reason": row.reason or "",
        },
    )
    return step_page(desk, ANSWER, shown, errors)


@post(f"{HOME}/{{wish_id:uuid}}/answer", include_in_schema=False)
async def answer_wish(desk: NamedDependency[Desk], wish_id: FromPath[UUID]) -> Response[Any]:
    """Answer a wish."""
    desk.require(LEAD)

    async def work(here: Transaction, form: AnswerForm) -> None:
        await answer(here.session, wish_id, form.version, form.said(), desk.viewer.id)

    again = partial(_answer, desk, wish_id)
    return await take_here(desk, AnswerForm, work, f"{HOME}/{wish_id}", again=again)


HANDLERS = [
    wishes_page,
    new_wish_page,
    new_wish,
    wish_page,
    answer_page,
    answer_wish,
]
