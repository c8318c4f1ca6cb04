"""The copy of a record: gathered by the job, gone through by people, made."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import GUARDIANS, Role
from panel.accounts.service import worker_at_desk
from panel.documents.service import Fetched, fetch
from panel.governance.document_facts import contact_and_retention
from panel.governance.rights_file import (
    EMBEDDED_ALL,
    EMBEDDED_EACH,
    About,
    Attached,
    Out,
    content,
    element_of,
    render,
)
from panel.governance.rights_gather import Piece, from_json, gather, to_json
from panel.governance.rights_marks import (
    ABOUT_SAFETY,
    Because,
    Proposed,
    Reader,
    proposed,
)
from panel.governance.rights_models import (
    AccessFile,
    Exemption,
    FileState,
    Outcome,
    Redaction,
    RightRequest,
)
from panel.governance.rights_rules import may_give_second_look
from panel.governance.rights_service import SUBJECT_ACCESS, has_standing, of_record
from panel.panels.note_context import gather_for_plan
from panel.platform.problems import Conflict, FieldError, Gone, Invalid, NotAllowed, NotFound
from panel.platform.tables import NOW, VIEWER
from panel.platform.tenancy import TENANT, Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Access, Gate, rewrite_access
from panel.sharing.family_history import Naming, looks_to_tell

LOOKS_TOLD = 5_000
"""The newest of them; a record of many years has fewer."""


@dataclass(frozen=True, slots=True)
class CopyReading:
    """A copy as somebody goes through it."""

    file: AccessFile
    pieces: tuple[Piece, ...]
    redactions: tuple[Redaction, ...]

    @property
    def undecided(self) -> int:
        """How many places still wait for a person."""
        return sum(one.takes_out is None for one in self.redactions)

    @property
    def waits_for_second(self) -> int:
        """How many wait for the Caldicott guardian or the safeguarding lead."""
        return sum(map(needs_second_look, self.redactions))


def needs_second_look(row: Redaction) -> bool:
    """Whether somebody else has to agree that this is left out."""
    return bool(row.takes_out) and row.exemption == Exemption.SERIOUS_HARM and row.second_at is None


async def gather_waiting(gate: Gate) -> int:
    """Gather every copy that was asked for, each in the name of the lead who asked. For the job.

    Each is a transaction of its own: what a stop cuts off is gathered anew. Returns how many.
    """
    tenant = gate.tenant
    async with tenant.transaction(JOB) as session:
        asked = (
            await session.execute(
                select(
                    AccessFile.id, AccessFile.child_id, AccessFile.asker_id, AccessFile.for_lead
                ).where(AccessFile.state == FileState.ASKED)
            )
        ).all()
    done = 0
    for file_id, child_id, asker_id, lead_id in asked:
        async with tenant.transaction(lead_id) as session:
            lead = await worker_at_desk(
                await session.connection(), tenant.ring, lead_id, session.info[NOW]
            )
        if lead is None:
            continue
        if not await has_standing(tenant, child_id, asker_id):
            # Of somebody who is not tied any more nothing says what is protected from them.
            continue
        reader = await _reader(tenant, child_id, asker_id)
        async with gate.open(
            child_id, lead.viewer, SUBJECT_ACCESS, "gathered what is kept, for a copy of it"
        ) as access:
            await _gather(access, file_id, reader)
            done += 1
    return done


async def _reader(tenant: Tenant, child_id: UUID, asker_id: UUID) -> Reader:
    around = await gather_for_plan(tenant, child_id)
    return Reader(
        asker_id,
        around.shown.get(asker_id, {}),
        around.context({asker_id}, kept_from={asker_id}),
    )


async def _gather(access: Access, file_id: UUID, reader: Reader) -> None:
    session = access.session
    file = await session.get_one(AccessFile, file_id)
    if file.state != FileState.ASKED:
        return
    naming = Naming.NOBODY if reader.has_protection else Naming.EVERYBODY
    pieces = await gather(access, await looks_to_tell(access, naming, LOOKS_TOLD))
    if reader.has_protection:
        # Who wrote something down can tell where the child is.
        pieces = tuple(replace(one, by="") for one in pieces)
    file.pieces = to_json(pieces)
    file.state, file.gathered_at = FileState.GATHERED.value, session.info[NOW]
    session.add_all(_row(access.child_id, file_id, one) for one in proposed(pieces, reader))
    await session.flush()


def _row(child_id: UUID, file_id: UUID, one: Proposed) -> Redaction:
    row = Redaction(
        child_id=child_id,
        file_id=file_id,
        piece=one.piece,
        start=one.start,
        end=one.end,
        words=one.words,
        because=one.because.value,
        must_go=one.must_go,
    )
    if one.must_go:
        row.takes_out, row.exemption = True, Exemption.PROTECTED.value
        row.reason = "A court or a protection keeps it from whoever asks."
    return row


async def read_copy(access: Access, file_id: UUID) -> CopyReading:
    """A copy with all that was marked, what waits first. Raises NotFound."""
    file = await of_record(access, AccessFile, file_id)
    rows = await access.session.scalars(
        select(Redaction)
        .where(Redaction.file_id == file.id)
        .order_by(Redaction.takes_out.is_not(None), Redaction.id)
    )
    return CopyReading(file, from_json(file.pieces), tuple(rows))


async def read_mark(access: Access, mark_id: UUID) -> tuple[Redaction, Piece | None]:
    """One marked place with the entry it stands in. Raises NotFound."""
    row = await of_record(access, Redaction, mark_id)
    file = await of_record(access, AccessFile, row.file_id)
    piece = next((one for one in from_json(file.pieces) if one.id == row.piece), None)
    return row, piece


async def decide(
    access: Access,
    mark_id: UUID,
    version: int,
    exemption: Exemption | None,
    reason: str,
) -> int:
    """Take a place out for this exemption, or keep it (None): the same words are decided alike.

    Returns how many places that was. Raises Invalid, NotFound, Conflict, Gone.
    """
    row = await of_record(access, Redaction, mark_id)
    if row.version != version:
        raise Conflict(())
    file = await of_record(access, AccessFile, row.file_id)
    _require_not_out(file)
    if row.must_go:
        raise Invalid.because("exemption", "It is protected from whoever asks and stays out")
    if not reason.strip():
        raise Invalid.because("reason", "Write why; it is kept with your name")
    same = await access.session.scalars(
        select(Redaction).where(
            Redaction.file_id == row.file_id,
            Redaction.because == row.because,
            Redaction.takes_out.is_(None),
        )
    )
    told = " ".join(row.words.casefold().split())
    alike = [row] if row.start is None else [
        row, *(one for one in same if one.id != row.id and _told(one) == told)
    ]  # fmt: skip
    for one in alike:
        one.takes_out = exemption is not None
        one.exemption = None if exemption is None else exemption.value
        one.reason = reason
        one.decided_by, one.decided_at = access.viewer.id, access.session.info[NOW]
        one.second_agrees = one.second_by = one.second_at = None
    await _back_to_gathered(access, file)
    return len(alike)


def _told(row: Redaction) -> str:
    return "" if row.start is None else " ".join(row.words.casefold().split())


async def mark_by_hand(
    access: Access, file_id: UUID, piece_id: str, said: str, exemption: Exemption, reason: str
) -> None:
    """Take out of an entry what no rule marked: these words wherever they stand in it, or all.

    Raises Invalid where the words do not stand there or there is no reason.
    """
    file = await of_record(access, AccessFile, file_id)
    _require_not_out(file)
    piece = next((one for one in from_json(file.pieces) if one.id == piece_id), None)
    if piece is None:
        raise NotFound
    wrong = []
    if not reason.strip():
        wrong.append(FieldError("reason", "Write why; it is kept with your name"))
    wanted = said.strip()
    if wanted and wanted not in piece.text:
        wrong.append(FieldError("words", "These words do not stand in this entry"))
    if wrong:
        raise Invalid(tuple(wrong))
    places: list[tuple[int | None, int | None, str]] = [(None, None, piece.text)]
    if wanted:
        found = re.finditer(re.escape(wanted), piece.text)
        places = [(one.start(), one.end(), wanted) for one in found]
    for start, end, words in places:
        access.session.add(
            Redaction(
                child_id=access.child_id,
                file_id=file.id,
                piece=piece_id,
                start=start,
                end=end,
                words=words,
                because=Because.BY_HAND.value,
                takes_out=True,
                exemption=exemption.value,
                reason=reason,
                decided_by=access.viewer.id,
                decided_at=access.session.info[NOW],
            )
        )
    await _back_to_gathered(access, file)


async def _back_to_gathered(access: Access, file: AccessFile) -> None:
    file.state = FileState.GATHERED.value
    file.made = ""
    await access.session.flush()
    await rewrite_access(access.session, access.child_id)


async def waiting_for_second(session: AsyncSession) -> list[Redaction]:
    """What is to be left out for serious harm and nobody else has looked at, oldest first."""
    rows = await session.scalars(
        select(Redaction)
        .where(
            Redaction.takes_out.is_(True),
            Redaction.exemption == Exemption.SERIOUS_HARM.value,
            Redaction.second_at.is_(None),
        )
        .order_by(Redaction.decided_at, Redaction.id)
    )
    return list(rows)


async def give_second_look(
    access: Access, mark_id: UUID, version: int, note: str, answer: str
) -> None:
    """Agree that something is left out for serious harm ("agree"), or not: then it is told.

    For a Caldicott guardian or safeguarding lead who did not decide first. Raises NotAllowed,
    Invalid, NotFound, Conflict, Gone.
    """
    row = await of_record(access, Redaction, mark_id)
    if not access.viewer.roles & GUARDIANS or not may_give_second_look(
        row.decided_by, access.viewer.id
    ):
        raise NotAllowed("The Caldicott guardian or safeguarding lead gives the second look.")
    if not needs_second_look(row):
        raise Gone("Somebody has looked at this.", "Go back to the list.")
    if row.version != version:
        raise Conflict(())
    if not note.strip():
        raise Invalid.because("note", "Write why you agree or do not agree")
    agrees = answer == "agree"
    row.second_agrees, row.second_note = agrees, note
    row.second_by, row.second_at = access.viewer.id, access.session.info[NOW]
    row.takes_out = agrees
    await access.session.flush()
    await rewrite_access(access.session, access.child_id)


async def make(access: Access, file_id: UUID) -> None:
    """Make the file, once every marked place is decided. Raises Invalid where one is not."""
    read = await read_copy(access, file_id)
    _require_not_out(read.file)
    if not read.pieces:
        raise Invalid.because("version", "It is not gathered yet")
    if read.undecided or read.waits_for_second:
        raise Invalid.because("version", "Some marked places are not decided yet")
    await _require_still_theirs(access, read.file)
    outs: dict[str, list[Out]] = defaultdict(list)
    for one in read.redactions:
        if one.takes_out and one.exemption is not None:
            outs[one.piece].append(Out(one.start, one.end, Exemption(one.exemption)))
    session = access.session
    contact, retention = await contact_and_retention(session)
    reference = next(
        (one.text for one in read.pieces if one.column == "child.reference"), "this record"
    )
    about = About(
        authority=session.info[TENANT].record.label,
        reference=reference,
        made_on=access.today,
        contact=contact or "the information governance lead",
        retention=retention,
    )
    told = [one for one in read.pieces if not _tells_by_standing_there(one, outs[one.id])]
    files = await _files(access, told, read.redactions)
    read.file.made = render(content(about, told, outs, files), files)
    read.file.state = FileState.READY.value
    await session.flush()


async def _files(
    access: Access, pieces: Sequence[Piece], decided: Sequence[Redaction]
) -> dict[str, Attached]:
    """The attached files that somebody said may be told, with their bytes as far as they fit in."""
    out = {one.piece for one in decided if one.takes_out}
    kept = {one.piece for one in decided if one.start is None and one.takes_out is False} - out
    files: dict[str, Attached] = {}
    room = EMBEDDED_ALL
    for piece in pieces:
        if piece.document_id is None or piece.id not in kept:
            continue
        fetched = await fetch(access, piece.document_id)
        size = len(fetched.content)
        fits = size <= min(EMBEDDED_EACH, room)
        room -= size if fits else 0
        content = fetched.content if fits else None
        files[element_of(piece)] = Attached(fetched.file_name, fetched.media_type, content)
    return files


async def file_of_mark(access: Access, mark_id: UUID) -> Fetched:
    """The attached file that a marked place stands for, to look through. Raises NotFound."""
    _, piece = await read_mark(access, mark_id)
    if piece is None or piece.document_id is None:
        raise NotFound
    return await fetch(access, piece.document_id)


def _tells_by_standing_there(piece: Piece, outs: Sequence[Out]) -> bool:
    """Whether "taken out" beside its heading would tell what was taken out."""
    return piece.table in ABOUT_SAFETY and any(one.start is None for one in outs)


async def hand_out(access: Access, file_id: UUID) -> str:
    """The copy, once: to whoever asked, or to the lead who gives it to them.

    Raises NotFound for a copy that is somebody else's, Gone for one that was handed out or that
    another one replaced, NotAllowed where whoever asked may not have it any more.
    """
    session = access.session
    found = await session.scalar(
        select(AccessFile)
        .where(AccessFile.id == file_id, AccessFile.child_id == access.child_id)
        .with_for_update()
    )
    is_theirs = found is not None and found.asker_id == access.viewer.id
    if found is None or not (is_theirs or Role.GOVERNANCE_LEAD in access.viewer.roles):
        raise NotFound
    if found.state == FileState.HANDED_OUT:
        raise Gone(
            "This copy was handed out. It is handed out once.",
            "If it was lost, ask for another one.",
        )
    if found.state != FileState.READY:
        raise NotFound
    newest = await session.scalar(
        select(func.max(AccessFile.number)).where(AccessFile.request_id == found.request_id)
    )
    if newest != found.number:
        raise Gone("Another copy was made since.", "Take the newest one.")
    outcome = await session.scalar(
        select(RightRequest.outcome).where(RightRequest.id == found.request_id)
    )
    if outcome in (Outcome.REFUSED, Outcome.WITHDRAWN):
        raise Gone("This request was refused or taken back.", "Ask again if you want a copy.")
    await _require_still_theirs(access, found)
    made = found.made
    found.state = FileState.HANDED_OUT.value
    found.handed_out_at, found.handed_out_by = session.info[NOW], session.info[VIEWER]
    await session.flush()
    return made


async def _require_still_theirs(access: Access, file: AccessFile) -> None:
    """Nothing that keeps the copy from whoever asked came since it was gathered.

    Raises NotAllowed where they may not ask any more, Gone where more is protected from them now.
    """
    tenant: Tenant = access.session.info[TENANT]
    if not await has_standing(tenant, access.child_id, file.asker_id):
        raise NotAllowed(
            "Whoever asked may not have what is kept about this child any more.",
            "Ask the information governance lead.",
        )
    reader = await _reader(tenant, access.child_id, file.asker_id)
    # Whoever asks does not read what was taken out, so the job does.
    async with tenant.transaction(JOB) as session:
        out = set(
            await session.execute(
                select(Redaction.piece, Redaction.start, Redaction.end).where(
                    Redaction.file_id == file.id, Redaction.takes_out.is_(True)
                )
            )
        )
    pieces = from_json(file.pieces)
    since = [
        one
        for one in proposed(pieces, reader)
        if one.must_go and not {(one.piece, None, None), (one.piece, one.start, one.end)} & out
    ]
    if since or (reader.has_protection and any(one.by for one in pieces)):
        raise Gone("What may be told changed since this copy was gathered.", "Gather another one.")


def _require_not_out(file: AccessFile) -> None:
    if file.state == FileState.HANDED_OUT:
        raise Gone("This copy was handed out.", "Ask for another one to be gathered.")
