"""Files that swell when they are opened, or make whoever looks through them work without end.

Each is looked at in a process that may take neither much memory nor much time: what is not refused
in a sentence, or takes more, ends the process and fails the test.
"""

import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from panel.documents.rules import LIMIT, KindOfFile, NotAccepted, kind_of_file
from tests.documents.test_rules_pictures import HEIC, box, picture, png
from tests.documents.test_rules_word import MAIN, word

MEMORY = 384 * 1024 * 1024
"""Bytes of address space beyond what the interpreter has once it is up."""
SECONDS = 20
"""Of a processor, for one file; each takes less than two here."""
LOOK = f"""
import resource, sys
from pathlib import Path
from panel.documents.rules import NotAccepted, kind_of_file

content = Path(sys.argv[1]).read_bytes()
size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + {MEMORY}, size + {MEMORY}))
resource.setrlimit(resource.RLIMIT_CPU, ({SECONDS}, {SECONDS}))
try:
    print("kept as", kind_of_file(content).words)
except NotAccepted as refused:
    print(refused.sentence)
"""


def zipped(*parts: tuple[str, bytes]) -> bytes:
    into = BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts:
            packed.writestr(name, content)
    return into.getvalue()


TYPES = f'<Types><Override ContentType="{MAIN}"/></Types>'.encode()
LAUGHS = b"".join(
    b'<!ENTITY l%d "%s">' % (level, b"&l%d;" % (level - 1) * 10) for level in range(1, 10)
)
BILLION = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY l0 "ha">' + LAUGHS + b"]><d>&l9;</d>"
OUTSIDE = b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><w:document>&x;</w:document>'


def document(main: bytes = b"<w:document/>", *more: tuple[str, bytes]) -> bytes:
    return zipped(("[Content_Types].xml", TYPES), ("word/document.xml", main), *more)


def swollen_part() -> bytes:
    return document(b"<w:document>" + b"0" * 90_000_000)


def many_parts_that_swell() -> bytes:
    return document(b"<w:document/>", *((f"word/m{n}.bin", bytes(3_900_000)) for n in range(40)))


def a_part_that_lies_of_its_size() -> bytes:
    whole = bytearray(document(b"<w:document/>", ("word/_rels/a.rels", bytes(30_000_000))))
    for sign, at in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        place = whole.rindex(sign) + at
        whole[place : place + 4] = (100).to_bytes(4, "little")
    return bytes(whole)


def nested_zips() -> bytes:
    content = zipped(("0.bin", bytes(5_000_000)))
    for depth in range(6):
        content = zipped(*((f"{depth}-{n}.zip", content) for n in range(10)))
    return content


def nested_in_word() -> bytes:
    return document(b"<w:document/>", ("word/embeddings/in.docx", nested_zips()))


def overlapping_parts() -> bytes:
    """Many names for one packed part (each of them 3 MB unpacked)."""
    whole = document(b"<w:document/>", ("word/a.bin", bytes(3_000_000)))
    directory = whole.index(b"PK\x01\x02")
    entry = whole[whole.rindex(b"PK\x01\x02") : whole.rindex(b"PK\x05\x06")]
    more = b"".join(entry.replace(b"a.bin", b"%05d" % n) for n in range(1_500))
    ends = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1_503, 1_503,
                       whole.rindex(b"PK\x05\x06") - directory + len(more), directory, 0)  # fmt: skip
    return whole[: whole.rindex(b"PK\x05\x06")] + more + ends


def pdf(body: bytes) -> bytes:
    return b"%PDF-1.7\n" + body[: LIMIT - 100] + b"\n%%EOF"


def packed_object(content: bytes) -> bytes:
    return b"/Type/ObjStm/Filter/First stream\n" + zlib.compress(content, 9) + b"\nendstream\n"


