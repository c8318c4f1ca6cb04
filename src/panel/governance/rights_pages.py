"""Requests about one's own data in words."""

from collections.abc import Mapping, Sequence
from datetime import date

from panel.accounts.step_pages import Field, Step
from panel.governance.rights_copies import CopyReading, needs_second_look
from panel.governance.rights_file import TAKEN_OUT
from panel.governance.rights_gather import Piece
from panel.governance.rights_marks import BECAUSE_WORDS, Because
from panel.governance.rights_models import (
    Exemption,
    FileState,
    Outcome,
    Redaction,
    RightKind,
)
from panel.governance.rights_service import RequestLine, RequestReading
from panel.web import words

KIND_WORDS: Mapping[RightKind, str] = {
    RightKind.ACCESS: "A copy of what is kept",
    RightKind.RECTIFICATION: "Something put right",
    RightKind.RESTRICTION: "Use of the record restricted",
    RightKind.OBJECTION: "They object to how it is used",
}
OUTCOME_WORDS: Mapping[Outcome, str] = {
    Outcome.DONE: "Done",
    Outcome.DONE_IN_PART: "Done in part",
    Outcome.REFUSED: "Refused",
    Outcome.WITHDRAWN: "They no longer ask",
}
STATE_WORDS: Mapping[FileState, str] = {
    FileState.ASKED: "Being gathered",
    FileState.GATHERED: "To be gone through",
    FileState.READY: "Ready to be handed out",
    FileState.HANDED_OUT: "Handed out",
}
EXEMPTION_CHOICES: Sequence[tuple[str, str]] = (
    ("somebody_else", "It is about somebody else (Schedule 2 paragraph 16)"),
    ("serious_harm", "It would do serious harm to somebody’s health (Schedule 3)"),
    ("expected", "A child said it and expected it not to be told (Schedule 3)"),
    ("legal", "It is between a lawyer and who they advise (Schedule 2 paragraph 19)"),
)
"""Of the Data Protection Act 2018."""

TAKE_IN = Step(
    "Take in a request",
    "Write down a request that came by letter, by telephone or in person. The clock runs once you"
    " know who asks.",
    "Take it in",
    (
        Field("line", "reference", "Child’s reference", "For example C-1042"),
        Field("radios", "kind", "What do they ask for?", choices=tuple(KIND_WORDS.items())),
        Field("day", "received_on", "When did it come?"),
        Field("line", "who", "Who asks?", "As they say it: “her grandmother, by telephone”"),
        Field("text", "about", "What do they ask, in their words?"),
    ),
)
_VERSION_NOTE = "The day counts from its beginning."
STEPS: Mapping[str, Step] = {
    "who": Step(
        "Who asks",
        "The young person, or somebody who may act for them. Look at their proof, then say what it"
        " was. Keep no copy of it here.",
        "Save, and start the clock",
        (
            Field("radios", "asker", "Who is it?"),
            Field("text", "proof", "How do you know?"),
            Field("day", "proved_on", "On which day did you see it?"),
        ),
    ),
    "stop": Step(
        "Stop the clock",
        "While you wait for proof or for what they mean, the days do not count.",
        "Stop the clock",
        (Field("day", "on", "From which day do you wait?", _VERSION_NOTE),),
    ),
    "start": Step(
        "Start the clock",
        "What you waited for is here.",
        "Start the clock",
        (Field("day", "on", "On which day did it come?", _VERSION_NOTE),),
    ),
    "extend": Step(
        "Take two months more",
        "Only where a request is complex, or there are many. Tell whoever asks within the first"
        " month, with this reason.",
        "Take two months more",
        (Field("text", "why", "Why does it take longer?"),),
    ),
    "copy": Step(
        "Gather what is kept",
        "Everything is gathered within a few minutes, and what may be about others is marked for"
        " you. Refusals to share take nothing out of a person’s own data.",
        "Gather it",
    ),
    "restrict": Step(
        "Restrict the use of the record",
        "It is kept and nothing more: nobody changes it, agencies read only what they wrote, packs"
        " and notes wait, and whoever opens it reads since when.",
        "Restrict its use",
        (Field("text", "why", "Why?", "Its accuracy is disputed, they object, there is a claim."),),
    ),
    "unrestrict": Step(
        "End the restriction",
        "Tell whoever asked before you end it.",
        "End the restriction",
        (Field("text", "why", "Why does it end?"),),
    ),
    "answer": Step(
        "Answer the request",
        "Whoever asks is told how it ended, why, and that they can complain to the Information"
        " Commissioner or go to court.",
        "It is answered",
        (
            Field("radios", "outcome", "How did it end?", choices=tuple(OUTCOME_WORDS.items())),
            Field("text", "why", "Why?", "Leave it empty only where all was done."),
        ),
    ),
}
DECIDE = Step(
    "Does this stay?",
    "The same words, marked for the same reason, are decided alike.",
    "Save",
    (
        Field(
            "radios",
            "decision",
            "What do you decide?",
            choices=(("keep", "It stays in"), *EXEMPTION_CHOICES),
        ),
        Field("text", "reason", "Why?", "It is kept with your name and stands in no copy."),
    ),
)
BY_HAND = Step(
    "Take out what was not marked",
    "Say which words of this entry go. Empty, the whole entry goes.",
    "Take it out",
    (
        Field("line", "words", "Which words?", "As they stand in the entry"),
        Field("radios", "exemption", "Why do they go?", choices=EXEMPTION_CHOICES),
        Field("text", "reason", "Why?", "It is kept with your name and stands in no copy."),
    ),
)
SECOND = Step(
    "Would it do serious harm?",
    "It is left out only if you agree. Ask a health professional where it is about health.",
    "Save",
    (
        Field(
            "radios",
            "answer",
            "Do you agree?",
            choices=(("agree", "Yes, leave it out"), ("disagree", "No, it is told")),
        ),
        Field("text", "note", "Why?"),
    ),
)


