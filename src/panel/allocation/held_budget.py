"""What is approved for a child in this financial year: what plans ask through their port."""

from panel.allocation.money import FinancialYear
from panel.allocation.package_models import PackageState
from panel.allocation.package_reading import packages_for_reading
from panel.records.gate import Access, Withheld
from panel.records.held_budget import ChildBudget


class BudgetOfPackages:
    """The port, with the packages that run."""

    async def of_child(self, access: Access) -> ChildBudget | Withheld | None:
        """What the packages that run cost in this financial year; None where none runs."""
        found, hidden = await packages_for_reading(access)
        year = FinancialYear.of(access.today)
        lines = tuple(
            (one.name, one.cost(year).total)
            for one in found
            if one.state is PackageState.ACTIVE
            and one.from_on <= year.last
            and (one.until_on is None or one.until_on >= year.first)
        )
        if hidden is not None:
            return hidden
        if not lines:
            return None
        return ChildBudget(
            sum((cost for _, cost in lines), start=lines[0][1] * 0), year.name, lines
        )
