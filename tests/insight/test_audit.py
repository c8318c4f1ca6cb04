"""The attack on everything published: known bounds, planted tables, and what it does not finish."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from time import monotonic

import numpy as np
import pytest

from panel.insight.core.audit import Attack, audit, audit_at_once
from panel.insight.core.cliques import cliques
from panel.insight.core.facts import Unmet
from panel.insight.core.model import Builder, Contradicts, behind
from panel.insight.core.parts import parts
from panel.insight.core.released import AuditResult, PublishedRules, Release
from panel.insight.core.words import AGE_BANDS, Level, Span
from tests.insight.releases import (
    AUTUMN,
    HIDES_FEW,
    RULES,
    SPRING,
    SUMMER,
    of_cells,
    release,
    table,
    whole,
    with_margins,
)

SEX = table("by_sex", "sex", level=Level.AUTHORITY)


def asked(*releases: Release) -> AuditResult:
    return audit(releases, until=monotonic() + 60)


def bounds(*releases: Release) -> dict[tuple[str, ...], tuple[float, float]]:
    """The exact bounds of each cell that is asked about, in the whole model at once."""
    found = {}
    for part in parts(Builder(releases).build()):
        attack = Attack(part, monotonic() + 60)
        for at, target in enumerate(part.targets):
            weights = np.zeros(len(part.targets))
            for sign in (1, -1):
                weights[at] = sign
                attack.ask(weights)
            found[target.cell] = (float(attack.low[at]), float(attack.high[at]))
    return found


@pytest.mark.parametrize(
    ("published", "low", "high"), [(0, 0, 4), (5, 1, 10), (10, 5, 15), (20, 15, 25), (100, 95, 105)]
)
def test_what_lies_behind_a_figure_is_read_out_of_the_published_rules(
    published: int, low: int, high: int
) -> None:
    assert behind(RULES, published) == (low, high)


def test_a_figure_that_no_rule_makes_is_a_contradiction() -> None:
    strange = release((SEX, of_cells(SEX, {("*",): 7})))
    with pytest.raises(Contradicts, match="by_sex"):
        asked(strange)


def test_one_small_part_is_found_when_whole_and_other_part_are_exact() -> None:
    """20 in all, 17 girls: the boys, published as 0, are 3."""
    shown = release(
        (SEX, of_cells(SEX, {("*",): 20, ("female",): 17, ("male",): 0})), rules=HIDES_FEW
    )
    assert bounds(shown) == {("male",): (3, 3)}
    result = asked(shown)
    assert not result.safe
    (finding,) = result.findings
    assert (finding.table, finding.period, finding.cell) == ("by_sex", AUTUMN, ("male",))
    assert (finding.low, finding.high) == (3, 3)
    assert finding.by == ("by_sex",)


def test_two_small_parts_hide_each_other() -> None:
    cells = {("*",): 20, ("female",): 16, ("male",): 0, ("indeterminate",): 0}
    found = bounds(release((SEX, of_cells(SEX, cells)), rules=HIDES_FEW))
    assert found == {("male",): (0, 4), ("indeterminate",): (0, 4)}
    assert asked(release((SEX, of_cells(SEX, cells)), rules=HIDES_FEW)).safe


def test_what_is_withheld_is_asked_about_too() -> None:
    cells = {("*",): 20, ("female",): 17, ("male",): None}
    (finding,) = asked(release((SEX, of_cells(SEX, cells)), rules=HIDES_FEW)).findings
    assert finding.cell == ("male",)


def test_the_same_figures_are_safe_when_they_were_changed_a_little() -> None:
    cells = {("*",): 20, ("female",): 15, ("male",): 0, ("indeterminate",): 0}
    result = asked(release((SEX, of_cells(SEX, cells))))
    assert result.safe
    assert (result.unfinished, result.cells) == (0, 2)


def test_another_figure_than_that_of_the_whole_tells_that_there_is_somebody_else() -> None:
    """Had they all been girls, the girls would show the same 20: so the boys are 1 at least."""
    cells = {("*",): 20, ("female",): 15, ("male",): 0}
    (finding,) = asked(release((SEX, of_cells(SEX, cells)))).findings
    assert (finding.cell, finding.low, finding.high) == (("male",), 1, 4)
    same = {("*",): 20, ("female",): 20, ("male",): 0}
    assert asked(release((SEX, of_cells(SEX, same)))).safe


def test_a_small_part_of_a_known_nothing_is_no_finding() -> None:
    """A cell that cannot have anybody in it is nobody's secret."""
    impossible = replace(SEX, structural_zeros=frozenset({("male",)}))
    cells = {("*",): 20, ("female",): 20, ("male",): 0}
    assert asked(release((impossible, of_cells(impossible, cells)), rules=HIDES_FEW)).safe


# Planted tables -----------------------------------------------------------------------------------

YEARS = (3, 4, 6, 7, 2, 9, 4, 8, 5, 12, 3, 6)
"""Children by single year of age, from 0 on."""


