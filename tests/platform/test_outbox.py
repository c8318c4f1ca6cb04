"""What is decided to be sent is sent, once, however often the sender fails."""

from datetime import timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import select

from panel.platform.clock import FixedClock
from panel.platform.ids import new_id
from panel.platform.outbox import NO_SUCH, TRIES, NotSent, put, send_due
from panel.platform.tenancy import Tenant
from panel.platform.work_tables import OutboxMessage
from panel.records.child_scoped import JOB


class Box:
    """A way out that keeps what it was given, and can be shut."""

    def __init__(self) -> None:
        self.got: list[EmailMessage] = []
        self.shut = False

    async def send(self, message: EmailMessage) -> None:
        if self.shut:
            raise NotSent("The post office is shut.")
        self.got.append(message)


async def _put(tenant: Tenant, once: str, address: str = "rosa@hv.example") -> bool:
    async with tenant.transaction(JOB) as session:
        return await put(
            session,
            kind="asked",
            holder_id=new_id(),
            to_viewer_id=None,
            address=address,
            subject="A plan is missing",
            body="C-1042 waits for its plan.",
            once=once,
        )


async def test_a_message_goes_out_once(tenant: Tenant, clock: FixedClock) -> None:
    assert await _put(tenant, "asked plan 1")
    assert not await _put(tenant, "asked plan 1")
    box = Box()
    for _ in range(2):
        async with tenant.transaction(JOB) as session:
            await send_due(session, box, clock.now())
    assert [message["To"] for message in box.got] == ["rosa@hv.example"]
    assert "C-1042" in box.got[0].get_content()


async def test_what_failed_is_tried_again_later(tenant: Tenant, clock: FixedClock) -> None:
    await _put(tenant, "asked plan 1")
    box = Box()
    box.shut = True
    async with tenant.transaction(JOB) as session:
        assert await send_due(session, box, clock.now()) == 0
    box.shut = False
    async with tenant.transaction(JOB) as session:
        assert await send_due(session, box, clock.now()) == 0
    clock.set(clock.now() + timedelta(minutes=3))
    async with tenant.transaction(JOB) as session:
        assert await send_due(session, box, clock.now()) == 1


@pytest.mark.parametrize(
    "address",
    [
        "", "marta@", "@", "marta@[", "<", '"', "marta", "marta@a.example, ben@b.example",
        "marta@a.example\r\nBcc: ben@b.example", "=?utf-8?q?a=0d=0aBcc:ben@b.example?=",
        "marta@a.example\u2028Bcc: ben@b.example", "all: ben@b.example;", "Marta <ben@b.example>",
    ],
)  # fmt: skip
async def test_what_is_not_one_address_comes_back_and_holds_up_nobody(
    tenant: Tenant, clock: FixedClock, address: str
) -> None:
    await _put(tenant, "asked plan 1", address)
    await _put(tenant, "asked plan 2")
    box = Box()
    async with tenant.transaction(JOB) as session:
        assert await send_due(session, box, clock.now()) == 1
        wrong = (await session.scalars(select(OutboxMessage).order_by(OutboxMessage.id))).first()
        assert wrong is not None
        assert (wrong.attempts, wrong.failure) == (TRIES, NO_SUCH)
    assert [message["To"] for message in box.got] == ["rosa@hv.example"]
