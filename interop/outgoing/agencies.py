"""Who works with families: Practitioner and PractitionerRole, Organization, HealthcareService."""

from interop import systems
from interop.messages import Agency, Service, Worker
from interop.outgoing.codes import ORGANIZATION_TYPES
from interop.outgoing.elements import (
    Json,
    coding,
    concept,
    extension,
    narrative,
    own_concept,
    period,
    present,
    reference,
    resource,
    telecom,
    text,
)


def practitioner(worker: Worker) -> Json:
    """Practitioner (UK Core): the person."""
    name = text(worker.name)
    return resource(
        "Practitioner",
        worker,
        {
            "text": narrative(worker.name),
            "name": [{"text": name}] if name else None,
            "telecom": telecom(worker.phone, worker.email),
        },
    )


def practitioner_role(worker: Worker) -> Json:
    """PractitionerRole (UK Core), with the id of its Practitioner: the person's post."""
    job = concept(words=worker.job_title)
    return resource(
        "PractitionerRole",
        worker,
        {
            "period": period(worker.from_on, worker.until_on),
            "practitioner": reference("Practitioner", worker.id, worker.name),
            "organization": reference("Organization", worker.agency),
            "code": [job] if job else None,
            "telecom": telecom(worker.phone, worker.email),
        },
    )


def organization(agency: Agency) -> Json:
    """Organization (UK Core). Panel's id is an identifier too: not every one has an ODS code."""
    ods = text(agency.ods_code)
    closed = period(None, agency.closed_on)
    return resource(
        "Organization",
        agency,
        {
            "text": narrative(agency.name),
            "extension": extension(systems.ORGANIZATION_PERIOD, "Period", closed),
            "identifier": [
                *([{"system": systems.ODS_CODE, "value": ods}] if ods else []),
                {"system": systems.AGENCY_ID, "value": agency.id},
            ],
            "active": agency.closed_on is None,
            "type": [_kind(agency.kind)] if text(agency.kind) else None,
            "name": text(agency.name),
        },
    )


def _kind(ours: str) -> Json | None:
    theirs = ORGANIZATION_TYPES.get(ours)
    if theirs is None:
        return own_concept(systems.AGENCY_KIND, ours)
    return concept(coding(systems.AGENCY_KIND, ours), coding(systems.ORGANIZATION_TYPE, *theirs))


def healthcare_service(service: Service) -> Json:
    """HealthcareService (UK Core): a service of the directory, with the ages it is for."""
    kind = own_concept(systems.SERVICE_KIND, text(service.kind))
    route = concept(words=service.referral_route)
    return resource(
        "HealthcareService",
        service,
        {
            "text": narrative(service.name, service.description),
            "active": service.running,
            "providedBy": reference("Organization", service.provider),
            "type": [kind] if kind else None,
            "name": text(service.name),
            "comment": text(service.description),
            "telecom": telecom(service.phone, service.email, service.url),
            "eligibility": _ages(service.min_age, service.max_age),
            "referralMethod": [route] if route else None,
        },
    )


def _ages(youngest: int | None, oldest: int | None) -> list[Json]:
    if youngest is None and oldest is None:
        return []
    if oldest is None:
        words = f"From {youngest} years"
    else:
        words = f"From {youngest or 0} to {oldest} years"
    span = present({"low": _years(youngest), "high": _years(oldest)})
    return [
        {
            "extension": extension(systems.AGE_RANGE, "Range", span),
            "code": concept(coding(systems.ELIGIBILITY, "age", "Age")),
            "comment": words,
        }
    ]


def _years(count: int | None) -> Json | None:
    if count is None:
        return None
    return {"value": count, "unit": "years", "system": systems.UCUM, "code": "a"}
