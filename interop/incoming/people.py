"""The child and those around them as people: Patient and RelatedPerson.

Both sides' words: `interop.outgoing.people` writes what is read here.
"""

from typing import Final

from interop import systems
from interop.incoming.bindings import same_system
from interop.incoming.reader import Fields, Reader
from interop.incoming.spoken import Lacking, Spoken, first
from interop.messages import Carer, Child
from interop.outgoing.codes import ETHNIC_CATEGORIES, LANGUAGES

_SEXES: Final = {
    "female": "female",
    "male": "male",
    "other": "indeterminate",
    "unknown": "not_known",
}
_VERIFIED: Final = frozenset({"01", "number-present-and-verified"})
"""Of England's code system and of the one before it; senders use either under either address."""
_STATUS: Final = "NHSNumberVerificationStatus"
_ETHNICITIES: Final = {code: ours for ours, (code, _) in reversed(ETHNIC_CATEGORIES.items())}
"""Panel's own codes stand first in the table, so they are what is left."""
_TAGS: Final = {tag: words for words, tag in reversed(LANGUAGES.items())}


def _child(patient: Spoken) -> Fields:
    number, verified = nhs_number_of(patient)
    names = _names(patient)
    if number is None and not (names.get("family_name") or names.get("given_name")):
        raise Lacking("This patient has neither an NHS number nor a name.")
    patient.note("active")
    return {
        **names,
        **_speech(patient, systems.INTERPRETER_REQUIRED),
        **_address(patient),
        "reference": identifier_of(patient, systems.CHILD_REFERENCE),
        "birth_date": patient.day("birthDate"),
        "sex": _SEXES.get(patient.text("gender") or ""),
        "nhs_number": number,
        "nhs_number_verified": verified,
        "upn": identifier_of(patient, systems.UPN),
        "phone": telecom(patient, "phone"),
        "ethnicity": _ethnicity(patient),
        "practice": first(
            each.refers_to("Organization") for each in patient.many("generalPractitioner")
        ),
        "died": _died(patient),
    }


def _carer(person: Spoken) -> Fields:
    name = name_in_words(person)
    if name is None:
        raise Lacking("This person has no name.", ".name")
    ties = person.many("relationship")
    codes = {tie.code(systems.CARER_TIE) for tie in ties}
    period = person.one("period")
    person.note("active")
    return {
        **_speech(person, systems.CARER_INTERPRETER_REQUIRED),
        "address": _address(person).get("address"),
        "child": subject_of(person.one("patient")),
        "name": name,
        "relationship": _relationship(ties),
        "parental_responsibility": "parental-responsibility" in codes or None,
        "lives_with": "lives-with" in codes or None,
        "phone": telecom(person, "phone"),
        "email": telecom(person, "email"),
        "from_on": period.day("start"),
        "until_on": period.day("end"),
    }


def subject_of(reference: Spoken) -> str | None:
    """The child that something is about, by the id of their Patient."""
    found = reference.refers_to("Patient")
    if found is not None:
        reference.note("display")
    return found


def identifier_of(spoken: Spoken, system: str) -> str | None:
    """The value of the first identifier of a system that is in use."""
    for each in spoken.many("identifier"):
        if each.value.get("system") == system and each.value.get("use") != "old":
            each.note("system", "use")
            return each.text("value")
    return None


def nhs_number_of(patient: Spoken) -> tuple[str | None, bool | None]:
    """The NHS number in ten digits, and whether it was verified (None where that is not said).

    Raises `Lacking` for two different ones: somebody has to see which is whose.
    """
    found: dict[str, bool | None] = {}
    for each in patient.many("identifier"):
        number = each.value.get("value")
        if each.value.get("system") != systems.NHS_NUMBER or each.value.get("use") == "old":
            continue
        if isinstance(number, str):
            each.note("system", "use", "value")
            found[number.replace(" ", "")] = _is_verified(each)
    if len(found) > 1:
        raise Lacking("This patient has two different NHS numbers.", ".identifier")
    return next(iter(found.items()), (None, None))


def is_number_verified(patient: Spoken) -> bool:
    """Whether a patient's one NHS number is said to be theirs; two are nobody's for certain."""
    try:
        return nhs_number_of(patient)[1] is True
    except Lacking:
        return False


def _is_verified(identifier: Spoken) -> bool | None:
    for each in identifier.many("extension"):
        if _STATUS not in str(each.value.get("url")):
            continue
        each.note("url")
        for coding in each.one("valueCodeableConcept").many("coding"):
            if _STATUS in same_system(coding.value.get("system")):
                coding.note("system", "display")
                return coding.text("code") in _VERIFIED
    return None


