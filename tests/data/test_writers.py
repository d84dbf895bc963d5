from __future__ import annotations

import csv as standard_csv
import io
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from numpy.typing import NDArray

from rnncli import registry
from rnncli.data.calendar import Calendar, Frequency
from rnncli.data.writers.forecasts import results_of
from rnncli.data.writers.results import Style, pieces, significant
from rnncli.data.writers.table import ForecastTable
from rnncli.errors import InputRefused
from rnncli.spec import Columns

BERLIN = "Europe/Berlin"
LEVELS = (0.025, 0.5, 0.9)
FORMATS = list(registry.WRITERS)


def forecast(
    ids: tuple[str, ...] = ("a", "007"),
    first: str = "2024-03-30",
    frequency: Frequency | None = None,
    zone: str | None = None,
    times: NDArray[np.int64] | None = None,
    **columns: Any,
) -> ForecastTable:
    """Two steps for each id, from `first` on the zone's wall clock."""
    grid = Calendar(frequency or Frequency("day"), zone=zone)
    if times is None:
        begin = grid.from_local(np.array([np.datetime64(first, "us").astype(np.int64)]))
        ordinal, phase = grid.ordinals(begin)
        times = grid.times(ordinal + np.arange(2), np.repeat(phase, 2))
    times = np.tile(times, (len(ids), 1))
    quantiles = np.arange(times.size * 3).reshape(*times.shape, 3) / 7
    names = Columns(**{"time": "ds", "id": "unique_id", "target": "y", **columns})
    return ForecastTable(ids, times, LEVELS, quantiles, quantiles[..., 1].copy(), names, grid)


def encoded(table: ForecastTable, form: str = "csv", **options: Any) -> bytes:
    """The bytes of a file of the forecast, with every digit unless fewer are asked for."""
    style = Style(**{"digits": 17, **options})
    return b"".join(pieces(results_of(table, style), form, style))


def cells(table: ForecastTable, **options: Any) -> list[list[str]]:
    return list(standard_csv.reader(io.StringIO(encoded(table, **options).decode())))


def read(table: ForecastTable, **options: Any) -> pa.Table:
    return pq.read_table(pa.BufferReader(encoded(table, "parquet", **options)), page_checksum_verification=True)


def objects(table: ForecastTable, **options: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in encoded(table, "jsonl", **options).decode().splitlines()]


def times_in_csv(table: ForecastTable) -> list[str]:
    return [row[1] for row in cells(table)[1:]]


def test_the_columns_are_id_time_forecast_and_a_quantile_for_each_level() -> None:
    assert cells(forecast())[0] == ["unique_id", "ds", "forecast", "q0.025", "q0.5", "q0.9"]


def test_a_csv_file_is_this_text() -> None:
    table = replace(forecast(("a",)), quantiles=np.array([[[0.1, 1 / 3, 1e20], [-5, 0, 2.5e-9]]]))
    text = encoded(replace(table, point=table.quantiles[..., 1])).decode()
    assert text == (
        "unique_id,ds,forecast,q0.025,q0.5,q0.9\n"
        "a,2024-03-30 00:00:00,0.3333333333333333,0.1,0.3333333333333333,1e+20\n"
        "a,2024-03-31 00:00:00,0,-5,0,2.5e-9\n"
    )


def test_every_float64_comes_back_from_csv_and_jsonl() -> None:
    chance = np.random.default_rng(0)
    numbers = chance.normal(size=(1, 2, 3)) * 10.0 ** chance.integers(-300, 300, (1, 2, 3))
    table = replace(forecast(("a",)), quantiles=numbers)
    assert [float(cell) for row in cells(table)[1:] for cell in row[3:]] == numbers.ravel().tolist()
    assert [row[f"q{level}"] for row in objects(table) for level in LEVELS] == numbers.ravel().tolist()


def test_all_formats_hold_the_same_rows() -> None:
    table = forecast()
    rows = read(table).to_pylist()
    assert [(r["unique_id"], r["ds"].isoformat(" "), r["forecast"], r["q0.9"]) for r in rows] == [
        (r["unique_id"], r["ds"], r["forecast"], r["q0.9"]) for r in objects(table)
    ]
    assert [[r["unique_id"], r["ds"]] for r in objects(table)] == [row[:2] for row in cells(table)[1:]]
    assert [r["unique_id"] for r in rows] == ["a", "a", "007", "007"]


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_table_gives_the_same_bytes(name: str) -> None:
    assert encoded(forecast(), name) == encoded(forecast(), name)


