"""Documents that go on from a state in a file, which is kept there: what is given is what comes after."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats, Ints
from rnncli.baselines.tokens.baseline import Said
from rnncli.data.panel import Panel
from rnncli.inference import carried as kept
from rnncli.inference import state_file
from rnncli.tasks.tokens.events import waits_of
from rnncli.tasks.tokens.examples import codes_of
from rnncli.tasks.tokens.stream import Following, Heard, StreamingTokens, TokenState, following, going_on, read_on
from rnncli.tasks.tokens.token_model import TokenModel


class Reading:
    """Documents of a panel, read by a model from their beginning or from where `stored` has them."""

    def __init__(self, model: TokenModel, stored: TokenState | None = None) -> None:
        self.model = StreamingTokens(model)
        self._stored = stored
        self._carried: TokenState | None = None
        self._absent: TokenState | None = None
        self._waited: Floats | None = None

    def read(self, panel: Panel, heard: Heard | None = None) -> TokenState:
        """The state after all tokens of the panel; of each of them `heard` is told what was held for likely."""
        stored = self._stored or kept.begun(self.model, panel.select(np.zeros(0, np.int64)))
        here, self._absent = kept.known_and_new(self.model, stored, panel)
        return self._read_on(here, panel, heard)

    def _read_on(self, here: TokenState, panel: Panel, heard: Heard | None = None) -> TokenState:
        given = going_on(self.model.model, here, panel)
        if self.model.model.spec.timing is not None:
            self._waited = waits_of(given, begun=here.tail.rows > 0)
        self._carried = read_on(self.model, here, given, heard)
        return self._carried

    @property
    def waited(self) -> Floats:
        """How long after the event before it each one of the panel that was read last came, as the data have times:
        [rows], NaN where none did.
        """
        assert self._waited is not None
        return self._waited

    def following(self, panel: Panel, top: int) -> Following:
        """What follows the panel's documents."""
        return following(self.model, self.read(panel), top, panel.calendar.zone)

    def said(self, panel: Panel, ranked: int | None = None) -> Said:
        """What is said of every token of the panel before it is seen; ranks are counted up to `ranked`, if given."""
        codes = codes_of(panel)
        log_p = np.zeros(len(codes), np.float32)
        kind: type[np.integer[Any]] = np.int32 if ranked is None else np.uint8
        ranks, timing = np.zeros(len(codes), kind), self.model.model.spec.timing
        waits = None if timing is None else np.zeros((len(codes), len(timing.levels)))

        def hear(rows: Ints, outputs: list[NDArray[np.float32]], history: Ints) -> None:
            log_p[rows], found = self.model.model.said(outputs, history, codes[rows].astype(np.int64), ranked)
            ranks[rows] = np.minimum(found, len(self.model.model.vocabulary) if ranked is None else ranked)
            if waits is not None:
                waits[rows] = self.model.model.waits(outputs)

        self.read(panel, hear)
        return Said(log_p, ranks, waits)

    def sums(self, panel: Panel) -> Floats:
        """The sum of the logarithms of the probabilities of all tokens of each document: [documents]."""
        codes, total = codes_of(panel), np.zeros(len(panel))

        def hear(rows: Ints, outputs: list[NDArray[np.float32]], history: Ints) -> None:
            log_p, _ = self.model.model.said(outputs, history, codes[rows].astype(np.int64), 0)
            document = np.searchsorted(panel.offsets, rows, side="right") - 1
            np.add.at(total, document, log_p)

        self.read(panel, hear)
        return total

    def went_on(self, panel: Panel) -> None:
        """These documents have gone on by the tokens of a panel, as when they were generated."""
        assert self._carried is not None
        self._read_on(self._carried, panel)

    def after(self) -> TokenState:
        """The state of all documents, those too that the panel did not have."""
        assert self._carried is not None
        assert self._absent is not None
        return kept.joined(self._absent, self._carried)


class Stream(Reading):
    """What a model has read of each document, in the file `path`. ModelRefused if that is no state of this model."""

    def __init__(self, path: str | os.PathLike[str], model: TokenModel, digest: str) -> None:
        self._path, self._digest = path, digest
        super().__init__(model, state_file.load(path, StreamingTokens(model), digest))

    def keep(self) -> None:
        """Write the state with what was read and generated."""
        state_file.save(self._path, self.after(), self._digest)
