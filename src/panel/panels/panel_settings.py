"""A panel's settings, which whoever runs it may change: from now on, with the reason of a change.

The settings stand with the panel; each change is kept beside them as a dated setting of the
authority that says what was and what is.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.service import worker_names
from panel.panels.calendar import settings_of
from panel.panels.models import Panel
from panel.panels.rules import PanelSettings
from panel.platform.audit import Kind, record
from panel.platform.problems import Conflict, Invalid
from panel.platform.tables import NOW
from panel.platform.work_tables import Setting

CHANGES_SHOWN = 50


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """What one person changed at once."""

    at: datetime | None
    by: str
    why: str
    changed: Mapping[str, tuple[Any, Any]]
    """By the setting's name: what it was, and what it is."""


def _key(panel_id: UUID) -> str:
    return f"panel.{panel_id}"


async def change_settings(
    session: AsyncSession, panel: Panel, wanted: Mapping[str, Any], version: int, why: str
) -> None:
    """Set what differs, from now on.

    Raises Conflict where somebody changed the panel since it was read, Invalid for a setting with
    which no panel could work.
    """
    await session.refresh(panel, with_for_update=True)
    if panel.version != version:
        raise Conflict(())
    was = asdict(settings_of(panel))
    changed = {name: value for name, value in wanted.items() if value != was[name]}
    if not changed:
        return
    try:
        now = PanelSettings(**{**was, **changed})
    except ValueError as wrong:
        raise Invalid.because("", str(wrong)) from wrong
    if now.minutes_per_child > now.capacity_minutes:
        raise Invalid.because(
            "minutes_per_child", "A child cannot have more minutes than the meeting has"
        )
    if not now.advice:
        raise Invalid.because(
            "advice", "Say whom families can ask for advice, and how to reach them"
        )
    stored = {name: _stored(value) for name, value in changed.items()}
    panel.settings = {**panel.settings, **stored}
    session.add(
        Setting(
            key=_key(panel.id),
            value={name: [_stored(was[name]), value] for name, value in stored.items()},
            from_on=session.info[NOW],
            source=why,
        )
    )
    told = {"key": _key(panel.id), "from": {one: _stored(was[one]) for one in stored}, "to": stored}
    record(session, Kind.SETTING_CHANGED, details=told)
    await session.flush()


async def pack_days_at(session: AsyncSession, panel: Panel, moment: datetime) -> int:
    """For how many working days packs stayed open by the settings of that moment.

    A pack that is made keeps its last day: a later change neither opens nor closes it.
    """
    name = "pack_working_days"
    changed_next = await session.scalar(
        select(Setting.value)
        .where(
            Setting.key == _key(panel.id),
            Setting.from_on > moment,
            Setting.value.has_key(name),
        )
        .order_by(Setting.from_on, Setting.id)
        .limit(1)
    )
    if changed_next is None:
        return settings_of(panel).pack_working_days
    was: int = changed_next[name][0]
    return was


def _stored(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


async def settings_changes(session: AsyncSession, panel: Panel) -> tuple[SettingsChange, ...]:
    """The last changes of a panel's settings, the newest first."""
    found = await session.scalars(
        select(Setting)
        .where(Setting.key == _key(panel.id))
        .order_by(Setting.from_on.desc(), Setting.id.desc())
        .limit(CHANGES_SHOWN)
    )
    rows = list(found)
    names = await worker_names(session, [row.created_by for row in rows])
    return tuple(
        SettingsChange(
            row.from_on,
            names.get(row.created_by, ""),
            row.source,
            {name: (was, now) for name, (was, now) in row.value.items()},
        )
        for row in rows
    )
