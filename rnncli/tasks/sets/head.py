"""From a set to what the network sees of it, and from the network's outputs to the next set: one formula for training
(torch) and prediction (NumPy).

    x_t = E s_{t-1}
    p(k in set t) = sigmoid(w_k h_t + b_k), independent of each other (Boulanger-Lewandowski et al. 2012)

s_{t-1} is 1 for each token of the set before, so that x_t is the sum of these tokens' columns of E; two columns more
say that nothing came before, and that the set before is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Array, Floats
from rnncli.layers.linear import linear
from rnncli.spec import NetworkSpec
from rnncli.tasks.seen import Shapes, Weights
from rnncli.tasks.sets.spec import SetSpec

if TYPE_CHECKING:
    from rnncli.tasks.task import Draw

TABLE, WEIGHT, BIAS = "embedding", "weight", "bias"
SEEN = 0.1  # standard deviation of the first columns of E


def shapes(spec: SetSpec, network: NetworkSpec) -> Shapes:
    """Names and shapes of the table, the weight and the bias of one member."""
    return {
        TABLE: (network.inputs, seen_tokens(spec)),
        WEIGHT: (spec.outputs, network.hidden),
        BIAS: (spec.outputs,),
    }


def seen_tokens(spec: SetSpec) -> int:
    """The numbers with which a set is seen: the boundary of a document in the place of token 0, the known tokens, and
    whether the set is missing.
    """
    return spec.tokens + 1


def begin(spec: SetSpec, network: NetworkSpec, draw: Draw) -> Mapping[str, Array]:
    """First weights: small random ones, and a bias by which each token is as probable as it is frequent."""
    frequent = np.array(spec.frequencies[1:])
    return {
        TABLE: draw.normal((network.inputs, seen_tokens(spec)), 0, SEEN),
        WEIGHT: draw.normal((spec.outputs, network.hidden), 0, network.hidden**-0.5),
        BIAS: np.log(frequent / (1 - frequent)).astype(np.float32),
    }


def seen_of(hot: NDArray[Any], boundary: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The numbers with which sets are seen that are hot [..., tokens], as the values of a panel are, or a document's
    `boundary` [...]: [..., tokens + 1].
    """
    found = np.zeros((*hot.shape[:-1], hot.shape[-1] + 1), np.float32)
    found[..., :-1] = hot > 0
    found[..., -1] = hot[..., 0] < 0
    found[boundary] = 0
    found[..., 0] = boundary
    return found


def entered(weights: Weights, inputs: Array, xp: Any) -> Array:
    """The inputs of the encoder from sets [n, T, tokens + 1]: [n, T, I]."""
    return linear(inputs, weights[TABLE], None, xp)


def head(weights: Weights, state: Array, xp: Any) -> Array:
    """Logits of every known token, from the encoder's outputs [o, H]: [o, outputs]."""
    return linear(state, weights[WEIGHT], weights[BIAS], xp)


def loss(said: Array, targets: Array, xp: Any) -> Array:
    """-log p of the set that came, in nats, the sum over its tokens: logits [o, outputs], zeros and ones [o, outputs]
    (NaN where nobody knows) -> [o], there 0.

        -y log sigmoid(s) - (1 - y) log(1 - sigmoid(s)) = max(s, 0) - s y + log(1 + exp(-|s|))
    """
    known = ~xp.isnan(targets)
    y = xp.where(known, targets, xp.zeros_like(targets))
    size = xp.abs(said)
    each = (said + size) / 2 - said * y + xp.log1p(xp.exp(-size))
    return (each * known).sum(-1)


def probabilities(logits: NDArray[Any]) -> Floats:
    """sigmoid(s) = (1 + tanh(s / 2)) / 2 of logits, in double precision."""
    return np.asarray((1 + np.tanh(logits.astype(np.float64) / 2)) / 2)
