"""What is withdrawn to make a release safe, and what is refused instead."""

from dataclasses import replace
from fractions import Fraction

import pytest

from panel.insight.core.cells import Note
from panel.insight.core.nesting import Links
from panel.insight.core.published import Published
from panel.insight.core.released import AuditResult, Finding, Release
from panel.insight.core.settle import Refused, settled, without
from panel.insight.core.table import Measure
from panel.insight.core.words import Level, Span
from tests.insight.releases import AUTUMN, SPRING, release, table, whole

WARDS = table("by_age_ward", "area", "age")
TABLES = tuple(table(f"other_{number}", "area", "age") for number in range(40))
EVERY = {(area, age): 5 for area in ("*", "c1", "c2") for age in ("*", "0–2", "3–4")}
RELEASE = release((WARDS, whole(WARDS, EVERY)), *((one, whole(one, EVERY)) for one in TABLES))


def result(*findings: Finding, unfinished: int = 0) -> AuditResult:
    return AuditResult(not findings and not unfinished, findings, 9, 9, 1.0, unfinished)


def finding(key: str = WARDS.key, period: str = AUTUMN, *by: str) -> Finding:
    at = AUTUMN if period == AUTUMN else SPRING
    return Finding(key, at, ("c1", "0–2"), Fraction(3), Fraction(4), by)


def test_what_is_safe_goes_out_as_it_is() -> None:
    assert settled(RELEASE, lambda _: result()) == (RELEASE, result())


def test_the_whole_area_of_the_table_is_withdrawn_and_the_same_cells_elsewhere() -> None:
    left = {one.key: one for one in without(RELEASE, {(WARDS.key, "c1")}).tables}
    for key in (WARDS.key, TABLES[0].key):
        notes = {one.cell: one.note for one in left[key].cells if one.note is Note.WITHDRAWN}
        assert set(notes) == {("c1", "0–2"), ("c1", "3–4")}, key
    kept = {one.cell: one.value for one in left[WARDS.key].cells}
    assert (kept["c1", "*"], kept["c2", "0–2"]) == (5, 5)


def test_it_is_asked_again_after_withdrawing() -> None:
    asked: list[Release] = []

    def audit(one: Release) -> AuditResult:
        asked.append(one)
        return result(finding()) if len(asked) == 1 else result()

    after, last = settled(RELEASE, audit)
    assert last.safe
    assert asked == [RELEASE, after]
    assert after == without(RELEASE, {(WARDS.key, "c1")})


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (result(finding("a_table_of_nobody")), "published already"),
        (result(finding(period=SPRING)), "published already"),
        (result(unfinished=1), "did not finish"),
        (result(*(finding(one.key) for one in TABLES[:4])), "More than 2 in a hundred"),
    ],
)
def test_what_cannot_be_made_safe_is_refused_with_the_cells(said: AuditResult, why: str) -> None:
    with pytest.raises(Refused, match=why) as refused:
        settled(RELEASE, lambda _: said)
    assert refused.value.result is said


def test_what_narrows_a_cell_that_is_out_is_withdrawn() -> None:
    said = [result(finding(TABLES[1].key, SPRING, WARDS.key)), result()]
    after, _ = settled(RELEASE, lambda _: said.pop(0))
    assert after == without(RELEASE, {(WARDS.key, "c1")})


def test_five_rounds_are_all() -> None:
    small = release((WARDS, whole(WARDS, EVERY)))
    with pytest.raises(Refused, match="More than 2"):
        settled(small, lambda _: result(finding()))


def test_three_terms_wait_where_what_was_corrected_since_tells_too_much() -> None:
    three = replace(WARDS, key="three_terms", span=Span.ROLLING)
    made = replace(WARDS, key="made_of_it", measure=Measure.RATE, over=("three_terms", WARDS.key))
    few = table("few", "area", "age", level=Level.WARD)
    tables = (
        (few, whole(few, {("*", "*"): 20, ("w1", "0–2"): 5})),
        (WARDS, whole(WARDS, EVERY)),
        (three, whole(three, EVERY)),
        (made, whole(made, EVERY)),
    )
    first = release(*tables)
    asked: list[Release] = []

    def audit(one: Release) -> AuditResult:
        asked.append(one)
        said = result(finding("three_terms"))
        return replace(said, corrected=2) if len(asked) == 1 else result()

    after, last = settled(first, audit)
    assert last.safe
    assert asked == [first, after]
    notes = {one.key: {cell.note for cell in one.cells} for one in after.tables}
    assert notes["three_terms"] == notes["made_of_it"] == {Note.ONCE}
    assert after.tables[1] == first.tables[1]
    # The next release has three terms, and with them what counts few: not for the second time.
    assert notes[few.key] == {Note.ONCE}
    published = Published(SPRING, Links.of(first.catalogue))
    published.put_all(after.catalogue, after.tables)
    assert not published.overlaps()


def test_three_terms_do_not_wait_where_nothing_was_corrected() -> None:
    three = replace(WARDS, key="three_terms", span=Span.ROLLING)
    with pytest.raises(Refused, match="More than 2"):
        settled(release((three, whole(three, EVERY))), lambda _: result(finding("three_terms")))
