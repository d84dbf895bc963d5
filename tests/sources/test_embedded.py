"""Databases in a file: SQLite and DuckDB, read and written without a server."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from servers import sales  # beside this file

import rnncli
from rnncli.data.load import load_panel
from rnncli.data.sinks.sink import Into, sink_of
from rnncli.data.source import sources
from rnncli.data.tokens.load import load_tokens
from rnncli.data.writers.results import Style
from rnncli.errors import InputRefused, OutputExists, OutputLocked, RnncliError, UsageError
from rnncli.spec import ColumnChoices, TokenChoices

QUERY = "select shop, day, sold from sales order by shop, day"
ROWS = 6


@pytest.fixture(scope="module")
def trained(quick_options: dict[str, Any]) -> Any:
    """A model of the sales, in memory."""
    return rnncli.train(sales(), **quick_options)


def made(kind: str, folder: Path) -> str:
    """The URL of a new database with the sales, which the kind's own library has written."""
    path, rows = folder / f"sales.{kind}", sales().to_pylist()
    if kind == "sqlite":
        pytest.importorskip("adbc_driver_sqlite", reason="rnncli[sql] is not installed")
        import sqlite3

        with sqlite3.connect(path) as database:
            database.execute("create table sales (shop text, day text, sold real)")
            database.executemany(
                "insert into sales values (:shop, :day, :sold)", [row | {"day": str(row["day"])} for row in rows]
            )
        database.close()
    else:
        duckdb = pytest.importorskip("duckdb", reason="rnncli[sql] is not installed")
        given = sales()  # noqa: F841  # the query names it
        with duckdb.connect(str(path)) as database:
            database.execute("create table sales as select * from given")
    return f"{kind}:///{path}"


def asked(url: str, query: str) -> list[dict[str, Any]]:
    """The rows of a query, by the kind's own library."""
    path = url.split(":///")[1]
    if url.startswith("sqlite"):
        import sqlite3

        with sqlite3.connect(path) as database:
            database.row_factory = sqlite3.Row
            found = [dict(row) for row in database.execute(query)]
        database.close()
        return found
    import duckdb

    with duckdb.connect(path) as database:
        return list(database.sql(query).to_arrow_table().to_pylist())


