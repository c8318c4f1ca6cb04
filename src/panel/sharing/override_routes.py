"""The pages of safeguarding overrides: opening what is withheld, and reviewing each."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from consent import Purpose, Role
from panel.accounts.desk import Desk
from panel.accounts.taking import Transaction, take, transaction_of
from panel.platform.problems import NotAllowed
from panel.records.child_scoped import JOB
from panel.records.gate import Access
from panel.register.service import child_header
from panel.sharing.fact_routes import purposes_of
from panel.sharing.left_to_governance import left_to_governance
from panel.sharing.override_forms import OpenByReferenceForm, OpenForm, ReviewForm, StepForm
from panel.sharing.override_pages import (
    hours_words,
    left_row,
    misses_words,
    open_choices,
    review_page,
    review_row,
    review_words,
    waiting_figures,
)
from panel.sharing.overriding import (
    WHO_MAY_OVERRIDE,
    WHO_MAY_REVIEW,
    Reason,
    Step,
    may_override,
    may_review,
    my_overrides,
    open_by_reference,
    open_withheld,
    openable,
    override_to_review,
    overrides_to_review,
    overrides_waiting,
    review_override,
    take_override_step,
)
from panel.sharing.spans import spans
from panel.web.forms import FieldErrors, Filled
from panel.web.words import day_and_time

OPENED = "opened what was withheld, for safety"
REVIEWED = "reviewed a safeguarding override"


def reviewing(desk: Desk) -> Sequence[Purpose]:
    """For safety first; the information governance lead comes for what is left to them."""
    return (Purpose.SAFEGUARDING, *desk.purposes, Purpose.GOVERNANCE)


# --- A record that the worker reaches -----------------------------------------------------------


@get("/children/{child_id:uuid}/sharing/override", include_in_schema=False)
async def override_page(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
    """What I do not see and could open, for safety."""
    await desk.require_proof()
    async with desk.open(child_id, "looked at what is withheld", purposes_of(desk)) as access:
        return await _override(desk, access, None)


@post("/children/{child_id:uuid}/sharing/override", include_in_schema=False)
async def override(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Open what is withheld from me, for a while, with a reason that is reviewed."""

    async def work(access: Access, form: OpenForm) -> None:
        reason = Reason(form.reason, form.kept_from_family, form.family_risk)
        await open_withheld(access, form.what, reason)
        # In the history it stands as what it was for, with what it opened.
        await desk.gate.open_here(
            access.session, [child_id], desk.viewer, Purpose.SAFEGUARDING, OPENED
        )

    async def again(errors: FieldErrors) -> Response[Any]:
        async with desk.open(child_id, "looked at what is withheld", purposes_of(desk)) as access:
            return await _override(desk, access, errors)

    @asynccontextmanager
    async def opens() -> AsyncIterator[Access]:
        doing = "asked to open what is withheld"
        async with desk.open(child_id, doing, purposes_of(desk)) as access:
            # Asked here: whoever does not reach the child is answered as for none.
            await desk.require_proof()
            yield access

    return await take(desk, OpenForm, opens, work, f"/children/{child_id}", again=again)


async def _override(desk: Desk, access: Access, errors: FieldErrors | None) -> Response[str]:
    if not may_override(access.viewer):
        raise NotAllowed(WHO_MAY_OVERRIDE)
    base = f"/children/{access.child_id}/sharing"
    return desk.page(
        "sharing/override.html",
        status=200 if errors is None else 422,
        header=await child_header(access),
        here="sharing",
        filled=Filled({}, errors),
        what=open_choices(await openable(access)),
        lasts=hours_words(await spans(access.session)),
        action=f"{base}/override",
        back_href=base,
    )


# --- A record that is not among the worker's own ------------------------------------------------


@get("/safeguarding/open", include_in_schema=False)
async def open_page(desk: NamedDependency[Desk]) -> Response[str]:
    """Open a record by what is known of the child."""
    if may_override(desk.viewer):
        await desk.require_proof()
    return await _open(desk, None)


@post("/safeguarding/open", include_in_schema=False)
async def open_record(desk: NamedDependency[Desk]) -> Response[Any]:
    """Open a record for a while; what is answered is the same whether or not there is one."""
    if not may_override(desk.viewer):
        raise NotAllowed(WHO_MAY_OVERRIDE)
    await desk.require_proof()

    # Nobody reaches the child yet who asks: the work is done as scheduled work is.
    opens = transaction_of(desk, JOB)

    async def work(room: Transaction, form: OpenByReferenceForm) -> None:
        reason = Reason(form.reason, form.kept_from_family, form.family_risk)
        await open_by_reference(room.session, desk.viewer, form.reference, form.born, reason)

    async def again(errors: FieldErrors) -> Response[Any]:
        return await _open(desk, errors)

    return await take(desk, OpenByReferenceForm, opens, work, "/safeguarding/opened", again=again)


