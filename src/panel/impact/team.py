"""The team around the child: who has which part, how to reach them, from when until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select, text

from panel.accounts.models import Worker
from panel.plans.service import lead_history
from panel.platform.tables import NOW
from panel.platform.tenancy import load_agency_keys
from panel.records.gate import Access
from panel.register.service import people_of

LABEL = "label.key_worker"
"""The dated setting that says what the lead professional is called in IMPACT."""
KEY_WORKER = "Key worker"
_LABEL = text(
    "SELECT value FROM setting WHERE key = :key AND (from_on IS NULL OR from_on <= :now)"
    " ORDER BY from_on DESC NULLS LAST, id DESC LIMIT 1"
)
LONGEST_LABEL = 60


@dataclass(frozen=True, slots=True)
class TeamLine:
    """One worker, or an agency without a named one."""

    name: str
    agency: str
    part: str
    phone: str
    email: str
    from_on: date | None
    expected_from_on: date | None
    until_on: date | None
    is_key_worker: bool


async def key_worker_label(access: Access) -> str:
    """What an authority calls whoever holds the plan in IMPACT."""
    found = await access.session.scalar(_LABEL, {"key": LABEL, "now": access.session.info[NOW]})
    is_label = isinstance(found, str) and 0 < len(found.strip()) <= LONGEST_LABEL
    return found.strip() if is_label and isinstance(found, str) else KEY_WORKER


async def team_of(access: Access) -> Sequence[TeamLine]:
    """The team as the viewer may know it: the key worker first, then by agency and name."""
    people = await people_of(access)
    leads = {one.worker_id: one for one in await lead_history(access) if one.holds_on(access.today)}
    parts = [one for one in people.agencies if one.until_on is None or one.until_on >= access.today]
    ids = {one.worker_id for one in parts if one.worker_id} | set(leads)
    reached = await _reached(access, ids)
    lines = [
        TeamLine(
            one.worker_name, one.agency_name, one.part, *_contact(reached, one.worker_id),
            one.from_on, one.expected_from_on, one.until_on, one.worker_id in leads,
        )
        for one in parts
    ]  # fmt: skip
    told = {one.worker_id for one in parts}
    lines += [
        TeamLine(
            one.name, one.agency, "", *_contact(reached, worker), one.from_on, None,
            one.until_on, is_key_worker=True,
        )
        for worker, one in leads.items()
        if worker not in told
    ]  # fmt: skip
    return sorted(lines, key=lambda one: (not one.is_key_worker, one.agency, one.name))


async def _reached(access: Access, ids: set[UUID]) -> dict[UUID, Worker]:
    rows = list(await access.session.scalars(select(Worker).where(Worker.id.in_(ids))))
    await load_agency_keys(access.session, {one.agency_id for one in rows})
    return {one.id: one for one in rows}


def _contact(reached: dict[UUID, Worker], worker: UUID | None) -> tuple[str, str]:
    row = reached.get(worker) if worker else None
    return ("", "") if row is None else (row.phone, row.email)
