"""panel clients …: systems of agencies that come in with FHIR."""

import asyncio
from pathlib import Path

import click
import msgspec

from interop.smart import LARGEST_KEYS
from panel.accounts.service import agency_by_key
from panel.commands.opening import (
    authority_option,
    json_option,
    opened_gate,
    plain_errors,
    print_json,
    running,
)
from panel.exchange.clients import KeysGiven, NewClient, all_clients, key_names, register_client
from panel.exchange.tokens import TOKENS
from panel.records.child_scoped import JOB


class ClientTold(msgspec.Struct):
    """One line of `panel clients list --json`."""

    key: str
    name: str
    agency: str
    scopes: list[str]
    keys: list[str]
    ended_on: str | None


@click.group()
def clients() -> None:
    """Systems of agencies that come in (SMART Backend Services)."""


@clients.command("add")
@click.argument("key")
@click.option("--agency", required=True, help="The key of the agency whose system it is.")
@click.option("--name", required=True, help="What pages call it.")
@click.option("--scopes", required=True, help="What it may ask for, for example system/*.rs")
@click.option(
    "--jwks",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="A file with its public keys (a JWKS); - reads it from here.",
)
@click.option("--jwks-url", default="", help="Where it publishes them instead.")
@authority_option
@plain_errors
@running
async def add(
    key: str,
    *,
    agency: str,
    name: str,
    scopes: str,
    jwks: Path | None,
    jwks_url: str,
    authority: str | None,
) -> None:
    """Register a system under KEY, the name that it signs with."""
    keys = KeysGiven("" if jwks is None else await asyncio.to_thread(_read, jwks), jwks_url)
    async with opened_gate(authority) as gate, gate.tenant.transaction(JOB) as session:
        found = await agency_by_key(session, agency)
        if found is None:
            raise click.ClickException(f"There is no agency of the key {agency}.")
        new = NewClient(key, name, found.id, scopes, keys)
        made = await register_client(session, new, is_demo=gate.tenant.record.demo)
        told = ", ".join(made.scopes)
    click.echo(f"{name} ({key}) may ask for {told}. It gets its tokens at {TOKENS}.")


def _read(file: Path) -> str:
    try:
        with click.open_file(str(file), encoding="utf-8") as opened:
            return str(opened.read(LARGEST_KEYS + 1))
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file} cannot be read.") from error


@clients.command("list")
@authority_option
@json_option
@plain_errors
@running
async def show(authority: str | None, *, as_json: bool) -> None:
    """Print the systems, with what each may ask for."""
    async with opened_gate(authority) as gate, gate.tenant.transaction(JOB) as session:
        told = [
            ClientTold(
                one.row.key,
                one.row.name,
                one.agency,
                one.row.scopes,
                key_names(one.row),
                None if one.row.ended_on is None else one.row.ended_on.isoformat(),
            )
            for one in await all_clients(session)
        ]
    if as_json:
        print_json(told)
        return
    for one in told:
        ended = "" if one.ended_on is None else f", ended on {one.ended_on}"
        click.echo(f"{one.key}: {one.name}, of {one.agency}, {' '.join(one.scopes)}{ended}")
    if not told:
        click.echo("There is none. Add one with: panel clients add KEY --agency …")
