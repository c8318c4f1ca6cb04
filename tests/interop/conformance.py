"""What a file of resources says, by validators that nobody here wrote: `make conformance`.

    python -m tests.interop.conformance FILE

FILE is NDJSON. Prints how many there are of each type and every problem; exit 1 where there is one.
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from tests.interop import validator


class Typed(msgspec.Struct):
    """As much of a resource as is counted."""

    resource_type: str = msgspec.field(name="resourceType")


def main(name: str) -> int:
    """Check a file; returns how the process ends."""
    lines = Path(name).read_bytes().splitlines()
    counted = Counter(msgspec.json.decode(line, type=Typed).resource_type for line in lines)
    print(", ".join(f"{kind} {number:,}" for kind, number in sorted(counted.items())))
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = validator.problems(validator.lay_out(Path(folder)), lines)
        except (pytest.skip.Exception, pytest.fail.Exception) as stopped:
            print(stopped.msg)
            return 1
    for by, wrong in found.items():
        print(f"{by}: {len(lines):,} resources checked, {len(wrong)} problems")
        for line in wrong:
            print(f"  {line}")
    return 1 if not lines or any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
