"""Why somebody may or may not see a part of a child's record, for `panel access explain`."""

from datetime import date
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import text

from consent import Category, Purpose, decide_from, stand
from panel.accounts.service import worker_at_desk, worker_by_email
from panel.platform.problems import Invalid, NotFound
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.sharing.state import SharingFacts

Word = TypeVar("Word", bound=StrEnum)


async def explain_access(
    gate: Gate, child_ref: str, email: str, category: str, purpose: str
) -> dict[str, Any]:
    """The decision and its reasons, as plain values for JSON. Nothing of the record is read.

    Raises NotFound for an unknown child or worker, Invalid for a word that is no category or
    purpose.
    """
    asked_category = _word(Category, "category", category)
    asked_purpose = _word(Purpose, "purpose", purpose)
    tenant = gate.tenant
    now = tenant.clock.now()
    async with tenant.transaction(JOB) as session:
        child_id: UUID | None = await session.scalar(
            text("SELECT id FROM child WHERE reference = :reference"),
            {"reference": child_ref.strip()},
        )
        worker = await worker_by_email(session, email)
        worker_id = None if worker is None else worker.id
    if child_id is None:
        raise NotFound(f"There is no child with the reference {child_ref}.")
    async with tenant.reading() as connection:
        who = (
            None
            if worker_id is None
            else await worker_at_desk(connection, tenant.ring, worker_id, now)
        )
    if who is None:
        raise NotFound(f"There is no worker with the e-mail address {email} now.")
    answer: dict[str, Any] = {
        "child": child_ref.strip(),
        "viewer": {"name": who.name, "email": email, "agency": who.agency_name},
        "category": asked_category.value,
        "purpose": asked_purpose.value,
    }
    async with tenant.transaction(who.viewer.id) as session:
        known = (await SharingFacts().known(session, [child_id], who.viewer)).get(child_id)
    if known is None:
        return answer | {
            "permitted": False,
            "basis": "no_tie",
            "reasons": ["They are not tied to this child now, so the record does not open."],
            "ties": [],
            "since": None,
            "until": None,
            "silent": False,
            "obligations": [],
        }
    standpoint = stand(who.viewer, asked_purpose, now, known.state)
    decision = decide_from(standpoint, asked_category)
    return answer | {
        "permitted": decision.permitted,
        "basis": decision.basis.value,
        "reasons": list(decision.reasons),
        "ties": sorted({tie.tie.value for tie in standpoint.ties}),
        "since": _day(decision.since),
        "until": _day(decision.until),
        "silent": decision.silent,
        "obligations": sorted(one.value for one in decision.obligations),
    }


def _word(kind: type[Word], name: str, given: str) -> Word:
    try:
        return kind(given.strip().lower().replace("-", "_"))
    except ValueError:
        known = ", ".join(one.value for one in kind)
        raise Invalid.because(name, f"“{given}” is no {name}. Use one of: {known}") from None


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
