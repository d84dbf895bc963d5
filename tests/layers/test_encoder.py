"""The encoder, bidirectional layers among others: NumPy and torch, padding, batches, directions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rnncli.cells.name import parsed
from rnncli.errors import UsageError
from rnncli.layers.encoder import encoder_shapes, outputs
from rnncli.nn.initialise import initialise_encoder
from rnncli.nn.network import encode, state_shapes
from rnncli.registry import CELLS
from rnncli.spec import NetworkSpec

INPUTS, HIDDEN = 3, 6
LENGTHS = (9, 4, 7, 1)
Weights = dict[str, Tensor]

both_ways = pytest.mark.parametrize(
    "cell",
    [
        *(f"bidirectional:{name}" for name in CELLS),
        "bidirectional:dilated:3:gru",
        "bidirectional:fir:3",
        "bidirectional:gru,gru",
        "lstm,bidirectional:gru",
    ],
)


def network(cell: str, *, layers: int = 2, layer_norm: bool = True, hidden: int = HIDDEN) -> NetworkSpec:
    return NetworkSpec(cell, "tanh", layers, hidden, 0.0, True, "orthogonal", INPUTS, layer_norm=layer_norm)


def made(spec: NetworkSpec, dtype: torch.dtype = torch.float64, init: str = "uniform") -> Weights:
    weights = {name: torch.zeros(shape) for name, shape in encoder_shapes(spec).items()}
    initialise_encoder(NetworkSpec(**{**spec.__dict__, "init": init}), weights, torch.Generator().manual_seed(0))
    return {name: weight.to(dtype) for name, weight in weights.items()}


def sequences(dtype: torch.dtype = torch.float64) -> Tensor:
    """Ragged ones, with what must not be seen behind them."""
    x = torch.randn(len(LENGTHS), max(LENGTHS), INPUTS, generator=torch.Generator().manual_seed(1), dtype=dtype)
    for row, length in enumerate(LENGTHS):
        x[row, length:] = 1e3
    return x


def in_numpy(weights: Weights) -> dict[str, np.ndarray]:
    return {name: weight.numpy() for name, weight in weights.items()}


def real(found: np.ndarray | Tensor) -> list[np.ndarray]:
    return [np.asarray(found[row, :length]) for row, length in enumerate(LENGTHS)]


@both_ways
def test_torch_and_numpy_agree_on_ragged_batches(cell: str) -> None:
    spec = network(cell)
    weights, x = made(spec, torch.float32), sequences(torch.float32)
    fused = encode(weights, spec, x, lengths=torch.tensor(LENGTHS))
    plain = outputs(spec, in_numpy(weights), x.numpy(), np.array(LENGTHS))
    for ours, theirs in zip(real(plain), real(fused), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@both_ways
def test_sequences_of_different_lengths_are_as_if_each_ran_alone(cell: str) -> None:
    spec = network(cell)
    weights, x = made(spec), sequences()
    together = real(encode(weights, spec, x, lengths=torch.tensor(LENGTHS)))
    for row, length in enumerate(LENGTHS):
        alone = encode(weights, spec, x[[row], :length])[0]
        np.testing.assert_allclose(together[row], alone, atol=1e-12)


@both_ways
def test_in_numpy_neither_padding_nor_the_batch_changes_a_bit(cell: str) -> None:
    spec = network(cell)
    weights, x = in_numpy(made(spec, torch.float32)), sequences(torch.float32).numpy()
    lengths = np.array(LENGTHS)
    first = real(outputs(spec, weights, x, lengths))
    longer = np.concatenate([x, np.full((len(x), 5, INPUTS), -7.0, np.float32)], axis=1)
    padded = real(outputs(spec, weights, longer, lengths))
    order = np.array([2, 0, 3, 1])
    moved = outputs(spec, weights, x[order], lengths[order])
    for row, length in enumerate(LENGTHS):
        alone = outputs(spec, weights, x[[row], :length])[0]
        place = int(np.flatnonzero(order == row)[0])
        for other in (padded[row], alone, moved[place, :length]):
            assert np.array_equal(first[row], other)


@both_ways
def test_a_loss_of_real_steps_has_no_gradient_at_padding(cell: str) -> None:
    spec = network(cell)
    x, lengths = sequences().requires_grad_(), torch.tensor(LENGTHS)
    is_real = torch.arange(x.shape[1]) < lengths[:, None]
    encode(made(spec), spec, x, lengths=lengths)[is_real].pow(3).sum().backward()
    assert x.grad is not None
    assert not x.grad[~is_real].any()
    assert x.grad[is_real].abs().sum(dim=1).all()


@pytest.mark.parametrize(
    "cell",
    [
        "bidirectional:gru",
        "bidirectional:lru",
        "bidirectional:dilated:2:lstm",
        "bidirectional:mlstm",
        "bidirectional:mamba",
    ],
)
def test_reversing_the_sequences_swaps_the_directions(cell: str) -> None:
    spec = network(cell, layers=1, layer_norm=False)
    weights, x, lengths = made(spec), sequences(), np.array(LENGTHS)
    swapped = {
        name.replace(one, other): weight
        for one, other in (("forward", "backward"), ("backward", "forward"))
        for name, weight in weights.items()
        if one in name
    }
    ahead = real(outputs(spec, in_numpy(weights), x.numpy(), lengths))
    turned = x.clone()
    for row, length in enumerate(LENGTHS):
        turned[row, :length] = x[row, :length].flip(0)
    back = real(outputs(spec, in_numpy(swapped), turned.numpy(), lengths))
    for one, other in zip(ahead, back, strict=True):
        halves = np.split(other[::-1], 2, axis=1)
        np.testing.assert_allclose(one, np.concatenate(halves[::-1], axis=1), atol=1e-12)


@pytest.mark.parametrize("name", ["gru", "lstm"])
def test_two_layers_equal_those_of_pytorch(name: str) -> None:
    spec = NetworkSpec(f"bidirectional:{name}", "tanh", 2, HIDDEN, 0.0, False, "uniform", INPUTS)  # no residual
    weights, x = made(spec), sequences()
    layer = {"gru": nn.GRU, "lstm": nn.LSTM}[name](
        INPUTS, HIDDEN // 2, 2, batch_first=True, bidirectional=True, dtype=torch.float64
    )
    with torch.no_grad():
        for index in range(2):
            for suffix, direction in (("", "forward"), ("_reverse", "backward")):
                own = {k.rpartition(".")[2]: w for k, w in weights.items() if k.startswith(f"layer{index}.{direction}")}
                for kind, ours in (("weight_ih", "weight_ih"), ("weight_hh", "weight_hh"), ("bias_ih", "bias")):
                    getattr(layer, f"{kind}_l{index}{suffix}").copy_(own[ours])
                second = getattr(layer, f"bias_hh_l{index}{suffix}").zero_()
                if name == "gru":
                    second[-HIDDEN // 2 :] = own["bias_hn"]
        packed = nn.utils.rnn.pack_padded_sequence(x, torch.tensor(LENGTHS), batch_first=True, enforce_sorted=False)
        expected, _ = nn.utils.rnn.pad_packed_sequence(layer(packed)[0], batch_first=True)
        found = encode(weights, spec, x, lengths=torch.tensor(LENGTHS))
    for ours, theirs in zip(real(found), real(expected), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize("cell", ["bidirectional:gru,gru", "lstm,bidirectional:lru", "bidirectional:dilated:2:mgu"])
def test_gradients_are_those_of_the_formula(cell: str) -> None:
    spec, lengths = network(cell, hidden=4), torch.tensor([4, 2])
    weights, x = made(spec), torch.randn(2, 4, INPUTS, dtype=torch.float64)
    names = list(weights)

    def loss(x: Tensor, *tensors: Tensor) -> Tensor:
        return encode(dict(zip(names, tensors, strict=True)), spec, x, lengths=lengths)

    leaves = [tensor.requires_grad_() for tensor in (x, *weights.values())]
    assert torch.autograd.gradcheck(loss, leaves, fast_mode=True)


@pytest.mark.parametrize("cell", [f"bidirectional:{name}" for name in CELLS])
@pytest.mark.parametrize("init", ["orthogonal", "chrono:24", "identity", "uniform"])
def test_each_direction_begins_as_a_cell_of_half_the_units(cell: str, init: str) -> None:
    spec = network(cell, layers=1, layer_norm=False)
    both = made(spec, torch.float32, init)
    alone = made(network(str(parsed(cell).inner), layers=1, layer_norm=False, hidden=HIDDEN // 2), torch.float32, init)
    for name, weight in alone.items():
        forward, backward = (both[name.replace("layer0.", f"layer0.{way}.")] for way in ("forward", "backward"))
        assert torch.equal(forward, weight)  # the first to be drawn
        assert backward.shape == weight.shape
    assert any(not torch.equal(both[name], both[name.replace("forward", "backward")]) for name in both)


def test_an_odd_number_of_units_and_a_carried_state_are_refused() -> None:
    with pytest.raises(UsageError, match="even number of units, not 5"):
        encoder_shapes(network("bidirectional:gru", hidden=5))
    spec = network("bidirectional:gru")
    for refused in (lambda: state_shapes(spec, 3), lambda: encode(made(spec), spec, sequences(), None, {})):
        with pytest.raises(UsageError, match="truncated backpropagation"):
            refused()
