"""What overlaps, what is carried on, what ends: the rules alone."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from consent import Agreement, Category, Level, Purpose, Span
from panel.sharing.agreeing_rules import (
    ends_soon,
    has_ended,
    is_carried_on,
    last_day_of_responsibility,
    overlaps,
    says_the_same,
)
from panel.sharing.coming_of_age import Word, to_decide

TODAY = date(2026, 11, 23)
SCHOOL, HEALTH = UUID(int=1), UUID(int=2)
MOTHER, FATHER = UUID(int=11), UUID(int=12)


def agreement(number: int = 1, **said: Any) -> Agreement:
    words: dict[str, Any] = {
        "id": UUID(int=100 + number),
        "given": True,
        "by": MOTHER,
        "by_words": "her mother",
        "agencies": frozenset({SCHOOL}),
        "level": Level.BASIC,
        "purposes": frozenset({Purpose.SUPPORT}),
        "span": Span(date(2026, 1, 1), date(2026, 12, 1)),
    }
    return Agreement(**(words | said))


def days(start: int, end: int | None) -> Span:
    return Span(TODAY + timedelta(days=start), None if end is None else TODAY + timedelta(days=end))


SPANS = st.tuples(st.integers(-60, 60), st.none() | st.integers(0, 90)).map(
    lambda one: days(one[0], None if one[1] is None else one[0] + one[1])
)
AGREEMENTS = st.builds(
    agreement,
    number=st.integers(1, 9),
    given=st.booleans(),
    by=st.sampled_from([MOTHER, FATHER]),
    agencies=st.frozensets(st.sampled_from([SCHOOL, HEALTH])),
    level=st.sampled_from([None, *Level]),
    named=st.frozensets(st.sampled_from([Category.HEALTH, Category.FINANCE])),
    purposes=st.frozensets(st.sampled_from([Purpose.SUPPORT, Purpose.PANEL])),
    span=SPANS,
)


def test_one_persons_agreements_overlap_where_agency_purpose_and_days_do() -> None:
    assert overlaps(agreement(1), agreement(2, level=Level.ADDITIONAL))
    assert not overlaps(agreement(1), agreement(2, by=FATHER))
    assert not overlaps(agreement(1), agreement(2, agencies=frozenset({HEALTH})))
    assert not overlaps(agreement(1), agreement(2, purposes=frozenset({Purpose.PANEL})))
    assert not overlaps(agreement(1), agreement(2, span=Span(date(2026, 12, 2), None)))
    assert overlaps(agreement(1), agreement(2, span=Span(date(2026, 12, 1), None)))


@given(AGREEMENTS, AGREEMENTS)
def test_overlapping_is_mutual_and_a_day_shows_it(one: Agreement, other: Agreement) -> None:
    assert overlaps(one, other) == overlaps(other, one)
    both_hold = any(
        one.span.holds(day) and other.span.holds(day)
        for day in (TODAY + timedelta(days=number) for number in range(-61, 152))
    )
    shares = (
        one.given
        and other.given
        and one.by == other.by
        and one.agencies & other.agencies
        and one.purposes & other.purposes
    )
    assert overlaps(one, other) == bool(shares and both_hold)


def test_the_same_terms_are_the_same_whatever_words_named_them() -> None:
    named = agreement(2, named=frozenset({Category.PLAN}), span=Span(TODAY, None))
    assert says_the_same(agreement(1), named), "the plan is basic information already"
    assert not says_the_same(agreement(1), agreement(2, level=Level.ADDITIONAL))


def test_an_agreement_ends_soon_from_28_days_before_until_its_last_day() -> None:
    for left, soon in ((29, False), (28, True), (0, True), (-1, False)):
        one = agreement(span=days(-60, left))
        assert ends_soon(one, TODAY, 28) is soon
        assert has_ended(one, TODAY) is (left < 0)
    assert not ends_soon(agreement(span=days(1, 5)), TODAY, 28), "it has not begun"
    assert not ends_soon(agreement(span=days(-60, None)), TODAY, 28)


@given(AGREEMENTS, st.lists(AGREEMENTS, max_size=4))
def test_what_is_carried_on_stays_open_on_the_day_after(
    one: Agreement, others: list[Agreement]
) -> None:
    if one.span.end is None or not is_carried_on(one, others):
        return
    after = one.span.end + timedelta(days=1)
    assert any(
        other.given
        and other.id != one.id
        and other.span.holds(after)
        and other.agencies >= one.agencies
        and other.purposes >= one.purposes
        for other in others
    )


def test_a_narrower_agreement_carries_nothing_on() -> None:
    later = {"span": Span(date(2026, 12, 2), date(2027, 12, 1))}
    old = agreement(1, level=Level.ADDITIONAL)
    assert is_carried_on(old, [agreement(2, level=Level.ADDITIONAL, **later)])
    assert not is_carried_on(old, [agreement(2, **later)])
    assert not is_carried_on(
        old, [agreement(2, level=Level.ADDITIONAL, span=Span(date(2026, 12, 3), None))]
    )


def test_parental_responsibility_ends_on_the_day_before_18() -> None:
    assert last_day_of_responsibility(date(2010, 5, 3)) == date(2028, 5, 2)
    assert last_day_of_responsibility(date(2008, 2, 29)) == date(2026, 2, 28)


def test_a_young_person_is_to_decide_from_28_days_before_16() -> None:
    for born, found in (
        (date(2010, 12, 22), False),
        (date(2010, 12, 21), True),
        (date(2010, 11, 23), True),
        (date(2001, 1, 1), True),
        (date(2000, 11, 23), False),
    ):
        assert (to_decide(born, [], TODAY, 28) is not None) is found, born
    assert to_decide(None, [], TODAY, 28) is None


def test_what_parents_said_is_no_own_word_and_an_own_word_ends_the_step() -> None:
    born = date(2010, 11, 1)
    parents = Word("parental_responsibility", date(2026, 1, 1), in_force=True)
    assert to_decide(born, [parents], TODAY, 28) is not None
    for capacity in ("own", "best_interests"):
        assert (
            to_decide(born, [Word(capacity, date(2026, 11, 2), in_force=False)], TODAY, 28) is None
        )
    early = Word("own_competent", date(2026, 1, 1), in_force=False)
    assert to_decide(born, [early], TODAY, 28) is not None, "it is over, and was before 16"


@given(st.dates(date(1995, 1, 1), date(2026, 1, 1)), st.integers(0, 60))
def test_whoever_is_18_was_16(born: date, ahead: int) -> None:
    step = to_decide(born, [], TODAY, ahead)
    if step is not None:
        assert not step.is_18 or (step.is_16 and step.eighteen_on is not None)
        assert step.sixteen_on <= TODAY + timedelta(days=ahead)
