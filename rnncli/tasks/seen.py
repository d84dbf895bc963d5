"""The inputs of a network from some rows: crops, and the questions that are asked of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from rnncli.arrays import Array, Ints
from rnncli.layers.encoder import encoder_shapes
from rnncli.spec import NetworkSpec

Weights = Mapping[str, Array]
Shapes = dict[str, tuple[int, ...]]
HEAD = "head."
"""Before the names of the head's tensors in a model; those of layer i begin with `layer{i}.`."""


Division = Callable[[int], slice]
"""Which of so many crops one of several processes has."""


@dataclass(frozen=True)
class Share:
    """What some crops are of a batch of so many `crops` and `questions`: those `at` these places, with the questions
    `asked` [o] of them.
    """

    crops: int
    questions: int
    at: slice
    asked: Ints


@dataclass(frozen=True)
class Seen:
    """Crops of n series as the network sees them, and the o questions that are asked of them.

    `inputs` [n, T, I], of which the first `lengths` [n] steps of each crop are real. Question i is asked at step
    origins[i] of crop rows[i]: [o] each. `beside` holds what the head is given beside the encoder's outputs, and
    `units` what leads from what is said to the data's units: name -> [o, ...]. `targets` [o, ...] is what came, NaN
    where nobody knows. `codes` [n, T, K] are categories that the task embeds. Crop i begins at row first_row[i] of
    series[i]. `fresh` [n] says which crops do not go on from what was carried, None that all begin with the first
    state. `share` says what they are of a batch that several processes divide among them, None that they are all of it.
    """

    inputs: Array
    lengths: Array
    rows: Array
    origins: Array
    beside: Mapping[str, Array]
    targets: Array
    units: Mapping[str, Array]
    series: Ints
    first_row: Ints
    fresh: Array | None = None
    codes: Array | None = None
    share: Share | None = None

    @property
    def nbytes(self) -> int:
        """Memory of what the network sees."""
        return int(self.inputs.nbytes + self.targets.nbytes + sum(part.nbytes for part in self.beside.values()))


def share_of(rows: Ints, crops: int, divided: Division) -> Share:
    """A process's share of a batch of so many crops, of which questions [o] are asked at rows[i]."""
    at = divided(crops)
    return Share(crops, len(rows), at, np.flatnonzero((rows >= at.start) & (rows < at.stop)))


def divided(seen: Seen, by: Division | None) -> Seen:
    """A process's crops of a batch with the questions that are asked of them; all of them where nothing is divided."""
    if by is None:
        return seen
    share = share_of(seen.rows, len(seen.inputs), by)
    crops, asked = share.at, share.asked
    return replace(
        seen,
        inputs=seen.inputs[crops],
        lengths=seen.lengths[crops],
        rows=seen.rows[asked] - crops.start,
        origins=seen.origins[asked],
        beside={name: part[asked] for name, part in seen.beside.items()},
        targets=seen.targets[asked],
        units={name: part[asked] for name, part in seen.units.items()},
        series=seen.series[crops],
        first_row=seen.first_row[crops],
        fresh=None if seen.fresh is None else seen.fresh[crops],
        codes=None if seen.codes is None else seen.codes[crops],
        share=share,
    )


def head_weights(weights: Weights) -> dict[str, Array]:
    """The head's weights, without their prefix."""
    return {name.removeprefix(HEAD): weight for name, weight in weights.items() if name.startswith(HEAD)}


def at_origins(outputs: Array, seen: Seen) -> Array:
    """The encoder's output at the step of each question: [n, T, H] -> [o, H]."""
    return outputs[seen.rows, seen.origins]


def named_shapes(network: NetworkSpec, head: Shapes) -> Shapes:
    """Name and shape of every weight of one member: the encoder's and the head's."""
    return encoder_shapes(network) | {HEAD + name: shape for name, shape in head.items()}
