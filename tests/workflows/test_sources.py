"""Every cell of the table of sources: each form of a table is trained on, predicted from, scored, checked and written;
and jobs that a newcomer has.
"""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
import pytest
import python_calamine
import xlsxwriter

import rnncli

sys.path.insert(0, str(Path(__file__).parents[1] / "faults" / "hostile"))

import sources as made  # beside the hostile corpus

Run = Callable[..., subprocess.CompletedProcess[str]]
PAGE = Path(rnncli.__file__).parent / "pages" / "sources.md"
IDS = (("north", "007"), ("north", "x"), ("süd", "007"))
DAYS = [date(2024, 1, 1) + timedelta(place) for place in range(24)]
NAMES = ["shop", "item", "day", "sold"]
SALES = [
    [shop, item, day, None if place == 5 else 10 * series + place % 7 + place / 8]
    for series, (shop, item) in enumerate(IDS)
    for place, day in enumerate(DAYS)
]
BY = {"id": "shop,item"}
SMALL: dict[str, Any] = {"horizon": 2, "steps": 1, "hidden": 4, "layers": 1, "members": 1, "season": 1}


def table() -> pa.Table:
    return pa.Table.from_pylist([dict(zip(NAMES, row, strict=True)) for row in SALES])


def in_csv(path: Path, separator: str = ",") -> None:
    arrow_csv.write_csv(table(), path, arrow_csv.WriteOptions(delimiter=separator))


def in_json_lines(path: Path) -> None:
    rows = [{name: value for name, value in row.items() if value is not None} for row in table().to_pylist()]
    path.write_text("".join(json.dumps(row, default=str) + "\n" for row in rows))


def in_arrow(path: Path, begun: Any = pa.ipc.new_file) -> None:
    path.write_bytes(made.packed(table(), begun, 20))


def in_xlsx(path: Path, header: int = 0) -> None:
    book = xlsxwriter.Workbook(path)
    sheet, style = book.add_worksheet("Sales"), book.add_format({"num_format": "d. mmm yyyy"})
    sheet.write_string(0, 0, "Sold by shop") if header else None
    sheet.write_row(header, 0, NAMES)
    for place, (shop, item, day, sold) in enumerate(SALES, header + 1):
        sheet.write_string(place, 0, shop)
        sheet.write_string(place, 1, item)
        sheet.write_datetime(place, 2, day, style)
        sheet.write(place, 3, sold)
    book.close()


def in_ods(path: Path) -> None:
    rows = ["".join(made.ods_cell("" if value is None else value) for value in row) for row in SALES]
    path.write_bytes(made.ods("".join(map(made.ods_cell, NAMES)), *rows))


FORMS: dict[str, tuple[str, str, Callable[[Path], Any]]] = {  # a row of the page, the file, how it is made
    "csv": ("CSV, TSV", "sales.csv", in_csv),
    "tsv": ("CSV, TSV", "sales.tsv", lambda path: in_csv(path, "\t")),
    "parquet": ("Parquet", "sales.parquet", lambda path: pq.write_table(table(), path)),
    "jsonl": ("JSON lines", "sales.jsonl", in_json_lines),
    "arrow": ("Arrow file, Feather", "sales.arrow", in_arrow),
    "feather": ("Arrow file, Feather", "sales.feather", in_arrow),
    "arrows": ("Arrow stream", "sales.arrows", lambda path: in_arrow(path, pa.ipc.new_stream)),
    "xlsx": ("Excel `.xlsx`", "sales.xlsx", in_xlsx),
    "xls": ("Excel `.xls`, LibreOffice `.ods`", "sales.xls", lambda p: p.write_bytes(OLD_EXCEL.read_bytes())),
    "ods": ("Excel `.xls`, LibreOffice `.ods`", "sales.ods", in_ods),
    "stdin": ("stdin, by its content", "piped.arrows", lambda path: in_arrow(path, pa.ipc.new_stream)),
    "url": ("`file:///`", "by url.csv", in_csv),
}
OLD_EXCEL = Path(__file__).parent / "sales.xls"
WRITTEN = ("csv", "parquet", "jsonl", "arrow", "feather", "arrows", "xlsx", "stdout", "url")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same sales in every form, and a model of them."""
    here = tmp_path_factory.mktemp("sources")
    for _, file, make in FORMS.values():
        make(here / file)
    rnncli.train(here / "sales.csv", output=here / "sales.safetensors", **SMALL, **BY)
    return here


@pytest.fixture
def given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """DATA of a form."""

    def of(form: str) -> str:
        path = folder / FORMS[form][1]
        if form == "stdin":
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))
        return {"stdin": "-", "url": path.as_uri()}.get(form, str(path))

    return of


def rows_of(forecast: Any) -> list[tuple[Any, ...]]:
    return [tuple(row.values())[:4] for row in forecast.to_arrow().to_pylist()]


@pytest.fixture(scope="module")
def forecast(folder: Path) -> list[tuple[Any, ...]]:
    return rows_of(rnncli.predict(folder / "sales.csv", folder / "sales.safetensors"))


def as_days(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows with days, whatever type of time the data have."""
    return [(*row[:2], date.fromisoformat(str(row[2])[:10]), *row[3:]) for row in rows]


