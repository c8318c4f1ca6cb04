"""What `consent.decide` permits to whom, worked out from the rows of the database alone.

The gate, its port and `child_access` are not asked: the facts are read from their own tables.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, cast
from uuid import UUID

import psycopg
from sqlalchemy import select

from consent import (
    Agreement,
    Basis,
    Category,
    CourtOrder,
    Enquiry,
    Level,
    Objection,
    Override,
    Purpose,
    Question,
    Relationship,
    Restriction,
    RestrictionKind,
    Role,
    Span,
    State,
    Tie,
    Viewer,
    ViewerKind,
    decide,
)
from consent.reach import TIE_RULES, binds, is_named, may_reach
from panel.accounts.models import Agency, Worker, WorkerRole
from panel.allocation.models import ServiceRequest
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.sharing.models import (
    Gateway,
    SharingAgreement,
    SharingEnquiry,
    SharingObjection,
    SharingOrder,
    SharingOverride,
    SharingRestriction,
)
from panel.sharing.state import DutyFact, duty
from tests.hostile.canary_fields import Canary, Part

NO_TIES = frozenset({"job", "offer", "named"})
"""Of `child_tie`: these open a row of the database, and are no tie of the decision's."""
ABOUT_MONEY = frozenset({Role.BUDGET_HOLDER, Role.ALLOCATION_MEMBER})
GUARDIANS = frozenset({Role.CALDICOTT_GUARDIAN, Role.SAFEGUARDING_LEAD})
FOLLOWED_UP = timedelta(days=28)
"""How long a reviewer sees to an override that was not justified."""


@dataclass(frozen=True, slots=True)
class Look:
    """One line of the access history: of which child, as whom, and what for."""

    child: UUID
    viewer: UUID
    kind: str
    purpose: Purpose


