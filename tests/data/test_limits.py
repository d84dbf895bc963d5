"""Data that are too large are refused by their size, before they are read."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from rnncli.data import limits
from rnncli.data.limits import Limits, Size, memory_left, shown
from rnncli.data.load import load_panel
from rnncli.data.readers import csv, csv_lines, csv_table
from rnncli.data.source import sources
from rnncli.errors import InputRefused
from rnncli.spec import ColumnChoices

DAYS = "".join(f"2024-01-{day:02},{day}\n" for day in range(1, 29))


def load(path: Path, **choices: int) -> Any:
    return load_panel(path, ColumnChoices(**choices)).panel


def packed(data: bytes, suffix: str) -> bytes:
    if suffix == ".gz":
        return gzip.compress(data)
    return pa.compress(data, "zstd", asbytes=True) if suffix == ".zst" else data


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_as_many_rows_as_are_allowed_are_read_and_one_more_is_not(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.csv{suffix}"
    path.write_bytes(packed(f"ds,y\n{DAYS}".encode(), suffix))
    assert len(load(path, max_rows=28).values) == 28
    with pytest.raises(InputRefused, match="more than 27 rows") as refused:
        load(path, max_rows=27)
    assert (refused.value.where, refused.value.exit_code) == (str(path), 4)
    assert "--max-rows" in refused.value.hint


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_bytes_are_counted_as_they_are_uncompressed(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.csv{suffix}"
    text = f"ds,y\n{DAYS}".encode()
    path.write_bytes(packed(text, suffix))
    assert len(load(path, max_bytes=len(text)).values) == 28
    with pytest.raises(InputRefused, match="more than 387 bytes uncompressed") as refused:
        load(path, max_bytes=len(text) - 1)
    assert "--max-bytes" in refused.value.hint


def test_rows_of_all_files_count_together(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(f"ds,y\n{DAYS}")
    assert len(load(tmp_path, max_rows=56).values) == 56
    with pytest.raises(InputRefused, match="more than 55 rows") as refused:
        load(tmp_path, max_rows=55)
    assert "and 1 more" in refused.value.where


@given(st.lists(st.sampled_from(["1", '"1\n1"', '"a""\n"', "", '""', "é"]), min_size=1, max_size=30), st.booleans())
@settings(deadline=None)
def test_the_rows_that_are_counted_are_those_that_a_reader_finds(cells: list[str], ends: bool) -> None:
    text = "x,y\n" + "\n".join(f"{cell},1" if cell else "" for cell in cells) + "\n" * ends
    rows = len(list(csv_lines.rows_of(None, io.StringIO(text, newline=""), ","))) - 1  # type: ignore[arg-type]
    for data in (text.encode(), text.replace("\n", "\r\n").encode()):
        assert csv_table._counted(io.BytesIO(data), lambda *_: False) == (rows, len(data))


def test_counting_is_the_same_where_a_block_ends_within_quotes(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b'x,y\n"a\nb",1\n\nc,"2\n"\nd,3'
    for block in range(1, 12):
        monkeypatch.setattr(csv_table, "BLOCK", block + 6)
        assert csv_table._counted(io.BytesIO(data), lambda *_: False) == (3, len(data))


def test_a_bomb_is_not_unpacked_further_than_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(b"ds,y\n" + b"2024-01-01,1\n" * 10_000_000, 1))
    [source] = sources(path)
    opened = csv.read(source, ColumnChoices())
    found = opened.size(["ds", "y"], Limits(rows=1000))
    assert 1000 < found.rows < 1_000_000
    assert found.bytes < 3 * csv_lines.BLOCK


def test_a_footer_that_says_little_of_many_rows_is_seen_through(tmp_path: Path) -> None:
    path = tmp_path / "bomb.parquet"
    rows = 5_000_000
    parquet.write_table(pa.table({"ds": np.zeros(rows, "datetime64[us]"), "y": np.zeros(rows)}), path)
    assert path.stat().st_size < rows // 50
    with pytest.raises(InputRefused, match="more than 10 MiB uncompressed"):
        load(path, max_bytes=10 << 20)
    with pytest.raises(InputRefused, match="more than 4,999,999 rows"):
        load(path, max_rows=rows - 1)


def test_a_table_that_does_not_fit_into_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.parquet"
    rows = 5_000_000
    parquet.write_table(pa.table({"ds": np.zeros(rows, "datetime64[us]"), "y": np.zeros(rows)}), path)
    monkeypatch.setattr(limits, "memory_left", lambda: 300 << 20)
    with pytest.raises(InputRefused, match="reading it takes 305 MiB of memory or more, and there are 300 MiB"):
        load(path)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_too_many_columns_are_refused_by_the_header(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"wide.{suffix}"
    names = ["ds", *(f"column_{number}" for number in range(100_000))]
    if suffix == "csv":
        path.write_text(",".join(names) + "\n")
    else:
        parquet.write_table(pa.table({name: [1.0] for name in names[:12_000]}), path)
    with pytest.raises(InputRefused, match=r"there are 1\d\d?,00\d columns, and at most 10,000 are allowed"):
        load(path)


def test_a_header_longer_than_the_sample_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    names = [f"{number:01000}" for number in range(900)]
    rows = "".join(f"2024-01-0{day},{','.join('1' * 900)}\n" for day in (1, 2, 3))
    path.write_text(f"ds,{','.join(names)}\n{rows}")
    assert len(load_panel(path, ColumnChoices(wide=True)).panel) == 900


def test_a_first_line_without_an_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.zst"
    path.write_bytes(pa.compress(b"ds,y" + b" " * (40 << 20), "zstd", asbytes=True))
    with pytest.raises(InputRefused, match="the first line is longer than 16 MiB"):
        load(path)


def test_the_memory_that_is_left_is_less_than_the_machine_has() -> None:
    left = memory_left()
    assert left is None or 0 < left < 1 << 50


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (5 << 30, "5.0 GiB")]
)
def test_sizes_are_shown_for_people(size: int, text: str) -> None:
    assert shown(size) == text


def test_a_limit_is_of_what_it_says() -> None:
    assert Limits(rows=5).allow(Size(5, 1 << 40, 0))
    assert not Limits(rows=5).allow(Size(6, 0, 0))
    assert not Limits(bytes=5).allow(Size(0, 6, 0))
