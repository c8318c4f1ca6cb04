"""How fast records go out and Bundles come in, beside what fhir.resources takes for the same bytes.

The invented year with a system whose agency works with a child and whose family agreed to all.
Out: fhir.resources writes the child's record (from models that are there), the mapper alone does
(from messages to a Bundle's bytes), and the endpoint answers `$everything`. In: fhir.resources
reads and validates a transaction of 30 entries, the endpoint takes it in, and medplum's router
does, over HTTP, with a repository in memory. The endpoints are called as their server calls them,
eight at a time, since a rate is asked for, and one after the other. What is taken in eight at a
time is about eight children: of one child a system says one thing after the other, as each waits
for the one before. All take turns in one process.
Prints medians and ratios, and never fails on a time. What is meant: the mapper at 5 or more times
fhir.resources' rate, `$everything` at 0.5 or more, the taking in at 0.4 or more.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter
from uuid import UUID

import httpx
import msgspec
from exchanging import HOST, Exchanging, call, invented_exchange
from fhir.resources.R4B import get_fhir_model_class
from pages import _bench_folder

from consent import Purpose
from interop.bundle import searchset
from interop.client_answers import Json, Resource, page_of
from interop.client_bundles import transaction_of
from interop.messages import Message
from interop.served import MEDIA_TYPE, SERVED
from panel.exchange.finding import open_messages, record_of
from panel.exchange.reading import referred_ids
from panel.exchange.resources import told
from panel.platform.cluster import open_cluster
from tests.interop.foreign_server import medplum_server

CHILDREN, ROUNDS, WARMING, AT_ONCE, ENTRIES = 24, 40, 3, 8, 30
BASE = f"http://{HOST}/fhir/R4"

Work = Callable[[], Awaitable[int]]
"""Does it and says how often."""


def main() -> None:
    """Fill, measure, print."""
    with ExitStack() as leaving:
        folder = Path(leaving.enter_context(_bench_folder()))
        cluster = leaving.enter_context(open_cluster(None, folder))
        medplum = leaving.enter_context(medplum_server())

        async def measured() -> None:
            made = await invented_exchange(cluster, folder, CHILDREN)
            async with made.app.lifespan(), httpx.AsyncClient() as http:
                body, read = await _out(made)
                await _in(made, transaction_entries(read), http, medplum)
                print(f"(the record: {len(read)} resources, {len(body):,} bytes)")
            await made.tenant.database.close()

        asyncio.run(measured())


async def _in_turn(**works: Work) -> dict[str, float]:
    """The median milliseconds of each, once; they take turns."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for number in range(WARMING + ROUNDS):
        for name, work in works.items():
            began = perf_counter()
            often = await work()
            if number >= WARMING:
                times[name].append((perf_counter() - began) / often * 1000)
    return {name: median(some) for name, some in times.items()}


def _print(title: str, against: str, found: dict[str, float]) -> None:
    print(title)
    for name, milliseconds in found.items():
        ratio = found[against] / milliseconds
        words = name.replace("_", " ")
        print(f"  {words:<36} {milliseconds:7.2f} ms {1000 / milliseconds:7.0f}/s {ratio:6.2f}")


# --- Out ------------------------------------------------------------------------------------------


async def _out(made: Exchanging) -> tuple[bytes, Sequence[Resource]]:
    path = f"/fhir/R4/Patient/{made.child}/$everything"
    status, body = await call(made.app, "GET", path)
    assert status == 200, body
    for _ in range(20):
        # Until the server keeps the plan of each query.
        await call(made.app, "GET", path)
    messages = await _messages(made)
    model = get_fhir_model_class("Bundle").model_validate_json(body)

    async def fhir_resources() -> int:
        model.model_dump_json()
        return 1

    async def mapper() -> int:
        _bundle_of(messages)
        return 1

    async def endpoint() -> int:
        await call(made.app, "GET", path)
        return 1

    async def endpoint_at_once() -> int:
        await asyncio.gather(*(call(made.app, "GET", path) for _ in range(AT_ONCE)))
        return AT_ONCE

    found = await _in_turn(
        fhir_resources_serialise=fhir_resources,
        mapper_alone=mapper,
        endpoint_one_after_the_other=endpoint,
        endpoint_eight_at_once=endpoint_at_once,
    )
    _print("$everything, against fhir.resources' serialising", "fhir_resources_serialise", found)
    return body, page_of(body).matches


