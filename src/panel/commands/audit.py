"""panel audit: proving that what was written down as it happened is as it was written."""

from pathlib import Path

import click
import psycopg

from panel.commands.opening import (
    authority_option,
    json_option,
    opened_cluster,
    plain_errors,
    print_json,
)
from panel.platform.audit_check import (
    Connection,
    Finding,
    Proof,
    last_seal,
    prove,
    public_keys,
    read_settings,
)
from panel.platform.checkpoints import (
    UnreadableCheckpoint,
    from_base64,
    keep,
    kept,
    read_kept,
    to_base64,
)
from panel.platform.clock import SystemClock
from panel.platform.cluster import Cluster
from panel.platform.erasure import DestroyedKeys, cut_off
from panel.platform.tenancy import AuthorityRecord, authority_named
from panel.settings import from_environment

SHOWN = 20
"""Findings that are listed; all are counted."""


@click.group()
def audit() -> None:
    """Whether what was written down as it happened is still what was written."""


def open_to_read(cluster: Cluster, record: AuthorityRecord) -> Connection:
    """A connection that reads an authority at one moment: as the owner where that is known."""
    connection = psycopg.connect(cluster.owner_url or cluster.app_url)
    read_settings(connection, record.schema_name)
    return connection


@audit.command()
@click.option(
    "--checkpoint",
    default=None,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Seals that were kept elsewhere (panel audit checkpoint).",
)
@click.option("--key", default=None, help="The public key to trust, as panel audit key prints it.")
@authority_option
@json_option
@plain_errors
def verify(
    checkpoint: Path | None, key: str | None, authority: str | None, *, as_json: bool
) -> None:
    """Read every event again and compare it with the seals; exit 1 where anything differs.

    Needs no key that opens anything. Names the first event that was changed, removed, added or
    put elsewhere, and says how many events wait for their seal. Where the list of destroyed keys
    is here, it must have every line that the events know of.
    """
    kept_ones = [] if checkpoint is None else read_kept(checkpoint)
    trusted = None if key is None else from_base64(key)
    settings = from_environment()
    destroyed = DestroyedKeys(settings.destroyed_keys)
    with opened_cluster(settings) as cluster:
        record = authority_named(cluster.app_url, authority)
        with open_to_read(cluster, record) as connection:
            proof = prove(connection, record.name, kept=kept_ones, trusted=trusted)
            missing = ""
            if destroyed.path.exists():
                missing = cut_off(connection, record.name, destroyed)
    if missing:
        proof.findings.append(Finding("list", None, "", None, None, missing))
    if as_json:
        print_json(proof)
    else:
        for line in lines_of(proof):
            click.echo(line)
    if proof.findings:
        raise click.ClickException(f"Not as it was sealed. First: {proof.findings[0].sentence}")


def lines_of(proof: Proof) -> list[str]:
    """What was proved, one line a finding."""
    found = [f"✗ {one.sentence}" for one in proof.findings[:SHOWN]]
    if (more := len(proof.findings) - SHOWN) > 0:
        found.append(f"    and {more} more; --json lists all.")
    if not proof.findings:
        against = f", and {proof.checkpoints} kept" if proof.checkpoints else ""
        found.append(
            f"✓ {proof.authority}: {proof.checked} events are as they were sealed"
            f" ({proof.seals} seals{against})."
        )
    return [*found, waiting(proof)]


def waiting(proof: Proof) -> str:
    """How long the tail is that no seal is of yet."""
    if proof.oldest_unsealed is None:
        return "Every event is sealed."
    minutes = unsealed_minutes(proof)
    return f"{proof.unsealed} not sealed yet, the oldest from {minutes} minutes ago."


def unsealed_minutes(proof: Proof) -> int:
    """The age of the oldest event without a seal, in whole minutes."""
    if proof.oldest_unsealed is None:
        return 0
    age = SystemClock().now() - proof.oldest_unsealed
    return max(int(age.total_seconds() // 60), 0)


@audit.command("checkpoint")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to add the newest seal to; keep it where nobody who runs the database writes.",
)
@authority_option
@plain_errors
def checkpoint(out: Path, authority: str | None) -> None:
    """Add the newest seal, signed, to a file to be kept elsewhere."""
    with opened_cluster(from_environment()) as cluster:
        record = authority_named(cluster.app_url, authority)
        with open_to_read(cluster, record) as connection:
            seal = last_seal(connection, record.name)
            keys = public_keys(connection)
    if seal is None:
        raise UnreadableCheckpoint("Nothing is sealed yet. Run: panel jobs")
    if seal.key_id not in keys:
        raise UnreadableCheckpoint(f"Seal {seal.number} is of no key. Run: panel audit verify")
    new = keep(out, kept(seal, keys[seal.key_id]))
    click.echo(
        f"Seal {seal.number} of {seal.end} events, root {seal.root.hex()}"
        + ("" if new else " (was kept before)")
    )


@audit.command("key")
@authority_option
@json_option
@plain_errors
def key(authority: str | None, *, as_json: bool) -> None:
    """Print the public key of the seals, for whoever is to check them."""
    with opened_cluster(from_environment()) as cluster:
        record = authority_named(cluster.app_url, authority)
        with open_to_read(cluster, record) as connection:
            keys = public_keys(connection)
    if as_json:
        print_json([{"id": str(one), "public": to_base64(key)} for one, key in keys.items()])
        return
    if not keys:
        raise UnreadableCheckpoint("Nothing is sealed yet. Run: panel jobs")
    for public in keys.values():
        click.echo(to_base64(public))
