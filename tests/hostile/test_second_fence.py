"""The second fence alone: what the database itself gives the serving role, asked directly.

No page, no service and no gate: statements as `panel_app`, with each viewer set in turn, over every
table, view and function that the schema has. Who may be reached is worked out from `child_tie` as
the owner reads it, not from `child_access`.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from panel.platform.cluster import Cluster
from panel.platform.ids import new_id
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB, child_scoped_tables
from tests.demo.year import MONDAY
from tests.hostile.canary_year import Made

pytestmark = pytest.mark.database

BY_CHILD = ("child_index", "child_mark", "access_event")
"""Tables that say whose row it is and are none of a child's own."""
GIVES_NOTHING = frozenset({
    "rewrite_child_access", "rewrite_viewer_access", "rewrite_all_access", "open_child",
    "note_possible_duplicate", "note_change", "forget_changes", "no_longer_found", "move_pot",
    "touch_of_child", "touch_child", "touch_pair", "touch_erased", "touch_renamed",
    "touch_listed", "touch_linked", "touch_everybody", "touch_forgotten", "touch_invented",
})  # fmt: skip
"""Functions that run with the owner's rights: each is tried below, and none returns anything."""
FOR_ONE_ONLY = {
    "search_access_history": "the governance lead",
    "child_for_governance": "the governance lead",
    "compare_access": "scheduled work",
    "children_written": "scheduled work",
    "completeness_by_agency": "who answers for the work",
    "judgements_by_agency": "who answers for the work",
    "decided_requests": "who sits on an allocation panel, and of groups who answers for it",
}
"""Those that return rows, and to whom alone: each is tried below as everybody else."""
VIEWS = [
    "access_due", "allocation_tie", "child_cut", "child_tie", "client_tie", "cover_tie",
    "left_to_governance",
    "request_tie", "review_tie",
]  # fmt: skip
FOR_THOSE_WHO_ANSWER = frozenset({
    "right_request", "access_file", "redaction", "correction", "processing_restriction",
    "legal_hold", "disposal_line",
})  # fmt: skip
"""Of every child, whoever answers for the use of records reads what is asked about it and kept."""
ONLY_ADDED_TO = {
    "record_change", "line_actual", "payment", "payment_return", "reconciliation",
    "package_signature", "resource_version", "export_line",
    "list_link", "action_chase", "plan_version",
    # Of a decision only whether it stands, and that it was ratified, is ever written again.
    "request_decision",
}  # fmt: skip
A_NEW_ONE = (
    "{name} runs with the owner's rights, so no fence holds it. Try below what it gives to whoever"
    " may reach nothing, and add it to GIVES_NOTHING; better, do without it."
)


@dataclass
class Fence:
    """A connection of the serving role's, and who may be reached by whom."""

    app: psycopg.Connection
    schema: str
    reach: dict[UUID, set[UUID]] = field(default_factory=lambda: defaultdict(set))
    """By viewer."""
    viewers: list[UUID] = field(default_factory=list)
    children: set[UUID] = field(default_factory=set)
    families: dict[UUID, set[UUID]] = field(default_factory=lambda: defaultdict(set))
    """By family member: the children."""
    leads: set[UUID] = field(default_factory=set)
    """Information governance leads."""
    guardians: set[UUID] = field(default_factory=set)
    """Who answers for safety."""
    requested: set[UUID] = field(default_factory=set)
    """Children about whose record somebody asked for something."""
    unusual: set[UUID] = field(default_factory=set)
    """About whom there is an unusual pattern."""

    @property
    def answering(self) -> set[UUID]:
        """Whoever answers for how records are used."""
        return self.leads | self.guardians

    @contextmanager
    def as_(self, viewer: UUID | None, now: datetime = MONDAY) -> Iterator[psycopg.Connection]:
        """A transaction with a viewer set, undone afterwards."""
        with self.app.transaction(force_rollback=True):
            self.app.execute(
                sql.SQL("SET LOCAL search_path = {}").format(sql.Identifier(self.schema))
            )
            if viewer is not None:
                self.app.execute(
                    sql.SQL("SET LOCAL panel.viewer = {}").format(sql.Literal(str(viewer)))
                )
                self.app.execute(
                    sql.SQL("SET LOCAL panel.now = {}").format(sql.Literal(now.isoformat()))
                )
            yield self.app

    def asked(self, query: str, **given: object) -> set[UUID]:
        """The ids that a query gives."""
        return {row[0] for row in self.app.execute(query, given).fetchall()}


