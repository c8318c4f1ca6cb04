"""Facts made anew from the whole history are those that were made event by event."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from random import Random
from typing import TypeVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis.strategies import randoms

from panel.allocation.costing import Every, Line, Price, cost_between, units_between
from panel.insight.core import costs
from panel.insight.core.derive import age_band, derive
from panel.insight.core.facts import (
    FACTS,
    Capacity,
    ChildSaid,
    ChildTerm,
    Coverage,
    Fact,
    FactEvent,
    Need,
    OutcomeChange,
    Package,
    Request,
    Said,
    Transition,
    Unmet,
    Wait,
    Who,
)
from panel.insight.core.fold import (
    TABLES,
    State,
    columns_of,
    fold,
    joined_facts,
    key_columns,
    row_of,
    said_bytes,
)
from panel.insight.core.terms import days_of, ended_terms
from panel.insight.core.words import BASES, DECISIONS, LEVELS, NEEDS, REASONS, SERVICES, Period

CALENDAR = (
    (date(2025, 9, 3), date(2025, 10, 24)),
    (date(2025, 11, 3), date(2025, 12, 19)),
    (date(2026, 1, 5), date(2026, 3, 27)),
    (date(2026, 4, 13), date(2026, 7, 21)),
)
TERMS = ended_terms(CALENDAR, date(2026, 9, 1))
AUTUMN, SPRING, SUMMER = (one.period for one in TERMS)


class Keys:
    """Keys that anybody can make."""

    def record_key(self, person: bytes) -> int:
        return int.from_bytes(sha256(b"key" + person).digest()[:8], signed=True)


KEYS = Keys()
WHO = Who(b"p" * 16, 7)


def record(number: int) -> bytes:
    return sha256(str(number).encode()).digest()[:16]


def key(name: str) -> str:
    return sha256(name.encode()).hexdigest()[:32]


def child(*said: Said, **about: str) -> ChildSaid:
    return ChildSaid(birth="2019-05", said=said, **about)


EPISODE = Said("episode", key=key("episode"), since="2025-10-01")


OneKind = TypeVar("OneKind", bound=Fact)


def of(table: type[OneKind], said: ChildSaid) -> dict[Period, OneKind]:
    return {one.period: one for one in derive(WHO, said, TERMS) if isinstance(one, table)}


# Rebuild --------------------------------------------------------------------------------------


@dataclass
class History:
    """A history that is kept as the database keeps it: erased lines are gone."""

    events: list[FactEvent] = field(default_factory=list)
    number: int = 0

    def add(self, **said: object) -> FactEvent:
        self.number += 1
        event = msgspec.convert({"number": self.number, **said}, FactEvent)
        self.events.append(event)
        return event

    def erase(self, gone: bytes) -> None:
        self.events = [one for one in self.events if gone not in (one.record, one.other)]
        self.add(record=b"", kind="erased")


def invented(chance: Random) -> ChildSaid:
    """A child's record as it might be now."""
    start = date(2025, 6, 1) + timedelta(chance.randrange(400))

    def day(most: int = 200) -> str:
        return (start + timedelta(chance.randrange(most))).isoformat()

    said = [
        Said("ward", codes={"ward": f"W9000000{chance.randrange(9)}"}),
        Said("episode", key=key("e"), since=day(30), codes={"identified": start.isoformat()}),
        Said("level", since=day(), codes={"level": chance.choice([*LEVELS])}),
    ]
    for number in range(chance.randrange(4)):
        codes = {
            "kind": chance.choice([*SERVICES]),
            "need": chance.choice([*NEEDS]),
            "reason": chance.choice([*REASONS]),
            "basis": chance.choice([*BASES]),
            "decision": chance.choice([*DECISIONS]),
            "short_break": chance.choice(["true", "false"]),
        }
        own = key(f"{chance.random()}")
        said += [
            Said("request", key=own, since=day(), codes=codes),
            Said("unmet", key=own, since=day(), codes=codes, numbers={"missing": number * 500}),
            Said("line", key=own, since=day(), until="2026-06-30", codes={
                "package": own, "every": "week", "approved": day(), "unit": "hour",
                "kind": "short_break",
            }, numbers={"units": 1500}),
            Said("price", key=own, since="2025-01-01", numbers={"pence": 4250}),
            Said("share", key=own, since="2025-04-01", codes={"payer": "health"},
                 numbers={"parts": 1, "whole": 3}),
        ]  # fmt: skip
    if chance.random() < 0.03:
        said = [Said("withheld")]
    return ChildSaid(
        birth=f"{chance.randrange(2002, 2025)}-{chance.randrange(1, 13):02}",
        sex=chance.choice(["female", "male", ""]),
        need=chance.choice([*NEEDS, ""]),
        said=tuple(said),
    )


