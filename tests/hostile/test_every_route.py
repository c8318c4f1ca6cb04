"""Every address of the site, with ids that are there, ids of others and ids of nobody."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import httpx
import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from sqlalchemy import text

from panel.platform.ids import new_id
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from tests.hostile.conftest import As, Client, is_plain

pytestmark = [pytest.mark.database, pytest.mark.crawl]

TABLES = {
    "link_id": "family_link", "involvement_id": "involvement", "assessment_id": "assessment",
    "document_id": "document", "cover_id": "lead_cover", "offer_id": "lead_professional", "referral_id": "referral",
    "plan_id": "plan", "action_id": "action", "line_id": "action", "outcome_id": "desired_outcome",
    "agreed_id": "plan_version",
    "agreement_id": "sharing_agreement", "note_id": "family_note", "delivery_id": "note_delivery",
    "answer_id": "note_answer", "incident_id": "incident", "entry_id": "discussion",
    "said_id": "discussion", "objection_id": "sharing_objection", "request_id": "access_request",
    "restriction_id": "sharing_restriction",
    "order_id": "sharing_order", "override_id": "sharing_override",
    "enquiry_id": "sharing_enquiry", "former_id": "former_identity",
    "waiting_id": "order_to_confirm", "right_id": "right_request", "file_id": "access_file",
    "mark_id": "redaction", "correction_id": "correction", "hold_id": "legal_hold",
    "item_id": "disposal_line", "package_id": "package", "grant_id": "inclusion_grant",
    "need_id": "service_request", "appeal_id": "appeal",
    "copy_id": "letter_copy", "letter_id": "decision_letter", "unmet_id": "unmet_need",
    "wait_id": "waiting", "place_id": "place_offer", "decision_id": "request_decision",
    "offered_id": "proposal", "pair_id": "list_link", "transition_id": "transition", "meeting_id": "impact_meeting", "invitation_id": "impact_invitation",
    "view_id": "impact_view", "decided_id": "impact_decision", "minutes_id": "impact_minutes",
    "survey_id": "survey", "audit_id": "quality_audit",
}  # fmt: skip
"""Which table a part of an address names a row of."""
PLAIN = {"slug": "health", "key": "contacts", "token": "nonsense", "persona": "nobody"}
PART = re.compile(r"\{(\w+):(\w+)\}")
FORM_ID = re.compile(r'(name="_form_id" value=)"[^"]*"')
EXPECTED = {200, 303, 307, 400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 429}


@dataclass(frozen=True)
class Ids:
    """A child and what belongs to it, as far as there is any; nobody's ids for the rest."""

    child: UUID
    rows: dict[str, UUID]
    day: date

    def fill(self, path: str) -> str:
        """An address of a route, for this child."""

        def part(found: re.Match[str]) -> str:
            name, kind = found.groups()
            if name == "child_id":
                return str(self.child)
            if kind == "uuid":
                return str(self.rows.get(name) or new_id())
            if kind == "int":
                return "0"
            return self.day.isoformat() if kind == "date" else PLAIN.get(name, "nonsense")

        return PART.sub(part, path)


def nobody(day: date) -> Ids:
    return Ids(new_id(), {}, day)


async def ids_of(tenant: Tenant, child: UUID) -> Ids:
    async with tenant.transaction(JOB) as session:
        rows = {}
        for name, table in TABLES.items():
            query = text(f"SELECT id FROM {table} WHERE child_id = :c ORDER BY id LIMIT 1")
            if (row := (await session.execute(query, {"c": child})).scalar()) is not None:
                rows[name] = row
        query = text("SELECT worker_id, id FROM worker_role WHERE role = 'practitioner' LIMIT 1")
        rows["worker_id"], rows["role_id"] = (await session.execute(query)).one()
        query = text("SELECT provider_id, id FROM service ORDER BY id LIMIT 1")
        rows["provider_id"], rows["service_id"] = (await session.execute(query)).one()
        query = text("SELECT id FROM outside_condition ORDER BY id LIMIT 1")
        rows["condition_id"] = (await session.execute(query)).scalar_one()
        query = text("SELECT external_id FROM service ORDER BY id LIMIT 1")
        rows["public_id"] = (await session.execute(query)).scalar_one()
        query = text("SELECT id FROM form ORDER BY id LIMIT 1")
        rows["form_id"] = (await session.execute(query)).scalar_one()
        day = (
            await session.execute(text("SELECT max(held_on) FROM meeting WHERE state = 'held'"))
        ).scalar_one()
        return Ids(child, rows, day)


