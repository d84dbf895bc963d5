"""Streams on threads of their own tell the same in the same order as on one."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest

from rnncli.training.side_by_side import side_by_side


def stream(name: str, count: int, pause: float = 0.0) -> Iterator[str]:
    for place in range(count):
        time.sleep(pause)
        yield f"{name}{place}"


def test_events_take_turns_however_long_each_takes() -> None:
    for pauses in ((0.01, 0.0), (0.0, 0.01)):
        streams = [stream("a", 3, pauses[0]), stream("b", 2, pauses[1])]
        assert list(side_by_side(streams, 2)) == ["a0", "b0", "a1", "b1", "a2"]


def test_one_worker_takes_one_after_the_other() -> None:
    assert list(side_by_side([stream("a", 2), stream("b", 2)], 1)) == ["a0", "a1", "b0", "b1"]


def test_while_an_event_is_looked_at_every_stream_rests() -> None:
    steps = [0, 0]

    def counting(place: int) -> Iterator[tuple[int, ...]]:
        for _ in range(20):
            steps[place] += 1
            yield tuple(steps)

    for _ in side_by_side([counting(0), counting(1)], 2):
        seen = list(steps)
        time.sleep(0.001)
        assert steps == seen


def test_what_goes_wrong_in_a_stream_is_raised() -> None:
    def failing() -> Iterator[str]:
        yield "f0"
        raise ArithmeticError("here")

    with pytest.raises(ArithmeticError, match="here"):
        list(side_by_side([stream("a", 5), failing()], 2))


def test_members_are_the_same_bits_on_one_thread_and_on_two(sample_data: object) -> None:
    import rnncli

    quick = {"steps": 8, "hidden": 5, "layers": 1, "batch": 8, "members": 3, "horizon": 4}
    one, two = (
        rnncli.train(f"{sample_data}/us_employment.csv", threads=threads, **quick).model.weights  # type: ignore[arg-type]
        for threads in (1, 2)
    )
    assert all(np.array_equal(one[name], two[name]) for name in one)
