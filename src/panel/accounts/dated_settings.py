"""Every dated setting of the authority: what holds now, from when, what comes next, and who set it.

A setting is never overwritten: each change is a row with the day from which it holds, its source
and its author, and of two rows for the same day the later one holds. The rooms say which settings
they have; what only a page of its own may change is shown with the way there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.service import worker_names
from panel.platform.audit import Kind, record
from panel.platform.clock import LONDON
from panel.platform.problems import Conflict, Invalid
from panel.platform.tables import NOW, today_of
from panel.platform.work_tables import Setting

Value = int | bool | str
MOST_LINES, LONGEST_LINE = 12, 200


class ValueKind(StrEnum):
    """What kind of value a setting has."""

    NUMBER = "number"
    YES_NO = "yes_no"
    MONEY = "money"
    LINES = "lines"
    """Texts, one on each line."""


@dataclass(frozen=True, slots=True)
class DatedSetting:
    """One setting that an authority may change, with the bounds within which it works."""

    key: str
    label: str
    group: str
    default: Value
    kind: ValueKind = ValueKind.NUMBER
    least: int = 0
    most: int = 1_000_000
    hint: str = ""
    above: tuple[str, int] | None = None
    """Another number that it must exceed: its key, and what it is where nobody set it."""
    below: tuple[str, int] | None = None
    """Another number that must exceed it."""

    def read(self, said: str) -> Value:
        """The value that somebody typed. Raises Invalid with a sentence about `value`."""
        typed = said.strip().replace(",", "")
        if self.kind is ValueKind.YES_NO:
            if typed not in ("yes", "no"):
                raise Invalid.because("value", "Select yes or no")
            return typed == "yes"
        if self.kind is ValueKind.LINES:
            return self._lines(said)
        if self.kind is ValueKind.MONEY:
            return self._money(typed.removeprefix("£"))
        if not typed.isascii() or not typed.removeprefix("-").isdigit():
            raise Invalid.because("value", "Enter a whole number, for example 7")
        if not self.least <= int(typed[:12]) <= self.most:
            raise Invalid.because("value", self.bounds)
        return int(typed)

    def _money(self, typed: str) -> str:
        try:
            amount = Decimal(typed)
        except InvalidOperation as error:
            raise Invalid.because("value", "Enter an amount, for example 250.00") from error
        # Only then is it rounded: of what is huge, or no number, nothing can be.
        if not amount.is_finite() or not self.least <= amount <= self.most:
            raise Invalid.because("value", self.bounds)
        if amount != round(amount, 2):
            raise Invalid.because("value", "Enter an amount in pounds and pence")
        return f"{amount:.2f}"

    def _lines(self, said: str) -> str:
        lines = [" ".join(line.split()) for line in said.splitlines() if line.strip()]
        if not lines or len(lines) > MOST_LINES:
            raise Invalid.because("value", self.bounds)
        if len(set(lines)) < len(lines):
            raise Invalid.because("value", "Two lines say the same. Take one of them away")
        if max(map(len, lines)) > LONGEST_LINE:
            raise Invalid.because("value", f"Each line is {LONGEST_LINE} characters or fewer")
        return "\n".join(lines)

    @property
    def bounds(self) -> str:
        """Between what it must be, as a sentence."""
        if self.kind is ValueKind.LINES:
            return f"Enter from 1 to {MOST_LINES} lines, one condition on each"
        if self.kind is ValueKind.MONEY:
            return f"Enter an amount from £{self.least:,} to £{self.most:,}"
        return f"Enter a number from {self.least:,} to {self.most:,}"

    def words(self, value: object) -> str:
        """A stored value as the page says it."""
        if self.kind is ValueKind.YES_NO:
            return "Yes" if value else "No"
        if self.kind is ValueKind.LINES:
            return "; ".join(str(value).splitlines())
        if self.kind is ValueKind.MONEY:
            return f"£{value}"
        return f"{value:,}" if isinstance(value, int) else str(value)


@dataclass(frozen=True, slots=True)
class Held:
    """A value and how it came to be."""

    value: Any
    from_on: date | None
    """None: from the beginning."""
    source: str
    by: str
    """Empty where it came with Panel."""
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a setting stands: what holds now, what comes, what was."""

    setting: DatedSetting
    now: Held
    coming: Sequence[Held]
    past: Sequence[Held]
    version: int
    """How often it was set: another one where somebody set it meanwhile."""


