"""Tables that are parted into folders, Delta tables, and files on a web server."""

from __future__ import annotations

import http.server
import os
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pytest
from pyarrow import csv, parquet
from servers import sales  # beside this file

import rnncli
from rnncli.data.load import load_panel
from rnncli.data.reach import reach
from rnncli.data.source import sources
from rnncli.data.tokens.load import load_tokens
from rnncli.errors import InputRefused, OutputExists, StorageFailed, UsageError
from rnncli.files import marks
from rnncli.spec import ColumnChoices
from rnncli.workflows.paths import keep_apart


def parted(folder: Path, name: str = "part-0.parquet") -> Path:
    """The sales, in a folder for each shop and month; a shop's name is escaped, as writers do."""
    for row_shop in ("shop 0", "shop 1"):
        for month in (1, 2):
            rows = [r for r in sales().to_pylist() if r["shop"] == row_shop and r["day"].month == month]
            table = pa.Table.from_pylist([{"day": row["day"], "sold": row["sold"]} for row in rows])
            path = folder / f"shop={row_shop.replace(' ', '%20')}" / f"month={month:02}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            csv.write_csv(table, path) if name.endswith("csv") else parquet.write_table(table, path)
    (folder / "_SUCCESS").touch()
    return folder


def same_rows(found: Any, expected: Any) -> bool:
    return bool(found.panel.ids == expected.panel.ids and (found.panel.values == expected.panel.values).all())


@pytest.mark.parametrize("name", ["part-0.parquet", "part-0.csv"])
def test_folders_are_columns_as_they_are_written(name: str, tmp_path: Path) -> None:
    found = load_panel(parted(tmp_path, name))
    assert same_rows(found, load_panel(sales()))
    assert found.columns.id == "shop"
    assert found.notes == ("text column 'month' is not looked at; if it tells series apart: --id month",)
    told = load_panel(tmp_path, ColumnChoices(id=("shop", "month")))
    assert told.panel.ids == ("shop 0/01", "shop 0/02", "shop 1/01", "shop 1/02")


def test_every_command_takes_a_parted_table(tmp_path: Path, quick_options: dict[str, Any]) -> None:
    parted(tmp_path)
    model = rnncli.train(tmp_path, **quick_options)
    assert rnncli.predict(tmp_path, model).encode() == rnncli.predict(sales(), model).encode()
    scored = rnncli.evaluate(tmp_path, model, refit=False).to_json()
    assert scored["scores"] == rnncli.evaluate(sales(), model, refit=False).to_json()["scores"]
    assert rnncli.check(tmp_path).rows == len(sales())


def test_a_folder_can_be_the_time_and_a_value_that_is_missing_is_one(tmp_path: Path) -> None:
    for row in sales().to_pylist():
        path = tmp_path / f"day={row['day']}" / f"{row['shop']}.parquet"
        path.parent.mkdir(exist_ok=True)
        parquet.write_table(pa.Table.from_pylist([{"shop": row["shop"], "sold": row["sold"]}]), path)
    assert same_rows(load_panel(tmp_path), load_panel(sales()))
    nobody = tmp_path / "day=__HIVE_DEFAULT_PARTITION__" / "x.parquet"
    nobody.parent.mkdir()
    parquet.write_table(pa.table({"shop": ["shop 0"], "sold": [1.0]}), nobody)
    with pytest.raises(InputRefused, match=r"x\.parquet: there is no time"):
        load_panel(tmp_path)


def test_a_bad_cell_is_named_by_its_file_and_line(tmp_path: Path) -> None:
    bad = parted(tmp_path, "part-0.csv") / "shop=shop%201" / "month=02" / "part-0.csv"
    bad.write_text(bad.read_text() + '"2024-02-10",1\n')
    with pytest.raises(InputRefused, match=r"month=02/part-0\.csv:31: series 'shop 1' has two different rows"):
        load_panel(tmp_path)
    bad.write_text("day,note\n2024-02-01,dear\n")
    with pytest.raises(InputRefused, match=r"part-0\.csv: there is no column 'note', which other files have"):
        load_panel(tmp_path)


def test_parts_of_other_types_and_parts_that_are_not_there_are_refused(tmp_path: Path) -> None:
    parted(tmp_path)
    odd = tmp_path / "shop=shop%201" / "month=03" / "x.parquet"
    odd.parent.mkdir()
    parquet.write_table(pa.table({"day": pa.array([[1]], pa.list_(pa.int64())), "sold": [1.0]}), odd)
    with pytest.raises(InputRefused):
        load_panel(tmp_path, ColumnChoices(time="day"))
    empty = tmp_path / "empty" / "year=2024"
    empty.mkdir(parents=True)
    with pytest.raises(InputRefused, match="have no data files"):
        load_panel(empty.parent)


