"""What stands beside events as the network takes it in, and the time to the next one as it says it: one formula for
training (torch) and prediction (NumPy).

    x_t = sqrt(H) E[c_{t-1}] + W n_{t-1} + sum_k V_k[d_{k,t-1}]

n are the numbers and d_k the categories in the row of the event before (see `events.seen_of`); the rows of V_k are
looked up, one of which is for all categories that are not known. From the encoder's output h_t

    m = w h_t + b                                    the median of z, a scaled logarithm of the time (see `Timing`)
    q = m -+ cumulated softplus(W_s h_t + b_s)       the other levels, outwards, so that they cannot cross

and beside the cross entropy of the event stands the pinball loss of z.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rnncli.arrays import Array
from rnncli.layers.activation import softplus
from rnncli.layers.linear import linear
from rnncli.layers.quantiles import fan, pinball
from rnncli.tasks.seen import Shapes, Weights
from rnncli.tasks.tokens.events import MISSING, numbers_of
from rnncli.tasks.tokens.spec import Timing, TokenSpec

if TYPE_CHECKING:
    from rnncli.tasks.task import Draw

NUMBERS, TIME, TIME_BIAS = "beside.weight", "time.weight", "time.bias"
LOOKED_UP = "beside.table"  # before the number of a channel
FIRST_GAP = -1.0  # of neighbouring levels, before softplus


def shapes(spec: TokenSpec, hidden: int) -> Shapes:
    """Names and shapes of the weights of one member that are there for events alone."""
    found: Shapes = {f"{LOOKED_UP}{k}": (word.categories + 1, hidden) for k, word in enumerate(spec.words)}
    if numbers := numbers_of(spec):
        found[NUMBERS] = (hidden, numbers)
    if spec.timing is not None:
        found |= {TIME: (len(spec.timing.levels), hidden), TIME_BIAS: (len(spec.timing.levels),)}
    return found


def begin(spec: TokenSpec, hidden: int, draw: Draw) -> Mapping[str, Array]:
    """First weights: of numbers and categories small beside those of tokens; of times a fan of about their spread."""
    first: dict[str, Array] = {}
    for name, shape in shapes(spec, hidden).items():
        if name == TIME_BIAS:
            assert spec.timing is not None
            first[name] = draw.normal(shape, FIRST_GAP, 1e-3)
            first[name][spec.timing.median] = 0.0
        elif name == TIME:
            first[name] = draw.normal(shape, 0, 0.5 * hidden**-0.5)
        else:
            first[name] = draw.normal(shape, 0, 0.3)
    return first


def entered(spec: TokenSpec, weights: Weights, tokens: Array, numbers: Array, codes: Array, xp: Any) -> Array:
    """What the encoder sees of events: what it sees of their `tokens` [n, T, H] with all that stands beside them, as
    `numbers` [n, T, N] and `codes` [n, T, words].
    """
    x = tokens
    if NUMBERS in weights:
        x = x + linear(numbers, weights[NUMBERS], xp=xp)
    for k in range(len(spec.words)):
        table, code = weights[f"{LOOKED_UP}{k}"], codes[..., k]
        row = xp.where(code >= 0, code, xp.full_like(code, table.shape[0] - 1))
        x = x + table[row] * (code != MISSING)[..., None]
    return x


def quantiles(timing: Timing, weights: Weights, state: Array, xp: Any) -> Array:
    """Quantiles of z from the encoder's outputs [o, H]: [o, levels]."""
    s, at = linear(state, weights[TIME], weights[TIME_BIAS], xp), timing.median
    gaps = softplus(xp.concatenate([s[..., :at], s[..., at + 1 :]], axis=-1), xp)
    return fan(s[..., at : at + 1], gaps, at, xp)


def loss(timing: Timing, said: Array, targets: Array, xp: Any) -> Array:
    """The weighted pinball loss of z [o], 0 where no time is known (NaN), said its quantiles [o, levels]: [o]."""
    return timing.weight * pinball(said, targets, timing.levels, xp)
