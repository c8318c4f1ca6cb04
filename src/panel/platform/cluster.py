"""The database server with its three roles: ours, or one that somebody names.

`panel_owner` owns and migrates, `panel_app` serves and owns nothing, `panel_insight` reads what it
is granted. Roles belong to a whole server, so several databases, and several processes at once,
share them: they are made and mended under one lock, and a password that works is left alone.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow

from panel.platform.embedded_postgres import DatabaseNotStarted, Durability, running

OWNER = "panel_owner"
APP = "panel_app"
INSIGHT = "panel_insight"
ROLES = (OWNER, APP, INSIGHT)
EMBEDDED_DATABASE = "panel"

_OLDEST_VERSION = 150000
_MAINTENANCE_DATABASE = "postgres"
# A number of our own for pg_advisory_lock, which holds within one database of a server.
_ENSURING = 0x70616E656C
# In the order of the columns that `_ensure_role` reads.
_NO_RIGHTS = (
    sql.SQL("NOSUPERUSER"),
    sql.SQL("NOBYPASSRLS"),
    sql.SQL("NOCREATEDB"),
    sql.SQL("NOCREATEROLE"),
    sql.SQL("NOREPLICATION"),
)
_EMPTY_PATH = 'search_path=""'

_Connection = psycopg.Connection[TupleRow]


@dataclass(frozen=True)
class Cluster:
    """One database of a server, as each role reaches it.

    The URLs are libpq's (`postgresql://…`) and carry passwords. `admin_url` may make roles and
    databases; it, `owner_url` and `insight_url` are None where only the application's own
    address is known.
    """

    app_url: str = field(repr=False)
    owner_url: str | None = field(repr=False)
    insight_url: str | None = field(repr=False)
    admin_url: str | None = field(repr=False)
    embedded: bool
    admin_is_superuser: bool
    database: str


@contextmanager
def open_cluster(
    database_url: str | None,
    data_dir: Path,
    *,
    owner_url: str | None = None,
    insight_url: str | None = None,
    durable: Durability = Durability.KEPT,
) -> Iterator[Cluster]:
    """Open the embedded database of a folder, or the database that a URL names.

    A URL whose role may make roles is used to make ours, with passwords kept in
    `cluster-secrets.json` of the folder; any other is taken as the application's own, and
    `owner_url` is then how to migrate, and `insight_url` how to count. `durable` is for the
    embedded one. Raises `DatabaseNotStarted`.
    """
    if database_url is not None:
        yield _named(
            _libpq(database_url),
            data_dir,
            _libpq(owner_url) if owner_url else None,
            _libpq(insight_url) if insight_url else None,
        )
        return
    with running(data_dir, durable=durable) as server:
        admin_url = _changed(server.superuser_url, dbname=EMBEDDED_DATABASE)
        yield _ensured(admin_url, data_dir, embedded=True, superuser=True)


def create_database(cluster: Cluster, name: str, *, template: str | None = None) -> Cluster:
    """Make another database beside the cluster's own, owned by `panel_owner`.

    A template must have no connections. Raises `DatabaseNotStarted` without a role that may make
    databases, or when the name is taken.
    """
    admin_url = _admin_url_of(cluster)
    with _maintenance(admin_url) as connection:
        _make_database(connection, name, template)
    _fence_database(_changed(admin_url, dbname=name), name)
    return _database_of(cluster, name)


def copy_database(cluster: Cluster, name: str, template: str) -> Cluster:
    """Make a quick copy of a database, to be thrown away: what the database as a whole grants is
    not copied, only what is in it. Raises as `create_database` does.
    """
    with _maintenance(_admin_url_of(cluster)) as connection:
        # Copied as files, where a copy through the log would write every page twice.
        _make_database(connection, name, template, strategy="file_copy")
    return _database_of(cluster, name)


def _database_of(cluster: Cluster, name: str) -> Cluster:
    return replace(
        cluster,
        app_url=_changed(cluster.app_url, dbname=name),
        owner_url=cluster.owner_url and _changed(cluster.owner_url, dbname=name),
        insight_url=cluster.insight_url and _changed(cluster.insight_url, dbname=name),
        admin_url=_changed(_admin_url_of(cluster), dbname=name),
        database=name,
    )


def drop_database(cluster: Cluster, name: str) -> None:
    """Drop a database, ending the sessions in it; one that is not there is no error."""
    with _maintenance(_admin_url_of(cluster)) as connection, _explained(f"drop {name}"):
        _as_owner(connection)
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )


def refuse_to_serve(url: str) -> str | None:
    """Say why the site must not run under a URL's role: row-level security would not hold for it.

    Returns one sentence, or None when the role is fit.
    """
    try:
        with _connected(_libpq(url)) as connection:
            name, is_super, bypasses, owns, makes_roles = _one(
                connection,
                """
                SELECT current_user::text,
                       bool_or(r.rolsuper),
                       bool_or(r.rolbypassrls),
                       EXISTS (SELECT FROM pg_namespace n
                                WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
                                  AND pg_has_role(current_user, n.nspowner, 'MEMBER'))
                       OR EXISTS (SELECT FROM pg_class c
                                    JOIN pg_namespace n ON n.oid = c.relnamespace
                                   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
                                     AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
                                     AND pg_has_role(current_user, c.relowner, 'MEMBER')),
                       bool_or(r.rolcreaterole)
                  FROM pg_roles r
                 WHERE pg_has_role(current_user, r.oid, 'MEMBER')
                """,
            )
    except DatabaseNotStarted as error:
        return str(error)
    # What a role may become by SET ROLE counts as well: a borrowed right is a right.
    faults = {
        "is a superuser": is_super,
        "may bypass row-level security": bypasses,
        "owns the schemas": owns,
        "may make roles": makes_roles,
    }
    for fault, present in faults.items():
        if present:
            return (
                f"The database role {name} {fault}, so it would see every record: set "
                f"PANEL_DATABASE_URL to the role {APP}, and PANEL_OWNER_DATABASE_URL to {OWNER} "
                "for migrations."
            )
    return None


# --- a server that somebody names ---


def _named(url: str, data_dir: Path, owner_url: str | None, insight_url: str | None) -> Cluster:
    with _connected(url) as connection:
        if connection.info.server_version < _OLDEST_VERSION:
            raise DatabaseNotStarted(
                f"The database server at {_place(url)} is PostgreSQL "
                f"{connection.info.server_version // 10000}: version 15 or later is needed."
            )
        is_super, makes_roles, database = _one(
            connection,
            "SELECT rolsuper, rolcreaterole, current_database()::text FROM pg_roles"
            " WHERE rolname = current_user",
        )
    url = _changed(url, dbname=str(database))
    if is_super or makes_roles:
        return _ensured(url, data_dir, embedded=False, superuser=bool(is_super))
    return Cluster(
        app_url=url,
        owner_url=owner_url,
        insight_url=insight_url,
        admin_url=None,
        embedded=False,
        admin_is_superuser=False,
        database=str(database),
    )


# --- making and mending ---


def _ensured(admin_url: str, data_dir: Path, *, embedded: bool, superuser: bool) -> Cluster:
    database = str(_parts(admin_url)["dbname"])
    with _maintenance(admin_url) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_ENSURING,))
        passwords = _kept_passwords(data_dir)
        for role in ROLES:
            _ensure_role(connection, role, passwords[role])
        if not _exists(connection, "SELECT FROM pg_database WHERE datname = %s", database):
            _make_database(connection, database, None)
        _fence_database(admin_url, database)
        urls = {
            role: _changed(admin_url, user=role, password=passwords[role], dbname=database)
            for role in ROLES
        }
        for role in ROLES:
            _ensure_password(connection, role, passwords[role], urls[role])
    return Cluster(
        app_url=urls[APP],
        owner_url=urls[OWNER],
        insight_url=urls[INSIGHT],
        admin_url=admin_url,
        embedded=embedded,
        admin_is_superuser=superuser,
        database=database,
    )


def _ensure_role(connection: _Connection, role: str, password: str) -> None:
    name = sql.Identifier(role)
    with _explained(f"make the role {role} fit for Panel"):
        if not _exists(connection, "SELECT FROM pg_roles WHERE rolname = %s", role):
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN {} PASSWORD {}").format(
                    name,
                    sql.SQL(" ").join(_NO_RIGHTS),
                    _scrambled(connection, role, password),
                )
            )
        can_login, settings, *rights = _one(
            connection,
            "SELECT rolcanlogin, coalesce(rolconfig, '{}'), rolsuper, rolbypassrls, rolcreatedb,"
            " rolcreaterole, rolreplication FROM pg_roles WHERE rolname = %s",
            role,
        )
        # Only what is wrong is changed: a role that is right needs no right to alter it.
        excess = [no for no, has in zip(_NO_RIGHTS, rights, strict=True) if has]
        if excess or not can_login:
            connection.execute(
                sql.SQL("ALTER ROLE {} LOGIN {}").format(name, sql.SQL(" ").join(excess))
            )
        if role != OWNER and _EMPTY_PATH not in settings:
            connection.execute(sql.SQL("ALTER ROLE {} SET search_path = ''").format(name))


def _ensure_password(connection: _Connection, role: str, password: str, url: str) -> None:
    if _logs_in(url):
        return
    with _explained(f"set the password of the role {role}"):
        connection.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                sql.Identifier(role), _scrambled(connection, role, password)
            )
        )
    with _connected(url):
        pass


def _scrambled(connection: _Connection, role: str, password: str) -> sql.Literal:
    """The password as the server will keep it, so that no log of statements holds it in clear."""
    kept = connection.pgconn.encrypt_password(password.encode(), role.encode())
    return sql.Literal(kept.decode())


def _make_database(
    connection: _Connection, name: str, template: str | None, *, strategy: str = "wal_log"
) -> None:
    statement = sql.SQL("CREATE DATABASE {} OWNER {}").format(
        sql.Identifier(name), sql.Identifier(OWNER)
    )
    if template is not None:
        statement += sql.SQL(" TEMPLATE {} STRATEGY {}").format(
            sql.Identifier(template), sql.Literal(strategy)
        )
    with _explained(f"make the database {name}"):
        _as_owner(connection)
        connection.execute(statement)


def _as_owner(connection: _Connection) -> None:
    """Let a role that is no superuser make and drop what `panel_owner` owns."""
    if not _holds(connection, "SELECT pg_has_role(current_user, %s, 'USAGE')", OWNER):
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(OWNER)))


def _fence_database(admin_url: str, database: str) -> None:
    """Let our roles in, and nobody but the owner make anything there."""
    name, owner = sql.Identifier(database), sql.Identifier(OWNER)
    with _connected(admin_url) as connection, _explained(f"set who may use {database}"):

        def hold(condition: str, statement: sql.Composed) -> None:
            if not _holds(connection, f"SELECT {condition}"):
                connection.execute(statement)
            # PostgreSQL only warns when a grant had no effect.
            if not _holds(connection, f"SELECT {condition}"):
                raise psycopg.errors.InsufficientPrivilege(statement.as_string(connection))

        hold(
            f"has_database_privilege('{OWNER}', current_database(), 'CREATE')",
            sql.SQL("GRANT ALL ON DATABASE {} TO {}").format(name, owner),
        )
        hold(
            f"has_schema_privilege('{OWNER}', 'public', 'CREATE')",
            sql.SQL("GRANT ALL ON SCHEMA public TO {}").format(owner),
        )
        # Grantee 0 is PUBLIC.
        hold(
            "NOT EXISTS (SELECT FROM pg_namespace, aclexplode(nspacl) a"
            " WHERE nspname = 'public' AND a.grantee = 0 AND a.privilege_type = 'CREATE')",
            sql.SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC").format(),
        )
        # The maintenance database is everybody's meeting place: it stays open.
        if database != _MAINTENANCE_DATABASE:
            hold(
                "NOT EXISTS (SELECT FROM pg_database,"
                " aclexplode(coalesce(datacl, acldefault('d', datdba))) a"
                " WHERE datname = current_database() AND a.grantee = 0)",
                sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name),
            )
        for role in ROLES:
            hold(
                f"has_database_privilege('{role}', current_database(), 'CONNECT')",
                sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, sql.Identifier(role)),
            )


@contextmanager
def _explained(task: str) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        reason = error.diag.message_primary or str(error)
        raise DatabaseNotStarted(
            f"The role of PANEL_DATABASE_URL could not {task} ({reason}): let a database "
            f"administrator do it, or name the roles {APP} and {OWNER} themselves in "
            "PANEL_DATABASE_URL and PANEL_OWNER_DATABASE_URL."
        ) from error


# --- passwords ---


def _kept_passwords(data_dir: Path) -> Mapping[str, str]:
    """The roles' passwords from the folder, made when missing; call it under the lock."""
    path = data_dir / "cluster-secrets.json"
    try:
        kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    except ValueError as error:
        raise DatabaseNotStarted(
            f"{path} cannot be read: put it back from a backup, or delete it to have new "
            "passwords made."
        ) from error
    if set(ROLES) <= set(kept):
        return kept
    kept = {role: secrets.token_urlsafe(32) for role in ROLES} | kept
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    # On the disk before any role has them: the other order could lock us out.
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(kept, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return kept


def _logs_in(url: str) -> bool:
    try:
        with _connected(url):
            return True
    except DatabaseNotStarted:
        return False


# --- connections ---


@contextmanager
def _connected(url: str) -> Iterator[_Connection]:
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        reason = " ".join(str(error).split())
        raise DatabaseNotStarted(
            f"The database at {_place(url)} cannot be used ({reason}): check the address, the role "
            "and its password."
        ) from error
    with connection:
        yield connection


@contextmanager
def _maintenance(admin_url: str) -> Iterator[_Connection]:
    """A session where databases are made, the same one for all, so that its lock shuts out all."""
    try:
        connection = psycopg.connect(
            _changed(admin_url, dbname=_MAINTENANCE_DATABASE), autocommit=True, connect_timeout=10
        )
    except psycopg.OperationalError:
        # Some hosts close it: then the database that was named must do.
        with _connected(admin_url) as named:
            yield named
        return
    with connection:
        yield connection


def _one(connection: _Connection, query: str, *values: str) -> TupleRow:
    row = connection.execute(query.encode(), values or None).fetchone()
    if row is None:
        raise DatabaseNotStarted("The database gave no answer about its roles: try again.")
    return row


def _exists(connection: _Connection, query: str, *values: str) -> bool:
    return connection.execute(query.encode(), values).fetchone() is not None


def _holds(connection: _Connection, query: str, *values: str) -> bool:
    return _one(connection, query, *values) == (True,)


def _admin_url_of(cluster: Cluster) -> str:
    if cluster.admin_url is None:
        raise DatabaseNotStarted(
            "Databases can be made and dropped only by a role that may do so: set "
            "PANEL_DATABASE_URL to one."
        )
    return cluster.admin_url


# --- addresses ---


def _libpq(url: str) -> str:
    """A URL as libpq takes it; SQLAlchemy's form with a driver's name is understood."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.partition("+")[0] not in {"postgresql", "postgres"}:
        raise DatabaseNotStarted(
            "The database address is not one of PostgreSQL: it looks like "
            "postgresql://role:password@host:5432/database."
        )
    return _changed(f"postgresql://{rest}")


def _parts(url: str) -> dict[str, object]:
    try:
        parts: dict[str, object] = dict(conninfo_to_dict(url))
    except psycopg.ProgrammingError:
        parts = {"dbname": "@"}
    # A bare / in a password ends the address early and leaves the @ in the name. The cause is not
    # told: its text, like such parts, may hold the password.
    if "@" in str(parts.get("dbname", "")):
        raise DatabaseNotStarted(
            "The database address cannot be read: it looks like "
            "postgresql://role:password@host:5432/database, with signs like @ and / in the "
            "password written as %40 and %2F."
        )
    return parts


def _changed(url: str, **changes: str) -> str:
    parts = {name: str(value) for name, value in _parts(url).items()} | changes
    user, password = parts.pop("user", ""), parts.pop("password", "")
    database = parts.pop("dbname", "")
    who = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    host = parts.get("host", "")
    where = ""
    # Socket folders and lists of hosts do not fit between @ and /: they stay in the query.
    if host and "/" not in host and "," not in host:
        del parts["host"]
        where = f"[{host}]" if ":" in host else host
        if port := parts.pop("port", ""):
            where += f":{port}"
    query = urlencode(parts, quote_via=quote)
    at = "@" if who else ""
    return f"postgresql://{who}{at}{where}/{quote(database, safe='')}" + (query and f"?{query}")


def _place(url: str) -> str:
    parts = _parts(url)
    where = f"{parts.get('host', 'this machine')}:{parts.get('port', 5432)}"
    return f"{where}/{parts.get('dbname', '')}"
