"""The letter to a family about a decision: what it says, in words that somebody of nine reads.

Pure. Advice, complaint, mediation and tribunal stand in it where the legal basis makes them apply,
with their dates (DOMAIN.md, Allocation panel; SEND Regulations 2014 for the tribunal; SI 2006/1738
for complaints). The panel's own reasons never reach it: it is made from `LetterFacts` alone.
"""

from dataclasses import dataclass
from datetime import date

from panel.allocation.rules import Kind, LegalBasis
from panel.records.dates import months_after
from panel.web import words

COMPLAIN_MONTHS = 12
"""A complaint about a council's decision about a child: within a year (SI 2006/1738, reg. 9)."""
TRIBUNAL_MONTHS = 2
"""After the letter; or one month after the mediation certificate, where that is later."""

HEADINGS = {
    Kind.AGREED: "We said yes.",
    Kind.IN_PART: "We said yes to a part of it.",
    Kind.DEFERRED: "We have not decided yet.",
    Kind.DECLINED: "We said no.",
}
LOOK_AGAIN = "If you think this is wrong, ask us to look again. Tell us what we missed."


@dataclass(frozen=True, slots=True)
class LetterFacts:
    """What a letter may be made from."""

    child: str
    """As the family calls the child."""
    asked_for: str
    kind: Kind
    basis: LegalBasis
    decided_on: date
    how_much: str
    """What is agreed of it: "6 nights"; empty where nothing is."""
    reasons: str
    """For the family."""
    conditions: str
    review_on: date
    written_on: date
    ask_again_by: date
    advice: str
    """Whom to ask for advice, with how to reach them."""


def letter_text(facts: LetterFacts) -> str:
    """The letter, paragraph by paragraph."""
    asked_for = _sentence(facts.asked_for)
    parts = [
        f"We were asked for help for {facts.child}. This was asked for:\n{asked_for}",
        f"On {words.day(facts.decided_on)} the panel looked at it. {_decision(facts)}",
        f"This is why:\n{_sentence(facts.reasons)}",
    ]
    if facts.conditions:
        parts.append(f"You need to know this too:\n{_sentence(facts.conditions)}")
    parts.append(_next(facts))
    parts.append(_advice(facts))
    if facts.kind is not Kind.AGREED:
        parts += _not_happy(facts)
    parts.append(_complain(facts))
    return "\n\n".join(parts)


def fixed_words(facts: LetterFacts) -> str:
    """The letter without what people wrote: what its reading age is measured over."""
    blank = LetterFacts(
        child="Sam",
        asked_for="A short break.",
        kind=facts.kind,
        basis=facts.basis,
        decided_on=facts.decided_on,
        how_much=facts.how_much and "6 nights",
        reasons="You need it.",
        conditions=facts.conditions and "Tell us if things change.",
        review_on=facts.review_on,
        written_on=facts.written_on,
        ask_again_by=facts.ask_again_by,
        advice="the advice team",
    )
    return letter_text(blank)


def _sentence(said: str) -> str:
    said = said.strip()
    return said if said.endswith((".", "!", "?")) else f"{said}."


def _decision(facts: LetterFacts) -> str:
    heading = HEADINGS[facts.kind]
    if facts.kind is Kind.AGREED:
        return f"{heading} You will get what was asked for."
    if facts.kind is Kind.IN_PART:
        return f"{heading} You will get this much of it: {facts.how_much}."
    if facts.kind is Kind.DEFERRED:
        return f"{heading} We need to know or do more first."
    return heading


def _next(facts: LetterFacts) -> str:
    by = words.day(facts.review_on)
    if facts.kind is Kind.DEFERRED:
        return f"We will look at it again by {by}. Then we will write to you."
    if facts.kind is Kind.DECLINED:
        return (
            f"We will look at how things are by {by}. If they change before that, tell us. You can"
            " ask for help again at any time."
        )
    return f"We will look at how it works for you by {by}. If things change, tell us."


def _advice(facts: LetterFacts) -> str:
    return (
        "You can talk to people who do not work for us. They are free, and they keep it to"
        f" themselves. They can help you with this letter. Ask {facts.advice}."
    )


def _not_happy(facts: LetterFacts) -> list[str]:
    again = words.day(facts.ask_again_by)
    parts = [
        f"{LOOK_AGAIN} Please ask by {again}. You can ring, write, or ask your worker to do it.",
    ]
    appealable = facts.kind in (Kind.IN_PART, Kind.DECLINED)
    if facts.basis is LegalBasis.EHCP and appealable:
        until = words.day(months_after(facts.written_on, TRIBUNAL_MONTHS))
        parts.append(
            "This was about an EHC plan. So you have more rights.\n"
            "You can ask for mediation. That means a talk with us and with someone who takes no"
            " side. It is free. They give you a paper to show that you asked.\n"
            "You can go to the SEND tribunal. It can change what we said."
            f" You must ask it by {until}. If your mediation paper is dated later than this letter,"
            " you have one month from that date, if that gives you longer."
        )
    if facts.basis is LegalBasis.CONTINUING_CARE:
        parts.append(
            "This was about continuing care from the NHS. You can ask the NHS board to look again."
            " If you still do not agree, you can go to the Health Ombudsman. It is free."
        )
    return parts


def _complain(facts: LetterFacts) -> str:
    until = words.day(months_after(facts.decided_on, COMPLAIN_MONTHS))
    who = (
        "the Health Ombudsman"
        if facts.basis is LegalBasis.CONTINUING_CARE
        else "the Local Government Ombudsman"
    )
    return (
        f"You can also complain about how we did this. Please do it by {until}. If you are not"
        f" happy with what we say, you can go to {who}. That is free too."
    )
