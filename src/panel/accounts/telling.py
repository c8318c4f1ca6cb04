"""E-mails to workers about their own work and their own account."""

from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.models import Worker
from panel.platform import outbox


async def tell_worker(
    session: AsyncSession,
    worker: Worker,
    *,
    kind: str,
    subject: str,
    body: str,
    once: str,
    facts: dict[str, str] | None = None,
) -> None:
    """Put an e-mail to a worker in, sealed with their agency's key; once, whatever is done again.

    The agency's key is at hand, since the worker's address was read with it.
    """
    await outbox.put(
        session,
        kind=kind,
        holder_id=worker.agency_id,
        to_viewer_id=worker.id,
        address=worker.email,
        subject=subject,
        body=body,
        once=once,
        facts=facts,
    )
