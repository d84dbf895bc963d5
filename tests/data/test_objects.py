"""Tables that come as objects are read, or refused with what to give instead."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from rnncli.data.load import load_panel
from rnncli.errors import InputRefused, UsageError

DAYS = pd.date_range("2024-01-01", periods=30)
FRAME = pd.DataFrame({"ds": DAYS, "y": np.arange(30.0)})
PERIODS = pd.period_range("2024-01-01", periods=30, freq="D")


@pytest.mark.parametrize(
    "table",
    [
        FRAME,
        pa.table(FRAME),
        pa.RecordBatch.from_pandas(FRAME),
        FRAME.set_index("ds"),
        FRAME.set_index("ds").rename_axis(None),
        FRAME[FRAME.y >= 0].sort_values("y"),
        FRAME.set_index("ds").y.reset_index(),
        FRAME.assign(ds=PERIODS).assign(ds=lambda frame: frame["ds"].dt.to_timestamp()),
        FRAME.set_index(PERIODS).y.to_timestamp().reset_index(),
    ],
)
def test_a_table_is_read_whatever_library_it_is_of(table: Any) -> None:
    panel = load_panel(table).panel
    assert panel.values[:, 0].tolist() == FRAME.y.tolist()


@pytest.mark.parametrize(
    ("given", "says", "hint"),
    [
        (FRAME.y, "data cannot be a Series", "series.reset_index()"),
        (FRAME.set_index("ds").y, "data cannot be a Series", "series.reset_index()"),
        (FRAME.set_index(PERIODS).y, "data cannot be a Series", "series.to_timestamp().reset_index()"),
        ([1.5, 2.5], "data cannot be a float", "times beside them"),
        (np.arange(5.0), "data cannot be a ndarray", "times beside them"),
        (pa.array([1.5]), "data cannot be a", "Arrow stream interface"),
        (pa.chunked_array([[1.5]]), "data cannot be a ChunkedArray", "Arrow stream interface"),
        ({"ds": [1], "y": [2.0]}, "data cannot be a dict", "pyarrow.table(data)"),
        (io.BytesIO(b"ds,y\n"), "data cannot be a BytesIO", "the path of the file"),
        (None, "data cannot be None", "give a path"),
        (5, "data cannot be an int", "times beside them"),
        (b"a.csv", "data cannot be a bytes", "give a path"),
    ],
)
def test_what_is_no_table_is_refused_with_what_to_give(given: Any, says: str, hint: str) -> None:
    with pytest.raises(UsageError, match=says) as error:
        load_panel(given)
    assert hint in error.value.hint


@pytest.mark.parametrize(
    ("table", "says", "hint"),
    [
        (pd.DataFrame([[DAYS[0], 2.0, 3.0]], columns=["ds", "y", "y"]), "two columns are called 'y'", "rename"),
        (FRAME.assign(y=[1, "a", 2.5] * 10), "column 'y' holds values of several kinds", "astype(float)"),
        (FRAME.assign(y=[object()] * 30), "column 'y' holds values of several kinds", "leave the column out"),
        (FRAME.assign(y=[1j] * 30), "column 'y' holds values of several kinds", "convert it"),
        (FRAME.assign(ds=PERIODS), "column 'ds' holds periods", "dt.to_timestamp()"),
        (FRAME.set_index(PERIODS)[["y"]], "the index holds periods", "frame.to_timestamp()"),
        (pd.DataFrame(), "the table has no columns", "give rows"),
        (pd.DataFrame(np.ones((9, 2)) / 3), "no column looks like a time", "the columns are 0, 1"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_by_its_column(table: Any, says: str, hint: str) -> None:
    with pytest.raises(InputRefused, match=says) as error:
        load_panel(table)
    assert hint in error.value.hint
    assert error.value.where == "the table"


def test_an_object_that_fails_at_its_own_is_refused() -> None:
    class Broken:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            raise ValueError("it is closed")

    with pytest.raises(InputRefused, match="it cannot be read: it is closed"):
        load_panel(Broken())
