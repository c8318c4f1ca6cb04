"""The invented authority's term calendar, as a file that `panel import terms` reads.

Only the demonstration computes its terms: a real authority's are its own and are imported.
"""

from datetime import date, timedelta

MONDAY = 0


def _monday_after(day: date) -> date:
    return day + timedelta(days=(MONDAY - day.weekday()) % 7)


def _event(title: str, first: date, last: date) -> list[str]:
    return [
        "BEGIN:VEVENT",
        f"UID:{title.replace(' ', '-').lower()}-{first:%Y%m%d}@wexcombe.example",
        "DTSTAMP:20250101T000000Z",
        f"DTSTART;VALUE=DATE:{first:%Y%m%d}",
        f"DTEND;VALUE=DATE:{last + timedelta(days=1):%Y%m%d}",
        f"SUMMARY:Wexcombe: {title}",
        "END:VEVENT",
    ]


def school_year(year: int) -> list[tuple[date, date]]:
    """Six half terms of the school year that begins in September of `year`: first and last day."""
    autumn = _monday_after(date(year, 9, 1)) + timedelta(days=2)
    october = _monday_after(date(year, 10, 22))
    spring = _monday_after(date(year + 1, 1, 4))
    february = _monday_after(date(year + 1, 2, 12))
    april = _monday_after(date(year + 1, 3, 30))
    summer = april + timedelta(days=14)
    may = _monday_after(date(year + 1, 5, 25))
    return [
        (autumn, october - timedelta(days=3)),
        (october + timedelta(days=7), date(year, 12, 18)),
        (spring, february - timedelta(days=3)),
        (february + timedelta(days=7), april - timedelta(days=3)),
        (summer, may - timedelta(days=3)),
        (may + timedelta(days=7), date(year + 1, 7, 21)),
    ]


def calendar_file(years: range) -> bytes:
    """The calendar of several school years, with an INSET day at the start of each."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Wexcombe//demo//EN"]
    for year in years:
        terms = school_year(year)
        inset = terms[0][0] - timedelta(days=1)
        lines += _event("INSET Day", inset, inset)
        for number, (first, last) in enumerate(terms):
            lines += _event("First day back", first, first)
            lines += _event("Last day of term", last, last)
            if number + 1 < len(terms):
                lines += _event(
                    "School Holiday", last + timedelta(days=1), terms[number + 1][0] - timedelta(1)
                )
    lines.append("END:VCALENDAR")
    return "\r\n".join(lines).encode() + b"\r\n"
