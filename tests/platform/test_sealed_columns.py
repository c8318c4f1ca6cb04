"""Names and narrative are sealed at rest, bound to their row and field; erasure is the key's end."""

import pytest
from sqlalchemy import select, text, update

from panel.accounts.service import add_agency, add_worker, email_index
from panel.platform.crypto import ERASED, NotSealedHere
from panel.platform.tables import DataKey, HolderErased
from panel.platform.tenancy import Tenant, load_keys
from panel.register.models import FamilyMember


async def test_a_text_is_ciphertext_in_the_table_and_reads_back(tenant: Tenant) -> None:
    async with tenant.transaction() as session:
        agency = await add_agency(session, key="hv", name="Health visiting", kind="health")
        worker = await add_worker(session, agency, name="Rosa Whitlow", email="rosa@hv.example")
    async with tenant.transaction() as session:
        stored = (await session.execute(text("SELECT name, email FROM worker"))).one()
        assert b"Rosa" not in stored.name
        assert b"rosa" not in stored.email
        read = await session.get(type(worker), worker.id)
        assert read is not None
        await load_keys(session, {agency.id})
        assert read.name == "Rosa Whitlow"
        assert read.email_index == email_index(tenant.ring, "ROSA@hv.example ")


async def test_a_changed_text_is_sealed_anew(tenant: Tenant) -> None:
    async with tenant.transaction() as session:
        member = FamilyMember(name="Marta Kestrel")
        session.add(member)
    async with tenant.transaction(member.id) as session:
        read = await session.get(FamilyMember, member.id)
        assert read is not None
        read.name = "Marta Kestrel-Wren"
    async with tenant.transaction(member.id) as session:
        read = await session.get(FamilyMember, member.id)
        assert read is not None
        await load_keys(session, {member.id})
        assert read.name == "Marta Kestrel-Wren"
        assert read.version == 2


async def test_ciphertext_moved_to_another_row_does_not_open(tenant: Tenant) -> None:
    async with tenant.transaction() as session:
        agency = await add_agency(session, key="hv", name="Health visiting", kind="health")
        one = await add_worker(session, agency, name="Rosa Whitlow", email="rosa@hv.example")
        other = await add_worker(session, agency, name="Ivy Copper", email="ivy@hv.example")
    async with tenant.transaction() as session:
        await session.execute(
            text(
                "UPDATE worker SET name = (SELECT name FROM worker WHERE id = :one) WHERE id = :o"
            ),
            {"one": one.id, "o": other.id},
        )
    async with tenant.transaction() as session:
        read = await session.get(type(other), other.id)
        assert read is not None
        await load_keys(session, {agency.id})
        with pytest.raises(NotSealedHere):
            assert read.name


async def test_destroying_the_key_is_erasure(tenant: Tenant) -> None:
    async with tenant.transaction() as session:
        member = FamilyMember(name="Marta Kestrel")
        session.add(member)
    async with tenant.transaction() as session:
        await session.execute(update(DataKey).where(DataKey.id == member.id).values(wrapped=None))
    async with tenant.transaction(member.id) as session:
        read = await session.scalar(select(FamilyMember).where(FamilyMember.id == member.id))
        assert read is not None
        await load_keys(session, {member.id})
        assert read.name == ERASED
    with pytest.raises(HolderErased):
        async with tenant.transaction(member.id) as session:
            read = await session.get(FamilyMember, member.id)
            assert read is not None
            read.phone = "07700 900000"