def happenings(chance: Random, history: History, state: State) -> Iterator[str]:
    """A thousand things that happen to 200 records, kept and taken in one by one."""
    there = [record(number) for number in range(200)]
    for one in there:
        state.apply(history.add(record=one, kind="said", said=invented(chance)))
    linked: set[frozenset[bytes]] = set()
    for _ in range(1000):
        what = chance.choices(["said", "linked", "parted", "erased"], [60, 20, 14, 6])[0]
        one, other = chance.sample(there, 2)
        if what == "said":
            state.apply(history.add(record=one, kind="said", said=invented(chance)))
        elif what == "erased":
            there.remove(one)
            linked = {pair for pair in linked if one not in pair}
            history.erase(one)
            state.erase(one)
            if len(there) < 150:
                new = record(1000 + history.number)
                there.append(new)
                state.apply(history.add(record=new, kind="said", said=invented(chance)))
        else:
            if what == "parted" and linked:
                one, other = chance.choice(sorted(sorted(pair) for pair in linked))
            pair = frozenset({one, other})
            linked = linked | {pair} if what == "linked" else linked - {pair}
            state.apply(history.add(record=one, kind=what, other=other))
        yield what


@settings(max_examples=1, derandomize=True)
@given(chance=randoms(use_true_random=True))
def test_rebuilt_facts_are_those_made_event_by_event(chance: Random) -> None:
    history, state = History(), State(TERMS, KEYS)
    happened: dict[str, int] = {}
    for number, what in enumerate(happenings(chance, history, state)):
        happened[what] = happened.get(what, 0) + 1
        if number % 200 == 0:
            assert fold(history.events, TERMS, KEYS).facts == state.facts
    rebuilt = fold(history.events, TERMS, KEYS)
    assert rebuilt.facts == state.facts
    assert rebuilt.digest() == state.digest()
    assert sum(happened.values()) == 1000
    assert min(happened.values()) > 40, happened
    assert len([fact for facts in state.facts.values() for fact in facts]) > 1500


def test_the_digest_names_the_table_that_differs() -> None:
    history = History()
    history.add(record=record(1), kind="said", said=child(EPISODE))
    before = fold(history.events, TERMS, KEYS)
    request = Said("request", key=key("r"), since="2026-02-01", codes={"kind": "therapy"})
    history.add(record=record(1), kind="said", said=child(EPISODE, request))
    after = fold(history.events, TERMS, KEYS)
    differs = {name for name, one in before.digests().items() if after.digests()[name] != one}
    assert differs == {"fact_request", "fact_wait"}
    assert before.digest() != after.digest()