def _names(patient: Spoken) -> Fields:
    """Official before usual (which the spine uses for the name in use) before any other."""
    names = [each for each in patient.many("name") if each.value.get("use") != "old"]
    whole = [each for each in names if each.has("family") or each.has("given")]
    by_use = {each.value.get("use"): each for each in reversed(whole)}
    main = first([by_use.get("official"), by_use.get("usual"), *whole])
    if main is None:
        main = first(each for each in names if each.has("text"))
        return {} if main is None else {"family_name": main.text("text")}
    main.note("use", "text")
    called = first(
        each
        for each in names
        if each is not main and each.value.get("use") in {"usual", "nickname"}
    )
    return {
        "given_name": " ".join(main.texts("given")) or None,
        "family_name": main.text("family"),
        "known_as": None if called is None else _called(called),
    }


def _called(name: Spoken) -> str | None:
    name.note("use")
    return name.text("text") or " ".join(name.texts("given")) or None


def name_in_words(spoken: Spoken) -> str | None:
    """An adult's name as it is said: "Dr Paul Rastall"."""
    names = [each for each in spoken.many("name") if each.value.get("use") != "old"]
    for each in names:
        parts = (*each.texts("prefix"), *each.texts("given"), each.text("family") or "")
        words = each.text("text") or " ".join(part for part in parts if part)
        if words:
            each.note("use")
            return words
    return None


def _relationship(ties: list[Spoken]) -> str | None:
    for tie in ties:
        if tie.has("text"):
            tie.note_all()
            return tie.text("text")
        if any(each.value.get("system") != systems.CARER_TIE for each in tie.many("coding")):
            return tie.words()
    return None


def telecom(spoken: Spoken, kind: str) -> str | None:
    """The first number or address of a kind that is in use."""
    for each in spoken.many("telecom"):
        if each.value.get("system") == kind and each.value.get("use") != "old":
            each.note("system", "use", "rank")
            return each.text("value")
    return None


def _address(spoken: Spoken) -> Fields:
    """Where they live: lines and town, each on one line, and the postcode."""
    living = [
        each
        for each in spoken.many("address")
        if each.value.get("use") not in {"old", "temp", "billing", "work"}
    ]
    if not living:
        return {}
    home = living[0]
    home.note("use", "type")
    town = (home.text(name) for name in ("city", "district"))
    lines = [*home.texts("line"), *(each for each in town if each)]
    written = "\n".join(lines) or home.text("text")
    if lines:
        home.note("text")
    return {"address": written, "postcode": home.text("postalCode")}


def _ethnicity(patient: Spoken) -> str | None:
    for each in patient.extensions(systems.ETHNICITY):
        concept = each.one("valueCodeableConcept")
        for coding in concept.many("coding"):
            ours = _ETHNICITIES.get(str(coding.value.get("code")))
            if ours and "EthnicCategory" in str(coding.value.get("system")):
                concept.note_all()
                return ours
    return None


def _speech(spoken: Spoken, needed_url: str) -> Fields:
    """The first language, and the one to interpret: the preferred one where that is said."""
    needed = spoken.extension(needed_url).flag("valueBoolean")
    spoken_ones = [
        (_language(each), each.flag("preferred")) for each in spoken.many("communication")
    ]
    languages = [words for words, _ in spoken_ones if words]
    if not languages:
        return {}
    preferred = first(words for words, is_preferred in spoken_ones if is_preferred) or languages[0]
    others = [words for words in languages if words != preferred]
    own = others[0] if needed and others else preferred
    return {"first_language": own, "interpreter": preferred if needed else None}


def _language(communication: Spoken) -> str | None:
    language = communication.one("language")
    words = language.words()
    tag = language.code(systems.LANGUAGE)
    if words is None and tag is not None:
        words = _TAGS.get(tag.partition("-")[0].lower(), "").capitalize() or None
    return words


def _died(patient: Spoken) -> bool | None:
    died = patient.flag("deceasedBoolean")
    return True if patient.has("deceasedDateTime") else died


READERS: Final = {
    "Patient": Reader(
        message=Child,
        read=_child,
        otherwise={"reference": "", "given_name": "", "family_name": ""},
    ),
    "RelatedPerson": Reader(
        message=Carer, read=_carer, otherwise={"child": "", "relationship": "other"}
    ),
}
