"""One database that a run's worker keeps: put back after each test to what its template holds.

A copy for each test costs more than most tests do: 1,400 files are written, and every connection to
it begins with nothing in its caches. Put back is what tests do change, rows and sequences. Where
anything else changed (a table, a right, a trigger, a setting), it is dropped and copied anew.
"""

from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql
from sqlalchemy.pool import AsyncAdaptedQueuePool

from panel.platform.cluster import Cluster, copy_database, drop_database
from panel.platform.database import Database, driver_of

CATALOGUES = (
    "pg_class",
    "pg_attribute",
    "pg_attrdef",
    "pg_constraint",
    "pg_index",
    "pg_namespace",
    "pg_type",
    "pg_proc",
    "pg_policy",
    "pg_rewrite",
    "pg_default_acl",
    "pg_extension",
    "pg_event_trigger",
    "pg_largeobject_metadata",
)
"""What says which tables, functions, rules and rights a database has. What is added, removed or
changed in one of them changes its number of rows or its latest transaction.
"""
SHAPE = " UNION ALL ".join(
    f"SELECT '{name}', count(*), max(xmin::text::bigint) FROM pg_catalog.{name}"
    for name in CATALOGUES
) + (
    " UNION ALL SELECT 'triggers', count(*), sum(hashtextextended(t::text, 0)) FROM pg_trigger t"
    " UNION ALL SELECT 'rights', hashtextextended(datacl::text, 0), 0 FROM pg_database"
    " WHERE datname = current_database()"
    " UNION ALL SELECT 'settings', count(*), max(xmin::text::bigint) FROM pg_db_role_setting"
)
OURS = (
    "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relkind = '{}'"
    " ORDER BY n.nspname, c.relname"
)
TABLES = (
    "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE pg_relation_size(c.oid) > 0 AND " + OURS.format("r")
)
SEQUENCES = (
    "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE " + OURS.format("S")
)
FORGET = "RESET ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); DISCARD TEMP"
GUARDS = """
SELECT n.nspname, c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace WHERE t.tgenabled = 'A' ORDER BY 1, 2, 3
"""
"""Triggers that run for a replica as well: what they guard is never deleted while they stand."""
SHORT = 5_000
"""Milliseconds for which a lock is waited for: whoever holds it longer was left by a test."""

Rows = list[tuple[object, ...]]
Name = tuple[str, str]


class Original:
    """What a copy held when it was made, and the connection that gives it that again."""

    def __init__(self, admin: psycopg.Connection) -> None:
        self._admin = admin
        self._shape = _asked(admin, SHAPE)
        self._sequences = {name: self._at(name) for name in _names(admin, SEQUENCES)}
        self._guards: dict[Name, list[str]] = {}
        for schema, table, trigger in _asked(admin, GUARDS):
            self._guards.setdefault((str(schema), str(table)), []).append(str(trigger))
        self._held = {name: self._rows(name) for name in _names(admin, TABLES)}
        """What the template's tables hold, where they hold anything, as COPY writes it."""

    def close(self) -> None:
        """Let the connection go."""
        self._admin.close()

    def put_back(self) -> bool:
        """Whether the copy is again what it was."""
        try:
            if _asked(self._admin, SHAPE) != self._shape:
                return False
            # Of a table that holds nothing any more the files may have gone already.
            self._empty(sorted({*_names(self._admin, TABLES), *self._held}))
            for name, (place,) in self._sequences.items():
                if self._at(name) != [place]:
                    self._admin.execute("SELECT setval(%s, %s, %s)", (_quoted(name), *place))
        except psycopg.Error:
            return False
        return True

    def _empty(self, tables: list[Name]) -> None:
        """Give tables the rows that they had, mostly none.

        As a replica no trigger runs and no reference is looked after: all of it goes at once.
        """
        changed = [name for name in tables if self._rows_changed(name)]
        emptying = [part for name in changed for part in self._emptied(name)]
        with self._admin.transaction():
            if emptying:
                self._admin.execute(sql.SQL("; ").join(emptying))
            for name in changed:
                if held := self._held.get(name):
                    self._fill(name, held)
        # Out of the files as well: what is written next stands in the order in which it comes.
        if changed:
            swept = sql.SQL(", ").join(sql.Identifier(*name) for name in changed)
            self._admin.execute(sql.SQL("VACUUM (PARALLEL 0) {}").format(swept))

    def _emptied(self, name: Name) -> Iterator[sql.Composed]:
        table, guards = sql.Identifier(*name), self._guards.get(name, ())
        for guard in guards:
            yield sql.SQL("ALTER TABLE {} DISABLE TRIGGER {}").format(table, sql.Identifier(guard))
        yield sql.SQL("DELETE FROM {}").format(table)
        for guard in guards:
            yield sql.SQL("ALTER TABLE {} ENABLE ALWAYS TRIGGER {}").format(
                table, sql.Identifier(guard)
            )

    def _rows_changed(self, name: Name) -> bool:
        return name not in self._held or self._rows(name) != self._held[name]

    def _fill(self, name: Name, rows: bytes) -> None:
        statement = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(*name))
        with self._admin.cursor() as cursor, cursor.copy(statement) as into:
            into.write(rows)

    def _rows(self, name: Name) -> bytes:
        """All that a table holds, as COPY writes it."""
        statement = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(*name))
        with self._admin.cursor() as cursor, cursor.copy(statement) as out:
            return b"".join(bytes(part) for part in out)

    def _at(self, name: Name) -> Rows:
        return self._admin.execute(
            sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(*name))
        ).fetchall()


