"""What the pages about who leads say: suggestions, cover, handing back, the budget, caseloads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from panel.plans.budgeting import BudgetHeld
from panel.plans.caseload import WorkerLoad
from panel.plans.covering import CoverLine
from panel.plans.leads import Candidate, LeadLine, Offer
from panel.plans.models import LeadCover
from panel.plans.pages import OfferPage, candidate_words, facts_of_child
from panel.plans.suggesting import MOST_SUGGESTED, Suggestion, Wish
from panel.records.gate import Withheld
from panel.records.held_budget import ChildBudget
from panel.web.paging import Page
from panel.web.words import day_and_distance, lower_first, plural, short_day

Choice = tuple[str, str]
FAMILY_CHOICES: Sequence[Choice] = (
    ("said", "They said what they think"),
    ("asked", "They were asked and have not answered yet"),
    ("could_not_ask", "They could not be asked"),
)
COVER_STATES = {
    "offered": "Asked",
    "accepted": "Agreed",
    "declined": "Declined",
    "withdrawn": "Taken back",
    "ended": "Ended early",
}


@dataclass(frozen=True, slots=True)
class CoverRow:
    """One cover on the child's page."""

    who: str
    days: str
    state: str
    reason: str
    end_href: str
    """Where it is ended or taken back; empty where it cannot be."""
    end_words: str
    version: int
    answer_href: str


@dataclass(frozen=True, slots=True)
class LeadSections:
    """What stands on the page of who leads, beside who does and the history."""

    today: str
    """Who is to be rung today, where that is not who holds the plan; or who leads beside."""
    suggested: Sequence[tuple[str, Sequence[str]]]
    """Who could lead, and what speaks for each."""
    choices: Sequence[Choice]
    some_are_full: bool
    """Whether somebody of them is at the limit, so that a reason may be needed."""
    wish: str
    wish_href: str
    covers: Sequence[CoverRow]
    cover_href: str
    give_back_href: str
    budget: Sequence[str]
    budget_href: str
    family_choices: Sequence[Choice] = FAMILY_CHOICES


def days(from_on: date, until_on: date | None) -> str:
    """From a day until another; or since, where there is no end."""
    if until_on is None:
        return f"From {short_day(from_on)}"
    if until_on == from_on:
        return short_day(from_on)
    return f"{short_day(from_on)} to {short_day(until_on)}"


@dataclass(frozen=True, slots=True)
class LeadPageFacts:
    """What the sections are made of."""

    child_id: UUID
    viewer_id: UUID
    today: date
    may_write: bool
    lines: Sequence[LeadLine]
    suggestions: Sequence[Suggestion]
    wish: Wish | None
    covers: Sequence[CoverLine]
    budget: BudgetHeld | None
    amount: ChildBudget | Withheld | None
    may_give_budget: bool


def lead_sections(facts: LeadPageFacts) -> LeadSections:
    """Who is rung today, who could lead and why, who covers, and what is held with the plan."""
    base = f"/children/{facts.child_id}/lead-professional"
    now = next((one for one in facts.lines if one.holds_on(facts.today)), None)
    could = [one for one in facts.suggestions if now is None or not _is(one.candidate, now)]
    return LeadSections(
        today=_today_words(facts),
        suggested=[
            (candidate_words(one.candidate), one.reasons or ("Works at an agency involved now",))
            for one in could[:MOST_SUGGESTED]
        ],
        choices=[(str(one.candidate.worker_id), _choice_words(one)) for one in could],
        some_are_full=any(one.is_full for one in could),
        wish="" if facts.wish is None else wish_words(facts.wish),
        wish_href=f"{base}/wish" if facts.may_write else "",
        covers=[_cover_row(one, base, facts) for one in facts.covers],
        cover_href=f"{base}/cover/new" if facts.may_write and now is not None else "",
        give_back_href=(
            f"{base}/give-back" if now is not None and now.worker_id == facts.viewer_id else ""
        ),
        budget=budget_words(facts.budget, facts.amount, facts.today),
        budget_href=(
            f"{base}/budget" if facts.may_give_budget and facts.budget is not None else ""
        ),
    )


def _is(one: Candidate, line: LeadLine) -> bool:
    return one.worker_id == line.worker_id


def _choice_words(one: Suggestion) -> str:
    words = candidate_words(one.candidate)
    if one.load is None:
        return words
    held = plural(one.load.plans, "plan")
    return f"{words}: {held}{', at the limit' if one.is_full else ''}"


def _today_words(facts: LeadPageFacts) -> str:
    said = [
        f"{one.name}, {one.agency}, covers until {short_day(one.until_on)}: ring them until then."
        for one in facts.covers
        if one.covers_on(facts.today)
    ]
    said += [
        f"{one.name}, {one.agency}, leads beside them until {short_day(one.until_on)}."
        for one in facts.lines
        if one.role == "joint" and one.leads_on(facts.today) and one.until_on is not None
    ]
    return " ".join(said)


