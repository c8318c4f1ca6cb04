"""How fast what comes in is read, as a ratio: beside fhir.resources' own parse and validate.

A Bundle of 30 entries, every type that goes out, in one process on one core. Both read the same
bytes, in turn, in the same run; ours checks what fhir.resources lets through and reads messages as
well. Prints medians and the ratio (1.0 or more is meant), never fails on a time.
"""

import argparse
from collections.abc import Callable
from statistics import median
from time import perf_counter

from fhir.resources.R4B import get_fhir_model_class

from interop.incoming import read
from interop.outgoing import WRITERS, encode
from tests.interop.examples import FULL

ENTRIES = 30
MEANT = 1.0


def main() -> None:
    """Make the Bundle, read it in turns, print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=40)
    rounds = asked.parse_args().rounds
    body = bundle()
    assert not any(piece.problems for piece in read(body).pieces)
    model = get_fhir_model_class("Bundle")
    ways: tuple[tuple[str, Callable[[], object]], ...] = (
        ("fhir.resources, parse and validate", lambda: model.model_validate_json(body)),
        ("interop.incoming.read", lambda: read(body)),
    )
    times: dict[str, list[float]] = {name: [] for name, _ in ways}
    for name, way in ways * (rounds + 1):
        began = perf_counter()
        way()
        times[name].append(perf_counter() - began)
    rates = {name: 1 / median(found[1:]) for name, found in times.items()}
    print(
        f"A Bundle of {ENTRIES} entries, {len(body):,} bytes; medians of {rounds} rounds in turn:"
    )
    for name, rate in rates.items():
        print(f"  {name:36} {rate:6.0f}/s")
    theirs, ours = rates.values()
    print(f"  ratio {ours / theirs:.2f} (meant: {MEANT} or more)")


def bundle() -> bytes:
    """A collection of what is written of the examples, each type in turn."""
    resources = [
        writer.write(message)
        for writer in WRITERS.values()
        for message in FULL
        if type(message) is writer.message
    ]
    entries = [
        {"fullUrl": f"urn:uuid:{number}", "resource": resources[number % len(resources)]}
        for number in range(ENTRIES)
    ]
    return encode({"resourceType": "Bundle", "type": "collection", "entry": list(entries)})


if __name__ == "__main__":
    main()
