"""Dropout from a generator of its own, so that trainings side by side do not draw from one stream."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Generator, Tensor


def dropout(x: Tensor, share: float, generator: Generator) -> Tensor:
    """x with each unit 0 with this probability, and the others scaled up to keep the mean (Srivastava et al. 2014).

    Of sequences [n, T, H] or [n, T, h, w, H] a unit is dropped for the whole sequence (Gal & Ghahramani 2016), and
    everywhere in a frame (Tompson et al. 2015).
    """
    if not share:
        return x
    shape = (len(x), *(1 for _ in x.shape[1:-1]), x.shape[-1])
    kept = torch.empty(shape, device=x.device).bernoulli_(1 - share, generator=generator)
    return x * (kept / (1 - share))


def connections_dropped(weights: Mapping[str, Tensor], share: float, generator: Generator) -> dict[str, Tensor]:
    """A layer's weights of which a share of those from one step's units to the next one's are 0, the same at every
    step, and the others scaled up to keep the mean (Merity, Keskar & Socher 2018).
    """
    if not share:
        return dict(weights)

    def dropped(weight: Tensor) -> Tensor:
        kept = torch.empty_like(weight).bernoulli_(1 - share, generator=generator)
        return weight * (kept / (1 - share))

    return {name: dropped(weight) if name.endswith("weight_hh") else weight for name, weight in weights.items()}
