"""A spec that contradicts itself, or that nothing can be done with, is refused in plain words."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

import rnncli
from rnncli.errors import UsageError
from rnncli.spec import TrainingSpec, initialisation

USUAL: dict[str, Any] = {
    "steps": 400,
    "batch": 64,
    "learning_rate": 3e-3,
    "weight_decay": 0.01,
    "clip": 1.0,
    "seed": 0,
    "averaging": 0.99,
    "evaluate_every": 33,
}


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("steps", 0, "steps must be above 0, not 0"),
        ("steps", 2**31, "steps must be at most 1,073,741,824, not 2,147,483,648"),
        ("batch", -1, "batch must be above 0"),
        ("batch", 2**24 + 1, "batch must be at most"),
        ("learning_rate", 0.0, "learning-rate must be above 0"),
        ("learning_rate", math.nan, "learning-rate must be above 0, not nan"),
        ("learning_rate", math.inf, "learning-rate must be at most"),
        ("clip", -1.0, "clip must be above 0"),
        ("clip_value", 1e39, "clip-value must be at most"),
        ("weight_decay", -0.1, "weight-decay must be 0 or above"),
        ("averaging", 1.0, r"averaging must be in \[0, 1\)"),
        ("averaging", math.nan, r"averaging must be in \[0, 1\)"),
        ("evaluate_every", 0, "evaluate-every must be above 0"),
        ("time_budget", 0.0, "time-budget must be above 0"),
        ("time_budget", math.inf, "time-budget must be at most"),
        ("tbptt", 0, "tbptt must be above 0"),
        ("seed", -1, "seed must be 0 or above"),
        ("seed", 2**62, "seed must be at most"),
    ],
)
def test_a_training_that_cannot_be_done_is_refused(name: str, value: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        TrainingSpec(**(USUAL | {name: value}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", 2**30),
        ("batch", 2**24),
        ("learning_rate", 1e30),
        ("clip", 1e300),
        ("clip_value", 1e38),
        ("weight_decay", 0.0),
        ("averaging", 0.0),
        ("evaluate_every", 1),
        ("time_budget", 1e300),
        ("tbptt", 2**62),
        ("seed", 2**62 - 1),
    ],
)
def test_whatever_training_can_do_is_allowed(name: str, value: Any) -> None:
    spec = TrainingSpec(**(USUAL | {name: value}))
    assert TrainingSpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize(
    "option",
    [
        {"seed": -1},
        {"seed": 2**63},
        {"steps": 2**40},
        {"batch": 2**61},
        {"learning_rate": 1e300},
        {"clip_value": 1e300},
        {"time_budget": math.inf},
        {"init": "chrono:1e300"},
        {"init": "nonsense"},
    ],
)
def test_an_option_that_nothing_can_be_done_with_is_refused(sample_data: Path, option: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        rnncli.train(sample_data / "co2_weekly.csv", **option)


@pytest.mark.parametrize("text", ["", "chrono:", "chrono:1", "chrono:nan", "chrono:inf", "uniform:2", "chrono:STEPS"])
def test_what_is_no_initialisation_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        initialisation(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [("orthogonal", 0.0), ("identity", 0.0), ("uniform", 0.0), ("chrono:2", 2.0), ("chrono:1e30", 1e30)],
)
def test_how_weights_begin_is_a_name_and_a_memory(text: str, found: float) -> None:
    assert initialisation(text) == (text.partition(":")[0], found)
