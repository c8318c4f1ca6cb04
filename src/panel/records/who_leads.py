"""Who holds a child's plan on a day, as a condition of SQL for the rooms below the plans.

A stretch that has a last day is `ended` from the moment that day is known, and whoever follows is
`accepted` before they begin. So the state alone says nothing of today: dates do. Whoever leads
beside the holder (`role` joint) does not hold the plan.
"""

from typing import Final

HOLDS_TODAY: Final = (
    "l.role = 'main' AND l.state IN ('accepted', 'ended') AND l.from_on <= :today"
    " AND (l.until_on IS NULL OR l.until_on >= :today)"
)
"""Of `lead_professional l`, given `today`: the one row of a child that is held on this day."""
