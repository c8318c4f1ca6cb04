"""What waits about sharing, in words: on the sharing page, and on the homes of who answers."""

from dataclasses import dataclass
from datetime import date

from consent import Purpose
from consent.words import SECTION_WORDS
from panel.sharing.agreeing_pages import JudgementCard, judgement_card
from panel.sharing.answering import WaitingRequest
from panel.sharing.coming_of_age import ToDecide
from panel.sharing.objecting_pages import due_words
from panel.sharing.pages import FOR_WORDS, REQUEST_WORDS
from panel.sharing.waiting import (
    Ending,
    Expected,
    OpenObjection,
    SharingWaits,
    WaitingLine,
    WaitingList,
)
from panel.web import words

Notice = tuple[str, str, str]
"""A sentence, what to do about it (or nothing), and where."""


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One request for access in the table of those that wait."""

    who: str
    agency: str
    what: str
    purpose: str
    why: str
    due: str
    late: str
    href: str
    """Empty where somebody else answers."""


@dataclass(frozen=True, slots=True)
class WaitsPart:
    """The part of the sharing page about what is to be done."""

    notices: tuple[Notice, ...]
    young_person: tuple[str, ...]
    judge_href: str
    judgements: tuple[JudgementCard, ...]
    requests: tuple[RequestRow, ...]
    expected: tuple[str, ...]
    record_href: str
    object_href: str


@dataclass(frozen=True, slots=True)
class HomeLine:
    """One line of what waits on a home."""

    tag: str
    colour: str
    child: str
    words: str
    when: str
    late: str
    href: str


@dataclass(frozen=True, slots=True)
class HomePart:
    """What waits about sharing on somebody's first page."""

    lines: tuple[HomeLine, ...]
    more: str


def waits_part(waits: SharingWaits, base: str, today: date) -> WaitsPart:
    """What is to be done about one child's sharing; `base` is the sharing page's address."""
    writes = waits.may_change
    notices = [
        *(_ended(one, base, writes=writes) for one in waits.ended),
        *(_ends(one, base, today, writes=writes) for one in waits.ending),
        *(_objected(one, base, today, decides=waits.may_decide) for one in waits.objections),
    ]
    return WaitsPart(
        notices=tuple(notices),
        young_person=() if waits.young_person is None else _young(waits.young_person, today),
        judge_href=f"{base}/judgements/new" if writes else "",
        judgements=tuple(judgement_card(one) for one in waits.judgements),
        requests=tuple(_request_row(one, base, today) for one in waits.requests),
        expected=tuple(_expected(one, today) for one in waits.expected),
        record_href=f"{base}/agreements/new" if writes else "",
        object_href=f"{base}/objections/new" if writes else "",
    )


def home_part(waiting: WaitingList, today: date) -> HomePart:
    """What waits about sharing, for a home."""
    return HomePart(
        tuple(_home_line(one, today) for one in waiting.lines),
        f"{words.plural(waiting.more, 'more line')} not shown here: they come later."
        if waiting.more
        else "",
    )


def _objected(one: OpenObjection, base: str, today: date, *, decides: bool) -> Notice:
    who = words.upper_first(one.by_words)
    said = f"{who} objected on {words.short_day(one.raised_on)}. {due_words(one.due_on, today)}"
    step = "Decide this objection" if decides else "Read this objection"
    return said, step, f"{base}/objections/{one.id}"


def _ended(one: Ending, base: str, *, writes: bool) -> Notice:
    return (
        (
            f"The agreement of {one.by_words} to share with {words.in_a_row(one.agencies)} ended on"
            f" {words.day(one.until_on)}. Nothing is shared on it now."
        ),
        *_renew(one, base, writes=writes),
    )


def _ends(one: Ending, base: str, today: date, *, writes: bool) -> Notice:
    return (
        (
            f"The agreement of {one.by_words} to share with {words.in_a_row(one.agencies)} ends on"
            f" {words.day_and_distance(one.until_on, today)}. Talk with the family before."
        ),
        *_renew(one, base, writes=writes),
    )


def _renew(one: Ending, base: str, *, writes: bool) -> tuple[str, str]:
    return ("Renew it", f"{base}/agreements/{one.id}/renew") if writes else ("", "")


def _young(step: ToDecide, today: date) -> tuple[str, ...]:
    goes_on = "What was agreed for them goes on until they decide, or until it ends."
    on = words.day_and_distance(step.sixteen_on, today)
    said = [
        f"They have been 16 since {words.day(step.sixteen_on)}, decide alone, and have not said"
        " yet what they want to be shared."
        if step.is_16
        else f"They will be 16 on {on}. From then on they decide alone: ask them before.",
        goes_on,
        (
            "If they cannot decide, even with help, write down your judgement and what is best for"
            " them."
        ),
    ]
    if step.eighteen_on is not None:
        eighteen = words.day_and_distance(step.eighteen_on, today)
        said[1] = (
            "Nobody has parental responsibility any more, so what parents agreed has ended."
            if step.is_18
            else f"They will be 18 on {eighteen}. From then on nobody has parental responsibility,"
            " and what parents agreed ends on the day before."
        )
    return tuple(said)


def _expected(one: Expected, today: date) -> str:
    if one.offered_on is not None:
        return (
            f"{one.agency} has been expected since {words.day(one.on)}. The family was to be asked"
            f" whether it may see the record from {words.short_day(one.offered_on)} on."
        )
    return (
        f"{one.agency} is expected from {words.day_and_distance(one.on, today)}. On that day a"
        " request opens, so that the family is asked whether it may see the record."
    )


def _request_row(one: WaitingRequest, base: str, today: date) -> RequestRow:
    return RequestRow(
        who=f"Put down by {one.who}" if one.for_expected else one.who,
        agency=one.agency,
        what=words.upper_first(SECTION_WORDS[one.category]),
        purpose=words.upper_first(FOR_WORDS[one.purpose]),
        why=f"{one.reason} (The family asks to be rung about it.)"
        if one.wants_a_call
        else one.reason,
        due=words.day_and_distance(one.due_on, today),
        late="Late" if one.due_on < today else "",
        href="" if one.is_mine else f"{base}/requests/{one.id}",
    )


def _home_line(one: WaitingLine, today: date) -> HomeLine:
    base = f"/children/{one.child_id}/sharing"
    tag, colour, said, href = _home_words(one, base)
    is_past = one.kind in {"objection", "request"} and one.on < today
    return HomeLine(
        tag=tag,
        colour=colour,
        child=one.name or one.reference,
        words=said,
        when=words.day_and_distance(one.on, today),
        late="Late" if is_past else "",
        href=href,
    )


def _home_words(one: WaitingLine, base: str) -> tuple[str, str, str, str]:
    match one.kind:
        case "objection":
            return "Objection", "orange", "To be decided", f"{base}/objections/{one.about_id}"
        case "request":
            who = ", ".join(part for part in (one.who, one.agency) if part)
            said = f"{who}, for {FOR_WORDS[one.purpose or Purpose.SUPPORT]}"
            return "Request for access", "purple", said, f"{base}#requests"
        case "ending":
            return "Agreement ends", "yellow", "Talk with the family, and renew it", base
        case "young_person":
            said = f"Turns {one.state}: they decide themselves"
            return "Own decision", "teal", said, f"{base}#young-person"
        case "answered":
            said = f"What you asked for was {REQUEST_WORDS[one.state]}"
            return "Answer", "grey", said, f"{base}#ask"