@get("/safeguarding/opened", include_in_schema=False)
async def opened(desk: NamedDependency[Desk]) -> Response[str]:
    """What I opened for safety and is open now."""
    if not may_override(desk.viewer):
        raise NotAllowed(WHO_MAY_OVERRIDE)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        running = await my_overrides(session, desk.viewer)
        await desk.gate.open_here(
            session, [one.child_id for one in running], desk.viewer, Purpose.SAFEGUARDING, OPENED
        )
    rows = [
        (one.reference, f"/children/{one.child_id}", f"Until {day_and_time(one.ends_at)}")
        for one in running
    ]
    return desk.page("sharing/opened.html", rows=rows)


async def _open(desk: Desk, errors: FieldErrors | None) -> Response[str]:
    if not may_override(desk.viewer):
        raise NotAllowed(WHO_MAY_OVERRIDE)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        within = await spans(session)
    return desk.page(
        "sharing/open_record.html",
        status=200 if errors is None else 422,
        filled=Filled({}, errors),
        lasts=hours_words(within),
        misses=misses_words(within),
    )


# --- Reviewing ----------------------------------------------------------------------------------


@get("/safeguarding/reviews", include_in_schema=False)
async def reviews(desk: NamedDependency[Desk]) -> Response[str]:
    """Every override that waits for a review; figures for who answers for governance."""
    is_governance = Role.GOVERNANCE_LEAD in desk.viewer.roles
    if not (may_review(desk.viewer) or is_governance):
        raise NotAllowed(WHO_MAY_REVIEW)
    async with desk.tenant.transaction(JOB) as session:
        waiting = await overrides_waiting(session, desk.today)
        within = await spans(session)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await overrides_to_review(session, desk.viewer)
        left = await left_to_governance(session, desk.viewer)
    return desk.page(
        "sharing/reviews.html",
        rows=[
            *(review_row(one, desk.today) for one in found),
            *(left_row(one) for one in left),
        ],
        reviews_here=may_review(desk.viewer) or is_governance,
        waiting=waiting_figures(waiting),
        within=review_words(within),
    )


@get("/children/{child_id:uuid}/sharing/overrides/{override_id:uuid}", include_in_schema=False)
async def review(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], override_id: FromPath[UUID]
) -> Response[str]:
    """One override: who, when, why, and whether it was justified."""
    async with desk.open(child_id, REVIEWED, reviewing(desk)) as access:
        return await _review(desk, access, override_id, None)


@post("/children/{child_id:uuid}/sharing/overrides/{override_id:uuid}", include_in_schema=False)
async def judge(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], override_id: FromPath[UUID]
) -> Response[Any]:
    """Write down whether it was justified."""
    here = f"/children/{child_id}/sharing/overrides/{override_id}"

    async def work(access: Access, form: ReviewForm) -> None:
        await review_override(
            access,
            override_id,
            form.version,
            justified=form.justified == "yes",
            note=form.note,
            telling=Reason("", form.kept_from_family, form.family_risk),
        )

    async def again(errors: FieldErrors) -> Response[Any]:
        async with desk.open(child_id, REVIEWED, reviewing(desk)) as access:
            return await _review(desk, access, override_id, errors)

    opens = partial(desk.open, child_id, REVIEWED, reviewing(desk))
    return await take(desk, ReviewForm, opens, work, here, again=again)


@post(
    "/children/{child_id:uuid}/sharing/overrides/{override_id:uuid}/steps", include_in_schema=False
)
async def step(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], override_id: FromPath[UUID]
) -> Response[Any]:
    """A step after one that was not justified is done."""
    here = f"/children/{child_id}/sharing/overrides/{override_id}"

    async def work(access: Access, form: StepForm) -> None:
        await take_override_step(access, override_id, Step(form.step))

    opens = partial(desk.open, child_id, REVIEWED, reviewing(desk))
    return await take(desk, StepForm, opens, work, f"{here}#steps")


async def _review(
    desk: Desk, access: Access, override_id: UUID, errors: FieldErrors | None
) -> Response[str]:
    line = await override_to_review(access, override_id)
    stored = {
        "kept_from_family": "yes" if line.kept_from_family else "",
        "family_risk": line.family_risk,
    }
    return desk.page(
        "sharing/review.html",
        status=200 if errors is None else 422,
        header=await child_header(access),
        here="sharing",
        filled=Filled(stored, errors),
        page=review_page(line, desk.today),
        version=line.version,
        action=f"/children/{access.child_id}/sharing/overrides/{override_id}",
    )


HANDLERS = [
    override_page,
    override,
    open_page,
    open_record,
    opened,
    reviews,
    review,
    judge,
    step,
]
