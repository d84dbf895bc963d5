"""A model file, read by the task that it was trained for."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rnncli import checkpoint
from rnncli.errors import UsageError
from rnncli.registry import TASKS, find


@dataclass(frozen=True)
class Task:
    """How the model of a task is kept: the tensors that its description implies, and the model from a sound file.

    Both raise UsageError where the description contradicts itself.
    """

    layout: Callable[[dict[str, Any]], checkpoint.Layout]
    read: Callable[[checkpoint.Model], Any]


def load(path: str | os.PathLike[str]) -> Any:
    """The model in a file. ModelRefused, with the reason, if anything about it is not sound."""
    return _of(checkpoint.load(path, _layout), os.fspath(path))


def from_bytes(data: bytes, where: str) -> Any:
    """The model that `load` would read from a file of these bytes; messages call it `where`."""
    return _of(checkpoint.from_bytes(data, _layout, where), where)


def _layout(description: dict[str, Any]) -> checkpoint.Layout:
    return _task(description).layout(description)


def _of(model: checkpoint.Model, where: str) -> Any:
    try:
        return _task(model.meta).read(model)
    except checkpoint.UNUSABLE as error:
        message = f"what the file says of the model cannot be used: {error}"
        raise checkpoint.refused(where, message, checkpoint.LATER) from error


def _task(description: dict[str, Any]) -> Task:
    if description["task"] == checkpoint.UNFINISHED:
        raise UsageError("it is a training that has not ended; the same train command goes on with it")
    task: Task = find(TASKS, description["task"], "task")
    return task
