"""The directory's words: codes that are stored, and what people read for them.

Four of them go out and come in as taxonomies of Open Referral (open_referral.py), under ids that
are made from the code and so are the same in every authority.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID, uuid5

NEEDS: Mapping[str, str] = {
    "autistic_spectrum_disorder": "Autism",
    "speech_language_communication": "Speech, language and communication",
    "social_emotional_mental_health": "Social, emotional and mental health",
    "physical_disability": "Physical disability",
    "hearing_impairment": "Hearing impairment",
    "visual_impairment": "Visual impairment",
    "multi_sensory_impairment": "Multi-sensory impairment",
    "specific_learning_difficulty": "Specific learning difficulty",
    "moderate_learning_difficulty": "Moderate learning difficulty",
    "severe_learning_difficulty": "Severe learning difficulty",
    "profound_multiple_learning_difficulty": "Profound and multiple learning difficulty",
    "down_syndrome": "Down syndrome",
    "global_delay": "Global developmental delay",
    "complex_medical": "Complex medical needs",
    "other": "Another difficulty or disability",
}
"""SEN primary need types, as the school census counts them, with two that early years use."""

KINDS: Mapping[str, str] = {
    "short_break": "Short break",
    "childcare": "Childcare",
    "play_and_leisure": "Play and leisure",
    "therapy": "Therapy",
    "health": "Health",
    "education": "Education",
    "family_support": "Family support",
    "information": "Information and advice",
    "equipment": "Equipment",
    "transport": "Transport",
    "other": "Another kind",
}

BREAKS: Mapping[str, str] = {
    "daytime": "Day-time care at home or elsewhere",
    "overnight": "Overnight care at home or elsewhere",
    "activities": "Educational or leisure activities outside the home",
    "evenings_weekends_holidays": "Help in the evenings, at weekends and in the school holidays",
}
"""The range that an authority must provide (SI 2011/707, regulation 4(2))."""

ACCESS: Mapping[str, str] = {
    "step_free": "Step-free",
    "changing_places": "Changing Places toilet",
    "hoist": "Hoist",
    "hearing_loop": "Hearing loop",
    "sign_language": "British Sign Language",
    "quiet_space": "Quiet space",
    "comes_to_you": "Comes to your home",
    "online": "Online",
}

LANGUAGES: Mapping[str, str] = {
    "en": "English",
    "ar": "Arabic",
    "bn": "Bengali",
    "fa": "Farsi",
    "fr": "French",
    "gu": "Gujarati",
    "pa": "Panjabi",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "so": "Somali",
    "es": "Spanish",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "ur": "Urdu",
    "cy": "Welsh",
}
"""By their ISO 639-1 code."""

UNITS: Mapping[str, str] = {
    "hour": "an hour",
    "session": "a session",
    "night": "a night",
    "week": "a week",
}


class Status(StrEnum):
    """Whether a service takes anybody."""

    ACTIVE = "active"
    CLOSED_FOR_NOW = "closed_for_now"
    ENDED = "ended"


STATUS_WORDS: Mapping[Status, str] = {
    Status.ACTIVE: "Open",
    Status.CLOSED_FOR_NOW: "Closed for now",
    Status.ENDED: "Ended",
}


class Route(StrEnum):
    """How somebody comes to a service."""

    SELF = "self"
    WORKER = "worker"
    PANEL = "panel"


ROUTE_WORDS: Mapping[Route, str] = {
    Route.SELF: "Families ask themselves",
    Route.WORKER: "A worker refers",
    Route.PANEL: "The allocation panel decides",
}

EVERYWHERE = "*"
"""Stands among a service's areas where it serves the whole authority."""

_SPACE = UUID("0b1f6a0e-5d0f-5c7e-9c39-6a3f1c3f4f10")


def made_id(*parts: str) -> UUID:
    """An id that is made from words: the same wherever the same words are."""
    return uuid5(_SPACE, ":".join(parts))


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """One of the vocabularies as Open Referral knows it."""

    key: str
    name: str
    description: str
    words: Mapping[str, str]

    @property
    def id(self) -> UUID:
        """Its id."""
        return made_id(self.key)

    def term_id(self, code: str) -> UUID:
        """The id of one of its terms."""
        return made_id(self.key, code)


TAXONOMIES: tuple[Taxonomy, ...] = (
    Taxonomy("need", "Needs", "Types of special educational need or disability.", NEEDS),
    Taxonomy("kind", "Kinds of service", "What kind of service it is.", KINDS),
    Taxonomy("break", "Short breaks", "The range of short breaks in SI 2011/707.", BREAKS),
    Taxonomy("access", "Accessibility", "What makes a service fit for a person.", ACCESS),
)
TERMS: Mapping[UUID, tuple[Taxonomy, str]] = {
    one.term_id(code): (one, code) for one in TAXONOMIES for code in one.words
}
"""Every term by its id."""
