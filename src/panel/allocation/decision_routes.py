"""The pages on which a panel decides: at the meeting, by its chair, and what is to be ratified."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from consent import Purpose
from panel.accounts.desk import Desk
from panel.accounts.taking import take
from panel.allocation import request_pages as pages
from panel.allocation.criteria_service import criteria_on
from panel.allocation.decision_forms import DecisionForm
from panel.allocation.decision_service import (
    act_as_chair,
    decide,
    ratify,
    require_chair,
    require_deciding,
    standing_decision,
    to_ratify,
)
from panel.allocation.fairness_reading import like_this
from panel.allocation.models import RequestDecision
from panel.allocation.outside_pages import outside_address, placement_rows
from panel.allocation.outside_service import lacking_today, placement_for
from panel.allocation.packages_beside import beside_request
from panel.allocation.request_pages import address_of
from panel.allocation.request_service import left_of, request_of, require_reader, service_of
from panel.allocation.rules import (
    ANOTHER_WAY,
    GROUNDS_WORDS,
    KIND_WORDS,
    Kind,
    LegalBasis,
    is_duty,
)
from panel.panels.holding import AtItem
from panel.panels.meeting_routes import opened_item, topic_of
from panel.panels.models import Panel
from panel.panels.run import Run, running
from panel.platform.live import tell
from panel.platform.problems import NotAllowed
from panel.records.gate import Access, Gate
from panel.register.header import ChildHeader, child_header
from panel.web import words
from panel.web.forms import FieldErrors, Filled, Nothing

AT_MEETING = "/panels/{key:str}/{held_on:date}/meeting/{child_id:uuid}/requests/{need_id:uuid}"
BY_CHAIR = "/children/{child_id:uuid}/requests/{need_id:uuid}/chairs-action"
DECISIONS = "/panels/{key:str}/{held_on:date}/decisions"


async def _decide_page(
    desk: Desk,
    access: Access,
    need_id: UUID,
    where: tuple[str, str, str],
    errors: FieldErrors | None,
) -> Response[str]:
    """The form for a decision; `where` is its address, the way back and what that is called."""
    request = await request_of(access, need_id)
    require_reader(access, request)
    address, back, back_words = where
    former = await standing_decision(access.session, request.id)
    duty = is_duty(LegalBasis(request.legal_basis or LegalBasis.LOCAL_OFFER))
    placement = await placement_for(access.session, request.id)
    lacks = (
        ()
        if placement is None
        else await lacking_today(access.session, placement.id, placement.footing)
    )
    return desk.page(
        "allocation/decide.html",
        status=200 if errors is None else 422,
        header=await child_header(access),
        request=request,
        rows=pages.request_rows(
            request, access, await service_of(access, request), placement_rows(placement)
        ),
        outside="" if placement is None else outside_address(access.child_id, request.id),
        lacks=lacks,
        address=address,
        back=back,
        back_words=back_words,
        former="" if former is None else KIND_WORDS[Kind(former.kind)],
        duty=f"{ANOTHER_WAY}." if duty else "",
        kinds=[(key.value, said) for key, said in KIND_WORDS.items()],
        criteria=[
            (str(one.id), f"{one.key} {one.title}{' (duty)' if one.is_duty else ''}")
            for one in await criteria_on(access.session, access.today)
        ],
        grounds=[(key.value, said) for key, said in GROUNDS_WORDS.items()],
        asked=pages.amount_words(request),
        has=await beside_request(access.session, access.child_id, access),
        like=await like_this(access, request, desk.signed_in),
        filled=Filled({}, errors),
    )


@get(AT_MEETING, include_in_schema=False)
async def decide_page(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
    need_id: FromPath[UUID],
) -> Response[str]:
    """The request, and what the meeting decides about it."""
    return await _at_meeting(desk, (key, held_on, child_id), need_id, None)


async def _at_meeting(
    desk: Desk, where: tuple[str, date, UUID], need_id: UUID, errors: FieldErrors | None
) -> Response[Any]:
    key, day, child_id = where
    screen = f"/panels/{key}/{day}/meeting/{child_id}"
    async with opened_item(desk, where, run_only=True) as at:
        require_deciding(at.panel)
        there = (f"{screen}/requests/{need_id}", screen, "Back to the meeting")
        return await _decide_page(desk, at.access, need_id, there, errors)


@post(AT_MEETING, include_in_schema=False)
async def decided(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    child_id: FromPath[UUID],
    need_id: FromPath[UUID],
) -> Response[Any]:
    """Record what the meeting decided."""
    where = (key, held_on, child_id)

    async def work(at: AtItem, form: DecisionForm) -> None:
        await decide(at, need_id, form.decision, form.version)
        await tell(at.session, topic_of(at.meeting.id))

    return await take(
        desk,
        DecisionForm,
        partial(opened_item, desk, where, run_only=True),
        work,
        f"/panels/{key}/{held_on}/meeting/{child_id}",
        again=partial(_at_meeting, desk, where, need_id),
    )


async def _panel_of(access: Access, need_id: UUID) -> Panel:
    request = await request_of(access, need_id)
    if request.panel_id is None:
        raise NotAllowed("This request was not sent to a panel.")
    return await access.session.get_one(Panel, request.panel_id)


async def _by_chair(
    desk: Desk, child_id: UUID, need_id: UUID, errors: FieldErrors | None
) -> Response[Any]:
    async with desk.open(child_id, "read a request for service") as access:
        panel = await _panel_of(access, need_id)
        await require_chair(access, panel)
        back = address_of(child_id, need_id)
        there = (f"{back}/chairs-action", back, "Back to the request")
        return await _decide_page(desk, access, need_id, there, errors)


@get(BY_CHAIR, include_in_schema=False)
async def chairs_action_page(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], need_id: FromPath[UUID]
) -> Response[Any]:
    """What the chair decides between meetings."""
    return await _by_chair(desk, child_id, need_id, None)


@post(BY_CHAIR, include_in_schema=False)
async def chairs_action(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], need_id: FromPath[UUID]
) -> Response[Any]:
    """Record what the chair decided."""

    async def work(access: Access, form: DecisionForm) -> None:
        panel = await _panel_of(access, need_id)
        await act_as_chair(access, panel, need_id, form.decision, form.version)

    return await take(
        desk,
        DecisionForm,
        partial(desk.open, child_id, "decided a request as chair"),
        work,
        address_of(child_id, need_id),
        again=partial(_by_chair, desk, child_id, need_id),
    )


async def _named(
    gate: Gate, run: Run, decisions: Sequence[RequestDecision], desk: Desk
) -> dict[UUID, ChildHeader]:
    """Whose the decisions are, as this viewer may know; who left the item is told nothing."""
    children = {one.child_id for one in decisions}
    left = await left_of(run.session, children, desk.viewer.id, run.panel.id)
    opened = await gate.open_here(
        run.session, children - left, desk.viewer, Purpose.PANEL, "read what the chair decided"
    )
    return {child: await child_header(access) for child, access in opened.items()}


@get(DECISIONS, include_in_schema=False)
async def decisions_page(
    desk: NamedDependency[Desk], key: FromPath[str], held_on: FromPath[date]
) -> Response[str]:
    """What the chair decided since, for this meeting to ratify."""
    async with running(desk, key, held_on) as run:
        require_deciding(run.panel)
        waiting = await to_ratify(run.session, run.panel.id)
        named = await _named(desk.gate, run, waiting, desk)
        rows = []
        for one in waiting:
            if one.child_id not in named:
                continue
            rows.append(
                (
                    one.id,
                    named[one.child_id].name,
                    named[one.child_id].initials,
                    address_of(one.child_id, one.request_id),
                    f"{KIND_WORDS[Kind(one.kind)]} on {words.day(one.decided_on)}",
                )
            )
        return desk.page(
            "allocation/decisions.html",
            panel=run.panel,
            day=run.meeting.held_on,
            address=f"/panels/{key}/{held_on}",
            rows=rows,
            under_way=run.meeting.began_at is not None and run.meeting.ended_at is None,
        )


@post(f"{DECISIONS}/{{decision_id:uuid}}/ratify", include_in_schema=False)
async def ratified(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    held_on: FromPath[date],
    decision_id: FromPath[UUID],
) -> Response[Any]:
    """The meeting ratifies one of them."""

    async def work(run: Run, _form: Nothing) -> None:
        await ratify(run.session, run.panel, run.meeting, decision_id, desk.viewer)

    return await take(
        desk,
        Nothing,
        partial(running, desk, key, held_on),
        work,
        f"/panels/{key}/{held_on}/decisions",
    )


HANDLERS = [decide_page, decided, chairs_action_page, chairs_action, decisions_page, ratified]
