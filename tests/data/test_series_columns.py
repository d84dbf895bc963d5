"""Which series a row is of: several columns, columns of every Arrow type, files, and texts that nobody named."""

from __future__ import annotations

import csv
import datetime as dt
import decimal
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

import rnncli
from rnncli.data.ids import joined, parts_of
from rnncli.data.known import Known
from rnncli.data.load import Loaded, load_panel
from rnncli.data.writers.csv import defused, undefused
from rnncli.errors import InputRefused, RnncliError, UsageError
from rnncli.spec import ColumnChoices

SHOPS, ITEMS = ("north", "a/b", "007"), ("tea", "b", "x\\y")
SMALL: dict[str, Any] = {"horizon": 2, "steps": 1, "members": 1, "hidden": 4}


def day(step: int) -> str:
    return f"2024-01-{step + 1:02}"


@pytest.fixture
def panel(tmp_path: Path) -> Path:
    """A table whose series are told apart by two columns together."""
    rows = [
        f"{shop},{item},{day(step)},{10 * place + step % 7}.5\n"
        for place, (shop, item) in enumerate(itertools.product(SHOPS, ITEMS))
        for step in range(20)
    ]
    (tmp_path / "a.csv").write_text("shop,item,ds,y\n" + "".join(rows))
    return tmp_path / "a.csv"


def read_twice(path: Path, choices: ColumnChoices | None = None) -> Loaded:
    loaded = load_panel(path, choices)
    again = load_panel(path, None, Known(loaded.columns, loaded.panel.calendar, loaded.panel.channels))
    assert again.panel.ids == loaded.panel.ids
    return loaded


@pytest.mark.parametrize("names", [("shop,item",), ("shop", "item"), ("item", "shop"), ("shop, item",)])
def test_several_columns_tell_series_apart(panel: Path, names: tuple[str, ...]) -> None:
    loaded = read_twice(panel, ColumnChoices(id=names))
    assert len(loaded.panel) == 9
    assert set(loaded.columns.ids) == {"shop", "item"}


def test_a_column_whose_name_has_a_comma_is_one(tmp_path: Path) -> None:
    rows = [f"{name},{day(step)},{step}.5\n" for name in "ab" for step in range(9)]
    (tmp_path / "a.csv").write_text('"shop,item",ds,y\n' + "".join(rows))
    assert read_twice(tmp_path / "a.csv", ColumnChoices(id=("shop,item",))).panel.ids == ("a", "b")


