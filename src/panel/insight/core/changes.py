"""Wards that were renamed, merged or divided from a term on, and what may be shown of them. Pure.

Facts keep the code that a ward had at the term's end. Two things follow from a change. A child
whose record still has the old code counts in the new ward from that term on, where all of the old
ward went into it; of a ward that was divided nobody knows where such a child lives now, so it stays
in the old ward, and with it in the group of wards. Either way each child is in one area of a term,
so that an old ward and what became of it never both count anybody.

And the same children are counted in other parts than the term before. Where nobody moved, an old
ward less a new one would tell of the few who are in one alone. So wards that were merged or divided
have no figures of their own in the term of the change and in the two after it, and a group whose
wards changed has none either. That hangs on terms alone, and on no figure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from panel.insight.core.facts import Term
from panel.insight.core.words import Period, Span, ordinal, period_at

TERMS = 3
"""For how many terms what came of a merger or a division has no figures."""


@dataclass(frozen=True, slots=True, order=True)
class AreaChange:
    """A ward that became another, or a part of another, or of which another is a part."""

    old: str
    new: str
    from_on: str
    """The day from which it holds, as 2026-05-07."""
    since: Period
    """The first term that is counted by it."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What a term has to know of wards that changed."""

    changes: tuple[AreaChange, ...] = ()
    """Those that it is counted by."""
    later: frozenset[str] = frozenset()
    """Wards that begin only after it."""


def changed_by(
    period: Period,
    known: Iterable[tuple[str, str, str]],
    terms: Iterable[Term],
    published: Iterable[AreaChange] = (),
    newest: Period | None = None,
) -> Changed:
    """The changes that a term is counted by, out of those that are known (old, new, from when).

    A change holds from the first term whose last day it had begun by; of a term that is published
    already (`newest` and those before) nothing changes any more. What was published stays.
    """
    ends = sorted((ordinal(one.period), one.last) for one in terms)
    out = {(one.old, one.new): one for one in published}
    later: set[str] = set()
    for old, new, from_on in known:
        if (old, new) in out:
            continue
        since = next(
            (
                at
                for at, last in ends
                if last >= from_on and (newest is None or at > ordinal(newest))
            ),
            None,
        )
        if since is None or since > ordinal(period):
            later.add(new)
        else:
            out[old, new] = AreaChange(old, new, from_on, period_at(since))
    begun = {one.new for one in out.values()}
    return Changed(tuple(sorted(out.values())), frozenset(later - begun))


class What(Enum):
    """What became of some wards together."""

    RENAMED = auto()
    """One became one."""
    MERGED = auto()
    """Several became one, each of them as a whole."""
    DIVIDED = auto()
    """At least one went into several."""


@dataclass(frozen=True, slots=True)
class Family:
    """Wards that changed together: olds that share a new one, and news that share an old."""

    olds: tuple[str, ...]
    news: tuple[str, ...]
    from_on: str
    since: Period

    @property
    def what(self) -> What:
        """What happened to them."""
        if len(self.news) > 1:
            return What.DIVIDED
        return What.RENAMED if len(self.olds) == 1 else What.MERGED


def families(changes: Iterable[AreaChange]) -> tuple[Family, ...]:
    """The changes, put together as they hang together; the earliest first."""
    left, found = sorted(set(changes)), list[Family]()
    while left:
        olds, news = {left[0].old}, {left[0].new}
        own: list[AreaChange] = []
        while more := [one for one in left if one.old in olds or one.new in news]:
            own += more
            olds |= {one.old for one in more}
            news |= {one.new for one in more}
            left = [one for one in left if one not in more]
        first = min(own, key=lambda one: (ordinal(one.since), one.from_on))
        found.append(Family(tuple(sorted(olds)), tuple(sorted(news)), first.from_on, first.since))
    return tuple(sorted(found, key=lambda one: (ordinal(one.since), one.from_on, one.olds)))


def in_force(changes: Iterable[AreaChange], period: Period) -> tuple[AreaChange, ...]:
    """Those that a term is counted by."""
    return tuple(sorted(one for one in changes if ordinal(one.since) <= ordinal(period)))


