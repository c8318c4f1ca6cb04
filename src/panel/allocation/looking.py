"""What is looked for in the directory for a child: only what the viewer may see of the record."""

from collections.abc import Sequence
from dataclasses import dataclass

from consent import Category
from panel.allocation.request_service import may_read, requests_of
from panel.allocation.rules import NEED_WORDS, NeedCode, RequestState
from panel.directory.matching import Wanted
from panel.directory.pages import wanted_facts
from panel.directory.vocabulary import ACCESS, LANGUAGES, NEEDS
from panel.records.dates import age_in_years
from panel.records.gate import Access
from panel.register.models import Area, Child

NEED_OF_CODE = {
    NeedCode.SPLD: "specific_learning_difficulty",
    NeedCode.MLD: "moderate_learning_difficulty",
    NeedCode.SLD: "severe_learning_difficulty",
    NeedCode.PMLD: "profound_multiple_learning_difficulty",
    NeedCode.SEMH: "social_emotional_mental_health",
    NeedCode.SLCN: "speech_language_communication",
    NeedCode.HI: "hearing_impairment",
    NeedCode.VI: "visual_impairment",
    NeedCode.MSI: "multi_sensory_impairment",
    NeedCode.PD: "physical_disability",
    NeedCode.ASD: "autistic_spectrum_disorder",
    NeedCode.DS: "down_syndrome",
    NeedCode.OTH: "other",
}
"""A request's type of need as the directory calls it."""
_NEED_BY_WORDS = (
    {words.casefold(): code for code, words in NEEDS.items()}
    | {code: code for code in NEEDS}
    | {NEED_WORDS[code].casefold(): need for code, need in NEED_OF_CODE.items()}
    | {code.value: need for code, need in NEED_OF_CODE.items()}
)
_LANGUAGE_BY_WORDS = {words.casefold(): code for code, words in LANGUAGES.items()} | {
    "punjabi": "pa",
    "persian": "fa",
}
SPOKEN_ANYWAY = "en"
_SIGNS = ("bsl", "sign language", "signer")
_ACCESS_BY_WORD = {"wheelchair": "step_free", "hoist": "hoist"}
"""Words of what is written about a disability that name what a place must have."""
_USED_FOR = {
    Category.IDENTITY: "age",
    Category.HEALTH: "main need, and without what helps to take part",
    Category.CONTACT: "ward",
    Category.FAMILY: "language",
}


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody asks for instead of what the record says; None where they leave it."""

    needs: tuple[str, ...] | None = None
    language: str | None = None
    access: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class LookedFor:
    """What is looked for, how it is told, and what of the record was not used."""

    wanted: Wanted
    facts: Sequence[tuple[str, str]]
    withheld: Sequence[str]
    """What the viewer may not see, why, and what that leaves out."""
    unknown: str
    """Why the main need on the record is not looked for, or empty."""

    @property
    def language(self) -> str:
        """The language to be spoken, or empty."""
        return next(iter(self.wanted.languages), "")


async def looked_for(access: Access, said: Said) -> LookedFor:
    """What fits is asked for these; what is withheld is neither used nor told."""
    child = await access.session.get_one(Child, access.child_id)
    age = ward = None
    if access.may(Category.IDENTITY) and child.birth_date and child.birth_date <= access.today:
        age = age_in_years(child.birth_date, access.today)
    if access.may(Category.CONTACT) and child.ward_code:
        ward = await access.session.get(Area, child.ward_code)
    needs, unknown = said.needs, ""
    if needs is None:
        needs, unknown = await _needs(access, child)
    language = said.language
    if language is None:
        known = _LANGUAGE_BY_WORDS.get((child.first_language or "").strip().casefold(), "")
        language = known if access.may(Category.FAMILY) and known != SPOKEN_ANYWAY else ""
    takes_part = _takes_part(access, child) if said.access is None else said.access
    wanted = Wanted(
        age=age,
        needs=needs,
        ward=None if ward is None else ward.id,
        languages=(language,) if language in LANGUAGES else (),
        access=takes_part,
    )
    left_out = tuple(
        f"{withheld} What fits is shown without the {_USED_FOR[withheld.category]}."
        for withheld in access.withheld_of(_USED_FOR)
    )
    if unknown:
        unknown = f"The main need on the record, “{unknown}”, is no need of the directory."
    known_wards = {} if ward is None else {ward.id: ward.name}
    return LookedFor(wanted, wanted_facts(wanted, known_wards), left_out, unknown)


async def _needs(access: Access, child: Child) -> tuple[tuple[str, ...], str]:
    """The needs of the requests that still stand and of the record; and what is none here."""
    found = [
        NEED_OF_CODE[NeedCode(one.need_code)]
        for one in await requests_of(access)
        if one.state != RequestState.WITHDRAWN and one.need_code and may_read(access, one)
    ]
    unknown = ""
    if access.may(Category.HEALTH) and child.primary_need:
        known = _NEED_BY_WORDS.get(child.primary_need.strip().casefold())
        unknown = "" if known else child.primary_need
        found += [known] if known else []
    return tuple(dict.fromkeys(found)), unknown


def _takes_part(access: Access, child: Child) -> tuple[str, ...]:
    found = set()
    if access.may(Category.FAMILY):
        spoken = f"{child.first_language or ''} {child.interpreter or ''}".casefold()
        found |= {"sign_language"} if any(one in spoken for one in _SIGNS) else set()
    if access.may(Category.HEALTH):
        written = (child.disability or "").casefold()
        found |= {code for word, code in _ACCESS_BY_WORD.items() if word in written}
    return tuple(one for one in ACCESS if one in found)
