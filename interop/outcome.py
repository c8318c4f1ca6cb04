"""What went wrong, as FHIR says it: OperationOutcome, and the HTTP status that goes with it.

    Issue("value", "A date is written like 2026-11-23.", ("birthdate",))
    outcome([issue])      -> the OperationOutcome as a dict
    status_of([issue])    -> 400

An issue's text is a sentence that anybody may read: it never repeats what was sent and never tells
of a child, nor whether there is one. What is withheld and what is not there are the same
`not_found()`. Source of codes: hl7.org/fhir/R4, value set issue-type.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

Severity = Literal["fatal", "error", "warning", "information"]
Code = Literal[
    "invalid", "structure", "required", "value", "invariant",
    "login", "unknown", "expired", "forbidden", "suppressed",
    "processing", "not-supported", "duplicate", "multiple-matches", "not-found", "deleted",
    "too-long", "code-invalid", "extension", "too-costly", "business-rule", "conflict",
    "transient", "lock-error", "no-store", "exception", "timeout", "incomplete", "throttled",
    "informational",
]  # fmt: skip
"""FHIR's issue types that Panel has a use for."""

STATUS: Mapping[Code, int] = MappingProxyType(
    {
        "invalid": 400,
        "structure": 400,
        "required": 400,
        "value": 400,
        "invariant": 422,
        "login": 401,
        "unknown": 401,
        "expired": 401,
        "forbidden": 403,
        "suppressed": 403,
        "processing": 422,
        "not-supported": 400,
        "duplicate": 409,
        "multiple-matches": 412,
        "not-found": 404,
        "deleted": 410,
        "too-long": 413,
        "code-invalid": 422,
        "extension": 422,
        "too-costly": 400,
        "business-rule": 422,
        "conflict": 412,
        "transient": 503,
        "lock-error": 503,
        "no-store": 503,
        "exception": 500,
        "timeout": 504,
        "incomplete": 200,
        "throttled": 429,
        "informational": 200,
    }
)
"""The HTTP status of each: `conflict` is a version that is no longer the newest (If-Match)."""

MOST_ISSUES = 200
_TELLABLE = re.compile(r"[A-Za-z_$][A-Za-z0-9_.:\[\]$-]{0,199}", re.ASCII)
_HARMLESS = ("information", "warning")


class Issue(Struct, frozen=True):
    """One thing that is wrong, or worth knowing."""

    code: Code
    text: str
    expression: tuple[str, ...] = ()
    """Where: a path ("Bundle.entry[3].request.url"), or the name of a search parameter."""
    severity: Severity = "error"

    def at(self, prefix: str) -> "Issue":
        """The same, seen from outside: "id" becomes "Bundle.entry[3].resource.id"."""
        return Issue(
            self.code,
            self.text,
            tuple(f"{prefix}.{path}" for path in self.expression) or (prefix,),
            self.severity,
        )


class Refused(Struct, frozen=True):
    """What cannot be done as asked, with everything that is wrong with it."""

    issues: tuple[Issue, ...]


def outcome(issues: Iterable[Issue]) -> dict[str, object]:
    """The issues as an OperationOutcome: the first 200; or that all is well."""
    told = [_issue(issue) for issue in islice(issues, MOST_ISSUES + 1)] or [_issue(ALL_WELL)]
    if len(told) > MOST_ISSUES:
        told[MOST_ISSUES] = _issue(AND_MORE)
    return {"resourceType": "OperationOutcome", "issue": told}


def status_of(issues: Iterable[Issue]) -> int:
    """The HTTP status: that of the first error, or 200 where none is one."""
    return next(
        (STATUS[issue.code] for issue in issues if issue.severity not in _HARMLESS),
        200,
    )


def tellable(name: str) -> tuple[str, ...]:
    """A name as an expression, or nothing where it may not be repeated to whoever sent it."""
    return (name,) if _TELLABLE.fullmatch(name) else ()


def not_found() -> Issue:
    """The one answer to what is not there and to what may not be told."""
    return Issue("not-found", "There is no such resource, or you may not see it.")


def _issue(issue: Issue) -> dict[str, object]:
    told: dict[str, object] = {
        "severity": issue.severity,
        "code": issue.code,
        "details": {"text": issue.text},
    }
    if issue.expression:
        told["expression"] = list(issue.expression)
    return told


ALL_WELL = Issue("informational", "Nothing is wrong.", severity="information")
AND_MORE = Issue("informational", "There is more that is wrong.", severity="information")
