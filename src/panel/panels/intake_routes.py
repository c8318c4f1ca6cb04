"""Taking in a child whom an agency refers by letter or telephone, for who runs the panel."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from panel.accounts.desk import Desk, go
from panel.accounts.service import agencies
from panel.panels import forms
from panel.panels.calendar import panel_by_key
from panel.panels.child_routes import REASON_CATEGORIES
from panel.panels.intake import new_child, take_in
from panel.panels.models import Panel
from panel.platform.problems import FieldError, NotAllowed
from panel.register.service import duplicates_in_reach
from panel.web.forms import FieldErrors, Filled


async def _panel(desk: Desk, key: str) -> Panel:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        panel = await panel_by_key(session, key)
    if panel.id not in desk.signed_in.may_coordinate:
        raise NotAllowed("Only the coordinator or the chair of this panel takes referrals in.")
    return panel


async def _page(
    desk: Desk, panel: Panel, errors: FieldErrors | None = None, *, asks_twice: bool = False
) -> Response[str]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        known = [(str(one.id), one.name) for one in await agencies(session)]
    return desk.page(
        "panels/intake.html",
        status=200 if errors is None else 422,
        panel_name=panel.name,
        panel_address=f"/panels/{panel.key}",
        agencies=known,
        categories=REASON_CATEGORIES,
        asks_twice=asks_twice,
        filled=Filled({"referred_on": desk.today}, errors),
    )


@get("/panels/{key:str}/referrals/new", include_in_schema=False)
async def intake_page(desk: NamedDependency[Desk], key: FromPath[str]) -> Response[str]:
    """The form for a child who is referred from outside."""
    return await _page(desk, await _panel(desk, key))


@post("/panels/{key:str}/referrals/new", include_in_schema=False)
async def intake(desk: NamedDependency[Desk], key: FromPath[str]) -> Response[Any]:
    """Add the child and the referral; one who looks like a child here is asked about first."""
    panel = await _panel(desk, key)
    posted = await desk.posted()
    form = posted.read(forms.IntakeForm)
    if isinstance(form, FieldErrors):
        return await _page(desk, panel, form)
    mistakes = forms.intake_mistakes(form, desk.today)
    if mistakes:
        return await _page(desk, panel, posted.refused(mistakes))
    list_address = f"/panels/{panel.key}/children"
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = [] if form.another_child else await duplicates_in_reach(session, new_child(form))
        if not found:
            if not await desk.first_time(session, posted, list_address):
                return go(list_address)
            child_id = await take_in(session, panel, form)
            return go(f"/children/{child_id}/panels")
    said = FieldError(
        "another_child", "A child of this name and birth date is here. Say whether it is another"
    )
    return await _page(desk, panel, posted.refused([said]), asks_twice=True)


HANDLERS = [intake_page, intake]
