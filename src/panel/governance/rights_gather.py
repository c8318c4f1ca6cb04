"""Everything that is kept about a child, gathered through the gate for a copy of it.

Every table of a child is named here with its heading and its category, or is left out with the
reason: a new table fails `tests/governance/test_copy_of_a_record.py` until somebody says which.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, LargeBinary, Table, inspect, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from panel.accounts.models import Worker
from panel.accounts.service import agencies, worker_names
from panel.documents.models import Document
from panel.documents.pages import size_words
from panel.documents.service import KIND_OF_TYPE
from panel.governance.rights_words import label_of
from panel.platform.tables import Base, Row
from panel.platform.tenancy import load_agency_keys, load_keys
from panel.records.child_scoped import ChildScoped
from panel.records.gate import Access
from panel.records.record_change import RecordChange
from panel.register.models import Child, FamilyLink, FamilyMember
from panel.web import words

Of = Category | str
"""The category of a table's entries, or the column that says it."""

SECTIONS: Mapping[str, tuple[str, Of]] = {
    "child": ("Who the record is about", Category.IDENTITY),
    "family_member": ("Family", Category.FAMILY),
    "family_link": ("Family", Category.FAMILY),
    "involvement": ("Who works with the child", Category.NETWORK),
    "lead_professional": ("Who works with the child", Category.NETWORK),
    "lead_cover": ("Who works with the child", Category.NETWORK),
    "lead_wish": ("What the family said", Category.VIEWS),
    "episode": ("Help over time", Category.PANEL),
    "case_closure": ("Help over time", Category.PLAN),
    "authority_handover": ("Help over time", Category.CONTACT),
    "level_of_need": ("Help over time", Category.PLAN),
    "significant_event": ("What happened", "category"),
    "transition": ("What happened", Category.PLAN),
    "assessment": ("Assessments", Category.DEVELOPMENT),
    "section_answer": ("Assessments", "category"),
    "clock_stop": ("Assessments", Category.DEVELOPMENT),
    "quality_audit": ("Assessments", Category.PLAN),
    "plan": ("Plans", Category.PLAN),
    "desired_outcome": ("Plans", Category.PLAN),
    "outcome_measure": ("Plans", Category.PLAN),
    "outcome_need": ("Plans", Category.PLAN),
    "outcome_progress": ("Plans", Category.PLAN),
    "outcome_reading": ("Plans", Category.PLAN),
    "action": ("Plans", Category.PLAN),
    "action_chase": ("Plans", Category.PLAN),
    "plan_version": ("Plans", Category.PLAN),
    "plan_answer": ("Plans", Category.PLAN),
    "contingency_plan": ("Plans", Category.PLAN),
    "family_clearance": ("Plans", Category.PLAN),
    "package": ("Packages", Category.PLAN),
    "service_line": ("Packages", Category.PLAN),
    "unit_price": ("Packages", Category.PLAN),
    "line_actual": ("Packages", Category.PLAN),
    "short_break": ("Packages", Category.PLAN),
    "funding_share": ("Packages", Category.PLAN),
    "package_change": ("Packages", Category.PLAN),
    "package_signature": ("Packages", Category.PLAN),
    "inclusion_grant": ("Packages", Category.PLAN),
    "payment": ("Payments", Category.FINANCE),
    "payment_return": ("Payments", Category.FINANCE),
    "reconciliation": ("Payments", Category.FINANCE),
    "document": ("Files", "category"),
    "referral": ("Panels", "category"),
    "referral_answer": ("Panels", Category.PANEL),
    "agenda_item": ("Panels", Category.PANEL),
    "declared_interest": ("Panels", Category.PANEL),
    "discussion": ("Panels", "category"),
    "asked": ("Panels", Category.PANEL),
    "guest_link": ("Panels", Category.PANEL),
    "family_words": ("What the family said", Category.VIEWS),
    "family_note": ("Notes to the family", Category.PANEL),
    "note_delivery": ("Notes to the family", Category.PANEL),
    "note_answer": ("Notes to the family", Category.VIEWS),
    "survey": ("What the family said", Category.VIEWS),
    "episode_step": ("Help over time", Category.PANEL),
    "impact_meeting": ("Meetings with the family", Category.VIEWS),
    "impact_invitation": ("Meetings with the family", Category.NETWORK),
    "impact_view": ("Meetings with the family", "category"),
    "impact_decision": ("Meetings with the family", Category.PLAN),
    "impact_minutes": ("Minutes for the family", Category.PANEL),
    "minutes_copy": ("Minutes for the family", Category.PANEL),
    "minutes_answer": ("Minutes for the family", Category.VIEWS),
    "incident": ("What went wrong", Category.PANEL),
    "sharing_agreement": ("Sharing", Category.FAMILY),
    "sharing_objection": ("Sharing", Category.FAMILY),
    "sharing_judgement": ("Sharing", Category.FAMILY),
    "sharing_restriction": ("Sharing", Category.SAFEGUARDING),
    "sharing_order": ("Sharing", Category.SAFEGUARDING),
    "order_to_confirm": ("Sharing", Category.SAFEGUARDING),
    "sharing_override": ("Sharing", Category.SAFEGUARDING),
    "sharing_enquiry": ("Sharing", Category.SAFEGUARDING),
    "former_identity": ("Sharing", Category.IDENTITY),
    "access_request": ("Sharing", Category.FAMILY),
    "service_request": ("What was asked for", "category"),
    "request_decision": ("What was asked for", Category.PANEL),
    "appeal": ("What was asked for", Category.PANEL),
    "decision_letter": ("What was asked for", Category.PANEL),
    "letter_copy": ("What was asked for", Category.PANEL),
    "unmet_need": ("What was asked for", Category.PANEL),
    "waiting": ("What was asked for", Category.PLAN),
    "place_offer": ("What was asked for", Category.PLAN),
    "outside_placement": ("What was asked for", "category"),
    "placement_condition": ("What was asked for", "category"),
    "placement_visit": ("What was asked for", "category"),
    "sender_version": ("What other systems sent", "category"),
    "proposal": ("What other systems sent", "category"),
    "list_link": ("Lists of other registers", Category.IDENTITY),
    "record_change": ("What was changed", Category.PLAN),
    "right_request": ("What was asked about the record", Category.FAMILY),
    "correction": ("What was asked about the record", Category.FAMILY),
    "processing_restriction": ("What was asked about the record", Category.FAMILY),
}
LEFT_OUT: Mapping[str, str] = {
    "document_content": "the bytes of a file, which stands in it or beside it as `document` says",
    "access_file": "copies of the record itself",
    "redaction": "what was taken out of such copies, with the words",
    "legal_hold": "why a record may not be disposed of: it is about a claim, for its lawyers",
    "disposal_line": "lists of references that are due",
    "gap": "lists, made anew each night, of what has not been done; the record says what was",
    "delivery": "that a system was sent word of a change; what it then read is among the looks",
    "export_line": "what lies ready for an hour for a system; that it came for it is a look",
    "resource_version": "what entries of the record were before they changed, for other systems",
}
OWN_CATEGORY: Mapping[str, Category] = {
    "child.address": Category.CONTACT,
    "child.postcode": Category.CONTACT,
    "child.phone": Category.CONTACT,
    "child.ward_code": Category.CONTACT,
    "child.school": Category.EDUCATION,
    "child.starts_school_on": Category.EDUCATION,
    "child.disability": Category.HEALTH,
    "child.primary_need": Category.HEALTH,
    "child.ethnicity": Category.FAMILY,
    "service_request.family_wishes": Category.VIEWS,
    "unmet_need.words": Category.VIEWS,
    "appeal.grounds": Category.VIEWS,
    "place_offer.why": Category.VIEWS,
    "impact_meeting.place": Category.CONTACT,
    "impact_meeting.not_asked_why": Category.PANEL,
    "impact_meeting.cancelled_why": Category.PANEL,
    "impact_invitation.address": Category.CONTACT,
    "impact_invitation.said": Category.VIEWS,
    # Where a case goes on, and that the child moved, tell where the child lives.
    "case_closure.what_next": Category.CONTACT,
    "case_closure.left_with": Category.CONTACT,
    "transition.kind": Category.CONTACT,
    "transition.receiving_agency_id": Category.NETWORK,
    "waiting.left_words": Category.VIEWS,
    "family_member.address": Category.CONTACT,
    "family_member.phone": Category.CONTACT,
    "family_member.email": Category.CONTACT,
    "family_member.safe_contact": Category.CONTACT,
}
"""Columns whose category is another than that of their table."""

