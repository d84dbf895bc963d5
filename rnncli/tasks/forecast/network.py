"""The forecasting network in NumPy: from crops to relative quantiles, by each member."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Inputs, Ints
from rnncli.cells.named import refuse_bidirectional
from rnncli.data.calendar import Calendar
from rnncli.layers.encoder import outputs
from rnncli.spec import NetworkSpec
from rnncli.tasks.forecast import attended, features, head
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.seen import head_weights


def refuse_what_sees_ahead(cell: str) -> None:
    """UsageError if a layer's cell is bidirectional."""
    refuse_bidirectional(cell, "what comes after its origin must not enter a forecast")


def network_inputs(spec: ForecastSpec, calendar: Calendar) -> tuple[int, int]:
    """The numbers of values that the encoder sees a step, and the decoder knows of each step of the horizon."""
    calendar_features = len(calendar.feature_names)
    return features.input_count(spec, calendar_features), features.known_count(spec, calendar_features)


def forecast(
    members: Iterable[Mapping[str, NDArray[np.float32]]],
    network: NetworkSpec,
    spec: ForecastSpec,
    crops: features.Crops,
    norm: features.Normalised,
    calendar: Calendar,
) -> list[NDArray[np.float32]]:
    """Relative quantiles from the last step of each crop, by each member, in NumPy: [n, horizon, q] each."""
    rows, last = np.arange(len(crops.lengths)), crops.lengths - 1
    x = features.inputs(crops, norm, spec, calendar)[:, : int(crops.lengths.max())]
    known = known_at(spec, crops, norm, last, calendar)

    def by(weights: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        return decoded(weights, spec, known, outputs(network, weights, x), rows, last)

    return [by(weights) for weights in members]


Known = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


def known_at(
    spec: ForecastSpec, crops: features.Crops, norm: features.Normalised, origins: Ints, calendar: Calendar
) -> Known:
    """What every member's decoder is given beside its state, from step origins[i] of each crop: plain forecasts, how
    far off they were before, and what is known of the horizon.
    """
    rows = np.arange(len(origins))
    plain, errors = features.components(norm, rows, origins, spec)
    return plain, errors, features.known(crops, rows, origins, spec, calendar)


def decoded(
    weights: Mapping[str, NDArray[np.float32]],
    spec: ForecastSpec,
    beside: Known,
    outputs: Inputs,
    rows: Ints,
    origins: Ints,
) -> NDArray[np.float32]:
    """Relative quantiles from step origins[i] of sequence rows[i] of the encoder's outputs [n, T, H], and what is known
    `beside` them, by one member: [o, horizon, q].
    """
    (plain, errors, known), own = beside, head_weights(weights)
    state = attended.read(own, outputs, rows, origins, spec.attended, np)
    relative: NDArray[np.float32] = head.quantiles(own, state, plain, errors, known, spec.median, np)
    return relative
