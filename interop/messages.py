"""What Panel tells another system of, in Panel's words: values, and nothing of a standard in them.

A message is whole or it is not sent: whoever makes one has been through the record gate, and a text
that may not be told stands here as None, like one that there is not. Ids are UUIDs as text, days
are Europe/London days with both ends included, moments are aware. `outgoing` writes a message as a
FHIR R4 resource and `incoming` reads one back.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from msgspec import Struct


class Message(Struct, frozen=True, kw_only=True):
    """What every message has. Equal messages are the same resource, to the last byte."""

    id: str
    changed_at: datetime | None = None
    """When what is told here last changed; None where it is not known."""
    restricted: bool = False
    """More confidential than a record usually is: labelled so (`meta.security` R instead of N)."""
    parts_withheld: bool = False
    """Something was left out, and it may be said that it was (`meta.security` REDACTED)."""


class OfChild(Message, frozen=True, kw_only=True):
    """A message about one child."""

    child: str


Sex = Literal["female", "male", "indeterminate", "not_known"]


class Child(Message, frozen=True, kw_only=True):
    """The child: Patient. What is about where they live is None where it may not be told."""

    reference: str
    """What people write on paper: "C-1042"."""
    given_name: str
    family_name: str
    known_as: str | None = None
    birth_date: date | None = None
    sex: Sex = "not_known"
    nhs_number: str | None = None
    nhs_number_verified: bool = False
    upn: str | None = None
    address: str | None = None
    """Lines, each on one."""
    postcode: str | None = None
    phone: str | None = None
    ethnicity: str | None = None
    """Panel's code: "white_british"."""
    first_language: str | None = None
    """In words: "Polish"."""
    interpreter: str | None = None
    """For which language; None where none is needed."""
    practice: str | None = None
    """The agency that is the child's general practice."""
    died: bool = False


class Carer(OfChild, frozen=True, kw_only=True):
    """A parent, carer or other adult, in their tie to this one child: RelatedPerson.

    The id is the tie's: the same adult is somebody else's resource for another child.
    """

    name: str
    relationship: str
    """Panel's word: "mother"."""
    parental_responsibility: bool = False
    lives_with: bool = False
    phone: str | None = None
    email: str | None = None
    address: str | None = None
    first_language: str | None = None
    interpreter: str | None = None
    from_on: date | None = None
    until_on: date | None = None


class Worker(Message, frozen=True, kw_only=True):
    """A person at an agency: Practitioner, and PractitionerRole with the same id."""

    name: str
    agency: str
    job_title: str = ""
    phone: str | None = None
    email: str | None = None
    from_on: date | None = None
    until_on: date | None = None


class Agency(Message, frozen=True, kw_only=True):
    """An agency of the authority, or a provider of services: Organization."""

    name: str
    kind: str
    """health, education, social_care, council, voluntary, gp, school, icb; or provider."""
    ods_code: str | None = None
    closed_on: date | None = None


class Service(Message, frozen=True, kw_only=True):
    """A service of the directory: HealthcareService."""

    provider: str
    """The id of its Organization."""
    name: str
    description: str = ""
    kind: str = "other"
    running: bool = True
    url: str = ""
    email: str = ""
    phone: str = ""
    min_age: int | None = None
    max_age: int | None = None
    referral_route: str = ""


class Episode(OfChild, frozen=True, kw_only=True):
    """One stay in the process: EpisodeOfCare."""

    opened_on: date
    identified_on: date | None = None
    closed_on: date | None = None
    closure_reason: str | None = None
    agency: str
    """Who holds the process: the authority's own agency."""


class Coded(Struct, frozen=True):
    """A code with its words, in the terminology that the field names."""

    code: str
    words: str


class Need(OfChild, frozen=True, kw_only=True):
    """A need or diagnosis: Condition."""

    code: str | None = None
    """Panel's code of the primary need: "asd"."""
    words: str
    snomed: Coded | None = None
    text: str | None = None
    """What was written of the disability."""
    is_diagnosis: bool = False
    recorded_on: date | None = None


class FormChoice(Struct, frozen=True):
    """One thing to choose."""

    value: str
    label: str


class FormQuestion(Struct, frozen=True, kw_only=True):
    """One question of a form; `kind` is that of the form's definition ("long_text")."""

    key: str
    label: str
    kind: str
    choices: tuple[FormChoice, ...] = ()
    columns: tuple["FormQuestion", ...] = ()
    """Of rows and people, and the parts of an element."""


class FormSection(Struct, frozen=True, kw_only=True):
    """One section of a form, with its category."""

    key: str
    title: str
    category: str
    questions: tuple[FormQuestion, ...]


class Form(Message, frozen=True, kw_only=True):
    """One version of a form, which never changes: Questionnaire."""

    key: str
    number: int
    title: str
    sections: tuple[FormSection, ...]


Cell = str | tuple[str, ...]
"""An answer in one field: text, or what was ticked."""


class Given(Struct, frozen=True, kw_only=True):
    """One answered question: a cell, or rows of named cells (an element is one row)."""

    key: str
    label: str
    kind: str
    cell: Cell | None = None
    rows: tuple[tuple[tuple[str, Cell], ...], ...] = ()
    choices: tuple[FormChoice, ...] = ()
    """As the form has them, for the words of what was chosen."""
    columns: tuple[FormQuestion, ...] = ()
    """As the form has them; a cell of no column is text."""


