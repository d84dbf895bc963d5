"""Large Parquet data are read in parts of whole series, and are what they would be as one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from rnncli.data import limits, parts
from rnncli.data.known import Known
from rnncli.data.load import Loaded, load_panel, load_parts
from rnncli.errors import InputRefused, StorageFailed
from rnncli.spec import ColumnChoices

HOUR = 3_600_000_000
Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "FROM", 1)
    monkeypatch.setattr(parts, "PART", 40)


def table(ids: list[str], rows: int = 30, **columns: Any) -> pa.Table:
    """So many hours of each series, one series after the other."""
    place = np.arange(rows * len(ids))
    times = (place % rows) * HOUR + 1_700_000_000_000_000
    y = np.round(10 + 3 * np.sin(place) + place // rows, 3)
    made = {"unique_id": np.repeat(ids, rows), "ds": times.astype("datetime64[us]"), "y": y}
    return pa.table({**made, **columns})


@pytest.fixture
def written(tmp_path: Path) -> Write:
    def write(data: pa.Table, name: str = "data", group: int = 50) -> Path:
        path = tmp_path / f"{name}.parquet"
        parquet.write_table(data, path, row_group_size=group)
        return path

    return write


def as_one(*given: Any, choices: ColumnChoices | None = None, known: Known | None = None) -> Loaded:
    """The same data from memory, which is never parted."""
    return load_panel(
        [parquet.read_table(path) for path in given] if len(given) > 1 else parquet.read_table(given[0]), choices, known
    )


def same(one: Loaded, other: Loaded) -> bool:
    """Whether two readings are equal to the last bit."""
    np.testing.assert_array_equal(one.panel.values, other.panel.values)
    np.testing.assert_array_equal(one.panel.offsets, other.panel.offsets)
    np.testing.assert_array_equal(one.panel.starts, other.panel.starts)
    assert one.panel.ids == other.panel.ids
    assert one.panel.calendar == other.panel.calendar
    assert one.notes == other.notes
    assert [(error.series, error.message) for error in one.skipped] == [
        (error.series, error.message) for error in other.skipped
    ]
    return True


IDS = ["b", "a", "10", "9", "c d", "é"]


@pytest.mark.parametrize("group", [7, 50, 1000])
def test_parts_are_the_panel_of_the_whole(written: Write, group: int) -> None:
    path = written(table(IDS), group=group)
    assert same(load_panel(path), as_one(path))


def test_series_of_any_length_stand_in_one_part_each(written: Write) -> None:
    lengths = [1, 200, 3, 45, 1, 1, 90]
    data = pa.concat_tables([table([f"s{place}"], rows) for place, rows in enumerate(lengths)])
    path = written(data, group=64)
    assert same(load_panel(path), as_one(path))
    assert load_panel(path).panel.lengths.tolist() == lengths


def test_gaps_repeated_rows_and_rows_out_of_order_are_counted_over_all_parts(written: Write) -> None:
    data = table(IDS)
    keep = np.arange(data.num_rows) % 11 != 5
    order = np.arange(data.num_rows).reshape(len(IDS), -1)[:, ::-1].ravel()
    data = data.take(pa.array(order)).filter(pa.array(keep))
    path = written(pa.concat_tables([data.slice(0, 3), data]))
    read = load_panel(path)
    assert same(read, as_one(path))
    assert any("3 rows that repeat" in note for note in read.notes)


def test_series_that_go_on_later_are_read_as_one(written: Write) -> None:
    data = table(IDS)
    path = written(data.sort_by([("ds", "ascending"), ("unique_id", "ascending")]))
    assert same(load_panel(path), as_one(path))


def test_several_files_and_a_series_that_begins_in_one_and_ends_in_the_next(written: Write) -> None:
    data = table(IDS)
    paths = [written(data.slice(0, 75), "p0"), written(data.slice(75, 65), "p1"), written(data.slice(140), "p2")]
    assert same(load_panel(paths), as_one(*paths))


def test_several_ids_and_several_targets(written: Write) -> None:
    data = table(IDS).rename_columns(["item", "ds", "y"])
    data = data.append_column("store", pa.array(["n"] * 90 + ["s"] * 90)).append_column("z", data.column("y"))
    path = written(data)
    choices = ColumnChoices(id=("store", "item"), target=("y", "z"))
    assert same(load_panel(path, choices), as_one(path, choices=choices))
    assert len(load_panel(path, choices).panel) == 12


def test_a_file_a_series(written: Write, tmp_path: Path) -> None:
    for name in ("x", "y", "z"):
        written(table([name]).drop_columns(["unique_id"]), name)
    read = load_panel(tmp_path)
    assert read.panel.ids == ("x", "y", "z")
    assert read.columns.by_file


def test_bad_series_are_left_out_of_their_part(written: Write) -> None:
    data = table(IDS)
    values = data.column("y").to_numpy().copy()
    values[35] = np.inf
    data = data.set_column(2, "y", pa.array(values))
    path = written(data)
    with pytest.raises(InputRefused, match="infinite"):
        load_panel(path)
    choices = ColumnChoices(on_bad_series="skip")
    assert same(load_panel(path, choices), as_one(path, choices=choices))
    assert "a" not in load_panel(path, choices).panel.ids


def test_rows_after_a_moment_are_not_seen_in_any_part(written: Write) -> None:
    path = written(table(IDS))
    choices = ColumnChoices(as_of="2023-11-15 10:00")
    assert same(load_panel(path, choices), as_one(path, choices=choices))


def test_a_category_is_read_as_one(written: Write) -> None:
    path = written(table(IDS, color=["red", "blue"] * 90))
    choices = ColumnChoices(past=("color",))
    assert same(load_panel(path, choices), as_one(path, choices=choices))


def test_the_parts_of_known_data_are_the_whole(written: Write) -> None:
    path = written(table(IDS))
    whole = load_panel(path)
    known = Known(whole.columns, whole.panel.calendar, whole.panel.channels)
    found = list(load_parts(path, ColumnChoices(), known) or ())
    assert len(found) > 1
    assert sum((part.panel.ids for part in found), ()) == whole.panel.ids
    np.testing.assert_array_equal(np.concatenate([part.panel.values for part in found]), whole.panel.values)


def test_too_many_rows_are_refused_before_they_are_read(written: Write) -> None:
    with pytest.raises(InputRefused, match="more than 100 rows"):
        load_panel(written(table(IDS)), ColumnChoices(max_rows=100))


def test_rows_of_series_that_are_apart_are_gathered_on_disk(written: Write, tmp_path: Path) -> None:
    data = table(IDS)
    path = written(data.take(pa.array(np.random.default_rng(0).permutation(data.num_rows))))
    (tmp_path / "cache").mkdir()
    read = load_panel(path, ColumnChoices(cache=str(tmp_path / "cache")))
    whole = as_one(path)
    assert read.panel.ids == whole.panel.ids
    np.testing.assert_array_equal(read.panel.values, whole.panel.values)
    assert any("gathered on disk" in note for note in read.notes)
    assert not list((tmp_path / "cache").iterdir())


def test_what_outgrows_the_memory_lies_on_disk_and_is_the_same(
    written: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SMALL", 1)
    data = table(IDS)
    path = written(data.filter(pa.array(np.arange(data.num_rows) % 30 != 17)))
    with pytest.raises(InputRefused, match="of memory or more"):
        load_panel(path, ColumnChoices(memory=1 << 20))
    kept = load_panel(path, ColumnChoices(memory=1 << 20, cache=str(tmp_path)))
    np.testing.assert_array_equal(kept.panel.values, load_panel(path).panel.values)


def test_a_folder_that_is_none_is_refused(written: Write, tmp_path: Path) -> None:
    path = written(table(IDS).take(pa.array(np.arange(180)[::-1] % 7 * 25 % 180)))
    with pytest.raises(StorageFailed, match="No such file"):
        load_panel(path, ColumnChoices(cache=str(tmp_path / "absent")))


def test_a_folder_parted_by_columns(tmp_path: Path) -> None:
    data = table(IDS)
    for place, name in enumerate(("n", "s")):
        (tmp_path / f"store={name}").mkdir()
        half = data.slice(90 * place, 90)
        parquet.write_table(half, tmp_path / f"store={name}" / "a.parquet", row_group_size=50)
    choices = ColumnChoices(id=("store", "unique_id"))
    read = load_panel(tmp_path, choices)
    assert read.panel.ids == ("n/b", "n/a", "n/10", "s/9", "s/c d", "s/é")
    np.testing.assert_array_equal(read.panel.values, load_panel(data).panel.values)


def test_files_with_times_of_other_kinds_and_zones_are_read_as_one(written: Write) -> None:
    data = table(IDS)
    coarse = data.slice(90).set_column(1, "ds", data.column("ds").slice(90).cast(pa.timestamp("ms")))
    paths = [written(data.slice(0, 90), "one"), written(coarse, "two")]
    assert same(load_panel(paths), as_one(*paths))
    zoned = [
        part.set_column(1, "ds", part.column("ds").cast(pa.timestamp("us", zone)))
        for part, zone in ((data.slice(0, 90), "UTC"), (data.slice(90), "Europe/Berlin"))
    ]
    paths = [written(part, f"zoned{place}") for place, part in enumerate(zoned)]
    assert same(load_panel(paths), as_one(*paths))


BIG_NUMBERS = np.arange(2**53 + 1, 2**53 + 91)
HALF = table(IDS[3:], 30)


@pytest.mark.parametrize(
    "later",
    [
        HALF.set_column(2, "y", pa.array(BIG_NUMBERS)),
        HALF.set_column(2, "y", pa.array([True, False] * 45)),
        HALF.set_column(1, "ds", HALF["ds"].cast(pa.timestamp("ms"))),
        HALF.set_column(0, "unique_id", pa.array(np.repeat([7, 8, 9], 30))),
        HALF.set_column(0, "unique_id", HALF["unique_id"].cast(pa.large_string())),
        HALF.set_column(0, "unique_id", HALF["unique_id"].cast(pa.string_view())),
        HALF.select(["y", "ds", "unique_id"]),
    ],
)
def test_files_whose_columns_differ_are_read_as_at_once(written: Write, monkeypatch: Any, later: pa.Table) -> None:
    paths = [written(table(IDS[:3]), "p0"), written(later, "p1")]
    read = load_panel(paths)
    monkeypatch.setattr(parts, "FROM", 1 << 40)
    assert same(read, load_panel(paths))


def test_several_ids_may_be_named_with_a_comma(written: Write) -> None:
    data = table(IDS).append_column("store", pa.array(["n"] * 90 + ["s"] * 90))
    path = written(data)
    assert same(
        load_panel(path, ColumnChoices(id=("store,unique_id",))),
        as_one(path, choices=ColumnChoices(id=("store", "unique_id"))),
    )


def test_a_category_that_begins_late_is_still_one(written: Write) -> None:
    path = written(table(IDS, color=pa.array([None] * 120 + ["red", "blue"] * 30)))
    choices = ColumnChoices(past=("color",))
    assert same(load_panel(path, choices), as_one(path, choices=choices))


def test_texts_of_several_offsets_are_read_as_one(written: Write) -> None:
    data = table(IDS)
    texts = [f"{time:%Y-%m-%dT%H:%M:%S}+0{1 + (row >= 90)}:00" for row, time in enumerate(data["ds"].to_pylist())]
    path = written(data.set_column(1, "ds", pa.array(texts)))
    assert same(load_panel(path), as_one(path))


def test_a_later_file_without_a_column_is_refused(written: Write) -> None:
    paths = [written(table(IDS[:3]), "p0"), written(HALF.drop_columns(["unique_id"]), "p1")]
    with pytest.raises(InputRefused, match="no column 'unique_id', which other files have"):
        load_panel(paths)


def test_bytes_of_long_ids_count_towards_the_most_that_are_allowed(written: Write) -> None:
    path = written(table(["x" * 1_000 + name for name in IDS]))
    with pytest.raises(InputRefused, match="uncompressed"):
        load_panel(path, ColumnChoices(max_bytes=5_000))


def test_numbers_of_two_types_are_gathered_as_numbers(written: Write, tmp_path: Path) -> None:
    whole = table(IDS).set_column(2, "y", pa.array(np.arange(180)))
    later = table(IDS)
    later = later.set_column(1, "ds", pa.array(np.asarray(later["ds"]) + np.timedelta64(30, "h")))
    paths = [written(whole, "p0"), written(later, "p1")]
    (tmp_path / "cache").mkdir()
    read = load_panel(paths, ColumnChoices(cache=str(tmp_path / "cache")))
    np.testing.assert_array_equal(read.panel.values, as_one(*paths).panel.values)


def test_a_folder_whose_files_have_more_columns_each_is_read_in_parts(tmp_path: Path) -> None:
    for place, data in enumerate((table(IDS[:3]), HALF.append_column("q", pa.array([1] * 90)))):
        (tmp_path / f"k={place}").mkdir()
        parquet.write_table(data, tmp_path / f"k={place}" / "a.parquet", row_group_size=50)
    assert load_panel(tmp_path).panel.ids == tuple(IDS)


def test_less_than_was_said_is_refused_however_small_it_is(written: Write, tmp_path: Path) -> None:
    path = written(table(IDS))
    with pytest.raises(InputRefused, match="reading it takes 300 MiB of memory or more, and there are 10 MiB"):
        load_panel(path, ColumnChoices(memory=10 << 20))
    with pytest.raises(InputRefused, match="reading it takes 17 KiB of memory or more, and there are 10 KiB"):
        load_panel(parquet.read_table(path), ColumnChoices(memory=10 << 10))
    kept = load_panel(path, ColumnChoices(memory=10 << 10, cache=str(tmp_path)))
    np.testing.assert_array_equal(kept.panel.values, load_panel(path).panel.values)
