"""The pages of what is withheld from whom: protections, the family's choices, former names."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from consent import RestrictionKind
from panel.platform.problems import NotAllowed
from panel.records.gate import Access
from panel.sharing import restrict_pages as pages
from panel.sharing.fact_routes import (
    Check,
    FactList,
    Found,
    Later,
    Recording,
    cards_of,
    end_by,
    found_by,
    pages_of,
    shown_by,
)
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

# --- What is withheld ---------------------------------------------------------------------------


def _steps(access: Access) -> Iterable[tuple[str, str]]:
    if may_protect(access.viewer, access.ties):
        yield "Protect somebody", "protect"
    if may_choose(access.viewer, access.ties):
        yield "Record what the family chose", "choose"
    if may_keep_former_names(access):
        yield "Keep a former name", "former-name"


RESTRICTIONS = FactList(
    path="restrictions",
    looked="looked at what is withheld from whom",
    title="What is withheld from whom",
    lead="A protection wins over everything but a court. A choice gives way to a court, to"
    " a safeguarding enquiry and to a duty. Nothing here is ever deleted.",
    empty="Nothing is withheld from anybody by name. What you record appears here.",
    cards=cards_of(restrictions_of, pages.restriction_card),
    steps=_steps,
    former=former_names,
)
RESTRICTION_ENDS = Later(
    kept=RESTRICTIONS,
    which="restriction_id",
    title="End this restriction",
    confirm="End it now",
    doing="ended a restriction",
    look=found_by(restriction_of, pages.restriction_card),
    form=EndForm,
    save=end_by(end_restriction),
)


# --- Protections and choices --------------------------------------------------------------------


async def _protect_choices(access: Access) -> dict[str, Any]:
    if not may_protect(access.viewer, access.ties):
        raise NotAllowed(WHO_MAY_PROTECT)
    named = await who_can_be_named(access)
    return {
        "what": pages.what_choices(everything=True),
        "against": [*pages.named_choices(named), pages.EVERYONE_CHOICE],
        "told": pages.TOLD_CHOICES,
    }


async def _choose_choices(access: Access) -> dict[str, Any]:
    if not may_choose(access.viewer, access.ties):
        raise NotAllowed(WHO_MAY_CHOOSE)
    named = await who_can_be_named(access)
    people = [
        (str(one.person), ", ".join(filter(None, (one.relationship, one.name))))
        for one in await possible_givers(access)
    ]
    return {
        "people": [(person, said or "The child or young person") for person, said in people],
        "what": pages.what_choices(everything=False),
        "against": pages.named_choices(named, Kind.AGENCY),
        "told": pages.TOLD_CHOICES,
    }


async def _new(access: Access, form: ProtectForm | ChooseForm) -> NewRestriction:
    new = NewRestriction(
        kind=RestrictionKind.CHOICE,
        what=form.what,
        against=form.against,
        reason=form.reason,
        from_on=form.from_on,
        until_on=form.until_on,
        silent=form.told == "silent",
    )
    if isinstance(form, ChooseForm):
        return replace(new, by_person=form.by_person, judged_competent=form.judged)
    email = form.worker_email
    worker = await worker_with_email(access, email) if email else None
    return replace(new, kind=RestrictionKind.PROTECTION, worker=worker)


WHO_SEES_LESS: Check[NewRestriction] = Check(
    title="Check who sees less",
    lead="Read what changes, for whom. It works at once: on the next page, the next pack and"
    " the next message.",
    confirm="Withhold it",
    shown=shown_by(plan_restriction, pages.planned_lines),
)
PROTECTION = Recording(
    kept=RESTRICTIONS,
    step="protect",
    form=ProtectForm,
    template="sharing/protect.html",
    choices=_protect_choices,
    doing="recorded a protection",
    new=_new,
    save=restrict,
    check=WHO_SEES_LESS,
)
CHOICE = Recording(
    kept=RESTRICTIONS,
    step="choose",
    form=ChooseForm,
    template="sharing/choose.html",
    choices=_choose_choices,
    doing="recorded what the family chose",
    new=_new,
    save=restrict,
    check=WHO_SEES_LESS,
)


# --- Former names -------------------------------------------------------------------------------


async def _former_choices(access: Access) -> dict[str, Any]:
    return {"open_to": pages.named_choices(await who_may_know(access))}


async def _new_former_name(_access: Access, form: FormerNameForm) -> NewFormerName:
    return NewFormerName(**msgspec.structs.asdict(form))


async def _former_name_ends(access: Access, former_id: UUID, _base: str, _today: date) -> Found:
    former = await former_name_of(access, former_id)
    return Found(
        pages.FactCard("Former name", "", "", former.lines, ""),
        former.version,
        ("Nobody reads this former name on any page any more. It is not deleted.",),
    )


FORMER_NAME = Recording(
    kept=RESTRICTIONS,
    step="former-name",
    form=FormerNameForm,
    template="sharing/former_name.html",
    choices=_former_choices,
    doing="kept something under protection",
    new=_new_former_name,
    save=record_former_name,
)
FORMER_NAME_ENDS = Later(
    kept=RESTRICTIONS,
    which="former_id",
    title="Take a former name off",
    confirm="Take it off",
    doing="ended something under protection",
    look=_former_name_ends,
    form=EndForm,
    save=end_by(end_former_name),
    under="former-names/",
)

HANDLERS = pages_of(
    RESTRICTIONS, PROTECTION, CHOICE, RESTRICTION_ENDS, FORMER_NAME, FORMER_NAME_ENDS
)
