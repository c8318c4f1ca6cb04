"""A child before a panel: the referral and what becomes of it, and the family's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Role, Tie
from panel.accounts.models import WorkerRole
from panel.panels.calendar import meeting_on, panel_rhythm, settings_of
from panel.panels.models import FamilyWords, Panel, Referral
from panel.panels.rules import Reason, next_review_meeting, review_place
from panel.platform.problems import Clash, Conflict, Invalid, NotAllowed, NotFound
from panel.platform.tables import today_of
from panel.platform.tenancy import load_keys
from panel.records.gate import Access, Withheld, rewrite_access

STATE_WORDS = {
    "received": "Not yet acknowledged",
    "acknowledged": "Acknowledged",
    "closed": "Closed",
}
HOW_ASKED = ("telephone", "visit", "letter", "text_message", "interpreter", "other")
OWN_PAGE = "own_page"
"""They wrote it themselves: their own page asks."""
HOW_WORDS = {
    "telephone": "by telephone",
    "visit": "at a visit",
    "letter": "by letter",
    "text_message": "by text message",
    "interpreter": "with an interpreter",
    "other": "in another way",
    OWN_PAGE: "on their own page",
}
"""How a family is asked, in their language and their way."""


async def _hold_child(session: AsyncSession, child_id: UUID) -> None:
    """Two workers may refer the same child at once: the second waits and sees the first."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:child, 1))"), {"child": str(child_id)}
    )


async def open_referral(session: AsyncSession, child_id: UUID, panel_id: UUID) -> Referral | None:
    """The child's referral to a panel that is not closed; None where there is none."""
    return await session.scalar(
        select(Referral).where(
            Referral.child_id == child_id,
            Referral.panel_id == panel_id,
            Referral.state != "closed",
        )
    )


def takes_referrals(panel: Panel) -> bool:
    """Whether children are referred to a panel; one that decides is sent requests for service."""
    return panel.kind != "allocation"


async def refer(access: Access, panel: Panel, *, reason: str, category: Category) -> Referral:
    """Refer a child to a panel, by a worker of the team; the panel can reach the child.

    Raises NotAllowed outside the team, Invalid for a panel that decides, without a reason or where
    one is open already.
    """
    if not takes_referrals(panel):
        raise Invalid.because(
            "panel", f"The {panel.name} decides on requests for service. Write a request"
        )
    return await put_before(access, panel, reason=reason, category=category)


async def put_before(access: Access, panel: Panel, *, reason: str, category: Category) -> Referral:
    """Put a child before a panel of either kind: referred to it, or with a request sent to it.

    Raises NotAllowed outside the team, Invalid without a reason or where one is open already.
    """
    _require_team(access)
    if not reason.strip():
        raise Invalid.because("reason", "Say why the panel should talk about this child")
    agency = access.viewer.agency
    if agency is None:
        raise NotAllowed("Only a worker of an agency can refer a child.")
    await _hold_child(access.session, access.child_id)
    if await open_referral(access.session, access.child_id, panel.id) is not None:
        raise Invalid.because("panel", f"This child is before the {panel.name} already")
    referral = Referral(
        child_id=access.child_id,
        panel_id=panel.id,
        referred_on=access.today,
        agency_id=agency,
        worker_id=access.viewer.id,
        category=category.value,
        reason=reason.strip(),
    )
    access.session.add(referral)
    await rewrite_access(access.session, access.child_id)
    return referral


def _require_team(access: Access) -> None:
    if not access.ties & {Tie.TEAM, Tie.LEAD, Tie.MANAGER}:
        raise NotAllowed(
            "Only somebody who works with this child can refer the child to a panel.",
            "Ask a worker who is involved.",
        )


async def _referral(access: Access, referral_id: UUID, version: int) -> Referral:
    row = await access.session.get(Referral, referral_id)
    if row is None or row.child_id != access.child_id:
        raise NotFound("There is no such referral.", "Load the page again.")
    if row.version != version:
        raise Conflict((Clash("The referral", "Your change", STATE_WORDS[row.state]),))
    if row.state == "closed":
        raise Invalid.because("referral", "This referral is closed. Refer the child again.")
    return row


