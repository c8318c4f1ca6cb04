"""Children: found, listed, added; their people, details and chronology."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Role
from consent.standing import AGE_OF_OWN_AGREEMENT, has_reached
from panel.accounts.desk import Desk, Posted, go
from panel.accounts.service import agencies, agency_by_key, worker_by_email
from panel.accounts.taking import take
from panel.platform.problems import FieldError, Invalid, NotAllowed
from panel.records.gate import Access
from panel.records.nhs_number import nhs_number_words
from panel.register import forms, pages
from panel.register.children import (
    LABELS,
    Duplicate,
    add_child,
    change_child,
    child_details,
    duplicates_in_reach,
)
from panel.register.children import child_of_reference as of_reference
from panel.register.children_list import (
    KEY_KINDS,
    ORDER_WORDS,
    SHOW_WORDS,
    ListedChild,
    Order,
    Show,
    list_children,
    listed,
)
from panel.register.family import (
    NewFamilyLink,
    add_family_member,
    change_family_member,
    check_link,
    family_member_details,
    share_family,
    siblings,
)
from panel.register.family_access import may_invite, sign_in_words
from panel.register.header import EDUCATION, child_header
from panel.register.history import LEVEL_WORDS, chronology, judge_level, level_of_need, note_event
from panel.register.involvements import (
    add_involvement,
    end_involvement,
    is_refused_the_name,
    start_involvement,
)
from panel.register.people import people_of
from panel.register.search import find_children
from panel.web.forms import FieldErrors, Filled
from panel.web.paging import read_cursor

WORKING = (Role.PRACTITIONER, Role.MANAGER)


def _people(child_id: UUID) -> str:
    return f"/children/{child_id}/people"


# --- The list and the box ---------------------------------------------------------------------


@get("/children", include_in_schema=False)
async def children_page(
    desk: NamedDependency[Desk],
    q: FromQuery[str] = "",
    show: FromQuery[str] = "all",
    order: FromQuery[str] = "added",
    page: FromQuery[str] = "",
) -> Response[str]:
    """The children whom this person may know of: searched, or listed a page at a time."""
    may_add = bool(desk.viewer.roles & set(WORKING))
    if q.strip():
        result = await find_children(desk.gate, desk.viewer, desk.purposes, q, desk.today)
        return desk.page("register/found.html", q=q.strip(), result=result, may_add=may_add)
    shown: Show = next((one for one in SHOW_WORDS if one == show), "all")
    ordered: Order = next((one for one in ORDER_WORDS if one == order), "added")
    found = await list_children(
        desk.gate,
        desk.viewer,
        desk.purposes,
        show=shown,
        order=ordered,
        asked=read_cursor(page, KEY_KINDS),
        today=desk.today,
    )
    return desk.page(
        "register/children.html",
        found=found,
        show=shown,
        order=ordered,
        shows=list(SHOW_WORDS.items()),
        orders=list(ORDER_WORDS.items()),
        caption=pages.list_caption(shown, ordered),
        previous=found.previous and pages.list_address(shown, ordered, found.previous),
        next=found.next and pages.list_address(shown, ordered, found.next),
        may_add=may_add,
    )


# --- A new child ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Alike:
    """A child who is here already, as the page of a new child links to it."""

    child: ListedChild
    reason: str


def _new_child_page(
    desk: Desk, errors: FieldErrors | None = None, alike: Sequence[_Alike] = ()
) -> Response[str]:
    return desk.page(
        "register/new_child.html",
        status=200 if errors is None else 422,
        filled=Filled({"sex": "not_known"}, errors),
        alike=alike,
        basis_choices=pages.BASIS_CHOICES,
        sees_upn=desk.viewer.agency_kind in EDUCATION,
    )


@get("/children/new", include_in_schema=False)
async def new_child_page(desk: NamedDependency[Desk]) -> Response[str]:
    """The form for a new child."""
    desk.require(*WORKING)
    return _new_child_page(desk)


@post("/children/new", include_in_schema=False)
async def new_child(desk: NamedDependency[Desk]) -> Response[Any]:
    """A new child, one person of the family, our own part; twins are asked about first."""
    who = desk.require(*WORKING)
    posted = await desk.posted()
    form = posted.read(forms.NewChildForm)
    if isinstance(form, FieldErrors):
        return _new_child_page(desk, form)
    mistakes = [
        *forms.child_mistakes(form, desk.today, LABELS),
        *forms.contact_mistakes(form),
    ]
    contact = forms.contact_of(form)
    if contact is not None and not mistakes:
        mistakes += _link_mistakes(desk, contact[1])
    if mistakes:
        return _new_child_page(desk, posted.refused(mistakes))
    child = forms.new_child(form)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        # Taken before twins are looked for: a child is no twin of itself when its form comes again.
        taking = await session.begin_nested()
        if not await desk.first_time(session, posted, "/children"):
            return go("/children")
        found = [] if form.another_child else await duplicates_in_reach(session, child)
        if found:
            # Asked first, the form is not taken yet; the look at the others stays in the history.
            await taking.rollback()
            if alike := await _alike(desk, session, found):
                said = FieldError(
                    "another_child",
                    "A child like this is here already. Say whether it is another",
                )
                return _new_child_page(desk, posted.refused([said]), alike)
            await desk.first_time(session, posted, "/children")
        else:
            await taking.commit()
        added = await add_child(
            session,
            child,
            agency_id=who.viewer.agency,
            worker_id=who.viewer.id,
            part=form.part,
            from_on=desk.today,
        )
        if contact is not None:
            await add_family_member(session, added.id, *contact)
    return go(f"/children/{added.id}/people")


def _link_mistakes(desk: Desk, link: NewFamilyLink) -> list[FieldError]:
    try:
        check_link(link, desk.today)
    except Invalid as wrong:
        return [
            replace(one, field=forms.OF_THE_CONTACT.get(one.field, one.field))
            for one in wrong.errors
        ]
    return []


async def _alike(desk: Desk, session: AsyncSession, found: Sequence[Duplicate]) -> list[_Alike]:
    opened = await desk.gate.open_here(
        session,
        [one.child_id for one in found],
        desk.viewer,
        desk.purposes,
        "checked whether a child is here already",
    )
    # Where a child's name is withheld, that a name or number fits would give it away.
    named = {one: access for one, access in opened.items() if access.may(Category.IDENTITY)}
    children = await listed(session, list(named), named, desk.today)
    return [_Alike(children[one.child_id], one.reason) for one in found if one.child_id in children]


# --- People -----------------------------------------------------------------------------------


async def _people_page(
    desk: Desk, child_id: UUID, errors: FieldErrors | None = None
) -> Response[str]:
    async with desk.gate.open(
        child_id, desk.viewer, desk.purposes, "read who is involved"
    ) as access:
        header = await child_header(access)
        sign_ins = await sign_in_words(access)
        people = pages.people_page(await people_of(access), access.today, sign_ins)
        related = await _siblings(desk, access)
        may_write, may_let_in = access.may_write, may_invite(access)
    return desk.page(
        "register/people.html",
        status=200 if errors is None else 422,
        header=header,
        here="people",
        people=people,
        siblings=related,
        may_write=may_write,
        may_invite=may_let_in,
        own_sign_in=sign_ins.get(child_id, ""),
        is_young_person=has_reached(header.born, AGE_OF_OWN_AGREEMENT, desk.today),
        filled=Filled({}, errors),
    )


async def _siblings(desk: Desk, access: Access) -> list[ListedChild]:
    known = [
        one
        for one in await siblings(access.session, access.child_id)
        if access.may(Category.FAMILY, one.author_here)
    ]
    opened = await desk.gate.open_here(
        access.session,
        {one.child_id for one in known},
        desk.viewer,
        desk.purposes,
        "read who their brothers and sisters are",
    )
    shown = {
        one.child_id: opened[one.child_id]
        for one in known
        if one.child_id in opened and opened[one.child_id].may(Category.FAMILY, one.author_there)
    }
    children = await listed(access.session, list(shown), shown, access.today)
    return [children[one] for one in shown]


@get("/children/{child_id:uuid}/people", include_in_schema=False)
async def people_page(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
    """Family with parental responsibility and its basis; agencies now and expected."""
    return await _people_page(desk, child_id)


async def _family_form_page(
    desk: Desk, child_id: UUID, link_id: UUID | None, errors: FieldErrors | None = None
) -> Response[str]:
    stored: dict[str, object] = {}
    version: int | str = ""
    sees_contact, contact_withheld = True, ""
    async with desk.gate.open(
        child_id, desk.viewer, desk.purposes, "read one person of the family"
    ) as access:
        access.require_write()
        header = await child_header(access)
        if link_id is not None:
            read = await family_member_details(access, link_id)
            version = read.link_version + read.member_version
            sees_contact = read.may_see_contact
            if not sees_contact and (said := access.withheld(Category.CONTACT)) is not None:
                contact_withheld = "" if said.silent else f"{CANNOT_REACH} {said.why}"
            stored = {
                **{name: getattr(read.member, name) for name in _MEMBER_FIELDS},
                **{name: getattr(read.link, name) for name in _LINK_FIELDS},
            }
    return desk.page(
        "register/family_member.html",
        status=200 if errors is None else 422,
        header=header,
        here="people",
        link_id=link_id,
        filled=Filled(stored, errors),
        version=version,
        sees_contact=sees_contact,
        contact_withheld=contact_withheld,
        basis_choices=pages.BASIS_CHOICES,
    )


CANNOT_REACH = "You cannot see how to reach them, and what is recorded stays as it is."
_MEMBER_FIELDS = (
    "name", "phone", "email", "address", "safe_contact", "first_language", "interpreter",
)  # fmt: skip
_LINK_FIELDS = (
    "relationship", "parental_responsibility", "basis", "from_on", "until_on", "lives_with",
)  # fmt: skip


@get("/children/{child_id:uuid}/people/new", include_in_schema=False)
async def new_family_member_page(
    desk: NamedDependency[Desk], child_id: FromPath[UUID]
) -> Response[str]:
    """The form for a person of the family."""
    return await _family_form_page(desk, child_id, None)


@post("/children/{child_id:uuid}/people/new", include_in_schema=False)
async def new_family_member(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """A person of the family."""

    async def work(access: Access, form: forms.FamilyForm) -> None:
        access.require_write()
        _check_name(form.name)
        await add_family_member(access.session, child_id, form.member(), form.link())

    opens = partial(desk.open, child_id, "added a person of the family")
    again = partial(_family_form_page, desk, child_id, None)
    return await take(desk, forms.FamilyForm, opens, work, _people(child_id), again=again)


def _check_name(name: str) -> None:
    if mistakes := forms.name_mistakes("name", "their name", name, is_needed=True):
        raise Invalid(tuple(mistakes))


@get("/children/{child_id:uuid}/people/{link_id:uuid}", include_in_schema=False)
async def family_member_page(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], link_id: FromPath[UUID]
) -> Response[str]:
    """One person of the family, to be changed."""
    return await _family_form_page(desk, child_id, link_id)


@post("/children/{child_id:uuid}/people/{link_id:uuid}", include_in_schema=False)
async def family_member(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], link_id: FromPath[UUID]
) -> Response[Any]:
    """A person of the family and their tie, as they should read from now on."""

    async def work(access: Access, form: forms.FamilyForm) -> None:
        _check_name(form.name)
        await change_family_member(access, link_id, form.member(), form.link(), form.version)

    opens = partial(desk.open, child_id, "changed a person of the family")
    again = partial(_family_form_page, desk, child_id, link_id)
    return await take(desk, forms.FamilyForm, opens, work, _people(child_id), again=again)


@post("/children/{child_id:uuid}/siblings", include_in_schema=False)
async def sibling(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """A brother or sister is here already: take over the people they share."""
    doing = "linked a brother or sister"

    async def work(access: Access, form: forms.SiblingForm) -> None:
        access.require_write()
        sibling_id = await of_reference(access.session, form.reference)
        known = [sibling_id] if sibling_id else []
        opened = await desk.gate.open_here(access.session, known, desk.viewer, desk.purposes, doing)
        other = opened.get(sibling_id) if sibling_id else None
        if other is None or other.child_id == child_id:
            raise Invalid.because(
                "reference", "There is no such brother or sister that you can see"
            )
        if not await share_family(access, other):
            raise Invalid.because(
                "reference", "There is nobody in that family whom you can see and add"
            )

    opens = partial(desk.open, child_id, doing)
    again = partial(_people_page, desk, child_id)
    return await take(desk, forms.SiblingForm, opens, work, _people(child_id), again=again)


# --- Agencies ---------------------------------------------------------------------------------


async def _agency_page(
    desk: Desk, child_id: UUID, errors: FieldErrors | None = None
) -> Response[str]:
    async with desk.gate.open(
        child_id, desk.viewer, desk.purposes, "read who is involved"
    ) as access:
        access.require_write()
        header = await child_header(access)
        every = [(agency.key, agency.name) for agency in await agencies(access.session)]
    return desk.page(
        "register/agency.html",
        status=200 if errors is None else 422,
        header=header,
        here="people",
        agencies=every,
        filled=Filled({"when": "now", "on": desk.today}, errors),
    )


@get("/children/{child_id:uuid}/agencies/new", include_in_schema=False)
async def new_agency_page(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
    """The form for an agency that is involved, or expected."""
    return await _agency_page(desk, child_id)


@post("/children/{child_id:uuid}/agencies/new", include_in_schema=False)
async def new_agency(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """An agency is involved from a day, or expected from one."""

    async def work(access: Access, form: forms.AgencyForm) -> None:
        access.require_write()
        await _add_agency(access, form)

    opens = partial(desk.open, child_id, "added an agency")
    again = partial(_agency_page, desk, child_id)
    return await take(desk, forms.AgencyForm, opens, work, _people(child_id), again=again)


async def _add_agency(access: Access, form: forms.AgencyForm) -> None:
    agency = await agency_by_key(access.session, form.agency)
    if agency is None:
        raise Invalid.because("agency", "Select an agency")
    worker_id = None
    if form.worker_email:
        worker = await worker_by_email(access.session, form.worker_email)
        if worker is None or worker.agency_id != agency.id:
            raise Invalid.because(
                "worker_email", "Nobody at that agency has this e-mail address. Check both"
            )
        worker_id = worker.id
        if agency.id != access.viewer.agency and await is_refused_the_name(
            access.session, access.child_id, agency.id, access.today
        ):
            raise Invalid.because(
                "worker_email",
                "The family has not agreed that anybody there knows who the child is. Ask them,"
                " and write down what they agree to, first",
            )
    is_now = form.when == "now"
    if is_now and form.on > access.today:
        raise Invalid.because("on", "A day to come: say that they are expected, or check the date")
    await add_involvement(
        access.session,
        access.child_id,
        agency_id=agency.id,
        worker_id=worker_id,
        part=form.part,
        from_on=form.on if is_now else None,
        expected_from_on=None if is_now else form.on,
    )


@post("/children/{child_id:uuid}/agencies/{involvement_id:uuid}/end", include_in_schema=False)
async def end_agency(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], involvement_id: FromPath[UUID]
) -> Response[Any]:
    """An agency's part ends on a day."""

    async def work(access: Access, form: forms.EndForm) -> None:
        access.require_write()
        await end_involvement(access.session, child_id, involvement_id, form.until_on, form.version)

    def to(form: forms.EndForm) -> str:
        # Who ended their own part may not be able to come back to the child's page.
        return _people(child_id) if form.until_on >= desk.today else "/children"

    opens = partial(desk.open, child_id, "ended an agency’s part")
    again = partial(_people_page, desk, child_id)
    return await take(desk, forms.EndForm, opens, work, to, again=again)


