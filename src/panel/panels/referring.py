"""What becomes of a referral, whoever refers the child: a worker, by letter, a system, the family.

All come through `received`: the clock of the acknowledgement begins, and the referral goes on with
an episode: the one that is open; else the last one, where that was closed not long ago; else a new
one. Then somebody decides whether the child is eligible, with reasons. How long and how many months
are dated figures, and the criteria a dated setting.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import OF_THE_FAMILY, Category, Tie, ViewerKind
from panel.accounts.figures import Figure, figures
from panel.accounts.models import Agency, Worker
from panel.panels.leavers import lead_again
from panel.panels.models import Panel, Referral
from panel.panels.referrals import import_referral, open_referral, takes_referrals
from panel.panels.referring_models import ReferralAnswer
from panel.panels.resting import rest_where_elsewhere
from panel.platform import outbox
from panel.platform.problems import Clash, Conflict, FieldError, Invalid, NotAllowed, NotFound
from panel.platform.tables import NOW, today_of
from panel.platform.tenancy import load_keys
from panel.platform.work_tables import Setting
from panel.records.dates import months_after, working_days_after
from panel.records.gate import Access, rewrite_access
from panel.register.models import Episode
from panel.register.service import open_episode, open_episode_of, reopen_episode

ACKNOWLEDGE_DAYS = Figure("referral.acknowledge_days", default=5, least=1, most=20)
"""Working days until whoever referred a child hears that we have it."""
JOINS_MONTHS = Figure("referral.joins_within_months", default=12, least=0, most=60)
"""A child who comes back within so many months of a closing goes on with that episode."""
CRITERIA: Final = "referral.criteria"
AT_ONCE: Final = {"system": "system", "letter": "letter", "telephone": "letter"}
"""Ways that are acknowledged as they come: a system by its answer, what the coordinator writes down
by the letter that goes with it."""
MESSAGE: Final = "referral acknowledged"
SUBJECT: Final = "We have your referral"
BODY: Final = """Thank you. We have the referral that you sent us on {day}.

The panel's coordinator looks at it, and you hear what happens next. Nothing about the child stands
in this message. To see the referral, sign in:

{link}
"""
ANSWERED: Final = "referral answered"
ANSWERED_SUBJECT: Final = "Your referral was answered"
ANSWERED_BODY: Final = """The panel looked at the referral that you sent on {day}, and answered it.

Nothing about the child stands in this message. To read the answer, sign in:

