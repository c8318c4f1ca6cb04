"""A brother or sister with the same carer and some of the same workers, and rules of their own."""

from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from panel.plans.models import Plan
from panel.platform.ids import new_id
from panel.records.gate import rewrite_access
from panel.register.models import Child, FamilyLink, Involvement
from tests.exchange.content import Content
from tests.sharing.test_access_is_a_superset import TODAY, World

SINCE = TODAY - timedelta(days=30)


async def write_sibling(
    session: AsyncSession, world: World, of: UUID, places: tuple[int, ...]
) -> Content:
    """A child whose carers are those of another; the agencies of these places work with both."""
    child = Child(
        reference=f"C-{new_id()}", given_name="Robin", family_name="Teasel", sex="male",
        birth_date=date(2019, 5, 1), address="2 Refuge Row", primary_need="asd",
        interpreter="Polish",
    )  # fmt: skip
    await session.execute(text("SELECT open_child(:c)"), {"c": child.id})
    session.add(child)
    await session.flush()
    content = Content(child.id)
    rules = content.rules
    rules["Patient", child.id] = lambda may: may(Category.IDENTITY)
    rules["Condition", child.id] = lambda may: may(Category.HEALTH)
    rules["Flag", child.id] = lambda may: may(Category.FAMILY)
    for tie in list(await session.scalars(select(FamilyLink).where(FamilyLink.child_id == of))):
        link = FamilyLink(
            child_id=child.id, family_member_id=tie.family_member_id, relationship="mother"
        )
        session.add(link)
        await session.flush()
        rules["RelatedPerson", link.id] = lambda may: may(Category.FAMILY)
    plan = Plan(
        child_id=child.id, state="agreed", author_agency_id=world.agencies[1], summary="His",
        started_on=SINCE, agreed_on=SINCE,
    )  # fmt: skip
    session.add(plan)
    for place in places:
        session.add(
            Involvement(
                child_id=child.id, agency_id=world.agencies[place],
                worker_id=world.workers[place], from_on=SINCE,
            )
        )  # fmt: skip
    await session.flush()
    rules["CarePlan", plan.id] = lambda may: may(Category.PLAN, world.agencies[1])
    if places:
        rules["CareTeam", child.id] = lambda may: any(
            may(Category.NETWORK, world.agencies[place]) for place in places
        )
    await rewrite_access(session, child.id)
    return content
