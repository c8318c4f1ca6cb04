"""What the job takes that keeps what entries were: looking at everything, and at what changed.

The invented year with a system that comes in. First everything is kept; then nothing is left to
keep, and it is looked for once more in everything, in what changed while nothing did, and in what
changed when one child's plan did. Prints medians, and never fails on a time.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from time import perf_counter

from exchanging import Exchanging, invented_exchange
from pages import _bench_folder
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.exchange.history import keep_every_version, keep_versions
from panel.platform.cluster import open_cluster
from panel.records.child_scoped import JOB

CHILDREN, ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 500, 7


def main() -> None:
    """Fill, measure, print."""
    with ExitStack() as leaving:
        folder = Path(leaving.enter_context(_bench_folder()))
        cluster = leaving.enter_context(open_cluster(None, folder))

        async def measured() -> None:
            made = await invented_exchange(cluster, folder, CHILDREN)
            await _measure(made)
            await made.tenant.database.close()

        asyncio.run(measured())


async def _measure(made: Exchanging) -> None:
    async def whole(session: AsyncSession) -> None:
        await keep_every_version(session)

    async def changed(session: AsyncSession) -> None:
        await keep_versions(session, made.tenant.clock.now())

    began, rounds = perf_counter(), 0
    ended = False
    while not ended:
        async with made.tenant.transaction(JOB) as session:
            ended = await keep_every_version(session)
        rounds += 1
    first = perf_counter() - began
    async with made.tenant.transaction(JOB) as session:
        kept = (await session.execute(text("SELECT count(*) FROM resource_version"))).scalar_one()
    print(f"{CHILDREN} children, {kept:,} entries kept in {rounds} rounds: {first:.2f} s")
    _print("looking at everything", await _times(made, whole))
    _print("looking at what changed: nothing", await _times(made, changed))
    _print("looking at what changed: one plan", await _times(made, changed, _plan_changes))


async def _plan_changes(session: AsyncSession) -> None:
    await session.execute(
        text(
            "UPDATE plan SET changed_at = changed_at + interval '1 s' WHERE id ="
            " (SELECT id FROM plan WHERE state = 'agreed' ORDER BY id LIMIT 1)"
        )
    )


async def _times(
    made: Exchanging,
    work: Callable[[AsyncSession], Awaitable[None]],
    before: Callable[[AsyncSession], Awaitable[None]] | None = None,
) -> list[float]:
    times = []
    for _ in range(ROUNDS):
        if before is not None:
            async with made.tenant.transaction(JOB) as session:
                await before(session)
        async with made.tenant.transaction(JOB) as session:
            began = perf_counter()
            await work(session)
            times.append((perf_counter() - began) * 1000)
    return times


def _print(what: str, times: list[float]) -> None:
    print(f"  {what:<36} {median(times):8.1f} ms  ({min(times):.1f} to {max(times):.1f})")


if __name__ == "__main__":
    main()
