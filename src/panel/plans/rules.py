"""The rules of plans and of who holds them: no database, no clock, no request.

Dates are Europe/London dates; `from` and `until` are inclusive. Source: DOMAIN.md, "Words" (plan,
desired outcome, action, lead professional) and "CONTACTS".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

LOWEST, HIGHEST = 0, 5
"""The scale on which an outcome may be judged."""

CURRENT = ("draft", "agreed")
"""The states of the one plan that counts now."""

_ONE_DAY = timedelta(days=1)


# Desired outcomes ---------------------------------------------------------------------------------


class OutcomeState(StrEnum):
    """Where a desired outcome stands."""

    WORKING_TOWARDS = "working_towards"
    REACHED = "reached"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Score:
    """Where things stood on a day, from 0 to 5."""

    on: date
    value: int


class Course(StrEnum):
    """Which way an outcome goes."""

    UNKNOWN = "unknown"
    REACHED = "reached"
    CLOSER = "closer"
    SAME = "same"
    FURTHER = "further"


def latest(scores: Iterable[Score]) -> Score | None:
    """The newest score; of several on one day, the one written down last."""
    newest = None
    for score in scores:
        if newest is None or score.on >= newest.on:
            newest = score
    return newest


def course(baseline: int | None, target: int | None, scores: Sequence[Score]) -> Course:
    """Which way it goes since the start: towards the target, away from it, or neither.

    The start is the baseline, or else the earliest score. A target may lie below the start ("woken
    no more than once a night"); without a target, upwards counts as closer.
    """
    now = latest(scores)
    if now is None:
        return Course.UNKNOWN
    if baseline is None and len(scores) < 2 and now.value != target:
        return Course.UNKNOWN
    start = baseline if baseline is not None else min(scores, key=lambda score: score.on).value
    goal = HIGHEST if target is None else target
    if target is not None and _is_reached(start, target, now.value):
        return Course.REACHED
    before, after = abs(goal - start), abs(goal - now.value)
    if before == after:
        return Course.SAME
    return Course.CLOSER if after < before else Course.FURTHER


def _is_reached(start: int, target: int, now: int) -> bool:
    return now >= target if target >= start else now <= target


# Actions ------------------------------------------------------------------------------------------


class ActionState(StrEnum):
    """How far an action is."""

    TO_DO = "to_do"
    DOING = "doing"
    DONE = "done"
    DROPPED = "dropped"


def is_open(state: str) -> bool:
    """Whether somebody still has to do it."""
    return state in (ActionState.TO_DO, ActionState.DOING)


def is_overdue(state: str, due_on: date | None, today: date) -> bool:
    """Whether it is still open after the day on which it was due."""
    return is_open(state) and due_on is not None and due_on < today


def done_on(state: str, was_done_on: date | None, today: date) -> date | None:
    """The day to keep with an action's state: when it was done, and only then."""
    return (was_done_on or today) if state == ActionState.DONE else None


def owner_mistake(words: str, *, has_worker: bool) -> str:
    """Why the owner of an action is not clear, or an empty text: one worker, or one in words."""
    if has_worker and words:
        return "Choose a worker or write who it is, not both"
    if not has_worker and not words:
        return "Choose who does this, or write who it is"
    return ""


# The plan -----------------------------------------------------------------------------------------


def agreement_mistake(state: str, outcomes: int, agreed_on: date, today: date) -> str:
    """Why a plan cannot be agreed, or an empty text."""
    if state == "agreed":
        return "This plan is agreed already"
    if outcomes == 0:
        return "Add at least one desired outcome before the plan is agreed"
    if agreed_on > today:
        return "The date must be today or in the past"
    return ""


# The lead professional ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stretch:
    """From when until when somebody holds the plan; without an end, from then on."""

    from_on: date
    until_on: date | None = None


@dataclass(frozen=True, slots=True)
class Handover:
    """The new lead professional's first day, and what becomes of each stretch before it.

    `ends` goes with the stretches given: the last day of each, or None for one that was still to
    come and now never begins.
    """

    from_on: date
    ends: tuple[date | None, ...]


def handover(held: Sequence[Stretch], begins: date) -> Handover:
    """Hand the plan over on a day: no day without a lead professional, and none with two.

    The former one ends the day before the new one begins. Somebody who began on that very day
    keeps it, so that the history has no empty stretch; somebody who was to begin later does not.
    """
    began_today = any(stretch.from_on == begins for stretch in held)
    from_on = begins + _ONE_DAY if began_today else begins
    last_day = from_on - _ONE_DAY
    return Handover(
        from_on,
        tuple(
            min(stretch.until_on or last_day, last_day) if stretch.from_on <= last_day else None
            for stretch in held
        ),
    )


def offer_mistake(*, is_lead_now: bool, offered_to: str, leaves_on: date | None) -> str:
    """Why the part cannot be offered to somebody, or an empty text.

    `offered_to` names whoever has an offer open; `leaves_on` is the person's last day at work, for
    nobody is left as lead professional after it.
    """
    if is_lead_now:
        return "They are the lead professional already"
    if offered_to:
        return f"It is offered to {offered_to}. Withdraw that offer first"
    if leaves_on is not None:
        return "They are leaving. Choose somebody who stays"
    return ""


MOST_JOINT_DAYS = 56
"""How long two may lead together after a handover."""
MOST_COVER_DAYS = 92
"""How long somebody may be covered; for longer the plan is handed over."""


def joint_mistake(until_on: date | None, today: date) -> str:
    """Why whoever holds the plan cannot stay beside until a day, or an empty text."""
    if until_on is None:
        return ""
    if until_on < today:
        return "The last day together must be today or later"
    if (until_on - today).days > MOST_JOINT_DAYS:
        return f"Two lead together for at most {MOST_JOINT_DAYS} days. Choose an earlier day"
    return ""


def family_mistake(family: str, said: str) -> str:
    """Why what is known of the family's word is not clear, or an empty text."""
    if family == "said" and not said:
        return "Enter what the family said, in their words"
    if family == "could_not_ask" and not said:
        return "Enter why the family could not be asked"
    if not family and said:
        return "Select whether this is what the family said"
    return ""


def limit_mistake(held: int, limit: int | None, reason: str) -> str:
    """Why somebody who holds as many plans as the limit cannot be asked for more, or empty."""
    if limit is None or held < limit or reason:
        return ""
    plans = "1 plan" if held == 1 else f"{held} plans"
    return f"They hold {plans} and the limit is {limit}. Enter why it is right all the same"


def cover_days_mistake(
    from_on: date, until_on: date, today: date, held_until: date | None
) -> tuple[str, str]:
    """The field and the sentence about days that cannot be covered; empty texts otherwise.

    `held_until` is the last day on which whoever holds the plan holds it.
    """
    if from_on < today:
        return "from_on", "The first day must be today or later"
    if until_on < from_on:
        return "until_on", "The last day is before the first. Check the dates"
    if (until_on - from_on).days >= MOST_COVER_DAYS:
        most = f"A cover is for at most {MOST_COVER_DAYS} days"
        return "until_on", f"{most}. For longer, hand the plan over"
    if held_until is not None and held_until < until_on:
        return (
            "until_on",
            "Somebody else holds the plan on the last day. Choose an earlier day",
        )
    return "", ""


def cover_worker_mistake(until_on: date, *, is_lead: bool, leaves_on: date | None) -> str:
    """Why somebody cannot cover until a day, or an empty text."""
    if is_lead:
        return "They are the lead professional. Choose somebody else to cover"
    if leaves_on is not None and leaves_on < until_on:
        return "They leave before the last day. Choose somebody who stays"
    return ""
