"""How fast sharing is decided, as ratios: beside cedarpy and casbin, and of a page without a gate.

Three things, each measured in turn in one run: decisions with their reasons from the same grants;
the case page through the gate and through one that permits all (which only a bench has); opening a
child with five and with five hundred past facts of sharing. Prints medians, never fails on a time.
"""

import argparse
import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from time import perf_counter

from client import Measured, measure
from data import MORNING
from opening import measure_opening
from pages import ALL_PERMITTED, AT_ONCE, FIRST_PORT, Served, _bench_folder, _filled, _serve
from rivals import (
    GRANTS,
    Answers,
    grants,
    with_casbin,
    with_cedar_at_once,
    with_cedar_entities,
    with_cedar_entities_by_child,
    with_cedar_policies,
    with_consent,
)

from panel.platform.cluster import open_cluster

ROUNDS = 7
SECONDS = 1.0
FEW = 12
"""So many of the children are enough for the rate of a slow way."""


def main() -> None:
    """Decide, then fill, open, print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=ROUNDS)
    asked.add_argument("--only-rates", action="store_true", help="no database, no pages")
    given = asked.parse_args()
    print(_rates(given.rounds))
    if given.only_rates:
        return
    with ExitStack() as leaving:
        folder = Path(leaving.enter_context(_bench_folder()))
        cluster = leaving.enter_context(open_cluster(None, folder))
        made, filled = _filled(cluster, folder, 300)
        gated, openly = (
            _serve(leaving, folder, made, filled, label, label, FIRST_PORT + 20 + place)
            for place, label in enumerate(("gate", ALL_PERMITTED))
        )
        print(asyncio.run(_served(gated, openly, given.rounds)))
        asyncio.run(measure_opening(made, filled, folder, given.rounds))


async def _served(gated: Served, openly: Served, rounds: int) -> str:
    """The case page as the site serves it, in turn through the gate and with all permitted."""
    paths = [f"/children/{one}" for one in gated.filled.narrow_children]
    ratios, rates = [], []
    for turn in range(rounds + 1):
        both = []
        for served in (gated, openly):
            measured = Measured()
            cookie = served.cookies["narrow"]
            await measure(measured, served.port, paths, cookie, SECONDS, AT_ONCE)
            both.append(measured.rate)
        if turn:
            rates.append(both)
            ratios.append(both[1] / both[0])
    real, free = (median(column) for column in zip(*rates, strict=True))
    return (
        f"case page served: {real:.0f} per s through the gate, {free:.0f} with all permitted:"
        f" it costs {median(ratios):.2f} times"
    )


def _rates(rounds: int) -> str:
    """Decisions a second of each, building counted, and consent's times each of the others."""
    today = MORNING.date()
    some = grants(today)
    ways: dict[str, Callable[[], Sequence[object]]] = {
        "consent": lambda: with_consent(some, today),
        "cedarpy, a child a batch": lambda: with_cedar_policies(some, today),
        "cedarpy, one batch": lambda: with_cedar_at_once(some[:FEW], today),
        "cedarpy, entities, a child a batch": lambda: with_cedar_entities_by_child(some, today),
        "cedarpy, entities, one batch": lambda: with_cedar_entities(some, today),
        "casbin, an enforcer a child": lambda: with_casbin(some[:FEW], today),
    }
    expected: Answers = [one.permitted for one in with_consent(some, today)]
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            began = perf_counter()
            answers = way()
            taken[name].append((perf_counter() - began) / len(answers))
            if name != "consent" and answers != expected[: len(answers)]:
                raise SystemExit(f"{name} does not answer what consent answers.")
    head = f"{len(expected):,} decisions ({sum(expected):,} yes) about {len(some)} children"
    lines = [f"{head} with {GRANTS} grants each; medians of {rounds}"]
    ours = taken["consent"]
    for name, each in taken.items():
        times = median(other / own for own, other in zip(ours, each, strict=True))
        lines.append(f"{name:<35} {1 / median(each):10,.0f} per s   consent is {times:6.1f} times")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
