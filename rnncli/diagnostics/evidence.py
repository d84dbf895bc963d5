"""Everything that was measured about a network: what checks look at and remedies start from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rnncli.diagnostics.dominance import SeriesShares
from rnncli.diagnostics.dynamics import LayerDynamics
from rnncli.diagnostics.events import Gradients
from rnncli.diagnostics.flow import Flow
from rnncli.diagnostics.gates import LayerActivity
from rnncli.diagnostics.learned import Learned
from rnncli.diagnostics.memory import Memory
from rnncli.diagnostics.order import Order
from rnncli.diagnostics.reach import Reach
from rnncli.diagnostics.resampling import Ints
from rnncli.diagnostics.verdict import Verdict, judge

SEASON = "season"
"""What a forecast calls a lag that matters."""


@dataclass(frozen=True)
class Subject:
    """The network and how it is trained, as its flags say it; `context` is the encoder's steps.

    `lags_that_matter` are those, above one step, at which the task expects something to be remembered, each called a
    `lag_name`: the seasons of a forecast. There may be none. `rows` is how long a typical series is. `keeps` says
    whether an initialisation can set how long the cells remember. `horizon` is there where the task has one, and
    `whole` says that series are read whole and asked about once. `units` are what series are called, `questions` what
    is asked of them, and `context_option` is the option that sets `context`. Training has so many `steps`, crops in a
    `batch` and steps that gradients go back (`tbptt`, None: all); each layer passes its state over as many steps as
    `dilations` say; there are so many `series`. `residual` says whether a layer's input is added to its output.
    """

    cell: str
    activation: str
    layers: int
    hidden: int
    dropout: float
    init: str
    context: int
    lags_that_matter: tuple[int, ...]
    rows: int
    learning_rate: float
    clip: float
    trained: bool
    gated: bool
    keeps: bool
    lag_name: str = "lag"
    horizon: int | None = None
    whole: bool = False
    units: str = "series"
    questions: str = "origins"
    context_option: str = "context"
    steps: int = 1
    batch: int = 0
    tbptt: int | None = None
    dilations: tuple[int, ...] = ()
    series: int = 0
    residual: bool = False


@dataclass(frozen=True)
class Steps:
    """A few steps of training from the network's weights: each one's losses, norms and tensors."""

    watched: tuple[Gradients, ...]

    @property
    def norms(self) -> tuple[float, ...]:
        """The gradient's norm before clipping, step by step."""
        return tuple(step.gradient_norm for step in self.watched)

    @property
    def clipped(self) -> float:
        """The share of steps that were clipped."""
        return self.watched[-1].clipped if self.watched else 0.0

    @property
    def finite(self) -> bool:
        """Whether every loss and norm was a finite number."""
        return bool(np.isfinite([*self.norms, *(step.loss for step in self.watched)]).all())

    def update(self, tensor: str) -> float:
        """The median step of a tensor, as a share of its norm."""
        return float(np.median([step.tensors[tensor].update for step in self.watched])) if self.watched else 0.0

    def gradient(self, tensor: str) -> float:
        """The median norm of a tensor's gradient."""
        return float(np.median([step.tensors[tensor].gradient for step in self.watched])) if self.watched else 0.0

    def weight(self, tensor: str) -> float:
        """A tensor's norm, before these steps as good as after."""
        return self.watched[0].tensors[tensor].weight if self.watched else 0.0

    @property
    def tensors(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(self.watched[0].tensors) if self.watched else ()


@dataclass(frozen=True)
class Evidence:
    """What the panels found. `diverged` is where training from here stopped being finite, in words; "" where not.
    `reach` is how far around a pixel a network on a grid looks; `repeated` are the series that have another's rows.
    `learned` is what a trained network says, and `order` whether that of the rows of a forecast's series says anything.
    """

    subject: Subject
    flow: Flow
    memory: Memory
    dynamics: tuple[LayerDynamics, ...]
    activity: tuple[LayerActivity, ...]
    steps: Steps
    series: SeriesShares
    groups: Ints
    diverged: str = ""
    reach: Reach | None = None
    repeated: tuple[str, ...] = ()
    learned: Learned | None = None
    order: Order | None = None

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdict on each layer, and on each direction of a bidirectional one, in the order of `flow.layers`."""
        pairs = zip(self.flow.layers, self.dynamics, strict=True)
        return tuple(judge(flow, self.subject.lags_that_matter, dynamics) for flow, dynamics in pairs)
