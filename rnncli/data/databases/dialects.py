"""What the databases do not share: how they are opened, locked, and asked whether there is a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from rnncli.data.databases.address import DUCKDB, POSTGRESQL, SQLITE, Address
from rnncli.errors import MissingDependency

SHORT = 1.0  # seconds that are waited at least: what other programs do with a database is mostly done by then
_ALONE = {  # a query reads its database alone: nothing is downloaded, and no file is written
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "enable_external_access": "false",
}


@dataclass(frozen=True)
class Dialect:
    """A kind of database.

    `opened` gives a driver's handle, which can write if the second argument says so. `opening` are the first
    statements, given the milliseconds to wait for a lock, and `reading` those after which a query cannot write. `begin`
    are those that begin a transaction and take the lock of a table, given its name as a
    text and the milliseconds to wait. `exists` is the query of one row if there is a table. `options` are those of a
    query; where values do not have the types that its first rows had, those `again` make it look at all rows first.
    With `texts`, times are written as texts.
    """

    opened: Callable[[Address, bool], Any]
    begin: Callable[[str, int], tuple[str, ...]]
    exists: Callable[[str], str]
    options: dict[str, Any]
    again: dict[str, Any]
    texts: bool = False
    opening: Callable[[int], tuple[str, ...]] = lambda _: ()
    reading: tuple[str, ...] = ()


def milliseconds(wait: float) -> int:
    """How long a lock is waited for, given the seconds that were said."""
    return round(1000 * max(SHORT, wait))


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """The name of a column as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def of_table(name: str) -> str:
    """The name of a table, or of schema and table with a dot between them, as SQL writes it."""
    return ".".join(map(identifier, name.split(".")))


def _postgresql(address: Address, writing: bool) -> Any:  # noqa: ARG001, FBT001  # a server knows no modes
    from adbc_driver_postgresql import connect

    return connect(address.url)


def _sqlite(address: Address, writing: bool) -> Any:  # noqa: FBT001
    from adbc_driver_sqlite import connect

    assert address.path is not None
    return connect(f"file:{quote(str(address.path))}?mode={'rwc' if writing else 'ro'}")


def _duckdb(address: Address, writing: bool) -> Any:  # noqa: FBT001
    from adbc_driver_duckdb import driver_path
    from adbc_driver_manager import AdbcDatabase

    mode = "read_write" if writing else "read_only"
    return AdbcDatabase(
        driver=driver_path(), entrypoint="duckdb_adbc_init", path=str(address.path), access_mode=mode, **_ALONE
    )


def _locked_postgresql(table: str, wait: int) -> tuple[str, ...]:
    """Runs that write one table wait for each other, whether it is there or not."""
    key = literal(f"rnncli {table.rpartition('.')[2]}")  # with and without its schema
    return "begin", f"set local lock_timeout = {wait}", f"select pg_advisory_xact_lock(hashtext({key}))"


def _in_postgresql(table: str) -> str:
    """As the search path finds it: what else there is by that name, such as an index, is no table."""
    found = f"oid = to_regclass({literal(of_table(table))})"
    return f"select 1 as found from pg_class where {found} and relkind in ('r', 'p', 'v', 'm', 'f')"  # noqa: S608


def _in_sqlite(table: str) -> str:
    """Whatever the case of the name."""
    schema, _, name = table.rpartition(".")
    asked = ", ".join(map(literal, filter(None, (name, schema))))
    return f"select 1 as found from pragma_table_info({asked}) limit 1"  # noqa: S608


def _in_duckdb(table: str) -> str:
    """Whatever the case of the name; what stands before it may be a schema or a database."""
    place, _, name = table.lower().rpartition(".")
    whole = "table_catalog || '.' || table_schema"
    places = ["current_database() || '.' || current_schema()", literal(place)]
    places += [f"current_database() || '.' || {literal(place)}", f"{literal(place)} || '.' || current_schema()"]
    return (
        f"select 1 as found from information_schema.tables where lower(table_name) = {literal(name)}"  # noqa: S608
        f" and lower({whole}) in ({', '.join(places[1:] if place else places[:1])})"
    )


DIALECTS = {
    POSTGRESQL: Dialect(
        _postgresql,
        _locked_postgresql,
        _in_postgresql,
        {},
        {"adbc.postgresql.use_copy": "false"},  # which takes what is no select, such as show, too
        reading=("set default_transaction_read_only = on",),
    ),
    SQLITE: Dialect(
        _sqlite,
        lambda *_: ("begin immediate",),  # the lock is the file's
        _in_sqlite,
        {"adbc.sqlite.query.batch_rows": 65_536},
        {"adbc.sqlite.query.batch_rows": 1 << 30},
        texts=True,
        opening=lambda wait: (f"pragma busy_timeout = {wait}",),
    ),
    DUCKDB: Dialect(
        _duckdb,
        lambda *_: ("begin",),  # the file is locked from the moment that it is open
        _in_duckdb,
        {},
        {},
    ),
}


def dialect_of(address: Address) -> Dialect:
    """The dialect of a database. MissingDependency where its driver is not installed."""
    from importlib.util import find_spec

    needed = {POSTGRESQL: "adbc_driver_postgresql", SQLITE: "adbc_driver_sqlite", DUCKDB: "adbc_driver_duckdb"}
    if find_spec(needed[address.kind]) is None or find_spec("adbc_driver_manager") is None:
        raise MissingDependency("databases need ADBC and its drivers", hint="pip install 'rnncli[sql]'")
    return DIALECTS[address.kind]
