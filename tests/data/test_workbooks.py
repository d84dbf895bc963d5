"""Sheets of workbooks: which is read, where its header is, and what its cells are."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import python_calamine
import xlsxwriter

from rnncli.data.load import Loaded, load_panel
from rnncli.data.readers.sheet_cells import column_name
from rnncli.data.writers.results import Results, Style, of_table, pieces
from rnncli.errors import InputRefused, UsageError
from rnncli.spec import ColumnChoices

sys.path.insert(0, str(Path(__file__).parents[1] / "faults" / "hostile"))

import sources as made  # beside the hostile corpus

Load = Callable[..., Loaded]
DAYS = [date(2024, 1, 1) + timedelta(place) for place in range(6)]


def book(**sheets: list[list[Any]]) -> bytes:
    """A workbook of sheets with these rows; None is an empty cell."""
    file = io.BytesIO()
    workbook = xlsxwriter.Workbook(file, {"default_date_format": "d.m.yyyy"})
    for name, rows in sheets.items():
        sheet = workbook.add_worksheet(name)
        for place, row in enumerate(rows):
            sheet.write_row(place, 0, row)
    workbook.close()
    return file.getvalue()


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """What is read of the bytes of a workbook."""

    def loaded(data: bytes, **choices: Any) -> Loaded:
        (tmp_path / "data.xlsx").write_bytes(data)
        return load_panel(tmp_path / "data.xlsx", ColumnChoices(**choices))

    return loaded


def rows(*more: list[Any], header: tuple[str, ...] = ("day", "sold")) -> list[list[Any]]:
    return [*more, list(header), *([day, place + 0.5] for place, day in enumerate(DAYS))]


def test_the_only_sheet_that_holds_something_is_read(load: Load) -> None:
    assert load(book(Empty=[], Sales=rows())).panel.targets.tolist() == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]


@pytest.mark.parametrize("said", ["Second", "2"])
def test_a_sheet_is_said_by_its_name_or_number_and_remembered(said: str, load: Load) -> None:
    data = book(First=rows(), Second=[*rows()[:1], *([day, 7] for day in DAYS)])
    loaded = load(data, sheet=said)
    assert loaded.panel.targets.tolist() == [7] * 6
    assert loaded.columns.sheet == said
    assert ColumnChoices().as_told(loaded.columns).sheet == said
    with pytest.raises(InputRefused, match="several sheets"):
        load(data)
    with pytest.raises(UsageError, match="no sheet '3'"):
        load(data, sheet="3")


def test_a_name_goes_before_a_number(load: Load) -> None:
    assert load(book(**{"2": rows(), "Other": [["x"]]}), sheet="2").panel.targets[0] == 0.5


@pytest.mark.parametrize(
    "above", [[["Sold in January"]], [["Sold"], [], [None, "in pieces"]], [["a", None, "note"][:2], []]]
)
def test_a_title_above_the_header_is_passed_over(above: list[list[Any]], load: Load) -> None:
    loaded = load(book(Sales=rows(*above)))
    assert (loaded.columns.time, loaded.columns.target) == ("day", "sold")


def test_an_error_has_the_row_of_the_sheet(load: Load) -> None:
    table = rows(["Sold"], [])
    table[5][0] = "soon"
    with pytest.raises(InputRefused) as caught:
        load(book(Sales=table))
    assert str(caught.value.where).endswith("data.xlsx:6")


def test_the_index_that_pandas_writes_has_no_name(load: Load) -> None:
    table = [["", "day", "sold"], *([place, day, 2] for place, day in enumerate(DAYS))]
    assert load(book(Sales=table), time="day", target=("sold",)).panel.targets.tolist() == [2] * 6


def test_a_header_over_two_lines_in_a_cell_is_one_name(load: Load) -> None:
    assert load(book(Sales=rows(header=("day", "sold\n(EUR)")))).columns.target == "sold (EUR)"


def test_a_midnight_among_times_of_day_is_one(load: Load) -> None:
    file = io.BytesIO()
    workbook = xlsxwriter.Workbook(file, {"default_date_format": "d.m.yyyy hh:mm"})
    sheet = workbook.add_worksheet()
    sheet.write_row(0, 0, ["at", "y"])
    for place in range(8):
        sheet.write_row(place + 1, 0, [datetime(2024, 1, 1) + timedelta(hours=6 * place), place])  # noqa: DTZ001
    workbook.close()
    assert str(load(file.getvalue()).panel.calendar.frequency) == "6 hours"


def test_dates_and_times_of_day_in_two_columns_are_one_time(load: Load) -> None:
    table = [["day", "at", "y"], *([day, time(6 + half), 1.0] for day in DAYS for half in (0, 12))]
    assert len(load(book(Sales=table), time="day,at").panel.values) == 12


def test_numbers_of_cells_are_exact_and_never_ambiguous(load: Load) -> None:
    """As texts 1.056 beside 765 could be 1,056; a number in a cell is what it is, also where texts have commas."""
    values = [1.056, 765.0, 2.5e-7, 123456789012.0, 0.30000000000000004, -4.0]
    table = [["day", "y"], *([day, value] for day, value in zip(DAYS, values, strict=True))]
    found = load(book(Sales=table)).panel.targets
    assert found.tolist() == [float(f"{value:.16g}") for value in values]
    mixed = [["day", "y"], *([day, value] for day, value in zip(DAYS, ["1.034,5", 2.5, 3, 4, 5, 6], strict=True))]
    assert load(book(Sales=mixed), decimal=",", thousands=".").panel.targets.tolist() == [1034.5, 2.5, 3, 4, 5, 6]


@pytest.mark.parametrize("said", [{"thousands": "."}, {"decimal": ","}, {"thousands": ","}, {"thousands": " "}])
def test_a_number_of_a_cell_is_the_same_whatever_marks_texts_have(said: dict[str, str], load: Load) -> None:
    values = [1.056, 765.0, 2.125, 1234567.25, 2.5e-7, -3.5]
    comma = said in ({"thousands": "."}, {"decimal": ","})
    table = [
        ["day", "y", "z"],
        *([day, value, "2,5" if comma else "2.5"] for day, value in zip(DAYS, values, strict=True)),
    ]
    panel = load(book(Sales=table), target=("y",), past=("z",), **said).panel
    assert panel.targets.tolist() == values
    assert panel.of("z").tolist() == [2.5] * 6


@pytest.mark.parametrize("cells", [["1.056", "765", "2.345", "12", "3", "4"], ["1.056", 765, 12, 3, 4, 5]])
def test_texts_that_may_have_marks_between_thousands_are_asked_for(cells: list[Any], load: Load) -> None:
    data = book(Sales=[["day", "y"], *([day, cell] for day, cell in zip(DAYS, cells, strict=True))])
    with pytest.raises(InputRefused, match=r"'1\.056' in column 'y' may be 1,056 or 1\.056"):
        load(data)
    assert load(data, thousands=".").panel.targets[0] == 1056
    assert load(data, decimal=".").panel.targets[0] == 1.056
    fractions = [*cells[:3], 2.5, *cells[4:]]
    data = book(Sales=[["day", "y"], *([day, cell] for day, cell in zip(DAYS, fractions, strict=True))])
    assert load(data).panel.targets[0] == 1.056


@pytest.mark.parametrize(
    ("extra", "shown"),
    [(0, datetime(2024, 1, 1, 6)), (1, "2024-01-01 06:00:00.000000001")],  # noqa: DTZ001
)
def test_times_in_nanoseconds_are_written_without_pandas(
    extra: int, shown: Any, run_python: Any, tmp_path: Path
) -> None:
    path = tmp_path / "times.xlsx"
    code = (
        "import sys, numpy as np, pyarrow as pa\n"
        "from rnncli.data.writers.results import Style, of_table, pieces\n"
        f"stored = pa.py_buffer(np.array([1704088800000000000 + {extra}]))\n"
        "table = pa.table([pa.Array.from_buffers(pa.timestamp('ns'), 1, [None, stored])], ['at'])\n"
        "open(sys.argv[1], 'wb').write(b''.join(pieces(of_table(table), 'xlsx', Style())))\n"
        "assert 'pandas' not in sys.modules"
    )
    done = run_python("-c", code, path)
    assert done.returncode == 0, done.stderr
    assert python_calamine.load_workbook(path).get_sheet_by_index(0).to_python()[1] == [shown]


def test_ids_that_are_texts_stay_and_numbers_have_no_point(load: Load) -> None:
    table = [["shop", "day", "y"], *([shop, day, 1.5] for shop in ("007", 7) for day in DAYS)]
    assert load(book(Sales=table), id=("shop",)).panel.ids == ("007", "7")


def test_a_value_that_a_formula_did_not_find_is_missing(load: Load) -> None:
    data = made.with_cells(B5="#N/A")
    assert np.flatnonzero(np.isnan(load(data).panel.targets)).tolist() == [3]


def test_true_and_empty_cells_are_what_they_are(load: Load) -> None:
    table = [
        ["day", "y", "open"],
        *([day, None if place == 2 else 1, place % 2 == 0] for place, day in enumerate(DAYS)),
    ]
    loaded = load(book(Sales=table), target=("y",), past=("open",))
    assert loaded.panel.of("open").tolist() == [1, 0] * 3
    assert np.isnan(loaded.panel.targets[2])


def test_columns_have_the_letters_of_a_spreadsheet() -> None:
    assert [column_name(place) for place in (0, 25, 26, 701, 702, 16383)] == ["A", "Z", "AA", "ZZ", "AAA", "XFD"]


# Written


def cells(results: Results, **style: Any) -> list[list[Any]]:
    data = b"".join(pieces(results, "xlsx", Style(**style)))
    workbook = python_calamine.load_workbook(io.BytesIO(data))
    found: list[list[Any]] = workbook.get_sheet_by_index(0).to_python()
    return found


def test_a_workbook_has_dates_numbers_and_no_formula() -> None:
    zoned = pa.array([datetime(2024, 1, 1, 5)], pa.timestamp("us")).cast(pa.timestamp("us", "Europe/Berlin"))  # noqa: DTZ001
    table = pa.table(
        {
            "=id": ["=1+1"],
            "day": [DAYS[0]],
            "at": [datetime(2024, 1, 1, 6, 30)],  # noqa: DTZ001
            "old": [date(1899, 5, 1)],
            "zoned": zoned,
            "number": [1 / 3],
            "flag": [True],
            "missing": pa.array([None], pa.float64()),
            "nan": [float("nan")],
        }
    )
    header, row = cells(of_table(table))
    assert header == table.column_names
    assert row == ["=1+1", DAYS[0], datetime(2024, 1, 1, 6, 30), "1899-05-01", row[4], 0.333333333333, True, "", ""]  # noqa: DTZ001
    assert row[4].startswith("2024-01-01 06:00:00")
    assert cells(of_table(table), digits=3)[1][5] == 0.333


def test_what_no_cell_can_hold_is_refused() -> None:
    with pytest.raises(InputRefused, match="cannot hold row 1 of column 1"):
        cells(of_table(pa.table({"id": ["x" * 40_000]})))
    with pytest.raises(InputRefused, match="1,048,576 rows at most"):
        cells(of_table(pa.table({"y": pa.nulls(1 << 20, pa.float64())})))
