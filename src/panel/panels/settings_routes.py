"""The page of a panel's settings."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from panel.accounts.desk import Desk
from panel.accounts.people_pages import KIND_WORDS
from panel.accounts.taking import Transaction, take_here
from panel.panels.calendar import settings_of
from panel.panels.panel_settings import SettingsChange, change_settings, settings_changes
from panel.panels.rules import PanelSettings
from panel.panels.run import panel_set_by
from panel.panels.settings_forms import DecidingForm, SettingsForm
from panel.web import words
from panel.web.forms import FieldErrors, Filled

SETTINGS = "/panels/{key:str}/settings"
KINDS = tuple(KIND_WORDS.items())
FIGURES: Sequence[tuple[str, str, str]] = (
    ("cut_off_working_days", "Working days before a meeting on which papers close", ""),
    ("minutes_per_child", "Minutes for a child", "A child’s own minutes can be set on the agenda."),
    ("capacity_minutes", "Minutes of a meeting", "Who does not fit comes to the next one."),
    ("review_months", "Months until a review", "Calendar months after the discussion."),
    ("age_limit", "Years of age until which a child stays with this panel", ""),
    ("notes_working_days", "Working days after a meeting until notes go to families", ""),
    (
        "pack_working_days",
        "Working days after a meeting for which packs stay open",
        "Until then whoever sits on the panel reads on.",
    ),
)
"""Name, label and hint of each number."""
OF_A_DECISION = (
    "appeal_working_days",
    "Working days in which a family can ask the panel to look again",
    "The panel answers in as many.",
)
WORDS = {name: label for name, label, _ in (*FIGURES, OF_A_DECISION)} | {
    "quorum_minimum": "People that a quorum needs",
    "quorum_kinds": "Agencies that a quorum needs",
    "quorum_roles": "Whether a quorum needs the chair",
    "advice": "Whom letters name for advice",
}


@get(SETTINGS, include_in_schema=False)
async def settings_page(desk: NamedDependency[Desk], key: FromPath[str]) -> Response[Any]:
    """A panel's settings, and what was changed of them, for whoever may change them."""
    return await _page(desk, key)


@post(SETTINGS, include_in_schema=False)
async def save_settings(desk: NamedDependency[Desk], key: FromPath[str]) -> Response[Any]:
    """Change them from now on."""
    async with desk.tenant.transaction(desk.viewer.id) as session:
        decides = (await panel_set_by(desk, session, key)).kind == "allocation"

    async def work(here: Transaction, form: SettingsForm) -> None:
        panel = await panel_set_by(desk, here.session, key)
        await change_settings(here.session, panel, form.wanted(), form.version, form.why)

    again = partial(_page, desk, key)
    kind = DecidingForm if decides else SettingsForm
    return await take_here(desk, kind, work, f"/panels/{key}/settings", again=again)


async def _page(desk: Desk, key: str, errors: FieldErrors | None = None) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        panel = await panel_set_by(desk, session, key)
        changes = await settings_changes(session, panel)
    decides = panel.kind == "allocation"
    return desk.page(
        "panels/settings.html",
        status=200 if errors is None else 422,
        panel=panel,
        figures=[*FIGURES, OF_A_DECISION] if decides else FIGURES,
        decides=decides,
        kinds=KINDS,
        filled=Filled(_stored(settings_of(panel)), errors),
        changes=[row for one in changes for row in _rows(one)],
        action=f"/panels/{key}/settings",
        back_href=f"/panels/{key}",
    )


def _stored(settings: PanelSettings) -> dict[str, object]:
    return {name: getattr(settings, name) for name in WORDS} | {
        "quorum_chair": "yes" if "chair" in settings.quorum_roles else ""
    }


def _rows(change: SettingsChange) -> list[tuple[str, str, str, str, str]]:
    """One change: when, what, from what to what, who, why."""
    when = "" if change.at is None else words.day_and_time(change.at)
    return [
        (
            when,
            WORDS.get(name, name),
            f"{_said(name, was)} to {_said(name, now)}",
            change.by,
            change.why,
        )
        for name, (was, now) in change.changed.items()
    ]


def _said(name: str, value: object) -> str:
    if name == "quorum_roles":
        return "the chair" if value else "no chair"
    if isinstance(value, list):
        return words.in_a_row([title for kind, title in KINDS if kind in value]) or "none"
    return words.number(value) if isinstance(value, int) else f"“{value}”"


HANDLERS = [settings_page, save_settings]
