"""Whether one forecaster is better by more than chance: published formulas, known distributions, and error rates."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnncli.evaluation.paired import Losses, compare, diebold_mariano, student_t_below


def losses(model: np.ndarray, rival: np.ndarray, overlap: int = 1) -> Losses:
    """Losses by series and window [S, W]."""
    series, window = np.indices(model.shape)
    return Losses(series.ravel(), window.ravel(), overlap, {"model": model.ravel(), "rival": rival.ravel()})


@pytest.mark.parametrize(
    ("t", "degrees", "p"),
    [  # quantiles of Student's t as every table has them
        (1.0, 1, 0.75), (6.314, 1, 0.95), (12.706, 1, 0.975), (2.920, 2, 0.95), (4.303, 2, 0.975), (2.132, 4, 0.95),
        (2.776, 4, 0.975), (1.833, 9, 0.95), (2.262, 9, 0.975), (3.250, 9, 0.995), (1.697, 30, 0.95),
        (2.042, 30, 0.975), (1.660, 100, 0.95), (0.0, 7, 0.5),
    ],
)  # fmt: skip
def test_students_distribution_is_that_of_the_tables(t: float, degrees: int, p: float) -> None:
    assert student_t_below(t, degrees) == pytest.approx(p, abs=1e-4)
    assert student_t_below(-t, degrees) == pytest.approx(1 - p, abs=1e-4)


@pytest.mark.parametrize("degrees", [1, 2, 5, 30, 2000])
def test_students_distribution_is_the_integral_of_its_density(degrees: int) -> None:
    log_scale = math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2) - math.log(degrees * math.pi) / 2
    x = np.linspace(0, 2.5, 20_001)
    density = np.exp(log_scale) * (1 + x**2 / degrees) ** (-(degrees + 1) / 2)
    area = float(np.sum((density[1:] + density[:-1]) / 2) * (x[1] - x[0]))
    assert student_t_below(2.5, degrees) == pytest.approx(0.5 + area, abs=1e-7)


def reference(d: np.ndarray, h: int) -> float:
    """Harvey, Leybourne & Newbold (1997), equations 3, 5 and 9, as they stand."""
    n = len(d)
    gamma = [sum((d[t] - d.mean()) * (d[t - k] - d.mean()) for t in range(k, n)) / n for k in range(h)]
    dm = d.mean() / math.sqrt((gamma[0] + 2 * sum(gamma[1:])) / n)
    corrected = dm * math.sqrt((n + 1 - 2 * h + h * (h - 1) / n) / n)
    return student_t_below(corrected, n - 1)


@pytest.mark.parametrize("h", [1, 2, 4])
def test_diebold_and_mariano_with_the_small_sample_correction(h: int) -> None:
    d = np.random.default_rng(3).normal(-0.3, 1, 24)
    d[1:] += 0.5 * d[:-1]
    assert diebold_mariano(d, h) == pytest.approx(reference(d, h), rel=1e-12)


def test_a_hand_worked_case() -> None:
    # mean -1, variance 2 over 5: DM = -1 / sqrt(2 / 5), corrected by sqrt(4 / 5), so t = -sqrt(2) with 4 degrees
    assert diebold_mariano(np.array([-3.0, -2.0, -1.0, 0.0, 1.0])) == pytest.approx(student_t_below(-math.sqrt(2), 4))


def test_equal_losses_are_no_difference() -> None:
    same = np.full((20, 6), 0.7)
    assert not compare(losses(same, same), "model", "rival").better(0.05)
    assert diebold_mariano(np.zeros(10)) == 1.0


def test_a_difference_without_any_doubt_is_certain() -> None:
    assert diebold_mariano(np.full(10, -0.1)) == 0.0
    assert compare(losses(np.ones((20, 4)), np.ones((20, 4)) + 0.1), "model", "rival").better(0.001)


def test_the_test_is_one_sided() -> None:
    rng = np.random.default_rng(0)
    good, bad = rng.gamma(4, 0.2, (30, 5)), rng.gamma(4, 0.3, (30, 5))
    assert compare(losses(good, bad), "model", "rival").better(0.01)
    assert compare(losses(bad, good), "model", "rival").p > 0.99


@pytest.mark.parametrize(("shape", "overlap"), [((30, 4), 1), ((40, 1), 1), ((1, 40), 1), ((1, 60), 3), ((12, 12), 3)])
def test_where_neither_is_better_one_in_twenty_is_called_so(shape: tuple[int, int], overlap: int) -> None:
    rng = np.random.default_rng(1)
    runs, called = 300, 0
    for _ in range(runs):
        noise = rng.normal(0, 1, (2, shape[0], shape[1] + overlap - 1))
        smooth = np.stack([noise[..., k : k + shape[1]] for k in range(overlap)]).mean(axis=0)
        called += compare(losses(1 + 0.1 * smooth[0], 1 + 0.1 * smooth[1], overlap), "model", "rival").better(0.05)
    assert 0.005 <= called / runs <= 0.10  # the bootstrap is on the safe side


def test_series_that_move_together_are_no_more_evidence_than_one() -> None:
    rng = np.random.default_rng(2)
    called = 0
    for _ in range(200):
        shared = rng.normal(0, 1, (1, 8)) + rng.normal(0, 0.1, (50, 8))
        called += compare(losses(1 + 0.1 * shared, np.ones((50, 8))), "model", "rival").better(0.05)
    assert called / 200 <= 0.15  # every forecast by itself would call a third of them


def test_more_forecasts_see_smaller_differences() -> None:
    rng = np.random.default_rng(4)
    few, many = ([rng.normal(0.97, 0.2, (n, 4)), rng.normal(1, 0.2, (n, 4))] for n in (10, 2000))
    assert compare(losses(*many), "model", "rival").better(0.01)
    assert compare(losses(*few), "model", "rival").p > compare(losses(*many), "model", "rival").p


def test_the_same_losses_give_the_same_p() -> None:
    rng = np.random.default_rng(5)
    given = losses(rng.gamma(4, 0.2, (30, 5)), rng.gamma(4, 0.2, (30, 5)))
    assert compare(given, "model", "rival") == compare(given, "model", "rival")


def test_too_few_forecasts_tell_nothing() -> None:
    found = compare(losses(np.ones((2, 2)), np.full((2, 2), 2.0)), "model", "rival")
    assert math.isnan(found.p)
    assert not found.better(0.5)
    assert found.to_json()["p"] is None


def test_undefined_losses_are_left_out() -> None:
    model, rival = np.ones((12, 3)), np.full((12, 3), 1.5)
    model[0] = np.nan
    assert compare(losses(model, rival), "model", "rival").count == 33
    assert compare(losses(np.full((3, 3), np.nan), np.ones((3, 3))), "model", "rival").count == 0


@pytest.mark.parametrize("overlap", [1, 2, 4])
def test_who_is_compared_with_whom_only_turns_the_answer(overlap: int) -> None:
    rng = np.random.default_rng(6)
    for _ in range(20):
        d = rng.normal(0.1, 1, 16)
        assert diebold_mariano(d, overlap) + diebold_mariano(-d, overlap) == pytest.approx(1)


def test_who_is_resampled_against_whom_only_turns_the_answer() -> None:
    rng = np.random.default_rng(7)
    one, other = rng.normal(1, 0.2, (2, 40, 5))
    found, turned = compare(losses(one, other), "model", "rival"), compare(losses(other, one), "model", "rival")
    assert found.difference == pytest.approx(-turned.difference)
    assert found.p + turned.p == pytest.approx(1 + 1 / 2000)  # the resample that is the data themselves is in both


@pytest.mark.parametrize(("windows", "factor"), [(10, 2.0), (25, 0.5)])
def test_the_unit_of_the_losses_does_not_matter(windows: int, factor: float) -> None:
    d = np.random.default_rng(8).normal(-0.2, 1, windows)
    assert diebold_mariano(d * factor, 2) == pytest.approx(diebold_mariano(d, 2))


@pytest.mark.parametrize(
    ("shape", "method"),
    [
        ((9, 5), "Diebold-Mariano over origins"),
        ((1, 5), "Diebold-Mariano over origins"),
        ((1, 4), "too few forecasts to tell"),
        ((9, 1), "too few forecasts to tell"),
        ((10, 1), "bootstrap over series and origins"),
    ],
)
def test_what_there_is_decides_the_method(shape: tuple[int, int], method: str) -> None:
    rng = np.random.default_rng(9)
    assert compare(losses(rng.normal(1, 0.1, shape), np.ones(shape)), "model", "rival").method == method


def test_a_difference_of_half_a_spread_is_mostly_found() -> None:
    rng = np.random.default_rng(10)
    for shape in ((1, 50), (20, 4)):
        found = sum(
            compare(losses(rng.normal(-0.5, 1, shape), np.zeros(shape)), "model", "rival").better(0.05)
            for _ in range(100)
        )
        assert found >= 80


def test_of_undefined_losses_none_is_better() -> None:
    found = compare(losses(np.full((20, 5), np.nan), np.ones((20, 5))), "model", "rival")
    assert (found.better(0.99), found.to_json()["mase_difference"]) == (False, None)
