"""The joint report: PDF/UA from published cells alone, the same bytes for the same release."""

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any

import pikepdf
import pytest

from panel.insight import report
from panel.insight.core.ledger import append, canonical
from panel.insight.core.written import rules_of
from panel.insight.release_files import files_of
from panel.insight.report import Report, content
from panel.insight.saying import BANNER, INVENTED, Areas
from tests.insight.a_release import NAMES, TERM, release, seen
from tests.insight.invented_children import GRID
from tests.insight.put_out import NOT_ATTACKED, square


@pytest.fixture(scope="module")
def made() -> Report:
    """The report of a release."""
    out = release()
    files = files_of(out, Areas.of(NAMES, GRID.clusters))
    entry = append(
        None, TERM, files, canonical(rules_of(out.rules)), NOT_ATTACKED,
        made_at="2026-12-22T09:00:00+00:00", sign=lambda _: bytes(64), key="a" * 64,
    )  # fmt: skip
    drawn = tuple((code, str(square(at)).replace("'", '"')) for at, code in enumerate(NAMES))
    return Report("Testshire", INVENTED, seen(boundaries=drawn), out.rules, out.error, entry)


@pytest.fixture(scope="module")
def file(made: Report) -> bytes:
    """Its file."""
    return report.pdf(made)


def tagged(one: Any) -> Iterator[Any]:
    """Every element of a structure tree."""
    if isinstance(one, pikepdf.Array):
        for inner in one:
            yield from tagged(inner)
    elif isinstance(one, pikepdf.Dictionary) and "/S" in one:
        yield one
        if "/K" in one:
            yield from tagged(one.K)


def test_it_is_tagged_with_language_title_and_what_charts_show(made: Report, file: bytes) -> None:
    with pikepdf.open(BytesIO(file)) as opened:
        assert opened.Root.MarkInfo.Marked
        assert str(opened.Root.Lang) == "en-GB"
        assert opened.Root.ViewerPreferences.DisplayDocTitle
        assert str(opened.docinfo["/Title"]) == made.title
        assert str(opened.docinfo["/CreationDate"]).startswith("D:20261222090000")
        with opened.open_metadata() as metadata:
            assert metadata["pdfuaid:part"] == "1"
        elements = list(tagged(opened.Root.StructTreeRoot.K))
        drawn = [one for one in elements if str(one.S) == "/Figure"]
        said = [str(one.Alt) for one in drawn]
    kinds = [str(one.S) for one in elements]
    given = content(made)
    blocks = [block for question in _list(given["questions"]) for block in question["blocks"]]
    charts = [block["alt"] for block in blocks if block["chart"]]
    assert len(charts) > 4
    assert said == charts
    assert all(one.startswith(("Where", "Which", "Why", "What", "Who")) for one in said)
    assert kinds.count("/Table") >= len([one for one in blocks if one["rows"]])
    assert {"/H1", "/H2", "/TH", "/L"} <= set(kinds)


def test_the_same_release_is_the_same_bytes(made: Report, file: bytes) -> None:
    assert report.pdf(made) == file


def test_it_says_what_the_pages_say_how_to_read_it_and_what_was_signed(made: Report) -> None:
    given = content(made)
    assert (given["notice"], given["invented"]) == (BANNER, INVENTED)
    assert [one["title"] for one in _list(given["questions"])] == [
        "Where is need not met?", "Who waits longest?", "What does an outcome cost?",
        "Which gap would a new service fill?",
    ]  # fmt: skip
    signed = {one["label"]: one["value"] for one in _list(given["ledger"])}
    assert signed["Digest of its files"] == made.entry.cells
    assert signed["Public key"] == "a" * 64
    assert signed["Release"] == "1"


def test_a_drawing_is_put_together_again_as_it_was(made: Report) -> None:
    [first, *_] = [
        block
        for question in _list(content(made)["questions"])
        for block in question["blocks"]
        if block["chart"]
    ]
    whole = "".join(first["chart"])
    assert whole.startswith("<svg font-family=")
    assert whole.endswith("</svg>")
    assert max(map(len, first["chart"])) <= 40


def test_a_release_without_figures_makes_a_report_too(made: Report) -> None:
    empty = replace(made, seen=replace(made.seen, cells={}), invented="")
    assert report.pdf(empty).startswith(b"%PDF-")


def _list(value: object) -> list[dict[str, Any]]:
    assert isinstance(value, list)
    return value
