"""Keys get new generations while people write; what is sealed opens before, during and after."""

import asyncio
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select, text

from panel.accounts.service import add_agency, add_worker, remember_agency_keys
from panel.cli import commands
from panel.insight.models import FACT_TABLES
from panel.platform.cluster import Cluster
from panel.platform.crypto import Keyring, Keys, NotSealedHere, generation_of, new_key
from panel.platform.ids import new_id
from panel.platform.key_service import NoMasterKey
from panel.platform.masterkey import master_key
from panel.platform.rotation import (
    AlreadyRotating,
    left_to_wrap,
    rotate_authority_key,
    rotate_data_keys,
    rotate_master_key,
    sealed_fields,
)
from panel.platform.tenancy import Tenant, authorities, authority_named, keyring, load_keys
from panel.records.child_scoped import JOB
from panel.register.models import FamilyMember

NAMES = [f"Marta Kestrel {number}" for number in range(7)]


def owner(cluster: Cluster) -> str:
    assert cluster.owner_url is not None
    return cluster.owner_url


def quiet(_line: str) -> None:
    """Say nothing."""


async def write_members(tenant: Tenant) -> list[UUID]:
    members = [FamilyMember(name=name) for name in NAMES]
    async with tenant.transaction() as session:
        session.add_all(members)
    return [one.id for one in members]


async def read_names(tenant: Tenant, members: list[UUID]) -> list[str]:
    names = []
    for one in members:
        async with tenant.transaction(one) as session:
            await load_keys(session, {one})
            read = await session.get(FamilyMember, one)
            assert read is not None
            names.append(read.name)
    return names


def generations(cluster: Cluster, statement: str) -> set[int]:
    with psycopg.connect(owner(cluster)) as connection:
        connection.execute("SET search_path = authority_testshire")
        return {generation_of(row[0]) for row in connection.execute(statement.encode())}


WRAPPED = "SELECT wrapped FROM data_key WHERE wrapped IS NOT NULL"
NAMES_SEALED = "SELECT name FROM family_member"


async def test_a_process_from_before_opens_what_a_new_key_wraps(
    tenant: Tenant, database_of_own: Cluster, data_dir: Path
) -> None:
    members = await write_members(tenant)
    master = master_key(None, data_dir / "keys" / "master.key")
    assert generations(database_of_own, WRAPPED) == {1}
    done = rotate_authority_key(owner(database_of_own), tenant.record, master, quiet)
    assert (done.resumed, done.holders) == (False, len(NAMES))
    assert generations(database_of_own, WRAPPED) == {2}
    # The same tenant, whose keyring is of before: it learns, and wraps by the new key from now on.
    assert await read_names(tenant, members) == NAMES
    more = await write_members(tenant)
    assert generations(database_of_own, WRAPPED) == {2}
    assert await read_names(tenant, more) == NAMES
    # One that starts now has both; a second rotation makes a third.
    record = authority_named(database_of_own.app_url, None)
    assert keyring(record, master).current == 2
    assert left_to_wrap(owner(database_of_own), record) == 0
    rotate_authority_key(owner(database_of_own), record, master, quiet)
    assert generations(database_of_own, WRAPPED) == {3}
    assert await read_names(tenant, members + more) == NAMES * 2


class CutOff(Exception):
    """The end of the process, where a test wants it."""


