"""The only door between Arrow and NumPy: straight from the buffers, for `to_numpy` and `np.asarray` import pandas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rnncli.arrays import Bools, Floats, Ints

_UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1}
_LARGEST = (1 << 63) - 1
VIEWS = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}  # whose dictionaries Arrow cannot cast


def floats(column: pa.ChunkedArray) -> Floats:
    """A numeric or boolean column as float64 [rows]; NaN where it is null. TypeError if it holds anything else."""
    kind = column.type
    if pa.types.is_null(kind):
        return np.full(len(column), np.nan)
    if pa.types.is_decimal(kind) or pa.types.is_dictionary(kind) or pa.types.is_float16(kind):
        column = column.cast(pa.float64())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        raise TypeError(str(kind))
    values = np.concatenate([np.zeros(0), *(_primitive(chunk).astype(np.float64) for chunk in column.chunks)])
    if column.null_count:
        values[~observed(column)] = np.nan
    return values


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type of a column's values, in a dictionary or not."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column without a dictionary."""
    return column.cast(plain_type(column.type)) if pa.types.is_dictionary(column.type) else column


def integers(column: pa.ChunkedArray) -> Ints:
    """A whole-number, date or timestamp column as it is stored, int64 [rows]; anything where it is null."""
    parts = [_primitive(chunk).astype(np.int64) for chunk in column.chunks]
    return np.concatenate([np.zeros(0, np.int64), *parts])


def microseconds(column: pa.ChunkedArray) -> Ints:
    """A date or timestamp column as microseconds since 1970. OverflowError where nanoseconds would be lost, or what is
    beyond 64 bits.
    """
    stored, kind = integers(column), column.type
    if pa.types.is_date32(kind):
        return _times(stored, 86_400_000_000, column)
    if pa.types.is_date64(kind):
        return _times(stored, 1_000, column)
    if kind.unit != "ns":
        return _times(stored, _UNITS[kind.unit], column)
    if (stored[observed(column)] % 1_000).any():
        raise OverflowError("times are finer than a microsecond")
    return stored // 1_000


def _times(stored: Ints, size: int, column: pa.ChunkedArray) -> Ints:
    if size > 1 and (np.abs(stored[observed(column)]) > _LARGEST // size).any():
        raise OverflowError("times are too far from 1970")
    return stored * size


def array(values: Floats) -> pa.Array:
    """Numbers as a column, NaN as they are; pa.array would import pandas."""
    return pa.Array.from_buffers(pa.float64(), len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


def observed(column: pa.ChunkedArray) -> Bools:
    """Which rows are not null [rows]."""
    return np.concatenate([np.zeros(0, np.bool_), *map(_valid, column.chunks)])


def codes(column: pa.ChunkedArray) -> tuple[Ints, list[str]]:
    """A column as codes into a list of different texts, -1 where it is null.

    TypeError naming the type, if its values are no cells of a table: lists, structures, bytes that are no text.
    """
    kind = plain_type(column.type)
    if pa.types.is_null(kind):
        return np.full(len(column), -1), []
    if pa.types.is_nested(kind):
        raise TypeError(str(kind).split("<", maxsplit=1)[0])
    if pa.types.is_integer(column.type) or pa.types.is_boolean(column.type):
        return _coded_numbers(column)
    if not pa.types.is_dictionary(column.type):
        column = _encoded(column)
    column = column.unify_dictionaries()
    texts = [_text(value, kind) for value in _values(column)]
    parts = [_primitive(chunk.indices).astype(np.int64) for chunk in column.chunks]
    found = np.concatenate([np.zeros(0, np.int64), *parts])
    return _merged(np.where(observed(column), found, -1) if column.null_count else found, texts)


def _encoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return column.dictionary_encode()
    except pa.ArrowNotImplementedError:
        raise TypeError(str(column.type)) from None


def _values(column: pa.ChunkedArray) -> list[Any]:
    try:
        return column.chunk(0).dictionary.to_pylist() if column.num_chunks else []
    except pa.ArrowInvalid:  # a zone that this machine does not know
        raise TypeError(str(plain_type(column.type))) from None


def _text(value: Any, kind: pa.DataType) -> str:
    if not isinstance(value, bytes):
        return str(value)
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise TypeError(f"{kind} that is not UTF-8 text") from None


def _merged(codes: Ints, texts: list[str]) -> tuple[Ints, list[str]]:
    """One code for each text: a dictionary may hold one twice, and values may be written alike."""
    place = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    if len(place) == len(texts):
        return codes, texts
    return np.array([*(place[text] for text in texts), -1], np.int64)[codes], list(place)


def _coded_numbers(column: pa.ChunkedArray) -> tuple[Ints, list[str]]:
    stored = [_primitive(chunk) for chunk in column.chunks] or [np.zeros(0, np.int64)]
    different, found = np.unique(np.concatenate(stored), return_inverse=True)
    texts = [str(value) for value in different.tolist()]
    if pa.types.is_boolean(column.type):
        texts = ["true" if value else "false" for value in different.tolist()]
    return np.where(observed(column), found, -1), texts


def _primitive(chunk: pa.Array) -> NDArray[Any]:
    """The values of one chunk, a view of its buffer where there is one."""
    kind, buffer = chunk.type, chunk.buffers()[1]
    if pa.types.is_boolean(kind):
        return _bits(buffer, chunk.offset, len(chunk))
    if buffer is None:
        return np.zeros(len(chunk))
    return np.frombuffer(buffer, _dtype(kind), len(chunk), chunk.offset * kind.bit_width // 8)


def _dtype(kind: pa.DataType) -> np.dtype[Any]:
    if pa.types.is_integer(kind):
        return np.dtype(str(kind))
    if pa.types.is_floating(kind):
        return np.dtype(f"f{kind.bit_width // 8}")
    return np.dtype(f"i{kind.bit_width // 8}")  # dates and timestamps


def _valid(chunk: pa.Array) -> Bools:
    bitmap = chunk.buffers()[0]
    if bitmap is None or not chunk.null_count:
        return np.full(len(chunk), pa.types.is_null(chunk.type) is False)
    return _bits(bitmap, chunk.offset, len(chunk))


def _bits(buffer: pa.Buffer, offset: int, length: int) -> Bools:
    """Bits offset ... offset + length - 1, the lowest of each byte first."""
    if not length:
        return np.zeros(0, np.bool_)
    first = offset // 8
    packed = np.frombuffer(buffer, np.uint8, (offset + length + 7) // 8 - first, first)
    return np.unpackbits(packed, bitorder="little")[offset % 8 : offset % 8 + length].astype(np.bool_)


def is_list(column: pa.ChunkedArray) -> bool:
    """Whether each value of a column is a list."""
    kinds = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(of(column.type) for of in kinds)


def lists(column: pa.ChunkedArray) -> tuple[Ints, pa.ChunkedArray]:
    """A column of lists: how long each is [rows], -1 where it is null, and the values of all, one list after the other,
    as a column.
    """
    inside = column.type.value_type
    column = column.cast(pa.large_list(inside))
    lengths = [np.where(_valid(chunk), np.diff(_offsets(chunk)), -1) for chunk in column.chunks]
    flat = pa.chunked_array([chunk.flatten() for chunk in column.chunks], inside)
    return np.concatenate([np.zeros(0, np.int64), *lengths]), flat


def _offsets(chunk: pa.Array) -> Ints:
    """Where the lists of a chunk begin and the last one ends: [rows + 1]."""
    return np.frombuffer(chunk.buffers()[1], np.int64, len(chunk) + 1, chunk.offset * 8)
