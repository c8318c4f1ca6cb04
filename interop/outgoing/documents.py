"""A signed-off form as a FHIR document: a Bundle that stands alone, its Composition first."""

from datetime import UTC, datetime, time
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from interop import systems
from interop.messages import Agency, Child, Form, FormAnswers, Given, GivenSection, Worker
from interop.outgoing.agencies import organization, practitioner
from interop.outgoing.elements import (
    Json,
    coding,
    concept,
    day,
    instant,
    narrative_of_parts,
    present,
    reference,
    resource,
    text,
)
from interop.outgoing.forms import questionnaire, questionnaire_response
from interop.outgoing.people import patient
from interop.outgoing.stamping import stamped

LONDON = ZoneInfo("Europe/London")


def document(
    answers: FormAnswers, child: Child, worker: Worker | None, agency: Agency, form: Form
) -> Json:
    """A signed-off form as a document Bundle, by `worker` (or by the agency alone) for `agency`.

    Every address inside is a `urn:uuid:` and every reference resolves inside; one to something that
    is not in the document names it by type and identifier. The same content makes the same
    document, its identifier too. Raises ValueError where the form is not signed off, or where the
    child or the form is not that of the answers.
    """
    asked = (form.id, form.key, form.number)
    if answers.child != child.id or (answers.form, answers.form_key, answers.form_number) != asked:
        raise ValueError(f"The answers {answers.id} are another child’s, or to another form.")
    if not answers.signed_off or answers.signed_off_on is None:
        raise ValueError(f"Form {answers.id} is not signed off, so there is no document of it.")
    inside = [
        _composition(answers, worker, agency),
        questionnaire_response(answers),
        patient(child),
        organization(agency),
        questionnaire(form),
    ]
    if worker is not None:
        inside.append(practitioner(worker))
    addresses = {_name(one): _urn(_name(one)) for one in inside}
    entries = [
        {"fullUrl": addresses[_name(one)], "resource": _resolved(one, addresses)} for one in inside
    ]
    at = answers.changed_at or datetime.combine(answers.signed_off_on, time(), LONDON)
    content = stamped({"entry": entries}).version
    return {
        "resourceType": "Bundle",
        "id": str(uuid5(NAMESPACE_URL, f"{systems.OWN}/Bundle/{answers.id}")),
        "meta": {"profile": [systems.uk_core("UKCore-Bundle")]},
        "identifier": {"system": systems.URI, "value": _urn(f"Bundle/{answers.id}/{content}")},
        "type": "document",
        "timestamp": instant(at.astimezone(UTC)),
        "entry": entries,
    }


def _composition(answers: FormAnswers, worker: Worker | None, agency: Agency) -> Json:
    own = reference("Organization", agency.id)
    author = own if worker is None else reference("Practitioner", worker.id)
    sections = [_section(one) for one in answers.sections]
    whole: Json = {
        "title": "Answers",
        "entry": [reference("QuestionnaireResponse", answers.id)],
        "section": [one for one in sections if "text" in one],
    }
    made = resource(
        "Composition",
        answers,
        {
            "status": "final",
            "type": concept(coding(systems.DOCUMENT, "form", "Form"), words=answers.title),
            "subject": reference("Patient", answers.child),
            "date": day(answers.signed_off_on),
            "author": [author],
            "title": text(answers.title) or "Form",
            "confidentiality": "R" if answers.restricted else "N",
            "attester": [
                {"mode": "professional", "time": day(answers.signed_off_on), "party": author}
            ],
            "custodian": own,
            "section": [present(whole)],
        },
    )
    # Its id is its own: an answer's id is that of the QuestionnaireResponse.
    return made | {"id": str(uuid5(NAMESPACE_URL, f"{systems.OWN}/Composition/{answers.id}"))}


def _section(section: GivenSection) -> Json:
    said = ((one.label, _words(one)) for one in section.answers)
    return present(
        {
            "title": text(section.title) or section.key,
            "text": narrative_of_parts(said),
        }
    )


def _words(given: Given) -> str:
    """An answer as people read it: the labels of what was chosen, a line for each cell of rows."""
    labels = {one.value: one.label for one in given.choices}
    found = [_in_words(given.cell, labels)] if given.cell else []
    columns = {one.key: one for one in given.columns}
    for row in given.rows:
        for key, cell in row:
            column = columns.get(key)
            named = key if column is None else column.label
            chosen = {} if column is None else {one.value: one.label for one in column.choices}
            found.append(f"{named}: {_in_words(cell, chosen)}")
    return "\n".join(found)


def _in_words(cell: str | tuple[str, ...], labels: dict[str, str]) -> str:
    values = (cell,) if isinstance(cell, str) else cell
    return ", ".join(labels.get(one, one) for one in values)


def _name(one: Json) -> str:
    return f"{one['resourceType']}/{one['id']}"


def _urn(name: str) -> str:
    return f"urn:uuid:{uuid5(NAMESPACE_URL, f'{systems.OWN}/{name}')}"


def _resolved(value: object, addresses: dict[str, str]) -> object:
    """The same with each reference as an address in the document, or by type and identifier."""
    if isinstance(value, list):
        return [_resolved(one, addresses) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: _resolved(one, addresses) for name, one in value.items()}
    to = found.get("reference")
    if not isinstance(to, str):
        return found
    if to in addresses:
        return found | {"reference": addresses[to]}
    kind, one = to.split("/", 1)
    identifier = {"system": systems.own_id(kind.lower()), "value": one}
    del found["reference"]
    return {"type": kind, "identifier": identifier} | found
