"""A time budget bounds steps, scores and judging; it is kept or refused, and decides on nothing but the steps."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rnncli
from rnncli.errors import UsageError
from rnncli.events import Noted
from rnncli.spec import TrainingSpec
from rnncli.tasks.plan import Costs, affordable
from rnncli.training.events import Finished

PLANNED = TrainingSpec(
    steps=640, batch=32, learning_rate=1e-3, weight_decay=0.0, clip=1.0, seed=0, averaging=0.9, evaluate_every=53,
    time_budget=100.0,
)  # fmt: skip
SMALL = {"horizon": 4, "hidden": 4, "layers": 1, "members": 1, "batch": 8, "threads": 1}


def spent(made: TrainingSpec, searches: int, refits: int, costs: Costs) -> float:
    """Seconds that a training takes if its parts take what was measured."""
    scores = -(-made.steps // made.evaluate_every)
    steps = (searches + 0.3 * refits) * made.steps
    return costs.once + steps * costs.step + searches * scores * costs.score


@pytest.mark.parametrize("costs", [Costs(0.01), Costs(0.2, 0.1, 20.0), Costs(0.5, 6.0, 40.0), Costs(0.01, 30.0, 5.0)])
def test_what_is_allowed_fits_the_budget_with_its_scores_and_the_judging(costs: Costs) -> None:
    made = affordable(PLANNED, 2, 1, costs)
    assert spent(made, 2, 1, costs) <= 100.0
    assert made.steps == 640 or spent(replace(made, steps=2 * made.steps + 2), 2, 1, costs) > 100.0


def test_a_budget_that_judging_alone_uses_up_is_refused_with_one_that_can_be_kept() -> None:
    costs = Costs(0.2, 1.0, 120.0)
    with pytest.raises(UsageError, match="to judge what is trained") as refused:
        affordable(PLANNED, 1, 1, costs)
    named = float(refused.value.hint.split()[2].removesuffix("s"))
    assert affordable(replace(PLANNED, time_budget=named), 1, 1, costs).steps >= 1


@pytest.fixture(scope="module")
def waves() -> pd.DataFrame:
    """Eight series of which a covariate tells the next value."""
    rng = np.random.default_rng(0)
    help_ = rng.normal(size=(8, 120))
    frame = {
        "id": np.repeat([f"s{i}" for i in range(8)], 120),
        "ds": np.tile(pd.date_range("2024-01-01", periods=120), 8),
        "y": (10 + 3 * help_ + 0.1 * rng.normal(size=(8, 120))).ravel(),
        "help": help_.ravel(),
    }
    return pd.DataFrame(frame)


def test_a_budget_is_kept_said_and_does_not_leave_covariates_out(waves: pd.DataFrame, tmp_path: Path) -> None:
    notes: list[str] = []
    phases: list[str] = []

    def listen(event: object) -> None:
        notes.extend([event.text] if isinstance(event, Noted) else [])
        phases.extend([str(event.phase)] if isinstance(event, Finished) else [])

    begun = time.process_time()
    rnncli.train(waves, future=["help"], steps=1, **SMALL)
    once = time.process_time()
    budget = 3 + 4 * (once - begun)  # seconds that this machine can keep, however slow or busy it is
    done = rnncli.train(waves, future=["help"], steps=200_000, time_budget=budget, on_event=listen, **SMALL)
    assert time.process_time() - once < 3 * budget
    allowed = done.to_json()["time_budget"]
    assert allowed == {"steps": done.model.training.steps, "planned_steps": 200_000}
    said = [note for note in notes if note.startswith("time budget: ")]
    assert said == [
        f"time budget: {allowed['steps']:,} of 200,000 steps; too few to tell whether the covariates help, so they stay"
    ]
    assert done.columns.future == ("help",)
    assert phases == ["search", "refit"]


def test_a_budget_that_cannot_be_kept_ends_at_once(waves: pd.DataFrame) -> None:
    with pytest.raises(UsageError, match=r"--time-budget is 0\.001 s") as refused:
        rnncli.train(waves, time_budget=0.001, target="y", **SMALL)
    assert "or more" in refused.value.hint
