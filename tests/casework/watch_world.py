"""An authority of any size in which every child has a next step, and gaps that are planted in it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from uuid import UUID

import psycopg
from psycopg import sql

from panel.casework.gap_queries import GapKind
from panel.platform.cluster import Cluster
from panel.records.child_scoped import JOB

TODAY = date(2026, 11, 23)
"""A Monday."""
SCHEMA = "authority_testshire"
OF = {
    name: f"{number:04x}"
    for number, name in enumerate(
        (
            "child",
            "episode",
            "lead_professional",
            "assessment",
            "plan",
            "referral",
            "involvement",
            "sharing_agreement",
            "transition",
            "action",
            "agenda_item",
            "family_note",
            "note_answer",
            "access_request",
            "worker",
            "agency",
            "panel",
            "meeting",
            "form",
            "offer",
            "lead_cover",
            "episode_step",
            "impact_meeting",
            "authority_handover",
        ),
        start=1,
    )
}


def id_of(table: str, number: int) -> UUID:
    """The id of the row of a table that belongs to a child's number."""
    return UUID(f"00000000-0000-7000-{OF[table]}-{number:012x}")


def ids(table: str, number: str = "n") -> str:
    """The same as SQL."""
    return f"('00000000-0000-7000-{OF[table]}-' || lpad(to_hex({number}), 12, '0'))::uuid"


WHO = {
    "created_at": "timestamptz '2026-01-05 09:00+00'",
    "created_by": f"uuid '{JOB}'",
    "changed_at": "timestamptz '2026-01-05 09:00+00'",
    "changed_by": f"uuid '{JOB}'",
    "version": "1",
}


class World:
    """Rows are put in as the owner, set by set."""

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]], children: int) -> None:
        self.connection = connection
        self.children = children

    def put(
        self, table: str, columns: Mapping[str, str], numbers: Sequence[int], of: str = ""
    ) -> None:
        """One row for each number; values are SQL over `n`."""
        given = {"id": ids(of or table)} | WHO | columns
        statement = (
            f"INSERT INTO {table} ({', '.join(given)}) SELECT {', '.join(given.values())}"
            " FROM unnest(%s::bigint[]) n"
        )
        self.connection.execute(statement.replace(" % ", " %% ").encode(), (list(numbers),))

    def change(self, table: str, says: str, numbers: Sequence[int]) -> None:
        """Change the rows of a table that belong to these children."""
        statement = f"UPDATE {table} SET {says} WHERE child_id = ANY(%s)"
        self.connection.execute(
            statement.encode(), ([id_of("child", number) for number in numbers],)
        )

    def take(self, table: str, numbers: Sequence[int]) -> None:
        """Take the rows of a table away that belong to these children."""
        self.connection.execute(
            f"DELETE FROM {table} WHERE child_id = ANY(%s)".encode(),
            ([id_of("child", number) for number in numbers],),
        )


@contextmanager
def world(cluster: Cluster, children: int) -> Iterator[World]:
    """An authority of so many children, none of whom lacks anything on `TODAY`."""
    assert cluster.admin_url is not None
    with psycopg.connect(cluster.admin_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET ROLE panel_owner")
        connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(SCHEMA)))
        made = World(connection, children)
        around(made)
        cases(made)
        yield made


def around(made: World) -> None:
    """An agency and a practice, workers, a panel with a meeting that was held, a form."""
    made.put("agency", {"key": "'a' || n", "name": "'Agency ' || n", "kind": "'health'"}, [1, 2])
    made.connection.execute(b"UPDATE agency SET kind = 'gp' WHERE key = 'a2'")
    made.put(
        "worker",
        {
            "agency_id": f"uuid '{id_of('agency', 1)}'",
            "name": "'x'::bytea",
            "job_title": "''",
            "email": "'x'::bytea",
            "email_index": "int8send(n)",
        },
        range(1, 21),
    )
    made.put(
        "panel",
        {
            "key": "'contacts'",
            "name": "'CONTACTS'",
            "kind": "'contacts'",
            "first_on": "date '2026-01-08'",
            "every_days": "14",
            "starts_at": "time '09:30'",
            "place": "''",
            "settings": "'{}'::jsonb",
        },
        [1],
    )
    made.put(
        "meeting",
        {
            "panel_id": ids("panel"),
            "slot_on": "date '2026-10-08'",
            "held_on": "date '2026-10-08'",
            "state": "'held'",
            "ended_at": "timestamptz '2026-10-08 12:00+01'",
            "change_reason": "''",
        },
        [1],
    )


