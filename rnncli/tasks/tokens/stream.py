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

from rnncli.arrays import Bools, Floats, Inputs, Ints
from rnncli.baselines.tokens.documents import NOTHING, Documents
from rnncli.checkpoint import Layout
from rnncli.data.panel import Panel, offsets_of, ranges
from rnncli.data.tokens.channels import SINCE, TIMES
from rnncli.errors import SeriesRefused
from rnncli.inference.advance import advanced, at_hand
from rnncli.inference.carried import Carried, chosen, joined
from rnncli.inference.hidden import carry
from rnncli.inference.streaming import AtHand, NewRows, NoExtras
from rnncli.spec import NetworkSpec
from rnncli.tasks.documents import LOGITS
from rnncli.tasks.seen import head_weights
from rnncli.tasks.tokens import formulas
from rnncli.tasks.tokens.events import seen_of
from rnncli.tasks.tokens.examples import codes_of
from rnncli.tasks.tokens.spec import TokenSpec
from rnncli.tasks.tokens.token_model import TokenModel

Heard = Callable[[Ints, list[NDArray[np.float32]], Ints], None]
"""What is told of rows [k] of a panel: each member's outputs [k, H] and the tokens before [k, looks_back], from which
follows what comes there.
"""

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
        """A row is a token and what stands beside it."""
        timed = self.model.spec.timing is not None
        return 1 + len(self.model.spec.beside) + len(TIMES) * timed

    @property
    def compared(self) -> Sequence[int]:
        """The token."""
        return (0,)

    @property
    def rows_kept(self) -> int:
        """The last token, which the network has not taken in, and those before it that n-grams look back at."""
        return max(1, self.model.looks_back)

    @property
    def outputs_kept(self) -> int:
        """The last one alone."""
        return 1

    def when(self, panel: Panel, place: int, ordinal: int) -> str:  # noqa: ARG002
        """The number of a token, from 1 on."""
        return f"token {ordinal + 1:,}"

    def what_changed(self, was: Floats, now: Floats) -> str:  # noqa: ARG002
        """What is to be said of a token in the place of another."""
        return "a token has changed since it was consumed"

    def inputs(self, at_hand: AtHand, new: NewRows) -> Iterable[Inputs]:
        """What each member sees at new positions: [n, length, H] each."""
        spec, step = self.model.spec, np.arange(-1, new.length - 1)
        row = (new.start - at_hand.before[new.places])[:, None] + step
        row += at_hand.panel.offsets[new.places][:, None]
        first = new.start[:, None] + step < 0
        row = np.where(first, row + 1, row)  # of which what is static is seen
        numbers, codes = taken_in(at_hand.panel.values[row], first, spec, at_hand.panel.calendar.zone)
        for weights in self.members():
            yield formulas.seen(spec, head_weights(weights), numbers, codes, np)

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


def taken_in(rows: NDArray[Any], first: Bools, spec: TokenSpec, zone: str | None) -> tuple[Inputs, Ints]:
    """Numbers [..., N] and codes [..., 1 + words] that the network takes in of rows [..., channels], of which those
    that stand behind a `first` position [...] are before their document.
    """
    codes = np.where(first, spec.boundary, np.nan_to_num(rows[..., 0])).astype(np.int64)
    if spec.plain:
        return np.zeros((*codes.shape, 0), np.float32), codes[..., None]
    numbers, words = seen_of(rows, first, spec, zone)
    return numbers, np.concatenate([codes[..., None], words], axis=-1)


def going_on(model: TokenModel, here: TokenState, panel: Panel) -> Panel:
    """The panel, whose documents go on from rows that were read, with what these say of the first ones that are new:
    what is static, when the event before them came, and the first one. SeriesRefused for one that came earlier.
    """
    known = np.flatnonzero((here.tail.rows > 0) & (panel.lengths > 0))
    if model.spec.plain or not len(known):
        return panel
    values, last = panel.values.copy(), here.tail.values[here.tail.offsets[1:][known] - 1]
    row = panel.offsets[:-1][known]
    every, of = ranges(row, panel.lengths[known]), np.repeat(np.arange(len(known)), panel.lengths[known])
    for place, channel in enumerate(model.spec.beside, 1):
        if channel.static:
            values[every, place] = last[of, place]
    if model.spec.timing is not None:
        back = values[row, SINCE[0]] < last[:, SINCE[0]]
        if back.any():
            name = panel.ids[int(known[np.argmax(back)])]
            raise SeriesRefused(
                "an event came before those that were read on from",
                name,
                where=f"case {name!r}",
                hint="give only what is new, in the order of time; or begin a new state with all of it",
            )
        values[row, SINCE[1]] = last[:, SINCE[0]]
        values[every, -1] = last[of, -1]
    return replace(panel, values=values)


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
        told = None if heard is None else _told(model, here, some, first + begin, heard)
        here = advanced(model, here, some, count, told)
    return here


