"""`MODEL.partial`: a training that is under way, kept now and then so that it can be gone on with."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnncli import checkpoint, files
from rnncli.errors import ModelRefused, UsageError
from rnncli.nn.network import state_shapes
from rnncli.tasks.plan import Plan
from rnncli.training import progress as kept
from rnncli.training.progress import Progress
from rnncli.training.ranks import ALONE, Ranks

EVERY = 10.0  # seconds
SHARE = 50  # of the time may be spent on keeping: one part


@dataclass
class Unfinished:
    """The file beside `model` that holds the training which `request` asks for; nothing is kept without a path."""

    model: str | os.PathLike[str] | None
    request: str
    plan: Plan[Any]
    every: float = EVERY
    _next: float = 0.0

    def __post_init__(self) -> None:
        self._next = time.monotonic() + self.every

    @property
    def path(self) -> Path | None:
        """Where it is kept."""
        return None if self.model is None else Path(f"{os.fspath(self.model)}.partial")

    def found(self, device: str, ranks: Ranks = ALONE) -> tuple[Progress | None, str]:
        """How far the same training came before, and a line about it; None if there is nothing to go on with. Of many
        ranks the first one looks, and tells the others.
        """
        progress, line = self._found(device) if ranks.first else (None, "")
        if ranks.size == 1:
            return progress, line
        told = ranks.data(b"" if progress is None else checkpoint.to_bytes(*self._file(progress)))
        if ranks.first or not told:
            return progress, line
        return kept.from_file(checkpoint.from_bytes(told, self._layout, "what is told"), self.plan, device), ""

    def _file(self, progress: Progress) -> tuple[kept.Arrays, dict[str, Any]]:
        """Tensors and metadata."""
        tensors, meta = kept.to_file(progress, self.plan)
        return tensors, {"task": checkpoint.UNFINISHED, "request": self.request} | meta

    def _found(self, device: str) -> tuple[Progress | None, str]:
        if self.path is None or not self.path.exists():
            return None, ""
        try:
            progress = kept.from_file(checkpoint.load(self.path, self._layout), self.plan, device)
        except checkpoint.OfAnother as other:
            return None, f"{self.path} is of {other.message}, so training starts over"
        except (ModelRefused, UsageError) as error:
            return None, f"{self.path} cannot be gone on with, so training starts over ({error.message})"
        return progress, f"going on from {self.path}, {_place(progress)}"

    def _layout(self, meta: dict[str, Any]) -> checkpoint.Layout:
        """The tensors of the file. UsageError if it is no training that has not ended, OfAnother if not this one."""
        if meta["task"] != checkpoint.UNFINISHED:
            raise UsageError("it is no training that has not ended")
        if meta["request"] != self.request:
            raise checkpoint.OfAnother("other data, settings or versions")
        return kept.layout(meta, self.plan)

    def keep(self, progress: Progress) -> bool:
        """Write what there is; whether there was anything."""
        if self.path is None or progress.training is None:
            return False
        begun = time.monotonic()
        checkpoint.save(self.path, *self._file(progress))
        now = time.monotonic()
        self._next = now + max(self.every, SHARE * (now - begun) if self.every else 0.0)
        return True

    def keep_now_and_then(self, progress: Progress) -> None:
        """Write what there is, if that was not done lately."""
        if time.monotonic() >= self._next:
            self.keep(progress)

    def remove(self) -> None:
        """The training is finished."""
        if self.path is not None:
            files.remove(self.path)


def _place(progress: Progress) -> str:
    searched = sum(member.searched is not None for member in progress.members)
    return f"step {progress.step}, {searched} of {len(progress.members)} searches done"


def bytes_needed(plan: Plan[Any]) -> int:
    """About how much a training keeps on the disk at most: both files, and the new one of each before the old goes."""
    sizes = [_bytes(candidate) for candidate in plan.candidates]
    return 2 * sizes[0] + 2 * (2 + 5) * sum(sizes) + (64 << 10)


def _bytes(plan: Plan[Any]) -> int:
    carried = {} if plan.training.tbptt is None else state_shapes(plan.network, plan.training.batch)
    numbers = sum(math.prod(shape) for shape in [*plan.shapes.values(), *carried.values()])
    return 4 * plan.network.members * numbers
