"""The pages of an authority's forms: the list, the editor, the preview, files, what they became.

Forms are everybody's: the administrators of the agency that runs the service change them, as they
do agencies. They see no child's record here.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Role, Viewer
from panel.accounts.desk import PRIVATE, Desk
from panel.accounts.people_rules import looks_after_all
from panel.accounts.step_pages import Shown, step_page
from panel.accounts.taking import Again, Transaction, take_here
from panel.assessments import editing, editor_forms, form_versions
from panel.assessments import editor_pages as pages
from panel.assessments.definitions import FormDefinition, FormRefused, Question, Section
from panel.assessments.editor_pages import FORMS, form_href
from panel.assessments.form_files import LARGEST_FILE, write_form
from panel.assessments.form_versions import FormVersion
from panel.platform.problems import NotAllowed, NotFound
from panel.web.forms import FieldErrors

FORM = f"{FORMS}/{{form_id:uuid}}"
SECTION = f"{FORM}/sections/{{key:str}}"
QUESTION = f"{SECTION}/questions/{{question_key:str}}"
CHILD = "Robin"
"""What the child of a preview is called: nobody."""

Form = TypeVar("Form", bound=editor_forms.Locked)
Edit = Callable[[FormDefinition], FormDefinition]


def may_change_forms(viewer: Viewer) -> bool:
    """Whether somebody changes the authority's forms."""
    return looks_after_all(viewer)


def require_keeper(desk: Desk) -> None:
    """Go on only for who changes the authority's forms. Raises NotAllowed."""
    desk.require(Role.ADMINISTRATOR)
    if not may_change_forms(desk.viewer):
        raise NotAllowed(
            "Forms are the same for every agency, so an administrator of the council changes them.",
            "Ask there for what you need, or send the form as a file.",
        )


async def _read(desk: Desk, form_id: UUID) -> FormVersion:
    require_keeper(desk)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        return await form_versions.one_version(session, form_id)


# The list, and what begins a form ----------------------------------------------------------------


@get(FORMS, include_in_schema=False)
async def forms_page(desk: NamedDependency[Desk]) -> Response[str]:
    """Every form with its versions."""
    require_keeper(desk)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        versions = await form_versions.all_versions(session)
    return desk.page("assessments/forms.html", rows=pages.version_rows(versions))


@get(f"{FORMS}/begin", include_in_schema=False)
async def begin_page(desk: NamedDependency[Desk]) -> Response[str]:
    """The form of a new form."""
    return await _begin_page(desk)


async def _begin_page(desk: Desk, errors: FieldErrors | None = None) -> Response[str]:
    require_keeper(desk)
    return step_page(desk, pages.NEW_FORM, Shown(f"{FORMS}/begin", FORMS), errors)


@post(f"{FORMS}/begin", include_in_schema=False)
async def begin(desk: NamedDependency[Desk]) -> Response[Any]:
    """Begin a form."""
    require_keeper(desk)

    async def work(here: Transaction, form: editor_forms.NewForm) -> None:
        key = form.key or editing.key_from(form.title)
        await form_versions.begin_form(here.session, key, form.title)

    return await take_here(
        desk, editor_forms.NewForm, work, FORMS, again=partial(_begin_page, desk)
    )


@get(f"{FORMS}/bring-in", include_in_schema=False)
async def import_page(desk: NamedDependency[Desk]) -> Response[str]:
    """The form that takes a file."""
    return await _import_page(desk)


async def _import_page(desk: Desk, errors: FieldErrors | None = None) -> Response[str]:
    require_keeper(desk)
    return step_page(desk, pages.IMPORT, Shown(f"{FORMS}/bring-in", FORMS), errors)


@post(f"{FORMS}/bring-in", include_in_schema=False)
async def bring_in(desk: NamedDependency[Desk]) -> Response[Any]:
    """Take a file in as a draft, or say what is wrong with it, each with its place."""
    require_keeper(desk)

    async def work(here: Transaction, form: editor_forms.FileForm) -> None:
        content = await form.file.read(LARGEST_FILE + 1)
        await form_versions.import_form(here.session, content)

    return await take_here(
        desk, editor_forms.FileForm, work, FORMS, again=partial(_import_page, desk)
    )


# One version -------------------------------------------------------------------------------------


