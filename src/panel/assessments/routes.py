"""The pages of assessments: list, task list, sections, check answers, sign-off, reading."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from panel.accounts.desk import PRIVATE, Desk, Posted, go
from panel.accounts.service import agencies, worker_names
from panel.assessments.clock_routes import HANDLERS as CLOCK
from panel.assessments.clock_routes import StartForm, late_reason_of, start_page_of, support_first
from panel.assessments.clocks import Filling, clock_on, clocks_on
from panel.assessments.comparing_routes import HANDLERS as COMPARING
from panel.assessments.definitions import Section, Step
from panel.assessments.editor_parts_routes import HANDLERS as EDITOR_PARTS
from panel.assessments.editor_routes import HANDLERS as EDITOR
from panel.assessments.forms import (
    DATE_PARTS,
    VERSION_FIELD,
    decode_changes,
    decode_section,
    flatten_section,
    without_problems,
)
from panel.assessments.limits import LATE_WORDS, LateReason
from panel.assessments.pages import (
    Change,
    assessment_page,
    changes,
    check_answers_page,
    entry_text,
    listed_assessment,
    section_page,
    task_list,
)
from panel.assessments.reading import CAF, former_version
from panel.assessments.rules import Problem as AnswerProblem
from panel.assessments.rules import Version, next_section
from panel.assessments.service import (
    AssessmentLine,
    AssessmentRecord,
    assessment_lines,
    assessment_options,
    child_words,
    look_at_section,
    may_write,
    read_assessment,
    save_section,
    settle_agreement,
    sign_off,
    sign_off_standing,
    start_assessment,
    visible_section,
)
from panel.platform.problems import Conflict, Invalid, NotAllowed, Problem
from panel.records.gate import Access
from panel.register.service import child_header
from panel.web import words
from panel.web.forms import FieldErrors

Fields = Mapping[str, Sequence[str]]

OPENED = "opened a part of the assessment"
WROTE = "wrote in the assessment"


@get("/children/{child_id:uuid}/assessments", include_in_schema=False)
async def assessments_page(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
    """Every assessment of a child, and the button that starts one."""
    async with desk.gate.open(
        child_id, desk.viewer, support_first(desk), "looked at the list of assessments"
    ) as access:
        lines = await assessment_lines(access)
        names = await worker_names(access.session, [line.author_id for line in lines])
        known = {agency.id: agency.name for agency in await agencies(access.session)}
        cafs = [line for line in lines if line.form_key == CAF]
        draft = next((line for line in cafs if line.signed_off_on is None), None)
        writes = may_write(access)
        clocks = await clocks_on(
            access,
            [
                Filling(line.id, line.form_key, line.started_on, line.referred_on, None)
                for line in lines
                if line.signed_off_on is None
            ],
        )
        listed = [
            listed_assessment(
                title=line.title,
                number=line.number,
                href=f"{_list_href(child_id)}/{line.id}",
                started_on=line.started_on,
                signed_off_on=line.signed_off_on,
                is_document=line.document_id is not None,
                by_words=f"{names.get(line.author_id, '')}, {known[line.author_agency_id]}",
                due_words=clocks[line.id].words if line.id in clocks else "",
            )
            for line in lines
        ]
        return desk.page(
            "assessments/list.html",
            header=await child_header(access),
            here="assessment",
            lines=listed,
            lead=_list_lead(sum(line.signed_off_on is None for line in lines), len(lines)),
            start_href=_list_href(child_id) if writes and draft is None else "",
            start_words="Start a new version of the CAF" if cafs else "Start an assessment (CAF)",
            compared=_compared(lines, child_id),
            other_href=f"{_list_href(child_id)}/start" if writes else "",
        )


@post("/children/{child_id:uuid}/assessments", include_in_schema=False)
async def start(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Start an assessment, or go on with the draft that there is, however often it is posted."""
    posted = await desk.posted()
    form = posted.read(StartForm)
    if isinstance(form, FieldErrors):
        return await start_page_of(desk, child_id, form)
    try:
        async with desk.gate.open(
            child_id, desk.viewer, support_first(desk), "started an assessment"
        ) as access:
            assessment_id = await start_assessment(access, form.form, form.referred_on)
    except Invalid as refused:
        return await start_page_of(desk, child_id, posted.refused(refused.errors))
    return go(_base(child_id, assessment_id))


@get("/children/{child_id:uuid}/assessments/{assessment_id:uuid}", include_in_schema=False)
async def one_assessment(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], assessment_id: FromPath[UUID]
) -> Response[str]:
    """A draft as a task list for those who write it; anything else to read."""
    async with desk.gate.open(
        child_id, desk.viewer, support_first(desk), "opened the assessment"
    ) as access:
        record = await read_assessment(access, assessment_id)
        if record.is_draft and may_write(access):
            return await _task_list(desk, access, record)
        return await _reading(desk, access, record)


