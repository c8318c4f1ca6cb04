"""The page on which an authority sets who is eligible to be before its panels. No case data."""

from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency

from panel.accounts.desk import SETTING, SETTINGS, Desk
from panel.accounts.step_pages import Field, Shown, Step, step_page
from panel.accounts.taking import Transaction, take_here
from panel.panels.referring import criteria, named_anew, set_criteria, times_set
from panel.platform.problems import Clash, Conflict
from panel.web.forms import FieldErrors, line, paragraphs

PAGE = f"{SETTINGS}/eligibility"
SET = Step(
    "Who is eligible",
    "Whoever decides on a referral that a child is not eligible names the condition that is not"
    " met. What was decided before keeps the condition as it was then.",
    "Set the conditions",
    (
        Field("text", "conditions", "Conditions", "One on each line, in words a family reads."),
        Field("line", "source", "Where does it come from?", "For example, the panel of May."),
    ),
)


class CriteriaForm(msgspec.Struct, forbid_unknown_fields=True):
    """The conditions from now on."""

    version: int
    conditions: Annotated[str, paragraphs("Conditions", at_most=4_000)]
    source: Annotated[
        str, line("Source", at_most=300, missing="Say where it comes from, for who reads it later")
    ]


async def _page(desk: Desk, errors: FieldErrors | None = None) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        known, version = await criteria(session), await times_set(session)
    stored: dict[str, object] = {"conditions": "\n".join(one.words for one in known)}
    return step_page(desk, SET, Shown(PAGE, SETTINGS, version, stored=stored), errors)


@get(PAGE, include_in_schema=False)
async def conditions_page(desk: NamedDependency[Desk]) -> Response[Any]:
    """The conditions as they hold, and the form that changes them."""
    desk.require(*SETTING)
    return await _page(desk)


@post(PAGE, include_in_schema=False)
async def set_conditions(desk: NamedDependency[Desk]) -> Response[Any]:
    """Set them from now on."""
    desk.require(*SETTING)

    async def work(here: Transaction, form: CriteriaForm) -> None:
        if form.version != await times_set(here.session):
            raise Conflict((Clash("The conditions", form.conditions, "They were set meanwhile"),))
        known = await criteria(here.session)
        await set_criteria(
            here.session, named_anew(form.conditions.splitlines(), known), form.source
        )

    async def again(errors: FieldErrors) -> Response[Any]:
        return await _page(desk, errors)

    return await take_here(desk, CriteriaForm, work, SETTINGS, again=again)


HANDLERS = [conditions_page, set_conditions]
