"""What a query asks for is read whole, or refused with everything that is wrong with it."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interop import outcome, search
from interop.outcome import Refused, status_of
from interop.search import Search, pairs_of, parse
from interop.search_settings import SETTINGS
from interop.search_values import (
    Canonical,
    Reference,
    Token,
    as_uuid,
    folded,
    separated,
    unescaped,
)
from interop.served import SERVED

_BASE = "https://panel.example/fhir/R4"
_NHS = "https://fhir.nhs.uk/Id/nhs-number"


def _asked(type_: str, query: str) -> Search | Refused:
    pairs = pairs_of(query)
    assert pairs is not None
    return parse(type_, pairs, _BASE)


def _found(type_: str, query: str) -> Search:
    found = _asked(type_, query)
    assert isinstance(found, Search), found
    return found


def _only(type_: str, query: str) -> search.AnyCriterion:
    (criterion,) = _found(type_, query).criteria
    return criterion


def _wrong(type_: str, query: str) -> Refused:
    refused = _asked(type_, query)
    assert isinstance(refused, Refused), refused
    return refused


@pytest.mark.parametrize(
    ("query", "tokens"),
    [
        ("status=requested", [Token(None, "requested")]),
        ("status=requested,accepted", [Token(None, "requested"), Token(None, "accepted")]),
        ("identifier=https://x|1", [Token("https://x", "1")]),
        ("identifier=%7C1", [Token("", "1")]),
        ("identifier=https://x%7C", [Token("https://x", None)]),
        (r"identifier=a\|b|c\,d", [Token("a|b", "c,d")]),
        (r"identifier=a\\|b\$", [Token("a\\", "b$")]),
        ("identifier=s|a|b", [Token("s", "a|b")]),
    ],
)
def test_tokens(query: str, tokens: list[Token]) -> None:
    criterion = _only("Task", query)
    assert isinstance(criterion, search.Tokens)
    assert (list(criterion.any_of), criterion.negated) == (tokens, False)


def test_not_one_of_these() -> None:
    criterion = _only("Task", "status:not=completed,cancelled")
    assert isinstance(criterion, search.Tokens)
    assert criterion.negated
    assert len(criterion.any_of) == 2


@pytest.mark.parametrize(
    ("query", "there"),
    [
        ("patient=1", Reference("Patient", "1")),
        ("patient=Patient/1", Reference("Patient", "1")),
        (f"patient={_BASE}/Patient/1", Reference("Patient", "1")),
        ("subject:Patient=1", Reference("Patient", "1")),
        ("subject:Patient=Patient/1", Reference("Patient", "1")),
        ("author=1", Reference(None, "1")),
        ("author:Organization=1", Reference("Organization", "1")),
        ("author=Organization/1", Reference("Organization", "1")),
        ("questionnaire=1", Reference("Questionnaire", "1")),
        ("questionnaire=https://x/caf|3", Canonical("https://x/caf", "3")),
        ("questionnaire=https://x/caf", Canonical("https://x/caf", None)),
        ("questionnaire=urn:uuid:1", Canonical("urn:uuid:1", None)),
    ],
)
def test_references(query: str, there: Reference | Canonical) -> None:
    criterion = _only("QuestionnaireResponse", query)
    assert isinstance(criterion, search.References)
    assert criterion.any_of == (there,)


def test_texts_are_compared_without_case_and_accents() -> None:
    criterion = _only("Patient", "family=%C5%81ukasz%20%20O%27N%C3%A9ill")
    assert isinstance(criterion, search.Strings)
    assert (criterion.any_of[0].folded, criterion.match) == ("lukasz o'neill", "starts")
    exact = _only("Patient", "family:exact=N%C3%A9ill")
    assert isinstance(exact, search.Strings)
    assert (exact.any_of[0].raw, exact.match) == ("Néill", "exact")
    within = _only("Patient", "name:contains=eil")
    assert isinstance(within, search.Strings)
    assert within.match == "contains"


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert folded(folded(text)) == folded(text)


def test_ids_dates_addresses_and_what_is_missing() -> None:
    found = _found(
        "Questionnaire", "_id=a,b&_lastUpdated=ge2026&url=https://x/y&version:missing=true"
    )
    ids, changed, url, missing = found.criteria
    assert isinstance(ids, search.Ids)
    assert ids.any_of == ("a", "b")
    assert isinstance(changed, search.Dates)
    assert changed.param.times == "instant"
    assert isinstance(url, search.Uris)
    assert url.any_of == ("https://x/y",)
    assert isinstance(missing, search.Missing)
    assert missing.missing


@pytest.mark.parametrize(
    "name", ["patient.identifier", "subject.identifier", "subject:Patient.identifier"]
)
def test_by_the_childs_identifier(name: str) -> None:
    criterion = _only("Condition", f"{name}={_NHS}|9990548609")
    assert isinstance(criterion, search.OfPatient)
    assert criterion.any_of == (Token(_NHS, "9990548609"),)
    assert criterion.param.column == "patient"


def test_how_the_answer_is_to_be() -> None:
    found = _found(
        "Task",
        "_count=500&_sort=-_lastUpdated&_total=accurate&_include=Task:owner"
        "&_include=Task:patient:Patient&_include=Task:owner&_revinclude=Provenance:target"
        "&_format=application/fhir%2Bjson&_pretty=true",
    )
    assert (found.count, found.newest_first, found.total, found.count_only) == (
        100, True, True, False,
    )  # fmt: skip
    assert [(one.type, one.param.name, one.target) for one in found.includes] == [
        ("Task", "owner", None),
        ("Task", "patient", "Patient"),
    ]
    assert [(one.type, one.param.name) for one in found.revincludes] == [("Provenance", "target")]


@pytest.mark.parametrize("query", ["_count=0", "_summary=count", "_summary=count&_count=10"])
def test_only_the_number(query: str) -> None:
    found = _found("Task", query)
    assert found.count_only
    assert found.total


def test_nothing_said_is_the_servers_choice() -> None:
    found = _found("Task", "")
    assert (found.count, found.total, found.newest_first, found.cursor) == (50, None, False, None)


@pytest.mark.parametrize(
    ("type_", "query", "expression"),
    [
        ("Task", "favourite=1", "favourite"),
        ("Flag", "status=active", "status"),
        ("Patient", "patient=1", "patient"),
        ("Task", "patient:Organization=1", "patient:Organization"),
        ("Task", "patient=Organization/1", "patient"),
        ("Task", "patient:identifier=1", "patient:identifier"),
        ("Task", "patient=https://elsewhere.example/Patient/1", "patient"),
        ("Task", "patient=Patient/1/_history/2", "patient"),
        ("Task", "patient=../Patient/1", "patient"),
        ("Task", "patient=1,,2", "patient"),
        ("Task", "patient=", "patient"),
        ("Task", "patient.name=x", "patient.name"),
        ("Task", "patient.organization.name=x", "patient.organization.name"),
        ("Task", "owner.identifier=x", "owner.identifier"),
        ("Task", "subject:Group.identifier=x", "subject:Group.identifier"),
        ("Patient", "_has:Task:patient:status=x", "_has:Task:patient:status"),
        ("Task", "status=|", "status"),
        ("Task", "status:text=x", "status:text"),
        ("Task", "status:missing=perhaps", "status:missing"),
        ("Task", r"status=a\x", "status"),
        ("Task", "status=a\\", "status"),
        ("Task", "status=a%00b", "status"),
        ("Task", "status=a%0Ab", "status"),
        ("Task", "_id:not=1", "_id:not"),
        ("Task", "_id=a/b", "_id"),
        ("Task", "_id:missing=true", "_id:missing"),
        ("Task", "_lastUpdated=yesterday", "_lastUpdated"),
        ("Patient", "birthdate=2026-02-30", "birthdate"),
        ("Patient", "gender=f", "gender"),
        ("Patient", "family=%20", "family"),
        ("Patient", "family:phonetic=x", "family:phonetic"),
        ("HealthcareService", "active=maybe", "active"),
        ("Task", "_count=-1", "_count"),
        ("Task", "_count=ten", "_count"),
        ("Task", "_count=1&_count=2", "_count"),
        ("Task", "_summary=true", "_summary"),
        ("Task", "_total=estimate", "_total"),
        ("Task", "_sort=status", "_sort"),
        ("Task", "_elements=id", "_elements"),
        ("Task", "_filter=x", "_filter"),
        ("Task", "_format=xml", "_format"),
        ("Task", "_include=*", "_include"),
        ("Task", "_include=Task:status", "_include"),
        ("Task", "_include=Goal:patient", "_include"),
        ("Task", "_include=Task:owner:Patient", "_include"),
        ("Task", "_include:iterate=Task:owner", "_include:iterate"),
        ("Task", "_revinclude=Task:owner", "_revinclude"),
        ("Task", "_revinclude=Provenance:target:Goal", "_revinclude"),
        ("QuestionnaireResponse", "questionnaire=https://x|", "questionnaire"),
    ],
)
def test_what_is_not_understood_is_refused(type_: str, query: str, expression: str) -> None:
    refused = _wrong(type_, query)
    assert [issue.expression for issue in refused.issues] == [(expression,)]
    assert status_of(refused.issues) in (400, 413, 422)


def test_all_that_is_wrong_is_told_at_once() -> None:
    refused = _wrong("Patient", "favourite=1&birthdate=x&_count=y&family=Smith")
    assert [issue.expression for issue in refused.issues] == [
        ("favourite",),
        ("birthdate",),
        ("_count",),
    ]


@pytest.mark.parametrize(
    "query", ["x=1&" * 60 + "x=1", "family=" + "a" * 1_001, "family=" + "a," * 200 + "a"]
)
def test_too_much_is_refused(query: str) -> None:
    pairs = tuple(tuple(pair.split("=")) for pair in query.split("&"))
    assert isinstance(parse("Patient", [(one[0], one[1]) for one in pairs], _BASE), Refused)


def test_nothing_of_what_was_sent_is_repeated() -> None:
    refused = _wrong("Patient", "birthdate=Zebedee&gender=Zebedee&Zebe%20dee=1&_count=Zebedee")
    assert "Zebe" not in str(outcome.outcome(refused.issues))


def test_a_type_that_is_not_served() -> None:
    assert isinstance(parse("Observation", [], _BASE), Refused)


def test_a_query_that_is_none() -> None:
    assert pairs_of("a=%FF") is None
    assert pairs_of("a") is None
    assert pairs_of("&".join(["a=1"] * 61)) is None
    assert pairs_of("") == ()


def test_the_same_search_has_the_same_digest_on_every_page() -> None:
    first = _found("Task", "patient=1&status=a")
    assert first.digest == _found("Task", "status=a&_count=3&patient=1&_cursor=x").digest
    assert first.digest != _found("Task", "patient=1&status=b").digest
    assert first.digest != _found("Task", "patient=1&status=a&_sort=-_lastUpdated").digest
    assert first.digest != _found("Goal", "patient=1&_id=a").digest


def test_a_link_asks_for_the_same() -> None:
    found = _found("Patient", "family=O%27N%C3%A9ill%20%26%20Co&_cursor=old&_format=json")
    link = found.link(_BASE, "new")
    assert link.startswith(f"{_BASE}/Patient?")
    again = _found("Patient", link.partition("?")[2])
    assert (again.criteria, again.cursor, again.digest) == (found.criteria, "new", found.digest)
    assert _found("Patient", "").link(_BASE) == f"{_BASE}/Patient"


@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1), min_size=1))
def test_escaped_values_come_back_as_they_were(values: list[str]) -> None:
    def escaped(text: str) -> str:
        for letter in "\\,|$":
            text = text.replace(letter, f"\\{letter}")
        return text

    assert [unescaped(one) for one in separated(",".join(map(escaped, values)))] == values


@given(st.text(), st.uuids())
def test_an_id_is_panels_in_one_form_only(text: str, there: object) -> None:
    assert as_uuid(str(there)) == there
    assert as_uuid("{" + str(there) + "}") is None
    found = as_uuid(text)
    assert found is None or str(found) == text.lower()


_NAMES = sorted({param.name for row in SERVED.values() for param in row.params} | set(SETTINGS))
_ANY_NAME = st.one_of(
    st.sampled_from(_NAMES),
    st.builds(
        "{}{}{}".format,
        st.sampled_from(_NAMES),
        st.sampled_from(".:"),
        st.sampled_from(["not", "missing", "exact", "identifier", "Patient.identifier", "", ":"]),
    ),
    st.text(max_size=12),
)
_ANY_VALUE = st.one_of(
    st.text(max_size=30),
    st.text("\\,|$:/?-0129TZ.+ Patientge", max_size=30),
    st.sampled_from(["2026-11-23", "Patient/1", "a|b", "true", "count", "Task:owner", "9999"]),
)


@given(st.sampled_from([*SERVED, "Basic", ""]), st.lists(st.tuples(_ANY_NAME, _ANY_VALUE)))
def test_whatever_is_asked_is_a_search_or_refused(type_: str, pairs: list[tuple[str, str]]) -> None:
    found = parse(type_, pairs, _BASE)
    if isinstance(found, Refused):
        assert found.issues
        assert all(issue.code in get_args(outcome.Code) for issue in found.issues)
        assert 400 <= status_of(found.issues) < 500
    else:
        assert len(found.criteria) + sum(name in SETTINGS for name, _ in pairs) == len(pairs)
        again = pairs_of(found.link(_BASE).partition("?")[2])
        assert again == found.pairs
        assert isinstance(parse(type_, again or (), _BASE), Search)
