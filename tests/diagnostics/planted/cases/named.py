"""Faults that had no name: what training does with its steps, what cannot reach far enough, and what is there twice."""

from __future__ import annotations

from typing import Any

from planting import Case, Plant, Weights


def biased(place: int, value: float) -> Plant:
    """Set the bias of one gate of the first layer, the gates in the order of its weights."""

    def plant(weights: Weights) -> None:
        hidden = weights["head.weight_state"].shape[-1]
        weights["layer0.bias"][place * hidden : (place + 1) * hidden] = value

    return plant


def copied(values: Any, offsets: Any) -> None:
    """Every series but the first three is a copy of one of these."""
    lengths = offsets[1:] - offsets[:-1]
    for s in range(3, len(lengths)):
        values[offsets[s] : offsets[s + 1]] = values[offsets[s % 3] : offsets[s % 3] + lengths[s]]


CASES = [
    Case("a learning rate of 1e-7", ("small-updates",), "jobs", {"cell": "lstm,lstm", "learning_rate": 1e-7}),
    Case("a rate of 1e-8 for a GRU", ("small-updates",), "co2", {"cell": "gru", "learning_rate": 1e-8}),
    Case("a rate of 1e-7 from base", ("small-updates",), "bikes", {"learning_rate": 1e-7, "from_scratch": False}),
    Case("a clip of 1e-6", ("clip-small",), "jobs", {"cell": "lstm", "hidden": 32, "clip": 1e-6}),
    Case("a clip of 0.001 for a GRU", ("clip-small",), "bikes", {"cell": "gru", "clip": 1e-3}),
    Case("an update gate that never opens", ("held",), "bikes", {"cell": "gru"}, biased(1, 10.0)),
    Case("a forget gate that never closes", ("held",), "jobs", {"cell": "lstm", "hidden": 32}, biased(1, 10.0)),
    Case("gradients through 3 months", ("tbptt-short",), "jobs", {"tbptt": 3}),
    Case("gradients through 20 weeks", ("tbptt-short",), "co2", {"cell": "gru", "tbptt": 20}),
    Case("a state passed over 60 months", ("dilation-beyond",), "jobs", {"cell": "dilated:60:gru", "context": 48}),
    Case("copies of three series", ("repeated",), "jobs", {"cell": "lstm", "hidden": 32}, None, copied),
]