def clock_words(line: RequestLine, today: date) -> str:
    """How long there is: "12 days left, until 23 December 2026"."""
    if line.answered_on is not None:
        return f"Answered on {words.short_day(line.answered_on)}"
    left = line.clock.days_left(today)
    if line.clock.stands:
        return f"The clock stands with {words.plural(max(left, 0), 'day')} left"
    until = words.short_day(line.clock.due_on(today))
    if left < 0:
        return f"Late by {words.plural(-left, 'day')}, since {until}"
    return f"{words.plural(left, 'day')} left, until {until}"


def request_row(line: RequestLine, today: date) -> tuple[str, str, str, str, str]:
    """One request in a list: address, reference, what, clock, how it ended."""
    return (
        f"/governance/requests/{line.id}",
        line.reference,
        KIND_WORDS[line.kind],
        clock_words(line, today),
        OUTCOME_WORDS[line.outcome] if line.outcome else "",
    )


def line_facts(line: RequestLine, today: date) -> list[tuple[str, str]]:
    """What is said of a request without anything of the record."""
    facts = [
        ("Reference", line.reference),
        ("What they ask for", KIND_WORDS[line.kind]),
        ("It came on", words.day(line.clock.received_on)),
        ("Time", clock_words(line, today)),
    ]
    return [*facts, ("How it ended", OUTCOME_WORDS[line.outcome])] if line.outcome else facts


def request_facts(read: RequestReading, today: date) -> list[tuple[str, str]]:
    """One request as the lead works on it."""
    asker = f"{read.asker.name}, {read.asker.part}" if read.asker else "Not known yet"
    facts = [
        *line_facts(read.line, today),
        ("Who asks", asker),
        ("As it was written down", read.who),
        ("Proof", read.proof),
        ("In their words", read.about),
        ("Why it takes longer", read.extended_why),
    ]
    return [(what, said) for what, said in facts if said]


def next_steps(read: RequestReading) -> list[tuple[str, str]]:
    """What can be done now: slug and words, what comes next first."""
    if read.line.answered_on is not None:
        return []
    clock, kind = read.line.clock, read.line.kind
    steps = []
    if read.asker is None:
        steps.append("who")
    elif kind is RightKind.ACCESS and not any(one.state == FileState.ASKED for one in read.files):
        steps.append("copy")
    if kind in (RightKind.RESTRICTION, RightKind.RECTIFICATION, RightKind.OBJECTION):
        steps.append("unrestrict" if read.restricted_since else "restrict")
    if not clock.stands:
        steps.append("stop")
    elif read.asker is not None:
        steps.append("start")
    if not clock.extended:
        steps.append("extend")
    return [(slug, STEPS[slug].title) for slug in (*steps, "answer")]


def mark_words(row: Redaction) -> str:
    """What was decided about a marked place."""
    if row.must_go:
        return "It goes: it is protected"
    if row.takes_out is None:
        return "To be decided"
    if needs_second_look(row):
        return "Waits for a second look"
    if not row.takes_out:
        return "Stays in, after a second look" if row.second_at else "Stays in"
    return TAKEN_OUT[Exemption(row.exemption or "somebody_else")]


def mark_facts(row: Redaction, piece: Piece | None, by: str = "") -> list[tuple[str, str]]:
    """One marked place."""
    facts = [
        ("Marked", row.words),
        ("Why", BECAUSE_WORDS[Because(row.because)]),
        ("Where", "" if piece is None else f"{piece.section}, {piece.label}, {piece.day}"),
        ("Decided", mark_words(row)),
        ("Reason", row.reason),
        ("By", by),
        ("Second look", row.second_note),
    ]
    return [(what, said) for what, said in facts if said]


def copy_words(read: CopyReading) -> str:
    """What a copy waits for."""
    if read.undecided:
        places = words.plural(read.undecided, "marked place")
        return f"{words.upper_first(places)} to decide about."
    if read.waits_for_second:
        places = words.plural(read.waits_for_second, "place")
        return (
            f"{words.upper_first(places)} wait for the Caldicott guardian or safeguarding lead, who"
            " looks a second time."
        )
    return STATE_WORDS[FileState(read.file.state)] + "."
