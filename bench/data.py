"""An authority for measuring: as many children as asked for, each with a record like a real one.

Filled by COPY, sealed with real keys, `child_access` written by the schema's own function. The
same number of children gives the same facts; ids, keys and ciphertext differ.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from panel.accounts.service import email_index
from panel.platform.cluster import Cluster, create_database
from panel.platform.crypto import Keyring, Keys
from panel.platform.ids import new_id
from panel.platform.masterkey import master_key
from panel.platform.migrate import ensure_control, migrate_all
from panel.platform.tenancy import authority_named, keyring, record_authority
from panel.records.child_scoped import JOB
from panel.register.children import child_token, same_child_tokens
from panel.register.names import name_tokens

MORNING = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
"""When it is in a bench: Monday 23 November 2026, in term."""
TODAY = MORNING.date()
NEXT_MEETING = date(2026, 12, 3)
NARROW = 35
"""Children of the narrow viewer; the wide one reaches half of all."""
CHILDREN_TO_A_PANEL = 1000
AT_ONCE = 500
"""Children to a transaction."""

_GIVEN = (
    "Amina",
    "Benjamin",
    "Chidi",
    "Daisy",
    "Elias",
    "Farah",
    "Gwen",
    "Hugo",
    "Isla",
    "Jonah",
    "Kezia",
    "Leo",
    "Mabel",
    "Noor",
    "Oscar",
    "Priya",
    "Quentin",
    "Rosa",
    "Samir",
    "Tilda",
    "Umar",
    "Violet",
    "Wren",
    "Xanthe",
    "Yusuf",
    "Zara",
    "Alfie",
    "Bronwyn",
    "Cora",
    "Dylan",
)
_FAMILY = (
    "Kestrel",
    "Linnet",
    "Wagtail",
    "Dunnock",
    "Siskin",
    "Bunting",
    "Plover",
    "Curlew",
    "Fieldfare",
    "Redwing",
    "Goldcrest",
    "Nuthatch",
    "Whitethroat",
    "Blackcap",
    "Stonechat",
    "Wheatear",
    "Sandpiper",
    "Turnstone",
    "Lapwing",
    "Avocet",
    "Gannet",
    "Fulmar",
    "Petrel",
    "Guillemot",
    "Razorbill",
    "Merganser",
    "Goldeneye",
    "Pochard",
    "Gadwall",
    "Teal",
)
_PARTS = (
    "health visiting",
    "speech and language therapy",
    "portage",
    "paediatrics",
    "physiotherapy",
)
_SENTENCES = (
    "She now points to what she wants, and waits for an answer before she tries again.",
    "Joined the group at the sensory room for twenty minutes; left it calmly with his aunt.",
    "We talked about nights: two good ones this week, and what was different about them.",
    "The new chair arrived. It needs a higher foot plate; the clinic has been told.",
    "His mother would like to know who to ring in the holidays, and was given the number.",
)
_AGENCIES = (
    ("community-paediatrics", "Community paediatrics", "health"),
    ("health-visiting", "Health visiting", "health"),
    ("speech-language", "Speech and language therapy", "health"),
    ("early-years", "Early years inclusion", "education"),
    ("portage", "Portage", "education"),
    ("send-team", "SEND team", "education"),
    ("disabled-children", "Disabled children's team", "social_care"),
    ("family-support", "Family support", "social_care"),
    ("lantern", "Lantern play project", "voluntary"),
)
YES, NO = "t", "f"
"""As COPY takes them."""
_MEMBERS = 6
"""The agencies, from the first, that are members of every panel."""

_WHO = ("created_at", "created_by", "changed_at", "changed_by", "version")
_COLUMNS: dict[str, str] = {
    "data_key": "holder_id wrapped",
    "agency": "id key name kind",
    "worker": "id agency_id name job_title email email_index",
    "worker_role": "id worker_id role panel_id",
    "term": "id first_day last_day name",
    "panel": "id key name kind first_on every_days starts_at place settings",
    "panel_agency": "id panel_id agency_id",
    "meeting": "id panel_id slot_on held_on state change_reason",
    "form": "id key number title definition",
    "child": "id reference birth_date sex given_name family_name nhs_number address postcode phone"
    " nhs_number_verified",
    "child_index": "child_id kind token",
    "family_member": "id name phone",
    "family_link": "id child_id family_member_id relationship parental_responsibility basis"
    " lives_with",
    "episode": "id child_id opened_on",
    "involvement": "id child_id agency_id worker_id part from_on expected_from_on",
    "lead_professional": "id child_id worker_id agency_id state offered_on offered_by answered_on"
    " from_on",
    "plan": "id child_id number state author_agency_id started_on agreed_on",
    "desired_outcome": "id child_id plan_id position text state baseline target",
    "outcome_progress": "id child_id outcome_id on value",
    "action": "id child_id plan_id text owner_worker_id owner_words due_on state",
    "assessment": "id child_id form_id form_key number state author_id author_agency_id started_on"
    " signed_off_on",
    "referral": "id child_id panel_id referred_on agency_id worker_id category state"
    " first_panel_on last_discussed_on next_review_by",
    "discussion": "id child_id meeting_id author_agency_id heading category text",
    "family_words": "id child_id family_member_id asked_on asked_how said_on text",
    "significant_event": "id child_id happened_on kind category author_agency_id text",
    "sharing_agreement": "id child_id given by_person_id capacity by_words agencies not_agencies"
    " level named purposes from_on",
}
_WITHOUT_WHO = {"data_key", "child_index"}


@dataclass(frozen=True)
class Worker:
    """A worker of the bench."""

    id: UUID
    agency: UUID


@dataclass(frozen=True)
class Plan:
    """Who and what there is around the children; the children are dealt out by their number."""

    agencies: tuple[UUID, ...]
    crowd: tuple[tuple[Worker, ...], ...]
    """Practitioners, by agency."""
    narrow: Worker
    wide: Worker
    coordinators: tuple[Worker, ...]
    """One to a panel."""
    panels: tuple[UUID, ...]
    past_meetings: tuple[UUID, ...]
    form: UUID


@dataclass(frozen=True)
class Filled:
    """Whom the measuring looks through, and what they look at."""

    narrow: UUID
    wide: UUID
    coordinator: UUID
    panel_key: str
    meeting_on: date
    narrow_children: tuple[UUID, ...]
    wide_children: tuple[UUID, ...]


Told = Callable[..., bytes]
"""Seals a sentence for the child: table, row, text (any by default), column."""


class Rows:
    """Rows of several tables, on their way in."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self._rows: dict[str, list[tuple[object, ...]]] = {}

    def add(self, table: str, *values: object) -> None:
        """One row, in the order of `_COLUMNS`."""
        self._rows.setdefault(table, []).append(values)

    def new_holder(self, holder: UUID) -> None:
        """A person or an agency with a data key."""
        wrapped = self.keys.ring.new_data_key(holder)
        self.keys.add(holder, wrapped)
        self.add("data_key", holder, wrapped)

    def write(self, connection: psycopg.Connection[Any]) -> None:
        """COPY every row in, in one transaction."""
        with connection.transaction(), connection.cursor() as cursor:
            for table, rows in self._rows.items():
                statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
                    sql.Identifier(table),
                    sql.SQL(", ").join(map(sql.Identifier, _COLUMNS[table].split())),
                )
                with cursor.copy(statement) as copy:
                    for row in rows:
                        copy.write_row(row)
        self._rows.clear()


