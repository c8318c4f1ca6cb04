"""Two truths of one authority under the same published figures: each counted, released and served.

200 children are the same in both. Three more have what nobody else has: in one truth all of them
share a need, an ethnic group, a kind of service, and what is decided of it; in the other each has
another, waits elsewhere and costs more. Each such cell has at most three children in it and is
published as 0, and what lies within it is not shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Final

import pytest

from consent import Role
from panel.accounts.service import add_agency, add_worker, give_role
from panel.insight.core.catalogue import CATALOGUE
from panel.insight.core.facts import ChildTerm, Fact, Package, Request, Unmet, Wait, Who
from panel.insight.core.fold import TABLES
from panel.insight.core.keys import CellKeys
from panel.insight.core.places import Grid
from panel.insight.core.released import Release
from panel.insight.counting import opened_to_count
from panel.insight.releasing import SqlCounts, protected, release_term
from panel.platform.cluster import Cluster
from panel.platform.sessions import start
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.register.models import Area
from tests.insight.put_out import put_out
from tests.insight.test_counting import write
from tests.insight.test_release import CLUSTERS, KEYS, SUMMER, as_owner, invented, put_term

RELEASES: Final = ("insight_cell", "insight_file", "insight_release")
SHARED: Final[Mapping[str, str]] = {
    "need": "gdd", "ethnicity": "asian", "kind": "equipment", "reason": "too_far",
    "clock": "place", "basis": "s20", "decision": "agreed",
}  # fmt: skip
APART: Final[Sequence[Mapping[str, str]]] = (
    {"need": "mld", "ethnicity": "black", "kind": "transport", "reason": "not_suitable",
     "clock": "place", "basis": "local_offer", "decision": "declined"},
    {"need": "vi", "ethnicity": "mixed", "kind": "childcare", "reason": "wrong_time",
     "clock": "panel_service", "basis": "ehcp", "decision": "deferred"},
    {"need": "spld", "ethnicity": "other", "kind": "information", "reason": "other",
     "clock": "request_decision", "basis": "s17", "decision": "declined"},
)  # fmt: skip


def _cell_keys(tenant: Tenant) -> CellKeys:
    return CellKeys(tenant.ring.index("insight", "cell key"))


def _truths(tenant: Tenant) -> tuple[Sequence[Fact], Sequence[Fact]]:
    three = _published_as_nobody(_cell_keys(tenant))
    of_all = invented()
    one = [fact for who in three for fact in _said(who, SHARED, days=20, pence=40_000)]
    other = [
        fact
        for who, said in zip(three, APART, strict=True)
        for fact in _said(who, said, days=400, pence=1_900_000)
    ]
    return [*of_all, *one], [*of_all, *other]


def _published_as_nobody(secrets: CellKeys) -> tuple[Who, ...]:
    def shows_zero(*those: Who) -> bool:
        mixed = 0
        for who in those:
            mixed ^= who.record_key
        # Of one child 8 in 10 parts are 0, of three 4 in 10 (docs: the published table).
        return secrets.cell_key(mixed, "count") < {1: 0.8, 3: 0.4}[len(those)]

    for first in count(1_000, 3):
        persons = [number.to_bytes(16) for number in range(first, first + 3)]
        three = tuple(Who(person, KEYS.record_key(person)) for person in persons)
        if shows_zero(*three) and all(map(shows_zero, three)):
            return three
    raise AssertionError("There is no end of numbers")


def _said(who: Who, said: Mapping[str, str], *, days: int, pence: int) -> Sequence[Fact]:
    key, kind = who.person, said["kind"]
    return (
        ChildTerm(
            who, SUMMER, ward=min(CLUSTERS), age="5–7", sex="male",
            ethnicity=said["ethnicity"], need=said["need"], level="targeted", known=True,
            planned=False,
        ),
        Unmet(
            who, key, SUMMER, need=said["need"], reason=said["reason"], kind=kind,
            short_break=False, unit="night", units_missing=Decimal(days),
        ),
        Request(
            who, key, SUMMER, kind=kind, short_break=False, basis=said["basis"],
            decision=said["decision"], duty=True,
        ),
        Package(
            who, key, SUMMER, kind=kind, how="in_kind", residential=False, unit="hour",
            units=Decimal(2), pence=pence, payer_health=pence, payer_education=0,
            payer_social_care=0,
        ),
        Wait(who, key, SUMMER, said["clock"], days, over=True),
    )  # fmt: skip


@dataclass(frozen=True)
class Authority:
    """An authority with four wards, a term that is over, and no child's record."""

    tenant: Tenant
    database: Cluster

    @property
    def keys(self) -> Sequence[str]:
        """Of all tables."""
        return tuple(CATALOGUE)

    def truths(self) -> tuple[Sequence[Fact], Sequence[Fact]]:
        """The facts of both. Which three children: such as this authority's key shows as 0."""
        return _truths(self.tenant)

    async def signed_in(self) -> str:
        """The cookie of a commissioner."""
        async with self.tenant.transaction(JOB) as session:
            agency = await add_agency(session, key="la", name="The council", kind="education")
            worker = await add_worker(session, agency, name="Ed Mint", email="ed@demo.example")
            await give_role(session, worker, Role.COMMISSIONER)
            return await start(session, worker.id, "worker", self.tenant.clock.now())

    def comes_true(self, facts: Sequence[Fact]) -> Release:
        """These facts and no others. Returns what would be published, counted and protected."""
        with as_owner(self.database) as owner:
            for table in {TABLES[type(fact)] for fact in facts}:
                owner.execute(f"DELETE FROM {table}".encode())
        write(self.database, facts)
        url, schema = self.database.insight_url or "", self.tenant.record.schema_name
        with opened_to_count(url, schema) as connection:
            counts = SqlCounts(connection)
            return protected(counts, SUMMER, Grid(CLUSTERS), _cell_keys(self.tenant), ())

    async def publishes(self, release: Release) -> None:
        """Put it out as it is."""
        await put_out(self.tenant, release)

    async def releases(self) -> tuple[object, ...]:
        """Publish the term as `panel insight release` does, in the place of what was out; returns
        its files and lines of the ledger."""
        with as_owner(self.database) as owner:
            for table in RELEASES:
                owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER only_added".encode())
                owner.execute(f"DELETE FROM {table}".encode())
                owner.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER only_added".encode())
        made = await release_term(self.tenant, self.database.insight_url, SUMMER, CLUSTERS)
        return made.files, made.entries


@pytest.fixture
async def authority(tenant: Tenant, database_of_own: Cluster) -> Authority:
    """Before anything is true of it. Its wards have no boundaries: they are drawn as tiles."""
    put_term(database_of_own)
    async with tenant.transaction(JOB) as session:
        session.add_all(
            Area(id=code, name=f"Ward {at}", boundary=None) for at, code in enumerate(CLUSTERS)
        )
    return Authority(tenant, database_of_own)
