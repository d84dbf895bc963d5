"""Where tables come from and results go to, by scheme and by what is in a folder: the ways in are a registry."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pyarrow as pa
import pytest

from rnncli.data.load import load_panel
from rnncli.data.reach import reach
from rnncli.data.sinks.sink import Into, sink_of
from rnncli.data.source import Asked, Source, sources
from rnncli.data.writers.results import Style, of_table
from rnncli.errors import InputRefused, OutputExists, UsageError
from rnncli.files import marks
from rnncli.registry import FOLDERS, SCHEMES, local_path, scheme_of
from rnncli.spec import ColumnChoices

ROWS = "ds,y\n2024-01-01,1\n2024-01-02,2\n2024-01-03,4\n"


def test_a_scheme_is_what_stands_before_the_slashes() -> None:
    assert [scheme_of(text) for text in ("S3://b/k", "a/b://c", "c:\\x", "postgresql+x://h/d", "a b://c")] == [
        "s3", None, None, "postgresql+x", None,
    ]  # fmt: skip
    assert local_path("file:///a%20b/c.csv") == "/a b/c.csv"
    assert local_path("a.csv") == "a.csv"
    assert local_path("s3://b/k") is None


def test_a_file_is_read_and_written_by_its_url_too(tmp_path: Path) -> None:
    path = tmp_path / "a b.csv"
    path.write_text(ROWS)
    url = path.as_uri()
    assert load_panel(url).panel.values.tolist() == load_panel(path).panel.values.tolist()
    assert reach(url).files == reach(path).files
    assert marks(url) == marks(path)
    sink = sink_of((tmp_path / "out.csv").as_uri())
    assert sink.write(of_table(pa.table({"a": [1.5]})), Style()) == sink.size() == 6
    assert (tmp_path / "out.csv").read_bytes() == b"a\n1.5\n"
    with pytest.raises(OutputExists):
        sink.refuse_existing()


@pytest.mark.parametrize("given", ["file://host/a.csv", "file://", "gopher://host/a.csv"])
def test_a_url_that_leads_nowhere_is_refused(given: str) -> None:
    with pytest.raises(UsageError):
        sources(given)
    with pytest.raises(UsageError):
        sink_of(given)


def test_a_url_is_known_by_itself_where_it_is_no_file() -> None:
    assert reach("s3://b/k").includes(marks("s3://b/k"))
    assert not reach("s3://b/k").includes(marks("s3://b/l"))


def test_a_format_that_results_cannot_have_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot be written as npy"):
        sink_of("a.csv", Into("npy"))
    assert sink_of("a.txt", Into("csv")).format == "csv"


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A module of a source, registered by one line."""
    found = types.ModuleType("a_source_of_a_test")
    monkeypatch.setitem(sys.modules, found.__name__, found)
    monkeypatch.setitem(SCHEMES, "counted", f"{found.__name__}:sources")
    monkeypatch.setitem(FOLDERS, "_counted*", f"{found.__name__}:of_folder")
    return found


def test_a_source_is_one_function(module: types.ModuleType, tmp_path: Path) -> None:
    def named(text: str, asked: Asked) -> list[Source]:
        return [
            Source(
                "counted",
                "csv",
                stream=lambda: pa.BufferReader(ROWS.encode()),
                stem=next(iter(asked.choices.target), ""),
            )
        ]

    module.sources = named  # type: ignore[attr-defined]
    module.of_folder = lambda path, asked: named(str(path), asked)  # type: ignore[attr-defined]
    assert load_panel("counted://anything").panel.values[:, 0].tolist() == [1, 2, 4]
    assert sources("counted://x", ColumnChoices(target=("y",)))[0].stem == "y"
    with pytest.raises(InputRefused, match="no data files"):
        load_panel(tmp_path)
    (tmp_path / "_counted_log").mkdir()
    assert load_panel(tmp_path).panel.values[:, 0].tolist() == [1, 2, 4]


def test_a_source_may_have_a_reader_of_its_own(module: types.ModuleType) -> None:
    from rnncli.data.readers.parquet import read_arrow

    table = pa.table({"ds": ["2024-01-01", "2024-01-02", "2024-01-03"], "y": [3.0, 5.0, 4.0]})

    def read(source: Source, choices: ColumnChoices) -> object:
        return read_arrow(Source(source.name, "arrow", table=table), choices)

    module.sources = lambda text, asked: [Source("counted", "sql", reader=read)]  # type: ignore[attr-defined]
    assert load_panel("counted://x").panel.values[:, 0].tolist() == [3, 5, 4]
