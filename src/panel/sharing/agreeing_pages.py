"""The pages on which a worker writes down what a family decided, in words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from consent import BASIC, Category, Finding, Purpose
from consent.words import SECTION_WORDS
from panel.sharing.agreeing import AgencyOption, Foretold, GiverOption
from panel.sharing.agreeing_forms import AgreementForm
from panel.sharing.answering import ASKABLE, WaitingRequest
from panel.sharing.judging import JudgementLine
from panel.sharing.pages import FOR_WORDS, loss_words
from panel.sharing.restrict_pages import NOBODY_CHANGES, span_lines
from panel.sharing.systems import is_of_system
from panel.web import words

Choices = Sequence[tuple[str, str] | tuple[str, str, str]]

DECISIONS: Choices = (("agreed", "They agreed to share"), ("refused", "They refused to share"))
CAPACITIES: Choices = (
    ("parental_responsibility", "They have parental responsibility", "Only until 18"),
    (
        "own",
        "It is the child or young person, for themselves",
        "From 16 alone. Under 16 only where you judge that they understand what it means",
    ),
    (
        "best_interests",
        "The young person cannot decide, so it is decided in their best interests",
        "From 16. Choose the young person above",
    ),
    ("deputy_or_attorney", "They are a deputy or an attorney", "From 18"),
)
LEVELS: Choices = (
    ("basic", "Basic information", "Names, address, who is involved, and the plan"),
    (
        "additional",
        "Basic and additional information",
        "Also health, development, education, social care, family, views and panel notes",
    ),
)
OF_A_SYSTEM = (
    "It reads what is shared here and sends in its part, without anybody typing. Ask about it by"
    " itself: who agrees to the people of an agency has not agreed to its system"
)
PURPOSES: Choices = (
    *((one.value, words.upper_first(FOR_WORDS[one])) for one in ASKABLE),
    (Purpose.EXCHANGE.value, words.upper_first(FOR_WORDS[Purpose.EXCHANGE]), OF_A_SYSTEM),
)
"""The system comes last and is never ticked beforehand."""
NAMED: Choices = tuple(
    (one.value, words.upper_first(SECTION_WORDS[one])) for one in Category if one not in BASIC
)
EVERY_NAMED: Choices = tuple((one.value, words.upper_first(SECTION_WORDS[one])) for one in Category)
FINDINGS_UNDER_16: Choices = (
    ("competent", "They understand enough to decide about sharing"),
    ("not_competent", "They do not understand enough to decide about sharing yet"),
)
FINDINGS_FROM_16: Choices = (
    ("has_capacity", "They can decide about sharing themselves"),
    ("lacks_capacity", "They cannot decide about sharing now, with all the help there is"),
    (
        "best_interests",
        "They cannot decide, and sharing is in their best interests",
        "Then record what is shared, on the page of what the family decided",
    ),
)
FINDING_WORDS = {
    Finding.COMPETENT: "They understand enough to decide about sharing",
    Finding.NOT_COMPETENT: "They do not understand enough to decide about sharing",
    Finding.HAS_CAPACITY: "They can decide about sharing themselves",
    Finding.LACKS_CAPACITY: "They cannot decide about sharing",
    Finding.BEST_INTERESTS: "Sharing was judged to be in their best interests",
}


@dataclass(frozen=True, slots=True)
class AgreementPage:
    """What the form of a conversation offers."""

    decisions: Choices
    people: Choices
    capacities: Choices
    agencies: Choices
    levels: Choices
    named: Choices
    purposes: Choices


@dataclass(frozen=True, slots=True)
class JudgementCard:
    """One judgement: what was judged, and lines of (what, words)."""

    heading: str
    lines: tuple[tuple[str, str], ...]


def agreement_page(
    givers: Iterable[GiverOption], agencies: Iterable[AgencyOption], child_words: str
) -> AgreementPage:
    """What can be chosen; each person with what the record says of their standing."""
    return AgreementPage(
        decisions=DECISIONS,
        people=[(str(one.person), _giver_words(one, child_words), one.why) for one in givers],
        capacities=CAPACITIES,
        agencies=[(str(one.id), one.name) for one in agencies],
        levels=LEVELS,
        named=NAMED,
        purposes=PURPOSES,
    )


def conversation_lines(form: AgreementForm, told: Foretold) -> tuple[tuple[str, str], ...]:
    """What would be written down, as lines of (what, words); empty ones left out."""
    given = form.decision == "agreed"
    decided = {one[0]: one[1] for one in DECISIONS}[form.decision]
    levels = {one[0]: one[1] for one in LEVELS}
    named = words.in_a_row([SECTION_WORDS[Category(one)] for one in form.named])
    everything = "" if given or form.named else "Everything"
    lines = (
        ("What they decided", decided),
        ("Who decided", words.upper_first(told.by_words)),
        (
            "With whom" if given else "From whom",
            words.in_a_row(told.share_with) or "All agencies",
        ),
        ("Not with", words.in_a_row(told.not_share_with) if given else ""),
        ("How much", levels[form.level] if form.level else everything),
        ("Named", words.upper_first(named)),
        ("For", words.upper_first(words.in_a_row([FOR_WORDS[Purpose(p)] for p in form.purposes]))),
        *span_lines(form.from_on or form.agreed_on, form.until_on),
        (
            "What it becomes",
            _objection_words(form) if told.objects else "",
        ),
    )
    return tuple((what, said) for what, said in lines if said)


def _objection_words(form: AgreementForm) -> str:
    is_alone = is_of_system(Purpose(one) for one in form.purposes)
    to = " to the agency’s own computer system alone" if is_alone else ""
    return (
        f"An objection{to}, because another parent agreed before: the coordinator decides with both"
    )


def foretold_words(told: Foretold) -> tuple[str, ...]:
    """What changes, a sentence for each agency and purpose."""
    closes = [loss_words(loss, "no longer sees") for loss in told.closes]
    opens = [loss_words(loss, "sees") for loss in told.opens]
    return (*closes, *opens) or (NOBODY_CHANGES,)


def filled_for(request: WaitingRequest | None, by: str, today: date) -> Mapping[str, object]:
    """What the form shows at first: what was asked for, or what is most usual."""
    stored: dict[str, object] = {"agreed_on": today, "from": today, "by": by}
    if request is None:
        return stored
    is_basic = request.category in BASIC
    return stored | {
        "decision": "agreed",
        "share_with": [str(request.agency_id)],
        "level": "basic",
        "named": [] if is_basic else [request.category.value],
        "purposes": [request.purpose.value],
    }


def request_summary(request: WaitingRequest) -> tuple[tuple[str, str], ...]:
    """A request as lines of (what, words)."""
    return (
        ("Who asks", _asker_words(request)),
        ("To see", words.upper_first(SECTION_WORDS[request.category])),
        ("For", words.upper_first(FOR_WORDS[request.purpose])),
        ("Why", request.reason),
        ("Asked", words.short_day(request.asked_on)),
        ("Answer by", words.day(request.due_on)),
    )


def _asker_words(request: WaitingRequest) -> str:
    if request.for_expected:
        return f"{request.agency}, expected from now (put down by {request.who})"
    return ", ".join(part for part in (request.who, request.agency) if part)


def judgement_card(line: JudgementLine) -> JudgementCard:
    """One judgement for the sharing page."""
    lines = (
        ("Judged by", line.author),
        ("On", words.short_day(line.made_on)),
        ("About", "Deciding about sharing"),
        ("How it was judged", "You cannot see this." if line.why is None else line.why),
        ("Who was consulted", line.consulted or ""),
    )
    return JudgementCard(FINDING_WORDS[line.finding], tuple(one for one in lines if one[1]))


def findings(*, from_16: bool) -> Choices:
    """What can be judged at an age."""
    return FINDINGS_FROM_16 if from_16 else FINDINGS_UNDER_16


def purpose_choices(*, first: Purpose) -> Choices:
    """What a request can be for, the usual one first."""
    ordered = sorted(ASKABLE, key=lambda one: one is not first)
    return [(one.value, words.upper_first(FOR_WORDS[one])) for one in ordered]


def only_one_may(givers: Sequence[GiverOption]) -> str:
    """The one person who may decide, where there is only one; to be chosen beforehand."""
    allowed: list[UUID] = [one.person for one in givers if one.may_decide]
    return str(allowed[0]) if len(allowed) == 1 else ""


def _giver_words(one: GiverOption, child_words: str) -> str:
    if one.is_child:
        return child_words
    return person_words(one)


def person_words(one: GiverOption) -> str:
    """One of the family by name and relationship, as far as they may be named."""
    named = (one.name, words.lower_first(one.relationship))
    return words.upper_first(", ".join(part for part in named if part))
