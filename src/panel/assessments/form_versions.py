"""The versions of an authority's forms: drafts that are edited, published, retired; as files too.

A form is about no child. Whoever may change forms is asked for in `editor_routes`; everybody who
fills one in reads the version that theirs was begun on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.assessments.definitions import FormDefinition, FormRefused, encode_form
from panel.assessments.editing import new_form, require_right
from panel.assessments.form_files import read_form_file
from panel.assessments.models import Form, FormState
from panel.assessments.reading import CAF
from panel.assessments.service import ensure_forms
from panel.platform.audit import Kind, record
from panel.platform.problems import Conflict, Invalid, NotFound

Result = TypeVar("Result")
MOST_SENTENCES = 12
GONE = "This version of the form is not there any more."


@dataclass(frozen=True, slots=True)
class FormVersion:
    """One version of a form, as it is kept."""

    id: UUID
    form: FormDefinition
    state: FormState
    lock: int
    """How often the row was changed: what was read is what is changed."""

    @property
    def is_draft(self) -> bool:
        """Whether it may be changed."""
        return self.state is FormState.DRAFT


async def all_versions(session: AsyncSession) -> list[FormVersion]:
    """Every version of every form, by title and key, the newest first."""
    await ensure_forms(session)
    rows = await session.scalars(select(Form).order_by(Form.title, Form.key, Form.number.desc()))
    return [_version(row) for row in rows]


async def one_version(session: AsyncSession, form_id: UUID) -> FormVersion:
    """One version. Raises NotFound."""
    return _version(await _row(session, form_id))


async def draft_of(session: AsyncSession, form_id: UUID) -> UUID:
    """The draft of a form of which this is a version. Raises NotFound where there is none."""
    row = await _row(session, form_id)
    draft = await _draft_of(session, row.key)
    if draft is None:
        raise NotFound("There is no draft of this form now.")
    return draft.id


async def published_versions(session: AsyncSession, key: str) -> list[FormVersion]:
    """The versions of a form that were published, the first one first."""
    rows = await session.scalars(
        select(Form)
        .where(Form.key == key, Form.state != FormState.DRAFT.value)
        .order_by(Form.number)
    )
    return [_version(row) for row in rows]


async def begin_form(session: AsyncSession, key: str, title: str) -> UUID:
    """A new form's first draft. Raises Invalid for a key that is taken or is none."""
    await _one_at_a_time(session)
    await ensure_forms(session)
    if await session.scalar(select(Form.id).where(Form.key == key).limit(1)) is not None:
        raise Invalid.because("key", f"There is a form with the key “{key}” already.")
    form = _unless_refused("key", lambda: new_form(key, title))
    return await _keep(session, form)


async def next_version(session: AsyncSession, form_id: UUID) -> UUID:
    """The draft of a form's next version: the one that there is, or a new one like this one."""
    await _one_at_a_time(session)
    row = await _row(session, form_id)
    draft = await _draft_of(session, row.key)
    if draft is not None:
        return draft.id
    number = await _next_number(session, row.key)
    return await _keep(session, msgspec.structs.replace(_version(row).form, version=number))


async def import_form(session: AsyncSession, content: bytes) -> UUID:
    """A file as the draft of its form's next number here. Raises Invalid with every sentence.

    Where the form is being edited already nothing is taken: the draft would be lost.
    """
    await _one_at_a_time(session)
    await ensure_forms(session)
    form = _unless_refused("file", lambda: read_form_file(content))
    if await _draft_of(session, form.key) is not None:
        raise Invalid.because(
            "file",
            f"There is a draft of “{form.title}” already. Publish it or throw it away first.",
        )
    form = msgspec.structs.replace(form, version=await _next_number(session, form.key))
    earlier = [one.form for one in await published_versions(session, form.key)]
    _unless_refused("file", lambda: require_right(form, earlier))
    return await _keep(session, form)


async def edit_draft(
    session: AsyncSession,
    form_id: UUID,
    lock: int,
    step: Callable[[FormDefinition], FormDefinition],
    field: str = "",
) -> FormDefinition:
    """Take one step of `editing` with a draft.

    Raises Conflict where somebody changed it since it was read, Invalid with each sentence where
    the step is refused: the draft stays as it was.
    """
    row = await _draft_row(session, form_id, lock)
    form = _version(row).form
    changed = _unless_refused(field, lambda: step(form))
    row.title = changed.title
    row.definition = msgspec.json.decode(encode_form(changed))
    await session.flush()
    return changed


