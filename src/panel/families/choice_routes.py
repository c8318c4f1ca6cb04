"""What a family opens to choose who may see what, and to read who looked."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from panel.accounts.desk import FOR_FAMILIES, Desk, go
from panel.accounts.taking import take
from panel.families.choice_forms import ChoiceForm, RingForm, read_choice
from panel.families.choice_pages import (
    agency_options,
    choice_page,
    choices_page,
    kind_options,
)
from panel.families.pages import person_to_ring
from panel.families.reading import child_for_family, reason_for_family
from panel.platform.problems import Invalid
from panel.records.gate import Access, Withheld
from panel.sharing.asking_family import ask_to_be_rung, asked_of_family
from panel.sharing.choices import choices_of, voice_of
from panel.sharing.choosing import choose, foresee
from panel.sharing.family_history import looks_for_family
from panel.sharing.standing import family_facts
from panel.web.forms import FieldErrors, Filled
from panel.web.paging import read_cursor

CHOICES = "/family/{child_id:uuid}/choices"
READING = "read who may see what about their child"
TRYING = "tried to choose who may see what; nothing was changed"


@get(CHOICES, include_in_schema=False, opt=FOR_FAMILIES)
async def choices(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], done: FromQuery[str] = ""
) -> Response[str]:
    """Who may see what, and what I can choose."""
    return await _choices(desk, child_id, READING, done=done)


@get(f"{CHOICES}/new", include_in_schema=False, opt=FOR_FAMILIES)
async def new_agency(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    agency: FromQuery[str | None] = None,
    change: FromQuery[str] = "",
) -> Response[Any]:
    """Choose an agency that nothing is shared with yet, and how much."""
    base = _base(child_id)
    errors: dict[str, str] = {}
    async with desk.open(child_id, READING) as access:
        known = await choices_of(access)
        options = agency_options(known)
        if known.voice.capacity is None or not options:
            return go(base)
        if agency is not None:
            if agency not in {value for value, _name in options}:
                errors["agency"] = "Choose who may see it"
            if change not in {value for value, _label, _hint in kind_options()}:
                errors["change"] = "Choose how much they may see"
            if not errors:
                return go(f"{base}/{agency}?change={change}")
        typed = {"agency": [agency or ""], "change": [change]}
        return desk.page(
            "families/choice_new.html",
            status=422 if errors else 200,
            filled=Filled({}, FieldErrors(errors, typed) if errors else None),
            agencies=options,
            kinds=kind_options(),
            action=f"{base}/new",
            back_href=base,
        )


@get(f"{CHOICES}/{{agency_id:uuid}}", include_in_schema=False, opt=FOR_FAMILIES)
async def rehearse(
    desk: NamedDependency[Desk],
    child_id: FromPath[UUID],
    agency_id: FromPath[UUID],
    change: FromQuery[str] = "",
) -> Response[str]:
    """What a choice would change, before it is made."""
    try:
        async with desk.open(child_id, "read what a choice about sharing would change") as access:
            return await _choice(desk, access, agency_id, change)
    except Invalid as refused:
        errors = _refusal(refused)
    return await _choices(desk, child_id, TRYING, errors)


@post(f"{CHOICES}/{{agency_id:uuid}}", include_in_schema=False, opt=FOR_FAMILIES)
async def confirm(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], agency_id: FromPath[UUID]
) -> Response[Any]:
    """Make the choice that was read."""

    async def work(access: Access, form: ChoiceForm) -> None:
        wish = read_choice(form.change).wish(agency_id, form.until_on)
        await choose(access, wish, form.read)

    async def again(errors: FieldErrors) -> Response[Any]:
        changes = errors.typed.get("change", [""])
        try:
            async with desk.open(child_id, TRYING) as access:
                return await _choice(desk, access, agency_id, changes[0], errors)
        except Invalid as refused:
            errors = _refusal(refused)
        return await _choices(desk, child_id, TRYING, errors)

    opens = partial(desk.open, child_id, "chose who may see what")
    return await take(desk, ChoiceForm, opens, work, f"{_base(child_id)}?done=yes", again=again)


@post(
    "/family/{child_id:uuid}/requests/{request_id:uuid}", include_in_schema=False, opt=FOR_FAMILIES
)
async def ring_me(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], request_id: FromPath[UUID]
) -> Response[Any]:
    """The family wants to talk before it answers who asks to see more."""

    async def work(access: Access, _form: RingForm) -> None:
        await ask_to_be_rung(access, await voice_of(access, await family_facts(access)), request_id)

    opens = partial(desk.open, child_id, "asked to be rung about sharing")
    return await take(desk, RingForm, opens, work, f"{_base(child_id)}?done=ring")


@get("/family/{child_id:uuid}/looks", include_in_schema=False, opt=FOR_FAMILIES)
async def looks(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], page: FromQuery[str | None] = None
) -> Response[str]:
    """Who looked at the child's record."""
    asked = read_cursor(page, (datetime, UUID))
    address = f"/family/{child_id}/looks"
    async with desk.open(child_id, "read who looked") as access:
        child = await child_for_family(access)
        found = await looks_for_family(access, asked)
        shown: Mapping[str, Any]
        if isinstance(found, Withheld):
            shown = {"lines": (), "note": "", "withheld": str(found), "previous": "", "next": ""}
        else:
            shown = {
                "lines": [look.line for look in found.rows],
                "note": found.note,
                "withheld": "",
                "previous": found.previous and f"{address}?page={found.previous}",
                "next": found.next and f"{address}?page={found.next}",
            }
        return desk.page(
            "families/looks.html",
            title="Who looked at what is written about "
            + ("you" if child.is_self else child.name or "your child"),
            back_href=_base(child_id),
            **shown,
        )


