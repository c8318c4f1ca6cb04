"""Slowing down whoever guesses, so that nobody is locked out by others (docs/adr/0019).

What is counted is counted by the database in one statement, before anything is compared: two
processes cannot both be the tenth. A bucket is a keyed hash; no address and no account stands in
the tables. Passkeys, links and providers are not counted with passwords.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple, cast

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.platform.crypto import Keyring, Keys
from panel.platform.problems import TooMany
from panel.platform.tables import KEYS, NOW
from panel.platform.tenancy import Tenant

HELD_BACK = (
    "From where you are, this was tried too many times with something that was not right."
    " Your account is not locked: a passkey signs you in now."
)
KNOWN_FOR = timedelta(days=180)
"""How long an address counts as known after the last good sign-in from it."""


class Limit(NamedTuple):
    """So many tries, counted from the first, until that long after it."""

    tries: int
    within: timedelta


AT_ACCOUNT_FROM_HERE = Limit(10, timedelta(minutes=15))
FROM_HERE = Limit(100, timedelta(minutes=15))
"""Several hundred workers may share one address: it counts only what was not right."""
AT_ACCOUNT_BY_STRANGERS = Limit(50, timedelta(hours=1))
"""From addresses that the account does not know; beyond it nothing is refused (see `Knock`)."""
MAILS_FROM_HERE = Limit(4, timedelta(hours=1))
MAILS_BY_STRANGERS = Limit(6, timedelta(hours=1))
"""Codes by e-mail that others may bring about; an address that the account knows has its own."""
A_DAY = timedelta(days=1)
CHALLENGES = Limit(300, timedelta(minutes=15))


class Bucket(NamedTuple):
    """What is counted together."""

    key: bytes
    limit: Limit


@dataclass(frozen=True, slots=True)
class Knock:
    """A try that was counted."""

    counted: Sequence[Bucket]
    held_back: int
    """0, or seconds: this address has had its tries."""
    wait: int
    """0, or seconds: strangers tried this account many times, and this is another from an address
    that it does not know. Whether a password is right is told only with the code; no code is taken.
    """

    def go_on(self) -> None:
        """Raises TooMany where this address is held back; ask once the try is committed."""
        if self.held_back:
            raise TooMany(self.held_back, HELD_BACK)


def whose_address(client: str, forwarded: str, hops: int) -> str:
    """Where a request comes from: the network of an IPv6 address, which one person has to choose
    from, else the address.

    Args: `client` is the socket's; `forwarded` is X-Forwarded-For, to which each of our own `hops`
    proxies added whom it heard from. What stands before those may be anybody's invention.
    """
    heard = [part.strip() for part in forwarded.split(",") if part.strip()]
    given = heard[-hops] if 0 < hops <= len(heard) else client
    try:
        found = ip_address(given.strip("[]").partition("%")[0])
    except ValueError:
        return given
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ip_network((found, 64), strict=False))
    return str(found)


async def knock(session: AsyncSession, what: str, account: str, address: str) -> Knock:
    """Count a try with a password or a code, in a transaction that is committed whatever follows.

    Args: `what` names the kind of secret; `account` is the blind index of an e-mail address in hex,
    whether or not there is such an account: who asks for nobody gets the same answers.
    """
    ring, now = cast("Keys", session.info[KEYS]).ring, session.info[NOW]
    both = Bucket(_key(ring, what, account, address), AT_ACCOUNT_FROM_HERE)
    alone = Bucket(_key(ring, what, "", address), FROM_HERE)
    strangers = Bucket(_key(ring, what, account, ""), AT_ACCOUNT_BY_STRANGERS)
    # Always in this order, so that two who knock at once wait for each other in turn. What is held
    # back at one account is not held against the others at this address.
    held_back = await _count(session, both, now) or await _count(session, alone, now)
    if held_back or await _is_known(session, _key(ring, "known", account, address), now):
        return Knock((both, alone), held_back, 0)
    return Knock((both, alone, strangers), 0, await _count(session, strangers, now))


async def ask_for_challenge(tenant: Tenant, address: str) -> None:
    """Count that a passkey's challenge was asked for. Raises TooMany for this address alone."""
    bucket = Bucket(_key(tenant.ring, "challenge", "", address), CHALLENGES)
    async with tenant.transaction() as session:
        wait = await _count(session, bucket, tenant.clock.now())
    if wait:
        raise TooMany(wait, "From where you are, passkeys were asked for too many times.")