def test_no_output_goes_where_a_parted_table_would_read_it(tmp_path: Path) -> None:
    parted(tmp_path)
    for output in (tmp_path / "x.parquet", tmp_path / "shop=shop%200" / "month=01" / "x.csv"):
        with pytest.raises(UsageError, match="reads this"):
            keep_apart("predict", {"data": [str(tmp_path)], "output": str(output)})
    assert not reach(tmp_path).includes(marks(tmp_path.parent / "x.parquet"))


def test_a_parted_table_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a table is no text"):
        load_tokens(parted(tmp_path))


def test_a_linked_folder_is_a_part_and_one_that_leads_back_is_refused(tmp_path: Path) -> None:
    table = parted(tmp_path / "table")
    away = tmp_path / "away"
    (table / "shop=shop%201").rename(away)
    (table / "shop=shop%201").symlink_to(away)
    assert same_rows(load_panel(table), load_panel(sales()))
    with pytest.raises(UsageError, match="reads this"):
        keep_apart("predict", {"data": [str(table)], "output": str(away / "month=01" / "x.csv")})
    (away / "month=03").symlink_to(table)
    with pytest.raises(InputRefused, match=r"month=03: cannot open: a link leads to a folder above it"):
        load_panel(table)
    with pytest.raises(UsageError, match="reads this"):
        keep_apart("predict", {"data": [str(table)], "output": str(away / "month=01" / "x.csv")})


def test_what_a_parted_table_passes_over_may_be_written(tmp_path: Path) -> None:
    parted(tmp_path)
    (tmp_path / "_temporary").mkdir()
    keep_apart("predict", {"data": [str(tmp_path)], "output": str(tmp_path / "_temporary" / "x.csv")})


@pytest.mark.skipif(os.geteuid() != 0, reason="what another user owns")
@pytest.mark.parametrize("mode", [0o600, 0o311, 0o644])
def test_a_part_that_may_not_be_seen_is_refused(
    mode: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, somebody: Callable[[], Any]
) -> None:
    parted(tmp_path)
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o755)
    (tmp_path / "shop=shop%201" / "month=02").chmod(mode)
    with somebody(), pytest.raises(InputRefused, match=r"month=02.*: cannot open: permission denied"):
        sources(".")
    (tmp_path / "_hidden").mkdir(0o600)
    (tmp_path / "shop=shop%201" / "month=02").chmod(0o755)
    with somebody():
        assert len(sources(".")) == 1


def test_a_delta_table_is_written_once_and_read(tmp_path: Path, quick_options: dict[str, Any]) -> None:
    deltalake = pytest.importorskip("deltalake", reason="rnncli[delta] is not installed")
    data, output = tmp_path / "sales.delta", str(tmp_path / "forecasts.delta")
    deltalake.write_deltalake(data, sales(), partition_by=["shop"])
    assert same_rows(load_panel(data), load_panel(sales()))
    model = rnncli.train(data, **quick_options)
    assert rnncli.check(data).rows == len(sales())
    assert rnncli.evaluate(data, model, refit=False).to_json() == rnncli.evaluate(sales(), model, refit=False).to_json()
    for _ in range(2):
        rnncli.predict(data, model, output=output)
    rnncli.predict(data, model, output=output, as_of="2024-02-20")

    def rows() -> list[dict[str, Any]]:
        return list(deltalake.DeltaTable(output).to_pyarrow_table().to_pylist())

    assert len(rows()) == 12
    assert {str(row["origin"]) for row in rows()} == {"2024-02-20", "2024-02-29"}
    rnncli.predict(data, model, output=output, if_exists="replace")
    assert len(rows()) == 6
    with pytest.raises(OutputExists, match="there is a table already"):
        rnncli.predict(data, model, output=output, if_exists="error")
    with pytest.raises(OutputExists, match="the table has no column 'model_digest'"):
        rnncli.predict(sales(), model, output=data)
    with pytest.raises(UsageError, match="DATA reads this"):
        rnncli.predict(data, model, output=data)
    with pytest.raises(UsageError, match="--table is for databases"):
        rnncli.predict(data, model, output=output, table="t")
    (data / "_delta_log" / "00000000000000000000.json").write_text("{")
    with pytest.raises(InputRefused, match="this is no sound Delta table"):
        load_panel(data)


