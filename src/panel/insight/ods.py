"""A spreadsheet of texts and numbers, as OpenDocument has it (ISO/IEC 26300): no formulas."""

import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

MIME = "application/vnd.oasis.opendocument.spreadsheet"
Row = Sequence[str | Decimal | None]

_NAMES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
    ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
)
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_MANIFEST = (
    f"{_HEAD}<manifest:manifest"
    ' xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.3">'
    f'<manifest:file-entry manifest:full-path="/" manifest:version="1.3"'
    f' manifest:media-type="{MIME}"/>'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
    "</manifest:manifest>"
)
_WHEN = (1980, 1, 1, 0, 0, 0)
"""The earliest day that a ZIP can say: the same table gives the same bytes."""


def workbook(sheets: Iterable[tuple[str, Iterable[Row]]]) -> bytes:
    """The bytes of a workbook of named sheets."""
    tables = "".join(_sheet(name, rows) for name, rows in sheets)
    content = (
        f'{_HEAD}<office:document-content {_NAMES} office:version="1.3"><office:body>'
        f"<office:spreadsheet>{tables}</office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    out = io.BytesIO()
    with ZipFile(out, "w") as file:
        # First and unpacked, so that what reads it knows it by its first bytes.
        for name, said, packed in (
            ("mimetype", MIME, ZIP_STORED),
            ("content.xml", content, ZIP_DEFLATED),
            ("META-INF/manifest.xml", _MANIFEST, ZIP_DEFLATED),
        ):
            entry = ZipInfo(name, _WHEN)
            entry.compress_type = packed
            file.writestr(entry, said)
    return out.getvalue()


def _sheet(name: str, rows: Iterable[Row]) -> str:
    inside = "".join(
        f"<table:table-row>{''.join(_cell(one) for one in row)}</table:table-row>" for row in rows
    )
    return f"<table:table table:name={_quoted(name)}>{inside}</table:table>"


def _cell(said: str | Decimal | None) -> str:
    if said is None or said == "":
        return "<table:table-cell/>"
    if isinstance(said, Decimal):
        return (
            f'<table:table-cell office:value-type="float" office:value="{said:f}">'
            f"<text:p>{said:f}</text:p></table:table-cell>"
        )
    return (
        '<table:table-cell office:value-type="string">'
        f"<text:p>{escape(_readable(said))}</text:p></table:table-cell>"
    )


def _quoted(text: str) -> str:
    return f'"{escape(_readable(text), {chr(34): "&quot;"})}"'


def _readable(text: str) -> str:
    """Without what XML 1.0 has no character for; what breaks a line is a blank."""
    return "".join(
        one if one.isprintable() else " " for one in text if one >= " " or one in "\t\r\n"
    )
