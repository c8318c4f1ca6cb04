"""What comes in is taken apart, checked and read: each rule by the smallest body that shows it."""

import json
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from interop import messages as said
from interop.incoming import Limits, Piece, Received, read

NUMBER = "9434765919"
CHILD: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p",
    "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": NUMBER}],
    "name": [{"use": "official", "family": "Kestrel", "given": ["Ana", "Maria"]}],
}
STATUS = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"
ORGANISATION = {"resourceType": "Organization", "id": "o", "name": "Trust"}


def _read(value: object) -> Received:
    return read(json.dumps(value).encode())


def _one(value: object) -> Piece:
    (piece,) = _read(value).pieces
    return piece


def _with(**elements: Any) -> dict[str, Any]:
    return CHILD | elements


def _bundle(*resources: object, kind: str = "collection") -> dict[str, Any]:
    entries = [
        {"fullUrl": f"urn:uuid:{number}", "resource": one} for number, one in enumerate(resources)
    ]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


# The body -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'<?xml version="1.0"?><Patient xmlns="http://hl7.org/fhir"/>', "This is XML."),
        (b"\xef\xbb\xbf\n <Patient/>", "This is XML."),
        (b"\xff\xfe{}", "This is not UTF-8 text."),
        (b"[]", "This is not a JSON object."),
        (b"", "This is not a JSON object."),
        (b'{"resourceType":"Patient",}', "This is not well-formed JSON."),
        (b'{"resourceType":"Patient","id":"\\ud800"}', "This is not well-formed JSON."),
        (b'{"a":' * 80 + b"1" + b"}" * 80, "This is nested more than 64 levels deep."),
        (b'{"resourceType":"Bundle","entry":{}}', "The entries of this Bundle are not a list."),
        (b'{"resourceType":"Bundle","entry":[],"entry":[]}', "A name stands twice"),
    ],
)
def test_a_body_that_cannot_be_taken_apart_says_why(body: bytes, reason: str) -> None:
    received = read(body)
    assert received.kind == "broken"
    assert received.broken is not None
    assert received.broken.reason.startswith(reason)


def test_limits_hold() -> None:
    body = json.dumps(_bundle(ORGANISATION, ORGANISATION, CHILD)).encode()
    for limits in (Limits(size=100), Limits(depth=2), Limits(entries=2)):
        assert read(body, limits).broken is not None
    assert read(body, Limits(entries=3)).broken is None


def test_brackets_within_texts_are_not_depth() -> None:
    assert _one(_with(name=[{"family": '["{' * 200}])).problems == ()


@pytest.mark.parametrize(
    "spoilt",
    [
        b'{"resourceType":"Patient","id":"1","id":"2"}',
        b'{"resourceType":"Patient","\\u0069d":"1","id":"2"}',
        b'{"resourceType":"Patient","multipleBirthInteger":' + b"1" * 5000 + b"}",
        b'{"resourceType":"Patient","name":[{"family":"\\u0000"}]}',
        b'"text"',
        b'{"id":"1"}',
        b'{"resourceType":"Child"}',
        b'{"resourceType":"SubscriptionTopic"}',
        b'{"resourceType":["Patient"]}',
    ],
)
def test_one_spoilt_entry_spoils_no_other(spoilt: bytes) -> None:
    sound = json.dumps(ORGANISATION).encode()
    body = (
        b'{"resourceType":"Bundle","type":"batch","entry":[{"resource":%s}, {"resource" : %s}]}'
        % (
            spoilt,
            sound,
        )
    )
    bad, good = read(body).pieces
    assert bytes(bad.raw) == spoilt
    assert bytes(good.raw) == sound
    assert bad.problems
    assert bad.problems[0].path.startswith("Bundle.entry[0].resource")
    assert isinstance(good.message, said.Agency)