class Web(http.server.BaseHTTPRequestHandler):
    """A web server of one file: it may lose connections, give no ranges, and change the file."""

    data: ClassVar[bytes] = b""
    paths: ClassVar[set[str]] = set()
    ranges, version, lost = True, '"1"', 0

    def do_GET(self) -> None:  # as the library calls it
        self.paths.add(self.path)
        if "nope" in self.path:
            self.send_error(404)
            return
        asked = self.headers.get("Range", "bytes=0-999999999") if self.ranges else "bytes=0-999999999"
        begin, end = int(asked[6:].split("-")[0]), min(int(asked.split("-")[1]), len(self.data) - 1)
        self.send_response(206 if self.ranges else 200)
        self.send_header("Content-Range", f"bytes {begin}-{end}/{len(self.data)}")
        self.send_header("Content-Length", str(end - begin + 1))
        self.send_header("ETag", self.version)
        self.end_headers()
        part = self.data[begin : end + 1]
        if type(self).lost and len(part) > 1:
            type(self).lost -= 1
            part = part[:1]
        self.wfile.write(part)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def web() -> Iterator[tuple[str, type[Web]]]:
    handler = type("OneWeb", (Web,), {"paths": set()})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", handler
        server.shutdown()


@pytest.mark.parametrize("name", ["sales.parquet", "sales.csv", "sales?version=2"])
def test_a_file_on_a_web_server_is_read_in_ranges(name: str, web: tuple[str, type[Web]]) -> None:
    url, handler = web
    sink = pa.BufferOutputStream()
    csv.write_csv(sales(), sink) if name.endswith("csv") else parquet.write_table(sales(), sink)
    handler.data, handler.lost = bytes(sink.getvalue()), 1
    assert same_rows(load_panel(f"{url}/{name}"), load_panel(sales()))
    handler.ranges = False
    assert same_rows(load_panel(f"{url}/{name}"), load_panel(sales()))


@pytest.mark.parametrize("name", ["ä b.csv", "%C3%A4%20b.csv", "ä%20b.csv?of=ä b", "100%.csv", "\udce4.csv"], ids=ascii)
def test_a_web_server_is_asked_in_ascii(name: str, web: tuple[str, type[Web]]) -> None:
    url, handler = web
    handler.data = b"ds,y\n2024-01-01,1\n2024-01-02,2\n2024-01-03,3\n"
    assert load_panel(f"{url}/{name}").panel.targets.tolist() == [1, 2, 3]
    asked = {"100%.csv": "/100%25.csv", "\udce4.csv": "/%E4.csv", "ä%20b.csv?of=ä b": "/%C3%A4%20b.csv?of=%C3%A4%20b"}
    assert handler.paths == {asked.get(name, "/%C3%A4%20b.csv")}


def test_a_text_on_a_web_server_is_one_and_a_table_is_none(web: tuple[str, type[Web]]) -> None:
    url, handler = web
    handler.data = b"ds,y\n2024-01-01,1\n"
    assert load_tokens(f"{url}/a.txt?version=2").panel.lengths.tolist() == [18]
    with pytest.raises(InputRefused, match="this is a table by its name"):
        load_tokens(f"{url}/a.csv?version=2")


def test_what_a_web_server_does_not_give_is_one_clear_error(web: tuple[str, type[Web]]) -> None:
    url, handler = web
    handler.data = b"ds,y\n" + b"2024-01-01,1\n" * 200_000
    load = partial(load_panel, f"{url}/a.csv?token=swordfish")
    handler.lost = 1000
    with pytest.raises(StorageFailed, match=r"a\.csv\?token=\*\*\*: cannot read: 1 bytes came of"):
        load()
    handler.lost, handler.ranges = 0, False
    with pytest.raises(InputRefused, match=r"it has more than 1\.0 MiB uncompressed"):
        load(ColumnChoices(max_bytes=1 << 20))
    handler.ranges = True
    found = next(iter(sources(f"{url}/a.csv")))
    with found.open() as stream:
        stream.read(10)
        handler.version = '"2"'
        with pytest.raises(StorageFailed, match="the file was changed while it was read"):
            stream.read(1 << 21)
    with pytest.raises(StorageFailed, match="the file was changed while it was read"):
        found.open()
    with pytest.raises(InputRefused, match="there is no such file"):
        load_panel(f"{url}/nope.csv")
    with pytest.raises(StorageFailed, match="cannot read"):
        load_panel("http://127.0.0.1:1/a.csv")
    with pytest.raises(UsageError, match="holds no password"):
        load_panel("https://me:swordfish@host/a.csv")
    with pytest.raises(UsageError, match="a web server is read alone"):
        rnncli.predict(sales(), "x.safetensors", output=f"{url}/out.csv")
