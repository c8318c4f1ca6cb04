"""Lists of other registers, who stands on them, and what was said of each pair with our children.

A list is used as the law lets it: no list without its basis, and none of people without the day on
which the national data opt-out was applied to it.
"""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Numeric, Text
from sqlalchemy.orm import Mapped, mapped_column

from panel.platform.tables import Row, Sealed, one_of
from panel.records.child_scoped import ChildScoped
from panel.register.models import SEXES

KINDS = ("sen", "health", "dla")
BASES = ("s251", "consent", "cfa2014", "ca2004", "published")
STATES = ("proposed", "linked", "parted")


class RegisterList(Row):
    """A list as it was brought in: whose, of which day, and by what right. Never changed."""

    __tablename__ = "register_list"
    __table_args__ = (
        one_of("kind", KINDS),
        one_of("legal_basis", BASES),
        CheckConstraint("kind = 'dla' OR opt_out_checked_on IS NOT NULL", name="opt_out"),
        Index("uq_register_list_file", "file_digest", unique=True),
        Index("ix_register_list_kind", "kind", "agency_id", "as_of"),
    )

    kind: Mapped[str] = mapped_column(Text)
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agency.id"))
    """Whose list it is."""
    legal_basis: Mapped[str] = mapped_column(Text)
    opt_out_checked_on: Mapped[date | None]
    """When the national data opt-out was applied; None for counts, in which is nobody."""
    as_of: Mapped[date]
    """The day whose state it says."""
    file_digest: Mapped[bytes] = mapped_column(LargeBinary)
    """SHA-256 of the file: the same list is not brought in twice."""
    lines: Mapped[int]
    """How many of its lines were taken."""


class ListCount(Row):
    """Children in a ward, as a list that is nothing but counts says."""

    __tablename__ = "list_count"
    __table_args__ = (Index("uq_list_count_ward", "register_list_id", "ward_code", unique=True),)

    register_list_id: Mapped[UUID] = mapped_column(ForeignKey("register_list.id"))
    ward_code: Mapped[str] = mapped_column(Text)
    children: Mapped[int]


class ListedChild(Row):
    """One child on a list. Who it is, is sealed with a key of its own, and can be destroyed."""

    __tablename__ = "listed_child"
    __table_args__ = (
        one_of("sex", SEXES),
        Index("uq_listed_child_person", "register_list_id", "person_id", unique=True),
        Index("ix_listed_child_person_id", "person_id"),
    )

    register_list_id: Mapped[UUID] = mapped_column(ForeignKey("register_list.id"))
    person_id: Mapped[UUID]
    """Blind index of who it is: the same on every list that says the same of them."""
    line: Mapped[int]
    birth_date: Mapped[date]
    sex: Mapped[str] = mapped_column(Text)
    need: Mapped[str] = mapped_column(Text)
    """A code of `insight.core.words.NEEDS`, or ""."""
    ward_code: Mapped[str | None] = mapped_column(Text)
    given_name = Sealed(holder="id")
    family_name = Sealed(holder="id")
    nhs_number = Sealed(holder="id")
    address = Sealed(holder="id")
    postcode = Sealed(holder="id")


class ListLink(ChildScoped):
    """What was said of a listed child and a child here. Only added to: the last row counts."""

    __tablename__ = "list_link"
    __table_args__ = (
        one_of("state", STATES),
        Index("uq_list_link_pair", "listed_child_id", "child_id", "number", unique=True),
    )

    listed_child_id: Mapped[UUID] = mapped_column(ForeignKey("listed_child.id"))
    number: Mapped[int]
    """1 for the first thing said of the pair."""
    state: Mapped[str] = mapped_column(Text)
    weight: Mapped[Decimal] = mapped_column(Numeric(6, 2))
    """Bits that speak for one child."""
    why: Mapped[str] = mapped_column(Text)
    """Sentences of the rules, or what a person did; nothing that anybody typed."""
    rules: Mapped[str] = mapped_column(Text)
    """The thresholds that held."""