def test_the_bytes_of_each_piece_are_those_received() -> None:
    patient = b'{ "resourceType":"Patient" ,\n "name":[{"family":"\\u004bestrel"}],"x":1.10e+2 }'
    body = b'{"resourceType":"Bundle","type":"collection","entry":[{"resource":' + patient + b"}]}"
    (piece,) = read(body).pieces
    assert bytes(piece.raw) == patient
    assert bytes(_one(CHILD).raw) == json.dumps(CHILD).encode()


def test_entries_say_what_they_ask_for() -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "resource": CHILD,
                "request": {"method": "PUT", "url": "Patient/p", "ifMatch": 'W/"1"'},
            },
            {"request": {"method": "DELETE", "url": "Patient/q"}},
            {"resource": ORGANISATION},
        ],
    }
    received = _read(bundle)
    put, delete, silent = received.pieces
    assert put.request is not None
    assert (put.request.method, put.request.if_match) == ("PUT", 'W/"1"')
    assert delete.set_aside == "This entry holds no resource."
    assert delete.request is not None
    assert silent.request is None
    assert [problem.path for problem in received.remarks] == ["Bundle.entry[2].request"]


def test_types_of_r4_that_nothing_here_validates_are_kept() -> None:
    piece = _one({"resourceType": "SubstancePolymer", "id": "s"})
    assert (piece.type, piece.problems, piece.id) == ("SubstancePolymer", (), "s")
    assert piece.set_aside


# What fhir.resources lets through -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource", "path"),
    [
        (_with(gender="boy"), "Patient.gender"),
        (_with(active="true"), "Patient.active"),
        (_with(birthDate="2021-02-30"), "Patient.birthDate"),
        (_with(birthDate="2021-3-9"), "Patient.birthDate"),
        (_with(birthDate=20210309), "Patient.birthDate"),
        (_with(multipleBirthInteger="2"), "Patient.multipleBirthInteger"),
        (_with(contact=[{"relationship": [{"text": "aunt"}]}]), "Patient.contact[0]"),
        (_with(address=[{"use": "castle"}]), "Patient.address[0].use"),
        (_with(name={"family": "Kestrel"}), "Patient.name"),
        (_with(managingOrganization={"reference": "Patient/q"}), "Patient.managingOrganization"),
        (
            _with(
                managingOrganization={"reference": "https://x.example/fhir/Patient/q/_history/2"}
            ),
            "Patient.managingOrganization",
        ),
        (_with(managingOrganization={"reference": "#o"}), "Patient.managingOrganization.reference"),
        (_with(contained=[{"id": "o"}]), "Patient.contained[0]"),
        (_with(nickname="Annie"), "Patient.nickname"),
        (_with(photo=[{"contentType": "image/png", "data": "é%"}]), "Patient.photo[0].data"),
        (_with(_name=[{}]), "Patient._name"),
        (_with(extension=[{"url": "urn:x"}]), "Patient.extension[0]"),
        (
            _with(
                identifier=[{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9434765918"}]
            ),
            "Patient.identifier[0].value",
        ),
        (
            _with(identifier=[{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "0" * 10}]),
            "Patient.identifier[0].value",
        ),
        (
            _with(address=[{"period": {"start": "2021-05-02", "end": "2021-05-01T10:00:00Z"}}]),
            "Patient.address[0].period",
        ),
        (
            {
                "resourceType": "Condition",
                "subject": {"reference": "Patient/p"},
                "code": {"text": "x"},
                "clinicalStatus": {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
                            "code": "going",
                        }
                    ]
                },
            },
            "Condition.clinicalStatus",
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_place(resource: dict[str, Any], path: str) -> None:
    piece = _one(resource)
    assert piece.message is None
    assert path in {problem.path for problem in piece.problems}


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        "<SCRIPT src='x'/>",
        '<p onclick="x()">a</p>',
        "<p ONMOUSEOVER=x>a</p>",
        '<a href="java&#x0A;script:x">a</a>',
        '<a href=" &#106;avascript:x">a</a>',
        '<img src="https://elsewhere.example/i.png"/>',
        '<p style="background: url(https://elsewhere.example)">a</p>',
        "<iframe></iframe>",
        "<svg:svg><svg:script/></svg:svg>",
        '<!ENTITY x "y">',
        "<script ",
        "<p <script>a</script>",
    ],
)
def test_a_narrative_that_runs_or_fetches_something_is_quarantined(inside: str) -> None:
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{inside}</div>'
    piece = _one(_with(text={"status": "generated", "div": div}))
    assert [problem.path for problem in piece.problems] == ["Patient.text.div"]


