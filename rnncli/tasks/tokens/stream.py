"""Documents as they are read on: each token is consumed once, by the network's step at its position.

The step at position p takes in the token before it and says what comes there: the last token of a document is still to
be taken in, and is what a stream keeps of its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats, Inputs, Ints
from rnncli.checkpoint import Layout
from rnncli.data.panel import Panel, offsets_of, ranges
from rnncli.inference.advance import advanced
from rnncli.inference.carried import Carried, chosen, joined
from rnncli.inference.hidden import carry
from rnncli.inference.streaming import AtHand, NewRows, NoExtras
from rnncli.spec import NetworkSpec
from rnncli.tasks.documents import LOGITS
from rnncli.tasks.seen import head_weights
from rnncli.tasks.tokens import formulas
from rnncli.tasks.tokens.token_model import TokenModel

Heard = Callable[[Ints, list[NDArray[np.float32]]], None]
"""What is told of rows [k] of a panel: each member's outputs [k, H], from which follows what comes there."""

DOCUMENTS, ROWS = 4_096, 1 << 20  # that are read at a time


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
            yield formulas.embedded(self.model.spec, head_weights(weights), codes, np)

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


def read_on(model: StreamingTokens, here: TokenState, panel: Panel, heard: Heard | None = None) -> TokenState:
    """The state after all tokens of a panel, which go on from `here` (in the panel's order); of each of them `heard` is
    told the outputs in its place, no more at once than what follows from them has room for.

    Documents are read in groups, and of each a window after the other, so that memory does not grow with them.
    """
    if not len(panel):
        return here
    read = []
    for begin in range(0, len(panel), DOCUMENTS):
        places = np.arange(begin, min(begin + DOCUMENTS, len(panel)))
        read.append(_read_group(model, chosen(here, places.tolist()), panel, places, heard))
    return reduce(joined, read)


def _read_group(
    model: StreamingTokens, here: TokenState, panel: Panel, places: Ints, heard: Heard | None
) -> TokenState:
    """The state after all tokens of some documents of a panel."""
    first, lengths = panel.offsets[places], panel.lengths[places]
    window = max(1, ROWS // len(places))
    for begin in range(0, max(1, int(lengths.max())), window):
        count = np.clip(lengths - begin, 0, window)
        rows = ranges(first + np.minimum(begin, lengths), count)
        some = replace(
            panel,
            ids=here.ids,
            offsets=offsets_of(count),
            values=panel.values[rows],
            starts=here.ends,
            phases=panel.phases[places],
            groups=None,
        )
        told = None if heard is None else _told(model, here, first + begin, heard)
        here = advanced(model, here, some, count, told)
    return here


def _told(
    model: StreamingTokens, here: TokenState, first: Ints, heard: Heard
) -> Callable[[NewRows, list[NDArray[np.float32]]], None]:
    """Who tells of the rows of a window, of which document s has its first one at row first[s]."""

    def hear(rows: NewRows, outputs: list[NDArray[np.float32]]) -> None:
        begin = first[rows.places] + rows.start - here.consumed[rows.places]
        at = (begin[:, None] + np.arange(rows.length)).ravel()
        flat = [states.reshape(len(at), -1) for states in outputs]
        for part in _parts(model, len(at)):
            heard(at[part], [states[part] for states in flat])

    return hear


def _parts(model: StreamingTokens, count: int) -> Iterator[slice]:
    """So many outputs in parts, of each of which the probabilities of all tokens have room."""
    most = max(1, LOGITS // model.model.spec.widest)
    return (slice(begin, begin + most) for begin in range(0, count, most))


def following(model: StreamingTokens, here: TokenState, top: int) -> tuple[Ints, NDArray[np.float32]]:
    """The `top` likeliest tokens that follow the last one of each document, the likeliest first, and the logarithms of
    their probabilities: [S, top] each.
    """
    every = np.arange(len(here.ids))
    codes, likely = np.zeros((len(every), top), np.int64), np.zeros((len(every), top), np.float32)
    for some in _parts(model, len(every)):
        places = every[some]
        outputs = carry(
            model.network,
            model.members(),
            {name: part.copy() for name, part in here.hidden.items()},
            places,
            _last_inputs(model, here, places),
        )
        logs = model.model.log_probabilities([states[:, 0] for states in outputs])
        codes[some] = np.argsort(-logs, axis=1, kind="stable")[:, :top]
        likely[some] = np.take_along_axis(logs, codes[some], axis=1)
    return codes, likely


def last_codes(model: TokenModel, here: TokenState) -> Ints:
    """The last token of each document, the boundary where there is none yet: [S]."""
    codes = np.full(len(here.ids), model.spec.boundary, np.int64)
    codes[here.tail.rows > 0] = here.tail.values[:, 0].astype(np.int64)
    return codes


def _last_inputs(model: StreamingTokens, here: TokenState, places: Ints) -> Iterator[Inputs]:
    codes = last_codes(model.model, here)[places][:, None]
    for weights in model.members():
        yield formulas.embedded(model.model.spec, head_weights(weights), codes, np)
