"""Results in a table of a database: -o postgresql://host/db --table forecasts."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from rnncli import files
from rnncli.data.databases.address import address_of
from rnncli.data.databases.connection import connected
from rnncli.data.databases.dialects import dialect_of
from rnncli.data.databases.written import MODEL, Target
from rnncli.data.sinks.keyed import keyed_rows
from rnncli.data.sinks.sink import Into
from rnncli.data.writers.results import Results, Style
from rnncli.errors import OutputExists, UsageError


def sink(text: str, into: Into) -> DatabaseSink:
    """The table of the database at a URL. UsageError if none is named."""
    address = address_of(text)
    if into.table is None:
        raise UsageError(
            "which table of the database is written is not said", where=address.name, hint="predict ... --table NAME"
        )
    if into.format is not None:
        raise UsageError("a table of a database has no format", where=address.name, hint="leave --out-format out")
    return DatabaseSink(Target(address, into.table, into.existing or "append"), into.wait)


@dataclass(frozen=True)
class DatabaseSink:
    """A table of which a transaction changes the rows."""

    target: Target
    wait: float
    format: str = "parquet"  # the types are kept

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.target.name

    def check(self) -> None:
        """OutputExists or StorageFailed where nothing can be written, as far as that can be known now; UsageError or
        InputRefused where there is no way to the database.
        """
        address = self.target.address
        dialect_of(address)
        if address.path is not None and not address.path.exists():
            files.check_writable(address.path)
            return
        with connected(address, wait=self.wait) as connection:
            self.target.check(connection)

    def held(self, wait: float) -> AbstractContextManager[None]:  # noqa: ARG002  # the transaction has the lock
        """Nothing is held while there is nothing to write."""
        return nullcontext()

    def refuse_existing(self) -> None:
        """OutputExists if the table is there."""
        address = self.target.address
        if address.path is not None and not address.path.exists():
            return
        with connected(address, wait=self.wait) as connection:
            if self.target.exists(connection):
                raise OutputExists("there is a table already", where=self.name, hint="--if-exists append")

    def write(self, results: Results, style: Style, key: str = "") -> int:
        """Write the rows, each with the model of this digest and the time it forecast from; returns how many."""
        texts = dialect_of(self.target.address).texts
        rows, names = keyed_rows(results, style, key, as_text=texts)
        if self.target.mode == "append" and names == [MODEL]:
            hint = "--if-exists replace, or name the columns that tell them apart: --id"
            raise UsageError("nothing tells these rows from others", where=self.name, hint=hint)
        self.target.write(rows, names, self.wait)
        return int(rows.num_rows)

    def put(self, pieces: Iterable[bytes]) -> int:
        """UsageError: a database takes tables."""
        del pieces
        raise UsageError("this is no table, and a database takes nothing else", where=self.name, hint="name a file")

    def size(self) -> int | None:
        """It is not known."""
        return None
