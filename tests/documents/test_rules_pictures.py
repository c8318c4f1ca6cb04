"""Attaching a picture: JPEG, PNG, HEIC and WebP, whole, of a sane size, and nothing besides."""

import struct
import zipfile
import zlib
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from panel.documents.rules import KindOfFile, NotAccepted, kind_of_file


def picture(kind: str, **how: object) -> bytes:
    into = BytesIO()
    Image.new("RGB", (40, 30), "teal").save(into, kind, **how)
    return into.getvalue()


def box(name: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


HEIC = box(b"ftyp", b"heic\0\0\0\0mif1heic") + box(b"meta", b"\0" * 20) + box(b"mdat", b"\1" * 50)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (picture("JPEG"), KindOfFile.JPEG),
        (picture("JPEG", progressive=True), KindOfFile.JPEG),
        (picture("PNG"), KindOfFile.PNG),
        (picture("WEBP"), KindOfFile.WEBP),
        (picture("WEBP", lossless=True), KindOfFile.WEBP),
        (HEIC, KindOfFile.HEIC),
    ],
)
def test_pictures_are_kept(content: bytes, kind: KindOfFile) -> None:
    assert kind_of_file(content) is kind


def test_a_phones_picture_with_a_moment_of_film_after_it_is_kept() -> None:
    assert kind_of_file(picture("JPEG") + box(b"ftyp", b"mp42") * 20) is KindOfFile.JPEG


@pytest.mark.parametrize("content", [picture("JPEG"), picture("PNG"), picture("WEBP"), HEIC])
def test_a_picture_cut_short_is_refused(content: bytes) -> None:
    with pytest.raises(NotAccepted, match="damaged or cut short"):
        kind_of_file(content[:-20])


def test_what_stands_after_the_end_of_a_png_is_refused() -> None:
    with pytest.raises(NotAccepted, match="hidden after its end"):
        kind_of_file(picture("PNG") + b"what was cropped away")


@pytest.mark.parametrize("content", [picture("JPEG"), HEIC])
def test_a_picture_that_is_also_a_zip_is_refused(content: bytes) -> None:
    into = BytesIO()
    with zipfile.ZipFile(into, "w") as packed:
        packed.writestr("a.exe", "MZ")
    hidden = into.getvalue() if content is not HEIC else box(b"free", into.getvalue())
    with pytest.raises(NotAccepted, match="two kinds"):
        kind_of_file(content + hidden)


@pytest.mark.parametrize("text", [b"<script>alert(1)</script>", b"<?php x();", b"<!DOCTYPE html>"])
def test_a_picture_that_is_also_a_page_is_refused(text: bytes) -> None:
    with pytest.raises(NotAccepted, match="two kinds"):
        kind_of_file(picture("JPEG", comment=text))


def png(wide: int, high: int) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        body = name + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", wide, high, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"x") + chunk(b"IEND", b"")


@pytest.mark.parametrize(("wide", "high"), [(100_000, 10), (20_000, 20_000)])
def test_a_picture_too_large_to_show_is_refused(wide: int, high: int) -> None:
    with pytest.raises(NotAccepted, match="too large to show"):
        kind_of_file(png(wide, high))


def test_a_picture_of_nothing_is_refused() -> None:
    with pytest.raises(NotAccepted, match="damaged"):
        kind_of_file(png(0, 10))


def test_a_film_is_not_a_picture() -> None:
    with pytest.raises(NotAccepted, match="film"):
        kind_of_file(box(b"ftyp", b"isom\0\0\0\0mp42") + box(b"mdat", b"x"))


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "BMP"])
def test_other_pictures_are_named(kind: str) -> None:
    with pytest.raises(NotAccepted, match="picture, which Panel does not keep"):
        kind_of_file(picture(kind))


STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"\0\0\0\x18ftyp", b"RIFF\4\0\0\0WEBP")


def outcome(content: bytes) -> str:
    """What is said of a file: the words for its kind, or the sentence of the refusal."""
    try:
        return f"Kept as {kind_of_file(content).words}."
    except NotAccepted as refused:
        return refused.sentence


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(STARTS), st.binary(max_size=300))
def test_nothing_that_begins_as_a_picture_crashes(start: bytes, rest: bytes) -> None:
    assert outcome(start + rest).endswith(".")
