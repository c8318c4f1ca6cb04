"""How long records are kept, legal holds, disposal lists and certificates."""

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from consent import GUARDIANS, Role
from panel.accounts.desk import Desk
from panel.accounts.service import worker_names
from panel.accounts.step_pages import Field, Shown, Step, step_page
from panel.accounts.taking import Transaction, take_here
from panel.governance import disposals
from panel.governance import retention_service as service
from panel.governance.document_facts import RETENTION
from panel.governance.retention_forms import HoldForm, KeptForForm, LineForm
from panel.governance.retention_models import DisposalLine, ListState
from panel.governance.retention_rules import WITH_THE_CHILD, Rule
from panel.governance.rights_forms import VersionForm, WhyForm
from panel.platform.erasure import certificates
from panel.platform.problems import NotFound
from panel.register.service import CLOSURE_WORDS
from panel.web import words
from panel.web.forms import FieldErrors, Filled

HOME = "/governance"
RETENTION_PAGE = f"{HOME}/retention"
HOLDS = f"{HOME}/holds"
DISPOSALS = f"{HOME}/disposals"
DISPOSAL = DISPOSALS + "/{list_id:uuid}"
LEAD = Role.GOVERNANCE_LEAD
DECIDING = (Role.GOVERNANCE_LEAD, *sorted(GUARDIANS))
STATE_WORDS = {
    ListState.PROPOSED: "To be reviewed",
    ListState.REVIEWED: "Waits for a second person",
    ListState.APPROVED: "Approved; the records go next",
    ListState.DONE: "Done",
}
HOLD = Step(
    "Hold a record",
    "It is not disposed of, whatever its time, until you release it.",
    "Hold it",
    (
        Field("line", "reference", "Child’s reference", "For example C-1042"),
        Field("day", "from_on", "From which day?"),
        Field("text", "why", "Why?", "A claim, an inquiry, a court. Who asked for it."),
    ),
)
RELEASE = Step(
    "Release a hold",
    "From now on the record’s own time counts again.",
    "Release it",
    (Field("text", "why", "Why need it not be held any more?"),),
)
LINE = Step(
    "What becomes of this record?",
    "You see its reference and nothing of what it holds. Disposed of, nobody can read it again.",
    "Save",
    (
        Field(
            "radios",
            "decision",
            "What do you decide?",
            choices=(("dispose", "Dispose of it"), ("keep", "Keep it for now")),
        ),
        Field("line", "why", "Why is it kept?", "Without a name. Only where it is kept."),
    ),
)


@get(RETENTION_PAGE, include_in_schema=False)
async def retention_page(desk: NamedDependency[Desk]) -> Response[Any]:
    """How long each kind of record is kept, and what was changed."""
    desk.require(LEAD)
    return await _retention(desk)


@post(RETENTION_PAGE, include_in_schema=False)
async def save_retention(desk: NamedDependency[Desk]) -> Response[Any]:
    """Say how long a kind is kept, from now on."""
    desk.require(LEAD)

    async def work(here: Transaction, form: KeptForForm) -> None:
        rule = Rule(form.years, form.birthday)
        await service.set_kept_for(here.session, form.kind, rule, form.version, form.source)

    again = partial(_retention, desk)
    return await take_here(desk, KeptForForm, work, RETENTION_PAGE, again=again)


async def _retention(desk: Desk, errors: FieldErrors | None = None) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        kept = await service.kept_for(session)
    return desk.page(
        "governance/retention.html",
        status=200 if errors is None else 422,
        rows=[
            (
                said,
                kept.says.get(kind, "Not decided yet"),
                "Yes" if kind in WITH_THE_CHILD else "No",
            )
            for kind, said in RETENTION.items()
        ],
        is_set=all(kind in kept.rules for kind in WITH_THE_CHILD),
        kinds=tuple(RETENTION.items()),
        changes=[
            (
                "From the beginning" if one.at is None else words.day_and_time(one.at),
                RETENTION.get(one.kind, one.kind),
                one.says,
                one.by,
                one.source,
            )
            for one in kept.changes
        ],
        version=kept.version,
        filled=Filled({"birthday": 0}, errors),
        action=RETENTION_PAGE,
        back_href=HOME,
    )


# --- Legal holds --------------------------------------------------------------------------------


@get(HOLDS, include_in_schema=False)
async def holds_page(desk: NamedDependency[Desk]) -> Response[str]:
    """Every legal hold."""
    desk.require(LEAD)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await service.holds(session)
    return desk.page(
        "governance/holds.html",
        rows=[
            (
                one.reference,
                words.short_day(one.from_on),
                one.why,
                one.by,
                "" if one.released_on is None else words.short_day(one.released_on),
                one.released_why,
                f"{HOLDS}/{one.id}",
            )
            for one in found
        ],
        back_href=HOME,
    )