@dataclass
class KeptDatabase:
    """A copy of a template, lent to one test after the other, each of whom finds it as it was.

    `renewed` counts how often it was dropped: connections from before are dead.
    """

    cluster: Cluster
    name: str
    template: str
    renewed: int = 0
    _copy: Cluster | None = None
    _original: Original | None = None

    def is_at(self, url: str) -> bool:
        """Whether an address of the application's is this database's."""
        return self._copy is not None and self._copy.app_url == url

    @contextmanager
    def lent(self) -> Iterator[Cluster]:
        """The database, until whoever has it is done."""
        if self._copy is None:
            self._copy = copy_database(self.cluster, self.name, self.template)
            self._original = _original_of(self._copy)
        try:
            yield self._copy
        finally:
            if self._original is None or not self._original.put_back():
                self.drop()

    def drop(self) -> None:
        """Drop it; the next who asks gets another copy under the same name."""
        if self._original is not None:
            self._original.close()
        self._original = self._copy = None
        self.renewed += 1
        drop_database(self.cluster, self.name)


def _original_of(copy: Cluster) -> Original | None:
    """What is put back; without a superuser nothing is, and each test gets a copy."""
    if not copy.admin_is_superuser or copy.admin_url is None:
        return None
    return Original(
        psycopg.connect(
            copy.admin_url,
            autocommit=True,
            options=f"-c session_replication_role=replica -c lock_timeout={SHORT}",
        )
    )


async def as_made(database: Database) -> bool:
    """Let no connection that waits keep anything of whoever had it: a lock, a setting, a channel.

    False when one is still out, or has gone.
    """
    pool = database.engine.pool
    if not isinstance(pool, AsyncAdaptedQueuePool) or pool.checkedout():
        return False
    try:
        async with AsyncExitStack() as leaving:
            for _ in range(pool.checkedin()):
                connection = await leaving.enter_async_context(database.engine.connect())
                await driver_of(connection).execute(FORGET)
    except psycopg.OperationalError:
        return False
    return True


def _asked(connection: psycopg.Connection, query: str) -> Rows:
    return connection.execute(query.encode()).fetchall()


def _names(connection: psycopg.Connection, query: str) -> list[Name]:
    return [(str(schema), str(name)) for schema, name in _asked(connection, query)]


def _quoted(name: Name) -> str:
    return ".".join(f'"{part}"' for part in name)
