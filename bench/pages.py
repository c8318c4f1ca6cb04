"""How fast pages are, as ratios: to a reference route, to a small authority, to no fence at all.

"read anew" is the same authority with nothing taken again that was read before: what a look costs
after somebody wrote.

Rounds of all routes are interleaved in one run, so that whatever else the machine does meets all
of them alike. Prints a table and never fails on a time.
"""

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter
from urllib.request import urlopen

import psycopg
from client import Measured, WrongAnswer, get, measure
from data import MORNING, Filled, fill
from psycopg import sql

from panel.platform.clock import FixedClock
from panel.platform.cluster import Cluster, create_database, open_cluster
from panel.platform.database import Database
from panel.platform.ids import new_id
from panel.platform.masterkey import master_key
from panel.platform.migrate import ensure_control, migrate_all
from panel.platform.sessions import start
from panel.platform.tenancy import Tenant, authority_named, keyring, record_authority

HERE = Path(__file__).parent
SMALL = 1000
ANEW = "read anew"
ALL_PERMITTED = "all permitted"
AT_ONCE = 8
ROUNDS = 5
FIRST_PORT = 8731


@dataclass
class Served:
    """One filled authority and the process that serves it."""

    label: str
    against: str
    """The label of the authority that its rates are compared with."""
    filled: Filled
    cluster: Cluster
    port: int
    cookies: dict[str, str]


@dataclass
class Route:
    """One page through one viewer's eyes, on one authority."""

    served: Served
    name: str
    viewer: str
    paths: Sequence[str]
    measured: Measured = field(default_factory=Measured)


