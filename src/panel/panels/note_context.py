"""Whom and what a note or a plan is compared with, gathered for comparing alone.

A writer may not know which other children are on the same agenda, or where a child lives; the
note's text is compared with both all the same. So this is read as scheduled work is, and nothing
of it reaches a page: what is marked is always something that the writer typed.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Decision, Purpose, Viewer, ViewerKind
from panel.panels.note_marks import NoteContext, OtherChild
from panel.panels.note_rules import Way, is_protected, usual_way
from panel.platform.crypto import ERASED, Keys
from panel.platform.read_models import ReadModel
from panel.platform.tables import KEYS
from panel.platform.tenancy import Tenant, load_agency_keys, load_keys
from panel.records.child_scoped import JOB
from panel.sharing.foresight import would_be_shown


class _Child(msgspec.Struct):
    id: UUID
    given_name: str | None
    family_name: str | None
    known_as: str | None
    address: str | None = None
    postcode: str | None = None
    phone: str | None = None
    school: str | None = None


class _Member(msgspec.Struct):
    id: UUID
    name: str | None
    address: str | None
    phone: str | None
    email: str | None
    safe_contact: str | None
    responsible: bool
    """Whether they may have parental responsibility, so that they may get the note."""


class _Worker(msgspec.Struct):
    id: UUID
    agency_id: UUID
    name: str | None
    phone: str | None
    helps: bool
    """Whether they work with the child, rather than only sit on the panel."""


class _Around(msgspec.Struct):
    child: _Child
    others: tuple[_Child, ...] | None
    family: tuple[_Member, ...] | None
    workers: tuple[_Worker, ...] | None
    agencies: tuple[str, ...] | None
    helping: tuple[str, ...] | None
    """The agencies that work with the child."""
    wards: tuple[str, ...] | None
    places: tuple[str, ...] | None
    """Where the panels meet."""


_AROUND = """
SELECT json_build_object(
 'child', json_build_object('id', c.id, 'given_name', encode(c.given_name, 'hex'),
   'family_name', encode(c.family_name, 'hex'), 'known_as', encode(c.known_as, 'hex'),
   'address', encode(c.address, 'hex'), 'postcode', encode(c.postcode, 'hex'),
   'phone', encode(c.phone, 'hex'), 'school', c.school),
 'others', (SELECT json_agg(json_build_object('id', o.id,
     'given_name', encode(o.given_name, 'hex'), 'family_name', encode(o.family_name, 'hex'),
     'known_as', encode(o.known_as, 'hex')))
   FROM child o WHERE o.id <> c.id AND o.id IN (
     SELECT s.id FROM child s WHERE s.sibling_group = c.sibling_group
     UNION SELECT i.child_id FROM agenda_item i WHERE i.meeting_id = ANY(t.meetings)
     UNION SELECT b.child_id FROM family_link a JOIN family_link b
       ON b.family_member_id = a.family_member_id WHERE a.child_id = c.id
     {others})),
 'family', (SELECT json_agg(json_build_object('id', f.id, 'name', encode(f.name, 'hex'),
     'address', encode(f.address, 'hex'), 'phone', encode(f.phone, 'hex'),
     'email', encode(f.email, 'hex'), 'safe_contact', encode(f.safe_contact, 'hex'),
     'responsible', EXISTS (SELECT 1 FROM family_link r WHERE r.family_member_id = f.id
       AND r.child_id = c.id AND r.parental_responsibility)))
   FROM family_member f WHERE f.id IN (SELECT l.family_member_id FROM family_link l
     WHERE l.child_id = c.id)),
 'workers', (SELECT json_agg(json_build_object('id', w.id, 'agency_id', w.agency_id,
     'name', encode(w.name, 'hex'), 'phone', encode(w.phone, 'hex'), 'helps', h.id IS NOT NULL))
   FROM worker w LEFT JOIN (SELECT worker_id AS id FROM involvement WHERE child_id = c.id
       UNION SELECT worker_id FROM lead_professional WHERE child_id = c.id
         AND state = 'accepted') h ON h.id = w.id
   WHERE h.id IS NOT NULL
     OR w.id IN (SELECT r.worker_id FROM worker_role r WHERE r.panel_id = ANY(t.panels))
     OR w.id IN (SELECT d.worker_id FROM discussion d WHERE d.meeting_id = ANY(t.meetings))
     OR w.id IN (SELECT x.owner_worker_id FROM action x WHERE x.child_id = c.id)),
 'agencies', (SELECT json_agg(g.name) FROM agency g),
 'helping', (SELECT json_agg(g.name) FROM agency g WHERE g.id IN
   (SELECT i.agency_id FROM involvement i WHERE i.child_id = c.id)),
 'wards', (SELECT json_agg(w.name) FROM area w),
 'places', t.places)::text
