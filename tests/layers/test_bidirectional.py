"""A cell from both ends of a sequence."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from rnncli.cells.named import cell_named
from rnncli.errors import UsageError
from rnncli.layers.bidirectional import bidirectional, bidirectional_shapes
from rnncli.layers.unroll import unroll

LENGTHS = (6, 9, 1)


@pytest.mark.parametrize("name", ["gru", "lstm"])
def test_it_equals_that_of_pytorch_on_sequences_of_different_lengths(name: str) -> None:
    cell, generator = cell_named(name), torch.Generator().manual_seed(0)
    shapes = bidirectional_shapes(cell, 3, 8)
    weights = {key: torch.randn(shape, generator=generator) for key, shape in shapes.items()}
    layer = {"gru": nn.GRU, "lstm": nn.LSTM}[name](3, 4, batch_first=True, bidirectional=True)
    with torch.no_grad():
        for suffix, direction in (("", "forward."), ("_reverse", "backward.")):
            for ours, theirs in (("weight_ih", "weight_ih_l0"), ("weight_hh", "weight_hh_l0"), ("bias", "bias_ih_l0")):
                getattr(layer, theirs + suffix).copy_(weights[direction + ours])
            second = getattr(layer, "bias_hh_l0" + suffix).zero_()
            if name == "gru":
                second[-4:] = weights[direction + "bias_hn"]
    x, lengths = torch.randn(3, 9, 3, generator=generator), torch.tensor(LENGTHS)
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    with torch.no_grad():
        expected, _ = nn.utils.rnn.pad_packed_sequence(layer(packed)[0], batch_first=True)
    found = bidirectional(lambda w, x: unroll(cell, w, x, None, torch)[0], weights, x, lengths, torch)
    arrays = {key: weight.numpy() for key, weight in weights.items()}
    in_numpy = bidirectional(lambda w, x: unroll(cell, w, x)[0], arrays, x.numpy(), lengths.numpy(), np)
    for row, length in enumerate(LENGTHS):
        assert torch.allclose(found[row, :length], expected[row, :length], atol=1e-5)
        np.testing.assert_allclose(in_numpy[row, :length], expected[row, :length], atol=1e-5)


def test_an_odd_number_of_units_cannot_be_halved() -> None:
    with pytest.raises(UsageError, match="even number"):
        bidirectional_shapes(cell_named("gru"), 3, 7)