def test_a_link_changes_what_the_later_record_contributes_and_parting_gives_it_back() -> None:
    state = State(TERMS, KEYS)
    history = History()
    first, second = record(1), record(2)
    state.apply(history.add(record=first, kind="said", said=child(EPISODE, need="asd")))
    state.apply(history.add(record=second, kind="said", said=child(EPISODE, need="ds")))
    alone = dict(state.facts)
    state.apply(history.add(record=second, kind="linked", other=first))
    assert set(state.facts) == {first}
    assert [one for one in state.facts[first] if isinstance(one, ChildTerm)] == [
        one for one in alone[first] if isinstance(one, ChildTerm)
    ]
    needs = {one.need for one in state.facts[first] if isinstance(one, Need)}
    assert needs == {"asd", "ds"}, "both records' needs are needs of the one child"
    assert {row_of(one)[:2] for facts in state.facts.values() for one in facts} == {
        (first, KEYS.record_key(first))
    }
    state.apply(history.add(record=first, kind="parted", other=second))
    assert state.facts == alone


def test_who_was_erased_leaves_nothing_and_takes_no_other_along() -> None:
    state, history = State(TERMS, KEYS), History()
    for number in range(3):
        said = child(EPISODE, need="asd")
        state.apply(history.add(record=record(number), kind="said", said=said))
    for number in (1, 2):
        state.apply(history.add(record=record(number - 1), kind="linked", other=record(number)))
    assert set(state.facts) == {record(0)}
    history.erase(record(1))
    state.erase(record(1))
    assert set(state.facts) == {record(0), record(2)}, "the link between the two went with it"
    assert fold(history.events, TERMS, KEYS).facts == state.facts
    assert history.events[-1] == FactEvent(history.number, b"", "erased")


def test_the_order_of_what_is_said_changes_nothing() -> None:
    parts = [EPISODE, Said("level", since="2025-10-02", codes={"level": "targeted", "a": "b"})]
    assert said_bytes(child(*parts)) == said_bytes(child(*reversed(parts)))
    assert derive(WHO, child(*parts), TERMS) == derive(WHO, child(*reversed(parts)), TERMS)


# Deriving -------------------------------------------------------------------------------------


def test_rows_of_one_term_are_joined_and_the_holiday_before_belongs_to_it() -> None:
    assert [one.period for one in TERMS] == ["2025-autumn", "2026-spring", "2026-summer"]
    autumn, spring, _ = days_of(TERMS)
    assert (autumn.first, autumn.last) == (date(2025, 9, 3), date(2025, 12, 19))
    assert (spring.first, spring.last) == (date(2025, 12, 20), date(2026, 3, 27))
    running = ended_terms(CALENDAR, date(2026, 7, 21))
    assert [one.period for one in running] == ["2025-autumn", "2026-spring"]


def test_a_term_is_told_as_it_was_on_its_last_day() -> None:
    said = child(
        EPISODE,
        Said("ward", codes={"ward": "E05000001"}),
        Said("ward", since="2026-02-01", codes={"ward": "E05000002"}),
        Said("level", since="2025-12-01", codes={"level": "targeted"}),
        Said("level", since="2026-04-01", codes={"level": "specialist"}),
        Said("plan", key=key("p"), since="2026-01-10", until="2026-03-01"),
        sex="female",
        need="asd",
    )
    told = of(ChildTerm, said)
    assert [(told[one].ward, told[one].level, told[one].planned) for one in told] == [
        ("E05000001", "targeted", False),
        ("E05000002", "targeted", True),
        ("E05000002", "specialist", False),
    ]
    assert {one.age for one in told.values()} == {"5–7"}


def test_a_record_whose_use_is_restricted_gives_no_fact() -> None:
    assert derive(WHO, child(EPISODE, Said("withheld")), TERMS) == ()


def test_whoever_has_any_fact_in_a_term_is_known_in_it() -> None:
    unmet = Said("unmet", key=key("u"), since="2026-02-01", until="2026-02-03", codes={
        "need": "asd", "reason": "no_capacity", "kind": "short_break", "short_break": "true",
        "unit": "night",
    }, numbers={"missing": 1500})  # fmt: skip
    said = child(unmet)
    assert {one: told.known for one, told in of(ChildTerm, said).items()} == {SPRING: True}
    assert of(Unmet, said)[SPRING] == Unmet(
        WHO, bytes.fromhex(key("u")), SPRING, "asd", "no_capacity", "short_break",
        short_break=True, unit="night", units_missing=Decimal("1.500"),
    )  # fmt: skip


