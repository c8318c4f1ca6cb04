"""The panel's meeting and what the family is told of it.

Appointment and Encounter, DocumentReference and Communication: only those that another Panel wrote.
A hospital's appointment is no place on a panel's agenda, and a letter no note to the family.
"""

from base64 import b64decode
from datetime import timedelta
from hashlib import sha1
from typing import Final

from interop import systems
from interop.incoming.people import subject_of
from interop.incoming.reader import Assumed, Fields, Reader
from interop.incoming.spoken import Lacking, NotPanels, Spoken, first
from interop.messages import Note, Sending, Sitting

_STATES: Final = {"booked": "planned", "fulfilled": "discussed"}
_ENCOUNTERS: Final = {"planned": "planned", "finished": "discussed"}
_WAYS: Final = {"EMAILWRIT": "email", "MAILWRIT": "letter"}


def _appointment(appointment: Spoken) -> Fields:
    why = first(each.code(systems.AGENDA_REASON) for each in appointment.many("reasonCode"))
    if why is None:
        raise NotPanels("This appointment is not a place on a panel's agenda.")
    starts, ends = appointment.moment("start"), appointment.moment("end")
    if starts is None or ends is None:
        raise Lacking("This place on an agenda has no time.", ".start")
    status = appointment.text("status") or ""
    reason = appointment.one("cancelationReason").code(systems.SITTING_STATE)
    panel = appointment.text("description")
    appointment.note("minutesDuration", "serviceType")
    people = appointment.many("participant")
    child = first(subject_of(each.one("actor")) for each in people)
    for each in people:
        each.note("required", "status")
    return {
        "child": child,
        "panel": panel,
        "starts_at": starts,
        "minutes": (ends - starts) // timedelta(minutes=1),
        "state": _STATES.get(status) or reason or "cancelled",
        "why": why,
        "agencies": _agencies(appointment),
    }


def _encounter(encounter: Spoken) -> Fields:
    meeting = encounter.one("class")
    if meeting.value.get("system") != systems.MEETING:
        raise NotPanels("This encounter is not a discussion at a panel.")
    meeting.note_all()
    began = encounter.one("period").moment("start")
    if began is None:
        raise Lacking("This discussion has no time.", ".period")
    state = _ENCOUNTERS.get(encounter.text("status") or "")
    for each in encounter.many("appointment"):
        each.refers_to("Appointment")
    discussed = began if state == "discussed" else None
    return {
        "child": subject_of(encounter.one("subject")),
        "panel": encounter.one("serviceType").words(),
        "starts_at": Assumed(began),
        "state": state,
        "why": first(each.code(systems.AGENDA_REASON) for each in encounter.many("reasonCode")),
        "discussed_at": discussed,
        "agencies": _agencies(encounter),
    }


def _agencies(spoken: Spoken) -> tuple[str, ...] | None:
    named = spoken.extensions(systems.AGENCY)
    found = (each.one("valueReference").refers_to("Organization") for each in named)
    return tuple(each for each in found if each) or None


def _note(document: Spoken) -> Fields:
    if document.one("type").code(systems.DOCUMENT) != "family-note":
        raise NotPanels("This document is not a panel's note to the family.")
    signed = document.moment("date")
    if signed is None:
        raise Lacking("This note does not say when it was signed off.", ".date")
    document.note("docStatus", "description")
    encounters = document.one("context").many("encounter")
    authors = [each.refers_to("Organization") for each in document.many("author")]
    return {
        "child": subject_of(document.one("subject")),
        "sitting": first(each.refers_to("Encounter") for each in encounters),
        "number": document.extension(systems.NUMBER).whole("valueInteger"),
        "state": "signed_off" if document.text("status") == "current" else "recalled",
        "categories": _categories(document),
        "text": _written(document),
        "signed_off_at": signed,
        "signed_off_by": document.one("authenticator").refers_to("Practitioner"),
        "author_agency": document.one("custodian").refers_to("Organization") or first(authors),
    }


def _categories(document: Spoken) -> tuple[str, ...] | None:
    """What it tells of; None where its sender does not say."""
    told = (each.code(systems.INFORMATION_CATEGORY) for each in document.many("category"))
    return tuple(one for one in told if one) or None


def _written(document: Spoken) -> str:
    """The text that was signed off; its hash must be that of what came."""
    for each in document.many("content"):
        attachment = each.one("attachment")
        inside = _bytes(attachment.text("data"))
        digest = _bytes(attachment.text("hash"))
        if digest and digest != sha1(inside, usedforsecurity=False).digest():
            raise Lacking("This note is not the text that was signed off.", ".content")
        each.note_all()
        try:
            return inside.decode("utf-8")
        except UnicodeDecodeError:
            break
    raise Lacking("The text of this note cannot be read.", ".content")


def _bytes(encoded: str | None) -> bytes:
    try:
        return b64decode(encoded or "")
    except ValueError:
        raise Lacking("The text of this note cannot be read.", ".content") from None


def _sending(communication: Spoken) -> Fields:
    state = communication.one("statusReason").code(systems.SENDING_STATE)
    about = first(each.refers_to("DocumentReference") for each in communication.many("about"))
    if state is None or about is None:
        raise NotPanels("This does not tell of a panel's note to the family.")
    media = communication.many("medium")
    way = _WAYS.get(first(each.code(systems.PARTICIPATION_MODE) for each in media) or "")
    if way is None:
        raise Lacking("This does not say how the note was sent.", ".medium")
    if all(each.one("contentReference") for each in communication.many("payload")):
        communication.note("payload")
    communication.note("status")
    recipients = communication.many("recipient")
    for each in recipients:
        subject_of(each)
    return {
        "child": subject_of(communication.one("subject")),
        "note": about,
        "to": first(each.refers_to("RelatedPerson") for each in recipients),
        "way": way,
        "state": state,
        "sent_at": communication.moment("sent"),
        "opened_at": communication.moment("received"),
    }


READERS: Final = {
    "Appointment": Reader(message=Sitting, read=_appointment, otherwise={"child": "", "panel": ""}),
    "Encounter": Reader(
        message=Sitting,
        read=_encounter,
        otherwise={"child": "", "panel": "", "minutes": 0, "state": "cancelled", "why": ""},
    ),
    "DocumentReference": Reader(
        message=Note,
        read=_note,
        otherwise={"child": "", "number": 0, "author_agency": ""},
        tells_errors=True,
    ),
    "Communication": Reader(message=Sending, read=_sending, otherwise={"child": ""}),
}
