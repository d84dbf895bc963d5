"""Results in a Delta Lake table: -o forecasts.delta, -o s3://bucket/forecasts.delta; a commit is all or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from rnncli import files
from rnncli.data.databases.dialects import identifier
from rnncli.data.databases.written import MODEL
from rnncli.data.folders.delta import delta, said
from rnncli.data.sinks.keyed import keyed_rows
from rnncli.data.sinks.sink import Into
from rnncli.data.waiting import patiently
from rnncli.data.writers.results import Results, Style
from rnncli.errors import OutputExists, StorageFailed, UsageError, without_secrets
from rnncli.registry import local_path


def sink(text: str, into: Into) -> LakeSink:
    """The table at a path or a URL."""
    delta()
    if into.table is not None:
        raise UsageError("--table is for databases, and this is a Delta table", hint="leave --table out")
    if into.format is not None:
        raise UsageError("a Delta table has no format", where=without_secrets(text), hint="leave --out-format out")
    return LakeSink(local_path(text) or text, into.existing or "append", into.wait)


@dataclass(frozen=True)
class LakeSink:
    """A Delta table, to which a commit adds a version."""

    url: str
    mode: str
    wait: float
    format: str = "parquet"

    @property
    def name(self) -> str:
        """What messages call it."""
        return without_secrets(self.url)

    def check(self) -> None:
        """StorageFailed or OutputExists where it can be known now that nothing can be written."""
        table = self._table()
        if table is None and local_path(self.url) is not None:
            files.check_writable(Path(self.url).parent / Path(self.url).name)
        elif table is not None and self.mode != "error":
            self._refuse(table, ())

    def held(self, wait: float) -> AbstractContextManager[None]:  # noqa: ARG002  # commits are told apart by the log
        """Nothing is held while there is nothing to write."""
        return nullcontext()

    def refuse_existing(self) -> None:
        """OutputExists if the table is there."""
        if self._table() is not None:
            raise OutputExists("there is a table already", where=self.name, hint="--if-exists append")

    def write(self, results: Results, style: Style, key: str = "") -> int:
        """Commit the rows, of which one with the same key replaces another; returns how many."""
        rows, names = keyed_rows(results, style, key, as_text=False)
        if self.mode == "append" and names == [MODEL]:
            hint = "--if-exists replace, or name the columns that tell them apart: --id"
            raise UsageError("nothing tells these rows from others", where=self.name, hint=hint)
        self._told(lambda: self._commit(rows, names))
        return int(rows.num_rows)

    def put(self, pieces: Iterable[bytes]) -> int:
        """UsageError: it takes tables."""
        del pieces
        raise UsageError("this is no table, and a Delta table takes nothing else", where=self.name, hint="name a file")

    def size(self) -> int | None:
        """It is not known."""
        return None

    def _commit(self, rows: pa.Table, key: Sequence[str]) -> None:
        table = self._table()
        if table is None:
            delta().write_deltalake(self.url, rows, mode="error")
            return
        self._refuse(table, rows.column_names)
        if self.mode == "replace":
            delta().write_deltalake(table, rows, mode="overwrite")
            return
        same = " and ".join(f"old.{identifier(name)} = new.{identifier(name)}" for name in key)
        merge = table.merge(rows, same, source_alias="new", target_alias="old")
        merge.when_matched_update_all().when_not_matched_insert_all().execute()

    def _refuse(self, table: Any, names: Sequence[str]) -> None:
        """OutputExists for a table that is not to be changed, or lacks some columns."""
        if self.mode == "error":
            raise OutputExists("there is a table already", where=self.name, hint="--if-exists append, or replace")
        found = [field.name for field in table.schema().fields]
        lacking = next((name for name in [MODEL, *names] if name not in found), None)
        if lacking is not None:
            says = f"the table has no column {lacking!r}, which forecasts have"
            raise OutputExists(says, where=self.name, hint="name another table")

    def _table(self) -> Any:
        """The table; None if there is none."""
        library = delta()

        def opened() -> Any:
            return library.DeltaTable(self.url) if library.DeltaTable.is_deltatable(self.url) else None

        return self._told(opened)

    def _told(self, work: Any) -> Any:
        try:
            return patiently(work, lambda: None)
        except (delta().exceptions.DeltaError, OSError) as error:
            raise StorageFailed(f"cannot write: {said(error)}", where=self.name, hint="run it again") from None
