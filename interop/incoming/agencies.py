"""Who works with families: Practitioner, PractitionerRole, Organization, HealthcareService."""

from typing import Final

from interop import systems
from interop.incoming.people import identifier_of, name_in_words, telecom
from interop.incoming.reader import Fields, Reader
from interop.incoming.spoken import Lacking, NotPanels, Spoken, first
from interop.messages import Agency, Service, Worker

_KINDS: Final = {"prov": "health", "edu": "education", "govt": "council"}


def _practitioner(person: Spoken) -> Fields:
    name = name_in_words(person)
    if name is None:
        raise Lacking("This person has no name.", ".name")
    return {"name": name, "phone": telecom(person, "phone"), "email": telecom(person, "email")}


def _role(role: Spoken) -> Fields:
    """A post is part of the Worker whose post it is, and has that one's id."""
    practitioner = role.one("practitioner")
    person = practitioner.refers_to("Practitioner")
    if person is None:
        raise NotPanels("This post does not say who holds it.")
    period = role.one("period")
    return {
        "id": person,
        "name": practitioner.text("display"),
        "agency": role.one("organization").refers_to("Organization"),
        "job_title": first(each.words() for each in role.many("code")),
        "phone": telecom(role, "phone"),
        "email": telecom(role, "email"),
        "from_on": period.day("start"),
        "until_on": period.day("end"),
    }


def _agency(organization: Spoken) -> Fields:
    name = organization.text("name")
    if name is None:
        raise Lacking("This organisation has no name.", ".name")
    identifier_of(organization, systems.AGENCY_ID)
    organization.note("active")
    closed = organization.extension(systems.ORGANIZATION_PERIOD).one("valuePeriod")
    return {
        "name": name,
        "kind": _kind(organization),
        "ods_code": identifier_of(organization, systems.ODS_CODE),
        "closed_on": closed.day("end"),
    }


def _kind(organization: Spoken) -> str | None:
    kinds = organization.many("type")
    own = first(each.code(systems.AGENCY_KIND) for each in kinds)
    theirs = first(each.code(systems.ORGANIZATION_TYPE) for each in kinds)
    return own or _KINDS.get(theirs or "")


def _service(service: Spoken) -> Fields:
    name = service.text("name")
    if name is None:
        raise Lacking("This service has no name.", ".name")
    routes = [each.words() for each in service.many("referralMethod")]
    return {
        "provider": service.one("providedBy").refers_to("Organization"),
        "name": name,
        "description": service.text("comment"),
        "kind": first(each.code(systems.SERVICE_KIND) for each in service.many("type")),
        "running": service.flag("active"),
        "url": telecom(service, "url"),
        "email": telecom(service, "email"),
        "phone": telecom(service, "phone"),
        "referral_route": ", ".join(each for each in routes if each) or None,
        **_ages(service),
    }


def _ages(service: Spoken) -> Fields:
    for each in service.many("eligibility"):
        span = each.extension(systems.AGE_RANGE).one("valueRange")
        if span:
            each.note_all()
            return {
                "min_age": span.one("low").whole("value"),
                "max_age": span.one("high").whole("value"),
            }
    return {}


READERS: Final = {
    "Practitioner": Reader(message=Worker, read=_practitioner, otherwise={"agency": ""}),
    "PractitionerRole": Reader(message=Worker, read=_role, otherwise={"name": "", "agency": ""}),
    "Organization": Reader(message=Agency, read=_agency, otherwise={"kind": "provider"}),
    "HealthcareService": Reader(message=Service, read=_service, otherwise={"provider": ""}),
}
