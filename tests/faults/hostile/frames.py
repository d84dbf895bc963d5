"""Files and columns of frames, damaged, hostile or odd: name -> (file name, bytes, further arguments)."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import Any

import numpy as np
import pyarrow as pa
import tables
from pyarrow import parquet

Cases = tables.Cases
HUGE = "{'descr': '|u1', 'fortran_order': False, 'shape': (4611686018427387904, 4, 4)}"
COLUMN = ("--frame", "frame", "--grid", "4x4")
_CLIP = np.random.default_rng(0).integers(0, 255, (6, 4, 4)).astype(np.uint8)


def saved(array: Any, **settings: Any) -> bytes:
    """The bytes of a file of NumPy."""
    sink = io.BytesIO()
    np.save(sink, array, **settings)
    return sink.getvalue()


def headed(header: str, version: int = 1) -> bytes:
    """A file of NumPy of which the header says something."""
    text = header.encode() + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H", len(text)) + text + bytes(96)


def arrays() -> Cases:
    """Files of NumPy."""
    files = {
        "no array": b"hello",
        "array cut off": saved(_CLIP)[:-1],
        "array of objects": saved(np.array([{}]), allow_pickle=True),
        "array of texts": saved(np.array(["a"])),
        "array of complex numbers": saved(_CLIP.astype(np.complex64)),
        "array without frames": saved(_CLIP[:0]),
        "array of two axes": saved(_CLIP[0]),
        "array of four axes": saved(np.zeros((2, 3, 4, 5), np.uint8)),
        "array whose shape is computed": headed("{'descr': '|u1', 'fortran_order': False, 'shape': (1 << 60, 4, 4)}"),
        "array of a huge shape": headed(
            "{'descr': '|u1', 'fortran_order': False, 'shape': (4611686018427387904, 4, 4)}"
        ),
        "array whose header is a program": headed("__import__('os').system('touch /tmp/owned')"),
        "array of another version": headed("{}", version=9),
        "array with a pixel that is no number": saved(np.where(_CLIP[0, 0, 0] == _CLIP, np.nan, _CLIP)),
        "array with an infinite pixel": saved(np.where(_CLIP[0, 0, 0] == _CLIP, np.inf, _CLIP)),
        "array of one frame": saved(_CLIP[:1]),
    }
    return {name: ("data.npy", data, ()) for name, data in files.items()}


def archives() -> Cases:
    """Archives of NumPy."""

    def archive(**members: bytes) -> bytes:
        sink = io.BytesIO()
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as found:
            for name, data in members.items():
                found.writestr(f"{name}.npy", data)
        return sink.getvalue()

    claims = headed("{'descr': '|u1', 'fortran_order': False, 'shape': (9, 4, 4)}")
    files = {
        "no archive": b"PK\x03\x04 nothing",
        "archive without an array": archive(),
        "archive of two arrays": archive(x=saved(_CLIP), y=saved(_CLIP)),
        "archive whose array is smaller than it says": archive(x=claims),
        "archive of objects": archive(x=saved(np.array([[[{}]]]), allow_pickle=True)),
        "archive of no array": archive(x=b"hello"),
    }
    return {name: ("data.npz", data, ()) for name, data in files.items()}


def pictures() -> Cases:
    """Pictures, each alone."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    def png(width: int, height: int, depth: int = 8, colour: int = 0) -> bytes:
        head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
        body = zlib.compress(bytes((width + 1) * height) if width < 100 else b"")
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")

    files = {
        "no picture": b"hello",
        "picture cut off": png(4, 4)[:40],
        "picture larger than all memory": png(100_000, 100_000),
        "picture with a palette": png(4, 4, 8, 3),
        "picture alone": png(4, 4),
    }
    return {name: ("data.png", data, ()) for name, data in files.items()}