@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl"])
def test_both_columns_come_back(panel: Path, form: str, tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    rnncli.train(panel, output=model, id="shop,item", **SMALL)
    forecast = rnncli.predict(panel, model)
    forecast.write(tmp_path / f"f.{form}")
    if form == "csv":
        lines = (tmp_path / "f.csv").read_text().splitlines()
        found = [(row["shop"], row["item"]) for row in csv.DictReader(lines)]
    else:
        rows = forecast.to_arrow().to_pylist()
        found = [(row["shop"], row["item"]) for row in rows]
    assert found[::2] == list(itertools.product(SHOPS, ITEMS))
    assert rnncli.check(panel, model)


def test_saved_forecasts_of_two_columns_are_scored_and_tidy_ones_too(panel: Path, tmp_path: Path) -> None:
    model, whole = tmp_path / "m.safetensors", panel.read_text().splitlines()
    earlier = tmp_path / "b.csv"
    earlier.write_text(
        "\n".join(line for line in whole if line.split(",")[2] < day(17) or line.startswith("shop")) + "\n"
    )
    rnncli.train(earlier, output=model, id="shop,item", **SMALL)
    for tidy in (False, True):
        rnncli.predict(earlier, model).write(tmp_path / "f.csv", tidy=tidy)
        found = rnncli.evaluate(panel, forecasts=tmp_path / "f.csv", id="shop,item").report
        assert len(found.ids) == 9


def test_as_many_columns_are_named_as_the_model_has(panel: Path, tmp_path: Path) -> None:
    loaded = load_panel(panel, ColumnChoices(id=("shop,item",)))
    known = Known(loaded.columns, loaded.panel.calendar, loaded.panel.channels)
    with pytest.raises(UsageError, match="--id names 1 column"):
        load_panel(panel, ColumnChoices(id=("shop",)), known)
    renamed = tmp_path / "r.csv"
    renamed.write_text(panel.read_text().replace("shop,item", "store,sku", 1))
    assert load_panel(renamed, ColumnChoices(id=("store,sku",)), known).panel.ids == loaded.panel.ids


def test_columns_that_only_together_tell_series_apart_are_named_in_the_hint(panel: Path) -> None:
    with pytest.raises(InputRefused, match="no column of text tells series apart") as error:
        load_panel(panel)
    assert "--id shop,item" in error.value.hint


@given(st.lists(st.text(st.sampled_from("ab/\\"), max_size=4), min_size=2, max_size=3))
def test_ids_of_several_columns_come_apart_as_they_were(parts: list[str]) -> None:
    assert parts_of(joined(parts), len(parts)) == parts


@given(st.sets(st.text(st.sampled_from("'=+a-1@ "), max_size=4)))
def test_no_two_ids_are_written_alike(names: set[str]) -> None:
    assert len({defused(name) for name in names}) == len(names)
    assert all(undefused(defused(name)) == name for name in names)


def test_ids_that_a_spreadsheet_would_run_are_scored_from_their_file(tmp_path: Path) -> None:
    rows = [f"{name},{day(step)},{step % 5}.5\n" for name in ("=1", "'=1", "''=1", "b") for step in range(20)]
    (tmp_path / "a.csv").write_text("unique_id,ds,y\n" + "".join(rows))
    (tmp_path / "b.csv").write_text("unique_id,ds,y\n" + "".join(row for row in rows if row.split(",")[1] < day(17)))
    model = tmp_path / "m.safetensors"
    rnncli.train(tmp_path / "b.csv", output=model, **SMALL)
    forecast = rnncli.predict(tmp_path / "b.csv", model)
    for raw in (False, True):
        forecast.write(tmp_path / "f.csv", raw=raw)
        assert len(rnncli.evaluate(tmp_path / "a.csv", forecasts=tmp_path / "f.csv").report.ids) == 4


# Texts that have no role


@pytest.mark.parametrize("order", ["stacked", "interleaved"])
@pytest.mark.parametrize("container", ["csv", "parquet"])
def test_a_text_column_that_is_passed_over_is_said(tmp_path: Path, order: str, container: str) -> None:
    steps = [
        (name, place if order == "stacked" else 2 * place % 19 + place // 19) for place, name in enumerate("AB" * 9)
    ]
    columns = {"machine": [n for n, _ in steps], "ds": [day(k) for k in range(18)], "y": [s + 0.5 for _, s in steps]}
    path = tmp_path / f"a.{container}"
    if container == "csv":
        lines = itertools.starmap("{},{},{}\n".format, zip(*columns.values(), strict=True))
        path.write_text("machine,ds,y\n" + "".join(lines))
    else:
        parquet.write_table(pa.table(columns), path)
    loaded = load_panel(path)
    assert [note for note in loaded.notes if "'machine'" in note and "--id machine" in note]
    assert load_panel(path, ColumnChoices(id=("machine",))).panel.ids == ("A", "B")


def test_texts_beside_an_id_are_said_too_but_not_to_a_model(tmp_path: Path) -> None:
    rows = [f"{name},{day(step)},{step}.5,word{step},Mon\n" for name in "ab" for step in range(9)]
    (tmp_path / "a.csv").write_text("unique_id,ds,y,remark,weekday\n" + "".join(rows))
    loaded = load_panel(tmp_path / "a.csv")
    assert any("'remark', 'weekday'" in note for note in loaded.notes)
    again = load_panel(tmp_path / "a.csv", None, Known(loaded.columns, loaded.panel.calendar, loaded.panel.channels))
    assert not any("remark" in note for note in again.notes)


# Files


@pytest.mark.parametrize(
    "names",
    [
        ("2023/sales.csv", "2024/sales.csv"),
        ("sales.csv", "sales.tsv"),
        ("a/s.csv", "b/s.csv.gz"),
        ("s.csv", "./s.csv"),
        ("x/s.csv", "x/y/s.csv"),
    ],
)
def test_two_files_that_would_be_one_series_are_refused(tmp_path: Path, names: tuple[str, str]) -> None:
    import gzip

    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        mark = "\t" if name.endswith("tsv") else ","
        data = (f"ds{mark}y\n" + "".join(f"{day(k)}{mark}{k}.5\n" for k in range(9))).encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    with pytest.raises(InputRefused, match="would both be series 's") as error:
        load_panel([str(tmp_path / name) for name in names])
    assert "--id" in error.value.hint


# Arrow types

N = 12
DAYS = [dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=k) for k in range(N)]
TYPES: dict[str, Any] = {
    "null": pa.nulls(N),
    "bool": pa.array([k % 2 == 0 for k in range(N)]),
    "uint64": pa.array([2**64 - 1 - k for k in range(N)], pa.uint64()),
    "int64": pa.array([2**62 + k for k in range(N)]),
    "float16": pa.array([float(k) for k in range(N)], pa.float16()),
    "nan": pa.array([float("nan")] * N),
    "text": pa.array([f"s{k % 3}" for k in range(N)]),
    "text with nulls": pa.array([None if k % 5 == 0 else f"s{k % 3}" for k in range(N)]),
    "no text": pa.nulls(N, pa.string()),
    "empty texts": pa.array([""] * N),
    "string view": pa.array([f"s{k % 3}" for k in range(N)], pa.string_view()),
    "binary": pa.array([f"s{k % 3}".encode() for k in range(N)]),
    "bytes": pa.array([b"\xff\xfe"] * N),
    "large binary": pa.array([b"a"] * N, pa.large_binary()),
    "fixed binary": pa.array([b"abcd"] * N, pa.binary(4)),
    "binary view": pa.array([b"abcd"] * N, pa.binary_view()),
    "dictionary": pa.array([f"s{k % 3}" for k in range(N)]).dictionary_encode(),
    "numbers in a dictionary": pa.array([k % 3 for k in range(N)]).dictionary_encode(),
    "times in a dictionary": pa.array(DAYS).dictionary_encode(),
    "date64": pa.array([d.date() for d in DAYS], pa.date64()),
    "times with a null": pa.array([None, *DAYS[1:]]),
    "offset": pa.array(DAYS, pa.timestamp("us", "+02:00")),
    "a zone nobody knows": pa.array(DAYS, pa.timestamp("us", "Nowhere/X")),
    "time32": pa.array([dt.time(k) for k in range(N)], pa.time32("s")),
    "time64": pa.array([dt.time(k) for k in range(N)], pa.time64("ns")),
    "duration": pa.array([dt.timedelta(k) for k in range(N)]),
    "interval": pa.array([pa.MonthDayNano([1, 2, k]) for k in range(N)]),
    "decimal": pa.array([decimal.Decimal(k) for k in range(N)]),
    "decimal256": pa.array([decimal.Decimal(k) for k in range(N)], pa.decimal256(50, 3)),
    "list": pa.array([[k] for k in range(N)]),
    "struct": pa.array([{"a": k} for k in range(N)]),
    "map": pa.array([[("a", k)] for k in range(N)], pa.map_(pa.string(), pa.int64())),
    "fixed list": pa.array([[1, 2]] * N, pa.list_(pa.int64(), 2)),
    "list view": pa.array([[k] for k in range(N)], pa.list_view(pa.int64())),
    "run ends": pa.RunEndEncodedArray.from_arrays([N], ["a"]),
}
ROLES = ("time", "id", "target", "past", "future", "static", "none")


def columns_of(role: str, column: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A table in which a column has a role, and the options that say so."""
    usual = {"ds": pa.array(DAYS), "y": pa.array([k % 7 + 0.5 for k in range(N)])}
    if role in ("time", "target"):
        del usual["ds" if role == "time" else "y"]
    option: Any = "x" if role in ("time", "id", "target") else ("x",)
    return {"x": column, **usual}, {} if role == "none" else {role: option}


@pytest.mark.parametrize("name", TYPES)
def test_a_column_of_any_type_in_any_role_is_read_or_refused_with_a_hint(tmp_path: Path, name: str) -> None:
    for role in ROLES:
        columns, options = columns_of(role, TYPES[name])
        choices = ColumnChoices(**{key: (value,) if key == "id" else value for key, value in options.items()})
        for source in (pa.table(columns), *_stored(columns, tmp_path / "a.parquet")):
            refused = _refused(lambda source=source, choices=choices: read_twice(source, choices))
            if refused is None:
                assert _refused(lambda source=source, options=options: rnncli.check(source, **options)) is None, role
                continue
            assert refused.exit_code in (2, 4)
            assert refused.hint, f"{role}: {refused}"
            assert _refused(lambda source=source, options=options: rnncli.check(source, **options)) or not rnncli.check(
                source, **options
            )


def _refused(call: Callable[[], object]) -> RnncliError | None:
    try:
        call()
    except RnncliError as error:
        return error
    return None


def _stored(columns: dict[str, Any], path: Path) -> list[Path]:
    try:
        parquet.write_table(pa.table(columns), path)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return []
    return [path]


@pytest.mark.parametrize(
    ("column", "ids"),
    [
        ("uint64", tuple(str(2**64 - 1 - k) for k in range(N))),
        ("binary", ("s0", "s1", "s2")),
        ("fixed binary", ("abcd",)),
        ("numbers in a dictionary", ("0", "1", "2")),
        ("bool", ("true", "false")),
    ],
)
def test_ids_are_the_texts_that_the_values_are(column: str, ids: tuple[str, ...]) -> None:
    table = pa.table({"x": TYPES[column], "ds": pa.array(DAYS), "y": pa.array([k + 0.5 for k in range(N)])})
    assert load_panel(table, ColumnChoices(id=("x",))).panel.ids == ids


@pytest.mark.parametrize("column", ["list", "struct", "map", "fixed list", "list view", "bytes"])
@pytest.mark.parametrize("role", ["time", "id", "past", "static"])
def test_a_column_that_has_no_cells_is_named_with_its_type(column: str, role: str) -> None:
    columns, options = columns_of(role, TYPES[column])
    with pytest.raises(InputRefused, match="column 'x' holds values of type"):
        rnncli.train(pa.table(columns), **options)