@get(
    "/children/{child_id:uuid}/assessments/{assessment_id:uuid}/sections/{slug:str}",
    include_in_schema=False,
)
async def open_section(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    assessment_id: FromPath[UUID],
    slug: FromPath[str],
) -> Response[str]:
    """One section as a page of questions; opening it counts as having looked at it."""
    async with desk.gate.open(child_id, desk.viewer, support_first(desk), OPENED) as access:
        record = await read_assessment(access, assessment_id)
        section = _writable_section(access, record, slug)
        version = await look_at_section(access, record, section)
        fields = flatten_section(section, record.section_answers(section.key))
        return await _section(desk, access, record, section, fields, version=version)


@post(
    "/children/{child_id:uuid}/assessments/{assessment_id:uuid}/sections/{slug:str}",
    include_in_schema=False,
)
async def post_section(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    assessment_id: FromPath[UUID],
    slug: FromPath[str],
) -> Response[Any]:
    """Save a section and go on; with mistakes, or after another's save, the page comes again."""
    posted = await desk.posted()
    fields = _fields(posted)
    purposes, doing = support_first(desk), WROTE
    refused: Conflict | Invalid
    try:
        async with desk.gate.open(child_id, desk.viewer, purposes, doing) as access:
            record = await read_assessment(access, assessment_id)
            section = _writable_section(access, record, slug)
            options = await assessment_options(access)
            decoded = decode_section(record.shown, section, fields, options)
            more = posted.text("_add")
            if decoded.problems or more:
                problems = () if more else decoded.problems
                return await _section(
                    desk, access, record, section, fields, problems, one_more=more
                )
            if await desk.first_time(access.session, posted, _base(child_id, assessment_id)):
                read = _version_read(fields)
                await save_section(access, assessment_id, section.key, decoded.answers, read)
                if section.step is Step.AGREEMENT:
                    await settle_agreement(access, assessment_id)
            return go(await _next_href(access, assessment_id, section))
    except (Conflict, Invalid) as problem:
        refused = problem
    # What was refused left nothing behind; the page comes again with every word that was typed.
    async with desk.gate.open(child_id, desk.viewer, purposes, doing) as access:
        record = await read_assessment(access, assessment_id)
        section = _writable_section(access, record, slug)
        if isinstance(refused, Conflict):
            return await _section(desk, access, record, section, fields, conflict=refused)
        problems = tuple(
            AnswerProblem(section.key, each.field, each.sentence) for each in refused.errors
        )
        return await _section(desk, access, record, section, fields, problems)


@post(
    "/children/{child_id:uuid}/assessments/{assessment_id:uuid}/sections/{slug:str}/typed",
    include_in_schema=False,
)
async def save_typed(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    assessment_id: FromPath[UUID],
    slug: FromPath[str],
) -> Response[dict[str, Any]]:
    """Save the fields that were typed, for the page's script: answered as JSON."""
    try:
        posted = await desk.posted()
        fields = _fields(posted)
        typed = {name: given for name, given in fields.items() if name != VERSION_FIELD}
        async with desk.gate.open(child_id, desk.viewer, support_first(desk), WROTE) as access:
            record = await read_assessment(access, assessment_id)
            section = _writable_section(access, record, slug)
            kept = record.section_answers(section.key)
            options = await assessment_options(access)
            decoded = decode_changes(record.shown, section, kept, typed, options)
            asked = {_question_of(name) for name in typed}
            wrong = {
                each.field: each.message
                for each in decoded.problems
                if not each.field or _question_of(each.field) in asked
            }
            if wrong:
                return _json({"errors": wrong}, status=422)
            answers = without_problems(section, decoded, kept)
            saved = await save_section(
                access, assessment_id, section.key, answers, _version_read(fields)
            )
    except Invalid as refused:
        return _json({"errors": {each.field: each.sentence for each in refused.errors}}, status=422)
    except Conflict as conflict:
        who = conflict.theirs_by or "Somebody else"
        message = (
            f"{who} changed this while you were typing. Your words are still here; use the button"
            " to see both."
        )
        return _json({"message": message}, status=409)
    except Problem as problem:
        return _json({"message": f"{problem.sentence} {problem.what_to_do}"}, problem.status)
    return _json({"version": saved.version, "saved": words.time(saved.saved_at)})


