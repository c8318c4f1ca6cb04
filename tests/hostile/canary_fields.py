"""Where free text is kept, whose it is, and how each text of every child gets a marker of its own.

`SEALED` and `CLEAR` say of every column with free text who may read what stands in it, in the words
of DOMAIN.md ("Categories, purposes, defaults"), and not as the product reads it. A column that is
in neither, nor in `CODED`, fails `unknown_columns` with what to add.
"""

import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, cast
from uuid import UUID

import msgspec
import psycopg
from psycopg import sql
from sqlalchemy import CheckConstraint, LargeBinary, Table, Text, select
from sqlalchemy import update as update_rows
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Role
from panel.accounts.models import Worker
from panel.allocation.models import ServiceRequest
from panel.allocation.outside_models import OutsidePlacement
from panel.allocation.package_models import Package
from panel.assessments.definitions import FormDefinition, Kind, Question, Voice
from panel.assessments.models import Assessment, Form
from panel.documents.models import Document
from panel.documents.service import CONTENT_FIELD
from panel.governance.models import UnusualPattern
from panel.impact.models import ImpactMinutes, MinutesCopy
from panel.insight.linking.models import ListedChild, ListLink
from panel.panels.note_models import FamilyNote, NoteDelivery
from panel.plans.contingency import SECTIONS as CONTINGENCY
from panel.plans.models import DesiredOutcome, Plan, PlanVersion
from panel.platform.crypto import Keys
from panel.platform.tables import KEYS, Base
from panel.platform.tenancy import Tenant, load_keys
from panel.records.child_scoped import JOB, ChildScoped
from panel.records.nhs_number import check_digit
from panel.register.family_access import FamilyAccess
from panel.register.models import Child, FamilyLink, FamilyMember
from tests.demo.year import tables

MARKER = re.compile(r"zq[a-z2-7]{14}", re.IGNORECASE)
NHS_NUMBER = re.compile(r"\b\d{3} ?\d{3} ?\d{4}\b")
READABLE = ("waiting", "sent", "bounced", "opened")
"""A copy of a note that its reader may open."""

ABOUT_NO_CHILD = frozenset({
    "provider", "service", "service_place", "service_area", "service_change", "provider_link",
    "short_breaks_statement",
    "agency", "worker", "worker_role", "panel", "panel_agency", "meeting", "term", "closed_day",
    "attendance", "pack_opened", "area", "area_became", "table_wish", "form", "gateway", "setting", "demo_persona", "data_key",
    "job_run", "fact_change", "web_session", "sign_in_link", "sign_in_entry", "form_post",
    "sign_in_provider", "sign_in_provider_agency", "worker_identity",
    "child_index", "child_mark", "area_population",
    "child_access", "access_event", "possible_duplicate", "outbox_message", "agencies_agreement",
    "override_attempt", "history_search", "governance_document", "authority_key",
    "key_rotation", "erasure_certificate",
    "own_password", "passkey", "recovery_code", "sign_in_challenge", "sign_in_attempt",
    "known_address",
    "audit_event", "audit_key", "audit_seal", "audit_leaf",
    "invitation", "leaving",
    "role_proposal",
    "disposal_list", "criterion_set", "criterion", "outside_terms", "outside_condition",
    "exchange_client", "exchange_token", "used_assertion",
    "pot", "pot_entry", "joint_contract", "contract_price", "contract_party",
    "received", "received_piece",
    "register_list", "list_count", "said_and_done", "invented_child", "quality_sample",
    "subscription", "delivery", "export_job", "export_part", "export_line", "pull_source",
    "other_authority", "received_handover",
    "version_pass",
    "unknown_letter",
    "fact_period", "insight_event", "insight_release", "insight_cell", "insight_file",
    "insight_refusal",
    "gap", "bulk_work", "bulk_step", "task_notice", "notice_choice", "calendar_feed",
    "worker_elsewhere", "way_between",
})  # fmt: skip
"""Tables with no free text about a child. What the outbox holds, the crawl reads as it is sent.

What other systems sent is shown to nobody as it came: what it says is in `sender_version`, and what
it would change in `proposal`.
"""

CODED = frozenset({
    "outcome_need.section_key", "outcome_need.question_key",
    "lead_professional.role", "lead_professional.family",
    "service_request.reference", "service_request.category", "service_request.level_of_need",
    "unmet_need.unit", "letter_copy.failure", "quality_audit.ratings",
    "outside_placement.category", "placement_condition.category", "placement_visit.category",
    "child.reference", "child.ward_code", "child.ethnicity", "child.primary_need",
    "family_link.basis", "family_words.asked_how", "episode.closure_reason",
    "episode.level_at_start", "episode.level_at_closure", "significant_event.kind",
    "discussion.heading", "agenda_item.owed", "agenda_item.before", "asked.what",
    "assessment.form_key", "assessment.late_reason", "section_answer.section_key", "document.media_type",
    "family_note.categories", "incident.steps", "note_delivery.failure", "record_change.what",
    "record_change.from_code", "record_change.to_code", "referral.category",
    "referral_answer.acknowledged_how",
    "case_closure.level_then", "case_closure.level_now",
    "authority_handover.task_state", "authority_handover.failure",
    "authority_handover.authority_name",
    "authority_handover.document",
    "significant_event.category", "access_request.category", "sharing_agreement.capacity",
    "document.content_index", "guest_link.token_hash", "guest_link.code_hash",
    "access_request.purpose", "access_request.basis", "sharing_agreement.basis",
    "family_access.reference",
    "family_access.word_mark", "family_access.email_index", "family_access.invitation_mark",
    "sharing_judgement.matter", "sharing_override.steps", "right_request.reference",
    "right_request.stops", "redaction.piece", "redaction.because", "correction.field",
    "legal_hold.reference", "disposal_line.reference", "disposal_line.closure_reason",
    "disposal_line.refused_why",
    "package_change.said", "package_change.financial_year",
    "proposal.target", "sender_version.type", "list_link.why", "list_link.rules",
    "listed_child.need", "listed_child.ward_code",
    "resource_version.resource", "resource_version.line",
    "impact_minutes.categories", "impact_invitation.failure",
})  # fmt: skip
"""Columns that hold codes, dates, hashes or sentences of the product's own, never typed words; and
`resource_version.line`, which is what other columns hold, as it lies there, sealed or not: systems
read it (`canary_system`)."""

