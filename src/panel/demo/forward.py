"""The invented year goes on by itself at speed: day after day, through the services alone.

Every working day the people of the invented authority do what is due: children come, what is
missing is asked for and given, agendas are frozen, meetings held, notes written, sent, read and
answered, actions done or missed, and some children leave. What must hold is looked at after each
meeting (`invariants`). The same seed tells the same story; what differs is ids and ciphertext.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import func, select

from panel.demo.aftermath import (
    families_read,
    post_goes_out,
    reply_to_questions,
    send_what_came_back,
    something_went_wrong,
    write_notes,
)
from panel.demo.casework import (
    children_come,
    come_again,
    do_actions,
    give,
    some_leave,
    somebody_leaves,
)
from panel.demo.crew import Crew
from panel.demo.invariants import Figures, check, figures_of
from panel.demo.sittings import (
    Sitting,
    after_the_freeze,
    arrange_agenda,
    ask_families,
    ask_for_what_is_missing,
    change_day,
    freeze_agenda,
    next_day,
    prepared_for,
    something_happens,
)
from panel.demo.terms import calendar_file
from panel.panels.calendar import import_terms, load_calendar, meeting_on
from panel.panels.models import AgendaItem, Meeting, Referral
from panel.panels.rules import Part
from panel.platform.clock import FixedClock
from panel.records.dates import is_working_day, working_days_after, working_days_before
from panel.records.gate import Gate
from panel.register.models import Child
from panel.web.words import plural, short_day

AHEAD = timedelta(days=400)
"""The authority's next school year is imported before its calendar ends within so many days."""
LEAVERS = {5: "lena", 14: "mo", 21: "ivy"}
"""Who leaves after how many meetings: a manager of the agency takes their plans over."""
SETTLED = 9
"""Working days after a meeting: when its notes were sent or are late, when families have read."""

Say = Callable[[str], None]


@dataclass(slots=True)
class Told:
    """What happened, in numbers."""

    meetings: list[Figures] = field(default_factory=list)
    without_quorum: int = 0
    moved: int = 0
    cancelled: int = 0
    referred: int = 0
    left: int = 0
    asked: int = 0
    actions_done: int = 0
    plans_moved: int = 0
    came_back: int = 0
    recalled: int = 0
    checked: int = 0
    """How often an invariant was looked at."""

    def lines(self) -> list[str]:
        """The summary."""
        total = {
            name: sum(getattr(one, name) for one in self.meetings)
            for name in (
                "discussed", "not_reached", "copies_sent", "held_back", "not_delivered", "read",
                "disagreed",
            )
        }  # fmt: skip
        held = (
            f"{plural(len(self.meetings), 'meeting')}, {self.without_quorum} without a quorum,"
            f" {self.moved} moved, {self.cancelled} cancelled:"
            f" {total['discussed']} discussed, {total['not_reached']} not reached."
        )
        between = (
            f"{self.referred} referred, {self.left} left; what is missing was asked for"
            f" {self.asked} times; {plural(self.actions_done, 'action')} done;"
            f" {plural(self.plans_moved, 'plan')} moved with people who left."
        )
        notes = (
            f"Notes: {total['copies_sent']} sent, {total['held_back']} held back,"
            f" {total['not_delivered']} not delivered, {self.came_back} came back and went by"
            f" letter, {self.recalled} recalled; {total['read']} read,"
            f" {total['disagreed']} disagreed."
        )
        return [held, between, notes, f"Every invariant held: {self.checked} looks."]


async def fast_forward(
    gate: Gate, clock: FixedClock, *, seed: int, meetings: int, site_url: str, say: Say
) -> Told:
    """Play so many meetings of the CONTACTS panel from today on, and the days between them.

    A run after another goes on from the last meeting. Raises InvariantBroken with the sentences.
    """
    crew = Crew(gate, clock, seed, site_url)
    story = _Story(crew, say, meetings)
    await story.begin()
    while not story.is_over:
        await story.one_more_day()
    return story.told


