"""A backtest of many series, scored some series at a time: what is kept of a part are sums, and the report is that of
all series at once to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from rnncli.data.load import Loaded
from rnncli.data.noted import Notes
from rnncli.data.objects import Data
from rnncli.data.parts import SeriesApart
from rnncli.data.statistics import Drift
from rnncli.errors import InputRefused, SeriesRefused
from rnncli.evaluation.backtest import NoWindow, Split, relative_to_cutoffs
from rnncli.evaluation.kept import KeptForecasts, LongKept, kept_forecasts
from rnncli.evaluation.reduced import Part, joined, merged, nothing, reduced
from rnncli.evaluation.run import MODEL, Made, evaluate_made
from rnncli.events import Listener, Noted
from rnncli.processors import available_cpus
from rnncli.spec import ColumnChoices
from rnncli.tasks.forecast.answer import checked_horizon, tell_beyond
from rnncli.tasks.forecast.bounds import outside
from rnncli.tasks.forecast.drifting import drift_of, tell_drift
from rnncli.tasks.forecast.evaluate import forecasts_at
from rnncli.tasks.forecast.forecaster import Forecaster
from rnncli.tasks.forecast.origins import left_out, not_scored, origins
from rnncli.tasks.forecast.reading import load_known_parts
from rnncli.tasks.reading import NAMED, refusal_of, tell_skipped
from rnncli.tasks.task import Backtest, Scored

AT_ONCE, NUMBERS = 2_048, 1 << 20  # series that are scored at once, and numbers of a forecaster, of one series at least
FOLDED = 64  # parts that become one


class NeedsTraining(Exception):  # it is no error of the data
    """An origin lies in the rows of the training."""


class Counted(NamedTuple):
    """What would be scored: `rows` of `series`, with so many forecasts `made`, `some` of the data, what was noticed in
    all, and the series that were skipped.
    """

    rows: int
    series: int
    made: int
    some: Loaded
    notes: tuple[str, ...]
    skipped: tuple[SeriesRefused, ...]


def counted_parts(
    data: Data, model: Forecaster, choices: ColumnChoices, wanted: Backtest, tell: Listener
) -> Counted | None:
    """What `scored_parts` would score; None where that is better done with all series at once. InputRefused."""
    run = _Run(model, choices, wanted)
    parts = run.begun(data)
    try:
        return None if parts is None else run.counted(parts, checked_horizon(wanted.horizon, model), tell)
    except (SeriesApart, NeedsTraining):
        return None


def scored_parts(
    data: Data, model: Forecaster, choices: ColumnChoices, wanted: Backtest, tell: Listener
) -> Scored | None:
    """The scores of a model from the origins that are wanted; None where that is better done with all series at once.

    What is noticed is told when all is done. InputRefused as where all series are in memory.
    """
    run = _Run(model, choices, wanted)
    parts = run.begun(data)
    if parts is None or wanted.in_parts is None:
        return None
    made = run.over(parts, checked_horizon(wanted.horizon, model), tell)
    try:
        if wanted.in_parts.keep is None:
            for _ in made:
                pass
        else:
            wanted.in_parts.keep(LongKept(lambda: made, model.columns, model.calendar), tell)
    except (SeriesApart, NeedsTraining):
        return None
    return run.scored()


@dataclass
class _Run:
    """What is known of the series that have been scored. `read` are those that were skipped when they were read,
    `beyond_bounds` those outside the model's bounds and `unseen` those from which nothing can be forecast: they are
    skipped, or end it all.
    """

    model: Forecaster
    choices: ColumnChoices
    wanted: Backtest
    notes: Notes = field(default_factory=Notes)
    read: list[SeriesRefused] = field(default_factory=list)
    beyond_bounds: list[SeriesRefused] = field(default_factory=list)
    unseen: list[SeriesRefused] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    losses: list[Part] = field(default_factory=list)
    drift: Drift | None = None
    none: NoWindow | None = None
    not_scored: int = 0
    first_not_scored: list[str] = field(default_factory=list)
    series: int = 0
    beyond: int | None = None

    @property
    def skip(self) -> bool:
        """Whether series that are refused are left out."""
        return self.choices.on_bad_series == "skip"

    def begun(self, data: Data) -> Iterator[Loaded] | None:
        """The data in parts; None where that is not wanted, or they are better read as one."""
        if self.wanted.in_parts is None or self.model.unfitted:
            return None
        choices = replace(self.choices, until=self.wanted.until)
        return load_known_parts(data, choices, self.model, self.notes, self.read)

    def over(self, parts: Iterator[Loaded], steps: int, tell: Listener) -> Iterator[KeptForecasts]:
        """Score each part, and give its forecasts; tell what was noticed in the end. InputRefused."""
        for left in self._usable(parts):
            drift = drift_of(left.panel, self.model)
            self.drift = drift if self.drift is None or drift is None else self.drift.with_more(drift)
            size = self._at_once(left, steps)
            for begin in range(0, len(left.panel), size):
                some = left.select(np.arange(begin, min(begin + size, len(left.panel))))
                yield from self._score(some, steps)
        self._refuse(tell)
        self.beyond = tell_beyond(steps, self.model, tell)
        tell_drift(self.drift, tell)
        tell_skipped(self.unseen, tell)

    def counted(self, parts: Iterator[Loaded], steps: int, tell: Listener) -> Counted:
        """What would be scored of the parts, and the first of them; what was noticed is told. InputRefused."""
        rows = made = 0
        some: Loaded | None = None
        for left in self._usable(parts):
            splits = self._splits(self._awaited(left), steps)
            self.parts.append({"panel": len(left.panel), "series": len(splits)})
            some = some or (left if splits else None)
            rows, made = rows + len(left.panel.values), made + sum(len(split.series) for split in splits)
        self._refuse(tell)
        assert some is not None
        skipped = (*self.read, *self.beyond_bounds)
        return Counted(rows, sum(part["panel"] for part in self.parts), made, some, self.notes.lines(), skipped)

    def _usable(self, parts: Iterator[Loaded]) -> Iterator[Loaded]:
        """The parts without series outside the bounds, as long as that is not what ends it all."""
        for part in parts:
            bad = outside(part.panel, *self.model.bounds)
            self.beyond_bounds += bad
            if self.beyond_bounds and not self.skip:
                continue  # nothing but their number is asked any more
            left = _without(part, bad)
            if len(left.panel):
                yield left

    def _awaited(self, loaded: Loaded) -> Loaded:
        """The data without rows that wait for their target."""
        panel = loaded.panel
        return replace(loaded, panel=panel.cut(panel.observed_ends())) if self.model.spec.follows_target else loaded

    def _at_once(self, loaded: Loaded, steps: int) -> int:
        """The number of series whose forecasts take no more than a little memory, from all their origins."""
        windows = self.wanted.windows or 1
        if self.wanted.start is not None:
            windows = 1 + int(loaded.panel.lengths.max(initial=0)) // (self.wanted.stride or steps)
        return max(1, min(AT_ONCE, NUMBERS // (windows * steps * len(self.model.spec.levels))))

    def _score(self, loaded: Loaded, steps: int) -> Iterator[KeptForecasts]:
        """The forecasts of some series, of whose scores the sums are added."""
        model, panel, loaded = self.model, loaded.panel, self._awaited(loaded)
        splits = self._splits(loaded, steps)
        made, refused = forecasts_at(model, panel, splits, self.wanted.workers or available_cpus())
        self.unseen += refused
        if self.unseen and not self.skip:
            return
        if refused:
            loaded = _without(loaded, refused)
            splits, made = self._splits(loaded, steps), _of_series(made, splits, panel.ids, loaded.panel.ids)
        missing = not_scored(loaded.panel, splits)
        self.not_scored += len(missing)
        self.first_not_scored = [*self.first_not_scored, *missing][:NAMED]
        if not splits:
            self.parts.append(nothing(len(loaded.panel)))
        else:
            yield self._added(loaded, splits, made)
        self.series += len(loaded.panel)
        if len(self.parts) >= FOLDED:
            self.parts = [merged(self.parts)]

    def _splits(self, loaded: Loaded, steps: int) -> list[Split]:
        """The origins; none where no series has one. NeedsTraining."""
        try:
            splits = origins(loaded, steps, self.wanted) if len(loaded.panel) else []
        except NoWindow as error:
            self.none = self.none or error
            return []
        honest = relative_to_cutoffs(loaded.panel, splits, self.model.cutoffs)
        if self.wanted.refit and not all(flag.all() for flag in honest):
            raise NeedsTraining
        return splits

    def _added(self, loaded: Loaded, splits: list[Split], made: list[Made]) -> KeptForecasts:
        assert self.wanted.in_parts is not None
        panel, spec = loaded.panel, self.model.spec
        honest = relative_to_cutoffs(panel, splits, self.model.cutoffs)
        report = evaluate_made(panel, splits, made, spec.levels, spec.seasons[0], honest)
        part = reduced(report)
        if self.wanted.in_parts.paired:
            losses = report.losses
            of: dict[str, Any] = {"ids": losses.series + self.series, "window": losses.window, "of": losses.of}
            self.losses.append({"windows": part["windows"], "losses": of})
        self.parts.append(part)
        return kept_forecasts(panel, splits, report.made[MODEL], loaded.columns)

    def _refuse(self, tell: Listener) -> None:
        """Tell what was noticed in reading. InputRefused where series cannot be used, or none can."""
        for line in self.notes.lines():
            tell(Noted(line))
        tell_skipped(self.read, tell)
        refused = self.beyond_bounds if self.beyond_bounds and not self.skip else self.unseen
        if refused and not self.skip:
            raise refusal_of(refused, InputRefused) from refused[0]
        if not any(part["panel"] for part in self.parts):
            raise refusal_of(self.unseen or self.beyond_bounds, InputRefused)
        tell_skipped(self.beyond_bounds, tell)
        if self.none is not None and not any(part["series"] for part in self.parts):
            raise self.none

    def scored(self) -> Scored:
        """The scores of all parts."""
        notes = left_out(self.not_scored, self.first_not_scored, self.wanted)
        report = joined(self.parts, notes, self.losses)
        skipped = (*self.read, *self.beyond_bounds, *self.unseen)
        return Scored(
            report,
            refitted=False,
            drift=self.drift,
            skipped=skipped,
            beyond_trained_from=self.beyond,
            model=self.model,
        )


def _without(loaded: Loaded, bad: list[SeriesRefused]) -> Loaded:
    """The other series, of which there may be none."""
    names = {error.series for error in bad}
    good = [place for place, name in enumerate(loaded.panel.ids) if name not in names]
    return loaded.select(np.array(good, np.int64)) if bad else loaded


def _of_series(made: list[Made], splits: list[Split], before: tuple[str, ...], now: tuple[str, ...]) -> list[Made]:
    """What was made of the series that are left; a split of which none is left is gone."""
    place, found = set(now), []
    for one, split in zip(made, splits, strict=True):
        stays = np.array([before[s] in place for s in split.series.tolist()], np.bool_)
        if stays.any():
            found.append(Made(one.quantiles[stays], one.point[stays]))
    return found
