"""What else of sharing would change with its facts: requests that wait, agencies that are expected.

Who would see what is said by each page in its own words (`reading.would_change`).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from uuid import UUID

from sqlalchemy import select, text

from consent import IN_THEIR_OWN_RIGHT, Agreement, Category, Purpose
from panel.accounts.models import Agency
from panel.accounts.service import agencies
from panel.records.gate import Access
from panel.records.rehearsal import Consequence, Turn, is_for_family
from panel.sharing.answering import ASKED, is_settled, may_answer, purpose_of
from panel.sharing.expecting import OFFERED
from panel.sharing.models import AccessRequest
from panel.sharing.objecting import is_about
from panel.sharing.pages import category_words
from panel.sharing.reading import decision_for
from panel.web.words import in_a_row, short_day, upper_first

_ASKED_FOR = "Look at the request"
_YES, _NO = "this answers it, yes.", "this answers it, no."
_OPENED = "they would see it, so the request can be answered."
_CLOSED = "they would not see it any more while they wait."
_PLAIN = {
    _YES: "This is your yes.",
    _NO: "This is your no.",
    _OPENED: "They may see it then.",
    _CLOSED: "They may not see it then.",
}
_EXPECTED = text(
    "SELECT agency_id, worker_id, created_by, expected_from_on FROM involvement"
    " WHERE child_id = :child AND from_on IS NULL AND offered_access_on IS NULL"
    " AND expected_from_on > :today AND (until_on IS NULL OR until_on >= expected_from_on)"
    " ORDER BY expected_from_on, id"
)


class WhatWaits:
    """Sharing's own answer to a rehearsal."""

    async def would_change(self, access: Access, turn: Turn) -> Sequence[Consequence]:
        """Requests that would be answered, and what expected agencies would see on their day."""
        known = {one.id: one for one in await agencies(access.session)}
        return [
            *await _requests(access, turn, known),
            *(await _expected(access, turn, known) if access.may(Category.NETWORK) else ()),
        ]


async def _requests(access: Access, turn: Turn, known: dict[UUID, Agency]) -> Iterable[Consequence]:
    # The family is asked for what agencies ask, and may know that they do where it may know them.
    is_theirs = bool(access.ties & IN_THEIR_OWN_RIGHT) and access.may(Category.NETWORK)
    answers = may_answer(access)
    rows = await access.session.scalars(
        select(AccessRequest)
        .where(AccessRequest.child_id == access.child_id, AccessRequest.state == ASKED)
        .order_by(AccessRequest.asked_on, AccessRequest.id)
    )
    found: dict[tuple[UUID, date, str], list[Category]] = {}
    first: dict[tuple[UUID, date, str], UUID] = {}
    for row in rows:
        mine = row.agency_id == access.viewer.agency
        if not (answers or is_theirs or mine) or row.agency_id not in known:
            continue
        if said := _answer(access.at, turn, row, known[row.agency_id]):
            key = (row.agency_id, row.asked_on, said)
            found.setdefault(key, []).append(Category(row.category))
            first.setdefault(key, row.id)
    if is_for_family(access):
        names = {(agency, said): known[agency].name for agency, _on, said in found}
        return [
            Consequence(f"{name} asked for this. {_PLAIN[said]}")
            for (_, said), name in names.items()
        ]
    base = f"/children/{access.child_id}/sharing"
    return [
        Consequence(
            f"{known[agency].name} asked on {short_day(asked_on)} to see"
            f" {category_words(categories)}: {said}",
            _ASKED_FOR if answers else "",
            f"{base}/requests/{first[agency, asked_on, said]}" if answers else "",
        )
        for (agency, asked_on, said), categories in found.items()
    ]


def _answer(at: datetime, turn: Turn, row: AccessRequest, agency: Agency) -> str:
    """What becomes of a request that waits; empty where it goes on waiting as it does."""
    category, purpose = Category(row.category), purpose_of(row)
    disputed = any(
        is_about(one, {row.agency_id}, {purpose}, {category})
        for one in turn.after.objections
        if one.decided is None
    )
    settled = [] if disputed else [
        one for one in _new_words(turn) if is_settled(one, row.agency_id, category, purpose)
    ]  # fmt: skip
    if settled:
        return _YES if settled[-1].given else _NO
    was, is_now = (
        decision_for(at, state, agency, row.worker_id, purpose, category)
        for state in (turn.before, turn.after)
    )
    if is_now.permitted and not was.permitted:
        return _OPENED
    if was.permitted and not is_now.permitted and not is_now.silent:
        return _CLOSED
    return ""


def _new_words(turn: Turn) -> list[Agreement]:
    known = {one.id for one in turn.before.agreements}
    return [one for one in turn.after.agreements if one.id not in known and one.withdrawn is None]


async def _expected(access: Access, turn: Turn, known: dict[UUID, Agency]) -> Iterable[Consequence]:
    rows = await access.session.execute(
        _EXPECTED, {"child": access.child_id, "today": access.today}
    )
    href = "" if access.ties & IN_THEIR_OWN_RIGHT else f"/children/{access.child_id}/people"
    return [
        Consequence(sentence, "Look at who is involved" if href else "", href)
        for row in rows
        if row.agency_id in known
        for sentence in _on_their_day(
            turn,
            known[row.agency_id],
            row.worker_id or row.created_by,
            row.expected_from_on,
            plain=is_for_family(access),
        )
    ]


def _on_their_day(
    turn: Turn, agency: Agency, worker: UUID, on: date, *, plain: bool
) -> Iterator[str]:
    at = datetime.combine(on, time(12), UTC)
    sees = [
        [
            category
            for category in OFFERED
            if decision_for(at, state, agency, worker, Purpose.SUPPORT, category).permitted
        ]
        for state in (turn.before, turn.after)
    ]
    lost = [one for one in sees[0] if one not in sees[1]]
    won = [one for one in sees[1] if one not in sees[0]]
    if plain:
        if lost:
            yield f"{agency.name} starts on {short_day(on)}. They will ask you again then."
        if won:
            yield f"{agency.name} starts on {short_day(on)}. They may see this then."
        return
    who = f"{upper_first(agency.name)}, expected from {short_day(on)},"
    if lost:
        yield (
            f"{who} would not see {in_a_row([category_words([one]) for one in lost], 'or')} then."
            " A request is opened for it on that day."
        )
    if won:
        yield f"{who} would see {category_words(won)} from the first day."
