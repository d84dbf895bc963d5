"""The four workflows as Python functions, on real series."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import rnncli
from rnncli.errors import ModelRefused, TrainingDiverged, UsageError
from rnncli.tasks.forecast.levels import interpolated, mean_of
from rnncli.tasks.forecast.pool import Pool
from rnncli.tasks.forecast.verdict import verdict

QUICK: dict[str, Any] = {"steps": 6, "hidden": 6, "layers": 1, "batch": 8, "threads": 1}


@pytest.fixture(scope="module")
def jobs(sample_data: Path) -> pd.DataFrame:
    return pd.read_csv(sample_data / "us_employment.csv", parse_dates=["month"])


@pytest.fixture(scope="module")
def model(jobs: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained on all but the last year."""
    path = tmp_path_factory.mktemp("jobs") / "jobs.safetensors"
    rnncli.train(jobs[jobs.month < "2015-01-01"], output=path, horizon=12, **QUICK)
    return path


def test_the_same_inputs_give_the_same_bytes(jobs: pd.DataFrame, tmp_path: Path) -> None:
    for name in ("a", "b"):
        rnncli.train(jobs, output=tmp_path / name, horizon=3, **QUICK)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_training_reports_what_it_inferred_and_how_it_did(jobs: pd.DataFrame) -> None:
    told: list[object] = []
    training = rnncli.train(jobs, horizon=6, on_event=told.append, **QUICK)
    assert (training.series, training.rows, training.columns.id) == (22, 2640, "sector")
    rivals = {"naive", "seasonal naive", "drift", "exponential smoothing"}
    assert set(training.validation) == {"forecast", "network", *rivals}
    assert all(math.isfinite(score) for scores in training.validation.values() for score in scores.values())
    assert training.to_json()["schema"] == "rnncli.train/1"
    assert {"Noted", "Started", "Stepped", "Evaluated", "Finished"} <= {type(event).__name__ for event in told}


def _record(network: tuple[float, float], p: float | None) -> dict[str, Any]:
    rival = {"mase": 1.0, "wql": 0.1}
    scores = {
        "network": dict(zip(rival, network, strict=True)),
        "seasonal naive": rival,
        "naive": {"mase": 2, "wql": 3},
    }
    return {
        "validation": scores,
        "validated_origins": 9,
        "comparisons": {"network": {"rival": "seasonal naive", "p": p}},
    }


def test_the_verdict_says_what_the_validation_does() -> None:
    pool = Pool(("network", "seasonal-naive"), (1, 12), (0.25, 0.75))
    assert "no better than the seasonal naive" in verdict(_record((1.2, 0.2), 0.9), pool)
    assert "not in its quantiles" in verdict(_record((0.9, 0.2), 0.01), pool)
    assert "is better than the seasonal naive" in verdict(_record((0.9, 0.05), 0.01), pool)
    for p in (0.3, None):
        assert "better (but this may be chance) than the" in verdict(_record((0.9, 0.05), p), pool)
    assert "the forecast is 25% network, 75% seasonal naive" in verdict(_record((0.9, 0.05), 0.01), pool)
    assert "too short to tell" in verdict({"validation": {}, "validated_origins": 0}, pool)


def test_a_forecast_begins_after_each_series_last_row(jobs: pd.DataFrame, model: Path) -> None:
    past = jobs[jobs.month < "2015-01-01"]
    shorter = past[(past.sector != "nonfarm") | (past.month < "2014-06-01")]
    frame = rnncli.predict(shorter, model).to_pandas()
    first = frame.groupby("sector").month.min()
    assert first["nonfarm"] == pd.Timestamp("2014-06-01")
    assert first["private"] == pd.Timestamp("2015-01-01")


def test_a_series_forecasts_the_same_alone_and_among_others(jobs: pd.DataFrame, model: Path) -> None:
    every = rnncli.predict(jobs, model).to_pandas()
    alone = rnncli.predict(jobs[jobs.sector == "private"], model).to_pandas()
    pd.testing.assert_frame_equal(every[every.sector == "private"].reset_index(drop=True), alone, check_exact=True)


