"""Quiet hours by London's clock, on the two Sundays too; digests say a number and nothing else."""

from datetime import UTC, datetime, time

import pytest

from panel.casework.quiet_rules import digest_slot, digest_subject, quiet_until

NIGHT = (time(20, 0), time(7, 0))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "hours", "until"),
    [
        # An ordinary winter night, by both of its ends.
        ("2026-11-23T19:59", NIGHT, None),
        ("2026-11-23T20:00", NIGHT, "2026-11-24T07:00"),
        ("2026-11-24T03:00", NIGHT, "2026-11-24T07:00"),
        ("2026-11-24T06:59", NIGHT, "2026-11-24T07:00"),
        ("2026-11-24T07:00", NIGHT, None),
        # In summer London is an hour ahead.
        ("2026-07-01T18:59", NIGHT, None),
        ("2026-07-01T19:00", NIGHT, "2026-07-02T06:00"),
        # The clock goes forward on 28 March 2027 at 1:00: the night is an hour shorter.
        ("2027-03-27T20:30", NIGHT, "2027-03-28T06:00"),
        ("2027-03-28T05:59", NIGHT, "2027-03-28T06:00"),
        ("2027-03-28T06:00", NIGHT, None),
        # Quiet until 1:30, which is not there on that day: it ends as long after midnight.
        ("2027-03-28T00:59", (time(22, 0), time(1, 30)), "2027-03-28T01:30"),
        ("2027-03-28T01:29", (time(22, 0), time(1, 30)), "2027-03-28T01:30"),
        ("2027-03-28T01:30", (time(22, 0), time(1, 30)), None),
        # The clock goes back on 25 October 2026 at 2:00: 1:30 comes twice, and is quiet twice.
        ("2026-10-25T00:29", (time(22, 0), time(1, 30)), "2026-10-25T01:30"),
        ("2026-10-25T00:45", (time(22, 0), time(1, 30)), "2026-10-25T01:30"),
        ("2026-10-25T01:29", (time(22, 0), time(1, 30)), "2026-10-25T01:30"),
        ("2026-10-25T01:30", (time(22, 0), time(1, 30)), None),
        ("2026-10-25T06:59", NIGHT, "2026-10-25T07:00"),
        # Hours within one day.
        ("2026-11-23T12:30", (time(12, 0), time(13, 0)), "2026-11-23T13:00"),
        ("2026-11-23T13:00", (time(12, 0), time(13, 0)), None),
    ],
)
def test_quiet_hours_end_by_londons_clock(
    now: str, hours: tuple[time, time], until: str | None
) -> None:
    assert quiet_until(utc(now), *hours) == (None if until is None else utc(until))


@pytest.mark.parametrize(
    ("now", "how", "slot"),
    [
        ("2026-11-23T07:29", "daily", ""),
        ("2026-11-23T07:30", "daily", "2026-11-23"),
        ("2026-07-01T06:30", "daily", "2026-07-01"),
        ("2026-11-25T09:00", "weekly", "2026-W48"),
        ("2027-01-01T09:00", "weekly", "2026-W53"),
        ("2026-11-25T09:00", "off", ""),
    ],
)
def test_a_digest_is_of_a_day_or_a_week(now: str, how: str, slot: str) -> None:
    assert digest_slot(utc(now), how) == slot


def test_a_digest_says_a_number() -> None:
    assert [digest_subject(one) for one in (1, 3)] == ["1 thing is due", "3 things are due"]
