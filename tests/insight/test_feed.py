"""What changes on records becomes facts: through the services, on a database of its own."""

import re
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import CheckConstraint, Text, select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.allocation.decision_service import decide
from panel.allocation.rules import Kind
from panel.insight import coding
from panel.insight.core.facts import ChildTerm, Fact, Request, Unmet, Wait
from panel.insight.feed import check, facts_digest, feed, keep_facts, keys_of, rebuild, touched
from panel.insight.models import FACT_TABLES
from panel.insight.sources import CHILDREN, SAID
from panel.insight.storing import events, stored
from panel.plans.writing import OutcomeWords, add_outcome, add_progress
from panel.platform.clock import FixedClock
from panel.platform.cluster import Cluster
from panel.platform.erasure import DestroyedKeys, Order, destroy
from panel.platform.jobs import Job, run_due
from panel.platform.read_models import rows_of
from panel.platform.tables import Base
from panel.records.child_scoped import JOB
from panel.records.restricted_use import ProcessingRestriction
from panel.register.history import close_episode, judge_level, open_episode
from panel.register.models import Child, PossibleDuplicate
from tests.allocation.conftest import Board
from tests.allocation.test_decide import HERE
from tests.panels.conftest import AddChild

pytestmark = pytest.mark.database

IN_TERM = datetime(2026, 12, 16, 9, 30, tzinfo=UTC)
AFTER_TERM = datetime(2027, 1, 2, 9, 30, tzinfo=UTC)
AUTUMN = "2026-autumn"


@asynccontextmanager
async def as_job(board: Board) -> AsyncIterator[AsyncSession]:
    async with board.house.as_("job") as session:
        yield session


async def facts_of(board: Board, kind: type[Fact]) -> list[Fact]:
    async with as_job(board) as session:
        return [one async for one in stored(session) if isinstance(one, kind)]


async def take_in(board: Board) -> None:
    """Feed, and find that facts are what the history comes to and what the rooms say."""
    async with as_job(board) as session:
        await feed(session)
        assert await touched(session) == 0
        found = await check(session)
        assert found.in_words() == ""


async def change(board: Board, name: str, **changes: object) -> None:
    async with as_job(board) as session:
        child = await session.get_one(Child, board.house.children[name])
        for column, value in changes.items():
            setattr(child, column, value)


@pytest.fixture
async def after(board: Board, add_child: AddChild) -> Board:
    """Three children with records: Amina, Bela and Carys."""
    for name in ("Bela", "Carys"):
        await add_child(name)
    return board


