"""How long an answer stands while nothing but time passes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from consent.model import LONDON, State


def unchanged_until(state: State, at: datetime) -> datetime:
    """The first moment after `at` at which time alone may change what `decide` answers.

    Facts are dated by the London day, but for withdrawals and overrides, which have moments of
    their own. Until then, that moment not included, every question gets the answer of `at`.
    """
    tomorrow = at.astimezone(LONDON).date() + timedelta(days=1)
    midnight = datetime.combine(tomorrow, time(), LONDON).astimezone(UTC)
    return min((midnight, *(moment for moment in _moments(state) if moment > at)))


def _moments(state: State) -> Iterator[datetime]:
    for agreement in state.agreements:
        if agreement.withdrawn is not None:
            yield agreement.withdrawn
    for override in state.overrides:
        yield override.start
        yield override.end
