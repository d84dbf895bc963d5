"""AdamW (Loshchilov & Hutter 2019), the same bits as torch.optim.AdamW: the object torch makes of it imports torch's
compiler, which costs seconds and 70 MB a process, asks for a home and makes a folder among the temporary files.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.optim import adamw as theirs

BETAS = (0.9, 0.99)


@torch.no_grad()
def adamw(
    weights: Mapping[str, Tensor],
    first_moment: Mapping[str, Tensor],
    second_moment: Mapping[str, Tensor],
    step: int,
    rate: float,
    decay: Mapping[str, float],
) -> None:
    """Move, in place, the weights against their gradients, and the averages of the gradients and of their squares.

    `step` counts from 1; `decay` says how much each weight is pulled to zero: matrices are, biases are not.
    """
    for pull in sorted(set(decay.values())):
        gradients = {name: w.grad for name, w in weights.items() if decay[name] == pull and w.grad is not None}
        names = list(gradients)
        theirs.adamw(
            [weights[name] for name in names],
            list(gradients.values()),
            [first_moment[name] for name in names],
            [second_moment[name] for name in names],
            [],
            [torch.tensor(step - 1.0) for _ in names],  # counted up in the call
            amsgrad=False,
            beta1=BETAS[0],
            beta2=BETAS[1],
            lr=rate,
            weight_decay=pull,
            eps=1e-8,
            maximize=False,
        )
