"""Laws that the metrics keep for any numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnncli.metrics.point import mae, mase, rmse, smape
from rnncli.metrics.quantile import weighted_quantile_loss
from rnncli.metrics.scale import seasonal_scale

VALUES = st.floats(-1e6, 1e6).map(lambda x: round(x, 3)) | st.just(float("nan"))
FINITE = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))
LEVELS = (0.1, 0.5, 0.9)


@settings(max_examples=60, deadline=None)
@given(arrays(float, 12, elements=VALUES), arrays(float, 12, elements=FINITE), st.integers(-20, 20))
def test_scaling_the_units_changes_no_scaled_metric(y: np.ndarray, f: np.ndarray, power: int) -> None:
    c = 2.0**power
    wide = np.sort(np.stack([f - 1, f, f + 2], axis=-1), axis=-1)
    for before, after in (
        (smape(y, f), smape(c * y, c * f)),
        (mase(y, f, np.array(seasonal_scale(y, 1))), mase(c * y, c * f, np.array(seasonal_scale(c * y, 1)))),
        (weighted_quantile_loss(y, wide, LEVELS), weighted_quantile_loss(c * y, c * wide, LEVELS)),
    ):
        np.testing.assert_array_equal(before, after)


@settings(max_examples=60, deadline=None)
@given(arrays(float, 6, elements=st.floats(allow_nan=True)), arrays(float, 6, elements=st.floats(allow_nan=True)))
def test_no_metric_is_ever_infinite(y: np.ndarray, f: np.ndarray) -> None:
    scale = np.array(seasonal_scale(y, 1))
    values = [mae(y, f), rmse(y, f), smape(y, f), mase(y, f, scale), scale]
    values.append(weighted_quantile_loss(y, np.stack([f, f, f], axis=-1), LEVELS))
    assert not np.isinf(values).any()


@settings(max_examples=60, deadline=None)
@given(arrays(float, 8, elements=VALUES), arrays(float, 8, elements=FINITE))
def test_rmse_is_never_below_mae_and_smape_never_above_200(y: np.ndarray, f: np.ndarray) -> None:
    if np.isnan(y).all():
        return
    assert rmse(y, f) >= mae(y, f) * (1 - 1e-12)
    assert 0 <= smape(y, f) <= 200 + 1e-9
