"""PostgreSQL as a source and a sink, on a real server: what is read, what is written once, and what is refused."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from servers import PASSWORD, Postgres  # beside this file

Run = Callable[..., subprocess.CompletedProcess[str]]
SALES = "select shop, day, sold from sales order by shop, day"
SHOPS, DAYS, HORIZON = 3, 60, 3
WRITE = ("--table", "forecasts")
SLOW_TO_WRITE = """
create function dawdle() returns trigger language plpgsql as $$ begin perform pg_sleep(.08); return null; end $$;
create trigger inserted after insert on {0} for each statement execute function dawdle();
create constraint trigger committed after insert on {0} deferrable initially deferred
  for each row when (new.day = new.origin + 1) execute function dawdle()
"""  # so that a kill meets every part of the transaction, and its end


@pytest.fixture(scope="module")
def shop(postgres: Postgres) -> Postgres:
    """A database with sales."""
    postgres.ask("create table sales (shop text, day date, sold double precision, price numeric(8,2), ref uuid)")
    postgres.ask(
        "insert into sales select 'shop ' || s, date '2024-01-01' + d, 10 + (d % 7) + s, 1.25 * s, gen_random_uuid()"
        " from generate_series(1, 3) s, generate_series(0, 59) d"
    )
    return postgres


@pytest.fixture(scope="module")
def run(run_rnncli: Run, shop: Postgres) -> Run:
    """A command as somebody runs it who knows the password."""
    return lambda *arguments, **options: run_rnncli(*arguments, **({"env": shop.environment} | options))


@pytest.fixture(scope="module")
def model(run: Run, shop: Postgres, quick: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that was trained on the database."""
    path = tmp_path_factory.mktemp("postgresql") / "sales.safetensors"
    done = run("train", shop.url, "--query", SALES, *quick, "-o", path)
    assert done.returncode == 0, done.stderr
    assert "time 'day' (every day), id 'shop', target 'sold'" in done.stderr
    return path


def test_a_table_is_trained_on_predicted_checked_and_evaluated_as_the_same_rows_in_a_file(
    run: Run, shop: Postgres, model: Path, quick: tuple[str, ...], tmp_path: Path
) -> None:
    rows = shop.ask(SALES)
    table = tmp_path / "sales.csv"
    table.write_text("shop,day,sold\n" + "".join(f"{row['shop']},{row['day']},{row['sold']}\n" for row in rows))
    said = (shop.url, "--query", f"{SALES};")
    assert run("predict", *said, "-m", model).stdout == run("predict", table, "-m", model).stdout
    assert run("check", *said).stdout == run("check", table).stdout
    scored = run("evaluate", *said, "-m", model, "--no-refit")
    assert scored.stdout == run("evaluate", table, "-m", model, "--no-refit").stdout
    assert run("train", *said, *quick, "-o", model).stderr.rstrip().endswith("up to date: nothing was done")


def test_a_model_knows_neither_database_nor_query(model: Path, shop: Postgres) -> None:
    held = model.read_bytes()
    assert PASSWORD.encode() not in held
    assert b"select" not in held
    assert b"127.0.0.1" not in held


def test_types_of_the_server_are_numbers_and_texts(run: Run, shop: Postgres) -> None:
    query = "select ref, day, price, to_jsonb(sold) as note from sales where shop = 'shop 2' and day < '2024-01-03'"
    found = run("check", shop.url, "--query", query, "--id", "ref", "--time", "day", "--target", "price", "--json")
    document = json.loads(found.stdout)
    assert (document["rows"], document["series"]) == (2, 2)


def test_a_repeated_run_replaces_its_rows_and_other_runs_stay(run: Run, shop: Postgres, model: Path) -> None:
    def write(*more: str) -> str:
        done = run("predict", shop.url, "--query", SALES, "-m", model, "-o", shop.url, *WRITE, *more)
        assert done.returncode == 0, done.stderr
        return done.stderr

    assert f"wrote 9 rows (3 series) to {shop.url}, table forecasts" in write()
    write()
    write("--horizon", "2")
    assert counted(shop, "forecasts") == {"2024-02-29": SHOPS * HORIZON}
    write("--as-of", "2024-02-20")
    assert counted(shop, "forecasts") == {"2024-02-20": SHOPS * HORIZON, "2024-02-29": SHOPS * HORIZON}
    types = shop.ask("select distinct pg_typeof(day)::text d, pg_typeof(origin)::text o from forecasts")
    assert types == [{"d": "date", "o": "date"}]
    write("--if-exists", "replace")
    assert counted(shop, "forecasts") == {"2024-02-29": SHOPS * HORIZON}
    left = run("predict", shop.url, "--query", SALES, "-m", model, "-o", shop.url, *WRITE, "--if-exists", "skip")
    assert left.returncode == 0
    assert "stays as it is" in left.stderr


