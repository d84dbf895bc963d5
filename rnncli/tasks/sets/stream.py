"""Documents of sets as they are read on: each set is consumed once, by the network's step at its position.

The step at position p takes in the set before it and says what comes there: the last set of a document is still to be
taken in, and is what a stream keeps of its rows.
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
from rnncli.tasks.seen import head_weights
from rnncli.tasks.sets import head
from rnncli.tasks.sets.set_model import SetModel

Heard = Callable[[Ints, Floats], None]
"""What is told of rows [k] of a panel: how probable each token is there [k, tokens]."""
SetState = Carried[NoExtras]
"""What a stream carries of each document."""


@dataclass(frozen=True)
class StreamingSets:
    """A model whose network consumes each set once; see `StreamingModel`."""

    model: SetModel

    @property
    def network(self) -> NetworkSpec:
        """The network."""
        return self.model.network

    def members(self) -> Iterator[dict[str, NDArray[np.float32]]]:
        """The weights of each member."""
        return iter(self.model.members)

    @property
    def channels(self) -> int:
        """A row has a number for each token."""
        return self.model.spec.tokens

    @property
    def compared(self) -> Sequence[int]:
        """All tokens."""
        return range(self.channels)

    @property
    def rows_kept(self) -> int:
        """The last set, which the network has not taken in."""
        return 1

    @property
    def outputs_kept(self) -> int:
        """The last one alone."""
        return 1

    def when(self, panel: Panel, place: int, ordinal: int) -> str:  # noqa: ARG002
        """The number of a step, from 1 on."""
        return f"step {ordinal + 1:,}"

    def what_changed(self, was: Floats, now: Floats) -> str:  # noqa: ARG002
        """A line about a set in the place of another."""
        return "a set has changed since it was consumed"

    def inputs(self, at_hand: AtHand, new: NewRows) -> Iterable[Inputs]:
        """The inputs of each member at new positions: [n, length, I] each."""
        position = new.start[:, None] + np.arange(new.length)
        row = position - 1 - at_hand.before[new.places][:, None] + at_hand.panel.offsets[new.places][:, None]
        return self.entered(head.seen_of(at_hand.panel.values[np.maximum(row, 0)], position == 0))

    def entered(self, seen: NDArray[np.float32]) -> Iterator[Inputs]:
        """The inputs of the encoder of each member, from sets as they are seen: [n, T, tokens + 1] -> [n, T, I]."""
        for weights in self.members():
            yield head.entered(head_weights(weights), seen, np)

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


def read_on(model: StreamingSets, here: SetState, panel: Panel, heard: Heard | None = None) -> SetState:
    """The state after all sets of a panel, which go on from `here` (in the panel's order); of each of them `heard` is
    told how probable each token was in its place.
    """
    panel = replace(panel, starts=here.ends)

    def hear(rows: NewRows, outputs: list[NDArray[np.float32]]) -> None:
        if heard is None:
            return
        begin = panel.offsets[rows.places] + rows.start - here.consumed[rows.places]
        at = (begin[:, None] + np.arange(rows.length)).ravel()
        flat = [states.reshape(len(at), -1) for states in outputs]
        most = max(1, LOGITS // model.channels)
        for first in range(0, len(at), most):
            some = slice(first, first + most)
            heard(at[some], model.model.probabilities([states[some] for states in flat]))

    return advanced(model, here, panel, panel.lengths, hear)


def following(model: StreamingSets, here: SetState) -> Floats:
    """The probability of each token in the set that follows the last one of each document: [S, tokens]."""
    parts, every = [], np.arange(len(here.ids))
    most = max(1, LOGITS // model.channels)
    for begin in range(0, max(1, len(every)), most):
        places = every[begin : begin + most]
        hidden = {name: part.copy() for name, part in here.hidden.items()}
        outputs = carry(model.network, model.members(), hidden, places, _last_inputs(model, here, places))
        parts.append(model.model.probabilities([states[:, 0] for states in outputs]))
    return np.concatenate(parts)


def _last_inputs(model: StreamingSets, here: SetState, places: Ints) -> Iterator[Inputs]:
    """The inputs of each member from the last sets of the documents at some places: [n, 1, I] each."""
    last = np.zeros((len(here.ids), model.channels))
    begun = here.tail.rows > 0
    last[begun] = here.tail.values
    return model.entered(head.seen_of(last[places], ~begun[places])[:, None])
