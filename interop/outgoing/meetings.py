"""The panel, its meeting and what the family is told of it.

Group, Appointment and Encounter, DocumentReference and Communication. R4 lets no Organization take
part in an Appointment or an Encounter: an agency is named in an extension there.
"""

from base64 import b64encode
from datetime import timedelta
from hashlib import sha1

from interop import systems
from interop.messages import Note, PanelChildren, Sending, Sitting
from interop.outgoing.elements import (
    Json,
    coding,
    concept,
    extension,
    instant,
    is_code,
    own_concept,
    reference,
    references,
    resource,
    text,
)

APPOINTMENTS = {
    "planned": "booked",
    "discussed": "fulfilled",
    "not_reached": "cancelled",
    "removed": "cancelled",
    "cancelled": "cancelled",
}
ENCOUNTERS = {"planned": "planned", "discussed": "finished"}
SENT = frozenset({"sent", "opened"})
STOPPED = {"held_back": "on-hold", "waiting": "preparation", "recalled": "stopped"}
MEDIA = {"email": ("EMAILWRIT", "email"), "letter": ("MAILWRIT", "mail")}


def group(panel: PanelChildren) -> Json:
    """Group: who stands in it are those of whom the reader may know; no other is counted."""
    key = text(panel.key)
    return resource(
        "Group",
        panel,
        {
            "identifier": [{"system": systems.PANEL_KEY, "value": key}] if key else None,
            "active": True,
            "type": "person",
            "actual": True,
            "name": text(panel.name),
            "quantity": len(panel.children),
            "member": [{"entity": one} for one in references("Patient", panel.children)],
        },
        profiled=False,
    )


def appointment(sitting: Sitting) -> Json:
    """Appointment (UK Core): the child's place on the agenda. The child need not be there."""
    status = APPOINTMENTS[sitting.state]
    ends = sitting.starts_at + timedelta(minutes=max(sitting.minutes, 0))
    why = own_concept(systems.AGENDA_REASON, text(sitting.why))
    return resource(
        "Appointment",
        sitting,
        {
            "extension": _agencies(sitting),
            "status": status,
            "cancelationReason": own_concept(systems.SITTING_STATE, sitting.state)
            if status == "cancelled"
            else None,
            "serviceType": _panel(sitting),
            "reasonCode": [why] if why else None,
            "description": text(sitting.panel),
            "start": instant(sitting.starts_at),
            "end": instant(ends),
            "minutesDuration": sitting.minutes if sitting.minutes > 0 else None,
            "participant": [
                {
                    "actor": reference("Patient", sitting.child),
                    "required": "information-only",
                    "status": "accepted",
                }
            ],
        },
    )


def encounter(sitting: Sitting) -> Json:
    """Encounter (UK Core): the discussion, with the same id; cancelled where there was none.

    No code of HL7's is for a meeting about a child who is not there, so its class is Panel's.
    """
    why = own_concept(systems.AGENDA_REASON, text(sitting.why))
    began = sitting.discussed_at or sitting.starts_at
    panel = concept(words=sitting.panel)
    return resource(
        "Encounter",
        sitting,
        {
            "extension": _agencies(sitting),
            "status": ENCOUNTERS.get(sitting.state, "cancelled"),
            "class": coding(systems.MEETING, "panel-discussion", "Discussion at a panel"),
            "serviceType": panel,
            "subject": reference("Patient", sitting.child),
            "appointment": references("Appointment", [sitting.id]),
            "period": {"start": instant(began)},
            "reasonCode": [why] if why else None,
        },
    )


def _agencies(sitting: Sitting) -> list[Json]:
    return [
        {"url": systems.AGENCY, "valueReference": one}
        for one in references("Organization", sitting.agencies)
    ]


def _panel(sitting: Sitting) -> list[Json]:
    found = concept(words=sitting.panel)
    return [found] if found else []


def document_reference(note: Note) -> Json:
    """DocumentReference (UK Core): the signed-off text inside, to the byte, in UTF-8.

    A note that was recalled was sent in error: nobody may act on it.
    """
    recalled = note.state == "recalled"
    agency = reference("Organization", note.author_agency)
    title = f"Note to the family {note.number}"
    return resource(
        "DocumentReference",
        note,
        {
            "extension": extension(systems.NUMBER, "Integer", note.number),
            "status": "entered-in-error" if recalled else "current",
            "docStatus": "entered-in-error" if recalled else "final",
            "type": concept(coding(systems.DOCUMENT, "family-note", "Note to the family")),
            "category": [
                concept(coding(systems.INFORMATION_CATEGORY, one))
                for one in note.categories
                if is_code(one)
            ],
            "subject": reference("Patient", note.child),
            "date": instant(note.signed_off_at),
            "author": [agency],
            "authenticator": reference("Practitioner", note.signed_off_by),
            "custodian": agency,
            "description": title,
            "content": [{"attachment": _attachment(note, title)}],
            "context": _context(note),
        },
    )


def _attachment(note: Note, title: str) -> Json:
    inside = note.text.encode("utf-8", errors="replace")
    data: Json = {"data": b64encode(inside).decode("ascii")} if inside else {}
    return {
        "contentType": "text/plain; charset=utf-8",
        **data,
        "size": len(inside),
        "hash": b64encode(sha1(inside, usedforsecurity=False).digest()).decode("ascii"),
        "title": title,
        "creation": instant(note.signed_off_at),
    }


def _context(note: Note) -> Json | None:
    return {"encounter": references("Encounter", [note.sitting])} if note.sitting else None


def communication(sending: Sending) -> Json:
    """Communication (UK Core): that a note went, or did not, and when it was opened."""
    to = sending.to
    child = reference("Patient", sending.child)
    state = own_concept(systems.SENDING_STATE, text(sending.state))
    bounced = sending.state == "bounced"
    status = "completed" if sending.state in SENT else STOPPED.get(sending.state, "unknown")
    return resource(
        "Communication",
        sending,
        {
            "status": "not-done" if bounced else status,
            "statusReason": state,
            "medium": [concept(coding(systems.PARTICIPATION_MODE, *MEDIA[sending.way]))],
            "subject": child,
            "about": references("DocumentReference", [sending.note]),
            "sent": instant(sending.sent_at),
            "received": instant(sending.opened_at),
            "recipient": [reference("RelatedPerson", to) if to else child],
            "payload": [
                {"contentReference": one} for one in references("DocumentReference", [sending.note])
            ],
        },
    )
