"""The pages of children whom other authorities hand to us, and of those authorities."""

from functools import partial
from typing import Annotated, Any, Literal, cast
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Role
from panel.accounts.desk import Desk
from panel.accounts.models import Worker, WorkerRole
from panel.accounts.service import worker_names
from panel.accounts.step_pages import Field, Shown, Step, step_page
from panel.accounts.taking import Transaction, take, take_here, transaction_of
from panel.casework.handover import authorities
from panel.exchange import handing_over_in as service
from panel.exchange.clients import systems_to_choose
from panel.exchange.handing_over import NewAuthority, add_authority, our_keys, public_key
from panel.exchange.importing_people import new_child
from panel.exchange.inbox_reading import type_words
from panel.panels.reading import all_panels
from panel.panels.referrals import takes_referrals
from panel.platform.crypto import Keys
from panel.platform.problems import NotAllowed
from panel.platform.tables import KEYS, today_of
from panel.records.child_scoped import JOB
from panel.register.service import CATEGORY_WORDS
from panel.web import words
from panel.web.forms import FieldErrors, chosen, line, paragraphs, upload

HERE = "/exchange/handovers"
AUTHORITIES = "/governance/authorities"
LEAD = Role.GOVERNANCE_LEAD
MOST_WORKERS = 500
STATES = {
    "requested": "Waits for an answer",
    "accepted": "Accepted",
    "refused": "Refused",
    "withdrawn": "Taken back by them",
}


class AnswerForm(msgspec.Struct, forbid_unknown_fields=True):
    """A child is taken on, or not."""

    version: int
    answer: Annotated[
        Literal["accept", "refuse"],
        chosen("Answer", missing="Select whether you take the child on"),
    ]
    panel: Annotated[UUID | None, chosen("Panel")] = None
    lead: Annotated[UUID | None, chosen("Lead professional")] = None
    reason: Annotated[str, paragraphs("Why", at_most=2_000)] = ""


class AuthorityForm(msgspec.Struct, forbid_unknown_fields=True):
    """Another authority."""

    name: Annotated[str, line("Name", at_most=200, missing="Enter the authority’s name")]
    client: Annotated[str, chosen("System", missing="Choose a system")]
    public_key: Annotated[str, line("Their key", at_most=64, missing="Enter their key")]
    base: Annotated[str, line("Address", at_most=2_000)] = ""
    as_client: Annotated[str, line("What we are called there", at_most=100)] = ""

    def new(self) -> NewAuthority:
        """As it is kept."""
        return NewAuthority(self.name, self.client, self.base, self.as_client, self.public_key)


class FileForm(msgspec.Struct, forbid_unknown_fields=True):
    """A document that came as a file."""

    file: Annotated[UploadFile, upload("File", missing="Select the file of the handover (.json)")]
    authority: Annotated[UUID | None, chosen("Authority")] = None


# What came ----------------------------------------------------------------------------------------


def _require(desk: Desk) -> None:
    if not desk.signed_in.may_coordinate:
        raise NotAllowed("Only who runs a panel answers handovers from other authorities.")


@get(HERE, include_in_schema=False)
async def received(desk: NamedDependency[Desk]) -> Response[str]:
    """Children whom other authorities hand to us."""
    _require(desk)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        rows = [
            (
                f"{HERE}/{one.id}",
                f"From {one.authority}",
                words.short_day(one.received_on),
                STATES[one.state],
                "" if one.answered_on is None else words.short_day(one.answered_on),
            )
            for one in await service.received_handovers(session)
        ]
    return desk.page(
        "exchange/handing_list.html",
        name="Children handed over to us",
        lead="They move here. Until you accept, the other authority goes on.",
        caption="The newest first",
        columns=["From", "Came on", "State", "Answered on"],
        rows=rows,
        nothing="Nobody was handed over to us yet. Whoever is comes here.",
        new_words="Take in a file",
        new_href=f"{HERE}/file",
        key="",
        back_href="/exchange/inbox",
    )


async def _file_page(desk: Desk, errors: FieldErrors | None = None) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        others = [(str(one.id), one.name) for one in await authorities(session)]
    step = Step(
        "Take in a handover that came as a file",
        "Only what the other authority signed is taken in, and nothing of it counts before it is"
        " accepted. Tell them what you answered: the file cannot.",
        "Take it in",
        (
            Field("select", "authority", "Which authority does it come from?", "", others),
            Field("file", "file", "The file of the handover (.json)"),
        ),
    )
    return step_page(desk, step, Shown(f"{HERE}/file", HERE), errors)


