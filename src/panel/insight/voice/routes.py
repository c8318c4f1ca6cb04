"""The survey: one of the family answers it, and workers read what they were shown."""

from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from panel.accounts.desk import FAMILY_HOME, FOR_FAMILIES, Desk
from panel.accounts.taking import take
from panel.insight.voice.answering import (
    answer,
    dismiss,
    open_own,
    own_name,
    shown_to_workers,
    withdraw,
)
from panel.insight.voice.forms import MOST_WORDS, SurveyForm, VersionForm
from panel.insight.voice.pages import (
    CHOICES,
    READERS,
    filled_with,
    shown_lines,
    survey_page,
    survey_path,
)
from panel.records.gate import Access
from panel.register.service import child_header
from panel.web.forms import FieldErrors, Filled

SURVEY = "/family/{child_id:uuid}/surveys/{survey_id:uuid}"
OWN_PAGE = "opened their own page"
"""What the history of looks says, whatever they did: that somebody answered is told nobody."""


@get(SURVEY, include_in_schema=False, opt=FOR_FAMILIES)
async def survey(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], survey_id: FromPath[UUID]
) -> Response[str]:
    """The questions for one of the family, or what they answered."""
    async with desk.open(child_id, OWN_PAGE) as access:
        return await _survey(desk, access, survey_id)


async def _survey(
    desk: Desk, access: Access, survey_id: UUID, errors: FieldErrors | None = None
) -> Response[str]:
    own = await open_own(access, survey_id)
    return desk.page(
        "insight/survey.html",
        status=200 if errors is None else 422,
        page=survey_page(own, await own_name(access)),
        choices=CHOICES,
        readers=READERS,
        filled=Filled(filled_with(own.answers), errors),
        at_most=MOST_WORDS,
    )


@post(SURVEY, include_in_schema=False, opt=FOR_FAMILIES)
async def answer_survey(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], survey_id: FromPath[UUID]
) -> Response[Any]:
    """Keep what somebody answers."""
    opens = partial(desk.open, child_id, OWN_PAGE)

    async def work(access: Access, form: SurveyForm) -> None:
        await answer(access, survey_id, form.version, form.answers())

    async def again(errors: FieldErrors) -> Response[Any]:
        async with opens() as access:
            return await _survey(desk, access, survey_id, errors)

    return await take(desk, SurveyForm, opens, work, survey_path(child_id, survey_id), again=again)


@post(f"{SURVEY}/dismiss", include_in_schema=False, opt=FOR_FAMILIES)
async def dismiss_survey(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], survey_id: FromPath[UUID]
) -> Response[Any]:
    """Somebody does not want to answer: it is not asked again."""

    async def work(access: Access, form: VersionForm) -> None:
        await dismiss(access, survey_id, form.version)

    return await take(desk, VersionForm, partial(desk.open, child_id, OWN_PAGE), work, FAMILY_HOME)


@post(f"{SURVEY}/take-back", include_in_schema=False, opt=FOR_FAMILIES)
async def take_survey_back(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], survey_id: FromPath[UUID]
) -> Response[Any]:
    """Somebody takes back all that they answered."""

    async def work(access: Access, form: VersionForm) -> None:
        await withdraw(access, survey_id, form.version)

    opens = partial(desk.open, child_id, OWN_PAGE)
    return await take(desk, VersionForm, opens, work, survey_path(child_id, survey_id))


@get("/children/{child_id:uuid}/experience", include_in_schema=False)
async def experience(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
    """What the family let those who work with the child read of their answers."""
    async with desk.open(child_id, "read what the family says of the panel") as access:
        header = await child_header(access)
        found = await shown_to_workers(access)
    return desk.page(
        "insight/experience.html",
        header=header,
        here="experience",
        shown=[shown_lines(one) for one in found],
    )


HANDLERS = [survey, answer_survey, dismiss_survey, take_survey_back, experience]
