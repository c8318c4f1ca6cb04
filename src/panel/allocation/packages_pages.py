"""Packages, pots and contracts as their pages say them: records become words, dates and pounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

from panel.accounts.step_pages import Field, Step
from panel.allocation.contracts import SERVICES, Contract, Statement, statement
from panel.allocation.costing import Every, Price
from panel.allocation.models import ServiceRequest
from panel.allocation.money import NOTHING, FinancialYear, pounds
from panel.allocation.package_changing import (
    said_of,
)
from panel.allocation.package_contents import (
    LineEnd,
    LineWords,
    NewPrice,
    PackageWords,
    Payers,
)
from panel.allocation.package_models import (
    EntryKind,
    InclusionGrant,
    PackageChange,
    PackageKind,
    PackageState,
    Pot,
    PotEntry,
    PotKind,
    Unit,
)
from panel.allocation.package_reading import standing_bills
from panel.allocation.package_signing import Signing
from panel.allocation.packages import LineReading, PackageReading
from panel.allocation.payments import Account
from panel.allocation.short_breaks import Limits
from panel.records.gate import Withheld
from panel.web import words

Choices = Sequence[tuple[str, str]]
Code = TypeVar("Code", bound=str)

KIND_WORDS = {
    PackageKind.IN_KIND: "Services given in kind",
    PackageKind.DIRECT_PAYMENT: "A direct payment",
    PackageKind.PERSONAL_BUDGET: "A personal budget",
}
STATE_WORDS = {
    PackageState.PLANNED: ("Planned", "yellow"),
    PackageState.ACTIVE: ("Approved", "green"),
    PackageState.ENDED: ("Ended", "grey"),
}
UNIT_WORDS = {
    Unit.HOUR: "hour",
    Unit.SESSION: "session",
    Unit.DAY: "day",
    Unit.NIGHT: "night",
    Unit.WEEK: "week",
    Unit.PLACE: "place",
    Unit.ITEM: "item",
}
EVERY_WORDS = {
    Every.WEEK: "every week",
    Every.FORTNIGHT: "every two weeks",
    Every.MONTH: "every month",
    Every.YEAR: "every financial year",
    Every.ONCE: "once",
}
LAW_WORDS = {"s17": "Short break, section 17", "s20": "Short break, section 20"}
POT_WORDS = {
    PotKind.SHARE: "One agency’s own budget",
    PotKind.POOLED: "Pooled: several agencies’ money in one budget",
    PotKind.ALIGNED: "Aligned: one agency’s own, decided about with others",
}
POOL_LAW_WORDS = {"s75": "NHS Act 2006, section 75", "s10": "Children Act 2004, section 10"}
ENTRY_WORDS = {
    EntryKind.TOP_UP: "Paid in",
    EntryKind.CUT: "Taken out",
    EntryKind.COMMITMENT: "Promised",
    EntryKind.RELEASE: "Given back",
    EntryKind.ACTUAL: "Paid",
    EntryKind.REFUND: "Came back",
}
OUTCOME_WORDS = {
    "even": "It is even",
    "carried_over": "Carried over",
    "paid_back": "Paid back to the pots",
    "made_good": "Made good to whoever laid it out",
}
GRANT_WORDS = {
    "asked": ("Asked for", "yellow"),
    "approved": ("Approved", "green"),
    "declined": ("Declined", "grey"),
}
SERVICE_WORDS = {"health": "Health", "education": "Education", "social_care": "Social care"}
UNITS: Choices = tuple((one.value, words.upper_first(said)) for one, said in UNIT_WORDS.items())


def choices(said: Mapping[Code, str]) -> Choices:
    """Codes with their words, for radios and lists."""
    return tuple((str(code), told) for code, told in said.items())


def plain(number: Decimal) -> str:
    """A number without idle noughts: "2", "1.5"."""
    return f"{number.normalize():,f}"


def span(from_on: date, until_on: date | None) -> str:
    """From when until when."""
    if until_on is None:
        return f"from {words.short_day(from_on)}"
    return f"{words.short_day(from_on)} to {words.short_day(until_on)}"


def price_words(prices: Sequence[Price], unit: str, today: date) -> str:
    """What a unit costs now, or will at first."""
    known = sorted(prices, key=lambda one: one.from_on)
    held = [one for one in known if one.from_on <= today] or known[:1]
    return f"{pounds(held[-1].amount)} a {unit}" if held else "No price yet"


# A child's packages -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PackageLine:
    """A package in the list of a child's."""

    href: str
    name: str
    kind: str
    days: str
    state: str
    colour: str
    this_year: str


