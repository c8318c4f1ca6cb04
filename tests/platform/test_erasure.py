"""A destroyed key stays destroyed: in other processes, and after every restore from before."""

import asyncio
import json
import resource
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from panel.accounts.service import add_agency, add_worker
from panel.cli import commands
from panel.governance.retention_models import LegalHold
from panel.governance.rights_models import RightRequest
from panel.platform.cluster import Cluster, create_database, drop_database
from panel.platform.database import Database
from panel.platform.erasure import (
    Certificate,
    DestroyedKeys,
    ListDamaged,
    NothingToDestroy,
    Order,
    apply_list,
    certificates,
    destroy,
    is_genuine,
    public_key,
)
from panel.platform.ids import new_id
from panel.platform.masterkey import master_key
from panel.platform.rotation import rotate_authority_key, rotate_data_keys, rotate_master_key
from panel.platform.sealing import seal_events
from panel.platform.tables import NOW, HolderErased
from panel.platform.tenancy import Tenant, authorities, authority_named, keyring, load_keys
from panel.records.child_scoped import JOB
from panel.register.models import Child, FamilyMember
from panel.web import assets

ORDER = Order("Caldicott guardian, disposal list 2026-14", "the job")
NAME = "Marta Kestrel"


@pytest.fixture
def destroyed(tmp_path: Path) -> DestroyedKeys:
    return DestroyedKeys(tmp_path / "destroyed")


async def write_member(tenant: Tenant, name: str = NAME) -> UUID:
    member = FamilyMember(name=name)
    async with tenant.transaction() as session:
        session.add(member)
    return member.id


async def name_of(tenant: Tenant, member: UUID) -> str:
    async with tenant.transaction(member) as session:
        await load_keys(session, {member})
        read = await session.get(FamilyMember, member)
        assert read is not None
        return read.name


async def destroy_one(tenant: Tenant, destroyed: DestroyedKeys, member: UUID) -> Certificate:
    async with tenant.transaction(JOB) as session:
        [made] = await destroy(session, tenant, destroyed, [member], ORDER)
    return made


async def kept(tenant: Tenant) -> list[Certificate]:
    async with tenant.transaction(JOB) as session:
        return await certificates(session)


async def test_a_destroyed_key_opens_nothing_and_says_so_on_a_signed_paper(
    tenant: Tenant, destroyed: DestroyedKeys
) -> None:
    member, other = await write_member(tenant), await write_member(tenant, "Ivy Copper")
    made = await destroy_one(tenant, destroyed, member)
    assert await name_of(tenant, member) == "(erased)"
    assert await name_of(tenant, other) == "Ivy Copper"
    assert await kept(tenant) == destroyed.read() == [made]
    assert is_genuine(made, public_key(tenant.ring))
    changed = Certificate(made.told | {"ordered_by": "nobody"}, made.signature)
    assert not is_genuine(changed, public_key(tenant.ring))
    for written in (made.text(), made.json()):
        assert "Kestrel" not in written
        assert str(member) in written
        assert ORDER.ordered_by in written
    with pytest.raises(NothingToDestroy, match="erased already"):
        await destroy_one(tenant, destroyed, member)
    with pytest.raises(HolderErased):
        async with tenant.transaction(member) as session:
            read = await session.get(FamilyMember, member)
            assert read is not None
            read.name = "Marta again"


async def test_an_agency_is_no_person_to_be_erased(
    tenant: Tenant, destroyed: DestroyedKeys
) -> None:
    async with tenant.transaction() as session:
        agency = await add_agency(session, key="hv", name="Health visiting", kind="health")
        await add_worker(session, agency, name="Rosa Whitlow", email="rosa@hv.example")
    member = await write_member(tenant)
    with pytest.raises(NothingToDestroy):
        async with tenant.transaction(JOB) as session:
            await destroy(session, tenant, destroyed, [agency.id, member], ORDER)
    assert destroyed.read() == []
    assert await name_of(tenant, member) == NAME


