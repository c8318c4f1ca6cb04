"""What happened: sittings, notes to the family, agreements; who changed and who looked."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from consent import ADDITIONAL, BASIC, Category, ViewerKind
from interop import systems
from interop.messages import Agreement, Alert, Change, Look, Message, Note, Sending, Sitting
from panel.exchange.columns import Code, Nothing, Refers, at, to
from panel.exchange.permitted import may
from panel.exchange.source import ChildLine, ChildSource, author, hex_of, plain, text_of, texts
from panel.exchange.sources_people import OF_THE_CHILD, OWN_CHANGED, OWN_FIELDS, OwnLine
from panel.platform.read_models import sql
from panel.records.gate import Access

ItemState = Literal["planned", "discussed", "not_reached", "removed", "cancelled"]


class SittingRow(ChildLine):
    """A child's place on an agenda."""

    author: UUID | None
    panel: str
    starts_at: datetime
    minutes: int
    state: ItemState
    why: str
    discussed_at: datetime | None
    agencies: tuple[UUID, ...] | None


def _sitting(row: SittingRow, access: Access) -> Message | None:
    if not access.may(Category.PANEL, row.author):
        return None
    return Sitting(
        id=str(row.id),
        child=str(row.child_id),
        changed_at=row.changed_at,
        panel=row.panel,
        starts_at=row.starts_at,
        minutes=row.minutes,
        state=row.state,
        why=row.why,
        discussed_at=row.discussed_at,
        # Who sits on a panel is known; who is involved with a child is another matter.
        agencies=texts(row.agencies),
    )


_STATE = """CASE WHEN m.state = 'cancelled' THEN 'cancelled' WHEN r.state = 'listed' THEN 'planned'
  ELSE r.state END"""
_STARTS = "((m.held_on + p.starts_at) AT TIME ZONE 'Europe/London')"


def _sittings(resource: Literal["Appointment", "Encounter"], where: str) -> ChildSource[SittingRow]:
    status = (
        f"CASE {_STATE} WHEN 'planned' THEN 'booked' WHEN 'discussed' THEN 'fulfilled'"
        " ELSE 'cancelled' END"
        if resource == "Appointment"
        else "'finished'"
    )
    return ChildSource(
        resource=resource,
        about=frozenset({Category.PANEL}),
        line=SittingRow,
        rows="agenda_item r JOIN meeting m ON m.id = r.meeting_id"
        " JOIN panel p ON p.id = m.panel_id",
        where=where,
        changed="GREATEST(r.changed_at, m.changed_at)",
        fields=plain("minutes", "why", "discussed_at")
        + sql(
            """, 'author', {author}, 'panel', p.name, 'starts_at', {starts}, 'state', {state},
  'agencies', (SELECT json_agg(g.agency_id ORDER BY g.agency_id) FROM panel_agency g
     WHERE g.panel_id = p.id AND (g.from_on IS NULL OR g.from_on <= m.held_on)
       AND (g.until_on IS NULL OR g.until_on >= m.held_on))""",
            author=author("r.created_by"),
            starts=_STARTS,
            state=_STATE,
        ),
        may_be_told=may("r.child_id", "'panel'", author("r.created_by")),
        columns={
            "patient": to("r.child_id"),
            "identifier": Nothing(),
            "date": at(_STARTS if resource == "Appointment" else "r.discussed_at"),
            "status": Code(status),
            "appointment": to("r.id"),
        },
        message=_sitting,
    )


APPOINTMENT = _sittings("Appointment", "true")
ENCOUNTER = _sittings("Encounter", "r.state = 'discussed' AND r.discussed_at IS NOT NULL")


class NoteRow(ChildLine):
    """A note that was signed off."""

    meeting_item: UUID | None
    item_author: UUID | None
    number: int
    state: Literal["signed_off", "recalled"]
    author_agency_id: UUID
    categories: tuple[Category, ...]
    text: str | None
    signed_off_at: datetime
    signed_off_by: UUID | None


def _needed(categories: tuple[Category, ...]) -> frozenset[Category]:
    return frozenset({Category.PANEL, *categories})


