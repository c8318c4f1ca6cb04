"""Migrations over every authority's schema, and over the schema that lists them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, MetaData, Text, column, create_engine, select, table, text

from panel.platform.tenancy import CONTROL, authorities

_PACKAGE = Path(__file__).parents[1]
_INSTALLED = _PACKAGE / "migrations"
FOLDER = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parents[1] / "migrations"


class NotMigrated(Exception):
    """A migration did not run, in a sentence that says where it stopped."""


@dataclass(frozen=True, slots=True)
class Target:
    """Which schema a run of Alembic is for."""

    url: str
    schema: str
    metadata: MetaData | None = None

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection as the owner."""
        engine = create_engine("postgresql+psycopg://" + self.url.split("://", 1)[1])
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()


def config(target: Target) -> Config:
    """Alembic's configuration for a target, without a file."""
    versions = FOLDER / ("control" if target.schema == CONTROL else "versions")
    made = Config()
    made.set_main_option("script_location", str(FOLDER))
    made.set_main_option("version_locations", str(versions))
    made.set_main_option("path_separator", "os")
    made.attributes["target"] = target
    return made


def head(target: Target) -> str:
    """The newest revision that this program knows for a target."""
    found = ScriptDirectory.from_config(config(target)).get_current_head()
    if found is None:
        raise NotMigrated("There are no migrations to run.")
    return found


def current(target: Target) -> str | None:
    """The revision that a schema is at."""
    with target.connection() as connection:
        name = f"{target.schema}.migrated"
        if connection.execute(text("SELECT to_regclass(:t)"), {"t": name}).scalar() is None:
            return None
        migrated = table("migrated", column("version_num", Text), schema=target.schema)
        return connection.scalar(select(migrated.c.version_num))


def upgrade(target: Target, revision: str = "head") -> None:
    """Bring one schema up to a revision. Raises NotMigrated."""
    try:
        command.upgrade(config(target), revision)
    except CommandError as error:
        raise NotMigrated(f"The schema {target.schema} was not migrated: {error}") from error


def downgrade(target: Target, revision: str) -> None:
    """Take one schema back to a revision. Raises NotMigrated."""
    try:
        command.downgrade(config(target), revision)
    except CommandError as error:
        raise NotMigrated(f"The schema {target.schema} was not taken back: {error}") from error


def ensure_control(owner_url: str) -> None:
    """Bring the list of authorities up to date, making its schema first."""
    target = Target(owner_url, CONTROL)
    with target.connection() as connection:
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {CONTROL}"))
        connection.commit()
    upgrade(target)


def migrate_all(owner_url: str, say: Callable[[str], None]) -> None:
    """Bring the list and every authority up to date, saying where it is."""
    ensure_control(owner_url)
    every = authorities(owner_url)
    for place, record in enumerate(every, start=1):
        target = Target(owner_url, record.schema_name)
        before = current(target) or "nothing"
        upgrade(target)
        say(f"{record.name} ({place} of {len(every)}): from {before} to {current(target)}")
