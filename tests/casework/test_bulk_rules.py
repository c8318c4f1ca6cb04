"""Rules of work in bulk."""

from datetime import date
from uuid import UUID

from panel.casework.bulk_rules import moved_days, spread_evenly

A, B, C, D, E = (UUID(int=one) for one in range(1, 6))


def test_plans_go_to_whoever_holds_fewest() -> None:
    given = spread_evenly([A, B, C], [D, E], {D: 2, E: 1})
    assert [(one.child_id, one.to_id) for one in given] == [(A, E), (B, D), (C, E)]


def test_nothing_is_given_to_nobody() -> None:
    assert spread_evenly([A], [], {}) == []


def test_a_meeting_stays_in_its_week() -> None:
    monday, thursday = date(2026, 11, 23), date(2026, 12, 3)
    days = [monday, thursday, date(2026, 12, 21)]
    assert moved_days(days, 3, monday, date(2026, 12, 6)) == {monday: date(2026, 11, 26)}
