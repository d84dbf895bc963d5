"""Rows into a table of a database: in one transaction, and each of them once, however often a run is repeated."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pyarrow as pa

from rnncli.data.databases.address import Address
from rnncli.data.databases.connection import Connection, connected
from rnncli.data.databases.dialects import identifier, literal, milliseconds, of_table
from rnncli.errors import OutputExists

MODEL, ORIGIN = "model_digest", "origin"  # columns beside the rows' own: who forecast them, and from which last time
NEW = "rnncli_new"  # the rows, until they are where they belong; for this connection alone
MODES = ("append", "replace", "error")


@dataclass(frozen=True)
class Target:
    """A table of a database, and what is done where it is there: rows are appended, replace all others, or "error"."""

    address: Address
    table: str
    mode: str

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.address.name}, table {self.table}"

    def exists(self, connection: Connection) -> bool:
        """Whether the table is there."""
        return bool(connection.read(connection.dialect.exists(self.table)).num_rows)

    def check(self, connection: Connection) -> None:
        """OutputExists if the table is there and is none that rows of this kind are in."""
        if self.mode != "error" and self.exists(connection):
            self._refuse(connection, ())

    def write(self, rows: pa.Table, key: Sequence[str], wait: float) -> None:
        """Put the rows into the table, or none of them. A row of the same `key` columns is replaced.

        Another run that writes it is waited for; OutputLocked after so many seconds.
        """
        with connected(self.address, writing=True, wait=wait) as connection:
            connection.put(rows, NEW)
            with connection.transaction(connection.dialect.begin(self.table, milliseconds(wait))):
                self._make_room(connection, rows.column_names, key)
                columns = ", ".join(map(identifier, rows.column_names))
                connection.run(f"insert into {self._table} ({columns}) select {columns} from {NEW}")  # noqa: S608

    @property
    def _table(self) -> str:
        return of_table(self.table)

    def _make_room(self, connection: Connection, names: Sequence[str], key: Sequence[str]) -> None:
        """Make the table, or take out of it what the rows replace."""
        if not self.exists(connection):
            connection.run(f"create table {self._table} as select * from {NEW} where 1 = 0")  # noqa: S608
            return
        self._refuse(connection, names)
        old = ", ".join(map(identifier, key))
        same = f" where ({old}) in (select {old} from {NEW})" if self.mode == "append" else ""  # noqa: S608
        connection.run(f"delete from {self._table}{same}")  # noqa: S608  # names are quoted

    def _refuse(self, connection: Connection, names: Collection[str]) -> None:
        """OutputExists for a table that is not to be changed, or lacks some columns."""
        if self.mode == "error":
            hint = "--if-exists append, or replace"
            raise OutputExists("there is a table already", where=self.name, hint=hint)
        found = connection.columns(self._table)
        if MODEL not in found:
            says = f"the table is none that predict made: it has no column {MODEL}"
            raise OutputExists(
                says, where=self.name, hint=f"alter table {self.table} add {MODEL} text; or name another"
            )
        lacking = [name for name in names if name not in found]
        if lacking:
            says = f"the table has no column {literal(lacking[0])}, which the rows have"
            raise OutputExists(says, where=self.name, hint="name another table, or add the column")
