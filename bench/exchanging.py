"""The invented year with a system that may be told all of a child: for measuring the exchange."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from data import MORNING
from joserfc.jwk import ECKey
from litestar import Litestar
from litestar.types import HTTPReceiveMessage, Message
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category, Viewer, ViewerKind
from interop.client_tokens import SigningKey, public_set
from interop.served import MEDIA_TYPE
from panel.accounts.models import Agency
from panel.app import make_app
from panel.demo.writing import write_year
from panel.exchange.clients import KeysGiven, NewClient, register_client
from panel.exchange.models import ExchangeToken
from panel.exchange.tokens import LASTS
from panel.platform.clock import FixedClock
from panel.platform.cluster import Cluster, create_database
from panel.platform.database import Database
from panel.platform.ids import new_id
from panel.platform.masterkey import master_key
from panel.platform.migrate import ensure_control, migrate_all
from panel.platform.sessions import token_hash
from panel.platform.tenancy import Tenant, authority_named, keyring, load_keys, record_authority
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, rewrite_viewer
from panel.register.models import Child, FamilyLink, Involvement
from panel.settings import from_environment
from panel.sharing.models import SharingAgreement
from panel.sharing.state import SharingFacts

HOST = "bench.localhost"
BEARER = "of-the-bench"
SINCE = MORNING.date()


@dataclass(frozen=True)
class Exchanging:
    """An authority that is served, and whom its system may be told of."""

    tenant: Tenant
    gate: Gate
    app: Litestar
    viewer: Viewer
    child: UUID
    """Of whom most was written down."""
    beside: tuple[UUID, ...]
    """Others with whom the system's agency works, whose families agreed as well."""


async def invented_exchange(cluster: Cluster, folder: Path, children: int) -> Exchanging:
    """Write the year, register a system, and let one family agree to everything."""
    made = create_database(cluster, f"bench_fhir_{new_id().hex[-8:]}")
    assert made.owner_url is not None
    ensure_control(made.owner_url)
    key_file = folder / "keys" / "master.key"
    master = master_key(None, key_file)
    record_authority(made.owner_url, master, name="bench", label="Bench", host=HOST, demo=True)
    migrate_all(made.owner_url, lambda _line: None)
    record = authority_named(made.app_url, None)
    clock = FixedClock(MORNING)
    tenant = Tenant(record, Database(made.app_url, pool_size=2), keyring(record, master), clock)
    await write_year(tenant, seed=1, children=children, say=lambda _line: None)
    async with tenant.transaction(JOB) as session:
        child, agency = await _best_known(session)
        viewer = await _system(session, agency)
        beside = await _others(session, child, agency)
        for one in (child, *beside):
            await _agree_to_everything(session, one, agency)
    settings = from_environment({"PANEL_DATA_DIR": str(folder)})
    app = make_app(settings, made.app_url, clock, compiled=folder / "templates")
    return Exchanging(tenant, Gate(tenant, SharingFacts()), app, viewer, child, beside)


async def _best_known(session: AsyncSession) -> tuple[UUID, UUID]:
    """The child of whom most was written down, and an agency that works with them."""
    child: UUID = (
        await session.execute(
            text(
                "SELECT child_id FROM (SELECT child_id FROM section_answer UNION ALL"
                " SELECT child_id FROM action UNION ALL SELECT child_id FROM desired_outcome"
                " UNION ALL SELECT child_id FROM family_note) e"
                " GROUP BY child_id ORDER BY count(*) DESC, child_id LIMIT 1"
            )
        )
    ).scalar_one()
    agency = await session.scalar(
        select(Involvement.agency_id)
        .where(Involvement.child_id == child, Involvement.until_on.is_(None))
        .group_by(Involvement.agency_id)
        .order_by(func.count().desc(), Involvement.agency_id)
        .limit(1)
    )
    assert agency is not None
    return child, agency


async def _others(session: AsyncSession, child: UUID, agency: UUID) -> tuple[UUID, ...]:
    """The other children with whom an agency works, as far as they have an NHS number."""
    found = await session.scalars(
        select(Child.id)
        .where(
            Child.id != child,
            Child.id.in_(
                select(Involvement.child_id).where(
                    Involvement.agency_id == agency, Involvement.until_on.is_(None)
                )
            ),
            Child.id.in_(select(FamilyLink.child_id).where(FamilyLink.parental_responsibility)),
        )
        .order_by(Child.id)
    )
    ids = list(found)
    await load_keys(session, set(ids))
    return tuple([one for one in ids if (await session.get_one(Child, one)).nhs_number])


async def _system(session: AsyncSession, agency: UUID) -> Viewer:
    """The agency's system, let in for a very long time."""
    signing = SigningKey.from_jwk(ECKey.generate_key("P-384").as_dict(private=True) | {"kid": "a"})
    keys = KeysGiven(json.dumps(public_set([signing])), "")
    new = NewClient("bench", "A system", agency, "system/*.cruds", keys)
    made = await register_client(session, new)
    session.add(
        ExchangeToken(
            id=token_hash(BEARER),
            client_id=made.id,
            scopes=["system/*.cruds"],
            made_at=MORNING,
            ends_at=MORNING + LASTS,
        )
    )
    await rewrite_viewer(session, made.id)
    kind = (await session.get_one(Agency, agency)).kind
    return Viewer(made.id, ViewerKind.CLIENT, agency, kind)


async def _agree_to_everything(session: AsyncSession, child: UUID, agency: UUID) -> None:
    """One with parental responsibility agrees, and the NHS number is traced: it can be matched."""
    (await session.get_one(Child, child)).nhs_number_verified = True
    mother = (
        await session.execute(
            text(
                "SELECT family_member_id FROM family_link WHERE child_id = :child"
                " AND parental_responsibility ORDER BY id LIMIT 1"
            ),
            {"child": child},
        )
    ).scalar_one()
    session.add(
        SharingAgreement(
            child_id=child,
            given=True,
            by_person_id=mother,
            capacity="parental_responsibility",
            by_words="Her mother",
            agencies=[agency],
            not_agencies=[],
            level="additional",
            named=[one.value for one in Category],
            purposes=["exchange"],
            from_on=SINCE,
        )
    )


async def call(app: Litestar, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    """One request as a server makes it of the app (ASGI): the status and the body."""
    path, _, query = path.partition("?")
    told = {"host": HOST, "authorization": f"Bearer {BEARER}", "content-type": MEDIA_TYPE}
    answered: list[Any] = []

    async def receive() -> HTTPReceiveMessage:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        answered.append(message)

    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in told.items()],
        "client": ("127.0.0.1", 40000),
        "server": (HOST, 80),
    }
    await app(scope, receive, send)
    return answered[0]["status"], b"".join(one.get("body", b"") for one in answered[1:])