_NOT_TOLD = frozenset(
    {"id", "child_id", "created_at", "created_by", "changed_at", "changed_by", "version"}
)
_COPIES = frozenset({"authority_handover.document"})
"""Columns that are a copy of the record themselves, made for another authority."""
_WITHOUT_LINK = frozenset({"category", "content_index", "lapses_on", "lapses_as"})


@dataclass(frozen=True, slots=True)
class Piece:
    """One entry of a copy: a fact or a text, where it stands, and when it was written."""

    id: str
    """Table, row and column."""
    section: str
    label: str
    day: str
    by: str
    text: str
    category: str
    person: str = ""
    """Whose details they are, or who said it, where that is somebody of the family."""

    @property
    def document_id(self) -> UUID | None:
        """Which attached file it stands for; None for an entry of words."""
        table, row, column = self.id.split(":")
        return UUID(row) if (table, column) == ("document", "file") else None

    @property
    def table(self) -> str:
        """Where it is kept."""
        return self.id.partition(":")[0]

    @property
    def column(self) -> str:
        """Table and column: "action.text"."""
        return f"{self.table}.{self.id.rpartition(':')[2]}"


def to_json(pieces: Iterable[Piece]) -> str:
    """As they are kept."""
    return json.dumps([asdict(one) for one in pieces], ensure_ascii=False)


