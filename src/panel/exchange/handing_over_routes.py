"""The pages of a child's handover to another authority: prepare, sign and send, take back."""

from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from consent import Category
from panel.accounts.desk import PRIVATE, Desk, go, unless_invalid
from panel.accounts.step_pages import Shown, Step, step_page
from panel.accounts.taking import take
from panel.casework import handover as service
from panel.casework import handover_pages as pages
from panel.casework.handover_models import AuthorityHandover
from panel.exchange.fhir_routes import base_of
from panel.exchange.handing_over import make_document
from panel.platform.problems import NotAllowed, NotFound
from panel.records.gate import Access
from panel.register.service import child_header
from panel.web.forms import FieldErrors

NOT_HERE = "There is no such handover."


def address(child_id: UUID) -> str:
    """The page of a child."""
    return f"/children/{child_id}/handover"


async def _page(desk: Desk, child_id: UUID, errors: FieldErrors | None = None) -> Response[str]:
    back = f"/children/{child_id}/closing"
    async with desk.open(child_id, "read how the handover stands") as access:
        known = await service.handovers_of(access)
        header = await child_header(access)
        others = await service.authorities(access.session)
    last = known[0] if known else None
    facts = [] if last is None else pages.facts_of(last)
    whose = (header.name, header.facts)
    if last is None or last.direction == "in" or last.state not in ("draft", "sent"):
        shown = Shown(address(child_id), back, facts=facts, stored={"way": "system"}, whose=whose)
        return step_page(desk, pages.draft_step(others), shown, errors)
    here = f"{address(child_id)}/{last.id}"
    if last.state == "draft":
        link = ("Take it back", f"{here}/withdraw")
        return step_page(
            desk,
            pages.SEND,
            Shown(f"{here}/send", back, last.version, facts, link=link, whose=whose),
            errors,
        )
    if last.way == "file":
        shown = Shown(
            f"{here}/answer",
            back,
            last.version,
            facts,
            link=("The file", f"{here}/file"),
            whose=whose,
        )
        return step_page(desk, pages.ANSWER, shown, errors)
    return step_page(
        desk,
        pages.WITHDRAW,
        Shown(f"{here}/withdraw", back, last.version, facts, whose=whose),
        errors,
    )


@get("/children/{child_id:uuid}/handover", include_in_schema=False)
async def handover_page(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
    """How the handover stands, and the next step."""
    return await _page(desk, child_id)


@post("/children/{child_id:uuid}/handover", include_in_schema=False)
async def prepare(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
    """Prepare one."""

    async def work(access: Access, form: pages.DraftForm) -> None:
        await service.draft_handover(
            access, form.authority, moves_on=form.moves_on, note=form.note, way=form.way
        )

    return await take(
        desk,
        pages.DraftForm,
        partial(desk.open, child_id, "prepared a handover to another authority"),
        work,
        address(child_id),
        again=partial(_page, desk, child_id),
    )


@post("/children/{child_id:uuid}/handover/{handover_id:uuid}/send", include_in_schema=False)
async def send(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], handover_id: FromPath[UUID]
) -> Response[Any]:
    """Sign and send it. The document is made as the other system is told things, by itself."""
    form = unless_invalid((await desk.posted()).read(pages.VersionForm))
    doing = "sent the handover to another authority"
    async with desk.open(child_id, doing) as access:
        row = await service.held_row(access, handover_id, form.version, "draft")
        note = row.note
    made = await make_document(desk.gate, row, note, base_of(desk))
    async with desk.open(child_id, doing) as access:
        await service.mark_sent(access, handover_id, form.version, made.body, made.withheld)
    return go(address(child_id))


@get("/children/{child_id:uuid}/handover/{handover_id:uuid}/withdraw", include_in_schema=False)
async def withdraw_page(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], handover_id: FromPath[UUID]
) -> Response[str]:
    """Take it back."""
    return await _step(desk, child_id, handover_id, pages.WITHDRAW, "withdraw")


@post("/children/{child_id:uuid}/handover/{handover_id:uuid}/withdraw", include_in_schema=False)
async def withdraw(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], handover_id: FromPath[UUID]
) -> Response[Any]:
    """Take it back; or ask it back, where it went."""

    async def work(access: Access, form: pages.WithdrawForm) -> None:
        await service.withdraw(access, handover_id, form.version, form.reason)

    return await take(
        desk,
        pages.WithdrawForm,
        partial(desk.open, child_id, "took the handover back"),
        work,
        address(child_id),
        again=partial(_step, desk, child_id, handover_id, pages.WITHDRAW, "withdraw"),
    )


@post("/children/{child_id:uuid}/handover/{handover_id:uuid}/answer", include_in_schema=False)
async def answer(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], handover_id: FromPath[UUID]
) -> Response[Any]:
    """What was answered to a file."""

    async def work(access: Access, form: pages.AnswerForm) -> None:
        await service.answered_by_hand(
            access,
            handover_id,
            form.version,
            accepted=form.answer == "accepted",
            reason=form.reason,
            lead=form.lead,
        )

    return await take(
        desk,
        pages.AnswerForm,
        partial(desk.open, child_id, "wrote down what the other authority answered"),
        work,
        address(child_id),
        again=partial(_step, desk, child_id, handover_id, pages.ANSWER, "answer"),
    )


@get("/children/{child_id:uuid}/handover/{handover_id:uuid}/file", include_in_schema=False)
async def handover_file(
    desk: NamedDependency[Desk], child_id: FromPath[UUID], handover_id: FromPath[UUID]
) -> Response[bytes]:
    """The signed document, for who may hand the child over."""
    async with desk.open(child_id, "fetched the document of the handover") as access:
        service.require_to_hand_over(access)
        row = await access.session.get(AuthorityHandover, handover_id)
        if row is None or row.child_id != child_id or not row.document:
            raise NotFound(NOT_HERE)
        if not all(access.may(one) for one in Category if one.value not in row.withheld):
            # It was made for the other authority: whoever fetches it reads all that is in it.
            raise NotAllowed(
                "The file holds parts of the record that you may not see.",
                "Ask the coordinator of the panel to fetch it.",
            )
        content = row.document.encode()
    named = {"Content-Disposition": 'attachment; filename="handover.json"'}
    return Response(content, media_type="application/fhir+json", headers=PRIVATE | named)


async def _step(
    desk: Desk,
    child_id: UUID,
    handover_id: UUID,
    step: Step,
    name: str,
    errors: FieldErrors | None = None,
) -> Response[str]:
    async with desk.open(child_id, "read how the handover stands") as access:
        known = await service.handovers_of(access)
        header = await child_header(access)
    one = next((each for each in known if each.id == handover_id), None)
    if one is None or one.direction == "in":
        raise NotFound(NOT_HERE)
    action = f"{address(child_id)}/{one.id}/{name}"
    whose = (header.name, header.facts)
    shown = Shown(action, address(child_id), one.version, pages.facts_of(one), whose=whose)
    return step_page(desk, step, shown, errors)


HANDLERS = [handover_page, prepare, send, withdraw_page, withdraw, answer, handover_file]
