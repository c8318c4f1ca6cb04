"""Sharing in words: who sees what and why, what was agreed, who looked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from consent import Category, Decision, Purpose
from consent.words import SECTION_WORDS
from panel.sharing.reading import (
    AgencyView,
    AgreementLine,
    LookLine,
    Loss,
    ObjectionLine,
    Rehearsal,
    RequestLine,
    RestrictionLine,
    SharingPicture,
)
from panel.web import words

FOR_WORDS = {
    Purpose.SUPPORT: "working with the child",
    Purpose.PANEL: "the panel",
    Purpose.ALLOCATION: "deciding on requests for services",
    Purpose.REVIEW: "reviews",
    Purpose.SAFEGUARDING: "safeguarding",
    Purpose.EXCHANGE: "the agency’s own computer system",
    Purpose.SUBJECT_ACCESS: "a request for the person's own data",
    Purpose.GOVERNANCE: "checking how the record is used",
}
PURPOSE_CHOICES = [(one.value, words.upper_first(said)) for one, said in FOR_WORDS.items()]
"""Every purpose, as the choices of a form."""
CAPACITY_WORDS = {
    "parental_responsibility": "with parental responsibility",
    "own": "for themselves",
    "own_competent": "for themselves, judged to understand what it means",
    "best_interests": "in their best interests",
    "deputy": "as deputy",
    "attorney": "as attorney",
}
BASIS_WORDS = {
    "birth_mother": "birth mother",
    "father_by_marriage": "father by marriage",
    "father_by_registration": "father by registration of the birth",
    "second_female_parent": "second female parent",
    "agreement": "by agreement",
    "court_order": "by a court's order",
    "step_parent": "step-parent",
    "adoption": "by adoption",
    "parental_order": "by parental order",
    "child_arrangements_order": "by a child arrangements order",
    "special_guardian": "special guardian",
    "appointed_guardian": "guardian by appointment",
    "care_order": "by a care order",
}
BASIS_OF_ANSWER = {
    "agreement": "the family agreed",
    "refusal": "the family said no",
    "duty": "a duty opens it",
    "court_order": "a court's order opens it",
    "safeguarding": "a safeguarding enquiry or override opens it",
    "own_record": "your agency wrote it",
}
LEVEL_WORDS = {"basic": "basic information", "additional": "basic and additional information"}
REQUEST_WORDS = {
    "asked": "waiting for an answer",
    "agreed": "agreed",
    "refused": "refused",
    "lapsed": "not answered in time, so refused",
}
NOTHING_OPEN = "Nothing"


@dataclass(frozen=True, slots=True)
class Share:
    """Some categories that are open, or withheld, for one reason."""

    categories: str
    why: str


@dataclass(frozen=True, slots=True)
class AgencyRow:
    """One row of the table of who sees what."""

    agency: str
    purpose: str
    sees: tuple[Share, ...]
    does_not_see: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class AgreementCard:
    """One agreement or refusal, as a heading and lines of (what, words)."""

    heading: str
    state_words: str
    state_colour: str
    lines: tuple[tuple[str, str], ...]
    withdraw_href: str
    renew_href: str = ""


@dataclass(frozen=True, slots=True)
class SharingPage:
    """Who may see what, on what it rests, and what I can ask for."""

    rows: tuple[AgencyRow, ...]
    involved_withheld: str
    agreements: tuple[AgreementCard, ...]
    ended: tuple[AgreementCard, ...]
    objections: tuple[tuple[str, str], ...]
    """Each as a sentence, and where its page is."""
    restrictions: tuple[str, ...]
    withheld: tuple[str, ...]
    """Why I do not see something, a sentence each."""
    to_ask: tuple[tuple[str, str], ...]
    """Value and label of what I can still ask for."""
    requests: tuple[str, ...]
    history_href: str


@dataclass(frozen=True, slots=True)
class LookRow:
    """One line of the access history."""

    when: str
    who: str
    why: str
    did: str
    basis: str


def sharing_page(picture: SharingPicture, *, base: str, today: date) -> SharingPage:
    """The page of one record; `base` is its address, "/children/…/sharing"."""
    cards = [
        agreement_card(line, base if picture.may_change else "", today)
        for line in picture.agreements
    ]
    current = [line.in_force for line in picture.agreements]
    asked = {line.category for line in picture.requests if line.state == "asked" and line.is_mine}
    return SharingPage(
        rows=tuple(agency_row(view) for view in picture.views),
        involved_withheld=str(picture.involved_withheld or ""),
        agreements=tuple(card for card, now in zip(cards, current, strict=True) if now),
        ended=tuple(card for card, now in zip(cards, current, strict=True) if not now),
        objections=tuple(
            (objection_words(line), f"{base}/objections/{line.id}") for line in picture.objections
        ),
        restrictions=tuple(restriction_words(line) for line in picture.restrictions),
        withheld=tuple(str(why) for _category, why in picture.mine_withheld),
        to_ask=tuple(
            (category.value, words.upper_first(category_words([category])))
            for category, _why in picture.mine_withheld
            if category not in asked
        ),
        requests=tuple(request_words(line) for line in picture.requests),
        history_href=f"{base}/history" if picture.may_see_history else "",
    )


def agency_row(view: AgencyView) -> AgencyRow:
    """One agency's row; what is withheld in silence stands in neither column."""
    sees = _shares((c, d) for c, d in view.decisions.items() if d.permitted)
    hidden = _shares((c, d) for c, d in view.decisions.items() if not (d.permitted or d.silent))
    return AgencyRow(
        agency=f"{view.name} (your agency)" if view.is_mine else view.name,
        purpose=f"For {FOR_WORDS[view.purpose]}",
        sees=sees or (Share(NOTHING_OPEN, ""),),
        does_not_see=hidden,
    )


