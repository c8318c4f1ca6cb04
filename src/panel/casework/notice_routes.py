"""What waits for me, how I am told of it, and my calendar."""

from datetime import date, time
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from panel.accounts.desk import FOR_ANYBODY, Desk
from panel.accounts.desk import OWN_TASKS as TASKS
from panel.accounts.providers import base_of
from panel.accounts.taking import Transaction, take_here
from panel.casework.digest import CHOICES, choice_of, choose
from panel.casework.feed import calendar_of, etag_of, make_feed, own_feed, revoke_feed
from panel.casework.notice_models import Digest
from panel.casework.quiet_rules import USUAL_FROM, USUAL_UNTIL
from panel.casework.tasks import TASK_KEY, Task, TaskKind, own_tasks
from panel.platform.problems import Invalid
from panel.web import words
from panel.web.forms import FieldErrors, Filled, Nothing, at_time, chosen
from panel.web.paging import read_cursor

FEED = "/calendar-feed"
KIND_WORDS = {
    TaskKind.ACTION: "An action that you are asked to do",
    TaskKind.REVIEW: "A review",
    TaskKind.OFFER: "An offer to be lead professional",
    TaskKind.REQUEST: "A request to see more",
    TaskKind.HANDOVER: "A handover to finish",
    TaskKind.NOTE: "Notes to a family to finish",
    TaskKind.MINUTES: "Minutes for a family to finish",
    TaskKind.CHASE: "An action of a colleague that is long overdue",
    TaskKind.INVITATION: "An invitation to a meeting to answer",
    TaskKind.TRANSITION: "A change to prepare",
    TaskKind.COVER: "A request to stand in as lead professional",
    TaskKind.MOVE: "A handover to another authority to send",
}
PAGES = {
    TaskKind.ACTION: "plan#actions",
    TaskKind.REVIEW: "panels",
    TaskKind.REQUEST: "sharing",
    TaskKind.HANDOVER: "lead-professional",
    TaskKind.NOTE: "panels",
    TaskKind.MINUTES: "meetings",
    TaskKind.CHASE: "plan#actions",
    TaskKind.INVITATION: "meetings",
    TaskKind.TRANSITION: "transitions",
    TaskKind.MOVE: "handover",
}
"""Where in the record each is done; offers and cover are answered on pages of their own."""


class ChoiceForm(msgspec.Struct, forbid_unknown_fields=True):
    """How somebody wants to be told."""

    version: int
    digest: Annotated[
        Literal["daily", "weekly", "off"], chosen("How often", missing="Select how often")
    ]
    quiet: Annotated[bool, chosen("Quiet hours")] = False
    quiet_from: Annotated[time | None, at_time("When quiet hours begin")] = None
    quiet_until: Annotated[time | None, at_time("When quiet hours end")] = None

    def hours(self) -> tuple[time, time] | None:
        """The quiet hours, None for none. Raises Invalid where one end is missing."""
        if not self.quiet:
            return None
        if self.quiet_from is None:
            raise Invalid.because("quiet_from", "Enter when quiet hours begin")
        if self.quiet_until is None:
            raise Invalid.because("quiet_until", "Enter when quiet hours end")
        return self.quiet_from, self.quiet_until


def task_href(task: Task) -> str:
    """Where a task is done."""
    if task.kind is TaskKind.OFFER:
        return f"/lead-professional/offers/{task.subject_id}"
    if task.kind is TaskKind.COVER:
        return f"/lead-professional/cover/{task.subject_id}"
    return f"/children/{task.child_id}/{PAGES[task.kind]}"


def task_row(task: Task, today: date) -> tuple[str, str, str, str, str]:
    """One line: where, of what kind, who, by when, and whether it is late."""
    due, late = f"Waits since {words.short_day(task.since_on)}", ""
    if task.due_on is not None:
        due = words.day_and_distance(task.due_on, today)
        late = "Overdue" if task.due_on < today else ""
    return task_href(task), KIND_WORDS[task.kind], task.who, due, late


