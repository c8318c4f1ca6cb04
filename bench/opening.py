"""The case page through the gate and through one that permits all, and how opening grows."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from uuid import UUID

import psycopg
from data import MORNING, Filled
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import (
    Basis,
    Category,
    Decision,
    Purpose,
    Relationship,
    Role,
    State,
    Tie,
    Viewer,
    ViewerKind,
    stand,
)
from panel.accounts.models import Worker
from panel.app import ROOMS
from panel.panels.case import read_case
from panel.panels.not_shown import grouped
from panel.platform.clock import FixedClock
from panel.platform.cluster import Cluster
from panel.platform.database import Database
from panel.platform.ids import new_id
from panel.platform.masterkey import master_key
from panel.platform.tables import KEYS, NOW
from panel.platform.tenancy import Tenant, authority_named, keyring
from panel.records import gate as gates
from panel.records.gate import EVERYTHING, Access, Gate, Purposes
from panel.records.judgements import Judgement
from panel.sharing.state import SharingFacts
from panel.web.manifest import read_manifest
from panel.web.render import Frame, Renderer

FEW_FACTS, MANY_FACTS = 5, 500


class PermitAll(Gate):
    """Reads the key and nothing of sharing, permits everything, writes nothing down.

    Only here: the product has no such gate and no switch that makes one.
    """

    async def _opened(
        self,
        session: AsyncSession,
        children: list[UUID],
        viewer: Viewer,
        purpose: Purposes,  # noqa: ARG002
        doing: str,  # noqa: ARG002
        about: frozenset[Category] = EVERYTHING,
    ) -> dict[UUID, Access]:
        found = await session.execute(
            text("SELECT holder_id, wrapped FROM data_key WHERE holder_id = ANY(:children)"),
            {"children": children},
        )
        for holder, wrapped in found:
            session.info[KEYS].add(holder, wrapped)
        return {
            child: Access(
                gates._MADE_BY_THE_GATE,  # noqa: SLF001
                session,
                child,
                viewer,
                _permitted(child, viewer),
                session.info[NOW],
                about,
            )
            for child in children
        }


def _permitted(child: UUID, viewer: Viewer) -> Judgement:
    tied = State(child, (Relationship(Tie.TEAM, viewer.id),))
    return _PermitAll(Purpose.SUPPORT, stand(viewer, Purpose.SUPPORT, MORNING, tied))


_YES = Decision(permitted=True, basis=Basis.OWN_RECORD, reasons=("Everything is permitted.",))


class _PermitAll(Judgement):
    def decision(
        self,
        category: Category,  # noqa: ARG002
        author_agency: UUID | None = None,  # noqa: ARG002
        author_person: UUID | None = None,  # noqa: ARG002
    ) -> Decision:
        return _YES


class Opening:
    """One authority, one worker, and the page as its route makes it."""

    def __init__(self, cluster: Cluster, filled: Filled, folder: Path) -> None:
        self.cluster, self.filled = cluster, filled
        self.database = Database(cluster.app_url, pool_size=1)
        record = authority_named(cluster.app_url, None)
        self.schema = record.schema_name
        ring = keyring(record, master_key(None, folder / "keys" / "master.key"))
        self.tenant = Tenant(record, self.database, ring, FixedClock(MORNING))
        self.renderer = Renderer(read_manifest(), rooms=ROOMS)
        self.children = list(filled.narrow_children)

    async def viewer(self) -> Viewer:
        """A practitioner of a health agency, in the team of every child asked for."""
        async with self.tenant.transaction() as session:
            worker = await session.get_one(Worker, self.filled.narrow)
        roles = frozenset({Role.PRACTITIONER})
        return Viewer(worker.id, ViewerKind.WORKER, worker.agency_id, "health", roles)

    def fresh(self) -> Gate:
        """A gate that has judged nothing yet."""
        return Gate(self.tenant, SharingFacts())

    async def page(self, gate: Gate, child: UUID, viewer: Viewer) -> float:
        """Seconds to read and make the case page."""
        began = perf_counter()
        async with gate.open(child, viewer, Purpose.SUPPORT, "measured") as access:
            case = await read_case(access)
        self.renderer.page(
            "panels/case.html",
            Frame(),
            today=MORNING.date(),
            case=case,
            header=case.header,
            here="overview",
            not_shown_here=grouped(case.not_shown),
        )
        return perf_counter() - began

    async def opened(self, gate: Gate, child: UUID, viewer: Viewer) -> float:
        """Seconds to open the record and ask for every category."""
        began = perf_counter()
        async with gate.open(child, viewer, Purpose.SUPPORT, "measured") as access:
            for category in Category:
                access.may(category)
        return perf_counter() - began

    def add_past(self, facts: Mapping[UUID, int]) -> None:
        """So many agreements that ended long ago for each of the children, as their owner."""
        assert self.cluster.owner_url is not None
        with psycopg.connect(self.cluster.owner_url, autocommit=True) as connection:
            connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(self.schema)))
            for child, count in facts.items():
                began = MORNING.date() - timedelta(days=2000)
                for number in range(count):
                    connection.execute(
                        "INSERT INTO sharing_agreement SELECT (jsonb_populate_record(a,"
                        " jsonb_build_object('id', %s::uuid, 'from_on', %s::date,"
                        " 'until_on', %s::date))).* FROM sharing_agreement a"
                        " WHERE child_id = %s AND until_on IS NULL LIMIT 1",
                        [
                            new_id(),
                            began + timedelta(days=number),
                            began + timedelta(days=number + 30),
                            child,
                        ],
                    )
            connection.execute("ANALYZE")


async def measure_opening(cluster: Cluster, filled: Filled, folder: Path, rounds: int) -> None:
    """Print the ratio of the gate's page to the open one, and of many facts to few."""
    one = Opening(cluster, filled, folder)
    viewer = await one.viewer()
    await _measure_gate(one, viewer, rounds)
    await _measure_growth(one, viewer, rounds)
    await one.database.close()