async def test_sixty_changes_through_the_services_come_to_what_the_rooms_say(
    after: Board, add_child: AddChild, clock: FixedClock
) -> None:
    board, house = after, after.house
    for name in ("Dai", "Efa", "Fflur"):
        await add_child(name)
    lead = house.viewers["lead"]
    done = 0
    clock.set(IN_TERM)
    for number, name in enumerate(sorted(house.children)):
        child = house.children[name]
        async with as_job(board) as session:
            await open_episode(session, child, date(2026, 10, 1 + number), date(2026, 9, 8))
        async with as_job(board) as session:
            await judge_level(
                session, child, level="targeted", judged_on=date(2026, 11, 1), judged_by=lead.id
            )
        await board.draft(name, need_code="slcn")
        async with house.opened(name, "lead") as access:
            words = OutcomeWords("Sleeps through", "Nights", baseline=1, target=4)
            outcome = await add_outcome(access, words)
        async with house.opened(name, "lead") as access:
            await add_progress(access, outcome.id, on=clock.now().date(), value=4, note="Better")
        done += 5
        await take_in(board)
    for name, ward, need, ethnicity in (
        ("Amina", "W90000001", "autistic_spectrum_disorder", "White and Asian"),
        ("Bela", "W90000002", "Down syndrome", "Black African"),
        ("Carys", "somewhere", "wakes often ZQ", "Kurdish"),
        ("Dai", "W90000004", "", ""),
    ):
        await change(board, name, ward_code=ward)
        await change(board, name, primary_need=need)
        await change(board, name, ethnicity=ethnicity)
        done += 3
        await take_in(board)
    await board.sent("Bela")
    await board.sent("Amina")
    clock.set(AFTER_TERM)
    done += 2
    await take_in(board)
    told = [one for one in await facts_of(board, ChildTerm) if isinstance(one, ChildTerm)]
    assert {(one.ward, one.need, one.ethnicity) for one in told} == {
        ("W90000001", "asd", "mixed"), ("W90000002", "ds", "black"), ("", "oth", "other"),
        ("W90000004", "", ""), ("", "", ""),
    }  # fmt: skip
    async with as_job(board) as session:
        assert "ZQ" not in repr(await events(session))
    for name in sorted(house.children):
        async with as_job(board) as session:
            await close_episode(session, house.children[name], date(2026, 12, 18), "moved_away")
        done += 1
    await take_in(board)
    async with as_job(board) as session:
        last = {one.record: one.said for one in await events(session) if one.said is not None}
    moves = [said for one in last.values() if one for said in one.said if said.what == "transition"]
    assert [one.since for one in moves if one.codes == {"kind": "area"}] == ["2026-12-18"] * 6
    links = [("Amina", "Bela"), ("Bela", "Carys"), ("Dai", "Efa"), ("Efa", "Amina")]
    people = len(await facts_of(board, ChildTerm))
    for one, other in links:
        await judge(board, one, other, "linked")
        await take_in(board)
    assert len(await facts_of(board, ChildTerm)) == people - 4
    for one, other in links:
        await judge(board, one, other, "apart")
        await take_in(board)
    done += 8
    assert len(await facts_of(board, ChildTerm)) == people
    assert done >= 58
    async with as_job(board) as session:
        before = await facts_digest(session)
        assert await rebuild(session) == before
        assert await facts_digest(session) == before


async def judge(board: Board, one: str, other: str, settled: str) -> None:
    """A person judges whether two records are of one child."""
    ids = board.house.children[one], board.house.children[other]
    async with as_job(board) as session:
        pair = await session.scalar(
            select(PossibleDuplicate).where(
                PossibleDuplicate.child_id == ids[0], PossibleDuplicate.other_child_id == ids[1]
            )
        )
        if pair is None:
            pair = PossibleDuplicate(child_id=ids[0], other_child_id=ids[1], reason="names")
            session.add(pair)
        pair.settled = settled


async def test_a_request_its_decision_and_what_is_unmet_become_facts(
    board: Board, clock: FixedClock
) -> None:
    made = await board.sent()
    await board.meets(*HERE)
    async with board.at() as at:
        await decide(at, made, board.proposed(Kind.IN_PART), await board.version(made))
    clock.set(AFTER_TERM)
    await take_in(board)
    [request] = await facts_of(board, Request)
    assert isinstance(request, Request)
    assert (request.period, request.kind, request.basis, request.decision, request.duty) == (
        AUTUMN, "other", "s17", "agreed_in_part", True,
    )  # fmt: skip
    [unmet] = await facts_of(board, Unmet)
    assert isinstance(unmet, Unmet)
    assert (unmet.need, unmet.reason, unmet.unit, str(unmet.units_missing)) == (
        "asd", "no_such_service", "night", "6.000",
    )  # fmt: skip
    waits = {(one.clock, one.kind) for one in await facts_of(board, Wait) if isinstance(one, Wait)}
    assert ("request_decision", "other") in waits
    [child] = await facts_of(board, ChildTerm)
    assert isinstance(child, ChildTerm)
    assert child.known
    assert child.level == "targeted"


async def test_what_is_said_the_same_makes_no_event_and_a_slot_done_again_changes_nothing(
    after: Board, clock: FixedClock
) -> None:
    clock.set(AFTER_TERM)
    await take_in(after)
    async with as_job(after) as session:
        kept, before = await events(session), await facts_digest(session)
    await change(after, "Bela", school="Larkfield Primary")
    async with as_job(after) as session:
        assert await touched(session) == 1
        await keep_facts(session, AFTER_TERM)
        assert await events(session) == kept
        await session.rollback()
    done = await run_due(
        after.house.tenant, [Job("keep the facts", AFTER_TERM - IN_TERM, keep_facts)], JOB
    )
    assert len(done) == 1
    async with as_job(after) as session:
        assert (await events(session), await facts_digest(session)) == (kept, before)
        assert await touched(session) == 0


