"""What a child's services may cost, for the lead professional who holds the budget: a port.

Money is kept by the room of allocation, which stands above plans; `app` wires it.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from panel.records.gate import Access, Withheld


@dataclass(frozen=True, slots=True)
class ChildBudget:
    """What is approved for a child in a financial year, in pounds; and line by line."""

    amount: Decimal
    year: str
    """"2026 to 2027"."""
    lines: tuple[tuple[str, Decimal], ...]
    """Each package that runs: its name, what it costs in the year."""


class HeldBudget(Protocol):
    """The room that keeps money."""

    async def of_child(self, access: Access) -> ChildBudget | Withheld | None:
        """What is approved for the child, as far as the reader may see it; None: nothing is."""
        ...


class NoBudget:
    """Where no room keeps any."""

    async def of_child(self, _access: Access) -> ChildBudget | Withheld | None:
        """Nothing."""
        return None
