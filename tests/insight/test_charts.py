"""What charts and sentences say is what is published: no number more, none hidden in the drawing."""

import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from math import cos, pi, sin

import pytest
from markupsafe import Markup

from panel.insight import charts, findings, map_charts, pages
from panel.insight.charts import Chart
from panel.insight.core.catalogue import CATALOGUE
from panel.insight.core.cells import Cell, Note
from panel.insight.core.words import EVERY, Period
from panel.insight.maps import MOST, Outlines, outlines, simplified
from panel.insight.reading import Seen
from panel.insight.saying import Areas, in_order, value_words
from tests.insight.a_release import MOST as THREE
from tests.insight.a_release import NAMES, made, seen
from tests.insight.put_out import square

KEY = "unmet_by_kind_ward"


def boundaries(
    *, hole: int | None = None, without: frozenset[str] = frozenset()
) -> tuple[tuple[str, str], ...]:
    return tuple(
        (code, json.dumps(square(at, hole=at == hole)))
        for at, code in enumerate(NAMES)
        if code not in without
    )


def chart_of(release: Seen) -> Chart:
    table = CATALOGUE[KEY]
    cells = in_order(table, findings.at(release.of(KEY), None, "short_break"), release.areas)
    labels = tuple(release.areas.called(one.cell[0]) for one in cells)
    return Chart("where-map", "Where", "By ward.", table, cells, labels)


def numbers(text: str) -> set[int]:
    return {int(one) for one in re.findall(r"\d+", text)}


def test_the_three_wards_are_named_by_their_published_figures() -> None:
    where = pages.unmet_need(seen(), "short_break")[0]
    for ward in THREE:
        assert ward in where.sentences[0]
    assert [row[0] for row in where.rows[:3]] == [f"{at}. {one}" for at, one in enumerate(THREE, 1)]


def test_wards_of_an_earlier_release_are_said_to_be_of_its_term() -> None:
    autumn = seen()
    summer = replace(autumn.head, number=2, period=Period("2027-summer"))
    reasons = "unmet_by_reason"
    later = replace(autumn, head=summer, earlier=dict.fromkeys((KEY, reasons), autumn.head))
    where, kinds, why = pages.unmet_need(later, "short_break")
    said = "This comes out once in three terms: the figures are of the autumn term 2026."
    for block in (where, why):
        assert said in block.sentences
        assert "autumn term 2026" in block.caption
    assert said not in kinds.sentences
    assert "summer term 2027" in kinds.caption
    assert said not in pages.unmet_need(autumn, "short_break")[0].sentences


def test_areas_with_the_same_figure_are_said_to_have_the_same() -> None:
    cells = [Cell((code, EVERY), Decimal(10), Note.NONE) for code in NAMES]
    found, said = findings.where_most(CATALOGUE[KEY], cells, Areas(NAMES), "a short break")
    assert len(found.cells) == 3
    assert said[1].endswith("have the same figure as Coldharbour.")
    assert "Hollin & Moor" in said[1]


def test_no_three_are_named_where_fewer_have_a_figure() -> None:
    cells = [Cell((code, EVERY), Decimal(0), Note.ZERO) for code in NAMES]
    found, said = findings.where_most(CATALOGUE[KEY], cells, Areas(NAMES), "a short break")
    assert not found.cells
    assert "too few published figures" in said[0]


@pytest.mark.parametrize("draw", [charts.bars, map_charts.tile_map])
def test_a_chart_holds_no_number_but_the_cells(draw: Callable[[Chart], Markup]) -> None:
    chart = chart_of(seen())
    drawn = str(draw(chart))
    said = {html.unescape(one) for one in re.findall(r"<text[^>]*>([^<]+)</text>", drawn)}
    published = {value_words(chart.table, one) for one in chart.cells}
    assert {one for one in said if numbers(one)} <= published
    assert not re.findall(r"\s(?:data-|on|style)[\w-]*=", drawn)
    for words in re.findall(r"<(?:title|desc)[^>]*>([^<]+)<", drawn):
        assert not numbers(words)


def test_a_map_fills_its_wards_and_leaves_a_hole() -> None:
    drawn = outlines(boundaries(hole=5))
    assert drawn is not None
    assert drawn.areas["w05"].path.count("M") == 2
    chart = chart_of(seen())
    svg = str(map_charts.ward_map(chart, drawn, ["w05", "w01", "w03"]))
    wards = re.findall(r'<path d="[^"]+" fill="([^"]+)" fill-rule="evenodd"', svg)
    assert len(wards) == len(NAMES)
    assert set(wards) == {band.fill for band in map_charts.bands(chart.name, chart.cells).values()}


def test_a_ward_without_a_boundary_makes_tiles_and_a_sentence() -> None:
    release = replace(seen(), boundaries=boundaries(without=frozenset({"w02"})))
    where = pages.unmet_need(release, "short_break")[0]
    assert any("Coldharbour has no boundary here" in one for one in where.sentences)
    whole = pages.unmet_need(replace(release, boundaries=boundaries()), "short_break")[0]
    assert not any("boundary" in one or "boundaries" in one for one in whole.sentences)


def test_classes_of_a_map_are_cut_from_what_is_published() -> None:
    cells = chart_of(seen()).cells
    said = [band.words for band in map_charts.bands("m", cells).values()]
    assert said[-1] == "Not shown"
    for one in cells:
        band = map_charts.bands("m", cells)[map_charts.band_of(cells, one)].words
        if one.value:
            low, _, high = band.partition(" to ")
            assert int(low) <= one.value <= int(high or low)


def test_an_outline_is_simplified_until_a_page_can_bear_it() -> None:
    ring = [[cos(at * pi / 4000) / 10, 53.8 + sin(at * pi / 4000) / 10] for at in range(8001)]
    geometry = json.dumps({"type": "MultiPolygon", "coordinates": [[ring]]})
    found = outlines((("w00", geometry),))
    assert isinstance(found, Outlines)
    assert 500 < len(found.areas["w00"].path) <= MOST
    triangle = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 0.6), (0.0, 0.0)]
    assert len(simplified(triangle, 5.0)) >= 4


def test_a_line_breaks_where_a_term_has_no_figure() -> None:
    table = CATALOGUE["known_by_area"]
    cells = tuple(
        Cell((EVERY,), value, Note.NONE if value else Note.NO_DATA)
        for value in (Decimal(100), Decimal(120), None, Decimal(90), Decimal(95))
    )
    drawn = str(charts.lines(Chart("t", "T", "D", table, cells, tuple("abcde"))))
    # The axis, and two of the four steps.
    assert drawn.count("<line") == 3


def test_a_table_without_data_says_so() -> None:
    assert not seen().holds("perception_offered")
    assert any(one.key == "perception_offered" for one in made())
    assert pages.outcome_cost(seen())[0].sentences == ("This release has no figures for this.",)
