"""A child before panels: referral, escalation, transition, the family's words."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Tie
from panel.accounts.desk import Desk, go, unless_invalid
from panel.accounts.taking import take
from panel.panels import forms, pages
from panel.panels.calendar import meeting_days
from panel.panels.models import Panel
from panel.panels.reading import all_panels
from panel.panels.referrals import (
    HOW_ASKED,
    HOW_WORDS,
    PanelsOfChild,
    acknowledge,
    ask_family,
    close_referral,
    escalate,
    is_chair,
    panels_of_child,
    record_words,
    refer,
    set_transition,
    take_as_urgent,
    takes_referrals,
)
from panel.panels.referring import answers_of, received, tell_acknowledged
from panel.panels.referring_words import answer_rows
from panel.panels.telling import before_panel
from panel.platform.problems import NotFound
from panel.records.gate import Access
from panel.register.service import child_header, people_of
from panel.web import words
from panel.web.forms import FieldErrors, Filled

REASON_CATEGORIES = (
    ("health", "Health"),
    ("development", "Development"),
    ("education", "Education"),
    ("social_care", "Social care"),
    ("family", "Family"),
    ("plan", "Plan"),
    ("safeguarding", "Safeguarding"),
)
SOON = timedelta(days=120)


async def _choices(access: Access) -> list[tuple[str, str]]:
    """Who of the family can be named as asked, where the viewer may know them."""
    people = await people_of(access)
    return [
        (str(one.member_id), f"{one.name}, {one.relationship}") for one in people.family if one.name
    ]


async def _urgent_meetings(
    access: Access, found: PanelsOfChild
) -> dict[UUID, list[tuple[str, str]]]:
    """For each referral to a panel that the viewer chairs: the meetings to come."""
    choices: dict[UUID, list[tuple[str, str]]] = {}
    for view in found.referrals:
        fact = view.fact
        if fact.state == "closed":
            continue
        if not await is_chair(access.session, access.viewer.id, fact.panel_id):
            continue
        panel = await _panel(access.session, fact.panel_id)
        days = await meeting_days(access.session, panel, access.today, access.today + SOON)
        choices[fact.id] = [
            (one.held_on.isoformat(), words.day(one.held_on))
            for one in days.meetings
            if one.state == "planned"
        ]
    return choices


async def _panel(session: AsyncSession, panel_id: UUID) -> Panel:
    panel = await session.get(Panel, panel_id)
    if panel is None:
        raise NotFound("There is no such panel.", "Load the page again.")
    return panel


async def _page(
    desk: Desk, child_id: UUID, errors: FieldErrors | None = None, form: str = ""
) -> Response[str]:
    """The page; `form` says which of its forms has the mistakes."""
    async with desk.gate.open(
        child_id, desk.viewer, desk.purposes, "read the child’s panels"
    ) as access:
        header = await child_header(access)
        found = await panels_of_child(access)
        before = {one.fact.panel_id for one in found.referrals if one.fact.state != "closed"}
        may_refer = bool(access.ties & {Tie.TEAM, Tie.LEAD, Tie.MANAGER})
        panels = await all_panels(access.session) if may_refer else []
        urgent = await _urgent_meetings(access, found)
        coming = await before_panel(access) if before else None
        answers = await answers_of(access)
        return desk.page(
            "panels/child.html",
            status=200 if errors is None else 422,
            header=header,
            here="panels",
            referrals=[pages.referral_page(one, desk.today, coming) for one in found.referrals],
            withheld_here=[one.sentence for one in found.withheld],
            history=pages.agenda_history(found),
            family_words=pages.words_rows(found),
            panels=[
                (str(one.id), one.name)
                for one in panels
                if takes_referrals(one) and one.id not in before
            ],
            decides=[one.name for one in panels if not takes_referrals(one)],
            categories=REASON_CATEGORIES,
            urgent=urgent,
            answers={key: answer_rows(one, desk.today) for key, one in answers.items()},
            to_decide=[key for key, one in answers.items() if not one.outcome],
            is_panel=Tie.PANEL in access.ties,
            may_write=access.may_write,
            family=await _choices(access) if access.may_write else [],
            hows=[(one, HOW_WORDS[one]) for one in HOW_ASKED],
            filled=Filled({}, errors),
            wrong=form,
            nothing=Filled(),
        )


@get("/children/{child_id:uuid}/panels", include_in_schema=False)
async def panels_of_child_page(
    desk: NamedDependency[Desk], child_id: FromPath[UUID]
) -> Response[str]:
    """The child's panels: referral, last and next discussion, what the family said."""
    return await _page(desk, child_id)


