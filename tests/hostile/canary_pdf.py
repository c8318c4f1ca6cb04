"""Everything that a PDF says: its pages, what is read aloud for them, its metadata and names."""

import re
from io import BytesIO

from pikepdf import Array, Dictionary, Object, Operator, Page, Pdf, String, parse_content_stream

_HEX = re.compile(rb"<([0-9a-fA-F]+)>")


def pdf_text(content: bytes) -> str:
    """Every text of a PDF, glyph by glyph as its fonts say what they stand for."""
    with Pdf.open(BytesIO(content)) as pdf:
        told = [str(value) for value in pdf.docinfo.values()]
        if "/Metadata" in pdf.Root:
            told.append(pdf.Root.Metadata.read_bytes().decode("utf-8", "replace"))
        told += [_page_text(page) for page in pdf.pages]
        told += _strings(pdf)
    return "\n".join(told)


def _strings(pdf: Pdf) -> list[str]:
    """Texts outside the pages: titles, alternatives, bookmarks, addresses of links."""
    found: list[str] = []
    for one in pdf.objects:
        if isinstance(one, Dictionary):
            found += [str(value) for value in one.values() if isinstance(value, String)]
    return found


def _page_text(page: Page) -> str:
    fonts = {
        str(name): _meanings(font)
        for name, font in (page.resources.get("/Font") or Dictionary()).items()
    }
    told: list[str] = []
    now: dict[int, str] = {}
    for instruction in parse_content_stream(page):
        operands, operator = instruction.operands, instruction.operator
        if operator == Operator("Tf"):
            now = fonts.get(str(operands[0]), {})
        elif operator in (Operator("Tj"), Operator("TJ")):
            told.append(_shown(operands[0], now))
        elif operator in (Operator("Td"), Operator("TD"), Operator("T*"), Operator("ET")):
            told.append(" ")
    return "".join(told)


def _shown(operand: Object, meanings: dict[int, str]) -> str:
    pieces = list(operand) if isinstance(operand, Array) else [operand]
    told = ""
    for piece in pieces:
        if isinstance(piece, String):
            raw = bytes(piece)
            told += "".join(
                meanings.get(int.from_bytes(raw[at : at + 2], "big"), "")
                for at in range(0, len(raw), 2)
            )
    return told


def _meanings(font: Object) -> dict[int, str]:
    """What each glyph of a font stands for (its ToUnicode map)."""
    found: dict[int, str] = {}
    if "/ToUnicode" not in font:
        return found
    table = font.ToUnicode.read_bytes()
    for block in re.findall(rb"beginbfchar(.*?)endbfchar", table, re.DOTALL):
        codes = _HEX.findall(block)
        for code, meaning in zip(codes[::2], codes[1::2], strict=True):
            found[int(code, 16)] = bytes.fromhex(meaning.decode()).decode("utf-16-be")
    for block in re.findall(rb"beginbfrange(.*?)endbfrange", table, re.DOTALL):
        codes = _HEX.findall(block)
        for low, high, meaning in zip(codes[::3], codes[1::3], codes[2::3], strict=True):
            first = int(meaning, 16)
            for code in range(int(low, 16), int(high, 16) + 1):
                found[code] = chr(first + code - int(low, 16))
    return found
