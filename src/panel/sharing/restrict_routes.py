"""The pages of what is withheld from whom: protections, the family's choices, former names."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from consent import Purpose, RestrictionKind
from panel.accounts.desk import Desk
from panel.accounts.taking import take
from panel.platform.problems import NotAllowed
from panel.records.gate import Access
from panel.register.service import child_header
from panel.sharing import restrict_pages as pages
from panel.sharing.former_names import (
    NewFormerName,
    end_former_name,
    former_name_of,
    former_names,
    may_keep_former_names,
    record_former_name,
    who_may_know,
)
from panel.sharing.named import Kind, who_can_be_named, worker_with_email
from panel.sharing.rehearsed import Typed, rehearsed
from panel.sharing.restrict_forms import ChooseForm, EndForm, FormerNameForm, ProtectForm
from panel.sharing.restrict_rules import WHO_MAY_CHOOSE, WHO_MAY_PROTECT, may_choose, may_protect
from panel.sharing.restricting import (
    NewRestriction,
    end_restriction,
    plan_restriction,
    restrict,
    restriction_of,
    restrictions_of,
)
from panel.sharing.standing import possible_givers
from panel.web.forms import FieldErrors, Filled

LOOKED = "looked at what is withheld from whom"


def purposes_of(desk: Desk) -> Sequence[Purpose]:
    """As usual; whoever answers for safeguarding comes here for that."""
    return (*desk.purposes, Purpose.SAFEGUARDING)


@get("/children/{child_id:uuid}/sharing/restrictions", include_in_schema=False)
async def restrictions(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
    """What is withheld from whom, in force and over; and what may be recorded."""
    async with desk.open(child_id, LOOKED, purposes_of(desk)) as access:
        base = _base(child_id)
        kept = await restrictions_of(access)
        cards = [pages.restriction_card(one, base, desk.today) for one in kept]
        protects = may_protect(access.viewer, access.ties)
        chooses = may_choose(access.viewer, access.ties)
        steps = [
            *([("Protect somebody", f"{base}/protect")] if protects else []),
            *([("Record what the family chose", f"{base}/choose")] if chooses else []),
            *(
                [("Keep a former name", f"{base}/former-name")]
                if may_keep_former_names(access)
                else []
            ),
        ]
        return desk.page(
            "sharing/facts.html",
            header=await child_header(access),
            here="sharing",
            title="What is withheld from whom",
            lead="A protection wins over everything but a court. A choice gives way to a court, to"
            " a safeguarding enquiry and to a duty. Nothing here is ever deleted.",
            empty="Nothing is withheld from anybody by name. What you record appears here.",
            cards=[card for card, one in zip(cards, kept, strict=True) if not one.is_over],
            over=[card for card, one in zip(cards, kept, strict=True) if one.is_over],
            former=await former_names(access),
            steps=steps,
            base=base,
            back_href=f"/children/{child_id}/sharing",
        )


# --- Recording ----------------------------------------------------------------------------------


@get("/children/{child_id:uuid}/sharing/restrictions/protect", include_in_schema=False)
async def protect_page(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
    """What must not reach whom."""
    async with desk.open(child_id, LOOKED, purposes_of(desk)) as access:
        return await _protect(desk, access, None)


@post("/children/{child_id:uuid}/sharing/restrictions/protect", include_in_schema=False)
async def protect(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Show what a protection would change; record it once that is confirmed."""

    async def new(access: Access, form: ProtectForm) -> NewRestriction:
        email = form.worker_email
        return NewRestriction(
            kind=RestrictionKind.PROTECTION,
            what=form.what,
            against=form.against,
            worker=await worker_with_email(access, email) if email else None,
            reason=form.reason,
            from_on=form.from_on,
            until_on=form.until_on,
            silent=form.told == "silent",
        )

    async def show(access: Access, form: ProtectForm, typed: Typed) -> Response[Any]:
        return await _check(desk, access, await new(access, form), typed, "protect")

    async def work(access: Access, form: ProtectForm) -> None:
        await restrict(access, await new(access, form))

    async def again(errors: FieldErrors) -> Response[Any]:
        async with desk.open(child_id, LOOKED, purposes_of(desk)) as access:
            return await _protect(desk, access, errors)

    opens = partial(desk.open, child_id, "recorded a protection", purposes_of(desk))
    return await rehearsed(desk, ProtectForm, opens, show, work, _base(child_id), again=again)