@dataclass(frozen=True, slots=True)
class GrantLine:
    """An inclusion grant in the list of a child's."""

    href: str
    what_for: str
    amount: str
    asked_on: str
    state: str
    colour: str
    answer: str


def package_line(base: str, one: PackageReading) -> PackageLine:
    """One line of the list."""
    state, colour = STATE_WORDS[one.state]
    year = FinancialYear.of(one.today)
    return PackageLine(
        f"{base}/{one.id}",
        one.name,
        KIND_WORDS[one.kind],
        span(one.from_on, one.until_on),
        state,
        colour,
        pounds(one.cost(year).total),
    )


def grant_line(child_id: UUID, one: InclusionGrant) -> GrantLine:
    """One line of the list of grants."""
    state, colour = GRANT_WORDS[one.state]
    return GrantLine(
        f"/children/{child_id}/grants/{one.id}",
        one.what_for,
        pounds(one.amount),
        words.short_day(one.asked_on),
        state,
        colour,
        one.answer,
    )


@dataclass(frozen=True, slots=True)
class PackagePage:
    """A package: what it is, what it costs in each year and who pays."""

    title: str
    state: str
    colour: str
    facts: Sequence[Sequence[str]]
    """What and how it is; where it leads on, the words and the address of the link."""
    warnings: Sequence[str]
    plan: str
    lines: Sequence[Sequence[str]]
    years: Sequence[Sequence[str]]
    payers: Sequence[Sequence[str]]
    stays: Sequence[Sequence[str]]
    steps: Sequence[tuple[str, str]]
    """What can be done: words and address."""
    account: "AccountPart | None"
    withheld: str


@dataclass(frozen=True, slots=True)
class AccountPart:
    """The account of a direct payment or personal budget."""

    balance: str
    rows: Sequence[Sequence[str]]


def package_page(
    base: str,
    one: PackageReading,
    account: Account | Withheld | None,
    limits: Limits,
    steps: Sequence[str],
    answers: ServiceRequest | None = None,
    notes: Sequence[str] = (),
) -> PackagePage:
    """The page of a package, which names the request that it answers."""
    state, colour = STATE_WORDS[one.state]
    warnings = [*notes, *(each.sentence for each in one.warnings(limits))]
    warnings += [
        f"No price is known for {what} from {words.short_day(first)} to {words.short_day(last)}."
        for what, first, last in one.unpriced
    ]
    return PackagePage(
        one.name,
        state,
        colour,
        [*_facts(one), *_answers(answers)],
        warnings,
        one.spending_plan,
        [_line_row(each, one) for each in one.lines],
        _year_rows(one),
        _payer_rows(one),
        [
            (
                each.what,
                span(stay.from_on, stay.until_on),
                "Does not take place"
                if stay.cancelled_on
                else "Passes a limit, and was planned knowing it"
                if stay.passes_limit
                else "Planned",
            )
            for each in one.lines
            for stay in each.stays
        ],
        [(STEP_LINKS[slug], f"{base}/{one.id}/steps/{slug}") for slug in steps],
        _account(account, one.today) if isinstance(account, Account) else None,
        str(account) if isinstance(account, Withheld) else "",
    )


def _facts(one: PackageReading) -> Sequence[tuple[str, str]]:
    told = [
        ("How it reaches the family", KIND_WORDS[one.kind]),
        ("Days", span(one.from_on, one.until_on)),
        ("Approved", "" if one.approved_on is None else words.short_day(one.approved_on)),
        ("Last review", "" if one.reviewed_on is None else words.short_day(one.reviewed_on)),
        (
            "Plan agreed with the family",
            "" if one.plan_agreed_on is None else words.short_day(one.plan_agreed_on),
        ),
        ("Broker", f"{one.broker}{', who holds the money' if one.broker_holds else ''}"),
    ]
    return [(what, value) for what, value in told if value]


def _answers(request: ServiceRequest | None) -> Sequence[Sequence[str]]:
    if request is None:
        return ()
    href = f"/children/{request.child_id}/requests/{request.id}"
    return [("Answers request", request.reference, "Read", href)]


