"""Documents as they are read on: each token is consumed once, by the network's step at its position.

The step at position p takes in the token before it and says what comes there: the last token of a document is still to
be taken in, and is what a stream keeps of its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats, Inputs, Ints
from rnncli.checkpoint import Layout
from rnncli.data.panel import Panel
from rnncli.inference.advance import advanced
from rnncli.inference.carried import Carried
from rnncli.inference.hidden import carry
from rnncli.inference.streaming import AtHand, NewRows, NoExtras
from rnncli.spec import NetworkSpec
from rnncli.tasks.documents import LOGITS
from rnncli.tasks.tokens import head
from rnncli.tasks.tokens.token_model import TokenModel

LogProbabilities = NDArray[np.float32]
Heard = Callable[[Ints, LogProbabilities], None]
"""What is told of rows [k] of a panel: the logarithms of the probabilities of what comes there [k, tokens]."""


TokenState = Carried[NoExtras]
"""What a stream carries of each document."""


@dataclass(frozen=True)
class StreamingTokens:
    """A model whose network consumes each token once; see `StreamingModel`."""

    model: TokenModel

    @property
    def network(self) -> NetworkSpec:
        """The network."""
        return self.model.network

    def members(self) -> Iterator[dict[str, NDArray[np.float32]]]:
        """The weights of each member."""
        return iter(self.model.members)

    @property
    def channels(self) -> int:
        """A row is a token."""
        return 1

    @property
    def compared(self) -> Sequence[int]:
        """The token."""
        return (0,)

    @property
    def rows_kept(self) -> int:
        """The last token, which the network has not taken in."""
        return 1

    def when(self, panel: Panel, place: int, ordinal: int) -> str:  # noqa: ARG002
        """The number of a token, from 1 on."""
        return f"token {ordinal + 1:,}"

    def what_changed(self, was: Floats, now: Floats) -> str:  # noqa: ARG002
        """What is to be said of a token in the place of another."""
        return "a token has changed since it was consumed"

    def inputs(self, at_hand: AtHand, new: NewRows) -> Iterable[Inputs]:
        """What each member sees at new positions: [n, length, H] each."""
        step = np.arange(-1, new.length - 1)
        row = (new.start - at_hand.before[new.places])[:, None] + step
        row += at_hand.panel.offsets[new.places][:, None]
        before = at_hand.panel.values[np.maximum(row, 0), 0].astype(np.int64)
        codes = np.where(new.start[:, None] + step < 0, self.model.spec.boundary, before)
        for weights in self.members():
            yield head.embedded(weights[TABLE], codes, np)

    def begun(self, panel: Panel) -> NoExtras:
        """Nothing."""
        return NoExtras(len(panel))

    def after(self, extras: NoExtras, at_hand: AtHand, consumed: Ints, target: Ints) -> NoExtras:  # noqa: ARG002
        """Nothing."""
        return extras

    def layout(self, meta: Mapping[str, Any], series: int) -> Layout:  # noqa: ARG002
        """No tensors."""
        return {}

    def extras(self, tensors: Mapping[str, NDArray[Any]], series: int) -> NoExtras:  # noqa: ARG002
        """Nothing."""
        return NoExtras(series)


TABLE = f"head.{head.TABLE}"


def read_on(model: StreamingTokens, here: TokenState, panel: Panel, heard: Heard | None = None) -> TokenState:
    """The state after all tokens of a panel, which go on from `here` (in the panel's order); of each of them `heard` is
    told what was held for likely in its place.
    """
    panel = replace(panel, starts=here.ends)

    def hear(rows: NewRows, outputs: list[NDArray[np.float32]]) -> None:
        if heard is None:
            return
        begin = panel.offsets[rows.places] + rows.start - here.consumed[rows.places]
        at = (begin[:, None] + np.arange(rows.length)).ravel()
        flat = [states.reshape(len(at), -1) for states in outputs]
        most = max(1, LOGITS // model.model.spec.tokens)
        for first in range(0, len(at), most):
            some = slice(first, first + most)
            heard(at[some], model.model.log_probabilities([states[some] for states in flat]))

    return advanced(model, here, panel, panel.lengths, hear)


def following(model: StreamingTokens, here: TokenState) -> NDArray[np.float32]:
    """The logarithms of the probabilities of what follows the last token of each document: [S, tokens]."""
    parts, every = [], np.arange(len(here.ids))
    most = max(1, LOGITS // model.model.spec.tokens)
    for begin in range(0, max(1, len(every)), most):
        places = every[begin : begin + most]
        outputs = carry(
            model.network,
            model.members(),
            {name: part.copy() for name, part in here.hidden.items()},
            places,
            _last_inputs(model, here, places),
        )
        parts.append(model.model.log_probabilities([states[:, 0] for states in outputs]))
    return np.concatenate(parts)


def last_codes(model: TokenModel, here: TokenState) -> Ints:
    """The last token of each document, the boundary where there is none yet: [S]."""
    codes = np.full(len(here.ids), model.spec.boundary, np.int64)
    codes[here.tail.rows > 0] = here.tail.values[:, 0].astype(np.int64)
    return codes


def _last_inputs(model: StreamingTokens, here: TokenState, places: Ints) -> Iterator[Inputs]:
    codes = last_codes(model.model, here)[places][:, None]
    for weights in model.members():
        yield head.embedded(weights[TABLE], codes, np)
