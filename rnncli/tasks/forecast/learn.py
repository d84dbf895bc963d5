"""Origin-forked training of the forecast task: batches of crops, origins in them, loss and validation (torch).

A crop is encoded once and forecasts from many of its steps, the origins (forking sequences: Wen et al. 2017, "A
Multi-Horizon Quantile Recurrent Forecaster", arXiv:1711.11053). With `tbptt` a batch is no draw of crops but the next
stretch of so many rows of each of its streams, whose state is carried on from step to step (see `stretches`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rnncli.data.panel import Panel
from rnncli.nn.dropout import dropout
from rnncli.nn.network import encode
from rnncli.spec import NetworkSpec, TrainingSpec
from rnncli.tasks.forecast import features
from rnncli.tasks.forecast.features import Floats, Ints
from rnncli.tasks.forecast.network import head_weights
from rnncli.tasks.forecast.output import quantiles, to_units
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.forecast.stretches import Stretches
from rnncli.tasks.forecast.support import Support, anything, support
from rnncli.tasks.forecast.validation import Holdout, Validated, scaled_quantile_loss, validated

VALIDATED, VALIDATED_TARGETS = 1_000, 256_000  # forecasts, and rows of them; more would tell nothing new
YOUNG_SHARE = 0.125  # of the crops of a batch
KEPT_BYTES = 64 << 20  # of held-out batches, which are the same at every score
CHUNK, CHUNK_STEPS, CHUNK_TARGETS = 128, 128 * 336, 1 << 16  # crops at a time, steps of them, and rows forecast


@dataclass(frozen=True)
class Batch:
    """Inputs [n, steps, inputs], origins as (row, step) pairs [o], and what belongs to each [o, horizon, ...]; `fresh`
    [n] says which rows do not go on from what was carried, None that all are crops.
    """

    inputs: Tensor
    rows: Tensor
    origins: Tensor
    components: Tensor
    errors: Tensor
    known: Tensor
    targets: Tensor
    series: Ints
    first_row: Ints
    norm: features.Normalised
    fresh: Tensor | None = None


@dataclass(frozen=True)
class Examples:
    """A panel seen as crops: `ends` [series] is how many rows of each series may be looked at."""

    panel: Panel
    spec: ForecastSpec
    ends: Ints
    device: str = "cpu"

    def batch(
        self,
        series: Ints,
        first_row: Ints,
        rows: Ints,
        origins: Ints,
        length: Ints | None = None,
        rng: np.random.Generator | None = None,
        begun: Ints | None = None,
        may_come: Support | None = None,
    ) -> Batch:
        """Everything the network needs to forecast from step origins[i] of crop rows[i]; of each crop's series only
        the first `length` rows are looked at, `ends` of it by default, and none before row `begun`. `rng` is for the
        targets of counts; what `may_come` is found if it is not given.
        """
        if may_come is None and length is None:
            may_come = self.support.at(series)
        length = self.ends[series] if length is None else length
        crops = features.cut(self.panel, length, series, first_row, self.spec, may_come, begun)
        norm = features.normalise(crops, self.spec)
        calendar = self.panel.calendar
        plain, errors = features.components(norm, rows, origins, self.spec)
        return Batch(
            self._tensor(features.inputs(crops, norm, self.spec, calendar)),
            self._tensor(rows),
            self._tensor(origins),
            self._tensor(plain),
            self._tensor(errors),
            self._tensor(features.known(crops, rows, origins, self.spec, calendar)),
            self._tensor(features.targets(norm, rows, origins, self.spec, rng)),
            series,
            first_row,
            norm,
        )

    @cached_property
    def support(self) -> Support:
        """What the rows that may be looked at say of each series."""
        return support(self.panel, np.arange(len(self.panel)), self.ends, self.spec)

    def _tensor(self, array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(array).to(self.device)

    def sample(self, rng: np.random.Generator, size: int, forks: int) -> Batch:
        """A training batch: `size` crops drawn over all rows, up to `forks` origins in each. Some of the series are
        young: they begin with their crop, whose first steps are origins.
        """
        lengths = self.ends
        usable = np.flatnonzero(lengths > min(self.warm_up, lengths.max() - 1))
        weight = np.sqrt(lengths[usable])
        series = rng.choice(usable, size=size, p=weight / weight.sum())
        latest = np.maximum(lengths[series] - self.spec.steps, 0)
        first_row = rng.integers(0, latest + 1)
        young = (rng.random(size) < YOUNG_SHARE) & bool(self.spec.young)
        first_row[young] = rng.integers(0, np.maximum(lengths[series] - 1, 1))[young]
        age = np.exp(rng.uniform(0.0, np.log(self.warm_up + 1), size)).astype(np.int64)
        rows, origins = self.origins(rng, series, first_row, forks, np.where(young, age, 0))
        return self.batch(series, first_row, rows, origins, rng=rng, begun=np.where(young, first_row, 0))

    @property
    def warm_up(self) -> int:
        """Rows a series needs before its first training origin, unless it is drawn as a young one."""
        season = self.spec.seasons[0]
        return season if season > 1 else 3

    def origins(
        self, rng: np.random.Generator, series: Ints, first_row: Ints, forks: int, age: Ints | int = 0
    ) -> tuple[Ints, Ints]:
        """Random steps with something after them: past the warm-up, or in the later half of a crop that is not the
        start of its series, because prediction never sees a young state there. Where an `age` is given, among the
        first so many.
        """
        steps = self.spec.steps
        earliest = np.where(first_row == 0, self.warm_up - 1, steps // 2)
        final = np.minimum(steps, self.ends[series] - first_row - 1) - 1
        young = np.asarray(age) > 0
        earliest, final = np.where(young, 0, earliest), np.where(young, np.minimum(age, final + 1) - 1, final)
        return _drawn(rng, np.minimum(earliest, final), final, steps, forks)

    def stretch(self, rng: np.random.Generator, series: Ints, first_row: Ints, rows: int, forks: int) -> Batch:
        """Rows first_row[i] ... first_row[i] + rows - 1 of each series, up to `forks` origins past the warm-up in each.
        Their inputs are a function of the rows before them alone, wherever a stretch begins.
        """
        begin = np.maximum(first_row - self.spec.seasons[0], 0)  # what the growth of the level looks back on
        before = first_row - begin
        final = np.minimum(rows, self.ends[series] - first_row - 1) - 1
        warm_up = min(self.warm_up, int(self.ends.max()) - 1)  # where all series are short
        row, origins = _drawn(rng, np.maximum(warm_up - 1 - first_row, 0), final, rows, forks)
        longer = replace(self, spec=replace(self.spec, steps=self.spec.seasons[0] + rows))
        batch = longer.batch(series, begin, row, origins + before[row], rng=rng, may_come=self.support.at(series))
        steps = torch.from_numpy(before[:, None] + np.arange(rows)).to(self.device)
        inputs = torch.take_along_dim(batch.inputs, steps[..., None], dim=1)
        fresh = self._tensor(first_row == 0)
        return replace(batch, inputs=inputs, origins=self._tensor(origins), first_row=first_row, fresh=fresh)


def _drawn(rng: np.random.Generator, earliest: Ints, final: Ints, steps: int, forks: int) -> tuple[Ints, Ints]:
    """Up to `forks` of the steps earliest[i] ... final[i], as pairs of i and a step."""
    count = np.clip(final - earliest + 1, 0, forks)
    order = rng.random((len(final), steps))
    step = np.arange(steps)
    order[(step < earliest[:, None]) | (step > final[:, None])] = 2.0
    chosen = np.argsort(order, axis=1)[:, :forks]
    keep = np.arange(chosen.shape[1]) < count[:, None]
    return np.nonzero(keep)[0], chosen[keep]


def forward(
    weights: Mapping[str, Tensor],
    network: NetworkSpec,
    spec: ForecastSpec,
    batch: Batch,
    generator: torch.Generator | None = None,
    carried: dict[str, Tensor] | None = None,
) -> Tensor:
    """Relative quantiles from every origin of the batch: [o, horizon, q]; with dropout where a generator is given. A
    batch that goes on takes what is `carried`, and leaves its own state there.
    """
    on = None if batch.fresh is None else carried
    states = encode(weights, network, batch.inputs, generator, on, batch.fresh)
    at_origin = states[batch.rows, batch.origins]
    if generator is not None:
        at_origin = dropout(at_origin, network.dropout, generator)
    relative: Tensor = quantiles(
        head_weights(weights), at_origin, batch.components, batch.errors, batch.known, spec.median, torch
    )
    return relative


def pinball(predicted: Tensor, actual: Tensor, levels: Tensor) -> Tensor:
    """Mean over levels and observed targets of max(l e, (l - 1) e), e = actual - predicted, times 2
    (Koenker & Bassett 1978); at the median it is the absolute error. Per origin: [o], 0 where nothing is observed.
    """
    seen = ~torch.isnan(actual)
    error = torch.where(seen, actual, 0.0)[..., None] - predicted
    loss = 2 * torch.maximum(levels * error, (levels - 1) * error).mean(dim=-1) * seen
    return loss.sum(dim=1) / seen.sum(dim=1).clamp(min=1)


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
    _stretches: Stretches | None = None
    _held: _HeldOut | None = None

    def loss(self, weights: Mapping[str, Tensor], step: int, carried: dict[str, Tensor] | None = None) -> Tensor:
        """Mean pinball loss over the origins of this step's batch, in units of each origin's spread.

        Batch and dropout depend on the seed and the step alone, so that a training can be taken up at any step; with
        `tbptt` the loss depends on what is `carried` too, which is then that of the next step.
        """
        batch = self._batch(step)
        generator = _generator((*self.seed, step), self.examples.device)
        levels = torch.tensor(self.examples.spec.levels, device=self.examples.device)
        loss = pinball(
            forward(weights, self.network, self.examples.spec, batch, generator, carried),
            batch.targets,
            levels,
        )
        self._series, self._losses = batch.series[batch.rows.numpy(force=True)], loss.detach().numpy(force=True)
        used = (~torch.isnan(batch.targets)).any(dim=1)
        return (loss * used).sum() / used.sum().clamp(min=1)

    def _batch(self, step: int) -> Batch:
        """The batch of a step; while the network computes, that of the next one is made on a thread of its own."""
        ready = self._next[1] if self._next and self._next[0] == step else self._ahead.submit(self.sample, step)
        self._next = step + 1, self._ahead.submit(self.sample, step + 1)
        return ready.result()

    def sample(self, step: int) -> Batch:
        """The batch of a step, made anew."""
        rng = np.random.default_rng((*self.seed, step))
        if self.training.tbptt is None:
            return self.examples.sample(rng, self.training.batch, self.forks)
        rows = min(self.training.tbptt, int(self.examples.ends.max()))
        if self._stretches is None:
            self._stretches = Stretches(self.examples.ends, rows, self.training.batch, self.seed)
        series, first_row = self._stretches.at(step)
        return self.examples.stretch(rng, series, first_row, rows, self.forks)

    def score(self, weights: Mapping[str, Tensor]) -> float | None:
        """Mean over series of the scaled quantile loss on the held-out rows."""
        if self.holdout is None or not len(self.holdout):
            return None
        if self._held is None:
            most = min(VALIDATED, max(1, VALIDATED_TARGETS // self.examples.spec.horizon))
            self._held = _held_out(replace(self.examples, panel=self.whole), self.holdout.some(most))
        found = self._held.found
        found = found.made(_predicted(weights, self.network, self.examples.spec, self._held.origins()))
        return float(np.nanmean(scaled_quantile_loss(found, self.examples.spec.levels)))

    def validation(self, weights: Mapping[str, Tensor], holdout: Holdout) -> Validated:
        """Forecasts from held-out origins beside what came."""
        spec = self.examples.spec
        made = predict(weights, self.network, replace(self.examples, panel=self.whole), holdout.series, holdout.origins)
        return validated(self.whole, spec, holdout, made)

    def young(self, weights: Mapping[str, Tensor], holdout: Holdout, rows: int) -> Floats:
        """Forecasts from held-out origins as if each series had begun so few rows before: [N, horizon, q]."""
        short = replace(self.examples.spec, steps=min(rows, self.examples.spec.steps))
        examples = replace(self.examples, panel=self.whole, spec=short)
        begun = np.maximum(holdout.origins - rows, 0)
        return predict(weights, self.network, examples, holdout.series, holdout.origins, begun)

    def blame(self) -> str:
        """The series of the last batch whose loss is not finite, or the largest."""
        if not len(self._losses):
            return ""
        worst = int(self._series[np.argmax(np.where(np.isfinite(self._losses), self._losses, np.inf))])
        return f"series {self.whole.ids[worst]!r}"


def _generator(seed: tuple[int, ...], device: str) -> torch.Generator:
    """What dropout draws from."""
    return torch.Generator(device).manual_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))


def predict(
    weights: Mapping[str, Tensor],
    network: NetworkSpec,
    examples: Examples,
    series: Ints,
    ends: Ints,
    begun: Ints | None = None,
) -> Floats:
    """Forecasts in units from the first ends[i] rows of each series[i], or from those of them that are not before row
    begun[i]: [n, horizon, q].
    """
    return _predicted(weights, network, examples.spec, _origins(examples, series, ends, begun))


@dataclass(frozen=True)
class _Origins:
    """Crops that are each forecast from one step, the level and spread there [n], and which are on the logarithm."""

    batch: Batch
    level: Floats
    spread: Floats
    logs: NDArray[np.bool_]

    @property
    def nbytes(self) -> int:
        batch = self.batch
        return sum(part.nbytes for part in (batch.inputs, batch.components, batch.known, batch.errors))


@dataclass(frozen=True)
class _HeldOut:
    """What came after held-out origins (no forecasts yet), and the crops there, made again each time if not `kept`."""

    examples: Examples
    found: Validated
    kept: tuple[_Origins, ...]

    def origins(self) -> Iterable[_Origins]:
        """The crops, some at a time."""
        holdout = self.found.holdout
        return self.kept or _origins(self.examples, holdout.series, holdout.origins)


def _held_out(examples: Examples, holdout: Holdout) -> _HeldOut:
    """The crops are kept if they are small."""
    found = validated(examples.panel, examples.spec, holdout, np.zeros(0))
    kept, size = [], 0
    for part in _origins(examples, holdout.series, holdout.origins):
        size += part.nbytes
        if size > KEPT_BYTES:
            return _HeldOut(examples, found, ())
        kept.append(part)
    return _HeldOut(examples, found, tuple(kept))


def _origins(examples: Examples, series: Ints, ends: Ints, begun: Ints | None = None) -> Iterator[_Origins]:
    """The crops that end with row ends[i] - 1 of each series[i], some at a time; see `predict`."""
    spec = examples.spec
    at_a_time = max(1, min(CHUNK, CHUNK_STEPS // spec.steps, CHUNK_TARGETS // spec.horizon))
    for chunk in np.array_split(np.arange(len(series)), max(1, -(-len(series) // at_a_time))):
        length = ends[chunk]
        first = None if begun is None else begun[chunk]
        first_row = np.maximum(length - spec.steps, 0 if first is None else first)
        rows, last = np.arange(len(chunk)), length - first_row - 1
        batch = examples.batch(series[chunk], first_row, rows, last, length, begun=first)
        norm, nothing = batch.norm, features.Normalised(*(np.zeros((0, 0)),) * 4, anything(0))
        made = replace(batch, norm=nothing)
        yield _Origins(made, norm.level[rows, last], norm.spread[rows, last], norm.support.logs)


def _predicted(
    weights: Mapping[str, Tensor], network: NetworkSpec, spec: ForecastSpec, origins: Iterable[_Origins]
) -> Floats:
    parts = []
    for some in origins:
        with torch.no_grad():
            relative = forward(weights, network, spec, some.batch).double().numpy(force=True)
        parts.append(to_units(relative, some.level, some.spread, some.logs))
    return np.concatenate(parts)
