"""What concerns one viewer, one purpose and one moment: gathered once, then asked many times.

Every fact that counts becomes a `Ground` (it suffices to permit) or a `Bar` (it withholds), with
the categories that it covers. Grounds stand best first, bars oldest first, by their content and
never by the order in which the facts came.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import NamedTuple

from consent.duties import ENQUIRIES
from consent.facts import (
    EVERY_CATEGORY,
    OPEN,
    agreement_end,
    covered,
    has_lapsed,
    is_agreed_with,
    is_for,
    is_in_force,
    is_laid_on,
    is_objected_to,
    is_pending,
    is_refused_to,
    lapse_day,
    last_day_before,
    or_every,
    pauses,
    refused,
    span_end,
)
from consent.model import (
    LONDON,
    Agreement,
    Arrangement,
    Basis,
    Category,
    CourtOrder,
    Decision,
    Objection,
    Obligation,
    Override,
    Purpose,
    Relationship,
    Restriction,
    RestrictionKind,
    State,
    Tie,
    Viewer,
    ViewerKind,
)
from consent.reach import (
    TIE_RULES,
    binds,
    order_forbids,
    order_reaches,
    override_runs,
    restricts,
    sees_content,
)
from consent.words import TIE_WORDS, day_words, opening, receiver_words, since_words, until_words

_LOOKING_TIES = frozenset({Tie.AGENDA, Tie.GUEST})
"""Who looks through these reads and does not write."""
_ENQUIRING_TIES = frozenset({Tie.TEAM, Tie.LEAD, Tie.MANAGER, Tie.SAFEGUARDING})
"""An enquiry opens the record to those who make it, never a panel's pack or a system."""

_WHILE_RESTRICTED = frozenset({Purpose.SAFEGUARDING, Purpose.SUBJECT_ACCESS, Purpose.GOVERNANCE})
"""For the rights of others, the public interest, and claims and requests about the record itself.

The family reads what is its own: that is the person's own wish.
"""

_NO_OBLIGATION: frozenset[Obligation] = frozenset()
_READ_ONLY = frozenset({Obligation.READ_ONLY})
_REDACT = frozenset({Obligation.REDACT_THIRD_PARTIES})
_NOTIFY_READ_ONLY = frozenset({Obligation.NOTIFY, Obligation.READ_ONLY})


class Ground(NamedTuple):
    """One sufficient reason to permit, with the decision that it makes."""

    rank: tuple[bool, int, str, str]
    """Through which the viewer may write, then the longest lasting, then by its words."""
    covers: frozenset[Category]
    decision: Decision


class Bar(NamedTuple):
    """One reason to withhold."""

    since: date
    """`date.min` where it is not known or not told."""
    words: str
    silent: bool
    covers: frozenset[Category]


class Coming(NamedTuple):
    """Something recorded already that will withhold from a later day on."""

    start: date
    basis: Basis
    covers: frozenset[Category]


@dataclass(frozen=True, slots=True)
class Standpoint:
    """All that the rules need, for one viewer, purpose and moment; `consent.decide` asks it."""

    viewer: Viewer
    purpose: Purpose
    day: date
    sees_content: bool
    ties: tuple[Relationship, ...]
    """The viewer's ties that hold today and carry the purpose."""
    forbidden: tuple[Bar, ...] = ()
    ordered: tuple[Ground, ...] = ()
    protected: tuple[Bar, ...] = ()
    safeguarding: tuple[Ground, ...] = ()
    duties: tuple[Ground, ...] = ()
    refused: tuple[Bar, ...] = ()
    agreed: tuple[Ground, ...] = ()
    paused: tuple[Bar, ...] = ()
    lapsed: tuple[Bar, ...] = ()
    coming: tuple[Coming, ...] = ()
    """Mostly none: few things that withhold are written down before they begin."""
    arrangements: tuple[Arrangement, ...] = ()
    """The agencies' own agreements; they are recorded and never asked."""
    use_restricted_on: date | None = None
    """Since when the record is not used for this purpose of this viewer's."""


