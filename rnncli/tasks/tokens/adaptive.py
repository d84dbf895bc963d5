"""The softmax of a large vocabulary, in clusters by how often tokens come (adaptive softmax: Grave, Joulin, Cissé,
Grangier & Jégou 2017), with the same clusters, tables and projections for what is seen (adaptive input: Baevski & Auli
2019); one formula for training (torch) and prediction (NumPy).

The commonest tokens are the head, with a table E_0 of the width H of the network. Those of each tail i = 1, 2 ... have
a narrower one E_i [n_i, d_i] and a projection P_i [d_i, H]; E_0 has a row for each tail too.

    x_t = sqrt(H) E_0[c],  or of a token of tail i  sqrt(H) P_i^T E_i[c]
    q   = softmax(E_0 h_t + b_0)
    p(c_t = k) = q_k,  or of a token of tail i  q_i softmax_k(E_i P_i h_t + b_i)

So the loss computes the head, and of each tail only the rows of its own tokens.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rnncli.arrays import Array
from rnncli.layers.linear import linear
from rnncli.tasks.seen import Shapes, Weights
from rnncli.tasks.tokens.head import BIAS, TABLE, ZIPF, log_softmax, looked_up, said_of
from rnncli.tasks.tokens.spec import TokenSpec

if TYPE_CHECKING:
    from rnncli.tasks.task import Draw

PROJECTION = "projection"
ABOVE = 50_000  # tokens: of more, the softmax is adaptive
CUTS = (4_000, 20_000, 200_000)  # the first codes of the tails
NARROWER, NARROWEST = 4, 16  # times than the cluster before, and at least so many numbers a token


class Tail(NamedTuple):
    """A cluster of codes `first` ... `stop` - 1, the tail number `number` = 1, 2 ..., which is the answer `place` of
    the head.
    """

    number: int
    first: int
    stop: int
    place: int

    def width(self, hidden: int) -> int:
        """Numbers of a token in the tail's table."""
        return min(hidden, max(NARROWEST, hidden // int(NARROWER**self.number)))

    def of(self, name: str, weights: Weights) -> Array:
        """One of the tail's weights."""
        return weights[f"{name}{self.number}"]

    def has(self, codes: Array) -> Array:
        """Which of these codes are of the tail."""
        return (codes >= self.first) & (codes < self.stop)


def clusters_for(tokens: int) -> tuple[int, ...]:
    """The first codes of the tails of a vocabulary of so many tokens, none if that is small."""
    return tuple(cut for cut in CUTS if cut < tokens) if tokens > ABOVE else ()


def tails(spec: TokenSpec) -> Iterator[Tail]:
    """The tails of a vocabulary."""
    ends = (*spec.clusters[1:], spec.tokens)
    for place, (first, stop) in enumerate(zip(spec.clusters, ends, strict=True)):
        yield Tail(place + 1, first, stop, spec.clusters[0] + place)


def answers_of_head(spec: TokenSpec) -> int:
    """What the head tells apart: its tokens, and the tails."""
    return spec.clusters[0] + len(spec.clusters)


def shapes(spec: TokenSpec, hidden: int) -> Shapes:
    """Names and shapes of the weights of one member; the boundary is the last row of the head's table."""
    count = answers_of_head(spec)
    found: Shapes = {TABLE: (count + 1, hidden), BIAS: (count,)}
    for tail in tails(spec):
        size, width = tail.stop - tail.first, tail.width(hidden)
        found |= {
            f"{TABLE}{tail.number}": (size, width),
            f"{PROJECTION}{tail.number}": (width, hidden),
            f"{BIAS}{tail.number}": (size,),
        }
    return found


def begin(spec: TokenSpec, hidden: int, draw: Draw) -> Mapping[str, Array]:
    """First weights: normal numbers with which inputs and logits have the variance that those of one table have, and,
    where codes are ranked, biases by Zipf's law.
    """
    first: dict[str, Array] = {TABLE: draw.normal((answers_of_head(spec) + 1, hidden), 0, hidden**-0.5)}
    for tail in tails(spec):
        width = tail.width(hidden)
        first[f"{TABLE}{tail.number}"] = draw.normal((tail.stop - tail.first, width), 0, width**-0.5)
        first[f"{PROJECTION}{tail.number}"] = draw.normal((width, hidden), 0, hidden**-0.5)
    if spec.ranked:
        often = 1 / (np.arange(spec.tokens) + ZIPF)
        shares = [often[tail.first : tail.stop].sum() for tail in tails(spec)]
        first[BIAS] = np.log(np.concatenate([often[: spec.clusters[0]], shares])).astype(np.float32)
        for tail in tails(spec):
            first[f"{BIAS}{tail.number}"] = np.log(often[tail.first : tail.stop]).astype(np.float32)
    return first


def embedded(spec: TokenSpec, weights: Weights, codes: Array, xp: Any) -> Array:
    """What the encoder sees of codes [n, T]: [n, T, H], zeros where a code is -1."""
    of_head = (codes < spec.clusters[0]) & (codes >= 0)
    row = xp.where(of_head, codes, xp.where(codes == spec.boundary, answers_of_head(spec), -1))
    found = looked_up(weights[TABLE], row, xp)
    for tail in tails(spec):
        own = tail.has(codes)
        if own.any():
            narrow = looked_up(tail.of(TABLE, weights), codes[own] - tail.first, xp)
            found[own] = linear(narrow, tail.of(PROJECTION, weights).T, xp=xp)
    return found * math.sqrt(weights[TABLE].shape[1])


def of_head(spec: TokenSpec, weights: Weights, state: Array, xp: Any) -> Array:
    """Logits of the head's tokens and of the tails, from the encoder's outputs [o, H]: [o, head's tokens + tails]."""
    return linear(state, weights[TABLE][: answers_of_head(spec)], weights[BIAS], xp)


def of_tail(tail: Tail, weights: Weights, state: Array, xp: Any) -> Array:
    """Logits of the tokens of a tail: [o, H] -> [o, tokens of the tail]."""
    narrow = linear(state, tail.of(PROJECTION, weights), xp=xp)
    return linear(narrow, tail.of(TABLE, weights), tail.of(BIAS, weights), xp)


def log_p(spec: TokenSpec, weights: Weights, state: Array, codes: Array, xp: Any) -> Array:
    """The logarithms of the probabilities of codes [o], from the encoder's outputs [o, H]: [o]. Of each tail only the
    logits of its own codes are computed.
    """
    answer, inner = codes, xp.zeros_like(state[:, 0])
    for tail in tails(spec):
        own = tail.has(codes)
        answer = xp.where(own, tail.place, answer)
        if own.any():
            inner[own] = said_of(of_tail(tail, weights, state[own], xp), codes[own] - tail.first, xp)
    return said_of(of_head(spec, weights, state, xp), answer, xp) + inner


def log_probabilities(spec: TokenSpec, weights: Weights, state: Array, xp: Any) -> Array:
    """The logarithms of the probabilities of all tokens, from the encoder's outputs [o, H]: [o, tokens]."""
    head = log_softmax(of_head(spec, weights, state, xp), xp)
    parts = [head[:, : spec.clusters[0]]]
    for tail in tails(spec):
        inner = log_softmax(of_tail(tail, weights, state, xp), xp)
        parts.append(inner + head[:, tail.place : tail.place + 1])
    return xp.concatenate(parts, axis=1)


def ranks(
    spec: TokenSpec, members: Sequence[Weights], states: Sequence[Array], codes: Array, own: Array, most: int, xp: Any
) -> Array:
    """How many tokens the members, on average, hold for more likely than codes [o], whose log probabilities are `own`
    [o], counted up to `most`; of tokens as likely as each other the lower code counts first. From outputs [o, H] of
    each member: [o].

    No token of a tail is likelier than the tail: only where that is as likely as the code, its tokens are looked at.
    """
    heads = [log_softmax(of_head(spec, *one, xp), xp) for one in zip(members, states, strict=True)]
    whole = mean_of(heads, xp)
    found = _likelier(whole[:, : spec.clusters[0]], own, codes, xp)
    for tail in tails(spec):
        open_ = (whole[:, tail.place] >= own) & (found < most)
        if open_.any():
            logs = [_of_all(tail, *one, open_, xp) for one in zip(members, states, heads, strict=True)]
            found[open_] += _likelier(mean_of(logs, xp), own[open_], codes[open_] - tail.first, xp)
    return found


def _of_all(tail: Tail, weights: Weights, state: Array, head: Array, rows: Array, xp: Any) -> Array:
    """Log probabilities of a tail's tokens among all, in some rows: [rows, tokens of the tail]."""
    return log_softmax(of_tail(tail, weights, state[rows], xp), xp) + head[rows, tail.place][:, None]


def _likelier(logs: Array, own: Array, codes: Array, xp: Any) -> Array:
    """How many tokens of a cluster come before codes [o], which are counted from its first one, by logs [o, n]."""
    code = xp.arange(logs.shape[1], device=logs.device)
    before = (logs > own[:, None]) | ((logs == own[:, None]) & (code < codes[:, None]))
    here = (codes >= 0) & (codes < logs.shape[1])
    before[here, codes[here]] = False  # itself, which may be rounded otherwise
    return before.sum(axis=1)


def mean_of(logs: Sequence[Array], xp: Any) -> Array:
    """The logarithm of the mean of probabilities, from their logarithms."""
    if len(logs) == 1:
        return logs[0]
    stacked = xp.stack(tuple(logs))
    most = xp.amax(stacked, axis=0)
    return most + xp.log(xp.exp(stacked - most).sum(axis=0) / len(logs))
