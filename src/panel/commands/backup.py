"""panel backup · panel restore: one authority in a file, and back."""

from pathlib import Path

import click

from panel.commands.doctor import check_everything
from panel.commands.opening import (
    authority_option,
    opened_cluster,
    plain_errors,
    write_down_command,
)
from panel.commands.serving import owner
from panel.platform import backup as backups
from panel.platform.erasure import Applied, DestroyedKeys, apply_list
from panel.platform.migrate import ensure_control, migrate_all
from panel.platform.tenancy import AuthorityRecord, authority_named, keyring
from panel.records.child_scoped import JOB
from panel.settings import from_environment


@click.command()
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The new file."
)
@authority_option
@plain_errors
def backup(out: Path, authority: str | None) -> None:
    """Write an authority's back-up while the site runs. The master key is never in it."""
    settings = from_environment()
    with opened_cluster(settings) as cluster:
        record = authority_named(cluster.app_url, authority)
        write_down_command(settings, cluster, record.name)
        backups.write(owner(cluster), record, out)
    click.echo(f"{record.name} is in {out}. Keep the master key elsewhere: the file needs it.")


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@plain_errors
def restore(file: Path) -> None:
    """Bring an authority back from its back-up; what was destroyed since stays destroyed.

    Nothing is overwritten: there must be no such authority here.
    """
    settings = from_environment()
    with opened_cluster(settings) as cluster:
        url = owner(cluster)
        ensure_control(url)
        master = settings.key_service()
        done = Applied()

        def destroy_again(record: AuthorityRecord) -> None:
            nonlocal done
            ring = keyring(record, master)
            done = apply_list(url, record, ring, DestroyedKeys(settings.destroyed_keys), JOB)

        record = backups.restore(url, file, destroy_again)
        click.echo(f"{record.name} is back as it was.")
        if done.destroyed:
            click.echo(f"{done.destroyed} keys were in the file that were destroyed since: gone.")
        migrate_all(url, click.echo)
        check_everything(settings, cluster, record.name)
