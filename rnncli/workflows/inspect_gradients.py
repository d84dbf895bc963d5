"""How far the gradient of a forecast's loss reaches back through a network, on the user's own series."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from rnncli.data.panel import Panel
from rnncli.errors import InputRefused
from rnncli.inference import forecaster as models
from rnncli.spec import NetworkSpec
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.workflows import options as said
from rnncli.workflows.events import Listener, Noted, unheard
from rnncli.workflows.options import ArchitectureOptions, ColumnOptions
from rnncli.workflows.reading import load_known, load_new
from rnncli.workflows.train import make_plan

if TYPE_CHECKING:
    from rnncli.diagnostics.report import GradientReport

Ints = NDArray[np.int64]
SERIES = 24


@dataclass(frozen=True)
class Inspection:
    """The gradients of a model, or of an untrained network, on some series."""

    report: GradientReport
    source: str
    frequency: str
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The document behind `--json`."""
        return self.report.to_json() | {"source": self.source, "frequency": self.frequency, "notes": list(self.notes)}


def inspect_gradients(
    data: Any,
    model: str | os.PathLike[str] | None = None,
    *,
    series: int = SERIES,
    threads: int | None = None,
    on_event: Listener | None = None,
    **options: Unpack[ArchitectureOptions],
) -> Inspection:
    """Follow the gradient of the loss at the last full origin of up to `series` series, of a model or, without one,
    of an untrained network of the given architecture. UsageError, InputRefused or ModelRefused.
    """
    said.refuse_unknown(options, ArchitectureOptions)
    said.positive(options | {"series": series}, "series", "horizon", "context", "layers", "hidden", "members")
    tell = on_event or unheard
    from rnncli.nn.runtime import prepared

    if model is not None:
        forecaster = models.load(model)
        loaded = load_known(
            data,
            forecaster,
            {name: value for name, value in options.items() if name in ColumnOptions.__annotations__},
            tell,
        )
        network, spec = forecaster.network, forecaster.forecast
        weights, source = {name: weight[0] for name, weight in forecaster.weights.items()}, os.fspath(model)
    else:
        loaded = load_new(data, options, tell)
        plan = make_plan(loaded, options)
        network, spec = plan.network, plan.forecast
        weights, source = _untrained(plan), "an untrained network"
    chosen, origins, steps = choose(loaded.panel, spec, series)
    spec = replace(spec, steps=steps)
    tell(Noted(f"{len(chosen)} of {len(loaded.panel):,} series, {steps} steps back from each one's last full origin"))
    members = ("the first of the network's members is inspected",) if network.members > 1 else ()
    with prepared(threads):
        report = _gradients(loaded.panel, network, spec, weights, chosen, origins)
    return Inspection(report, source, str(loaded.panel.calendar.frequency), members)


def _untrained(plan: Any) -> dict[str, Any]:
    from rnncli.training.session import initial_weights

    return {name: weight.numpy() for name, weight in initial_weights(plan, plan.training.seed).items()}


def choose(panel: Panel, spec: ForecastSpec, most: int) -> tuple[Ints, Ints, int]:
    """Up to `most` series, the rows before each one's origin, and a number of steps that all of them have."""
    ends = panel.observed_ends()
    origins = ends - np.minimum(spec.horizon, np.maximum(ends // 2, 1))
    usable = np.flatnonzero(origins >= 1)
    if not len(usable):
        raise InputRefused("no series has two rows", hint="give longer series")
    wanted = max(spec.steps, max(spec.seasons) + 1)  # lag `season` needs one step more than a season
    steps = int(min(wanted, max(1, np.median(origins[usable]))))
    long = usable[origins[usable] >= steps]
    chosen = long[np.unique(np.linspace(0, len(long) - 1, min(most, len(long))).astype(np.int64))]
    return chosen, origins[chosen], steps


def _gradients(
    panel: Panel, network: NetworkSpec, spec: ForecastSpec, weights: dict[str, Any], series: Ints, origins: Ints
) -> GradientReport:
    import torch

    from rnncli.cells.named import cells_of
    from rnncli.diagnostics.gradients import gradient_by_lag
    from rnncli.layers.stack import layer_weights
    from rnncli.tasks.forecast.learn import Examples, pinball
    from rnncli.tasks.forecast.network import HEAD, head_weights
    from rnncli.tasks.forecast.output import quantiles

    ends = panel.lengths
    rows, last = np.arange(len(series)), np.full(len(series), spec.steps - 1)
    batch = Examples(panel, spec, ends).batch(series, origins - spec.steps, rows, last)
    tensors = {name: torch.from_numpy(np.array(weight, np.float64)) for name, weight in weights.items()}
    head = {name: tensor.requires_grad_() for name, tensor in head_weights(tensors).items()}
    levels = torch.tensor(spec.levels, dtype=torch.float64)

    def loss_at_origin(outputs: torch.Tensor, rows: slice) -> torch.Tensor:
        found = quantiles(
            head,
            outputs,
            batch.components[rows].double(),
            batch.errors[rows].double(),
            batch.known[rows].double(),
            spec.median,
            torch,
        )
        return pinball(found, batch.targets[rows].double(), levels)

    return gradient_by_lag(
        cells_of(network.cell, network.layers),
        [layer_weights(tensors, index) for index in range(network.layers)],
        batch.inputs,
        loss_at_origin,
        activation=network.activation,
        residual=network.residual,
        seasons=spec.seasons,
        head={HEAD + name: tensor for name, tensor in head.items()},
    )