def _line_row(each: LineReading, one: PackageReading) -> Sequence[str]:
    unit = UNIT_WORDS[each.unit]
    many = unit if each.line.units == 1 else f"{unit}s"
    law = f" ({LAW_WORDS[each.law]})" if each.law else ""
    return (
        f"{each.what}{law}",
        f"{plain(each.line.units)} {many} {EVERY_WORDS[each.line.every]}",
        span(each.line.from_on, each.line.until_on),
        price_words(each.line.prices, unit, one.today),
    )


def _year_rows(one: PackageReading) -> Sequence[Sequence[str]]:
    rows = []
    for year in one.years:
        cost = one.cost(year)
        rows.append((year.name, pounds(cost.total), pounds(cost.actual)))
    return rows


def _payer_rows(one: PackageReading) -> Sequence[Sequence[str]]:
    by_id = {share.id: share for share in one.shares}
    return [
        (
            year.name,
            by_id[share].agency,
            f"{by_id[share].parts} of {one.shared_by}",
            _pot_words(by_id[share].pot),
            pounds(amount),
        )
        for year in one.years
        for share, amount in one.cost(year).shares.items()
    ]


def _pot_words(pot: Pot | None) -> str:
    return "No pot" if pot is None else pot.name


def _account(account: Account, today: date) -> AccountPart:
    rows: list[tuple[date, Sequence[str]]] = [
        (
            one.on,
            (
                words.short_day(one.on),
                f"Paid to the {one.paid_to} for {span(one.from_on, one.until_on)}",
                pounds(one.amount),
                "",
            ),
        )
        for one in account.payments
    ]
    rows += [
        (
            one.until_on,
            (
                words.short_day(one.until_on),
                f"Spent {span(one.from_on, one.until_on)}",
                pounds(-one.spent),
                one.note,
            ),
        )
        for one in account.returns
    ]
    rows += [
        (
            one.until_on,
            (
                words.short_day(one.until_on),
                f"Reconciled: {words.lower_first(OUTCOME_WORDS[one.outcome])}",
                pounds(one.carried_in + one.paid - one.spent),
                one.note,
            ),
        )
        for one in account.reconciliations
    ]
    told = balance_words(account, today)
    return AccountPart(told, [row for _, row in sorted(rows, key=lambda one: one[0])])


def balance_words(account: Account, today: date) -> str:
    """What is left of what was paid, or what is owed."""
    left = account.balance(today).left
    if left > 0:
        return f"{pounds(left)} is left of what was paid."
    if left < 0:
        return f"{pounds(-left)} was laid out beyond what was paid."
    return "Nothing is left and nothing is owed."


# The steps of a package ---------------------------------------------------------------------------

STEP_LINKS = {
    "change": "Change its name or days",
    "spending": "Write the plan of spending",
    "line": "Add a service",
    "price": "Change a price",
    "end-line": "End a service",
    "share": "Say who pays",
    "approve": "Approve it",
    "approve-change": "Approve the change that waits",
    "take-back": "Take the change back",
    "bill": "Write down a bill",
    "bill-back": "Take a bill back",
    "stay": "Plan days away",
    "cancel-stay": "Cancel days away",
    "review": "Write down a review",
    "pay": "Write down a payment",
    "return": "Write down a return",
    "reconcile": "Reconcile the account",
    "end": "End the package",
}


def steps_of(
    one: PackageReading,
    *,
    may_prepare: bool,
    may_sign: bool,
    may_approve: bool,
    may_see_account: bool,
    of_change: Sequence[str] = (),
) -> Sequence[str]:
    """What the viewer may do with a package now, in the order in which it comes."""
    bills = ["bill", "bill-back"] if any(standing_bills(each.actuals) for each in one.lines) else []
    holds = one.kind is not PackageKind.IN_KIND
    account = ["pay", "return", "reconcile"] if holds and may_sign and may_see_account else []
    if one.state is PackageState.ENDED:
        return [*((bills or ["bill"]) if may_sign else []), *account[1:]]
    if not (may_sign if one.state is PackageState.ACTIVE else may_prepare):
        return []
    steps = ["line", "price", "end-line", "share"] if one.lines else ["line", "share"]
    steps += ["spending"] if holds else []
    if any(each.law for each in one.lines):
        steps += ["stay"]
        steps += ["cancel-stay"] if any(each.stays for each in one.lines) else []
    if one.state is PackageState.PLANNED:
        return [*steps, *(["approve"] if may_approve else []), "change"]
    steps += bills or ["bill"]
    return [*of_change, *steps, *account, "review", "change", "end"]


