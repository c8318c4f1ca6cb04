"""panel keys: new generations of keys while people work, and erasure by destroying one."""

import os
from pathlib import Path

import click
from sqlalchemy import select

from panel.commands.opening import (
    authority_option,
    gate_of,
    json_option,
    opened_cluster,
    opened_gate,
    plain_errors,
    print_json,
    running,
    write_down_command,
)
from panel.commands.serving import owner
from panel.governance.retention_service import require_may_be_erased
from panel.platform.clock import SystemClock
from panel.platform.cluster import Cluster
from panel.platform.crypto import FIRST_GENERATION, NotSealedHere
from panel.platform.erasure import Certificate, DestroyedKeys, Order, apply_list, destroy
from panel.platform.key_service import KeyService, NoMasterKey
from panel.platform.masterkey import key_service, master_key
from panel.platform.problems import NotFound
from panel.platform.rotation import (
    Rotated,
    left_to_wrap,
    rotate_authority_key,
    rotate_data_keys,
    rotate_master_key,
)
from panel.platform.tenancy import AuthorityRecord, authorities, authority_named, keyring
from panel.records.child_scoped import JOB
from panel.register.models import Child
from panel.settings import Settings, from_environment


@click.group()
def keys() -> None:
    """The keys that text is sealed with."""


@keys.command("rotate")
@authority_option
@click.option("--data", is_flag=True, help="New data keys; what may be changed is sealed anew.")
@click.option("--master", is_flag=True, help="Wrap the authorities' keys by another master key.")
@click.option("--new-kms", default=None, help="With --master: the key service of the new one.")
@click.option(
    "--new-key-file",
    default=None,
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --master: the file of the new one, made if it is not there.",
)
@plain_errors
def rotate(
    authority: str | None,
    *,
    data: bool,
    master: bool,
    new_kms: str | None,
    new_key_file: Path | None,
) -> None:
    """Give the authority a new key and wrap every data key with it, while the site runs.

    Ended in the middle, the same command goes on where it was.
    """
    if (new_kms or new_key_file) and not master:
        raise click.UsageError("--new-kms and --new-key-file go with --master.")
    if data and master:
        raise click.UsageError("Rotate the data keys and the master key one after the other.")
    settings = from_environment()
    with opened_cluster(settings) as cluster:
        if master:
            _rotate_master(settings, cluster, new_kms, new_key_file)
            return
        record = authority_named(cluster.app_url, authority)
        write_down_command(settings, cluster, record.name)
        work = rotate_data_keys if data else rotate_authority_key
        done = work(owner(cluster), record, settings.key_service(), click.echo)
        click.echo(_told(record, done, data=data))


def _told(record: AuthorityRecord, done: Rotated, *, data: bool) -> str:
    began = "Went on with a rotation that was cut off. " if done.resumed else ""
    if not data:
        return f"{began}Every data key of {record.name} is wrapped by the new key."
    kept = f", {done.kept} stay as they are, in rows that nobody may change" if done.kept else ""
    return (
        f"{began}{done.holders} holders of {record.name} have a new data key. {done.texts} texts"
        f" were sealed with them{kept}."
    )


def _rotate_master(
    settings: Settings, cluster: Cluster, new_kms: str | None, new_key_file: Path | None
) -> None:
    """Wrap by the new master key, and put a local file in its place where none was named."""
    records = authorities(cluster.app_url)
    in_place = new_kms is None and new_key_file is None
    if in_place and (settings.kms or settings.master_key):
        raise click.UsageError(
            "Say which master key is the new one: --new-key-file FILE or --new-kms KEY."
        )
    coming = settings.key_file.with_name(f"{settings.key_file.name}.new")
    new = _new_master(settings, new_kms, new_key_file or coming)
    before = settings.key_service()
    # Cut off after the keys were wrapped, before the file was put in its place, the new one opens.
    opens = next((one for one in (before, new) if _opens(records, one)), None)
    if opens is None:
        raise NoMasterKey("The keys were wrapped by another master key than the one that is set.")
    for record in records:
        write_down_command(settings, cluster, record.name, opens)
    count = rotate_master_key(owner(cluster), records, before, new) if opens is before else 0
    if in_place:
        kept = settings.key_file.with_name(f"{settings.key_file.name}.before")
        kept.unlink(missing_ok=True)
        os.link(settings.key_file, kept)
        coming.rename(settings.key_file)
        click.echo(f"{count} keys are wrapped by the new master key in {settings.key_file}.")
        click.echo(f"The one before is in {kept}: back-ups from before today need it.")
        return
    setting = f"PANEL_KMS={new_kms}" if new_kms else f"PANEL_KEY_FILE={new_key_file}"
    click.echo(f"{count} keys are wrapped by the new master key. Set {setting} before")
    click.echo("anything is started again. What runs goes on; back-ups need the one before.")


