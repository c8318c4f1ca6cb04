"""Drawing samples of signed-off assessments, auditing what was drawn, and answering an audit.

A sample is drawn among the assessments of children whom whoever draws may reach. Reading one is
reading the child's record: through the gate, for the purpose that the auditor has there anyway. An
audit gives nobody anything to read that they could not read before (ADR 57).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from secrets import token_hex
from uuid import UUID

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Role, Viewer
from panel.accounts.models import Agency, Worker
from panel.accounts.telling import tell_worker
from panel.assessments.definitions import Kind, SectionAnswers
from panel.assessments.models import Assessment
from panel.assessments.rules import missing_answers
from panel.casework.quality_form import newest_number, questions_of
from panel.casework.quality_models import QualityAudit, QualitySample
from panel.casework.quality_rules import (
    MOST_DRAWN,
    Candidate,
    draw,
    overlap_words,
    wrong_period,
)
from panel.platform.problems import Clash, Conflict, FieldError, Invalid, NotAllowed, NotFound
from panel.platform.read_models import rows_of
from panel.platform.tables import NOW, today_of
from panel.platform.tenancy import load_keys
from panel.records.gate import Access

OF_EVERY_AGENCY = frozenset({Role.COORDINATOR, Role.CHAIR})
"""Who draws from the assessments of any agency, as far as they reach the children."""
AUDITS = OF_EVERY_AGENCY | {Role.MANAGER}
"""Who draws and audits; a manager of their own agency's assessments."""
WRITES = AUDITS | {Role.PRACTITIONER, Role.PANEL_MEMBER}
"""Who may have written an assessment, and so reads what was said of it."""
AUDITED = "audited"
"""The kind of e-mail to whoever wrote an assessment that was audited."""
NO_AUDIT = "There is no audit here that you can see."
LONGEST_ANSWER = 2_000
_SEED_BYTES = 16

_FRAME = """
SELECT s.id, s.child_id, s.form_key, s.author_id FROM child_access a
  JOIN assessment s ON s.child_id = a.child_id
WHERE a.viewer_id = %(viewer)s AND a.valid_from <= %(now)s AND a.valid_until >= %(now)s
  AND s.state = 'signed_off' AND s.document_id IS NULL AND s.author_agency_id = %(agency)s
  AND s.signed_off_on BETWEEN %(first)s AND %(last)s
  AND %(viewer)s NOT IN (s.author_id, s.signed_off_by)
  AND NOT EXISTS (SELECT FROM processing_restriction x WHERE x.child_id = s.child_id
                   AND x.ended_on IS NULL AND x.from_on <= %(today)s)
"""


@dataclass(frozen=True, slots=True)
class NewSample:
    """What a sample is drawn of: an agency, days of sign-off, and how many."""

    agency_id: UUID
    from_on: date
    until_on: date
    asked: int


