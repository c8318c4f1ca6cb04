"""Overrides in words: what waits for review, and what there is to judge."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from consent import Category
from panel.sharing.left_to_governance import Left
from panel.sharing.overriding import ReviewLine, Step, ToReview, Waiting
from panel.sharing.pages import category_words
from panel.sharing.restricting import EVERYTHING
from panel.sharing.spans import Spans
from panel.web import words

STEP_WORDS = {
    Step.STOPPED: "What was opened is closed again",
    Step.TOLD_MANAGER: "The worker’s manager is told",
    Step.TOLD_GOVERNANCE: "The information governance lead is told",
    Step.TOLD_FAMILY: "The family is told, or it is decided why not",
    Step.DECIDED_ICO: "It is decided whether to tell the Information Commissioner, within 72 hours",
}


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A line of what waits."""

    reference: str
    who: str
    when: str
    due: str
    tag: str
    colour: str
    href: str
    action: str


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """One override to judge, or as it was judged."""

    lines: tuple[tuple[str, str], ...]
    is_open: bool
    """Whether it still waits for its review."""
    steps: tuple[tuple[str, str, str], ...]
    """(code, words, the day it was done or "")."""


def review_row(one: ToReview, today: date) -> ReviewRow:
    """A line of what waits, with how late it is."""
    base = f"/children/{one.child_id}/sharing/overrides/{one.id}"
    when = f"Opened {words.day_and_time(one.starts_at)}"
    if one.follows:
        return ReviewRow(
            one.reference, one.author, when, "", "Not justified", "red", base, "Follow up"
        )
    late = one.review_by < today
    due = f"Review by {words.day_and_distance(one.review_by, today)}"
    return ReviewRow(
        one.reference,
        one.author,
        when,
        due,
        "Overdue" if late else "To review",
        "red" if late else "yellow",
        base,
        "Review",
    )


LEFT_WORDS = {
    "objection": ("Objection", "objections", "Decide"),
    "order": ("Court order", "orders", "Confirm"),
    "override": ("To review", "overrides", "Review"),
}


def left_row(one: Left) -> ReviewRow:
    """A line of what is left to the information governance lead."""
    tag, part, action = LEFT_WORDS[one.what]
    base = f"/children/{one.child_id}/sharing/{part}/{one.about_id}"
    href = f"{base}/confirm" if one.what == "order" else base
    since = f"Since {words.day(one.since)}"
    return ReviewRow(one.reference, "Left to you", since, "", tag, "yellow", href, action)


def review_page(one: ReviewLine, today: date) -> ReviewPage:
    """What there is to judge."""
    told = "No: it would put someone at risk" if one.kept_from_family else "Yes"
    lines = [
        ("Opened by", one.author),
        ("When", f"{words.day_and_time(one.starts_at)} until {words.day_and_time(one.ends_at)}"),
        ("What was opened", words.upper_first(category_words(one.categories)) or "Everything"),
        ("Why", one.reason),
        ("Is the family told?", told),
        ("Who would be at risk", one.family_risk),
        ("Review by", words.day_and_distance(one.review_by, today)),
    ]
    if one.reviewed_at is not None:
        judged = "Justified" if one.justified else "Not justified, and ended at once"
        lines += [
            ("Judged", judged),
            ("Reviewed by", f"{one.reviewed_by}, {words.day_and_time(one.reviewed_at)}"),
            ("Note", one.review_note),
            ("Closed", "" if one.closed_on is None else words.short_day(one.closed_on)),
        ]
    return ReviewPage(
        lines=tuple((what, said) for what, said in lines if said),
        is_open=one.reviewed_at is None,
        steps=tuple(
            (step.value, said, _done(one.steps.get(step.value)))
            for step, said in STEP_WORDS.items()
        )
        if one.justified is False
        else (),
    )


def waiting_figures(waiting: Waiting) -> list[tuple[str, str]]:
    """How many wait over the whole authority: (what, how many)."""
    return [
        ("Overrides to review", words.number(waiting.to_review)),
        ("Of them overdue", words.number(waiting.overdue)),
        ("Not justified, steps still open", words.number(waiting.to_follow_up)),
    ]


def hours_words(within: Spans) -> str:
    """For how long something is opened: "24 hours"."""
    return words.plural(within.override_hours, "hour")


def review_words(within: Spans) -> str:
    """Within what time it is reviewed: "2 working days"."""
    return words.plural(within.review_working_days, "working day")


def misses_words(within: Spans) -> str:
    """After how many misses nothing more is opened: "5 misses"."""
    return words.plural(within.override_misses, "miss", "misses")


def open_choices(openable: Sequence[Category]) -> list[tuple[str, str]]:
    """What can be opened, as choices of a form."""
    return [
        *((one.value, words.upper_first(category_words([one]))) for one in openable),
        (EVERYTHING, "Everything that is not protected"),
    ]


def _done(day: str | None) -> str:
    return "" if day is None else words.short_day(date.fromisoformat(day))
