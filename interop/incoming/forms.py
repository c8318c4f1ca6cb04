"""A form and a filling of it: Questionnaire and QuestionnaireResponse, of Panel's own forms.

What somebody else asks is kept as it came: Panel has no form that its answers would fit.
"""

from typing import Final

from interop import systems
from interop.incoming.people import subject_of
from interop.incoming.reader import Assumed, Fields, Reader
from interop.incoming.spoken import Lacking, NotPanels, Spoken, first
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

_FORMS: Final = systems.form_address("")
_KINDS: Final = {"text": "long_text", "date": "date", "boolean": "yes_no"}
_BOOLEANS: Final = {True: "yes", False: "no"}


def _form(questionnaire: Spoken) -> Fields:
    address = questionnaire.text("url") or ""
    version = questionnaire.text("version") or ""
    if not address.startswith(_FORMS):
        raise NotPanels("This is a form of somebody else's.")
    if not _is_number(version):
        raise Lacking("This form does not say which version it is.", ".version")
    questionnaire.note("status", "subjectType")
    return {
        "key": address.removeprefix(_FORMS),
        "number": int(version),
        "title": questionnaire.text("title"),
        "sections": tuple(_section(each) for each in questionnaire.many("item")) or None,
    }


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _section(item: Spoken) -> FormSection:
    key = item.text("linkId") or ""
    item.note("type")
    return FormSection(
        key=key,
        title=item.text("text") or "",
        category=first(_category(each) for each in item.many("code")) or "",
        questions=tuple(_question(each, key) for each in item.many("item")),
    )


def _category(coding: Spoken) -> str | None:
    if coding.value.get("system") != systems.INFORMATION_CATEGORY:
        return None
    coding.note("system", "display")
    return coding.text("code")


def _question(item: Spoken, above: str) -> FormQuestion:
    link = item.text("linkId") or ""
    options = [_option(each) for each in item.many("answerOption")]
    return FormQuestion(
        key=link.removeprefix(f"{above}."),
        label=item.text("text") or "",
        kind=_kind(item),
        choices=tuple(each for each in options if each is not None),
        columns=tuple(_question(each, link) for each in item.many("item")),
    )


def _kind(item: Spoken) -> str:
    """As near as R4's types tell: people are rows, and every short kind is a short text."""
    written, repeats = item.text("type") or "", item.flag("repeats") or False
    if written in {"group", "display"}:
        return "rows" if repeats else "element"
    if written == "open-choice" or repeats:
        return "choices" if repeats else "choice"
    return _KINDS.get(written, "short_text")


def _option(option: Spoken) -> FormChoice | None:
    coding = option.one("valueCoding")
    if coding:
        coding.note("system")
        value = coding.text("code") or ""
        return FormChoice(value=value, label=coding.text("display") or value)
    plain = option.text("valueString")
    return None if plain is None else FormChoice(value=plain, label=plain)


def _answers(response: Spoken) -> Fields:
    address, _, number = (response.text("questionnaire") or "").partition("|")
    if not address.startswith(_FORMS) or not _is_number(number):
        raise NotPanels("These are answers to a form of somebody else's.")
    authored = response.day("authored")
    if authored is None:
        raise Lacking("These answers do not say of which day they are.", ".authored")
    signed_off = response.text("status") in {"completed", "amended"}
    author = response.one("author")
    behalf = response.extension(systems.ON_BEHALF_OF).one("valueReference")
    started = response.extension(systems.STARTED_ON).day("valueDate")
    title = response.one("_questionnaire").extension(systems.DISPLAY).text("valueString")
    sections = tuple(_given_section(each) for each in response.many("item"))
    return {
        "child": subject_of(response.one("subject")),
        "form_key": address.removeprefix(_FORMS),
        "form_number": int(number),
        "signed_off": signed_off,
        "author": author.refers_to("Practitioner", "PractitionerRole"),
        "author_agency": behalf.refers_to("Organization") or author.refers_to("Organization"),
        "title": title,
        "started_on": started or Assumed(authored),
        "signed_off_on": authored if signed_off else None,
        "sections": sections or None,
    }


def _given_section(item: Spoken) -> GivenSection:
    key = item.text("linkId") or ""
    together: dict[str, list[Spoken]] = {}
    for each in item.many("item"):
        together.setdefault(each.text("linkId") or "", []).append(each)
    return GivenSection(
        key=key,
        title=item.text("text") or "",
        answers=tuple(_given(link, items, key) for link, items in together.items()),
    )


def _given(link: str, items: list[Spoken], section: str) -> Given:
    """One question: its cell, or a row for each time that its group stands here."""
    rows = [each for each in items if each.has("item")]
    columns: dict[str, FormQuestion] = {}
    told: list[tuple[tuple[str, Cell], ...]] = []
    for row in rows:
        cells: list[tuple[str, Cell]] = []
        for each in row.many("item"):
            key = (each.text("linkId") or "").removeprefix(f"{link}.")
            kind, choices, cell = _cell(each)
            columns.setdefault(
                key,
                FormQuestion(key=key, label=each.text("text") or "", kind=kind, choices=choices),
            )
            if cell is not None:
                cells.append((key, cell))
        told.append(tuple(cells))
    kind, choices, cell = _cell(items[0])
    for each in items:
        each.note("text")
    return Given(
        key=link.removeprefix(f"{section}."),
        label=items[0].text("text") or "",
        kind="rows" if rows else kind,
        cell=cell,
        rows=tuple(told),
        choices=choices,
        columns=tuple(columns.values()),
    )


def _cell(item: Spoken) -> tuple[str, tuple[FormChoice, ...], Cell | None]:
    """The kind that the answers are of, what was chosen with its words, and the values."""
    answers = [_answer(each) for each in item.many("answer")]
    kinds = {kind for kind, _, _ in answers}
    choices = tuple(choice for _, choice, _ in answers if choice is not None)
    values = tuple(value for _, _, value in answers if value is not None)
    if not values:
        return "short_text", (), None
    if len(values) > 1 or "choice" in kinds:
        return ("choices" if len(values) > 1 else "choice"), choices, _one_or_all(values)
    return answers[0][0], (), values[0]


def _one_or_all(values: tuple[str, ...]) -> Cell:
    return values if len(values) > 1 else values[0]


def _answer(answer: Spoken) -> tuple[str, FormChoice | None, str | None]:
    flag = answer.flag("valueBoolean")
    if flag is not None:
        return "yes_no", None, _BOOLEANS[flag]
    day = answer.text("valueDate")
    if day is not None:
        return "date", None, day
    coding = answer.one("valueCoding")
    if coding:
        coding.note("system")
        value = coding.text("code") or ""
        return "choice", FormChoice(value=value, label=coding.text("display") or value), value
    return "short_text", None, answer.text("valueString")


READERS: Final = {
    "Questionnaire": Reader(message=Form, read=_form, otherwise={"title": "", "sections": ()}),
    "QuestionnaireResponse": Reader(
        message=FormAnswers, read=_answers, otherwise={"child": "", "form": "", "title": ""}
    ),
}
