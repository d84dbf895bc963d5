"""Accuracy of the baselines on Australian quarterly beer production, as a textbook prints it.

Megalitres, Australian Bureau of Statistics: trained on 1992-2007, tested on 2008 to the middle of 2010. The table is
that of Hyndman & Athanasopoulos, Forecasting: Principles and Practice, second edition, section 3.4.
"""

from __future__ import annotations

import numpy as np
import pytest

from rnncli.baselines.naive import naive, seasonal_naive
from rnncli.metrics.point import mae, mase, rmse
from rnncli.metrics.scale import seasonal_scale

# fmt: off
PAST = np.array([
    443, 410, 420, 532, 433, 421, 410, 512, 449, 381, 423, 531, 426, 408, 416, 520,
    409, 398, 398, 507, 432, 398, 406, 526, 428, 397, 403, 517, 435, 383, 424, 521,
    421, 402, 414, 500, 451, 380, 416, 492, 428, 408, 406, 506, 435, 380, 421, 490,
    435, 390, 412, 454, 416, 403, 408, 482, 438, 386, 405, 491, 427, 383, 394, 473,
], dtype=float)
FUTURE = np.array([420, 390, 410, 488, 415, 398, 419, 488, 414, 374], dtype=float)
# fmt: on


@pytest.mark.parametrize(
    ("forecast", "published"),
    [
        (np.full(10, PAST.mean()), (38.45, 34.83, 2.44)),
        (naive(PAST, 10), (62.69, 57.40, 4.01)),
        (seasonal_naive(PAST, 10, 4), (14.31, 13.40, 0.94)),
    ],
    ids=["mean", "naive", "seasonal naive"],
)
def test_a_published_table_is_met_to_its_last_digit(
    forecast: np.ndarray, published: tuple[float, float, float]
) -> None:
    scale = np.array(seasonal_scale(PAST, 4))
    scores = (rmse(FUTURE, forecast), mae(FUTURE, forecast), mase(FUTURE, forecast, scale))
    assert scores == pytest.approx(published, abs=0.0051)