def stand(viewer: Viewer, purpose: Purpose, at: datetime, state: State) -> Standpoint:
    """Gather what concerns the viewer for the purpose at the moment."""
    if at.tzinfo is None:
        raise ValueError("The moment of a sharing question needs a time zone.")
    day = at.astimezone(LONDON).date()
    live = [r for r in state.relationships if binds(viewer, r) and r.span.holds(day)]
    ties = tuple([r for r in live if purpose in TIE_RULES[r.tie].purposes])
    restrictions = [r for r in state.restrictions if restricts(viewer, r, day)]
    agreements = [a for a in state.agreements if is_for(a, purpose)]
    in_force = [a for a in agreements if is_in_force(a, at, day)]
    given = [a for a in in_force if is_agreed_with(viewer, a)]
    objections = [o for o in state.objections if is_objected_to(viewer, o, purpose, day)]
    pending = [o for o in objections if is_pending(o, day)]
    forbidding = [o for o in state.orders if order_forbids(viewer, o, day)]
    return Standpoint(
        viewer=viewer,
        purpose=purpose,
        day=day,
        sees_content=sees_content(viewer),
        ties=ties,
        forbidden=_oldest_first(_forbidden(forbidding)) if forbidding else (),
        ordered=_best_first(_ordered(viewer, ties, live, day, state)) if state.orders else (),
        protected=_oldest_first(_protected(restrictions)) if restrictions else (),
        safeguarding=(
            *(_best_first(_enquired(viewer, ties, day, state)) if state.enquiries else ()),
            *(_best_first(_overridden(viewer, live, at, state)) if state.overrides else ()),
        ),
        duties=_best_first(_obliged(viewer, ties, purpose, day, state))
        if ties and state.duties
        else (),
        refused=_oldest_first(
            (
                *_refused(viewer, [a for a in in_force if is_refused_to(viewer, a)]),
                *_chosen(viewer, restrictions),
                *_upheld(viewer, [o for o in objections if not is_pending(o, day)]),
            )
        ),
        agreed=_best_first(_agreed(viewer, ties, given, pending)) if given and ties else (),
        paused=_oldest_first(_paused(given, pending)) if pending else (),
        lapsed=_oldest_first(
            _lapsed([a for a in agreements if has_lapsed(a, at, day) and is_agreed_with(viewer, a)])
        ),
        coming=tuple(_coming(viewer, purpose, agreements, day, state)),
        arrangements=state.arrangements,
        use_restricted_on=_use_restricted_on(viewer, purpose, day, state),
    )


def _use_restricted_on(viewer: Viewer, purpose: Purpose, day: date, state: State) -> date | None:
    """Since when it is not used; None for a use that is excepted (UK GDPR Article 18(2))."""
    since = state.use_restricted_on
    is_excepted = viewer.kind is ViewerKind.FAMILY or purpose in _WHILE_RESTRICTED
    return None if since is None or since > day or is_excepted else since


def tie_ground(
    viewer: Viewer,
    tie: Relationship,
    basis: Basis,
    words: str,
    end: date = OPEN,
    covers: frozenset[Category] = EVERY_CATEGORY,
    gateway: str = "",
) -> Ground:
    """A ground that rests on a tie as well, so no longer and no wider than the tie."""
    looking = tie.tie in _LOOKING_TIES
    obligations = _READ_ONLY if looking else _NO_OBLIGATION
    return _ground(
        basis,
        (words, TIE_WORDS[tie.tie]),
        min(end, span_end(tie.span)),
        covers if tie.categories is None else covers & tie.categories,
        obligations | _viewer_obligations(viewer),
        gateway,
    )


def best(grounds: Iterable[Ground]) -> Decision:
    """The decision of the best of the grounds, of which there is at least one."""
    return min(grounds, key=_rank).decision


# The court, and protection.


def _forbidden(orders: Iterable[CourtOrder]) -> Iterator[Bar]:
    for order in orders:
        yield Bar(
            order.span.start or date.min,
            "A court has said that it must not be shared.",
            order.silent,
            or_every(order.categories),
        )


def _ordered(
    viewer: Viewer,
    ties: tuple[Relationship, ...],
    live: list[Relationship],
    day: date,
    state: State,
) -> Iterator[Ground]:
    writes = any(tie.tie not in _LOOKING_TIES for tie in ties)
    obligations = (_NO_OBLIGATION if writes else _READ_ONLY) | _viewer_obligations(viewer)
    for order in state.orders:
        if order.permits and order.span.holds(day) and order_reaches(viewer, order, live):
            end = span_end(order.span)
            if viewer.id not in order.to:
                end = min(end, _reach_end(viewer, live))
            reference = f" ({order.reference})" if order.reference else ""
            words = f"A court ordered that you may see this{reference}{until_words(end)}."
            covers = or_every(order.categories)
            yield _ground(Basis.COURT_ORDER, (words,), end, covers, obligations)