async def a_child(tenant: Tenant, persona: str, *, reached: bool) -> UUID:
    """A child with much on record whom a persona can reach, or cannot."""
    async with tenant.transaction(JOB) as session:
        viewer = (
            await session.execute(
                text("SELECT viewer_id FROM demo_persona WHERE key = :key"), {"key": persona}
            )
        ).scalar_one()
    async with tenant.transaction(viewer) as session:
        seen = set((await session.execute(text("SELECT child_id FROM child_access"))).scalars())
    async with tenant.transaction(JOB) as session:
        every = (
            await session.execute(
                text(
                    "SELECT c.id FROM child c ORDER BY"
                    " (SELECT count(*) FROM action a WHERE a.child_id = c.id) DESC,"
                    " (SELECT count(*) FROM discussion d WHERE d.child_id = c.id) DESC, c.id"
                )
            )
        ).scalars()
        found = [one for one in every if (one in seen) is reached]
        assert found, f"{persona} reaches {len(seen)} children: there is none to try"
        return found[0]


def handlers(app: Litestar, method: str) -> Iterator[str]:
    """The addresses that take a method."""
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if isinstance(handler, HTTPRouteHandler) and method in handler.http_methods:
                yield from handler.paths


def get_paths(app: Litestar) -> list[str]:
    return sorted({one for one in handlers(app, "GET") if not one.startswith("/api/schema")})


def post_paths(app: Litestar) -> list[str]:
    return sorted(set(handlers(app, "POST")) - {"/sign-out"})


def same(answer: httpx.Response) -> tuple[int, str, str]:
    """What of an answer must not differ: all but the time and the ids of new forms."""
    return (
        answer.status_code,
        answer.headers.get("content-type", ""),
        FORM_ID.sub(r"\1", answer.text),
    )


def check(answer: httpx.Response, where: str) -> None:
    assert answer.status_code in EXPECTED, f"{where}: {answer.status_code}"
    assert is_plain(answer), f"{where} tells an inside: {answer.text[:500]}"
    assert answer.headers.get("x-content-type-options") == "nosniff", f"{where}: {answer.headers}"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], where


PERSONAS = ("coordinator", "lead-health", "manager", "commissioner", "governance", "parent-1")
REACH_NOBODY = ("commissioner", "governance")


@pytest.mark.parametrize("persona", PERSONAS)
async def test_every_page_answers_and_tells_a_stranger_nothing(
    app: Litestar, tenant: Tenant, signed_in_as: As, persona: str
) -> None:
    async with signed_in_as(persona) as browser:
        foreign = await ids_of(tenant, await a_child(tenant, persona, reached=False))
        unknown = nobody(foreign.day)
        own = None
        if persona not in REACH_NOBODY:
            own = await ids_of(tenant, await a_child(tenant, persona, reached=True))
        seen = 0
        for path in get_paths(app):
            if path.startswith("/demo/"):
                continue
            answer = await browser.get((own or unknown).fill(path), follow_redirects=False)
            check(answer, f"GET {path} as {persona}")
            seen += answer.status_code == 200
            if "{child_id" not in path and "{offer_id" not in path:
                continue
            theirs = await browser.get(foreign.fill(path), follow_redirects=False)
            nobodys = await browser.get(unknown.fill(path), follow_redirects=False)
            check(theirs, f"GET {path} as {persona}")
            assert same(theirs) == same(nobodys), f"{path} tells {persona} that a child is there"
            assert theirs.status_code in (303, 403, 404), f"{path}: {theirs.status_code}"
            if own is not None and path.count("{") > 1:
                mixed = Ids(own.child, foreign.rows, own.day)
                part = await browser.get(mixed.fill(path), follow_redirects=False)
                none = await browser.get(
                    Ids(own.child, {}, own.day).fill(path), follow_redirects=False
                )
                assert same(part) == same(none), f"{path} mixes two children"
        assert seen >= {"coordinator": 25, "lead-health": 20, "governance": 6}.get(persona, 0), seen


