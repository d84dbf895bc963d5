"""A forecasting model, and its forecasts of a panel, in NumPy alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats, Ints
from rnncli.data.calendar import Calendar
from rnncli.data.panel import Panel
from rnncli.data.statistics import Statistics
from rnncli.data.wall import at_steps, laid, on_the_wall
from rnncli.errors import SeriesRefused
from rnncli.options import table
from rnncli.outline import Outline, shown
from rnncli.processors import EACH, share_out, shared_array
from rnncli.spec import Columns, NetworkSpec, TrainingSpec
from rnncli.tasks.forecast import features
from rnncli.tasks.forecast.beyond import in_blocks
from rnncli.tasks.forecast.calibration import calibrated, calibrated_unproven, calibrated_young
from rnncli.tasks.forecast.head import to_units, within
from rnncli.tasks.forecast.linear import LinearMap, around
from rnncli.tasks.forecast.network import forecast
from rnncli.tasks.forecast.pool import NETWORK_ALONE, Pool, pooled
from rnncli.tasks.forecast.spec import ROLES, ForecastSpec
from rnncli.tasks.forecast.support import Support, support
from rnncli.tasks.trained_model import TrainedModel

if TYPE_CHECKING:
    from rnncli.data.load import Loaded

CHUNK, CHUNK_STEPS = 256, 256 * 336  # series at a time, and steps of them: the workspace stays small;
WORTH = 64  # series at a time for which another process is worth while
CHUNK_TARGETS, CHUNK_ROWS = 1 << 16, 1 << 19  # so does that of what is forecast, and of what is looked back on
CONSTANT_ROWS = 3


@dataclass(frozen=True)
class Origin:
    """What is known at n origins: the level and the spread [n] that relative quantiles are relative to, the target's
    `past` [n, rows] that they can depend on, and what it says may come.
    """

    level: Floats
    spread: Floats
    past: Floats
    support: Support


@dataclass(frozen=True)
class Histories:
    """The rows from which n forecasts are made: n `series` of a panel, of which each series[i] has ends[series[i]] rows
    before its forecast.
    """

    panel: Panel
    series: Ints
    ends: Ints


@shown
@dataclass(frozen=True)
class Forecaster(TrainedModel[ForecastSpec]):
    """A trained model: specs, weights [members, ...], each training series' last ordinal and statistics (None in files
    of format 1); the pool that its network is averaged with, and the calibration of its intervals, [horizon, q] and
    [k, horizon, q] for `young` series (None where nothing was held out); the linear map of its pool, if that has one.
    """

    of_task = "forecast"
    network: NetworkSpec
    spec: ForecastSpec
    training: TrainingSpec
    columns: Columns
    calendar: Calendar
    weights: dict[str, NDArray[np.float32]]
    cutoffs: dict[str, int]
    record: dict[str, Any]
    statistics: Statistics | None = None
    pool: Pool = NETWORK_ALONE
    calibration: Floats | None = None
    young: Floats | None = None
    linear: LinearMap | None = None

    @property
    def unfitted(self) -> bool:
        """Whether made-up series alone have taught it: columns, calendar and scale are those of what it is given."""
        return self.spec.universal and not self.cutoffs

    def for_data(self, loaded: Loaded, horizon: int | None = None) -> Self:
        """The forecaster as it forecasts these data."""
        from rnncli.tasks.forecast.fitting import fitted

        return fitted(self, loaded, horizon) if self.unfitted else self

    @cached_property
    def places(self) -> dict[str, int]:
        """The place of each series that it was trained on."""
        return {name: place for place, name in enumerate(self.cutoffs)}

    @property
    def series(self) -> int:
        """The number of series that it was trained on."""
        return len(self.cutoffs)

    def outline(self) -> Outline:
        """What the model is."""
        return Outline("Forecaster", (("trained on", f"{len(self.cutoffs):,} series"), *self.facts()))

    def _unfitted_facts(self) -> tuple[tuple[str, str], ...]:
        return (
            ("made of", "made-up series alone: it fits itself to the data that it is given"),
            ("seasons", "those that the data show"),
            ("horizon", "any"),
            ("network", self.sizes()),
            ("training", f"{self.training.steps} steps, batch {self.training.batch}, seed {self.training.seed}"),
        )

    def facts(self) -> tuple[tuple[str, str], ...]:
        """Pairs of a name and a line about the model, for people."""
        if self.unfitted:
            return self._unfitted_facts()
        columns, spec, training = self.columns, self.spec, self.training
        seasons = ", ".join(str(season) for season in spec.seasons) if spec.seasons != (1,) else "none"
        ids = " and ".join(columns.ids) or "-"
        truncated = f", tbptt {training.tbptt}" if training.tbptt else ""
        return (
            (
                "columns",
                f"time {' and '.join(columns.times)}, id {ids}, target{'s' * bool(columns.targets)} {columns.target}",
            ),
            *((("covariates", text),) if (text := self._covariates()) else ()),
            (
                "frequency",
                str(self.calendar.frequency) + (f", zone {self.calendar.zone}" if self.calendar.zone else ""),
            ),
            ("seasons", f"{seasons} (steps{' on the wall clock' * spec.wall})" if spec.seasons != (1,) else seasons),
            ("horizon", f"{spec.horizon} steps, from the last {self.context} rows"),
            ("network", self.sizes() + _attention(spec)),
            ("training", f"{training.steps} steps, batch {training.batch}, seed {training.seed}{truncated}"),
            ("forecast", str(self.pool)),
            ("values", _values(spec)),
        )

    def described(self) -> dict[str, Any]:
        """The model described as JSON."""
        return {
            "columns": self.columns.to_json(),
            "frequency": str(self.calendar.frequency),
            "seasons": list(self.calendar.seasons),
            "zone": self.calendar.zone,
            "network": self.network.to_json(),
            "forecast": self.spec.to_json(),
            "training": self.training.to_json(),
        }

    def settings(self) -> dict[str, Any]:
        """The values that the model settles, by the names of the options that would set them."""
        columns = self.columns
        settled = table.settled({"columns": columns, "calendar": self.calendar, "forecast": self.spec})
        return settled | {"time": ",".join(columns.times), "time_format": _time_format(columns)}

    def _covariates(self) -> str:
        """A line about the covariates that there are or were, and what validation decided about them."""
        roles = {role: getattr(self.columns, role) for role in ROLES}
        if self.calendar.holidays is not None:
            roles["holidays"] = self.calendar.holidays.regions
        named = "; ".join(f"{role} {', '.join(names)}" for role, names in roles.items() if names)
        found = self.record.get("covariates")
        if not found:
            return named
        sure = "too few forecasts for a p" if found["p"] is None else f"p = {found['p']:.2g}"
        why = f"held-out loss {_loss(found['with'])} with them, {_loss(found['without'])} without, {sure}"
        return f"{named or 'left out: ' + ', '.join(found['names'])} ({why})"

    @property
    def context(self) -> int:
        """Rows that a forecast can depend on."""
        return max(self.spec.context, self.pool.rows)

    @property
    def clock(self) -> Calendar:
        """The calendar of the rows that the network sees."""
        return on_the_wall(self.calendar) if self.spec.wall else self.calendar

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """The least and the largest value that the user allowed, None where there is no bound."""
        return self.spec.minimum, self.spec.maximum

    def ends(self, panel: Panel) -> Ints:
        """The number of rows of each series that come before its forecast: [series]."""
        return panel.observed_ends() if self.spec.follows_target else panel.lengths

    def quantiles(self, panel: Panel, ends: Ints | None = None, steps: int | None = None) -> Floats:
        """Quantiles in the data's units for the `steps` (default: `horizon`) rows after row ends[s] - 1 of each series
        (default: its last): [series, steps, levels]. A series forecasts the same bits alone and among others.

        SeriesRefused naming a series from which nothing can be forecast.
        """
        made = self.quantiles_if_any(panel, ends, steps)
        refused = self.unseen(panel, made)
        if refused:
            raise refused[0]
        return made

    def quantiles_if_any(
        self, panel: Panel, ends: Ints | None = None, steps: int | None = None, workers: int = 1
    ) -> Floats:
        """Quantiles as `quantiles` gives them, with NaN for a series from which nothing can be forecast; so many
        `workers` share the work.
        """
        ends = panel.lengths if ends is None else ends
        steps = steps or self.spec.horizon
        if not self.spec.wall:
            return self._in_blocks(panel, ends, steps, workers)
        rows = laid(panel, ends)
        step = rows.ahead(steps)
        return at_steps(self._in_blocks(rows.panel, rows.ends, int(step.max(initial=0)) + 1, workers), step)

    def _in_blocks(self, panel: Panel, ends: Ints, steps: int, workers: int) -> Floats:
        def may_come() -> Support:
            return support(panel, np.arange(len(panel)), ends, self.spec)

        return in_blocks(partial(self._trained_horizon, workers), panel, ends, steps, self.spec, may_come)

    def _trained_horizon(self, workers: int, panel: Panel, ends: Ints) -> Floats:
        parts = list(chunks(len(panel), self.spec, workers))
        made = shared_array(len(panel), self.spec.horizon, len(self.spec.levels))

        def work(part: int) -> None:
            made[parts[part]] = self._chunk(panel, ends, parts[part])

        share_out(work, len(parts), workers)
        return made

    def unseen(self, panel: Panel, made: Floats) -> list[SeriesRefused]:
        """A refusal for each series for which no forecast was made."""
        rows = self.spec.context  # the network's: where it sees nothing, nothing is forecast
        return [
            SeriesRefused(
                f"none of the last {rows} rows can be used, so there is nothing to forecast from",
                panel.ids[s],
                where=f"series {panel.ids[s]!r}",
                hint="leave this series out, or give rows in which it is observed",
            )
            for s in np.flatnonzero(np.isnan(made[:, 0, 0])).tolist()
        ]

    def _chunk(self, panel: Panel, ends: Ints, series: Ints) -> Floats:
        spec = self.spec
        crops, last = features.latest(panel, ends, series, spec)
        rows = np.arange(len(series))
        past = crops.values[:, : spec.lookback - 1 + spec.steps]
        seen = ~np.isnan(past).all(axis=1)
        if not seen.all():
            made = np.full((len(series), spec.horizon, len(spec.levels)), np.nan)
            made[seen] = self._chunk(panel, ends, series[seen]) if seen.any() else made[seen]
            return made
        norm = features.normalise(crops, spec)
        relative = forecast(self.members(), self.network, spec, crops, norm, self.clock)
        origin = Origin(norm.level[rows, last], norm.spread[rows, last], past, crops.support)
        return self.finished(relative, origin, Histories(panel, series, ends))

    def members(self) -> Iterator[dict[str, NDArray[np.float32]]]:
        """The weights of each member."""
        for member in range(self.network.members):
            yield {name: weight[member] for name, weight in self.weights.items()}

    def finished(
        self,
        relative: Sequence[NDArray[np.float32]],
        origin: Origin,
        histories: Histories,
        made: Mapping[int, Floats] | None = None,
    ) -> Floats:
        """What is printed, from each member's relative quantiles [n, horizon, q], what is known at the origins and the
        rows before them; `made` as in `pooled`.
        """
        total = np.zeros(relative[0].shape)
        for member in relative:
            total += to_units(member.astype(np.float64), origin.level, origin.spread, origin.support.logs)
        network = total / len(relative)
        panel, series = histories.panel, histories.series
        ends = histories.ends[series]
        if self.pool.linear is not None:
            straight = within(self.straight(network, panel, series, ends), origin.support)
            made = {**(made or {}), self.pool.linear: straight}
        found = pooled(self.pool, network, panel, series, ends, self.spec, origin.support, made)
        if self.calibration is not None:
            found = calibrated(found, self.calibration, self.spec)
        elif self.spec.each:
            found = calibrated_unproven(found, origin.support.count, self.spec)
        rows, young = origin.support.count, np.zeros(len(found), np.bool_)
        if self.young is not None:
            young = rows <= self.spec.young[-1]
            found[young] = calibrated_young(network[young], self.young, rows[young], self.spec)
        found = within(found, origin.support)
        constant = constant_rows(origin.past) & ~young
        found[constant] = np.nanmax(origin.past[constant], axis=1)[:, None, None]  # exact, whatever its size
        return found

    def straight(self, network: Floats, panel: Panel, series: Ints, ends: Ints) -> Floats:
        """What its linear map forecasts after the first ends[i] rows of each series[i], with the distances of what the
        network does: [n, horizon, q].
        """
        assert self.linear is not None
        return around(self.linear.points(panel, series, ends), network, self.spec)


def _time_format(columns: Columns) -> str | None:
    """The style of times as the option says it: of dates and times of day with a comma between."""
    styles = [style for style in (columns.time_format, columns.clock_format) if style is not None]
    return ",".join(styles) if styles else None


def _attention(spec: ForecastSpec) -> str:
    return f", attention over the last {spec.attended:,} outputs" if spec.attends else ""


def _loss(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4g}"


def _values(spec: ForecastSpec) -> str:
    said = [f"{spec.link} link", *(["whole numbers"] if spec.whole else [])]
    low = [] if spec.floor is None else [f"never below {spec.floor:g}"]
    high = [] if spec.ceiling is None else [f"never above {spec.ceiling:g}"]
    return ", ".join([*said, *low, *high]) + "; each series as it shows itself" * spec.each


def chunks(series: int, spec: ForecastSpec, workers: int = 1) -> Iterator[Ints]:
    """All series, so many at a time as have a small workspace, whatever they look back on and ahead to, and as several
    workers can share: a forecast has the same bits alone and among others.
    """
    rows = spec.lookback + spec.steps + spec.horizon
    size = max(1, min(CHUNK, CHUNK_STEPS // spec.steps, CHUNK_TARGETS // spec.horizon, CHUNK_ROWS // rows))
    if workers > 1:
        size = min(size, max(WORTH, -(-series // (EACH * workers))))
    for begin in range(0, series, size):
        yield np.arange(begin, min(begin + size, series))


def constant_rows(past: Floats) -> NDArray[np.bool_]:
    """Rows whose every observation, three at least, is one and the same value."""
    seen = ~np.isnan(past)
    lowest = np.where(seen, past, np.inf).min(axis=1)
    highest = np.where(seen, past, -np.inf).max(axis=1)
    constant: NDArray[np.bool_] = (lowest == highest) & (seen.sum(axis=1) >= CONSTANT_ROWS)
    return constant
