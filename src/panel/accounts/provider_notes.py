"""What is written down of signing in with a provider: in one place."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.noted import note as note_of_worker
from panel.platform.audit import Kind


def note(
    session: AsyncSession,
    happened: Kind,
    provider_id: UUID,
    worker_id: UUID | None = None,
    **details: str,
) -> None:
    """Write down what happened at which provider, and to whose account; None where nobody's.

    `details` are codes and counts, never a name, an address or what a provider calls somebody.
    """
    note_of_worker(session, happened, worker_id, provider=str(provider_id), **details)