def _new_master(settings: Settings, new_kms: str | None, file: Path) -> KeyService:
    if new_kms is not None:
        return key_service(new_kms, settings.kms_endpoint, None, file)
    return master_key(None, file)


def _opens(records: list[AuthorityRecord], master: KeyService) -> bool:
    try:
        for record in records:
            master.unwrap(record.wrapped_key, f"authority {record.name}")
    except NotSealedHere:
        return False
    return True


@keys.command("status")
@json_option
@plain_errors
def status(*, as_json: bool) -> None:
    """Which generation each authority's key has, and what an older one still wraps."""
    settings = from_environment()
    master = settings.key_service()
    with opened_cluster(settings) as cluster:
        told = [
            {
                "authority": record.name,
                "master_key": master.key_id,
                "generation": max((one[0] for one in record.later_keys), default=FIRST_GENERATION),
                "wrapped_by_older": left_to_wrap(owner(cluster), record),
                "destroyed": len(DestroyedKeys(settings.destroyed_keys).of(record.name)),
            }
            for record in authorities(cluster.app_url)
        ]
    if as_json:
        print_json(told)
        return
    for one in told:
        click.echo(
            f"{one['authority']}: generation {one['generation']}, {one['wrapped_by_older']} data"
            f" keys wrapped by an older one, {one['destroyed']} holders erased"
            f" ({one['master_key']})."
        )


@keys.command("relist")
@plain_errors
@running
async def relist() -> None:
    """Write into the list of destroyed keys what it lacks and the databases have.

    For a list of which there is no copy: what was destroyed since a database's back-up is lost.
    """
    settings = from_environment()
    destroyed = DestroyedKeys(settings.destroyed_keys)
    master = settings.key_service()
    with opened_cluster(settings) as cluster:
        for record in authorities(cluster.app_url):
            ring = keyring(record, master)
            done = apply_list(cluster.app_url, record, ring, destroyed, JOB, mend=True)
            # Opened, so that it is written down who ran this.
            async with gate_of(settings, cluster, record.name, SystemClock()):
                click.echo(f"{record.name}: {done.listed} certificates were written to the list.")


@keys.command("erase")
@click.option("--child", "reference", required=True, help="The child's reference, like C-1001.")
@click.option(
    "--ordered-by",
    required=True,
    help="On whose order: an office and a reference, no name. It stands on the certificate.",
)
@click.option("--out", default=None, type=click.Path(dir_okay=False, path_type=Path))
@authority_option
@plain_errors
@running
async def erase(reference: str, ordered_by: str, out: Path | None, authority: str | None) -> None:
    """Destroy a child's data keys: what was sealed with them is gone, in every back-up too.

    It cannot be undone. Prints the certificate; --out writes it with what a program checks.
    """
    if not ordered_by.strip():
        raise click.UsageError("Say on whose order: --ordered-by.")
    typed = click.prompt(
        f"Everything written about {reference} will be unreadable for ever. Type the reference"
    )
    if typed.strip() != reference:
        raise click.ClickException("That is not the reference. Nothing was destroyed.")
    settings = from_environment()
    async with opened_gate(authority) as gate, gate.tenant.transaction(JOB) as session:
        child = await session.scalar(select(Child.id).where(Child.reference == reference))
        if child is None:
            raise NotFound(f"There is no child with the reference {reference}.", "")
        await require_may_be_erased(session, child)
        [made] = await destroy(
            session,
            gate.tenant,
            DestroyedKeys(settings.destroyed_keys),
            [child],
            Order(ordered_by.strip(), "panel keys erase"),
        )
    click.echo(made.text())
    if out is not None:
        _write(out, made)


def _write(out: Path, made: Certificate) -> None:
    try:
        out.write_text(made.text(), encoding="utf-8")
        out.with_name(f"{out.name}.json").write_text(made.json(), encoding="utf-8")
    except OSError as error:
        raise click.ClickException(
            f"{out} cannot be written ({error.strerror}). The certificate is kept: it is above."
        ) from error