def with_nothing_in_it(cluster: Cluster, folder: Path, name: str) -> tuple[Cluster, str]:
    """A database of its own with one authority, whose keys lie in the folder; and its schema."""
    made = create_database(cluster, f"panel_bench_{name}_{new_id().hex[-8:]}")
    assert made.owner_url is not None
    ensure_control(made.owner_url)
    record_authority(
        made.owner_url,
        master_key(None, folder / "keys" / "master.key"),
        name="bench",
        label="Benchshire",
        host="bench.localhost",
        demo=True,
    )
    migrate_all(made.owner_url, lambda _line: None)
    return made, authority_named(made.app_url, None).schema_name


def fill(cluster: Cluster, key_file: Path, children: int, *, processes: int = 2) -> Filled:
    """Fill a migrated, empty authority. About 3 minutes for 100,000 children on two cores."""
    ring = _ring(cluster, key_file)
    with _loading(cluster) as connection:
        _say_who(connection)
        rows = Rows(Keys(ring))
        plan = _surroundings(rows, ring, children)
        rows.write(connection)
    parts = [(start, min(start + AT_ONCE, children)) for start in range(0, children, AT_ONCE)]
    shares = [parts[number::processes] for number in range(processes)]
    with ProcessPoolExecutor(processes) as pool:
        ids = [
            pool.submit(_fill_share, cluster, key_file, plan, share, children) for share in shares
        ]
        numbered = dict(pair for future in ids for pair in future.result())
    with _loading(cluster) as connection:
        _say_who_no_more(connection)
        connection.execute("SELECT rewrite_all_access()")
        connection.execute("ANALYZE")
    narrow = [numbered[number] for number in range(0, children, _narrow_step(children))][:NARROW]
    wide = [numbered[number] for number in range(0, children, 2)]
    return Filled(
        narrow=plan.narrow.id,
        wide=plan.wide.id,
        coordinator=plan.coordinators[0].id,
        panel_key="contacts-1",
        meeting_on=NEXT_MEETING,
        narrow_children=tuple(narrow),
        wide_children=tuple(random.Random(7).sample(wide, min(len(wide), 400))),
    )


