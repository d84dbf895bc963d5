"""The model that a caller gives: a file, or an object that holds a model, which counts as the file it would be."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rnncli.errors import UsageError
from rnncli.inference import forecaster as models
from rnncli.inference import state_file
from rnncli.inference.forecaster import Forecaster
from rnncli.options.types import Model
from rnncli.outline import article

IN_MEMORY = "the model in memory"


@dataclass(frozen=True)
class Given:
    """A model, what messages call it, the path that it was read from or written to (None: there is none), and its
    size in bytes.
    """

    forecaster: Forecaster
    named: str
    path: str | None
    size: int
    _data: bytes | None = field(default=None, repr=False)

    @property
    def digest(self) -> str:
        """What tells its file from every other, whether it was written or not."""
        return state_file.digest_of(self.named if self._data is None else self._data)


def given(model: Model, name: str = "model") -> Given:
    """The model in a file, or in what `train` or `info` returned; `name` is the argument's.

    ModelRefused if anything about it is not sound, UsageError if it is no model.
    """
    if isinstance(model, (str, os.PathLike)):
        path = os.fspath(model)
        return Given(models.load(path), path, path, Path(path).stat().st_size)
    held = getattr(model, "forecaster", None)
    if not isinstance(held, Forecaster):
        raise _no_model(model, name)
    return _in_memory(held, getattr(model, "output", None))


def _in_memory(held: Forecaster, path: str | None) -> Given:
    """The model as its file would give it back, so that it forecasts the same bits."""
    data = models.to_bytes(held)
    return Given(models.from_bytes(data, IN_MEMORY), IN_MEMORY, path, len(data), data)


def _no_model(found: Any, name: str) -> UsageError:
    says = f"{name} cannot be {article(type(found).__name__)}"
    return UsageError(says, hint="give the path of a model file, or what rnncli.train or rnncli.info returned")
