"""What calamine does not tell of a workbook: errors of formulas, which it gives as empty cells, and how far a sheet
reaches, which it asks memory for.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass, field
from html import unescape
from pathlib import PurePosixPath

from rnncli.data.limits import Limits, Size
from rnncli.data.source import Source

Place = tuple[int, int]  # row and column, from 0
_SHEET = re.compile(rb"<(?:\w+:)?sheet\s([^>]*)>")
_LINK = re.compile(rb"<(?:\w+:)?Relationship\s([^>]*)>")
_ATTRIBUTE = re.compile(rb"([\w:]+)\s*=\s*[\"']([^\"']*)[\"']")
_CELL = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br="([A-Z]{1,3})(\d{1,7})"[^>]*[^/]>')
_ERROR = re.compile(rb'<(?:\w+:)?c\s([^>]*\bt="e"[^>]*)>(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>([^<]*)<', re.DOTALL)
_REFERENCE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_TABLE = re.compile(rb"<table:table\s.*?</table:table>", re.DOTALL)
_ODS_ERROR = re.compile(rb'calcext:value-type="error"[^>]*>\s*<text:p>([^<]*)<')
_NOT_KNOWN = "#N/A"  # which stands for a missing value


@dataclass(frozen=True)
class Hidden:
    """The XML of each sheet of a workbook, in their order; none for .xls, which has none."""

    xlsx: tuple[bytes, ...] = field(default=(), repr=False)
    ods: tuple[bytes, ...] = field(default=(), repr=False)

    def reach(self, sheet: int) -> Place:
        """The rows and columns up to the last cell that holds something; 0 where that is not known."""
        rows = columns = 0
        for name, row in _CELL.findall(self.xlsx[sheet]) if sheet < len(self.xlsx) else ():
            rows, columns = max(rows, int(row)), max(columns, _column(name) + 1)
        return rows, columns

    def errors(self, sheet: int, source: Source) -> dict[Place, str]:
        """The cells of formulas that ended in an error: #DIV/0!. InputRefused where their place is not known."""
        if sheet < len(self.ods):
            found = [error.decode(errors="replace") for error in _ODS_ERROR.findall(self.ods[sheet])]
            bad = next((error for error in found if error != _NOT_KNOWN), None)
            if bad is not None:
                raise source.refused(f"a formula ends in {bad}", hint="correct it, or save the workbook as .xlsx")
        cells = _ERROR.findall(self.xlsx[sheet]) if sheet < len(self.xlsx) else ()
        places = ((_REFERENCE.search(attributes), error) for attributes, error in cells)
        return {(int(at[2]) - 1, _column(at[1])): unescape(error.decode()) for at, error in places if at}


def hidden_cells(source: Source, data: bytes, limits: Limits) -> Hidden:
    """What a workbook hides. InputRefused if it would unpack to more than is allowed, or is damaged."""
    if not data.startswith(b"PK"):
        return Hidden()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(file.file_size for file in archive.infolist())
            limits.check([Size(0, size, size)], [source.name], source.name)
            names = archive.namelist()
            if "content.xml" in names:
                return Hidden(ods=tuple(_TABLE.findall(archive.read("content.xml"))))
            paths = _paths(archive.read("xl/workbook.xml"), archive.read("xl/_rels/workbook.xml.rels"))
            return Hidden(xlsx=tuple(archive.read(path) if path in names else b"" for path in paths))
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        reason, hint = error.args[0] if error.args else error, "open it in a spreadsheet and save it again"
        raise source.refused(f"this is not a sound workbook ({reason})", hint=hint) from error


def _paths(workbook: bytes, links: bytes) -> list[str]:
    """Where the sheets are in the archive, in their order."""
    targets = {link.get("Id", ""): link.get("Target", "") for link in map(_attributes, _LINK.findall(links))}
    sheets = [_attributes(sheet) for sheet in _SHEET.findall(workbook)]
    found = [
        next((targets.get(text, "") for key, text in sheet.items() if key.endswith(":id")), "") for sheet in sheets
    ]
    return [str(PurePosixPath("/xl", target)).removeprefix("/") for target in found]


def _attributes(text: bytes) -> dict[str, str]:
    return {name.decode(): unescape(value.decode()) for name, value in _ATTRIBUTE.findall(text)}


def _column(name: bytes) -> int:
    """The place of a column by its letters: A is 0."""
    place = 0
    for letter in name:
        place = 26 * place + letter - ord("A") + 1
    return place - 1


def column_name(place: int) -> str:
    """The letters of a column: those of the first are A."""
    name, rest = "", place + 1
    while rest:
        rest, letter = divmod(rest - 1, 26)
        name = chr(ord("A") + letter) + name
    return name
