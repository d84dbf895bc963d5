"""Documents of sets that go on from a state in a file, which is kept there: what is given is what comes after."""

from __future__ import annotations

import os

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data.panel import Panel
from rnncli.evaluation.sets.scores import SaidOfSets
from rnncli.inference import carried as kept
from rnncli.inference import state_file
from rnncli.metrics.sets import EXPECTED, log_probability
from rnncli.tasks.sets.examples import hot_of
from rnncli.tasks.sets.set_model import SetModel
from rnncli.tasks.sets.stream import Heard, SetState, StreamingSets, read_on


class Reading:
    """Documents of a panel, read by a model from their beginning or from where `stored` has them."""

    def __init__(self, model: SetModel, stored: SetState | None = None) -> None:
        self.model = StreamingSets(model)
        self._stored = stored
        self._carried: SetState | None = None
        self._absent: SetState | None = None

    def read(self, panel: Panel, heard: Heard | None = None) -> SetState:
        """The state after all sets of the panel; of each of them `heard` is told how probable tokens were."""
        stored = self._stored or kept.begun(self.model, panel.select(np.zeros(0, np.int64)))
        here, self._absent = kept.known_and_new(self.model, stored, panel)
        self._carried = read_on(self.model, here, panel, heard)
        return self._carried

    def said(self, panel: Panel) -> SaidOfSets:
        """The log probability of every set of the panel before it is seen, and the tokens that were expected."""
        hot = hot_of(panel)
        log_p, expected = np.zeros(len(hot)), np.zeros(hot.shape, np.bool_)

        def hear(rows: Ints, p: Floats) -> None:
            log_p[rows] = log_probability(p, hot[rows])
            expected[rows] = p > EXPECTED

        self.read(panel, hear)
        return SaidOfSets(log_p, expected)

    def went_on(self, panel: Panel) -> SetState:
        """The state after these documents have gone on by the sets of a panel, as when they were generated."""
        assert self._carried is not None
        self._carried = read_on(self.model, self._carried, panel)
        return self._carried

    def after(self) -> SetState:
        """The state of all documents, those too that the panel did not have."""
        assert self._carried is not None
        assert self._absent is not None
        return kept.joined(self._absent, self._carried)


class Stream(Reading):
    """The state of each document that a model has read, in the file `path`. ModelRefused if that is no state of this
    model.
    """

    def __init__(self, path: str | os.PathLike[str], model: SetModel, digest: str) -> None:
        self._path, self._digest = path, digest
        super().__init__(model, state_file.load(path, StreamingSets(model), digest))

    def keep(self) -> None:
        """Write the state with what was read and generated."""
        state_file.save(self._path, self.after(), self._digest)