def _require_panel(access: Access) -> None:
    if Tie.PANEL not in access.ties:
        raise NotAllowed("Only the coordinator or the chair of the panel can do this.")


async def acknowledge(access: Access, referral_id: UUID, version: int) -> Referral:
    """The panel says that it has the referral."""
    _require_panel(access)
    row = await _referral(access, referral_id, version)
    if row.state == "received":
        row.state = "acknowledged"
        await access.session.flush()
    return row


async def close_referral(access: Access, referral_id: UUID, version: int) -> Referral:
    """The child is no longer before this panel; earlier agendas stay as they were."""
    _require_panel(access)
    row = await _referral(access, referral_id, version)
    row.state = "closed"
    await rewrite_access(access.session, access.child_id)
    return row


async def escalate(access: Access, referral_id: UUID, reason: str, version: int) -> Referral:
    """The case cannot wait for its turn: it heads the next agenda, with the reason."""
    access.require_write()
    row = await _referral(access, referral_id, version)
    if not reason.strip():
        raise Invalid.because("reason", "Say why this cannot wait")
    row.escalated_on, row.escalation = access.today, reason.strip()
    await access.session.flush()
    return row


async def set_transition(
    access: Access, referral_id: UUID, what: str, on: date | None, version: int
) -> Referral:
    """A change that is coming, with its day; both empty takes it back. Raises Invalid for half."""
    access.require_write()
    row = await _referral(access, referral_id, version)
    if bool(what.strip()) != (on is not None):
        field, missing = ("what", "what is coming") if on else ("on", "when it comes")
        raise Invalid.because(field, f"Say {missing}")
    row.transition, row.transition_on = what.strip() or None, on
    await access.session.flush()
    return row


async def papers_complete(session: AsyncSession, referral: Referral, on: date) -> None:
    """What brings the child to a panel that decides is complete; discussed before, it comes again.

    Such a panel waits for the request and for nothing else (DOMAIN.md, Allocation panel).
    """
    referral.papers_on = on
    if referral.last_discussed_on is not None:
        referral.deferred_on = referral.deferred_on or on
    await session.flush()


async def close_papers(session: AsyncSession, child_id: UUID, panel_id: UUID) -> None:
    """Nothing is asked of a panel for this child any more: the referral is closed."""
    referral = await open_referral(session, child_id, panel_id)
    if referral is not None:
        referral.papers_on, referral.state = None, "closed"
        await session.flush()


async def come_again(session: AsyncSession, child_id: UUID, panel_id: UUID, on: date) -> None:
    """The panel looks again at its next meeting: the child waits since this day."""
    referral = await open_referral(session, child_id, panel_id)
    if referral is not None:
        referral.deferred_on = referral.deferred_on or on
        await session.flush()


async def is_chair(session: AsyncSession, worker_id: UUID, panel_id: UUID) -> bool:
    """Whether a worker chairs a panel today."""
    return await _is_one_of(session, worker_id, panel_id, (Role.CHAIR,))


async def runs_panel(session: AsyncSession, worker_id: UUID, panel_id: UUID) -> bool:
    """Whether a worker coordinates or chairs a panel today."""
    return await _is_one_of(session, worker_id, panel_id, (Role.CHAIR, Role.COORDINATOR))


async def _is_one_of(
    session: AsyncSession, worker_id: UUID, panel_id: UUID, roles: Sequence[Role]
) -> bool:
    today = today_of(session)
    found = await session.scalar(
        select(WorkerRole.id).where(
            WorkerRole.worker_id == worker_id,
            WorkerRole.panel_id == panel_id,
            WorkerRole.role.in_([role.value for role in roles]),
            (WorkerRole.from_on.is_(None)) | (WorkerRole.from_on <= today),
            (WorkerRole.until_on.is_(None)) | (WorkerRole.until_on >= today),
        )
    )
    return found is not None


