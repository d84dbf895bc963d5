"""A model file of any task: written, and read by the task that it was trained for."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rnncli import checkpoint, files
from rnncli.errors import ModelRefused, UsageError
from rnncli.registry import PRETRAINED, TASKS, find

NAMES, NAME_ENDS = "series.names", "series.name_ends"
Tensors = dict[str, NDArray[Any]]
Meta = dict[str, Any]


class Kept(Protocol):
    """How the models of a task are kept. Both ways raise UsageError where a description contradicts itself."""

    def layout(self, meta: Meta) -> checkpoint.Layout:
        """The tensors that a description implies."""

    def from_file(self, found: checkpoint.Model) -> Any:
        """The model in a file that was checked."""

    def to_file(self, model: Any) -> tuple[Tensors, Meta]:
        """Tensors and description of a model's file."""


class Held(Protocol):
    """A model of any task, which says what task that is."""

    @property
    def task(self) -> Kept:
        """The task, which knows how its models are kept."""


def save(path: str | os.PathLike[str], model: Held) -> int:
    """Write the model file, whole or not at all; returns its bytes."""
    return checkpoint.save(path, *model.task.to_file(model))


def save_locked(path: str | os.PathLike[str], model: Held) -> int:
    """Write the model file while nobody else does; returns its bytes. OutputLocked or StorageFailed."""
    data = to_bytes(model)
    with files.locked(path):
        files.atomic_write(path, data)
    return len(data)


def to_bytes(model: Held) -> bytes:
    """The bytes of a model's file. ModelRefused where a file could not hold it, as when a weight is not finite."""
    try:
        return checkpoint.to_bytes(*model.task.to_file(model))
    except (TypeError, ValueError) as error:
        raise ModelRefused(f"the model cannot be kept: {error}", hint="train again") from error


def load(path: str | os.PathLike[str]) -> Any:
    """The model in a file. ModelRefused, with the reason, if anything about it is not sound."""
    return _of(checkpoint.load(path, _layout), os.fspath(path))


def from_bytes(data: bytes, where: str) -> Any:
    """The model that `load` would read from a file of these bytes; messages call it `where`."""
    return _of(checkpoint.from_bytes(data, _layout, where), where)


def pretrained_bytes(name: str) -> bytes:
    """The file of a model that comes with the program. ModelRefused where it is not as it came."""
    place, digest = PRETRAINED[name]
    data = files.read_bytes(Path(__file__).parent / place, ModelRefused)
    if hashlib.sha256(data).hexdigest() != digest:
        raise ModelRefused("it is not the file that came with this version", where=name, hint="install rnncli again")
    return data


def pretrained(name: str) -> Any:
    """The model of that name that comes with the program."""
    return from_bytes(pretrained_bytes(name), name)


def _layout(meta: Meta) -> checkpoint.Layout:
    return _task(meta).layout(meta)


def _of(found: checkpoint.Model, where: str) -> Any:
    try:
        return _task(found.meta).from_file(found)
    except checkpoint.UNUSABLE as error:
        message = f"what the file says of the model cannot be used: {error}"
        raise checkpoint.refused(where, message, checkpoint.LATER) from error


def _task(meta: Meta) -> Kept:
    if meta["task"] == checkpoint.UNFINISHED:
        raise UsageError("it is a training that has not ended; the same train command goes on with it")
    task: Kept = find(TASKS, meta["task"], "task")
    return task


def name_tensors(names: Sequence[str]) -> Tensors:
    """The ids of series as bytes and where each ends: a file's header is small, however many there are."""
    sizes = np.fromiter((len(name.encode()) for name in names), np.int64, len(names))
    return {NAMES: np.frombuffer("".join(names).encode(), np.uint8), NAME_ENDS: np.cumsum(sizes)}


def name_layout(count: int, size: int) -> checkpoint.Layout:
    """The layout of `name_tensors` for `count` series whose ids take `size` bytes."""
    return {NAME_ENDS: (np.dtype("<i8"), (count,)), NAMES: (np.dtype("u1"), (size,))}


def series_names(found: checkpoint.Model) -> list[str]:
    """Ids of series in a file. UsageError unless they are different texts, end to end."""
    text = found.tensors[NAMES].tobytes()
    ends = [0, *found.tensors[NAME_ENDS].tolist()]
    if ends[-1] != len(text) or ends != sorted(ends):
        raise UsageError("the names of its series do not lie end to end")
    names = [text[begin:end].decode() for begin, end in pairwise(ends)]
    if len(set(names)) < len(names):
        raise UsageError("two of its series have one name")
    return names
