"""The loop minimises, tells what it does, keeps the best, and stops where it must."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from rnncli.errors import TrainingDiverged
from rnncli.events import SEARCH, Phase
from rnncli.spec import TrainingSpec
from rnncli.training.events import Evaluated, Finished, Started, Stepped
from rnncli.training.fit import Run, Weights, begin, fit, learning_rate

HERE = Phase(SEARCH)


def spec(**changes: float | None) -> TrainingSpec:
    plain = {
        "steps": 300, "batch": 1, "learning_rate": 0.05, "weight_decay": 0.0, "clip": 10.0, "seed": 0,
        "averaging": 0.9, "evaluate_every": 20, "time_budget": None,
    }  # fmt: skip
    return TrainingSpec(**(plain | changes))  # type: ignore[arg-type]


class Bowl:
    """(w - 3)^2; the score is where the test says, step by step."""

    def __init__(self, scores: list[float] | None = None, bad_at: int = 0) -> None:
        self.scores, self.bad_at, self.steps = scores, bad_at, 0

    def loss(self, weights: Mapping[str, Tensor], step: int, carried: Weights) -> Tensor:
        del step, carried
        self.steps += 1
        loss = ((weights["w"] - 3.0) ** 2).sum()
        return loss * float("nan") if self.steps == self.bad_at else loss

    def score(self, weights: Mapping[str, Tensor]) -> float | None:
        del weights
        return self.scores.pop(0) if self.scores is not None else None

    def blame(self) -> str:
        return "series 'x'"


def started(size: int = 1) -> Run:
    return begin({"w": torch.zeros(size)})


def test_a_bowl_is_descended_to_its_bottom() -> None:
    run = started(2)
    list(fit(run, Bowl(), spec(), HERE))
    torch.testing.assert_close(run.best["w"], torch.full((2,), 3.0), atol=0.02, rtol=0)


def test_events_come_in_order() -> None:
    events = list(fit(started(), Bowl([3.0, 2.0]), spec(steps=4, evaluate_every=2), HERE))
    kinds = [Started, Stepped, Stepped, Evaluated, Stepped, Stepped, Evaluated, Finished]
    assert [type(event) for event in events] == kinds


def test_the_best_weights_are_kept_and_patience_ends_the_search() -> None:
    *_, last = fit(started(), Bowl([2.0, 1.0, 3.0, 3.0, 0.0]), spec(steps=50, evaluate_every=10), HERE, patience=2)
    assert isinstance(last, Finished)
    assert (last.step, last.best_step, last.best_score) == (40, 20, 1.0)


def test_a_loss_that_is_no_number_names_step_and_series_and_spoils_nothing() -> None:
    run = started()
    with pytest.raises(TrainingDiverged, match="step 7") as error:
        list(fit(run, Bowl(bad_at=7), spec(evaluate_every=3), HERE))
    assert error.value.where == "series 'x'"
    assert torch.isfinite(run.best["w"]).all()
    assert run.best["w"].item() > 0


def test_the_rate_warms_up_and_falls_to_three_percent() -> None:
    rates = [learning_rate(step, spec(steps=1000)) for step in (1, 20, 500, 1000)]
    assert rates[0] == pytest.approx(0.05 / 20, rel=1e-3)
    assert rates[1] == pytest.approx(0.05, rel=2e-3)
    assert rates[2] == pytest.approx(0.05 * (0.03 + 0.97 / 2), rel=1e-2)
    assert rates[3] == pytest.approx(0.05 * 0.03, rel=1e-2)


def test_a_time_budget_that_is_spent_stops_the_training() -> None:
    *_, last = fit(started(), Bowl(), spec(steps=10_000, time_budget=0.05), HERE)
    assert isinstance(last, Finished)
    assert last.step < 10_000


def test_a_gradient_is_cut_by_value_before_it_is_scaled_to_a_norm() -> None:
    class Steep(Bowl):
        def loss(self, weights: Mapping[str, Tensor], step: int, carried: Weights) -> Tensor:
            del step, carried
            return (weights["w"] * torch.tensor([1e6, 0.3])).sum()

    def first_moment(**changes: float | None) -> Tensor:
        run = started(2)
        list(
            fit(
                run,
                Steep(),
                spec(steps=1, evaluate_every=1) if not changes else spec(steps=1, **changes),
                HERE,
            )
        )
        return run.first_moment["w"] / run.first_moment["w"][0]

    assert first_moment()[1] == pytest.approx(0.3e-6, rel=1e-3)  # scaled to a norm, one number drowns the other
    assert first_moment(clip_value=0.5)[1] == pytest.approx(0.6)
