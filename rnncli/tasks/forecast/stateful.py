"""A prediction that goes on from a state in a file, and keeps it there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli import checkpoint
from rnncli.arrays import Floats
from rnncli.data.load import Loaded
from rnncli.data.panel import Panel
from rnncli.data.wall import at_steps
from rnncli.errors import InputRefused
from rnncli.events import Listener, Noted
from rnncli.inference import carried as kept
from rnncli.inference import state_file
from rnncli.inference.advance import advanced
from rnncli.inference.refusals import refusals
from rnncli.tasks.forecast import clock, stream
from rnncli.tasks.forecast.clock import Entered
from rnncli.tasks.forecast.extras import ForecastState
from rnncli.tasks.forecast.forecaster import Forecaster
from rnncli.tasks.forecast.model_file import fitted_to_file, from_file
from rnncli.tasks.forecast.pool import Pool
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.forecast.stream import FITTED, StreamingForecaster
from rnncli.tasks.reading import without_bad

Path_ = str | os.PathLike[str]


class Stream:
    """What is carried of a model's series, in the file `path`. ModelRefused if that is not a state of this model.

    Base goes on as it was fitted when the state was begun, which is kept in the file: `forecaster` is that one, base
    itself before it has been fitted, and any other model as it is.
    """

    def __init__(self, path: Path_, model: Forecaster, digest: str) -> None:
        self._path, self._digest, self._is_base = path, digest, model.unfitted
        self.forecaster = model
        self._stored: ForecastState | None = None
        found = state_file.stored(path, lambda meta: StreamingForecaster(_of(meta, {}, model)), digest)
        if found is not None:
            try:
                self.forecaster = _of(found.meta, found.tensors, model)
            except checkpoint.UNUSABLE as error:
                raise state_file.refused(path, error) from error
            self._stored = state_file.carried_in(found, self._model, path)
        self._carried: ForecastState | None = None
        self._absent: ForecastState | None = None
        self._kept: Panel | None = None

    @property
    def _model(self) -> StreamingForecaster:
        return StreamingForecaster(self.forecaster)

    def begin(self, model: Forecaster) -> None:
        """Go on with base as it has been fitted."""
        self.forecaster = model

    def consume(self, loaded: Loaded, tell: Listener, *, skip: bool) -> Loaded:
        """Carry the state over the rows that are new. The panel that comes back begins with the rows that are kept;
        series that cannot go on are refused, or left out under `skip`.
        """
        stored = self._stored or kept.begun(self._model, loaded.panel.select(np.zeros(0, np.int64)))
        self._stored = None  # it is as large as what it becomes
        here, found = self._entered(stored, loaded.panel)
        bad = refusals(self._model, here, found.wall, found.ends, found.behind)
        if bad:
            loaded = without_bad(loaded, bad, InputRefused, tell, skip=skip)
            here, found = self._entered(stored, loaded.panel)
        del stored
        after = advanced(self._model, here, found.wall, found.ends, in_place=True)
        tell(Noted(kept.went_on(here, after)))
        self._kept = stream.kept_and_after(after, found.wall)
        self._carried = after
        if not self.forecaster.spec.wall:
            return replace(loaded, panel=self._kept)
        self._carried = replace(after, extras=replace(after.extras, waiting=clock.left_waiting(after, found)))
        return replace(loaded, panel=clock.back_on_utc(self._carried, self._kept, found))

    def _entered(self, stored: ForecastState, panel: Panel) -> tuple[ForecastState, Entered]:
        """What is kept of each series of the panel, and its rows as they go on from there."""
        ends, on_wall = self.forecaster.ends(panel), self.forecaster.spec.wall
        begins = clock.on_its_starts(panel) if on_wall else panel
        here, self._absent = kept.known_and_new(self._model, stored, begins)
        if on_wall:
            return here, clock.entered(here, panel, ends)
        first, newer = panel.starts, panel.starts + ends >= here.ends
        return here, Entered(panel, ends, np.maximum(first - here.ends, 0), panel, ends, newer)

    def quantiles(self, panel: Panel, steps: int) -> Floats:
        """Quantiles for the rows after the last one consumed, of the series of a panel that `consume` gave. What is
        kept does not change with them, however far they go.
        """
        assert self._carried is not None
        places = kept.places_of(self._carried, panel.ids)
        carried = kept.chosen(self._carried, places)
        if not self.forecaster.spec.wall:
            return stream.quantiles(self.forecaster, carried, panel, steps)
        assert self._kept is not None
        rows = self._kept.select(np.array(places, np.int64))
        step = clock.steps_ahead(carried, panel, self.forecaster.ends(panel), steps)
        made = stream.quantiles(self.forecaster, carried, rows, int(step.max(initial=0)) + 1)
        return at_steps(made, step)

    def keep(self) -> None:
        """Write the state with what was consumed."""
        assert self._carried is not None
        assert self._absent is not None
        state = kept.joined(self._absent, self._carried)
        if not self._is_base:
            state_file.save(self._path, state, self._digest)
            return
        tensors, meta = fitted_to_file(self.forecaster)
        beside = {f"{FITTED}.{name}": tensor for name, tensor in tensors.items()}
        state_file.save(self._path, state, self._digest, beside, {FITTED: meta})


def _of(meta: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]], model: Forecaster) -> Forecaster:
    """The model of a state, as its file says; where that has no `tensors` yet, as far as their layout depends on it."""
    if not model.unfitted:
        return model
    fitted = meta[FITTED]
    if not tensors:
        return replace(model, spec=ForecastSpec.from_json(fitted["forecast"]), pool=Pool.from_json(fitted["pool"]))
    own = {name.removeprefix(f"{FITTED}."): part for name, part in tensors.items() if name.startswith(f"{FITTED}.")}
    return from_file(checkpoint.Model(fitted, model.weights | own))
