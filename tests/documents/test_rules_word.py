"""Attaching a Word document: .docx without macros is kept; what can act, lie or swell is not."""

import zipfile
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panel.documents.rules import KindOfFile, NotAccepted, kind_of_file

MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
MACROS = "application/vnd.ms-word.document.macroEnabled.main+xml"
TEMPLATE = "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml"


def word(main: str = MAIN, packing: int = zipfile.ZIP_DEFLATED, **more: str) -> bytes:
    """A small document; `more` adds parts, with "__" for "/"."""
    into = BytesIO()
    with zipfile.ZipFile(into, "w", packing) as packed:
        packed.writestr("[Content_Types].xml", f'<Types><Override ContentType="{main}"/></Types>')
        packed.writestr("word/document.xml", "<w:document/>")
        for name, text in more.items():
            packed.writestr(name.replace("__", "/"), text)
    return into.getvalue()


def relation(kind: str, target: str) -> str:
    return (
        f'<Relationships><Relationship Type="http://schemas.example/relationships/{kind}"'
        f' Target="{target}" TargetMode="External"/></Relationships>'
    )


def test_a_word_document_is_kept() -> None:
    assert kind_of_file(word()) is KindOfFile.WORD
    assert kind_of_file(word(packing=zipfile.ZIP_STORED)) is KindOfFile.WORD


def test_a_chart_and_a_link_are_kept() -> None:
    content = word(
        **{
            "word__embeddings__Sheet1.xlsx": "PK",
            "word___rels__document.xml.rels": relation("hyperlink", "https://example.org/"),
        }
    )
    assert kind_of_file(content) is KindOfFile.WORD


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (word(MACROS), "macros"),
        (word(**{"word__vbaProject.bin": "x"}), "macros"),
        (word(**{"word__VBAPROJECT.BIN": "x"}), "macros"),
        (word(TEMPLATE), "template"),
        (word(**{"word__embeddings__oleObject1.bin": "x"}), "inside it"),
        (word(**{"word__activeX__activeX1.xml": "x"}), "inside it"),
        (word(packing=zipfile.ZIP_LZMA), "not as Word makes it"),
    ],
)
def test_what_can_act_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(NotAccepted, match=says):
        kind_of_file(content)


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/a.dotm", "\\\\evil\\share\\a.dotm", "file://evil/a", "http&#58;//evil/"],
)
def test_a_template_from_elsewhere_is_refused(target: str) -> None:
    content = word(**{"word___rels__settings.xml.rels": relation("attachedTemplate", target)})
    with pytest.raises(NotAccepted, match="from elsewhere"):
        kind_of_file(content)


def test_a_template_on_the_writers_own_computer_is_kept() -> None:
    own = relation("attachedTemplate", "file:///C:\\Users\\rosa\\Normal.dotm")
    assert kind_of_file(word(**{"word__settings.xml.rels": own})) is KindOfFile.WORD


def test_a_zip_bomb_is_refused_by_what_it_declares() -> None:
    with pytest.raises(NotAccepted, match="unpacks to far more"):
        kind_of_file(word(**{"word__media.bin": "\0" * 20_000_000}))


def test_a_zip_of_many_parts_is_refused() -> None:
    with pytest.raises(NotAccepted, match="unpacks to far more"):
        kind_of_file(word(**{f"p{number}": "" for number in range(2_001)}))


def test_a_part_that_says_it_is_small_is_not_read_past_that() -> None:
    whole = bytearray(word(**{"word___rels__a.rels": "x" * 50_000}))
    for sign in (b"PK\x01\x02", b"PK\x03\x04"):
        size_at = 24 if sign == b"PK\x01\x02" else 22
        at = whole.rindex(sign)
        whole[at + size_at : at + size_at + 4] = (10).to_bytes(4, "little")
    with pytest.raises(NotAccepted, match="damaged"):
        kind_of_file(bytes(whole))


def test_a_locked_part_is_refused() -> None:
    whole = bytearray(word())
    at = whole.index(b"PK\x01\x02")
    whole[at + 8] |= 1
    with pytest.raises(NotAccepted, match="password"):
        kind_of_file(bytes(whole))


def test_a_document_with_something_before_it_is_refused() -> None:
    with pytest.raises(NotAccepted):
        kind_of_file(b"MZ" + word())
    with pytest.raises(NotAccepted, match="not as Word makes it"):
        kind_of_file(b"PK\x03\x04 something first " + word())


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        (("[Content_Types].xml", "xl/workbook.xml"), "spreadsheet"),
        (("[Content_Types].xml", "ppt/presentation.xml"), "slides"),
        (("mimetype", "content.xml"), "OpenDocument"),
        (("a.exe",), "zip file"),
        ((), "zip file"),
    ],
)
def test_other_packages_are_named(parts: tuple[str, ...], says: str) -> None:
    into = BytesIO()
    with zipfile.ZipFile(into, "w") as packed:
        for name in parts:
            packed.writestr(name, "x")
    with pytest.raises(NotAccepted, match=says):
        kind_of_file(into.getvalue())


@pytest.mark.parametrize(
    ("stream", "says"),
    [("WordDocument", "old Word file"), ("EncryptedPackage", "password"), ("Workbook", "office")],
)
def test_old_office_files_are_told_how_to_be_saved(stream: str, says: str) -> None:
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512 + stream.encode("utf-16-le")
    with pytest.raises(NotAccepted, match=says):
        kind_of_file(content)


def outcome(content: bytes) -> str:
    """What is said of a file: the words for its kind, or the sentence of the refusal."""
    try:
        return f"Kept as {kind_of_file(content).words}."
    except NotAccepted as refused:
        return refused.sentence


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_damaged_document_never_crashes(data: st.DataObject) -> None:
    whole = bytearray(word())
    for at, byte in data.draw(
        st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), max_size=8)
    ):
        whole[at] = byte
    end = data.draw(st.integers(1, len(whole)))
    assert outcome(bytes(whole[:end])).endswith(".")
