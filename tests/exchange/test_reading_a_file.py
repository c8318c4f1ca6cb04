"""Files of another Panel that are not as they should be: what is wrong is told, the rest is read."""

import json
from typing import Any

import pytest

from interop.messages import Action
from panel.exchange.importing_file import RecordsFile, UnreadableRecords, read_file

NUMBER = "9990548609"


def patient(one: str, number: str = NUMBER, **more: Any) -> dict[str, Any]:
    """A child."""
    return {
        "resourceType": "Patient",
        "id": one,
        "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": number}],
        "name": [{"use": "official", "family": "Kestrel", "given": ["Fay"]}],
        "birthDate": "2022-03-09",
        **more,
    }


def task(one: str, child: str, **more: Any) -> dict[str, Any]:
    """Something to do for a child."""
    return {
        "resourceType": "Task", "id": one, "status": "requested", "intent": "order",
        "description": "Ring the nursery", "for": {"reference": f"Patient/{child}"}, **more,
    }  # fmt: skip


def lines(*resources: dict[str, Any] | str) -> bytes:
    """NDJSON; a text stands as it is."""
    written = [one if isinstance(one, str) else json.dumps(one) for one in resources]
    return "\n".join(written).encode()


def bundle(*resources: dict[str, Any]) -> bytes:
    """A Bundle of one child."""
    entries = [{"resource": one} for one in resources]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def told(file: RecordsFile) -> list[tuple[str, str]]:
    return [(one.path, one.reason) for one in file.problems]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not a JSON object"),
        (b"Given name,Family name\nFay,Kestrel\n", "not a JSON object"),
        (b"<Bundle/>", "XML"),
        (b'{"resourceType": "Bundle"', "well-formed"),
        (b"\xff\xfe{}", "UTF-8"),
        (b'{"a": 1\n{"b": 2\n', "well-formed"),
    ],
)
def test_what_cannot_be_read_at_all(body: bytes, why: str) -> None:
    with pytest.raises(UnreadableRecords, match=why):
        read_file(body)


def test_a_broken_line_costs_only_itself() -> None:
    file = read_file(lines(patient("a"), '{"resourceType": "Task', task("t", "a"), ""))
    assert told(file) == [("line 2", "This is not well-formed JSON.")]
    [child] = file.children
    assert [one.path for one in child.of("Task", Action)] == ["line 3: Task"]


def test_a_broken_resource_is_told_with_its_place() -> None:
    file = read_file(bundle(patient("a"), task("t", "a", status="whenever"), task("u", "a")))
    [(path, _)] = told(file)
    assert path == "Bundle.entry[1].resource.status"
    assert [one.id for one in file.children[0].of("Task", Action)] == ["u"]


def test_what_has_no_place_is_counted() -> None:
    observation = {
        "resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "Weight"},
    }  # fmt: skip
    file = read_file(bundle(patient("a", maritalStatus={"text": "None"}), observation))
    assert file.left == {"Observation": 1}
    assert file.unmapped == {"Patient.maritalStatus": 1}
    assert told(file) == []


def test_what_is_about_nobody_here() -> None:
    file = read_file(lines(task("t", "a"), task("u", "b")))
    assert file.children == []
    assert told(file) == [
        (f"line {number}: Task", "It is about a child who is not in this file.")
        for number in (1, 2)
    ]


def test_two_children_of_one_nhs_number() -> None:
    file = read_file(lines(patient("a"), patient("b"), patient("c", "9000000009")))
    assert [bool(one.why_not) for one in file.children] == [True, True, False]


def test_the_same_resource_twice() -> None:
    other = task("t", "a", description="Ring somebody else")
    file = read_file(lines(patient("a"), patient("a"), task("t", "a"), other))
    [child] = file.children
    assert [one.message.text for one in child.of("Task", Action)] == ["Ring the nursery"]
    assert [path for path, _ in told(file)] == ["line 4: Task"]
