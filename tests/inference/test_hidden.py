"""The hidden state of a network's layers, carried over a sequence in pieces."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rnncli.errors import UsageError
from rnncli.inference.hidden import OUTPUT, carry, first_hidden, hidden_shapes
from rnncli.layers.encoder import encoder_shapes, outputs
from rnncli.nn.initialise import initialise_encoder
from rnncli.registry import CELLS
from rnncli.spec import NetworkSpec

INPUTS, HIDDEN, STEPS, SERIES = 3, 6, 40, 5


def network(cell: str, members: int = 2) -> NetworkSpec:
    return NetworkSpec(cell, "tanh", 2, HIDDEN, 0.0, True, "orthogonal", INPUTS, members, layer_norm=True)


def weights_of(spec: NetworkSpec, member: int) -> dict[str, np.ndarray]:
    weights = {name: torch.zeros(shape) for name, shape in encoder_shapes(spec).items()}
    initialise_encoder(spec, weights, torch.Generator().manual_seed(member))
    return {name: weight.numpy() for name, weight in weights.items()}


@pytest.mark.parametrize("cell", [*CELLS, "dilated:3:gru", "fir:3,lstm"])
def test_inputs_in_pieces_leave_the_bits_of_the_encoder_over_all_of_them(cell: str) -> None:
    spec = network(cell)
    members = [weights_of(spec, member) for member in range(spec.members)]
    x = np.random.default_rng(0).normal(size=(SERIES, STEPS, INPUTS)).astype(np.float32)
    hidden, places, made = first_hidden(spec, SERIES + 2), np.array([4, 0, 2, 6, 1]), []
    for begin, end in ((0, 1), (1, 2), (2, 19), (19, 20), (20, STEPS)):
        made.append(carry(spec, members, hidden, places, [x[:, begin:end]] * spec.members))
    for member, weights in enumerate(members):
        pieces = np.concatenate([part[member] for part in made], axis=1)
        assert pieces.tobytes() == outputs(spec, weights, x).tobytes()
        assert hidden[OUTPUT][member, places, 0].tobytes() == np.ascontiguousarray(pieces[:, -1]).tobytes()
    untouched = first_hidden(spec, SERIES + 2)
    assert all((hidden[name][:, [3, 5]] == untouched[name][:, [3, 5]]).all() for name in hidden_shapes(spec, 1))


@pytest.mark.parametrize("kept", [1, 3, 18, STEPS + 2])
def test_as_many_of_the_last_outputs_are_kept_as_are_asked_for(kept: int) -> None:
    spec = network("gru")
    members = [weights_of(spec, member) for member in range(spec.members)]
    x = np.random.default_rng(0).normal(size=(SERIES, STEPS, INPUTS)).astype(np.float32)
    hidden = first_hidden(spec, SERIES, kept)
    for begin, end in ((0, 1), (1, 2), (2, 19), (19, 20), (20, STEPS)):
        carry(spec, members, hidden, np.arange(SERIES), [x[:, begin:end]] * spec.members)
    for member, weights in enumerate(members):
        with_nothing_before = np.pad(outputs(spec, weights, x), ((0, 0), (2, 0), (0, 0)))
        assert np.array_equal(hidden[OUTPUT][member], with_nothing_before[:, -kept:])


def test_a_layer_that_reads_from_both_ends_has_no_state_to_carry() -> None:
    with pytest.raises(UsageError, match="no state to carry on"):
        hidden_shapes(network("lstm,bidirectional:gru"), 1)
