"""Sums of rows' fingerprints: they add up however the rows are cut, and tell changed rows from what they were."""

from __future__ import annotations

import numpy as np
import pytest

from rnncli.inference.fingerprints import fingerprints

ROWS = 50


def summed(values: np.ndarray, channels: tuple[int, ...] = (0, 1), first: int = 0) -> int:
    return int(fingerprints(values, channels, np.array([first]), np.array([len(values)]))[0])


@pytest.fixture
def values() -> np.ndarray:
    found = np.random.default_rng(0).normal(size=(ROWS, 3))
    found[7, 0] = np.nan
    return found


@pytest.mark.parametrize("cut", [0, 1, 7, 8, ROWS])
def test_the_sum_of_two_parts_is_that_of_the_whole(values: np.ndarray, cut: int) -> None:
    with np.errstate(over="ignore"):
        parts = np.int64(summed(values[:cut])) + np.int64(summed(values[cut:], first=cut))
    assert int(parts) == summed(values)


def test_many_series_have_the_sums_of_each_alone(values: np.ndarray) -> None:
    lengths = np.array([10, 0, 25, 15])
    found = fingerprints(values, (0, 1), np.array([3, 0, 0, 8]), lengths)
    ends = np.cumsum(lengths)
    for s, (first, length, end) in enumerate(zip((3, 0, 0, 8), lengths, ends, strict=True)):
        assert int(found[s]) == summed(values[end - length : end], first=first)


def test_a_row_that_is_changed_moved_or_filled_in_changes_the_sum(values: np.ndarray) -> None:
    changed, moved, filled = values.copy(), values.copy(), values.copy()
    changed[3, 1] = np.nextafter(changed[3, 1], 1e9)
    moved[[4, 5]] = moved[[5, 4]]
    filled[7, 0] = 0.0
    assert len({summed(values), summed(changed), summed(moved), summed(filled)}) == 4


def test_what_is_not_compared_and_how_a_value_is_written_change_nothing(values: np.ndarray) -> None:
    other = values.copy()
    other[:, 2] += 1
    other[7, 0] = np.array([0xFFF8000000000001], np.uint64).view(np.float64)[0]  # another NaN
    assert summed(other) == summed(values)
    assert summed(np.zeros((3, 2))) == summed(-np.zeros((3, 2)))
