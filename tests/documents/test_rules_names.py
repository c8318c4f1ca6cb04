"""A file's name is made safe to show and to save, and ends as the file really is."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.documents.rules import LONGEST_NAME, KindOfFile, clean_file_name


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Letter to school.pdf", "Letter to school.pdf"),
        ("Zażółć.PDF", "Zażółć.pdf"),
        ("C:\\letters\\Amina.exe", "Amina.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("letter.pdf.exe", "letter.pdf"),
        ("letter.docx", "letter.pdf"),
        ("Report v1.2", "Report v1.2.pdf"),
        ("photo\u202egpj.exe", "photogpj.pdf"),
        ("a\x00b\nc.pdf", "ab c.pdf"),
        ('a<b>:"c|d?*.pdf', "a b c d.pdf"),
        (".htaccess", "htaccess.pdf"),
        ("con", "document con.pdf"),
        ("", "document.pdf"),
        ("...", "document.pdf"),
        (".pdf", "document.pdf"),
        ("\u200b\u2066", "document.pdf"),
    ],
)
def test_names(name: str, kept: str) -> None:
    assert clean_file_name(name, KindOfFile.PDF) == kept


def test_a_picture_gets_a_pictures_ending() -> None:
    assert clean_file_name("holiday.jpeg", KindOfFile.JPEG) == "holiday.jpg"
    assert clean_file_name("letter.pdf", KindOfFile.WORD) == "letter.docx"


@given(st.text(), st.sampled_from(KindOfFile))
def test_any_name_becomes_a_safe_one(name: str, kind: KindOfFile) -> None:
    kept = clean_file_name(name, kind)
    assert kept.endswith(kind.ending)
    assert len(kind.ending) < len(kept) <= LONGEST_NAME + len("document ")
    assert len(kept.encode()) <= 255
    assert not set(kept) & set('/\\<>:"|?*\n\r\t')
    assert not kept.startswith((".", " "))
    assert all(unicodedata.category(sign) not in {"Cc", "Cf", "Cs"} for sign in kept)
    assert clean_file_name(kept, kind) == kept
