"""Who may see what of a child, for the child's own family: each agency, and who decided.

Read through the gate. A parent from whom anything is kept to protect somebody reads what they
said themselves and nothing else, with no trace that there is more: an agency's name tells where a
child is. What is held back from an agency to protect somebody is on neither side for anybody.
A safeguarding override is a look of a day and stands on the page of who looked.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select, text

from consent import (
    IN_THEIR_OWN_RIGHT,
    Basis,
    Capacity,
    Category,
    Decision,
    Giver,
    Purpose,
    State,
    Tie,
    ViewerKind,
    may_agree_to_share,
)
from consent.standing import AGE_OF_OWN_AGREEMENT, has_reached
from panel.accounts.models import Agency
from panel.accounts.service import agencies
from panel.platform.clock import day_of
from panel.records.dates import working_days_after
from panel.records.gate import Access
from panel.sharing.choice_views import (
    NO_OBJECTION,
    NO_SYSTEM,
    HowFar,
    ObjectionDue,
    OwnSystem,
    barred,
    categories,
    how_far,
    on_agreement,
    ordered,
    own_system,
    view,
)
from panel.sharing.choosing_rules import COVERS, OF_PEOPLE, Kind
from panel.sharing.ending import is_live
from panel.sharing.family_history import is_kept_from
from panel.sharing.judging import judgements_of
from panel.sharing.models import SharingAgreement, SharingObjection
from panel.sharing.objecting import is_about, open_objections
from panel.sharing.reading import state_of_child
from panel.sharing.spans import spans
from panel.sharing.standing import FamilyFacts, child_standing, family_facts, giver_words
from panel.sharing.systems import FOR_PEOPLE, SYSTEM, is_of_system

OF_THE_LAW = frozenset({Basis.DUTY, Basis.SAFEGUARDING, Basis.COURT_ORDER})
"""What rests on these is no choice of anybody's."""
_HIDDEN = frozenset({Basis.PROTECTION, Basis.COURT_ORDER})


class WhyNot(StrEnum):
    """Why somebody of the family does not choose here."""

    RELATIVE = "relative"
    YOUNG = "young"
    """The child, under 16 and not judged to understand what it means."""
    OLDER = "older"
    """The young person is 16 or over and decides alone."""
    NOT_RECORDED = "not_recorded"
    """On what parental responsibility rests, or since when, is not written down."""
    DECIDED_FOR = "decided_for"
    """From 16, where somebody decides in their best interests."""


@dataclass(frozen=True, slots=True)
class Voice:
    """By what right somebody chooses here; or why they do not."""

    capacity: Capacity | None
    why_not: WhyNot | None = None
    alone: bool = False
    """From 16: their own word ends what others said for them."""
    kept_from: bool = False
    """Something is kept from them to protect somebody: they choose about their own word alone."""


@dataclass(frozen=True, slots=True)
class Switch:
    """One kind of information for one agency."""

    kind: Kind
    state: HowFar


@dataclass(frozen=True, slots=True)
class ByLaw:
    """What an agency may see whatever the family says."""

    categories: tuple[Category, ...]
    basis: Basis
    words: str
    """Of a duty: "the duty to co-operate (Children Act 2004 section 10)"; else empty."""


@dataclass(frozen=True, slots=True)
class Decided:
    """Who said yes or no about an agency, and for how long."""

    given: bool
    by_me: bool
    by_words: str
    """ "her mother"; empty where the viewer is not told who."""
    from_on: date
    until_on: date | None
    ended_on: date | None
    of_system: bool = False
    """It is about the agency's own computer system alone."""


@dataclass(frozen=True, slots=True)
class AgencyChoice:
    """One agency: what it may see, on what it rests, and what can be switched."""

    agency_id: UUID
    name: str
    sees: tuple[Category, ...]
    hidden: tuple[Category, ...]
    by_law: tuple[ByLaw, ...]
    anyway: frozenset[Category]
    """What it sees whatever is chosen here: by law, or since it works with the child."""
    decided: tuple[Decided, ...]
    switches: tuple[Switch, ...]
    mine_until: date | None
    """The last day of what the viewer agreed to; None where there is none, or no end."""
    mine_is_on: bool
    objection_due: date | None
    """By when a no that was said to the people of this agency is decided."""
    objection_is_mine: bool
    barred: frozenset[Category]
    """What somebody else said no to."""
    system: OwnSystem = NO_SYSTEM


@dataclass(frozen=True, slots=True)
class Choices:
    """Who may see what of a child, as one of the family reads it."""

    voice: Voice
    agencies: tuple[AgencyChoice, ...]
    panel: tuple[ByLaw, ...]
    """What those who run the panel may see by law."""
    others: tuple[tuple[UUID, str], ...]
    """The authority's other agencies, which can be agreed with."""
    today: date


