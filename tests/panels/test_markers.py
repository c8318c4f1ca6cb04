"""Every text of twelve children carries a marker: a pack holds exactly what may be seen.

What may be seen is worked out here marker by marker with `consent.decide`, on the facts as they are
stored; the pack on screen, as PDF and as counts must say the same.
"""

import re
import subprocess
from collections.abc import Callable
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any
from uuid import UUID

import pikepdf
import pytest
from sqlalchemy import text

from consent import Category
from panel.app import ROOMS
from panel.panels.models import AgendaItem
from panel.panels.pack_document import PackDocument
from panel.panels.pack_pages import pack_page
from panel.panels.pack_preview import preview_pack
from panel.panels.packs import pack_meeting, pack_pdf_of, read_pack
from panel.platform.clock import today
from panel.platform.tenancy import Tenant
from panel.records.gate import Gate
from panel.sharing.models import (
    Gateway,
    SharingAgreement,
    SharingObjection,
    SharingOrder,
    SharingRestriction,
)
from panel.web import assets
from panel.web.manifest import read_manifest
from panel.web.render import Frame, Renderer
from tests.panels.pack_world import (
    MEETING_DAY,
    MEMBERS,
    World,
    add_marked_child,
    agreed,
    make_world,
)

MARKER = re.compile(r"zq\d{4}z")
YESTERDAY = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def restricted(world: World, child: UUID, *against: str, **facts: Any) -> SharingRestriction:
    ids = [world.agencies[key].id for key in against]
    return SharingRestriction(child_id=child, against=ids, from_on=date(2026, 6, 1), **facts)


def states(world: World) -> list[Callable[[UUID, UUID], list[Any]]]:
    """What twelve families decided, and what courts and protection did."""
    ids = {key: agency.id for key, agency in world.agencies.items()}

    def order(child: UUID, **facts: Any) -> SharingOrder:
        return SharingOrder(child_id=child, from_on=date(2026, 6, 1), **facts)

    def refusal(child: UUID, mother: UUID, key: str, *named: str) -> SharingAgreement:
        return agreed(
            world, child, mother, given=False, level=None, agencies=(key,), named=list(named)
        )

    return [
        lambda _c, _m: [],
        lambda c, m: [agreed(world, c, m, level="basic")],
        lambda c, m: [agreed(world, c, m)],
        lambda c, m: [
            agreed(
                world,
                c,
                m,
                agencies=("health", "education"),
                named=["finance", "safeguarding"],
            ),
            agreed(world, c, m, agencies=("council",), level="basic"),
        ],
        lambda c, m: [agreed(world, c, m), refusal(c, m, "social-care", "health", "views")],
        lambda c, m: [
            agreed(world, c, m),
            restricted(world, c, "education", kind="choice", categories=["family"], silent=True),
            restricted(world, c, "health", kind="choice", categories=["plan", "network"]),
        ],
        lambda c, m: [
            agreed(world, c, m),
            restricted(
                world, c, "voluntary", kind="protection", categories=["contact"], silent=True
            ),
            restricted(world, c, "council", kind="protection", categories=["health"]),
        ],
        lambda c, m: [agreed(world, c, m, withdrawn_at=YESTERDAY)],
        lambda c, m: [
            agreed(world, c, m, agencies=("health", "education"), not_agencies=[ids["voluntary"]])
        ],
        lambda c, m: [
            agreed(world, c, m, level="basic"),
            order(c, permits=True, categories=["health"], to=[ids["social-care"]]),
            order(c, permits=False, categories=["identity"], to=[ids["education"]]),
        ],
        lambda c, m: [
            agreed(world, c, m, agencies=("health",)),
            agreed(world, c, m, agencies=("education", "council"), from_on=date(2026, 11, 19)),
            SharingObjection(
                child_id=c,
                by_person_id=m,
                by_words="her father",
                agencies=[ids["education"]],
                categories=["health", "development"],
                raised_on=date(2026, 11, 18),
            ),
        ],
        lambda c, m: [
            agreed(world, c, m, named=["finance"]),
            restricted(world, c, "voluntary", kind="protection", silent=True),
        ],
    ]


@pytest.fixture
async def world(tenant: Tenant, gate: Gate) -> World:
    made = await make_world(tenant, gate)
    async with made.as_job() as session:
        session.add(
            Gateway(
                code="co-operate",
                words="the duty to co-operate",
                source="a setting of this test",
                categories=["safeguarding", "identity"],
                purposes=["panel"],
                agency_kinds=["social_care"],
                commenced_on=date(2026, 1, 1),
            )
        )
    for number, sharing in enumerate(states(made)):
        await add_marked_child(made, number, sharing=sharing)
    return made


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    assets.build()
    return Renderer(read_manifest(), rooms=ROOMS)


