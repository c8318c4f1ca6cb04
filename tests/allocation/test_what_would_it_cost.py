"""The calculator over all packages: exact, and of no child alone."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from panel.allocation.costing import Every, Line, Price
from panel.allocation.money import FinancialYear
from panel.allocation.packages_calculator import Counted, WhatIf, calculate
from panel.platform.problems import Invalid

YEAR = FinancialYear(2026)
APRIL, OCTOBER = date(2026, 4, 1), date(2026, 10, 1)


def line(child: int, unit: str, price: str) -> Counted:
    """One a year, from 1 April on: what it costs a year is its price."""
    prices = [Price(Decimal(price), APRIL)]
    return Counted(UUID(int=child), unit, Line(Decimal(1), Every.YEAR, APRIL, None, prices))


SIX = [line(child, "night", "1000.00") for child in range(6)]


def test_a_dearer_night_costs_more_from_the_day_on_which_it_is_dearer() -> None:
    [group] = calculate(SIX, YEAR, WhatIf(APRIL, price=Decimal(5)))
    assert (group.children, group.now, group.then) == (6, Decimal("6000.00"), Decimal("6300.00"))
    # 182 of 365 days: £6,000 × 182 ÷ 365 × 5% = £149.589…
    [later] = calculate(SIX, YEAR, WhatIf(OCTOBER, price=Decimal(5)))
    assert later.difference == Decimal("149.59")
    [all_three] = calculate(
        SIX, YEAR, WhatIf(APRIL, price=Decimal(10), units=Decimal(-50), number=Decimal(100))
    )
    assert all_three.then == Decimal("6600.00")
    [untouched] = calculate(SIX, YEAR, WhatIf(date(2027, 4, 1), price=Decimal(5)))
    assert untouched.difference == 0


def test_what_few_children_get_is_never_shown_alone() -> None:
    few = [line(child, "hour", "777.77") for child in range(4)]
    change = WhatIf(APRIL, price=Decimal(10))
    assert calculate(few, YEAR, change) == [], "four children together"
    groups = calculate([*SIX, *few], YEAR, change)
    assert [one.unit for one in groups] == ["other"], "what is left beside a group would be them"
    many = [*SIX, *few, *(line(child, "day", "10.00") for child in range(20, 40))]
    groups = calculate(many, YEAR, change)
    assert [(one.unit, one.children) for one in groups] == [("day", 20), ("other", 6)]
    with pytest.raises(Invalid) as refused:
        calculate(many, YEAR, WhatIf(APRIL, unit="hour", price=Decimal(100)))
    assert refused.value.errors[0].field == "unit"
    with pytest.raises(Invalid):
        calculate(many, YEAR, WhatIf(APRIL, unit="night", price=Decimal(100)))
    [shown, _] = calculate(many, YEAR, WhatIf(APRIL, unit="day", price=Decimal(100)))
    assert shown.difference == Decimal("200.00")