@dataclass(frozen=True, slots=True)
class DrawnLine:
    """One assessment of a sample in a list: process facts, no child."""

    id: UUID
    child_id: UUID
    title: str
    signed_off_on: date
    author_id: UUID
    state: str


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One audit with what was said in it, as far as it may be seen."""

    row: QualityAudit
    assessment: Assessment
    comments: dict[str, str] | None
    """By question; None where they are not shown."""
    author_words: str | None


async def frame_of(session: AsyncSession, viewer: Viewer, new: NewSample) -> list[Candidate]:
    """The assessments that are drawn from: not the viewer’s own, none that is restricted."""
    given = {
        "viewer": viewer.id,
        "now": session.info[NOW],
        "today": today_of(session),
        "agency": new.agency_id,
        "first": new.from_on,
        "last": new.until_on,
    }
    return [Candidate(*row) for row in await rows_of(session, _FRAME, given, prepared=False)]


def _wrong(viewer: Viewer, new: NewSample, today: date) -> list[FieldError]:
    wrong = []
    if not viewer.roles & OF_EVERY_AGENCY and new.agency_id != viewer.agency:
        wrong.append(FieldError("agency", "Select your own agency: you audit its assessments"))
    if words := wrong_period(new.from_on, new.until_on, today):
        wrong.append(FieldError("until_on", words))
    if not 1 <= new.asked <= MOST_DRAWN:
        wrong.append(FieldError("asked", f"Enter a number from 1 to {MOST_DRAWN}"))
    return wrong


async def draw_sample(
    session: AsyncSession, viewer: Viewer, new: NewSample, seed: str = ""
) -> QualitySample:
    """Draw assessments by chance and keep what they were drawn with; no `seed`: one is made.

    Raises NotAllowed, and Invalid for an agency of others, days that were drawn from already, or
    where there is nothing to draw.
    """
    if not viewer.roles & AUDITS:
        raise NotAllowed("Samples are drawn by coordinators, chairs and managers.")
    if mistakes := _wrong(viewer, new, today_of(session)):
        raise Invalid(tuple(mistakes))
    # One draw of an agency at a time: two at once could both find its days free.
    locked = "SELECT pg_advisory_xact_lock(hashtextextended('quality ' || :agency, 0))"
    await session.execute(text(locked), {"agency": str(new.agency_id)})
    if await session.get(Agency, new.agency_id) is None:
        raise Invalid.because("agency", "Select an agency from the list")
    earlier = await session.scalar(
        select(QualitySample)
        .where(
            QualitySample.agency_id == new.agency_id,
            QualitySample.from_on <= new.until_on,
            QualitySample.until_on >= new.from_on,
        )
        .limit(1)
    )
    if earlier is not None:
        raise Invalid.because("from_on", overlap_words(earlier.from_on, earlier.until_on))
    frame = await frame_of(session, viewer, new)
    if not frame:
        raise Invalid.because(
            "agency", "No assessment of this agency that you may see was signed off on those days"
        )
    return await _keep(session, new, frame, seed or token_hex(_SEED_BYTES))


async def _keep(
    session: AsyncSession, new: NewSample, frame: Sequence[Candidate], seed: str
) -> QualitySample:
    drawn = draw(frame, new.asked, seed)
    sample = QualitySample(
        agency_id=new.agency_id,
        from_on=new.from_on,
        until_on=new.until_on,
        seed=seed,
        asked=new.asked,
        frame=len(frame),
        drawn=len(drawn),
    )
    session.add(sample)
    await session.flush()
    session.add_all(
        QualityAudit(
            child_id=one.child_id,
            sample_id=sample.id,
            assessment_id=one.id,
            author_id=one.author_id,
            agency_id=new.agency_id,
            form_number=newest_number(),
        )
        for one in drawn
    )
    await session.flush()
    return sample


async def one_sample(session: AsyncSession, viewer: Viewer, sample_id: UUID) -> QualitySample:
    """One sample that the viewer may read. Raises NotFound."""
    row = await session.get(QualitySample, sample_id)
    of_all = viewer.roles & (OF_EVERY_AGENCY | {Role.GOVERNANCE_LEAD})
    if row is None or not (of_all or row.agency_id == viewer.agency):
        raise NotFound("There is no sample here that you can see.")
    return row


_LINES = """
SELECT u.id, u.child_id, f.title, s.signed_off_on, u.author_id, u.state
FROM child_access a JOIN quality_audit u ON u.child_id = a.child_id
  JOIN assessment s ON s.id = u.assessment_id JOIN form f ON f.id = s.form_id
WHERE a.viewer_id = %(viewer)s AND a.valid_from <= %(now)s AND a.valid_until >= %(now)s
  AND s.signed_off_on IS NOT NULL AND {which}
"""
_OF_SAMPLE = _LINES.format(which="u.sample_id = %(of)s ORDER BY s.signed_off_on, u.id")
_OF_AUTHOR = _LINES.format(
    which="u.author_id = %(of)s AND u.state <> 'drawn' ORDER BY u.audited_at DESC, u.id LIMIT 100"
)


async def lines_of_sample(
    session: AsyncSession, viewer: Viewer, sample_id: UUID
) -> list[DrawnLine]:
    """The assessments of a sample whose children the viewer reaches: at most fifty."""
    return await _lines(session, _OF_SAMPLE, viewer, sample_id)


async def lines_of_author(session: AsyncSession, viewer: Viewer) -> list[DrawnLine]:
    """What was said of the viewer's own assessments, the newest hundred."""
    return await _lines(session, _OF_AUTHOR, viewer, viewer.id)


