"""A forecasting model as a file: its tensors and what is said of them, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnncli import checkpoint
from rnncli.cells.named import asks_for_gaps, refuse_convolution
from rnncli.data.calendar import Calendar
from rnncli.data.statistics import Statistics
from rnncli.errors import UsageError
from rnncli.model import NAMES, Meta, Tensors, name_layout, name_tensors, series_names
from rnncli.spec import TARGETS, Columns, NetworkSpec, TrainingSpec
from rnncli.tasks.forecast import head
from rnncli.tasks.forecast.forecaster import Forecaster
from rnncli.tasks.forecast.linear import MOST, LinearMap
from rnncli.tasks.forecast.network import network_inputs, refuse_what_sees_ahead
from rnncli.tasks.forecast.pool import NETWORK_ALONE, Pool
from rnncli.tasks.forecast.spec import LONGEST, ROLES, ForecastSpec
from rnncli.tasks.seen import named_shapes

LARGEST_MODEL = 1 << 28  # weights
CUTOFFS = "series.cutoffs"
CALIBRATION, YOUNG = "calibration.stretch", "calibration.young"
MAP = "linear.weight"
STATISTICS = ("center", "spread", "row", "block", "missing")


def to_file(model: Forecaster) -> tuple[Tensors, Meta]:
    """Tensors and description of a model's file."""
    names = name_tensors(list(model.cutoffs))
    tensors: Tensors = {**model.weights, **names}
    tensors[CUTOFFS] = np.array(list(model.cutoffs.values()), np.int64)
    meta = {
        "task": "forecast",
        "network": model.network.to_json(),
        "forecast": model.spec.to_json(),
        "training": model.training.to_json(),
        "columns": model.columns.to_json(),
        "calendar": model.calendar.to_json(),
        "series": {"count": len(model.cutoffs), "bytes": names[NAMES].size},
        "record": model.record,
        "pool": model.pool.to_json(),
        "calibrated": model.calibration is not None,
    }
    if model.calibration is not None:
        tensors[CALIBRATION] = model.calibration
    if model.young is not None:
        tensors[YOUNG] = model.young
    if model.linear is not None:
        tensors[MAP] = model.linear.weight.astype(np.float32)
        meta["linear"] = {"rows": model.linear.rows, "penalty": model.linear.penalty}
    if model.statistics is not None:
        tensors |= {f"series.{name}": getattr(model.statistics, name) for name in STATISTICS}
        meta["statistics"] = {"length": model.statistics.length}
    return tensors, meta


def fitted_to_file(model: Forecaster) -> tuple[Tensors, Meta]:
    """Tensors and description of what a forecaster is beside its weights, which are base's."""
    tensors, meta = to_file(model)
    return {name: tensor for name, tensor in tensors.items() if name not in model.weights}, meta


def fitted_layout(meta: Meta) -> checkpoint.Layout:
    """The tensors of `fitted_to_file` that a description implies. Raises UsageError where it contradicts itself."""
    network, spec, *_ = _specs(meta)
    weights = _shapes(network, spec)
    return {name: found for name, found in layout(meta).items() if name not in weights}


def _network_and_forecast(meta: Meta) -> tuple[NetworkSpec, ForecastSpec]:
    """Both specs; up to format 3 what is the decoder's was said of the network."""
    network, forecast = dict(meta["network"]), dict(meta["forecast"])
    forecast |= {name: network.pop(name) for name in ("decoder", "known") if name in network}
    return NetworkSpec.from_json(network), ForecastSpec.from_json(forecast)


def _specs(meta: dict[str, Any]) -> tuple[NetworkSpec, ForecastSpec, TrainingSpec, Columns, Calendar]:
    network, spec = _network_and_forecast(meta)
    calendar = Calendar.from_json(meta["calendar"])
    if (network.inputs, spec.known) != network_inputs(spec, calendar):
        raise UsageError("its network does not fit its forecast")
    if network.inputs * spec.steps > LARGEST_MODEL or spec.known * spec.horizon > LARGEST_MODEL:
        raise UsageError("it claims to look at more than any model")
    if spec.attended > spec.steps:
        raise UsageError("its head attends to more than its context")
    columns = Columns.from_json(meta["columns"])
    _check_columns(columns, spec)
    return network, spec, TrainingSpec.from_json(meta["training"]), columns, calendar


