"""Losses that read more than the last step, and layers that read a sequence from both ends."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from rnncli.cells.named import cell_named
from rnncli.diagnostics.culprit import find_culprit
from rnncli.diagnostics.dynamics import layer_dynamics
from rnncli.diagnostics.flow import gradient_by_lag
from rnncli.diagnostics.gates import layer_activity
from rnncli.diagnostics.memory import loss_by_context
from rnncli.diagnostics.unrolling import Stack, paths, unrolled
from rnncli.diagnostics.verdict import judge
from rnncli.layers.encoder import RecurrentLayer, encoder_shapes, recurrent_layers
from rnncli.nn.initialise import initialise_encoder
from rnncli.nn.network import encode
from rnncli.spec import NetworkSpec

RNN = cell_named("rnn")
Weights = dict[str, Tensor]


def noise(rows: int, steps: int, inputs: int = 2, seed: int = 1) -> Tensor:
    return torch.randn(rows, steps, inputs, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def made(cell: str, layers: int = 1, hidden: int = 8, init: str = "uniform") -> tuple[NetworkSpec, Weights]:
    spec = NetworkSpec(cell, "tanh", layers, hidden, 0.0, True, init, 2, layer_norm=layers > 1)
    weights = {name: torch.zeros(shape) for name, shape in encoder_shapes(spec).items()}
    initialise_encoder(spec, weights, torch.Generator().manual_seed(0))
    return spec, {name: weight.double() for name, weight in weights.items()}


def pooled(outputs: Tensor, rows: slice) -> Tensor:
    """A label's loss from the mean over all steps."""
    return outputs.mean(dim=1).sum(dim=1)


def at_the_first(outputs: Tensor, rows: slice) -> Tensor:
    return outputs[:, 0].sum(dim=1)


def linear(rho: float) -> Weights:
    return {
        "weight_ih": torch.full((1, 2), 0.1, dtype=torch.float64),
        "weight_hh": torch.full((1, 1), rho, dtype=torch.float64),
        "bias": torch.zeros(1, dtype=torch.float64),
    }


@pytest.mark.parametrize("rho", [0.5, 0.9, 1.0, 1.1])
def test_the_gradient_of_a_mean_over_steps_is_a_geometric_sum(rho: float) -> None:
    """A linear cell: d mean / d s_(T - k) = (1 + rho + ... + rho^k) / T, over every step that comes after."""
    steps = 40
    flow = gradient_by_lag(Stack(RNN, [linear(rho)], "linear"), noise(3, steps), pooled)
    expected = np.cumsum(rho ** np.arange(steps)) / steps
    np.testing.assert_allclose(flow.layers[0].profile(), expected, rtol=1e-12)


def test_each_direction_of_a_linear_layer_has_its_own_rate_and_lags_from_its_own_end() -> None:
    both = {f"{way}.{name}": w for way, rho in (("forward", 0.5), ("backward", 0.9)) for name, w in linear(rho).items()}
    stack = Stack(RecurrentLayer(RNN, bidirectional=True), [both], "linear")

    def ends(outputs: Tensor, rows: slice) -> Tensor:
        return outputs[:, -1, 0] + outputs[:, 0, 1]

    forward, backward = gradient_by_lag(stack, noise(2, 30), ends).layers
    assert (forward.name, backward.name) == ("layer 0 forward", "layer 0 backward")
    np.testing.assert_allclose(forward.profile(), 0.5 ** np.arange(30), rtol=1e-12)
    np.testing.assert_allclose(backward.profile(), 0.9 ** np.arange(30), rtol=1e-12)
    (_, behind) = gradient_by_lag(stack, noise(2, 30), lambda outputs, _: outputs[:, -1].sum(dim=1)).layers
    assert not behind.profile()[:-1].any()  # its state at the last step comes from that step alone
    assert behind.profile()[-1] == 1


@pytest.mark.parametrize("cell", ["bidirectional:gru", "bidirectional:lstm,gru", "bidirectional:dilated:3:gru"])
def test_the_unroll_gives_what_training_does(cell: str) -> None:
    spec, weights = made(cell, 2)
    x, lengths = noise(3, 12), torch.tensor([12, 7, 1])
    ours = unrolled(Stack.of(spec, weights), x, lengths)[0]
    theirs = encode(weights, spec, x, lengths=lengths)
    for row, length in enumerate(lengths.tolist()):
        assert torch.allclose(ours[row, :length], theirs[row, :length], atol=1e-10)


@pytest.mark.parametrize("cell", ["gru", "bidirectional:gru"])
def test_the_gradient_of_each_tensor_is_that_of_the_mean_loss(cell: str) -> None:
    spec, weights = made(cell, 2)
    x = noise(4, 9)

    def loss(outputs: Tensor, rows: slice) -> Tensor:
        return outputs.pow(3).mean(dim=(1, 2))

    leaves = {name: weight.clone().requires_grad_() for name, weight in weights.items()}
    gradients = torch.autograd.grad(loss(encode(leaves, spec, x), slice(None)).mean(), list(leaves.values()))
    found = {tensor.tensor: tensor for tensor in gradient_by_lag(Stack.of(spec, weights), x, loss).tensors}
    for name, gradient in zip(leaves, gradients, strict=True):
        assert found[name].gradient == pytest.approx(float(gradient.norm()), rel=1e-8)
        if name.endswith("weight_hh"):
            assert math.hypot(*found[name].gates.values()) == pytest.approx(found[name].gradient)