async def test_nobody_puts_a_destroyed_key_back_or_takes_a_certificate_away(
    tenant: Tenant, destroyed: DestroyedKeys, database_of_own: Cluster
) -> None:
    member = await write_member(tenant)
    with psycopg.connect(database_of_own.app_url) as connection:
        connection.execute("SET search_path = authority_testshire")
        found = connection.execute("SELECT wrapped FROM data_key").fetchone()
        assert found is not None
    await destroy_one(tenant, destroyed, member)
    with psycopg.connect(database_of_own.app_url, autocommit=True) as connection:
        connection.execute("SET search_path = authority_testshire")
        with pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute("UPDATE data_key SET wrapped = %s", [found[0]])
        for statement in (
            "DELETE FROM data_key",
            "UPDATE data_key SET holder_id = gen_random_uuid()",
            "UPDATE erasure_certificate SET signature = ''",
            "DELETE FROM erasure_certificate",
            "INSERT INTO authority_key VALUES (gen_random_uuid(), 2, '', now())",
            "INSERT INTO erasure_certificate (id) VALUES (gen_random_uuid())",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
        assert connection.execute("SELECT FROM erasure_certificate").fetchall() == []


async def test_the_list_is_written_before_the_key_is_gone(
    tenant: Tenant, destroyed: DestroyedKeys, tmp_path: Path, database_of_own: Cluster
) -> None:
    member = await write_member(tenant)
    (tmp_path / "a file").touch()
    with pytest.raises(ListDamaged, match="nothing was destroyed"):
        await destroy_one(tenant, DestroyedKeys(tmp_path / "a file"), member)
    assert await name_of(tenant, member) == NAME

    class PowerCut(Exception):
        """The transaction does not commit."""

    with pytest.raises(PowerCut):
        async with tenant.transaction(JOB) as session:
            await destroy(session, tenant, destroyed, [member], ORDER)
            raise PowerCut
    assert await name_of(tenant, member) == NAME
    # What was ordered is done at the next start, certificate and all.
    done = apply_list(database_of_own.app_url, tenant.record, tenant.ring, destroyed, JOB)
    assert (done.destroyed, done.certificates) == (1, 1)
    assert await name_of(tenant, member) == "(erased)"
    assert await kept(tenant) == destroyed.read()
    again = apply_list(database_of_own.app_url, tenant.record, tenant.ring, destroyed, JOB)
    assert (again.destroyed, again.certificates, again.listed) == (0, 0, 0)


async def test_a_list_that_was_lost_is_written_again_from_the_database(
    tenant: Tenant, destroyed: DestroyedKeys, database_of_own: Cluster
) -> None:
    made = await destroy_one(tenant, destroyed, await write_member(tenant))
    destroyed.path.unlink()
    done = apply_list(database_of_own.app_url, tenant.record, tenant.ring, destroyed, JOB)
    assert done.listed == 1
    assert destroyed.read() == [made]


async def test_a_full_disk_destroys_nothing_now_nor_by_the_list_later(
    tenant: Tenant, destroyed: DestroyedKeys
) -> None:
    await destroy_one(tenant, destroyed, await write_member(tenant))
    member, whole = await write_member(tenant), destroyed.path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with pytest.raises(ListDamaged, match="nothing was destroyed"):
        async with tenant.transaction(JOB) as session:
            resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 100, limits[1]))
            try:
                await destroy(session, tenant, destroyed, [member], ORDER)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert destroyed.path.read_bytes() == whole
    assert await name_of(tenant, member) == NAME