async def _measure_gate(one: Opening, viewer: Viewer, rounds: int) -> None:
    """What was judged before is taken again by the one gate, and judged anew by the other."""
    real, openly = Gate(one.tenant, SharingFacts()), PermitAll(one.tenant, SharingFacts())
    gated: list[float] = []
    anew: list[float] = []
    permitted: list[float] = []
    for turn in range(rounds + 1):
        for child in one.children:
            fresh = Gate(one.tenant, SharingFacts())
            for gate, into in ((real, gated), (fresh, anew), (openly, permitted)):
                seconds = await one.page(gate, child, viewer)
                if turn:
                    into.append(seconds)
    print(
        f"case page: {_ms(gated)} through the gate, {_ms(anew)} judged anew,"
        f" {_ms(permitted)} with all permitted:"
        f" {_ratio(gated, permitted)} and {_ratio(anew, permitted)} times"
    )


async def _measure_growth(one: Opening, viewer: Viewer, rounds: int) -> None:
    few, many = one.children[0::2], one.children[1::2]
    one.add_past(dict.fromkeys(few, FEW_FACTS) | dict.fromkeys(many, MANY_FACTS))
    kept = Gate(one.tenant, SharingFacts())
    taken: dict[tuple[str, int], list[float]] = {}
    for turn in range(rounds + 1):
        for pair in zip(few, many, strict=False):
            for facts, child in zip((FEW_FACTS, MANY_FACTS), pair, strict=True):
                for what, seconds in (
                    ("case page", await one.page(kept, child, viewer)),
                    ("case page, judged anew", await one.page(one.fresh(), child, viewer)),
                    ("opening alone", await one.opened(kept, child, viewer)),
                    ("opening alone, judged anew", await one.opened(one.fresh(), child, viewer)),
                ):
                    if turn:
                        taken.setdefault((what, facts), []).append(seconds)
    for what in dict.fromkeys(what for what, _ in taken):
        theirs, ours = taken[what, FEW_FACTS], taken[what, MANY_FACTS]
        print(
            f"{what}: {_ms(theirs)} with {FEW_FACTS} past facts of sharing,"
            f" {_ms(ours)} with {MANY_FACTS}: {_ratio(ours, theirs)} times"
        )


def _ms(taken: Sequence[float]) -> str:
    return f"{median(taken) * 1000:.1f} ms"


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    return f"{median(one / other for one, other in zip(ours, theirs, strict=True)):.2f}"
