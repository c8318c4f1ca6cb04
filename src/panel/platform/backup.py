"""One authority's back-up in a file: its schema as pg_dump writes it, and its wrapped keys.

What people wrote is sealed in it as in the database; the master key is never in it. A restore goes
into a database that has no such authority, in one transaction, and is listed, so served, only when
what was destroyed since has been destroyed in it again.
"""

import json
import os
import re
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from panel.platform.embedded_postgres import program
from panel.platform.tenancy import AuthorityRecord, add_to_list, authorities, later_keys_of

_FORM = 1
_MANIFEST = "manifest.json"
_DUMP = "schema.dump"
_BYTES = ("wrapped_key", "wrapped_index_key")
_SCHEMA = re.compile(r"authority_[a-z0-9_]+")


class NoBackup(Exception):
    """A back-up was not written or not restored, in a sentence."""


def write(owner_url: str, record: AuthorityRecord, file: Path) -> None:
    """Write one authority's back-up; the file is there whole or not at all. Raises NoBackup."""
    if file.exists():
        raise NoBackup(f"{file} is there already. Choose another name.")
    try:
        with TemporaryDirectory(dir=file.absolute().parent, prefix=".panel-backup-") as folder:
            made = Path(folder)
            dumped = made / _DUMP
            _run(
                "pg_dump", owner_url,
                ["--format=custom", f"--schema={record.schema_name}", f"--file={dumped}"],
            )  # fmt: skip
            (made / _MANIFEST).write_text(json.dumps(_manifest(record), indent=2))
            whole = made / "whole"
            with tarfile.open(whole, "w") as archive:
                for name in (_MANIFEST, _DUMP):
                    archive.add(made / name, name)
            whole.chmod(0o600)
            with whole.open("rb") as written:
                os.fsync(written.fileno())
            os.link(whole, file)
    except OSError as error:
        raise NoBackup(f"{file} cannot be written ({error.strerror}).") from error


def _manifest(record: AuthorityRecord) -> dict[str, Any]:
    return {
        "form": _FORM,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "authority": {
            "name": record.name,
            "label": record.label,
            "host": record.host,
            "schema_name": record.schema_name,
            "accent": record.accent,
            "demo": record.demo,
            **{name: getattr(record, name).hex() for name in _BYTES},
        },
    }


def restore(
    owner_url: str, file: Path, before_it_is_listed: Callable[[AuthorityRecord], None]
) -> AuthorityRecord:
    """Bring an authority back into a database without it, and list it last. Raises NoBackup.

    `before_it_is_listed` does what must be done before anybody can be served from it.
    """
    with ExitStack() as leaving:
        try:
            folder = Path(leaving.enter_context(TemporaryDirectory(prefix="panel-restore-")))
            archive = leaving.enter_context(tarfile.open(file))
            for name in (_MANIFEST, _DUMP):
                archive.extract(name, folder, filter="data")
            record = _record(json.loads((folder / _MANIFEST).read_text()))
        except (OSError, tarfile.TarError, KeyError, ValueError, TypeError) as error:
            raise NoBackup(
                f"{file} is no back-up that panel backup wrote, or not whole."
            ) from error
        _refuse_to_overwrite(owner_url, record)
        _bring_back(owner_url, folder)
    restored = replace(record, later_keys=later_keys_of(owner_url, record.schema_name))
    before_it_is_listed(restored)
    with psycopg.connect(owner_url) as connection:
        add_to_list(connection, restored)
    return restored


def _bring_back(owner_url: str, folder: Path) -> None:
    """Run the dump in one transaction, without what servers before PostgreSQL 17 do not know."""
    script, whole = folder / "all.sql", folder / "fit.sql"
    _call("pg_restore", [f"--file={script}", str(folder / _DUMP)], {})
    with script.open("rb") as given, whole.open("wb") as fit:
        is_preamble = True
        for line in given:
            is_preamble = is_preamble and not line.startswith(b"CREATE ")
            if not (is_preamble and line.startswith(b"SET transaction_timeout")):
                fit.write(line)
    _run(
        "psql", owner_url,
        ["--no-psqlrc", "--quiet", "--output=/dev/null", "--single-transaction",
         "--set=ON_ERROR_STOP=1", f"--file={whole}"],
    )  # fmt: skip


def _record(manifest: Mapping[str, Any]) -> AuthorityRecord:
    if manifest["form"] != _FORM:
        raise ValueError(manifest["form"])
    told = dict(manifest["authority"])
    told.update({name: bytes.fromhex(told[name]) for name in _BYTES})
    record = AuthorityRecord(**told)
    if not _SCHEMA.fullmatch(record.schema_name):
        raise ValueError(record.schema_name)
    return record


def _refuse_to_overwrite(owner_url: str, record: AuthorityRecord) -> None:
    for one in authorities(owner_url):
        if one.name == record.name or one.host == record.host:
            raise NoBackup(
                f"There is an authority called {one.name} at {one.host} here already. Restore into"
                " an empty database; nothing is overwritten."
            )
    with psycopg.connect(owner_url) as connection:
        found = connection.execute(
            "SELECT FROM pg_namespace WHERE nspname = %s", [record.schema_name]
        ).fetchone()
    if found is not None:
        name = sql.Identifier(record.schema_name).as_string(None)
        raise NoBackup(
            f"The schema {record.schema_name} is here and belongs to no authority: a restore was"
            f" cut off. Drop it as the owner (DROP SCHEMA {name} CASCADE) and begin again."
        )


def _run(name: str, owner_url: str, words: list[str]) -> None:
    """A program of PostgreSQL, as the owner; the password goes in no list of processes."""
    parts = conninfo_to_dict(owner_url)
    password = parts.pop("password", None)
    address = psycopg.conninfo.make_conninfo("", **parts)
    given = {"PGPASSWORD": str(password)} if password else {}
    _call(name, ["--no-password", f"--dbname={address}", *words], given)


def _call(name: str, words: list[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        [str(program(name)), *words],
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        # Errors can quote rows: only the first line is said, which names the object.
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise NoBackup(f"{name} did not finish: {said[0] if said else done.returncode}")
