"""What another system sent is matched by what it says as our own rows are by their columns.

Our own rows are asked both ways: by the query, and by the resources that it gives.
"""

from collections.abc import Iterator

from consent import Viewer, ViewerKind
from interop.matching import is_kept_apart, matches
from interop.origin import is_sent
from interop.scopes import read_scopes
from interop.search import Search, parse
from interop.served import SERVED, Param
from panel.exchange.entering import Client
from panel.exchange.resources import Told, references
from panel.exchange.searching import run
from panel.exchange.sender_sources import SENT
from panel.platform.tenancy import Tenant
from panel.records.gate import Gate
from tests.exchange.connected import FHIR, OURS, Connected

NOT_SAID = frozenset({("Task", "modified"), ("CareTeam", "participant"), ("Encounter", "date")})
"""Asked of the row, and said of it otherwise: a Task says when it changed on a later day alone, an
agency stands in a team behind its worker, and an Encounter has a beginning without an end."""
VALUES = {
    "token": ("active", "completed"), "date": ("ge2026-10-24", "2026-11"), "string": ("marta",)
}  # fmt: skip


def asked_of(param: Param, there: list[Told]) -> Iterator[tuple[str, str]]:
    yield f"{param.name}:missing", "true"
    if param.kind == "reference":
        ids = {to for one in there for kind, to in references(one.content) if kind in param.targets}
        yield from ((param.name, to) for to in sorted(ids)[:2])
    else:
        yield from ((param.name, value) for value in VALUES[param.kind])


async def test_both_find_the_same(connected: Connected, gate: Gate, tenant: Tenant) -> None:
    world, whose = connected.world, ("patient", str(connected.child))
    viewer = Viewer(connected.ours.id, ViewerKind.CLIENT, world.agencies[OURS], world.kinds[OURS])
    client = Client(viewer, read_scopes(["system/*.rs"]), "asks", "Who asks")
    asked, found_some = 0, 0
    async with tenant.transaction(viewer.id) as session:

        async def found(search: Search) -> list[Told]:
            told = (await run(gate, session, client, search)).matches
            return [one for one in told if not is_sent(one.content)]

        for kind in SENT:
            every = parse(kind, [whose], FHIR)
            assert isinstance(every, Search)
            there = await found(every)
            for param in SERVED[kind].params:
                for pair in asked_of(param, there):
                    search = parse(kind, [whose, pair], FHIR)
                    if not isinstance(search, Search) or (kind, param.name) in NOT_SAID:
                        continue
                    criterion = search.criteria[1]
                    if is_kept_apart(criterion):
                        continue
                    by_query = {one.id for one in await found(search)}
                    by_words = {one.id for one in there if matches(one.content, criterion)}
                    assert by_query == by_words, (kind, pair)
                    asked, found_some = asked + 1, found_some + bool(by_query)
    assert asked > 100
    assert found_some > 40
