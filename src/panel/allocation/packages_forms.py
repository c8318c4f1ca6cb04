"""What may come in about packages, payments, grants, pots, contracts and the calculator."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from panel.web.forms import amount, chosen, line, on_day, paragraphs

KindWord = Literal["in_kind", "direct_payment", "personal_budget"]
UnitWord = Literal["hour", "session", "day", "night", "week", "place", "item"]
EveryWord = Literal["week", "fortnight", "month", "year", "once"]
LawWord = Literal["s17", "s20"]
PotWord = Literal["share", "pooled", "aligned"]
PoolLaw = Literal["s75", "s10"]

FirstDay = Annotated[date, on_day("First day")]
LastDay = Annotated[date | None, on_day("Last day")]
EndDay = Annotated[date, on_day("Last day")]
Which = Annotated[UUID, chosen("Which service", missing="Choose which service")]
Sum = Annotated[Decimal, amount("Amount")]
UnitPriceSum = Annotated[Decimal, amount("Price")]
HowMany = Annotated[Decimal, amount("How many")]


class NewPackage(msgspec.Struct, forbid_unknown_fields=True):
    """A package that is planned."""

    name: Annotated[str, line("What it is called", at_most=120)]
    kind: Annotated[KindWord, chosen("How it reaches the family")]
    from_on: FirstDay
    until_on: LastDay = None


class ChangedPackage(NewPackage, kw_only=True, forbid_unknown_fields=True):
    """A package as it should read from now on."""

    version: int


class SpendingForm(msgspec.Struct, forbid_unknown_fields=True):
    """The plan of a direct payment or personal budget."""

    version: int
    plan: Annotated[
        str, paragraphs("Plan of spending", at_most=5_000, missing="Write what the money is for")
    ]
    agreed_on: Annotated[date | None, on_day("The day on which it was agreed")] = None
    broker: Annotated[str, line("Broker", at_most=120)] = ""
    broker_holds: Annotated[bool, chosen("The broker holds the money")] = False


class LineForm(msgspec.Struct, forbid_unknown_fields=True):
    """A service of a package."""

    version: int
    units: HowMany
    unit: Annotated[UnitWord, chosen("What is counted")]
    every: Annotated[EveryWord, chosen("How often")]
    from_on: FirstDay
    service_id: Annotated[UUID | None, chosen("Service of the directory")] = None
    what: Annotated[str, line("Service", at_most=200)] = ""
    price: Annotated[Decimal | None, amount("Price")] = None
    until_on: LastDay = None
    law: Annotated[LawWord | None, chosen("Under which section")] = None


class PriceForm(msgspec.Struct, forbid_unknown_fields=True):
    """Another price from a day on."""

    version: int
    line_id: Which
    price: UnitPriceSum
    from_on: Annotated[date, on_day("The day from which it holds")]


class EndLineForm(msgspec.Struct, forbid_unknown_fields=True):
    """A service ends."""

    version: int
    line_id: Which
    until_on: EndDay


class ShareForm(msgspec.Struct, forbid_unknown_fields=True):
    """Who pays which part, from a financial year on."""

    version: int
    year: Annotated[str, line("From which financial year", at_most=7)]
    shared_by: Annotated[int, amount("How many parts", at_least=1, at_most=1_000_000)]
    agency_1: Annotated[UUID | None, chosen("Who pays")] = None
    parts_1: Annotated[int | None, amount("Parts", at_most=1_000_000)] = None
    pot_1: Annotated[UUID | None, chosen("Pot")] = None
    agency_2: Annotated[UUID | None, chosen("Who pays")] = None
    parts_2: Annotated[int | None, amount("Parts", at_most=1_000_000)] = None
    pot_2: Annotated[UUID | None, chosen("Pot")] = None
    agency_3: Annotated[UUID | None, chosen("Who pays")] = None
    parts_3: Annotated[int | None, amount("Parts", at_most=1_000_000)] = None
    pot_3: Annotated[UUID | None, chosen("Pot")] = None


class VersionForm(msgspec.Struct, forbid_unknown_fields=True):
    """A package as it was read."""

    version: int


class BillForm(msgspec.Struct, forbid_unknown_fields=True):
    """What a service really was and cost."""

    version: int
    line_id: Which
    from_on: FirstDay
    until_on: EndDay
    units: HowMany
    amount: Sum


class BillBackForm(msgspec.Struct, forbid_unknown_fields=True):
    """A bill was wrong."""

    version: int
    bill_id: Annotated[UUID, chosen("Which bill", missing="Choose which bill")]


class StayForm(msgspec.Struct, forbid_unknown_fields=True):
    """Days away that are planned."""

    version: int
    line_id: Which
    from_on: FirstDay
    until_on: EndDay
    knowing: Annotated[bool, chosen("Plan it all the same")] = False


class CancelForm(msgspec.Struct, forbid_unknown_fields=True):
    """A stay that does not take place."""

    version: int
    stay_id: Annotated[UUID, chosen("Which stay", missing="Choose which stay")]


class ReviewForm(msgspec.Struct, forbid_unknown_fields=True):
    """The package was reviewed."""

    version: int
    on: Annotated[date, on_day("The day of the review")]


class EndForm(msgspec.Struct, forbid_unknown_fields=True):
    """The package ends."""

    version: int
    until_on: EndDay


class PayForm(msgspec.Struct, forbid_unknown_fields=True):
    """Money is paid to the family or the broker."""

    version: int
    paid_to: Annotated[Literal["family", "broker"], chosen("Who is paid")]
    amount: Sum
    on: Annotated[date, on_day("The day of the payment")]
    from_on: FirstDay
    until_on: EndDay


class ReturnForm(msgspec.Struct, forbid_unknown_fields=True):
    """What was spent, as the family or broker says."""

    version: int
    from_on: FirstDay
    until_on: EndDay
    spent: Annotated[Decimal, amount("What was spent")]
    note: Annotated[str, paragraphs("What it was spent on", at_most=4_000)] = ""


class ReconcileForm(msgspec.Struct, forbid_unknown_fields=True):
    """An account is settled up to a day."""

    version: int
    until_on: Annotated[date, on_day("Up to which day")]
    outcome: Annotated[
        Literal["even", "carried_over", "paid_back", "made_good"],
        chosen("What becomes of the difference"),
    ]
    note: Annotated[str, paragraphs("Note", at_most=4_000)] = ""


class NewGrant(msgspec.Struct, forbid_unknown_fields=True):
    """An inclusion grant is asked for."""

    amount: Sum
    what_for: Annotated[
        str, paragraphs("What it is for", at_most=2_000, missing="Write what it is for")
    ]


class GrantAnswer(msgspec.Struct, forbid_unknown_fields=True):
    """A grant is approved out of a pot, or declined."""

    version: int
    decision: Annotated[Literal["approve", "decline"], chosen("What you decide")]
    pot_id: Annotated[UUID | None, chosen("Pot")] = None
    answer: Annotated[str, paragraphs("Why", at_most=2_000)] = ""


class NewPotForm(msgspec.Struct, forbid_unknown_fields=True):
    """A pot of a year."""

    name: Annotated[str, line("Name", at_most=120)]
    kind: Annotated[PotWord, chosen("Whose money it is")]
    agency_id: Annotated[UUID, chosen("Agency", missing="Choose the agency")]
    year: Annotated[str, line("Financial year", at_most=7)]
    amount: Sum
    law: Annotated[PoolLaw | None, chosen("Law")] = None


class PayInForm(msgspec.Struct, forbid_unknown_fields=True):
    """Money comes into a pot, or what is not promised leaves it."""

    version: int
    kind: Annotated[Literal["top_up", "cut"], chosen("What happens")]
    amount: Sum
    agency_id: Annotated[UUID, chosen("Whose money", missing="Choose whose money it is")]


class NewContract(msgspec.Struct, forbid_unknown_fields=True):
    """A joint contract of two or three authorities."""

    reference: Annotated[str, line("Reference", at_most=40)]
    title: Annotated[str, line("What it is for", at_most=120)]
    provider: Annotated[str, line("Provider", at_most=120)]
    places: Annotated[int, amount("Places", at_least=1, at_most=10_000)]
    from_on: FirstDay
    until_on: EndDay
    price: Annotated[Decimal, amount("Price of a place for a week")]
    ours: Annotated[int, amount("Your own authority", at_least=1, at_most=3)]
    authority_1: Annotated[str, line("First authority", at_most=80)]
    places_1: Annotated[int, amount("Its places", at_most=10_000)]
    health_1: Annotated[int, amount("Health", at_most=100)]
    education_1: Annotated[int, amount("Education", at_most=100)]
    social_care_1: Annotated[int, amount("Social care", at_most=100)]
    authority_2: Annotated[str, line("Second authority", at_most=80)]
    places_2: Annotated[int, amount("Its places", at_most=10_000)]
    health_2: Annotated[int, amount("Health", at_most=100)]
    education_2: Annotated[int, amount("Education", at_most=100)]
    social_care_2: Annotated[int, amount("Social care", at_most=100)]
    authority_3: Annotated[str, line("Third authority", at_most=80)] = ""
    places_3: Annotated[int, amount("Its places", at_most=10_000)] = 0
    health_3: Annotated[int, amount("Health", at_most=100)] = 0
    education_3: Annotated[int, amount("Education", at_most=100)] = 0
    social_care_3: Annotated[int, amount("Social care", at_most=100)] = 0


class ContractPriceForm(msgspec.Struct, forbid_unknown_fields=True):
    """Another price of a place from a day on."""

    version: int
    price: Annotated[Decimal, amount("Price of a place for a week")]
    from_on: Annotated[date, on_day("The day from which it holds")]


class LimitsForm(msgspec.Struct, forbid_unknown_fields=True):
    """What the authority goes by."""

    version: int
    stretch: Annotated[int, amount("Days at a stretch", at_least=1, at_most=366)]
    in_a_year: Annotated[int, amount("Days in 12 months", at_least=1, at_most=366)]
    review_months: Annotated[int, amount("Months to a review", at_least=1, at_most=24)]
    warn_days: Annotated[int, amount("Days of warning", at_least=1, at_most=90)]
    grant_limit: Annotated[Decimal, amount("Limit of a grant")]
    source: Annotated[str, line("Why", missing="Say why, for whoever reads this next year")]
    several_settings: Annotated[bool, chosen("Several settings are a limit")] = False
    count_nights: Annotated[bool, chosen("Count nights")] = False


class WhatIfForm(msgspec.Struct, forbid_unknown_fields=True):
    """What would change, for the calculator."""

    year: Annotated[str, line("Financial year", at_most=7)]
    from_on: Annotated[date | None, on_day("From which day")] = None
    unit: Annotated[UnitWord | None, chosen("Which services")] = None
    price: Annotated[Decimal, amount("Price", at_least=-100, at_most=1_000)] = Decimal(0)
    units: Annotated[Decimal, amount("How many", at_least=-100, at_most=1_000)] = Decimal(0)
    number: Annotated[Decimal, amount("How many children", at_least=-100, at_most=1_000)] = Decimal(
        0
    )