@get(f"{HOLDS}/new", include_in_schema=False)
async def new_hold(desk: NamedDependency[Desk]) -> Response[str]:
    """The page on which a record is held."""
    desk.require(LEAD)
    return step_page(desk, HOLD, Shown(f"{HOLDS}/new", HOLDS))


@post(f"{HOLDS}/new", include_in_schema=False)
async def hold_record(desk: NamedDependency[Desk]) -> Response[Any]:
    """Hold a record."""
    desk.require(LEAD)

    async def work(here: Transaction, form: HoldForm) -> None:
        await service.hold(here.session, form.reference, form.from_on, form.why)

    async def again(errors: FieldErrors) -> Response[Any]:
        return step_page(desk, HOLD, Shown(f"{HOLDS}/new", HOLDS), errors)

    return await take_here(desk, HoldForm, work, HOLDS, again=again)


@get(f"{HOLDS}/{{hold_id:uuid}}", include_in_schema=False)
async def one_hold(desk: NamedDependency[Desk], hold_id: FromPath[UUID]) -> Response[Any]:
    """One hold, to be released."""
    desk.require(LEAD)
    return await _hold(desk, hold_id)


@post(f"{HOLDS}/{{hold_id:uuid}}", include_in_schema=False)
async def release_hold(desk: NamedDependency[Desk], hold_id: FromPath[UUID]) -> Response[Any]:
    """Release it."""
    desk.require(LEAD)

    async def work(here: Transaction, form: WhyForm) -> None:
        await service.release(here.session, hold_id, form.version, form.why)

    again = partial(_hold, desk, hold_id)
    return await take_here(desk, WhyForm, work, HOLDS, again=again)


async def _hold(desk: Desk, hold_id: UUID, errors: FieldErrors | None = None) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = next((one for one in await service.holds(session) if one.id == hold_id), None)
    if found is None:
        raise NotFound
    facts = [
        ("Reference", found.reference),
        ("Held since", words.day(found.from_on)),
        ("Why", found.why),
    ]
    shown = Shown(f"{HOLDS}/{hold_id}", HOLDS, found.version, facts)
    return step_page(desk, RELEASE, shown, errors)


# --- Disposal lists -----------------------------------------------------------------------------


@get(DISPOSALS, include_in_schema=False)
async def disposal_lists(desk: NamedDependency[Desk]) -> Response[str]:
    """Every disposal list."""
    desk.require(*DECIDING)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await disposals.lists(session)
    return desk.page(
        "governance/disposals.html",
        rows=[
            (
                f"{DISPOSALS}/{one.id}",
                f"List {one.number}",
                words.short_day(one.proposed_on),
                STATE_WORDS[ListState(one.state)],
            )
            for one in found
        ],
        back_href=HOME,
    )


@get(DISPOSAL, include_in_schema=False)
async def disposal_list(desk: NamedDependency[Desk], list_id: FromPath[UUID]) -> Response[Any]:
    """One list: what is due, what was decided, what became of it."""
    desk.require(*DECIDING)
    return await _list(desk, list_id)


async def _list(desk: Desk, list_id: UUID, errors: FieldErrors | None = None) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        read = await disposals.read_list(session, list_id)
        people = [who for who in (read.row.reviewed_by, read.row.approved_by) if who]
        names = await worker_names(session, people)
    here, state = f"{DISPOSALS}/{list_id}", ListState(read.row.state)
    may_review = LEAD in desk.viewer.roles and state is ListState.PROPOSED
    return desk.page(
        "governance/disposal.html",
        status=200 if errors is None else 422,
        errors=errors.summary if errors else [],
        title=f"Disposal list {read.row.number}",
        state=STATE_WORDS[state],
        people=[
            (what, names.get(who, "Somebody"))
            for what, who in (
                ("Reviewed by", read.row.reviewed_by),
                ("Approved by", read.row.approved_by),
            )
            if who is not None
        ],
        rows=[
            (
                f"{here}/lines/{one.id}" if may_review else "",
                one.reference,
                words.short_day(one.closed_on),
                CLOSURE_WORDS.get(one.closure_reason, ""),
                words.short_day(one.due_on),
                _line_words(one),
            )
            for one in read.lines
        ],
        may_send=may_review and not read.undecided,
        may_approve=state is ListState.REVIEWED and read.may_be_approved_by(desk.viewer.id),
        is_yours=state is ListState.REVIEWED and not read.may_be_approved_by(desk.viewer.id),
        version=read.row.version,
        action=here,
        back_href=DISPOSALS,
    )