@pytest.fixture
def fence(canaries: Made, tenant: Tenant) -> Iterator[Fence]:
    """The serving role's connection to the year with its markers."""
    cluster = canaries.cluster
    assert cluster.owner_url is not None
    schema = tenant.record.schema_name
    today = MONDAY.date()
    with psycopg.connect(cluster.app_url) as app, psycopg.connect(cluster.owner_url) as owner:
        made = Fence(app, schema)
        owner.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(schema)))
        # A row of `child_access` is as wide as the ties of somebody together.
        for viewer, child in owner.execute(
            "SELECT viewer_id, child_id FROM child_tie GROUP BY 1, 2"
            " HAVING (bool_or(from_on IS NULL) OR min(from_on) <= %s)"
            " AND (bool_or(until_on IS NULL) OR max(until_on) >= %s)",
            [today, today],
        ).fetchall():
            made.reach[viewer].add(child)
        _answering(owner, made)
        for child, viewer in owner.execute(
            "SELECT r.child_id, w.id FROM sharing_restriction r JOIN worker w"
            " ON w.id = ANY (r.against) OR w.agency_id = ANY (r.against)"
            " WHERE r.kind = 'protection' AND r.categories = '{}' AND r.from_on <= %s",
            [today],
        ).fetchall():
            assert child in made.reach[viewer], "it is sealed from somebody who is of the team"
            made.reach[viewer].discard(child)
        made.children = {row[0] for row in owner.execute("SELECT id FROM child").fetchall()}
        for child, member in owner.execute(
            "SELECT child_id, family_member_id FROM family_link"
        ).fetchall():
            made.families[member].add(child)
        everybody = owner.execute(
            "SELECT id FROM worker UNION SELECT id FROM agency UNION SELECT id FROM family_member"
            " UNION SELECT id FROM guest_link UNION SELECT id FROM child"
        ).fetchall()
        made.viewers = [JOB, new_id(), *sorted(row[0] for row in everybody)]
        yield made


def _answering(owner: psycopg.Connection, made: Fence) -> None:
    """Who answers for use and for safety; the latter reach what somebody else opened for safety."""
    for worker, role in owner.execute("SELECT worker_id, role FROM worker_role").fetchall():
        if role == "governance_lead":
            made.leads.add(worker)
        elif role in ("caldicott_guardian", "safeguarding_lead"):
            made.guardians.add(worker)
    for (viewer,) in owner.execute("SELECT viewer_id FROM unusual_pattern").fetchall():
        made.unusual.add(viewer)
    for child, author in owner.execute(
        "SELECT child_id, to_id FROM sharing_override WHERE review_by IS NOT NULL"
        " AND (reviewed_at IS NULL OR NOT justified)"
    ).fetchall():
        for guardian in made.guardians - {author}:
            made.reach[guardian].add(child)
    for (child,) in owner.execute("SELECT child_id FROM right_request").fetchall():
        made.requested.add(child)
    for child, decided_by in owner.execute(
        "SELECT child_id, decided_by FROM redaction WHERE takes_out"
        " AND exemption = 'serious_harm' AND second_at IS NULL"
    ).fetchall():
        for guardian in made.guardians - {decided_by}:
            made.reach[guardian].add(child)
    for child in _left(owner):
        for lead in made.leads:
            made.reach[lead].add(child)
    _allocating(owner, made)


def _allocating(owner: psycopg.Connection, made: Fence) -> None:
    """Budget holders and members of an allocation panel, while a request is before it.

    A role that names no panel is for each of them.
    """
    today = MONDAY.date()
    for child, worker in owner.execute(
        "SELECT q.child_id, r.worker_id FROM service_request q CROSS JOIN worker_role r"
        " WHERE q.state NOT IN ('draft', 'withdrawn') AND q.sent_on <= %(today)s"
        " AND (q.tie_until IS NULL OR q.tie_until >= %(today)s)"
        " AND r.role IN ('budget_holder', 'allocation_member')"
        " AND (r.panel_id IS NULL OR r.panel_id = q.panel_id)"
        " AND (r.from_on IS NULL OR r.from_on <= %(today)s)"
        " AND (r.until_on IS NULL OR r.until_on >= %(today)s)",
        {"today": today},
    ).fetchall():
        made.reach[worker].add(child)