@pytest.mark.parametrize("name", FORMATS)
def test_no_series_make_a_table_without_rows(name: str) -> None:
    empty = forecast(())
    empty = replace(empty, times=np.zeros((0, 2), np.int64), quantiles=np.zeros((0, 2, 3)), point=np.zeros((0, 2)))
    assert encoded(empty, name).count(b"\n") == {"csv": 1, "jsonl": 0}.get(name, encoded(empty, name).count(b"\n"))


def test_one_series_without_a_name_has_no_id_column() -> None:
    assert cells(forecast(("",), id=None))[0][:2] == ["ds", "forecast"]


def test_wide_data_are_forecast_in_long_form() -> None:
    table = forecast(("north", "south"), id=None, wide=True, id_name="series")
    assert cells(table)[0][:3] == ["series", "ds", "forecast"]
    assert [row[0] for row in cells(table)[1:]] == ["north", "north", "south", "south"]


def test_a_data_column_called_forecast_is_refused_except_when_tidy() -> None:
    table = forecast(id="forecast")
    for form in FORMATS:
        with pytest.raises(InputRefused, match="two columns called 'forecast'"):
            encoded(table, form)
        assert encoded(table, form, tidy=True)


def test_tidy_is_one_row_for_each_step_and_level() -> None:
    table = forecast(id="item", time="day")
    rows = cells(table, tidy=True)
    assert rows[0] == ["id", "time", "quantile", "value"]
    assert rows[1][:3] == ["a", "2024-03-30 00:00:00", "0.025"]
    assert [float(row[2]) for row in rows[1:]] == [*LEVELS] * 4
    assert [float(row[3]) for row in rows[1:]] == table.quantiles.ravel().tolist()
    assert read(table, tidy=True).column_names == rows[0]
    assert list(objects(table, tidy=True)[0]) == rows[0]


# Times come out as they came in


@pytest.mark.parametrize(
    "arrow",
    ["timestamp[ms]", "timestamp[us]", "timestamp[ns]", "timestamp[us, tz=UTC]", "date32[day]"],
)
def test_parquet_keeps_the_type_of_time(arrow: str) -> None:
    zone = "UTC" if "tz" in arrow else None
    kind = "date" if arrow.startswith("date") else "timestamp"
    table = forecast(time_type=kind, time_arrow=arrow, zone=zone)
    column = read(table)["ds"]
    assert str(column.type) == arrow
    assert [str(time)[:10] for time in column.to_pylist()[:2]] == ["2024-03-30", "2024-03-31"]


def test_zoned_times_keep_their_zone_across_the_clock_change() -> None:
    arrow = f"timestamp[us, tz={BERLIN}]"
    table = forecast(first="2024-03-30", zone=BERLIN, time_arrow=arrow)
    table = replace(table, times=table.calendar.from_local(table.calendar.local(table.times) + 43_200_000_000))
    assert times_in_csv(table)[:2] == ["2024-03-30 12:00:00+01:00", "2024-03-31 12:00:00+02:00"]
    column = read(table)["ds"]
    assert str(column.type) == arrow
    assert [time.isoformat() for time in column.to_pylist()[:2]] == [
        "2024-03-30T12:00:00+01:00",
        "2024-03-31T12:00:00+02:00",
    ]


def test_a_zone_west_of_greenwich_has_a_minus() -> None:
    table = forecast(zone="America/St_Johns", time_arrow="timestamp[us, tz=America/St_Johns]")
    assert times_in_csv(table)[0] == "2024-03-30 00:00:00-02:30"


def test_naive_times_of_a_named_zone_stay_naive() -> None:
    table = forecast(zone=BERLIN, time_arrow="timestamp[us]")
    assert times_in_csv(table)[:2] == ["2024-03-30 00:00:00", "2024-03-31 00:00:00"]
    assert [time.isoformat() for time in read(table)["ds"].to_pylist()[:2]] == [
        "2024-03-30T00:00:00",
        "2024-03-31T00:00:00",
    ]


def test_dates_are_dates_in_text() -> None:
    table = forecast(time_type="date", time_arrow="date32[day]")
    assert times_in_csv(table)[:2] == ["2024-03-30", "2024-03-31"]
    assert objects(table)[0]["ds"] == "2024-03-30"


def test_text_keeps_its_format_even_in_parquet() -> None:
    table = forecast(time_type="text", time_arrow="string", time_format="%d.%m.%Y %H:%M")
    assert times_in_csv(table)[:2] == ["30.03.2024 00:00", "31.03.2024 00:00"]
    assert read(table)["ds"].to_pylist()[:2] == ["30.03.2024 00:00", "31.03.2024 00:00"]
    assert read(table)["ds"].type == pa.string()


