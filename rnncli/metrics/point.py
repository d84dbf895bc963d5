"""Metrics of a point forecast over the last axis, the horizon; steps whose actual value is NaN are left out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnncli.metrics.metric import Floats, Forecasts, Metric, Terms, averaged, ratio


def mae(actual: Floats, forecast: Floats) -> Floats:
    """Mean absolute error, mean |y - f|, in the units of y: [..., H], [..., H] -> [...]."""
    return ratio(*absolute_terms(actual, forecast))


def mse(actual: Floats, forecast: Floats) -> Floats:
    """Mean squared error, mean (y - f)^2, in squared units of y: [..., H], [..., H] -> [...]."""
    return ratio(*squared_terms(actual, forecast))


def rmse(actual: Floats, forecast: Floats) -> Floats:
    """Root mean squared error, sqrt(mean (y - f)^2), in the units of y: [..., H], [..., H] -> [...]."""
    return np.sqrt(mse(actual, forecast))


def smape(actual: Floats, forecast: Floats) -> Floats:
    """Symmetric percentage error, mean 200 |y - f| / (|y| + |f|), from 0 to 200: [..., H], [..., H] -> [...].

    As in the M4 competition (Makridakis, Spiliotis & Assimakopoulos 2020). A step where both are 0 counts as 0.
    """
    return ratio(*percentage_terms(actual, forecast))


def mase(actual: Floats, forecast: Floats, scale: Floats) -> Floats:
    """Mean absolute scaled error, MAE / scale: [..., H], [..., H], [...] -> [...].

    `scale` is the history's `seasonal_scale` (Hyndman & Koehler 2006). NaN where the scale is 0 or undefined.
    """
    return ratio(mae(actual, forecast), scale)


def rmsse(actual: Floats, forecast: Floats, squared_scale: Floats) -> Floats:
    """Root mean squared scaled error, sqrt(MSE / squared scale): [..., H], [..., H], [...] -> [...].

    Hyndman & Koehler 2006, section 4; the M5 competition's with seasonal differences in the place of one-step ones.
    """
    return np.sqrt(ratio(mse(actual, forecast), squared_scale))


@np.errstate(all="ignore")
def absolute_terms(actual: Floats, forecast: Floats) -> Terms:
    """Sum of |y - f| and the number of observed steps."""
    seen = ~np.isnan(actual)
    return np.where(seen, np.abs(actual - forecast), 0.0).sum(axis=-1), count(seen)


@np.errstate(all="ignore")
def squared_terms(actual: Floats, forecast: Floats) -> Terms:
    """Sum of (y - f)^2 and the number of observed steps."""
    seen = ~np.isnan(actual)
    return np.where(seen, (actual - forecast) ** 2, 0.0).sum(axis=-1), count(seen)


@np.errstate(all="ignore")
def percentage_terms(actual: Floats, forecast: Floats) -> Terms:
    """Sum of 200 |y - f| / (|y| + |f|) and the number of observed steps."""
    seen = ~np.isnan(actual)
    size = np.abs(actual) + np.abs(forecast)
    share = np.where(size == 0, 0.0, 200 * np.abs(actual - forecast) / size)
    return np.where(seen, share, 0.0).sum(axis=-1), count(seen)


def count(seen: NDArray[np.bool_]) -> Floats:
    """The number of steps of the last axis that are observed, as float64."""
    return np.asarray(seen.sum(axis=-1, dtype=np.float64))


def _mae(batch: Forecasts) -> dict[str, Terms]:
    return {"mae": absolute_terms(batch.actual, batch.point)}


def _rmse(batch: Forecasts) -> dict[str, Terms]:
    return {"rmse": squared_terms(batch.actual, batch.point)}


def _smape(batch: Forecasts) -> dict[str, Terms]:
    return {"smape": percentage_terms(batch.actual, batch.point)}


def _mase(batch: Forecasts) -> dict[str, Terms]:
    return {"mase": averaged(mase(batch.actual, batch.point, batch.scale))}


def _rmsse(batch: Forecasts) -> dict[str, Terms]:
    return {"rmsse": averaged(rmsse(batch.actual, batch.point, batch.squared_scale))}


MAE = Metric(_mae, pooled=True)
RMSE = Metric(_rmse, pooled=True, root=True)
SMAPE = Metric(_smape, pooled=False)
MASE = Metric(_mase, pooled=False)
RMSSE = Metric(_rmsse, pooled=False)
