"""What anybody can reckon from who is on which list, the attack reckons too."""

from time import monotonic

from panel.insight.core.audit import audit
from panel.insight.core.catalogue import CATALOGUE, LINKS, ORDER
from panel.insight.core.nesting import parents, place
from panel.insight.core.released import Release
from panel.insight.core.table import CellId
from panel.insight.core.words import EVERY
from tests.insight.releases import GRID, release, whole

ON, ONE_ONLY = CATALOGUE["on_lists"], CATALOGUE["on_one_list_only"]


def of_two_lists(everybody: int) -> Release:
    """20 on the health list, and a published 0 on the SEN register alone."""
    on: dict[CellId, int | None] = {
        (EVERY, EVERY): everybody,
        ("sen", EVERY): 10,
        ("health", EVERY): 20,
    }
    alone: dict[CellId, int | None] = {("sen",): 0, ("health",): 15, (EVERY,): 15}
    return release((ON, whole(ON, on)), (ONE_ONLY, whole(ONE_ONLY, alone)))


def test_all_on_a_list_less_those_of_one_are_those_on_the_other_alone() -> None:
    found = audit([of_two_lists(25)], until=monotonic() + 60)
    assert [(one.cell, one.low, one.high) for one in found.findings] == [(("sen",), 1, 4)]
    assert found.unfinished == 0


def test_where_both_figures_are_the_same_a_zero_may_be_none() -> None:
    assert audit([of_two_lists(20)], until=monotonic() + 60).safe


def test_who_was_told_agreed_is_one_to_whom_anything_was_agreed() -> None:
    """A 5 of "agreed" beside a 0 of all that was agreed, also in part, says that the 0 is 1 to 4."""
    agreed, decisions = CATALOGUE["agreed_by_area"], CATALOGUE["decisions"]
    some: dict[CellId, int | None] = {(EVERY,): 30, ("c1",): 0, ("c2",): 30}
    told: dict[CellId, int | None] = {(EVERY, EVERY, "agreed"): 30, ("c1", EVERY, "agreed"): 5}
    made = release((agreed, whole(agreed, some)), (decisions, whole(decisions, told)))
    found = audit([made], until=monotonic() + 60)
    assert found.unfinished == 0
    assert (agreed.key, ("c1",)) in {(one.table, one.cell) for one in found.findings}
    # So no figure stands under that zero: all to whom something was agreed come out first.
    assert ORDER.index(agreed) < ORDER.index(decisions)
    period = made.period
    of = place(decisions, period, ("c1", "therapy", "agreed"))
    assert place(agreed, period, ("c1",)) in {
        further for one in parents(of, GRID, LINKS) for further in (one, *parents(one, GRID, LINKS))
    }