def test_a_format_with_quotes_and_commas_is_quoted() -> None:
    table = forecast(time_type="text", time_arrow="string", time_format='%b "%d", %Y')
    assert times_in_csv(table)[0] == 'Mar "30", 2024'
    assert objects(table)[0]["ds"] == 'Mar "30", 2024'


def test_a_format_with_an_offset_has_the_zones_offset() -> None:
    table = forecast(zone=BERLIN, time_type="text", time_arrow="string", time_format="%Y-%m-%dT%H:%M:%S%z")
    assert times_in_csv(table)[0] == "2024-03-30T00:00:00+0100"


def test_fractions_of_a_second_are_written_where_there_are_any() -> None:
    table = forecast(frequency=Frequency("millisecond", 500), first="2024-01-01T00:00:00.500000")
    assert times_in_csv(table)[:2] == ["2024-01-01 00:00:00.500000", "2024-01-01 00:00:01.000000"]


@pytest.mark.parametrize(
    ("arrow", "kept"), [("int64", "int64"), ("int32", "int32"), ("int16", "int16"), ("int8", "int64")]
)
def test_whole_steps_stay_whole_numbers_of_their_width_where_they_fit(arrow: str, kept: str) -> None:
    table = forecast(frequency=Frequency("step"), times=np.array([127, 128]), time_type="integer", time_arrow=arrow)
    assert times_in_csv(table)[:2] == ["127", "128"]
    assert objects(table)[1]["ds"] == 128
    assert str(read(table)["ds"].type) == kept
    assert read(table)["ds"].to_pylist()[:2] == [127, 128]


def test_nanoseconds_give_way_where_they_end() -> None:
    table = forecast(first="2300-01-01", time_arrow="timestamp[ns]")
    assert str(read(table)["ds"].type) == "timestamp[us]"
    assert read(table)["ds"].to_pylist()[0].year == 2300


def test_times_before_1970_are_written() -> None:
    assert times_in_csv(forecast(first="1850-01-01"))[0] == "1850-01-01 00:00:00"


# Text


@pytest.mark.parametrize("text", ["a,b", 'say "x"', "line\nbreak", "größe ☃", "[red]", "a'b", "NA", "", "1e5"])
def test_any_id_comes_back(text: str) -> None:
    table = forecast((text, "b"))
    assert cells(table)[1][0] == text
    assert objects(table)[0]["unique_id"] == text
    assert read(table)["unique_id"].to_pylist()[0] == text
    kinds = arrow_csv.ConvertOptions(column_types={"unique_id": pa.string()})
    options = arrow_csv.ParseOptions(newlines_in_values=True)
    again = arrow_csv.read_csv(pa.BufferReader(encoded(table)), parse_options=options, convert_options=kinds)
    assert again["unique_id"].to_pylist()[0] == text


@pytest.mark.parametrize("text", ["=1+1", "+49 30", "-2+3", "@SUM(A1)", "\t=1", "\r=1", '=cmd|" /C calc"!A0', "=H(1)"])
def test_text_that_a_spreadsheet_would_run_is_escaped_in_csv_alone(text: str) -> None:
    table = forecast((text,), id="=id")
    assert cells(table)[0][0] == "'=id"
    assert cells(table)[1][0] == "'" + text
    assert cells(table, raw=True)[0][0] == "=id"
    assert cells(table, raw=True)[1][0] == text
    assert objects(table)[0]["=id"] == text
    assert read(table)["=id"].to_pylist()[0] == text


@pytest.mark.parametrize("text", ["-5", "+49", "-0.5"])
def test_signed_numbers_are_no_formulas(text: str) -> None:
    assert cells(forecast((text,)))[1][0] == text


def test_column_names_are_quoted_where_they_must_be() -> None:
    assert cells(forecast(time='the "day", local'))[0][1] == 'the "day", local'
    assert objects(forecast(time='the "day", local'))[0]['the "day", local'].startswith("2024")


def test_every_page_of_parquet_carries_a_checksum() -> None:
    table = forecast(tuple(f"series {i}" for i in range(200)))
    data = encoded(table, "parquet")
    footer = len(data) - int.from_bytes(data[-8:-4], "little") - 8
    silent = 0
    for place in range(4, footer, 7):
        damaged = bytearray(data)
        damaged[place] ^= 16
        try:
            again = pq.read_table(pa.BufferReader(bytes(damaged)), page_checksum_verification=True)
        except (OSError, ValueError):
            continue
        silent += not again.equals(read(table))
    assert silent == 0


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "xlsx"])
def test_fifty_thousand_rows_take_little_time(form: str) -> None:
    table = forecast(tuple(f"s{i}" for i in range(25_000)))
    begin = time.process_time()
    encoded(table, form)
    assert time.process_time() - begin < 3


