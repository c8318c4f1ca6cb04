"""A term is published once, by the role that counts; what was changed afterwards is found."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.insight import release_store as store
from panel.insight import releasing, term_end
from panel.insight.core.facts import ChildTerm, Fact, Unmet, Who
from panel.insight.core.keys import RecordKeys
from panel.insight.core.settle import Refused
from panel.insight.core.words import AGE_BANDS, NEEDS, Level, Period
from panel.insight.models import AreaPopulation
from panel.insight.release_files import put, releases_in
from panel.insight.release_models import RefusedRelease
from panel.insight.releasing import NotYet, release_term, signing
from panel.platform.clock import FixedClock
from panel.platform.cluster import Cluster
from panel.platform.jobs import Job, run_due
from panel.platform.tenancy import Tenant
from panel.platform.work_tables import OutboxMessage
from panel.records.child_scoped import JOB
from panel.register.models import Area
from tests.families.household import household
from tests.insight.releases import HIDES_FEW, of_cells, release, table
from tests.insight.test_counting import SCHEMA, write

pytestmark = pytest.mark.database

SPRING, SUMMER = Period("2026-spring"), Period("2026-summer")
CLUSTERS = {f"E0500000{number}": "north" if number < 3 else "south" for number in range(1, 5)}
SEX = table("by_sex", "sex", level=Level.AUTHORITY)
KEYS = RecordKeys(b"a key of this test")


def invented() -> list[Fact]:
    """Two hundred children in four wards, some of whom have an unmet need."""
    found: list[Fact] = []
    for number in range(200):
        person = number.to_bytes(16)
        who = Who(person, KEYS.record_key(person))
        child = ChildTerm(
            who,
            SUMMER,
            ward=list(CLUSTERS)[number % 7 % 4],
            age=AGE_BANDS[number * number % 7],
            sex=("female", "male", "male")[number % 3],
            ethnicity="white",
            need=list(NEEDS)[number * number % 13],
            level="targeted",
            known=True,
            planned=False,
        )
        found.append(child)
        if number % 4 == 0:
            found.append(
                Unmet(
                    who,
                    person,
                    SUMMER,
                    need=child.need,
                    reason="no_capacity",
                    kind="short_break",
                    short_break=True,
                    unit="night",
                    units_missing=Decimal(1),
                )
            )
    return found


@pytest.fixture
def facts(database_of_own: Cluster) -> str:
    """Facts of a term that is over. Returns the address of the role that counts."""
    write(database_of_own, invented())
    put_term(database_of_own)
    assert database_of_own.insight_url is not None
    return database_of_own.insight_url


def put_term(database: Cluster) -> None:
    """The summer term, which is over."""
    with as_owner(database) as owner:
        owner.execute("INSERT INTO fact_period VALUES ('2026-summer', '2026-04-13', '2026-07-21')")
        owner.execute(
            "INSERT INTO term (id, created_at, created_by, changed_at, changed_by, version,"
            " first_day, last_day, name) SELECT gen_random_uuid(), now(), i, now(), i, 1,"
            " '2026-04-13', '2026-07-21', '' FROM gen_random_uuid() i"
        )


def as_owner(database: Cluster) -> psycopg.Connection:
    assert database.owner_url is not None
    connection = psycopg.connect(database.owner_url)
    connection.execute(f"SET search_path = {SCHEMA}")
    return connection


async def test_a_term_is_published_once_and_what_is_changed_is_found(
    tenant: Tenant, facts: str, database_of_own: Cluster, tmp_path: Path
) -> None:
    with pytest.raises(NotYet, match="No wards are known"):
        await release_term(tenant, facts, SUMMER, None)
    with pytest.raises(NotYet, match="not over"):
        await release_term(tenant, facts, SPRING, CLUSTERS)
    async with tenant.transaction(JOB) as session:
        for ward in CLUSTERS:
            session.add(AreaPopulation(ward_code=ward, year=2025, children=1_000, source="ONS"))
    made = await release_term(tenant, facts, SUMMER, CLUSTERS)
    assert made.audit.safe
    assert made.audit.cells > 100
    put(tmp_path / "out", made.files, made.entries)
    (read,) = releases_in([tmp_path / "out"])
    async with tenant.transaction(JOB) as session:
        assert await store.releases(session) == (read,)
        _, key = signing(tenant)
        assert await store.tampered(session, key) == ()
    known = next(one for one in read.tables if one.key == "known_by_area")
    assert [abs((one.value or 0) - 200) <= 5 for one in known.cells if one.cell == ("*",)] == [True]
    expected = next(one for one in read.tables if one.key == "expected_by_area")
    assert {one.cell[1]: one.value for one in expected.cells if one.cell[0] == "*"} == {
        "*": None, "complex": 40, "dla": 310,
    }  # fmt: skip
    with pytest.raises(NotYet, match="once"):
        await release_term(tenant, facts, SUMMER, None)

    with as_owner(database_of_own) as owner:
        owner.execute("ALTER TABLE insight_cell DISABLE TRIGGER only_added")
        owner.execute(
            "UPDATE insight_cell SET value = 45 WHERE table_key = 'unmet_by_kind' AND cell[1] = '*'"
        )
    async with tenant.transaction(JOB) as session:
        (found,) = await store.tampered(session, key)
    assert found.in_words() == "Release 1: the cells of unmet_by_kind were changed."


async def test_a_term_that_is_over_is_published_by_the_scheduler_and_never_twice(
    tenant: Tenant, facts: str
) -> None:
    async with tenant.transaction(JOB) as session:
        assert await term_end.due(session) is None
    await kept_here_since(tenant, datetime(2026, 5, 1, tzinfo=UTC))
    job = Job("publish", timedelta(days=1), partial(_publish, tenant, facts))
    assert len(await run_due(tenant, [job], JOB)) == 1
    assert await run_due(tenant, [job], JOB) == []
    assert await term_end.publish_due(tenant, facts, "") is None
    async with tenant.transaction(JOB) as session:
        assert [one.period for one in await store.entries(session)] == [SUMMER]


async def test_a_refused_term_is_told_once_with_its_cells_for_the_lead_alone(
    tenant: Tenant, facts: str, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = await household(tenant)
    cells = {("*",): 20, ("female",): 17, ("male",): 0}
    unsafe = release((SEX, of_cells(SEX, cells, SUMMER)), rules=HIDES_FEW, period=SUMMER)
    monkeypatch.setattr(releasing, "protected", lambda *_: unsafe)
    await kept_here_since(tenant, datetime(2026, 5, 1, tzinfo=UTC))
    assert await term_end.publish_due(tenant, facts, "https://panel.example") is None
    async with tenant.transaction(JOB) as session:
        # Not again at once; a week later, and nobody is told twice.
        assert await term_end.due(session) is None
        held = await term_end.held_back(session)
    assert held is not None
    assert (held.period, held.findings) == (SUMMER, ())
    clock.set(clock.now() + term_end.AGAIN_AFTER)
    assert await term_end.publish_due(tenant, facts, "https://panel.example") is None
    async with tenant.transaction(JOB) as session:
        told = (await session.scalars(select(OutboxMessage))).all()
    assert [one.kind for one in told] == [term_end.REFUSED]
    assert told[0].to_viewer_id == family.commissioner
    async with tenant.transaction(family.commissioner) as session:
        assert (await term_end.with_cells(session, held)).findings == ()


async def _publish(tenant: Tenant, url: str, _session: AsyncSession, _slot: datetime) -> None:
    await term_end.publish_due(tenant, url, "")


async def kept_here_since(tenant: Tenant, slot: datetime) -> None:
    """The wards are known, and the facts are kept since then."""
    async with tenant.transaction(JOB) as session:
        session.add_all(Area(id=code, name=code, boundary=None) for code in CLUSTERS)
        await session.execute(
            text("INSERT INTO job_run (job, slot, done_at) VALUES (:job, :slot, :slot)"),
            {"job": term_end.KEEPING, "slot": slot},
        )


async def test_an_unsafe_release_is_refused_with_its_cells_and_nothing_is_out(
    tenant: Tenant, facts: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = {("*",): 20, ("female",): 17, ("male",): 0}
    unsafe = release((SEX, of_cells(SEX, cells, SUMMER)), rules=HIDES_FEW, period=SUMMER)
    monkeypatch.setattr(releasing, "protected", lambda *_: unsafe)
    with pytest.raises(Refused, match="2 in a hundred"):
        await release_term(tenant, facts, SUMMER, CLUSTERS)
    async with tenant.transaction(JOB) as session:
        assert await store.entries(session) == ()
        (kept,) = (await session.scalars(select(RefusedRelease))).all()
    assert kept.period == SUMMER
    assert [(one["table"], one["cell"], one["low"], one["high"]) for one in kept.findings] == [
        ("by_sex", ["male"], 3, 3)
    ]
