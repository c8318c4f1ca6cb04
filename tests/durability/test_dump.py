"""A dump of the database holds none of the demonstration's names and sentences in the clear."""

import ast
import base64
import binascii
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from panel.demo import places
from panel.platform import embedded_postgres
from panel.platform.cluster import Cluster
from tests.demo.year import database_from, sealed_texts, tenant_of, write_demo

pytestmark = pytest.mark.database

WORD = re.compile(r"\w+")
HEX = re.compile(rb"(?:\\x)?((?:[0-9a-f]{2}){8,})")
BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")

IN_THE_CLEAR = {
    "agency.name": [one.name for one in places.AGENCIES],
    "worker.job_title": [one.job_title for one in places.WORKERS],
    "involvement.part": [one.part for one in places.AGENCIES]
    + ["holds the plan", "first contact", "holds the plan until the handover"],
    "demo_persona.role_words": [one.role_words for one in places.WORKERS]
    + ["A mother", "A father who objects to some of the sharing", "A young person of 16"],
    "panel.name, panel.place, panel.settings": [places.PANEL_NAME, places.PLACE, places.ADVICE],
    "area.name": [name for _, name in places.WARDS],
    "authority.label": [places.LABEL],
    "sharing_restriction.by_words": ["The court papers", "The family"],
    "referral.transition": ["starts Reception", "starts at Larkfield Primary"],
    "names of terms and holidays": ["half term"],
}
"""What the demonstration writes that tells nothing about a person: agencies, jobs, places."""


@pytest.fixture(scope="module")
async def demo(
    cluster: Cluster, template_database: str, data_dir: Path
) -> AsyncIterator[tuple[Cluster, dict[str, set[str]]]]:
    """A demonstration of 40 children, and every text that is sealed in it."""
    with database_from(cluster, template_database) as own:
        await write_demo(own, data_dir, seed=1, children=40)
        tenant = tenant_of(own, data_dir)
        try:
            sealed = await sealed_texts(tenant)
        finally:
            await tenant.database.close()
        yield own, sealed


def dump_of(cluster: Cluster) -> bytes:
    """What pg_dump writes, as the owner."""
    assert cluster.owner_url is not None
    return subprocess.run(
        [str(embedded_postgres.program("pg_dump")), "--dbname", cluster.owner_url],
        check=True, capture_output=True, timeout=120,
    ).stdout  # fmt: skip


@pytest.fixture(scope="module")
def dump(demo: tuple[Cluster, dict[str, set[str]]]) -> bytes:
    """The whole dump."""
    written = dump_of(demo[0])
    assert written.count(b"COPY authority_testshire.") > 40
    return written


def layers(dump: bytes) -> Iterator[bytes]:
    """The dump as it is, and what its hexadecimal and base64 parts say, all in lower case."""
    yield dump.lower()
    yield b"\n".join(binascii.unhexlify(part) for part in HEX.findall(dump)).lower()
    decoded = []
    for part in set(BASE64.findall(dump)):
        plain = part.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
        try:
            decoded.append(base64.b64decode(plain + b"=" * (-len(plain) % 4)))
        except binascii.Error:
            continue
    yield b"\n".join(decoded).lower()


def generator_sentences() -> set[str]:
    """Every text of four words or more that the generator's own code holds, but its notes."""
    found: set[str] = set()
    for module in ("sentences.py", "writing.py", "story.py"):
        tree = ast.parse((files("panel.demo") / module).read_text())
        notes = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                # A name goes in between: what stands around it is looked for on its own.
                for part in re.split(r"\{\w*\}", node.value):
                    said = part.strip(" .,;'’s")
                    if id(node) not in notes and len(said.split()) >= 4 and "SELECT" not in said:
                        found.add(said)
    return found


def clear_words() -> str:
    return "\n".join(text for several in IN_THE_CLEAR.values() for text in several).lower()


async def test_no_sentence_is_in_the_clear(
    demo: tuple[Cluster, dict[str, set[str]]], dump: bytes
) -> None:
    told = clear_words()
    sealed = {
        text for several in demo[1].values() for text in several if len(WORD.findall(text)) >= 3
    }
    sentences = {one for one in sealed | generator_sentences() if one.lower() not in told}
    assert len(sentences) > 400
    found = {one for layer in layers(dump) for one in sentences if one.lower().encode() in layer}
    assert found == set()


async def test_no_name_number_or_address_is_in_the_clear(
    demo: tuple[Cluster, dict[str, set[str]]], dump: bytes
) -> None:
    _, sealed = demo
    numbers = sealed["child.nhs_number"]
    assert len(numbers) == 40
    wanted = {
        *sealed["worker.name"], *sealed["worker.email"],
        *sealed["family_member.name"], *sealed["family_member.email"],
        *sealed["family_member.phone"],
        *sealed["child.address"], *sealed["child.postcode"],
        *numbers, *(f"{one[:3]} {one[3:6]} {one[6:]}" for one in numbers),
    }  # fmt: skip
    # A surname of six letters or more is looked for on its own, unless an agency or a place has
    # the same; given names and shorter ones are words of the schema's own language ("grace").
    told = clear_words()
    for name in {*sealed["worker.name"], *sealed["family_member.name"]}:
        surname = name.split()[-1]
        if len(surname) >= 6 and surname.lower() not in told:
            wanted.add(surname)
    assert len(wanted) > 300
    found = {one for layer in layers(dump) for one in wanted if one.lower().encode() in layer}
    assert found == set()


async def test_the_search_finds_what_is_there(
    demo: tuple[Cluster, dict[str, set[str]]], dump: bytes
) -> None:
    """The dump is whole and the layers are opened: what is in the clear is found."""
    plain, unhexed, decoded = layers(dump)
    assert b"wexcombe early help" in plain
    assert b"rosa whitlow" in next(
        layer for layer in layers(rb"\x" + b"Rosa Whitlow, of Wexcombe".hex().encode())
        if b"whitlow" in layer
    )  # fmt: skip
    assert b"rosa whitlow" in list(layers(base64.b64encode(b"Rosa Whitlow of Wexcombe")))[2]
    assert len(unhexed) > 100_000
    assert len(decoded) > 1_000