async def take_as_urgent(
    access: Access, panel: Panel, referral_id: UUID, meeting_day: date, reason: str, version: int
) -> Referral:
    """The chair takes a child to a meeting although something is missing; the debt stays.

    Raises NotAllowed for anybody but the chair, Invalid without a reason or for a day on which
    the panel does not meet.
    """
    if not await is_chair(access.session, access.viewer.id, panel.id):
        raise NotAllowed(
            "Only the chair can take a child who is not ready.",
            "Ask the chair, and say what is missing and why it cannot wait.",
        )
    row = await _referral(access, referral_id, version)
    if row.panel_id != panel.id:
        raise NotFound("There is no such referral.", "Load the page again.")
    if not reason.strip():
        raise Invalid.because("reason", "Say why the child is urgent")
    try:
        meeting = await meeting_on(access.session, panel, meeting_day)
    except NotFound as error:
        raise Invalid.because("meeting", error.sentence) from error
    if meeting_day < access.today or meeting.state != "planned":
        raise Invalid.because(
            "meeting", "Choose a meeting to come whose agenda is not frozen; else add a late item"
        )
    row.urgent_on, row.urgent_reason = meeting_day, reason.strip()
    await access.session.flush()
    return row


async def record_discussed(
    session: AsyncSession,
    referral: Referral,
    panel: Panel,
    on: date,
    next_review_by: date | None = None,
) -> None:
    """The panel talked about a child: the next review is placed (DOMAIN.md, CONTACTS).

    Without a date of its own it is due six calendar months after, in the last meeting on or
    before. What brought the child here is done with.
    """
    rhythm = await panel_rhythm(session, panel)
    place = next_review_meeting(on, rhythm.all_dates, settings_of(panel).review_months)
    if next_review_by is not None:
        place = review_place(on, next_review_by, rhythm.all_dates)
    referral.last_discussed_on = on
    referral.first_panel_on = min(referral.first_panel_on or on, on)
    referral.next_review_by = place.due_by
    referral.review_meeting_id = (
        None if place.meeting is None else (await meeting_on(session, panel, place.meeting)).id
    )
    referral.deferred_on = None
    referral.state = "acknowledged" if referral.state == "received" else referral.state
    await session.flush()


async def import_referral(
    session: AsyncSession,
    child_id: UUID,
    panel: Panel,
    *,
    referred_on: date,
    agency_id: UUID,
    worker_id: UUID | None = None,
    reason: str = "",
    category: Category = Category.HEALTH,
    first_panel_on: date | None = None,
    last_discussed_on: date | None = None,
    next_review_by: date | None = None,
    state: str = "acknowledged",
) -> bool:
    """A child who was before the panel earlier; returns whether it was added.

    Repeated, it adds nothing; a later discussion than the one known here is taken over.
    """
    await _hold_child(session, child_id)
    referral = await open_referral(session, child_id, panel.id)
    added = referral is None
    if referral is None:
        referral = Referral(
            child_id=child_id,
            panel_id=panel.id,
            referred_on=referred_on,
            agency_id=agency_id,
            worker_id=worker_id,
            reason=reason,
            category=category.value,
            first_panel_on=first_panel_on,
            state=state,
        )
        session.add(referral)
        await session.flush()
    known = referral.last_discussed_on
    if last_discussed_on is not None and (known is None or last_discussed_on > known):
        await record_discussed(session, referral, panel, last_discussed_on, next_review_by)
    await rewrite_access(session, child_id)
    return added


# The family's words -----------------------------------------------------------------------------


async def ask_family(
    access: Access,
    *,
    family_member_id: UUID | None,
    how: str,
    meeting_id: UUID | None = None,
) -> FamilyWords:
    """Write down that the family was asked what the panel should know and ask."""
    access.require_write()
    if how not in HOW_ASKED:
        raise Invalid.because("how", "Select how the family was asked")
    await _check_member(access, family_member_id)
    row = FamilyWords(
        child_id=access.child_id,
        meeting_id=meeting_id,
        family_member_id=family_member_id,
        asked_on=access.today,
        asked_how=how,
    )
    access.session.add(row)
    await access.session.flush()
    return row


