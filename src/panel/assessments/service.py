"""Filling in assessments: start, save as typed, agree, sign off; later versions and imports.

Every step takes an open `Access` and works in its transaction. Reading is in `reading`; other
rooms come in through here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Capacity, Category, Finding, Level, Purpose, Tie
from panel.accounts.models import Worker
from panel.accounts.service import worker_names
from panel.assessments.clocks import clock_on, end_stops
from panel.assessments.definitions import (
    ChoicesFrom,
    FormDefinition,
    Group,
    Kind,
    Question,
    Section,
    SectionAnswers,
    Step,
    Value,
    built_in_forms,
    encode_form,
)
from panel.assessments.limits import LateReason
from panel.assessments.models import Assessment, Form, FormState, SectionAnswer
from panel.assessments.pages import clashes
from panel.assessments.reading import (
    CAF,
    AssessmentFacts,
    AssessmentLine,
    AssessmentReading,
    AssessmentRecord,
    SectionReading,
    assessment_for_reading,
    assessment_lines,
    assessment_options,
    child_words,
    current_assessment_facts,
    form_at_hand,
    form_of,
    latest_signed_off,
    load_forms,
    may_write,
    read_assessment,
    visible_section,
)
from panel.assessments.rules import (
    SignOff,
    carry_forward,
    check_section,
    may_sign_off,
    missing_answers,
    section_state,
    visible_answers,
)
from panel.platform.clock import day_of
from panel.platform.ids import new_id
from panel.platform.problems import Clash, Conflict, FieldError, Invalid, NotAllowed, NotFound
from panel.platform.tables import made_now, today_of
from panel.records.gate import NOT_HERE, Access
from panel.register.service import child_header
from panel.sharing.service import (
    Recorded,
    SharingAgreement,
    SharingDecision,
    agreement_of_assessment,
    live_agreements,
    record_agreement,
    replace_agreement,
)
from panel.sharing.systems import SYSTEM, agencies_of_systems

__all__ = [
    "CAF",
    "AssessmentFacts",
    "AssessmentLine",
    "AssessmentReading",
    "AssessmentRecord",
    "ChoicesFrom",
    "FormDefinition",
    "Group",
    "Kind",
    "Question",
    "Saved",
    "Section",
    "SectionAnswers",
    "SectionReading",
    "Value",
    "assessment_for_reading",
    "assessment_lines",
    "assessment_options",
    "child_words",
    "current_assessment_facts",
    "ensure_forms",
    "form_at_hand",
    "forms_to_start",
    "import_assessment",
    "latest_signed_off",
    "load_forms",
    "look_at_section",
    "may_write",
    "read_assessment",
    "save_section",
    "settle_agreement",
    "sign_off",
    "sign_off_standing",
    "start_assessment",
    "visible_section",
]

_CAPACITIES = {
    "parental_responsibility": Capacity.PARENTAL_RESPONSIBILITY,
    "competent_child": Capacity.SELF,
    "young_person": Capacity.SELF,
    "adult": Capacity.SELF,
    "best_interests": Capacity.BEST_INTERESTS,
    "deputy_or_attorney": Capacity.DEPUTY,
}
_JUDGED = {
    "competent_child": frozenset({Finding.COMPETENT}),
    "best_interests": frozenset({Finding.LACKS_CAPACITY, Finding.BEST_INTERESTS}),
}
# What was stored was checked on its way in; msgspec cannot tell the kinds of an answer apart.
_READ_ANSWERS: msgspec.json.Decoder[Any] = msgspec.json.Decoder(dict)


@dataclass(frozen=True, slots=True)
class Saved:
    """One section, saved: the version to write on from, and when."""

    version: int
    saved_at: datetime


async def ensure_forms(
    session: AsyncSession, forms: Iterable[FormDefinition] | None = None
) -> dict[str, UUID]:
    """Have every version of the forms that come with Panel stored; key → the id to start on.

    That is the newest published version, whoever made it. Repeatable; a version that is stored
    already never changes, and one that the authority has under the same number stays its own.
    """
    known = tuple(forms) if forms is not None else built_in_forms()
    stored = {(row.key, row.number) for row in await session.execute(select(Form.key, Form.number))}
    for form in known:
        if (form.key, form.version) in stored:
            continue
        await session.execute(
            insert(Form)
            .values(
                id=new_id(),
                key=form.key,
                number=form.version,
                title=form.title,
                definition=msgspec.json.decode(encode_form(form)),
                state=FormState.PUBLISHED.value,
                **made_now(session.info),
                version=1,
            )
            .on_conflict_do_nothing()
        )
    rows = await session.execute(
        select(Form.key, Form.id)
        .where(Form.state == FormState.PUBLISHED.value)
        .order_by(Form.number)
    )
    return {row.key: row.id for row in rows}


async def forms_to_start(session: AsyncSession) -> list[tuple[str, str]]:
    """The key and title of each form that may be started, the CAF first, then by title."""
    await ensure_forms(session)
    rows = await session.execute(
        select(Form.key, Form.title)
        .where(Form.state == FormState.PUBLISHED.value)
        .order_by(Form.number)
    )
    titles = {row.key: row.title for row in rows}
    return sorted(titles.items(), key=lambda one: (one[0] != CAF, one[1]))


async def start_assessment(
    access: Access, form_key: str = CAF, referred_on: date | None = None
) -> UUID:
    """A new assessment by the viewer; the draft that there is already, where there is one.

    `referred_on` is the day of the referral that it answers, from which its time may run.

    What was said in the latest version, and may be seen, is carried forward, each section staying
    the record of the agency that wrote it. Raises NotAllowed for somebody outside the team,
    Invalid for a referral in the future.
    """
    author = _require_writer(access)
    await _one_at_a_time(access)
    draft = await access.session.scalar(
        select(Assessment.id).where(
            Assessment.child_id == access.child_id,
            Assessment.form_key == form_key,
            Assessment.state == "draft",
        )
    )
    if draft is not None:
        return draft
    if referred_on is not None and referred_on > access.today:
        raise Invalid.because("referred_on", "The day of the referral cannot be in the future")
    form_id = await _newest(access.session, form_key)
    former = await _former(access, form_key)
    made = Assessment(
        child_id=access.child_id,
        form_id=form_id,
        form_key=form_key,
        number=await _next_number(access.session, access.child_id, form_key),
        author_id=access.viewer.id,
        author_agency_id=author,
        started_on=access.today,
        referred_on=referred_on,
    )
    access.session.add(made)
    await access.session.flush()
    if former is not None:
        _carry(access, former, await form_of(access.session, form_id), made.id)
        await access.session.flush()
    return made.id


async def look_at_section(access: Access, record: AssessmentRecord, section: Section) -> int:
    """Note that a section of a draft was opened; its version. Opening it again changes nothing."""
    if section.key in record.sections or not (record.is_draft and may_write(access)):
        return record.section_version(section.key)
    await _have_row(access, record.id, section)
    # Somebody else may have opened it, and written in it, in the same moment.
    found = await access.session.scalar(
        select(SectionAnswer.version).where(
            SectionAnswer.assessment_id == record.id, SectionAnswer.section_key == section.key
        )
    )
    return found or 0


async def save_section(
    access: Access,
    assessment_id: UUID,
    section_key: str,
    answers: SectionAnswers,
    version_read: int,
) -> Saved:
    """Keep what was said in one section, complete or not.

    `version_read` is the version of the section that the answers were made from; 0 for one in
    which nobody had said anything. Raises Conflict with both texts where somebody else saved in
    between, Invalid for answers that cannot be kept, NotAllowed for who may not write or see the
    section.
    """
    agency = _require_writer(access)
    await _draft(access, assessment_id)
    record = await read_assessment(access, assessment_id)
    section = _section(record, section_key)
    problems = check_section(section, answers, record.form.views)
    if problems:
        raise Invalid(tuple(FieldError(each.field, each.message) for each in problems))
    await _have_row(access, assessment_id, section)
    row = (
        await access.session.scalars(
            select(SectionAnswer)
            .where(
                SectionAnswer.assessment_id == assessment_id,
                SectionAnswer.section_key == section_key,
            )
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).one()
    theirs = _read_answers(row)
    asked = {question.key for question in section.questions}
    kept = answers | {key: said for key, said in theirs.items() if key not in asked}
    # Opening a section is no change of it: who saw nothing yet has read what is there.
    is_first = version_read == 0 and row.saved_at is None
    if row.version != version_read and not is_first:
        if row.saved_at is not None and kept == theirs:
            # The same words sent again, after an answer that never arrived.
            return Saved(row.version, row.saved_at)
        raise await _conflict(access, record, section, answers, theirs, row)
    row.answers = msgspec.json.encode(kept).decode() if kept else ""
    row.state = section_state(section, answers, frozenset({section_key})).value
    row.saved_at = access.at
    if kept and row.author_agency_id is None:
        row.author_agency_id = agency
    await access.session.flush()
    return Saved(row.version, access.at)


async def settle_agreement(access: Access, assessment_id: UUID) -> Recorded | None:
    """Record what the agreement step says; None where it is not complete or is recorded already.

    Said differently in the same assessment, the earlier word is withdrawn and the new one stands.
    One that the family withdrew comes back only by a new conversation. Raises Invalid where the
    person may not decide.
    """
    record = await read_assessment(access, assessment_id)
    section = next((s for s in record.form.sections if s.step is Step.AGREEMENT), None)
    if section is None or section.key in record.withheld:
        return None
    answers = record.section_answers(section.key)
    if not answers or missing_answers(section, answers):
        return None
    decision = _decision(assessment_id, section, answers)
    former = await agreement_of_assessment(access, assessment_id)
    if former is not None:
        if _is_recorded(former, decision):
            return None
        if former.by_person_id == decision.by_person:
            await replace_agreement(access, former.id)
    recorded = await record_agreement(access, decision)
    if decision.given and visible_answers(section, answers).get("systems") == "no":
        await _end_systems(access, decision)
    return recorded


async def _end_systems(access: Access, decision: SharingDecision) -> None:
    """Somebody who was asked about the agencies' systems said no: an earlier yes does not go on."""
    live = await live_agreements(access)
    agreed = agencies_of_systems(live) & decision.agencies
    theirs = agreed & agencies_of_systems(
        row for row in live if row.by_person_id != decision.by_person
    )
    no = replace(
        decision,
        given=False,
        not_agencies=frozenset[UUID](),
        level=None,
        named=frozenset[Category](),
        purposes=SYSTEM,
        until_on=None,
        # The assessment's word is the yes; this one stands beside it.
        assessment_id=None,
    )
    # What nobody else agreed to ends at once, though what somebody did has to be decided.
    for agencies in (agreed - theirs, theirs):
        if agencies:
            await record_agreement(access, replace(no, agencies=agencies))


