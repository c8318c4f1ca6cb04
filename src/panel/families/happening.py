"""What happens to a child's case, on the family's page: the same states and days as workers see."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from consent import Category
from panel.casework.closing import is_open, last_closure
from panel.casework.closing_models import CaseClosure
from panel.casework.handover import HandoverView, handovers_of
from panel.panels.models import Panel
from panel.panels.referrals import takes_referrals
from panel.panels.referring import AnswerView, answers_of
from panel.records.gate import Access
from panel.register.service import CATEGORY_WORDS
from panel.web import words

_WHY = {
    "needs_met": "because what was planned is done",
    "moved_to_social_care": "because social care works with you now",
    "moved_away": "because you moved away",
    "withdrawn": "because you asked for it",
    "not_engaging": "because we could not reach you",
    "reached_age": "because of your child’s age",
    "died": "",
}
_TELLS = {
    "moved_away": Category.CONTACT,
    "moved_to_social_care": Category.SOCIAL_CARE,
}
"""Reasons that tell more than that a case was closed: where the child lives, who else is there."""
COME_BACK = "You can come back at any time: ask for help here, or ring us."


async def happening(access: Access) -> Sequence[str]:
    """Sentences about referral, closing and handover, the newest thing first."""
    said: list[str] = []
    known = await handovers_of(access)
    closure = await last_closure(access.session, access.child_id)
    if known and (_is_gone(known, closure) or known[0].state != "accepted" or _came(known[0])):
        # Who came back to us reads no more that another authority works with them.
        said += handover_words(known[0])
    if closure is not None:
        tells = _TELLS.get(closure.reason)
        said += closure_words(
            closure,
            reads_why=tells is None or access.may(tells),
            # What comes next after a move says who works with the child from then on.
            reads_plan=access.may(Category.PLAN)
            and (closure.reason != "moved_away" or access.may(Category.NETWORK)),
        )
    answers = sorted(
        (await answers_of(access)).values(),
        key=lambda one: (one.acknowledge_by, one.referral_id),
    )
    if answers and closure is None:
        said += referral_words(answers[-1])
    return said


def handover_words(one: HandoverView) -> list[str]:
    """How a move to another authority stands; nothing of one that is only prepared."""
    name = one.authority
    if one.direction == "in":
        on = "" if one.answered_on is None else f" on {words.day(one.answered_on)}"
        return [f"{name} handed your child’s case over to us{on}. We work with you now."]
    if one.state == "sent":
        on = "" if one.sent_on is None else f" on {words.day(one.sent_on)}"
        return [
            f"We asked {name} to work with you from now on. We sent it{on}.",
            "They have not answered yet. Until they do, we go on as before.",
            *_left_out(one),
        ]
    if one.state == "accepted":
        on = "" if one.answered_on is None else f" on {words.day(one.answered_on)}"
        who = f" Ask for {one.lead_there}." if one.lead_there else ""
        return [f"{name} said yes{on}. They work with you now.{who}", *_left_out(one)]
    if one.state == "refused":
        return [
            f"{name} said no. We go on as before.",
            *([f"They said: {one.reason}"] if one.reason else []),
        ]
    return []


def _left_out(one: HandoverView) -> list[str]:
    """Which parts of the record do not go with the child, each as it is called elsewhere."""
    parts = [said for key, said in CATEGORY_WORDS.items() if key.value in one.withheld]
    return [f"They do not get these parts of the record: {', '.join(parts)}."] if parts else []


async def is_elsewhere(access: Access) -> bool:
    """Whether another authority took the child over, and nobody here is to be rung any more."""
    closure = await last_closure(access.session, access.child_id)
    return _is_gone(await handovers_of(access), closure)


def _came(one: HandoverView) -> bool:
    return one.direction == "in"


def _is_gone(known: Sequence[HandoverView], closure: CaseClosure | None) -> bool:
    """Whether the case is closed because another authority accepted the child, and stayed so."""
    if not known or closure is None or closure.reason != "moved_away" or _came(known[0]):
        return False
    answered = known[0].answered_on
    return known[0].state == "accepted" and answered is not None and closure.closed_on <= answered


def closure_words(row: CaseClosure, *, reads_why: bool, reads_plan: bool) -> list[str]:
    """How a case was closed; of a child who died nothing is said here.

    What happens next says why as well: who may not know the one reads neither.
    """
    if row.reason == "died":
        return []
    if not reads_why:
        return [f"We closed your case on {words.day(row.closed_on)}.", COME_BACK]
    said = [f"We closed your case on {words.day(row.closed_on)}, {_WHY[row.reason]}."]
    if reads_plan and row.what_next:
        said.append(f"What happens next: {row.what_next}")
    return [*said, COME_BACK]


def referral_words(one: AnswerView) -> list[str]:
    """What became of the last referral."""
    said: list[str] = []
    if one.outcome == "not_eligible":
        said.append("The panel is not the right help for your child now.")
        if one.unmet:
            said.append(
                f"This panel is for children where this is so: {words.in_a_row(one.unmet)}."
            )
        said += [f"Why: {one.reasons}"] if one.reasons else []
        said += [f"What else there is: {one.what_else}"] if one.what_else else []
        return said
    if one.joins:
        said.append("We go on where we stopped last time. You do not have to tell it all again.")
    if one.acknowledged_on is not None:
        said.append(f"We have your referral since {words.day(one.acknowledged_on)}.")
    else:
        said.append(f"You hear from us by {words.day(one.acknowledge_by)}.")
    if one.outcome == "eligible" and one.decided_on is not None:
        said.append(f"On {words.day(one.decided_on)} we said yes: the panel talks about it.")
    return said


async def panels_to_ask(access: Access) -> Sequence[tuple[UUID, str]]:
    """The panels that the family can ask for help; none while the case is open."""
    if await is_open(access.session, access.child_id):
        return ()
    rows = await access.session.scalars(select(Panel).order_by(Panel.name, Panel.id))
    return [(one.id, one.name) for one in rows if takes_referrals(one)]