async def _choices(
    desk: Desk,
    child_id: UUID,
    doing: str,
    errors: FieldErrors | None = None,
    *,
    done: str = "",
) -> Response[str]:
    # What others' words are compared with, before the record is opened.
    comparing = await desk.site.family_words.around(child_id, desk.viewer.id)
    async with desk.open(child_id, doing) as access:
        child = await child_for_family(access)
        known = await choices_of(access)
        asked = [
            reason_for_family(access, one, comparing)
            for one in await asked_of_family(access, known.voice)
        ]
    person = person_to_ring(child)
    page = choices_page(
        known,
        asked,
        child.name,
        is_self=child.is_self,
        base=_base(child_id),
        ask=f"Ask {person.who}." if person.who else "Ask the person who helps you most.",
        phone=person.phone,
        tel=person.tel,
    )
    told = person.who or "The person who helps you"
    return desk.page(
        "families/choices.html",
        status=200 if errors is None else 422,
        page=page,
        done={
            "yes": f"You have chosen. {told} will be told. Below you read how it is now.",
            "ring": f"{told} will be told that you want a call.",
        }.get(done, ""),
        filled=Filled({}, errors),
    )


async def _choice(
    desk: Desk,
    access: Access,
    agency_id: UUID,
    change: str,
    errors: FieldErrors | None = None,
) -> Response[str]:
    asked = read_choice(change)
    foreseen = await foresee(access, asked.wish(agency_id))
    rooms = () if foreseen.turn is None else await desk.site.rehearsal.asked(access, foreseen.turn)
    return desk.page(
        "families/choice.html",
        status=200 if errors is None else 422,
        page=choice_page(foreseen, asked, _base(access.child_id)),
        rooms=[one.sentence for one in rooms],
        filled=Filled({"until": foreseen.until}, errors),
    )


def _refusal(refused: Invalid) -> FieldErrors:
    return FieldErrors({"choices": refused.errors[0].sentence}, {})


def _base(child_id: UUID) -> str:
    return f"/family/{child_id}/choices"


HANDLERS = [choices, new_agency, rehearse, confirm, ring_me, looks]
