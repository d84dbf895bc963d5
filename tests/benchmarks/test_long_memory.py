"""Which cells learn what needs a long memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rnncli.nn.runtime import prepared
from tests.benchmarks.long_memory import RATE_OF_IRNN, TASKS, learn

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]
IRNN = {"activation": "relu", "init": "identity", "rate": RATE_OF_IRNN}


@pytest.mark.parametrize(
    ("task", "steps", "cell", "most", "options"),
    [
        ("adding", 150, "rnn", 1500, IRNN),
        ("adding", 200, "lstm", 2000, {}),
        ("adding", 200, "gru", 2000, {}),
        ("adding", 200, "mingru,mingru", 2000, {}),
        ("latch", 200, "lstm", 1000, {}),
        ("latch", 200, "gru", 1000, {}),
    ],
)
def test_a_cell_learns_it(
    task: str, steps: int, cell: str, most: int, options: dict[str, str | float], say: Callable[[str], None]
) -> None:
    with prepared(1):
        found = learn(task, steps, cell, most, **options)  # type: ignore[arg-type]
    say(f"{task} {steps}, {cell}: loss {found.loss:.4f} after {found.steps} steps and {found.seconds:.0f} CPU s")
    assert found.loss < TASKS[task].baseline(steps) / 10


def test_the_tanh_network_does_not_learn_to_add_over_150_steps(say: Callable[[str], None]) -> None:
    with prepared(1):
        found = learn("adding", 150, "rnn", 2000, init="orthogonal")
    say(f"adding 150, tanh rnn: loss {found.loss:.4f} after {found.steps} steps; who remembers nothing has 0.1667")
    assert found.loss > 0.1
