"""What a system may be told, printed at the command line."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from interop.client_tokens import SigningKey
from panel.accounts.service import add_agency
from panel.cli import commands
from panel.demo.system import AGENCY, KEY, ensure_system
from panel.exchange import writing_out
from panel.exchange.standing import client_by_key
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from tests.exchange.telling import another_child, plan_of, system_of, task_of
from tests.sharing.family import Family


async def run(environment: dict[str, str | None], *given: str) -> Result:
    asked: Sequence[str] = ("fhir", "export", "--as-of", "2026-11-23", *given)
    runner = CliRunner(env=environment)
    return await asyncio.to_thread(runner.invoke, commands, asked)


async def test_it_prints_what_the_system_may_be_told_and_no_more(
    tenant: Tenant,
    family: Family,
    for_commands: dict[str, str | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writing_out, "A_TIME", 2)
    await system_of(tenant, family.health, "gp")
    await system_of(tenant, family.health, "plans", None, "system/Patient.rs system/CarePlan.rs")
    async with tenant.transaction(JOB) as session:
        for number in (1, 2, 3):
            child = await another_child(session, family, number)
            plan = await plan_of(session, child, family.health)
            await task_of(session, child, plan)
    whole = await run(for_commands, "--all", "--client", "gp")
    assert whole.exit_code == 0, whole.output
    told = [msgspec.json.decode(line) for line in whole.stdout_bytes.splitlines()]
    kinds = [one["resourceType"] for one in told]
    # Freya's plan is not agreed to; that health works with her, who she is, its system may know.
    assert kinds.count("Task") == kinds.count("CarePlan") == 3
    names = [(one["resourceType"], one["id"]) for one in told]
    assert len(names) == len(set(names)), "What is shared comes once."
    one = await run(for_commands, "--child", "C-2001", "--client", "plans")
    assert one.exit_code == 0, one.output
    bundle = msgspec.json.decode(one.stdout_bytes)
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "collection")
    assert {each["resource"]["resourceType"] for each in bundle["entry"]} == {"Patient", "CarePlan"}
    async with tenant.transaction(JOB) as session:
        looks = await session.scalars(text("SELECT DISTINCT doing FROM access_event"))
        assert "sent the record to The plans" in set(looks)


async def test_what_it_cannot_do_it_says_in_a_line(
    tenant: Tenant, family: Family, for_commands: dict[str, str | None]
) -> None:
    await system_of(tenant, family.school, "school")
    for given, said in (
        (("--all", "--client", "nobody"), "There is no system of the key nobody"),
        (("--child", "C-9", "--client", "school"), "may not be told of a child C-9"),
        (("--client", "school"), "Say either"),
        (("--all", "--child", "C-1001", "--client", "school"), "Say either"),
    ):
        refused = await run(for_commands, *given)
        assert refused.exit_code != 0
        assert said in refused.output


async def test_the_demonstration_has_a_system_with_its_key_in_the_folder(
    tenant: Tenant, tmp_path: Path
) -> None:
    assert await ensure_system(tenant, tmp_path) is None
    async with tenant.transaction(JOB) as session:
        await add_agency(session, key=AGENCY, name="Community Paediatrics", kind="health")
    file = await ensure_system(tenant, tmp_path)
    assert file is not None
    assert file.stat().st_mode & 0o077 == 0
    first = SigningKey.from_jwk(msgspec.json.decode(file.read_bytes()))
    assert await ensure_system(tenant, tmp_path) == file
    assert SigningKey.from_jwk(msgspec.json.decode(file.read_bytes())).public() == first.public()
    async with tenant.transaction(JOB) as session:
        client = await client_by_key(session, KEY)
    assert client is not None
    assert client.scopes.permits("CarePlan", "r")
    assert not client.scopes.permits("CarePlan", "c")
    file.unlink()
    assert await ensure_system(tenant, tmp_path) == file
