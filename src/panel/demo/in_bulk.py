"""What the invented manager did to many at once, and a setting that changes soon.

Three days ago plans of one health visitor went to a colleague, for she was to work fewer days; the
day after it was taken back, since she stays.
"""

from datetime import date, timedelta
from uuid import UUID

from panel.accounts.dated_settings import set_from
from panel.accounts.service import SignedIn
from panel.casework.bulk import UNDO_DAYS, Planned, claim, finish, order, own_work, undo
from panel.casework.bulk_models import BulkKind
from panel.casework.bulk_rehearse import rehearse_reassign
from panel.casework.settings_offered import SETTINGS
from panel.demo.crew import Crew, crew_of_the_past
from panel.platform.tenancy import Tenant

MANAGER, ADMINISTRATOR = "sheila", "alan"
FORMER, TAKER = "ivy", "rosa"
SO_MANY = 2
A_DAY, DAYS_AGO = timedelta(days=1), timedelta(days=3)
WHY = "Ivy works fewer days from this month on"
LONGER = 14
SOURCE = "Agreed by the partners for the school year"


async def write_in_bulk(tenant: Tenant, *, seed: int) -> None:
    """Some plans went to a colleague and back, and a setting is another from next month."""
    crew = await crew_of_the_past(tenant, seed)
    manager = crew.workers.get(MANAGER)
    if manager is not None:
        crew.at(crew.today - DAYS_AGO, 10)
        await _give_some(crew, manager)
    administrator = crew.workers.get(ADMINISTRATOR)
    if administrator is not None:
        await _set(tenant, administrator)


async def _give_some(crew: Crew, manager: SignedIn) -> None:
    if FORMER not in crew.workers or TAKER not in crew.workers:
        return
    former, taker = crew.workers[FORMER].viewer.id, crew.workers[TAKER].viewer.id
    who = manager.viewer.id
    async with crew.tenant.transaction(who) as session:
        found = await rehearse_reassign(crew.gate, session, manager, [former], [taker])
        steps = []
        for one in [line for line in found.lines if not line.why_not][:SO_MANY]:
            child, lead, version, worker = one.seen.split()
            before = {"lead": lead, "version": int(version), "worker": worker}
            steps.append(Planned(UUID(child), None, {"to": str(taker)}, before))
        if not steps:
            return
        work = await order(session, manager, BulkKind.REASSIGN, steps, {}, WHY)
        bulk_id = work.id
    await claim(crew.gate, bulk_id, who)
    await finish(crew.gate, bulk_id)
    crew.at(crew.today + A_DAY, 9)
    async with crew.tenant.transaction(who) as session:
        await undo(session, who, bulk_id, (await own_work(session, who, bulk_id)).version)
    await claim(crew.gate, bulk_id, who)
    await finish(crew.gate, bulk_id)


async def _set(tenant: Tenant, administrator: SignedIn) -> None:
    setting = next(one for one in SETTINGS if one.key == UNDO_DAYS.key)
    async with tenant.transaction(administrator.viewer.id) as session:
        await set_from(session, setting, LONGER, _next_month(tenant), 0, SOURCE)


def _next_month(tenant: Tenant) -> date:
    first = tenant.clock.now().date().replace(day=1)
    return (first + timedelta(days=31)).replace(day=1)