def _note(row: NoteRow, access: Access) -> Message | None:
    agency = row.author_agency_id
    if not all(access.may(one, agency) for one in _needed(row.categories)):
        return None
    opened = access.open_text(row.text, "family_note.text", row.id, Category.PANEL, agency)
    return Note(
        id=str(row.id),
        child=str(row.child_id),
        changed_at=row.changed_at,
        # Of the sitting another agency may have written, and this reader not be told.
        sitting=text_of(row.meeting_item) if access.may(Category.PANEL, row.item_author) else None,
        number=row.number,
        state=row.state,
        categories=tuple(one.value for one in Category if one in _needed(row.categories)),
        # What was recalled went to the wrong family, or was about another child.
        text=(opened or "") if row.state == "signed_off" else "",
        signed_off_at=row.signed_off_at,
        signed_off_by=text_of(row.signed_off_by),
        author_agency=str(agency),
    )


def _may_read_note(note: str) -> str:
    return (
        may(f"{note}.child_id", "'panel'", f"{note}.author_agency_id")
        + f" AND NOT EXISTS (SELECT FROM jsonb_array_elements_text({note}.categories) c (category)"
        f" WHERE NOT {may(f'{note}.child_id', 'c.category', f'{note}.author_agency_id')})"
    )


_SIGNED = "{note}.state IN ('signed_off', 'recalled') AND {note}.signed_off_at IS NOT NULL"

DOCUMENT_REFERENCE = ChildSource(
    resource="DocumentReference",
    line=NoteRow,
    rows="family_note r LEFT JOIN agenda_item i ON i.meeting_id = r.meeting_id"
    " AND i.child_id = r.child_id",
    where=_SIGNED.format(note="r"),
    fields=plain(
        "number", "state", "author_agency_id", "categories", "signed_off_at", "signed_off_by"
    )
    + ", "
    + hex_of("text")
    + f", 'meeting_item', i.id, 'item_author', {author('i.created_by')}",
    # What was recalled is not told as it was before, either.
    past_from="CASE WHEN r.state = 'recalled' THEN r.changed_at END",
    may_be_told=_may_read_note("r"),
    columns={
        "patient": to("r.child_id"),
        "identifier": Nothing(),
        "status": Code("CASE r.state WHEN 'recalled' THEN 'entered-in-error' ELSE 'current' END"),
        "date": at("r.signed_off_at"),
        "type": Code("'family-note'", systems.DOCUMENT),
    },
    message=_note,
)


class SendingRow(ChildLine):
    """How a note went to one person."""

    note_id: UUID
    note_author: UUID
    categories: tuple[Category, ...]
    link_id: UUID | None
    link_author: UUID | None
    way: Literal["email", "letter"]
    state: str
    sent_at: datetime | None
    opened_at: datetime | None


def _sending(row: SendingRow, access: Access) -> Message | None:
    needed = _needed(row.categories)
    if not all(access.may(one, row.note_author) for one in needed) or not access.may(
        Category.FAMILY, row.link_author
    ):
        return None
    return Sending(
        id=str(row.id),
        child=str(row.child_id),
        changed_at=row.changed_at,
        note=str(row.note_id),
        to=text_of(row.link_id),
        way=row.way,
        state=row.state,
        sent_at=row.sent_at,
        opened_at=row.opened_at,
    )


COMMUNICATION = ChildSource(
    resource="Communication",
    line=SendingRow,
    rows="note_delivery r JOIN family_note n ON n.id = r.note_id"
    " LEFT JOIN family_link f ON f.child_id = r.child_id AND f.family_member_id = r.person_id",
    # That something was held back from somebody is for whoever held it back.
    where=_SIGNED.format(note="n") + " AND r.state <> 'held_back'",
    fields=plain("note_id", "way", "state", "sent_at", "opened_at")
    + ", 'note_author', n.author_agency_id, 'categories', n.categories, 'link_id', f.id,"
    + f" 'link_author', {author('f.created_by')}",
    may_be_told=_may_read_note("n")
    + " AND "
    + may("r.child_id", "'family'", author("f.created_by")),
    columns={
        "patient": to("r.child_id"),
        "identifier": Nothing(),
        "recipient": to("COALESCE(f.id, r.child_id)"),
        "sent": at("r.sent_at"),
        "status": Code(
            "CASE r.state WHEN 'sent' THEN 'completed' WHEN 'opened' THEN 'completed'"
            " WHEN 'waiting' THEN 'preparation' WHEN 'bounced' THEN 'not-done' ELSE 'stopped' END"
        ),
    },
    message=_sending,
)


