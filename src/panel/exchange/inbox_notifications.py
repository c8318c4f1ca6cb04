"""A health body's notification that a child probably has SEN or a disability.

Children and Families Act 2014 section 23: a health body that forms the opinion that a child under
compulsory school age has, or probably has, special educational needs or a disability tells the
authority. It comes as a ServiceRequest, or a message, with the code `NOTIFICATION`; the day on
which the child was identified is the extension `identified-on`, else the day on which it was
written. From that day the clock runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from interop import systems
from interop.incoming.envelope import value_of
from interop.incoming.received import Piece
from panel.panels.models import Panel
from panel.panels.referrals import takes_referrals
from panel.panels.referring import refer_from_outside
from panel.platform.clock import day_of
from panel.platform.tables import NOW
from panel.register.models import Child
from panel.register.service import open_episode

SYSTEM: Final = systems.own_codes("notification")
CODE: Final = "children-and-families-act-2014-s23"
WORDS: Final = "Notified by a health body (Children and Families Act 2014 section 23)."

_TERMS_BEGIN: Final = ((3, 31), (8, 31), (12, 31))
"""The prescribed days (Education (Start of Compulsory School Age) Order 1998)."""


@dataclass(frozen=True, slots=True)
class Notification:
    """What a notification says."""

    identified_on: date | None
    opinion: str
    """In the words of the health body; of health."""


def notification_in(pieces: Mapping[str, Piece]) -> dict[str, Notification]:
    """The notifications among pieces, by path.

    A message whose event is one makes each of its requests one, or itself where it has none.
    """
    values = {
        path: value_of(piece.raw)
        for path, piece in pieces.items()
        if piece.type in ("ServiceRequest", "MessageHeader") and not piece.problems
    }
    requests = {
        path: value for path, value in values.items() if value["resourceType"] == "ServiceRequest"
    }
    is_event = any(
        _is_code(value.get("eventCoding"))
        for value in values.values()
        if value["resourceType"] == "MessageHeader"
    )
    return {
        path: _read(value)
        for path, value in requests.items()
        if is_event or _has_code(value.get("code"))
    }


def _has_code(concept: object) -> bool:
    codings = concept.get("coding") if isinstance(concept, dict) else None
    return isinstance(codings, list) and any(map(_is_code, codings))


def _is_code(coding: object) -> bool:
    return isinstance(coding, dict) and (coding.get("system"), coding.get("code")) == (SYSTEM, CODE)


def _read(request: Mapping[str, Any]) -> Notification:
    identified = next(
        (
            one.get("valueDate")
            for one in request.get("extension", ())
            if one.get("url") == systems.IDENTIFIED_ON
        ),
        None,
    )
    said = [
        *(one.get("text") for one in request.get("reasonCode", ())),
        *(one.get("text") for one in request.get("note", ())),
    ]
    return Notification(
        _day(identified) or _day(request.get("authoredOn")),
        "\n".join(one for one in said if isinstance(one, str)),
    )


def _day(given: object) -> date | None:
    """A whole day; None for a month or a year alone."""
    try:
        return date.fromisoformat(str(given)[:10])
    except ValueError:
        return None


def of_school_age_from(born: date) -> date:
    """The first day on which a child is of compulsory school age (Education Act 1996 section 8).

    The day of the fifth birthday where it is a prescribed day, else the next prescribed day.
    """
    try:
        fifth = born.replace(year=born.year + 5)
    except ValueError:
        fifth = date(born.year + 5, 3, 1)
    days = (date(year, *day) for year in (fifth.year, fifth.year + 1) for day in _TERMS_BEGIN)
    return next(day for day in days if day >= fifth)


def is_under_school_age(born: date | None, on: date) -> bool:
    """Whether section 23 covers a child on a day; one whose birth date is not known is taken in."""
    return born is None or on < of_school_age_from(born)


async def the_one_panel(session: AsyncSession) -> Panel | None:
    """The panel that takes referrals, where there is only one: else somebody chooses."""
    panels = [one for one in await session.scalars(select(Panel)) if takes_referrals(one)]
    return panels[0] if len(panels) == 1 else None


async def refer_notified(
    session: AsyncSession, child_id: UUID, panel: Panel, agency_id: UUID, said: Notification
) -> bool:
    """Put a notified child before a panel, with the clock at the day of identification.

    False where the child is of school age, which section 23 does not cover. Repeated, it adds
    nothing; an earlier day of identification than the one known here is taken over.
    """
    today = day_of(session.info[NOW])
    child = await session.get(Child, child_id)
    identified = min(said.identified_on or today, today)
    if child is None or not is_under_school_age(child.birth_date, identified):
        return False
    await refer_from_outside(
        session,
        child_id,
        panel,
        way="system",
        referred_on=today,
        agency_id=agency_id,
        reason=said.opinion or WORDS,
        category=Category.HEALTH,
    )
    episode = await open_episode(session, child_id, today, identified)
    if episode.identified_on is None or identified < episode.identified_on:
        episode.identified_on = identified
        await session.flush()
    return True
