"""What is known and planned: needs, episodes, forms and their answers, plans, requests."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import msgspec

from consent import Category
from interop import systems
from interop.messages import (
    Action,
    Cell,
    Episode,
    Form,
    FormAnswers,
    FormChoice,
    FormQuestion,
    FormSection,
    Given,
    GivenSection,
    Message,
    Need,
    Outcome,
    Plan,
    Progress,
    Request,
)
from panel.assessments.service import (
    ChoicesFrom,
    FormDefinition,
    Group,
    Kind,
    Question,
    Section,
    SectionAnswers,
    Value,
    form_at_hand,
)
from panel.exchange.columns import Code, Identifier, Nothing, Refers, Times, Words, at, to
from panel.exchange.permitted import may
from panel.exchange.source import (
    ChildLine,
    ChildSource,
    Line,
    OpenSource,
    author,
    hex_of,
    listed,
    plain,
    text_of,
    texts,
)
from panel.exchange.sources_people import OF_THE_CHILD, OWN_CHANGED, OWN_FIELDS, OwnLine
from panel.platform.crypto import Keys
from panel.platform.read_models import sql
from panel.records.gate import Access
from panel.register.service import EDUCATION


class EpisodeRow(ChildLine):
    """A stay in the process."""

    author: UUID | None
    identified_on: date | None
    opened_on: date
    closed_on: date | None
    closure_reason: str | None
    agency_id: UUID | None


def _episode(row: EpisodeRow, access: Access) -> Message | None:
    if row.agency_id is None or not access.may(Category.PANEL, row.author):
        return None
    return Episode(
        id=str(row.id),
        child=str(row.child_id),
        changed_at=row.changed_at,
        opened_on=row.opened_on,
        identified_on=row.identified_on,
        closed_on=row.closed_on,
        closure_reason=row.closure_reason,
        agency=str(row.agency_id),
    )


_COUNCIL = "(SELECT a.id FROM agency a WHERE a.kind = 'council' ORDER BY a.id LIMIT 1)"

EPISODE_OF_CARE = ChildSource(
    resource="EpisodeOfCare",
    about=frozenset({Category.PANEL}),
    line=EpisodeRow,
    rows="episode r",
    where=f"{_COUNCIL} IS NOT NULL",
    fields=plain("identified_on", "opened_on", "closed_on", "closure_reason")
    + f", 'author', {author('r.created_by')}, 'agency_id', {_COUNCIL}",
    may_be_told=may("r.child_id", "'panel'", author("r.created_by")),
    columns={
        "patient": to("r.child_id"),
        "identifier": Nothing(),
        "status": Code("CASE WHEN r.closed_on IS NULL THEN 'active' ELSE 'finished' END"),
        "date": Times("r.opened_on", "r.closed_on", open_ended=True),
        "organization": to(_COUNCIL),
    },
    message=_episode,
)


class NeedRow(OwnLine):
    """A child's main need, and what was written of a disability."""

    primary_need: str | None
    disability: str | None


def _need(row: NeedRow, access: Access) -> Message | None:
    if not access.may(Category.HEALTH, row.author):
        return None
    written = access.open_text(
        row.disability, "child.disability", row.id, Category.HEALTH, row.author
    )
    return Need(
        id=str(row.id),
        child=str(row.child_id),
        changed_at=row.changed_for(access),
        code=row.primary_need,
        words=row.primary_need or "Disability",
        text=written or None,
    )


CONDITION = ChildSource(
    resource="Condition",
    about=frozenset(OF_THE_CHILD),
    changed_as_told=OWN_CHANGED,
    line=NeedRow,
    rows="child r",
    child_id="r.id",
    where="(r.primary_need IS NOT NULL OR r.disability IS NOT NULL)",
    fields=listed(plain("primary_need"), hex_of("disability"), OWN_FIELDS),
    may_be_told=may("r.id", "'health'", author("r.created_by")),
    columns={
        "patient": to("r.id"),
        "identifier": Nothing(),
        "code": Code("r.primary_need", systems.PRIMARY_NEED),
        "category": Code("ARRAY['problem-list-item', 'need']", any_of=True),
        "clinical_status": Code("'active'", systems.CONDITION_CLINICAL),
        "recorded_date": at("NULL::date"),
    },
    message=_need,
)


class FormRow(Line):
    """One version of a form."""

    definition: FormDefinition


