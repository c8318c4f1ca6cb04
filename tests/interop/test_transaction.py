"""A transaction is read whole: what to do, in which order, who refers to whom; or why not."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interop.outcome import Refused
from interop.served import Interaction
from interop.transaction import MOST_ENTRIES, Work, read

_BASE = "https://panel.example/fhir/R4"
_ONE, _TWO = "urn:uuid:00000000-0000-4000-8000-000000000001", "urn:uuid:two"


def _entry(method: str, url: str, **more: Any) -> dict[str, Any]:
    request = {"method": method, "url": url, **more.pop("request", {})}
    return {"request": request, **more}


def _post(type_: str, full_url: str | None = None, **content: Any) -> dict[str, Any]:
    entry = _entry("POST", type_, resource={"resourceType": type_, **content})
    return entry | ({"fullUrl": full_url} if full_url else {})


def _put(type_: str, id_: str, **more: Any) -> dict[str, Any]:
    return _entry("PUT", f"{type_}/{id_}", resource={"resourceType": type_, "id": id_}, **more)


def _bundle(*entries: Any, kind: str = "transaction") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def _work(*entries: Any, kind: str = "transaction") -> Work:
    found = read(_bundle(*entries, kind=kind), _BASE)
    assert isinstance(found, Work), found
    return found


def _paths(*entries: Any) -> list[str]:
    found = read(_bundle(*entries), _BASE)
    assert isinstance(found, Refused)
    return [path for issue in found.issues for path in issue.expression]


def test_they_are_done_in_r4s_order() -> None:
    work = _work(
        _entry("GET", "Task?status=x"),
        _put("Goal", "2"),
        _post("Task"),
        _entry("HEAD", f"{_BASE}/Task/1"),
        _post("Goal"),
    )
    assert [entry.index for entry in work.ordered()] == [2, 4, 1, 0, 3]
    assert [entry.request.interaction for entry in work.entries] == [
        Interaction.SEARCH, Interaction.UPDATE, Interaction.CREATE, Interaction.READ,
        Interaction.CREATE,
    ]  # fmt: skip


def test_what_each_asks_for() -> None:
    work = _work(
        _put("Task", "1", request={"ifMatch": 'W/"abc"'}),
        _entry("POST", "Task", resource={"resourceType": "Task"})
        | {"request": {"method": "POST", "url": "Task", "ifNoneExist": "?identifier=s|v"}},
        _entry("GET", "Task/1/_history/abc", request={"ifNoneMatch": 'W/"abc"'}),
        _entry("GET", "Task/1/_history"),
    )
    update, create, version, history = (entry.request for entry in work.entries)
    assert (update.id, update.if_match) == ("1", "abc")
    assert create.if_none_exist == "identifier=s|v"
    assert (version.id, version.version, version.if_none_match) == ("1", "abc", "abc")
    assert history.interaction is Interaction.HISTORY


def test_references_go_in_circles() -> None:
    plan = _post("CarePlan", _ONE, activity=[{"reference": {"reference": _TWO}}])
    task = _post(
        "Task",
        _TWO,
        basedOn=[{"reference": _ONE}],
        text={"div": f'<a href="{_ONE}">{_ONE}</a>'},
        url=_ONE,
        contained=[{"focus": {"reference": _ONE}}],
        extension=[{"url": _ONE, "valueReference": {"reference": "#x"}}],
    )
    before = copy.deepcopy(task)
    work = _work(plan, task)
    known = {_ONE: "CarePlan/a", _TWO: "Task/b"}
    linked = [work.linked(entry, known) for entry in work.entries]
    assert linked[0] == {
        "resourceType": "CarePlan",
        "activity": [{"reference": {"reference": "Task/b"}}],
    }
    assert linked[1] == before["resource"] | {
        "basedOn": [{"reference": "CarePlan/a"}],
        "contained": [{"focus": {"reference": "CarePlan/a"}}],
    }
    assert task == before


def test_a_relative_reference_is_looked_for_beside_its_own_address() -> None:
    theirs = "https://hospital.example/fhir"
    work = _work(
        _post("CarePlan", f"{theirs}/CarePlan/1"),
        _post("Task", f"{theirs}/Task/1", basedOn=[{"reference": "CarePlan/1"}]),
        _post("Task", f"{theirs}/Task/2", basedOn=[{"reference": f"{theirs}/CarePlan/1"}]),
        _post("Task", _ONE, basedOn=[{"reference": "CarePlan/1"}]),
    )
    known = {f"{theirs}/CarePlan/1": "CarePlan/ours"}
    linked = [work.linked(entry, known) for entry in work.entries[1:]]
    assert [one["basedOn"] for one in linked if one] == [
        [{"reference": "CarePlan/ours"}],
        [{"reference": "CarePlan/ours"}],
        [{"reference": "CarePlan/1"}],
    ]


def test_references_by_search() -> None:
    text = "Patient?identifier=https://fhir.nhs.uk/Id/nhs-number|9990548609"
    work = _work(_post("Task", **{"for": {"reference": text}}))
    (wanted,) = work.conditional()
    assert (wanted.type, wanted.query) == ("Patient", text.partition("?")[2])
    assert wanted.path == "Bundle.entry[0].resource.for.reference"
    linked = work.linked(work.entries[0], {wanted.text: "Patient/1"})
    assert linked is not None
    assert linked["for"] == {"reference": "Patient/1"}


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        ("text", ""),
        ({}, ".request"),
        (_entry("FETCH", "Task"), ".request.method"),
        ({"request": {"method": "GET"}}, ".request.url"),
        (_entry("GET", "Task/1/$everything"), ".request.url"),
        (_entry("GET", "Observation/1"), ".request.url"),
        (_entry("GET", "../Task/1"), ".request.url"),
        (_entry("GET", "https://elsewhere.example/Task/1"), ".request.url"),
        (_entry("GET", "Task/_history"), ".request.url"),
        (_entry("GET", "Task/1", request={"ifNoneMatch": "abc"}), ".request.ifNoneMatch"),
        (_entry("DELETE", "Task/1"), ".request.method"),
        (_entry("PATCH", "Task/1"), ".request.method"),
        (_entry("POST", "Task"), ".resource"),
        (_entry("POST", "Task/_search", resource={}), ".request.url"),
        (_entry("POST", "Task/1", resource={"resourceType": "Task"}), ".request.url"),
        (_entry("POST", "Task", resource={"resourceType": "Goal"}), ".resource.resourceType"),
        (_entry("POST", "Task", resource=[]), ".resource"),
        (_entry("POST", "Organization", resource={}), ".request.method"),
        (_entry("PUT", "Task", resource={"resourceType": "Task"}), ".request.url"),
        (_entry("PUT", "Task?identifier=1", resource={}), ".request.url"),
        (_entry("PUT", "Task/1", resource={"resourceType": "Task", "id": "2"}), ".resource.id"),
        (_put("Task", "1", request={"ifMatch": "1"}), ".request.ifMatch"),
        (_put("Task", "1", request={"ifNoneExist": "a=b"}), ".request.ifNoneExist"),
        (_put("Task", "1", request={"ifNoneMatch": 'W/"1"'}), ".request.ifNoneMatch"),
        (_post("Task", focus={"reference": "urn:uuid:none"}), ".resource.focus.reference"),
        (_post("Task") | {"fullUrl": 3}, ".fullUrl"),
        (_entry("GET", "Task?" + "a" * 5_000), ".request.url"),
    ],
)
def test_what_is_wrong_has_its_path(entry: object, path: str) -> None:
    assert _paths(_post("Goal"), entry) == [f"Bundle.entry[1]{path}"]


def test_the_same_resource_twice() -> None:
    assert _paths(_post("Task", _ONE), _post("Goal", _ONE)) == ["Bundle.entry[1].fullUrl"]
    assert _paths(_put("Task", "1"), _put("Task", "1")) == ["Bundle.entry[1].request.url"]


def test_a_batch_keeps_what_is_right() -> None:
    work = _work(
        _post("Task", _ONE),
        _entry("DELETE", "Task/1"),
        _post("Task", focus={"reference": _ONE}),
        _post("Goal", _TWO, addresses=[{"reference": _TWO}]),
        kind="batch",
    )
    assert [entry.index for entry in work.entries] == [0, 3]
    assert work.size == 4
    assert sorted(work.refused) == [1, 2]


@pytest.mark.parametrize(
    "bundle",
    [
        None, [], {}, {"resourceType": "Patient"}, _bundle(kind="message"),
        {"resourceType": "Bundle", "type": []}, _bundle() | {"entry": None},
        _bundle() | {"entry": {}},
    ],
)  # fmt: skip
def test_what_is_no_transaction(bundle: object) -> None:
    assert isinstance(read(bundle, _BASE), Refused)


def test_too_many_entries_and_too_deep_a_resource() -> None:
    assert _work(*[_post("Task")] * MOST_ENTRIES).size == MOST_ENTRIES
    assert _paths(*[_post("Task")] * (MOST_ENTRIES + 1)) == ["Bundle.entry"]
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert _paths(_post("Task", note=deep)) == ["Bundle.entry[0].resource"]


_JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.text(max_size=8),
        st.sampled_from([_ONE, _TWO, "Task/1", "Task", "POST", "PUT", "GET", 'W/"1"', "Task?a=b"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "request", "resource", "fullUrl", "method", "url", "reference", "ifMatch",
                    "resourceType", "id", "ifNoneExist",
                ]
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=12,
)  # fmt: skip


@given(st.lists(_JSON, max_size=4), st.sampled_from(["transaction", "batch"]))
def test_whatever_comes_is_work_or_refused(entries: list[Any], kind: str) -> None:
    found = read(_bundle(*entries, kind=kind), _BASE)
    if isinstance(found, Refused):
        assert kind == "transaction"
        assert found.issues
        return
    assert len(found.entries) + len(found.refused) == len(entries)
    assert sorted(entry.index for entry in found.ordered()) == [
        entry.index for entry in found.entries
    ]
    for entry in found.entries:
        assert found.linked(entry, {}) == entry.resource