async def sign_off_standing(access: Access, record: AssessmentRecord) -> SignOff:
    """Whether the viewer may sign this version off now, and if not, why."""
    standing = may_sign_off(
        record.version,
        record.looked_at,
        signer=access.viewer.id,
        assessor=record.author_id,
        lead_professional=access.viewer.id if Tie.LEAD in access.ties else None,
        signed_off_on=record.signed_off_on,
    )
    if not any(not why.silent for why in record.withheld.values()):
        return standing
    unseen = "You cannot see all of it, so you cannot sign it off. Its assessor can."
    return SignOff(permitted=False, reasons=(*standing.reasons, unseen))


async def sign_off(
    access: Access,
    assessment_id: UUID,
    answers_number: int,
    late_reason: LateReason | None = None,
) -> None:
    """Sign an assessment off, by its assessor or the lead professional; it never changes again.

    After its day it needs the reason why it is late; a clock that stood still has run then.

    `answers_number` is that of the answers that were checked. Raises Conflict where they changed
    since, Invalid with every reason against it.
    """
    _require_writer(access)
    assessment = await _draft(access, assessment_id)
    record = await read_assessment(access, assessment_id)
    if record.answers_number != answers_number:
        raise Conflict((Clash("The answers", "as you checked them", "changed since"),))
    standing = await sign_off_standing(access, record)
    if not standing.permitted:
        child = child_words(await child_header(access))
        reasons = (reason.replace("{child}", child) for reason in standing.reasons)
        raise Invalid(tuple(FieldError("", reason) for reason in reasons))
    clock = await clock_on(access, record)
    is_late = clock is not None and clock.is_late
    if is_late and late_reason is None:
        raise Invalid.because("late_reason", "It is after its day: say why it is late")
    await end_stops(access, assessment_id)
    await settle_agreement(access, assessment_id)
    assessment.late_reason = late_reason.value if is_late and late_reason else None
    assessment.state = "signed_off"
    assessment.signed_off_on = access.today
    assessment.signed_off_by = access.viewer.id
    await access.session.flush()


