"""The stay in the process and what was found: EpisodeOfCare, Condition, Flag, CareTeam."""

from interop import systems
from interop.messages import Alert, Episode, Need, Team, TeamMember
from interop.outgoing.codes import NEEDS
from interop.outgoing.elements import (
    Json,
    annotation,
    coding,
    concept,
    day,
    extension,
    is_code,
    narrative,
    own_concept,
    period,
    present,
    reference,
    references,
    resource,
    text,
    told_or_absent,
)


def episode_of_care(episode: Episode) -> Json:
    """EpisodeOfCare (UK Core): active until it is closed, with when the need was identified."""
    because = own_concept(systems.CLOSURE_REASON, text(episode.closure_reason))
    return resource(
        "EpisodeOfCare",
        episode,
        {
            "extension": extension(systems.IDENTIFIED_ON, "Date", day(episode.identified_on))
            + extension(systems.CLOSED_BECAUSE, "CodeableConcept", because),
            "status": "active" if episode.closed_on is None else "finished",
            "patient": reference("Patient", episode.child),
            "managingOrganization": reference("Organization", episode.agency),
            "period": period(episode.opened_on, episode.closed_on),
        },
    )


def condition(need: Need) -> Json:
    """Condition (UK Core): SNOMED CT where the message has it, then Panel's code, and the words.

    Only a diagnosis is confirmed; of a need nothing is said about how sure it is.
    """
    codes: list[Json] = []
    if need.snomed is not None and is_code(need.snomed.code):
        codes.append(coding(systems.SNOMED, need.snomed.code, need.snomed.words))
    if need.code is not None and is_code(need.code):
        codes.append(coding(systems.PRIMARY_NEED, need.code, NEEDS.get(need.code)))
    kind = ("diagnosis", "Diagnosis") if need.is_diagnosis else ("need", "Need")
    return resource(
        "Condition",
        need,
        {
            "text": narrative(need.words, need.text),
            "clinicalStatus": concept(coding(systems.CONDITION_CLINICAL, "active", "Active")),
            "verificationStatus": concept(
                coding(systems.CONDITION_VERIFICATION, "confirmed", "Confirmed")
            )
            if need.is_diagnosis
            else None,
            "category": [
                concept(
                    coding(systems.CONDITION_CATEGORY, "problem-list-item", "Problem List Item")
                ),
                concept(coding(systems.NEED_KIND, *kind)),
            ],
            "code": concept(*codes, words=need.words),
            "subject": reference("Patient", need.child),
            "recordedDate": day(need.recorded_on),
            "note": annotation(need.text),
        },
    )


def flag(alert: Alert) -> Json:
    """Flag (UK Core): what whoever meets the child must know first."""
    return resource(
        "Flag",
        alert,
        {
            "text": narrative(alert.words),
            "status": "active",
            "code": own_concept(systems.ALERT, text(alert.code), alert.words)
            or told_or_absent(None),
            "subject": reference("Patient", alert.child),
            "period": period(alert.from_on, alert.until_on),
        },
    )


def care_team(team: Team) -> Json:
    """CareTeam (UK Core): each part with its own from–until, and that of the whole around them."""
    members: list[Json] = [_participant(one) for one in team.members]
    members += [{"member": one} for one in references("RelatedPerson", team.carers)]
    return resource(
        "CareTeam",
        team,
        {
            "status": "active",
            "subject": reference("Patient", team.child),
            "period": _around(team.members),
            "participant": members,
        },
    )


def _participant(one: TeamMember) -> Json:
    """An agency takes part by itself, or a worker of it on its behalf (R4, ctm-1)."""
    agency = reference("Organization", one.agency)
    lead = coding(systems.TEAM_PART, "lead-professional", "Lead professional")
    role = concept(*([lead] if one.is_lead else []), words=one.part)
    return present(
        {
            "role": [role] if role else None,
            "member": reference("Practitioner", one.worker) if one.worker else agency,
            "onBehalfOf": agency if one.worker else None,
            "period": period(one.from_on, one.until_on),
        }
    )


def _around(members: tuple[TeamMember, ...]) -> Json | None:
    """From the first beginning to the last end; open where one of them is."""
    starts = [one.from_on for one in members if one.from_on]
    ends = [one.until_on for one in members if one.until_on]
    return period(
        min(starts) if starts and len(starts) == len(members) else None,
        max(ends) if ends and len(ends) == len(members) else None,
    )
