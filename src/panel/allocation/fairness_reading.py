"""Decided requests to compare with, without a child: a function gives coarse columns of them.

Who sits on an allocation panel is not tied to the children of requests that were before it long
ago, and is not to be. The database gives what `fairness` needs and no id, to those who may compare:
migration 0031 says who and what.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Role
from panel.accounts.service import SignedIn
from panel.allocation.criteria_service import criteria_on
from panel.allocation.fairness import (
    Alike,
    Decided,
    Dimension,
    Edge,
    Group,
    Interval,
    LikeCases,
    age_band,
    apart,
    by_group,
    like_cases,
)
from panel.allocation.models import ServiceRequest
from panel.allocation.request_pages import level_words
from panel.allocation.request_service import may_read
from panel.allocation.rules import KIND_WORDS, NEED_WORDS, Kind, NeedCode
from panel.panels.models import Panel
from panel.platform.read_models import rows_of
from panel.records.gate import Access
from panel.register.models import Area, Child
from panel.web import words

ALLOCATES = frozenset({Role.ALLOCATION_MEMBER, Role.BUDGET_HOLDER})
ANSWERS = frozenset({Role.GOVERNANCE_LEAD, Role.MANAGER})
"""Who reads how requests were decided, and sits on no panel that decides them."""
NOT_RECORDED = "Not recorded"
DIMENSION_WORDS = {
    Dimension.WARD: "Ward",
    Dimension.AGE: "Age",
    Dimension.ETHNICITY: "Ethnicity",
    Dimension.NEED: "Main type of need",
    Dimension.LEVEL: "Level of need",
}
ALIKE_WORDS = {
    Alike.NEED: "main type of need",
    Alike.SERVICE: "service",
    Alike.AGE: "age",
    Alike.LEVEL: "level of need",
}
TOO_FEW = "Fewer than five decided requests are like this one, so nothing is said about them."


async def decided_requests(
    session: AsyncSession, by: Dimension | None = None, but: UUID | None = None
) -> list[Decided]:
    """Every request that was decided, but one.

    With a dimension each has that, its outcome and its wait alone; without, what is alike in it.
    The database refuses whoever may not compare.
    """
    rows = await rows_of(
        session,
        "SELECT outcome, need, age, level, ward, ethnicity, service, criterion, waited"
        " FROM decided_requests(%(by)s::text, %(but)s::uuid)",
        {"by": None if by is None else by.value, "but": but},
    )
    return [
        Decided(Kind(outcome), need, age, level, ward, ethnicity, service, criterion, waited_days)
        for outcome, need, age, level, ward, ethnicity, service, criterion, waited_days in rows
    ]


async def sits_on_allocation(session: AsyncSession, who: SignedIn) -> bool:
    """Whether somebody is of an allocation panel's people."""
    if who.viewer.roles & ALLOCATES:
        return True
    mine = who.panels | who.may_coordinate
    found = await session.scalar(
        select(Panel.id).where(Panel.id.in_(mine), Panel.kind == "allocation").limit(1)
    )
    return found is not None


# Beside a request ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LikeThis:
    """How requests like one were decided, in words."""

    said: str
    outcomes: Sequence[tuple[str, str]] = ()
    criteria: Sequence[str] = ()
    wait: str = ""


async def like_this(access: Access, request: ServiceRequest, who: SignedIn) -> LikeThis | None:
    """How requests like this were decided; None for whoever is not of the panel's people.

    None too where the request itself is withheld: what is alike would tell what stands in it.
    """
    if not may_read(access, request) or not await sits_on_allocation(access.session, who):
        return None
    child = await access.session.get(Child, access.child_id)
    age = ""
    if child is not None and child.birth_date is not None and access.may(Category.IDENTITY):
        age = age_band(child.birth_date, access.today)
    asked = Decided(
        Kind.DEFERRED,
        request.need_code or "",
        age,
        request.level_of_need or "",
        service="" if request.service_id is None else str(request.service_id),
    )
    found = like_cases(asked, await decided_requests(access.session, but=request.id))
    if found is None:
        return LikeThis(TOO_FEW)
    titles = {one.key: one.title for one in await criteria_on(access.session, access.today)}
    return _told(found, titles)


def _told(found: LikeCases, titles: dict[str, str]) -> LikeThis:
    alike = words.in_a_row([ALIKE_WORDS[one] for one in found.alike_in])
    return LikeThis(
        f"{found.number} decided requests are alike in {alike}.",
        [(KIND_WORDS[one], str(number)) for one, number in found.outcomes.items()],
        [f"{key} {titles.get(key, '')}".strip() for key in found.criteria],
        days_words(found.wait),
    )


# By group -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fairness:
    """How requests of each group were decided, as a page tells it."""

    rows: Sequence[Sequence[str]]
    apart: Sequence[str]


async def fairness_by(session: AsyncSession, by: Dimension) -> Fairness:
    """Rates of agreement and waits by group, small numbers protected."""
    groups = by_group(await decided_requests(session, by), by)
    areas: dict[str, str] = {}
    if by is Dimension.WARD:
        codes = {group.names[0] for group in groups if len(group.names) == 1}
        found = await session.scalars(select(Area).where(Area.id.in_(codes)))
        areas = {one.id: one.name for one in found}
    return Fairness(
        [
            (
                _names(group, by, areas),
                f"about {group.decisions}",
                agreed_words(group.agreed),
                days_words(group.wait),
            )
            for group in groups
        ],
        [_stands_apart(group, groups, by, areas) for group in apart(groups)],
    )


def _names(group: Group, by: Dimension, areas: dict[str, str]) -> str:
    """What a group is called. Small ones are not named: each would tell of somebody in it."""
    if len(group.names) > 1:
        return f"{len(group.names)} smaller groups together"
    return _name(group.names[0], by, areas)


def _name(code: str, by: Dimension, areas: dict[str, str]) -> str:
    if not code:
        return NOT_RECORDED
    if by is Dimension.WARD:
        return areas.get(code, code)
    if by is Dimension.NEED:
        return NEED_WORDS[NeedCode(code)]
    if by is Dimension.LEVEL:
        return level_words(code)
    return code


def agreed_words(agreed: Interval | Edge) -> str:
    """A share of agreement with its interval, or that it is near none or all."""
    if agreed is Edge.FEW:
        return "Few"
    if agreed is Edge.NEARLY_ALL:
        return "Nearly all"
    return f"{_percent(agreed.middle)} ({_percent(agreed.low)} to {_percent(agreed.high)})"


def _percent(share: float) -> str:
    return f"{round(100 * share)}%"


def days_words(wait: Interval) -> str:
    """A usual wait with its interval: "21 days (14 to 30)"."""
    middle = words.plural(round(wait.middle), "day")
    return f"{middle} ({round(wait.low)} to {round(wait.high)})"


def _stands_apart(
    group: Group, groups: Sequence[Group], by: Dimension, areas: dict[str, str]
) -> str:
    told = group.agreed
    shares = [one.agreed.middle for one in groups if isinstance(one.agreed, Interval)]
    often = ""
    if isinstance(told, Interval):
        often = "more" if told.middle > median(shares) else "less"
    return (
        f"{DIMENSION_WORDS[by]} “{_names(group, by, areas)}”: requests are agreed {often} often"
        f" than in the other groups, {agreed_words(told)}. This is a sign to look at how they were"
        " decided, and proves nothing."
    )