{link}
"""
FIRST_CRITERIA: Final = (
    "Under 8, or old enough that another panel of ours is for them",
    "Likely to need two or more specialist services",
    "Lives here, or goes to school here",
)


async def criteria(session: AsyncSession, at: datetime | None = None) -> Sequence[str]:
    """The conditions of being eligible as they are set at a moment, or now."""
    moment = at or session.info[NOW]
    row = await session.scalar(
        select(Setting)
        .where(Setting.key == CRITERIA, or_(Setting.from_on.is_(None), Setting.from_on <= moment))
        .order_by(Setting.from_on.desc().nulls_last(), Setting.id.desc())
        .limit(1)
    )
    return FIRST_CRITERIA if row is None else str(row.value).splitlines()


# Coming in ----------------------------------------------------------------------------------------


async def received(session: AsyncSession, referral: Referral, way: str) -> ReferralAnswer:
    """A referral came: its clock and its episode. Again, it is what it was.

    Args: `way` is one of `referring_models.WAYS`.
    """
    known = await answer_to(session, referral.id)
    if known is not None:
        return known
    said = await figures(session, (ACKNOWLEDGE_DAYS, JOINS_MONTHS))
    today = today_of(session)
    episode, joins = await _episode(session, referral, said[JOINS_MONTHS.key])
    if not joins:
        # Who comes back after a closing is nobody's in IMPACT yet: the panel talks about them.
        await rest_where_elsewhere(session, referral, episode.id)
    row = ReferralAnswer(
        child_id=referral.child_id,
        referral_id=referral.id,
        way=way,
        acknowledge_by=working_days_after(today, said[ACKNOWLEDGE_DAYS.key]),
        episode_id=episode.id,
        joins=joins,
        criteria=[],
    )
    if how := AT_ONCE.get(way):
        row.acknowledged_on, row.acknowledged_how = today, how
    session.add(row)
    await session.flush()
    return row


async def answer_to(session: AsyncSession, referral_id: UUID) -> ReferralAnswer | None:
    """What became of a referral; None for one from before this was kept."""
    return await session.scalar(
        select(ReferralAnswer).where(ReferralAnswer.referral_id == referral_id)
    )


async def _episode(session: AsyncSession, referral: Referral, months: int) -> tuple[Episode, bool]:
    """The episode that a referral belongs to, and whether it had been closed."""
    child_id, today = referral.child_id, today_of(session)
    already = await open_episode_of(session, child_id)
    if already is not None:
        return already, False
    last = await session.scalar(
        select(Episode)
        .where(Episode.child_id == child_id, Episode.closed_on.is_not(None))
        .order_by(Episode.closed_on.desc(), Episode.id.desc())
        .limit(1)
    )
    if last is not None and _goes_on(last, months, today):
        await reopen_episode(session, last)
        await lead_again(session, child_id, today)
        return last, True
    episode = await open_episode(session, child_id, min(referral.referred_on, today))
    await lead_again(session, child_id, episode.opened_on)
    return episode, False


def _goes_on(last: Episode, months: int, today: date) -> bool:
    if last.closed_on is None or last.closure_reason == "died":
        return False
    return months > 0 and months_after(last.closed_on, months) > today


async def refer_from_outside(
    session: AsyncSession,
    child_id: UUID,
    panel: Panel,
    *,
    way: str,
    referred_on: date,
    agency_id: UUID,
    reason: str,
    category: Category,
) -> ReferralAnswer | None:
    """Refer a child by whichever way but a worker's own; once, where it is referred already."""
    await import_referral(
        session,
        child_id,
        panel,
        referred_on=referred_on,
        agency_id=agency_id,
        reason=reason,
        category=category,
        state="acknowledged" if way in AT_ONCE else "received",
    )
    referral = await open_referral(session, child_id, panel.id)
    return None if referral is None else await received(session, referral, way)


async def refer_own_child(access: Access, panel: Panel, reason: str) -> ReferralAnswer | None:
    """One of the family asks for help for their own child. Raises NotAllowed, Invalid.

    The council's agency stands for them, since every referral has one.
    """
    if access.viewer.kind is not ViewerKind.FAMILY or not access.ties & OF_THE_FAMILY:
        raise NotAllowed("Only this child’s family can ask for help here.")
    if not takes_referrals(panel):
        raise Invalid.because("panel", "Choose a panel")
    if not reason.strip():
        raise Invalid.because("reason", "Say what you would like help with")
    session = access.session
    if await open_referral(session, access.child_id, panel.id) is not None:
        raise Invalid.because("panel", "Your child is with this panel already")
    council = await session.scalar(
        select(Agency.id).where(Agency.kind == "council").order_by(Agency.id).limit(1)
    )
    if council is None:
        raise Invalid.because("panel", "Nobody can take this yet. Ring the council")
    return await refer_from_outside(
        session,
        access.child_id,
        panel,
        way="family",
        referred_on=access.today,
        agency_id=council,
        reason=reason.strip(),
        category=Category.VIEWS,
    )


# Answering ----------------------------------------------------------------------------------------


def _require_panel(access: Access) -> None:
    if Tie.PANEL not in access.ties:
        raise NotAllowed("Only the coordinator or the chair of the panel can do this.")


async def tell_acknowledged(access: Access, referral: Referral, link: str) -> ReferralAnswer | None:
    """Tell whoever referred the child that we have it: by e-mail to a worker, else by letter.

    Nothing about the child is in it. A letter is somebody's to print and post; the day counts.
    """
    _require_panel(access)
    row = await answer_to(access.session, referral.id)
    if row is None or row.acknowledged_on is not None:
        return row
    row.acknowledged_on = access.today
    row.acknowledged_how = "page" if row.way == "family" else "letter"
    if await _tell_referrer(access.session, referral, MESSAGE, SUBJECT, BODY, link):
        row.acknowledged_how = "email"
    await access.session.flush()
    return row