def repeated(one: bytes) -> bytes:
    return one * (LIMIT // len(one) - 100)


def streams_that_break_at_their_end() -> bytes:
    """Each unpacks to 4 MB, which an error at its end seems to undo."""
    packed = bytearray(zlib.compress(bytes(4_000_000), 9))
    packed[-6:] = b"\xff" * 6
    return pdf(repeated(b"/Filter/First stream\n" + bytes(packed) + b"\nendstream\n"))


BOMBS: dict[str, Callable[[], bytes]] = {
    "a Word file with a part that swells": swollen_part,
    "a Word file with many parts that swell": many_parts_that_swell,
    "a Word file with a part that lies of its size": a_part_that_lies_of_its_size,
    "a Word file of one part with a thousand names": overlapping_parts,
    "a Word file with a zip of zips inside": nested_in_word,
    "a zip of zips": nested_zips,
    "a Word file with a billion laughs": lambda: document(BILLION),
    "a Word file that fetches a file of ours": lambda: document(OUTSIDE),
    "the same as UTF-16": lambda: document(OUTSIDE.decode().encode("utf-16")),
    "the same behind a long remark": lambda: document(b"<!--" + b"-x" * 9_000 + b"-->" + OUTSIDE),
    "its list of parts with a billion laughs": lambda: zipped(
        ("[Content_Types].xml", BILLION.replace(b"<d>", TYPES)), ("word/document.xml", b"<d/>")
    ),
    "its links with an entity": lambda: document(
        b"<w:document/>", ("word/_rels/document.xml.rels", OUTSIDE)
    ),
    "a drawing with a billion laughs": lambda: BILLION,
    "a PDF whose objects swell": lambda: pdf(repeated(packed_object(bytes(4_100_000)))),
    "a PDF with one object of 300 MB": lambda: pdf(packed_object(bytes(300_000_000))),
    "a PDF whose streams break at their end": streams_that_break_at_their_end,
    "a PDF written in signs": lambda: pdf(repeated(b"#41")),
    "a PDF whose objects are written in signs": lambda: pdf(
        packed_object(b"#41" * 1_300_000) * 24
    ),
    "a PNG of 100,000 by 100,000": lambda: png(100_000, 100_000),
    "a PNG of a million parts": lambda: png(9, 9)[:33] + repeated(
        b"\0\0\0\0tEXt" + struct.pack(">I", zlib.crc32(b"tEXt"))
    ),
    "a JPEG of 65,000 by 65,000": lambda: picture("JPEG").replace(
        struct.pack(">HH", 30, 40), struct.pack(">HH", 65_000, 65_000)
    ),
    "a JPEG of padding": lambda: b"\xff\xd8" + b"\xff" * (LIMIT - 10),
    "a WebP of 100,000 by 100,000": lambda: b"RIFF" + struct.pack("<I", 30) + b"WEBPVP8X"
    + struct.pack("<IB3x", 10, 0) + (99_999).to_bytes(3, "little") * 2 + bytes(8),
    "a HEIC of 100,000 by 100,000": lambda: HEIC + box(
        b"free", box(b"ispe", struct.pack(">III", 0, 100_000, 100_000))
    ),
    "a HEIC of a million parts": lambda: HEIC + repeated(box(b"free")),
}  # fmt: skip


def looked_at(content: bytes, folder: Path) -> str:
    file = folder / "file"
    file.write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-c", LOOK, str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"It ended with {done.returncode}: {done.stderr[-300:]}"
    return done.stdout


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_within_little_memory_and_time(bomb: str, tmp_path: Path) -> None:
    content = BOMBS[bomb]()
    assert len(content) <= LIMIT
    said = looked_at(content, tmp_path)
    assert said.startswith("This "), said
    assert said.rstrip().endswith((".", ")."))


@pytest.mark.parametrize(
    "body", [b"/Filter/First stream ", b"/Filter/First stream\nx\xda", b"stream"]
)
def test_a_pdf_of_nothing_but_beginnings_is_looked_through_in_time(
    body: bytes, tmp_path: Path
) -> None:
    """Looking through it took two and a half minutes: each beginning read on to the last end."""
    assert looked_at(pdf(repeated(body) + b"endstream"), tmp_path)


def test_the_limits_would_end_a_process_that_takes_more(tmp_path: Path) -> None:
    """What the tests above rely on."""
    greedy = LOOK.replace("kind_of_file(content).words", f"len(bytes({2 * MEMORY}))")
    done = subprocess.run(
        [sys.executable, "-c", greedy, __file__], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "MemoryError" in done.stderr


def test_documents_with_remarks_and_other_encodings_are_kept() -> None:
    for main in (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n<w:document/>',
        "\ufeff<w:document>A &lt;!DOCTYPE in the text</w:document>",
        "<!-- made by us -->\n<w:document/>",
    ):
        assert kind_of_file(document(main.encode())) is KindOfFile.WORD
    notes = ("customXml/item1.xml", '<?xml version="1.0"?><b/>'.encode("utf-16"))
    assert kind_of_file(document(b"<w:document/>", notes)) is KindOfFile.WORD
    with pytest.raises(NotAccepted, match="as Word makes it"):
        kind_of_file(word(**{"customXml__item1.xml": OUTSIDE.decode()}))
