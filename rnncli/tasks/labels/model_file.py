"""A model that labels as a file: its tensors and what is said of them, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnncli import checkpoint
from rnncli.cells.named import convolves, refuse_convolution
from rnncli.data.channel import Channel
from rnncli.data.labels.known import KnownLabels
from rnncli.errors import UsageError
from rnncli.model import NAMES, Meta, Tensors, name_layout, name_tensors, series_names
from rnncli.spec import Columns, FrameChoices, LabelChoices, NetworkSpec, TrainingSpec
from rnncli.tasks.labels import head
from rnncli.tasks.labels.labeler import Labeler
from rnncli.tasks.labels.spec import LabelSpec
from rnncli.tasks.seen import named_shapes

LARGEST_MODEL = 1 << 28  # weights
TEXT, ENDS = "vocabulary.text", "vocabulary.ends"


def to_file(model: Labeler) -> tuple[Tensors, Meta]:
    """Tensors and description of a model's file."""
    names, words = name_tensors(list(model.names)), _texts(model.known.channels)
    meta = {
        "task": "labels",
        "network": model.network.to_json(),
        "labels": model.spec.to_json(),
        "training": model.training.to_json(),
        "columns": model.columns.to_json(),
        "choices": model.known.choices.to_json(),
        "frames": None if model.known.frames is None else model.known.frames.to_json(),
        "zone": model.known.zone,
        "channels": [[one.name, one.kind, len(one.vocabulary)] for one in model.known.channels],
        "vocabulary": words[TEXT].size,
        "series": {"count": len(model.names), "bytes": names[NAMES].size},
        "record": model.record,
        "temperature": model.temperature,
    }
    return {**model.weights, **names, **words}, meta


def _texts(channels: tuple[Channel, ...]) -> Tensors:
    """The vocabularies of all channels, one after the other."""
    encoded = [text.encode() for channel in channels for text in channel.vocabulary]
    ends = np.cumsum([len(text) for text in encoded], dtype=np.int64)
    return {TEXT: np.frombuffer(b"".join(encoded), np.uint8), ENDS: ends}


def _specs(meta: Meta) -> tuple[NetworkSpec, LabelSpec, TrainingSpec]:
    network, spec = NetworkSpec.from_json(meta["network"]), LabelSpec.from_json(meta["labels"])
    cells = network.cell.split(",")
    ways = spec.both_ways == cells[-1].startswith("bidirectional:")
    ahead = spec.online and any(cell.startswith("bidirectional:") for cell in cells)
    if network.inputs != spec.width or not ways or ahead:
        raise UsageError("its network does not fit its labels")
    if spec.pictures is None:
        refuse_convolution(network.cell)
    elif convolves(network.cell) == spec.pictures.flat:
        raise UsageError("its network does not fit its frames")
    return network, spec, TrainingSpec.from_json(meta["training"])


def layout(meta: Meta) -> checkpoint.Layout:
    """The tensors that a description implies. UsageError where it contradicts itself."""
    network, spec, _ = _specs(meta)
    shapes = named_shapes(network, head.shapes(spec, network.hidden))
    if network.members * sum(int(np.prod(shape, dtype=object)) for shape in shapes.values()) > LARGEST_MODEL:
        raise UsageError("it claims to be larger than any model")
    texts = sum(count for _, _, count in meta["channels"])
    return {
        **{name: (np.dtype("<f4"), (network.members, *shape)) for name, shape in shapes.items()},
        **name_layout(meta["series"]["count"], meta["series"]["bytes"]),
        TEXT: (np.dtype("u1"), (meta["vocabulary"],)),
        ENDS: (np.dtype("<i8"), (texts,)),
    }


def from_file(found: checkpoint.Model) -> Labeler:
    """The model in a file that was checked. UsageError where its parts contradict each other."""
    meta = found.meta
    network, spec, training = _specs(meta)
    weights = {name: found.tensors[name] for name in named_shapes(network, head.shapes(spec, network.hidden))}
    choices = LabelChoices.from_json(meta["choices"])
    columns, channels = Columns.from_json(meta["columns"]), _channels(found, spec)
    known = KnownLabels(columns, channels, choices, _zone(meta["zone"]), _frames(meta.get("frames")))
    _check(known, spec)
    temperature = meta["temperature"]
    if type(temperature) not in (int, float) or not 0 < temperature < np.inf:
        raise UsageError("its temperature is none")
    _check_record(meta["record"])
    names = tuple(series_names(found))
    return Labeler(network, spec, training, known, weights, names, meta["record"], float(temperature))


