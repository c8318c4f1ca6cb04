"""What a parent, a carer or a young person opens."""

from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from panel.accounts.desk import FAMILY_HOME, FOR_FAMILIES, Desk, go
from panel.accounts.taking import take
from panel.allocation.letter_service import open_own_letter
from panel.families.choice_routes import HANDLERS as CHOICES
from panel.families.forms import MOST, MOST_OF_ANSWER, AnswerForm, OutcomeForm, TellForm
from panel.families.happened_routes import HANDLERS as HAPPENED
from panel.families.help_routes import HANDLERS as HELP
from panel.families.invite_routes import HANDLERS as INVITATIONS
from panel.families.pages import (
    HOW_IT_IS,
    OutcomePage,
    child_page,
    outcome_page,
    tell_page,
    thanks,
    thanks_for_answer,
)
from panel.families.plan_routes import HANDLERS as PLAN
from panel.families.reading import child_for_family, children_of
from panel.families.sign_in_routes import HANDLERS as SIGN_IN
from panel.panels.note_answers import answer_note, open_own_note
from panel.panels.note_pages import family_note_page
from panel.panels.note_rules import Answer
from panel.panels.telling import tell_the_panel
from panel.plans.service import judge_own_outcome
from panel.platform.problems import NotFound
from panel.records.family_words import Comparing
from panel.records.gate import Access
from panel.web import words
from panel.web.forms import FieldErrors, Filled


@get(FAMILY_HOME, include_in_schema=False, opt=FOR_FAMILIES)
async def family_home(
    desk: NamedDependency[Desk], told: FromQuery[UUID | None] = None
) -> Response[str]:
    """What happens next, whom to ring, the plan, and what one told the panel."""
    children = await children_of(
        desk.tenant,
        desk.gate,
        desk.viewer,
        desk.site.family_words,
        desk.site.family_asks,
        "opened their own page",
    )
    return desk.page(
        "families/home.html",
        children=[child_page(one, desk.today) for one in children],
        thanks=next((thanks(one) for one in children if one.child_id == told), ""),
    )