def text_of(pdf: bytes) -> str:
    """What a reader finds in the paper, words that a line end cut put together again."""
    try:
        read = subprocess.run(
            ["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True
        ).stdout.decode()
    except FileNotFoundError:
        with pikepdf.open(BytesIO(pdf)) as opened:
            read = "".join(_text_of_page(page) for page in opened.pages)
    return re.sub(r"\s+", "", read)


def _text_of_page(page: pikepdf.Page) -> str:
    fonts = {name: _unicode_of(font) for name, font in page.resources.Font.items()}
    said: list[str] = []
    known: dict[int, str] = {}
    for operands, operator in pikepdf.parse_content_stream(page):
        if str(operator) == "Tf":
            known = fonts[str(operands[0])]
        elif str(operator) in {"Tj", "TJ"}:
            parts = operands[0] if str(operator) == "TJ" else operands
            for part in parts:
                if isinstance(part, pikepdf.String):
                    codes = bytes(part)
                    said += [
                        known.get(int.from_bytes(codes[at : at + 2], "big"), "")
                        for at in range(0, len(codes), 2)
                    ]
    return "".join(said)


def _unicode_of(font: pikepdf.Object) -> dict[int, str]:
    table = font.ToUnicode.read_bytes().decode("latin-1")
    pairs = re.findall(r"<([0-9a-fA-F]{4})>\s*<([0-9a-fA-F]+)>", table)
    return {int(code, 16): bytes.fromhex(sign).decode("utf-16-be") for code, sign in pairs}


def screen(renderer: Renderer, world: World, document: PackDocument, meeting: Any) -> str:
    page = pack_page(document, meeting, today(world.tenant.clock))
    html = renderer.page("panels/pack.html", Frame(), today=today(world.tenant.clock), pack=page)
    return re.sub(r"<[^>]+>", " ", html)


async def test_each_pack_holds_exactly_what_may_be_seen(world: World, renderer: Renderer) -> None:
    async with world.tenant.transaction() as session:
        meeting = await pack_meeting(session, "contacts", MEETING_DAY)
    counted: dict[str, int] = {}
    for key in MEMBERS:
        permitted = await world.permitted(world.agency_viewer(key))
        agency = meeting.agency(key)
        shown = screen(renderer, world, await read_pack(world.gate, meeting, agency), meeting)
        printed = text_of(await pack_pdf_of(world.gate, meeting, agency))
        on_screen, on_paper = set(MARKER.findall(shown)), set(MARKER.findall(printed))
        assert on_screen == permitted, key
        assert on_paper == permitted, key
        counted[key] = len(permitted)
    # Each agency sees something, none sees all, and no two see the same.
    assert all(0 < count < len(world.markers) for count in counted.values())
    assert len(set(counted.values())) == len(counted)


async def test_every_category_is_among_what_is_tried(world: World) -> None:
    assert {one.category for one in world.markers.values()} == set(Category)
    assert len(world.children) == 12


async def test_what_is_withheld_is_said_and_silence_is_kept(world: World) -> None:
    async with world.tenant.transaction() as session:
        meeting = await pack_meeting(session, "contacts", MEETING_DAY)
    voluntary = await read_pack(world.gate, meeting, meeting.agency("voluntary"))
    # The last child's record is sealed from them in silence: not even the item is there.
    assert len(voluntary.items) == 11
    said = str(voluntary)
    assert "Her mother withdrew the agreement on 22 November 2026." in said
    assert "Her mother has not agreed to share it with your agency (since 3 May 2026)." in said
    council = await read_pack(world.gate, meeting, meeting.agency("council"))
    assert "You cannot see the health section. It is protected" in str(council)
    education = await read_pack(world.gate, meeting, meeting.agency("education"))
    assert "objected on 18 November 2026" in str(education)
    # Silent: the sixth child's family section is neither shown nor spoken of.
    fifth = next(item for item in education.items if item.starts == voluntary.items[5].starts)
    titles = [section.title for section in fifth.sections]
    assert "Family: what your agency wrote" in titles
    assert "Family" not in titles


async def test_a_preview_counts_as_the_pack_does_and_shows_no_text(world: World) -> None:
    coordinator = world.worker_viewer("council")
    preview = await preview_pack(world.gate, "contacts", MEETING_DAY, "education", coordinator)
    assert len(preview.items) == 12
    shown = set(MARKER.findall(str(preview.items)))
    may_name = await world.permitted(coordinator)
    assert shown <= may_name
    assert {world.markers[one].category for one in shown} <= {Category.IDENTITY}


async def test_a_query_as_somebody_else_finds_nothing(world: World) -> None:
    """Row-level security alone: even ciphertext is not there for the wrong viewer."""
    tables = (
        "child", "agenda_item", "family_words", "significant_event", "discussion", "referral",
        "section_answer", "plan", "desired_outcome", "action", "involvement", "document",
        "guest_link",
    )  # fmt: skip
    stranger = world.agencies["gp"].id
    async with world.tenant.transaction(stranger) as session:
        for table in tables:
            counted = await session.scalar(text(f"SELECT count(*) FROM {table}"))
            assert counted == 0, table
    async with world.tenant.transaction(world.agencies["health"].id) as session:
        assert await session.scalar(text("SELECT count(*) FROM child")) == 12


async def test_nothing_is_there_before_the_freeze_and_after_the_end(world: World) -> None:
    viewer = world.agency_viewer("health")
    async with world.tenant.transaction(viewer.id) as session:
        assert len(list(await session.scalars(text("SELECT id FROM agenda_item")))) == 12
    clock: Any = world.tenant.clock
    clock.set(datetime(2026, 12, 11, 9, 0, tzinfo=UTC))
    async with world.tenant.transaction(viewer.id) as session:
        assert list(await session.scalars(text("SELECT id FROM agenda_item"))) == []
    clock.set(datetime(2026, 11, 19, 9, 0, tzinfo=UTC))
    async with world.tenant.transaction(viewer.id) as session:
        assert await session.get(AgendaItem, world.items[world.children[0]]) is None