def signing_notes(signing: Signing) -> Sequence[str]:
    """What waits to be signed, and who has signed for it."""
    told = []
    if (change := signing.change) is not None:
        told.append(
            f"A change waits to be approved: {_change_words(change)}. The package would cost"
            f" {pounds(change.cost_after)} in {change.financial_year} instead of"
            f" {pounds(change.cost_before)}. What was approved stands until then."
        )
    if signing.signed:
        who = words.in_a_row(signing.signed)
        told.append(f"{who} signed for it already. It waits for the others who pay.")
    return told


def _change_words(change: PackageChange) -> str:
    match said_of(change):
        case PackageWords(name, _, from_on, until_on):
            return f"“{name}” goes {span(from_on, until_on)}"
        case LineWords() as line:
            unit = UNIT_WORDS[line.unit]
            many = f"{plain(line.units)} {unit if line.units == 1 else f'{unit}s'}"
            price = "" if line.price is None else f" at {pounds(line.price)}"
            days = span(line.from_on, line.until_on)
            return f"“{line.what}” is added, {many} {EVERY_WORDS[line.every]}{price}, {days}"
        case NewPrice(_, price, from_on):
            day = words.short_day(from_on)
            return f"“{change.what}” costs {pounds(price)} from {day}"
        case LineEnd(_, until_on):
            return f"“{change.what}” goes on until {words.short_day(until_on)}"
        case Payers(payers, shared_by, year):
            parts = ", ".join(str(one.parts) for one in payers)
            return f"who pays from {year.name}: {parts} of {shared_by}"


def package_step(
    slug: str, one: PackageReading, agencies: Choices, pots: Choices, services: Choices = ()
) -> Step | None:
    """The form of a step, with what there is to choose from; None where there is no such step."""
    step = PACKAGE_STEPS.get(slug)
    if step is None:
        return None
    known = {
        "line": [(str(each.id), each.what) for each in one.lines],
        "stay": [
            (str(stay.id), f"{each.what}, {span(stay.from_on, stay.until_on)}")
            for each in one.lines
            for stay in each.stays
            if stay.cancelled_on is None
        ],
        "bill": [
            (
                str(bill.id),
                f"{each.what}, {span(bill.from_on, bill.until_on)}, {pounds(bill.amount)}",
            )
            for each in one.lines
            for bill in standing_bills(each.actuals)
        ],
        "agency": agencies,
        "pot": pots,
        "service": services,
    }
    fields = [
        replace(field, choices=known[field.name.partition("_")[0]])
        if field.kind == "select" and not field.choices
        else field
        for field in step.fields
        if field.name != "service_id" or services
    ]
    return replace(step, fields=fields)


def stored_of(slug: str, one: PackageReading) -> dict[str, object]:
    """What the fields of a step show at first."""
    if slug == "change":
        return {
            "name": one.name,
            "kind": one.kind.value,
            "from_on": one.from_on,
            "until_on": one.until_on,
        }
    if slug == "spending":
        return {
            "plan": one.spending_plan,
            "agreed_on": one.plan_agreed_on,
            "broker": one.broker,
            "broker_holds": one.broker_holds,
        }
    if slug == "share":
        year = FinancialYear.of(max(one.today, one.from_on))
        told: dict[str, object] = {"year": year.name, "shared_by": one.shared_by}
        held = [each for each in one.shares if each.holds_in(year)]
        for place, each in enumerate(held[:PAYERS], start=1):
            told |= {f"agency_{place}": each.agency_id, f"parts_{place}": each.parts}
            told |= {f"pot_{place}": each.pot.id if each.pot else ""}
        return told
    return {"on": one.today} if slug in ("review", "pay") else {}


