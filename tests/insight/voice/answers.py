"""What tests of the survey have in common: who opens the record, and what they answer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from consent import Purpose
from panel.insight.voice.answering import Answers, answer, own_surveys
from panel.insight.voice.offering import offer
from panel.records.gate import Access
from tests.panels.note_world import Held

GIVEN = {"information": 5, "assessment": 4, "transparency": 1, "participation": 0, "feedback": None}
SECRET_WORDS = "Nobody rang us for zqvoice weeks."


@asynccontextmanager
async def as_person(held: Held, person: UUID) -> AsyncIterator[Access]:
    """The record as one of the family opens it."""
    async with held.house.gate.open(
        held.child, held.family(person), Purpose.SUPPORT, "opened their own page"
    ) as access:
        yield access


async def offered(held: Held) -> int:
    """Offer what is due; how many offers."""
    async with held.house.as_("job") as session:
        return await offer(session)


async def says(held: Held, person: UUID, answers: Answers) -> UUID:
    """Somebody answers what they were offered; the survey's id."""
    async with as_person(held, person) as access:
        [own] = await own_surveys(access)
        await answer(access, own.id, own.version, answers)
        return own.id
