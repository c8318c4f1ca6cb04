"""What people wrote in a line of the register, put into the codes of closed lists.

Ethnicity is kept as the family describes it, and the primary need as the file or worker has it.
Neither reaches a fact: a word that is not known counts as another need, or as nothing said.
"""

import re

from panel.directory.vocabulary import NEEDS as DIRECTORY_NEEDS
from panel.insight.core.words import ETHNICITIES, NEEDS, NOT_SAID

_WARD = re.compile(r"[EWSN]\d{8}")
_OF_THE_DIRECTORY = {
    "autistic_spectrum_disorder": "asd",
    "speech_language_communication": "slcn",
    "social_emotional_mental_health": "semh",
    "physical_disability": "pd",
    "hearing_impairment": "hi",
    "visual_impairment": "vi",
    "multi_sensory_impairment": "msi",
    "specific_learning_difficulty": "spld",
    "moderate_learning_difficulty": "mld",
    "severe_learning_difficulty": "sld",
    "profound_multiple_learning_difficulty": "pmld",
    "down_syndrome": "ds",
    "global_delay": "gdd",
    "complex_medical": "medical",
    "other": "oth",
}
_NEED_BY_WORDS = {
    **{code: code for code in NEEDS},
    **{words.casefold(): code for code, words in NEEDS.items()},
    **_OF_THE_DIRECTORY,
    **{DIRECTORY_NEEDS[code].casefold(): ours for code, ours in _OF_THE_DIRECTORY.items()},
}
_GROUP_BY_WORD = {
    "asian": "asian", "indian": "asian", "pakistani": "asian", "bangladeshi": "asian",
    "chinese": "asian",
    "black": "black", "african": "black", "caribbean": "black",
    "white": "white", "english": "white", "welsh": "white", "scottish": "white", "irish": "white",
    "gypsy": "white", "traveller": "white", "roma": "white",
    "arab": "other",
}  # fmt: skip
"""Words of the 2021 census's questions, and the group that each is of."""
_NOTHING = frozenset({"", "not known", "unknown", "not stated", "not said", "refused", "z"})


def ward(code: str | None) -> str:
    """The code of a ward, as the ONS writes it; nothing for what is none."""
    return code if code is not None and _WARD.fullmatch(code) else NOT_SAID


def need(said: str | None) -> str:
    """A primary need: "oth" for words that no list has."""
    words = _plain(said)
    return NOT_SAID if words in _NOTHING else _NEED_BY_WORDS.get(words, "oth")


def ethnicity(said: str | None) -> str:
    """One of the census's five groups: "mixed" where words of two are there, or it says so."""
    words = _plain(said)
    if words in _NOTHING:
        return NOT_SAID
    if words in ETHNICITIES:
        return words
    found = {_GROUP_BY_WORD[one] for one in re.findall(r"[a-z]+", words) if one in _GROUP_BY_WORD}
    if len(found) > 1 or re.search(r"\b(mixed|multiple)\b", words):
        return "mixed"
    return next(iter(found), "other")


def _plain(said: str | None) -> str:
    return " ".join((said or "").casefold().split())