def from_json(kept: str) -> tuple[Piece, ...]:
    """As they were kept."""
    return tuple(Piece(**one) for one in json.loads(kept)) if kept else ()


async def gather(access: Access, looks: Sequence[tuple[UUID, str]]) -> tuple[Piece, ...]:
    """All that is kept about the child of this access, and the looks that may be told."""
    session = access.session
    names = await _Names.read(session)
    pieces: list[Piece] = []
    for model in models():
        of = SECTIONS[model.__tablename__][1]
        for row in await _rows(session, model, access.child_id):
            if isinstance(row, RecordChange) and row.what.startswith("sharing_restriction."):
                # When a protection ended stands with the protection, which is marked.
                continue
            category = Category(getattr(row, of)) if not isinstance(of, Category) else of
            pieces += (
                piece
                for piece in _of_row(row, category, names)
                if access.may(Category(piece.category))
            )
            if isinstance(row, Document) and access.may(category):
                pieces.append(_of_file(row, category, names))
    pieces += (
        Piece(f"access_event:{look}:line", "Who looked", "Look", "", "", line, Category.NETWORK)
        for look, line in looks
        if access.may(Category.NETWORK)
    )
    return tuple(pieces)


def models() -> list[type[Row]]:
    """The tables that a copy is made from, in the order of `SECTIONS`."""
    by_name = {
        mapper.local_table.name: mapper.class_
        for mapper in Base.registry.mappers
        if isinstance(mapper.local_table, Table)
    }
    return [cast("type[Row]", by_name[name]) for name in SECTIONS]


async def _rows(session: AsyncSession, model: type[Row], child_id: UUID) -> Sequence[Row]:
    rows = list(
        await session.scalars(
            select(model).where(_of_child(model, child_id)).order_by(model.created_at, model.id)
        )
    )
    await load_keys(
        session, {row.id if model in (Child, FamilyMember) else child_id for row in rows}
    )
    return rows


