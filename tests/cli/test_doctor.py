"""What the lines of the report of `rnncli inspect-gradients` say."""

from __future__ import annotations

import numpy as np

from rnncli.cli.doctor import _life
from rnncli.cli.sparkline import BARS, log_sparkline, sparkline
from rnncli.diagnostics.profile import LayerFlow


def life(profile: np.ndarray) -> str:
    return _life(LayerFlow(0, {"state": profile[:, None]}, np.zeros(1, np.int64)))


def test_a_finite_response_ends_and_has_no_half_life() -> None:
    assert life(np.where(np.arange(48) < 8, 1.0, 0.0)) == "ends at 8 steps"


def test_a_gradient_that_halves_or_does_not_fade_is_told_apart() -> None:
    assert life(0.5 ** np.arange(48)) == "1 steps"
    assert life(np.ones(48)) == "does not fade"


def test_lags_that_a_dilated_layer_reaches_are_seen_between_those_it_does_not() -> None:
    every_24th = np.where(np.arange(169) % 24 == 0, 0.9, 0.0)
    drawn = log_sparkline(every_24th.tolist(), 1e-7, 32)
    assert len(drawn) == 32
    assert drawn.count(BARS[-1]) == 8
    assert drawn.count(" ") == 24


def test_bars_that_values_share_show_their_mean() -> None:
    assert sparkline([0.0, 1.0, 1.0, 1.0], 0.0, 1.0, 2) == BARS[4] + BARS[-1]