def test_a_child_on_a_list_alone_is_not_known() -> None:
    listed = Said("listed", since="2026-01-01", codes={"list": "sen", "listed": "true"})
    told = of(ChildTerm, child(listed))
    assert {one: row.known for one, row in told.items()} == {SPRING: False, SUMMER: False}
    assert of(Coverage, child(listed))[SPRING].listed
    assert of(Coverage, child(listed, EPISODE))[SPRING].known


def test_a_child_of_two_needs_has_two_facts_of_need_and_one_of_the_child() -> None:
    asked = Said("request", key=key("r"), since="2026-02-01", codes={"need": "slcn"})
    told = derive(WHO, child(EPISODE, asked, need="asd"), TERMS)
    spring = [one for one in told if one.period == SPRING]
    assert [one.need for one in spring if isinstance(one, Need)] == ["asd", "slcn"]
    assert len([one for one in spring if isinstance(one, ChildTerm)]) == 1


def test_what_is_in_no_list_reaches_no_fact() -> None:
    asked = Said("request", key=key("r"), since="2026-02-01", codes={
        "kind": "ZQ a sentence", "basis": "ZQ", "decision": "ZQ", "need": "ZQ",
    })  # fmt: skip
    told = derive(WHO, child(asked, Said("level", codes={"level": "ZQ"})), TERMS)
    assert told
    assert "ZQ" not in repr(told)


@pytest.mark.parametrize(
    ("birth", "day", "band"),
    [
        ("2023-09", date(2026, 8, 31), "0–2"),
        ("2023-09", date(2026, 9, 1), "3–4"),
        ("2000-12", date(2026, 11, 30), "19–25"),
        ("2000-01", date(2026, 1, 1), ""),
        ("2027-01", date(2026, 12, 31), ""),
        ("", date(2026, 12, 31), ""),
    ],
)
def test_an_age_is_counted_from_the_month_of_birth(birth: str, day: date, band: str) -> None:
    assert age_band(birth, day) == band


def test_clocks_stop_in_their_term_or_still_run() -> None:
    said = child(
        Said("episode", key=key("e"), since="2025-10-01", codes={"identified": "2025-09-10"}),
        Said("referral", key=key("f"), since="2025-10-08", codes={"first_panel": "2026-01-15"}),
        Said("request", key=key("r"), since="2026-02-02", codes={"decided": "2026-04-20"}),
        Said("waiting", key=key("w"), since="2026-07-01"),
    )
    told = [
        (one.period, one.clock, one.days, one.over)
        for one in derive(WHO, said, TERMS)
        if isinstance(one, Wait)
    ]
    assert sorted(told) == sorted([
        (AUTUMN, "identified_referral", 28, True),
        (AUTUMN, "referral_panel", 72, False),
        (SPRING, "referral_panel", 99, True),
        (SPRING, "panel_service", 71, False),
        (SPRING, "request_decision", 53, False),
        (SUMMER, "request_decision", 77, True),
        (SUMMER, "panel_service", 187, False),
        (SUMMER, "place", 20, False),
    ])  # fmt: skip