def _line_words(line: DisposalLine) -> str:
    """What was decided about a record, and what became of it."""
    if line.outcome == "destroyed":
        return "Destroyed"
    if line.outcome == "refused":
        return f"Not destroyed. {disposals.REFUSED_WORDS[line.refused_why]}"
    if line.decision == "keep":
        return f"Kept: {line.keep_why}"
    return "Goes" if line.decision == "dispose" else "To be decided"


@get(f"{DISPOSAL}/lines/{{item_id:uuid}}", include_in_schema=False)
async def disposal_line(
    desk: NamedDependency[Desk], list_id: FromPath[UUID], item_id: FromPath[UUID]
) -> Response[Any]:
    """One record that is due."""
    desk.require(LEAD)
    return await _line(desk, list_id, item_id)


@post(f"{DISPOSAL}/lines/{{item_id:uuid}}", include_in_schema=False)
async def decide_line(
    desk: NamedDependency[Desk], list_id: FromPath[UUID], item_id: FromPath[UUID]
) -> Response[Any]:
    """Say what becomes of it."""
    desk.require(LEAD)

    async def work(here: Transaction, form: LineForm) -> None:
        await disposals.decide_line(
            here.session, list_id, item_id, form.version, form.decision, form.why
        )

    again = partial(_line, desk, list_id, item_id)
    return await take_here(desk, LineForm, work, f"{DISPOSALS}/{list_id}", again=again)


async def _line(
    desk: Desk, list_id: UUID, item_id: UUID, errors: FieldErrors | None = None
) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        read = await disposals.read_list(session, list_id)
    line = next((one for one in read.lines if one.id == item_id), None)
    if line is None:
        raise NotFound
    facts = [
        ("Reference", line.reference),
        ("Closed", words.day(line.closed_on)),
        ("Why", CLOSURE_WORDS.get(line.closure_reason, "")),
        ("Its time was over on", words.day(line.due_on)),
    ]
    here = f"{DISPOSALS}/{list_id}"
    shown = Shown(f"{here}/lines/{item_id}", here, line.version, facts)
    return step_page(desk, LINE, shown, errors)


@post(f"{DISPOSAL}/review", include_in_schema=False)
async def review_list(desk: NamedDependency[Desk], list_id: FromPath[UUID]) -> Response[Any]:
    """The review is done."""
    desk.require(LEAD)

    async def work(here: Transaction, form: VersionForm) -> None:
        await disposals.send_for_approval(here.session, list_id, form.version)

    again = partial(_list, desk, list_id)
    return await take_here(desk, VersionForm, work, f"{DISPOSALS}/{list_id}", again=again)


@post(f"{DISPOSAL}/approve", include_in_schema=False)
async def approve_list(desk: NamedDependency[Desk], list_id: FromPath[UUID]) -> Response[Any]:
    """A second person agrees."""
    desk.require(*DECIDING)
    await desk.require_proof()

    async def work(here: Transaction, form: VersionForm) -> None:
        await disposals.approve_list(here.session, list_id, form.version)

    return await take_here(desk, VersionForm, work, f"{DISPOSALS}/{list_id}")


@post(f"{DISPOSAL}/send-back", include_in_schema=False)
async def send_list_back(desk: NamedDependency[Desk], list_id: FromPath[UUID]) -> Response[Any]:
    """The second person does not agree."""
    desk.require(*DECIDING)

    async def work(here: Transaction, form: VersionForm) -> None:
        await disposals.send_back(here.session, list_id, form.version)

    return await take_here(desk, VersionForm, work, f"{DISPOSALS}/{list_id}")


@get(f"{HOME}/certificates", include_in_schema=False)
async def certificates_page(desk: NamedDependency[Desk]) -> Response[str]:
    """What was destroyed, by identifier: it names nobody."""
    desk.require(*DECIDING)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await certificates(session)
    return desk.page(
        "governance/certificates.html",
        rows=[
            (
                one.told["holder"],
                words.day_and_time(datetime.fromisoformat(one.told["at"])),
                one.told["ordered_by"],
                one.told["id"],
            )
            for one in found
        ],
        back_href=HOME,
    )


HANDLERS = [
    retention_page,
    save_retention,
    holds_page,
    new_hold,
    hold_record,
    one_hold,
    release_hold,
    disposal_lists,
    disposal_list,
    disposal_line,
    decide_line,
    review_list,
    approve_list,
    send_list_back,
    certificates_page,
]
