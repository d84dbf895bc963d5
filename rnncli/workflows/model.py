"""The model that a caller gives: a file, or an object that holds a model, which counts as the file it would be."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rnncli import files
from rnncli import model as models
from rnncli.errors import ModelRefused, UsageError
from rnncli.options.types import Model
from rnncli.outline import article
from rnncli.registry import PRETRAINED, TASKS

if TYPE_CHECKING:
    from rnncli.tasks.task import Model as Trained

IN_MEMORY = "the model in memory"


@dataclass(frozen=True)
class Given:
    """A model, what messages call it, the path that it was read from or written to (None: there is none), and its
    size in bytes.
    """

    model: Trained
    named: str
    path: str | None
    size: int
    _data: bytes | None = field(default=None, repr=False)

    @property
    def data(self) -> bytes:
        """The bytes of its file, whether it was written or not."""
        return files.read_bytes(self.named, ModelRefused) if self._data is None else self._data

    @property
    def digest(self) -> str:
        """The identity of its file, whether it was written or not."""
        return hashlib.sha256(self.data).hexdigest()


def given(model: Model, name: str = "model") -> Given:
    """The model in a file, or in what `train` or `info` returned; `name` is the argument's.

    ModelRefused if anything about it is not sound, UsageError if it is no model.
    """
    if isinstance(model, str) and model in PRETRAINED:
        return _pretrained(model)
    if isinstance(model, (str, os.PathLike)):
        path = os.fspath(model)
        return Given(models.load(path), path, path, Path(path).stat().st_size)
    held = getattr(model, "model", None)
    if held is None or getattr(getattr(held, "task", None), "name", None) not in TASKS:
        raise _no_model(model, name)
    return _in_memory(held, getattr(model, "output", None))


def _pretrained(name: str) -> Given:
    """The model of that name that comes with the program; a file of that name is ./NAME."""
    data = models.pretrained_bytes(name)
    return Given(models.from_bytes(data, name), name, None, len(data), data)


def _in_memory(held: Trained, path: str | None) -> Given:
    """The model as its file would give it back, so that it forecasts the same bits."""
    data = models.to_bytes(held)
    return Given(models.from_bytes(data, IN_MEMORY), IN_MEMORY, path, len(data), data)


def _no_model(found: object, name: str) -> UsageError:
    says = f"{name} cannot be {article(type(found).__name__)}"
    return UsageError(says, hint="give the path of a model file, or what rnncli.train or rnncli.info returned")
