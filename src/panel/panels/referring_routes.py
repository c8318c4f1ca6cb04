"""The page on which whoever runs a panel decides whether a referred child is eligible."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from panel.accounts.desk import Desk
from panel.accounts.step_pages import Field, Shown, Step, step_page
from panel.accounts.taking import take
from panel.panels.referring import Decided, answers_of, criteria, decide
from panel.panels.referring_words import answer_rows
from panel.platform.problems import NotFound
from panel.records.gate import Access
from panel.register.service import child_header
from panel.web.forms import FieldErrors, chosen, paragraphs

PAGE = "/children/{child_id:uuid}/panels/{referral_id:uuid}/eligibility"


class DecideForm(msgspec.Struct, forbid_unknown_fields=True):
    """Eligible, or not."""

    version: int
    outcome: Annotated[
        Literal["eligible", "not_eligible"],
        chosen("Decision", missing="Select whether the child is eligible"),
    ]
    unmet: Annotated[str, chosen("Which condition is not met")] = ""
    reasons: Annotated[str, paragraphs("Reasons", at_most=2_000)] = ""
    what_else: Annotated[str, paragraphs("What else there is", at_most=2_000)] = ""


def _step(known: Sequence[str]) -> Step:
    return Step(
        "Is the child eligible?",
        "Whoever referred the child and the family read what you write here.",
        "Save the decision",
        (
            Field(
                "radios",
                "outcome",
                "Your decision",
                "",
                (("eligible", "Eligible"), ("not_eligible", "Not eligible")),
            ),
            Field(
                "select",
                "unmet",
                "Which condition is not met?",
                "Only if not eligible.",
                [(one, one) for one in known],
            ),
            Field("text", "reasons", "Why?"),
            Field(
                "text",
                "what_else",
                "What else is there for this family?",
                "Only if not eligible: services, people, where to ask.",
            ),
        ),
    )


async def _page(
    desk: Desk, child_id: UUID, referral_id: UUID, errors: FieldErrors | None = None
) -> Response[str]:
    async with desk.open(child_id, "read the referral") as access:
        answer = (await answers_of(access)).get(referral_id)
        known = await criteria(access.session)
        header = await child_header(access)
    if answer is None:
        raise NotFound("There is no such referral.", "Load the page again.")
    address = f"/children/{child_id}/panels"
    facts = answer_rows(answer, desk.today)
    whose = (header.name, header.facts)
    action = f"{address}/{referral_id}/eligibility"
    shown = Shown(action, address, answer.version, facts, whose=whose)
    return step_page(desk, _step(known), shown, errors)


@get(PAGE, include_in_schema=False)
async def eligibility(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], referral_id: FromPath[UUID]
) -> Response[str]:
    """How the referral stands, and the decision."""
    return await _page(desk, child_id, referral_id)


@post(PAGE, include_in_schema=False)
async def decide_eligibility(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], referral_id: FromPath[UUID]
) -> Response[Any]:
    """Decide."""

    async def work(access: Access, form: DecideForm) -> None:
        decided = Decided(
            form.outcome == "eligible",
            (form.unmet,) if form.unmet else (),
            form.reasons,
            form.what_else,
        )
        link = f"{desk.site.url}/children/{child_id}/panels"
        await decide(access, referral_id, form.version, decided, link)

    return await take(
        desk,
        DecideForm,
        partial(desk.open, child_id, "decided whether the child is eligible"),
        work,
        f"/children/{child_id}/panels",
        again=partial(_page, desk, child_id, referral_id),
    )


HANDLERS = [eligibility, decide_eligibility]
