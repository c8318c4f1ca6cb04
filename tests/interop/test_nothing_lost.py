"""Whatever differs in two messages differs in what is written of them: no field is left behind."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin

import msgspec
import pytest

from interop import messages as said
from interop.outgoing import WRITERS, Json
from tests.interop.examples import FULL

NOT_TOLD = {
    "FormAnswers.form": "the form is told by its address and number, which are unique",
    "Form.sections.questions.kind": "all that is one line is a string in FHIR",
    "FormAnswers.sections.answers.kind": "the form has it; an answer has the type of its value",
    "FormAnswers.sections.answers.columns.kind": "the same",
}
"""Fields whose change need not show, and why."""


def _written(message: said.Message) -> list[Json]:
    return [one.write(message) for one in WRITERS.values() if one.message is type(message)]


@pytest.mark.parametrize("message", FULL, ids=lambda each: type(each).__name__)
def test_another_value_in_a_field_is_another_resource(message: said.Message) -> None:
    before = _written(message)
    unseen = [
        path
        for path, other in _others(message, type(message).__name__)
        if path not in NOT_TOLD and _written(other) == before
    ]
    assert not unseen, "\n".join(unseen)


def _others(value: Any, path: str, kind: Any = None) -> Iterator[tuple[str, Any]]:
    """The same with one thing in it changed, with the path of what changed."""
    if isinstance(value, msgspec.Struct):
        for each in msgspec.structs.fields(type(value)):
            inside = getattr(value, each.name)
            if isinstance(inside, tuple) and inside:
                yield f"{path}.{each.name}", msgspec.structs.replace(value, **{each.name: ()})
            for deeper, other in _others(inside, f"{path}.{each.name}", each.type):
                yield deeper, msgspec.structs.replace(value, **{each.name: other})
    elif isinstance(value, tuple):
        for place, each in enumerate(value):
            for deeper, other in _others(each, path):
                yield deeper, (*value[:place], other, *value[place + 1 :])
    elif value is not None:
        yield path, _another(value, kind)


def _another(value: Any, kind: Any) -> Any:
    if get_origin(kind) is Literal:
        return next(each for each in get_args(kind) if each != value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, date):
        return value + timedelta(days=1)
    if isinstance(value, int | Decimal):
        return value + 1
    if isinstance(value, str):
        return f"{value}x"
    raise AssertionError(f"A message holds what no other value is known for: {value!r}")
