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
from panel.exchange.pulling import NewSource, add_source
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
@click.option("--mesh-mailbox", default="", help="The mailbox of MESH from which it sends to ours.")
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
    mesh_mailbox: str,
    authority: str | None,
) -> None:
    """Register a system under KEY, the name that it signs with."""
    keys = KeysGiven("" if jwks is None else await asyncio.to_thread(_read, jwks), jwks_url)
    async with opened_gate(authority) as gate, gate.tenant.transaction(JOB) as session:
        found = await agency_by_key(session, agency)
        if found is None:
            raise click.ClickException(f"There is no agency of the key {agency}.")
        new = NewClient(key, name, found.id, scopes, keys, mesh_mailbox)
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


@clients.command("ask")
@click.argument("key")
@click.option("--base", required=True, help="The address of its FHIR R4 server.")
@click.option("--token-address", default=None, help="Where it gives tokens, if it does not say so.")
@click.option("--as", "as_client", required=True, help="What we are called there.")
@click.option("--scopes", required=True, help="What we may ask for there.")
@click.option(
    "--key-file",
    required=True,
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="A file with our private key there (a JWK); - reads it from here. It is kept sealed.",
)
@click.option("--types", required=True, help="Types to ask for, for example CarePlan,Task")
@click.option("--every", default=60, show_default=True, help="Minutes.")
@authority_option
@plain_errors
@running
async def ask(
    key: str,
    *,
    base: str,
    token_address: str | None,
    as_client: str,
    scopes: str,
    key_file: Path,
    types: str,
    every: int,
    authority: str | None,
) -> None:
    """Ask another system by schedule what changed there; it lands as sent by the system KEY."""
    new = NewSource(
        lands_as=key,
        base=base,
        as_client=as_client,
        scopes=tuple(scopes.split()),
        signing_key=(await asyncio.to_thread(_read, key_file)).encode(),
        types=tuple(one.strip() for one in types.split(",") if one.strip()),
        every_minutes=every,
        token_address=token_address,
    )
    async with opened_gate(authority) as gate, gate.tenant.transaction(JOB) as session:
        made = await add_source(session, new, is_demo=gate.tenant.record.demo)
        told = ", ".join(made.types)
    click.echo(f"{base} is asked for {told} every {every} minutes, from the next minute on.")