class AgreementRow(ChildLine):
    """An agreement that names the client's agency."""

    author: UUID | None
    link_id: UUID | None
    link_author: UUID | None
    agencies: tuple[UUID, ...]
    by_words: str
    level: str | None
    named: tuple[Category, ...]
    purposes: tuple[str, ...]
    from_on: date
    until_on: date | None
    withdrawn_at: datetime | None


_OF_LEVEL = {None: frozenset[Category](), "basic": BASIC, "additional": BASIC | ADDITIONAL}


def _agreement(row: AgreementRow, access: Access) -> Message | None:
    agency = access.viewer.agency
    if not access.may(Category.FAMILY, row.author) or agency not in row.agencies:
        return None
    known = row.link_id is not None and access.may(Category.FAMILY, row.link_author)
    covered = _OF_LEVEL[row.level] | set(row.named)
    return Agreement(
        id=str(row.id),
        child=str(row.child_id),
        changed_at=row.changed_at,
        given=True,
        by=text_of(row.link_id) if known else None,
        by_words=row.by_words,
        # Whom else it names is between the family and them.
        agencies=texts([agency]),
        categories=tuple(one.value for one in Category if one in covered),
        purposes=tuple(sorted(row.purposes)),
        from_on=row.from_on,
        until_on=row.until_on,
        withdrawn_at=row.withdrawn_at,
    )


CONSENT = ChildSource(
    resource="Consent",
    about=frozenset({Category.FAMILY}),
    line=AgreementRow,
    rows="sharing_agreement r LEFT JOIN family_link f ON f.child_id = r.child_id"
    " AND f.family_member_id = r.by_person_id",
    # A refusal, and who else is named, are told to nobody's system.
    where="r.given",
    fields=plain(
        "agencies", "by_words", "level", "named", "purposes", "from_on", "until_on", "withdrawn_at"
    )
    + f", 'author', {author('r.created_by')}, 'link_id', f.id,"
    f" 'link_author', {author('f.created_by')}",
    may_be_told=may("r.child_id", "'family'", author("r.created_by"))
    + " AND :own_agency = ANY (r.agencies)",
    columns={
        "patient": to("r.child_id"),
        "identifier": Nothing(),
        "status": Code("CASE WHEN r.withdrawn_at IS NULL THEN 'active' ELSE 'inactive' END"),
        "date": at("r.from_on"),
        "actor": Refers(":own_agency = ANY({ids})", "false"),
    },
    message=_agreement,
)


class AlertRow(OwnLine):
    """That whoever meets the family needs an interpreter."""

    interpreter: str


def _alert(row: AlertRow, access: Access) -> Message | None:
    if not access.may(Category.FAMILY, row.author):
        return None
    return Alert(
        id=str(row.id),
        child=str(row.child_id),
        changed_at=row.changed_for(access),
        code="interpreter",
        words=f"Interpreter needed: {row.interpreter}",
    )


FLAG = ChildSource(
    resource="Flag",
    about=frozenset(OF_THE_CHILD),
    changed_as_told=OWN_CHANGED,
    line=AlertRow,
    rows="child r",
    child_id="r.id",
    where="r.interpreter IS NOT NULL",
    fields=f"{plain('interpreter')}, {OWN_FIELDS}",
    may_be_told=may("r.id", "'family'", author("r.created_by")),
    columns={
        "patient": to("r.id"),
        "identifier": Nothing(),
        "date": at("NULL::date"),
    },
    message=_alert,
)


class ChangeRow(ChildLine):
    """One change of one watched column."""

    what: str
    row_id: UUID
    at: datetime
    by: UUID | None
    agency_id: UUID | None


_TARGETS = {"plan": "CarePlan", "desired_outcome": "Goal", "action": "Task"}