def test_a_workbook_takes_hardly_longer_than_its_cells_alone() -> None:
    table = forecast(tuple(f"s{i}" for i in range(25_000)))
    begin = time.process_time()
    encoded(table, "xlsx")
    whole = time.process_time() - begin
    assert whole < 1.5 * seconds_of_cells(50_000)


def seconds_of_cells(rows: int) -> float:
    """CPU time that XlsxWriter takes for as many rows as a forecast has cells in: a text, a time and four numbers."""
    begin = time.process_time()
    with xlsxwriter.Workbook(io.BytesIO(), {"in_memory": True}) as workbook:
        sheet, style = workbook.add_worksheet(), workbook.add_format({"num_format": "yyyy-mm-dd"})
        for row in range(rows):
            sheet.write_string(row, 0, f"s{row // 2}")
            sheet.write_datetime(row, 1, datetime(2024, 3, 30 + row % 2), style)  # noqa: DTZ001 - workbooks know no zones
            for column in range(2, 6):
                sheet.write_number(row, column, row * column / 7)
    return time.process_time() - begin


def test_writing_imports_neither_pandas_nor_torch() -> None:
    script = (
        "import sys; sys.path[:0] = sys.argv[1:]; from test_writers import FORMATS, encoded, forecast;"
        "before = 'pandas' in sys.modules; [encoded(forecast(), form) for form in FORMATS];"
        "sys.exit(before or any(m in sys.modules for m in ('pandas', 'torch')))"
    )
    here, root = Path(__file__).parent, Path(registry.__file__).parents[1]
    command = [sys.executable, "-c", script, str(here), str(root)]
    assert subprocess.run(command, env={**os.environ}, check=False).returncode == 0


def test_texts_have_twelve_digits_and_types_all_of_them_unless_fewer_are_asked_for() -> None:
    third = replace(forecast(("a",)), point=np.array([[1 / 3, 200 / 3]]))
    for form, told in (("csv", "0.333333333333"), ("jsonl", "0.333333333333")):
        text = b"".join(pieces(results_of(third), form, Style())).decode()
        assert told in text
        assert "0.3333333333333" not in text
    exact = pq.read_table(pa.BufferReader(b"".join(pieces(results_of(third), "parquet", Style()))))
    assert exact.column("forecast").to_pylist() == [1 / 3, 200 / 3]
    assert cells(third, digits=3)[1][2] == "0.333"
    assert read(third, digits=3).column("forecast").to_pylist() == [0.333, 66.7]


def test_digits_are_those_that_python_prints() -> None:
    chance = np.random.default_rng(1)
    values = np.append(chance.normal(size=500) * 10.0 ** chance.integers(-290, 290, 500), [0, 9.9995, np.inf, np.nan])
    for digits in (1, 3, 12, 16):
        expected = [float(f"{value:.{digits - 1}e}") for value in values.tolist()]
        np.testing.assert_array_equal(significant(values, digits), expected)


def test_csv_for_a_spreadsheet_of_another_language() -> None:
    rows = encoded(replace(forecast(("a;b", "c")), point=np.full((2, 2), 1234.5)), decimal=",").decode().splitlines()
    assert rows[0] == "unique_id;ds;forecast;q0.025;q0.5;q0.9"
    assert rows[1].startswith('"a;b";2024-03-30 00:00:00;1234,5;0;')
    assert rows[3].startswith("c;2024-03-30 00:00:00;1234,5;")
    assert encoded(forecast(("c",)), separator="\t").decode().splitlines()[0].split("\t")[:2] == ["unique_id", "ds"]


def test_a_wide_table_has_a_column_a_series_and_nothing_where_one_has_ended() -> None:
    table = forecast(("a", "=b"))
    times = table.times.copy()
    times[1] += 86_400_000_000
    header, *rows = cells(replace(table, times=times), wide=True)
    assert header == ["ds", "a", "'=b"]
    assert [row[0][:10] for row in rows] == ["2024-03-30", "2024-03-31", "2024-04-01"]
    point = table.point
    assert [[cell and f"{float(cell):.17g}" for cell in row[1:]] for row in rows] == [
        [f"{point[0, 0]:.17g}", ""],
        [f"{point[0, 1]:.17g}", f"{point[1, 0]:.17g}"],
        ["", f"{point[1, 1]:.17g}"],
    ]
    with pytest.raises(InputRefused, match="two columns called 'ds'"):
        cells(forecast(("a", "ds")), wide=True)
