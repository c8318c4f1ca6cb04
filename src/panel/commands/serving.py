"""panel serve · panel migrate · panel authority add · panel setup."""

import os
import socket
from datetime import timedelta

import click
from granian import Granian
from granian.constants import Interfaces

from consent import Role
from panel.accounts.service import add_agency, add_worker, agency_by_key, give_role, worker_by_email
from panel.assessments.service import ensure_forms
from panel.commands.opening import (
    SECOND_PERSON,
    authority_option,
    gate_of,
    opened_cluster,
    plain_errors,
    running,
)
from panel.platform import audit
from panel.platform.clock import SystemClock, today
from panel.platform.cluster import Cluster
from panel.platform.migrate import NotMigrated, ensure_control, migrate_all
from panel.platform.problems import NotFound
from panel.platform.sessions import make_link
from panel.platform.tenancy import authorities, record_authority
from panel.serving import AS_OF, check_ready
from panel.settings import Settings, from_environment
from panel.sharing.gateways import ensure_gateways

LINK_LASTS = timedelta(hours=24)
LAST_REQUESTS = 5
"""Seconds that requests under way have when the site is stopped."""


def owner(cluster: Cluster) -> str:
    """The owner's address. Raises NotMigrated with a sentence where it is not known."""
    if cluster.owner_url is None:
        raise NotMigrated(
            "Only the serving role's address is known. Set PANEL_OWNER_DATABASE_URL as well."
        )
    return cluster.owner_url


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64))
@plain_errors
def serve(host: str, port: int, workers: int) -> None:
    """Serve the site."""
    require_free(host, port)
    settings = from_environment()
    with opened_cluster(settings) as cluster:
        wrong = check_ready(settings, cluster)
        if wrong:
            raise click.ClickException(" ".join(wrong))
        run_server(host, port, workers)


def require_free(host: str, port: int) -> None:
    """Refuse a port that another program answers at: two servers would share its visitors."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, port))
        except OSError as error:
            raise click.ClickException(
                f"Port {port} of {host} cannot be used ({error.strerror})."
                " Choose another with --port."
            ) from error


def run_server(host: str, port: int, workers: int, site: str = "panel.serving:make") -> None:
    """Serve until told to stop. `site` names what makes it, as "module:function"."""
    Granian(
        site,
        address=host,
        port=port,
        workers=workers,
        interface=Interfaces.ASGI,
        factory=True,
        log_enabled=False,
        # One worker's death must not end the site for everybody.
        respawn_failed_workers=True,
        # Pages that listen for changes keep their connections open for as long as they are open.
        workers_kill_timeout=LAST_REQUESTS,
    ).serve()


async def ensure_defaults(settings: Settings, cluster: Cluster) -> None:
    """Give every authority the forms and statutory gateways that come with this release."""
    for record in authorities(cluster.app_url):
        async with (
            gate_of(settings, cluster, record.name, SystemClock()) as gate,
            gate.tenant.transaction() as session,
        ):
            await ensure_gateways(session)
            await ensure_forms(session)


@click.command()
@plain_errors
@running
async def migrate() -> None:
    """Bring the database of every authority up to date."""
    settings = from_environment()
    with opened_cluster(settings) as cluster:
        migrate_all(owner(cluster), click.echo)
        await ensure_defaults(settings, cluster)


@click.group()
def authority() -> None:
    """Authorities: council areas with their partner agencies."""


@authority.command("add")
@click.argument("name")
@click.option("--host", required=True, help="The host name at which people reach it.")
@click.option("--label", default=None, help="What pages call it.")
@plain_errors
@running
async def add_authority(name: str, host: str, label: str | None) -> None:
    """Add an authority with a schema and keys of its own."""
    settings = from_environment()
    with opened_cluster(settings) as cluster:
        ensure_control(owner(cluster))
        master = settings.key_service()
        record_authority(
            owner(cluster), master, name=name, label=label or name, host=host, demo=False
        )
        migrate_all(owner(cluster), click.echo)
        await ensure_defaults(settings, cluster)


@click.command()
@click.option("--name", prompt="Short name of the authority", help="For example wexcombe.")
@click.option("--host", prompt="Host name of the site", help="For example panel.example.org.")
@click.option("--label", prompt="Name on the pages", help="For example Wexcombe Borough.")
@click.option("--admin-name", prompt="Your name")
@click.option("--admin-email", prompt="Your e-mail address")
@plain_errors
@running
async def setup(name: str, host: str, label: str, admin_name: str, admin_email: str) -> None:
    """Make the first authority and its first administrator; prints a one-time sign-in link."""
    settings = from_environment()
    with opened_cluster(settings) as cluster:
        ensure_control(owner(cluster))
        master = settings.key_service()
        if name not in {record.name for record in authorities(cluster.app_url)}:
            record_authority(owner(cluster), master, name=name, label=label, host=host, demo=False)
        migrate_all(owner(cluster), click.echo)
        await ensure_defaults(settings, cluster)
        async with (
            gate_of(settings, cluster, name, SystemClock()) as gate,
            gate.tenant.transaction() as session,
        ):
            council = await agency_by_key(session, "council") or await add_agency(
                session, key="council", name=label, kind="council"
            )
            worker = await add_worker(session, council, name=admin_name, email=admin_email)
            await give_role(session, worker, Role.ADMINISTRATOR)
            token = await make_link(
                session, worker.id, "worker", gate.tenant.clock.now() + LINK_LASTS
            )
            audit.record(session, audit.Kind.LINK_MADE, subject=worker.id)
    click.echo(SECOND_PERSON)
    click.echo(f"Sign in once, within a day: {settings.site_url}/sign-in/{token}")


@click.command("sign-in-link")
@click.argument("email")
@authority_option
@plain_errors
@running
async def sign_in_link(email: str, authority: str | None) -> None:
    """Print a link that signs a worker in once, within a day."""
    settings = from_environment()
    with opened_cluster(settings) as cluster:
        async with (
            gate_of(settings, cluster, authority, SystemClock()) as gate,
            gate.tenant.transaction() as session,
        ):
            worker = await worker_by_email(session, email)
            if worker is None:
                raise NotFound("There is no worker with this e-mail address.", "")
            if worker.until_on is not None and worker.until_on < today(gate.tenant.clock):
                raise NotFound("This worker has left, so that no link signs them in.", "")
            ends_at = gate.tenant.clock.now() + LINK_LASTS
            token = await make_link(session, worker.id, "worker", ends_at)
            audit.record(session, audit.Kind.LINK_MADE, subject=worker.id)
    click.echo(f"{settings.site_url}/sign-in/{token}")


def remember_as_of(as_of: str | None) -> None:
    """Hand the day to the serving processes, which read it from their environment."""
    if as_of is not None:
        os.environ[AS_OF] = as_of
