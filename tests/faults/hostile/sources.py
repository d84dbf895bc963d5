"""JSON lines, Arrow and workbooks, damaged, hostile or odd: name -> (file name, bytes, further arguments)."""

from __future__ import annotations

import base64
import io
import json
import zipfile
import zlib
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import tables
import xlsxwriter

Cases = tables.Cases
Fill = Callable[[Any, Any], None]

DAYS = [date(2024, 1, 1) + timedelta(place) for place in range(12)]
LINES = [json.dumps({"ds": str(day), "y": place}) for place, day in enumerate(DAYS)]


def lines(*changed: str, at: int = 5) -> bytes:
    """Twelve lines, of which some are others."""
    return ("\n".join([*LINES[:at], *changed, *LINES[at + len(changed) :]]) + "\n").encode()


def json_lines() -> Cases:
    """Files of JSON lines that are none, or a damaged one."""
    files = {
        "empty": b"",
        "blank": b"\n \n",
        "an array": json.dumps([json.loads(line) for line in LINES]).encode(),
        "an object over lines": b'{\n"ds": "2024-01-01",\n"y": 1\n',
        "cut off": lines()[:-8],
        "a number alone": lines("7"),
        "another kind of value": lines('{"ds": "2024-01-06", "y": "n/a"}'),
        "true among numbers": lines('{"ds": "2024-01-06", "y": true}'),
        "a key twice": lines('{"ds": "2024-01-06", "y": 1, "y": 2}'),
        "objects within": b"".join(b'{"ds": "%s", "at": {"y": 1}}\n' % str(day).encode() for day in DAYS),
        "no keys": b"{}\n" * 12,
        "not UTF-8": lines('{"ds": "2024-01-06", "y": 5, "at": "Z"}').replace(b"Z", b"\xff"),
        "a NUL": lines() + b"\0",
        "a number that is too large": lines('{"ds": "2024-01-06", "y": 1e400}'),
        "a thousand arrays": lines('{"ds": "2024-01-06", "y": ' + "[" * 1000 + "}"),
        "a date that there is not": lines('{"ds": "2024-13-06", "y": 1}'),
    }
    return {f"jsonl: {name}": ("data.jsonl", data, ()) for name, data in files.items()}


def table(**more: Any) -> pa.Table:
    """Twelve days, and further columns."""
    return pa.table({"ds": DAYS, "y": [float(place) for place in range(12)], **more})


def packed(rows: pa.Table, begun: Any = pa.ipc.new_stream, size: int = 4) -> bytes:
    """The bytes of a stream, or a file, of batches of so many rows."""
    sink = io.BytesIO()
    with begun(sink, rows.schema) as writer:
        writer.write_table(rows, size)
    return sink.getvalue()