def test_series_that_training_never_saw_are_forecast(jobs: pd.DataFrame, model: Path) -> None:
    new = jobs[jobs.sector == "private"].assign(sector="new", employees=lambda frame: frame.employees * 3)
    assert set(rnncli.predict(new, model).table.ids) == {"new"}


def test_a_shorter_horizon_is_the_beginning_of_the_longer(jobs: pd.DataFrame, model: Path) -> None:
    whole, part = rnncli.predict(jobs, model), rnncli.predict(jobs, model, horizon=5)
    np.testing.assert_array_equal(part.table.quantiles, whole.table.quantiles[:, :5])


def test_a_horizon_of_more_than_a_hundred_trained_ones_is_refused_with_the_remedy(
    jobs: pd.DataFrame, model: Path
) -> None:
    with pytest.raises(UsageError) as error:
        rnncli.predict(jobs, model, horizon=1_201)
    assert "--horizon 1201" in error.value.hint


def test_quantiles_lie_between_the_trained_ones_and_not_outside(jobs: pd.DataFrame, model: Path) -> None:
    found = rnncli.predict(jobs, model, quantiles=(0.25, 0.3)).table
    trained = rnncli.predict(jobs, model).table
    assert found.levels == (0.25, 0.3, 0.5)
    np.testing.assert_array_equal(found.quantiles[..., 1:], trained.quantiles[..., [2, 4]])
    np.testing.assert_allclose(found.quantiles[..., 0], trained.quantiles[..., 1:3].mean(axis=2), rtol=1e-12)
    with pytest.raises(UsageError, match=r"0\.95"):
        rnncli.predict(jobs, model, quantiles=(0.95,))


def test_interpolation_and_mean_of_a_line_are_the_line() -> None:
    levels = (0.1, 0.5, 0.9)
    line = np.array([[1.0, 5.0, 9.0]])
    np.testing.assert_allclose(interpolated(line, levels, (0.2, 0.5, 0.7)), [[2.0, 5.0, 7.0]])
    np.testing.assert_allclose(mean_of(line, levels), [5.0])


def test_origins_after_training_score_the_model_as_it_is(jobs: pd.DataFrame, model: Path) -> None:
    evaluation = rnncli.evaluate(jobs, model)
    assert (evaluation.refitted, evaluation.report.in_sample) == (False, False)
    forecast = rnncli.predict(jobs[jobs.month < "2015-01-01"], model).to_pandas()
    actual = jobs[jobs.month >= "2015-01-01"].merge(forecast, on=["sector", "month"])
    error = (actual.employees - actual["q0.5"]).abs().mean()
    assert evaluation.report.scores["model"].overall["mae"] == pytest.approx(error, rel=1e-12)


def test_origins_before_the_end_of_training_are_refitted_or_marked(jobs: pd.DataFrame, model: Path) -> None:
    kept = rnncli.evaluate(jobs, model, windows=2, refit=False)
    assert (kept.refitted, kept.report.in_sample) == (False, True)
    again = rnncli.evaluate(jobs, model, windows=2, threads=1)
    assert (again.refitted, again.report.in_sample) == (True, False)


def test_a_refit_never_sees_what_it_is_scored_on(jobs: pd.DataFrame, model: Path) -> None:
    spoilt = jobs.assign(employees=jobs.employees.where(jobs.month < "2014-01-01", jobs.employees * 2))
    report = rnncli.evaluate(spoilt, model, windows=2, threads=1).report
    assert report.scores["model"].overall["mase"] > 3  # it did not know of the doubling


@pytest.mark.parametrize("tidy", [False, True])
def test_saved_forecasts_score_as_the_model_does(jobs: pd.DataFrame, model: Path, tmp_path: Path, tidy: bool) -> None:
    past = jobs[jobs.month < "2015-01-01"]
    rnncli.predict(past, model).write(tmp_path / "f.csv", tidy=tidy)
    saved = rnncli.evaluate(jobs, forecasts=tmp_path / "f.csv").report.scores["model"].overall
    live = rnncli.evaluate(jobs, model).report.scores["model"].overall
    assert saved == pytest.approx(live, rel=1e-9)


