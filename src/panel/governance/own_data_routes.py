"""What one of the family asks about the data that is kept; and what is put right in a record."""

from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from panel.accounts.desk import FAMILY_AGAIN, FAMILY_HOME, FOR_FAMILIES, Desk, go
from panel.accounts.step_pages import Field, Shown, Step, step_page
from panel.accounts.taking import take
from panel.governance.rights_corrections import (
    Said,
    answer_correction,
    ask_correction,
    corrections,
    own_answers,
    places,
)
from panel.governance.rights_forms import CorrectionForm, OwnForm
from panel.governance.rights_models import FileState, Outcome, RightKind
from panel.governance.rights_routes import handed_out
from panel.governance.rights_service import (
    SUBJECT_ACCESS,
    ask_as_family,
    line_of,
    own_requests,
    require_standing,
)
from panel.records.gate import Access
from panel.register.service import child_header
from panel.web import words
from panel.web.forms import FieldErrors, Filled

OWN = "/family/{child_id:uuid}/own-data"
CORRECTIONS = "/children/{child_id:uuid}/corrections"
OWN_KINDS = (
    ("access", "A copy of what is kept"),
    ("rectification", "Something that is wrong put right"),
    ("restriction", "That it is kept but not used for now"),
    ("objection", "That it is not used as it is"),
)
_ENDED = {
    Outcome.DONE: "We did what you asked.",
    Outcome.DONE_IN_PART: "We did a part of what you asked.",
    Outcome.REFUSED: "We did not do it.",
    Outcome.WITHDRAWN: "You told us that you no longer want it.",
}

_PUT_RIGHT = {
    "corrected": "We put it right.",
    "refused": "We left it as it is. What you say stands beside it.",
}


@get(OWN, include_in_schema=False, opt=FOR_FAMILIES)
async def own_data(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    sent: FromQuery[str] = "",
    kind: FromQuery[str] = "",
) -> Response[Any]:
    """Ask for a copy of what is kept, and see what became of it."""
    opens = partial(_own, desk, child_id)
    async with opens("opened the page about their own data") as access:
        return await _own_page(desk, access, sent=sent, kind=kind)


@post(OWN, include_in_schema=False, opt=FOR_FAMILIES)
async def ask_for_own_data(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Take a request of one of the family in."""
    opens = partial(_own, desk, child_id, "asked about their own data")

    async def work(access: Access, form: OwnForm) -> None:
        row = await ask_as_family(access, RightKind(form.kind), form.about)
        await ask_correction(access.session, row)

    async def again(errors: FieldErrors) -> Response[Any]:
        async with opens() as access:
            return await _own_page(desk, access, errors)

    return await take(
        desk, OwnForm, opens, work, f"/family/{child_id}/own-data?sent=yes", again=again
    )


@post(f"{OWN}/{{file_id:uuid}}", include_in_schema=False, opt=FOR_FAMILIES)
async def own_copy(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], file_id: FromPath[UUID]
) -> Response[Any]:
    """The copy, once, for who just showed that it is them: it is all that there is."""
    if not await desk.is_proved():
        here = f"/family/{child_id}/own-data"
        return go(f"{FAMILY_AGAIN}&next={here}")
    opens = partial(_own, desk, child_id, "was handed a copy of what is kept")
    return await handed_out(desk, opens, file_id, f"/family/{child_id}/own-data")


def _own(desk: Desk, child_id: UUID, doing: str) -> AbstractAsyncContextManager[Access]:
    return desk.open(child_id, doing, (SUBJECT_ACCESS,))


async def _own_page(
    desk: Desk,
    access: Access,
    errors: FieldErrors | None = None,
    *,
    sent: str = "",
    kind: str = "",
) -> Response[Any]:
    require_standing(access)
    here = f"/family/{access.child_id}/own-data"
    rows = []
    answered = await own_answers(access)
    for row, file in await own_requests(access):
        line = line_of(row)
        if line.outcome is not None:
            state = _ENDED[line.outcome]
        else:
            state = f"You hear from us by {words.day(line.clock.due_on(desk.today))}."
        is_ready = file is not None and file.state == FileState.READY
        rows.append(
            (
                dict(OWN_KINDS)[line.kind.value],
                words.day(line.clock.received_on),
                state,
                row.extended_why,
                row.outcome_why,
                f"{here}/{file.id}" if file is not None and is_ready else "",
                [(_PUT_RIGHT[state], why) for state, why in answered.get(row.id, ())],
            )
        )
    return desk.page(
        "governance/own_data.html",
        status=200 if errors is None else 422,
        rows=rows,
        kinds=OWN_KINDS,
        thanks=sent == "yes",
        filled=Filled({"kind": kind} if kind in dict(OWN_KINDS) else {}, errors),
        action=here,
        back_href=FAMILY_HOME,
    )


# --- Corrections --------------------------------------------------------------------------------


@get(CORRECTIONS, include_in_schema=False)
async def corrections_page(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """What is said to be wrong, and what was done."""
    async with desk.open(child_id, "read what is said to be wrong") as access:
        return desk.page(
            "governance/corrections.html",
            header=await child_header(access),
            here="corrections",
            rows=await corrections(access),
            address=f"/children/{child_id}/corrections",
        )


@get(f"{CORRECTIONS}/{{correction_id:uuid}}", include_in_schema=False)
async def correction(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], correction_id: FromPath[UUID]
) -> Response[Any]:
    """One of them, to be answered."""
    return await _correction(desk, child_id, correction_id)


@post(f"{CORRECTIONS}/{{correction_id:uuid}}", include_in_schema=False)
async def correct(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], correction_id: FromPath[UUID]
) -> Response[Any]:
    """Correct it, or leave it with what they say beside it."""

    async def work(access: Access, form: CorrectionForm) -> None:
        said = Said(form.where, form.reason, form.after, form.statement)
        await answer_correction(access, correction_id, form.version, form.answer, said)

    opens = partial(desk.open, child_id, "answered what is said to be wrong")
    again = partial(_correction, desk, child_id, correction_id)
    to = f"/children/{child_id}/corrections"
    return await take(desk, CorrectionForm, opens, work, to, again=again)


async def _correction(
    desk: Desk, child_id: UUID, correction_id: UUID, errors: FieldErrors | None = None
) -> Response[Any]:
    async with desk.open(child_id, "read what is said to be wrong") as access:
        rows = await corrections(access)
        choices = tuple((one.where, one.label) for one in await places(access))
    here = f"/children/{child_id}/corrections"
    found = next((one for one in rows if one.id == correction_id), None)
    step = Step(
        "Put it right",
        "Both versions are kept. Where you leave the text, what they say stands beside it.",
        "Save",
        (
            Field("radios", "where", "Which text is it about?", choices=choices),
            Field(
                "radios",
                "answer",
                "What do you do?",
                choices=(("corrected", "Correct it"), ("refused", "Leave it as it is")),
            ),
            Field("text", "after", "The text as it should be", "Where you correct it"),
            Field("text", "statement", "What they say, to stand beside it", "Where you leave it"),
            Field("text", "reason", "Why?", "Whoever asked is told."),
        ),
    )
    shown = Shown(
        f"{here}/{correction_id}",
        here,
        found.version if found else 0,
        quoted=found.asked if found else "",
    )
    return step_page(desk, step, shown, errors)


HANDLERS = [own_data, ask_for_own_data, own_copy, corrections_page, correction, correct]