class GivenSection(Struct, frozen=True, kw_only=True):
    """The answers of one section that may be told."""

    key: str
    title: str
    answers: tuple[Given, ...]


class FormAnswers(OfChild, frozen=True, kw_only=True):
    """One filling of a form: QuestionnaireResponse, and a document Bundle once signed off."""

    form: str
    form_key: str
    form_number: int
    title: str
    signed_off: bool
    author: str | None = None
    """The worker's id."""
    author_agency: str | None = None
    started_on: date
    signed_off_on: date | None = None
    sections: tuple[GivenSection, ...] = ()


class Plan(OfChild, frozen=True, kw_only=True):
    """A plan: CarePlan."""

    number: int
    state: Literal["draft", "agreed", "replaced", "ended"]
    summary: str | None = None
    started_on: date
    agreed_on: date | None = None
    ended_on: date | None = None
    author_agency: str
    outcomes: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    has_team: bool = False
    """Whether the child's CareTeam (whose id is the child's) may be told as well."""


class Progress(Struct, frozen=True):
    """Where things stood on a day."""

    on: date
    value: int | None = None
    note: str | None = None


class Outcome(OfChild, frozen=True, kw_only=True):
    """A desired outcome: Goal."""

    plan: str
    text: str
    measure: str | None = None
    state: Literal["working_towards", "reached", "stopped"]
    baseline: int | None = None
    target: int | None = None
    started_on: date | None = None
    progress: tuple[Progress, ...] = ()


class TeamMember(Struct, frozen=True, kw_only=True):
    """Somebody's part in the team, from–until."""

    agency: str
    worker: str | None = None
    part: str = ""
    is_lead: bool = False
    from_on: date | None = None
    until_on: date | None = None


class Team(OfChild, frozen=True, kw_only=True):
    """The lead professional and the team around the child: CareTeam; its id is the child's."""

    members: tuple[TeamMember, ...]
    carers: tuple[str, ...] = ()


class Action(OfChild, frozen=True, kw_only=True):
    """Who does what by when: Task."""

    text: str
    state: Literal["to_do", "doing", "done", "dropped"]
    plan: str | None = None
    outcome: str | None = None
    owner: str | None = None
    owner_words: str | None = None
    asked_on: date | None = None
    due_on: date | None = None
    done_on: date | None = None
    note: str | None = None


class Request(OfChild, frozen=True, kw_only=True):
    """A request for service: ServiceRequest."""

    reference: str
    state: str
    legal_basis: str | None = None
    need: str | None = None
    need_code: str | None = None
    outcome: str | None = None
    asked_for: str | None = None
    service: str | None = None
    units: Decimal | None = None
    unit: str | None = None
    urgency: str = "routine"
    category: str | None = None
    """The strictest kind of information in its texts."""
    agency: str
    sent_on: date | None = None
    sent_by: str | None = None


class Sitting(OfChild, frozen=True, kw_only=True):
    """A child's place on a panel's agenda: Appointment, and Encounter once it was discussed."""

    panel: str
    """The panel's name."""
    starts_at: datetime
    minutes: int
    state: Literal["planned", "discussed", "not_reached", "removed", "cancelled"]
    why: str
    """Why the child is on the agenda: "review_due"."""
    discussed_at: datetime | None = None
    agencies: tuple[str, ...] = ()


class Note(OfChild, frozen=True, kw_only=True):
    """A note to the family, signed off: DocumentReference."""

    sitting: str | None = None
    number: int
    state: Literal["signed_off", "recalled"]
    categories: tuple[str, ...] = ()
    """What it tells of: whoever may not see one of them is not told the note."""
    text: str
    signed_off_at: datetime
    signed_off_by: str | None = None
    author_agency: str


class Sending(OfChild, frozen=True, kw_only=True):
    """That a note went to one of the family: Communication."""

    note: str
    to: str | None = None
    """The carer's id; None for the young person."""
    way: Literal["email", "letter"]
    state: str
    sent_at: datetime | None = None
    opened_at: datetime | None = None


class Agreement(OfChild, frozen=True, kw_only=True):
    """An agreement to share, or a refusal: Consent."""

    given: bool
    by: str | None = None
    """The carer's id; None where the young person decided."""
    by_words: str
    agencies: tuple[str, ...] = ()
    not_agencies: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    """All that it covers: the level's and those named."""
    purposes: tuple[str, ...] = ()
    from_on: date
    until_on: date | None = None
    withdrawn_at: datetime | None = None


class PanelChildren(Message, frozen=True, kw_only=True):
    """The children with whom a panel works, as far as its reader may be told: Group."""

    key: str
    name: str
    children: tuple[str, ...]


class Alert(OfChild, frozen=True, kw_only=True):
    """Something that whoever meets the child must know first: Flag."""

    code: str
    words: str
    from_on: date | None = None
    until_on: date | None = None


class Change(OfChild, frozen=True, kw_only=True):
    """That somebody changed something: Provenance."""

    target_type: str
    """The FHIR type of what changed."""
    target: str
    what: str
    """The table and column in Panel's words: "action.state"."""
    at: datetime
    by: str | None = None
    agency: str | None = None


class Look(OfChild, frozen=True, kw_only=True):
    """That somebody looked at the record: AuditEvent."""

    at: datetime
    viewer: str
    viewer_kind: str
    agency: str | None = None
    purpose: str
    doing: str
    permitted: bool
