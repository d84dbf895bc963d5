"""Tokens drawn one after the other, each from what the network says after all before it (NumPy)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Array, Ints
from rnncli.baselines.tokens.documents import NOTHING
from rnncli.baselines.tokens.kneser_ney import Walk
from rnncli.cells.cell import State
from rnncli.cells.named import cells_of
from rnncli.data.tokens.channels import SINCE
from rnncli.errors import UsageError
from rnncli.layers.norm import layer_norm
from rnncli.layers.stack import layer_weights
from rnncli.options.generation import TOP_P
from rnncli.options.types import AnswerOptions
from rnncli.tasks.seen import head_weights
from rnncli.tasks.tokens import formulas
from rnncli.tasks.tokens.events import moments
from rnncli.tasks.tokens.spec import TokenSpec
from rnncli.tasks.tokens.stream import TokenState, last_codes, last_rows, taken_in
from rnncli.tasks.tokens.token_model import TokenModel

UNKNOWN = 0  # the code of tokens that are not in the vocabulary
LOOKED_UP_AHEAD = 1 << 22  # numbers: what the first layer makes of every token is made once where it is no more


@dataclass(frozen=True)
class Drawing:
    """How a token is drawn: from softmax(logits / `temperature`), of the `top_k` likeliest alone, and of these only the
    likeliest that make up `top_p` of the probability (Holtzman et al. 2020); `seed` is that of the draws. UsageError
    for what cannot be drawn from.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise UsageError(
                f"--temperature must be above 0, not {self.temperature}", hint="--top-k 1 takes the likeliest"
            )
        if self.top_k is not None and self.top_k < 1:
            raise UsageError(f"--top-k must be above 0, not {self.top_k}", hint="leave it out to draw from all tokens")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise UsageError(f"--top-p must be above 0 and at most 1, not {self.top_p}", hint=TOP_P)


def drawing_of(options: AnswerOptions) -> Drawing:
    """How the options say that tokens are drawn."""
    temperature, seed = options.get("temperature"), options.get("seed")
    temperature = 1.0 if temperature is None else temperature
    return Drawing(temperature, options.get("top_k"), options.get("top_p"), 0 if seed is None else seed)


def drawn(logs: NDArray[np.float32], drawing: Drawing, uniform: float, never: int | None = None) -> int:
    """The token at a number from [0, 1) in the distribution that is drawn from, given log probabilities [tokens]; the
    token `never` is not drawn.
    """
    scaled = logs.astype(np.float64) / drawing.temperature
    if never is not None and len(scaled) > 1:
        scaled[never] = -np.inf
    p = np.exp(scaled - scaled.max())
    if drawing.top_k is None and drawing.top_p is None:
        return _at(p, uniform)
    order = np.argsort(-p, kind="stable")[: drawing.top_k]
    kept = p[order]
    if drawing.top_p is not None:
        before = np.cumsum(kept) - kept
        kept = kept[before < drawing.top_p * kept.sum()]
    return int(order[_at(kept, uniform)])


def _at(p: NDArray[np.float64], uniform: float) -> int:
    total = np.cumsum(p)
    return min(int(np.searchsorted(total, uniform * total[-1], side="right")), len(p) - 1)


def generated(model: TokenModel, here: TokenState, count: int, drawing: Drawing) -> Iterator[int]:
    """Up to `count` tokens that go on from the state of one document, fewer where it ends; no unknown one is drawn."""
    walks, pooled = [_Walk(model, here, member) for member in range(model.network.members)], _Pooled(model, here)
    uniform = np.random.default_rng(drawing.seed).random(count)
    last = int(last_codes(here, 1)[0, 0])
    code = model.spec.boundary if last == NOTHING else last
    for at in range(count):
        logs = pooled.says([walk.step(code) for walk in walks])
        code = drawn(logs, drawing, float(uniform[at]), UNKNOWN)
        if code == model.known.end:
            return
        pooled.step(code)
        yield code


