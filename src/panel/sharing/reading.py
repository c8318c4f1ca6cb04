"""Who may see what of a child now, on what it rests, and who looked: read through the gate."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Self
from uuid import UUID

from sqlalchemy import or_, select, text

from consent import Agreement, Category, Decision, Purpose, Role, State, Tie
from panel.accounts.models import Agency
from panel.accounts.service import agencies, worker_names
from panel.platform.clock import day_of
from panel.platform.problems import NotAllowed, NotFound
from panel.records.gate import NOT_HERE, Access, Withheld
from panel.records.rehearsal import Turn
from panel.sharing.as_agency import as_agency
from panel.sharing.ending import is_live
from panel.sharing.look_basis import basis_line
from panel.sharing.models import (
    AccessRequest,
    SharingAgreement,
    SharingObjection,
    SharingRestriction,
)
from panel.sharing.restrict_rules import as_known_to
from panel.sharing.state import SharingFacts
from panel.sharing.systems import agencies_spoken_of
from panel.web.paging import Asked, Page, page_of

HISTORY_PAGE = 50
NOT_THE_HISTORY = (
    "The history of a record is for its lead professional, the coordinator and the"
    " information governance lead."
)


@dataclass(frozen=True, slots=True)
class AgencyView:
    """What one agency may see now for one purpose."""

    agency_id: UUID
    name: str
    purpose: Purpose
    is_mine: bool
    decisions: Mapping[Category, Decision]


@dataclass(frozen=True, slots=True)
class AgreementLine:
    """One agreement or refusal, with its agencies by name."""

    id: UUID
    given: bool
    by_words: str
    capacity: str
    agencies: tuple[str, ...]
    not_agencies: tuple[str, ...]
    level: str | None
    named: tuple[str, ...]
    purposes: tuple[str, ...]
    from_on: date
    until_on: date | None
    withdrawn_on: date | None
    how_explained: str
    """Empty where it may not be seen."""
    in_force: bool
    basis: str = ""
    """Of parental responsibility, on the day it was recorded."""
    interpreter: str = ""
    """Empty where it may not be seen: who speaks which language is of the family."""
    renewed_on: date | None = None
    """When another agreement carried it on."""
    goes_on_without: tuple[str, ...] = ()
    """The agencies for whom it ended, where another agreement carries on the rest."""


@dataclass(frozen=True, slots=True)
class ObjectionLine:
    """One objection and what became of it."""

    id: UUID
    by_words: str
    agencies: tuple[str, ...]
    categories: tuple[str, ...]
    raised_on: date
    decided_on: date | None
    upheld: bool
    purposes: tuple[str, ...] = ()
    """None is for everything."""


@dataclass(frozen=True, slots=True)
class RestrictionLine:
    """One restriction that may be told of."""

    kind: str
    by_words: str
    categories: tuple[str, ...]
    against: tuple[str, ...]
    """Agencies by name, "a person" for anybody else; none is everyone."""
    from_on: date
    until_on: date | None


@dataclass(frozen=True, slots=True)
class RequestLine:
    """One request of the viewer's own, or for the viewer's agency, and its answer."""

    category: Category
    asked_on: date
    state: str
    purpose: Purpose = Purpose.SUPPORT
    agency: str = ""
    """For whom, where it is another agency than the viewer's."""
    answered_on: date | None = None
    basis: str = ""
    answer: str = ""
    is_mine: bool = True
    """Whether the viewer asked, for the viewer's own agency."""


@dataclass(frozen=True, slots=True)
class SharingPicture:
    """Everything that the sharing page shows."""

    views: tuple[AgencyView, ...]
    involved_withheld: Withheld | None
    """Why the agencies that are involved are not all listed."""
    mine_withheld: tuple[tuple[Category, Withheld], ...]
    agreements: tuple[AgreementLine, ...]
    objections: tuple[ObjectionLine, ...]
    restrictions: tuple[RestrictionLine, ...]
    requests: tuple[RequestLine, ...]
    may_change: bool
    may_see_history: bool


