"""What was put out to a family goes within a minute; in the demonstration at once."""

from panel.accounts.desk import Desk
from panel.panels.note_routes import Mailbox
from panel.panels.still_may_go import still_may_go
from panel.platform.outbox import send_due
from panel.records.child_scoped import JOB


async def send_at_once(desk: Desk) -> None:
    """Let the demonstration's mailbox take what waits; elsewhere the scheduler sends it."""
    if desk.tenant.record.demo:
        async with desk.tenant.transaction(JOB) as session:
            may_go = still_may_go(desk.tenant, desk.site.url)
            await send_due(session, Mailbox(), desk.now, may_go=may_go)
