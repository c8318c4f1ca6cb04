"""`panel access explain` says the decision, its basis, its reasons and its law, for whoever looks."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from consent import Category, RestrictionKind
from panel.cli import commands
from panel.exchange.models import ExchangeClient
from panel.platform.tenancy import Tenant, load_keys
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, rewrite_access
from panel.register.models import FamilyMember
from panel.sharing.models import SharingRestriction
from panel.sharing.systems import SYSTEM
from tests.sharing.family import TODAY, Family, agreed, record

Explain = Callable[..., Awaitable[Result]]
KEYS = {
    "child", "viewer", "category", "purpose", "decision", "permitted", "basis", "reasons", "since",
    "until", "obligations", "lawful", "ties", "silent",
}  # fmt: skip


@pytest.fixture
def explain(for_commands: dict[str, str | None]) -> Explain:
    """Ask it of the child of these tests."""

    async def asked(viewer: str, category: str, *more: str, purpose: str = "support") -> Result:
        words = [
            "access", "explain", "--child", "C-1001", "--viewer", viewer, "--category", category,
            "--purpose", purpose, "--as-of", TODAY.isoformat(), *more,
        ]  # fmt: skip
        return await asyncio.to_thread(CliRunner().invoke, commands, words, env=for_commands)

    return asked


async def has_email(tenant: Tenant, person: Any, email: str) -> None:
    async with tenant.transaction(JOB) as session:
        await load_keys(session, {person})
        (await session.get_one(FamilyMember, person)).email = email


async def told(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.output)
    assert found.keys() == KEYS
    return found


async def test_a_permission_with_its_law(explain: Explain, gate: Gate, family: Family) -> None:
    await record(gate, family, agreed(family))
    found = await told(await explain("tom@demo.example", "health", "--json"))
    assert found["decision"] == "permit"
    assert found["basis"] == "agreement"
    assert found["until"] == "2027-11-22"
    assert found["viewer"]["kind"] == "worker"
    law = found["lawful"]
    assert law["article6"] == "6(1)(e)"
    assert law["article9"] in {"9(2)(g)", "9(2)(h)"}
    assert law["confidence"] == "agreement"
    assert law["under"] == []
    assert law["words"].startswith("Public task (UK GDPR Article 6(1)(e)); special data for ")
    contact = await told(await explain("tom@demo.example", "contact", "--json"))
    assert contact["lawful"]["article9"] is None
    plain = (await explain("tom@demo.example", "health")).output
    assert plain.startswith("Permitted\n  Basis: agreement\n")
    assert "  Until: 22 November 2027\n" in plain
    assert f"  Law: {law['words']}\n" in plain


async def test_what_is_withheld_has_no_law(explain: Explain, family: Family) -> None:
    found = await told(await explain("tom@demo.example", "health", "--json"))
    assert (found["decision"], found["basis"], found["lawful"]) == ("withhold", "nothing", None)
    plain = (await explain("tom@demo.example", "health")).output
    assert plain.startswith("Withheld\n  Basis: nothing\n")
    assert "Law:" not in plain


async def test_somebody_of_the_family_is_named_by_their_address(
    explain: Explain, tenant: Tenant, family: Family
) -> None:
    await has_email(tenant, family.mother, "ada@home.example")
    found = await told(await explain(" ADA@home.example", "plan", "--json"))
    assert found["viewer"] == {
        "name": "Ada Kestrel", "email": " ADA@home.example", "agency": "", "kind": "family",
    }  # fmt: skip
    assert (found["decision"], found["basis"]) == ("permit", "own_record")
    assert found["obligations"] == ["redact_third_parties"]
    assert found["lawful"]["confidence"] == "own"
    await has_email(tenant, family.grandmother, "cora@home.example")
    other = await told(await explain("cora@home.example", "plan", "--json"))
    assert other["decision"] == "withhold"
    async with tenant.transaction(JOB) as session:
        session.add(
            SharingRestriction(
                child_id=family.child,
                kind=RestrictionKind.PROTECTION.value,
                categories=[Category.CONTACT],
                against=[family.mother],
                from_on=TODAY,
                silent=True,
                by_words="",
            )
        )
        await session.execute(text("SELECT rewrite_child_access(:c)"), {"c": family.child})
    kept = await told(await explain("ada@home.example", "contact", "--json"))
    assert (kept["basis"], kept["silent"], kept["since"]) == ("protection", True, None)
    assert "Silent" in (await explain("ada@home.example", "contact")).output


async def test_an_address_that_names_nobody_or_two_is_refused_in_a_line(
    explain: Explain, tenant: Tenant, family: Family
) -> None:
    for person in (family.mother, family.father):
        await has_email(tenant, person, "home@home.example")
    for viewer, said in (
        ("home@home.example", "Two people in this child's family have this e-mail address"),
        ("nobody@home.example", "There is no worker, and nobody in this child's family"),
    ):
        result = await explain(viewer, "plan")
        assert result.exit_code == 1
        assert said in result.output
        assert "Traceback" not in result.output


async def test_a_system_of_an_agency_is_named_by_its_key(
    explain: Explain, gate: Gate, tenant: Tenant, family: Family
) -> None:
    async with tenant.transaction(JOB) as session:
        session.add(
            ExchangeClient(
                key="school-system",
                name="Register",
                agency_id=family.school,
                scopes=[],
                purposes=["exchange"],
                jwks={"keys": []},
                from_on=TODAY,
            )
        )
        await session.flush()
        await rewrite_access(session, family.child)
    await record(gate, family, agreed(family))
    asked = ("school-system", "health", "--json")
    found = await told(await explain(*asked, purpose="exchange"))
    assert (found["decision"], found["ties"]) == ("withhold", ["client"]), "agreed for its people"
    await record(gate, family, agreed(family, purposes=SYSTEM))
    found = await told(await explain(*asked, purpose="exchange"))
    assert (found["decision"], found["basis"]) == ("permit", "agreement")
    assert found["viewer"]["kind"] == "client"
    unknown = await explain("no-such-system", "health", purpose="exchange")
    assert unknown.exit_code == 1