_CONCERNED = """
SELECT 'team' AS how, i.agency_id FROM involvement i
WHERE i.child_id = :child AND (i.until_on IS NULL OR i.until_on >= :today)
UNION
SELECT 'agenda', m.agency_id FROM referral r JOIN panel_agency m ON m.panel_id = r.panel_id
WHERE r.child_id = :child AND (m.from_on IS NULL OR m.from_on <= :today)
  AND (m.until_on IS NULL OR m.until_on >= :today)
UNION
SELECT 'panel', w.agency_id FROM referral r JOIN worker_role o ON o.panel_id = r.panel_id
JOIN worker w ON w.id = o.worker_id
WHERE r.child_id = :child AND r.state <> 'closed' AND o.role IN ('coordinator', 'chair')
  AND (o.from_on IS NULL OR o.from_on <= :today) AND (o.until_on IS NULL OR o.until_on >= :today)
"""


async def choices_of(access: Access) -> Choices:
    """Who may see what, for one of the family. A relative reads why they do not choose."""
    facts = await family_facts(access)
    voice = await voice_of(access, facts)
    if not access.ties & IN_THEIR_OWN_RIGHT:
        return Choices(voice, (), (), (), access.today)
    known = {one.id: one for one in await agencies(access.session)}
    rows = await _rows(access)
    state = await state_of_child(access)
    concerned: dict[str, set[UUID]] = {"team": set(), "agenda": set(), "panel": set()}
    if voice.kept_from:
        rows = [row for row in rows if row.by_person_id == access.viewer.id]
        state = _as_they_said(state, access.viewer.id)
    else:
        for how, agency_id in await access.session.execute(
            text(_CONCERNED), {"child": access.child_id, "today": access.today}
        ):
            concerned[how].add(agency_id)
        state = replace(state, overrides=())
    live = [row for row in rows if is_live(row, access.today)]
    named = {one for row in live for one in (*row.agencies, *row.not_agencies)}
    named |= {one for row in rows if row.by_person_id == access.viewer.id for one in row.agencies}
    shown = sorted(
        (named | concerned["team"] | concerned["agenda"]) & known.keys(),
        key=lambda one: known[one].name,
    )
    objections = () if voice.kept_from else await open_objections(access)
    due = await _due(access, shown, objections, FOR_PEOPLE)
    due_of_systems = await _due(access, shown, objections, SYSTEM)
    seen = [
        _agency_choice(
            access,
            state,
            known[one],
            rows,
            live,
            concerned,
            due.get(one, NO_OBJECTION),
            due_of_systems.get(one, NO_OBJECTION),
            alone=voice.alone,
        )
        for one in shown
    ]
    return Choices(
        voice=voice,
        agencies=tuple(seen),
        panel=_panel_by_law(access, state, [known[one] for one in sorted(concerned["panel"])]),
        others=tuple((one.id, one.name) for one in known.values() if one.id not in set(shown)),
        today=access.today,
    )


async def voice_of(access: Access, facts: FamilyFacts) -> Voice:
    """By what right the viewer chooses, from what is recorded; what they say of it counts nothing.

    Parental responsibility must be recorded with its basis, competence under 16 judged by a worker.
    """
    me = access.viewer.id
    # Who works with a young person is no secret from them; to a parent it tells where they are.
    of_self = me == access.child_id
    kept = not access.may(Category.NETWORK) if of_self else is_kept_from(access)
    if not access.ties & IN_THEIR_OWN_RIGHT or access.viewer.kind is not ViewerKind.FAMILY:
        of_age = has_reached(facts.born, AGE_OF_OWN_AGREEMENT, access.today)
        return Voice(None, WhyNot.OLDER if of_age else WhyNot.RELATIVE, kept_from=kept)
    standing = child_standing(access.child_id, facts, await judgements_of(access))
    words = giver_words(access.child_id, me, facts, access.today) or ""
    capacity = Capacity.SELF if of_self else Capacity.PARENTAL_RESPONSIBILITY
    of_16 = has_reached(facts.born, AGE_OF_OWN_AGREEMENT, access.today)
    if of_self and kept:
        return Voice(None, _why_not(capacity, of_16=of_16), kept_from=True)
    if may_agree_to_share(Giver(me, words, capacity), standing, access.today).allowed:
        return Voice(capacity, alone=of_16 and capacity is Capacity.SELF, kept_from=kept)
    return Voice(None, _why_not(capacity, of_16=of_16), kept_from=kept)


def _why_not(capacity: Capacity, *, of_16: bool) -> WhyNot:
    if capacity is Capacity.SELF:
        return WhyNot.DECIDED_FOR if of_16 else WhyNot.YOUNG
    return WhyNot.OLDER if of_16 else WhyNot.NOT_RECORDED


async def _rows(access: Access) -> list[SharingAgreement]:
    found = await access.session.scalars(
        select(SharingAgreement)
        .where(SharingAgreement.child_id == access.child_id)
        .order_by(SharingAgreement.from_on, SharingAgreement.id)
        .execution_options(populate_existing=True)
    )
    return list(found)


def _as_they_said(state: State, me: UUID) -> State:
    """The facts as somebody knows them from whom more is kept: their own word."""
    return State(
        child=state.child, agreements=tuple(one for one in state.agreements if one.by == me)
    )