async def record_words(
    access: Access,
    *,
    said: str,
    family_member_id: UUID | None,
    how: str = "",
    meeting_id: UUID | None = None,
) -> FamilyWords:
    """Write down what the family said; it opens the child's item. Raises Invalid for nothing.

    It answers the latest asking that has no answer yet, or stands by itself.
    """
    access.require_write()
    if not said.strip():
        raise Invalid.because("said", "Write what the family wants the panel to know or ask")
    await _check_member(access, family_member_id)
    row = await access.session.scalar(
        select(FamilyWords)
        .where(
            FamilyWords.child_id == access.child_id,
            FamilyWords.said_on.is_(None),
            FamilyWords.family_member_id.is_(family_member_id)
            if family_member_id is None
            else FamilyWords.family_member_id == family_member_id,
        )
        .order_by(FamilyWords.asked_on.desc(), FamilyWords.id.desc())
        .limit(1)
    )
    if row is None:
        row = FamilyWords(
            child_id=access.child_id,
            meeting_id=meeting_id,
            family_member_id=family_member_id,
            asked_on=access.today,
            asked_how=how or "other",
        )
        access.session.add(row)
    row.said_on, row.author_agency_id, row.text = access.today, access.viewer.agency, said.strip()
    await access.session.flush()
    return row


async def _check_member(access: Access, family_member_id: UUID | None) -> None:
    if family_member_id is None:
        return
    tied = await access.session.execute(
        text("SELECT 1 FROM family_link WHERE child_id = :child AND family_member_id = :member"),
        {"child": access.child_id, "member": family_member_id},
    )
    if tied.first() is None:
        raise Invalid.because("family_member", "Choose somebody of this child's family")


# A child's panels, for the page -----------------------------------------------------------------


class _ReferralFact(msgspec.Struct):
    id: UUID
    version: int
    panel_id: UUID
    panel_key: str
    panel: str
    agency_id: UUID
    agency: str
    referred_on: date
    state: str
    category: Category
    reason: str | None
    first_panel_on: date | None
    last_discussed_on: date | None
    next_review_by: date | None
    rests_from: date | None
    review_meeting_on: date | None
    transition: str | None
    transition_on: date | None
    escalated_on: date | None
    escalation: str | None
    urgent_on: date | None
    urgent_reason: str | None


class _ItemFact(msgspec.Struct):
    held_on: date
    panel_key: str
    panel: str
    why: Reason
    state: str
    late: bool
    frozen: bool


class _WordsFact(msgspec.Struct):
    id: UUID
    family_member_id: UUID | None
    member_name: str | None
    asked_on: date
    asked_how: str
    said_on: date | None
    author_agency_id: UUID | None
    author_agency: str | None
    text: str | None


class _PanelsFact(msgspec.Struct):
    referrals: list[_ReferralFact] | None
    items: list[_ItemFact] | None
    words: list[_WordsFact] | None


_PANELS = """
SELECT json_build_object(
  'referrals', (SELECT json_agg(json_build_object('id', f.id, 'version', f.version,
     'panel_id', p.id, 'panel_key', p.key, 'panel', p.name, 'agency_id', g.id, 'agency', g.name,
     'referred_on', f.referred_on, 'state', f.state, 'category', f.category,
     'reason', encode(f.reason, 'hex'), 'first_panel_on', f.first_panel_on,
     'last_discussed_on', f.last_discussed_on, 'next_review_by', f.next_review_by,
     'rests_from', f.rests_from,
     'review_meeting_on', m.held_on, 'transition', f.transition,
     'transition_on', f.transition_on, 'escalated_on', f.escalated_on,
     'escalation', encode(f.escalation, 'hex'), 'urgent_on', f.urgent_on,
     'urgent_reason', encode(f.urgent_reason, 'hex')) ORDER BY f.referred_on DESC, f.id DESC)
     FROM referral f JOIN panel p ON p.id = f.panel_id JOIN agency g ON g.id = f.agency_id
     LEFT JOIN meeting m ON m.id = f.review_meeting_id WHERE f.child_id = :child),
  'items', (SELECT json_agg(json_build_object('held_on', m.held_on, 'panel_key', p.key,
     'panel', p.name, 'why', i.why, 'state', i.state, 'late', i.late,
     'frozen', i.opens_at IS NOT NULL) ORDER BY m.held_on DESC)
     FROM agenda_item i JOIN meeting m ON m.id = i.meeting_id JOIN panel p ON p.id = m.panel_id
     WHERE i.child_id = :child AND i.opens_at IS NOT NULL),
  'words', (SELECT json_agg(json_build_object('id', v.id,
     'family_member_id', v.family_member_id, 'member_name', encode(n.name, 'hex'),
     'asked_on', v.asked_on, 'asked_how', v.asked_how, 'said_on', v.said_on,
     'author_agency_id', v.author_agency_id, 'author_agency', g.name,
     'text', encode(v.text, 'hex')) ORDER BY v.asked_on DESC, v.id DESC)
     FROM family_words v LEFT JOIN family_member n ON n.id = v.family_member_id
     LEFT JOIN agency g ON g.id = v.author_agency_id WHERE v.child_id = :child))::text
"""
_READ_PANELS = msgspec.json.Decoder(_PanelsFact)