def agreement_card(line: AgreementLine, base: str, today: date) -> AgreementCard:
    """One agreement or refusal; without `base` it cannot be withdrawn here."""
    who = words.upper_first(line.by_words)
    did = "agreed to share" if line.given else "refused to share"
    everyone = "every agency" if not line.given else "nobody"
    lines = [
        ("Who", f"{who}, {_capacity(line)}"),
        ("With" if line.given else "Not with", words.in_a_row(line.agencies) or everyone),
        ("Not with", words.in_a_row(line.not_agencies)),
        ("What", _what(line)),
        ("For", words.in_a_row([FOR_WORDS[Purpose(one)] for one in line.purposes])),
        ("From", words.day(line.from_on)),
        ("Until", _until(line, today)),
        ("How it was explained", line.how_explained),
        ("Interpreter", "" if line.interpreter == "yes" else line.interpreter),
        _carried_on(line),
    ]
    state, colour = _state(line, today)
    return AgreementCard(
        heading=f"{who} {did}",
        state_words=state,
        state_colour=colour,
        lines=tuple((what, said) for what, said in lines if said),
        withdraw_href=f"{base}/agreements/{line.id}/withdraw" if base and line.in_force else "",
        renew_href=f"{base}/agreements/{line.id}/renew" if base and _can_be_renewed(line) else "",
    )


def _capacity(line: AgreementLine) -> str:
    said = CAPACITY_WORDS.get(line.capacity, line.capacity)
    return f"{said} ({BASIS_WORDS.get(line.basis, line.basis)})" if line.basis else said


def _carried_on(line: AgreementLine) -> tuple[str, str]:
    if line.renewed_on is None:
        return "Renewed", ""
    on = words.day(line.renewed_on)
    if line.goes_on_without:
        return "Goes on", f"Without {words.in_a_row(line.goes_on_without)}, from {on}"
    return "Renewed", on


def _can_be_renewed(line: AgreementLine) -> bool:
    return line.given and line.until_on is not None and not (line.withdrawn_on or line.renewed_on)


def objection_words(line: ObjectionLine) -> str:
    """An objection as one sentence."""
    who = words.upper_first(line.by_words)
    what = category_words(Category(one) for one in line.categories) or "anything"
    whom = words.in_a_row(line.agencies, "or") or "anybody"
    for_what = purpose_words(Purpose(one) for one in line.purposes)
    alone = f", for {for_what} alone" if for_what else ""
    on = words.short_day(line.raised_on)
    said = f"{who} objected on {on} to sharing {what} with {whom}{alone}."
    if line.decided_on is None:
        return f"{said} Not decided yet: new sharing waits, what was shared before goes on."
    answer = "It is not shared." if line.upheld else "Sharing goes on."
    return f"{said} Decided on {words.short_day(line.decided_on)}: {answer}"


def restriction_words(line: RestrictionLine) -> str:
    """A restriction as one sentence."""
    what = category_words(Category(one) for one in line.categories) or "everything"
    whom = words.in_a_row(line.against, "or") or "anybody"
    until = "" if line.until_on is None else f" until {words.short_day(line.until_on)}"
    since = f"since {words.short_day(line.from_on)}{until}"
    if line.kind == "protection":
        # Since when could tell where somebody went.
        return f"Protected: {what} must not reach {whom}. Only a court can open it."
    who = line.by_words or "the family"
    return f"{words.upper_first(who)} chose not to share {what} with {whom}, {since}."


