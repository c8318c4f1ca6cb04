"""Systems of other agencies: who they are, what lets them in, and whom they are tied to.

A client is tied to the children whom its agency is involved with, from the day on which both are
so to the last day of either. What is sealed from an agency, or ordered by a court for it, is so for
its clients as for its workers.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

WHEN = sa.DateTime(timezone=True)
TEXTS = postgresql.ARRAY(sa.Text())
VIEWER = "NULLIF(current_setting('panel.viewer', true), '')::uuid"
NOBODY = "'00000000-0000-0000-0000-000000000000'::uuid"
JOB = "'00000000-0000-7000-8000-000000000001'::uuid"
AT_THE_DOOR = f"{VIEWER} IN ({NOBODY}, {JOB})"
"""Who lets a client in before it is anybody, and scheduled work."""
LEAD = "(SELECT answers_for_use(ARRAY['governance_lead']))"

CLIENT_TIE = """
CREATE VIEW client_tie WITH (security_invoker = true) AS
SELECT i.child_id, c.id AS viewer_id, 'client'::text AS tie, c.agency_id AS who,
       GREATEST(i.from_on, c.from_on) AS from_on, LEAST(i.until_on, c.ended_on - 1) AS until_on,
       NULL::text[] AS categories
  FROM exchange_client c
  JOIN involvement i ON i.agency_id = c.agency_id AND i.from_on IS NOT NULL
 WHERE c.ended_on IS NULL OR GREATEST(i.from_on, c.from_on) < c.ended_on
"""
# The view of ties is written anew from what it is, so that what other migrations put in stays.
ADD_TIE = """
DO $$ BEGIN
  EXECUTE 'CREATE OR REPLACE VIEW review_tie WITH (security_invoker = true) AS '
    || rtrim(pg_get_viewdef('review_tie'::regclass), ';')
    || ' UNION ALL SELECT client_tie.child_id, client_tie.viewer_id, client_tie.tie,'
    || ' client_tie.who, client_tie.from_on, client_tie.until_on,'
    || ' client_tie.categories FROM client_tie';
END $$
"""
TAKE_TIE = r"""
DO $$ BEGIN
  EXECUTE 'CREATE OR REPLACE VIEW review_tie WITH (security_invoker = true) AS '
    || regexp_replace(rtrim(pg_get_viewdef('review_tie'::regclass), ';'),
                      '\s*UNION ALL\s+SELECT client_tie\.child_id.*$', '');
END $$
"""
# As it was (0010), but that a client acts for an agency as a worker or a guest does.
_TIES = "child_id, viewer_id, tie, who, from_on, until_on, categories"
ACTS_FOR = (
    "(SELECT w.agency_id FROM worker w WHERE w.id = t.viewer_id)",
    "(SELECT g.agency_id FROM guest_link g WHERE g.id = t.viewer_id)",
    "(SELECT x.agency_id FROM exchange_client x WHERE x.id = t.viewer_id)",
)
ACCESS_DUE = f"""
CREATE OR REPLACE VIEW access_due WITH (security_invoker = true) AS
SELECT child_id, viewer_id,
       CASE WHEN bool_or(from_on IS NULL) THEN '-infinity'
            ELSE min(from_on)::timestamp AT TIME ZONE 'Europe/London' END AS valid_from,
       CASE WHEN bool_or(last_on IS NULL) THEN 'infinity'
            ELSE max(LEAST(over_at, (last_on + 1)::timestamp AT TIME ZONE 'Europe/London'))
                 - interval '1 microsecond' END AS valid_until,
       COALESCE(jsonb_agg(jsonb_build_object('tie', tie, 'who', who, 'from', from_on,
                'until', until_on, 'categories', categories))
                FILTER (WHERE tie NOT IN ('job', 'offer', 'named')), '[]') AS ties
  FROM (
    SELECT t.*, LEAST(t.until_on, cut.from_on - 1) AS last_on, cut.from_on AS cut_on,
           CASE WHEN t.tie = 'named' AND NOT ordered.is_so THEN (
             SELECT max(o.ends_at) FROM sharing_override o
              WHERE o.child_id = t.child_id AND o.to_id IN (t.viewer_id, acts.agency_id))
           END AS over_at
      FROM (SELECT {_TIES} FROM child_tie UNION ALL SELECT {_TIES} FROM review_tie) t
     CROSS JOIN LATERAL (SELECT COALESCE({{acts_for}}) AS agency_id) acts
     CROSS JOIN LATERAL (
       SELECT EXISTS (SELECT 1 FROM sharing_order o WHERE o.child_id = t.child_id AND o.permits
                         AND (t.viewer_id = ANY (o."to") OR acts.agency_id = ANY (o."to")))
              AS is_so) ordered
     CROSS JOIN LATERAL (
       SELECT min(c.from_on) AS from_on FROM child_cut c
        WHERE c.child_id = t.child_id AND c.who IN (t.viewer_id, acts.agency_id)
          AND NOT (c.yields_to_a_court AND ordered.is_so)) cut
  ) tied
 WHERE cut_on IS NULL OR from_on IS NULL OR from_on < cut_on
 GROUP BY child_id, viewer_id