def _frames(said: Any) -> FrameChoices | None:
    return None if said is None else FrameChoices.from_json(said)


def _channels(found: checkpoint.Model, spec: LabelSpec) -> tuple[Channel, ...]:
    text, ends = found.tensors[TEXT].tobytes(), [0, *found.tensors[ENDS].tolist()]
    if ends[-1] != len(text) or ends != sorted(ends):
        raise UsageError("its vocabularies do not lie end to end")
    channels, place = [], 0
    for number, (name, kind, count) in enumerate(found.meta["channels"]):
        if type(name) is not str or type(count) is not int or count < 0:
            raise UsageError("its channels are none")
        spans = zip(ends[place : place + count], ends[place + 1 : place + count + 1], strict=True)
        words = tuple(text[begin:end].decode() for begin, end in spans)
        shape = spec.pictures.shape if kind == "frame" and spec.pictures is not None else ()
        channels.append(Channel(name, kind, "input" if number else "label", words, shape))
        place += count
    return tuple(channels)


def _zone(zone: Any) -> str | None:
    if zone is not None and type(zone) is not str:
        raise UsageError("its zone is no text")
    return zone


def _check(known: KnownLabels, spec: LabelSpec) -> None:
    """UsageError where what it knows of its data is not what its answers are a function of."""
    seen = [(channel.name, channel.categories) for channel in spec.inputs]
    seen += [] if spec.pictures is None else [(spec.pictures.name, 0)]
    said = [(channel.name, _categories(channel)) for channel in known.inputs]
    of_frames = any(channel.kind == "frame" for channel in known.channels)
    frame = None if known.frames is None else known.frames.frame
    if of_frames != (spec.pictures is not None) or frame != (spec.pictures.name if spec.pictures else None):
        raise UsageError("its frames do not fit its labels")
    if (spec.raster == 1 and said != seen) or (spec.raster > 1 and (len(said), len(seen)) != (1, spec.raster)):
        raise UsageError("its channels do not fit its labels")
    if len(known.label.vocabulary) != spec.classes:
        raise UsageError("its classes do not fit its labels")
    if any(len(set(channel.vocabulary)) < len(channel.vocabulary) for channel in known.channels):
        raise UsageError("its vocabularies hold a text twice")
    _check_columns(known, spec)


def _check_columns(known: KnownLabels, spec: LabelSpec) -> None:
    """UsageError where what is read of a table is not what its answers are about."""
    columns, choices, label = known.columns, known.choices, known.label
    columns.check_marks()
    kind = "class" if spec.classes else "number"
    if (choices.label, choices.label_kind, choices.per_step) != (label.name, kind, spec.per_step):
        raise UsageError("its choices do not fit its labels")
    if choices.row_per_sequence and (columns.times or columns.by_file or spec.per_step):
        raise UsageError("its rows are sequences, and have times")
    numbered = [name for name in (*columns.ids, label.name, choices.group) if name is not None]
    if columns.numbered is not None and not (choices.row_per_sequence and all(map(str.isdecimal, numbered))):
        raise UsageError("its columns have names, and are numbered")
    inputs = [channel.name for channel in known.inputs]
    names = [*columns.times, *columns.ids, label.name, *([] if choices.row_per_sequence else inputs)]
    if len(set(names)) < len(names):
        raise UsageError("its columns contradict each other")
    if spec.raster > 1 and known.inputs[0].kind != "number":
        raise UsageError("its image is of no numbers")


def _categories(channel: Channel) -> int:
    return max(1, len(channel.vocabulary)) if channel.kind == "category" else 0


def _check_record(record: Any) -> None:
    """UsageError unless what is told of the training has the types with which it is told."""
    scores = [value for found in record.get("validation", {}).values() for value in found.values()]
    if any(type(record[name]) is not int for name in ("rows", "observed") if name in record):
        raise UsageError("its training record counts rows in something else than numbers")
    if any(value is not None and type(value) not in (int, float) for value in scores):
        raise UsageError("its training record has scores that are no numbers")
