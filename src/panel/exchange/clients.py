"""Systems of other agencies, as the information governance lead keeps them.

Whoever registers, changes or ends one writes anew whom it may reach, in the same transaction.
"""

import re
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Purpose
from interop.scopes import read_scopes, wrong_scopes
from interop.signed import PUBLIC, read_keys
from interop.smart import CLIENT_KEY, wrong_keys
from panel.accounts.models import Agency
from panel.exchange.models import ExchangeClient, ExchangeToken
from panel.platform.audit import Kind, record
from panel.platform.openid import is_loopback, is_safe
from panel.platform.problems import Conflict, FieldError, Invalid, NotAllowed, NotFound
from panel.platform.tables import NOW, today_of
from panel.records.gate import rewrite_viewer

MAILBOX = re.compile(r"[A-Z0-9]{5,32}", re.ASCII)
"""What MESH calls a mailbox: X26HC005."""
MAILBOX_TAKEN = "Another system sends from this mailbox. Each has one of its own"
KEY_TAKEN = "There is a client of this key already, or there was. Choose another"
LAST_TOKENS = 10
_MAILBOXES = text("SELECT pg_advisory_xact_lock(hashtextextended('mailboxes of clients', 35))")


class KeysGiven(NamedTuple):
    """A client's public keys as somebody gives them: pasted, or where they are published."""

    jwks: str
    jwks_url: str


@dataclass(frozen=True, slots=True)
class NewClient:
    """A system that is to come in."""

    key: str
    name: str
    agency_id: UUID
    scopes: str
    """Scopes with spaces or lines between them."""
    keys: KeysGiven
    mesh_mailbox: str = ""
    """The mailbox of MESH from which it sends to ours; empty for one that does not."""


async def register_client(
    session: AsyncSession, new: NewClient, *, is_demo: bool = False
) -> ExchangeClient:
    """A new client, tied from today to the children of its agency. Raises Invalid.

    `is_demo` says that invented people only are served: keys may be published on this machine.
    """
    mistakes = _wrong_name(new.key, new.name)
    agency = await session.get(Agency, new.agency_id)
    if agency is None or (agency.closed_on is not None and agency.closed_on <= today_of(session)):
        mistakes.append(FieldError("agency_id", "Select an agency that is open"))
    mistakes += _wrong_scopes(new.scopes)
    mistakes += _wrong_keys(new.keys, is_demo=is_demo)
    mistakes += await _wrong_mailbox(session, new.mesh_mailbox)
    known = await session.scalar(select(ExchangeClient.id).where(ExchangeClient.key == new.key))
    if known is not None:
        mistakes.append(FieldError("key", KEY_TAKEN))
    if mistakes:
        raise Invalid(tuple(mistakes))
    made = ExchangeClient(
        key=new.key,
        name=new.name,
        agency_id=new.agency_id,
        scopes=_listed(new.scopes),
        purposes=[Purpose.EXCHANGE.value],
        mesh_mailbox=_mailbox(new.mesh_mailbox),
        from_on=today_of(session),
    )
    _set_keys(made, new.keys)
    session.add(made)
    try:
        await rewrite_viewer(session, made.id)
    except IntegrityError as error:  # somebody registered the same key meanwhile
        raise Invalid.because("key", KEY_TAKEN) from error
    told = {"key": made.key, "scopes": made.scopes, "agency": str(made.agency_id)}
    record(session, Kind.CLIENT_REGISTERED, subject=made.id, details=told)
    await session.flush()
    return made


async def change_client(
    session: AsyncSession,
    client_id: UUID,
    version: int,
    name: str,
    scopes: str,
    mesh_mailbox: str = "",
) -> None:
    """Call it otherwise, let it do more or less, or send from another mailbox of MESH.

    What is taken from it is taken from the tokens that it has. Raises Invalid, Conflict, NotFound,
    NotAllowed.
    """
    row = await _open(session, client_id, version)
    wrong_mailbox = await _wrong_mailbox(session, mesh_mailbox, row.id)
    if mistakes := (*_wrong_name(row.key, name), *_wrong_scopes(scopes), *wrong_mailbox):
        raise Invalid(mistakes)
    told: dict[str, object] = {"from": row.scopes, "to": _listed(scopes)}
    mailbox = _mailbox(mesh_mailbox)
    if mailbox != row.mesh_mailbox:
        told["mailbox"] = {"from": row.mesh_mailbox, "to": mailbox}
    row.name, row.scopes, row.mesh_mailbox = name, _listed(scopes), mailbox
    record(session, Kind.CLIENT_CHANGED, subject=row.id, details=told)
    await session.flush()


async def change_keys(
    session: AsyncSession,
    client_id: UUID,
    version: int,
    keys: KeysGiven,
    *,
    is_demo: bool = False,
) -> None:
    """Other keys from now on; whoever has a token of the old ones is out. Raises as above."""
    row = await _open(session, client_id, version)
    if mistakes := _wrong_keys(keys, is_demo=is_demo):
        raise Invalid(tuple(mistakes))
    _set_keys(row, keys)
    await _revoke(session, row.id)
    record(session, Kind.CLIENT_CHANGED, subject=row.id, details={"keys": key_names(row)})
    await session.flush()


async def end_client(session: AsyncSession, client_id: UUID, version: int, why: str) -> None:
    """It comes in no more, from this moment on, and is tied to nobody. Raises as above."""
    row = await _open(session, client_id, version)
    row.ended_on, row.ended_why = today_of(session), why
    await _revoke(session, row.id)
    await rewrite_viewer(session, row.id)
    record(session, Kind.CLIENT_ENDED, subject=row.id)
    await session.flush()


