"""JSON lines: an object a row, whose keys are columns; a key that a line lacks is null there."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pyarrow as pa

from rnncli.data.limits import Limits, Size, limits_of
from rnncli.data.readers.parquet import NO_THREAD, read_arrow
from rnncli.data.readers.table import Opened
from rnncli.data.source import Source, storage_error
from rnncli.errors import InputRefused
from rnncli.spec import ColumnChoices

LONGEST = 64 << 20  # bytes of a line
_BLOCK = 1 << 20
_KINDS = {
    bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list", dict: "an object",
}  # fmt: skip
_CORRECT = "correct it, or write null"
_ARRAY = "write one object a line: jq -c '.[]', or orient='records', lines=True in pandas"
_FLAT = """the other keys: {"ds": ..., "y": ...}"""
_OBJECT = 'a line is like {"ds": "2024-05-01", "y": 3}'


def read(source: Source, choices: ColumnChoices) -> Opened:
    """Open JSON lines: all are read, once, for any may have a key of its own. InputRefused if one is no object."""
    limits = limits_of(choices)
    most, exact = source.largest()
    if most is not None and exact:
        limits.check([Size(0, most, most)], [source.name], source.name)
    table = _table(source, limits)
    if not table.num_rows:
        raise source.refused("there is no line", hint=_OBJECT)
    if not table.num_columns:
        raise source.refused("the objects have no keys", hint=_OBJECT)
    _refuse_nested(source, table)
    opened = read_arrow(replace(source, table=table), choices)
    return replace(opened, line_of=partial(_line_of, source))


def _refuse_nested(source: Source, table: pa.Table) -> None:
    """InputRefused where values are within objects, and what is beside them is no table."""
    nested = [column.name for column in table.schema if pa.types.is_struct(column.type)]
    if nested and table.num_columns - len(nested) < 2:
        raise source.refused(
            f"key {nested[0]!r} holds objects, not values", hint=f"write what is in them beside {_FLAT}"
        )


def _table(source: Source, limits: Limits) -> pa.Table:
    """All lines, with texts as texts, also where all of them are times: which do is seen in the first lines, and they
    are read again only where others do below these.
    """
    first = _first_lines(source)
    times = _times(first)
    table = _parsed(source, limits, times)
    names = list(dict.fromkeys([*first.names, *table.column_names]))
    more = _times(table.schema)
    return (_parsed(source, limits, [*times, *more]) if more else table).select(names)


def _times(schema: pa.Schema) -> list[str]:
    """The columns of which all texts are times."""
    return [column.name for column in schema if pa.types.is_timestamp(column.type)]


def _first_lines(source: Source) -> pa.Schema:
    """The columns of the first lines; none where these cannot be read."""
    from pyarrow import json as reader

    try:
        with source.open() as stream:
            head = bytes(stream.read(_BLOCK))
        return reader.read_json(pa.BufferReader(head[: head.rfind(b"\n") + 1])).schema
    except (pa.ArrowException, OSError):  # reading all says what is wrong
        return pa.schema([])


def _parsed(source: Source, limits: Limits, texts: Sequence[str]) -> pa.Table:
    """All lines; these columns hold texts, the others what is found in them."""
    from pyarrow import json as reader

    schema = pa.schema([(name, pa.string()) for name in texts]) if texts else None
    block = _BLOCK
    while True:
        try:
            with source.open() as stream:
                counting: Any = pa.PythonFile(_Counted(stream, source, limits), "r")
                options = reader.ReadOptions(block_size=block), reader.ParseOptions(explicit_schema=schema)
                table = reader.read_json(counting, *options)
                table.validate(full=True)  # texts may be no UTF-8
                return table
        except pa.ArrowInvalid as error:
            if "Empty JSON" in str(error):
                raise source.refused("the file is empty", hint=_OBJECT) from None
            if "try to increase block size" in str(error) and block < LONGEST:
                block *= 8
                continue
            raise _explained(source, error) from error
        except (pa.ArrowException, OSError) as error:
            if NO_THREAD in str(error):
                raise MemoryError from error
            raise storage_error(source, error) if isinstance(error, OSError) else _explained(source, error) from error


class _Counted:
    """A stream that is refused when it has given more bytes than are allowed."""

    closed = False

    def __init__(self, stream: Any, source: Source, limits: Limits) -> None:
        self._stream, self._source, self._limits, self._given = stream, source, limits, 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        data: bytes = self._stream.read(size)
        self._given += len(data)
        self._limits.check([Size(0, self._given, self._given)], [self._source.name], self._source.name)
        return data


def _explained(source: Source, error: Exception) -> InputRefused:
    """The first line that cannot be read, or whose value is of another kind than those above it."""
    kinds: dict[str, str] = {}
    for number, line in _lines(source):
        found = _read(source, number, line)
        for key, value in found.items():
            kind = _kind(value)
            if value in (math.inf, -math.inf):
                return source.refused(f"the number under key {key!r} is too large", line=number, hint=_CORRECT)
            if kind and kinds.setdefault(key, kind) != kind:
                return source.refused(
                    f"key {key!r} is {kind} here, and {kinds[key]} above",
                    line=number,
                    hint="write one kind of value under a key, and null where it is not known",
                )
    return source.refused(f"these are no JSON lines: {str(error).splitlines()[0]}", hint=_OBJECT)


def _lines(source: Source) -> Iterator[tuple[int, bytes]]:
    """(number, line) of each line that is not blank."""
    with source.open() as stream:
        data = stream.read()
    lines = enumerate(data.split(b"\n"), 1)
    return ((number, line) for number, line in lines if line.strip())


def _read(source: Source, number: int, line: bytes) -> dict[str, Any]:
    """The object of a line. InputRefused if there is none."""
    try:
        found = json.loads(line, object_pairs_hook=partial(_once, source, number))
    except UnicodeDecodeError:
        raise source.refused("the text is not UTF-8", line=number, hint="write JSON in UTF-8") from None
    except (ValueError, RecursionError) as error:
        if line.lstrip().startswith(b"["):
            raise source.refused("this is an array, not an object a line", line=number, hint=_ARRAY) from None
        raise source.refused(f"this is no JSON ({error})", line=number, hint=_cut_or(line)) from None
    if isinstance(found, list):
        raise source.refused("this is an array, not an object a line", line=number, hint=_ARRAY)
    if not isinstance(found, dict):
        raise source.refused("this is no object", line=number, hint=_OBJECT)
    return found


def _once(source: Source, number: int, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise source.refused(f"key {twice!r} stands twice", line=number, hint="leave one of them out")
    return found


def _cut_or(line: bytes) -> str:
    return "the line is cut off, or the object goes on in the next: write one object a line" if _open(line) else _OBJECT


def _open(line: bytes) -> bool:
    return not line.rstrip().endswith(b"}")


def _kind(value: Any) -> str:
    """What a value is, in words; "" for null."""
    return "" if value is None else _KINDS[type(value)]


def _line_of(source: Source, row: int) -> int:
    """The line of a row, if each line holds one."""
    return next((number for place, (number, _) in enumerate(_lines(source)) if place == row), 0)
