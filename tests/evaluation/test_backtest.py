"""Where a backtest cuts, and what it may call honest."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rnncli.data.panel import Panel
from rnncli.errors import InputRefused, UsageError
from rnncli.evaluation.backtest import Split, relative_to_cutoffs, rolling_origins

NAN = float("nan")
Build = Callable[..., Panel]
TEN = [float(k) for k in range(10)]


def test_the_last_origin_leaves_exactly_the_horizon(panel: Build) -> None:
    (split,) = rolling_origins(panel({"a": TEN, "b": TEN[:5]}), 3)
    assert split.rows_kept.tolist() == [7, 2]


def test_windows_are_a_horizon_apart_and_the_earliest_comes_first(panel: Build) -> None:
    assert [s.rows_kept.tolist() for s in rolling_origins(panel({"a": TEN}), 2, windows=3)] == [[4], [6], [8]]


def test_the_stride_can_be_chosen(panel: Build) -> None:
    assert [s.rows_kept.tolist() for s in rolling_origins(panel({"a": TEN}), 2, windows=3, stride=1)] == [[6], [7], [8]]


def test_a_series_too_short_for_a_window_is_skipped_there_and_counted(panel: Build) -> None:
    early, late = rolling_origins(panel({"a": TEN, "b": TEN[:4]}), 3, windows=2)
    assert (early.series.tolist(), early.skipped) == ([0], 1)
    assert (late.series.tolist(), late.skipped) == ([0, 1], 0)


def test_a_series_without_an_observed_value_before_the_origin_is_skipped(panel: Build) -> None:
    (split,) = rolling_origins(panel({"a": [NAN, NAN, 1.0, 2.0], "b": [NAN, 5.0, 1.0, 2.0], "c": [NAN] * 4}), 2)
    assert (split.series.tolist(), split.skipped) == ([1], 2)


def test_a_window_without_any_series_is_left_out(panel: Build) -> None:
    assert len(rolling_origins(panel({"a": TEN[:5]}), 2, windows=9)) == 2


def test_data_too_short_for_any_window_are_refused(panel: Build) -> None:
    with pytest.raises(InputRefused, match="hide 10 rows"):
        rolling_origins(panel({"a": TEN}), 10)


@pytest.mark.parametrize("wrong", [{"horizon": 0}, {"windows": 0}, {"stride": 0}])
def test_a_count_below_one_is_a_usage_error(wrong: dict[str, int], panel: Build) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        rolling_origins(panel({"a": TEN}), **{"horizon": 2, **wrong})


def test_the_past_ends_at_the_origin_and_the_actual_values_begin_there(panel: Build) -> None:
    data = panel({"a": TEN, "b": TEN[:5]})
    (split,) = rolling_origins(data, 3)
    past, (values, offsets) = split.past(data), split.history(data)
    assert past.target(0).tolist() == TEN[:7]
    assert past.target(1).tolist() == TEN[:2]
    np.testing.assert_array_equal(values, past.values[:, 0])
    np.testing.assert_array_equal(offsets, past.offsets)
    assert split.actual(data).tolist() == [[7, 8, 9], [2, 3, 4]]


def test_actual_values_beyond_the_end_are_missing(panel: Build) -> None:
    split = Split(np.array([0]), np.array([8]), 4)
    np.testing.assert_array_equal(split.actual(panel({"a": TEN, "b": TEN})), [[8, 9, NAN, NAN]])


def test_an_origin_is_honest_from_the_training_cutoff_on(panel: Build) -> None:
    data = panel({"a": TEN}, start=100)
    splits = rolling_origins(data, 2, windows=3)
    flags = relative_to_cutoffs(data, splits, {"a": 105})
    assert [flag.tolist() for flag in flags] == [[False], [True], [True]]


def test_a_series_that_training_never_saw_is_always_honest(panel: Build) -> None:
    data = panel({"a": TEN, "new": TEN})
    (flags,) = relative_to_cutoffs(data, rolling_origins(data, 2), {"a": 9})
    assert flags.tolist() == [False, True]
