"""The ledger of releases: each line names all that went out, and the line before it.

Who changes a figure, a rule or a line afterwards changes a SHA-256 that a signed line holds
(Ed25519), and each line holds the hash of the one before. `verify` names what was changed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from itertools import chain
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from panel.insight.core.released import AuditDigest, AuditResult, Entry
from panel.insight.core.words import Period

CATALOGUE = "catalogue.json"
LEDGER = "ledger.json"
FIRST = "0" * 64
"""What the first line names as the line before it."""

Sign = Callable[[bytes], bytes]
Files = Mapping[str, bytes]
"""What a release is made of, by name; the ledger itself is not in it."""


@dataclass(frozen=True, slots=True)
class Tampered:
    """Something that is not as it was when it was signed."""

    number: int
    """The line of the ledger, from 1."""
    what: str

    def in_words(self) -> str:
        """As a person reads it."""
        return f"Release {self.number}: {self.what}."


def canonical(one: object) -> bytes:
    """JSON of which there is only one: keys sorted, nothing between them."""
    return msgspec.json.encode(one, order="sorted")


def digest(content: bytes) -> str:
    """SHA-256 in hex."""
    return sha256(content).hexdigest()


def digest_of_audit(audit: AuditResult) -> AuditDigest:
    """What the ledger keeps of an audit: how much was asked, and a hash of what was found."""
    found = [
        [one.table, one.period, list(one.cell), str(one.low), str(one.high), list(one.by)]
        for one in audit.findings
    ]
    said = canonical([audit.safe, audit.cells, audit.solves, audit.unfinished, found])
    return AuditDigest(audit.safe, audit.cells, audit.solves, digest(said), audit.proven)


def signing_key(secret: bytes) -> tuple[Sign, str]:
    """How a line is signed, and the public key in hex. `secret`: 32 bytes."""
    key = Ed25519PrivateKey.from_private_bytes(secret)
    return key.sign, key.public_key().public_bytes_raw().hex()


def append(
    before: Entry | None,
    period: Period,
    files: Files,
    rules: bytes,
    audit: AuditResult,
    *,
    made_at: str,
    sign: Sign,
    key: str,
) -> Entry:
    """The next line. `rules`: those of the perturbation, canonical. ValueError: not safe."""
    if not audit.safe:
        raise ValueError("What is not safe is not published")
    tables = {name: digest(content) for name, content in sorted(files.items())}
    entry = Entry(
        number=before.number + 1 if before else 1,
        period=period,
        made_at=made_at,
        catalogue=tables[CATALOGUE],
        ptable=digest(rules),
        cells=_of_all(tables),
        tables=tables,
        audit=digest_of_audit(audit),
        previous=_hash(before) if before else FIRST,
        key=key,
        signature="",
    )
    return replace(entry, signature=sign(_signed(entry)).hex())


def _of_all(tables: Mapping[str, str]) -> str:
    return digest("".join(f"{name} {one}\n" for name, one in sorted(tables.items())).encode())


def _signed(entry: Entry) -> bytes:
    return canonical({**_said(entry), "signature": ""})


def _hash(entry: Entry) -> str:
    return digest(canonical(_said(entry)))


def _said(entry: Entry) -> dict[str, Any]:
    """A line as it is written. One signed before parts were named is as it was, to the byte."""
    said = asdict(entry)
    if not entry.audit.proven:
        del said["audit"]["proven"]
    return said


def written(entries: Sequence[Entry]) -> bytes:
    """The ledger as a file."""
    return canonical([_said(one) for one in entries]) + b"\n"


def read(content: bytes) -> tuple[Entry, ...]:
    """The ledger out of a file. ValueError: it is not what was written, to the byte."""
    try:
        entries = msgspec.json.decode(content, type=tuple[Entry, ...])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError("The ledger cannot be read") from error
    if written(entries) != content:
        raise ValueError("The ledger is not written as it was")
    return entries


def entry_from(stored: Mapping[str, Any]) -> Entry:
    """A line as the database keeps it."""
    return msgspec.convert(stored, Entry)


def proven(entries: Sequence[Entry], public: str) -> frozenset[str]:
    """Digests of the parts that audits before found safe: those that whole lines name, or none."""
    if verify(entries, {}, public):
        return frozenset()
    return frozenset(chain.from_iterable(one.audit.proven for one in entries))


def verify(
    entries: Sequence[Entry], files: Mapping[Period, Files], public: str
) -> tuple[Tampered, ...]:
    """What is not as it was signed; nothing: it is whole. `files` may lack releases, not parts."""
    found: list[Tampered] = []
    before: Entry | None = None
    for place, entry in enumerate(entries, start=1):
        wrong = [*_of_line(entry, before, place, public)]
        if entry.period in files:
            wrong += _of_files(entry, files[entry.period])
        found += (Tampered(place, what) for what in wrong)
        before = entry
    known = {one.period for one in entries}
    found += (
        Tampered(len(entries) + 1, f"{period} is in no line of the ledger")
        for period in sorted(files.keys() - known)
    )
    return tuple(found)


def _of_line(entry: Entry, before: Entry | None, place: int, public: str) -> list[str]:
    wrong = []
    if entry.number != place:
        wrong.append(f"its line says that it is release {entry.number}")
    if entry.previous != (_hash(before) if before else FIRST):
        wrong.append("the line before it is not the one that it followed")
    if entry.key != public:
        wrong.append("its line is signed with another key")
    if not _is_signed(entry, public):
        wrong.append("its line was changed after it was signed")
    if entry.cells != _of_all(entry.tables) or entry.catalogue != entry.tables.get(CATALOGUE):
        wrong.append("its line contradicts itself")
    return wrong


def _is_signed(entry: Entry, public: str) -> bool:
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        signature = bytes.fromhex(entry.signature)
        key.verify(signature, _signed(entry))
    except (InvalidSignature, ValueError):
        return False
    # Hex of which there is only one: no line holds the last one's signature.
    return signature.hex() == entry.signature


def _of_files(entry: Entry, files: Files) -> list[str]:
    wrong = [f"{name} is missing" for name in sorted(entry.tables.keys() - files.keys())]
    wrong += [f"{name} is in no line" for name in sorted(files.keys() - entry.tables.keys())]
    return wrong + [
        f"{name} was changed"
        for name, content in sorted(files.items())
        if name in entry.tables and digest(content) != entry.tables[name]
    ]
