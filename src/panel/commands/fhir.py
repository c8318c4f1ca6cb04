"""panel fhir …: records as FHIR, as one of the systems that come in may be told them."""

import sys

import click
import msgspec

from interop.bundle import collection
from panel.accounts.providers import base_of
from panel.commands.fhir_import import bring_in_records
from panel.commands.opening import (
    as_of_option,
    authority_option,
    opened_gate,
    plain_errors,
    running,
)
from panel.exchange.entering import Client
from panel.exchange.fhir_routes import BASE
from panel.exchange.history import keep_every_version
from panel.exchange.standing import client_by_key
from panel.exchange.writing_out import all_children, one_child
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.settings import from_environment


@click.group()
def fhir() -> None:
    """Records as FHIR R4."""


@fhir.command("export")
@click.option("--child", default=None, metavar="REFERENCE", help="One child, as a Bundle.")
@click.option("--all", "everybody", is_flag=True, help="Everybody, a resource on each line.")
@click.option("--client", "key", required=True, help="The key of the system to be told.")
@authority_option
@as_of_option
@plain_errors
@running
async def export(
    child: str | None, *, everybody: bool, key: str, authority: str | None, as_of: str | None
) -> None:
    """Print what a system may be told, as far as its scopes let it read.

    Each look is in the history of the child.
    """
    if (child is None) != everybody:
        raise click.UsageError("Say either --child REFERENCE or --all.")
    async with opened_gate(authority, as_of) as gate:
        client = await _client(gate, key)
        if child is None:
            await _print_all(gate, client)
        else:
            await _print_one(gate, client, child)


async def _client(gate: Gate, key: str) -> Client:
    async with gate.tenant.transaction(JOB) as session:
        client = await client_by_key(session, key)
    if client is None:
        raise click.ClickException(f"There is no system of the key {key} that comes in today.")
    return client


async def _print_all(gate: Gate, client: Client) -> None:
    out = sys.stdout.buffer
    async for one in all_children(gate, client):
        out.write(one.stamped.body + b"\n")
    out.flush()


async def _print_one(gate: Gate, client: Client, reference: str) -> None:
    found = await one_child(gate, client, reference)
    if not found:
        raise click.ClickException(f"{client.name} may not be told of a child {reference}.")
    base = f"{base_of(gate.tenant.record, from_environment().site_url)}{BASE}"
    bundle = collection([one.shown() for one in found], base)
    click.echo(msgspec.json.encode(bundle))


@fhir.command("keep-versions")
@authority_option
@plain_errors
@running
async def keep_versions(authority: str | None) -> None:
    """Keep what entries are now for the history that systems read, looking at all of them.

    `panel jobs` does it by itself for what changed. Done again, it finds nothing more.
    """
    async with opened_gate(authority) as gate:
        ended = False
        while not ended:
            async with gate.tenant.transaction(JOB) as session:
                ended = await keep_every_version(session)
    click.echo("Everything that changed is kept.")


fhir.add_command(bring_in_records)
