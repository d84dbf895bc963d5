"""The inputs of a network from some rows: crops, and the questions that are asked of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from rnncli.arrays import Array, Ints
from rnncli.layers.encoder import encoder_shapes
from rnncli.spec import NetworkSpec

Weights = Mapping[str, Array]
Shapes = dict[str, tuple[int, ...]]
HEAD = "head."
"""Before the names of the head's tensors in a model; those of layer i begin with `layer{i}.`."""


@dataclass(frozen=True)
class Seen:
    """Crops of n series as the network sees them, and the o questions that are asked of them.

    `inputs` [n, T, I], of which the first `lengths` [n] steps of each crop are real. Question i is asked at step
    origins[i] of crop rows[i]: [o] each. `beside` holds what the head is given beside the encoder's outputs, and
    `units` what leads from what is said to the data's units: name -> [o, ...]. `targets` [o, ...] is what came, NaN
    where nobody knows. `codes` [n, T, K] are categories that the task embeds. Crop i begins at row first_row[i] of
    series[i]. `fresh` [n] says which crops do not go on from what was carried, None that all begin with the first
    state.
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

    @property
    def nbytes(self) -> int:
        """Memory of what the network sees."""
        return int(self.inputs.nbytes + self.targets.nbytes + sum(part.nbytes for part in self.beside.values()))


def part_of(seen: Seen, crops: slice) -> tuple[Seen, Ints]:
    """Some crops of a batch with the questions that are asked of them, and which of all questions these are."""
    asked = np.flatnonzero((seen.rows >= crops.start) & (seen.rows < crops.stop))
    some = replace(
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
    )
    return some, asked


def head_weights(weights: Weights) -> dict[str, Array]:
    """The head's weights, without their prefix."""
    return {name.removeprefix(HEAD): weight for name, weight in weights.items() if name.startswith(HEAD)}


def at_origins(outputs: Array, seen: Seen) -> Array:
    """The encoder's output at the step of each question: [n, T, H] -> [o, H]."""
    return outputs[seen.rows, seen.origins]


def named_shapes(network: NetworkSpec, head: Shapes) -> Shapes:
    """Name and shape of every weight of one member: the encoder's and the head's."""
    return encoder_shapes(network) | {HEAD + name: shape for name, shape in head.items()}
