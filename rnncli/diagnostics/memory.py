"""The part of the past that a network really uses: its loss when the context is cut, and its response to an impulse."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rnncli.diagnostics.flow import LossOfOutputs
from rnncli.diagnostics.profile import PRECISION
from rnncli.diagnostics.resampling import Floats, Interval, Ints, mean_interval
from rnncli.diagnostics.unrolling import Stack, unrolled

SAME = 0.005  # of the loss: a smaller change is none
PRACTICAL = 0.01  # of an impulse's first response


@dataclass(frozen=True)
class Memory:
    """`lengths` [cuts] of the context, ascending, the last the whole; `losses` [cuts, rows] with each; `response`
    [delays] of the last layer's output to an impulse in the inputs, relative to its size one step after.
    """

    lengths: tuple[int, ...]
    losses: Floats
    groups: Ints
    response: Floats

    def change(self, cut: int) -> float:
        """The change of the mean loss with the context cut, as a share of the whole one's."""
        whole = self.losses[-1].mean()
        return float((self.losses[cut].mean() - whole) / whole) if whole > 0 else 0.0

    def change_interval(self, cut: int) -> Interval | None:
        """The interval of that change."""
        whole = self.losses[-1].mean()
        if not whole > 0:
            return None
        return mean_interval((self.losses[cut] - self.losses[-1]) / whole, self.groups)

    def matters(self, cut: int) -> bool:
        """Whether the loss with this context is another one than with the whole."""
        interval = self.change_interval(cut)
        certain = interval is None or interval[0] > 0 or interval[1] < 0
        return abs(self.change(cut)) > SAME and certain

    @property
    def used(self) -> int:
        """The shortest context with which the loss is that of the whole one, and stays so for longer ones."""
        enough = len(self.lengths) - 1
        while enough and not self.matters(enough - 1):
            enough -= 1
        return self.lengths[enough]

    @property
    def response_length(self) -> int | None:
        """Steps after which an impulse is answered with less than 1 % of the first response; None if not seen."""
        return _last_above(self.response, PRACTICAL)

    @property
    def finite(self) -> int | None:
        """Steps after which nothing of an impulse is left in float32: the response is finite; None if it goes on."""
        return _last_above(self.response, PRECISION)


def _last_above(response: Floats, limit: float) -> int | None:
    above = np.flatnonzero(~(response < limit))
    first = int(above[-1]) + 1 if len(above) else 0
    return first if first < len(response) else None


def cuts(steps: int, lags: Iterable[int]) -> tuple[int, ...]:
    """Lengths of context to try: powers of two, the lags that matter and the whole."""
    powers = (1 << place for place in range(steps.bit_length()))
    return tuple(sorted({steps, *(length for length in (*powers, *lags) if 0 < length <= steps)}))


@torch.no_grad()
def loss_by_context(
    network: Stack, x: Tensor, loss_of: LossOfOutputs, lengths: Iterable[int], rows_at_once: int = 64
) -> Floats:
    """The loss of each row of x [B, T, I] when only its last k steps are seen, from a zero state: [lengths, B].

    `loss_of(outputs [b, k, H], rows)` is given the outputs at these steps alone.
    """

    def losses(length: int) -> Floats:
        parts = []
        for start in range(0, len(x), rows_at_once):
            rows = slice(start, min(start + rows_at_once, len(x)))
            parts.append(loss_of(unrolled(network, x[rows, -length:])[0], rows))
        return np.asarray(torch.cat(parts).numpy(), dtype=np.float64)

    return np.stack([losses(length) for length in lengths])


@torch.no_grad()
def impulse_response(outputs_of: Callable[[Tensor], Tensor], x: Tensor, at: int) -> Floats:
    """How the outputs [B, T, H] differ when every input of step `at` is moved by a standard deviation: the mean norm
    over rows by delay, relative to delay 0: [T - at]. What a bidirectional layer answers before `at` is not counted.
    """
    moved = x.clone()
    moved[:, at] += x.std(dim=(0, 1), correction=0)
    change = (outputs_of(moved) - outputs_of(x))[:, at:].flatten(2).norm(dim=2).mean(dim=0)
    return np.asarray((change / change[0] if change[0] > 0 else change).numpy(), dtype=np.float64)


def memory(
    network: Stack, x: Tensor, loss_of: LossOfOutputs, lengths: tuple[int, ...], groups: Ints, paths: Tensor
) -> Memory:
    """Both, for rows x [B, T, I], and longer `paths` [b, L, I] for the impulse."""
    response = impulse_response(lambda inputs: unrolled(network, inputs)[0], paths, paths.shape[1] // 3)
    return Memory(lengths, loss_by_context(network, x, loss_of, lengths), groups, response)