async def test_who_moves_counts_where_they_lived_at_the_end_of_each_term(
    after: Board, clock: FixedClock
) -> None:
    async with as_job(after) as session:
        await open_episode(session, after.house.children["Bela"], date(2026, 11, 9))
    await change(after, "Bela", ward_code="W90000001")
    await take_in(after)
    clock.set(AFTER_TERM)
    await change(after, "Bela", ward_code="W90000002")
    await take_in(after)
    wards = {one.ward for one in await facts_of(after, ChildTerm) if isinstance(one, ChildTerm)}
    assert wards == {"", "W90000001"}
    clock.set(datetime(2027, 4, 5, 9, 30, tzinfo=UTC))
    await take_in(after)
    told = [one for one in await facts_of(after, ChildTerm) if isinstance(one, ChildTerm)]
    assert {(one.period, one.ward) for one in told if one.ward} == {
        (AUTUMN, "W90000001"), ("2027-spring", "W90000002"),
    }  # fmt: skip


async def test_a_restricted_record_counts_nowhere_until_the_restriction_ends(
    after: Board, clock: FixedClock
) -> None:
    clock.set(AFTER_TERM)
    await take_in(after)
    before = len(await facts_of(after, ChildTerm))
    async with as_job(after) as session:
        held = ProcessingRestriction(
            child_id=after.house.children["Bela"], from_on=date(2027, 1, 2), why="Asked"
        )
        session.add(held)
    await take_in(after)
    assert len(await facts_of(after, ChildTerm)) == before - 1
    async with as_job(after) as session:
        restricted = await session.get_one(ProcessingRestriction, held.id)
        restricted.ended_on = date(2027, 1, 2)
    await take_in(after)
    assert len(await facts_of(after, ChildTerm)) == before


async def test_an_erased_child_leaves_facts_and_history_and_is_not_brought_back(
    after: Board, clock: FixedClock, tmp_path: Path
) -> None:
    clock.set(AFTER_TERM)
    await judge(after, "Bela", "Carys", "linked")
    await take_in(after)
    child = after.house.children["Bela"]
    people = await facts_of(after, ChildTerm)
    async with as_job(after) as session:
        record = keys_of(session).record(child)
        assert record in {one.record for one in await events(session)}
        await destroy(
            session,
            after.house.tenant,
            DestroyedKeys(tmp_path),
            [child],
            Order("a list", "the job"),
        )
    await take_in(after)
    async with as_job(after) as session:
        history = await events(session)
        assert not {record} & {part for one in history for part in (one.record, one.other)}
        assert [one.kind for one in history].count("erased") == 1
        for table in (one for one in FACT_TABLES.values() if "person" in one.c):
            found = await rows_of(
                session, f"SELECT FROM {table.name} WHERE person = %(who)s", {"who": record}
            )
            assert not found, table.name
    assert len(await facts_of(after, ChildTerm)) == len(people), "the other of the pair stays"
    # Whatever touches the record later, nothing of it comes back, nor its link.
    await change(after, "Bela", ward_code="W90000003")
    await judge(after, "Carys", "Bela", "linked")
    await take_in(after)
    async with as_job(after) as session:
        assert await events(session) == history


async def test_facts_that_somebody_changed_are_found_and_made_anew(
    after: Board, clock: FixedClock
) -> None:
    clock.set(AFTER_TERM)
    await take_in(after)
    async with as_job(after) as session:
        before = await facts_digest(session)
        await rows_of(
            session,
            "WITH gone AS (DELETE FROM fact_child_term RETURNING 1) SELECT count(*) FROM gone",
            {},
        )
        assert (await check(session)).in_words().startswith("fact_child_term is not what its")
        assert await rebuild(session) == before
        assert (await check(session)).in_words() == ""