Form = msgspec.Struct
Step = Callable[[Access, Any], Awaitable[object]]


async def _take(
    desk: Desk, child_id: UUID, kind: type[Form], doing: str, name: str, step: Step
) -> Response[Any]:
    """Read a form, do its work once, and show the page; with its mistakes where there are any."""

    async def again(errors: FieldErrors) -> Response[Any]:
        return await _page(desk, child_id, errors, name)

    opens = partial(desk.open, child_id, doing)
    return await take(desk, kind, opens, step, f"/children/{child_id}/panels", again=again)


@post("/children/{child_id:uuid}/panels/refer", include_in_schema=False)
async def refer_child(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Put the child forward to a panel."""

    async def step(access: Access, form: forms.ReferForm) -> None:
        panel = await _panel(access.session, form.panel)
        referral = await refer(access, panel, reason=form.reason, category=Category(form.category))
        await received(access.session, referral, "worker")

    return await _take(
        desk, child_id, forms.ReferForm, "referred the child to a panel", "refer", step
    )


@post("/children/{child_id:uuid}/panels/{referral_id:uuid}/acknowledge", include_in_schema=False)
async def acknowledge_referral(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], referral_id: FromPath[UUID]
) -> Response[Any]:
    """The panel says that it has the referral."""
    form = unless_invalid((await desk.posted()).read(forms.VersionForm))
    async with desk.gate.open(
        child_id, desk.viewer, desk.purposes, "acknowledged the referral"
    ) as access:
        referral = await acknowledge(access, referral_id, form.version)
        await tell_acknowledged(access, referral, f"{desk.site.url}/children/{child_id}/panels")
    return go(f"/children/{child_id}/panels")


@post("/children/{child_id:uuid}/panels/{referral_id:uuid}/close", include_in_schema=False)
async def close(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], referral_id: FromPath[UUID]
) -> Response[Any]:
    """The child is no longer before this panel."""
    form = unless_invalid((await desk.posted()).read(forms.VersionForm))
    async with desk.gate.open(
        child_id, desk.viewer, desk.purposes, "closed the referral"
    ) as access:
        await close_referral(access, referral_id, form.version)
    return go(f"/children/{child_id}/panels")


@post("/children/{child_id:uuid}/panels/{referral_id:uuid}/escalate", include_in_schema=False)
async def escalate_child(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], referral_id: FromPath[UUID]
) -> Response[Any]:
    """The case cannot wait for its turn."""

    async def step(access: Access, form: forms.EscalateForm) -> None:
        await escalate(access, referral_id, form.reason, form.version)

    return await _take(desk, child_id, forms.EscalateForm, "escalated the child", "escalate", step)


@post("/children/{child_id:uuid}/panels/{referral_id:uuid}/urgent", include_in_schema=False)
async def urgent_child(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], referral_id: FromPath[UUID]
) -> Response[Any]:
    """The chair takes the child to a meeting although something is missing."""

    async def step(access: Access, form: forms.UrgentForm) -> None:
        found = await panels_of_child(access)
        panel_id = next(
            (one.fact.panel_id for one in found.referrals if one.fact.id == referral_id), None
        )
        if panel_id is None:
            raise NotFound("There is no such referral.", "Load the page again.")
        panel = await _panel(access.session, panel_id)
        await take_as_urgent(access, panel, referral_id, form.meeting, form.reason, form.version)

    return await _take(desk, child_id, forms.UrgentForm, "took the child as urgent", "urgent", step)


@post("/children/{child_id:uuid}/panels/{referral_id:uuid}/transition", include_in_schema=False)
async def transition(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], referral_id: FromPath[UUID]
) -> Response[Any]:
    """A change that is coming."""

    async def step(access: Access, form: forms.TransitionForm) -> None:
        await set_transition(access, referral_id, form.what, form.on, form.version)

    return await _take(
        desk, child_id, forms.TransitionForm, "noted a transition", "transition", step
    )


@post("/children/{child_id:uuid}/panels/family-words", include_in_schema=False)
async def family_said(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """The family was asked, and perhaps said what the panel should know and ask."""

    async def step(access: Access, form: forms.WordsForm) -> None:
        if form.said:
            await record_words(
                access, said=form.said, family_member_id=form.family_member, how=form.how
            )
        else:
            await ask_family(access, family_member_id=form.family_member, how=form.how)

    return await _take(
        desk, child_id, forms.WordsForm, "wrote down the family’s words", "family-words", step
    )


HANDLERS = [
    panels_of_child_page,
    refer_child,
    acknowledge_referral,
    close,
    escalate_child,
    urgent_child,
    transition,
    family_said,
]
