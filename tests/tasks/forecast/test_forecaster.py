"""A forecast is a function of a series' own last rows: the same bits alone, among others, from a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli import model as models
from rnncli import registry
from rnncli.data.panel import Panel
from rnncli.errors import InputRefused, ModelRefused
from rnncli.tasks.forecast.examples import Examples
from rnncli.tasks.forecast.forecaster import CHUNK, Forecaster
from rnncli.tasks.plan import Plan
from rnncli.training import objective

Untrained = Callable[..., tuple[Forecaster, Plan]]
CELLS = [(name, "tanh") for name in (*registry.CELLS, "dilated:lstm", "lstm,dilated:gru", "fir,dilated:fir")]
CELLS += [("rnn", "relu")]


@pytest.fixture(scope="module")
def model(weekly_waves: Panel, untrained: Untrained) -> Forecaster:
    return untrained(weekly_waves)[0]


@pytest.mark.parametrize(("cell", "activation"), CELLS)
def test_numpy_forecasts_what_torch_does(weekly_waves: Panel, untrained: Untrained, cell: str, activation: str) -> None:
    model, planned = untrained(weekly_waves, cell, activation)
    ends = weekly_waves.lengths - 3
    assert model.network.layer_norm == (cell == "rnn")
    weights = {name: torch.from_numpy(weight[0]) for name, weight in model.weights.items()}
    examples = Examples(weekly_waves, planned.spec, ends)
    theirs = objective.predict(weights, planned, examples.at(np.arange(6), ends))
    calibrated = replace(model, calibration=np.ones((planned.spec.horizon, len(planned.spec.levels))))
    np.testing.assert_allclose(calibrated.quantiles(weekly_waves, ends), theirs, rtol=1e-5)


@settings(derandomize=True, max_examples=30, deadline=None)
@given(chosen=st.lists(st.integers(0, 5), min_size=1, max_size=40))
def test_a_series_forecasts_the_same_bits_in_any_company(
    chosen: list[int], weekly_waves: Panel, model: Forecaster
) -> None:
    alone = model.quantiles(weekly_waves)
    together = model.quantiles(weekly_waves.select(np.array(chosen)))
    assert together.tobytes() == alone[chosen].tobytes()


@pytest.mark.parametrize("cell", ["rnn", "lru", "dilated:lstm"])
def test_a_series_alone_has_the_bits_of_the_panel_with_other_cells_too(
    weekly_waves: Panel, untrained: Untrained, cell: str
) -> None:
    model = untrained(weekly_waves, cell)[0]
    together = model.quantiles(weekly_waves)
    for place in range(6):
        assert model.quantiles(weekly_waves.select(np.array([place]))).tobytes() == together[[place]].tobytes()


def test_thousands_of_series_change_no_bit_of_one(weekly_waves: Panel, model: Forecaster) -> None:
    chosen = np.arange(2 * CHUNK + 7) % 6
    assert model.quantiles(weekly_waves.select(chosen)).tobytes() == model.quantiles(weekly_waves)[chosen].tobytes()


def test_rows_after_the_origin_never_move_a_forecast(weekly_waves: Panel, model: Forecaster) -> None:
    ends = weekly_waves.lengths - 10
    assert model.quantiles(weekly_waves, ends).tobytes() == model.quantiles(weekly_waves.cut(ends)).tobytes()


def test_rows_older_than_the_context_never_move_a_forecast(weekly_waves: Panel, model: Forecaster) -> None:
    values = weekly_waves.values.copy()
    old = weekly_waves.lengths[5] - model.spec.context
    values[weekly_waves.offsets[5] : weekly_waves.offsets[5] + old] *= 3
    changed = model.quantiles(replace(weekly_waves, values=values))[5]
    np.testing.assert_allclose(changed, model.quantiles(weekly_waves)[5], rtol=1e-12)


def test_a_forecast_is_finite_ascending_and_not_below_zero(weekly_waves: Panel, model: Forecaster) -> None:
    found = model.quantiles(weekly_waves)
    assert np.isfinite(found).all()
    assert (np.diff(found, axis=2) >= 0).all()
    assert (found >= 0).all()


@pytest.mark.parametrize("value", [7.0, 2.0**60 + 2.0**8, 1e-200, 16_777_217.0])
def test_a_series_that_never_changed_is_forecast_exactly(build: object, model: Forecaster, value: float) -> None:
    assert (model.quantiles(build([value] * 30)) == value).all()  # type: ignore[operator]


@pytest.mark.parametrize("rows", [1, 2, 8, 500])
def test_a_series_of_any_length_is_forecast(build: object, model: Forecaster, rows: int) -> None:
    panel = build(20 + np.arange(rows) % 7)  # type: ignore[operator]
    assert np.isfinite(model.quantiles(panel)).all()


def test_a_series_with_nothing_to_see_is_refused_by_name(build: object, model: Forecaster) -> None:
    with pytest.raises(InputRefused) as error:
        model.quantiles(build([np.nan] * 5))  # type: ignore[operator]
    assert error.value.where == "series 's0'"


def test_a_model_from_its_file_forecasts_the_same_bits(weekly_waves: Panel, model: Forecaster, tmp_path: Path) -> None:
    models.save(tmp_path / "m.safetensors", model)
    read = models.load(tmp_path / "m.safetensors")
    assert read.quantiles(weekly_waves).tobytes() == model.quantiles(weekly_waves).tobytes()
    assert (read.cutoffs, read.spec, read.network) == (model.cutoffs, model.spec, model.network)


def test_a_model_is_written_the_same_every_time(model: Forecaster, tmp_path: Path) -> None:
    for name in ("a", "b"):
        models.save(tmp_path / name, model)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_file_whose_description_and_tensors_disagree_is_refused(model: Forecaster, tmp_path: Path) -> None:
    network = replace(model.network, hidden=10)
    models.save(tmp_path / "m", replace(model, network=network))
    with pytest.raises(ModelRefused):
        models.load(tmp_path / "m")
