"""The model of everything published, taken apart where nothing connects it.

Two counts hang together when a row or a cell that is asked about has both, or when a chain of such
does. What hangs on nothing outside can be asked about alone and loses nothing: a truth of the whole
is any truth of each part, one beside the other (docs/adr/0044).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from panel.insight.core.counts_block import Row
from panel.insight.core.model import Model, Target

_WHAT_IS_ASKED = b"Of every cell that may hold 1 to 4: can it lie 4 apart? 1"
"""Changes when the question does, so that an answer to another one is none to this."""


@dataclass
class Part:
    """Columns that hang together, and nothing outside hangs on them."""

    columns: NDArray[np.int64]
    rows: list[Row] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)

    def places(self) -> NDArray[np.int32]:
        """Column of the model → column of the part; -1 of those that are in no part of it."""
        at = np.full(int(self.columns.max()) + 1, -1, dtype=np.int32)
        at[self.columns] = np.arange(len(self.columns), dtype=np.int32)
        return at


def parts(model: Model) -> list[Part]:
    """All parts that have cells to ask about."""
    targets = [one for one in model.targets if len(one.columns)]
    joined = [np.concatenate((row.plus, row.minus)) for row in model.rows]
    of = _connected(model.columns, [*joined, *(one.columns for one in targets)])
    found: dict[int, Part] = {}
    for one in targets:
        root = int(of[one.columns[0]])
        if root not in found:
            found[root] = Part(np.flatnonzero(of == root))
        found[root].targets.append(one)
    for row, columns in zip(model.rows, joined, strict=True):
        if len(columns) and (part := found.get(int(of[columns[0]]))) is not None:
            part.rows.append(row)
    return [found[root] for root in sorted(found)]


def undivided(model: Model) -> list[Part]:
    """The whole model as one part, for whoever does not believe that it may be taken apart."""
    targets = [one for one in model.targets if len(one.columns)]
    return [Part(np.arange(model.columns), model.rows, targets)] if targets else []


def _connected(count: int, together: Sequence[NDArray[np.int32]]) -> NDArray[np.int64]:
    """For each column the least column that it hangs together with."""
    of = np.arange(count)
    kept = [one for one in together if len(one)]
    if not kept:
        return of
    sizes = np.array([len(one) for one in kept])
    joined, starts = np.concatenate(kept), np.cumsum(sizes) - sizes
    while True:
        before = of.copy()
        least = np.minimum.reduceat(of[joined], starts)
        np.minimum.at(of, joined, np.repeat(least, sizes))
        of = of[of]
        if np.array_equal(before, of):
            return of


def digest_of(part: Part) -> str:
    """SHA-256 in hex of everything that is asked and of everything that is known about it.

    The same digest is the same question, wherever in a model the part stands.
    """
    at = part.places()
    said = sha256(_WHAT_IS_ASKED)
    said.update(f"\n{len(part.columns)} {len(part.rows)} {len(part.targets)}\n".encode())
    for row in part.rows:
        plus, minus = at[row.plus], at[row.minus]
        head = f"{len(plus)} {len(minus)} {row.low} {row.high} {row.past}\n"
        said.update(head.encode() + plus.tobytes() + minus.tobytes())
    for one in part.targets:
        columns = at[one.columns]
        head = f"{one.table} {one.period} {list(one.cell)} {len(columns)}\n"
        said.update(head.encode() + columns.tobytes())
    return said.hexdigest()
