"""Training begins from base: what the network says first is what base says, whatever else it will come to see."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnncli
from rnncli.errors import UsageError
from rnncli.registry import BASE
from rnncli.tasks.forecast import begun
from rnncli.tasks.forecast.task import TASK
from rnncli.tasks.plan import Plan
from rnncli.training.events import Finished
from rnncli.training.session import initial_weights, objective_for
from rnncli.workflows.options import column_choices

Run = Callable[..., subprocess.CompletedProcess[str]]
ROLES = {"past": ("warm",), "future": ("promo",), "static": ("kind",)}


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three series of days with a covariate of each kind."""
    rng = np.random.default_rng(0)
    lines = ["shop,day,y,warm,promo,kind"]
    for shop, kind in (("a", "red"), ("b", "blue"), ("c", "blue")):
        for n in range(150):
            y = 20 + 5 * np.sin(2 * np.pi * n / 7) + rng.normal()
            lines.append(f"{shop},{np.datetime64('2024-01-01') + n},{y:.3f},{rng.normal():.3f},{n % 5 == 0:d},{kind}")
    path = tmp_path_factory.mktemp("shops") / "shops.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def planned(data: Path, **options: Any) -> tuple[Any, Plan[Any]]:
    asked = {"target": "y", **options}
    loaded = TASK.load_to_train(data, column_choices(asked), asked, None, lambda _: None)
    return loaded, TASK.planned(loaded, asked)


def first_said(loaded: Any, plan: Plan[Any]) -> Any:
    """What the network of a plan says of the held-out rows before its first step."""
    holdout = TASK.hold_out(loaded.panel, plan.spec)
    return objective_for(loaded.panel, plan, "cpu", holdout, 0).validation(initial_weights(plan), holdout)


def bases_said(data: Path, horizon: int) -> Any:
    choices = column_choices({"target": "y", "ids": ("shop",), "ignore": ("warm", "promo", "kind")})
    loaded = TASK.load_known(data, choices, begun.base(), lambda _: None)
    model = begun.base().for_data(loaded, horizon)
    return first_said(loaded, Plan(TASK, model.network, model.spec, model.training, first=model.weights))


def test_it_begins_by_saying_what_base_says(shops: Path) -> None:
    loaded, plan = planned(shops, horizon=9, **ROLES)
    rival, sees = plan.rivals[0], [channel.name for channel in loaded.panel.channels]
    assert set(sees) >= {"warm", "promo", "kind"}
    assert plan.network.inputs > rival.network.inputs > begun.base().network.inputs
    wanted = bases_said(shops, 9).quantiles
    for one in (plan, rival):
        np.testing.assert_allclose(first_said(loaded, one).quantiles, wanted, rtol=1e-5)


def test_levels_that_base_has_not_lie_where_they_should(shops: Path) -> None:
    levels = (0.02, 0.1, 0.25, 0.5, 0.65, 0.9, 0.99)
    _, same = planned(shops, horizon=9)
    loaded, plan = planned(shops, horizon=9, quantiles=levels)
    made, wanted = first_said(loaded, plan).quantiles, first_said(loaded, same).quantiles
    at = {level: made[..., place] for place, level in enumerate(plan.spec.levels)}
    base = {level: wanted[..., place] for place, level in enumerate(same.spec.levels)}
    np.testing.assert_allclose(at[0.5], base[0.5], rtol=1e-5)
    np.testing.assert_allclose(at[0.9] - at[0.5], base[0.9] - base[0.5], rtol=0.3)
    np.testing.assert_allclose(at[0.5] - at[0.1], base[0.5] - base[0.1], rtol=0.3)
    assert (np.diff(made, axis=-1) > 0).all()
    far = (base[0.5] - base[0.1]) / 1.2816 * 2.0537  # of a normal distribution
    assert 0.6 < np.median((at[0.5] - at[0.02]) / far) < 1.6


