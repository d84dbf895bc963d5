"""Types that databases have and tables have not: exact numbers, unique ids and JSON, as numbers and texts."""

from __future__ import annotations

import uuid

import numpy as np
import pyarrow as pa

from rnncli.data.writers.table import text_array


def as_cells(table: pa.Table) -> pa.Table:
    """The table without types of a database's own: exact numbers are float64, ids and JSON are texts."""
    for place, field in enumerate(table.schema):
        if isinstance(field.type, pa.BaseExtensionType):
            chunks = [_plain(chunk, str(field.type)) for chunk in table.column(place).chunks]
            kind = _kind(field.type)
            table = table.set_column(place, field.name, pa.chunked_array(chunks, kind))
    return table.replace_schema_metadata(None)


def _kind(kind: pa.BaseExtensionType) -> pa.DataType:
    if _is_number(str(kind)):
        return pa.float64()
    return pa.dictionary(pa.int32(), pa.string()) if "uuid" in str(kind) else kind.storage_type


def _is_number(kind: str) -> bool:
    return "type_name=numeric" in kind


def _plain(chunk: pa.ExtensionArray, kind: str) -> pa.Array:
    stored = chunk.storage
    if _is_number(kind):
        return stored.cast(pa.float64())
    if "uuid" not in kind:
        return stored
    coded = stored.dictionary_encode()
    texts = [str(uuid.UUID(bytes=value)) for value in coded.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(coded.indices, text_array(texts, np.arange(len(texts))))
