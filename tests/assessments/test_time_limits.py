"""In how many working days an assessment is due: limits with dates, clocks that stand still."""

from datetime import date, timedelta

import pytest

from consent import Category, Purpose
from panel.assessments import editing
from panel.assessments.clocks import clock_on, let_clock_go_on, stop_clock, stops_of
from panel.assessments.definitions import Kind, Question, Section
from panel.assessments.form_versions import begin_form, edit_draft, publish
from panel.assessments.limits import (
    KNOWN,
    LateReason,
    Limit,
    RunsFrom,
    Stop,
    clock_of,
    limit_on,
    limits_of,
    set_limit,
)
from panel.assessments.models import Assessment, StopReason
from panel.assessments.service import look_at_section, read_assessment, sign_off, start_assessment
from panel.platform.clock import FixedClock
from panel.platform.problems import Invalid
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from tests.sharing.family import TODAY, Family

SHORT = Section("a", "A", "A", Category.PLAN, (Question("b", Kind.SHORT_TEXT, "B"),))
AWAY = StopReason.FAMILY_AWAY


@pytest.mark.parametrize(
    ("form", "day", "days"),
    [
        ("cin_initial", date(1999, 12, 31), None),
        ("cin_initial", date(2009, 5, 1), 7),
        ("cin_initial", date(2010, 4, 1), 10),
        ("cin_initial", date(2013, 4, 14), 10),
        ("cin_initial", date(2013, 4, 15), 45),
        ("cin_core", date(2012, 1, 1), 35),
        ("cin_core", date(2026, 11, 20), 45),
        ("caf", date(2026, 11, 20), None),
    ],
)
def test_the_limit_is_that_of_the_day(form: str, day: date, days: int | None) -> None:
    found = limit_on(KNOWN, form, day)
    assert (found.working_days if found else None) == days


def test_an_authority_sets_its_own_and_takes_it_away() -> None:
    own = Limit("caf", date(2026, 1, 1), 20, RunsFrom.START, "Ours")
    none = Limit("caf", date(2026, 6, 1), None, RunsFrom.START, "No longer")
    limits = (*KNOWN, own, none)
    assert limit_on(limits, "caf", date(2026, 5, 31)) == own
    assert limit_on(limits, "caf", date(2026, 6, 1)) is None
    same_day = Limit("cin_core", date(2013, 4, 15), 40, RunsFrom.START, "Ours")
    assert limit_on((*KNOWN, same_day), "cin_core", date(2026, 1, 1)) == same_day


TEN = Limit("cin_initial", date(2010, 4, 1), 10, RunsFrom.REFERRAL, "2010")


@pytest.mark.parametrize(
    ("began", "stops", "closed", "due"),
    [
        # Two weeks of Monday to Friday.
        (date(2026, 11, 2), [], (), date(2026, 11, 16)),
        # Over Christmas: Friday 25 is a holiday, Monday 28 stands for Saturday 26, 1 January.
        (date(2026, 12, 18), [], (), date(2027, 1, 6)),
        # A royal holiday that the authority's calendar names.
        (date(2026, 11, 2), [], (date(2026, 11, 10),), date(2026, 11, 17)),
        # Away from Wednesday to the next Tuesday: five working days more.
        (
            date(2026, 11, 2),
            [Stop(AWAY, date(2026, 11, 4), date(2026, 11, 10))],
            (),
            date(2026, 11, 23),
        ),
        # A stop over a weekend only takes nothing away.
        (
            date(2026, 11, 2),
            [Stop(AWAY, date(2026, 11, 7), date(2026, 11, 8))],
            (),
            date(2026, 11, 16),
        ),
        # 29 February and the weekend at the end of summer time count as any other.
        (date(2028, 2, 22), [], (), date(2028, 3, 7)),
        (date(2026, 10, 19), [], (), date(2026, 11, 2)),
    ],
)
def test_days_are_counted_by_hand(
    began: date, stops: list[Stop], closed: tuple[date, ...], due: date
) -> None:
    clock = clock_of(TEN, began, stops, closed, began)
    assert (clock.due_on, clock.left) == (due, 10)
    assert clock_of(TEN, began, stops, closed, due).words.startswith("Due today")
    late = clock_of(TEN, began, stops, closed, due + timedelta(days=7))
    assert late.left in (-4, -5)
    assert late.words.endswith("working days late.")


def test_what_stands_still_does_not_become_late() -> None:
    stop = Stop(AWAY, date(2026, 11, 4), None)
    for today in (date(2026, 11, 4), date(2026, 12, 4), date(2027, 11, 4)):
        clock = clock_of(TEN, date(2026, 11, 2), [stop], (), today)
        assert not clock.is_late
        # One day was counted before it was stopped.
        assert clock.left == 9
        assert clock.words == (
            "The clock has stood still since Wednesday 4 November 2026: the family is away."
        )


async def test_a_clock_is_stopped_goes_on_and_is_late_with_a_reason(
    tenant: Tenant, gate: Gate, family: Family, clock: FixedClock
) -> None:
    async with tenant.transaction(JOB) as session:
        # A small form with a limit, so that it can be signed off in the test.
        await set_limit(session, Limit("short", TODAY, 3, RunsFrom.REFERRAL, "Ours"))
        assert limit_on(await limits_of(session), "short", TODAY) is not None
        form = await begin_form(session, "short", "Short")
        await edit_draft(session, form, 1, lambda one: editing.add_section(one, SHORT))
        await publish(session, form, 2)
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "started") as access:
        with pytest.raises(Invalid):
            await start_assessment(access, "short", access.today + timedelta(days=1))
        one = await start_assessment(access, "short", access.today - timedelta(days=1))
        record = await read_assessment(access, one)
        running = await clock_on(access, record)
        assert running is not None
        assert running.began_on == access.today - timedelta(days=1)
        for reason, day in ((AWAY, access.today + timedelta(days=1)), (AWAY, date(2020, 1, 1))):
            with pytest.raises(Invalid):
                await stop_clock(access, record, reason, day)
        with pytest.raises(Invalid):
            await let_clock_go_on(access, record, access.today)
        await stop_clock(access, record, AWAY, access.today)
        with pytest.raises(Invalid):
            await stop_clock(access, record, AWAY, access.today)
    clock.set(clock.now() + timedelta(days=30))
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "went on") as access:
        record = await read_assessment(access, one)
        still = await clock_on(access, record)
        assert still is not None
        assert not still.is_late
        await let_clock_go_on(access, record, access.today - timedelta(days=28))
        running = await clock_on(access, record)
        assert running is not None
        assert running.is_late
        with pytest.raises(Invalid):
            await stop_clock(access, record, AWAY, access.today - timedelta(days=29))
        await stop_clock(access, record, AWAY, access.today)
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "signed off") as access:
        await look_at_section(access, await read_assessment(access, one), SHORT)
        record = await read_assessment(access, one)
        with pytest.raises(Invalid):
            await sign_off(access, one, record.answers_number)
        await sign_off(access, one, record.answers_number, LateReason.FAMILY)
        row = await access.session.get_one(Assessment, one)
        assert row.late_reason == "family"
        assert all(stop.until_on is not None for stop in await stops_of(access, one))
