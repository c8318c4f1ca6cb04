"""What went wrong is told as FHIR tells it, with the HTTP status that belongs to it."""

from typing import get_args

from fhir.resources.R4B.operationoutcome import OperationOutcome

from interop.outcome import (
    MOST_ISSUES,
    STATUS,
    Code,
    Issue,
    not_found,
    outcome,
    status_of,
    tellable,
)

_R4 = {
    "invalid", "structure", "required", "value", "invariant", "security", "login", "unknown",
    "expired", "forbidden", "suppressed", "processing", "not-supported", "duplicate",
    "multiple-matches", "not-found", "deleted", "too-long", "code-invalid", "extension",
    "too-costly", "business-rule", "conflict", "transient", "lock-error", "no-store", "exception",
    "timeout", "incomplete", "throttled", "informational",
}  # fmt: skip
"""hl7.org/fhir/R4/valueset-issue-type.html"""


def test_every_code_is_r4s_and_has_a_status() -> None:
    assert set(get_args(Code)) <= _R4
    assert STATUS.keys() == set(get_args(Code))
    assert all(200 <= status < 600 for status in STATUS.values())


def test_an_outcome_says_what_and_where() -> None:
    told = outcome([Issue("value", "This is no date.", ("birthdate",)), not_found()])
    OperationOutcome.model_validate(told)
    assert told["issue"] == [
        {
            "severity": "error",
            "code": "value",
            "details": {"text": "This is no date."},
            "expression": ["birthdate"],
        },
        {
            "severity": "error",
            "code": "not-found",
            "details": {"text": "There is no such resource, or you may not see it."},
        },
    ]


def test_without_issues_all_is_well() -> None:
    told = outcome([])
    OperationOutcome.model_validate(told)
    assert status_of([]) == 200
    assert "informational" in str(told)


def test_very_many_issues_are_cut_and_it_says_so() -> None:
    issues = outcome(Issue("value", "No.") for _ in range(100_000))["issue"]
    assert isinstance(issues, list)
    assert len(issues) == MOST_ISSUES + 1
    assert issues[-1]["severity"] == "information"


def test_the_status_is_that_of_the_first_error() -> None:
    warning = Issue("value", "Hm.", severity="warning")
    assert status_of([warning]) == 200
    assert status_of([warning, not_found(), Issue("value", "No.")]) == 404


def test_an_issue_seen_from_outside() -> None:
    assert Issue("value", "No.", ("id",)).at("Bundle.entry[3]").expression == (
        "Bundle.entry[3].id",
    )
    assert Issue("value", "No.").at("Bundle.entry[3]").expression == ("Bundle.entry[3]",)


def test_only_plain_names_are_repeated() -> None:
    assert tellable("subject:Patient.identifier") == ("subject:Patient.identifier",)
    assert tellable("Sam Smith") == ()
    assert tellable("<script>") == ()
    assert tellable("x" * 201) == ()