def _protected(restrictions: Iterable[Restriction]) -> Iterator[Bar]:
    # Neither who asked for it nor since when: either could tell where somebody is.
    for restriction in restrictions:
        if restriction.kind is RestrictionKind.PROTECTION:
            yield Bar(
                date.min,
                "It is protected, and only a court can open it.",
                restriction.silent,
                or_every(restriction.categories),
            )


# Safeguarding and duties.


def _enquired(
    viewer: Viewer, ties: tuple[Relationship, ...], day: date, state: State
) -> Iterator[Ground]:
    for enquiry in state.enquiries:
        if viewer.agency in enquiry.agencies and enquiry.span.holds(day):
            for tie in ties:
                if tie.tie in _ENQUIRING_TIES:
                    yield tie_ground(
                        viewer,
                        tie,
                        Basis.SAFEGUARDING,
                        "Your agency makes a safeguarding enquiry (Children Act 1989 section 47).",
                        span_end(enquiry.span),
                        gateway=ENQUIRIES.code,
                    )


def _overridden(
    viewer: Viewer, live: list[Relationship], at: datetime, state: State
) -> Iterator[Ground]:
    for override in state.overrides:
        if override_runs(viewer, override, at) and order_reaches(viewer, override, live):
            end = last_day_before(override.end)
            if viewer.id != override.to:
                end = min(end, _reach_end(viewer, live))
            yield _ground(
                Basis.SAFEGUARDING,
                (_override_words(override),),
                end,
                or_every(override.categories),
                _NOTIFY_READ_ONLY,
            )


def _override_words(override: Override) -> str:
    reason = f": {override.reason_words}" if override.reason_words else ""
    end = day_words(last_day_before(override.end))
    return f"A safeguarding override opens this until {end}{reason}."


def _obliged(
    viewer: Viewer, ties: tuple[Relationship, ...], purpose: Purpose, day: date, state: State
) -> Iterator[Ground]:
    for duty in state.duties:
        if is_laid_on(viewer, duty, purpose, day):
            words = f"{opening(receiver_words(viewer))} may see this under {duty.words}."
            for tie in ties:
                if not duty.ties or tie.tie in duty.ties:
                    yield tie_ground(
                        viewer,
                        tie,
                        Basis.DUTY,
                        words,
                        duty.ended or OPEN,
                        duty.categories,
                        duty.code,
                    )


# Refusals, choices, objections, agreements.


def _refused(viewer: Viewer, refusals: Iterable[Agreement]) -> Iterator[Bar]:
    for refusal in refusals:
        since = refusal.span.start
        words = (
            f"{opening(refusal.by_words)} has not agreed to share it with "
            f"{receiver_words(viewer)}{since_words(since)}."
        )
        yield Bar(since or date.min, words, silent=False, covers=refused(refusal))


def _chosen(viewer: Viewer, restrictions: Iterable[Restriction]) -> Iterator[Bar]:
    for choice in restrictions:
        if choice.kind is RestrictionKind.CHOICE:
            since = choice.span.start
            words = (
                f"{opening(choice.by_words or 'the family')} chose not to share it with "
                f"{receiver_words(viewer)}{since_words(since)}."
            )
            yield Bar(since or date.min, words, choice.silent, or_every(choice.categories))


def _upheld(viewer: Viewer, objections: Iterable[Objection]) -> Iterator[Bar]:
    for objection in objections:
        for_what = " for this purpose" if objection.purposes else ""
        words = (
            f"{opening(objection.by_words)} objected, and it was decided not to share it with "
            f"{receiver_words(viewer)}{for_what}{since_words(objection.decided)}."
        )
        covers = or_every(objection.categories)
        yield Bar(objection.decided or date.min, words, silent=False, covers=covers)


def _agreed(
    viewer: Viewer,
    ties: tuple[Relationship, ...],
    given: Iterable[Agreement],
    pending: list[Objection],
) -> Iterator[Ground]:
    for agreement in given:
        covers = covered(agreement)
        for objection in pending:
            if pauses(objection, agreement):
                covers -= or_every(objection.categories)
        end = agreement_end(agreement)
        words = (
            f"{opening(agreement.by_words)} agreed to share this with {receiver_words(viewer)}"
            f"{until_words(end)}."
        )
        for tie in ties:
            yield tie_ground(viewer, tie, Basis.AGREEMENT, words, end, covers)