class Rule:
    """The facts of every child's sharing at one moment, and what they permit."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.states: dict[UUID, State] = {}
        self.at_table: dict[UUID, State] = {}
        """The same where a seat at the panel is all that ties anybody to a child."""
        self.viewers: dict[UUID, Viewer] = {}
        """Every worker and agency; a family member or guest is made as they look."""
        self.asked = 0
        self.permits = cache(self._permits)

    def _permits(
        self,
        viewer: Viewer,
        purpose: Purpose,
        child: UUID,
        needs: frozenset[Category],
        agency: UUID | None,
        person: UUID | None,
        *,
        at_table: bool,
    ) -> bool:
        """Whether all of the categories are permitted; the words of a person by that person."""
        self.asked += 1
        state = (self.at_table if at_table else self.states).get(child)
        if state is None:
            return False
        return all(
            decide(
                Question(viewer, one, purpose, self.at, author_agency=agency, author_person=person),
                state,
            ).permitted
            for one in needs
        )

    def is_silent(self, viewer: Viewer, purpose: Purpose, child: UUID, what: Category) -> bool:
        """Whether a category is withheld, and not even that may be said."""
        state = self.states.get(child)
        return state is not None and decide(Question(viewer, what, purpose, self.at), state).silent

    def may_read(
        self, canary: Canary, look: Look, viewer: Viewer, *, at_table: bool = False
    ) -> bool:
        """Whether a look permits the text that carries a marker."""
        if look.child not in canary.children:
            return False
        if viewer.id in canary.always:
            return True
        if viewer.kind is ViewerKind.JOB or _is_for_others(canary, viewer):
            return False
        if canary.part is not None:
            return not is_named(viewer, canary.against) and self._has_part(canary, look, viewer)
        if canary.told_unless_silent and not any(
            self.is_silent(viewer, look.purpose, look.child, one) for one in canary.needs
        ):
            return True
        return any(
            self.permits(
                viewer,
                look.purpose,
                look.child,
                needs,
                agency,
                canary.person,
                at_table=at_table,
            )
            for needs in (canary.needs, canary.or_needs)
            if needs is not None
            for agency in canary.agencies
        )

    def _has_part(self, canary: Canary, look: Look, viewer: Viewer) -> bool:
        """Whether what the viewer has to do with the child lets them read a text kept for that."""
        state = self.states.get(look.child)
        if state is None or not may_reach(viewer, state, self.at):
            return False
        ties = {
            one.tie
            for one in state.relationships
            if one.span.holds(self.at.date())
            and binds(viewer, one)
            and look.purpose in TIE_RULES[one.tie].purposes
        }
        coordinates = Tie.PANEL in ties and Role.COORDINATOR in viewer.roles
        works = bool(ties & {Tie.TEAM, Tie.LEAD, Tie.MANAGER})
        guards = works or bool(ties & {Tie.PANEL, Tie.SAFEGUARDING})
        enquires = (viewer.agency_kind == "social_care" and works) or (
            bool(viewer.roles & GUARDIANS) and guards
        )
        chooses = coordinates or Tie.LEAD in ties
        if canary.part is Part.KNOWS_FORMER:
            identity = decide(Question(viewer, Category.IDENTITY, look.purpose, self.at), state)
            return identity.permitted and (
                is_named(viewer, canary.named) or identity.basis is Basis.COURT_ORDER
            )
        answers = bool(ties & {Tie.LEAD, Tie.PANEL}) or (
            bool(ties & {Tie.PARENT, Tie.SELF}) and self._may_answer(canary, look, viewer)
        )
        held = {
            Part.ANSWERS: answers,
            Part.CORRECTS: answers
            or (Tie.GOVERNANCE in ties and Role.GOVERNANCE_LEAD in viewer.roles),
            Part.ASKED: is_named(viewer, canary.named),
            Part.PROTECTS: enquires or coordinates,
            Part.CONFIRMS: enquires
            or coordinates
            or (Tie.GOVERNANCE in ties and Role.GOVERNANCE_LEAD in viewer.roles),
            Part.CHOOSES: chooses,
            Part.WITHHOLDS: enquires or coordinates or chooses,
            Part.ENQUIRES: enquires,
            Part.REVIEWS: bool(viewer.roles & GUARDIANS),
        }
        return canary.part is not None and held[canary.part]

    def _may_answer(self, canary: Canary, look: Look, viewer: Viewer) -> bool:
        """Whether one of the family sees what is asked for, and nothing protected is kept from them.

        To somebody from whom anything is kept, who asks would tell where the child is.
        """
        state = self.states[look.child]
        decided = {
            one: decide(Question(viewer, one, look.purpose, self.at), state) for one in Category
        }
        return all(decided[one].permitted for one in canary.needs) and not any(
            one.silent or (not one.permitted and one.basis in (Basis.PROTECTION, Basis.COURT_ORDER))
            for one in decided.values()
        )

    def viewer_of(self, look: Look) -> Viewer:
        """The viewer whom a line of the access history names."""
        kind = ViewerKind(look.kind)
        known = self.viewers.get(look.viewer)
        if kind in (ViewerKind.WORKER, ViewerKind.AGENCY) and known is not None:
            return known
        if kind in (ViewerKind.GUEST, ViewerKind.CLIENT) and known is not None:
            return known
        return Viewer(look.viewer, kind)


def _is_for_others(canary: Canary, viewer: Viewer) -> bool:
    """Whether it is no text for somebody like this, whatever they may see of the record."""
    if viewer.kind is ViewerKind.FAMILY:
        return canary.for_persons is not None and viewer.id not in canary.for_persons
    return canary.for_education and viewer.agency_kind not in ("education", "school")


async def read_rule(tenant: Tenant, owner_url: str) -> Rule:
    """The facts as they stand now."""
    rule = Rule(tenant.clock.now())
    ties = _ties(owner_url, tenant.record.schema_name)
    left = _left(owner_url, tenant.record.schema_name)
    async with tenant.transaction(JOB) as session:

        async def by_child(model: type[Any]) -> dict[UUID, list[Any]]:
            found: dict[UUID, list[Any]] = defaultdict(list)
            for row in await session.scalars(select(model)):
                found[row.child_id].append(row)
            return found

        agreements = await by_child(SharingAgreement)
        objections = await by_child(SharingObjection)
        restrictions = await by_child(SharingRestriction)
        orders = await by_child(SharingOrder)
        overrides = await by_child(SharingOverride)
        enquiries = await by_child(SharingEnquiry)
        requests = await by_child(ServiceRequest)
        duties = tuple([_duty(row) for row in await session.scalars(select(Gateway))])
        roles: dict[UUID, set[Role]] = defaultdict(set)
        today = rule.at.date()
        holders = []
        for role in await session.scalars(select(WorkerRole)):
            if role.role in ABOUT_MONEY:
                holders.append(role)
            if Span(role.from_on, role.until_on).holds(today):
                roles[role.worker_id].add(Role(role.role))
        leads = [worker for worker, held in roles.items() if Role.GOVERNANCE_LEAD in held]
        guardians = [worker for worker, held in roles.items() if held & GUARDIANS]
        for child in ties:
            rule.states[child] = State(
                child=child,
                relationships=(
                    *ties[child],
                    *_reviews(overrides[child], guardians, today),
                    *_requests(requests[child], holders),
                    *(
                        Relationship(Tie.GOVERNANCE, lead, span)
                        for span in left[child]
                        for lead in leads
                    ),
                ),
                agreements=tuple(_agreement(one) for one in agreements[child]),
                objections=tuple(_objection(one) for one in objections[child]),
                restrictions=tuple(_restriction(one) for one in restrictions[child]),
                orders=tuple(_order(one) for one in orders[child]),
                overrides=tuple(
                    Override(one.to_id, _categories(one.categories), one.starts_at, one.ends_at)
                    for one in overrides[child]
                ),
                enquiries=tuple(
                    Enquiry(frozenset(one.agencies), Span(one.from_on, one.until_on))
                    for one in enquiries[child]
                ),
                duties=duties,
            )
        agencies = {one.id: one for one in await session.scalars(select(Agency))}
        for worker in await session.scalars(select(Worker)):
            rule.viewers[worker.id] = Viewer(
                worker.id, ViewerKind.WORKER, worker.agency_id, agencies[worker.agency_id].kind,
                frozenset(roles[worker.id]),
            )  # fmt: skip
        table = (
            *(Relationship(Tie.AGENDA, agency) for agency in agencies),
            *(Relationship(Tie.PANEL, worker) for worker in rule.viewers),
        )
        rule.at_table = {
            child: replace(state, relationships=table) for child, state in rule.states.items()
        }
        for agency in agencies.values():
            rule.viewers[agency.id] = Viewer(
                agency.id, ViewerKind.AGENCY, agency.id, agency.kind
            )  # fmt: skip
    return rule


def _ties(owner_url: str, schema: str) -> dict[UUID, list[Relationship]]:
    found: dict[UUID, list[Relationship]] = defaultdict(list)
    with psycopg.connect(owner_url) as owner:
        rows = owner.execute(
            f"SELECT child_id, tie, who, from_on, until_on, categories FROM {schema}.child_tie"
        ).fetchall()
    for child, tie, who, start, end, categories in rows:
        if tie not in NO_TIES:
            most = None if categories is None else _categories(categories)
            found[child].append(Relationship(Tie(tie), who, _span(start, end), most))
    return found


def _left(owner_url: str, schema: str) -> dict[UUID, list[Span]]:
    """When something about a child is left to the information governance lead."""
    found: dict[UUID, list[Span]] = defaultdict(list)
    with psycopg.connect(owner_url) as owner:
        rows = owner.execute(
            f"SELECT child_id, from_on, until_on FROM {schema}.left_to_governance"
        ).fetchall()
    for child, start, end in rows:
        found[child].append(_span(start, end))
    return found


def _reviews(
    overrides: Iterable[SharingOverride], guardians: Iterable[UUID], today: date
) -> Iterable[Relationship]:
    """Who answers for safety reaches a child whose record somebody else opened, until it is dealt
    with."""
    for one in overrides:
        done = None if one.reviewed_at is None else one.reviewed_at.date()
        ends = done if done is None or one.justified else done + FOLLOWED_UP
        if one.review_by is not None and (ends is None or ends >= today):
            for worker in guardians:
                if worker != one.to_id:
                    yield Relationship(Tie.SAFEGUARDING, worker, Span(None, ends))


def _requests(
    requests: Iterable[ServiceRequest], holders: Iterable[WorkerRole]
) -> Iterable[Relationship]:
    """Who sits on an allocation panel reaches a child from the day on which a request was sent to it,
    until it is before the panel no more."""
    for one in requests:
        if one.state in ("sent", "decided"):
            for holder in holders:
                if holder.panel_id in (None, one.panel_id):
                    starts = [day for day in (one.sent_on, holder.from_on) if day]
                    ends = [day for day in (one.tie_until, holder.until_on) if day]
                    span = Span(max(starts, default=None), min(ends, default=None))
                    yield Relationship(Tie.REQUEST, holder.worker_id, span)


def _span(start: date | None, end: date | None) -> Span:
    return Span(start, end)


def _categories(codes: Iterable[str]) -> frozenset[Category]:
    return frozenset(Category(one) for one in codes)


def _duty(row: Gateway) -> Any:
    return duty(
        DutyFact(
            row.code, row.words, row.source, _categories(row.categories),
            frozenset(Purpose(one) for one in row.purposes), frozenset(row.agency_kinds),
            frozenset(Role(one) for one in row.roles), frozenset(Tie(one) for one in row.ties),
            row.commenced_on, row.ended_on,
        )
    )  # fmt: skip


def _agreement(row: SharingAgreement) -> Agreement:
    return Agreement(
        id=row.id,
        given=row.given,
        by=row.by_person_id,
        by_words=row.by_words,
        agencies=frozenset(row.agencies),
        not_agencies=frozenset(row.not_agencies),
        level=None if row.level is None else Level(row.level),
        named=_categories(row.named),
        purposes=frozenset(Purpose(one) for one in row.purposes),
        span=Span(row.from_on, row.until_on),
        withdrawn=row.withdrawn_at,
    )


def _objection(row: SharingObjection) -> Objection:
    return Objection(
        row.by_words, frozenset(row.agencies), _categories(row.categories), row.raised_on,
        row.decided_on, row.upheld, frozenset(Purpose(one) for one in row.purposes),
    )  # fmt: skip


def _restriction(row: SharingRestriction) -> Restriction:
    return Restriction(
        RestrictionKind(row.kind), _categories(row.categories), frozenset(row.against),
        Span(row.from_on, row.until_on), row.silent, row.by_words,
    )  # fmt: skip


def _order(row: SharingOrder) -> CourtOrder:
    return CourtOrder(
        row.permits, _categories(row.categories), frozenset(row.to),
        Span(row.from_on, row.until_on), row.reference, row.silent,
    )  # fmt: skip


# What somebody's role opens a record for (DOMAIN.md, the role table).

OF_ROLE: dict[Role, frozenset[Purpose]] = {
    Role.PRACTITIONER: frozenset({Purpose.SUPPORT, Purpose.REVIEW}),
    Role.COORDINATOR: frozenset({Purpose.PANEL, Purpose.REVIEW}),
    Role.CHAIR: frozenset({Purpose.PANEL, Purpose.REVIEW}),
    Role.PANEL_MEMBER: frozenset({Purpose.PANEL}),
    Role.BUDGET_HOLDER: frozenset({Purpose.ALLOCATION}),
    Role.ALLOCATION_MEMBER: frozenset({Purpose.ALLOCATION}),
    Role.MANAGER: frozenset({Purpose.SUPPORT, Purpose.REVIEW}),
    Role.CALDICOTT_GUARDIAN: frozenset({Purpose.SAFEGUARDING, Purpose.GOVERNANCE}),
    Role.SAFEGUARDING_LEAD: frozenset({Purpose.SAFEGUARDING, Purpose.GOVERNANCE}),
    Role.GOVERNANCE_LEAD: frozenset({Purpose.GOVERNANCE, Purpose.SUBJECT_ACCESS}),
}


def own_purposes(viewer: Viewer) -> frozenset[Purpose]:
    """What somebody may open a record for."""
    if viewer.kind is ViewerKind.FAMILY:
        return frozenset({Purpose.SUPPORT})
    if viewer.kind in (ViewerKind.AGENCY, ViewerKind.GUEST):
        return frozenset({Purpose.PANEL})
    none: frozenset[Purpose] = frozenset()
    return cast("frozenset[Purpose]", none.union(*(OF_ROLE.get(one, none) for one in viewer.roles)))