FROM child c, (SELECT array_agg(m.id) AS meetings, array_agg(p.id) AS panels,
    json_agg(DISTINCT p.place) AS places
  FROM meeting m JOIN panel p ON p.id = m.panel_id WHERE {meetings}) t
WHERE c.id = :child
"""
_READ = ReadModel(
    _AROUND.format(meetings="p.key = :key AND m.held_on = :day AND m.state = 'held'", others="")
    + " AND t.meetings IS NOT NULL",
    _Around,
)
# Whoever holds a plan may have the name of a child of another plan of theirs at hand.
_READ_FOR_PLAN = ReadModel(
    _AROUND.format(
        meetings="m.id IN (SELECT i.meeting_id FROM agenda_item i WHERE i.child_id = :child)",
        others="""UNION SELECT y.child_id FROM lead_professional x JOIN lead_professional y
       ON y.worker_id = x.worker_id AND y.state = 'accepted'
       WHERE x.child_id = c.id AND x.state = 'accepted'""",
    ),
    _Around,
)


@dataclass(frozen=True, slots=True)
class Gathered:
    """What notes of one child and meeting are compared with, before it is known for whom."""

    shown: dict[UUID, dict[Category, Decision]] = field(default_factory=dict)
    """What each who may get the note would be shown of the child."""
    _around: _Around | None = None
    _opened: "_Opened | None" = None
    _label: str = ""

    def to(self, people: Collection[UUID]) -> dict[UUID, dict[Category, Decision]]:
        """What these people would be shown."""
        return {person: self.shown.get(person, {}) for person in people}

    def way_to(self, person: UUID) -> Way | None:
        """How somebody is reached, by their own contact details; None where a person must say."""
        around, opened = self._around, self._opened
        member = next(
            (one for one in (around.family if around else None) or () if one.id == person), None
        )
        if member is None or opened is None:
            return Way.LETTER
        return usual_way(
            has_email=bool(opened.member(member, "email")),
            safe_contact=opened.member(member, "safe_contact"),
        )

    def context(
        self, people: Collection[UUID], *, kept_from: Collection[UUID] | None = None
    ) -> NoteContext:
        """What words are compared with that go to these people.

        With `kept_from`, what is protected is what is protected from those alone.
        """
        around, opened = self._around, self._opened
        if around is None or opened is None:
            return NoteContext()
        shown = self.to(people if kept_from is None else kept_from)
        family = around.family or ()
        workers = [one for one in around.workers or () if one.name]
        places = (self._label, *(around.places or ()), around.child.school or "")
        return NoteContext(
            child=opened.names(around.child),
            recipients=_filled(opened.member(one, "name") for one in family if one.id in people),
            workers=tuple(opened.worker(one, "name") for one in workers),
            places=_filled((*places, *(around.agencies or ()), *(around.wards or ()))),
            phones=_filled(opened.worker(one, "phone") for one in workers),
            others=tuple(opened.other(one) for one in around.others or ()),
            addresses=_lines(
                [
                    opened.child(around.child, "address"),
                    *(opened.member(one, "address") for one in family),
                ]
            ),
            protected=_protected(opened, around, shown),
            telling=_telling(opened, around, shown, self._label),
            telling_names=_telling_names(opened, around, shown),
        )


async def gather(tenant: Tenant, child_id: UUID, key: str, held_on: date) -> Gathered:
    """Gather it, each read in a transaction of its own: nothing waits for another connection."""
    return await _gathered(
        tenant, child_id, _READ, {"key": key, "day": held_on}, lambda one: one.responsible
    )


async def gather_for_plan(tenant: Tenant, child_id: UUID) -> Gathered:
    """Gather what the words of a child's plan are compared with, for all of the family.

    Likewise; the meetings are all on whose agenda the child stands.
    """
    return await _gathered(tenant, child_id, _READ_FOR_PLAN, {}, lambda _one: True)


async def _gathered(
    tenant: Tenant,
    child_id: UUID,
    read: ReadModel[_Around],
    given: Mapping[str, object],
    may_get: Callable[[_Member], bool],
) -> Gathered:
    async with tenant.transaction(JOB) as session:
        around = await read.line(session, child=child_id, **given)
        if around is None:
            return Gathered()
        keys = await _keys_of(session, around)
    people = [child_id, *(one.id for one in around.family or () if may_get(one))]
    shown = {
        person: await would_be_shown(
            tenant, child_id, Viewer(person, ViewerKind.FAMILY), Purpose.SUPPORT
        )
        for person in people
    }
    return Gathered(shown, around, _Opened(keys), tenant.record.label)


async def _keys_of(session: AsyncSession, around: _Around) -> Keys:
    await load_agency_keys(session, {one.agency_id for one in around.workers or ()})
    people = {around.child.id, *(one.id for one in around.others or ())}
    await load_keys(session, people | {one.id for one in around.family or ()})
    keys: Keys = session.info[KEYS]
    return keys


class _Opened:
    """Opens what was gathered; what was erased is nothing."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def _open(self, holder: UUID, field: str, row: UUID, sealed: str | None) -> str:
        if sealed is None:
            return ""
        told = self._keys.open(holder, field, row, bytes.fromhex(sealed))
        return "" if told == ERASED else told

    def child(self, child: _Child, column: str) -> str:
        """One text of a child."""
        return self._open(child.id, f"child.{column}", child.id, getattr(child, column))

    def member(self, member: _Member, column: str) -> str:
        """One text of somebody of the family."""
        sealed = getattr(member, column)
        return self._open(member.id, f"family_member.{column}", member.id, sealed)

    def worker(self, worker: _Worker, column: str) -> str:
        """One text of a worker."""
        sealed = getattr(worker, column)
        return self._open(worker.agency_id, f"worker.{column}", worker.id, sealed)

    def names(self, child: _Child) -> tuple[str, ...]:
        """Every name of a child."""
        return _filled(self.child(child, one) for one in ("given_name", "family_name", "known_as"))

    def other(self, child: _Child) -> OtherChild:
        """Another child's names."""
        given = _filled(self.child(child, one) for one in ("given_name", "known_as"))
        return OtherChild(given, self.child(child, "family_name"))