@pytest.fixture(params=["sqlite", "duckdb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return made(request.param, tmp_path)


def test_rows_of_a_query_are_those_of_the_table(url: str) -> None:
    found = load_panel(url, ColumnChoices(query=f" {QUERY} ; ")).panel
    same = load_panel(sales()).panel
    assert (found.ids, found.values.tolist()) == (same.ids, same.values.tolist())


def test_every_command_takes_the_rows_of_a_query(url: str, trained: Any, quick_options: dict[str, Any]) -> None:
    again = rnncli.train(url, query=QUERY, **quick_options)
    assert rnncli.predict(url, again, query=QUERY).encode() == rnncli.predict(sales(), trained).encode()
    scored = rnncli.evaluate(url, trained, query=QUERY, refit=False)
    assert scored.to_json() == rnncli.evaluate(sales(), trained, refit=False).to_json()
    assert (rnncli.check(url, query=QUERY).findings, rnncli.check(url, query=QUERY).rows) == ((), len(sales()))


def test_predicting_from_and_into_a_database_loads_neither_torch_nor_pandas(
    url: str, trained: Any, run_python: Any, tmp_path: Path
) -> None:
    trained.save(tmp_path / "m.safetensors")
    code = (
        "import sys, rnncli\n"
        "rnncli.predict(sys.argv[1], sys.argv[2], query=sys.argv[3], output=sys.argv[1], table='forecasts')\n"
        "assert not {'torch', 'pandas'} & {*sys.modules}"
    )
    done = run_python("-c", code, url, tmp_path / "m.safetensors", QUERY)
    assert done.returncode == 0, done.stderr


def test_labels_are_written_once_too(url: str) -> None:
    rows = sales(6, 12).append_column("big", pa.array([["no", "yes"][n // 12 % 2] for n in range(72)]))
    options = {"label": "big", "id": "shop", "steps": 2, "hidden": 4, "layers": 1, "members": 1}
    model = rnncli.train(rows, **options)
    for _ in range(2):
        rnncli.predict(rows, model, output=url, table="labels")
    found = asked(url, "select * from labels")
    assert [row["shop"] for row in found] == [f"shop {number}" for number in range(6)]
    assert "origin" not in found[0]


def test_dates_and_times_of_day_in_two_columns_have_one_origin(url: str) -> None:
    day = [f"2024-01-{1 + n // 24:02}" for n in range(96)]
    rows = pa.table(
        {"date": day, "clock": [f"{n % 24:02}:00" for n in range(96)], "y": [float(n % 24) for n in range(96)]}
    )
    model = rnncli.train(rows, time="date,clock", target="y", horizon=2, steps=2, hidden=4, layers=1, members=1)
    rnncli.predict(rows, model, output=url, table="hours")
    rnncli.predict(rows, model, output=url, table="hours")
    found = asked(url, "select * from hours")
    assert [(row["date"], row["clock"], row["origin"]) for row in found] == [
        ("2024-01-05", "00:00", "2024-01-04 23:00"),
        ("2024-01-05", "01:00", "2024-01-04 23:00"),
    ]


def test_a_forecast_is_written_once_however_often(url: str, trained: Any) -> None:
    def write(**more: Any) -> None:
        rnncli.predict(url, trained, query=QUERY, output=url, table="forecasts", **more)

    for _ in range(2):
        write()
    rows = asked(url, "select * from forecasts")
    assert len(rows) == ROWS
    assert {str(row["origin"]) for row in rows} == {"2024-02-29"}
    assert rows[0]["model_digest"] == rows[-1]["model_digest"]
    write(as_of="2024-02-20")
    assert len(asked(url, "select * from forecasts")) == 2 * ROWS
    write(if_exists="replace")
    assert len(asked(url, "select * from forecasts")) == ROWS
    with pytest.raises(OutputExists, match="there is a table already"):
        write(if_exists="error")
    with pytest.raises(OutputExists, match="the table has no column 'id'"):
        write(tidy=True)
    assert len(asked(url, "select * from sales")) == len(sales())


def test_a_table_of_others_and_one_that_is_read_are_refused(url: str, trained: Any) -> None:
    with pytest.raises(OutputExists, match="none that predict made"):
        rnncli.predict(sales(), trained, output=url, table="sales")
    with pytest.raises(UsageError, match="--query reads table sales"):
        rnncli.predict(url, trained, query=QUERY, output=url, table="sales", if_exists="replace")
    with pytest.raises(UsageError, match="which table of the database is written"):
        rnncli.predict(sales(), trained, output=url)
    with pytest.raises(UsageError, match="--query is for databases, and none is given"):
        rnncli.predict(sales(), trained, query=QUERY)


def test_a_table_is_the_same_in_capital_letters_and_with_its_schema(url: str, trained: Any) -> None:
    for name in ("Forecasts", "forecasts", "main.FORECASTS"):
        rnncli.predict(sales(), trained, output=url, table=name)
    assert len(asked(url, "select * from forecasts")) == ROWS
    with pytest.raises(OutputExists, match="there is a table already"):
        rnncli.predict(sales(), trained, output=url, table="FORECASTS", if_exists="error")


def test_a_table_of_another_schema_is_another(tmp_path: Path, trained: Any) -> None:
    url = made("duckdb", tmp_path)
    import duckdb

    with duckdb.connect(url.split(":///")[1]) as database:
        database.execute("create schema other; create table other.forecasts (a int)")
    for name in ("forecasts", "sales.forecasts", "sales.main.forecasts"):
        rnncli.predict(sales(), trained, output=url, table=name)
    assert len(asked(url, "select * from forecasts")) == ROWS
    with pytest.raises(OutputExists, match="none that predict made"):
        rnncli.predict(sales(), trained, output=url, table="other.forecasts")


@contextmanager
def held(url: str, ended: str = "input()") -> Any:
    """Another process has the database for itself, until it is told to end, or something else has `ended`."""
    path = url.split(":///")[1]
    code = f"import duckdb; database = duckdb.connect({path!r})"
    if url.startswith("sqlite"):
        code = f"import sqlite3; database = sqlite3.connect({path!r}); database.execute('begin exclusive')"
    words = [sys.executable, "-c", f"import time; {code}\nprint(1, flush=True)\n{ended}"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield
        process.communicate(b"\n")


def test_a_database_that_another_program_holds_is_locked_and_then_not(url: str, trained: Any) -> None:
    with held(url):
        with pytest.raises(OutputLocked, match="another program holds the lock"):
            load_panel(url, ColumnChoices(query=QUERY))
        with pytest.raises(OutputLocked, match="another program holds the lock"):
            rnncli.predict(sales(), trained, output=url, table="forecasts")
    rnncli.predict(sales(), trained, output=url, table="forecasts")
    assert len(asked(url, "select * from forecasts")) == ROWS


def test_a_lock_is_waited_for_when_a_database_is_read_and_written(url: str, trained: Any) -> None:
    for work in (
        lambda: load_panel(url, ColumnChoices(query=QUERY, lock_wait=30)),
        lambda: rnncli.predict(url, trained, query=QUERY, lock_wait=30),
        lambda: rnncli.predict(sales(), trained, output=url, table="forecasts", lock_wait=30),
        lambda: sink_of(url, Into(table="forecasts", wait=30)).check(),
    ):
        with held(url, "time.sleep(0.7)"):
            work()
    assert len(asked(url, "select * from forecasts")) == ROWS


def test_the_rows_of_a_query_are_no_text(url: str) -> None:
    with pytest.raises(UsageError, match="a table is no text") as error:
        load_tokens(url, ColumnChoices(query=QUERY))
    assert "--text" in error.value.hint
    assert load_tokens(url, ColumnChoices(query="select shop from sales"), TokenChoices(token="shop")).panel.ids


REFUSED = {
    "nothing asked for": ("", UsageError, "which rows of the database are read is not said"),
    "a mistake": ("select 1 frm sales", UsageError, "--query: "),
    "no statement": ("selec 1", UsageError, "--query selects no rows: it begins with 'selec'"),
    "another file": ("attach '{0}/other.db' as other", UsageError, "selects no rows"),
    "no such column": ("select nope from sales", UsageError, "nope"),
    "a change": ("delete from sales", UsageError, "--query changes the database"),
    "a new table": ("create table other (a int)", UsageError, "--query changes the database"),
    "bytes that are no text": ("select '\udcff' as day", UsageError, "--query is no text in UTF-8"),
    "two statements": ("select 1; delete from sales", RnncliError, "."),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_query_that_is_none_is_refused(case: str, url: str, tmp_path: Path) -> None:
    query, error, says = REFUSED[case]
    with pytest.raises(error, match=says):
        load_panel(url, ColumnChoices(query=query.format(tmp_path), time="day"))
    assert len(asked(url, "select * from sales")) == len(sales())
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_file_that_is_no_database_is_refused(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("adbc_driver_manager", reason="rnncli[sql] is not installed")
    choices = ColumnChoices(query="select 1 from a")
    other = tmp_path / "a.csv"
    other.write_text("ds,y\n" * 2_000)
    for given in (other, tmp_path):
        with pytest.raises(InputRefused):
            load_panel(f"{kind}:///{given}", choices)
    with pytest.raises(InputRefused, match="there is no such file"):
        load_panel(f"{kind}:///{tmp_path / 'nope'}", choices)
    assert not (tmp_path / "nope").exists()
    for text in (f"{kind}://sales.db", f"{kind}:///", f"{kind}:///a.db?mode=rwc"):
        with pytest.raises(UsageError, match="the URL names no file"):
            load_panel(text, choices)


def test_duckdb_reads_and_writes_no_other_file_and_downloads_nothing(tmp_path: Path) -> None:
    import duckdb

    from rnncli.data.databases.address import address_of
    from rnncli.data.databases.connection import connected

    url, out, new = made("duckdb", tmp_path), tmp_path / "out.csv", tmp_path / "new.csv"
    out.write_text("day,sold\n2024-01-01,1\n")
    refused = {
        f"copy sales to '{new}'": "disabled by configuration",
        f"select * from '{out}'": "disabled by configuration",  # noqa: S608
        "select * from 's3://bucket/a.parquet'": "disabled by configuration",
        "install httpfs": "disabled by configuration",
        "load httpfs": "disabled through configuration",
        "set enable_external_access = true": "Cannot enable external access",
    }
    for writing in (False, True):
        with connected(address_of(url), writing=writing) as connection:
            for query, says in refused.items():
                with pytest.raises(InputRefused, match=says):
                    connection.read(query)
    with pytest.raises(InputRefused, match="disabled by configuration"):
        load_panel(url, ColumnChoices(query=f"select * from '{out}'"))  # noqa: S608
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "sales.duckdb"]
    with duckdb.connect(str(tmp_path / "sales.duckdb")) as unbound:  # which does what ours refuses
        assert len(unbound.sql(f"select * from '{out}'").fetchall()) == 1  # noqa: S608
        unbound.execute(f"copy sales to '{new}'")
    assert new.exists()


def test_a_column_of_sqlite_whose_first_rows_are_whole_is_read_all_the_same(tmp_path: Path) -> None:
    url = made("sqlite", tmp_path)
    import sqlite3

    with sqlite3.connect(tmp_path / "sales.sqlite") as database:
        database.execute("create table mixed (day text, y)")
        days = [f"{1900 + n // 336}-{1 + n // 28 % 12:02}-{1 + n % 28:02}" for n in range(70_000)]
        database.executemany("insert into mixed values (?, ?)", [(day, n) for n, day in enumerate(days)])
        database.execute("update mixed set y = 1.5 where y = 69999")
    database.close()
    choices = ColumnChoices(query="select y, count(*) n from mixed group by y", time="y", target=("n",), max_rows=10)
    with pytest.raises(InputRefused, match="more than 10 rows"):
        load_panel(url, choices)
    from rnncli.data.databases.address import address_of
    from rnncli.data.databases.connection import connected

    with connected(address_of(url)) as connection:
        assert connection.read("select y from mixed order by day").schema.field("y").type == pa.float64()
    choices = ColumnChoices(query="select day, y from mixed order by day", max_rows=70_000)
    source = next(iter(sources(url, choices)))
    assert source.reader is not None
    assert source.reader(source, choices).read({"y": "number"}).num_rows == 70_000


def test_rows_that_nothing_tells_apart_are_not_appended(tmp_path: Path) -> None:
    from rnncli.data.writers.results import of_table

    pytest.importorskip("adbc_driver_sqlite", reason="rnncli[sql] is not installed")
    sink = sink_of(f"sqlite:///{tmp_path / 'new.db'}", Into(table="t"))
    sink.check()
    with pytest.raises(UsageError, match="nothing tells these rows from others"):
        sink.write(of_table(pa.table({"label": ["a"]})), Style(), "digest")
    with pytest.raises(InputRefused, match="a column of the data is called 'origin'"):
        sink.write(of_table(pa.table({"origin": ["a"]})), Style(), "digest")
    with pytest.raises(UsageError, match="is for files"):
        sink.write(of_table(pa.table({"a": ["a"]})), Style(wide=True), "digest")
    with pytest.raises(UsageError, match="this is no table"):
        sink.put([b""])
    assert sink.size() is None
