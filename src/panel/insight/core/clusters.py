"""Groups of three to six wards that touch: what small wards are read in. Pure.

A group is made once and kept, so that its figures mean the same wards each term. A ward that comes
later joins a group beside it.
"""

from collections.abc import Iterable, Mapping

LEAST, MOST = 3, 6
_USUAL = 4
"""Wards of a group, where their number allows: with room for what is left over beside it."""
Point = tuple[float, float]


def touching(points: Mapping[str, Iterable[Point]]) -> Mapping[str, frozenset[str]]:
    """Which areas have a line in common: at least two points of their boundaries are the same.

    `points` are in degrees, of every ring. They are the same to a millionth of a degree: published
    boundaries of neighbours are drawn from the same line.
    """
    held: dict[tuple[int, int], set[str]] = {}
    for code, those in points.items():
        for x, y in those:
            held.setdefault((round(x * 1e6), round(y * 1e6)), set()).add(code)
    shared: dict[tuple[str, str], int] = {}
    for codes in held.values():
        for one in codes:
            for other in codes - {one}:
                shared[one, other] = shared.get((one, other), 0) + 1
    return {
        code: frozenset(other for (one, other), many in shared.items() if one == code and many > 1)
        for code in points
    }


def grouped(
    beside: Mapping[str, frozenset[str]], kept: Mapping[str, str] | None = None
) -> Mapping[str, str]:
    """Ward → its group. `beside` has every ward, with those that it touches; `kept` stays as it is.

    The code of a group is "G" and that of the first ward that it was made of. Wards that touch no
    other are grouped in the order of their codes.
    """
    groups: dict[str, list[str]] = {}
    for ward, group in sorted((kept or {}).items()):
        if ward in beside:
            groups.setdefault(group, []).append(ward)
    left = {one for one in beside if one not in (kept or {})}
    if not groups:
        left = _new_groups(beside, left, groups)
    for ward in sorted(left):
        groups[_nearest(ward, beside, groups)].append(ward)
    return {ward: group for group, wards in groups.items() for ward in wards}


def _new_groups(
    beside: Mapping[str, frozenset[str]], left: set[str], groups: dict[str, list[str]]
) -> set[str]:
    """Make groups of what is left; gives back wards that were too few for one of their own."""
    over: set[str] = set()
    aim = max(LEAST, len(left) // max(1, round(len(left) / _USUAL)))
    while left:
        # From the edge inward, so that nobody is left alone in the middle.
        first = min(left, key=lambda one: (len(beside[one] & left) or len(left), one))
        wards = [first]
        left.discard(first)
        while len(wards) < aim and left:
            near = [one for one in left if not beside[one].isdisjoint(wards)]
            if not near and beside[first]:
                break
            # Most in touch with the group, and least with the rest; without boundaries by code.
            wards.append(
                min(
                    near or left,
                    key=lambda one: (
                        -len(beside[one].intersection(wards)),
                        len(beside[one] & left),
                        one,
                    ),
                )
            )
            left.discard(wards[-1])
        if len(wards) < LEAST and (groups or left):
            over.update(wards)
        else:
            groups[f"G{min(wards)}"] = wards
    if not groups:
        groups[f"G{min(over)}"] = sorted(over)
        over = set()
    return over


def _nearest(
    ward: str, beside: Mapping[str, frozenset[str]], groups: Mapping[str, list[str]]
) -> str:
    """The group beside a ward with the fewest wards; with room if one has, else any."""
    return min(
        groups,
        key=lambda one: (
            beside[ward].isdisjoint(groups[one]),
            len(groups[one]) >= MOST,
            len(groups[one]),
            one,
        ),
    )
