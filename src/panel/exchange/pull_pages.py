"""Systems that are asked by schedule, in words."""

from collections.abc import Sequence
from datetime import datetime

from panel.accounts.step_pages import Field, Step
from panel.exchange.keeping_pulls import KnownPull
from panel.exchange.telling_models import PullSource
from panel.web import words

BASE = "/governance/pulls"
REMOVE = Step(
    "Remove a system that is asked",
    "It is asked no more, and our key there is thrown away. What came stays.",
    "Remove it",
)


def add_step(systems: Sequence[tuple[str, str]]) -> Step:
    """The form that has another system asked, as one of these that come in (key, name)."""
    return Step(
        "Ask another system",
        "What changed there is fetched again and again, and lands in the inbox. Nothing in a record"
        " changes before somebody takes it. We make a key of our own for it.",
        "Start asking",
        (
            Field(
                "select",
                "client",
                "As whose sending does it land?",
                "A system that comes in. Of its agency is what comes.",
                systems,
            ),
            Field("line", "base", "The address of its FHIR server", "It begins with https://"),
            Field(
                "line",
                "token",
                "Where it gives tokens",
                "Leave empty if its server says so itself.",
            ),
            Field("line", "as_client", "What are we called there?", "Its people tell you."),
            Field(
                "text",
                "scopes",
                "What may we ask for there?",
                "One scope on each line, for example system/CarePlan.rs",
            ),
            Field("text", "types", "What do we ask for?", "One type on each line: CarePlan"),
            Field("line", "every", "After how many minutes again?", "5 or more, for example 60"),
        ),
    )


def state(known: KnownPull) -> str:
    """Whether it is asked."""
    row = known.row
    if known.is_over:
        return "Not asked any more: the system as whose sending it lands was ended"
    if row.ended_on is not None:
        return f"Removed on {words.short_day(row.ended_on)}"
    if row.paused_at is not None:
        return f"Paused since {words.day_and_time(row.paused_at)}"
    return f"Asked every {words.plural(row.every_minutes, 'minute')}"


def what_came(row: PullSource) -> str:
    """What came the last time, in a sentence."""
    if row.asked_at is None:
        return "It was not asked yet."
    when = words.day_and_time(row.asked_at)
    if row.came:
        are = "is" if row.came == 1 else "are"
        came = words.plural(row.came, "entry", "entries")
        return f"{when}: {came} came, and {are} in the inbox."
    return f"{when}: nothing came." if row.failure else f"{when}: nothing had changed."


def what_failed(row: PullSource, now: datetime) -> list[tuple[str, str]]:
    """Why nothing came, or not all, and when it is tried again; nothing where all is well."""
    if row.failure is None:
        return []
    failed = row.failure
    if row.tries > 1:
        failed = f"{failed} It failed {words.plural(row.tries, 'time')} in a row."
    if row.ended_on is not None or row.paused_at is not None or row.next_at <= now:
        return [("What went wrong", failed)]
    return [("What went wrong", f"{failed} Next try: {words.day_and_time(row.next_at)}.")]


def pull_row(known: KnownPull) -> list[str]:
    """A line of the list: address, system, state, what came."""
    row = known.row
    last = what_came(row) if row.failure is None else f"{what_came(row)} {row.failure}"
    return [f"{BASE}/{row.id}", row.base, known.lands_as, state(known), last]


def pull_facts(known: KnownPull, now: datetime) -> list[tuple[str, str]]:
    """What is known of one."""
    row = known.row
    until = "Nothing yet" if row.looked_until is None else words.day_and_time(row.looked_until)
    return [
        ("State", state(known)),
        ("Last time", what_came(row)),
        *what_failed(row, now),
        ("Fetched up to", until),
        ("Lands as sent by", f"{known.lands_as}, of {known.agency}"),
        ("We ask for", ", ".join(row.types)),
        ("We are called there", row.as_client),
        ("We may ask there for", ", ".join(row.scopes)),
    ]
