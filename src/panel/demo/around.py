"""Three families who meet around a table: one in IMPACT, one who begins, one who stepped down.

Everybody acts through the services as themselves. Taken from the children whose review is not near,
so that no agenda of the year loses anybody.
"""

from dataclasses import dataclass
from datetime import date, time, timedelta
from uuid import UUID

from panel.accounts.models import DemoPersona
from panel.accounts.service import SignedIn
from panel.demo.crew import Crew, crew_of_the_past
from panel.demo.safeguards import Written, Year
from panel.impact.answers import Signature, own_minutes, sign
from panel.impact.invitations import Sender, invite, send_invitations
from panel.impact.meetings import (
    Held,
    WhenWhere,
    Wishes,
    ask_family,
    call_meeting,
    hold_meeting,
    meeting_row,
    meeting_to_change,
    plan_meeting,
    say_wishes,
)
from panel.impact.minutes import (
    Copy,
    keep_mark,
    minutes_of,
    read_minutes,
    save_minutes,
    send_minutes,
)
from panel.impact.rules import Kind
from panel.impact.steps import PURPOSES, Read, move_step, step_now
from panel.impact.views import Said, decide, write_view
from panel.panels.note_context import gather_for_plan
from panel.plans.service import ActionWords, PlanReading, plan_for_reading
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.dates import months_after

MOST_SINCE = timedelta(days=75)
"""How long ago the panel talked about those who are taken, at most: their review is far away."""
SENDER = Sender("https://panel.example", "no-reply@panel.example")
SATURDAY = 5
WHY_UP = (
    "Five services visit the family each week, and nobody sees the whole. They asked for one table."
)
WHY_DOWN = "One plan, one key worker and fewer visits. The family says that CONTACTS is enough now."
WISHES = Wishes(
    "My sister comes too. Please not more than six people.",
    "",
    "part",
    "After ten, when the others are at school. Somewhere we can make tea.",
)
MEETS = "parent-3"
MOTHER = "A mother who meets with everybody around a table"
DOING = "organised a meeting around the family"


@dataclass(frozen=True, slots=True)
class Talk:
    """What was said and decided at a meeting."""

    own: str
    theirs: str
    decision: str
    action: str


FIRST = Talk(
    "I want fewer people in the house. One who knows us is better than five who ask.",
    "All five visits are needed, but they can come on two days.",
    "The visits are put on two days of the week.",
    "Put the visits on two days",
)
SECOND = Talk(
    "Two days are better. I still say the same things to three people.",
    "We can read what the others wrote before we come.",
    "Whoever comes reads the notes of the last visit first.",
    "Write one short note after each visit",
)


async def meet_around(tenant: Tenant, year: Year, *, seed: int) -> None:
    """Let the three families meet."""
    crew = await crew_of_the_past(tenant, seed)
    today = crew.today
    found = [one for one in year.children if _may_meet(crew, one, today)][:3]
    for one, story in zip(found, (_meets, _begins, _steps_down), strict=False):
        await story(crew, one, today)


def _workday(day: date) -> date:
    """The day itself, or the Monday after a weekend: nobody meets on a Sunday."""
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() >= SATURDAY else 0)


def _may_meet(crew: Crew, one: Written, today: date) -> bool:
    story = one.story
    last = story.last_discussed_on
    return (
        story.shape == "usual"
        and story.closed_on is None
        and story.ready_on is not None
        and story.lead in crew.workers
        and story.sharing.kind == "agreed"
        and last is not None
        and timedelta(days=35) <= today - last <= MOST_SINCE
    )


async def _move(crew: Crew, one: Written, to: Kind, why: str) -> None:
    async with crew.gate.open(one.child_id, _lead(crew, one).viewer, PURPOSES, DOING) as access:
        now = await step_now(access)
        if now is not None:
            await move_step(access, to, crew.today, why, Read(now.id, now.version))


def _lead(crew: Crew, one: Written) -> SignedIn:
    return crew.workers[one.story.lead]


async def _meets(crew: Crew, one: Written, today: date) -> None:
    """Three meetings: two held, the first with a disagreement and minutes that the mother signed.

    The minutes of the second wait for her, who signs in to the demonstration as herself.
    """
    crew.at(today - timedelta(days=28), 9)
    await _move(crew, one, Kind.IMPACT, WHY_UP)
    second, third = _workday(today - timedelta(days=6)), _workday(today + timedelta(days=14))
    first = await _hold_one(crew, one, _workday(today - timedelta(days=16)), FIRST, second)
    await _minutes(crew, one, first)
    await _sign(crew, one)
    await _minutes(crew, one, await _hold_one(crew, one, second, SECOND, third))
    async with crew.tenant.transaction(JOB) as session:
        session.add(DemoPersona(id=MEETS, viewer_id=one.mother, kind="family", role_words=MOTHER))
    crew.at(today, 9)
    async with crew.gate.open(one.child_id, _lead(crew, one).viewer, PURPOSES, DOING) as access:
        when = WhenWhere(third, time(10, 30), 60, "in_person", "Marlow Centre")
        row = await plan_meeting(access, when)
        await invite(access, row, [one.mother, _lead(crew, one).viewer.id])
        await ask_family(access, row, row.version, WISHES, crew.today, "")
        await call_meeting(access, row, row.version, 2)
        await send_invitations(access, row, SENDER)


