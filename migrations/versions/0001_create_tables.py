"""Every table of the spine."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "access_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("viewer_id", sa.Uuid(), nullable=False),
        sa.Column("viewer_kind", sa.Text(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("doing", sa.Text(), nullable=False),
        sa.Column("decisions", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_event")),
    )
    op.create_index(op.f("ix_access_event_child_id"), "access_event", ["child_id"], unique=False)
    op.create_index(op.f("ix_access_event_viewer_id"), "access_event", ["viewer_id"], unique=False)
    op.create_table(
        "agency",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ods_code", sa.Text(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('health', 'education', 'social_care', 'council', 'voluntary', 'gp', 'school', 'icb')",
            name=op.f("ck_agency_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agency")),
        sa.UniqueConstraint("key", name=op.f("uq_agency_key")),
    )
    op.create_table(
        "area",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("boundary", postgresql.JSONB(), nullable=True),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_area")),
    )
    op.create_table(
        "child",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("expected_delivery_on", sa.Date(), nullable=True),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("nhs_number_verified", sa.Boolean(), nullable=False),
        sa.Column("ward_code", sa.Text(), nullable=True),
        sa.Column("ethnicity", sa.Text(), nullable=True),
        sa.Column("primary_need", sa.Text(), nullable=True),
        sa.Column("first_language", sa.Text(), nullable=True),
        sa.Column("interpreter", sa.Text(), nullable=True),
        sa.Column("sibling_group", sa.Uuid(), nullable=True),
        sa.Column("school", sa.Text(), nullable=True),
        sa.Column("starts_school_on", sa.Date(), nullable=True),
        sa.Column("given_name", sa.LargeBinary(), nullable=True),
        sa.Column("family_name", sa.LargeBinary(), nullable=True),
        sa.Column("known_as", sa.LargeBinary(), nullable=True),
        sa.Column("nhs_number", sa.LargeBinary(), nullable=True),
        sa.Column("upn", sa.LargeBinary(), nullable=True),
        sa.Column("address", sa.LargeBinary(), nullable=True),
        sa.Column("postcode", sa.LargeBinary(), nullable=True),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("disability", sa.LargeBinary(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "sex IN ('female', 'male', 'indeterminate', 'not_known')", name=op.f("ck_child_sex")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_child")),
        sa.UniqueConstraint("reference", name=op.f("uq_child_reference")),
    )
    op.create_index("ix_child_birth_date", "child", ["birth_date", "id"], unique=False)
    op.create_table(
        "child_access",
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("viewer_id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ties", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("child_id", "viewer_id", name=op.f("pk_child_access")),
    )
    op.create_index(
        "ix_child_access_viewer", "child_access", ["viewer_id", "child_id"], unique=False
    )
    op.create_table(
        "closed_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('holiday', 'inset', 'bank_holiday')", name=op.f("ck_closed_day_kind")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closed_day")),
        sa.UniqueConstraint("day", "kind", name=op.f("uq_closed_day_day_kind")),
    )
    op.create_table(
        "data_key",
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("holder_id", name=op.f("pk_data_key")),
    )
    op.create_table(
        "demo_persona",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("viewer_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("role_words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_demo_persona")),
    )
    op.create_table(
        "family_member",
        sa.Column("first_language", sa.Text(), nullable=True),
        sa.Column("interpreter", sa.Text(), nullable=True),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("email", sa.LargeBinary(), nullable=True),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("address", sa.LargeBinary(), nullable=True),
        sa.Column("safe_contact", sa.LargeBinary(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_family_member")),
    )
    op.create_table(
        "form",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("definition", postgresql.JSONB(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form")),
        sa.UniqueConstraint("key", "number", name=op.f("uq_form_key_number")),
    )
    op.create_table(
        "form_post",
        sa.Column("form_id", sa.Uuid(), nullable=False),
        sa.Column("viewer_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("form_id", name=op.f("pk_form_post")),
    )
    op.create_index(op.f("ix_form_post_at"), "form_post", ["at"], unique=False)
    op.create_table(
        "gateway",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("categories", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("purposes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("agency_kinds", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("ties", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("commenced_on", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway")),
        sa.UniqueConstraint("code", name=op.f("uq_gateway_code")),
    )
    op.create_table(
        "job_run",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("slot", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("job", "slot", name=op.f("pk_job_run")),
    )
    op.create_table(
        "outbox_message",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.Column("to_viewer_id", sa.Uuid(), nullable=True),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("once", sa.Text(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("address", sa.LargeBinary(), nullable=True),
        sa.Column("subject", sa.LargeBinary(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_message")),
        sa.UniqueConstraint("once", name=op.f("uq_outbox_message_once")),
    )
    op.create_index(
        op.f("ix_outbox_message_to_viewer_id"), "outbox_message", ["to_viewer_id"], unique=False
    )
    op.create_index(
        "ix_outbox_message_waiting",
        "outbox_message",
        ["due_at"],
        unique=False,
        postgresql_where="sent_at IS NULL",
    )
    op.create_table(
        "panel",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("every_days", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.Time(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("settings", postgresql.JSONB(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('contacts', 'allocation')", name=op.f("ck_panel_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panel")),
        sa.UniqueConstraint("key", name=op.f("uq_panel_key")),
    )
    op.create_table(
        "possible_duplicate",
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("other_child_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("settled", sa.Text(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_possible_duplicate")),
    )
    op.create_table(
        "setting",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(), nullable=False),
        sa.Column("from_on", sa.DateTime(timezone=True), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_setting")),
    )
    op.create_index(op.f("ix_setting_key"), "setting", ["key"], unique=False)
    op.create_table(
        "sign_in_link",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("viewer_id", sa.Uuid(), nullable=False),
        sa.Column("viewer_kind", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sign_in_link")),
    )
    op.create_table(
        "term",
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_term")),
        sa.UniqueConstraint("first_day", name=op.f("uq_term_first_day")),
    )
    op.create_table(
        "web_session",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("viewer_id", sa.Uuid(), nullable=False),
        sa.Column("viewer_kind", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_web_session")),
    )
    op.create_index(op.f("ix_web_session_viewer_id"), "web_session", ["viewer_id"], unique=False)
    op.create_table(
        "child_index",
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('full', 'phonetic', 'prefix', 'nhs_number', 'upn', 'name_and_birth')",
            name=op.f("ck_child_index_kind"),
        ),
        sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f("fk_child_index_child_id")),
        sa.PrimaryKeyConstraint("child_id", "kind", "token", name=op.f("pk_child_index")),
    )
    op.create_index("ix_child_index_token", "child_index", ["token", "child_id"], unique=False)
    op.create_table(
        "episode",
        sa.Column("identified_on", sa.Date(), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("closure_reason", sa.Text(), nullable=True),
        sa.Column("level_at_start", sa.Text(), nullable=True),
        sa.Column("level_at_closure", sa.Text(), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f("fk_episode_child_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_episode")),
    )
    op.create_index(op.f("ix_episode_child_id"), "episode", ["child_id"], unique=False)
    op.create_table(
        "family_link",
        sa.Column("family_member_id", sa.Uuid(), nullable=False),
        sa.Column("relationship", sa.Text(), nullable=False),
        sa.Column("parental_responsibility", sa.Boolean(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=True),
        sa.Column("lives_with", sa.Boolean(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f("fk_family_link_child_id")),
        sa.ForeignKeyConstraint(
            ["family_member_id"], ["family_member.id"], name=op.f("fk_family_link_family_member_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_family_link")),
    )
    op.create_index(op.f("ix_family_link_child_id"), "family_link", ["child_id"], unique=False)
    op.create_index(
        op.f("ix_family_link_family_member_id"), "family_link", ["family_member_id"], unique=False
    )
    op.create_table(
        "meeting",
        sa.Column("panel_id", sa.Uuid(), nullable=False),
        sa.Column("slot_on", sa.Date(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("change_reason", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('planned', 'frozen', 'held', 'cancelled')", name=op.f("ck_meeting_state")
        ),
        sa.ForeignKeyConstraint(["panel_id"], ["panel.id"], name=op.f("fk_meeting_panel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting")),
        sa.UniqueConstraint("panel_id", "slot_on", name=op.f("uq_meeting_panel_id_slot_on")),
    )
    op.create_index("ix_meeting_day", "meeting", ["panel_id", "held_on"], unique=False)
    op.create_table(
        "panel_agency",
        sa.Column("panel_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency_id"], ["agency.id"], name=op.f("fk_panel_agency_agency_id")
        ),
        sa.ForeignKeyConstraint(["panel_id"], ["panel.id"], name=op.f("fk_panel_agency_panel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panel_agency")),
        sa.UniqueConstraint(
            "panel_id", "agency_id", name=op.f("uq_panel_agency_panel_id_agency_id")
        ),
    )
    op.create_table(
        "plan",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("author_agency_id", sa.Uuid(), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("agreed_on", sa.Date(), nullable=True),
        sa.Column("replaced_on", sa.Date(), nullable=True),
        sa.Column("summary", sa.LargeBinary(), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'agreed', 'replaced', 'ended')", name=op.f("ck_plan_state")
        ),
        sa.ForeignKeyConstraint(
            ["author_agency_id"], ["agency.id"], name=op.f("fk_plan_author_agency_id")
        ),
        sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f("fk_plan_child_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
    )
    op.create_index(op.f("ix_plan_child_id"), "plan", ["child_id"], unique=False)
    op.create_table(
        "sharing_agreement",
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("by_person_id", sa.Uuid(), nullable=False),
        sa.Column("capacity", sa.Text(), nullable=False),
        sa.Column("by_words", sa.Text(), nullable=False),
        sa.Column("agencies", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("not_agencies", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("level", sa.Text(), nullable=True),
        sa.Column("named", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("purposes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("interpreter", sa.Text(), nullable=True),
        sa.Column("how_explained", sa.LargeBinary(), nullable=True),
        sa.Column("evidence", sa.LargeBinary(), nullable=True),
        sa.Column("assessment_id", sa.Uuid(), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "level IN ('basic', 'additional')", name=op.f("ck_sharing_agreement_level")
        ),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.id"], name=op.f("fk_sharing_agreement_child_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_agreement")),
    )
    op.create_index(
        op.f("ix_sharing_agreement_child_id"), "sharing_agreement", ["child_id"], unique=False
    )
    op.create_table(
        "sharing_enquiry",
        sa.Column("agencies", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.id"], name=op.f("fk_sharing_enquiry_child_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_enquiry")),
    )
    op.create_index(
        op.f("ix_sharing_enquiry_child_id"), "sharing_enquiry", ["child_id"], unique=False
    )
    op.create_table(
        "sharing_objection",
        sa.Column("by_person_id", sa.Uuid(), nullable=False),
        sa.Column("by_words", sa.Text(), nullable=False),
        sa.Column("agencies", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("categories", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("raised_on", sa.Date(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("upheld", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("decision_reason", sa.LargeBinary(), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.id"], name=op.f("fk_sharing_objection_child_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_objection")),
    )
    op.create_index(
        op.f("ix_sharing_objection_child_id"), "sharing_objection", ["child_id"], unique=False
    )
    op.create_table(
        "sharing_order",
        sa.Column("permits", sa.Boolean(), nullable=False),
        sa.Column("categories", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("to", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("silent", sa.Boolean(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f("fk_sharing_order_child_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_order")),
    )
    op.create_index(op.f("ix_sharing_order_child_id"), "sharing_order", ["child_id"], unique=False)
    op.create_table(
        "sharing_override",
        sa.Column("to_id", sa.Uuid(), nullable=False),
        sa.Column("categories", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.id"], name=op.f("fk_sharing_override_child_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_override")),
    )
    op.create_index(
        op.f("ix_sharing_override_child_id"), "sharing_override", ["child_id"], unique=False
    )
    op.create_table(
        "sharing_restriction",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("categories", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("against", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("silent", sa.Boolean(), nullable=False),
        sa.Column("by_words", sa.Text(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('protection', 'choice')", name=op.f("ck_sharing_restriction_kind")
        ),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.id"], name=op.f("fk_sharing_restriction_child_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sharing_restriction")),
    )
    op.create_index(
        op.f("ix_sharing_restriction_child_id"), "sharing_restriction", ["child_id"], unique=False
    )
    op.create_table(
        "significant_event",
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("author_agency_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_agency_id"], ["agency.id"], name=op.f("fk_significant_event_author_agency_id")
        ),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.id"], name=op.f("fk_significant_event_child_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_significant_event")),
    )
    op.create_index(
        op.f("ix_significant_event_child_id"), "significant_event", ["child_id"], unique=False
    )
    op.create_table(
        "worker",
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("job_title", sa.Text(), nullable=False),
        sa.Column("email_index", sa.LargeBinary(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("email", sa.LargeBinary(), nullable=True),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_worker_agency_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker")),
        sa.UniqueConstraint("email_index", name=op.f("uq_worker_email_index")),
    )
    op.create_index(op.f("ix_worker_agency_id"), "worker", ["agency_id"], unique=False)
    op.create_table(
        "access_request",
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('asked', 'agreed', 'refused', 'lapsed')",
            name=op.f("ck_access_request_state"),
        ),
        sa.ForeignKeyConstraint(
            ["agency_id"], ["agency.id"], name=op.f("fk_access_request_agency_id")
        ),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.id"], name=op.f("fk_access_request_child_id")
        ),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["worker.id"], name=op.f("fk_access_request_worker_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_request")),
    )
    op.create_index(
        op.f("ix_access_request_child_id"), "access_request", ["child_id"], unique=False
    )
    op.create_table(
        "agenda_item",
        sa.Column("meeting_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("since_on", sa.Date(), nullable=True),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("owed", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("pack_until", sa.Date(), nullable=True),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('listed', 'discussed', 'not_reached', 'removed')",
            name=op.f("ck_agenda_item_state"),
        ),
        sa.CheckConstraint(
            "why IN ('escalation', 'new', 'transition', 'review_due', 'deferred')",
            name=op.f("ck_agenda_item_why"),
        ),
        sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f("fk_agenda_item_child_id")),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["meeting.id"], name=op.f("fk_agenda_item_meeting_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agenda_item")),
        sa.UniqueConstraint(
            "meeting_id", "child_id", name=op.f("uq_agenda_item_meeting_id_child_id")
        ),
    )
    op.create_index(op.f("ix_agenda_item_child_id"), "agenda_item", ["child_id"], unique=False)
    op.create_index(op.f("ix_agenda_item_meeting_id"), "agenda_item", ["meeting_id"], unique=False)
    op.create_table(
        "asked",
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("agency_id", sa.Uuid(), nullable=True),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_asked_agency_id")),
        sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f("fk_asked_child_id")),
        sa.ForeignKeyConstraint(["worker_id"], ["worker.id"], name=op.f("fk_asked_worker_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asked")),
    )
    op.create_index(op.f("ix_asked_child_id"), "asked", ["child_id"], unique=False)
    op.create_table(
        "assessment",
        sa.Column("form_id", sa.Uuid(), nullable=False),
        sa.Column("form_key", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("author_agency_id", sa.Uuid(), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("signed_off_on", sa.Date(), nullable=True),
        sa.Column("signed_off_by", sa.Uuid(), nullable=True),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('draft', 'signed_off')", name=op.f("ck_assessment_state")),
        sa.ForeignKeyConstraint(
            ["author_agency_id"], ["agency.id"], name=op.f("fk_assessment_author_agency_id")
        ),
        sa.ForeignKeyConstraint(["author_id"], ["worker.id"], name=op.f("fk_assessment_author_id")),
        sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f("fk_assessment_child_id")),
        sa.ForeignKeyConstraint(["form_id"], ["form.id"], name=op.f("fk_assessment_form_id")),
        sa.ForeignKeyConstraint(
            ["signed_off_by"], ["worker.id"], name=op.f("fk_assessment_signed_off_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment")),
    )
    op.create_index(op.f("ix_assessment_child_id"), "assessment", ["child_id"], unique=False)
    op.create_index(
        "ix_assessment_current", "assessment", ["child_id", "state", "signed_off_on"], unique=False
    )
    op.create_table(
        "desired_outcome",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=True),
        sa.Column("measure", sa.LargeBinary(), nullable=True),
        sa.Column("baseline", sa.Integer(), nullable=True),
        sa.Column("target", sa.Integer(), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('working_towards', 'reached', 'stopped')",
            name=op.f("ck_desired_outcome_state"),
        ),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.id"], name=op.f("fk_desired_outcome_child_id")
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_desired_outcome_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desired_outcome")),
    )
    op.create_index(
        op.f("ix_desired_outcome_child_id"), "desired_outcome", ["child_id"], unique=False
    )
    op.create_index(
        op.f("ix_desired_outcome_plan_id"), "desired_outcome", ["plan_id"], unique=False
    )
    op.create_table(
        "discussion",
        sa.Column("meeting_id", sa.Uuid(), nullable=False),
        sa.Column("author_agency_id", sa.Uuid(), nullable=False),
        sa.Column("heading", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "category IN ('identity', 'contact', 'network', 'health', 'development', 'education', 'social_care', 'family', 'finance', 'views', 'plan', 'panel', 'safeguarding')",
            name=op.f("ck_discussion_category"),
        ),
        sa.ForeignKeyConstraint(
            ["author_agency_id"], ["agency.id"], name=op.f("fk_discussion_author_agency_id")
        ),
        sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f("fk_discussion_child_id")),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["meeting.id"], name=op.f("fk_discussion_meeting_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discussion")),
    )
    op.create_index(op.f("ix_discussion_child_id"), "discussion", ["child_id"], unique=False)
    op.create_index(op.f("ix_discussion_meeting_id"), "discussion", ["meeting_id"], unique=False)
    op.create_table(
        "document",
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("bytes_long", sa.Integer(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("author_agency_id", sa.Uuid(), nullable=False),
        sa.Column("content_index", sa.LargeBinary(), nullable=False),
        sa.Column("title", sa.LargeBinary(), nullable=True),
        sa.Column("file_name", sa.LargeBinary(), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "category IN ('identity', 'contact', 'network', 'health', 'development', 'education', 'social_care', 'family', 'finance', 'views', 'plan', 'panel', 'safeguarding')",
            name=op.f("ck_document_category"),
        ),
        sa.ForeignKeyConstraint(
            ["author_agency_id"], ["agency.id"], name=op.f("fk_document_author_agency_id")
        ),
        sa.ForeignKeyConstraint(["author_id"], ["worker.id"], name=op.f("fk_document_author_id")),
        sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f("fk_document_child_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
    )
    op.create_index(op.f("ix_document_child_id"), "document", ["child_id"], unique=False)
    op.create_table(
        "family_words",
        sa.Column("meeting_id", sa.Uuid(), nullable=True),
        sa.Column("family_member_id", sa.Uuid(), nullable=True),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.Column("asked_how", sa.Text(), nullable=False),
        sa.Column("said_on", sa.Date(), nullable=True),
        sa.Column("author_agency_id", sa.Uuid(), nullable=True),
        sa.Column("text", sa.LargeBinary(), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_agency_id"], ["agency.id"], name=op.f("fk_family_words_author_agency_id")
        ),
        sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f("fk_family_words_child_id")),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["meeting.id"], name=op.f("fk_family_words_meeting_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_family_words")),
    )
    op.create_index(op.f("ix_family_words_child_id"), "family_words", ["child_id"], unique=False)
    op.create_index(
        op.f("ix_family_words_meeting_id"), "family_words", ["meeting_id"], unique=False
    )
    op.create_table(
        "involvement",
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("expected_from_on", sa.Date(), nullable=True),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency_id"], ["agency.id"], name=op.f("fk_involvement_agency_id")
        ),
        sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f("fk_involvement_child_id")),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["worker.id"], name=op.f("fk_involvement_worker_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_involvement")),
    )
    op.create_index(op.f("ix_involvement_agency_id"), "involvement", ["agency_id"], unique=False)
    op.create_index(op.f("ix_involvement_child_id"), "involvement", ["child_id"], unique=False)
    op.create_index("ix_involvement_worker", "involvement", ["worker_id", "child_id"], unique=False)
    op.create_table(
        "lead_professional",
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("offered_on", sa.Date(), nullable=False),
        sa.Column("offered_by", sa.Uuid(), nullable=False),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('offered', 'accepted', 'declined', 'withdrawn', 'ended')",
            name=op.f("ck_lead_professional_state"),
        ),
        sa.ForeignKeyConstraint(
            ["agency_id"], ["agency.id"], name=op.f("fk_lead_professional_agency_id")
        ),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.id"], name=op.f("fk_lead_professional_child_id")
        ),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["worker.id"], name=op.f("fk_lead_professional_worker_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_professional")),
    )
    op.create_index(
        op.f("ix_lead_professional_child_id"), "lead_professional", ["child_id"], unique=False
    )
    op.create_index(
        "ix_lead_professional_worker", "lead_professional", ["worker_id", "state"], unique=False
    )
    op.create_index(
        "uq_lead_professional_one_now",
        "lead_professional",
        ["child_id"],
        unique=True,
        postgresql_where="state = 'accepted'",
    )
    op.create_table(
        "level_of_need",
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("judged_on", sa.Date(), nullable=False),
        sa.Column("judged_by", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "level IN ('universal', 'early_help', 'targeted', 'specialist')",
            name=op.f("ck_level_of_need_level"),
        ),
        sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f("fk_level_of_need_child_id")),
        sa.ForeignKeyConstraint(
            ["judged_by"], ["worker.id"], name=op.f("fk_level_of_need_judged_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_level_of_need")),
    )
    op.create_index(op.f("ix_level_of_need_child_id"), "level_of_need", ["child_id"], unique=False)
    op.create_table(
        "pack_opened",
        sa.Column("meeting_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency_id"], ["agency.id"], name=op.f("fk_pack_opened_agency_id")
        ),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["meeting.id"], name=op.f("fk_pack_opened_meeting_id")
        ),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["worker.id"], name=op.f("fk_pack_opened_worker_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pack_opened")),
        sa.UniqueConstraint(
            "meeting_id",
            "agency_id",
            "worker_id",
            name=op.f("uq_pack_opened_meeting_id_agency_id_worker_id"),
        ),
    )
    op.create_table(
        "referral",
        sa.Column("panel_id", sa.Uuid(), nullable=False),
        sa.Column("referred_on", sa.Date(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("first_panel_on", sa.Date(), nullable=True),
        sa.Column("last_discussed_on", sa.Date(), nullable=True),
        sa.Column("next_review_by", sa.Date(), nullable=True),
        sa.Column("review_meeting_id", sa.Uuid(), nullable=True),
        sa.Column("deferred_on", sa.Date(), nullable=True),
        sa.Column("transition", sa.Text(), nullable=True),
        sa.Column("transition_on", sa.Date(), nullable=True),
        sa.Column("escalated_on", sa.Date(), nullable=True),
        sa.Column("urgent_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("escalation", sa.LargeBinary(), nullable=True),
        sa.Column("urgent_reason", sa.LargeBinary(), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('received', 'acknowledged', 'closed')", name=op.f("ck_referral_state")
        ),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_referral_agency_id")),
        sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f("fk_referral_child_id")),
        sa.ForeignKeyConstraint(["panel_id"], ["panel.id"], name=op.f("fk_referral_panel_id")),
        sa.ForeignKeyConstraint(
            ["review_meeting_id"], ["meeting.id"], name=op.f("fk_referral_review_meeting_id")
        ),
        sa.ForeignKeyConstraint(["worker_id"], ["worker.id"], name=op.f("fk_referral_worker_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral")),
    )
    op.create_index(op.f("ix_referral_child_id"), "referral", ["child_id"], unique=False)
    op.create_index("ix_referral_panel", "referral", ["panel_id", "state"], unique=False)
    op.create_table(
        "worker_role",
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("panel_id", sa.Uuid(), nullable=True),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "role IN ('practitioner', 'coordinator', 'chair', 'panel_member', 'manager', 'budget_holder', 'allocation_member', 'commissioner', 'governance_lead', 'caldicott_guardian', 'safeguarding_lead', 'parents_representative', 'administrator')",
            name=op.f("ck_worker_role_role"),
        ),
        sa.ForeignKeyConstraint(
            ["worker_id"], ["worker.id"], name=op.f("fk_worker_role_worker_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker_role")),
    )
    op.create_index("ix_worker_role_panel", "worker_role", ["panel_id", "role"], unique=False)
    op.create_index(op.f("ix_worker_role_worker_id"), "worker_role", ["worker_id"], unique=False)
    op.create_table(
        "action",
        sa.Column("plan_id", sa.Uuid(), nullable=True),
        sa.Column("outcome_id", sa.Uuid(), nullable=True),
        sa.Column("meeting_id", sa.Uuid(), nullable=True),
        sa.Column("owner_worker_id", sa.Uuid(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=True),
        sa.Column("owner_words", sa.LargeBinary(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("done_on", sa.Date(), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('to_do', 'doing', 'done', 'dropped')", name=op.f("ck_action_state")
        ),
        sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f("fk_action_child_id")),
        sa.ForeignKeyConstraint(
            ["outcome_id"], ["desired_outcome.id"], name=op.f("fk_action_outcome_id")
        ),
        sa.ForeignKeyConstraint(
            ["owner_worker_id"], ["worker.id"], name=op.f("fk_action_owner_worker_id")
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_action_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action")),
    )
    op.create_index(op.f("ix_action_child_id"), "action", ["child_id"], unique=False)
    op.create_index(
        "ix_action_owner", "action", ["owner_worker_id", "state", "due_on"], unique=False
    )
    op.create_index(op.f("ix_action_plan_id"), "action", ["plan_id"], unique=False)
    op.create_table(
        "document_content",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.id"], name=op.f("fk_document_content_child_id")
        ),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_document_content_document_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_content")),
        sa.UniqueConstraint("document_id", name=op.f("uq_document_content_document_id")),
    )
    op.create_index(
        op.f("ix_document_content_child_id"), "document_content", ["child_id"], unique=False
    )
    op.create_table(
        "guest_link",
        sa.Column("agenda_item_id", sa.Uuid(), nullable=False),
        sa.Column("agency_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("wrong_codes", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("question", sa.LargeBinary(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_guest_link_agency_id")),
        sa.ForeignKeyConstraint(
            ["agenda_item_id"], ["agenda_item.id"], name=op.f("fk_guest_link_agenda_item_id")
        ),
        sa.ForeignKeyConstraint(["child_id"], ["child.id"], name=op.f("fk_guest_link_child_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guest_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_guest_link_token_hash")),
    )
    op.create_index(
        op.f("ix_guest_link_agenda_item_id"), "guest_link", ["agenda_item_id"], unique=False
    )
    op.create_index(op.f("ix_guest_link_child_id"), "guest_link", ["child_id"], unique=False)
    op.create_table(
        "outcome_progress",
        sa.Column("outcome_id", sa.Uuid(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.id"], name=op.f("fk_outcome_progress_child_id")
        ),
        sa.ForeignKeyConstraint(
            ["outcome_id"], ["desired_outcome.id"], name=op.f("fk_outcome_progress_outcome_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outcome_progress")),
    )
    op.create_index(
        op.f("ix_outcome_progress_child_id"), "outcome_progress", ["child_id"], unique=False
    )
    op.create_index(
        op.f("ix_outcome_progress_outcome_id"), "outcome_progress", ["outcome_id"], unique=False
    )
    op.create_table(
        "section_answer",
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("section_key", sa.Text(), nullable=False),
        sa.Column("author_agency_id", sa.Uuid(), nullable=True),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answers", sa.LargeBinary(), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "category IN ('identity', 'contact', 'network', 'health', 'development', 'education', 'social_care', 'family', 'finance', 'views', 'plan', 'panel', 'safeguarding')",
            name=op.f("ck_section_answer_category"),
        ),
        sa.CheckConstraint(
            "state IN ('not_started', 'looked_at', 'complete')",
            name=op.f("ck_section_answer_state"),
        ),
        sa.ForeignKeyConstraint(
            ["assessment_id"], ["assessment.id"], name=op.f("fk_section_answer_assessment_id")
        ),
        sa.ForeignKeyConstraint(
            ["author_agency_id"], ["agency.id"], name=op.f("fk_section_answer_author_agency_id")
        ),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.id"], name=op.f("fk_section_answer_child_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_section_answer")),
        sa.UniqueConstraint(
            "assessment_id", "section_key", name=op.f("uq_section_answer_assessment_id_section_key")
        ),
    )
    op.create_index(
        op.f("ix_section_answer_assessment_id"), "section_answer", ["assessment_id"], unique=False
    )
    op.create_index(
        op.f("ix_section_answer_child_id"), "section_answer", ["child_id"], unique=False
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_index(op.f("ix_section_answer_child_id"), table_name="section_answer")
    op.drop_index(op.f("ix_section_answer_assessment_id"), table_name="section_answer")
    op.drop_table("section_answer")
    op.drop_index(op.f("ix_outcome_progress_outcome_id"), table_name="outcome_progress")
    op.drop_index(op.f("ix_outcome_progress_child_id"), table_name="outcome_progress")
    op.drop_table("outcome_progress")
    op.drop_index(op.f("ix_guest_link_child_id"), table_name="guest_link")
    op.drop_index(op.f("ix_guest_link_agenda_item_id"), table_name="guest_link")
    op.drop_table("guest_link")
    op.drop_index(op.f("ix_document_content_child_id"), table_name="document_content")
    op.drop_table("document_content")
    op.drop_index(op.f("ix_action_plan_id"), table_name="action")
    op.drop_index("ix_action_owner", table_name="action")
    op.drop_index(op.f("ix_action_child_id"), table_name="action")
    op.drop_table("action")
    op.drop_index(op.f("ix_worker_role_worker_id"), table_name="worker_role")
    op.drop_index("ix_worker_role_panel", table_name="worker_role")
    op.drop_table("worker_role")
    op.drop_index("ix_referral_panel", table_name="referral")
    op.drop_index(op.f("ix_referral_child_id"), table_name="referral")
    op.drop_table("referral")
    op.drop_table("pack_opened")
    op.drop_index(op.f("ix_level_of_need_child_id"), table_name="level_of_need")
    op.drop_table("level_of_need")
    op.drop_index(
        "uq_lead_professional_one_now",
        table_name="lead_professional",
        postgresql_where="state = 'accepted'",
    )
    op.drop_index("ix_lead_professional_worker", table_name="lead_professional")
    op.drop_index(op.f("ix_lead_professional_child_id"), table_name="lead_professional")
    op.drop_table("lead_professional")
    op.drop_index("ix_involvement_worker", table_name="involvement")
    op.drop_index(op.f("ix_involvement_child_id"), table_name="involvement")
    op.drop_index(op.f("ix_involvement_agency_id"), table_name="involvement")
    op.drop_table("involvement")
    op.drop_index(op.f("ix_family_words_meeting_id"), table_name="family_words")
    op.drop_index(op.f("ix_family_words_child_id"), table_name="family_words")
    op.drop_table("family_words")
    op.drop_index(op.f("ix_document_child_id"), table_name="document")
    op.drop_table("document")
    op.drop_index(op.f("ix_discussion_meeting_id"), table_name="discussion")
    op.drop_index(op.f("ix_discussion_child_id"), table_name="discussion")
    op.drop_table("discussion")
    op.drop_index(op.f("ix_desired_outcome_plan_id"), table_name="desired_outcome")
    op.drop_index(op.f("ix_desired_outcome_child_id"), table_name="desired_outcome")
    op.drop_table("desired_outcome")
    op.drop_index("ix_assessment_current", table_name="assessment")
    op.drop_index(op.f("ix_assessment_child_id"), table_name="assessment")
    op.drop_table("assessment")
    op.drop_index(op.f("ix_asked_child_id"), table_name="asked")
    op.drop_table("asked")
    op.drop_index(op.f("ix_agenda_item_meeting_id"), table_name="agenda_item")
    op.drop_index(op.f("ix_agenda_item_child_id"), table_name="agenda_item")
    op.drop_table("agenda_item")
    op.drop_index(op.f("ix_access_request_child_id"), table_name="access_request")
    op.drop_table("access_request")
    op.drop_index(op.f("ix_worker_agency_id"), table_name="worker")
    op.drop_table("worker")
    op.drop_index(op.f("ix_significant_event_child_id"), table_name="significant_event")
    op.drop_table("significant_event")
    op.drop_index(op.f("ix_sharing_restriction_child_id"), table_name="sharing_restriction")
    op.drop_table("sharing_restriction")
    op.drop_index(op.f("ix_sharing_override_child_id"), table_name="sharing_override")
    op.drop_table("sharing_override")
    op.drop_index(op.f("ix_sharing_order_child_id"), table_name="sharing_order")
    op.drop_table("sharing_order")
    op.drop_index(op.f("ix_sharing_objection_child_id"), table_name="sharing_objection")
    op.drop_table("sharing_objection")
    op.drop_index(op.f("ix_sharing_enquiry_child_id"), table_name="sharing_enquiry")
    op.drop_table("sharing_enquiry")
    op.drop_index(op.f("ix_sharing_agreement_child_id"), table_name="sharing_agreement")
    op.drop_table("sharing_agreement")
    op.drop_index(op.f("ix_plan_child_id"), table_name="plan")
    op.drop_table("plan")
    op.drop_table("panel_agency")
    op.drop_index("ix_meeting_day", table_name="meeting")
    op.drop_table("meeting")
    op.drop_index(op.f("ix_family_link_family_member_id"), table_name="family_link")
    op.drop_index(op.f("ix_family_link_child_id"), table_name="family_link")
    op.drop_table("family_link")
    op.drop_index(op.f("ix_episode_child_id"), table_name="episode")
    op.drop_table("episode")
    op.drop_index("ix_child_index_token", table_name="child_index")
    op.drop_table("child_index")
    op.drop_index(op.f("ix_web_session_viewer_id"), table_name="web_session")
    op.drop_table("web_session")
    op.drop_table("term")
    op.drop_table("sign_in_link")
    op.drop_index(op.f("ix_setting_key"), table_name="setting")
    op.drop_table("setting")
    op.drop_table("possible_duplicate")
    op.drop_table("panel")
    op.drop_index(
        "ix_outbox_message_waiting", table_name="outbox_message", postgresql_where="sent_at IS NULL"
    )
    op.drop_index(op.f("ix_outbox_message_to_viewer_id"), table_name="outbox_message")
    op.drop_table("outbox_message")
    op.drop_table("job_run")
    op.drop_table("gateway")
    op.drop_index(op.f("ix_form_post_at"), table_name="form_post")
    op.drop_table("form_post")
    op.drop_table("form")
    op.drop_table("family_member")
    op.drop_table("demo_persona")
    op.drop_table("data_key")
    op.drop_table("closed_day")
    op.drop_index("ix_child_access_viewer", table_name="child_access")
    op.drop_table("child_access")
    op.drop_index("ix_child_birth_date", table_name="child")
    op.drop_table("child")
    op.drop_table("area")
    op.drop_table("agency")
    op.drop_index(op.f("ix_access_event_viewer_id"), table_name="access_event")
    op.drop_index(op.f("ix_access_event_child_id"), table_name="access_event")
    op.drop_table("access_event")
