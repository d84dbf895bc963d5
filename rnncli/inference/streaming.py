"""What a stream asks of a task: the inputs of new rows, and what the task itself keeps of each series."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Bools, Floats, Inputs, Ints
from rnncli.checkpoint import Layout
from rnncli.data.panel import Panel
from rnncli.inference.kept_rows import KeptRows
from rnncli.spec import NetworkSpec


@dataclass(frozen=True)
class AtHand:
    """The rows of each series that are at hand: its tail and those after it, as a panel, and how many rows `before`
    them [series] were consumed and are forgotten.
    """

    panel: Panel
    before: Ints


@dataclass(frozen=True)
class NewRows:
    """Rows start[i] ... start[i] + length - 1 of the series at places[i], counted from the first row of each; all of
    them lie in one `block` of the grid.
    """

    block: int
    places: Ints
    start: Ints
    length: int


class Extras(Protocol):
    """What a task keeps of each series beside what every stream does. Series are on the first axis of its arrays."""

    @property
    def begun(self) -> Bools:
        """Of which series it has something to go on from, whether or not a row was consumed: [series]."""

    def at(self, places: Ints) -> Self:
        """The extras of the series at these places, in that order."""

    def beside(self, other: Self) -> Self:
        """The extras of these series and of others."""

    def tensors(self) -> Mapping[str, NDArray[Any]]:
        """Tensors for a file, with the series on the first axis of each."""

    def kept_rows(self) -> Mapping[str, KeptRows]:
        """Rows for a file, by what they are called there."""

    def described(self) -> Mapping[str, Any]:
        """The metadata of the extras in a file, beside their tensors."""


@dataclass(frozen=True)
class NoExtras:
    """That nothing is kept of S documents beside what every stream keeps."""

    series: int

    @property
    def begun(self) -> Bools:
        """That there is nothing to go on from: [S]."""
        return np.zeros(self.series, np.bool_)

    def at(self, places: Ints) -> NoExtras:
        """Nothing of the documents at these places."""
        return NoExtras(len(places))

    def beside(self, other: NoExtras) -> NoExtras:
        """Nothing of these documents and of others."""
        return NoExtras(self.series + other.series)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """No tensors."""
        return {}

    def kept_rows(self) -> dict[str, KeptRows]:
        """No rows."""
        return {}

    def described(self) -> dict[str, Any]:
        """No description."""
        return {}


E = TypeVar("E", bound=Extras)


class StreamingModel(Protocol[E]):
    """A trained model whose network can consume each row of a series once."""

    @property
    def network(self) -> NetworkSpec:
        """The network."""

    def members(self) -> Iterator[dict[str, NDArray[np.float32]]]:
        """The weights of each member of the network."""

    @property
    def channels(self) -> int:
        """The number of channels of a row."""

    @property
    def compared(self) -> Sequence[int]:
        """The channels by which a row that is given again is compared with what was consumed."""

    @property
    def rows_kept(self) -> int:
        """Rows of the tail: what the inputs of later rows, and an answer after the last one, can depend on."""

    @property
    def outputs_kept(self) -> int:
        """The last layer's outputs at so many of the last rows, one at least, which an answer after them is made of."""

    def when(self, panel: Panel, place: int, ordinal: int) -> str:
        """The time of the row of a series at this ordinal, as messages write it."""

    def inputs(self, at_hand: AtHand, new: NewRows) -> Iterable[Inputs]:
        """The inputs of each member of the network in new rows, which depend on rows of the tail at most:
        [n, length, I] each.
        """

    def what_changed(self, was: Floats, now: Floats) -> str:
        """What is to be said of a row that is given again with other values: [channels] each."""

    def begun(self, panel: Panel) -> E:
        """The extras of the panel's series before their first row."""

    def after(self, extras: E, at_hand: AtHand, consumed: Ints, target: Ints) -> E:
        """The extras after row target[s] - 1 of each series, from those after row consumed[s] - 1."""

    def layout(self, meta: Mapping[str, Any], series: int) -> Layout:
        """The tensors of the extras in a file that says `meta` of its state."""

    def extras(self, tensors: Mapping[str, NDArray[Any]], series: int) -> E:
        """The extras in the tensors of a file. UsageError if they contradict themselves."""