CODED = {
    ("child", "ward_code"),
    ("unmet_need", "unit"),
    ("record_change", "what"),
    ("record_change", "to_code"),
    # One of `register.models.CLOSURES`: asked whether it is that the child moved away.
    ("episode", "closure_reason"),
    ("listed_child", "need"),
    ("listed_child", "ward_code"),
}
"""Texts without a check of their own that are codes all the same."""
PUT_INTO_CODES = {("child", "ethnicity"), ("child", "primary_need")}
INVENTED = {("invented_child", "line")}
"""A whole line of codes, of nobody: a demonstration's, which the application cannot write."""


def columns_read() -> set[tuple[str, str]]:
    """Every table and column that the query reads."""
    read: set[tuple[str, str]] = set()
    for part in (*SAID, CHILDREN[CHILDREN.rindex("SELECT t.line") :]):
        tables: dict[str, set[str]] = defaultdict(set)
        for table, alias in re.findall(r"(?:FROM|JOIN) (\w+) (\w)\b", part):
            tables[alias].add(table)
        assert "*" not in part.replace("1000 *", "").replace("100 *", "")
        for alias, column in re.findall(r"\b(\w)\.\"?(\w+)", part):
            read |= {(table, column) for table in tables[alias]}
    return read


def test_no_name_no_sealed_column_and_no_free_text_is_read() -> None:
    read = columns_read()
    sealed = {
        (mapper.class_.__tablename__, one.name)
        for mapper in Base.registry.mappers
        for one in mapper.class_.__sealed__
    }
    assert len(read) > 60
    typed = set()
    for table, column in read - {("said", "line"), ("said", "child_id")}:
        of = Base.metadata.tables[table]
        assert (table, column) not in sealed
        checks = {str(one.name) for one in of.constraints if isinstance(one, CheckConstraint)}
        is_text = isinstance(of.c[column].type, Text)
        if is_text and f"ck_{table}_{column}" not in checks:
            typed.add((table, column))
    assert typed == CODED | PUT_INTO_CODES | INVENTED


UNTOUCHED = {
    # Written with the row whose change it keeps, or only asked who somebody is.
    "record_change", "family_member", "said",
}  # fmt: skip
BY_UPDATE_ALONE = {"agency", "data_key", "service"}
"""A row of these that is new says nothing of a child yet."""
BY_INSERT_ALONE = {"list_link", "listed_child", "register_list", "invented_child"}
"""Only added to; who is on a list is sealed anew, and that is no change."""


def test_whatever_is_read_touches_the_record_when_it_changes(database_of_own: Cluster) -> None:
    assert database_of_own.owner_url is not None
    with psycopg.connect(database_of_own.owner_url) as owner:
        rows = owner.execute(
            "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE t.tgname LIKE 'touched_by_%'"
        ).fetchall()
    triggers = set(rows)
    for table in {table for table, _ in columns_read()} - UNTOUCHED:
        events = {"insert", "update", "delete"}
        if table in BY_UPDATE_ALONE | BY_INSERT_ALONE:
            events = {"update"} if table in BY_UPDATE_ALONE else {"insert"}
        for event in events:
            assert (table, f"touched_by_{event}") in triggers, (
                f"{table} is read for facts: have its statements note whose record they touch"
                " (migration 0041), or name it here and say why not."
            )


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (None, ""),
        ("Not stated", ""),
        ("White British", "white"),
        ("Asian British", "asian"),
        ("Black Caribbean", "black"),
        ("White and Black Caribbean", "mixed"),
        ("mixed", "mixed"),
        ("Kurdish", "other"),
        ("Arab", "other"),
    ],
)
def test_ethnicity_is_one_of_five_groups(said: str | None, code: str) -> None:
    assert coding.ethnicity(said) == code


@pytest.mark.parametrize(
    ("said", "code"),
    [("ASD", "asd"), ("Autism", "asd"), ("complex_medical", "medical"), ("Tired", "oth"),
     ("", ""), (None, "")],
)  # fmt: skip
def test_a_primary_need_is_of_the_list_or_another(said: str | None, code: str) -> None:
    assert coding.need(said) == code