def _ring(cluster: Cluster, key_file: Path) -> Keyring:
    return keyring(authority_named(cluster.app_url, None), master_key(None, key_file))


def _loading(cluster: Cluster) -> psycopg.Connection[Any]:
    """A session of the owner that checks no foreign keys: the rows here are right by making."""
    assert cluster.admin_url is not None
    schema = authority_named(cluster.app_url, None).schema_name
    connection = psycopg.connect(cluster.admin_url, autocommit=True)
    connection.execute("SET session_replication_role = replica")
    connection.execute("SET ROLE panel_owner")
    connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(schema)))
    return connection


def _tables_with_who() -> Iterable[str]:
    return (table for table in _COLUMNS if table not in _WITHOUT_WHO)


def _say_who(connection: psycopg.Connection[Any]) -> None:
    """Let every row say that the job made it this morning, without five more fields to send."""
    values = (MORNING.isoformat(), str(JOB), MORNING.isoformat(), str(JOB), "1")
    for table in _tables_with_who():
        for column, value in zip(_WHO, values, strict=True):
            connection.execute(
                sql.SQL("ALTER TABLE {} ALTER COLUMN {} SET DEFAULT {}").format(
                    sql.Identifier(table), sql.Identifier(column), sql.Literal(value)
                )
            )


def _say_who_no_more(connection: psycopg.Connection[Any]) -> None:
    for table in _tables_with_who():
        for column in _WHO:
            connection.execute(
                sql.SQL("ALTER TABLE {} ALTER COLUMN {} DROP DEFAULT").format(
                    sql.Identifier(table), sql.Identifier(column)
                )
            )


# --- What stands around the children -------------------------------------------------------------


