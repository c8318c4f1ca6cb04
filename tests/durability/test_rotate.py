"""Keys are rotated, and the rotation killed, while people read and write: nobody notices."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from uuid import UUID

import httpx
import psycopg
import pytest

from panel.platform.cluster import Cluster, open_cluster
from panel.platform.crypto import generation_of
from panel.platform.tenancy import Tenant, load_keys
from panel.records.child_scoped import JOB
from panel.register.models import Child
from tests.demo.year import sealed_texts, tenant_of
from tests.durability.serving import Site, wait_until
from tests.durability.test_kill import Writer, browser_of

pytestmark = [
    pytest.mark.database,
    pytest.mark.skipif(
        bool(os.environ.get("PANEL_TEST_DATABASE_URL")), reason="serves the embedded database"
    ),
]

READERS, WRITERS = 1, 1
CHILD = re.compile(r"/children/[0-9a-f-]{36}")


def owner(cluster: Cluster) -> str:
    assert cluster.owner_url is not None
    return cluster.owner_url


def connected(cluster: Cluster) -> psycopg.Connection[tuple[object, ...]]:
    connection = psycopg.connect(owner(cluster), autocommit=True)
    connection.execute("SET search_path = authority_wexcombe")
    return connection


def generations(cluster: Cluster, statement: str) -> set[int]:
    with connected(cluster) as connection:
        found = connection.execute(statement.encode()).fetchall()
    return {generation_of(row[0]) for row in found if isinstance(row[0], bytes)}


TO_ITS_END = 240
"""Seconds, at the most: people go on working meanwhile, and so does whatever else is tested."""
WRAPPED = "SELECT wrapped FROM data_key WHERE wrapped IS NOT NULL"
SEALED = "SELECT family_name FROM child UNION ALL SELECT name FROM worker"


@contextmanager
def held(cluster: Cluster) -> Iterator[None]:
    """The last holder's key is in another's hands: whoever rotates comes to wait there."""
    with connected(cluster) as connection, connection.transaction():
        connection.execute(
            "SELECT FROM data_key WHERE wrapped IS NOT NULL ORDER BY holder_id DESC LIMIT 1"
            " FOR UPDATE"
        )
        yield


def waits(cluster: Cluster) -> bool:
    """Whether somebody is waiting for a lock."""
    with connected(cluster) as connection:
        found = connection.execute("SELECT FROM pg_locks WHERE NOT granted").fetchall()
    return bool(found)


def nobody_rotates(cluster: Cluster) -> bool:
    """Whether the killed process's connection is gone too."""
    with connected(cluster) as connection:
        found = connection.execute("SELECT FROM pg_locks WHERE locktype = 'advisory'").fetchall()
    return not found


def rotate_and_kill(site: Site, cluster: Cluster, *words: str) -> None:
    """Kill -9 a rotation in the middle, then let it go on."""
    with held(cluster):
        rotating = site.command("keys", "rotate", *words)
        wait_until(lambda: waits(cluster), "the rotation is in the middle")
        rotating.kill()
        rotating.wait(timeout=10)
    wait_until(lambda: nobody_rotates(cluster), "the killed rotation's connection ends")
    with connected(cluster) as connection:
        [(done,)] = connection.execute(
            "SELECT holders FROM key_rotation WHERE finished_at IS NULL"
        ).fetchall()
    assert isinstance(done, int)
    assert done > 0


def rotate(site: Site, *words: str) -> None:
    with site.command("keys", "rotate", *words) as rotating:
        assert rotating.wait(timeout=TO_ITS_END) == 0, site.log.read_text()[-2000:]
    assert "Went on with a rotation that was cut off" in site.log.read_text()


async def read(browser: httpx.AsyncClient, stop: asyncio.Event) -> int:
    """Read lists and records one after the other; each answer is whole."""
    await browser.get("/demo/sign-in/coordinator")
    count = 0
    while not stop.is_set():
        listed = await browser.get("/children")
        for path in ("/children", *sorted(set(CHILD.findall(listed.text)))[:6]):
            answer = await browser.get(path)
            assert answer.status_code == 200, (path, answer.text[-500:])
            assert "(erased)" not in answer.text
            count += 1
    return count


