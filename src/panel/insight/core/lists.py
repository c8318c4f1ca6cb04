"""What follows from who is on which list, beside what holds of all counts.

Whoever is on one list and on no other is on a list and on none of the others. Of two lists that is
an equation: all who are on a list, less those of one, are those who are on the other alone. Anybody
can reckon it from published figures, and so the attack does.
"""

from collections.abc import Iterator

import numpy as np

from panel.insight.core.catalogue import CATALOGUE
from panel.insight.core.counts_block import INFINITE, Block, Columns, Row
from panel.insight.core.nesting import universe

LIST = "list"
ON, ONE_ONLY = (
    universe(CATALOGUE[key].fact, CATALOGUE[key].where) for key in ("on_lists", "on_one_list_only")
)


def rows_of_one_only(on: Block, one_only: Block) -> Iterator[Row]:
    """Who is on a list alone is beside everybody on the others, and on one list alone."""
    kinds = one_only.axes[LIST]
    for kind in kinds:
        others = [_at(on, other) for other in on.axes[LIST] if other != kind]
        for other in others:
            # More lists than two may share children, so that only no more than the whole is sure.
            most = 0 if len(others) == 1 else INFINITE
            yield Row(_at(on), np.concatenate((other, _at(one_only, kind))), 0, most)
    alone = np.concatenate([_at(one_only, kind) for kind in kinds])
    yield Row(_at(one_only), alone, 0, 0)


def _at(block: Block, kind: str = "") -> Columns:
    """The columns of a list, or of all. KeyError: no table has such a cell."""
    columns = block.columns({LIST: kind} if kind else {})
    if columns is None:
        raise KeyError(kind)
    return columns