WHAT_TO_ADD = (
    "{column} may hold free text about a child, and the canary crawl plants no marker in it. Say"
    " whose it is in SEALED or CLEAR of tests/hostile/canary_fields.py (which category, whose"
    " record, whose words), and give every child of the crawl a row in tests/hostile/canary_world.py;"
    " or add it to CODED there, if nobody ever types into it."
)


class Part(Enum):
    """Whose work it is to read what is kept about a sharing fact, and nobody else's."""

    ANSWERS = "the lead professional, who runs the panel, and who decides for the child"
    CORRECTS = "whoever answers, and the information governance lead while a request is open"
    ASKED = "whoever asked, and their agency"
    PROTECTS = "the panel's coordinator, the social care team, who answers for safety"
    CHOOSES = "the lead professional and the panel's coordinator"
    WITHHOLDS = "either of these two"
    ENQUIRES = "the social care team and who answers for safety"
    REVIEWS = "who answers for safety, for somebody else's override"
    CONFIRMS = "who records orders, and the information governance lead"
    KNOWS_FORMER = "whom the protection of a former name leaves, or a court"


@dataclass(frozen=True, slots=True)
class Canary:
    """One marker: where it was planted, and what somebody must be permitted to read it."""

    field: str
    row: UUID
    children: frozenset[UUID]
    """Whose record it stands in: of a parent of two, either."""
    needs: frozenset[Category]
    """All of these; none of them is asked where whoever reaches the child may know it."""
    or_needs: frozenset[Category] | None = None
    """Or all of these."""
    told_unless_silent: bool = False
    """Told even where it is withheld, unless that is in silence."""
    agencies: tuple[UUID | None, ...] = (None,)
    """Whose record it is: any of these authors will do."""
    person: UUID | None = None
    """Whose own words it is."""
    for_persons: frozenset[UUID] | None = None
    """Of a family nobody else, whatever they may see; None is no such limit."""
    always: frozenset[UUID] = frozenset()
    """Whom it was written to."""
    for_education: bool = False
    """UPN is for education; other agencies do not see it."""
    part: Part | None = None
    """Read for what the viewer has to do, whatever category it would be."""
    named: frozenset[UUID] = frozenset()
    """Workers, agencies and persons: whom the part is given to by name."""
    against: frozenset[UUID] = frozenset()
    """Whom it keeps something from: they never read why."""
    for_roles: frozenset[Role] = frozenset()
    """It is about no child: read by these roles alone."""
    only_on: str = ""
    """The address below which alone it may stand."""


NOBODY = frozenset[UUID]()
ANSWERING = frozenset({Role.GOVERNANCE_LEAD, Role.CALDICOTT_GUARDIAN, Role.SAFEGUARDING_LEAD})


@dataclass
class Around:
    """What the rules of rows look up."""

    agency_of: dict[UUID, UUID] = field(default_factory=dict)
    """The agency of a worker."""
    plan_author: dict[UUID, UUID] = field(default_factory=dict)
    package_author: dict[UUID, UUID] = field(default_factory=dict)
    asked_by: dict[UUID, UUID] = field(default_factory=dict)
    """The agency that asks for a placement outside the area."""
    notes: dict[UUID, FamilyNote] = field(default_factory=dict)
    minutes: dict[UUID, ImpactMinutes] = field(default_factory=dict)
    readers: dict[UUID, frozenset[UUID]] = field(default_factory=dict)
    """Who has an open copy of a note, or of minutes."""
    assessments: dict[UUID, Assessment] = field(default_factory=dict)
    documents: dict[UUID, Document] = field(default_factory=dict)
    forms: dict[UUID, FormDefinition] = field(default_factory=dict)
    may_be: dict[UUID, set[UUID]] = field(default_factory=dict)
    """The children of whom it was said that somebody on a list is they."""
    links: dict[UUID, list[FamilyLink]] = field(default_factory=dict)
    """The links of a family member."""

    def wrote(self, row: Any) -> tuple[UUID | None, ...]:
        """The agency of the worker who wrote a row down."""
        return (None, self.agency_of.get(row.created_by))


Rule = Callable[[Any, Around], Canary]


def _of(row: Any, name: str, *needs: Category | str, **more: Any) -> Canary:
    child = row.id if isinstance(row, Child) else row.child_id
    asked = frozenset(Category(one) for one in needs)
    return Canary(f"{row.__tablename__}.{name}", row.id, frozenset({child}), asked, **more)


def _childs(name: str, category: Category, **more: Any) -> Rule:
    return lambda row, around: _of(row, name, category, agencies=around.wrote(row), **more)


def _own_name(name: str) -> Rule:
    """A child's name: on the young person's own pages it stands above everything."""
    return lambda row, around: _of(
        row, name, Category.IDENTITY, agencies=around.wrote(row), always=frozenset({row.id})
    )


def _by_agency(name: str, category: Category) -> Rule:
    """Of a row that says which agency wrote it."""
    return lambda row, _: _of(
        row, name, category,
        agencies=(None, getattr(row, "author_agency_id", None) or getattr(row, "agency_id", None)),
    )  # fmt: skip