@dataclass(frozen=True, slots=True)
class Loss:
    """What one agency would no longer see."""

    agency: str
    purpose: Purpose
    categories: tuple[Category, ...]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What would change if an agreement or refusal ended now."""

    agreement: AgreementLine
    closes: tuple[Loss, ...]
    opens: tuple[Loss, ...]
    turn: Turn
    agencies: tuple[tuple[UUID, str], ...]
    """Whom it names: each with what it is called."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """Whose views are told: each an agency, and the tie in which it would look."""

    looks: frozenset[tuple[UUID, Tie]]

    @classmethod
    def by(
        cls, state: State, team: set[UUID], panel: set[UUID], after: State | None = None
    ) -> Self:
        """Agencies of the team and of the panel, and the systems of the team's agencies.

        A system is told of where an agreement or a refusal speaks of it, before or after.
        """
        said = (*state.agreements, *(() if after is None else after.agreements))
        return cls(
            frozenset(
                [(one, Tie.TEAM) for one in team]
                + [(one, Tie.AGENDA) for one in panel]
                + [(one, Tie.CLIENT) for one in agencies_spoken_of(said) & team]
            )
        )


@dataclass(frozen=True, slots=True)
class LookLine:
    """One look at the record."""

    id: UUID
    at: datetime
    who: str
    agency: str
    purpose: Purpose
    doing: str
    refused: bool
    basis: str = ""
    """On which basis and under which law, in words; empty where it was refused."""


@dataclass(frozen=True, slots=True)
class SeenBy:
    """Somebody who opened the record so that an entry could be seen, from when until when."""

    viewer_id: UUID
    who: str
    agency: str
    first_at: datetime
    last_at: datetime
    times: int


_INVOLVED = """
SELECT DISTINCT agency_id FROM involvement
WHERE child_id = :child AND (until_on IS NULL OR until_on >= :today)
"""
_ON_PANEL = """
SELECT DISTINCT m.agency_id FROM referral r JOIN panel_agency m ON m.panel_id = r.panel_id
WHERE r.child_id = :child AND (m.from_on IS NULL OR m.from_on <= :today)
  AND (m.until_on IS NULL OR m.until_on >= :today)
"""
_LOOKS = """
SELECT id, at, viewer_id, viewer_kind, agency_id, purpose, doing,
  decisions, jsonb_exists(decisions, 'refused') AS refused
FROM access_event WHERE child_id = :child
"""
# What an agency's own workers wrote they see, whatever else of the category is withheld.
_SEEN = """
SELECT viewer_id, viewer_kind, agency_id, min(at) AS first_at, max(at) AS last_at,
  count(*) AS times
FROM access_event
WHERE child_id = :child AND at >= :since AND viewer_kind NOT IN ('family', 'job')
  AND jsonb_exists(decisions, :category)
  AND (agency_id = :agency OR decisions ->> :category NOT LIKE 'withheld:%')
