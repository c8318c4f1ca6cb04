"""What the invented families say of how they were treated, and what commissioners made of it.

As the rooms would have left it: a week after a meeting some of the mothers were asked, about half
of them answered, and of these some showed it to those who help them.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from panel.accounts.models import DemoPersona
from panel.demo.crew import Crew, crew_of_the_past
from panel.demo.safeguards import Written, Year
from panel.insight.core.words import QUESTIONS
from panel.insight.voice import said
from panel.insight.voice.models import Survey
from panel.insight.voice.rules import OPEN_FOR, SurveyState, is_open, occasion_of
from panel.insight.voice.said import SaidWords
from panel.panels.models import AgendaItem, Meeting
from panel.plans.models import DesiredOutcome, Plan
from panel.plans.service import judge_own_outcome
from panel.platform.clock import LONDON
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB

NOTES_AFTER = timedelta(days=6)
"""How long after a meeting its notes are out."""
JUDGES = 0.25
"""The share of mothers who judge an outcome."""
COMMISSIONER = "commissioner"
PARENT = "parent-1"
USUAL = (1, 2, 3, 3, 4, 4, 4, 5, 5, 0)
"""What mothers answer, as often as it stands here."""
LESS = (1, 2, 2, 3, 3, 4, 0)
"""What they answer where it is worse: whether they had a say, and were listened to."""
WORDS = (
    "The letter said what was agreed. That was good.",
    "I had to tell our story again to each new person.",
    "We did not know who would be there. Please tell us before.",
    "They listened. Thank you.",
)
TOLD = (
    SaidWords(
        "You told us that you have to tell your story again to each new person.",
        "Since September one page about your child goes to everybody who meets you, if you agree.",
    ),
    SaidWords(
        "You told us that you wait too long for short breaks, and that weekends are worst.",
        "From January there are twelve more places on Saturdays. We look again in summer.",
    ),
)
DRAFT = SaidWords(
    "You told us that letters come late.",
    "We are looking at who writes them, and tell you in spring.",
)


@dataclass(frozen=True, slots=True)
class Talked:
    """A meeting at which a child was talked about."""

    meeting_id: UUID
    held_on: date
    why: str


async def write_voice(tenant: Tenant, year: Year, *, seed: int) -> None:
    """Answers of the year, what waits for the mother of the demonstration, entries, judgements."""
    crew = await crew_of_the_past(tenant, seed)
    async with tenant.transaction(JOB) as session:
        personas = {
            one.id: one.viewer_id
            for one in await session.scalars(
                select(DemoPersona).where(DemoPersona.id.in_((PARENT, COMMISSIONER)))
            )
        }
        for one in year.children:
            waits = one.mother == personas.get(PARENT)
            await _answers(session, crew, one, waits=waits)
    if COMMISSIONER in personas:
        await _tell(tenant, personas[COMMISSIONER])
    await _judge(crew, year)


async def _answers(session: AsyncSession, crew: Crew, one: Written, *, waits: bool) -> None:
    today, chance = crew.today, crew.luck("answers the survey", one.story.number)
    talked = [each for each in await _talked(session, one) if each.held_on + NOTES_AFTER <= today]
    for place, each in enumerate(talked):
        is_newest = place == len(talked) - 1
        if chance.random() > 0.7 and not (waits and is_newest):
            continue
        row = Survey(
            child_id=one.child_id,
            person_id=one.mother,
            meeting_id=each.meeting_id,
            occasion=occasion_of(each.why).value,
            offered_on=each.held_on + NOTES_AFTER,
        )
        luck = chance.random()
        may = is_open(SurveyState.OFFERED, row.offered_on, today)
        if not (waits and is_newest and may):
            _answer(row, chance, luck, today)
        session.add(row)
    await session.flush()


def _answer(row: Survey, chance: Random, luck: float, today: date) -> None:
    """What became of an offer, by luck."""
    answered_on = row.offered_on + timedelta(days=chance.randint(0, OPEN_FOR.days // 2))
    if luck > 0.6 or answered_on > today:
        row.state = SurveyState.DISMISSED.value if luck > 0.9 else SurveyState.OFFERED.value
        return
    row.state = SurveyState.ANSWERED.value
    row.answered_at = datetime.combine(answered_on, time(19, 30), LONDON)
    for question in QUESTIONS:
        worse = question in ("participation", "feedback")
        setattr(row, question, chance.choice(LESS if worse else USUAL))
    if luck < 0.2:
        row.is_shown, row.own_words = True, chance.choice(WORDS)


async def _talked(session: AsyncSession, one: Written) -> list[Talked]:
    rows = await session.execute(
        select(Meeting.id, Meeting.held_on, AgendaItem.why)
        .join(AgendaItem, AgendaItem.meeting_id == Meeting.id)
        .where(AgendaItem.child_id == one.child_id, AgendaItem.state == "discussed")
        .order_by(Meeting.held_on, Meeting.id)
    )
    return [Talked(*row) for row in rows]


async def _tell(tenant: Tenant, teller: UUID) -> None:
    """Two entries that families read, and one that is being written."""
    async with tenant.transaction(teller) as session:
        for words in TOLD:
            await said.publish(session, await said.write(session, words), 1)
        await said.write(session, DRAFT)


async def _judge(crew: Crew, year: Year) -> None:
    """Some mothers say how something goes that is to be different, some weeks into the plan."""
    for one in year.children:
        chance = crew.luck("judges an outcome", one.story.number)
        if chance.random() > JUDGES:
            continue
        async with crew.as_job() as (session, _):
            found = (
                await session.execute(
                    select(DesiredOutcome.id, Plan.agreed_on)
                    .join(Plan, Plan.id == DesiredOutcome.plan_id)
                    .where(
                        DesiredOutcome.child_id == one.child_id,
                        DesiredOutcome.state == "working_towards",
                        DesiredOutcome.baseline.is_not(None),
                        Plan.state == "agreed",
                    )
                    .order_by(DesiredOutcome.position)
                    .limit(1)
                )
            ).first()
        if found is None or found.agreed_on is None:
            continue
        day: date = found.agreed_on + timedelta(days=chance.randint(14, 60))
        if day > year.today:
            continue
        crew.at(day, 20)
        async with crew.at_home(one.child_id, one.mother, "said how the plan goes") as access:
            if access.may(Category.PLAN):
                await judge_own_outcome(access, found.id, chance.randint(1, 5))
