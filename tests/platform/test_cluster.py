"""The three roles and their database: embedded, and on a server that somebody names."""

import os
import shutil
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from panel.platform.cluster import (
    APP,
    INSIGHT,
    OWNER,
    Cluster,
    create_database,
    drop_database,
    open_cluster,
    refuse_to_serve,
)
from panel.platform.embedded_postgres import DatabaseNotStarted, Durability, running

pytestmark = pytest.mark.database

QUICK = Durability.LOST_WITH_THE_MACHINE
DEBIAN = Path("/usr/lib/postgresql/15/bin")
ADMIN_PASSWORD = "not/a@secret"


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        Event().wait(0.02)


def ask(url: str | None, query: str) -> Any:
    assert url is not None
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        cursor = connection.execute(query.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row and len(row) == 1 else row


def answers(url: str) -> bool:
    try:
        return bool(ask(url, "SELECT true"))
    except psycopg.OperationalError:
        return False


@pytest.fixture(scope="module")
def embedded_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("embedded")


@pytest.fixture(scope="module")
def embedded(embedded_folder: Path) -> Iterator[Cluster]:
    with open_cluster(None, embedded_folder, durable=QUICK) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def debian_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The superuser's address of Debian's PostgreSQL 15 on a port of this machine."""
    if not (DEBIAN / "postgres").exists():
        pytest.skip("Debian's PostgreSQL 15 is not installed: apt-get install postgresql-15")
    # Not pytest's own folder, which the server's account may not enter when root runs the tests.
    folder = Path(tempfile.mkdtemp(prefix="panel-", dir="/tmp"))
    account: dict[str, Any] = {}
    if os.geteuid() == 0:
        os.chown(folder, 65534, 65534)
        account = {"user": 65534, "group": 65534, "extra_groups": []}
    try:
        (folder / "password").write_text(ADMIN_PASSWORD)
        (folder / "password").chmod(0o644)
        made = subprocess.run(
            [
                DEBIAN / "initdb",
                f"--pgdata={folder / 'data'}",
                "--username=admin",
                "--auth=scram-sha-256",
                f"--pwfile={folder / 'password'}",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ],
            check=False,
            capture_output=True,
            text=True,
            cwd=folder,
            **account,
        )
        assert made.returncode == 0, made.stderr
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        settings = ("listen_addresses=127.0.0.1", f"port={port}", "fsync=off", f"-k{folder}")
        with subprocess.Popen(
            [
                DEBIAN / "postgres",
                f"-D{folder / 'data'}",
                *(s if s.startswith("-") else f"-c{s}" for s in settings),
            ],
            cwd=folder,
            stderr=subprocess.DEVNULL,
            **account,
        ) as server:
            url = f"postgresql://admin:{quote(ADMIN_PASSWORD, safe='')}@127.0.0.1:{port}/postgres"
            try:
                wait_until(lambda: answers(url))
                yield url
            finally:
                server.send_signal(2)
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def named_url(debian_url: str) -> str:
    ask(debian_url, "CREATE DATABASE council")
    return debian_url.rsplit("/", 1)[0] + "/council"


@pytest.fixture(scope="module")
def named_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keeps the passwords of Debian's server, whose roles all its databases share."""
    return tmp_path_factory.mktemp("named")


@pytest.fixture(scope="module")
def named(named_url: str, named_folder: Path) -> Iterator[Cluster]:
    with open_cluster(named_url, named_folder) as cluster:
        yield cluster


@pytest.fixture(scope="module", params=["embedded", "named"])
def cluster(request: pytest.FixtureRequest) -> Cluster:
    chosen: Cluster = request.getfixturevalue(request.param)
    return chosen


def test_each_role_reaches_the_same_database(cluster: Cluster) -> None:
    urls = {APP: cluster.app_url, OWNER: cluster.owner_url, INSIGHT: cluster.insight_url}
    for role, url in urls.items():
        assert ask(url, "SELECT current_user::text, current_database()::text") == (
            role,
            cluster.database,
        )
    assert cluster.admin_is_superuser
    assert cluster.database == ("panel" if cluster.embedded else "council")


def test_no_role_has_more_rights_than_it_needs(cluster: Cluster) -> None:
    assert ask(
        cluster.admin_url,
        "SELECT count(*), bool_and(rolcanlogin), bool_or(rolsuper OR rolbypassrls OR rolcreatedb"
        " OR rolcreaterole OR rolreplication) FROM pg_roles"
        " WHERE rolname IN ('panel_app', 'panel_owner', 'panel_insight')",
    ) == (3, True, False)


def test_a_forgotten_schema_finds_nothing(cluster: Cluster) -> None:
    for url in (cluster.app_url, cluster.insight_url):
        assert ask(url, "SHOW search_path") == '""'


def test_only_the_owner_makes_things(cluster: Cluster) -> None:
    ask(cluster.owner_url, "CREATE SCHEMA IF NOT EXISTS anywhere")
    ask(cluster.owner_url, "CREATE TABLE IF NOT EXISTS public.anything ()")
    for url in (cluster.app_url, cluster.insight_url):
        for statement in (
            "CREATE TABLE public.mine ()",
            "CREATE TEMPORARY TABLE mine ()",
            "CREATE SCHEMA mine",
            "TABLE public.anything",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                ask(url, statement)


def test_a_stranger_may_not_come_in(cluster: Cluster) -> None:
    ask(cluster.admin_url, "CREATE ROLE stranger LOGIN PASSWORD 'strange'")
    stranger = cluster.app_url.split("@", 1)[1]
    try:
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            ask(f"postgresql://stranger:strange@{stranger}", "SELECT 1")
    finally:
        ask(cluster.admin_url, "DROP ROLE stranger")


def test_the_embedded_database_belongs_to_the_owner(embedded: Cluster) -> None:
    assert embedded.embedded
    assert (
        ask(
            embedded.app_url,
            "SELECT pg_get_userbyid(datdba)::text FROM pg_database"
            " WHERE datname = current_database()",
        )
        == OWNER
    )


def test_opening_again_changes_nothing(embedded: Cluster, embedded_folder: Path) -> None:
    state = "SELECT array_agg(rolname || rolpassword || xmin ORDER BY 1) FROM pg_authid"
    before = ask(embedded.admin_url, state)
    with open_cluster(None, embedded_folder, durable=QUICK) as again:
        assert again == embedded
        assert ask(again.admin_url, state) == before


def test_passwords_are_kept_for_the_account_alone(embedded: Cluster, embedded_folder: Path) -> None:
    kept = embedded_folder / "cluster-secrets.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert OWNER in kept.read_text()
    assert "://" not in repr(embedded)


def test_a_role_that_got_out_of_hand_is_mended(embedded: Cluster, embedded_folder: Path) -> None:
    ask(embedded.admin_url, f"ALTER ROLE {APP} BYPASSRLS CREATEDB PASSWORD 'another'")
    ask(embedded.admin_url, f"ALTER ROLE {APP} RESET search_path")
    with open_cluster(None, embedded_folder, durable=QUICK) as again:
        assert ask(again.app_url, "SHOW search_path") == '""'
        assert ask(
            again.app_url,
            "SELECT rolbypassrls, rolcreatedb FROM pg_roles WHERE rolname = current_user",
        ) == (False, False)


def test_lost_passwords_are_made_anew(tmp_path: Path) -> None:
    with open_cluster(None, tmp_path, durable=QUICK) as cluster:
        ask(cluster.owner_url, "CREATE SCHEMA kept")
    secrets = tmp_path / "cluster-secrets.json"
    secrets.write_text("{broken")
    with (
        pytest.raises(DatabaseNotStarted, match="delete it"),
        open_cluster(None, tmp_path, durable=QUICK),
    ):
        pass
    secrets.unlink()
    with open_cluster(None, tmp_path, durable=QUICK) as cluster:
        assert ask(cluster.app_url, "SELECT true FROM pg_namespace WHERE nspname = 'kept'")


def test_databases_are_made_from_a_template_and_dropped(cluster: Cluster) -> None:
    first = create_database(cluster, "with a space")
    ask(first.owner_url, "CREATE TABLE public.entry AS SELECT 7 AS number")
    second = create_database(cluster, "copy", template="with a space")
    assert second.database == "copy"
    assert ask(second.owner_url, "TABLE public.entry") == 7
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(second.app_url, "TABLE public.entry")
    with psycopg.connect(second.app_url):
        drop_database(cluster, "copy")
    drop_database(cluster, "with a space")
    drop_database(cluster, "never made")
    assert not answers(second.app_url)
    assert answers(cluster.app_url)


def test_a_name_that_is_taken_is_told_in_one_sentence(cluster: Cluster) -> None:
    with pytest.raises(DatabaseNotStarted, match="already exists"):
        create_database(cluster, cluster.database)


def test_several_may_open_a_named_server_at_once(debian_url: str, named_folder: Path) -> None:
    names = [f"at_once_{number}" for number in range(4)]
    for name in names:
        ask(debian_url, f"CREATE DATABASE {name}")

    def opened(name: str) -> Cluster:
        url = debian_url.rsplit("/", 1)[0] + f"/{name}"
        with open_cluster(url, named_folder) as cluster:
            return cluster

    with ThreadPoolExecutor(4) as threads:
        clusters = list(threads.map(opened, names))
    for name, cluster in zip(names, clusters, strict=True):
        assert ask(cluster.app_url, "SELECT current_database()::text") == name
        assert ask(cluster.owner_url, "CREATE SCHEMA mine") is None


def test_a_role_that_may_make_roles_is_enough(tmp_path: Path) -> None:
    with running(tmp_path / "server", durable=QUICK) as server:
        _check_steward(server.superuser_url, tmp_path)


def test_a_role_that_may_make_roles_finds_them_made(
    named: Cluster, named_url: str, named_folder: Path
) -> None:
    _check_steward(named_url, named_folder)
    assert answers(named.app_url), "a password that works is left alone"


def _check_steward(superuser_url: str, data_dir: Path) -> None:
    ask(superuser_url, "CREATE ROLE steward LOGIN CREATEROLE CREATEDB PASSWORD 'steady'")
    ask(superuser_url, "CREATE DATABASE parish OWNER steward")
    address, _, query = superuser_url.partition("?")
    place = address.split("@", 1)[1].rsplit("/", 1)[0]
    steward = f"postgresql://steward:steady@{place}/parish?{query}"
    with open_cluster(steward, data_dir) as cluster:
        assert not cluster.admin_is_superuser
        assert ask(cluster.app_url, "SELECT current_user::text") == APP
        ask(cluster.owner_url, "CREATE SCHEMA mine")
        made = create_database(cluster, "hamlet")
        ask(made.owner_url, "CREATE SCHEMA mine")
        drop_database(cluster, "hamlet")


def test_a_role_without_the_rights_names_what_is_missing(embedded: Cluster, tmp_path: Path) -> None:
    place = embedded.app_url.split("@", 1)[1]
    ask(embedded.admin_url, "CREATE ROLE warden LOGIN CREATEROLE PASSWORD 'w'")
    ask(embedded.admin_url, "GRANT CONNECT ON DATABASE panel TO warden")
    with (
        pytest.raises(DatabaseNotStarted, match=r"set the password of the role .*administrator"),
        open_cluster(f"postgresql://warden:w@{place}", tmp_path),
    ):
        pass
    assert answers(embedded.app_url)


def test_the_applications_own_address_is_taken_as_it_is(cluster: Cluster, tmp_path: Path) -> None:
    written_for_sqlalchemy = cluster.app_url.replace("postgresql://", "postgresql+psycopg://")
    with open_cluster(written_for_sqlalchemy, tmp_path) as plain:
        assert plain.app_url == cluster.app_url
        assert (plain.owner_url, plain.insight_url, plain.admin_url) == (None, None, None)
        assert not plain.embedded
        with pytest.raises(DatabaseNotStarted, match="by a role that may do so"):
            create_database(plain, "more")
    with open_cluster(cluster.app_url, tmp_path, owner_url=cluster.owner_url) as plain:
        assert plain.owner_url == cluster.owner_url
    assert not (tmp_path / "cluster-secrets.json").exists()


def test_only_a_fit_role_serves(cluster: Cluster) -> None:
    assert refuse_to_serve(cluster.app_url) is None
    for url, fault in ((cluster.owner_url, "owns"), (cluster.admin_url, "is a superuser")):
        assert url is not None
        assert f" {fault}" in (refuse_to_serve(url) or "")


def test_a_role_does_not_serve_with_borrowed_rights(embedded: Cluster) -> None:
    place = embedded.app_url.split("@", 1)[1]
    for borrowed, fault in (
        ("CREATE ROLE borrower LOGIN PASSWORD 'b' BYPASSRLS", "may bypass row-level security"),
        (f"CREATE ROLE borrower LOGIN PASSWORD 'b' IN ROLE {OWNER}", "owns the schemas"),
        ("CREATE ROLE borrower LOGIN PASSWORD 'b' CREATEROLE", "may make roles"),
    ):
        ask(embedded.admin_url, borrowed)
        ask(embedded.admin_url, "GRANT CONNECT ON DATABASE panel TO borrower")
        try:
            assert fault in (refuse_to_serve(f"postgresql://borrower:b@{place}") or "")
        finally:
            ask(embedded.admin_url, "REVOKE ALL ON DATABASE panel FROM borrower")
            ask(embedded.admin_url, "DROP ROLE borrower")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://a:secret@127.0.0.1/x", "not one of PostgreSQL"),
        ("host=127.0.0.1 password=secret", "not one of PostgreSQL"),
        ("postgresql://a:secret/b@127.0.0.1/x", "cannot be read"),
        ("postgresql://a:secret@127.0.0.1:port/x", "cannot be (read|used)"),
        ("postgresql://a:secret@127.0.0.1:1/x", "Connection refused"),
    ],
)
def test_an_address_that_does_not_work_is_told_without_its_password(
    url: str, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(DatabaseNotStarted, match=sentence) as caught, open_cluster(url, tmp_path):
        pass
    assert "secret" not in str(caught.value)
    assert "secret" not in (refuse_to_serve(url) or "")