@get(FORM, include_in_schema=False)
async def form_page(desk: NamedDependency[Desk], form_id: FromPath[UUID]) -> Response[str]:
    """One version: its sections and questions, and what may be done with it."""
    return await _form_page(desk, form_id)


async def _form_page(desk: Desk, form_id: UUID, errors: FieldErrors | None = None) -> Response[str]:
    require_keeper(desk)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        version = await form_versions.one_version(session, form_id)
        todo = await _still_to_do(session, version)
    state = pages.STATES[version.state]
    return desk.page(
        "assessments/form.html",
        status=200 if errors is None else 422,
        version=version,
        state=state,
        sections=pages.section_rows(version),
        counted=pages.states_of(version.form),
        base=form_href(form_id),
        todo=todo,
        errors=() if errors is None else [("main-content", one) for _, one in errors.summary],
        back_href=FORMS,
    )


async def _still_to_do(session: AsyncSession, version: FormVersion) -> list[str]:
    if not version.is_draft:
        return []
    earlier = await form_versions.published_versions(session, version.form.key)
    try:
        editing.require_right(version.form, [one.form for one in earlier])
    except FormRefused as refused:
        return list(refused.problems)
    return []


@post(f"{FORM}/next", include_in_schema=False)
async def next_version(desk: NamedDependency[Desk], form_id: FromPath[UUID]) -> Response[Any]:
    """Begin the next version, or go on with its draft."""
    require_keeper(desk)

    async def work(here: Transaction, _form: editor_forms.Locked) -> None:
        await form_versions.next_version(here.session, form_id)

    return await take_here(desk, editor_forms.Locked, work, f"{form_href(form_id)}/draft")


@get(f"{FORM}/draft", include_in_schema=False)
async def draft_page(desk: NamedDependency[Desk], form_id: FromPath[UUID]) -> Response[str]:
    """The draft of a form's next version."""
    require_keeper(desk)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        draft = await form_versions.draft_of(session, form_id)
    return await _form_page(desk, draft)


@post(f"{FORM}/publish", include_in_schema=False)
async def publish(desk: NamedDependency[Desk], form_id: FromPath[UUID]) -> Response[Any]:
    """Publish a draft: it never changes from then on."""
    return await _press(desk, form_id, form_versions.publish, form_href(form_id))


@post(f"{FORM}/retire", include_in_schema=False)
async def retire(desk: NamedDependency[Desk], form_id: FromPath[UUID]) -> Response[Any]:
    """Have a form be started no more."""
    return await _press(desk, form_id, form_versions.retire, form_href(form_id))


@post(f"{FORM}/throw-away", include_in_schema=False)
async def throw_away(desk: NamedDependency[Desk], form_id: FromPath[UUID]) -> Response[Any]:
    """Throw a draft away."""
    return await _press(desk, form_id, form_versions.throw_away, FORMS)


async def _press(desk: Desk, form_id: UUID, doing: Callable[..., Any], to: str) -> Response[Any]:
    require_keeper(desk)

    async def work(here: Transaction, form: editor_forms.Locked) -> None:
        await doing(here.session, form_id, form.version)

    again = partial(_form_page, desk, form_id)
    return await take_here(desk, editor_forms.Locked, work, to, again=again)


@get(f"{FORM}/file", include_in_schema=False)
async def export(desk: NamedDependency[Desk], form_id: FromPath[UUID]) -> Response[bytes]:
    """One version as a file."""
    version = await _read(desk, form_id)
    name = f"{version.form.key}-{version.form.version}.json"
    return Response(
        write_form(version.form),
        media_type="application/json",
        headers={**PRIVATE, "Content-Disposition": f'attachment; filename="{name}"'},
    )


@get(f"{FORM}/preview", include_in_schema=False)
async def preview(desk: NamedDependency[Desk], form_id: FromPath[UUID]) -> Response[str]:
    """The sections of a form, each to be seen as whoever fills it in sees it."""
    version = await _read(desk, form_id)
    base = form_href(form_id)
    return desk.page(
        "assessments/preview.html",
        form_title=version.form.title,
        groups=pages.preview_links(version.form, f"{base}/preview", CHILD),
        page=None,
        next_href="",
        back_href=base,
    )