def cells() -> Cases:
    """Columns of tables."""

    def table(cells: Any, kind: pa.DataType | None = None, **more: Any) -> bytes:
        sink = io.BytesIO()
        parquet.write_table(pa.table({**more, "frame": pa.array(cells, kind)}), sink)
        return sink.getvalue()

    whole = [frame.tobytes() for frame in _CLIP]
    smooth = np.cumsum(np.random.default_rng(0).normal(size=(6, 16, 16)), axis=2)
    swapped = ((smooth - smooth.min()) / np.ptp(smooth) * 60_000).astype(">u2")
    files: dict[str, tuple[bytes, tuple[str, ...]]] = {
        "frames of differing sizes": (table([*whole, b"short"]), COLUMN),
        "frames of rows of differing sizes": (table([[[1, 2], [3, 4]], [[1, 2], [3]]]), COLUMN[:2]),
        "a grid that does not fit": (table(whole), (*COLUMN[:3], "4x5")),
        "frames without a grid": (table(whole), COLUMN[:2]),
        "a grid that is none": (table(whole), (*COLUMN[:3], "4 by 4")),
        "two bytes a pixel": (table([frame.astype("<u2").tobytes() for frame in _CLIP]), COLUMN),
        "bytes in the other order": (
            table([frame.tobytes() for frame in swapped]),
            (*COLUMN[:3], "16x16", "--frame-dtype", "uint16"),
        ),
        "frames that are all null": (table([None] * 6, pa.binary()), COLUMN),
        "frames that are pictures": (table([b"\x89PNG\r\n\x1a\n12345678"] * 6), COLUMN),
        "frames that are texts": (table(["a picture"] * 6), COLUMN),
        "frames with null pixels": (table([[1.0, None, 3.0, 4.0]] * 6), (*COLUMN[:3], "2x2")),
        "sequences of one frame": (table(whole, id=list("abcdef")), (*COLUMN, "--id", "id")),
        "two frames of one time": (table(whole, ds=[0, 1, 2, 2, 3, 4]), COLUMN),
        "a missing value that no pixel can be": (table(whole), (*COLUMN, "--frame-missing", "nan")),
        "a column of frames that is not there": (table(whole), ("--frame", "picture", "--grid", "4x4")),
        "floats with a pixel that is no number": (table(_floats("<f4")), (*COLUMN, "--frame-dtype", "float32")),
        "floats in the other order": (table(_floats(">f4", hole=False)), (*COLUMN, "--frame-dtype", "float32")),
        "lists with a pixel that is no number": (table([[1.0, 2.0, 3.0, np.nan]] * 6), (*COLUMN[:3], "2x2")),
        "maps on another grid": (table(whole, wind=[bytes(15)] * 6), (*COLUMN, "--past", "wind")),
        "maps of rows of another grid": (table(whole, wind=[[[1.0] * 5] * 4] * 6), (*COLUMN, "--future", "wind")),
        "maps of differing sizes": (table(whole, wind=[[1.0] * 16] * 5 + [[1.0]]), (*COLUMN, "--past", "wind")),
        "maps with infinite pixels": (table(whole, wind=[[np.inf] * 16] * 6), (*COLUMN, "--static", "wind")),
        "maps with null pixels": (table(whole, wind=[[None] * 16] * 6), (*COLUMN, "--past", "wind")),
        "maps that are all null": (table(whole, wind=pa.nulls(6, pa.binary())), (*COLUMN, "--past", "wind")),
        "maps that are texts": (table(whole, wind=["calm"] * 6), (*COLUMN, "--past", "wind")),
        "maps that are not there": (table(whole), (*COLUMN, "--past", "wind")),
        "maps that are the frames": (table(whole), (*COLUMN, "--past", "frame")),
    }
    return {name: ("data.parquet", data, more) for name, (data, more) in files.items()}


def _floats(kind: str, *, hole: bool = True) -> list[bytes]:
    """Frames of floats as bytes, with a pixel that is no number if there is to be a hole."""
    frames = np.linspace(1, 2, 96).reshape(6, 4, 4).astype(kind)
    frames[2, 1, 3] = np.nan if hole else 1
    return [frame.tobytes() for frame in frames]


MAKERS = (arrays, archives, pictures, cells)