def _own_category(name: str) -> Rule:
    """Of a row that says its category and its agency itself."""
    return lambda row, _: _of(
        row, name, row.category,
        agencies=(getattr(row, "author_agency_id", None) or getattr(row, "agency_id", None),),
    )  # fmt: skip


def _offered(name: str) -> Rule:
    """Of a row that says its category itself: what is written here, and would be."""
    return lambda row, _: _of(row, name, row.category)


def _placed(name: str) -> Rule:
    """Of a placement that a request asks for: read as the request is."""

    def rule(row: Any, around: Around) -> Canary:
        agency = around.asked_by[getattr(row, "placement_id", row.id)]
        return _of(row, name, row.category, agencies=(agency,))

    return rule


def _of_plan(name: str) -> Rule:
    def rule(row: Any, around: Around) -> Canary:
        plan = row.id if isinstance(row, Plan) else getattr(row, "plan_id", None)
        author = around.plan_author.get(plan) if plan else None
        return _of(row, name, Category.PLAN, agencies=(None, author))

    return rule


def _of_package(name: str) -> Rule:
    return lambda row, _: _of(
        row, name, Category.PLAN, agencies=(None, row.author_agency_id), for_persons=NOBODY
    )  # fmt: skip


def _packaged(name: str) -> Rule:
    return lambda row, around: _of(
        row, name, Category.PLAN, agencies=(None, around.package_author[row.package_id]),
        for_persons=NOBODY,
    )  # fmt: skip


def _cleared(name: str) -> Rule:
    """What is kept of a line that the family may read; the family reads the line itself alone."""

    def rule(row: Any, around: Around) -> Canary:
        author = around.plan_author.get(row.outcome_id) if row.outcome_id else None
        agencies = (*around.wrote(row), author)
        return _of(row, name, Category.PLAN, agencies=agencies, for_persons=NOBODY)

    return rule


def _listed(name: str) -> Rule:
    """Who is on a list: beside a child whom it may be, and by whom the child may be named."""
    return lambda row, around: Canary(
        f"listed_child.{name}", row.id, frozenset(around.may_be[row.id]),
        frozenset({Category.IDENTITY}),
    )  # fmt: skip


def _kept_on_the_list(name: str) -> Rule:
    """Where somebody on a list lives: nobody is told it out of the list."""
    return lambda row, _: Canary(f"listed_child.{name}", row.id, NOBODY, frozenset())


def _of_outcome(name: str) -> Rule:
    """Of what belongs to a desired outcome."""
    return lambda row, around: _of(
        row, name, Category.PLAN, agencies=(None, around.plan_author.get(row.outcome_id))
    )


def _of_version(name: str) -> Rule:
    """Of a plan as it was agreed, and of what somebody said of it."""
    return lambda row, around: _of(
        row, name, Category.PLAN,
        agencies=(None, around.plan_author.get(getattr(row, "version_id", row.id))),
    )  # fmt: skip


def _panel(name: str, **more: Any) -> Rule:
    return lambda row, around: _of(
        row, name, Category.PANEL, agencies=around.wrote(row), **more
    )  # fmt: skip


def _member(name: str, category: Category) -> Rule:
    def rule(row: Any, around: Around) -> Canary:
        children = frozenset(one.child_id for one in around.links.get(row.id, ()))
        return Canary(
            f"family_member.{name}", row.id, children, frozenset({category}),
            agencies=around.wrote(row), always=frozenset({row.id}),
        )  # fmt: skip

    return rule


def _access_email(row: Any, around: Around) -> Canary:
    children = frozenset(one.child_id for one in around.links.get(row.person_id, ()))
    return Canary(
        "family_access.email", row.id, children or frozenset({row.person_id}),
        frozenset({Category.CONTACT}), agencies=around.wrote(row), always=frozenset({row.person_id}),
    )  # fmt: skip


def _relationship(row: Any, around: Around) -> Canary:
    # Whose words they are is told with the words. Who is who must be known to ask the right person,
    # so it is told to whoever works on the record, unless the family is kept in silence.
    return _of(
        row, "relationship", Category.FAMILY, agencies=around.wrote(row),
        or_needs=frozenset({Category.VIEWS}), told_unless_silent=True, always=frozenset({row.family_member_id}),
    )  # fmt: skip


def _words(row: Any, _: Around) -> Canary:
    return _of(
        row, "text", Category.VIEWS, agencies=(row.author_agency_id,), person=row.family_member_id
    )


def _note(name: str) -> Rule:
    def rule(row: Any, around: Around) -> Canary:
        readers = around.readers.get(row.id, NOBODY) if row.state == "signed_off" else NOBODY
        return _of(
            row, name, Category.PANEL, *row.categories, agencies=(None, row.author_agency_id),
            for_persons=readers if name == "text" else NOBODY,
        )  # fmt: skip

    return rule


def _held_back(row: Any, around: Around) -> Canary:
    author = around.notes[row.note_id].author_agency_id
    return _of(
        row, "held_back_why", Category.PANEL, agencies=(None, author), for_persons=NOBODY
    )  # fmt: skip


def _answer(row: Any, _: Around) -> Canary:
    return _of(row, "text", Category.VIEWS, person=row.person_id)


def _surveyed(row: Any, _: Around) -> Canary:
    """What somebody of the family answered, and showed to those who work with the child."""
    return _of(
        row, "own_words", Category.VIEWS, person=row.person_id,
        for_persons=frozenset({row.person_id}), always=frozenset({row.person_id}),
    )  # fmt: skip


def _met_at(row: Any, _: Around) -> Canary:
    """Where a meeting is: at the family's home, where they live."""
    needs = (Category.CONTACT,) if row.format == "home" else ()
    return _of(row, "place", *needs, agencies=(None, row.author_agency_id))