@get("/children/{child_id:uuid}/sharing/restrictions/choose", include_in_schema=False)
async def choose_page(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
    """What the family chose not to share with an agency."""
    async with desk.open(child_id, LOOKED, purposes_of(desk)) as access:
        return await _choose(desk, access, None)


@post("/children/{child_id:uuid}/sharing/restrictions/choose", include_in_schema=False)
async def choose(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Show what the family's choice would change; record it once that is confirmed."""

    def new(form: ChooseForm) -> NewRestriction:
        return NewRestriction(
            kind=RestrictionKind.CHOICE,
            what=form.what,
            against=form.against,
            reason=form.reason,
            from_on=form.from_on,
            until_on=form.until_on,
            silent=form.told == "silent",
            by_person=form.by_person,
            judged_competent=form.judged,
        )

    async def show(access: Access, form: ChooseForm, typed: Typed) -> Response[Any]:
        return await _check(desk, access, new(form), typed, "choose")

    async def work(access: Access, form: ChooseForm) -> None:
        await restrict(access, new(form))

    async def again(errors: FieldErrors) -> Response[Any]:
        async with desk.open(child_id, LOOKED, purposes_of(desk)) as access:
            return await _choose(desk, access, errors)

    opens = partial(desk.open, child_id, "recorded what the family chose", purposes_of(desk))
    return await rehearsed(desk, ChooseForm, opens, show, work, _base(child_id), again=again)


async def _protect(desk: Desk, access: Access, errors: FieldErrors | None) -> Response[str]:
    if not may_protect(access.viewer, access.ties):
        raise NotAllowed(WHO_MAY_PROTECT)
    named = await who_can_be_named(access)
    return desk.page(
        "sharing/protect.html",
        status=200 if errors is None else 422,
        header=await child_header(access),
        here="sharing",
        filled=Filled({}, errors),
        what=pages.what_choices(everything=True),
        against=[*pages.named_choices(named), pages.EVERYONE_CHOICE],
        told=pages.TOLD_CHOICES,
        action=f"{_base(access.child_id)}/protect",
        back_href=_base(access.child_id),
    )


async def _choose(desk: Desk, access: Access, errors: FieldErrors | None) -> Response[str]:
    if not may_choose(access.viewer, access.ties):
        raise NotAllowed(WHO_MAY_CHOOSE)
    named = await who_can_be_named(access)
    return desk.page(
        "sharing/choose.html",
        status=200 if errors is None else 422,
        header=await child_header(access),
        here="sharing",
        filled=Filled({}, errors),
        people=[
            (str(one.person), ", ".join(part for part in (one.relationship, one.name) if part)
             or "The child or young person")
            for one in await possible_givers(access)
        ],
        what=pages.what_choices(everything=False),
        against=pages.named_choices(named, Kind.AGENCY),
        told=pages.TOLD_CHOICES,
        action=f"{_base(access.child_id)}/choose",
        back_href=_base(access.child_id),
    )  # fmt: skip


async def _check(
    desk: Desk, access: Access, new: NewRestriction, typed: Typed, step: str
) -> Response[str]:
    planned = await plan_restriction(access, new)
    base = _base(access.child_id)
    return desk.page(
        "sharing/check.html",
        header=await child_header(access),
        here="sharing",
        title="Check who sees less",
        lead="Read what changes, for whom. It works at once: on the next page, the next pack and"
        " the next message.",
        lines=pages.planned_lines(planned, desk.today),
        changes=pages.change_words(planned.changes),
        rooms=await desk.site.rehearsal.asked(access, planned.turn),
        typed=typed,
        action=f"{base}/{step}",
        confirm="Withhold it",
        back_href=f"{base}/{step}",
    )


# --- Ending -------------------------------------------------------------------------------------


@get(
    "/children/{child_id:uuid}/sharing/restrictions/{restriction_id:uuid}/end",
    include_in_schema=False,
)
async def end_page(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], restriction_id: FromPath[UUID]
) -> Response[str]:
    """What would change if a restriction ended now."""
    async with desk.open(child_id, LOOKED, purposes_of(desk)) as access:
        return await _end(desk, access, restriction_id, None)


@post(
    "/children/{child_id:uuid}/sharing/restrictions/{restriction_id:uuid}/end",
    include_in_schema=False,
)
async def end(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], restriction_id: FromPath[UUID]
) -> Response[Any]:
    """End a restriction, at once, with a reason."""

    async def work(access: Access, form: EndForm) -> None:
        await end_restriction(access, restriction_id, form.version, form.reason)

    async def again(errors: FieldErrors) -> Response[Any]:
        async with desk.open(child_id, LOOKED, purposes_of(desk)) as access:
            return await _end(desk, access, restriction_id, errors)

    opens = partial(desk.open, child_id, "ended a restriction", purposes_of(desk))
    return await take(desk, EndForm, opens, work, _base(child_id), again=again)