async def _begins(crew: Crew, one: Written, today: date) -> None:
    """Stepped up last week; the first meeting is being planned with the family."""
    crew.at(today - timedelta(days=7), 10)
    await _move(crew, one, Kind.IMPACT, WHY_UP)
    async with crew.gate.open(one.child_id, _lead(crew, one).viewer, PURPOSES, DOING) as access:
        when = WhenWhere(_workday(today + timedelta(days=7)), time(11, 0), 90, "online", "")
        row = await plan_meeting(access, when)
        await invite(access, row, [one.mother])
        meeting, version = row.id, row.version
    async with crew.at_home(one.child_id, one.mother, "said how they want a meeting") as access:
        await say_wishes(access, meeting, version, WISHES)
    crew.at(today, 9)


async def _steps_down(crew: Crew, one: Written, today: date) -> None:
    """A month in IMPACT, then down again: the next review is placed from that day."""
    crew.at(months_after(today, -1), 9)
    await _move(crew, one, Kind.IMPACT, WHY_UP)
    crew.at(today - timedelta(days=2), 15)
    await _move(crew, one, Kind.CONTACTS, WHY_DOWN)
    crew.at(today, 9)


async def _hold_one(crew: Crew, one: Written, day: date, talk: Talk, again: date) -> UUID:
    """A meeting that was held on a day, with two views that differ, and a decision."""
    lead = _lead(crew, one).viewer
    crew.at(day - timedelta(days=7), 9)
    async with crew.gate.open(one.child_id, lead, PURPOSES, DOING) as access:
        row = await plan_meeting(access, WhenWhere(day, time(10, 30), 60, "home", "At home"))
        invited = await invite(access, row, [one.mother, lead.id])
        await ask_family(access, row, row.version, WISHES, crew.today, "")
        await call_meeting(access, row, row.version, len(invited))
        await send_invitations(access, row, SENDER)
        meeting = row.id
    crew.at(day, 12)
    async with crew.gate.open(one.child_id, lead, PURPOSES, DOING) as access:
        row = await meeting_to_change(access, meeting)
        plan = await plan_for_reading(access)
        outcome = plan.outcomes[0].id if isinstance(plan, PlanReading) and plan.outcomes else None
        await write_view(access, row, Said(one.mother, talk.own, outcome))
        await write_view(access, row, Said(lead.id, talk.theirs, outcome))
        if outcome is not None:
            words = ActionWords(
                talk.action, outcome, lead.id, due_on=_workday(day + timedelta(days=30))
            )
            await decide(access, row, outcome, talk.decision, words)
        came = frozenset(each.id for each in invited)
        await hold_meeting(access, row, row.version, Held(came, again))
    return meeting


async def _minutes(crew: Crew, one: Written, meeting: UUID) -> None:
    """Minutes as they are drafted, with a reason for what is marked and stays."""
    lead = _lead(crew, one).viewer
    gathered = await gather_for_plan(crew.tenant, one.child_id)
    crew.later(60)
    async with crew.gate.open(one.child_id, lead, PURPOSES, "wrote the minutes") as access:
        of = await minutes_of(access, await meeting_row(access, meeting), gathered)
        page = await read_minutes(of)
        row = await save_minutes(of, page.minutes.text or "", 0)
        for mark in page.open_marks:
            if mark.may_be_kept:
                await keep_mark(
                    of, mark.kind.value, mark.words, "They read it together.", row.version
                )
        if any(not mark.may_be_kept for mark in page.open_marks):
            return
        copies = [Copy(each.person) for each in of.recipients]
        await send_minutes(of, copies, row.version)


async def _sign(crew: Crew, one: Written) -> None:
    """The mother does not agree, and signs that."""
    crew.later(300)
    async with crew.at_home(one.child_id, one.mother, "signed the minutes") as access:
        for own in await own_minutes(access):
            given = Signature(
                "disagree", "Two days is still a lot.", one.story.mother, is_ticked=True
            )
            await sign(access, own.id, given)