def _thought(name: str) -> Rule:
    """What somebody says at a meeting or before it: of the family, in their own right."""

    def rule(row: Any, _: Around) -> Canary:
        is_worker = "worker" in (getattr(row, "speaker", ""), getattr(row, "kind", ""))
        return _of(
            row, name, getattr(row, "category", Category.VIEWS),
            agencies=(getattr(row, "author_agency_id", None),),
            person=None if is_worker else row.person_id,
        )  # fmt: skip

    return rule


def _minuted(name: str) -> Rule:
    def rule(row: Any, around: Around) -> Canary:
        readers = around.readers.get(row.id, NOBODY) if row.state == "sent" else NOBODY
        return _of(
            row, name, Category.PANEL, *row.categories, agencies=(None, row.author_agency_id),
            for_persons=readers if name == "text" else NOBODY,
        )  # fmt: skip

    return rule


def _minutes_held_back(row: Any, around: Around) -> Canary:
    author = around.minutes[row.minutes_id].author_agency_id
    return _of(
        row, "held_back_why", Category.PANEL, agencies=(None, author), for_persons=NOBODY
    )  # fmt: skip


def _signed(name: str) -> Rule:
    return lambda row, _: _of(row, name, Category.VIEWS, person=row.person_id)


def _reply(row: Any, around: Around) -> Canary:
    replied = around.agency_of.get(row.replied_by)
    return _of(
        row, "reply", Category.PANEL, agencies=(None, replied),
        for_persons=frozenset({row.person_id}), always=frozenset({row.person_id}),
    )  # fmt: skip


def _guest(name: str) -> Rule:
    return lambda row, around: _of(
        row, name, Category.PANEL, agencies=(*around.wrote(row), row.agency_id),
        for_persons=NOBODY, always=frozenset({row.id}),
    )  # fmt: skip


def _section(row: Any, around: Around) -> Canary:
    assessment = around.assessments[row.assessment_id]
    section = around.forms[assessment.form_id].section(row.section_key)
    childs = section is not None and any(one.voice is Voice.CHILD for one in section.questions)
    return _of(
        row, "answers", row.category,
        agencies=(row.author_agency_id or assessment.author_agency_id,),
        person=row.child_id if childs else None,
    )  # fmt: skip


def _content(row: Any, around: Around) -> Canary:
    document = around.documents[row.document_id]
    return _of(row, "sealed", document.category, agencies=(document.author_agency_id,))


def _process(name: str) -> Rule:
    """Who decided, in the words of the reasons that everybody is told."""
    return lambda row, _: _of(row, name)


def _asked_why(row: Any, _: Around) -> Canary:
    """A message to whoever answers the request, whatever category it is about.

    One of the family answers for what they may see themselves.
    """
    return _of(row, "reason", row.category, part=Part.ANSWERS)


def _answered(row: Any, _: Around) -> Canary:
    return _of(row, "answer", part=Part.ASKED, named=frozenset({row.worker_id, row.agency_id}))


def _by_worker(name: str, who: str) -> Rule:
    """What somebody wrote of the family while they decided something: their agency's record."""

    def rule(row: Any, around: Around) -> Canary:
        worker = getattr(row, who)
        return _of(
            row, name, Category.FAMILY, agencies=(None, around.agency_of.get(worker)),
            for_persons=NOBODY, always=frozenset() if worker is None else frozenset({worker}),
        )  # fmt: skip

    return rule


def _withheld(name: str) -> Rule:
    """Why something is withheld: for who records such things, and not for whom it is against."""

    def rule(row: Any, _: Around) -> Canary:
        part = Part.PROTECTS if row.kind == "protection" else Part.CHOOSES
        return _of(row, name, part=part, against=frozenset(row.against))

    return rule


def _ordered(name: str) -> Rule:
    """What a court said: for who records it, and not for whom it forbids something."""

    def rule(row: Any, _: Around) -> Canary:
        against = NOBODY if row.permits else frozenset(row.to)
        return _of(row, name, part=Part.PROTECTS, against=against)

    return rule


def _of_part(name: str, part: Part) -> Rule:
    return lambda row, _: _of(row, name, part=part)


def _overridden(name: str) -> Rule:
    return lambda row, _: _of(row, name, part=Part.REVIEWS, against=frozenset({row.to_id}))


def _unless_silent(name: str) -> Rule:
    """Told with the reasons; of what holds in silence only to who records such things."""

    def rule(row: Any, _: Around) -> Canary:
        if not row.silent:
            return _of(row, name)
        if hasattr(row, "permits"):
            return _ordered(name)(row, _)
        return _of(row, name, part=Part.WITHHOLDS, against=frozenset(row.against))

    return rule


RESTRICTIONS = "/children/{child_id:uuid}/sharing/restrictions"


def _former(name: str) -> Rule:
    """Who a child was: on one page, for those whom its protection leaves."""
    return lambda row, _: _of(
        row, name, Category.IDENTITY, part=Part.KNOWS_FORMER, named=frozenset(row.open_to),
        only_on=RESTRICTIONS,
    )  # fmt: skip


def _answers(name: str) -> Rule:
    """Of requests, copies and holds: for who answers for use; and for who asked, as told them."""

    def rule(row: Any, _: Around) -> Canary:
        asker = getattr(row, "asker_id", None)
        told = name in {"extended_why", "outcome_why", "made"} and asker is not None
        return _of(
            row, name, for_roles=ANSWERING, always=frozenset({asker}) if told else NOBODY
        )  # fmt: skip

    return rule


