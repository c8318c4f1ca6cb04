"""The statutory duties and gateways that an authority starts with, as dated data of its own."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import DEFAULT_DUTIES, NAMED
from panel.sharing.models import Gateway


async def ensure_gateways(session: AsyncSession) -> None:
    """Write down the defaults that are not there yet; what an authority changed stays.

    Sections that only are named stand beside them and cover nothing, so they open nothing.
    """
    known = set(await session.scalars(select(Gateway.code)))
    session.add_all(
        Gateway(
            code=duty.code,
            words=duty.words,
            source=duty.source,
            categories=sorted(duty.categories),
            purposes=sorted(duty.purposes),
            agency_kinds=sorted(duty.agency_kinds),
            roles=sorted(duty.roles),
            ties=sorted(duty.ties),
            commenced_on=duty.commenced,
            ended_on=duty.ended,
        )
        for duty in (*DEFAULT_DUTIES, *NAMED)
        if duty.code not in known
    )
    await session.flush()
