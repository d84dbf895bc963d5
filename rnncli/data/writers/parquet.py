"""Tables as Parquet: the types that the data came in, zstd, a checksum on every page."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from rnncli.data.writers.bytes_made import Bytes
from rnncli.data.writers.results import Results, Style, rounded


def encode(results: Results, style: Style) -> Iterator[bytes]:
    """The Parquet file, each part of the rows a group of them or more."""
    from pyarrow import parquet

    made, writer = Bytes(), None
    for part in results.typed():
        if writer is None:
            writer = parquet.ParquetWriter(
                pa.PythonFile(made, "w"), part.schema, compression="zstd", write_page_checksum=True
            )
        writer.write_table(rounded(part, style.digits))
        yield made.taken()
    assert writer is not None
    writer.close()
    yield made.taken()