def _change(row: ChangeRow, access: Access) -> Message | None:
    if not access.may(Category.PLAN):
        return None
    return Change(
        id=str(row.id),
        child=str(row.child_id),
        changed_at=row.changed_at,
        target_type=_TARGETS[row.what.partition(".")[0]],
        target=str(row.row_id),
        what=row.what,
        at=row.at,
        by=text_of(row.by),
        agency=text_of(row.agency_id),
    )


PROVENANCE = ChildSource(
    resource="Provenance",
    about=frozenset({Category.PLAN}),
    line=ChangeRow,
    rows="record_change r LEFT JOIN worker w ON w.id = r.created_by"
    " LEFT JOIN plan p ON p.id = r.row_id LEFT JOIN desired_outcome o ON o.id = r.row_id"
    " LEFT JOIN action t ON t.id = r.row_id"
    " LEFT JOIN plan q ON q.id = COALESCE(p.id, o.plan_id, t.plan_id)",
    # Of what is sent itself; who did it is a worker, or it has nobody to name.
    where="split_part(r.what, '.', 1) IN ('plan', 'desired_outcome', 'action')"
    " AND w.id IS NOT NULL AND COALESCE(p.id, o.id, t.id) IS NOT NULL"
    " AND t.moved_away_at IS NULL AND COALESCE(q.state, '') <> 'draft'",
    fields=f"{plain('what', 'row_id')}, 'at', r.created_at, 'by', w.id, 'agency_id', w.agency_id",
    may_be_told=may("r.child_id", "'plan'"),
    columns={
        "patient": to("r.child_id"),
        "target": to("r.row_id"),
        "agent": to("w.id"),
        "recorded": at("r.created_at"),
    },
    message=_change,
)


_OF_A_PANEL = ("panel", "allocation")
"""Purposes that tell that the child is before a panel."""


class LookRow(ChildLine):
    """One look of the client's own agency."""

    at: datetime
    viewer_id: UUID
    viewer_kind: str
    agency_id: UUID | None
    purpose: str
    doing: str
    refused: bool


def _look(row: LookRow, access: Access) -> Message | None:
    if not access.may(Category.IDENTITY) or row.agency_id != access.viewer.agency:
        return None
    if row.purpose in _OF_A_PANEL and not access.may(Category.PANEL):
        return None
    return Look(
        id=str(row.id),
        child=str(row.child_id),
        changed_at=row.changed_at,
        at=row.at,
        viewer=str(row.viewer_id),
        viewer_kind=row.viewer_kind,
        agency=text_of(row.agency_id),
        purpose=row.purpose,
        # What a person did in detail could tell what the record holds; a system was sent it.
        doing=row.doing if row.viewer_kind == ViewerKind.CLIENT else "",
        permitted=not row.refused,
    )


AUDIT_EVENT = ChildSource(
    resource="AuditEvent",
    about=frozenset({Category.IDENTITY, Category.PANEL}),
    line=LookRow,
    rows="access_event r",
    changed="r.at",
    # An agency's own looks, and no look that was made for somebody's safety, or because a person
    # asked for their data or somebody oversees what is done.
    where="r.agency_id IS NOT NULL AND r.viewer_kind IN ('worker', 'client')"
    " AND r.purpose NOT IN ('safeguarding', 'subject_access', 'governance')"
    " AND NOT EXISTS (SELECT FROM jsonb_each_text(r.decisions) d"
    " WHERE d.value = 'safeguarding')",
    fields=plain("at", "viewer_id", "viewer_kind", "agency_id", "purpose", "doing")
    + ", 'refused', jsonb_exists(r.decisions, 'refused')",
    may_be_told=may("r.child_id", "'identity'")
    + " AND r.agency_id = :own_agency AND (r.purpose NOT IN "
    + f"({', '.join(map(repr, _OF_A_PANEL))}) OR {may('r.child_id', repr('panel'))})",
    columns={
        "patient": to("r.child_id"),
        "agent": Refers("(r.viewer_id = ANY({ids}) OR r.agency_id = ANY({ids}))", "false"),
        "date": at("r.at"),
    },
    message=_look,
)
