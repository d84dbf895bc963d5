"""Parquet and compressed files, damaged, hostile or odd: name -> (file name, bytes, further arguments)."""

from __future__ import annotations

import bz2
import functools
import gzip
import io
import json
import lzma
from typing import Any

import frames
import numpy as np
import pyarrow as pa
import sources
import tables
from pyarrow import parquet

Cases = tables.Cases

TIMES = np.arange("2024-01-01", "2024-01-13", dtype="datetime64[D]").astype("datetime64[us]")
VALUES = np.arange(12.0)


def packed(table: pa.Table, **settings: Any) -> bytes:
    """The bytes of a Parquet file."""
    sink = io.BytesIO()
    parquet.write_table(table, sink, **settings)
    return sink.getvalue()


def good(**more: Any) -> pa.Table:
    """Twelve days, and further columns."""
    return pa.table({"ds": TIMES, "y": VALUES, **more})


def damaged() -> Cases:
    """A good file with bytes changed, cut off or added."""
    whole = packed(good(), write_page_checksum=True)
    footer = int.from_bytes(whole[-8:-4], "little")
    page = whole.index(b"\x15\x00") if b"\x15\x00" in whole[:64] else 4
    flipped = bytearray(whole)
    flipped[page + 40] ^= 0x55
    files = {
        "empty": b"",
        "four bytes": b"PAR1",
        "eight bytes": b"PAR1PAR1",
        "zeros between magics": b"PAR1" + bytes(100) + b"PAR1",
        "cut in half": whole[: len(whole) // 2],
        "without its last byte": whole[:-1],
        "without its first byte": whole[1:],
        "without its footer": whole[: -8 - footer] + whole[-8:],
        "a byte too many": whole + b"\0",
        "footer longer than the file": whole[:-8] + (2**31 - 1).to_bytes(4, "little") + b"PAR1",
        "footer of no bytes": whole[:-8] + bytes(4) + b"PAR1",
        "footer of ff": whole[: -8 - footer] + b"\xff" * footer + whole[-8:],
        "a bit of a page": bytes(flipped),
        "encrypted footer": b"PARE" + whole[4:-4] + b"PARE",
        "a CSV file": tables.GOOD,
        "twice": whole + whole[:-4],
    }
    return {f"parquet {name}": ("data.parquet", data, ()) for name, data in files.items()}


def odd() -> Cases:
    """Sound files whose columns are not what is needed."""
    nested = pa.array([{"a": 1}] * 12)
    lists = pa.array([[1.0, 2.0]] * 12)
    extension = pa.ExtensionArray.from_storage(
        pa.uuid(), pa.array([bytes([place] * 16) for place in range(12)], pa.binary(16))
    )
    files = {
        "no rows": packed(good().slice(0, 0)),
        "no columns": packed(pa.table({})),
        "all null": packed(pa.table({"ds": TIMES, "y": pa.nulls(12)})),
        "null times": packed(pa.table({"ds": pa.nulls(12, pa.timestamp("us")), "y": VALUES})),
        "one null time": packed(
            pa.table({"ds": pa.array([None, *TIMES[1:].tolist()], pa.timestamp("us")), "y": VALUES})
        ),
        "nested target": packed(pa.table({"ds": TIMES, "y": nested})),
        "list target": packed(pa.table({"ds": TIMES, "y": lists})),
        "binary target": packed(pa.table({"ds": TIMES, "y": pa.array([b"\xff"] * 12)})),
        "extension target": packed(pa.table({"ds": TIMES, "y": extension})),
        "infinite value": packed(pa.table({"ds": TIMES, "y": np.where(VALUES == 3, np.inf, VALUES)})),
        "time of day": packed(pa.table({"ds": pa.array(np.arange(12), pa.time64("us")), "y": VALUES})),
        "duration": packed(pa.table({"ds": pa.array(np.arange(12), pa.duration("us")), "y": VALUES})),
        "columns of one name": packed(
            pa.Table.from_arrays([pa.array(TIMES), pa.array(VALUES), pa.array(VALUES)], ["ds", "y", "y"])
        ),
        "zone that does not exist": packed(
            pa.table({"ds": pa.array(TIMES).cast(pa.timestamp("us", "Europe/Atlantis")), "y": VALUES})
        ),
    }
    found = {f"parquet {name}": ("data.parquet", data, ()) for name, data in files.items()}
    for name, meta in {
        "broken": b"{not json",
        "a range of a trillion rows": json.dumps(
            {"index_columns": [{"kind": "range", "start": 0, "stop": 10**12, "step": 1}], "columns": []}
        ).encode(),
    }.items():
        table = pa.table({"ds": TIMES, "y": pa.array(["x"] * 12)}).replace_schema_metadata({b"pandas": meta})
        found[f"parquet pandas metadata {name}"] = ("data.parquet", packed(table), ())
    return found


def compressed() -> Cases:
    """Files that say they are compressed, or are without saying so."""
    plain = tables.GOOD
    zipped, frozen = gzip.compress(plain, mtime=0), pa.compress(plain, "zstd", asbytes=True)
    flipped = bytearray(zipped)
    flipped[len(zipped) // 2] ^= 0x10
    bomb = gzip.compress(b"ds,y\n" + b"2024-01-01,1\n" * 8_000_000, 1, mtime=0)
    blanks = pa.compress(b"ds,y\n" + b"\n" * (200 << 20), "zstd", asbytes=True)
    line = pa.compress(b"ds,y\n2024-01-01," + b"1" * (200 << 20), "zstd", asbytes=True)
    files: dict[str, tuple[str, bytes, tuple[str, ...]]] = {
        "gzip cut off": ("data.csv.gz", zipped[:-12], ()),
        "gzip of nothing": ("data.csv.gz", gzip.compress(b"", mtime=0), ()),
        "gzip header alone": ("data.csv.gz", zipped[:10], ()),
        "gzip with a bit changed": ("data.csv.gz", bytes(flipped), ()),
        "gzip with rubbish behind": ("data.csv.gz", zipped + b"rubbish", ()),
        "gzip of gzip": ("data.csv.gz", gzip.compress(zipped, mtime=0), ()),
        "gzip bomb": ("data.csv.gz", bomb, ("--max-rows", "1000000")),
        "gzip bomb by bytes": ("data.csv.gz", bomb, ("--max-bytes", "20M")),
        "zstd cut off": ("data.csv.zst", frozen[:-6], ()),
        "zstd with rubbish behind": ("data.csv.zst", frozen + b"rubbish", ()),
        "zstd magic alone": ("data.csv.zst", frozen[:4], ()),
        "zstd of one line": ("data.csv.zst", line, ()),
        "zstd of blank lines": ("data.csv.zst", blanks, ()),
        "zstd bomb by bytes": ("data.csv.zst", blanks, ("--max-bytes", "1M")),
        "bzip2 called csv": ("data.csv", bz2.compress(plain), ()),
        "xz called csv": ("data.csv", lzma.compress(plain), ()),
        "bzip2": ("data.csv.bz2", bz2.compress(plain), ()),
        "a suffix that says nothing": ("data.dat", plain, ()),
        "no suffix": ("data", plain, ()),
        "an excel suffix": ("data.xlsx", plain, ()),
        "parquet within gzip": ("data.parquet", gzip.compress(packed(good()), mtime=0), ()),
        "parquet called csv": ("data.csv", packed(good()), ()),
        "too many rows": ("data.csv", plain, ("--max-rows", "11")),
        "too many bytes": ("data.parquet", packed(good()), ("--max-bytes", "100")),
        "too many columns": ("data.csv", plain, ("--max-columns", "1")),
    }
    return files


MAKERS = (damaged, odd, compressed)


@functools.cache
def all_cases() -> Cases:
    """Every hostile file, of tables.py too, made once: some are hundreds of megabytes before they are compressed."""
    makers = (*tables.MAKERS, *MAKERS, *frames.MAKERS, *sources.MAKERS)
    return {name: case for make in makers for name, case in make().items()}