async def _end(
    desk: Desk, access: Access, restriction_id: UUID, errors: FieldErrors | None
) -> Response[str]:
    kept, changed, turn = await restriction_of(access, restriction_id)
    base = _base(access.child_id)
    return desk.page(
        "sharing/end.html",
        status=200 if errors is None else 422,
        header=await child_header(access),
        here="sharing",
        title="End this restriction",
        card=pages.restriction_card(kept, base, desk.today),
        changes=pages.change_words(changed),
        rooms=await desk.site.rehearsal.asked(access, turn),
        filled=Filled({}, errors),
        version=kept.version,
        action=f"{base}/{restriction_id}/end",
        confirm="End it now",
        back_href=base,
    )


# --- Former names -------------------------------------------------------------------------------


@get("/children/{child_id:uuid}/sharing/restrictions/former-name", include_in_schema=False)
async def former_name_page(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
    """Who the child was before an adoption."""
    async with desk.open(child_id, LOOKED, purposes_of(desk)) as access:
        return await _former_name(desk, access, None)


@post("/children/{child_id:uuid}/sharing/restrictions/former-name", include_in_schema=False)
async def former_name(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Keep a former name where only those named may read it."""

    async def work(access: Access, form: FormerNameForm) -> None:
        await record_former_name(
            access,
            NewFormerName(
                given_name=form.given_name,
                family_name=form.family_name,
                nhs_number=form.nhs_number,
                open_to=form.open_to,
                reason=form.reason,
                new_given_name=form.new_given_name,
                new_family_name=form.new_family_name,
            ),
        )

    async def again(errors: FieldErrors) -> Response[Any]:
        async with desk.open(child_id, LOOKED, purposes_of(desk)) as access:
            return await _former_name(desk, access, errors)

    opens = partial(desk.open, child_id, "kept something under protection", purposes_of(desk))
    return await take(desk, FormerNameForm, opens, work, _base(child_id), again=again)


async def _former_name(desk: Desk, access: Access, errors: FieldErrors | None) -> Response[str]:
    choices = await who_may_know(access)
    return desk.page(
        "sharing/former_name.html",
        status=200 if errors is None else 422,
        header=await child_header(access),
        here="sharing",
        filled=Filled({}, errors),
        open_to=pages.named_choices(choices),
        action=f"{_base(access.child_id)}/former-name",
        back_href=_base(access.child_id),
    )


@get(
    "/children/{child_id:uuid}/sharing/restrictions/former-names/{former_id:uuid}/end",
    include_in_schema=False,
)
async def end_former_page(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], former_id: FromPath[UUID]
) -> Response[str]:
    """A former name was recorded wrongly, or is to be kept for others."""
    async with desk.open(child_id, LOOKED, purposes_of(desk)) as access:
        return await _end_former(desk, access, former_id, None)


@post(
    "/children/{child_id:uuid}/sharing/restrictions/former-names/{former_id:uuid}/end",
    include_in_schema=False,
)
async def end_former(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], former_id: FromPath[UUID]
) -> Response[Any]:
    """Nobody reads it any more; it stays where it is kept."""

    async def work(access: Access, form: EndForm) -> None:
        await end_former_name(access, former_id, form.version, form.reason)

    async def again(errors: FieldErrors) -> Response[Any]:
        async with desk.open(child_id, LOOKED, purposes_of(desk)) as access:
            return await _end_former(desk, access, former_id, errors)

    opens = partial(desk.open, child_id, "ended something under protection", purposes_of(desk))
    return await take(desk, EndForm, opens, work, _base(child_id), again=again)


async def _end_former(
    desk: Desk, access: Access, former_id: UUID, errors: FieldErrors | None
) -> Response[str]:
    former = await former_name_of(access, former_id)
    base = _base(access.child_id)
    return desk.page(
        "sharing/end.html",
        status=200 if errors is None else 422,
        header=await child_header(access),
        here="sharing",
        title="Take a former name off",
        card=pages.FactCard("Former name", "", "", former.lines, ""),
        changes=("Nobody reads this former name on any page any more. It is not deleted.",),
        rooms=(),
        filled=Filled({}, errors),
        version=former.version,
        action=f"{base}/former-names/{former_id}/end",
        confirm="Take it off",
        back_href=base,
    )


def _base(child_id: UUID) -> str:
    return f"/children/{child_id}/sharing/restrictions"


HANDLERS = [
    restrictions,
    protect_page,
    protect,
    choose_page,
    choose,
    end_page,
    end,
    former_name_page,
    former_name,
    end_former_page,
    end_former,
]
