"""Which term is published next: each in its turn, the first only where records were kept here."""

from datetime import date
from fractions import Fraction

from panel.insight.blocks import MOST_FOUND, found_in
from panel.insight.core.facts import Term
from panel.insight.core.released import Finding
from panel.insight.core.words import Period
from panel.insight.saying import Areas
from panel.insight.term_end import next_term

AUTUMN = Term("2025-09-03", "2025-12-18", Period("2025-autumn"))
SPRING = Term("2026-01-05", "2026-03-27", Period("2026-spring"))
SUMMER = Term("2026-04-13", "2026-07-21", Period("2026-summer"))
OVER = (SUMMER, AUTUMN, SPRING)


def test_the_first_is_the_newest_that_was_kept_here() -> None:
    assert next_term(OVER, None, date(2026, 5, 1)) == SUMMER.period
    assert next_term(OVER, None, date(2026, 7, 21)) == SUMMER.period
    # Of a term that was over before, half may not be brought in yet: a person says when it is.
    assert next_term(OVER, None, date(2026, 7, 22)) is None
    assert next_term(OVER, None, None) is None
    assert next_term((), None, date(2026, 5, 1)) is None


def test_then_each_in_its_turn_and_none_twice() -> None:
    assert next_term(OVER, AUTUMN.period, None) == SPRING.period
    assert next_term(OVER, SPRING.period, None) == SUMMER.period
    assert next_term(OVER, SUMMER.period, date(2026, 5, 1)) is None


def test_a_page_names_the_first_of_very_many_figures_and_says_how_many_there_are() -> None:
    one = Finding(
        "unmet_by_kind",
        SUMMER.period,
        ("*", "short_break"),
        Fraction(1),
        Fraction(2),
        ("unmet_by_kind",),
    )
    few, many = (found_in([one] * how_many, Areas()) for how_many in (MOST_FOUND, 1_234))
    assert (len(few.rows), few.sentences) == (MOST_FOUND, ())
    assert (len(many.rows), many.sentences) == (
        MOST_FOUND,
        ("These are the first 100 of 1,234.",),
    )