@asynccontextmanager
async def load(site: Site) -> AsyncIterator[list[Writer]]:
    """People who read and write without a pause; every request of theirs succeeds."""
    stop = asyncio.Event()
    browsers = [browser_of(site) for _ in range(READERS + WRITERS)]
    writers = [Writer(one, asyncio.Semaphore(0)) for one in browsers[READERS:]]
    for writer in writers:
        await writer.sign_in()
    work = [
        *(asyncio.create_task(read(one, stop)) for one in browsers[:READERS]),
        *(asyncio.create_task(one.write(stop)) for one in writers),
    ]
    try:
        yield writers
    finally:
        stop.set()
        done = await asyncio.gather(*work)
        for one in browsers:
            await one.aclose()
    looks = sum(one for one in done[:READERS] if one is not None)
    forms = [one for writer in writers for one in writer.sent]
    assert looks > READERS
    assert len(forms) > WRITERS
    assert all(one.acknowledged for one in forms)
    print(f"{looks} pages read and {len(forms)} forms sent while keys were rotated")


async def test_keys_are_rotated_while_people_work(served: Site) -> None:
    await asyncio.to_thread(served.start)
    with open_cluster(None, served.data_dir) as cluster:
        tenant = tenant_of(cluster, served.data_dir)  # with the keyring of before
        try:
            before = await sealed_texts(tenant)
            async with load(served) as writers:
                for words, statement in (((), WRAPPED), (("--data",), SEALED)):
                    await asyncio.to_thread(rotate_and_kill, served, cluster, *words)
                    assert generations(cluster, statement) == {1, 2}
                    assert_kept(before, await sealed_texts(tenant))
                    await asyncio.to_thread(rotate, served, *words)
                    for writer in writers:
                        await asyncio.wait_for(writer.taken.acquire(), 30)
                    assert_kept(before, await sealed_texts(tenant))
            assert generations(cluster, WRAPPED) == {2}
            assert 2 in generations(cluster, SEALED)
            assert_kept(before, await sealed_texts(tenant))
            # The site forgets at once what another process destroys.
            await erased_elsewhere(served, tenant)
        finally:
            await tenant.database.close()
    served.end()


def assert_kept(before: dict[str, set[str]], now: dict[str, set[str]]) -> None:
    """What was sealed opens to the same; people have written more since."""
    for field, texts in before.items():
        assert texts <= now[field] | {""}, field


async def erased_elsewhere(site: Site, tenant: Tenant) -> None:
    """What a page showed a moment ago it does not show once another process destroyed the key."""
    async with browser_of(site) as browser:
        await browser.get("/demo/sign-in/coordinator")
        path = CHILD.findall((await browser.get("/children")).text)[0]
        async with tenant.transaction(JOB) as session:
            child = await session.get_one(Child, UUID(path.rpartition("/")[2]))
            await load_keys(session, {child.id})
            reference, names = child.reference, {child.given_name, child.family_name}
        shown = (await browser.get(path)).text
        assert all(name in shown for name in names)
        out = site.data_dir / "certificate.txt"
        done = await asyncio.to_thread(erase, site, reference, out)
        assert done.returncode == 0, done.stderr
        again = await browser.get(path)
        assert again.status_code == 200
        told = json.loads(out.with_name("certificate.txt.json").read_text())
        assert told["certificate"]["holder"] == str(child.id)
        for name in names:
            assert name not in again.text
            assert name not in out.read_text()
        found = await browser.get("/children", params={"q": " ".join(sorted(names))})
        assert path not in found.text


def erase(site: Site, reference: str, out: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("panel")), "keys", "erase", "--child", reference,
         "--ordered-by", "Caldicott guardian, list 2026-1", "--out", str(out)],
        input=f"{reference}\n", capture_output=True, text=True, timeout=60, check=False,
        env=os.environ | {"PANEL_DATA_DIR": str(site.data_dir)},
    )  # fmt: skip