def _question(one: Question) -> FormQuestion:
    return FormQuestion(
        key=one.key,
        label=one.label,
        kind=one.kind.value,
        choices=tuple(FormChoice(each.value, each.label) for each in one.choices),
        columns=tuple(map(_question, one.columns)),
    )


def _form(row: FormRow, _keys: Keys) -> Message:
    form = row.definition
    return Form(
        id=str(row.id),
        changed_at=row.changed_at,
        key=form.key,
        number=form.version,
        title=form.title,
        sections=tuple(
            FormSection(
                key=one.key,
                title=one.title,
                category=one.category.value,
                questions=tuple(map(_question, one.questions)),
            )
            for one in form.sections
        ),
    )


_FORM_ADDRESS = f"('{systems.form_address('')}' || {{form}}.key)"

QUESTIONNAIRE = OpenSource(
    resource="Questionnaire",
    line=FormRow,
    rows="form r",
    fields="'definition', r.definition",
    columns={
        "url": Words(_FORM_ADDRESS.format(form="r")),
        "name": Words("r.key"),
        "version": Code("r.number::text"),
        "status": Code("'active'"),
    },
    message=_form,
)


class SectionRow(msgspec.Struct):
    """One answered section."""

    id: UUID
    key: str
    category: Category
    author: UUID
    answers: str


class AnswersRow(ChildLine):
    """One signed-off filling of a form."""

    form_id: UUID
    author_id: UUID
    author_agency_id: UUID
    started_on: date
    signed_off_on: date | None
    sections: tuple[SectionRow, ...] | None
    ties: dict[str, str] | None
    """Of the family: who is named by their own id in an answer is told by that of their tie."""


_READ_ANSWERS = msgspec.json.Decoder(dict[str, Any])


def _cell(said: object) -> Cell:
    return tuple(map(str, said)) if isinstance(said, list) else str(said)


def _given(asked: Question, said: Value) -> Given:
    cell: Cell | None = None
    rows: tuple[Group, ...] = ()
    if isinstance(said, dict):
        rows = (said,)
    elif asked.columns:
        rows = tuple(one for one in said if isinstance(one, dict))
    else:
        cell = _cell(said)
    question = _question(asked)
    return Given(
        key=asked.key,
        label=asked.label,
        kind=asked.kind.value,
        cell=cell,
        rows=tuple(tuple((key, _cell(value)) for key, value in row.items()) for row in rows),
        choices=question.choices,
        columns=question.columns,
    )


def _by_tie(asked: Question, said: Value, ties: Mapping[str, str]) -> Value:
    """Who of the family was chosen, by the id by which they are a RelatedPerson."""
    if asked.choices_from is not ChoicesFrom.FAMILY or isinstance(said, dict):
        return said
    if isinstance(said, str):
        return ties.get(said, said)
    return [ties.get(one, one) for one in said if isinstance(one, str)]


def _section(row: SectionRow, of: Section, access: Access, ties: Mapping[str, str]) -> GivenSection:
    sealed = bytes.fromhex(row.answers)
    opened = access.keys.open(access.child_id, "section_answer.answers", row.id, sealed)
    said: SectionAnswers = _READ_ANSWERS.decode(opened)
    upn = access.viewer.agency_kind in EDUCATION
    return GivenSection(
        key=of.key,
        title=of.title,
        answers=tuple(
            _given(asked, _by_tie(asked, said[asked.key], ties))
            for asked in of.questions
            if asked.key in said and (upn or asked.kind is not Kind.UPN)
        ),
    )


def _answers(row: AnswersRow, access: Access) -> Message | None:
    form = form_at_hand(row.form_id)
    kept = {one.key: one for one in row.sections or ()}
    hidden = [one for one in kept.values() if not access.may(one.category, one.author)]
    shown = [
        _section(kept[section.key], section, access, row.ties or {})
        for section in form.sections
        if section.key in kept and kept[section.key] not in hidden
    ]
    if not shown:
        return None
    return FormAnswers(
        id=str(row.id),
        child=str(row.child_id),
        changed_at=row.changed_at,
        parts_withheld=bool(access.withheld_of(one.category for one in hidden)),
        form=str(row.form_id),
        form_key=form.key,
        form_number=form.version,
        title=form.title,
        signed_off=True,
        author=str(row.author_id),
        author_agency=str(row.author_agency_id),
        started_on=row.started_on,
        signed_off_on=row.signed_off_on,
        sections=tuple(shown),
    )


