"""Whether a system can tell by the time of an answer that a child is there who is withheld from it.

Of four it is told nothing: a child whom its agency works with and whose family agreed to nothing,
a child whom its agency does not work with, and two ids that nobody has. Each is read by its id,
searched by it and asked for `$everything`, the four in turn and in an order that goes round, so
that what the machine does meanwhile falls on all alike. Prints the medians, how far apart they are
beside how far one id's own answers lie apart (half of them), and the chance that an answer about
the child takes longer than one about nobody (0.5: they cannot be told apart) with the z of Mann and
Whitney. The two ids beside each other say how much of that is the machine. Never fails on a time.
"""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from math import sqrt
from pathlib import Path
from random import Random
from statistics import median, quantiles
from time import perf_counter
from uuid import UUID

from exchanging import SINCE, Exchanging, call, invented_exchange
from pages import _bench_folder
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.models import Worker
from panel.demo.story import newcomer
from panel.demo.writing import as_registered
from panel.platform.cluster import open_cluster
from panel.platform.ids import new_id
from panel.records.child_scoped import JOB
from panel.register.service import add_child

CHILDREN, WARMING = 24, 30
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 200
ASKED = {
    "read by id": "/fhir/R4/Patient/{id}",
    "searched by id": "/fhir/R4/Patient?_id={id}",
    "$everything": "/fhir/R4/Patient/{id}/$everything",
    "their plans": "/fhir/R4/CarePlan?patient={id}",
}
NOBODY, NOBODY_ELSE = "nobody", "nobody else"


def main() -> None:
    """Fill, measure, print."""
    with ExitStack() as leaving:
        folder = Path(leaving.enter_context(_bench_folder()))
        cluster = leaving.enter_context(open_cluster(None, folder))

        async def measured() -> None:
            made = await invented_exchange(cluster, folder, CHILDREN)
            whom = await _whom(made)
            async with made.app.lifespan():
                for words, path in ASKED.items():
                    _print(words, await _times(made, path, whom))
            await made.tenant.database.close()

        asyncio.run(measured())


async def _whom(made: Exchanging) -> dict[str, UUID]:
    """Two children and two ids of nobody, by what they are to the system."""
    every = text("SELECT id FROM child ORDER BY id")
    async with made.tenant.transaction(made.viewer.id) as session:
        reached = set((await session.execute(every)).scalars()) - {made.child}
    async with made.tenant.transaction(JOB) as session:
        unknown = await _of_others(session, made)
        known = min(reached)
        # Nothing of it is agreed: all of the record is withheld.
        await session.execute(
            text("UPDATE sharing_agreement SET withdrawn_at = created_at WHERE child_id = :child"),
            {"child": known},
        )
    return {
        "known and withheld": known,
        "not known": unknown,
        NOBODY_ELSE: new_id(),
        NOBODY: new_id(),
    }


async def _of_others(session: AsyncSession, made: Exchanging) -> UUID:
    """A child whom another agency alone works with."""
    worker = await session.scalar(select(Worker).where(Worker.agency_id != made.viewer.agency))
    assert worker is not None
    story = newcomer(CHILDREN + 1, Random(1), SINCE)
    child = await add_child(
        session,
        as_registered(story),
        agency_id=worker.agency_id,
        worker_id=worker.id,
        part="first contact",
        from_on=SINCE,
    )
    return child.id


async def _times(made: Exchanging, path: str, whom: dict[str, UUID]) -> dict[str, list[float]]:
    """Milliseconds of each answer. They say the same of each, or this would measure nothing."""
    times: dict[str, list[float]] = {name: [] for name in whom}
    names = list(whom)
    for number in range(WARMING + ROUNDS):
        said = set()
        for turn in range(len(names)):
            name = names[(number + turn) % len(names)]
            asked = path.format(id=whom[name])
            began = perf_counter()
            status, body = await call(made.app, "GET", asked)
            took = (perf_counter() - began) * 1000
            said.add((status, body.replace(str(whom[name]).encode(), b"")))
            if number >= WARMING:
                times[name].append(took)
        assert len(said) == 1, said
    return times


def _print(words: str, times: dict[str, list[float]]) -> None:
    print(f"{words}, {ROUNDS} answers each")
    against = times[NOBODY]
    for name, some in times.items():
        ratio, spread = median(some) / median(against), _spread(some) / median(against)
        line = f"  {name:<20} {median(some):7.3f} ms  ratio {ratio:5.3f} (spread {spread:5.3f})"
        if some is not against:
            longer, z = _mann_whitney(some, against)
            line += f"  longer {longer:5.3f}  z {z:6.2f}"
        print(line)


def _spread(some: Sequence[float]) -> float:
    low, _, high = quantiles(some, n=4)
    return high - low


def _mann_whitney(some: Sequence[float], others: Sequence[float]) -> tuple[float, float]:
    """The chance that one of `some` is the greater; how many standard errors it is from half."""
    larger = sum((one > other) + (one == other) / 2 for one in some for other in others)
    many = len(some) * len(others)
    error = sqrt(many * (len(some) + len(others) + 1) / 12)
    return larger / many, (larger - many / 2) / error


if __name__ == "__main__":
    main()