@get(TASKS, include_in_schema=False)
async def my_tasks(desk: NamedDependency[Desk], page: FromQuery[str] = "") -> Response[str]:
    """What waits for me, the soonest first."""
    asked = read_cursor(page, TASK_KEY)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await own_tasks(desk.gate, session, desk.viewer, desk.purposes, asked)
    return desk.page(
        "casework/my_tasks.html",
        rows=[task_row(one, desk.today) for one in found.rows],
        note=found.note,
        previous=found.previous and f"{TASKS}?page={found.previous}",
        next=found.next and f"{TASKS}?page={found.next}",
        choices=CHOICES,
    )


@get(CHOICES, include_in_schema=False)
async def my_notices(desk: NamedDependency[Desk]) -> Response[Any]:
    """How I am told, and my calendar."""
    return await _notices(desk)


async def _notices(
    desk: Desk, errors: FieldErrors | None = None, *, address: str = ""
) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        chosen_now = await choice_of(session, desk.viewer.id)
        feed = await own_feed(session, desk.viewer.id)
    digest, hours, version = Digest.DAILY.value, (USUAL_FROM, USUAL_UNTIL), 0
    is_quiet = True
    if chosen_now is not None:
        digest, version = chosen_now.digest, chosen_now.version
        is_quiet = chosen_now.quiet_from is not None
        hours = (chosen_now.quiet_from or USUAL_FROM, chosen_now.quiet_until or USUAL_UNTIL)
    stored = {
        "digest": digest,
        "quiet": "yes" if is_quiet else "",
        "quiet_from": hours[0].strftime("%H:%M"),
        "quiet_until": hours[1].strftime("%H:%M"),
    }
    return desk.page(
        "casework/my_notices.html",
        status=200 if errors is None else 422,
        filled=Filled(stored, errors),
        version=version,
        has_feed=feed is not None,
        made="" if feed is None else words.day_and_time(feed.made_at),
        read="" if feed is None or feed.read_on is None else words.day(feed.read_on),
        address=address,
        action=CHOICES,
        back_href=TASKS,
    )


@post(CHOICES, include_in_schema=False)
async def save_notices(desk: NamedDependency[Desk]) -> Response[Any]:
    """Keep how I am told."""
    viewer = desk.viewer

    async def work(here: Transaction, form: ChoiceForm) -> None:
        await choose(here.session, viewer.id, form.version, Digest(form.digest), form.hours())

    return await take_here(
        desk, ChoiceForm, work, CHOICES, again=lambda errors: _notices(desk, errors)
    )


@post(f"{CHOICES}/calendar", include_in_schema=False)
async def make_calendar(desk: NamedDependency[Desk]) -> Response[Any]:
    """A new address for my calendar, shown this once."""
    viewer, made = desk.viewer, list[str]()

    async def work(here: Transaction, _form: Nothing) -> None:
        made.append(await make_feed(here.session, viewer.id))

    answer = await take_here(desk, Nothing, work, CHOICES)
    if not made:
        return answer
    base = base_of(desk.tenant.record, desk.site.url)
    return await _notices(desk, address=f"{base}{FEED}/{made[0]}")


@post(f"{CHOICES}/calendar/revoke", include_in_schema=False)
async def revoke_calendar(desk: NamedDependency[Desk]) -> Response[Any]:
    """The address of my calendar opens nothing any more."""
    viewer = desk.viewer

    async def work(here: Transaction, _form: Nothing) -> None:
        await revoke_feed(here.session, viewer.id)

    return await take_here(desk, Nothing, work, CHOICES)


@get(f"{FEED}/{{token:str}}", include_in_schema=False, opt=FOR_ANYBODY)
async def calendar_feed(
    desk: NamedDependency[Desk], request: Request[Any, Any, Any], token: FromPath[str]
) -> Response[bytes]:
    """A worker's calendar, for a program that has its address."""
    content = await calendar_of(desk.tenant, token)
    etag = etag_of(content)
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    asked = {one.strip() for one in request.headers.get("if-none-match", "").split(",")}
    if etag in asked:
        return Response(b"", status_code=304, headers=headers, media_type="text/calendar")
    return Response(content, headers=headers, media_type="text/calendar; charset=utf-8")


HANDLERS = [
    my_tasks,
    my_notices,
    save_notices,
    make_calendar,
    revoke_calendar,
    calendar_feed,
]