def _left(owner: psycopg.Connection) -> set[UUID]:
    """The children of whom something waits for the information governance lead.

    An objection that names the agency of whoever runs the child's panel, and an order that waits.
    """
    runs = defaultdict(set)
    for panel, agency in owner.execute(
        "SELECT r.panel_id, w.agency_id FROM worker_role r JOIN worker w ON w.id = r.worker_id"
        " WHERE r.role IN ('coordinator', 'chair')"
    ).fetchall():
        runs[panel].add(agency)
    left = {
        child
        for child, panel, named in owner.execute(
            "SELECT o.child_id, f.panel_id, o.agencies FROM sharing_objection o"
            " JOIN referral f ON f.child_id = o.child_id WHERE o.decided_on IS NULL"
        ).fetchall()
        if runs[panel] & set(named)
    }
    waiting = owner.execute(
        "SELECT child_id FROM order_to_confirm WHERE answered_at IS NULL"
        " UNION SELECT child_id FROM right_request WHERE answered_on IS NULL"
    )
    return left | {row[0] for row in waiting.fetchall()}


@pytest.fixture
def database_of_own(canaries: Made) -> Cluster:
    """The year with its markers, which these tests only read."""
    return canaries.cluster


def test_no_query_gives_a_child_whom_the_viewer_does_not_reach(fence: Fence) -> None:
    tables = [*(one.name for one in child_scoped_tables()), *BY_CHILD]
    seen = 0
    for viewer in fence.viewers:
        reach = fence.reach[viewer]
        with fence.as_(viewer):
            for table in tables:
                given = fence.asked(f"SELECT DISTINCT child_id FROM {table}")
                if table in FOR_THOSE_WHO_ANSWER and viewer in fence.answering:
                    continue
                assert given <= reach, f"{table} gives {viewer} {len(given - reach)} children more"
                seen += len(given)
            assert fence.asked("SELECT id FROM child") <= reach
            # One's own ties, those that are over among them, and nobody else's.
            assert fence.asked("SELECT viewer_id FROM child_access") <= {viewer}
            members = fence.asked("SELECT id FROM family_member")
            for member in members - {viewer}:
                assert fence.families[member] & reach, f"{viewer} is given somebody's parent"
            messages = fence.asked("SELECT to_viewer_id FROM outbox_message")
            assert viewer == JOB or messages <= {viewer}
            assert not fence.asked(
                "SELECT child_id FROM possible_duplicate"
                " WHERE NOT (child_id = ANY(%(reach)s) AND other_child_id = ANY(%(reach)s))",
                reach=list(reach),
            )
    assert seen > 1000, "nothing was given to anybody: this tried nothing"
    assert fence.reach[JOB] == fence.children


def test_without_a_viewer_nothing_is_given(fence: Fence) -> None:
    with fence.as_(None):
        for table in ("child", *(one.name for one in child_scoped_tables()), "family_member"):
            assert not fence.asked(f"SELECT id FROM {table}"), table


def test_what_is_not_reached_is_neither_changed_nor_deleted(fence: Fence) -> None:
    stranger = new_id()
    narrow = min(
        (one for one in fence.viewers if fence.reach[one]), key=lambda one: len(fence.reach[one])
    )
    with fence.as_(None) as app:
        changing, deleting = (
            {
                row[0]
                for row in app.execute(
                    "SELECT table_name FROM information_schema.role_table_grants"
                    " WHERE grantee = 'panel_app' AND privilege_type = %s",
                    [what],
                ).fetchall()
            }
            for what in ("UPDATE", "DELETE")
        )
    tables = {"child", *(one.name for one in child_scoped_tables())}
    assert tables - changing == ONLY_ADDED_TO
    for table in sorted(tables & changing):
        column = "id" if table == "child" else "child_id"
        for viewer in (stranger, narrow):
            with fence.as_(viewer) as app:
                changed = app.execute(
                    f"UPDATE {table} SET version = version RETURNING {column}"
                ).fetchall()
                is_answering = table in FOR_THOSE_WHO_ANSWER and viewer in fence.answering
                assert is_answering or {row[0] for row in changed} <= fence.reach[viewer], table
        if table not in deleting:
            continue
        with fence.as_(stranger) as app:
            assert app.execute(f"DELETE FROM {table}").rowcount == 0, table


def test_a_row_for_a_child_out_of_reach_is_refused_as_for_one_who_is_not_there(
    fence: Fence,
) -> None:
    there = min(fence.children)
    told = []
    for child in (there, new_id()):
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege) as refused,
            fence.as_(new_id()) as app,
        ):
            app.execute(
                "INSERT INTO asked (id, child_id, what, asked_on, created_at, created_by,"
                " changed_at, changed_by, version)"
                " VALUES (%s, %s, 'plan', now(), now(), %s, now(), %s, 1)",
                [new_id(), child, new_id(), new_id()],
            )
        told.append(str(refused.value))
    assert told[0] == told[1], "the refusal tells that a child is there"