GROUP BY viewer_id, viewer_kind, agency_id ORDER BY first_at, viewer_id
"""
_NEWEST = " ORDER BY at DESC, id DESC LIMIT :some"
_OLDER = " AND (at, id) < (:at, :id)" + _NEWEST
_NEWER = " AND (at, id) > (:at, :id) ORDER BY at, id LIMIT :some"
_ASKED_FOR = {
    Purpose.SUPPORT: Tie.TEAM,
    Purpose.REVIEW: Tie.TEAM,
    Purpose.PANEL: Tie.AGENDA,
    Purpose.ALLOCATION: Tie.REQUEST,
}
"""Through which tie somebody would look who asks for a purpose."""
OTHERS_WORDS = {
    "family": "One of the family",
    "guest": "A guest of the panel",
    "agency": "The agency's pack",
    "client": "A connected system",
    "job": "Panel itself",
}


async def sharing_picture(access: Access) -> SharingPicture:
    """Who may see what now and why, and the facts it rests on, as far as they may be told."""
    known = {agency.id: agency for agency in await agencies(access.session)}
    state = await state_of_child(access)
    sees_network = access.may(Category.NETWORK)
    involved = await _ids(access, _INVOLVED)
    mine = access.viewer.agency
    shown = involved if sees_network else involved & ({mine} if mine else set())
    return SharingPicture(
        views=_views(access, state, known, _Shown.by(state, shown, await _ids(access, _ON_PANEL))),
        involved_withheld=None if sees_network else access.withheld(Category.NETWORK),
        mine_withheld=tuple(
            (category, why)
            for category in Category
            if (why := access.withheld(category)) is not None and not why.silent
        ),
        agreements=await _agreements(access, known),
        objections=await _objections(access, known),
        restrictions=await _restrictions(access, known),
        requests=await _requests(access, known),
        may_change=access.may_write,
        may_see_history=may_see_history(access),
    )


async def rehearse_withdrawal(
    access: Access, agreement_id: UUID, only: UUID | None = None
) -> Rehearsal:
    """What would close, and open, if this agreement or refusal ended now. Raises NotFound.

    With `only` it ends for that one of its agencies, and goes on for the others.
    """
    access.require_write()
    known = {agency.id: agency for agency in await agencies(access.session)}
    lines = await _agreements(access, known)
    agreement = next((line for line in lines if line.id == agreement_id), None)
    if agreement is None or agreement.withdrawn_on is not None:
        raise NotFound("There is no such agreement, or it was withdrawn already.")
    state = await known_state(access)
    without = _without(access, state, agreement_id, only)
    involved = await _ids(access, _INVOLVED) if access.may(Category.NETWORK) else set()
    # Of what ended long ago the facts keep the latest only.
    named = next((one for one in state.agreements if one.id == agreement_id), None)
    if named is None:
        raise NotFound("There is no such agreement, or it ended already.")
    if only is not None and only not in named.agencies:
        raise NotFound("There is no such agreement with this agency.")
    shown = involved | (set(named.agencies | named.not_agencies) & known.keys())
    whom = _Shown.by(state, shown, await _ids(access, _ON_PANEL))
    before, after = (_views(access, one, known, whom) for one in (state, without))
    return Rehearsal(
        agreement=agreement,
        closes=_losses(before, after),
        opens=_losses(after, before),
        turn=Turn(state, without),
        agencies=tuple(
            sorted(
                ((one, known[one].name) for one in named.agencies if one in known),
                key=lambda one: one[1],
            )
        ),
    )


async def would_change(
    access: Access, change: Callable[[State], State], named: Iterable[UUID]
) -> tuple[tuple[Loss, ...], tuple[Loss, ...]]:
    """What closes and what opens if the facts were other ones, for those involved and those named.

    Agencies that are involved are told of only to who may know them.
    """
    state = await known_state(access)
    return await differences(access, Turn(state, change(state)), named)


async def differences(
    access: Access, turn: Turn, named: Iterable[UUID]
) -> tuple[tuple[Loss, ...], tuple[Loss, ...]]:
    """What closes and what opens from the one state to the other; whom of, as `would_change`."""
    known = {agency.id: agency for agency in await agencies(access.session)}
    involved = await _ids(access, _INVOLVED) if access.may(Category.NETWORK) else set()
    shown = involved | (set(named) & known.keys())
    whom = _Shown.by(turn.before, shown, await _ids(access, _ON_PANEL), turn.after)
    before, after = (_views(access, one, known, whom) for one in (turn.before, turn.after))
    return _losses(before, after), _losses(after, before)


async def state_of_child(access: Access) -> State:
    """The child's sharing facts as the decision takes them.

    All but the ties are the same for every viewer. Raises NotFound.
    """
    known = await SharingFacts().known(access.session, [access.child_id], access.viewer)
    if access.child_id not in known:
        raise NotFound(NOT_HERE)
    return known[access.child_id].state


async def known_state(access: Access) -> State:
    """The facts that a rehearsal is decided by: without what is kept from the viewer in silence.

    Whatever is rehearsed begins here, so that none tells more than another. Raises NotFound.
    """
    return as_known_to(access.viewer, await state_of_child(access))


def decision_for(
    at: datetime, state: State, agency: Agency, worker_id: UUID, purpose: Purpose, asked: Category
) -> Decision:
    """What a worker of an agency, or its pack, would be answered once tied for this purpose."""
    looks = as_agency(agency, _ASKED_FOR[purpose], purpose, worker_id)
    return looks.would_see(at, state)[asked]


async def would_open_to(
    access: Access, agreement_id: UUID, agency_id: UUID, only: UUID | None = None
) -> bool:
    """Whether an agency would see more if this agreement or refusal ended now (for `only` one).

    As the viewer may know it: what is withheld from them in silence does not answer.
    """
    known = {agency.id: agency for agency in await agencies(access.session)}
    state = await known_state(access)
    without = _without(access, state, agreement_id, only)
    whom = _Shown.by(state, {agency_id}, {agency_id})
    before, after = (_views(access, one, known, whom) for one in (state, without))
    return bool(_losses(after, before))


def _without(access: Access, state: State, agreement_id: UUID, only: UUID | None) -> State:
    def ended(one: Agreement) -> Agreement:
        rest = frozenset() if only is None else one.agencies - {only}
        return replace(one, agencies=rest) if rest else replace(one, withdrawn=access.at)

    return replace(
        state,
        agreements=tuple(ended(one) if one.id == agreement_id else one for one in state.agreements),
    )


async def access_history(access: Access, asked: Asked) -> Page[LookLine]:
    """Who looked at this record, why and when, newest first, by key (at, id).

    For the coordinator or chair, the lead professional and the information governance lead;
    raises NotAllowed for others.
    """
    if not may_see_history(access):
        raise NotAllowed(NOT_THE_HISTORY)
    back = asked.direction == "before"
    paged = "" if asked.key is None else (_NEWER if back else _OLDER)
    at, last = asked.key if asked.key is not None else (None, None)
    found = await access.session.execute(
        text(_LOOKS + (paged or _NEWEST)),
        {"child": access.child_id, "some": HISTORY_PAGE + 1}
        | ({} if asked.key is None else {"at": at, "id": last}),
    )
    rows = found.all()
    known = {agency.id: agency.name for agency in await agencies(access.session)}
    named = await access.session.execute(text("SELECT code, words FROM gateway"))
    duties = {row.code: row.words for row in named}
    workers = [row.viewer_id for row in rows if row.viewer_kind == "worker"]
    names = await worker_names(access.session, workers)
    lines = [
        LookLine(
            id=row.id,
            at=row.at,
            who=names.get(row.viewer_id) or OTHERS_WORDS.get(row.viewer_kind, "Somebody"),
            agency=known.get(row.agency_id, ""),
            purpose=Purpose(row.purpose),
            doing=row.doing,
            refused=row.refused,
            basis=basis_line(row.decisions, duties),
        )
        for row in rows
    ]
    return page_of(lines, asked, HISTORY_PAGE, lambda line: (line.at, line.id))


async def seen_since(
    access: Access, since: datetime, category: Category, author_agency: UUID | None
) -> list[SeenBy]:
    """Who opened the record since a moment so that an entry of this category could be seen.

    Families are left out: their own pages show nothing of what was written at a meeting.
    Raises NotAllowed for who may not see the history.
    """
    if not may_see_history(access):
        raise NotAllowed(NOT_THE_HISTORY)
    found = await access.session.execute(
        text(_SEEN),
        {
            "child": access.child_id, "since": since, "category": category.value,
            "agency": author_agency,
        },
    )  # fmt: skip
    rows = found.all()
    known = {agency.id: agency.name for agency in await agencies(access.session)}
    names = await worker_names(
        access.session, [row.viewer_id for row in rows if row.viewer_kind == "worker"]
    )
    return [
        SeenBy(
            row.viewer_id,
            names.get(row.viewer_id) or OTHERS_WORDS.get(row.viewer_kind, "Somebody"),
            known.get(row.agency_id, ""),
            row.first_at,
            row.last_at,
            row.times,
        )
        for row in rows
    ]


def may_see_history(access: Access) -> bool:
    """Whether the viewer answers for who looks at this record."""
    roles = access.viewer.roles
    if Tie.LEAD in access.ties or Role.GOVERNANCE_LEAD in roles:
        return True
    return Tie.PANEL in access.ties and bool(roles & {Role.COORDINATOR, Role.CHAIR})


async def _ids(access: Access, query: str) -> set[UUID]:
    found = await access.session.scalars(
        text(query), {"child": access.child_id, "today": access.today}
    )
    return set(found)


def _views(
    access: Access,
    state: State,
    known: Mapping[UUID, Agency],
    whom: _Shown,
) -> tuple[AgencyView, ...]:
    """Each agency's view as `whom` says; my own agency first, its system after its people."""
    mine = access.viewer.agency
    ordered = sorted(
        whom.looks,
        key=lambda one: (one[0] != mine, known[one[0]].name, one[1] is Tie.CLIENT, one[1]),
    )
    views = []
    for agency_id, tie in ordered:
        looks = as_agency(known[agency_id], tie)
        views.append(
            AgencyView(
                agency_id=agency_id,
                name=known[agency_id].name,
                purpose=looks.purpose,
                is_mine=agency_id == mine,
                decisions=looks.would_see(access.at, state),
            )
        )
    return tuple(views)


