"""Erasure: a holder's data keys are destroyed, with a certificate, and stay so after any restore.

What was destroyed is written to a list outside the database before the transaction commits, and the
list is applied again at every start and every restore: a back-up from before brings back text that
nothing opens. The list is added to only, line by line, each with the hash of the line before. Its
end could be cut off all the same: so each line is an event of the audit too, and a list that lacks
one is refused.
"""

import fcntl
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from psycopg import sql
from psycopg.rows import TupleRow
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.platform.audit import ActorKind, Kind
from panel.platform.audit import record as record_event
from panel.platform.crypto import Keyring
from panel.platform.ids import new_id
from panel.platform.key_tables import ErasureCertificate
from panel.platform.tables import NOW
from panel.platform.tenancy import AuthorityRecord, Tenant

LIST = "destroyed-keys.jsonl"
_START = "0" * 64
_log = logging.getLogger(__name__)

Told = dict[str, Any]
"""A certificate as it is signed: JSON."""


class ListDamaged(Exception):
    """The list of destroyed keys cannot be trusted, in a sentence."""


class NothingToDestroy(Exception):
    """There is no key of this holder, or it was destroyed before, in a sentence."""


@dataclass(frozen=True, slots=True)
class Order:
    """Why keys are destroyed: offices and references, never names, since certificates are kept."""

    ordered_by: str
    """On whose order, for example "Caldicott guardian, disposal list 2026-14"."""
    carried_out_by: str
    """By whom: an office, the id of a worker, or the command line."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """That a holder's data keys were destroyed."""

    told: Told
    signature: str

    @property
    def holder(self) -> UUID:
        """Whose keys they were."""
        return UUID(self.told["holder"])

    def text(self) -> str:
        """As people read it."""
        told = self.told
        return "\n".join(
            (
                "Certificate of erasure",
                "",
                f"Certificate      {told['id']}",
                f"Authority        {told['authority']}",
                f"Record           {told['holder']}",
                f"Keys destroyed   {', '.join(told['keys'])}",
                f"When             {told['at']}",
                f"On the order of  {told['ordered_by']}",
                f"Carried out by   {told['carried_out_by']}",
                "",
                "Everything that was sealed with these keys can no longer be read by anybody, in",
                "the database and in every back-up of it. The record's identifier stays, so that",
                "it can be shown that it was erased.",
                "",
                f"Public key       {told['public_key']}",
                f"Signature        {self.signature}",
                "",
            )
        )

    def json(self) -> str:
        """As a program checks it: what was signed, and the signature (Ed25519)."""
        return json.dumps({"certificate": self.told, "signature": self.signature}, indent=2) + "\n"


@dataclass(frozen=True, slots=True)
class Line:
    """Where a certificate stands on the list."""

    number: int
    chain: str
    """The hash of this line with that of the one before."""
    certificate: Certificate

    def details(self) -> dict[str, object]:
        """What the audit keeps of it."""
        certificate = self.certificate.told["id"]
        return {"certificate": certificate, "line": self.number, "chain": self.chain}


def _signed_bytes(told: Told) -> bytes:
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def _signing_key(ring: Keyring) -> Ed25519PrivateKey:
    # From the key of blind indexes, which outlives rotations of the others.
    return Ed25519PrivateKey.from_private_bytes(ring.index("certificates of erasure", "signing"))


def public_key(ring: Keyring) -> str:
    """The authority's key by which its certificates are checked, in hexadecimal."""
    raw = _signing_key(ring).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return raw.hex()


