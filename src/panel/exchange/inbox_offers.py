"""What came would change what a worker wrote: it is offered, and changes when somebody takes it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Tie
from interop.messages import Action as ActionMessage
from interop.messages import Child as ChildMessage
from interop.messages import Message, Need
from interop.outgoing.codes import NEEDS
from panel.exchange.inbox_models import Proposal, ReceivedPiece
from panel.plans.models import Action
from panel.plans.service import ActionWords, change_action, step_action
from panel.platform.problems import Clash, Conflict, NotAllowed, NotFound
from panel.records.gate import NOT_HERE, Access
from panel.register.children import LABELS
from panel.register.models import Child
from panel.register.service import CATEGORY_OF, change_child

OF_THE_CHILD: Final = (
    "given_name", "family_name", "known_as", "birth_date", "sex", "nhs_number", "address",
    "postcode", "phone", "ethnicity", "first_language", "interpreter",
)  # fmt: skip
"""What a Patient may offer to change. A UPN is the school's to say, and not a health body's."""
WHERE_THEY_ARE: Final = frozenset({"address", "postcode", "phone"})
"""What is offered to nobody where its sender says that the child is protected: from whom, nobody
here knows, and what is taken everybody may see who may see where a child lives."""
OF_AN_ACTION: Final[Mapping[str, str]] = {
    "text": "Action",
    "due_on": "By when",
    "state": "How far it is",
    "note": "Note",
}
DATES: Final = frozenset({"birth_date", "due_on"})
NO_NEWS: Final = ("", "not_known")
"""Values that take the place of nothing that is written."""
LONGEST: Final = 4_000
"""Characters."""
KNOWS: Final = frozenset({Tie.PANEL, Tie.LEAD, Tie.TEAM, Tie.MANAGER})
"""Ties of those who may decide what is offered: whose writing it may change."""


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a row of ours, as it is and would be; a day as 2026-12-03, nothing as ""."""

    target: str
    row_id: UUID
    row_version: int
    category: Category
    before: str
    after: str


def label_of(target: str) -> str:
    """A field as people call it."""
    table, _, column = target.partition(".")
    return OF_AN_ACTION[column] if table == "action" else LABELS[column]


def written(value: object) -> str:
    """A value as proposals keep it."""
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value)


def read_back(column: str, value: str) -> object:
    """A kept value as the row has it; nothing as the column says nothing."""
    if column in DATES:
        return date.fromisoformat(value) if value else None
    if column in ("ethnicity", "first_language", "interpreter", "primary_need"):
        return value or None
    return value


async def changes_by(
    session: AsyncSession,
    child: Child | None,
    message: Message | None,
    present: frozenset[str],
    about_id: UUID | None,
) -> list[Change]:
    """What a message would change of what is written here; nothing by what it does not speak of.

    A restricted patient comes without address and telephone: their absence is no news. An empty
    value is none either: what was written here stays.
    """
    if child is None:
        return []
    match message:
        case ChildMessage():
            names = [
                one for one in OF_THE_CHILD if not message.restricted or one not in WHERE_THEY_ARE
            ]
            return _of_child(child, _said(message, present, names))
        case Need():
            said = _said(message, present, ("code", "text"))
            code = said.get("code", "")
            ours = {
                "primary_need": code if code in NEEDS else "",
                "disability": said.get("text", ""),
            }
            return _of_child(child, ours)
        case ActionMessage() if about_id is not None:
            return await _of_action(session, child.id, about_id, message, present)
        case _:
            return []


def _said(message: Message, present: frozenset[str], names: Iterable[str]) -> dict[str, str]:
    return {name: written(getattr(message, name)) for name in names if name in present}


def _of_child(child: Child, said: Mapping[str, str]) -> list[Change]:
    return [
        Change(f"child.{name}", child.id, child.version, CATEGORY_OF[name], before, after)
        for name, after in said.items()
        if _is_news(after) and after != (before := written(getattr(child, name)))
    ]


def _is_news(after: str) -> bool:
    """Whether a value may take the place of what is written; a longer one no field of ours has."""
    return after not in NO_NEWS and len(after) <= LONGEST