@get(
    "/children/{child_id:uuid}/assessments/{assessment_id:uuid}/check-answers",
    include_in_schema=False,
)
async def check_answers(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], assessment_id: FromPath[UUID]
) -> Response[str]:
    """All answers on one page, what is missing, and the next step."""
    async with desk.gate.open(
        child_id, desk.viewer, support_first(desk), "checked the answers of the assessment"
    ) as access:
        record = await read_assessment(access, assessment_id)
        return await _check_answers(desk, access, record)


@post(
    "/children/{child_id:uuid}/assessments/{assessment_id:uuid}/sign-off",
    include_in_schema=False,
)
async def post_sign_off(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], assessment_id: FromPath[UUID]
) -> Response[Any]:
    """Sign the assessment off; it stays as it is from then on."""
    posted = await desk.posted()
    base = _base(child_id, assessment_id)
    purposes, doing = support_first(desk), "signed the assessment off"
    try:
        async with desk.gate.open(child_id, desk.viewer, purposes, doing) as access:
            if await desk.first_time(access.session, posted, base):
                number = _version_read(_fields(posted))
                await sign_off(access, assessment_id, number, late_reason_of(posted))
        return go(base)
    except Invalid as problem:
        refused = problem
    async with desk.gate.open(child_id, desk.viewer, purposes, doing) as access:
        record = await read_assessment(access, assessment_id)
        errors = [(each.field or "main-content", each.sentence) for each in refused.errors]
        return await _check_answers(desk, access, record, errors)


async def _task_list(desk: Desk, access: Access, record: AssessmentRecord) -> Response[str]:
    header = await child_header(access)
    child = child_words(header)
    page = task_list(
        record.version,
        record.looked_at,
        child=child,
        reference=header.reference,
        number=record.number,
        base=_base(access.child_id, record.id),
    )
    clock = await clock_on(access, record)
    return desk.page(
        "assessments/task_list.html",
        header=header,
        here="assessment",
        page=page,
        clock=clock,
        clock_href=f"{_base(access.child_id, record.id)}/clock",
        withheld=_withheld(record),
        sharing_href=_sharing_href(access.child_id),
    )


async def _check_answers(
    desk: Desk,
    access: Access,
    record: AssessmentRecord,
    errors: Sequence[tuple[str, str]] = (),
) -> Response[str]:
    if not (record.is_draft and may_write(access)):
        raise NotAllowed("Only the child's team checks and signs off a draft.")
    header = await child_header(access)
    page = check_answers_page(
        record.version,
        record.looked_at,
        await sign_off_standing(access, record),
        await assessment_options(access),
        child=child_words(header),
        reference=header.reference,
        base=_base(access.child_id, record.id),
    )
    clock = await clock_on(access, record)
    return desk.page(
        "assessments/check_answers.html",
        status=422 if errors else 200,
        clock=clock,
        late_reasons=[(one.value, said) for one, said in LATE_WORDS.items()],
        header=header,
        here="assessment",
        page=page,
        version=record.answers_number,
        errors=errors,
        withheld=_withheld(record),
        sharing_href=_sharing_href(access.child_id),
    )


async def _reading(desk: Desk, access: Access, record: AssessmentRecord) -> Response[str]:
    header = await child_header(access)
    child = child_words(header)
    options = await assessment_options(access)
    signers = [] if record.signed_off_by is None else [record.signed_off_by]
    names = await worker_names(access.session, signers)
    page = assessment_page(
        record.whole_version,
        options,
        {key: str(why) for key, why in record.withheld.items()},
        child=child,
        reference=header.reference,
        number=record.number,
        signed_off_on=record.signed_off_on,
        signed_off_by=next(iter(names.values()), ""),
    )
    former = await former_version(access, record)
    changed = [] if former is None else changes(*_both_seen(former, record), options, child=child)
    writes = may_write(access) and not record.is_draft
    document = record.document_id
    return desk.page(
        "assessments/assessment.html",
        header=header,
        here="assessment",
        page=page,
        late_words=_late_words(record),
        changes=[_change_words(each) for each in changed],
        former_number=0 if former is None else former.number,
        start_href=_list_href(access.child_id) if writes else "",
        form_key=record.form.key,
        document_href=""
        if document is None
        else f"/children/{access.child_id}/documents/{document}",
        sharing_href=_sharing_href(access.child_id),
    )


