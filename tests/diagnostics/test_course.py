"""Collapses and plateaus of losses, and what is neither."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from rnncli.diagnostics.course import WINDOW, Course


def seen(losses: Iterable[float], steps: int = 400) -> list[tuple[int, str]]:
    course, found = Course(steps), []
    for step, loss in enumerate(losses, 1):
        told = course.count(loss)
        if told is not None:
            found.append((step, told[0]))
    return found


def noisy(level: np.ndarray) -> list[float]:
    return (level * np.random.default_rng(0).lognormal(0, 0.3, len(level))).tolist()


def test_a_loss_that_falls_is_no_reason_to_stop() -> None:
    assert seen(noisy(0.5 + 0.5 * np.exp(-np.arange(400) / 80))) == []


def test_a_single_bad_step_is_no_collapse() -> None:
    losses = noisy(np.full(400, 0.6))
    losses[200] = 5.0
    losses[0] = 3.0  # the first windows are worse, so that something is learnt
    assert seen(losses) == []


def test_what_was_learnt_and_is_lost_is_a_collapse_once() -> None:
    losses = noisy(np.where(np.arange(400) < 150, 1 / (1 + np.arange(400) / 50), 2.0))
    ((step, course),) = seen(losses)
    assert course == "collapse"
    assert 150 < step <= 150 + WINDOW


@pytest.mark.parametrize("steps", [200, 400, 1000])
def test_nothing_learnt_in_half_of_the_steps_is_a_plateau(steps: int) -> None:
    assert seen([0.7] * steps, steps) == [(steps // 2, "plateau")]


def test_nothing_is_said_of_a_short_training() -> None:
    assert seen([0.7] * 60, 60) == []