@pytest.mark.parametrize("form", FORMS)
def test_it_is_trained_on(given: Any, folder: Path, forecast: Any, form: str) -> None:
    trained = rnncli.train(given(form), **SMALL, **BY)
    assert as_days(rows_of(rnncli.predict(given("csv"), trained))) == as_days(forecast)


@pytest.mark.parametrize("form", FORMS)
def test_it_is_predicted_from(given: Any, folder: Path, forecast: Any, form: str) -> None:
    said = rnncli.predict(given(form), folder / "sales.safetensors")
    assert as_days(rows_of(said)) == as_days(forecast)


@pytest.mark.parametrize("form", FORMS)
def test_it_is_scored(given: Any, folder: Path, form: str) -> None:
    model = folder / "sales.safetensors"
    scores = [rnncli.evaluate(given(name), model, refit=False).to_json()["scores"] for name in (form, "csv")]
    assert scores[0] == scores[1]


@pytest.mark.parametrize("form", FORMS)
def test_it_is_checked(given: Any, form: str) -> None:
    seen = rnncli.check(given(form), **BY)
    assert (seen.rows, seen.series, bool(seen)) == (len(SALES), 3, True)
    assert [finding.id for finding in seen.findings] == [f.id for f in rnncli.check(given("csv"), **BY).findings]


def read_back(path: Path) -> Iterator[tuple[Any, ...]]:
    """Rows of a file, by libraries alone."""
    if path.suffix == ".xlsx":
        (sheet,) = python_calamine.load_workbook(path).sheet_names
        yield from map(tuple, python_calamine.load_workbook(path).get_sheet_by_name(sheet).to_python()[1:])
    elif path.suffix == ".csv":
        yield from ((*row[:3], *map(float, row[3:])) for row in list(csv.reader(path.read_text().splitlines()))[1:])
    elif path.suffix == ".jsonl":
        yield from (tuple(json.loads(line).values()) for line in path.read_text().splitlines())
    else:
        opened = {".parquet": pq.read_table, ".arrows": lambda p: pa.ipc.open_stream(p).read_all()}
        rows = opened.get(path.suffix, lambda p: pa.ipc.open_file(p).read_all())(path)
        yield from (tuple(row.values()) for row in rows.to_pylist())


@pytest.mark.parametrize("form", WRITTEN)
def test_it_is_written(given: Any, folder: Path, forecast: Any, form: str, run_rnncli: Run, tmp_path: Path) -> None:
    model, out = folder / "sales.safetensors", tmp_path / {"stdout": "f.csv", "url": "f.csv"}.get(form, f"f.{form}")
    if form == "stdout":
        out.write_text(run_rnncli("predict", given("xlsx"), "-m", model).stdout)
    else:
        rnncli.predict(given("xlsx"), model, output=out.as_uri() if form == "url" else out)
    found = list(read_back(out))
    assert as_days([row[:3] for row in found]) == as_days([row[:3] for row in forecast])
    assert [row[3] for row in found] == pytest.approx([row[3] for row in forecast], rel=1e-11)
    if form in ("xlsx", "parquet", "arrow", "arrows"):
        assert {type(row[2]) for row in found} == {date}


