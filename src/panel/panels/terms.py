"""Term calendars: what an iCalendar file says of terms and of days when school is closed.

Term dates are the authority's own: they are read, never computed (DOMAIN.md, CONTACTS).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

import icalendar

from panel.platform.clock import LONDON
from panel.records.dates import bank_holiday
from panel.web import words

_ONE_DAY = timedelta(days=1)
_LARGEST_FILE = 5_000_000
_LONGEST_TERM = 200
_LONGEST_CLOSURE = 100
_YEARS = range(1990, 2100)


class UnreadableCalendar(ValueError):
    """The file as a whole cannot be read; nothing was taken from it. Its text is for the reader."""


class ClosedKind(StrEnum):
    """Why school is closed on a day. The narrower reason comes first."""

    INSET = "inset"
    BANK_HOLIDAY = "bank_holiday"
    HOLIDAY = "holiday"


CLOSED_WORDS = {
    ClosedKind.INSET: "an INSET day",
    ClosedKind.BANK_HOLIDAY: "a bank holiday",
    ClosedKind.HOLIDAY: "a school holiday",
}
_NARROWEST = tuple(ClosedKind)


@dataclass(frozen=True, slots=True, order=True)
class Term:
    """From the first day back to the last day of term, both included."""

    first_day: date
    last_day: date
    name: str = ""

    def holds(self, day: date) -> bool:
        """Whether the day lies between its ends."""
        return self.first_day <= day <= self.last_day

    def overlaps(self, other: Term) -> bool:
        """Whether the two share a day."""
        return self.first_day <= other.last_day and other.first_day <= self.last_day

    def in_words(self) -> str:
        """For a sentence: "Autumn 2026 (3 September 2026 to 22 October 2026)"."""
        dates = f"({words.short_day(self.first_day)} to {words.short_day(self.last_day)})"
        return f"{self.name} {dates}".strip()


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """One day without school."""

    day: date
    kind: ClosedKind
    name: str = ""


@dataclass(frozen=True, slots=True)
class TermCalendar:
    """What is known of an authority's terms: terms by first day, closed days by day, no doubles."""

    terms: tuple[Term, ...] = ()
    closed: tuple[ClosedDay, ...] = ()

    @property
    def ends_on(self) -> date | None:
        """The last day of the last term; None where no term is known."""
        return max((term.last_day for term in self.terms), default=None)

    @property
    def bank_holidays(self) -> frozenset[date]:
        """Bank holidays that the calendar names, such as a royal one, beside the usual ones."""
        return frozenset(c.day for c in self.closed if c.kind is ClosedKind.BANK_HOLIDAY)

    def term_on(self, day: date) -> Term | None:
        """The term in which a day lies, closed or not."""
        return next((term for term in self.terms if term.holds(day)), None)

    def closed_on(self, day: date) -> ClosedDay | None:
        """Why there is no school on a day: INSET day, bank holiday or holiday; None if open."""
        found = sorted(
            (closed for closed in self.closed if closed.day == day),
            key=lambda closed: _NARROWEST.index(closed.kind),
        )
        if found and found[0].kind is not ClosedKind.HOLIDAY:
            return found[0]
        if name := bank_holiday(day):
            return ClosedDay(day, ClosedKind.BANK_HOLIDAY, name)
        return found[0] if found else None