PAYERS = 3
DAYS_HINT = "Leave the last day empty where it goes on."
NEW_PACKAGE = Step(
    "Plan a package",
    "What the child is to get. Nothing is promised before a budget holder approves it.",
    "Save",
    (
        Field("line", "name", "What is it called?", "For example Short breaks"),
        Field("radios", "kind", "How does it reach the family?", choices=choices(KIND_WORDS)),
        Field("day", "from_on", "First day"),
        Field("day", "until_on", "Last day", DAYS_HINT),
    ),
)
SPENDING = Step(
    "Write the plan of spending",
    "As agreed with the family. A broker may help them, and may hold the money for them.",
    "Save",
    (
        Field("text", "plan", "What is the money for?"),
        Field("day", "agreed_on", "On which day was it agreed with the family?"),
        Field("line", "broker", "Who is the broker?", "Leave this empty where there is none."),
        Field("tick", "broker_holds", "The broker holds the money for the family"),
    ),
)
LINE = Step(
    "Add a service",
    "",
    "Add it",
    (
        Field(
            "select",
            "service_id",
            "Service of the directory",
            "What the child’s requests ask for, or what you found. Leave this empty for another.",
        ),
        Field("line", "what", "Which service?", "Of the directory, its name where this is empty."),
        Field("line", "units", "How many?", "For example 2 or 1.5"),
        Field("select", "unit", "Of what?", choices=UNITS),
        Field("select", "every", "How often?", choices=choices(EVERY_WORDS)),
        Field(
            "money",
            "price",
            "Price of one",
            "Pounds and pence, for example 18.50. Of the directory, its price where this is empty.",
        ),
        Field("day", "from_on", "First day"),
        Field("day", "until_on", "Last day", DAYS_HINT),
        Field(
            "select",
            "law",
            "Is it a short break?",
            "Leave this empty where it is none.",
            choices(LAW_WORDS),
        ),
    ),
)
NEW_GRANT = Step(
    "Ask for an inclusion grant",
    "A small sum, so that the child can join what other children do.",
    "Ask for it",
    (Field("money", "amount", "Amount"), Field("text", "what_for", "What is it for?")),
)


def _share_fields() -> Sequence[Field]:
    fields = [
        Field("line", "year", "From which financial year?", "For example 2026-27"),
        Field(
            "line", "shared_by", "How many parts are there together?", "100, or the places, like 12"
        ),
    ]
    for place, name in enumerate(("First", "Second", "Third"), start=1):
        fields += (
            Field("select", f"agency_{place}", f"{name} payer"),
            Field("line", f"parts_{place}", f"Parts of the {name.lower()} payer"),
            Field("select", f"pot_{place}", f"Pot of the {name.lower()} payer"),
        )
    return fields


_WHICH = Field("select", "line_id", "Which service?")
_FIRST, _LAST = Field("day", "from_on", "First day"), Field("day", "until_on", "Last day")
_PRICE = Field("money", "price", "Price of one", "Pounds and pence, for example 18.50")
_AMOUNT = Field("money", "amount", "Amount")
_NOTE = Field("text", "note", "Note")
PACKAGE_STEPS: Mapping[str, Step] = {
    "change": Step("Change the package", "", "Save", NEW_PACKAGE.fields),
    "spending": SPENDING,
    "line": LINE,
    "price": Step(
        "Change a price",
        "The price that holds until then ends the day before.",
        "Save",
        (_WHICH, _PRICE, Field("day", "from_on", "From which day?")),
    ),
    "end-line": Step("End a service", "What it was until then stays.", "End it", (_WHICH, _LAST)),
    "share": Step(
        "Say who pays",
        "The parts must add up. Who pays changes on 1 April.",
        "Save",
        _share_fields(),
    ),
    "approve": Step(
        "Approve the package",
        "Its cost is promised out of its pots, all of it or nothing, once every agency that pays"
        " out of its own has approved it.",
        "Approve it",
    ),
    "approve-change": Step(
        "Approve the change that waits",
        "What it costs more is promised out of the pots: all of it, or nothing.",
        "Approve it",
    ),
    "take-back": Step(
        "Take the change back", "The package stays as it was approved.", "Take it back"
    ),
    "bill": Step(
        "Write down a bill",
        "It is paid out of what was promised.",
        "Save",
        (_WHICH, _FIRST, _LAST, Field("line", "units", "How many were there?"), _AMOUNT),
    ),
    "bill-back": Step(
        "Take a bill back",
        "All of it comes back to the pots, and its days can be billed again.",
        "Take it back",
        (Field("select", "bill_id", "Which bill?"),),
    ),
    "stay": Step(
        "Plan days away",
        "",
        "Plan it",
        (
            _WHICH,
            _FIRST,
            _LAST,
            Field(
                "tick",
                "knowing",
                "Plan it though a limit is passed",
                "The looked-after regime applies: tell the child’s social worker.",
            ),
        ),
    ),
    "cancel-stay": Step(
        "Cancel days away", "", "Cancel them", (Field("select", "stay_id", "Which stay?"),)
    ),
    "review": Step(
        "Write down a review",
        "",
        "Save",
        (Field("day", "on", "On which day was it reviewed?"),),
    ),
    "pay": Step(
        "Write down a payment",
        "It is paid out of what was promised.",
        "Save",
        (
            Field(
                "radios",
                "paid_to",
                "Who is paid?",
                choices=(("family", "The family"), ("broker", "The broker")),
            ),
            _AMOUNT,
            Field("day", "on", "On which day?"),
            _FIRST,
            _LAST,
        ),
    ),
    "return": Step(
        "Write down a return",
        "",
        "Save",
        (
            _FIRST,
            _LAST,
            Field("money", "spent", "What was spent?"),
            replace(_NOTE, label="What was it spent on?"),
        ),
    ),
    "reconcile": Step(
        "Reconcile the account",
        "",
        "Save",
        (
            Field("day", "until_on", "Up to which day?"),
            Field(
                "radios",
                "outcome",
                "What becomes of the difference?",
                choices=choices(OUTCOME_WORDS),
            ),
            _NOTE,
        ),
    ),
    "end": Step(
        "End the package",
        "What was promised for later is given back to the pots.",
        "End it",
        (_LAST,),
    ),
}


