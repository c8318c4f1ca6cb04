"""The pages of a family's letter: read before it goes, approved, printed, posted."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from panel.accounts.desk import Desk
from panel.accounts.taking import take
from panel.allocation.letter_service import (
    LetterDraft,
    approve_letter,
    copy_of,
    draft_letter,
    letter_on_paper,
    request_to_write_about,
    send_again,
    send_letters,
    settle_letters,
    was_posted,
)
from panel.allocation.request_pages import address_of
from panel.allocation.request_routes import REQUEST, work_on
from panel.panels.note_context import gather_for_plan
from panel.panels.note_printing import printed
from panel.panels.note_routes import Mailbox
from panel.panels.note_rules import Way
from panel.panels.reading_age import AIM
from panel.panels.still_may_go import still_may_go
from panel.platform.outbox import send_due
from panel.platform.problems import Invalid, NotAllowed
from panel.records.child_scoped import JOB
from panel.records.gate import Access
from panel.register.header import child_header
from panel.web.forms import FieldErrors, Filled, Nothing, chosen, line, paragraphs, read_form

LETTER = f"{REQUEST}/letter"
COPY = f"{LETTER}/{{copy_id:uuid}}"
WAYS = [(Way.EMAIL.value, "An e-mail that says where to read it"), (Way.LETTER.value, "By post")]


class WayForm(msgspec.Struct, forbid_unknown_fields=True):
    """Send a copy once more, this way."""

    way: Annotated[Way, chosen("Way", missing="Choose how it goes")]


class LetterForm(msgspec.Struct, forbid_unknown_fields=True):
    """The approval: of which decision, as it was read, and why marked words stay."""

    decision: UUID
    kept_why: Annotated[str, paragraphs("Why the family may read them", at_most=1_000)] = ""
    as_read: Annotated[str, line("The letter as it was read", at_most=100)] = ""


class Approval(msgspec.Struct):
    """The approval, and how the letter goes to each who gets it, by their place on the page."""

    form: LetterForm
    ways: dict[int, Way]


def read_approval(fields: Sequence[tuple[str, object]]) -> Approval | FieldErrors:
    """The approval as posted: a choice `way-0`, `way-1` … for each who gets it."""
    known = {one.value: one for one in Way}
    ways: dict[int, Way] = {}
    rest = []
    for name, value in fields:
        place = name.removeprefix("way-")
        chosen = known.get(str(value))
        if name.startswith("way-") and place.isdecimal() and len(place) < 4 and chosen is not None:
            ways[int(place)] = chosen
        elif name.startswith("way-") and value == "":
            continue
        else:
            rest.append((name, value))
    read = read_form(LetterForm, rest)
    return read if isinstance(read, FieldErrors) else Approval(read, ways)


@dataclass(frozen=True, slots=True)
class _Drafted:
    """A letter as it stands now, and whose access reads it."""

    access: Access
    draft: LetterDraft

    @property
    def session(self) -> AsyncSession:
        """The transaction."""
        return self.access.session


@asynccontextmanager
async def _drafted(
    desk: Desk, child_id: UUID, need_id: UUID, doing: str
) -> AsyncIterator[_Drafted]:
    """The letter, compared with what is gathered for who may write it, and for nobody else."""
    async with desk.open(child_id, doing) as access:
        await request_to_write_about(access, need_id)
    # Between the two, so that no transaction waits for another connection.
    gathered = await gather_for_plan(desk.tenant, child_id)
    async with desk.open(child_id, doing) as access:
        yield _Drafted(access, await draft_letter(access, gathered, need_id))


async def _page(
    desk: Desk, child_id: UUID, need_id: UUID, errors: FieldErrors | None = None
) -> Response[Any]:
    async with _drafted(desk, child_id, need_id, "read the letter about a decision") as at:
        draft = at.draft
        stored = {f"way-{place}": one.way for place, one in enumerate(draft.gets)}
        return desk.page(
            "allocation/letter.html",
            status=200 if errors is None else 422,
            header=await child_header(at.access),
            here="requests",
            draft=draft,
            paragraphs=draft.body.split("\n\n"),
            back=address_of(child_id, need_id),
            ways=WAYS,
            aim=AIM,
            filled=Filled(stored, errors),
        )


@get(LETTER, include_in_schema=False)
async def letter_page(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], need_id: FromPath[UUID]
) -> Response[Any]:
    """The letter as the family will read it, what is marked in it, and who gets it."""
    return await _page(desk, child_id, need_id)


@post(LETTER, include_in_schema=False)
async def approved(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], need_id: FromPath[UUID]
) -> Response[Any]:
    """Approve it: it goes out at once, or with the next round of the scheduler."""

    taken: list[UUID] = []

    async def work(at: _Drafted, said: Approval) -> None:
        form, gets = said.form, at.draft.gets
        # The ways are told by place: among other people they would be somebody else's.
        if form.decision == at.draft.decision.id and form.as_read != at.draft.as_read:
            sentence = "The letter, or who gets it, changed since you read it. Read it again"
            raise Invalid.because("", sentence)
        if any(place >= len(gets) for place in said.ways):
            raise Invalid.because("", "This form is not from this page. Reload it and try again")
        ways = {gets[place].who.person: way for place, way in said.ways.items()}
        letter = await approve_letter(
            at.access, at.draft, decision_id=form.decision, ways=ways, kept_why=form.kept_why
        )
        taken.append(letter.id)

    answer = await take(
        desk,
        read_approval,
        partial(_drafted, desk, child_id, need_id, "approved the letter about a decision"),
        work,
        f"{address_of(child_id, need_id)}#letter",
        again=partial(_page, desk, child_id, need_id),
    )
    # What was refused sends nothing, not even what waits of others.
    if taken:
        await _send(desk)
    return answer


async def _send(desk: Desk) -> None:
    """The scheduler does the same every minute: whatever stops here goes out all the same."""
    await send_letters(desk.gate, desk.site.url)
    if desk.tenant.record.demo:
        async with desk.tenant.transaction(JOB) as session:
            may_go = still_may_go(desk.tenant, desk.site.url)
            await send_due(session, Mailbox(), desk.now, may_go=may_go)
            await settle_letters(session)


@get(COPY, include_in_schema=False)
async def print_copy(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    need_id: FromPath[UUID],
    copy_id: FromPath[UUID],
) -> Response[bytes]:
    """The copy to print, for somebody who may see the decision and the address."""
    async with desk.open(child_id, "printed the letter about a decision") as access:
        await copy_of(access, need_id, copy_id)
        if not access.may(Category.PANEL) or not access.may(Category.CONTACT):
            raise NotAllowed(
                "You cannot see the address on this letter.",
                "Somebody who may see the family’s contact details prints it.",
            )
    async with desk.tenant.transaction(JOB) as session:
        may_go = still_may_go(desk.tenant, desk.site.url)
        found = await letter_on_paper(session, copy_id, may_go)
    return await printed(desk, found, "letter-from-the-panel.pdf")


@post(f"{COPY}/posted", include_in_schema=False)
async def posted_copy(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    need_id: FromPath[UUID],
    copy_id: FromPath[UUID],
) -> Response[Any]:
    """A copy on paper was posted, or handed over."""

    async def work(access: Access, _form: Nothing) -> None:
        access.require_write()
        await copy_of(access, need_id, copy_id)

    answer = await take(
        desk,
        Nothing,
        partial(desk.open, child_id, "posted the letter about a decision"),
        work,
        f"{address_of(child_id, need_id)}#letter",
    )
    async with desk.tenant.transaction(JOB) as session:
        await was_posted(session, copy_id)
    return answer


@post(f"{COPY}/again", include_in_schema=False)
async def copy_again(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    need_id: FromPath[UUID],
    copy_id: FromPath[UUID],
) -> Response[Any]:
    """A copy that could not go is tried again, in the way that is chosen now."""

    async def work(access: Access, form: WayForm) -> None:
        await send_again(access, need_id, copy_id, form.way)

    doing = "sent the letter about a decision again"
    answer = await work_on(desk, (child_id, need_id), WayForm, work, "letter", doing)
    await _send(desk)
    return answer


HANDLERS = [letter_page, approved, print_copy, posted_copy, copy_again]
