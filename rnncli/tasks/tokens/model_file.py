"""A token model as a file: its tensors and what is said of them, and back."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from rnncli import checkpoint
from rnncli.cells.named import refuse_convolution
from rnncli.data.channel import Channel
from rnncli.data.tokens.known import KnownTokens
from rnncli.data.tokens.vocabulary import UNKNOWN
from rnncli.errors import UsageError
from rnncli.model import NAMES, Meta, Tensors, name_layout, name_tensors, series_names
from rnncli.spec import Columns, NetworkSpec, TokenChoices, TrainingSpec
from rnncli.tasks.seen import named_shapes
from rnncli.tasks.tokens import event_file, formulas, pool_file
from rnncli.tasks.tokens.spec import TokenSpec
from rnncli.tasks.tokens.token_model import TokenModel

LARGEST_MODEL = 1 << 30  # weights
TEXT, ENDS = "vocabulary.text", "vocabulary.ends"


def to_file(model: TokenModel) -> tuple[Tensors, Meta]:
    """Tensors and description of a model's file."""
    names = name_tensors(list(model.names))
    encoded = [token.encode("utf-8", "surrogateescape") for token in model.vocabulary]
    words: Tensors = {
        TEXT: np.frombuffer(b"".join(encoded), np.uint8),
        ENDS: np.cumsum([len(token) for token in encoded], dtype=np.int64),
    }
    beside, pool = event_file.to_file(model.known), pool_file.to_file(model.pool)
    meta = {
        "task": "tokens",
        "network": model.network.to_json(),
        "tokens": model.spec.to_json(),
        "training": model.training.to_json(),
        "columns": model.columns.to_json(),
        "choices": model.known.choices.to_json(),
        "zone": model.known.zone,
        "vocabulary": words[TEXT].size,
        "series": {"count": len(model.names), "bytes": names[NAMES].size},
        "record": model.record,
        **beside.meta,
        **pool.meta,
    }
    return {**model.weights, **names, **words, **beside.tensors, **pool.tensors}, meta


def _specs(meta: Meta) -> tuple[NetworkSpec, TokenSpec, TrainingSpec]:
    network, spec = NetworkSpec.from_json(meta["network"]), TokenSpec.from_json(meta["tokens"])
    if network.inputs != network.hidden or any(cell.startswith("bidirectional:") for cell in network.cell.split(",")):
        raise UsageError("its network does not fit its tokens")
    refuse_convolution(network.cell)
    return network, spec, TrainingSpec.from_json(meta["training"])


def layout(meta: Meta) -> checkpoint.Layout:
    """The tensors that a description implies. UsageError where it contradicts itself."""
    network, spec, _ = _specs(meta)
    shapes = named_shapes(network, formulas.shapes(spec, network.hidden))
    if network.members * sum(int(np.prod(shape, dtype=object)) for shape in shapes.values()) > LARGEST_MODEL:
        raise UsageError("it claims to be larger than any model")
    return {
        **{name: (np.dtype("<f4"), (network.members, *shape)) for name, shape in shapes.items()},
        **name_layout(meta["series"]["count"], meta["series"]["bytes"]),
        TEXT: (np.dtype("u1"), (meta["vocabulary"],)),
        ENDS: (np.dtype("<i8"), (spec.tokens,)),
        **event_file.layout(meta),
        **pool_file.layout(meta),
    }


def from_file(found: checkpoint.Model) -> TokenModel:
    """The model in a file that was checked. UsageError where its parts contradict each other."""
    meta = found.meta
    network, spec, training = _specs(meta)
    weights = {name: found.tensors[name] for name in named_shapes(network, formulas.shapes(spec, network.hidden))}
    columns, choices = Columns.from_json(meta["columns"]), TokenChoices.from_json(meta["choices"])
    columns.check_marks()
    zone = meta["zone"]
    if zone is not None and type(zone) is not str:
        raise UsageError("its zone is no text")
    _check(columns, choices, vocabulary := _vocabulary(found))
    beside, timed = event_file.from_file(found, spec, columns)
    known = KnownTokens(columns, Channel(columns.target, "token", "target", vocabulary), choices, zone, beside, timed)
    _check_record(meta["record"])
    pool = pool_file.from_file(found, spec)
    return TokenModel(network, spec, training, known, weights, tuple(series_names(found)), meta["record"], pool)


def _check(columns: Columns, choices: TokenChoices, vocabulary: tuple[str, ...]) -> None:
    """UsageError where what is read of data is not what the model is about."""
    if choices.token not in (None, columns.target) or choices.text not in (None, columns.target):
        raise UsageError("its choices do not fit its columns")
    if choices.token is None and choices.split is None:
        raise UsageError("it does not say how texts are split")
    if vocabulary[0] != UNKNOWN:
        raise UsageError("its vocabulary has no unknown token")


def _vocabulary(found: checkpoint.Model) -> tuple[str, ...]:
    text, ends = found.tensors[TEXT].tobytes(), [0, *found.tensors[ENDS].tolist()]
    if ends[-1] != len(text) or ends != sorted(ends):
        raise UsageError("its vocabulary does not lie end to end")
    tokens = tuple(text[begin:end].decode("utf-8", "surrogateescape") for begin, end in pairwise(ends))
    if len(set(tokens)) < len(tokens):
        raise UsageError("its vocabulary holds a token twice")
    return tokens


def _check_record(record: Any) -> None:
    """UsageError unless what is told of the training has the types with which it is told."""
    scores = [value for found in record.get("validation", {}).values() for value in found.values()]
    if any(type(record[name]) is not int for name in ("rows", "observed") if name in record):
        raise UsageError("its training record counts rows in something else than numbers")
    if any(value is not None and type(value) not in (int, float) for value in scores):
        raise UsageError("its training record has scores that are no numbers")
