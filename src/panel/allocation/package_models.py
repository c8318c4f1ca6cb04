"""Packages with their lines, prices and payers; pots with their ledger; contracts; payments.

Money is numeric(12, 2), never a float. What a pot holds, has promised and has paid is moved by its
ledger alone: the serving role may add lines to it and can change neither them nor the balance.
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, FetchedValue, ForeignKey, Index, Numeric, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from panel.allocation.costing import Every
from panel.platform.tables import Row, Sealed, one_of
from panel.records.child_scoped import ChildScoped
from panel.records.record_change import watched

Money = Numeric(12, 2)
Units = Numeric(12, 3)


class PackageKind(StrEnum):
    """How a package reaches the family."""

    IN_KIND = "in_kind"
    DIRECT_PAYMENT = "direct_payment"
    PERSONAL_BUDGET = "personal_budget"


class PackageState(StrEnum):
    """How far a package is."""

    PLANNED = "planned"
    ACTIVE = "active"
    ENDED = "ended"


class PotKind(StrEnum):
    """Whose money a pot is."""

    SHARE = "share"
    """One agency's own budget, out of which it pays its shares."""
    POOLED = "pooled"
    """Several agencies' money in one budget (NHS Act 2006 s.75, Children Act 2004 s.10)."""
    ALIGNED = "aligned"
    """One agency's own budget, decided about together with others of the same name."""


class EntryKind(StrEnum):
    """What a line of the ledger moves."""

    TOP_UP = "top_up"
    CUT = "cut"
    COMMITMENT = "commitment"
    RELEASE = "release"
    ACTUAL = "actual"
    REFUND = "refund"


class Unit(StrEnum):
    """What is counted."""

    HOUR = "hour"
    SESSION = "session"
    DAY = "day"
    NIGHT = "night"
    WEEK = "week"
    PLACE = "place"
    ITEM = "item"


@watched("state", "from_on", "until_on", "broker_holds")
class Package(ChildScoped):
    """What a child is to get, from when until when. Its version is that of all that stands in it.

    `request_id` names the request that it answers, where there is one.
    """

    __tablename__ = "package"
    __table_args__ = (one_of("kind", PackageKind), one_of("state", PackageState))

    request_id: Mapped[UUID | None] = mapped_column(ForeignKey("service_request.id"), index=True)
    author_agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    name = Sealed()
    kind: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="planned")
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    shared_by: Mapped[int] = mapped_column(default=100)
    """How many parts the payers' shares are together: 100, or 12 places."""
    spending_plan = Sealed()
    """Of a direct payment or personal budget: what it is for, as agreed with the family."""
    plan_agreed_on: Mapped[date | None]
    broker = Sealed()
    """Who helps the family to manage it."""
    broker_holds: Mapped[bool] = mapped_column(default=False)
    """Whether the money is paid to the broker, who holds it for the family."""
    reviewed_on: Mapped[date | None]
    approved_on: Mapped[date | None]
    approved_by: Mapped[UUID | None]


class ServiceLine(ChildScoped):
    """One service of a package: so many units, how often, from when until when."""

    __tablename__ = "service_line"
    __table_args__ = (
        one_of("every", Every),
        one_of("unit", Unit),
        one_of("law", ("s17", "s20")),
    )

    package_id: Mapped[UUID] = mapped_column(ForeignKey("package.id"), index=True)
    service_id: Mapped[UUID | None]
    """A service of the directory, where it stands there."""
    what = Sealed()
    units: Mapped[Decimal] = mapped_column(Units)
    unit: Mapped[str] = mapped_column(Text)
    every: Mapped[str] = mapped_column(Text)
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    law: Mapped[str | None] = mapped_column(Text)
    """Of a short break: the section of the Children Act 1989 under which it is given."""


class UnitPrice(ChildScoped):
    """What a unit of a line costs, from when until when."""

    __tablename__ = "unit_price"

    service_line_id: Mapped[UUID] = mapped_column(ForeignKey("service_line.id"), index=True)
    amount: Mapped[Decimal] = mapped_column(Money)
    from_on: Mapped[date]
    until_on: Mapped[date | None]


class LineActual(ChildScoped):
    """What a line really was and cost over some days, as it was billed. Only ever added to.

    A bill that was wrong is taken back, whole and once, by another with the amounts below nought.
    """

    __tablename__ = "line_actual"
    __table_args__ = (Index("uq_line_actual_returns", "returns_id", unique=True),)

    service_line_id: Mapped[UUID] = mapped_column(ForeignKey("service_line.id"), index=True)
    from_on: Mapped[date]
    until_on: Mapped[date]
    units: Mapped[Decimal] = mapped_column(Units)
    amount: Mapped[Decimal] = mapped_column(Money)
    returns_id: Mapped[UUID | None] = mapped_column(ForeignKey("line_actual.id"))
    """The bill that this one takes back."""