def counted_as(changes: Iterable[AreaChange], period: Period) -> Mapping[str, str]:
    """Old ward → the ward in which whoever has its code counts in a term.

    Of wards all of which went into one; followed on where that one changed as well.
    """
    after: dict[str, set[str]] = {}
    for one in in_force(changes, period):
        after.setdefault(one.old, set()).add(one.new)
    step = {old: next(iter(news)) for old, news in after.items() if len(news) == 1}
    found = {}
    for old, next_one in step.items():
        at, seen = next_one, {old}
        while at in step and at not in seen:
            seen.add(at)
            at = step[at]
        found[old] = at
    return found


def hidden_wards(changes: Iterable[AreaChange], span: Span, period: Period) -> frozenset[str]:
    """The wards that have no figures of their own in a table of a term, or of three.

    A ward that is no more; one that came of a merger or a division in this term or the two before,
    also by another code; and over three terms one that had another code in one of them.
    """
    now = ordinal(period)
    found: set[str] = set()
    lately: set[str] = set()
    """What came of a merger or a division and has no figures yet, and goes on so when renamed."""
    for one in families(in_force(changes, period)):
        found.update(one.olds)
        ago = now - ordinal(one.since)
        if (one.what is not What.RENAMED and ago < TERMS) or lately & {*one.olds}:
            lately.update(one.news)
        elif one.what is What.RENAMED and _reaches_back(span, ago):
            found.update(one.news)
    return frozenset(found | lately)


def _reaches_back(span: Span, ago: int) -> bool:
    return span is Span.ROLLING and ago < TERMS - 1


def hidden_groups(
    changes: Iterable[AreaChange], groups: Mapping[str, str], period: Period
) -> frozenset[str]:
    """The groups of wards that have no figures: a ward of one went into a ward of another.

    In the term of the change and the two after it. `groups`: ward → its group.
    """
    now = ordinal(period)
    return frozenset(
        group
        for one in in_force(changes, period)
        if now - ordinal(one.since) < TERMS
        and one.old in groups
        and one.new in groups
        and groups[one.old] != groups[one.new]
        for group in (groups[one.old], groups[one.new])
    )


def is_gone(ward: str, changes: Sequence[AreaChange], period: Period) -> bool:
    """Whether nobody can be counted in an old ward any more, in a term or the two before it.

    Whoever has the code of a ward that was divided still counts there.
    """
    own = [one for one in changes if one.old == ward]
    return len(own) == 1 and ordinal(period) - ordinal(own[0].since) >= TERMS


def grouped_as_before(
    kept: Mapping[str, str], changes: Iterable[AreaChange], period: Period
) -> Mapping[str, str]:
    """The groups that are kept, with each new ward in the group of the old ones.

    Where these are of several groups it joins the first of them by code. Wards that are gone are
    left out.
    """
    force = in_force(changes, period)
    found = dict(kept)
    for one in families(force):
        for new in one.news:
            own = {old for old in one.olds if any(c.old == old and c.new == new for c in force)}
            groups = sorted(found[old] for old in own if old in found)
            if new not in found and groups:
                found[new] = groups[0]
    return {ward: group for ward, group in found.items() if not is_gone(ward, force, period)}


@dataclass(frozen=True, slots=True)
class Past:
    """Of what a ward's figures in a term are made: the wards of that term, added up."""

    wards: tuple[str, ...]
    """None where it had no figures: it came of a division."""


def past(ward: str, changes: Iterable[AreaChange], period: Period) -> Past:
    """The wards whose figures in a term are those of this ward, as it is by all changes.

    Only where all of each old ward went into it and nothing of another did: of a ward that was
    divided nobody knows what part was where.
    """
    force = [one for one in changes if ordinal(one.since) > ordinal(period)]
    wards = [ward]
    for one in reversed(families(force)):
        if not set(one.news) & set(wards):
            continue
        if one.what is What.DIVIDED:
            return Past(())
        wards = [each for each in wards if each not in one.news] + list(one.olds)
    return Past(tuple(sorted(wards)))
