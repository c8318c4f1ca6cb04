"""Bundles that somebody broke on purpose: nothing is raised, no byte is lost, memory stays flat.

2,000 of them in every run, 100,000 with PANEL_SOAK=1 (`make soak`).
"""

import gc
import json
import os
import re
from collections.abc import Callable
from copy import deepcopy
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Final

from interop.incoming import Received, read
from interop.incoming.taking_apart import OUR_FAULT
from interop.outgoing import WRITERS, encode
from tests.interop.examples import FULL

HOW_MANY: Final = 100_000 if "PANEL_SOAK" in os.environ else 2_000
FLAT: Final = 16 * 1024 * 1024
"""Bytes of memory by which the second half may end higher than the first."""
ODD: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 10**30, 1e308, "", " ", "true", "2020-02-30", "9999-12-31T23:59:60Z",
    "0001-01-01T00:00:00+14:00", "\x00", "é" * 500, "#p", "urn:uuid:1", "Patient/", "Patient/1/2/3",
    "https://x/Organization/1", "0000000000", "9" * 10, "javascript:alert(1)", [], {}, [None], [[]],
    {"a": {}}, ["x"], {"resourceType": "Bundle"}, {"extension": [{}]}, {"coding": None},
    {"reference": 5}, {"system": "http://snomed.info/sct", "code": ["x"]}, {"start": "2", "end": 1},
    {"resourceType": "Patient", "id": "p"}, {"url": "u", "valueString": "x", "valueCode": "y"},
    '<div onclick="x"><script>1</script></div>', "Zm9v", "%%%", "a\u2028b", "\U0001f9d2",
)  # fmt: skip
RAW: Final = (
    b"NaN", b"-Infinity", b"1e999999999", b"-0", b"1" * 5000, b"0.1" + b"0" * 300 + b"1",
    b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\u0000"', b"[" * 70 + b"]" * 70, b'{"a":' * 90 + b"1" + b"}" * 90,
    b'{"id":"1","id":"2"}', b'"\xff\xfe"', b'"\xed\xa0\x80"', b"tru", b'"unclosed', b"/**/1", b"'x'",
)  # fmt: skip


class Chance(Random):
    """The same breakages for the same number, always."""


def _bundle(chance: Chance) -> dict[str, Any]:
    resources = [
        writer.write(message)
        for writer in chance.sample(sorted(WRITERS.values(), key=repr), 3)
        for message in FULL
        if type(message) is writer.message
    ]
    kind = chance.choice(["transaction", "batch", "collection", "document", "message", "searchset"])
    entries = [
        {
            "fullUrl": f"urn:uuid:{number}",
            "resource": json.loads(encode(one)),
            "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"},
        }
        for number, one in enumerate(resources)
    ]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a tree: what holds it, and by which key."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        one = waiting.pop()
        keys = (
            list(one) if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        )
        found += [(one, key) for key in keys]
        waiting += [one[key] for key in keys]
    return found


def _swap(chance: Chance, bundle: dict[str, Any]) -> None:
    holder, key = chance.choice(places(bundle))
    holder[key] = deepcopy(chance.choice(ODD))


def _exchange(chance: Chance, bundle: dict[str, Any]) -> None:
    (one, this), (other, that) = chance.sample(places(bundle), 2)
    one[this] = json.loads(json.dumps(other[that]))


def _rename(chance: Chance, bundle: dict[str, Any]) -> None:
    holder, key = chance.choice([place for place in places(bundle) if isinstance(place[1], str)])
    name = chance.choice(
        ["resourceType", "id", "_" + key, key + "X", "extension", "valueString", ""]
    )
    holder[name] = holder.pop(key)


def _flip(chance: Chance, body: bytes) -> bytes:
    at = chance.randrange(len(body))
    return body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :]


def _cut(chance: Chance, body: bytes) -> bytes:
    return body[: chance.randrange(len(body))]


def _put(chance: Chance, body: bytes) -> bytes:
    """Something that is no JSON, or hardly, in place of a value."""
    values = [found.span(1) for found in re.finditer(rb':("[^"]*"|[0-9]+|true|false)', body)]
    if not values:
        return chance.choice(RAW)
    start, end = chance.choice(values)
    return body[:start] + chance.choice(RAW) + body[end:]


def _twice(chance: Chance, body: bytes) -> bytes:
    names = [found.span() for found in re.finditer(rb'"[a-zA-Z]+":(?="[^"]*")', body)]
    if not names:
        return body + body
    start, end = chance.choice(names)
    return body[:start] + body[start:end] + b'"x",' + body[start:]


def _drop(chance: Chance, body: bytes) -> bytes:
    start = chance.randrange(len(body))
    return body[:start] + body[start + chance.randrange(1, 40) :]


IN_THE_TREE: Final[tuple[Callable[[Chance, dict[str, Any]], None], ...]] = (
    _swap, _swap, _swap, _exchange, _rename,
)  # fmt: skip
IN_THE_BYTES: Final[tuple[Callable[[Chance, bytes], bytes], ...]] = (
    _flip, _cut, _put, _put, _twice, _drop,
)  # fmt: skip


def _mutated(chance: Chance) -> bytes:
    bundle = _bundle(chance)
    for _ in range(chance.choice((0, 1, 1, 1, 2, 4))):
        chance.choice(IN_THE_TREE)(chance, bundle)
    whole: Any = bundle
    if chance.random() < 0.1:
        entries = bundle.get("entry")
        alone = (
            [each["resource"] for each in entries if _has_one(each)]
            if isinstance(entries, list)
            else []
        )
        whole = alone[0] if alone else bundle
    text = json.dumps(whole, ensure_ascii=chance.random() < 0.5, separators=(",", ":"))
    body = text.encode("utf-8", "surrogatepass")
    for _ in range(chance.choice((0, 0, 0, 1, 1, 2))):
        body = chance.choice(IN_THE_BYTES)(chance, body) or b" "
    return body


def _has_one(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("resource"), dict)


def _sound(body: bytes, received: Received) -> None:
    """What holds of anything that was read."""
    assert (received.broken is None) == (received.kind != "broken")
    assert received.pieces or received.broken or received.kind != "resource"
    for piece in received.pieces:
        assert bytes(piece.raw) in body
        became = (piece.message is not None, piece.set_aside is not None, bool(piece.problems))
        assert sum(became) == 1
        for problem in (*piece.problems, *piece.remarks):
            assert problem.reason != OUR_FAULT, body


def _one_round(number: int) -> str:
    body = _mutated(Chance(number))
    received = read(body)
    _sound(body, received)
    if received.broken is not None:
        return "broken"
    return "quarantined" if any(piece.problems for piece in received.pieces) else "taken"


def _held() -> int:
    """Bytes of memory that this process holds (Linux, proc(5))."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


def test_nothing_is_raised_or_lost_and_memory_stays_flat() -> None:
    came: dict[str, int] = {}
    for number in range(200):
        _one_round(number)
    numbers = count()
    heights = []
    for _ in range(2):
        for _ in range(HOW_MANY // 2):
            what = _one_round(next(numbers))
            came[what] = came.get(what, 0) + 1
        gc.collect()
        heights.append(_held())
    print(f"{came}; {heights[0]:,} then {heights[1]:,} bytes held")
    assert sum(came.values()) == HOW_MANY
    assert all(came.get(what, 0) > HOW_MANY // 50 for what in ("broken", "quarantined", "taken"))
    assert heights[1] - heights[0] < FLAT
