"""Covariates that do not help on held-out rows are left out, and everything after it goes on without them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnncli
from rnncli import model as models
from rnncli.training.events import Finished, Started, Stepped

QUICK: dict[str, Any] = {
    "horizon": 3,
    "hidden": 6,
    "members": 1,
    "batch": 8,
    "steps": 40,
    "learning_rate": 0.02,
    "threads": 1,
    "target": "sold",
    "context": 12,
}
ROWS = 120


def table(rows: int = ROWS, ahead: int = 0) -> pd.DataFrame:
    """What is sold follows the heat, and has nothing to do with the dice; `ahead` rows wait for their target."""
    rng = np.random.default_rng(1)
    heat, dice, noise = rng.normal(size=(rows + ahead, 3)).T
    sold = pd.Series(20 + 4 * heat + 0.1 * noise).where(np.arange(rows + ahead) < rows)
    days = pd.date_range("2024-01-01", periods=rows + ahead)
    return pd.DataFrame({"day": days, "sold": sold, "heat": heat, "dice": dice})


@pytest.fixture(scope="module")
def without_dice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("doubt") / "m.safetensors"
    rnncli.train(table(), output=path, future=["dice"], **QUICK)
    return path


def test_a_covariate_that_helps_stays_and_the_report_says_why() -> None:
    done = rnncli.train(table(), future=["heat"], **QUICK)
    found = done.to_json()["covariates"]
    assert (found["names"], found["kept"]) == (["heat"], True)
    assert found["with"] < 0.8 * found["without"]
    assert found["p"] < 0.01
    assert dict(done.facts)["covariates"].startswith("future heat (held-out loss")
    assert done.model.spec.waits_for_covariates


def test_one_that_does_not_is_left_out_and_train_and_info_say_why(without_dice: Path) -> None:
    info = rnncli.info(without_dice)
    found = info.to_json()["record"]["covariates"]
    assert (found["names"], found["kept"]) == (["dice"], False)
    assert dict(info.facts)["covariates"].startswith("left out: dice (held-out loss")
    assert info.model.columns.future == ()


def test_the_network_without_is_the_one_that_never_heard_of_them(without_dice: Path) -> None:
    left, never = models.load(without_dice), rnncli.train(table(), **QUICK).model
    assert left.network == never.network
    assert all(left.weights[name].tobytes() == never.weights[name].tobytes() for name in never.weights)


def test_what_is_left_out_is_not_asked_for_again(without_dice: Path) -> None:
    plain = rnncli.predict(table().drop(columns=["dice"]), without_dice).to_pandas()
    notes: list[object] = []
    waiting = rnncli.predict(table(ahead=3), without_dice, on_event=notes.append).to_pandas()
    pd.testing.assert_frame_equal(plain, waiting)
    assert plain["day"].iloc[0] == pd.Timestamp("2024-01-01") + pd.Timedelta(days=ROWS)
    assert not notes
    later = table(ahead=3).tail(3)[["day", "dice"]]
    told: list[Any] = []
    given = rnncli.predict(table(), without_dice, future_data=later, on_event=told.append).to_pandas()
    pd.testing.assert_frame_equal(plain, given)
    assert [event.text for event in told] == ["--future-data is not looked at: the model left out dice"]


def test_evaluation_and_a_warm_start_take_the_choice_as_made(without_dice: Path) -> None:
    phases: list[str] = []

    def listen(event: object) -> None:
        if isinstance(event, Started):
            phases.append(str(event.phase))

    assert rnncli.evaluate(table(ahead=2), without_dice, windows=2, threads=1, on_event=listen).refitted
    more = rnncli.train(table(ahead=2), warm_start=without_dice, steps=3, threads=1, on_event=listen)
    assert phases == ["search", "refit"] * 2
    assert dict(more.facts)["covariates"].startswith("left out: dice")


def test_keep_covariates_keeps_them() -> None:
    done = rnncli.train(table(), future=["dice"], keep_covariates=True, **QUICK | {"steps": 2})
    assert done.columns.future == ("dice",)
    assert done.to_json()["covariates"] is None


def test_where_nothing_can_be_held_out_they_stay() -> None:
    done = rnncli.train(table(4), future=["dice"], **QUICK | {"steps": 2})
    assert done.validated_origins == 0
    assert done.columns.future == ("dice",)


class Broken(BaseException):
    """What the listener raises to stop a training."""


def test_a_choice_that_is_broken_off_anywhere_ends_in_the_same_bytes(without_dice: Path, tmp_path: Path) -> None:
    path, tries = tmp_path / "m.safetensors", 0

    def listener() -> Any:
        left = 23

        def listen(event: object) -> None:
            nonlocal left
            left -= isinstance(event, (Started, Stepped, Finished))
            if not left:
                raise Broken

        return listen

    while not path.exists():
        tries += 1
        try:
            rnncli.train(table(), output=path, future=["dice"], on_event=listener(), **QUICK)
        except Broken:
            continue
    assert tries > 3
    assert path.read_bytes() == without_dice.read_bytes()


def test_the_phases_say_which_candidate_they_are_of() -> None:
    told: list[str] = []
    rnncli.train(
        table(),
        future=["dice"],
        on_event=lambda event: told.append(str(event.phase)) if isinstance(event, Started) else None,
        **QUICK | {"steps": 2, "members": 2},
    )
    assert told[:4] == [f"search {member} {which} covariates" for which in ("with", "without") for member in (1, 2)]
    assert told[4:] in ([f"refit {member} {which} covariates" for member in (1, 2)] for which in ("with", "without"))


def test_a_time_budget_counts_both_candidates() -> None:
    from rnncli.tasks.forecast.plan import training_spec
    from rnncli.tasks.plan import Costs, Sizes, affordable

    one = rnncli.train(table(), **QUICK | {"steps": 1}).model
    budget = training_spec(one.network, one.spec, Sizes(time_budget=13.0, steps=10_000))
    assert affordable(budget, 1, 1, Costs(0.01)).steps == 1_000
    assert affordable(budget, 2, 1, Costs(0.01)).steps == 565