async def _messages(made: Exchanging) -> list[tuple[str, Message]]:
    async with made.tenant.transaction(made.viewer.id) as session:
        opened = await made.gate.open_here(
            session, [made.child], made.viewer, Purpose.EXCHANGE, "measured"
        )
        record = await record_of(opened[made.child])
        beside = referred_ids([told(kind, message) for kind, message in record])
        return [*record, *await open_messages(session, beside)]


def _bundle_of(messages: Sequence[tuple[str, Message]]) -> bytes:
    shown = [told(kind, message).shown() for kind, message in messages]
    return msgspec.json.encode(searchset(shown, BASE, self_link=BASE, total=len(shown)))


# --- In -------------------------------------------------------------------------------------------


def transaction_entries(read: Sequence[Resource]) -> Json:
    """A transaction of 30 entries about one child: all that may be sent, and some of it again."""
    sent = transaction_of(one for one in read if SERVED[one.type].writable)
    entries = list(sent["entry"])
    small = [one for one in entries if one["request"]["url"] in ("Task", "Goal", "Condition")]
    numbers = count()
    while len(entries) < ENTRIES:
        one = small[len(entries) % len(small)]
        entries.append(one | {"fullUrl": f"urn:uuid:00000000-0000-4000-8000-{next(numbers):012}"})
    return sent | {"entry": entries}


async def _in(made: Exchanging, sent: Json, http: httpx.AsyncClient, medplum: str) -> None:
    bundle, numbers = get_fhir_model_class("Bundle"), count()
    of_each = [sent, *[await _about(made, sent, one) for one in made.beside[: AT_ONCE - 1]]]

    def body(about: Json = sent) -> bytes:
        # The same again would be known, and not taken in again.
        number = f"n{next(numbers)}"
        return json.dumps(about | {"id": number}, default=str).encode()

    async def fhir_resources() -> int:
        bundle.model_validate_json(body())
        return 1

    async def endpoint() -> int:
        status, said = await call(made.app, "POST", "/fhir/R4", body())
        assert status == 200, (status, said[:2000])
        return 1

    async def endpoint_at_once() -> int:
        answers = await asyncio.gather(
            *(call(made.app, "POST", "/fhir/R4", body(about)) for about in of_each)
        )
        assert all(status == 200 for status, _ in answers), answers
        return len(answers)

    async def other() -> int:
        answer = await http.post(medplum, content=body(), headers={"Content-Type": MEDIA_TYPE})
        assert answer.status_code == 200, answer.text
        return 1

    found = await _in_turn(
        fhir_resources_parse_and_validate=fhir_resources,
        endpoint_one_after_the_other=endpoint,
        endpoint_eight_at_once=endpoint_at_once,
        medplum_in_memory=other,
    )
    size = len(body())
    title = f"A transaction of {ENTRIES} entries ({size:,} bytes), against fhir.resources' reading"
    _print(title, "fhir_resources_parse_and_validate", found)


async def _about(made: Exchanging, sent: Json, child: UUID) -> Json:
    """The same transaction, about another child."""
    status, body = await call(made.app, "GET", f"/fhir/R4/Patient/{child}")
    assert status == 200, body
    told = json.loads(body)
    patient = {name: value for name, value in told.items() if name not in ("id", "meta")}
    entries = [
        one | {"resource": patient} if one["request"]["url"] == "Patient" else one
        for one in sent["entry"]
    ]
    return sent | {"entry": entries}


if __name__ == "__main__":
    main()
