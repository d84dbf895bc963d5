"""The paths that a command reads and those it writes: none is both, whatever it is called."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from rnncli import files
from rnncli.data.databases.address import address_of, is_database, names_table, same
from rnncli.data.reach import Reach, reach
from rnncli.data.source import refuse_empty
from rnncli.errors import UsageError
from rnncli.registry import scheme_of
from rnncli.tasks.reading import listed
from rnncli.workflows.path_options import READ, WRITTEN

_TABLES = ("data", "future_data", "forecasts", "forecast", "tables")  # of which each may be a folder or a glob
_STREAMS = ("-", "/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/self/fd/")  # the shell's to open


@dataclass(frozen=True)
class _Written:
    """A path that an option has written, or held or removed `beside` its own."""

    option: str
    path: str
    marks: frozenset[files.Mark]
    beside: bool = False

    @property
    def does(self) -> str:
        """What becomes of a file that is there."""
        changes = "write into" if self.option == "log_file" else "replace or remove" if self.beside else "replace"
        return f"{WRITTEN[self.option]} would {changes} it"


@dataclass(frozen=True)
class _Read:
    """A path that an option reads."""

    option: str
    path: str
    reach: Reach

    def spares(self, written: _Written) -> bool:
        """Whether both may be one: a model can be trained on in its own place, and a database has more tables."""
        if self.option in _TABLES and written.option == "output" and is_database(written.path):
            return is_database(self.path)
        return (self.option, written.option, written.beside) == ("warm_start", "output", False)


def keep_apart(command: str, settings: Mapping[str, Any]) -> None:
    """UsageError if a path that a command writes, or would write beside it, is one that it reads or writes otherwise.

    `settings` are its options by name, of which only those in READ and WRITTEN are looked at, and how tables are read.
    A folder or glob of data reads what would be in it, too: the next run would find it there.
    """
    for option in _TABLES:
        for item in _items(settings.get(option)):
            refuse_empty(item)
    _refuse_append(command, settings)
    _refuse_idle_query(settings)
    _refuse_urls(command, settings)
    written = list(_written(command, settings))
    for one, other in combinations(written, 2):
        if one.option != other.option and one.marks & other.marks:
            both = f"{WRITTEN[one.option]} and {WRITTEN[other.option]} would both write this"
            raise UsageError(both, where=other.path, hint="give each a path of its own")
    for read in _read(settings) if written else ():
        for one in written:
            if read.reach.includes(one.marks) and not read.spares(one):
                raise _refusal(read, one)
    _refuse_own_table(settings)


def _refuse_append(command: str, settings: Mapping[str, Any]) -> None:
    """UsageError where rows would be added to what is replaced whole: all but the tables that predict writes."""
    if settings.get("if_exists") == "append" and command != "predict":
        flag = "--if-exists append"
        raise UsageError(f"{flag} is for tables that predict writes", hint=f"leave {flag} out, or say replace")


def _refuse_idle_query(settings: Mapping[str, Any]) -> None:
    """UsageError for a query that no source of data answers."""
    if settings.get("query") is None:
        return
    given = [item for option in (*_TABLES, "trained_on") for item in _items(settings.get(option))]
    if not any(isinstance(item, str) and is_database(item) for item in given):
        raise UsageError("--query is for databases, and none is given", hint="DATA: postgresql://host/db")


def _refuse_urls(command: str, settings: Mapping[str, Any]) -> None:
    """UsageError for a URL where only a file of this machine can be: a model, its state, settings, a picture, a log."""
    results = () if command == "train" else ("output", "fix")
    for option, flag in (READ | WRITTEN).items():
        given = settings.get(option)
        if option in (*_TABLES, "trained_on", *results) or not isinstance(given, (str, os.PathLike)):
            continue
        if scheme_of(os.fspath(given)) is not None:
            hint = (
                "give a path, and copy the file there"
                if option in READ
                else "give a path, and copy the file from there"
            )
            raise UsageError(f"{flag} takes files of this machine, and no URLs", where=os.fspath(given), hint=hint)


def _refuse_own_table(settings: Mapping[str, Any]) -> None:
    """UsageError where the query to a database speaks of the table that is written there."""
    output, table, query = (settings.get(name) for name in ("output", "table", "query"))
    if output is None or table is None or not is_database(os.fspath(output)) or not names_table(query, table):
        return
    for option in _TABLES:
        for item in _items(settings.get(option)):
            if isinstance(item, str) and is_database(item) and same(address_of(item), address_of(os.fspath(output))):
                says = f"--query reads table {table}, and --table would change it"
                raise UsageError(says, where=item, hint="write another table")


def _refusal(read: _Read, written: _Written) -> UsageError:
    named = f" ({read.path})" * (read.path != written.path)
    return UsageError(
        f"{READ[read.option]}{named} reads this, and {written.does}",
        where=written.path,
        hint=f"give {WRITTEN[written.option]} a path that is not read, in a folder of its own",
    )


def _items(given: Any) -> list[Any]:
    return [] if given is None else listed(given)


def _read(settings: Mapping[str, Any]) -> Iterator[_Read]:
    """Everything that is read, one source after the other."""
    for option in READ:
        for item in _items(settings.get(option)):
            if isinstance(item, (str, os.PathLike)):
                yield _Read(option, os.fspath(item), _reach(option, item, settings.get("format")))


def _reach(option: str, item: str | os.PathLike[str], choice: str | None) -> Reach:
    if option in _TABLES:
        return reach(item, None if option in ("forecasts", "forecast", "tables") else choice)
    return Reach(files.marks(item))


def _written(command: str, settings: Mapping[str, Any]) -> Iterator[_Written]:
    """Everything that is written, each output before what lies beside it."""
    for option in WRITTEN:
        given = settings.get(option)
        if given is None or os.fspath(given).startswith(_STREAMS):
            continue
        yield _Written(option, os.fspath(given), files.marks(given))
        if option != "log_file":
            for path in _beside(command, option, os.fspath(given)):
                yield _Written(option, os.fspath(path), files.marks(path), beside=True)


def _beside(command: str, option: str, path: str) -> Iterator[str | os.PathLike[str]]:
    yield from files.beside(path)
    if option == "output" and command in ("train", "tune"):
        partial = f"{path}.partial"
        yield partial
        yield from files.beside(partial)
    if (command, option) == ("tune", "output"):
        from rnncli.workflows.search_file import beside

        for kept in beside(path):
            yield kept
            yield from files.beside(kept)