class _Story:
    """The story, one day after another."""

    def __init__(self, crew: Crew, say: Say, meetings: int) -> None:
        self.crew = crew
        self.say = say
        self.meetings = meetings
        self.told = Told()
        self.day = crew.today
        self.coming: date | None = None
        """The next meeting."""
        self.last: date | None = None
        """The meeting whose aftermath goes on."""
        self.number = 0
        """Of the next meeting, counted over every run."""
        self.moved: set[date] = set()
        """Days to which a meeting was moved: it is not moved again."""
        self.somebody_left = False
        """Whether fewer come to work tomorrow."""

    @property
    def is_over(self) -> bool:
        """Whether so many meetings were held, and their aftermath is over."""
        return len(self.told.meetings) >= self.meetings

    async def begin(self) -> None:
        """Find out where the year stands."""
        crew = self.crew
        async with crew.as_job() as (session, panel):
            held = await session.scalar(
                select(func.max(Meeting.held_on)).where(
                    Meeting.panel_id == panel.id, Meeting.ended_at.is_not(None)
                )
            )
            self.number = (
                await session.scalar(
                    select(func.count()).where(
                        Meeting.panel_id == panel.id, Meeting.ended_at.is_not(None)
                    )
                )
                or 0
            )
        if held is not None and held >= self.day:
            crew.at(held + timedelta(days=1), 9)
            await crew.come_to_work()
            following = await next_day(crew) or date.max
            self.day = min(working_days_after(held, SETTLED) + timedelta(days=1), following)
        crew.at(self.day, 9)
        await crew.come_to_work()
        await self._keep_terms()
        await self._look_ahead()

    async def _keep_terms(self) -> None:
        """Import the next school year before the calendar ends."""
        async with self.crew.as_job() as (session, _):
            ends_on = (await load_calendar(session)).ends_on
            if ends_on is not None and ends_on - self.day < AHEAD:
                await import_terms(session, calendar_file(range(ends_on.year, ends_on.year + 1)))

    async def _look_ahead(self) -> None:
        self.coming = await next_day(self.crew)

    async def one_more_day(self) -> None:
        """Everything that happens on one day."""
        if self.coming is None:
            await self._keep_terms()
            await self._look_ahead()
        if self.coming is not None and (is_working_day(self.day) or self.day == self.coming):
            self.crew.at(self.day, 9)
            if self.somebody_left:
                await self.crew.come_to_work()
                self.somebody_left = False
            if self.day == self.coming:
                await self._meet(self.coming)
            else:
                await self._work(self.coming)
            self.crew.at(self.day, 17)
            await post_goes_out(self.crew)
            await self._close_the_day()
        self.day += timedelta(days=1)

    # Between meetings -----------------------------------------------------------------------

    async def _work(self, coming: date) -> None:
        crew = self.crew
        closes = working_days_before(coming, 5)
        if self.last is not None:
            await self._after(self.last)
        self.told.came_back += await send_what_came_back(crew)
        await families_read(crew)
        await reply_to_questions(crew)
        if self.day.weekday() == 0:
            self.told.actions_done += await do_actions(crew)
            await self._keep_terms()
        if self.day < closes:
            await self._before(coming, closes)
        elif self.day == closes or (self.day > closes and not await self._is_frozen(coming)):
            await self._freeze(coming)
        elif self.day == working_days_before(coming, 2):
            if crew.happens(0.04, "cancelled late", coming):
                await self._cancel(coming, "Snow: nobody can come.")
            else:
                await after_the_freeze(crew, coming)

    async def _before(self, coming: date, closes: date) -> None:
        """What is missing is asked for and given; families are asked; now and then days change."""
        crew = self.crew
        if self.day == working_days_before(closes, 4):
            if await self._other_day(coming):
                return
            luck = crew.luck("come", coming)
            self.told.referred += await children_come(crew, luck.randint(1, 5))
            self.told.referred += await come_again(crew, 2)
        if self.day in (working_days_before(closes, 3), working_days_before(closes, 1)):
            self.told.asked += await ask_for_what_is_missing(crew, coming)
        if self.day == working_days_before(closes, 2):
            await something_happens(crew, coming)
            await ask_families(crew, coming)
        if (closes - self.day).days % 2:
            await self._missing_is_given(coming)

    async def _missing_is_given(self, coming: date) -> None:
        crew = self.crew
        prepared = await prepared_for(crew, coming)
        for one in prepared.agenda.not_ready:
            fact = prepared.facts[one.candidate.child_id]
            for debt in one.missing:
                likely = 0.15 if debt.what is Part.SHARING else 0.7
                if crew.happens(likely, "gives", fact.reference, debt.what, self.day):
                    await give(crew, fact, debt.what)

    async def _other_day(self, coming: date) -> bool:
        """Now and then a meeting is moved by a day, or cancelled; whether it was."""
        if coming in self.moved:
            return False
        fate = self.crew.luck("another day", coming).random()
        if fate < 0.07:
            return await self._cancel(coming, "The building is closed.")
        to = coming + timedelta(days=1)
        if fate > 0.15 or not is_working_day(to):
            return False
        if not await change_day(self.crew, coming, to, "The room is taken."):
            return False
        self.moved.add(to)
        self.told.moved += 1
        self.say(f"{short_day(coming)}: moved to {short_day(to)}")
        await self._look_ahead()
        return True

    async def _cancel(self, coming: date, why: str) -> bool:
        if not await change_day(self.crew, coming, None, why):
            return False
        self.told.cancelled += 1
        self.say(f"{short_day(coming)}: cancelled")
        await self._look_ahead()
        self.told.checked += await check(self.crew)
        return True

    async def _is_frozen(self, coming: date) -> bool:
        async with self.crew.as_job() as (session, panel):
            return (await meeting_on(session, panel, coming)).frozen_at is not None

    async def _freeze(self, coming: date, hour: int = 16) -> None:
        self.crew.at(self.day, hour)
        await arrange_agenda(self.crew, coming)
        await freeze_agenda(self.crew, coming)

    # A meeting and what follows -------------------------------------------------------------

    async def _meet(self, coming: date) -> None:
        if self.last is not None and not self._is_settled(self.last):
            self.told.checked += await check(self.crew)
            await self._settle(self.last)
            if self.is_over:
                return
        if not await self._is_frozen(coming):
            await self._freeze(coming, 8)
        held = await Sitting(self.crew, coming).hold()
        self.told.without_quorum += not held.quorate
        self.number += 1
        self.last = coming
        await self._look_ahead()
        self.told.checked += await check(self.crew)
        if (key := LEAVERS.get(self.number)) in self.crew.workers:
            self.crew.at(self.day, 15)
            self.told.plans_moved += await somebody_leaves(self.crew, key)
            self.somebody_left = True

    async def _after(self, last: date) -> None:
        """Notes, what went wrong with them, and who leaves the panel."""
        await write_notes(self.crew, last)
        if self.day == working_days_after(last, 4):
            self.told.recalled += await something_went_wrong(self.crew, last)
        if self.day == working_days_after(last, 3):
            self.told.left += await some_leave(self.crew, await self._discussed(last))

    async def _discussed(self, last: date) -> list[tuple[UUID, str, int]]:
        """Who was talked about at a meeting and is before the panel still, and how often so far."""
        async with self.crew.as_job() as (session, panel):
            times = (
                select(func.count())
                .where(AgendaItem.child_id == Referral.child_id, AgendaItem.state == "discussed")
                .scalar_subquery()
            )
            rows = await session.execute(
                select(Child.id, Child.reference, times)
                .join(Referral, Referral.child_id == Child.id)
                .where(
                    Referral.panel_id == panel.id,
                    Referral.state != "closed",
                    Referral.last_discussed_on == last,
                )
                .order_by(Child.reference)
            )
            return [(child, reference, often) for child, reference, often in rows]

    async def _close_the_day(self) -> None:
        if self.last is None or self._is_settled(self.last):
            return
        if self.day == working_days_after(self.last, SETTLED):
            self.told.checked += await check(self.crew)
            await self._settle(self.last)

    def _is_settled(self, last: date) -> bool:
        return bool(self.told.meetings) and self.told.meetings[-1].held_on == last

    async def _settle(self, last: date) -> None:
        """One line of a meeting whose aftermath is over."""
        one = await figures_of(self.crew, last)
        self.told.meetings.append(one)
        self.say(line_of(one))


def line_of(one: Figures) -> str:
    """One meeting in one line."""
    return (
        f"{short_day(one.held_on)}: {one.discussed} discussed, {one.not_reached} not reached;"
        f" notes: {one.copies_sent} sent, {one.held_back} held back, {one.read} read,"
        f" {one.disagreed} disagreed; reviews overdue: {one.reviews_overdue}"
    )