class ShortBreak(ChildScoped):
    """Days with one carer or in one accommodation: the line says which."""

    __tablename__ = "short_break"

    service_line_id: Mapped[UUID] = mapped_column(ForeignKey("service_line.id"), index=True)
    from_on: Mapped[date]
    until_on: Mapped[date]
    passes_limit: Mapped[bool] = mapped_column(default=False)
    """Planned knowing that a limit of section 20 is passed."""
    cancelled_on: Mapped[date | None]


class FundingShare(ChildScoped):
    """Who pays which part of a package, and out of which pot."""

    __tablename__ = "funding_share"

    package_id: Mapped[UUID] = mapped_column(ForeignKey("package.id"), index=True)
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    parts: Mapped[int]
    pot_id: Mapped[UUID | None] = mapped_column(ForeignKey("pot.id"))
    """The pot of one year; in others it is the pot of the same name and agency."""
    from_on: Mapped[date]
    """Who pays changes on 1 April alone, so that each year is divided in one way."""
    until_on: Mapped[date | None]
    """The 31 March after which others pay; NULL for those who go on."""


class ChangeKind(StrEnum):
    """What is to change in an approved package."""

    DAYS = "days"
    LINE = "line"
    PRICE = "price"
    END_LINE = "end_line"
    SHARES = "shares"


class ChangeState(StrEnum):
    """What became of a change that costs more."""

    WAITS = "waits"
    SIGNED = "signed"
    TAKEN_BACK = "taken_back"


@watched("state")
class PackageChange(ChildScoped):
    """A change of an approved package that costs more: it waits until it is signed, as a package.

    What was approved stands until then. One waits at a time.
    """

    __tablename__ = "package_change"
    __table_args__ = (
        one_of("kind", ChangeKind),
        one_of("state", ChangeState),
        Index(
            "uq_package_change_waits",
            "package_id",
            unique=True,
            postgresql_where=text("state = 'waits'"),
        ),
    )

    package_id: Mapped[UUID] = mapped_column(ForeignKey("package.id"), index=True)
    kind: Mapped[str] = mapped_column(Text)
    what = Sealed()
    """The service that it is about, or what the package is to be called."""
    said: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """Its numbers, days, codes and ids."""
    state: Mapped[str] = mapped_column(Text, default="waits")
    financial_year: Mapped[str] = mapped_column(Text)
    """The first year in which it costs more, with what is asked before and after."""
    cost_before: Mapped[Decimal] = mapped_column(Money)
    cost_after: Mapped[Decimal] = mapped_column(Money)
    decided_on: Mapped[date | None]


class PackageSignature(ChildScoped):
    """A budget holder signs for their agency's part of a package, or of a change of it.

    It is for the package as it was: with the next change of it this counts no more. Only ever added
    to; who signed is who made it.
    """

    __tablename__ = "package_signature"

    package_id: Mapped[UUID] = mapped_column(ForeignKey("package.id"), index=True)
    package_version: Mapped[int]
    change_id: Mapped[UUID | None] = mapped_column(ForeignKey("package_change.id"))
    """The change that is signed; NULL for the package itself."""
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))


class Pot(Row):
    """A budget of one financial year. Its three amounts are the ledger's sums, kept by it."""

    __tablename__ = "pot"
    __table_args__ = (
        one_of("kind", PotKind),
        one_of("law", ("s75", "s10")),
        CheckConstraint("0 <= spent AND spent <= committed AND committed <= amount", name="sums"),
        CheckConstraint("kind <> 'pooled' OR law IS NOT NULL", name="pooled_by_law"),
        Index("uq_pot_name", "name", "financial_year", "agency_id", unique=True),
    )

    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    law: Mapped[str | None] = mapped_column(Text)
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    """Whose budget it is; of a pooled one, which partner runs it."""
    financial_year: Mapped[str] = mapped_column(Text)
    amount: Mapped[Decimal] = mapped_column(Money, server_default=FetchedValue())
    committed: Mapped[Decimal] = mapped_column(Money, server_default=FetchedValue())
    """Promised to packages, paid or not."""
    spent: Mapped[Decimal] = mapped_column(Money, server_default=FetchedValue())

    @property
    def left(self) -> Decimal:
        """What can still be promised."""
        return self.amount - self.committed