"""


def make_tables() -> None:
    """Clients, their tokens, and the assertions that were used."""
    name = "exchange_client"
    op.create_table(
        name,
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("scopes", TEXTS, nullable=False),
        sa.Column("purposes", TEXTS, nullable=False),
        sa.Column("jwks", postgresql.JSONB(), nullable=True),
        sa.Column("jwks_url", sa.Text(), nullable=True),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("ended_why", sa.Text(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", WHEN, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", WHEN, nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("key", name=op.f(f"uq_{name}_key")),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f(f"fk_{name}_agency_id")),
        sa.CheckConstraint(
            "cardinality(purposes) > 0 AND purposes <@ ARRAY['exchange']",
            name=op.f(f"ck_{name}_purposes"),
        ),
        sa.CheckConstraint("(jwks IS NULL) <> (jwks_url IS NULL)", name=op.f(f"ck_{name}_keys")),
    )
    op.create_index(op.f(f"ix_{name}_agency_id"), name, ["agency_id"])
    name = "exchange_token"
    op.create_table(
        name,
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("scopes", TEXTS, nullable=False),
        sa.Column("made_at", WHEN, nullable=False),
        sa.Column("ends_at", WHEN, nullable=False),
        sa.Column("revoked_at", WHEN, nullable=True),
        sa.PrimaryKeyConstraint("token_hash", name=op.f(f"pk_{name}")),
        sa.ForeignKeyConstraint(
            ["client_id"], ["exchange_client.id"], name=op.f(f"fk_{name}_client_id")
        ),
    )
    op.create_index("ix_exchange_token_client_made", name, ["client_id", "made_at"])
    name = "used_assertion"
    op.create_table(
        name,
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("jti_hash", sa.LargeBinary(), nullable=False),
        sa.Column("ends_at", WHEN, nullable=False),
        sa.PrimaryKeyConstraint("client_id", "jti_hash", name=op.f(f"pk_{name}")),
        sa.ForeignKeyConstraint(
            ["client_id"], ["exchange_client.id"], name=op.f(f"fk_{name}_client_id")
        ),
    )


def fence() -> None:
    """A client reads its own row alone; the lead all of them; whoever is at the door, to let in."""
    for name in ("exchange_client", "exchange_token", "used_assertion"):
        op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
    policies = (
        ("exchange_client", "SELECT USING", f"{AT_THE_DOOR} OR id = {VIEWER} OR {LEAD}"),
        ("exchange_client", "INSERT WITH CHECK", f"{VIEWER} = {JOB} OR {LEAD}"),
        ("exchange_client", "UPDATE USING", f"{VIEWER} = {JOB} OR {LEAD}"),
        ("exchange_token", "SELECT USING", f"{AT_THE_DOOR} OR {LEAD}"),
        ("exchange_token", "INSERT WITH CHECK", AT_THE_DOOR),
        ("exchange_token", "UPDATE USING", f"{AT_THE_DOOR} OR {LEAD}"),
        ("exchange_token", "DELETE USING", AT_THE_DOOR),
        ("used_assertion", "ALL USING", AT_THE_DOOR),
    )
    for name, what, who in policies:
        does = what.split()[0].lower()
        op.execute(f"CREATE POLICY {does}_{name} ON {name} FOR {what} ({who})")
    op.execute("GRANT SELECT, INSERT, UPDATE ON exchange_client TO panel_app")
    # Nothing of a token is ever written again but that it was taken back.
    op.execute("GRANT SELECT, INSERT, DELETE, UPDATE (revoked_at) ON exchange_token TO panel_app")
    op.execute("GRANT SELECT, INSERT, DELETE ON used_assertion TO panel_app")
    op.execute(
        "CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON exchange_client"
        " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
    )


def upgrade() -> None:
    """Make the tables, fence them, and tie clients to the children of their agency."""
    make_tables()
    fence()
    op.execute(CLIENT_TIE)
    op.execute("GRANT SELECT ON client_tie TO panel_app")
    op.execute(ADD_TIE)
    op.execute(ACCESS_DUE.format(acts_for=", ".join(ACTS_FOR)))


def downgrade() -> None:
    """Take them away: no system comes in any more, and none is tied to a child."""
    op.execute(ACCESS_DUE.format(acts_for=", ".join(ACTS_FOR[:2])))
    op.execute(TAKE_TIE)
    op.execute("DROP VIEW client_tie")
    # What tied clients goes with them.
    op.execute("SELECT rewrite_all_access()")
    for name in ("used_assertion", "exchange_token", "exchange_client"):
        op.drop_table(name)