def _pattern_note(row: Any, _: Around | None = None) -> Canary:
    """About a worker and no child: for who answers for the use of records."""
    roles = {Role.GOVERNANCE_LEAD}
    if row.of_lead:
        roles |= {Role.CALDICOTT_GUARDIAN, Role.SAFEGUARDING_LEAD}
    return Canary(
        "unusual_pattern.note", row.id, frozenset(), frozenset(), for_roles=frozenset(roles)
    )


SEALED: dict[str, Rule] = {
    "sender_version.body": _own_category("body"),
    "proposal.before": _offered("before"),
    "proposal.after": _offered("after"),
    "child.given_name": _own_name("given_name"),
    "child.family_name": _own_name("family_name"),
    "child.known_as": _childs("known_as", Category.IDENTITY),
    "child.nhs_number": _childs("nhs_number", Category.IDENTITY),
    "child.upn": _childs("upn", Category.IDENTITY, for_education=True),
    "child.address": _childs("address", Category.CONTACT),
    "child.postcode": _childs("postcode", Category.CONTACT),
    "child.phone": _childs("phone", Category.CONTACT),
    "child.disability": _childs("disability", Category.HEALTH),
    **{f"listed_child.{one}": _listed(one) for one in ("given_name", "family_name", "nhs_number")},
    **{f"listed_child.{one}": _kept_on_the_list(one) for one in ("address", "postcode")},
    "family_member.name": _member("name", Category.FAMILY),
    "family_member.email": _member("email", Category.CONTACT),
    "family_member.phone": _member("phone", Category.CONTACT),
    "family_member.address": _member("address", Category.CONTACT),
    "family_member.safe_contact": _member("safe_contact", Category.CONTACT),
    "family_access.email": _access_email,
    "significant_event.text": _own_category("text"),
    **{f"transition.{one}": _by_agency(one, Category.PLAN) for one in ("plan", "reason")},
    "section_answer.answers": _section,
    "document.title": _own_category("title"),
    "document.file_name": _own_category("file_name"),
    "document_content.sealed": _content,
    **{f"package.{one}": _of_package(one) for one in ("name", "spending_plan", "broker")},
    "service_line.what": _packaged("what"),
    "package_change.what": _packaged("what"),
    "payment_return.note": _by_agency("note", Category.FINANCE),
    "reconciliation.note": _by_agency("note", Category.FINANCE),
    **{f"inclusion_grant.{one}": _by_agency(one, Category.PLAN) for one in ("what_for", "answer")},
    "plan.summary": _of_plan("summary"),
    "desired_outcome.text": _of_plan("text"),
    "desired_outcome.measure": _of_plan("measure"),
    "outcome_progress.note": _of_outcome("note"),
    **{
        f"outcome_measure.{one}": _of_outcome(one)
        for one in ("baseline_words", "target_words", "unit", "scaling_question")
    },
    "outcome_reading.note": _of_outcome("note"),
    "plan_version.content": _of_version("content"),
    "plan_answer.words": _of_version("words"),
    **{f"contingency_plan.{one}": _by_agency(one, Category.PLAN) for one in CONTINGENCY},
    "action.text": _of_plan("text"),
    "action.owner_words": _of_plan("owner_words"),
    "action.note": _of_plan("note"),
    "action.moved_why": _of_plan("moved_why"),
    "family_clearance.words": _cleared("words"),
    "family_clearance.why": _cleared("why"),
    "family_clearance.marked": _cleared("marked"),
    **{
        f"lead_professional.{name}": _by_agency(name, Category.NETWORK)
        for name in ("reason", "note", "family_words", "over_limit")
    },
    "lead_cover.reason": _by_agency("reason", Category.NETWORK),
    "lead_wish.said_by": _childs("said_by", Category.VIEWS),
    "lead_wish.words": _childs("words", Category.VIEWS),
    "referral.reason": _own_category("reason"),
    **{
        f"service_request.{name}": _own_category(name)
        for name in ("need", "outcome", "tried", "asked_for", "urgency_why", "withdrawn_why")
    },
    "service_request.family_wishes": _by_agency("family_wishes", Category.VIEWS),
    "request_decision.reasons": _panel("reasons", for_persons=NOBODY),
    "request_decision.nothing_unmet": _panel("nothing_unmet", for_persons=NOBODY),
    "request_decision.reasons_for_family": _panel("reasons_for_family"),
    "request_decision.conditions": _panel("conditions"),
    "appeal.grounds": _childs("grounds", Category.VIEWS),
    "appeal.outcome_why": _panel("outcome_why"),
    "decision_letter.body": _panel("body"),
    "decision_letter.kept_why": _panel("kept_why", for_persons=NOBODY),
    "unmet_need.words": _childs("words", Category.VIEWS),
    "unmet_need.closed_why": _panel("closed_why"),
    "place_offer.why": _childs("why", Category.VIEWS),
    "outside_placement.area": _placed("area"),
    "outside_placement.provider": _placed("provider"),
    "placement_condition.note": _placed("note"),
    "placement_visit.visited_by": _placed("visited_by"),
    "placement_visit.note": _placed("note"),
    "waiting.left_words": _childs("left_words", Category.VIEWS),
    "referral.escalation": _panel("escalation"),
    "referral_answer.reasons": _panel("reasons"),
    "referral_answer.what_else": _panel("what_else"),
    "case_closure.what_next": _by_agency("what_next", Category.PLAN),
    "case_closure.left_with": _by_agency("left_with", Category.PLAN),
    "case_closure.reopened_because": _by_agency("reopened_because", Category.PLAN),
    "authority_handover.note": _by_agency("note", Category.PLAN),
    "authority_handover.reason": _by_agency("reason", Category.NETWORK),
    "authority_handover.lead_there": _by_agency("lead_there", Category.NETWORK),
    "referral.urgent_reason": _panel("urgent_reason"),
    "agenda_item.reason": _panel("reason"),
    "agenda_item.review_why": _panel("review_why"),
    "declared_interest.reason": _panel("reason", for_persons=NOBODY),
    "family_words.text": _words,
    "discussion.text": _own_category("text"),
    "discussion.taken_back_why": _own_category("taken_back_why"),
    "discussion.moved_why": _own_category("moved_why"),
    "guest_link.name": _guest("name"),
    "guest_link.question": _guest("question"),
    "guest_link.answer": _guest("answer"),
    "family_note.text": _note("text"),
    "family_note.kept": _note("kept"),
    "note_delivery.held_back_why": _held_back,
    "note_answer.text": _answer,
    "note_answer.reply": _reply,
    "survey.own_words": _surveyed,
    "episode_step.reasons": _by_agency("reasons", Category.PANEL),
    "impact_meeting.place": _met_at,
    **{
        f"impact_meeting.{one}": _by_agency(one, Category.VIEWS)
        for one in ("who_comes", "interpreter", "wishes")
    },
    **{
        f"impact_meeting.{one}": _by_agency(one, Category.PANEL)
        for one in ("not_asked_why", "cancelled_why")
    },
    "impact_invitation.name": lambda row, _: _of(row, "name", Category.NETWORK),
    "impact_invitation.address": lambda row, _: _of(row, "address", Category.CONTACT),
    "impact_invitation.said": _thought("said"),
    "impact_view.words": _thought("words"),
    "impact_decision.words": _by_agency("words", Category.PLAN),
    "impact_minutes.text": _minuted("text"),
    "impact_minutes.kept": _minuted("kept"),
    "minutes_copy.held_back_why": _minutes_held_back,
    "minutes_answer.words": _signed("words"),
    "minutes_answer.signed_name": _signed("signed_name"),
    **{
        f"quality_audit.{one}": _by_agency(one, Category.PLAN)
        for one in ("comments", "author_words")
    },
    "incident.what": _panel("what", for_persons=NOBODY),
    "incident.seen": _panel("seen", for_persons=NOBODY),
    "access_request.reason": _asked_why,
    "access_request.answer": _answered,
    "sharing_agreement.how_explained": _childs("how_explained", Category.FAMILY),
    "sharing_agreement.evidence": _childs("evidence", Category.FAMILY),
    "sharing_judgement.why": _by_worker("why", "author_id"),
    "sharing_judgement.consulted": _by_worker("consulted", "author_id"),
    "sharing_objection.reason": _by_worker("reason", "created_by"),
    "sharing_objection.decision_reason": _by_worker("decision_reason", "decided_by"),
    "sharing_restriction.reason": _withheld("reason"),
    "sharing_restriction.ended_why": _withheld("ended_why"),
    "sharing_order.reason": _ordered("reason"),
    "sharing_order.ended_why": _ordered("ended_why"),
    "order_to_confirm.reason": _of_part("reason", Part.CONFIRMS),
    "order_to_confirm.evidence": _of_part("evidence", Part.CONFIRMS),
    "sharing_enquiry.reason": _of_part("reason", Part.ENQUIRES),
    "sharing_enquiry.ended_why": _of_part("ended_why", Part.ENQUIRES),
    "sharing_override.reason": _overridden("reason"),
    "sharing_override.family_risk": _overridden("family_risk"),
    "sharing_override.review_note": _overridden("review_note"),
    "former_identity.given_name": _former("given_name"),
    "former_identity.family_name": _former("family_name"),
    "former_identity.nhs_number": _former("nhs_number"),
    "former_identity.reason": _former("reason"),
    "former_identity.ended_why": _former("ended_why"),
    "unusual_pattern.note": _pattern_note,
    **{
        f"right_request.{one}": _answers(one)
        for one in (
            "who",
            "about",
            "proof",
            "extended_why",
            "outcome_why",
        )
    },
    **{f"access_file.{one}": _answers(one) for one in ("pieces", "made")},
    **{f"redaction.{one}": _answers(one) for one in ("words", "reason", "second_note")},
    **{
        f"correction.{one}": _of_part(one, Part.CORRECTS)
        for one in ("asked", "reason", "statement")
    },
    **{f"correction.{one}": _childs(one, Category.PLAN) for one in ("before", "after")},
    **{f"processing_restriction.{one}": _answers(one) for one in ("why", "ended_why")},
    **{f"legal_hold.{one}": _answers(one) for one in ("why", "released_why")},
}
"""Of every sealed column (and the one sealed file): who may read it."""