@pytest.mark.parametrize(
    "inside",
    [
        "<" * 300_000,
        "<a " + "b" * 300_000 + ">",
        "<a '\"" * 100_000,
        "&#x" * 100_000,
        "<!--" * 100_000,
    ],
)
def test_no_narrative_takes_long(inside: str) -> None:
    """What is quadratic would take minutes here."""
    _one(_with(text={"status": "generated", "div": f"<div>{inside}</div>"}))


@pytest.mark.parametrize(
    "body", [b'"\\"' * 300_000, b'{"a":"' + b'\\"' * 300_000, b'{"a":"' + b"\\" * 300_001]
)
def test_no_broken_text_takes_long(body: bytes) -> None:
    assert read(body).broken is not None


def test_no_attachment_takes_long() -> None:
    photo = [{"contentType": "image/png", "data": " " * 300_000 + "%"}]
    assert _one(_with(photo=photo)).problems


def test_a_plain_narrative_is_taken() -> None:
    div = (
        '<div xmlns="http://www.w3.org/1999/xhtml"><!-- a note --><p class="x" style="color: red">'
        '1 &lt; 2 <b>on</b> <a href="https://example.org">there</a><img src="#i"/></p></div>'
    )
    assert _one(_with(text={"status": "generated", "div": div})).problems == ()


def test_what_breaks_a_rule_and_is_plain_all_the_same_is_taken_with_a_remark() -> None:
    piece = _one(_with(address=[], telecom=None, gender="female"))
    assert isinstance(piece.message, said.Child)
    assert {problem.path for problem in piece.remarks} == {"Patient.address", "Patient.telecom"}
    assert "phone" not in piece.present


# The child ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "system",
    [
        "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatusEngland",
        "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus",
        "https://fhir.hl7.org.uk/STU3/CodeSystem/CareConnect-NHSNumberVerificationStatus-1",
    ],
)
@pytest.mark.parametrize("code", ["01", "number-present-and-verified", "02", "03"])
def test_a_number_is_verified_by_either_code_under_any_of_the_systems(
    system: str, code: str
) -> None:
    verified = code in {"01", "number-present-and-verified"}
    extension = {
        "url": STATUS,
        "valueCodeableConcept": {"coding": [{"system": system, "code": code}]},
    }
    number = CHILD["identifier"][0] | {"extension": [extension]}
    piece = _one(_with(identifier=[number]))
    assert isinstance(piece.message, said.Child)
    assert piece.message.nhs_number_verified is verified
    assert "nhs_number_verified" in piece.present
    assert piece.subject is not None
    assert (piece.subject.nhs_number, piece.subject.nhs_number_verified) == (NUMBER, verified)