@get(f"{HERE}/file", include_in_schema=False)
async def file_form(desk: NamedDependency[Desk]) -> Response[Any]:
    """The form that takes a file in."""
    _require(desk)
    return await _file_page(desk)


@post(f"{HERE}/file", include_in_schema=False)
async def take_file(desk: NamedDependency[Desk]) -> Response[Any]:
    """Check the file and keep it: then it is answered as one that came by system."""
    _require(desk)

    async def work(here: Transaction, form: FileForm) -> None:
        await service.receive_file(here.session, form.authority, await form.file.read())

    opens, again = transaction_of(desk, JOB), partial(_file_page, desk)
    return await take(desk, FileForm, opens, work, HERE, again=again)


async def _one(desk: Desk, handed_id: UUID, errors: FieldErrors | None = None) -> Response[str]:
    _require(desk)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        one = await service.open_received(session, handed_id)
        panels = [
            (str(each.id), each.name)
            for each in await all_panels(session)
            if takes_referrals(each) and each.id in desk.signed_in.may_coordinate
        ]
        leads = await _workers(session)
    is_open = one.state == "requested"
    if not is_open:
        return desk.page(
            "exchange/handover_answered.html",
            name=f"A child from {one.authority}",
            facts=_facts(one),
            back_href=HERE,
        )
    shown = Shown(f"{HERE}/{handed_id}", HERE, one.version, _facts(one))
    return step_page(desk, answer_step(panels, leads), shown, errors)


async def _workers(session: AsyncSession) -> list[tuple[str, str]]:
    """Those who stay and whose role is to work with children."""
    today = today_of(session)
    works = exists().where(
        WorkerRole.worker_id == Worker.id,
        WorkerRole.role.in_(("practitioner", "manager", "coordinator")),
        or_(WorkerRole.from_on.is_(None), WorkerRole.from_on <= today),
        or_(WorkerRole.until_on.is_(None), WorkerRole.until_on >= today),
    )
    found = await session.scalars(
        select(Worker.id)
        .where(Worker.until_on.is_(None), works)
        .order_by(Worker.id)
        .limit(MOST_WORKERS)
    )
    names = await worker_names(session, list(found))
    return sorted(((str(key), name) for key, name in names.items()), key=lambda one: one[1])


def _facts(one: service.Opened) -> list[tuple[str, str]]:
    child, handing = new_child(one.child), one.handed.handing
    known = {category.value: said for category, said in CATEGORY_WORDS.items()}
    facts = [
        ("From", one.authority),
        ("Written to", str(handing.receiver)),
        ("State", STATES[one.state]),
        ("Name", f"{child.given_name} {child.family_name}".strip()),
    ]
    if child.birth_date is not None:
        facts.append(("Date of birth", words.day(child.birth_date)))
    if handing.moves_on is not None:
        facts.append(("Moves here on", words.day(handing.moves_on)))
    if handing.note:
        facts.append(("What to know first", handing.note))
    left = ", ".join(known.get(each, each) for each in handing.withheld)
    facts.append(("Left out", left or "Nothing"))
    comes = ", ".join(f"{type_words(kind)}: {count}" for kind, count in one.types)
    facts.append(("What comes with the child", comes or "Only who the child is"))
    if one.reason:
        facts.append(("Why it was refused", one.reason))
    return facts


def answer_step(panels: list[tuple[str, str]], leads: list[tuple[str, str]]) -> Step:
    """The form that answers a handover."""
    return Step(
        "A child is handed over to us",
        "The signature is that of the authority. If you accept, the record comes with the child, an"
        " episode opens, and there is a lead professional from today. Where the child’s case is"
        " open here already, it goes on with whoever leads it.",
        "Send the answer",
        (
            Field(
                "radios",
                "answer",
                "Do you take the child on?",
                "",
                (("accept", "Accept"), ("refuse", "Refuse")),
            ),
            Field("select", "panel", "Which panel?", "If you accept.", panels),
            Field(
                "select", "lead", "Who is lead professional from today?", "If you accept.", leads
            ),
            Field(
                "text",
                "reason",
                "Why not?",
                "If you refuse. The other authority and the family read it.",
            ),
        ),
    )


