"""A model that knows how frames go on: specs, weights, and the next frames, in NumPy alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Array, Inputs, Ints
from rnncli.data.frames.known import KnownFrames
from rnncli.data.frames.rows import described
from rnncli.data.panel import Panel
from rnncli.layers.encoder import outputs
from rnncli.layers.linear import for_products
from rnncli.options.table import settled
from rnncli.outline import Outline, shown
from rnncli.spec import Columns, NetworkSpec, TrainingSpec
from rnncli.tasks.frames import head
from rnncli.tasks.frames.examples import Examples
from rnncli.tasks.frames.spec import QUANTILES, FrameSpec
from rnncli.tasks.seen import Seen, Weights, head_weights
from rnncli.tasks.trained_model import TrainedModel


@shown
@dataclass(frozen=True)
class FrameModel(TrainedModel[FrameSpec]):
    """A trained model: specs, weights [members, ...], what it knows of its data, the ids of the sequences that it
    learnt from, and the `mean` of their frames [height, width, channels], NaN where a pixel was never known. Where
    frames move, `shares` [horizon] are those of the network in an average with the last one, moved on.
    """

    of_task = "frames"
    network: NetworkSpec
    spec: FrameSpec
    training: TrainingSpec
    known: KnownFrames
    weights: dict[str, NDArray[np.float32]]
    names: tuple[str, ...]
    mean: Inputs
    record: dict[str, Any]
    shares: tuple[float, ...] = ()

    @property
    def columns(self) -> Columns:
        """What the columns of its data are."""
        return self.known.columns

    @property
    def series(self) -> int:
        """The number of sequences that it was trained on."""
        return len(self.names)

    def outline(self) -> Outline:
        """What the model is."""
        return Outline("Frame model", (("trained on", f"{len(self.names):,} sequences"), *self.facts()))

    def facts(self) -> tuple[tuple[str, str], ...]:
        """Pairs of a name and a line about the model, for people."""
        spec, training = self.spec, self.training
        return (
            ("frames", described(self.columns, self.known.choices)),
            ("forecast", f"the next {spec.horizon} after {spec.context}, {said(spec)}"),
            *([("average", _average(self.shares))] if self.shares else []),
            ("network", self.sizes()),
            ("grid", grid(spec)),
            ("training", f"{training.steps} steps, batch {training.batch}, seed {training.seed}"),
        )

    def described(self) -> dict[str, Any]:
        """The model described as JSON."""
        return {
            "columns": self.columns.to_json(),
            "choices": self.known.choices.to_json(),
            "network": self.network.to_json(),
            "frames": self.spec.to_json(),
            "training": self.training.to_json(),
        }

    def settings(self) -> dict[str, Any]:
        """The values that the model settles, by the names of the options that would set them."""
        return settled({"columns": self.columns, "frames": self.spec, "frame_choices": self.known.choices})

    @cached_property
    def members(self) -> tuple[dict[str, NDArray[np.float32]], ...]:
        """The weights of each member as products are fast with them."""
        every = range(self.network.members)
        return tuple({name: for_products(weight[one]) for name, weight in self.weights.items()} for one in every)

    def said(self, seen: Seen) -> Inputs:
        """What is said to some questions in the data's units, the mean of what the members say: [o, horizon, height,
        width, channels], with a last axis of quantiles where the model has levels.
        """
        total = np.zeros((), np.float32)
        for weights in self.members:
            own = head_weights(weights)
            state = head.read(outputs(self.network, weights, seen.inputs), seen)
            total = total + self._in_units(own, state, seen)
        return self._averaged(np.asarray(total / np.float32(self.network.members), np.float32), seen)

    def _averaged(self, said: Inputs, seen: Seen) -> Inputs:
        """What the network says, its median averaged with the last frame, moved on."""
        spec = self.spec
        if not self.shares:
            return said
        levels = spec.loss == QUANTILES
        moved = head.in_units(spec, seen.beside[head.BASE][:, -spec.horizon :], seen.units.get("size"))
        others = 1 - np.array(self.shares, np.float32).reshape(-1, 1, 1, 1)
        shift = others * (moved - (said[..., spec.median] if levels else said))
        found = said + (shift[..., None] if levels else shift)
        return np.asarray(found if spec.floor is None else np.maximum(found, spec.floor), np.float32)

    def _in_units(self, weights: Weights, state: Array, seen: Seen) -> Array:
        said = head.head(self.spec, weights, state, seen.beside, np)
        return head.in_units(self.spec, said, seen.units.get("size"))

    def forecasts(self, panel: Panel, series: Ints, rows: Ints) -> Iterator[Inputs]:
        """The next frames after the first rows[i] of each series[i], some questions at a time, in order: [some,
        horizon, height, width, channels], their medians where the model has levels. The answer to a question has the
        same bits alone and among others.
        """
        for found in self.quantiles(panel, series, rows):
            yield found[..., self.spec.median] if self.spec.loss == QUANTILES else found

    def quantiles(self, panel: Panel, series: Ints, rows: Ints) -> Iterator[Inputs]:
        """What `forecasts` says, with all levels of the model, if there are any, as a last axis."""
        for seen in Examples(panel, self.spec, panel.lengths).at(series, rows):
            yield self.said(seen)


def _average(shares: tuple[float, ...]) -> str:
    """The shares of an average, for people."""
    return (
        f"{shares[0]:.0%} network at lead 1, {shares[-1]:.0%} at lead {len(shares)}, the rest the last frame, moved on"
    )


def said(spec: FrameSpec) -> str:
    """What is said of a pixel, for people."""
    if spec.loss == QUANTILES:
        return f"quantiles {', '.join(f'{level:g}' for level in spec.levels)}"
    return {"squared": "the mean", "absolute": "the median", "bernoulli": "the mean of a share"}[spec.loss]


def grid(spec: FrameSpec) -> str:
    """The grid of the network, for people."""
    if spec.flat:
        return "none: every pixel is a number of its own"
    rows, columns = ("x".join(map(str, sides)) for sides in (spec.grid, spec.patch))
    return f"{rows}, one state for {columns} pixels"