_AUTHOR = "COALESCE(s.author_agency_id, r.author_agency_id)"

QUESTIONNAIRE_RESPONSE = ChildSource(
    resource="QuestionnaireResponse",
    line=AnswersRow,
    forms=lambda row: (row.form_id,),
    rows="assessment r JOIN form f ON f.id = r.form_id",
    where="r.state = 'signed_off'",
    fields=listed(
        plain("form_id", "author_id", "author_agency_id", "started_on", "signed_off_on"),
        sql(
            """'sections', (SELECT json_agg(json_build_object('id', s.id, 'key', s.section_key,
      'category', s.category, 'author', {author}, 'answers', encode(s.answers, 'hex')))
    FROM section_answer s WHERE s.assessment_id = r.id AND s.answers IS NOT NULL),
  'ties', (SELECT json_object_agg(t.family_member_id, t.id) FROM family_link t
    WHERE t.child_id = r.child_id)""",
            author=_AUTHOR,
        ),
    ),
    may_be_told=sql(
        "EXISTS (SELECT FROM section_answer s WHERE s.assessment_id = r.id"
        " AND s.answers IS NOT NULL AND {may}"
        " AND EXISTS (SELECT FROM jsonb_array_elements(f.definition -> 'sections') d"
        " WHERE d ->> 'key' = s.section_key))",
        may=may("r.child_id", "s.category", _AUTHOR),
    ),
    columns={
        "patient": to("r.child_id"),
        "identifier": Nothing(),
        "questionnaire": Refers(
            "r.form_id = ANY({ids})",
            "false",
            canonical=(_FORM_ADDRESS.format(form="f"), "f.number::text"),
        ),
        "author": to("r.author_id"),
        "authored": at("r.signed_off_on"),
        "status": Code("'completed'"),
    },
    message=_answers,
)


class PlanRow(ChildLine):
    """A plan that was agreed once."""

    number: int
    state: Literal["draft", "agreed", "replaced", "ended"]
    summary: str | None
    started_on: date
    agreed_on: date | None
    replaced_on: date | None
    author_agency_id: UUID
    outcomes: tuple[UUID, ...] | None
    actions: tuple[UUID, ...] | None
    team: bool


def _plan(row: PlanRow, access: Access) -> Message | None:
    agency = row.author_agency_id
    if not access.may(Category.PLAN, agency):
        return None
    return Plan(
        id=str(row.id),
        child=str(row.child_id),
        changed_at=row.changed_at,
        number=row.number,
        state=row.state,
        summary=access.open_text(row.summary, "plan.summary", row.id, Category.PLAN, agency)
        or None,
        started_on=row.started_on,
        agreed_on=row.agreed_on,
        ended_on=row.replaced_on,
        author_agency=str(agency),
        outcomes=texts(row.outcomes),
        actions=texts(row.actions),
        has_team=row.team and access.may(Category.NETWORK),
    )


_TEAM_TOLD = (
    "(EXISTS (SELECT FROM involvement i WHERE i.child_id = r.child_id AND i.from_on IS NOT NULL)"
    " AND " + may("r.child_id", "'network'") + ")"
)
PLAN_STATUS = (
    "CASE r.state WHEN 'agreed' THEN 'active' WHEN 'replaced' THEN 'revoked' ELSE 'completed' END"
)