@get("/family/{child_id:uuid}/tell", include_in_schema=False, opt=FOR_FAMILIES)
async def tell(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """The page on which somebody of the family tells the panel something."""
    async with desk.gate.open(
        child_id, desk.viewer, desk.purposes, "opened the page to tell the panel something"
    ) as access:
        return await _tell(desk, access)


@post("/family/{child_id:uuid}/tell", include_in_schema=False, opt=FOR_FAMILIES)
async def told(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Keep what somebody of the family tells the panel."""
    opens = partial(desk.open, child_id, "told the panel something")

    async def work(access: Access, form: TellForm) -> None:
        await tell_the_panel(access, form.said)

    async def again(errors: FieldErrors) -> Response[Any]:
        async with opens() as access:
            return await _tell(desk, access, errors)

    return await take(desk, TellForm, opens, work, f"{FAMILY_HOME}?told={child_id}", again=again)


async def _tell(desk: Desk, access: Access, errors: FieldErrors | None = None) -> Response[Any]:
    child = await child_for_family(access)
    if child.before is None:
        return go(FAMILY_HOME)
    return desk.page(
        "families/tell.html",
        status=200 if errors is None else 422,
        page=tell_page(child),
        filled=Filled({}, errors),
        at_most=MOST,
    )


HOW_IT_GOES = "said how the plan goes"
OUTCOME = "/family/{child_id:uuid}/outcomes/{outcome_id:uuid}"


@get(OUTCOME, include_in_schema=False, opt=FOR_FAMILIES)
async def judge(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], outcome_id: FromPath[UUID]
) -> Response[str]:
    """The page on which somebody of the family says how something is that is to be different."""
    return await _outcome(desk, child_id, outcome_id)


@post(OUTCOME, include_in_schema=False, opt=FOR_FAMILIES)
async def judged(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], outcome_id: FromPath[UUID]
) -> Response[Any]:
    """Keep how somebody of the family sees it."""
    opens = partial(desk.open, child_id, HOW_IT_GOES)
    comparing = await desk.site.family_words.around(child_id, desk.viewer.id)

    async def work(access: Access, form: OutcomeForm) -> None:
        # Whoever does not read what is to be different cannot say how it is.
        await _to_judge(access, comparing, outcome_id)
        await judge_own_outcome(access, outcome_id, int(form.value))

    again = partial(_outcome, desk, child_id, outcome_id)
    return await take(desk, OutcomeForm, opens, work, FAMILY_HOME, again=again)


async def _to_judge(access: Access, comparing: Comparing | None, outcome_id: UUID) -> OutcomePage:
    """What is to be judged, as they read it. Raises NotFound where they do not."""
    page = outcome_page(await child_for_family(access, comparing), outcome_id)
    if page is None:
        raise NotFound("There is nothing to judge here.", "Go back to your own page.")
    return page


async def _outcome(
    desk: Desk, child_id: UUID, outcome_id: UUID, errors: FieldErrors | None = None
) -> Response[str]:
    # What others' words are compared with, before the record is opened.
    comparing = await desk.site.family_words.around(child_id, desk.viewer.id)
    async with desk.open(child_id, HOW_IT_GOES) as access:
        page = await _to_judge(access, comparing, outcome_id)
    return desk.page(
        "families/outcome.html",
        status=200 if errors is None else 422,
        page=page,
        choices=HOW_IT_IS,
        filled=Filled({}, errors),
    )


NOTE = "/family/{child_id:uuid}/notes/{note_id:uuid}"


@get(NOTE, include_in_schema=False, opt=FOR_FAMILIES)
async def read_notes(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    note_id: FromPath[UUID],
    sent: FromQuery[str] = "",
) -> Response[str]:
    """Notes from the panel, with what one can say about them."""
    async with desk.gate.open(
        child_id, desk.viewer, desk.purposes, "read the notes from the panel"
    ) as access:
        return await _note(desk, access, note_id, sent=sent)


@post(NOTE, include_in_schema=False, opt=FOR_FAMILIES)
async def answer_notes(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], note_id: FromPath[UUID]
) -> Response[Any]:
    """Keep what somebody of the family says about the notes, or asks."""
    opens = partial(desk.open, child_id, "answered the notes from the panel")

    async def work(access: Access, form: AnswerForm) -> None:
        await answer_note(access, note_id, Answer(form.answer), form.said)

    async def again(errors: FieldErrors) -> Response[Any]:
        async with opens() as access:
            return await _note(desk, access, note_id, errors=errors)

    def sent(form: AnswerForm) -> str:
        return f"/family/{child_id}/notes/{note_id}?sent={form.answer}"

    return await take(desk, AnswerForm, opens, work, sent, again=again)


async def _note(
    desk: Desk, access: Access, note_id: UUID, *, errors: FieldErrors | None = None, sent: str = ""
) -> Response[str]:
    note = await open_own_note(access, note_id)
    child = await child_for_family(access)
    said = ""
    if sent in set(Answer):
        said = thanks_for_answer(sent, panel_hears=child.before is not None)
    return desk.page(
        "families/note.html",
        status=200 if errors is None else 422,
        page=family_note_page(note, "" if child.is_self else child.name),
        thanks=said,
        filled=Filled({}, errors),
        at_most=MOST_OF_ANSWER,
    )


@get("/family/{child_id:uuid}/letters/{letter_id:uuid}", include_in_schema=False, opt=FOR_FAMILIES)
async def read_letter(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], letter_id: FromPath[UUID]
) -> Response[str]:
    """A letter about a decision."""
    async with desk.gate.open(
        child_id, desk.viewer, desk.purposes, "read a letter from the panel"
    ) as access:
        letter = await open_own_letter(access, letter_id)
        return desk.page(
            "families/letter.html",
            title=f"Letter from the panel on {words.day(letter.written_on)}",
            paragraphs=[part.split("\n") for part in letter.body.split("\n\n")],
        )


HANDLERS = [
    read_letter,
    family_home,
    tell,
    told,
    judge,
    judged,
    read_notes,
    answer_notes,
    *PLAN,
    *CHOICES,
    *HAPPENED,
    *SIGN_IN,
    *INVITATIONS,
    *HELP,
]