def is_genuine(certificate: Certificate, key: str) -> bool:
    """Whether the authority with this public key signed it, word for word."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(
            bytes.fromhex(certificate.signature), _signed_bytes(certificate.told)
        )
    except (InvalidSignature, ValueError):
        return False
    return bool(certificate.told["public_key"] == key)


class DestroyedKeys:
    """The list of destroyed keys in its folder, apart from the database and its back-ups."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / LIST

    def of(self, authority: str) -> list[Certificate]:
        """What was destroyed in one authority. Raises ListDamaged."""
        return [one for one in self.read() if one.told["authority"] == authority]

    def read(self) -> list[Certificate]:
        """Every certificate, in order. Raises ListDamaged."""
        return [one.certificate for one in self.lines()]

    def lines(self) -> list[Line]:
        """Every line, in order. Raises ListDamaged."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise ListDamaged(
                f"The list of destroyed keys {self.path} cannot be read ({error.strerror})."
            ) from error
        return list(self._checked(content))

    def append(self, certificates: Sequence[Certificate]) -> None:
        """Add to the list; it is on the disk when this returns. Raises ListDamaged."""
        try:
            with self._alone() as handle:
                content = _all_of(handle)
                whole = content[: content.rfind(b"\n") + 1]
                before = _START
                for one in self._checked(whole):
                    before = one.chain
                lines = []
                for certificate in certificates:
                    line, before = _line(certificate, before)
                    lines.append(line)
                # A line that a crash cut off never committed: the next one takes its place.
                os.ftruncate(handle, len(whole))
                os.lseek(handle, len(whole), os.SEEK_SET)
                try:
                    _write_all(handle, b"".join(lines))
                    os.fsync(handle)
                except OSError:
                    # What was not destroyed must not be destroyed by the list at the next start.
                    os.ftruncate(handle, len(whole))
                    raise
        except OSError as error:
            raise ListDamaged(
                f"The list of destroyed keys {self.path} cannot be written ({error.strerror});"
                " nothing was destroyed."
            ) from error

    def _checked(self, content: bytes) -> Iterator[Line]:
        before = _START
        for number, line in enumerate(content[: content.rfind(b"\n") + 1].splitlines(), start=1):
            try:
                kept = json.loads(line)
                found = Certificate(kept["certificate"], kept["signature"])
                again, chained = _line(found, before)
                is_whole = again == line + b"\n"
            except (ValueError, KeyError, TypeError):
                is_whole = False
            if not is_whole:
                raise ListDamaged(
                    f"Line {number} of the list of destroyed keys {self.path} is not what was"
                    " written. Put the list back from its copy: without it an old back-up could"
                    " bring erased records back."
                )
            before = chained
            yield Line(number, chained, found)

    @contextmanager
    def _alone(self) -> Iterator[int]:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_new = not self.path.exists()
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle
            if is_new:
                folder = os.open(self.path.parent, os.O_RDONLY)
                try:
                    os.fsync(folder)
                finally:
                    os.close(folder)
        finally:
            os.close(handle)


def _write_all(handle: int, content: bytes) -> None:
    """A disk that is nearly full takes a part and says so only by how much."""
    while content:
        content = content[os.write(handle, content) :]


def _all_of(handle: int) -> bytes:
    parts = []
    while part := os.read(handle, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def _line(one: Certificate, before: str) -> tuple[bytes, str]:
    said = _signed_bytes({"certificate": one.told, "signature": one.signature})
    chained = sha256(before.encode() + said).hexdigest()
    kept = {"certificate": one.told, "signature": one.signature, "chain": chained}
    return json.dumps(kept, sort_keys=True).encode() + b"\n", chained


async def destroy(
    session: AsyncSession,
    tenant: Tenant,
    destroyed: DestroyedKeys,
    holders: Sequence[UUID],
    order: Order,
) -> list[Certificate]:
    """Destroy the data keys of children or family members, all generations, all or none.

    Call it last in a transaction of the job (`tenant.transaction(JOB)`): what is on the list is
    destroyed at the next start even if this transaction does not commit. Whoever calls has had the
    order approved. Raises NothingToDestroy, ListDamaged.
    """
    wanted = sorted(set(holders))
    found = await session.execute(
        text(
            "SELECT k.holder_id, k.wrapped FROM data_key k WHERE k.holder_id = ANY(:holders)"
            " AND k.wrapped IS NOT NULL"
            " AND NOT EXISTS (SELECT FROM agency a WHERE a.id = k.holder_id)"
            " ORDER BY k.holder_id FOR UPDATE OF k"
        ),
        {"holders": wanted},
    )
    wrapped = {row.holder_id: bytes(row.wrapped) for row in found}
    if missing := [one for one in wanted if one not in wrapped]:
        raise NothingToDestroy(
            "There is no key to destroy: this record was erased already, or never held anything"
            f" ({', '.join(map(str, missing))})."
        )
    now: datetime = session.info[NOW]
    made = [_certificate(tenant, holder, wrapped[holder], order, now) for holder in wanted]
    destroyed.append(made)
    await session.execute(
        text(
            "UPDATE data_key SET wrapped = NULL, destroyed_at = :now"
            " WHERE holder_id = ANY(:holders)"
        ),
        {"now": now, "holders": wanted},
    )
    for one in made:
        session.add(_row(one))
    _write_down(session, destroyed, made)
    await session.flush()
    return made


def _write_down(
    session: AsyncSession, destroyed: DestroyedKeys, made: Sequence[Certificate]
) -> None:
    """Have the audit say at which lines of the list they stand."""
    new = {one.told["id"] for one in made}
    for line in destroyed.lines():
        if line.certificate.told["id"] in new:
            holder = line.certificate.holder
            record_event(session, Kind.KEY_DESTROYED, subject=holder, details=line.details())


async def finish(
    session: AsyncSession, tenant: Tenant, destroyed: DestroyedKeys, holders: Sequence[UUID]
) -> list[Certificate]:
    """Destroy what the list says of these holders and a stop cut off; with the same certificates.

    Returns the certificates that the list has of them, none where nothing was begun. In a
    transaction of the job. Raises ListDamaged.
    """
    wanted = set(holders)
    key = public_key(tenant.ring)
    listed = {
        one.holder: one
        for one in destroyed.of(tenant.record.name)
        if one.holder in wanted and is_genuine(one, key)
    }
    if not listed:
        return []
    kept = set(
        await session.scalars(
            select(ErasureCertificate.holder_id).where(ErasureCertificate.holder_id.in_(listed))
        )
    )
    for holder, one in listed.items():
        await session.execute(
            text(
                "UPDATE data_key SET wrapped = NULL, destroyed_at = :at"
                " WHERE holder_id = :holder AND wrapped IS NOT NULL"
            ),
            {"at": datetime.fromisoformat(one.told["at"]), "holder": holder},
        )
        if holder not in kept:
            session.add(_row(one))
    _write_down(session, destroyed, [one for holder, one in listed.items() if holder not in kept])
    await session.flush()
    return list(listed.values())


def _certificate(
    tenant: Tenant, holder: UUID, wrapped: bytes, order: Order, now: datetime
) -> Certificate:
    ring = tenant.ring
    told: Told = {
        "id": str(new_id()),
        "authority": tenant.record.name,
        "holder": str(holder),
        "keys": [sha256(wrapped).hexdigest()],
        "at": now.astimezone(UTC).isoformat(timespec="seconds"),
        "ordered_by": order.ordered_by,
        "carried_out_by": order.carried_out_by,
        "public_key": public_key(ring),
    }
    return Certificate(told, _signing_key(ring).sign(_signed_bytes(told)).hex())


def _row(one: Certificate) -> ErasureCertificate:
    return ErasureCertificate(
        id=UUID(one.told["id"]),
        holder_id=one.holder,
        at=datetime.fromisoformat(one.told["at"]),
        certificate=one.told,
        signature=one.signature,
    )


async def certificates(session: AsyncSession) -> list[Certificate]:
    """Every certificate, the newest first: for those who answer for use, and the job."""
    rows = await session.scalars(
        select(ErasureCertificate).order_by(ErasureCertificate.at.desc(), ErasureCertificate.id)
    )
    return [Certificate(row.certificate, row.signature) for row in rows]


@dataclass(frozen=True, slots=True)
class Applied:
    """What applying the list did."""

    destroyed: int = 0
    """Keys that a restored database still had."""
    certificates: int = 0
    """Certificates that a restored database did not have."""
    listed: int = 0
    """Certificates of the database that the list did not have."""


def apply_list(
    url: str,
    record: AuthorityRecord,
    ring: Keyring,
    destroyed: DestroyedKeys,
    viewer: UUID,
    *,
    mend: bool = False,
) -> Applied:
    """Destroy again what the list says, before anything is served; the list gets what it lacks.

    `viewer` is the job. Both roles may do it. Only what the authority signed counts, so that
    nobody destroys by writing into the list or the table. Raises ListDamaged, also where the audit
    of this database knows of a line that the list lacks, but to `mend` it from the database.
    """
    key = public_key(ring)
    is_believed = mend or not destroyed.path.exists()
    lines = [one for one in destroyed.lines() if one.certificate.told["authority"] == record.name]
    listed = {one.certificate.holder: one.certificate for one in lines}
    if forged := [one for one in listed.values() if not is_genuine(one, key)]:
        raise ListDamaged(
            f"The list of destroyed keys {destroyed.path} has a line that {record.name} did not"
            f" sign (certificate {forged[0].told['id']}). Put the list back from its copy."
        )
    with psycopg.connect(url) as connection:
        if not _has_table(connection, record.schema_name):
            return Applied()
        connection.execute(
            sql.SQL("SET LOCAL search_path = {}; SET LOCAL panel.viewer = {}").format(
                sql.Identifier(record.schema_name), sql.Literal(str(viewer))
            )
        )
        if not is_believed and (missing := cut_off(connection, record.name, destroyed)):
            raise ListDamaged(f"{missing} {PUT_BACK}")
        kept = {
            row[0]: Certificate(row[1], row[2])
            for row in connection.execute(
                "SELECT holder_id, certificate, signature FROM erasure_certificate ORDER BY at, id"
            )
            if is_genuine(Certificate(row[1], row[2]), key)
        }
        gone = _destroy_again(connection, {**kept, **listed})
        lacking = [one for holder, one in listed.items() if holder not in kept]
        for one in lacking:
            connection.execute(
                "INSERT INTO erasure_certificate (id, holder_id, at, certificate, signature)"
                " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                [
                    one.told["id"],
                    one.holder,
                    one.told["at"],
                    json.dumps(one.told),
                    one.signature,
                ],
            )
        genuine = [one for one in lines if is_genuine(one.certificate, key)]
        _write_down_lines(connection, genuine, viewer)
    unlisted = [one for holder, one in kept.items() if holder not in listed]
    if unlisted:
        destroyed.append(unlisted)
        _log.warning(
            "%s certificates that the list of destroyed keys %s did not have were written to it"
            " from the database of %s.", len(unlisted), destroyed.path, record.name,
        )  # fmt: skip
    return Applied(gone, len(lacking), len(unlisted))


PUT_BACK = (
    "Its end was cut off, or an older copy was put in its place. Put the list back from its newest"
    " copy. Only where there is none, run: panel keys relist"
)


def cut_off(
    connection: psycopg.Connection[TupleRow], authority: str, destroyed: DestroyedKeys
) -> str:
    """Which line the audit of a database knows of and the list lacks, in a sentence; "" for none.

    Args: `connection` reads this authority's schema, as scheduled work or as its owner.
    """
    noted = _noted(connection)
    # Read after the audit: what is destroyed meanwhile is on the list before it is in the audit.
    lines = destroyed.lines()
    here = {one.certificate.told["id"] for one in lines}
    missing = [told for told in noted if told["certificate"] not in here]
    if not missing:
        return ""
    last = max(missing, key=lambda told: int(told["line"]))
    return (
        f"The list of destroyed keys {destroyed.path} has {len(lines)} lines, and"
        f" {len(missing)} that the audit of {authority} knows of are not among them: the last is"
        f" certificate {last['certificate']}, which stood on line {last['line']} with the hash"
        f" {last['chain']}."
    )


def _keeps_events(connection: psycopg.Connection[TupleRow]) -> bool:
    """Whether there is an audit: what is restored may be from before there was one."""
    there = connection.execute("SELECT to_regclass('audit_event')").fetchone()
    return there is not None and there[0] is not None


def _noted(connection: psycopg.Connection[TupleRow]) -> list[Told]:
    """What the audit says of the list's lines."""
    if not _keeps_events(connection):
        return []
    found = connection.execute(
        "SELECT details FROM audit_event WHERE kind = %s", [Kind.KEY_DESTROYED.value]
    )
    return [row[0] for row in found]


