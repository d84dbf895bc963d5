"""Medians of times, by hand."""

from __future__ import annotations

import numpy as np

from rnncli.baselines.tokens.documents import Documents
from rnncli.baselines.tokens.waits import time, time_after

NAN = np.nan
LEVELS = (0.25, 0.5)
TRAINED = Documents(np.array([2, 3, 3, 2, 3, 1]), np.array([0, 3, 6]), np.array([NAN, 1, 4, NAN, 3, NAN]), LEVELS)
ASKED = Documents(np.array([3, 2, 4, 3]), np.array([0, 4]), np.array([NAN, 1, 1, 1]), LEVELS)


def test_all_times_have_one_median() -> None:
    said = time.learn(TRAINED, 5).said(ASKED)
    assert said.waits is not None
    np.testing.assert_array_equal(said.waits, np.tile([2.0, 3.0], (4, 1)))
    assert np.isnan(said.log_probabilities).all()


def test_times_after_an_event_have_their_own_and_after_one_that_was_never_last_that_of_all() -> None:
    said = time_after.learn(TRAINED, 5).said(ASKED)
    assert said.waits is not None
    np.testing.assert_array_equal(said.waits[:, 1], [3, 4, 2, 3])  # at the beginning, after 3, after 2, after 4


def test_without_any_time_nothing_is_said() -> None:
    none = Documents(TRAINED.codes, TRAINED.offsets, np.full(6, NAN), LEVELS)
    said = time_after.learn(none, 5).said(ASKED)
    assert said.waits is not None
    assert np.isnan(said.waits).all()
