"""Wards are put into groups that touch, once; a boundary that is none is said."""

import io
import json
from collections.abc import Mapping

import pytest

from panel.insight.areas import nested
from panel.insight.core.clusters import LEAST, MOST, grouped, touching
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.csv_rows import RowProblem
from panel.register.areas import AreaRow, read_areas
from panel.register.models import Area
from tests.insight.a_release import NAMES
from tests.insight.put_out import put_areas, square

ACROSS = 4


def squares(many: int) -> dict[str, list[tuple[float, float]]]:
    found = {}
    for at in range(many):
        x, y = at % ACROSS, at // ACROSS
        found[f"w{at:02}"] = [(x + a, y + b) for a, b in ((0, 0), (1, 0), (1, 1), (0, 1))]
    return found


def is_whole(wards: list[str], beside: Mapping[str, frozenset[str]]) -> bool:
    seen, pending = {wards[0]}, [wards[0]]
    while pending:
        near = (beside[pending.pop()] & set(wards)) - seen
        seen |= near
        pending += near
    return seen == set(wards)


@pytest.mark.parametrize("many", [3, 4, 8, 11, 20, 33])
def test_groups_have_three_to_six_wards_that_touch(many: int) -> None:
    beside = touching(squares(many))
    made = grouped(beside)
    assert made.keys() == beside.keys()
    for group in set(made.values()):
        wards = sorted(ward for ward, own in made.items() if own == group)
        assert LEAST <= len(wards) <= MOST
        assert is_whole(wards, beside)
        assert group == f"G{wards[0]}" or group[1:] in wards


def test_a_corner_is_no_line_in_common() -> None:
    beside = touching(squares(8))
    assert "w05" not in beside["w00"]
    assert beside["w00"] == {"w01", "w04"}


def test_a_new_ward_joins_a_group_beside_it_and_the_others_stay() -> None:
    before = grouped(touching(squares(8)))
    beside = touching(squares(9))
    after = grouped(beside, before)
    assert {ward: group for ward, group in after.items() if ward != "w08"} == before
    assert after["w08"] in {after[near] for near in beside["w08"]}


def test_without_boundaries_wards_are_grouped_by_their_codes() -> None:
    made = grouped(touching({code: [] for code in ("a", "b", "c", "d", "e", "f")}))
    sizes = sorted(list(made.values()).count(group) for group in set(made.values()))
    assert sizes == [3, 3]
    assert len(set(grouped(touching({"a": [], "b": []})).values())) == 1


@pytest.mark.database
async def test_groups_are_made_of_imported_wards_and_stay_as_they_were_published(
    tenant: Tenant,
) -> None:
    async with tenant.transaction(JOB) as session:
        assert await nested(session) == {}
    await put_areas(tenant)
    async with tenant.transaction(JOB) as session:
        first = await nested(session)
        assert first.keys() == NAMES.keys()
        assert await nested(session, first) == first
        # A ward of the last release that has another code now keeps its group.
        assert (await nested(session, {**first, "w99": first["w00"]}))["w99"] == first["w00"]
        session.add(Area(id="E09000029", name="Sutton", boundary=square(0)))
        await session.flush()
        assert "E09000029" not in await nested(session)


def read(*geometries: object) -> list[AreaRow | RowProblem]:
    features = [
        {"properties": {"WD25CD": f"E0500000{at}", "WD25NM": "Marlow"}, "geometry": one}
        for at, one in enumerate(geometries)
    ]
    said = {"type": "FeatureCollection", "features": features}
    return list(read_areas(io.BytesIO(json.dumps(said).encode())))


def test_a_hole_is_taken_and_a_line_that_does_not_close_is_not() -> None:
    open_line = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]}
    taken, outer, inner = read(
        square(0, hole=True),
        open_line,
        {"type": "Polygon", "coordinates": [*square(1)["coordinates"], *open_line["coordinates"]]},
    )
    assert isinstance(taken, AreaRow)
    assert len(taken.boundary["coordinates"]) == 2
    for one in (outer, inner):
        assert isinstance(one, RowProblem)
        assert "does not end where it begins" in one.sentence