def test_each_clock_says_for_which_kind_of_service_the_child_waits() -> None:
    """Before the panel it is whatever was asked for by the end of the term, each kind a fact."""
    said = child(
        Said("episode", key=key("e"), since="2026-01-05", codes={"identified": "2026-01-05"}),
        Said("referral", key=key("f"), since="2026-01-12", codes={"first_panel": "2026-02-01"}),
        Said("request", key=key("r"), since="2026-02-02",
             codes={"kind": "therapy", "decided": "2026-03-01"}),
        Said("request", key=key("s"), since="2026-02-09", codes={"kind": "short_break"}),
        Said("waiting", key=key("w"), since="2026-03-01", codes={"kind": "short_break"}),
        Said("line", key=key("l"), since="2026-03-02", codes={
            "kind": "therapy", "package": key("p"), "every": "week", "approved": "2026-03-01",
            "unit": "hour", "how": "in_kind",
        }, numbers={"units": 1000}),
    )  # fmt: skip
    waits = [
        one for one in derive(WHO, said, TERMS) if isinstance(one, Wait) and one.period == SPRING
    ]
    both = ("short_break", "therapy")
    assert sorted((one.clock, one.kind) for one in waits) == sorted([
        *(("identified_referral", kind) for kind in both),
        *(("referral_panel", kind) for kind in both),
        ("panel_service", "therapy"),
        ("request_decision", "short_break"), ("request_decision", "therapy"),
        ("place", "short_break"),
    ])  # fmt: skip
    assert len({(one.clock, one.key) for one in waits}) == len(waits), "each is a row of its own"


def test_who_was_on_a_list_that_ended_is_on_none_at_the_end_of_the_term() -> None:
    ended = Said("listed", since="2026-01-01", until="2026-02-10",
                 codes={"list": "sen", "listed": "true"})  # fmt: skip
    next_one = Said("listed", since="2026-02-11", codes={"list": "sen", "listed": "false"})
    assert SPRING not in of(Coverage, child(ended))
    assert not of(Coverage, child(ended, next_one, EPISODE))[SPRING].listed


def test_an_outcome_counts_where_it_was_looked_at() -> None:
    said = child(
        EPISODE,
        Said("outcome", key=key("o"), numbers={"baseline": 1, "target": 4}),
        Said("progress", key=key("o"), since="2025-11-01", numbers={"value": 2}),
        Said("progress", key=key("o"), since="2026-06-01", codes={"family": "true"},
             numbers={"value": 4}),
        need="asd",
    )  # fmt: skip
    told = of(OutcomeChange, said)
    assert {
        one: (row.latest, row.reached, row.by_family) for one, row in told.items()
    } == {AUTUMN: (2, False, False), SUMMER: (4, True, True)}  # fmt: skip


def test_a_transition_is_in_time_where_the_child_was_talked_about_in_the_half_year_before() -> None:
    moves = Said("transition", key=key("t"), since="2026-06-01", codes={"kind": "school_start"})
    late = Said("discussed", since="2025-11-01")
    assert not of(Transition, child(moves, late))[SUMMER].in_time
    assert of(Transition, child(moves, Said("discussed", since="2026-01-10")))[SUMMER].in_time


@pytest.mark.parametrize(
    ("birth", "kinds"),
    [
        ("2014-08", {AUTUMN: "secondary"}),
        ("2013-09", {AUTUMN: "secondary"}),
        ("2014-09", {}),
        ("2012-03", {AUTUMN: "preparing_adulthood"}),
        ("2008-05", {SUMMER: "adult_services"}),
        ("", {}),
    ],
)
def test_school_years_and_birthdays_are_transitions_of_children_who_are_known(
    birth: str, kinds: dict[Period, str]
) -> None:
    terms = ended_terms(((date(2025, 4, 28), date(2025, 7, 20)), *CALENDAR), date(2026, 9, 1))
    episode = Said("episode", key=key("e"), since="2025-05-01")
    for said, told in (((episode,), kinds), ((), {})):
        found = derive(WHO, ChildSaid(birth=birth, said=said), terms)
        transitions = [one for one in found if isinstance(one, Transition)]
        assert {one.period: one.kind for one in transitions} == told