@post("/children/{child_id:uuid}/agencies/{involvement_id:uuid}/start", include_in_schema=False)
async def start_agency(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], involvement_id: FromPath[UUID]
) -> Response[Any]:
    """An agency that was expected begins."""

    async def work(access: Access, form: forms.StartForm) -> None:
        access.require_write()
        await start_involvement(
            access.session, child_id, involvement_id, from_on=form.from_on, worker_id=None
        )

    opens = partial(desk.open, child_id, "recorded that an agency began")
    again = partial(_people_page, desk, child_id)
    return await take(desk, forms.StartForm, opens, work, _people(child_id), again=again)


# --- Details ----------------------------------------------------------------------------------


async def _edit_page(
    desk: Desk, child_id: UUID, errors: FieldErrors | None = None
) -> Response[str]:
    async with desk.gate.open(child_id, desk.viewer, desk.purposes, "read the details") as access:
        access.require_write()
        header = await child_header(access)
        details = await child_details(access)
        number = details.values.get("nhs_number", "")
    return desk.page(
        "register/edit_child.html",
        status=200 if errors is None else 422,
        header=header,
        here="overview",
        filled=Filled(
            {**details.values, "nhs_number": number and nhs_number_words(number)}, errors
        ),
        asked=details.may_change,
        version=details.version,
    )


