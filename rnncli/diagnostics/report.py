"""What `inspect-gradients` found out, as data: a table or JSON is made from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.diagnostics import verdict
from rnncli.diagnostics.verdict import Verdict

Floats = NDArray[np.float64]

SCHEMA = "rnncli.inspect-gradients/1"
RESAMPLES = 400  # of the series, for an interval
FEWEST_SERIES = 5  # for an interval


@dataclass(frozen=True)
class LayerGradients:
    """One layer: `norms` [lags, series] of the loss's gradient for each part of the state ("h", "c") and for the
    whole "state", lag 0 (the origin) first.
    """

    layer: int
    norms: dict[str, Floats]
    seasons: tuple[int, ...]

    def profile(self, state: str = "state") -> Floats:
        """Mean norm over series, by lag."""
        return np.asarray(self.norms[state].mean(axis=1), dtype=np.float64)

    @property
    def verdict(self) -> Verdict:
        """Vanishing, exploding, healthy or not enough data, with the reason."""
        return verdict.judge(self.profile(), self.seasons)

    @property
    def decay_rate(self) -> float | None:
        """Slope of the log norm per step."""
        return verdict.decay_rate(self.profile())

    @property
    def half_life(self) -> float | None:
        """Steps in which the gradient halves; None where it does not fade."""
        return verdict.half_life(self.decay_rate)

    @property
    def deciding_lag(self) -> int:
        """The lag at which the verdict looks."""
        return verdict.deciding_lag(len(self.profile()), self.seasons)

    def share_left(self, lag: int) -> float | None:
        """The gradient at a lag as a share of that at lag 0."""
        return verdict.share(self.profile(), lag)

    def share_interval(self, lag: int) -> tuple[float, float] | None:
        """The middle 90 % of that share when the series are drawn again and again; None for fewer than five."""
        norms = self.norms["state"]
        if norms.shape[1] < FEWEST_SERIES or self.share_left(lag) is None:
            return None
        draws = np.random.default_rng(0).integers(norms.shape[1], size=(RESAMPLES, norms.shape[1]))
        origin = norms[0][draws].sum(axis=1)
        shares = norms[lag][draws].sum(axis=1)[origin > 0] / origin[origin > 0]
        low, high = np.quantile(shares, (0.05, 0.95))
        return float(low), float(high)

    def to_json(self) -> dict[str, Any]:
        """A dictionary of JSON values."""
        judged, half_life = self.verdict, self.half_life
        return {
            "layer": self.layer,
            "verdict": judged.name,
            "reason": judged.reason,
            "decay_per_step": _finite(self.decay_rate),
            "half_life_steps": _finite(half_life),
            "half_life_seasons": {str(m): _finite(half_life / m if half_life else None) for m in self.seasons},
            "share_left": [self._share_to_json(lag) for lag in (*self.seasons, len(self.profile()) - 1)],
            "reach_50": verdict.reach(self.profile(), 0.5),
            "reach_90": verdict.reach(self.profile(), 0.9),
            "gradient_by_lag": {name: [_finite(g) for g in self.profile(name)] for name in self.norms},
        }

    def _share_to_json(self, lag: int) -> dict[str, Any]:
        interval = self.share_interval(lag)
        return {
            "lag": lag,
            "share": _finite(self.share_left(lag)),
            "interval_90": [_finite(bound) for bound in interval] if interval else None,
        }


@dataclass(frozen=True)
class ParameterGradient:
    """Norm of the mean loss's gradient for one tensor, of the tensor itself, and for each gate's part of it."""

    tensor: str
    gradient: float
    weight: float
    gates: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """A dictionary of JSON values."""
        return {
            "tensor": self.tensor,
            "gradient_norm": _finite(self.gradient),
            "weight_norm": _finite(self.weight),
            "gates": {name: _finite(norm) for name, norm in self.gates.items()},
        }


@dataclass(frozen=True)
class GradientReport:
    """The gradient of the loss at one origin, through time and by tensor."""

    cell: str
    activation: str
    hidden: int
    context: int
    series: int
    seasons: tuple[int, ...]
    loss: float
    layers: tuple[LayerGradients, ...]
    parameters: tuple[ParameterGradient, ...]

    @property
    def verdicts(self) -> tuple[str, ...]:
        """The verdict of each layer, first layer first."""
        return tuple(layer.verdict.name for layer in self.layers)

    def to_json(self) -> dict[str, Any]:
        """The document behind `--json`: finite numbers or null."""
        return {
            "schema": SCHEMA,
            "cell": self.cell,
            "activation": self.activation,
            "hidden": self.hidden,
            "context": self.context,
            "series": self.series,
            "seasons": list(self.seasons),
            "loss": _finite(self.loss),
            "rules": verdict.RULES,
            "layers": [layer.to_json() for layer in self.layers],
            "parameters": [parameter.to_json() for parameter in self.parameters],
        }


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
