"""The state of a stream, as one safetensors file with the guarantees of a model file."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli import checkpoint
from rnncli.arrays import Ints
from rnncli.errors import ModelRefused, UsageError
from rnncli.inference.carried import Carried
from rnncli.inference.hidden import hidden_shapes
from rnncli.inference.kept_rows import layout_of, rows_from
from rnncli.inference.streaming import E, StreamingModel
from rnncli.model import Meta, name_layout, name_tensors, series_names

LONG = np.dtype("<i8")
COUNTS = ("starts", "consumed", "phases", "rows", "fingerprints")
_AFRESH = "begin a new state: give --state a file that does not exist, and the whole history"


def save(
    path: str | os.PathLike[str],
    carried: Carried[E],
    model_digest: str,
    beside: Mapping[str, NDArray[Any]] | None = None,
    said: Mapping[str, Any] | None = None,
) -> int:
    """Write the state of a model, with what else there is `beside` it and `said` of it; returns its size in bytes.
    Series are sorted: the same state is the same file.
    """
    order = np.array(sorted(range(len(carried.ids)), key=carried.ids.__getitem__), np.int64)
    names = name_tensors([carried.ids[place] for place in order.tolist()])
    tail = carried.tail.at(order)
    counts = {"count": len(order), "bytes": sum(len(name.encode()) for name in carried.ids), "rows": len(tail.values)}
    whole: dict[str, NDArray[Any]] = {**names, **tail.tensors("tail"), **(beside or {})}
    for name, kept in carried.extras.kept_rows().items():
        rows = kept.at(order)
        counts[name] = len(rows.values)
        whole |= {f"series.{name}": rows.rows, **rows.tensors(name)}
    of_series = {f"series.{name}": part for name, part in _of_series(carried).items()} | dict(carried.extras.tensors())
    of_members = {f"state.{name}": part for name, part in carried.hidden.items()}
    described = {"model": model_digest, "series": counts, "channels": tail.values.shape[1]}
    return checkpoint.save(
        path,
        _Sorted(order, whole, of_series, of_members),
        {"task": checkpoint.STREAM, **described, **carried.extras.described(), **(said or {})},
    )


def _of_series(carried: Carried[E]) -> dict[str, Ints]:
    parts = (carried.starts, carried.consumed, carried.phases, carried.tail.rows, carried.fingerprints)
    return dict(zip(COUNTS, parts, strict=True))


@dataclass(frozen=True)
class _Sorted(Mapping[str, NDArray[Any]]):
    """Tensors of which those of the series, on the first axis or behind the members, are put into order one at a time:
    all at once would be the state a second time.
    """

    order: Ints
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


def load(path: str | os.PathLike[str], model: StreamingModel[E], model_digest: str) -> Carried[E] | None:
    """The state that was kept, None if there is none yet. ModelRefused if it is not sound, or another model's."""
    found = stored(path, lambda _: model, model_digest)
    return None if found is None else carried_in(found, model, path)


def stored(
    path: str | os.PathLike[str], model_of: Callable[[Meta], StreamingModel[E]], model_digest: str
) -> checkpoint.Model | None:
    """The contents of the state file, of whose model its description says what must be known; None if there is none
    yet.
    """
    if not Path(path).exists():
        return None
    return checkpoint.load(path, lambda meta: _layout(meta, model_of, model_digest))


def carried_in(found: checkpoint.Model, model: StreamingModel[E], path: str | os.PathLike[str]) -> Carried[E]:
    """The state in a file that was checked, of this model."""
    try:
        return _carried(found, model)
    except checkpoint.UNUSABLE as error:
        raise refused(path, error) from error


def refused(path: str | os.PathLike[str], error: Exception) -> ModelRefused:
    """The refusal of a state file that contradicts itself."""
    return checkpoint.refused(os.fspath(path), f"what the file says of the state cannot be used: {error}", _AFRESH)


def _layout(meta: Meta, model_of: Callable[[Meta], StreamingModel[E]], model_digest: str) -> checkpoint.Layout:
    if meta["task"] != checkpoint.STREAM:
        raise UsageError("it is no state that predict --state wrote")
    if meta["model"] != model_digest:
        raise checkpoint.OfAnother("this is the state of another model", hint=_AFRESH)
    model = model_of(meta)
    count, size, rows = (meta["series"][name] for name in ("count", "bytes", "rows"))
    hidden = hidden_shapes(model.network, count, model.outputs_kept)
    return {
        **name_layout(count, size),
        **layout_of("tail", rows, model.channels),
        **{f"series.{name}": (LONG, (count,)) for name in COUNTS},
        **{f"state.{name}": (np.dtype("<f4"), shape) for name, shape in hidden.items()},
        **model.layout(meta, count),
    }


def _carried(found: checkpoint.Model, model: StreamingModel[E]) -> Carried[E]:
    names, tensors = series_names(found), found.tensors
    starts, consumed, phases, rows, fingerprints = (tensors[f"series.{name}"] for name in COUNTS)
    tail = rows_from(tensors, "tail", rows)
    if (consumed < 0).any() or (rows != np.minimum(consumed, model.rows_kept)).any() or not tail.is_sound():
        raise UsageError("it does not hold the rows that it says")
    hidden = {name: tensors[f"state.{name}"] for name in hidden_shapes(model.network, len(names), model.outputs_kept)}
    extras = model.extras(tensors, len(names))
    return Carried(tuple(names), starts, consumed, phases, tail, fingerprints, hidden, extras)
