"""Message, resource, message: what was written is read back, and only what was spoken of counts."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from interop import messages as said
from interop.incoming import Piece, read
from interop.incoming.taking_apart import OUR_FAULT
from interop.outgoing import WRITERS, stamped
from interop.outgoing.elements import lines, text
from tests.interop.any_message import any_of
from tests.interop.examples import FULL

KEPT_ONLY = frozenset({"AuditEvent", "Group", "Provenance"})
UNSPOKEN: Final[Mapping[str, frozenset[str]]] = {
    "Practitioner": frozenset({"agency", "job_title", "from_on", "until_on"}),
    "Questionnaire": frozenset({"sections"}),
    "QuestionnaireResponse": frozenset({"form", "sections"}),
    "Appointment": frozenset({"discussed_at"}),
    "Encounter": frozenset({"minutes", "starts_at"}),
}
"""Fields that a type does not carry, or not whole: some kinds of question are one type in R4."""


def _read_back(kind: str, message: said.Message) -> Piece:
    return read(stamped(WRITERS[kind].write(message)).body).pieces[0]


def _of_full(kind: str) -> said.Message:
    return next(one for one in FULL if type(one) is WRITERS[kind].message)


@pytest.mark.parametrize("kind", sorted(WRITERS.keys() - KEPT_ONLY))
def test_what_says_all_is_read_back_whole(kind: str) -> None:
    message = _of_full(kind)
    piece = _read_back(kind, message)
    assert piece.problems == piece.remarks == ()
    assert piece.kept == ()
    assert piece.message is not None
    unspoken = UNSPOKEN.get(kind, frozenset())
    for field in message.__struct_fields__:
        if field not in unspoken:
            assert getattr(piece.message, field) == getattr(message, field), field
            assert field in piece.present or getattr(message, field) is None, field


@pytest.mark.parametrize("kind", sorted(KEPT_ONLY))
def test_what_happened_elsewhere_is_kept(kind: str) -> None:
    piece = _read_back(kind, _of_full(kind))
    assert (piece.problems, piece.message) == ((), None)
    assert piece.set_aside == "Panel has no place for this type."


def test_the_two_halves_of_a_worker_make_one() -> None:
    worker = _of_full("Practitioner")
    person, post = (_read_back(kind, worker) for kind in ("Practitioner", "PractitionerRole"))
    assert person.present | post.present >= set(worker.__struct_fields__) - {"changed_at"}
    assert post.message == worker


def test_a_form_s_questions_are_read_back_in_r4_s_types() -> None:
    form = _of_full("Questionnaire")
    assert isinstance(form, said.Form)
    piece = _read_back("Questionnaire", form)
    assert isinstance(piece.message, said.Form)
    assert [(s.key, s.title, s.category) for s in piece.message.sections] == [
        (s.key, s.title, s.category) for s in form.sections
    ]
    asked = [q for s in form.sections for q in s.questions]
    read_back = [q for s in piece.message.sections for q in s.questions]
    assert [(q.key, q.label, q.choices) for q in read_back] == [
        (q.key, q.label, q.choices) for q in asked
    ]
    assert [[c.key for c in q.columns] for q in read_back] == [
        [c.key for c in q.columns] for q in asked
    ]


def test_answers_are_read_back_with_their_words() -> None:
    answers = _of_full("QuestionnaireResponse")
    assert isinstance(answers, said.FormAnswers)
    piece = _read_back("QuestionnaireResponse", answers)
    assert isinstance(piece.message, said.FormAnswers)
    given_then = [(g.key, g.label, g.cell, g.rows) for s in answers.sections for g in s.answers]
    read_back = [
        (g.key, g.label, g.cell, g.rows) for s in piece.message.sections for g in s.answers
    ]
    assert read_back == given_then


ANY = settings(
    max_examples=300 if "PANEL_SOAK" in os.environ else 8,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
READ_OTHERWISE: Final = frozenset(
    {
        # Told by a code: words that mean the same come back as Panel's code; no code is not told.
        ("Patient", "ethnicity"),
        ("Consent", "purposes"),
        ("Consent", "categories"),
        ("DocumentReference", "categories"),
        ("ServiceRequest", "category"),
        # Who needs an interpreter for a language is taken to speak it where no other is named.
        ("Patient", "first_language"),
        ("RelatedPerson", "first_language"),
        # One day or moment stands for two where Panel never leaves out the second.
        ("QuestionnaireResponse", "signed_off_on"),
        ("Encounter", "discussed_at"),
        # A state that there is not.
        ("ServiceRequest", "state"),
    }
)


@pytest.mark.parametrize("kind", sorted(WRITERS.keys() - KEPT_ONLY))
def test_whatever_is_written_is_read_as_what_it_is(kind: str) -> None:
    @ANY
    @given(any_of(WRITERS[kind].message))
    def there_and_back(message: said.Message) -> None:
        piece = _read_back(kind, message)
        assert OUR_FAULT not in {problem.reason for problem in piece.problems}
        if piece.message is None:
            assert piece.problems or piece.set_aside
            return
        if _contradicts_itself(message):
            return
        skipped = UNSPOKEN.get(kind, frozenset()) | _empty(kind, message)
        for field in piece.present - skipped:
            if (kind, field) not in READ_OTHERWISE:
                found, meant = getattr(piece.message, field), getattr(message, field)
                assert _as_told(field, found) == _as_told(field, meant), field
        again = _read_back(kind, piece.message)
        for field in piece.present & again.present - skipped:
            assert getattr(again.message, field) == getattr(piece.message, field), field

    there_and_back()


NEVER_EMPTY: Final = frozenset(
    {
        ("Condition", "words"),
        ("Flag", "words"),
        ("Patient", "family_name"),
        ("Patient", "known_as"),
        ("ServiceRequest", "need"),
    }
)
"""Where such a one is empty, what stands beside it is told in its place."""


def _empty(kind: str, message: said.Message) -> frozenset[str]:
    return frozenset(
        field
        for of, field in NEVER_EMPTY
        if of == kind and not _plain(getattr(message, "family_name", getattr(message, field)))
    )


def _contradicts_itself(message: said.Message) -> bool:
    """Ends before it starts, has a code without words, or agrees to nothing in particular.

    What agrees to nothing and refuses something is read as the refusal: the safe way round.
    """
    for one in (message, *getattr(message, "members", ())):
        first = getattr(one, "from_on", None) or getattr(one, "started_on", None)
        last = getattr(one, "until_on", None) or getattr(one, "ended_on", None)
        if first and last and last < first:
            return True
    if isinstance(message, said.Need) and message.snomed and not text(message.snomed.words):
        return True
    if not isinstance(message, said.Agreement):
        return False
    return message.given and not message.agencies


def _as_told(field: str, value: Any) -> Any:
    return lines(value) if field == "address" else _plain(value)


def _plain(value: Any) -> Any:
    """A value as FHIR can hold it: texts without what is no character, moments in UTC."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, tuple):
        return tuple(_plain(each) for each in value)
    if isinstance(value, msgspec.Struct):
        return type(value)(**{f: _plain(getattr(value, f)) for f in value.__struct_fields__})
    return value
