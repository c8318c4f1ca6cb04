"""How the figures of a release were changed and how far off they are: as kept, and in words."""

from fractions import Fraction
from typing import Any

from panel.insight.blocks import Block
from panel.insight.core.ptable import rounded
from panel.insight.core.released import PublishedError, PublishedRules
from panel.insight.core.written import error_of, rules_of
from panel.insight.saying import LEVELS, Areas, changes_words
from panel.web.words import number

_SHOWN = range(13)
"""True counts that the page spells out; greater ones are changed as the last is."""


# As it is kept ------------------------------------------------------------------------------------


def kept(rules: PublishedRules, error: PublishedError) -> dict[str, Any]:
    """Rules and error as JSON."""
    return rules_of(rules) | {"error": error_of(error)}


# In words -----------------------------------------------------------------------------------------


def blocks(rules: PublishedRules, error: PublishedError, areas: Areas) -> tuple[Block, ...]:
    """The rules, the error of the release, and the groups of wards."""
    return (
        _rules(rules),
        _changes(rules),
        _error(rules, error),
        _groups(rules, areas),
        *([_changed(areas)] if areas.changes else []),
    )


def _rules(rules: PublishedRules) -> Block:
    moved = (
        "Each count of children is moved a little by chance. The same children always get the same"
        " figure, in every table and every term, so that asking again tells no more."
    )
    near = (
        f"A published count is at most {rules.furthest} from the true one, and rounded to"
        f" {rules.round_to}. Nothing from 1 to 4 is published: a 0 means 0 to 4."
    )
    gate = (
        f"A ward has tables of its own from {rules.least_known} children known on, as published."
        " Other wards are read in their group of wards."
    )
    sums = (
        "Sums of money have 2 to 5 per cent added or taken. Waits are shown as a band. Neither is"
        " shown under 10 children, or where one or two make most of it."
    )
    bigger = "A figure is shown only where every bigger group around it shows 5 or more."
    three = (
        "Children of three terms together are counted once in three terms, so that no term is in"
        " two such figures. A 5 of three terms may be a 0 that was raised because one of the terms"
        " had a figure already; it then means 0 to 10."
    )
    seldom = (
        "Tables that divide wards by something else, or groups of wards by two things at once, are"
        " published once in three terms too. More children have come and gone by then, so that a"
        " figure that changed is seldom one child."
    )
    said = (moved, near, bigger, three, seldom, gate, sums)
    return Block("rules", "How figures are changed", said)


def _changes(rules: PublishedRules) -> Block:
    last = max(rules.ptable)
    rows = []
    for true in _SHOWN:
        row = rules.ptable[min(true, last)]
        chances: dict[int, Fraction] = {}
        for to, share in row.items():
            said = rounded(true, to + true - min(true, last))
            chances[said] = chances.get(said, Fraction(0)) + share
        words = "; ".join(f"{to}: {_per_cent(share)}" for to, share in sorted(chances.items()))
        rows.append((str(true), words))
    return Block(
        "changes",
        "What becomes of a count",
        ("Of greater counts each lies as near to its multiples of five as these do.",),
        caption="For each true count, what is published and how often",
        columns=("True count", "Published, and in how many of 100 cases"),
        rows=tuple(rows),
    )


def _per_cent(share: Fraction) -> str:
    exact = share * 100
    return "under 1" if 0 < exact < 1 else str(round(exact))


def _error(rules: PublishedRules, error: PublishedError) -> Block:
    return Block(
        "error",
        "How far off this release is",
        ("Measured by comparing what was published with the true counts of the same term.",),
        caption="Counts of children in this release",
        columns=(
            "Areas",
            "Figures",
            "Mean distance from the true count",
            "Greatest distance",
            "A whole less its parts, in the middle case",
        ),
        rows=tuple(
            (
                LEVELS[level],
                number(one.cells),
                f"{float(one.mean_absolute):.1f}",
                str(rules.furthest),
                "Not known" if one.median_gap is None else f"{float(one.median_gap):.0f}",
            )
            for level, one in error.by_level.items()
        ),
        numeric=(1, 2, 3, 4),
    )


def _changed(areas: Areas) -> Block:
    hidden = (
        "An old ward and what became of it are never counted in the same term. A ward that was"
        " merged or divided has no figures of its own in the term of the change and the two after"
        " it, and a group has none where a ward of it went into a ward of another: where nobody"
        " moved, the one less the other would tell of a few children."
    )
    return Block("changed", "Wards that changed", (hidden, *changes_words(areas)))


def _groups(rules: PublishedRules, areas: Areas) -> Block:
    members: dict[str, list[str]] = {}
    for ward, cluster in rules.clusters.items():
        members.setdefault(cluster, []).append(areas.called(ward))
    return Block(
        "groups",
        "Groups of wards",
        ("Small wards are read together with their neighbours.",),
        caption="Each group and its wards",
        columns=("Group", "Wards"),
        rows=tuple((code, ", ".join(sorted(wards))) for code, wards in sorted(members.items())),
    )
