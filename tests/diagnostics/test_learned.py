"""What is said of trained networks, of their units and of the order of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch

from rnncli.arrays import Floats
from rnncli.diagnostics.checks.learned import echo, overfitted, untaught, worse_than_naive
from rnncli.diagnostics.checks.unordered import unordered
from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import FAULT, NOTE, Finding
from rnncli.diagnostics.gates import twins
from rnncli.diagnostics.learned import Asked, Learned
from rnncli.diagnostics.order import order

SERIES = np.repeat(np.arange(20), 3)
NOISE = np.random.default_rng(0).uniform(0.8, 1.2, len(SERIES))


def asked(loss: float, error: float = 1.0, far: float = 1.0, **plain: float) -> Asked:
    """Questions of which the untrained network's loss, and the last value's error, are about 1."""
    named = {"last": 1.0, **plain}
    return Asked(
        SERIES,
        loss * NOISE,
        NOISE[::-1].copy(),
        error * NOISE,
        {name.replace("_", " "): value * NOISE for name, value in named.items()},
        far * NOISE,
    )


def said(check: Callable[[Evidence], Iterable[Finding]], saw: Asked, held: Asked | None = None) -> list[Finding]:
    return list(check(cast("Any", SimpleNamespace(learned=Learned(saw, held), order=None))))


@pytest.mark.parametrize(("loss", "count"), [(1.4, 1), (1.0, 1), (0.9, 0), (0.3, 0)])
def test_weights_by_which_the_loss_is_not_lower_than_untrained_are_not_of_these_data(loss: float, count: int) -> None:
    assert len(said(untaught, asked(loss))) == count


@pytest.mark.parametrize(("saw", "held", "count"), [(0.2, 1.3, 1), (0.2, 0.7, 0), (0.9, 1.1, 0), (1.2, 1.3, 0)])
def test_rows_were_learnt_by_heart_where_what_was_gained_on_them_is_lost_on_others(
    saw: float, held: float, count: int
) -> None:
    assert len(said(overfitted, asked(saw), asked(held))) == count


def test_nothing_is_learnt_by_heart_where_no_rows_are_held_out() -> None:
    assert not said(overfitted, asked(0.1))


def test_an_echo_is_a_fault_where_a_plain_forecast_is_better_and_a_note_where_none_is() -> None:
    (fault,) = said(echo, asked(0.9, far=0.02, first_season=0.5))
    (note,) = said(echo, asked(0.9, far=0.02, first_season=1.5))
    assert (fault.severity, note.severity) == (FAULT, NOTE)
    assert "first season" in fault.says
    assert not said(echo, asked(0.9, far=0.4, first_season=0.5))


@pytest.mark.parametrize(("error", "season", "count"), [(1.5, 1.2, 1), (1.5, 1.6, 0), (0.8, 2.0, 0)])
def test_a_network_is_worse_than_naive_where_it_is_worse_than_both_of_them(
    error: float, season: float, count: int
) -> None:
    held = asked(0.9, error=error, first_season=season)
    assert len(said(worse_than_naive, asked(0.9), held)) == count


def test_of_too_few_series_nothing_is_said() -> None:
    few = Asked(np.zeros(9, np.int64), 2 * np.ones(9), np.ones(9))
    assert not said(untaught, few)


def walks(shuffled: bool) -> list[Floats]:
    rng = np.random.default_rng(1)
    return [rng.permutation(w) if shuffled else w for w in np.cumsum(rng.standard_normal((6, 80)), axis=1)]


@pytest.mark.parametrize("shuffled", [True, False])
def test_rows_that_were_shuffled_might_come_in_any_order(shuffled: bool) -> None:
    evidence = cast("Any", SimpleNamespace(order=order(walks(shuffled), (12,))))
    assert bool(list(unordered(evidence))) == shuffled


def test_a_season_alone_is_an_order() -> None:
    rows = np.tile([5.0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 20) + np.random.default_rng(0).standard_normal(240)
    found = order([rows], (12,))
    assert found is not None
    assert found.found > found.limit


def test_too_few_rows_have_no_order() -> None:
    assert order([np.arange(50.0)], (12,)) is None


def test_twins_are_units_whose_course_is_anothers_but_for_size_and_sign_on_every_path() -> None:
    course = torch.randn(30, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    mirrored = torch.cat([course, -2 * course[..., :1]], dim=-1)
    assert twins(mirrored) == 0.5
    mirrored[:, 1, 3] = course[:, 1, 2]  # on the second path it is another one's
    assert twins(mirrored) == 0.0


def test_units_that_never_move_are_no_twins() -> None:
    assert twins(torch.ones(30, 2, 4, dtype=torch.float64)) == 0.0
