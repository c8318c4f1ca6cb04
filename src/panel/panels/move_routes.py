"""An entry on the wrong child: the rehearsal of its move, the move, and the steps that follow."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Purpose
from panel.accounts.desk import Desk, go
from panel.accounts.taking import take
from panel.panels.meeting_forms import MoveForm
from panel.panels.meeting_reading import MeetingView, meeting_view
from panel.panels.move_pages import move_page, moved_page
from panel.panels.moving import (
    entry_to_move,
    incident_of,
    move_entry,
    seen_meanwhile,
    take_step_of_entry,
)
from panel.panels.note_forms import StepForm
from panel.panels.note_rules import Step
from panel.panels.note_sending import stop_recalled
from panel.panels.run import panel_run_by
from panel.panels.shared_view import SharedView
from panel.platform.problems import Invalid, NotFound
from panel.records.child_scoped import JOB
from panel.records.gate import NOT_HERE, Access
from panel.web.forms import FieldErrors, Filled

ENTRY = "/panels/{key:str}/{held_on:date}/meeting/{child_id:uuid}/entries/{entry_id:uuid}"
LOOKED, MOVED = "looked at moving an entry to another child", "moved an entry to another child"


@dataclass(frozen=True, slots=True)
class _Where:
    """A meeting, for who runs its panel, in one transaction."""

    desk: Desk
    session: AsyncSession
    view: MeetingView

    @property
    def base(self) -> str:
        return f"/panels/{self.view.panel.key}/{self.view.meeting.held_on}"

    @property
    def names(self) -> dict[UUID, str]:
        """The children of the agenda whom the viewer may open."""
        return {one.fact.child_id: one.name for one in self.view.children}

    async def access(self, child_id: UUID, doing: str) -> Access:
        """The record of a child of the agenda. Raises NotFound."""
        if child_id not in self.names:
            raise NotFound(NOT_HERE)
        opened = await self.desk.gate.open_here(
            self.session, [child_id], self.desk.viewer, Purpose.PANEL, doing
        )
        if child_id not in opened:
            raise NotFound(NOT_HERE)
        return opened[child_id]


@asynccontextmanager
async def _at_meeting(desk: Desk, key: str, day: date) -> AsyncIterator[_Where]:
    """The meeting. Raises NotFound, and NotAllowed for who does not run its panel."""
    async with desk.tenant.transaction(desk.viewer.id) as session:
        panel = await panel_run_by(desk, session, key)
        yield _Where(desk, session, await meeting_view(desk.gate, session, panel, day, desk.viewer))


async def _rehearsal(
    where: _Where,
    child_id: UUID,
    entry_id: UUID,
    to: UUID | None,
    errors: FieldErrors | None = None,
) -> Response[str]:
    """What would move and what follows; without a child to move it to, the choice of one."""
    access = await where.access(child_id, LOOKED)
    entry = await entry_to_move(access, where.view.meeting, entry_id)
    # It is opened from the screen that everybody at the meeting sees.
    on_screen = SharedView(access, where.view.views[child_id].table)
    shown = move_page(
        entry,
        await seen_meanwhile(entry),
        where.names,
        to if to in where.names and to != child_id else None,
        where.base,
        where.view.panel.name,
        for_all=on_screen.may(entry.category, entry.author_agency),
    )
    return where.desk.page(
        "panels/move.html",
        status=200 if errors is None else 422,
        shown=shown,
        filled=Filled({}, errors),
    )


@get(f"{ENTRY}/move", include_in_schema=False)
async def rehearse_move(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
    entry_id: FromPath[UUID],
    to: FromQuery[str] = "",
    see: FromQuery[str] = "",
) -> Response[str]:
    """First to whom; then what moves, who could see it meanwhile, and what follows."""
    async with _at_meeting(desk, key, held_on) as where:
        chosen = next((one for one in where.names if str(one) == to.strip().lower()), None)
        errors = None
        if (to or see) and (chosen is None or chosen == child_id):
            errors = FieldErrors({"to": "Choose the child whom it is about"}, {"to": [to]})
        return await _rehearsal(where, child_id, entry_id, chosen, errors)


@post(f"{ENTRY}/move", include_in_schema=False)
async def move(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
    entry_id: FromPath[UUID],
) -> Response[Any]:
    """Move it, with a reason."""
    posted = await desk.posted()
    form = posted.read(MoveForm)
    if isinstance(form, FieldErrors):
        async with _at_meeting(desk, key, held_on) as where:
            to = next((one for one in where.names if str(one) == posted.text("to")), None)
            return await _rehearsal(where, child_id, entry_id, to, form)
    location = f"/panels/{key}/{held_on}/meeting/{form.to}/entries"
    try:
        async with _at_meeting(desk, key, held_on) as where:
            wrong = await where.access(child_id, MOVED)
            right = await where.access(form.to, MOVED)
            entry = await entry_to_move(wrong, where.view.meeting, entry_id)
            if not await desk.first_time(where.session, posted, location):
                return go(f"/panels/{key}/{held_on}/minutes")
            moved = await move_entry(entry, right, where.view.table, form.why)
    except Invalid as wrong_form:
        errors = posted.refused(wrong_form.errors)
        async with _at_meeting(desk, key, held_on) as where:
            return await _rehearsal(where, child_id, entry_id, form.to, errors)
    if moved.recalled:
        async with desk.tenant.transaction(JOB) as session:
            await stop_recalled(session)
    return go(f"{location}/{moved.entry_id}/moved")


@get(f"{ENTRY}/moved", include_in_schema=False)
async def moved_entry(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
    entry_id: FromPath[UUID],
) -> Response[str]:
    """What was done, who could see it, and the steps that follow."""
    async with _at_meeting(desk, key, held_on) as where:
        access = await where.access(child_id, "saw to an entry that was on another child")
        incident = await incident_of(access, where.view.meeting, entry_id)
        shown = moved_page(
            incident,
            where.base,
            where.view.panel.name,
            held_on,
            where.names[child_id],
            desk.now,
        )
        return desk.page("panels/moved.html", shown=shown)


@post(f"{ENTRY}/moved", include_in_schema=False)
async def moved_step(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
    entry_id: FromPath[UUID],
) -> Response[Any]:
    """A step that follows is done today."""

    async def work(where: _Where, form: StepForm) -> None:
        access = await where.access(child_id, "saw to an entry that was on another child")
        await take_step_of_entry(access, where.view.meeting, entry_id, Step(form.step))

    opens = partial(_at_meeting, desk, key, held_on)
    to = f"/panels/{key}/{held_on}/meeting/{child_id}/entries/{entry_id}/moved"
    return await take(desk, StepForm, opens, work, to)


HANDLERS = [rehearse_move, move, moved_entry, moved_step]