@pytest.mark.parametrize(
    ("options", "from_base"),
    [
        ({}, True),
        ({"cell": "lstm", "hidden": 128, "dropout": 0.2, "members": 2, "context": 20, "season": 7}, True),
        ({"from_scratch": True}, False),
        ({"cell": "gru"}, False),
        ({"cell": "lstm,lstm"}, False),
        ({"hidden": 32}, False),
        ({"layers": 2}, False),
        ({"init": "orthogonal"}, False),
        ({"layer_norm": True}, False),
        ({"plain_stack": True}, False),
    ],
)
def test_it_begins_from_base_unless_another_network_is_asked_for(
    shops: Path, options: dict[str, Any], from_base: bool
) -> None:
    _, plan = planned(shops, horizon=5, **options)
    assert (plan.first is not None, plan.spec.universal) == (from_base, from_base)


def test_what_is_trained_once_more_begins_there_again(shops: Path) -> None:
    made = rnncli.train(shops, target="y", horizon=5, steps=4, **ROLES)
    loaded = TASK.load_known(shops, column_choices({}), made.model, lambda _: None)
    again = TASK.planned_again(loaded, made.model)
    _, plan = planned(shops, horizon=5, **ROLES)
    kept = plan if made.model.spec.covariates else plan.rivals[0]
    assert again.first is not None
    assert kept.first is not None
    assert {name: weight.tobytes() for name, weight in again.first.items()} == {
        name: weight.tobytes() for name, weight in kept.first.items()
    }


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--warm-start", BASE, "--cell", "gru"), "--cell asks for another network than --warm-start gives"),
        (("--warm-start", BASE, "--from-scratch"), "--from-scratch begins with no model"),
    ],
)
def test_what_contradicts_it_is_refused(run_rnncli: Run, shops: Path, words: tuple[str, ...], says: str) -> None:
    done = run_rnncli("train", shops, "--target", "y", "-o", "m.safetensors", *words, cwd=shops.parent)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert not (shops.parent / "m.safetensors").exists()


def test_covariates_are_learnt_from_there(shops: Path) -> None:
    made = rnncli.train(shops, target="y", horizon=5, steps=3, warm_start=BASE, keep_covariates=True, **ROLES)
    assert made.model.spec.universal
    assert {covariate.name for covariate in made.model.spec.covariates} == {"warm", "promo", "kind"}


def test_another_model_of_made_up_series_is_begun_from_as_base_is(shops: Path) -> None:
    with pytest.raises(UsageError, match="--hidden asks for another network"):
        rnncli.train(shops, target="y", horizon=5, steps=1, warm_start=rnncli.info(BASE), hidden=64)
    made = rnncli.train(shops, target="y", horizon=5, steps=1, warm_start=rnncli.info(BASE), season=7)
    assert (made.model.spec.universal, made.model.spec.seasons) == (True, (7,))


@pytest.mark.parametrize("from_scratch", [True, False])
@pytest.mark.filterwarnings("ignore:Mean of empty slice")
def test_where_no_held_out_row_is_known_all_steps_are_taken(tmp_path: Path, *, from_scratch: bool) -> None:
    """Nothing says that what is learnt is no better than the first weights."""
    y = 20 + 5 * np.sin(2 * np.pi * np.arange(120) / 7)
    rows = (f"{t},{value:.3f}\n" if t < 60 else f"{t},\n" for t, value in enumerate(y))
    path = tmp_path / "gap.csv"
    path.write_text("t,y\n" + "".join(rows))
    finished = []

    def heard(event: object) -> None:
        if isinstance(event, Finished):
            finished.append((event.phase.kind, event.step, event.best_step))

    made = rnncli.train(path, horizon=5, steps=12, members=1, from_scratch=from_scratch, on_event=heard)
    assert finished == [("search", 12, 12), ("refit", 4, 4)]
    assert made.best_steps == (12,)