async def _tell_referrer(
    session: AsyncSession, referral: Referral, kind: str, subject: str, body: str, link: str
) -> bool:
    """Put an e-mail out to the worker who referred; False where there is none to write to."""
    if referral.worker_id is None:
        return False
    worker = await session.get_one(Worker, referral.worker_id)
    await load_keys(session, {worker.agency_id})
    if not worker.email:
        return False
    await outbox.put(
        session,
        kind=kind,
        holder_id=worker.agency_id,
        to_viewer_id=None,
        address=worker.email,
        subject=subject,
        body=body.format(day=_day(referral.referred_on), link=link),
        once=f"{kind} {referral.id}",
    )
    return True


def _day(on: date) -> str:
    return f"{on.day} {on:%B %Y}"


@dataclass(frozen=True, slots=True)
class Decided:
    """Whether a child is eligible."""

    eligible: bool
    unmet: Sequence[str] = ()
    """The conditions that are not met, as they are set."""
    reasons: str = ""
    what_else: str = ""
    """What else there is, for one who is not eligible."""


async def decide(
    access: Access, referral_id: UUID, version: int, decided: Decided, link: str
) -> ReferralAnswer:
    """Somebody who runs the panel decides; not eligible, the referral is closed.

    Raises NotAllowed, NotFound, Conflict, Invalid.
    """
    _require_panel(access)
    session = access.session
    referral = await session.get(Referral, referral_id)
    if referral is None or referral.child_id != access.child_id:
        raise NotFound("There is no such referral.", "Load the page again.")
    row = await answer_to(session, referral_id)
    if row is None or row.version != version or row.outcome is not None:
        raise Conflict((Clash("The referral", "Your decision", "It was decided already"),))
    _check(decided, set(await criteria(session)))
    row.outcome = "eligible" if decided.eligible else "not_eligible"
    row.decided_on, row.decided_by = access.today, access.viewer.id
    row.criteria = [] if decided.eligible else list(decided.unmet)
    row.reasons, row.what_else = decided.reasons.strip(), decided.what_else.strip()
    if not decided.eligible:
        referral.state = "closed"
        await session.flush()
        await rewrite_access(session, access.child_id)
        await _tell_referrer(session, referral, ANSWERED, ANSWERED_SUBJECT, ANSWERED_BODY, link)
    await session.flush()
    return row


def _check(decided: Decided, known: set[str]) -> None:
    mistakes = []
    if not decided.reasons.strip():
        mistakes.append(FieldError("reasons", "Say why: the family and the referrer read it"))
    if not decided.eligible and not decided.what_else.strip():
        mistakes.append(FieldError("what_else", "Say what else there is for this family"))
    if not decided.eligible and not decided.unmet:
        mistakes.append(FieldError("unmet", "Select which condition is not met"))
    if not set(decided.unmet) <= known:
        mistakes.append(FieldError("unmet", "Choose conditions from the list"))
    if mistakes:
        raise Invalid(tuple(mistakes))


# Reading ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AnswerView:
    """What became of a referral as this viewer may read it; texts are empty where withheld."""

    referral_id: UUID
    version: int
    way: str
    acknowledge_by: date
    acknowledged_on: date | None
    acknowledged_how: str
    joins: bool
    outcome: str
    decided_on: date | None
    unmet: Sequence[str]
    reasons: str
    what_else: str

    def is_late(self, today: date) -> bool:
        """Whether whoever referred the child waits too long for a word."""
        return self.acknowledged_on is None and self.acknowledge_by < today


async def answers_of(access: Access) -> dict[UUID, AnswerView]:
    """Of a child's referrals, by referral."""
    if not access.may(Category.NETWORK):
        return {}
    reads = access.may(Category.PANEL)
    rows = await access.session.scalars(
        select(ReferralAnswer).where(ReferralAnswer.child_id == access.child_id)
    )
    return {
        one.referral_id: AnswerView(
            one.referral_id,
            one.version,
            one.way,
            one.acknowledge_by,
            one.acknowledged_on,
            one.acknowledged_how or "",
            one.joins,
            one.outcome or "",
            one.decided_on,
            one.criteria if reads else (),
            one.reasons if reads else "",
            one.what_else if reads else "",
        )
        for one in rows
    }
