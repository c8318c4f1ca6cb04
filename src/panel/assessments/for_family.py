"""Which forms are being made about a child, as one of the family may know: facts, no content."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from panel.assessments.clocks import Filling, clocks_on
from panel.assessments.limits import Clock, LateReason
from panel.assessments.reading import AssessmentLine, assessment_lines, form_at_hand, load_forms
from panel.records.gate import Access

SHOWN_FOR = timedelta(days=180)
"""How long one that is finished stays on the family's page."""
NOT_ABOUT_THE_CHILD = frozenset({"carers_assessment"})
"""Forms about one of the family alone: the others are not told that there is one."""


@dataclass(frozen=True, slots=True)
class FormForFamily:
    """One form: what it is called, and how far it is."""

    title: str
    started_on: date
    finished_on: date | None
    clock: Clock | None
    late_reason: LateReason | None


async def forms_for_family(access: Access) -> Sequence[FormForFamily]:
    """The drafts and what was finished of late, where something in it may be known to them."""
    since = access.today - SHOWN_FOR
    lines = [
        line
        for line in await assessment_lines(access)
        if line.document_id is None
        and line.form_key not in NOT_ABOUT_THE_CHILD
        and (line.signed_off_on is None or line.signed_off_on >= since)
    ]
    await load_forms(access.session, {line.form_id for line in lines})
    known = [line for line in lines if _may_know(access, line)]
    clocks = await clocks_on(
        access,
        [
            Filling(line.id, line.form_key, line.started_on, line.referred_on, line.signed_off_on)
            for line in known
        ],
    )
    return [
        FormForFamily(
            line.title,
            line.started_on,
            line.signed_off_on,
            clocks.get(line.id),
            None if line.late_reason is None else LateReason(line.late_reason),
        )
        for line in known
    ]


def _may_know(access: Access, line: AssessmentLine) -> bool:
    """Whether any part of it is open to them: else that it is there stays unsaid."""
    return any(access.may(section.category) for section in form_at_hand(line.form_id).sections)
