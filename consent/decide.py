"""May this viewer see this category of this child's record, for this purpose, now?

The rules are asked in one order (ARCHITECTURE.md, "The record gate"): court order, protection, a
restriction of the record's use, own record, safeguarding override or enquiry, commenced duty,
refusal or restriction by choice, agreement, and then withhold. The first rule that has something to
say decides. Never "no consent, so nothing applies" and never "no rule, so allowed".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from consent.facts import EVERY_CATEGORY
from consent.model import (
    OF_THE_FAMILY,
    Basis,
    Category,
    Decision,
    Purpose,
    Question,
    State,
    Tie,
    Viewer,
    ViewerKind,
)
from consent.reach import agency_of
from consent.standpoint import Bar, Ground, Standpoint, best, stand, tie_ground
from consent.words import receiver_words, since_words

_AUTHOR_TIES = frozenset(
    {Tie.TEAM, Tie.LEAD, Tie.MANAGER, Tie.AGENDA, Tie.SAFEGUARDING, Tie.CLIENT}
)
"""Through these an agency's people, and its own systems, see what their agency wrote."""
_OWN_WORK = frozenset({Purpose.SUPPORT, Purpose.REVIEW})
"""For these somebody works with the child themselves."""
_KNOWING_TIES = frozenset({Tie.TEAM, Tie.LEAD})
"""Whoever works with a child knows who the child is."""

_TO_COURT_AND_PROTECTION = frozenset({Basis.COURT_ORDER, Basis.PROTECTION})
_YIELDS_TO: dict[Basis, frozenset[Basis]] = {
    Basis.COURT_ORDER: frozenset({Basis.COURT_ORDER}),
    Basis.AGREEMENT: _TO_COURT_AND_PROTECTION | {Basis.REFUSAL},
}
"""What withholds before a permission on such a basis is asked; the rest yields to the first two."""


class _Item(NamedTuple):
    """What is asked about: a category, or one entry in it with its author."""

    category: Category
    author_agency: UUID | None
    author_person: UUID | None


def decide(question: Question, state: State) -> Decision:
    """Permit or withhold: on which basis, for what reasons, until when, with what obligations.

    Pure: the same question and facts give the same answer, in whatever order the facts stand.
    """
    standpoint = stand(question.viewer, question.purpose, question.at, state)
    return decide_from(
        standpoint, question.category, question.author_agency, question.author_person
    )


def decide_all(
    viewer: Viewer, purpose: Purpose, at: datetime, state: State
) -> dict[Category, Decision]:
    """The decision for every category, without an author; the same as asking one by one."""
    standpoint = stand(viewer, purpose, at, state)
    rules = _rules_for(standpoint)
    return {
        category: _decided(standpoint, rules, _Item(category, None, None)) for category in Category
    }


def decide_from(
    standpoint: Standpoint,
    category: Category,
    author_agency: UUID | None = None,
    author_person: UUID | None = None,
) -> Decision:
    """The same from a standpoint that `stand` has gathered: for many entries of one record."""
    return _decided(standpoint, _RULES, _Item(category, author_agency, author_person))


def _decided(standpoint: Standpoint, rules: Iterable[_Rule], item: _Item) -> Decision:
    for rule in rules:
        decision = rule(standpoint, item)
        if decision is not None:
            may_end_early = standpoint.coming or standpoint.use_restricted_on is not None
            if decision.permitted and may_end_early:
                return _until_barred(decision, standpoint, item)
            return decision
    return _withhold_without_rule(standpoint, item)


# The rules. Each decides or passes (None).


def _by_viewer(at: Standpoint, _item: _Item) -> Decision | None:
    if at.sees_content:
        return None
    if at.viewer.kind is ViewerKind.JOB:
        return _withhold(Basis.NOTHING, "A job works without reading what a record says.")
    return _withhold(Basis.NO_TIE, "Your role does not open children's records.")


def _by_court(at: Standpoint, item: _Item) -> Decision | None:
    return _barred(Basis.COURT_ORDER, at.forbidden, item) or _first(at.ordered, item)


def _by_protection(at: Standpoint, item: _Item) -> Decision | None:
    return _barred(Basis.PROTECTION, at.protected, item)


def _by_anothers_words(at: Standpoint, item: _Item) -> Decision | None:
    """What one member of a family said is not for another, whatever else is."""
    if (
        item.author_person is None
        or item.author_person == at.viewer.id
        or item.category is not Category.VIEWS
        or at.viewer.kind is not ViewerKind.FAMILY
    ):
        return None
    return _withhold(Basis.NOTHING, "These are somebody else's own words.")


def _by_restricted_use(at: Standpoint, item: _Item) -> Decision | None:
    """A record whose use is restricted is stored: its purposes wait, but for what is excepted.

    Whoever wrote something still reads it in their own work, to see whether it is right; it goes to
    nobody else, and to no panel.
    """
    since = at.use_restricted_on
    if since is None or not at.ties or _first(at.safeguarding, item) is not None:
        return None
    if at.purpose in _OWN_WORK and (own := _by_own_record(at, item)) is not None:
        return own
    return _barred_by(Basis.USE_RESTRICTED, [_restricted(since)])


def _by_own_record(at: Standpoint, item: _Item) -> Decision | None:
    if (
        item.author_agency is None
        and item.category is not Category.IDENTITY
        and at.viewer.kind is not ViewerKind.FAMILY
    ):
        return None
    grounds = [
        tie_ground(at.viewer, tie, Basis.OWN_RECORD, words)
        for tie in at.ties
        if (words := _own_record_words(at.viewer, tie.tie, item))
        and (tie.categories is None or item.category in tie.categories)
    ]
    return best(grounds) if grounds else None


def _by_safeguarding(at: Standpoint, item: _Item) -> Decision | None:
    return _first(at.safeguarding, item)