@dataclass(frozen=True, slots=True)
class ReferralView:
    """One referral as this viewer may read it.

    A text that is withheld is None, and one withheld in silence empty, as if there were none.
    """

    fact: _ReferralFact
    reason: str | None
    escalation: str | None
    urgent_reason: str | None
    transition: str | None


@dataclass(frozen=True, slots=True)
class WordsView:
    """One asking of the family and what was said, as far as this viewer may read it."""

    asked_on: date
    asked_how: str
    who: str
    said_on: date | None
    written_by: str
    text: str | None


@dataclass(frozen=True, slots=True)
class PanelsOfChild:
    """A child's referrals, newest first; the agendas it was on; what the family said."""

    referrals: tuple[ReferralView, ...]
    items: tuple[_ItemFact, ...]
    words: tuple[WordsView, ...]
    withheld: tuple[Withheld, ...] = ()
    """Why some of the texts are not shown, by category."""


async def panels_of_child(access: Access) -> PanelsOfChild:
    """A child before its panels, each text decided by its category and author."""
    found = await access.session.execute(text(_PANELS), {"child": access.child_id})
    facts = _READ_PANELS.decode(found.scalar_one())
    words = facts.words or ()
    await load_keys(
        access.session, {one.family_member_id for one in words if one.family_member_id is not None}
    )
    referrals = tuple(
        ReferralView(
            one,
            _open(access, one.reason, "reason", one, one.category, one.agency_id),
            _open(access, one.escalation, "escalation", one, Category.PANEL),
            _open(access, one.urgent_reason, "urgent_reason", one, Category.PANEL),
            _told(access, one.transition, Category.PANEL),
        )
        for one in facts.referrals or ()
    )
    views = tuple(_words(access, one) for one in words)
    hidden = {one.fact.category for one in referrals if one.reason is None}
    if any(None in (one.escalation, one.urgent_reason, one.transition) for one in referrals):
        hidden.add(Category.PANEL)
    if any(one.said_on is not None and one.text is None for one in views):
        hidden.add(Category.VIEWS)
    return PanelsOfChild(referrals, tuple(facts.items or ()), views, access.withheld_of(hidden))


def _open(
    access: Access,
    sealed: str | None,
    column: str,
    one: _ReferralFact,
    category: Category,
    author_agency: UUID | None = None,
) -> str | None:
    opened = access.open_text(
        sealed,
        f"referral.{column}",
        one.id,
        category,
        author_agency,
    )
    return _told(access, opened, category, author_agency)


def _told(
    access: Access,
    said: str | None,
    category: Category,
    author_agency: UUID | None = None,
    author_person: UUID | None = None,
) -> str | None:
    """The text where it may be seen, "" where nothing is said of it, None where it is withheld."""
    decision = access.decision(category, author_agency, author_person)
    if decision.permitted:
        return said
    return "" if decision.silent else None


def _words(access: Access, one: _WordsFact) -> WordsView:
    who = "the family"
    if one.family_member_id is not None and one.member_name is not None:
        # How they are related is of the family too.
        who = "somebody of the family"
        if access.may(Category.FAMILY):
            who = access.keys.open(
                one.family_member_id,
                "family_member.name",
                one.family_member_id,
                bytes.fromhex(one.member_name),
            )
    said = access.open_text(
        one.text,
        "family_words.text",
        one.id,
        Category.VIEWS,
        one.author_agency_id,
        one.family_member_id,
    )
    return WordsView(
        one.asked_on,
        HOW_WORDS.get(one.asked_how, one.asked_how),
        who,
        one.said_on,
        one.author_agency or "",
        _told(access, said, Category.VIEWS, one.author_agency_id, one.family_member_id),
    )
