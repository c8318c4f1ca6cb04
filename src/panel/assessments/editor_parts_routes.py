"""The editor's pages of a form's sections and questions; `editor_routes` has those of the form."""

from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from panel.accounts.desk import Desk
from panel.accounts.step_pages import Shown, step_page
from panel.assessments import editing, editor_forms
from panel.assessments import editor_pages as pages
from panel.assessments.definitions import FormDefinition, Question, Section
from panel.assessments.editor_pages import form_href
from panel.assessments.editor_routes import FORM, Edit, edit_draft, read_version
from panel.platform.problems import NotFound
from panel.web.forms import FieldErrors

SECTION = f"{FORM}/sections/{{key:str}}"
QUESTION = f"{SECTION}/questions/{{question_key:str}}"


# Sections ----------------------------------------------------------------------------------------


@get(f"{FORM}/new-section", include_in_schema=False)
async def new_section_page(desk: NamedDependency[Desk], form_id: FromPath[UUID]) -> Response[str]:
    """The form of a new section."""
    return await _section_page(desk, form_id, None)


@post(f"{FORM}/new-section", include_in_schema=False)
async def new_section(desk: NamedDependency[Desk], form_id: FromPath[UUID]) -> Response[Any]:
    """Add a section."""

    def edit(posted: editor_forms.SectionForm) -> Edit:
        return lambda form: editing.add_section(form, posted.section(form, None))

    again = partial(_section_page, desk, form_id, None)
    return await edit_draft(desk, form_id, editor_forms.SectionForm, edit, again, "title")


@get(SECTION, include_in_schema=False)
async def section_page(
    desk: NamedDependency[Desk], form_id: FromPath[UUID], key: FromPath[str]
) -> Response[str]:
    """The form of a section's words and category."""
    return await _section_page(desk, form_id, key)


async def _section_page(
    desk: Desk, form_id: UUID, key: str | None, errors: FieldErrors | None = None
) -> Response[str]:
    version = await read_version(desk, form_id)
    before = None if key is None else _section(version.form, key)
    base = form_href(form_id)
    shown = Shown(
        f"{base}/new-section" if before is None else f"{base}/sections/{before.key}",
        base,
        version.lock,
        stored={} if before is None else pages.section_stored(before),
    )
    return step_page(desk, pages.section_step(before), shown, errors)


@post(SECTION, include_in_schema=False)
async def change_section(
    desk: NamedDependency[Desk], form_id: FromPath[UUID], key: FromPath[str]
) -> Response[Any]:
    """Change a section's words or category."""

    def edit(posted: editor_forms.SectionForm) -> Edit:
        return lambda form: editing.change_section(form, posted.section(form, _section(form, key)))

    again = partial(_section_page, desk, form_id, key)
    return await edit_draft(desk, form_id, editor_forms.SectionForm, edit, again, "title")


@post(f"{SECTION}/move", include_in_schema=False)
async def move_section(
    desk: NamedDependency[Desk], form_id: FromPath[UUID], key: FromPath[str]
) -> Response[Any]:
    """Move a section, or at the end of its group the group."""

    def edit(posted: editor_forms.MoveForm) -> Edit:
        return lambda form: editing.move_section(form, key, posted.direction)

    return await edit_draft(desk, form_id, editor_forms.MoveForm, edit, None)


@post(f"{SECTION}/remove", include_in_schema=False)
async def remove_section(
    desk: NamedDependency[Desk], form_id: FromPath[UUID], key: FromPath[str]
) -> Response[Any]:
    """Take a section out of the draft."""

    def edit(_posted: editor_forms.Locked) -> Edit:
        return lambda form: editing.remove_section(form, key)

    return await edit_draft(desk, form_id, editor_forms.Locked, edit, None)


# Questions ---------------------------------------------------------------------------------------


