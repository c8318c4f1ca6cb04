"""What the pages of quality say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from panel.assessments.definitions import Kind
from panel.casework.quality import AuditRecord, DrawnLine
from panel.casework.quality_form import questions_of
from panel.casework.quality_models import QualitySample
from panel.web.words import short_day

PERIODS: Mapping[int, str] = {3: "Last 3 months", 6: "Last 6 months", 12: "Last 12 months"}
STATE_WORDS: Mapping[str, str] = {
    "drawn": "Not audited yet",
    "audited": "Audited",
    "answered": "Audited and answered",
}
NOT_SHOWN = "Not shown to you"
WHY = "_why"
"""How the key ends of what made the auditor say so: it stands beside the question it is about."""


@dataclass(frozen=True, slots=True)
class Said:
    """One question of an audit and what was said to it."""

    label: str
    rating: str
    words: str


@dataclass(frozen=True, slots=True)
class AuditPage:
    """One audit as its page says it."""

    title: str
    facts: Sequence[tuple[str, str]]
    state: str
    version: int
    form_number: int
    asks: bool
    """Whether the viewer is to audit it now."""
    answers: bool
    """Whether the viewer wrote the assessment and may answer."""
    said: Sequence[Said]
    answer: str | None
    """The author's words; empty where there are none, None where they are not shown."""


def period_links(home: str, chosen: int) -> list[tuple[str, str, bool]]:
    """The periods that figures are told of: address, words, whether it is this one."""
    return [(f"{home}?months={months}", said, months == chosen) for months, said in PERIODS.items()]


def _days(row: QualitySample) -> str:
    return f"{short_day(row.from_on)} to {short_day(row.until_on)}"


def sample_line(home: str, row: QualitySample, names: Mapping[UUID, str]) -> tuple[str, ...]:
    """A sample in the list: address, agency, days, how many of how many."""
    href = f"{home}/samples/{row.id}"
    return href, names.get(row.agency_id, ""), _days(row), f"{row.drawn} of {row.frame}"


def sample_facts(row: QualitySample, by: str) -> list[tuple[str, str]]:
    """How a sample was drawn."""
    drawn = short_day(row.created_at)
    return [
        ("Signed off", _days(row)),
        ("Drawn", f"{row.drawn} of {row.frame}, each form in proportion"),
        ("On", f"{drawn}, by {by}" if by else drawn),
        ("Seed", row.seed),
    ]


def line_of_sample(one: DrawnLine, names: Mapping[UUID, str]) -> tuple[str, ...]:
    """One assessment in a list: address, form, day of sign-off, author, state."""
    return (
        f"/children/{one.child_id}/quality/{one.id}",
        one.title,
        short_day(one.signed_off_on),
        *([names.get(one.author_id, "")] if names else []),
        STATE_WORDS[one.state],
    )


def audit_page(
    record: AuditRecord, form: str, names: Mapping[UUID, str], *, asks: bool, answers: bool
) -> AuditPage:
    """The page of one audit. `form` is what was filled in; `names` are the workers'."""
    row, signed = record.row, record.assessment.signed_off_on
    facts = [
        ("Assessment", form),
        ("Written by", names.get(row.author_id, "")),
        *([] if signed is None else [("Signed off", short_day(signed))]),
    ]
    if row.audited_at is not None and row.auditor_id is not None:
        facts.append(
            ("Audited", f"{short_day(row.audited_at)}, by {names.get(row.auditor_id, '')}")
        )
    return AuditPage(
        title="Audit this assessment" if asks else "Audit of an assessment",
        facts=facts,
        state=row.state,
        version=row.version,
        form_number=row.form_number,
        asks=asks,
        answers=answers and row.state != "drawn",
        said=() if row.state == "drawn" else _said(record),
        answer=record.author_words,
    )


def _said(record: AuditRecord) -> list[Said]:
    """Each question with its rating and what made the auditor say so; then what is words alone."""
    found = []
    questions = questions_of(record.row.form_number).questions
    for one in questions:
        if one.kind is Kind.CHOICE:
            chosen = record.row.ratings.get(one.key, "")
            rating = next((each.label for each in one.choices if each.value == chosen), "")
            found.append(Said(one.label, rating, _words(record, f"{one.key}{WHY}")))
        elif not one.key.endswith(WHY):
            found.append(Said(one.label, "", _words(record, one.key)))
    return found


def _words(record: AuditRecord, key: str) -> str:
    return NOT_SHOWN if record.comments is None else record.comments.get(key, "")