async def _of_action(
    session: AsyncSession,
    child_id: UUID,
    action_id: UUID,
    message: ActionMessage,
    present: frozenset[str],
) -> list[Change]:
    action = await session.get(Action, action_id)
    if action is None or action.child_id != child_id or action.plan_id is None:
        return []
    return [
        Change(f"action.{name}", action.id, action.version, Category.PLAN, before, after)
        for name, after in _said(message, present, OF_AN_ACTION).items()
        if _is_news(after) and after != (before := written(getattr(action, name)))
    ]


async def offer(
    session: AsyncSession, child_id: UUID, piece: ReceivedPiece, changes: Iterable[Change]
) -> int:
    """Offer changes to whoever knows the child; how many are new.

    What is offered already, in the same words, is not offered twice; an older offer of the same
    field by the same sender gives way to this one.
    """
    count = 0
    for change in changes:
        older = await session.scalars(
            select(Proposal)
            .join(ReceivedPiece, ReceivedPiece.id == Proposal.piece_id)
            .where(
                Proposal.child_id == child_id,
                Proposal.state == "open",
                Proposal.target == change.target,
                Proposal.row_id == change.row_id,
                ReceivedPiece.client_id == piece.client_id,
            )
        )
        same = False
        for one in older:
            if one.after == change.after:
                same = True
            else:
                one.state = "left"
        if same:
            continue
        session.add(
            Proposal(
                child_id=child_id,
                received_id=piece.received_id,
                piece_id=piece.id,
                target=change.target,
                row_id=change.row_id,
                row_version=change.row_version,
                category=change.category.value,
                before=change.before,
                after=change.after,
            )
        )
        count += 1
    return count


async def _proposal(access: Access, proposal_id: UUID, version: int) -> Proposal:
    row = await access.session.get(Proposal, proposal_id, with_for_update=True)
    if row is None or row.child_id != access.child_id or not access.may(Category(row.category)):
        raise NotFound(NOT_HERE)
    if not access.ties & KNOWS:
        raise NotAllowed(
            "Only the coordinator of the child’s panel, or who works with the child, decides this."
        )
    if row.version != version or row.state != "open":
        raise Conflict((Clash(label_of(row.target), "Your answer", "Somebody answered already"),))
    return row


async def take(access: Access, proposal_id: UUID, version: int, row_version: int) -> None:
    """Write what is offered, through the room whose row it is.

    `row_version` is that of the row as its reader saw it. Raises Conflict where it changed since,
    NotAllowed where the reader may not change it.
    """
    proposal = await _proposal(access, proposal_id, version)
    table, _, column = proposal.target.partition(".")
    value = read_back(column, proposal.after)
    if table == "child":
        await change_child(access, {column: value}, row_version)
    else:
        await _change_action(access, proposal.row_id, row_version, column, value)
    await _decided(access, proposal, "taken")


async def leave(access: Access, proposal_id: UUID, version: int) -> None:
    """What is written here stays; what was sent stays the sender's own version."""
    await _decided(access, await _proposal(access, proposal_id, version), "left")


async def _change_action(
    access: Access, action_id: UUID, row_version: int, column: str, value: object
) -> None:
    action = await access.session.get(Action, action_id)
    if action is None or action.child_id != access.child_id:
        raise NotFound(NOT_HERE)
    if column in ("state", "note"):
        said = {"state": action.state, "note": action.note, column: str(value)}
        await step_action(access, action_id, row_version, **said)
        return
    words = ActionWords(
        text=action.text,
        outcome_id=action.outcome_id,
        owner_worker_id=action.owner_worker_id,
        owner_words=action.owner_words,
        due_on=action.due_on,
    )
    if isinstance(value, date):
        words = replace(words, due_on=value)
    else:
        words = replace(words, text=str(value))
    await change_action(access, action_id, row_version, words, state=action.state, note=action.note)


async def _decided(access: Access, proposal: Proposal, state: str) -> None:
    proposal.state = state
    proposal.decided_by, proposal.decided_at = access.viewer.id, access.at
    await access.session.flush()
    await access.session.execute(_SETTLE, {"received": proposal.received_id})


_SETTLE = text(
    "UPDATE received SET state = 'done', version = version + 1"
    " WHERE id = :received AND state = 'offered' AND NOT EXISTS (SELECT FROM proposal p"
    " WHERE p.received_id = received.id AND p.state = 'open')"
)