@get("/children/{child_id:uuid}/edit", include_in_schema=False)
async def edit_page(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
    """The child's details, as far as this person may see and change them."""
    return await _edit_page(desk, child_id)


@post("/children/{child_id:uuid}/edit", include_in_schema=False)
async def edit(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """The child's details as they should read from now on."""
    posted = await desk.posted()
    form = posted.read(forms.ChildForm)
    if isinstance(form, FieldErrors):
        return await _edit_page(desk, child_id, form)
    location = f"/children/{child_id}"
    sent = _fields_sent(posted)
    try:
        _check_details(desk, form, sent)
        async with desk.gate.open(
            child_id, desk.viewer, desk.purposes, "changed the details"
        ) as access:
            if await desk.first_time(access.session, posted, location):
                await change_child(access, forms.child_values(form, sent), form.version)
    except Invalid as wrong:
        return await _edit_page(desk, child_id, posted.refused(wrong.errors))
    return go(location)


def _check_details(desk: Desk, form: forms.ChildForm, sent: Sequence[str]) -> None:
    if mistakes := forms.child_mistakes(form, desk.today, sent):
        raise Invalid(tuple(mistakes))


def _fields_sent(posted: Posted) -> list[str]:
    """The fields that the page asked for: those that this person may see."""
    sent = {name.removesuffix("-day") for name, _ in posted.fields}
    return [name for name in LABELS if name in sent]


# --- Chronology -------------------------------------------------------------------------------


async def _chronology_page(
    desk: Desk, child_id: UUID, errors: FieldErrors | None = None
) -> Response[str]:
    async with desk.gate.open(
        child_id, desk.viewer, desk.purposes, "read the chronology"
    ) as access:
        header = await child_header(access)
        page = pages.chronology_page(await chronology(access))
        level = await level_of_need(access.session, child_id)
        may_write = access.may_write
    return desk.page(
        "register/chronology.html",
        status=200 if errors is None else 422,
        header=header,
        here="chronology",
        page=page,
        level="" if level is None else LEVEL_WORDS[level.level],
        judged_on=None if level is None else level.judged_on,
        levels=list(LEVEL_WORDS.items()),
        kinds=pages.EVENT_CHOICES,
        categories=pages.CATEGORY_CHOICES,
        may_write=may_write,
        filled=Filled({"happened_on": desk.today, "judged_on": desk.today}, errors),
    )


@get("/children/{child_id:uuid}/chronology", include_in_schema=False)
async def chronology_page(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
    """What happened, newest first, as far as this person may see it."""
    return await _chronology_page(desk, child_id)


@post("/children/{child_id:uuid}/chronology", include_in_schema=False)
async def add_event(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Something that happened."""
    posted = await desk.posted()
    form = posted.read(forms.EventForm)
    if isinstance(form, FieldErrors):
        return await _chronology_page(desk, child_id, form)
    location = f"/children/{child_id}/chronology"
    try:
        async with desk.gate.open(
            child_id, desk.viewer, desk.purposes, "wrote down an event"
        ) as access:
            access.require_write()
            if await desk.first_time(access.session, posted, location):
                await note_event(
                    access.session,
                    child_id,
                    happened_on=form.happened_on,
                    kind=form.kind,
                    category=Category(form.category),
                    author_agency_id=_agency_of(desk),
                    text=form.text,
                )
    except Invalid as wrong:
        return await _chronology_page(desk, child_id, posted.refused(wrong.errors))
    return go(location)


def _agency_of(desk: Desk) -> UUID:
    agency = desk.viewer.agency
    if agency is None:
        raise NotAllowed("Only somebody at an agency can write this down.")
    return agency


@post("/children/{child_id:uuid}/level-of-need", include_in_schema=False)
async def add_level(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """A judgement of the level of need."""
    posted = await desk.posted()
    form = posted.read(forms.LevelForm)
    if isinstance(form, FieldErrors):
        return await _chronology_page(desk, child_id, form)
    location = f"/children/{child_id}/chronology"
    try:
        async with desk.gate.open(
            child_id, desk.viewer, desk.purposes, "judged the level of need"
        ) as access:
            access.require_write()
            if await desk.first_time(access.session, posted, location):
                await judge_level(
                    access.session,
                    child_id,
                    level=form.level,
                    judged_on=form.judged_on,
                    judged_by=desk.viewer.id,
                )
    except Invalid as wrong:
        return await _chronology_page(desk, child_id, posted.refused(wrong.errors))
    return go(location)


HANDLERS = [
    children_page,
    new_child_page,
    new_child,
    people_page,
    new_family_member_page,
    new_family_member,
    family_member_page,
    family_member,
    sibling,
    new_agency_page,
    new_agency,
    end_agency,
    start_agency,
    edit_page,
    edit,
    chronology_page,
    add_event,
    add_level,
]
