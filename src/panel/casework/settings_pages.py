"""All dated settings of the authority on one page, and the form of one. No case data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import select

from panel.accounts.dated_settings import (
    DatedSetting,
    Held,
    OfItsOwn,
    Standing,
    ValueKind,
    of_their_own,
    set_from,
    standing,
)
from panel.accounts.desk import SETTING, Desk
from panel.accounts.desk import SETTINGS as BASE
from panel.accounts.service import agencies
from panel.accounts.taking import Transaction, take_here
from panel.panels.models import Panel
from panel.platform.problems import NotFound
from panel.web import words
from panel.web.forms import FieldErrors, Filled, line, on_day, paragraphs

OWN_PAGES: Mapping[str, tuple[str, str]] = {
    "retention.": ("How long records are kept", "/governance/retention"),
    "governance.": ("Governance", "/governance"),
    "form_limit.": ("Time limits of the forms", "/forms/time-limits"),
    "lead.limit": ("Plans that one worker should hold at most", "/caseload"),
}


class SettingForm(msgspec.Struct, forbid_unknown_fields=True):
    """Another value from a day on, and where it comes from."""

    version: int
    value: Annotated[str, paragraphs("Value", at_most=3_000, missing="Enter the new value")]
    from_on: Annotated[date, on_day("Day from which it holds")]
    source: Annotated[
        str, line("Source", at_most=300, missing="Say where it comes from, for who reads it later")
    ]


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting on the page of all."""

    href: str
    label: str
    now: str
    since: str
    coming: str
    source: str
    by: str


def setting_row(found: Standing) -> SettingRow:
    """One line: what holds now, since when, what comes next, its source, who set it."""
    setting, now = found.setting, found.now
    coming = [
        f"{setting.words(one.value)} from {words.short_day(one.from_on)}"
        for one in found.coming
        if one.from_on is not None
    ]
    return SettingRow(
        f"{BASE}/{setting.key}",
        setting.label,
        setting.words(now.value),
        since_words(now),
        "; then ".join(coming) or "Nothing",
        now.source,
        now.by or "Panel",
    )


def since_words(held: Held) -> str:
    """From when a value holds."""
    return "The beginning" if held.from_on is None else words.short_day(held.from_on)


def own_row(
    found: OfItsOwn, panels: Mapping[str, tuple[str, str]], named: Mapping[str, str]
) -> tuple[str, ...]:
    """A setting that a page of its own changes: where, what, since when, its source, who."""
    changed = found.changed
    rest = (since_words(changed), changed.source, changed.by or "Panel")
    if found.key in panels:
        name, key = panels[found.key]
        return f"/panels/{key}/settings", f"Settings of the {name}", *rest
    for prefix, (label, href) in OWN_PAGES.items():
        if found.key.startswith(prefix):
            return href, f"{label}{_which(found.key.removeprefix(prefix), named)}", *rest
    return BASE, found.key.replace("_", " ").replace(".", ", "), *rest


def _which(rest: str, named: Mapping[str, str]) -> str:
    """Which of several a key is about: an agency by its name, else in the key's own words."""
    said = rest.removeprefix(".")
    said = named.get(said, said.replace("_", " ").replace(".", ", "))
    return f": {said}" if said else ""


def groups(found: Sequence[Standing]) -> list[tuple[str, list[SettingRow]]]:
    """The settings by their group, in the order in which the rooms give them."""
    rows: dict[str, list[SettingRow]] = {}
    for one in found:
        rows.setdefault(one.setting.group, []).append(setting_row(one))
    return list(rows.items())


@get(BASE, include_in_schema=False)
async def all_settings(desk: NamedDependency[Desk]) -> Response[str]:
    """Every dated setting: what holds now, from when, what comes next, its source, who set it."""
    desk.require(*SETTING)
    offered = desk.site.dated_settings
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await standing(session, offered)
        others = await of_their_own(session, offered)
        named = await session.execute(select(Panel.id, Panel.name, Panel.key))
        panels = {f"panel.{row.id}": (row.name, row.key) for row in named}
        of_agencies = {str(one.id): one.name for one in await agencies(session)}
    return desk.page(
        "casework/settings.html",
        groups=groups([found[one.key] for one in offered]),
        others=[own_row(one, panels, of_agencies) for one in others],
    )


def _setting(desk: Desk, key: str) -> DatedSetting:
    found = next((one for one in desk.site.dated_settings if one.key == key), None)
    if found is None:
        raise NotFound("There is no such setting.")
    return found


@get(f"{BASE}/{{key:str}}", include_in_schema=False)
async def setting_page(desk: NamedDependency[Desk], key: FromPath[str]) -> Response[Any]:
    """One setting: what held, holds and comes, and the form that changes it."""
    desk.require(*SETTING)
    return await _page(desk, _setting(desk, key))


@post(f"{BASE}/{{key:str}}", include_in_schema=False)
async def save_setting(desk: NamedDependency[Desk], key: FromPath[str]) -> Response[Any]:
    """Have it hold another value from a day on."""
    desk.require(*SETTING)
    setting = _setting(desk, key)

    async def work(here: Transaction, form: SettingForm) -> None:
        value = setting.read(form.value)
        await set_from(here.session, setting, value, form.from_on, form.version, form.source)

    return await take_here(desk, SettingForm, work, BASE, again=partial(_page, desk, setting))


async def _page(
    desk: Desk, setting: DatedSetting, errors: FieldErrors | None = None
) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = (await standing(session, [setting]))[setting.key]
    stored = {"value": _typed(setting, found.now.value), "from_on": desk.today}
    lines = [
        (since_words(one), setting.words(one.value), one.source, one.by or "Panel", state)
        for state, held in (
            ("Comes", reversed(found.coming)),
            ("Holds now", [found.now]),
            ("Held", found.past),
        )
        for one in held
    ]
    return desk.page(
        "casework/setting.html",
        status=200 if errors is None else 422,
        setting=setting,
        is_choice=setting.kind is ValueKind.YES_NO,
        is_money=setting.kind is ValueKind.MONEY,
        is_list=setting.kind is ValueKind.LINES,
        version=found.version,
        filled=Filled(stored, errors),
        rows=lines,
        action=f"{BASE}/{setting.key}",
        base=BASE,
    )


def _typed(setting: DatedSetting, value: object) -> str:
    if setting.kind is ValueKind.YES_NO:
        return "yes" if value else "no"
    return str(value)


HANDLERS = [all_settings, setting_page, save_setting]
