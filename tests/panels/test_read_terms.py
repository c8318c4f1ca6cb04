"""Importing a term calendar: what a file says, what cannot be read, what was there already."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.panels.terms import (
    ClosedDay,
    ClosedKind,
    Term,
    TermCalendar,
    UnreadableCalendar,
    merge_calendars,
    read_terms,
)

INVENTED = (Path(__file__).parent / "data" / "invented-school-2026-2027.ics").read_bytes()


def d(text: str) -> date:
    return date.fromisoformat(text)


def event(summary: str, start: str, end: str = "", *more: str) -> str:
    lines = ["BEGIN:VEVENT", "UID:1@x.example", f"SUMMARY:{summary}", f"DTSTART{start}"]
    lines += [f"DTEND{end}"] if end else []
    return "\n".join([*lines, *more, "END:VEVENT"])


def on(day: str) -> str:
    return f";VALUE=DATE:{day.replace('-', '')}"


def one_day(summary: str, day: str) -> str:
    return event(summary, on(day))


def calendar(*events: str) -> bytes:
    return "\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *events, "END:VCALENDAR", ""]).encode()


AUTUMN = (one_day("First day back", "2026-09-03"), one_day("Last day of term", "2026-10-22"))


def test_a_whole_calendar_is_read() -> None:
    reading = read_terms(INVENTED)
    assert [(t.first_day, t.last_day, t.name) for t in reading.calendar.terms] == [
        (d("2026-09-04"), d("2026-10-23"), "Autumn 2026"),
        (d("2026-11-02"), d("2026-12-17"), "Autumn 2026"),
        (d("2027-01-05"), d("2027-02-12"), "Spring 2027"),
    ]
    inset = [c.day for c in reading.calendar.closed if c.kind is ClosedKind.INSET]
    assert inset == [d("2026-09-03"), d("2026-10-08")]
    holidays = [c.day for c in reading.calendar.closed if c.kind is ClosedKind.HOLIDAY]
    # DTEND is the first day after: the autumn holiday is 24 October to 1 November, nine days,
    # the winter one 18 December to 4 January, eighteen.
    assert holidays[:9] == [date(2026, 10, n) for n in range(24, 32)] + [d("2026-11-01")]
    assert len(holidays) == 9 + 18
    assert reading.problems == ()


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_line_ends_and_a_byte_order_mark_make_no_difference(line_end: bytes) -> None:
    text = INVENTED.replace(b"\r\n", b"\n").replace(b"\n", line_end)
    assert read_terms(b"\xef\xbb\xbf" + text) == read_terms(INVENTED)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("First day back", "Last day of term"),
        ("S’oaks: First day back", "S’oaks: Last day of term"),
        ("Autumn Term starts", "Autumn Term ends"),
        ("Autumn term begins", "Autumn term finishes"),
        ("Start of Autumn Term", "End of Autumn Term"),
        ("First day of term", "Break up for half term"),
        ("Children return to school", "School closes for half-term holiday"),
        ("Pupils return", "Last day before half term"),
        ("School reopens", "Last day of the autumn term"),
        ("Back to school", "Term 1 ends"),
        ("First day after half term", "Last day before the Christmas holidays"),
        ("Return after summer holidays", "End of term"),
        ("First day of term following INSET", "End of Term"),
    ],
)
def test_a_term_is_a_pair_in_the_wordings_of_schools(first: str, last: str) -> None:
    reading = read_terms(calendar(one_day(last, "2026-10-22"), one_day(first, "2026-09-03")))
    assert reading.problems == ()
    assert reading.calendar == TermCalendar(
        (Term(d("2026-09-03"), d("2026-10-22"), "Autumn 2026"),)
    )


def test_a_term_is_a_range_with_its_name() -> None:
    reading = read_terms(calendar(event("B’ford: Autumn term", on("2026-09-03"), on("2026-12-19"))))
    assert reading.calendar.terms == (Term(d("2026-09-03"), d("2026-12-18"), "Autumn term"),)


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("INSET Day (school closed)", ClosedKind.INSET),
        ("Staff training day", ClosedKind.INSET),
        ("Teacher training", ClosedKind.INSET),
        ("Non-pupil day", ClosedKind.INSET),
        ("Bank holiday", ClosedKind.BANK_HOLIDAY),
        ("Early May Bank Holiday - school closed", ClosedKind.BANK_HOLIDAY),
        ("Good Friday", ClosedKind.BANK_HOLIDAY),
        ("Half term", ClosedKind.HOLIDAY),
        ("Half-term holiday", ClosedKind.HOLIDAY),
        ("School Holiday", ClosedKind.HOLIDAY),
        ("Christmas break", ClosedKind.HOLIDAY),
        ("School closed", ClosedKind.HOLIDAY),
    ],
)
def test_a_closed_day_in_the_wordings_of_schools(title: str, kind: ClosedKind) -> None:
    reading = read_terms(calendar(*AUTUMN, one_day(title, "2026-10-01")))
    assert [(c.day, c.kind) for c in reading.calendar.closed] == [(d("2026-10-01"), kind)]


def test_a_half_term_given_by_its_ends() -> None:
    reading = read_terms(
        calendar(one_day("Half term starts", "2026-10-26"), one_day("Half term ends", "2026-10-30"))
    )
    assert [c.day.day for c in reading.calendar.closed] == [26, 27, 28, 29, 30]


def test_the_first_day_of_term_may_be_an_inset_day() -> None:
    first = one_day("First day of term (INSET day)", "2026-09-03")
    reading = read_terms(calendar(first, AUTUMN[1]))
    assert reading.calendar.terms[0].first_day == d("2026-09-03")
    assert reading.calendar.closed_on(d("2026-09-03")) == ClosedDay(
        d("2026-09-03"), ClosedKind.INSET, "First day of term (INSET day)"
    )


@pytest.mark.parametrize("title", ["Holiday club", "Twilight INSET", "Parents’ evening"])
def test_what_is_no_term_date_is_left_out_and_said(title: str) -> None:
    reading = read_terms(calendar(*AUTUMN, one_day(title, "2026-10-01")))
    assert reading.calendar.closed == ()
    assert [str(note) for note in reading.left_out] == [
        f"line 13: “{title}” is no term date; it was left out."
    ]


@pytest.mark.parametrize(
    ("start", "end", "last"),
    [
        (":20261026T090000", ":20261030T153000", 30),
        # The clocks go back on 25 October 2026: from the 26th London is at UTC.
        (":20261026T000000Z", ":20261031T000000Z", 30),
        (";TZID=Europe/London:20261026T000000", ";TZID=Europe/London:20261031T000000", 30),
        (on("2026-10-26"), "", 26),
        (on("2026-10-26"), on("2026-10-26"), 26),
        (on("2026-10-26"), on("2026-10-27"), 26),
        (on("2026-10-26"), on("2026-10-31"), 30),
    ],
)
def test_events_with_times_and_with_or_without_an_end(start: str, end: str, last: int) -> None:
    reading = read_terms(calendar(event("Half term", start, end)))
    assert [c.day.day for c in reading.calendar.closed] == list(range(26, last + 1))


def test_a_summer_evening_in_utc_is_the_next_day_in_london() -> None:
    reading = read_terms(calendar(event("INSET", ":20260701T230000Z", ":20260702T140000Z")))
    assert [c.day for c in reading.calendar.closed] == [d("2026-07-02")]


def test_an_event_may_say_how_long_it_lasts() -> None:
    reading = read_terms(calendar(event("Half term", on("2026-10-26"), "", "DURATION:P5D")))
    assert [c.day.day for c in reading.calendar.closed] == [26, 27, 28, 29, 30]


def test_an_event_that_was_called_off_does_not_count() -> None:
    off = event("INSET day", on("2026-10-01"), "", "STATUS:CANCELLED")
    assert read_terms(calendar(*AUTUMN, off)).calendar.closed == ()


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (one_day("INSET", "2026-13-41"), "the start date of “INSET” is not a date."),
        ("BEGIN:VEVENT\nSUMMARY:INSET\nEND:VEVENT", "“INSET” has no start date."),
        (
            "BEGIN:VEVENT\nDTSTART;VALUE=DATE:20261001\nEND:VEVENT",
            "this event has no title, so it cannot be told what it is.",
        ),
        (
            event("INSET", on("2026-10-02"), on("2026-09-01")),
            "“INSET” ends before it starts.",
        ),
        (
            event("INSET", on("2026-10-02"), "", "RRULE:FREQ=YEARLY"),
            "“INSET” repeats; give each of its dates as an event of its own.",
        ),
        (
            event("INSET", on("2026-10-02"), "", "DTSTART;VALUE=DATE:20261003"),
            "“INSET” has more than one start date.",
        ),
        (
            event("INSET", on("2026-10-02"), "", "DURATION:tomorrow"),
            "how long “INSET” lasts cannot be read.",
        ),
        (
            event("School holiday", on("2026-10-02"), on("9999-12-31")),
            "“School holiday” is on 2 October 2026, which cannot be meant.",
        ),
        (
            event("School holiday", on("2026-10-02"), on("2028-10-02")),
            "“School holiday” lasts 731 days, which cannot be meant.",
        ),
        (
            one_day("Autumn term", "2026-10-02"),
            "“Autumn term” is one day and says neither that a term starts nor that it ends.",
        ),
        (
            one_day("Last day of half term", "2026-10-02"),
            (
                "“Last day of half term” can be read in two ways. Say “Last day before half term”, "
                "“First day back” or give the half term from its first to its last day."
            ),
        ),
        (
            one_day("First day back", "2026-11-02"),
            "“First day back” on 2 November 2026 has no last day after it.",
        ),
        (
            one_day("Last day of term", "2026-07-02"),
            "“Last day of term” on 2 July 2026 has no first day before it.",
        ),
    ],
)
def test_an_event_that_cannot_be_read_is_reported_by_its_line_and_the_rest_kept(
    bad: str, sentence: str
) -> None:
    reading = read_terms(calendar(AUTUMN[0], bad, AUTUMN[1]))
    assert [str(problem) for problem in reading.problems] == [f"line 8: {sentence}"]
    assert len(reading.calendar.terms) == 1


def test_a_first_day_without_its_last_day_does_not_take_the_next_ones() -> None:
    reading = read_terms(calendar(one_day("First day back", "2026-04-13"), *AUTUMN))
    assert [term.first_day for term in reading.calendar.terms] == [d("2026-09-03")]
    assert [str(problem) for problem in reading.problems] == [
        (
            "line 3: “First day back” on 13 April 2026 has no last day before the next start on "
            "3 September 2026."
        )
    ]


def test_the_same_term_twice_is_recognised() -> None:
    reading = read_terms(calendar(*AUTUMN, *AUTUMN))
    assert len(reading.calendar.terms) == 1
    assert [note.sentence for note in reading.left_out] == [
        "“First day back” on 3 September 2026 is there twice.",
        "“Last day of term” on 22 October 2026 is there twice.",
    ]


def test_of_terms_that_overlap_the_shorter_is_kept_and_the_other_reported() -> None:
    whole = event("Autumn term", on("2026-09-03"), on("2026-12-19"))
    reading = read_terms(calendar(whole, *AUTUMN))
    assert reading.calendar.terms == (Term(d("2026-09-03"), d("2026-10-22"), "Autumn 2026"),)
    assert [str(problem) for problem in reading.problems] == [
        (
            "line 3: Autumn term (3 September 2026 to 18 December 2026) overlaps Autumn 2026 "
            "(3 September 2026 to 22 October 2026); the shorter was kept."
        )
    ]


def test_a_school_year_is_too_long_for_a_term() -> None:
    year = event("Summer term", on("2026-09-03"), on("2027-07-22"))
    reading = read_terms(calendar(year, *AUTUMN))
    assert len(reading.calendar.terms) == 1
    assert "is too long for one term" in str(reading.problems[0])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "No term dates were found"),
        (b"%PDF-1.7 \x00\xff", "This is not a calendar file"),
        (b"a,b\n1,2\n", "This is not a calendar file"),
        (INVENTED[: len(INVENTED) // 2], "stops in the middle"),
        (INVENTED.replace(b"END:VEVENT\n", b"", 1), "line 14 begins an event before"),
        (INVENTED.replace(b"END:VEVENT\n", b"END:VALARM\n", 1), "line 14 ends a part"),
        (INVENTED + b"BEGIN:VEVENT\n", "stands after the end"),
        (calendar(), "No term dates were found"),
        (calendar(one_day("Bake sale", "2026-10-01")), "No term dates were found"),
        (calendar(one_day("INSET", "2026-13-41")), "The first difficulty is at line 3: the start"),
        (b"x" * 5_000_001, "too big"),
    ],
)
def test_a_broken_file_is_one_clear_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableCalendar, match=sentence):
        read_terms(content)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_with_a_sentence(content: bytes) -> None:
    with pytest.raises(UnreadableCalendar):
        read_terms(content)


properties = st.sampled_from(["DTSTART", "DTEND", "SUMMARY", "DURATION", "STATUS", "RRULE", "X-A"])
values = st.one_of(
    st.sampled_from(
        ["20260901", "20261301T990000Z", "P1D", "-P999999999D", "", "00010101", "99991231T235959Z"]
    ),
    st.text(max_size=12),
)
lines = st.lists(
    st.tuples(properties, st.sampled_from(["", ";VALUE=DATE", ";TZID=X", ";="]), values),
    max_size=5,
)


@given(st.lists(lines, max_size=3))
def test_any_event_is_read_or_reported_and_the_good_term_is_kept(
    events: list[list[tuple[str, str, str]]],
) -> None:
    blocks = []
    for event_lines in events:
        inner = [f"{name}{more}:{' '.join(value.split())}" for name, more, value in event_lines]
        blocks.append("\n".join(["BEGIN:VEVENT", *inner, "END:VEVENT"]))
    reading = read_terms(calendar(*blocks, *AUTUMN))
    assert any(term.last_day == d("2026-10-22") for term in reading.calendar.terms)
    for problem in reading.problems:
        assert problem.line >= 3
        assert problem.sentence.endswith(".")


def test_importing_the_same_calendar_again_changes_nothing() -> None:
    first = read_terms(INVENTED).calendar
    merged = merge_calendars(first, read_terms(INVENTED).calendar)
    assert merged.calendar == first
    assert (merged.added, merged.replaced) == ((), ())
    assert merged.known == first.terms


def test_a_first_import_adds_everything() -> None:
    incoming = read_terms(INVENTED).calendar
    merged = merge_calendars(TermCalendar(), incoming)
    assert merged.calendar == incoming
    assert merged.added == incoming.terms


def test_a_newer_calendar_replaces_what_it_covers_and_says_so() -> None:
    old = TermCalendar(
        (
            Term(d("2026-04-13"), d("2026-07-21"), "Summer 2026"),
            Term(d("2026-09-02"), d("2026-10-22"), "Autumn 2026"),
        ),
        (
            ClosedDay(d("2026-05-22"), ClosedKind.INSET),
            ClosedDay(d("2026-10-01"), ClosedKind.INSET),
        ),
    )
    new = TermCalendar(
        (Term(d("2026-09-03"), d("2026-10-22"), "Autumn 2026"),),
        (ClosedDay(d("2026-10-02"), ClosedKind.INSET),),
    )
    merged = merge_calendars(old, new)
    assert [term.first_day for term in merged.calendar.terms] == [d("2026-04-13"), d("2026-09-03")]
    # The INSET day of 1 October was moved to the 2nd; the one in May is not covered and stays.
    assert [c.day for c in merged.calendar.closed] == [d("2026-05-22"), d("2026-10-02")]
    assert merged.added == new.terms
    assert merged.replaced == (old.terms[1],)


def test_a_file_of_inset_days_alone_only_adds() -> None:
    known = read_terms(INVENTED).calendar
    extra = TermCalendar((), (ClosedDay(d("2026-11-19"), ClosedKind.INSET),))
    merged = merge_calendars(known, extra)
    assert merged.calendar.terms == known.terms
    assert set(merged.calendar.closed) == {*known.closed, *extra.closed}


def test_a_royal_bank_holiday_of_the_calendar_counts() -> None:
    reading = read_terms(calendar(*AUTUMN, one_day("Bank holiday (coronation)", "2026-10-05")))
    assert reading.calendar.bank_holidays == {d("2026-10-05")}
