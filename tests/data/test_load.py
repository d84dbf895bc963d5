"""Files as users have them become panels, or one clear refusal with its place."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from rnncli.data.calendar import Frequency
from rnncli.data.channel import vocabularies
from rnncli.data.known import Known
from rnncli.data.load import Loaded, load_panel
from rnncli.errors import InputRefused, RnncliError, UsageError
from rnncli.spec import ColumnChoices

Run = Callable[..., subprocess.CompletedProcess[str]]
Write = Callable[..., Path]

LONG = "shop,day,sales\na,2024-01-01,1\nb,2024-01-01,5\na,2024-01-02,2\nb,2024-01-02,6\n"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str | bytes, name: str = "data.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return written


def days(values: list[object], header: str = "ds,y") -> str:
    times = np.datetime64("2024-01-01") + np.arange(len(values))
    return header + "\n" + "".join(f"{time},{value}\n" for time, value in zip(times, values, strict=True))


def refused(path: Path | str, **choices: object) -> InputRefused:
    with pytest.raises(InputRefused) as found:
        load_panel(path, ColumnChoices(**choices))  # type: ignore[arg-type]
    return found.value


# what is read


def test_long_rows_become_one_series_for_each_id(write: Write) -> None:
    loaded = load_panel(write(LONG))
    assert loaded.panel.ids == ("a", "b")
    assert loaded.panel.target(1).tolist() == [5, 6]
    assert (loaded.columns.time, loaded.columns.id, loaded.columns.target) == ("day", "shop", "sales")


def test_a_time_without_a_name_is_the_time(write: Write) -> None:
    loaded = load_panel(write(",y\n2024-01-01,1\n2024-01-02,2\n"))  # what pandas writes of a Series with dates
    assert (loaded.columns.times, loaded.columns.target) == (("",), "y")
    assert str(loaded.panel.calendar.frequency) == "1 day"


@pytest.mark.parametrize(("suffix", "codec"), [("gz", "gzip"), ("zst", "zstd"), ("zst", "gzip")])
def test_compressed_files_are_known_by_their_content(write: Write, suffix: str, codec: str) -> None:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as stream:
        stream.write(LONG.encode())
    path = write(sink.getvalue().to_pybytes(), f"x.csv.{suffix}")
    assert load_panel(path).panel.values[:, 0].tolist() == [1, 2, 5, 6]


@pytest.mark.parametrize(("delimiter", "name"), [("\t", "x.tsv"), (";", "x.csv"), ("|", "x.csv"), ("\t", "x.csv")])
def test_other_delimiters_are_seen_in_the_header(write: Write, delimiter: str, name: str) -> None:
    assert len(load_panel(write(LONG.replace(",", delimiter), name)).panel) == 2


def test_a_decimal_comma_is_read_where_it_is_said(write: Write) -> None:
    path = write("ds;y\n2024-01-01;1,5\n2024-01-02;2,25\n")
    assert load_panel(path, ColumnChoices(decimal=",")).panel.values[:, 0].tolist() == [1.5, 2.25]


def test_files_of_a_folder_are_series_known_by_their_stem(write: Write, tmp_path: Path) -> None:
    write(days([1, 2]), "north.csv"), write(days([3, 4, 5]), "south.csv"), write("notes", "README.txt")
    loaded = load_panel(tmp_path)
    assert loaded.panel.ids == ("north", "south")
    assert loaded.columns.by_file


def test_a_quoted_glob_takes_what_matches(write: Write, tmp_path: Path) -> None:
    write(days([1, 2]), "a1.csv"), write(days([1, 2]), "a2.csv"), write(days([1, 2]), "b1.csv")
    assert load_panel(f"{tmp_path}/a*.csv").panel.ids == ("a1", "a2")


def test_wide_columns_are_series_that_begin_at_their_first_value(write: Write) -> None:
    text = "day,north,south,none\n2024-01-01,1,,\n2024-01-02,2,7,\n2024-01-03,,8,\n"
    loaded = load_panel(write(text), ColumnChoices(wide=True))
    assert loaded.panel.ids == ("north", "south")
    assert loaded.panel.lengths.tolist() == [3, 2]
    assert any("'none'" in note for note in loaded.notes)


def test_a_dataframe_is_read_through_arrow() -> None:
    frame = pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=3), "y": [1.0, 2.0, 3.0]})
    assert load_panel(frame).panel.values[:, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
)
def test_ids_of_every_arrow_text_type_are_text(kind: pa.DataType) -> None:
    ids = pa.array(["007", "007", "8", "8"]).cast(kind)
    table = pa.table({"id": ids, "t": [1, 2, 1, 2], "y": [1.0, 2.0, 3.0, 4.0]})
    assert load_panel(table, ColumnChoices(time="t")).panel.ids == ("007", "8")


@pytest.mark.parametrize("kind", [pa.float32(), pa.int8(), pa.uint64(), pa.decimal128(5, 2), pa.float16()])
def test_numbers_of_every_arrow_type_are_read(kind: pa.DataType) -> None:
    values = pa.array([1.0, 2.0, 3.0]).cast(kind)
    table = pa.table({"t": [1, 2, 3], "y": values})
    assert load_panel(table, ColumnChoices(time="t")).panel.values[:, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_times_of_every_unit_and_zone_are_the_same_moments(unit: str, zone: str | None) -> None:
    times = pa.array(np.arange("2024-01-01", "2024-01-03", dtype="datetime64[h]").astype(f"datetime64[{unit}]"))
    table = pa.table({"ds": times.cast(pa.timestamp(unit, zone)), "y": np.arange(48.0)})
    panel = load_panel(table).panel
    assert panel.calendar.frequency == Frequency("hour")
    assert panel.calendar.times(panel.starts, panel.phases)[0] == np.datetime64("2024-01-01", "us").astype(int)


def test_a_slice_of_a_table_is_read_from_its_own_offset() -> None:
    table = pa.table({"t": pa.array([1, 2, 3, 4]), "y": pa.array([1.0, None, 3.0, None])}).slice(1, 3)
    got = load_panel(table, ColumnChoices(time="t")).panel.values[:, 0]
    np.testing.assert_array_equal(got, [np.nan, 3.0, np.nan])


@pytest.mark.parametrize("text", ["007", "NA", "9007199254740993", "é🙂", "=1+1", "[red]", " x"])
def test_ids_stay_exactly_as_written(write: Write, text: str) -> None:
    rows = "".join(f"{name},2024-01-0{day},1\n" for day in (1, 2) for name in (text, "other id"))
    assert load_panel(write("unique_id,ds,y\n" + rows)).panel.ids == (text, "other id")


def test_values_keep_every_bit(write: Write) -> None:
    values = [0.1, 1e-300, 2.0**53 - 1, 123456789.123456789, 5e149]
    assert load_panel(write(days([repr(v) for v in values]))).panel.values[:, 0].tolist() == values


def test_reading_takes_neither_pandas_nor_torch_nor_arrow_compute(write: Write, run_python: Run) -> None:
    csv, table = write(LONG), write(b"", "t.parquet")
    parquet.write_table(pa.table({"ds": pa.array(np.arange(3)), "unique_id": ["a"] * 3, "y": [1.0, 2.0, 3.0]}), table)
    code = (
        "import sys; from rnncli.data.load import load_panel\n"
        f"load_panel({str(csv)!r}); load_panel({str(table)!r})\n"
        "print([name for name in ('pandas', 'torch', 'pyarrow.compute') if name in sys.modules])"
    )
    done = run_python("-c", code)
    assert done.stdout == "[]\n", done.stderr


def test_standard_input_is_a_source(run_python: Run) -> None:
    code = "from rnncli.data.load import load_panel; print(load_panel('-').panel.ids)"
    assert run_python("-c", code, input=LONG).stdout == "('a', 'b')\n"


# order, gaps, duplicates


def test_rows_out_of_order_are_sorted_with_a_word(write: Write) -> None:
    loaded = load_panel(write("ds,y\n2024-01-03,3\n2024-01-01,1\n2024-01-02,2\n"))
    assert loaded.panel.values[:, 0].tolist() == [1, 2, 3]
    assert any("sorted" in note for note in loaded.notes)


def test_a_gap_becomes_missing_steps(write: Write) -> None:
    loaded = load_panel(write("ds,y\n2024-01-01,1\n2024-01-02,2\n2024-01-03,3\n2024-01-06,6\n"))
    np.testing.assert_array_equal(loaded.panel.values[:, 0], [1, 2, 3, np.nan, np.nan, 6])
    assert any("2 steps are absent" in note for note in loaded.notes)


def test_rows_that_repeat_in_full_are_dropped_with_a_word(write: Write) -> None:
    loaded = load_panel(write("unique_id,ds,y\na,2024-01-01,1\na,2024-01-01,1\na,2024-01-02,2\n"))
    assert loaded.panel.lengths.tolist() == [2]
    assert any("1 rows that repeat" in note for note in loaded.notes)


def test_rows_that_contradict_each_other_are_refused_by_series_time_and_line(write: Write) -> None:
    error = refused(write("unique_id,ds,y\na,2024-01-01,1\na,2024-01-02,2\na,2024-01-02,3\n"))
    assert "series 'a'" in error.message
    assert "2024-01-02" in error.message
    assert error.where.endswith("data.csv:4")


def test_a_wrong_year_is_refused_before_it_eats_the_memory(write: Write) -> None:
    error = refused(
        write("ds,y\n" + "".join(f"2024-01-01 00:00:{s:02},1\n" for s in range(30)) + "2224-01-01 00:00:00,1\n")
    )
    assert "span" in error.message


def test_trailing_missing_values_are_reported(write: Write) -> None:
    assert any("end in missing" in note for note in load_panel(write(days([1, 2, ""]))).notes)


@settings(derandomize=True, max_examples=25, deadline=None)
@given(st.data())
def test_the_order_of_rows_changes_nothing_but_the_order_of_series(data: st.DataObject) -> None:
    lengths = data.draw(st.lists(st.integers(2, 6), min_size=1, max_size=4))
    rows = [(f"s{s}", t, float(10 * s + t)) for s, length in enumerate(lengths) for t in range(length)]
    shuffled = data.draw(st.permutations(rows))

    def panel(rows: list[tuple[str, int, float]]) -> Loaded:
        ids, times, values = zip(*rows, strict=True)
        return load_panel(pa.table({"unique_id": ids, "ds": times, "y": values}))

    one, other = panel(rows).panel, panel(shuffled).panel
    assert {i: one.target(s).tolist() for s, i in enumerate(one.ids)} == {
        i: other.target(s).tolist() for s, i in enumerate(other.ids)
    }


# time


@pytest.mark.parametrize(
    ("texts", "frequency"),
    [
        (["2024-01", "2024-02", "2024-03"], Frequency("month")),
        (["31.01.2024", "29.02.2024", "31.03.2024"], Frequency("month", 1, month_end=True)),
        (["2024/01/01 10:00", "2024/01/01 10:15", "2024/01/01 10:30"], Frequency("minute", 15)),
        (["2024-01-01T00:00:00Z", "2024-01-01T01:00:00Z", "2024-01-01T02:00:00Z"], Frequency("hour")),
        (["0001-01-01", "0001-01-02", "0001-01-03"], Frequency("day")),
        (["2300-01-01", "2300-01-02", "2300-01-03"], Frequency("day")),
        (["1950", "1951", "1952"], Frequency("step")),
        (["5", "10", "15"], Frequency("step", 5)),
        (["2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09"], Frequency("business day")),
    ],
)
def test_times_as_people_write_them(write: Write, texts: list[str], frequency: Frequency) -> None:
    path = write("ds,y\n" + "".join(f"{text},1\n" for text in texts))
    assert load_panel(path).panel.calendar.frequency == frequency


def test_days_and_months_that_could_be_either_are_refused_with_both_forms(write: Write) -> None:
    error = refused(write("when,y\n01/02/2024,1\n02/02/2024,2\n"))
    assert "'%d/%m/%Y'" in error.hint
    assert "'%m/%d/%Y'" in error.hint


def test_a_day_above_twelve_settles_which_is_the_month(write: Write) -> None:
    text = "when,y\n" + "".join(f"{day:02}/02/2024,1\n" for day in range(1, 20))
    assert load_panel(write(text)).panel.calendar.frequency == Frequency("day")


def test_a_time_format_that_is_said_is_used(write: Write) -> None:
    path = write("ds,y\n20240131,1\n20240201,2\n20240202,3\n")
    assert load_panel(path, ColumnChoices(time_format="%Y%m%d")).panel.calendar.frequency == Frequency("day")


@pytest.mark.parametrize("bad", ["2024-02-30", "2024-01-01 25:00", "tomorrow", "", "2024-01-02T00:00:00Z", "23:59:60"])
def test_a_time_that_cannot_be_is_refused_with_its_line(write: Write, bad: str) -> None:
    error = refused(write(f"ds,y\n2024-01-01,1\n2024-01-02,1\n{bad},2\n"), time="ds")
    assert error.where.endswith("data.csv:4")


def test_offsets_of_one_zone_keep_days_whole(write: Write) -> None:
    days = [f"2024-03-{day}T00:00:00+01:00" for day in (29, 30, 31)] + ["2024-04-01T00:00:00+02:00"]
    path = write("ds,y\n" + "".join(f"{day},1\n" for day in days))
    loaded = load_panel(path, ColumnChoices(zone="Europe/Berlin"))
    assert loaded.panel.calendar.frequency == Frequency("day")
    assert loaded.notes == ("times have several offsets: days are counted in Europe/Berlin",)


def test_offsets_that_nobody_explains_are_said(write: Write) -> None:
    hours = [f"2024-03-31T{hour:02}:00:00+01:00" for hour in range(0, 8, 2)]
    hours += [f"2024-03-31T{hour + 1:02}:00:00+02:00" for hour in range(8, 16, 2)]
    path = write("ds,y\n" + "".join(f"{hour},1\n" for hour in hours))
    assert load_panel(path).notes == (
        "times have several offsets: days are counted in UTC, unless --zone says otherwise",
    )


def test_wall_times_in_a_zone_tell_the_repeated_hour_by_its_order(write: Write) -> None:
    hours = ["00:00", "01:00", "02:00", "02:00", "03:00", "04:00"]
    path = write("ds,y\n" + "".join(f"2024-10-27 {hour},{i}\n" for i, hour in enumerate(hours)))
    loaded = load_panel(path, ColumnChoices(zone="Europe/Berlin"))
    assert loaded.panel.values[:, 0].tolist() == [0, 1, 2, 3, 4, 5]


def test_the_skipped_hour_of_spring_is_no_gap(write: Write) -> None:
    hours = ["00:00", "01:00", "03:00", "04:00"]
    path = write("ds,y\n" + "".join(f"2024-03-31 {hour},{i}\n" for i, hour in enumerate(hours)))
    assert load_panel(path, ColumnChoices(zone="Europe/Berlin")).panel.lengths.tolist() == [4]


def test_mixed_frequencies_are_refused(write: Write) -> None:
    rows = [f"d,2024-01-{day:02},1\n" for day in range(1, 21)]
    rows += [f"h,2024-01-01 {hour:02}:00,1\n" for hour in range(20)]
    assert "mixed frequencies" in refused(write("unique_id,ds,y\n" + "".join(rows))).message


# what is refused, and where


@pytest.mark.parametrize(
    ("content", "place", "message", "hint"),
    [
        (b"", "", "empty", "header"),
        (b"ds,y\n", "", "no row", "header"),
        (b"ds,y\n2024-01-01,1\x00\n", ":2", "NUL", ""),
        ("ds,y\n2024-01-01,1\n".encode("utf-16"), "", "UTF-16", "--encoding"),
        ("ds,naïve\n2024-01-01,1\n".encode("latin-1"), ":1", "not UTF-8", "--encoding"),
        (b"ds,y\n2024-01-01,1\n2024-01-02,1,5\n", ":3", "3 fields", "quote"),
        (b"ds,y\n2024-01-01,1\n2024-01-02\n", ":3", "1 field,", ""),
        (b'ds,y\n2024-01-01,1\n2024-01-02,"2\n', ":3", "", ""),
        (b"ds,y,y\n2024-01-01,1,2\n", ":1:3", "two columns are called 'y'", "rename"),
        (b"ds,y\n2024-01-01,1\n2024-01-02,x\n", ":3:2", "'x' in column 'y' is not a number", "empty"),
        (b'ds,y\n2024-01-01,1\n2024-01-02,"1,5"\n', ":3:2", "is not a number", "--decimal ,"),
        (b"ds,y\n2024-01-01,1\n2024-01-02,0x10\n", ":3:2", "'0x10'", ""),
        (b"ds,y\n2024-01-01,1\n2024-01-02,1_000\n", ":3:2", "'1_000'", ""),
        (b"ds,y\n2024-01-01,1\n2024-01-02,inf\n", ":3", "infinite", "empty"),
        (b"ds,y\n2024-01-01,1\n2024-01-02,1e309\n", ":3", "infinite", "empty"),
        (b"ds,y\n2024-01-01,1\n2024-01-02,1\n\x1a\n", ":4", "1 field,", ""),
        (b"PAR1xxxx", "", "Parquet", "--format parquet"),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03abc", "", "cannot be read", "damaged"),
    ],
)
def test_a_hostile_file_gets_one_error_with_its_place(
    write: Write, content: bytes, place: str, message: str, hint: str
) -> None:
    error = refused(write(content))
    assert error.where.endswith(f"data.csv{place}")
    assert message in error.message
    assert hint in error.hint


@pytest.mark.parametrize(
    "content", [b"\xef\xbb\xbfds,y\n2024-01-01,1\n2024-01-02,2\n", b"ds,y\r\n2024-01-01,1\r\n2024-01-02,2\r\n"]
)
def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(write: Write, content: bytes) -> None:
    assert load_panel(write(content)).panel.values[:, 0].tolist() == [1, 2]


@pytest.mark.parametrize("text", ["a\nb", "a\x1b[31m", "a\x00b"])
def test_ids_with_control_characters_are_refused(text: str) -> None:
    table = pa.table({"unique_id": [text, text], "ds": [1, 2], "y": [1.0, 2.0]})
    with pytest.raises(InputRefused, match="control characters"):
        load_panel(table)


def test_damaged_parquet_is_refused(write: Write, tmp_path: Path) -> None:
    parquet.write_table(pa.table({"ds": [1, 2], "y": [1.0, 2.0]}), tmp_path / "t.parquet")
    whole = (tmp_path / "t.parquet").read_bytes()
    assert "not a sound Parquet" in refused(write(whole[: len(whole) // 2], "half.parquet")).message


@pytest.mark.parametrize(("name", "kind"), [("nope.csv", InputRefused), ("data.xyz", UsageError)])
def test_files_that_are_missing_or_unknown_are_refused(
    write: Write, tmp_path: Path, name: str, kind: type[RnncliError]
) -> None:
    write("x", "data.xyz")
    with pytest.raises(kind) as error:
        load_panel(tmp_path / name)
    assert error.value.hint


def test_a_missing_file_is_answered_with_a_near_name(write: Write, tmp_path: Path) -> None:
    write(LONG, "sales.csv")
    assert "sales.csv" in refused(tmp_path / "slaes.csv").hint


# columns


@pytest.mark.parametrize(
    ("text", "candidates"),
    [
        ("a,b,y\n2024-01-01,2024-01-01,1\n2024-01-02,2024-01-02,2\n", ("a, b", "--time")),
        ("ds,u,v\n2024-01-01,1,2\n2024-01-02,2,3\n", ("u, v", "--target")),
        ("p,q,ds,y\na,a,2024-01-01,1\nb,b,2024-01-01,2\n", ("p, q", "--id")),
    ],
)
def test_ambiguity_lists_the_candidates_and_the_flag(write: Write, text: str, candidates: tuple[str, str]) -> None:
    error = refused(write(text))
    assert candidates[0] in error.message
    assert candidates[1] in error.hint


def test_a_text_column_is_no_id_where_times_do_not_repeat(write: Write) -> None:
    loaded = load_panel(write("day,note,y\n2024-01-01,a,1\n2024-01-02,b,2\n2024-01-03,c,3\n"))
    assert loaded.columns.id is None
    assert len(loaded.panel) == 1


def test_strict_forbids_guessing(write: Write) -> None:
    assert "--strict" in refused(write(LONG), strict=True).message
    named = ColumnChoices(time="day", id=("shop",), target=("sales",), strict=True)
    assert len(load_panel(write(LONG), named).panel) == 2


def test_a_misspelt_column_is_answered_with_a_near_match(write: Write) -> None:
    assert "'sales'" in refused(write(LONG), target=("slaes",)).hint


def test_covariates_are_numbers_or_categories(write: Write) -> None:
    text = "ds,y,temp,sky,place\n" + "".join(
        f"2024-01-{day:02},{day},{day / 2},{'rain' if day % 2 else 'sun'},north\n" for day in range(1, 6)
    )
    loaded = load_panel(write(text), ColumnChoices(target=("y",), past=("temp",), future=("sky",), static=("place",)))
    assert loaded.panel.channel_names == ("y", "temp", "sky", "place")
    assert vocabularies(loaded.panel.channels) == {"sky": ("rain", "sun"), "place": ("north",)}
    assert loaded.panel.series(0)[0].tolist() == [1, 0.5, 0, 0]


def test_a_static_column_that_changes_is_refused(write: Write) -> None:
    error = refused(write("ds,y,kind\n2024-01-01,1,a\n2024-01-02,2,b\n"), static=("kind",))
    assert "declared static" in error.message


# with a model, nothing is guessed


@pytest.fixture
def known(write: Write) -> Known:
    loaded = load_panel(write(LONG, "training.csv"))
    return Known(loaded.columns, loaded.panel.calendar, loaded.panel.channels)


def test_a_models_columns_are_found_again(write: Write, known: Known) -> None:
    text = "extra,shop,sales,day\n9,a,1,2025-01-01\n9,a,2,2025-01-02\n"
    assert load_panel(write(text), known=known).panel.ids == ("a",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("shop,when,sales\na,2024-01-01,1\n", "no column 'day'"),
        ("shop,day,sales\na,2024-01-01 00:00,1\na,2024-01-01 06:00,1\n", "off that grid"),
        ("shop,day,sales\na,2024-01-01T00:00:00Z,1\na,2024-01-02T00:00:00Z,1\n", "time zone"),
        ("shop,day,sales\na,1,1\na,2,1\n", "whole numbers"),
        (
            "shop,day,sales\n" + "".join(f"a,{np.datetime64('2024-01-01') + 7 * i},1\n" for i in range(12)),
            "mixed frequencies",
        ),
    ],
)
def test_data_unlike_the_models_are_refused(write: Write, known: Known, text: str, message: str) -> None:
    with pytest.raises(InputRefused, match=message):
        load_panel(write(text), known=known)