def test_a_package_is_told_by_line_with_each_payers_part() -> None:
    said = child(
        EPISODE,
        Said("line", key=key("l"), since="2026-01-01", until="2026-01-14", codes={
            "package": key("p"), "kind": "short_break", "how": "in_kind", "unit": "hour",
            "every": "week", "approved": "2025-12-20",
        }, numbers={"units": 2500}),
        Said("price", key=key("l"), since="2025-01-01", numbers={"pence": 2000}),
        Said("share", key=key("p"), since="2025-04-01", codes={"payer": "health"},
             numbers={"parts": 1, "whole": 3}),
        Said("share", key=key("p"), since="2025-04-01", codes={"payer": "social_care"},
             numbers={"parts": 2, "whole": 3}),
    )  # fmt: skip
    told = of(Package, said)
    assert set(told) == {SPRING}
    one = told[SPRING]
    assert (one.units, one.pence) == (Decimal("5.000"), 10_000)
    assert (one.payer_health, one.payer_education, one.payer_social_care) == (3_333, 0, 6_667)


@settings(max_examples=1, derandomize=True)
@given(chance=randoms(use_true_random=True))
@pytest.mark.parametrize("every", list(Every))
def test_costs_are_those_of_packages(every: Every, chance: Random) -> None:
    for _ in range(25):
        since = date(2025, 1, 1) + timedelta(chance.randrange(500))
        changes = since + timedelta(chance.randrange(60))
        first = date(2025, 2, 10) + timedelta(chance.randrange(400))
        last = first + timedelta(chance.randrange(120))
        line = Line(
            Decimal("1.5"), every, since, None,
            [Price(Decimal("10.25"), since, changes - timedelta(1)), Price(Decimal(20), changes)],
        )  # fmt: skip
        start = max(since, first)
        prices = [costs.Stretch(since, changes - timedelta(1), 1025),
                  costs.Stretch(changes, None, 2000)]  # fmt: skip
        if start > last:
            continue
        assert costs.cost(1500, every, (start, last), since, prices) == 100 * cost_between(
            line, first, last
        )
        given = Fraction(3, 2) * costs.periods(every, since, start, last)
        assert given == units_between(line, first, last)


def test_two_records_of_one_person_are_not_counted_twice_for_one_thing() -> None:
    asked = Said("request", key=key("r"), since="2026-02-01", codes={"kind": "therapy"})
    listed = Said("listed", codes={"list": "sen", "listed": "true"})
    only_listed = derive(WHO, child(listed), TERMS)
    both = joined_facts([only_listed, derive(WHO, child(asked, sex="male"), TERMS)])
    spring = [one for one in both if one.period == SPRING and isinstance(one, ChildTerm)]
    assert [(one.known, one.sex) for one in spring] == [(True, "male")]
    assert len([one for one in both if isinstance(one, Request)]) == 1


def test_who_is_on_a_list_by_one_of_two_records_is_on_it() -> None:
    def listed(code: str, on: str) -> Said:
        return Said("listed", codes={"list": code, "listed": on})

    first = derive(WHO, child(listed("sen", "false"), listed("health", "true")), TERMS)
    second = derive(WHO, child(listed("sen", "true"), listed("health", "false"), EPISODE), TERMS)
    for order in ([first, second], [second, first]):
        spring = [
            (one.list, one.listed, one.known, one.elsewhere)
            for one in joined_facts(order)
            if isinstance(one, Coverage) and one.period == SPRING
        ]
        assert spring == [("health", True, True, True), ("sen", True, True, True)]


def test_every_kind_of_fact_has_a_table_and_a_key() -> None:
    assert {len({*columns_of(one)}) for one in FACTS} == {len(columns_of(one)) for one in FACTS}
    assert TABLES[ChildTerm] == "fact_child_term"
    assert key_columns(ChildTerm) == ()
    assert key_columns(Need) == ("need",)
    assert key_columns(Unmet) == ("key",)
    assert key_columns(Wait) == ("clock", "key"), "one referral has two clocks"
    assert key_columns(Coverage) == ("list",)
    assert key_columns(Capacity) == ("key",)
