"""Which counts an attack has to reckon with: sets of dimensions that hang together without a cycle.

Tables that share dimensions agree on their common margins. Where the sets of dimensions form a
tree (every two share no more than all sets between them do), counts that agree along its branches
are the margins of one whole table, so that the whole table need not be written down. Where they
do not, two sets are joined into one until they do: a cycle is paid for with columns, and never
passed over.
"""

from collections.abc import Iterable
from itertools import combinations

Dims = frozenset[str]


def maximal(sets: Iterable[Dims]) -> list[Dims]:
    """The sets that are in no other, in a settled order."""
    distinct = set(sets)
    kept = [one for one in distinct if not any(one < other for other in distinct)]
    return sorted(kept, key=lambda one: (sorted(one), len(one)))


def tree(sets: list[Dims]) -> list[tuple[int, int]]:
    """Branches of a greatest spanning tree over what sets share: pairs of their places."""
    near = sorted(
        combinations(range(len(sets)), 2), key=lambda pair: -len(sets[pair[0]] & sets[pair[1]])
    )
    part = list(range(len(sets)))
    branches = []
    for a, b in near:
        if part[a] != part[b]:
            branches.append((a, b))
            old = part[b]
            part = [part[a] if one == old else one for one in part]
    return branches


def _hangs_together(sets: list[Dims], branches: list[tuple[int, int]]) -> bool:
    """Whether, for each dimension, the sets that have it are connected by branches that have it.

    In a tree that is so when there is one branch less than there are sets.
    """
    return all(
        sum(dim in sets[a] and dim in sets[b] for a, b in branches)
        == sum(dim in one for one in sets) - 1
        for dim in frozenset().union(*sets)
    )


def cliques(sets: Iterable[Dims]) -> tuple[list[Dims], list[tuple[int, int]]]:
    """Sets that hold all of these and hang together as a tree, and the tree's branches."""
    held = maximal(sets)
    branches = tree(held)
    while not _hangs_together(held, branches):
        a, b = max(
            combinations(range(len(held)), 2), key=lambda pair: len(held[pair[0]] & held[pair[1]])
        )
        held = maximal([*held, held[a] | held[b]])
        branches = tree(held)
    return held, branches
