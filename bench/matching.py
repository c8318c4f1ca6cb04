"""How long it takes to find what fits a child, over 5,000 services and over 50,000.

Each directory is a database of its own, filled the same way, and asked in turn, as the match page
asks: one transaction, the candidates, the ranking and the sentences; and then the page, without
the request around it. The page of a child is measured too: the record opened through the gate, what
is looked for, the match, the header, and the page with its forms. Prints the medians and their
ratios, and never fails on a time. What is meant: the page under 50 ms over 5,000, and no more than
twice as long over 50,000.
"""

import asyncio
import random
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from time import perf_counter

import psycopg
from data import MORNING, Filled, fill, with_nothing_in_it
from pages import _bench_folder

from consent import Purpose, Role, Viewer, ViewerKind
from panel.accounts.models import Worker
from panel.allocation.looking import LookedFor, Said, looked_for
from panel.app import ROOMS
from panel.directory.matching import Matches, Wanted
from panel.directory.pages import DIRECTORY, match_page, wanted_facts
from panel.directory.service import match, wards
from panel.directory.vocabulary import ACCESS, LANGUAGES, NEEDS
from panel.platform.clock import FixedClock
from panel.platform.cluster import Cluster, open_cluster
from panel.platform.database import Database
from panel.platform.ids import new_id
from panel.platform.masterkey import master_key
from panel.platform.tenancy import Tenant, authority_named, keyring
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.register.header import ChildHeader, child_header
from panel.register.models import Child
from panel.sharing.state import SharingFacts
from panel.web import forms
from panel.web.manifest import read_manifest
from panel.web.render import Frame, Renderer

SIZES = (5_000, 50_000)
WARDS = tuple(f"E0500{number:04}" for number in range(33))
ROUNDS, LIMIT, WARMING = 400, 20, 40
CHILDREN = 70

_FILL = """
INSERT INTO service (id, created_at, created_by, changed_at, changed_by, version, provider_id,
  external_id, source, name, description, kind, status, url, email, phone, min_age, max_age,
  needs_met, accessibility, languages, breaks, area_codes, cost, free, referral_route, capacity,
  places_free, places_as_of, statutory, published, original, term_ids)
SELECT gen_random_uuid(), now(), %(by)s, now(), %(by)s, 1,
  (SELECT id FROM provider ORDER BY id OFFSET n %% 20 LIMIT 1), gen_random_uuid(), '',
  'Service ' || md5(n::text), 'Something to do on Saturdays, number ' || n, 'short_break',
  (ARRAY['active','active','active','active','active','active','active','active',
         'closed_for_now','ended'])[1 + floor(random() * 10)::int],
  '', '', '', youngest, youngest + floor(random() * 10)::int,
  ARRAY(SELECT DISTINCT (%(needs)s::text[])[1 + floor(random() * %(need_count)s + 0 * n)::int]
          FROM generate_series(1, floor(random() * 4 + 0 * n)::int)),
  ARRAY(SELECT DISTINCT (%(access)s::text[])[1 + floor(random() * %(access_count)s + 0 * n)::int]
          FROM generate_series(1, 3)),
  ARRAY['en'] || (%(languages)s::text[])[1 + floor(random() * %(language_count)s)::int], '{}',
  CASE WHEN random() < 0.2 THEN ARRAY['*'] ELSE
    ARRAY(SELECT DISTINCT (%(wards)s::text[])[1 + floor(random() * %(ward_count)s + 0 * n)::int]
            FROM generate_series(1, 1 + floor(random() * 4 + 0 * n)::int)) END,
  '', false, 'worker', 10, (ARRAY[NULL, 0, 0, 0, 1, 2, 5])[1 + floor(random() * 7)::int],
  '2026-11-02', false, true, '{}', '{}'
FROM (SELECT n, floor(random() * 15)::int AS youngest FROM generate_series(1, %(size)s) n) s
"""
_PLACES = """
INSERT INTO service_place (id, created_at, created_by, changed_at, changed_by, version,
  service_id, external_id, position, name, address, postcode, latitude, longitude, original)
SELECT gen_random_uuid(), now(), %(by)s, now(), %(by)s, 1, id, gen_random_uuid(), 0, '', '', '',
  51 + random(), -1 - random(), '{}' FROM service
"""
_WARDS = "INSERT INTO area (code, name) SELECT w, 'Ward ' || w FROM unnest(%(wards)s::text[]) w"
_PROVIDERS = """
INSERT INTO provider (id, created_at, created_by, changed_at, changed_by, version,
  organization_id, name, description, kind, email, phone, website, original)
SELECT gen_random_uuid(), now(), %(by)s, now(), %(by)s, 1, gen_random_uuid(), 'Provider ' || n,
  '', 'voluntary', '', '', '', '{}' FROM generate_series(1, 20) n
"""


