"""The page on which one of the family asks for help for their own child, once more or at first."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from panel.accounts.desk import FAMILY_HOME, FOR_FAMILIES, Desk, go
from panel.accounts.step_pages import Field, Shown, Step, step_page
from panel.accounts.taking import take
from panel.families.happening import panels_to_ask
from panel.panels.models import Panel
from panel.panels.referring import refer_own_child
from panel.platform.problems import Invalid
from panel.records.gate import Access
from panel.web.forms import FieldErrors, chosen, paragraphs

ASK = "/family/{child_id:uuid}/ask-for-help"


class AskForm(msgspec.Struct, forbid_unknown_fields=True):
    """What they would like help with."""

    panel: Annotated[UUID, chosen("Who to ask", missing="Choose whom you ask")]
    reason: Annotated[
        str,
        paragraphs("Help", at_most=2_000, missing="Say what you would like help with"),
    ]


@get(ASK, include_in_schema=False, opt=FOR_FAMILIES)
async def ask_page(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Ask for help."""
    return await _page(desk, child_id)


async def _page(desk: Desk, child_id: UUID, errors: FieldErrors | None = None) -> Response[Any]:
    async with desk.open(child_id, "opened the page to ask for help") as access:
        panels = [(str(key), name) for key, name in await panels_to_ask(access)]
    if not panels:
        return go(FAMILY_HOME)
    step = Step(
        "Ask for help",
        "Somebody reads it within a few days and tells you here what happens next.",
        "Send",
        (
            Field("radios", "panel", "Whom do you ask?", "", panels),
            Field(
                "text",
                "reason",
                "What would you like help with?",
                "Write it as you would say it, in your own language if you like.",
            ),
        ),
    )
    return step_page(desk, step, Shown(f"/family/{child_id}/ask-for-help", FAMILY_HOME), errors)


@post(ASK, include_in_schema=False, opt=FOR_FAMILIES)
async def ask(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Keep it as a referral."""

    async def work(access: Access, form: AskForm) -> None:
        panel = await access.session.get(Panel, form.panel)
        if panel is None:
            raise Invalid.because("panel", "Choose whom you ask")
        await refer_own_child(access, panel, form.reason)

    return await take(
        desk,
        AskForm,
        partial(desk.open, child_id, "asked for help"),
        work,
        FAMILY_HOME,
        again=partial(_page, desk, child_id),
    )


HANDLERS = [ask_page, ask]
