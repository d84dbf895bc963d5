"""Tables in Arrow's own format: a file, or a stream for another process."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from rnncli.data.writers.bytes_made import Bytes
from rnncli.data.writers.results import Results, Style, rounded


def encode(results: Results, style: Style) -> Iterator[bytes]:
    """The file, which version 2 of Feather is too, with the types that the data came in."""
    return _encoded(results, style, pa.ipc.new_file)


def encode_stream(results: Results, style: Style) -> Iterator[bytes]:
    """The stream, which a process can read while another writes it."""
    return _encoded(results, style, pa.ipc.new_stream)


def _encoded(results: Results, style: Style, begun: type[pa.ipc.RecordBatchStreamWriter]) -> Iterator[bytes]:
    made, writer = Bytes(), None
    for part in results.typed():
        writer = writer or begun(pa.PythonFile(made, "w"), part.schema)
        writer.write_table(rounded(part, style.digits))
        yield made.taken()
    assert writer is not None
    writer.close()
    yield made.taken()