async def _section(
    desk: Desk,
    access: Access,
    record: AssessmentRecord,
    section: Section,
    fields: Fields,
    problems: Sequence[AnswerProblem] = (),
    *,
    one_more: str = "",
    conflict: Conflict | None = None,
    version: int | None = None,
) -> Response[str]:
    """A section's page; after a conflict it is made from the newest version, with both texts."""
    header = await child_header(access)
    page = section_page(
        record.shown,
        section,
        {name: given for name, given in fields.items() if name != VERSION_FIELD},
        problems,
        await assessment_options(access),
        child=child_words(header),
        base=_base(access.child_id, record.id),
        one_more=one_more,
    )
    if version is None:
        newest = record.section_version(section.key)
        version = newest if conflict is not None else _version_read(fields)
    return desk.page(
        "assessments/section.html",
        status=409 if conflict is not None else 422 if problems else 200,
        header=header,
        here="assessment",
        page=page,
        version=version,
        clashes=[] if conflict is None else [(c.label, c.theirs) for c in conflict.clashes],
        clash_words=""
        if conflict is None
        else f"{conflict.theirs_by or 'Somebody else'} saved a change while you were writing",
    )


def _writable_section(access: Access, record: AssessmentRecord, slug: str) -> Section:
    section = visible_section(record, slug)
    if not record.is_draft:
        raise NotAllowed(
            "This version is signed off, so it stays as it is.",
            "Start a new version to change something.",
        )
    if not may_write(access):
        raise NotAllowed("You can read this assessment. Only the child's team fills it in.")
    return section


async def _next_href(access: Access, assessment_id: UUID, section: Section) -> str:
    """Where to go on after a section: to the next one that needs somebody, or to the check."""
    base = _base(access.child_id, assessment_id)
    if section.step is Step.REVIEW:
        return base
    record = await read_assessment(access, assessment_id)
    following = next_section(record.shown, section.key, record.answers, record.looked_at)
    return f"{base}/check-answers" if following is None else f"{base}/sections/{following.slug}"


def _both_seen(old: AssessmentRecord, new: AssessmentRecord) -> tuple[Version, Version]:
    """Two versions, less what may not be seen in one of them: it is not new, only unseen."""
    hidden = old.withheld.keys() | new.withheld.keys()
    return old.version_without(hidden), new.version_without(hidden)


def _change_words(change: Change) -> dict[str, str]:
    return {
        "section": change.section,
        "label": change.label,
        "before": entry_text(change.before),
        "after": entry_text(change.after),
    }


def _withheld(record: AssessmentRecord) -> list[str]:
    """Each sentence about what may not be seen, once."""
    return list(dict.fromkeys(str(why) for why in record.withheld.values() if str(why)))


def _list_lead(drafts: int, count: int) -> str:
    if drafts:
        return "Go on with the draft, then check the answers and sign it off."
    if count:
        return "The latest signed-off version is what a panel reads."
    return "A panel needs a signed-off assessment, a plan and a lead professional."


def _fields(posted: Posted) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for name, value in posted.fields:
        if isinstance(value, str) and not name.startswith("_"):
            fields.setdefault(name, []).append(value)
    return fields


def _version_read(fields: Fields) -> int:
    given = next(iter(fields.get(VERSION_FIELD, ())), "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0


def _question_of(field: str) -> str:
    """The question that a field belongs to: "born-day" and "present.0.name" to theirs."""
    whole, _, part = field.rpartition("-")
    return (whole if part in DATE_PARTS else field).split(".")[0]


def _json(said: dict[str, Any], status: int = 200) -> Response[dict[str, Any]]:
    return Response(said, status_code=status, headers=PRIVATE)


def _compared(lines: Sequence[AssessmentLine], child_id: UUID) -> list[tuple[str, str]]:
    """The forms that were filled in more than once here, and where their versions are compared."""
    here = Counter(line.form_key for line in lines if line.document_id is None)
    titles = {line.form_key: line.title for line in reversed(lines)}
    return [
        (titles[key], f"{_list_href(child_id)}/over-versions/{key}")
        for key, count in here.items()
        if count > 1
    ]


def _late_words(record: AssessmentRecord) -> str:
    """Why it was signed off after its day, where it was."""
    if record.late_reason is None:
        return ""
    why = words.lower_first(LATE_WORDS[LateReason(record.late_reason)])
    return f"It was signed off after its day: {why}."


def _list_href(child_id: UUID) -> str:
    return f"/children/{child_id}/assessments"


def _base(child_id: UUID, assessment_id: UUID) -> str:
    return f"{_list_href(child_id)}/{assessment_id}"


def _sharing_href(child_id: UUID) -> str:
    return f"/children/{child_id}/sharing#ask"


HANDLERS = [
    assessments_page,
    start,
    one_assessment,
    open_section,
    post_section,
    save_typed,
    check_answers,
    post_sign_off,
    *CLOCK,
    *COMPARING,
    *EDITOR,
    *EDITOR_PARTS,
]
