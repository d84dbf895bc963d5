"""What 80 % intervals of series that have just begun hold, for two laws and several trainings."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import rnncli
from tests.workflows.test_each_series import level, table, walk

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]

HORIZON, SERIES = 7, 300
Say = Callable[[str], None]


@pytest.mark.parametrize("law", [level, walk])
def test_intervals_hold_what_they_promise_from_the_first_row_on(
    law: Callable[[np.random.Generator, int], np.ndarray], say: Say
) -> None:
    for rows in (1, 3, 10):
        held = [_held(law, rows, seed) for seed in (1, 2, 3)]
        say(f"{law.__name__}, {rows} rows: {min(held):.2f} to {max(held):.2f} within 80 % intervals")
        assert 0.7 < np.mean(held) < 0.95


def _held(law: Callable[[np.random.Generator, int], np.ndarray], rows: int, seed: int) -> float:
    """The share of new series' values in the intervals of a model of twenty series of sixty rows."""
    rng = np.random.default_rng(seed)
    taught = np.array([law(rng, 60) for _ in range(20)])
    model = rnncli.train(table(taught), horizon=HORIZON, quantiles=(0.1, 0.5, 0.9), steps=100)
    new = np.array([law(rng, 60 + HORIZON) for _ in range(SERIES)])
    found = rnncli.predict(table(new[:, 60 - rows : 60], 60 - rows), model=model).to_arrow()
    low, high = (found[name].to_numpy().reshape(SERIES, HORIZON) for name in ("q0.1", "q0.9"))
    actual = new[:, 60:]
    return float(((low <= actual) & (actual <= high)).mean())
