"""Restrictions, orders and enquiries in words: a card each, and what they would change."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from consent import Category, RestrictionKind
from panel.register.service import CATEGORY_CHOICES
from panel.sharing.confirming import WaitingOrder
from panel.sharing.court_orders import OrderLine, PlannedOrder
from panel.sharing.enquiring import EnquiryLine, PlannedEnquiry
from panel.sharing.named import EVERYONE, Kind, Named
from panel.sharing.pages import category_words
from panel.sharing.restrict_rules import Change
from panel.sharing.restricting import EVERYTHING, Kept, Planned
from panel.web import words

EVERYTHING_CHOICE = (EVERYTHING, "Everything: the whole record is sealed")
EVERYONE_CHOICE = (EVERYONE, "Everyone, whoever they are")
TOLD_CHOICES = (
    ("told", "Say that it is withheld, and nothing more"),
    ("silent", "Say nothing: knowing that something is withheld would already tell too much"),
)
KIND_WORDS = {
    RestrictionKind.PROTECTION: "Protection",
    RestrictionKind.CHOICE: "The family’s choice",
}
Lines = tuple[tuple[str, str], ...]
"""(what, words) of each line."""
WAITS = (
    "Once somebody of another agency who may record an order, or the information governance lead,"
    " has confirmed it: it lets whoever recorded it, or their agency, see something"
)
NOBODY_CHANGES = "Nobody who works with the child now sees less or more than before."


@dataclass(frozen=True, slots=True)
class FactCard:
    """Something that was recorded: a heading, its state, lines of (what, words), how it ends."""

    heading: str
    state_words: str
    state_colour: str
    lines: Lines
    end_href: str
    step: str = "See what changes if it ends"
    """What the link of `end_href` says."""


def what_words(categories: Iterable[Category]) -> str:
    """What is withheld: "contact details and family", "the whole record"."""
    return category_words(categories) or "the whole record"


def restriction_card(kept: Kept, base: str, today: date) -> FactCard:
    """One restriction; `base` is the address of the list."""
    state, colour = span_state(kept.from_on, today, is_over=kept.is_over)
    lines = [
        ("From whom", words.upper_first(words.in_a_row(kept.whom))),
        ("Kind", KIND_WORDS[kept.kind]),
        ("Whose choice", words.upper_first(kept.by_words)),
        *span_lines(kept.from_on, None if kept.ended_on else kept.until_on),
        ("Is it said?", "No, nothing is said" if kept.silent else "Yes, that it is withheld"),
        ("Why", kept.reason),
        ("Recorded by", kept.recorded_by),
        *ended_lines(kept.ended_on, kept.ended_by, kept.ended_why),
    ]
    return FactCard(
        heading=f"{words.upper_first(what_words(kept.categories))} withheld",
        state_words=state,
        state_colour=colour,
        lines=tuple((what, said) for what, said in lines if said),
        end_href=f"{base}/{kept.id}/end" if kept.may_end else "",
    )


def planned_lines(planned: Planned, today: date) -> Lines:
    """What would be recorded, as lines of (what, words)."""
    new = planned.restriction
    lines = [
        ("What is withheld", words.upper_first(what_words(_in_order(new.categories)))),
        ("From whom", words.upper_first(words.in_a_row(planned.whom, "and"))),
        ("Whose choice", words.upper_first(new.by_words)),
        *span_lines(new.from_on or today, new.until_on),
        ("Is it said?", "No, nothing is said" if new.silent else "Yes, that it is withheld"),
        ("Why", new.reason),
    ]
    return tuple((what, said) for what, said in lines if said)


def change_words(changed: Sequence[Change]) -> tuple[str, ...]:
    """Who would see less and more, a sentence each."""
    sentences = []
    for one in changed:
        if one.loses:
            sentences.append(f"{one.who} no longer sees {category_words(one.loses)}.")
        if one.gains:
            sentences.append(f"{one.who} sees {category_words(one.gains)}.")
    return tuple(sentences) or (NOBODY_CHANGES,)


def named_choices(named: Iterable[Named], *kinds: Kind) -> list[tuple[str, str]]:
    """Those of some kinds, as the choices of a form."""
    return [(str(one.id), one.words) for one in named if not kinds or one.kind in kinds]


def what_choices(*, everything: bool) -> list[tuple[str, str]]:
    """The categories as choices of a form."""
    return [*CATEGORY_CHOICES, *([EVERYTHING_CHOICE] if everything else [])]


def span_lines(from_on: date, until_on: date | None) -> Lines:
    """From when until when."""
    until = "until somebody ends it" if until_on is None else f"until {words.short_day(until_on)}"
    return (("When", f"From {words.short_day(from_on)} {until}"),)


def ended_lines(on: date | None, by: str, why: str) -> Lines:
    """When something ended before its time, who said so and why."""
    if on is None:
        return ()
    return (("Ended", f"{words.short_day(on)}{f' by {by}' if by else ''}"), ("Why it ended", why))


def span_state(from_on: date, today: date, *, is_over: bool) -> tuple[str, str]:
    """In words and a colour: in force, not yet, over."""
    if is_over:
        return "Over", "grey"
    return ("Not yet", "yellow") if from_on > today else ("In force", "green")


def _in_order(categories: Iterable[Category]) -> list[Category]:
    chosen = set(categories)
    return [category for category in Category if category in chosen]


def order_card(order: OrderLine, base: str, today: date) -> FactCard:
    """One court order; `base` is the address of the list."""
    state, colour = span_state(order.from_on, today, is_over=order.is_over)
    lines = [
        *order_lines(
            court_words(permits=order.permits), order.categories, order.whom, order.reference
        ),
        *span_lines(order.from_on, None if order.ended_on else order.until_on),
        ("Is it said?", "No, nothing is said" if order.silent else "Yes"),
        ("What it says", order.says),
        ("Recorded by", order.recorded_by),
        *ended_lines(order.ended_on, order.ended_by, order.ended_why),
    ]
    return FactCard(
        heading=f"Order {order.reference}" if order.reference else "A court’s order",
        state_words=state,
        state_colour=colour,
        lines=tuple((what, said) for what, said in lines if said),
        end_href=f"{base}/{order.id}/end" if order.may_end else "",
    )


def court_words(*, permits: bool) -> str:
    """What an order does."""
    return "may see" if permits else "must not see"


def order_lines(
    says: str, categories: Iterable[Category], whom: Sequence[str], reference: str
) -> Lines:
    """What a court says, as lines of (what, words)."""
    named = words.upper_first(words.in_a_row(whom))
    return (
        ("The court says", f"{named} {says} {what_words(_in_order(categories))}"),
        ("Case number", reference),
    )


def planned_order_lines(planned: PlannedOrder, _today: date) -> Lines:
    """What would be recorded of an order."""
    fact = planned.fact
    lines = [
        *order_lines(
            court_words(permits=fact.permits), fact.categories, planned.whom, fact.reference
        ),
        *span_lines(fact.span.start or date.min, fact.span.end),
        ("Is it said?", "No, nothing is said" if fact.silent else "Yes"),
        ("What it says", planned.says),
    ]
    if planned.waits:
        lines.append(("When it counts", WAITS))
    return tuple(lines)


def waiting_card(order: WaitingOrder, base: str, _today: date) -> FactCard:
    """One order that waits for somebody else; `base` is the address of the list."""
    lines = [
        *order_lines(court_words(permits=True), order.categories, order.whom, order.reference),
        *span_lines(order.from_on, order.until_on),
        ("Is it said?", "No, nothing is said" if order.silent else "Yes"),
        ("What it says", order.says),
        ("Recorded by", order.recorded_by),
        ("When it counts", WAITS),
    ]
    return FactCard(
        heading=f"Order {order.reference}",
        state_words="Waits to be confirmed",
        state_colour="yellow",
        lines=tuple((what, said) for what, said in lines if said),
        end_href=f"{base}/{order.id}/confirm" if order.may_confirm else "",
        step="Confirm this order",
    )


def enquiry_card(enquiry: EnquiryLine, base: str, today: date) -> FactCard:
    """One safeguarding enquiry; `base` is the address of the list."""
    state, colour = span_state(enquiry.from_on, today, is_over=enquiry.is_over)
    lines = [
        ("Made by", words.in_a_row(enquiry.agencies)),
        *span_lines(enquiry.from_on, None if enquiry.ended_on else enquiry.until_on),
        ("Why", enquiry.reason),
        ("Recorded by", enquiry.recorded_by),
        *ended_lines(enquiry.ended_on, enquiry.ended_by, enquiry.ended_why),
    ]
    return FactCard(
        heading=f"Enquiry from {words.short_day(enquiry.from_on)}",
        state_words=state,
        state_colour=colour,
        lines=tuple((what, said) for what, said in lines if said),
        end_href=f"{base}/{enquiry.id}/end" if enquiry.may_end else "",
    )


def planned_enquiry_lines(planned: PlannedEnquiry, _today: date) -> Lines:
    """What would be recorded of an enquiry."""
    span = planned.fact.span
    return (
        ("Made by", words.in_a_row(planned.agencies)),
        *span_lines(span.start or date.min, span.end),
        ("Why", planned.reason),
    )