async def import_assessment(
    session: AsyncSession,
    child_id: UUID,
    *,
    signed_on: date,
    by_worker: UUID,
    document_id: UUID | None = None,
    started_on: date | None = None,
    form_key: str = CAF,
) -> UUID:
    """An assessment made elsewhere, as signed off on a day, with its document if there is one.

    Repeatable: the same form signed on the same day is the same assessment, to which a document
    that was missing is added. Raises Invalid for a day in the future or an unknown worker.
    """
    if signed_on > today_of(session):
        raise Invalid.because("signed_on", "The assessment was signed in the future")
    agency = await session.scalar(select(Worker.agency_id).where(Worker.id == by_worker))
    if agency is None:
        raise Invalid.because("by_worker", "There is no such worker")
    known = await session.scalar(
        select(Assessment).where(
            Assessment.child_id == child_id,
            Assessment.form_key == form_key,
            Assessment.signed_off_on == signed_on,
        )
    )
    if known is not None:
        known.document_id = known.document_id or document_id
        await session.flush()
        return known.id
    forms = await ensure_forms(session)
    if form_key not in forms:
        raise Invalid.because("form_key", f"There is no form called “{form_key}”")
    made = Assessment(
        child_id=child_id,
        form_id=forms[form_key],
        form_key=form_key,
        number=await _next_number(session, child_id, form_key),
        state="signed_off",
        author_id=by_worker,
        author_agency_id=agency,
        started_on=started_on or signed_on,
        signed_off_on=signed_on,
        signed_off_by=by_worker,
        document_id=document_id,
    )
    session.add(made)
    await session.flush()
    return made.id