@dataclass(frozen=True, slots=True)
class OfItsOwn:
    """A setting that a page of its own changes."""

    key: str
    changed: Held


async def standing(
    session: AsyncSession, settings: Iterable[DatedSetting]
) -> Mapping[str, Standing]:
    """How these settings stand, by key."""
    known = {one.key: one for one in settings}
    rows = await _rows(session, list(known))
    names = await worker_names(session, [row.created_by for row in rows])
    now: datetime = session.info[NOW]
    found = {}
    for key, setting in known.items():
        own = [row for row in rows if row.key == key]
        begun = [row for row in own if row.from_on is None or row.from_on <= now]
        holds = [_held(row, names) for row in begun]
        first = Held(setting.default, None, "As Panel comes", "", None)
        found[key] = Standing(
            setting,
            holds[-1] if holds else first,
            [_held(row, names) for row in own if row not in begun],
            list(reversed([first, *holds][:-1])),
            len(own),
        )
    return found


async def of_their_own(
    session: AsyncSession, settings: Iterable[DatedSetting]
) -> Sequence[OfItsOwn]:
    """The last change of each setting that is not among these."""
    known = [one.key for one in settings]
    found = await session.scalars(
        select(Setting)
        .where(Setting.key.not_in(known))
        .ext(distinct_on(Setting.key))
        .order_by(Setting.key, Setting.from_on.desc().nulls_last(), Setting.id.desc())
    )
    rows = list(found)
    names = await worker_names(session, [row.created_by for row in rows])
    return [OfItsOwn(row.key, _held(row, names)) for row in rows]


async def _rows(session: AsyncSession, keys: Sequence[str]) -> Sequence[Setting]:
    found = await session.scalars(
        select(Setting)
        .where(Setting.key.in_(keys))
        .order_by(Setting.from_on.nulls_first(), Setting.id)
    )
    return list(found)


def _held(row: Setting, names: Mapping[UUID, str]) -> Held:
    day = None if row.from_on is None else row.from_on.astimezone(LONDON).date()
    return Held(row.value, day, row.source, names.get(row.created_by, ""), row.created_at)


async def set_from(
    session: AsyncSession,
    setting: DatedSetting,
    value: Value,
    from_on: date,
    version: int,
    source: str,
) -> None:
    """Have a setting hold another value from a day on, today or later.

    From the beginning of that day in London; from this moment where it is today. Raises Conflict
    where somebody set it since, Invalid for a day that is over or a value that cannot be with
    another setting's.
    """
    today = today_of(session)
    if from_on < today:
        raise Invalid.because("from_on", "Choose today or a later day: what was, stays as it was")
    if from_on.year > today.year + 10:
        raise Invalid.because("from_on", "Choose a day within the next ten years")
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('a dated setting', 0))")
    )
    counted = await session.scalar(
        select(func.count()).select_from(Setting).where(Setting.key == setting.key)
    )
    if counted != version:
        raise Conflict(())
    moment = datetime.combine(from_on, time(), LONDON)
    starts = session.info[NOW] if from_on == today else moment
    await _require_order(session, setting, value, starts)
    session.add(Setting(key=setting.key, value=value, from_on=starts, source=source))
    told = {"key": setting.key, "to": value, "from_on": from_on.isoformat()}
    record(session, Kind.SETTING_CHANGED, details=told)
    await session.flush()


async def _require_order(
    session: AsyncSession, setting: DatedSetting, value: Value, at: datetime
) -> None:
    """A day that begins before it ends, whichever of both is set. Raises Invalid."""
    for other, is_above in ((setting.above, True), (setting.below, False)):
        if other is None:
            continue
        key, found = other
        is_set = await session.scalar(
            select(Setting.value)
            .where(Setting.key == key, (Setting.from_on.is_(None)) | (Setting.from_on <= at))
            .order_by(Setting.from_on.desc().nulls_last(), Setting.id.desc())
            .limit(1)
        )
        found = found if is_set is None else int(is_set)
        if is_above and int(value) <= found:
            raise Invalid.because("value", f"It must be more than {found}, which is set beside it")
        if not is_above and int(value) >= found:
            raise Invalid.because("value", f"It must be less than {found}, which is set beside it")