def arrow() -> Cases:
    """Streams and files of Arrow that are cut off, changed, or no table."""
    stream, file = packed(table()), packed(table(), pa.ipc.new_file)
    wrong = bytearray(packed(table(name=["abc"] * 12), size=12))
    place = bytes(wrong).index((3).to_bytes(4, "little") + (6).to_bytes(4, "little"))
    wrong[place : place + 4] = (2**30).to_bytes(4, "little")
    files = {
        "empty stream": ("data.arrows", b""),
        "stream without rows": ("data.arrows", packed(table().slice(0, 0))),
        "stream cut in a batch": ("data.arrows", stream[: len(stream) - 100]),
        "stream cut between batches": ("data.arrows", stream[:-8]),
        "stream of a header": ("data.arrows", stream[:6]),
        "two streams": ("data.arrows", stream * 2),
        "offsets beyond the data": ("data.arrows", bytes(wrong)),
        "file cut in half": ("data.arrow", file[: len(file) // 2]),
        "file without its last byte": ("data.arrow", file[:-1]),
        "file of zeros": ("data.arrow", b"ARROW1" + bytes(500) + b"ARROW1"),
        "a CSV file": ("data.arrow", tables.GOOD),
        "Feather of version 1": ("data.feather", b"FEA1" + bytes(100) + b"FEA1"),
        "column twice": ("data.arrow", packed(table().rename_columns(["y", "y"]), pa.ipc.new_file)),
        "an Arrow stream called csv": ("data.csv", stream),
    }
    return {f"arrow: {name}": (*case, ()) for name, case in files.items()}


def book(fill: Fill, **more: Fill) -> bytes:
    """A workbook whose first sheet is filled by a function, and others by theirs."""
    file = io.BytesIO()
    workbook = xlsxwriter.Workbook(file, {"in_memory": True})
    for name, one in {"Sales": fill, **more}.items():
        one(workbook, workbook.add_worksheet(name))
    workbook.close()
    return file.getvalue()


def days(workbook: Any, sheet: Any, top: int = 0, header: tuple[str, ...] = ("ds", "y")) -> None:
    """Twelve days below a header, from a row on."""
    style = workbook.add_format({"num_format": "dd.mm.yyyy"})
    for place, name in enumerate(header):
        sheet.write_string(top, place, name)
    for place, day in enumerate(DAYS, top + 1):
        sheet.write_datetime(place, 0, day, style)
        sheet.write_number(place, 1, place - top)


def with_cells(**cells: Any) -> bytes:
    """Twelve days, and what is written into cells: values, or an error of a formula."""

    def fill(workbook: Any, sheet: Any) -> None:
        days(workbook, sheet)
        for cell, value in cells.items():
            if str(value).startswith("#"):
                sheet.write_formula(cell, "=1", None, value)
            else:
                sheet.write(cell, value)

    return book(fill)


def merged(workbook: Any, sheet: Any) -> None:
    """A header of two rows, of which the first has cells over several columns."""
    style = workbook.add_format({"bold": True})
    days(workbook, sheet, 1, ("", "north"))
    sheet.write_string("A1", "day")
    sheet.merge_range("B1:C1", "sold", style)
    sheet.write_string("C2", "south")
    for row in range(2, 14):
        sheet.write_number(row, 2, row)


def changed(data: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """A zip archive in which one file is another."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, change(old.read(member)) if member == name else old.read(member))
    return file.getvalue()


def archive(**members: bytes) -> bytes:
    """A zip archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members.items():
            made.writestr(name, data)
    return file.getvalue()


def ods(*rows: str) -> bytes:
    """A sheet of LibreOffice with rows of cells in its XML."""
    spaces = (("office", "office"), ("table", "table"), ("text", "text"))
    names = " ".join(f'xmlns:{key}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for key, name in spaces)
    body = "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
    content = (
        f'<?xml version="1.0"?><office:document-content {names} xmlns:calcext="urn:calcext"><office:body>'
        f'<office:spreadsheet><table:table table:name="Sales">{body}</table:table></office:spreadsheet>'
        "</office:body></office:document-content>"
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        made.writestr("content.xml", content)
        made.writestr("META-INF/manifest.xml", '<?xml version="1.0"?><manifest/>')
    return file.getvalue()


def ods_cell(value: Any) -> str:
    """A cell of such a sheet."""
    if isinstance(value, date):
        return f'<table:table-cell office:value-type="date" office:date-value="{value}"/>'
    if isinstance(value, str):
        return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'
    return f'<table:table-cell office:value-type="float" office:value="{value}"/>'


def ods_days(bad: str = "") -> bytes:
    """Twelve days, of which one has another cell."""
    rows = [ods_cell(day) + (bad if bad and place == 5 else ods_cell(place)) for place, day in enumerate(DAYS)]
    return ods(ods_cell("ds") + ods_cell("y"), *rows)


def workbooks() -> Cases:
    """Workbooks that are damaged, locked, empty, or hold no table."""
    whole = book(days)
    notes: Fill = lambda workbook, sheet: sheet.write("A1", "made by hand")  # noqa: E731
    nothing: Fill = lambda workbook, sheet: None  # noqa: E731
    error = (
        '<table:table-cell office:value-type="string" office:string-value="" calcext:value-type="error">'
        "<text:p>#DIV/0!</text:p></table:table-cell>"
    )
    sheet = "xl/worksheets/sheet1.xml"
    files: dict[str, tuple[bytes, tuple[str, ...]]] = {
        "empty file": (b"", ()),
        "empty workbook": (book(nothing), ()),
        "header alone": (book(lambda workbook, page: page.write_row(0, 0, ["ds", "y"])), ()),
        "cut in half": (whole[: len(whole) // 2], ()),
        "without its last byte": (whole[:-1], ()),
        "locked": (LOCKED, ()),
        "a CSV file": (tables.GOOD, ()),
        "another zip archive": (archive(a=b"1"), ()),
        "sheet that is no XML": (changed(whole, sheet, lambda _: b"<worksheet><sheetData><row"), ()),
        "more than there is room for": (changed(whole, sheet, lambda _: bytes(50 << 20)), ("--max-bytes", "20M")),
        "several sheets": (book(days, Notes=notes), ()),
        "no such sheet": (whole, ("--sheet", "Sale")),
        "no tenth sheet": (whole, ("--sheet", "10")),
        "a sheet of notes": (book(days, Notes=notes), ("--sheet", "Notes")),
        "no header": (book(lambda workbook, page: days(workbook, page, -1, ())), ()),
        "merged header": (book(merged), ()),
        "header below, though guessing is forbidden": (
            book(lambda workbook, page: days(workbook, page, 3) or page.write("A1", "Sales")),
            ("--strict", "--time", "ds", "--target", "y"),
        ),
        "column without a name": (with_cells(D8="see below"), ()),
        "a column twice": (with_cells(C1="y", C2=3), ()),
        "an error of a formula": (with_cells(B6="#DIV/0!"), ()),
        "an error in a time": (with_cells(A6="#REF!"), ()),
        "a row of a total": (with_cells(A14="Total", B14=78), ()),
        "a text in a number": (with_cells(B6="about 5"), ()),
        "a cell far away": (with_cells(XFD1048576="x"), ()),
    }
    cases = {f"xlsx: {name}": ("data.xlsx", *case) for name, case in files.items()}
    cases["xlsx: called csv"] = ("data.csv", whole, ())
    cases["xls: zeros"] = ("data.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), ())
    cases["ods: an error of a formula"] = ("data.ods", ods_days(error), ())
    cases["ods: empty"] = ("data.ods", ods(), ())
    return cases


# a workbook that Excel would ask the password of: its parts, of which the encrypted one is zeros
LOCKED = zlib.decompress(
    base64.b85decode(
        "c-rk(TZ|J`7(NTT3#_7`EFz#b^WcLG+fHxWC2e6ky==Sfw$gUmT_kaKI&FuxGqW?(?Zs;%iNrTi6J9a$fEbPXVhjoL;3d8YK52{w"
        "qOba5VqyZU|4gS#yWH9ZBbfOnUr*0DbIy1E%ly-x|8DEW6CdxqgjT_a)}yP-o6u<2*bs1Cr?aKqS9x`LdAT#ZY~a4a6`&fw^$@#Z"
        "J(g<BHvl*4{V`}C06qxZ415Uqa61LiR^TJRNA-IR++XNCzw7n(PU61}I1bznd<?h)_&9JUa2Iel@Co3Pz^9CSxhHS{32-UMgo22N"
        "RzgiQ2)3h<m6|_xlY1`id7p8;`twky9YK0>0aR5+Qx!p-MR}A&G>nwtvk3j$0fRSEw>|ynZ-TL-+uC!ZC;&<dFa;-2m02VYVE+zy"
        "19r5B`?SA%jsiUi6gh|jj|RsUv~Fln`_-|SK6kzKacIT9^>>24T02JccYi<n>Td|~ruq@^Ljk<eA9kZ5&HfEqEC=_0O3QiG_r+DY"
        "*pA5c=j(-I4gOd2WWPR_20a>dWX)y?RR_0!CI2@53-(`szSZ^*t=PY54f><-yi1@}1(iW-57OQ}gZp32)o;*^>QCF|K_c)Z=&#d%"
        "2M<zzPK=;?0v=!->}Iqqkbwp8!vrEVPpFyCL95oNi5phR&VPWRHR^BF*Ot2WF!k|Xu-%1cw_D$~#%Cd?uUG5o3n&EF6e5rvS}T0+"
        "K~Cg?y+ZKK0pD<K%nv6Ez>GRez&H-x#$m*YCgB|FeJ`Qe0pil{S#K7r;XBBmVYt*<=GoV%R!mE*By$4q#qbF$W@33p$a8$ri)GTG"
        "J#Ne-D>R>{D+14Yu_h~H`+Q>_xJhb?3am204!rEeN{S-xwOC}P#8zo}qRKInAPWU$f)T0~p-|u$)?%|-U6yN0vG&@%;sC45Y%|#2"
        "K#(jVEz5O5%6B$m*18eHN(u*aw8CP(F%!T8^8s3+O)_0kQd|pc$6c6dp&~HlYhAd>&naNN%?Z5{EtlGJE(fOVvI2$^ORPjxih{%`"
        "rK%Srf+<WNB}+8NYYy*xiwk*{^pou!yB4LU2`6sDv@=n3r3OmjRQv!}kN8XUlr=mPGB^DKm8pBZn8~6Wk_Rgyyuub?lcq`cKAWGe"
        "(##Co^kU{vJyVbIN{+NOGNGa?8MFo2d@)f7Wy*8ag;`rD7cX0*9O+1r{DL%3kkc_Y9udpg#$?=;sAO`P!eX`&Ano94Jdkum15`sh"
        "L64Sx-nz_L>p>zg8Kr4FAE-8(m9Sh4HVD^j&Y2WRH*bzar=$2>^4VrRF-PPAGfR=IQclmOEj)qS7jYszMZ|>qLPluBW@Eg?S)zLE"
        "?GCK$TM0wYxTz*_cbs&-o)CM)y({*DUrn;e@uX1W7048;3T%K>>P?<i=t;A?n_0Ki?aDeT<~BR$BZ>H|%^Bpgt@7bke2VCaImJrw"
        "M6uE|2t|0Y27Zw6#3C-(^YvE3+VW?)Vkx{>Q&-(m_J%v^=U7TotUp6XOHuP&QV69Ac6l;6Rjae2pGYro;dCOM2?fk<B5Mz4(<zek"
        "%Y{%AUy3*gL77cfYjUd)Nk=j+v!Ariw-#sSsfJMOu>)eMi^=7~6cH%RMC=8(C@XT@$%tgmZ)s2wOQggl<{Cw+;U=wYp?obJwbbZI"
        "AU#bjtMb&-RTzC^x2fN+=>LOG%|9axXD?7!P9{BpZO0C>+_7_~e&6xsN$jmlZ-h@>IfDPjeR$zV>aWvBUcdbG<#*p1@$LU}|L4b%"
        "0RsjM7%*VKfB^#r3>YwAz<>b*2LAV`z4?px&=-~Cj;p7iXTN>!wL^J)^9P?EeecDuh+Ur@JU>3p?mqMVCue^ByUPE>jBh>n^(cAt"
        "k6k~A9FE@p2tWI>;lcj~{{RO|NOJ"
    )
)
MAKERS = (json_lines, arrow, workbooks)