def _losses(before: Sequence[AgencyView], after: Sequence[AgencyView]) -> tuple[Loss, ...]:
    losses: list[Loss] = []
    for was, is_now in zip(before, after, strict=True):
        lost = tuple(
            category
            for category, decision in was.decisions.items()
            if decision.permitted and not is_now.decisions[category].permitted
        )
        if lost:
            losses.append(Loss(was.name, was.purpose, lost))
    return tuple(losses)


async def _agreements(access: Access, known: Mapping[UUID, Agency]) -> tuple[AgreementLine, ...]:
    found = await access.session.scalars(
        select(SharingAgreement)
        .where(SharingAgreement.child_id == access.child_id)
        .order_by(SharingAgreement.from_on.desc(), SharingAgreement.id.desc())
    )
    rows = found.all()
    renewed = {row.renews_id: day_of(row.created_at) for row in rows if row.renews_id is not None}
    named = {row.id: set(row.agencies) for row in rows}
    dropped = {
        row.renews_id: named[row.renews_id] - set(row.agencies)
        for row in rows
        if row.renews_id is not None and row.renews_id in named
    }
    sees_family = access.may(Category.FAMILY)
    return tuple(
        AgreementLine(
            id=row.id,
            given=row.given,
            by_words=row.by_words,
            capacity=row.capacity,
            agencies=_names(row.agencies, known),
            not_agencies=_names(row.not_agencies, known),
            level=row.level,
            named=tuple(row.named),
            purposes=tuple(row.purposes),
            from_on=row.from_on,
            until_on=row.until_on,
            withdrawn_on=None if row.withdrawn_at is None else day_of(row.withdrawn_at),
            how_explained=row.how_explained if sees_family else "",
            in_force=is_live(row, access.today),
            basis=row.basis or "",
            interpreter=(row.interpreter or "") if sees_family else "",
            renewed_on=renewed.get(row.id),
            goes_on_without=_names(sorted(dropped.get(row.id, ())), known),
        )
        for row in rows
    )