def _of_child(model: type[Row], child_id: UUID) -> ColumnElement[bool]:
    if model is FamilyMember:
        linked = select(FamilyLink.family_member_id).where(FamilyLink.child_id == child_id)
        return model.id.in_(linked)
    return model.child_id == child_id if issubclass(model, ChildScoped) else model.id == child_id


def told_columns(model: type[Row]) -> list[str]:
    """The columns of a table that a copy tells, in their order."""
    sealed = {one.name for one in model.__sealed__}
    return [
        column.key
        for column in inspect(model).columns
        if column.key not in _NOT_TOLD | _WITHOUT_LINK
        and f"{model.__tablename__}.{column.key}" not in _COPIES
        and (column.key in sealed or not isinstance(column.type, LargeBinary))
    ]


def _of_row(row: Row, category: Category, names: "_Names") -> Iterator[Piece]:
    section = SECTIONS[row.__tablename__][0]
    sealed = {one.name for one in row.__sealed__}
    person = _person(row)
    for key in told_columns(type(row)):
        text = as_text(getattr(row, key)) if key in sealed else names.said(getattr(row, key))
        if not text:
            continue
        own = OWN_CATEGORY.get(f"{row.__tablename__}.{key}", category)
        yield Piece(
            id=f"{row.__tablename__}:{row.id}:{key}",
            section=section,
            label=label_of(row.__tablename__, key),
            day=words.short_day(row.created_at.date()),
            by=names.workers.get(row.created_by, ""),
            text=text,
            category=own.value,
            person=person,
        )


def _of_file(row: Document, category: Category, names: "_Names") -> Piece:
    """A file as a whole: nobody marks words in a scan, so it goes or it stays."""
    kind = KIND_OF_TYPE[row.media_type].words
    return Piece(
        id=f"document:{row.id}:file",
        section=SECTIONS["document"][0],
        label="The file itself",
        day=words.short_day(row.created_at.date()),
        by=names.workers.get(row.created_by, ""),
        text=f"{row.file_name}, {kind}, {size_words(row.bytes_long)}",
        category=category.value,
    )


def _person(row: Row) -> str:
    if isinstance(row, FamilyMember):
        return str(row.id)
    columns = ("person_id", "by_person_id", "family_member_id", "asker_id")
    named = (getattr(row, one, None) for one in columns)
    return next((str(one) for one in named if one is not None), "")


def as_text(said: str) -> str:
    """A sealed text as people read it; answers that are kept as JSON line by line."""
    if said[:1] not in ("{", "["):
        return said
    try:
        told = json.loads(said)
    except ValueError:
        return said
    return "\n".join(_lines(told))


def _lines(told: object, before: str = "") -> Iterator[str]:
    if isinstance(told, dict):
        for name, value in told.items():
            yield from _lines(value, f"{before}{str(name).replace('_', ' ')}: ")
    elif isinstance(told, list):
        for value in told:
            yield from _lines(value, before)
    elif told not in (None, ""):
        yield f"{before}{told}"


class _Names:
    """Names for the ids that stand in rows."""

    def __init__(self, workers: dict[UUID, str], known: dict[UUID, str]) -> None:
        self.workers = workers
        self._all = {**workers, **known}

    @classmethod
    async def read(cls, session: AsyncSession) -> "_Names":
        known = {one.id: one.name for one in await agencies(session)}
        await load_agency_keys(session, set(known))
        workers = await worker_names(session, list(await session.scalars(select(Worker.id))))
        return cls(workers, known)

    def said(self, value: object) -> str:
        """A plain value as people read it; an id of which nothing is known is nothing."""
        match value:
            case None:
                said = ""
            case bool():
                said = "Yes" if value else "No"
            case UUID():
                said = self._all.get(value, "")
            case datetime():
                said = words.day_and_time(value)
            case date():
                said = words.short_day(value)
            case list():
                said = ", ".join(filter(None, map(self.said, value)))
            case dict():
                said = ", ".join(f"{name}: {self.said(one)}" for name, one in value.items())
            case _:
                said = str(value).replace("_", " ")
        return said
