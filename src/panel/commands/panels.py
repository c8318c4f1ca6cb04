"""panel panels add · panel meetings · panel agenda prepare · panel agenda pack."""

import asyncio
from datetime import datetime
from pathlib import Path

import click

from panel.allocation.beside import RequestsBeside
from panel.commands.opening import (
    as_of_option,
    authority_option,
    json_option,
    opened_gate,
    plain_errors,
    print_json,
    running,
)
from panel.panels.agenda import AgendaTold, prepare, told
from panel.panels.calendar import add_panel, meeting_days, meeting_on, panel_by_key
from panel.panels.packs import write_pack_pdf
from panel.records.child_scoped import JOB
from panel.web import words

DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def panels() -> None:
    """Panels and their rhythm."""


@panels.command("add")
@click.argument("key")
@click.option("--kind", required=True, type=click.Choice(["contacts", "allocation"]))
@click.option("--first", required=True, type=DAY, help="The first meeting's day.")
@click.option("--every", default=14, show_default=True, type=click.IntRange(1, 366))
@click.option("--name", default="", help="What pages call it.")
@click.option("--place", default="", help="Where it meets.")
@authority_option
@plain_errors
@running
async def add(
    key: str, kind: str, first: datetime, every: int, name: str, place: str, authority: str | None
) -> None:
    """Add a panel that meets every so many days from the first, in term."""
    async with opened_gate(authority) as gate, gate.tenant.transaction(JOB) as session:
        panel = await add_panel(
            session,
            key=key,
            kind=kind,
            first_on=first.date(),
            every_days=every,
            name=name,
            place=place,
        )
        click.echo(f"{panel.name} ({key}), every {every} days from {words.day(panel.first_on)}.")


@click.command()
@click.option("--panel", "key", required=True, help="The panel's key.")
@click.option("--from", "start", required=True, type=DAY)
@click.option("--to", "end", required=True, type=DAY)
@authority_option
@json_option
@plain_errors
@running
async def meetings(
    key: str, start: datetime, end: datetime, authority: str | None, *, as_json: bool
) -> None:
    """The meeting dates, with the term calendar applied."""
    async with opened_gate(authority) as gate, gate.tenant.transaction(JOB) as session:
        found = await meeting_days(
            session, await panel_by_key(session, key), start.date(), end.date()
        )
    if as_json:
        print_json(
            {
                "panel": key,
                "meetings": [one.held_on for one in found.meetings],
                "calendar_ends_on": found.calendar_ends_on,
                "note": found.note,
            }
        )
        return
    for one in found.meetings:
        click.echo(words.day(one.held_on))
    if found.note:
        click.echo(found.note)


@click.group()
def agenda() -> None:
    """Agendas and packs."""


@agenda.command("prepare")
@click.option("--panel", "key", required=True, help="The panel's key.")
@click.option("--date", "day", required=True, type=DAY, help="The meeting's day.")
@authority_option
@as_of_option
@json_option
@plain_errors
@running
async def prepare_agenda(
    key: str, day: datetime, authority: str | None, as_of: str | None, *, as_json: bool
) -> None:
    """The agenda, what is blocked and why, and who waits for the next meeting."""
    async with opened_gate(authority, as_of) as gate, gate.tenant.transaction(JOB) as session:
        panel = await panel_by_key(session, key)
        meeting = await meeting_on(session, panel, day.date())
        prepared = told(await prepare(session, panel, meeting, JOB))
    if as_json:
        print_json(prepared)
    else:
        _print_agenda(prepared)


def _print_agenda(prepared: AgendaTold) -> None:
    click.echo(f"{prepared.panel}, {words.day(prepared.held_on)} ({prepared.state})")
    click.echo(f"{prepared.minutes_used} of {prepared.minutes} minutes")
    for item in prepared.items:
        click.echo(f"  {words.time(item.starts):>5}  {item.child}  {item.why}")
    if prepared.not_ready:
        click.echo("Not ready:")
    for blocked in prepared.not_ready:
        for debt in blocked.missing:
            what = debt.what.replace("_", " ")
            since = words.short_day(debt.since)
            click.echo(f"  {blocked.child}  {what}, owed by {debt.owed_by} since {since}")
    if prepared.rolled_over:
        click.echo("Next time:")
    for rolled in prepared.rolled_over:
        click.echo(f"  {rolled.child}  {rolled.why}")


@agenda.command("pack")
@click.option("--panel", "key", required=True, help="The panel's key.")
@click.option("--date", "day", required=True, type=DAY, help="The meeting's day.")
@click.option("--agency", required=True, help="The agency's key.")
@click.option("--pdf", required=True, type=click.Path(dir_okay=False, path_type=Path))
@authority_option
@as_of_option
@plain_errors
@running
async def pack(
    key: str, day: datetime, agency: str, pdf: Path, authority: str | None, as_of: str | None
) -> None:
    """One agency's pack for a settled agenda, as PDF/UA."""
    async with opened_gate(authority, as_of) as gate:
        content = await write_pack_pdf(gate, key, day.date(), agency, RequestsBeside())
    await asyncio.to_thread(pdf.write_bytes, content)
    click.echo(f"{pdf}: {len(content) // 1024 + 1} KB")
