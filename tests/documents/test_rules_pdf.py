"""Attaching a PDF: a plain one is kept; one that can act, hide or carry is refused."""

import zlib
from io import BytesIO

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panel.documents.rules import KindOfFile, NotAccepted, kind_of_file


def plain() -> pikepdf.Pdf:
    pdf = pikepdf.new()
    pdf.add_blank_page()
    return pdf


def saved(pdf: pikepdf.Pdf, **how: object) -> bytes:
    into = BytesIO()
    pdf.save(into, **how)
    return into.getvalue()


def script() -> pikepdf.Dictionary:
    return pikepdf.Dictionary(
        S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)"), Type=pikepdf.Name.Action
    )


def test_a_plain_pdf_is_kept() -> None:
    assert kind_of_file(saved(plain())) is KindOfFile.PDF


def test_a_packed_pdf_is_kept() -> None:
    packed = saved(plain(), object_stream_mode=pikepdf.ObjectStreamMode.generate)
    assert b"/ObjStm" in packed
    assert kind_of_file(packed) is KindOfFile.PDF


@pytest.mark.parametrize("mode", list(pikepdf.ObjectStreamMode))
def test_a_script_is_refused_wherever_it_is_kept(mode: pikepdf.ObjectStreamMode) -> None:
    pdf = plain()
    pdf.Root.OpenAction = pdf.make_indirect(script())
    with pytest.raises(NotAccepted, match="can run a program"):
        kind_of_file(saved(pdf, object_stream_mode=mode))


def test_a_script_under_another_spelling_is_refused() -> None:
    pdf = plain()
    pdf.Root.OpenAction = script()
    disguised = saved(pdf).replace(b"/JavaScript", b"/J#61vaScri#70t")
    with pytest.raises(NotAccepted, match="can run a program"):
        kind_of_file(disguised)


def test_a_program_to_start_is_refused() -> None:
    pdf = plain()
    pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.Launch, F=pikepdf.String("cmd.exe"))
    with pytest.raises(NotAccepted, match="can run a program"):
        kind_of_file(saved(pdf))


def test_files_inside_are_refused() -> None:
    pdf = plain()
    pdf.attachments["payload.exe"] = b"MZ"
    with pytest.raises(NotAccepted, match="other files inside"):
        kind_of_file(saved(pdf))


def test_a_locked_pdf_is_refused() -> None:
    locked = saved(plain(), encryption=pikepdf.Encryption(owner="o", user="u"))
    with pytest.raises(NotAccepted, match="locked"):
        kind_of_file(locked)


def test_a_pdf_cut_short_is_refused() -> None:
    with pytest.raises(NotAccepted, match="damaged or cut short"):
        kind_of_file(saved(plain())[:-40])
    with pytest.raises(NotAccepted, match="damaged or cut short"):
        kind_of_file(b"%PDF-")


def test_objects_packed_to_blow_up_are_refused() -> None:
    bomb = zlib.compress(b"\0" * 50_000_000)
    content = (
        b"%PDF-1.7\n1 0 obj\n<</Type/ObjStm/N 1/First 4/Filter/FlateDecode>>\nstream\n"
        + bomb
        + b"\nendstream\nendobj\n%%EOF"
    )
    with pytest.raises(NotAccepted, match="cannot be checked"):
        kind_of_file(content)


def test_a_pdf_that_is_also_a_web_page_is_refused() -> None:
    whole = saved(plain())
    with pytest.raises(NotAccepted, match="two kinds"):
        kind_of_file(whole[:9] + b"%<script>alert(1)</script>\n" + whole[9:])


def outcome(content: bytes) -> str:
    """What is said of a file: the words for its kind, or the sentence of the refusal."""
    try:
        return f"Kept as {kind_of_file(content).words}."
    except NotAccepted as refused:
        return refused.sentence


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_nothing_that_begins_as_a_pdf_crashes(rest: bytes) -> None:
    for content in (b"%PDF-1.7\n" + rest, b"%PDF-1.7 /ObjStm/Filter stream\n" + rest + b"%%EOF"):
        assert outcome(content).endswith(".")