def main() -> None:
    """Fill, serve, measure, print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--children", type=int, default=SMALL, help="compared with 1,000")
    asked.add_argument("--seconds", type=float, default=1.5, help="of each round of each route")
    asked.add_argument("--rls-off", action="store_true", help="compared with no policies as well")
    asked.add_argument("--keep", type=Path, help="a folder to keep the data in between runs")
    given = asked.parse_args()
    with ExitStack() as leaving:
        folder = given.keep or Path(leaving.enter_context(_bench_folder()))
        served = list(_serve_all(leaving, folder, given.children, with_open=given.rls_off))
        routes = [route for one in served for route in _routes(one)]
        asyncio.run(_measure(routes, given.seconds))
        print(_table(routes))


@contextmanager
def _bench_folder() -> Iterator[str]:
    made = tempfile.mkdtemp(prefix="panel-bench-")
    # The server's own user walks through it.
    Path(made).chmod(0o711)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


# --- Filling and serving -------------------------------------------------------------------------


def _serve_all(
    leaving: ExitStack, folder: Path, children: int, *, with_open: bool
) -> Iterator[Served]:
    cluster = leaving.enter_context(open_cluster(None, folder))
    for place, size in enumerate(sorted({SMALL, children})):
        made, filled = _filled(cluster, folder, size)
        serve = partial(_serve, leaving, folder)
        small = f"{SMALL:,}"
        yield serve(made, filled, f"{size:,}", small, FIRST_PORT + place)
        if size != SMALL:
            continue
        yield serve(made, filled, ANEW, small, FIRST_PORT + 6)
        if with_open:
            unfenced = _unfenced(cluster, made)
            yield serve(unfenced, filled, "no policies", small, FIRST_PORT + 7)
            yield serve(unfenced, filled, f"open, {ANEW}", ANEW, FIRST_PORT + 8)


def _filled(cluster: Cluster, folder: Path, children: int) -> tuple[Cluster, Filled]:
    began = perf_counter()
    made = create_database(cluster, f"bench_{children}_{new_id().hex[-8:]}")
    assert made.owner_url is not None
    ensure_control(made.owner_url)
    key_file = folder / "keys" / "master.key"
    record_authority(
        made.owner_url,
        master_key(None, key_file),
        name="bench",
        label="Bench",
        host="bench.localhost",
        demo=True,
    )
    migrate_all(made.owner_url, lambda _line: None)
    filled = fill(made, key_file, children)
    print(f"{children:,} children filled in {perf_counter() - began:.0f} s", flush=True)
    return made, filled


def _unfenced(cluster: Cluster, made: Cluster) -> Cluster:
    """A copy without row-level security; nothing but a bench has such a thing."""
    copy = create_database(cluster, f"{made.database}_open", template=made.database)
    assert copy.owner_url is not None
    schema = authority_named(copy.app_url, None).schema_name
    with psycopg.connect(copy.owner_url, autocommit=True) as connection:
        tables = connection.execute(
            "SELECT DISTINCT tablename FROM pg_policies WHERE schemaname = %s", [schema]
        ).fetchall()
        for (table,) in tables:
            connection.execute(
                sql.SQL("ALTER TABLE {} DISABLE ROW LEVEL SECURITY").format(
                    sql.Identifier(schema, table)
                )
            )
    return copy


def _serve(
    leaving: ExitStack,
    folder: Path,
    cluster: Cluster,
    filled: Filled,
    label: str,
    against: str,
    port: int,
) -> Served:
    cookies = asyncio.run(_sign_in(cluster, folder, filled))
    process = subprocess.Popen(
        [sys.executable, str(HERE / "server.py"), str(port)],
        cwd=HERE,
        env=os.environ
        | {
            "PANEL_DATA_DIR": str(folder),
            "PANEL_DATABASE_URL": cluster.app_url,
            "PANEL_INSECURE_COOKIES": "yes",
            "PYTHONPATH": str(HERE),
            "PANEL_BENCH_ANEW": "yes" if label.endswith(ANEW) else "",
            "PANEL_BENCH_PERMIT_ALL": "yes" if label == ALL_PERMITTED else "",
        },
    )
    leaving.callback(process.wait)
    leaving.callback(process.terminate)
    _wait_until_alive(process, port)
    return Served(label, against, filled, cluster, port, cookies)


def _wait_until_alive(process: subprocess.Popen[bytes], port: int) -> None:
    last = perf_counter() + 30
    while perf_counter() < last:
        with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/health/live", timeout=5):
            return
        with suppress(subprocess.TimeoutExpired):
            raise SystemExit(f"The site ended with {process.wait(timeout=0.1)} before it served.")
    raise SystemExit("The site did not answer within 30 seconds.")


async def _sign_in(cluster: Cluster, folder: Path, filled: Filled) -> dict[str, str]:
    record = authority_named(cluster.app_url, None)
    database = Database(cluster.app_url, pool_size=1)
    ring = keyring(record, master_key(None, folder / "keys" / "master.key"))
    tenant = Tenant(record, database, ring, FixedClock(MORNING))
    async with tenant.transaction() as session:
        cookies = {
            name: await start(session, viewer, "worker", MORNING)
            for name, viewer in (
                ("narrow", filled.narrow),
                ("wide", filled.wide),
                ("coordinator", filled.coordinator),
            )
        }
    await database.close()
    return cookies


# --- Measuring -----------------------------------------------------------------------------------


def _routes(served: Served) -> list[Route]:
    filled = served.filled
    return [
        Route(
            served,
            "reference",
            "narrow",
            [f"/bench/reference/{filled.narrow}/{child}" for child in filled.narrow_children],
        ),
        Route(served, "case", "narrow", [f"/children/{one}" for one in filled.narrow_children]),
        Route(served, "case", "wide", [f"/children/{one}" for one in filled.wide_children]),
        Route(served, "children", "narrow", ["/children"]),
        Route(served, "children", "wide", ["/children"]),
        Route(
            served,
            "agenda",
            "coordinator",
            [f"/panels/{filled.panel_key}/{filled.meeting_on.isoformat()}"],
        ),
    ]


async def _measure(routes: list[Route], seconds: float) -> None:
    for route in list(routes):
        status, body = await get(
            route.served.port, route.paths[0], route.served.cookies[route.viewer]
        )
        if status == 404 and route.name == "agenda":
            routes.remove(route)
            continue
        if status != 200:
            raise WrongAnswer(f"{route.paths[0]}: {status} {body[:300]!r}")
        await _round(route, seconds / 2)
        route.measured = Measured()
    for _ in range(ROUNDS):
        for route in routes:
            await _round(route, seconds)


async def _round(route: Route, seconds: float) -> None:
    await measure(
        route.measured,
        route.served.port,
        route.paths,
        route.served.cookies[route.viewer],
        seconds,
        AT_ONCE,
    )


# --- Printing ------------------------------------------------------------------------------------


def _table(routes: Sequence[Route]) -> str:
    """One line a route: rate, p95, its ratio to the reference, and to what it is compared with."""
    head = (
        f"{'authority':<16} {'page':<10} {'viewer':<12} {'per s':>7} {'p95 ms':>7}"
        f" {'of reference':>13} {'rate / other':>13} {'p95 / other':>12}"
    )
    lines = [head]
    for route in routes:
        reference = _same(routes, route.served.label, "reference", "narrow")
        small = _same(routes, route.served.against, route.name, route.viewer)
        rate, p95 = route.measured.rate, route.measured.p95
        lines.append(
            f"{route.served.label:<16} {route.name:<10} {route.viewer:<12} {rate:7.0f} {p95:7.1f}"
            f" {_ratio(rate, reference.rate):>13} {_ratio(rate, small.rate):>13}"
            f" {_ratio(p95, small.p95):>12}"
        )
    return "\n".join(lines)


def _same(routes: Sequence[Route], label: str, name: str, viewer: str) -> Measured:
    return next(
        route.measured
        for route in routes
        if (route.served.label, route.name, route.viewer) == (label, name, viewer)
    )


def _ratio(value: float, to: float) -> str:
    return f"{value / to:.2f}" if to else ""


if __name__ == "__main__":
    main()
