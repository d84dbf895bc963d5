"""Processes that whole series, or parts of them, are drawn from."""

from __future__ import annotations

import math

import numpy as np

from rnncli.arrays import Floats

Rng = np.random.Generator
LONGEST_GAUSSIAN = 128  # rows: a longer one is drawn at fewer points, and what lies between is straight
BURN_IN = 30


def walk(rng: Rng, rows: int) -> Floats:
    """A random walk with steps of unit variance."""
    return np.cumsum(rng.standard_normal(rows))


def autoregressive(rng: Rng, rows: int, phi: float | None = None) -> Floats:
    """An ARMA(1, 1) process, about the variance of 1; with a given phi an AR(1)."""
    theta = 0.0 if phi is not None else rng.uniform(-0.7, 0.5)
    phi = rng.choice([rng.uniform(-0.6, 0.6), rng.uniform(0.5, 0.98)]) if phi is None else phi
    noise = rng.standard_normal(rows + BURN_IN)
    made, last = np.empty(rows + BURN_IN), 0.0
    for t in range(rows + BURN_IN):
        last = phi * last + noise[t] + (theta * noise[t - 1] if t else 0.0)
        made[t] = last
    variance = float((1 + 2 * phi * theta + theta**2) / (1 - phi**2))
    return np.asarray(made[BURN_IN:] / math.sqrt(variance))


def smoothing_process(rng: Rng, rows: int, season: int) -> Floats:
    """What exponential smoothing would forecast best: the state space model of `baselines.smoothing`, with drawn
    parameters and states (Hyndman et al. 2008), on the logarithm or in units of the level.
    """
    alpha = rng.beta(1, 1.6)
    beta = alpha * rng.choice([0.0, rng.uniform(0.02, 0.4)])
    phi = rng.choice([1.0, rng.uniform(0.8, 0.99)])
    gamma = (1 - alpha) * rng.choice([0.0, rng.uniform(0.01, 0.4)])
    spread = float(np.exp(rng.normal(-2.8, 0.9)))
    level, slope = 0.0, rng.normal(0, 0.7) * spread * (rng.random() < 0.7)
    states = np.zeros(season)
    if season > 1 and rng.random() < 0.8:
        states = rng.normal(0, 1, season) * float(np.exp(rng.normal(-2, 0.8)))
        states -= states.mean()
    error = spread * (rng.standard_normal(rows) if rng.random() < 0.7 else 0.7 * rng.standard_t(4, rows))
    made = np.empty(rows)
    for t in range(rows):
        at, e = t % season, error[t]
        made[t] = level + phi * slope + states[at] + e
        level, slope = level + phi * slope + alpha * e, phi * slope + beta * e
        states[at] += gamma * e
    return made


def gaussian(rng: Rng, rows: int, seasons: tuple[int, ...]) -> Floats:
    """A Gaussian process under kernels put together by + and * (Duvenaud et al. 2013), of unit variance, about."""
    count = min(rows, LONGEST_GAUSSIAN)
    at = np.linspace(0, rows - 1, count)
    away = at[:, None] - at
    kernel = _kernel(rng, away, at, rows, seasons)
    for _ in range(int(rng.integers(0, 4))):
        other = _kernel(rng, away, at, rows, seasons)
        kernel = kernel + other if rng.random() < 0.6 else kernel * other
    kernel /= np.trace(kernel) / count
    values, vectors = np.linalg.eigh(kernel + 1e-8 * np.eye(count))
    drawn = vectors @ (np.sqrt(np.maximum(values, 0)) * rng.standard_normal(count))
    return np.asarray(np.interp(np.arange(rows), at, drawn), np.float64)


def _kernel(rng: Rng, away: Floats, at: Floats, rows: int, seasons: tuple[int, ...]) -> Floats:
    kind = int(rng.integers(6))
    if kind == 0:
        return np.full_like(away, 1.0) + np.outer(at - rows * rng.random(), at - rows * rng.random()) / rows**2
    if kind == 1:
        return np.eye(len(at)) * rng.uniform(0.02, 0.5)
    if kind == 2:
        return np.asarray(np.exp(-0.5 * (away / (rows * rng.choice([0.03, 0.1, 0.3, 1.0]))) ** 2))
    if kind == 3:
        alpha = rng.choice([0.1, 1.0, 10.0])
        return np.asarray((1 + (away / (0.2 * rows)) ** 2 / (2 * alpha)) ** -alpha)
    if kind == 4 or max(seasons) == 1:
        return np.asarray(np.exp(-np.abs(away) / (rows * rng.choice([0.02, 0.1, 0.5]))))
    season = float(seasons[int(rng.integers(len(seasons)))])
    sharp = rng.uniform(0.5, 3)
    return np.asarray(np.exp(-2 * np.sin(math.pi * away / season) ** 2 * sharp))