async def test_a_list_that_was_changed_is_refused(
    tenant: Tenant, destroyed: DestroyedKeys, database_of_own: Cluster
) -> None:
    made = [await destroy_one(tenant, destroyed, await write_member(tenant)) for _ in range(3)]
    whole = destroyed.path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for damaged in (
        lines[1] + lines[2],
        lines[0] + lines[2],
        lines[1] + lines[0] + lines[2],
        whole.replace(b"2026-14", b"2026-15"),
        b"\n" + whole,
        whole.replace(b'"chain"', b'"chains"'),
    ):
        destroyed.path.write_bytes(damaged)
        with pytest.raises(ListDamaged, match="is not what was written"):
            destroyed.read()
        with pytest.raises(ListDamaged, match="is not what was written"):
            destroyed.append(made[:1])
    # A line that a crash cut off was never committed: it is left out, and written over.
    destroyed.path.write_bytes(lines[0] + lines[1] + lines[2][:40])
    assert destroyed.read() == made[:2]
    destroyed.append(made[2:])
    assert destroyed.path.read_bytes() == whole
    # A line that somebody else signed destroys nothing.
    destroyed.path.unlink()
    forged = Certificate(made[0].told | {"holder": str(new_id())}, made[0].signature)
    destroyed.append([forged])
    with pytest.raises(ListDamaged, match="did not sign"):
        apply_list(database_of_own.app_url, tenant.record, tenant.ring, destroyed, JOB)


async def test_a_list_whose_end_was_cut_off_is_refused_and_named(
    tenant: Tenant, destroyed: DestroyedKeys, database_of_own: Cluster, data_dir: Path
) -> None:
    assets.build()
    made = [await destroy_one(tenant, destroyed, await write_member(tenant)) for _ in range(3)]
    whole = destroyed.path.read_bytes()
    lines = destroyed.lines()
    async with tenant.transaction(JOB) as session:
        found = await session.execute(
            text("SELECT details, subject_id FROM audit_event WHERE kind = 'key.destroyed'")
        )
        assert {(row.details["line"], row.details["chain"], row.subject_id) for row in found} == {
            (one.number, one.chain, one.certificate.holder) for one in lines
        }
        await seal_events(session)
    run = runner(database_of_own, data_dir, destroyed)
    assert "events are as they were sealed" in (await run("audit", "verify")).output
    for left in (0, 1, 2):
        destroyed.path.write_bytes(b"".join(whole.splitlines(keepends=True)[:left]))
        with pytest.raises(ListDamaged, match="Put the list back from its newest copy") as refused:
            apply_list(database_of_own.app_url, tenant.record, tenant.ring, destroyed, JOB)
        said = f"has {left} lines, and {3 - left} that the audit of testshire knows of are not"
        assert said in str(refused.value)
        assert f"certificate {made[2].told['id']}, which stood on line 3" in str(refused.value)
        assert len(destroyed.read()) == left, "nothing is mended unseen"
    for command in (("doctor",), ("jobs", "--once"), ("audit", "verify")):
        named = await run(*command)
        assert named.exit_code == 1
        assert f"on line 3 with the hash {lines[2].chain}" in named.output, named.output
    found = json.loads((await run("audit", "verify", "--json")).stdout)["findings"]
    assert [one["what"] for one in found] == ["list"]
    destroyed.path.write_bytes(whole)
    done = apply_list(database_of_own.app_url, tenant.record, tenant.ring, destroyed, JOB)
    assert (done.destroyed, done.certificates, done.listed) == (0, 0, 0)
    # Where there is no copy, the database has what is missing.
    destroyed.path.write_bytes(whole[: whole.index(b"\n") + 1])
    mended = await run("keys", "relist")
    assert "testshire: 2 certificates were written to the list" in mended.output
    assert destroyed.path.read_bytes() == whole
    assert (await run("audit", "verify")).exit_code == 0


async def test_the_audit_learns_of_lines_from_before_it_knew_them(
    tenant: Tenant, destroyed: DestroyedKeys, database_of_own: Cluster
) -> None:
    class PowerCut(Exception):
        """The transaction does not commit."""

    with pytest.raises(PowerCut):
        async with tenant.transaction(JOB) as session:
            await destroy(session, tenant, destroyed, [await write_member(tenant)], ORDER)
            raise PowerCut
    for _ in range(2):
        apply_list(database_of_own.app_url, tenant.record, tenant.ring, destroyed, JOB)
        async with tenant.transaction(JOB) as session:
            found = await session.scalars(
                text("SELECT details FROM audit_event WHERE kind = 'key.destroyed'")
            )
            assert list(found) == [destroyed.lines()[0].details()]
    destroyed.path.write_bytes(b"")
    with pytest.raises(ListDamaged, match="has 0 lines"):
        apply_list(database_of_own.app_url, tenant.record, tenant.ring, destroyed, JOB)


