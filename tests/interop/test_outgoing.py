"""Every message goes out as a resource that two validators find right, and loses nothing visible."""

import unicodedata
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fhir.resources.R4B import get_fhir_model_class
from fhir_core.fhirabstractmodel import FHIRAbstractModel
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interop import messages as said
from interop.outgoing import WRITERS, Json, document, encode, stamped
from interop.outgoing.elements import text
from interop.served import SERVED
from tests.interop import validator
from tests.interop.any_message import A_TEXT, any_of
from tests.interop.examples import FULL, LEAST, WORKER, of

ANY = settings(
    max_examples=12,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


class Tags(HTMLParser):
    """Which tags there are, and which of them were not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag begins; only the outermost says anything more, its namespace."""
        assert attrs == ([] if self.open else [("xmlns", "http://www.w3.org/1999/xhtml")])
        self.seen.add(tag)
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag without content."""
        assert attrs == []
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        """A tag ends: the one that began last."""
        assert self.open.pop() == tag


@dataclass(frozen=True)
class Made:
    """A message and what was written of it."""

    kind: str
    message: said.Message
    resource: Json


def _written(among: tuple[said.Message, ...]) -> list[Made]:
    return [
        Made(kind, message, writer.write(message))
        for kind, writer in WRITERS.items()
        for message in among
        if type(message) is writer.message
    ]


@pytest.fixture(scope="module")
def made() -> list[Made]:
    """Every type of which all is said, and the least, and a dozen of any."""
    found = _written(FULL) + _written(LEAST)
    for kind in WRITERS:
        found += _of_any(kind)
    return found


def _of_any(kind: str) -> list[Made]:
    found: list[Made] = []
    writer = WRITERS[kind]

    @ANY
    @given(any_of(writer.message))
    def write(message: said.Message) -> None:
        found.append(Made(kind, message, writer.write(message)))

    write()
    return found


def test_every_message_has_an_example_and_a_writer() -> None:
    kinds = {
        each
        for each in vars(said).values()
        if isinstance(each, type)
        and issubclass(each, said.Message)
        and each not in {said.Message, said.OfChild}
    }
    assert {writer.message for writer in WRITERS.values()} == kinds
    assert {type(each) for each in FULL} == {type(each) for each in LEAST} == kinds


def test_each_type_that_is_served_is_written_in_its_profile(made: list[Made]) -> None:
    assert set(SERVED) == set(WRITERS)
    for each in made:
        profile = SERVED[each.kind].profile
        assert _in(each.resource, "meta").get("profile", [None]) == [profile]


def test_all_parse_as_r4b_and_are_the_message_s(made: list[Made]) -> None:
    for each in made:
        parsed = get_fhir_model_class(each.kind).model_validate_json(encode(each.resource))
        assert parsed.get_resource_type() == each.kind
        assert each.resource["id"] == each.message.id


def test_the_second_validator_finds_nothing_wrong_but_what_is(
    made: list[Made], tmp_path: Path
) -> None:
    wrong = _one("Patient", id="wrong") | {"gender": "girl"}
    bodies = [stamped(each.resource).body for each in made] + [encode(wrong)]
    bodies += [encode(_document()), *(encode(one) for one in _any_documents())]
    found = validator.problems(validator.lay_out(tmp_path), bodies)
    for problems in found.values():
        assert {each.split("\t")[0] for each in problems} == {"Patient/wrong"}


def test_every_reference_is_to_a_type_that_may_stand_there(made: list[Made]) -> None:
    for each in made:
        model = get_fhir_model_class(each.kind)
        assert not list(_misplaced(model.model_validate_json(encode(each.resource)))), each


def test_a_reference_to_another_type_is_seen() -> None:
    who = {"actor": {"reference": "Organization/x"}, "status": "accepted"}
    appointment = _one("Appointment") | {"participant": [who]}
    model = get_fhir_model_class("Appointment").model_validate(appointment)
    assert list(_misplaced(model)) == ["AppointmentParticipant.actor: Organization/x"]


def _misplaced(model: FHIRAbstractModel) -> Iterator[str]:
    """References below this that are to none of the types that R4 lets stand there."""
    for name, field in type(model).model_fields.items():
        value = getattr(model, name, None)
        several = value if isinstance(value, list) else [value]
        extra = field.json_schema_extra
        allowed = extra.get("enum_reference_types") if isinstance(extra, dict) else None
        for one in several:
            if isinstance(one, FHIRAbstractModel):
                yield from _misplaced(one)
            to = getattr(one, "reference", None)
            if not isinstance(to, str) or not isinstance(allowed, list) or "Resource" in allowed:
                continue
            if to.split("/")[0] not in allowed:
                yield f"{type(model).__name__}.{name}: {to}"


def test_what_is_absent_is_left_out(made: list[Made]) -> None:
    for each in made:
        for value in _values(each.resource):
            assert value is not None
            assert value not in ("", [], {}), (each.kind, each.resource)


def test_a_narrative_is_xhtml_without_anything_active(made: list[Made]) -> None:
    for each in made:
        told = each.resource.get("text")
        if isinstance(told, dict):
            assert told["status"] == "generated"
            inside = Tags()
            inside.feed(told["div"])
            assert inside.seen <= {"div", "p", "b", "br"}
            assert inside.open == []


def test_labels_say_how_confidential_it_is_and_that_parts_are_withheld(made: list[Made]) -> None:
    for each in made:
        meta: Any = each.resource["meta"]
        expected = {"R" if each.message.restricted else "N"}
        if each.message.parts_withheld:
            expected.add("REDACTED")
        assert {label["code"] for label in meta["security"]} == expected
        assert ("lastUpdated" in meta) == (each.message.changed_at is not None)


# Texts --------------------------------------------------------------------------------------------


def _visible(value: str) -> list[str]:
    return [
        each
        for each in value
        if not each.isspace() and unicodedata.category(each) not in {"Cc", "Cf", "Cn", "Cs"}
    ]


@given(A_TEXT)
def test_a_text_loses_nothing_that_can_be_seen(value: str) -> None:
    told = text(value) or ""
    assert _visible(told) == _visible(value)
    assert not any(unicodedata.category(each) == "Cc" and each not in "\t\r\n" for each in told)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("first\x0bsecond\x0cthird", "first\nsecond\nthird"),
        ("a\x00b\x1b[0m", "ab[0m"),
        ("half \ud83e of one", "half \ufffd of one"),
        (" \t\n", None),
        ("\ufeff", None),
        ("non\u00a0breaking", "non\u00a0breaking"),
        (None, None),
    ],
)
def test_controls_become_line_ends_or_go(value: str | None, told: str | None) -> None:
    assert text(value) == told


# Versions -----------------------------------------------------------------------------------------


def test_a_version_is_that_of_what_is_shown() -> None:
    child = WRITERS["Patient"].write(of(said.Child))
    once, again = stamped(child), stamped(dict(reversed(child.items())))
    assert once.version == again.version
    assert len(once.version) == 32
    body = msgspec.json.decode(once.body)
    assert body["meta"]["versionId"] == once.version
    assert stamped(body).version == once.version
    assert stamped(child | {"gender": "male"}).version != once.version


def test_a_decimal_keeps_its_digits() -> None:
    assert b'"quantityQuantity":{"value":1.10,' in encode(_one("ServiceRequest"))


# Each type ----------------------------------------------------------------------------------------


def _one(kind: str, **changed: object) -> Json:
    """The full example, changed, as it is written."""
    writer = WRITERS[kind]
    return writer.write(msgspec.structs.replace(of(writer.message), **changed))


def _in(resource: Json, *path: str | int) -> Any:
    found: Any = resource
    for step in path:
        found = found[step]
    return found


def _values(value: object) -> list[object]:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value] + [deeper for each in inside for deeper in _values(each)]


@pytest.mark.parametrize(("verified", "code"), [(True, "01"), (False, "02")])
def test_only_a_verified_number_is_said_to_be(*, verified: bool, code: str) -> None:
    number = _in(_one("Patient", nhs_number_verified=verified), "identifier", 0)
    assert number["system"] == "https://fhir.nhs.uk/Id/nhs-number"
    assert _in(number, "extension", 0, "valueCodeableConcept", "coding", 0, "code") == code


def test_an_ethnicity_without_an_exact_counterpart_is_left_out() -> None:
    ethnic = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-EthnicCategory"
    assert ethnic in str(_one("Patient", ethnicity="white_british"))
    for vague in ("mixed", "any", "", None):
        assert ethnic not in str(_one("Patient", ethnicity=vague))


def test_the_interpreter_s_language_is_the_preferred_one() -> None:
    child = _one("Patient")
    assert [
        (_in(each, "language", "coding", 0, "code"), each.get("preferred"))
        for each in _in(child, "communication")
    ] == [("pl", None), ("bfi", True)]
    assert {
        "url": "http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired",
        "valueBoolean": True,
    } in _in(child, "extension")


def test_a_language_without_a_tag_is_told_in_words() -> None:
    language = _in(_one("Patient", first_language="Elvish", interpreter=None), "communication", 0)
    assert _in(language, "language", "text") == "Elvish"
    assert _in(language, "language", "coding", 0, "code") == "und"


def test_a_period_that_ends_before_it_starts_is_not_one_without_an_end() -> None:
    worker = of(said.Worker)
    turned = _one("PractitionerRole", from_on=worker.until_on, until_on=worker.from_on)
    assert turned["period"] == {"end": "2026-11-23"}


def test_a_moment_is_told_in_utc() -> None:
    assert _in(_one("Appointment"), "start") == "2026-11-23T09:30:00.123000Z"


def test_consent_permits_in_nested_provisions_alone() -> None:
    root = _in(_one("Consent"), "provision")
    assert "type" not in root
    assert [each["type"] for each in root["provision"]] == ["permit", "deny"]
    for rule in root["provision"]:
        for actor in rule["actor"]:
            assert _in(actor, "role", "coding", 0, "code") == "IRCP"
            assert actor["reference"]["reference"].startswith("Organization/")


def test_an_agreement_that_names_nobody_permits_nobody() -> None:
    root = _in(_one("Consent", agencies=(), not_agencies=()), "provision")
    assert "provision" not in root


def test_a_refusal_towards_nobody_in_particular_is_towards_everybody() -> None:
    refused = _one("Consent", given=False, agencies=(), not_agencies=(), categories=(), purposes=())
    assert _in(refused, "provision", "provision") == [{"type": "deny"}]


def test_a_care_team_s_period_is_around_its_parts() -> None:
    assert _one("CareTeam")["period"] == {"start": "2026-11-23", "end": "2027-05-01"}
    team = of(said.Team)
    still_there = msgspec.structs.replace(team.members[1], until_on=None)
    open_ended = _one("CareTeam", members=(team.members[0], still_there))
    assert open_ended["period"] == {"start": "2026-11-23"}


def test_a_document_s_attachment_is_the_text_to_the_byte() -> None:
    note = of(said.Note)
    attachment = _in(_one("DocumentReference"), "content", 0, "attachment")
    inside = b64decode(attachment["data"])
    assert inside.decode() == note.text
    assert attachment["size"] == len(inside)


def test_a_diagnosis_has_only_the_snomed_code_that_it_came_with() -> None:
    assert "snomed" not in str(_one("Condition", snomed=None))
    codes = _in(_one("Condition"), "code", "coding")
    assert [each["code"] for each in codes] == ["35919005", "asd"]


def test_answers_are_in_the_types_of_their_questions() -> None:
    items = {each["linkId"]: each for each in _in(_one("QuestionnaireResponse"), "item", 0, "item")}
    assert items["child.born"]["answer"] == [{"valueDate": "2021-03-09"}]
    assert items["child.agrees"]["answer"] == [{"valueBoolean": False}]
    assert _in(items["child.sex"], "answer", 0, "valueCoding", "display") == "Female"
    who = next(each for each in items["child.speech"]["item"] if each["linkId"].endswith(".who"))
    assert [each["valueCoding"]["code"] for each in who["answer"]] == ["child", "parent"]


# A document ---------------------------------------------------------------------------------------


AUTHOR = of(said.Worker)


def _document(worker: said.Worker | None = AUTHOR, **changed: object) -> Json:
    answers = msgspec.structs.replace(of(said.FormAnswers), **changed)
    return document(answers, of(said.Child), worker, of(said.Agency), of(said.Form))


def _any_documents() -> list[Json]:
    """Documents of any answers, by a worker and by an agency alone."""
    found = []

    @settings(ANY, max_examples=4)
    @given(any_of(said.FormAnswers), st.sampled_from([AUTHOR, None]))
    def write(answers: said.Message, worker: said.Worker | None) -> None:
        told = {name: getattr(answers, name) for name in ("id", "title", "sections", "changed_at")}
        found.append(_document(worker, **told))

    write()
    return found


@pytest.mark.parametrize("other", [{"child": WORKER}, {"form": WORKER}, {"form_number": 1}])
def test_another_child_s_answers_or_another_form_s_are_no_document(other: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="another"):
        _document(**other)


def test_a_document_stands_alone() -> None:
    whole = _document()
    get_fhir_model_class("Bundle").model_validate_json(encode(whole))
    entries = _in(whole, "entry")
    addresses = [each["fullUrl"] for each in entries]
    assert entries[0]["resource"]["resourceType"] == "Composition"
    assert len(set(addresses)) == len(addresses) == 6
    told = [each for each in _values(whole) if isinstance(each, dict) and "reference" in each]
    assert {each["reference"] for each in told} <= set(addresses)
    practice = _in(entries[2], "resource", "generalPractitioner", 0)
    assert practice["type"] == "Organization"
    assert "reference" not in practice


def test_the_same_form_is_the_same_document() -> None:
    assert _document() == _document()
    assert _document()["identifier"] != _document(sections=())["identifier"]


def test_a_form_that_is_not_signed_off_is_no_document() -> None:
    with pytest.raises(ValueError, match="not signed off"):
        _document(signed_off=False)
