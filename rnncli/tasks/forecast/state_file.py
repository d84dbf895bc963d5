"""What a stream carries, as one safetensors file with the guarantees of a model file."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli import checkpoint
from rnncli.baselines import carried as smoothing
from rnncli.data.panel import stretches
from rnncli.errors import ModelRefused, UsageError
from rnncli.model import NAME_ENDS, NAMES, series_names
from rnncli.tasks.forecast.carried import Carried, Waiting, rows_kept, shapes
from rnncli.tasks.forecast.forecaster import Forecaster
from rnncli.tasks.forecast.support import Shown, nothing_shown

SHOWN = {"least": "<f8", "whole": "u1", "count": "<i8"}
COUNTS = ("starts", "consumed", "phases", "rows", "fingerprints")
_OTHER = "it is the state of another model"
_AFRESH = "begin a new state: give --state a file that does not exist, and the whole history"


def save(path: str | os.PathLike[str], carried: Carried, model_digest: str) -> int:
    """Write the state of a model; returns its size in bytes. Series are sorted: the same state is the same file."""
    order = np.array(sorted(range(len(carried.ids)), key=carried.ids.__getitem__), np.int64)
    names = [carried.ids[place].encode() for place in order.tolist()]
    tail = carried.tail[stretches(carried.offsets[order], carried.rows[order])]
    tensors: dict[str, NDArray[Any]] = {
        NAMES: np.frombuffer(b"".join(names), np.uint8),
        NAME_ENDS: np.cumsum([len(name) for name in names], dtype=np.int64),
        "tail.values": np.nan_to_num(tail),
        "tail.observed": (~np.isnan(tail)).astype(np.uint8),
    }
    of_series = {f"series.{name}": getattr(carried, name) for name in COUNTS}
    of_series |= {f"shown.{name}": part for name, part in _of_shown(carried.shown).items()}
    for place, state in carried.smoothed.items():
        of_series |= {f"smoothing{place}.{name}": part for name, part in state.parts().items()}
    of_members = {f"state.{name}": part for name, part in carried.hidden.items()}
    counts = {"count": len(names), "bytes": sum(map(len, names)), "rows": len(tail)}
    if carried.waiting is not None:
        waiting = carried.waiting.of(order)
        counts["waiting"] = len(waiting.values)
        tensors["series.waiting"] = waiting.rows
        tensors["waiting.values"] = np.nan_to_num(waiting.values)
        tensors["waiting.observed"] = (~np.isnan(waiting.values)).astype(np.uint8)
    described = {"model": model_digest, "series": counts, "channels": tail.shape[1], "shown": True}
    return checkpoint.save(
        path, _Sorted(order, tensors, of_series, of_members), {"task": checkpoint.STREAM, **described}
    )


@dataclass(frozen=True)
class _Sorted(Mapping[str, NDArray[Any]]):
    """Tensors of which those of the series, on the first axis or behind the members, are put into order one at a time:
    all at once would be the state a second time.
    """

    order: NDArray[np.int64]
    whole: Mapping[str, NDArray[Any]]
    of_series: Mapping[str, NDArray[Any]]
    of_members: Mapping[str, NDArray[Any]]

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name in self.whole:
            return self.whole[name]
        axis = int(name in self.of_members)
        part = (self.of_series, self.of_members)[axis][name]
        if (self.order == np.arange(len(self.order))).all():
            return part
        return np.take(part, self.order, axis)

    def __iter__(self) -> Iterator[str]:
        return itertools.chain(self.whole, self.of_series, self.of_members)

    def __len__(self) -> int:
        return sum(map(len, (self.whole, self.of_series, self.of_members)))


def load(path: str | os.PathLike[str], model: Forecaster, model_digest: str) -> Carried | None:
    """The state that was kept, None if there is none yet. ModelRefused if it is not sound, or another model's."""
    if not Path(path).exists():
        return None
    try:
        found = checkpoint.load(path, lambda meta: _layout(meta, model, model_digest))
    except ModelRefused as refused:
        if refused.message.endswith(_OTHER):
            raise ModelRefused(_OTHER.replace("it", "this", 1), where=os.fspath(path), hint=_AFRESH) from None
        raise
    try:
        return _carried(found, model)
    except checkpoint.UNUSABLE as error:
        message = f"what the file says of the state cannot be used: {error}"
        raise checkpoint.refused(os.fspath(path), message, _AFRESH) from error


