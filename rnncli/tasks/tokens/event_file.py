"""What a model file says of channels beside events: their names, roles and vocabularies. Files of texts have none."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from rnncli import checkpoint
from rnncli.data.channel import Channel
from rnncli.data.tokens.known import KnownTokens
from rnncli.errors import UsageError
from rnncli.model import Meta, Tensors
from rnncli.spec import Columns
from rnncli.tasks.tokens.spec import TokenSpec

BESIDE, SIZE = "beside", "beside_bytes"
TEXT, ENDS = "beside.text", "beside.ends"


@dataclass(frozen=True)
class Part:
    """A part of a model file: tensors, and what is said of them."""

    tensors: Tensors
    meta: Meta


def to_file(known: KnownTokens) -> Part:
    """The channels of a model; nothing where there are none."""
    if not known.beside:
        return Part({}, {})
    encoded = [text.encode("utf-8", "surrogateescape") for channel in known.beside for text in channel.vocabulary]
    text = np.frombuffer(b"".join(encoded), np.uint8)
    told = [[one.name, one.kind, one.role, len(one.vocabulary)] for one in known.beside]
    ends = np.cumsum([len(one) for one in encoded], dtype=np.int64)
    return Part({TEXT: text, ENDS: ends}, {BESIDE: told, SIZE: text.size})


def layout(meta: Meta) -> checkpoint.Layout:
    """The tensors that a description implies."""
    if BESIDE not in meta:
        return {}
    texts = sum(count for *_, count in meta[BESIDE])
    return {TEXT: (np.dtype("u1"), (meta[SIZE],)), ENDS: (np.dtype("<i8"), (texts,))}


def from_file(found: checkpoint.Model, spec: TokenSpec, columns: Columns) -> tuple[tuple[Channel, ...], bool]:
    """The channels in a file, and whether its events have times. UsageError where they do not fit its spec."""
    channels = _channels(found) if BESIDE in found.meta else ()
    said = [(one.name, one.role == "static", one.kind == "category") for one in channels]
    seen = [(one.name, one.static, one.categories > 0) for one in spec.beside]
    known = all(one.categories <= max(1, len(two.vocabulary)) for one, two in zip(spec.beside, channels, strict=False))
    if said != seen or not known:
        raise UsageError("its channels do not fit its tokens")
    if any(len(set(one.vocabulary)) < len(one.vocabulary) for one in channels):
        raise UsageError("its vocabularies hold a text twice")
    names = [*columns.times, *columns.ids, columns.target, *(one.name for one in channels)]
    if len(set(names)) < len(names) or any(one.role not in ("static", "input") for one in channels):
        raise UsageError("its columns contradict each other")
    _check_times(spec, columns)
    return channels, spec.timing is not None


def _check_times(spec: TokenSpec, columns: Columns) -> None:
    timing = spec.timing
    if timing is not None and (not columns.times or timing.count != (columns.time_type == "integer")):
        raise UsageError("its times do not fit its columns")


def _channels(found: checkpoint.Model) -> tuple[Channel, ...]:
    text, ends = found.tensors[TEXT].tobytes(), [0, *found.tensors[ENDS].tolist()]
    if ends[-1] != len(text) or ends != sorted(ends):
        raise UsageError("its vocabularies do not lie end to end")
    texts = [text[begin:end].decode("utf-8", "surrogateescape") for begin, end in pairwise(ends)]
    channels, place = list[Channel](), 0
    for name, kind, role, count in found.meta[BESIDE]:
        _check_told(name, count)
        channels.append(Channel(name, kind, role, tuple(texts[place : place + count])))
        place += count
    return tuple(channels)


def _check_told(name: Any, count: Any) -> None:
    if type(name) is not str or type(count) is not int or count < 0:
        raise UsageError("its channels are none")
