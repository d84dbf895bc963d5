"""The types of Spark's columns that Arrow's become."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from rnncli.errors import RnncliError

_PLAIN = {
    "string": "StringType",
    "large_string": "StringType",
    "double": "DoubleType",
    "int8": "ByteType",
    "int16": "ShortType",
    "int32": "IntegerType",
    "int64": "LongType",
    "binary": "BinaryType",
    "date32[day]": "DateType",
}


def schema_of(schema: pa.Schema) -> Any:
    """The schema of a frame with these columns; RnncliError for a type that no forecast has."""
    from pyspark.sql.types import StructField, StructType

    return StructType([StructField(column.name, _type_of(column.type)) for column in schema])


def _type_of(kind: pa.DataType) -> Any:
    from pyspark.sql import types

    if pa.types.is_timestamp(kind):
        return types.TimestampNTZType() if kind.tz is None else types.TimestampType()
    if str(kind) not in _PLAIN:
        raise RnncliError(f"a column of type {kind} has no type in Spark")
    return getattr(types, _PLAIN[str(kind)])()
