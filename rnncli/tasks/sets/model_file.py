"""A model of sets as a file: its tensors and what is said of them, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnncli import checkpoint
from rnncli.data.channel import Channel
from rnncli.data.tokens.known import KnownTokens
from rnncli.data.tokens.vocabulary import UNKNOWN
from rnncli.errors import UsageError
from rnncli.model import NAMES, Meta, Tensors, name_layout, name_tensors, series_names
from rnncli.spec import Columns, NetworkSpec, TokenChoices, TrainingSpec
from rnncli.tasks.seen import named_shapes
from rnncli.tasks.sets import head
from rnncli.tasks.sets.set_model import SetModel
from rnncli.tasks.sets.spec import SetSpec

LARGEST_MODEL = 1 << 30  # weights


def to_file(model: SetModel) -> tuple[Tensors, Meta]:
    """Tensors and description of a model's file."""
    names = name_tensors(list(model.names))
    meta = {
        "task": "sets",
        "network": model.network.to_json(),
        "sets": model.spec.to_json(),
        "training": model.training.to_json(),
        "columns": model.columns.to_json(),
        "choices": model.known.choices.to_json(),
        "zone": model.known.zone,
        "vocabulary": list(model.vocabulary),
        "series": {"count": len(model.names), "bytes": names[NAMES].size},
        "record": model.record,
    }
    return {**model.weights, **names}, meta


def _specs(meta: Meta) -> tuple[NetworkSpec, SetSpec, TrainingSpec]:
    network, spec = NetworkSpec.from_json(meta["network"]), SetSpec.from_json(meta["sets"])
    if any(cell.startswith("bidirectional:") for cell in network.cell.split(",")):
        raise UsageError("its network looks ahead")
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
    }


def from_file(found: checkpoint.Model) -> SetModel:
    """The model in a file that was checked. UsageError where its parts contradict each other."""
    meta = found.meta
    network, spec, training = _specs(meta)
    weights = {name: found.tensors[name] for name in named_shapes(network, head.shapes(spec, network))}
    columns, choices = Columns.from_json(meta["columns"]), TokenChoices.from_json(meta["choices"])
    columns.check_marks()
    zone = meta["zone"]
    if zone is not None and type(zone) is not str:
        raise UsageError("its zone is no text")
    if choices.token != columns.target or not choices.multi_hot or choices.set_separator == "":
        raise UsageError("its choices do not fit its columns")
    known = KnownTokens(columns, Channel(columns.target, "set", "target", _vocabulary(meta, spec)), choices, zone)
    _check_record(meta["record"])
    return SetModel(network, spec, training, known, weights, tuple(series_names(found)), meta["record"])


def _vocabulary(meta: Meta, spec: SetSpec) -> tuple[str, ...]:
    tokens = meta["vocabulary"]
    if not isinstance(tokens, list) or any(type(token) is not str for token in tokens):
        raise UsageError("its vocabulary is no list of texts")
    if len(tokens) != spec.tokens or len(set(tokens)) < len(tokens):
        raise UsageError("its vocabulary holds a token twice, or does not fit its frequencies")
    if tokens[0] != UNKNOWN:
        raise UsageError("its vocabulary has no unknown token")
    return tuple(tokens)


def _check_record(record: Any) -> None:
    """UsageError unless what is told of the training has the types with which it is told."""
    scores = [value for found in record.get("validation", {}).values() for value in found.values()]
    if any(type(record[name]) is not int for name in ("rows", "observed") if name in record):
        raise UsageError("its training record counts rows in something else than numbers")
    if any(value is not None and type(value) not in (int, float) for value in scores):
        raise UsageError("its training record has scores that are no numbers")
