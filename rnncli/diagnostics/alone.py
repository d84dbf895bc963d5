"""The gradient at a fixed depth: what each layer's own recurrence does with it, and what is left of it layer by layer.

A lower layer's gradient by lag mixes in whatever the recurrence of the layers above does with it. So the loss is taken
down through the layers at one step, every recurrence cut, and then back through time in one layer alone:

    e_t = d L / d h_t          the output of the layer at step t, with no step between
    d_t = e_t + J_{t+1}^T d_{t+1}

J_t is the Jacobian of the layer's own step. Of the last layer d is the whole gradient; of the others d_T by layer says
how the gradient fares across layers, and d by lag how it fares in time.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from rnncli.cells.cell import State
from rnncli.diagnostics.unrolling import Stack, steps_of
from rnncli.layers.norm import layer_norm
from rnncli.layers.stack import stack


def parted(network: Stack) -> bool:
    """Whether layers can be told from each other: there are several, and none reads its input from both ends."""
    return len(network.layers) > 1 and not any(layer.bidirectional for layer in network.each)


def gradients_alone(network: Stack, x: Tensor, losses_of: Callable[[Tensor], Tensor]) -> list[Tensor]:
    """d of every layer, in the order of time [T, states, B, ..., H], for x [B, T, I] and the losses [B] of the last
    layer's outputs [B, T, H].
    """
    inputs, outputs, result = _without_recurrence(network, x)
    arriving = torch.autograd.grad(losses_of(result).sum(), outputs, allow_unused=True, materialize_grads=True)
    every = zip(network.each, network.layers, inputs, arriving, strict=True)
    return [
        _through_time(steps_of(layer.cell, weights, entered, network.activation)[1], gradient)
        for layer, weights, entered, gradient in every
    ]


def _without_recurrence(network: Stack, x: Tensor) -> tuple[list[Tensor], list[Tensor], Tensor]:
    """The input and the output of each layer, and what the last one gives, in a graph that goes down and never back."""
    inputs: list[Tensor] = []
    outputs: list[Tensor] = []

    def run_layer(index: int, x: Tensor) -> Tensor:
        weights = network.layers[index]
        _, made = steps_of(network.each[index].cell, weights, x, network.activation, cut=True)
        inputs.append(x.detach())
        outputs.append(torch.stack([state[0] for state in made], dim=1))
        normed: Tensor = layer_norm(outputs[-1], weights)
        return normed

    result: Tensor = stack(run_layer, len(network.layers), x, network.residual)
    return inputs, outputs, result


def _through_time(made: list[State], arriving: Tensor) -> Tensor:
    """d of one layer, from the states that its steps made and what arrives at its outputs [B, T, H]."""
    parts = [part for state in made for part in state]
    found = torch.autograd.grad(
        [state[0] for state in made], parts, list(arriving.unbind(1)), allow_unused=True, materialize_grads=True
    )
    size = len(made[0])
    return torch.stack([torch.stack(found[start : start + size]) for start in range(0, len(found), size)])
