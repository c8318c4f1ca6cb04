"""Shifting places: ranges out of published figures, and a sentence for what cannot be."""

from dataclasses import replace
from decimal import Decimal

import pytest

from panel.insight import scenario
from panel.insight.core.cells import Cell, Note, shown, withheld
from panel.insight.reading import Seen
from panel.insight.scenario import Asked, Known, Money, answer, known_of, read, sentences
from tests.insight.a_release import seen

KNOWN = Known(
    placed=40,
    home=Money(60_000, 80_000, "Published"),
    service=Money(1_500, 2_000, "Published"),
    lacking=120,
    there=None,
)
TYPED = {
    "places": "10", "kind": "short_break", "each": "3",
    "home_low": "60,000", "home_high": "£80000", "kind_low": "1500", "kind_high": "2000",
}  # fmt: skip


def published(**cells: Cell) -> Seen:
    """A release of which these tables have one cell each."""
    return replace(seen(), cells={key: (one,) for key, one in cells.items()})


def test_the_low_saving_goes_with_the_high_cost() -> None:
    asked, wrong = read(TYPED, KNOWN)
    assert wrong == {}
    assert asked == Asked(10, "short_break", 3, (60_000, 80_000), (1_500, 2_000))
    found = answer(asked, KNOWN)
    assert found.saved == (600_000, 800_000)
    assert found.spent == (45_000, 60_000)
    assert found.left == (540_000, 755_000)
    # No more children than lack one.
    assert found.more == (120, 120)
    said = sentences(asked, KNOWN, found)
    assert "£540,000 to £760,000 would be left each term" in said[0]
    assert "120 children of about 120" in said[1]
    assert "need 30 places" in said[2]


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"places": "41"}, "places", "only about 40 residential places: write 40 or fewer"),
        ({"places": "-3"}, "places", "must be 1 or more"),
        ({"places": "0"}, "places", "must be 1 or more"),
        ({"places": ""}, "places", "write a whole number"),
        ({"places": "2.5"}, "places", "a whole number, such as 5"),
        ({"places": "²"}, "places", "a whole number, such as 5"),
        ({"places": "9" * 20}, "places", "a whole number, such as 5"),
        ({"each": "21"}, "each", "20 or fewer"),
        ({"home_low": "90000"}, "home_low", "must not be above the high one"),
        ({"home_high": "2000000"}, "home_high", "£1,000,000 or less"),
        ({"kind_low": ""}, "kind_low", "write a whole number"),
    ],
)
def test_what_cannot_be_has_a_sentence(typed: dict[str, str], field: str, sentence: str) -> None:
    asked, wrong = read({**TYPED, **typed}, KNOWN)
    assert asked is None
    assert sentence in wrong[field]


def test_what_is_not_published_is_said() -> None:
    _, wrong = read(
        {**TYPED, "kind_low": "", "kind_high": ""}, replace(KNOWN, service=None, placed=None)
    )
    assert "No cost of the kind “short break” is published" in wrong["kind_low"]
    assert "too few to be shown" in wrong["places"]


def test_it_may_cost_more_than_it_saves() -> None:
    dear = replace(KNOWN, home=Money(1_000, 2_000, ""), service=Money(3_000, 4_000, ""))
    asked = Asked(10, "therapy", 1, (1_000, 2_000), (3_000, 4_000))
    found = answer(asked, dear)
    assert found.left == (-30_000, -10_000)
    assert found.more == (0, 0)
    assert "saves nothing" in sentences(asked, dear, found)[0]
    unsure = Asked(10, "therapy", 1, (3_000, 5_000), (3_000, 4_000))
    assert "not sure" in sentences(unsure, dear, answer(unsure, dear))[0]


def test_a_range_is_as_wide_as_the_changes_of_figures_leave_open() -> None:
    home = known_of(
        published(
            residential_or_not=shown(("*", "true"), 40),
            cost_residential_or_not=shown(("true",), 2_400_000),
        ),
        "short_break",
    ).home
    # Truly 35 to 45 children, and 2 to 5 per cent more or less money.
    assert home.low <= 2_400_000 * Decimal("0.95") / 45 + 500
    assert home.high >= 2_400_000 * Decimal("1.05") / 35 - 500
    few = published(
        residential_or_not=withheld(("*", "true"), Note.COARSER),
        cost_residential_or_not=withheld(("true",), Note.FEW),
    )
    nothing = known_of(few, "short_break")
    assert nothing.placed is None
    assert (nothing.service, nothing.lacking) == (None, None)
    assert nothing.home.source == scenario.PUBLIC
