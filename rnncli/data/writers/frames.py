"""Frames as cells of a table, in the encoding in which they came, as columns of pixels, or as a file of NumPy."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa

from rnncli.data.frames.block import Stored
from rnncli.data.writers.table import number_array

WILD = "*"  # in the pattern of columns that are pixels


def frame_cells(stored: Stored, form: str, name: str) -> dict[str, pa.Array]:
    """The columns that hold frames [n, height, width, channels]: one of bytes, or of lists; or one a pixel, as in CSV,
    where `form` is neither.
    """
    flat = np.ascontiguousarray(stored).reshape(len(stored), -1)
    if form == "bytes":
        size = flat.shape[1] * flat.itemsize
        return {name: pa.Array.from_buffers(pa.binary(size), len(flat), [None, pa.py_buffer(flat.reshape(-1))])}
    if form == "lists":
        numbers = number_array(_native(flat.reshape(-1)), pa.from_numpy_dtype(flat.dtype.newbyteorder("=")))
        return {name: pa.FixedSizeListArray.from_arrays(numbers, flat.shape[1])}
    return pixel_columns(stored, name)


def pixel_columns(stored: Stored, name: str) -> dict[str, pa.Array]:
    """Frames [n, height, width, channels] as a column for each of their numbers: name0, name1, ... or, where the name
    is a pattern, these numbers in the place of its *.
    """
    flat = _native(stored.reshape(len(stored), -1))
    kind = pa.from_numpy_dtype(flat.dtype)
    pattern = name if WILD in name else name + WILD
    return {
        pattern.replace(WILD, str(place)): number_array(np.ascontiguousarray(flat[:, place]), kind)
        for place in range(flat.shape[1])
    }


def npy(stored: Stored) -> bytes:
    """Frames of sequences [n, time, height, width, channels] as an array file: of one sequence [time, height, width],
    of several with a first axis for them; channels last if there are several.
    """
    frames = stored[..., 0] if stored.shape[-1] == 1 else stored
    file = io.BytesIO()
    np.save(file, frames[0] if len(frames) == 1 else frames, allow_pickle=False)
    return file.getvalue()


def _native(values: Stored) -> Stored:
    """Numbers in the machine's own order of bytes, and truth as 0 and 1."""
    kind = np.dtype(np.uint8) if values.dtype.kind == "b" else values.dtype.newbyteorder("=")
    return values.astype(kind, copy=False)