def test_the_page_has_these_sources_and_no_other() -> None:
    rows = re.findall(r"^\| ([^|]+) \|(.*)\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)[1:]
    ours = {name for name, _, _ in FORMS.values()}
    assert ours <= {name for name, _ in rows}
    written = {FORMS.get(form, ("stdin, by its content",))[0] for form in WRITTEN}
    for name, cells in rows:
        if name in ours:
            train, predict, evaluate, check, write = (cell.strip() for cell in cells.split("|"))
            assert {train, predict, evaluate, check} == {"yes"}
            assert (name in written) is not write.startswith("no")


# Jobs of a newcomer


def test_a_workbook_with_two_ids_becomes_a_forecast_in_a_workbook(run_rnncli: Run, tmp_path: Path) -> None:
    """Below a title, in Excel's own dates; the forecast is read by what made it, and can be scored."""
    in_xlsx(tmp_path / "sales.xlsx", header=2)
    settings = ("--horizon", "2", "--steps", "1", "--hidden", "4", "--layers", "1", "--members", "1")
    done = run_rnncli("train", "sales.xlsx", "--id", "shop,item", *settings, "-o", "m.safetensors", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "id 'shop' and 'item', target 'sold'" in done.stderr
    done = run_rnncli("predict", "sales.xlsx", "-m", "m.safetensors", "-o", "forecast.xlsx", cwd=tmp_path)
    assert done.stderr.endswith("wrote 6 rows (3 series) to forecast.xlsx\n")
    rows = list(read_back(tmp_path / "forecast.xlsx"))
    assert [row[:3] for row in rows[:2]] == [("north", "007", date(2024, 1, 25)), ("north", "007", date(2024, 1, 26))]
    later = [*SALES, *([*row[:3], float(place)] for place, row in enumerate(rows))]
    book = xlsxwriter.Workbook(tmp_path / "later.xlsx", {"default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet()
    for place, row in enumerate([NAMES, *later]):
        sheet.write_row(place, 0, row)
    book.close()
    done = run_rnncli("evaluate", "later.xlsx", "--forecasts", "forecast.xlsx", "--id", "shop,item", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "6 values" in done.stdout


WRITE = """
import sys
from pyarrow import ipc
rows = ipc.open_file(sys.argv[1]).read_all()
with ipc.new_stream(sys.stdout.buffer, rows.schema) as stream:
    stream.write_table(rows, 20)
"""
READ = """
import json, sys
from pyarrow import ipc
rows = ipc.open_stream(sys.stdin.buffer).read_all()
print(json.dumps([str(rows.schema.field("day").type), rows.column("forecast").to_pylist()]))
"""


def test_arrow_goes_from_process_to_process(folder: Path, forecast: Any, environment: dict[str, str]) -> None:
    """A process that writes a stream, predict, and one that reads what it writes, with types and every digit."""
    rnncli_ = [sys.executable, "-m", "rnncli", "predict", "-", "-m", str(folder / "sales.safetensors")]
    pipe = subprocess.PIPE
    with (
        subprocess.Popen([sys.executable, "-c", WRITE, str(folder / "sales.arrow")], stdout=pipe) as one,
        subprocess.Popen([*rnncli_, "--out-format", "arrow"], stdin=one.stdout, stdout=pipe, env=environment) as two,
    ):
        end = subprocess.run([sys.executable, "-c", READ], stdin=two.stdout, capture_output=True, check=True)
    assert (one.returncode, two.returncode) == (0, 0)
    assert json.loads(end.stdout) == ["date32[day]", [row[3] for row in forecast]]


def test_a_missing_extra_is_one_line_that_names_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("python_calamine", "xlsxwriter"):
        monkeypatch.setitem(sys.modules, module, None)
    for way in (
        lambda: rnncli.check(folder / "sales.xlsx"),
        lambda: rnncli.predict(folder / "sales.csv", folder / "sales.safetensors", output=folder / "no.xlsx"),
    ):
        with pytest.raises(rnncli.MissingDependency) as caught:
            way()
        assert caught.value.hint == "pip install 'rnncli[excel]'"
    assert not (folder / "no.xlsx").exists()
