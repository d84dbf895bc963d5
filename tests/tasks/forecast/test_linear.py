"""The linear map of a pool: found by least squares, blind to shifts and sizes, and used where held-out rows say so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import rnncli
from rnncli import checkpoint
from rnncli import model as models
from rnncli.data.panel import Panel
from rnncli.errors import ModelRefused
from rnncli.tasks.forecast import plan
from rnncli.tasks.forecast.forecaster import Forecaster
from rnncli.tasks.forecast.linear import LINEAR, LinearMap, around, fitted_maps, looked_back_on, of_all_rows
from rnncli.tasks.forecast.spec import ForecastSpec

HORIZON, ROWS = 6, 28
LAGS = {10: -0.48, 17: 0.48}  # no period, so that nothing in a pool but a linear map knows them
LEVELS = (0.1, 0.5, 0.9)


def echoes(count: int, rows: int, seed: int = 0) -> list[np.ndarray]:
    """Series whose values follow from those of the lags, and a little noise."""
    noise = 0.1 * np.random.default_rng(seed).normal(0, 1, (count, rows))
    y = noise * 10
    for t in range(max(LAGS), rows):
        y[:, t] = sum(share * y[:, t - lag] for lag, share in LAGS.items()) + noise[:, t]
    return [100 + 10 * one / one.std() for one in y]


@pytest.fixture(scope="module")
def panel(build: Callable[..., Panel]) -> Panel:
    return build(*echoes(8, 300))


@pytest.fixture(scope="module")
def spec(panel: Panel) -> ForecastSpec:
    return plan.forecast_spec(panel, HORIZON, LEVELS)


@pytest.fixture(scope="module")
def fitted(panel: Panel, spec: ForecastSpec) -> LinearMap:
    (found,) = fitted_maps(panel, panel.lengths, [ROWS], spec, [0.1])
    return found


def test_the_map_is_that_of_ridge_regression(panel: Panel, fitted: LinearMap) -> None:
    x, y = [], []
    for s in range(len(panel)):
        values = panel.target(s)
        for origin in range(ROWS, len(values) - HORIZON + 1):
            past, ahead = values[origin - ROWS : origin], values[origin : origin + HORIZON]
            x.append((past - past[-1]) / past.std())
            y.append((ahead - past[-1]) / past.std())
    strength = np.sqrt(0.1 * np.square(x).sum() / ROWS)
    expected, *_ = np.linalg.lstsq(
        np.vstack([x, strength * np.eye(ROWS)]), np.vstack([y, np.zeros((ROWS, HORIZON))]), rcond=None
    )
    np.testing.assert_allclose(fitted.weight, expected.T, atol=1e-5)


def test_it_finds_the_lags_from_which_the_rows_follow(panel: Panel, fitted: LinearMap) -> None:
    for step in range(HORIZON):
        for lag, share in LAGS.items():
            assert np.abs(fitted.weight[step]).argsort()[-2:].tolist().count(ROWS - lag + step) == 1
            assert np.sign(fitted.weight[step, ROWS - lag + step]) == np.sign(share)
    ends = panel.lengths - HORIZON
    points = fitted.points(panel, np.arange(len(panel)), ends)
    ahead = np.stack([panel.target(s)[-HORIZON:] for s in range(len(panel))])
    last = np.stack([panel.target(s)[-HORIZON - 1 : -HORIZON] for s in range(len(panel))])
    assert np.abs(points - ahead).mean() < 0.5 * np.abs(last - ahead).mean()


def test_shifted_and_stretched_series_have_shifted_and_stretched_forecasts(panel: Panel, fitted: LinearMap) -> None:
    every, ends = np.arange(len(panel)), panel.lengths
    moved = replace(panel, values=1_000 - 3 * panel.values)
    expected = 1_000 - 3 * fitted.points(panel, every, ends)
    np.testing.assert_allclose(fitted.points(moved, every, ends), expected, rtol=1e-12)


def test_a_series_has_the_same_bits_alone_and_among_others(panel: Panel, fitted: LinearMap) -> None:
    every, ends = np.arange(len(panel)), panel.lengths - np.arange(len(panel))
    together = fitted.points(panel, every, ends)
    alone = [fitted.points(panel, every[s : s + 1], ends[s : s + 1])[0] for s in range(len(panel))]
    assert together.tobytes() == np.stack(alone).tobytes()


def test_missing_rows_and_short_series_are_filled(build: Callable[..., Panel], fitted: LinearMap) -> None:
    whole = np.full(ROWS, 5.0)
    holes = whole.copy()
    holes[3:9] = np.nan
    long_ago = [4.0, 5.0, *[np.nan] * (ROWS + 2)]
    panel = build(whole, holes, [5.0, 5.0], long_ago, [np.nan, np.nan])
    points = fitted.points(panel, np.arange(5), panel.lengths)
    np.testing.assert_allclose(points[:4], 5.0)
    assert np.isnan(points[4]).all()


def test_it_looks_back_no_further_than_half_of_the_origins_can(spec: ForecastSpec) -> None:
    assert looked_back_on(spec, np.full(8, 240), np.full(40, 60)) == [7, 14, 21, 49]
    assert looked_back_on(spec, np.full(8, 240), np.full(40, 20)) == [7, 14]
    assert looked_back_on(spec, np.full(1, 30), np.full(5, 30)) == []


def test_it_stays_as_it_is_where_the_rows_that_come_are_missing(panel: Panel, spec: ForecastSpec) -> None:
    (searched,) = fitted_maps(panel, panel.lengths // 2, [ROWS], spec, [0.1])
    assert (of_all_rows(searched, panel, spec).weight != searched.weight).any()
    lost = replace(panel, values=np.where(np.arange(len(panel.values))[:, None] % 5, panel.values, np.nan))
    assert of_all_rows(searched, lost, spec) is searched


def test_quantiles_lie_around_the_points_as_the_networks_do(spec: ForecastSpec) -> None:
    network = np.array([[[1.0, 3.0, 4.0]] * HORIZON])
    made = around(np.full((1, HORIZON), 10.0), network, replace(spec, levels=LEVELS))
    assert made[0, 0].tolist() == [8.0, 10.0, 11.0]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Forecaster, Path]:
    """A network that has learnt nothing, beside a map that knows what comes again; and its data."""
    folder = tmp_path_factory.mktemp("linear")
    lines = ["id,day,y"]
    for s, values in enumerate(echoes(8, 300)):
        days = np.datetime64("2024-01-01") + np.arange(len(values))
        lines += [f"s{s},{day},{value:.4f}" for day, value in zip(days, values, strict=True)]
    (folder / "echoes.csv").write_text("\n".join(lines) + "\n")
    size = {"hidden": 4, "layers": 1, "members": 1, "steps": 2, "horizon": HORIZON, "from_scratch": True}
    made = rnncli.train(folder / "echoes.csv", output=folder / "m.safetensors", **size)
    return made.model, folder / "echoes.csv"


def test_held_out_rows_give_it_its_share(trained: tuple[Forecaster, Path]) -> None:
    model, _ = trained
    assert dict(zip(model.pool.names, model.pool.weights, strict=True))[LINEAR] > 0.5
    scores = model.record["validation"]
    assert scores["forecast"]["mase"] < 0.7 * min(scores[name]["mase"] for name in scores if name != "forecast")


def test_its_file_forecasts_the_same(trained: tuple[Forecaster, Path], tmp_path: Path) -> None:
    model, data = trained
    model.save(tmp_path / "again.safetensors")
    first, again = (rnncli.predict(data, one).table for one in (model, tmp_path / "again.safetensors"))
    assert first.quantiles.tobytes() == again.quantiles.tobytes()


def test_a_series_whose_last_rows_are_empty_is_forecast(trained: tuple[Forecaster, Path], tmp_path: Path) -> None:
    model, data = trained
    header, *rows = data.read_text().splitlines()
    empty = [row.rpartition(",")[0] + "," if row.startswith("s3") and row[3:] > "2024-09" else row for row in rows]
    (tmp_path / "empty.csv").write_text("\n".join([header, *empty]) + "\n")
    assert model.linear is not None
    assert model.linear.rows < sum(row.endswith(",") for row in empty)
    assert np.isfinite(rnncli.predict(tmp_path / "empty.csv", model).table.quantiles).all()


def test_a_state_that_goes_on_forecasts_what_the_whole_does(trained: tuple[Forecaster, Path], tmp_path: Path) -> None:
    model, data = trained
    header, *rows = data.read_text().splitlines()
    parts = [row for row in rows if row.split(",")[1] < "2024-10-01"], [row for row in rows if row[3:] >= "2024-10-01"]
    for number, part in enumerate(parts):
        (tmp_path / f"{number}.csv").write_text("\n".join([header, *part]) + "\n")
    rnncli.predict(tmp_path / "0.csv", model, state=tmp_path / "state")
    in_parts = rnncli.predict(tmp_path / "1.csv", model, state=tmp_path / "state").table
    whole = rnncli.predict(data, model, state=tmp_path / "other").table
    assert in_parts.quantiles.tobytes() == whole.quantiles.tobytes()


@pytest.mark.parametrize(
    "change",
    [
        lambda meta: meta["linear"].__setitem__("rows", 0),
        lambda meta: meta["linear"].__setitem__("rows", 5_000),
        lambda meta: meta["linear"].__setitem__("penalty", "much"),
        lambda meta: meta.__delitem__("linear"),
    ],
)
def test_a_file_that_contradicts_its_map_is_refused(
    trained: tuple[Forecaster, Path], change: Callable[[dict[str, object]], None]
) -> None:
    model, _ = trained
    tensors, meta = model.task.to_file(model)
    change(meta)
    with pytest.raises(ModelRefused):
        models.from_bytes(checkpoint.to_bytes(tensors, meta), "forged")