@get(f"{HERE}/{{handed_id:uuid}}", include_in_schema=False)
async def received_one(desk: NamedDependency[Desk], handed_id: FromPath[UUID]) -> Response[str]:
    """One of them, read."""
    return await _one(desk, handed_id)


@post(f"{HERE}/{{handed_id:uuid}}", include_in_schema=False)
async def answer(desk: NamedDependency[Desk], handed_id: FromPath[UUID]) -> Response[Any]:
    """Accept or refuse."""
    _require(desk)

    async def work(here: Transaction, form: AnswerForm) -> None:
        if form.answer == "refuse":
            await service.refuse(here.session, handed_id, form.version, form.reason, desk.viewer)
            return
        how = service.acceptance(form.panel, form.lead, desk.signed_in.may_coordinate)
        await service.accept(here.session, handed_id, form.version, how, desk.viewer)

    return await take(
        desk,
        AnswerForm,
        transaction_of(desk, JOB),
        work,
        f"{HERE}/{handed_id}",
        again=partial(_one, desk, handed_id),
    )


# Other authorities --------------------------------------------------------------------------------


@get(AUTHORITIES, include_in_schema=False)
async def authorities_page(desk: NamedDependency[Desk]) -> Response[str]:
    """Those that children are handed to and by, and our key."""
    desk.require(LEAD)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        rows = [
            (f"{AUTHORITIES}/{one.id}", one.name, one.base or "By file", one.client_key)
            for one in await authorities(session)
        ]
        key = public_key(cast("Keys", session.info[KEYS]).ring)
    return desk.page(
        "exchange/handing_list.html",
        name="Other authorities",
        lead="Children who move are handed over to them, and by them.",
        caption="Those kept here",
        columns=["Name", "Address", "Comes in as"],
        rows=rows,
        nothing="No other authority is kept yet. One that you add appears here.",
        new_words="Add an authority",
        new_href=f"{AUTHORITIES}/new",
        key=key,
        back_href="/governance/clients",
    )


@get(f"{AUTHORITIES}/new", include_in_schema=False)
async def new_authority(desk: NamedDependency[Desk]) -> Response[Any]:
    """The form that adds one."""
    desk.require(LEAD)
    await desk.require_proof()
    return await _new(desk)


@post(f"{AUTHORITIES}/new", include_in_schema=False)
async def keep_authority(desk: NamedDependency[Desk]) -> Response[Any]:
    """Add one."""
    desk.require(LEAD)
    await desk.require_proof()

    async def work(here: Transaction, form: AuthorityForm) -> None:
        await add_authority(here.session, form.new(), is_demo=desk.tenant.record.demo)

    return await take_here(desk, AuthorityForm, work, AUTHORITIES, again=partial(_new, desk))


async def _new(desk: Desk, errors: FieldErrors | None = None) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        systems = await systems_to_choose(session)
    return step_page(
        desk, _authority_step(systems), Shown(f"{AUTHORITIES}/new", AUTHORITIES), errors
    )


def _authority_step(systems: list[tuple[str, str]]) -> Step:
    return Step(
        "Add another authority",
        "Register its system first, under Systems that come in. With that agency families agree"
        " to share before a child is handed over.",
        "Add it",
        (
            Field("line", "name", "What is it called?"),
            Field("select", "client", "As which system does it come in?", "", systems),
            Field("line", "public_key", "Its key for documents", "64 digits, from its Panel."),
            Field(
                "line", "base", "The address of its FHIR server", "Leave empty to hand over files."
            ),
            Field("line", "as_client", "What are we called there?", "Its people tell you."),
        ),
    )


@get(f"{AUTHORITIES}/{{authority_id:uuid}}", include_in_schema=False)
async def authority_page(
    desk: NamedDependency[Desk], authority_id: FromPath[UUID]
) -> Response[str]:
    """One of them, with our key there."""
    desk.require(LEAD)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        row = await service.kept_authority(session, authority_id)
        facts = [
            ("Address", row.base or "By file"),
            ("Comes in as", row.client_key),
            ("What we are called there", row.as_client or ""),
            ("Its key for documents", row.public_key or ""),
            ("Our key there, to register", await our_keys(session, row)),
        ]
        name = row.name
    return desk.page(
        "exchange/handover_answered.html",
        name=name,
        facts=[(label, said) for label, said in facts if said],
        back_href=AUTHORITIES,
    )


HANDLERS = [
    received, file_form, take_file, received_one, answer, authorities_page, new_authority,
    keep_authority, authority_page,
]  # fmt: skip