def test_every_view_reads_with_the_rights_of_who_asks(fence: Fence) -> None:
    with fence.as_(None) as app:
        views = app.execute(
            "SELECT relname, relkind, COALESCE(reloptions, '{}') FROM pg_class"
            " WHERE relnamespace = %s::regnamespace AND relkind IN ('v', 'm')",
            [fence.schema],
        ).fetchall()
    assert sorted(name for name, _, _ in views) == VIEWS
    for name, kind, options in views:
        assert kind == "v", f"{name} keeps rows where no fence is"
        assert "security_invoker=true" in options, f"{name} reads with the owner's rights"
    for viewer in fence.viewers:
        with fence.as_(viewer):
            for name in VIEWS:
                given = fence.asked(f"SELECT child_id FROM {name}")
                # Who answers for use reads of which children something is asked, and who is tied.
                known = fence.requested if viewer in fence.answering else set()
                assert given <= fence.reach[viewer] | known, name


def test_functions_with_the_owners_rights_give_nothing(fence: Fence) -> None:
    with fence.as_(None) as app:
        functions = dict(
            app.execute(
                "SELECT proname, prorettype::regtype::text FROM pg_proc"
                " WHERE prosecdef AND pronamespace = %s::regnamespace",
                [fence.schema],
            ).fetchall()
        )
    new = functions.keys() - GIVES_NOTHING - FOR_ONE_ONLY.keys()
    assert not new, "\n".join(A_NEW_ONE.format(name=one) for one in sorted(new))
    given = {kind for name, kind in functions.items() if name not in FOR_ONE_ONLY}
    assert given <= {"void", "trigger"}


HISTORY = (
    "SELECT child_id FROM search_access_history(%(id)s, %(id)s, '{}', NULL, NULL, NULL, NULL, NULL,"
    " NULL, false, NULL, NULL, false, 9)"
)


FOUND = "SELECT child_for_governance('C-0000')"


OF_SCHEDULED_WORK = ("SELECT child_id FROM compare_access()", "SELECT children_written(1)")


@pytest.mark.parametrize("call", [HISTORY, FOUND, *OF_SCHEDULED_WORK])
def test_what_returns_rows_answers_one_role_and_refuses_everybody_else(
    fence: Fence, call: str
) -> None:
    answered = 0
    for viewer in (*fence.viewers, new_id(), None):
        is_theirs = viewer == JOB if call in OF_SCHEDULED_WORK else viewer in fence.leads
        with fence.as_(viewer) as app:
            if is_theirs:
                app.execute(call, {"id": new_id()})
                answered += 1
                continue
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(call, {"id": new_id()})
    assert answered == 1


def test_decided_requests_are_compared_by_few_and_name_nobody(fence: Fence) -> None:
    with fence.as_(None) as app:
        [columns] = app.execute(
            "SELECT pg_get_function_result(oid) FROM pg_proc WHERE proname = 'decided_requests'"
            " AND pronamespace = %s::regnamespace",
            [fence.schema],
        ).fetchall()
    assert "uuid" not in columns[0]
    assert "date" not in columns[0]
    counted = {None: 0, "ward": 0}
    for viewer in (*fence.viewers, new_id(), None):
        for by in counted:
            with fence.as_(viewer) as app:
                roles = {
                    row[0]
                    for row in app.execute(
                        "SELECT role FROM worker_role WHERE worker_id = %s", [viewer]
                    ).fetchall()
                }
                allowed = {"budget_holder", "allocation_member"}
                allowed |= {"governance_lead", "manager"} if by else set()
                sits = app.execute("SELECT sits_on_allocation()").fetchone() == (True,)
                if sits or roles & allowed:
                    assert roles, "whoever compares has a role"
                    app.execute("SELECT * FROM decided_requests(%s, NULL)", [by])
                    counted[by] += 1
                    continue
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    app.execute("SELECT * FROM decided_requests(%s, NULL)", [by])
    assert counted["ward"] > counted[None], "nobody compared anything"