CARE_PLAN = ChildSource(
    resource="CarePlan",
    about=frozenset({Category.PLAN, Category.NETWORK}),
    line=PlanRow,
    rows="plan r",
    where="r.state <> 'draft'",
    fields=listed(
        plain("number", "state", "started_on", "agreed_on", "replaced_on", "author_agency_id"),
        hex_of("summary"),
        """'outcomes', (SELECT json_agg(o.id ORDER BY o.position, o.id) FROM desired_outcome o
     WHERE o.plan_id = r.id),
  'actions', (SELECT json_agg(t.id ORDER BY t.id) FROM action t
     WHERE t.plan_id = r.id AND t.moved_away_at IS NULL),
  'team', EXISTS (SELECT FROM involvement i WHERE i.child_id = r.child_id
     AND i.from_on IS NOT NULL)""",
    ),
    may_be_told=may("r.child_id", "'plan'", "r.author_agency_id"),
    columns={
        "patient": to("r.child_id"),
        "identifier": Nothing(),
        "status": Code(PLAN_STATUS),
        "category": Code("NULL::text"),
        "date": Times("r.started_on", "r.replaced_on", open_ended=True),
        "care_team": Refers(
            "(r.child_id = ANY({ids}) AND " + _TEAM_TOLD + ")", "NOT " + _TEAM_TOLD
        ),
        "goal": Refers(
            "EXISTS (SELECT FROM desired_outcome o WHERE o.plan_id = r.id AND o.id = ANY({ids}))",
            "NOT EXISTS (SELECT FROM desired_outcome o WHERE o.plan_id = r.id)",
        ),
        "activity_reference": Refers(
            "EXISTS (SELECT FROM action t WHERE t.plan_id = r.id AND t.moved_away_at IS NULL"
            " AND t.id = ANY({ids}))",
            "NOT EXISTS (SELECT FROM action t WHERE t.plan_id = r.id AND t.moved_away_at IS NULL)",
        ),
    },
    message=_plan,
)


class ProgressRow(msgspec.Struct):
    """Where things stood on a day."""

    id: UUID
    on: date
    value: int | None
    note: str | None


class OutcomeRow(ChildLine):
    """A desired outcome with its progress."""

    plan_id: UUID
    plan_author: UUID
    text: str | None
    measure: str | None
    state: Literal["working_towards", "reached", "stopped"]
    baseline: int | None
    target: int | None
    started_on: date | None
    progress: tuple[ProgressRow, ...] | None


def _outcome(row: OutcomeRow, access: Access) -> Message | None:
    agency = row.plan_author
    if not access.may(Category.PLAN, agency):
        return None

    def opened(sealed: str | None, field: str, of: UUID) -> str | None:
        return access.open_text(sealed, field, of, Category.PLAN, agency) or None

    return Outcome(
        id=str(row.id),
        child=str(row.child_id),
        changed_at=row.changed_at,
        plan=str(row.plan_id),
        text=opened(row.text, "desired_outcome.text", row.id) or "",
        measure=opened(row.measure, "desired_outcome.measure", row.id),
        state=row.state,
        baseline=row.baseline,
        target=row.target,
        started_on=row.started_on,
        progress=tuple(
            Progress(one.on, one.value, opened(one.note, "outcome_progress.note", one.id))
            for one in row.progress or ()
        ),
    )


GOAL = ChildSource(
    resource="Goal",
    about=frozenset({Category.PLAN}),
    line=OutcomeRow,
    rows="desired_outcome r JOIN plan p ON p.id = r.plan_id",
    where="p.state <> 'draft'",
    changed="GREATEST(r.changed_at,"
    " (SELECT max(g.changed_at) FROM outcome_progress g WHERE g.outcome_id = r.id))",
    fields=listed(
        plain("plan_id", "state", "baseline", "target"),
        hex_of("text", "measure"),
        """'plan_author', p.author_agency_id, 'started_on', p.agreed_on,
  'progress', (SELECT json_agg(json_build_object('id', g.id, 'on', g.on, 'value', g.value,
      'note', encode(g.note, 'hex')) ORDER BY g.on, g.id)
    FROM outcome_progress g WHERE g.outcome_id = r.id)""",
    ),
    may_be_told=may("r.child_id", "'plan'", "p.author_agency_id"),
    columns={
        "patient": to("r.child_id"),
        "identifier": Nothing(),
        "lifecycle_status": Code(
            "CASE r.state WHEN 'working_towards' THEN 'active'"
            " WHEN 'reached' THEN 'completed' ELSE 'cancelled' END"
        ),
        "start_date": at("p.agreed_on"),
    },
    message=_outcome,
)


class ActionRow(ChildLine):
    """Who does what by when."""

    plan_id: UUID | None
    plan_author: UUID | None
    outcome_id: UUID | None
    text: str | None
    state: Literal["to_do", "doing", "done", "dropped"]
    owner_worker_id: UUID | None
    owner_words: str | None
    asked_on: date
    due_on: date | None
    done_on: date | None
    note: str | None


