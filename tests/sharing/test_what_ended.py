"""What ended is read only as far as a decision can name it, and the decision is the same."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import (
    Agreement,
    Category,
    CourtOrder,
    Enquiry,
    Objection,
    Override,
    Purpose,
    Relationship,
    Restriction,
    RestrictionKind,
    Role,
    Span,
    State,
    Tie,
    Viewer,
    ViewerKind,
    decide_all,
)
from consent.facts import lapse_day
from panel.platform.clock import today
from panel.platform.ids import new_id
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB, ChildScoped
from panel.register.models import Child
from panel.sharing.ending import LIVE, is_live
from panel.sharing.models import (
    SharingAgreement,
    SharingEnquiry,
    SharingObjection,
    SharingOrder,
    SharingOverride,
    SharingRestriction,
)
from panel.sharing.state import SharingFacts, agreement_of

pytestmark = pytest.mark.database

AGENCIES = [UUID(int=number) for number in (21, 22, 23)]
WORDS = ["her mother", "her father"]
PURPOSES = [["support"], ["support", "panel", "review"], []]


def chance_of(seed: int) -> Random:
    """What a seed invents: the same facts in every run."""
    return Random(seed)  # noqa: S311 - invention, not secrecy


def invented(chance: Random, child: UUID, now: datetime) -> SharingAgreement:
    """An agreement or refusal of the last weeks, mostly ended or withdrawn, some on one day."""
    day = now.date()
    start = day + timedelta(days=chance.randrange(-12, 3))
    until = chance.choice([None, start + timedelta(days=chance.randrange(0, 10))])
    withdrawn = chance.choice([None, now + timedelta(hours=12 * chance.randrange(-10, 3))])
    return SharingAgreement(
        child_id=child,
        given=chance.random() < 0.8,
        by_person_id=UUID(int=2),
        capacity="parental_responsibility",
        by_words=chance.choice(WORDS),
        agencies=chance.choice([AGENCIES[:1], AGENCIES[:2], AGENCIES]),
        not_agencies=chance.choice([[], [], AGENCIES[2:]]),
        level=chance.choice(["basic", "additional", None]),
        named=chance.choice([[], ["finance"]]),
        purposes=chance.choice(PURPOSES),
        from_on=start,
        until_on=until,
        withdrawn_at=withdrawn,
    )


def invented_other(chance: Random, child: UUID, now: datetime) -> tuple[ChildScoped, object]:
    """Something else of the last weeks, mostly over, as a row and as the decision knows it."""
    start = now.date() + timedelta(days=chance.randrange(-12, 3))
    until = chance.choice([None, start + timedelta(days=chance.randrange(0, 10))])
    span = {"from_on": start, "until_on": until}
    words, silent = chance.choice(WORDS), chance.random() < 0.3
    agencies = chance.choice([AGENCIES[:1], AGENCIES[1:], []])
    named = chance.choice([[], ["health"], ["plan", "views"]])
    categories = frozenset(Category(one) for one in named)
    kind, permits = chance.choice(list(RestrictionKind)), chance.random() < 0.5
    upheld = until is not None and chance.random() < 0.3
    for_what = chance.choice([[], [], ["exchange"], ["support"], ["review", "exchange"]])
    starts = now + timedelta(hours=12 * chance.randrange(-10, 3))
    ends = starts + timedelta(days=chance.randrange(1, 4))
    made: list[tuple[ChildScoped, object]] = [
        (
            SharingRestriction(
                child_id=child, kind=kind.value, categories=named, against=agencies,
                silent=silent, by_words=words, **span,
            ),
            Restriction(kind, categories, frozenset(agencies), Span(start, until), silent, words),
        ),
        (
            SharingOrder(
                child_id=child, permits=permits, categories=named, to=agencies,
                silent=silent, reference="", **span,
            ),
            CourtOrder(
                permits, categories, frozenset(agencies), Span(start, until), silent=silent
            ),
        ),
        (
            SharingEnquiry(child_id=child, agencies=agencies, **span),
            Enquiry(frozenset(agencies), Span(start, until)),
        ),
        (
            SharingObjection(
                child_id=child, by_person_id=UUID(int=2), by_words=words, agencies=agencies,
                categories=named, raised_on=start, decided_on=until, upheld=upheld,
                purposes=for_what,
            ),
            Objection(
                words, frozenset(agencies), categories, start, until, upheld,
                frozenset(Purpose(one) for one in for_what),
            ),
        ),
        (
            SharingOverride(
                child_id=child, to_id=AGENCIES[0], categories=named, starts_at=starts, ends_at=ends
            ),
            Override(AGENCIES[0], categories, starts, ends),
        ),
    ]  # fmt: skip
    return chance.choice(made)


async def new_child(tenant: Tenant, rows: Callable[[UUID], Iterable[ChildScoped]]) -> UUID:
    """A child with these facts of sharing."""
    async with tenant.transaction(JOB) as session:
        child = Child(reference=f"C-{new_id()}", given_name="Wren", family_name="Teasel")
        await session.execute(text("SELECT open_child(:c)"), {"c": child.id})
        session.add(child)
        await session.flush()
        session.add_all(rows(child.id))
    return child.id


async def read_state(tenant: Tenant, child: UUID) -> State:
    """The facts as the gate reads them."""
    async with tenant.transaction(JOB) as session:
        known = await SharingFacts().known(session, [child], Viewer(JOB, ViewerKind.JOB))
    return known[child].state


def same_decisions(read: State, everything: State, now: datetime) -> None:
    """For each agency, now and on the days that follow."""
    for agency in AGENCIES:
        who = Viewer(
            UUID(int=11), ViewerKind.WORKER, agency, "health", frozenset({Role.PRACTITIONER})
        )
        ties = (Relationship(Tie.TEAM, who.id),)
        for days in (0, 1, 2, 5):
            at = now + timedelta(days=days)
            for purpose in (Purpose.SUPPORT, Purpose.REVIEW):
                assert decide_all(who, purpose, at, replace(read, relationships=ties)) == (
                    decide_all(who, purpose, at, replace(everything, relationships=ties))
                )


@pytest.mark.parametrize("seed", range(12))
async def test_the_decision_is_the_same_without_what_nothing_names(
    tenant: Tenant, seed: int
) -> None:
    chance, now = chance_of(seed), tenant.clock.now()
    child = await new_child(
        tenant, lambda child: [invented(chance, child, now) for _ in range(120)]
    )
    async with tenant.transaction(JOB) as session:
        rows = await session.scalars(
            select(SharingAgreement).where(SharingAgreement.child_id == child)
        )
        everything = tuple(agreement_of(row) for row in rows)
    read = await read_state(tenant, child)
    assert len(everything) == 120
    assert len(read.agreements) < 120
    same_decisions(read, replace(read, agreements=everything), now)
    assert today(tenant.clock) == now.date()


@pytest.mark.parametrize("seed", range(12))
async def test_it_is_the_same_without_whatever_else_is_over(tenant: Tenant, seed: int) -> None:
    chance, now = chance_of(seed), tenant.clock.now()
    some: list[tuple[ChildScoped, object]] = []

    def rows(child: UUID) -> list[ChildScoped]:
        some.extend(invented_other(chance, child, now) for _ in range(chance.randrange(4, 12)))
        agreed = SharingAgreement(
            child_id=child, given=True, by_person_id=UUID(int=2), by_words=WORDS[0], named=[],
            capacity="parental_responsibility", agencies=AGENCIES, level="additional",
            purposes=PURPOSES[1], from_on=now.date() - timedelta(days=6),
        )  # fmt: skip
        return [*(row for row, _ in some), agreed]

    read = await read_state(tenant, await new_child(tenant, rows))
    facts = [fact for _, fact in some]
    everything = replace(
        read,
        objections=tuple(one for one in facts if isinstance(one, Objection)),
        restrictions=tuple(one for one in facts if isinstance(one, Restriction)),
        orders=tuple(one for one in facts if isinstance(one, CourtOrder)),
        overrides=tuple(one for one in facts if isinstance(one, Override)),
        enquiries=tuple(one for one in facts if isinstance(one, Enquiry)),
    )
    same_decisions(read, everything, now)


@pytest.mark.parametrize("seed", range(3))
async def test_whether_one_is_live_and_when_it_lapses_is_the_same_in_sql(
    tenant: Tenant, seed: int
) -> None:
    chance, now = chance_of(seed), tenant.clock.now()
    day = now.date()
    child = await new_child(
        tenant, lambda child: [invented(chance, child, now) for _ in range(120)]
    )
    async with tenant.transaction(JOB) as session:
        rows = await session.scalars(
            select(SharingAgreement).where(SharingAgreement.child_id == child)
        )
        by_rule = {row.id: (is_live(row, day), lapse_day(agreement_of(row))) for row in rows}
        found = await session.execute(
            text(
                "SELECT s.id, LIVE AS live, s.lapses_on FROM sharing_agreement s"
                " WHERE s.child_id = :child".replace("LIVE", LIVE)
            ),
            {"child": child, "today": day},
        )
        in_sql = {row.id: (row.live, row.lapses_on) for row in found}
    assert {live for live, _ in by_rule.values()} == {True, False}
    assert in_sql == by_rule


FEW, MANY = 5, 500


async def test_five_hundred_past_facts_are_read_as_five_are(tenant: Tenant) -> None:
    """What opening reads does not grow with what is over: counted, since a clock may lie."""
    few, many = [
        await new_child(tenant, partial(long_past, tenant.clock.now().date(), count))
        for count in (FEW, MANY)
    ]
    read, more = [replace(await read_state(tenant, one), child=few) for one in (few, many)]
    assert len(read.agreements) == 4, "one withdrawn and one that ended, in the words of each"
    assert {told(one) for one in read.agreements} == {told(one) for one in more.agreements}
    assert replace(read, agreements=()) == replace(more, agreements=())
    async with tenant.transaction(JOB) as session:
        visited = [await rows_visited(session, one) for one in (few, many)]
    assert visited[1] == visited[0], "more of the past was looked at than the latest of each kind"


def long_past(day: date, count: int, child: UUID) -> Iterable[ChildScoped]:
    """So many of each kind that ended, the last of them on the same day whatever their number."""
    for number in range(count):
        until = day - timedelta(days=30 + number)
        start = until - timedelta(days=20)
        withdrawn = datetime.combine(until, time(12), UTC)
        for words in WORDS:
            for over in ({"until_on": until}, {"withdrawn_at": withdrawn}):
                for given in (True, False):
                    yield SharingAgreement(
                        child_id=child, given=given, by_person_id=UUID(int=2), by_words=words,
                        capacity="parental_responsibility", agencies=AGENCIES, level="basic",
                        named=[], purposes=PURPOSES[0], from_on=start, **over,
                    )  # fmt: skip
        span = {"child_id": child, "from_on": start, "until_on": until}
        yield SharingRestriction(kind="choice", by_words=WORDS[0], **span)
        yield SharingOrder(permits=True, to=AGENCIES, **span)
        yield SharingEnquiry(agencies=AGENCIES, **span)
        yield SharingObjection(
            child_id=child, by_person_id=UUID(int=2), by_words=WORDS[0], raised_on=start,
            decided_on=until,
        )  # fmt: skip
        yield SharingOverride(
            child_id=child,
            to_id=AGENCIES[0],
            starts_at=withdrawn,
            ends_at=withdrawn + timedelta(hours=1),
        )


def told(one: Agreement) -> tuple[str, Span, datetime | None]:
    """All but which of those of one day it is."""
    return one.by_words, one.span, one.withdrawn


async def rows_visited(session: AsyncSession, child: UUID) -> int:
    """Rows of agreements that PostgreSQL looks at to read the facts of a child."""
    # What it knows of a table that was filled a moment ago is what it knew before.
    await session.execute(text("SET LOCAL enable_seqscan = off"))
    explained = await session.scalar(
        text(
            f"EXPLAIN (ANALYZE, FORMAT JSON) SELECT {SharingFacts.columns}"
            " FROM child_access a WHERE a.viewer_id = :viewer AND a.child_id = :child"
        ),
        {"viewer": JOB, "child": child},
    )
    return sum(
        (step["Actual Rows"] + step.get("Rows Removed by Filter", 0)) * step["Actual Loops"]
        for step in steps(explained[0]["Plan"])
        if step.get("Relation Name") == "sharing_agreement"
    )


def steps(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Each step of a plan."""
    yield plan
    for inner in plan.get("Plans", ()):
        yield from steps(inner)
