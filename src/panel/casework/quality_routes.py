"""The pages of quality: figures and samples, one sample, one audit, and what was said of mine.

Figures and samples have no child in them. An audit is a page of the child's record.
"""

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy import select

from consent import Role
from panel.accounts.desk import READING_QUALITY, Desk
from panel.accounts.service import agencies, worker_names
from panel.accounts.step_pages import Field, Shown, Step, step_page
from panel.accounts.taking import Transaction, take, take_here
from panel.assessments.reading import form_of
from panel.casework.quality import (
    AUDITS,
    OF_EVERY_AGENCY,
    WRITES,
    DrawnLine,
    answer,
    audit,
    draw_sample,
    is_author,
    lines_of_author,
    lines_of_sample,
    may_audit,
    one_sample,
    read_audit,
    tell_author,
)
from panel.casework.quality_figures import completeness, judgements
from panel.casework.quality_form import questions_of
from panel.casework.quality_forms import AnswerForm, AuditForm, SampleForm, read_audit_form
from panel.casework.quality_models import QualitySample
from panel.casework.quality_pages import (
    PERIODS,
    audit_page,
    line_of_sample,
    period_links,
    sample_facts,
    sample_line,
)
from panel.casework.quality_rules import MOST_DRAWN
from panel.records.dates import months_after
from panel.records.gate import Access
from panel.records.newest_first import newest_first
from panel.register.service import child_header
from panel.web.forms import FieldErrors, Filled
from panel.web.paging import page_of, read_cursor

HOME = "/quality"
MINE = f"{HOME}/mine"
ON_A_PAGE = 25
DEFAULT_DRAWN = 8
AUDIT = "/children/{child_id:uuid}/quality/{audit_id:uuid}"


def _draw_step(choices: list[tuple[str, str]]) -> Step:
    return Step(
        "Draw a sample",
        "Chance picks the assessments, each form in proportion. Nobody picks, and nobody draws"
        " again from the same days.",
        "Draw",
        (
            Field("select", "agency", "Whose assessments?", choices=choices),
            Field("day", "from_on", "Signed off from"),
            Field("day", "until_on", "Signed off until"),
            Field(
                "line", "asked", "How many?",
                f"From 1 to {MOST_DRAWN}. Where there are fewer, all of them are drawn.",
            ),
        ),
    )  # fmt: skip


@get(HOME, include_in_schema=False)
async def quality_page(
    desk: NamedDependency[Desk], months: FromQuery[int] = 12, page: FromQuery[str] = ""
) -> Response[str]:
    """How complete assessments are, how audits judged them, and which samples were drawn."""
    who = desk.require(*READING_QUALITY)
    back = months if months in PERIODS else 12
    first, last = months_after(desk.today, -back), desk.today
    asked = read_cursor(page, (datetime, UUID))
    async with desk.tenant.transaction(desk.viewer.id) as session:
        names = {one.id: one.name for one in await agencies(session)}
        figures = await completeness(session, first, last, names)
        judged = await judgements(session, first, last, names)
        key = (QualitySample.created_at, QualitySample.id)
        query = select(QualitySample)
        if not who.viewer.roles & (OF_EVERY_AGENCY | {Role.GOVERNANCE_LEAD}):
            query = query.where(QualitySample.agency_id == who.viewer.agency)
        found = page_of(
            await newest_first(session, query, key, asked, ON_A_PAGE),
            asked,
            ON_A_PAGE,
            lambda one: (one.created_at, one.id),
        )
    return desk.page(
        "casework/quality.html",
        figures=[
            (one.agency, one.signed_off, one.whole, one.own_words, one.days) for one in figures
        ],
        judged=judged,
        periods=period_links(HOME, back),
        samples=[sample_line(HOME, one, names) for one in found.rows],
        note=found.note,
        previous="" if found.previous is None else f"{HOME}?page={found.previous}",
        next="" if found.next is None else f"{HOME}?page={found.next}",
        new_href=f"{HOME}/new" if who.viewer.roles & AUDITS else "",
        mine_href=MINE,
    )


@get(f"{HOME}/new", include_in_schema=False)
async def new_sample_page(desk: NamedDependency[Desk]) -> Response[Any]:
    """The form that draws a sample."""
    desk.require(*AUDITS)
    return await _new(desk)


async def _new(desk: Desk, errors: FieldErrors | None = None) -> Response[Any]:
    viewer = desk.viewer
    async with desk.tenant.transaction(viewer.id) as session:
        choices = [
            (str(one.id), one.name)
            for one in await agencies(session)
            if viewer.roles & OF_EVERY_AGENCY or one.id == viewer.agency
        ]
    stored = {
        "agency": choices[0][0] if len(choices) == 1 else "",
        "from_on": months_after(desk.today, -3),
        "until_on": desk.today,
        "asked": DEFAULT_DRAWN,
    }
    return step_page(desk, _draw_step(choices), Shown(f"{HOME}/new", HOME, stored=stored), errors)


