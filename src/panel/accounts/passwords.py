"""Passwords: which may be chosen, and what is kept of one (OWASP ASVS 5.0, V6.2).

At least 12 characters of any kind; not one of those that are tried first, and nothing that is known
of the person. There are no rules of composition, and none expires.
"""

import asyncio
import base64
import re
import secrets
import unicodedata
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

Answer = TypeVar("Answer")

SHORTEST = 12
LONGEST = 512
"""Characters: longer than anybody types, short enough to hash at once."""
SERVICE = "panel"
SHORTEST_PART = 4
"""Letters: a name of three stands in many a harmless word."""
AT_ONCE = 2
"""How many are hashed at the same time: each takes 64 MB for some 50 ms."""

_LEET = str.maketrans("0134578@$!", "oieastbasi")
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiopasdfghjklzxcvbnm")


@dataclass(frozen=True, slots=True)
class Hashing:
    """What argon2id takes: passes, KiB of memory, lanes."""

    passes: int
    memory: int
    lanes: int


HASHING = Hashing(passes=3, memory=64 * 1024, lanes=4)
"""RFC 9106, section 4, for where memory is not plentiful. Changed here, passwords are hashed anew
as their owners sign in."""


class Passwords:
    """Hashes passwords in threads of their own, few at a time, so that the others are served."""

    def __init__(self, hashing: Hashing = HASHING) -> None:
        self._hasher = PasswordHasher(
            time_cost=hashing.passes, memory_cost=hashing.memory, parallelism=hashing.lanes
        )
        self._threads = _threads()
        self._nobodys = _nobodys(hashing)

    async def hash(self, password: str) -> str:
        """What is kept of a password."""
        return await self._apart(self._hasher.hash, as_kept(password))

    async def matches(self, kept: str, password: str) -> bool:
        """Whether it is the password; for an account that has none (""), no, after as long."""
        try:
            await self._apart(
                self._hasher.verify, kept or self._nobodys, as_kept(password[: LONGEST + 1])
            )
        except (VerificationError, InvalidHashError):
            return False
        return bool(kept)

    def is_old(self, kept: str) -> bool:
        """Whether it was hashed with other parameters than today's."""
        return self._hasher.check_needs_rehash(kept)

    def close(self) -> None:
        """End the threads; whoever hashes after that does it in new ones."""
        ended, self._threads = self._threads, _threads()
        ended.shutdown(wait=False)

    async def _apart(self, work: Callable[..., Answer], *given: str) -> Answer:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, work, *given)


def _threads() -> ThreadPoolExecutor:
    # They start with the first password that they are given.
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords")


def as_kept(password: str) -> str:
    """A password as it is hashed: an accent typed on another keyboard is the same accent."""
    return unicodedata.normalize("NFKC", password)


def password_mistake(password: str, about: Iterable[str]) -> str:
    """What is wrong with a new password, "" for nothing.

    Args: `about` are words that belong to the person: their name, address, agency.
    """
    if len(password) < SHORTEST:
        return f"Password must be {SHORTEST} characters or more"
    if len(password) > LONGEST:
        return f"Password must be {LONGEST} characters or fewer"
    plain = password.casefold()
    parts = {
        part
        for words in (*about, SERVICE)
        for part in re.split(r"[\W_]+", words.casefold())
        if len(part) >= SHORTEST_PART
    }
    if any(part in plain for part in parts):
        return "Password must not contain your name, your e-mail address, your agency or “Panel”"
    if is_common(plain):
        return "Password must not be one that is guessed first, like a common word with numbers"
    return ""


def is_common(plain: str) -> bool:
    """Whether it is tried first: a common one, or two of them, with figures and signs around."""
    known = _common()
    within = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain)
    if plain in known or not within or _is_repeated(plain) or _is_a_row(plain):
        return True
    return any(
        word in known
        or any(word[:at] in known and word[at:] in known for at in range(3, len(word) - 2))
        for word in {within, within.translate(_LEET)}
    )


def _is_repeated(said: str) -> bool:
    """Whether it is a short part over and over: "abcabcabcabc"."""
    return any(said == (said[:size] * len(said))[: len(said)] for size in range(1, 5))


def _is_a_row(said: str) -> bool:
    """Whether it walks along the alphabet, the figures or the keyboard."""
    return any(said in row * 3 or said in row[::-1] * 3 for row in _ROWS)


@cache
def _common() -> frozenset[str]:
    lines = resources.files("panel.accounts").joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in lines.splitlines() if line and not line.startswith("#"))


def _nobodys(hashing: Hashing) -> str:
    """The hash of no password, as dear to compare as any: who has no account takes as long."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (16, 32)
    )
    cost = f"m={hashing.memory},t={hashing.passes},p={hashing.lanes}"
    return f"$argon2id$v=19${cost}${salt}${digest}"