def _surroundings(rows: Rows, ring: Keyring, children: int) -> Plan:
    agencies = tuple(new_id() for _ in _AGENCIES)
    for agency, (key, name, kind) in zip(agencies, _AGENCIES, strict=True):
        rows.new_holder(agency)
        rows.add("agency", agency, key, name, kind)

    def worker(agency: UUID, name: str, role: str, panel: UUID | None = None) -> Worker:
        made = Worker(new_id(), agency)
        email = f"{made.id}@demo.example"
        rows.add(
            "worker", made.id, agency, rows.keys.seal(agency, "worker.name", made.id, name), "",
            rows.keys.seal(agency, "worker.email", made.id, email), email_index(ring, email),
        )  # fmt: skip
        rows.add("worker_role", new_id(), made.id, role, panel)
        return made

    rows.add("term", new_id(), date(2026, 9, 2), date(2026, 12, 18), "Autumn term")
    rows.add("term", new_id(), date(2027, 1, 5), date(2027, 3, 25), "Spring term")
    rows.add("term", new_id(), date(2027, 4, 12), date(2027, 7, 21), "Summer term")
    form = new_id()
    rows.add("form", form, "caf", 1000, "CAF", Jsonb({}))
    panels = tuple(new_id() for _ in range(max(1, children // CHILDREN_TO_A_PANEL)))
    past: list[UUID] = []
    coordinators: list[Worker] = []
    for number, panel in enumerate(panels, 1):
        rows.add(
            "panel", panel, f"contacts-{number}", f"CONTACTS panel {number}", "contacts",
            date(2026, 9, 10), 14, time(9, 30), "", Jsonb({}),
        )  # fmt: skip
        for agency in agencies[:_MEMBERS]:
            rows.add("panel_agency", new_id(), panel, agency)
        past.append(new_id())
        held = date(2026, 11, 19)
        rows.add("meeting", past[-1], panel, held, held, "held", "")
        coming = NEXT_MEETING
        rows.add("meeting", new_id(), panel, coming, coming, "planned", "")
        coordinators.append(worker(agencies[5], _name(number), "coordinator", panel))
    # A practitioner has about 35 children; a third of the involvements are the first agency's.
    crowd = tuple(
        tuple(
            worker(agency, _name(number), "practitioner")
            for number in range(max(2, children * 3 // len(agencies) // NARROW))
        )
        for agency in agencies
    )
    return Plan(
        agencies=agencies,
        crowd=crowd,
        narrow=worker(agencies[1], "Rosa Whitlow", "practitioner"),
        wide=worker(agencies[0], "Ines Marlow", "manager"),
        coordinators=tuple(coordinators),
        panels=panels,
        past_meetings=tuple(past),
        form=form,
    )


def _name(number: int) -> str:
    return f"{_GIVEN[number % len(_GIVEN)]} {_FAMILY[number // 3 % len(_FAMILY)]}"


def _narrow_step(children: int) -> int:
    return max(1, children // NARROW)


# --- The children --------------------------------------------------------------------------------


def _fill_share(
    cluster: Cluster,
    key_file: Path,
    plan: Plan,
    parts: Sequence[tuple[int, int]],
    children: int,
) -> list[tuple[int, UUID]]:
    ring = _ring(cluster, key_file)
    ids: list[tuple[int, UUID]] = []
    with _loading(cluster) as connection:
        for start, end in parts:
            rows = Rows(Keys(ring))
            ids += [(number, _child(rows, plan, number, children)) for number in range(start, end)]
            rows.write(connection)
    return ids


def _child(rows: Rows, plan: Plan, number: int, children: int) -> UUID:
    """One child with everything: one in eight before a panel, a fifth of all not ready."""
    chance = random.Random(number)
    child, parent = new_id(), new_id()
    rows.new_holder(child)
    rows.new_holder(parent)
    seal = rows.keys.seal

    def told(table: str, row: UUID, text: str | None = None, column: str = "text") -> bytes:
        return seal(child, f"{table}.{column}", row, text or chance.choice(_SENTENCES))

    given, family = chance.choice(_GIVEN), chance.choice(_FAMILY)
    born = TODAY - timedelta(days=chance.randrange(200, 2900))
    nhs_number = f"999{number:07d}"
    rows.add(
        "child", child, f"C-{1001 + number}", born, chance.choice(("female", "male")),
        told("child", child, given, "given_name"), told("child", child, family, "family_name"),
        told("child", child, nhs_number, "nhs_number"),
        told("child", child, f"{number % 90 + 1} Heron Way", "address"),
        told("child", child, "ZZ99 1AA", "postcode"),
        told("child", child, "01632 960001", "phone"), NO,
    )  # fmt: skip
    for kind, token in _tokens(rows.keys.ring, given, family, born, nhs_number):
        rows.add("child_index", child, kind, token)
    rows.add(
        "family_member", parent, seal(parent, "family_member.name", parent, f"Joy {family}"),
        seal(parent, "family_member.phone", parent, "01632 960002"),
    )  # fmt: skip
    rows.add(
        "family_link", new_id(), child, parent, "Mother", YES, "birth_mother", YES,
    )  # fmt: skip
    rows.add("episode", new_id(), child, TODAY - timedelta(days=300))
    team = _team(plan, number, children, chance)
    for place, worker in enumerate(team):
        rows.add(
            "involvement", new_id(), child, worker.agency, worker.id, _PARTS[place],
            TODAY - timedelta(days=280 - place), None,
        )  # fmt: skip
    rows.add("involvement", new_id(), child, plan.agencies[8], None, "play", None,
             TODAY + timedelta(days=40))  # fmt: skip
    is_ready = chance.random() < 0.8
    if is_ready:
        _assessed_and_planned(rows, plan, child, team, chance, told)
    for _ in range(4):
        event = new_id()
        rows.add(
            "significant_event", event, child, TODAY - timedelta(days=chance.randrange(300)),
            "contact", chance.choice(("health", "education", "development", "family")),
            chance.choice(team).agency, told("significant_event", event),
        )  # fmt: skip
    rows.add(
        "sharing_agreement", new_id(), child, YES, parent, "parental_responsibility",
        "her mother", [*plan.agencies[:_MEMBERS], *{one.agency for one in team}], [],
        "additional", [], ["support", "panel", "review"], TODAY - timedelta(days=270),
    )  # fmt: skip
    # A panel of twelve places a fortnight reviews about 130 children twice a year.
    if chance.random() < 0.13:
        _before_a_panel(rows, plan, number, child, parent, team, chance, told)
    return child


def _team(plan: Plan, number: int, children: int, chance: random.Random) -> tuple[Worker, ...]:
    """Three workers; every second child has one of the wide viewer's agency."""
    first = 0 if number % 2 == 0 else 3
    second = chance.choice((1, 2))
    third = chance.choice((4, 6, 7))
    team = [chance.choice(plan.crowd[agency]) for agency in (first, second, third)]
    if number % _narrow_step(children) == 0 and number // _narrow_step(children) < NARROW:
        team[1] = plan.narrow
    return tuple(team)


def _assessed_and_planned(
    rows: Rows, plan: Plan, child: UUID, team: Sequence[Worker], chance: random.Random, told: Told
) -> None:
    lead = team[1]
    day = TODAY - timedelta(days=chance.randrange(20, 250))
    rows.add(
        "lead_professional", new_id(), child, lead.id, lead.agency, "accepted", day, team[0].id,
        day, day,
    )  # fmt: skip
    rows.add(
        "assessment", new_id(), child, plan.form, "caf", 1, "signed_off", team[0].id,
        team[0].agency, day - timedelta(days=20), day,
    )  # fmt: skip
    made = new_id()
    rows.add("plan", made, child, 1, "agreed", lead.agency, day, day)
    for position in range(3):
        outcome = new_id()
        rows.add(
            "desired_outcome", outcome, child, made, position, told("desired_outcome", outcome),
            "working_towards", 1, 4,
        )  # fmt: skip
        rows.add("outcome_progress", new_id(), child, outcome, day + timedelta(days=10), 2)
        action = new_id()
        owner = team[position].id if position else None
        rows.add(
            "action", action, child, made, told("action", action), owner,
            None if owner else told("action", action, "Mum", "owner_words"),
            TODAY + timedelta(days=chance.randrange(-5, 60)), chance.choice(("to_do", "doing")),
        )  # fmt: skip


def _before_a_panel(
    rows: Rows,
    plan: Plan,
    number: int,
    child: UUID,
    parent: UUID,
    team: Sequence[Worker],
    chance: random.Random,
    told: Told,
) -> None:
    place = min(number // CHILDREN_TO_A_PANEL, len(plan.panels) - 1)
    referred = TODAY - timedelta(days=chance.randrange(10, 40))
    discussed = reviewed = None
    if chance.random() < 0.96:
        referred = TODAY - timedelta(days=chance.randrange(200, 260))
        reviewed = TODAY + timedelta(days=chance.randrange(-4, 180))
        discussed = reviewed - timedelta(days=182)
    rows.add(
        "referral", new_id(), child, plan.panels[place], referred, team[0].agency, team[0].id,
        "health", "acknowledged", discussed, discussed, reviewed,
    )  # fmt: skip
    if discussed is not None:
        said = new_id()
        rows.add(
            "discussion", said, child, plan.past_meetings[place], team[0].agency, "discussion",
            "panel", told("discussion", said),
        )  # fmt: skip
        words = new_id()
        rows.add(
            "family_words", words, child, parent, discussed - timedelta(days=20), "by telephone",
            discussed - timedelta(days=12), told("family_words", words),
        )  # fmt: skip


def _tokens(
    ring: Keyring, given: str, family: str, born: date, nhs_number: str
) -> set[tuple[str, bytes]]:
    tokens = {(kind, _token(ring, kind, word)) for kind, word in _words(given, family)}
    return tokens | set(same_child_tokens(ring, given, family, born, nhs_number).items())


@cache
def _words(given: str, family: str) -> frozenset[tuple[str, str]]:
    return frozenset(name_tokens((given, family)))


@cache
def _token(ring: Keyring, kind: str, word: str) -> bytes:
    return child_token(ring, kind, word)
