"""A remedy tried: the same short training from the same seed, without it and with it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rnncli.diagnostics.finding import Proposal
from rnncli.diagnostics.profile import LayerFlow
from rnncli.diagnostics.resampling import Floats, Interval, Ints, mean_interval
from rnncli.diagnostics.verdict import Verdict, deciding_lag

HELPS, HURTS, SAME = "helps", "does not help: the loss is higher", "does not help: no difference is seen"
BREAKS, REMAINS = "does not help: training breaks down", "lowers the loss, but not every verdict is healthy"


@dataclass(frozen=True)
class Trial:
    """A short training of `steps` steps, with a remedy or without: validation losses [rows] by series, the layers'
    verdicts and gradients after it; `broke` says where training stopped being finite, "" where it did not. What was
    tried on a trained model goes on from its weights, or began `afresh`.
    """

    proposal: Proposal | None
    steps: int
    losses: Floats
    groups: Ints
    flows: tuple[LayerFlow, ...]
    verdicts: tuple[Verdict, ...]
    lags_that_matter: tuple[int, ...]
    broke: str = ""
    against: Trial | None = None
    afresh: bool = False

    @property
    def loss(self) -> float:
        """The mean validation loss."""
        return float(np.mean(self.losses)) if len(self.losses) and not self.broke else math.inf

    @property
    def loss_interval(self) -> Interval | None:
        """Its interval over series."""
        return mean_interval(self.losses, self.groups) if len(self.losses) and not self.broke else None

    @property
    def lag(self) -> int:
        """The lag at which the surviving gradient is compared: that which decides on the lowest layer."""
        return deciding_lag(self.flows[0].lags, self.lags_that_matter)

    @property
    def left(self) -> tuple[float | None, ...]:
        """The share of each layer's gradient that its own recurrence leaves there."""
        return tuple(flow.own.share_left(self.lag) for flow in self.flows)

    @property
    def left_intervals(self) -> tuple[Interval | None, ...]:
        """Their intervals."""
        return tuple(flow.own.share_interval(self.lag) for flow in self.flows)

    @cached_property
    def gain(self) -> float | None:
        """The share by which the loss is lower than without the remedy: above 0 is better."""
        if self.against is None:
            return None
        if math.isinf(self.against.loss):
            return None if math.isinf(self.loss) else 1.0
        return (self.against.loss - self.loss) / self.against.loss if self.against.loss > 0 else 0.0

    @cached_property
    def gain_interval(self) -> Interval | None:
        """Its interval, series by series paired."""
        other = self.against
        if other is None or math.isinf(self.loss) or math.isinf(other.loss) or not other.loss > 0:
            return None
        return mean_interval((other.losses - self.losses) / other.loss, self.groups)

    @property
    def healthy(self) -> bool:
        """Whether every layer's verdict is healthy; of one that cannot be judged that is not known."""
        return all(verdict.name == "healthy" for verdict in self.verdicts) and not self.broke

    @property
    def vanishes(self) -> bool:
        """Whether a layer's gradient vanishes, and training does not break down."""
        return any(verdict.name == "vanishing" for verdict in self.verdicts) and not self.broke

    @property
    def conclusion(self) -> str:
        """Whether the remedy helps, and if not, that it does not."""
        if self.against is None:
            return ""
        return BREAKS if self.broke else self._compared_with(self.against)

    def _compared_with(self, other: Trial) -> str:
        interval, gain = self.gain_interval, self.gain
        if gain is None:  # no rows are held out
            return SAME
        if interval is not None and interval[1] < 0:
            return HURTS
        if self.healthy and not other.healthy and gain > 0:
            return HELPS
        if math.isfinite(other.loss) and (interval is None or interval[0] <= 0 <= interval[1]):
            return SAME
        return HELPS if self.healthy else REMAINS

    def to_json(self) -> dict[str, Any]:
        """A dictionary of JSON values, some perhaps not finite."""
        return {
            "remedy": self.proposal.remedy if self.proposal else None,
            "flags": self.proposal.flags if self.proposal else "",
            "steps": self.steps,
            "begun_anew": self.afresh,
            "loss": self.loss,
            "loss_interval_90": self.loss_interval,
            "gain": self.gain,
            "gain_interval_90": self.gain_interval,
            "lag": self.lag,
            "share_left": list(self.left),
            "share_left_interval_90": list(self.left_intervals),
            "verdicts": [verdict.name for verdict in self.verdicts],
            "diverged": self.broke or None,
            "conclusion": self.conclusion,
        }
