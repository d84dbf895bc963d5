"""The formulas of next tokens, by the vocabulary: one softmax over all of it, or an adaptive one over clusters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rnncli.arrays import Array
from rnncli.layers.rows import Rows
from rnncli.tasks.seen import Shapes, Weights
from rnncli.tasks.tokens import adaptive, event_head, head
from rnncli.tasks.tokens.spec import TokenSpec

if TYPE_CHECKING:
    from rnncli.tasks.task import Draw

CAME, FIRST = "next", "first"
"""What an adaptive softmax is told beside the states: the tokens that came, and up to where they are ranked."""


def shapes(spec: TokenSpec, hidden: int) -> Shapes:
    """Names and shapes of the weights of one member."""
    tokens = adaptive.shapes(spec, hidden) if spec.clusters else head.shapes(spec, hidden)
    return tokens if spec.plain else tokens | event_head.shapes(spec, hidden)


def begin(spec: TokenSpec, hidden: int, draw: Draw) -> Mapping[str, Array]:
    """First weights."""
    tokens = adaptive.begin(spec, hidden, draw) if spec.clusters else head.begin(spec, hidden, draw)
    return tokens if spec.plain else {**tokens, **event_head.begin(spec, hidden, draw)}


def embedded(spec: TokenSpec, weights: Weights, codes: Array, xp: Any) -> Array:
    """What the encoder sees of codes [n, T]: [n, T, H], zeros where a code is -1."""
    if spec.clusters:
        return adaptive.embedded(spec, weights, codes, xp)
    return head.embedded(weights[head.TABLE], codes, xp)


def seen(spec: TokenSpec, weights: Weights, numbers: Array, codes: Array, xp: Any) -> Array:
    """What the encoder sees of codes [n, T, 1 + words], the first of which are tokens, with numbers [n, T, N] beside
    them: [n, T, H].
    """
    tokens = embedded(spec, weights, codes[..., 0], xp)
    return tokens if spec.plain else event_head.entered(spec, weights, tokens, numbers, codes[..., 1:], xp)


def entered(spec: TokenSpec, weights: Weights, numbers: Array, codes: Array, xp: Any) -> Array | Rows:
    """What the encoder sees, as rows of the table of tokens where that is cheaper."""
    if spec.clusters or not spec.plain:
        return seen(spec, weights, numbers, codes, xp)
    return head.entered(weights[head.TABLE], codes[..., 0], xp)


def said(spec: TokenSpec, weights: Weights, state: Array, beside: Mapping[str, Array], xp: Any) -> Array:
    """What is said of the next token, from the encoder's outputs [o, H]; of events with times, quantiles of the scaled
    time to it behind that: [o, ... + levels].
    """
    tokens = _said_of_tokens(spec, weights, state, beside, xp)
    if spec.timing is None:
        return tokens
    return xp.concatenate([tokens, event_head.quantiles(spec.timing, weights, state, xp)], axis=-1)


def parts_of(spec: TokenSpec, said: Array) -> tuple[Array, Array]:
    """What was said [o, ...] of the next tokens, and of the times to them [o, levels]."""
    first = said.shape[1] - (0 if spec.timing is None else len(spec.timing.levels))
    return said[:, :first], said[:, first:]


def _said_of_tokens(spec: TokenSpec, weights: Weights, state: Array, beside: Mapping[str, Array], xp: Any) -> Array:
    """Logits of every next token, from the encoder's outputs [o, H]: [o, tokens]. In clusters the probabilities of all
    would be what is to be saved: log p of what came [o, 1] and, where that is asked for, its rank [o, 2].
    """
    if not spec.clusters:
        return head.head(spec, weights, state, xp)
    codes, _ = head.codes_in(beside[CAME], xp)
    own = adaptive.log_p(spec, weights, state, codes, xp)
    if FIRST not in beside:
        return own[:, None]
    most = int(beside[FIRST].max()) if len(own) else 0
    rank = adaptive.ranks(spec, [weights], [state], codes, own, most, xp)
    return xp.stack((own, xp.asarray(rank, dtype=own.dtype, device=own.device)), axis=1)


def loss(spec: TokenSpec, said: Array, targets: Array, xp: Any) -> Array:
    """-log p of the token that came, in nats, by what was said; 0 where nobody knows (NaN): [o]. The weighted loss of
    its time is added, where there are times.
    """
    if spec.timing is not None:
        tokens, times = parts_of(spec, said)
        token = _loss_of_tokens(spec, tokens, targets[:, 0], xp)
        return token + event_head.loss(spec.timing, times, targets[:, 1], xp)
    return _loss_of_tokens(spec, said, targets, xp)


def _loss_of_tokens(spec: TokenSpec, said: Array, targets: Array, xp: Any) -> Array:
    return xp.where(xp.isnan(targets), 0.0, -said[:, 0]) if spec.clusters else head.loss(said, targets, xp)


def log_probabilities(spec: TokenSpec, weights: Weights, state: Array, xp: Any) -> Array:
    """The logarithms of the probabilities of all tokens, from the encoder's outputs [o, H]: [o, tokens]."""
    if spec.clusters:
        return adaptive.log_probabilities(spec, weights, state, xp)
    return head.log_softmax(head.head(spec, weights, state, xp), xp)
