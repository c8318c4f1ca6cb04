"""Systems of other agencies in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from panel.accounts.step_pages import Field, Step
from panel.exchange.clients import Known, key_names
from panel.exchange.models import ExchangeClient, ExchangeToken
from panel.web import words

BASE = "/governance/clients"

_NAME = Field("line", "name", "What is the system called?", "For example: Testshire GP records")
_SCOPES = Field(
    "text",
    "scopes",
    "What may it ask for?",
    "One scope on each line, for example system/CarePlan.rs. c creates, r reads, u updates,"
    " d deletes, s searches. system/releases.r reads published figures, and no record.",
)
_MAILBOX = Field(
    "line",
    "mesh_mailbox",
    "Its MESH mailbox",
    "Only if it sends by MESH, for example X26HC005. What comes from any other mailbox is not"
    " taken in as its sending.",
)
_KEYS = (
    Field("text", "jwks", "Its public keys", "A set of keys (JWKS). Leave empty if published."),
    Field("line", "jwks_url", "Or where it publishes them", "An address that begins with https://"),
)
CHANGE = Step(
    "Change what a system may ask for",
    "It counts at once, also for tokens that the system has.",
    "Save",
    (_NAME, _SCOPES, _MAILBOX),
)
KEYS = Step(
    "Change a system’s keys",
    "The keys before are good no more. Tokens that the system has are over at once.",
    "Save",
    _KEYS,
)
END = Step(
    "End a system",
    "It comes in no more from this moment on, and reaches no record. What it sent stays.",
    "End it",
    (Field("line", "why", "Why is it ended?", "Without a name."),),
)


def register_step(agencies: Sequence[tuple[str, str]]) -> Step:
    """The form that registers a system of one of the agencies (id, name)."""
    return Step(
        "Register a system",
        "It reaches the children whom its agency works with, and sees of them what the agency may"
        " see. What you let it ask for only narrows that.",
        "Register it",
        (
            _NAME,
            Field("line", "key", "Its key", "As it names itself to us. It stays for ever."),
            Field("select", "agency_id", "Whose system is it?", choices=agencies),
            _SCOPES,
            *_KEYS,
            _MAILBOX,
        ),
    )


@dataclass(frozen=True, slots=True)
class ClientRow:
    """A line of the list."""

    name: str
    agency: str
    scopes: str
    state: str
    href: str


def client_row(known: Known, today: date) -> ClientRow:
    """A client in the list."""
    row = known.row
    return ClientRow(
        row.name, known.agency, ", ".join(row.scopes), state(row, today), f"{BASE}/{row.id}"
    )


def state(row: ExchangeClient, today: date) -> str:
    """Whether it comes in."""
    if row.ended_on is not None:
        return f"Ended on {words.short_day(row.ended_on)}"
    if row.from_on > today:
        return f"From {words.short_day(row.from_on)}"
    return "Comes in"


def client_facts(known: Known, registered_by: str, today: date) -> list[tuple[str, ...]]:
    """What is known of one, as lines of (what, words) and, where it can be changed, the link."""
    row = known.row
    here = f"{BASE}/{row.id}"
    change, keys = (
        ("Change", f"{here}/{part}") if row.ended_on is None else () for part in ("change", "keys")
    )
    since = words.day(row.from_on)
    ended = [] if row.ended_why is None else [("Why it was ended", row.ended_why)]
    return [
        ("State", state(row, today)),
        *ended,
        ("Key", row.key),
        ("Agency", known.agency),
        ("What it may ask for", ", ".join(row.scopes), *change),
        ("Used for", "Exchange of records between systems"),
        ("Its keys", ", ".join(key_names(row)), *keys),
        ("Its MESH mailbox", row.mesh_mailbox or "None", *change),
        ("Registered", f"{since}, by {registered_by}" if registered_by else since),
    ]


def token_row(token: ExchangeToken, now: datetime) -> tuple[str, str, str]:
    """A token: when it was given, for what, and whether it is good."""
    if token.revoked_at is not None:
        said = f"Taken back at {words.time(token.revoked_at)}"
    else:
        said = f"Good until {words.time(token.ends_at)}" if token.ends_at > now else "Over"
    return words.day_and_time(token.made_at), ", ".join(token.scopes), said