def _action(row: ActionRow, access: Access) -> Message | None:
    agency = row.plan_author
    if not access.may(Category.PLAN, agency):
        return None

    def opened(column: str) -> str | None:
        sealed = getattr(row, column)
        return access.open_text(sealed, f"action.{column}", row.id, Category.PLAN, agency) or None

    return Action(
        id=str(row.id),
        child=str(row.child_id),
        changed_at=row.changed_at,
        text=opened("text") or "",
        state=row.state,
        plan=text_of(row.plan_id),
        outcome=text_of(row.outcome_id),
        owner=text_of(row.owner_worker_id),
        owner_words=opened("owner_words"),
        asked_on=row.asked_on,
        due_on=row.due_on,
        done_on=row.done_on,
        note=opened("note"),
    )


TASK = ChildSource(
    resource="Task",
    about=frozenset({Category.PLAN}),
    line=ActionRow,
    rows="action r LEFT JOIN plan p ON p.id = r.plan_id",
    where="r.moved_away_at IS NULL AND (p.id IS NULL OR p.state <> 'draft')",
    fields=plain("plan_id", "outcome_id", "state", "owner_worker_id", "due_on", "done_on")
    + ", "
    + hex_of("text", "owner_words", "note")
    + ", 'plan_author', p.author_agency_id,"
    " 'asked_on', (r.created_at AT TIME ZONE 'Europe/London')::date",
    may_be_told=may("r.child_id", "'plan'", "p.author_agency_id"),
    columns={
        "patient": to("r.child_id"),
        "identifier": Nothing(),
        "status": Code(
            "CASE r.state WHEN 'to_do' THEN 'requested' WHEN 'doing' THEN 'in-progress'"
            " WHEN 'done' THEN 'completed' ELSE 'cancelled' END"
        ),
        "owner": to("r.owner_worker_id"),
        "based_on": to("r.plan_id"),
        "focus": to("r.outcome_id"),
        "authored_on": at("(r.created_at AT TIME ZONE 'Europe/London')::date"),
        "modified": at("r.changed_at"),
    },
    message=_action,
)


class RequestRow(ChildLine):
    """A request that was sent."""

    reference: str
    state: str
    legal_basis: str | None
    category: Category
    need: str | None
    need_code: str | None
    outcome: str | None
    asked_for: str | None
    service_id: UUID | None
    asked_units: Decimal | None
    unit: str | None
    urgency: str
    agency_id: UUID
    sent_on: date | None
    sent_by: UUID | None


def _request(row: RequestRow, access: Access) -> Message | None:
    if not access.may(row.category, row.agency_id):
        return None

    def opened(column: str) -> str | None:
        sealed = getattr(row, column)
        field = f"service_request.{column}"
        return access.open_text(sealed, field, row.id, row.category, row.agency_id) or None

    return Request(
        id=str(row.id),
        child=str(row.child_id),
        changed_at=row.changed_at,
        reference=row.reference,
        state=row.state,
        legal_basis=row.legal_basis,
        need=opened("need"),
        need_code=row.need_code,
        outcome=opened("outcome"),
        asked_for=opened("asked_for"),
        service=text_of(row.service_id),
        units=row.asked_units,
        unit=row.unit,
        urgency=row.urgency,
        category=row.category,
        agency=str(row.agency_id),
        sent_on=row.sent_on,
        sent_by=text_of(row.sent_by),
    )


SERVICE_REQUEST = ChildSource(
    resource="ServiceRequest",
    line=RequestRow,
    rows="service_request r",
    where="r.state <> 'draft' AND r.sent_on IS NOT NULL",
    fields=plain(
        "reference", "state", "legal_basis", "category", "need_code", "service_id", "unit",
        "urgency", "agency_id", "sent_on", "sent_by",
    )
    + ", 'asked_units', r.asked_units::text, "
    + hex_of("need", "outcome", "asked_for"),
    may_be_told=may("r.child_id", "r.category", "r.agency_id"),
    columns={
        "patient": to("r.child_id"),
        "identifier": Identifier(
            of=((systems.REQUEST_REFERENCE, "r.reference = ANY({values})"),), missing="false"
        ),
        "status": Code(
            "CASE r.state WHEN 'sent' THEN 'active' WHEN 'decided' THEN 'completed'"
            " ELSE 'revoked' END"
        ),
        "authored": at("r.sent_on"),
        "requester": to("COALESCE(r.sent_by, r.agency_id)"),
    },
    message=_request,
)  # fmt: skip
