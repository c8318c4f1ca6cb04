"""What somebody else would be shown of a child, decided without opening the record.

Nothing is read, so nothing is logged: whoever is about to send something asks it first.
"""

from dataclasses import replace
from uuid import UUID

from consent import (
    Category,
    Decision,
    Purpose,
    Standpoint,
    State,
    Tie,
    Viewer,
    decide_from,
    stand,
)
from panel.platform.tenancy import Tenant
from panel.sharing.state import SharingFacts


async def would_be_shown(
    tenant: Tenant, child_id: UUID, viewer: Viewer, purpose: Purpose, facts: State | None = None
) -> dict[Category, Decision]:
    """The decision for every category; empty for a viewer who is not tied to the child now.

    With `facts` it is decided by those, but for the ties, which are the viewer's own.
    """
    standpoint = await _standpoint(tenant, child_id, viewer, purpose, facts)
    if standpoint is None or not standpoint.ties:
        return {}
    return {category: decide_from(standpoint, category) for category in Category}


async def would_be_tied(
    tenant: Tenant, child_id: UUID, viewer: Viewer, purpose: Purpose
) -> frozenset[Tie]:
    """How a viewer is tied to the child now, for this purpose."""
    standpoint = await _standpoint(tenant, child_id, viewer, purpose, None)
    return frozenset() if standpoint is None else frozenset(one.tie for one in standpoint.ties)


async def _standpoint(
    tenant: Tenant, child_id: UUID, viewer: Viewer, purpose: Purpose, facts: State | None
) -> Standpoint | None:
    async with tenant.transaction(viewer.id) as session:
        known = (await SharingFacts().known(session, [child_id], viewer)).get(child_id)
    if known is None:
        return None
    state = known.state
    if facts is not None:
        state = replace(facts, relationships=state.relationships)
    return stand(viewer, purpose, tenant.clock.now(), state)