def main() -> None:
    """Fill both, ask both in turn, print."""
    with ExitStack() as leaving:
        folder = Path(leaving.enter_context(_bench_folder()))
        cluster = leaving.enter_context(open_cluster(None, folder))
        directories = [_filled(cluster, folder, size) for size in SIZES]
        asyncio.run(_measured(directories, folder))


def _filled(cluster: Cluster, folder: Path, size: int) -> tuple[Cluster, Filled]:
    """A database with an authority that has some children, and so many services."""
    made, schema = with_nothing_in_it(cluster, folder, str(size))
    assert made.owner_url is not None
    children = fill(made, folder / "keys" / "master.key", CHILDREN)
    given = {
        "by": new_id(),
        "size": size,
        "needs": list(NEEDS),
        "need_count": len(NEEDS),
        "access": list(ACCESS),
        "access_count": len(ACCESS),
        "languages": list(LANGUAGES),
        "language_count": len(LANGUAGES),
        "wards": list(WARDS),
        "ward_count": len(WARDS),
    }
    with psycopg.connect(made.owner_url, autocommit=True) as connection:
        connection.execute(f'SET search_path TO "{schema}"'.encode())
        connection.execute("SELECT setseed(0.5)")
        for statement in (_WARDS, _PROVIDERS, _FILL, _PLACES):
            connection.execute(statement.encode(), given)
        connection.execute("VACUUM ANALYZE")
    return made, children


def _questions(near: tuple[float, float] | None) -> Sequence[Wanted]:
    chance = random.Random(1)
    return [
        Wanted(
            age=chance.randint(0, 17),
            needs=tuple(chance.sample(tuple(NEEDS), chance.randint(1, 2))),
            ward=chance.choice(WARDS),
            languages=chance.choice(((), (), ("ur",))),
            access=chance.choice(((), (), ("hoist",))),
            near=near,
        )
        for _ in range(ROUNDS)
    ]


async def _measured(directories: Sequence[tuple[Cluster, Filled]], folder: Path) -> None:
    tenants = []
    for made, _ in directories:
        record = authority_named(made.app_url, None)
        ring = keyring(record, master_key(None, folder / "keys" / "master.key"))
        tenants.append(
            Tenant(record, Database(made.app_url, pool_size=1), ring, FixedClock(MORNING))
        )
    await _asked(tenants, "as the match page asks", None)
    await _asked(tenants, "by distance too", (51.5, -1.5))
    await _of_children(tenants, [children for _, children in directories])
    for tenant in tenants:
        await tenant.database.close()


async def _asked(tenants: Sequence[Tenant], how: str, near: tuple[float, float] | None) -> None:
    renderer = Renderer(read_manifest(), rooms=ROOMS)
    matched: list[list[float]] = [[] for _ in tenants]
    shown: list[list[float]] = [[] for _ in tenants]
    fitting = [0 for _ in tenants]
    for place, wanted in enumerate(_questions(near)):
        for which, tenant in enumerate(tenants):
            began = perf_counter()
            async with tenant.transaction() as session:
                found = await match(session, wanted, LIMIT)
                between = perf_counter()
                areas = await wards(session)
            _page(renderer, found, wanted, areas)
            if place >= WARMING:
                matched[which].append(between - began)
                shown[which].append(perf_counter() - began)
                fitting[which] += found.fitting.number
    _print(f"{how}, match", matched, fitting)
    _print(f"{how}, page", shown, fitting)