def _cover_row(one: CoverLine, base: str, facts: LeadPageFacts) -> CoverRow:
    goes_on = one.goes_on(facts.today)
    begun = one.state == "accepted" and one.from_on <= facts.today
    return CoverRow(
        who=f"{one.name}, {one.agency}",
        days=days(one.from_on, one.until_on),
        state=COVER_STATES[one.state],
        reason=one.reason or "",
        end_href=f"{base}/cover/{one.id}/end" if goes_on and facts.may_write else "",
        end_words="End it today" if begun else "Take it back",
        version=one.version,
        answer_href=(
            f"/lead-professional/cover/{one.id}"
            if one.state == "offered" and one.worker_id == facts.viewer_id
            else ""
        ),
    )


def wish_words(wish: Wish) -> str:
    """Whom the family would like, as they said it, when."""
    by = f"{wish.said_by}, " if wish.said_by else ""
    said = "What they said is not shown to you" if wish.words is None else f"“{wish.words}”"
    named = f" They named {wish.worker}." if wish.worker else ""
    return f"{said} ({by}{short_day(wish.said_on)}).{named}"


def budget_words(
    held: BudgetHeld | None, amount: ChildBudget | Withheld | None, today: date
) -> Sequence[str]:
    """Whether the lead professional holds the budget, since when, and what there is to spend."""
    if held is None or held.from_on is None:
        return ()
    if held.until_on is not None and held.until_on < today:
        return (f"{held.worker} held the budget until {short_day(held.until_on)}.",)
    by = f", given by {held.given_by}" if held.given_by else ""
    said = [
        f"{held.worker} holds the budget: {lower_first(days(held.from_on, held.until_on))}{by}."
    ]
    if isinstance(amount, Withheld):
        said.append(str(amount))
    elif amount is None:
        said.append("No package is approved for the child yet, so there is nothing to spend.")
    else:
        said.append(f"Approved in {amount.year}: £{amount.amount:,.2f}.")
        said += [f"{name}: £{cost:,.2f}" for name, cost in amount.lines]
    return said


def cover_choices(people: Sequence[Candidate], holder: UUID | None) -> Sequence[Choice]:
    """Who can be asked to cover."""
    return [
        (str(one.worker_id), candidate_words(one))
        for one in people
        if one.worker_id != holder and one.leaves_on is None
    ]


# The question to cover ----------------------------------------------------------------------------


def cover_page(cover: LeadCover, offer: Offer, today: date) -> OfferPage:
    """Who asks, for whom, for which days, and what it means."""
    facts = facts_of_child(offer, today)
    facts.append(("Days", days(cover.from_on, cover.until_on)))
    facts.append(("Lead professional", offer.lead_now or "Nobody now"))
    by = ", ".join(part for part in (offer.offered_by, offer.offered_by_agency) if part)
    facts.append(("Asked by", by or "Somebody"))
    facts.append(("Asked", day_and_distance(cover.offered_on, today)))
    base = f"/lead-professional/cover/{cover.id}"
    return OfferPage(
        title="Will you cover?",
        facts=facts,
        accept="Yes, I cover",
        read_by="Whoever asked reads this",
        meaning=(
            "On these days the family and everybody in the team rings you, and you reach the"
            " record as the lead professional does. The plan stays theirs: after the last day"
            " they are back by themselves."
        ),
        accept_href=f"{base}/accept",
        decline_href=f"{base}/decline",
    )


# Caseloads ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CaseloadRow:
    """One worker and what they hold."""

    name: str
    href: str
    job_title: str
    plans: str
    covers: str
    offered: str
    tag: str
    colour: str


@dataclass(frozen=True, slots=True)
class CaseloadPage:
    """What everybody of an agency holds, the most first."""

    limit: str
    rows: Sequence[CaseloadRow]
    previous: str
    next: str
    note: str


def caseload_page(found: Page[WorkerLoad], limit: int, today: date, path: str) -> CaseloadPage:
    """The list, with the limit in words."""
    return CaseloadPage(
        limit=f"One worker holds at most {plural(limit, 'plan')}; more needs a reason.",
        rows=[_caseload_row(one, today) for one in found.rows],
        previous=f"{path}?page={found.previous}" if found.previous else "",
        next=f"{path}?page={found.next}" if found.next else "",
        note=found.note,
    )


def _caseload_row(one: WorkerLoad, today: date) -> CaseloadRow:
    load = one.load
    tag, colour = ("", "")
    if load.plans > load.limit:
        tag, colour = f"{load.plans - load.limit} over the limit", "red"
    elif load.is_full:
        tag, colour = "At the limit", "yellow"
    leaves = "" if one.leaves_on is None else f"leaves {day_and_distance(one.leaves_on, today)}"
    return CaseloadRow(
        name=one.name,
        href=f"/people/workers/{one.worker_id}",
        job_title=", ".join(part for part in (one.job_title, leaves) if part),
        plans=str(load.plans),
        covers=str(load.covers),
        offered=str(load.offered),
        tag=tag,
        colour=colour,
    )
