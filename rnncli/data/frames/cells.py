"""Frames in the cells of a column: bytes of one length, or lists of numbers, which may be rows of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rnncli.arrays import Bools, Floats
from rnncli.data.arrow import observed
from rnncli.data.frames.block import Stored
from rnncli.data.frames.pixels import checked_grid, grid_of, refuse_unusable, type_of_bytes
from rnncli.data.frames.room import room
from rnncli.data.readers.table import column_pieces
from rnncli.data.source import Source
from rnncli.data.tables import Tables
from rnncli.errors import InputRefused
from rnncli.spec import FRAME_TYPES, FrameChoices

BYTES, LISTS = "bytes", "lists"  # what cells are
_PNG = b"\x89PNG"


@dataclass(frozen=True)
class Cells:
    """`stored` [frames, height, width, channels] of the rows [rows] that are `there`, and what the cells were."""

    stored: Stored
    there: Bools
    form: str

    @property
    def places(self) -> Floats:
        """The row of `stored` for each row of the tables; NaN where that has no frame."""
        return np.where(self.there, np.cumsum(self.there) - 1.0, np.nan)


def holds_cells(kind: pa.DataType) -> bool:
    """Whether cells of an Arrow type can be frames."""
    return _is_bytes(kind) or _is_list(kind)


def read_cells(tables: Tables, name: str, frames: FrameChoices) -> Cells:
    """The frames of a column, in the order of the rows of all tables, a piece of them at a time.

    InputRefused where they differ in size or fit no grid.
    """
    filling = _Filling(name, frames, tables.rows)
    for source, opened in zip(tables.sources, tables.opened, strict=True):
        for piece in column_pieces(opened, name):
            filling.add(piece, source)
    return filling.done(tables.name)


def first_cell(tables: Tables, name: str) -> Any:
    """The first cell of a column that is there: bytes, a list, or something else. InputRefused if there is none."""
    for opened in tables.opened:
        for piece in column_pieces(opened, name):
            known = piece.drop_null()
            if len(known):
                return known[0].as_py()
    raise InputRefused(f"there is nothing in column {name!r}", where=tables.name, hint="name another")


class _Filling:
    """The block, as pieces of a column come; its first frame says what all others are."""

    def __init__(self, name: str, frames: FrameChoices, rows: int) -> None:
        self.name, self.frames, self.rows = name, frames, rows
        self.stored: Stored | None = None
        self.form = BYTES
        self.there: list[Bools] = []
        self.filled = 0

    def add(self, piece: pa.Array, source: Source) -> None:
        """Copy the frames of some rows to their place."""
        found = observed(pa.chunked_array([piece]))
        row = sum(map(len, self.there))
        self.there.append(found)
        cells = piece.drop_null() if piece.null_count else piece
        if not len(cells):
            return
        numbers, shape = self._numbers(cells, source, row + np.flatnonzero(found))
        if self.stored is None:
            self.stored = self._begun(numbers, shape, source)
        if numbers.shape[1] * numbers.itemsize != self.stored[0].nbytes or (shape and shape != self._shape(shape)):
            raise self._differing(numbers, shape, source)
        self.stored[self.filled : self.filled + len(cells)] = numbers.reshape(-1, *self.stored.shape[1:])
        self.filled += len(cells)

    def _shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        assert self.stored is not None
        return self.stored.shape[1 : 1 + len(shape)]

    def _begun(self, numbers: Stored, shape: tuple[int, ...], source: Source) -> Stored:
        grid = checked_grid(shape, self.frames, source.name) if shape else self._grid(numbers, source)
        return room((self.rows, *grid), numbers.dtype)

    def _grid(self, numbers: Stored, source: Source) -> tuple[int, int, int]:
        bytes_each = self.form == BYTES and numbers.itemsize > 1
        what = f"numbers of {numbers.itemsize} bytes" if bytes_each else "bytes" if self.form == BYTES else "numbers"
        return grid_of(numbers.shape[1], self.frames, source.name, what)

    def _numbers(self, cells: pa.Array, source: Source, rows: NDArray[Any]) -> tuple[Stored, tuple[int, ...]]:
        """The numbers of cells [n, numbers], and the shape of each where it has one of itself."""
        if _is_list(cells.type):
            self.form = LISTS
            values, sizes = _unnested(cells, source, self.name, rows)
            refuse_unusable(values.dtype, source.name)
            kind = self.frames.frame_dtype
            values = values if kind is None else _as_type(values, np.dtype(FRAME_TYPES[kind]), source)
            return values.reshape(len(cells), -1), sizes if len(sizes) > 1 else ()
        if not _is_bytes(cells.type):
            raise InputRefused(
                f"column {self.name!r} holds values of type {cells.type}, which are no frames",
                where=source.name,
                hint="a frame is bytes, a list of numbers, or columns of pixels: --frame 'p*'",
            )
        found = _bytes(cells, source, rows)
        if found[0, : len(_PNG)].tobytes() == _PNG:
            raise InputRefused(
                f"the cells of column {self.name!r} are PNG files, not pixels",
                where=source.name,
                hint="write them as files, a folder of PNG for each sequence",
            )
        return self._typed(found, source), ()

    def _typed(self, found: NDArray[np.uint8], source: Source) -> Stored:
        size = found.shape[1]
        kind = type_of_bytes(size, self.frames, source.name) if self.stored is None else self.stored.dtype
        if size % kind.itemsize:
            raise InputRefused(
                f"a frame has {size:,} bytes, which are no whole number of {kind.name}",
                where=source.name,
                hint="say what they are: --frame-dtype",
            )
        return found.view(kind)

    def _differing(self, numbers: Stored, shape: tuple[int, ...], source: Source) -> InputRefused:
        assert self.stored is not None
        first = "x".join(map(str, self._shape(shape))) if shape else f"{self.stored[0].size:,} numbers"
        then = "x".join(map(str, shape)) if shape else f"{numbers.shape[1]:,}"
        return InputRefused(
            f"frames differ in size: after frames of {first} come some of {then}",
            where=source.name,
            hint="give frames of one size at a time",
        )

    def done(self, where: str) -> Cells:
        """All frames. InputRefused if there is none."""
        if self.stored is None:
            raise InputRefused(f"there is no frame in column {self.name!r}", where=where, hint="name another: --frame")
        return Cells(self.stored[: self.filled], np.concatenate(self.there), self.form)


def _is_bytes(kind: pa.DataType) -> bool:
    types = pa.types
    kind = kind.value_type if types.is_dictionary(kind) else kind
    return bool(
        types.is_fixed_size_binary(kind)
        or types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_binary_view(kind)
    )


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _bytes(cells: pa.Array, source: Source, rows: NDArray[Any]) -> NDArray[np.uint8]:
    """The bytes of cells none of which is null [n, bytes]. InputRefused where they are not as many in each."""
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    if pa.types.is_fixed_size_binary(cells.type):
        width = cells.type.byte_width
        return np.frombuffer(cells.buffers()[1], np.uint8, len(cells) * width, cells.offset * width).reshape(-1, width)
    if pa.types.is_binary_view(cells.type):
        cells = cells.cast(pa.binary())
    kind = np.dtype("i8" if pa.types.is_large_binary(cells.type) else "i4")
    ends = np.frombuffer(cells.buffers()[1], kind, len(cells) + 1, cells.offset * kind.itemsize)
    size = _equal(np.diff(ends), source, rows, "bytes")
    data = cells.buffers()[2]
    found = np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
    return found[ends[0] : ends[-1]].reshape(-1, size)


def _equal(sizes: NDArray[Any], source: Source, rows: NDArray[Any], what: str) -> int:
    """The one size. InputRefused, with the row, where one differs."""
    odd = np.flatnonzero(sizes != sizes[0])
    if odd.size:
        row = int(rows[odd[0] * len(rows) // len(sizes)]) + 1
        raise InputRefused(
            f"frames differ in size: row {row:,} has {int(sizes[odd[0]]):,}, the first one {int(sizes[0]):,} {what}",
            where=source.name,
            hint="give frames of one size at a time",
        )
    if not sizes[0]:
        raise InputRefused("frames are empty", where=source.name, hint="a frame has a pixel at least")
    return int(sizes[0])


def _unnested(cells: pa.Array, source: Source, name: str, rows: NDArray[Any]) -> tuple[NDArray[Any], tuple[int, ...]]:
    """The numbers in lists, or lists of lists, one after the other, and how many each list holds, from outside in."""
    sizes: list[int] = []
    while _is_list(cells.type):
        sizes.append(_length(cells, source, rows))
        cells = cells.flatten()
        if cells.null_count:
            raise InputRefused(
                f"a frame in column {name!r} has pixels that are null",
                where=source.name,
                hint="write a number in their place, and say it: --frame-missing",
            )
    if len(sizes) > 3 or not (pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type)):
        raise InputRefused(
            f"column {name!r} holds lists of {cells.type}, which are no frames",
            where=source.name,
            hint="a frame is a list of numbers, or of rows of numbers",
        )
    kind = np.dtype(str(cells.type)) if pa.types.is_integer(cells.type) else np.dtype(f"f{cells.type.bit_width // 8}")
    return np.frombuffer(cells.buffers()[1], kind, len(cells), cells.offset * kind.itemsize), tuple(sizes)


def _length(cells: pa.Array, source: Source, rows: NDArray[Any]) -> int:
    if pa.types.is_fixed_size_list(cells.type):
        return int(cells.type.list_size)
    offsets = cells.offsets
    kind = np.dtype(str(offsets.type))
    ends = np.frombuffer(offsets.buffers()[1], kind, len(offsets), offsets.offset * kind.itemsize)
    return _equal(np.diff(ends), source, rows, "numbers")


def _as_type(values: NDArray[Any], kind: np.dtype[Any], source: Source) -> NDArray[Any]:
    """Numbers in another type. InputRefused where it cannot hold them."""
    with np.errstate(over="ignore", invalid="ignore"):
        found = values.astype(kind)
    lost = found.astype(np.float64) != values if kind.kind in "iu" else np.isinf(found) & np.isfinite(values)
    if lost.any():
        raise InputRefused(
            f"a pixel is {values[lost][0]}, which {kind.name} cannot hold",
            where=source.name,
            hint="leave --frame-dtype out: numbers keep their type",
        )
    return found
