"""`train --min X --max Y`: values and forecasts lie within, and what does not is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnncli
from rnncli import model as models

QUICK: dict[str, Any] = {"steps": 3, "hidden": 4, "layers": 1, "batch": 4, "threads": 1, "horizon": 6}


@pytest.fixture(scope="module")
def shares() -> pd.DataFrame:
    """Two series of percentages that often lie at their bounds."""
    rng = np.random.default_rng(4)
    day = pd.date_range("2024-01-01", periods=70)
    parts = [
        pd.DataFrame({"id": name, "day": day, "full": np.clip(middle + rng.normal(0, 90, 70), 0, 100).round(1)})
        for name, middle in (("a", 80), ("b", 20))
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def model(shares: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shares") / "shares.safetensors"
    rnncli.train(shares, output=path, min=0, max=100, **QUICK)
    return path


def test_every_quantile_lies_within_the_bounds(shares: pd.DataFrame, model: Path) -> None:
    for horizon, point in ((6, "median"), (20, "mean")):
        table = rnncli.predict(shares, model, horizon=horizon, point=point).table  # type: ignore[arg-type]
        every = np.concatenate([table.quantiles, table.point[..., None]], axis=2)
        assert np.isfinite(every).all()
        assert (every >= 0).all()
        assert (every <= 100).all()
        assert (np.diff(table.quantiles, axis=2) >= 0).all()
    assert (rnncli.predict(shares, model).table.quantiles == 100).any()


def test_the_model_says_its_bounds(model: Path) -> None:
    spec = models.load(model).spec
    assert (spec.floor, spec.ceiling, spec.minimum, spec.maximum) == (0, 100, 0, 100)
    assert ("values", "identity link, never below 0, never above 100; each series as it shows itself") in models.load(
        model
    ).facts()


@pytest.mark.parametrize(("value", "says"), [(101.5, "above the maximum"), (-3.0, "below the minimum")])
def test_a_value_outside_is_refused_with_series_and_time(
    shares: pd.DataFrame, model: Path, value: float, says: str
) -> None:
    wrong = shares.assign(full=shares.full.where((shares.id != "b") | (shares.day != "2024-02-03"), value))
    for attempt in (
        lambda: rnncli.train(wrong, min=0, max=100, **QUICK),
        lambda: rnncli.predict(wrong, model),
        lambda: rnncli.evaluate(wrong, model, refit=False),
    ):
        with pytest.raises(rnncli.InputRefused, match=f"the value {value} is {says}") as error:
            attempt()
        assert error.value.where == "series 'b' at 2024-02-03"
    assert rnncli.predict(wrong, model, on_bad_series="skip").table.ids == ("a",)
    assert [e.series for e in rnncli.train(wrong, min=0, max=100, on_bad_series="skip", **QUICK).skipped] == ["b"]


def test_positive_series_that_may_be_negative_are_not_forecast_in_the_log(shares: pd.DataFrame) -> None:
    positive = shares.assign(full=shares.full + 1)
    plain = rnncli.train(positive, **QUICK).model.spec
    signed = rnncli.train(positive, min=-5, **QUICK).model.spec
    assert (plain.link, plain.floor, plain.minimum) == ("log", 0, None)
    assert (signed.link, signed.floor, signed.ceiling) == ("identity", -5, None)
    assert signed.spread_prior != plain.spread_prior


def test_a_maximum_alone_leaves_the_floor_that_was_seen(shares: pd.DataFrame) -> None:
    spec = rnncli.train(shares, max=100, **QUICK).model.spec
    assert (spec.floor, spec.ceiling, spec.minimum) == (0, 100, None)


def test_a_refit_and_a_warm_start_keep_the_bounds(shares: pd.DataFrame, model: Path) -> None:
    from rnncli.spec import ColumnChoices
    from rnncli.tasks.forecast.plan import fitted_to
    from rnncli.tasks.forecast.reading import load_known

    loaded = load_known(shares, ColumnChoices(), models.load(model), lambda _: None)
    spec = fitted_to(loaded.panel, models.load(model).spec)
    assert (spec.floor, spec.ceiling, spec.minimum, spec.maximum) == (0, 100, 0, 100)
    warm = rnncli.train(shares, warm_start=model, steps=2, threads=1).model.spec
    assert (warm.floor, warm.ceiling) == (0, 100)
    with pytest.raises(rnncli.InputRefused, match="above the maximum"):
        rnncli.train(shares.assign(full=shares.full * 2), warm_start=model, steps=2, threads=1)


@pytest.mark.parametrize("options", [{"min": 3, "max": 3}, {"min": 5, "max": 1}, {"max": float("inf")}])
def test_bounds_between_which_nothing_lies_are_a_mistake(shares: pd.DataFrame, options: dict[str, float]) -> None:
    with pytest.raises(rnncli.UsageError, match="--m"):
        rnncli.train(shares, **options, **QUICK)  # type: ignore[arg-type]


def test_bounds_belong_to_the_model_that_is_trained_on(shares: pd.DataFrame, model: Path) -> None:
    with pytest.raises(rnncli.UsageError, match="--max describes a model"):
        rnncli.train(shares, warm_start=model, max=200)