@pytest.mark.parametrize("counted", ["completeness_by_agency", "judgements_by_agency"])
def test_the_work_of_agencies_is_counted_for_those_who_answer_for_it(
    fence: Fence, counted: str
) -> None:
    """Managers read of their own agency alone, and no row says whose assessment it was."""
    answered = 0
    for viewer in (*fence.viewers, new_id(), None):
        with fence.as_(viewer) as app:
            roles = {
                row[0]
                for row in app.execute(
                    "SELECT role FROM worker_role WHERE worker_id = %s", [viewer]
                ).fetchall()
            }
            call = f"SELECT * FROM {counted}('2000-01-01', '2099-12-31')"
            if not roles & {"coordinator", "chair", "manager", "governance_lead"}:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    app.execute(call)
                continue
            rows = app.execute(call)
            named = {one.name for one in rows.description or ()}
            assert not named & {"child_id", "author_id", "assessment_id", "id"}
            agencies = {row[0] for row in rows.fetchall()}
            if not roles & {"coordinator", "chair", "governance_lead"}:
                own = app.execute("SELECT agency_id FROM worker WHERE id = %s", [viewer])
                assert agencies <= {row[0] for row in own.fetchall()}
            answered += 1
    assert answered > 2


def test_what_answers_for_use_is_read_by_those_who_answer_for_it(fence: Fence) -> None:
    """Searches and patterns are about workers; whoever answers for neither is given no row."""
    for viewer in (*fence.viewers, new_id(), None):
        with fence.as_(viewer):
            patterns = fence.asked("SELECT viewer_id FROM unusual_pattern")
            searches = fence.asked("SELECT viewer_id FROM history_search")
        if viewer in fence.leads or viewer == JOB:
            assert patterns == fence.unusual
        elif viewer in fence.guardians:
            assert patterns == fence.unusual & fence.leads, "those about that lead alone"
        else:
            assert not patterns | searches, viewer
    assert fence.unusual > fence.leads, "nobody else was unusual: this tried nothing"


@pytest.mark.parametrize(
    "call",
    [
        "SELECT rewrite_child_access(%(child)s)",
        "SELECT rewrite_viewer_access(%(viewer)s)",
        "SELECT rewrite_all_access()",
        "SELECT note_possible_duplicate(%(child)s, decode('00', 'hex'), 'x')",
        "SELECT forget_changes()",
    ],
)
def test_whoever_calls_one_reaches_no_more_than_before(fence: Fence, call: str) -> None:
    child = min(fence.children)
    outsiders = [one for one in fence.viewers if child not in fence.reach[one]][:6]
    for viewer in (new_id(), *outsiders):
        with fence.as_(viewer) as app:
            app.execute(call, {"child": child, "viewer": viewer})
            assert fence.asked("SELECT id FROM child") <= fence.reach[viewer]
            assert not fence.asked(
                "SELECT child_id FROM possible_duplicate WHERE child_id = %(child)s", child=child
            )


def test_a_child_who_is_there_is_not_opened_by_saying_that_it_is_new(fence: Fence) -> None:
    for child in list(fence.children)[:3]:
        with pytest.raises(psycopg.errors.RaiseException), fence.as_(new_id()) as app:
            app.execute("SELECT open_child(%s)", [child])
    viewer = new_id()
    with fence.as_(viewer):
        assert not fence.asked("SELECT id FROM child")


def test_a_number_that_an_unseen_child_has_is_taken_like_any_other(fence: Fence) -> None:
    """There is no unique constraint on what a stranger could guess: none tells by an error."""
    with fence.as_(None) as app:
        unique = app.execute(
            "SELECT c.relname, array_agg(a.attname) FROM pg_index i"
            " JOIN pg_class c ON c.oid = i.indrelid"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey)"
            " WHERE i.indisunique AND NOT i.indisprimary"
            " AND c.relnamespace = %s::regnamespace GROUP BY i.indexrelid, c.relname",
            [fence.schema],
        ).fetchall()
        fenced = {one.name for one in child_scoped_tables()} | {"child", "family_member"}
        random = {"id", "client_id", "moved_from", "token_hash", "document_id", "assessment_id"}
        random |= {
            "request_id",
            "decision_id",
            "letter_id",
            "placement_id",
            "waiting_id",
            "meeting_id",
            "note_id",
            "child_id",
            "outbox_id",
            "renews_id",
            "involvement_id",
            "returns_id",
            "package_id",
            "resource_id",
            "part_id",
            "referral_id",
            "episode_id",
            "identifier",
            "about_id",
            "outcome_id",
            "plan_id",
            "version_id",
            "action_id",
            "minutes_id",
        }
    for table, columns in unique:
        if table in fenced and columns != ["reference"]:
            assert random & set(columns), f"{table} {columns} can be guessed, and its error tells"
