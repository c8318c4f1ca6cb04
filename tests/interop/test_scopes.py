"""What a scope lets through, in both grammars, and what two of them let through together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interop.scopes import EVERY, LETTERS, RELEASES, TYPES, asked_for, read_scopes, wrong_scopes


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        ("system/CarePlan.rs", ["system/CarePlan.rs"]),
        ("system/CarePlan.read", ["system/CarePlan.rs"]),
        ("system/CarePlan.write", ["system/CarePlan.cud"]),
        ("system/CarePlan.*", ["system/CarePlan.cruds"]),
        ("system/*.read", ["system/*.rs"]),
        ("system/*.cruds", ["system/*.cruds"]),
        ("system/CarePlan.r system/CarePlan.s", ["system/CarePlan.rs"]),
        ("system/*.rs system/CarePlan.r", ["system/*.rs"]),
        ("system/*.rs system/CarePlan.cr", ["system/*.rs", "system/CarePlan.cr"]),
        ("system/releases.r", ["system/releases.r"]),
        ("system/*.cruds system/releases.r", ["system/*.cruds", "system/releases.r"]),
        ("system/Task.c patient/Task.rs user/*.cruds launch openid", ["system/Task.c"]),
    ],
)
def test_both_grammars_are_read(text: str, listed: list[str]) -> None:
    assert asked_for(text).listed() == listed


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "system/CarePlan.",
        "system/CarePlan",
        "system/CarePlan.sr",
        "system/CarePlan.rr",
        "system/CarePlan.rsx",
        "system/CarePlan.READ",
        "System/CarePlan.rs",
        "system/careplan.rs",
        "system/.rs",
        "system/**.rs",
        "system/CarePlan.rs?category=x",
        "system/CarePlan.rs\n",
        "system/CarePlan.rs\0",
        "system/Care/Plan.rs",
        "system\\CarePlan.rs",
        "system/CärePlan.rs",
        "system/releases.rs",
        "system/releases.read",
        "system/releases.*",
        "system/releases.cruds",
        "system/Releases",
        "*",
        "x" * 10_000,
    ],
)
def test_what_is_no_scope_gives_nothing(text: str) -> None:
    assert not asked_for(text)
    assert not asked_for(text).permits("CarePlan", "r")


def test_figures_are_read_with_their_own_scope_and_records_are_not() -> None:
    every, figures = read_scopes(["system/*.cruds"]), read_scopes(["system/releases.r"])
    assert not every.permits(RELEASES, "r")
    assert figures.permits(RELEASES, "r")
    assert not any(figures.permits(kind, letter) for kind in TYPES for letter in LETTERS)
    assert not every.within(figures)
    assert not figures.within(every)
    both = read_scopes(["system/*.rs", "system/releases.r"])
    assert both.within(figures).listed() == ["system/releases.r"]
    assert both.within(every).listed() == ["system/*.rs"]
    assert wrong_scopes(["system/releases.r"]) == []
    assert wrong_scopes(["system/releases.rs"])


def test_too_many_are_not_read() -> None:
    assert not asked_for(" ".join(["system/Task.rs"] * 400))
    assert asked_for(" ".join(["system/Task.r"] * 200)).listed() == ["system/Task.r"]


SCOPES = st.lists(
    st.builds(
        lambda kind, letters: f"system/{kind}.{''.join(x for x in LETTERS if x in letters)}",
        st.sampled_from([EVERY, *TYPES[:4]]),
        st.sets(st.sampled_from(LETTERS), min_size=1),
    ),
    max_size=4,
)


@given(SCOPES, SCOPES)
def test_together_they_let_through_what_both_do(asked: list[str], registered: list[str]) -> None:
    one, other = read_scopes(asked), read_scopes(registered)
    both = one.within(other)
    for kind in TYPES[:6]:
        for letter in LETTERS:
            expected = one.permits(kind, letter) and other.permits(kind, letter)
            assert both.permits(kind, letter) is expected
    assert read_scopes(both.listed()) == both
    assert other.within(one) == both
    assert bool(both) is bool(both.listed())


def test_what_is_wrong_is_told_in_a_sentence() -> None:
    assert wrong_scopes(["system/*.rs", "system/CarePlan.read"]) == []
    assert "Enter one scope" in wrong_scopes([])[0]
    assert "no scope of a system" in wrong_scopes(["patient/CarePlan.rs"])[0]
    assert "“CarPlan” is no type" in wrong_scopes(["system/CarPlan.rs"])[0]
    assert "at most 100" in wrong_scopes(["system/*.rs"] * 101)[0]
