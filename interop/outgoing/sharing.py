"""What a family decided and what happened to their record: Consent, Provenance, AuditEvent."""

from interop import systems
from interop.messages import Agreement, Change, Look
from interop.outgoing.elements import (
    Json,
    coding,
    concept,
    day,
    extension,
    instant,
    is_code,
    own_concept,
    period,
    present,
    reference,
    resource,
    text,
)

OBSERVED_BY = "Panel"
VIEWERS = {"worker": "Practitioner", "agency": "Organization"}
"""Viewers who are resources; a guest, a family's sign-in, a client and a job are told by id."""


# Consent ------------------------------------------------------------------------------------------


def consent(agreement: Agreement) -> Json:
    """Consent (UK Core): nothing is shared but what a nested provision permits.

    The root provision has a period and no type (R4). An agreement permits to the agencies that it
    names, to no other, and to nobody where it names none; what it refuses, and a refusal, is a
    provision that denies, to every agency and about everything where none is named.
    """
    by = agreement.by
    rules = [_denies(agreement, agreement.not_agencies)] if agreement.not_agencies else []
    if not agreement.given:
        rules = [_denies(agreement, agreement.agencies)]
    elif agreement.agencies:
        rules.insert(0, _rule("permit", agreement, agreement.agencies))
    return resource(
        "Consent",
        agreement,
        {
            "extension": extension(
                systems.WITHDRAWN_AT, "DateTime", instant(agreement.withdrawn_at)
            ),
            "status": "active" if agreement.withdrawn_at is None else "inactive",
            "scope": concept(coding(systems.CONSENT_SCOPE, "patient-privacy", "Privacy Consent")),
            "category": [concept(coding(systems.ACT_CODE, "INFA", "information access"))],
            "patient": reference("Patient", agreement.child),
            "dateTime": day(agreement.from_on),
            "performer": [
                reference("RelatedPerson", by, agreement.by_words)
                if by
                else reference("Patient", agreement.child, agreement.by_words)
            ],
            "policyRule": concept(
                coding(
                    systems.SHARING_POLICY,
                    "withhold-unless-permitted",
                    "Nothing is shared but what a provision permits",
                )
            ),
            "provision": present(
                {
                    "period": period(agreement.from_on, agreement.until_on),
                    "provision": rules,
                }
            ),
        },
    )


def _denies(agreement: Agreement, agencies: tuple[str, ...]) -> Json:
    return _rule("deny", agreement, agencies)


def _rule(kind: str, agreement: Agreement, agencies: tuple[str, ...]) -> Json:
    receives = concept(coding(systems.PARTICIPATION, "IRCP", "information recipient"))
    return present(
        {
            "type": kind,
            "actor": [
                {"role": receives, "reference": reference("Organization", one)} for one in agencies
            ],
            "purpose": _codings(systems.PURPOSE, agreement.purposes),
            "class": _codings(systems.INFORMATION_CATEGORY, agreement.categories),
        }
    )


def _codings(system: str, codes: tuple[str, ...]) -> list[Json]:
    return [coding(system, one) for one in codes if is_code(one)]


# Who changed and who saw --------------------------------------------------------------------------


def provenance(change: Change) -> Json:
    """Provenance (UK Core): who changed what, on whose behalf. R4 wants a who."""
    agency = reference("Organization", change.agency)
    who = reference("Practitioner", change.by)
    return resource(
        "Provenance",
        change,
        {
            "extension": extension(systems.CHILD, "Reference", reference("Patient", change.child)),
            "target": [reference(change.target_type, change.target)],
            "recorded": instant(change.at),
            "activity": own_concept(systems.CHANGE, text(change.what)),
            "agent": [
                present(
                    {
                        "type": concept(coding(systems.PROVENANCE_PARTICIPANT, "author", "Author")),
                        "who": who or agency or {"display": OBSERVED_BY},
                        "onBehalfOf": agency if who else None,
                    }
                )
            ],
        },
    )


def audit_event(look: Look) -> Json:
    """AuditEvent (UK Core): who looked, for what, and whether they were let."""
    purpose = own_concept(systems.PURPOSE, text(look.purpose))
    viewer: Json = {"who": _viewer(look), "requestor": True}
    kind = own_concept(systems.VIEWER_KIND, text(look.viewer_kind))
    agents: list[Json] = [present({"role": [kind] if kind else None, **viewer})]
    if look.agency is not None:
        agents.append({"who": reference("Organization", look.agency), "requestor": False})
    return resource(
        "AuditEvent",
        look,
        {
            "type": coding(systems.DICOM, "110110", "Patient Record"),
            "subtype": _codings(systems.DOING, (look.doing,)),
            "action": "R",
            "recorded": instant(look.at),
            "outcome": "0" if look.permitted else "4",
            "purposeOfEvent": [purpose] if purpose else None,
            "agent": agents,
            "source": {
                "observer": {"display": OBSERVED_BY},
                "type": [coding(systems.SECURITY_SOURCE, "4", "Application Server")],
            },
            "entity": [
                {
                    "what": reference("Patient", look.child),
                    "type": coding(systems.AUDIT_ENTITY, "1", "Person"),
                    "role": coding(systems.OBJECT_ROLE, "1", "Patient"),
                }
            ],
        },
    )


def _viewer(look: Look) -> Json | None:
    kind = VIEWERS.get(look.viewer_kind)
    if kind is not None:
        return reference(kind, look.viewer)
    return {"identifier": {"system": systems.VIEWER, "value": look.viewer}}