def trained_to_read_the_first_step(cell: str, init: str) -> tuple[Stack, Tensor, Tensor, Weights]:
    """A network whose mean output tells the sign that stands in the first of 24 steps, and in no other."""
    spec, weights = made(cell, 1, 8, init)
    x, generator = noise(32, 24), torch.Generator().manual_seed(2)
    x[:, :, 1] = 0
    sign = torch.randint(0, 2, (32,), generator=generator).double() * 2 - 1
    x[:, 0, 1] = 2 * sign
    head = 0.3 * torch.randn(8, generator=generator, dtype=torch.float64)
    leaves = {name: weight.requires_grad_() for name, weight in (weights | {"head": head}).items()}
    optimiser = torch.optim.Adam(leaves.values(), 0.05)
    for _ in range(40):
        optimiser.zero_grad()
        loss = torch.nn.functional.softplus(-sign * (encode(leaves, spec, x).mean(dim=1) @ leaves["head"]))
        loss.mean().backward()
        optimiser.step()
    assert float(loss.detach().mean()) < 0.3
    trained = {name: leaf.detach() for name, leaf in leaves.items()}
    return Stack.of(spec, trained), x, sign, trained


def test_a_label_of_the_first_step_is_seen_by_both_directions_of_a_trained_network() -> None:
    stack, x, sign, weights = trained_to_read_the_first_step("bidirectional:gru", "chrono:24")

    def loss(outputs: Tensor, rows: slice) -> Tensor:
        return torch.nn.functional.softplus(-sign[rows] * (outputs.mean(dim=1) @ weights["head"]))

    flow = gradient_by_lag(stack, x, loss)
    forward, backward = flow.layers
    assert flow.loss < 0.3
    assert judge(forward, ()).name == "healthy"  # what the first step left counts at every later one
    assert (forward.share_left(23) or 0) > 1
    assert backward.profile()[0] > 0  # its last step, which is the sequence's first
    losses = loss_by_context(stack, x, loss, (12, 24)).mean(axis=1)
    assert losses[0] > 2 * losses[1]  # the label cannot be told without the first step


def test_a_backward_direction_that_forgets_is_found_and_named() -> None:
    spec, weights = made("bidirectional:rnn")
    for way, rho in (("forward", 0.98), ("backward", 0.2)):
        weights[f"layer0.{way}.weight_hh"] = rho * torch.eye(4, dtype=torch.float64)
    stack = Stack(recurrent_layers(spec.cell, 1), Stack.of(spec, weights).layers, "linear")
    flow = gradient_by_lag(stack, noise(6, 40), lambda outputs, _: outputs[:, [0, -1]].sum(dim=(1, 2)))
    assert {layer.name: judge(layer, ()).name for layer in flow.layers} == {
        "layer 0 forward": "healthy",
        "layer 0 backward": "healthy",  # the loss reads its first step as well: nothing has vanished there
    }
    read = gradient_by_lag(stack, noise(6, 40), at_the_first)
    assert [judge(layer, ()).name for layer in read.layers] == ["not enough data", "vanishing"]


def test_the_exponents_and_gates_of_each_direction_are_its_own() -> None:
    both = {f"{way}.{name}": w for way, rho in (("forward", 0.5), ("backward", 0.9)) for name, w in linear(rho).items()}
    stack = Stack(RecurrentLayer(RNN, bidirectional=True), [both], "linear")
    _, along = paths(stack, noise(3, 50))
    for path, name, rho in zip(along, ("layer 0 forward", "layer 0 backward"), (0.5, 0.9), strict=True):
        moving, active = layer_dynamics(stack, path, np.arange(3)), layer_activity(stack, path)
        assert moving.name == active.name == name
        assert moving.largest == pytest.approx(math.log(rho))
        assert active.kept[0] == pytest.approx(-1 / math.log(rho))


def test_a_broken_state_is_found_with_its_direction() -> None:
    spec, weights = made("bidirectional:gru")
    x, rows, ends = noise(3, 20), np.arange(3), np.array([19, 11, 19])
    x[1, 12:] = math.nan  # padding: row 1 has twelve steps
    weights["layer0.backward.weight_hh"][:] = math.inf
    found = find_culprit(Stack.of(spec, weights), x[[1]], rows[:1], ends[[1]], lambda outputs, i: pooled(outputs, rows))
    assert found is not None
    assert (found.place, found.where, found.norm) == (0, "layer 0 backward, lag 11", math.inf)


def test_the_worst_of_sound_examples_is_the_one_with_the_largest_gradient() -> None:
    spec, weights = made("bidirectional:gru")
    x, rows, ends = noise(3, 20), np.arange(3), np.array([19, 11, 19])

    def loss(outputs: Tensor, example: int) -> Tensor:
        assert outputs.shape[1] == ends[example] + 1
        return 100.0 ** (example == 1) * at_the_first(outputs[:, :, 4:], slice(None))  # the backward half

    found = find_culprit(Stack.of(spec, weights), x, rows, ends, loss)
    assert found is not None
    assert (found.place, found.where) == (1, "layer 0 backward, lag 0")
