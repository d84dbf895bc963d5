"""Paths read by Spark itself: Parquet, or CSV as the texts of its cells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, NamedTuple

from rnncli.errors import UsageError
from rnncli.spec import ColumnChoices, Columns

FORMATS = ("parquet", "csv", "tsv")
DELIMITERS = (",", ";", "\t", "|")
_S3A = "org.apache.hadoop.fs.s3a.S3AFileSystem"


class Read(NamedTuple):
    """A frame, and whether it has the cells of CSV, texts that are still to be read."""

    frame: Any
    of_cells: bool


def read(session: Any, paths: Sequence[str], choices: ColumnChoices, known: Columns | None) -> Read:
    """The table at some paths: as `choices` say, as the suffix says, or as a model's training was told, else Parquet.

    UsageError for a format that Spark does not read.
    """
    form = _format(paths, choices, known)
    places = [reached(session, path) for path in paths]
    if form == "parquet":
        return Read(session.read.parquet(*places), of_cells=False)
    said = choices.separator or (known.separator if known else None)
    separator = said or ("\t" if form == "tsv" else _separator(session, places))
    encoding = choices.encoding or (known.encoding if known else None) or "UTF-8"
    settings = {"header": True, "sep": separator, "escape": '"', "encoding": encoding, "enforceSchema": False}
    return Read(session.read.options(**settings, mode="FAILFAST").csv(places), of_cells=True)


def _format(paths: Sequence[str], choices: ColumnChoices, known: Columns | None) -> str:
    for path in paths:
        if path == "-":
            raise UsageError("Spark cannot read standard input", hint="leave --engine out, or give a path")
    said = choices.format or _by_suffix(paths[0]) or (known.format if known else None) or "parquet"
    if said not in FORMATS:
        raise UsageError(f"Spark does not read {said} here", hint=f"write the data as {' or '.join(FORMATS[:2])}")
    return said


def _by_suffix(path: str) -> str | None:
    names = [suffix.removeprefix(".").lower() for suffix in PurePath(path).suffixes]
    return next((name for name in reversed(names) if name in FORMATS), None)


def _separator(session: Any, places: list[str]) -> str:
    """The mark between fields that the header has most of."""
    first = session.read.text(places).limit(1).collect()
    header = first[0][0] if first else ""
    return max(DELIMITERS, key=header.count)


def reached(session: Any, path: str) -> str:
    """The path as Hadoop's file systems know it: s3:// is s3a:// where that is there."""
    if not path.startswith("s3://"):
        return path
    try:
        session._jvm.java.lang.Class.forName(_S3A)  # noqa: SLF001  # there is no other way to ask
    except Exception:  # noqa: BLE001  # whatever the JVM says: it is not there
        return path
    return f"s3a://{path.removeprefix('s3://')}"