async def revoke_tokens(session: AsyncSession, client_id: UUID, version: int) -> None:
    """Whatever tokens it has are over; it may ask for new ones. Raises as above."""
    row = await _open(session, client_id, version)
    await _revoke(session, row.id)
    record(session, Kind.TOKENS_REVOKED, subject=row.id)
    await session.flush()


async def _revoke(session: AsyncSession, client_id: UUID) -> None:
    now = session.info[NOW]
    await session.execute(
        update(ExchangeToken)
        .where(
            ExchangeToken.client_id == client_id,
            ExchangeToken.revoked_at.is_(None),
            ExchangeToken.ends_at > now,
        )
        .values(revoked_at=now)
    )


async def _open(session: AsyncSession, client_id: UUID, version: int) -> ExchangeClient:
    row = await session.get(ExchangeClient, client_id, populate_existing=True, with_for_update=True)
    if row is None:
        raise NotFound("There is no such client.")
    if row.ended_on is not None:
        raise NotAllowed("This client was ended.", "Register it again under another key.")
    if row.version != version:
        raise Conflict(())
    return row


# --- Reading ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Known:
    """A client with the name of its agency."""

    row: ExchangeClient
    agency: str


async def all_clients(session: AsyncSession) -> list[Known]:
    """Every client, those that come in still first, by name."""
    found = await session.execute(
        select(ExchangeClient, Agency.name)
        .join(Agency, Agency.id == ExchangeClient.agency_id)
        .order_by(ExchangeClient.ended_on.is_not(None), ExchangeClient.name, ExchangeClient.id)
    )
    return [Known(row, agency) for row, agency in found]


async def systems_to_choose(session: AsyncSession) -> list[tuple[str, str]]:
    """The clients that come in, for a list to choose from: key, and name with agency."""
    return [
        (one.row.key, f"{one.row.name}, of {one.agency}")
        for one in await all_clients(session)
        if one.row.ended_on is None
    ]


async def one_client(session: AsyncSession, client_id: UUID) -> Known:
    """One client. Raises NotFound."""
    row = await session.get(ExchangeClient, client_id)
    if row is None:
        raise NotFound("There is no such client.")
    agency = await session.get_one(Agency, row.agency_id)
    return Known(row, agency.name)


async def last_tokens(session: AsyncSession, client_id: UUID) -> list[ExchangeToken]:
    """The tokens that a client was given last, the newest first."""
    found = await session.scalars(
        select(ExchangeToken)
        .where(ExchangeToken.client_id == client_id)
        .order_by(ExchangeToken.made_at.desc(), ExchangeToken.id)
        .limit(LAST_TOKENS)
    )
    return list(found)


def key_names(row: ExchangeClient) -> list[str]:
    """What its keys are called, or where they are published."""
    if row.jwks is None:
        return [row.jwks_url or ""]
    return [str(one["kid"]) for one in row.jwks["keys"]]


# --- What somebody gives ------------------------------------------------------------------------


def _wrong_name(key: str, name: str) -> list[FieldError]:
    wrong = []
    if not name.strip():
        wrong.append(FieldError("name", "Enter what the system is called"))
    if not CLIENT_KEY.fullmatch(key):
        sentence = "Enter a key of small letters, figures, dots and hyphens, at most 64"
        wrong.append(FieldError("key", sentence))
    return wrong


def _wrong_scopes(scopes: str) -> list[FieldError]:
    return [FieldError("scopes", sentence) for sentence in wrong_scopes(scopes.split())]


async def _wrong_mailbox(
    session: AsyncSession, given: str, own_id: UUID | None = None
) -> list[FieldError]:
    """What is wrong with a mailbox of MESH; two systems at once cannot both be given it."""
    mailbox = _mailbox(given)
    if mailbox is None:
        return []
    if not MAILBOX.fullmatch(mailbox):
        sentence = "Enter a mailbox as MESH writes it, for example X26HC005"
        return [FieldError("mesh_mailbox", sentence)]
    await session.execute(_MAILBOXES)
    taken = await session.scalar(
        select(ExchangeClient.id).where(
            ExchangeClient.mesh_mailbox == mailbox,
            ExchangeClient.ended_on.is_(None),
            ExchangeClient.id.is_distinct_from(own_id),
        )
    )
    return [] if taken is None else [FieldError("mesh_mailbox", MAILBOX_TAKEN)]


def _mailbox(given: str) -> str | None:
    return given.strip().upper() or None


def _listed(scopes: str) -> list[str]:
    return list(read_scopes(scopes.split()).listed())


def _wrong_keys(keys: KeysGiven, *, is_demo: bool) -> list[FieldError]:
    if bool(keys.jwks.strip()) == bool(keys.jwks_url):
        sentence = "Paste the keys, or enter where they are published, not both"
        return [FieldError("jwks", sentence)]
    if keys.jwks_url:
        is_ours = is_loopback(keys.jwks_url) and not is_demo
        if not is_safe(keys.jwks_url) or is_ours:
            sentence = "Enter an address that begins with https://, without a name or a password"
            return [FieldError("jwks_url", sentence)]
        return []
    return [FieldError("jwks", sentence) for sentence in wrong_keys(keys.jwks.encode())]


def _set_keys(row: ExchangeClient, keys: KeysGiven) -> None:
    if keys.jwks_url:
        row.jwks, row.jwks_url = None, keys.jwks_url
        return
    kept = (*PUBLIC, "kid", "alg", "use")
    public: list[dict[str, Any]] = [
        {name: one[name] for name in kept if name in one} for one in read_keys(keys.jwks.encode())
    ]
    row.jwks, row.jwks_url = {"keys": msgspec.to_builtins(public)}, None