def _layout(meta: dict[str, Any], model: Forecaster, model_digest: str) -> checkpoint.Layout:
    if meta["task"] != checkpoint.STREAM:
        raise UsageError("it is no state that predict --state wrote")
    if meta["model"] != model_digest:
        raise UsageError(_OTHER)
    count, size, rows = (meta["series"][name] for name in ("count", "bytes", "rows"))
    channels = 1 + len(model.spec.covariates)
    long = np.dtype("<i8")
    tensors: dict[str, tuple[np.dtype[Any], tuple[int, ...]]] = {
        NAMES: (np.dtype("u1"), (size,)),
        NAME_ENDS: (long, (count,)),
        "tail.values": (np.dtype("<f8"), (rows, channels)),
        "tail.observed": (np.dtype("u1"), (rows, channels)),
    }
    tensors |= {f"series.{name}": (long, (count,)) for name in COUNTS}
    if "shown" in meta or model.spec.each:
        tensors |= {f"shown.{name}": (np.dtype(kind), (count,)) for name, kind in SHOWN.items()}
    if model.spec.wall:
        shape = (meta["series"]["waiting"], channels)
        tensors |= {"waiting.values": (np.dtype("<f8"), shape), "waiting.observed": (np.dtype("u1"), shape)}
        tensors["series.waiting"] = (long, (count,))
    for place, season in model.pool.smoothing.items():
        for name, part in smoothing.nothing(0, season).parts().items():
            tensors[f"smoothing{place}.{name}"] = (part.dtype, (count, *part.shape[1:]))
    return tensors | {f"state.{name}": (np.dtype("<f4"), shape) for name, shape in shapes(model, count).items()}


def _carried(found: checkpoint.Model, model: Forecaster) -> Carried:
    names, tensors = series_names(found), found.tensors
    starts, consumed, phases, rows, fingerprints = (tensors[f"series.{name}"] for name in COUNTS)
    tail = _observed(tensors, "tail")
    if (consumed < 0).any() or (rows != np.minimum(consumed, rows_kept(model))).any() or rows.sum() != len(tail):
        raise UsageError("it does not hold the rows that it says")
    hidden = {name: tensors[f"state.{name}"] for name in shapes(model, len(names))}
    smoothed = {place: _smoothing(tensors, place, season) for place, season in model.pool.smoothing.items()}
    seen = _shown(tensors) if "shown.count" in tensors else nothing_shown(len(names))
    waiting = _waiting(tensors) if model.spec.wall else None
    return Carried(tuple(names), starts, consumed, phases, rows, tail, fingerprints, hidden, smoothed, seen, waiting)


def _of_shown(found: Shown) -> dict[str, NDArray[Any]]:
    least = np.where(found.count > 0, found.least, 0.0)
    return {name: part.astype(SHOWN[name]) for name, part in (vars(found) | {"least": least}).items()}


def _shown(tensors: Mapping[str, NDArray[Any]]) -> Shown:
    least, whole, count = (tensors[f"shown.{name}"] for name in SHOWN)
    if (count < 0).any():
        raise UsageError("it counts fewer values than none")
    return Shown(np.where(count > 0, least, np.inf), whole > 0, count)


def _observed(tensors: Mapping[str, NDArray[Any]], name: str) -> NDArray[np.float64]:
    return np.where(tensors[f"{name}.observed"] > 0, tensors[f"{name}.values"], np.nan)


def _waiting(tensors: Mapping[str, NDArray[Any]]) -> Waiting:
    found = Waiting(tensors["series.waiting"], _observed(tensors, "waiting"))
    if (found.rows < 0).any() or found.rows.sum() != len(found.values):
        raise UsageError("it does not hold the rows that wait as it says")
    return found


def _light(tensor: NDArray[Any]) -> NDArray[Any]:
    """The same; zeros, as of series before their first renewal, take no memory until they are written."""
    return tensor if tensor.any() else np.zeros(tensor.shape, tensor.dtype)


def _smoothing(tensors: Mapping[str, NDArray[Any]], place: int, season: int) -> smoothing.Carried:
    names = smoothing.nothing(0, season).parts()
    found = smoothing.Carried(**{name: _light(tensors[f"smoothing{place}.{name}"]) for name in names})
    if not found.is_sound():
        raise UsageError("its smoothing is none")
    return found