def grant_step(pots: Choices) -> Step:
    """The form on which a grant is decided."""
    return Step(
        "Decide about an inclusion grant",
        "Approved, it is paid out of the pot at once.",
        "Save",
        (
            Field(
                "radios",
                "decision",
                "What do you decide?",
                choices=(("approve", "Approve it"), ("decline", "Decline it")),
            ),
            Field("select", "pot_id", "Out of which pot?", choices=pots),
            Field("text", "answer", "Why?", "Needed where it is declined."),
        ),
    )


# Pots ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PotLine:
    """A pot with what is in it."""

    href: str
    name: str
    year: str
    whose: str
    amount: str
    committed: str
    spent: str
    left: str


def pot_line(base: str, pot: Pot, agencies: Mapping[UUID, str]) -> PotLine:
    """One line of the list of pots."""
    return PotLine(
        f"{base}/{pot.id}",
        pot.name,
        pot.financial_year,
        f"{agencies.get(pot.agency_id, '')}, {pot.kind}",
        *(pounds(one) for one in (pot.amount, pot.committed, pot.spent, pot.left)),
    )


def aligned(lines: Sequence[Pot]) -> Sequence[Sequence[str]]:
    """What aligned pots of one name hold together in a year: each still pays its own part."""
    together: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}
    for pot in lines:
        if pot.kind == PotKind.ALIGNED.value:
            amount, left = together.get((pot.financial_year, pot.name), (NOTHING, NOTHING))
            together[pot.financial_year, pot.name] = amount + pot.amount, left + pot.left
    return [
        (name, year, pounds(amount), pounds(left))
        for (year, name), (amount, left) in together.items()
    ]


def entry_row(
    entry: PotEntry, agencies: Mapping[UUID, str], packages: Mapping[UUID, tuple[str, str]]
) -> tuple[str, str, str, str, str, str]:
    """A line of the ledger: day, what, amount, whose, for what, and the address of it."""
    known = packages.get(entry.package_id) if entry.package_id else None
    what = "A package" if entry.package_id else "An inclusion grant" if entry.grant_id else ""
    name, href = known or (what, "")
    return (
        words.short_day(entry.on),
        ENTRY_WORDS[EntryKind(entry.kind)],
        pounds(entry.amount),
        agencies.get(entry.agency_id, "") if entry.agency_id else "",
        name,
        href,
    )