@dataclass(frozen=True, slots=True, order=True)
class LineProblem:
    """What could not be taken from the file, by the line at which the event begins."""

    line: int
    sentence: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class TermReading:
    """What a file holds, what in it could not be read, and what was left out as no term date."""

    calendar: TermCalendar
    problems: tuple[LineProblem, ...] = ()
    left_out: tuple[LineProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class MergedCalendar:
    """The calendar after an import, and what the import changed."""

    calendar: TermCalendar
    added: tuple[Term, ...] = ()
    known: tuple[Term, ...] = ()
    replaced: tuple[Term, ...] = ()
    """Terms that the newer file gives with other dates, or no longer has."""


def read_terms(content: bytes) -> TermReading:
    """Read a term calendar from iCalendar bytes.

    Understands pairs ("First day back", "Last day of term"), terms given as a range ("Autumn
    term"), holidays, half terms, INSET days and bank holidays, with any school's name in front.
    An event that cannot be read is reported by its line and the others are kept. Raises
    `UnreadableCalendar` for a file that is damaged or holds no term date.
    """
    found = _Found()
    for line, block in _event_blocks(_lines(content)):
        try:
            found.take(_read_event(line, block))
        except _CannotRead as why:
            found.problems.append(LineProblem(line, str(why)))
    reading = found.settled()
    if not reading.calendar.terms and not reading.calendar.closed:
        first = f" The first difficulty is at {reading.problems[0]}" if reading.problems else ""
        raise UnreadableCalendar(
            "No term dates were found in this file. Look for events such as “First day back” and "
            f"“Last day of term”.{first}"
        )
    return reading


def merge_calendars(existing: TermCalendar, incoming: TermCalendar) -> MergedCalendar:
    """Bring a newly read calendar together with what is known, without doubling.

    A newer file is the truth for the time from its first term to its last: terms and closed days
    known for that time and missing in it are replaced. A file without terms (INSET days alone)
    only adds.
    """
    if not incoming.terms:
        closed = _closed_once((*existing.closed, *incoming.closed))
        return MergedCalendar(TermCalendar(existing.terms, closed), known=existing.terms)
    covered = Term(
        min(term.first_day for term in incoming.terms),
        max(term.last_day for term in incoming.terms),
    )
    dates = {(term.first_day, term.last_day) for term in incoming.terms}
    known_dates = {(term.first_day, term.last_day) for term in existing.terms}
    kept = [term for term in existing.terms if not term.overlaps(covered)]
    kept_closed = (one for one in existing.closed if not covered.holds(one.day))
    return MergedCalendar(
        TermCalendar(
            tuple(sorted((*kept, *incoming.terms))),
            _closed_once((*kept_closed, *incoming.closed)),
        ),
        added=tuple(t for t in incoming.terms if (t.first_day, t.last_day) not in known_dates),
        known=tuple(t for t in incoming.terms if (t.first_day, t.last_day) in known_dates),
        replaced=tuple(
            term
            for term in existing.terms
            if term.overlaps(covered) and (term.first_day, term.last_day) not in dates
        ),
    )


class _CannotRead(Exception):
    """One event cannot be read; its text says why."""


class _Says(StrEnum):
    """What the title of an event says."""

    TERM_STARTS = "term starts"
    TERM_ENDS = "term ends"
    TERM = "term"
    HOLIDAY = "holiday"
    HOLIDAY_STARTS = "holiday starts"
    HOLIDAY_ENDS = "holiday ends"
    INSET = "inset"
    BANK_HOLIDAY = "bank holiday"
    EITHER = "either"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class _Event:
    line: int
    title: str
    first_day: date
    last_day: date
    says: tuple[_Says, ...]

    @property
    def days(self) -> int:
        return (self.last_day - self.first_day).days + 1


_NUMBER = r"(?:\d )?(?:\d{4} )?"
_UP_TO_FOUR = r"(?:\w+ ){0,4}"
_BREAK = r"(?:holidays?|break|vacation|recess)"
_STARTS = r"(?:starts?|begins?|commences?)"
_ENDS = r"(?:ends?|finish(?:es)?)"
_FIRST = r"(?:first day|start|beginning)"
_LAST = r"(?:last day|end)"

# Titles are matched as lower-case words, "half term" as the one word "halfterm"; first match wins.
_WORDINGS: tuple[tuple[_Says, re.Pattern[str]], ...] = tuple(
    (says, re.compile(pattern))
    for says, pattern in (
        (_Says.NOTHING, r"\b(?:club|camp|twilight|disco|fair|concert|party|trip|homework)\b"),
        (
            _Says.TERM_STARTS,
            (
                rf"\bfirst day (?:back|{_UP_TO_FOUR}(?:after|following))\b"
                rf"|\b(?:returns?|back|re ?opens?|resumes?) (?:to school )?"
                rf"(?:after|from|following)\b"
                rf"|\b{_FIRST} of {_UP_TO_FOUR}term\b|\bterm {_NUMBER}(?:{_STARTS}|opens)\b"
                rf"|\b(?:pupils|children|students|school|all) (?:returns?|re ?opens?|resumes?)\b"
                rf"|\b(?:back|return) to school\b"
            ),
        ),
        (
            _Says.TERM_ENDS,
            (
                rf"\blast day before\b|\bbreaks? up\b|\b(?:school )?closes (?:for|at)\b"
                rf"|\b{_LAST} of {_UP_TO_FOUR}term\b|\bterm {_NUMBER}(?:{_ENDS}|closes)\b"
                rf"|\blast (?:school day|day of school)\b"
            ),
        ),
        (
            _Says.HOLIDAY_STARTS,
            (
                rf"\b(?:halfterm|{_BREAK}) (?:{_BREAK} )?{_STARTS}\b"
                rf"|\b{_FIRST} of {_UP_TO_FOUR}{_BREAK}\b"
            ),
        ),
        (
            _Says.HOLIDAY_ENDS,
            (
                rf"\b(?:halfterm|{_BREAK}) (?:{_BREAK} )?{_ENDS}\b"
                rf"|\b{_LAST} of {_UP_TO_FOUR}{_BREAK}\b"
            ),
        ),
        (_Says.EITHER, rf"\b(?:{_FIRST}|{_LAST}) of {_UP_TO_FOUR}halfterm\b"),
        (
            _Says.BANK_HOLIDAY,
            (
                r"\b(?:bank|public) holiday\b|\b(?:may day|good friday|easter monday|boxing day)\b"
                r"|\b(?:christmas|new years?) day\b"
            ),
        ),
        (_Says.TERM, r"\bhalfterm [1-6]\b"),
        (_Says.HOLIDAY, rf"\bhalfterm\b|\b{_BREAK}\b|\bclosed\b|\bclosure\b"),
        (_Says.TERM, r"\bterm\b|\b(?:autumn|spring|summer) [12]\b"),
        (_Says.NOTHING, r""),
    )
)
_INSET = re.compile(
    r"\binset\b|\btraining days?\b|\b(?:staff|teacher) training\b|\bstaff (?:development|day)\b"
    r"|\bnon pupil days?\b|\bpupil free\b|\bprofessional development\b|\bcpd days?\b"
    r"|\boccasional days?\b"
)
_AFTER_INSET = re.compile(r"\b(?:after|following) (?:\w+ )?inset\b")
_EDGES = frozenset({_Says.TERM_STARTS, _Says.TERM_ENDS})


def _what_it_says(title: str) -> tuple[_Says, ...]:
    """What a title says; a first or last day of term may be an INSET day as well."""
    folded = unicodedata.normalize("NFKD", title).casefold().replace("’", "").replace("'", "")
    said = " ".join(re.findall(r"\w+", folded))
    said = re.sub(r"\bhalf ?terms?\b", "halfterm", said)
    says = next(says for says, pattern in _WORDINGS if pattern.search(said))
    inset = _INSET.search(said) and "twilight" not in said
    if not inset or (says in _EDGES and _AFTER_INSET.search(said)):
        return (says,)
    return (says, _Says.INSET) if says in _EDGES else (_Says.INSET,)


def _lines(content: bytes) -> list[str]:
    if len(content) > _LARGEST_FILE:
        raise UnreadableCalendar(
            "This file is too big for a term calendar (more than 5 MB). Export only the term dates."
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    return re.split(r"\r\n|\n|\r", text)


def _event_blocks(lines: list[str]) -> list[tuple[int, list[str]]]:
    """Each event's lines with the number of the first. Raises when any part is out of place."""
    blocks: list[tuple[int, list[str]]] = []
    inside: list[str] = []
    event_from = 0
    for number, word, name in _parts(lines):
        if not inside and (word, name) != ("BEGIN", "VCALENDAR"):
            raise UnreadableCalendar(
                "This is not a calendar file: it does not begin with BEGIN:VCALENDAR. "
                "Choose a file that ends in .ics, as your calendar program exports it."
                if not blocks
                else _damaged(number, "stands after the end of the calendar")
            )
        if word == "BEGIN":
            if name == "VEVENT" and "VEVENT" in inside:
                raise UnreadableCalendar(
                    _damaged(number, "begins an event before the one before it has ended")
                )
            inside.append(name)
            event_from = number if name == "VEVENT" else event_from
        elif word == "END":
            if inside.pop() != name:
                raise UnreadableCalendar(_damaged(number, "ends a part that was not begun"))
            if name == "VEVENT":
                blocks.append((event_from, lines[event_from - 1 : number]))
    if inside:
        raise UnreadableCalendar(
            f"This calendar file stops in the middle, after line {len(lines)}. Nothing was taken "
            "from it. Export it again and import the new file."
        )
    return blocks


def _parts(lines: list[str]) -> Iterator[tuple[int, str, str]]:
    """The lines that are not a continuation: number, property name and value, in capitals."""
    for number, line in enumerate(lines, start=1):
        if line.strip() and line[0] not in " \t":
            word, _, name = line.strip().upper().partition(":")
            yield number, word, name


def _damaged(line: int, what: str) -> str:
    return (
        f"This calendar file is damaged: line {line} {what}. Nothing was taken from it. "
        "Export it again and import the new file."
    )


def _read_event(line: int, block: list[str]) -> _Event | None:
    """One event, or None when it was called off. Raises `_CannotRead` with the reason."""
    try:
        event = icalendar.Event.from_ical("\r\n".join(block) + "\r\n")
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise _CannotRead("this event is not written as a calendar event should be.") from error
    if not isinstance(event, icalendar.Event):
        raise _CannotRead("this event is not written as a calendar event should be.")
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        return None
    title = _title(event)
    if event.get("RRULE") is not None or event.get("RDATE") is not None:
        raise _CannotRead(f"“{title}” repeats; give each of its dates as an event of its own.")
    start = _moment(event, "DTSTART", title)
    if start is None:
        raise _CannotRead(f"“{title}” has no start date.")
    first_day = _london_day(start)
    last_day = _last_day(event, start, title)
    if last_day < first_day:
        raise _CannotRead(f"“{title}” ends before it starts.")
    if first_day.year not in _YEARS or last_day.year not in _YEARS:
        raise _CannotRead(f"“{title}” is on {words.short_day(first_day)}, which cannot be meant.")
    return _Event(line, title, first_day, last_day, _what_it_says(title))


def _title(event: icalendar.Event) -> str:
    found = event.get("SUMMARY")
    found = found[0] if isinstance(found, list) else found
    printable = "".join(c if c.isprintable() else " " for c in str(found or ""))
    title = " ".join(printable.split())
    if not title:
        raise _CannotRead("this event has no title, so it cannot be told what it is.")
    return title if len(title) <= 80 else title[:79] + "…"


def _moment(event: icalendar.Event, name: str, title: str) -> date | datetime | None:
    """A property as a date or a moment, None where it is not given."""
    where = "start" if name == "DTSTART" else "end"
    if isinstance(event.get(name), list):
        raise _CannotRead(f"“{title}” has more than one {where} date.")
    value = _value(event, name)
    if name in event and not isinstance(value, date):
        raise _CannotRead(f"the {where} date of “{title}” is not a date.")
    return value if isinstance(value, date) else None


def _value(event: icalendar.Event, name: str) -> object:
    """What the library read a property as; None where it is not given or could not be read."""
    try:
        return getattr(event.get(name), "dt", None)
    except ValueError:  # the library keeps a broken property and raises when it is asked for it
        return None


def _last_day(event: icalendar.Event, start: date | datetime, title: str) -> date:
    """The last day that the event touches. A DTEND is the first moment after (RFC 5545, 3.6.1)."""
    end = _moment(event, "DTEND", title)
    if end is None:
        end = _after_duration(event, start, title)
    first_day = _london_day(start)
    if end is None:
        return first_day
    last_day = _london_day(end)
    at_midnight = not isinstance(end, datetime) or _london_time(end) == time(0)
    # Some programs write a one-day event with its end equal to its start.
    return last_day - _ONE_DAY if at_midnight and last_day != first_day else last_day


def _after_duration(
    event: icalendar.Event, start: date | datetime, title: str
) -> date | datetime | None:
    if "DURATION" not in event:
        return None
    length = _value(event, "DURATION")
    if not isinstance(length, timedelta):
        raise _CannotRead(f"how long “{title}” lasts cannot be read.")
    try:
        return start + length
    except OverflowError as error:
        raise _CannotRead(f"how long “{title}” lasts cannot be read.") from error


def _london_day(moment: date | datetime) -> date:
    if not isinstance(moment, datetime):
        return moment
    try:
        return (moment if moment.tzinfo is None else moment.astimezone(LONDON)).date()
    except OverflowError:  # the first and last hours that a calendar can name
        return moment.date()


def _london_time(moment: datetime) -> time:
    try:
        return (moment if moment.tzinfo is None else moment.astimezone(LONDON)).time()
    except OverflowError:
        return moment.time()


class _Found:
    """What the events of one file say, gathered until terms can be put together from it."""

    def __init__(self) -> None:
        self.problems: list[LineProblem] = []
        self.left_out: list[LineProblem] = []
        self._terms: list[tuple[Term, _Event]] = []
        self._closed: list[ClosedDay] = []
        self._edges: dict[_Says, list[_Event]] = {
            says: []
            for says in (
                _Says.TERM_STARTS,
                _Says.TERM_ENDS,
                _Says.HOLIDAY_STARTS,
                _Says.HOLIDAY_ENDS,
            )
        }

    def take(self, event: _Event | None) -> None:
        """Sort one event by what it says."""
        if event is None:
            return
        for says in event.says:
            if says in self._edges:
                self._edges[says].append(event)
            elif says is _Says.TERM:
                self._take_range(event)
            elif says is _Says.EITHER:
                raise _CannotRead(
                    f"“{event.title}” can be read in two ways. Say “Last day before half term”, "
                    "“First day back” or give the half term from its first to its last day."
                )
            elif says is _Says.NOTHING:
                self.left_out.append(
                    LineProblem(event.line, f"“{event.title}” is no term date; it was left out.")
                )
            else:
                self._close(event, ClosedKind(says.name.lower()))

    def settled(self) -> TermReading:
        """Terms and closed days, once each, in order."""
        for first, last in self._pairs(_Says.TERM_STARTS, _Says.TERM_ENDS):
            term = Term(first.first_day, last.last_day, _season(first))
            self._add_term(term, first)
        for first, last in self._pairs(_Says.HOLIDAY_STARTS, _Says.HOLIDAY_ENDS):
            whole = _Event(first.line, first.title, first.first_day, last.last_day, first.says)
            try:
                self._close(whole, ClosedKind.HOLIDAY)
            except _CannotRead as why:
                self.problems.append(LineProblem(first.line, str(why)))
        terms = self._without_overlaps()
        return TermReading(
            TermCalendar(tuple(sorted(terms)), _closed_once(self._closed)),
            tuple(sorted(self.problems)),
            tuple(sorted(self.left_out)),
        )

    def _take_range(self, event: _Event) -> None:
        if event.days == 1:
            raise _CannotRead(
                f"“{event.title}” is one day and says neither that a term starts nor that it ends."
            )
        name = re.sub(r"^[^:]{1,40}:\s+", "", event.title)
        self._add_term(Term(event.first_day, event.last_day, name), event)

    def _add_term(self, term: Term, event: _Event) -> None:
        if (term.last_day - term.first_day).days > _LONGEST_TERM:
            self.problems.append(
                LineProblem(event.line, f"{term.in_words()} is too long for one term.")
            )
        else:
            self._terms.append((term, event))

    def _close(self, event: _Event, kind: ClosedKind) -> None:
        if event.days > _LONGEST_CLOSURE:
            raise _CannotRead(f"“{event.title}” lasts {event.days} days, which cannot be meant.")
        name = re.sub(r"^[^:]{1,40}:\s+", "", event.title)
        self._closed.extend(
            ClosedDay(event.first_day + timedelta(days=n), kind, name) for n in range(event.days)
        )

    def _pairs(self, starts: _Says, ends: _Says) -> Iterator[tuple[_Event, _Event]]:
        """Each start with the end that follows it; what stands alone is reported."""
        edges = [
            *(("starts", event.first_day, event) for event in self._once(self._edges[starts])),
            *(("ends", event.last_day, event) for event in self._once(self._edges[ends])),
        ]
        edges.sort(key=lambda edge: (edge[1], edge[0] == "ends"))
        opened: _Event | None = None
        for which, day, event in edges:
            if which == "starts":
                if opened:
                    self._alone(
                        opened, f"has no last day before the next start on {words.short_day(day)}"
                    )
                opened = event
            elif opened:
                yield opened, event
                opened = None
            else:
                self._alone(event, "has no first day before it")
        if opened:
            self._alone(opened, "has no last day after it")

    def _once(self, events: list[_Event]) -> Iterator[_Event]:
        seen: set[tuple[date, date]] = set()
        for event in events:
            if (event.first_day, event.last_day) in seen:
                self._left_out_twice(event)
            else:
                seen.add((event.first_day, event.last_day))
                yield event

    def _without_overlaps(self) -> list[Term]:
        """Terms that share no day: of two that do, the shorter is the more exact and stays."""
        kept: list[Term] = []
        by_length = sorted(
            self._terms, key=lambda found: (found[0].last_day - found[0].first_day, found[0])
        )
        for term, event in by_length:
            other = next((other for other in kept if other.overlaps(term)), None)
            if other is None:
                kept.append(term)
            elif (other.first_day, other.last_day) == (term.first_day, term.last_day):
                self._left_out_twice(event)
            else:
                self.problems.append(
                    LineProblem(
                        event.line,
                        f"{term.in_words()} overlaps {other.in_words()}; the shorter was kept.",
                    )
                )
        return kept

    def _alone(self, event: _Event, what: str) -> None:
        self.problems.append(
            LineProblem(
                event.line, f"“{event.title}” on {words.short_day(event.first_day)} {what}."
            )
        )

    def _left_out_twice(self, event: _Event) -> None:
        self.left_out.append(
            LineProblem(
                event.line, f"“{event.title}” on {words.short_day(event.first_day)} is there twice."
            )
        )


def _season(event: _Event) -> str:
    """What to call a term whose file gives it no name: its season and year."""
    named = re.search(r"\b(autumn|spring|summer) term\b", event.title.casefold())
    if named:
        season = named[1].capitalize()
    elif event.first_day.month >= 8:
        season = "Autumn"
    else:
        season = "Spring" if event.first_day.month <= 3 else "Summer"
    return f"{season} {event.first_day.year}"


def _closed_once(closed: Iterable[ClosedDay]) -> tuple[ClosedDay, ...]:
    """Each day once for each kind, in order."""
    once: dict[tuple[date, ClosedKind], ClosedDay] = {}
    for one in closed:
        once.setdefault((one.day, one.kind), one)
    return tuple(once[key] for key in sorted(once, key=lambda key: (key[0], key[1].value)))