async def test_certificates_stay_genuine_after_every_rotation(
    tenant: Tenant, destroyed: DestroyedKeys, database_of_own: Cluster, data_dir: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    made = await destroy_one(tenant, destroyed, await write_member(tenant))
    owner_url = database_of_own.owner_url
    assert owner_url is not None
    master = master_key(None, data_dir / "keys" / "master.key")
    rotate_authority_key(owner_url, tenant.record, master, lambda _line: None)
    new = master_key(None, tmp_path / "new.key")
    rotate_master_key(owner_url, authorities(owner_url), master, new)
    ring = keyring(authority_named(owner_url, None), new)
    assert is_genuine(made, public_key(ring))


Run = Callable[..., Awaitable[Result]]


def runner(cluster: Cluster, data_dir: Path, destroyed: DestroyedKeys) -> Run:
    assert cluster.owner_url is not None
    environment = {
        "PANEL_DATA_DIR": str(data_dir),
        "PANEL_DATABASE_URL": cluster.app_url,
        "PANEL_OWNER_DATABASE_URL": cluster.owner_url,
        "PANEL_DESTROYED_KEYS": str(destroyed.path.parent),
    }

    async def ran(*words: str, typed: str = "") -> Result:
        return await asyncio.to_thread(
            CliRunner().invoke, commands, words, env=environment, input=typed
        )

    return ran


async def test_no_backup_brings_an_erased_record_back(
    tenant: Tenant, destroyed: DestroyedKeys, database_of_own: Cluster, cluster: Cluster,
    data_dir: Path, tmp_path: Path,
) -> None:  # fmt: skip
    """Backed up, erased, rotated, restored elsewhere: read by nobody there either."""
    member, other = await write_member(tenant), await write_member(tenant, "Ivy Copper")
    owner_url = database_of_own.owner_url
    assert owner_url is not None
    master = master_key(None, data_dir / "keys" / "master.key")
    rotate_authority_key(owner_url, tenant.record, master, lambda _line: None)
    rotate_data_keys(owner_url, tenant.record, master, lambda _line: None)
    run = runner(database_of_own, data_dir, destroyed)
    file = tmp_path / "panel.backup"
    done = await run("backup", "--out", str(file))
    assert done.exit_code == 0, done.output
    assert file.stat().st_mode & 0o077 == 0
    content = file.read_bytes()
    assert b"Kestrel" not in content
    assert (data_dir / "keys" / "master.key").read_bytes().strip() not in content
    assert "there already" in (await run("backup", "--out", str(file))).output
    refused = await run("restore", str(file))
    assert refused.exit_code == 1
    assert "nothing is overwritten" in refused.output

    made = await destroy_one(tenant, destroyed, member)
    empty = create_database(cluster, f"panel_restored_{new_id().hex[-12:]}")
    try:
        restore = runner(empty, data_dir, destroyed)
        done = await restore("restore", str(file))
        assert done.exit_code == 0, done.output
        assert "1 keys were in the file that were destroyed since" in done.output
        assert "Ready to serve: testshire" in done.output
        database = Database(empty.app_url, pool_size=1)
        record = authority_named(empty.app_url, None)
        try:
            restored = Tenant(record, database, keyring(record, master), tenant.clock)
            assert await name_of(restored, member) == "(erased)"
            assert await name_of(restored, other) == "Ivy Copper"
            assert await kept(restored) == [made]
            async with restored.transaction(JOB) as session:
                ran = await session.scalars(
                    text("SELECT details ->> 'command' FROM audit_event WHERE kind = 'command.run'")
                )
                assert list(ran) == ["backup", "restore"]
        finally:
            await database.close()
        status = await restore("keys", "status", "--json")
        assert json.loads(status.output)[0]["destroyed"] == 1
        assert "belongs to no authority" in await half_restored(empty, restore, file)
    finally:
        drop_database(cluster, empty.database)
    (tmp_path / "no.backup").write_bytes(content[:2000])
    assert "not whole" in (await run("restore", str(tmp_path / "no.backup"))).output
    assert "no back-up" in (await run("restore", str(tmp_path / "nowhere"))).output


async def half_restored(empty: Cluster, restore: Run, file: Path) -> str:
    """What is said where a restore was cut off before the authority was listed."""
    assert empty.owner_url is not None
    with psycopg.connect(empty.owner_url) as connection:
        connection.execute("DELETE FROM panel_control.authority")
    return (await restore("restore", str(file))).output


async def test_a_database_put_back_by_other_means_loses_the_key_before_anything_is_served(
    tenant: Tenant, destroyed: DestroyedKeys, database_of_own: Cluster, data_dir: Path
) -> None:
    member = await write_member(tenant)
    owner_url = database_of_own.owner_url
    assert owner_url is not None
    with psycopg.connect(owner_url) as connection:
        connection.execute("SET search_path = authority_testshire")
        connection.execute("CREATE TABLE before AS SELECT * FROM data_key")
    await destroy_one(tenant, destroyed, member)
    for command in (("doctor",), ("jobs", "--once"), ("keys", "erase", "--child", "C-1",
                    "--ordered-by", "x")):  # fmt: skip
        with psycopg.connect(owner_url) as connection:
            # As a physical back-up brings it back: past every trigger.
            connection.execute("SET search_path = authority_testshire")
            connection.execute("ALTER TABLE data_key DISABLE TRIGGER stays_destroyed")
            connection.execute(
                "UPDATE data_key k SET wrapped = b.wrapped, destroyed_at = NULL"
                " FROM before b WHERE b.holder_id = k.holder_id"
            )
            connection.execute("ALTER TABLE data_key ENABLE TRIGGER stays_destroyed")
            connection.execute("DELETE FROM erasure_certificate")
        assert await name_of(tenant, member) == NAME
        await runner(database_of_own, data_dir, destroyed)(*command, typed="C-1\n")
        assert await name_of(tenant, member) == "(erased)"
        assert len(await kept(tenant)) == 1


async def test_erasing_asks_for_the_reference(
    destroyed: DestroyedKeys, database_of_own: Cluster, data_dir: Path
) -> None:
    run = runner(database_of_own, data_dir, destroyed)
    words = ("keys", "erase", "--child", "C-77", "--ordered-by", ORDER.ordered_by)
    assert "That is not the reference" in (await run(*words, typed="C-78\n")).output
    unknown = await run(*words, typed="C-77\n")
    assert unknown.exit_code == 1
    assert "no child with the reference C-77" in unknown.output
    assert destroyed.read() == []


@pytest.mark.parametrize("why", ["legal hold", "asked about their own data"])
async def test_a_record_that_is_held_or_asked_for_is_not_erased_by_the_command_either(
    tenant: Tenant, destroyed: DestroyedKeys, database_of_own: Cluster, data_dir: Path, why: str
) -> None:
    async with tenant.transaction(JOB) as session:
        child = Child(reference="C-77", given_name="Freya")
        await session.execute(text("SELECT open_child(:c)"), {"c": child.id})
        session.add(child)
        await session.flush()
        day = session.info[NOW].date()
        session.add(
            LegalHold(child_id=child.id, reference="C-77", from_on=day, why="A claim")
            if why == "legal hold"
            else RightRequest(child_id=child.id, reference="C-77", kind="access", received_on=day)
        )
    run = runner(database_of_own, data_dir, destroyed)
    words = ("keys", "erase", "--child", "C-77", "--ordered-by", ORDER.ordered_by)
    refused = await run(*words, typed="C-77\n")
    assert refused.exit_code == 1
    assert why in refused.output
    assert destroyed.read() == []
