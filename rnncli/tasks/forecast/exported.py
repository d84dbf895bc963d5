"""A forecasting model as an ONNX graph; `fed` makes what is put into it.

The graph holds the encoder and the decoder of every member, the link and the scaling back to units, the guard, the
weights of the pool, the calibration, floor, ceiling and whole numbers: everything that the model has learnt. What is
computed from rows alone is put in: features, plain forecasts, what is known of the horizon, and the forecasts of the
baselines that the pool has.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

import numpy as np

from rnncli.arrays import Array
from rnncli.inference.onnx_file import Graph, Put
from rnncli.inference.traced_encoder import outputs
from rnncli.inference.tracing import Traced
from rnncli.tasks.forecast import attended, head
from rnncli.tasks.forecast.calibration import LARGEST
from rnncli.tasks.forecast.forecaster import CONSTANT_ROWS, Forecaster
from rnncli.tasks.forecast.linear import LINEAR
from rnncli.tasks.seen import head_weights

_SINGLE, _DOUBLE, _WHOLE, _FLAG = "float32", "float64", "int64", "bool"


def puts(model: Forecaster) -> tuple[Put, ...]:
    """What is put into the model's graph; n is any number of series."""
    spec, network = model.spec, model.network
    plain, steps = len(spec.plain), spec.horizon
    own = [
        Put("x", _SINGLE, ("n", spec.steps, network.inputs), "the encoder's inputs at each step, 0 after the last one"),
        Put("last", _WHOLE, ("n",), "the last step that is real, from 0"),
        Put("plain", _SINGLE, ("n", steps, plain), f"plain forecasts, relative: {', '.join(spec.plain)}"),
        Put("errors", _SINGLE, ("n", plain), "how far off each plain forecast was lately"),
        Put("known", _SINGLE, ("n", steps, spec.known), "what is known of each step of the horizon"),
        Put("level", _DOUBLE, ("n",), "the level at the origin, on the scale of the link"),
        Put("spread", _DOUBLE, ("n",), "the spread at the origin, likewise"),
        Put("logs", _FLAG, ("n",), "whether the series is forecast on its logarithm"),
        Put("floor", _DOUBLE, ("n",), "the least value that may come, -infinity where any may"),
        Put("ceiling", _DOUBLE, ("n",), "the largest value that may come, infinity where any may"),
        Put("whole", _FLAG, ("n",), "whether only whole numbers may come"),
        Put("count", _WHOLE, ("n",), "how many values the series has shown"),
        Put("low", _DOUBLE, ("n",), "the lowest value of the context, -infinity where it bounds nothing"),
        Put("high", _DOUBLE, ("n",), "the highest one, infinity likewise"),
        Put(
            "constant", _DOUBLE, ("n",), f"the value of a series of one value ({CONSTANT_ROWS} rows and more), else NaN"
        ),
    ]
    others = model.pool.names[1:]
    own += [
        Put("kind", _WHOLE, ("n",), "0 on the logarithm, 1 with a least value, 2 neither"),
        Put("others", _DOUBLE, ("n", len(others), steps, len(spec.levels)), _of_others(others)),
    ]
    return tuple(one for one in own if one.name in needed(model))


def _of_others(names: tuple[str, ...]) -> str:
    """What the other forecasters of a pool are to give, for people."""
    points = ", of the linear map its points at every level" if LINEAR in names else ""
    return f"quantiles by {', '.join(names)}{points}"


def needed(model: Forecaster) -> set[str]:
    """The names of what a model's graph looks at."""
    spec, pool = model.spec, model.pool
    by_rows = model.young is not None or (model.calibration is None and spec.each)
    lacking = {
        "errors": not spec.judged,
        "known": not spec.known,
        "ceiling": spec.ceiling is None,
        "count": not by_rows,
        "low": pool.reach is None,
        "high": pool.reach is None,
        "kind": not pool.own,
        "others": len(pool.names) == 1,
    }
    return {one for one in _EVERY if not lacking.get(one, False)}


_EVERY = ("x", "last", "plain", "errors", "known", "level", "spread", "logs", "floor", "ceiling", "whole", "count",
          "low", "high", "constant", "kind", "others")  # fmt: skip


def graph(model: Forecaster) -> Graph:
    """The model's graph: `quantiles` [n, horizon, levels] from what `puts` lists."""
    graph = Graph(puts(model))
    graph.returns("quantiles", _quantiles(model, graph.arrays, graph.xp))
    spec = model.spec
    return graph.about(levels=",".join(map(str, spec.levels)), horizon=str(spec.horizon), target=model.columns.target)


def _quantiles(model: Forecaster, put: Mapping[str, Traced], xp: Any) -> Array:
    """What is printed, as `Forecaster.finished` computes it."""
    spec = model.spec
    network = _network(model, put, xp)
    found = _calibrated(model, _pooled(model, network, put, xp), put, xp)
    young = None
    if model.young is not None:
        young = put["count"] <= spec.young[-1]
        found = xp.where(young[:, None, None], _of_young(model, network, put, xp), found)
    found = _ascending(_possible(model, found, put, xp), xp)
    one = put["constant"][:, None, None]
    moves = xp.isnan(one)
    if young is not None:
        moves = xp.recorder.node("Or", [moves, young[:, None, None]], np.bool_, moves.shape)
    return xp.where(moves, found, one)


