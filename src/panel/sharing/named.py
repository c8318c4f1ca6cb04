"""Whom something can be withheld from, or opened to, by name: family, agencies, workers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text

from consent import Category, Purpose, Relationship, Role, Tie, Viewer, ViewerKind
from panel.accounts.service import agencies, worker_by_email, worker_names
from panel.platform.problems import Invalid
from panel.platform.tenancy import load_keys
from panel.records.gate import Access
from panel.sharing.as_agency import as_agency
from panel.sharing.standing import LinkFact, family_facts
from panel.web.words import upper_first

EVERYONE = "everyone"
"""What a form says for everybody, in the place of an id."""


class Kind(StrEnum):
    """What somebody is who is named."""

    FAMILY = "family"
    AGENCY = "agency"
    WORKER = "worker"


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody who can be named, and as whom they would look."""

    id: UUID
    kind: Kind
    words: str
    """"Her father, Ben Kestrel", "Made-up School", "Tom Arden, Made-up School"."""
    viewer: Viewer
    purpose: Purpose
    tie: Relationship


_WORKERS = text(
    "SELECT DISTINCT w.id, w.agency_id FROM worker w WHERE w.id IN"
    " (SELECT i.worker_id FROM involvement i WHERE i.child_id = :child"
    "   AND (i.until_on IS NULL OR i.until_on >= :today)"
    "  UNION SELECT l.worker_id FROM lead_professional l WHERE l.child_id = :child"
    "   AND l.state = 'accepted') ORDER BY w.id"
)
_ROLES = text(
    "SELECT worker_id, array_agg(role) FROM worker_role WHERE worker_id = ANY(:workers)"
    " AND (from_on IS NULL OR from_on <= :today) AND (until_on IS NULL OR until_on >= :today)"
    " GROUP BY worker_id"
)
_AGENCY_OF = text("SELECT id, agency_id FROM worker WHERE id = ANY(:workers)")


async def who_can_be_named(access: Access, also: Iterable[UUID] = ()) -> tuple[Named, ...]:
    """Family, agencies and workers, in this order; `also` are workers from elsewhere.

    The relationship of a member of the family is told where their name is withheld: whom an
    address must not reach is said by the relationship alone.
    """
    return (*await _family(access), *await _agencies(access), *await _workers(access, also))


async def worker_with_email(access: Access, email: str) -> UUID:
    """The worker of an e-mail address. Raises Invalid (field `worker_email`)."""
    found = await worker_by_email(access.session, email)
    if found is None:
        raise Invalid.because("worker_email", "No worker here has this e-mail address. Check it")
    return found.id


async def agencies_of_workers(access: Access, workers: Iterable[UUID]) -> dict[UUID, UUID]:
    """The agency of each of these who is a worker."""
    found = await access.session.execute(_AGENCY_OF, {"workers": list(workers)})
    return {row.id: row.agency_id for row in found}


def words_of(ids: Iterable[UUID], known: Mapping[UUID, Named]) -> tuple[str, ...]:
    """Who is named, in words; "somebody else" for an id that is not known any more."""
    return tuple(known[one].words if one in known else "somebody else" for one in ids)


async def _family(access: Access) -> list[Named]:
    facts = await family_facts(access)
    links: dict[UUID, LinkFact] = {}
    for link in sorted(facts.links or (), key=lambda one: one.holds(access.today)):
        links[link.person] = link
    await load_keys(access.session, set(links))
    whose = {"female": "her", "male": "his"}.get(facts.sex, "their")
    found = []
    for person, link in links.items():
        decision = access.decision(Category.FAMILY, link.author_agency, person)
        if decision.silent:
            continue
        words = upper_first(f"{whose} {link.relationship.strip().lower() or 'family member'}")
        if decision.permitted and link.name is not None:
            sealed = bytes.fromhex(link.name)
            words += f", {access.keys.open(person, 'family_member.name', person, sealed)}"
        tie = Tie.PARENT if link.parental_responsibility and link.basis else Tie.RELATIVE
        viewer = Viewer(person, ViewerKind.FAMILY)
        found.append(
            Named(person, Kind.FAMILY, words, viewer, Purpose.SUPPORT, Relationship(tie, person))
        )
    return found


async def _agencies(access: Access) -> list[Named]:
    # The pack of an agency is covered by the same agreements as its workers are.
    found = []
    for one in await agencies(access.session):
        looks = as_agency(one, Tie.TEAM)
        found.append(Named(one.id, Kind.AGENCY, one.name, looks.viewer, looks.purpose, looks.tie))
    return found


async def _workers(access: Access, also: Iterable[UUID]) -> list[Named]:
    wanted: dict[UUID, UUID] = {}
    if access.may(Category.NETWORK):
        found = await access.session.execute(
            _WORKERS, {"child": access.child_id, "today": access.today}
        )
        wanted |= {row.id: row.agency_id for row in found}
    if others := set(also) - wanted.keys():
        wanted |= await agencies_of_workers(access, others)
    names = await worker_names(access.session, list(wanted))
    known = {one.id: one for one in await agencies(access.session)}
    roles = await access.session.execute(_ROLES, {"workers": list(wanted), "today": access.today})
    held = {row[0]: frozenset(Role(one) for one in row[1]) for row in roles}
    return [
        Named(
            worker,
            Kind.WORKER,
            f"{names.get(worker, 'A worker')}, {known[agency].name}",
            Viewer(
                worker,
                ViewerKind.WORKER,
                agency,
                known[agency].kind,
                held.get(worker, frozenset()) | {Role.PRACTITIONER},
            ),
            Purpose.SUPPORT,
            Relationship(Tie.TEAM, worker),
        )
        for worker, agency in sorted(wanted.items(), key=lambda one: names.get(one[0], ""))
    ]
