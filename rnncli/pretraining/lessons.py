"""Made-up panels as the questions that a universal network learns from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from rnncli.data.calendar import Calendar, Frequency
from rnncli.data.channel import Channel
from rnncli.data.panel import Panel, offsets_of
from rnncli.nn.dropout import Draws
from rnncli.pretraining import prior
from rnncli.pretraining.prior import KINDS, Kind
from rnncli.spec import NetworkSpec, TrainingSpec
from rnncli.tasks.forecast.examples import Examples
from rnncli.tasks.forecast.plan import DEFAULT_LEVELS, forecast_spec, universal_spec
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.forecast.task import TASK
from rnncli.tasks.plan import Plan
from rnncli.tasks.seen import Seen
from rnncli.training.objective import forward, on

SERIES, REUSED = 192, 3  # of a panel, and training steps that draw from it
LONGEST_SERIES = 20_000  # rows of a panel, about
HELD_OUT = 3  # panels of each kind
AHEAD = 2  # batches that are made while the network computes
HELD_SEED = 1 << 20


def panel_of(kind: Kind, rng: np.random.Generator, count: int) -> Panel:
    """Made-up series of a kind, whose time is whole numbers."""
    low, high = np.log(kind.fewest), np.log(kind.most)
    lengths = np.exp(rng.uniform(low, high, count)).astype(np.int64)
    values = np.concatenate([prior.series(rng, int(rows), kind.seasons) for rows in lengths])
    calendar = Calendar(Frequency("step"), kind.seasons, cycles=())
    starts = np.zeros(count, np.int64)
    ids = tuple(map(str, range(count)))
    return Panel(
        ids, offsets_of(lengths), values[:, None], starts, starts, calendar, (Channel("y", "number", "target"),)
    )


def spec_of(panel: Panel, horizon: int) -> ForecastSpec:
    """What is asked of a panel: nothing is held out of it."""
    return universal_spec(panel, forecast_spec(panel, horizon, DEFAULT_LEVELS))


@dataclass(frozen=True)
class Questions:
    """Some crops and their questions, under the spec that they were made by."""

    spec: ForecastSpec
    seen: Seen


@dataclass
class Lessons:
    """The objective of pre-training: every few steps another panel, drawn from the seed and the step alone."""

    network: NetworkSpec
    training: TrainingSpec
    _ahead: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(max_workers=1))
    _coming: dict[int, Future[Questions]] = field(default_factory=dict)
    _panels: dict[int, tuple[Examples, int]] = field(default_factory=dict)
    _held: list[Questions] = field(default_factory=list)

    def plan(self, spec: ForecastSpec) -> Plan[ForecastSpec]:
        """The network under a spec."""
        return Plan(TASK, self.network, spec, self.training)

    def loss(self, weights: Mapping[str, Tensor], step: int, carried: dict[str, Tensor]) -> Tensor:
        """The mean pinball loss of a step's questions."""
        del carried
        generator = torch.Generator().manual_seed(step)
        return self._loss(weights, self._batch(step), generator).mean()

    def score(self, weights: Mapping[str, Tensor]) -> float:
        """The mean loss of questions about series that no step draws, of each kind as often as its share."""
        self._held = self._held or list(self._held_out())
        with torch.no_grad():
            losses = [float(self._loss(weights, questions).mean()) for questions in self._held]
        shares = np.repeat([kind.share for kind in KINDS], HELD_OUT)
        return float(np.average(losses, weights=shares))

    def blame(self) -> str:
        """A made-up series has no name."""
        return "a made-up series"

    def _loss(
        self, weights: Mapping[str, Tensor], questions: Questions, generator: torch.Generator | None = None
    ) -> Tensor:
        draws = None if generator is None else Draws(generator)
        said = forward(weights, self.plan(questions.spec), questions.seen, draws)
        return torch.log1p(TASK.loss(questions.spec, said, questions.seen.targets, torch))

    def _batch(self, step: int) -> Questions:
        for one in range(step, step + AHEAD + 1):
            if one not in self._coming:
                self._coming[one] = self._ahead.submit(self._drawn, one)
        return self._coming.pop(step).result()

    def _drawn(self, step: int) -> Questions:
        examples, batch = self._panel(step // REUSED)
        rng = np.random.default_rng((self.training.seed, 1, step))
        return Questions(examples.spec, on(examples.drawn(rng, batch)))

    def _panel(self, number: int) -> tuple[Examples, int]:
        if number not in self._panels:
            self._panels.clear()
            self._panels[number] = self._made(np.random.default_rng((self.training.seed, 0, number)))
        return self._panels[number]

    def _made(self, rng: np.random.Generator, kind: Kind | None = None) -> tuple[Examples, int]:
        shares = np.array([kind.share for kind in KINDS])
        chosen = kind or KINDS[int(rng.choice(len(KINDS), p=shares / shares.sum()))]
        count = int(min(SERIES, max(24, LONGEST_SERIES // chosen.most)))
        panel = panel_of(chosen, rng, count)
        spec = spec_of(panel, int(rng.choice(chosen.horizons)))
        batch = int(np.clip(self.training.batch * 64 // spec.steps, 12, self.training.batch))
        return Examples(panel, spec, panel.lengths), batch

    def _held_out(self) -> Iterator[Questions]:
        for number, kind in enumerate(KINDS):
            for copy in range(HELD_OUT):
                rng = np.random.default_rng((HELD_SEED, number, copy))
                examples, batch = self._made(rng, kind)
                examples = replace(examples, spec=replace(examples.spec, young=()))
                yield Questions(examples.spec, on(examples.drawn(rng, 2 * batch)))
