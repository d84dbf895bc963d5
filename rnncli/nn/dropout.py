"""Dropout from a generator of its own, so that trainings side by side do not draw from one stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Generator, Tensor


@dataclass(frozen=True)
class Part:
    """Rows of a batch of `count`, of which a process has those `at` some places."""

    count: int
    at: slice | Tensor


@dataclass(frozen=True)
class Draws:
    """A generator, and which crops and which questions of a batch its masks are for (None: all of them). Masks are
    drawn for the whole batch, so that those of a crop do not depend on who has it.
    """

    generator: Generator
    crops: Part | None = None
    questions: Part | None = None


def dropout(x: Tensor, share: float, generator: Generator, part: Part | None = None) -> Tensor:
    """x, which may be a `part` of a batch, with each unit 0 with this probability, and the others scaled up to keep the
    mean (Srivastava et al. 2014).

    Of sequences [n, T, H] or [n, T, h, w, H] a unit is dropped for the whole sequence (Gal & Ghahramani 2016), and
    everywhere in a frame (Tompson et al. 2015).
    """
    if not share:
        return x
    shape = (part.count if part else len(x), *(1 for _ in x.shape[1:-1]), x.shape[-1])
    kept = torch.empty(shape, device=x.device).bernoulli_(1 - share, generator=generator)
    kept = kept[part.at] if part else kept
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