async def test_a_rotation_that_was_cut_off_goes_on(
    tenant: Tenant, database_of_own: Cluster, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("panel.platform.rotation.BATCH", 2)
    members = await write_members(tenant)
    master = master_key(None, data_dir / "keys" / "master.key")

    def cut(line: str) -> None:
        if line.startswith("4 "):
            raise CutOff

    for rotate, sealed in ((rotate_authority_key, WRAPPED), (rotate_data_keys, NAMES_SEALED)):
        with pytest.raises(CutOff):
            rotate(owner(database_of_own), tenant.record, master, cut)
        assert generations(database_of_own, sealed) == {1, 2}
        assert await read_names(tenant, members) == NAMES
        done = rotate(owner(database_of_own), tenant.record, master, quiet)
        assert (done.resumed, done.holders) == (True, len(NAMES) - 4)
        assert generations(database_of_own, sealed) == {2}
        assert await read_names(tenant, members) == NAMES


async def test_nobody_who_edits_meets_a_new_data_key(
    tenant: Tenant, database_of_own: Cluster, data_dir: Path
) -> None:
    members = await write_members(tenant)
    master = master_key(None, data_dir / "keys" / "master.key")
    edited, locked, rest = members[0], members[1], members[2:]
    async with tenant.transaction(edited) as session, tenant.transaction(locked) as writing:
        # One read its row and the keys before, and writes after; one is in the middle of writing.
        await load_keys(session, {edited})
        read = await session.get(FamilyMember, edited)
        held = await writing.get(FamilyMember, locked)
        assert read is not None
        assert held is not None
        held.name = "Marta Kestrel-Wren"
        await writing.flush()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("panel.platform.rotation._PATIENCE", 0.2)
            rotate_data_keys(owner(database_of_own), tenant.record, master, quiet)
        read.phone = "01632 960001"
        await session.flush()
        # What was sealed anew since opens with keys that were read before.
        again = await session.scalar(
            select(FamilyMember.name_sealed).where(FamilyMember.id == edited)
        )
        assert again is not None
        assert generation_of(again) == 2
        keys: Keys = session.info["keys"]
        assert keys.open(edited, "family_member.name", edited, again) == NAMES[0]
    assert await read_names(tenant, members) == [NAMES[0], "Marta Kestrel-Wren", *NAMES[2:]]
    with psycopg.connect(owner(database_of_own)) as connection:
        connection.execute("SET search_path = authority_testshire")
        versions = dict(connection.execute("SELECT id, version FROM family_member").fetchall())
    assert versions[edited] == versions[locked] == 2
    assert {versions[one] for one in rest} == {1}
    # The next rotation takes what was left as well.
    rotate_data_keys(owner(database_of_own), tenant.record, master, quiet)
    assert generations(database_of_own, NAMES_SEALED) == {3}
    assert (await read_names(tenant, members))[1] == "Marta Kestrel-Wren"


async def test_keys_at_hand_are_read_again_once(
    tenant: Tenant, database_of_own: Cluster, data_dir: Path
) -> None:
    async with tenant.transaction() as session:
        agency = await add_agency(session, key="hv", name="Health visiting", kind="health")
        worker = await add_worker(session, agency, name="Rosa Whitlow", email="rosa@hv.example")
    await remember_agency_keys(tenant)
    master = master_key(None, data_dir / "keys" / "master.key")
    rotate_authority_key(owner(database_of_own), tenant.record, master, quiet)
    rotate_data_keys(owner(database_of_own), tenant.record, master, quiet)
    for _ in range(2):
        async with tenant.transaction() as session:
            read = await session.get(type(worker), worker.id)
            assert read is not None
            assert read.name == "Rosa Whitlow"
    assert tenant.keys().known([agency.id])[agency.id].current == 2


async def test_only_one_rotates(tenant: Tenant, database_of_own: Cluster, data_dir: Path) -> None:
    await write_members(tenant)
    master = master_key(None, data_dir / "keys" / "master.key")

    def meanwhile(_line: str) -> None:
        with pytest.raises(AlreadyRotating, match="another process"):
            rotate_data_keys(owner(database_of_own), tenant.record, master, quiet)

    rotate_authority_key(owner(database_of_own), tenant.record, master, meanwhile)


async def test_another_master_key_wraps_every_generation(
    tenant: Tenant, database_of_own: Cluster, data_dir: Path, tmp_path: Path
) -> None:
    members = await write_members(tenant)
    old = master_key(None, data_dir / "keys" / "master.key")
    new = master_key(None, tmp_path / "new.key")
    rotate_authority_key(owner(database_of_own), tenant.record, old, quiet)
    records = authorities(database_of_own.app_url)
    assert rotate_master_key(owner(database_of_own), records, old, new) == 3
    record = authority_named(database_of_own.app_url, None)
    after = Tenant(record, tenant.database, keyring(record, new), tenant.clock)
    assert await read_names(after, members) == NAMES
    with pytest.raises(NoMasterKey, match="another master key"):
        keyring(record, old)
    with pytest.raises(NotSealedHere):
        rotate_master_key(owner(database_of_own), [record], old, new)


async def test_a_generation_that_came_meanwhile_is_wrapped_by_the_other_master_key_too(
    tenant: Tenant, database_of_own: Cluster, data_dir: Path, tmp_path: Path
) -> None:
    members = await write_members(tenant)
    old = master_key(None, data_dir / "keys" / "master.key")
    new = master_key(None, tmp_path / "new.key")
    read_before = authorities(database_of_own.app_url)
    rotate_authority_key(owner(database_of_own), tenant.record, old, quiet)
    rotate_master_key(owner(database_of_own), read_before, old, new)
    record = authority_named(database_of_own.app_url, None)
    after = Tenant(record, tenant.database, keyring(record, new), tenant.clock)
    assert await read_names(after, members) == NAMES
    # Nor does a process that has the master key of before add one.
    with pytest.raises(NoMasterKey):
        rotate_authority_key(owner(database_of_own), record, old, quiet)
    assert keyring(authority_named(database_of_own.app_url, None), new).current == 2


async def test_the_master_key_is_changed_in_its_place_and_a_cut_is_mended(
    tenant: Tenant, database_of_own: Cluster, data_dir: Path, tmp_path: Path
) -> None:
    members = await write_members(tenant)
    file = tmp_path / "master.key"
    file.write_bytes((data_dir / "keys" / "master.key").read_bytes())
    environment = {
        "PANEL_DATA_DIR": str(data_dir), "PANEL_KEY_FILE": str(file),
        "PANEL_DATABASE_URL": database_of_own.app_url,
        "PANEL_OWNER_DATABASE_URL": owner(database_of_own),
    }  # fmt: skip

    async def run(*words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, commands, words, env=environment)

    before = file.read_bytes()
    done = await run("keys", "rotate", "--master")
    assert done.exit_code == 0, done.output
    assert file.read_bytes() != before
    assert file.with_name("master.key.before").read_bytes() == before
    assert (await run("doctor")).exit_code == 0
    # Cut off between the database and the file: the same command goes on.
    coming = master_key(None, file.with_name("master.key.new"))
    records = authorities(owner(database_of_own))
    rotate_master_key(owner(database_of_own), records, master_key(None, file), coming)
    refused = await run("doctor")
    assert refused.exit_code == 1
    assert "another master key" in refused.output
    assert (await run("keys", "rotate", "--master")).exit_code == 0
    assert (await run("doctor")).exit_code == 0
    # To another file, which is then named.
    moved = tmp_path / "elsewhere" / "new.key"
    told = await run("keys", "rotate", "--master", "--new-key-file", str(moved))
    assert f"Set PANEL_KEY_FILE={moved}" in told.output
    record = authority_named(database_of_own.app_url, None)
    after = Tenant(record, tenant.database, keyring(record, master_key(None, moved)), tenant.clock)
    assert await read_names(after, members) == NAMES
    async with after.transaction(JOB) as session:
        ran = list(await session.scalars(
            text("SELECT details ->> 'command' FROM audit_event WHERE kind = 'command.run'")
        ))  # fmt: skip
    assert ran.count("keys rotate") == 3, "the one that was mended too"
    wrong = await run("keys", "rotate", "--master")
    assert wrong.exit_code == 1
    assert "another master key" in wrong.output


PSEUDONYMS = {"person", "key"}


async def test_every_sealed_column_is_rotated(database_of_own: Cluster) -> None:
    """A column of bytes is sealed and known as such, or a hash, an index or a wrapped key.

    Facts and their history are pseudonyms and codes: no key opens them.
    """
    with psycopg.connect(owner(database_of_own)) as connection:
        found = connection.execute(
            "SELECT table_name || '.' || column_name FROM information_schema.columns"
            " WHERE table_schema = 'authority_testshire' AND data_type = 'bytea'"
        ).fetchall()
    not_sealed = {
        "audit_key.public", "audit_key.wrapped", "audit_leaf.hash", "audit_seal.peaks",
        "audit_seal.previous", "audit_seal.root", "audit_seal.signature", "authority_key.wrapped",
        "child_index.token", "child_mark.marks", "data_key.wrapped", "document.content_index",
            "exchange_token.token_hash",
        "family_access.email_index", "family_access.invitation_mark", "family_access.word_mark",
        "guest_link.code_hash", "guest_link.token_hash", "known_address.bucket",
        "passkey.credential_id", "passkey.public_key", "provider_link.token_hash",
        "received.content_index", "received.identifier_index", "received_handover.digest",
        "recovery_code.code_hash",
        "register_list.file_digest", "calendar_feed.token_hash",
        "way_between.answers", "way_between.browser_hash", "way_between.session_hash",
        "way_between.token_hash",
        "sign_in_attempt.bucket", "sign_in_challenge.challenge", "sign_in_challenge.token_hash",
        "sign_in_entry.token_hash", "sign_in_link.token_hash", "used_assertion.jti_hash", "web_session.token_hash",
        "worker.email_index",
        "insight_event.digest", "insight_event.other", "insight_event.record", "insight_event.said",
        "insight_file.content",
        *(
            f"{table.name}.{column}"
            for table in FACT_TABLES.values()
            for column in PSEUDONYMS & {*table.c.keys()}
        ),
    }  # fmt: skip
    assert {f"{one.table}.{one.column}" for one in sealed_fields()} == {
        name for (name,) in found
    } - not_sealed


def test_generations_do_not_open_each_other() -> None:
    holder, row = new_id(), new_id()
    ring = Keyring(new_key(), new_key(), {2: new_key()})
    first = ring.new_data_key(holder)
    assert generation_of(first) == 2
    second = ring.with_another_key(holder, first)
    keys = Keys(ring)
    keys.add(holder, second)
    sealed = keys.seal(holder, "child.name", row, "Rosa")
    assert generation_of(sealed) == 2
    assert keys.open(holder, "child.name", row, sealed) == "Rosa"
    with pytest.raises(NotSealedHere):
        keys.open(holder, "child.name", row, b"\x02\x00\x00\x00\x09" + sealed[5:])
    with pytest.raises(NotSealedHere):
        keys.open(holder, "child.name", row, b"\x01" + sealed[5:])
    with pytest.raises(NotSealedHere):
        keys.open(holder, "child.name", row, sealed[:4])
    with pytest.raises(NotSealedHere):
        Keyring(new_key(), new_key()).data_key(holder, second)
    with pytest.raises(NotSealedHere):
        ring.data_key(new_id(), first)


async def test_a_destroyed_key_gets_no_new_generation(
    tenant: Tenant, database_of_own: Cluster, data_dir: Path
) -> None:
    members = await write_members(tenant)
    async with tenant.transaction() as session:
        await session.execute(
            text("UPDATE data_key SET wrapped = NULL, destroyed_at = now() WHERE holder_id = :one"),
            {"one": members[0]},
        )
    master = master_key(None, data_dir / "keys" / "master.key")
    rotate_authority_key(owner(database_of_own), tenant.record, master, quiet)
    rotate_data_keys(owner(database_of_own), tenant.record, master, quiet)
    assert await read_names(tenant, members) == ["(erased)", *NAMES[1:]]