class PotEntry(Row):
    """A line of a pot's ledger. Only ever added to; a mistake is put right by another line."""

    __tablename__ = "pot_entry"
    __table_args__ = (
        one_of("kind", EntryKind),
        CheckConstraint("amount > 0", name="amount"),
        Index("ix_pot_entry_pot", "pot_id", "id"),
        Index("ix_pot_entry_package", "package_id"),
    )

    pot_id: Mapped[UUID] = mapped_column(ForeignKey("pot.id"))
    package_id: Mapped[UUID | None]
    grant_id: Mapped[UUID | None]
    """An inclusion grant, where it is for one (no foreign key: both are fenced by child)."""
    agency_id: Mapped[UUID | None] = mapped_column(ForeignKey("agency.id"))
    """Who paid in, or which payer's share it is."""
    kind: Mapped[str] = mapped_column(Text)
    amount: Mapped[Decimal] = mapped_column(Money)
    on: Mapped[date]


class JointContract(Row):
    """A contract of several authorities for places with one provider. It names no child."""

    __tablename__ = "joint_contract"
    __table_args__ = (Index("uq_joint_contract_reference", "reference", unique=True),)

    reference: Mapped[str] = mapped_column(Text)
    """The same at every authority."""
    title: Mapped[str] = mapped_column(Text)
    provider: Mapped[str] = mapped_column(Text)
    places: Mapped[int]
    from_on: Mapped[date]
    until_on: Mapped[date]


class ContractPrice(Row):
    """What a place costs each week, from when until when."""

    __tablename__ = "contract_price"

    contract_id: Mapped[UUID] = mapped_column(ForeignKey("joint_contract.id"), index=True)
    amount: Mapped[Decimal] = mapped_column(Money)
    from_on: Mapped[date]
    until_on: Mapped[date | None]


class ContractParty(Row):
    """An authority of a contract: its places, and its own split between three services."""

    __tablename__ = "contract_party"
    __table_args__ = (Index("uq_contract_party_name", "contract_id", "authority", unique=True),)

    contract_id: Mapped[UUID] = mapped_column(ForeignKey("joint_contract.id"))
    authority: Mapped[str] = mapped_column(Text)
    is_ours: Mapped[bool] = mapped_column(default=False)
    places: Mapped[int]
    health: Mapped[int]
    education: Mapped[int]
    social_care: Mapped[int]


class Payment(ChildScoped):
    """Money paid for a direct payment or personal budget. Only ever added to."""

    __tablename__ = "payment"
    __table_args__ = (one_of("paid_to", ("family", "broker")),)

    package_id: Mapped[UUID] = mapped_column(ForeignKey("package.id"), index=True)
    paid_to: Mapped[str] = mapped_column(Text)
    amount: Mapped[Decimal] = mapped_column(Money)
    on: Mapped[date]
    from_on: Mapped[date]
    until_on: Mapped[date]


class PaymentReturn(ChildScoped):
    """What the family or the broker says was spent over some days. Only its note may change."""

    __tablename__ = "payment_return"

    package_id: Mapped[UUID] = mapped_column(ForeignKey("package.id"), index=True)
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    from_on: Mapped[date]
    until_on: Mapped[date]
    spent: Mapped[Decimal] = mapped_column(Money)
    note = Sealed()


class Reconciliation(ChildScoped):
    """What was paid against what was spent up to a day, and what becomes of the difference.

    Only its note may change.
    """

    __tablename__ = "reconciliation"
    __table_args__ = (one_of("outcome", ("even", "carried_over", "paid_back", "made_good")),)

    package_id: Mapped[UUID] = mapped_column(ForeignKey("package.id"), index=True)
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    until_on: Mapped[date]
    carried_in: Mapped[Decimal] = mapped_column(Money)
    paid: Mapped[Decimal] = mapped_column(Money)
    spent: Mapped[Decimal] = mapped_column(Money)
    outcome: Mapped[str] = mapped_column(Text)
    note = Sealed()


@watched("state")
class InclusionGrant(ChildScoped):
    """A small sum, approved fast, so that a child can join what other children do."""

    __tablename__ = "inclusion_grant"
    __table_args__ = (one_of("state", ("asked", "approved", "declined")),)

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    amount: Mapped[Decimal] = mapped_column(Money)
    what_for = Sealed()
    asked_on: Mapped[date]
    state: Mapped[str] = mapped_column(Text, default="asked")
    pot_id: Mapped[UUID | None] = mapped_column(ForeignKey("pot.id"))
    decided_on: Mapped[date | None]
    decided_by: Mapped[UUID | None]
    answer = Sealed()
    """Why it was declined, or with what it was approved."""
