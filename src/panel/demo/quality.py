"""Samples of the invented year: drawn by the coordinator, audited, and some answered.

All there are of two agencies are drawn: which ones chance would draw hangs on ids, and those differ
from one making of the demonstration to the next.
"""

from contextlib import suppress
from datetime import timedelta
from random import Random
from uuid import UUID

from panel.accounts.service import SignedIn, agency_by_key
from panel.assessments.definitions import Kind, SectionAnswers
from panel.casework.quality import (
    DrawnLine,
    NewSample,
    answer,
    audit,
    draw_sample,
    lines_of_sample,
    read_audit,
)
from panel.casework.quality_form import newest_number, questions_of
from panel.casework.quality_rules import MOST_DRAWN
from panel.demo.crew import Crew, crew_of_the_past
from panel.platform.problems import Invalid, NotFound
from panel.platform.tenancy import Tenant
from panel.register.service import child_header

AGENCIES = ("health-visiting", "early-years")
PERIOD = timedelta(days=270)
LONG_AGO = timedelta(days=60)
"""What was signed off since then waits to be audited; what was before is."""
SEED = "wexcombe"
RATINGS = ("yes", "yes", "yes", "partly", "partly", "no")
WELL = (
    "The child’s own words open it, with who asked and how.",
    "Each need says who saw it and when.",
    "The family’s disagreement stands beside ours, in their words.",
)
NEXT_TIME = (
    "Say by when each action is done, and how we will know.",
    "The conclusions repeat the needs. Say what they mean for the child from day to day.",
    "Three words in it need somebody to explain them.",
)
ANSWERS = (
    "Fair. We were waiting for audiology, and I should have said so.",
    "I read it with the mother, and those are the words she chose.",
)


async def write_quality(tenant: Tenant, seed: int) -> None:
    """Draw, audit and answer, each as whoever does it."""
    crew = await crew_of_the_past(tenant, seed)
    today = crew.today
    for key in AGENCIES:
        crew.at(today - timedelta(days=3), 10)
        new = await _of(crew, key)
        if new is None:
            continue
        grace = crew.coordinator
        async with crew.as_(grace) as (session, _):
            try:
                sample = await draw_sample(session, grace.viewer, new, SEED)
            except Invalid:
                # Of few children none need be of this agency.
                continue
            lines = await lines_of_sample(session, grace.viewer, sample.id)
        for one in lines:
            if one.signed_off_on < today - LONG_AGO:
                await _audit(crew, one)


async def _of(crew: Crew, key: str) -> NewSample | None:
    async with crew.as_job() as (session, _):
        agency = await agency_by_key(session, key)
    if agency is None:
        return None
    return NewSample(agency.id, crew.today - PERIOD, crew.today, MOST_DRAWN)


async def _audit(crew: Crew, line: DrawnLine) -> None:
    async with crew.opened(line.child_id, crew.coordinator, "audited an assessment") as access:
        chance = crew.luck("audits", (await child_header(access)).reference, line.signed_off_on)
        await audit(access, line.id, _judged(chance), 1)
    author = crew.worker(line.author_id)
    if author is not None and chance.random() < 0.4:
        await _answer(crew, line.child_id, line.id, author, chance.choice(ANSWERS))


def _judged(chance: Random) -> SectionAnswers:
    said: SectionAnswers = {}
    for question in questions_of(newest_number()).questions:
        if question.kind is Kind.CHOICE:
            said[question.key] = chance.choice(RATINGS)
    return said | {"good": chance.choice(WELL), "next_time": chance.choice(NEXT_TIME)}


async def _answer(crew: Crew, child_id: UUID, audit_id: UUID, who: SignedIn, words: str) -> None:
    # Who works with the child no more has nothing to answer here.
    with suppress(NotFound):
        async with crew.opened(child_id, who, "answered the audit of an assessment") as access:
            row = (await read_audit(access, audit_id)).row
            await answer(access, audit_id, words, row.version)
