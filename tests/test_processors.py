"""Work is shared out among processes, and what it makes does not depend on how many they are."""

from __future__ import annotations

import os

import numpy as np
import pytest

from rnncli.processors import share_out, shared_array


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 9, 10_000])
def test_each_piece_is_done_once(count: int, workers: int) -> None:
    made = shared_array(count)

    def work(number: int) -> None:
        made[number] += number + 1

    share_out(work, count, workers)
    np.testing.assert_array_equal(made, np.arange(count) + 1)


def test_several_processes_share_the_work() -> None:
    made = shared_array(64)

    def work(number: int) -> None:
        made[number] = os.getpid()
        sum(range(200_000))

    share_out(work, 64, 2)
    assert len(set(made.tolist())) == 2


def test_what_a_process_raises_is_raised_here() -> None:
    def work(number: int) -> None:
        if number == 37:
            raise ValueError("thirty-seven")

    with pytest.raises(ValueError, match="thirty-seven"):
        share_out(work, 64, 2)


def test_what_a_killed_process_had_taken_is_done_again() -> None:
    made, own = shared_array(64), os.getpid()

    def work(number: int) -> None:
        if os.getpid() != own and number > 20:
            os.kill(os.getpid(), 9)
        made[number] = number
        sum(range(100_000))

    share_out(work, 64, 3)
    np.testing.assert_array_equal(made, np.arange(64))
