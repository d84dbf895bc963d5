"""A prediction that goes on from a state in a file, and keeps it there."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rnncli.data.load import Loaded
from rnncli.data.panel import Panel
from rnncli.errors import InputRefused
from rnncli.inference import carried as kept
from rnncli.inference import state_file, stream
from rnncli.inference.carried import Carried
from rnncli.inference.consumed import refusals
from rnncli.workflows.events import Listener, Noted
from rnncli.workflows.model import Given
from rnncli.workflows.reading import without_bad

Floats = NDArray[np.float64]
Path_ = str | os.PathLike[str]


class Stream:
    """What is carried of a model's series, in the file `path`. ModelRefused if that is not a state of this model."""

    def __init__(self, path: Path_, model: Given) -> None:
        self._path, self._forecaster = path, model.forecaster
        self._digest = model.digest
        self._stored = state_file.load(path, self._forecaster, self._digest)
        self._carried: Carried | None = None
        self._absent: Carried | None = None

    def consume(self, loaded: Loaded, tell: Listener, *, skip: bool) -> Loaded:
        """Carry the state over the rows that are new. The panel that comes back begins with the rows that are kept;
        series that cannot go on are refused, or left out under `skip`.
        """
        panel = loaded.panel
        stored = self._stored or kept.begun(self._forecaster, panel.select(np.zeros(0, np.int64)))
        self._stored = None  # it is as large as what it becomes
        here, self._absent = kept.known_and_new(self._forecaster, stored, panel)
        bad = refusals(self._forecaster, here, panel, self._forecaster.ends(panel))
        if bad:
            loaded = without_bad(loaded, bad, InputRefused, tell, skip=skip)
            panel = loaded.panel
            here, self._absent = kept.known_and_new(self._forecaster, stored, panel)
        self._carried = stream.advanced(self._forecaster, here, panel, self._forecaster.ends(panel))
        new = int((self._carried.consumed - here.consumed).sum())
        known = int(np.count_nonzero(here.consumed))
        tell(Noted(f"{new:,} new rows were consumed; {known:,} of {len(panel):,} series went on from their state"))
        return replace(loaded, panel=stream.kept_and_after(self._carried, panel))

    def quantiles(self, panel: Panel, steps: int) -> Floats:
        """Quantiles for the rows after the last one consumed, of the series of a panel that `consume` gave. What is
        kept does not change with them, however far they go.
        """
        assert self._carried is not None
        place = {name: at for at, name in enumerate(self._carried.ids)}
        carried = kept.chosen(self._carried, [place[name] for name in panel.ids])
        return stream.quantiles(self._forecaster, carried, panel, steps)

    def keep(self) -> None:
        """Write the state with what was consumed."""
        assert self._carried is not None
        assert self._absent is not None
        state_file.save(self._path, kept.joined(self._absent, self._carried), self._digest)