def _told(
    model: StreamingTokens, here: TokenState, window: Panel, first: Ints, heard: Heard
) -> Callable[[NewRows, list[NDArray[np.float32]]], None]:
    """Who tells of the rows of a window, of which document s has its first one at row first[s] of the whole panel."""
    before = _before(model, here, window)

    def hear(rows: NewRows, outputs: list[NDArray[np.float32]]) -> None:
        begin = first[rows.places] + rows.start - here.consumed[rows.places]
        at = (begin[:, None] + np.arange(rows.length)).ravel()
        flat, history = [states.reshape(len(at), -1) for states in outputs], before(rows)
        for part in _parts(model, len(at)):
            heard(at[part], [states[part] for states in flat], history[part])

    return hear


def _before(model: StreamingTokens, here: TokenState, window: Panel) -> Callable[[NewRows], Ints]:
    """Who knows the tokens before each of the new rows of a window, as many as are looked back at: [rows, steps]."""
    steps = model.model.looks_back
    if not steps:
        return lambda rows: np.zeros((len(rows.places) * rows.length, 0), np.int64)
    known = at_hand(here, window)
    documents = Documents(codes_of(known.panel), known.panel.offsets)

    def before(rows: NewRows) -> Ints:
        first = known.panel.offsets[rows.places] + rows.start - known.before[rows.places]
        return documents.before((first[:, None] + np.arange(rows.length)).ravel(), steps)

    return before


def _parts(model: StreamingTokens, count: int) -> Iterator[slice]:
    """So many outputs in parts, of each of which the probabilities of all tokens have room."""
    most = max(1, LOGITS // model.model.spec.widest)
    return (slice(begin, begin + most) for begin in range(0, count, most))


@dataclass(frozen=True)
class Following:
    """What follows the last token of each document: the likeliest tokens [S, top], the likeliest first, with the
    logarithms of their probabilities. Where there are times, also quantiles of the time until then [S, levels], from
    the times of these last tokens on [S] (NaN where there is none yet).
    """

    codes: Ints
    log_probabilities: NDArray[np.float32]
    waits: Floats | None = None
    times: Floats | None = None


def following(model: StreamingTokens, here: TokenState, top: int, zone: str | None = None) -> Following:
    """The `top` likeliest tokens that follow the last one of each document, whose times are in a zone, and when."""
    every, timing = np.arange(len(here.ids)), model.model.spec.timing
    codes, likely = np.zeros((len(every), top), np.int64), np.zeros((len(every), top), np.float32)
    waits = None if timing is None else np.zeros((len(every), len(timing.levels)))
    history = last_codes(here, model.model.looks_back)
    for some in _parts(model, len(every)):
        places = every[some]
        outputs = carry(
            model.network,
            model.members(),
            {name: part.copy() for name, part in here.hidden.items()},
            places,
            _last_inputs(model, here, places, zone),
        )
        last = [states[:, 0] for states in outputs]
        logs = model.model.log_probabilities(last, history[places])
        codes[some] = np.argsort(-logs, axis=1, kind="stable")[:, :top]
        likely[some] = np.take_along_axis(logs, codes[some], axis=1)
        if waits is not None:
            waits[some] = model.model.waits(last)
    times = None if waits is None else last_rows(here)[0][:, SINCE[0]]
    return Following(codes, likely, waits, times)


def last_codes(here: TokenState, steps: int) -> Ints:
    """The last tokens of each document, the newest last, NOTHING where there are none yet: [S, steps]."""
    codes = np.full((len(here.ids), steps), NOTHING, np.int64)
    for back in range(1, steps + 1):
        there = np.flatnonzero(here.tail.rows >= back)
        codes[there, steps - back] = here.tail.values[here.tail.offsets[1:][there] - back, 0].astype(np.int64)
    return codes


def last_rows(here: TokenState) -> tuple[NDArray[Any], Bools]:
    """The last row of each document, and which have none yet: [S, channels], [S]."""
    first = here.tail.rows == 0
    rows = np.full((len(first), here.tail.values.shape[1]), np.nan)
    rows[~first] = here.tail.values[here.tail.offsets[1:][~first] - 1]
    return rows, first


def _last_inputs(model: StreamingTokens, here: TokenState, places: Ints, zone: str | None) -> Iterator[Inputs]:
    rows, first = last_rows(here)
    numbers, codes = taken_in(rows[places][:, None], first[places][:, None], model.model.spec, zone)
    for weights in model.members():
        yield formulas.seen(model.model.spec, head_weights(weights), numbers, codes, np)
