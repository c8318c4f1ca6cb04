"""How fast a record is written as FHIR, beside how fast fhir.resources serialises the same.

One record of thirty entries. Ours: every message mapped and its bytes made with the version in
them. Theirs: the models, parsed before, made into bytes; mapping costs them nothing here. Each in
turn in one run; prints medians and their ratio, and never fails on a time.
"""

import argparse
import json
from collections.abc import Callable
from statistics import median
from time import perf_counter

from fhir.resources.R4B.bundle import Bundle

from interop import messages as said
from interop.outgoing import WRITERS, encode, stamped
from tests.interop.examples import FULL

ROUNDS = 9
TIMES = 20
"""So often in a round."""
ENTRIES = 30
MORE_OF = frozenset(
    {"RelatedPerson", "Goal", "Task", "Appointment", "Encounter", "Communication", "Practitioner"}
)


def main() -> None:
    """Write the record both ways, in turn, and print the rates."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = asked.parse_args().rounds
    parts = record()
    bodies = written(parts)
    whole = b'{"resourceType":"Bundle","type":"collection","entry":[%s]}' % b",".join(
        b'{"resource":%s}' % body for body in bodies
    )
    theirs = Bundle.model_validate_json(whole)
    if json.loads(theirs.model_dump_json())["entry"][0]["resource"]["id"] != parts[0][1].id:
        raise SystemExit("fhir.resources does not write what it has read.")
    plain = [WRITERS[kind].write(message) for kind, message in parts]
    ways: dict[str, Callable[[], object]] = {
        "mapped, versioned and in bytes": lambda: written(parts),
        "mapped alone": lambda: [WRITERS[kind].write(message) for kind, message in parts],
        "bytes alone": lambda: [encode(one) for one in plain],
        "fhir.resources serialises": theirs.model_dump_json,
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            began = perf_counter()
            for _ in range(TIMES):
                way()
            taken[name].append((perf_counter() - began) / TIMES)
    print(f"a record of {len(parts)} entries, {len(whole):,} bytes; medians of {rounds}")
    slow = taken["fhir.resources serialises"]
    for name, each in taken.items():
        times = median(other / own for own, other in zip(each, slow, strict=True))
        print(f"{name:<32} {1 / median(each):8,.0f} per s   {times:6.1f} times fhir.resources")


def written(parts: list[tuple[str, said.Message]]) -> list[bytes]:
    """Every part's bytes, with its version."""
    return [stamped(WRITERS[kind].write(message)).body for kind, message in parts]


def record() -> list[tuple[str, said.Message]]:
    """One child's record: all that there is to say, and more of what there is more of."""
    each = [
        (kind, message)
        for kind, writer in WRITERS.items()
        for message in FULL
        if type(message) is writer.message
    ]
    more = [one for one in each if one[0] in MORE_OF]
    return (each + more)[:ENTRIES]


if __name__ == "__main__":
    main()
