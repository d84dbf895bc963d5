"""Origin-forked training of the forecast task: batches of crops, origins in them, loss and validation (torch).

A crop is encoded once and forecasts from many of its steps, the origins (forking sequences: Wen et al. 2017, "A
Multi-Horizon Quantile Recurrent Forecaster", arXiv:1711.11053).
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rnncli.data.panel import Panel
from rnncli.nn.network import encode
from rnncli.spec import NetworkSpec, TrainingSpec
from rnncli.tasks.forecast import features
from rnncli.tasks.forecast.features import Floats, Ints
from rnncli.tasks.forecast.network import head_weights
from rnncli.tasks.forecast.output import quantiles, to_units
from rnncli.tasks.forecast.spec import ForecastSpec

VALIDATED = 1_000  # series; more would cost time and tell nothing new
CHUNK = 128


@dataclass(frozen=True)
class Batch:
    """Inputs [n, steps, inputs], origins as (row, step) pairs [o], and what belongs to each [o, horizon, ...]."""

    inputs: Tensor
    rows: Tensor
    origins: Tensor
    components: Tensor
    known: Tensor
    targets: Tensor
    series: Ints
    norm: features.Normalised


@dataclass(frozen=True)
class Examples:
    """A panel seen as crops: `ends` [series] is how many rows of each series may be looked at."""

    panel: Panel
    spec: ForecastSpec
    ends: Ints
    device: str = "cpu"

    def batch(self, series: Ints, first_row: Ints, rows: Ints, origins: Ints) -> Batch:
        """Everything the network needs to forecast from step origins[i] of crop rows[i]."""
        crops = features.cut(self.panel, self.ends, series, first_row, self.spec)
        norm = features.normalise(crops.values, self.spec)
        calendar = self.panel.calendar
        return Batch(
            self._tensor(features.inputs(crops, norm, self.spec, calendar)),
            self._tensor(rows),
            self._tensor(origins),
            self._tensor(features.components(norm, rows, origins, self.spec)),
            self._tensor(features.known(crops, rows, origins, self.spec, calendar)),
            self._tensor(features.targets(norm, rows, origins, self.spec)),
            series,
            norm,
        )

    def _tensor(self, array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(array).to(self.device)

    def sample(self, rng: np.random.Generator, size: int, forks: int) -> Batch:
        """A training batch: `size` crops drawn over all rows, up to `forks` origins in each."""
        lengths = self.ends
        usable = np.flatnonzero(lengths > min(self.warm_up, lengths.max() - 1))
        weight = np.sqrt(lengths[usable])
        series = rng.choice(usable, size=size, p=weight / weight.sum())
        latest = np.maximum(lengths[series] - self.spec.steps, 0)
        first_row = rng.integers(0, latest + 1)
        rows, origins = self.origins(rng, series, first_row, forks)
        return self.batch(series, first_row, rows, origins)

    @property
    def warm_up(self) -> int:
        """Rows a series needs before its first training origin."""
        season = self.spec.seasons[0]
        return season if season > 1 else 3

    def origins(self, rng: np.random.Generator, series: Ints, first_row: Ints, forks: int) -> tuple[Ints, Ints]:
        """Random steps with something after them: past the warm-up, or in the later half of a crop that is not the
        start of its series, because prediction never sees a young state there.
        """
        steps = self.spec.steps
        earliest = np.where(first_row == 0, self.warm_up - 1, steps // 2)
        final = np.minimum(steps, self.ends[series] - first_row - 1) - 1
        earliest = np.minimum(earliest, final)
        count = np.minimum(forks, final - earliest + 1)
        order = rng.random((len(series), steps))
        step = np.arange(steps)
        order[(step < earliest[:, None]) | (step > final[:, None])] = 2.0
        chosen = np.argsort(order, axis=1)[:, :forks]
        keep = np.arange(chosen.shape[1]) < count[:, None]
        return np.nonzero(keep)[0], chosen[keep]


def forward(
    weights: Mapping[str, Tensor], network: NetworkSpec, spec: ForecastSpec, batch: Batch, dropout: float = 0.0
) -> Tensor:
    """Relative quantiles from every origin of the batch: [o, horizon, q]."""
    states = encode(weights, network, batch.inputs, dropout)
    at_origin = states[batch.rows, batch.origins]
    if dropout:
        at_origin = torch.nn.functional.dropout(at_origin, dropout)
    relative: Tensor = quantiles(head_weights(weights), at_origin, batch.components, batch.known, spec.median, torch)
    return relative


def pinball(predicted: Tensor, actual: Tensor, levels: Tensor) -> Tensor:
    """Mean over levels and observed targets of max(l e, (l - 1) e), e = actual - predicted, times 2
    (Koenker & Bassett 1978); at the median it is the absolute error. Per origin: [o], 0 where nothing is observed.
    """
    seen = ~torch.isnan(actual)
    error = torch.where(seen, actual, 0.0)[..., None] - predicted
    loss = 2 * torch.maximum(levels * error, (levels - 1) * error).mean(dim=-1) * seen
    return loss.sum(dim=1) / seen.sum(dim=1).clamp(min=1)


@dataclass(frozen=True)
class Holdout:
    """Validation rows: one or more origins a series, `horizon` rows apart, the last of them `horizon` rows before the
    end. `origins` [windows, series] are rows, -1 where a series is too short to spare any.
    """

    origins: Ints

    def ends(self, lengths: Ints) -> Ints:
        """Rows of each series that training may look at while the rest validates, all of them where none are spared."""
        return np.where(self.origins[0] >= 0, self.origins[0], lengths) if len(self.origins) else lengths

    @property
    def validated(self) -> Ints:
        """The series that have validation rows."""
        return np.flatnonzero(self.origins[0] >= 0) if len(self.origins) else np.zeros(0, np.int64)


def hold_out(panel: Panel, spec: ForecastSpec) -> Holdout:
    """The last part of each series' past, more origins where there are few series: 64 in all, at most 8 a series and
    a fifth of its rows.
    """
    season = spec.seasons[0]
    windows = int(np.clip(64 // len(panel), 1, 8))
    spare = np.maximum(panel.lengths // 5 // spec.horizon, 1)
    ago = spec.horizon * np.arange(windows, 0, -1)[:, None]
    origins = panel.lengths - np.minimum(ago, spec.horizon * np.minimum(spare, windows))
    possible = origins[0] >= spec.horizon + max(season, 3)
    return Holdout(np.where(possible, origins, -1)) if possible.any() else Holdout(np.zeros((0, len(panel)), np.int64))


@dataclass
class Objective:
    """The forecast task as `training.fit` sees it: loss of a batch, score on the held-out rows."""

    examples: Examples
    network: NetworkSpec
    training: TrainingSpec
    forks: int
    holdout: Holdout | None
    seed: tuple[int, ...]
    whole: Panel
    _series: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    _losses: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    _ahead: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(max_workers=1))
    _next: tuple[int, Future[Batch]] | None = None

    def loss(self, weights: Mapping[str, Tensor], step: int) -> Tensor:
        """Mean pinball loss over the origins of this step's batch, in units of each origin's spread.

        Batch and dropout depend on the seed and the step alone, so that a training can be taken up at any step.
        """
        batch = self._batch(step)
        _seed_dropout((*self.seed, step), self.examples.device)
        levels = torch.tensor(self.examples.spec.levels, device=self.examples.device)
        loss = pinball(
            forward(weights, self.network, self.examples.spec, batch, self.network.dropout), batch.targets, levels
        )
        self._series, self._losses = batch.series[batch.rows.numpy(force=True)], loss.detach().numpy(force=True)
        used = (~torch.isnan(batch.targets)).any(dim=1)
        return (loss * used).sum() / used.sum().clamp(min=1)

    def _batch(self, step: int) -> Batch:
        """The batch of a step; while the network computes, that of the next one is made on a thread of its own."""
        ready = self._next[1] if self._next and self._next[0] == step else self._ahead.submit(self._sample, step)
        self._next = step + 1, self._ahead.submit(self._sample, step + 1)
        return ready.result()

    def _sample(self, step: int) -> Batch:
        rng = np.random.default_rng((*self.seed, step))
        return self.examples.sample(rng, self.training.batch, self.forks)

    def score(self, weights: Mapping[str, Tensor]) -> float | None:
        """Mean over series of the scaled quantile loss on the held-out rows."""
        if self.holdout is None or not len(self.holdout.validated):
            return None
        found = self.validation(weights, _some(self.holdout.validated, VALIDATED))
        loss = [scaled_quantile_loss(part, self.examples.spec.levels) for part in found]
        return float(np.nanmean(np.concatenate(loss)))

    def validation(self, weights: Mapping[str, Tensor], series: Ints) -> list[Validated]:
        """Forecasts from the held-out origins beside what came."""
        assert self.holdout is not None
        origins = np.unique(self.holdout.origins[:, series], axis=0) if len(series) else self.holdout.origins[:0]
        return [self._validated(weights, series, rows) for rows in origins]

    def _validated(self, weights: Mapping[str, Tensor], series: Ints, origins: Ints) -> Validated:
        ends = np.zeros(len(self.whole), np.int64)
        ends[series] = origins
        forecasts = predict(
            weights, self.network, Examples(self.whole, self.examples.spec, ends, self.examples.device), series
        )
        spec = self.examples.spec
        actual = features.gather(
            self.whole.values[:, 0], self.whole.offsets[series], self.whole.lengths[series], origins, spec.horizon, 0, 0
        )
        return Validated(
            series, origins, forecasts, actual, seasonal_scale(self.whole, series, origins, spec.seasons[0])
        )

    def blame(self) -> str:
        """The series of the last batch whose loss is not finite, or the largest."""
        if not len(self._losses):
            return ""
        worst = int(self._series[np.argmax(np.where(np.isfinite(self._losses), self._losses, np.inf))])
        return f"series {self.whole.ids[worst]!r}"


def _seed_dropout(seed: tuple[int, ...], device: str) -> None:
    """`torch.manual_seed` would do, but it writes down its caller for every kind of device, at 1 ms a call."""
    number = int(np.random.SeedSequence(seed).generate_state(1)[0])
    torch.default_generator.manual_seed(number)
    if device.startswith("cuda"):
        torch.cuda.manual_seed(number)


@dataclass(frozen=True)
class Validated:
    """One origin a series: rows `origins` [s], quantiles [s, horizon, q], actual [s, horizon], seasonal scale [s]."""

    series: Ints
    origins: Ints
    quantiles: Floats
    actual: Floats
    scale: Floats


def _some(series: Ints, most: int) -> Ints:
    return series[np.unique(np.linspace(0, len(series) - 1, min(len(series), most)).astype(np.int64))]


def predict(weights: Mapping[str, Tensor], network: NetworkSpec, examples: Examples, series: Ints) -> Floats:
    """Forecasts in units from the last row that `examples` may look at: [s, horizon, q]."""
    spec, parts = examples.spec, []
    for chunk in np.array_split(series, max(1, -(-len(series) // CHUNK))):
        first_row = np.maximum(examples.ends[chunk] - spec.steps, 0)
        last = np.minimum(examples.ends[chunk], spec.steps) - 1
        rows = np.arange(len(chunk))
        batch = examples.batch(chunk, first_row, rows, last)
        with torch.no_grad():
            relative = forward(weights, network, spec, batch).double().numpy(force=True)
        parts.append(to_units(relative, batch.norm.level[rows, last], batch.norm.spread[rows, last], spec))
    return np.concatenate(parts)


def seasonal_scale(panel: Panel, series: Ints, ends: Ints, season: int) -> Floats:
    """MASE's scale, mean |y_t - y_(t - season)|, over the first ends[i] rows of each series; where that is undefined
    or 0 the mean absolute value, and 1 for a series of zeros: [s].
    """
    scales = np.ones(len(series))
    for i, (s, end) in enumerate(zip(series, ends, strict=True)):
        y = panel.target(int(s))[:end]
        sizes = (np.abs(part[~np.isnan(part)]) for part in (y[season:] - y[:-season], y))
        scales[i] = next((float(size.mean()) for size in sizes if size.any()), 1.0)
    return scales


def scaled_quantile_loss(found: Validated, levels: tuple[float, ...]) -> Floats:
    """Mean pinball loss, times 2, over levels and observed rows, in units of the seasonal scale: [s]."""
    error = found.actual[..., None] - found.quantiles
    share = np.array(levels)
    loss = 2 * np.maximum(share * error, (share - 1) * error).mean(axis=2)
    seen = ~np.isnan(loss)
    mean = np.where(seen, loss, 0.0).sum(axis=1) / np.where(seen.any(axis=1), seen.sum(axis=1), np.nan)
    return np.asarray(mean / found.scale)
