"""Which passwords may be chosen, and what is kept of one."""

import pytest

from panel.accounts.passwords import HASHING, Hashing, Passwords, password_mistake

ABOUT = ("Rosa Whitlow", "rosa.w", "rosa.w@health.example", "Health Visiting North")


@pytest.mark.parametrize(
    "password",
    [
        "Green lamps under the bridge",
        "twelve chars",
        "            x",
        "смелые фонари",
        "🏮🏮🌉🏮🌉🏮🏮🌉🌉🏮🌉🏮x",
        "x" * 3 + "9 lives, 4 chairs",
        "k" + "ab9 z" * 100,
    ],
)
def test_it_may_be_anything_long_that_is_not_guessed_first(password: str) -> None:
    assert password_mistake(password, ABOUT) == ""


@pytest.mark.parametrize(
    ("password", "wrong"),
    [
        ("eleven char", "12 characters or more"),
        ("x1" * 257, "512 characters or fewer"),
        ("password1234", "guessed first"),
        ("P@ssw0rd2026!!", "guessed first"),
        ("!!!Liverpool99", "guessed first"),
        ("sunshinemonkey", "guessed first"),
        ("DragonDragon12", "guessed first"),
        ("qwertyuiopas", "guessed first"),
        ("1234567890123", "guessed first"),
        ("abcabcabcabc", "guessed first"),
        ("2026-11-23 09:30", "guessed first"),
        ("1qaz2wsx3edc", "guessed first"),
        ("my Whitlow lamp", "your name"),
        ("lamps in the ROSA garden", "your name"),
        ("all the visiting lamps", "your name"),
        ("panel of lamps", "your name"),
        ("a health.example lamp", "your name"),
    ],
)
def test_it_may_not_be_short_common_or_about_its_owner(password: str, wrong: str) -> None:
    assert wrong in password_mistake(password, ABOUT)


async def test_what_is_kept_is_argon2id_and_tells_nothing() -> None:
    passwords = Passwords(Hashing(passes=1, memory=64, lanes=1))
    kept = await passwords.hash("Green lamps under the bridge")
    assert kept.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert kept != await passwords.hash("Green lamps under the bridge")
    assert await passwords.matches(kept, "Green lamps under the bridge")
    assert not await passwords.matches(kept, "green lamps under the bridge")
    assert not await passwords.matches(kept, "Green lamps under the bridge ")
    assert not await passwords.matches("", "Green lamps under the bridge")
    assert not await passwords.matches("rubbish", "x")
    composed = await passwords.hash("caf\u00e9 lamps at night")
    assert await passwords.matches(composed, "cafe\u0301 lamps at night")
    assert not passwords.is_old(kept)
    assert Passwords(Hashing(passes=2, memory=64, lanes=1)).is_old(kept)
    passwords.close()


def test_the_parameters_are_those_of_the_standard() -> None:
    """OWASP's least, and more: 19 MiB and two passes; RFC 9106's second choice."""
    assert (HASHING.passes, HASHING.memory, HASHING.lanes) == (3, 64 * 1024, 4)
