"""A referral that came of late: whoever runs the panel decides whether the child is eligible."""

from sqlalchemy import select

from panel.demo.crew import crew_of_the_past
from panel.panels.models import Referral
from panel.panels.referring import received
from panel.platform.tenancy import Tenant
from panel.records.dates import working_days_after


async def let_one_wait(tenant: Tenant, *, seed: int) -> None:
    """The newest referral was acknowledged the next day, and nobody has decided on it."""
    crew = await crew_of_the_past(tenant, seed)
    async with crew.as_job() as (session, panel):
        newest = await session.scalar(
            select(Referral)
            .where(
                Referral.panel_id == panel.id,
                Referral.state == "acknowledged",
                Referral.first_panel_on.is_(None),
                Referral.urgent_on.is_(None),
            )
            .order_by(Referral.referred_on.desc(), Referral.id)
            .limit(1)
        )
        if newest is None:
            return
        answer = await received(session, newest, "worker")
        answer.acknowledge_by = working_days_after(newest.referred_on, 5)
        answer.acknowledged_on = working_days_after(newest.referred_on, 1)
        answer.acknowledged_how = "email"