def _protected(
    opened: _Opened, around: _Around, shown: dict[UUID, dict[Category, Decision]]
) -> tuple[str, ...]:
    """Where the child and the rest of the family are, where that is kept from a recipient."""
    found: list[str] = []
    for person, decisions in shown.items():
        if not is_protected(decisions, Category.CONTACT):
            continue
        child = around.child
        found += [opened.child(child, one) for one in ("address", "postcode", "phone")]
        for member in around.family or ():
            if member.id != person:
                found += [opened.member(member, one) for one in ("address", "phone", "email")]
    return _lines(found)


def _telling(
    opened: _Opened, around: _Around, shown: dict[UUID, dict[Category, Decision]], label: str
) -> tuple[str, ...]:
    """What could tell a recipient where the child is, where that is kept from them."""
    found: list[str] = []
    family = around.family or ()
    for person, decisions in shown.items():
        if is_protected(decisions, Category.CONTACT):
            found.append(around.child.school or "")
            theirs = "".join(opened.member(one, "address") for one in family if one.id == person)
            for address in (
                opened.child(around.child, "address"),
                *(opened.member(one, "address") for one in family if one.id != person),
            ):
                found += _places(address, (theirs, label))
        if is_protected(decisions, Category.NETWORK):
            found += around.helping or ()
    return _filled((*found, *_telling_names(opened, around, shown)))


def _telling_names(
    opened: _Opened, around: _Around, shown: dict[UUID, dict[Category, Decision]]
) -> tuple[str, ...]:
    """Who works with the child, where that is kept from a recipient."""
    if not any(is_protected(one, Category.NETWORK) for one in shown.values()):
        return ()
    return _filled(opened.worker(one, "name") for one in around.workers or () if one.helps)


def _places(address: str, known: Sequence[str]) -> list[str]:
    """The village or the town of an address, unless the reader lives there too."""
    _, *others = [part.strip() for part in address.replace(",", "\n").split("\n")]
    return [
        part
        for part in others
        if not any(sign.isdigit() for sign in part)
        and not any(part.casefold() in one.casefold() for one in known)
    ]


def _lines(addresses: Sequence[str]) -> tuple[str, ...]:
    """Addresses whole, their first lines, and the other lines with a number in them."""
    found: list[str] = []
    for address in addresses:
        first, *others = [part.strip() for part in address.replace(",", "\n").split("\n")]
        found += [address.strip(), first]
        found += [part for part in others if any(sign.isdigit() for sign in part)]
    return _filled(found)


def _filled(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))
