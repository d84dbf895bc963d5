"""How training begins from base: what made-up series have taught it, in a network that also sees the calendar and the
covariates of the data. As it begins it says what base would: what base does not see has weights of 0, so that growth
changes nothing (Chen et al. 2016, "Net2Net", arXiv:1511.05641).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from rnncli import model as models
from rnncli.arrays import Floats
from rnncli.cells.named import resolved
from rnncli.data.panel import Panel
from rnncli.layers.activation import softplus
from rnncli.options.given import fields_given
from rnncli.options.types import TrainOptions
from rnncli.registry import BASE
from rnncli.spec import NetworkSpec, TrainingSpec
from rnncli.tasks.forecast import attended
from rnncli.tasks.forecast.forecaster import Forecaster
from rnncli.tasks.forecast.network import network_inputs
from rnncli.tasks.forecast.plan import batch_of
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.plan import Plan, Sizes
from rnncli.tasks.seen import HEAD

Weights = Mapping[str, NDArray[np.float32]]
SEES = ("layer0.weight_ih", HEAD + "weight_known", HEAD + "weight_scale")  # a column for everything that is seen
SPREAD, AT_REST = HEAD + "weight_spread", HEAD + "bias_spread"
MEMBERS, DROPOUT, STEPS, BATCH, RATE = 1, 0.0, 1000, 32, 3e-3
FEW_CROPS = 64
FARTHEST = 1e-4  # from 0 and 1, as far as levels are told apart


@cache
def base() -> Forecaster:
    """The forecaster that comes with the program."""
    found: Forecaster = models.pretrained(BASE)
    return found


def unlike(model: Forecaster, options: TrainOptions) -> tuple[str, ...]:
    """The options that ask for a network of another kind than a model has, by their flags."""
    network, said = model.network, Sizes(**fields_given(Sizes, options))
    cell = None if said.cell is None else resolved(said.cell, network.layers, (1,))
    asked = {
        "cell": (cell, network.cell),
        "activation": (said.activation, network.activation),
        "layers": (said.layers, network.layers),
        "hidden": (said.hidden, network.hidden),
        "init": (said.init, network.init),
        "plain-stack": (said.plain_stack, not network.residual),
        "layer-norm": (said.layer_norm, network.layer_norm),
    }
    return tuple(flag for flag, (wanted, has) in asked.items() if wanted is not None and wanted != has)


def network_spec(model: Forecaster, panel: Panel, spec: ForecastSpec, sizes: Sizes) -> NetworkSpec:
    """A model's network, in as many members as were said, with an input for everything that the data have."""
    return replace(
        model.network,
        inputs=network_inputs(spec, panel.calendar)[0],
        members=sizes.members or MEMBERS,
        dropout=DROPOUT if sizes.dropout is None else sizes.dropout,
        recurrent_dropout=sizes.recurrent_dropout or 0.0,
    )


def training_spec(panel: Panel, forecast: ForecastSpec, sizes: Sizes) -> TrainingSpec:
    """Steps, batch and rate: what is known need not be learnt, and where there is little to learn from, a large batch
    holds the same rows again.
    """
    few = panel.lengths.sum() < FEW_CROPS * forecast.steps
    batch = batch_of(BATCH // 2 if few else BATCH, forecast, sizes.tbptt)
    return sizes.training(steps=STEPS, batch=batch, rate=RATE, tbptt=sizes.tbptt)


def began(model: Forecaster) -> bool:
    """Whether a model has base's network, with which its training began."""
    its, bases = model.network, base().network
    return model.spec.universal and (its.cell, its.layers, its.hidden) == (bases.cell, bases.layers, bases.hidden)


def begun(plan: Plan[ForecastSpec], model: Forecaster) -> Plan[ForecastSpec]:
    """The plan of universal forecasts, and its rivals, with a model's weights as their first ones."""
    rivals = tuple(begun(rival, model) for rival in plan.rivals)
    first = {name: weight[0] for name, weight in model.weights.items()}
    first |= {name: _widened(first[name], plan.shapes[name][-1]) for name in SEES}
    if plan.spec.attends and not model.spec.attends:
        first |= _attention(plan.network.hidden)
    if plan.spec.levels != model.spec.levels:
        first |= _between(first, model.spec.levels, plan.spec.levels)
    return replace(plan, rivals=rivals, first={name: weight[None] for name, weight in first.items()})


def _attention(hidden: int) -> dict[str, NDArray[np.float32]]:
    """The first weights of attention, by which nothing is added to what a model says."""
    nothing = {name: np.zeros(shape, np.float32) for name, shape in attended.shapes(hidden).items()}
    return {HEAD + name: weight for name, weight in (nothing | attended.begin(hidden)).items()}


def _widened(weight: NDArray[np.float32], columns: int) -> NDArray[np.float32]:
    return np.pad(weight, ((0, 0), (0, columns - weight.shape[1])))


def _between(first: Weights, known: tuple[float, ...], levels: tuple[float, ...]) -> dict[str, NDArray[np.float32]]:
    """The weights of the gaps between other levels: as the gaps that they lie in, or beside, and as wide as their share
    of these is, where quantiles are those of a normal distribution.
    """
    share = _shares(known, levels)
    mean = share / share.sum(axis=1, keepdims=True)
    width = share @ softplus(first[AT_REST][0].astype(np.float64), np)
    return {
        SPREAD: (mean @ first[SPREAD]).astype(np.float32),
        AT_REST: np.log(np.expm1(width))[None].astype(np.float32),
    }


def _shares(known: tuple[float, ...], levels: tuple[float, ...]) -> Floats:
    """How much of each gap between `known` levels lies in each gap between `levels`: [gaps, known gaps]. What lies
    beyond the known levels counts as more of the outermost gap.
    """
    old, new = _scores(known), _scores(levels)
    ends = np.concatenate([[-np.inf], old[1:-1], [np.inf]])
    low, high = np.maximum(new[:-1, None], ends[:-1]), np.minimum(new[1:, None], ends[1:])
    return np.asarray(np.maximum(high - low, 0.0) / np.diff(old))


def _scores(levels: tuple[float, ...]) -> Floats:
    return np.array([NormalDist().inv_cdf(min(max(level, FARTHEST), 1 - FARTHEST)) for level in levels])
