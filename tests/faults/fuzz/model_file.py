"""Fuzz the loader of model files, and the same bytes signed again so that a fitting digest stops nothing.

Run: python model_file.py FOLDER_OF_SEEDS -max_total_time=60. Only RnncliError may escape.
"""

from __future__ import annotations

import contextlib
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["rnncli"]):
    import numpy as np

    from rnncli.data.panel import Panel
    from rnncli.errors import RnncliError
    from rnncli.tasks.forecast.forecaster import Forecaster
    from rnncli.workflows.info import info

import signing

FILE = Path(tempfile.mkdtemp()) / "fuzzed.safetensors"
ROWS = 600
HOSTILE: tuple[Any, ...] = (
    *(None, True, 0, 1, 2, 3, 7, -1, 0.5, -0.5, 1e-300, 1e300, 2**31, 2**53, 2**62, 2**63, 10**9, 10**400),
    *("", "x", "\ud800", "\0", "%", "%Y%s%Q", "log", "identity", "relu", "lstm", "gru", "rnn", "month", "step"),
    *("UTC", "../../etc/passwd", "Europe/Berlin", "+99:99", "text", "integer", "timestamp[ns]", "date32[day]"),
    *([], [[]], {}, {"": 1}, [0], [1], [0.5], [0.5, 0.5], [1, 1], [7, 365], ["co2"], {"a": {"mase": 1.0}}),
)


def load(data: bytes) -> None:
    """Load, describe and forecast, or refuse."""
    FILE.write_bytes(data)
    with contextlib.suppress(RnncliError):
        found = info(FILE)
        _ = found.facts, found.to_json()
        found.model.quantiles(panel(found.model))


def panel(model: Forecaster) -> Panel:
    """One series of waves that has every channel of the model."""
    channels = (model.columns.target, *(covariate.name for covariate in model.spec.covariates))
    wave = 20 + 5 * np.sin(np.arange(ROWS) / 7)
    values = np.stack([wave] * len(channels), axis=1)
    one, offsets = np.zeros(1, np.int64), np.array([0, ROWS])
    return Panel(("a",), offsets, values, one, one, model.calendar, channels)


def run(data: bytes) -> None:
    """One input."""
    load(data)
    try:
        again = signing.signed(*signing.opened(data))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return
    load(again)


def mutate(data: bytes, most: int, seed: int) -> bytes:
    """Half of the time one value of the description or the table of tensors becomes another; else bits do."""
    chance = random.Random(seed)
    try:
        document, table, body = signing.opened(data)
        chosen = list(places(document if chance.random() < 0.9 else table))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        chosen = []
    if not chosen or chance.random() < 0.5:
        return atheris.Mutate(data, most)
    place, key = chance.choice(chosen)
    place[key] = chance.choice(HOSTILE)
    return signing.signed(document, table, body)[:most]


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) in a JSON value."""
    if isinstance(value, (dict, list)):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from places(value[key])


if __name__ == "__main__":
    atheris.Setup(sys.argv, run, custom_mutator=mutate)
    atheris.Fuzz()
