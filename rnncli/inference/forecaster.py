"""A model file and a panel -> forecasts, in NumPy alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli import checkpoint, files
from rnncli.cells.named import with_activation
from rnncli.data.calendar import Calendar
from rnncli.data.panel import Panel
from rnncli.data.statistics import Statistics
from rnncli.data.wall import at_steps, laid, on_the_wall
from rnncli.errors import ModelRefused, SeriesRefused, UsageError
from rnncli.inference import model_file
from rnncli.inference.beyond import in_blocks
from rnncli.inference.model_file import Task
from rnncli.outline import Outline, shown
from rnncli.spec import Columns, NetworkSpec, TrainingSpec
from rnncli.tasks.forecast import features
from rnncli.tasks.forecast.calibration import stretched, stretched_unproven, stretched_young
from rnncli.tasks.forecast.network import forecast, network_inputs, weight_shapes
from rnncli.tasks.forecast.output import to_units, within
from rnncli.tasks.forecast.pool import NETWORK_ALONE, Pool, pooled
from rnncli.tasks.forecast.spec import LONGEST, ROLES, ForecastSpec
from rnncli.tasks.forecast.support import Support, support

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CHUNK, CHUNK_STEPS = 256, 256 * 336  # series at a time, and steps of them: the workspace stays small;
CHUNK_TARGETS, CHUNK_ROWS = 1 << 16, 1 << 19  # so does that of what is forecast, and of what is looked back on
CONSTANT_ROWS = 3
LARGEST_MODEL = 1 << 28  # weights
CUTOFFS, NAMES, NAME_ENDS = "series.cutoffs", "series.names", "series.name_ends"
STRETCH, YOUNG = "calibration.stretch", "calibration.young"
STATISTICS = ("center", "spread", "row", "block", "missing")


@dataclass(frozen=True)
class Origin:
    """What is known at n origins: the level and the spread [n] that relative quantiles are relative to, the target's
    `past` [n, rows] that they can depend on, and what it says may come.
    """

    level: Floats
    spread: Floats
    past: Floats
    support: Support


@shown
@dataclass(frozen=True)
class Forecaster:
    """A trained model: specs, weights [members, ...], each training series' last ordinal and statistics (None in files
    of format 1); the pool that its network is averaged with, and the stretch of its intervals, [horizon, q] and
    [k, horizon, q] for `young` series (None where nothing was held out).
    """

    network: NetworkSpec
    forecast: ForecastSpec
    training: TrainingSpec
    columns: Columns
    calendar: Calendar
    weights: dict[str, NDArray[np.float32]]
    cutoffs: dict[str, int]
    record: dict[str, Any]
    statistics: Statistics | None = None
    pool: Pool = NETWORK_ALONE
    stretch: Floats | None = None
    young: Floats | None = None

    @property
    def forecaster(self) -> Forecaster:
        """The model itself: what holds a model is taken wherever a model file is."""
        return self

    @property
    def parameters(self) -> int:
        """Trained numbers, over all members."""
        return sum(weight.size for weight in self.weights.values())

    def save(self, path: str | os.PathLike[str]) -> int:
        """Write the model file, whole or not at all; returns its bytes. OutputLocked or StorageFailed."""
        data = to_bytes(self)
        with files.locked(path):
            files.atomic_write(path, data)
        return len(data)

    def outline(self) -> Outline:
        """What the model is."""
        return Outline("Forecaster", (("trained on", f"{len(self.cutoffs):,} series"), *self.facts()))

    def facts(self) -> tuple[tuple[str, str], ...]:
        """What the model is, one line each, for people."""
        columns, network, spec, training = self.columns, self.network, self.forecast, self.training
        seasons = ", ".join(str(season) for season in spec.seasons) if spec.seasons != (1,) else "none"
        cell = with_activation(network.cell, network.activation)
        shape = f"{cell}, {network.layers} x {network.hidden}" + (
            f", {network.members} members" if network.members > 1 else ""
        )
        truncated = f", tbptt {training.tbptt}" if training.tbptt else ""
        return (
            (
                "columns",
                f"time {' and '.join(columns.times)}, id {' and '.join(columns.ids) or '-'}, target {columns.target}",
            ),
            *((("covariates", text),) if (text := self._covariates()) else ()),
            (
                "frequency",
                str(self.calendar.frequency) + (f", zone {self.calendar.zone}" if self.calendar.zone else ""),
            ),
            ("seasons", f"{seasons} (steps{' on the wall clock' * spec.wall})" if spec.seasons != (1,) else seasons),
            ("horizon", f"{spec.horizon} steps, from the last {self.context} rows"),
            ("network", f"{shape}, {self.parameters:,} parameters"),
            ("training", f"{training.steps} steps, batch {training.batch}, seed {training.seed}{truncated}"),
            ("forecast", str(self.pool)),
            ("values", _values(spec)),
        )

    def _covariates(self) -> str:
        """Which there are or were, and what validation said of them."""
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
        return max(self.forecast.context, self.pool.rows)

    @property
    def clock(self) -> Calendar:
        """The calendar of the rows that the network sees."""
        return on_the_wall(self.calendar) if self.forecast.wall else self.calendar

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """What the user said that values lie within."""
        return self.forecast.minimum, self.forecast.maximum

    def ends(self, panel: Panel) -> Ints:
        """How many rows of each series come before its forecast."""
        return panel.observed_ends() if self.forecast.follows_target else panel.lengths

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

    def quantiles_if_any(self, panel: Panel, ends: Ints | None = None, steps: int | None = None) -> Floats:
        """The same with NaN for a series from which nothing can be forecast."""
        ends = panel.lengths if ends is None else ends
        steps = steps or self.forecast.horizon
        if not self.forecast.wall:
            return self._in_blocks(panel, ends, steps)
        rows = laid(panel, ends)
        step = rows.ahead(steps)
        return at_steps(self._in_blocks(rows.panel, rows.ends, int(step.max(initial=0)) + 1), step)

    def _in_blocks(self, panel: Panel, ends: Ints, steps: int) -> Floats:
        def may_come() -> Support:
            return support(panel, np.arange(len(panel)), ends, self.forecast)

        return in_blocks(self._trained_horizon, panel, ends, steps, self.forecast, may_come)

    def _trained_horizon(self, panel: Panel, ends: Ints) -> Floats:
        made = np.empty((len(panel), self.forecast.horizon, len(self.forecast.levels)))
        for series in chunks(len(panel), self.forecast):
            made[series] = self._chunk(panel, ends, series)
        return made

    def unseen(self, panel: Panel, made: Floats) -> list[SeriesRefused]:
        """What is to be said of the series for which nothing was made."""
        rows = self.forecast.context  # the network's: where it sees nothing, nothing is forecast
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
        spec = self.forecast
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
        return self.finished(relative, origin, (panel, series, ends))

    def members(self) -> Iterator[dict[str, NDArray[np.float32]]]:
        """The weights of each member."""
        for member in range(self.network.members):
            yield {name: weight[member] for name, weight in self.weights.items()}

    def finished(
        self,
        relative: Sequence[NDArray[np.float32]],
        origin: Origin,
        made_from: tuple[Panel, Ints, Ints],
        made: Mapping[int, Floats] | None = None,
    ) -> Floats:
        """What is printed, from each member's relative quantiles [n, horizon, q] and what is known at the origins;
        `made_from` is a panel, n series of it, and how many rows of every series of it come before its forecast;
        `made` as in `pooled`.
        """
        panel, series, ends = made_from
        total = np.zeros(relative[0].shape)
        for member in relative:
            total += to_units(member.astype(np.float64), origin.level, origin.spread, origin.support.logs)
        network = total / len(relative)
        found = pooled(self.pool, network, panel, series, ends[series], self.forecast, origin.support, made)
        if self.stretch is not None:
            found = stretched(found, self.stretch, self.forecast)
        elif self.forecast.each:
            found = stretched_unproven(found, origin.support.count, self.forecast)
        rows, young = origin.support.count, np.zeros(len(found), np.bool_)
        if self.young is not None:
            young = rows <= self.forecast.young[-1]
            found[young] = stretched_young(network[young], self.young, rows[young], self.forecast)
        found = within(found, self.forecast, origin.support)
        constant = _constant(origin.past) & ~young
        found[constant] = np.nanmax(origin.past[constant], axis=1)[:, None, None]  # exact, whatever its size
        return found


def _loss(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4g}"


def _values(spec: ForecastSpec) -> str:
    said = [f"{spec.link} link", *(["whole numbers"] if spec.whole else [])]
    low = [] if spec.floor is None else [f"never below {spec.floor:g}"]
    high = [] if spec.ceiling is None else [f"never above {spec.ceiling:g}"]
    return ", ".join([*said, *low, *high]) + "; each series as it shows itself" * spec.each


def chunks(series: int, spec: ForecastSpec) -> Iterator[Ints]:
    """All series, so many at a time as have a small workspace, whatever they look back on and ahead to."""
    rows = spec.lookback + spec.steps + spec.horizon
    size = max(1, min(CHUNK, CHUNK_STEPS // spec.steps, CHUNK_TARGETS // spec.horizon, CHUNK_ROWS // rows))
    for begin in range(0, series, size):
        yield np.arange(begin, min(begin + size, series))


def _constant(past: Floats) -> NDArray[np.bool_]:
    """Rows whose every observation, three at least, is one and the same value."""
    seen = ~np.isnan(past)
    lowest = np.where(seen, past, np.inf).min(axis=1)
    highest = np.where(seen, past, -np.inf).max(axis=1)
    constant: NDArray[np.bool_] = (lowest == highest) & (seen.sum(axis=1) >= CONSTANT_ROWS)
    return constant


def save(path: str | os.PathLike[str], forecaster: Forecaster) -> int:
    """Write the model file; returns its size in bytes."""
    return checkpoint.save(path, *_to_file(forecaster))


def to_bytes(forecaster: Forecaster) -> bytes:
    """The bytes of its model file. ModelRefused where a file could not hold it, as when a weight is not finite."""
    try:
        return checkpoint.to_bytes(*_to_file(forecaster))
    except (TypeError, ValueError) as error:
        raise ModelRefused(f"the model cannot be kept: {error}", hint="train again") from error


def from_bytes(data: bytes, where: str) -> Forecaster:
    """The model in a file of these bytes; messages call it `where`. ModelRefused if anything about it is not sound."""
    model = model_file.from_bytes(data, where)
    assert isinstance(model, Forecaster)
    return model


def _to_file(forecaster: Forecaster) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    names = [name.encode() for name in forecaster.cutoffs]
    tensors: dict[str, NDArray[Any]] = dict(forecaster.weights)
    tensors[CUTOFFS] = np.array(list(forecaster.cutoffs.values()), np.int64)
    tensors[NAMES] = np.frombuffer(b"".join(names), np.uint8)
    tensors[NAME_ENDS] = np.cumsum([len(name) for name in names], dtype=np.int64)
    meta = {
        "task": "forecast",
        "network": forecaster.network.to_json(),
        "forecast": forecaster.forecast.to_json(),
        "training": forecaster.training.to_json(),
        "columns": forecaster.columns.to_json(),
        "calendar": forecaster.calendar.to_json(),
        "series": {"count": len(names), "bytes": sum(map(len, names))},
        "record": forecaster.record,
        "pool": forecaster.pool.to_json(),
        "calibrated": forecaster.stretch is not None,
    }
    if forecaster.stretch is not None:
        tensors[STRETCH] = forecaster.stretch
    if forecaster.young is not None:
        tensors[YOUNG] = forecaster.young
    if forecaster.statistics is not None:
        tensors |= {f"series.{name}": getattr(forecaster.statistics, name) for name in STATISTICS}
        meta["statistics"] = {"length": forecaster.statistics.length}
    return tensors, meta


def _specs(meta: dict[str, Any]) -> tuple[NetworkSpec, ForecastSpec, TrainingSpec, Columns, Calendar]:
    network, spec = NetworkSpec.from_json(meta["network"]), ForecastSpec.from_json(meta["forecast"])
    calendar = Calendar.from_json(meta["calendar"])
    if (network.inputs, network.known) != network_inputs(spec, calendar):
        raise UsageError("its network does not fit its forecast")
    if network.inputs * spec.steps > LARGEST_MODEL or network.known * spec.horizon > LARGEST_MODEL:
        raise UsageError("it claims to look at more than any model")
    columns = Columns.from_json(meta["columns"])
    _check_columns(columns, spec)
    return network, spec, TrainingSpec.from_json(meta["training"]), columns, calendar


def _check_columns(columns: Columns, spec: ForecastSpec) -> None:
    declared = [(role, name) for role in ROLES for name in getattr(columns, role)]
    if declared != [(covariate.role, covariate.name) for covariate in spec.covariates]:
        raise UsageError("its covariates do not fit its columns")
    names = [*columns.times, *columns.ids, columns.target, *(name for _, name in declared)]
    if len(set(names)) < len(names) or (columns.wide and declared):
        raise UsageError("its columns contradict each other")
    marks = [mark for mark in (columns.decimal, columns.thousands, columns.separator) if mark is not None]
    if columns.decimal not in (None, ".", ",") or any(len(mark) != 1 or mark in '\r\n"' for mark in marks):
        raise UsageError("its numbers or fields have marks that no table has")


def layout(meta: dict[str, Any]) -> checkpoint.Layout:
    """The tensors that a description implies. Raises UsageError where it contradicts itself."""
    network, spec, *_ = _specs(meta)
    count, size = meta["series"]["count"], meta["series"]["bytes"]
    shapes = weight_shapes(network, spec)
    if network.members * sum(int(np.prod(shape, dtype=object)) for shape in shapes.values()) > LARGEST_MODEL:
        raise UsageError("it claims to be larger than any model")
    tensors: dict[str, tuple[np.dtype[Any], tuple[int, ...]]] = {
        name: (np.dtype("<f4"), (network.members, *shape)) for name, shape in shapes.items()
    }
    long, channels = np.dtype("<i8"), 1 + len(spec.covariates)
    if "statistics" in meta:
        tensors |= {f"series.{name}": (np.dtype("<f8"), (count, channels)) for name in STATISTICS}
    if meta.get("calibrated"):
        tensors[STRETCH] = (np.dtype("<f8"), (spec.horizon, len(spec.levels)))
    if meta.get("calibrated") and spec.young:
        tensors[YOUNG] = (np.dtype("<f8"), (len(spec.young), spec.horizon, len(spec.levels)))
    return tensors | {CUTOFFS: (long, (count,)), NAME_ENDS: (long, (count,)), NAMES: (np.dtype("u1"), (size,))}


def from_model(model: checkpoint.Model) -> Forecaster:
    """The forecaster in a file that was checked."""
    network, spec, training, columns, calendar = _specs(model.meta)
    cutoffs = dict(zip(series_names(model), model.tensors[CUTOFFS].tolist(), strict=True))
    _check_record(model.meta["record"])
    weights = {name: model.tensors[name] for name in weight_shapes(network, spec)}
    statistics = _statistics(model) if "statistics" in model.meta else None
    pool = Pool.from_json(model.meta["pool"]) if "pool" in model.meta else NETWORK_ALONE
    return Forecaster(
        network,
        spec,
        training,
        columns,
        calendar,
        weights,
        cutoffs,
        model.meta["record"],
        statistics,
        pool,
        model.tensors.get(STRETCH),
        model.tensors.get(YOUNG),
    )


def _statistics(model: checkpoint.Model) -> Statistics:
    """What the training data looked like. UsageError if the blocks of rows have no length."""
    length = model.meta["statistics"]["length"]
    if type(length) is not int or not 1 <= length <= LONGEST:
        raise UsageError("the statistics of its training data are over no number of rows")
    return Statistics(length, **{name: model.tensors[f"series.{name}"] for name in STATISTICS})


def series_names(model: checkpoint.Model) -> list[str]:
    """Ids of the series of the training. UsageError unless they are different texts, end to end."""
    text = model.tensors[NAMES].tobytes()
    ends = [0, *model.tensors[NAME_ENDS].tolist()]
    if ends[-1] != len(text) or ends != sorted(ends):
        raise UsageError("the names of its series do not lie end to end")
    names = [text[begin:end].decode() for begin, end in pairwise(ends)]
    if len(set(names)) < len(names):
        raise UsageError("two of its series have one name")
    return names


def _check_record(record: Any) -> None:
    """UsageError unless what is told of the training has the types with which it is told."""
    scores = record.get("validation", {}).values()
    counts = [record[name] for name in ("rows", "observed") if "rows" in record]
    values = [value for found in scores for value in found.values()]
    if any(type(count) is not int for count in counts):
        raise UsageError("its training record counts rows in something else than numbers")
    if any(value is not None and type(value) not in (int, float) for value in values):
        raise UsageError("its training record has scores that are no numbers")
    if "covariates" in record:
        _check_doubt(record["covariates"])


def _check_doubt(found: Any) -> None:
    """The same of what validation said of the covariates."""
    if any(type(found[name]) not in (int, float, type(None)) for name in ("with", "without", "p")):
        raise UsageError("its training record has losses that are no numbers")
    if type(found["names"]) is not list or any(type(name) is not str for name in found["names"]):
        raise UsageError("its training record names covariates by something else than text")


TASK = Task(layout, from_model)


def load(path: str | os.PathLike[str]) -> Forecaster:
    """Read a model file that forecasts. ModelRefused, with the reason, if anything about it is not sound."""
    model = model_file.load(path)
    assert isinstance(model, Forecaster)
    return model
