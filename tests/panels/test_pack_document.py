"""An agency's pack: what it says, that it is accessible (PDF/UA-1), and that any text prints."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from io import BytesIO
from itertools import pairwise

import msgspec
import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panel.panels.pack_document import (
    NO_FAMILY_WORDS,
    PackAction,
    PackDocument,
    PackEntry,
    PackFact,
    PackInvolved,
    PackInvolvement,
    PackItem,
    PackOutcome,
    PackPlan,
    PackSection,
    PackWithheld,
    PackWords,
    _pack,
    pack_pdf,
    pack_title,
)

MADE = datetime(2026, 11, 26, 16, 5, tzinfo=UTC)
WITHHELD = PackWithheld(
    "Health",
    "You cannot see the health section. Her mother has not agreed to share it with your agency"
    " (since 3 May 2026).",
    "Ask the coordinator if you need it for this meeting.",
)
PLAN = PackPlan(
    outcomes=(
        PackOutcome(
            "Sleeps two nights in a row",
            "The sleep diary shows two unbroken nights in a week",
            "One night a week since October",
            (
                PackAction("Sleep clinic", "Dr Priya Wren", date(2026, 12, 10), "Booked"),
                PackAction("Ask for a short break", "Rosa Whitlow"),
            ),
        ),
        PackOutcome("Starts Reception with a place that knows her"),
    ),
    summary="So that her mother can sleep.",
    made_by="Rosa Whitlow",
    made_on=date(2026, 6, 18),
    review_on=date(2026, 12, 17),
)
INVOLVED = PackInvolved(
    (
        PackInvolvement("Health visiting", "Rosa Whitlow", since=date(2024, 2, 1)),
        PackInvolvement("Portage", "Beth Amory"),
        PackInvolvement("Marlow Primary School", expected=date(2027, 9, 1)),
    )
)
AMINA = PackItem(
    name="Amina Kestrel",
    age="3 years 2 months",
    starts=time(9, 30),
    minutes=10,
    why="Escalation",
    why_detail="No equipment since 2 September",
    facts=(PackFact("NHS number", "999 054 8609"), PackFact("Lives with", "Mother")),
    family=(
        PackWords("We want two nights of sleep in a row.", "Her mother", date(2026, 11, 20)),
        PackWords("نريد أن تنام ليلتين متتاليتين", "Her father", language="ar"),
    ),
    sections=(
        WITHHELD,
        PackSection(
            "Development",
            (
                PackEntry(
                    "Says about thirty words.\n\nJoins two.",
                    "Speech and language",
                    "Beth Amory, Portage",
                    date(2026, 9, 30),
                    "CAF version 3",
                ),
            ),
        ),
        PackSection("Education", ()),
    ),
    plan=PLAN,
    involved=INVOLVED,
)
THEO = PackItem(
    name="Theo Brambling",
    age="1 year 11 months",
    starts=time(9, 40),
    minutes=10,
    why="New",
    sibling_note="His twin brother Max is a separate item, at 9:50.",
)
MAX = msgspec.structs.replace(THEO, name="Max Brambling", starts=time(9, 50), sibling_note="")
PACK = PackDocument(
    authority="Wexcombe Borough (demo)",
    panel="CONTACTS panel",
    agency="Early Years Inclusion",
    day=date(2026, 12, 3),
    starts=time(9, 30),
    ends=time(11, 30),
    place="Marlow Centre",
    items=(AMINA, THEO, MAX),
)


@pytest.fixture(scope="module")
def pack() -> Iterator[pikepdf.Pdf]:
    with pikepdf.open(BytesIO(pack_pdf(PACK, MADE))) as opened:
        yield opened


def elements(node: object, name: str = "") -> list[pikepdf.Dictionary]:
    """The structure elements below a node, in reading order; of one kind where named."""
    if isinstance(node, pikepdf.Array):
        return [found for child in node for found in elements(child, name)]
    if not isinstance(node, pikepdf.Dictionary):
        return []
    below = elements(node.get("/K"), name)
    return [node, *below] if "/S" in node and name in ("", str(node["/S"])) else below


def untagged(page: pikepdf.Page) -> list[str]:
    """Operators that draw outside both the structure and the artifacts."""
    depth = 0
    found = []
    for _, operator in pikepdf.parse_content_stream(page):
        name = str(operator)
        if name in {"BMC", "BDC"}:
            depth += 1
        elif name == "EMC":
            depth -= 1
        elif name in DRAWING and not depth:
            found.append(name)
    return found


DRAWING = {"Tj", "TJ", "'", '"', "S", "s", "f", "F", "f*", "B", "B*", "b", "b*", "sh", "Do", "BI"}


def test_the_title_says_which_panel_agency_and_day() -> None:
    assert pack_title(PACK) == "CONTACTS panel: pack for Early Years Inclusion, 3 December 2026"


def test_times_and_dates_are_said_as_people_say_them() -> None:
    said = _pack(PACK, datetime(2026, 7, 1, 8, 5, tzinfo=UTC))
    assert {"label": "Time", "value": "9:30 to 11:30"} in said["facts"]
    assert {"label": "Made on", "value": "Wednesday 1 July 2026 at 9:05"} in said["facts"]
    assert said["weekday"] == "Thursday 3 December 2026"


def test_who_wrote_it_and_when() -> None:
    said = _pack(PACK, MADE)["items"][0]
    entry = said["sections"][1]["entries"][0]
    assert entry["from"] == "Written by Beth Amory, Portage, 30 September 2026. CAF version 3"
    assert said["family"][0]["by"] == "Her mother, 20 November 2026"
    assert (
        said["plan"]["made"] == "Rosa Whitlow, 18 June 2026. Review due Thursday 17 December 2026."
    )
    assert [row["span"] for row in said["involved"]["rows"]] == [
        "Since 1 February 2024",
        "Now",
        "Expected from 1 September 2027",
    ]
    actions = said["plan"]["outcomes"][0]["actions"]
    assert [action["by"] for action in actions] == ["10 December 2026", "No date"]


def test_what_is_withheld_is_said_in_its_place() -> None:
    said = _pack(PACK, MADE)["items"][0]["sections"][0]
    assert said == {
        "shown": False,
        "title": "Health",
        "sentence": WITHHELD.sentence,
        "what_to_do": WITHHELD.what_to_do,
    }


def test_plan_people_and_words_can_be_withheld_too() -> None:
    item = msgspec.structs.replace(THEO, plan=WITHHELD, involved=WITHHELD, family=(WITHHELD,))
    pack_pdf(msgspec.structs.replace(PACK, items=(item,)), MADE)


def test_a_family_that_sent_nothing_is_said() -> None:
    assert _pack(PACK, MADE)["items"][1]["family"] == []
    assert _pack(PACK, MADE)["items"][1]["family_missing"] == NO_FAMILY_WORDS


def test_the_same_pack_is_the_same_bytes() -> None:
    assert pack_pdf(PACK, MADE) == pack_pdf(PACK, MADE)


def test_an_empty_pack_is_a_paper() -> None:
    assert pack_pdf(msgspec.structs.replace(PACK, items=()), MADE).startswith(b"%PDF-")


def test_it_says_that_it_is_accessible(pack: pikepdf.Pdf) -> None:
    assert bool(pack.Root.MarkInfo.Marked)
    assert str(pack.Root.Lang) == "en-GB"
    assert bool(pack.Root.ViewerPreferences.DisplayDocTitle)
    with pack.open_metadata() as told:
        assert told["pdfuaid:part"] == "1"
        assert told["dc:title"] == pack_title(PACK)


def test_every_page_is_in_the_structure(pack: pikepdf.Pdf) -> None:
    for page in pack.pages:
        assert "/StructParents" in page
        assert page.get("/Tabs") in (None, "/S")
        assert untagged(page) == []


def test_headings_go_down_one_step_at_a_time(pack: pikepdf.Pdf) -> None:
    levels = [
        int(str(one["/S"])[2:])
        for one in elements(pack.Root.StructTreeRoot)
        if str(one["/S"])[:2] == "/H" and str(one["/S"])[2:].isdigit()
    ]
    assert levels[0] == 1
    assert levels.count(1) == 1 + len(PACK.items)
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_tables_have_header_cells_for_their_columns(pack: pikepdf.Pdf) -> None:
    tables = elements(pack.Root.StructTreeRoot, "/Table")
    assert len(tables) == 3
    for table in tables:
        heads = elements(table, "/TH")
        assert len(heads) >= 3
        scopes = {str(one["/Scope"]) for head in heads for one in head["/A"] if "/Scope" in one}
        assert scopes == {"/Column"}


def test_family_words_are_quotations_in_their_language(pack: pikepdf.Pdf) -> None:
    quotations = elements(pack.Root.StructTreeRoot, "/BlockQuote")
    assert [str(one.get("/Lang", "")) for one in quotations] == ["", "ar"]


def test_there_are_no_pictures_and_every_font_is_inside(pack: pikepdf.Pdf) -> None:
    assert elements(pack.Root.StructTreeRoot, "/Figure") == []
    for page in pack.pages:
        assert not page.get_images()
        for font in page.resources.get("/Font", {}).values():
            below = font["/DescendantFonts"][0]["/FontDescriptor"]
            assert {"/FontFile2", "/FontFile3"} & set(below.keys())


def test_each_child_begins_on_a_page_of_their_own(pack: pikepdf.Pdf) -> None:
    """Siblings too: one child's sheets can be taken out or shredded without another's."""
    with pack.open_outline() as outline:
        begins = [
            (entry.title, pack.pages.index(pikepdf.Page(entry.destination[0])))
            for entry in outline.root
        ]
    assert [title for title, _ in begins][1:] == [item.name for item in PACK.items]
    pages = [page for _, page in begins]
    assert len(set(pages)) == len(pages)


def test_everything_given_can_be_read_in_the_paper() -> None:
    try:
        read = subprocess.run(
            ["pdftotext", "-", "-"], input=pack_pdf(PACK, MADE), capture_output=True, check=True
        ).stdout.decode()
    except FileNotFoundError:
        pytest.skip("pdftotext is not installed")
    read = " ".join(read.split())
    for text in (
        "Pack for Early Years Inclusion",
        "Thursday 26 November 2026 at 16:05",
        "Marlow Centre",
        "Amina Kestrel",
        "3 years 2 months",
        "No equipment since 2 September",
        "We want two nights of sleep in a row.",
        "Her mother, 20 November 2026",
        "999 054 8609",
        WITHHELD.sentence,
        WITHHELD.what_to_do,
        "Not in this pack",
        "So that her mother can sleep.",
        "Says about thirty words.",
        "Joins two.",
        "Written by Beth Amory, Portage, 30 September 2026. CAF version 3",
        "Nothing is recorded yet.",
        "The sleep diary shows two unbroken nights in a week",
        "One night a week since October",
        "10 December 2026",
        "No actions yet.",
        "Expected from 1 September 2027",
        "His twin brother Max is a separate item, at 9:50.",
        NO_FAMILY_WORDS,
        "No plan is in this pack.",
        "Nobody is named in this pack.",
        "Page 3 of 5",
    ):
        assert text in read


def test_someone_elses_validator_agrees() -> None:
    validator = pytest.importorskip("page", reason="needs the page-validation wheel")
    report = validator.validate_pdf_bytes(pack_pdf(PACK, MADE), profile="ua1")
    assert [(failure.rule_id, failure.message) for failure in report.failures] == []
    assert report.is_compliant


@settings(max_examples=25, deadline=None)
@given(text=st.text(max_size=200), language=st.text(max_size=8))
def test_any_text_in_any_place_prints(text: str, language: str) -> None:
    withheld = PackWithheld(text, text, text)
    item = PackItem(
        name=text,
        age=text,
        starts=time(9, 30),
        minutes=1,
        why=text,
        why_detail=text,
        sibling_note=text,
        facts=(PackFact(text, text),),
        family=(PackWords(text, text, language=language), withheld),
        sections=(withheld, PackSection(text, (PackEntry(text, text, text, None, text),))),
        plan=PackPlan((PackOutcome(text, text, text, (PackAction(text, text),)),), text),
        involved=PackInvolved((PackInvolvement(text, text),)),
    )
    document = PackDocument(text, text, text, PACK.day, PACK.starts, PACK.ends, text, (item,), text)
    assert pack_pdf(document, MADE).startswith(b"%PDF-")