def _require_writer(access: Access) -> UUID:
    """The viewer's agency; raises NotAllowed for somebody who does not work with the child."""
    access.require_write()
    if not may_write(access) or access.viewer.agency is None:
        raise NotAllowed(
            "You can read this assessment. Only the child's team fills it in.",
            "Ask the lead professional to make the change.",
        )
    return access.viewer.agency


async def _one_at_a_time(access: Access) -> None:
    """Two who start an assessment of one child at once: the second finds the first one's draft."""
    await access.session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:child, 1))"),
        {"child": str(access.child_id)},
    )


async def _newest(session: AsyncSession, form_key: str) -> UUID:
    forms = await ensure_forms(session)
    if form_key not in forms:
        raise NotFound("There is no such form to start.")
    return forms[form_key]


async def _next_number(session: AsyncSession, child_id: UUID, form_key: str) -> int:
    found = await session.scalar(
        select(func.max(Assessment.number)).where(
            Assessment.child_id == child_id, Assessment.form_key == form_key
        )
    )
    return (found or 0) + 1


async def _former(access: Access, form_key: str) -> AssessmentRecord | None:
    found = await access.session.scalar(
        select(Assessment.id)
        .where(
            Assessment.child_id == access.child_id,
            Assessment.form_key == form_key,
            Assessment.state == "signed_off",
        )
        .order_by(Assessment.number.desc())
        .limit(1)
    )
    return None if found is None else await read_assessment(access, found)


def _carry(
    access: Access, former: AssessmentRecord, form: FormDefinition, assessment_id: UUID
) -> None:
    for key, answers in carry_forward(former.answers, form).items():
        section = form.section(key)
        if section is None:
            continue
        access.session.add(
            SectionAnswer(
                child_id=access.child_id,
                assessment_id=assessment_id,
                section_key=key,
                category=section.category.value,
                author_agency_id=former.sections[key].author_agency,
                state=section_state(section, answers, frozenset()).value,
                answers=msgspec.json.encode(answers).decode(),
                saved_at=former.sections[key].saved_at,
            )
        )


async def _have_row(access: Access, assessment_id: UUID, section: Section) -> None:
    """Have the row of a section, opened and empty, however many open it at once."""
    await access.session.execute(
        insert(SectionAnswer)
        .values(
            id=new_id(),
            child_id=access.child_id,
            assessment_id=assessment_id,
            section_key=section.key,
            category=section.category.value,
            state="looked_at",
            created_at=access.at,
            created_by=access.viewer.id,
            changed_at=access.at,
            changed_by=access.viewer.id,
            version=1,
        )
        .on_conflict_do_nothing(index_elements=["assessment_id", "section_key"])
    )


