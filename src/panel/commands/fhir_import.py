"""panel fhir import FILE: children whom another Panel exported, brought in as one's own."""

import asyncio
from pathlib import Path

import click

from panel.commands.opening import (
    authority_option,
    json_option,
    opened_gate,
    plain_errors,
    print_json,
    running,
)
from panel.exchange.importing import bring_in
from panel.exchange.importing_file import UnreadableRecords
from panel.exchange.importing_report import lines_of


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@authority_option
@json_option
@plain_errors
@running
async def bring_in_records(file: Path, authority: str | None, *, as_json: bool) -> None:
    """Bring in what another Panel exported: a Bundle of one child, or NDJSON of many.

    A child who is here already is left alone. Each child comes whole or not at all; what cannot be
    taken is told with its place in the file. The same file again changes nothing.
    """
    body = await asyncio.to_thread(file.read_bytes)
    async with opened_gate(authority) as gate:
        try:
            report = await bring_in(gate.tenant, body)
        except UnreadableRecords as unreadable:
            raise click.ClickException(f"This file cannot be read. {unreadable}") from unreadable
    if as_json:
        print_json(report)
    else:
        for line in lines_of(report):
            click.echo(line)
    if not report.ended("brought") and not report.ended("here_already"):
        raise click.ClickException("Nothing was taken from this file.")
