"""Gradients while a network is trained: the cheap part, from what a step leaves behind.

After a step of AdamW its gradients are still there and its moments say how far it moved each weight, so that nothing
has to be kept or computed twice: a few norms a watched step.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from rnncli.diagnostics.events import Gradients, Tensors
from rnncli.events import Phase

USUAL = 50  # steps whose median norm is what is usual
EXPLODED = 100.0  # times the usual norm
EARLY = 5  # steps before which nothing is usual


@dataclass(frozen=True)
class Moments:
    """AdamW as far as a step's length depends on it."""

    first: Mapping[str, Tensor]
    second: Mapping[str, Tensor]
    betas: tuple[float, float]
    rate: float
    step: int

    @torch.no_grad()
    def update(self, name: str) -> Tensor:
        """The update of a weight, but for its decay: rate * m / (sqrt(v) + 1e-8), both unbiased."""
        m = self.first[name] / (1 - self.betas[0] ** self.step)
        v = self.second[name] / (1 - self.betas[1] ** self.step)
        return self.rate * m / (v.sqrt() + 1e-8)


@dataclass
class Watch:
    """Counts every step, and looks at a step closely when it is asked to."""

    clip: float
    steps: int = 0
    clipped: int = 0
    _norms: deque[float] = field(default_factory=lambda: deque(maxlen=USUAL))

    def count(self, gradient_norm: float) -> bool:
        """One step with the norm its gradient had before clipping; whether it exploded."""
        usual = self.usual
        exploded = len(self._norms) >= EARLY and gradient_norm > max(EXPLODED * usual, self.clip)
        self.steps += 1
        self.clipped += gradient_norm > self.clip
        self._norms.append(gradient_norm)
        return exploded

    @property
    def usual(self) -> float:
        """The median norm of the last steps."""
        ordered = sorted(self._norms)
        return ordered[len(ordered) // 2] if ordered else math.nan

    @torch.no_grad()
    def look(
        self, phase: Phase, loss: float, gradient_norm: float, weights: Mapping[str, Tensor], moments: Moments
    ) -> Gradients:
        """What the last step did to each tensor; its gradients are as clipping left them."""
        scale = max(1.0, gradient_norm / self.clip)
        tensors = {
            name: Tensors(
                scale * float(w.grad.norm()) if w.grad is not None else 0.0,
                float(w.norm()),
                float(moments.update(name).norm() / w.norm().clamp(min=1e-12)),
            )
            for name, w in weights.items()
        }
        return Gradients(phase, moments.step, loss, gradient_norm, self.usual, self.clipped / self.steps, tensors)
