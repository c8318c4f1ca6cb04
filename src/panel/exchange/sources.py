"""Every source, by type: from here come the search, the record as a whole, history and export."""

from collections.abc import Mapping

from panel.exchange import sources_agencies as agencies
from panel.exchange import sources_assessments as assessments
from panel.exchange import sources_groups as groups
from panel.exchange import sources_meetings as meetings
from panel.exchange import sources_people as people
from panel.exchange import sources_record as record
from panel.exchange.sender_sources import SENT, sender_source
from panel.exchange.source import AnySource, ChildSource

SOURCES: Mapping[str, AnySource] = {
    one.resource: one
    for one in (
        people.PATIENT,
        people.RELATED_PERSON,
        people.CARE_TEAM,
        agencies.PRACTITIONER,
        agencies.PRACTITIONER_ROLE,
        agencies.ORGANIZATION,
        agencies.HEALTHCARE_SERVICE,
        record.EPISODE_OF_CARE,
        record.CONDITION,
        assessments.QUESTIONNAIRE,
        assessments.QUESTIONNAIRE_RESPONSE,
        record.CARE_PLAN,
        record.GOAL,
        record.TASK,
        record.SERVICE_REQUEST,
        groups.GROUP,
        meetings.APPOINTMENT,
        meetings.ENCOUNTER,
        meetings.DOCUMENT_REFERENCE,
        meetings.COMMUNICATION,
        meetings.CONSENT,
        meetings.FLAG,
        meetings.PROVENANCE,
        meetings.AUDIT_EVENT,
    )
}

OF_CHILDREN = tuple(one.resource for one in SOURCES.values() if isinstance(one, ChildSource))
"""Types about children, in the order in which a record is told."""

IN_A_RECORD = tuple(type_ for type_ in OF_CHILDREN if type_ != "AuditEvent")
"""What a child's whole record holds: who looked is asked for by itself."""

ALL_SENT = sender_source(*SENT)
"""What other systems sent of any type."""


def sources_of(type_: str) -> tuple[AnySource, ...]:
    """Where a type's resources come from: our own rows, and what other systems sent."""
    own, sent = SOURCES[type_], SENT.get(type_)
    return (own,) if sent is None else (own, sent)
