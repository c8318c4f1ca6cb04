"""What the register's pages say: records turned into words and dates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from consent import Category, ParentalBasis
from panel.records.withheld_words import hidden_words
from panel.register.children_list import ORDER_WORDS, SHOW_WORDS, Order, Show
from panel.register.family import BASIS_WORDS
from panel.register.history import EVENT_KINDS, Chronology, Event
from panel.register.people import AgencyPart, FamilyPerson, People
from panel.web.words import day_and_distance, in_a_row, short_day

CATEGORY_WORDS: dict[Category, str] = {
    Category.IDENTITY: "Names and identifiers",
    Category.CONTACT: "Contact details",
    Category.NETWORK: "People involved",
    Category.HEALTH: "Health",
    Category.DEVELOPMENT: "Development",
    Category.EDUCATION: "Education",
    Category.SOCIAL_CARE: "Social care",
    Category.FAMILY: "Family",
    Category.FINANCE: "Money",
    Category.VIEWS: "The child’s or family’s own words",
    Category.PLAN: "Plan",
    Category.PANEL: "Panel",
    Category.SAFEGUARDING: "Safeguarding",
}
CATEGORY_CHOICES = [(category.value, words) for category, words in CATEGORY_WORDS.items()]
BASIS_CHOICES = [(basis.value, words) for basis, words in BASIS_WORDS.items()]
EVENT_CHOICES = list(EVENT_KINDS.items())


@dataclass(frozen=True, slots=True)
class FamilyLine:
    """One person of the family as the page says it."""

    name: str
    relationship: str
    responsibility: str
    span: str
    contact: Sequence[tuple[str, str]]
    language: str
    link_id: UUID
    sign_in: str = ""
    """How it stands with their sign-in; empty where they were never invited."""


@dataclass(frozen=True, slots=True)
class AgencyLine:
    """One agency's part as the page says it."""

    agency_name: str
    worker_name: str
    part: str
    span: str
    involvement_id: UUID
    version: int


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """Who is in a child's life, in words."""

    family: Sequence[FamilyLine]
    former_family: Sequence[FamilyLine]
    now: Sequence[AgencyLine]
    expected: Sequence[AgencyLine]
    ended: Sequence[AgencyLine]
    home: Sequence[tuple[str, str]]
    withheld: Sequence[str]


def people_page(
    people: People, today: date, sign_ins: Mapping[UUID, str] | None = None
) -> PeoplePage:
    """The people page; `sign_ins` says how it stands with the sign-in of each person."""
    states = sign_ins or {}
    current = [one for one in people.family if one.until_on is None or one.until_on >= today]
    home = (
        ("Address", people.address), ("Postcode", people.postcode), ("Telephone", people.phone)
    )  # fmt: skip
    return PeoplePage(
        family=[family_line(one, today, states) for one in current],
        former_family=[
            family_line(one, today, states) for one in people.family if one not in current
        ],
        now=[agency_line(one, today) for one in people.agencies if _is_now(one, today)],
        expected=[agency_line(one, today) for one in people.agencies if _is_expected(one, today)],
        ended=[
            agency_line(one, today)
            for one in people.agencies
            if one.until_on is not None and one.until_on < today
        ],
        home=[(what, value) for what, value in home if value],
        withheld=[str(one) for one in people.withheld],
    )


def _has_ended(part: AgencyPart, today: date) -> bool:
    return part.until_on is not None and part.until_on < today


def _is_now(part: AgencyPart, today: date) -> bool:
    return not _has_ended(part, today) and part.from_on is not None and part.from_on <= today


def _is_expected(part: AgencyPart, today: date) -> bool:
    return not _has_ended(part, today) and not _is_now(part, today)


def agency_line(part: AgencyPart, today: date) -> AgencyLine:
    """One agency's part."""
    if part.from_on is not None:
        span = f"since {short_day(part.from_on)}"
    elif part.expected_from_on is not None:
        span = f"expected from {day_and_distance(part.expected_from_on, today)}"
    else:
        span = ""
    if part.until_on is not None:
        ends = "until" if part.until_on < today else "and ends on"
        span = f"{span} {ends} {short_day(part.until_on)}"
    return AgencyLine(
        part.agency_name, part.worker_name, part.part, span, part.involvement_id, part.version
    )


def family_line(person: FamilyPerson, today: date, sign_ins: Mapping[UUID, str]) -> FamilyLine:
    """One person of the family."""
    contact = (
        ("Lives with the child", "Yes" if person.lives_with else ""),
        ("How to reach them safely", person.safe_contact or ""),
        ("Telephone", person.phone or ""),
        ("E-mail", person.email or ""),
        ("Address", person.address or ""),
    )
    language = in_a_row([part for part in (person.first_language, person.interpreter) if part])
    return FamilyLine(
        name=person.name,
        relationship=person.relationship,
        responsibility=responsibility_words(person),
        span=_span_words(person.from_on, person.until_on, today),
        contact=[(what, value) for what, value in contact if value],
        language=language,
        link_id=person.link_id,
        sign_in=sign_ins.get(person.member_id, ""),
    )


def responsibility_words(person: FamilyPerson) -> str:
    """Parental responsibility with its basis; what counts and what does not."""
    if not person.parental_responsibility:
        return "Parental responsibility is not recorded"
    if person.basis is None:
        return (
            "Said to have parental responsibility. The basis is not recorded, so it does not"
            " count yet"
        )
    return f"Has parental responsibility: {BASIS_WORDS[ParentalBasis(person.basis)].lower()}"


def _span_words(start: date | None, end: date | None, today: date) -> str:
    parts = []
    if start is not None:
        parts.append(f"{'since' if start <= today else 'from'} {short_day(start)}")
    if end is not None:
        parts.append(f"until {short_day(end)}")
    return " ".join(parts)


@dataclass(frozen=True, slots=True)
class ChronologyPage:
    """What happened, newest first: (title, when, text); and sentences on what is not shown."""

    events: Sequence[tuple[str, str, str]]
    withheld: Sequence[str]


def chronology_page(read: Chronology) -> ChronologyPage:
    """The chronology page."""
    return ChronologyPage(
        events=[_event(one) for one in read.events],
        withheld=hidden_words(
            read.withheld, CATEGORY_WORDS, "Events about {} are recorded that you cannot see."
        ),
    )


def _event(event: Event) -> tuple[str, str, str]:
    when = f"{short_day(event.happened_on)}, written down by {event.agency_name}"
    return EVENT_KINDS.get(event.kind, event.kind), when, event.text


def list_address(show: Show, order: Order, cursor: str | None = None) -> str:
    """The address of a page of the list."""
    asked = {"show": show, "order": order} | ({} if cursor is None else {"page": cursor})
    return f"/children?{urlencode(asked)}"


def list_caption(show: Show, order: Order) -> str:
    """What the list shows, in words."""
    return f"{SHOW_WORDS[show]}, {ORDER_WORDS[order].lower()}"