async def _due(
    access: Access,
    shown: Iterable[UUID],
    objections: Sequence[SharingObjection],
    purposes: frozenset[Purpose],
) -> dict[UUID, ObjectionDue]:
    """By when a no to sharing with an agency for this is decided; whether it is the viewer's."""
    if not objections:
        return {}
    within = (await spans(access.session)).objection_working_days
    return {
        agency: (
            working_days_after(min(one.raised_on for one in about), within),
            any(one.by_person_id == access.viewer.id for one in about),
        )
        for agency in shown
        if (about := [one for one in objections if is_about(one, {agency}, purposes)])
    }


def _agency_choice(
    access: Access,
    state: State,
    agency: Agency,
    rows: Sequence[SharingAgreement],
    live: Sequence[SharingAgreement],
    concerned: Mapping[str, set[UUID]],
    objection: ObjectionDue,
    objection_to_system: ObjectionDue,
    *,
    alone: bool,
) -> AgencyChoice:
    in_team, in_pack = agency.id in concerned["team"], agency.id in concerned["agenda"]
    ties = [tie for tie, so in ((Tie.TEAM, in_team), (Tie.AGENDA, in_pack)) if so]
    # An agency that is not there yet would see, once it is, what was agreed with it.
    viewed = [view(access.at, state, agency, tie) for tie in ties or [Tie.TEAM]]
    views = [decided for decided, _agreed in viewed]
    agreed = categories(views, {Basis.AGREEMENT})
    sees = categories(views, set(Basis))
    if not in_team:
        # Who works with a child knows who it is; who does not, only where it was agreed.
        own = categories(views, {Basis.OWN_RECORD})
        agreed |= own & frozenset[Category]().union(*(said for _one, said in viewed))
        sees -= own - agreed
    hidden = frozenset(
        category
        for category in Category
        if category not in sees
        and not any(one[category].silent or one[category].basis in _HIDDEN for one in views)
    )
    me = access.viewer.id
    # From 16 the young person's own word ends what others said.
    others = () if alone else state.agreements
    theirs = replace(state, agreements=tuple(one for one in others if one.by != me))
    mine = [row for row in live if row.by_person_id == me and row.given]
    mine = [row for row in mine if agency.id in row.agencies]
    ends = [row.until_on for row in mine if row.until_on is not None]
    return AgencyChoice(
        agency_id=agency.id,
        name=agency.name,
        sees=ordered(sees),
        hidden=ordered(hidden),
        by_law=_by_law(views, state),
        anyway=sees - agreed,
        decided=tuple(_decided(access, one) for one in _about(rows, agency.id, access.today)),
        switches=tuple(
            Switch(kind, how_far(COVERS[kind], agreed, sees - agreed)) for kind in OF_PEOPLE
        ),
        mine_until=max(ends) if ends else None,
        mine_is_on=bool(mine),
        objection_due=objection[0],
        objection_is_mine=objection[1],
        barred=barred(access.at, theirs, agency, ties or [Tie.TEAM]),
        system=own_system(
            access.at,
            state,
            theirs,
            agency,
            on_agreement(viewed),
            objection_to_system,
            said_yes=alone or any(SYSTEM & set(row.purposes) for row in mine),
        ),
    )


def _by_law(views: Iterable[Mapping[Category, Decision]], state: State) -> tuple[ByLaw, ...]:
    found: dict[tuple[Basis, str], set[Category]] = {}
    for decided in views:
        for category, decision in decided.items():
            if decision.permitted and decision.basis in OF_THE_LAW:
                words = next(
                    (one.words for one in state.duties if one.words in decision.reasons[0]), ""
                )
                found.setdefault((decision.basis, words), set()).add(category)
    return tuple(
        ByLaw(ordered(categories), basis, words) for (basis, words), categories in found.items()
    )


def _panel_by_law(access: Access, state: State, running: Sequence[Agency]) -> tuple[ByLaw, ...]:
    views = [view(access.at, state, one, Tie.PANEL)[0] for one in running]
    return _by_law(views, replace(state, enquiries=()))


def _about(rows: Sequence[SharingAgreement], agency: UUID, today: date) -> list[SharingAgreement]:
    """The words that stand about an agency; where none does, the last that ended."""
    about = [row for row in rows if agency in row.agencies or _is_no_to(row, agency)]
    standing = [row for row in about if is_live(row, today)]
    if standing or not about:
        return standing
    return [max(about, key=lambda row: (_ended_on(row, today) or date.min, row.id))]


def _is_no_to(row: SharingAgreement, agency: UUID) -> bool:
    if row.given:
        return agency in row.not_agencies
    return not row.agencies or agency in row.agencies


def _decided(access: Access, row: SharingAgreement) -> Decided:
    by_me = row.by_person_id == access.viewer.id
    told = access.may(Category.FAMILY)
    return Decided(
        given=row.given,
        by_me=by_me,
        by_words=row.by_words if told and not by_me else "",
        from_on=row.from_on,
        until_on=row.until_on,
        ended_on=_ended_on(row, access.today),
        of_system=is_of_system(Purpose(one) for one in row.purposes),
    )


def _ended_on(row: SharingAgreement, today: date) -> date | None:
    if row.withdrawn_at is not None:
        return day_of(row.withdrawn_at)
    return row.until_on if row.until_on is not None and row.until_on < today else None
