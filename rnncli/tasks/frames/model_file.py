"""A model of frames as a file: its tensors and what is said of them, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnncli import checkpoint
from rnncli.cells.named import convolves
from rnncli.data.channel import Channel
from rnncli.data.frames.known import KnownFrames
from rnncli.data.frames.maps import map_names
from rnncli.errors import UsageError
from rnncli.model import NAMES, Meta, Tensors, name_layout, name_tensors, series_names
from rnncli.spec import Columns, FrameChoices, NetworkSpec, TrainingSpec
from rnncli.tasks.frames import head
from rnncli.tasks.frames.frame_model import FrameModel
from rnncli.tasks.frames.plan import refuse_other_end
from rnncli.tasks.frames.spec import FrameSpec
from rnncli.tasks.seen import named_shapes

LARGEST_MODEL = 1 << 30  # weights
MEAN, KNOWN = "frames.mean", "frames.known"


def to_file(model: FrameModel) -> tuple[Tensors, Meta]:
    """Tensors and description of a model's file."""
    names = name_tensors(list(model.names))
    meta = {
        "task": "frames",
        "network": model.network.to_json(),
        "frames": model.spec.to_json(),
        "training": model.training.to_json(),
        "columns": model.columns.to_json(),
        "choices": model.known.choices.to_json(),
        "zone": model.known.zone,
        "series": {"count": len(model.names), "bytes": names[NAMES].size},
        "record": model.record,
        "shares": list(model.shares),
    }
    known = ~np.isnan(model.mean)  # a file holds no number that is none
    mean: Tensors = {MEAN: np.where(known, model.mean, 0), KNOWN: known.astype(np.uint8)}
    return {**model.weights, **names, **mean}, meta


def _specs(meta: Meta) -> tuple[NetworkSpec, FrameSpec, TrainingSpec]:
    network, spec = NetworkSpec.from_json(meta["network"]), FrameSpec.from_json(meta["frames"])
    if network.inputs != spec.inputs or convolves(network.cell) == spec.flat:
        raise UsageError("its network does not fit its frames")
    refuse_other_end(spec, network.cell, network.layers)
    return network, spec, TrainingSpec.from_json(meta["training"])


def layout(meta: Meta) -> checkpoint.Layout:
    """The tensors that a description implies. UsageError where it contradicts itself."""
    network, spec, _ = _specs(meta)
    shapes = named_shapes(network, head.shapes(spec, network))
    if network.members * sum(int(np.prod(shape, dtype=object)) for shape in shapes.values()) > LARGEST_MODEL:
        raise UsageError("it claims to be larger than any model")
    return {
        **{name: (np.dtype("<f4"), (network.members, *shape)) for name, shape in shapes.items()},
        **name_layout(meta["series"]["count"], meta["series"]["bytes"]),
        MEAN: (np.dtype("<f4"), spec.shape),
        KNOWN: (np.dtype("u1"), spec.shape),
    }


def from_file(found: checkpoint.Model) -> FrameModel:
    """The model in a file that was checked. UsageError where its parts contradict each other."""
    meta = found.meta
    network, spec, training = _specs(meta)
    weights = {name: found.tensors[name] for name in named_shapes(network, head.shapes(spec, network))}
    columns, choices = Columns.from_json(meta["columns"]), FrameChoices.from_json(meta["choices"])
    columns.check_marks()
    zone = meta["zone"]
    if zone is not None and type(zone) is not str:
        raise UsageError("its zone is no text")
    if choices.frame not in (None, columns.target):
        raise UsageError("its choices do not fit its columns")
    channel = Channel(columns.target, "frame", "target", shape=spec.shape)
    known = KnownFrames(columns, channel, choices, zone, _maps(columns, spec))
    _check_record(meta["record"])
    mean = np.where(found.tensors[KNOWN] == 1, found.tensors[MEAN], np.float32(np.nan))
    names, shares = tuple(series_names(found)), _shares(meta.get("shares", []), spec)
    return FrameModel(network, spec, training, known, weights, names, mean, meta["record"], shares)


def _shares(shares: Any, spec: FrameSpec) -> tuple[float, ...]:
    """The shares of an average. UsageError unless there is one for each lead time, or none."""
    if type(shares) is not list or len(shares) not in (0, spec.horizon) or (shares and not spec.moved):
        raise UsageError("its shares do not fit its horizon")
    if any(type(share) not in (int, float) or not 0 <= share <= 1 for share in shares):
        raise UsageError("its shares do not lie between 0 and 1")
    return tuple(map(float, shares))


def _maps(columns: Columns, spec: FrameSpec) -> tuple[Channel, ...]:
    """The channels of maps. UsageError where they are not those of the columns."""
    if map_names(columns) != [(one.name, one.role) for one in spec.maps]:
        raise UsageError("its maps do not fit its columns")
    sides = spec.shape[:2]
    return tuple(Channel(one.name, "frame", one.role, shape=(*sides, one.channels)) for one in spec.maps)


def _check_record(record: Any) -> None:
    """UsageError unless what is told of the training has the types with which it is told."""
    scores = [value for found in record.get("validation", {}).values() for value in found.values()]
    if any(type(record[name]) is not int for name in ("rows", "observed") if name in record):
        raise UsageError("its training record counts rows in something else than numbers")
    if any(value is not None and type(value) not in (int, float) for value in scores):
        raise UsageError("its training record has scores that are no numbers")
