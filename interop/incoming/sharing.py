"""What a family decided: Consent. What it leaves open is never read as an agreement.

Real senders set the root's type, which R4 forbids, and leave out who does what: neither hides
whether something is agreed. Who may receive what counts only where it is named.
"""

from typing import Final

from interop import systems
from interop.incoming.people import subject_of
from interop.incoming.reader import Fields, Reader
from interop.incoming.spoken import Lacking, NotPanels, Spoken, first
from interop.messages import Agreement

_IN_FORCE: Final = "active"
_RULES: Final = {"OPTIN": True, "OPTOUT": False}
_POLICIES: Final = (systems.ACT_CODE, "http://terminology.hl7.org/CodeSystem/consentpolicycodes")
"""R4 puts OPTIN and OPTOUT in v3-ActCode; senders mix the two up."""


def _agreement(consent: Spoken) -> Fields:
    withdrawn = consent.extension(systems.WITHDRAWN_AT).moment("valueDateTime")
    if consent.text("status") != _IN_FORCE and withdrawn is None:
        raise NotPanels("This consent is not in force.")
    root = consent.one("provision")
    rules = [(each.text("type"), each) for each in root.many("provision")]
    given = _is_given(consent, root, {kind for kind, _ in rules})
    period = root.one("period")
    decided = consent.day("dateTime")
    from_on = period.day("start") or decided
    if from_on is None:
        raise Lacking("This consent does not say from when it holds.", ".dateTime")
    wanted = [each for kind, each in rules if (kind == "permit") == given] or [root]
    denied = [each for kind, each in rules if kind == "deny"] if given else []
    performers = consent.many("performer")
    consent.note("scope", "category", "status")
    return {
        "child": subject_of(consent.one("patient")),
        "given": given,
        "by": first(each.refers_to("RelatedPerson") for each in performers),
        "by_words": _who(performers),
        "agencies": _actors(wanted),
        "not_agencies": _actors(denied),
        "categories": _codes(wanted + denied, "class", systems.INFORMATION_CATEGORY),
        "purposes": _codes(wanted + denied, "purpose", systems.PURPOSE),
        "from_on": from_on,
        "until_on": period.day("end"),
        "withdrawn_at": withdrawn,
    }


def _is_given(consent: Spoken, root: Spoken, kinds: set[str | None]) -> bool:
    """Whether something is agreed; raises `Lacking` where that stays open."""
    policy = consent.one("policyRule")
    own = policy.code(systems.SHARING_POLICY)
    if "permit" in kinds:
        return True
    if "deny" in kinds:
        return False
    if own is not None:
        return True  # An agreement that names nobody: nothing goes to anybody, and none is refused.
    kind = root.text("type")
    if kind is not None:
        return kind == "permit"
    rule = first(policy.code(system) for system in _POLICIES)
    if rule in _RULES:
        return _RULES[rule]
    raise Lacking("This consent does not say whether sharing is agreed or refused.", ".provision")


def _who(performers: list[Spoken]) -> str | None:
    for each in performers:
        subject_of(each)
        words = each.text("display")
        if words is not None:
            return words
    return None


def _actors(rules: list[Spoken]) -> tuple[str, ...] | None:
    found: list[str] = []
    for rule in rules:
        for actor in rule.many("actor"):
            agency = actor.one("reference").refers_to("Organization")
            if agency is not None:
                actor.note("role")
                found.append(agency)
    return tuple(found) or None


def _codes(rules: list[Spoken], name: str, system: str) -> tuple[str, ...] | None:
    found: dict[str, None] = {}
    for rule in rules:
        for coding in rule.many(name):
            if coding.value.get("system") == system:
                coding.note("system", "display")
                found[coding.text("code") or ""] = None
    return tuple(found) or None


READERS: Final = {
    "Consent": Reader(message=Agreement, read=_agreement, otherwise={"child": "", "by_words": ""})
}
