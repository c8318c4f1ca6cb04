"""The children with whom a panel works: a Group for each panel, with those whom a client may know.

A child stands in it from the referral to the panel until that is closed. That a child is before a
panel is of the category `panel`, and of the agency that referred; who it is, is of `identity`.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from consent import Category
from interop import systems
from interop.messages import Message, PanelChildren
from panel.exchange.columns import Code, Identifier, Refers
from panel.exchange.permitted import may
from panel.exchange.source import GroupSource, Line, author, plain
from panel.platform.read_models import sql
from panel.records.gate import Access


class Member(msgspec.Struct):
    """One child of a panel, and whose record it is that they are."""

    child_id: UUID
    agency_id: UUID
    author: UUID | None
    is_open: bool
    at: datetime


class PanelRow(Line):
    """A panel with the children of whom the viewer's agency is told something."""

    key: str
    name: str
    members: tuple[Member, ...]


def _is_told(one: Member, access: Access | None) -> bool:
    return (
        access is not None
        and access.may(Category.PANEL, one.agency_id)
        and access.may(Category.IDENTITY, one.author)
    )


def _panel(row: PanelRow, opened: Mapping[UUID, Access]) -> Message | None:
    told = [one for one in row.members if _is_told(one, opened.get(one.child_id))]
    children = sorted({one.child_id for one in told if one.is_open})
    if not children:
        return None
    return PanelChildren(
        id=str(row.id),
        changed_at=max(one.at for one in told),
        key=row.key,
        name=row.name,
        children=tuple(str(one) for one in children),
    )


_OF_PANEL = "FROM referral f JOIN child c ON c.id = f.child_id WHERE f.panel_id = r.id"
_MAY = " AND ".join(
    (may("f.child_id", "'panel'", "f.agency_id"), may("c.id", "'identity'", author("c.created_by")))
)
_OPEN = "f.state <> 'closed'"
# When a child came or went: what else is written in a referral is not told, nor that it is.
_AT = "(CASE WHEN f.state = 'closed' THEN f.changed_at ELSE f.created_at END)"

GROUP = GroupSource(
    resource="Group",
    about=frozenset({Category.PANEL, Category.IDENTITY}),
    line=PanelRow,
    rows="panel r",
    where=sql("EXISTS (SELECT {members} AND {open})", members=_OF_PANEL, open=_OPEN),
    changed=sql("(SELECT max({at}) {members})", at=_AT, members=_OF_PANEL),
    changed_as_told=sql(
        "(SELECT max({at}) {members} AND {may})", at=_AT, members=_OF_PANEL, may=_MAY
    ),
    fields=plain("key", "name")
    + sql(
        """, 'members', (SELECT json_agg(json_build_object('child_id', c.id,
    'agency_id', f.agency_id, 'author', {author}, 'is_open', {open}, 'at', {at})
    ORDER BY c.id) {members})""",
        author=author("c.created_by"),
        open=_OPEN,
        at=_AT,
        members=_OF_PANEL,
    ),
    may_be_told=sql(
        "EXISTS (SELECT {members} AND {open} AND {may})", members=_OF_PANEL, open=_OPEN, may=_MAY
    ),
    members=sql(
        "SELECT DISTINCT c.id FROM panel r, LATERAL (SELECT c.id {members} AND {open} AND {may}) c"
        " WHERE r.id = ANY(:ids)",
        members=_OF_PANEL,
        open=_OPEN,
        may=_MAY,
    ),
    reached="SELECT DISTINCT f.child_id FROM referral f WHERE f.panel_id = ANY(:ids)",
    columns={
        "identifier": Identifier(
            of=((systems.PANEL_KEY, "r.key = ANY({values})"),), missing="false"
        ),
        "type": Code("'person'", systems.GROUP_TYPE),
        "actual": Code("'true'"),
        "member": Refers(
            sql(
                "EXISTS (SELECT {members} AND {open} AND {may} AND c.id = ANY({{ids}}))",
                members=_OF_PANEL,
                open=_OPEN,
                may=_MAY,
            ),
            "false",
        ),
    },
    message=_panel,
)