def in_bands(first: int) -> dict[str, int]:
    """Bands of three years from `first` on, and what is before and after them."""
    edges = [*range(first, len(YEARS), 3), len(YEARS)]
    if edges[0] != 0:
        edges = [0, *edges]
    return {f"{a}–{b - 1}": sum(YEARS[a:b]) for a, b in pairwise(edges)}


def test_age_bands_a_year_apart_are_each_safe_and_together_refused_with_the_cells_named() -> None:
    """The measured attack of TRAPS.md: 118 of 160 single years."""
    ours = table("by_age", "age", level=Level.AUTHORITY)
    planted = table("by_age_from_1", "age", level=Level.AUTHORITY)
    first = (ours, of_cells(ours, with_margins(in_bands(0))))
    second = (planted, of_cells(planted, with_margins(in_bands(1))))
    assert asked(release(first, rules=HIDES_FEW)).safe
    both = asked(release(first, second, rules=HIDES_FEW))
    assert not both.safe
    assert {one.cell for one in both.findings} == {("0–0",)}
    assert all({"by_age_from_1"} <= set(one.by) for one in both.findings)


def test_a_term_and_three_terms_are_reckoned_with_together() -> None:
    """Three terms of which the first had 5 or more: they cannot have 0 to 4. As they show another
    figure than it, they have one child more."""
    term = table("by_kind", "kind", fact=Unmet, level=Level.AUTHORITY, many=("kind",))
    three = replace(term, key="by_kind_three", span=Span.ROLLING)
    some = {("*",): 20, ("health",): 5, ("education",): 15}
    few = {("*",): 20, ("health",): 0, ("education",): 20}
    releases = (
        release((term, of_cells(term, some))),
        release((term, of_cells(term, few, SPRING)), period=SPRING),
        release(
            (term, of_cells(term, few, SUMMER)), (three, of_cells(three, few, SUMMER)),
            period=SUMMER,
        ),
    )  # fmt: skip
    found = asked(*releases).findings
    assert ("by_kind_three", ("health",), 2, 4) in {
        (one.table, one.cell, one.low, one.high) for one in found
    }
    autumn = [one for one in found if (one.table, one.period) == ("by_kind", AUTUMN)]
    assert [(one.low, one.high) for one in autumn] == [(1, 3)], "what the 5 is then"
    assert {one.cell for one in audit_at_once(releases, until=monotonic() + 60).findings} == {
        ("health",)
    }


def test_unmet_need_is_of_children_known() -> None:
    known = table("known_by_area", "area")
    unmet = table("unmet", "area", "kind", fact=Unmet, many=("kind",))
    shown = release(
        (known, whole(known, {("*",): 20, ("c1",): 0, ("c2",): 20})),
        (unmet, whole(unmet, {("*", "*"): 20, ("c1", "*"): 5, ("c2", "*"): 15})),
    )
    found = {(one.table, one.cell): (one.low, one.high) for one in asked(shown).findings}
    assert found["unmet", ("c1", "*")] == (1, 3), "not all of those known, who show another figure"
    assert found["known_by_area", ("c1",)] == (2, 4)


# What it is made of -------------------------------------------------------------------------------


def test_sets_in_a_ring_are_joined_until_they_hang_together_as_a_tree() -> None:
    ring = [frozenset(one) for one in ("ab", "bc", "cd", "da")]
    assert cliques(ring) == ([frozenset("abcd")], [])
    straight, _ = cliques([frozenset("ab"), frozenset("bc")])
    assert straight == [frozenset("ab"), frozenset("bc")]


def test_a_model_holds_the_truth() -> None:
    """Wards, ages and sexes that were counted are a solution of what they were published as."""
    by_age = table("by_age", "area", "age", level=Level.WARD)
    by_sex = table("by_sex", "area", "sex")
    surely = Fraction(1)
    exact = PublishedRules({0: {0: surely}, 1: {1: surely}}, 1, 0, 30, RULES.clusters)
    assert behind(exact, 17) == (17, 17)
    age = {("*", "*"): 40, ("w1", "*"): 10, ("w2", "*"): 30, ("w1", AGE_BANDS[0]): 10}
    sex = {("*", "*"): 40, ("c1", "*"): 40, ("c1", "male"): 25}
    shown = release((by_age, whole(by_age, age)), (by_sex, whole(by_sex, sex)), rules=exact)
    model = Builder([shown]).build()
    (part,) = parts(model)
    attack = Attack(part, monotonic() + 60)
    attack.ask(np.ones(len(part.targets)))
    found = bounds(shown)
    assert found["c1", "female"] == (0, 15)
    assert found["w3", "*"] == (0, 0)
    assert found["w2", AGE_BANDS[0]] == (0, 30)


def test_what_is_not_finished_is_not_safe() -> None:
    cells = {("*",): 20, ("female",): 15, ("male",): 0}
    late = audit([release((SEX, of_cells(SEX, cells)))], until=monotonic() - 1)
    assert not late.safe
    assert (late.unfinished, late.findings) == (1, ())


def test_releases_that_contradict_each_other_are_not_safe() -> None:
    impossible = release((SEX, of_cells(SEX, {("*",): 5, ("female",): 100, ("male",): 0})))
    result = asked(impossible)
    assert not result.safe
    assert result.unfinished == 2
