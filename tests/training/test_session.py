"""A whole training: the same bits from the same seed, and no series too odd to be trained on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from rnncli.data.panel import Panel
from rnncli.errors import InputRefused
from rnncli.tasks.forecast import plan
from rnncli.tasks.forecast.task import TASK
from rnncli.tasks.forecast.validation import scaled_quantile_loss
from rnncli.tasks.plan import Plan
from rnncli.training.session import Trained, train


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def planned(panel: Panel, steps: int = 4, **said: object) -> Plan:
    spec = plan.forecast_spec(panel, 3, (0.1, 0.5, 0.9), 20)
    sizes = plan.Sizes(hidden=6, layers=1, steps=steps, batch=8, **said)  # type: ignore[arg-type]
    network = plan.network_spec(panel, spec, sizes)
    return Plan(TASK, network, spec, plan.training_spec(network, spec, sizes))


def trained(panel: Panel, **said: object) -> Trained:
    *_, last = train(panel, planned(panel, **said))  # type: ignore[arg-type]
    assert isinstance(last, Trained)
    return last


def test_the_same_seed_gives_the_same_bits(weekly_waves: Panel) -> None:
    one, other = trained(weekly_waves), trained(weekly_waves)
    assert all(one.weights[name].tobytes() == other.weights[name].tobytes() for name in one.weights)


def test_another_seed_gives_other_weights(weekly_waves: Panel) -> None:
    one, other = trained(weekly_waves), trained(weekly_waves, seed=1)
    assert one.weights["layer0.weight_hh"].tobytes() != other.weights["layer0.weight_hh"].tobytes()


def test_members_are_different_networks_on_one_axis(weekly_waves: Panel) -> None:
    weights = trained(weekly_waves, members=2).weights["layer0.weight_hh"]
    assert weights.shape == (2, 24, 6)
    assert not np.array_equal(weights[0], weights[1])


def test_training_makes_the_held_out_rows_more_likely(weekly_waves: Panel) -> None:
    def error(steps: int) -> float:
        found = trained(weekly_waves, steps=steps, learning_rate=0.01).validated
        assert found is not None
        return float(np.mean(scaled_quantile_loss(found, (0.1, 0.5, 0.9))))

    assert error(80) < 0.8 * error(1)


@pytest.mark.parametrize(
    "series",
    [
        [[1.0, 2.0]],
        [[5.0], list(range(1, 90)), [2.0, 3.0]],
        [[7.0] * 40],
        [[0.0] * 40, [0.0, 0.0, 3.0] * 20],
        [[np.nan] * 40, list(range(1, 60))],
        [[2.0**60 + 2.0**20 * i for i in range(40)]],
        [[-1e9, 1e9] * 20],
    ],
    ids=["two rows", "unequal", "constant", "zeros", "unseen", "large", "alternating"],
)
def test_odd_series_are_trained_on_without_a_flag(build: object, series: list[list[float]]) -> None:
    for said in ({}, {"tbptt": 7}, {"tbptt": 10**9}):
        weights = trained(build(*series), **said).weights  # type: ignore[operator]
        assert all(np.isfinite(weight).all() for weight in weights.values())


def test_single_rows_are_too_little(build: object) -> None:
    with pytest.raises(InputRefused, match="two rows"):
        list(train(build([1.0], [2.0]), planned(build([1.0], [2.0]))))  # type: ignore[operator]
