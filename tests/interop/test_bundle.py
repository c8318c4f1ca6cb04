"""Bundles that go out are what R4 says a bundle of their kind is."""

from datetime import UTC, datetime
from typing import cast

import msgspec
import pytest
from fhir.resources.R4B.bundle import Bundle

from interop.bundle import (
    Answer,
    Json,
    Past,
    Shown,
    answers,
    collection,
    document,
    history,
    instant,
    searchset,
)
from interop.outcome import Issue, not_found

_BASE = "https://panel.example/fhir/R4"
_AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
_PATIENT: Json = {"resourceType": "Patient", "id": "1"}
_TEAM: Json = {"resourceType": "CareTeam", "id": "1"}


def _sent(bundle: Json) -> Json:
    """As it reaches the other side, and as fhir.resources finds it in order."""
    body = msgspec.json.encode(bundle)
    Bundle.model_validate_json(body)
    return cast("Json", msgspec.json.decode(body))


def test_what_was_found() -> None:
    bundle = _sent(
        searchset(
            [
                Shown("Patient", "1", _PATIENT),
                Shown("CareTeam", "1", msgspec.Raw(msgspec.json.encode(_TEAM)), "include"),
            ],
            _BASE,
            self_link=f"{_BASE}/Patient?_count=1",
            next_link=f"{_BASE}/Patient?_count=1&_cursor=x",
            total=7,
            issues=[Issue("informational", "So it is.", severity="information")],
        )
    )
    assert bundle["total"] == 7
    assert bundle["link"] == [
        {"relation": "self", "url": f"{_BASE}/Patient?_count=1"},
        {"relation": "next", "url": f"{_BASE}/Patient?_count=1&_cursor=x"},
    ]
    entries = cast("list[Json]", bundle["entry"])
    assert entries[:2] == [
        {
            "fullUrl": f"{_BASE}/Patient/1",
            "resource": _PATIENT,
            "search": {"mode": "match"},
        },
        {
            "fullUrl": f"{_BASE}/CareTeam/1",
            "resource": _TEAM,
            "search": {"mode": "include"},
        },
    ]
    assert entries[2]["search"] == {"mode": "outcome"}
    assert "fullUrl" not in entries[2]


def test_nothing_found_has_no_entries() -> None:
    bundle = _sent(searchset([], _BASE, self_link=f"{_BASE}/Patient", total=0))
    assert bundle == {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": 0,
        "link": [{"relation": "self", "url": f"{_BASE}/Patient"}],
    }


def test_a_history_says_how_each_version_came() -> None:
    bundle = _sent(
        history(
            [
                Past("Patient", "1", "delete", "c", _AT),
                Past("Patient", "1", "update", "b", _AT, _PATIENT),
                Past("Patient", "1", "create", "a", _AT, _PATIENT),
            ],
            _BASE,
            self_link=f"{_BASE}/Patient/1/_history",
        )
    )
    entries = cast("list[Json]", bundle["entry"])
    assert [entry["request"] for entry in entries] == [
        {"method": "DELETE", "url": "Patient/1"},
        {"method": "PUT", "url": "Patient/1"},
        {"method": "POST", "url": "Patient"},
    ]
    assert entries[1]["response"] == {
        "status": "200",
        "etag": 'W/"b"',
        "lastModified": "2026-11-23T09:30:00Z",
    }
    assert ["resource" in entry for entry in entries] == [False, True, True]


def test_a_document_begins_with_its_composition() -> None:
    identifier = {"system": "https://panel.example/documents", "value": "1"}
    first = Shown("Composition", "2", {"resourceType": "Basic", "id": "2", "code": {"text": "c"}})
    bundle = _sent(document(identifier, _AT, [first, Shown("Patient", "1", _PATIENT)], _BASE))
    assert (bundle["type"], bundle["identifier"], bundle["timestamp"]) == (
        "document",
        identifier,
        "2026-11-23T09:30:00Z",
    )
    with pytest.raises(ValueError, match="Composition"):
        document(identifier, _AT, [Shown("Patient", "1", _PATIENT)], _BASE)
    with pytest.raises(ValueError, match="identifier"):
        document({"value": "1"}, _AT, [first], _BASE)


def test_a_collection() -> None:
    bundle = _sent(collection([Shown("Patient", "1", _PATIENT)], _BASE))
    assert (bundle["type"], len(cast("list[Json]", bundle["entry"]))) == ("collection", 1)


def test_answers_to_a_transaction() -> None:
    bundle = _sent(
        answers(
            "transaction",
            [
                Answer(
                    status="201 Created",
                    location="Patient/1/_history/a",
                    version="a",
                    changed_at=_AT,
                    resource=_PATIENT,
                ),
                Answer(status="404 Not Found", issues=(not_found(),)),
            ],
        )
    )
    assert bundle["type"] == "transaction-response"
    made, refused = cast("list[Json]", bundle["entry"])
    assert made == {
        "resource": _PATIENT,
        "response": {
            "status": "201 Created",
            "location": "Patient/1/_history/a",
            "etag": 'W/"a"',
            "lastModified": "2026-11-23T09:30:00Z",
        },
    }
    assert "not-found" in str(refused)


def test_a_moment_without_a_zone_is_none() -> None:
    with pytest.raises(ValueError, match="zone"):
        instant(datetime(2026, 11, 23))
