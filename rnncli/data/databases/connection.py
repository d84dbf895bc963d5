"""A database that is open: queries as Arrow tables, and rows that are written in one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from rnncli.data.databases.address import Address
from rnncli.data.databases.dialects import SHORT, Dialect, dialect_of, milliseconds
from rnncli.data.databases.failure import explained
from rnncli.data.waiting import patiently
from rnncli.errors import OutputLocked

_AGAIN = ("Type mismatch", "could not begin COPY")  # the driver took the query for another than it is
_POLL = 0.05  # seconds
Take = Callable[[pa.RecordBatch], object]


@dataclass(frozen=True)
class Connection:
    """A connection; whatever fails is one error of ours, that names the database and no password."""

    address: Address
    dialect: Dialect
    _handle: Any

    def read(self, query: str, taker: Callable[[], Take] = lambda: lambda _: None) -> pa.Table:
        """The rows of a query. Each batch is shown as it comes to what `taker` makes, which may refuse it; where a
        query has to be run again, that begins anew.
        """
        try:
            return self._read(query, taker(), self.dialect.options)
        except _raised() as error:
            if not (self.dialect.again and any(sign in str(error) for sign in _AGAIN)):
                raise explained(error, self.address, "read") from None
        return self._told("read", lambda: self._read(query, taker(), self.dialect.again))

    def run(self, statement: str) -> None:
        """Run a statement that gives no rows."""

        def work(asked: Any) -> None:
            asked.set_sql_query(statement)
            asked.execute_update()

        self._told("write", lambda: self._asked(work))

    def put(self, rows: pa.Table, name: str) -> None:
        """Make a table of these rows that is there for this connection alone."""
        import adbc_driver_manager as adbc

        def work(asked: Any) -> None:
            into = {adbc.INGEST_OPTION_TARGET_TABLE: name, adbc.INGEST_OPTION_MODE: adbc.INGEST_OPTION_MODE_CREATE}
            asked.set_options(**into, **{"adbc.ingest.temporary": "true"})
            asked.bind_stream(rows.to_reader())
            asked.execute_update()

        self._told("write", lambda: self._asked(work))

    def columns(self, table: str) -> list[str]:
        """The names of a table's columns."""
        return list(self.read(f"select * from {table} where 1 = 0").column_names)  # noqa: S608  # it is quoted

    @contextmanager
    def transaction(self, begin: tuple[str, ...]) -> Iterator[None]:
        """What is run within is done as a whole, or, where anything fails, not at all."""
        for statement in begin:
            self.run(statement)
        yield  # where it fails, the connection is closed, which rolls everything back
        self.run("commit")

    def _read(self, query: str, take: Take, options: dict[str, Any]) -> pa.Table:
        def work(asked: Any) -> pa.Table:
            asked.set_options(**options)
            asked.set_sql_query(query)
            reader = pa.RecordBatchReader.from_stream(asked.execute_query()[0])
            batches = []
            for batch in reader:
                take(batch)
                batches.append(batch)
            return pa.Table.from_batches(batches, reader.schema)

        return self._asked(work)

    def _asked(self, work: Callable[[Any], Any]) -> Any:
        """What `work` does with a statement, while signals are heard."""
        from adbc_driver_manager import AdbcStatement

        asked = AdbcStatement(self._handle)

        def done() -> Any:
            with asked:
                return work(asked)

        return patiently(done, asked.cancel)

    def _told(self, doing: str, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except _raised() as error:
            raise explained(error, self.address, doing) from None


@contextmanager
def connected(address: Address, *, writing: bool = False, wait: float = 0.0) -> Iterator[Connection]:
    """An open database; another program's lock is waited for `wait` seconds. InputRefused, StorageFailed, OutputLocked,
    or MissingDependency.
    """
    dialect = dialect_of(address)
    with ExitStack() as opened:
        handle = _opened(address, dialect, opened, writing=writing, wait=wait)
        made = Connection(address, dialect, handle)
        for statement in (*dialect.opening(milliseconds(wait)), *(() if writing else dialect.reading)):
            made.run(statement)
        yield made


def _opened(address: Address, dialect: Dialect, opened: ExitStack, *, writing: bool, wait: float) -> Any:
    """The driver's handle of a connection; what is to be closed is on the stack."""
    from adbc_driver_manager import AdbcConnection

    def work() -> Any:
        database = dialect.opened(address, writing)
        opened.callback(_close, database)
        return AdbcConnection(database)

    until = time.monotonic() + max(SHORT, wait)
    while True:
        try:
            handle = patiently(work, lambda: None)
        except _raised() as error:
            found = explained(error, address, "connect")
            if not isinstance(found, OutputLocked) or time.monotonic() >= until:
                raise found from None
            time.sleep(_POLL)
        else:
            opened.callback(_close, handle)
            return handle


def _close(handle: Any) -> None:
    with suppress(RuntimeError, *_raised()):  # of what was cancelled, something may still be open
        handle.close()


def _raised() -> tuple[type[Exception], ...]:
    """What drivers raise, and Arrow where it reads what they give."""
    from adbc_driver_manager import Error

    return Error, OSError, pa.ArrowInvalid, pa.ArrowNotImplementedError
