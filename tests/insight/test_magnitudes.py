"""Money and waits are shown where many have part in them, and never exactly."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.insight.core.catalogue import CATALOGUE, LINKS
from panel.insight.core.cells import Note, TrueCell
from panel.insight.core.magnitudes import to_two_figures, why_hidden
from panel.insight.core.protecting import protect
from panel.insight.core.ptable import TABLE
from panel.insight.core.published import Published
from panel.insight.core.table import Measure
from panel.insight.core.words import EVERY, WAIT_BANDS, Period
from tests.insight.invented_children import GRID, SECRETS

TERM = Period("2026-autumn")
COST = CATALOGUE["cost_by_kind"]
WAIT = CATALOGUE["wait_place"]


def of(cell: tuple[str, ...], sums: list[int], xor: int = 7) -> TrueCell:
    first = sorted(sums, reverse=True)
    return TrueCell(cell, len(sums), xor, sum(sums), tuple(first[:2]))


def made(table: str, *cells: TrueCell) -> dict[tuple[str, ...], tuple[Decimal | None, Note]]:
    out = protect(CATALOGUE[table], cells, GRID, TABLE, SECRETS, Published(TERM, LINKS))
    return {one.cell: (one.value, one.note) for one in out.cells}


@pytest.mark.parametrize(
    ("sums", "why"),
    [
        ([100_00] * 9, Note.FEW),
        ([100_00] * 10, Note.NONE),
        ([0] * 12, Note.FEW),
        ([10_000_00, 100_00, *([1_00] * 10)], Note.DOMINATED),
        # Two have 90 in 100, which is allowed; a penny more is not.
        ([45_00, 45_00, *([1_00] * 10)], Note.NONE),
        ([45_01, 45_00, *([1_00] * 10)], Note.DOMINATED),
    ],
)
def test_what_a_few_make_is_not_shown(sums: list[int], why: Note) -> None:
    assert why_hidden(COST, of(("education",), sums)) is why


@given(xor=st.integers(-(2**63), 2**63 - 1), pounds=st.integers(500, 100_000))
def test_a_total_is_two_to_five_per_cent_off_and_has_two_figures(xor: int, pounds: int) -> None:
    value, note = made("cost_by_kind", of((EVERY,), [pounds * 100] * 40, xor))[(EVERY,)]
    assert note is Note.NONE
    assert value is not None
    exact = Fraction(pounds * 40)
    step = max(50, 10 ** (len(str(int(value))) - 2))
    assert value % step == 0
    assert abs(Fraction(value) - exact) <= exact * Fraction(5, 100) + Fraction(step, 2)
    assert abs(Fraction(value) - exact) >= exact * Fraction(2, 100) - Fraction(step, 2)


def test_the_same_children_and_sums_have_the_same_figure() -> None:
    cell = of(("health",), [300_00] * 20, 99)
    whole = of((EVERY,), [300_00] * 20, 99)
    out = made("cost_by_kind", cell, whole)
    assert out[("health",)] == out[(EVERY,)]


def test_a_total_and_its_mean_do_not_tell_how_many_children() -> None:
    mean = replace(COST, key="mean", measure=Measure.MEAN)
    exact = 0
    for xor in range(60):
        cell = of((EVERY,), [3_000_00] * 12, xor)
        total, each = (
            protect(table, [cell], GRID, TABLE, SECRETS, Published(TERM, LINKS)).cells[0].value
            for table in (COST, mean)
        )
        assert total is not None
        assert each is not None
        exact += round(total / each) == 12
    assert exact < 45


def test_figures_are_rounded_to_two() -> None:
    assert [int(to_two_figures(Fraction(one), 50)) for one in (24, 25, 130, 12_345, 99_999)] == [
        0,
        50,
        150,
        12_000,
        100_000,
    ]


def test_no_whole_less_its_parts_tells_of_a_few() -> None:
    """Twelve in one kind, four in another, twenty in all: the four would be all less the twelve."""
    ways = made(
        "wait_place",
        wait((EVERY,), 20),
        wait(("c0",), 16),
        wait(("c1",), 4),
    )
    assert ways[("c1",)] == (None, Note.FEW)
    assert ways[("c0",)] == (None, Note.COARSER)
    assert ways[(EVERY,)][0] is not None
    enough = made("wait_place", wait((EVERY,), 32), wait(("c0",), 16), wait(("c1",), 16))
    assert enough[("c0",)][0] is not None
    assert enough[("c1",)][0] is not None


def test_a_child_without_a_ward_is_not_told_by_the_whole_less_all_areas() -> None:
    ways = made("wait_place", wait((EVERY,), 33), wait(("c0",), 16), wait(("c1",), 16))
    assert [ways[(one,)][1] for one in ("c0", "c1")].count(Note.COARSER) >= 1


def test_kinds_that_share_children_are_held_against_their_fullest_hidden_part() -> None:
    fifteen = of(("health",), [500_00] * 15)
    few = of(("therapy",), [500_00] * 6)
    whole = of((EVERY,), [600_00] * 18)
    ways = made("cost_by_kind", whole, fifteen, few)
    assert ways[("therapy",)] == (None, Note.FEW)
    assert ways[("health",)] == (None, Note.COARSER)


def test_no_whole_less_its_parts_tells_what_one_or_two_make() -> None:
    """Two homes cost most of what is residential: all less the rest would be what they cost."""
    few_dear = [400_000_00, 300_000_00, *[1_000_00] * 10]
    many = [30_000_00] * 25
    ways = made(
        "cost_residential_or_not",
        of((EVERY,), [*few_dear, *many]),
        of(("true",), few_dear),
        of(("false",), many),
    )
    assert ways[("true",)] == (None, Note.DOMINATED)
    assert ways[("false",)] == (None, Note.COARSER)
    assert ways[(EVERY,)][0] is not None


def wait(cell: tuple[str, ...], many: int, *bands: int) -> TrueCell:
    return TrueCell(cell, many, 5, in_bands=bands or (0, many, 0, 0, 0, 0))


@given(bands=st.lists(st.integers(0, 9), min_size=6, max_size=6), xor=st.integers(0, 999))
def test_a_median_is_in_its_band_or_beside_it_and_never_of_a_few(
    bands: list[int], xor: int
) -> None:
    many = sum(bands)
    cell = TrueCell((EVERY,), many, xor, in_bands=tuple(bands))
    value, note = made("wait_place", cell)[(EVERY,)] if many else (None, Note.FEW)
    if many < 10:
        assert (value, note) == (None, Note.FEW)
        return
    if value is None:
        assert note is Note.FEW
        return
    begins = (0, 6, 12, 18, 26, 52)
    at = begins.index(int(value))
    shown = range(at, at + 2) if note is Note.WITH_NEXT else range(at, at + 1)
    assert sum(bands[one] for one in shown) >= 3
    assert len(bands) == len(WAIT_BANDS)
    before, after = sum(bands[:at]), sum(bands[shown[-1] + 1 :])
    # The middle was moved by two ranks at most, and joined with a band of two at most.
    assert before <= many / 2 + 3
    assert after <= many / 2 + 4


def test_money_never_has_a_place_among_the_counts() -> None:
    published = Published(TERM, LINKS)
    protect(COST, [of((EVERY,), [500_00] * 20)], GRID, TABLE, SECRETS, published)
    protect(
        CATALOGUE["packages_by_kind_authority"],
        [TrueCell((EVERY,), 20, 7)],
        GRID,
        TABLE,
        SECRETS,
        published,
    )


def test_a_table_of_other_tables_is_not_made_of_children() -> None:
    rate = CATALOGUE["decisions_by_age"]
    with pytest.raises(ValueError, match="published tables"):
        protect(rate, [], GRID, TABLE, SECRETS, Published(TERM, LINKS))