def new_pot_step(agencies: Choices) -> Step:
    """The form of a new pot."""
    return Step(
        "Open a pot",
        "A budget of one financial year.",
        "Open it",
        (
            Field("line", "name", "Name", "The same every year, so that packages go on from it."),
            Field("radios", "kind", "Whose money is it?", choices=choices(POT_WORDS)),
            Field(
                "select",
                "agency_id",
                "Agency",
                "Whose budget it is; of a pooled one, the partner who runs it.",
                agencies,
            ),
            Field("line", "year", "Financial year", "For example 2026-27"),
            Field("money", "amount", "What is in it at first?"),
            Field(
                "select",
                "law",
                "Under which law is it pooled?",
                "Only where it is pooled.",
                choices(POOL_LAW_WORDS),
            ),
        ),
    )


def pay_in_step(agencies: Choices) -> Step:
    """The form on which money comes into a pot or leaves it."""
    return Step(
        "Pay in or take out",
        "What is promised cannot be taken out.",
        "Save",
        (
            Field(
                "radios",
                "kind",
                "What happens?",
                choices=(("top_up", "Money is paid in"), ("cut", "Money is taken out")),
            ),
            Field("money", "amount", "Amount"),
            Field("select", "agency_id", "Whose money?", choices=agencies),
        ),
    )


LIMITS = Step(
    "Limits",
    "What your authority goes by, from now on. In Wales it is 28 days at a stretch and 120 in all.",
    "Save",
    (
        Field("line", "stretch", "Section 20: days at a stretch"),
        Field("line", "in_a_year", "Section 20: days in any 12 months"),
        Field("tick", "several_settings", "Several carers or accommodations are a limit too"),
        Field(
            "tick",
            "count_nights",
            "Count nights away",
            "Else every day counts on which the child is away, the more careful way.",
        ),
        Field("line", "review_months", "Section 17: months within which it is reviewed"),
        Field("line", "warn_days", "Days before a limit or review on which to warn"),
        Field("money", "grant_limit", "The most that an inclusion grant may be"),
        Field("line", "source", "Why?", "Who decided it, and when."),
    ),
)


# Contracts ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StatementPart:
    """One authority's statement."""

    title: str
    mark: str
    rows: Sequence[Sequence[str]]
    """Financial year, whole cost, its share, health, education, social care."""


def statements(contract: Contract) -> Sequence[StatementPart]:
    """The statement of every authority, our own first."""
    order = sorted(contract.parties, key=lambda one: not one.is_ours)
    return [_statement(statement(contract, one.authority), ours=one.is_ours) for one in order]


def _statement(said: Statement, *, ours: bool) -> StatementPart:
    def row(name: str, total: Decimal, share: Decimal, own: Mapping[str, Decimal]) -> Sequence[str]:
        return (name, pounds(total), pounds(share), *(pounds(own[one]) for one in SERVICES))

    rows = [
        row(one.year.name, one.total, one.shares[said.authority], one.own) for one in said.years
    ]
    rows.append(row("All years", said.total, said.shares[said.authority], said.own))
    return StatementPart(f"{said.authority}{' (ours)' if ours else ''}", said.mark, rows)


def new_contract_step() -> Step:
    """The form of a new contract."""
    fields = [
        Field("line", "reference", "Reference", "The same at every authority."),
        Field("line", "title", "What is it for?"),
        Field("line", "provider", "Provider"),
        Field("line", "places", "How many places?"),
        Field("day", "from_on", "First day"),
        Field("day", "until_on", "Last day"),
        Field("money", "price", "Price of a place for a week"),
        Field("line", "ours", "Which of the authorities below is yours?", "1, 2 or 3"),
    ]
    for place, name in enumerate(("First", "Second", "Third"), start=1):
        of = f"of the {name.lower()} authority"
        hint = "Parts of a hundred; the three add up to 100."
        fields += (
            Field("line", f"authority_{place}", f"{name} authority"),
            Field("line", f"places_{place}", f"Places {of}"),
            Field("line", f"health_{place}", f"Health’s part {of}", hint),
            Field("line", f"education_{place}", f"Education’s part {of}"),
            Field("line", f"social_care_{place}", f"Social care’s part {of}"),
        )
    return Step(
        "Add a joint contract", "Two or three authorities buy places together.", "Add it", fields
    )


CONTRACT_PRICE = Step(
    "Change the price of a place",
    "The price that holds until then ends the day before.",
    "Save",
    (
        Field("money", "price", "Price of a place for a week"),
        Field("day", "from_on", "From which day?"),
    ),
)
