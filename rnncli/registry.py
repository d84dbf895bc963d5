"""Names a user may type, and the object each stands for: one line to add one.

Objects are named as "module:object" and imported on first use, so that listing names costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from rnncli.errors import UsageError

CELLS = {
    "rnn": "rnncli.cells.rnn:CELL",
    "lstm": "rnncli.cells.lstm:CELL",
    "gru": "rnncli.cells.gru:CELL",
}
TASKS = {
    "forecast": "rnncli.inference.forecaster:TASK",
}
BASELINES = {
    "naive": "rnncli.baselines.naive:naive",
    "seasonal-naive": "rnncli.baselines.naive:seasonal_naive",
    "drift": "rnncli.baselines.naive:drift",
}
METRICS = {
    "mase": "rnncli.metrics.point:MASE",
    "wql": "rnncli.metrics.quantile:WQL",
    "smape": "rnncli.metrics.point:SMAPE",
    "rmsse": "rnncli.metrics.point:RMSSE",
    "mae": "rnncli.metrics.point:MAE",
    "rmse": "rnncli.metrics.point:RMSE",
    "msis": "rnncli.metrics.quantile:MSIS",
    "coverage": "rnncli.metrics.quantile:COVERAGE",
}
READERS = {
    "csv": "rnncli.data.readers.csv:read",
    "tsv": "rnncli.data.readers.csv:read_tsv",
    "parquet": "rnncli.data.readers.parquet:read",
}
WRITERS = {
    "csv": "rnncli.data.writers.csv:encode",
    "parquet": "rnncli.data.writers.parquet:encode",
    "jsonl": "rnncli.data.writers.jsonl:encode",
}


def find(table: dict[str, str], name: str, kind: str) -> Any:
    """The object registered under `name`; UsageError with the known names if there is none."""
    try:
        module, _, attribute = table[name].partition(":")
    except KeyError:
        raise UsageError(f"there is no {kind} called {name!r}", hint=f"choose from: {', '.join(table)}") from None
    return getattr(import_module(module), attribute)
