"""The whole forecasting network: names, shapes, and the one formula from inputs to relative quantiles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.cells.cell import Cell
from rnncli.data.calendar import Calendar
from rnncli.layers.stack import layer_weights, stack
from rnncli.layers.unroll import unroll
from rnncli.registry import CELLS, find
from rnncli.spec import NetworkSpec
from rnncli.tasks.forecast import features, output
from rnncli.tasks.forecast.spec import ForecastSpec

Array = Any
HEAD = "head."


def weight_shapes(network: NetworkSpec, spec: ForecastSpec) -> dict[str, tuple[int, ...]]:
    """Name and shape of every weight of one member; in a model file each has a leading axis of members."""
    cell: Cell = find(CELLS, network.cell, "cell")
    shapes: dict[str, tuple[int, ...]] = {}
    for index in range(network.layers):
        inputs = network.hidden if index else network.inputs
        shapes |= {f"layer{index}.{name}": shape for name, shape in cell.shapes(inputs, network.hidden).items()}
    components = len(spec.plain)
    return shapes | {HEAD + name: shape for name, shape in output.shapes(network, spec, components).items()}


def network_inputs(spec: ForecastSpec, calendar: Calendar) -> tuple[int, int]:
    """How many values the encoder sees a step, and the decoder knows of each step of the horizon."""
    calendar_features = len(calendar.feature_names)
    return features.input_count(spec, calendar_features), features.known_count(spec, calendar_features)


def head_weights(weights: Mapping[str, Array]) -> dict[str, Array]:
    """The decoder's weights, without their prefix."""
    return {name.removeprefix(HEAD): weight for name, weight in weights.items() if name.startswith(HEAD)}


def forecast(
    weights: Mapping[str, NDArray[np.float32]],
    network: NetworkSpec,
    spec: ForecastSpec,
    crops: features.Crops,
    norm: features.Normalised,
    calendar: Calendar,
) -> NDArray[np.float32]:
    """Relative quantiles from the last step of each crop, by one member, in NumPy: [n, horizon, q]."""
    cell: Cell = find(CELLS, network.cell, "cell")
    rows, last = np.arange(len(crops.lengths)), crops.lengths - 1

    def run_layer(index: int, x: Array) -> Array:
        return unroll(cell, layer_weights(weights, index), x, None, np, activation=network.activation)[0]

    steps = int(crops.lengths.max())
    states = stack(run_layer, network.layers, features.inputs(crops, norm, spec, calendar)[:, :steps], network.residual)
    plain, errors = features.components(norm, rows, last, spec)
    known = features.known(crops, rows, last, spec, calendar)
    relative: NDArray[np.float32] = output.quantiles(
        head_weights(weights), states[rows, last], plain, errors, known, spec.median, np
    )
    return relative