def _write_down_lines(
    connection: psycopg.Connection[TupleRow], lines: Sequence[Line], job: UUID
) -> None:
    """Have the audit of a database know of every line, of those from after its back-up too."""
    if not _keeps_events(connection):
        return
    known = {told["certificate"] for told in _noted(connection)}
    for line in lines:
        if line.certificate.told["id"] not in known:
            connection.execute(
                "INSERT INTO audit_event (id, at, actor_id, actor_kind, kind, subject_id, details)"
                " VALUES (%s, now(), %s, %s, %s, %s, %s)",
                [
                    new_id(),
                    job,
                    ActorKind.JOB.value,
                    Kind.KEY_DESTROYED.value,
                    line.certificate.holder,
                    json.dumps(line.details()),
                ],
            )


def _has_table(connection: psycopg.Connection[TupleRow], schema: str) -> bool:
    found = connection.execute(
        "SELECT to_regclass(%s)", [sql.Identifier(schema, "erasure_certificate").as_string(None)]
    ).fetchone()
    return found is not None and found[0] is not None


def _destroy_again(
    connection: psycopg.Connection[TupleRow], every: Mapping[UUID, Certificate]
) -> int:
    if not every:
        return 0
    found = connection.execute(
        "SELECT holder_id FROM data_key WHERE holder_id = ANY(%s) AND wrapped IS NOT NULL"
        " FOR UPDATE",
        [list(every)],
    ).fetchall()
    for (holder,) in found:
        connection.execute(
            "UPDATE data_key SET wrapped = NULL, destroyed_at = %s WHERE holder_id = %s",
            [every[holder].told["at"], holder],
        )
    return len(found)