def _by_missing_tie(at: Standpoint, item: _Item) -> Decision | None:
    if not at.ties:
        return _withhold(Basis.NO_TIE, "You are not part of this child's record for this purpose.")
    for tie in at.ties:
        if tie.categories is None or item.category in tie.categories:
            return None
    return _withhold(Basis.NOTHING, "It is not part of what was opened to you.")


def _by_duty(at: Standpoint, item: _Item) -> Decision | None:
    return _first(at.duties, item)


def _by_refusal(at: Standpoint, item: _Item) -> Decision | None:
    return _barred(Basis.REFUSAL, at.refused, item)


def _by_agreement(at: Standpoint, item: _Item) -> Decision | None:
    return _first(at.agreed, item) or _barred(Basis.REFUSAL, at.paused, item)


_Rule = Callable[[Standpoint, _Item], Decision | None]

_RULES: tuple[_Rule, ...] = (
    _by_viewer,
    _by_court,
    _by_protection,
    _by_anothers_words,
    _by_restricted_use,
    _by_own_record,
    _by_safeguarding,
    _by_missing_tie,
    _by_duty,
    _by_refusal,
    _by_agreement,
)


def _rules_for(at: Standpoint) -> list[_Rule]:
    """The rules in their order, without those that nothing gathered could make speak."""
    silent: dict[_Rule, bool] = {
        _by_court: not (at.forbidden or at.ordered),
        _by_protection: not at.protected,
        _by_restricted_use: at.use_restricted_on is None,
        _by_safeguarding: not at.safeguarding,
        _by_duty: not at.duties,
        _by_refusal: not at.refused,
        _by_agreement: not (at.agreed or at.paused),
    }
    return [rule for rule in _RULES if not silent.get(rule)]


def _withhold_without_rule(at: Standpoint, item: _Item) -> Decision:
    # Of several that lapsed the latest is the one that people remember.
    for bar in reversed(at.lapsed):
        if item.category in bar.covers:
            return _barred_by(Basis.NOTHING, [bar])
    return _withhold(
        Basis.NOTHING,
        f"Nobody who may agree has agreed to share it with {receiver_words(at.viewer)}.",
    )


# Own record: what an agency's workers wrote, and what a person said about themselves.


def _own_record_words(viewer: Viewer, tie: Tie, item: _Item) -> str:
    """Why the item is the viewer's own through the tie; empty where it is not."""
    if viewer.kind is ViewerKind.FAMILY:
        return _own_family_words(viewer, tie, item)
    if item.author_agency is not None and item.author_agency == agency_of(viewer):
        if tie in _AUTHOR_TIES:
            return "Your agency wrote this."
        # Who runs a panel sees what its own agency wrote down for the panel, and no more.
        if item.category is Category.PANEL and tie is Tie.PANEL:
            return "Your panel wrote this."
    if item.category is Category.IDENTITY and tie in _KNOWING_TIES:
        return "Your agency works with this child and knows who they are."
    return ""


def _own_family_words(viewer: Viewer, tie: Tie, item: _Item) -> str:
    # What is held back from one of the family on a recorded test is a protection against them,
    # asked before this; a choice does not close a person's own record to them.
    if tie in OF_THE_FAMILY and item.author_person == viewer.id:
        return "You said this yourself."
    if item.category is Category.SAFEGUARDING:
        return ""
    if tie is Tie.SELF:
        return "This is your own record."
    return "This is your child's record." if tie is Tie.PARENT else ""


# The answer.


def _first(grounds: tuple[Ground, ...], item: _Item) -> Decision | None:
    for ground in grounds:
        if item.category in ground.covers:
            return ground.decision
    return None


def _barred(basis: Basis, bars: tuple[Bar, ...], item: _Item) -> Decision | None:
    """Withhold for every bar's reason, and in silence if any of them asks for that."""
    if not bars:
        return None
    applying = [bar for bar in bars if item.category in bar.covers]
    return _barred_by(basis, applying) if applying else None


def _barred_by(basis: Basis, applying: list[Bar]) -> Decision:
    since = applying[0].since
    return Decision(
        permitted=False,
        basis=basis,
        reasons=tuple(dict.fromkeys(bar.words for bar in applying)),
        since=None if since == date.min else since,
        silent=any(bar.silent for bar in applying),
    )


def _until_barred(decision: Decision, at: Standpoint, item: _Item) -> Decision:
    """The permission, no longer than until something that comes before it begins to withhold."""
    yields_to = _YIELDS_TO.get(decision.basis, _TO_COURT_AND_PROTECTION)
    starts = [
        one.start for one in at.coming if one.basis in yields_to and item.category in one.covers
    ]
    ends = [one - timedelta(days=1) for one in starts]
    if (lifted := _lifted_until(decision, at, item)) is not None:
        ends.append(lifted)
    if not ends:
        return decision
    last = min(ends)
    if decision.until is not None and decision.until <= last:
        return decision
    return replace(decision, until=last)


def _lifted_until(decision: Decision, at: Standpoint, item: _Item) -> date | None:
    """Until when an override or enquiry opens a record of restricted use; None for no such end."""
    if at.use_restricted_on is None or not at.ties or decision.basis is Basis.COURT_ORDER:
        return None
    if at.purpose in _OWN_WORK and _by_own_record(at, item) is not None:
        return None
    lifting = _first(at.safeguarding, item)
    return None if lifting is None else lifting.until


def _restricted(since: date) -> Bar:
    words = f"The use of this record is restricted{since_words(since)}."
    return Bar(since, words, silent=False, covers=EVERY_CATEGORY)


@lru_cache(maxsize=256)
def _withhold(basis: Basis, words: str) -> Decision:
    return Decision(permitted=False, basis=basis, reasons=(words,))