async def _draft(access: Access, assessment_id: UUID) -> Assessment:
    """The assessment, locked against being signed off meanwhile. Raises NotFound, NotAllowed."""
    found = await access.session.scalar(
        select(Assessment)
        .where(Assessment.id == assessment_id, Assessment.child_id == access.child_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound(NOT_HERE)
    if found.state != "draft":
        raise NotAllowed(
            "This version is signed off, so it stays as it is.",
            "Start a new version to change something.",
        )
    return found


def _section(record: AssessmentRecord, key: str) -> Section:
    section = record.form.section(key)
    if section is None:
        raise NotFound("This assessment has no such part.")
    return visible_section(record, section.slug)


def _read_answers(row: SectionAnswer) -> SectionAnswers:
    return _READ_ANSWERS.decode(row.answers) if row.answers else {}


async def _conflict(
    access: Access,
    record: AssessmentRecord,
    section: Section,
    mine: SectionAnswers,
    theirs: SectionAnswers,
    row: SectionAnswer,
) -> Conflict:
    asked = {question.key for question in section.questions}
    seen: SectionAnswers = {key: said for key, said in theirs.items() if key in asked}
    options = await assessment_options(access)
    child = child_words(await child_header(access))
    names = await worker_names(access.session, [row.changed_by])
    return Conflict(
        clashes(record.form, section, mine, seen, options, child=child),
        theirs_by=names.get(row.changed_by, ""),
    )


def _decision(assessment_id: UUID, section: Section, answers: SectionAnswers) -> SharingDecision:
    """The agreement step's answers as a decision about sharing."""
    said = visible_answers(section, answers)
    given = said.get("store") == "yes" and said.get("share") == "yes"
    capacity = str(said.get("capacity"))
    interpreter = str(said.get("interpreter_name", ""))
    explained = [_label(section, "how_explained", value) for value in _list(said, "how_explained")]
    if interpreter:
        explained.append(f"Interpreter or signer: {interpreter}")
    level = said.get("level")
    return SharingDecision(
        by_person=UUID(str(said.get("agreed_by"))),
        capacity=_CAPACITIES[capacity],
        given=given,
        agreed_on=date.fromisoformat(str(said.get("agreed_on"))),
        agencies=_ids(said, "share_with") if given else frozenset(),
        not_agencies=_ids(said, "not_share_with") if given else frozenset(),
        level=Level(str(level)) if given and level else None,
        named=frozenset(Category(value) for value in _list(said, "named_categories"))
        if given
        else frozenset(),
        purposes=_purposes(said) if given else frozenset(),
        from_on=_date(said, "from") if given else None,
        until_on=_date(said, "until") if given else None,
        how_explained=". ".join(explained),
        evidence=str(said.get("capacity_reason", "")),
        interpreter="yes" if said.get("interpreter_used") == "yes" else None,
        judged=_JUDGED.get(capacity, frozenset()),
        assessment_id=assessment_id,
    )


def _is_recorded(row: SharingAgreement, decision: SharingDecision) -> bool:
    """Whether a row is this very decision; one that was withdrawn since is, too."""
    starts = decision.from_on or decision.agreed_on
    # Where an objection was open, sharing starts on the day it was recorded instead.
    began = {starts, day_of(row.created_at)}
    return row.from_on in began and (
        row.by_person_id,
        row.given,
        frozenset(row.agencies),
        frozenset(row.not_agencies) | frozenset(row.objected or ()),
        row.level,
        frozenset(row.named),
        frozenset(row.purposes),
        row.until_on,
        row.how_explained,
        row.evidence,
    ) == (
        decision.by_person,
        decision.given,
        decision.agencies,
        decision.not_agencies,
        decision.level,
        decision.named,
        decision.purposes,
        decision.until_on,
        decision.how_explained,
        decision.evidence,
    )


def _purposes(said: Mapping[str, object]) -> frozenset[Purpose]:
    """What it may be used for; the agencies' systems get it only where that was asked (version 2).

    Who answered version 1 was not asked, and that is no yes.
    """
    for_people = frozenset(Purpose(value) for value in _list(said, "purposes"))
    return for_people | SYSTEM if said.get("systems") == "yes" else for_people


def _list(said: Mapping[str, object], key: str) -> list[str]:
    value = said.get(key)
    return [str(part) for part in value] if isinstance(value, list) else []


def _ids(said: Mapping[str, object], key: str) -> frozenset[UUID]:
    return frozenset(UUID(value) for value in _list(said, key))


def _date(said: Mapping[str, object], key: str) -> date | None:
    value = said.get(key)
    return date.fromisoformat(value) if isinstance(value, str) else None


def _label(section: Section, key: str, value: str) -> str:
    question = section.question(key)
    choices = question.choices if question is not None else ()
    return next((choice.label for choice in choices if choice.value == value), value)
