"""Labels of the rows that a model has not seen, going on from a state in a file, which is kept there."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data.load import Loaded
from rnncli.data.panel import Panel, offsets_of, ranges
from rnncli.errors import InputRefused, UsageError
from rnncli.events import Listener, Noted
from rnncli.inference import carried as kept
from rnncli.inference import state_file
from rnncli.inference.refusals import refusals
from rnncli.tasks.labels.labeler import Labeler
from rnncli.tasks.labels.stream import LabelState, StreamingLabeler, labelled, placed, timed
from rnncli.tasks.reading import without_bad


class Stream:
    """What an online model has seen of each sequence, in the file `path`. UsageError for a model that cannot label
    rows as they come; ModelRefused if that is not a state of this model.
    """

    def __init__(self, path: str | os.PathLike[str], model: Labeler, digest: str) -> None:
        refuse_unless_online(model)
        refuse_frames(model)
        self._path, self._digest, self._model = path, digest, StreamingLabeler(model)
        self._stored = state_file.load(path, self._model, digest)
        self._carried: LabelState | None = None
        self._absent: LabelState | None = None

    def consume(self, loaded: Loaded, tell: Listener, *, skip: bool) -> tuple[Loaded, Floats]:
        """Carry the state over the rows that are new; returns these alone and what is said of them [rows, classes or
        levels]. Sequences that cannot go on are refused, or left out under `skip`.
        """
        here, panel = self._entered(loaded)
        bad = refusals(self._model, here, panel, panel.lengths)
        if bad:
            loaded = without_bad(loaded, bad, InputRefused, tell, skip=skip)
            here, panel = self._entered(loaded)
        self._stored = None  # it is as large as what it becomes
        self._carried, said = labelled(self._model, here, panel)
        tell(Noted(kept.went_on(here, self._carried)))
        return _last_rows(loaded, self._carried.consumed - here.consumed), said

    def _entered(self, loaded: Loaded) -> tuple[LabelState, Panel]:
        """What is kept of each sequence that was loaded, and its rows as they go on from there."""
        assert loaded.times is not None
        panel = timed(loaded.panel, loaded.times)
        stored = self._stored or kept.begun(self._model, panel.select(np.zeros(0, np.int64)))
        here, self._absent = kept.known_and_new(self._model, stored, panel)
        return here, placed(here, panel)

    def keep(self) -> None:
        """Write the state with what was consumed."""
        assert self._carried is not None
        assert self._absent is not None
        state_file.save(self._path, kept.joined(self._absent, self._carried), self._digest)


def refuse_frames(model: Labeler) -> None:
    """UsageError for a model that sees frames: its state would be as large as they are."""
    if model.spec.pictures is not None:
        raise UsageError("--state is not for frames", hint="leave --state out, and give whole sequences")


def refuse_unless_online(model: Labeler) -> None:
    """UsageError for a model that looks ahead, or whose rows have no times."""
    if not model.spec.online:
        what = "labels of its steps" if model.spec.per_step else "label of a sequence"
        raise UsageError(
            f"--state labels rows as they come, and what comes later changes the model's {what}",
            hint=f"train with {'' if model.spec.per_step else '--per-step '}--online",
        )
    if not model.columns.times:
        raise UsageError(
            "--state cannot tell new rows from those it has seen: the data of the model have no column of times",
            hint="train on data that have one, and say which: --time NAME",
        )


def _last_rows(loaded: Loaded, rows: Ints) -> Loaded:
    """The last rows[s] rows of each sequence; those of which that is none are dropped."""
    assert loaded.times is not None
    chosen = np.flatnonzero(rows)
    at = ranges(loaded.panel.offsets[1:][chosen] - rows[chosen], rows[chosen])
    some = loaded.select(chosen)
    panel = replace(some.panel, offsets=offsets_of(rows[chosen]), values=loaded.panel.values[at])
    return replace(some, panel=panel, times=loaded.times[at])