def cases(made: World) -> None:
    """Every child with a case in which nothing is missing; each tenth case is over and bare."""
    everybody = range(1, made.children + 1)
    child = {"child_id": ids("child")}
    worker, agency = ids("worker", "1 + n % 20"), ids("agency", "1")
    made.put(
        "child",
        {
            "reference": "'C-' || n",
            "birth_date": "date '2021-03-01' + (n % 20)::integer",
            "sex": "'female'",
            "nhs_number_verified": "false",
        },
        everybody,
    )
    made.connection.execute(
        f"INSERT INTO child_access (child_id, viewer_id, valid_from, valid_until, ties)"
        f" SELECT id, '{JOB}', '-infinity', 'infinity', '[]' FROM child".encode()
    )
    made.put(
        "episode",
        child
        | {
            "opened_on": "date '2026-09-10'",
            "closed_on": "CASE WHEN n % 10 = 0 THEN date '2026-10-30' END",
            "closure_reason": "CASE WHEN n % 10 = 0 THEN 'needs_met' END",
        },
        everybody,
    )
    made.put(
        "lead_professional",
        child
        | {
            "worker_id": worker,
            "agency_id": agency,
            "state": "'accepted'",
            "offered_on": "date '2026-09-10'",
            "offered_by": f"uuid '{JOB}'",
            "from_on": "date '2026-09-11'",
        },
        everybody,
    )
    made.put(
        "assessment",
        child
        | {
            "form_id": ids("form", "1"),
            "form_key": "'caf'",
            "number": "1",
            "state": "'signed_off'",
            "author_id": worker,
            "author_agency_id": agency,
            "started_on": "date '2026-09-11'",
            "signed_off_on": "date '2026-09-20'",
        },
        everybody,
    )
    made.put(
        "plan",
        child
        | {
            "number": "1",
            "state": "'agreed'",
            "author_agency_id": agency,
            "started_on": "date '2026-09-21'",
            "agreed_on": "date '2026-09-25'",
        },
        everybody,
    )
    made.put(
        "referral",
        child
        | {
            "panel_id": ids("panel", "1"),
            "referred_on": "date '2026-09-10'",
            "agency_id": agency,
            "category": "'health'",
            "state": "'acknowledged'",
            "first_panel_on": "date '2026-10-08'",
            "last_discussed_on": "date '2026-10-08'",
            "next_review_by": "date '2027-04-08'",
        },
        everybody,
    )
    made.put(
        "involvement",
        child | {"agency_id": agency, "part": "''", "from_on": "date '2026-09-10'"},
        everybody,
    )
    made.put(
        "sharing_agreement",
        child
        | {
            "given": "true",
            "by_person_id": f"uuid '{JOB}'",
            "capacity": "'parental_responsibility'",
            "by_words": "'her mother'",
            "agencies": f"ARRAY[{agency}]",
            "not_agencies": "'{}'",
            "named": "'{}'",
            "purposes": "ARRAY['support']",
            "from_on": "date '2026-09-11'",
        },
        everybody,
    )
    over = "SELECT child_id FROM episode WHERE closed_on IS NOT NULL"
    for table in ("lead_professional", "plan", "assessment", "involvement", "sharing_agreement"):
        made.connection.execute(f"DELETE FROM {table} WHERE child_id IN ({over})".encode())


def open_cases(children: int) -> list[int]:
    """The numbers of the children whose case is open."""
    return [number for number in range(1, children + 1) if number % 10]


CHILD = {"child_id": ids("child")}
TRANSITION = CHILD | {
    "kind": "'new_school'",
    "watch_from": "date '2026-11-01'",
    "due_on": "date '2027-01-05'",
    "found": "false",
    "state": "'watched'",
    "owner_worker_id": ids("worker", "1 + n % 20"),
    "receiving_agency_id": ids("agency", "1"),
}
OVERDUE = {"watch_from": "date '2026-10-01'", "due_on": "date '2026-11-20'"}
ASKED = CHILD | {"worker_id": ids("worker", "1"), "agency_id": ids("agency", "1")}