@get(f"{SECTION}/new-question", include_in_schema=False)
async def new_question_page(
    desk: NamedDependency[Desk], form_id: FromPath[UUID], key: FromPath[str]
) -> Response[str]:
    """The form of a new question."""
    return await _question_page(desk, form_id, key, None)


@post(f"{SECTION}/new-question", include_in_schema=False)
async def new_question(
    desk: NamedDependency[Desk], form_id: FromPath[UUID], key: FromPath[str]
) -> Response[Any]:
    """Add a question."""

    def edit(posted: editor_forms.QuestionForm) -> Edit:
        return lambda form: editing.add_question(
            form, key, posted.question(_section(form, key), None)
        )

    again = partial(_question_page, desk, form_id, key, None)
    return await edit_draft(desk, form_id, editor_forms.QuestionForm, edit, again, "label")


@get(QUESTION, include_in_schema=False)
async def question_page(
    desk: NamedDependency[Desk],
    form_id: FromPath[UUID],
    key: FromPath[str],
    question_key: FromPath[str],
) -> Response[str]:
    """The form of a question."""
    return await _question_page(desk, form_id, key, question_key)


async def _question_page(
    desk: Desk,
    form_id: UUID,
    key: str,
    question_key: str | None,
    errors: FieldErrors | None = None,
) -> Response[str]:
    version = await read_version(desk, form_id)
    section = _section(version.form, key)
    before = None if question_key is None else _question(section, question_key)
    base = f"{form_href(form_id)}/sections/{section.key}"
    shown = Shown(
        f"{base}/new-question" if before is None else f"{base}/questions/{before.key}",
        form_href(form_id),
        version.lock,
        stored={} if before is None else pages.question_stored(before),
    )
    return step_page(desk, pages.question_step(section, before), shown, errors)


@post(QUESTION, include_in_schema=False)
async def change_question(
    desk: NamedDependency[Desk],
    form_id: FromPath[UUID],
    key: FromPath[str],
    question_key: FromPath[str],
) -> Response[Any]:
    """Change a question."""

    def changed(form: FormDefinition, posted: editor_forms.QuestionForm) -> FormDefinition:
        section = _section(form, key)
        question = posted.question(section, _question(section, question_key))
        return editing.change_question(form, key, question)

    def edit(posted: editor_forms.QuestionForm) -> Edit:
        return lambda form: changed(form, posted)

    again = partial(_question_page, desk, form_id, key, question_key)
    return await edit_draft(desk, form_id, editor_forms.QuestionForm, edit, again, "label")


@post(f"{QUESTION}/move", include_in_schema=False)
async def move_question(
    desk: NamedDependency[Desk],
    form_id: FromPath[UUID],
    key: FromPath[str],
    question_key: FromPath[str],
) -> Response[Any]:
    """Move a question."""

    def edit(posted: editor_forms.MoveForm) -> Edit:
        return lambda form: editing.move_question(form, key, question_key, posted.direction)

    return await edit_draft(desk, form_id, editor_forms.MoveForm, edit, None)


@post(f"{QUESTION}/remove", include_in_schema=False)
async def remove_question(
    desk: NamedDependency[Desk],
    form_id: FromPath[UUID],
    key: FromPath[str],
    question_key: FromPath[str],
) -> Response[Any]:
    """Take a question out of the draft."""

    def edit(_posted: editor_forms.Locked) -> Edit:
        return lambda form: editing.remove_question(form, key, question_key)

    return await edit_draft(desk, form_id, editor_forms.Locked, edit, None)


def _section(form: FormDefinition, key: str) -> Section:
    section = form.section(key)
    if section is None:
        raise NotFound("This form has no such section.")
    return section


def _question(section: Section, key: str) -> Question:
    question = section.question(key)
    if question is None:
        raise NotFound("This section has no such question.")
    return question


HANDLERS = [
    new_section_page,
    new_section,
    section_page,
    change_section,
    move_section,
    remove_section,
    new_question_page,
    new_question,
    question_page,
    change_question,
    move_question,
    remove_question,
]
