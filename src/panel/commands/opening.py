"""What every command begins with: the settings, the database, the authority, in plain words."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import date
from functools import wraps
from getpass import getuser
from typing import Any, ParamSpec, TypeVar

import click
import msgspec

from panel.accounts.service import remember_agency_keys
from panel.directory.open_referral import UnreadableServices
from panel.platform.audit import OPERATOR, Kind, record
from panel.platform.backup import NoBackup
from panel.platform.checkpoints import UnreadableCheckpoint
from panel.platform.clock import Clock
from panel.platform.cluster import Cluster, open_cluster
from panel.platform.database import Database
from panel.platform.embedded_postgres import DatabaseNotStarted
from panel.platform.erasure import DestroyedKeys, ListDamaged, NothingToDestroy, apply_list
from panel.platform.key_service import KeyService, NoMasterKey
from panel.platform.migrate import NotMigrated
from panel.platform.problems import Invalid, Problem
from panel.platform.rotation import AlreadyRotating
from panel.platform.tenancy import (
    AuthorityExists,
    NoSuchAuthority,
    Tenant,
    authority_named,
    keyring,
)
from panel.records.child_scoped import JOB
from panel.records.csv_rows import UnreadableCsv
from panel.records.gate import Gate
from panel.register.areas import UnreadableAreas
from panel.serving import clock_from
from panel.settings import Settings, WrongSetting, from_environment
from panel.sharing.state import SharingFacts
from panel.web.manifest import AssetsMissing

Given = ParamSpec("Given")
Result = TypeVar("Result")

SECOND_PERSON = (
    "Roles that take two people were given at once: whoever runs this command counts as the second"
    " person."
)
"""Said where the command line gives such a role."""

EXPECTED = (
    DatabaseNotStarted,
    NoMasterKey,
    NoSuchAuthority,
    AuthorityExists,
    NotMigrated,
    Problem,
    AssetsMissing,
    UnreadableCsv,
    UnreadableAreas,
    UnreadableServices,
    ListDamaged,
    NothingToDestroy,
    AlreadyRotating,
    NoBackup,
    UnreadableCheckpoint,
    WrongSetting,
)
"""What can go wrong for a reason that one line can say."""


def plain_errors(command: Callable[Given, Result]) -> Callable[Given, Result]:
    """Turn what is expected to go wrong into one line and exit code 1."""

    @wraps(command)
    def run(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        try:
            return command(*args, **kwargs)
        except EXPECTED as error:
            raise click.ClickException(in_one_line(error)) from error

    return run


def in_one_line(error: Exception) -> str:
    """What went wrong, in words, for a line of the terminal."""
    if isinstance(error, Invalid):
        return " ".join(one.sentence.rstrip(".") + "." for one in error.errors)
    if isinstance(error, Problem):
        return f"{error.sentence} {error.what_to_do}".strip()
    return str(error)


def running(command: Callable[Given, Coroutine[Any, Any, Result]]) -> Callable[Given, Result]:
    """Run an asynchronous command to its end."""

    @wraps(command)
    def run(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        return asyncio.run(command(*args, **kwargs))

    return run


@contextmanager
def opened_cluster(settings: Settings) -> Iterator[Cluster]:
    """The database with its roles."""
    with open_cluster(
        settings.database_url,
        settings.data_dir,
        owner_url=settings.owner_database_url,
        insight_url=settings.insight_url,
    ) as cluster:
        yield cluster


@asynccontextmanager
async def opened_gate(authority: str | None, as_of: str | None = None) -> AsyncIterator[Gate]:
    """One authority's gate, as the serving role, for a command."""
    settings = from_environment()
    with opened_cluster(settings) as cluster:
        async with gate_of(settings, cluster, authority, clock_from(as_of)) as gate:
            yield gate


@asynccontextmanager
async def gate_of(
    settings: Settings,
    cluster: Cluster,
    authority: str | None,
    clock: Clock,
    master: KeyService | None = None,
) -> AsyncIterator[Gate]:
    """One authority's gate over an open database; `master` where it is not the one that is set."""
    record = authority_named(cluster.app_url, authority)
    database = Database(cluster.app_url, pool_size=2)
    try:
        ring = keyring(record, master or settings.key_service())
        # A database that was restored past `panel restore` loses here what was destroyed since.
        apply_list(cluster.app_url, record, ring, DestroyedKeys(settings.destroyed_keys), JOB)
        tenant = Tenant(record, database, ring, clock)
        await remember_agency_keys(tenant)
        await _write_down(tenant)
        yield Gate(tenant, SharingFacts())
    finally:
        await database.close()


def write_down_command(
    settings: Settings, cluster: Cluster, authority: str, master: KeyService | None = None
) -> None:
    """Write down the command that runs, for one that works past the gate: as the owner."""

    async def through_the_gate() -> None:
        async with gate_of(settings, cluster, authority, clock_from(None), master):
            """To open it is to be written down."""

    asyncio.run(through_the_gate())


async def _write_down(tenant: Tenant) -> None:
    """Which command was run, and by which account of this machine; not what was typed after it."""
    context = click.get_current_context(silent=True)
    if context is None:
        return
    told = {"command": context.command_path.partition(" ")[2], "account": _account()}
    async with tenant.transaction() as session:
        record(session, Kind.COMMAND_RUN, OPERATOR, details=told)


def _account() -> str:
    """The account that runs this, by name where it has one."""
    try:
        return getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def print_json(value: object) -> None:
    """Print data for another program."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def _a_day(_context: click.Context, _option: click.Parameter, given: str | None) -> str | None:
    """Refuse what is no day, in words; the day stays text for the processes it is handed to."""
    try:
        if given is not None:
            date.fromisoformat(given)
    except ValueError as error:
        raise click.BadParameter(f"“{given}” is no day. Write it like 2026-11-23.") from error
    return given


authority_option = click.option(
    "--authority", default=None, help="Which authority; not needed where there is only one."
)
as_of_option = click.option(
    "--as-of",
    default=None,
    metavar="YYYY-MM-DD",
    callback=_a_day,
    help="Take this day for today.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print data instead of words.")