async def agreement_line(access: Access, agreement_id: UUID) -> AgreementLine | None:
    """One agreement or refusal with its agencies by name; None where there is none."""
    known = {agency.id: agency for agency in await agencies(access.session)}
    lines = await _agreements(access, known)
    return next((one for one in lines if one.id == agreement_id), None)


async def _objections(access: Access, known: Mapping[UUID, Agency]) -> tuple[ObjectionLine, ...]:
    rows = await access.session.scalars(
        select(SharingObjection)
        .where(SharingObjection.child_id == access.child_id)
        .order_by(SharingObjection.raised_on.desc(), SharingObjection.id.desc())
    )
    return tuple(
        ObjectionLine(
            id=row.id,
            by_words=row.by_words,
            agencies=_names(row.agencies, known),
            categories=tuple(row.categories),
            raised_on=row.raised_on,
            decided_on=row.decided_on,
            upheld=row.upheld,
            purposes=tuple(row.purposes),
        )
        for row in rows
    )


async def _restrictions(
    access: Access, known: Mapping[UUID, Agency]
) -> tuple[RestrictionLine, ...]:
    rows = await access.session.scalars(
        select(SharingRestriction)
        .where(
            SharingRestriction.child_id == access.child_id,
            SharingRestriction.silent.is_(False),
        )
        .order_by(SharingRestriction.from_on.desc(), SharingRestriction.id.desc())
    )
    return tuple(
        RestrictionLine(
            kind=row.kind,
            by_words=row.by_words,
            categories=tuple(row.categories),
            against=tuple(known[one].name if one in known else "a person" for one in row.against),
            from_on=row.from_on,
            until_on=row.until_on,
        )
        for row in rows
        if row.until_on is None or row.until_on >= access.today
    )


async def _requests(access: Access, known: Mapping[UUID, Agency]) -> tuple[RequestLine, ...]:
    me, mine = access.viewer.id, access.viewer.agency
    rows = await access.session.scalars(
        select(AccessRequest)
        .where(
            AccessRequest.child_id == access.child_id,
            or_(AccessRequest.worker_id == me, AccessRequest.agency_id == mine),
        )
        .order_by(AccessRequest.id.desc())
    )
    return tuple(
        RequestLine(
            category=Category(row.category),
            asked_on=row.asked_on,
            state=row.state,
            purpose=Purpose(row.purpose or Purpose.SUPPORT),
            agency="" if row.agency_id == mine else known[row.agency_id].name,
            answered_on=row.answered_on,
            basis=row.basis or "",
            answer=row.answer,
            is_mine=row.worker_id == me and row.agency_id == mine,
        )
        for row in rows
    )


def _names(ids: Sequence[UUID], known: Mapping[UUID, Agency]) -> tuple[str, ...]:
    return tuple(sorted(known[one].name for one in ids if one in known))
