"""What is served is what HL7 defines: no parameter, type or reference of our own making."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from interop.outgoing import WRITERS, Json
from interop.served import SERVED, Interaction, includes, revincludes
from tests.interop.examples import of

_DEFINED = {
    (type_, name): (kind, url, frozenset(targets), tuple(elements))
    for line in Path(__file__).with_name("hl7_search_parameters.jsonl").read_text().splitlines()
    for type_, name, kind, url, targets, elements in [json.loads(line)]
}
"""R4's own definitions for the types that are served (HL7 publishes them under CC0): of each its
kind and address, and of a reference the types and the elements."""
_DEEPER = {("Consent", "actor"): ("Consent.provision.provision.actor.reference",)}
"""Where references stand as well: R4 has actors only in the provisions inside the first one."""
_EVERY = [(type_, param) for type_, row in SERVED.items() for param in row.params]


def test_every_parameter_is_one_of_r4() -> None:
    for type_, param in _EVERY:
        whose = "Resource" if param.name.startswith("_") else type_
        assert (type_, param.name) in _DEFINED or whose == "Resource", (type_, param.name)
        kind, url, targets, _ = _DEFINED[whose, param.name]
        assert (param.kind, param.url) == (kind, url), (type_, param.name)
        assert targets.issuperset(param.targets), (type_, param.name)


def test_every_type_that_is_written_is_served_in_its_profile() -> None:
    assert SERVED.keys() == WRITERS.keys()
    for type_, row in SERVED.items():
        meta = _written(type_)["meta"]
        assert meta.get("profile") == ([row.profile] if row.profile else None), type_


def test_a_reference_names_the_types_that_it_is_written_with() -> None:
    for type_, param in _EVERY:
        if param.kind != "reference" or param.name == "patient" or param.canonical:
            continue
        elements = (*_DEFINED[type_, param.name][3], *_DEEPER.get((type_, param.name), ()))
        there = {
            reference.split("/")[0]
            for element in elements
            for found in _at(_written(type_), element.split(".")[1:])
            if (reference := found.get("reference"))
        }
        assert there, (type_, param.name)
        assert there.issubset(param.targets), (type_, param.name)


def _written(type_: str) -> Json:
    return WRITERS[type_].write(of(WRITERS[type_].message))


def _at(value: Any, names: list[str]) -> Iterator[Any]:
    """What stands at a path of element names, through lists."""
    if isinstance(value, list):
        for one in value:
            yield from _at(one, names)
    elif not names:
        yield value
    elif isinstance(value, dict) and names[0] in value:
        yield from _at(value[names[0]], names[1:])


def test_each_parameter_has_one_name_and_a_reference_says_to_what() -> None:
    for type_, row in SERVED.items():
        names = [param.name for param in row.params]
        assert len(names) == len(set(names)), type_
        for param in row.params:
            assert bool(param.targets) == (param.kind == "reference"), (type_, param.name)


@pytest.mark.parametrize("type_", SERVED)
def test_what_is_about_a_child_is_found_by_the_child(type_: str) -> None:
    row = SERVED[type_]
    patient = row.param("patient")
    if patient is None:
        assert type_ in {
            "Group", "Patient", "Practitioner", "PractitionerRole", "Organization",
            "HealthcareService", "Questionnaire",
        }  # fmt: skip
        return
    assert row.of_child
    assert (patient.column, patient.targets) == ("patient", ("Patient",))
    subject = row.param("subject")
    assert subject is None or subject.column == "patient"


def test_whoever_may_send_can_ask_whether_it_is_here() -> None:
    for row in SERVED.values():
        assert row.allows(Interaction.UPDATE) == row.writable
        if row.writable:
            assert row.param("identifier") is not None, row.type


def test_agencies_workers_forms_and_logs_are_not_written_from_outside() -> None:
    assert {row.type for row in SERVED.values() if not row.writable} == {
        "AuditEvent", "Group", "HealthcareService", "Organization", "Practitioner", "PractitionerRole",
        "Provenance", "Questionnaire",
    }  # fmt: skip


def test_a_reference_that_is_followed_can_be_followed_back() -> None:
    forth = {
        (type_, param.name, target)
        for type_ in SERVED
        for param in includes(type_)
        for target in param.targets
    }
    back = {(type_, param.name, of) for of in SERVED for type_, param in revincludes(of)}
    assert forth == back
    assert ("Provenance", "target", "Task") in back
    assert not any(param.canonical for type_ in SERVED for param in includes(type_))


def test_a_canonical_address_is_the_questionnaires() -> None:
    canonical = [(type_, param.name) for type_, param in _EVERY if param.canonical]
    assert canonical == [("QuestionnaireResponse", "questionnaire")]
