"""How somebody signs in, in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from panel.accounts.own_ways import Ways
from panel.platform.sessions import Listed, Way
from panel.web.words import day_and_time

WAYS = {
    Way.LINK: "By a link",
    Way.DEMONSTRATION: "In the demonstration",
    Way.TWO_STEPS: "With a password and a code",
    Way.PASSKEY: "With a passkey",
    Way.PROVIDER: "Through your organisation",
    Way.FAMILY_CODE: "With a code",
    Way.ELSEWHERE: "From another authority",
}


@dataclass(frozen=True, slots=True)
class PasskeyLine:
    """A passkey in the list."""

    name: str
    added: str
    used: str
    remove: str


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A session in the list; `end` is empty for the one that reads it."""

    device: str
    way: str
    since: str
    used: str
    end: str


def passkey_lines(ways: Ways, base: str) -> Sequence[PasskeyLine]:
    """The passkeys, the oldest first."""
    return [
        PasskeyLine(
            one.name,
            day_and_time(one.created_at),
            "Never" if one.used_at is None else day_and_time(one.used_at),
            f"{base}/passkeys/{one.id}/remove",
        )
        for one in ways.passkeys
    ]


def session_lines(found: Sequence[Listed], base: str) -> Sequence[SessionLine]:
    """Where somebody is signed in, the newest first."""
    return [
        SessionLine(
            one.device or "A browser",
            WAYS[one.way] if one.way else "By a link",
            day_and_time(one.started_at),
            day_and_time(one.seen_at),
            "" if one.is_this else f"{base}/sessions/{one.id}/end",
        )
        for one in found
    ]


def recovery_words(ways: Ways) -> str:
    """How many recovery codes are left."""
    if not ways.recovery_left:
        return "None. Make some, for the day on which you lose your app."
    return f"{ways.recovery_left} not used"
