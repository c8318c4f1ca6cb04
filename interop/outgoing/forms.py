"""A form and a filling of it: Questionnaire and QuestionnaireResponse.

A question's linkId is "section.question", that of a column or of an element's part
"section.question.column". Rows are a group that repeats; an element is one group.
"""

from collections.abc import Iterator
from datetime import date

from interop import systems
from interop.messages import (
    Cell,
    Form,
    FormAnswers,
    FormChoice,
    FormQuestion,
    FormSection,
    Given,
    GivenSection,
)
from interop.outgoing.elements import (
    Json,
    coding,
    day,
    extension,
    is_code,
    present,
    reference,
    resource,
    text,
)

ITEM_TYPES = {
    "long_text": "text",
    "date": "date",
    "yes_no": "boolean",
    "element": "group",
    "people": "group",
    "rows": "group",
}
"""Every other kind is a string, or a choice."""
CHOICE = "open-choice"
CHOSEN = frozenset({"choice", "choices"})
REPEATED = frozenset({"choices", "people", "rows"})
BOOLEANS = {"yes": True, "no": False}


# The form -----------------------------------------------------------------------------------------


def questionnaire(form: Form) -> Json:
    """Questionnaire (UK Core): one version, by its canonical address and number."""
    return resource(
        "Questionnaire",
        form,
        {
            "url": systems.form_address(form.key),
            "version": str(form.number),
            "title": text(form.title),
            "status": "active",
            "subjectType": ["Patient"],
            "item": [_of_section(form.key, one) for one in form.sections],
        },
    )


def _of_section(form: str, section: FormSection) -> Json:
    """A group, or its title alone: R4 has no empty group, and no code for what is only shown."""
    inside = [_question(form, f"{section.key}.{one.key}", one) for one in section.questions]
    coded = inside and is_code(section.category)
    return present(
        {
            "linkId": section.key,
            "code": [coding(systems.INFORMATION_CATEGORY, section.category)] if coded else None,
            "text": text(section.title),
            "type": "group" if inside else "display",
            "item": inside,
        }
    )


def _question(form: str, link: str, question: FormQuestion) -> Json:
    """A question; only one that is chosen has options, and only one that is asked repeats (R4)."""
    kind = _item_type(question)
    options = [_option(form, link, one) for one in question.choices if kind == CHOICE]
    return present(
        {
            "linkId": link,
            "text": text(question.label),
            "type": kind,
            "repeats": True if question.kind in REPEATED and kind != "display" else None,
            "answerOption": options,
            "item": [_question(form, f"{link}.{one.key}", one) for one in question.columns],
        }
    )


def _item_type(question: FormQuestion) -> str:
    """What is chosen may be text as well, where a form cannot list it; R4 has no empty group."""
    if question.kind in CHOSEN:
        return CHOICE
    found = ITEM_TYPES.get(question.kind, "string")
    return "display" if found == "group" and not question.columns else found


def _option(form: str, link: str, choice: FormChoice) -> Json:
    chosen = _chosen(form, link, choice.value, choice.label)
    return chosen or {"valueString": text(choice.value) or text(choice.label) or "?"}


# A filling ----------------------------------------------------------------------------------------


def questionnaire_response(answers: FormAnswers) -> Json:
    """QuestionnaireResponse (UK Core): completed once it is signed off, else in progress."""
    agency = reference("Organization", answers.author_agency)
    author = reference("Practitioner", answers.author)
    address = systems.form_address(answers.form_key)
    title = extension(systems.DISPLAY, "String", text(answers.title))
    items = [_section(answers.form_key, one) for one in answers.sections]
    return resource(
        "QuestionnaireResponse",
        answers,
        {
            "extension": extension(systems.STARTED_ON, "Date", day(answers.started_on))
            + extension(systems.ON_BEHALF_OF, "Reference", agency if author else None),
            "questionnaire": f"{address}|{answers.form_number}",
            "_questionnaire": {"extension": title} if title else None,
            "status": "completed" if answers.signed_off else "in-progress",
            "subject": reference("Patient", answers.child),
            "authored": day(answers.signed_off_on or answers.started_on),
            "author": author or agency,
            "item": [one for one in items if "item" in one],
        },
    )


def _section(form: str, section: GivenSection) -> Json:
    inside: list[Json] = []
    for given in section.answers:
        inside += _given(form, f"{section.key}.{given.key}", given)
    return present({"linkId": section.key, "text": text(section.title), "item": inside})


def _given(form: str, link: str, given: Given) -> Iterator[Json]:
    """One item for a cell, or one for each row that holds something."""
    columns = {one.key: one for one in given.columns}
    head = present({"linkId": link, "text": text(given.label)})
    told = _answers(form, link, given.kind, given.choices, given.cell)
    if told:
        yield head | {"answer": told}
    for row in given.rows:
        cells = [_cell(form, f"{link}.{key}", columns.get(key), cell) for key, cell in row]
        if any(cells):
            yield head | {"item": [one for one in cells if one]}


def _cell(form: str, link: str, column: FormQuestion | None, cell: Cell) -> Json | None:
    kind, choices = ("short_text", ()) if column is None else (column.kind, column.choices)
    told = _answers(form, link, kind, choices, cell)
    if not told:
        return None
    label = None if column is None else text(column.label)
    return present({"linkId": link, "text": label, "answer": told})


def _answers(
    form: str, link: str, kind: str, choices: tuple[FormChoice, ...], cell: Cell | None
) -> list[Json]:
    values = (cell,) if isinstance(cell, str) else cell or ()
    told = (_answer(form, link, kind, choices, one) for one in values)
    return [one for one in told if one]


def _answer(
    form: str, link: str, kind: str, choices: tuple[FormChoice, ...], value: str
) -> Json | None:
    """The answer in its question's type; what does not fit the type is told as text."""
    said = text(value)
    if said is None:
        return None
    if kind == "yes_no" and said in BOOLEANS:
        return {"valueBoolean": BOOLEANS[said]}
    if kind == "date" and (on := _as_day(said)):
        return {"valueDate": on}
    if kind in CHOSEN:
        label = next((one.label for one in choices if one.value == value), None)
        if (label is not None) and (chosen := _chosen(form, link, value, label)):
            return chosen
    return {"valueString": said}


def _chosen(form: str, link: str, value: str, label: str) -> Json | None:
    if not is_code(value):
        return None
    return {"valueCoding": coding(systems.form_choices(form, link), value, label)}


def _as_day(said: str) -> str | None:
    try:
        return date.fromisoformat(said).isoformat()
    except ValueError:
        return None