CLEAR: dict[str, Rule] = {
    "child.first_language": _childs("first_language", Category.FAMILY),
    "child.interpreter": _childs("interpreter", Category.FAMILY),
    "child.school": _childs("school", Category.EDUCATION),
    "family_member.first_language": _member("first_language", Category.FAMILY),
    "family_member.interpreter": _member("interpreter", Category.FAMILY),
    "family_link.relationship": _relationship,
    "involvement.part": lambda row, around: _of(
        row, "part", Category.NETWORK, agencies=(*around.wrote(row), row.agency_id)
    ),
    "referral.transition": _panel("transition"),
    "sharing_agreement.by_words": _process("by_words"),
    "sharing_agreement.interpreter": _childs("interpreter", Category.FAMILY),
    "sharing_objection.by_words": _process("by_words"),
    "sharing_restriction.by_words": _unless_silent("by_words"),
    "sharing_order.reference": _unless_silent("reference"),
    "order_to_confirm.reference": _of_part("reference", Part.CONFIRMS),
    "disposal_line.keep_why": _answers("keep_why"),
}
"""Of every other column in which somebody types."""


# Which columns there are -------------------------------------------------------------------------


def free_text_columns() -> Iterator[str]:
    """Every column of every table that may hold typed text, by "table.column"."""
    for model in tables():
        name = model.__tablename__
        if name in ABOUT_NO_CHILD:
            continue
        table = cast("Table", model.__table__)
        checked = {
            str(one.sqltext).split(" IN ")[0]
            for one in table.constraints
            if isinstance(one, CheckConstraint)
        }
        for column in table.columns:
            if isinstance(column.type, Text | JSONB | LargeBinary) and column.name not in checked:
                yield f"{name}.{column.name}"