def counted(server: Postgres, table: str) -> dict[str, int]:
    """The rows of each origin, of which no two are of one series and day."""
    rows = server.ask(f"select shop, day, origin, model_digest from {table}")  # noqa: S608  # a name of ours
    assert len({tuple(row.values()) for row in rows}) == len(rows)
    return dict(Counter(str(row["origin"]) for row in rows))


MOST_TRIES = 27  # days of February after the second


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_runs_that_are_killed_and_repeated_lose_nothing_and_double_nothing(
    kills: int, run: Run, shop: Postgres, model: Path, fork_server: Callable[..., object], tmp_path: Path
) -> None:
    table = f"killed_{kills}"
    chance = random.Random(kills)
    words = ["predict", shop.url, "--query", SALES, "-m", str(model), "-o", shop.url, "--table", table]
    assert run(*words, "--as-of", "2024-02-01").returncode == 0
    for statement in SLOW_TO_WRITE.format(table).replace("dawdle", f"dawdle_{kills}").split(";\n"):
        shop.ask(statement)
    began = time.monotonic()
    assert run(*words, "--as-of", "2024-02-02").returncode == 0
    whole = time.monotonic() - began
    told, expected = [], {"2024-02-01": SHOPS * HORIZON, "2024-02-02": SHOPS * HORIZON}
    slain = 0
    for kill in range(MOST_TRIES):
        if slain == kills:
            break
        origin = f"2024-02-{kill + 3:02}"
        after = whole * (chance.random() if kill % 2 else 0.4 + 0.6 * chance.random())
        done = killed_after(after, [*words, "--as-of", origin], shop.environment, fork_server, tmp_path)
        settled(shop)
        rows = counted(shop, table).get(origin, 0)
        assert rows in (0, SHOPS * HORIZON), f"killed after {after:.2f} s: {rows} rows"
        told.append(f"{after:.2f} s of {whole:.2f} s: {'killed' if done < 0 else 'ended'}, {rows} rows")
        slain += done < 0
        whole *= 1 if done < 0 else 0.85  # the machine was slower when it was measured
        again = run(*words, "--as-of", origin)
        assert again.returncode == 0, again.stderr
        expected[origin] = SHOPS * HORIZON
        assert counted(shop, table) == expected
    assert slain == kills, told
    print("\n".join(told))  # noqa: T201  # what is worth keeping of a run with 20 of them


def killed_after(
    seconds: float, words: list[str], environment: dict[str, str], fork_server: Callable[..., object], folder: Path
) -> int:
    """The end of a command that is killed after some time: -9, or its exit code if it was done before."""
    server = fork_server("rnncli")
    nothing = [os.open(os.devnull, os.O_RDWR) for _ in range(3)]
    child = server.fork(words, environment, folder, nothing)  # type: ignore[attr-defined]
    time.sleep(seconds)
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    return int(server.wait(child, 30))  # type: ignore[attr-defined]