def request_words(line: RequestLine) -> str:
    """A request of my own, or for my agency, as one sentence, with its answer."""
    what = words.upper_first(category_words([line.category]))
    whom = f" for {line.agency}" if line.agency else ""
    answered = "" if line.answered_on is None else f" on {words.short_day(line.answered_on)}"
    basis = BASIS_OF_ANSWER.get(line.basis, "")
    said = (
        f"{what}: asked{whom} on {words.short_day(line.asked_on)}, {REQUEST_WORDS[line.state]}"
        f"{answered}{f': {basis}' if basis else ''}. For {FOR_WORDS[line.purpose]}."
    )
    return f"{said} Reason: {line.answer}" if line.answer else said


def look_row(line: LookLine) -> LookRow:
    """One look: when, who, why, what they did, on which basis."""
    who = f"{line.who}, {line.agency}" if line.agency else line.who
    did = f"Tried, and was refused: {line.doing}" if line.refused else line.doing
    return LookRow(
        when=words.day_and_time(line.at),
        who=who,
        why=f"For {FOR_WORDS[line.purpose]}",
        did=words.upper_first(did),
        basis=line.basis,
    )


def rehearsal_words(rehearsal: Rehearsal, only: UUID | None = None) -> tuple[str, ...]:
    """What changes at once if the agreement ends, a sentence for each agency and purpose.

    And with whom it goes on, where it ends for `only` one.
    """
    closes = [loss_words(loss, "no longer sees") for loss in rehearsal.closes]
    opens = [loss_words(loss, "sees again") for loss in rehearsal.opens]
    changes = (*closes, *opens) or ("Nobody sees more or less than before.",)
    rest = [name for agency, name in rehearsal.agencies if agency != only]
    if only is None or not rest:
        return changes
    about = "agreed for" if rehearsal.agreement.given else "refused to"
    return (*changes, f"What was {about} {words.in_a_row(rest)} goes on.")


def only_links(rehearsal: Rehearsal, address: str) -> tuple[tuple[str, str], ...]:
    """Where it names several agencies: the name of each, and where only that is rehearsed."""
    if len(rehearsal.agencies) < 2:
        return ()
    return tuple((name, f"{address}?agency={agency}") for agency, name in rehearsal.agencies)


def category_words(categories: Iterable[Category]) -> str:
    """Categories as a phrase: "names and identifiers, contact details and plan"."""
    return words.in_a_row([SECTION_WORDS[one] for one in categories])


def purpose_words(purposes: Iterable[Purpose]) -> str:
    """Purposes as a phrase: "the panel and reviews"."""
    return words.in_a_row([FOR_WORDS[one] for one in purposes])


def loss_words(loss: Loss, verb: str) -> str:
    """One agency's loss or gain as a sentence."""
    what = category_words(loss.categories)
    return f"{loss.agency} {verb} {what}, for {FOR_WORDS[loss.purpose]}."


def _shares(decided: Iterable[tuple[Category, Decision]]) -> tuple[Share, ...]:
    by_reason: dict[str, list[Category]] = {}
    for category, decision in decided:
        by_reason.setdefault(_of_another(decision.reasons[0]), []).append(category)
    return tuple(
        Share(words.upper_first(category_words(categories)), why)
        for why, categories in by_reason.items()
    )


def _of_another(reason: str) -> str:
    """A decision's reason, told about an agency rather than to it."""
    return reason.replace("your agency", "this agency").replace("Your agency", "This agency")


def _what(line: AgreementLine) -> str:
    level = LEVEL_WORDS.get(line.level or "", "")
    named = category_words(Category(one) for one in line.named)
    both = words.in_a_row([part for part in (level, named) if part])
    return words.upper_first(both) or ("" if line.given else "Everything")


def _until(line: AgreementLine, today: date) -> str:
    if line.withdrawn_on is not None and line.renewed_on is None:
        return f"Withdrawn on {words.day(line.withdrawn_on)}"
    return "" if line.until_on is None else words.day_and_distance(line.until_on, today)


def _state(line: AgreementLine, today: date) -> tuple[str, str]:
    if line.renewed_on is not None:
        return ("Withdrawn in part" if line.goes_on_without else "Renewed"), "grey"
    if line.withdrawn_on is not None:
        return "Withdrawn", "grey"
    if not line.in_force:
        return "Ended", "grey"
    if line.from_on > today:
        return "Not yet", "yellow"
    return ("In force", "green") if line.given else ("Refusal in force", "red")
