"""The invented panel's meetings: prepared, frozen, held with whoever comes, and ended."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from random import Random
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from panel.accounts.service import SignedIn, agencies
from panel.demo.crew import Crew
from panel.demo.sentences import (
    ASKED_FOR,
    DISCUSSIONS,
    FAMILY_WORDS,
    FOR_FAMILIES,
    FROM_AGENCIES,
)
from panel.panels.agenda import Prepared, prepare
from panel.panels.asking import NeedsToKnow, add_action_of_meeting, involve, suggestions
from panel.panels.attendance import (
    Table,
    add_substitute,
    leave,
    mark,
    table_of,
    take_chair,
)
from panel.panels.calendar import change_meeting, meeting_on, panel_rhythm
from panel.panels.holding import (
    AtItem,
    at_item,
    begin,
    confirm_minutes,
    contribute,
    declare_interest,
    done,
    end,
    not_done,
    place_review,
    take_back,
)
from panel.panels.meeting_reading import meeting_view, shared_view_of
from panel.panels.meeting_rules import Heading, Person, Presence
from panel.panels.minutes import minutes_to_confirm
from panel.panels.models import Meeting, Panel
from panel.panels.referrals import (
    ask_family,
    escalate,
    open_referral,
    record_words,
    set_transition,
    take_as_urgent,
)
from panel.panels.rules import Part
from panel.panels.settle import add_late, arrange, ask_for_missing, could_join, freeze, take_off
from panel.panels.telling import tell_the_panel
from panel.platform.ids import new_id
from panel.platform.problems import Invalid
from panel.records.dates import months_after
from panel.register.service import people_of

STANDING_IN = ("Robin Sandpiper", "Alex Sandmartin", "Jo Turnstone", "Kit Shelduck")
FULL = 12
"""Children at a usual meeting."""


# Before -----------------------------------------------------------------------------------------


async def prepared_for(crew: Crew, day: date) -> Prepared:
    """The agenda of a meeting as the coordinator sees it."""
    async with crew.as_(crew.coordinator) as (session, panel):
        meeting = await meeting_on(session, panel, day)
        return await prepare(session, panel, meeting, crew.coordinator.viewer.id)


async def ask_for_what_is_missing(crew: Crew, day: date) -> int:
    """The coordinator asks everybody who owes something; how many messages went out."""
    asked = 0
    async with crew.as_(crew.coordinator) as (session, panel):
        meeting = await meeting_on(session, panel, day)
        prepared = await prepare(session, panel, meeting, crew.coordinator.viewer.id)
        for child in prepared.agenda.not_ready:
            fact = prepared.facts[child.candidate.child_id]
            for part in (debt.what for debt in child.missing if fact.owing(debt.what)):
                made = await ask_for_missing(session, prepared, fact.child_id, part, crew.site_url)
                asked += made.now
    return asked


async def ask_families(crew: Crew, day: date) -> None:
    """Families of the children who may come up are asked what the panel should know."""
    prepared = await prepared_for(crew, day)
    for item in prepared.agenda.items:
        fact = prepared.facts[item.candidate.child_id]
        if fact.family_asked_on is not None or not crew.happens(0.85, "asked", fact.reference, day):
            continue
        async with crew.opened(fact.child_id, crew.coordinator, "asked the family") as access:
            people = (await people_of(access)).family
            mother = next((one for one in people if one.relationship == "mother"), None)
            person = None if mother is None else mother.member_id
            await ask_family(
                access, family_member_id=person, how="telephone", meeting_id=prepared.meeting.id
            )
        said = crew.luck("words", fact.reference, day)
        words = said.choice(FAMILY_WORDS)
        way = said.random()
        if way < 0.4 and person is not None:
            async with crew.at_home(fact.child_id, person, "told the panel something") as access:
                await tell_the_panel(access, words)
        elif way < 0.8:
            who = crew.worker(fact.lead_id) or crew.coordinator
            async with crew.opened(fact.child_id, who, "wrote the family's words down") as access:
                await record_words(access, said=words, family_member_id=person)


async def something_happens(crew: Crew, day: date) -> None:
    """Now and then a case cannot wait, a change is coming, or the chair takes a child early."""
    prepared = await prepared_for(crew, day)
    luck = crew.luck("before", day)
    facts = sorted(prepared.facts.values(), key=lambda one: one.reference)
    led = [one for one in facts if crew.worker(one.lead_id) is not None and one.state != "closed"]
    if led and luck.random() < 0.3:
        one = luck.choice(led)
        who = crew.worker(one.lead_id) or crew.coordinator
        async with crew.opened(one.child_id, who, "said that it cannot wait") as access:
            referral = await open_referral(access.session, one.child_id, prepared.panel.id)
            if referral is not None:
                why = "No equipment since the summer"
                await escalate(access, referral.id, why, referral.version)
    if led and luck.random() < 0.25:
        one = luck.choice(led)
        who = crew.worker(one.lead_id) or crew.coordinator
        async with crew.opened(one.child_id, who, "wrote down a change") as access:
            referral = await open_referral(access.session, one.child_id, prepared.panel.id)
            if referral is not None:
                on = crew.today + timedelta(days=80)
                await set_transition(access, referral.id, "starts nursery", on, referral.version)
    waiting = [
        one.candidate
        for one in prepared.agenda.not_ready
        if Part.SHARING not in {debt.what for debt in one.missing}
    ]
    if waiting and luck.random() < 0.2:
        child = luck.choice(waiting).child_id
        async with crew.opened(child, crew.chair, "took a child as urgent") as access:
            referral = await open_referral(access.session, child, prepared.panel.id)
            if referral is not None:
                why = "The family lose their home this week."
                await take_as_urgent(
                    access, prepared.panel, referral.id, day, why, referral.version
                )


async def arrange_agenda(crew: Crew, day: date) -> None:
    """The coordinator now and then moves a child up, or takes one off, before the freeze."""
    luck = crew.luck("arrange", day)
    prepared = await prepared_for(crew, day)
    items = prepared.agenda.items
    if len(items) > 2 and luck.random() < 0.5:
        child = luck.choice(items).candidate.child_id
        async with crew.as_(crew.coordinator) as (session, panel):
            meeting = await meeting_on(session, panel, day)
            await arrange(session, panel, meeting, child, "up", meeting.version)
    if len(items) > 4 and luck.random() < 0.15:
        child = luck.choice(items).candidate.child_id
        async with crew.as_(crew.coordinator) as (session, panel):
            meeting = await meeting_on(session, panel, day)
            await take_off(session, panel, meeting, child, "The family asked for another day.")


async def freeze_agenda(crew: Crew, day: date) -> None:
    """The coordinator settles the agenda; the packs open."""
    async with crew.as_(crew.coordinator) as (session, panel):
        meeting = await meeting_on(session, panel, day)
        await freeze(session, panel, meeting, meeting.version)


async def after_the_freeze(crew: Crew, day: date) -> None:
    """Now and then a child is added late, or taken off."""
    luck = crew.luck("late", day)
    prepared = await prepared_for(crew, day)
    joining = could_join(prepared)
    if joining and len(prepared.agenda.items) < FULL + 1 and luck.random() < 0.5:
        child = joining[0].child_id
        async with crew.as_(crew.coordinator) as (session, panel):
            meeting = await meeting_on(session, panel, day)
            await add_late(session, panel, meeting, child, "The papers came a day late.")
    if len(prepared.agenda.items) > 3 and luck.random() < 0.15:
        child = luck.choice(prepared.agenda.items).candidate.child_id
        async with crew.as_(crew.coordinator) as (session, panel):
            meeting = await meeting_on(session, panel, day)
            await take_off(session, panel, meeting, child, "The child is in hospital.")


async def change_day(crew: Crew, day: date, to: date | None, why: str) -> bool:
    """The coordinator moves a meeting, or (None) cancels it; False where it cannot be that day."""
    try:
        async with crew.as_(crew.coordinator) as (session, panel):
            meeting = await meeting_on(session, panel, day)
            await change_meeting(session, panel, meeting, to, why, meeting.version)
    except Invalid:
        return False
    return True


async def next_day(crew: Crew) -> date | None:
    """The day of the panel's next meeting that is not over; None past the end of the calendar."""
    async with crew.as_(crew.coordinator) as (session, panel):
        rhythm = await panel_rhythm(session, panel)
        coming = rhythm.days(crew.today, crew.today + timedelta(days=400))
        return next((one.held_on for one in coming if one.state != "held"), None)


