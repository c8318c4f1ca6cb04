"""What a file really is, told by its content, and whether Panel keeps it.

Pure: bytes in, a kind or a refusal in one sentence out. The name and the type that a browser sends
are not believed. Kept are PDF, Word (.docx) and pictures (JPEG, PNG, HEIC, WebP). Refused are files
that can act when they are opened, files that are two things at once, and files nobody can check:

- an old Word file (.doc), since its macros cannot be told apart from its text without a parser of
  its own; Word saves it as .docx in two clicks;
- anything locked with a password;
- a PDF with scripts, programs to start, or other files inside;
- GIF and TIFF pictures, films, sheets and slides: better as PDF.
"""

from __future__ import annotations

import html
import io
import re
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from enum import Enum
from itertools import chain

LIMIT = 10 * 1024 * 1024
"""Bytes a file may have where an authority has set nothing else."""
LONGEST_NAME = 120

_ADVICE = "Attach a PDF, a Word document (.docx) or a picture (JPEG, PNG, HEIC or WebP)."
_MOST_PARTS = 2_000
_MOST_UNPACKED = 100 * 1024 * 1024
_MOST_TIMES_SMALLER = 200
_MOST_READ = 4 * 1024 * 1024
_WIDEST = 30_000
_MOST_PIXELS = 250_000_000
_MOST_BLOCKS = 50_000
"""Parts that a picture is made of: of a whole one some hundreds."""


class KindOfFile(Enum):
    """A kind that is kept: media type, the ending its name gets, and what people call it."""

    PDF = ("application/pdf", ".pdf", "PDF")
    WORD = (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ".docx",
        "Word document",
    )
    JPEG = ("image/jpeg", ".jpg", "JPEG picture")
    PNG = ("image/png", ".png", "PNG picture")
    HEIC = ("image/heic", ".heic", "HEIC picture")
    WEBP = ("image/webp", ".webp", "WebP picture")

    def __init__(self, media_type: str, ending: str, words: str) -> None:
        self.media_type = media_type
        self.ending = ending
        self.words = words


class NotAccepted(Exception):
    """A file that Panel does not keep; `sentence` says why and what to do instead."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)


def kind_of_file(content: bytes, limit: int = LIMIT) -> KindOfFile:
    """The kind of a file that may be kept. `limit` is in bytes. Raises NotAccepted."""
    if not content:
        raise NotAccepted("This file is empty. Check that it opens on your computer first.")
    if len(content) > limit:
        raise NotAccepted(
            f"This file is {_size(len(content))} and may have at most {_size(limit)}."
            " Save it smaller, or attach it in parts."
        )
    for begins_as, check in _CHECKS:
        if begins_as(content):
            return check(content)
    raise NotAccepted(_what_else(content))


def clean_file_name(name: str, kind: KindOfFile) -> str:
    """A name that is safe to show and to save: no folders, no hidden characters, the true ending.

    At most 120 characters. "C:\\\\letters\\\\Amina.exe" for a PDF becomes "Amina.pdf".
    """
    readable = name.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", readable))[-1]
    visible = "".join(
        " " if sign.isspace() else sign
        for sign in last
        if sign.isspace() or unicodedata.category(sign) not in {"Cc", "Cf", "Co", "Cn", "Cs"}
    )
    plain = " ".join(re.sub(r'[<>:"|?*]', " ", visible).split())
    stem = plain.rstrip(". ")
    while (ending := _KNOWN_ENDING.search(stem)) is not None:
        stem = stem[: ending.start()].rstrip(". ")
    # 200 bytes: file systems count bytes, and refuse more than 255.
    stem = (
        stem.lstrip(". ")[: LONGEST_NAME - len(kind.ending)].encode()[:200].decode(errors="ignore")
    )
    stem = stem.rstrip(". ")
    if _DEVICE.fullmatch(stem):
        stem = f"document {stem}"
    return (stem or "document") + kind.ending


_DEVICE = re.compile(r"con|prn|aux|nul|(?:com|lpt)\d", re.IGNORECASE)


_KNOWN_ENDING = re.compile(
    r"\.(?:pdf|docx?|docm|dotm?x?|jpe?g|jfif|png|hei[cf]|webp|gif|tiff?|bmp|svg|html?|xml|txt|rtf"
    r"|exe|com|scr|bat|cmd|ps1|vbs|js|jar|msi|lnk|sh|app|zip|rar|7z|gz|iso|xlsx?|xlsm|pptx?)$",
    re.IGNORECASE,
)


def _size(size: int) -> str:
    if size < 1024 * 1024:
        return f"{max(size // 1024, 1)} KB"
    return f"{size / 1024 / 1024:.1f}".removesuffix(".0") + " MB"


# PDF


_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_RUNS = re.compile(rb"/(?:JavaScript|Launch|RichMedia|ImportData|SubmitForm)(?![A-Za-z])")
_CARRIES = re.compile(rb"/(?:EmbeddedFiles?|GoToE|Collection)(?![A-Za-z])")
_STREAM = re.compile(rb"(?P<end>end)?stream(?:\r?\n)?")


def _pdf(content: bytes) -> KindOfFile:
    if not re.match(rb"%PDF-[12]\.\d", content) or b"%%EOF" not in content[-1024:]:
        raise NotAccepted("This PDF is damaged or cut short. Save it again and attach the new one.")
    _refuse_second_nature(content, content[:1024])
    reading = _PdfReading(content)
    told = reading.unescaped(content)
    if re.search(rb"/Encrypt(?![A-Za-z])", told):
        raise NotAccepted(
            "This PDF is locked, so nobody can check it. Save it without a password and attach"
            " that."
        )
    for part in (told, *reading.packed_objects()):
        if _RUNS.search(part):
            raise NotAccepted(
                "This PDF can run a program or send data when it is opened."
                " Print it to a new PDF and attach that."
            )
        if _CARRIES.search(part):
            raise NotAccepted(
                "This PDF has other files inside it. Attach each file by itself,"
                " or print it to a new PDF and attach that."
            )
    return KindOfFile.PDF


_MOST_ESCAPED = 200_000
"""Signs written as #41 in one PDF: its names are short, and packed pictures have some by chance."""
_PIECE = 256
_MOST_TIMES_DEFLATED = 1032
"""The most that deflate makes of one byte."""
_UNCHECKED_PDF = (
    "This PDF is packed in a way that cannot be checked. Print it to a new PDF and attach that."
)


