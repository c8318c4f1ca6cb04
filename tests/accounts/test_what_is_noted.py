"""Signing in, being refused and changing how one signs in are written down, without a name."""

import psycopg

from panel.platform.cluster import Cluster
from tests.accounts.signing_in import (
    PASSWORD,
    Browse,
    Person,
    browse,
    fill,
    first_step,
    passwords,
    rosa,
    second_step,
    sign_in,
)

__all__ = ["browse", "passwords", "rosa"]


def events(database: Cluster) -> list[tuple[str, str, bool, str]]:
    """Kind, who did it, whether it is about an account, and what else is told; in their order."""
    assert database.owner_url is not None
    with psycopg.connect(database.owner_url) as connection:
        return connection.execute(
            "SELECT kind, actor_kind, subject_id IS NOT NULL, details::text"
            " FROM authority_testshire.audit_event WHERE kind NOT LIKE 'role.%' ORDER BY id"
        ).fetchall()


def agencies_of_workers(database: Cluster) -> set[str | None]:
    """Of which agencies those are who did it, where they are workers."""
    assert database.owner_url is not None
    with psycopg.connect(database.owner_url) as connection:
        connection.execute("SET search_path = authority_testshire")
        found = connection.execute(
            "SELECT DISTINCT a.key FROM audit_event e LEFT JOIN agency a ON a.id = e.agency_id"
            " WHERE e.actor_kind = 'worker'"
        )
        return {row[0] for row in found}


async def test_each_step_is_written_down(
    browse: Browse, rosa: Person, database_of_own: Cluster
) -> None:
    nobody = Person(rosa.tenant, rosa.clock, rosa.id, "nobody@hv.example")
    async with browse() as browser:
        await first_step(browser, nobody, PASSWORD)
        await first_step(browser, rosa, "wrong wrong wrong")
        await first_step(browser, rosa)
        await second_step(browser, "000000")
        await sign_in(browser, rosa)
        await fill(browser, "/me/sign-in/recovery-codes")
        await fill(browser, "/me/sign-in", "/sign-out")
    async with browse() as browser:
        await browser.post("/sign-in/nonsense")
    found = events(database_of_own)
    assert found == [
        ("two_steps.set", "worker", True, "{}"),
        ("session.refused", "nobody", False, '{"way": "password"}'),
        ("session.refused", "nobody", True, '{"way": "password"}'),
        ("session.refused", "nobody", True, '{"way": "code"}'),
        ("session.started", "worker", True, '{"way": "two_steps"}'),
        ("recovery_codes.made", "worker", True, "{}"),
        ("session.ended", "worker", True, "{}"),
        ("session.refused", "nobody", False, '{"way": "link"}'),
    ]
    assert agencies_of_workers(database_of_own) == {"hv"}