def _no_lead(made: World, these: Sequence[int]) -> None:
    made.change("lead_professional", "state = 'ended', until_on = '2026-11-10'", these)


def _lead_left(made: World, these: Sequence[int]) -> None:
    made.put(
        "worker",
        {
            "agency_id": ids("agency", "1"),
            "name": "'x'::bytea",
            "job_title": "''",
            "email": "'x'::bytea",
            "email_index": "int8send(n)",
            "until_on": "date '2026-11-20'",
        },
        [100],
    )
    made.change("lead_professional", f"worker_id = '{id_of('worker', 100)}'", these)


def _offered(made: World, these: Sequence[int]) -> None:
    made.put(
        "lead_professional",
        ASKED
        | {
            "state": "'offered'",
            "offered_on": "date '2026-11-02'",
            "offered_by": f"uuid '{JOB}'",
        },
        these,
        of="offer",
    )


def _cover_asked(made: World, these: Sequence[int]) -> None:
    made.put(
        "lead_cover",
        ASKED
        | {
            "lead_id": ids("lead_professional"),
            "state": "'offered'",
            "from_on": "date '2026-11-16'",
            "until_on": "date '2026-11-30'",
            "offered_on": "date '2026-11-12'",
            "offered_by": f"uuid '{JOB}'",
        },
        these,
    )


def _stepped_up(made: World, these: Sequence[int]) -> None:
    made.put(
        "episode_step",
        CHILD | {"episode_id": ids("episode"), "kind": "'impact'", "from_on": "date '2026-11-02'"},
        these,
    )


def _met(made: World, these: Sequence[int]) -> None:
    made.put(
        "impact_meeting",
        CHILD
        | {
            "episode_id": ids("episode"),
            "author_agency_id": ids("agency", "1"),
            "held_on": "date '2026-11-05'",
            "starts_at": "time '10:00'",
            "minutes": "60",
            "format": "'home'",
            "child_joins": "'part'",
            "state": "'held'",
            "sequence": "0",
        },
        these,
    )


def _sent_away(**says: str) -> Callable[[World, Sequence[int]], None]:
    def plant(made: World, these: Sequence[int]) -> None:
        made.put(
            "authority_handover",
            CHILD
            | {
                "episode_id": ids("episode"),
                "direction": "'out'",
                "authority_name": "'Eastmoor'",
                "identifier": ids("authority_handover"),
                "way": "'file'",
                "sent_on": "date '2026-11-02'",
                "withheld": "'{}'",
                "tries": "1",
            }
            | says,
            these,
        )

    return plant


def _moves_again(made: World, these: Sequence[int]) -> None:
    """They were handed over two years ago, came back, and move once more."""
    long_ago = {"sent_on": "date '2024-11-02'", "answered_on": "date '2024-11-10'"}
    _sent_away(**long_ago, state="'accepted'")(made, these)
    _transition(kind="'new_authority'")(made, these)


def _transition(**says: str) -> Callable[[World, Sequence[int]], None]:
    def plant(made: World, these: Sequence[int]) -> None:
        made.put("transition", TRANSITION | says, these)

    return plant


def _changed(table: str, says: str) -> Callable[[World, Sequence[int]], None]:
    return lambda made, these: made.change(table, says, these)


def _taken(table: str) -> Callable[[World, Sequence[int]], None]:
    return lambda made, these: made.take(table, these)


def _overdue_action(made: World, these: Sequence[int]) -> None:
    made.put(
        "action",
        CHILD
        | {
            "plan_id": ids("plan"),
            "due_on": "date '2026-10-30'",
            "state": "'to_do'",
            "owner_worker_id": ids("worker", "1"),
        },
        these,
    )


