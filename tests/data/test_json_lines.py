"""JSON lines and Arrow as data: keys, kinds, lines, limits, and frames in batches."""

from __future__ import annotations

import gzip
import io
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import rnncli
from rnncli.data.load import load_panel
from rnncli.data.readers.jsonl import read
from rnncli.data.source import Source, sources
from rnncli.errors import InputRefused
from rnncli.spec import ColumnChoices

ROWS = [{"day": f"2024-01-{day:02}", "y": day} for day in range(1, 9)]


def lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def test_a_key_that_a_line_lacks_is_missing_there(tmp_path: Path) -> None:
    rows = [{**row, "price": 2.5} if place > 5 else dict(row) for place, row in enumerate(ROWS)]
    del rows[3]["y"]
    rows[4]["y"] = None
    (tmp_path / "a.jsonl").write_bytes(lines(rows))
    panel = load_panel(tmp_path / "a.jsonl", ColumnChoices(target=("y",), past=("price",))).panel
    assert np.isnan(panel.targets).tolist() == [False] * 3 + [True] * 2 + [False] * 3
    assert np.isnan(panel.of("price")).tolist() == [True] * 6 + [False] * 2


@pytest.mark.parametrize(
    ("text", "kind", "style"),
    [
        ("2024-01-{:02}", "date", None),
        ("{:02}.01.2024", "timestamp", "%d.%m.%Y"),
        ("2024-01-{:02}T06:00:00Z", "timestamp", "%Y-%m-%dT%H:%M:%SZ"),
        ("202401{:02}", "timestamp", "%Y%m%d"),
    ],
)
def test_times_are_found_in_texts_and_come_back_in_their_style(
    tmp_path: Path, text: str, kind: str, style: str | None
) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(lines([{"at": text.format(day), "y": day % 3} for day in range(1, 13)]))
    model = rnncli.train(path, horizon=2, steps=1, hidden=4, layers=1, members=1, season=1)
    assert (model.columns.time_type, model.columns.time_format) == (kind, style)
    told = [json.loads(line) for line in rnncli.predict(path, model).encode("jsonl").splitlines()]
    assert told[0]["at"] == text.format(13)
    again = tmp_path / "again.jsonl"
    again.write_bytes(lines([{"at": row["at"], "y": row["forecast"]} for row in told]))
    assert load_panel(again).panel.targets.tolist() == [row["forecast"] for row in told]


class _Counted(io.BytesIO):
    """Bytes that count how many of them were read."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        _Counted.taken += len(data)
        return data


@pytest.mark.parametrize("late", [False, True])
def test_lines_with_times_are_read_once(late: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice where times stand under a key that the first lines lack."""
    many = [
        {"at": f"{1900 + n // 336}-{1 + n // 28 % 12:02}-{1 + n % 28:02}", "y": n, "s": "x" * 60} for n in range(60_000)
    ]
    if late:
        many[-1]["seen"] = "2024-01-01"
    data = lines(many)
    monkeypatch.setattr(_Counted, "taken", 0)
    opened = read(Source("a.jsonl", "jsonl", stream=lambda: _Counted(data)), ColumnChoices())
    assert opened.read({"at": "text", "y": "number"}).column("at")[-1].as_py() == many[-1]["at"]
    assert list(opened.kinds) == ["at", "y", "s", *(["seen"] if late else [])]
    assert _Counted.taken < (2.5 if late else 1.5) * len(data)


def test_lines_are_counted_with_blank_ones_between(tmp_path: Path) -> None:
    rows = lines(ROWS).splitlines()
    rows[4] = rows[4].replace(b"2024-01-05", b"2024-01-35")
    (tmp_path / "a.jsonl").write_bytes(b"\n\n".join(rows))
    with pytest.raises(InputRefused) as caught:
        load_panel(tmp_path / "a.jsonl")
    assert str(caught.value.where).endswith("a.jsonl:9")


def test_a_line_of_megabytes_is_a_line(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines([{**row, "note": "x" * (3 << 20)} for row in ROWS[:4]]))
    assert load_panel(tmp_path / "a.jsonl").panel.targets.tolist() == [1, 2, 3, 4]


def test_what_unpacks_to_more_than_is_allowed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines([{**ROWS[0], "note": "x" * 1000}] * 20_000)))
    with pytest.raises(InputRefused, match=r"more than 1\.0 MiB"):
        load_panel(tmp_path / "a.jsonl.gz", ColumnChoices(max_bytes=1 << 20))
    (tmp_path / "a.jsonl").write_bytes(lines(ROWS))
    with pytest.raises(InputRefused, match="more than 7 rows"):
        load_panel(tmp_path / "a.jsonl", ColumnChoices(max_rows=7))


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    ("begun", "form"), [(pa.ipc.new_stream, "arrows"), (pa.ipc.new_file, "arrow"), (None, "jsonl")]
)
def test_a_format_is_known_by_what_it_begins_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: Any, form: str, compressed: bool
) -> None:
    data = lines(ROWS)
    if begun is not None:
        sink, table = io.BytesIO(), pa.Table.from_pylist(ROWS)
        with begun(sink, table.schema) as writer:
            writer.write_table(table, 3)
        data = sink.getvalue()
    if compressed:
        data = gzip.compress(data)
    (tmp_path / "without a suffix").write_bytes(data)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    for given in ("-", tmp_path / "without a suffix"):
        assert [source.format for source in sources(given)] == [form]
        if (form, compressed) != ("arrow", True):  # a file is jumped about in
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
            assert load_panel(given).panel.targets.tolist() == list(range(1, 9))


def test_types_of_arrow_are_kept(tmp_path: Path) -> None:
    times = [datetime(2024, 1, day, tzinfo=UTC) for day in range(1, 9)]
    table = pa.table(
        {
            "id": pa.array(["a", "b"] * 4).dictionary_encode(),
            "at": pa.array(times, pa.timestamp("ms", "UTC")),
            "y": pa.array(range(8), pa.int16()),
        }
    )
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table, 3)
    (tmp_path / "a.feather").write_bytes(sink.getvalue())
    loaded = load_panel(tmp_path / "a.feather", ColumnChoices(id=("id",), target=("y",)))
    assert loaded.panel.ids == ("a", "b")
    assert loaded.columns.time_arrow == "timestamp[ms, tz=UTC]"
    with pytest.raises(InputRefused, match="more than 7 rows"):
        load_panel(tmp_path / "a.feather", ColumnChoices(target=("y",), max_rows=7))


def test_frames_are_read_batch_by_batch(tmp_path: Path) -> None:
    from rnncli.data.frames.cells import read_cells
    from rnncli.data.limits import Limits
    from rnncli.data.tables import open_tables
    from rnncli.spec import FrameChoices

    frames = np.arange(8 * 12, dtype=np.uint8).reshape(8, 12)
    table = pa.table({"frame": pa.array([frame.tobytes() for frame in frames], pa.binary()), "n": range(8)})
    with pa.ipc.new_file(tmp_path / "a.arrow", table.schema) as writer:
        writer.write_table(table, 3)
    tables = open_tables(sources(tmp_path / "a.arrow"), ColumnChoices())
    tables = tables.loaded({"n": "whole"}, Limits())
    found = read_cells(tables, "frame", FrameChoices(frame="frame", grid="3x4"))
    assert found.stored.reshape(8, 12).tolist() == frames.tolist()