@post(f"{HOME}/new", include_in_schema=False)
async def new_sample(desk: NamedDependency[Desk]) -> Response[Any]:
    """Draw a sample."""
    desk.require(*AUDITS)

    async def work(here: Transaction, form: SampleForm) -> None:
        await draw_sample(here.session, desk.viewer, form.new())

    return await take_here(desk, SampleForm, work, HOME, again=partial(_new, desk))


@get(f"{HOME}/samples/{{sample_id:uuid}}", include_in_schema=False)
async def sample_page(desk: NamedDependency[Desk], sample_id: FromPath[UUID]) -> Response[str]:
    """One sample: how it was drawn, and how far its audits are."""
    who = desk.require(*READING_QUALITY)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        row = await one_sample(session, who.viewer, sample_id)
        lines = await lines_of_sample(session, who.viewer, sample_id)
        names = await worker_names(session, [row.created_by, *(one.author_id for one in lines)])
        agency = {one.id: one.name for one in await agencies(session)}.get(row.agency_id, "")
    return desk.page(
        "casework/quality_sample.html",
        agency=agency,
        facts=sample_facts(row, names.get(row.created_by, "")),
        rows=[line_of_sample(one, names) for one in lines],
        unseen=row.drawn - len(lines),
        back_href=HOME,
    )


@get(MINE, include_in_schema=False)
async def mine_page(desk: NamedDependency[Desk]) -> Response[str]:
    """What was said of assessments that whoever is here wrote."""
    viewer = desk.require(*WRITES).viewer
    async with desk.tenant.transaction(viewer.id) as session:
        lines: list[DrawnLine] = await lines_of_author(session, viewer)
    return desk.page("casework/quality_mine.html", rows=[line_of_sample(one, {}) for one in lines])


# One audit ----------------------------------------------------------------------------------------


@get(AUDIT, include_in_schema=False)
async def one_audit(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], audit_id: FromPath[UUID]
) -> Response[Any]:
    """One audit: the form for whoever audits, else what was said, and the author's answer."""
    return await _audit(desk, child_id, audit_id)


async def _audit(
    desk: Desk, child_id: UUID, audit_id: UUID, errors: FieldErrors | None = None
) -> Response[Any]:
    async with desk.open(child_id, "read the audit of an assessment") as access:
        record = await read_audit(access, audit_id)
        row = record.row
        header = await child_header(access)
        form = await form_of(access.session, record.assessment.form_id)
        people = [one for one in (row.author_id, row.auditor_id) if one is not None]
        names = await worker_names(access.session, people)
        asks = row.state == "drawn" and may_audit(access, row, record.assessment)
        page = audit_page(record, form.title, names, asks=asks, answers=is_author(access, row))
        stored: dict[str, object] = {"words": record.author_words or ""}
    section = questions_of(row.form_number)
    return desk.page(
        "casework/quality_audit.html",
        status=200 if errors is None else 422,
        header=header,
        here="assessment",
        page=page,
        filled=Filled(stored, errors),
        address=f"/children/{child_id}/quality/{audit_id}",
        assessment_href=f"/children/{child_id}/assessments/{row.assessment_id}",
        intro=section.intro,
        asked=[
            (one, [(each.value, each.label) for each in one.choices]) for one in section.questions
        ],
    )


@post(AUDIT, include_in_schema=False)
async def post_audit(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], audit_id: FromPath[UUID]
) -> Response[Any]:
    """Keep how the assessment was judged."""

    async def work(access: Access, form: AuditForm) -> None:
        await audit(access, audit_id, form.answers, form.version)
        await tell_author(access.session, audit_id, desk.site.url)

    return await take(
        desk,
        read_audit_form,
        partial(desk.open, child_id, "audited an assessment"),
        work,
        f"/children/{child_id}/quality/{audit_id}",
        again=partial(_audit, desk, child_id, audit_id),
    )


@post(f"{AUDIT}/answer", include_in_schema=False)
async def post_answer(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], audit_id: FromPath[UUID]
) -> Response[Any]:
    """Keep what the author says to it."""

    async def work(access: Access, form: AnswerForm) -> None:
        await answer(access, audit_id, form.words, form.version)

    return await take(
        desk,
        AnswerForm,
        partial(desk.open, child_id, "answered the audit of an assessment"),
        work,
        f"/children/{child_id}/quality/{audit_id}",
        again=partial(_audit, desk, child_id, audit_id),
    )


HANDLERS = [
    quality_page,
    new_sample_page,
    new_sample,
    sample_page,
    mine_page,
    one_audit,
    post_audit,
    post_answer,
]