def generated_events(
    model: TokenModel, here: TokenState, count: int, drawing: Drawing, zone: str | None
) -> Iterator[NDArray[np.float64]]:
    """Rows [channels] of up to `count` events that go on from the state of one document; beside an event there is
    nothing but what is static, and its time, which is drawn from the quantiles, and never beyond the outermost of them.
    """
    spec, timing = model.spec, model.spec.timing
    walks, pooled = [_Walk(model, here, member) for member in range(model.network.members)], _Pooled(model, here)
    uniform = np.random.default_rng(drawing.seed).random(count)
    moment = np.random.default_rng((drawing.seed, 1)).random(count)
    rows, first = last_rows(here)
    for at in range(count):
        numbers, codes = taken_in(rows[:, None], first[:, None], spec, zone)
        states = [walk.take_in(numbers, codes) for walk in walks]
        code = drawn(pooled.says(states), drawing, float(uniform[at]), UNKNOWN)
        if code == model.known.end:
            return
        pooled.step(code)
        rows = _next_row(rows, code, spec)
        if timing is not None:
            wait = float(np.interp(moment[at], timing.levels, model.waits(states)[0]))
            rows[0, SINCE[0]] = moments(timing, rows[:, SINCE[1]], np.array([wait]))[0]
        first = np.zeros(1, np.bool_)
        yield rows[0]


def _next_row(rows: NDArray[np.float64], code: int, spec: TokenSpec) -> NDArray[np.float64]:
    """The row [1, channels] of an event after another one, whose time is not drawn yet."""
    found = np.full_like(rows, np.nan)
    found[:, 0] = code
    for place, channel in enumerate(spec.beside, 1):
        if channel.static:
            found[:, place] = rows[:, place]
    if spec.timing is not None:
        found[:, [SINCE[1], -1]] = rows[:, [SINCE[0], -1]]
    return found


class _Pooled:
    """What is said of the next token of one document that goes on from a state, with n-grams beside the network."""

    def __init__(self, model: TokenModel, here: TokenState) -> None:
        self._model, pool = model, model.pool
        self._walk = None if pool is None else Walk(pool.ngrams, last_codes(here, pool.steps)[0])

    def says(self, outputs: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """The logarithms of the probabilities of what comes next, from the output [1, H] of each member: [tokens]."""
        logs: NDArray[np.float32] = self._model.network_says(outputs)[0]
        if self._model.pool is None or self._walk is None:
            return logs
        return self._model.pool.mixed(logs, self._walk.probabilities())

    def step(self, code: int) -> None:
        """This token came."""
        if self._walk is not None:
            self._walk.step(code)


class _Walk:
    """One member that goes on from the state of one document, token after token."""

    def __init__(self, model: TokenModel, here: TokenState, member: int) -> None:
        network, weights = model.network, model.members[member]
        self._network, self._spec, self._head = network, model.spec, head_weights(weights)
        self._cells = cells_of(network.cell, network.layers)
        self._weights = [layer_weights(weights, index) for index in range(network.layers)]
        self._states: list[State] = [
            tuple(np.ascontiguousarray(part[None]) for part in here.hidden[f"layer{index}"][member, 0])
            for index in range(network.layers)
        ]
        first = self._weights[0]
        small = (model.spec.boundary + 1) * len(first["weight_ih"]) <= LOOKED_UP_AHEAD
        self._ahead = self._projected(first, np.arange(model.spec.boundary + 1)) if small and self._spec.plain else None

    def _projected(self, first: dict[str, Array], codes: Ints) -> Array:
        """What the first layer makes of tokens [n] before it knows its state: [n, gates * H]."""
        seen = formulas.embedded(self._spec, self._head, codes[None], np)
        return self._cells[0].project(first, seen[0], np)

    def step(self, code: int) -> NDArray[np.float32]:
        """The output [1, H] after a token."""
        if self._ahead is not None:
            return self._advanced(self._ahead[code : code + 1])
        return self._advanced(self._projected(self._weights[0], np.array([code])))

    def take_in(self, numbers: Array, codes: Array) -> NDArray[np.float32]:
        """The output [1, H] after an event: numbers [1, 1, N] and codes [1, 1, 1 + words]."""
        seen = formulas.seen(self._spec, self._head, numbers, codes, np)
        return self._advanced(self._cells[0].project(self._weights[0], seen[0], np))

    def _advanced(self, first: Array) -> NDArray[np.float32]:
        """The output [1, H] after what the first layer makes of an input before it knows its state."""
        x: Array = None
        for index, (cell, own) in enumerate(zip(self._cells, self._weights, strict=True)):
            a = cell.project(own, x, np) if index else first
            state, _ = cell.advance(own, a, self._states[index], np, self._network.activation)
            self._states[index] = state
            made = layer_norm(state[0], own)
            x = made + x if index and self._network.residual else made
        found: NDArray[np.float32] = x
        return found
