"""An evaluation from panel to report."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from rnncli.baselines.naive import seasonal_naive
from rnncli.data.panel import Panel
from rnncli.errors import RnncliError
from rnncli.evaluation.backtest import Split, relative_to_cutoffs, rolling_origins
from rnncli.evaluation.report import Report
from rnncli.evaluation.run import evaluate_made
from rnncli.registry import METRICS

LEVELS = (0.1, 0.5, 0.9)
Build = Callable[..., Panel]


@pytest.fixture
def data(panel: Build) -> Panel:
    draw = np.random.default_rng(0)
    return panel({name: draw.normal(10, 3, n).tolist() for name, n in (("a", 40), ("b", 25), ("c", 9))})


def _same_as_seasonal_naive(past: Panel) -> tuple[np.ndarray, np.ndarray]:
    return seasonal_naive.quantiles(past.values[:, 0], past.offsets, 3, 4, LEVELS)


def _far_off(past: Panel) -> tuple[np.ndarray, np.ndarray]:
    return np.full((len(past), 3, 3), 1e6), np.full((len(past), 3), 1e6)


def _scored(
    data: Panel,
    splits: list[Split],
    forecast: Callable[[Panel], tuple[np.ndarray, np.ndarray]],
    honest: list[np.ndarray] | None = None,
) -> Report:
    """Each split's forecasts are made from its past alone."""
    return evaluate_made(data, splits, [forecast(split.past(data)) for split in splits], LEVELS, 4, honest)


def _report(data: Panel, windows: int = 2, cutoffs: dict[str, int] | None = None) -> Report:
    splits = rolling_origins(data, 3, windows=windows)
    honest = None if cutoffs is None else relative_to_cutoffs(data, splits, cutoffs)
    return _scored(data, splits, _same_as_seasonal_naive, honest)


def test_a_model_that_is_the_seasonal_naive_scores_the_same_and_has_no_skill(data: Panel) -> None:
    report = _report(data)
    assert report.scores["model"].overall == report.scores["seasonal naive"].overall
    assert set(report.skill["model"].values()) == {0.0}


def test_a_forecaster_sees_only_what_lies_before_the_origin(data: Panel) -> None:
    seen: list[Panel] = []

    def forecast(past: Panel) -> tuple[np.ndarray, np.ndarray]:
        seen.append(past)
        return _far_off(past)

    _scored(data, rolling_origins(data, 3), forecast)
    assert [past.lengths.tolist() for past in seen] == [[37, 22, 6]]


def test_the_model_comes_first_and_all_baselines_follow(data: Panel) -> None:
    assert list(_report(data).scores) == ["model", "naive", "seasonal naive", "drift", "exponential smoothing"]


def test_a_far_off_model_has_negative_skill(data: Panel) -> None:
    report = _scored(data, rolling_origins(data, 3), _far_off)
    assert report.skill["model"]["mase"] < -1000


def test_windows_tell_what_was_scored_and_skipped(data: Panel) -> None:
    report = _report(data, windows=3)
    assert [(w.forecasts, w.values, w.skipped) for w in report.windows] == [(2, 6, 1), (3, 9, 0), (3, 9, 0)]


def test_one_forecast_before_the_cutoff_marks_the_report_and_its_series_in_sample(data: Panel) -> None:
    report = _report(data, cutoffs={"a": 39})
    assert report.in_sample is True
    marked = {(row["id"], row["forecaster"]) for row in report.series_rows() if row["in_sample"]}
    assert marked == {("a", "model")}


def test_a_report_after_every_cutoff_is_honest(data: Panel) -> None:
    assert _report(data, cutoffs={"a": 30}).in_sample is False


def test_the_document_is_json_with_null_for_undefined(panel: Build) -> None:
    flat = panel({"zeros": [0.0] * 20, "fives": [5.0] * 20})
    text = json.dumps(_report(flat).to_json(by="series"), allow_nan=False)
    document = json.loads(text)
    assert document["schema"] == "rnncli.evaluate/1"
    assert document["scores"]["model"]["mase"] is None
    assert document["scores"]["model"]["mae"] == 0
    assert document["skill_vs_seasonal_naive"]["model"]["mae"] is None
    assert document["n_undefined"]["model"]["mase"] == 2
    assert len(document["by_series"]) == 10


def test_rows_by_series_have_every_metric(data: Panel) -> None:
    row = _report(data).series_rows()[0]
    assert list(row)[:3] == ["id", "forecaster", "in_sample"]
    assert [name.removesuffix("_80") for name in list(row)[3:]] == list(METRICS["forecast"])


def test_a_forecast_of_the_wrong_shape_is_our_bug(data: Panel) -> None:
    with pytest.raises(RnncliError, match="shape"):
        _scored(data, rolling_origins(data, 2), _far_off)
