"""From the encoder's outputs to a label, one formula for training (torch) and prediction (NumPy).

The outputs h_1 ... h_T of a sequence are pooled, in one way or side by side in all:

    last       h_T (of outputs that come from the end: of the first step)
    mean       1/T sum_t h_t
    max        max_t h_t, each unit on its own
    attention  sum_t a_t h_t,  a = softmax_t(v tanh(W h_t + b))     (Lin et al. 2017, "A Structured Self-Attentive ...")
    joined     all four, one after the other

and each pooling p has an answer of its own: logits of the classes, or quantiles of a number,

    s = W_p p + b_p

Of frames, h_t is the mean over the pixels of the network's grid and, beside it, the largest value of each unit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rnncli.arrays import Array
from rnncli.layers.activation import softplus
from rnncli.layers.linear import linear
from rnncli.layers.quantiles import fan, pinball
from rnncli.tasks.labels.spec import ATTENTION, EMBEDDING, JOINED, LAST, MAX, MEAN, LabelSpec
from rnncli.tasks.seen import Seen, Shapes, Weights
from rnncli.tasks.task import Draw

PARTS = (LAST, MEAN, MAX, ATTENTION)


def parts_of(pooling: str) -> tuple[str, ...]:
    """The poolings that stand one after the other in one."""
    return PARTS if pooling == JOINED else (pooling,)


def parts_read(spec: LabelSpec) -> tuple[str, ...]:
    """The poolings that are made, in their order."""
    wanted = {part for pooling in spec.poolings for part in parts_of(pooling)}
    return tuple(part for part in PARTS if part in wanted)


def shapes(spec: LabelSpec, hidden: int) -> Shapes:
    """Names and shapes of the weights of embeddings, attention and answers, of one member."""
    hidden *= 2 if spec.on_grid else 1
    found: Shapes = {f"embedding{place}": (word.categories + 1, EMBEDDING) for place, word in enumerate(spec.words)}
    if ATTENTION in parts_read(spec):
        found |= {"attend.weight": (hidden, hidden), "attend.bias": (hidden,), "attend.vector": (1, hidden)}
    for pooling in spec.poolings:
        width = hidden * len(parts_of(pooling))
        found |= {f"{pooling}.weight": (spec.outputs, width), f"{pooling}.bias": (spec.outputs,)}
    return found


def embedded(spec: LabelSpec, weights: Weights, numbers: Array, codes: Array, xp: Any) -> Array:
    """The inputs of the encoder: frames of numbers [n, F, N] with the embeddings of their codes [n, F, window * words]
    behind them: [n, F, N + window * words * E]. A category that training had not has a row of its own; where there is
    none, zeros are seen.
    """
    words = len(spec.words)
    if not words:
        return numbers
    parts = [numbers]
    for place in range(codes.shape[2]):
        table = weights[f"embedding{place % words}"]
        code = codes[..., place]
        row = xp.where(code >= 0, code, xp.full_like(code, table.shape[0] - 1))
        parts.append(table[row] * (code != -2)[..., None])
    return xp.concatenate(parts, axis=2)


def read(spec: LabelSpec, weights: Weights, outputs: Array, seen: Seen, xp: Any) -> Array:
    """The poolings of the outputs [n, T, H] that answer each question, one after the other: [o, R].

    The questions are about whole sequences, or, per step, each about the output of its step. Sums run step after step,
    so that padding changes no bit.
    """
    outputs = over_grid(outputs, spec, xp) if spec.on_grid else outputs
    if spec.per_step:
        return outputs[seen.rows, seen.origins]
    length = seen.lengths
    step = xp.arange(outputs.shape[1], device=outputs.device)
    real = (step[None, :] < length[:, None])[..., None]
    rows = xp.arange(outputs.shape[0], device=outputs.device)
    end = rows, length - 1

    def total(x: Array) -> Array:
        return xp.cumsum(xp.where(real, x, xp.zeros_like(x)), axis=1)[end]

    made = {}
    for part in parts_read(spec):
        if part == LAST:
            last, half = outputs[end], outputs.shape[2] // 2
            made[part] = xp.concatenate([last[:, :half], outputs[:, 0, half:]], axis=1) if spec.both_ways else last
        elif part == MEAN:
            made[part] = total(outputs) / xp.asarray(length, dtype=outputs.dtype, device=outputs.device)[:, None]
        elif part == MAX:
            made[part] = xp.amax(xp.where(real, outputs, xp.full_like(outputs, -xp.inf)), axis=1)
        else:
            made[part] = _attended(weights, outputs, real, total, xp)
    return xp.concatenate(list(made.values()), axis=1)[seen.rows]


def over_grid(outputs: Array, spec: LabelSpec, xp: Any) -> Array:
    """Outputs at each pixel of a grid, the mean and the largest of all: [n, T, rows, columns, H] -> [n, T, 2 H]. Those
    that come from the end stay behind the others.
    """
    n, steps, rows, columns, hidden = outputs.shape
    ways = outputs.reshape(n, steps, rows * columns, 1 + spec.both_ways, hidden // (1 + spec.both_ways))
    found = xp.concatenate([ways.sum(axis=2) / (rows * columns), xp.amax(ways, axis=2)], axis=-1)
    return found.reshape(n, steps, 2 * hidden)


def _attended(weights: Weights, outputs: Array, real: Array, total: Callable[[Array], Array], xp: Any) -> Array:
    """sum_t a_t h_t of the real steps: [n, H]."""
    keys = xp.tanh(linear(outputs, weights["attend.weight"], weights["attend.bias"], xp))
    energy = linear(keys, weights["attend.vector"], xp=xp)
    energy = xp.where(real, energy, xp.full_like(energy, -xp.inf))
    a = xp.exp(energy - xp.amax(energy, axis=1, keepdims=True))
    return total(a * outputs) / total(a)


def head(spec: LabelSpec, weights: Weights, state: Array, xp: Any) -> Array:
    """Logits of the classes, or quantiles, of each question from its poolings [o, R]: [o, poolings, outputs]."""
    read_parts = parts_read(spec)
    hidden = state.shape[1] // len(read_parts)
    every = {part: state[:, place * hidden : (place + 1) * hidden] for place, part in enumerate(read_parts)}
    said = []
    for pooling in spec.poolings:
        p = xp.concatenate([every[part] for part in parts_of(pooling)], axis=1)
        said.append(linear(p, weights[f"{pooling}.weight"], weights[f"{pooling}.bias"], xp))
    s = xp.stack(said, axis=1)
    return s if spec.classes else fan(s[..., :1], softplus(s[..., 1:], xp), spec.median, xp)


def log_softmax(s: Array, xp: Any) -> Array:
    """log(exp(s) / sum exp(s)) over the last axis, shifted so that it cannot overflow."""
    shifted = s - xp.amax(s, axis=-1, keepdims=True)
    return shifted - xp.log(xp.exp(shifted).sum(axis=-1, keepdims=True))


def loss(spec: LabelSpec, said: Array, targets: Array, xp: Any) -> Array:
    """The loss of each question, the mean over poolings: [o, poolings, outputs], labels [o] (NaN if unknown) -> [o].

    Of classes it is the cross entropy -sum_k q_k log p_k, q_k = (1 - e) [k = y] + e / K (label smoothing: Szegedy et
    al. 2016), times the weight of the class; of numbers the pinball loss.
    """
    known = ~xp.isnan(targets)
    if not spec.classes:
        pools = said.shape[1]
        return pinball(said, xp.stack([targets] * pools, axis=1), spec.levels, xp).mean(axis=1)
    y = xp.where(known, targets, xp.zeros_like(targets))
    classes = xp.arange(spec.classes, dtype=targets.dtype, device=said.device)
    one = xp.asarray(y[:, None] == classes[None, :], dtype=said.dtype, device=said.device)
    q = (1 - spec.smoothing) * one + spec.smoothing / spec.classes
    entropy = -(q[:, None, :] * log_softmax(said, xp)).sum(axis=-1).mean(axis=1)
    if spec.weights:
        weight = xp.asarray(spec.weights, dtype=said.dtype, device=said.device)
        entropy = entropy * (one * weight).sum(axis=1)
    return entropy * known


def begin(spec: LabelSpec, hidden: int, draw: Draw) -> Mapping[str, Array]:
    """First weights: answers from small random ones, of a number with a spread of about one between the outer levels;
    embeddings of a third.
    """
    first: dict[str, Array] = {}
    for name, shape in shapes(spec, hidden).items():
        if name.startswith("embedding"):
            first[name] = draw.normal(shape, 0, 0.3)
        elif name in ("attend.weight", "attend.vector"):
            first[name] = draw.normal(shape, 0, shape[1] ** -0.5)
        elif name.endswith(".weight"):
            first[name] = draw.normal(shape, 0, 0.5 * shape[1] ** -0.5)
    return first