@get(f"{FORM}/preview/{{slug:str}}", include_in_schema=False)
async def preview_section(
    desk: NamedDependency[Desk], form_id: FromPath[UUID], slug: FromPath[str]
) -> Response[str]:
    """One section as whoever fills it in sees it; nothing that is typed is kept."""
    version = await _read(desk, form_id)
    section = version.form.section_at(slug)
    if section is None:
        raise NotFound("This form has no such section.")
    base = f"{form_href(form_id)}/preview"
    place = version.form.sections.index(section) + 1
    following = version.form.sections[place : place + 1]
    return desk.page(
        "assessments/preview.html",
        form_title=version.form.title,
        groups=(),
        page=pages.preview_section(version.form, section, CHILD),
        next_href="".join(f"{base}/{one.slug}" for one in following),
        back_href=base,
    )


@get(f"{FORM}/title", include_in_schema=False)
async def title_page(desk: NamedDependency[Desk], form_id: FromPath[UUID]) -> Response[str]:
    """The form of its title and source."""
    return await _title_page(desk, form_id)


async def _title_page(
    desk: Desk, form_id: UUID, errors: FieldErrors | None = None
) -> Response[str]:
    version = await _read(desk, form_id)
    stored: dict[str, object] = {"title": version.form.title, "source": version.form.source}
    shown = Shown(f"{form_href(form_id)}/title", form_href(form_id), version.lock, stored=stored)
    return step_page(desk, pages.TITLE, shown, errors)


@post(f"{FORM}/title", include_in_schema=False)
async def change_title(desk: NamedDependency[Desk], form_id: FromPath[UUID]) -> Response[Any]:
    """Change its title and source."""

    def edit(posted: editor_forms.TitleForm) -> Edit:
        return lambda form: msgspec.structs.replace(form, title=posted.title, source=posted.source)

    return await _edit(
        desk, form_id, editor_forms.TitleForm, edit, partial(_title_page, desk, form_id)
    )


async def _edit(
    desk: Desk,
    form_id: UUID,
    kind: type[Form],
    edit: Callable[[Form], Edit],
    again: Again | None,
    field: str = "",
) -> Response[Any]:
    """Take one step with a draft, and show it again."""
    require_keeper(desk)

    async def work(here: Transaction, posted: Form) -> None:
        await form_versions.edit_draft(here.session, form_id, posted.version, edit(posted), field)

    shown = again or partial(_form_page, desk, form_id)
    return await take_here(desk, kind, work, form_href(form_id), again=shown)


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
    return await _edit(desk, form_id, editor_forms.SectionForm, edit, again, "title")


@get(SECTION, include_in_schema=False)
async def section_page(
    desk: NamedDependency[Desk], form_id: FromPath[UUID], key: FromPath[str]
) -> Response[str]:
    """The form of a section's words and category."""
    return await _section_page(desk, form_id, key)


async def _section_page(
    desk: Desk, form_id: UUID, key: str | None, errors: FieldErrors | None = None
) -> Response[str]:
    version = await _read(desk, form_id)
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
    return await _edit(desk, form_id, editor_forms.SectionForm, edit, again, "title")


@post(f"{SECTION}/move", include_in_schema=False)
async def move_section(
    desk: NamedDependency[Desk], form_id: FromPath[UUID], key: FromPath[str]
) -> Response[Any]:
    """Move a section, or at the end of its group the group."""

    def edit(posted: editor_forms.MoveForm) -> Edit:
        return lambda form: editing.move_section(form, key, posted.direction)

    return await _edit(desk, form_id, editor_forms.MoveForm, edit, None)


@post(f"{SECTION}/remove", include_in_schema=False)
async def remove_section(
    desk: NamedDependency[Desk], form_id: FromPath[UUID], key: FromPath[str]
) -> Response[Any]:
    """Take a section out of the draft."""

    def edit(_posted: editor_forms.Locked) -> Edit:
        return lambda form: editing.remove_section(form, key)

    return await _edit(desk, form_id, editor_forms.Locked, edit, None)


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
    return await _edit(desk, form_id, editor_forms.QuestionForm, edit, again, "label")


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
    version = await _read(desk, form_id)
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
    return await _edit(desk, form_id, editor_forms.QuestionForm, edit, again, "label")


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

    return await _edit(desk, form_id, editor_forms.MoveForm, edit, None)


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

    return await _edit(desk, form_id, editor_forms.Locked, edit, None)


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
    forms_page,
    begin_page,
    begin,
    import_page,
    bring_in,
    form_page,
    next_version,
    draft_page,
    publish,
    retire,
    throw_away,
    export,
    preview,
    preview_section,
    title_page,
    change_title,
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