def unknown_columns() -> list[str]:
    """A sentence for every column that nobody has thought of, with what to add."""
    known = SEALED.keys() | CLEAR.keys() | CODED
    return [WHAT_TO_ADD.format(column=one) for one in free_text_columns() if one not in known]


def stale_columns() -> list[str]:
    """Rules for columns that are not there any more."""
    return sorted((SEALED.keys() | CLEAR.keys() | CODED) - set(free_text_columns()) - CHECKED)


CHECKED = frozenset({
    "referral.category", "significant_event.category", "access_request.category",
})  # fmt: skip


# Planting ------------------------------------------------------------------------------------------


class Planted:
    """Every marker that was planted, and every NHS number, which is its own marker."""

    def __init__(self) -> None:
        self.canaries: dict[str, Canary] = {}
        self._stems = iter(range(10_000, 99_999))

    def new(self, canary: Canary) -> str:
        """A marker that nobody could guess: letters and digits, so that no paper breaks it."""
        marker = "zq" + "".join(secrets.choice(_LETTERS) for _ in range(14))
        self.canaries[marker] = canary
        return marker

    def new_number(self, canary: Canary) -> str:
        """An NHS number of nobody's, in the range that is kept for examples."""
        stem = next(one for one in self._stems if check_digit(f"9991{one}") < 10)
        number = f"9991{stem}{check_digit(f'9991{stem}')}"
        self.canaries[number] = canary
        return number

    def found(self, text: str) -> set[str]:
        """The markers in a text."""
        found = {one.lower() for one in MARKER.findall(text)}
        found |= {one.replace(" ", "") for one in NHS_NUMBER.findall(text)}
        return found & self.canaries.keys()


_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_KEPT_EMPTY = {"discussion.text": "moved_away_at", "action.text": "moved_away_at"}
"""What was on the wrong child leaves nothing behind there."""


async def _plan_authors(session: AsyncSession) -> dict[UUID, UUID]:
    """Which agency wrote each plan, and with it each outcome and version of it."""
    authors = {plan.id: plan.author_agency_id for plan in await session.scalars(select(Plan))}
    for kind in (DesiredOutcome, PlanVersion):
        authors |= {part.id: authors[part.plan_id] for part in await session.scalars(select(kind))}
    return authors


async def look_around(session: AsyncSession) -> Around:
    """What the rules need to know of other rows."""
    around = Around()
    for worker in await session.scalars(select(Worker)):
        around.agency_of[worker.id] = worker.agency_id
    around.plan_author = await _plan_authors(session)
    for package in await session.scalars(select(Package)):
        around.package_author[package.id] = package.author_agency_id
    placed = await session.execute(
        select(OutsidePlacement.id, ServiceRequest.agency_id).join(
            ServiceRequest, ServiceRequest.id == OutsidePlacement.request_id
        )
    )
    around.asked_by.update((row[0], row[1]) for row in placed.all())
    for note in await session.scalars(select(FamilyNote)):
        around.notes[note.id] = note
    for copy in await session.scalars(select(NoteDelivery)):
        if copy.state in READABLE:
            known = around.readers.get(copy.note_id, NOBODY)
            around.readers[copy.note_id] = known | {copy.person_id}
    await _look_at_minutes(session, around)
    for one in await session.scalars(select(Assessment)):
        around.assessments[one.id] = one
    for document in await session.scalars(select(Document)):
        around.documents[document.id] = document
    for form in await session.scalars(select(Form)):
        around.forms[form.id] = msgspec.convert(form.definition, FormDefinition)
    for said in await session.scalars(select(ListLink)):
        around.may_be.setdefault(said.listed_child_id, set()).add(said.child_id)
    for link in await session.scalars(select(FamilyLink)):
        around.links.setdefault(link.family_member_id, []).append(link)
    return around


async def _look_at_minutes(session: AsyncSession, around: Around) -> None:
    for minutes in await session.scalars(select(ImpactMinutes)):
        around.minutes[minutes.id] = minutes
    for copy in await session.scalars(select(MinutesCopy).where(MinutesCopy.state == "open")):
        known = around.readers.get(copy.minutes_id, NOBODY)
        around.readers[copy.minutes_id] = known | {copy.person_id}


async def plant(tenant: Tenant, owner_url: str, planting: type[Planted] = Planted) -> Planted:
    """Put a marker of its own into every free text of every child, sealed with the child's key.

    What nobody may change once it is written is changed as the owner of the tables.
    """
    planted = planting()
    async with tenant.transaction(JOB) as session:
        around = await look_around(session)
        for model in tables():
            if model.__tablename__ not in {*ABOUT_NO_CHILD, UnusualPattern.__tablename__}:
                await _plant_table(session, model, around, planted)
        notes = await _pattern_notes(session, planted)
    with psycopg.connect(owner_url) as owner:
        table = sql.Identifier(tenant.record.schema_name, UnusualPattern.__tablename__)
        for row, note in notes.items():
            changed = owner.execute(
                sql.SQL("UPDATE {} SET note = %s WHERE id = %s").format(table), [note, row]
            )
            assert changed.rowcount == 1
    return planted


