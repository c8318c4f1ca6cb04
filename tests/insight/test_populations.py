"""Figures by ward that others published, and places of services: for releases, about no child."""

from datetime import UTC, date, datetime
from io import BytesIO

import pytest
from sqlalchemy import select

from panel.accounts.models import Agency
from panel.directory.models import Provider, Service
from panel.insight.core.words import Period
from panel.insight.feed import feed
from panel.insight.linking.models import ListCount, RegisterList
from panel.insight.models import AreaPopulation
from panel.insight.populations import (
    PopulationReport,
    bring_in_populations,
    dla_of,
    population_of,
)
from panel.platform.clock import FixedClock
from panel.platform.ids import new_id
from panel.platform.read_models import rows_of
from panel.records.csv_rows import UnreadableCsv
from panel.register.models import Area
from tests.insight.conftest import add_child, house
from tests.panels.conftest import AddChild, House

__all__ = ["add_child", "house"]
pytestmark = pytest.mark.database

AUTUMN = Period("2026-autumn")
AFTER_TERM = datetime(2027, 1, 2, 9, 30, tzinfo=UTC)
HEADER = "ward_code,children,year,source"
WARDS = ("E05013749", "E05013750")


@pytest.fixture
async def wards(house: House) -> House:
    async with house.as_("job") as session:
        session.add_all([Area(id=code, name=f"Ward {code}") for code in WARDS])
    return house


async def bring(house: House, *rows: str) -> PopulationReport:
    return await bring_in_populations(house.tenant, BytesIO("\r\n".join((HEADER, *rows)).encode()))


async def kept(house: House) -> list[tuple[str, int, int]]:
    async with house.as_("job") as session:
        rows = await session.scalars(select(AreaPopulation))
        return sorted((one.ward_code, one.year, one.children) for one in rows)


async def test_a_file_is_taken_whole_or_not_at_all(wards: House) -> None:
    good = f"{WARDS[0]},1850,2024,ONS"
    wrong = await bring(
        wards,
        good,
        f"{WARDS[1]},many,2024,ONS",
        f"{WARDS[1]},{'0' * 7}{'9' * 20},2024,ONS",
        "E05999999,10,2024,ONS",
        f"{WARDS[0]},1851,2024,ONS",
        f"{WARDS[1]},10,2099,ONS",
        f"{WARDS[1]},10,24,ONS",
        f"{WARDS[1]},10,2024,",
        "Here,10,2024,ONS",
    )
    said = sorted(str(one) for one in wrong.problems)
    assert [one.split(":")[0] for one in said] == [
        "line 10, ward_code", "line 3, children", "line 4, children", "line 5, ward_code",
        "line 6, ward_code", "line 7, year", "line 8, year", "line 9, source",
    ]  # fmt: skip
    assert "Write a whole number of children" in said[1]
    assert "no such ward here" in said[3]
    assert "stand on line 2 already" in said[4]
    assert "in the future" in said[5]
    assert await kept(wards) == [], "the line that is right is not taken either"
    with pytest.raises(UnreadableCsv, match="year"):
        await bring_in_populations(wards.tenant, BytesIO(b"ward_code,children,source\r\n"))


async def test_a_later_file_takes_the_place_of_a_figure_and_the_newest_year_is_read(
    wards: House, clock: FixedClock
) -> None:
    assert (await bring(wards, f"{WARDS[0]},1850,2024,ONS", f"{WARDS[1]},900,2024,ONS")).added == 2
    again = await bring(wards, f"{WARDS[0]},1860,2024,ONS", f"{WARDS[1]},900,2024,ONS")
    assert (again.added, again.changed, again.known) == (0, 1, 1)
    await bring(wards, f"{WARDS[0]},1700,2022,ONS")
    async with wards.as_("coordinator") as session:
        assert list(await session.scalars(select(AreaPopulation))) == [], "for scheduled work alone"
    clock.set(AFTER_TERM)
    async with wards.as_("job") as session:
        await feed(session, most_batches=None)
        assert await population_of(session, AUTUMN) == {WARDS[0]: 1860, WARDS[1]: 900}
        assert await population_of(session, Period("2019-autumn")) == {}


async def test_only_published_counts_of_the_allowance_are_shown_as_they_are(
    wards: House, clock: FixedClock
) -> None:
    clock.set(AFTER_TERM)
    async with wards.as_("job") as session:
        await feed(session, most_batches=None)
        agency = await session.scalar(select(Agency.id).limit(1))
        for at, (basis, day) in enumerate(
            (
                ("published", date(2026, 5, 1)),
                ("s251", date(2026, 11, 1)),
                ("published", date(2024, 5, 1)),
                ("published", date(2027, 1, 1)),
            )
        ):
            whole = RegisterList(
                kind="dla", agency_id=agency, legal_basis=basis, as_of=day, lines=1,
                file_digest=bytes([at]),
            )  # fmt: skip
            session.add(whole)
            await session.flush()
            session.add(ListCount(register_list_id=whole.id, ward_code=WARDS[0], children=30 + at))
    async with wards.as_("job") as session:
        assert await dla_of(session, AUTUMN) == {WARDS[0]: 30}


async def test_places_come_from_the_directory_though_no_child_was_touched(
    wards: House, add_child: AddChild, clock: FixedClock
) -> None:
    async with wards.as_("job") as session:
        provider = Provider(name="A provider", organization_id=new_id())
        session.add(provider)
        await session.flush()
        session.add_all(
            Service(
                provider_id=provider.id, external_id=new_id(), name=f"{kind} service", kind=kind,
                capacity=capacity, places_free=None if capacity is None else 1,
            )
            for kind, capacity in (("short_break", 12), ("short_break", 8), ("therapy", None))
        )  # fmt: skip
    clock.set(AFTER_TERM)
    async with wards.as_("job") as session:
        await feed(session, most_batches=None)
    async with wards.as_("job") as session:
        service = await session.scalar(select(Service).where(Service.capacity == 8))
        assert service is not None
        service.capacity = 9
    async with wards.as_("job") as session:
        await feed(session, most_batches=None)
        rows = await rows_of(
            session,
            "SELECT kind, sum(places)::int, sum(free)::int FROM fact_capacity GROUP BY 1",
            {},
        )
    assert rows == [("short_break", 21, 2)], "who has not said how many counts nowhere"