async def may_mail(session: AsyncSession, account: str, address: str) -> bool:
    """Count that a code was asked for by e-mail; whether one more may go to this account now.

    `account` is of what was typed: who knows somebody's e-mail address uses nothing up of what is
    asked for by a reference that only their letter tells.
    """
    ring, now = cast("Keys", session.info[KEYS]).ring, session.info[NOW]
    here = Bucket(_key(ring, "mail", account, address), MAILS_FROM_HERE)
    strangers = Bucket(_key(ring, "mail", account, ""), MAILS_BY_STRANGERS)
    # Both are asked of whoever asks, so that no answer takes longer than another.
    too_many = await _count(session, here, now) > 0
    known = await _is_known(session, _key(ring, "known", account, address), now)
    if too_many or known:
        return not too_many
    return await _count(session, strangers, now) == 0


async def give_back(session: AsyncSession, counted: Knock) -> None:
    """It was right: a good try is not counted, and this address starts afresh at this account."""
    both, *others = counted.counted
    await session.execute(
        text("DELETE FROM sign_in_attempt WHERE bucket = :key"), {"key": both.key}
    )
    for one in others:
        await session.execute(
            text("UPDATE sign_in_attempt SET tries = tries - 1 WHERE bucket = :key AND tries > 0"),
            {"key": one.key},
        )


async def know_address(
    session: AsyncSession, ring: Keyring, account: str, address: str, now: datetime
) -> None:
    """From here somebody signed in to this account by what only its owner has."""
    await session.execute(
        text(
            "INSERT INTO known_address (bucket, seen_at) VALUES (:key, :now)"
            " ON CONFLICT (bucket) DO UPDATE SET seen_at = excluded.seen_at"
        ),
        {"key": _key(ring, "known", account, address), "now": now},
    )


async def forget_attempts(session: AsyncSession, now: datetime) -> None:
    """Drop what no longer counts."""
    for statement, before in (
        ("DELETE FROM sign_in_attempt WHERE ends_at < :before", now),
        ("DELETE FROM sign_in_challenge WHERE ends_at < :before", now),
        ("DELETE FROM known_address WHERE seen_at < :before", now - KNOWN_FOR),
    ):
        await session.execute(text(statement), {"before": before})


async def _is_known(session: AsyncSession, here: bytes, now: datetime) -> bool:
    found = await session.scalar(
        text("SELECT 1 FROM known_address WHERE bucket = :key AND seen_at > :since"),
        {"key": here, "since": now - KNOWN_FOR},
    )
    return found is not None


async def count_wrong(session: AsyncSession, what: str, whose: str, *, is_wrong: bool) -> int:
    """Count an answer that was wrong, for `A_DAY` from the first; how many there are by now.

    Asked of right and of wrong ones, so that neither takes longer. Whoever counts holds the
    account's row meanwhile: two at once are counted one after the other.
    """
    ring, now = cast("Keys", session.info[KEYS]).ring, session.info[NOW]
    tries, _ = await _add(session, _key(ring, what, whose, ""), A_DAY, now, int(is_wrong))
    return tries


async def forget_wrong(session: AsyncSession, what: str, whose: str) -> None:
    """Somebody who knows the person lets them begin afresh."""
    ring = cast("Keys", session.info[KEYS]).ring
    await session.execute(
        text("DELETE FROM sign_in_attempt WHERE bucket = :key"),
        {"key": _key(ring, what, whose, "")},
    )


async def is_known(session: AsyncSession, account: str, address: str) -> bool:
    """Whether the owner of an account signed in from this address before (`know_address`)."""
    ring, now = cast("Keys", session.info[KEYS]).ring, session.info[NOW]
    return await _is_known(session, _key(ring, "known", account, address), now)


async def _count(session: AsyncSession, bucket: Bucket, now: datetime) -> int:
    """Count one more try; the seconds until there may be another, 0 where this one may go on."""
    tries, ends_at = await _add(session, bucket.key, bucket.limit.within, now, 1)
    if tries <= bucket.limit.tries:
        return 0
    return max(int((ends_at - now).total_seconds()), 1)


async def _add(
    session: AsyncSession, key: bytes, within: timedelta, now: datetime, more: int
) -> tuple[int, datetime]:
    """Add to what is counted; how much that is now, and until when."""
    counted = await session.execute(
        text(
            "INSERT INTO sign_in_attempt AS a (bucket, tries, ends_at) VALUES (:key, :more, :ends)"
            " ON CONFLICT (bucket) DO UPDATE SET"
            " tries = CASE WHEN a.ends_at <= :now THEN excluded.tries"
            " ELSE LEAST(a.tries + excluded.tries, 1000000) END,"
            " ends_at = CASE WHEN a.ends_at <= :now THEN excluded.ends_at ELSE a.ends_at END"
            " RETURNING tries, ends_at"
        ),
        {"key": key, "more": more, "now": now, "ends": now + within},
    )
    row = counted.one()
    return row.tries, row.ends_at


def _key(ring: Keyring, what: str, account: str, address: str) -> bytes:
    return ring.index("sign_in_attempt", f"{what}\0{account}\0{address}")