def _paused(given: list[Agreement], pending: list[Objection]) -> Iterator[Bar]:
    for objection in pending:
        words = (
            f"{opening(objection.by_words)} objected on {day_words(objection.raised)}, "
            "and this is not decided yet."
        )
        for agreement in given:
            if pauses(objection, agreement):
                covers = covered(agreement) & or_every(objection.categories)
                yield Bar(objection.raised, words, silent=False, covers=covers)


def _lapsed(agreements: list[Agreement]) -> Iterator[Bar]:
    """The latest of what lapsed, of each category; what lapsed before it is not remembered."""
    latest: dict[Category, date] = {}
    ended = [(lapse_day(agreement), covered(agreement), agreement) for agreement in agreements]
    for day, covers, _ in ended:
        for category in covers:
            if category not in latest or latest[category] < day:
                latest[category] = day
    for day, covers, agreement in ended:
        if not any(latest[category] == day for category in covers):
            continue
        withdrawn = agreement.withdrawn
        if withdrawn is not None and day == withdrawn.astimezone(LONDON).date():
            words = f"{opening(agreement.by_words)} withdrew the agreement on {day_words(day)}."
        else:
            words = f"The agreement of {agreement.by_words} ended on {day_words(day)}."
        yield Bar(day, words, silent=False, covers=covers)


# What is known to come.


def _coming(
    viewer: Viewer, purpose: Purpose, agreements: Iterable[Agreement], day: date, state: State
) -> Iterator[Coming]:
    for order in state.orders:
        start = order.span.start
        if start is not None and start > day and order_forbids(viewer, order, start):
            yield Coming(start, Basis.COURT_ORDER, or_every(order.categories))
    for restriction in state.restrictions:
        start = restriction.span.start
        if start is not None and start > day and restricts(viewer, restriction, start):
            protects = restriction.kind is RestrictionKind.PROTECTION
            basis = Basis.PROTECTION if protects else Basis.REFUSAL
            yield Coming(start, basis, or_every(restriction.categories))
    yield from _coming_refusals(viewer, agreements, day)
    for objection in state.objections:
        start = objection.decided
        if start is not None and start > day and is_objected_to(viewer, objection, purpose, start):
            yield Coming(start, Basis.REFUSAL, or_every(objection.categories))


def _coming_refusals(
    viewer: Viewer, agreements: Iterable[Agreement], day: date
) -> Iterator[Coming]:
    for agreement in agreements:
        start = agreement.span.start
        if start is not None and start > day and is_refused_to(viewer, agreement):
            begins = datetime.combine(start, time(), LONDON)
            if is_in_force(agreement, begins, start):
                yield Coming(start, Basis.REFUSAL, refused(agreement))


# Putting them together.


def _ground(
    basis: Basis,
    reasons: tuple[str, ...],
    end: date,
    covers: frozenset[Category],
    obligations: frozenset[Obligation],
    gateway: str = "",
) -> Ground:
    rank = (Obligation.READ_ONLY in obligations, -end.toordinal(), reasons[0], reasons[-1])
    decision = Decision(
        permitted=True,
        basis=basis,
        reasons=reasons,
        until=None if end == OPEN else end,
        obligations=obligations,
        gateway=gateway,
    )
    return Ground(rank, covers, decision)


def _best_first(grounds: Iterable[Ground]) -> tuple[Ground, ...]:
    return tuple(sorted(grounds, key=_rank))


def _oldest_first(bars: Iterable[Bar]) -> tuple[Bar, ...]:
    return tuple(sorted(bars, key=_content))


def _rank(ground: Ground) -> tuple[bool, int, str, str]:
    return ground.rank


def _content(bar: Bar) -> tuple[date, str]:
    return bar.since, bar.words


def _viewer_obligations(viewer: Viewer) -> frozenset[Obligation]:
    return _REDACT if viewer.kind is ViewerKind.FAMILY else _NO_OBLIGATION


def _reach_end(viewer: Viewer, live: Iterable[Relationship]) -> date:
    """Until when an order to the agency reaches this viewer: a worker, while tied."""
    if viewer.kind is ViewerKind.AGENCY:
        return OPEN
    return max(span_end(tie.span) for tie in live)