async def _pattern_notes(session: AsyncSession, planted: Planted) -> dict[UUID, bytes]:
    """The notes with which patterns are closed, marked and sealed with the agency's key."""
    rows = list(await session.scalars(select(UnusualPattern)))
    await load_keys(session, {row.agency_id for row in rows})
    keys: Keys = session.info[KEYS]
    where = "unusual_pattern.note"
    return {
        row.id: keys.seal(row.agency_id, where, row.id, planted.new(_pattern_note(row)))
        for row in rows
    }


async def _plant_table(
    session: AsyncSession, model: type[Base], around: Around, planted: Planted
) -> None:
    name = model.__tablename__
    rows = list(await session.scalars(select(model)))
    await load_keys(session, {_holder(row) for row in rows})
    keys: Keys = session.info[KEYS]
    table = cast("Table", model.__table__)
    for row in rows:
        changed: dict[str, Any] = {}
        for column in [one.name for one in table.columns]:
            where = f"{name}.{column}"
            rule = SEALED.get(where) or CLEAR.get(where)
            if rule is None or _stays_empty(where, row):
                continue
            canary = rule(row, around)
            if where in CLEAR:
                was = getattr(row, column) or ""
                changed[column] = f"{planted.new(canary)} {was}".strip()
            elif where == "document_content.sealed":
                text = f"{planted.new(canary)} written in the file\n".encode()
                changed[column] = keys.seal_bytes(row.child_id, CONTENT_FIELD, row.id, text)
            else:
                was = getattr(row, column)
                said = _said(where, was, row, around, canary, planted)
                changed[column] = keys.seal(_holder(row), where, row.id, said)
        if changed:
            await session.execute(
                update_rows(table).where(table.c.id == row.id).values(changed)
            )  # fmt: skip


def _holder(row: Any) -> UUID:
    if isinstance(row, FamilyAccess):
        return row.person_id
    return cast(
        "UUID", row.id if isinstance(row, Child | FamilyMember | ListedChild) else row.child_id
    )


def _stays_empty(where: str, row: Any) -> bool:
    sign = _KEPT_EMPTY.get(where)
    if where == "child.known_as":
        # Half of the children go by another name; of the others the given one is shown.
        return bool(row.id.int % 2)
    return sign is not None and getattr(row, sign) is not None


_SHAPES: Mapping[str, Callable[[str], object]] = {
    "family_note.kept": lambda mark: [{"kind": "name", "words": "x", "why": mark}],
    "impact_minutes.kept": lambda mark: [{"kind": "name", "words": "x", "why": mark}],
    "family_clearance.marked": lambda mark: [["name", mark]],
    "plan_version.content": lambda mark: {"summary": mark},
    "incident.seen": lambda mark: [mark],
    "quality_audit.comments": lambda mark: {"good": mark},
    "sender_version.body": lambda mark: {"resourceType": "Condition", "code": {"text": mark}},
    "access_file.pieces": lambda mark: [
        {
            "id": "action:x:text",
            "section": "Plans",
            "label": "Action: text",
            "day": "",
            "by": "",
            "text": mark,
            "category": "plan",
        }
    ],
}
"""What stands in columns that hold JSON."""


def _said(where: str, was: str, row: Any, around: Around, canary: Canary, planted: Planted) -> str:
    """What stands in a sealed column afterwards, in a form that the column can have."""
    if where == "child.nhs_number" and was:
        planted.canaries[was] = canary
        return was
    if where in ("former_identity.nhs_number", "listed_child.nhs_number"):
        return planted.new_number(canary)
    if where in ("family_member.email", "family_access.email"):
        return f"{planted.new(canary)}@families.example"
    if (shape := _SHAPES.get(where)) is not None:
        return msgspec.json.encode(shape(planted.new(canary))).decode()
    if where == "section_answer.answers":
        return _answered_with_marks(was, row, around, canary, planted)
    return f"{planted.new(canary)} {was}".strip()


def _answered_with_marks(
    was: str, row: Any, around: Around, canary: Canary, planted: Planted
) -> str:
    """A section's answers with a marker in each text, and in the first that nobody answered."""
    section = around.forms[around.assessments[row.assessment_id].form_id].section(row.section_key)
    assert section is not None, row.section_key
    said: dict[str, Any] = msgspec.json.decode(was) if was else {}
    for question in section.questions:
        if question.kind is Kind.NHS_NUMBER and said.get(question.key):
            said[question.key] = planted.new_number(canary)
            continue
        mark = planted.new(replace(canary, for_education=question.kind is Kind.UPN))
        if question.kind in _TYPED:
            said[question.key] = f"{mark} {said.get(question.key, '')}".strip()
        elif question.kind is Kind.ELEMENT:
            known = said.get(question.key) or {}
            texts = {part: f"{mark} {known.get(part, '')}" for part in ("strengths", "needs")}
            said[question.key] = known | texts
        elif question.kind in (Kind.PEOPLE, Kind.ROWS):
            rows = said.get(question.key) or [{}]
            said[question.key] = [_in_row(one, question.columns, mark) for one in rows]
    return msgspec.json.encode(said).decode()


_TYPED = frozenset({Kind.SHORT_TEXT, Kind.LONG_TEXT, Kind.UPN, Kind.TELEPHONE})


def _in_row(known: dict[str, Any], columns: Iterable[Question], mark: str) -> dict[str, Any]:
    texts = [one.key for one in columns if one.kind in (Kind.SHORT_TEXT, Kind.LONG_TEXT)]
    return known | {key: f"{mark} {known.get(key, '')}".strip() for key in texts}


def is_child_scoped(model: type[Base]) -> bool:
    """Whether a table's rows are each about one child."""
    return issubclass(model, ChildScoped)
