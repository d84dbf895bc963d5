"""A program that torchrun starts: it trains on every task and tells what it saw, as JSON lines, one a training.

    together.py FOLDER [TASK ...]

Of several processes the first one writes to FOLDER/told.jsonl, and each of the others to FOLDER/told.RANK.jsonl.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

import rnncli
from rnncli.training.events import Evaluated, Stepped

SERIES, ROWS, GRID = 9, 40, 4


def forecasts() -> dict[str, Any]:
    """Counts with gaps, so that shares of a batch have other numbers of known answers, and with noise that is drawn."""
    rng = np.random.default_rng(1)
    value = rng.poisson(4 + 3 * np.sin(np.arange(SERIES * ROWS) / 3)).astype(float)
    value[rng.random(len(value)) < 0.2] = np.nan
    value[:25] = np.nan
    ids = np.repeat([f"s{i}" for i in range(SERIES)], ROWS)
    return {"id": ids.tolist(), "day": np.tile(np.arange(ROWS), SERIES).tolist(), "sales": value.tolist()}


def labelled() -> dict[str, Any]:
    rng = np.random.default_rng(2)
    lengths = rng.integers(5, 14, 40)
    label = np.repeat(np.arange(40) % 2, lengths)
    x = rng.normal(size=lengths.sum()) + label
    step = np.concatenate([np.arange(n) for n in lengths])
    ids = np.repeat([f"s{i}" for i in range(40)], lengths)
    kind = np.where(label, "up", "down")
    return {"id": ids.tolist(), "step": step.tolist(), "x": x.tolist(), "kind": kind.tolist()}


def words(column: str) -> dict[str, Any]:
    rng = np.random.default_rng(3)
    token = np.array(["a b", "b", "c a", "d"] if column == "basket" else ["a", "b", "c", "d"])
    said = token[(np.arange(240) + (rng.random(240) < 0.2)) % 4]
    ids = np.repeat([f"d{i}" for i in range(12)], 20)
    return {"id": ids.tolist(), "step": np.tile(np.arange(20), 12).tolist(), column: said.tolist()}


def frames() -> dict[str, Any]:
    rng = np.random.default_rng(4)
    moved = [np.roll(rng.random((GRID, GRID)), t, axis=1).ravel().tolist() for _ in range(6) for t in range(9)]
    ids = np.repeat([f"f{i}" for i in range(6)], 9)
    return {"id": ids.tolist(), "step": np.tile(np.arange(9), 6).tolist(), "frame": moved}


NETWORK: dict[str, Any] = {"hidden": 8, "dropout": 0.2, "recurrent_dropout": 0.1, "steps": 12, "batch": 5}
OWN: dict[str, dict[str, Any]] = {
    "forecast": {"horizon": 3, "layers": 2, "members": 2, "quantiles": [0.1, 0.9]},
    "stretches": {"horizon": 3, "tbptt": 6},
    "labels": {"label": "kind"},
    "steps": {"label": "kind", "per_step": True, "online": True, "tbptt": 4},
    "tokens": {"token": "word", "tbptt": 6},
    "sets": {"token": "basket", "set_separator": " "},
    "frames": {"frame": "frame", "grid": (GRID, GRID), "cell": "conv:3:gru", "horizon": 1, "context": 3},
}
DATA = {
    "forecast": forecasts,
    "stretches": forecasts,
    "labels": labelled,
    "steps": labelled,
    "tokens": lambda: words("word"),
    "sets": lambda: words("basket"),
    "frames": frames,
}


def main(folder: str, *tasks: str) -> None:
    import pyarrow as pa

    rank = os.environ.get("RANK", "0")
    told = Path(folder) / ("told.jsonl" if rank == "0" else f"told.{rank}.jsonl")
    for task in tasks or tuple(OWN):
        losses, scores = list[float](), list[float]()

        def listen(event: object) -> None:
            losses.extend([event.loss] if isinstance(event, Stepped) else [])  # noqa: B023
            scores.extend([event.score] if isinstance(event, Evaluated) else [])  # noqa: B023

        own = {**NETWORK, "threads": 1, "fresh": True, **OWN[task]}
        made = rnncli.train(pa.table(DATA[task]()), output=Path(folder) / f"{task}.safetensors", on_event=listen, **own)
        weights = {name: np.asarray(w, float).ravel().tolist() for name, w in made.model.weights.items()}
        record = {"task": task, "losses": losses, "scores": scores, "weights": weights, "output": made.output}
        with told.open("a") as file:
            file.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