def test_a_diverging_training_leaves_the_last_good_weights_and_the_old_model(
    jobs: pd.DataFrame, tmp_path: Path
) -> None:
    output = tmp_path / "m.safetensors"
    rnncli.train(jobs, output=output, horizon=3, **QUICK)
    before = output.read_bytes()
    with pytest.raises(TrainingDiverged) as error:
        rnncli.train(jobs, output=output, horizon=3, **(QUICK | {"learning_rate": 1e30, "clip": 1e30, "steps": 60}))
    assert output.read_bytes() == before
    assert "m.safetensors.partial" in error.value.hint
    assert rnncli.predict(jobs, tmp_path / "m.safetensors.partial").rows == 66


def test_future_covariates_carry_the_forecast_past_the_last_target(sample_data: Path, tmp_path: Path) -> None:
    bikes = pd.read_parquet(sample_data / "bike_rentals.parquet").tail(2_000).reset_index(drop=True)
    known = bikes.assign(rentals=bikes.rentals.where(bikes.index < 1_976))
    said = {
        "target": "rentals",
        "keep_covariates": True,
        "future": ["holiday", "working_day"],
        "past": ["weather", "temperature"],
    }
    rnncli.train(known, output=tmp_path / "m", horizon=24, **said, **QUICK)
    forecast = rnncli.predict(known, tmp_path / "m")
    assert pa.table(forecast)["time"][0].as_py() == bikes.time[1_976]
    other = known.assign(working_day=known.working_day.where(known.index < 1_976, 1 - known.working_day))
    assert not np.array_equal(rnncli.predict(other, tmp_path / "m").table.point, forecast.table.point)


def test_a_horizon_without_its_covariates_is_refused(sample_data: Path, tmp_path: Path) -> None:
    bikes = pd.read_parquet(sample_data / "bike_rentals.parquet").tail(600)
    rnncli.train(
        bikes, output=tmp_path / "m", horizon=24, target="rentals", future=["holiday"], keep_covariates=True, **QUICK
    )
    with pytest.raises(rnncli.InputRefused, match="covariates"):
        rnncli.predict(bikes, tmp_path / "m")


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_gradients_of_a_network_that_is_not_trained_are_inspected(jobs: pd.DataFrame, cell: str) -> None:
    document = rnncli.inspect_gradients(jobs, cell=cell, horizon=6, hidden=6, layers=2, series=4, quick=True).to_json()
    assert [layer["layer"] for layer in document["layers"]] == [0, 1]
    assert document["source"] == "an untrained network"
    assert {layer["verdict"] for layer in document["layers"]} <= {"vanishing", "healthy", "exploding"}


def test_gradients_of_a_model_are_finite_at_every_lag(jobs: pd.DataFrame, model: Path) -> None:
    evidence = rnncli.inspect_gradients(jobs, model, series=6, quick=True).report.evidence
    assert len(set(evidence.groups.tolist())) == 6
    assert all(np.isfinite(layer.profile()).all() for layer in evidence.flow.layers)
    assert max(one.gradient for one in evidence.flow.tensors) > 0


def test_info_says_what_the_file_holds(model: Path) -> None:
    document = rnncli.info(model).to_json()
    assert (document["series"], document["forecast"]["horizon"], document["bytes"]) == (22, 12, model.stat().st_size)


def test_a_file_that_is_no_model_is_refused(jobs: pd.DataFrame, sample_data: Path) -> None:
    with pytest.raises(ModelRefused):
        rnncli.predict(jobs, sample_data / "us_employment.csv")


@pytest.mark.parametrize(
    "options", [{"horizn": 3}, {"horizon": 0}, {"quantiles": [1.5]}, {"cell": "lstn"}, {"season": 0}]
)
def test_options_that_make_no_sense_are_refused(jobs: pd.DataFrame, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        rnncli.train(jobs, **options)
