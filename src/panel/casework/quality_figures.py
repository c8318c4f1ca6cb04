"""Figures about the work of agencies: how complete, how long, how judged. Nobody is in them.

The database counts (migration 0058 says for whom), and small numbers are said in words: see
`quality_rules.share_words`.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from panel.casework.quality_form import judged, newest_number
from panel.casework.quality_rules import (
    FEWEST,
    Complete,
    days_words,
    judged_words,
    number_words,
    share_words,
)
from panel.platform.read_models import rows_of

_COMPLETE = """
SELECT agency_id, signed_off, whole, own_words, with_own_words_asked, days
FROM completeness_by_agency(%(first)s, %(last)s)
"""
_JUDGED = "SELECT agency_id, form_number, ratings FROM judgements_by_agency(%(first)s, %(last)s)"


@dataclass(frozen=True, slots=True)
class AgencyFigures:
    """One agency's line, in words."""

    agency: str
    signed_off: str
    whole: str
    own_words: str
    days: str


@dataclass(frozen=True, slots=True)
class Judged:
    """How one agency's audited assessments were judged, question by question."""

    agency: str
    audited: str
    questions: Sequence[tuple[str, str]]
    """The question, and of how many it holds; empty where too few were audited."""


async def completeness(
    session: AsyncSession, first: date, last: date, names: dict[UUID, str]
) -> list[AgencyFigures]:
    """How complete each agency's assessments are that were signed off on these days."""
    rows = await rows_of(session, _COMPLETE, {"first": first, "last": last})
    return sorted(
        (_agency_words(Complete(*row), names) for row in rows), key=lambda one: one.agency
    )


def _agency_words(found: Complete, names: dict[UUID, str]) -> AgencyFigures:
    return AgencyFigures(
        names.get(found.agency_id, ""),
        number_words(found.signed_off),
        share_words(found.whole, found.signed_off),
        share_words(found.own_words, found.with_own_words_asked),
        days_words(found),
    )


async def judgements(
    session: AsyncSession, first: date, last: date, names: dict[UUID, str]
) -> list[Judged]:
    """How audited assessments were judged that were signed off on these days.

    Only those count that were audited with the newest version of the form: answers to other
    questions are not put together.
    """
    number = newest_number()
    by_agency: dict[UUID, list[dict[str, str]]] = defaultdict(list)
    for agency, version, ratings in await rows_of(session, _JUDGED, {"first": first, "last": last}):
        if version == number:
            by_agency[agency].append(ratings)
    return sorted(
        (
            Judged(
                names.get(agency, ""),
                number_words(len(found)),
                [(label, judged_words(found, key)) for key, label in judged(number)]
                if len(found) >= FEWEST
                else (),
            )
            for agency, found in by_agency.items()
        ),
        key=lambda one: one.agency,
    )
