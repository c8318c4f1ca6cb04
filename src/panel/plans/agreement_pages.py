"""What the pages say of versions of a plan, of who agreed, and of when something goes wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from panel.plans.agreeing import Agrees, Answer
from panel.plans.contingency import SECTIONS, Contingency
from panel.plans.measure_pages import smart_facts
from panel.plans.versions import AgreedAction, AgreedOutcome, Version
from panel.web.words import day, short_day

AGREES_WORDS = {
    Agrees.YES: "Agrees",
    Agrees.NO: "Does not agree",
    Agrees.CANNOT_ANSWER: "Could not answer",
}
AGREES_COLOURS = {Agrees.YES: "green", Agrees.NO: "orange", Agrees.CANNOT_ANSWER: "grey"}
CHOICES_OF_WORKER = [
    ("yes", "I agree"), ("no", "I do not agree"), ("cannot_answer", "I cannot say"),
]  # fmt: skip
CHOICES_WRITTEN = [
    ("yes", "They agree"), ("no", "They do not agree"), ("cannot_answer", "They could not answer"),
]  # fmt: skip
MAY_BE_ABOUT_OTHERS = (
    "These words may be about somebody else. Ask the person who helps you to read them with you."
)


@dataclass(frozen=True, slots=True)
class AnswerShown:
    """What one person said, as it stands beside what others said."""

    who: str
    says: str
    colour: str
    words: str
    when: str


@dataclass(frozen=True, slots=True)
class VersionShown:
    """A version with all that was said of it."""

    id: UUID
    number: int
    title: str
    summary: str
    outcomes: Sequence[tuple[str, Sequence[tuple[str, str]]]]
    """The words of each, and its SMART parts."""
    actions: Sequence[tuple[str, str, str]]
    """What, who, by when."""
    answers: Sequence[AnswerShown]


def version_shown(version: Version, answers: Sequence[Answer]) -> VersionShown:
    """A version in words, with the answers to it."""
    content = version.content
    return VersionShown(
        id=version.id,
        number=version.number,
        title=f"Version {version.number}, agreed on {day(version.agreed_on)}",
        summary=content.summary,
        outcomes=[outcome_shown(one) for one in content.outcomes],
        actions=[action_shown(one) for one in content.actions],
        answers=[answer_shown(one) for one in answers if one.version_id == version.id],
    )


def outcome_shown(one: AgreedOutcome) -> tuple[str, list[tuple[str, str]]]:
    """An outcome as it was agreed: its words, and its parts."""
    facts = smart_facts(one.smart)
    if one.measure:
        facts.insert(0, ("How we will know", one.measure))
    return (one.text, facts)


def action_shown(one: AgreedAction) -> tuple[str, str, str]:
    """An action as it was agreed: what, who, by when."""
    what = f"{one.text} ({one.service})" if one.service else one.text
    return (what, one.owner, "No date" if one.due_on is None else short_day(one.due_on))


def answer_shown(one: Answer, who: str = "") -> AnswerShown:
    """What one person said; `who` says it another way."""
    by = f", written down by {one.written_by}" if one.written_by else ""
    return AnswerShown(
        who or one.who,
        AGREES_WORDS[one.agrees],
        AGREES_COLOURS[one.agrees],
        one.words,
        f"{short_day(one.on)}{by}",
    )


@dataclass(frozen=True, slots=True)
class ContingencyShown:
    """The page for when something goes wrong."""

    sections: Sequence[tuple[str, str]]
    checked: str
    version: int


def contingency_shown(plan: Contingency) -> ContingencyShown:
    """The page in words; in the place of words that are held back, a sentence."""
    sections = [
        (label, MAY_BE_ABOUT_OTHERS if name in plan.held else plan.sections[name])
        for name, label in SECTIONS.items()
        if name in plan.held or name in plan.sections
    ]
    return ContingencyShown(
        sections, f"Gone through together on {day(plan.checked_on)}.", plan.version
    )