async def _lines(
    session: AsyncSession, statement: str, viewer: Viewer, of: UUID
) -> list[DrawnLine]:
    given = {"viewer": viewer.id, "now": session.info[NOW], "of": of}
    return [DrawnLine(*row) for row in await rows_of(session, statement, given, prepared=False)]


# One audit, in the child's record -----------------------------------------------------------------


def is_author(access: Access, row: QualityAudit) -> bool:
    """Whether the viewer wrote the assessment."""
    return access.viewer.id == row.author_id


def may_audit(access: Access, row: QualityAudit, assessment: Assessment) -> bool:
    """Whether the viewer audits it: by their role, of their own agency or any, never their own."""
    roles = access.viewer.roles
    by_role = roles & OF_EVERY_AGENCY or (
        Role.MANAGER in roles and access.viewer.agency == row.agency_id
    )
    return bool(by_role) and access.viewer.id not in {row.author_id, assessment.signed_off_by}


async def read_audit(access: Access, audit_id: UUID) -> AuditRecord:
    """One audit of this child's record, for its author and for who audits. Raises NotFound.

    What was drawn and is not audited yet is nothing for its author. The words belong to the agency
    whose assessment it is, under the category that the audit form has.
    """
    row = await access.session.get(QualityAudit, audit_id)
    if row is None or row.child_id != access.child_id:
        raise NotFound(NO_AUDIT)
    assessment = await access.session.get(Assessment, row.assessment_id)
    if assessment is None:
        raise NotFound(NO_AUDIT)
    reads_it = is_author(access, row) and row.state != "drawn"
    if not (reads_it or may_audit(access, row, assessment)):
        raise NotFound(NO_AUDIT)
    category = questions_of(row.form_number).category
    if not access.may(category, row.agency_id):
        return AuditRecord(row, assessment, None, None)
    comments = msgspec.json.decode(row.comments or "{}", type=dict[str, str])
    return AuditRecord(row, assessment, comments, row.author_words)


async def audit(
    access: Access, audit_id: UUID, answers: SectionAnswers, version: int
) -> QualityAudit:
    """Keep how an assessment was judged. Raises NotFound, NotAllowed, Invalid and Conflict."""
    record = await read_audit(access, audit_id)
    row = record.row
    if not may_audit(access, row, record.assessment):
        raise NotAllowed("Nobody audits their own assessment.")
    if row.state != "drawn" or row.version != version:
        raise Conflict(())
    section = questions_of(row.form_number)
    if missing := missing_answers(section, answers):
        raise Invalid(tuple(FieldError(one.field, one.message) for one in missing))
    said = {key: str(value) for key, value in answers.items()}
    chosen = {one.key for one in section.questions if one.kind is Kind.CHOICE}
    row.ratings = {key: value for key, value in said.items() if key in chosen}
    words = {key: value for key, value in said.items() if key not in chosen}
    row.comments = msgspec.json.encode(words).decode()
    row.state, row.auditor_id = "audited", access.viewer.id
    row.audited_at = access.session.info[NOW]
    await access.session.flush()
    return row


async def tell_author(session: AsyncSession, audit_id: UUID, site_url: str) -> None:
    """Put an e-mail in that says that there is something to read; nothing of it stands in it."""
    row = await session.get_one(QualityAudit, audit_id)
    author = await session.get_one(Worker, row.author_id)
    await load_keys(session, {author.agency_id})
    if author.email:
        await tell_worker(
            session,
            author,
            kind=AUDITED,
            subject="An assessment that you wrote was audited",
            body=(
                "Read what was said, and answer if you see it differently:\n\n"
                f"{site_url}/quality/mine\n"
            ),
            once=f"{AUDITED} {audit_id}",
        )


async def answer(access: Access, audit_id: UUID, words: str, version: int) -> QualityAudit:
    """Keep what the author says to an audit; said again, it is replaced.

    Raises NotFound for an audit that is not there for the viewer, NotAllowed for anybody but the
    author, Conflict where it was answered meanwhile on another page.
    """
    record = await read_audit(access, audit_id)
    row = record.row
    if not is_author(access, row):
        raise NotAllowed("Only whoever wrote the assessment answers its audit.")
    if row.version != version:
        raise Conflict((Clash("Your answer", words, record.author_words or ""),))
    now: datetime = access.session.info[NOW]
    row.author_words, row.state, row.answered_at = words, "answered", now
    await access.session.flush()
    return row