GARBAGE = {
    "name": "x", "text": "\u202e<script>", "version": "99", "on-day": "31", "on-month": "2",
    "on-year": "20x6", "unknown": "y", "category": "health", "reason": "'; DROP TABLE child; --",
}  # fmt: skip


@pytest.mark.parametrize("persona", ["coordinator", "lead-health"])
async def test_every_form_refuses_rubbish_plainly(
    app: Litestar, tenant: Tenant, signed_in_as: As, persona: str
) -> None:
    async with signed_in_as(persona) as browser:
        token = await csrf(browser)
        own = await ids_of(tenant, await a_child(tenant, persona, reached=True))
        foreign = await ids_of(tenant, await a_child(tenant, persona, reached=False))
        unknown = nobody(foreign.day)
        before = await fingerprint(tenant)
        for path in post_paths(app):
            where = f"POST {path} as {persona}"
            filled = own.fill(path)
            unsigned = await browser.post(filled, data=GARBAGE, follow_redirects=False)
            check(unsigned, f"{where} without a token")
            if not path.startswith("/guest/"):  # a guest's token is in the address alone
                assert unsigned.status_code in (401, 403, 404, 410), where
            boundless = await browser.post(
                filled,
                content=b"--x\r\nContent-Disposition: form-data; name=",
                headers={"Content-Type": "multipart/form-data"},
            )
            check(boundless, f"{where} with half a form")
            for kind in ("application/json", "text/plain", "multipart/form-data; boundary=y"):
                other = await browser.post(
                    filled, content=b'{"name": [', headers={"Content-Type": kind}
                )
                check(other, f"{where} as {kind}")
            if "{child_id" in path:
                form = GARBAGE | {"_csrf_token": token}
                theirs = await browser.post(foreign.fill(path), data=form, follow_redirects=False)
                nobodys = await browser.post(unknown.fill(path), data=form, follow_redirects=False)
                check(theirs, f"{where} of a stranger")
                assert same(theirs) == same(nobodys), f"{where} tells that a child is there"
                assert theirs.status_code >= 400, where
        assert await fingerprint(tenant) == before, "something was written"
        for path in post_paths(app):
            form = GARBAGE | {"_csrf_token": token}
            answer = await browser.post(own.fill(path), data=form, follow_redirects=False)
            check(answer, f"POST {path} as {persona} with rubbish")


async def csrf(browser: Client) -> str:
    page = await browser.get("/")
    found = re.search(r'name="_csrf_token" value="([^"]*)"', page.text)
    assert found is not None
    return found[1]


async def fingerprint(tenant: Tenant) -> dict[str, int]:
    """How many rows there are, and when anything was last changed."""
    async with tenant.transaction(JOB) as session:
        names = (
            await session.execute(
                text(
                    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace ="
                    " 'authority_testshire'::regnamespace ORDER BY 1"
                )
            )
        ).scalars().all()  # fmt: skip
        counted = {}
        for name in names:
            if name in ("access_event", "child_access", "web_session", "sign_in_entry"):
                continue
            # A link that signs nobody in is an attempt, and that is written down.
            where = "WHERE kind <> 'session.refused'" if name == "audit_event" else ""
            rows = await session.execute(
                text(f"SELECT count(*), sum(hashtext(t::text)) FROM {name} t {where}")
            )
            counted[name] = hash(tuple(rows.one()))
        return counted