# Held -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Held:
    """How a meeting went."""

    day: date
    discussed: int = 0
    not_reached: int = 0
    quorate: bool = False


Work = Callable[[AsyncSession, Panel, Meeting], Awaitable[None]]


class Sitting:
    """One meeting, from its beginning to its end."""

    def __init__(self, crew: Crew, day: date) -> None:
        """Args: who acts; the meeting's day."""
        self.crew = crew
        self.day = day
        self.luck = crew.luck("meeting", day)
        self.speakers: list[SignedIn] = []
        """Who is here now and may speak, beside the coordinator."""

    async def hold(self) -> Held:
        """Hold it: whoever comes, each child who is reached, and what is left to the next time."""
        crew = self.crew
        crew.at(self.day, 9, 30)
        await self._run(lambda session, panel, meeting: begin(
            session, panel, meeting, crew.coordinator.viewer
        ))  # fmt: skip
        table = await self._people_come()
        await self._confirm_earlier_minutes()
        children = await self._children()
        reached = self._how_many(len(children), quorate=table.quorum.met)
        for number, (child, reference) in enumerate(children[:reached]):
            if number == reached // 2:
                await self._some_go()
            await self._talk_about(child, reference)
        crew.later(5)
        await self._run(end)
        return Held(self.day, reached, len(children) - reached, table.quorum.met)

    async def _run(self, work: Work) -> None:
        """Something with the whole meeting, by the coordinator."""
        async with self.crew.as_(self.crew.coordinator) as (session, panel):
            await work(session, panel, await meeting_on(session, panel, self.day))

    async def _table(self) -> Table:
        async with self.crew.as_(self.crew.coordinator) as (session, panel):
            return await table_of(session, panel, await meeting_on(session, panel, self.day))

    async def _people_come(self) -> Table:
        """Most come; now and then too few for a quorum, and now and then somebody stands in."""
        crew, luck = self.crew, self.luck
        few = luck.random() < 0.12
        table = await self._table()
        everybody = sorted(table.people, key=lambda one: (one.agency, one.name))
        marks: dict[UUID, Presence] = {}
        for one in everybody:
            if one.id == crew.coordinator.viewer.id:
                continue
            fate = luck.random()
            here = fate < (0.2 if few else 0.8)
            away = Presence.APOLOGIES if fate < 0.97 else Presence.ABSENT
            marks[one.id] = Presence.HERE if here else away
        await self._run(lambda session, panel, meeting: mark(session, panel, meeting, marks))
        excused = [one for one in everybody if marks.get(one.id) is Presence.APOLOGIES]
        if not few:
            await self._stand_in(excused)
        table = await self._table()
        if table.chair is None:
            chairs = self._seated(table)[0]
            await self._run(lambda session, panel, meeting: take_chair(
                session, panel, meeting, chairs.id
            ))  # fmt: skip
        return await self._look_round()

    async def _stand_in(self, excused: list[Person]) -> None:
        """Agencies send somebody else, until there is a quorum; now and then beyond it."""
        more = self.luck.random() < 0.3
        for person, name in zip(excused, STANDING_IN, strict=False):
            if (await self._table()).quorum.met and not more:
                return
            more = False
            async with self.crew.as_(self.crew.coordinator) as (session, panel):
                await add_substitute(
                    session,
                    panel,
                    await meeting_on(session, panel, self.day),
                    name=name,
                    agency_id=person.agency_id,
                    stands_in_for=person.id,
                )

    async def _look_round(self) -> Table:
        """See who is here now."""
        table = await self._table()
        here = [self.crew.worker(one.id) for one in self._seated(table)]
        me = self.crew.coordinator.viewer.id
        self.speakers = [one for one in here if one is not None and one.viewer.id != me]
        return table

    def _seated(self, table: Table) -> list[Person]:
        """Workers with a seat who are here, by name."""
        here = [one for one in table.here if not one.is_substitute]
        return sorted(here, key=lambda one: one.name)

    async def _confirm_earlier_minutes(self) -> None:
        async with self.crew.as_(self.crew.coordinator) as (session, panel):
            meeting = await meeting_on(session, panel, self.day)
            for earlier in await minutes_to_confirm(session, panel, meeting):
                await confirm_minutes(session, panel, earlier)

    async def _children(self) -> list[tuple[UUID, str]]:
        async with self.crew.as_(self.crew.coordinator) as (session, panel):
            view = await meeting_view(
                self.crew.gate, session, panel, self.day, self.crew.coordinator.viewer
            )
            return [(one.fact.child_id, one.fact.reference) for one in view.children]

    def _how_many(self, on_agenda: int, *, quorate: bool) -> int:
        """How many are reached: mostly all, fewer on a long day or without a quorum."""
        if not quorate:
            return min(on_agenda, 3)
        short = self.luck.randint(1, 3) if self.luck.random() < 0.3 else 0
        return on_agenda - min(short, on_agenda // 3)

    async def _some_go(self) -> None:
        """Somebody leaves half-way; where it is who chairs, somebody else goes on."""
        if self.luck.random() > 0.35:
            return
        table = await self._table()
        others = [one for one in self._seated(table) if one.id != self.crew.coordinator.viewer.id]
        if len(others) < 2:
            return
        chair = table.chair
        goes = chair if chair in others and self.luck.random() < 0.6 else others[-1]
        follows = next(one for one in others if one.id != goes.id)
        await self._run(lambda session, panel, meeting: leave(
            session, panel, meeting, goes.id, follows.id
        ))  # fmt: skip
        await self._look_round()

    async def _at(
        self, session: AsyncSession, panel: Panel, child: UUID, who: SignedIn
    ) -> AtItem | None:
        """The child's item as somebody at the table works on it; None where they may not."""
        view = await meeting_view(self.crew.gate, session, panel, self.day, who.viewer)
        if child not in view.views:
            return None
        shared = await shared_view_of(
            self.crew.gate, session, view, child, who.viewer, "wrote at the meeting"
        )
        return await at_item(panel, view.meeting, view.table, shared)

    async def _talk_about(self, child: UUID, reference: str) -> None:
        """One child: what is said, who is asked for what, who needs to know, and the review."""
        crew = self.crew
        luck = crew.luck("talk", reference, self.day)
        crew.later(2)
        speakers = list(self.speakers)
        if luck.random() < 0.04 and speakers:
            await self._steps_out(child, speakers.pop())
        for who in luck.sample(speakers, min(luck.randint(1, 2), len(speakers))):
            crew.later(2)
            async with crew.as_(who) as (session, panel):
                if (at := await self._at(session, panel, child, who)) is not None:
                    category, said = luck.choice(FROM_AGENCIES)
                    await self._say(at, said, category, for_family=luck.random() < 0.3)
        await self._ask(child, reference, luck.randint(0, 2))
        crew.later(2)
        async with crew.as_(crew.coordinator) as (session, panel):
            at = await self._at(session, panel, child, crew.coordinator)
            if at is None:
                raise ValueError(f"The coordinator does not reach {reference} of the agenda.")
            await self._say(at, luck.choice(DISCUSSIONS), "panel", for_family=False)
            await self._say(at, luck.choice(FOR_FAMILIES), "panel", for_family=True)
            if luck.random() < 0.05:
                wrong = await self._say(at, "About somebody else.", "panel", for_family=True)
                await take_back(at, wrong, "Written on the wrong child")
            if luck.random() < 0.05:
                await done(at)
                await not_done(at)
            await done(at)
            if luck.random() < 0.12:
                await place_review(
                    at,
                    review_by=months_after(self.day, luck.randint(2, 4)),
                    why="The panel wants to hear how the new place goes.",
                    version=at.item.version,
                )

    async def _say(self, at: AtItem, said: str, category: str, *, for_family: bool) -> UUID:
        row = await contribute(
            at,
            text=said,
            heading=Heading.DISCUSSION,
            category=Category(category),
            for_family=for_family,
            client_id=new_id(),
        )
        return row.id

    async def _steps_out(self, child: UUID, who: SignedIn) -> None:
        crew = self.crew
        async with crew.as_(crew.coordinator) as (session, panel):
            if (at := await self._at(session, panel, child, crew.coordinator)) is not None:
                await declare_interest(at, who.viewer.id, "Lives in the same road.")

    async def _ask(self, child: UUID, reference: str, actions: int) -> None:
        """Actions in one line, and who needs to know; what the family refused stays refused."""
        luck = self.crew.luck("ask", reference, self.day)
        for _ in range(actions):
            await self._unless_refused(child, partial(self._action, luck))
        if luck.random() < 0.2:
            async with self.crew.as_job() as (session, _panel):
                chosen = luck.choice(await agencies(session)).id
            later = self.day + timedelta(days=30) if luck.random() < 0.5 else None
            needs = NeedsToKnow(chosen, "support", later)
            await self._unless_refused(child, lambda at: involve(at, needs))

    async def _unless_refused(self, child: UUID, work: Callable[[AtItem], Awaitable[None]]) -> None:
        """What the coordinator asks; a refusal in words is read, and nothing is half written."""
        coordinator = self.crew.coordinator
        try:
            async with self.crew.as_(coordinator) as (session, panel):
                if (at := await self._at(session, panel, child, coordinator)) is not None:
                    await work(at)
        except Invalid:
            return

    async def _action(self, luck: Random, at: AtItem) -> None:
        people = sorted(await suggestions(at.table, at.view), key=lambda one: one.label)
        who = "Mum" if luck.random() < 0.15 or not people else luck.choice(people).label
        due_on = self.day + timedelta(days=luck.randint(7, 60))
        await add_action_of_meeting(at, who=who, what=luck.choice(ASKED_FOR), due_on=due_on)