def _network(model: Forecaster, put: Mapping[str, Traced], xp: Any) -> Array:
    """The mean of the members' quantiles, in units."""
    nothing = np.zeros((1, 0), np.float32)
    made = []
    for weights in model.members():
        every = outputs(model.network, weights, put["x"], xp)
        at = put["last"][:, None]
        state = xp.recorder.node("GatherND", [every, at], np.float32, (None, model.network.hidden), batch_dims=1)
        own = head_weights(weights)
        if model.spec.attends:
            state = attended.attended(own, every, state[:, None], at, model.spec.attended, xp)[:, 0]
        known = put.get("known", np.zeros((1, 1, 0), np.float32))
        errors = put.get("errors", nothing)
        relative = head.quantiles(own, state, put["plain"], errors, known, model.spec.median, xp)
        made.append(_in_units(relative.astype(np.float64), put, xp))
    total = made[0]
    for one in made[1:]:
        total = total + one
    return total / float(len(made))


def _in_units(relative: Traced, put: Mapping[str, Traced], xp: Any) -> Array:
    """As `head.to_units`."""
    z = put["level"][:, None, None] + put["spread"][:, None, None] * relative
    ratios, values = (_clip(z, -limit, limit, xp) for limit in (head.LARGEST_LOG, head.LARGEST))
    return _ascending(xp.where(put["logs"][:, None, None], xp.exp(ratios), values), xp)


def _pooled(model: Forecaster, network: Traced, put: Mapping[str, Traced], xp: Any) -> Array:
    """As `pool.pooled`."""
    pool = model.pool
    shares: Any = [np.asarray(weight) for weight in pool.weights]
    if pool.own:
        table = np.array(pool.own)
        chosen = xp.recorder.node("Gather", [table, put["kind"]], np.float64, (None, table.shape[1]), axis=0)
        shares = [chosen[:, place, None, None] for place in range(table.shape[1])]
    total = _guarded(model, network, put, xp) * shares[0]
    for place in range(1, len(pool.names)):
        made = put["others"][:, place - 1]
        if place == pool.linear:
            middle = network[:, :, model.spec.median, None]
            made = _ascending(_possible(model, made + network - middle, put, xp), xp)
        total = total + _guarded(model, made, put, xp) * shares[place]
    return total


def _guarded(model: Forecaster, quantiles: Traced, put: Mapping[str, Traced], xp: Any) -> Array:
    """As `guard.guarded`."""
    reach = model.pool.reach
    if reach is None:
        return quantiles
    low, high = put["low"][:, None, None], put["high"][:, None, None]
    return _clip(quantiles, low - (high - low) * reach, high + (high - low) * reach, xp)


def _calibrated(model: Forecaster, found: Traced, put: Mapping[str, Traced], xp: Any) -> Array:
    """As `calibration.calibrated` or `calibrated_unproven`."""
    spec = model.spec
    if model.calibration is not None:
        return _stretched(found, model.calibration, spec.median)
    if not spec.each:
        return found
    rows = put["count"].astype(np.float64)[:, None, None]
    freedom = xp.maximum(rows - 1.0, 1.0)
    z = np.array([NormalDist().inv_cdf(level) for level in spec.levels])
    one, two = (z**2 + 1) / 4, (5 * z**4 + 16 * z**2 + 3) / 96
    wider = 1.0 + one / freedom + two / (freedom * freedom)
    once = np.ones(()) / xp.maximum(rows, 1.0)
    return _stretched(found, xp.minimum(wider * (1.0 + once) ** 0.5, LARGEST), spec.median)


def _of_young(model: Forecaster, network: Traced, put: Mapping[str, Traced], xp: Any) -> Array:
    """As `calibration.calibrated_young`."""
    assert model.young is not None
    rows = np.asarray(model.spec.young, np.int64)
    place = (put["count"][:, None] > rows[:-1]).astype(np.int64).sum(axis=1)
    factors = xp.recorder.node("Gather", [model.young, place], np.float64, (None, *model.young.shape[1:]), axis=0)
    return _stretched(network, factors, model.spec.median)


def _stretched(quantiles: Traced, factors: Any, median: int) -> Array:
    middle = quantiles[..., median, None]
    return middle + (quantiles - middle) * factors


def _possible(model: Forecaster, units: Traced, put: Mapping[str, Traced], xp: Any) -> Array:
    """As `head.possible`."""
    rounded = xp.ceil(units - 0.5) + 0.0
    found = xp.maximum(xp.where(put["whole"][:, None, None], rounded, units), put["floor"][:, None, None])
    return found if model.spec.ceiling is None else xp.minimum(found, put["ceiling"][:, None, None])


def _ascending(quantiles: Traced, xp: Any) -> Array:
    """The largest so far, along the levels."""
    levels = quantiles.shape[-1]
    assert levels is not None
    parts = [quantiles[..., :1]]
    for place in range(1, levels):
        parts.append(xp.maximum(parts[-1], quantiles[..., place : place + 1]))
    return xp.concatenate(parts, axis=-1)


def _clip(x: Traced, low: Any, high: Any, xp: Any) -> Array:
    return xp.minimum(xp.maximum(x, low), high)