def _print(what: str, took: Sequence[Sequence[float]], fitting: Sequence[int]) -> None:
    for size, times, fits in zip(SIZES, took, fitting, strict=True):
        slow = sorted(times)[int(len(times) * 0.95)]
        print(
            f"{what}, {size:>6,} services: median {median(times) * 1000:.1f} ms,"
            f" 95th {slow * 1000:.1f} ms, {fits / len(times):.0f} fit on average"
        )
    print(f"{what}: ratio of the medians {median(took[1]) / median(took[0]):.2f}")


async def _of_children(tenants: Sequence[Tenant], filled: Sequence[Filled]) -> None:
    """The page of a child, the same children in both; each is opened several times."""
    renderer = Renderer(read_manifest(), rooms=ROOMS)
    viewers = [
        await _told(tenant, children) for tenant, children in zip(tenants, filled, strict=True)
    ]
    gates = [Gate(tenant, SharingFacts()) for tenant in tenants]
    took: list[list[float]] = [[] for _ in tenants]
    fitting = [0 for _ in tenants]
    for place in range(ROUNDS):
        for which, gate in enumerate(gates):
            children = filled[which].narrow_children
            child = children[place % len(children)]
            began = perf_counter()
            async with gate.open(child, viewers[which], Purpose.SUPPORT, "measured") as access:
                looked = await looked_for(access, Said())
                found = await match(access.session, looked.wanted, LIMIT)
                header = await child_header(access)
            _child_page(renderer, looked, found, header)
            if place >= WARMING:
                took[which].append(perf_counter() - began)
                fitting[which] += found.fitting.number
    _print("a child’s page through the gate", took, fitting)


async def _told(tenant: Tenant, filled: Filled) -> Viewer:
    """Say what the children need, where they live and what they speak; and who reads of them."""
    chance = random.Random(2)
    async with tenant.transaction(JOB) as session:
        for one in filled.narrow_children:
            child = await session.get_one(Child, one)
            child.primary_need = chance.choice(tuple(NEEDS))
            child.ward_code = chance.choice(WARDS)
            child.first_language = chance.choice(("English", "English", "Urdu"))
        worker = await session.get_one(Worker, filled.narrow)
    roles = frozenset({Role.PRACTITIONER})
    return Viewer(worker.id, ViewerKind.WORKER, worker.agency_id, "health", roles)


def _child_page(renderer: Renderer, looked: LookedFor, found: Matches, header: ChildHeader) -> str:
    return renderer.page(
        "allocation/services.html",
        Frame(),
        today=MORNING.date(),
        header=header,
        here="requests",
        looked=looked,
        found=match_page(found),
        words="",
        address="/",
        draft=None,
        draft_href="",
        all_href="/",
        asks=True,
        line="",
        kept=(),
        filled=forms.Filled({}),
        needs=list(NEEDS.items()),
        languages=list(LANGUAGES.items()),
        accesses=list(ACCESS.items()),
    )


def _page(
    renderer: Renderer, found: Matches, wanted: Wanted, areas: Sequence[tuple[str, str]]
) -> str:
    return renderer.page(
        "directory/match.html",
        Frame(),
        today=MORNING.date(),
        found=match_page(found),
        said=wanted_facts(wanted, dict(areas)),
        wanted=wanted,
        language="",
        filled=forms.Filled({"age": wanted.age}),
        needs=list(NEEDS.items()),
        wards=areas,
        languages=list(LANGUAGES.items()),
        accesses=list(ACCESS.items()),
        back_href=DIRECTORY,
    )


if __name__ == "__main__":
    main()
