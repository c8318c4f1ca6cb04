"""In how many working days an assessment is to be finished, by the day on which it began.

Time limits are dated settings with their source: an authority's own stands beside those that come
with Panel, and the newest that had begun by the day counts. Days on which the clock stood still
for an agreed reason are not counted. Source: DOMAIN.md, "CAF form".
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.assessments.models import StopReason
from panel.platform.audit import Kind, record
from panel.platform.clock import LONDON, day_of
from panel.platform.problems import Invalid
from panel.platform.work_tables import Setting
from panel.records.dates import is_working_day, working_days_after
from panel.web import words

PREFIX = "form_limit."
MOST_DAYS = 260
"""A year of working days."""
_ONE_DAY = timedelta(days=1)


class RunsFrom(StrEnum):
    """The day that the clock runs from."""

    REFERRAL = "referral"
    START = "start"


class LateReason(StrEnum):
    """Why an assessment was finished after its day."""

    FAMILY = "family"
    CHILD_UNWELL = "child_unwell"
    OTHER_AGENCY = "other_agency"
    COMPLEX = "complex"
    NO_WORKER = "no_worker"
    CHANGE_OF_WORKER = "change_of_worker"


LATE_WORDS = {
    LateReason.FAMILY: "The family needed more time, or could not be reached",
    LateReason.CHILD_UNWELL: "The child was unwell",
    LateReason.OTHER_AGENCY: "Another agency’s part came late",
    LateReason.COMPLEX: "More had to be found out than was known at the start",
    LateReason.NO_WORKER: "No worker was free",
    LateReason.CHANGE_OF_WORKER: "The worker changed",
}
STOP_WORDS = {
    StopReason.FAMILY_AWAY: "The family is away",
    StopReason.CHILD_IN_HOSPITAL: "The child is in hospital",
    StopReason.FAMILY_ASKED: "The family asked to wait",
    StopReason.WAITING_FOR_SPECIALIST: "A specialist’s report is waited for",
    StopReason.WAITING_FOR_INTERPRETER: "An interpreter or signer is waited for",
    StopReason.COURT_OR_ENQUIRY: "A court or an enquiry asked to wait",
}


@dataclass(frozen=True, slots=True)
class Limit:
    """One time limit, from a day on; without `working_days` there is none from then on."""

    form_key: str
    from_on: date
    working_days: int | None
    runs_from: RunsFrom
    source: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Days on which a clock stood still, both counted; without an end it still does."""

    reason: StopReason
    from_on: date
    until_on: date | None


@dataclass(frozen=True, slots=True)
class Clock:
    """How an assessment stands against its time limit on a day."""

    began_on: date
    due_on: date
    left: int
    """Counted working days until it is due; below nought that many too late."""
    limit: Limit
    stopped: Stop | None
    """The stop that goes on."""

    @property
    def is_late(self) -> bool:
        """Whether its day is past."""
        return self.left < 0

    @property
    def words(self) -> str:
        """As a page says it: "Due on Friday 4 December 2026, in 3 working days."."""
        if self.stopped is not None:
            since = words.day(self.stopped.from_on)
            why = words.lower_first(STOP_WORDS[self.stopped.reason])
            return f"The clock has stood still since {since}: {why}."
        day = words.day(self.due_on)
        if self.is_late:
            return f"Due on {day}: {words.plural(-self.left, 'working day')} late."
        if not self.left:
            return f"Due today, {day}."
        return f"Due on {day}, in {words.plural(self.left, 'working day')}."


_2000 = "Framework for the Assessment of Children in Need and their Families (2000)"
_2010 = "Working Together to Safeguard Children (2010)"
_2013 = "Working Together to Safeguard Children (2013): one assessment, 45 working days"
_SINGLE = date(2013, 4, 15)
KNOWN = (
    Limit("cin_initial", date(2000, 4, 1), 7, RunsFrom.REFERRAL, _2000),
    Limit("cin_initial", date(2010, 4, 1), 10, RunsFrom.REFERRAL, _2010),
    Limit("cin_initial", _SINGLE, 45, RunsFrom.REFERRAL, _2013),
    Limit("cin_core", date(2000, 4, 1), 35, RunsFrom.START, _2000),
    Limit("cin_core", _SINGLE, 45, RunsFrom.REFERRAL, _2013),
)
"""What held and holds for England."""


def limit_on(limits: Iterable[Limit], form_key: str, day: date) -> Limit | None:
    """The limit of a form that counts for what began on a day; of two from one day the later said.

    None where there is none, or where the authority says that there is none from then on.
    """
    found: Limit | None = None
    for one in limits:
        if one.form_key == form_key and one.from_on <= day:
            found = one if found is None or one.from_on >= found.from_on else found
    return found if found is not None and found.working_days is not None else None


def clock_of(
    limit: Limit, began_on: date, stops: Sequence[Stop], closed: Collection[date], today: date
) -> Clock:
    """The clock on a day. `closed` are further days on which the authority does not work."""
    still = {day for stop in stops for day in _days(stop.from_on, stop.until_on or today)}
    not_counted = still.union(closed)
    due = working_days_after(began_on, limit.working_days or 0, not_counted)
    first, last = sorted((today, due))
    count = sum(is_working_day(day, not_counted) for day in _days(first + _ONE_DAY, last))
    going_on = next((stop for stop in stops if stop.until_on is None), None)
    return Clock(began_on, due, -count if today > due else count, limit, going_on)


def _days(first: date, last: date) -> Iterable[date]:
    return (date.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1))


async def limits_of(session: AsyncSession) -> tuple[Limit, ...]:
    """Every limit that was ever set, with those that come with Panel, the authority's last."""
    rows = await session.scalars(
        select(Setting)
        .where(Setting.key.startswith(PREFIX, autoescape=True), Setting.from_on.is_not(None))
        .order_by(Setting.from_on, Setting.id)
    )
    own = (
        Limit(
            row.key.removeprefix(PREFIX),
            day_of(row.from_on or row.created_at),
            row.value["working_days"],
            RunsFrom(row.value["runs_from"]),
            row.source,
        )
        for row in rows
    )
    return (*KNOWN, *own)


async def set_limit(session: AsyncSession, limit: Limit) -> None:
    """Set a form's limit from a day on. Raises Invalid for a number of days that is none."""
    if limit.working_days is not None and not 1 <= limit.working_days <= MOST_DAYS:
        raise Invalid.because(
            "working_days", f"The limit is between 1 and {MOST_DAYS} working days"
        )
    value = {"working_days": limit.working_days, "runs_from": limit.runs_from.value}
    session.add(
        Setting(
            key=PREFIX + limit.form_key,
            value=value,
            from_on=datetime.combine(limit.from_on, time(), LONDON),
            source=limit.source,
        )
    )
    told = {"key": PREFIX + limit.form_key, "to": {**value, "from": limit.from_on.isoformat()}}
    record(session, Kind.SETTING_CHANGED, details=told)
    await session.flush()


async def closed_days(session: AsyncSession) -> frozenset[date]:
    """The bank holidays that the authority's calendar names, such as a royal one."""
    found = await session.scalars(text("SELECT day FROM closed_day WHERE kind = 'bank_holiday'"))
    return frozenset(found)
