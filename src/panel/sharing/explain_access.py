"""Why somebody may or may not see a part of a child's record, for `panel access explain`."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import (
    Category,
    Decision,
    Purpose,
    Standpoint,
    Viewer,
    ViewerKind,
    arrangements_for,
    decide_from,
    lawful,
    lawful_words,
    stand,
)
from panel.accounts.service import worker_at_desk, worker_by_email
from panel.platform.clock import day_of
from panel.platform.problems import Invalid, NotFound
from panel.platform.tables import KEYS
from panel.platform.tenancy import load_keys
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.sharing.state import SharingFacts

Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who would look."""

    viewer: Viewer
    name: str
    agency: str


async def explain_access(
    gate: Gate, child_ref: str, email: str, category: str, purpose: str
) -> dict[str, Any]:
    """The decision, its reasons and its law, as plain values for JSON.

    Nothing of the record is read: somebody of the child's family is found by their e-mail address,
    which is compared and not told. An agency's own system is named by its key, which has no @.
    Raises NotFound for an unknown child or viewer, Invalid for a word that is no category or
    purpose, and for an address that two of the family have.
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
        if child_id is None:
            raise NotFound(f"There is no child with the reference {child_ref}.")
        worker = await worker_by_email(session, email)
        worker_id = None if worker is None else worker.id
        who = None
        if worker is None and "@" not in email:
            who = await _system(session, email, day_of(now))
        elif worker is None:
            who = await _of_the_family(session, child_id, email)
    if worker_id is not None:
        async with tenant.reading() as connection:
            found = await worker_at_desk(connection, tenant.ring, worker_id, now)
        if found is not None:
            who = _Asked(found.viewer, found.name, found.agency_name)
    if who is None:
        raise NotFound(
            "There is no worker, and nobody in this child's family, with the e-mail address"
            f" {email} now, and no system with this key."
        )
    answer: dict[str, Any] = {
        "child": child_ref.strip(),
        "viewer": {
            "name": who.name,
            "email": email,
            "agency": who.agency,
            "kind": who.viewer.kind.value,
        },
        "category": asked_category.value,
        "purpose": asked_purpose.value,
    }
    async with tenant.transaction(who.viewer.id) as session:
        known = (await SharingFacts().known(session, [child_id], who.viewer)).get(child_id)
    if known is None:
        return answer | {
            "decision": "withhold",
            "permitted": False,
            "basis": "no_tie",
            "reasons": ["They are not tied to this child now, so the record does not open."],
            "ties": [],
            "since": None,
            "until": None,
            "silent": False,
            "obligations": [],
            "lawful": None,
        }
    standpoint = stand(who.viewer, asked_purpose, now, known.state)
    decision = decide_from(standpoint, asked_category)
    return answer | {
        "decision": "permit" if decision.permitted else "withhold",
        "permitted": decision.permitted,
        "basis": decision.basis.value,
        "reasons": list(decision.reasons),
        "ties": sorted({tie.tie.value for tie in standpoint.ties}),
        "since": _day(decision.since),
        "until": _day(decision.until),
        "silent": decision.silent,
        "obligations": sorted(one.value for one in decision.obligations),
        "lawful": _lawful(standpoint, decision, asked_category),
    }


async def _system(session: AsyncSession, key: str, day: date) -> _Asked | None:
    """A system of an agency by the key under which it is registered, while it may come in."""
    found = await session.execute(
        text(
            "SELECT c.id, c.name, a.id AS agency_id, a.name AS agency, a.kind"
            " FROM exchange_client c JOIN agency a ON a.id = c.agency_id"
            " WHERE c.key = :key AND c.from_on <= :day"
            " AND (c.ended_on IS NULL OR c.ended_on > :day)"
        ),
        {"key": key, "day": day},
    )
    row = found.one_or_none()
    if row is None:
        return None
    viewer = Viewer(row.id, ViewerKind.CLIENT, row.agency_id, row.kind)
    return _Asked(viewer, row.name, row.agency)


async def _of_the_family(session: AsyncSession, child_id: UUID, email: str) -> _Asked | None:
    """One of the child's family by e-mail address; addresses are sealed, so each is opened."""
    rows = (
        await session.execute(
            text(
                "SELECT DISTINCT m.id, encode(m.name, 'hex') AS name,"
                " encode(m.email, 'hex') AS email"
                " FROM family_link l JOIN family_member m ON m.id = l.family_member_id"
                " WHERE l.child_id = :child AND m.email IS NOT NULL ORDER BY m.id"
            ),
            {"child": child_id},
        )
    ).all()
    await load_keys(session, {row.id for row in rows})
    keys = session.info[KEYS]

    def opened(row: UUID, field: str, sealed: str | None) -> str:
        if sealed is None:
            return ""
        return str(keys.open(row, f"family_member.{field}", row, bytes.fromhex(sealed)))

    wanted = email.strip().casefold()
    found = [row for row in rows if opened(row.id, "email", row.email).strip().casefold() == wanted]
    if len(found) > 1:
        raise Invalid.because(
            "viewer", "Two people in this child's family have this e-mail address. Put one right"
        )
    if not found:
        return None
    name = opened(found[0].id, "name", found[0].name)
    return _Asked(Viewer(found[0].id, ViewerKind.FAMILY), name, "")


def _lawful(at: Standpoint, decision: Decision, category: Category) -> dict[str, Any] | None:
    """Under what law a permission is used; None where it is withheld."""
    agreed = arrangements_for(at.arrangements, at.viewer, category, at.purpose, at.day)
    under = tuple(one.reference for one in agreed)
    law = lawful(decision, category, at.viewer, at.purpose, at.day, under=under)
    if law is None:
        return None
    return {
        "article6": law.article6.value,
        "article9": None if law.article9 is None else law.article9.value,
        "condition": law.condition,
        "confidence": law.confidence.value,
        "gateway": law.gateway,
        "under": list(law.under),
        "words": lawful_words(law),
    }


def _word(kind: type[Word], name: str, given: str) -> Word:
    try:
        return kind(given.strip().lower().replace("-", "_"))
    except ValueError:
        known = ", ".join(one.value for one in kind)
        raise Invalid.because(name, f"“{given}” is no {name}. Use one of: {known}") from None


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