def test_of_a_restricted_patient_absence_is_no_news() -> None:
    label = {"system": "https://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    piece = _one(_with(meta={"security": [label], "lastUpdated": "2026-11-23T09:30:00.5+00:00"}))
    assert isinstance(piece.message, said.Child)
    assert piece.message.restricted
    assert piece.message.changed_at == datetime(2026, 11, 23, 9, 30, 0, 500_000, tzinfo=UTC)
    assert (piece.message.address, piece.message.phone, piece.message.practice) == (None,) * 3
    assert piece.present == {
        "id", "changed_at", "restricted", "parts_withheld", "given_name", "family_name", "nhs_number",
    }  # fmt: skip


def test_two_nhs_numbers_are_for_somebody_to_look_at() -> None:
    other = {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9000000009"}
    piece = _one(_with(identifier=[*CHILD["identifier"], other]))
    assert piece.problems[0].reason == "This patient has two different NHS numbers."
    old = _one(_with(identifier=[*CHILD["identifier"], other | {"use": "old"}]))
    assert isinstance(old.message, said.Child)
    assert old.message.nhs_number == NUMBER


def test_the_subject_is_known_by_number_without_an_address() -> None:
    about = {"identifier": CHILD["identifier"][0], "display": "Ana"}
    piece = _one(
        {"resourceType": "Flag", "status": "active", "code": {"text": "Dog"}, "subject": about}
    )
    assert piece.subject is not None
    assert (piece.subject.reference, piece.subject.nhs_number) == (None, NUMBER)
    assert isinstance(piece.message, said.Alert)
    assert piece.message.child == ""
    assert "child" not in piece.present
    assert "subject" in piece.kept


def test_a_urn_is_of_the_type_that_its_entry_is_of() -> None:
    request = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "urn:uuid:0"},
        "requester": {"reference": "urn:uuid:1"},
    }
    *_, piece = _read(_bundle(CHILD, ORGANISATION, request)).pieces
    assert isinstance(piece.message, said.Request)
    assert (piece.message.child, piece.message.agency, piece.message.sent_by) == ("0", "1", None)


# What is agreed -----------------------------------------------------------------------------------


def _consent(**elements: Any) -> dict[str, Any]:
    return {
        "resourceType": "Consent",
        "status": "active",
        "category": [{"text": "x"}],
        "scope": {"text": "x"},
        "patient": {"reference": "Patient/p"},
        "dateTime": "2026-11-23",
    } | elements


def test_a_consent_that_leaves_out_roles_and_sets_the_root_s_type_is_understood() -> None:
    actor = {"reference": {"reference": "Organization/o"}}
    piece = _one(_consent(provision={"type": "permit", "actor": [actor]}))
    assert isinstance(piece.message, said.Agreement)
    assert piece.message.given
    assert piece.message.agencies == ("o",)
    assert piece.message.from_on == date(2026, 11, 23)
    assert {problem.path for problem in piece.remarks} == {
        "Consent",
        "Consent.provision.actor[0].role",
    }


@pytest.mark.parametrize("provision", [{}, {"purpose": [{"code": "GOV"}]}])
def test_what_leaves_open_whether_it_is_agreed_is_no_agreement(provision: dict[str, Any]) -> None:
    piece = _one(_consent(**({"provision": provision} if provision else {})))
    assert piece.message is None
    assert piece.problems[0].path == "Consent.provision"


@pytest.mark.parametrize(
    "status", ["draft", "proposed", "rejected", "inactive", "entered-in-error"]
)
def test_a_consent_that_is_not_in_force_is_set_aside(status: str) -> None:
    piece = _one(_consent(status=status, provision={"type": "permit"}))
    assert (piece.message, piece.problems) == (None, ())
    assert piece.set_aside


def test_what_was_entered_in_error_is_set_aside() -> None:
    flag = {"resourceType": "Flag", "status": "entered-in-error", "code": {"text": "Dog"}}
    piece = _one(flag | {"subject": {"reference": "Patient/p"}})
    assert piece.set_aside == "Its sender says that it was entered in error."


def test_days_are_london_s_and_decimals_exact() -> None:
    request = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/p"},
        "authoredOn": "2026-06-30T23:30:00Z",
    }
    body = json.dumps(request).encode()[:-1] + b',"quantityQuantity":{"value":1.10,"unit":"hour"}}'
    (piece,) = read(body).pieces
    assert isinstance(piece.message, said.Request)
    assert piece.message.sent_on == date(2026, 7, 1)
    assert str(piece.message.units) == "1.10"
    assert piece.kept == ()


def test_a_piece_can_be_kept_as_json() -> None:
    """What a page shows of it is plain data."""
    assert msgspec.json.encode(_one(CHILD).kept) == b"[]"
