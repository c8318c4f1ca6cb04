"""What the walk calls plain, fhir.resources takes: that is why it need not be asked again."""

import json
import os
from random import Random
from typing import Any, Final

import pytest
from msgspec import Raw

from interop.incoming.checks import Walk
from interop.incoming.envelope import Broken, value_of
from interop.incoming.shapes import shape
from interop.incoming.validity import is_r4_type, validated
from interop.outgoing import WRITERS, encode
from tests.interop.examples import FULL
from tests.interop.test_fuzz import IN_THE_TREE, ODD, Chance, places

HOW_MANY: Final = 200_000 if "PANEL_SOAK" in os.environ else 3_000


@pytest.fixture(scope="module")
def resources() -> list[str]:
    return [
        encode(writer.write(message)).decode()
        for writer in WRITERS.values()
        for message in FULL
        if type(message) is writer.message
    ]


def test_what_is_plain_is_taken_by_the_models_as_well(resources: list[str]) -> None:
    plain = 0
    for number in range(HOW_MANY):
        chance = Chance(number)
        value = json.loads(chance.choice(resources))
        for _ in range(chance.choice((1, 1, 2))):
            chance.choice((*IN_THE_TREE, _add, _remove, _remove, _remove, _remove))(chance, value)
        try:
            seen = value_of(Raw(json.dumps(value).encode()))
        except Broken:
            continue
        kind = seen.get("resourceType")
        if not isinstance(kind, str) or not is_r4_type(kind):
            continue
        if Walk(seen, kind).is_plain:
            plain += 1
            assert validated(seen, kind, kind) == ([], []), (number, seen)
    assert plain > HOW_MANY / 8


def _remove(chance: Random, resource: dict[str, Any]) -> None:
    """Leave something out: what is required is missed."""
    holder, key = chance.choice(places(resource))
    del holder[key]


def _add(chance: Random, resource: dict[str, Any]) -> None:
    """Put something into an element that its type has."""
    kind = resource.get("resourceType")
    if not isinstance(kind, str) or not is_r4_type(kind):
        return
    name = chance.choice(list(shape(kind)))
    resource[name] = chance.choice(ODD)
