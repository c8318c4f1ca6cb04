"""The minutes to begin with: plain sentences, for a person to finish. Pure.

Source: DOMAIN.md, IMPACT: differing views side by side, never blended; decisions under desired
outcomes; actions with time-scales.
"""

from dataclasses import dataclass
from datetime import date

from panel.web import words


@dataclass(frozen=True, slots=True)
class DraftPart:
    """What was thought and decided about one desired outcome; `about` "" is about everything."""

    about: str
    views: tuple[tuple[str, str], ...] = ()
    """(who, in their words)."""
    decisions: tuple[str, ...] = ()
    actions: tuple[tuple[str, str, date | None], ...] = ()
    """(what, who, by when)."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was said of it."""
        return not (self.views or self.decisions or self.actions)


@dataclass(frozen=True, slots=True)
class MinutesFacts:
    """What minutes are drafted from: only what the writer may see."""

    child: str
    held_on: date
    came: tuple[str, ...]
    parts: tuple[DraftPart, ...]
    next_on: date | None


def draft(facts: MinutesFacts) -> str:
    """The family's version to begin with."""
    parts = [f"On {words.day(facts.held_on)} we met to talk about {facts.child}."]
    if facts.came:
        parts.append(f"Who was there: {words.in_a_row(facts.came)}.")
    parts += [_part(one) for one in facts.parts if not one.is_empty]
    if facts.next_on is not None:
        parts.append(f"We will meet again on {words.day(facts.next_on)}.")
    return "\n\n".join(parts)


def _part(part: DraftPart) -> str:
    lines = [f"What we want: {part.about.rstrip('. ')}."] if part.about else []
    if part.views:
        lines += ["What people think:", *(f"- {who}: “{said}”" for who, said in part.views)]
    if part.decisions:
        lines += ["What was decided:", *(f"- {_ended(one)}" for one in part.decisions)]
    if part.actions:
        lines += ["Who does what:", *(f"- {_action(*one)}" for one in part.actions)]
    return "\n".join(lines)


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def _action(what: str, who: str, by: date | None) -> str:
    person = f" – {who}" if who else ""
    until = f", by {words.short_day(by)}" if by else ""
    return f"{what.rstrip('. ')}{person}{until}."