class _PdfReading:
    """One PDF as it is looked through: how much of it was unpacked is counted over all its parts.

    A file of 10 MB whose parts each asked for a little work held a process for minutes.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._read = 0
        self._escaped = 0

    def unescaped(self, part: bytes) -> bytes:
        """The part with names as readers see them. Raises NotAccepted for too many of them."""
        plain, count = _ESCAPED.subn(
            lambda found: bytes((int(found[1], 16),)), part, count=_MOST_ESCAPED
        )
        self._escaped += count
        if self._escaped >= _MOST_ESCAPED:
            raise NotAccepted(_UNCHECKED_PDF)
        return plain

    def packed_objects(self) -> Iterator[bytes]:
        """What stands in compressed object streams, where a script can hide from a plain search.

        Such a stream says /ObjStm; one that only has the /First of such a stream is looked at as
        well, since lenient readers open it.
        """
        content, packed = self._content, memoryview(self._content)
        head_from = 0
        end = 0
        for start in _STREAM.finditer(content):
            head = self.unescaped(content[head_from : start.start()])
            head_from = start.end()
            says_so = b"/ObjStm" in head
            if start["end"] or b"/Filter" not in head or not (says_so or b"/First" in head):
                continue  # what is not compressed has been seen by the plain search
            if end < head_from:
                end = content.find(b"endstream", head_from)
                if end < 0:
                    raise NotAccepted(_UNCHECKED_PDF)
            unpacked, whole = self._inflated(packed[head_from:end])
            if says_so and not whole:
                raise NotAccepted(_UNCHECKED_PDF)
            yield self.unescaped(unpacked)

    def _inflated(self, packed: memoryview) -> tuple[bytes, bool]:
        """The first part of what was compressed, and whether that was all of it."""
        machine = zlib.decompressobj()
        parts: list[bytes] = []
        left = _MOST_READ
        # By itself the beginning tells what is not compressed so, at no cost.
        for at in chain((0,), range(2, len(packed), _PIECE)):
            piece = packed[at : at + _PIECE] if at else packed[:2]
            try:
                part = machine.decompress(piece, left)
            except zlib.error:
                self._count(_PIECE * _MOST_TIMES_DEFLATED if at else 0)
                break
            self._count(len(part))
            parts.append(part)
            left -= len(part)
            if machine.eof or not left:
                break
        return b"".join(parts), machine.eof

    def _count(self, unpacked: int) -> None:
        self._read += unpacked
        if self._read > _MOST_UNPACKED:
            raise NotAccepted(_UNCHECKED_PDF)


# Word


def _zip(content: bytes) -> KindOfFile:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            return _word(packed)
    except (zipfile.BadZipFile, zlib.error, struct.error, ValueError, OSError) as broken:
        raise NotAccepted("This file is damaged. Save it again and attach the new one.") from broken
    except (NotImplementedError, RuntimeError, EOFError) as strange:
        raise NotAccepted("This file is packed in a way that cannot be checked.") from strange


_NOT_WORDS_OWN = "This Word file is not as Word makes it. Save it again in Word."
_WORDS_PACKING = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


def _word(packed: zipfile.ZipFile) -> KindOfFile:
    parts = packed.infolist()
    names = [part.filename.lower() for part in parts]
    _refuse_bomb(parts)
    if "[content_types].xml" not in names or "word/document.xml" not in names:
        raise NotAccepted(_other_package(names))
    if (
        len(set(names)) != len(names)
        or min(part.header_offset for part in parts) != 0
        or any(part.compress_type not in _WORDS_PACKING for part in parts)
    ):
        raise NotAccepted(_NOT_WORDS_OWN)
    if any(part.flag_bits & 0x1 for part in parts):
        raise NotAccepted("This file is locked with a password. Save it without one.")
    types = _read(packed, parts[names.index("[content_types].xml")])
    if b"macroenabled" in types.lower() or any("vba" in name for name in names):
        raise NotAccepted(
            "This Word file has macros, small programs. Save it as a Word document (.docx) without"
            " macros, or as a PDF."
        )
    if b"wordprocessingml.document.main+xml" not in types:
        raise NotAccepted("This is a Word template, not a document. Save it as a .docx document.")
    if any(_is_alive(name) for name in names):
        raise NotAccepted(
            "This Word file has other files or controls inside it. Save it as a PDF and attach"
            " that."
        )
    relations = [part for part in parts if part.filename.lower().endswith(".rels")]
    if sum(part.file_size for part in relations) > _MOST_READ:
        raise NotAccepted(_NOT_WORDS_OWN)
    if any(_fetches(_read(packed, part)) for part in relations):
        raise NotAccepted(
            "This Word file fetches a part of itself from elsewhere. Save it as a PDF instead."
        )
    if any(_declares_entities(packed, part) for part in parts):
        raise NotAccepted(_NOT_WORDS_OWN)
    return KindOfFile.WORD


_LONGEST_PROLOGUE = 4096
_ROOT = re.compile(rb"<[A-Za-z_]")


def _declares_entities(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    """Whether a part begins with a document type, by which texts swell or are fetched.

    Word writes none. What stands before the first element is short: where it is not, nobody knows
    what hides there.
    """
    if not part.filename.lower().endswith((".xml", ".rels", ".vml")) or not part.file_size:
        return False
    with packed.open(part) as opened:
        begins = opened.read(_LONGEST_PROLOGUE).replace(b"\x00", b"")  # UTF-16 as well
    root = _ROOT.search(begins)
    if root is None:
        return part.file_size >= _LONGEST_PROLOGUE or b"<!" in begins
    return b"<!doctype" in begins[: root.start()].lower()


_TAG = re.compile(r"<[^<>]*>")
_LIVE_LINK = re.compile(
    r"/(?:attachedTemplate|oleObject|frame|subDocument|aFChunk|control)[\"']", re.IGNORECASE
)
_ELSEWHERE = re.compile(
    r"Target\s{0,9}=\s{0,9}[\"']\s{0,9}(?:https?:|ftp:|mhtml:|\\\\|//|file:/*[\\/]{0,2}[^/\\:]+[\\/])",
    re.IGNORECASE,
)


def _fetches(relations: bytes) -> bool:
    """Whether opening the document would load a template or an object from another computer."""
    tags = (html.unescape(tag) for tag in _TAG.findall(relations.decode("utf-8", "replace")))
    return any(_LIVE_LINK.search(tag) and _ELSEWHERE.search(tag) for tag in tags)


def _refuse_bomb(parts: list[zipfile.ZipInfo]) -> None:
    """By the declared sizes; nothing else is unpacked than a few small parts, each with a cap."""
    declared = sum(part.file_size for part in parts)
    swollen = any(
        part.file_size > _MOST_READ
        and part.file_size > _MOST_TIMES_SMALLER * max(part.compress_size, 1)
        for part in parts
    )
    if len(parts) > _MOST_PARTS or declared > _MOST_UNPACKED or swollen:
        raise NotAccepted("This file unpacks to far more than it should, so it was not opened.")


def _read(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> bytes:
    with packed.open(part) as opened:
        text = opened.read(_MOST_READ + 1)
    if len(text) > _MOST_READ:
        raise NotAccepted("This file unpacks to far more than it should, so it was not opened.")
    if b"\x00" in text:  # in another encoding than the one searched below
        raise NotAccepted(_NOT_WORDS_OWN)
    return text


def _is_alive(name: str) -> bool:
    if name.startswith(("word/activex/", "customui/")):
        return True
    return name.startswith("word/embeddings/") and not name.endswith((".xlsx", "/"))


def _other_package(names: list[str]) -> str:
    if any(name.startswith("xl/") for name in names):
        return f"This is a spreadsheet. Save it as a PDF. {_ADVICE}"
    if any(name.startswith("ppt/") for name in names):
        return f"This is a set of slides. Save it as a PDF. {_ADVICE}"
    if "mimetype" in names:
        return f"This is an OpenDocument or e-book file. Save it as a PDF or .docx. {_ADVICE}"
    return f"This is a zip file. Unpack it and attach each file by itself. {_ADVICE}"


# Pictures


def _jpeg(content: bytes) -> KindOfFile:
    at = 2
    size: tuple[int, int] | None = None
    for _ in range(_MOST_BLOCKS):
        if at + 4 > len(content) or content[at] != 0xFF:
            break
        marker = content[at + 1]
        if marker == 0xFF:  # padding before a marker
            at += 1
            continue
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        if marker in _JPEG_FRAMES and at + 9 <= len(content):
            high, wide = struct.unpack(">HH", content[at + 5 : at + 9])
            size = (wide, high)
        if marker == 0xDA or length < 2:
            break
        at += 2 + length
    if size is None or b"\xff\xda" not in content[at : at + 2] or b"\xff\xd9" not in content[at:]:
        raise NotAccepted(_DAMAGED_PICTURE)
    _refuse_second_nature(content, content[:4096] + content[-4096:])
    _refuse_huge_picture(*size)
    return KindOfFile.JPEG


_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_DAMAGED_PICTURE = (
    "This picture is damaged or cut short. Save or take it again and attach the new one."
)


def _png(content: bytes) -> KindOfFile:
    at = 8
    size: tuple[int, int] | None = None
    has_picture = False
    for _ in range(_MOST_BLOCKS):
        if at + 12 > len(content):
            break
        length, name = struct.unpack(">I4s", content[at : at + 8])
        end = at + 12 + length
        if end > len(content):
            break
        sound = int.from_bytes(content[end - 4 : end], "big")
        if zlib.crc32(content[at + 4 : end - 4]) != sound or (at == 8) != (name == b"IHDR"):
            break
        if name == b"IHDR" and length == 13:
            wide, high = struct.unpack(">II", content[at + 8 : at + 16])
            size = (wide, high)
        has_picture = has_picture or name == b"IDAT"
        at = end
        if name == b"IEND":
            return _whole_png(content, at, size if has_picture else None)
    raise NotAccepted(_DAMAGED_PICTURE)


def _whole_png(content: bytes, end: int, size: tuple[int, int] | None) -> KindOfFile:
    if size is None:
        raise NotAccepted(_DAMAGED_PICTURE)
    if end != len(content):
        # Left-overs after the end have held what somebody believed they had cropped away.
        raise NotAccepted(
            "This picture has something hidden after its end. Save it again and attach the new one."
        )
    _refuse_second_nature(content, content[:4096] + content[-4096:])
    _refuse_huge_picture(*size)
    return KindOfFile.PNG


def _boxes(content: bytes) -> KindOfFile:
    """The family of HEIC and films: boxes one after the other that fill the file."""
    first = int.from_bytes(content[:4], "big")
    brands = {content[8:12], *(content[at : at + 4] for at in range(16, min(first, 256), 4))}
    if not brands & _HEIC_BRANDS:
        raise NotAccepted(f"This is a film, a sound or an unusual picture. {_ADVICE}")
    at = 0
    names = []
    for _ in range(_MOST_BLOCKS):
        if at + 8 > len(content):
            break
        length, name = struct.unpack(">I4s", content[at : at + 8])
        if length == 1 and at + 16 <= len(content):
            length = int.from_bytes(content[at + 8 : at + 16], "big")
        elif length == 0:
            length = len(content) - at
        if length < 8:
            break
        names.append(name)
        at += length
    if at != len(content) or b"meta" not in names:
        raise NotAccepted(_DAMAGED_PICTURE)
    _refuse_second_nature(content, content[:4096] + content[-4096:])
    for told in _HEIC_SIZE.finditer(content):
        _refuse_huge_picture(*struct.unpack(">II", told[1]))
    return KindOfFile.HEIC


_HEIC_SIZE = re.compile(rb"\x00\x00\x00\x14ispe\x00{4}(.{8})", re.DOTALL)
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis"})


def _webp(content: bytes) -> KindOfFile:
    told = int.from_bytes(content[4:8], "little") + 8
    if told != len(content) or content[12:16] not in {b"VP8 ", b"VP8L", b"VP8X"}:
        raise NotAccepted(_DAMAGED_PICTURE)
    _refuse_second_nature(content, content[:4096] + content[-4096:])
    _refuse_huge_picture(*_webp_size(content))
    return KindOfFile.WEBP


def _webp_size(content: bytes) -> tuple[int, int]:
    if len(content) < 30:
        raise NotAccepted(_DAMAGED_PICTURE)
    if content[12:16] == b"VP8X":
        wide, high = content[24:27], content[27:30]
        return int.from_bytes(wide, "little") + 1, int.from_bytes(high, "little") + 1
    if content[12:16] == b"VP8L":
        told = int.from_bytes(content[21:25], "little")
        return (told & 0x3FFF) + 1, (told >> 14 & 0x3FFF) + 1
    wide, high = struct.unpack("<HH", content[26:30])
    return wide & 0x3FFF, high & 0x3FFF


def _refuse_huge_picture(wide: int, high: int) -> None:
    if not wide or not high:
        raise NotAccepted(_DAMAGED_PICTURE)
    if max(wide, high) > _WIDEST or wide * high > _MOST_PIXELS:
        raise NotAccepted(
            f"This picture is {wide} by {high} points, too large to show. Save it smaller."
        )


# Everything else


_SECOND = re.compile(rb"<script|<\?php|<html|<!doctype\s+html|<svg[\s>]", re.IGNORECASE)


def _refuse_second_nature(content: bytes, looked_at: bytes) -> None:
    """A file that is also a zip or a web page does different things in different programs."""
    if zipfile.is_zipfile(io.BytesIO(content)) or _SECOND.search(looked_at):
        raise NotAccepted(
            "This file is two kinds of file in one, which is how harmful files hide."
            " Save it again from the program that made it."
        )


def _old_office(content: bytes) -> KindOfFile:
    def holds(stream: str) -> bool:
        return stream.encode("utf-16-le") in content

    if holds("EncryptedPackage"):
        raise NotAccepted("This file is locked with a password. Save it without one.")
    if holds("WordDocument"):
        raise NotAccepted(
            "This is an old Word file (.doc). Open it, save it as a Word document (.docx) or a PDF,"
            " and attach that."
        )
    raise NotAccepted(f"This is an old office or e-mail file. Save it as a PDF. {_ADVICE}")


def _what_else(content: bytes) -> str:
    for beginning, words in _KNOWN:
        if content.startswith(beginning):
            return f"This is {words}, which Panel does not keep. {_ADVICE}"
    start = content[:4096].lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n").replace(b"\x00", b"").lower()
    if _SECOND.search(start) or start.startswith((b"<?xml", b"<!doctype", b"<!--")):
        return f"This is a web page or a drawing that can run scripts. Save it as a PDF. {_ADVICE}"
    return f"This is not a kind of file that Panel keeps. {_ADVICE}"


_KNOWN = (
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
    (b"\xfe\xed\xfa", "a program"),
    (b"\xce\xfa\xed\xfe", "a program"),
    (b"\xcf\xfa\xed\xfe", "a program"),
    (b"\xca\xfe\xba\xbe", "a program"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", "a shortcut to a program"),
    (b"#!", "a script"),
    (b"Rar!", "a packed archive"),
    (b"7z\xbc\xaf", "a packed archive"),
    (b"\x1f\x8b", "a packed archive"),
    (b"GIF8", "a GIF picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"BM", "a bitmap picture"),
    (b"{\\rtf", "a rich text file"),
)

_CHECKS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes], KindOfFile]], ...] = (
    (lambda content: content.startswith(b"%PDF-"), _pdf),
    (lambda content: content.startswith((b"PK\x03\x04", b"PK\x05\x06")), _zip),
    (lambda content: content.startswith(b"\xff\xd8\xff"), _jpeg),
    (lambda content: content.startswith(b"\x89PNG\r\n\x1a\n"), _png),
    (lambda content: content[4:8] == b"ftyp", _boxes),
    (lambda content: content[:4] == b"RIFF" and content[8:12] == b"WEBP", _webp),
    (lambda content: content.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), _old_office),
)