async def publish(session: AsyncSession, form_id: UUID, lock: int) -> None:
    """Have a draft be what is started from now on; it never changes again.

    Raises Invalid with each reason why it is not finished, Conflict for a draft changed since.
    """
    await _one_at_a_time(session)
    row = await _draft_row(session, form_id, lock)
    form = _version(row).form
    earlier = [one.form for one in await published_versions(session, row.key)]
    _unless_refused("", lambda: require_right(form, earlier))
    row.state = FormState.PUBLISHED.value
    _note(session, row)
    await session.flush()


async def retire(session: AsyncSession, form_id: UUID, lock: int) -> None:
    """Have a form be started no more; what was begun is finished. Publishing again brings it back.

    Raises Invalid for the CAF, without which no child is ready for a panel.
    """
    await _one_at_a_time(session)
    row = await _row(session, form_id)
    if row.version != lock:
        raise Conflict(())
    if row.key == CAF:
        raise Invalid.because(
            "", "The CAF cannot be retired: a panel asks for it. Publish a next version of it."
        )
    if row.state == FormState.DRAFT.value:
        raise Invalid.because("", "A draft is not retired. Throw it away instead.")
    rows = await session.scalars(
        select(Form).where(Form.key == row.key, Form.state == FormState.PUBLISHED.value)
    )
    for one in rows:
        one.state = FormState.RETIRED.value
        _note(session, one)
    await session.flush()


async def throw_away(session: AsyncSession, form_id: UUID, lock: int) -> None:
    """Have a draft be gone. Raises Conflict for one changed since it was read."""
    row = await _draft_row(session, form_id, lock)
    await session.delete(row)
    await session.flush()


async def _keep(session: AsyncSession, form: FormDefinition) -> UUID:
    row = Form(
        key=form.key,
        number=form.version,
        title=form.title,
        definition=msgspec.json.decode(encode_form(form)),
        state=FormState.DRAFT.value,
    )
    session.add(row)
    await session.flush()
    return row.id


async def _row(session: AsyncSession, form_id: UUID) -> Form:
    row = await session.get(Form, form_id)
    if row is None:
        raise NotFound(GONE)
    return row


async def _draft_row(session: AsyncSession, form_id: UUID, lock: int) -> Form:
    row = await session.get(Form, form_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(GONE)
    if row.version != lock:
        raise Conflict(())
    if row.state != FormState.DRAFT.value:
        raise Invalid.because(
            "", "This version is published, so it stays as it is. Make the next version of it."
        )
    return row


async def _draft_of(session: AsyncSession, key: str) -> Form | None:
    found: Form | None = await session.scalar(
        select(Form).where(Form.key == key, Form.state == FormState.DRAFT.value)
    )
    return found


async def _next_number(session: AsyncSession, key: str) -> int:
    newest = await session.scalar(
        select(Form.number).where(Form.key == key).order_by(Form.number.desc()).limit(1)
    )
    return (newest or 0) + 1


async def _one_at_a_time(session: AsyncSession) -> None:
    """Two who begin the next version of a form at once: the second finds the first one's draft."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('forms'))"))


def _version(row: Form) -> FormVersion:
    # A draft may be unfinished, so it is read as it is: what it needs is said at publishing.
    form = msgspec.convert(row.definition, FormDefinition)
    return FormVersion(row.id, form, FormState(row.state), row.version)


def _note(session: AsyncSession, row: Form) -> None:
    told = {"key": f"form.{row.key}", "to": {"number": row.number, "state": row.state}}
    record(session, Kind.SETTING_CHANGED, details=told)


def _unless_refused(field: str, work: Callable[[], Result]) -> Result:
    try:
        return work()
    except FormRefused as refused:
        raise Invalid.because(field, _together(refused.problems)) from refused


def _together(problems: Sequence[str]) -> str:
    """Every sentence in one, since a page shows one by a field; of very many the first."""
    more = len(problems) - MOST_SENTENCES
    listed = " ".join(problems[:MOST_SENTENCES])
    return f"{listed} And {more} more." if more > 0 else listed