def settled(server: Postgres) -> None:
    """Wait until the server has noticed that the client is gone."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        others = server.ask("select 1 from pg_stat_activity where datname = 'postgres' and pid <> pg_backend_pid()")
        if not others:
            return
        time.sleep(0.02)
    pytest.fail("the server still works for a client that was killed")


REFUSED = {
    "no query": ((), 2, "which rows of the database are read is not said"),
    "a query with a mistake": (("--query", "select 1 frm x y"), 2, '--query: syntax error at or near "x"'),
    "a column that is not there": (("--query", "select nope from sales"), 2, '--query: column "nope" does not exist'),
    "a query that changes": (("--query", "delete from sales"), 2, "--query changes the database"),
    "a change in disguise": (
        ("--query", "with gone as (delete from sales returning *) select * from gone"),
        2,
        "--query would change the database",
    ),
    "no rows": (("--query", "select shop, day, sold from sales where false"), 4, "there are no rows"),
    "an error in the middle": (
        ("--query", "select 1 / (5 - i) y, i from generate_series(1, 9) i"),
        4,
        "division by zero",
    ),
    "more rows than are allowed": (("--query", SALES, "--max-rows", "10"), 4, "there are more than 10 rows"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_one_clear_error(case: str, run: Run, shop: Postgres, model: Path) -> None:
    words, code, says = REFUSED[case]
    done = run("predict", shop.url, *words, "-m", model)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert says in done.stderr
    assert len(shop.ask("select 1 from sales")) == SHOPS * DAYS


def test_a_table_of_other_rows_is_never_changed(run: Run, shop: Postgres, model: Path, tmp_path: Path) -> None:
    shop.ask("create table customers (name text, day date)")
    shop.ask("insert into customers values ('a', '2024-01-01')")
    for mode in ("append", "replace"):
        words = ("-o", shop.url, "--table", "customers", "--if-exists", mode)
        done = run("predict", shop.url, "--query", SALES, "-m", model, *words)
        assert done.returncode == 2
        assert "the table is none that predict made" in done.stderr
    done = run("predict", shop.url, "--query", SALES, "-m", model, "-o", shop.url, "--table", "sales")
    assert done.returncode == 2
    assert "--query reads table sales, and --table would change it" in done.stderr
    assert len(shop.ask("select * from customers")) == 1


def test_a_writer_waits_for_another_one(run: Run, shop: Postgres, model: Path) -> None:
    import adbc_driver_manager as adbc
    from adbc_driver_postgresql import connect

    words = ("predict", shop.url, "--query", SALES, "-m", model, "-o", shop.url, "--table", "held")
    secret = shop.url.replace("://", f"://shop:{PASSWORD}@")
    with connect(secret) as database, adbc.AdbcConnection(database) as other, adbc.AdbcStatement(other) as asked:
        other.set_autocommit(False)
        asked.set_sql_query("select pg_advisory_xact_lock(hashtext('rnncli held'))")
        asked.execute_update()
        done = run(*words)
        assert done.returncode == 75, done.stderr
        assert "another program holds the lock" in done.stderr
    assert run(*words).returncode == 0


def test_a_connection_that_is_lost_in_the_middle_is_told(run: Run, shop: Postgres, model: Path) -> None:
    query = (
        "select shop, day, sold from sales union all select 'x', date '2025-01-01' + i,"
        " case when i = 400000 and pg_terminate_backend(pg_backend_pid()) then 1 else i end"
        " from generate_series(1, 400000) i"
    )
    done = run("predict", shop.url, "--query", query, "-m", model)
    assert (done.returncode, done.stdout) == (8, ""), done.stderr
    assert "the connection was lost" in done.stderr


WRONG = {
    "a wrong password": ("postgresql://shop:{0}x@{1}/postgres", 4),
    "an unknown database": ("postgresql://shop:{0}@{1}/nowhere", 4),
    "a password in a parameter": ("postgresql://{1}/postgres?user=shop&password={0}x", 4),
    "a server that is not there": ("postgresql://shop:{0}@127.0.0.1:1/postgres", 8),
    "a mark that is not escaped": ("postgresql://shop:{0}@/x@{1}/postgres", 2),
    "a percent sign that is none": ("postgresql://shop:{0}%zz@{1}/postgres", 2),
    "a blank in the password": ("postgresql://shop:{0} x@{1}/postgres", 2),
    "a scheme that there is not": ("mysql://shop:{0}@{1}/postgres", 2),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_password_in_a_url_is_never_printed(case: str, run: Run, shop: Postgres, model: Path, tmp_path: Path) -> None:
    form, code = WRONG[case]
    url, log = form.format(PASSWORD, shop.url.split("/")[2]), tmp_path / "log"
    bare = {name: value for name, value in shop.environment.items() if not name.startswith("PG")}
    for more in (("--debug", "--log-file", log), ("--json", "--log-format", "json", "-o", url, "--table", "t")):
        done = run("predict", url, "--query", SALES, "-m", model, *more, env=bare)
        assert done.returncode == code, done.stderr
        assert PASSWORD not in done.stdout + done.stderr
    assert not log.exists() or PASSWORD not in log.read_text()


def test_a_right_password_in_a_url_is_never_printed_either(
    run: Run, shop: Postgres, model: Path, tmp_path: Path
) -> None:
    url, log = shop.url.replace("://", f"://shop:{PASSWORD}@"), tmp_path / "log"
    bare = {name: value for name, value in shop.environment.items() if not name.startswith("PG")}
    words = ("predict", url, "--query", SALES, "-m", model, "-o", url, "--table", "secret", "--log-file", log)
    for more in (("-v", "--json"), ("-v",), ("--if-exists", "skip", "--json"), ("--print-config",)):
        done = run(*words, *more, env=bare)
        assert done.returncode == 0, done.stderr
        assert PASSWORD not in done.stdout + done.stderr, more
    assert PASSWORD not in log.read_text()
    assert len(shop.ask("select * from secret")) == SHOPS * HORIZON
