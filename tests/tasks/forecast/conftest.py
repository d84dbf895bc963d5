"""A model whose weights are far from their beginning, for the tests of forecasting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from rnncli.data.panel import Panel
from rnncli.spec import Columns
from rnncli.tasks.forecast import plan
from rnncli.tasks.forecast.forecaster import Forecaster
from rnncli.tasks.forecast.task import TASK
from rnncli.tasks.plan import Plan
from rnncli.training.session import initial_weights


@pytest.fixture(scope="session")
def untrained() -> Callable[..., tuple[Forecaster, Plan]]:
    return _untrained


def _untrained(
    panel: Panel, cell: str = "lstm", activation: str = "tanh", attended: int = 0
) -> tuple[Forecaster, Plan]:
    """Two layers with weights that are far from their beginning, so that nothing hides behind zeros."""
    spec = plan.forecast_spec(panel, 5, (0.1, 0.5, 0.9), 30)
    normed = cell == "rnn"
    sizes = plan.Sizes(
        cell=cell,
        activation=activation,
        hidden=9,
        layers=1 if cell == "grud" else 2,  # which is the first layer, and no other
        init="orthogonal",
        members=1,
        layer_norm=normed,
        plain_stack=normed,
    )
    spec = replace(plan.with_gaps(spec, sizes), attended=attended)
    network = plan.network_spec(panel, spec, sizes)
    planned = Plan(TASK, network, spec, plan.training_spec(network, spec, sizes))
    generator = torch.Generator().manual_seed(5)
    start = initial_weights(planned, 0)
    weights = {n: (w + 0.2 * torch.randn(w.shape, generator=generator))[None].numpy() for n, w in start.items()}
    columns, cutoffs = Columns("ds", "unique_id", "y"), dict.fromkeys(panel.ids, 5)
    return Forecaster(network, spec, planned.training, columns, panel.calendar, weights, cutoffs, {}), planned
