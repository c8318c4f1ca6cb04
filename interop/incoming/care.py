"""The stay in the process and what was found: EpisodeOfCare, Condition, Flag, CareTeam."""

from typing import Final

from interop import systems
from interop.incoming.people import subject_of
from interop.incoming.reader import Fields, Reader
from interop.incoming.spoken import Lacking, NotPanels, Spoken, first
from interop.messages import Alert, Coded, Episode, Need, Team, TeamMember


def _episode(episode: Spoken) -> Fields:
    period = episode.one("period")
    opened = period.day("start")
    if opened is None:
        raise Lacking("This episode of care does not say on which day it began.", ".period")
    because = episode.extension(systems.CLOSED_BECAUSE).one("valueCodeableConcept")
    episode.note("status")
    return {
        "child": subject_of(episode.one("patient")),
        "opened_on": opened,
        "identified_on": episode.extension(systems.IDENTIFIED_ON).day("valueDate"),
        "closed_on": period.day("end"),
        "closure_reason": because.code(systems.CLOSURE_REASON) or because.words(),
        "agency": episode.one("managingOrganization").refers_to("Organization"),
    }


def _need(condition: Spoken) -> Fields:
    code = condition.one("code")
    snomed = _snomed(code)
    words = code.words() or (snomed.words if snomed else None)
    if words is None:
        raise Lacking("This condition does not say what it is.", ".code")
    verification = condition.one("verificationStatus").code(systems.CONDITION_VERIFICATION)
    if verification == "refuted":
        raise NotPanels("Its sender says that this was found not to be so.")
    condition.one("clinicalStatus").code(systems.CONDITION_CLINICAL)
    categories = condition.many("category")
    kind = first(each.code(systems.NEED_KIND) for each in categories)
    if kind is not None:
        first(each.code(systems.CONDITION_CATEGORY) for each in categories)
    return {
        "child": subject_of(condition.one("subject")),
        "code": code.code(systems.PRIMARY_NEED),
        "words": words,
        "snomed": snomed,
        "text": note_of(condition),
        "is_diagnosis": kind == "diagnosis" if kind else verification == "confirmed" or None,
        "recorded_on": condition.day("recordedDate"),
    }


def _snomed(concept: Spoken) -> Coded | None:
    for each in concept.many("coding"):
        if each.value.get("system") == systems.SNOMED and each.has("code"):
            each.note("system", "display", "userSelected")
            code = str(each.text("code"))
            words = each.value.get("display") or concept.value.get("text") or code
            return Coded(code, str(words))
    return None


def note_of(spoken: Spoken) -> str | None:
    """The first note, as it was written."""
    return first(each.text("text") for each in spoken.many("note"))


def _alert(flag: Spoken) -> Fields:
    if flag.text("status") != "active":
        raise NotPanels("This flag is no longer raised.")
    concept = flag.one("code")
    words = concept.words()
    if words is None:
        raise Lacking("This flag does not say what it warns of.", ".code")
    period = flag.one("period")
    return {
        "child": subject_of(flag.one("subject")),
        "code": concept.code(systems.ALERT),
        "words": words,
        "from_on": period.day("start"),
        "until_on": period.day("end"),
    }


def _team(team: Spoken) -> Fields:
    if team.text("status") in {"inactive", "suspended"}:
        raise NotPanels("This team is no longer at work.")
    parts = team.many("participant")
    members = [found for each in parts if (found := _member(each)) is not None]
    people = [each.one("member").refers_to("RelatedPerson") for each in parts]
    carers = [each for each in people if each is not None]
    if not members and not carers:
        raise Lacking("This team does not say who is in it.", ".participant")
    team.one("period").note_all()
    return {
        "child": subject_of(team.one("subject")),
        "members": tuple(members),
        "carers": tuple(carers),
    }


def _member(part: Spoken) -> TeamMember | None:
    who = part.one("member")
    worker = who.refers_to("Practitioner", "PractitionerRole")
    behalf = part.one("onBehalfOf").refers_to("Organization")
    agency = behalf if worker else who.refers_to("Organization")
    if worker is None and agency is None:
        return None
    roles = part.many("role")
    period = part.one("period")
    is_lead = any(each.code(systems.TEAM_PART) == "lead-professional" for each in roles)
    return TeamMember(
        agency=agency or "",
        worker=worker,
        part=first(_part(each) for each in roles) or "",
        is_lead=is_lead,
        from_on=period.day("start"),
        until_on=period.day("end"),
    )


def _part(role: Spoken) -> str | None:
    """In the words of whoever named the part; that of the lead is told by its code."""
    if role.value.get("coding") and not role.has("text"):
        others = [
            each for each in role.many("coding") if each.value.get("system") != systems.TEAM_PART
        ]
        return first(each.text("display") for each in others)
    return role.text("text")


READERS: Final = {
    "EpisodeOfCare": Reader(message=Episode, read=_episode, otherwise={"child": "", "agency": ""}),
    "Condition": Reader(message=Need, read=_need, otherwise={"child": ""}),
    "Flag": Reader(message=Alert, read=_alert, otherwise={"child": "", "code": ""}),
    "CareTeam": Reader(message=Team, read=_team, otherwise={"child": ""}),
}