def _check_columns(columns: Columns, spec: ForecastSpec) -> None:
    declared = [(role, name) for role in ROLES for name in getattr(columns, role)]
    if declared != [(covariate.role, covariate.name) for covariate in spec.covariates]:
        raise UsageError("its covariates do not fit its columns")
    told, several = [*columns.times, *columns.ids], columns.targets
    names = [*told, *(several or (columns.target,)), *(name for _, name in declared)]
    if columns.time is None or len(set(names)) < len(names) or (columns.wide and (declared or several)):
        raise UsageError("its columns contradict each other")
    if len(columns.marks) != len(several) or (several and (TARGETS in told or columns.target != ", ".join(several))):
        raise UsageError("its targets contradict each other")
    columns.check_marks()


def layout(meta: Meta) -> checkpoint.Layout:
    """The tensors that a description implies. Raises UsageError where it contradicts itself."""
    network, spec, *_ = _specs(meta)
    count, size = meta["series"]["count"], meta["series"]["bytes"]
    shapes = _shapes(network, spec)
    if network.members * sum(int(np.prod(shape, dtype=object)) for shape in shapes.values()) > LARGEST_MODEL:
        raise UsageError("it claims to be larger than any model")
    tensors: dict[str, tuple[np.dtype[Any], tuple[int, ...]]] = {
        name: (np.dtype("<f4"), (network.members, *shape)) for name, shape in shapes.items()
    }
    long, channels = np.dtype("<i8"), 1 + len(spec.covariates)
    if "statistics" in meta:
        tensors |= {f"series.{name}": (np.dtype("<f8"), (count, channels)) for name in STATISTICS}
    if meta.get("calibrated"):
        tensors[CALIBRATION] = (np.dtype("<f8"), (spec.horizon, len(spec.levels)))
    if meta.get("calibrated") and spec.young:
        tensors[YOUNG] = (np.dtype("<f8"), (len(spec.young), spec.horizon, len(spec.levels)))
    if "linear" in meta:
        tensors[MAP] = (np.dtype("<f4"), (spec.horizon, _rows_of_map(meta)))
    return {**tensors, CUTOFFS: (long, (count,)), **name_layout(count, size)}


def _rows_of_map(meta: Meta) -> int:
    rows: Any = meta["linear"]["rows"]
    if type(rows) is not int or not 1 <= rows <= MOST:
        raise UsageError(f"its linear map does not look back on 1 to {MOST} rows")
    return rows


def from_file(model: checkpoint.Model) -> Forecaster:
    """The forecaster in a file that was checked."""
    network, spec, training, columns, calendar = _specs(model.meta)
    cutoffs = dict(zip(series_names(model), model.tensors[CUTOFFS].tolist(), strict=True))
    _check_record(model.meta["record"])
    weights = {name: model.tensors[name] for name in _shapes(network, spec)}
    statistics = _statistics(model) if "statistics" in model.meta else None
    pool = Pool.from_json(model.meta["pool"]) if "pool" in model.meta else NETWORK_ALONE
    if (pool.linear is not None) != ("linear" in model.meta):
        raise UsageError("its pool does not fit its linear map")
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
        model.tensors.get(CALIBRATION),
        model.tensors.get(YOUNG),
        _linear_map(model) if "linear" in model.meta else None,
    )


def _linear_map(model: checkpoint.Model) -> LinearMap:
    penalty = model.meta["linear"]["penalty"]
    if type(penalty) is not float:
        raise UsageError("its linear map has a penalty that is no number")
    return LinearMap(model.tensors[MAP].astype(np.float64), penalty)


def _statistics(model: checkpoint.Model) -> Statistics:
    """What the training data looked like. UsageError if the blocks of rows have no length."""
    length = model.meta["statistics"]["length"]
    if type(length) is not int or not 1 <= length <= LONGEST:
        raise UsageError("the statistics of its training data are over no number of rows")
    return Statistics(length, **{name: model.tensors[f"series.{name}"] for name in STATISTICS})


def _check_record(record: Any) -> None:
    """UsageError unless the values of a training record have the types with which records are written."""
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
    """UsageError unless a record's part about the covariates has the types with which it is written."""
    if any(type(found[name]) not in (int, float, type(None)) for name in ("with", "without", "p")):
        raise UsageError("its training record has losses that are no numbers")
    if type(found["names"]) is not list or any(type(name) is not str for name in found["names"]):
        raise UsageError("its training record names covariates by something else than text")


def _shapes(network: NetworkSpec, spec: ForecastSpec) -> dict[str, tuple[int, ...]]:
    refuse_what_sees_ahead(network.cell)
    refuse_convolution(network.cell)
    if asks_for_gaps(network.cell, network.layers) != spec.gaps:
        raise UsageError(f"its forecast says {'more' if spec.gaps else 'less'} of gaps than {network.cell} asks for")
    return named_shapes(network, head.shapes(network, spec, len(spec.plain)))