def _discussed(made: World, these: Sequence[int]) -> None:
    made.put(
        "agenda_item",
        CHILD
        | {
            "meeting_id": ids("meeting", "1"),
            "position": "n",
            "minutes": "10",
            "why": "'new'",
            "late": "false",
            "urgent": "false",
            "owed": "'[]'::jsonb",
            "state": "'discussed'",
        },
        these,
    )


def _question(made: World, these: Sequence[int]) -> None:
    made.put(
        "note_answer",
        CHILD
        | {
            "note_id": ids("family_note"),
            "person_id": f"uuid '{JOB}'",
            "answer": "'question'",
            "said_at": "timestamptz '2026-11-01 20:00+00'",
        },
        these,
    )


def _expected(made: World, these: Sequence[int]) -> None:
    made.put(
        "involvement",
        CHILD
        | {
            "agency_id": ids("agency", "2"),
            "part": "''",
            "expected_from_on": "date '2026-11-02'",
        },
        these,
        of="offer",
    )


def _access_asked(made: World, these: Sequence[int]) -> None:
    made.put(
        "access_request",
        ASKED | {"category": "'health'", "asked_on": "date '2026-11-02'", "state": "'asked'"},
        these,
    )


PLANTED: Mapping[GapKind, Callable[[World, Sequence[int]], None]] = {
    GapKind.NO_LEAD: _no_lead,
    GapKind.LEAD_LEFT: _lead_left,
    GapKind.LEAD_NOT_COVERED: _cover_asked,
    GapKind.OFFER_UNANSWERED: _offered,
    GapKind.NO_ASSESSMENT: _taken("assessment"),
    GapKind.NO_PLAN: _taken("plan"),
    GapKind.PLAN_NOT_AGREED: _changed("plan", "state = 'draft', agreed_on = NULL"),
    GapKind.ACTION_OVERDUE: _overdue_action,
    GapKind.REFERRAL_UNANSWERED: _changed(
        "referral",
        "state = 'received', last_discussed_on = NULL, next_review_by = NULL",
    ),
    GapKind.NO_NEXT_REVIEW: _changed("referral", "next_review_by = NULL"),
    GapKind.REVIEW_OVERDUE: _changed("referral", "next_review_by = '2026-11-20'"),
    GapKind.NOTES_NOT_SENT: _discussed,
    GapKind.QUESTION_UNANSWERED: _question,
    GapKind.IMPACT_NO_MEETING: _stepped_up,
    GapKind.MINUTES_NOT_SENT: _met,
    GapKind.TRANSITION_NO_OWNER: _transition(owner_worker_id="NULL"),
    GapKind.TRANSITION_NO_AGENCY: _transition(receiving_agency_id="NULL"),
    GapKind.TRANSITION_OVERDUE: _transition(**OVERDUE),
    GapKind.MOVE_NOT_HANDED_OVER: _moves_again,
    GapKind.HANDOVER_UNANSWERED: _sent_away(state="'sent'"),
    GapKind.HANDOVER_REFUSED: _sent_away(state="'refused'", answered_on="date '2026-11-10'"),
    GapKind.EXPECTED_NOT_BEGUN: _expected,
    GapKind.NOBODY_INVOLVED: _taken("involvement"),
    GapKind.SHARING_ENDED: _changed("sharing_agreement", "until_on = '2026-11-01'"),
    GapKind.ACCESS_UNANSWERED: _access_asked,
}
"""What is done to ten cases each, so that one thing and no other is missing in them."""


def plant(made: World, each: int = 10) -> set[tuple[str, UUID]]:
    """Plant so many gaps of each kind; returns which: (kind, child)."""
    cases_left = iter(open_cases(made.children))
    planted = set()
    for kind, do in PLANTED.items():
        these = [next(cases_left) for _ in range(each)]
        do(made, these)
        planted |= {(kind.value, id_of("child", number)) for number in these}
    return planted


def knows_of_a_plan(made: World, these: Sequence[int]) -> None:
    """A request for service that rests on an EHC plan."""
    made.put(
        "service_request",
        CHILD
        | {
            "reference": "'R-' || n",
            "state": "'draft'",
            "legal_basis": "'ehcp'",
            "category": "'education'",
            "urgency": "'routine'",
            "agency_id": ids("agency", "1"),
        },
        these,
        of="offer",
    )
