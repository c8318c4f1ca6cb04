"""The words of a sharing decision: the question, the facts it is judged by, and the answer.

Everything here is a value: no database, no clock, no request. Dates are Europe/London dates and
`from`/`until` are inclusive; moments are aware datetimes. Source of the rules: DOMAIN.md,
"Categories, purposes, defaults" and "Agreement and the law".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


class Category(StrEnum):
    """What a piece of information is about. Every free text and form section carries one."""

    IDENTITY = "identity"
    CONTACT = "contact"
    NETWORK = "network"
    HEALTH = "health"
    DEVELOPMENT = "development"
    EDUCATION = "education"
    SOCIAL_CARE = "social_care"
    FAMILY = "family"
    FINANCE = "finance"
    VIEWS = "views"
    PLAN = "plan"
    PANEL = "panel"
    SAFEGUARDING = "safeguarding"


BASIC = frozenset({Category.IDENTITY, Category.CONTACT, Category.NETWORK, Category.PLAN})
ALWAYS_NAMED = frozenset({Category.FINANCE, Category.SAFEGUARDING})
ADDITIONAL = frozenset(Category) - BASIC - ALWAYS_NAMED


class Purpose(StrEnum):
    """Why somebody looks. Publishing statistics is no purpose: identity never reaches it."""

    SUPPORT = "support"
    PANEL = "panel"
    ALLOCATION = "allocation"
    REVIEW = "review"
    SAFEGUARDING = "safeguarding"
    EXCHANGE = "exchange"
    SUBJECT_ACCESS = "subject_access"
    GOVERNANCE = "governance"


class ViewerKind(StrEnum):
    """What kind of somebody looks. An agency looks when its pack is made."""

    WORKER = "worker"
    AGENCY = "agency"
    GUEST = "guest"
    FAMILY = "family"
    CLIENT = "client"
    JOB = "job"


class Role(StrEnum):
    """What a worker does. DOMAIN.md, "Words"; lead professional is per child, a relationship."""

    PRACTITIONER = "practitioner"
    COORDINATOR = "coordinator"
    CHAIR = "chair"
    PANEL_MEMBER = "panel_member"
    MANAGER = "manager"
    BUDGET_HOLDER = "budget_holder"
    ALLOCATION_MEMBER = "allocation_member"
    COMMISSIONER = "commissioner"
    GOVERNANCE_LEAD = "governance_lead"
    CALDICOTT_GUARDIAN = "caldicott_guardian"
    SAFEGUARDING_LEAD = "safeguarding_lead"
    PARENTS_REPRESENTATIVE = "parents_representative"
    ADMINISTRATOR = "administrator"


GUARDIANS = frozenset({Role.CALDICOTT_GUARDIAN, Role.SAFEGUARDING_LEAD})
"""Who answers for safety, and reviews what was opened for it. DOMAIN.md, the role table."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: a worker, an agency's pack, a guest, a family member, a system client, a job."""

    id: UUID
    kind: ViewerKind
    agency: UUID | None = None
    agency_kind: str | None = None
    """health, education, social_care, voluntary, council …: what a statutory duty is laid on."""
    roles: frozenset[Role] = frozenset()


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of days, both ends included; None is open."""

    start: date | None = None
    end: date | None = None

    def holds(self, day: date) -> bool:
        """Whether the day lies within."""
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)


ALWAYS = Span()


class Tie(StrEnum):
    """How somebody is tied to a child; nothing is permitted without a tie (or a court's word)."""

    TEAM = "team"
    LEAD = "lead"
    MANAGER = "manager"
    PANEL = "panel"
    """Coordinator or chair of a panel that the child was referred to or is known to."""
    AGENDA = "agenda"
    """The agency's pack covers the child: from the freeze to 10 working days after the meeting."""
    REQUEST = "request"
    """A request for the child is before the viewer's allocation panel."""
    SAFEGUARDING = "safeguarding"
    """Caldicott guardian or safeguarding lead with an override or withheld note to review."""
    GOVERNANCE = "governance"
    """Information governance lead with a request for subject access to answer."""
    PARENT = "parent"
    """A family member with parental responsibility now."""
    RELATIVE = "relative"
    """A family member without parental responsibility."""
    SELF = "self"
    """The child or young person."""
    GUEST = "guest"
    CLIENT = "client"


IN_THEIR_OWN_RIGHT = frozenset({Tie.PARENT, Tie.SELF})
"""Of the family, who may choose: whoever has parental responsibility, and the young person."""
OF_THE_FAMILY = IN_THEIR_OWN_RIGHT | {Tie.RELATIVE}
"""All of the family, who may choose or not."""


@dataclass(frozen=True, slots=True)
class Relationship:
    """One tie between this child and a viewer (by viewer id) or everyone acting for an agency."""

    tie: Tie
    who: UUID
    """A viewer's id, or an agency's id where the tie is the agency's (AGENDA, REQUEST, CLIENT)."""
    span: Span = ALWAYS
    categories: frozenset[Category] | None = None
    """The most the tie itself can carry (a guest, a client); None is all."""


class Level(StrEnum):
    """How much an agreement covers before named categories are added. DOMAIN.md."""

    BASIC = "basic"
    ADDITIONAL = "additional"
    """Basic as well as additional; finance and safeguarding are always named."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """An agreement to share, or a refusal, by somebody entitled to give it."""

    id: UUID
    given: bool
    """True: agreed. False: refused."""
    by: UUID
    by_words: str
    """Who, in the words a page may use: "her mother"."""
    agencies: frozenset[UUID]
    """With whom; for a refusal, from whom (empty: from every agency)."""
    not_agencies: frozenset[UUID] = frozenset()
    """Named as not to share with: a refusal towards them of all that the agreement covers."""
    level: Level | None = Level.BASIC
    """For a refusal None with no named categories means everything."""
    named: frozenset[Category] = frozenset()
    purposes: frozenset[Purpose] = frozenset({Purpose.SUPPORT, Purpose.PANEL, Purpose.REVIEW})
    """Empty means every purpose (refusals)."""
    span: Span = ALWAYS
    withdrawn: datetime | None = None


@dataclass(frozen=True, slots=True)
class Objection:
    """Somebody with parental responsibility objects to what another agreed.

    While open, sharing that began with an agreement from the day of the objection on pauses and
    existing sharing goes on. Upheld, it is a refusal; dismissed, it is nothing. DOMAIN.md.
    """

    by_words: str
    agencies: frozenset[UUID]
    """Empty: every agency."""
    categories: frozenset[Category]
    """Empty: every category."""
    raised: date
    decided: date | None = None
    upheld: bool = False
    purposes: frozenset[Purpose] = frozenset()
    """What for; empty: for every purpose. A no to an agency's own system is for exchange alone."""


class RestrictionKind(StrEnum):
    """Protection yields to nothing but a court; choice yields to safeguarding and to a duty."""

    PROTECTION = "protection"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Restriction:
    """Something that is withheld from somebody."""

    kind: RestrictionKind
    categories: frozenset[Category]
    """Empty: everything (a sealed record)."""
    against: frozenset[UUID]
    """Viewer ids or agency ids; empty: everyone."""
    span: Span = ALWAYS
    silent: bool = False
    """Nothing is said where saying so would tell too much."""
    by_words: str = ""


@dataclass(frozen=True, slots=True)
class CourtOrder:
    """A court permits or forbids a disclosure to somebody named."""

    permits: bool
    categories: frozenset[Category]
    """Empty: everything."""
    to: frozenset[UUID]
    """Viewer ids or agency ids; for an order that forbids, empty means everyone."""
    span: Span = ALWAYS
    reference: str = ""
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Override:
    """A safeguarding override: somebody looks in spite of a choice, with a reason, for a while."""

    to: UUID
    """A viewer's id or an agency's id."""
    categories: frozenset[Category]
    """Empty: everything."""
    start: datetime
    end: datetime
    reason_words: str = ""


@dataclass(frozen=True, slots=True)
class Enquiry:
    """A safeguarding enquiry (Children Act 1989 s.47) and the agencies that make it."""

    agencies: frozenset[UUID]
    span: Span = ALWAYS


@dataclass(frozen=True, slots=True)
class Duty:
    """A statutory duty or power to share, as dated data with a source; one may be present and off.

    A duty applies to a viewer who has a tie to the child, by the kind of agency and by role.
    """

    code: str
    words: str
    """For a page: "the duty to co-operate (Children Act 2004 section 10)"."""
    source: str
    categories: frozenset[Category]
    purposes: frozenset[Purpose]
    agency_kinds: frozenset[str] = frozenset()
    """Empty: every kind."""
    roles: frozenset[Role] = frozenset()
    """Empty: every role."""
    ties: frozenset[Tie] = frozenset()
    """Empty: every tie."""
    commenced: date | None = None
    """None: on the statute book and not commenced, so it permits nothing."""
    ended: date | None = None


@dataclass(frozen=True, slots=True)
class Arrangement:
    """An agreement between agencies on how they share (an information sharing agreement).

    It names what was agreed and opens nothing: it gives no lawful basis and lifts no confidence, so
    whatever it names still needs a tie and something that permits. A disclosure that it names
    carries its reference in the access history.
    """

    reference: str
    """As the agencies know it: "ISA 2026/4"; without a semicolon."""
    parties: frozenset[UUID]
    """The agencies; two or more."""
    categories: frozenset[Category]
    purposes: frozenset[Purpose]
    span: Span = ALWAYS

    def __post_init__(self) -> None:
        """Raise ValueError for what could not be an agreement between agencies."""
        if len(self.parties) < 2:
            raise ValueError("An agreement between agencies needs two of them.")
        if not self.reference.strip() or ";" in self.reference:
            raise ValueError("An agreement between agencies needs a reference without a semicolon.")


@dataclass(frozen=True, slots=True)
class State:
    """Everything known about the sharing of one child's record. Order never matters."""

    child: UUID
    relationships: tuple[Relationship, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    objections: tuple[Objection, ...] = ()
    restrictions: tuple[Restriction, ...] = ()
    orders: tuple[CourtOrder, ...] = ()
    overrides: tuple[Override, ...] = ()
    enquiries: tuple[Enquiry, ...] = ()
    duties: tuple[Duty, ...] = ()
    arrangements: tuple[Arrangement, ...] = ()
    """Never asked whether something is permitted; only recorded beside it."""
    use_restricted_on: date | None = None
    """Since when the record is stored and not used (UK GDPR Article 18); None where it is used."""


@dataclass(frozen=True, slots=True)
class Question:
    """May this viewer see this category of this child, for this purpose, now?"""

    viewer: Viewer
    category: Category
    purpose: Purpose
    at: datetime
    author_agency: UUID | None = None
    """Set when one entry is asked about: the agency whose worker wrote it (own record)."""
    author_person: UUID | None = None
    """Set when one entry is asked about: the family member or young person whose words it is."""

    @property
    def day(self) -> date:
        """The Europe/London date of the moment asked about."""
        return self.at.astimezone(LONDON).date()


class Basis(StrEnum):
    """On what a permission rests, or why nothing permits; in the order in which they are asked."""

    COURT_ORDER = "court_order"
    PROTECTION = "protection"
    USE_RESTRICTED = "use_restricted"
    """The record is stored and, for the time being, not used: withheld."""
    OWN_RECORD = "own_record"
    SAFEGUARDING = "safeguarding"
    DUTY = "duty"
    REFUSAL = "refusal"
    AGREEMENT = "agreement"
    NOTHING = "nothing"
    """No rule permits: withheld."""
    NO_TIE = "no_tie"
    """The viewer is not tied to the child for this purpose: withheld."""


class Obligation(StrEnum):
    """What comes with a permission."""

    REDACT_THIRD_PARTIES = "redact_third_parties"
    READ_ONLY = "read_only"
    NOTIFY = "notify"


@dataclass(frozen=True, slots=True)
class Decision:
    """Permit or withhold, on which basis, the reasons in order, until when, what comes with it."""

    permitted: bool
    basis: Basis
    reasons: tuple[str, ...]
    """Plain sentences, the deciding one first."""
    until: date | None = None
    """The last day on which this permission holds, as far as is known; None is open."""
    since: date | None = None
    """For what is withheld by somebody: since when."""
    silent: bool = False
    """Withheld, and not even that may be said."""
    obligations: frozenset[Obligation] = field(default=frozenset())
    gateway: str = ""
    """The code of the duty that permits, or of the section under which an enquiry is made."""
